//! Snowflake, SAP HANA, Teradata, ClickHouse, Neo4j, Couchbase, message brokers and SSH.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"Password does not satisfy the policy|invalid password layout|Password should be (?:between|at least)",
        r"Password does not conform to the account password policy|PasswordPolicyViolation",
    ])
    .matches(&[
        "snowflake.connector.errors.ProgrammingError: 003002 (28P01): SQL compilation error: Password does not satisfy the policy: must be at least 14 characters",
        "hdbcli.dbapi.Error: (412, 'invalid password layout: minimal password length is [8]')",
    ])
    .ignores(&["[INFO] the password satisfies the policy"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"SQL access control error: Insufficient privileges|Neo\.ClientError\.Security\.Forbidden",
        r"\(258, 'insufficient privilege|DB::Exception: .{0,80}Not enough privileges",
    ])
    .matches(&[
        "snowflake.connector.errors.ProgrammingError: 003001 (42501): SQL access control error: Insufficient privileges to operate on user 'APP'",
        "neo4j.exceptions.Forbidden: {code: Neo.ClientError.Security.Forbidden} {message: not allowed}",
    ])
    .ignores(&["[INFO] privileges granted to user 'APP'"]),
    // An answer of the account's network policy, not of the network.
    is(Cause::TargetServiceError, NamedFault, &[r"is not allowed to access Snowflake|\b390422\b|Incoming request with IP/Token"])
        .fault(Fault::AddressNotAllowed)
        .matches(&["snowflake.connector.errors.ForbiddenError: 250001 (08001): Failed to connect to DB: ab12345.snowflakecomputing.com:443. IP/Token 3.250.1.2 is not allowed to access Snowflake."])
        .ignores(&["[INFO] allowed to access Snowflake"]),
    // Before the network's entries: Snowflake wraps every refusal into "Failed to connect", with SQLSTATE 08001.
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Incorrect username or password was specified|JWT token is invalid|Failed to connect to DB: .*User temporarily locked",
        r"UserId, Password or Account is invalid",
        r"Neo\.ClientError\.Security\.(?:Unauthorized|CredentialsExpired|AuthenticationRateLimit)",
        r"(?-i:\bACCESS_REFUSED\b)|Login was refused using authentication mechanism|SaslAuthenticationException",
        r"DB::Exception: .{0,80}Authentication failed: password is incorrect",
        r"paramiko\S*\.(?:AuthenticationException|BadAuthenticationType)|Permission denied \((?:publickey|password)",
    ])
    .matches(&[
        "snowflake.connector.errors.DatabaseError: 250001 (08001): Failed to connect to DB: ab12345.snowflakecomputing.com:443. Incorrect username or password was specified.",
        "teradatasql.OperationalError: [Teradata Database] [Error 8017] The UserId, Password or Account is invalid.",
        "pika.exceptions.ProbableAuthenticationError: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.'",
        "org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512",
    ])
    .ignores(&["[INFO] connected to ab12345.snowflakecomputing.com:443"]),
];
