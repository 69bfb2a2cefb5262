//! SQL Server: pymssql, pyodbc, tedious, JDBC, SqlClient.
//!
//! Source: SQL Server documentation, "Database Engine events and errors".

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"Password validation failed|\b1511[4-9]\b.*password|password .{0,120}\(1511[4-9]\)|\(1511[4-9],|does not meet (?:operating system|Windows|the) (?:policy )?requirements",
        r"password .* (?:is )?not complex enough|The password does not meet",
    ])
    .engine("sqlserver")
    .matches(&["pymssql._pymssql.OperationalError: (15118, b'Password validation failed. The password does not meet the operating system policy requirements because it is not complex enough.DB-Lib error message 20018')"])
    .ignores(&["[INFO] password validated"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"was deadlocked on .{0,20}resources|Lock request time out period exceeded|\(1222,|\b1222\b.*[Ll]ock request",
    ])
    .engine("sqlserver")
    .fault(Fault::Locked)
    .matches(&["(1222, b'Lock request time out period exceeded.DB-Lib error message 20018, severity 16')"])
    .ignores(&["[INFO] lock request granted"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"Server is in script upgrade mode|SQL Server service has been paused|\(1840[12],|\(17142,|is not currently available\. +Please retry|in the middle of a restore|\(922,|\(927,",
    ])
    .engine("sqlserver")
    .answered()
    .fault(Fault::NotAccepting)
    .matches(&["(18401, b\"Login failed for user 'app'. Reason: Server is in script upgrade mode. Only administrator can connect at this time.\")"])
    .ignores(&["[INFO] restore finished"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"The server principal '[^']+' already exists|User, group, or role '[^']+' already exists|\(15025,|\(15023,",
    ])
    .engine("sqlserver")
    .fault(Fault::UserLeftOver)
    .matches(&["(15025, b\"The server principal 'app_clone' already exists.DB-Lib error message 20018, severity 16\")"])
    .ignores(&["[INFO] the login already exists, altering it"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"Cannot find the (?:login|user|principal) '|is not a valid login or you do not have permission|\(15007,"])
        .engine("sqlserver")
        .fault(Fault::UserGone)
        .matches(&["(15007, b\"'app' is not a valid login or you do not have permission.\")"])
        .ignores(&["[INFO] found the login 'app'"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\b15151\b|Cannot alter the (?:login|user)|\b15247\b|User does not have permission to perform this action",
        r"\(15[01]\d\d, b?.*permission|CREATE (?:LOGIN|USER) permission denied|permission was denied on the object|\(229, |\(262, ",
        r"is not able to access the database .* under the current security context|\(916,",
    ])
    .engine("sqlserver")
    .matches(&[
        "(15151, b\"Cannot alter the login 'app', because it does not exist or you do not have permission.DB-Lib error message 20018, severity 14:\\nGeneral SQL Server error\")",
        "Msg 15247, Level 16: User does not have permission to perform this action.",
    ])
    .ignores(&["[INFO] login app altered"]),
    is(Cause::DbNameMissing, NamedFault, &[
        r"Cannot open database \\?[\x22'][^\x22']*\\?[\x22'](?: version)? requested by the login|\(4060,|\b4060\b.*database|\(911,|Database '[^']+' does not exist\. Make sure",
    ])
    .engine("sqlserver")
    .matches(&["(4060, b'Cannot open database \"orders\" requested by the login. The login failed.')"])
    .ignores(&["[INFO] opened database orders"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\b18486\b|login .* is locked out|account is currently locked out"])
        .engine("sqlserver")
        .fault(Fault::AccountLocked)
        .matches(&["Login failed for user 'app' because the account is currently locked out. The system administrator can unlock it. (18486)"])
        .ignores(&["[INFO] the login app is unlocked"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\b1848[78]\b|password of (?:the )?(?:login|account) .* has expired|password of the account must be changed"])
        .engine("sqlserver")
        .fault(Fault::PasswordExpired)
        .matches(&["Login failed for user 'app'.  Reason: The password of the account has expired. (18487)"])
        .ignores(&["[INFO] the password has not expired"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\b18470\b|The account is disabled|login .* is disabled"])
        .engine("sqlserver")
        .fault(Fault::UserMayNotLogIn)
        .matches(&["Login failed for user 'app'. Reason: The account is disabled. (18470)"])
        .ignores(&["[INFO] the account is enabled"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Login failed for (?:user|login)|\b18456\b|\b18452\b|\bELOGIN\b|login is from an untrusted domain",
    ])
    .engine("sqlserver")
    .matches(&[
        "pymssql._pymssql.OperationalError: (18456, b\"Login failed for user 'app'.DB-Lib error message 20018, severity 14:\\nGeneral SQL Server error: Check messages from the SQL Server\\nDB-Lib error message 20002, severity 9:\\nAdaptive Server connection failed (db.example.internal)\\n\")",
        "Login failed for user 'admin'. (18456)",
        "('28000', \"[28000] [Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Login failed for user 'app'. (18456) (SQLDriverConnect)\")",
        "ConnectionError: Login failed for user 'app'. code: 'ELOGIN'",
    ])
    .ignores(&["[INFO] login of user app succeeded"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"Cannot open server '[^']+' requested by the login|\b40615\b|is not allowed to access the server",
        r"\(20009,|Adaptive Server is unavailable or does not exist|Unable to connect: Adaptive Server|Net-Lib error during",
        r"TCP Provider: (?:Error code|Timeout|No connection|The wait|A connection attempt)|Login timeout expired|\bHYT00\b|\bHYT01\b",
        r"A network-related or instance-specific error|The TCP/IP connection to the host .* has failed|server was not found or was not accessible",
        r"Failed to connect to \S+:1433|\bESOCKET\b|\bETIMEOUT\b|\bConnectionError: Failed to connect to \S+:\d+",
        r"\(20003,|Adaptive Server connection timed out|\(20047,|DBPROCESS is dead",
    ])
    .engine("sqlserver")
    .matches(&[
        "pymssql._pymssql.OperationalError: (20009, b'DB-Lib error message 20009, severity 9:\\nUnable to connect: Adaptive Server is unavailable or does not exist (db.example.internal)\\nNet-Lib error during Connection timed out (110)\\n')",
        "('HYT00', '[HYT00] [Microsoft][ODBC Driver 17 for SQL Server]Login timeout expired (0) (SQLDriverConnect)')",
        "ConnectionError: Failed to connect to db.example.internal:1433 in 15000ms",
        "com.microsoft.sqlserver.jdbc.SQLServerException: The TCP/IP connection to the host db.example.internal, port 1433 has failed. Error: \"connect timed out.\"",
    ])
    .ignores(&["[INFO] connected to db.example.internal:1433"]),
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[r"Connection to the database failed for an unknown reason"])
        .engine("sqlserver")
        .matches(&["pymssql.exceptions.InterfaceError: Connection to the database failed for an unknown reason."])
        .ignores(&["[INFO] connected to the database"]),
    // The server was reached and the login phase broke off: FreeTDS without the TLS the server asks for.
    is(Cause::DbSslMismatch, NamedFault, &[r"\(20002,|Adaptive Server connection failed"])
        .engine("sqlserver")
        .closing()
        .matches(&["pymssql._pymssql.OperationalError: (20002, b'DB-Lib error message 20002, severity 9:\\nAdaptive Server connection failed (db.example.internal)\\n')"])
        .ignores(&["[INFO] Adaptive Server connection established"]),
];
