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

use crate::diagnosis::network::{NetworkFault, NetworkPaths, Reachability};
use crate::diagnosis::network_remedy::Towards;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::readings::named_endpoint::NamedEndpoint;
use crate::diagnosis::readings::network::{self, MENDED, Weight};
use crate::diagnosis::readings::services::needed_services;
use crate::diagnosis::remedy::{NETWORK_ACCESS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Finding, Proof, Remediation, RotationStep, StepName};

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

/// The service that every rotation calls.
pub(super) const SECRETS_MANAGER: &str = "secretsmanager";

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = untrusted_answer(context) {
        return verdict;
    }
    match sign(context, RULE.cause) {
        AwsCallSign::Line(finding, named) => {
            let paths = network::to_named(context, named.as_ref());
            let service = named.as_ref().map_or(SECRETS_MANAGER, |named| named.service.as_str());
            let verdict = by_network(context, *finding, paths.as_ref(), service);
            match named.filter(|named| named.elsewhere.is_some()) {
                Some(named) => at_home(context, verdict, &named),
                None => verdict,
            }
        }
        AwsCallSign::Hang(finding) => match network::to_service(context, SECRETS_MANAGER) {
            Some(paths) if paths.reach() == Reachability::Reachable && context.suspects(RULE.cause).is_empty() => {
                at_other_service(context)
                    .unwrap_or_else(|| Verdict::clear("every hop between the function and Secrets Manager lets it through"))
            }
            paths => by_network(context, *finding, paths.as_ref(), SECRETS_MANAGER),
        },
        AwsCallSign::None(verdict) => match at_other_service(context) {
            Some(found) => found,
            None => by_network_alone(context, verdict),
        },
    }
}

/// No endpoint of the VPC serves a host of another region: the function has to ask its own, or needs a way out.
fn at_home(context: &DiagnosisContext<'_>, verdict: Verdict, named: &NamedEndpoint) -> Verdict {
    let Verdict::Fires(mut finding) = verdict else { return verdict };
    let summary = match named.service.as_str() {
        "sts" => {
            "Let the function ask STS in its own region: set AWS_STS_REGIONAL_ENDPOINTS to regional in its environment. Give its \
             subnets an interface endpoint for sts, or a route to a NAT gateway. Then rotate."
        }
        _ => {
            "Let the function ask the endpoint of its own region: correct the region or the address in its environment. If it has to \
             ask the other region, give its subnets a route to a NAT gateway. Then rotate."
        }
    };
    let fix = Remediation::new(summary).set_environment(context).rotate(context);
    finding.remediation = fix.link(NETWORK_ACCESS).link(TROUBLESHOOTING);
    Verdict::Fires(finding)
}

/// A hang where the function calls another service too, to which the way is closed.
fn at_other_service(context: &DiagnosisContext<'_>) -> Option<Verdict> {
    let hang = Hang::newest(context)?;
    if hang.database_answered() || hang.success_came_close().is_some() {
        return None;
    }
    let databases_reached = network::databases(context).iter().all(|one| one.reach() != Reachability::Blocked);
    let needed = needed_services(context).into_iter().filter(|_| databases_reached);
    needed.filter(|needed| hang.step.is_some_and(|step| needed.steps.contains(&step))).find_map(|needed| {
        let paths = network::to_service(context, needed.service).filter(|paths| paths.reach() == Reachability::Blocked)?;
        let explanation = format!(
            "The function hung{} until its timeout. {}, and it cannot reach {}{}.",
            hang.in_step(),
            needed.because,
            needed.service,
            network::because(&paths).unwrap_or_default()
        );
        let mut evidence = hang.proofs();
        let at = evidence.len().min(1);
        evidence.splice(at..at, network::proofs(&paths));
        let fix = mending(context, &paths, needed.service);
        Some(context.finding(RULE.cause, Confidence::Likely, explanation, evidence, fix).into())
    })
}

/// What failing invocations say about a call that did not reach AWS.
pub(super) enum AwsCallSign {
    /// A line says so; with the endpoint it names.
    Line(Box<Finding>, Option<NamedEndpoint>),
    /// The function hung before Secrets Manager answered.
    Hang(Box<Finding>),
    None(Verdict),
}

/// What SDKs say of a certificate that they do not trust.
const UNTRUSTED: [&str; 6] = [
    "certificate verify failed",
    "self-signed certificate",
    "self signed certificate",
    "unable to get local issuer certificate",
    "pkix path building failed",
    "certificate signed by unknown authority",
];

/// Somebody answered, with a certificate that is not AWS's: no way has to be opened.
fn untrusted_answer(context: &DiagnosisContext<'_>) -> Option<Verdict> {
    let seen = context.seen(RULE.cause)?;
    let text = seen.read.event.text.to_ascii_lowercase();
    if !UNTRUSTED.iter().any(|words| text.contains(words)) {
        return None;
    }
    let explanation = format!(
        "The function reached what answers for AWS and ended the handshake{}, because it does not trust the certificate: a firewall or \
         proxy on the way opens TLS with a certificate of its own, or the function's list of authorities is out of date.",
        seen.in_step()
    );
    let remediation = Remediation::new(
        "Let what inspects TLS on the function's way out leave the names of AWS alone, or give the function the authority that signs for \
         it (AWS_CA_BUNDLE for boto3, NODE_EXTRA_CA_CERTS for Node.js). An interface endpoint for the service leads around such a \
         firewall. Then rotate.",
    )
    .rotate(context)
    .link(NETWORK_ACCESS)
    .link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    finding.title = "the function does not trust the certificate that answers for AWS".to_owned();
    Some(finding.into())
}

/// What the log says, as a finding about `cause`.
pub(super) fn sign(context: &DiagnosisContext<'_>, cause: Cause) -> AwsCallSign {
    if let Some(seen) = context.seen(Cause::AwsEndpointUnreachable) {
        let named = NamedEndpoint::of(&seen.read.event.text, &context.evidence.region);
        let explanation = match &named {
            Some(NamedEndpoint { service, elsewhere: None, .. }) => {
                format!("The function could not connect to the AWS endpoint of {service}{}.", seen.in_step())
            }
            Some(NamedEndpoint { service, elsewhere: Some(host), .. }) => format!(
                "The function could not connect{} to {host}, an AWS endpoint of {service} outside its region.",
                seen.in_step()
            ),
            None => format!("The function could not connect to an AWS endpoint{}.", seen.in_step()),
        };
        let service = named.as_ref().map_or(SECRETS_MANAGER, |named| named.service.as_str());
        let remediation = remediation(context, service);
        let mut finding = said(context, cause, &seen, explanation, remediation);
        if named.is_some() && seen.is_latest {
            // The line names what could not be connected: decisive alone.
            finding.confidence = Confidence::Confirmed;
        }
        return AwsCallSign::Line(Box::new(finding), named);
    }
    let Some(hang) = Hang::newest(context) else { return AwsCallSign::None(not_said(context, &RULE)) };
    let Some(confidence) = hang.at_endpoint() else {
        return AwsCallSign::None(Verdict::clear(if hang.success_came_close().is_some() {
            "successful invocations come close to the timeout"
        } else if context.function().is_some_and(|function| function.vpc.is_none()) {
            "the function is in no VPC"
        } else {
            "Secrets Manager answered before the function hung"
        }));
    };
    let vpc = match context.function().and_then(|function| function.vpc.as_ref()) {
        Some(vpc) => format!(" in {}", vpc.vpc_id),
        None => String::new(),
    };
    let certainty = if confidence == Confidence::Possible { MAYBE_ELSEWHERE } else { "" };
    let explanation = format!(
        "The function{vpc} hung{} until its timeout, and nothing shows that Secrets Manager had answered.{certainty}",
        hang.in_step()
    );
    AwsCallSign::Hang(Box::new(context.finding(
        cause,
        confidence,
        explanation,
        hang.proofs(),
        remediation(context, SECRETS_MANAGER),
    )))
}

/// The doubt about a hang, unless the network shows what the function waited for.
const MAYBE_ELSEWHERE: &str = " It may have been waiting for something else.";

/// What the log says, beside what the network does now.
fn by_network(context: &DiagnosisContext<'_>, mut finding: Finding, paths: Option<&NetworkPaths>, service: &str) -> Verdict {
    match paths.map(NetworkPaths::reach) {
        Some(Reachability::Blocked) => agreed(context, finding, paths, service),
        Some(Reachability::Reachable) => {
            finding.confidence = finding.confidence.min(Confidence::Likely);
            finding.explanation.push_str(MENDED);
            finding.into()
        }
        _ => finding.into(),
    }
}

/// Log and network agree: the hop is named, and its mending is the fix.
pub(super) fn agreed(
    context: &DiagnosisContext<'_>,
    mut finding: Finding,
    paths: Option<&NetworkPaths>,
    service: &str,
) -> Verdict {
    let Some((paths, fault)) = paths.and_then(|paths| Some((paths, paths.worst()?.fault()?))) else { return finding.into() };
    let is_sure = finding.confidence > Confidence::Possible && !is_led_around(context, fault);
    finding.confidence = if is_sure { Confidence::Confirmed } else { finding.confidence.max(Confidence::Likely) };
    if let Some(because) = network::because(paths) {
        finding.explanation = finding.explanation.replace(MAYBE_ELSEWHERE, "");
        finding.explanation.push_str(&format!(" The network stops it{because}."));
    }
    let at = finding.evidence.len().min(1);
    finding.evidence.splice(at..at, network::proofs(paths));
    finding.remediation = mending(context, paths, service);
    finding.into()
}

/// True where the function may have been given another host, which no evidence shows.
fn is_led_around(context: &DiagnosisContext<'_>, fault: &NetworkFault) -> bool {
    let names = context.function().map(|function| function.environment_names.as_slice()).unwrap_or_default();
    fault.may_be_led_around() && names.iter().any(|name| name == "SECRETS_MANAGER_ENDPOINT")
}

/// The network alone: a fault that no line shows.
fn by_network_alone(context: &DiagnosisContext<'_>, verdict: Verdict) -> Verdict {
    let Some(paths) = network::to_service(context, SECRETS_MANAGER) else { return verdict };
    match (paths.reach(), paths.worst().and_then(|path| path.fault())) {
        (Reachability::Blocked, Some(NetworkFault::InternetGateway { .. })) => {
            Verdict::clear("that the function is in a public subnet is reported as a cause of its own")
        }
        (Reachability::Blocked, Some(fault)) => blocked_now(context, RULE.cause, &paths, fault).into(),
        (Reachability::Reachable, _) if matches!(verdict, Verdict::Unknown { .. }) && !context.failures.is_empty() => {
            Verdict::clear("every hop between the function and Secrets Manager lets it through")
        }
        (Reachability::Unknown, _) if context.failing.is_none() && context.never_rotated() => {
            paths.missing().map_or(verdict, |missing| Verdict::unknown(format!("whether Secrets Manager is reached: {missing}")))
        }
        _ => verdict,
    }
}

/// The finding about a way to Secrets Manager that is blocked now, as heavy as the state of rotation makes it.
pub(super) fn blocked_now(context: &DiagnosisContext<'_>, cause: Cause, paths: &NetworkPaths, fault: &NetworkFault) -> Finding {
    let because = network::because(paths).unwrap_or_default();
    let name = context.function_name().unwrap_or("the function");
    let explanation = format!("{name} cannot reach Secrets Manager{because}.");
    let evidence: Vec<Proof> = network::proofs(paths).chain(context.failed_attempt_proof()).collect();
    let finding = context.finding(cause, Confidence::Likely, explanation, evidence, mending(context, paths, SECRETS_MANAGER));
    let Weight { mut confidence, severity, note } =
        network::weight(context, cause, &[RotationStep::CreateSecret]).where_some_pass(paths);
    // What worked before may work by a way that is not seen.
    if fault.may_be_led_around() && (context.last_success_at.is_some() || is_led_around(context, fault)) {
        confidence = Confidence::Possible;
    }
    Weight { confidence, severity, note }.put_on(finding)
}

/// The commands that mend the ways, and a rotation.
fn mending(context: &DiagnosisContext<'_>, paths: &NetworkPaths, service: &str) -> Remediation {
    Remediation::open_ways(context, paths, Towards::Service(service)).rotate(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING)
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
    if network::to_service(context, service).is_some_and(|paths| paths.reach() == Reachability::Reachable) {
        return fix.rotate(context).link(NETWORK_ACCESS).link(TROUBLESHOOTING);
    }
    let name = format!("com.amazonaws.{}.{service}", context.evidence.region);
    let filters = [format!("Name=vpc-id,Values={}", vpc.vpc_id), format!("Name=service-name,Values={name}")];
    let [in_vpc, of_service] = &filters;
    let query = "VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,Groups[].GroupId]";
    let look = ["ec2", "describe-vpc-endpoints", "--filters", in_vpc, of_service, "--query", query];
    fix.run(aws_in(context, &look))
        .needs("ec2:DescribeVpcEndpoints")
        .make_endpoint(context, vpc, service)
        .rotate(context)
        .link(NETWORK_ACCESS)
        .link(TROUBLESHOOTING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::world;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, facts, fail, finding, hang_in, healthy};
    use crate::model::{Evidence, Network, Observation, PathState, PolicyDocument, RotationStep, StepName};
    use serde_json::json;

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
                 sg-0a1b2c3d --private-dns-enabled --region eu-west-1"
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
    fn a_line_that_names_the_services_own_host_proves_that_private_dns_is_to_be_turned_on() {
        let mut evidence = healthy();
        evidence.network = world();
        evidence.network.endpoints.found_mut().unwrap()[0].private_dns = false;
        evidence.network.route_tables.found_mut().unwrap()[1].routes.truncate(1);
        let line =
            "[ERROR] ConnectTimeoutError: Connect timeout on endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        let commands: Vec<&str> = diagnosis.plan.steps.iter().map(|step| step.command.as_str()).collect();
        assert!(
            commands[0].contains("modify-vpc-endpoint --vpc-endpoint-id vpce-0a1b2c3d --private-dns-enabled"),
            "{commands:#?}"
        );
        assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
    }

    #[test]
    fn a_host_of_no_region_is_served_by_no_endpoint_of_the_vpc() {
        let mut evidence = healthy();
        evidence.network = world();
        let endpoints = evidence.network.endpoints.found_mut().unwrap();
        let mut of_sts = endpoints[0].clone();
        (of_sts.id, of_sts.service) = ("vpce-0sts".to_owned(), "com.amazonaws.eu-west-1.sts".to_owned());
        endpoints.push(of_sts);
        evidence.network.route_tables.found_mut().unwrap()[1].routes.truncate(1);
        let line = |host: &str| format!("[ERROR] ConnectTimeoutError: Connect timeout on endpoint URL: \"https://{host}/\"");
        fail(&mut evidence, RotationStep::CreateSecret, &[&line("sts.amazonaws.com")]);
        let found = finding(RULE.cause, &evidence);
        assert!(
            found.explanation.contains("sts.amazonaws.com, an AWS endpoint of sts outside its region"),
            "{}",
            found.explanation
        );
        assert!(found.explanation.contains("The network stops it: rtb-0fn"), "{}", found.explanation);
        assert!(found.remediation.summary.contains("AWS_STS_REGIONAL_ENDPOINTS"), "{}", found.remediation.summary);
        assert!(!found.remediation.commands.iter().any(|command| command.contains("create-vpc-endpoint")));
        let mut own = evidence.clone();
        fail(&mut own, RotationStep::CreateSecret, &[&line("sts.eu-west-1.amazonaws.com")]);
        assert!(finding(RULE.cause, &own).explanation.ends_with(MENDED));
    }

    #[test]
    fn a_hang_is_laid_on_a_service_that_the_role_may_call_where_the_way_to_it_alone_is_closed() {
        let mut evidence = hung(&[FOUND]);
        evidence.network = world();
        evidence.network.route_tables.found_mut().unwrap()[1].routes.truncate(1);
        assert_clear(RULE.cause, &evidence);
        let assume = json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::210987654321:role/x" } });
        let document = PolicyDocument { name: "assume".to_owned(), document: assume };
        facts(&mut evidence.role).policies.found_mut().unwrap().identity.push(document);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("which takes STS, and it cannot reach sts: rtb-0fn"), "{}", found.explanation);
        assert!(found.remediation.commands.iter().any(|command| command.contains("create-route --route-table-id rtb-0fn")));
    }

    #[test]
    fn it_is_clear_outside_a_vpc_and_once_secrets_manager_answered() {
        let mut evidence = hung(&[FOUND]);
        facts(&mut evidence.function).vpc = None;
        assert_clear(RULE.cause, &evidence);
        assert_clear(RULE.cause, &hung(&[FOUND, "createSecret: Successfully put secret for ARN x and version y."]));
        assert_clear(RULE.cause, &healthy());
    }

    fn without_a_way_out() -> Network {
        let mut network = world();
        network.endpoints = Observation::Found(Vec::new());
        network.route_tables.found_mut().unwrap()[1].routes.truncate(1);
        network
    }

    #[test]
    fn a_hang_and_a_missing_route_agree_and_a_route_to_the_nat_gateway_heals() {
        let mut evidence = hung(&[FOUND]);
        evidence.network = without_a_way_out();
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert!(
            root.explanation.contains("rtb-0fn of subnet-0a1b2c3d has no route to the public network"),
            "{}",
            root.explanation
        );
        let commands: Vec<&str> = diagnosis.plan.steps.iter().map(|step| step.command.as_str()).collect();
        assert_eq!(
            commands.first(),
            Some(
                &"aws ec2 create-route --route-table-id rtb-0fn --destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat-0a1b2c3d \
                  --region eu-west-1"
            )
        );
        assert_eq!(diagnosis.plan.heals, Some(true));
        assert!(diagnosis.plan.steps[0].undo.as_deref().is_some_and(|undo| undo.contains("delete-route")));
        let way = diagnosis.network_paths.first().unwrap();
        assert_eq!((way.target.as_str(), way.state), ("secretsmanager", PathState::Blocked));
    }

    #[test]
    fn a_plan_that_opens_the_way_to_an_endpoint_is_not_proven_where_the_database_may_not_be_looked_at() {
        let mut evidence = hung(&[FOUND]);
        evidence.network = without_a_way_out();
        evidence.network.databases = crate::diagnosis::testing::denied("rds:DescribeDBInstances");
        let plan = diagnose(&evidence).plan;
        assert_eq!(plan.heals, None);
        assert_eq!(plan.doubts, ["whether the function reaches its database: permission rds:DescribeDBInstances"]);
    }

    #[test]
    fn a_network_that_lets_it_through_clears_a_hang_and_weakens_a_line() {
        let mut evidence = hung(&[FOUND]);
        evidence.network = world();
        assert_clear(RULE.cause, &evidence);
        let mut evidence = healthy();
        let line =
            "[ERROR] ConnectTimeoutError: Connect timeout on endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"";
        fail(&mut evidence, RotationStep::CreateSecret, &[line]);
        evidence.network = world();
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.ends_with("it may have been fixed since."), "{}", found.explanation);
    }

    #[test]
    fn a_network_that_was_not_seen_changes_nothing_and_one_that_blocks_is_foretold() {
        let mut evidence = hung(&[FOUND]);
        evidence.network.subnets = crate::diagnosis::testing::denied("ec2:DescribeSubnets");
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
        let mut works = healthy();
        works.network = without_a_way_out();
        let forecast = diagnose(&works).forecast;
        assert!(forecast.blocking().any(|obstacle| obstacle.cause == RULE.cause), "{forecast:#?}");
        works.network = world();
        let diagnosis = diagnose(&works);
        assert_eq!(diagnosis.forecast.obstacles, []);
        assert_eq!(diagnosis.outcome, crate::model::Outcome::Healthy);
    }

    #[test]
    fn without_the_log_it_cannot_be_told() {
        let mut evidence = hung(&[FOUND]);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
