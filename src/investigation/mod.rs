//! The engine: collect, redact, diagnose, and look again where that helps.

mod next_look;
pub mod render;
pub mod report;

pub use report::Report;

use crate::aws::Aws;
use crate::clock::{Clock, Stopwatch};
use crate::diagnosis::diagnose;
use crate::model::{Diagnosis, Evidence, Observation, Reach, SecretRef, StepName};
use crate::playbook::{self, Progress, Request};
use crate::redact::Redactor;
use next_look::NextLook;
use std::collections::BTreeSet;
use std::time::Duration;

/// Three widenings, and one search for the change behind the cause that was found; one more for a cause found late.
const MOST_LOOKS: usize = 5;

/// What to investigate, and how far.
#[derive(Debug, Clone)]
pub struct Options {
    /// The secret.
    pub asked: SecretRef,
    /// How far back to look; `None` begins with 24 hours and widens by itself.
    pub reach: Option<Reach>,
    /// The only steps to perform, with what they depend on; empty means all nine.
    pub steps: BTreeSet<StepName>,
    /// How long one step may take.
    pub step_deadline: Duration,
    /// How long the whole investigation may take; then it reports what it has.
    pub total_deadline: Duration,
}

impl Options {
    /// All nine steps, widening by itself: 10 seconds per step, 60 in all.
    #[must_use]
    pub fn new(asked: SecretRef) -> Options {
        Options {
            asked,
            reach: None,
            steps: BTreeSet::new(),
            step_deadline: playbook::STEP_DEADLINE,
            total_deadline: playbook::TOTAL_DEADLINE,
        }
    }
}

/// One run over one secret.
#[derive(Debug, Clone)]
pub struct Investigation {
    /// An id nobody can guess.
    pub id: String,
    /// What was seen, redacted.
    pub evidence: Evidence,
    /// What follows from it.
    pub diagnosis: Diagnosis,
    /// How many calls AWS was asked in all passes.
    pub api_calls: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Investigates one secret. It never fails: what could not be looked at is part of the result.
pub async fn investigate(aws: &Aws, clock: &Clock, options: &Options, progress: &dyn Progress) -> Investigation {
    let stopwatch = Stopwatch::start();
    let mut request = Request::new(options.asked.clone(), options.reach.unwrap_or_default());
    request.deadline_per_step = options.step_deadline;
    request.total_deadline = options.total_deadline;
    let mut looked = BTreeSet::from(StepName::ALL);
    if !options.steps.is_empty() {
        let unasked = Observation::NotApplicable { because: "not asked for".to_owned() };
        let blank = Evidence::unseen(options.asked.clone(), aws.region().to_owned(), clock.now(), request.reach, &unasked);
        looked = with_needs(&options.steps);
        request.rerun = Some((blank, looked.clone()));
    }
    let mut evidence = look(aws, clock, &request, progress).await;
    let mut api_calls = calls(&evidence, &looked);
    let mut diagnosis = diagnose(&evidence);

    for _ in 0..MOST_LOOKS {
        let remaining = options.total_deadline.saturating_sub(stopwatch.elapsed());
        let Some(next) = NextLook::after(&evidence, &diagnosis, options).filter(|_| !remaining.is_zero()) else { break };
        let steps = next.steps();
        request.reach = next.reach.unwrap_or(request.reach);
        request.change_events = next.change_events;
        request.total_deadline = remaining;
        request.rerun = Some((evidence, steps.clone()));
        evidence = look(aws, clock, &request, progress).await;
        api_calls += calls(&evidence, &steps);
        diagnosis = diagnose(&evidence);
    }
    Investigation {
        id: uuid::Uuid::new_v4().simple().to_string(),
        evidence,
        diagnosis,
        api_calls,
        duration_ms: u64::try_from(stopwatch.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// The steps with those whose facts they start from: the secret, its configuration, the function.
fn with_needs(asked: &BTreeSet<StepName>) -> BTreeSet<StepName> {
    let mut steps = asked.clone();
    steps.insert(StepName::Secret);
    if steps.len() > 1 {
        steps.insert(StepName::RotationConfig);
    }
    let function = [
        StepName::FunctionLogs,
        StepName::ExecutionRole,
        StepName::FunctionMetrics,
        StepName::SecretAccess,
        StepName::ConfigChanges,
    ];
    if function.iter().any(|step| steps.contains(step)) {
        steps.insert(StepName::RotationFunction);
    }
    if steps.contains(&StepName::FunctionLogs) || steps.contains(&StepName::ConfigChanges) {
        steps.insert(StepName::RotationHistory);
    }
    steps
}

/// Collects, and keeps nothing that was not redacted.
async fn look(aws: &Aws, clock: &Clock, request: &Request, progress: &dyn Progress) -> Evidence {
    let seen = playbook::collect(aws, clock, request, progress).await;
    let (asked, region, now) = (seen.asked.clone(), seen.region.clone(), seen.now);
    match Redactor::default().redact_strings(seen) {
        Ok((evidence, _)) => evidence,
        Err(error) => {
            let withheld = Observation::Failed { error: format!("withheld, because it could not be redacted: {error}") };
            Evidence::unseen(asked, region, now, request.reach, &withheld)
        }
    }
}

fn calls(evidence: &Evidence, steps: &BTreeSet<StepName>) -> usize {
    evidence.steps().iter().filter(|view| steps.contains(&view.name)).map(|view| view.calls.len()).sum()
}
