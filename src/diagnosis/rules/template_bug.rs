//! # The function has a known bug of an older rotation template
//!
//! Older official templates build statements that the database refuses.
//!
//! **Shows as** ORA-00933 in the Oracle template, `Cannot grant privilege to databases created from datashares` in the
//! Redshift template. Where the code is looked at: what the template's fixed version has and the function lacks, which is told
//! before it bites.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::code::by_log_or_code;
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
    let tell = |seen: &LogMatch<'_, '_>| {
        let explanation = format!(
            "The function was made from a template with a known bug: the database refused a statement that it builds{}.",
            seen.in_step()
        );
        (explanation, remediation(context))
    };
    by_log_or_code(context, &RULE, tell, || remediation(context))
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new("Create the function anew from the current template, and bind the secret to it, which also rotates.")
        .bind_new_function(context)
        .link(TEMPLATES)
}
