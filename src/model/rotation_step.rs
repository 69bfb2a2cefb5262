//! The four steps Secrets Manager asks a rotation function to perform.

use serde::{Deserialize, Serialize};

/// A rotation step, in the order Secrets Manager invokes them.
///
/// Source: Secrets Manager User Guide, "Lambda rotation functions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RotationStep {
    /// Creates the new version and labels it AWSPENDING.
    #[serde(rename = "createSecret")]
    CreateSecret,
    /// Sets the new value in the database or service.
    #[serde(rename = "setSecret")]
    SetSecret,
    /// Logs in with the new value.
    #[serde(rename = "testSecret")]
    TestSecret,
    /// Moves AWSCURRENT to the new version.
    #[serde(rename = "finishSecret")]
    FinishSecret,
}

impl RotationStep {
    /// The four steps in order.
    pub const ALL: [RotationStep; 4] =
        [RotationStep::CreateSecret, RotationStep::SetSecret, RotationStep::TestSecret, RotationStep::FinishSecret];

    /// AWS's own spelling.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RotationStep::CreateSecret => "createSecret",
            RotationStep::SetSecret => "setSecret",
            RotationStep::TestSecret => "testSecret",
            RotationStep::FinishSecret => "finishSecret",
        }
    }

    /// The step with AWS's spelling `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<RotationStep> {
        RotationStep::ALL.into_iter().find(|step| step.name() == name)
    }
}

impl std::fmt::Display for RotationStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
