//! Db2. Source: Db2 documentation, "SQL messages".

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbAuthFailed, NamedFault, &[r"\bSQL30082N\b.{0,80}PASSWORD EXPIRED"])
        .engine("db2")
        .fault(Fault::PasswordExpired)
        .matches(&["[IBM][CLI Driver] SQL30082N  Security processing failed with reason \"1\" (\"PASSWORD EXPIRED\").  SQLSTATE=08001"])
        .ignores(&["[INFO] no password expired"]),
    // The server asked its files, not the network.
    is(Cause::TargetServiceError, NamedFault, &[r"\bSQL1639N\b"])
        .engine("db2")
        .fault(Fault::ServerError)
        .matches(&["SQL1639N  The database server was unable to perform authentication because security-related database manager files on the server do not have the required operating system permissions.  SQLSTATE=08001"])
        .ignores(&["[INFO] the database server performed the authentication"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\bSQL30082N\b|\bERRORCODE=-4214\b|SQLSTATE\W{1,3}08001.*Security processing failed"])
        .engine("db2")
        .matches(&[
            "[IBM][CLI Driver] SQL30082N  Security processing failed with reason \"24\" (\"USERNAME AND/OR PASSWORD INVALID\").  SQLSTATE=08001",
            "com.ibm.db2.jcc.am.SqlInvalidAuthorizationSpecException: [jcc][t4][2013][11249][4.33.31] Connection authorization failure occurred.  Reason: User ID or Password invalid. ERRORCODE=-4214, SQLSTATE=28000",
        ])
        .ignores(&["[INFO] security processing done"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"\bSQL1336N\b|\bSQL30081N\b|\bSQL1224N\b|\bSQL1032N\b|ERRORCODE=-4499"])
        .engine("db2")
        .matches(&[
            "[IBM][CLI Driver] SQL30081N  A communication error has been detected. Communication protocol being used: \"TCP/IP\".  SQLSTATE=08001",
            "SQL1336N  The remote host \"db.example.internal\" was not found.  SQLSTATE=08001",
        ])
        .ignores(&["[INFO] no communication error has been detected"]),
    is(Cause::TargetServiceError, NamedFault, &[r"\bSQL091[13]N\b|\bSQL0952N\b"])
        .engine("db2")
        .fault(Fault::Locked)
        .matches(&["SQL0911N  The current transaction has been rolled back because of a deadlock or timeout.  Reason code \"68\".  SQLSTATE=40001"])
        .ignores(&["[INFO] the transaction was committed"]),
    is(Cause::DbNameMissing, NamedFault, &[r"\bSQL1013N\b|\bSQL30061N\b|\bSQL1031N\b"])
        .engine("db2")
        .matches(&["SQL1013N  The database alias name or database name \"ORDERS\" could not be found.  SQLSTATE=42705"])
        .ignores(&["[INFO] database alias ORDERS found"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"\bSQL055[12]N\b|\bSQL1092N\b|\bSQL0567N\b|\bSQL0204N\b|\bSQL1060N\b"])
        .engine("db2")
        .matches(&["SQL0551N  The statement failed because the authorization ID does not have the required authorization or privilege to perform the operation.  SQLSTATE=42501"])
        .ignores(&["[INFO] authorization granted"]),
];
