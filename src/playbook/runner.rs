//! Performs the steps concurrently, and turns every end a step can come to into a record.

use super::needs::starts_after;
use super::secret::Described;
use super::step_outputs::StepOutputs;
use super::{
    PlaybookRequest, Progress, StepContext, StepResult, carried, config_changes, events, execution_role, function_logs,
    function_metrics, function_of, present, rotation_config, rotation_function, rotation_history, secret, secret_access,
};
use crate::aws::{Aws, AwsCaller};
use crate::clock::{self, Clock, Stopwatch};
use crate::model::{
    ConfigChanges, Evidence, FunctionCode, FunctionFacts, FunctionLogs, FunctionMetrics, NOT_ASKED_FOR, Network, Observation,
    RoleFacts, RotationConfig, RotationHistory, SecretAccess, SecretFacts, StepName, StepRecord,
};
use crate::spans;
use futures::FutureExt;
use jiff::Timestamp;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SetOnce;
use tracing::Instrument as _;

/// What a step may overrun its deadline by to put together what it has; its requests end at the deadline.
const GRACE: Duration = Duration::from_millis(250);

/// What is said of a step while event history is asked.
const STILL_SEARCHED: &str = "event history is still being searched";

pub(super) async fn collect(aws: &Aws, clock: &Clock, request: &PlaybookRequest, progress: &dyn Progress) -> Evidence {
    let cx = StepContext {
        aws,
        clock,
        request,
        progress,
        now: clock.now(),
        total_deadline: clock::deadline(request.total_deadline),
        board: StepOutputs::default(),
        trail: events::SharedTrail::default(),
    };
    keep(&cx);
    // Event history is slow to answer, and seldom needed to know the cause. What waits for it is kept on the heap: on the stack,
    // the states of all steps would be copied once more at each level.
    let but_changes = Box::pin(async {
        let but_history = Box::pin(async {
            let seen = Box::pin(steps_without_trail(&cx)).await;
            if cx.progress.is_waiting() {
                cx.progress.seen_early(&gathered(&cx, seen.clone(), pending(cx.now), pending(cx.now)));
            }
            seen
        });
        let (seen, history) = tokio::join!(but_history, Box::pin(history_step(&cx)));
        if cx.progress.is_waiting() {
            cx.progress.seen_early(&gathered(&cx, seen.clone(), history.clone(), pending(cx.now)));
        }
        (seen, history)
    });
    let ((seen, history), changes) = tokio::join!(but_changes, Box::pin(changes_step(&cx)));
    gathered(&cx, seen, history, changes)
}

/// The steps that ask no trail.
#[derive(Clone)]
struct WithoutTrail {
    secret: StepRecord<SecretFacts>,
    rotation_config: StepRecord<RotationConfig>,
    function: StepRecord<FunctionFacts>,
    logs: StepRecord<FunctionLogs>,
    role: StepRecord<RoleFacts>,
    metrics: StepRecord<FunctionMetrics>,
    access: StepRecord<SecretAccess>,
}

async fn steps_without_trail(cx: &StepContext<'_>) -> WithoutTrail {
    let (secret, rotation_config, function, logs, role, metrics, access) = tokio::join!(
        secret_step(cx),
        rotation_config_step(cx),
        function_step(cx),
        logs_step(cx),
        role_step(cx),
        metrics_step(cx),
        access_step(cx),
    );
    WithoutTrail { secret, rotation_config, function, logs, role, metrics, access }
}

/// The record of a step that event history has not answered yet.
fn pending<T>(now: Timestamp) -> StepRecord<T> {
    StepRecord {
        observation: Observation::Failed { error: STILL_SEARCHED.to_owned() },
        window: None,
        calls: Vec::new(),
        denials: Vec::new(),
        summary: STILL_SEARCHED.to_owned(),
        started_at: now,
        duration_ms: 0,
    }
}

fn gathered(
    cx: &StepContext<'_>,
    seen: WithoutTrail,
    history: StepRecord<RotationHistory>,
    changes: StepRecord<ConfigChanges>,
) -> Evidence {
    let WithoutTrail { secret, rotation_config, function, logs, role, metrics, access } = seen;
    let account_id = secret.found().and_then(|facts| facts.arn.arn().account_id().parse().ok());
    Evidence {
        asked: cx.request.asked.clone(),
        region: cx.aws.region().clone(),
        account_id: account_id.or_else(|| cx.aws.account_id().cloned()),
        now: cx.now,
        lookback: cx.request.lookback,
        near_names: cx.board.near_names.get().cloned().unwrap_or_default(),
        secret,
        rotation_config,
        function,
        logs,
        role,
        history,
        metrics,
        access,
        changes,
        log_group: cx
            .board
            .log_group
            .get()
            .cloned()
            .unwrap_or_else(|| Observation::NotApplicable { because: "its lines were read".to_owned() }),
        function_code: code(cx),
        network: kept_network(cx.request),
    }
}

/// What was seen of the network, unless one of the steps it is a part of is performed again.
fn kept_network(request: &PlaybookRequest) -> Network {
    match &request.rerun {
        Some((evidence, again)) if !Network::STEPS.iter().any(|part| again.contains(part)) => evidence.network.clone(),
        _ => Network::unasked(),
    }
}

/// What step 3 read of the function's code, now or before.
fn code(cx: &StepContext<'_>) -> Observation<FunctionCode> {
    let read = cx.board.code.get().cloned();
    read.unwrap_or_else(|| match cx.request.code.is_asked() {
        true => Observation::Failed { error: "the function itself was not seen".to_owned() },
        false => Observation::NotApplicable { because: NOT_ASKED_FOR.to_owned() },
    })
}

/// Fills the slots of the steps that are not performed again from their kept observations.
fn keep(cx: &StepContext<'_>) {
    let Some((evidence, again)) = &cx.request.rerun else { return };
    let is_kept = |step| !again.contains(&step);
    if is_kept(StepName::Secret) {
        let _ = cx.board.near_names.set(evidence.near_names.clone());
        if let Some(facts) = evidence.secret.found() {
            let _ = cx.board.versions.set(facts.versions.clone());
        }
        if is_kept(StepName::RotationConfig) {
            let _ = cx.board.subject.set(evidence.secret.observation.clone().and_then(|facts| {
                evidence.rotation_config.observation.clone().map(|config| Arc::new(Described { facts, config }))
            }));
        }
    }
    if is_kept(StepName::FunctionLogs) {
        let _ = cx.board.log_group.set(evidence.log_group.clone());
    }
    if is_kept(StepName::RotationFunction) {
        let _ = cx.board.function.set(evidence.function.observation.clone().map(Arc::new));
        let _ = cx.board.code.set(evidence.function_code.clone());
    }
    if is_kept(StepName::ExecutionRole) {
        let _ = cx.board.role.set(evidence.role.observation.clone().map(Arc::new));
    }
    if is_kept(StepName::RotationHistory) {
        let _ = cx.board.history.set(evidence.history.observation.clone().map(Arc::new));
    }
}

/// The kept record of a step that is not performed again.
fn kept<'a, T: Clone + 'a>(
    cx: &StepContext<'a>,
    step: StepName,
    record: impl FnOnce(&'a Evidence) -> &'a StepRecord<T>,
) -> Option<StepRecord<T>> {
    let (evidence, again) = cx.request.rerun.as_ref()?;
    (!again.contains(&step)).then(|| record(evidence).clone())
}

/// True when a person looks again at the same span, having changed something: kept answers would show the old state.
/// Widening, and searching for further events, go on with the same investigation.
pub(super) fn is_second_look(request: &PlaybookRequest) -> bool {
    let is_same_span = request.rerun.as_ref().is_some_and(|(evidence, _)| evidence.lookback == request.lookback);
    is_same_span && request.change_events.is_empty()
}

/// Adds to a step's record what was asked for it afterwards; false where nothing was.
pub(super) fn note_calls<T>(record: &mut StepRecord<T>, caller: &AwsCaller) -> bool {
    let (calls, denials) = caller.trace();
    if calls.is_empty() {
        return false;
    }
    record.calls.extend(calls);
    for denial in denials {
        if !record.denials.contains(&denial) {
            record.denials.push(denial);
        }
    }
    record.duration_ms += caller.elapsed_ms();
    true
}

/// One step being performed.
struct Running<'a, 'b> {
    cx: &'a StepContext<'b>,
    name: StepName,
    started_at: Timestamp,
    stopwatch: Stopwatch,
    deadline: tokio::time::Instant,
    caller: AwsCaller,
}

impl<'a, 'b> Running<'a, 'b> {
    fn begin(cx: &'a StepContext<'b>, name: StepName) -> Running<'a, 'b> {
        cx.progress.started(name);
        let deadline = clock::deadline(cx.request.deadline_per_step).min(cx.total_deadline);
        let caller = AwsCaller::new(cx.aws, *cx.clock, deadline, is_second_look(cx.request));
        Running { cx, name, started_at: cx.clock.now(), stopwatch: Stopwatch::start(), deadline, caller }
    }

    /// Performs the step to whatever end it comes.
    async fn finish<T>(&self, collector: impl Future<Output = StepResult<T>>) -> StepRecord<T> {
        let span = spans::step(self.name);
        let isolated = AssertUnwindSafe(collector).catch_unwind().instrument(span.clone());
        let seen = match tokio::time::timeout_at(self.deadline + GRACE, isolated).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(_)) => Observation::Failed { error: format!("{} stopped because of a bug in this program", self.name) }.into(),
            Err(_) => Observation::TimedOut { after_ms: self.stopwatch.elapsed_ms() }.into(),
        };
        let (calls, mut denials) = self.caller.trace();
        if let Observation::Denied(denial) = &seen.observation
            && !denials.contains(denial)
        {
            denials.push(denial.clone());
        }
        let summary = if seen.summary.is_empty() { why_nothing(&seen.observation) } else { seen.summary };
        self.cx.progress.finished(self.name, seen.observation.status(), &summary);
        self.cx.aws.metrics().step_ended(self.name, seen.observation.status(), self.stopwatch.elapsed());
        spans::answered(&span, seen.observation.status());
        StepRecord {
            observation: seen.observation,
            window: seen.window,
            calls,
            denials,
            summary,
            started_at: self.started_at,
            duration_ms: self.stopwatch.elapsed_ms(),
        }
    }
}

fn why_nothing<T>(observation: &Observation<T>) -> String {
    match observation {
        Observation::Found(_) => "done".to_owned(),
        Observation::NoData { searched } => format!("nothing found ({searched})"),
        Observation::NotApplicable { because } => format!("not asked: {because}"),
        Observation::Denied(denial) => format!("not checked: permission {} is missing", denial.action),
        other => format!("not checked: {}", other.missing().unwrap_or_default()),
    }
}

/// Waits until all is known that `step` starts after, not longer than everything may take.
async fn turn_of(cx: &StepContext<'_>, step: StepName) {
    let needs = async {
        for need in starts_after(step) {
            known(cx, *need).await;
        }
    };
    // What is not known by then is out of time for the step as well.
    let _ = tokio::time::timeout_at(cx.total_deadline, needs).await;
}

/// Waits until others can go on with what `step` brings.
async fn known(cx: &StepContext<'_>, step: StepName) {
    let is_kept = cx.request.rerun.as_ref().is_some_and(|(_, again)| !again.contains(&step));
    match step {
        // Step 2 describes the secret then.
        StepName::Secret if is_kept => {}
        StepName::Secret | StepName::RotationConfig => drop(cx.board.subject.wait().await),
        StepName::RotationFunction => drop(cx.board.function.wait().await),
        StepName::ExecutionRole => drop(cx.board.role.wait().await),
        StepName::RotationHistory => drop(cx.board.history.wait().await),
        // No step starts after these.
        StepName::FunctionLogs | StepName::FunctionMetrics | StepName::SecretAccess | StepName::ConfigChanges => {}
    }
}

/// What a step starts from, once it is known.
async fn ready<T, N>(
    cx: &StepContext<'_>,
    output: &SetOnce<Observation<T>>,
    map: impl FnOnce(&Observation<T>) -> Observation<N>,
) -> Observation<N> {
    match tokio::time::timeout_at(cx.total_deadline, output.wait()).await {
        Ok(content) => map(content),
        Err(_) => out_of_time(cx),
    }
}

fn out_of_time<T>(cx: &StepContext<'_>) -> Observation<T> {
    Observation::TimedOut { after_ms: u64::try_from(cx.request.total_deadline.as_millis()).unwrap_or(u64::MAX) }
}

async fn secret_step(cx: &StepContext<'_>) -> StepRecord<SecretFacts> {
    let record = match kept(cx, StepName::Secret, |evidence| &evidence.secret) {
        Some(record) => record,
        None => {
            let step = Running::begin(cx, StepName::Secret);
            step.finish(secret::collect(cx, &step.caller)).await
        }
    };
    let _ = cx.board.versions.set(record.found().map(|facts| facts.versions.clone()).unwrap_or_default());
    if kept(cx, StepName::Secret, |evidence| &evidence.secret).is_none() {
        let _ = cx.board.subject.set(unanswered(&record));
    }
    record
}

async fn rotation_config_step(cx: &StepContext<'_>) -> StepRecord<RotationConfig> {
    if let Some(record) = kept(cx, StepName::RotationConfig, |evidence| &evidence.rotation_config) {
        return record;
    }
    let is_described_by_step_1 = kept(cx, StepName::Secret, |evidence| &evidence.secret).is_none();
    turn_of(cx, StepName::RotationConfig).await;
    let step = Running::begin(cx, StepName::RotationConfig);
    let record = step.finish(rotation_config::collect(cx, &step.caller, is_described_by_step_1)).await;
    if !is_described_by_step_1 {
        let _ = cx.board.subject.set(unanswered(&record));
    }
    record
}

/// For a slot that its step did not fill: the way the step ended. A step that found its facts has filled it.
fn unanswered<T: Clone, U>(record: &StepRecord<T>) -> Observation<U> {
    carried(record.observation.clone())
}

async fn function_step(cx: &StepContext<'_>) -> StepRecord<FunctionFacts> {
    let record = match kept(cx, StepName::RotationFunction, |evidence| &evidence.function) {
        Some(record) => record,
        None => {
            turn_of(cx, StepName::RotationFunction).await;
            let function = ready(cx, &cx.board.subject, function_of).await;
            let step = Running::begin(cx, StepName::RotationFunction);
            step.finish(rotation_function::collect(cx, &step.caller, function)).await
        }
    };
    let _ = cx.board.function.set(record.observation.clone().map(Arc::new));
    record
}

async fn logs_step(cx: &StepContext<'_>) -> StepRecord<FunctionLogs> {
    let record = match kept(cx, StepName::FunctionLogs, |evidence| &evidence.logs) {
        Some(record) => record,
        None => {
            turn_of(cx, StepName::FunctionLogs).await;
            let subject = ready(cx, &cx.board.subject, present).await;
            let arn = function_of(&subject);
            let function = ready(cx, &cx.board.function, Observation::clone).await;
            let step = Running::begin(cx, StepName::FunctionLogs);
            step.finish(function_logs::collect(cx, &step.caller, subject, arn, function)).await
        }
    };
    let invocations = record.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default();
    let _ = cx.board.last_run.set(invocations.iter().map(|invocation| invocation.started_at).max());
    record
}

async fn role_step(cx: &StepContext<'_>) -> StepRecord<RoleFacts> {
    let record = match kept(cx, StepName::ExecutionRole, |evidence| &evidence.role) {
        Some(record) => record,
        None => {
            turn_of(cx, StepName::ExecutionRole).await;
            let subject = ready(cx, &cx.board.subject, present).await;
            let function = ready(cx, &cx.board.function, Observation::clone).await;
            let step = Running::begin(cx, StepName::ExecutionRole);
            step.finish(execution_role::collect(cx, &step.caller, subject, function)).await
        }
    };
    let _ = cx.board.role.set(record.observation.clone().map(Arc::new));
    record
}

async fn history_step(cx: &StepContext<'_>) -> StepRecord<RotationHistory> {
    let record = match kept(cx, StepName::RotationHistory, |evidence| &evidence.history) {
        Some(record) => record,
        None => {
            turn_of(cx, StepName::RotationHistory).await;
            let subject = ready(cx, &cx.board.subject, present).await;
            let step = Running::begin(cx, StepName::RotationHistory);
            step.finish(rotation_history::collect(cx, &step.caller, subject)).await
        }
    };
    let _ = cx.board.history.set(record.observation.clone().map(Arc::new));
    record
}

async fn metrics_step(cx: &StepContext<'_>) -> StepRecord<FunctionMetrics> {
    if let Some(record) = kept(cx, StepName::FunctionMetrics, |evidence| &evidence.metrics) {
        return record;
    }
    turn_of(cx, StepName::FunctionMetrics).await;
    let subject = ready(cx, &cx.board.subject, present).await;
    let step = Running::begin(cx, StepName::FunctionMetrics);
    step.finish(function_metrics::collect(cx, &step.caller, subject)).await
}

async fn access_step(cx: &StepContext<'_>) -> StepRecord<SecretAccess> {
    if let Some(record) = kept(cx, StepName::SecretAccess, |evidence| &evidence.access) {
        return record;
    }
    turn_of(cx, StepName::SecretAccess).await;
    let subject = ready(cx, &cx.board.subject, present).await;
    let step = Running::begin(cx, StepName::SecretAccess);
    step.finish(secret_access::collect(cx, &step.caller, subject)).await
}

async fn changes_step(cx: &StepContext<'_>) -> StepRecord<ConfigChanges> {
    if let Some(record) = kept(cx, StepName::ConfigChanges, |evidence| &evidence.changes) {
        return record;
    }
    turn_of(cx, StepName::ConfigChanges).await;
    let subject = ready(cx, &cx.board.subject, present).await;
    let function = ready(cx, &cx.board.function, Observation::clone).await;
    let history = ready(cx, &cx.board.history, Observation::clone).await;
    let step = Running::begin(cx, StepName::ConfigChanges);
    step.finish(config_changes::collect(cx, &step.caller, subject, function, history)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AwsOptions, Registry};
    use crate::model::{Lookback, StepName};
    use std::sync::Mutex;

    #[derive(Default)]
    struct Ends(Mutex<Vec<(StepName, &'static str)>>);

    impl Progress for Ends {
        fn started(&self, _: StepName) {}
        fn finished(&self, step: StepName, status: &'static str, _: &str) {
            self.0.lock().unwrap().push((step, status));
        }
    }

    async fn ended(collector: impl Future<Output = StepResult<()>>) -> (StepRecord<()>, Vec<(StepName, &'static str)>) {
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let (clock, ends) = (Clock::system(), Ends::default());
        let request =
            PlaybookRequest { deadline_per_step: Duration::ZERO, ..PlaybookRequest::new("db".parse().unwrap(), Lookback::Day) };
        let cx = StepContext {
            aws: &aws,
            clock: &clock,
            request: &request,
            progress: &ends,
            now: clock.now(),
            total_deadline: clock::deadline(Duration::ZERO),
            board: StepOutputs::default(),
            trail: events::SharedTrail::default(),
        };
        let record = Running::begin(&cx, StepName::FunctionLogs).finish(collector).await;
        let ends = ends.0.lock().unwrap().clone();
        (record, ends)
    }

    #[tokio::test]
    async fn a_step_that_panics_is_a_failed_observation() {
        let (record, ends) = ended(async { panic!("a defect") }).await;
        assert_eq!(record.observation.status(), "failed");
        assert_eq!(record.summary, "not checked: step 4 · function logs stopped because of a bug in this program");
        assert_eq!(ends, [(StepName::FunctionLogs, "failed")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_never_ends_is_timed_out_after_its_grace() {
        let (record, ends) = ended(std::future::pending()).await;
        assert_eq!(record.observation.status(), "timed_out");
        assert!(record.duration_ms >= 200, "{}", record.duration_ms);
        assert_eq!(ends, [(StepName::FunctionLogs, "timed_out")]);
    }

    #[tokio::test]
    async fn the_whole_collection_may_move_between_threads() {
        fn is_send<T: Send>(_: &T) {}
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let (clock, ends) = (Clock::system(), Ends::default());
        let request = PlaybookRequest::new("db".parse().unwrap(), Lookback::Day);
        is_send(&collect(&aws, &clock, &request, &ends));
    }

    fn nothing<T>() -> Observation<T> {
        Observation::NoData { searched: "all".to_owned() }
    }

    #[tokio::test]
    async fn a_step_begins_when_all_is_known_that_the_table_says_and_not_before() {
        let options = AwsOptions { region: Some("eu-west-1".parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let (clock, request) = (Clock::system(), PlaybookRequest::new("db".parse().unwrap(), Lookback::Day));
        for step in StepName::ALL {
            let cx = StepContext {
                aws: &aws,
                clock: &clock,
                request: &request,
                progress: &(),
                now: clock.now(),
                total_deadline: clock::deadline(Duration::from_secs(60)),
                board: StepOutputs::default(),
                trail: events::SharedTrail::default(),
            };
            let needs = starts_after(step);
            for need in needs {
                assert!(turn_of(&cx, step).now_or_never().is_none(), "{step} did not wait for {need}");
                match need {
                    StepName::Secret | StepName::RotationConfig => drop(cx.board.subject.set(nothing())),
                    StepName::RotationFunction => drop(cx.board.function.set(nothing())),
                    StepName::ExecutionRole => drop(cx.board.role.set(nothing())),
                    StepName::RotationHistory => drop(cx.board.history.set(nothing())),
                    other => panic!("{step} starts after {other}, for which nobody can wait"),
                }
                if turn_of(&cx, step).now_or_never().is_some() {
                    break;
                }
            }
            assert!(turn_of(&cx, step).now_or_never().is_some(), "{step} waits for more than {needs:?}");
        }
    }
}
