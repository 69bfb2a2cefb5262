//! # The function's compiled modules do not fit its runtime
//!
//! The runtime changed under a bundle with compiled modules (`_pg`, `pymssql._pymssql`, `_mysql`), which fit the runtime they
//! were built for and no other.
//!
//! **Shows as** an import error that names a compiled module, and a change of the function's runtime: an event, or another
//! version in INIT_START than before.
//!
//! **Is not it** when nothing shows that the runtime changed: then the bundle was built for another runtime, which is an
//! import error.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::code;
use crate::diagnosis::readings::runtime::{self, RuntimeChange};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

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
    let Some(change) = runtime_change(context) else {
        return match context.evidence.changes.observation.missing() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("the runtime was not changed before the failures, so the bundle is at fault"),
        };
    };
    let now = context.function().and_then(|function| function.runtime.as_deref());
    let runtime = now.map(|runtime| format!(", {runtime}")).unwrap_or_default();
    let explanation = format!(
        "A compiled module in the function's bundle does not load in the function's \
                               runtime{runtime}.{}",
        change.said
    );
    let remediation = match runtime::previous(context) {
        // What was built for the new runtime would fail on the old one: code and runtime go together, later.
        Some(previous) => Remediation::new(format!(
            "Set the runtime back to {previous}, for which the bundle was built, and rotate. Later build the bundle with all its \
             modules for the other runtime, and change code and runtime together."
        ))
        .configure_function(context, &["--runtime", &previous]),
        None => Remediation::new(
            "Lambda may no longer accept the former runtime: build the bundle with all its modules for the present runtime and \
             architecture, deploy it, and rotate.",
        )
        .deploy_code(context),
    };
    let remediation = remediation.rotate(context).link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    // The line tells that a module does not load; only an event that changed the runtime tells why.
    finding.confidence = match change.is_told {
        true if seen.is_latest => Confidence::Confirmed,
        _ => finding.confidence.min(Confidence::Likely),
    };
    finding.evidence.push(change.proof);
    code::beside(context, &seen, Cause::CodeImportError, &mut finding);
    finding.into()
}

/// True when a compiled module does not load because of the bundle that was deployed, not of a runtime that changed under it.
pub(super) fn is_built_wrong(context: &DiagnosisContext<'_>) -> bool {
    context.seen(RULE.cause).is_some() && runtime_change(context).is_none()
}

/// What changed the runtime since the last success, and before the module did not load.
fn runtime_change(context: &DiagnosisContext<'_>) -> Option<RuntimeChange> {
    runtime::change(context, context.seen(RULE.cause)?.read.event.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, change, deny, facts, fail, finding, healthy, hours_ago};
    use crate::model::{Change, Concern, Evidence, LogEvent, RotationStep};
    use serde_json::json;

    const LINE: &str = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'";

    fn broken() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        evidence
    }

    #[test]
    fn the_line_alone_is_an_import_error_and_with_a_runtime_change_a_confirmed_upgrade() {
        let mut evidence = broken();
        assert_clear(RULE.cause, &evidence);
        let found = finding(Cause::CodeImportError, &evidence);
        assert!(found.evidence.iter().any(|proof| proof.text == LINE));
        assert!(found.remediation.commands.iter().all(|command| !command.contains("--runtime")));
        facts(&mut evidence.changes).changes.push(Change {
            parameters: json!({"functionName": "orders-rotator", "runtime": "python3.13"}),
            ..change(hours_ago(30), "UpdateFunctionConfiguration", Concern::Function)
        });
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.explanation.contains("carol changed the runtime to python3.13"), "{}", found.explanation);
        assert_clear(Cause::CodeImportError, &evidence);
    }

    #[test]
    fn a_change_before_the_last_success_explains_nothing_and_refused_events_leave_it_open() {
        let mut evidence = broken();
        facts(&mut evidence.changes).changes.push(Change {
            parameters: json!({"functionName": "orders-rotator", "runtime": "python3.13"}),
            ..change(hours_ago(300), "UpdateFunctionConfiguration", Concern::Function)
        });
        assert_clear(RULE.cause, &evidence);
        deny(&mut evidence, StepName::ConfigChanges);
        assert_unknown(RULE.cause, &evidence, "cloudtrail:LookupEvents");
        finding(Cause::CodeImportError, &evidence);
    }

    #[test]
    fn two_versions_in_init_start_are_a_change_and_the_former_runtime_is_named_where_lambda_takes_it() {
        for (before, allowed) in [("python:3.12.v36", true), ("python:3.7.v5", false)] {
            let mut evidence = broken();
            let line =
                |at, version: &str| LogEvent { at, stream: "s".into(), text: format!("INIT_START Runtime Version: {version}") };
            let runs = &mut facts(&mut evidence.logs).invocations;
            let started = runs.last().unwrap().started_at;
            runs.last_mut().unwrap().lines.insert(0, line(started, "python:3.13.v40"));
            runs.first_mut().unwrap().lines.insert(0, line(hours_ago(240), before));
            facts(&mut evidence.function).runtime = Some("python3.13".to_owned());
            let found = finding(RULE.cause, &evidence);
            assert_eq!(found.confidence, Confidence::Likely);
            let sets_back = found.remediation.commands.iter().any(|command| command.contains("--runtime"));
            assert_eq!(sets_back, allowed, "{:?}", found.remediation.commands);
        }
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
