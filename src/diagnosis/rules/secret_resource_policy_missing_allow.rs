//! # The secret's resource policy does not allow the caller from another account
//!
//! Across accounts the role's policies are not enough: the policies of the secret and of its key have to allow the role
//! too.
//!
//! **Shows as** `because no resource-based policy allows …` for a caller of another account.
//!
//! **Is not it** within one account: there the role's own policies are enough.

use crate::diagnosis::policy_edit::{empty, with};
use crate::diagnosis::refusal::{Weighed, weigh};
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};
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
    let mut remediation = Remediation::new(
        "Allow the role in the secret's policy and in the policy of its customer managed key, and rotate. A secret encrypted \
         with the AWS managed key cannot be shared with another account.",
    )
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
