//! # The partner's rotation role may not do what rotation needs
//!
//! Secrets Manager assumes the role, and then its policies, a boundary, the organization, the secret's policy or the key
//! policy refuse a call: reading or writing the secret under the condition `secretsmanager:resource/Type`, the random
//! password, the secret's key, or the administrator's secret that the metadata names.
//!
//! **Shows as** a simulation that refuses an action for this secret's type; RotationFailed events, some of which say
//! `not authorized to perform`.
//!
//! **Is not it** when the policies allow all of it.

use crate::diagnosis::key_access;
use crate::diagnosis::need::{NeedState, Stop, Target};
use crate::diagnosis::readings::network::NOT_YET;
use crate::diagnosis::readings::partner::{self, Partner};
use crate::diagnosis::refusal::{GRANT, allowing, may_be_granted};
use crate::diagnosis::remedy::{aws, aws_in};
use crate::diagnosis::signatures::RefusingLayer;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Observation, Proof, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::ExternalRolePermission;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[
        change_events::ROLE_POLICIES,
        change_events::ROLE_POLICIES_ADDED,
        change_events::BOUNDARIES,
        change_events::SECRET_POLICY,
        change_events::KEY_POLICY,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    if let Observation::NoData { .. } = context.evidence.role.observation {
        return Verdict::clear("the role does not exist, which comes first");
    }
    let says_so = partner::said(context) == Some(CAUSE);
    let stops: Vec<&Stop> = context.standings().iter().filter_map(|(_, standing)| standing.stop()).collect();
    if stops.is_empty() && !says_so {
        let open = context.standings().iter().find_map(|(_, standing)| match standing {
            NeedState::Open(missing) => Some(missing.clone()),
            _ => None,
        });
        let unseen = context.evidence.role.observation.missing().or(open);
        return unseen.map_or_else(|| Verdict::clear("the role may do everything that rotation needs"), Verdict::unknown);
    }
    let mut evidence: Vec<Proof> = context.failed_attempt_proof().filter(|_| says_so).into_iter().collect();
    evidence.extend(stops.iter().map(|stop| stop.proof.clone()));
    evidence.extend(context.failed_attempt_proof().filter(|_| !says_so));
    evidence.push(partner.proof(context));
    let role = partner.role().map_or("the rotation role", |role| role.name());
    let mut actions: Vec<&str> = stops.iter().map(|stop| stop.need.action).collect();
    actions.dedup();
    let is_granted = !says_so && stops.iter().all(|stop| may_be_granted(stop));
    let mut explanation = match stops.is_empty() {
        true => format!("Secrets Manager says that a call was refused to the role {role}, with which it rotates this secret."),
        false => {
            format!("The role {role}, with which Secrets Manager rotates this secret, may not perform {}.", actions.join(", "))
        }
    };
    if is_granted {
        explanation.push_str(GRANT);
    }
    let (confidence, severity) = match (stops.is_empty(), context.is_unwell(), context.never_rotated()) {
        (true, ..) => (Confidence::Likely, Severity::Critical),
        (false, true, _) if context.failing.is_some() && !is_granted => (Confidence::Confirmed, Severity::Critical),
        (false, true, _) | (false, false, true) => (Confidence::Likely, Severity::Critical),
        (false, false, false) => (Confidence::Likely, Severity::Info),
    };
    if severity == Severity::Info && !is_granted {
        explanation.push_str(NOT_YET);
    }
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, fix(context, &partner, &stops));
    finding.severity = severity;
    finding.into()
}

fn fix(context: &DiagnosisContext<'_>, partner: &Partner<'_>, stops: &[&Stop]) -> Remediation {
    let role = partner.role().map_or("ROLE", |role| role.name());
    let mut remediation = Remediation::new("Allow the role the missing actions, and rotate.");
    let own: Vec<_> = stops
        .iter()
        .filter(|stop| !stop.denied.explicit && stop.denied.layer == RefusingLayer::IdentityPolicy)
        .map(|stop| stop.denied.clone())
        .collect();
    let elsewhere = stops.iter().find(|stop| stop.denied.explicit || stop.denied.layer != RefusingLayer::IdentityPolicy);
    remediation = match elsewhere {
        _ if own.is_empty() => remediation,
        None => remediation.give_back(context, "AllowRotationOf", &allowing(context, &own)),
        Some(_) => remediation.allow_role(context, "AllowRotationOf", &allowing(context, &own)),
    };
    remediation = match elsewhere.map(|stop| (stop.denied.layer, stop.need.target)) {
        Some((RefusingLayer::ResourcePolicy, Target::SecretKey)) => {
            let key = crate::diagnosis::permissions::customer_key(context).unwrap_or_else(|| "KEY_ARN".to_owned());
            key_access::edit_policy(remediation, context, &key)
        }
        Some((RefusingLayer::ResourcePolicy, _)) => remediation
            .run(aws_in(context, &["secretsmanager", "get-resource-policy", "--secret-id", context.secret_id()]))
            .needs("secretsmanager:GetResourcePolicy")
            .needs("secretsmanager:PutResourcePolicy"),
        Some(_) => remediation
            .run(aws(&["iam", "list-role-policies", "--role-name", role]))
            .run(aws(&["iam", "list-attached-role-policies", "--role-name", role]))
            .needs("iam:ListRolePolicies"),
        None if own.is_empty() => remediation.run(aws(&["iam", "list-attached-role-policies", "--role-name", role])),
        None => remediation,
    };
    remediation.rotate(context).link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-security.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::SimulatedDecision;

    #[test]
    fn a_simulated_denial_with_a_failed_rotation_is_confirmed_and_the_fix_names_the_role() {
        let mut evidence = external();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let put = simulations.iter_mut().find(|one| one.action == "secretsmanager:PutSecretValue").unwrap();
        put.decision = SimulatedDecision::ImplicitDeny;
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
        fail_unseen(&mut evidence, None);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.remediation.commands[0].contains("--role-name orders-rotator-role"), "{:?}", root.remediation.commands);
        assert!(root.explanation.contains("secretsmanager:PutSecretValue"), "{}", root.explanation);
    }

    #[test]
    fn a_session_that_is_refused_was_assumed_and_gets_its_detached_policy_back() {
        let mut evidence = external();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations.iter_mut().find(|one| one.action == "secretsmanager:PutSecretValue").unwrap().decision =
            SimulatedDecision::ImplicitDeny;
        fail_unseen(&mut evidence, None);
        let policy = "arn:aws:iam::123456789012:policy/partner-rotation";
        let mut detached = change(hours_ago(2), "DetachRolePolicy", crate::model::Concern::Role);
        detached.parameters = serde_json::json!({ "roleName": "orders-rotator-role", "policyArn": policy });
        facts(&mut evidence.changes).changes.push(detached);
        facts(&mut evidence.history).attempts[1].reason = Some(
            "User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/SecretsManager is not authorized to perform: \
             secretsmanager:PutSecretValue because no identity-based policy allows the secretsmanager:PutSecretValue action"
                .to_owned(),
        );
        assert_clear(Cause::ExternalRoleTrust, &evidence);
        let fix = finding(CAUSE, &evidence).remediation;
        assert!(fix.commands[0].contains(&format!("attach-role-policy --role-name orders-rotator-role --policy-arn {policy}")));
    }

    #[test]
    fn a_key_that_no_policy_lets_the_role_use_is_not_confirmed_because_a_grant_may() {
        let mut evidence = external();
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        simulations.iter_mut().find(|one| one.action == "kms:Decrypt").unwrap().decision = SimulatedDecision::ImplicitDeny;
        fail_unseen(&mut evidence, None);
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.ends_with(GRANT), "{}", found.explanation);
    }

    #[test]
    fn what_may_be_done_is_clear_what_was_not_seen_is_unknown_and_the_events_words_count() {
        let mut evidence = external();
        fail_unseen(&mut evidence, None);
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::ExecutionRole);
        assert_unknown(CAUSE, &evidence, "iam:SimulatePrincipalPolicy");
        facts(&mut evidence.history).attempts[1].reason =
            Some("User is not authorized to perform: kms:GenerateDataKey".to_owned());
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
    }
}
