//! What the role of a rotation needs, and what policies say of it.

use super::signatures::AccessDenied;
use crate::model::{Proof, RotationStep};

/// Something the function's role must be allowed to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Need {
    pub(super) action: &'static str,
    /// The resource's ARN; `*` for an action that takes none.
    pub(super) resource: String,
    pub(super) target: Target,
    /// The rotation steps that fail without it.
    pub(super) steps: &'static [RotationStep],
}

/// What a need is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Secret,
    RandomPassword,
    SecretKey,
    EnvironmentKey,
    Network,
    /// The administrator's secret that a partner's metadata names.
    AdminSecret,
}

/// What the policies say of a need.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NeedState {
    Allowed,
    Stopped(Box<Stop>),
    /// It cannot be told; names what is missing.
    Open(String),
}

impl NeedState {
    /// The need that policies stop.
    pub(super) fn stop(&self) -> Option<&Stop> {
        match self {
            NeedState::Stopped(stop) => Some(stop),
            _ => None,
        }
    }
}

/// A need that policies stop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stop {
    pub(super) need: Need,
    /// The refusal AWS would print.
    pub(super) denied: AccessDenied,
    pub(super) proof: Proof,
    /// What stayed unseen and could allow it after all.
    pub(super) doubt: Option<String>,
}
