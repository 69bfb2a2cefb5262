//! # The secret's resource policy does not allow the caller from another account
//!
//! Across accounts the role's policies are not enough: the policies of the secret and of its key have to allow the role
//! too.
//!
//! **Shows as** `because no resource-based policy allows …` for a caller of another account.
//!
//! **Is not it** within one account: there the role's own policies are enough.

use crate::diagnosis::key_access::{edit_policy, let_use};
use crate::diagnosis::permissions::customer_key;
use crate::diagnosis::policy_edit::{empty, with};
use crate::diagnosis::refusal::{Weighed, weigh};
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Observation, Remediation, StepName};
use serde_json::json;

const CAUSE: Cause = Cause::SecretResourcePolicyMissingAllow;

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
    explained_by: &[change_events::SECRET_POLICY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let role = context.function().map(|function| function.role.arn());
    let secret = context.secret().map(|secret| secret.arn.arn());
    let same_account = role.zip(secret).is_some_and(|(role, secret)| role.account_id() == secret.account_id());
    let clear = match same_account {
        true => "the function's role and the secret are in the same account",
        false => "the secret's resource policy allows the role",
    };
    let mut opinion = match weigh(context, CAUSE, clear) {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    if same_account {
        opinion.confidence = opinion.confidence.min(Confidence::Likely);
    }
    let role = role.map_or("ROLE_ARN", |role| role.as_str());
    let caller = opinion.stranger.clone().unwrap_or_else(|| role.to_owned());
    // Who was refused is who has to be allowed, as the role whose session it was.
    let role = opinion.stranger.as_deref().map_or_else(|| role.to_owned(), role_of_session);
    let explanation = format!("The secret's resource policy does not let {caller} perform {}.", opinion.actions());
    let present = context.evidence.access.found().and_then(|access| access.secret_policy.found());
    let policy = with(
        present.unwrap_or(&empty()),
        json!({
            "Effect": "Allow",
            "Principal": { "AWS": role },
            "Action": [
                "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"
            ],
            "Resource": "*"
        }),
    );
    let is_foreign = account_of(&role).zip(secret).is_some_and(|(account, secret)| account != secret.account_id());
    let mut remediation = match is_foreign {
        true => with_key(context, &role),
        false => Remediation::new("Allow the role in the secret's policy, and rotate."),
    };
    remediation = remediation
        .run(aws_in(
            context,
            &[
                "secretsmanager",
                "put-resource-policy",
                "--secret-id",
                context.secret_id(),
                "--resource-policy",
                &policy.to_string(),
                "--block-public-policy",
            ],
        ))
        .run(rotate_now(context))
        .needs("secretsmanager:PutResourcePolicy")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html");
    if opinion.stranger.is_some() {
        remediation = remediation.warn(
            "The refused caller is a session, which does not show the path of its role: if the role has one, the ARN in the policy needs \
             it too.",
        );
    }
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

/// Begins the fix for a role of another account with the key: the policy of the AWS managed key cannot be changed, and lets in no
/// account but its own.
///
/// Source: Secrets Manager User Guide, "Change the encryption key for an AWS Secrets Manager secret": with `kms:Encrypt` on the new
/// key, the labelled versions are encrypted with it too.
fn with_key(context: &DiagnosisContext<'_>, role: &str) -> Remediation {
    if let Some(key) = customer_key(context) {
        let fix = Remediation::new(format!(
            "Let the role use the secret's key, {key}, by the key's policy, allow the role in the secret's policy, and rotate. In its \
             own account the role needs both permissions too."
        ));
        return let_use(fix, context, &key, role);
    }
    let key = context.evidence.access.found().map(|access| &access.secret_key);
    let is_managed = context.secret().is_some_and(|secret| secret.kms_key_id.is_none())
        || matches!(key, Some(Observation::NotApplicable { .. }))
        || key.and_then(Observation::found).is_some_and(|key| !key.customer_managed);
    if !is_managed {
        return Remediation::new(
            "Allow the role in the secret's policy and in the policy of its customer managed key, and rotate. A secret encrypted with \
             the AWS managed key cannot be shared with another account.",
        );
    }
    let own = "Aliases[?!starts_with(AliasName, 'alias/aws/')].[AliasName,TargetKeyId]";
    let words = ["secretsmanager", "update-secret", "--secret-id", context.secret_id(), "--kms-key-id", NEW_KEY];
    let fix = Remediation::new(
        "The secret is encrypted with the AWS managed key aws/secretsmanager, which no other account can use. Encrypt it with a customer \
         managed key of this account, let the role use that key by the key's policy and its own, allow the role in the secret's \
         policy, and rotate.",
    )
    .run(aws_in(context, &["kms", "list-aliases", "--query", own]))
    .run(aws_in(context, &words))
    .needs("kms:ListAliases")
    .needs("secretsmanager:UpdateSecret")
    .needs("kms:Encrypt")
    .needs("kms:Decrypt")
    .needs("kms:GenerateDataKey")
    .warn("From then on every reader of the secret needs kms:Decrypt on the new key: give it to them first.");
    edit_policy(fix, context, NEW_KEY)
}

/// Stands for the key that a person chooses.
const NEW_KEY: &str = "NEW_KEY_ID";

/// The account of a principal's ARN.
fn account_of(principal: &str) -> Option<&str> {
    principal.starts_with("arn:").then(|| principal.split(':').nth(4))?
}

/// `arn:aws:iam::<account>:role/<name>` for a session `arn:aws:sts::<account>:assumed-role/<name>/<session>`; any other principal
/// as it is.
fn role_of_session(principal: &str) -> String {
    let parts = || {
        let (head, rest) = principal.split_once(":assumed-role/")?;
        let (name, _) = rest.split_once('/')?;
        Some(format!("{}:role/{name}", head.replacen(":sts:", ":iam:", 1)))
    };
    parts().unwrap_or_else(|| principal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{RotationStep, StepName};

    #[test]
    fn a_role_of_another_account_needs_the_secrets_allow() {
        let mut evidence = healthy();
        let elsewhere = "arn:aws:iam::210987654321:role/orders-rotator-role";
        facts(&mut evidence.function).role = arn(elsewhere);
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.remediation.commands[0].contains(elsewhere));
    }

    #[test]
    fn a_secret_with_the_aws_managed_key_is_first_encrypted_with_a_key_that_another_account_can_use() {
        let mut evidence = healthy();
        facts(&mut evidence.function).role = arn("arn:aws:iam::210987654321:role/orders-rotator-role");
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        let own = finding(CAUSE, &evidence).remediation;
        assert!(own.summary.contains(KEY) && !own.commands[0].contains("update-secret"), "{own:?}");
        let lets_in = own.commands[0].contains(" put-key-policy ") && own.commands[0].contains("RotationFromAnotherAccount");
        assert!(lets_in && own.commands[0].contains("arn:aws:iam::210987654321:role/orders-rotator-role"), "{own:?}");
        facts(&mut evidence.secret).kms_key_id = None;
        facts(&mut evidence.access).secret_key = Observation::NotApplicable { because: "the AWS managed key".to_owned() };
        let fix = finding(CAUSE, &evidence).remediation;
        assert!(fix.summary.contains("aws/secretsmanager, which no other account can use"), "{}", fix.summary);
        let order = ["list-aliases", "update-secret", "put-key-policy", "put-resource-policy", "rotate-secret"];
        let at = order.map(|operation| fix.commands.iter().position(|command| command.contains(operation)));
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{:#?}", fix.commands);
        let plan = crate::diagnosis::diagnose(&evidence).plan;
        let changes: Vec<&str> = plan.steps.iter().filter(|step| !step.is_read_only).map(|step| step.command.as_str()).collect();
        assert!(changes.first().is_some_and(|first| first.contains(" update-secret ")), "{changes:#?}");
    }

    #[test]
    fn the_policy_allows_the_role_whose_session_was_refused_and_not_the_functions_own() {
        let mut evidence = healthy();
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: User: \
             arn:aws:sts::444455556666:assumed-role/shared-rotation/smtp is not authorized to perform: \
             secretsmanager:PutSecretValue on resource: {SECRET} because no resource-based policy allows the \
             secretsmanager:PutSecretValue action"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let found = finding(CAUSE, &evidence);
        assert!(found.remediation.commands[0].contains("arn:aws:iam::444455556666:role/shared-rotation"), "{found:#?}");
        assert!(!found.remediation.commands[0].contains("123456789012:role/"), "{found:#?}");
        assert!(found.remediation.warning.is_some_and(|warning| warning.contains("path")));
    }

    #[test]
    fn in_one_account_it_is_clear_once_logs_were_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
    }
}
