//! # The secret's resource policy denies the function's role
//!
//! Often a Deny for everyone except a list of principals, addresses or endpoints from which the rotation role was left out.
//! IAM's simulator does not see this policy; it is evaluated here.
//!
//! **Shows as** `with an explicit deny in a resource-based policy`; a Deny statement that matches the role.
//!
//! **Is not it** when the secret has no resource policy, or the Deny's condition spares the role.

use crate::diagnosis::permissions;
use crate::diagnosis::policy_edit::{ON_PURPOSE, PolicyKind, sparing_denied};
use crate::diagnosis::refusal::{Weighed, weigh};
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

const CAUSE: Cause = Cause::SecretResourcePolicyDeny;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::SecretAccess],
    explained_by: &[change_events::SECRET_POLICY],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let opinion = match weigh(context, CAUSE, "the secret's resource policy denies the role nothing that rotation needs") {
        Weighed::Against(verdict) => return by_the_policy_itself(context, verdict),
        Weighed::For(opinion) => opinion,
    };
    let role = context.role_name().unwrap_or("ROLE");
    let explanation = format!("The secret's resource policy denies {} to the role {role}.", opinion.actions());
    let secret = context.secret_id();
    let policy = context.evidence.access.found().and_then(|access| access.secret_policy.found());
    let spared = policy.and_then(|policy| sparing_denied(context, policy, &permissions::needs(context), PolicyKind::Resource));
    let fix = Remediation::new("Exempt the function's role from the Deny statement, and rotate.");
    let put = |fix: Remediation, document: &str| {
        let words = ["secretsmanager", "put-resource-policy", "--secret-id", secret, "--resource-policy", document];
        fix.run(aws_in(context, &[&words[..], &["--block-public-policy"]].concat())).needs("secretsmanager:PutResourcePolicy")
    };
    let remediation = match &spared {
        Some(document) => put(fix, &document.to_string()),
        None => put(
            fix.run(aws_in(context, &["secretsmanager", "get-resource-policy", "--secret-id", secret]))
                .needs("secretsmanager:GetResourcePolicy"),
            "file://fixed-policy.json",
        )
        .warn("The new policy replaces the whole old one: keep the other statements."),
    };
    let remediation = remediation
        .warn(ON_PURPOSE)
        .run(rotate_now(context))
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

/// Where nothing speaks for a denial, the secret's policy itself decides: unread it leaves the answer open, and where there
/// is none, nothing about the role matters.
fn by_the_policy_itself(context: &DiagnosisContext<'_>, verdict: Verdict) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    let access = &context.evidence.access;
    let unread = access.observation.missing().or_else(|| access.found().and_then(|access| access.secret_policy.missing()));
    let none = access.found().is_some_and(|access| access.secret_policy.is_empty());
    match (unread, context.evidence.logs.observation.missing()) {
        (Some(missing), _) => Verdict::unknown(missing),
        (None, None) if none => Verdict::clear("the secret has no resource policy"),
        _ => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, Evidence, Observation, RotationStep, Severity, StepName};
    use serde_json::json;

    fn denying(condition: serde_json::Value) -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.access).secret_policy = Observation::Found(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "OnlyTheApplication",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
                "Condition": condition
            }]
        }));
        evidence
    }

    #[test]
    fn a_deny_that_forgets_the_role_is_confirmed_by_the_log() {
        let mut evidence = denying(json!({ "StringNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/application" } }));
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {SECRET} with an explicit deny in a resource-based policy"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert!(finding.evidence.iter().any(|proof| proof.text.contains("OnlyTheApplication")), "{:?}", finding.evidence);
    }

    #[test]
    fn a_deny_that_depends_on_what_nobody_knows_is_narrowed_where_aws_said_that_the_policy_denies() {
        let mut evidence = denying(json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }));
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {SECRET} with an explicit deny in a resource-based policy"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let command = &finding(CAUSE, &evidence).remediation.commands[0];
        assert!(command.contains("put-resource-policy") && command.contains("OnlyTheApplication"), "{command}");
    }

    #[test]
    fn a_deny_that_spares_the_role_is_clear_and_one_that_depends_on_the_network_is_unknown() {
        assert_clear(CAUSE, &denying(json!({ "StringNotEquals": { "aws:PrincipalArn": ROLE } })));
        let by_network = denying(json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } }));
        assert_unknown(CAUSE, &by_network, "aws:SourceVpce");
    }

    #[test]
    fn a_deny_is_found_even_where_nothing_is_known_of_the_role() {
        let mut evidence = denying(json!({ "StringNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/application" } }));
        deny(&mut evidence, StepName::ExecutionRole);
        fail(&mut evidence, RotationStep::CreateSecret, &[]);
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn it_is_clear_only_where_the_policy_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.access).secret_policy = denied("secretsmanager:GetResourcePolicy");
        assert_unknown(CAUSE, &evidence, "secretsmanager:GetResourcePolicy");
        deny(&mut evidence, StepName::SecretAccess);
        assert_unknown(CAUSE, &evidence, "lambda:GetPolicy");
    }
}
