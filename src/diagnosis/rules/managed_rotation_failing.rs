//! # The rotation managed by another AWS service fails
//!
//! The service that owns the secret could not rotate it. There is no function, and so no log to read: the owner's resource
//! has to be in a state in which its password can change.
//!
//! **Shows as** RotationFailed events for a secret with `OwningService`.

use crate::diagnosis::managed::{name_of, owner, rotated_by_owner, without_database};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::ManagedRotationFailing;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[],
    specificity: Specificity::Effect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret().or_else(|| context.without_config()) {
        return verdict;
    }
    let Some(owner) = owner(context) else { return Verdict::clear("no AWS service owns and rotates it") };
    let Some(proof) = context.failed_attempt_proof() else {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("the history shows no failed rotation since the last success"),
        };
    };
    let name = name_of(owner);
    let count = context.failing.as_ref().map_or(1, |row| row.count);
    let attempts = if count == 1 { "One rotation".to_owned() } else { format!("{count} rotations") };
    let summary = without_database(context, owner).map_or_else(
        || {
            format!(
                "Look at the {name} resource that the secret belongs to: it must exist and be available, and its key must be usable. \
                 Then start a rotation through {name}."
            )
        },
        str::to_owned,
    );
    let remediation = rotated_by_owner(Remediation::new(summary), context, owner)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_managed.html");
    let explanation = format!("{name} owns and rotates this secret. {attempts} failed since the last success.");
    let evidence = vec![proof, context.secret_proof(format!("OwningService {owner}, RotationLambdaARN absent"))];
    context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, StepName};

    fn managed() -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        facts(&mut evidence.rotation_config).function_arn = None;
        evidence
    }

    #[test]
    fn a_failed_rotation_of_a_managed_secret_is_the_owners() {
        let mut evidence = managed();
        fail_unseen(&mut evidence, None);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.remediation.commands[0].starts_with("aws rds "), "{:?}", root.remediation.commands);
    }

    #[test]
    fn without_a_history_it_cannot_be_told() {
        let mut evidence = managed();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(CAUSE, &evidence, "cloudtrail:LookupEvents");
    }
}
