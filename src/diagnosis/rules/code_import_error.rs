//! # A module of the function cannot be imported
//!
//! The function stops before its first line: a module is missing from the package, or the package is broken.
//!
//! **Shows as** `Runtime.ImportModuleError`, `Unable to import module`, `Cannot find module`, with an INIT_REPORT of
//! status error.
//!
//! **Is not it** when step lines follow in the same invocation.

use super::by_log::by_log;
use crate::diagnosis::remedy::{LAMBDA_DEPLOYMENT, TROUBLESHOOTING};
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::CodeImportError, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    by_log(case, RULE.cause, |_| {
        let explanation =
            "Lambda could not load the function's code, so no step of the rotation ran; the quoted line names the module."
                .to_owned();
        let remediation = Remediation::new(
            "Build the package again, with all its dependencies, for the function's runtime and architecture, deploy it, and rotate.",
        )
        .deploy_code(case)
        .rotate(case)
        .link(LAMBDA_DEPLOYMENT)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
