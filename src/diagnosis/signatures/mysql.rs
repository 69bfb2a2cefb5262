//! MySQL and MariaDB: PyMySQL, mysqlclient, Connector/Python, mysql2, JDBC.
//!
//! Source: MySQL reference manual, "Server Error Message Reference" and "Client Error Message Reference".

use super::line::Line;
use super::signature::{Signature, Specificity::*, depends, is};
use crate::model::Cause;
use regex::Regex;
use std::sync::LazyLock;

static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:GRANT|SHOW GRANTS|ALTER USER|SET PASSWORD|CREATE USER|get_password_option|during grant|cur(?:sor)?\.execute)\b|to database '").ok()
});

/// 1045 while connecting is a wrong password; 1045 of a GRANT is a missing right.
fn access_denied(line: &Line<'_>) -> Option<Cause> {
    let in_statement = STATEMENT.as_ref().is_some_and(|statement| statement.is_match(line.text));
    Some(match in_statement {
        true => Cause::DbPermissionInsufficient,
        false => Cause::DbAuthFailed,
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\(1227,|\bERROR 1227\b|ER_SPECIFIC_ACCESS_DENIED_ERROR|you need \(at least one of\) the .* privilege",
        r"\(1142,|\bERROR 1142\b|ER_TABLEACCESS_DENIED_ERROR|command denied to user",
        r"\(1396,|\bERROR 1396\b|ER_CANNOT_USER|Operation (?:ALTER|CREATE|DROP|SET) (?:USER|PASSWORD|ROLE) failed for",
        r"\(1133,|Can't find any matching row in the user table|ER_PASSWORD_NO_MATCH",
        r"\(1410,|You are not allowed to create a user with GRANT|ER_CANT_CREATE_USER_WITH_GRANT",
        r"\(1131,|\(1132,|\(1141,",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (1227, 'Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation')",
        "pymysql.err.OperationalError: (1396, \"Operation ALTER USER failed for 'app'@'%'\")",
        "ER_SPECIFIC_ACCESS_DENIED_ERROR: Access denied; you need (at least one of) the SUPER privilege(s) for this operation",
        "pymysql.err.OperationalError: (1142, \"UPDATE command denied to user 'app'@'10.0.0.1' for table 'user'\")",
    ])
    .ignores(&["[INFO] ALTER USER succeeded for 'app'@'%'"]),
    // A reader endpoint or a standby: the right host is another one.
    is(Cause::DbHostMismatchReplica, NamedFault, &[
        r"\(1290,.*read.only|running with the --(?:super-)?read-only option|\(1836,|ER_READ_ONLY_MODE|server is in read-only mode",
    ])
    .engine("mysql")
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
    is(Cause::DbAuthFailed, NamedFault, &[r"\(1820,|You must reset your password|ER_MUST_CHANGE_PASSWORD"])
        .engine("mysql")
        .matches(&["MySQLdb.OperationalError: (1820, 'You must reset your password using ALTER USER statement before executing this statement.')"])
        .ignores(&["[INFO] password reset by ALTER USER"]),
    is(Cause::DbUserHostPattern, NamedFault, &[
        r"\(1130,|\bERROR 1130\b|ER_HOST_NOT_PRIVILEGED|Host '[^']+' is not allowed to connect to this (?:MySQL|MariaDB) server",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (1130, \"Host '10.0.1.2' is not allowed to connect to this MySQL server\")",
        "ERROR 1130 (HY000): Host 'ip-10-0-1-2.eu-west-1.compute.internal' is not allowed to connect to this MariaDB server",
    ])
    .ignores(&[
        "pymysql.err.OperationalError: (1129, \"Host '10.0.1.2' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'\")",
        "[INFO] host 10.0.1.2 is allowed to connect",
    ]),
    depends(access_denied, NamedFault, &[
        r"Access denied for user|\(1045,|\bERROR 1045\b|ER_ACCESS_DENIED_ERROR|ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
        r"\(1698,|\(3118,|Access denied.* Account is locked|ER_ACCOUNT_HAS_BEEN_LOCKED|\(1862,|Your password has expired",
        r"\(2059,|Authentication plugin '[^']+' (?:cannot be loaded|is not supported|reported error)|ER_NOT_SUPPORTED_AUTH_MODE|does not support authentication protocol requested by server|Public Key Retrieval is not allowed",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.1.2' (using password: YES)\")",
        "Error: ER_ACCESS_DENIED_ERROR: Access denied for user 'app'@'10.0.1.2' (using password: YES)",
        "ERROR 1045 (28000): Access denied for user 'app'@'10.0.1.2' (using password: YES)",
        "[ERROR] OperationalError: (1045, \"Access denied for user 'admin'@'%' (using password: YES)\")\nTraceback (most recent call last):\n    cur.execute(\"GRANT SELECT ON `a`.* TO 'b'\")",
    ])
    .ignores(&["[INFO] access for user app checked"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\(200[235],|\bERROR 200[235]\b|\(2013,|\(2006,|CR_CONN_HOST_ERROR|CR_UNKNOWN_HOST|CR_SERVER_LOST",
        r"Can't connect to (?:local )?MySQL server|Unknown MySQL server host|Lost connection to MySQL server|MySQL server has gone away",
        r"Communications link failure|CommunicationsException",
        r"\(1129,|ER_HOST_IS_BLOCKED|is blocked because of many connection errors",
        r"PROTOCOL_CONNECTION_LOST|Handshake inactivity timeout",
        r"Unable to connect to any of the specified MySQL hosts|Can't connect to server on '",
        r"\(0, ''\)$",
    ])
    .engine("mysql")
    .matches(&[
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db.example.internal' (timed out)\")",
        "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')",
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
        "mysql.connector.errors.InterfaceError: 2003: Can't connect to MySQL server on 'db.example.internal:3306' (110 Connection timed out)",
    ])
    .ignores(&["[INFO] connecting to database db.example.internal on port 3306 as user root"]),
];
