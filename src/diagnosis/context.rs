//! The evidence, read once for all rules: what fails, since when, and what the failing invocations say.

mod failure;
mod log_match;
mod reading;

pub use failure::{Attribution, ClassifiedLine, Failure};
pub use log_match::LogMatch;

use super::behind::Behind;
use super::need::{Need, NeedState};
use crate::model::{
    Attempt, AttemptOutcome, Cause, Confidence, EventSource, Evidence, FailureRow, Finding, FunctionFacts, Proof, Remediation,
    RoleArn, RotationConfig, RotationStep, SecretFacts, Severity, StepName,
};
use jiff::{SignedDuration, Timestamp};
use std::cell::OnceCell;

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
    pub(super) standings: OnceCell<Vec<(Need, NeedState)>>,
    pub(super) behind: OnceCell<Behind>,
}

impl<'a> DiagnosisContext<'a> {
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
        self.failing.is_some() || self.is_overdue() || self.stuck_pending_version().is_some()
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
    pub fn stuck_pending_version(&self) -> Option<&'a crate::model::SecretVersion> {
        let pending = self.secret()?.pending_version()?;
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

    /// A finding about `cause` with its title, as severe as the state of rotation makes it.
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
            title: self.behind().title(cause),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{attempt, facts, fail, healthy, hours_ago};
    use crate::model::Observation;

    const LINE: &str = "setSecret failed: dial tcp 10.1.2.3:5432: connect: connection refused";

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
    fn a_rotation_under_way_is_not_overdue() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).due.overdue_since = Some(hours_ago(0));
        assert!(DiagnosisContext::new(&evidence).is_overdue());
        facts(&mut evidence.history).attempts.push(attempt(hours_ago(0), AttemptOutcome::Started));
        assert!(!DiagnosisContext::new(&evidence).is_overdue());
    }
}
