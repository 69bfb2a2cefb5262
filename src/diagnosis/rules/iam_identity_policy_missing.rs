//! # The function's role lacks a permission rotation needs
//!
//! No policy of the role allows an action on the secret. Common shapes: the secret's ARN without its six-character suffix,
//! UpdateSecretVersionStage forgotten, a policy detached, the role deleted.
//!
//! Also when the role's trust policy was changed and the function has not run since.
//!
//! **Shows as** `not authorized to perform: … because no identity-based policy allows …` for the function's role; in the
//! simulator as `implicitDeny`.
//!
//! **Is not it** when the message names another layer, or the principal is a person or a pipeline.

use crate::diagnosis::refusal::{Opinion, Weighed, allowing, weigh};
use crate::diagnosis::remedy::{aws, rotate_now};
use crate::diagnosis::runs::{Ran, ran};
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Concern, Confidence, Finding, Observation, Proof, Remediation, Severity, StepName, Window};
use jiff::SignedDuration;
use serde_json::json;

const CAUSE: Cause = Cause::IamIdentityPolicyMissing;

/// How long before the first failure a change of the trust counts as its likely origin.
const CLOSE_CHANGE: SignedDuration = SignedDuration::from_mins(30);

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    if let Observation::NoData { .. } = case.evidence.role.observation
        && case.without_function().is_none()
        && let Some(role) = case.role_name()
    {
        return role_missing(case, role);
    }
    match weigh(case, CAUSE, "the role's policies allow every action rotation needs") {
        Weighed::Against(verdict) => distrusted(case).map_or(verdict, Verdict::from),
        Weighed::For(opinion) => lacking(case, opinion),
    }
}

/// The role's trust was changed just before the function stopped running: Lambda may no longer assume it.
fn distrusted(case: &Case<'_>) -> Option<Finding> {
    let row = case.failing.as_ref()?;
    let change = case.last_change(Concern::Role, &["UpdateAssumeRolePolicy"])?;
    let Ran::No(unseen) = ran(case) else { return None };
    if !Window::ending_at(row.first_at, CLOSE_CHANGE).contains(change.at) {
        return None;
    }
    let role = case.role_name().unwrap_or("ROLE");
    let explanation = format!(
        "The function has not run since the trust policy of its role {role} was changed: Lambda runs it only while that policy \
         lets lambda.amazonaws.com assume the role."
    );
    let mut evidence = vec![case.change_proof(change)];
    evidence.extend(unseen);
    evidence.extend(case.failed_attempt_proof());
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }
    ] });
    let update = ["iam", "update-assume-role-policy", "--role-name", role, "--policy-document", &trust.to_string()];
    let remediation = Remediation::new("Let Lambda assume the role again.")
        .run(aws(&["iam", "get-role", "--role-name", role]))
        .run(aws(&update))
        .warn("The whole trust policy is replaced: keep who else may assume the role.")
        .run(rotate_now(case))
        .needs("iam:UpdateAssumeRolePolicy")
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html");
    Some(case.finding(CAUSE, Confidence::Possible, explanation, evidence, remediation))
}

fn lacking(case: &Case<'_>, opinion: Opinion) -> Verdict {
    let role = case.role_name().unwrap_or("ROLE");
    let explanation = match &opinion.stranger {
        Some(stranger) => format!("{stranger}, which is not the function's own role, may not perform {}.", opinion.actions()),
        None => format!("No policy of the role {role} allows {}.", opinion.actions()),
    };
    let mut remediation = Remediation::new("Allow the role what it lacks, on the secret's full ARN.");
    if opinion.stranger.is_none() && !opinion.refused.is_empty() {
        let document = allowing(case, &opinion.refused);
        remediation = remediation
            .run(aws(&[
                "iam",
                "put-role-policy",
                "--role-name",
                role,
                "--policy-name",
                "AllowSecretRotation",
                "--policy-document",
                &document,
            ]))
            .warn("An inline policy of the role with the name AllowSecretRotation would be replaced.");
    }
    let remediation =
        remediation.run(rotate_now(case)).needs("iam:PutRolePolicy").needs("secretsmanager:RotateSecret").link(
            "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html",
        );
    opinion.finding(case, CAUSE, explanation, remediation).into()
}

fn role_missing(case: &Case<'_>, role: &str) -> Verdict {
    let mut evidence =
        vec![Proof::of(StepName::ExecutionRole, "iam:SimulatePrincipalPolicy", format!("NoSuchEntity: role {role}"))];
    let mut explanation = format!("The function's role {role} does not exist, so the function may do nothing.");
    if let Some(change) = case.last_change(Concern::Role, &["DeleteRole"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(case.change_proof(change));
    }
    evidence.extend(case.failed_attempt_proof());
    let bites = case.is_unwell() || case.never_rotated();
    let remediation =
        Remediation::new("Create the role again with the permissions of rotation, then give it to the function anew.")
            .run(crate::diagnosis::remedy::aws_in(
                case,
                &[
                    "lambda",
                    "update-function-configuration",
                    "--function-name",
                    case.function_name().unwrap_or("FUNCTION"),
                    "--role",
                    case.function().map_or("ROLE_ARN", |function| function.role.arn().as_str()),
                ],
            ))
            .needs("iam:CreateRole")
            .needs("iam:PassRole")
            .needs("lambda:UpdateFunctionConfiguration")
            .link("https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html");
    let mut finding = case.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation);
    finding.severity = if bites { Severity::Critical } else { Severity::Warning };
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep, SimulatedDecision};

    const PUT: &str = "secretsmanager:PutSecretValue";

    fn simulate(evidence: &mut Evidence, action: &str, decision: SimulatedDecision) {
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations.iter_mut().filter(|one| one.action == action).for_each(|one| one.decision = decision);
    }

    fn refused(principal: &str, reason: &str) -> String {
        format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: User: \
             {principal} is not authorized to perform: {PUT} on resource: {SECRET} {reason}"
        )
    }

    const OWN: &str = "arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator";
    const NONE_ALLOWS: &str = "because no identity-based policy allows the secretsmanager:PutSecretValue action";

    #[test]
    fn a_refusal_in_the_log_that_the_simulation_repeats_is_confirmed_and_the_fix_names_the_secret() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused(OWN, NONE_ALLOWS)]);
        simulate(&mut evidence, PUT, SimulatedDecision::ImplicitDeny);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence, root.severity), (CAUSE, Confidence::Confirmed, Severity::Critical));
        let document =
            format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{PUT}"],"Resource":"{SECRET}"}}]}}"#);
        assert_eq!(
            root.remediation.commands[0],
            format!(
                "aws iam put-role-policy --role-name orders-rotator-role --policy-name AllowSecretRotation \
                 --policy-document '{document}'"
            )
        );
    }

    #[test]
    fn a_refusal_that_the_policies_no_longer_show_may_have_been_fixed() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused(OWN, NONE_ALLOWS)]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.explanation.contains("may have been fixed since"), "{}", finding.explanation);
    }

    #[test]
    fn a_simulated_denial_alone_explains_a_failure_only_in_a_step_that_needs_the_action() {
        let mut evidence = healthy();
        simulate(&mut evidence, PUT, SimulatedDecision::ImplicitDeny);
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        let mut in_create = evidence.clone();
        fail(&mut in_create, RotationStep::CreateSecret, &[]);
        let alone = finding(CAUSE, &in_create);
        assert_eq!((alone.confidence, alone.severity), (Confidence::Likely, Severity::Critical));
        fail(&mut evidence, RotationStep::TestSecret, &[]);
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
    }

    #[test]
    fn before_the_first_rotation_a_simulated_denial_is_what_will_stop_it() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).last_rotated_at = None;
        facts(&mut evidence.history).attempts.clear();
        facts(&mut evidence.logs).invocations.clear();
        simulate(&mut evidence, PUT, SimulatedDecision::ImplicitDeny);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Likely, Severity::Critical));
    }

    #[test]
    fn another_principal_in_the_message_is_no_proof_about_the_role() {
        let mut evidence = healthy();
        let other = "arn:aws:sts::123456789012:assumed-role/deployer/ci";
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused(other, NONE_ALLOWS)]);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Possible);
    }

    #[test]
    fn without_simulation_the_policies_can_show_what_is_missing_and_never_that_all_is_well() {
        let mut evidence = healthy();
        let role = facts(&mut evidence.role);
        role.simulations = denied("iam:SimulatePrincipalPolicy");
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        policies.identity.clear();
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        policies.complete = false;
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
    }

    #[test]
    fn a_role_that_is_gone_is_decisive() {
        let mut evidence = healthy();
        evidence.role = record(no_data());
        fail_unseen(&mut evidence, None);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn it_is_clear_only_where_role_and_logs_were_seen() {
        for (step, action) in
            [(StepName::ExecutionRole, "iam:SimulatePrincipalPolicy"), (StepName::FunctionLogs, "logs:FilterLogEvents")]
        {
            let mut evidence = healthy();
            assert_clear(CAUSE, &evidence);
            deny(&mut evidence, step);
            assert_unknown(CAUSE, &evidence, action);
        }
    }
}
