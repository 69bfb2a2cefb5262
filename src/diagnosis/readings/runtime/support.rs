//! Lambda's runtimes: when each was or will be deprecated, and until when a function may still be set to it.
//!
//! Source: AWS Lambda Developer Guide, "Lambda runtimes" and "Runtime deprecation policy".

use crate::diagnosis::DiagnosisContext;
use crate::model::{Cause, Confidence, Obstacle, Proof, StepName};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// Runtimes and the day of their deprecation.
const DEPRECATED: &[(&str, Date)] = &[
    ("python3.11", date(2027, 6, 30)),
    ("nodejs22.x", date(2027, 4, 30)),
    ("ruby3.3", date(2027, 3, 31)),
    ("dotnet8", date(2026, 11, 10)),
    ("dotnet9", date(2026, 11, 10)),
    ("python3.10", date(2026, 10, 31)),
    ("nodejs20.x", date(2026, 4, 30)),
    ("ruby3.2", date(2026, 3, 31)),
    ("python3.9", date(2025, 12, 15)),
    ("nodejs18.x", date(2025, 9, 1)),
    ("dotnet6", date(2024, 12, 20)),
    ("python3.8", date(2024, 10, 14)),
    ("nodejs16.x", date(2024, 6, 12)),
    ("dotnet7", date(2024, 5, 14)),
    ("java8", date(2024, 1, 8)),
    ("go1.x", date(2024, 1, 8)),
    ("provided", date(2024, 1, 8)),
    ("ruby2.7", date(2023, 12, 7)),
    ("python3.7", date(2023, 12, 4)),
    ("nodejs14.x", date(2023, 12, 4)),
    ("dotnetcore3.1", date(2023, 4, 3)),
    ("nodejs12.x", date(2023, 3, 31)),
    ("python3.6", date(2022, 7, 18)),
    ("dotnet5.0", date(2022, 5, 10)),
    ("dotnetcore2.1", date(2022, 1, 5)),
    ("nodejs10.x", date(2021, 7, 30)),
    ("ruby2.5", date(2021, 7, 30)),
    ("python2.7", date(2021, 7, 15)),
    ("nodejs8.10", date(2020, 3, 6)),
    ("nodejs4.3", date(2020, 3, 5)),
    ("nodejs6.10", date(2019, 8, 12)),
    ("dotnetcore1.0", date(2019, 6, 27)),
    ("dotnetcore2.0", date(2019, 5, 30)),
];

/// Days on which changing a function of a runtime is blocked, where AWS named them.
const UPDATE_BLOCKED: &[(&str, Date)] = &[("python3.9", date(2027, 3, 3))];

/// Between deprecation and the block of changes lie at least so many days.
const LEAST_GRACE_DAYS: i64 = 60;

/// The runtime of AWS's published rotation templates and of CloudFormation's transform. Source: aws-cdk issue 37462.
pub(in crate::diagnosis) const OF_TEMPLATES: &str = "python3.10";

/// The day `runtime` is or was deprecated, where that is known.
pub(in crate::diagnosis) fn deprecated_on(runtime: &str) -> Option<Date> {
    DEPRECATED.iter().find(|(name, _)| *name == runtime).map(|(_, day)| *day)
}

/// The first day on which Lambda may refuse to change a function of `runtime`, or to set one to it.
pub(in crate::diagnosis) fn blocked_from(runtime: &str) -> Option<Date> {
    let named = UPDATE_BLOCKED.iter().find(|(name, _)| *name == runtime).map(|(_, day)| *day);
    named.or_else(|| deprecated_on(runtime)?.checked_add(LEAST_GRACE_DAYS.days()).ok())
}

/// True where Lambda certainly lets a function be set to `runtime` on `today`.
pub(in crate::diagnosis) fn may_be_set(runtime: &str, today: Date) -> bool {
    blocked_from(runtime).is_none_or(|blocked| today < blocked)
}

/// A function whose runtime is, or will be by the next rotation, past the day from which on Lambda takes no change of it.
///
/// Lambda goes on running such functions, so this may stop a rotation and need not.
pub(in crate::diagnosis) fn past_block(context: &DiagnosisContext<'_>) -> Option<Obstacle> {
    let runtime = context.function().filter(|_| context.rotates_by_function())?.runtime.as_deref()?;
    let day = blocked_from(runtime)?;
    let next = context.config().and_then(|config| config.due.next.or(config.next_rotation_at)).unwrap_or(context.now());
    let horizon = TimeZone::UTC.to_datetime(next.max(context.now())).date();
    let at = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    let text = format!(
        "The runtime {runtime} is past its block date {day}: Lambda may refuse changes of the function, and no longer promises \
         to run it."
    );
    let fact = Proof::of(StepName::RotationFunction, "lambda:GetFunctionConfiguration", format!("Runtime {runtime}"));
    (day <= horizon).then_some(Obstacle {
        cause: Cause::DeprecatedRuntime,
        confidence: Confidence::Possible,
        at: Some(at),
        text,
        proof: Some(fact),
        author: None,
    })
}

/// `python3.9` of `python:3.9`, `nodejs18.x` of `nodejs:18`: as a function's configuration writes what INIT_START tells.
pub(in crate::diagnosis) fn identifier(told: &str) -> Option<String> {
    let (family, version) = told.split_once(':')?;
    Some(match family {
        "nodejs" => format!("nodejs{version}.x"),
        "python" | "ruby" | "java" | "dotnet" => format!("{family}{version}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{facts, healthy};

    #[test]
    fn a_blocked_runtime_may_not_be_set_and_a_supported_one_may() {
        let today = date(2026, 11, 30);
        for (runtime, may) in [
            ("python3.7", false),
            ("python3.8", false),
            ("python3.9", true),
            ("python3.10", true),
            ("python3.13", true),
            ("python3.14", true),
            ("nodejs18.x", false),
            ("nodejs24.x", true),
        ] {
            assert_eq!(may_be_set(runtime, today), may, "{runtime}");
        }
        assert!(!may_be_set("python3.9", date(2027, 3, 3)));
        assert!(!may_be_set("python3.10", date(2026, 12, 30)));
    }

    #[test]
    fn what_init_start_tells_is_written_as_a_configuration_writes_it() {
        for (told, written) in
            [("python:3.9", Some("python3.9")), ("nodejs:18", Some("nodejs18.x")), ("provided:al2023", None), ("python3.9", None)]
        {
            assert_eq!(identifier(told).as_deref(), written, "{told}");
        }
    }

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
}
