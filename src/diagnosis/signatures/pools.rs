//! The function's own pool of connections, used up: no answer of the database and nothing of the network.

use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::CodeUnhandledException, NamedFault, &[
        r"\bQueuePool limit of size \d+ overflow \d+ reached|Failed getting connection; pool exhausted",
        r"The connection pool has been exhausted, either raise|All pooled connections are in use",
        r"prior to obtaining a connection from the pool|max pool size was reached",
        // asyncpg: two statements at once on one connection.
        r"cannot perform operation: another operation is in progress",
    ])
    .matches(&[
        "[ERROR] TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)",
        "Npgsql.NpgsqlException (0x80004005): The connection pool has been exhausted, either raise 'Max Pool Size' (currently 100) or 'Timeout' (currently 15 seconds) in your connection string.",
        "MySqlConnector.MySqlException (0x80004005): Connect Timeout expired. All pooled connections are in use.",
        "System.InvalidOperationException: Timeout expired.  The timeout period elapsed prior to obtaining a connection from the pool.  This may have occurred because all pooled connections were in use and max pool size was reached.",
        "[ERROR] InterfaceError: cannot perform operation: another operation is in progress",
    ])
    .ignores(&["pool timed out while waiting for an open connection", "[INFO] max pool size: 5"]),
];
