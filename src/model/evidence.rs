//! The nine observations of one investigation.

mod changes;
mod function;
mod permissions;
mod rotation;
mod secret;

pub use changes::{Change, Concern, ConfigChanges, PolicyChange, Refusal, SetAside, Unsearched};
pub use function::{FunctionFacts, FunctionLogs, FunctionMetrics, LogGroupFacts, MetricPoint, VpcConfig};
pub use permissions::{
    DetachedPolicy, KeyFacts, NOT_ASKED_FOR, PolicyDocument, RoleFacts, RolePolicies, SecretAccess, SimulatedDecision, Simulation,
};
pub use rotation::{
    Attempt, AttemptOutcome, DueDates, EventSource, FleetSecret, MetadataItem, RotationConfig, RotationHistory, RotationRules,
};
pub use secret::{HealthEvent, Replica, SecretFacts, SecretVersion};

use super::arn::FunctionArn;
use super::function_code::FunctionCode;
use super::network::Network;
use super::observation::{Observation, StepRecord};
use super::region::{AccountId, Region};
use super::secret_ref::SecretRef;
use super::step::StepName;
use super::window::{Lookback, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// Everything one investigation looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The secret as it was asked for.
    pub asked: SecretRef,
    /// The region that was looked at.
    pub region: Region,
    /// The account, once an answer named it.
    pub account_id: Option<AccountId>,
    /// The moment the investigation calls "now".
    pub now: Timestamp,
    /// How far back steps 4 and 7 looked beside the anchored windows.
    // The name that is stored and told.
    #[serde(rename = "reach")]
    pub lookback: Lookback,
    /// Names like the one that was asked for, when there is no such secret.
    pub near_names: Vec<String>,
    /// Step 1.
    pub secret: StepRecord<SecretFacts>,
    /// Step 2.
    pub rotation_config: StepRecord<RotationConfig>,
    /// Step 3.
    pub function: StepRecord<FunctionFacts>,
    /// Step 4.
    pub logs: StepRecord<FunctionLogs>,
    /// Step 5.
    pub role: StepRecord<RoleFacts>,
    /// Step 6.
    pub history: StepRecord<RotationHistory>,
    /// Step 7.
    pub metrics: StepRecord<FunctionMetrics>,
    /// Step 8.
    pub access: StepRecord<SecretAccess>,
    /// Step 9.
    pub changes: StepRecord<ConfigChanges>,
    /// What the function's log group is, asked where reading it brought nothing.
    #[serde(default = "log_group_unasked")]
    pub log_group: Observation<LogGroupFacts>,
    /// What the function's code shows, where it was to be looked at.
    #[serde(default = "code_unasked")]
    pub function_code: Observation<FunctionCode>,
    /// The network between the function and what it must reach, asked where that can matter.
    #[serde(default = "Network::unasked")]
    pub network: Network,
}

/// Code is looked at only where the configuration or the command line says so.
fn code_unasked<T>() -> Observation<T> {
    Observation::NotApplicable { because: NOT_ASKED_FOR.to_owned() }
}

fn log_group_unasked<T>() -> Observation<T> {
    Observation::NotApplicable { because: "its lines were read".to_owned() }
}

/// A view of one step that forgets the type of its facts.
#[derive(Debug, Clone, Copy)]
pub struct StepView<'a> {
    pub name: StepName,
    pub status: &'static str,
    /// Why there are no facts, for people.
    pub missing: Option<&'a str>,
    /// What the step saw.
    pub summary: &'a str,
    pub calls: &'a [super::observation::ApiCall],
    pub denials: &'a [super::observation::Denial],
    /// The window it looked at.
    pub window: Option<Window>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Evidence {
    /// Evidence in which every step has the same reason for having no facts.
    #[must_use]
    pub fn unseen(
        asked: SecretRef,
        region: Region,
        now: Timestamp,
        lookback: Lookback,
        reason: &Observation<Infallible>,
    ) -> Evidence {
        fn record<T>(now: Timestamp, reason: &Observation<Infallible>) -> StepRecord<T> {
            StepRecord {
                observation: reason.clone().and_then(|never| match never {}),
                window: None,
                calls: Vec::new(),
                denials: Vec::new(),
                summary: String::new(),
                started_at: now,
                duration_ms: 0,
            }
        }
        Evidence {
            asked,
            region,
            account_id: None,
            now,
            lookback,
            near_names: Vec::new(),
            secret: record(now, reason),
            rotation_config: record(now, reason),
            function: record(now, reason),
            logs: record(now, reason),
            role: record(now, reason),
            history: record(now, reason),
            metrics: record(now, reason),
            access: record(now, reason),
            changes: record(now, reason),
            log_group: log_group_unasked(),
            function_code: code_unasked(),
            network: Network::unasked(),
        }
    }

    /// The same, where a step that nobody asked for is one that gave no answer; `None` where all steps were asked for.
    #[must_use]
    pub fn with_unasked_open(&self) -> Option<Evidence> {
        fn open<T>(record: &mut StepRecord<T>, step: StepName) -> bool {
            let is_unasked = matches!(&record.observation, Observation::NotApplicable { because } if because == NOT_ASKED_FOR);
            if is_unasked {
                record.observation = Observation::Failed { error: format!("{step} was not asked for") };
            }
            is_unasked
        }
        let mut evidence = self.clone();
        let opened = [
            open(&mut evidence.secret, StepName::Secret),
            open(&mut evidence.rotation_config, StepName::RotationConfig),
            open(&mut evidence.function, StepName::RotationFunction),
            open(&mut evidence.logs, StepName::FunctionLogs),
            open(&mut evidence.role, StepName::ExecutionRole),
            open(&mut evidence.history, StepName::RotationHistory),
            open(&mut evidence.metrics, StepName::FunctionMetrics),
            open(&mut evidence.access, StepName::SecretAccess),
            open(&mut evidence.changes, StepName::ConfigChanges),
        ];
        opened.contains(&true).then_some(evidence)
    }

    /// The nine steps in order, without the types of their facts.
    #[must_use]
    pub fn steps(&self) -> [StepView<'_>; 9] {
        fn view<T>(name: StepName, record: &StepRecord<T>) -> StepView<'_> {
            StepView {
                name,
                status: record.observation.status(),
                missing: match &record.observation {
                    Observation::NoData { searched: why }
                    | Observation::Failed { error: why }
                    | Observation::NotApplicable { because: why } => Some(why),
                    _ => None,
                },
                summary: &record.summary,
                calls: &record.calls,
                denials: &record.denials,
                window: record.window,
                duration_ms: record.duration_ms,
            }
        }
        [
            view(StepName::Secret, &self.secret),
            view(StepName::RotationConfig, &self.rotation_config),
            view(StepName::RotationFunction, &self.function),
            view(StepName::FunctionLogs, &self.logs),
            view(StepName::ExecutionRole, &self.role),
            view(StepName::RotationHistory, &self.history),
            view(StepName::FunctionMetrics, &self.metrics),
            view(StepName::SecretAccess, &self.access),
            view(StepName::ConfigChanges, &self.changes),
        ]
    }

    /// The function rotation uses, from the function step or the configuration.
    #[must_use]
    pub fn function_arn(&self) -> Option<&FunctionArn> {
        self.rotation_config.found().and_then(|config| config.function_arn.as_ref())
    }
}
