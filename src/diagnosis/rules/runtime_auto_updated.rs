//! # AWS updated the runtime under the function
//!
//! Lambda moves functions to newer patch versions of their runtime by itself. What the function relied on, a library of the
//! runtime or its behaviour, has changed.
//!
//! **Shows as** another patch number in INIT_START between the last invocation that worked and the first that failed, with
//! a fault of loading or running code, and no change of the function between them.
//!
//! **Is not it** when the function or its code was changed in between, or the failure is the database's or a permission's.

use crate::diagnosis::readings::by_log::not_said;
use crate::diagnosis::readings::runtime::version::{RuntimeVersion, before_and_after};
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Concern, Confidence, Proof, Remediation, StepName};

const CAUSE: Cause = Cause::RuntimeAutoUpdated;

/// What another runtime can break.
const BREAKS: &[Cause] = &[
    Cause::CodeImportError,
    Cause::CodeRuntimeUpgradedAbi,
    Cause::CodeSyntaxOrHandlerError,
    Cause::CodeUnhandledException,
    Cause::DependencyMissingAtRuntime,
    Cause::DependencyApiChanged,
    Cause::LambdaExtensionCrash,
    Cause::DbSslMismatch,
];

/// True for what fails where the runtime is no longer the one the code worked on.
pub(in crate::diagnosis) fn is_broken_by_a_runtime(cause: Cause) -> bool {
    BREAKS.contains(&cause)
}

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some((before, after)) = updated(context) else {
        return match before_and_after(context) {
            Some(_) => Verdict::clear("the runtime's version did not change, or the function was changed with it"),
            None if context.failures.is_empty() => not_said(context, &RULE),
            None => Verdict::clear("no INIT_START line shows another version of the runtime"),
        };
    };
    let seen = context.seen_where(|read| is_broken_by_a_runtime(read.classification.cause));
    let Some(seen) = seen.filter(|seen| seen.is_latest) else {
        return Verdict::clear(format!("the runtime became {after}, but it is not the function's code that fails"));
    };
    let explanation = format!(
        "AWS moved the function from {before} to {after}, and its code has failed{} since then; nobody changed the function.",
        seen.in_step()
    );
    let log = |text: String| Proof::of(StepName::FunctionLogs, "logs:FilterLogEvents", text);
    let mut evidence = vec![
        seen.proof(),
        log(format!("INIT_START: {before} in the last invocation that worked, {after} in the first that failed")),
    ];
    evidence.extend(context.failed_attempt_proof());
    // That nothing else changed is a fact only where it was looked for.
    let looked = context.evidence.changes.found().is_some_and(|changes| changes.complete);
    let confidence = if looked { Confidence::Confirmed } else { Confidence::Likely };
    context.finding(CAUSE, confidence, explanation, evidence, fix(context, &before)).into()
}

/// The versions before and after, where only AWS can have changed them.
pub(super) fn updated(context: &DiagnosisContext<'_>) -> Option<(RuntimeVersion, RuntimeVersion)> {
    let (before, after) = before_and_after(context)?;
    let is_patch = before.runtime == after.runtime && before.patch != after.patch;
    (is_patch && !is_changed_by_somebody(context)).then_some((before, after))
}

/// True where an event shows that the function was changed since the last success, or its own date does.
fn is_changed_by_somebody(context: &DiagnosisContext<'_>) -> bool {
    let Some(suspicion) = context.suspicion() else { return false };
    let changes = context.evidence.changes.found().map(|found| found.changes.as_slice()).unwrap_or_default();
    let by_event = changes.iter().any(|change| {
        change.concerns == Concern::Function && change.event.starts_with("UpdateFunction") && suspicion.contains(change.at)
    });
    let by_date = context.function().and_then(|function| function.last_modified_at).is_some_and(|at| suspicion.contains(at));
    by_event || by_date
}

fn fix(context: &DiagnosisContext<'_>, before: &RuntimeVersion) -> Remediation {
    let name = context.function_name().unwrap_or("FUNCTION_NAME");
    let remediation = Remediation::new(
        "Bind the function to the runtime version on which it worked, and rotate. Later put into the package whatever the code \
         took from the runtime, and let AWS update the runtime again.",
    );
    let remediation = match &before.arn {
        Some(arn) => remediation.run(aws_in(
            context,
            &[
                "lambda",
                "put-runtime-management-config",
                "--function-name",
                name,
                "--update-runtime-on",
                "Manual",
                "--runtime-version-arn",
                arn,
            ],
        )),
        None => remediation.run(aws_in(context, &["lambda", "get-runtime-management-config", "--function-name", name])),
    };
    remediation
        .needs("lambda:PutRuntimeManagementConfig")
        .warn("A function bound to one runtime version gets no security updates: take that back once the package is mended.")
        .rotate(context)
        .link("https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, LogEvent, RotationStep};

    const IMPORT: &str =
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'urllib3.util.ssl_'";

    fn with_versions(before: &str, after: &str) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[IMPORT]);
        let invocations = &mut facts(&mut evidence.logs).invocations;
        let last = invocations.len() - 1;
        for (place, version) in [(0, before), (last, after)] {
            let at = invocations[place].started_at;
            // Each environment has a stream of its own.
            let stream = format!("stream-{place}");
            let text = format!(
                "INIT_START Runtime Version: {version}\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:{place}0ab"
            );
            invocations[place].stream.clone_from(&stream);
            invocations[place].lines.insert(0, LogEvent { at, stream, text });
        }
        evidence
    }

    #[test]
    fn another_patch_between_success_and_failure_is_awss_update_and_is_bound_back() {
        let diagnosis = diagnose(&with_versions("python:3.13.v40", "python:3.13.v41"));
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.explanation.contains("from python:3.13.v40 to python:3.13.v41"), "{}", root.explanation);
        assert!(
            root.remediation.commands[0]
                .ends_with("--runtime-version-arn arn:aws:lambda:eu-west-1::runtime:00ab --region eu-west-1")
        );
    }

    #[test]
    fn the_same_patch_a_change_of_the_function_and_a_fault_of_the_database_speak_against_it() {
        assert_clear(CAUSE, &with_versions("python:3.13.v40", "python:3.13.v40"));
        assert_clear(CAUSE, &with_versions("python:3.9.v80", "python:3.13.v41"));
        let mut changed = with_versions("python:3.13.v40", "python:3.13.v41");
        facts(&mut changed.changes).changes.push(change(hours_ago(100), "UpdateFunctionCode", Concern::Function));
        assert_clear(CAUSE, &changed);
        let mut database = with_versions("python:3.13.v40", "python:3.13.v41");
        let failing = facts(&mut database.logs).invocations.last_mut().unwrap();
        failing.lines.last_mut().unwrap().text = "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist".into();
        assert_clear(CAUSE, &database);
    }

    #[test]
    fn a_healthy_rotation_is_clear_and_an_unread_log_is_not() {
        assert_clear(CAUSE, &healthy());
        let mut evidence = with_versions("python:3.13.v40", "python:3.13.v41");
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
    }
}
