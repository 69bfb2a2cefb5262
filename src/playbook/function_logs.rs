//! Step 4: what the function wrote, in the window asked for and around what failed before it.

use super::log_windows::{MAX_WINDOWS, anchored};
use super::rotation_function::default_log_group;
use super::rotation_history::first_failure;
use super::secret::{Described, is_pending_apart};
use super::{StepContext, StepResult, carried, text};
use crate::aws::AwsCaller;
use crate::lambda_log;
use crate::model::spans::MAX_INVOCATION;
use crate::model::{
    AttemptOutcome, FunctionArn, FunctionFacts, FunctionLogs, Invocation, InvocationStatus, LogEvent, LogGroupFacts, Observation,
    Window,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pages read of one window; a page holds at most 10 000 events or 1 MB.
///
/// Source: CloudWatch Logs API reference, `FilterLogEvents`.
const MAX_PAGES: usize = 5;

/// Requests made for those pages; a page may be empty and have a successor.
const MAX_REQUESTS: usize = 25;

/// Finds failing invocations where a window holds too much to be read whole. A timeout prints no `ERROR`.
const FAILING: &str = r#"?ERROR ?"Task timed out" ?"Status: timeout" ?"Status: error" ?Traceback ?"Runtime." ?"not authorized" ?AccessDenied ?errorMessage ?timeout"#;

/// Streams read whole after that; a stream is one function instance.
const MAX_STREAMS: usize = 10;

/// Invocations kept of a function that serves many secrets.
const MAX_INVOCATIONS: usize = 200;

/// How a cold start begins in the log, in text and in JSON.
const COLD_STARTS: [&str; 2] = ["INIT_START ", "platform.initStart"];

/// Failed attempts the windows are anchored on.
const MAX_FAILED_ANCHORS: usize = 3;

/// The events of a window.
#[derive(Debug, Default)]
struct Lines {
    events: Vec<LogEvent>,
    complete: bool,
}

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
    arn: Observation<FunctionArn>,
    function: Observation<Arc<FunctionFacts>>,
) -> StepResult<FunctionLogs> {
    let arn = match arn {
        Observation::Found(arn) => arn,
        unanswered => return carried(unanswered).into(),
    };
    // A function that is gone, or may not be read, has left its logs under the name all functions start with.
    let group = function.found().map_or_else(|| default_log_group(&arn), |facts| facts.log_group.clone());
    let base = cx.request.lookback.window(cx.now);
    let (first, anchors) = tokio::join!(read(cx, caller, &group, base), anchors(cx, caller, &subject));
    let first = match first {
        Observation::Found(lines) => lines,
        Observation::NoData { .. } => {
            ask_group(cx, caller, &group).await;
            let searched = format!("log group {group} does not exist");
            return StepResult { summary: searched.clone(), observation: Observation::NoData { searched }, window: Some(base) };
        }
        unanswered => {
            // A group of some classes takes no filter at all.
            if let Observation::Failed { .. } = unanswered {
                ask_group(cx, caller, &group).await;
            }
            return StepResult { window: Some(base), ..carried(unanswered).into() };
        }
    };
    // Where a cold start tells the version of its runtime, the last success tells the one it worked on.
    let is_cold = first.events.iter().any(|event| COLD_STARTS.iter().any(|start| event.text.contains(start)));
    let worked_at = subject.found().and_then(|described| described.config.last_rotated_at).filter(|_| is_cold);
    let further = anchored(base, anchors.into_iter().chain(worked_at), cx.now);
    debug_assert!(further.len() < MAX_WINDOWS);
    let reads = further.iter().map(|window| read(cx, caller, &group, *window));
    let (mut events, mut complete, mut windows) = (first.events, first.complete, vec![base]);
    for (window, lines) in further.iter().zip(futures::future::join_all(reads).await) {
        match lines {
            Observation::Found(lines) => {
                complete &= lines.complete;
                events.extend(lines.events);
                windows.push(*window);
            }
            _ => complete = false,
        }
    }
    events.sort_by_key(|event| event.at);
    let secret = subject.found().map(|described| described.facts.arn.arn().as_str().to_owned());
    let (invocations, is_thinned) = thinned(lambda_log::group(events), secret.as_deref());
    complete &= !is_thinned;
    let window = windows.iter().fold(base, |hull, window| hull.hull(window));
    if invocations.is_empty() && complete {
        ask_group(cx, caller, &group).await;
        let searched = format!("log group {group}, {}", windows.iter().map(text::span).collect::<Vec<_>>().join(" and "));
        let summary = format!("no invocation in {searched}");
        return StepResult { observation: Observation::NoData { searched }, window: Some(window), summary };
    }
    let logs = FunctionLogs { log_group: group, windows, invocations, complete };
    let summary = summary(&logs, secret.as_deref());
    StepResult { observation: Observation::Found(logs), window: Some(window), summary }
}

/// Where rotation fails and no line was read, what the group does with its lines.
async fn ask_group(cx: &StepContext<'_>, caller: &AwsCaller, group: &str) {
    let history = caller.within_deadline(cx.board.history.wait()).await;
    let failed = history.and_then(Observation::found).is_some_and(|history| first_failure(&history.attempts).is_some());
    if !failed {
        return;
    }
    let request = cx.aws.logs.describe_log_groups().log_group_name_prefix(group).send();
    let answer = caller.call("logs:DescribeLogGroups", &format!("log group {group}"), request).await;
    let _ = cx.board.log_group.set(answer.and_then(|output| {
        match output.log_groups().iter().find(|found| found.log_group_name() == Some(group)) {
            Some(found) => Observation::Found(LogGroupFacts {
                class: found.log_group_class().map(|class| class.as_str().to_owned()),
                retention_days: found.retention_in_days().and_then(|days| u32::try_from(days).ok()),
            }),
            None => Observation::NoData { searched: format!("log group {group}") },
        }
    }));
}

/// The moments worth looking at, the most telling first.
async fn anchors(cx: &StepContext<'_>, caller: &AwsCaller, subject: &Observation<Arc<Described>>) -> Vec<Timestamp> {
    let mut anchors = Vec::new();
    let history = caller.within_deadline(cx.board.history.wait()).await;
    if let Some(history) = history.and_then(Observation::found) {
        let failed = history.attempts.iter().rev().filter(|attempt| attempt.outcome == AttemptOutcome::Failed);
        anchors.extend(failed.filter_map(|attempt| attempt.at()).take(MAX_FAILED_ANCHORS));
    }
    let Some(described) = subject.found() else { return anchors };
    if is_pending_apart(&described.facts)
        && let Some(versions) = caller.within_deadline(cx.board.versions.wait()).await
    {
        anchors.extend(versions.iter().find(|version| version.has("AWSPENDING")).and_then(|version| version.created_at));
    }
    if described.config.due.overdue_since.is_some() {
        anchors.extend(described.config.due.previous);
    }
    // Where nothing is known to have failed, the last success shows what the function does when it works.
    if anchors.is_empty() {
        anchors.extend(described.config.last_rotated_at);
    }
    anchors
}

/// Reads a window whole; where it holds too much, its failing invocations whole.
async fn read(cx: &StepContext<'_>, caller: &AwsCaller, group: &str, window: Window) -> Observation<Lines> {
    let whole = filter(cx, caller, group, window, None, &[]).await;
    let newest_read = match &whole {
        Observation::Found(lines) if !lines.complete => lines.events.iter().map(|event| event.at).max(),
        _ => return whole,
    };
    // Pages come oldest first, so what was cut off is the newest, which matters most.
    let rest = Window { from: newest_read.unwrap_or(window.from), to: window.to };
    let failing = filter(cx, caller, group, rest, Some(FAILING), &[]).await;
    let Observation::Found(failing) = failing else { return whole };
    let mut last_in_stream: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for event in &failing.events {
        let last = last_in_stream.entry(&event.stream).or_insert(event.at);
        *last = event.at.max(*last);
    }
    let mut streams: Vec<_> = last_in_stream.into_iter().collect();
    streams.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    streams.truncate(MAX_STREAMS);
    let (Some((_, newest)), Some((_, oldest))) = (streams.first(), streams.last()) else { return whole };
    let around = Window::around(*oldest, MAX_INVOCATION, MAX_INVOCATION).hull(&Window::around(
        *newest,
        MAX_INVOCATION,
        SignedDuration::from_mins(1),
    ));
    let names: Vec<String> = streams.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut lines =
        filter(cx, caller, group, around, None, &names).await.found().map(|lines| lines.events.clone()).unwrap_or_default();
    if lines.is_empty() {
        lines = failing.events;
    }
    Observation::Found(Lines { events: lines, complete: false })
}

/// The lines of a window, page by page; what was read before a failing page is kept.
async fn filter(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    group: &str,
    window: Window,
    pattern: Option<&str>,
    streams: &[String],
) -> Observation<Lines> {
    let mut lines = Lines::default();
    let mut token = None::<String>;
    let mut pages = 0;
    for request in 0..MAX_REQUESTS {
        let page = cx
            .aws
            .logs
            .filter_log_events()
            .log_group_name(group)
            .set_log_stream_names((!streams.is_empty()).then(|| streams.to_vec()))
            .set_filter_pattern(pattern.map(str::to_owned))
            .start_time(window.from.as_millisecond())
            .end_time(window.to.as_millisecond())
            .set_next_token(token.take())
            .send();
        let output = match caller.call("logs:FilterLogEvents", &format!("log group {group}"), page).await {
            Observation::Found(output) => output,
            _ if request > 0 => return Observation::Found(lines),
            unanswered => return carried(unanswered),
        };
        pages += usize::from(!output.events().is_empty());
        lines.events.extend(output.events.unwrap_or_default().into_iter().filter_map(|event| {
            Some(LogEvent {
                at: Timestamp::from_millisecond(event.timestamp?).ok()?,
                stream: event.log_stream_name.unwrap_or_default(),
                text: event.message?,
            })
        }));
        token = output.next_token;
        if token.is_none() {
            lines.complete = true;
            break;
        }
        if pages == MAX_PAGES {
            break;
        }
    }
    Observation::Found(lines)
}

/// Of a long list, the invocations that name this secret or did not succeed, then the newest; true when some were left out.
fn thinned(invocations: Vec<Invocation>, secret: Option<&str>) -> (Vec<Invocation>, bool) {
    if invocations.len() <= MAX_INVOCATIONS {
        return (invocations, false);
    }
    let is_telling = |invocation: &Invocation| {
        invocation.status != InvocationStatus::Succeeded || (secret.is_some() && invocation.secret_arn.as_deref() == secret)
    };
    let (telling, others): (Vec<_>, Vec<_>) = invocations.into_iter().partition(is_telling);
    let newest = |list: Vec<Invocation>, count: usize| list.into_iter().rev().take(count).collect::<Vec<_>>();
    let mut kept = newest(telling, MAX_INVOCATIONS);
    kept.extend(newest(others, MAX_INVOCATIONS.saturating_sub(kept.len())));
    kept.sort_by_key(|invocation| invocation.started_at);
    (kept, true)
}

/// What the invocations came to; those for other secrets than `secret`, as far as they name one, are told apart.
fn summary(logs: &FunctionLogs, secret: Option<&str>) -> String {
    let failed: Vec<_> = logs
        .invocations
        .iter()
        .filter(|invocation| matches!(invocation.status, InvocationStatus::Failed | InvocationStatus::TimedOut))
        .collect();
    let all = text::counted(logs.invocations.len(), "invocation");
    // A function that logs nothing about its errors may have failed all the same.
    let mut line = match failed.len() {
        0 => format!("{all}, no failure logged"),
        failed => format!("{failed} of {all} failed"),
    };
    let is_others = |invocation: &&Invocation| invocation.names_another_than(secret);
    let (others, own): (Vec<&Invocation>, Vec<&Invocation>) = failed.iter().copied().partition(is_others);
    match (others.len(), own.len()) {
        (0, _) => {}
        (_, 0) => line.push_str(", for other secrets"),
        (some, _) => line.push_str(&format!(", {some} of them for other secrets")),
    }
    if let Some(last) = own.last().or(failed.last()) {
        line.push_str(&format!(", last {}", text::moment(last.ended_at.unwrap_or(last.started_at))));
        if let Some(step) = last.step {
            line.push_str(&format!(" in {step}"));
        }
        if last.status == InvocationStatus::TimedOut {
            line.push_str(" by timeout");
        }
    }
    if !logs.complete {
        line.push_str("; not all lines were read");
    }
    line
}
