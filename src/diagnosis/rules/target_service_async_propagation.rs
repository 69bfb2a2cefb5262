//! # The database or service had not applied the change yet
//!
//! Db2, ElastiCache and others accept a new password or key at once but apply it later, so the test that follows comes too
//! early. A retry mostly succeeds, and nothing needs to be done.
//!
//! **Shows as** testSecret failing once and succeeding on the retry, `did not reached the active status`,
//! `InvalidUserState … modifying`.
//!
//! **Is not it** when every retry fails.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::healed;
use crate::diagnosis::remedy::{TEMPLATES, longer_timeout};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, Severity, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::TargetServiceAsyncPropagation,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// How long the newer templates may wait until a change is applied, with room, in seconds.
const LEAST_S: u32 = 120;

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = format!(
            "The database or service had not yet applied the new credential when the function used it{}.",
            seen.in_step()
        );
        let remediation = match longer_timeout(context, LEAST_S) {
            Some(longer) => Remediation::new(
                "Raise the function's timeout, so that it can wait longer for the change, and rotate. If it still fails, create the \
                 function anew from the current template, which waits longer.",
            )
            .configure_function(context, &["--timeout", &longer.to_string()]),
            None => Remediation::new("Rotate again, at a time when the database or service has less to do."),
        }
        .rotate(context)
        .link(TEMPLATES);
        let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
        if seen.count > 1 {
            // A change that is only slow gets through on a retry: one that never does may have another reason.
            finding.confidence = finding.confidence.min(Confidence::Likely);
        }
        return finding.into();
    }
    let healed = healed::newest(context).filter(|healed| healed.reason(context).is_some_and(|(_, cause)| cause == RULE.cause));
    let Some(healed) = healed else { return not_said(context, &RULE) };
    let explanation = "The database or service applied the new credential late; the retry succeeded.";
    let nothing = Remediation::new("Nothing needs to be done.");
    let mut finding = context.finding(RULE.cause, Confidence::Confirmed, explanation, healed.proofs(context), nothing);
    finding.severity = Severity::Info;
    finding.into()
}
