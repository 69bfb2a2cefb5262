//! Commands that an administrator of the database runs, whose host and user the client's service or file `admin` names.

mod client;
mod programs;

pub(super) use client::{AdministratorCommand, DatabaseClient};

use super::DiagnosisContext;
use super::context::LogMatch;
use super::remedy::{aws_in, shell};
use super::signatures::engine_of;
use crate::lambda_log::Record;
use crate::model::Remediation;
use core::net::IpAddr;
use programs::{
    DB2_TAKES, MONGODB_TAKES, MYSQL_ADMITS, MYSQL_DROPS_EMPTY, MYSQL_OWN_DATABASE, MYSQL_SUPERUSER, MYSQL_WORDS, ORACLE_TAKES,
    POSTGRES_ADMITS, POSTGRES_HASHES, POSTGRES_IS_NO_SUPERUSER, POSTGRES_TAKES, POSTGRES_WORDS, POSTGRES_WRITES, SQL_WORDS,
    SQLSERVER_TAKES,
};
use regex::Regex;
use std::sync::LazyLock;

/// Statements that make the user of a value where it is missing, unlock it, give it the value's password, and rename one of its
/// accounts where the callers are covered by none. The words are put together on the server, or the report would hide what follows them.
fn mysql_takes(rights: &str, callers: Callers) -> String {
    let password = r#"\u0027 IDENTIFIED\u0027, \u0027 BY \u0027, QUOTE(\(.password|q))"#;
    let missing = r"FROM DUAL WHERE NOT EXISTS (SELECT 1 \(a))";
    let mut program = format!(
        r#""SELECT CONCAT(\u0027CREATE USER \u0027, \(e), {password}, \u0027;\u0027) {missing};\n{rights}SELECT CONCAT(\u0027ALTER USER \u0027, QUOTE(user), \u0027@\u0027, QUOTE(host), {password}, \u0027 ACCOUNT UNLOCK;\u0027) \(a);"#
    )
    .replace("MISSING", missing);
    if let Some(covered) = callers.covered() {
        program.push_str(&format!(r"\n{}", mysql_renames(&covered)));
    }
    program + r#"""#
}

/// The statement that renames one account of a value's user to the one for every host, where `covered` holds for none.
fn mysql_renames(covered: &str) -> String {
    format!(
        r#"SELECT CONCAT(\u0027RENAME USER \u0027, QUOTE(user), \u0027@\u0027, QUOTE(host), \u0027 TO \u0027, \(e), \u0027;\u0027) \(a) AND NOT EXISTS (SELECT 1 \(a) AND ({covered})) ORDER BY host LIMIT 1;"#
    )
}

/// Which secret's value the database shall take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'s> {
    Rotated,
    /// That of the superuser's secret, by its ARN where a line gives it, else by `masterarn` of the rotated one.
    Superuser(Option<&'s str>),
}

/// Who sets the password in the database, in words: the plan, where the engine has a client for it, or else a person.
pub(super) fn set_by(context: &DiagnosisContext<'_>, engine: Option<&str>) -> &'static str {
    let no_command = match context.behind().is_database() {
        true => "No command here does that: use the database's own client.",
        false => "No command here does that: use its own client.",
    };
    match engine {
        Some("influxdb") => {
            "influx user password, with --name and the user's name behind it, asks for the new one. A token has no password: influx \
             auth create makes a new one, which the value then has to hold."
        }
        Some("snowflake") => {
            "In Snowflake, ALTER USER … RESET PASSWORD prints an address under which the new one is typed; it appears in no history."
        }
        Some("elasticache") => {
            "aws elasticache modify-user sets it, with a file as --cli-input-json, so that it is in no history."
        }
        Some("active-directory") => "Set it in the directory: ldappasswd and net rpc password ask for the new one with -S.",
        _ => DatabaseClient::of(engine).map_or(no_command, DatabaseClient::takes_administrator),
    }
}

/// What a user lacks that the printed command makes again, where it can.
pub(super) fn made_again(engine: Option<&str>) -> &'static str {
    match engine {
        Some("mysql" | "mariadb") => {
            " A user that has to be made again gets no right but those on the database in \"dbname\": grant it what the application needs."
        }
        Some("postgres" | "redshift") => {
            " A user that has to be made again gets no right but to log in: grant it what the application needs."
        }
        _ => "",
    }
}

/// From where the function calls, as an account's host part has to cover it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    /// From the address that the server named.
    At(IpAddr),
    /// From any address of AWS: the function is in no VPC.
    Anywhere,
    /// From addresses that are not known here, so that no account is taken for one of other hosts.
    Unknown,
}

impl Callers {
    /// From where the function calls, where no line says it.
    pub(super) fn of(context: &DiagnosisContext<'_>) -> Callers {
        match context.function() {
            Some(function) if function.vpc.is_none() => Callers::Anywhere,
            _ => Callers::Unknown,
        }
    }

    /// From where the function called when the server named the account that it refused.
    pub(super) fn named(text: &str) -> Callers {
        let named = REFUSED.as_ref().and_then(|pattern| pattern.captures(text)?.name("address")?.as_str().parse().ok());
        named.map_or(Callers::Unknown, Callers::At)
    }

    /// The condition under which an account's host part covers them. A mask may cover whatever it does.
    fn covered(self) -> Option<String> {
        match self {
            Callers::At(address) => Some(format!(r"\u0027{address}\u0027 LIKE host OR host LIKE \u0027%/%\u0027")),
            Callers::Anywhere => Some(r"host = \u0027%\u0027".to_owned()),
            Callers::Unknown => None,
        }
    }
}

static REFUSED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:for user '[^']*'@|Host )'(?P<address>[0-9a-fA-F.:]+)'").ok());

/// The lines of pg_hba.conf as the server reads them.
pub(super) const HBA_RULES: &str = "SELECT line_number, type, database, user_name, address, auth_method FROM pg_hba_file_rules";

/// Where the engine's client takes the administrator from, as a part of a text with the space before it; nothing where no command
/// runs a statement.
pub(super) fn run_by(engine: Option<&str>) -> String {
    DatabaseClient::of(engine).map(|client| format!(" {}", client.takes_administrator())).unwrap_or_default()
}

impl Remediation {
    /// Lets the database take a secret's current value: the user is made where it is missing, unlocked, and given its password.
    ///
    /// No person has to know which password holds, and none is on a command line.
    pub(super) fn database_takes(
        self,
        context: &DiagnosisContext<'_>,
        engine: Option<&str>,
        of: Of<'_>,
        callers: Callers,
    ) -> Remediation {
        let is_superuser = matches!(of, Of::Superuser(_));
        let program = match engine {
            Some("postgres" | "redshift") => POSTGRES_TAKES.replace("RIGHTS", if is_superuser { " CREATEROLE" } else { "" }),
            Some("mysql" | "mariadb") => mysql_takes(if is_superuser { MYSQL_SUPERUSER } else { MYSQL_OWN_DATABASE }, callers),
            Some("oracle") => ORACLE_TAKES.to_owned(),
            Some("sqlserver") => SQLSERVER_TAKES.to_owned(),
            Some("mongodb" | "documentdb") => MONGODB_TAKES.to_owned(),
            Some("db2") => DB2_TAKES.to_owned(),
            _ => return self,
        };
        let fix = self.run_by_value(&current_value(context, of), engine, &program);
        if !is_superuser {
            return fix.warn("Once the database has the password, whatever logs in as this user with another one is refused.");
        }
        // Elsewhere a user that is missing is not made again.
        if !matches!(engine, Some("postgres" | "redshift" | "mysql" | "mariadb")) {
            return fix;
        }
        fix.warn(
            "A superuser that is missing is created with the right to manage every user: if that should not be, create it yourself with \
             what the rotated users need.",
        )
    }

    /// Lifts limits of connections that the user or its database has used up, and lets the user into its database.
    pub(super) fn database_admits(self, context: &DiagnosisContext<'_>, engine: Option<&str>) -> Remediation {
        let program = if is_mysql(engine) { MYSQL_ADMITS } else { POSTGRES_ADMITS };
        let before = self.commands.len();
        let fix = self.run_by_value(&current_value(context, Of::Rotated), engine, program);
        // Where the engine has no client here, nothing is lifted.
        if fix.commands.len() > before { fix.warn(LIFTED_LIMIT) } else { fix }
    }

    /// Lets the user and the database of the current value write, where PostgreSQL makes their transactions read-only.
    pub(super) fn database_writes(self, context: &DiagnosisContext<'_>, engine: Option<&str>, of: Of<'_>) -> Remediation {
        if is_mysql(engine) {
            return self;
        }
        self.run_by_value(&current_value(context, of), engine, POSTGRES_WRITES).warn(
            "If the database was made read-only on purpose, as before a migration, leave that as it is and wait until it is over: once \
             reset, every application writes again.",
        )
    }

    /// Lets PostgreSQL store the user's passwords in the way it asks for at the login.
    pub(super) fn database_hashes(self, context: &DiagnosisContext<'_>, engine: Option<&str>) -> Remediation {
        if is_mysql(engine) {
            return self;
        }
        self.run_by_value(&current_value(context, Of::Rotated), engine, POSTGRES_HASHES)
    }

    /// Takes the superuser's attribute off the role that the rotation is to change.
    pub(super) fn pending_user_is_no_superuser(self, context: &DiagnosisContext<'_>, engine: Option<&str>) -> Remediation {
        if is_mysql(engine) {
            return self;
        }
        self.run_by_value(&pending_value(context), engine, POSTGRES_IS_NO_SUPERUSER)
    }

    /// Gives the user that the function names without a host, and so for every host, that account, where it has only others.
    pub(super) fn rename_to_everywhere(self, context: &DiagnosisContext<'_>, engine: Option<&str>) -> Remediation {
        let Some(covered) = Callers::Anywhere.covered().filter(|_| is_mysql(engine)) else { return self };
        let is_pending = context.secret().is_some_and(|secret| secret.version_with("AWSPENDING").is_some());
        let value = if is_pending { pending_value(context) } else { current_value(context, Of::Rotated) };
        self.run_by_value(&value, engine, &format!(r#""{}""#, mysql_renames(&covered)))
    }

    /// Gives the user of the current value an account for every host, where none of its accounts covers the callers.
    pub(super) fn admit_callers(self, context: &DiagnosisContext<'_>, engine: Option<&str>, callers: Callers) -> Remediation {
        let Some(covered) = callers.covered().filter(|_| is_mysql(engine)) else { return self };
        self.run_by_value(&current_value(context, Of::Rotated), engine, &format!(r#""{}""#, mysql_renames(&covered))).warn(
            "The renamed account may log in from every address that reaches the database: give it a narrower host part afterwards, which \
             covers the function and the applications.",
        )
    }

    /// Drops the second user, that of the pending version, where a refused GRANT left it without any right: the next rotation makes
    /// it anew. Only for functions that alternate between two users.
    pub(super) fn drop_half_made(self, context: &DiagnosisContext<'_>, engine: Option<&str>) -> Remediation {
        let is_pending = context.secret().is_some_and(|secret| secret.version_with("AWSPENDING").is_some());
        if !is_pending || !is_mysql(engine) {
            return self;
        }
        self.run_by_value(&pending_value(context), engine, MYSQL_DROPS_EMPTY)
            .warn("The user of the pending version is dropped only where it has no right at all; the rotation makes it again.")
    }

    /// Pipes a value through a program of `jq` that makes statements of it, which the engine's client runs.
    fn run_by_value(self, value: &str, engine: Option<&str>, program: &str) -> Remediation {
        let Some(client) = DatabaseClient::of(engine) else { return self };
        let (words, run) = match client {
            DatabaseClient::Psql => {
                (POSTGRES_WORDS, shell("psql", &["--quiet", "--set=ON_ERROR_STOP=1", "--dbname", "service=admin"]))
            }
            DatabaseClient::Mysql => (MYSQL_WORDS, format!("{} | {}", mysql_prints(&[]), mysql(&[]))),
            DatabaseClient::Sqlplus => ("", "sqlplus -S -L /@admin".to_owned()),
            // Without the option, `$(…)` in a password would be a variable.
            DatabaseClient::Sqlcmd => (SQL_WORDS, "sqlcmd -x -b".to_owned()),
            DatabaseClient::Mongosh => ("", "mongosh --quiet \"$ADMIN_URI\"".to_owned()),
            DatabaseClient::Db2 => (SQL_WORDS, "db2 -t".to_owned()),
        };
        // The program has no single quote of its own, so that it stays legible between two.
        let text = format!("{value} | jq --raw-output '{words}{program}' | {run}");
        self.run_in_database(AdministratorCommand { client, text }).needs("secretsmanager:GetSecretValue")
    }

    /// Adds a command for an administrator of the database; where its client takes the administrator from, is said once.
    pub(super) fn run_in_database(mut self, command: AdministratorCommand) -> Remediation {
        let told = command.client.takes_administrator();
        if !self.summary.contains(told) {
            self.summary.push_str(&format!(" {told}"));
        }
        self.run(command.text)
    }

    /// Asks the database who may log in to it from where; PostgreSQL then reads its file of rules again.
    pub(super) fn ask_who_may_log_in(self, engine: Option<&str>) -> Remediation {
        if is_mysql(engine) {
            return self
                .run_as_administrator(engine, "SELECT user, host, plugin, password_expired FROM mysql.user ORDER BY user");
        }
        self.run_as_administrator(engine, HBA_RULES).run_as_administrator(engine, "SELECT pg_reload_conf()")
    }

    /// Stores a corrected value of the superuser's secret, which `secret` names as a word of the shell.
    pub(super) fn put_superuser_value(self, context: &DiagnosisContext<'_>, secret: &str) -> Remediation {
        let command = |words: &[&str]| aws_in(context, words).replace("SUPERUSER_SECRET", secret);
        let read = ["secretsmanager", "get-secret-value", "--secret-id", "SUPERUSER_SECRET", "--query", "SecretString"];
        let read = command(&[&read[..], &["--output", "text"]].concat());
        let put = ["secretsmanager", "put-secret-value", "--secret-id", "SUPERUSER_SECRET", "--secret-string"];
        self.run(format!("(umask 077; {read} > superuser.json)"))
            .run(command(&[&put[..], &["file://superuser.json"]].concat()))
            .needs("secretsmanager:GetSecretValue")
            .needs("secretsmanager:PutSecretValue")
            .warn(
                "superuser.json replaces the whole value of the superuser's secret, for every reader at once: correct it before it is \
                 stored, leave it complete, and delete the file afterwards.",
            )
    }

    /// A statement of the engine's own, for an administrator.
    pub(super) fn run_as_administrator(self, engine: Option<&str>, sql: &str) -> Remediation {
        let Some(client) = DatabaseClient::of(engine) else { return self };
        let text = match client {
            DatabaseClient::Psql => shell("psql", &["--dbname", "service=admin", "--command", sql]),
            DatabaseClient::Mysql => mysql(&["--execute", sql]),
            _ => return self,
        };
        self.run_in_database(AdministratorCommand { client, text })
    }
}

/// A query for MySQL whose answer is the statements to run, and their run.
pub(super) fn what_it_prints(query: &str) -> AdministratorCommand {
    let text = format!("{} | {}", mysql_prints(&["--execute", query]), mysql(&[]));
    AdministratorCommand { client: DatabaseClient::Mysql, text }
}

/// What a superuser needs, WITH GRANT OPTION, to make users and pass rights on.
///
/// A pattern for every database: the master user of RDS cannot grant all rights on `*.*`.
pub(super) const SUPERUSER_RIGHTS: [&str; 2] = ["CREATE USER, RELOAD, PROCESS ON *.*", "ALL PRIVILEGES ON `%`.*"];

/// What to know before a superuser gets them.
pub(super) const WIDE_GRANT: &str = "The superuser can pass on only rights that it has itself. ALL PRIVILEGES is the widest grant: name fewer where the users it creates \
     need fewer.";

/// Prints the statements that give `rights` to every account of `user`, WITH GRANT OPTION.
pub(super) fn grants(rights: &[&str], user: &str) -> String {
    let grant = |rights: &&str| format!("'GRANT {rights} TO ', QUOTE(user), '@', QUOTE(host), ' WITH GRANT OPTION;'");
    let grants: Vec<String> = rights.iter().map(grant).collect();
    format!("SELECT CONCAT({}) FROM mysql.user WHERE user = '{user}' AND host <> ''", grants.join(", "))
}

/// Prints the statement that renames one account of `user` to the one for `host`, where there is none.
pub(super) fn rename(user: &str, host: &str) -> String {
    let accounts = format!("FROM mysql.user WHERE user = '{user}' AND host <> ''");
    format!(
        "SELECT CONCAT('RENAME USER ', QUOTE(user), '@', QUOTE(host), ' TO ', QUOTE(user), '@', QUOTE('{host}'), ';') {accounts} \
         AND NOT EXISTS (SELECT 1 {accounts} AND host = '{host}') ORDER BY host LIMIT 1"
    )
}

/// What is left to do once a limit of connections was lifted.
pub(super) const LIFTED_LIMIT: &str =
    "A limit of connections that is lifted no longer protects the others: set one again that leaves room for the function.";

fn is_mysql(engine: Option<&str>) -> bool {
    matches!(engine, Some("mysql" | "mariadb"))
}

/// The client, in a mode where a backslash has its meaning between quotes, whatever the server's own mode is: `QUOTE` relies on it.
fn mysql(words: &[&str]) -> String {
    shell("mysql", &[&["--defaults-extra-file=admin.cnf", "--init-command=SET sql_mode = TRADITIONAL"], words].concat())
}

/// The client as it prints a column of statements, each on a line and as it is.
fn mysql_prints(words: &[&str]) -> String {
    mysql(&[&["--batch", "--raw", "--skip-column-names"], words].concat())
}

fn value_with(context: &DiagnosisContext<'_>, secret: &str, label: &str) -> String {
    let words = ["secretsmanager", "get-secret-value", "--secret-id", secret, "--version-stage", label];
    aws_in(context, &[&words[..], &["--query", "SecretString", "--output", "text"]].concat())
}

fn pending_value(context: &DiagnosisContext<'_>) -> String {
    value_with(context, context.secret_id(), "AWSPENDING")
}

fn current_value(context: &DiagnosisContext<'_>, of: Of<'_>) -> String {
    match of {
        Of::Rotated => value_with(context, context.secret_id(), "AWSCURRENT"),
        Of::Superuser(Some(arn)) => value_with(context, arn, "AWSCURRENT"),
        Of::Superuser(None) => {
            let own = value_with(context, context.secret_id(), "AWSCURRENT");
            let words = ["secretsmanager", "get-secret-value", "--secret-id", "SUPERUSER_SECRET", "--query", "SecretString"];
            let read = aws_in(context, &[&words[..], &["--output", "text"]].concat());
            read.replace("SUPERUSER_SECRET", &superuser_arn_of(&own))
        }
    }
}

/// The superuser's secret, asked of the value that a command reads.
fn superuser_arn_of(value: &str) -> String {
    format!("\"$({value} | jq --raw-output .masterarn)\"")
}

/// The superuser's secret as a word of a command: its ARN where a line gives it, else asked of the rotated secret's `masterarn`.
pub(super) fn superuser_secret_word(context: &DiagnosisContext<'_>, line: &str) -> String {
    match superuser_secret(line) {
        Some(arn) => shell("", &[arn]).trim_start().to_owned(),
        None => superuser_arn_of(&value_with(context, context.secret_id(), "AWSCURRENT")),
    }
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
        let commands = |engine, of| {
            let fix = Remediation::new("").database_takes(&context, Some(engine), of, Callers::Unknown);
            fix.commands.join("\n")
        };
        let rotated = commands("postgres", Of::Rotated);
        assert!(rotated.contains("--version-stage AWSCURRENT") && rotated.ends_with("--dbname 'service=admin'"), "{rotated}");
        let superuser = commands("mariadb", Of::Superuser(None));
        assert!(superuser.contains("jq --raw-output .masterarn") && superuser.contains("ACCOUNT UNLOCK"), "{superuser}");
        for command in [&rotated, &superuser] {
            assert!(shlex::split(command).is_some(), "{command}");
        }
        // These words before an expression read as a password, which the report would hide.
        assert!(!superuser.contains("IDENTIFIED BY"), "{superuser}");
        // Who is made again gets the rights of its kind, and no more.
        assert!(superuser.contains("WITH GRANT OPTION") && !rotated.contains("CREATEROLE"), "{superuser}");
        assert!(commands("postgres", Of::Superuser(None)).contains("CREATE ROLE %I CREATEROLE"));
        assert_eq!(commands("cassandra", Of::Rotated), "");
    }

    #[test]
    fn every_engine_of_the_official_templates_has_a_command_or_the_words_for_one() {
        let evidence = healthy();
        let context = DiagnosisContext::new(&evidence);
        for (engine, client) in [
            ("postgres", "psql "),
            ("redshift", "psql "),
            ("mysql", "mysql "),
            ("mariadb", "mysql "),
            ("oracle", "sqlplus -S -L /@admin"),
            ("sqlserver", "sqlcmd -x -b"),
            ("db2", "db2 -t"),
            ("mongodb", "mongosh --quiet \"$ADMIN_URI\""),
            ("documentdb", "mongosh --quiet \"$ADMIN_URI\""),
        ] {
            let fix = Remediation::new("").database_takes(&context, Some(engine), Of::Rotated, Callers::Unknown);
            let [command] = fix.commands.as_slice() else { panic!("{engine}: {:?}", fix.commands) };
            assert!(command.rsplit_once(" | ").is_some_and(|(_, last)| last.starts_with(client)), "{command}");
            assert!(shlex::split(command).is_some(), "{command}");
            assert_eq!(crate::redact::SafeText::redact(command).as_str(), command, "the report hides nothing of it");
        }
        for engine in ["influxdb", "snowflake", "elasticache", "active-directory"] {
            assert!(!set_by(&context, Some(engine)).starts_with("No command"), "{engine}");
        }
    }

    #[test]
    fn an_account_is_renamed_only_where_the_functions_addresses_are_known_and_none_covers_them() {
        let named = Callers::named("(1045, \"Access denied for user 'orders'@'10.0.7.9' (using password: YES)\")");
        assert_eq!(named, Callers::At("10.0.7.9".parse().unwrap()));
        assert_eq!(Callers::named("Access denied for user 'orders'@'ip-10-0-7-9.internal'"), Callers::Unknown);
        let evidence = healthy();
        let context = DiagnosisContext::new(&evidence);
        let takes = |callers| {
            let fix = Remediation::new("").database_takes(&context, Some("mysql"), Of::Rotated, callers);
            fix.commands.join("\n")
        };
        assert!(takes(named).contains("10.0.7.9") && takes(named).contains("RENAME USER"), "{}", takes(named));
        assert!(takes(Callers::Anywhere).contains("RENAME USER"));
        assert!(!takes(Callers::Unknown).contains("RENAME USER"));
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
