//! Steps 3, 4 and 7: the rotation function, what it wrote, how often it failed.

use super::code::of_code;
use super::{Fact, FactGroup};
use crate::model::{Evidence, FunctionFacts, Invocation, InvocationStatus, LogEvent, MetricPoint, Observation};
use crate::redact::SafeText;
use crate::report::time::{duration, moment};
use jiff::Timestamp;

pub(super) fn function(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(function) = evidence.function.found() else { return Vec::new() };
    let state = state(function.state.as_deref(), function.state_reason_code.as_deref(), function.state_reason.as_deref());
    let update = state_of_update(function);
    let concurrency = match &function.reserved_concurrency {
        Observation::Found(Some(reserved)) => Some(format!("{reserved} reserved")),
        Observation::Found(None) => Some("none reserved".to_owned()),
        other => other.missing().map(|missing| format!("not known: {missing}")),
    };
    let own = [
        Some(Fact::new("ARN", function.arn.arn().as_str())),
        Fact::known("state", state),
        Fact::known("last update", update),
        Some(Fact::new("runtime", function.runtime.as_deref().unwrap_or("a container image"))),
        Fact::known("handler", function.handler.as_ref()),
        Fact::known("timeout", function.timeout_s.map(|seconds| format!("{seconds} s"))),
        Fact::known("memory", function.memory_mb.map(|megabytes| format!("{megabytes} MB"))),
        Fact::known("concurrency", concurrency),
        Fact::known("last changed", function.last_modified_at.map(|at| moment(at, evidence.now))),
        Fact::known("code SHA-256", function.code_sha256.as_ref()),
        listed("architecture", &function.architectures),
        listed("layers", &function.layers),
        listed("environment variables, by name", &function.environment_names),
        Fact::known("environment", function.environment_error.as_ref()),
        Fact::known("key of the environment", function.kms_key_arn.as_ref()),
        Some(Fact::new("role", function.role.arn().as_str())),
        Some(Fact::new("log group", &function.log_group)),
        Fact::known("log format", function.log_format.as_ref()),
        Fact::known("log level", function.application_log_level.as_ref()),
    ];
    let network = function.vpc.as_ref().map(|vpc| {
        [
            Some(Fact::new("VPC", &vpc.vpc_id)),
            listed("subnets", &vpc.subnet_ids),
            listed("security groups", &vpc.security_group_ids),
        ]
    });
    [
        FactGroup::facts("Function", own.into_iter().flatten()),
        FactGroup::facts("Network", network.into_iter().flatten().flatten()),
        FactGroup::facts("Code", of_code(&evidence.function_code)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn state_of_update(function: &FunctionFacts) -> Option<String> {
    let (code, why) = (function.last_update_reason_code.as_deref(), function.last_update_reason.as_deref());
    state(function.last_update_status.as_deref(), code, why)
}

fn state(state: Option<&str>, code: Option<&str>, why: Option<&str>) -> Option<String> {
    let reasons: Vec<&str> = code.into_iter().chain(why).collect();
    state.map(|state| if reasons.is_empty() { state.to_owned() } else { format!("{state} ({})", reasons.join(": ")) })
}

fn listed(lead: &str, items: &[String]) -> Option<Fact> {
    (!items.is_empty()).then(|| Fact::new(lead, &items.join(", ")))
}

/// The failing invocations first, the newest first among them; an invocation's lines are in their own order.
pub(super) fn logs(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(logs) = evidence.logs.found() else { return Vec::new() };
    let mut invocations: Vec<&Invocation> = logs.invocations.iter().collect();
    invocations.sort_by_key(|invocation| (!failed(invocation), std::cmp::Reverse(invocation.started_at)));
    let complete = if logs.complete { "whole" } else { "cut short by a limit" };
    let windows =
        logs.windows.iter().map(|window| format!("{} – {}", moment(window.from, evidence.now), moment(window.to, evidence.now)));
    let about = [Fact::new("group", &logs.log_group), Fact::new("read", complete)];
    let about = about.into_iter().chain(windows.map(|window| Fact::new("window", &window)));
    let groups = invocations.into_iter().map(|invocation| lines_of(invocation, evidence.now));
    groups.chain([FactGroup::facts("Log group", about)]).flatten().collect()
}

fn failed(invocation: &Invocation) -> bool {
    matches!(invocation.status, InvocationStatus::Failed | InvocationStatus::TimedOut)
}

fn lines_of(invocation: &Invocation, now: Timestamp) -> Option<FactGroup> {
    let status = match invocation.status {
        InvocationStatus::Succeeded => "succeeded",
        InvocationStatus::Failed => "failed",
        InvocationStatus::TimedOut => "timed out",
        InvocationStatus::Unknown => "no end seen",
    };
    let step = invocation.step.map(|step| format!(" in {}", step.name())).unwrap_or_default();
    let took = invocation.duration_ms.map(|ms| format!(", {}", duration(ms.max(0.0).round() as u64))).unwrap_or_default();
    let label = format!("{}: {status}{step}{took}", moment(invocation.started_at, now));
    FactGroup::verbatim(&label, invocation.lines.iter().flat_map(log_lines))
}

/// One event of the log; the lines of a stack stay apart, and only the first has the time.
fn log_lines(event: &LogEvent) -> Vec<Fact> {
    let time = SafeText::moment(event.at, "%H:%M:%S");
    let leads = std::iter::once(time).chain(std::iter::repeat(SafeText::default()));
    let lines = SafeText::redact(&event.text).visible_lines().into_iter().filter(|line| !line.is_empty());
    lines.zip(leads).map(|(text, lead)| Fact { lead, text }).collect()
}

/// The periods in which something went wrong, the newest first; then those in which nothing did.
pub(super) fn metrics(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(metrics) = evidence.metrics.found() else { return Vec::new() };
    let (bad, good): (Vec<&MetricPoint>, Vec<&MetricPoint>) =
        metrics.points.iter().rev().partition(|point| point.errors > 0.0 || point.throttles > 0.0);
    let fact = |point: &&MetricPoint| {
        let longest = point.duration_max_ms.map(|ms| format!(", longest {}", duration(ms.max(0.0).round() as u64)));
        let counts = counts(point.invocations, point.errors, point.throttles);
        Fact::new(&period(point.at, metrics.period_s, evidence.now), &format!("{counts}{}", longest.unwrap_or_default()))
    };
    let sum = |value: fn(&MetricPoint) -> f64| metrics.points.iter().map(value).sum::<f64>();
    let total = counts(sum(|point| point.invocations), sum(|point| point.errors), sum(|point| point.throttles));
    let about = [
        Fact::new("in all", &total),
        Fact::new("one point", &format!("every {}", duration(u64::from(metrics.period_s) * 1000))),
        Fact::new("read", if metrics.complete { "whole" } else { "cut short by a limit" }),
    ];
    [
        FactGroup::facts("Metrics of the function", about),
        FactGroup::facts("With errors or throttles", bad.iter().map(fact)),
        FactGroup::facts("Without", good.iter().map(fact)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// When what a point counts happened: a sum over more than a minute is a span.
fn period(at: Timestamp, seconds: u32, now: Timestamp) -> String {
    let begin = moment(at, now);
    let end = at.checked_add(jiff::SignedDuration::from_secs(i64::from(seconds))).unwrap_or(at);
    match begin.strip_suffix(" UTC").filter(|_| seconds > 60) {
        Some(bare) => format!("{bare}–{}", end.strftime("%H:%M UTC")),
        None => begin.into(),
    }
}

fn counts(invocations: f64, errors: f64, throttles: f64) -> String {
    let counted = |count: f64, noun: &str| format!("{count:.0} {noun}{}", if count == 1.0 { "" } else { "s" });
    [counted(invocations, "invocation"), counted(errors, "error"), counted(throttles, "throttle")].join(", ")
}
