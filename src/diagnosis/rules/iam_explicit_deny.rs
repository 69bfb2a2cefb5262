//! # A policy of the function's role explicitly denies rotation
//!
//! A Deny statement wins over every Allow.
//!
//! **Shows as** `with an explicit deny in an identity-based policy`; in the simulator as `explicitDeny`.
//!
//! **Is not it** when the message names a boundary, an organization policy or the secret's own policy.

use crate::diagnosis::aws_policies::is_of_aws;
use crate::diagnosis::permissions;
use crate::diagnosis::policy_edit::{ON_PURPOSE, PolicyKind, sparing, sparing_denied};
use crate::diagnosis::refusal::{Weighed, weigh};
use crate::diagnosis::remedy::{aws, rotate_now};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, PolicyDocument, Remediation, StepName};
use serde_json::Value;

const CAUSE: Cause = Cause::IamExplicitDeny;

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
    explained_by: &[change_events::ROLE_POLICIES_ADDED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let opinion = match weigh(context, CAUSE, "no policy of the role denies what rotation needs") {
        Weighed::Against(verdict) => return verdict,
        Weighed::For(opinion) => opinion,
    };
    let role = context.role_name().unwrap_or("ROLE");
    let denying = opinion.denying_policy().map(str::to_owned);
    let explanation = match &denying {
        Some(arn) => format!("The policy {arn} of the role {role} explicitly denies {}.", opinion.actions()),
        None => format!("A policy of the role {role} explicitly denies {}.", opinion.actions()),
    };
    let remediation = fix(context, role, denying.as_deref())
        .run(rotate_now(context))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html");
    opinion.finding(context, CAUSE, explanation, remediation).into()
}

/// What to heed before a policy of AWS is detached that denies.
const DETACHED: &str = "A policy of AWS that denies is attached on purpose: ask who attached it before you detach it. What else it \
                        says for the role goes with it.";

/// The command that asks for a managed policy's default version.
fn default_version(arn: &str) -> String {
    aws(&["iam", "get-policy", "--policy-arn", arn, "--query", "Policy.DefaultVersionId", "--output", "text"])
}

/// Each policy with a Deny in the way, narrowed; where the policies were not read, the commands that show them.
fn fix(context: &DiagnosisContext<'_>, role: &str, denying: Option<&str>) -> Remediation {
    let needs = permissions::needs(context);
    let policies = context.evidence.role.found().and_then(|facts| facts.policies.found());
    let identity = policies.map(|policies| policies.identity.as_slice()).unwrap_or_default();
    let mut narrowed: Vec<(&str, Value)> = identity
        .iter()
        .filter_map(|policy| Some((policy.name.as_str(), sparing(context, &policy.document, &needs, PolicyKind::Identity)?)))
        .collect();
    if narrowed.is_empty() {
        let may_be = |policy: &&PolicyDocument| denying.is_none_or(|arn| arn == policy.name);
        narrowed = (identity.iter().filter(may_be))
            .filter_map(|policy| {
                let spared = sparing_denied(context, &policy.document, &needs, PolicyKind::Identity)?;
                Some((policy.name.as_str(), spared))
            })
            .collect();
    }
    if narrowed.is_empty()
        && let Some(arn) = denying
    {
        return Remediation::new(
            "Narrow the Deny statement of this policy so that it spares this secret. The first two commands show the policy; the \
             third makes the corrected policy.json its default version. Then rotate.",
        )
        .run(default_version(arn))
        .run(format!("{} --version-id \"$({})\"", aws(&["iam", "get-policy-version", "--policy-arn", arn]), default_version(arn)))
        .run(aws(&[
            "iam",
            "create-policy-version",
            "--policy-arn",
            arn,
            "--policy-document",
            "file://policy.json",
            "--set-as-default",
        ]))
        .needs("iam:CreatePolicyVersion")
        .warn(ON_PURPOSE);
    }
    if narrowed.is_empty() {
        return Remediation::new(
            "Find the Deny statement among the role's inline and attached policies, narrow it so that it spares this secret, and \
             rotate.",
        )
        .run(aws(&["iam", "list-role-policies", "--role-name", role]))
        .run(aws(&["iam", "list-attached-role-policies", "--role-name", role]))
        .needs("iam:ListRolePolicies")
        .needs("iam:ListAttachedRolePolicies")
        .warn(ON_PURPOSE);
    }
    let of_aws: Vec<&str> = narrowed.iter().map(|(name, _)| *name).filter(|name| is_of_aws(name)).collect();
    let fix = match of_aws.join(" and ") {
        none if none.is_empty() => {
            Remediation::new("Narrow the Deny statement so that it spares the rotation of this secret, and rotate.")
        }
        names if of_aws.len() == narrowed.len() => Remediation::new(format!(
            "Detach {names} from the role: it denies what rotation needs, and only AWS can change it. Then rotate."
        )),
        names => Remediation::new(format!(
            "Detach {names} from the role, which only AWS can change, narrow the other Deny statements so that they spare the \
             rotation of this secret, and rotate."
        )),
    };
    let fix = narrowed.iter().fold(fix, |fix, (name, document)| fix.set_policy(context, name, document));
    let fix = if of_aws.is_empty() { fix } else { fix.warn(DETACHED) };
    if of_aws.len() == narrowed.len() { fix } else { fix.warn(ON_PURPOSE) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, Observation, RotationStep, Severity, SimulatedDecision, StepName};

    #[test]
    fn an_explicit_deny_in_log_and_simulation_is_confirmed() {
        let mut evidence = healthy();
        let line = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: \
             arn:aws:sts::{ACCOUNT}:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {SECRET} with an explicit deny in an identity-based policy"
        );
        fail(&mut evidence, RotationStep::CreateSecret, &[&line]);
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations[1].decision = SimulatedDecision::ExplicitDeny;
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert!(finding.explanation.contains("secretsmanager:GetSecretValue"));
        assert_clear(Cause::IamIdentityPolicyMissing, &evidence);
    }

    #[test]
    fn a_policy_of_aws_that_denies_is_detached_and_the_summary_says_so() {
        let denies = |name: &str| {
            let mut evidence = healthy();
            let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
            simulations[1].decision = SimulatedDecision::ExplicitDeny;
            let statement = serde_json::json!({ "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*" });
            let document = serde_json::json!({ "Statement": [statement] });
            let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
            policies.identity.push(PolicyDocument { name: name.to_owned(), document });
            fail(&mut evidence, RotationStep::CreateSecret, &[]);
            finding(CAUSE, &evidence).remediation
        };
        let of_aws = denies("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3");
        assert!(of_aws.summary.starts_with("Detach arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"), "{}", of_aws.summary);
        assert!(of_aws.commands[0].contains(" detach-role-policy "), "{:?}", of_aws.commands);
        assert_eq!(of_aws.warning.as_deref(), Some(DETACHED));
        let own = denies("arn:aws:iam::123456789012:policy/guard");
        assert!(own.summary.starts_with("Narrow the Deny statement"), "{}", own.summary);
        assert!(own.warning.is_some_and(|warning| warning.contains(ON_PURPOSE)));
    }

    #[test]
    fn it_is_clear_only_where_the_role_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::ExecutionRole);
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
    }
}
