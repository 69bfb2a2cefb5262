//! Snowflake, SAP HANA, Teradata, ClickHouse, Neo4j, Couchbase, message brokers, SSH, and services that admit addresses.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"Password does not satisfy the policy|invalid password layout|Password should be (?:between|at least)",
        r"Password does not conform to the account password policy|PasswordPolicyViolation",
        // OpenSearch's security plugin.
        r"['\x22]Weak password['\x22]",
    ])
    .matches(&[
        "snowflake.connector.errors.ProgrammingError: 003002 (28P01): SQL compilation error: Password does not satisfy the policy: must be at least 14 characters",
        "opensearchpy.exceptions.RequestError: RequestError(400, 'Weak password', {'status': 'error', 'reason': 'Weak password'})",
        "hdbcli.dbapi.Error: (412, 'invalid password layout: minimal password length is [8]')",
    ])
    .ignores(&["[INFO] the password satisfies the policy"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"SQL access control error: Insufficient privileges|Neo\.ClientError\.Security\.Forbidden",
        r"\(258, 'insufficient privilege|DB::Exception: .{0,80}Not enough privileges|Not enough privileges\. To execute this query",
        // The statement is refused, and Snowflake does not tell why.
        r"SQL compilation error:\s+User '?[^\s']+'? does not exist or not authorized",
        // Users of ClickHouse that stand in a file.
        r"Cannot (?:update|remove) (?:user|role) \S+ in \S+ because this storage is readonly",
        r"\b(?:Cluster|Topic|Group)Authorization(?:Failed|Exception)|NOT_ALLOWED - access to vhost",
    ])
    .matches(&[
        "snowflake.connector.errors.ProgrammingError: 003001 (42501): SQL access control error: Insufficient privileges to operate on user 'APP'",
        "neo4j.exceptions.Forbidden: {code: Neo.ClientError.Security.Forbidden} {message: not allowed}",
        "[ERROR] ProgrammingError: 002003 (02000): SQL compilation error:\nUser 'APP' does not exist or not authorized.",
        "[ERROR] ClusterAuthorizationFailedError: [Error 31] ClusterAuthorizationFailedError: Request AlterUserScramCredentials is not authorized",
    ])
    .ignores(&["[INFO] privileges granted to user 'APP'"]),
    // Before PostgreSQL's entries, which know SQLSTATE 57P03 as a server that takes no connections.
    is(Cause::TargetServiceError, NamedFault, &[r"No active warehouse selected|NOT_ALLOWED - vhost \S+ not found"])
        .fault(Fault::StatementFailed)
        .matches(&[
            "snowflake.connector.errors.ProgrammingError: 000606 (57P03): No active warehouse selected in the current session.",
            "pika.exceptions.ProbableAccessDeniedError: ConnectionClosedByBroker: (530) 'NOT_ALLOWED - vhost orders not found'",
        ])
        .ignores(&["[INFO] warehouse selected"]),
    // An answer of the account's network policy, not of the network.
    is(Cause::TargetServiceError, NamedFault, &[
        r"is not allowed to access Snowflake|\b390422\b|Incoming request with IP/Token",
        // MongoDB Atlas.
        r"IP_ADDRESS_NOT_ON_ACCESS_LIST|IP address \S+ is not allowed to access this resource",
    ])
        .fault(Fault::AddressNotAllowed)
        .matches(&["snowflake.connector.errors.ForbiddenError: 250001 (08001): Failed to connect to DB: ab12345.snowflakecomputing.com:443. IP/Token 3.250.1.2 is not allowed to access Snowflake."])
        .ignores(&["[INFO] allowed to access Snowflake"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"user account has been temporarily locked|User temporarily locked|(?:\(416, '|\[416\]: )user is locked",
    ])
    .fault(Fault::AccountLocked)
    .matches(&[
        "snowflake.connector.errors.DatabaseError: 250001 (08001): None: Failed to connect to DB: ab12345.snowflakecomputing.com:443. Your user account has been temporarily locked due to too many failed attempts.",
        "hdbcli.dbapi.Error: (416, 'user is locked; try again later: lock time is 1440 minutes')",
    ])
    .ignores(&["[INFO] user account unlocked"]),
    is(Cause::DbAuthFailed, NamedFault, &[r"user is forced to change password"])
        .fault(Fault::PasswordExpired)
        .matches(&["hdbcli.dbapi.Error: (414, 'user is forced to change password: alter password required for user APP')"])
        .ignores(&["[INFO] the user is not forced to change it"]),
    // Before the network's entries: Snowflake wraps every refusal into "Failed to connect", with SQLSTATE 08001.
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Incorrect username or password was specified|JWT token is invalid",
        r"UserId, Password or Account is invalid",
        r"Neo\.ClientError\.Security\.(?:Unauthorized|CredentialsExpired|AuthenticationRateLimit)",
        r"(?-i:\bACCESS_REFUSED\b)|Login was refused using authentication mechanism|SaslAuthenticationException",
        r"Authentication failed: password is incorrect, or there is no user",
        r"paramiko\S*\.(?:AuthenticationException|BadAuthenticationType)|Permission denied \((?:publickey|password)",
        r"All configured authentication methods failed|\bJSchException: Auth (?:fail|cancel)|ssh: unable to authenticate|\bNet::SSH::AuthenticationFailed\b",
        r"\bBunny::(?:Possible)?AuthenticationFailure|Exception \(403\) Reason: \\?\x22username or password not allowed",
    ])
    .matches(&[
        "snowflake.connector.errors.DatabaseError: 250001 (08001): Failed to connect to DB: ab12345.snowflakecomputing.com:443. Incorrect username or password was specified.",
        "teradatasql.OperationalError: [Teradata Database] [Error 8017] The UserId, Password or Account is invalid.",
        "pika.exceptions.ProbableAuthenticationError: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.'",
        "Error: All configured authentication methods failed",
        "com.jcraft.jsch.JSchException: Auth fail",
        "Exception (403) Reason: \"username or password not allowed\"",
        "org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512",
    ])
    .ignores(&["[INFO] connected to ab12345.snowflakecomputing.com:443"]),
    // Python's, Node's and Go's clients of mail servers. Source: RFC 4954, replies 530, 534 and 535.
    is(Cause::TargetServiceError, NamedFault, &[
        r"\bSMTPAuthenticationError\b|Invalid login: 53[045]\b|\b535 (?:5\.7\.\d )?Authentication (?:Credentials Invalid|failed)",
    ])
    .fault(Fault::MailLogin)
    .matches(&[
        "smtplib.SMTPAuthenticationError: (535, b'Authentication Credentials Invalid')",
        "Error: Invalid login: 535 Authentication Credentials Invalid",
    ])
    .ignores(&["[INFO] logged in to email-smtp.eu-west-1.amazonaws.com"]),
    // Clients of brokers, of SSH and of LDAP that reached nobody, or whom nobody greeted; what else they say outweighs it.
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"\bNoBrokersAvailable\b|client has run out of available brokers|Timed out waiting for a node assignment|Local: (?:Broker transport failure|All broker connections are down|Host resolution failure)|\bKafkaJSConnection(?:Closed)?Error\b|KafkaJSNumberOfRetriesExceeded\b.{0,40}\bConnection\b",
        r"\bAMQPConnect(?:ionError|orException|orStackTimeout|orSocketConnectError|orPhaseErrorBase)\b|Timeout during AMQP handshake|Socket closed abruptly during opening handshake",
        r"Error reading SSH protocol banner|\bNoValidConnectionsError\b|Timed out while waiting for handshake|JSchException: (?:timeout|java\.net|connection is closed)|\bSshOperationTimeoutException\b",
        r"\bSMTP(?:ServerDisconnected|ConnectError)\b",
        r"\bLDAPSocket(?:Open|Receive|Send)Error\b|\bLDAPServerPoolExhaustedError\b",
    ])
    .matches(&[
        "[ERROR] NoBrokersAvailable: NoBrokersAvailable",
        "cimpl.KafkaException: KafkaError{code=_TRANSPORT,val=-195,str=\"Failed to get metadata: Local: Broker transport failure\"}",
        "[ERROR] AMQPConnectorStackTimeout: Timeout during AMQP handshake",
        "paramiko.ssh_exception.SSHException: Error reading SSH protocol banner",
        "Error: Timed out while waiting for handshake",
        "[ERROR] LDAPSocketOpenError: socket connection error while opening: timed out",
    ])
    .ignores(&["[INFO] 3 brokers available", "pika.exceptions.ProbableAuthenticationError: ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused'"]),
];
