//! PostgreSQL: libpq, psycopg, pg8000, asyncpg, pgx, node-postgres, JDBC, Npgsql.
//!
//! Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes".

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::Cause;

/// No entry for an encrypted connection is a closed door; none for a plain one is a question of TLS.
fn not_admitted(line: &Line<'_>) -> Option<Cause> {
    let plain = ["no encryption", "SSL off"].iter().any(|word| line.text.contains(word));
    (!plain).then_some(Cause::DbAuthFailed)
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::ConsumerStaleCredentials, NamedFault, &[r"io\.r2dbc\.\S*Authentication"])
    .engine("postgres")
    .matches(&["io.r2dbc.postgresql.ExceptionFactory$PostgresqlAuthenticationFailure: [28P01] password authentication failed for user \"postgres\""])
    .ignores(&["com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: Failed to initialize pool: FATAL: password authentication failed for user \"app\""]),
    is(Cause::DbScramLibpqOld, NamedFault, &[
        r"SCRAM authentication requires libpq version",
        r"authentication (?:method|type) (?:10|.?SCRAM.{0,8}) (?:is )?not (?:supported|recognized)|unknown authentication type: 10",
        r"unsupported authentication (?:method|type).*SCRAM",
    ])
    .engine("postgres")
    .matches(&[
        "OperationalError: SCRAM authentication requires libpq version 10 or above",
        "pg8000.exceptions.InterfaceError: Authentication method 10 not recognized by pg8000.",
        "The authentication type 10 is not supported. Check that you have configured the pg_hba.conf file to include the client's IP address or subnet, and that it is using an authentication scheme supported by the driver.",
    ])
    .ignores(&["[INFO] using SCRAM authentication"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"canceling statement due to|canceling autovacuum|could not obtain lock on|deadlock detected|LockNotAvailable|QueryCanceled|DeadlockDetected",
        r"(?:SQLSTATE|sqlstate|code|state)\W{0,5}(?:55P03|57014|40P01|40001)\b|[\x22'\[(](?:55P03|57014|40P01|40001)[\x22'\])]",
        r"tuple concurrently updated|could not serialize access|\bSerializationFailure\b",
        // CockroachDB and Aurora DSQL take no locks, and refuse the later of two transactions.
        r"\brestart transaction: |change conflicts with another transaction",
    ])
    .engine("postgres")
    .fault(Fault::Locked)
    .matches(&[
        "psycopg2.errors.LockNotAvailable: canceling statement due to lock timeout",
        "ERROR:  canceling statement due to statement timeout",
        "ERROR: tuple concurrently updated",
        "pq: deadlock detected",
        "ERROR: restart transaction: TransactionRetryWithProtoRefreshError: TransactionRetryError: retry txn (RETRY_SERIALIZABLE)",
    ])
    .ignores(&["[WARNING] retrying ALTER ROLE after deadlock, attempt 2 of 5"]),
    is(Cause::TargetServiceError, NamedFault, &[
        r"could not extend file|could not write to file|(?:FATAL|ERROR|PANIC|OutOfMemory): +out of (?:memory|shared memory)|\b(?:53100|53200)\b",
        r"(?:FATAL|ERROR|PANIC): .*No space left on device|invalid page in block|could not read block|\bXX00[12]\b",
        r"cache lookup failed for",
    ])
    .engine("postgres")
    .fault(Fault::ServerError)
    .matches(&[
        "ERROR:  could not extend file \"base/16384/2619\": No space left on device",
        "FATAL:  out of memory",
    ])
    .ignores(&["[INFO] 53100 rows updated"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"role (?:name )?\\?[\x22'][^\x22']+\\?[\x22'] already exists|\b42710\b|DuplicateObject",
    ])
    .engine("postgres")
    .fault(Fault::UserLeftOver)
    .matches(&["psycopg2.errors.DuplicateObject: role \"app_clone\" already exists"])
    .ignores(&["NOTICE:  role \"app_clone\" already exists, skipping"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"FATAL: +permission denied for database|User does not have CONNECT privilege|was denied access on the database",
    ])
    .engine("postgres")
    .fault(Fault::MayNotConnect)
    .matches(&["psycopg2.OperationalError: FATAL:  permission denied for database \"orders\"\nDETAIL:  User does not have CONNECT privilege."])
    .ignores(&["[INFO] CONNECT privilege on database orders granted"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"password authentication failed .*\bGRANT\b",
        r"must be superuser|must have (?:the )?CREATEROLE|permission denied (?:to|for|on) (?:create|alter|reassign|set|drop|grant|change|role|database|schema|table|relation|function|user|pg_|view|sequence|language|tablespace|procedure|routine|type|parameter|large object|foreign|column)|\bERROR: +permission denied\b",
        r"must be owner of|must be a? ?member of role|must be able to SET ROLE|must have admin option on role|Only roles with the .* (?:attribute|option)",
        r"role .* is a member of role|InsufficientPrivilege|\b42501\b|\b0LP01\b|\b0LP000\b|\b2BP01\b",
        r"rds_password|rds_superuser.{0,40}(?:required|must)|must be rds_superuser",
        r"role \S+ cannot be dropped because some objects depend on it",
        r"role (?:name )?\\?[\x22'][^\x22']+\\?[\x22'] is reserved|\b42939\b",
        r"role .{1,80} cannot be altered(?:: permission denied| because it is)",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.errors.InsufficientPrivilege: permission denied to alter role\nDETAIL:  Only roles with the CREATEROLE attribute and the ADMIN option on role \"app\" may alter this role.",
        "ERROR:  permission denied to reassign objects\nSQL state: 42501",
        "ERROR: must be superuser to alter superusers",
        "error: must be owner of relation orders",
        "[ERROR] ProgrammingError: ERROR:  permission denied for language plpgsql",
        "org.postgresql.util.PSQLException: ERROR: must be able to SET ROLE \"app_owner\"",
    ])
    .ignores(&["[INFO] role app is granted", "permission checks passed"]),
    // A reader endpoint or a standby: the right host is another one.
    is(Cause::DbHostMismatchReplica, NamedFault, &[
        r"cannot execute [A-Z ]+ (?:in a read-only transaction|during recovery)|ReadOnlySqlTransaction|\b25006\b",
    ])
    .engine("postgres")
    .fault(Fault::ReadOnlyHost)
    .matches(&[
        "psycopg2.errors.ReadOnlySqlTransaction: cannot execute ALTER ROLE in a read-only transaction",
        "ERROR:  cannot execute ALTER ROLE during recovery",
    ])
    .ignores(&["[INFO] opened a read-only transaction"]),
    is(Cause::DbNameMissing, NamedFault, &[
        r"database \\?[\x22'`][^\x22'`]+\\?[\x22'`] does not exist|\b3D000\b|InvalidCatalogName",
        // PgBouncer.
        r"FATAL: +no such database: ",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist",
        "asyncpg.exceptions.InvalidCatalogNameError: database \"orders\" does not exist",
    ])
    .ignores(&["[INFO] database \"orders\" exists"]),
    // Members of rds_iam are asked for PAM, and take tokens only. Source: RDS User Guide, "IAM database authentication".
    is(Cause::DbAuthFailed, NamedFault, &[r"\b(?:PAM|IAM) authentication failed for (?:user|role)"])
        .engine("postgres")
        .fault(Fault::TokensOnly)
        .matches(&["psycopg2.OperationalError: FATAL:  PAM authentication failed for user \"app\""])
        .ignores(&["[INFO] PAM authentication of user app succeeded"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"role \\?[\x22'][^\x22']+\\?[\x22'] does not exist|\b42704\b"])
        .engine("postgres")
        .fault(Fault::UserGone)
        .matches(&["FATAL:  role \"app\" does not exist"])
        .ignores(&["[INFO] role \"app\" exists"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"role \\?[\x22'][^\x22']+\\?[\x22'] is not permitted to log in"])
        .engine("postgres")
        .fault(Fault::UserMayNotLogIn)
        .matches(&["FATAL:  role \"app_clone\" is not permitted to log in"])
        .ignores(&["[INFO] role \"app\" is permitted to log in"]),
    depends(not_admitted, NamedFault, &[r"no pg_hba\.conf entry for|pg_hba\.conf rejects connection"])
        .engine("postgres")
        .fault(Fault::NotAdmitted)
        .matches(&["FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", SSL encryption"])
        .ignores(&["FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", no encryption"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"no password supplied|No password has been provided|authentication, but (?:no password was provided|the password is an empty string)|client password must be a string",
    ])
    .engine("postgres")
    .fault(Fault::NoPasswordSent)
    .matches(&[
        "connection to server at \"db\" (10.0.0.5), port 5432 failed: fe_sendauth: no password supplied",
        "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string",
        "The server requested SCRAM-based authentication, but the password is an empty string.",
    ])
    .ignores(&["[INFO] a password was supplied"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"role .* password has expired|password (?:is|has) expired for user"])
        .engine("postgres")
        .fault(Fault::PasswordExpired)
        .matches(&["FATAL:  role \"app\" password has expired"])
        .ignores(&["[INFO] the password has not expired"]),
    // libpq's require_auth, and servers that ask for what it does not let through.
    is(Cause::DbAuthFailed, NamedFault, &[r"authentication method requirement \S+ failed"])
        .engine("postgres")
        .fault(Fault::MethodUnsupported)
        .matches(&["connection to server at \"db\" (10.0.0.5), port 5432 failed: authentication method requirement \"scram-sha-256\" failed: server requested a cleartext password"])
        .ignores(&["[INFO] authentication method requirement: scram-sha-256"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"password authentication failed for user",
        r"\b(?:LDAP|md5|peer|ident) authentication failed for (?:user|role)",
        r"\b28P01\b|InvalidPasswordError",
        r"SASL: SCRAM-SERVER-FIRST-MESSAGE|SASL authentication failed|error received from server in SCRAM exchange",
        r"role .* is locked|FATAL: +no such user\b",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"",
        "error: password authentication failed for user \"app\"\n    at Parser.parseErrorMessage (/var/task/node_modules/pg-protocol/dist/parser.js:283:98) code: '28P01'",
        "failed to connect to `host=db user=app database=app`: failed SASL auth (FATAL: password authentication failed for user \"app\" (SQLSTATE 28P01))",
    ])
    .ignores(&["[INFO] password authentication succeeded for user app"]),
    // The class alone: its message tells whether the user, its password, or a plain connection was refused.
    is(Cause::DbAuthFailed, NamedFault, &[r"InvalidAuthorizationSpecification"])
        .engine("postgres")
        .closing()
        .matches(&["asyncpg.exceptions.InvalidAuthorizationSpecificationError: the user is refused"])
        .ignores(&["asyncpg.exceptions.InvalidAuthorizationSpecificationError: no pg_hba.conf entry for host \"10.0.1.7\", user \"app\", database \"app\", no encryption"]),
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"remaining connection slots are reserved|sorry, too many clients already|\b53300\b|too many connections for (?:role|database)",
        r"connection limit \S+ exceeded for non-bootstrap users",
        r"Too many connections\b|ER_CON_COUNT_ERROR",
        // The listener has handlers for as many connections as the database has processes for.
        r"\bORA-125(?:16|18|19|20)\b",
        r"max number of clients reached|\bORA-00018\b|\bORA-00020\b|\bORA-02391\b|\bSQL1040N\b|\b17300\b.*connection",
    ])
    .fault(Fault::ConnectionsUsedUp)
    .matches(&[
        "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        "pymysql.err.OperationalError: (1040, 'Too many connections')",
        "FATAL:  sorry, too many clients already",
        "redis.exceptions.ConnectionError: max number of clients reached",
        "ORA-12516: TNS:listener could not find available handler with matching protocol stack",
    ])
    .ignores(&["[INFO] connections in use: 3"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"the database system is (?:starting up|shutting down|in recovery mode|not accepting|not yet accepting)|\b57P03\b",
        r"not (?:currently |yet )?accepting (?:connections|commands)|CannotConnectNow",
    ])
    .engine("postgres")
    .answered()
    .fault(Fault::NotAccepting)
    .matches(&[
        "FATAL:  the database system is starting up",
        "FATAL:  database \"orders\" is not currently accepting connections",
        "FATAL:  the database system is not yet accepting connections\nDETAIL:  Consistent recovery state has not been yet reached.",
    ])
    .ignores(&["[INFO] the server is accepting connections"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"connection was closed in the middle of operation",
        r"terminating connection (?:due to|because of)|\b57P0[125]\b|AdminShutdown|CrashShutdown|IdleInTransactionSessionTimeout",
    ])
    .engine("postgres")
    .answered()
    .fault(Fault::ConnectionEnded)
    .matches(&[
        "psycopg2.errors.AdminShutdown: terminating connection due to administrator command\nSSL connection has been closed unexpectedly",
        "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the middle of operation",
    ])
    .ignores(&["[INFO] terminating the worker"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"server closed the connection unexpectedly|SSL connection has been closed unexpectedly|SSL SYSCALL error: EOF detected",
        r"The connection attempt failed\.|Connection terminated unexpectedly|connection already closed",
    ])
    .engine("postgres")
    .closing()
    .matches(&[
        "psycopg2.OperationalError: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
        "org.postgresql.util.PSQLException: The connection attempt failed.",
    ])
    .ignores(&["[INFO] the server closed the connection as asked"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"could not connect to server: |connection to server at .* failed: (?:Connection|timeout|No route|could not|Cannot)",
        r"Connection terminated due to connection timeout",
        r"timeout expired\b",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: could not connect to server: Connection timed out\n\tIs the server running on host \"db.example.internal\" (10.0.1.2) and accepting\n\tTCP/IP connections on port 5432?",
        "psycopg2.OperationalError: connection to server at \"db.example.internal\" (10.0.1.2), port 5432 failed: timeout expired",
        "Error: Connection terminated due to connection timeout",
    ])
    .ignores(&["[INFO] the server is running on host db.example.internal and accepts connections"]),
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"password (?:is too short|must not (?:contain|match)|must contain|does not meet)|passwordcheck",
        r"\b(?:22023|28P02)\b.*password",
    ])
    .matches(&["ERROR:  password is too short", "ERROR: password must not contain user name"])
    .ignores(&["[INFO] password generated"]),
];
