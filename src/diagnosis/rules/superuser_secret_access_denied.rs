//! # The function may not read the superuser secret
//!
//! With the alternating-users strategy the function logs in as a superuser whose credentials are in another secret, named
//! by `masterarn`. The role has to be allowed to read that secret too.
//!
//! **Shows as** an access-denied line for GetSecretValue on another secret, in setSecret.
//!
//! **Is not it** when the refused resource is the rotated secret itself.

use crate::diagnosis::refusal::{Weighed, allowing, weigh};
use crate::diagnosis::remedy::rotate_now;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Arn, Cause, Remediation, SecretArn, StepName};

const CAUSE: Cause = Cause::SuperuserSecretAccessDenied;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::ROLE_POLICIES],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if crate::diagnosis::refusal::logged(context, CAUSE).is_none() {
        return context.not_in_logs();
    }
    let opinion = match weigh(context, CAUSE, "no failing invocation reports it") {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    let role = context.role_name().unwrap_or("ROLE");
    let superuser = opinion.refused.iter().find_map(|denied| denied.resource.clone());
    let named = superuser.as_deref().unwrap_or("named by masterarn");
    let explanation = format!("The role {role} may not read the superuser secret {named}.");
    let is_whole = superuser.as_deref().is_none_or(has_suffix);
    let mut remediation = Remediation::new(match is_whole {
        true => "Let the role read the superuser secret, under its full ARN with the suffix, and rotate.",
        false => {
            "Let the role read the superuser secret, and rotate. The line names its ARN without the suffix: -?????? in the policy stands \
             for it."
        }
    });
    if let Some(arn) = superuser.filter(|arn| arn.starts_with("arn:")) {
        let mut refused = opinion.refused.clone();
        for denied in refused.iter_mut().filter(|denied| !is_whole && denied.resource.as_deref() == Some(arn.as_str())) {
            denied.resource = Some(format!("{arn}-??????"));
        }
        remediation = remediation.give_back(context, "ReadSuperuserOf", &allowing(context, &refused));
    }
    let remediation = remediation
        .run(rotate_now(context))
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

/// True for a secret's ARN with the six characters at its end, and for what is no secret's ARN.
fn has_suffix(arn: &str) -> bool {
    let secret = Arn::parse(arn).ok().and_then(|arn| SecretArn::try_from(arn).ok());
    secret.is_none_or(|secret| secret.name() != secret.resource_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, RotationStep, StepName};

    const SUPERUSER: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/root-ZyXwVu";

    fn line(resource: &str) -> String {
        format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {resource} because no identity-based policy allows the \
             secretsmanager:GetSecretValue action"
        )
    }

    #[test]
    fn another_secret_refused_in_set_secret_is_the_superusers_and_the_fix_names_it() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[&line(SUPERUSER)]);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains(SUPERUSER), "{:?}", finding.remediation.commands);
        assert_clear(Cause::IamIdentityPolicyMissing, &evidence);
    }

    #[test]
    fn an_arn_without_its_suffix_is_completed_by_a_pattern() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[&line("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/root")]);
        let fix = finding(CAUSE, &evidence).remediation;
        assert!(fix.commands[0].contains(":secret:prod/root-??????"), "{:?}", fix.commands);
        assert!(fix.summary.contains("without the suffix"), "{}", fix.summary);
    }

    #[test]
    fn the_rotated_secret_itself_is_not_the_superusers_and_unread_logs_tell_nothing() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[&line(SECRET)]);
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
    }
}
