//! Oracle: python-oracledb, cx_Oracle, JDBC, node-oracledb.
//!
//! Source: Oracle "Database Error Messages" and python-oracledb's `errors.py`.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::{Cause, RotationStep};

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::TemplateBug, NamedFault, &[r"\bORA-00933\b"])
        .engine("oracle")
        .step(RotationStep::SetSecret)
        .matches(&["ORA-00933: SQL command not properly ended"])
        .ignores(&["ORA-00942: table or view does not exist"]),
    is(Cause::DbNativeEncryptionUnsupported, NamedFault, &[
        r"\bDPY-3001\b|Native Network Encryption|\bORA-12660\b|\bORA-12650\b",
        r"\bDPY-4011\b.*(?:encryption|integrity)",
    ])
    .engine("oracle")
    .matches(&["oracledb.exceptions.NotSupportedError: DPY-3001: Native Network Encryption and Data Integrity is only supported in python-oracledb thick mode"])
    .ignores(&["[INFO] native encryption is off"]),
    is(Cause::TargetServiceError, NamedFault, &[r"\bORA-(?:00054|00060|04021|01013|14519|02049|30006)\b"])
        .engine("oracle")
        .fault(Fault::Locked)
        .matches(&["ORA-04021: timeout occurred while waiting to lock object", "ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired"])
        .ignores(&["[INFO] the object is not locked"]),
    is(Cause::TargetServiceError, NamedFault, &[r"\bORA-(?:00257|01653|01654|01658|04031|00600|07445|19809|30036)\b"])
        .engine("oracle")
        .fault(Fault::ServerError)
        .matches(&["ORA-00257: archiver error. Connect internal only, until freed."])
        .ignores(&["[INFO] the archiver is idle"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"\bORA-(?:01033|01034|01089|01035|01090|12526|12527|12528)\b"])
        .engine("oracle")
        .answered()
        .fault(Fault::NotAccepting)
        .matches(&["ORA-01033: ORACLE initialization or shutdown in progress", "ORA-12528: TNS:listener: all appropriate instances are blocking new connections"])
        .ignores(&["[INFO] initialization in progress"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"\bORA-0(?:2396|2399|1012)\b"])
        .engine("oracle")
        .answered()
        .fault(Fault::ConnectionEnded)
        .matches(&["ORA-02396: exceeded maximum idle time, please connect again"])
        .ignores(&["[INFO] the session was idle"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\bORA-28000\b"])
        .engine("oracle")
        .fault(Fault::AccountLocked)
        .matches(&["ORA-28000: The account is locked."])
        .ignores(&["[INFO] the account is open"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\bORA-28001\b|\bORA-65162\b"])
        .engine("oracle")
        .fault(Fault::PasswordExpired)
        .matches(&["ORA-28001: the password has expired"])
        .ignores(&["WARNING: ORA-28002: the password will expire within 7 days"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\bORA-28040\b|\bDPY-3015\b|\bDPY-3016\b|\bNJS-116\b"])
        .engine("oracle")
        .fault(Fault::MethodUnsupported)
        .matches(&[
            "cx_Oracle.DatabaseError: ORA-28040: No matching authentication protocol",
            "DPY-3015: password verifier type 0x939 is not supported by python-oracledb in thin mode",
        ])
        .ignores(&["[INFO] authentication protocol 12"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"\bORA-01005\b|\bDPY-4001\b.*(?:password|credentials)"])
        .engine("oracle")
        .fault(Fault::NoPasswordSent)
        .matches(&["ORA-01005: null password given; logon denied"])
        .ignores(&["[INFO] a password was given"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"\bORA-0?1017\b|\bORA-28009\b|\bORA-03136\b",
        r"\bDPY-4001\b|\bDPY-4022\b|invalid username/password; logon denied|invalid credential or not authorized; logon denied",
    ])
    .engine("oracle")
    .matches(&[
        "oracledb.exceptions.DatabaseError: ORA-01017: invalid username/password; logon denied",
    ])
    .ignores(&["[INFO] logon of app accepted"]),
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"\bORA-28003\b|\bORA-28007\b|\bORA-28221\b|\bORA-00988\b|\bORA-20\d\d\d\b.*password|\bORA-28008\b|\bORA-00972\b|\bORA-28218\b|\bORA-28219\b|\bORA-28220\b|\bORA-01741\b",
    ])
    .engine("oracle")
    .matches(&[
        "ORA-28003: password verification for the specified password failed",
        "ORA-28007: the password cannot be reused",
        "ORA-00988: missing or invalid password(s)",
        "ORA-20001: Password must contain at least 1 digit",
    ])
    .ignores(&["[INFO] password verified"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"\bORA-01918\b"])
        .engine("oracle")
        .fault(Fault::UserGone)
        .matches(&["ORA-01918: user 'APP' does not exist"])
        .ignores(&["[INFO] user 'APP' exists"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"\bORA-01920\b"])
        .engine("oracle")
        .fault(Fault::UserLeftOver)
        .matches(&["ORA-01920: user name 'APP_CLONE' conflicts with another user or role name"])
        .ignores(&["[INFO] no user is named 'APP_CLONE'"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"\bORA-01031\b|\bORA-01045\b|\bORA-01935\b|\bORA-00942\b|\bORA-01919\b|\bORA-01749\b|\bORA-65040\b|\bORA-41900\b|\bORA-02379\b",
    ])
    .engine("oracle")
    .matches(&[
        "ORA-01031: insufficient privileges",
        "ORA-01045: user APP lacks CREATE SESSION privilege; logon denied",
    ])
    .ignores(&["[INFO] privileges granted"]),
    is(Cause::DbNameMissing, NamedFault, &[
        r"\bORA-12514\b|\bORA-12505\b|\bDPY-6001\b|\bDPY-6003\b|\bNJS-51[178]\b|(?:service|service name|SID) \x22[^\x22]+\x22 is not registered with the listener|listener does not currently know of (?:service|SID)|\bORA-01109\b",
    ])
    .engine("oracle")
    .matches(&[
        "ORA-12514: TNS:listener does not currently know of service requested in connect descriptor",
        "Error: NJS-518: cannot connect to Oracle Database. Service \"orders\" is not registered with the listener at host \"db.example.internal\" port 1521",
        "DPY-6003: SID \"ORCL2\" is not registered with the listener at host \"db.example.internal\" port 1521. (Similar to ORA-12505)",
    ])
    .ignores(&["[INFO] service ORCL is registered with the listener"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\bORA-12(?:170|541|545|154|535|543|537|547|560|516|518|519|520|606|609|637|161|162|571)\b|\bORA-03113\b|\bORA-03114\b|\bORA-03135\b|\bORA-12\d{3}: TNS|\bTNS-12\d{3}\b",
        r"\bNJS-(?:500|501|503|510|530|521)\b|\bDPY-4000\b|\bDPY-4027\b|\bDPY-6005\b|\bDPY-4011\b|\bDPY-4005\b|\bDPY-4024\b|\bDPY-6000\b|\bDPI-1080\b|\bDPI-1067\b",
        r"\bORA-17(?:002|800|820|868)\b|\bORA-50000: Connection request timed out|Got minus one from a read call",
        r"The Network Adapter could not establish the connection|TNS:(?:Connect timeout|no listener|could not resolve)",
    ])
    .engine("oracle")
    .matches(&[
        "ORA-12170: TNS:Connect timeout occurred",
        "ORA-12541: TNS:no listener",
        "DPY-6005: cannot connect to database (CONNECTION_ID=x).\n[Errno 110] Connection timed out",
        "java.sql.SQLRecoverableException: IO Error: The Network Adapter could not establish the connection",
    ])
    .ignores(&["[INFO] listener answered"]),
];
