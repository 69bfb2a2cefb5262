//! The database refuses the login, and no password changes that.

use super::{Advice, Shown};
use crate::diagnosis::database::{Callers, HBA_RULES, Of};
use crate::diagnosis::remedy::{SECRET_STRUCTURE, TROUBLESHOOTING};
use crate::model::Remediation;

/// Where a statement goes that an administrator runs.
const AS_ADMINISTRATOR: &str =
    "Run it as an administrator of the database, whose host and user the client's file or service \"admin\" names.";

impl Remediation {
    /// Where the line names no user, the secret does: the database takes its value, which unlocks the user too.
    fn unnamed_user_takes(self, shown: Shown<'_, '_, '_>) -> Remediation {
        match shown.account() {
            Some(_) => self,
            None => self.database_takes(shown.context, shown.engine(), Of::Rotated, Callers::Unknown),
        }
    }
}

pub(super) fn tokens_only(shown: Shown<'_, '_, '_>) -> Advice {
    let user = shown.named_user();
    let sql = shown.statement_about(|account| format!("REVOKE rds_iam FROM \"{}\"", account.user));
    Advice {
        title: "the database takes tokens only from this user, never a password",
        explanation: format!(
            "The user{user} is a member of rds_iam, so PostgreSQL asks for an IAM token{} and refuses every password, also the \
             right one.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "Take rds_iam away from the user{user}, or rotate another user that logs in with a password. {AS_ADMINISTRATOR} Then rotate."
        ))
        .run_statement(shown.statement(&sql))
        .rotate(shown.context)
        .warn(format!("Applications that log in as the user{user} with IAM tokens can no longer do so once rds_iam is taken away."))
        .link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html"),
    }
}

pub(super) fn not_admitted(shown: Shown<'_, '_, '_>) -> Advice {
    let remediation = Remediation::new(
        "Let pg_hba.conf admit the host, user and database that the quoted line names, and reload it; on RDS, which admits every \
         host, look whether the user or the database name in the secret is one that the service keeps for itself. Then rotate.",
    )
    .run_statement(shown.statement(HBA_RULES))
    .run_statement(shown.statement("SELECT pg_reload_conf()"))
    .rotate(shown.context)
    .link("https://www.postgresql.org/docs/current/auth-pg-hba-conf.html");
    Advice {
        title: "the database admits no login from the function's address",
        explanation: format!(
            "PostgreSQL answered{} that no line of pg_hba.conf admits this host, user and database, encrypted or not. It did not \
             ask for a password.",
            shown.in_step()
        ),
        remediation,
    }
}

pub(super) fn user_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let user = shown.named_user();
    Advice {
        title: "the database has no such user",
        explanation: format!(
            "The database answered{} that the user{user} does not exist: it was dropped or renamed, or the secret or a restored \
             database holds another name. A password cannot help.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "Look which users there are, make the user again with its rights (or store the name that exists as \"username\"), and \
             set its password to the AWSCURRENT value. {AS_ADMINISTRATOR} Then rotate."
        ))
        .run_statement(shown.statement(shown.list_users()))
        .put_value(shown.context)
        .database_takes(shown.context, shown.engine(), Of::Rotated, Callers::Unknown)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn user_may_not_log_in(shown: Shown<'_, '_, '_>) -> Advice {
    let user = shown.named_user();
    let is_postgres = shown.is_postgres();
    let sql = shown.statement_about(|account| match is_postgres {
        true => format!("ALTER ROLE \"{}\" LOGIN", account.user),
        false => format!("ALTER LOGIN [{}] ENABLE", account.user),
    });
    Advice {
        title: "the database user may not log in",
        explanation: format!(
            "The user{user} exists, and the database does not let it log in{}, with whatever password.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!("Let the user{user} log in again. {AS_ADMINISTRATOR} Then rotate."))
            .run_statement(shown.statement(&sql))
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

pub(super) fn account_locked(shown: Shown<'_, '_, '_>) -> Advice {
    let engine = shown.engine();
    let sql = shown.statement_about(|account| {
        let user = &account.user;
        match engine {
            Some("oracle") => format!("ALTER USER {user} ACCOUNT UNLOCK"),
            Some("sqlserver") => {
                format!("ALTER LOGIN [{user}] WITH CHECK_POLICY = OFF; ALTER LOGIN [{user}] WITH CHECK_POLICY = ON")
            }
            _ => format!("ALTER USER '{user}'@'{}' ACCOUNT UNLOCK", account.host()),
        }
    });
    Advice {
        title: "the database user's account is locked",
        explanation: format!(
            "The database answered{} that the account is locked, as it is after too many failed logins. Until it is unlocked it \
             refuses the right password too.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "Find what logs in with an old password and stop it, or the account locks again. Then unlock it (ACCOUNT UNLOCK). \
             {AS_ADMINISTRATOR} Then rotate."
        ))
        .run_statement(shown.statement(&sql))
        .unnamed_user_takes(shown)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn password_expired(shown: Shown<'_, '_, '_>) -> Advice {
    let engine = shown.engine();
    let sql = shown.statement_about(|account| {
        let user = &account.user;
        match engine {
            Some("oracle") => "ALTER PROFILE DEFAULT LIMIT PASSWORD_LIFE_TIME UNLIMITED".to_owned(),
            Some("sqlserver") => format!("ALTER LOGIN [{user}] WITH CHECK_EXPIRATION = OFF"),
            Some("postgres" | "redshift") => format!("ALTER ROLE \"{user}\" VALID UNTIL 'infinity'"),
            _ => format!("ALTER USER '{user}'@'{}' PASSWORD EXPIRE NEVER", account.host()),
        }
    });
    let statement = shown.statement(&sql);
    let shows = |fix: Remediation| if statement.is_none() { shown.list_instances(fix) } else { fix };
    Advice {
        title: "the database user's password has expired",
        explanation: format!(
            "The database knows the user and its password{}, and answers that the password has expired: rotation comes less often \
             than the database's rule demands.",
            shown.in_step()
        ),
        remediation: shows(Remediation::new(format!(
            "Set the user's password again to the AWSCURRENT value, so that it counts as new, and keep it from expiring between \
             rotations, or rotate more often. {AS_ADMINISTRATOR} Then rotate."
        )))
        .run_statement(statement.clone())
        .unnamed_user_takes(shown)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn method_unsupported(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the function's driver cannot authenticate the way the database asks",
        explanation: format!(
            "The database asks for a way to authenticate that the function's driver does not have{}: the driver is older than the \
             database, or the database allows only newer password hashes. The password was not looked at.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Build the function with a current driver (for MySQL's caching_sha2_password with the package cryptography) and deploy \
             it; or give the user a method both sides know, and set its password again so that it is stored that way. Then rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn no_password_sent(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the function sent no password",
        explanation: format!(
            "The database asked for a password{} and the function gave none: \"password\" in the secret is empty, is no string, or \
             stands under another key.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Store the complete JSON with the user's password as a string under \"password\", take AWSPENDING away from a version \
             made without it, and rotate.",
        )
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(SECRET_STRUCTURE),
    }
}

pub(super) fn may_not_connect(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the database user may not connect to the database",
        explanation: format!(
            "PostgreSQL took user and password{} and did not let the user into the database that the quoted line names: the user \
             lacks CONNECT on it, as it does once PUBLIC lost that right.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "See who may connect to the database, and grant CONNECT to the secret's user (or correct \"dbname\" where another database \
             is meant). Both run as an administrator of the database. Then rotate.",
        )
        .run_statement(shown.statement("SELECT datname, datacl FROM pg_database ORDER BY datname"))
        .database_admits(shown.context, shown.engine())
        .rotate(shown.context)
        .link("https://www.postgresql.org/docs/current/ddl-priv.html"),
    }
}
