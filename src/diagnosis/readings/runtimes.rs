//! Runtimes that Lambda takes no change for any more, and the runtime a function had before.

use crate::diagnosis::DiagnosisContext;
use crate::model::{Cause, Confidence, Obstacle, Proof, StepName};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// Runtimes and the day from which on Lambda refuses to update functions that use them.
///
/// Source: AWS Lambda Developer Guide, "Runtime deprecation policy", and AWS's announcements; the days have been moved before.
const UPDATE_BLOCKED: &[(&str, Date)] = &[
    ("python3.9", date(2027, 3, 3)),
    ("python3.8", date(2025, 3, 31)),
    ("python3.7", date(2025, 3, 31)),
    ("python3.6", date(2022, 8, 29)),
    ("python2.7", date(2022, 5, 30)),
    ("nodejs12.x", date(2023, 4, 30)),
    ("nodejs10.x", date(2022, 2, 14)),
];

/// The day from which on Lambda takes no change of a function with this runtime, where it is known.
fn update_blocked(runtime: &str) -> Option<Date> {
    UPDATE_BLOCKED.iter().find(|(name, _)| *name == runtime).map(|(_, day)| *day)
}

/// True where Lambda would refuse to give a function this runtime.
pub(in crate::diagnosis) fn is_blocked(context: &DiagnosisContext<'_>, runtime: &str) -> bool {
    update_blocked(runtime).is_some_and(|day| day <= TimeZone::UTC.to_datetime(context.now()).date())
}

/// A function whose runtime is, or will be by the next rotation, past the day from which on Lambda takes no change of it.
///
/// Lambda goes on running such functions, so this may stop a rotation and need not.
pub(in crate::diagnosis) fn past_block(context: &DiagnosisContext<'_>) -> Option<Obstacle> {
    let runtime = context.function().filter(|_| context.rotates_by_function())?.runtime.as_deref()?;
    let day = update_blocked(runtime)?;
    let next = context.config().and_then(|config| config.due.next.or(config.next_rotation_at)).unwrap_or(context.now());
    let horizon = TimeZone::UTC.to_datetime(next.max(context.now())).date();
    let at = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    let text = format!(
        "The runtime {runtime} is past its block date {day}: Lambda takes no change of the function any more, and promises no \
         longer that it runs."
    );
    let fact = Proof::of(StepName::RotationFunction, "lambda:GetFunctionConfiguration", format!("Runtime {runtime}"));
    (day <= horizon).then(|| Obstacle {
        cause: Cause::DeprecatedRuntime,
        confidence: Confidence::Possible,
        at: Some(at),
        text,
        proof: Some(fact),
        author: None,
    })
}

/// The runtime the function had before its present one: by an earlier change of it, or by the start line of an earlier run.
pub(in crate::diagnosis) fn previous(context: &DiagnosisContext<'_>) -> Option<String> {
    let present = context.function()?.runtime.as_deref()?;
    let changes = context.evidence.changes.found().map(|changes| changes.changes.as_slice()).unwrap_or_default();
    let by_change = changes.iter().rev().filter_map(|change| change.parameters.get("runtime")?.as_str()).map(str::to_owned);
    let invocations = context.evidence.logs.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default();
    let by_start = invocations.iter().rev().flat_map(|one| &one.lines).filter_map(|line| started_on(&line.text));
    by_change.chain(by_start).find(|runtime| runtime != present && !is_blocked(context, runtime))
}

/// `python3.9` from `INIT_START Runtime Version: python:3.9.v58	Runtime Version ARN: …`.
fn started_on(line: &str) -> Option<String> {
    let (_, version) = line.split_once("INIT_START Runtime Version: ")?;
    let (language, rest) = version.split_once(':')?;
    let (number, _) = rest.split_once(".v")?;
    let is_number = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_number && !number.is_empty()).then(|| match language {
        "nodejs" => format!("nodejs{number}.x"),
        language => format!("{language}{number}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{facts, healthy};

    #[test]
    fn a_runtime_past_its_block_date_may_stop_the_next_rotation() {
        let mut evidence = healthy();
        assert_eq!(past_block(&DiagnosisContext::new(&evidence)), None);
        facts(&mut evidence.function).runtime = Some("python3.7".to_owned());
        let obstacle = past_block(&DiagnosisContext::new(&evidence)).unwrap();
        assert_eq!((obstacle.cause, obstacle.confidence), (Cause::DeprecatedRuntime, Confidence::Possible));
        facts(&mut evidence.function).runtime = Some("python3.9".to_owned());
        assert_eq!(past_block(&DiagnosisContext::new(&evidence)), None, "it is blocked a year later");
    }

    #[test]
    fn a_start_line_names_the_runtime() {
        let line = "INIT_START Runtime Version: python:3.9.v58\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:0a";
        assert_eq!(started_on(line).as_deref(), Some("python3.9"));
        assert_eq!(started_on("INIT_START Runtime Version: nodejs:22.v3\tx").as_deref(), Some("nodejs22.x"));
        assert_eq!(started_on("INIT_START Runtime Version: provided"), None);
    }
}
