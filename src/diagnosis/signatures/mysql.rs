//! MySQL and MariaDB: PyMySQL, mysqlclient, Connector/Python, mysql2, JDBC.
//!
//! Source: MySQL reference manual, "Server Error Message Reference" and "Client Error Message Reference".

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

/// A statement, or the frames of a driver that runs one.
static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:GRANT|SHOW GRANTS|ALTER USER|SET PASSWORD|CREATE USER|DROP USER|UPDATE mysql\.user|get_password_option|during grant|cur(?:sor)?\.execute)\b|",
        r"to database '|/cursors?\.py|\bin (?:execute|_?query|_read_query_result|cmd_query)\b|",
        r"(?:Statement|StatementImpl|PreparedStatement|MySqlCommand)\.(?:execute|Execute)"
    ))
    .ok()
});

/// Frames of a driver that is still opening the connection.
static CONNECTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"_request_authentication|_do_auth\b|_open_connection|\bin connect\b|ConnectionImpl\.(?:connect|createNewIO)").ok()
});

fn runs_a_statement(line: &Line<'_>) -> bool {
    let says = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(line.event));
    says(&STATEMENT) && !says(&CONNECTING)
}

/// 1045 of a GRANT is a missing right.
fn refused_statement(line: &Line<'_>) -> Option<Cause> {
    runs_a_statement(line).then_some(Cause::DbPermissionInsufficient)
}

/// 1045 while connecting is a wrong password.
fn refused_login(line: &Line<'_>) -> Option<Cause> {
    (!runs_a_statement(line)).then_some(Cause::DbAuthFailed)
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::TargetServiceError, NamedFault, &[
        r"\((?:1205|1213|1317|3024|1969),|Lock wait timeout exceeded|Deadlock found when trying|Query execution was interrupted|maximum statement execution time exceeded",
        r"ER_LOCK_WAIT_TIMEOUT|ER_LOCK_DEADLOCK|ER_QUERY_INTERRUPTED|ER_QUERY_TIMEOUT|Error 1205 \(HY000\)|Error 1213 \(40001\)",
    ])
    .engine("mysql")
    .fault(Fault::Locked)
    .matches(&[
        "pymysql.err.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')",
        "Error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction",
    ])
    .ignores(&["[INFO] lock acquired; no other rotation is running"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"\((?:1021|1030|1037|1041|1114|1197),|Got error \d+ from storage engine|\bThe table '[^']*' is full\b|Disk full \(",
    ])
    .engine("mysql")
    .fault(Fault::ServerError)
    .matches(&["pymysql.err.OperationalError: (1114, \"The table 'user' is full\")"])
    .ignores(&["[INFO] the table is full of rows"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"\((?:1053|1079|3169),|Server shutdown in progress|ER_SERVER_SHUTDOWN"])
        .engine("mysql")
        .answered()
        .fault(Fault::NotAccepting)
        .matches(&["pymysql.err.OperationalError: (1053, 'Server shutdown in progress')"])
        .ignores(&["[INFO] shutdown of the worker in progress"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"\(4031,|disconnected by the server because of inactivity"])
        .engine("mysql")
        .answered()
        .fault(Fault::ConnectionEnded)
        .matches(&["pymysql.err.OperationalError: (4031, 'The client was disconnected by the server because of inactivity. See wait_timeout and interactive_timeout for configuring this behavior.')"])
        .ignores(&["[INFO] the client was idle"]),
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"\(1040, '", // PyMySQL cuts the words: (1040, 'ny connections').
        r"ER_TOO_MANY_USER_CONNECTIONS|ER_USER_LIMIT_REACHED|max_user_connections",
        r"has exceeded the '?max_(?:connections_per_hour|questions|updates)",
    ])
    .engine("mysql")
    .fault(Fault::ConnectionsUsedUp)
    .matches(&[
        "ERROR 1203 (42000): User app already has more than 'max_user_connections' active connections",
        "ER_USER_LIMIT_REACHED: User 'app' has exceeded the 'max_connections_per_hour' resource (current value: 10)",
    ])
    .ignores(&["[INFO] max_connections is 100"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"Operation CREATE (?:USER|ROLE) failed for"])
        .engine("mysql")
        .fault(Fault::UserLeftOver)
        .matches(&["pymysql.err.OperationalError: (1396, \"Operation CREATE USER failed for 'app_clone'@'%'\")"])
        .ignores(&["[INFO] CREATE USER succeeded for 'app_clone'@'%'"]),
    // The account the statement names is not there; as a rule it is, for another host part.
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\((?:1396|1133|1141|1269),|\b(?:ERROR|Error) (?:1396|1133|1141)\b|\b(?:1396|1133|1141) \((?:HY000|42000)\)",
        r"ER_CANNOT_USER|ER_PASSWORD_NO_MATCH|ER_NONEXISTING_GRANT|Operation (?:ALTER|DROP|SET|RENAME) (?:USER|PASSWORD|ROLE) failed for",
        r"Can't find any matching row in the user table|There is no such grant defined for user",
    ])
    .engine("mysql")
    .fault(Fault::UserOfAnotherHost)
    .matches(&[
        "pymysql.err.OperationalError: (1396, \"Operation ALTER USER failed for 'app'@'%'\")",
        "[ERROR] OperationalError: (1141, \"There is no such grant defined for user 'app' on host '%'\")",
        "pymysql.err.OperationalError: (1133, \"Can't find any matching row in the user table\")",
        "Error 1396 (HY000): Operation ALTER USER failed for 'app'@'%'",
    ])
    .ignores(&["[INFO] ALTER USER succeeded for 'app'@'%'"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\(1227,|\bERROR 1227\b|ER_SPECIFIC_ACCESS_DENIED_ERROR|you need \(at least one of\) the .* privilege",
        r"\(1142,|\bERROR 1142\b|ER_TABLEACCESS_DENIED_ERROR|command denied to user",
        r"\(1410,|You are not allowed to create a user with GRANT|ER_CANT_CREATE_USER_WITH_GRANT",
        r"\(1131,|\(1132,",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (1227, 'Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation')",
        "ER_SPECIFIC_ACCESS_DENIED_ERROR: Access denied; you need (at least one of) the SUPER privilege(s) for this operation",
        "pymysql.err.OperationalError: (1142, \"UPDATE command denied to user 'app'@'10.0.0.1' for table 'user'\")",
    ])
    .ignores(&["[INFO] ALTER USER succeeded for 'app'@'%'"]),
    // A reader endpoint or a standby: the right host is another one.
    is(Cause::DbHostMismatchReplica, NamedFault, &[
        r"\(1290,.*read.only|running with the --(?:super-)?read-only option|\(1836,|ER_READ_ONLY_MODE|server is in read-only mode",
    ])
    .engine("mysql")
    .fault(Fault::ReadOnlyHost)
    .matches(&[
        "pymysql.err.OperationalError: (1290, 'The MySQL server is running with the --read-only option so it cannot execute this statement')",
        "Error: ER_READ_ONLY_MODE: Running in read-only mode",
    ])
    .ignores(&["[INFO] the reader is read-only as expected"]),
    is(Cause::UsernameTooLongForClone, NamedFault, &[r"\(1470,|is too long for user name"])
        .engine("mysql")
        .matches(&["pymysql.err.OperationalError: (1470, \"String 'reporting_of_all_regions_app_user_clone' is too long for user name (should be no longer than 32)\")"])
        .ignores(&["[INFO] the user name has 20 characters"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\(1044,|\bERROR 1044\b|ER_DBACCESS_DENIED_ERROR|Access denied for user '[^']*'@'[^']*' to database",
    ])
    .engine("mysql")
    .matches(&["pymysql.err.OperationalError: (1044, \"Access denied for user 'app'@'%' to database 'orders'\")"])
    .ignores(&["[INFO] access granted to database orders"]),
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"\(1819,|\bERROR 1819\b|ER_NOT_VALID_PASSWORD|does not satisfy the current policy requirements",
        r"\(3638,|Cannot use these credentials for .* because they contradict the password history policy",
        r"Your password does not satisfy|\(1372,|Password hash should be a",
    ])
    .engine("mysql")
    .matches(&["pymysql.err.OperationalError: (1819, 'Your password does not satisfy the current policy requirements')"])
    .ignores(&["[INFO] the password satisfies the policy"]),
    is(Cause::DbNameMissing, NamedFault, &[r"\(1049,|\bERROR 1049\b|ER_BAD_DB_ERROR|Unknown database '"])
    .engine("mysql")
    .matches(&["pymysql.err.OperationalError: (1049, \"Unknown database 'orders'\")"])
    .ignores(&["[INFO] using database 'orders'"]),
    // The password is right and expired; the message's advice names a statement that was not made.
    is(Cause::DbAuthFailed, NamedFault, &[
        r"\(1820,|You must reset your password|ER_MUST_CHANGE_PASSWORD|\(1862,|Your password has expired",
    ])
        .engine("mysql")
        .fault(Fault::PasswordExpired)
        .matches(&["MySQLdb.OperationalError: (1820, 'You must reset your password using ALTER USER statement before executing this statement.')"])
        .ignores(&["[INFO] password reset by ALTER USER"]),
    is(Cause::DbUserHostPattern, NamedFault, &[
        r"\(1130,|\bERROR 1130\b|ER_HOST_NOT_PRIVILEGED|Host '[^']+' is not allowed to connect to this (?:MySQL|MariaDB) server",
    ])
    .engine("mysql")
    .answered()
    .fault(Fault::HostNotAllowed)
    .matches(&[
        "pymysql.err.OperationalError: (1130, \"Host '10.0.1.2' is not allowed to connect to this MySQL server\")",
        "ERROR 1130 (HY000): Host 'ip-10-0-1-2.eu-west-1.compute.internal' is not allowed to connect to this MariaDB server",
    ])
    .ignores(&[
        "pymysql.err.OperationalError: (1129, \"Host '10.0.1.2' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'\")",
        "[INFO] host 10.0.1.2 is allowed to connect",
    ]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"\((?:3118|3955|4150|4151),|Account is (?:locked|blocked)|this account is locked|ER_ACCOUNT_HAS_BEEN_LOCKED",
        r"User is blocked because of too many credential errors|ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK",
    ])
    .engine("mysql")
    .fault(Fault::AccountLocked)
    .matches(&[
        "pymysql.err.OperationalError: (3118, \"Access denied for user 'app'@'10.0.0.1'. Account is locked.\")",
        "pymysql.err.OperationalError: (3955, \"Access denied for user 'app'@'10.0.0.1'. Account is blocked for 2 day(s) (2 day(s) remaining) due to 3 consecutive failed logins.\")",
        "pymysql.err.OperationalError: (4150, \"User is blocked because of too many credential errors; unblock with 'ALTER USER / FLUSH PRIVILEGES'\")",
    ])
    .ignores(&["[INFO] the row is locked for the update"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"\(2054,|\[2054\]|requested authentication method unknown to the client|requests authentication using unknown plugin",
        r"\(2059,|\(1251,|Authentication plugin '[^']+' (?:cannot be loaded|is not supported|reported error)|ER_NOT_SUPPORTED_AUTH_MODE",
        r"does not support authentication protocol requested by server|Public Key Retrieval is not allowed|RSA public key is not available client side",
        // The errors of Go's driver, which names no plugin.
        r"\bthis authentication plugin is not supported|\bthis user requires (?:mysql native|clear text|old) password authentication",
    ])
    .engine("mysql")
    .fault(Fault::MethodUnsupported)
    .matches(&[
        "setSecret: this authentication plugin is not supported",
        "this user requires mysql native password authentication",
        "MySQLdb.OperationalError: (2054, 'The server requested authentication method unknown to the client')",
        "Error: Server requests authentication using unknown plugin sha256_password. See TODO: add plugins doco here on how to configure or author authentication plugins.",
        "mysql.connector.errors.NotSupportedError: Authentication plugin 'caching_sha2_password' is not supported"])
    .ignores(&["[INFO] using the authentication plugin 'caching_sha2_password'"]),
    depends(refused_statement, NamedFault, &[r"Access denied for user|\(1045,|\bERROR 1045\b|ER_ACCESS_DENIED_ERROR"])
        .engine("mysql")
        .fault(Fault::GrantRefused)
        .matches(&["[ERROR] OperationalError: (1045, \"Access denied for user 'admin'@'%' (using password: YES)\")\nTraceback (most recent call last):\n    cur.execute(\"GRANT SELECT ON `a`.* TO 'b'\")"])
        .ignores(&["pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.1.2' (using password: YES)\")"]),
    depends(refused_login, NamedFault, &[r"ER_ACCESS_DENIED_NO_PASSWORD_ERROR|Access denied for user .{1,160}\(using password: NO\)"])
        .engine("mysql")
        .fault(Fault::NoPasswordSent)
        .matches(&["pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.1.2' (using password: NO)\")"])
        .ignores(&["[INFO] using password: NO is not what we do"]),
    depends(refused_login, NamedFault, &[r"Access denied for user|\(1045,|\bERROR 1045\b|ER_ACCESS_DENIED_ERROR|\(1698,"])
        .engine("mysql")
        .matches(&[
            "pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.1.2' (using password: YES)\")",
            "Error: ER_ACCESS_DENIED_ERROR: Access denied for user 'app'@'10.0.1.2' (using password: YES)",
            "ERROR 1045 (28000): Access denied for user 'app'@'10.0.1.2' (using password: YES)",
        ])
        .ignores(&["[INFO] access for user app checked"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\(1129,|ER_HOST_IS_BLOCKED|is blocked because of many connection errors",
    ])
    .engine("mysql")
    .answered()
    .fault(Fault::HostNotAllowed)
    .matches(&["pymysql.err.OperationalError: (1129, \"Host '10.0.1.2' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'\")"])
    .ignores(&["[INFO] host 10.0.1.2 is allowed"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\(2013,|\(2006,|CR_SERVER_LOST|Lost connection to MySQL server|MySQL server has gone away|Communications link failure",
        r"PROTOCOL_CONNECTION_LOST|\(0, ''\)$|\bdriver: bad connection\b|(?:Secret: |\berr(?:or)?[=:]\s?[\x22']?)invalid connection\b",
    ])
    .engine("mysql")
    .closing()
    .matches(&[
        "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')",
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
    ])
    .ignores(&["[INFO] connecting to database db.example.internal on port 3306 as user root"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\(200[235],|\bERROR 200[235]\b|CR_CONN_HOST_ERROR|CR_UNKNOWN_HOST",
        r"Can't connect to (?:local )?MySQL server|Unknown MySQL server host",
        r"CommunicationsException|Handshake inactivity timeout",
        r"Unable to connect to any of the specified MySQL hosts|Can't connect to server on '",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db.example.internal' (timed out)\")",
        "mysql.connector.errors.InterfaceError: 2003: Can't connect to MySQL server on 'db.example.internal:3306' (110 Connection timed out)",
    ])
    .ignores(&["[INFO] connecting to database db.example.internal on port 3306 as user root"]),
];
