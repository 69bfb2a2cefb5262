//! # The secret's JSON lacks a required key
//!
//! The function needs a key, such as `host`, `username` or `password`, that the secret's JSON does not have. In setSecret
//! of a function that alternates between two users it is the superuser's secret that lacks it.
//!
//! **Shows as** `key is missing from secret JSON`.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::strategy::{Whose, whose};
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretJsonKeyMissing,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return not_said(context, &RULE) };
    let (title, explanation, remediation) = match whose(context, &seen) {
        Whose::Rotated => (
            RULE.cause.title(),
            format!(
                "The value of {} lacks a key that the function needs{}; the quoted line names it.",
                context.secret_name(),
                seen.in_step()
            ),
            Remediation::new(
                "Add the key to the secret's JSON, in the structure that the template documents, remove AWSPENDING from a \
                 version made without it, and rotate.",
            )
            .put_value(context)
            .discard_pending(context),
        ),
        other => {
            (other.lacks_a_key(), other.explain(&seen, "a key"), other.remedy(context, "add the key that the quoted line names"))
        }
    };
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation.rotate(context).link(SECRET_STRUCTURE));
    if seen.read.classification.fault.is_none() {
        finding.title = title.to_owned();
    }
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{PENDING, facts, fail, finding, healthy, hours_ago};
    use crate::model::{Evidence, RotationStep};

    const MISSING: &str = "[ERROR] KeyError: 'host key is missing from secret JSON'\nTraceback (most recent call last):";

    fn missing_in(step: RotationStep, lines: &[&str]) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, step, lines);
        evidence
    }

    fn text(evidence: &Evidence) -> String {
        let found = finding(RULE.cause, evidence);
        format!("{}. {} {}", found.title, found.explanation, found.remediation.summary)
    }

    #[test]
    fn what_create_secret_misses_is_the_rotated_secrets() {
        let text = text(&missing_in(RotationStep::CreateSecret, &[MISSING]));
        assert!(!text.contains("superuser") && text.contains("prod/orders-db"), "{text}");
    }

    #[test]
    fn what_set_secret_of_two_users_misses_is_the_superusers() {
        for lines in [
            [MISSING, "[INFO] setSecret: user app_clone"],
            [
                "[ERROR] KeyError: 'host key is missing from secret JSON'\nTraceback (most recent call last):\n    master_dict = \
                 get_secret_dict(service_client, master_arn, \"AWSCURRENT\", None, True)",
                "",
            ],
        ] {
            let found = finding(RULE.cause, &missing_in(RotationStep::SetSecret, &lines));
            assert!(found.title.contains("superuser's secret"), "{}", found.title);
            assert!(
                found.remediation.commands.iter().all(|command| {
                    !command.contains("put-secret-value") || command.ends_with("file://superuser.json --region eu-west-1")
                }),
                "another value is wrong"
            );
        }
        let text = text(&missing_in(RotationStep::SetSecret, &[MISSING]));
        assert!(text.contains("superuser") && text.contains("pending"), "{text}");
    }

    #[test]
    fn what_set_secret_misses_in_a_pending_version_older_than_the_correction_is_that_versions() {
        let mut evidence = missing_in(RotationStep::SetSecret, &[MISSING]);
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().filter(|version| version.id != PENDING).for_each(|version| version.created_at = Some(hours_ago(0)));
        let found = finding(RULE.cause, &evidence);
        assert!(found.title.contains("pending version"), "{}", found.title);
        assert!(found.remediation.commands.iter().any(|command| command.contains("--remove-from-version-id")));
    }
}
