//! # A permissions boundary or organization policy stops the function's role
//!
//! The role's own policies allow the call, but a boundary, a service or resource control policy, or a session policy does
//! not.
//!
//! **Shows as** `because no permissions boundary allows`, `with an explicit deny in a service control policy`; in the
//! simulator as not allowed by the boundary or by the organization.
//!
//! **Is not it** when the role's own policies do not allow the call.

use crate::diagnosis::aws_policies::is_of_aws;
use crate::diagnosis::permissions;
use crate::diagnosis::policy_edit::{PolicyKind, joined, sparing};
use crate::diagnosis::refusal::{Opinion, Weighed, allowing, weigh};
use crate::diagnosis::remedy::{aws, rotate_now};
use crate::diagnosis::signatures::RefusingLayer;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

const CAUSE: Cause = Cause::PermissionsBoundaryOrScpDeny;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[
        StepName::Secret,
        StepName::RotationConfig,
        StepName::RotationFunction,
        StepName::FunctionLogs,
        StepName::ExecutionRole,
        StepName::SecretAccess,
    ],
    explained_by: &[change_events::BOUNDARIES],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let opinion = match weigh(context, CAUSE, "neither a boundary nor an organization policy stops what rotation needs") {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    let role = context.role_name().unwrap_or("ROLE");
    let layer = opinion.refused.first().map_or(RefusingLayer::Unknown, |denied| denied.layer);
    let denying = opinion.denying_policy().map(str::to_owned);
    let named = denying.as_ref().map(|arn| format!(", {arn},")).unwrap_or_default();
    let explanation = format!("{}{named} stops {} for the role {role}.", name_of(layer), opinion.actions());
    let remediation = match layer {
        RefusingLayer::Scp | RefusingLayer::Rcp if denying.is_some() => organization_fix(denying.as_deref().unwrap_or_default()),
        RefusingLayer::Boundary | RefusingLayer::Unknown => boundary_fix(context, &opinion, role, denying.as_deref()),
        RefusingLayer::SessionPolicy => {
            Remediation::new("Widen the session policy that is passed when the role is assumed, and rotate.")
        }
        _ => {
            Remediation::new("Ask the administrators of the organization for an exception: the policy lies outside this account.")
        }
    };
    let remediation = remediation
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html");
    Opinion::finding(opinion, context, CAUSE, explanation, remediation).into()
}

fn name_of(layer: RefusingLayer) -> &'static str {
    match layer {
        RefusingLayer::Boundary => "The permissions boundary",
        RefusingLayer::Scp => "A service control policy of the organization",
        RefusingLayer::Rcp => "A resource control policy of the organization",
        RefusingLayer::SessionPolicy => "A session policy",
        _ => "A boundary or an organization policy",
    }
}

/// The statement is read, and changed, in the organization's own account.
fn organization_fix(arn: &str) -> Remediation {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    Remediation::new(format!(
        "Ask the administrators of the organization for an exception to the policy {arn}: it lies outside this account. In the \
         organization's account, these commands show what it denies and where it is attached."
    ))
    .run(aws(&["organizations", "describe-policy", "--policy-id", id]))
    .run(aws(&["organizations", "list-targets-for-policy", "--policy-id", id]))
    .needs("organizations:DescribePolicy")
    .needs("organizations:ListTargetsForPolicy")
}

fn boundary_fix(context: &DiagnosisContext<'_>, opinion: &Opinion, role: &str, denying: Option<&str>) -> Remediation {
    let policies = context.evidence.role.found().and_then(|facts| facts.policies.found());
    let boundary = policies.and_then(|policies| policies.boundary.as_ref()).filter(|boundary| boundary.name.starts_with("arn:"));
    let fix = Remediation::new(
        "Let the boundary allow the actions that rotation needs, or give the role another boundary. Then \
                                rotate.",
    );
    let Some(boundary) = boundary else {
        if let Some(arn) = denying {
            let look = ["iam", "get-policy", "--policy-arn", arn, "--query", "Policy.DefaultVersionId", "--output", "text"];
            let show = format!("{} --version-id \"$({})\"", aws(&["iam", "get-policy-version", "--policy-arn", arn]), aws(&look));
            let words = ["iam", "create-policy-version", "--policy-arn", arn, "--policy-document", "file://boundary.json"];
            return fix
                .run(show)
                .run(aws(&[&words[..], &["--set-as-default"]].concat()))
                .needs("iam:CreatePolicyVersion")
                .warn("Every role with this boundary is affected.");
        }
        let look = ["iam", "get-role", "--role-name", role, "--query", "Role.PermissionsBoundary"];
        return fix
            .run(aws(&look))
            .run(aws(&["iam", "put-role-permissions-boundary", "--role-name", role, "--permissions-boundary", "BOUNDARY_ARN"]))
            .needs("iam:GetRole")
            .needs("iam:PutRolePermissionsBoundary");
    };
    if is_of_aws(&boundary.name) {
        return of_aws(&boundary.name, role, opinion);
    }
    let spared = sparing(context, &boundary.document, &permissions::needs(context), PolicyKind::Identity);
    let document = joined(spared.as_ref().unwrap_or(&boundary.document), &allowing(context, &opinion.refused));
    fix.set_policy(context, &boundary.name, &document)
}

/// A boundary that AWS wrote can only be exchanged.
fn of_aws(arn: &str, role: &str, opinion: &Opinion) -> Remediation {
    Remediation::new(format!(
        "The boundary {arn} is a policy of AWS, which cannot be changed. Give the role another boundary that also allows {}. Then \
         rotate.",
        opinion.actions()
    ))
    .run(aws(&["iam", "get-role", "--role-name", role, "--query", "Role.PermissionsBoundary"]))
    .run(aws(&["iam", "put-role-permissions-boundary", "--role-name", role, "--permissions-boundary", "BOUNDARY_ARN"]))
    .needs("iam:GetRole")
    .needs("iam:PutRolePermissionsBoundary")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, Evidence, Observation, RotationStep, SimulatedDecision, StepName};

    fn simulated(change: impl Fn(&mut crate::model::Simulation)) -> Evidence {
        let mut evidence = healthy();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let put = simulations.iter_mut().find(|one| one.action == "secretsmanager:PutSecretValue").unwrap();
        put.decision = SimulatedDecision::ImplicitDeny;
        change(put);
        evidence
    }

    #[test]
    fn a_boundary_that_does_not_allow_is_named_by_the_simulation() {
        let mut evidence = simulated(|one| one.boundary_allows = Some(false));
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.explanation.starts_with("The permissions boundary stops"), "{}", finding.explanation);
        assert_clear(Cause::IamIdentityPolicyMissing, &evidence);
    }

    #[test]
    fn an_organization_policy_in_log_and_simulation_is_confirmed() {
        let mut evidence = simulated(|one| one.organization_allows = Some(false));
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:PutSecretValue on resource: {SECRET} with an explicit deny in a service control policy"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.explanation.starts_with("A service control policy"), "{}", finding.explanation);
        let arn = "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid";
        let mut named = simulated(|one| one.organization_allows = Some(false));
        fail(&mut named, RotationStep::CreateSecret, &[&format!("{line}: {arn}")]);
        let named = crate::diagnosis::testing::finding(CAUSE, &named);
        assert!(named.explanation.contains(arn), "{}", named.explanation);
        assert_eq!(named.remediation.commands[0], "aws organizations describe-policy --policy-id p-examplepolicyid");
    }

    #[test]
    fn a_role_that_lacks_the_allow_itself_is_not_the_boundarys_fault() {
        let mut evidence = simulated(|one| one.boundary_allows = Some(false));
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        policies.identity.clear();
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        assert_clear(CAUSE, &evidence);
        assert_eq!(finding(Cause::IamIdentityPolicyMissing, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn a_boundary_of_aws_is_exchanged_and_neither_changed_nor_detached() {
        let mut evidence = simulated(|one| one.boundary_allows = Some(false));
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        let document = serde_json::json!({ "Statement": [{ "Effect": "Allow", "Action": "logs:*", "Resource": "*" }] });
        let name = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
        policies.boundary = Some(crate::model::PolicyDocument { name: name.clone(), document });
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let remediation = finding(CAUSE, &evidence).remediation;
        assert!(remediation.summary.starts_with(&format!("The boundary {name} is a policy of AWS")), "{}", remediation.summary);
        let commands = remediation.commands.join("\n");
        assert!(commands.contains("put-role-permissions-boundary"), "{commands}");
        assert!(!commands.contains("detach-role-policy") && !commands.contains("create-policy-version"), "{commands}");
    }

    #[test]
    fn it_is_clear_only_where_the_role_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::ExecutionRole);
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
    }
}
