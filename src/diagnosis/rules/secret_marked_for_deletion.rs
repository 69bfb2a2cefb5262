//! # The secret is scheduled for deletion
//!
//! Secrets Manager neither rotates nor returns a secret during its recovery window.
//!
//! **Shows as** `DeletedDate` in DescribeSecret; `because it was marked for deletion` in an error.

use crate::diagnosis::database::superuser_secret_word;
use crate::diagnosis::readings::by_log::said;
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, Remediation, StepName, moment};

const CAUSE: Cause = Cause::SecretMarkedForDeletion;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret],
    explained_by: &[change_events::SECRET_DELETED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_secret() {
        return verdict;
    }
    let Some(deleted_at) = context.secret().and_then(|secret| secret.deleted_at) else {
        return needed(context);
    };
    let mut evidence =
        vec![context.secret_proof(format!("DeletedDate {}", moment(deleted_at, context.now()))).at(Some(deleted_at))];
    let mut explanation = "The secret is scheduled for deletion; until it is restored, it can be neither read nor \
                           rotated."
        .to_owned();
    if let Some(change) = context.last_change(Concern::Secret, &["DeleteSecret"]) {
        explanation = format!("{} called DeleteSecret. {explanation}", change.actor);
        evidence.push(context.change_proof(change));
    }
    let remediation = Remediation::new("Restore the secret if it is still needed, then turn rotation on if it is off.")
        .run(aws_in(context, &["secretsmanager", "restore-secret", "--secret-id", context.secret_id()]))
        .needs("secretsmanager:RestoreSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_restore-secret.html");
    context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, remediation).into()
}

/// This secret stays, and the function needs one that does not: in alternating-users rotation, the superuser's.
/// Stands for the superuser's secret until the command that asks for it takes its place.
const SUPERUSER: &str = "SUPERUSER";

fn needed(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(CAUSE) else { return Verdict::clear("no deletion is scheduled") };
    let explanation = format!(
        "The function needs another secret{}, and that one is scheduled for deletion: the superuser's, which \"masterarn\" \
         names.",
        seen.in_step()
    );
    let remediation =
        Remediation::new("Restore that secret, or change \"masterarn\" to another superuser's secret. Then rotate.")
            .run(aws_in(context, &["secretsmanager", "list-secrets", "--include-planned-deletion"]))
            .run(aws_in(context, &["secretsmanager", "restore-secret", "--secret-id", SUPERUSER]).replacen(
                SUPERUSER,
                &superuser_secret_word(context, &seen.read.event.text),
                1,
            ))
            .needs("secretsmanager:GetSecretValue")
            .rotate(context)
            .needs("secretsmanager:ListSecrets")
            .needs("secretsmanager:RestoreSecret")
            .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_restore-secret.html");
    let mut finding = said(context, CAUSE, &seen, explanation, remediation);
    finding.title = "a secret the function needs is scheduled for deletion".to_owned();
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::StepName;

    #[test]
    fn a_scheduled_deletion_is_the_root_cause_and_can_be_undone() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).deleted_at = Some(hours_ago(5));
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert_eq!(
            root.remediation.commands,
            [format!("aws secretsmanager restore-secret --secret-id {SECRET} --region eu-west-1")]
        );
    }

    #[test]
    fn it_is_clear_only_for_a_secret_that_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::Secret);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
