//! # The function's role lacks a permission that rotation needs
//!
//! No policy of the role allows an action on the secret. Common shapes: the secret's ARN without its six-character suffix,
//! UpdateSecretVersionStage forgotten, a policy detached, or the role deleted.
//!
//! Also when the role's trust policy does not let Lambda assume the role, so that the function cannot start.
//!
//! **Shows as** `not authorized to perform: … because no identity-based policy allows …` for the function's role; in the
//! simulator as `implicitDeny`.
//!
//! **Is not it** when the message names another layer, or the principal is a person or a pipeline.

use crate::diagnosis::assumed_role;
use crate::diagnosis::permissions::needs;
use crate::diagnosis::policy_edit;
use crate::diagnosis::readings::trust::{self, LAMBDA, Trust};
use crate::diagnosis::refusal::{Opinion, Weighed, allowing, weigh};
use crate::diagnosis::remedy::{aws, aws_in, rotate_now};
use crate::diagnosis::runs::{Ran, ran};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Confidence, Finding, Observation, Proof, Remediation, Severity, StepName};
use serde_json::Value;

const CAUSE: Cause = Cause::IamIdentityPolicyMissing;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
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
    if let Observation::NoData { .. } = context.evidence.role.observation
        && context.without_function().is_none()
        && let Some(role) = context.role_name()
    {
        return role_missing(context, role);
    }
    // A partner's role is assumed by Secrets Manager, and has a rule of its own.
    let is_partners = context.config().is_some_and(|config| config.function_arn.is_none() && config.external_role_arn.is_some());
    let distrusted = if is_partners { None } else { distrusted(context) };
    match weigh(context, CAUSE, "the role's policies allow every action rotation needs") {
        Weighed::For(opinion) if distrusted.as_ref().is_none_or(|finding| finding.severity == Severity::Info) => {
            lacking(context, opinion)
        }
        Weighed::Against(clear @ Verdict::Clear { .. }) if distrusted.is_none() => {
            trust_gap(context).map_or(clear, Verdict::unknown)
        }
        Weighed::Against(verdict) => distrusted.map_or(verdict, Verdict::from),
        Weighed::For(opinion) => match distrusted {
            Some(finding) if opinion.stranger.is_none() && !opinion.is_unread => lacking_too(finding, &opinion).into(),
            Some(finding) => finding.into(),
            None => lacking(context, opinion),
        },
    }
}

/// What is missing to say that Lambda may assume the role, where rotation fails and the function was not seen running.
fn trust_gap(context: &DiagnosisContext<'_>) -> Option<String> {
    trust::gap(context).filter(|_| context.is_unwell() && !matches!(ran(context), Ran::Yes))
}

/// Lambda may not assume the role: by its trust policy; or, where that does not tell, by a change of it just before the
/// function stopped running.
fn distrusted(context: &DiagnosisContext<'_>) -> Option<Finding> {
    // Where no function rotates the secret, the role is another's: Lambda has nothing to assume.
    if context.without_function().is_some() {
        return None;
    }
    let changed = context.last_change(Concern::Role, &["UpdateAssumeRolePolicy"]);
    let (because, mut evidence) = match trust::of_lambda(context) {
        Trust::Kept => return None,
        Trust::Broken(because) => {
            let proof = Proof::of(StepName::ExecutionRole, "iam:GetRole", because.clone());
            (Some(because), vec![proof])
        }
        Trust::Open(_) => (None, Vec::new()),
    };
    let suspect = |change: &&Change| context.suspicion().is_some_and(|suspicion| suspicion.contains(change.at));
    let changed = changed.filter(|change| because.is_some() || suspect(change));
    let wanted = context.is_unwell() || context.never_rotated();
    let (confidence, severity) = match (ran(context), &because) {
        (Ran::No(unseen), _) if wanted && (because.is_some() || changed.is_some()) => {
            evidence.extend(changed.map(|change| context.change_proof(change)));
            evidence.extend(unseen);
            evidence.extend(context.failed_attempt_proof());
            (if because.is_some() { Confidence::Confirmed } else { Confidence::Possible }, Severity::Critical)
        }
        (_, None) => return None,
        // What ran could be started: the trust was lost later.
        (Ran::Yes, Some(_)) => (Confidence::Likely, Severity::Info),
        (_, Some(_)) if wanted => (Confidence::Likely, Severity::Critical),
        (_, Some(_)) => (Confidence::Likely, Severity::Info),
    };
    let role = context.role_name().unwrap_or("ROLE");
    let explanation = match because {
        Some(because) => format!("Lambda may not assume the role {role}, so it cannot run the function: {because}."),
        None => format!(
            "The function has not run since the trust policy of its role {role} was changed. Lambda can run it only if that \
             policy lets {LAMBDA} assume the role."
        ),
    };
    let seen = context.evidence.role.found().and_then(|facts| facts.trust.found());
    let trusting = policy_edit::trusting(seen.unwrap_or(&policy_edit::empty()), LAMBDA).to_string();
    let update = ["iam", "update-assume-role-policy", "--role-name", role, "--policy-document", &trusting];
    let mut remediation = Remediation::new("Let Lambda assume the role, and rotate.");
    if seen.is_none() {
        remediation = remediation
            .run(aws(&["iam", "get-role", "--role-name", role]))
            .warn("The whole trust policy is replaced: keep the statements for others who may assume the role.");
    }
    let remediation = remediation
        .run(aws(&update))
        .run(rotate_now(context))
        .needs("iam:UpdateAssumeRolePolicy")
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html");
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, remediation);
    finding.title = "Lambda may not assume the function's role".to_owned();
    finding.severity = severity;
    Some(finding)
}

/// Lambda may not assume a role whose policies would not suffice either.
fn lacking_too(mut distrusted: Finding, opinion: &Opinion) -> Finding {
    distrusted.explanation.push_str(&format!(" Its policies do not allow {} either.", opinion.actions()));
    distrusted.remediation.summary =
        "Allow the role the missing actions, let Lambda assume the role again, and rotate.".to_owned();
    distrusted
}

fn lacking(context: &DiagnosisContext<'_>, opinion: Opinion) -> Verdict {
    let role = context.role_name().unwrap_or("ROLE");
    if opinion.is_unread {
        return refused_by_what_was_not_read(context, opinion, role);
    }
    if let Some((explanation, remediation)) = assumed_role::refused(context, &opinion, role) {
        let mut finding = opinion.finding(context, CAUSE, explanation, remediation);
        finding.title = assumed_role::TITLE.to_owned();
        return finding.into();
    }
    let explanation = match &opinion.stranger {
        Some(stranger) => format!("{stranger}, which is not the function's own role, may not perform {}.", opinion.actions()),
        None => format!("No policy of the role {role} allows {}.", opinion.actions()),
    };
    let document = allowing(context, &opinion.refused);
    let mut remediation = Remediation::new(format!("Allow the role the missing actions{}, and rotate.", by_arn(&document)));
    if opinion.stranger.is_none() && !opinion.refused.is_empty() {
        remediation = remediation.give_back(context, "AllowRotationOf", &document);
    }
    let remediation = remediation
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

/// How the policy names what the actions act on; some act on nothing that has an ARN.
fn by_arn(document: &Value) -> &'static str {
    let statements = document.get("Statement").and_then(Value::as_array);
    let is_any = |one: &Value| one.get("Resource").and_then(Value::as_str) == Some("*");
    let (any, all) = statements.map_or((0, 0), |all| (all.iter().filter(|one| is_any(one)).count(), all.len()));
    match all - any {
        0 if all > 0 => "",
        _ if any > 0 => ", with the full ARN of what they act on, where that has one",
        _ => ", with the full ARN of what they act on",
    }
}

/// The role's policies allow what was refused, and the refusal names no layer.
fn refused_by_what_was_not_read(context: &DiagnosisContext<'_>, opinion: Opinion, role: &str) -> Verdict {
    let explanation = format!(
        "AWS refused {} to the role {role} and gave no reason. The role's policies allow it; the secret's resource policy, which \
         was not read, may deny it.",
        opinion.actions()
    );
    let look = ["secretsmanager", "get-resource-policy", "--secret-id", context.secret_id()];
    let remediation =
        Remediation::new("Look in the secret's resource policy for a Deny statement that meets the function's role.")
            .run(aws_in(context, &look))
            .needs("secretsmanager:GetResourcePolicy")
            .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html");
    let mut finding = opinion.finding(context, CAUSE, explanation, remediation);
    finding.title = "the function's role is refused, by a policy that was not seen".to_owned();
    finding.into()
}

/// A role of the same name with what rotation needs; Lambda knows a role by its id, so that the function gets it anew.
fn create_role(context: &DiagnosisContext<'_>, role: &str) -> Remediation {
    let partition = context.function().map_or("aws", |function| function.role.arn().partition());
    let managed = |name: &str| format!("arn:{partition}:iam::aws:policy/service-role/{name}");
    let attach = |name: &str| aws(&["iam", "attach-role-policy", "--role-name", role, "--policy-arn", &managed(name)]);
    let trusting = policy_edit::trusting(&policy_edit::empty(), LAMBDA).to_string();
    let mut fix = Remediation::new(
        "Create the role again with the permissions that rotation needs, assign it to the function again, and rotate. Which \
         other permissions the old role had is not known here.",
    )
    .run(aws(&["iam", "create-role", "--role-name", role, "--assume-role-policy-document", &trusting]))
    .allow_role(context, "AllowRotationOf", &policy_edit::allowing_needs(&needs(context)))
    .run(attach("AWSLambdaBasicExecutionRole"));
    if context.function().is_some_and(|function| function.vpc.is_some()) {
        fix = fix.run(attach("AWSLambdaVPCAccessExecutionRole"));
    }
    let arn = context.function().map_or("ROLE_ARN", |function| function.role.arn().as_str());
    fix.configure_function(context, &["--role", arn])
        .rotate(context)
        .needs("iam:CreateRole")
        .needs("iam:AttachRolePolicy")
        .needs("iam:PassRole")
}

fn role_missing(context: &DiagnosisContext<'_>, role: &str) -> Verdict {
    let mut evidence =
        vec![Proof::of(StepName::ExecutionRole, "iam:SimulatePrincipalPolicy", format!("NoSuchEntity: role {role}"))];
    let mut explanation = format!("The function's role {role} does not exist, so Lambda cannot run the function.");
    if let Some(change) = context.last_change(Concern::Role, &["DeleteRole"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    evidence.extend(context.failed_attempt_proof());
    let bites = context.is_unwell() || context.never_rotated();
    let remediation =
        create_role(context, role).link("https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html");
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation);
    finding.title = "the function's role does not exist".to_owned();
    finding.severity = if bites { Severity::Critical } else { Severity::Warning };
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep, SimulatedDecision};
    use serde_json::json;

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
                "aws iam put-role-policy --role-name orders-rotator-role --policy-name AllowRotationOf-prod-orders-db-AbCdEf \
                 --policy-document '{document}'"
            )
        );
    }

    #[test]
    fn the_summary_speaks_of_an_arn_only_where_the_policy_names_one() {
        let summary = |actions: &[&str]| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::CreateSecret, &[]);
            actions.iter().for_each(|action| simulate(&mut evidence, action, SimulatedDecision::ImplicitDeny));
            finding(CAUSE, &evidence).remediation.summary
        };
        assert_eq!(summary(&["secretsmanager:GetRandomPassword"]), "Allow the role the missing actions, and rotate.");
        assert_eq!(summary(&[PUT]), "Allow the role the missing actions, with the full ARN of what they act on, and rotate.");
        assert!(summary(&[PUT, "secretsmanager:GetRandomPassword"]).contains("where that has one"));
    }

    #[test]
    fn a_role_that_lambda_may_not_assume_and_that_lacks_a_permission_is_said_to_lack_both() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        simulate(&mut evidence, PUT, SimulatedDecision::ImplicitDeny);
        facts(&mut evidence.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }
        ] }));
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.title, "Lambda may not assume the function's role");
        assert!(
            found.explanation.contains("Its policies do not allow secretsmanager:PutSecretValue either."),
            "{}",
            found.explanation
        );
    }

    #[test]
    fn a_refusal_without_a_reason_is_nobodys_where_the_secrets_own_policy_was_not_read() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&refused(OWN, "")]);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.access).secret_policy = denied("secretsmanager:GetResourcePolicy");
        let open = finding(CAUSE, &evidence);
        assert_eq!(open.confidence, Confidence::Possible);
        assert!(open.explanation.contains("was not read, may deny it"), "{}", open.explanation);
        assert!(open.remediation.commands[0].contains("get-resource-policy"));
        assert_eq!(diagnose(&evidence).outcome, crate::model::Outcome::Inconclusive);
    }

    #[test]
    fn a_role_that_is_not_assumed_is_a_matter_of_two_policies() {
        let mut evidence = healthy();
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDenied) when calling the AssumeRole operation: User: {OWN} is not \
             authorized to perform: sts:AssumeRole on resource: arn:aws:iam::999999999999:role/rotate"
        );
        fail(&mut evidence, RotationStep::SetSecret, &[&line]);
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.title, "the function may not assume a role that it needs");
        assert!(found.explanation.contains("which side refuses: the trust policy of"), "{}", found.explanation);
        assert!(!found.explanation.contains("No policy of the role"), "{}", found.explanation);
        assert_eq!(found.remediation.commands[0], "aws iam get-role --role-name rotate --query Role.AssumeRolePolicyDocument");
        assert!(found.remediation.summary.contains("account 999999999999"), "{}", found.remediation.summary);
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

    fn trusting(evidence: &mut Evidence, statement: serde_json::Value) {
        facts(&mut evidence.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [statement] }));
    }

    #[test]
    fn a_role_that_lambda_may_not_assume_is_confirmed_where_the_function_does_not_run() {
        let mut evidence = healthy();
        trusting(
            &mut evidence,
            json!({ "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }),
        );
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        let mut ran = evidence.clone();
        fail(&mut ran, RotationStep::SetSecret, &[]);
        assert_eq!(finding(CAUSE, &ran).severity, Severity::Info);
        fail_unseen(&mut evidence, None);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert!(finding.evidence.iter().any(|proof| proof.call == "iam:GetRole"), "{:?}", finding.evidence);
    }

    #[test]
    fn trust_that_hangs_on_an_unknown_condition_is_neither_broken_nor_clear() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        let conditional = |operator: &str| {
            json!({ "Effect": "Allow", "Principal": { "Service": ["edgelambda.amazonaws.com", "lambda.amazonaws.com"] },
                "Action": "sts:*", "Condition": { operator: { "aws:SourceAccount": "123456789012" } } })
        };
        trusting(&mut evidence, conditional("StringEquals"));
        assert_unknown(CAUSE, &evidence, "aws:SourceAccount");
        facts(&mut evidence.role).trust = denied("iam:GetRole");
        assert_unknown(CAUSE, &evidence, "iam:GetRole");
    }

    #[test]
    fn a_denial_of_everyone_breaks_the_trust_and_another_services_statement_beside_lambdas_does_not() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        let allow = |service: &str| json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
        let deny = json!({ "Sid": "Frozen", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole" });
        let set = |evidence: &mut Evidence, second: serde_json::Value| {
            facts(&mut evidence.role).trust =
                Observation::Found(json!({ "Version": "2012-10-17", "Statement": [allow("lambda.amazonaws.com"), second] }));
        };
        set(&mut evidence, allow("ec2.amazonaws.com"));
        assert_clear(CAUSE, &evidence);
        set(&mut evidence, deny);
        assert!(finding(CAUSE, &evidence).explanation.contains("statement Frozen"));
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
