//! # The secret never got a value
//!
//! No version carries AWSCURRENT, so there is nothing to read and nothing to rotate from.
//!
//! **Shows as** DescribeSecret without a version labelled AWSCURRENT.

use crate::diagnosis::readings::by_log::said;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::SecretNoCurrentValue;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret() {
        return verdict;
    }
    let Some(secret) = context.secret() else { return Verdict::clear("there is no such secret") };
    if secret.version_with("AWSCURRENT").is_some() {
        return found_none(context);
    }
    if secret.deleted_at.is_some() {
        return Verdict::clear("the secret is scheduled for deletion, which matters first");
    }
    let seen = match secret.versions.len() {
        0 => "DescribeSecret lists no version".to_owned(),
        1 => "the only labelled version does not carry AWSCURRENT".to_owned(),
        some => format!("none of the {some} labelled versions carries AWSCURRENT"),
    };
    let remediation = Remediation::new("Store the secret's first value: the JSON that its rotation function expects.")
        .put_value(context)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html");
    let explanation = "The secret has no current value, so there is nothing to rotate.";
    context.finding(CAUSE, Confidence::Confirmed, explanation, vec![context.secret_proof(seen)], remediation).into()
}

/// A version carries the label now, and the function found none.
fn found_none(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(CAUSE).filter(|seen| seen.is_latest) else {
        return Verdict::clear("a version carries AWSCURRENT");
    };
    let remediation = Remediation::new("Store the secret's value, and rotate.").put_value(context).rotate(context);
    let mut finding = said(context, CAUSE, &seen, String::new(), remediation);
    finding.explanation.push_str(" A version carries the label now.");
    finding.confidence = finding.confidence.min(Confidence::Likely);
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn a_secret_without_a_current_version_has_no_value() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).versions.clear();
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn it_is_clear_only_for_a_secret_that_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::Secret);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
