//! # Secrets Manager may not assume the partner's rotation role
//!
//! A managed external secret is rotated by Secrets Manager itself, with a role of this account that it has to assume. The
//! role is gone, its trust policy names another service, or a condition in it names another account, region or secret.
//!
//! **Shows as** a trust policy that refuses `secretsmanager.amazonaws.com` for this secret's `aws:SourceAccount` and
//! `aws:SourceArn`; RotationFailed events, some of which say that the role cannot be assumed.
//!
//! **Is not it** when the trust policy admits Secrets Manager for this secret.

use crate::diagnosis::policy_edit;
use crate::diagnosis::readings::network::NOT_YET;
use crate::diagnosis::readings::partner::{self, Partner, SECRETS_MANAGER};
use crate::diagnosis::readings::trust::Trust;
use crate::diagnosis::remedy::aws;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Observation, Proof, Remediation, Severity, StepName};
use serde_json::json;

const CAUSE: Cause = Cause::ExternalRoleTrust;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::ROLE_TRUST, change_events::ROLE_DELETED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    let says_so = partner::said(context) == Some(CAUSE);
    let (because, call) = match (&context.evidence.role.observation, partner::trust(context, &partner)) {
        (Observation::NoData { .. }, _) => (Some("the role does not exist".to_owned()), "iam:SimulatePrincipalPolicy"),
        (_, Trust::Broken(because)) => (Some(because), "iam:GetRole"),
        (_, Trust::Kept) if !says_so => return Verdict::clear("the role's trust policy admits Secrets Manager for this secret"),
        (_, Trust::Open(missing)) if !says_so => return Verdict::unknown(missing),
        _ => (None, ""),
    };
    let mut evidence: Vec<Proof> = context.failed_attempt_proof().filter(|_| says_so).into_iter().collect();
    if let Some(because) = &because {
        evidence.push(Proof::of(StepName::ExecutionRole, call, because.clone()));
    }
    evidence.extend(context.failed_attempt_proof().filter(|_| !says_so));
    evidence.push(partner.proof(context));
    let role = partner.role().map_or("the rotation role", |role| role.name());
    let explanation = match &because {
        Some(because) => format!("Secrets Manager may not assume {role}, with which it rotates this secret: {because}."),
        None => format!("Secrets Manager says that it could not assume {role}, with which it rotates this secret."),
    };
    let unwell = context.is_unwell();
    let (confidence, severity) = match (&because, unwell || says_so, context.never_rotated()) {
        (Some(_), true, _) => (Confidence::Confirmed, Severity::Critical),
        (None, ..) => (Confidence::Likely, Severity::Critical),
        (Some(_), false, true) => (Confidence::Likely, Severity::Critical),
        // What rotated was assumed: the trust was lost later.
        (Some(_), false, false) => (Confidence::Likely, Severity::Info),
    };
    let aside = if severity == Severity::Info { NOT_YET } else { "" };
    let explanation = format!("{explanation}{aside}");
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, fix(context, &partner));
    finding.severity = severity;
    finding.into()
}

fn fix(context: &DiagnosisContext<'_>, partner: &Partner<'_>) -> Remediation {
    let arn = partner.secret.arn.arn();
    let any_secret = format!("arn:{}:secretsmanager:{}:{}:secret:*", arn.partition(), arn.region(), arn.account_id());
    let allow = json!({
        "Effect": "Allow", "Principal": { "Service": SECRETS_MANAGER }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": arn.account_id() }, "ArnLike": { "aws:SourceArn": any_secret } }
    });
    let seen = context.evidence.role.found().and_then(|facts| facts.trust.found());
    let trust = policy_edit::trusting_by(seen.unwrap_or(&policy_edit::empty()), SECRETS_MANAGER, allow).to_string();
    let role = partner.role().map_or("ROLE", |role| role.name());
    let remediation =
        Remediation::new("Let Secrets Manager assume the role for the secrets of this account and region, and rotate.");
    let is_gone = matches!(context.evidence.role.observation, Observation::NoData { .. });
    let (command, option) = match is_gone {
        true => ("create-role", "--assume-role-policy-document"),
        false => ("update-assume-role-policy", "--policy-document"),
    };
    let remediation = match is_gone {
        true => remediation
            .needs("iam:CreateRole")
            .warn("A new role has no permissions yet: give it those of the partner's rotation too."),
        false if seen.is_some() => remediation.needs("iam:UpdateAssumeRolePolicy"),
        false => remediation
            .run(aws(&["iam", "get-role", "--role-name", role]))
            .needs("iam:UpdateAssumeRolePolicy")
            .warn("The whole trust policy is replaced: keep the statements for others who may assume the role."),
    };
    remediation
        .run(aws(&["iam", command, "--role-name", role, option, &trust]))
        .rotate(context)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-security.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::Evidence;

    fn trusting(condition: serde_json::Value) -> Evidence {
        let mut evidence = external();
        facts(&mut evidence.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": SECRETS_MANAGER }, "Action": "sts:AssumeRole", "Condition": condition }] }));
        evidence
    }

    #[test]
    fn a_condition_for_another_region_or_account_breaks_the_trust_and_is_quoted() {
        for (operator, key, value) in [
            ("ArnLike", "aws:SourceArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
            ("StringEquals", "aws:SourceAccount", "999999999999"),
        ] {
            let mut evidence = trusting(json!({ operator: { key: value } }));
            assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
            fail_unseen(&mut evidence, None);
            let diagnosis = diagnose(&evidence);
            let root = diagnosis.root_cause().unwrap();
            assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed), "{value}");
            assert!(root.explanation.contains(value), "{}", root.explanation);
            assert!(root.remediation.commands.iter().any(|command| command.contains("update-assume-role-policy")));
        }
    }

    #[test]
    fn a_trust_that_fits_is_clear_and_one_that_was_not_read_is_not() {
        let mut evidence = trusting(json!({ "StringEquals": { "aws:SourceAccount": ACCOUNT },
            "ArnLike": { "aws:SourceArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*" } }));
        fail_unseen(&mut evidence, None);
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.role).trust = denied("iam:GetRole");
        assert_unknown(CAUSE, &evidence, "iam:GetRole");
        facts(&mut evidence.history).attempts[1].reason = Some("Secrets Manager can't assume the rotation role.".to_owned());
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn a_role_that_is_gone_cannot_be_assumed() {
        let mut evidence = external();
        evidence.role = record(no_data());
        fail_unseen(&mut evidence, None);
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.remediation.commands[0].contains("create-role"), "{:?}", finding.remediation.commands);
    }
}
