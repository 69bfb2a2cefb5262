//! What drivers of any database say in the same words, where no entry knows the driver.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbAuthFailed, NamedFault, &[
        r"(?:Error|Exception)\b.{0,80}\bauthentication[ _]fail(?:ed|ure)\b",
        r"(?:Error|Exception)\b.{0,80}\b(?:invalid|incorrect|wrong) (?:user ?name|login|credentials)(?:\b.{0,12}\bpassword)?\b",
    ])
    .matches(&[
        "hdbcli.dbapi.Error: (10, 'authentication failed')",
        "couchbase.exceptions.AuthenticationException: AuthenticationException(<ec=6, category=couchbase.common, message=authentication_failure (6)>)",
    ])
    .ignores(&["[INFO] authentication failed with the pending value as expected", "Error count 0, authentication succeeded"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"(?:Error|Exception)\b.{0,80}\b(?:insufficient|not enough) privileges?\b"])
        .matches(&["vendordb.dbapi.DatabaseError: insufficient privilege for ALTER USER"])
        .ignores(&["[INFO] privileges are sufficient"]),
    // A reader or a standby: the right host is another one.
    is(Cause::DbHostMismatchReplica, NamedFault, &[
        r"\bNotWritablePrimary\b|\bNotPrimary(?:NoSecondaryOk)?Error\b|\bnot (?:master|primary) and secondaryOk=false|\bnot master\b.*codeName|OperationFailure: not (?:primary|master)\b",
        r"READONLY You can't write against a read only (?:replica|slave)|\bORA-16000\b|because the database is read-only",
        r"(?:Error|Exception)\b.{0,80}\b(?:read.only (?:replica|node|instance|mode)|is a replica and)\b",
    ])
    .fault(Fault::ReadOnlyHost)
    .matches(&[
        "pymongo.errors.NotPrimaryError: not primary, full error: {'ok': 0.0, 'code': 10107, 'codeName': 'NotWritablePrimary'}",
        "redis.exceptions.ReadOnlyError: READONLY You can't write against a read only replica.",
        "ORA-16000: database or pluggable database open for read-only access",
    ])
    .ignores(&["[INFO] the reader is read-only"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"(?:Error|Exception)\b.{0,80}\b(?:lock (?:wait )?time(?:d )?-?out|deadlock|statement time(?:d )?-?out|query was cancel+ed)\b",
        r"\bExecution Timeout Expired\b|\bCommand Timeout expired before\b|Request failed to complete in \d+ ?ms|\bThe query has timed out\b|\bQuery read timeout\b",
    ])
    .fault(Fault::Locked)
    .matches(&[
        "vendordb.Error: lock timeout on table users",
        "Microsoft.Data.SqlClient.SqlException (0x80131904): Execution Timeout Expired.  The timeout period elapsed prior to completion of the operation or the server is not responding.",
        "RequestError: Timeout: Request failed to complete in 15000ms\n  code: 'ETIMEOUT'",
        "Error: Query read timeout\n    at Timeout._onTimeout (/var/task/node_modules/pg/lib/client.js:526:21)",
    ])
    .ignores(&["[INFO] no error, the lock timeout is 5 s"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"Connection lost: The server closed the connection|connection was closed in the middle of operation",
        r"(?:Error|Exception)\b.{0,60}\b(?:connection|server) (?:was )?closed (?:unexpectedly|by (?:the )?(?:server|peer|remote))",
    ])
    .closing()
    .matches(&[
        "Error: Connection lost: The server closed the connection.",
        "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the middle of operation",
    ])
    .ignores(&["[INFO] connection closed"]),
];
