//! # The function's subnets or network interfaces are exhausted
//!
//! A function in a VPC needs a network interface and an address in its subnets. Where a quota is reached, a subnet is full,
//! or EC2 throttles Lambda, no invocation begins.
//!
//! **Shows as** the reason codes EniLimitExceeded, SubnetOutOfIPAddresses, EC2RequestLimitExceeded; ENILimitReachedException
//! or EC2ThrottledException in an attempt's reason.
//!
//! **Is not it** when the function is in no VPC.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName, Subnet, VpcConfig};

const CAUSE: Cause = Cause::LambdaVpcCapacity;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CONFIGURATION],
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
    let Some(complaint) = context.complaint(CAUSE) else { return context.not_in_logs() };
    let mut words = vec!["ec2", "describe-subnets", "--query", "Subnets[].[SubnetId,AvailableIpAddressCount]", "--subnet-ids"];
    words.extend(vpc.subnet_ids.iter().map(String::as_str));
    let remediation = Remediation::new(
        "Free addresses or network interfaces in these subnets, raise the quota, or give the function subnets with free \
         addresses.",
    )
    .run(aws_in(context, &words))
    .run(aws_in(context, &["ec2", "describe-subnets", "--filters", &format!("Name=vpc-id,Values={}", vpc.vpc_id)]))
    .run(aws_in(
        context,
        &[
            "lambda",
            "update-function-configuration",
            "--function-name",
            function.arn.name(),
            "--vpc-config",
            &format!(
                "SubnetIds={},SecurityGroupIds={}",
                free_subnets(context, vpc).as_deref().unwrap_or("NEW_SUBNET_ID"),
                vpc.security_group_ids.join(",")
            ),
        ],
    ))
    .needs("ec2:DescribeSubnets")
    .needs("lambda:UpdateFunctionConfiguration")
    .warn("A subnet that the function was not in needs a way to AWS and to the database, which was not looked at: see its route table first.")
    .link("https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html");
    let mut explanation = format!("Lambda could not get a network interface for {} in {}.", function.arn.name(), vpc.vpc_id);
    let full = full_subnets(context, vpc);
    if !full.is_empty() {
        let have = if full.len() == 1 { "has" } else { "have" };
        explanation.push_str(&format!(" {} {have} no free address.", full.join(" and ")));
    }
    let mut finding = complaint.finding(context, CAUSE, explanation, remediation);
    if !full.is_empty() {
        let fact = format!("AvailableIpAddressCount 0 in {}", full.join(", "));
        finding.evidence.push(Proof::of(StepName::RotationFunction, "ec2:DescribeSubnets", fact));
        // What Lambda says and what EC2 counts agree.
        finding.confidence = Confidence::Confirmed;
    }
    finding.into()
}

/// The function's subnets without a free address, as far as they were seen.
fn full_subnets<'a>(context: &DiagnosisContext<'a>, vpc: &VpcConfig) -> Vec<&'a str> {
    let seen = context.evidence.network.subnets.found().map(Vec::as_slice).unwrap_or_default();
    let own = seen.iter().filter(|subnet| vpc.subnet_ids.contains(&subnet.id));
    own.filter(|subnet| subnet.free_addresses == 0).map(|subnet| subnet.id.as_str()).collect()
}

/// The subnets with free addresses that the function can have instead: its own that have some, else others of its VPC.
fn free_subnets(context: &DiagnosisContext<'_>, vpc: &VpcConfig) -> Option<String> {
    let seen = context.evidence.network.subnets.found()?;
    let free = |own: bool| {
        let fits = |subnet: &&Subnet| {
            subnet.vpc_id == vpc.vpc_id && subnet.free_addresses > 0 && vpc.subnet_ids.contains(&subnet.id) == own
        };
        let ids: Vec<&str> = seen.iter().filter(fits).map(|subnet| subnet.id.as_str()).collect();
        (!ids.is_empty()).then(|| ids.join(","))
    };
    free(true).or_else(|| free(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::network::testing::world;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, Observation, StepName};

    #[test]
    fn a_full_subnet_is_decisive_and_its_subnets_are_named() {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Failed".to_owned());
        function.state_reason_code = Some("SubnetOutOfIPAddresses".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains("subnet-0a1b2c3d"));
        assert_clear(Cause::LambdaStateFailed, &evidence);
    }

    #[test]
    fn the_subnet_without_an_address_is_named_and_one_with_free_addresses_takes_its_place() {
        let mut evidence = healthy();
        evidence.network = world();
        let Observation::Found(subnets) = &mut evidence.network.subnets else { panic!() };
        subnets[0].free_addresses = 0;
        assert_clear(CAUSE, &evidence);
        let function = facts(&mut evidence.function);
        function.last_update_status = Some("Failed".to_owned());
        function.last_update_reason_code = Some("SubnetOutOfIPAddresses".to_owned());
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.explanation.ends_with("subnet-0a1b2c3d has no free address."), "{}", found.explanation);
        assert!(found.remediation.commands.iter().any(|command| command.contains("SubnetIds=subnet-0db")), "{found:#?}");
    }

    #[test]
    fn without_a_vpc_it_is_clear_and_without_function_or_logs_unknown() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
        facts(&mut evidence.function).vpc = None;
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
