//! # A subnet or security group of the function no longer exists
//!
//! **Shows as** the reason codes InvalidSubnet and InvalidSecurityGroup; InvalidSubnetIDException or
//! InvalidSecurityGroupIDException in an attempt's reason.
//!
//! **Is not it** when the function is in no VPC, or Active: Lambda checks its network before it activates a function.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

const CAUSE: Cause = Cause::LambdaVpcConfigInvalid;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[change_events::FUNCTION_CONFIGURATION, change_events::SUBNETS_DELETED],
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
    let Some(vpc) = &function.vpc else { return Verdict::clear("the function is in no VPC") };
    let Some(complaint) = context.complaint(CAUSE) else { return fine };
    let in_vpc = format!("Name=vpc-id,Values={}", vpc.vpc_id);
    // The reason names what is gone, and Lambda would refuse it again.
    let is_gone = |id: &str| complaint.evidence.iter().any(|proof| proof.text.contains(id));
    let kept = |ids: &[String], another: &str| {
        let kept: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !is_gone(id)).collect();
        if kept.is_empty() { another.to_owned() } else { kept.join(",") }
    };
    let subnets = kept(&vpc.subnet_ids, "NEW_SUBNET_ID");
    let groups = kept(&vpc.security_group_ids, "NEW_SECURITY_GROUP_ID");
    let remediation = Remediation::new(
        "Give the function subnets and security groups that exist, in place of the missing one: the first commands list those of its \
         VPC. Then rotate.",
    )
        .run(aws_in(context, &["ec2", "describe-subnets", "--filters", &in_vpc]))
        .run(aws_in(context, &["ec2", "describe-security-groups", "--filters", &in_vpc]))
        .run(aws_in(
            context,
            &[
                "lambda",
                "update-function-configuration",
                "--function-name",
                function.arn.name(),
                "--vpc-config",
                &format!("SubnetIds={subnets},SecurityGroupIds={groups}"),
            ],
        ))
        .needs("ec2:DescribeSubnets")
        .needs("ec2:DescribeSecurityGroups")
        .needs("lambda:UpdateFunctionConfiguration")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html");
    let explanation = format!("A subnet or security group in the configuration of {} no longer exists.", function.arn.name());
    complaint.finding(context, CAUSE, explanation, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, StepName};

    #[test]
    fn a_deleted_security_group_is_decisive() {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Inactive".to_owned());
        function.state_reason_code = Some("InvalidSecurityGroup".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[2].contains("sg-0a1b2c3d"));
    }

    #[test]
    fn an_active_function_speaks_against_it_and_an_unseen_one_does_not() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
