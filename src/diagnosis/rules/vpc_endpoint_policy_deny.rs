//! # A VPC endpoint policy denies the call
//!
//! The interface endpoint through which the function calls AWS has its own policy.
//!
//! **Shows as** `because no VPC endpoint policy allows …`, `with an explicit deny in a VPC endpoint policy`.
//!
//! **Is not it** when the function is in no VPC.

use crate::diagnosis::iam::{Decision, Policy, evaluate_resource, key_names};
use crate::diagnosis::need::{Need, Target};
use crate::diagnosis::network;
use crate::diagnosis::permissions;
use crate::diagnosis::policy_edit::{PolicyKind, sparing, with};
use crate::diagnosis::readings::network::{self as reading, MENDED};
use crate::diagnosis::refusal::{Weighed, logged, weigh};
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, RotationStep, StepName, VpcEndpoint};
use serde_json::{Value, json};

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

/// What the policy of the endpoint that the function uses says of what rotation needs.
struct PolicyJudgement<'a> {
    endpoint: &'a VpcEndpoint,
    /// The needs that it refuses, each with how.
    refused: Vec<(Need, String)>,
    /// What it depends on.
    open: Option<String>,
}

/// `None` where it is not known which endpoint the function uses, or none has to do with it.
fn judgement<'a>(context: &DiagnosisContext<'a>) -> Option<PolicyJudgement<'a>> {
    let function = context.function().filter(|_| context.rotates_by_function())?;
    let (network, region) = (&context.evidence.network, &context.evidence.region);
    let endpoint = network::endpoint_in_use(network, function, region, "secretsmanager")?;
    Some(judge(context, endpoint))
}

fn judge<'a>(context: &DiagnosisContext<'a>, endpoint: &'a VpcEndpoint) -> PolicyJudgement<'a> {
    let mut judgement = PolicyJudgement { endpoint, refused: Vec::new(), open: None };
    let Some(document) = &endpoint.policy else { return judgement };
    let policy = match Policy::from_value(&format!("the policy of {}", endpoint.id), document) {
        Ok(policy) => policy,
        Err(error) => {
            judgement.open = Some(error.missing());
            return judgement;
        }
    };
    for need in needs(context) {
        let Some(request) = permissions::request(context, &need) else { continue };
        match evaluate_resource(&policy, &request) {
            Decision::Allowed { .. } => {}
            Decision::ExplicitDeny { by } => {
                let how = format!("{by} denies {} on {}", need.action, need.resource);
                judgement.refused.push((need, how));
            }
            Decision::ImplicitDeny => {
                let how = format!("no statement of the policy of {} allows {} on {}", endpoint.id, need.action, need.resource);
                judgement.refused.push((need, how));
            }
            Decision::Unknown { missing_keys, .. } => {
                judgement.open.get_or_insert(format!("the value of {} in the function's requests", key_names(missing_keys)));
            }
        }
    }
    judgement
}

/// The endpoint of the service in the function's VPC, where there is one and no other.
fn only_endpoint<'a>(context: &DiagnosisContext<'a>, service: &str) -> Option<&'a VpcEndpoint> {
    let vpc = context.function()?.vpc.as_ref()?;
    let name = format!("com.amazonaws.{}.{service}", context.evidence.region);
    let all = context.evidence.network.endpoints.found().map(Vec::as_slice).unwrap_or_default();
    let mut own = all.iter().filter(|one| one.vpc_id == vpc.vpc_id && one.service == name);
    own.next().filter(|_| own.next().is_none())
}

fn needs(context: &DiagnosisContext<'_>) -> Vec<Need> {
    let is_call = |need: &Need| matches!(need.target, Target::Secret | Target::RandomPassword);
    permissions::needs(context).into_iter().filter(is_call).collect()
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let judgement = judgement(context);
    if logged(context, CAUSE).is_none() {
        return by_policy_alone(context, judgement);
    }
    let opinion = match weigh(context, CAUSE, "no failing invocation reports it") {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    let vpc = context.function().and_then(|function| function.vpc.as_ref()).map_or("VPC_ID", |vpc| vpc.vpc_id.as_str());
    let named = opinion.denying_policy().map(|arn| format!(", {arn},")).unwrap_or_default();
    let service =
        opinion.refused.first().and_then(|denied| denied.action.split_once(':')).map_or("secretsmanager", |(name, _)| name);
    let actions = opinion.actions();
    // Where a line says that an endpoint's policy refused, the only one there is was in use.
    let judged = judgement
        .or_else(|| only_endpoint(context, service).map(|endpoint| judge(context, endpoint)))
        .filter(|_| service == "secretsmanager");
    let explanation = match &judged {
        Some(judged) if !judged.refused.is_empty() => {
            format!("The policy of the VPC endpoint {}{named} in {vpc} refuses {actions}.", judged.endpoint.id)
        }
        Some(judged) if judged.open.is_none() => {
            format!("The policy of the VPC endpoint {} refused {actions}.{MENDED}", judged.endpoint.id)
        }
        _ => format!("The policy of a VPC endpoint{named} in {vpc} refuses {actions}."),
    };
    let remediation = match &judged {
        Some(judged) if !judged.refused.is_empty() => mending(context, judged),
        _ => looking(context, vpc, service),
    };
    let mut finding = opinion.finding(context, CAUSE, explanation, remediation);
    match &judged {
        Some(judged) if !judged.refused.is_empty() => {
            finding.confidence = Confidence::Confirmed;
            let at = finding.evidence.len().min(1);
            finding.evidence.splice(at..at, judged.refused.iter().map(|(_, how)| proof(how)));
        }
        Some(judged) if judged.open.is_none() => finding.confidence = finding.confidence.min(Confidence::Likely),
        _ => {}
    }
    finding.into()
}

fn proof(how: &str) -> Proof {
    Proof::of(StepName::SecretAccess, "ec2:DescribeVpcEndpoints", how)
}

/// The policy alone, where no line names it.
fn by_policy_alone(context: &DiagnosisContext<'_>, judgement: Option<PolicyJudgement<'_>>) -> Verdict {
    let verdict = match (context.without_function(), context.function()) {
        (None, Some(function)) if function.vpc.is_none() => Verdict::clear("the function is in no VPC"),
        _ => context.not_in_logs(),
    };
    let Some(judgement) = judgement else { return verdict };
    if judgement.refused.is_empty() {
        return match (judgement.open, &verdict) {
            (Some(missing), _) => Verdict::unknown(missing),
            (None, Verdict::Clear { .. }) => Verdict::clear(format!("{} lets rotation's calls through", judgement.endpoint.id)),
            (None, _) => verdict,
        };
    }
    let actions: Vec<&str> = judgement.refused.iter().map(|(need, _)| need.action).collect();
    let explanation = format!(
        "The policy of the VPC endpoint {}, which the function uses, refuses {}.",
        judgement.endpoint.id,
        actions.join(", ")
    );
    let evidence = judgement.refused.iter().map(|(_, how)| proof(how)).chain(context.failed_attempt_proof()).collect();
    let steps: Vec<RotationStep> = judgement.refused.iter().flat_map(|(need, _)| need.steps.iter().copied()).collect();
    let finding = context.finding(CAUSE, Confidence::Likely, explanation, evidence, mending(context, &judgement));
    reading::weight(context, CAUSE, &steps).put_on(finding).into()
}

/// The policy as it would have to read.
fn allowing(context: &DiagnosisContext<'_>, judgement: &PolicyJudgement<'_>) -> Option<Value> {
    let document = judgement.endpoint.policy.as_ref()?;
    let needs = needs(context);
    let spared = sparing(context, document, &needs, PolicyKind::Resource);
    let is_denied = |(_, how): &&(Need, String)| how.contains(" denies ");
    let lacking: Vec<&Need> = judgement.refused.iter().filter(|one| !is_denied(one)).map(|(need, _)| need).collect();
    let base = spared.unwrap_or_else(|| document.clone());
    if lacking.is_empty() {
        return Some(base);
    }
    let role = context.function()?.role.arn().as_str();
    let mut actions: Vec<&str> = needs.iter().map(|need| need.action).collect();
    actions.dedup();
    let secret = context.secret()?.arn.arn().as_str();
    let statement = |actions: Vec<&str>, resource: &str| {
        json!({
            "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resource,
            "Condition": { "ArnEquals": { "aws:PrincipalArn": role } }
        })
    };
    let (random, own): (Vec<&str>, Vec<&str>) = actions.into_iter().partition(|action| action.ends_with("GetRandomPassword"));
    Some(with(&with(&base, statement(own, secret)), statement(random, "*")))
}

fn mending(context: &DiagnosisContext<'_>, judgement: &PolicyJudgement<'_>) -> Remediation {
    let fix =
        Remediation::new("Let the endpoint's policy allow the function's role the actions that rotation needs, and rotate.");
    let id = judgement.endpoint.id.as_str();
    let Some(policy) = allowing(context, judgement) else { return by_file(fix, context, id) };
    let words = ["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", id, "--policy-document", &policy.to_string()];
    about(fix.run(aws_in(context, &words)), context)
}

/// Where the endpoint is not known, it has to be found first.
fn looking(context: &DiagnosisContext<'_>, vpc: &str, service: &str) -> Remediation {
    let name = format!("com.amazonaws.{}.{service}", context.evidence.region);
    let suspects = context.suspects(CAUSE);
    let changed = suspects.iter().rev().map(|(change, _)| change.resource.as_str()).find(|id| id.starts_with("vpce-"));
    let known = only_endpoint(context, service).map(|endpoint| endpoint.id.as_str()).or(changed);
    let fix =
        Remediation::new("Let the endpoint's policy allow the function's role the actions that rotation needs, and rotate.");
    let fix = match known {
        Some(_) => fix,
        None => {
            let filters = [format!("Name=vpc-id,Values={vpc}"), format!("Name=service-name,Values={name}")];
            let [in_vpc, of_service] = &filters;
            let query = "VpcEndpoints[].[VpcEndpointId,PolicyDocument]";
            fix.call(context, &["ec2", "describe-vpc-endpoints", "--filters", in_vpc, of_service, "--query", query])
        }
    };
    by_file(fix, context, known.unwrap_or("VPCE_ID"))
}

/// Saves the policy, for a person to correct it, and sets what the file says then.
fn by_file(fix: Remediation, context: &DiagnosisContext<'_>, id: &str) -> Remediation {
    let query = ["--query", "VpcEndpoints[0].PolicyDocument", "--output", "text"];
    let read = aws_in(context, &[&["ec2", "describe-vpc-endpoints", "--vpc-endpoint-ids", id][..], &query].concat());
    let words = ["ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", id, "--policy-document", "file://endpoint-policy.json"];
    let read = format!("(umask 077; {read} > endpoint-policy.before.json; cp endpoint-policy.before.json endpoint-policy.json)");
    let fix = fix.run(read).needs("ec2:DescribeVpcEndpoints");
    about(fix.run(aws_in(context, &words)), context)
}

fn about(fix: Remediation, context: &DiagnosisContext<'_>) -> Remediation {
    fix.run(rotate_now(context))
        .needs("ec2:ModifyVpcEndpoint")
        .warn("The policy applies to everything in the VPC that uses the endpoint.")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/vpc-endpoint-overview.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::network::testing::world;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, Evidence, Observation, RotationStep, StepName};

    /// What boto3 says of a call that an endpoint's policy does not allow.
    fn refused(operation: &str) -> String {
        format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the {operation} operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:{operation} on resource: {SECRET} because no VPC endpoint policy allows the \
             secretsmanager:{operation} action"
        )
    }

    #[test]
    fn a_line_that_names_the_endpoints_policy_is_believed_whatever_the_simulation_says() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused("GetSecretValue")]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.explanation.contains("vpc-0a1b2c3d"));
    }

    fn with_policy(policy: Value) -> Evidence {
        let mut evidence = healthy();
        evidence.network = world();
        let Observation::Found(endpoints) = &mut evidence.network.endpoints else { panic!() };
        endpoints[0].policy = Some(policy);
        evidence
    }

    #[test]
    fn the_policy_of_the_endpoint_that_is_used_is_decided_and_its_corrected_form_heals() {
        let other = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:DescribeSecret",
            "Resource": "*" }] });
        let deny = json!({ "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:PutSecretValue", "Resource": "*",
              "Condition": { "StringNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/application" } } }
        ] });
        for policy in [other, deny] {
            let mut evidence = with_policy(policy);
            assert_eq!(finding(CAUSE, &evidence).severity, crate::model::Severity::Info);
            let obstacles = diagnose(&evidence).forecast.obstacles;
            assert!(obstacles.iter().any(|obstacle| obstacle.cause == CAUSE), "{obstacles:#?}");
            fail(&mut evidence, RotationStep::CreateSecret, &[&refused("PutSecretValue")]);
            let diagnosis = diagnose(&evidence);
            let root = diagnosis.root_cause().unwrap();
            assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
            assert!(root.explanation.contains("vpce-0a1b2c3d"), "{}", root.explanation);
            assert_eq!(diagnosis.plan.heals, Some(true), "{:#?}", diagnosis.plan);
            assert!(diagnosis.plan.steps[0].command.contains("modify-vpc-endpoint --vpc-endpoint-id vpce-0a1b2c3d "));
        }
    }

    #[test]
    fn the_only_endpoint_that_could_refuse_is_mended_though_nobody_saw_where_the_name_leads() {
        let mut evidence = with_policy(json!({ "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:Describe*", "Resource": "*" }
        ] }));
        evidence.network.vpcs = denied("ec2:DescribeVpcs");
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused("PutSecretValue")]);
        let found = finding(CAUSE, &evidence);
        assert!(found.explanation.contains("vpce-0a1b2c3d"), "{}", found.explanation);
        assert!(found.remediation.commands[0].contains("secretsmanager:UpdateSecretVersionStage"));
    }

    #[test]
    fn a_policy_that_lets_rotation_through_and_one_of_an_endpoint_that_is_not_used_are_not_blamed() {
        let everything = json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" }] });
        assert_clear(CAUSE, &with_policy(everything));
        let nothing = json!({ "Statement": [] });
        let mut evidence = with_policy(nothing);
        let Observation::Found(endpoints) = &mut evidence.network.endpoints else { panic!() };
        endpoints[0].private_dns = false;
        assert_clear(CAUSE, &evidence);
    }

    #[test]
    fn conditions_of_the_endpoints_policy_are_decided_by_what_is_known_and_open_where_they_ask_for_the_organization() {
        let with = |condition: Value| {
            with_policy(json!({ "Statement": [
                { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition }
            ] }))
        };
        for condition in [
            json!({ "StringEquals": { "aws:PrincipalAccount": ACCOUNT } }),
            json!({ "StringEquals": { "aws:SourceVpc": "vpc-0a1b2c3d" } }),
            json!({ "StringEquals": { "aws:SourceVpce": "vpce-0a1b2c3d" } }),
        ] {
            assert_clear(CAUSE, &with(condition));
        }
        for condition in [
            json!({ "StringEquals": { "aws:PrincipalAccount": "999988887777" } }),
            json!({ "StringEquals": { "aws:SourceVpc": "vpc-0other" } }),
        ] {
            let found = finding(CAUSE, &with(condition));
            assert!(found.explanation.contains("vpce-0a1b2c3d"), "{}", found.explanation);
        }
        // GetRandomPassword is about no resource, which therefore has no account that would be known.
        for (key, value) in
            [("aws:PrincipalOrgID", "o-a1b2c3d4e5"), ("aws:ResourceOrgID", "o-a1b2c3d4e5"), ("aws:ResourceAccount", ACCOUNT)]
        {
            let condition = json!({ "StringEquals": { key: value } });
            assert_unknown(CAUSE, &with(condition), key);
        }
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
