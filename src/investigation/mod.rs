//! The engine: collect, redact, diagnose, and look again where the diagnosis says that it would help.

use crate::aws::Aws;
use crate::clock::{Clock, Stopwatch};
use crate::diagnosis::{foretell, judge, may_come_of_a_change};
use crate::model::{
    Cause, Confidence, DatabaseRef, Diagnosis, Evidence, Finding, FollowUp, Investigation, InvestigationId, Lookback,
    NOT_ASKED_FOR, Network, Observation, Outcome, SecretRef, Severity, StepName,
};
use crate::playbook::{self, CodeChoice, ConsumersLook, NetworkBudget, PlaybookRequest, Progress};
use crate::redact::Redactor;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Three widenings, a look at the network, one more over a transit gateway, one search for the change behind the cause that was
/// found, and a look at what that took away; one search more for a cause found late, or where the change took nothing.
const MAX_LOOKS: usize = 8;

/// How many look-ups in a region's event history are spent on the author of the change behind a cause that is confirmed
/// without it.
const LOOK_UPS_FOR_A_PROVEN_CAUSE: usize = 4;

/// What to investigate, and how far.
#[derive(Debug, Clone)]
pub struct Options {
    pub asked: SecretRef,
    /// How far back to look; `None` begins with 24 hours and widens by itself.
    pub lookback: Option<Lookback>,
    /// The only steps to perform; empty means all nine. Without an earlier run, what they depend on is performed too.
    pub steps: BTreeSet<StepName>,
    /// The evidence of an earlier run, kept for the steps that are not performed.
    pub previous: Option<Evidence>,
    /// How long one step may take.
    pub step_deadline: Duration,
    /// How long the whole investigation may take; then it reports what it has.
    pub total_deadline: Duration,
    /// Whether the function's code is looked at, and whose copy of it.
    pub code: CodeChoice,
    /// Whether it is looked up afterwards who reads the secret.
    pub consumers: bool,
    /// The database the secret is for, where somebody said so.
    pub database: Option<DatabaseRef>,
}

impl Options {
    /// All nine steps, widening by itself: 10 seconds per step, 60 in all.
    #[must_use]
    pub fn new(asked: SecretRef) -> Options {
        Options {
            asked,
            lookback: None,
            steps: BTreeSet::new(),
            previous: None,
            step_deadline: playbook::STEP_DEADLINE,
            total_deadline: playbook::TOTAL_DEADLINE,
            code: CodeChoice::default(),
            consumers: false,
            database: None,
        }
    }

    /// One step again; the other observations of the earlier run are kept.
    #[must_use]
    pub fn rerun_step(previous: Evidence, step: StepName) -> Options {
        Options { lookback: Some(previous.lookback), steps: BTreeSet::from([step]), ..Options::on(previous) }
    }

    /// The steps that see more in a wider window, over that window; the other observations of the earlier run are kept.
    #[must_use]
    pub fn widen(previous: Evidence, lookback: Lookback) -> Options {
        let steps = FollowUp::Widen(lookback).steps();
        Options { lookback: Some(lookback), steps, ..Options::on(previous) }
    }

    /// Whoever chose a step gets just that, and whoever chose a window no wider one.
    fn follows(&self, follow_up: &FollowUp) -> bool {
        match follow_up {
            FollowUp::LookAtNetwork(_) => self.steps.is_empty() || Network::STEPS.iter().any(|part| self.steps.contains(part)),
            FollowUp::Widen(_) => self.steps.is_empty() && self.lookback.is_none(),
            FollowUp::SearchChanges { .. } => self.steps.is_empty(),
            FollowUp::ReadDetached { .. } => self.steps.is_empty() || self.steps.contains(&StepName::ExecutionRole),
        }
    }

    fn on(previous: Evidence) -> Options {
        Options { previous: Some(previous.clone()), ..Options::new(previous.asked) }
    }
}

/// Passes on what the steps do, and says once more early what they come to.
struct Early<'a> {
    progress: &'a dyn Progress,
    request: &'a PlaybookRequest,
    stopwatch: Stopwatch,
    /// The cause that was told, or that the secret is healthy.
    told: Mutex<Option<(Outcome, Option<Cause>)>>,
}

impl Early<'_> {
    /// Tells it where it decides, and has not been told.
    fn tell(&self, evidence: &Evidence, judged: &Diagnosis) {
        if !self.is_waiting() || !is_decided(judged) {
            return;
        }
        let verdict = (judged.outcome, judged.findings.first().map(|finding| finding.cause));
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).replace(verdict) == Some(verdict) {
            return;
        }
        let diagnosis = foretell(evidence, judged.clone());
        self.progress.decided_early(&Investigation {
            id: new_investigation_id(),
            evidence: evidence.clone(),
            diagnosis,
            consumers: None,
            api_calls: all_calls(evidence),
            duration_ms: self.stopwatch.elapsed_ms(),
        });
    }
}

impl Progress for Early<'_> {
    fn started(&self, step: StepName) {
        self.progress.started(step);
    }

    fn finished(&self, step: StepName, status: &'static str, summary: &str) {
        self.progress.finished(step, status, summary);
    }

    fn is_waiting(&self) -> bool {
        self.progress.is_waiting()
    }

    fn seen_early(&self, evidence: &Evidence) {
        let evidence = redacted(evidence.clone(), self.request);
        self.tell(&evidence, &judge(&evidence));
    }
}

/// True where nothing that is still to be seen can change the verdict: a cause is confirmed, or the secret is healthy, and what
/// would be looked at next is only who changed it.
fn is_decided(judged: &Diagnosis) -> bool {
    let is_settled = |root: &Finding| {
        root.confidence == Confidence::Confirmed && root.severity == Severity::Critical && !may_come_of_a_change(root.cause)
    };
    let is_confirmed = judged.outcome == Outcome::RootCause && judged.findings.first().is_some_and(is_settled);
    let looks_on = matches!(judged.follow_up, Some(FollowUp::Widen(_) | FollowUp::LookAtNetwork(_)));
    (is_confirmed || judged.outcome == Outcome::Healthy) && !looks_on
}

/// Investigates one secret. It never fails: what could not be looked at is part of the result.
pub async fn investigate(aws: &Aws, clock: &Clock, options: &Options, progress: &dyn Progress) -> Investigation {
    let stopwatch = Stopwatch::start();
    let mut request = PlaybookRequest::new(options.asked.clone(), options.lookback.unwrap_or_default());
    request.deadline_per_step = options.step_deadline;
    request.total_deadline = options.total_deadline;
    request.code = options.code.clone();
    request.database.clone_from(&options.database);
    let mut looked = BTreeSet::from(StepName::ALL);
    if !options.steps.is_empty() {
        let (kept, steps) = match &options.previous {
            Some(evidence) => (evidence.clone(), options.steps.clone()),
            None => {
                let unasked = Observation::NotApplicable { because: NOT_ASKED_FOR.to_owned() };
                let region = aws.region().clone();
                let blank = Evidence::unseen(options.asked.clone(), region, clock.now(), request.lookback, &unasked);
                (blank, playbook::with_needs(&options.steps))
            }
        };
        looked = steps;
        request.rerun = Some((kept, looked.clone()));
    }
    let first = request.clone();
    let early = Early { progress, request: &first, stopwatch, told: Mutex::default() };
    // Whoever looks again at a part has the verdict before their eyes.
    let watching: &dyn Progress = if options.steps.is_empty() { &early } else { progress };
    let mut evidence = collect_redacted(aws, clock, &request, watching).await;
    let mut api_calls = calls(&evidence, &looked);
    let mut diagnosis = judge(&evidence);

    let budget = NetworkBudget::default();
    for _ in 0..MAX_LOOKS {
        let remaining = options.total_deadline.saturating_sub(stopwatch.elapsed());
        if options.steps.is_empty() && diagnosis.follow_up.is_some() {
            early.tell(&evidence, &diagnosis);
        }
        let Some(follow_up) = diagnosis.follow_up.take_if(|next| options.follows(next) && !remaining.is_zero()) else { break };
        let steps = follow_up.steps();
        request.total_deadline = remaining;
        request.change_events = Vec::new();
        let before = all_calls(&evidence);
        match follow_up {
            FollowUp::LookAtNetwork(look) => {
                let seen = playbook::look_at_network(aws, clock, &request, evidence, &look, &budget, progress).await;
                api_calls += all_calls(&seen) - before;
                evidence = redacted(seen, &request);
                diagnosis = judge(&evidence);
                continue;
            }
            FollowUp::ReadDetached { policies } => {
                let seen = playbook::read_detached(aws, clock, &request, evidence, &policies, progress).await;
                api_calls += all_calls(&seen) - before;
                evidence = redacted(seen, &request);
                diagnosis = judge(&evidence);
                continue;
            }
            FollowUp::Widen(lookback) => request.lookback = lookback,
            FollowUp::SearchChanges { events, proven } => {
                request.change_events = events;
                request.most_look_ups = if proven { LOOK_UPS_FOR_A_PROVEN_CAUSE } else { playbook::MAX_LOOK_UPS };
            }
        }
        request.rerun = Some((evidence, steps.clone()));
        evidence = collect_redacted(aws, clock, &request, progress).await;
        api_calls += calls(&evidence, &steps);
        diagnosis = judge(&evidence);
    }
    // What is foretold rests on everything that was seen, so that it is asked once, at the end.
    let diagnosis = foretell(&evidence, diagnosis);
    let mut readers = None;
    if options.consumers {
        let look = consumers(aws, clock, &evidence).await;
        api_calls += look.api_calls;
        readers = Some(look.consumers);
    }
    Investigation {
        id: new_investigation_id(),
        evidence,
        diagnosis,
        consumers: readers,
        api_calls,
        duration_ms: stopwatch.elapsed_ms(),
    }
}

/// Who reads the secret of an investigation, redacted.
pub async fn consumers(aws: &Aws, clock: &Clock, evidence: &Evidence) -> ConsumersLook {
    let ConsumersLook { consumers, api_calls } = Box::pin(playbook::consumers(aws, clock, evidence)).await;
    let consumers = match Redactor::default().redact_strings(consumers) {
        Ok((consumers, _)) => consumers,
        Err(error) => Observation::Failed { error: format!("withheld, because it could not be redacted: {error}") },
    };
    ConsumersLook { consumers, api_calls }
}

/// The id of a new investigation: 128 random bits.
#[expect(clippy::expect_used, reason = "without randomness no id can be kept from guessing, and nothing may go on")]
pub(crate) fn new_investigation_id() -> InvestigationId {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the operating system gives random bytes");
    InvestigationId::of(u128::from_be_bytes(bits))
}

/// A word nobody can guess, for what is no investigation, or may not become one: 32 hexadecimal digits.
pub(crate) fn new_id() -> String {
    new_investigation_id().to_string()
}

/// Collects, and keeps nothing that was not redacted. Its state is large, so it is kept on the heap.
fn collect_redacted<'a>(
    aws: &'a Aws,
    clock: &'a Clock,
    request: &'a PlaybookRequest,
    progress: &'a dyn Progress,
) -> BoxFuture<'a, Evidence> {
    Box::pin(async move { redacted(playbook::collect(aws, clock, request, progress).await, request) })
}

/// Neighbouring lines are joined first: a secret may be cut over two events of a log.
fn redacted(mut seen: Evidence, request: &PlaybookRequest) -> Evidence {
    if let Some(logs) = seen.logs.observation.found_mut() {
        for invocation in &mut logs.invocations {
            let mut lines: Vec<&mut String> = invocation.lines.iter_mut().map(|line| &mut line.text).collect();
            Redactor::default().redact_lines(&mut lines);
        }
    }
    let (asked, region, now) = (seen.asked.clone(), seen.region.clone(), seen.now);
    let tags = seen.secret.found().and_then(|secret| secret.tags.clone());
    match Redactor::default().redact_strings(seen) {
        Ok((mut evidence, _)) => {
            // A value that is hidden cannot be compared with the one that a policy asks for.
            if let Some(secret) = evidence.secret.observation.found_mut().filter(|secret| secret.tags != tags) {
                secret.tags = None;
            }
            evidence
        }
        Err(error) => {
            let withheld = Observation::Failed { error: format!("withheld, because it could not be redacted: {error}") };
            Evidence::unseen(asked, region, now, request.lookback, &withheld)
        }
    }
}

fn all_calls(evidence: &Evidence) -> usize {
    evidence.steps().iter().map(|view| view.calls.len()).sum()
}

fn calls(evidence: &Evidence, steps: &BTreeSet<StepName>) -> usize {
    evidence.steps().iter().filter(|view| steps.contains(&view.name)).map(|view| view.calls.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_chose_a_window_or_a_step_gets_just_that() {
        let free = Options::new("prod/orders-db".parse().unwrap());
        let chosen = Options { lookback: Some(Lookback::Day), ..free.clone() };
        let asked = Options { steps: BTreeSet::from([StepName::FunctionLogs]), ..free.clone() };
        let search = FollowUp::SearchChanges { events: vec!["DetachRolePolicy".to_owned()], proven: false };
        let allowed = [&free, &chosen, &asked]
            .map(|options| [FollowUp::Widen(Lookback::Week), search.clone()].map(|next| options.follows(&next)));
        assert_eq!(allowed, [[true, true], [false, true], [false, false]]);
    }
}
