//! # The function carries a known bug of an older rotation template
//!
//! Older official templates build statements the database refuses.
//!
//! **Shows as** ORA-00933 in the Oracle template, `Cannot grant privilege to databases created from datashares` in the
//! Redshift template.

use super::by_log::by_log;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::TemplateBug, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    by_log(case, RULE.cause, |seen| {
        let explanation = format!(
            "The function is made from a template with a known fault: the database refused a statement it builds{}.",
            seen.in_step()
        );
        let remediation = Remediation::new("Recreate the function from the current template, bind the secret to it, and rotate.")
            .bind_new_function(case)
            .link(TEMPLATES);
        (explanation, remediation)
    })
}
