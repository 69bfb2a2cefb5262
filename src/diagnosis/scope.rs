//! What a rule must know before its own question makes sense: is there a rotation function at all, and who can say.

use super::context::DiagnosisContext;
use super::correlate::who;
use super::verdict::Verdict;
use crate::model::{Change, Concern, EventSource, Proof, RotationConfig, SecretFacts, StepName};
use jiff::Timestamp;

/// Why a rule about the rotation function has nothing to say.
const NO_FUNCTION: &str = "this secret is not rotated by a function";

const DESCRIBE_SECRET: &str = "secretsmanager:DescribeSecret";

impl DiagnosisContext<'_> {
    /// True where `because` only says that there is nothing to look at here: of a secret that does not exist, is being
    /// deleted or rotates in another region, nothing that rotation depends on was looked at, and nothing of it is ruled out.
    #[must_use]
    pub fn is_elsewhere(&self, because: &str) -> bool {
        let rotates_elsewhere = |secret: &SecretFacts| secret.deleted_at.is_some() || secret.is_replica();
        self.evidence.secret.observation.is_empty() || (because == NO_FUNCTION && self.secret().is_some_and(rotates_elsewhere))
    }

    /// The verdict of a rule about the rotation function where none is at work, or where that cannot be told.
    #[must_use]
    pub fn without_function(&self) -> Option<Verdict> {
        if let Some(missing) = self.evidence.rotation_config.observation.missing() {
            return Some(Verdict::unknown(missing));
        }
        (!self.rotates_by_function()).then(|| Verdict::clear(NO_FUNCTION))
    }

    /// The verdict of a rule about the rotation configuration where there is none, or it could not be looked at.
    #[must_use]
    pub fn without_config(&self) -> Option<Verdict> {
        match (self.config(), self.evidence.rotation_config.observation.missing()) {
            (Some(_), _) => None,
            (None, Some(missing)) => Some(Verdict::unknown(missing)),
            (None, None) => Some(Verdict::clear("there is no rotation configuration")),
        }
    }

    /// The verdict of a rule about the secret itself where it was not found, or could not be looked at.
    #[must_use]
    pub fn without_secret(&self) -> Option<Verdict> {
        match (self.secret(), self.evidence.secret.observation.missing()) {
            (Some(_), _) => None,
            (None, Some(missing)) => Some(Verdict::unknown(missing)),
            (None, None) => Some(Verdict::clear("there is no such secret")),
        }
    }

    /// What of the rotation history stayed unseen, so that the absence of an attempt proves nothing.
    #[must_use]
    pub fn history_gap(&self) -> Option<String> {
        match self.evidence.history.found() {
            Some(history) if !history.complete => Some("the rest of the rotation history: the search was cut short".to_owned()),
            Some(_) => None,
            None => self.evidence.history.observation.missing(),
        }
    }

    /// The newest change of one of these kinds to what `concerns` names.
    #[must_use]
    pub fn last_change(&self, concerns: Concern, events: &[&str]) -> Option<&Change> {
        let changes = self.evidence.changes.found()?;
        changes
            .changes
            .iter()
            .rev()
            .find(|change| change.concerns == concerns && events.iter().any(|event| change.event.starts_with(event)))
    }

    /// A change as proof.
    #[must_use]
    pub fn change_proof(&self, change: &Change) -> Proof {
        let text = format!("{} by {} on {}", change.event, who(change), change.resource);
        Proof::of(StepName::ConfigChanges, self.changes_call(), text).at(Some(change.at))
    }

    /// The call step 9 got its events from.
    #[must_use]
    pub fn changes_call(&self) -> &'static str {
        self.evidence.changes.found().map_or(EventSource::EventHistory.call(), |changes| changes.source.call())
    }

    /// What DescribeSecret says about the secret, as proof.
    #[must_use]
    pub fn secret_proof(&self, text: impl Into<String>) -> Proof {
        Proof::of(StepName::Secret, DESCRIBE_SECRET, text)
    }

    /// What DescribeSecret says about rotation, as proof.
    #[must_use]
    pub fn config_proof(&self, text: impl Into<String>) -> Proof {
        Proof::of(StepName::RotationConfig, DESCRIBE_SECRET, text)
    }
}

impl RotationConfig {
    /// True when any field remains of a rotation that was set up.
    #[must_use]
    pub fn was_set_up(&self) -> bool {
        self.enabled.is_some() || self.function_arn.is_some() || self.rules.is_some() || self.last_rotated_at.is_some()
    }
}

impl Proof {
    /// A fact without a time of its own, as `call` answered it.
    pub(crate) fn of(step: StepName, call: &str, text: impl Into<String>) -> Proof {
        Proof { step, call: call.to_owned(), at: None, text: text.into() }
    }

    /// The same fact, with when it happened.
    pub(crate) fn at(self, at: Option<Timestamp>) -> Proof {
        Proof { at, ..self }
    }
}
