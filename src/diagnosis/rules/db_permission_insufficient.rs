//! # The database user may not change the password
//!
//! The login works. The statement that creates the user, sets its password or grants it rights is refused: a right is missing,
//! the user exists under another host part than the statement names, or it exists already.
//!
//! **Shows as** `must be superuser`, `permission denied`, SQLSTATE 42501 or 0LP01, MySQL's 1227 and 1045 during a
//! GRANT, `Unable to create user`.
//!
//! **Is not it** when the refusal comes while connecting.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, advice};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbPermissionInsufficient,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function logged in to the database{}, and the database refused the statement that changes the user.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Grant the user that runs the statement what it lacks. MySQL: the right to change passwords, WITH GRANT OPTION for \
             the superuser. PostgreSQL: CREATEROLE and ADMIN OPTION on the role, or rds_password. SQL Server: ALTER ANY LOGIN, for a \
             login that exists. Oracle: ALTER USER. Then rotate.",
        );
        let remediation = match advice::rights(context, seen) {
            Some(command) => remediation.run(command),
            None => remediation,
        };
        (explanation, remediation.rotate(context).link(TROUBLESHOOTING))
    })
}
