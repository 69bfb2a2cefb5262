//! PostgreSQL: libpq, psycopg, pg8000, asyncpg, pgx, node-postgres, JDBC, Npgsql.
//!
//! Source: PostgreSQL manual, appendix A "PostgreSQL Error Codes".

use super::signature::{Signature, Specificity::*, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::ConsumerStaleCredentials, NamedFault, &[
        r"io\.r2dbc\.\S*Authentication",
        r"\bHikariPool\b.*(?:password authentication failed|Access denied for user|Login failed|authentication failed)",
    ])
    .engine("postgres")
    .matches(&["io.r2dbc.postgresql.ExceptionFactory$PostgresqlAuthenticationFailure: [28P01] password authentication failed for user \"postgres\""])
    .ignores(&["HikariPool-1 - Start completed."]),
    is(Cause::DbScramLibpqOld, NamedFault, &[
        r"SCRAM authentication requires libpq version",
        r"authentication (?:method|type) (?:10|.?SCRAM.{0,8}) (?:is )?not (?:supported|recognized)|requested authentication method unknown|unknown authentication type: 10",
        r"unsupported authentication (?:method|type).*SCRAM",
    ])
    .engine("postgres")
    .matches(&[
        "OperationalError: SCRAM authentication requires libpq version 10 or above",
        "pg8000.exceptions.InterfaceError: Authentication method 10 not recognized by pg8000.",
        "The authentication type 10 is not supported. Check that you have configured the pg_hba.conf file to include the client's IP address or subnet, and that it is using an authentication scheme supported by the driver.",
    ])
    .ignores(&["[INFO] using SCRAM authentication"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"password authentication failed .*\bGRANT\b",
        r"must be superuser|must have (?:the )?CREATEROLE|permission denied (?:to|for|on) (?:create|alter|reassign|set|drop|grant|change|role|database|schema|table|relation|function|user|pg_|view|sequence)",
        r"must be owner of|must be a? ?member of role|must have admin option on role|Only roles with the .* (?:attribute|option)",
        r"role .* is a member of role|InsufficientPrivilege|\b42501\b|\b0LP01\b|\b0LP000\b|\b2BP01\b",
        r"rds_password|rds_superuser.{0,40}(?:required|must)|must be rds_superuser",
        r"role \S+ cannot be dropped because some objects depend on it",
        r"role (?:name )?\\?[\x22'][^\x22']+\\?[\x22'] (?:already exists|is reserved)|\b(?:42710|42939)\b",
        r"role .{1,80} cannot be altered: permission denied|tuple concurrently updated|PSQLException: ERROR: permission denied",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.errors.InsufficientPrivilege: permission denied to alter role\nDETAIL:  Only roles with the CREATEROLE attribute and the ADMIN option on role \"app\" may alter this role.",
        "ERROR:  permission denied to reassign objects\nSQL state: 42501",
        "ERROR: must be superuser to alter superusers",
        "error: must be owner of relation orders",
        "psycopg2.errors.DuplicateObject: role \"app_clone\" already exists",
    ])
    .ignores(&["[INFO] role app is granted", "permission checks passed", "NOTICE:  role \"app_clone\" already exists, skipping"]),
    // A reader endpoint or a standby: the right host is another one.
    is(Cause::DbHostMismatchReplica, NamedFault, &[
        r"cannot execute [A-Z ]+ (?:in a read-only transaction|during recovery)|ReadOnlySqlTransaction|\b25006\b",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.errors.ReadOnlySqlTransaction: cannot execute ALTER ROLE in a read-only transaction",
        "ERROR:  cannot execute ALTER ROLE during recovery",
    ])
    .ignores(&["[INFO] opened a read-only transaction"]),
    is(Cause::DbNameMissing, NamedFault, &[
        r"database \\?[\x22'][^\x22']+\\?[\x22'] does not exist|\b3D000\b|InvalidCatalogName",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist",
        "asyncpg.exceptions.InvalidCatalogNameError: database \"orders\" does not exist",
    ])
    .ignores(&["[INFO] database \"orders\" exists"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"password authentication failed for user",
        r"PAM authentication failed for user|\b(?:IAM|LDAP|md5|peer|ident) authentication failed for (?:user|role)",
        r"\b28P01\b|InvalidPasswordError|InvalidAuthorizationSpecification",
        r"role \\?[\x22'][^\x22']+\\?[\x22'] does not exist|role \\?[\x22'][^\x22']+\\?[\x22'] is not permitted to log in",
        r"no pg_hba\.conf entry for host",
        r"no password supplied|authentication, but no password was provided|client password must be a string|SASL: SCRAM-SERVER-FIRST-MESSAGE|SASL authentication failed",
        r"role .* (?:password has expired|is locked)",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"",
        "error: password authentication failed for user \"app\"\n    at Parser.parseErrorMessage (/var/task/node_modules/pg-protocol/dist/parser.js:283:98) code: '28P01'",
        "failed to connect to `host=db user=app database=app`: failed SASL auth (FATAL: password authentication failed for user \"app\" (SQLSTATE 28P01))",
        "FATAL:  role \"app\" does not exist",
        "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string",
    ])
    .ignores(&["[INFO] password authentication succeeded for user app"]),
    is(Cause::TargetServiceLimit, NamedFault, &[
        r"remaining connection slots are reserved|sorry, too many clients already|\b53300\b|too many connections for (?:role|database)",
        r"Too many connections\b|ER_CON_COUNT_ERROR|ER_TOO_MANY_USER_CONNECTIONS|max_user_connections",
        r"max number of clients reached|\bORA-00018\b|\bORA-00020\b|\bORA-02391\b",
    ])
    .matches(&[
        "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        "pymysql.err.OperationalError: (1040, 'Too many connections')",
        "FATAL:  sorry, too many clients already",
        "redis.exceptions.ConnectionError: max number of clients reached",
    ])
    .ignores(&["[INFO] connections in use: 3"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"could not connect to server: |connection to server at .* failed: (?:Connection|timeout|No route|could not)",
        r"the database system is (?:starting up|shutting down|in recovery mode|not accepting)|\b57P0[123]\b",
        r"terminating connection due to administrator command|server closed the connection unexpectedly",
        r"The connection attempt failed\.|Connection terminated (?:unexpectedly|due to connection timeout)",
        r"timeout expired\b",
    ])
    .engine("postgres")
    .matches(&[
        "psycopg2.OperationalError: could not connect to server: Connection timed out\n\tIs the server running on host \"db.example.internal\" (10.0.1.2) and accepting\n\tTCP/IP connections on port 5432?",
        "psycopg2.OperationalError: connection to server at \"db.example.internal\" (10.0.1.2), port 5432 failed: timeout expired",
        "org.postgresql.util.PSQLException: The connection attempt failed.",
        "Error: Connection terminated due to connection timeout",
        "FATAL:  the database system is starting up",
    ])
    .ignores(&["[INFO] the server is running on host db.example.internal and accepts connections"]),
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"password (?:is too short|must not (?:contain|match)|must contain|does not meet)|passwordcheck",
        r"\b(?:22023|28P02)\b.*password",
    ])
    .matches(&["ERROR:  password is too short", "ERROR: password must not contain user name"])
    .ignores(&["[INFO] password generated"]),
];
