//! # Lambda cannot decrypt the function's environment variables
//!
//! The function's environment is encrypted with a customer managed key that its role may not use, so no code runs and no
//! log is written. When a role is recreated under its old name, the key's grant to it has to be renewed.
//!
//! **Shows as** `Lambda was unable to decrypt the environment variables because KMS access was denied`; the reason code
//! KMSKeyAccessDenied; `KMSKeyArn` set and no invocation at the time of the failures.
//!
//! **Is not it** when the environment uses the AWS managed key, the function ran, or the key is not enabled.

use crate::diagnosis::key_access::key_access;
use crate::diagnosis::need::{NeedState, Target};
use crate::diagnosis::permissions::{needs, standing};
use crate::diagnosis::runs::{Ran, measured, ran};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Arn, Cause, Confidence, FunctionFacts, Observation, Proof, Remediation, StepName};

const CAUSE: Cause = Cause::LambdaEnvKmsDenied;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[
        change_events::ROLE_POLICIES,
        change_events::ROLE_TRUST,
        change_events::KEY_POLICY,
        change_events::KEY_STATE,
        change_events::FUNCTION_CONFIGURATION,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    if let Some(complaint) = context.complaint(CAUSE) {
        let name = context.function_name().unwrap_or("the function");
        let explanation = format!("Lambda may not decrypt the environment variables of {name} on behalf of the function's role.");
        return complaint.finding(context, CAUSE, explanation, fix(context, context.function())).into();
    }
    let Some(function) = context.function() else { return context.function_is_fine() };
    let Some(key) = &function.kms_key_arn else {
        return Verdict::clear("the function's environment uses the AWS managed key");
    };
    if let Some(verdict) = key_is_the_matter(context) {
        return verdict;
    }
    let proofs = match ran(context) {
        Ran::Yes => return Verdict::clear("the function ran, so its environment was decrypted"),
        Ran::Unseen(_) if !context.is_unwell() => {
            return match context.history_gap() {
                Some(missing) => Verdict::unknown(missing),
                None => Verdict::clear("rotation is not failing"),
            };
        }
        Ran::Unseen(missing) => return Verdict::unknown(missing),
        Ran::No(proofs) => proofs,
    };
    if measured(context, |point| point.throttles).is_ok_and(|throttles| throttles > 0.0) {
        return Verdict::clear("the invocations were throttled");
    }
    silent_failure(context, function, key, proofs)
}

/// The verdict where the key itself decides, or was not seen.
fn key_is_the_matter(context: &DiagnosisContext<'_>) -> Option<Verdict> {
    let Some(access) = context.evidence.access.found() else {
        return context.evidence.access.observation.missing().map(Verdict::unknown);
    };
    match &access.environment_key {
        Observation::Found(key) if !key.is_usable() => Some(Verdict::clear("the key is not enabled, which comes first")),
        Observation::NoData { .. } => Some(Verdict::clear("the key is gone, which comes first")),
        other => other.missing().map(Verdict::unknown),
    }
}

/// No invocation began although rotation was attempted, and the environment needs a key.
fn silent_failure(context: &DiagnosisContext<'_>, function: &FunctionFacts, key: &Arn, mut evidence: Vec<Proof>) -> Verdict {
    let need = needs(context).into_iter().find(|need| need.target == Target::EnvironmentKey);
    let confidence = match need.map(|need| standing(context, &need)) {
        Some(NeedState::Stopped(stop)) => {
            evidence.push(stop.proof);
            Confidence::Likely
        }
        // Lambda's own grant on the key may stand in for a policy, and a retired grant leaves no trace in one.
        _ => Confidence::Possible,
    };
    evidence.push(Proof::of(StepName::RotationFunction, "lambda:GetFunctionConfiguration", format!("KMSKeyArn {key}")));
    evidence.extend(context.failed_attempt_proof());
    let name = function.arn.name();
    let explanation = match confidence {
        Confidence::Possible => format!(
            "No invocation of {name} began when rotation was attempted, and Lambda needs {key} to decrypt its environment \
             variables: the grant to its role may be gone."
        ),
        _ => format!(
            "No invocation of {name} began when rotation was attempted, and its role may not decrypt its environment variables."
        ),
    };
    context.finding(CAUSE, confidence, explanation, evidence, fix(context, Some(function))).into()
}

fn fix(context: &DiagnosisContext<'_>, function: Option<&FunctionFacts>) -> Remediation {
    let role = function.map_or("ROLE_ARN", |function| function.role.arn().as_str());
    let key = function.and_then(|function| function.kms_key_arn.as_ref()).map_or("KEY_ARN", |key| key.as_str());
    let mut fix = key_access(context, Target::EnvironmentKey, key).configure_function(context, &["--role", role]);
    fix.summary = "Let the role decrypt with the environment's key, and assign the role to the function again, which renews the \
         grant."
        .to_owned();
    fix.needs("iam:PassRole").link("https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep};
    use serde_json::json;

    fn with_key() -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.function).kms_key_arn = Some(Arn::parse(KEY).unwrap());
        facts(&mut evidence.access).environment_key = Observation::Found(key());
        evidence
    }

    #[test]
    fn lambdas_own_reason_code_is_decisive() {
        let mut evidence = with_key();
        let function = facts(&mut evidence.function);
        function.state = Some("Failed".to_owned());
        function.state_reason_code = Some("KMSKeyAccessDenied".to_owned());
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn without_any_invocation_a_grant_may_be_gone_which_is_possible_and_no_more() {
        let mut evidence = with_key();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.metrics).points.clear();
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Possible);
        assert!(finding.evidence.iter().any(|proof| proof.text.starts_with("Invocations 0, Throttles 0 ")), "{finding:?}");
    }

    #[test]
    fn a_key_policy_that_admits_neither_role_nor_account_makes_it_likely_whatever_the_role_may() {
        let mut evidence = with_key();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.role).policies = Observation::NotApplicable { because: "not needed".to_owned() };
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Possible);
        let Observation::Found(key) = &mut facts(&mut evidence.access).environment_key else { panic!() };
        key.policy = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Resource": "*",
            "Principal": { "AWS": "arn:aws:iam::123456789012:role/admin" }, "Action": "kms:*" }] }));
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn a_function_that_ran_and_the_aws_managed_key_speak_against_it() {
        assert_clear(CAUSE, &healthy());
        let mut evidence = with_key();
        assert_clear(CAUSE, &evidence);
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(CAUSE, &evidence);
    }

    #[test]
    fn an_unseen_function_or_key_is_unknown() {
        let mut evidence = with_key();
        facts(&mut evidence.access).environment_key = denied("kms:DescribeKey");
        assert_unknown(CAUSE, &evidence, "kms:DescribeKey");
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
