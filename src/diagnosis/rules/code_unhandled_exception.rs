//! # The function's own code raises an exception
//!
//! The function's code raised an exception that neither an answer of the database or service nor an input explains, or its
//! process ended.
//!
//! **Shows as** a stack trace whose last frame is in the function's package (`/var/task`); `Runtime exited with error: exit
//! status 1` or `signal: segmentation fault`, and nothing else.
//!
//! **Is not it** when an error of AWS or of a driver is nested in it, or another line of the same invocation says more.

use crate::diagnosis::context::Failure;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, LogEvent, Proof, Remediation, StepName, moment};
use jiff::Timestamp;
use regex::Regex;
use std::sync::LazyLock;

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeUnhandledException,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Surface,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return ended(context) };
    let explanation = format!("The function's code raised an exception{} and did not catch it.", seen.in_step());
    said(context, RULE.cause, &seen, explanation, remediation(context)).into()
}

/// The function's process ended, and only Lambda says so.
fn ended(context: &DiagnosisContext<'_>) -> Verdict {
    let newest = context.failures.last().filter(|failure| failure.most_specific_line().is_none() && !failure.timed_out());
    let Some((failure, line)) = newest.and_then(|failure| Some((failure, exit_line(failure)?))) else {
        return not_said(context, &RULE);
    };
    let how = EXIT.as_ref().and_then(|exit| exit.find(&line.text)).map_or("", |found| found.as_str());
    let (title, what) = if how.contains("signal") {
        (
            "the function's process crashed",
            "A compiled module or the runtime itself crashed; no exception was raised, so no line says where",
        )
    } else {
        ("the function's process exited", "The code called exit, or could not start, and wrote no reason")
    };
    let reason = if how.is_empty() { String::new() } else { format!(" ({how})") };
    let step = failure.step.map(|step| format!(" in {step}")).unwrap_or_default();
    let proof = Proof {
        step: StepName::FunctionLogs,
        call: "logs:FilterLogEvents".to_owned(),
        at: Some(line.at),
        text: line.text.trim().to_owned(),
    };
    let evidence = std::iter::once(proof).chain(context.failed_attempt_proof()).collect();
    let explanation = format!("Lambda reports that the function's process ended{step}{reason}. {what}.");
    let mut finding = context.finding(RULE.cause, Confidence::Likely, explanation, evidence, remediation(context));
    finding.title = title.to_owned();
    finding.into()
}

static EXIT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"exit (?:status|code) \d+|signal: [a-z -]+|without providing a reason").ok());

fn exit_line<'a>(failure: &Failure<'a>) -> Option<&'a LogEvent> {
    failure
        .invocation
        .lines
        .iter()
        .rev()
        .find(|event| ["Runtime exited", "Runtime.ExitError", "Runtime.Unknown"].iter().any(|word| event.text.contains(word)))
}

const UNCHANGED: &str = " The code was not changed before the first failure, so an older package would fail in the same way.";

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    let summary = match deployed_at(context) {
        Some(at) => format!(
            "The code was deployed on {}, after the last success and before the first failure: the quickest way back is the \
             package from before. Then correct the code at the last frame of the stack trace.",
            moment(at, context.now())
        ),
        None => {
            let told = context.evidence.changes.found().is_some_and(|changes| changes.complete);
            let unchanged = if told { UNCHANGED } else { "" };
            format!(
                "Read the code at the last frame of the stack trace and the input it had, correct it, deploy it, and \
                 rotate.{unchanged}"
            )
        }
    };
    Remediation::new(summary).deploy_code(context).rotate(context).link(ROTATION_FUNCTIONS)
}

/// When the code was deployed that fails: between the last success and the first failure.
fn deployed_at(context: &DiagnosisContext<'_>) -> Option<Timestamp> {
    let first = context.failing.as_ref()?.first_at;
    let changes = &context.evidence.changes.found()?.changes;
    let is_between = |at: Timestamp| at <= first && context.last_success_at.is_none_or(|success| at > success);
    changes
        .iter()
        .rev()
        .find(|change| change.event.starts_with("UpdateFunctionCode") && is_between(change.at))
        .map(|change| change.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{change, facts, fail, finding, healthy, hours_ago};
    use crate::model::{Concern, Outcome, RotationStep};

    #[test]
    fn a_process_that_ended_has_a_reason() {
        for (reason, title) in
            [("exit status 1", "exited"), ("signal: segmentation fault", "crashed"), ("signal: aborted", "crashed")]
        {
            let mut evidence = healthy();
            let line = format!("RequestId: r1 Error: Runtime exited with error: {reason}\nRuntime.ExitError");
            fail(&mut evidence, RotationStep::SetSecret, &[&line]);
            let diagnosis = diagnose(&evidence);
            assert_eq!(diagnosis.outcome, Outcome::RootCause, "{reason}");
            let root = diagnosis.root_cause().unwrap();
            assert_eq!(root.cause, RULE.cause);
            assert!(root.title.contains(title) && root.explanation.contains(reason), "{} {}", root.title, root.explanation);
        }
    }

    #[test]
    fn the_package_before_is_offered_only_where_one_was_deployed_before_the_failures() {
        let mut evidence = healthy();
        fail(
            &mut evidence,
            RotationStep::SetSecret,
            &["[ERROR] IndexError: list index out of range\nTraceback (most recent call last):"],
        );
        assert!(!finding(RULE.cause, &evidence).remediation.summary.contains("way back"));
        facts(&mut evidence.changes).changes.push(change(hours_ago(20), "UpdateFunctionCode20150331v2", Concern::Function));
        assert!(finding(RULE.cause, &evidence).remediation.summary.contains("way back"));
    }
}
