//! # There is no such secret here
//!
//! The secret was deleted, or it lives in another region or account, or its name is misspelt.
//!
//! **Shows as** `ResourceNotFoundException` from DescribeSecret; in the function's log, where it is another secret that the
//! function needs, such as the superuser's.
//!
//! **Is not it** when DescribeSecret was refused: then nobody can tell.

use crate::diagnosis::readings::by_log::said;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in, secrets_manager_endpoint};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Observation, Remediation, RotationStep, SecretRef, StepName};

const CAUSE: Cause = Cause::SecretNotFound;

/// The length of the random suffix Secrets Manager appends to a secret's name in its ARN, without the hyphen.
const SUFFIX: usize = 6;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    match &context.evidence.secret.observation {
        Observation::Found(_) => return needed(context),
        Observation::NoData { .. } => {}
        other => return Verdict::unknown(other.missing().unwrap_or_else(|| "the secret was not looked at".to_owned())),
    }
    let asked = context.evidence.asked.as_str();
    let region = &context.evidence.region;
    let account = context.evidence.account_id.as_ref().map(|id| format!(" of account {id}")).unwrap_or_default();
    let mut explanation = format!("There is no secret {asked} in {region}{account}.");
    let names = &context.evidence.near_names;
    if let Some(name) = names.iter().find(|name| is_of_that_name(&context.evidence.asked, name)) {
        explanation.push_str(&format!(
            " {name} is there under another ARN: it was deleted and created again, or the ARN is of another account."
        ));
    } else if !names.is_empty() {
        explanation.push_str(&format!(" Similar names: {}.", names.join(", ")));
    }
    if let Some(hint) = suffix_hint(&context.evidence.asked) {
        explanation.push_str(hint);
    }
    let remediation = Remediation::new(
        "Check the name, the region and the account. A secret in its recovery window after deletion is still listed and can be \
         restored.",
    )
    .run(aws_in(
        context,
        &[
            "secretsmanager",
            "list-secrets",
            "--include-planned-deletion",
            "--filters",
            &format!("Key=name,Values={}", name_of(&context.evidence.asked)),
        ],
    ))
    .needs("secretsmanager:ListSecrets")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html");
    let proof = context.secret_proof(format!("ResourceNotFoundException: {asked}"));
    context.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation).into()
}

/// The secret is there, and the function asks for one that is not.
fn needed(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(CAUSE) else { return Verdict::clear("the secret exists") };
    let of_superuser = seen.failure.step == Some(RotationStep::SetSecret) || strategy::alternates(context);
    // The templates describe the secret that they rotate, and no other.
    let describes = seen.read.event.text.contains("DescribeSecret");
    let is_own = !of_superuser && describes && seen.failure.step == Some(RotationStep::CreateSecret);
    let explanation = if is_own {
        format!(
            "The function asked{} for this secret and was told that it does not exist, although it does: the function asks the \
             endpoint of another region.",
            seen.in_step()
        )
    } else if of_superuser {
        format!(
            "The function asked{} for a secret that does not exist. createSecret had read this one, so the missing one is the \
             superuser's, which \"masterarn\" names: it was deleted, or is in another region or account.",
            seen.in_step()
        )
    } else {
        format!(
            "The function asked{} for a secret that does not exist: either this one at the endpoint of another region, or the \
             superuser's, which \"masterarn\" names.",
            seen.in_step()
        )
    };
    let remediation = if is_own { other_endpoint(context) } else { other_superuser(context) };
    let mut finding = said(context, CAUSE, &seen, explanation, remediation);
    finding.title = match (of_superuser, is_own) {
        (true, _) => "the superuser's secret does not exist",
        (_, true) => "the function asks for the secret where it does not exist",
        _ => "a secret the function asks for does not exist",
    }
    .to_owned();
    finding.into()
}

fn other_endpoint(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(format!(
        "Set SECRETS_MANAGER_ENDPOINT in the function's environment to {}, and rotate. Save the present variables to \
         environment.json first, and correct the endpoint there.",
        secrets_manager_endpoint(context)
    ))
    .set_environment(context)
    .rotate(context)
    .link(TROUBLESHOOTING)
}

fn other_superuser(context: &DiagnosisContext<'_>) -> Remediation {
    let function = context.function_name().unwrap_or("FUNCTION");
    Remediation::new(
        "Set \"masterarn\" in the secret to a superuser's secret that exists, check that SECRETS_MANAGER_ENDPOINT names this \
         region, and rotate.",
    )
    .run(aws_in(context, &["secretsmanager", "list-secrets", "--include-planned-deletion"]))
    .run(aws_in(context, &["lambda", "get-function-configuration", "--function-name", function]))
    .put_value(context)
    .rotate(context)
    .needs("secretsmanager:ListSecrets")
    .needs("lambda:GetFunctionConfiguration")
    .link(TROUBLESHOOTING)
}

/// The name to look for; the random suffix of an ARN is no part of it.
fn name_of(asked: &SecretRef) -> &str {
    match asked {
        SecretRef::Arn(arn) => arn.name(),
        SecretRef::Name(name) => name,
    }
}

/// True where an ARN was asked for, and the secret of its name has another one.
fn is_of_that_name(asked: &SecretRef, name: &str) -> bool {
    matches!(asked, SecretRef::Arn(arn) if arn.name() == name)
}

/// An ARN without its random suffix is looked up as if the end of the name were that suffix.
fn suffix_hint(asked: &SecretRef) -> Option<&'static str> {
    let SecretRef::Arn(arn) = asked else { return None };
    let suffix = arn.resource_name().rsplit_once('-').map(|(_, suffix)| suffix);
    if suffix.is_some_and(|suffix| suffix.len() == SUFFIX && suffix.chars().all(|c| c.is_ascii_alphanumeric())) {
        return None;
    }
    Some(" The ARN does not end in a hyphen and six random characters, so it may be incomplete: ask by name instead.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Outcome, RotationStep, StepName};

    /// What boto3 says of a secret that is not there.
    fn not_found(operation: &str) -> String {
        format!(
            "[ERROR] ResourceNotFoundException: An error occurred (ResourceNotFoundException) when calling the {operation} operation: \
             Secrets Manager can't find the specified secret."
        )
    }

    #[test]
    fn another_secret_that_the_function_asks_for_in_vain_is_a_root_cause_of_this_ones_failure() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[&not_found("GetSecretValue")]);
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::RootCause);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.explanation.contains("masterarn"), "{}", root.explanation);
    }

    #[test]
    fn what_create_secret_does_not_find_is_this_secret_at_another_endpoint_and_no_value_is_written() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::CreateSecret, &[&not_found("DescribeSecret")]);
        let found = finding(CAUSE, &evidence);
        assert!(found.explanation.contains("another region"), "{}", found.explanation);
        assert!(found.remediation.summary.contains("https://secretsmanager.eu-west-1.amazonaws.com,"));
        assert!(!found.remediation.commands.iter().any(|command| command.contains("put-secret-value")));
    }

    #[test]
    fn a_secret_that_was_created_again_is_looked_up_by_its_name() {
        let mut evidence = healthy();
        evidence.secret = record(no_data());
        evidence.near_names = vec!["prod/orders-db".to_owned()];
        evidence.asked = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-Zz9Zz9".parse().unwrap();
        let found = finding(CAUSE, &evidence);
        assert!(found.explanation.contains("prod/orders-db is there under another ARN"), "{}", found.explanation);
        assert!(found.remediation.commands[0].contains("Values=prod/orders-db'"), "{:?}", found.remediation.commands);
    }

    #[test]
    fn a_secret_that_does_not_exist_is_said_to_be_missing_with_names_like_it() {
        let mut evidence = healthy();
        evidence.secret = record(no_data());
        evidence.near_names = vec!["prod/orders-db-2".to_owned()];
        let finding = finding(CAUSE, &evidence);
        assert_eq!(finding.confidence, Confidence::Confirmed);
        assert!(finding.explanation.contains("prod/orders-db-2"), "{}", finding.explanation);
        evidence.asked = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db".parse().unwrap();
        assert!(crate::diagnosis::testing::finding(CAUSE, &evidence).explanation.contains("may be incomplete"));
    }

    #[test]
    fn a_refused_look_is_no_proof_and_a_found_secret_speaks_against_it() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::Secret);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
