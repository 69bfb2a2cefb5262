//! # The target had not applied the change yet
//!
//! Db2, ElastiCache and others take a new password or key at once and apply it later, so that the test that follows comes
//! too early. Mostly a retry succeeds, and nothing needs to be done.
//!
//! **Shows as** testSecret failing once and succeeding on the retry, `did not reached the active status`,
//! `InvalidUserState … modifying`.
//!
//! **Is not it** when every retry fails.

use super::by_log::{not_said, said};
use super::healed;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::TargetServiceAsyncPropagation, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    if let Some(seen) = case.seen(RULE.cause) {
        let explanation = format!("The target had not applied the new credential when the function used it{}.", seen.in_step());
        let remediation = Remediation::new(
            "Rotate again. If it keeps failing, raise the function's timeout, or recreate it from the current template, which waits \
             longer.",
        )
        .rotate(case)
        .configure_function(case, &["--timeout", "120"])
        .link(TEMPLATES);
        let mut finding = said(case, RULE.cause, &seen, explanation, remediation);
        if seen.count > 1 {
            // A change that is only slow gets through on a retry: one that never does may have another reason.
            finding.confidence = finding.confidence.min(Confidence::Likely);
        }
        return finding.into();
    }
    healed::remark(case, RULE.cause, "The target applied the new credential late; the retry succeeded.")
        .unwrap_or_else(|| not_said(case, RULE.cause))
}
