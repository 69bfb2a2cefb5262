//! The nine steps of the playbook.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A playbook step. The numbers are those of the runbook teams already follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// 1: the secret itself, and the health of the services.
    Secret,
    /// 2: whether, how and when it rotates.
    RotationConfig,
    /// 3: the rotation function.
    RotationFunction,
    /// 4: what the function wrote.
    FunctionLogs,
    /// 5: what the function's role may do.
    ExecutionRole,
    /// 6: rotation attempts and staging labels.
    RotationHistory,
    /// 7: how often the function ran, failed and was throttled.
    FunctionMetrics,
    /// 8: who may invoke the function and use the secret and its key.
    SecretAccess,
    /// 9: who changed what, when.
    ConfigChanges,
}

impl StepName {
    /// The nine steps in the runbook's order.
    pub const ALL: [StepName; 9] = [
        StepName::Secret,
        StepName::RotationConfig,
        StepName::RotationFunction,
        StepName::FunctionLogs,
        StepName::ExecutionRole,
        StepName::RotationHistory,
        StepName::FunctionMetrics,
        StepName::SecretAccess,
        StepName::ConfigChanges,
    ];

    /// 1 to 9.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The step with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<StepName> {
        StepName::ALL.into_iter().find(|step| step.number() == number)
    }

    /// The name in snake case, as reports and file names write it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            StepName::Secret => "secret",
            StepName::RotationConfig => "rotation_config",
            StepName::RotationFunction => "rotation_function",
            StepName::FunctionLogs => "function_logs",
            StepName::ExecutionRole => "execution_role",
            StepName::RotationHistory => "rotation_history",
            StepName::FunctionMetrics => "function_metrics",
            StepName::SecretAccess => "secret_access",
            StepName::ConfigChanges => "config_changes",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            StepName::Secret => "secret",
            StepName::RotationConfig => "rotation config",
            StepName::RotationFunction => "rotation function",
            StepName::FunctionLogs => "function logs",
            StepName::ExecutionRole => "execution role",
            StepName::RotationHistory => "rotation history",
            StepName::FunctionMetrics => "function metrics",
            StepName::SecretAccess => "secret access",
            StepName::ConfigChanges => "config changes",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} · {}", self.number(), self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_numbered_one_to_nine_in_order() {
        assert_eq!(StepName::ALL.map(StepName::number), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(StepName::from_number(4), Some(StepName::FunctionLogs));
        assert_eq!(StepName::from_number(0), None);
        assert_eq!(StepName::FunctionLogs.to_string(), "step 4 · function logs");
        assert!(StepName::ALL.iter().all(|step| step.label() == step.id().replace('_', " ")));
    }
}
