//! The command-line clients by which an administrator reaches a database.

/// A command-line client that a plan's command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum DatabaseClient {
    Psql,
    Mysql,
    Sqlplus,
    Sqlcmd,
    Mongosh,
    Db2,
}

impl DatabaseClient {
    /// The client of `engine`; `None` where no command of a plan runs a statement in it.
    pub(in crate::diagnosis) fn of(engine: Option<&str>) -> Option<DatabaseClient> {
        Some(match engine? {
            "postgres" | "redshift" => DatabaseClient::Psql,
            "mysql" | "mariadb" => DatabaseClient::Mysql,
            "oracle" => DatabaseClient::Sqlplus,
            "sqlserver" => DatabaseClient::Sqlcmd,
            "mongodb" | "documentdb" => DatabaseClient::Mongosh,
            "db2" => DatabaseClient::Db2,
            _ => return None,
        })
    }

    /// Where it takes the administrator from, as a sentence.
    pub(in crate::diagnosis) const fn takes_administrator(self) -> &'static str {
        match self {
            DatabaseClient::Psql => {
                "psql takes the administrator's host, user and password from the service \"admin\" of your own connection service file."
            }
            DatabaseClient::Mysql => "mysql takes the administrator's host, user and password from your own file admin.cnf.",
            DatabaseClient::Sqlplus => {
                "sqlplus takes the administrator from your own wallet, under the name admin. Without a wallet, log in with sqlplus and \
                 type PASSWORD with the user's name: it asks for the new password."
            }
            DatabaseClient::Sqlcmd => {
                "sqlcmd takes server, user and password of the administrator from your own SQLCMD variables: read -rs SQLCMDPASSWORD \
                 asks for the last without showing it, and export hands it on."
            }
            DatabaseClient::Mongosh => {
                "mongosh takes the administrator's address from your own variable ADMIN_URI: read -rs ADMIN_URI asks for it without \
                 showing it."
            }
            DatabaseClient::Db2 => {
                "db2 takes the connection that this shell has: db2 connect to RDSADMIN user, with the administrator's name behind it, \
                 asks for the password."
            }
        }
    }
}

/// A command that an administrator of the database runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) struct AdministratorCommand {
    /// What runs the statement at its end.
    pub(in crate::diagnosis) client: DatabaseClient,
    /// As it is pasted.
    pub(in crate::diagnosis) text: String,
}
