//! # The database user may not change the password
//!
//! The login works. The statement that creates the user, sets its password or grants it rights is refused: a right is missing,
//! the user exists under another host part than the statement names, or it exists already.
//!
//! **Shows as** `must be superuser`, `permission denied`, SQLSTATE 42501 or 0LP01, MySQL's 1227 and 1045 during a
//! GRANT, `Unable to create user`.
//!
//! **Is not it** when the refusal comes while connecting.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::database;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::{login, strategy};
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
        if let Some(refused) = refused_database(context, seen) {
            return refused;
        }
        let explanation = format!(
            "The function logged in to the database{}, and the database refused the statement that changes the user.",
            seen.in_step()
        );
        let remediation = Remediation::new(format!(
            "Grant the user that runs the statement the right it lacks: {}.{} Then rotate.",
            lacking(database::engine(context, seen)),
            database::run_by(database::engine(context, seen))
        ));
        (explanation, missing_right(context, seen, remediation).rotate(context).link(TROUBLESHOOTING))
    })
}

/// What a user needs to change another's password, in the words of the engine.
fn lacking(engine: Option<&str>) -> &'static str {
    match engine {
        Some("mysql" | "mariadb") => "the right to change passwords, WITH GRANT OPTION for the superuser",
        Some("postgres" | "redshift") => "CREATEROLE and the ADMIN OPTION on the role, or rds_password",
        Some("sqlserver") => "ALTER ANY LOGIN, for a login that exists",
        Some("oracle") => "ALTER USER",
        _ => "the right to change passwords, as the server's answer names it",
    }
}

/// What to say where MySQL does not let a user into the database it asks for while connecting.
fn refused_database(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> Option<(String, Remediation)> {
    // A GRANT that is refused speaks of the database that it is about.
    if seen.read.event.text.contains("GRANT ") {
        return None;
    }
    let (_, rest) = seen.read.event.text.split_once("to database '")?;
    let (name, _) = rest.split_once('\'')?;
    if login::answer(seen.failure) == login::Answer::Connected {
        return None;
    }
    let engine = database::engine(context, seen);
    let explanation = format!(
        "The server accepted user and password{}, but not the database {name}, which \"dbname\" names. MySQL gives the same \
         answer for a database that does not exist and for one on which the user has no rights.",
        seen.in_step()
    );
    let remediation = Remediation::new(format!(
        "See which databases exist. If {name} is not among them, correct \"dbname\" in value.json. If it is, leave the value as \
         it is and grant the user its rights on {name}.{} Then rotate.",
        database::run_by(engine)
    ))
    .run_as_administrator(engine, "SHOW DATABASES")
    .put_value(context)
    .rotate(context)
    .link(TROUBLESHOOTING);
    Some((explanation, remediation))
}

/// The role on which PostgreSQL 16 and later demand the ADMIN option.
fn administered_role(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("option on role \"").or_else(|| text.split_once("option on role \\\""))?;
    rest.split(['"', '\\']).next().filter(|role| !role.is_empty())
}

/// True where the server itself asks for the attribute.
fn names_the_attribute(text: &str) -> bool {
    text.contains("createrole")
}

/// The statement that gives the right the line names, to the user the function had logged in as.
fn missing_right(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, remediation: Remediation) -> Remediation {
    let engine = database::engine(context, seen);
    let text = seen.read.event.text.to_ascii_lowercase();
    let user = database::logged_in_as(seen);
    match (engine, user) {
        (Some("postgres" | "redshift"), _) if text.contains("must be superuser to alter superuser") => remediation
            .run_as_administrator(engine, "SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY rolname")
            .pending_user_is_no_superuser(context, engine)
            .warn("The role that the rotation changes keeps its other rights, and loses those of a superuser."),
        (Some("postgres"), Some(user)) if text.contains("rds_password") => {
            remediation.run_as_administrator(engine, &format!("GRANT rds_password TO \"{user}\""))
        }
        // A user that changes its own password needs no such right, which would let it change every other user's.
        (Some("postgres"), Some(user)) if strategy::alternates(context) || names_the_attribute(&text) => {
            let remediation = remediation.run_as_administrator(engine, &format!("ALTER ROLE \"{user}\" CREATEROLE")).warn(
                "CREATEROLE lets the user create and change other roles: before PostgreSQL 16 every role that is no superuser, later \
                 those of which it has the ADMIN OPTION.",
            );
            match administered_role(&seen.read.event.text) {
                Some(role) => {
                    let sql = format!("GRANT \"{role}\" TO \"{user}\" WITH ADMIN OPTION");
                    remediation.run_as_administrator(engine, &sql)
                }
                None => remediation,
            }
        }
        (Some("mysql" | "mariadb"), Some(user)) if strategy::alternates(context) => remediation
            .run_as_administrator(engine, &format!("SELECT user, host FROM mysql.user WHERE user = '{user}'"))
            .run(database::what_it_prints(&database::grants(&database::SUPERUSER_RIGHTS, &user)))
            .drop_half_made(context, engine)
            .warn(database::WIDE_GRANT),
        _ => match advice::rights(context, seen) {
            Some(look) => remediation.run(look),
            None => remediation,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{fail, healthy};
    use crate::model::RotationStep;

    const GRANT: &str = "[ERROR] OperationalError: (1045, \"Access denied for user 'rotator'@'%' (using password: YES)\")\nTraceback (most \
                         recent call last):\n  File \"/var/task/alternating_users.py\", line 71, in set_secret\n    cursor.execute(\"GRANT \
                         SELECT ON orders.* TO 'app_clone'@'%'\")";
    const HALF_MADE: &str = "[ERROR] OperationalError: (1044, \"Access denied for user 'app_clone'@'%' to database 'orders'\")";

    #[test]
    fn a_user_that_was_made_without_rights_is_dropped_once_the_superuser_may_pass_them_on() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[GRANT]);
        fail(&mut evidence, RotationStep::TestSecret, &[HALF_MADE]);
        let root = diagnose(&evidence).root_cause().unwrap().clone();
        assert_eq!(root.cause, RULE.cause);
        assert!(root.title.contains("pass on the rights"), "{}", root.title);
        let commands = root.remediation.commands.join("\n");
        assert!(commands.contains("CREATE USER, RELOAD, PROCESS ON *.* TO 'rotator'@'%' WITH GRANT OPTION"), "{commands}");
        assert!(commands.contains("DROP USER") && commands.contains("table_privileges"), "{commands}");
        assert!(!commands.contains("put-secret-value"), "{commands}");
    }

    #[test]
    fn postgresql_16_names_the_role_on_which_the_admin_option_is_missing() {
        let line = "permission denied to alter role\nDETAIL:  Only roles with the CREATEROLE attribute and the ADMIN option on role \
                    \"app_clone\" may alter this role.";
        assert_eq!(administered_role(line), Some("app_clone"));
        assert_eq!(administered_role("permission denied to alter role"), None);
    }
}
