//! The database refuses the login, and no password changes that.

use super::{Advice, Shown};
use crate::diagnosis::database::{self, Callers, HBA_RULES, Of};
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, SECRET_STRUCTURE, TROUBLESHOOTING};
use crate::model::Remediation;

impl Shown<'_, '_, '_> {
    /// Where the printed statement takes an administrator from, with the space before it; nothing where none is printed.
    fn run_by(&self) -> String {
        database::run_by(self.engine())
    }
}

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
        title: "the database accepts only IAM tokens from this user, never a password".into(),
        explanation: format!(
            "The user{user} is a member of rds_iam, so PostgreSQL asks for an IAM token{} and refuses every password, even the \
             right one.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "Revoke rds_iam from the user{user}, or rotate another user that logs in with a password.{} Then rotate.",
            shown.run_by()
        ))
        .run_statement(shown.statement(&sql))
        .rotate(shown.context)
        .warn(format!("Applications that log in as the user{user} with IAM tokens can no longer do so once rds_iam is revoked."))
        .link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html"),
    }
}

pub(super) fn not_admitted(shown: Shown<'_, '_, '_>) -> Advice {
    let remediation = Remediation::new(
        "Let pg_hba.conf admit the host, user and database that the quoted line names, and reload it. On RDS, which admits every \
         host, check whether the user or database name in the secret is reserved for the service. Then rotate.",
    )
    .run_statement(shown.statement(HBA_RULES))
    .run_statement(shown.statement("SELECT pg_reload_conf()"))
    .rotate(shown.context)
    .link("https://www.postgresql.org/docs/current/auth-pg-hba-conf.html");
    Advice {
        title: "the database allows no login from the function's address".into(),
        explanation: format!(
            "PostgreSQL answered{} that no line of pg_hba.conf admits this host, user and database with this kind of encryption. \
             It did not ask for a password.",
            shown.in_step()
        ),
        remediation,
    }
}

pub(super) fn user_gone(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let user = shown.named_user();
    Advice {
        title: format!("the {noun} has no such user"),
        explanation: format!(
            "The {noun} answered{} that the user{user} does not exist. It was dropped or renamed, the secret has the wrong \
             name, or the {noun} was restored from a time without this user. No password helps.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!(
            "See which users exist. Create the user again with its rights, or store the name that exists as \"username\". Set \
             its password to the AWSCURRENT value.{} Then rotate.",
            shown.run_by()
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
        title: "the database user may not log in".into(),
        explanation: format!(
            "The database was reached{}. The user{user} exists, but the database does not let it log in, whatever the password.",
            shown.in_step()
        ),
        remediation: Remediation::new(format!("Let the user{user} log in again.{} Then rotate.", shown.run_by()))
            .run_statement(shown.statement(&sql))
            .rotate(shown.context)
            .link(TROUBLESHOOTING),
    }
}

pub(super) fn account_locked(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
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
    let statement = shown.statement(&sql);
    let stop = "Find what logs in with an old password and stop it, or the account will be locked again.";
    let remediation = match statement {
        Some(_) => Remediation::new(format!("{stop} Then unlock the account (ACCOUNT UNLOCK).{} Then rotate.", shown.run_by()))
            .run_statement(statement)
            .unnamed_user_takes(shown)
            .rotate(shown.context),
        // Rotation alone would be refused like the logins before it.
        None => Remediation::new(format!(
            "{stop} Then unlock the account with the means of that service, or wait until the lock ends. Then rotate."
        )),
    };
    Advice {
        title: format!("the {}'s account is locked", shown.user()),
        explanation: format!(
            "The {noun} answered{} that the account is locked, as happens after too many failed logins. Until it is unlocked, \
             the {noun} refuses even the right password.",
            shown.in_step()
        ),
        remediation: remediation.link(TROUBLESHOOTING),
    }
}

/// The limit that let a password of Oracle's expire, of whom and by which profile.
fn life_time_of(user: &str) -> String {
    format!(
        "SELECT u.username, u.account_status, u.expiry_date, u.profile, p.limit FROM dba_users u JOIN dba_profiles p ON p.profile = \
         u.profile WHERE p.resource_name = 'PASSWORD_LIFE_TIME' AND u.username = UPPER('{user}')"
    )
}

/// Oracle counts a password's life by the user's profile, which others share: the user gets one of its own.
fn password_expired_in_oracle(shown: Shown<'_, '_, '_>) -> Remediation {
    let lives = "See which profile limits the life of the user's password. Set the user's password to the AWSCURRENT value again, so that \
                 it counts as new. To keep it from expiring before the next rotation, rotate more often, or give the user a profile of its \
                 own";
    let run_by = shown.run_by();
    let takes = |fix: Remediation| fix.database_takes(shown.context, shown.engine(), Of::Rotated, Callers::Unknown);
    let Some(account) = shown.account() else {
        let fix =
            Remediation::new(format!("{lives}, without touching the profile DEFAULT, which others have.{run_by} Then rotate."));
        return takes(fix.run_statement(shown.statement(shown.list_users())));
    };
    let user = &account.user;
    takes(Remediation::new(format!("{lives} as below.{run_by} Then rotate.")))
        .run_statement(shown.statement(&life_time_of(user)))
        .run_statement(shown.statement("CREATE PROFILE rotated_by_secrets_manager LIMIT PASSWORD_LIFE_TIME UNLIMITED"))
        .run_statement(shown.statement(&format!("ALTER USER {user} PROFILE rotated_by_secrets_manager")))
        .warn(
            "With the new profile the user's other limits are those of the profile DEFAULT. If the first command shows another profile, \
             create the new one with its limits; ALTER USER … PROFILE gives the old one back.",
        )
}

pub(super) fn password_expired(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    let engine = shown.engine();
    let sql = shown.statement_about(|account| {
        let user = &account.user;
        match engine {
            Some("sqlserver") => format!("ALTER LOGIN [{user}] WITH CHECK_EXPIRATION = OFF"),
            Some("postgres" | "redshift") => format!("ALTER ROLE \"{user}\" VALID UNTIL 'infinity'"),
            _ => format!("ALTER USER '{user}'@'{}' PASSWORD EXPIRE NEVER", account.host()),
        }
    });
    let statement = shown.statement(&sql);
    let shows = |fix: Remediation| if statement.is_none() { shown.list_instances(fix) } else { fix };
    let remediation = match engine {
        Some("oracle") => password_expired_in_oracle(shown),
        _ => shows(Remediation::new(format!(
            "Set the user's password to the AWSCURRENT value again, so that it counts as new. Keep it from expiring between \
             rotations, or rotate more often.{} Then rotate.",
            shown.run_by()
        )))
        .run_statement(statement)
        .unnamed_user_takes(shown),
    };
    Advice {
        title: format!("the {}'s password has expired", shown.user()),
        explanation: format!(
            "The {noun} answered{} that the user's password has expired: the secret rotates less often than the {noun}'s \
             rule demands.",
            shown.in_step()
        ),
        remediation: remediation.rotate(shown.context).link(TROUBLESHOOTING),
    }
}

/// Connector/J sends a password only over TLS, unless it may ask the server for its public key.
fn no_public_key(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the function's driver does not send the password without TLS".into(),
        explanation: format!(
            "The user logs in by caching_sha2_password or sha256_password{}. Without TLS the driver would have to ask the server for its \
             public key, and it is set not to. The password was not sent.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Let the function connect with TLS (sslMode=REQUIRED in its connection URL, or \"ssl\": true in the secret if the function \
             reads it). Only in a network that you trust, set allowPublicKeyRetrieval=true instead. Deploy, and rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link("https://dev.mysql.com/doc/connector-j/en/connector-j-connp-props-security.html"),
    }
}

pub(super) fn method_unsupported(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    if shown.text().contains("Public Key Retrieval") {
        return no_public_key(shown);
    }
    Advice {
        title: format!("the function's driver does not support the authentication that the {noun} asks for"),
        explanation: format!(
            "The {noun} asked for an authentication method that the function's driver does not support{}: the driver is too \
             old, or the {noun} allows only newer password hashes. The password was not checked.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Build the function with a current driver (for MySQL's caching_sha2_password together with the cryptography package) \
             and deploy it. Or give the user a method that both sides support, and set its password again so that it is stored \
             that way. Then rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(TROUBLESHOOTING),
    }
}

pub(super) fn no_password_sent(shown: Shown<'_, '_, '_>) -> Advice {
    let noun = shown.noun();
    Advice {
        title: "the function sent no password".into(),
        explanation: format!(
            "The {noun} asked for a password{}, but the function sent none: \"password\" in the secret is empty, is not a \
             string, or has another key.",
            shown.in_step()
        ),
        remediation: Remediation::new(
            "Store the complete JSON with the user's password as a string under \"password\", remove AWSPENDING from a version \
             created without it, and rotate.",
        )
        .put_value(shown.context)
        .discard_pending(shown.context)
        .rotate(shown.context)
        .link(SECRET_STRUCTURE),
    }
}

pub(super) fn may_not_connect(shown: Shown<'_, '_, '_>) -> Advice {
    Advice {
        title: "the database user may not connect to the database".into(),
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

/// AWS's page on how a password for SMTP follows from an access key.
const SMTP_OF_SES: &str = "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html";

pub(super) fn refused_by_mail_server(shown: Shown<'_, '_, '_>) -> Advice {
    // Amazon SES answers in these words.
    let is_ses = shown.text().contains("Authentication Credentials Invalid");
    let fix = if is_ses {
        Remediation::new(
            "For Amazon SES the user name is an access key's id, and the password is derived from its secret key for one region. \
             Compare how the function derives it with SES's documentation, and let it try for a minute: a new key is not accepted at \
             once. Deploy the code, and rotate.",
        )
        .deploy_code(shown.context)
        .rotate(shown.context)
        .link(SMTP_OF_SES)
    } else {
        Remediation::new(
            "Log in to the mail server by hand with the user and the password of the AWSPENDING version, and of AWSCURRENT. Correct \
             at the mail server, or in the secret, what it refuses. Then rotate.",
        )
        .link(ROTATION_FUNCTIONS)
    };
    Advice {
        title: "the mail server refuses the login".into(),
        explanation: format!("The mail server was reached and refused user or password{}.", shown.in_step()),
        remediation: fix,
    }
}
