//! # A VPC endpoint policy denies the call
//!
//! The interface endpoint through which the function calls AWS has its own policy.
//!
//! **Shows as** `because no VPC endpoint policy allows …`, `with an explicit deny in a VPC endpoint policy`.
//!
//! **Is not it** when the function is in no VPC.

use crate::diagnosis::refusal::{Weighed, logged, weigh};
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

const CAUSE: Cause = Cause::VpcEndpointPolicyDeny;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::VPC_ENDPOINTS],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if logged(context, CAUSE).is_none() {
        return match (context.without_function(), context.function()) {
            (None, Some(function)) if function.vpc.is_none() => Verdict::clear("the function is in no VPC"),
            _ => context.not_in_logs(),
        };
    }
    let opinion = match weigh(context, CAUSE, "no failing invocation reports it") {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    let vpc = context.function().and_then(|function| function.vpc.as_ref()).map_or("VPC_ID", |vpc| vpc.vpc_id.as_str());
    let named = opinion.denying_policy().map(|arn| format!(", {arn},")).unwrap_or_default();
    let explanation = format!("The policy of a VPC endpoint{named} in {vpc} refuses {}.", opinion.actions());
    let service =
        opinion.refused.first().and_then(|denied| denied.action.split_once(':')).map_or("secretsmanager", |(name, _)| name);
    let remediation = Remediation::new(
        "Let the endpoint's policy allow the function's role the actions that rotation needs, and \
                                        rotate.",
    )
    .run(aws_in(
        context,
        &[
            "ec2",
            "describe-vpc-endpoints",
            "--filters",
            &format!("Name=vpc-id,Values={vpc}"),
            &format!("Name=service-name,Values=com.amazonaws.{}.{service}", context.evidence.region),
        ],
    ))
    .run(aws_in(
        context,
        &["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", "VPCE_ID", "--policy-document", "file://endpoint-policy.json"],
    ))
    .run(rotate_now(context))
    .needs("ec2:DescribeVpcEndpoints")
    .needs("ec2:ModifyVpcEndpoint")
    .warn("The policy applies to everything in the VPC that uses the endpoint.")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/vpc-endpoint-overview.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, RotationStep, StepName};

    #[test]
    fn a_line_that_names_the_endpoints_policy_is_believed_whatever_the_simulation_says() {
        let mut evidence = healthy();
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {SECRET} because no VPC endpoint policy allows the \
             secretsmanager:GetSecretValue action"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.explanation.contains("vpc-0a1b2c3d"));
    }

    #[test]
    fn outside_a_vpc_it_is_clear_and_with_unread_logs_unknown() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
        facts(&mut evidence.function).vpc = None;
        assert_clear(CAUSE, &evidence);
    }
}
