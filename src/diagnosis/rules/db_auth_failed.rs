//! # The database refuses the credentials in the secret
//!
//! The password in the database is not the one in the secret: it was changed by hand, the database was restored from a
//! snapshot, or an earlier rotation stopped half-way. Or no password helps: the user is gone, locked, expired, not admitted by
//! pg_hba.conf, or a member of rds_iam, who logs in with tokens only. The finding's title says which, where the answer does.
//!
//! **Shows as** `password authentication failed for user`, `(1045, "Access denied …`, `Login failed for user` (18456),
//! ORA-01017, MongoDB's `Authentication failed`, while connecting.
//!
//! **Is not it** when MySQL answers 1045 to a GRANT (a missing permission), or when the only answer speaks of TLS. Where a
//! driver tries with TLS first and then without, the first answer counts.

use super::value_written_back_by_iac;
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::database::{self, Callers, Of};
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::{pending, strategy};
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
        return Verdict::clear("an infrastructure-as-code tool wrote an older value back, which comes first");
    }
    by_log(context, &RULE, |seen| {
        let engine = database::engine(context, seen);
        if strategy::is_superusers_turn(context, seen) {
            return of_superuser(context, seen, engine);
        }
        let others = match engine {
            Some("mysql" | "mariadb") => {
                " MySQL gives the same answer for a user that is gone, that may log in from other hosts only, or that must use \
                 TLS."
            }
            Some("postgres" | "redshift") => " PostgreSQL gives the same answer for a role that is gone or has expired.",
            _ => "",
        };
        let noun = context.behind().noun;
        let explanation = format!(
            "The login failed{}: the {noun} refused the user name or password stored in {}.{others}",
            seen.in_step(),
            context.secret_name()
        );
        // What setSecret has just stored is refused: as a rule it is stored in a way that the login does not take.
        let is_stored_otherwise = pending::password::in_database(context).is_some();
        let hashes = |fix: Remediation| if is_stored_otherwise { fix.database_hashes(context, engine) } else { fix };
        let explanation = match (is_stored_otherwise, engine) {
            (true, Some("postgres")) => format!(
                "{explanation} It had just been set: see whether the user has a password_encryption of its own, which pg_hba.conf does \
                 not take."
            ),
            _ => explanation,
        };
        let remediation = Remediation::new(format!(
            "Correct what is wrong in value.json (\"username\", \"ssl\", the password where you know it). Then set the user's \
             password in the {noun} to the AWSCURRENT value. {}{} Then rotate.",
            database::set_by(context, engine),
            database::made_again(engine)
        ))
        .put_value(context)
        .database_takes(context, engine, Of::Rotated, Callers::named(&seen.read.event.text));
        let remediation = hashes(remediation).rotate(context).link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}

fn of_superuser(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, engine: Option<&str>) -> (String, Remediation) {
    let noun = context.behind().noun;
    let explanation = format!(
        "The {noun} accepted the user of {}{} and then refused the superuser, whose secret \"masterarn\" names. The password \
         in that secret is not the one in the {noun}, or the superuser may not log in.",
        context.secret_name(),
        seen.in_step()
    );
    let remediation = Remediation::new(format!(
        "Set the superuser's password in the {noun} to the AWSCURRENT value of the superuser's secret. {} If \
         the password in the {noun} is the right one, store it in the superuser's secret instead. Then rotate.",
        database::set_by(context, engine)
    ))
    .database_takes(
        context,
        engine,
        Of::Superuser(database::superuser_secret(&seen.read.event.text)),
        Callers::named(&seen.read.event.text),
    )
    .rotate(context)
    .warn(format!("Once the {noun} has the password, whatever logs in as the superuser with another one is refused."))
    .link(TROUBLESHOOTING);
    (explanation, remediation)
}
