//! # An AWS API throttled the function
//!
//! The account calls an API more often per second than AWS allows. The SDK tries again, and then Secrets Manager tries the
//! rotation again, so it mostly heals by itself.
//!
//! **Shows as** `ThrottlingException`, `Rate exceeded`, `Too Many Requests` from an AWS API.
//!
//! **Is not it** when the retry succeeded, or when Lambda itself refuses to run the function: then the function lacks
//! concurrency.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::remedy::ROTATION_FUNCTIONS;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::AwsApiThrottled,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Surface,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let explanation = format!(
            "AWS refused a call that the function made{}, because too many requests had \
                                   come.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Rotate again. If throttling persists, spread the rotation windows of the secrets that share the account, find the \
             caller that uses up the quota, or ask AWS for a higher quota.",
        )
        .rotate(context)
        .link(ROTATION_FUNCTIONS);
        let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
        // Throttling passes: a line proves that it stopped one attempt, not that it stops the next.
        finding.confidence = finding.confidence.min(Confidence::Likely);
        return finding.into();
    }
    not_said(context, &RULE)
}
