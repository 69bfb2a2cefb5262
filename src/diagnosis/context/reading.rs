//! The evidence, read once: which invocations failed in this secret's rotation, and since when it fails.

use super::{Attribution, ClassifiedLine, DiagnosisContext, Failure, ROTATION_IN_PROGRESS};
use crate::diagnosis::signatures::{self, LineSpecificity};
use crate::lambda_log::{Platform, Record};
use crate::model::spans::{ATTEMPT_SPAN, CLOCK_TOLERANCE};
use crate::model::{Attempt, AttemptOutcome, Cause, Evidence, FailureRow, Invocation, InvocationStatus, RotationStep, Window};
use jiff::{SignedDuration, Timestamp};
use std::cell::OnceCell;

/// How late an event may reach CloudTrail. Source: CloudTrail User Guide: on average within about 5 minutes, not guaranteed.
const EVENT_DELAY: SignedDuration = SignedDuration::from_mins(20);

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

impl<'a> DiagnosisContext<'a> {
    /// Reads the evidence.
    #[must_use]
    pub fn new(evidence: &'a Evidence) -> DiagnosisContext<'a> {
        let mut context = DiagnosisContext {
            evidence,
            failing: None,
            last_success_at: None,
            failures: Vec::new(),
            standings: OnceCell::new(),
            behind: OnceCell::new(),
        };
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
        let around = Window::around(at, ROTATION_IN_PROGRESS, CLOCK_TOLERANCE);
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
        let Some(pending) = self.stuck_pending_version() else { return failures };
        let is_of_pending = |failure: &&Failure<'a>| pending.created_at.is_none_or(|made| made <= failure.invocation.started_at);
        let is_after_set = |failure: &&Failure<'a>| failure.step.is_some_and(|step| step > RotationStep::SetSecret);
        let Some(after) = failures.iter().find(|one| is_of_pending(one) && is_after_set(one)) else { return failures };
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
                        .is_some_and(|read| read.classification.specificity > LineSpecificity::Timeout)
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
            && self.stuck_pending_version().is_none()
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
        let telling = |line: &&ClassifiedLine<'_>| line.classification.specificity > LineSpecificity::Marker;
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
        from: invocation.started_at.checked_sub(CLOCK_TOLERANCE).unwrap_or(Timestamp::MIN),
        to: invocation.ended_at.unwrap_or(invocation.started_at).checked_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX),
    };
    attempts.find(|attempt| {
        let Some(end) = attempt.ended_at else { return false };
        let start = attempt.started_at.or_else(|| end.checked_sub(ATTEMPT_SPAN).ok()).unwrap_or(end);
        matches!(attempt.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned)
            && span.overlaps(&Window { from: start, to: end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{attempt, facts, fail, fail_unseen, healthy, hours_ago, invocation};

    const LINE: &str = "setSecret failed: dial tcp 10.1.2.3:5432: connect: connection refused";

    fn stored_by_hand() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[LINE, "REPORT RequestId: r1\tDuration: 900.00 ms\tStatus: error"]);
        facts(&mut evidence.rotation_config).last_rotated_at = Some(hours_ago(0));
        evidence
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
        let cause_of = |lines: &[&str]| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::CreateSecret, lines);
            let context = DiagnosisContext::new(&evidence);
            context.failures.last().and_then(|failure| failure.most_specific_line().map(|line| line.classification.cause))
        };
        let import = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'";
        assert_eq!(cause_of(&[DENIED, START]), None);
        assert_eq!(cause_of(&[DENIED, import, START]), Some(Cause::CodeImportError));
        assert_eq!(cause_of(&[START, DENIED]), Some(Cause::IamIdentityPolicyMissing));
        let failed = "INIT_REPORT Init Duration: 20.00 ms\tPhase: init\tStatus: error\tError Type: Extension.Crash";
        assert!(cause_of(&[DENIED, failed, START]).is_some());
    }

    #[test]
    fn a_refused_read_of_a_secret_nobody_asked_for_does_not_hide_what_ended_the_invocation() {
        const REFUSED: &str = "[WARNING] AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:apm/licence-ZyXwVu";
        let cause_of = |lines: &[&str]| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::SetSecret, lines);
            crate::diagnosis::diagnose(&evidence).findings.first().map(|finding| finding.cause)
        };
        assert_eq!(cause_of(&[REFUSED, LINE]), Some(Cause::DbNetworkUnreachable));
        assert_eq!(cause_of(&[REFUSED]), Some(Cause::SuperuserSecretAccessDenied), "it ended the invocation");
        let asked = format!("{REFUSED}\nTraceback (most recent call last):\n    master_dict = get_secret_dict(master_arn)");
        assert_eq!(cause_of(&[&asked, LINE]), Some(Cause::SuperuserSecretAccessDenied));
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
