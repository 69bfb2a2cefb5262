//! # There is no such secret here
//!
//! The secret was deleted, or it lives in another region or account, or its name is misspelt.
//!
//! **Shows as** `ResourceNotFoundException` from DescribeSecret.
//!
//! **Is not it** when DescribeSecret was refused: then nobody can tell.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Confidence, Observation, Remediation, SecretRef};

const CAUSE: Cause = Cause::SecretNotFound;

/// The length of the random suffix Secrets Manager appends to a secret's name in its ARN, without the hyphen.
const SUFFIX: usize = 6;

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Subject, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    match &case.evidence.secret.observation {
        Observation::Found(_) => return Verdict::clear("the secret exists"),
        Observation::NoData { .. } => {}
        other => return Verdict::unknown(other.missing().unwrap_or_else(|| "the secret was not looked at".to_owned())),
    }
    let asked = case.evidence.asked.as_str();
    let region = &case.evidence.region;
    let account = case.evidence.account_id.as_ref().map(|id| format!(" of account {id}")).unwrap_or_default();
    let mut explanation = format!("{region}{account} has no secret {asked}.");
    if !case.evidence.near_names.is_empty() {
        explanation.push_str(&format!(" Similar names: {}.", case.evidence.near_names.join(", ")));
    }
    if let Some(hint) = suffix_hint(&case.evidence.asked) {
        explanation.push_str(hint);
    }
    let remediation = Remediation::new(
        "Check name, region and account. A secret deleted with a recovery window is still listed and can be restored.",
    )
    .run(aws_in(
        case,
        &[
            "secretsmanager",
            "list-secrets",
            "--include-planned-deletion",
            "--filters",
            &format!("Key=name,Values={}", name_of(asked)),
        ],
    ))
    .needs("secretsmanager:ListSecrets")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html");
    let proof = case.secret_proof(format!("ResourceNotFoundException: {asked}"));
    case.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation).into()
}

fn name_of(asked: &str) -> &str {
    asked.rsplit_once(":secret:").map_or(asked, |(_, name)| name)
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
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

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
