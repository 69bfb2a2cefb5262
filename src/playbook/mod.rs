//! The nine steps: each asks AWS its questions and brings an observation; the runner performs them concurrently.
//!
//! A step starts as soon as what it needs is known, has its own deadline, and never fails the investigation: a panic, a
//! refusal and an expired deadline are observations like any other.

mod attempts;
mod call_budget;
mod change_search;
mod config_changes;
mod consumers;
mod databases;
mod detached_policies;
mod due;
mod events;
mod execution_role;
pub mod find;
mod function_code;
mod function_logs;
mod function_metrics;
mod health;
mod json_search;
mod kept_parameters;
mod kms_key;
mod log_windows;
mod needs;
mod network;
mod policy_change;
pub mod preflight;
mod relevance;
mod role_policies;
mod rotation_config;
mod rotation_function;
mod rotation_history;
mod runner;
mod secret;
mod secret_access;
mod step_outputs;
mod text;
mod trail_actor;
mod trail_event;

use crate::aws::Aws;
use crate::clock::Clock;
use crate::model::{
    DatabaseRef, Evidence, FunctionArn, Investigation, Lookback, NetworkLook, Observation, SecretRef, StepName, Window,
};
pub use call_budget::NetworkBudget;
pub use consumers::{ConsumersLook, consumers};
pub use function_code::CodeChoice;
use futures::future::BoxFuture;
pub use needs::with_needs;
use secret::Described;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use step_outputs::StepOutputs;

/// How long one step may take.
pub const STEP_DEADLINE: Duration = Duration::from_secs(10);

/// How long all steps together may take.
pub const TOTAL_DEADLINE: Duration = Duration::from_secs(60);

/// How many event names are searched for a change, in each region: at two look-ups a second, three seconds' worth.
pub const MAX_LOOK_UPS: usize = 6;

/// What to look at.
#[derive(Debug, Clone)]
pub struct PlaybookRequest {
    pub asked: SecretRef,
    /// How far back to look beside the anchored windows.
    pub lookback: Lookback,
    /// How long one step may take, from when what it needs is known.
    pub deadline_per_step: Duration,
    /// How long all steps together may take.
    pub total_deadline: Duration,
    /// Evidence of an earlier run, and the steps to perform again; the other observations are kept.
    pub rerun: Option<(Evidence, BTreeSet<StepName>)>,
    /// Event names step 9 searches over its whole window, the most telling first, in addition to the time before the first
    /// failure.
    pub change_events: Vec<String>,
    /// How many look-ups in a region's event history that search may cost.
    pub most_look_ups: usize,
    /// Whether step 3 looks into the function's code, and whose copy of it.
    pub code: CodeChoice,
    /// The database the secret is for, where somebody said so.
    pub database: Option<DatabaseRef>,
}

impl PlaybookRequest {
    /// A first look at `asked`, with the default deadlines.
    #[must_use]
    pub fn new(asked: SecretRef, lookback: Lookback) -> PlaybookRequest {
        PlaybookRequest {
            asked,
            lookback,
            deadline_per_step: STEP_DEADLINE,
            total_deadline: TOTAL_DEADLINE,
            rerun: None,
            change_events: Vec::new(),
            most_look_ups: MAX_LOOK_UPS,
            code: CodeChoice::default(),
            database: None,
        }
    }
}

/// Who watches the steps begin and end.
pub trait Progress: Send + Sync {
    /// A step begins: what it needs is known.
    fn started(&self, step: StepName);
    /// A step has ended. `status` is the observation's kind in snake case, `summary` one line for people.
    fn finished(&self, step: StepName, status: &'static str, summary: &str);
    /// True where somebody waits for what is known early.
    fn is_waiting(&self) -> bool {
        false
    }
    /// All is known but what event history has to tell. It is not redacted, and not for people.
    fn seen_early(&self, _evidence: &Evidence) {}
    /// What is known decides already; what follows can only add to it.
    fn decided_early(&self, _investigation: &Investigation) {}
}

/// Nobody watches.
impl Progress for () {
    fn started(&self, _: StepName) {}
    fn finished(&self, _: StepName, _: &'static str, _: &str) {}
}

/// Performs the nine steps. It always returns, at the latest at the total deadline, with an observation for each step.
pub async fn collect(aws: &Aws, clock: &Clock, request: &PlaybookRequest, progress: &dyn Progress) -> Evidence {
    runner::collect(aws, clock, request, progress).await
}

/// Looks at the network, and adds what it saw to the evidence: facts, calls and missing permissions. `request` says for how
/// long, and whether somebody looks again who has changed something; `budget` is that of all looks of one investigation.
pub fn look_at_network<'a>(
    aws: &'a Aws,
    clock: &'a Clock,
    request: &'a PlaybookRequest,
    evidence: Evidence,
    look: &'a NetworkLook,
    budget: &'a NetworkBudget,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Evidence> {
    Box::pin(network::look(aws, clock, request, evidence, look, budget, progress))
}

/// Reads policies that were detached from the role, and adds what they say to the evidence.
pub fn read_detached<'a>(
    aws: &'a Aws,
    clock: &'a Clock,
    request: &'a PlaybookRequest,
    evidence: Evidence,
    policies: &'a [String],
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Evidence> {
    Box::pin(detached_policies::read(aws, clock, request, evidence, policies, progress))
}

/// What all steps of one investigation see.
struct StepContext<'a> {
    aws: &'a Aws,
    clock: &'a Clock,
    request: &'a PlaybookRequest,
    progress: &'a dyn Progress,
    /// The moment the investigation calls "now".
    now: jiff::Timestamp,
    total_deadline: tokio::time::Instant,
    board: StepOutputs,
    trail: events::SharedTrail,
}

/// What a step saw.
#[derive(Debug)]
struct StepResult<T> {
    observation: Observation<T>,
    window: Option<Window>,
    /// One line for people; where empty, the runner says why there are no facts.
    summary: String,
}

impl<T> From<Observation<T>> for StepResult<T> {
    fn from(observation: Observation<T>) -> StepResult<T> {
        StepResult { observation, window: None, summary: String::new() }
    }
}

/// Why nothing rotates here that could be looked at: no such secret, or it rotates elsewhere, later or never.
fn not_here(described: &Described) -> Option<String> {
    let facts = &described.facts;
    match (&facts.primary_region, facts.deleted_at) {
        (Some(primary), _) if facts.is_replica() => Some(format!("this is a replica; the secret rotates in {primary}")),
        (_, Some(_)) => Some("the secret is scheduled for deletion".to_owned()),
        _ => None,
    }
}

/// The rotation function, or why there is none to look at.
fn function_of(subject: &Observation<Arc<Described>>) -> Observation<FunctionArn> {
    present(subject).and_then(|described| {
        let (facts, config) = (&described.facts, &described.config);
        let because = match (not_here(&described), &config.function_arn) {
            (Some(because), _) => because,
            (None, Some(arn)) => return Observation::Found(arn.clone()),
            (None, None) => match (&facts.owning_service, &facts.secret_type) {
                (Some(owner), _) => format!("{owner} rotates this secret itself; there is no function by design"),
                (None, Some(partner)) => {
                    format!("Secrets Manager rotates this secret in the system of {partner}; there is no function by design")
                }
                (None, None) if config.external_role_arn.is_some() => {
                    "Secrets Manager rotates this secret in a partner's system; there is no function by design".to_owned()
                }
                (None, None) => "no rotation function is configured".to_owned(),
            },
        };
        Observation::NotApplicable { because }
    })
}

/// The secret, or why nothing about it can be asked.
fn present(subject: &Observation<Arc<Described>>) -> Observation<Arc<Described>> {
    match subject {
        Observation::NoData { .. } => Observation::NotApplicable { because: "there is no such secret".to_owned() },
        other => other.clone(),
    }
}

/// An outcome without facts, carried over to a question that rests on it.
fn carried<T, U>(unanswered: Observation<T>) -> Observation<U> {
    unanswered.and_then(|_| Observation::Failed { error: "an answer was there, but not used".to_owned() })
}
