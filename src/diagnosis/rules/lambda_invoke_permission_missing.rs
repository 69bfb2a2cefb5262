//! # Secrets Manager may not invoke the rotation function
//!
//! The function's resource policy has to allow lambda:InvokeFunction to secretsmanager.amazonaws.com, on the version or
//! alias that rotation names, even within one account.
//!
//! **Shows as** no such policy, or none that matches the secret's account or ARN; Invocations and Throttles 0 while
//! rotation is attempted; `Secrets Manager cannot invoke the specified Lambda function`.
//!
//! **Is not it** when the function ran in the failing rotation.

use crate::diagnosis::iam::{Caller, Context, Decision, Policies, Policy, Request, ResourcePolicy, evaluate_resource, key_names};
use crate::diagnosis::readings::network::NOT_YET;
use crate::diagnosis::remedy::{aws_in, rotate_now};
use crate::diagnosis::runs::{Ran, measured, ran};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, FunctionArn, Observation, Proof, Remediation, Severity, StepName};
use serde_json::{Value, json};

const CAUSE: Cause = Cause::LambdaInvokePermissionMissing;

/// Who invokes rotation functions.
const PRINCIPAL: &str = "secretsmanager.amazonaws.com";

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::Secret, StepName::RotationConfig, StepName::SecretAccess],
    explained_by: &[change_events::INVOKE_PERMISSION, change_events::FUNCTION_DELETED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// What the function's resource policy says.
enum Invocable {
    Yes,
    /// It does not let Secrets Manager in; the statement that keeps it out, where one does.
    No {
        because: String,
        denied_by: Option<String>,
    },
    Open(String),
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    let Some(arn) = context.evidence.function_arn() else { return Verdict::clear("rotation names no function") };
    if context.evidence.function.observation.is_empty() {
        return Verdict::clear("there is no such function");
    }
    let said = context.complaint(CAUSE);
    match (invocable(context, arn), said) {
        (Invocable::No { because, denied_by }, said) => {
            let said = said.map(|said| said.evidence).unwrap_or_default();
            shut_out(context, arn, because, denied_by, said)
        }
        (Invocable::Yes, None) => Verdict::clear("the function's resource policy lets Secrets Manager invoke it"),
        (Invocable::Open(missing), None) => Verdict::unknown(missing),
        (invocable, Some(mut said)) => {
            let mut explanation = format!("Lambda did not let Secrets Manager invoke {}.", arn.name());
            if matches!(invocable, Invocable::Yes) {
                explanation.push_str(" The function's resource policy allows it now: it may have been fixed since.");
                said.confidence = said.confidence.min(Confidence::Likely);
            }
            said.finding(context, CAUSE, explanation, fix(context, arn, None)).into()
        }
    }
}

fn invocable(context: &DiagnosisContext<'_>, arn: &FunctionArn) -> Invocable {
    let access = &context.evidence.access;
    let Some(found) = access.found() else {
        return Invocable::Open(access.observation.missing().unwrap_or_else(|| "the function's resource policy".to_owned()));
    };
    let document = match &found.function_policy {
        Observation::Found(document) => document,
        Observation::NoData { .. } => {
            return Invocable::No { because: "the function has no resource policy".to_owned(), denied_by: None };
        }
        other => return Invocable::Open(other.missing().unwrap_or_else(|| "the function's resource policy".to_owned())),
    };
    let policy = match Policy::from_value("the function's resource policy", document) {
        Ok(policy) => policy,
        Err(error) => return Invocable::Open(error.missing()),
    };
    let mut conditions = Context::new();
    if let Some(secret) = context.secret() {
        conditions = conditions
            .known("aws:SourceAccount", secret.arn.arn().account_id())
            .known("aws:SourceArn", secret.arn.arn().as_str());
    }
    let request = Request::new(Caller::service(PRINCIPAL), "lambda:InvokeFunction", arn.arn().as_str(), conditions);
    let policies = Policies { identity: Vec::new(), boundary: None, resource: ResourcePolicy::Attached(&policy) };
    match policies.evaluate(&request).decision {
        Decision::Allowed { .. } => Invocable::Yes,
        Decision::ExplicitDeny { by } => Invocable::No { because: format!("{by} denies {PRINCIPAL}"), denied_by: by.sid },
        Decision::ImplicitDeny => Invocable::No {
            because: near_miss(document, &request).unwrap_or_else(|| {
                format!("no statement of the function's resource policy allows {PRINCIPAL} to invoke {arn} for this secret")
            }),
            denied_by: None,
        },
        Decision::Unknown { missing_keys, .. } => {
            Invocable::Open(format!("the value of {} in Secrets Manager's request", key_names(missing_keys)))
        }
    }
}

/// The statement that would let Secrets Manager in, were it not for its condition; and what that asks for.
fn near_miss(document: &Value, request: &Request) -> Option<String> {
    let statements = document.get("Statement").and_then(Value::as_array)?;
    statements.iter().find_map(|statement| {
        let condition = statement.get("Condition")?;
        let mut bare = statement.clone();
        bare.as_object_mut()?.remove("Condition");
        let policy = Policy::from_value("the statement", &json!({ "Version": "2012-10-17", "Statement": [bare] })).ok()?;
        if !matches!(evaluate_resource(&policy, request), Decision::Allowed { .. }) {
            return None;
        }
        let sid = statement.get("Sid").and_then(Value::as_str).map(|sid| format!(" {sid}")).unwrap_or_default();
        let wanted = wanted(condition)?;
        Some(format!("statement{sid} of the function's resource policy lets {PRINCIPAL} in only with {wanted}"))
    })
}

/// `AWS:SourceAccount 123456789012 and AWS:SourceArn arn:…`, of a condition; what it excludes is not told.
fn wanted(condition: &Value) -> Option<String> {
    let includes = |operator: &str| !operator.contains("Not") && operator != "Null";
    let pairs = condition.as_object()?.iter().filter(|(operator, _)| includes(operator));
    let pairs = pairs.filter_map(|(_, pairs)| pairs.as_object()).flatten();
    let pairs: Vec<String> = pairs
        .map(|(key, values)| match values {
            Value::Array(values) => {
                let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                format!("{key} {}", values.join(" or "))
            }
            value => format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        })
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(" and "))
}

fn shut_out(
    context: &DiagnosisContext<'_>,
    arn: &FunctionArn,
    because: String,
    denied_by: Option<String>,
    said: Vec<Proof>,
) -> Verdict {
    let wanted = context.is_unwell() || context.never_rotated();
    let throttled = measured(context, |point| point.throttles).is_ok_and(|throttles| throttles > 0.0);
    let mut evidence = said;
    let is_said = !evidence.is_empty();
    evidence.push(Proof::of(StepName::SecretAccess, "lambda:GetPolicy", because.clone()));
    let (confidence, severity) = match ran(context) {
        _ if !wanted => (Confidence::Likely, Severity::Info),
        // What ran in this row was let in: the permission was lost later, or somebody else's invocation is seen.
        Ran::Yes if !is_said && !context.failures.is_empty() => (Confidence::Likely, Severity::Info),
        Ran::No(_) if throttled && !is_said => (Confidence::Likely, Severity::Critical),
        Ran::No(proofs) => {
            evidence.extend(proofs);
            (Confidence::Confirmed, Severity::Critical)
        }
        _ if is_said || context.never_rotated() && context.attempts().next().is_none() => {
            (Confidence::Confirmed, Severity::Critical)
        }
        Ran::Yes | Ran::Unseen(_) => (Confidence::Likely, Severity::Critical),
    };
    let mut explanation = format!("Secrets Manager may not invoke {}: {because}.", arn.name());
    if severity == Severity::Info {
        explanation.push_str(NOT_YET);
    }
    if let Some(change) = context.last_change(Concern::Function, &["RemovePermission"]) {
        explanation = format!("{} called {}. {explanation}", change.actor, change.event);
        evidence.push(context.change_proof(change));
    }
    evidence.extend(context.failed_attempt_proof().filter(|_| severity > Severity::Info));
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, fix(context, arn, denied_by));
    finding.severity = severity;
    finding.into()
}

fn fix(context: &DiagnosisContext<'_>, arn: &FunctionArn, denied_by: Option<String>) -> Remediation {
    let account = context.secret().map_or("ACCOUNT_ID", |secret| secret.arn.arn().account_id());
    let with_qualifier = |words: &[&str]| {
        let mut words = words.to_vec();
        if let Some(qualifier) = arn.qualifier() {
            words.extend(["--qualifier", qualifier]);
        }
        aws_in(context, &words)
    };
    let mut remediation = Remediation::new("Let Secrets Manager invoke the function for secrets of this account, and rotate.");
    if let Some(sid) = &denied_by {
        remediation = remediation
            .run(with_qualifier(&["lambda", "remove-permission", "--function-name", arn.name(), "--statement-id", sid]))
            .needs("lambda:RemovePermission");
    }
    let policy = context.evidence.access.found().and_then(|access| access.function_policy.found());
    remediation
        .run(with_qualifier(&[
            "lambda",
            "add-permission",
            "--function-name",
            arn.name(),
            "--statement-id",
            free_sid(policy),
            "--action",
            "lambda:InvokeFunction",
            "--principal",
            PRINCIPAL,
            "--source-account",
            account,
        ]))
        .run(rotate_now(context))
        .needs("lambda:AddPermission")
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html")
}

/// AddPermission refuses an id that the policy has already.
fn free_sid(policy: Option<&Value>) -> &'static str {
    let statements = policy.and_then(|policy| policy.get("Statement")).and_then(Value::as_array);
    let taken =
        |sid: &str| statements.is_some_and(|all| all.iter().any(|one| one.get("Sid").and_then(Value::as_str) == Some(sid)));
    if taken("SecretsManagerAccess") { "SecretsManagerRotation" } else { "SecretsManagerAccess" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::RotationStep;

    #[test]
    fn without_a_policy_and_without_any_invocation_it_is_confirmed() {
        let mut evidence = healthy();
        facts(&mut evidence.access).function_policy = no_data();
        fail_unseen(&mut evidence, None);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert_eq!(
            root.remediation.commands[0],
            "aws lambda add-permission --function-name orders-rotator --statement-id SecretsManagerAccess --action \
             lambda:InvokeFunction --principal secretsmanager.amazonaws.com --source-account 123456789012 --region eu-west-1"
        );
    }

    #[test]
    fn a_statement_for_another_account_does_not_let_this_secret_in() {
        let mut evidence = healthy();
        let Observation::Found(policy) = &mut facts(&mut evidence.access).function_policy else { panic!() };
        policy["Statement"][0]["Condition"]["StringEquals"]["AWS:SourceAccount"] = "210987654321".into();
        let risk = finding(CAUSE, &evidence);
        assert_eq!(risk.severity, Severity::Info);
        assert!(risk.explanation.contains("in only with AWS:SourceAccount 210987654321."), "{}", risk.explanation);
        let due = &mut facts(&mut evidence.rotation_config).due;
        due.previous = Some(hours_ago(48));
        due.overdue_since = Some(hours_ago(24));
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
        assert!(finding.remediation.commands[0].contains("SecretsManagerRotation"));
    }

    #[test]
    fn a_policy_of_the_function_is_none_of_its_alias() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).function_arn = Some(arn(&format!("{FUNCTION}:live")));
        assert!(finding(CAUSE, &evidence).remediation.commands[0].contains("--qualifier live"));
    }

    #[test]
    fn invocations_in_the_failing_rotation_contradict_it() {
        let mut evidence = healthy();
        facts(&mut evidence.access).function_policy = no_data();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_eq!(finding(CAUSE, &evidence).severity, Severity::Info);
    }

    #[test]
    fn it_is_clear_only_where_the_policy_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.access).function_policy = denied("lambda:GetPolicy");
        assert_unknown(CAUSE, &evidence, "lambda:GetPolicy");
        deny(&mut evidence, StepName::SecretAccess);
        assert_unknown(CAUSE, &evidence, "lambda:GetPolicy");
    }
}
