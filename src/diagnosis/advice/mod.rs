//! What to say and do about a fault whose cause's own advice does not hold for it.
//!
//! A cause holds several faults: a password helps no user that is asked for a token, and no setting of TLS helps where the
//! two sides share no version of it. Each fault has its title, its explanation and its remedy here, in one place.

mod api;
mod directory;
mod inputs;
mod login;
mod package;
mod statement;
mod target;
mod tls;
mod versions;

pub(super) use target::LOCKED;

use super::context::LogMatch;
use super::database::{self, AdministratorCommand, DatabaseClient, superuser_secret_word};
use super::readings::strategy;
use super::signatures::{Fault, engine_of};
use super::{DiagnosisContext, remedy};
use crate::lambda_log::Record;
use crate::model::Remediation;
use regex::Regex;
use std::sync::LazyLock;

/// A fault's own title, explanation and remedy.
pub(super) struct Advice {
    pub(super) title: String,
    pub(super) explanation: String,
    pub(super) remediation: Remediation,
}

/// What a fault's advice is made from: the evidence, and the line that shows the fault.
#[derive(Clone, Copy)]
struct Shown<'s, 'c, 'a> {
    context: &'s DiagnosisContext<'a>,
    seen: &'s LogMatch<'c, 'a>,
}

/// The advice on `fault`, which the line `seen` shows.
pub(super) fn on(fault: Fault, context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> Advice {
    let shown = Shown { context, seen };
    match fault {
        Fault::TokensOnly => login::tokens_only(shown),
        Fault::NotAdmitted => login::not_admitted(shown),
        Fault::UserGone => login::user_gone(shown),
        Fault::UserMayNotLogIn => login::user_may_not_log_in(shown),
        Fault::AccountLocked => login::account_locked(shown),
        Fault::PasswordExpired => login::password_expired(shown),
        Fault::MethodUnsupported => login::method_unsupported(shown),
        Fault::NoPasswordSent => login::no_password_sent(shown),
        Fault::MayNotConnect => login::may_not_connect(shown),
        Fault::UserOfAnotherHost => statement::user_of_another_host(shown),
        Fault::UserLeftOver => statement::user_left_over(shown),
        Fault::GrantRefused => statement::grant_refused(shown),
        Fault::StatementFailed => statement::failed(shown),
        Fault::ReadOnlyHost => target::read_only_host(shown),
        Fault::AnotherInstance => target::another_instance(shown),
        Fault::NotAccepting => target::not_accepting(shown),
        Fault::ConnectionEnded => target::connection_ended(shown),
        Fault::ConnectionsUsedUp => target::connections_used_up(shown),
        Fault::Locked => target::locked(shown),
        Fault::ApiUserGone => api::user_gone(shown),
        Fault::ApiRefused => api::refused(shown),
        Fault::ApiDatabaseGone => api::database_gone(shown),
        Fault::ApiDatabaseDown => api::database_down(shown),
        Fault::DatabaseResuming => api::database_resuming(shown),
        Fault::MailLogin => login::refused_by_mail_server(shown),
        Fault::ServerError => target::server_error(shown),
        Fault::HostNotAllowed => target::host_not_allowed(shown),
        Fault::AddressNotAllowed => target::address_not_allowed(shown),
        Fault::NameNotResolved => target::name_not_resolved(shown),
        Fault::PortRefused => target::port_refused(shown),
        Fault::TlsVersions => tls::versions(shown),
        Fault::TlsRequired => tls::required(shown),
        Fault::TlsNotOffered => tls::not_offered(shown),
        Fault::CertificateUntrusted => tls::certificate_untrusted(shown),
        Fault::CertificateForm => tls::certificate_form(shown),
        Fault::ClientCertificateRequired => tls::client_certificate_required(shown),
        Fault::BadPort => inputs::bad_port(shown),
        Fault::BinaryValue => inputs::binary_value(shown),
        Fault::BadCharacter => inputs::bad_character(shown),
        Fault::BadField => inputs::bad_field(shown),
        Fault::BadNumber => inputs::bad_number(shown),
        Fault::BadEndpoint => inputs::bad_endpoint(shown),
        Fault::TokenMakingOff => inputs::token_making_off(shown),
        Fault::TagInvalid => inputs::tag_invalid(shown),
        Fault::EmptyName => inputs::empty_name(shown),
        Fault::PermissionUnknown => inputs::permission_unknown(shown),
        Fault::KeytabPrincipals => inputs::keytab_principals(shown),
        Fault::KeytabInvalid => inputs::keytab_invalid(shown),
        Fault::ModuleRemoved => package::module_removed(shown),
        Fault::DriverApart => package::driver_apart(shown),
        Fault::TmpFull => package::tmp_full(shown),
        Fault::DirectoryPassword => directory::password_refused(shown),
        Fault::DirectoryNeedsTls => directory::needs_tls(shown),
        Fault::DirectoryAccount => directory::account(shown),
        Fault::DirectoryUserGone => directory::user_gone(shown),
        Fault::NoCurrentVersion => versions::no_current_version(shown),
        Fault::PendingNeverStored => versions::pending_never_stored(shown),
        Fault::KindChanged => versions::kind_changed(shown),
    }
}

/// The statement that shows which users have which rights, where the line's engine has a client for it.
pub(super) fn rights(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> Option<AdministratorCommand> {
    let engine = Shown { context, seen }.engine().or_else(|| database::engine(context, seen))?;
    let sql = match engine {
        "mysql" | "mariadb" => "SELECT grantee, privilege_type, is_grantable FROM information_schema.user_privileges",
        "oracle" => "SELECT grantee, privilege, admin_option FROM dba_sys_privs",
        "sqlserver" => {
            "SELECT p.name, s.permission_name, s.state_desc FROM sys.server_permissions s JOIN sys.server_principals p \
             ON p.principal_id = s.grantee_principal_id"
        }
        "mongodb" => "db.getUsers({showPrivileges: true})",
        _ => "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles ORDER BY rolname",
    };
    statement_in(engine, sql)
}

/// A statement for the client of an engine; `None` where it has none that takes one.
fn statement_in(engine: &str, sql: &str) -> Option<AdministratorCommand> {
    let text = match engine {
        "mysql" | "mariadb" => remedy::shell("mysql", &["--defaults-extra-file=admin.cnf", "--execute", sql]),
        "postgres" | "redshift" => remedy::shell("psql", &["--dbname", "service=admin", "--command", sql]),
        "sqlserver" => remedy::shell("sqlcmd", &["-Q", sql]),
        "mongodb" => format!("mongosh \"$ADMIN_URI\" {}", remedy::shell("--eval", &[sql])),
        "oracle" => format!("{} | sqlplus -L /@admin", remedy::shell("echo", &[&format!("{sql};")])),
        _ => return None,
    };
    DatabaseClient::of(Some(engine)).map(|client| AdministratorCommand { client, text })
}

/// A user, and the host part where MySQL names one.
struct DatabaseUser {
    user: String,
    host: Option<String>,
}

impl DatabaseUser {
    /// The host part, `%` where the line names none.
    fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("%")
    }
}

static ACCOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)'(?P<mysql>[\w.-]+)'@'(?P<host>[^'\\]*)'|user '(?P<on>[\w.-]+)' on host '(?P<at>[^'\\]*)'|"#,
        r#"\b(?:user|role|login|account|principal)(?: name)? \\?["'](?P<quoted>[\w.@-]+)\\?["']|\bUser (?P<bare>[\w.-]+) does not exist"#
    ))
    .ok()
});

impl Shown<'_, '_, '_> {
    /// What is behind the secret, such as `broker`.
    fn noun(&self) -> &'static str {
        self.context.behind().noun
    }

    /// Who logs in with the secret's value, such as `broker's user`.
    fn user(&self) -> String {
        self.context.behind().user()
    }

    /// ` in setSecret`, or nothing.
    fn in_step(&self) -> String {
        self.seen.in_step()
    }

    fn text(&self) -> &str {
        &self.seen.read.event.text
    }

    /// The account the line speaks of.
    fn account(&self) -> Option<DatabaseUser> {
        let text = Record::read(self.text()).text;
        let found = ACCOUNT.as_ref()?.captures(&text)?;
        let part = |names: &[&str]| names.iter().find_map(|name| found.name(name)).map(|part| part.as_str().to_owned());
        Some(DatabaseUser { user: part(&["mysql", "on", "quoted", "bare"])?, host: part(&["host", "at"]) })
    }

    /// ` app`, or nothing where the line names no user.
    fn named_user(&self) -> String {
        self.account().map(|account| format!(" {}", account.user)).unwrap_or_default()
    }

    /// What `act` makes of the account the line names; where it names none, the statement that lists them.
    fn statement_about(&self, act: impl FnOnce(&DatabaseUser) -> String) -> String {
        self.account().map_or_else(|| self.list_users().to_owned(), |account| act(&account))
    }

    /// The statement that lists the engine's users and their state.
    fn list_users(&self) -> &'static str {
        match self.engine() {
            Some("mysql" | "mariadb") => "SELECT user, host, password_expired FROM mysql.user ORDER BY user",
            Some("mongodb") => "db.getUsers().users.map(one => one.user)",
            Some("oracle") => "SELECT username, account_status, expiry_date FROM dba_users ORDER BY username",
            Some("sqlserver") => "SELECT name, is_disabled, LOGINPROPERTY(name, 'IsLocked') AS locked FROM sys.sql_logins",
            _ => "SELECT rolname, rolcanlogin, rolvaliduntil FROM pg_roles ORDER BY rolname",
        }
    }

    fn engine(&self) -> Option<&'static str> {
        // Servers have words in common: the driver that the line names tells them apart.
        // PostgreSQL alone calls its refusals FATAL.
        let postgres = || self.text().contains("FATAL:").then_some("postgres");
        engine_of(self.text()).or(self.seen.read.classification.engine).or_else(postgres)
    }

    fn is_mysql(&self) -> bool {
        matches!(self.engine(), Some("mysql" | "mariadb"))
    }

    /// The statement of the two engines' own, where the line is of one of them.
    fn statement_of(&self, mysql: &str, postgres: &str) -> Option<AdministratorCommand> {
        if self.is_mysql() {
            self.statement(mysql)
        } else if self.is_postgres() {
            self.statement(postgres)
        } else {
            None
        }
    }

    fn is_postgres(&self) -> bool {
        matches!(self.engine(), Some("postgres" | "redshift"))
    }

    /// A statement for an administrator of the database to run, whose host and user the client knows by the name `admin`;
    /// `None` where the engine has no client that takes one.
    fn statement(&self, sql: &str) -> Option<AdministratorCommand> {
        statement_in(self.engine()?, sql)
    }

    /// Corrects the value that the line is about: that of the superuser's secret where it is the superuser's turn.
    fn put_value(&self, remediation: Remediation) -> Remediation {
        if strategy::is_superusers_turn(self.context, self.seen) {
            return remediation.put_superuser_value(self.context, &superuser_secret_word(self.context, self.text()));
        }
        remediation.put_value(self.context).discard_pending(self.context)
    }

    /// The databases of the region with the hosts that take writes and those that do not; nothing where no database is asked for.
    fn list_hosts(&self, remediation: Remediation) -> Remediation {
        if !self.context.behind().is_database() {
            return remediation;
        }
        let query = "DBClusters[].{cluster:DBClusterIdentifier,status:Status,writer:Endpoint,reader:ReaderEndpoint}";
        let clusters = remedy::aws_in(self.context, &["rds", "describe-db-clusters", "--query", query]);
        self.list_instances(remediation.run(clusters).needs("rds:DescribeDBClusters"))
    }

    /// The database instances of the region with their state and address.
    fn list_instances(&self, remediation: Remediation) -> Remediation {
        let query = "DBInstances[].{instance:DBInstanceIdentifier,status:DBInstanceStatus,host:Endpoint.Address,port:Endpoint.Port,\
                     replica_of:ReadReplicaSourceDBInstanceIdentifier,parameters:DBParameterGroups[0].DBParameterGroupName}";
        remediation.ask_rds_for(self.context, query)
    }
}

impl Remediation {
    /// What `act` makes of it, where that holds.
    fn when(self, holds: bool, act: impl FnOnce(Remediation) -> Remediation) -> Remediation {
        if holds { act(self) } else { self }
    }

    /// Adds a statement for the database, where its engine has a client.
    fn run_statement(self, statement: Option<AdministratorCommand>) -> Remediation {
        match statement {
            Some(command) => self.run_in_database(command),
            None => self,
        }
    }
}

#[cfg(test)]
mod field;
#[cfg(test)]
mod tests;
