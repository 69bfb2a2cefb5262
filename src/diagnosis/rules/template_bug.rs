//! # The function has a known bug of an older rotation template
//!
//! Older official templates build statements that the database refuses.
//!
//! **Shows as** ORA-00933 in the Oracle template, `Cannot grant privilege to databases created from datashares` in the
//! Redshift template.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::TemplateBug,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function was made from a template with a known bug: the database refused a statement that it builds{}.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Create the function anew from the current template, and bind the secret to it, which \
                                            also rotates.",
        )
        .bind_new_function(context)
        .link(TEMPLATES);
        (explanation, remediation)
    })
}
