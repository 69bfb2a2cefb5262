//! # The function's role may not create network interfaces in its VPC
//!
//! Lambda uses the function's role to attach the function to its VPC.
//!
//! **Shows as** `does not have permissions to call CreateNetworkInterface on EC2`; the reason code
//! InsufficientRolePermissions; EC2AccessDeniedException.
//!
//! **Is not it** when the function is in no VPC, or Active: then its interfaces exist already.

use crate::diagnosis::refusal::{Weighed, weigh};
use crate::diagnosis::remedy::{aws, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::LambdaEniPermissionMissing;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[
        StepName::Secret,
        StepName::RotationConfig,
        StepName::RotationFunction,
        StepName::FunctionLogs,
        StepName::ExecutionRole,
    ],
    explained_by: &[change_events::ROLE_POLICIES, change_events::ROLE_TRUST, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let fine = context.function_is_fine();
    let Verdict::Clear { .. } = &fine else { return fine };
    let Some(function) = context.function() else { return fine };
    if let Some(outside) = context.without_function() {
        return outside;
    }
    if function.vpc.is_none() {
        return Verdict::clear("the function is in no VPC");
    }
    let partition = function.role.arn().partition();
    let remediation = Remediation::new("Let the role manage the function's network interfaces, and rotate.")
        .run(aws(&[
            "iam",
            "attach-role-policy",
            "--role-name",
            function.role.name(),
            "--policy-arn",
            &format!("arn:{partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"),
        ]))
        .configure_function(context, &["--role", function.role.arn().as_str()])
        .run(rotate_now(context))
        .needs("iam:AttachRolePolicy")
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html");
    let weighed = weigh(context, CAUSE, "the role may create the function's network interfaces");
    let explanation = format!("The role {} may not create network interfaces for the function.", function.role.name());
    match (context.complaint(CAUSE), weighed) {
        (Some(mut complaint), Weighed::For(opinion)) => {
            for proof in opinion.evidence {
                if !complaint.evidence.contains(&proof) {
                    complaint.evidence.push(proof);
                }
            }
            complaint.confidence = complaint.confidence.max(opinion.confidence);
            complaint.finding(context, CAUSE, explanation, remediation).into()
        }
        (Some(complaint), Weighed::Against(_)) => complaint.finding(context, CAUSE, explanation, remediation).into(),
        (None, Weighed::Against(verdict)) => verdict,
        (None, Weighed::For(_)) if function.state.as_deref() == Some("Active") => {
            Verdict::clear("the function is active, so its network interfaces exist")
        }
        (None, Weighed::For(mut opinion)) => {
            if opinion.severity > Severity::Info {
                opinion.confidence = Confidence::Possible;
            }
            opinion.finding(context, CAUSE, explanation, remediation).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn lambdas_own_reason_code_is_decisive() {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Failed".to_owned());
        function.state_reason_code = Some("InsufficientRolePermissions".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains("AWSLambdaVPCAccessExecutionRole"));
    }

    #[test]
    fn without_a_vpc_it_is_clear_and_an_unseen_role_or_function_is_unknown() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::ExecutionRole);
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
        facts(&mut evidence.function).vpc = None;
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
