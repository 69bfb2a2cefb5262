//! # The function cannot reach an AWS endpoint
//!
//! The function runs in a VPC and has no way to Secrets Manager (or to RDS or KMS): no NAT gateway, no interface
//! endpoint, an endpoint whose security group or network ACL blocks port 443, private DNS turned off, or a wrong
//! SECRETS_MANAGER_ENDPOINT. A public subnet does not help: a function has no public address.
//!
//! **Shows as** a timeout in createSecret with nothing after `Found credentials in environment variables`, or `Connect
//! timeout on endpoint URL` and `Could not connect to the endpoint URL` for an AWS host.
//!
//! **Is not it** when Secrets Manager answered in the same invocation, or the function is in no VPC.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::remedy::{NETWORK_ACCESS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::AwsEndpointUnreachable,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::VPC_ENDPOINTS,
        change_events::NAT_GATEWAYS,
        change_events::FUNCTION_VPC,
        change_events::ROUTES,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(seen) = context.seen(RULE.cause) {
        let service = endpoint_service(&seen.read.event.text);
        let explanation = match service {
            Some(service) => format!("The function could not connect to the AWS endpoint of {service}{}.", seen.in_step()),
            None => format!("The function could not connect to an AWS endpoint{}.", seen.in_step()),
        };
        let mut finding =
            said(context, RULE.cause, &seen, explanation, remediation(context, service.unwrap_or("secretsmanager")));
        if service.is_some() && seen.is_latest {
            // The line names what could not be connected: decisive alone.
            finding.confidence = Confidence::Confirmed;
        }
        return finding.into();
    }
    let Some(hang) = Hang::newest(context) else { return not_said(context, &RULE) };
    let Some(confidence) = hang.at_endpoint() else {
        return Verdict::clear(if hang.success_came_close().is_some() {
            "successful invocations come close to the timeout"
        } else if context.function().is_some_and(|function| function.vpc.is_none()) {
            "the function is in no VPC"
        } else {
            "Secrets Manager answered before the function hung"
        });
    };
    let vpc = match context.function().and_then(|function| function.vpc.as_ref()) {
        Some(vpc) => format!(" in {}", vpc.vpc_id),
        None => String::new(),
    };
    let certainty = if confidence == Confidence::Possible { " It may have been waiting for something else." } else { "" };
    let explanation = format!(
        "The function{vpc} hung{} until its timeout, and nothing shows that Secrets Manager had answered.{certainty}",
        hang.in_step()
    );
    context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation(context, "secretsmanager")).into()
}

fn remediation(context: &DiagnosisContext<'_>, service: &str) -> Remediation {
    let fix = Remediation::new(
        "Give the function's subnets a way out: an interface endpoint for the service, with a security group that lets the \
         function in on port 443, or a route to a NAT gateway. If the function sets SECRETS_MANAGER_ENDPOINT, check its value.",
    );
    let Some(vpc) = context.function().and_then(|function| function.vpc.as_ref()) else {
        // Outside a VPC nothing stands between the function and AWS but the address it was given.
        let names = context.function().map(|function| function.environment_names.as_slice()).unwrap_or_default();
        let fix = match names.iter().any(|name| name == "SECRETS_MANAGER_ENDPOINT") {
            true => fix.set_environment(context),
            false => fix,
        };
        return fix.rotate(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING);
    };
    let name = format!("com.amazonaws.{}.{service}", context.evidence.region);
    let filters = [format!("Name=vpc-id,Values={}", vpc.vpc_id), format!("Name=service-name,Values={name}")];
    let [in_vpc, of_service] = &filters;
    let look = ["ec2", "describe-vpc-endpoints", "--filters", in_vpc, of_service];
    let mut make = vec!["ec2", "create-vpc-endpoint", "--vpc-id", &vpc.vpc_id, "--vpc-endpoint-type", "Interface"];
    make.extend(["--service-name", &name, "--subnet-ids"]);
    make.extend(vpc.subnet_ids.iter().map(String::as_str));
    make.extend(["--security-group-ids", "ENDPOINT_SECURITY_GROUP", "--private-dns-enabled"]);
    fix.run(aws_in(context, &look))
        .needs("ec2:DescribeVpcEndpoints")
        .run(aws_in(context, &["ec2", "describe-security-groups", "--filters", in_vpc]))
        .needs("ec2:DescribeSecurityGroups")
        .run(aws_in(context, &make))
        .needs("ec2:CreateVpcEndpoint")
        .rotate(context)
        .warn(
            "With private DNS, every call from this VPC to the service goes through the endpoint: its security group must let in \
             everything that calls the service today.",
        )
        .link(NETWORK_ACCESS)
        .link(TROUBLESHOOTING)
}

/// The service of the AWS endpoint a line names, such as `secretsmanager`.
fn endpoint_service(text: &str) -> Option<&str> {
    let host = text.split_once("https://")?.1.split(['/', '"', '\'', ' ', ':']).next()?;
    host.contains(".amazonaws.com").then(|| host.split('.').next()).flatten().filter(|service| !service.starts_with("vpce-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, facts, fail, finding, hang_in, healthy};
    use crate::model::{Evidence, RotationStep, StepName};

    const FOUND: &str = "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tFound credentials in environment variables.";

    fn hung(lines: &[&str]) -> Evidence {
        let mut evidence = healthy();
        hang_in(&mut evidence, RotationStep::CreateSecret, lines);
        evidence
    }

    #[test]
    fn a_silent_timeout_in_create_secret_inside_a_vpc_is_likely_the_endpoint() {
        let found = finding(RULE.cause, &hung(&[FOUND]));
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("in vpc-0a1b2c3d hung in createSecret"), "{}", found.explanation);
        assert_eq!(
            found.remediation.commands.get(2).map(String::as_str),
            Some(
                "aws ec2 create-vpc-endpoint --vpc-id vpc-0a1b2c3d --vpc-endpoint-type Interface --service-name \
                 com.amazonaws.eu-west-1.secretsmanager --subnet-ids subnet-0a1b2c3d --security-group-ids \
                 ENDPOINT_SECURITY_GROUP --private-dns-enabled --region eu-west-1"
            )
        );
    }

    #[test]
    fn the_step_follows_from_the_order_of_invocations_where_neither_line_nor_event_names_it() {
        let mut evidence = hung(&[FOUND]);
        facts(&mut evidence.history).attempts.pop();
        facts(&mut evidence.logs).invocations.last_mut().unwrap().step = None;
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn a_connect_timeout_that_names_an_aws_host_is_decisive() {
        let mut evidence = healthy();
        let line = "[ERROR] ConnectTimeoutError: Connect timeout on endpoint URL: \"https://kms.eu-west-1.amazonaws.com/\"";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(found.explanation.contains("the AWS endpoint of kms"), "{}", found.explanation);
    }

    #[test]
    fn it_is_clear_outside_a_vpc_and_once_secrets_manager_answered() {
        let mut evidence = hung(&[FOUND]);
        facts(&mut evidence.function).vpc = None;
        assert_clear(RULE.cause, &evidence);
        assert_clear(RULE.cause, &hung(&[FOUND, "createSecret: Successfully put secret for ARN x and version y."]));
        assert_clear(RULE.cause, &healthy());
    }

    #[test]
    fn without_the_log_it_cannot_be_told() {
        let mut evidence = hung(&[FOUND]);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
