//! # The database no longer supports the login method of the user or the driver
//!
//! MySQL 8.4 turns `mysql_native_password` off and MySQL 9 removes it. A user that was made with it, or a driver that knows
//! no newer plugin, cannot log in after the upgrade.
//!
//! **Shows as** 1524, `Plugin 'mysql_native_password' is not loaded`; `Authentication plugin 'mysql_native_password' cannot
//! be loaded`.
//!
//! **Is not it** when the server refuses the password, or the driver lacks the `cryptography` package for a newer plugin.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbAuthPluginRemoved,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::DATABASE, change_events::FUNCTION_CODE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The login failed{}: it uses an authentication plugin that this version of the database, or of the driver, no longer \
             has.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "As the database's administrator, move the user to caching_sha2_password (ALTER USER … IDENTIFIED WITH \
             caching_sha2_password, with the AWSCURRENT password). Give the function a driver that supports it, with the \
             cryptography package, deploy, and rotate. On RDS for MySQL 8.4, a parameter group, which other databases may share, can \
             turn the old plugin on until then.",
        )
        .deploy_code(context)
        .rotate(context)
        .link("https://dev.mysql.com/doc/refman/8.4/en/native-pluggable-authentication.html")
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
