//! # The database named by the superuser secret is gone
//!
//! The template finds the superuser's database by a tag of the superuser's secret, and there is no such instance, cluster
//! or namespace.
//!
//! **Shows as** `is not a valid DB Instance ARN. No Instances found`, `Redshift can't find`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SuperuserMetadataNotFound,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function stopped{}: the superuser's secret that {} names is tagged with a database that does not exist.",
            seen.in_step(),
            context.secret_name()
        );
        let remediation = Remediation::new(
            "Change \"masterarn\" in the secret to the superuser's secret of a database that exists, and \
                              rotate.",
        )
        .put_value(context)
        .rotate(context)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/tutorials_rotation-alternating.html");
        (explanation, remediation)
    })
}
