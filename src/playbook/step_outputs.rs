//! Where a step puts what other steps wait for.

use super::secret::Described;
use crate::model::{FunctionCode, FunctionFacts, LogGroupFacts, Observation, RoleFacts, RotationHistory, SecretVersion};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::SetOnce;

/// What steps wait for from one another. Each is set at the latest when its step ends, however it ends,
/// and stays as it was first set.
#[derive(Debug, Default)]
pub(super) struct StepOutputs {
    /// From step 1: what DescribeSecret answered.
    pub(super) subject: SetOnce<Observation<Arc<Described>>>,
    /// From step 1: the versions, with the creation date of a pending one.
    pub(super) versions: SetOnce<Vec<SecretVersion>>,
    /// From step 1: names like the one asked for.
    pub(super) near_names: SetOnce<Vec<String>>,
    /// From step 3.
    pub(super) function: SetOnce<Observation<Arc<FunctionFacts>>>,
    /// From step 3: what the function's code shows, where it was to be looked at.
    pub(super) code: SetOnce<Observation<FunctionCode>>,
    /// From step 4: what the log group is, where reading it brought nothing.
    pub(super) log_group: SetOnce<Observation<LogGroupFacts>>,
    /// From step 4: when the last invocation in the log began.
    pub(super) last_run: SetOnce<Option<Timestamp>>,
    /// From step 5.
    pub(super) role: SetOnce<Observation<Arc<RoleFacts>>>,
    /// From step 6.
    pub(super) history: SetOnce<Observation<Arc<RotationHistory>>>,
}
