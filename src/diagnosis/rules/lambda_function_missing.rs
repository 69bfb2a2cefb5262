//! # The rotation function does not exist
//!
//! The secret names a function, a version or an alias that was deleted.
//!
//! **Shows as** `ResourceNotFoundException` from GetFunctionConfiguration; DeleteFunction in CloudTrail.

use crate::diagnosis::remedy::{aws_in, list_functions};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, Observation, Proof, Remediation, StepName};

const CAUSE: Cause = Cause::LambdaFunctionMissing;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[change_events::FUNCTION_DELETED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    let Some(arn) = context.evidence.function_arn() else { return Verdict::clear("rotation names no function") };
    match &context.evidence.function.observation {
        Observation::NoData { .. } => {}
        Observation::Found(_) => return Verdict::clear("the function exists"),
        other => return Verdict::unknown(other.missing().unwrap_or_else(|| "the function was not looked at".to_owned())),
    }
    let mut evidence = vec![Proof::of(
        StepName::RotationFunction,
        "lambda:GetFunctionConfiguration",
        format!("ResourceNotFoundException: {arn}"),
    )];
    let mut explanation = match arn.qualifier() {
        Some(qualifier) => format!(
            "The secret is bound to {arn}, and that function, or its version or alias {qualifier}, does \
                                    not exist."
        ),
        None => format!("The secret is bound to {arn}, and there is no such function."),
    };
    if let Some(change) = context.last_change(Concern::Function, &["DeleteFunction", "DeleteAlias"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    let remediation = Remediation::new("Deploy the function again, or bind the secret to one that exists, which also rotates.")
        .run(list_functions(context))
        .run(aws_in(
            context,
            &["secretsmanager", "rotate-secret", "--secret-id", context.secret_id(), "--rotation-lambda-arn", "NEW_FUNCTION_ARN"],
        ))
        .needs("secretsmanager:RotateSecret")
        .needs("lambda:InvokeFunction")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_available-rotation-templates.html");
    context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;

    #[test]
    fn a_function_that_is_gone_is_decisive_alone() {
        let mut evidence = healthy();
        evidence.function = record(no_data());
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.explanation.contains(FUNCTION));
    }

    #[test]
    fn it_is_clear_only_where_function_and_configuration_were_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
        deny(&mut evidence, StepName::RotationConfig);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
