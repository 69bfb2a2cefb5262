//! # The function cannot log in to the database as the superuser
//!
//! Alternating-users rotation logs in with the superuser's secret, and the template does not say why that failed. As with
//! the user's own login, the duration narrows it.
//!
//! **Shows as** `Unable to log into database using credentials in master secret` (or `admin secret`).
//!
//! **Is not it** when a more specific line stands in the same invocation, or the login took longer than 5 seconds.

use super::by_log::{not_said, said};
use super::db_login_ambiguous::{narrowed_to_network, what_stays_open};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Confidence, Remediation};

pub(super) const RULE: Rule = Rule { cause: Cause::DbSuperuserLoginAmbiguous, stage: Stage::Step, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    let Some(seen) = case.seen(RULE.cause) else { return not_said(case, RULE.cause) };
    if let Some(narrowed) = narrowed_to_network(&seen) {
        return narrowed;
    }
    let explanation = format!(
        "The database did not let the function log in as the superuser{}, and the function does not say why. {}",
        seen.in_step(),
        what_stays_open(case, &seen)
    );
    let remediation = Remediation::new(
        "Look at the superuser's secret, which \"masterarn\" names: was its password changed apart from the database, is its host \
         the same? Log in by hand with its AWSCURRENT value, correct it, and rotate.",
    )
    .rotate(case)
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/tutorials_rotation-alternating.html")
    .link(TROUBLESHOOTING);
    let mut finding = said(case, RULE.cause, &seen, explanation, remediation);
    // The line proves that a login failed, never why.
    finding.confidence = finding.confidence.min(Confidence::Likely);
    finding.into()
}
