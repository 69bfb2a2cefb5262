//! A role that the function has to assume, and is not let.

use super::DiagnosisContext;
use super::readings::services::is_granted;
use super::refusal::{Opinion, allowing};
use super::remedy::{aws, rotate_now};
use super::signatures::RefusingLayer;
use crate::model::{Arn, Remediation};

pub(super) const TITLE: &str = "the function may not assume a role that it needs";

/// The role that the function's role was refused, where STS does not say by whom.
fn refused_role(opinion: &Opinion) -> Option<&str> {
    let [denied] = opinion.refused.as_slice() else { return None };
    let is_open = denied.layer == RefusingLayer::Unknown && !denied.explicit && opinion.stranger.is_none();
    let target = denied.resource.as_deref().filter(|resource| resource.contains(":role/"))?;
    (is_open && denied.action.eq_ignore_ascii_case("sts:AssumeRole")).then_some(target)
}

/// Two policies have to let a role assume another one, and the refusal names neither.
///
/// Source: IAM User Guide, "Cross-account policy evaluation logic"; STS API reference, `AssumeRole`.
pub(super) fn refused(context: &DiagnosisContext<'_>, opinion: &Opinion, role: &str) -> Option<(String, Remediation)> {
    let target = refused_role(opinion)?;
    let granted = is_granted(context, "sts:assumerole");
    let who = match granted {
        true => {
            format!("A policy of {role} names the action, so that the trust policy of {target} most likely does not name {role}.")
        }
        false => format!("It does not say which side refuses: the trust policy of {target}, or the policies of {role}."),
    };
    let explanation = format!("AWS does not let the role {role} assume the role {target}. {who}");
    let account = Arn::parse(target).ok().map(|arn| arn.account_id().to_owned());
    let own = context.secret().map(|secret| secret.arn.arn().account_id());
    let place = match account.filter(|account| Some(account.as_str()) != own) {
        Some(account) => format!(", whose account {account} needs credentials of its own for the first command"),
        None => String::new(),
    };
    let name = target.rsplit('/').next().unwrap_or(target);
    let document = allowing(context, &opinion.refused);
    let mut remediation = Remediation::new(format!(
        "Let the trust policy of {target} name the role {role}{place}, and let a policy of {role} allow sts:AssumeRole on it. Then \
         rotate."
    ))
    .run(aws(&["iam", "get-role", "--role-name", name, "--query", "Role.AssumeRolePolicyDocument"]))
    .needs("iam:GetRole");
    if !granted {
        remediation = remediation.allow_role(context, "AllowRotationOf", &document);
    }
    let remediation = remediation
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html");
    Some((explanation, remediation))
}
