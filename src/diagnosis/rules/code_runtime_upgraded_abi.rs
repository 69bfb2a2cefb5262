//! # The function's compiled modules do not fit its runtime
//!
//! The runtime changed under a bundle with compiled modules (`_pg`, `pymssql._pymssql`, `_mysql`), which fit the runtime they
//! were built for and no other.
//!
//! **Shows as** an import error that names a compiled module, and a change of the function's runtime.
//!
//! **Is not it** when the missing module is an ordinary one, or the bundle was deployed right before and its runtime left alone.

use crate::diagnosis::correlate::CLOSE_MINUTES;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::runtimes;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Confidence, Proof, Remediation, StepName};
use jiff::Timestamp;

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
        return Verdict::clear("the bundle was deployed right before the failures, and the runtime was not changed");
    }
    let upgrade = runtime_change(context, seen.read.event.at);
    let now = context.function().and_then(|function| function.runtime.as_deref());
    let runtime = now.map(|runtime| format!(", {runtime}")).unwrap_or_default();
    let mut explanation = format!("A compiled module in the function's bundle does not load in its runtime{runtime}.");
    if let Some((change, runtime)) = &upgrade {
        explanation.push_str(&format!(" {} changed the runtime to {runtime}.", change.actor));
    }
    let remediation = remediation(context).rotate(context).link(TROUBLESHOOTING);
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

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    let for_good = "upgrade for good: build the bundle for the new runtime, with every compiled module";
    match runtimes::previous(context) {
        Some(runtime) => {
            Remediation::new(format!("Set the runtime back to the one the bundle was built for and rotate. Then {for_good}."))
                .configure_function(context, &["--runtime", &runtime])
        }
        None => {
            let group = context.function().map(|function| function.log_group.clone());
            let group = group.or_else(|| context.function_name().map(|name| format!("/aws/lambda/{name}"))).unwrap_or_default();
            let look = ["logs", "filter-log-events", "--log-group-name", &group, "--filter-pattern", "INIT_START"];
            Remediation::new(format!(
                "Which runtime the bundle was built for is not known here; the start lines of earlier runs name it. Set it back \
                 where Lambda still takes it, and {for_good}."
            ))
            .run(aws_in(context, &look))
            .needs("logs:FilterLogEvents")
            .configure_function(context, &["--runtime", "PREVIOUS_RUNTIME"])
        }
    }
}

/// True when a compiled module does not load because of the bundle that was deployed, not of a runtime that changed under it.
pub(super) fn is_built_wrong(context: &DiagnosisContext<'_>) -> bool {
    let (Some(seen), Some(row), Some(found)) = (context.seen(RULE.cause), &context.failing, context.evidence.changes.found())
    else {
        return false;
    };
    let is_deployed = found.changes.iter().any(|change| {
        change.concerns == Concern::Function
            && change.event.starts_with("UpdateFunctionCode")
            && change.at <= row.first_at
            && row.first_at.duration_since(change.at).as_mins() <= CLOSE_MINUTES
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
