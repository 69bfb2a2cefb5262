//! The evidence, read once for all rules: what fails, since when, and what the failing invocations say.

use super::permissions::{self, Need, Standing};
use super::rule::Verdict;
use super::signatures::{self, Classification, Specificity};
use crate::lambda_log::{Platform, Record};
use crate::model::{
    Attempt, AttemptOutcome, Cause, Confidence, EventSource, Evidence, FailureRow, Finding, FunctionFacts, Invocation,
    InvocationStatus, LogEvent, Proof, Remediation, RoleArn, RotationConfig, RotationStep, SecretFacts, Severity, StepName,
    Window,
};
use jiff::{SignedDuration, Timestamp};
use std::cell::OnceCell;

/// How far clocks of AWS services may disagree about one moment.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// How long before its `RotationFailed` event an attempt may have begun, where its start was not seen.
///
/// A rotation is four invocations of at most 15 minutes; retries follow within minutes.
const ATTEMPT_SPAN: SignedDuration = SignedDuration::from_mins(60);

/// Leaves out what a second user is refused that an earlier try of the same rotation made and could give no rights: the
/// refused statement explains both.
fn without_half_made(failures: Vec<Failure<'_>>) -> Vec<Failure<'_>> {
    let says = |failure: &Failure<'_>, causes: &[Cause]| {
        failure.most_specific_line().is_some_and(|read| causes.contains(&read.classification.cause))
    };
    let is_refused = |failure: &&Failure<'_>| {
        failure.step == Some(RotationStep::SetSecret) && says(failure, &[Cause::DbPermissionInsufficient])
    };
    let Some(first) = failures.iter().find(is_refused).map(|failure| failure.invocation) else { return failures };
    let follows = |failure: &Failure<'_>| {
        failure.step == Some(RotationStep::TestSecret)
            && failure.invocation.started_at > first.started_at
            && failure.invocation.version == first.version
            && says(failure, &[Cause::DbPermissionInsufficient, Cause::DbLoginAmbiguous])
    };
    failures.into_iter().filter(|failure| !follows(failure)).collect()
}

/// How late an event may reach CloudTrail. Source: CloudTrail User Guide: on average within about 5 minutes, not guaranteed.
const EVENT_DELAY: SignedDuration = SignedDuration::from_mins(20);

/// How long a rotation may reasonably take; an AWSPENDING label younger than this may be a rotation in progress.
pub const ROTATION_IN_PROGRESS: SignedDuration = SignedDuration::from_mins(30);

/// The evidence with what every rule needs to know derived from it.
pub struct DiagnosisContext<'a> {
    pub evidence: &'a Evidence,
    /// The current row of failures: since the last success.
    pub failing: Option<FailureRow>,
    /// The last rotation that is known to have succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Failing invocations of the current row, oldest first.
    pub failures: Vec<Failure<'a>>,
    standings: OnceCell<Vec<(Need, Standing)>>,
}

/// A failing invocation and what its lines mean.
pub struct Failure<'a> {
    pub invocation: &'a Invocation,
    /// The rotation step it performed.
    pub step: Option<RotationStep>,
    /// Whether it is known to be about this secret.
    pub attribution: Attribution,
    /// Its classified lines, oldest first; normal lines are left out.
    pub lines: Vec<ClassifiedLine<'a>>,
}

/// A line and what it means.
pub struct ClassifiedLine<'a> {
    pub event: &'a LogEvent,
    pub classification: Classification,
}

/// Whose rotation an invocation performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribution {
    Other,
    Unknown,
    /// It ran when this secret's rotation failed.
    ByTime,
    /// Its lines name this secret, or the version being rotated.
    ByName,
}

/// What failing invocations say about one cause.
pub struct LogMatch<'c, 'a> {
    /// The newest failing invocation whose decisive line says it.
    pub failure: &'c Failure<'a>,
    pub read: &'c ClassifiedLine<'a>,
    /// How many failing invocations say it.
    pub count: usize,
    /// True when the newest failing invocation says it.
    pub is_latest: bool,
}

impl<'a> DiagnosisContext<'a> {
    /// Reads the evidence.
    #[must_use]
    pub fn new(evidence: &'a Evidence) -> DiagnosisContext<'a> {
        let mut context =
            DiagnosisContext { evidence, failing: None, last_success_at: None, failures: Vec::new(), standings: OnceCell::new() };
        context.last_success_at = context.find_last_success();
        let failures = context.read_failures();
        context.failing = context.find_failure_row(&failures);
        if let Some(row) = &context.failing {
            let since = row.first_at.checked_sub(ATTEMPT_SPAN).unwrap_or(Timestamp::MIN);
            let failures = failures.into_iter().filter(|failure| failure.invocation.started_at >= since).collect();
            context.failures = without_half_made(context.without_consequences(failures));
        }
        context
    }

    /// Everything the function's role needs, and what the policies say of it.
    pub(super) fn standings(&self) -> &[(Need, Standing)] {
        self.standings.get_or_init(|| {
            let needs = permissions::needs(self).into_iter();
            needs.map(|need| (need.clone(), permissions::standing(self, &need))).collect()
        })
    }

    /// The investigation's "now".
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.evidence.now
    }

    /// The secret, when it was found.
    #[must_use]
    pub fn secret(&self) -> Option<&'a SecretFacts> {
        self.evidence.secret.found()
    }

    /// How its rotation is configured, when that was found.
    #[must_use]
    pub fn config(&self) -> Option<&'a RotationConfig> {
        self.evidence.rotation_config.found()
    }

    /// The rotation function, when it was found.
    #[must_use]
    pub fn function(&self) -> Option<&'a FunctionFacts> {
        self.evidence.function.found()
    }

    /// The function's name, from what was found or from the configuration.
    #[must_use]
    pub fn function_name(&self) -> Option<&'a str> {
        self.evidence.function_arn().map(|arn| arn.name())
    }

    /// The execution role's name, when the function was found.
    #[must_use]
    pub fn role_name(&self) -> Option<&'a str> {
        self.function().map(|function| function.role.name())
    }

    /// The role in which rotation is done: the function's, or that of a partner-managed rotation.
    #[must_use]
    pub fn rotation_role(&self) -> Option<&'a RoleArn> {
        let partners = || self.config().filter(|config| config.function_arn.is_none())?.external_role_arn.as_ref();
        self.function().map(|function| &function.role).or_else(partners)
    }

    /// The secret's ARN, or the name it was asked by.
    #[must_use]
    pub fn secret_id(&self) -> &'a str {
        match self.secret() {
            Some(secret) => secret.arn.arn().as_str(),
            None => self.evidence.asked.as_str(),
        }
    }

    /// The secret's name, or what was asked for.
    #[must_use]
    pub fn secret_name(&self) -> &'a str {
        match self.secret() {
            Some(secret) => &secret.name,
            None => self.evidence.asked.as_str(),
        }
    }

    /// True when a Lambda function is supposed to rotate this secret here.
    #[must_use]
    pub fn rotates_by_function(&self) -> bool {
        self.config().is_some_and(|config| config.enabled == Some(true) && config.function_arn.is_some())
            && self.secret().is_none_or(|secret| secret.deleted_at.is_none() && !secret.is_replica())
    }

    /// True when rotation never finished, as far as Secrets Manager remembers.
    #[must_use]
    pub fn never_rotated(&self) -> bool {
        self.config().is_some_and(|config| config.last_rotated_at.is_none()) && self.last_success_at.is_none()
    }

    /// True when there is a sign that rotation does not work: failures, an overdue date, a stuck label.
    #[must_use]
    pub fn is_unwell(&self) -> bool {
        self.failing.is_some() || self.is_overdue() || self.stuck_version().is_some()
    }

    /// True when a rotation window closed without a rotation, and none is under way.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        let recent = |at: Timestamp| self.now().duration_since(at) < ROTATION_IN_PROGRESS;
        let rotates =
            self.attempts().last().is_some_and(|it| it.outcome == AttemptOutcome::Started && it.at().is_some_and(recent));
        self.config().is_some_and(|config| config.enabled == Some(true) && config.due.overdue_since.is_some()) && !rotates
    }

    /// The version that carries AWSPENDING without AWSCURRENT although no rotation is in progress.
    ///
    /// createSecret sets the label and finishSecret moves AWSCURRENT to the same version, so the label alone is normal while a
    /// rotation runs. It is stuck when an event says that the rotation of this very version failed or was abandoned. Where no
    /// event tells of the version, it is stuck once it is older than a rotation takes, or no newer than the current version, or
    /// once the last failure lies further back than a rotation takes.
    #[must_use]
    pub fn stuck_version(&self) -> Option<&'a crate::model::SecretVersion> {
        let pending = self.secret()?.version_with("AWSPENDING").filter(|version| !version.has("AWSCURRENT"))?;
        let started = self
            .attempts()
            .filter(|attempt| attempt.version_id.as_deref() == Some(pending.id.as_str()))
            .filter_map(|attempt| attempt.started_at.or(attempt.ended_at))
            .max()
            .or(pending.created_at);
        let ended = self.attempts().any(|attempt| {
            attempt.version_id.as_deref() == Some(pending.id.as_str())
                && matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
        });
        let recent = |at: Timestamp| self.now().duration_since(at) < ROTATION_IN_PROGRESS;
        // Where no event tells of this version, a failure long ago outweighs its date, which may be that of a relabelling.
        let told = self.attempts().any(|attempt| attempt.version_id.as_deref() == Some(pending.id.as_str()));
        let began = self.attempts().any(|it| it.outcome == AttemptOutcome::Started && it.at().is_some_and(recent));
        let failed_long_ago = !told && !began && self.failing.as_ref().is_some_and(|row| !recent(row.last_at));
        // A version in the making is newer than the current one.
        let current = self.secret()?.version_with("AWSCURRENT").and_then(|version| version.created_at);
        let overtaken = !told && !began && pending.created_at.is_some_and(|at| current.is_some_and(|current| at <= current));
        let young = started.is_some_and(recent) && !failed_long_ago && !overtaken;
        (ended || !young).then_some(pending)
    }

    /// This secret's rotation attempts, oldest first; test rotations are left out.
    pub fn attempts(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        let attempts = self.evidence.history.found().map(|history| history.attempts.as_slice()).unwrap_or_default();
        attempts.iter().filter(|attempt| !attempt.is_test)
    }

    /// The failed or abandoned attempts of the current row, oldest first.
    pub fn failed_attempts(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        let since = self.failing.as_ref().map(|row| row.first_at);
        self.attempts().filter(move |attempt| {
            matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
                && since.is_some_and(|since| attempt.at().is_some_and(|at| at >= since))
        })
    }

    /// The step the newest failed attempt died in, from its event or from the newest failing invocation.
    #[must_use]
    pub fn failing_step(&self) -> Option<RotationStep> {
        self.failed_attempts()
            .rev()
            .find_map(|attempt| attempt.step)
            .or_else(|| self.failures.iter().rev().find_map(|failure| failure.step))
    }

    /// What failing invocations say about `cause`, where it is their decisive line.
    #[must_use]
    pub fn seen(&self, cause: Cause) -> Option<LogMatch<'_, 'a>> {
        self.seen_where(|read| read.classification.cause == cause)
    }

    /// Like [`DiagnosisContext::seen`], for decisive lines that satisfy `wanted`.
    #[must_use]
    pub fn seen_where(&self, wanted: impl Fn(&ClassifiedLine<'a>) -> bool) -> Option<LogMatch<'_, 'a>> {
        let mut hits =
            self.failures.iter().enumerate().filter_map(|(at, failure)| {
                failure.most_specific_line().filter(|read| wanted(read)).map(|read| (at, failure, read))
            });
        let (at, failure, read) = hits.next_back()?;
        let newest_telling = self.failures.iter().rposition(|failure| failure.most_specific_line().is_some());
        Some(LogMatch { failure, read, count: hits.count() + 1, is_latest: newest_telling == Some(at) })
    }

    /// The verdict of a rule whose cause no failing invocation names: clear only when they were read.
    #[must_use]
    pub fn not_in_logs(&self) -> Verdict {
        if let Some(verdict) = self.without_function() {
            return verdict;
        }
        let logs = &self.evidence.logs;
        if let Some(missing) = logs.observation.missing() {
            return Verdict::unknown(missing);
        }
        if !self.failures.is_empty() {
            return Verdict::clear("no failing invocation says so");
        }
        match (&self.failing, &self.evidence.history.observation.missing()) {
            (None, None) => Verdict::clear("rotation is not failing"),
            (None, Some(missing)) => Verdict::unknown(missing.clone()),
            (Some(_), _) => Verdict::unknown("no failing invocation was found in the windows that were read"),
        }
    }

    /// A finding about `cause` with its catalogue title, as severe as the state of rotation makes it.
    #[must_use]
    pub fn finding(
        &self,
        cause: Cause,
        confidence: Confidence,
        explanation: impl Into<String>,
        evidence: Vec<Proof>,
        remediation: Remediation,
    ) -> Finding {
        Finding {
            cause,
            title: cause.title().to_owned(),
            confidence,
            severity: self.severity(),
            explanation: explanation.into(),
            evidence,
            remediation,
            inhibited_by: None,
        }
    }

    /// A warning while rotation is seen to work and only something stands in its way; critical where it does not work, and
    /// where that could not be seen.
    fn severity(&self) -> Severity {
        let is_on = self.config().is_some_and(|config| config.enabled == Some(true))
            && self.secret().is_some_and(|secret| secret.deleted_at.is_none());
        let works = is_on && self.last_success_at.is_some() && !self.is_unwell();
        if works { Severity::Warning } else { Severity::Critical }
    }

    /// The event that says the current row's newest attempt failed, as proof.
    #[must_use]
    pub fn failed_attempt_proof(&self) -> Option<Proof> {
        let attempt = self.failed_attempts().next_back()?;
        let reason = attempt.reason.clone().unwrap_or_else(|| "RotationFailed".to_owned());
        Some(Proof { step: StepName::RotationHistory, call: self.history_call().to_owned(), at: attempt.at(), text: reason })
    }

    /// The call step 6 got its events from.
    #[must_use]
    pub fn history_call(&self) -> &'static str {
        self.evidence.history.found().map_or(EventSource::EventHistory.call(), |history| history.source.call())
    }

    fn find_last_success(&self) -> Option<Timestamp> {
        let by_event =
            self.attempts().filter(|attempt| attempt.outcome == AttemptOutcome::Succeeded).filter_map(Attempt::at).max();
        let by_secret =
            self.config().and_then(|config| config.last_rotated_at).filter(|at| !self.was_moved_without_rotation(*at));
        let by_logs = self
            .invocations()
            .filter(|invocation| {
                invocation.step == Some(RotationStep::FinishSecret)
                    && invocation.status == InvocationStatus::Succeeded
                    && self.attribution(invocation) == Attribution::ByName
            })
            .map(|invocation| invocation.ended_at.unwrap_or(invocation.started_at))
            .max();
        [by_event, by_secret, by_logs].into_iter().flatten().max()
    }

    /// True where `LastRotatedDate` lies after failures and no rotation can have set it: a value stored by hand moves it too.
    ///
    /// A rotation runs the function. The log must have been read whole around that time, and show START and REPORT lines at
    /// all, to say that it did not.
    fn was_moved_without_rotation(&self, at: Timestamp) -> bool {
        let Some(logs) = self.evidence.logs.found().filter(|logs| logs.complete) else { return false };
        let around = Window::around(at, ROTATION_IN_PROGRESS, TOLERANCE);
        let was_read = logs.windows.iter().any(|window| window.contains(around.from) && window.contains(at));
        let own = || self.invocations().filter(|invocation| self.attribution(invocation) != Attribution::Other);
        let failed = |invocation: &Invocation| matches!(invocation.status, InvocationStatus::Failed | InvocationStatus::TimedOut);
        let failed_before = own().any(|invocation| failed(invocation) && invocation.started_at < at);
        let ran = own().any(|invocation| !failed(invocation) && around.contains(invocation.started_at));
        let shows_runs = own().any(|invocation| invocation.lines.iter().any(|line| is_report(&line.text)));
        let said_so = self
            .attempts()
            .any(|attempt| attempt.outcome == AttemptOutcome::Succeeded && attempt.at().is_some_and(|end| around.contains(end)));
        was_read && failed_before && shows_runs && !ran && !said_so
    }

    fn invocations(&self) -> impl DoubleEndedIterator<Item = &'a Invocation> {
        self.evidence.logs.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default().iter()
    }

    /// Leaves out the logins that a retry was refused because setSecret had gone through before: the database no longer takes
    /// the current password, which follows from the failure after setSecret and explains nothing.
    fn without_consequences(&self, failures: Vec<Failure<'a>>) -> Vec<Failure<'a>> {
        let Some(stuck) = self.stuck_version() else { return failures };
        let is_of_stuck = |failure: &&Failure<'a>| stuck.created_at.is_none_or(|made| made <= failure.invocation.started_at);
        let is_after_set = |failure: &&Failure<'a>| failure.step.is_some_and(|step| step > RotationStep::SetSecret);
        let Some(after) = failures.iter().find(|one| is_of_stuck(one) && is_after_set(one)) else { return failures };
        let after = after.invocation.started_at;
        let follows = |failure: &Failure<'a>| {
            failure.step == Some(RotationStep::SetSecret)
                && failure.invocation.started_at > after
                && failure
                    .most_specific_line()
                    .is_some_and(|read| matches!(read.classification.cause, Cause::DbAuthFailed | Cause::DbLoginAmbiguous))
        };
        failures.into_iter().filter(|failure| !follows(failure)).collect()
    }

    /// Failing invocations since the last success that may be this secret's.
    fn read_failures(&self) -> Vec<Failure<'a>> {
        let mut failures = self.marked_failures();
        let unmarked = self.unmarked_failures(&failures);
        failures.extend(unmarked);
        failures.sort_by_key(|failure| failure.invocation.started_at);
        failures
    }

    /// The last invocation of each failed attempt in which none is marked as failed, where its log says what went wrong.
    ///
    /// Some runtimes report a returned error neither by a level nor by a status: Go's writes only what the function prints.
    fn unmarked_failures(&self, marked: &[Failure<'a>]) -> Vec<Failure<'a>> {
        let ended_badly = |attempt: &&Attempt| {
            matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned) && attempt.at() > self.last_success_at
        };
        let mut found: Vec<Failure<'a>> = Vec::new();
        for attempt in self.attempts().filter(ended_badly) {
            let ran = |invocation: &Invocation| failed_during(invocation, std::iter::once(attempt)).is_some();
            if marked.iter().chain(&found).any(|failure| ran(failure.invocation)) {
                continue;
            }
            let last = self.invocations().rev().find(|invocation| {
                ran(invocation)
                    && self.attribution(invocation) > Attribution::Other
                    && (attempt.step.is_none() || invocation.step.is_none() || invocation.step == attempt.step)
            });
            found.extend(last.map(|invocation| self.read_failure(invocation, self.attribution(invocation))).and_then(
                |mut failure| {
                    failure.step = failure.step.or(attempt.step);
                    failure
                        .most_specific_line()
                        .is_some_and(|read| read.classification.specificity > Specificity::Timeout)
                        .then_some(failure)
                },
            ));
        }
        found
    }

    /// Invocations that are marked as failed.
    fn marked_failures(&self) -> Vec<Failure<'a>> {
        let last_ok_of_unknown = self
            .invocations()
            .filter(|invocation| invocation.status == InvocationStatus::Succeeded)
            .map(|invocation| invocation.started_at)
            .max();
        self.invocations()
            .filter(|invocation| matches!(invocation.status, InvocationStatus::Failed | InvocationStatus::TimedOut))
            .filter(|invocation| self.last_success_at.is_none_or(|success| invocation.started_at > success))
            .filter_map(|invocation| {
                let attribution = self.attribution(invocation);
                let kept = match attribution {
                    Attribution::Other => false,
                    Attribution::Unknown if self.is_outside_rotation(invocation) => false,
                    _ if self.is_by_hand(invocation) => false,
                    Attribution::ByName | Attribution::ByTime => true,
                    // A failure of nobody in particular speaks for this secret only while the function fails for everybody.
                    Attribution::Unknown => last_ok_of_unknown.is_none_or(|ok| ok < invocation.started_at),
                };
                kept.then(|| {
                    let mut failure = self.read_failure(invocation, attribution);
                    failure.step = failure.step.or_else(|| failed_during(invocation, self.attempts())?.step);
                    failure
                })
            })
            .collect()
    }

    /// True for an invocation that no rotation made: the history is whole and tells of this secret's rotations, none of them
    /// failed or is open since, nothing is due or stuck, and the invocation's event would have arrived by now.
    fn is_outside_rotation(&self, invocation: &Invocation) -> bool {
        let told = self.evidence.history.found().is_some_and(|history| history.complete) && self.attempts().next().is_some();
        let arrived = self.now().duration_since(invocation.started_at) > EVENT_DELAY;
        let since_success = |attempt: &Attempt| attempt.at() > self.last_success_at;
        told && arrived
            && !self.attempts().any(|attempt| attempt.outcome != AttemptOutcome::Succeeded && since_success(attempt))
            && !self.is_overdue()
            && self.stuck_version().is_none()
    }

    /// True for an invocation somebody made with a token of their own: neither the secret nor a rotation knows it, and the
    /// history, which is whole and would have it by now, tells of no failure at that time.
    fn is_by_hand(&self, invocation: &Invocation) -> bool {
        let (Some(token), Some(secret)) = (&invocation.version, self.secret()) else { return false };
        let is_known = secret.versions.iter().any(|own| own.id.eq_ignore_ascii_case(token))
            || self.attempts().any(|attempt| attempt.version_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(token)));
        let told = self.evidence.history.found().is_some_and(|history| history.complete);
        let arrived = self.now().duration_since(invocation.started_at) > EVENT_DELAY;
        !is_known && told && arrived && failed_during(invocation, self.attempts()).is_none()
    }

    /// A failing invocation, without what it says about other secrets than a rotation needs.
    fn read_failure(&self, invocation: &'a Invocation, attribution: Attribution) -> Failure<'a> {
        let mut failure = Failure::read(invocation, attribution);
        let telling = |line: &&ClassifiedLine<'_>| line.classification.specificity > Specificity::Marker;
        let ended_by = failure.lines.iter().rev().find(telling).map(|line| line.classification.cause);
        failure.lines.retain(|line| {
            Some(line.classification.cause) == ended_by || !self.is_aside(&line.event.text, line.classification.cause)
        });
        failure
    }

    /// True for a refused or vain read of a secret that the rotation does not ask for, such as an agent's licence: what went on
    /// after it did not fail for it.
    fn is_aside(&self, text: &str, cause: Cause) -> bool {
        let text = Record::read(text).text;
        let of_superuser = ["masterarn", "master_arn", "master secret", "admin secret", "superuser", "master_dict", "admin_dict"];
        if of_superuser.iter().any(|word| text.to_ascii_lowercase().contains(word)) {
            return false;
        }
        if cause == Cause::SecretNotFound {
            return true;
        }
        let Some(denied) = signatures::AccessDenied::parse(&text) else { return false };
        let (Some(secret), Some(resource)) = (self.secret(), denied.resource.as_deref()) else { return false };
        let own = secret.arn.arn().as_str();
        denied.action.to_ascii_lowercase().starts_with("secretsmanager:")
            && resource.starts_with("arn:")
            && !own.starts_with(resource)
            && !resource.starts_with(own)
    }

    fn attribution(&self, invocation: &Invocation) -> Attribution {
        if let Some(named) = &invocation.secret_arn
            && let Some(secret) = self.secret()
        {
            let arn = secret.arn.arn().as_str();
            let own = named == arn || named == &secret.name || named == self.evidence.asked.as_str();
            // An ARN may be written without the random suffix.
            if own || (named.starts_with("arn:") && arn.strip_prefix(named.as_str()).is_some_and(|rest| rest.starts_with('-'))) {
                return Attribution::ByName;
            }
            // A name nobody else answers to does not outweigh a failure at the very time.
            let is_known = self.other_attempts().any(|attempt| attempt.secret_arn.starts_with(named.as_str()));
            return if !is_known && failed_during(invocation, self.attempts()).is_some() {
                Attribution::ByTime
            } else {
                Attribution::Other
            };
        }
        if let Some(version) = &invocation.version {
            let known = self.attempts().any(|attempt| attempt.version_id.as_ref() == Some(version))
                || self.secret().is_some_and(|secret| secret.versions.iter().any(|own| &own.id == version));
            if known {
                return Attribution::ByName;
            }
        }
        if failed_during(invocation, self.attempts()).is_some() {
            Attribution::ByTime
        } else if failed_during(invocation, self.other_attempts()).is_some() {
            Attribution::Other
        } else {
            Attribution::Unknown
        }
    }

    /// Attempts of other secrets that the same function rotates, as far as their events name it.
    fn other_attempts(&self) -> impl Iterator<Item = &'a Attempt> {
        let attempts = self.evidence.history.found().map(|history| history.other_attempts.as_slice()).unwrap_or_default();
        let function = self.evidence.function_arn();
        attempts.iter().filter(move |attempt| {
            let named = attempt.function_arn.as_ref();
            named.zip(function).is_none_or(|(named, own)| named.is_same_function(own))
        })
    }

    fn find_failure_row(&self, failures: &[Failure<'a>]) -> Option<FailureRow> {
        let since_success = |at: &Timestamp| self.last_success_at.is_none_or(|success| *at > success);
        let by_event: Vec<Timestamp> = self
            .attempts()
            .filter(|attempt| matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned))
            .filter_map(Attempt::at)
            .filter(since_success)
            .collect();
        let by_logs: Vec<Timestamp> = failures.iter().map(|failure| failure.invocation.started_at).collect();
        // Events count attempts; invocations only bound them in time, and stand in where no event was seen.
        let count = if by_event.is_empty() { by_logs.len() } else { by_event.len() };
        let moments = if by_event.is_empty() { &by_logs } else { &by_event };
        Some(FailureRow {
            first_at: *moments.iter().min()?,
            last_at: by_event.iter().chain(&by_logs).max().copied()?,
            count,
            last_success_at: self.last_success_at,
        })
    }
}

/// True for a line in which Lambda reports an invocation.
fn is_report(text: &str) -> bool {
    matches!(Record::read(text).platform, Some(Platform::Report(_)))
}

/// The failed attempt during which an invocation ran.
fn failed_during<'b>(invocation: &Invocation, mut attempts: impl Iterator<Item = &'b Attempt>) -> Option<&'b Attempt> {
    let span = Window {
        from: invocation.started_at.checked_sub(TOLERANCE).unwrap_or(Timestamp::MIN),
        to: invocation.ended_at.unwrap_or(invocation.started_at).checked_add(TOLERANCE).unwrap_or(Timestamp::MAX),
    };
    attempts.find(|attempt| {
        let Some(end) = attempt.ended_at else { return false };
        let start = attempt.started_at.or_else(|| end.checked_sub(ATTEMPT_SPAN).ok()).unwrap_or(end);
        matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
            && span.overlaps(&Window { from: start, to: end })
    })
}

impl<'a> Failure<'a> {
    fn read(invocation: &'a Invocation, attribution: Attribution) -> Failure<'a> {
        let records = || invocation.lines.iter().map(|event| Record::read(&event.text));
        let start = records().position(|record| record.platform == Some(Platform::Start)).unwrap_or_default();
        let is_failed = |record: Record<'_>| match record.platform {
            Some(Platform::InitReport(report)) => report.status.as_deref() == Some("error"),
            _ => false,
        };
        let init_failed = records().take(start).any(is_failed);
        // Before START extensions speak too; of the function's own code only what keeps it from being loaded.
        let is_own = |place: usize, classification: &Classification| {
            place >= start || init_failed || classification.specificity == Specificity::Code
        };
        let lines: Vec<ClassifiedLine<'a>> = invocation
            .lines
            .iter()
            .enumerate()
            .filter_map(|(place, event)| {
                let mut classification = signatures::classify_event(&event.text).filter(|found| is_own(place, found))?;
                // A pool that is refused here is the function's own, not an application's.
                if classification.cause == Cause::ConsumerStaleCredentials {
                    classification.cause = Cause::DbAuthFailed;
                }
                Some(ClassifiedLine { event, classification })
            })
            .collect();
        let step = invocation.step.or_else(|| lines.iter().rev().find_map(|read| read.classification.step));
        Failure { invocation, step, attribution, lines }
    }

    /// The line that says most precisely why the invocation failed; `None` when no line says why.
    #[must_use]
    pub fn most_specific_line(&self) -> Option<&ClassifiedLine<'a>> {
        self.lines
            .iter()
            .filter(|read| !read.classification.cause.is_line_label())
            // Of lines that say as much the first one is the origin; later ones repeat it.
            .rev()
            .max_by_key(|read| read.classification.weight())
    }

    /// The last line the function's own code wrote, classified or not.
    #[must_use]
    pub fn last_own_line(&self) -> Option<&'a LogEvent> {
        self.invocation.lines.iter().rev().find(|event| {
            let record = Record::read(&event.text);
            record.platform.is_none() && !record.is_foreign
        })
    }

    /// True when the function ran into its timeout.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.invocation.status == InvocationStatus::TimedOut
    }
}

impl LogMatch<'_, '_> {
    /// The decisive line as proof.
    #[must_use]
    pub fn proof(&self) -> Proof {
        Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(self.read.event.at),
            text: self.read.event.text.trim().to_owned(),
        }
    }

    /// The line is one fact; a rotation event that names the same step or moment is the second.
    #[must_use]
    pub fn confidence(&self, context: &DiagnosisContext<'_>) -> Confidence {
        let invocation = self.failure.invocation;
        let agrees = context.failed_attempts().any(|attempt| {
            let same_step = attempt.step.is_some() && attempt.step == self.failure.step;
            let same_time =
                attempt.at().is_some_and(|at| Window::around(invocation.started_at, TOLERANCE, ATTEMPT_SPAN).contains(at));
            same_time && (same_step || attempt.step.is_none() || self.failure.step.is_none())
        });
        match self.failure.attribution {
            Attribution::ByName | Attribution::ByTime if agrees => Confidence::Confirmed,
            Attribution::Other => Confidence::Possible,
            _ => Confidence::Likely,
        }
    }

    /// `in createSecret`, or nothing where the step is unknown.
    #[must_use]
    pub fn in_step(&self) -> String {
        self.failure.step.or(self.read.classification.step).map(|step| format!(" in {step}")).unwrap_or_default()
    }

    /// The line with the rotation event beside it.
    #[must_use]
    pub fn proofs(&self, context: &DiagnosisContext<'_>) -> Vec<Proof> {
        std::iter::once(self.proof()).chain(context.failed_attempt_proof()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{attempt, facts, fail, fail_unseen, healthy, hours_ago, invocation};
    use crate::model::Observation;

    const LINE: &str = "setSecret failed: dial tcp 10.1.2.3:5432: connect: connection refused";

    fn stored_by_hand() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[LINE, "REPORT RequestId: r1\tDuration: 900.00 ms\tStatus: error"]);
        facts(&mut evidence.rotation_config).last_rotated_at = Some(hours_ago(0));
        evidence
    }

    #[test]
    fn a_finding_about_a_secret_that_is_seen_to_rotate_is_a_warning_and_any_other_is_critical() {
        let severity = |evidence: &Evidence| {
            let context = DiagnosisContext::new(evidence);
            let remediation = Remediation::new("Do something.");
            context.finding(Cause::LambdaStateFailed, Confidence::Likely, "", Vec::new(), remediation).severity
        };
        let works = healthy();
        assert_eq!(severity(&works), Severity::Warning);
        let mut fails = healthy();
        fail(&mut fails, RotationStep::SetSecret, &[LINE]);
        assert_eq!(severity(&fails), Severity::Critical);
        let mut overdue = healthy();
        facts(&mut overdue.rotation_config).due.overdue_since = Some(hours_ago(2));
        assert_eq!(severity(&overdue), Severity::Critical);
        let mut off = healthy();
        facts(&mut off.rotation_config).enabled = Some(false);
        assert_eq!(severity(&off), Severity::Critical);
        let mut unseen = healthy();
        unseen.history.observation = Observation::Failed { error: "nobody answered".to_owned() };
        unseen.logs.observation = Observation::Failed { error: "nobody answered".to_owned() };
        facts(&mut unseen.rotation_config).last_rotated_at = None;
        assert_eq!(severity(&unseen), Severity::Critical, "nobody saw it rotate");
    }

    #[test]
    fn a_date_that_no_invocation_explains_is_no_success() {
        let evidence = stored_by_hand();
        let context = DiagnosisContext::new(&evidence);
        assert!(context.last_success_at < Some(hours_ago(239)));
        assert!(context.failing.is_some());
    }

    #[test]
    fn a_date_is_believed_where_the_function_ran_an_event_says_so_or_the_log_does_not_tell() {
        let succeeded = |evidence: &Evidence| DiagnosisContext::new(evidence).failing.is_none();
        let mut ran = stored_by_hand();
        let run = invocation(hours_ago(0), RotationStep::FinishSecret, InvocationStatus::Succeeded, &[]);
        facts(&mut ran.logs).invocations.push(run);
        assert!(succeeded(&ran));
        let mut told = stored_by_hand();
        facts(&mut told.history).attempts.push(attempt(hours_ago(0), AttemptOutcome::Succeeded));
        assert!(succeeded(&told));
        let mut cut = stored_by_hand();
        facts(&mut cut.logs).complete = false;
        assert!(succeeded(&cut));
        let mut quiet = stored_by_hand();
        facts(&mut quiet.logs).invocations.iter_mut().for_each(|run| run.lines.truncate(1));
        assert!(succeeded(&quiet));
    }

    #[test]
    fn a_rotation_under_way_is_not_overdue() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).due.overdue_since = Some(hours_ago(0));
        assert!(DiagnosisContext::new(&evidence).is_overdue());
        facts(&mut evidence.history).attempts.push(attempt(hours_ago(0), AttemptOutcome::Started));
        assert!(!DiagnosisContext::new(&evidence).is_overdue());
    }

    /// A failing invocation with a token that neither the secret nor a rotation knows.
    fn with_own_token(evidence: &mut Evidence, hours: i64) {
        let line = "[ERROR] ValueError: Secret version my-test-token has no stage for rotation of secret x.";
        let mut run = invocation(hours_ago(hours), RotationStep::CreateSecret, InvocationStatus::Failed, &[line]);
        run.version = Some("my-test-token".to_owned());
        facts(&mut evidence.logs).invocations.push(run);
    }

    #[test]
    fn an_invocation_by_hand_is_no_rotation_unless_one_failed_at_that_time() {
        let mut evidence = healthy();
        with_own_token(&mut evidence, 5);
        let diagnosis = crate::diagnosis::diagnose(&evidence);
        assert_eq!(diagnosis.outcome, crate::model::Outcome::Healthy, "{:?}", diagnosis.findings);
        let mut failed = healthy();
        with_own_token(&mut failed, 1);
        fail_unseen(&mut failed, Some(RotationStep::CreateSecret));
        assert_eq!(DiagnosisContext::new(&failed).failures.len(), 1);
        let mut untold = healthy();
        with_own_token(&mut untold, 5);
        facts(&mut untold.history).complete = false;
        assert_eq!(DiagnosisContext::new(&untold).failures.len(), 1, "a history with gaps may lack the event");
    }

    #[test]
    fn a_login_that_a_retry_is_refused_after_set_secret_went_through_explains_nothing() {
        let mut evidence = healthy();
        let first = "psycopg2.OperationalError: FATAL:  database \"orders_old\" does not exist";
        fail(&mut evidence, RotationStep::TestSecret, &[first]);
        let refused = "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"";
        let at = hours_ago(1) + SignedDuration::from_secs(30);
        let retry = invocation(at, RotationStep::SetSecret, InvocationStatus::Failed, &[refused]);
        facts(&mut evidence.logs).invocations.push(retry);
        let cause = |evidence: &Evidence| {
            let context = DiagnosisContext::new(evidence);
            context.failures.last().and_then(|failure| failure.most_specific_line().map(|line| line.classification.cause))
        };
        assert_eq!(cause(&evidence), Some(Cause::DbNameMissing));
        facts(&mut evidence.secret).versions.retain(|version| !version.has("AWSPENDING"));
        assert_eq!(cause(&evidence), Some(Cause::DbAuthFailed), "no version was left that setSecret can have gone through for");
    }

    #[test]
    fn before_start_only_what_keeps_the_code_from_loading_is_the_functions() {
        const START: &str = "START RequestId: r1 Version: $LATEST";
        const DENIED: &str = "AccessDeniedException: acme may not read its licence";
        let told = |lines: &[&str]| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::CreateSecret, lines);
            let context = DiagnosisContext::new(&evidence);
            context.failures.last().and_then(|failure| failure.most_specific_line().map(|line| line.classification.cause))
        };
        let import = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'";
        assert_eq!(told(&[DENIED, START]), None);
        assert_eq!(told(&[DENIED, import, START]), Some(Cause::CodeImportError));
        assert_eq!(told(&[START, DENIED]), Some(Cause::IamIdentityPolicyMissing));
        let failed = "INIT_REPORT Init Duration: 20.00 ms\tPhase: init\tStatus: error\tError Type: Extension.Crash";
        assert!(told(&[DENIED, failed, START]).is_some());
    }

    #[test]
    fn a_refused_read_of_a_secret_nobody_asked_for_does_not_hide_what_ended_the_invocation() {
        const REFUSED: &str = "[WARNING] AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:apm/licence-ZyXwVu";
        let told = |lines: &[&str]| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::SetSecret, lines);
            crate::diagnosis::diagnose(&evidence).findings.first().map(|finding| finding.cause)
        };
        assert_eq!(told(&[REFUSED, LINE]), Some(Cause::DbNetworkUnreachable));
        assert_eq!(told(&[REFUSED]), Some(Cause::SuperuserSecretAccessDenied), "it ended the invocation");
        let asked = format!("{REFUSED}\nTraceback (most recent call last):\n    master_dict = get_secret_dict(master_arn)");
        assert_eq!(told(&[&asked, LINE]), Some(Cause::SuperuserSecretAccessDenied));
    }

    #[test]
    fn an_invocation_without_a_mark_is_the_one_that_failed_the_attempt_when_its_log_says_so() {
        let unmarked = |step: RotationStep, line: &str| {
            let mut evidence = healthy();
            fail_unseen(&mut evidence, Some(RotationStep::SetSecret));
            facts(&mut evidence.logs).invocations.push(invocation(hours_ago(1), step, InvocationStatus::Succeeded, &[line]));
            DiagnosisContext::new(&evidence).failures.len()
        };
        assert_eq!(unmarked(RotationStep::SetSecret, LINE), 1);
        assert_eq!(unmarked(RotationStep::SetSecret, "[INFO] setSecret: password set"), 0);
        assert_eq!(unmarked(RotationStep::CreateSecret, LINE), 0, "another step failed");
    }
}
