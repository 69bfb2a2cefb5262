//! Commands that an administrator of the database runs, whose host and user the client's service or file `admin` names.

use super::DiagnosisContext;
use super::context::LogMatch;
use super::remedy::{aws_in, shell};
use super::signatures::engine_of;
use crate::lambda_log::Record;
use crate::model::Remediation;
use regex::Regex;
use std::sync::LazyLock;

/// Writes a string as SQL does, between single quotes: for `jq`, whose own strings write the quote as `\u0027`.
const POSTGRES_QUOTE: &str = r#"def q: "\u0027" + gsub("\u0027"; "\u0027\u0027") + "\u0027";"#;

/// The same for MySQL, where the backslash too has a meaning between quotes.
const MYSQL_QUOTE: &str = r#"def q: "\u0027" + (gsub("\\\\"; "\\\\") | gsub("\u0027"; "\u0027\u0027")) + "\u0027";"#;

/// Makes the role of a value where it is missing, and lets it log in with the value's password.
const POSTGRES_TAKES: &str = concat!(
    r#""SELECT format(\u0027CREATE ROLE %I\u0027, \(.username|q)) "#,
    r#"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \(.username|q)) \\gexec\n"#,
    r#"SELECT format(\u0027ALTER ROLE %I LOGIN PASSWORD %L VALID UNTIL %L\u0027, "#,
    r#"\(.username|q), \(.password|q), \u0027infinity\u0027) \\gexec""#,
);

/// The same for MySQL and MariaDB. The words are put together by `jq`, or the report would hide what follows them.
const MYSQL_TAKES: &str = concat!(
    r#"def account: (.username|q) + "@\u0027%\u0027 IDENTIFIED" + " BY " + (.password|q); "#,
    r#""CREATE USER IF NOT EXISTS \(account); ALTER USER \(account) ACCOUNT UNLOCK;""#,
);

/// Which secret's value the database shall take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'s> {
    Rotated,
    /// That of the superuser's secret, by its ARN where a line gives it, else by `masterarn` of the rotated one.
    Superuser(Option<&'s str>),
}

/// Whether a plan can set a user's password in a database of this engine.
fn is_settable(engine: Option<&str>) -> bool {
    matches!(engine, Some("postgres" | "redshift" | "mysql" | "mariadb"))
}

/// Who sets the password in the database, in words: the plan, where the engine has a client for it, or else a person.
pub(super) fn set_by(engine: Option<&str>) -> &'static str {
    if is_settable(engine) {
        AS_ADMINISTRATOR
    } else {
        "No command here does that: use the database's own client, before you rotate."
    }
}

/// Where a statement goes that an administrator runs.
pub(super) const AS_ADMINISTRATOR: &str = "The client takes the administrator's host, user and password from your own file (psql: service \"admin\"; mysql: admin.cnf).";

impl Remediation {
    /// Lets the database take a secret's current value: the user is made where it is missing, unlocked, and given its password.
    ///
    /// No person has to know which password holds, and none is on a command line.
    pub(super) fn database_takes(self, context: &DiagnosisContext<'_>, engine: Option<&str>, of: Of<'_>) -> Remediation {
        let (quote, takes, client) = match engine {
            Some("postgres" | "redshift") => (
                POSTGRES_QUOTE,
                POSTGRES_TAKES,
                shell("psql", &["--quiet", "--set=ON_ERROR_STOP=1", "--dbname", "service=admin"]),
            ),
            Some("mysql" | "mariadb") => (MYSQL_QUOTE, MYSQL_TAKES, shell("mysql", &["--defaults-extra-file=admin.cnf"])),
            _ => return self,
        };
        let own = value_of(context, context.secret_id());
        let value = match of {
            Of::Rotated => own,
            Of::Superuser(Some(arn)) => value_of(context, arn),
            Of::Superuser(None) => {
                let words = ["secretsmanager", "get-secret-value", "--secret-id", "SUPERUSER_SECRET", "--query", "SecretString"];
                let read = aws_in(context, &[&words[..], &["--output", "text"]].concat());
                read.replace("SUPERUSER_SECRET", &format!("\"$({own} | jq --raw-output .masterarn)\""))
            }
        };
        let program = shell("jq", &["--raw-output", &format!("{quote} {takes}")]);
        self.run(format!("{value} | {program} | {client}")).needs("secretsmanager:GetSecretValue")
    }

    /// A statement of the engine's own, for an administrator.
    pub(super) fn run_as_administrator(self, engine: Option<&str>, sql: &str) -> Remediation {
        match engine {
            Some("postgres" | "redshift") => self.run(shell("psql", &["--dbname", "service=admin", "--command", sql])),
            Some("mysql" | "mariadb") => self.run(shell("mysql", &["--defaults-extra-file=admin.cnf", "--execute", sql])),
            _ => self,
        }
    }
}

fn value_of(context: &DiagnosisContext<'_>, secret: &str) -> String {
    let words = ["secretsmanager", "get-secret-value", "--secret-id", secret, "--version-stage", "AWSCURRENT"];
    aws_in(context, &[&words[..], &["--query", "SecretString", "--output", "text"]].concat())
}

/// The engine behind the secret: of the line, of another line of the same invocation, or in the function's name.
pub(super) fn engine(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> Option<&'static str> {
    let lines = || seen.failure.invocation.lines.iter().find_map(|event| engine_of(&event.text));
    seen.read.classification.engine.or_else(lines).or_else(|| engine_of(context.function_name()?))
}

static LOGGED_IN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)\b(?:connection|connected|logged in) as (?:user )?['"]?(?P<user>[\w.@-]+)"#).ok());

/// The user as whom the invocation logged in last.
pub(super) fn logged_in_as(seen: &LogMatch<'_, '_>) -> Option<String> {
    let pattern = LOGGED_IN.as_ref()?;
    let mut users = seen.failure.invocation.lines.iter().filter_map(|event| {
        let text = Record::read(&event.text).text;
        Some(pattern.captures(&text)?.name("user")?.as_str().to_owned())
    });
    users.next_back()
}

static SUPERUSER_SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:master|admin|superuser) secret (?P<arn>arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:[\w/+=.@-]+)").ok()
});

/// The ARN of the superuser's secret, where the line names it.
pub(super) fn superuser_secret(text: &str) -> Option<&str> {
    Some(SUPERUSER_SECRET.as_ref()?.captures(text)?.name("arn")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::healthy;

    #[test]
    fn the_database_takes_a_value_that_is_on_no_command_line() {
        let evidence = healthy();
        let context = DiagnosisContext::new(&evidence);
        let commands = |engine, of| Remediation::new("").database_takes(&context, Some(engine), of).commands.join("\n");
        let rotated = commands("postgres", Of::Rotated);
        assert!(rotated.contains("--version-stage AWSCURRENT") && rotated.ends_with("--dbname 'service=admin'"), "{rotated}");
        let superuser = commands("mariadb", Of::Superuser(None));
        assert!(superuser.contains("jq --raw-output .masterarn") && superuser.contains("ACCOUNT UNLOCK"), "{superuser}");
        for command in [&rotated, &superuser] {
            assert!(shlex::split(command).is_some(), "{command}");
        }
        // These words before an expression read as a password, which the report would hide.
        assert!(!superuser.contains("IDENTIFIED BY"), "{superuser}");
        assert_eq!(commands("oracle", Of::Rotated), "");
    }

    #[test]
    fn the_superusers_secret_is_taken_from_the_line() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/superuser-AbCdEf";
        assert_eq!(
            superuser_secret(&format!("Unable to log into database using credentials in master secret {arn}\n")),
            Some(arn)
        );
        assert_eq!(superuser_secret("Unable to log into database using credentials in master secret"), None);
    }
}
