//! MongoDB, DocumentDB, Cassandra, OpenSearch and Elasticsearch.

use super::fault::Fault;
use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DependencyApiChanged, NamedFault, &[
        r"reports (?:maximum |minimum )?wire version \d+, but this version of",
        r"Unsupported OP_QUERY command|The client driver may require an upgrade",
    ])
    .engine("mongodb")
    .fault(Fault::DriverApart)
    .matches(&[
        "pymongo.errors.ConfigurationError: Server at db.example.internal:27017 reports wire version 6, but this version of PyMongo requires at least 7 (MongoDB 4.0).",
        "MongoCompatibilityError: Server at db.example.internal:27017 reports maximum wire version 6, but this version of the Node.js Driver requires at least 8 (MongoDB 4.2)",
        "pymongo.errors.OperationFailure: Unsupported OP_QUERY command: isMaster. The client driver may require an upgrade.",
    ])
    .ignores(&["[INFO] the server's wire version is 21"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"(?:UserNotFound|User '?[^']+'? not found|Could not find user \x22?\w+).*(?:updateUser|code\W+11\b|@|for db)",
    ])
    .engine("mongodb")
    .fault(Fault::UserGone)
    .matches(&["pymongo.errors.OperationFailure: User app@admin not found, full error: {'ok': 0.0, 'code': 11, 'codeName': 'UserNotFound'}"])
    .ignores(&["[INFO] user app@admin found"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"User \\?\x22?[^\s\x22]+\\?\x22? already exists|\b51003\b.*exists"])
        .engine("mongodb")
        .fault(Fault::UserLeftOver)
        .matches(&["pymongo.errors.OperationFailure: User \"app_clone@admin\" already exists, full error: {'ok': 0.0, 'code': 51003}"])
        .ignores(&["[INFO] index app_1 already exists"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"not authorized on \w+ to execute command|user is not allowed to do action|'?codeName'?\W+Unauthorized\b|OperationFailure: Authorization failure|errmsg\W{1,5}Authorization failure",
    ])
    .engine("mongodb")
    .matches(&[
        "pymongo.errors.OperationFailure: not authorized on admin to execute command { updateUser: \"app\" }, full error: {'ok': 0.0, 'code': 13, 'codeName': 'Unauthorized'}",
        "MongoServerError: user is not allowed to do action [updateUser] on [admin.]",
        "OperationFailure: Authorization failure, full error: {'ok': 0.0, 'code': 13}",
    ])
    .ignores(&["[INFO] user app authorized on admin"]),
    // DocumentDB and MongoDB each have mechanisms that the other one's drivers ask for by default.
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Unsupported mechanism \[|(?:Mechanism|mechanism) \S+ (?:is not (?:supported|enabled)|not supported)|code\W+334\b|MechanismUnavailable",
    ])
    .engine("mongodb")
    .fault(Fault::MethodUnsupported)
    .matches(&["pymongo.errors.OperationFailure: Unsupported mechanism [ -301 ], full error: {'ok': 0.0, 'code': 303}"])
    .ignores(&["[INFO] mechanism SCRAM-SHA-1 in use"]),
    // A connection string takes some characters only in their escaped form.
    is(Cause::DbPasswordPolicyOrChars, NamedFault, &[
        r"Username and password must be escaped according to RFC 3986|(?:Password|Username) contains (?:unescaped|illegal) characters|must be URL encoded",
    ])
    .engine("mongodb")
    .matches(&["pymongo.errors.InvalidURI: Username and password must be escaped according to RFC 3986, use urllib.parse.quote_plus"])
    .ignores(&["[INFO] the password is escaped"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"DNS query name does not exist: |query(?:Srv|Txt) E(?:NOTFOUND|TIMEOUT|SERVFAIL)|No SRV records|The resolution lifetime expired",
    ])
    .engine("mongodb")
    .fault(Fault::NameNotResolved)
    .matches(&[
        "pymongo.errors.ConfigurationError: The DNS query name does not exist: _mongodb._tcp.cluster0.abcde.mongodb.net.",
        "Error: querySrv ENOTFOUND _mongodb._tcp.cluster0.abcde.mongodb.net",
    ])
    .ignores(&["[INFO] 3 SRV records"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"OperationFailure: (?:Authentication failed|bad auth)|MongoServerError: (?:Authentication failed|bad auth)|MongoError: (?:Authentication failed|auth failed|bad auth)",
        r"'?code'?: ?18\b.*Authentication|'?codeName'?\W+AuthenticationFailed|bad auth\b.{0,4}[Aa]uthentication failed|MongoSecurityException|\(AuthenticationFailed\)|not authorized: AuthenticationFailed|sasl conversation error|SCRAM.{0,20}authentication failed, storedKey mismatch",
    ])
    .engine("mongodb")
    .matches(&[
        "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0, 'errmsg': 'Authentication failed.', 'code': 18, 'codeName': 'AuthenticationFailed'}",
        "MongoServerError: bad auth : Authentication failed.",
        "MongoError: auth failed",
        "com.mongodb.MongoSecurityException: Exception authenticating MongoCredential{mechanism=SCRAM-SHA-1, userName='app'}",
    ])
    .ignores(&["[INFO] authentication with MongoDB succeeded"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[
        r"ServerSelectionTimeoutError|Mongo(?:ose)?ServerSelectionError|MongoNetwork(?:Timeout)?Error|MongoTimeoutException|pymongo\.errors\.(?:AutoReconnect|NetworkTimeout|ConnectionFailure)|\b(?:AutoReconnect|NetworkTimeout): ",
        r"No replica set members (?:found|available)|server selection (?:error|timeout)",
    ])
    .engine("mongodb")
    .matches(&[
        "pymongo.errors.ServerSelectionTimeoutError: db.example.internal:27017: timed out, Timeout: 5.0s, Topology Description: <TopologyDescription id: x>",
        "MongoServerSelectionError: connection timed out",
    ])
    .ignores(&["[INFO] server selected: db.example.internal:27017"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"Provided username \S* ?and/or password are incorrect|AuthenticationFailed\('?Failed to authenticate|Failed to authenticate to \S+: Error from server: code=0100|Bad credentials.*cassandra",
    ])
    .engine("cassandra")
    .matches(&["cassandra.cluster.NoHostAvailable: ('Unable to connect to any servers', {'10.0.1.2:9042': AuthenticationFailed('Failed to authenticate to 10.0.1.2:9042: Error from server: code=0100 [Bad credentials] message=\"Provided username app and/or password are incorrect\"')})"])
    .ignores(&["[INFO] authenticated to 10.0.1.2:9042"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"code=2200 \[Invalid query\] message=\\?\x22\S+ doesn't exist"])
        .engine("cassandra")
        .fault(Fault::UserGone)
        .matches(&["cassandra.InvalidRequest: Error from server: code=2200 [Invalid query] message=\"app doesn't exist\""])
        .ignores(&["[INFO] role app doesn't exist yet"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[r"code=2100 \[Unauthorized\]|User \S+ has no (?:ALTER|CREATE|AUTHORIZE) permission"])
        .engine("cassandra")
        .matches(&["cassandra.Unauthorized: Error from server: code=2100 [Unauthorized] message=\"User app has no ALTER permission on <role app> or any of its parents\""])
        .ignores(&["[INFO] role app has ALTER permission"]),
    is(Cause::DbNetworkUnreachable, NamedFault, &[r"NoHostAvailable|Unable to connect to any servers|AllNodesFailedException"])
        .engine("cassandra")
        .matches(&["cassandra.cluster.NoHostAvailable: ('Unable to connect to any servers', {'10.0.1.2:9042': OperationTimedOut('errors=None, last_host=None')})"])
        .ignores(&["[INFO] connected to 3 hosts"]),
    is(Cause::DbAuthFailed, NamedFault, &[
        r"(?:elasticsearch|opensearch)\S*(?:AuthenticationException|AuthorizationException\(401)|Authentication(?:Exception)?\(401|TransportError\(401|unable to authenticate user \[|missing authentication credentials for REST request",
    ])
    .engine("opensearch")
    .matches(&["elasticsearch.AuthenticationException: AuthenticationException(401, 'security_exception', 'unable to authenticate user [app] for REST request [/]')"])
    .ignores(&["[INFO] user [app] authenticated"]),
    is(Cause::DbPermissionInsufficient, NamedFault, &[
        r"AuthorizationException\(403|is unauthorized for user \[|no permissions for \[\S+\] and User",
    ])
    .engine("opensearch")
    .matches(&["opensearchpy.exceptions.AuthorizationException: AuthorizationException(403, 'security_exception', 'no permissions for [cluster:admin/opendistro] and User [name=app]')"])
    .ignores(&["[INFO] permissions for [indices:data/read] found"]),
];
