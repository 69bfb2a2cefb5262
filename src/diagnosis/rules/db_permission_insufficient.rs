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
use crate::diagnosis::readings::postgres_right::{PostgresAge, PostgresRight};
use crate::diagnosis::readings::{login, strategy};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, advice};
use crate::model::{Cause, Remediation, RotationStep, StepName};

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
    let is_test = context.seen(RULE.cause).is_some_and(|seen| is_refused_test(context, &seen));
    let mut verdict = by_log(context, &RULE, |seen| {
        if let Some(refused) = refused_database(context, seen) {
            return refused;
        }
        let noun = context.behind().noun;
        if is_test {
            return refused_test(noun);
        }
        let explanation =
            format!("The function logged in to the {noun}{}, and the {noun} refused the change of the user.", seen.in_step());
        let remediation = Remediation::new(format!(
            "Grant the user that runs the statement the right it lacks: {}.{} Then rotate.",
            lacking(database::engine(context, seen), &seen.read.event.text),
            database::run_by(database::engine(context, seen))
        ));
        (explanation, missing_right(context, seen, remediation).rotate(context).link(TROUBLESHOOTING))
    });
    if let Verdict::Fires(finding) = &mut verdict
        && is_test
    {
        finding.title = format!("the {} refuses what the function's test does", context.behind().noun);
    }
    verdict
}

/// True where the test was refused, by what is no database whose answers are known here.
fn is_refused_test(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> bool {
    let is_named = seen.read.classification.fault.is_some();
    seen.failure.step == Some(RotationStep::TestSecret) && !is_named && database::engine(context, seen).is_none()
}

/// The test logged in with the new credential, and asked for more than the user may do; nothing of the user was to be changed.
fn refused_test(noun: &str) -> (String, Remediation) {
    let explanation =
        format!("The function logged in to the {noun} in testSecret, and the {noun} refused what the test then did.");
    let remediation = Remediation::new(
        "Grant the user what the quoted answer names, or let the function's test ask for nothing beyond the login. The login worked, so \
         that the password needs no change. Then rotate.",
    )
    .link(TROUBLESHOOTING);
    (explanation, remediation)
}

/// What a user needs for the statement, in the words of the engine.
fn lacking(engine: Option<&str>, line: &str) -> String {
    if let Some((right, age)) = PostgresRight::of(line).filter(|_| matches!(engine, None | Some("postgres" | "redshift"))) {
        return match (right, age) {
            (PostgresRight::CreateRole, _) => "CREATEROLE".to_owned(),
            (PostgresRight::Admin { role, with_createrole: true }, _) => format!("CREATEROLE and the ADMIN OPTION on {role}"),
            (PostgresRight::Admin { role, with_createrole: false }, _) => format!("the ADMIN OPTION on {role}"),
            (PostgresRight::SetRole { role }, PostgresAge::From16) => format!("membership in {role} WITH SET TRUE"),
            (PostgresRight::SetRole { role }, PostgresAge::Before16) => format!("membership in {role}"),
            (PostgresRight::SetRole { role }, PostgresAge::Unknown) => {
                format!("membership in {role} (before PostgreSQL 16, leave out WITH SET TRUE)")
            }
            (PostgresRight::Superuser, _) => "only a superuser changes one, so that the rotated role must not be one".to_owned(),
            (PostgresRight::Schema { name }, _) => {
                format!("USAGE and CREATE on the schema {name}, which PostgreSQL 15 and later give to nobody by themselves")
            }
        };
    }
    let text = match engine {
        Some("mysql" | "mariadb") => "the right to change passwords, WITH GRANT OPTION for the superuser",
        Some("postgres" | "redshift") => "CREATEROLE and the ADMIN OPTION on the role, or rds_password",
        Some("sqlserver") => "ALTER ANY LOGIN, for a login that exists",
        Some("oracle") => "ALTER USER",
        _ => "the right to change passwords, as the server's answer names it",
    };
    text.to_owned()
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

/// The statement that gives the right the line names, to the user the function had logged in as.
fn missing_right(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, remediation: Remediation) -> Remediation {
    let engine = database::engine(context, seen);
    let text = seen.read.event.text.to_ascii_lowercase();
    let user = database::logged_in_as(seen);
    match (engine, user) {
        (Some("postgres"), Some(user)) if text.contains("rds_password") => {
            remediation.run_as_administrator(engine, &format!("GRANT rds_password TO \"{user}\""))
        }
        (Some("postgres" | "redshift"), user) => match PostgresRight::of(&seen.read.event.text) {
            // A user that changes its own password needs no such right, which would let it change every other user's.
            Some((PostgresRight::CreateRole, PostgresAge::Unknown)) if !strategy::alternates(context) => {
                looking(context, seen, remediation)
            }
            Some((right, age)) => role_right(context, remediation, (engine, user.as_deref()), right, age),
            // Who alternates changes another's password.
            None if strategy::alternates(context) && is_bare_denial(&text) => {
                role_right(context, remediation, (engine, user.as_deref()), PostgresRight::CreateRole, PostgresAge::Before16)
            }
            None => looking(context, seen, remediation),
        },
        (Some("mysql" | "mariadb"), Some(user)) if strategy::alternates(context) => remediation
            .run_as_administrator(engine, &format!("SELECT user, host FROM mysql.user WHERE user = '{user}'"))
            .run_in_database(database::what_it_prints(&database::grants(&database::SUPERUSER_RIGHTS, &user)))
            .drop_half_made(context, engine)
            .warn(database::WIDE_GRANT),
        _ => looking(context, seen, remediation),
    }
}

/// True for a refusal that names nothing, in small letters: so PostgreSQL before 16 answers an ALTER ROLE without CREATEROLE.
///
/// Source: PostgreSQL 15, `AlterRole` in `src/backend/commands/user.c`.
fn is_bare_denial(text: &str) -> bool {
    text.lines().any(|line| line.trim_end().ends_with("permission denied"))
}

/// Where nothing more is known, the rights that there are are shown.
fn looking(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>, remediation: Remediation) -> Remediation {
    match advice::rights(context, seen) {
        Some(look) => remediation.run_in_database(look),
        None => remediation,
    }
}

/// Who is a member of whom, with the options that the server knows.
const MEMBERS: &str = "SELECT r.rolname AS role, m.rolname AS member, a.* FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid \
                       JOIN pg_roles m ON m.oid = a.member ORDER BY 1, 2";

/// The statements that give PostgreSQL's right to `user`, who may not be known.
fn role_right(
    context: &DiagnosisContext<'_>,
    remediation: Remediation,
    (engine, user): (Option<&str>, Option<&str>),
    right: PostgresRight,
    age: PostgresAge,
) -> Remediation {
    let createrole = |fix: Remediation, user: &str| {
        fix.run_as_administrator(engine, &format!("ALTER ROLE \"{user}\" CREATEROLE")).warn(
            "CREATEROLE lets the user create and change other roles: before PostgreSQL 16 every role that is no superuser, later \
             those of which it has the ADMIN OPTION.",
        )
    };
    match (right, user) {
        (PostgresRight::Superuser, _) => remediation
            .run_as_administrator(engine, "SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY rolname")
            .pending_user_is_no_superuser(context, engine)
            .warn("The role that the rotation changes keeps its other rights, and loses those of a superuser."),
        (PostgresRight::SetRole { role }, Some(user)) => {
            let grant = format!("GRANT \"{role}\" TO \"{user}\"");
            let fix = match age {
                PostgresAge::Before16 => remediation.run_as_administrator(engine, &grant),
                _ => remediation.run_as_administrator(engine, &format!("{grant} WITH SET TRUE")),
            };
            fix.warn(format!("As a member of {role} the user has the rights of that role too."))
        }
        (PostgresRight::SetRole { .. }, None) => remediation.run_as_administrator(engine, MEMBERS),
        (PostgresRight::Admin { role, with_createrole }, Some(user)) => {
            let fix = if with_createrole { createrole(remediation, user) } else { remediation };
            fix.run_as_administrator(engine, &format!("GRANT \"{role}\" TO \"{user}\" WITH ADMIN OPTION"))
        }
        (PostgresRight::Admin { .. }, None) => remediation.run_as_administrator(engine, MEMBERS),
        (PostgresRight::CreateRole, Some(user)) => createrole(remediation, user),
        (PostgresRight::Schema { name }, Some(user)) => {
            remediation.run_as_administrator(engine, &format!("GRANT USAGE, CREATE ON SCHEMA \"{name}\" TO \"{user}\""))
        }
        (PostgresRight::CreateRole | PostgresRight::Schema { .. }, None) => {
            remediation.run_as_administrator(engine, "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles ORDER BY rolname")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{fail, healthy};

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

    const CONNECTED: &str = "[INFO] Connection as user rotator succeeded";

    /// Summary and commands on the refusal.
    fn advice_on(line: &str) -> (String, String) {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[CONNECTED, line]);
        let root = diagnose(&evidence).root_cause().unwrap().clone();
        assert_eq!(root.cause, RULE.cause, "{line}");
        (root.remediation.summary, root.remediation.commands.join("\n"))
    }

    #[test]
    fn postgresql_is_given_the_right_that_it_asks_for_in_the_form_of_its_age() {
        for (line, summary, command) in [
            (
                "psycopg2.errors.InsufficientPrivilege: must be able to SET ROLE \"app_owner\"",
                "membership in app_owner WITH SET TRUE",
                "GRANT \"app_owner\" TO \"rotator\" WITH SET TRUE",
            ),
            (
                "psycopg2.errors.InsufficientPrivilege: must be member of role \"app_owner\"",
                "membership in app_owner.",
                "GRANT \"app_owner\" TO \"rotator\"",
            ),
            (
                "psycopg2.errors.InsufficientPrivilege: permission denied to set role \"app_owner\"",
                "before PostgreSQL 16, leave out WITH SET TRUE",
                "GRANT \"app_owner\" TO \"rotator\" WITH SET TRUE",
            ),
            (
                "psycopg2.errors.InsufficientPrivilege: permission denied to grant role \"app\"\nDETAIL:  Only roles with the ADMIN \
                 option on role \"app\" may grant this role.",
                "the ADMIN OPTION on app",
                "GRANT \"app\" TO \"rotator\" WITH ADMIN OPTION",
            ),
            (
                "psycopg2.errors.InsufficientPrivilege: permission denied to alter role\nDETAIL:  Only roles with the CREATEROLE \
                 attribute and the ADMIN option on role \"app\" may alter this role.",
                "CREATEROLE and the ADMIN OPTION on app",
                "ALTER ROLE \"rotator\" CREATEROLE",
            ),
        ] {
            let (said, commands) = advice_on(line);
            assert!(said.contains(summary), "{line}: {said}");
            assert!(commands.contains(command), "{line}: {commands}");
            assert_eq!(commands.contains("CREATEROLE"), line.contains("CREATEROLE"), "{line}: {commands}");
            assert_eq!(commands.contains("SET TRUE"), command.contains("SET TRUE"), "{line}: {commands}");
        }
    }

    #[test]
    fn a_bare_denial_asks_for_the_attribute_only_where_another_users_password_is_changed() {
        let denied = |trace: &str| {
            format!(
                "psycopg2.errors.InsufficientPrivilege: permission denied\nTraceback (most recent call last):\n  File \"{trace}\", line 71"
            )
        };
        let (_, commands) = advice_on(&denied("/var/task/rotate_multiuser.py"));
        assert!(commands.contains("ALTER ROLE \"rotator\" CREATEROLE"), "{commands}");
        let (_, commands) = advice_on(&denied("/var/task/single_user.py"));
        assert!(!commands.contains("ALTER ROLE"), "{commands}");
    }

    #[test]
    fn a_test_that_is_refused_after_the_login_is_no_refused_change_of_the_user() {
        let mut evidence = healthy();
        let line = "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [healthcheck]";
        fail(&mut evidence, RotationStep::TestSecret, &[line]);
        let root = diagnose(&evidence).root_cause().unwrap().clone();
        assert_eq!(root.cause, RULE.cause);
        assert!(root.explanation.contains("refused what the test then did"), "{}", root.explanation);
        assert!(!root.explanation.contains("change of the user"), "{}", root.explanation);
        assert_eq!(root.title, "the broker refuses what the function's test does");
    }
}
