//! What one layer of policies allows, by which statement, and what that depends on.

use super::{Truth, effect::Effect};
use std::collections::BTreeSet;

/// The layer that decided: the one that allows or denies, whose allow is missing, or that leaves the
/// answer open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The role's own policies.
    IdentityPolicy,
    /// The role's permissions boundary.
    PermissionsBoundary,
    /// The policy of the secret, the function or the key.
    ResourcePolicy,
}

/// The statement that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRef {
    /// The name its policy was parsed under.
    pub policy: String,
    /// Its `Sid`, where it has one.
    pub sid: Option<String>,
    /// Its place in the policy, counted from zero.
    pub index: usize,
    pub effect: Effect,
}

impl std::fmt::Display for StatementRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.sid {
            Some(sid) => write!(f, "statement {sid} of {}", self.policy),
            None => write!(f, "statement {} of {}", self.index, self.policy),
        }
    }
}

/// Whether something is allowed, by which statement, and what that depends on.
///
/// Invariant: `by` is `None` exactly where `truth` is `False`; `missing` is empty unless `truth` is
/// `Unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) layer: Layer,
    pub(super) truth: Truth,
    pub(super) by: Option<StatementRef>,
    pub(super) missing: BTreeSet<String>,
}

impl Grant {
    /// Nothing is allowed, for want of an allow in `layer`.
    pub(super) fn none(layer: Layer) -> Grant {
        Grant { layer, truth: Truth::False, by: None, missing: BTreeSet::new() }
    }

    /// Takes in one more statement of the layer, which allows as far as `truth` says.
    pub(super) fn add(&mut self, truth: Truth, missing: &BTreeSet<String>, by: impl Fn() -> StatementRef) {
        match (self.truth, truth) {
            (Truth::True, _) | (_, Truth::False) => {}
            (_, Truth::True) => {
                self.truth = Truth::True;
                self.by = Some(by());
                self.missing.clear();
            }
            (_, Truth::Unknown) => {
                self.truth = Truth::Unknown;
                self.by.get_or_insert_with(by);
                self.missing.extend(missing.iter().cloned());
            }
        }
    }

    fn merged(mut self, other: Grant) -> Grant {
        self.missing.extend(other.missing);
        self
    }

    /// Both must allow. Names the one that does not, or may not.
    pub(super) fn and(self, other: Grant) -> Grant {
        match (self.truth, other.truth) {
            (Truth::False, _) | (Truth::True, Truth::True) | (Truth::Unknown, Truth::True) => self,
            (_, Truth::False) | (Truth::True, Truth::Unknown) => other,
            (Truth::Unknown, Truth::Unknown) => self.merged(other),
        }
    }

    /// Either may allow. Where neither does, names the latter.
    pub(super) fn or(self, other: Grant) -> Grant {
        match (self.truth, other.truth) {
            (Truth::True, _) | (Truth::Unknown, Truth::False) => self,
            (_, Truth::True) | (Truth::False, _) => other,
            (Truth::Unknown, Truth::Unknown) => self.merged(other),
        }
    }
}
