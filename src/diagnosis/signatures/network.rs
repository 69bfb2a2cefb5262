//! Connections that do not open: TCP, DNS, and whose host it was.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::{Cause, RotationStep};
use regex::Regex;
use std::sync::LazyLock;

static AMAZON_HOST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)(?P<labels>[a-z0-9.-]+)\.(?:amazonaws\.com|api\.aws)\b").ok());

/// PostgreSQL, MySQL, SQL Server, Oracle, MongoDB, Redis, Redshift, Db2, Cassandra, LDAP, OpenSearch.
static DATABASE_PORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:[:,/ ]|port[ =:]\s?)(?:5432|3306|1433|1521|2484|27017|6379|5439|50000|50001|9042|389|636|9200|8086)\b")
        .ok()
});

static HTTP_CLIENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)HTTPS?Connection|axios|\bfetch failed|\burllib|\brequests\.exceptions|\bhttpx\b|\baiohttp\b|(?:ENOTFOUND|EAI_AGAIN|host) \W?(?:api|auth|login|graph|hooks)[.-]|java\.net\.http|okhttp").ok()
});

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)https?://(?P<host>[a-z0-9.-]+)").ok());

/// Hosts to which drivers refer for help: SQLAlchemy, python-oracledb, node-oracledb, MongoDB, Prisma and .NET end a message with
/// such a link.
const HELP: [&str; 14] = [
    "docs.",
    "sqlalche.me",
    ".readthedocs.io",
    "dev.mysql.com",
    "mariadb.com",
    "www.postgresql.org",
    "pris.ly",
    "aka.ms",
    "go.microsoft.com",
    "learn.microsoft.com",
    "dochub.mongodb.org",
    "www.mongodb.com",
    "www.openssl.org",
    "nodejs.org",
];

/// True where `text` names the URL of a peer; a link to help is none.
pub(super) fn names_a_url(text: &str) -> bool {
    let Some(url) = URL.as_ref() else { return false };
    let hosts = url.captures_iter(text).filter_map(|found| found.name("host"));
    hosts.map(|host| host.as_str().to_ascii_lowercase()).any(|host| !is_help(&host))
}

fn is_help(host: &str) -> bool {
    HELP.iter().any(|known| match (known.strip_prefix('.'), known.strip_suffix('.')) {
        (Some(_), _) => host.ends_with(known),
        (_, Some(_)) => host.starts_with(known),
        _ => host == *known,
    })
}

/// A name that is asked by HTTPS, where it is none of AWS's.
static OTHER_HOST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}:443\b").ok());

static AWS_SDK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)DispatchFailure|smithy|aws-sdk|awssdk|com\.amazonaws|Amazon\.Runtime|botocore|endpoint URL|proxy URL|secretsmanager\.|secretsmanager: |SecretsManagerClient|Secrets Manager: ").ok()
});

fn names(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

static NO_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)could not translate host name|Name or service not known|nodename nor servname|getaddrinfo|gaierror|ENOTFOUND|EAI_AGAIN|",
        r"UnknownHost|Unknown (?:MySQL )?(?:server )?host|no such host|name resolution|No address associated|failed to lookup address|",
        r"\(2005,|ORA-12545|ORA-12154|SQL1336N|dns error|resolve (?:the )?host"
    ))
    .ok()
});

static REFUSED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)connection refused|ECONNREFUSED|actively refused|Errno 111\b|\(111\)|os error 111\b|ORA-12541|no listener")
        .ok()
});

/// Why no connection opened, where the text tells: its advice is not that of a closed way.
pub(super) fn fault_of(cause: Cause, text: &str) -> Option<Fault> {
    if cause != Cause::DbNetworkUnreachable {
        None
    } else if names(&NO_NAME, text) {
        Some(Fault::NameNotResolved)
    } else if names(&REFUSED, text) {
        Some(Fault::PortRefused)
    } else {
        None
    }
}

/// The owner of a host below `amazonaws.com` or `api.aws`: `service.region` is an API, more labels are a resource.
fn amazon_host(text: &str) -> Option<Cause> {
    let labels = AMAZON_HOST.as_ref()?.captures(text)?.name("labels")?.as_str().to_ascii_lowercase();
    let parts: Vec<&str> = labels.split('.').collect();
    Some(if parts.len() <= 2 || parts.contains(&"vpce") {
        Cause::AwsEndpointUnreachable
    } else if parts.contains(&"execute-api") {
        Cause::TargetServiceError
    } else {
        Cause::DbNetworkUnreachable
    })
}

/// Whose connection failed, by the host, the port, the client, and at last the step; what one try leaves open, the event it
/// belongs to may tell.
pub(super) fn unreachable_peer(line: &Line<'_>) -> Option<Cause> {
    let text = line.text;
    Some(if let Some(cause) = named_peer(text).or_else(|| named_peer(line.event)) {
        cause
    } else if names(&HTTP_CLIENT, line.event) || names_a_url(line.event) || names(&OTHER_HOST, text) {
        Cause::TargetServiceError
    } else if text.contains(":443") || line.step() == Some(RotationStep::CreateSecret) {
        Cause::AwsEndpointUnreachable
    } else {
        Cause::DbNetworkUnreachable
    })
}

fn named_peer(text: &str) -> Option<Cause> {
    amazon_host(text)
        .or_else(|| names(&DATABASE_PORT, text).then_some(Cause::DbNetworkUnreachable))
        .or_else(|| names(&AWS_SDK, text).then_some(Cause::AwsEndpointUnreachable))
}

/// Telemetry alone, where no other peer is named.
fn of_telemetry(line: &Line<'_>) -> Option<Cause> {
    let others = amazon_host(line.event).is_some() || names(&DATABASE_PORT, line.event);
    (!others).then_some(Cause::Benign)
}

/// Listeners for telemetry beside the function, that of OTLP, Datadog, StatsD and X-Ray: no database is there, and nothing is
/// lost but a trace. Any error that says more than an exception does outweighs them; they are asked before what else a
/// connection that fails could mean.
pub(super) const TELEMETRY: &[Signature] = &[depends(of_telemetry, UnhandledException, &[
    r"(?:ECONNREFUSED|connecting to|connect to|dial tcp|Post) \S{0,12}127\.0\.0\.1:(?:4317|4318|8125|8126|2000)\b|localhost:(?:4317|4318|8125|8126)\b|ECONNREFUSED ::1:(?:4317|4318|8125|8126)\b",
])
.matches(&["Error: connect ECONNREFUSED 127.0.0.1:4318\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)"])
.ignores(&["[ERROR] connect ECONNREFUSED 127.0.0.1:4318, then: connect ECONNREFUSED 10.0.3.7:5432"])];

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::AwsEndpointUnreachable, NamedFault, &[
        r"DispatchFailure\b\W{1,2}\w",
        r"dispatch failure.*(?:timeout|connect|dns|io error)",
        r"Unable to execute HTTP request: (?:Connect to|Connection|connect|Acquire|Unknown|Read timed out)",
        r"Could not connect to the endpoint URL: \S*(?:amazonaws\.com|api\.aws)",
        r"NetworkingError|UnknownEndpoint: ",
        r"Unable to locate an endpoint|SdkClientException: Unable to (?:execute|connect|load region)",
        r"exceeded maximum number of attempts.*(?:dial tcp|timeout|no such host).*",
        r"RequestError: send request failed",
        r"curlCode: (?:6|7|28|35|52|56)\b|\bAWSError\b.{0,120}Unable to connect to endpoint|\bAws::\S.{0,160}Unable to connect to endpoint",
    ])
    .matches(&[
        "Err(DispatchFailure(DispatchFailure { source: ConnectorError { kind: Timeout, source: hyper::Error(Connect, HttpTimeoutError { kind: \"HTTP connect\", duration: 3.1s }), connection: Unknown } }))",
        "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: Connect to secretsmanager.us-east-1.amazonaws.com:443 failed: connect timed out",
        "[ERROR] Aws::SecretsManager::SecretsManagerClient: HTTP response code: -1, Exception name: , Error message: curlCode: 28, Timeout was reached",
        "RequestError: send request failed\ncaused by: Post \"https://secretsmanager.us-east-1.amazonaws.com/\": dial tcp 10.0.0.9:443: i/o timeout",
    ])
    .ignores(&["[INFO] endpoint URL configured: https://secretsmanager.us-east-1.amazonaws.com"]),
    depends(unreachable_peer, NamedFault, &[
        r"(?:Connect|Read) timeout on endpoint URL",
        r"(?:EndpointConnection|ConnectTimeout|ReadTimeout|ConnectionClosed|ProxyConnection|HTTPClient)Error\b",
        r"Could not connect to the endpoint URL",
        r"Amazon(?:ClientException|ServiceException): .*(?:connect|connection|timed out)",
        r"Connection was closed before we received a valid response from endpoint",
    ])
    .matches(&[
        "Connect timeout on endpoint URL: \"https://secretsmanager.us-east-1.amazonaws.com/\"",
        "botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: \"https://secretsmanager.us-east-1.amazonaws.com/\"",
        "ConnectTimeoutError: Connect timeout on endpoint URL: \"https://rds.us-east-1.amazonaws.com/\"",
        "Connect timeout on endpoint URL: \"https://secretsmanager.eu-west-1.api.aws/\"",
        "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: \"https://kms.eu-west-1.api.aws/\"",
    ])
    .ignores(&["[INFO] connect timeout set to 5 for the endpoint URL"]),
    depends(unreachable_peer, NamedFault, &[
        r"\b(?-i:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ECONNRESET|ESOCKETTIMEDOUT|ECONNABORTED)\b",
        r"\bgetaddrinfo failed|\bsocket\.gaierror\b|gaierror: \[Errno",
        r"Name or service not known|nodename nor servname provided|Temporary failure in name resolution|No address associated with hostname",
        r"could not translate host name",
        r"\bNo route to host\b|\bNetwork is unreachable\b|\bHost is unreachable\b",
        r"\[Errno (?:101|104|110|111|113)\]",
        r"\bConnection (?:refused|timed out|reset by peer)\b",
        r"\bconnect(?:ion)? timed out\b|\bconnection attempt (?:failed|timed out)\b|\bconnection timeout (?:expired|exceeded)\b",
        r"\bconnection to \S+:\d+ (?:refused|failed|timed out)|\bFailed to connect to \[?[\w.:-]+\]?:\d+",
        r"\b(?:dial|read|write) tcp\b.*(?:timeout|refused|no such host|unreachable|connection reset|broken pipe)",
        r"\blookup \S+(?: on \S+)?: no such host\b",
        r"\btimeout exceeded when trying to connect\b|\bretrieve a? ?connection from pool\b",
        // Python's asyncio has no words for it: only the frames tell that a connection was being opened.
        r"\bTimeoutError:?\s*\n(?s:.*)(?:\bconnect_utils\b|\bin create_connection\b|\bin open_connection\b)",
        r"\b(?:socket\.timeout|TimeoutError|timeout)(?:: |\(['\x22]?)timed out\b",
        r"java\.net\.(?:UnknownHost|Connect|SocketTimeout|NoRouteToHost)Exception|java\.net\.SocketException: (?:Connection|Broken pipe|Network)",
        r"\bsocket hang up\b|\bread timed out\b|\bSSL SYSCALL error",
        r"timed out without establishing a connection|pool timed out while waiting|Connect call failed|Cannot connect to host \S+:\d+|Timeout acquiring a connection|ConnectionAcquireTimeoutError|Could not create connection to database server|Can't reach database server|MaxRetriesPerRequestError",
        r"Can't create a connection to host \S+ and port|Failed to connect to proxy URL|\bTimeout connecting to server\b",
        r"(?:SQLSTATE|sqlstate|code|state)\W{0,5}0800[146]\b|[\x22'\[(]0800[146][\x22'\])]",
        r"HttpRequestException: .*(?:refused|known|timed out)|No such host is known|SocketException \(\d+\)",
    ])
    .matches(&[
        "Error: connect ECONNREFUSED 10.0.3.7:5432",
        "Error: getaddrinfo ENOTFOUND secretsmanager.us-east-1.amazonaws.com",
        "Error: getaddrinfo ENOTFOUND secretsmanager.eu-west-1.api.aws",
        "socket.gaierror: [Errno -2] Name or service not known",
        "TimeoutError: [Errno 110] Connection timed out",
        "dial tcp 10.0.3.7:3306: i/o timeout",
        "OSError: [Errno 113] No route to host",
        "java.net.UnknownHostException: db.example.internal",
        "socket.timeout: timed out",
        "redshift_connector.error.InterfaceError: ('communication error', TimeoutError('timed out'))",
        "connect ETIMEDOUT 10.0.3.7:443",
        "Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.0.3.7:5432",
        "redis.exceptions.TimeoutError: Timeout connecting to server\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 9, in set_secret",
        "pg8000.exceptions.InterfaceError: Can't create a connection to host db.internal and port 5432 (timeout is 5 and source_address is None).",
        "PrismaClientInitializationError: Can't reach database server at `db.example.internal:5432`",
        "Error: timeout exceeded when trying to connect",
        "[ERROR] OperationalError: (psycopg2.OperationalError) could not translate host name \"db.internal\" to address: Name or service not known\n\n(Background on this error at: https://sqlalche.me/e/20/e3q8)",
        "SqlError: (conn:-1, no: 45028, SQLState: HY000) retrieve connection from pool timeout after 10001ms",
        "failed to connect to `user=app database=orders`: hostname resolving error: lookup db.internal: no such host",
        "[ERROR] TimeoutError\nTraceback (most recent call last):\n  File \"/var/task/asyncpg/connect_utils.py\", line 1049, in _connect",
        "MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20). Refer to \"maxRetriesPerRequest\" option for details.",
    ])
    .ignores(&[
        "[INFO] connection timeout set to 5 seconds",
        "[INFO] 3 connections, 0 refused",
        "Waiting up to 30 s for the connection",
    ]),
];
