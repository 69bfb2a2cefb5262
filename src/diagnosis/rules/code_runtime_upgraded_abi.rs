//! # The function's compiled modules do not fit its runtime
//!
//! The runtime changed under a bundle with compiled modules (`_pg`, `pymssql._pymssql`, `_mysql`), which fit the runtime they
//! were built for and no other.
//!
//! **Shows as** an import error that names a compiled module, and a change of the function's runtime.
//!
//! **Is not it** when the missing module is an ordinary one, or the bundle was deployed right before and its runtime left alone.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::runtime_version::before_and_after;
use crate::diagnosis::readings::runtimes::{identifier, may_be_set};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Confidence, Proof, Remediation, StepName};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub(super) const RULE: Rule = Rule {
    cause: Cause::CodeRuntimeUpgradedAbi,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return not_said(context, &RULE) };
    if is_built_wrong(context) {
        return Verdict::clear("the bundle was deployed since the last success, and the runtime was not changed");
    }
    let upgrade = runtime_change(context, seen.read.event.at);
    let now = context.function().and_then(|function| function.runtime.as_deref());
    let runtime = now.map(|runtime| format!(", {runtime}")).unwrap_or_default();
    let mut explanation = format!("A compiled module in the function's bundle does not load in its runtime{runtime}.");
    if let Some((change, runtime)) = &upgrade {
        explanation.push_str(&format!(" {} changed the runtime to {runtime}.", change.actor));
    }
    let remediation = remediation(context, seen.read.event.at);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    // The line tells that a module does not load; only a change of the runtime tells why.
    finding.confidence = match &upgrade {
        Some(_) if seen.is_latest => Confidence::Confirmed,
        _ => finding.confidence.min(Confidence::Likely),
    };
    finding.evidence.extend(upgrade.map(|(change, runtime)| Proof {
        step: StepName::ConfigChanges,
        call: "cloudtrail:LookupEvents".to_owned(),
        at: Some(change.at),
        text: format!("{} by {}: runtime {runtime}", change.event, change.actor),
    }));
    finding.into()
}

/// Back to the runtime the bundle was built for, where it is known and Lambda still takes it; else a bundle for this one.
fn remediation(context: &DiagnosisContext<'_>, failed_at: Timestamp) -> Remediation {
    let today = TimeZone::UTC.to_datetime(context.now()).date();
    let before = previous_runtime(context, failed_at).filter(|runtime| may_be_set(runtime, today));
    let remediation = match &before {
        Some(runtime) => Remediation::new(
            "Set the runtime back to the one the bundle was built for and rotate. Then upgrade for good: build the bundle for the \
             new runtime, and deploy the two together.",
        )
        .configure_function(context, &["--runtime", runtime]),
        None => Remediation::new(
            "Build the bundle, with its compiled modules, for the function's present runtime and architecture, deploy it, and \
             rotate. Lambda may not take a runtime of before any more.",
        )
        .deploy_code(context),
    };
    remediation.rotate(context).link(TROUBLESHOOTING)
}

/// The runtime before the change: as an earlier event set it, or as the log of an invocation that worked tells it.
fn previous_runtime(context: &DiagnosisContext<'_>, failed_at: Timestamp) -> Option<String> {
    let present = context.function().and_then(|function| function.runtime.clone());
    let by_log = before_and_after(context).and_then(|(before, _)| identifier(&before.runtime));
    let by_event = || {
        let (change, _) = runtime_change(context, failed_at)?;
        runtime_change(context, change.at.checked_sub(SignedDuration::from_secs(1)).ok()?).map(|(_, runtime)| runtime.to_owned())
    };
    by_log.or_else(by_event).filter(|runtime| present.as_ref() != Some(runtime))
}

/// True when a compiled module does not load because of the bundle that was deployed, not of a runtime that changed under it.
pub(super) fn is_built_wrong(context: &DiagnosisContext<'_>) -> bool {
    let (Some(seen), Some(suspicion), Some(found)) =
        (context.seen(RULE.cause), context.suspicion(), context.evidence.changes.found())
    else {
        return false;
    };
    let is_deployed = found.changes.iter().any(|change| {
        change.concerns == Concern::Function && change.event.starts_with("UpdateFunctionCode") && suspicion.contains(change.at)
    });
    is_deployed && runtime_change(context, seen.read.event.at).is_none()
}

/// The last change of the function's runtime before `failed_at`, and the runtime it chose.
fn runtime_change<'a>(context: &DiagnosisContext<'a>, failed_at: Timestamp) -> Option<(&'a Change, &'a str)> {
    let changes = &context.evidence.changes.found()?.changes;
    changes
        .iter()
        .rev()
        .filter(|change| change.concerns == Concern::Function && change.at <= failed_at)
        .filter(|change| change.event.starts_with("UpdateFunctionConfiguration"))
        .find_map(|change| Some((change, change.parameters.get("runtime")?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, change, deny, facts, fail, finding, healthy, hours_ago};
    use crate::model::{Evidence, RotationStep};
    use serde_json::json;

    const LINE: &str = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'";

    fn broken() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        evidence
    }

    #[test]
    fn the_line_alone_is_likely_and_with_a_runtime_change_confirmed() {
        let mut evidence = broken();
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.changes).changes.push(Change {
            parameters: json!({"functionName": "orders-rotator", "runtime": "python3.13"}),
            ..change(hours_ago(30), "UpdateFunctionConfiguration", Concern::Function)
        });
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.explanation.contains("carol changed the runtime to python3.13"), "{}", found.explanation);
    }

    #[test]
    fn a_bundle_deployed_right_before_is_built_wrong_unless_the_runtime_changed_too() {
        let mut evidence = broken();
        let at = DiagnosisContext::new(&evidence).failing.unwrap().first_at - jiff::SignedDuration::from_mins(10);
        facts(&mut evidence.changes).changes.push(change(at, "UpdateFunctionCode20150331v2", Concern::Function));
        assert_clear(RULE.cause, &evidence);
        assert!(finding(Cause::CodeImportError, &evidence).evidence.iter().any(|proof| proof.text == LINE));
        facts(&mut evidence.changes).changes.push(Change {
            parameters: json!({"functionName": "orders-rotator", "runtime": "python3.13"}),
            ..change(at, "UpdateFunctionConfiguration20150331v2", Concern::Function)
        });
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Confirmed);
        assert_clear(Cause::CodeImportError, &evidence);
    }

    #[test]
    fn the_runtime_is_set_back_to_a_known_one_that_lambda_still_takes_and_never_to_a_blocked_one() {
        let set = |hours, runtime: &str| Change {
            parameters: json!({"functionName": "orders-rotator", "runtime": runtime}),
            ..change(hours_ago(hours), "UpdateFunctionConfiguration", Concern::Function)
        };
        for (before, command) in [("python3.11", "--runtime python3.11"), ("python3.8", "update-function-code")] {
            let mut evidence = broken();
            facts(&mut evidence.changes).changes.extend([set(2000, before), set(30, "python3.13")]);
            let commands = finding(RULE.cause, &evidence).remediation.commands;
            assert!(commands[0].contains(command), "{commands:?}");
            assert!(!commands.iter().any(|command| command.contains("PREVIOUS_RUNTIME")), "{commands:?}");
        }
        let unknown = finding(RULE.cause, &broken()).remediation.commands;
        assert!(unknown[0].contains("update-function-code"), "{unknown:?}");
    }

    #[test]
    fn an_ordinary_module_is_an_import_error() {
        let mut evidence = healthy();
        let line = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        assert_clear(RULE.cause, &evidence);
        assert_eq!(finding(Cause::CodeImportError, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn a_healthy_rotation_is_clear_and_a_denied_log_is_not() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = broken();
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
