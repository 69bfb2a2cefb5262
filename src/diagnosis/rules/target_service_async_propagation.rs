//! # The target had not applied the change yet
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
use crate::diagnosis::remedy::TEMPLATES;
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

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = format!(
            "The target (the database or service) had not yet applied the new credential when the function \
                                   used it{}.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Rotate again. If it keeps failing, raise the function's timeout, or recreate it from the current template, which waits \
             longer.",
        )
        .rotate(context)
        .configure_function(context, &["--timeout", "120"])
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
    let explanation = "The target (the database or service) applied the new credential late; the retry succeeded.";
    let nothing = Remediation::new("Nothing needs to be done.");
    let mut finding = context.finding(RULE.cause, Confidence::Confirmed, explanation, healed.proofs(context), nothing);
    finding.severity = Severity::Info;
    finding.into()
}
