//! # The database refuses the credentials in the secret
//!
//! The password in the database is not the one in the secret: it was changed by hand, the database was restored from a
//! snapshot, or an earlier rotation stopped half-way. Or no password helps: the user is gone, locked, expired, not admitted by
//! pg_hba.conf, or a member of rds_iam, who logs in with tokens only. The finding's title says which, where the answer does.
//!
//! **Shows as** `password authentication failed for user`, `(1045, "Access denied …`, `Login failed for user` (18456),
//! ORA-01017, MongoDB's `Authentication failed`, while connecting.
//!
//! **Is not it** when MySQL answers 1045 to a GRANT (a missing permission), or when the only answer speaks of TLS. Where
//! a driver tries with TLS and then without, the first answer counts.

use super::value_written_back_by_iac;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbAuthFailed,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if value_written_back_by_iac::explains_login(context) {
        return Verdict::clear("a tool that applies code wrote an older value back, which comes first");
    }
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The database answered{} and refused the user name or password stored in {}.",
            seen.in_step(),
            context.secret_name()
        );
        let remediation = Remediation::new(
            "Log in by hand with the AWSCURRENT, AWSPREVIOUS and AWSPENDING values to see which one the database accepts. \
             Then set the database's password to the AWSCURRENT value, or store the value it accepts, and rotate.",
        )
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
