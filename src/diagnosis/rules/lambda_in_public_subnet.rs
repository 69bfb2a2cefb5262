//! # The function is in a public subnet
//!
//! The subnet's default route leads to an Internet gateway. That serves only what has a public address of its own, and a function in
//! a VPC never has one: its calls to AWS go nowhere.
//!
//! **Shows as** a timeout in createSecret, or `Connect timeout on endpoint URL`, with a route table that sends `0.0.0.0/0` to an
//! Internet gateway (`igw-…`) and no interface endpoint for Secrets Manager in the VPC.
//!
//! **Is not it** when the service's name leads to an interface endpoint in the VPC, or the default route to a NAT gateway.

use super::aws_endpoint_unreachable::{AwsCallSign, SECRETS_MANAGER, agreed, blocked_now, sign};
use crate::diagnosis::network::{NetworkFault, Reachability};
use crate::diagnosis::readings::network;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::LambdaInPublicSubnet,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_VPC, change_events::ROUTES, change_events::VPC_ENDPOINTS],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(paths) = network::to_service(context, SECRETS_MANAGER) else {
        return match context.function() {
            Some(function) if function.vpc.is_none() => Verdict::clear("the function is in no VPC"),
            _ => context.not_in_logs(),
        };
    };
    let fault = paths.worst().and_then(|path| path.fault());
    let Some(fault @ NetworkFault::InternetGateway { .. }) = fault else {
        return match (paths.reach(), paths.missing()) {
            (Reachability::Unknown, Some(missing)) => Verdict::unknown(missing),
            _ => Verdict::clear("no route to an Internet gateway is what the function's calls take"),
        };
    };
    match sign(context, RULE.cause) {
        AwsCallSign::Line(finding, named) if named.as_ref().is_none_or(|named| named.service == SECRETS_MANAGER) => {
            agreed(context, *finding, Some(&paths), SECRETS_MANAGER)
        }
        AwsCallSign::Hang(finding) => agreed(context, *finding, Some(&paths), SECRETS_MANAGER),
        AwsCallSign::Line(..) | AwsCallSign::None(_) => blocked_now(context, RULE.cause, &paths, fault).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::{public_subnet, world};
    use crate::diagnosis::testing::{assert_clear, facts, finding, hang_in, healthy};
    use crate::model::{Confidence, Observation, RotationStep, Severity};

    #[test]
    fn a_hang_in_a_public_subnet_is_confirmed_and_an_endpoint_of_its_own_heals_it() {
        let mut evidence = healthy();
        evidence.network = public_subnet();
        hang_in(&mut evidence, RotationStep::CreateSecret, &[]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert!(root.explanation.contains("igw-0a1b2c3d"), "{}", root.explanation);
        let other = diagnosis.findings.iter().find(|finding| finding.cause == Cause::AwsEndpointUnreachable).unwrap();
        assert_eq!(other.inhibited_by, Some(RULE.cause));
        assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
        assert!(diagnosis.plan.steps.iter().any(|step| step.command.contains("create-vpc-endpoint")
            && step.command.contains("--subnet-ids subnet-0a1b2c3d --security-group-ids sg-0vpce")));
    }

    #[test]
    fn a_rotation_that_works_yet_is_told_that_the_next_one_will_not() {
        let mut evidence = healthy();
        evidence.network = public_subnet();
        assert_eq!(finding(RULE.cause, &evidence).severity, Severity::Info);
        let forecast = diagnose(&evidence).forecast;
        assert!(forecast.blocking().any(|obstacle| obstacle.cause == RULE.cause), "{forecast:#?}");
    }

    #[test]
    fn an_endpoint_or_no_vpc_clears_it() {
        let mut evidence = healthy();
        evidence.network = public_subnet();
        evidence.network.endpoints = world().endpoints;
        assert_clear(RULE.cause, &evidence);
        evidence.network.endpoints = Observation::Found(Vec::new());
        facts(&mut evidence.function).vpc = None;
        assert_clear(RULE.cause, &evidence);
    }
}
