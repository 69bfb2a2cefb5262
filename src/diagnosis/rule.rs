//! What a rule is.

use super::change_events::ChangeEvents;
use super::context::DiagnosisContext;
use super::verdict::Verdict;
use crate::model::{Cause, StepName, without_version};

/// A pure function from evidence to a verdict about one cause.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The cause it decides.
    pub cause: Cause,
    /// Where in the life of a rotation the cause bites.
    pub stage: Stage,
    /// The steps without whose answer it cannot be ruled out while rotation works.
    pub rests_on: &'static [StepName],
    /// The changes that can produce the cause, the most telling first.
    pub explained_by: &'static [ChangeEvents],
    /// How much the cause says about why rotation fails.
    pub specificity: Specificity,
    /// An official template reports the cause as "Unable to log into database" and nothing else, because it drops the
    /// driver's exception: while that is all the log says, the cause is not ruled out.
    pub hidden_by_login: bool,
    pub evaluate: fn(&DiagnosisContext<'_>) -> Verdict,
}

impl Rule {
    /// The CloudTrail event names that can explain the cause, the most telling first; some may come twice.
    pub fn explaining_events(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.explained_by.iter().flat_map(|events| events.iter().copied())
    }

    /// Whether a change of this kind can produce the cause. Names of events count whatever API version they carry.
    #[must_use]
    pub fn is_explained_by(&self, event: &str) -> bool {
        self.explaining_events().any(|name| without_version(name) == without_version(event))
    }
}

/// How much a cause says about why rotation fails; a vaguer one is a symptom of any that says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Specificity {
    /// Only that nothing happens, or that nothing explains what does.
    Nothing,
    /// How the failure surfaced.
    Surface,
    /// What did not work, not why.
    Effect,
    Defect,
}

/// Where in the life of a rotation a cause bites; an earlier one explains what comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// There is nothing to rotate, or it is rotated elsewhere.
    Subject,
    /// Rotation does not reach the function's code.
    Start,
    /// A step of the function fails, for a reason its lines name.
    Step,
    /// A step of the function fails, for a reason that can only be inferred.
    Inferred,
    /// What a failed rotation leaves behind.
    Aftermath,
    /// A risk, a scope or a remark.
    Remark,
}
