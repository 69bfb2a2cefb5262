//! # The secret's engine is not the one the function handles
//!
//! `engine` is missing from the secret's JSON, or names another database than the one that the template is made for.
//!
//! **Shows as** `Database engine must be set to '…' in order to use this rotation lambda`.

use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::strategy::{Whose, whose};
use crate::diagnosis::remedy::SECRET_STRUCTURE;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SecretJsonEngineWrong,
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
                "The function stopped{1}: {0} names another engine than the one its rotation function is made \
                     for.",
                context.secret_name(),
                seen.in_step()
            ),
            Remediation::new(
                "Set \"engine\" in the secret to the engine that the quoted line names, remove AWSPENDING from a version made \
                 without it, and rotate. If the database is of another kind, bind the secret to a function for that kind \
                 instead.",
            )
            .put_value(context)
            .discard_pending(context),
        ),
        other => (
            other.names_another_engine(),
            other.explain(&seen, "the right engine"),
            other.remedy(context, "set \"engine\" to the one the quoted line names"),
        ),
    };
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation.rotate(context).link(SECRET_STRUCTURE));
    finding.title = title.to_owned();
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn an_engine_that_set_secret_of_two_users_refuses_is_the_superusers() {
        let line = "[ERROR] KeyError: \"Database engine must be set to 'postgres' in order to use this rotation lambda\"";
        for (step, whose) in [(RotationStep::CreateSecret, false), (RotationStep::SetSecret, true)] {
            let mut evidence = healthy();
            fail(&mut evidence, step, &["[INFO] the second user is app_clone", line]);
            assert_eq!(finding(RULE.cause, &evidence).title.contains("superuser"), whose, "{step}");
        }
    }
}
