//! # The function's role may not use the secret's KMS key
//!
//! A secret encrypted with a customer managed key is read with kms:Decrypt and written with kms:GenerateDataKey, on behalf
//! of the role: the role's policies and the key policy have to allow both.
//!
//! **Shows as** `Access to KMS is not allowed`; `not authorized to perform: kms:Decrypt`.
//!
//! **Is not it** when the secret uses the AWS managed key, or the key is not enabled.

use crate::diagnosis::key_access::key_access;
use crate::diagnosis::need::Target;
use crate::diagnosis::permissions::customer_key;
use crate::diagnosis::refusal::{Opinion, Weighed, logged, weigh};
use crate::diagnosis::remedy::rotate_now;
use crate::diagnosis::signatures::RefusingLayer;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Observation, StepName};

const CAUSE: Cause = Cause::KmsAccessDenied;

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
    explained_by: &[change_events::ROLE_POLICIES, change_events::KEY_POLICY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = not_the_keys_policy(context) {
        return verdict;
    }
    match weigh(context, CAUSE, "the role's policies and the key policy allow the use of the key") {
        Weighed::Against(verdict) => verdict,
        Weighed::For(opinion) => refused(context, opinion),
    }
}

/// The verdict where the key's policy cannot be what is wrong, or cannot be looked at.
fn not_the_keys_policy(context: &DiagnosisContext<'_>) -> Option<Verdict> {
    if let Some(verdict) = context.without_function() {
        return Some(verdict);
    }
    let access = context.evidence.access.found();
    match access.map(|access| &access.secret_key) {
        Some(Observation::Found(key)) if !key.is_usable() => {
            return Some(Verdict::clear(format!("the key is {}, and no permission changes that", key.state)));
        }
        Some(Observation::NoData { .. }) => return Some(Verdict::clear("the key is gone, and no permission changes that")),
        _ => {}
    }
    if logged(context, CAUSE).is_some() || context.reason_saying(CAUSE).is_some() {
        return None;
    }
    if let Some(missing) = context.evidence.secret.observation.missing() {
        return Some(Verdict::unknown(missing));
    }
    if context.secret().is_some_and(|secret| secret.kms_key_id.is_none()) {
        return Some(Verdict::clear("the secret uses the AWS managed key"));
    }
    match access {
        Some(access) => match (&access.secret_key, access.secret_key.missing()) {
            (_, Some(missing)) => Some(Verdict::unknown(missing)),
            (Observation::NotApplicable { .. }, None) => Some(Verdict::clear("the secret uses the AWS managed key")),
            _ => None,
        },
        None => context.evidence.access.observation.missing().map(Verdict::unknown),
    }
}

fn refused(context: &DiagnosisContext<'_>, opinion: Opinion) -> Verdict {
    let role = context.role_name().unwrap_or("ROLE");
    let key = customer_key(context);
    let by_key = opinion.refused.iter().any(|denied| denied.layer == RefusingLayer::ResourcePolicy);
    let named = key.as_deref().unwrap_or("the secret's key");
    let explanation = match by_key {
        true => format!("The key policy of {named} does not let the role {role} perform {}.", opinion.actions()),
        false => format!("The role {role} may not use {named}, with which the secret is encrypted."),
    };
    let remediation = key_access(context, Target::SecretKey, key.as_deref().unwrap_or("KEY_ARN"))
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, RotationStep, SimulatedDecision, StepName};
    use serde_json::json;

    const LINE: &str = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: \
                        Access to KMS is not allowed";

    #[test]
    fn a_refused_key_in_log_and_simulation_is_confirmed() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let decrypt = simulations.iter_mut().find(|one| one.action == "kms:Decrypt").unwrap();
        decrypt.decision = SimulatedDecision::ImplicitDeny;
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains(KEY));
    }

    #[test]
    fn a_key_of_another_account_that_the_role_may_use_by_its_own_policies_is_a_matter_for_its_owner() {
        const FOREIGN: &str = "arn:aws:kms:eu-west-1:999988887777:key/2222bbbb-33cc-44dd-55ee-666677778888";
        let mut evidence = healthy();
        facts(&mut evidence.secret).kms_key_id = Some(FOREIGN.to_owned());
        facts(&mut evidence.access).secret_key = denied("kms:DescribeKey");
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let of_key = simulations.iter_mut().filter(|one| one.action.starts_with("kms:"));
        of_key.for_each(|one| one.resource = FOREIGN.to_owned());
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        let fix = finding(CAUSE, &evidence).remediation;
        let statement = json!({
            "Sid": "RotationFunction", "Effect": "Allow", "Principal": { "AWS": ROLE }, "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*"
        });
        assert!(
            fix.summary.contains("Ask the account 999988887777") && fix.summary.contains(&statement.to_string()),
            "{}",
            fix.summary
        );
        assert!(fix.commands.iter().all(|command| command.contains(" rotate-secret ")), "{:?}", fix.commands);
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations.iter_mut().for_each(|one| one.decision = SimulatedDecision::ImplicitDeny);
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        policies.identity.clear();
        let both = finding(CAUSE, &evidence).remediation;
        assert!(both.commands.iter().any(|command| command.contains(" put-role-policy ")), "{:?}", both.commands);
    }

    #[test]
    fn a_key_policy_without_the_account_stops_a_role_that_its_own_policies_allow() {
        let mut evidence = healthy();
        let mut key = key();
        key.policy = Observation::Found(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::123456789012:role/key-admin" },
                "Action": "kms:*",
                "Resource": "*"
            }]
        }));
        facts(&mut evidence.access).secret_key = Observation::Found(key);
        fail(&mut evidence, RotationStep::CreateSecret, &[LINE]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.evidence.iter().any(|proof| proof.call == "kms:GetKeyPolicy"), "{:?}", finding.evidence);
    }

    #[test]
    fn where_rotation_works_all_the_same_a_grant_is_named() {
        let mut evidence = healthy();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let decrypt = simulations.iter_mut().find(|one| one.action == "kms:Decrypt").unwrap();
        decrypt.decision = SimulatedDecision::ImplicitDeny;
        assert!(finding(CAUSE, &evidence).explanation.contains("A grant of the key"));
        let obstacles = diagnose(&evidence).forecast.obstacles;
        assert!(obstacles.iter().any(|one| one.cause == CAUSE && one.text.contains("A grant of the key")), "{obstacles:?}");
    }

    #[test]
    fn where_policies_alone_speak_no_grant_was_looked_at_and_nothing_is_confirmed() {
        let mut evidence = healthy();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations.iter_mut().find(|one| one.action == "kms:Decrypt").unwrap().decision = SimulatedDecision::ImplicitDeny;
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(
            found.explanation.ends_with("A grant of the key, which was not looked at, may allow it."),
            "{}",
            found.explanation
        );
    }

    #[test]
    fn the_rotation_events_own_words_count_where_no_line_says_more() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        assert_clear(CAUSE, &evidence);
        let words = "Access to KMS is not allowed";
        facts(&mut evidence.history).attempts.last_mut().unwrap().reason = Some(words.to_owned());
        let found = finding(CAUSE, &evidence);
        assert_eq!((found.confidence, found.evidence[0].text.as_str()), (Confidence::Likely, words));
        fail(&mut evidence, RotationStep::SetSecret, &["psycopg2.OperationalError: FATAL:  database \"orders\" does not exist"]);
        assert_clear(CAUSE, &evidence);
    }

    #[test]
    fn the_aws_managed_key_and_a_disabled_key_speak_against_it() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        let mut disabled = key();
        disabled.state = "Disabled".to_owned();
        facts(&mut evidence.access).secret_key = Observation::Found(disabled);
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.secret).kms_key_id = None;
        facts(&mut evidence.access).secret_key = Observation::NotApplicable { because: "AWS managed".to_owned() };
        assert_clear(CAUSE, &evidence);
    }

    #[test]
    fn an_unseen_key_or_key_policy_is_unknown() {
        let mut evidence = healthy();
        let mut unread = key();
        unread.policy = denied("kms:GetKeyPolicy");
        facts(&mut evidence.access).secret_key = Observation::Found(unread);
        assert_unknown(CAUSE, &evidence, "kms:GetKeyPolicy");
        facts(&mut evidence.access).secret_key = denied("kms:DescribeKey");
        assert_unknown(CAUSE, &evidence, "kms:DescribeKey");
        deny(&mut evidence, StepName::SecretAccess);
        assert_unknown(CAUSE, &evidence, "lambda:GetPolicy");
    }
}
