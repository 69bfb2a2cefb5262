//! TLS between the function and the target.

use super::fault::Fault;
use super::line::Line;
use super::signature::{LineSpecificity::*, Signature, depends, is};
use crate::model::Cause;

/// A certificate that fails names the peer: a database, or an HTTP API.
fn certificate(line: &Line<'_>) -> Option<Cause> {
    let web = ["HTTPSConnection", "requests.exceptions", "urlopen", "axios", "fetch failed"];
    Some(match web.iter().any(|word| line.event.contains(word)) || super::network::names_a_url(line.event) {
        true => super::network::unreachable_peer(line)?,
        false => Cause::DbSslMismatch,
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    // MongoDB Atlas breaks off the handshake with an address that is not on its list.
    is(Cause::TargetServiceError, NamedFault, &[
        r"\.mongodb\.net\b.{0,160}(?:TLSV1_ALERT_INTERNAL_ERROR|tlsv1 alert internal error)",
    ])
    .engine("mongodb")
    .fault(Fault::AddressNotAllowed)
    .matches(&["pymongo.errors.ServerSelectionTimeoutError: ac-1-shard-00-00.abcde.mongodb.net:27017: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1006)"])
    .ignores(&["pymongo.errors.ServerSelectionTimeoutError: SSL handshake failed: db.example.internal:27017: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1129)"]),
    is(Cause::DbHostnameVerification, NamedFault, &[
        r"Hostname verification failed",
        r"(?:Hostname|IP address) mismatch, certificate is not valid for",
        r"hostname '[^']*' doesn't match|hostname \S+ doesn't match either of",
        r"server certificate for .{1,160} does not match host name",
        r"Hostname/IP does not match certificate's altnames|ERR_TLS_CERT_ALTNAME_INVALID",
        r"certificate is valid for .*, not ",
        r"hostname \S+ could not be verified|SSLPeerUnverifiedException",
        r"No (?:subject alternative (?:DNS )?names?|name) matching|The name in the certificate does not match",
        r"ServerHostname.*hostnameInCertificate|RemoteCertificateNameMismatch",
        r"certificate (?:validation|verification) failed: .{0,40}host ?name",
        r"DPY-600[26]|ORA-29002|server DN .* does not match",
    ])
    .matches(&[
        "[ERROR] Hostname verification failed when estlablishing SSL/TLS Handshake with host: db.example.internal",
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'db.example.internal'. (_ssl.c:1006)",
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: db.example.internal. is not in the cert's altnames",
        "server certificate for \"*.c1.eu-west-1.rds.amazonaws.com\" (and 1 other name) does not match host name \"db.example.internal\"",
        "x509: certificate is valid for *.rds.amazonaws.com, not db.example.internal",
        "org.postgresql.util.PSQLException: The hostname db.example.internal could not be verified by hostnameverifier PgjdbcHostnameVerifier.",
    ])
    .ignores(&["[INFO] hostname verification succeeded"]),
    // libpq's second try goes without TLS; what it is told is not the answer to the first.
    is(Cause::DbSslMismatch, NamedFault, &[
        r"(?:pg_hba\.conf|pg) (?:entry|rejects connection) for host.*(?:no encryption|SSL off)",
        r"pg_hba\.conf.*(?:no encryption|SSL off)",
    ])
    .fallback()
    .fault(Fault::TlsRequired)
    .matches(&[
        "FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", no encryption",
        "psycopg2.OperationalError: FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", SSL off",
    ])
    .ignores(&["FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", SSL encryption"]),
    is(Cause::DbSslMismatch, NamedFault, &[
        r"connection requires a valid client certificate|certificate authentication failed|SSLV3_ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE)|tlsv1(?:\.3|3)? alert certificate required",
        r"certificate required\b.*alert|remote error: tls: (?:certificate required|bad certificate)",
    ])
    .fault(Fault::ClientCertificateRequired)
    .matches(&[
        "FATAL:  connection requires a valid client certificate",
        "remote error: tls: certificate required",
    ])
    .ignores(&["[INFO] client certificate accepted"]),
    is(Cause::DbSslMismatch, NamedFault, &[
        r"\b(?:TLSV1_ALERT_PROTOCOL_VERSION|TLSV1_ALERT_INSUFFICIENT_SECURITY|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|NO_SHARED_CIPHER|DH_KEY_TOO_SMALL|WRONG_SSL_VERSION|SSLV3_ALERT_HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE|LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED)\b",
        r"\bEE_KEY_TOO_SMALL\b|\bCA_MD_TOO_WEAK\b|ee key too small|ca md too weak|dh key too small|no shared cipher|inappropriate fallback",
        r"alert protocol version|unsupported protocol\b|no protocols available|alert handshake failure|\bhandshake_failure\b|protocol_version\b|wrong ssl version",
        r"No appropriate protocol \(protocol is disabled or cipher suites are inappropriate\)|server selected unsupported protocol version|protocol version not supported|selected protocol version \S+ is not accepted by client",
        r"(?:client|server|remote).{0,40}(?:offered only unsupported versions|requested protocol not supported|no cipher suite supported by both)|ORA-28860",
        r"received (?:fatal )?alert: (?:handshake_failure|protocol_version|insufficient_security)|TLS version .{0,40}(?:not supported|is not enabled)|ERR_SSL_UNSUPPORTED_PROTOCOL|ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    ])
    .fault(Fault::TlsVersions)
    .matches(&[
        "[ERROR] SSLError: [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1056)",
        "javax.net.ssl.SSLHandshakeException: No appropriate protocol (protocol is disabled or cipher suites are inappropriate)",
        "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:1006)",
        "remote error: tls: protocol version not supported",
        "SSL error: sslv3 alert handshake failure",
        "javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version",
    ])
    .ignores(&["[INFO] protocol version 3 in use"]),
    is(Cause::DbSslMismatch, NamedFault, &[
        r"(?:SSL|TLS) is not enabled (?:on|by|for) the (?:host|server|cluster|database)|check that SSL/TLS is enabled on the host",
        r"server (?:does not|doesn't) support (?:SSL|TLS)|server refused (?:SSL|TLS) connection|does not support SSL connections|HANDSHAKE_NO_SSL_SUPPORT",
        r"first record does not look like a TLS handshake|\bWRONG_VERSION_NUMBER\b|wrong version number|received invalid response to SSL negotiation",
        r"SSL is not enabled on the server|encryption(?: is)? not supported|No SSL enabled connection from this host is configured",
        r"\bServer refuses SSL\b|\brejected SSL upgrade\b|(?:Unsupported or unrecognized|Unrecognized) SSL message",
        r"(?:SSL|TLS) is required,? but the server (?:does not|doesn't) support",
    ])
    .fault(Fault::TlsNotOffered)
    .matches(&[
        "server does not support SSL, but SSL was required",
        "tls: first record does not look like a TLS handshake",
        "[ERROR] Unable to establish SSL/TLS handshake, SSL/TLS is not enabled on the host: db.example.internal",
        "Error: The server does not support SSL connections",
        "failed to connect to `user=app database=orders`: 10.0.3.9:5432 (db.example.internal): tls error: server refused TLS connection",
    ])
    .ignores(&["[INFO] the server supports SSL"]),
    is(Cause::DbSslMismatch, NamedFault, &[
        r"(?:SSL|TLS) is (?:enforced|required|mandatory) (?:on|by|for) the (?:host|server|cluster|database)",
        r"requires? (?:a )?(?:TLS|SSL|secure|encrypted) (?:connection|transport)|require_secure_transport|insecure transport are prohibited",
        r"SSL connection is required|SSL is required|connection requires SSL|server requires encryption|encryption(?: is)? required",
        r"3159\b.*insecure transport",
    ])
    .fault(Fault::TlsRequired)
    .matches(&[
        "[ERROR]\tSQL-CONNECTION-ERROR: FATAL:  This RDS Proxy requires TLS connections",
        "pymysql.err.OperationalError: (3159, 'Connections using insecure transport are prohibited while --require_secure_transport=ON.')",
        "[ERROR] Unable to establish SSL/TLS handshake, SSL/TLS is enforced on the host: db.example.internal",
    ])
    .ignores(&["[INFO] Successfully established SSL/TLS connection as user 'app' with host: 'db.example.internal'"]),
    // Before the entry of certificates that nobody trusts. Source: OpenSSL's x509_txt.c; Python 3.13 asks for X.509's strict form.
    depends(certificate, NamedFault, &[
        r"certificate verify failed: (?:Missing (?:Authority|Subject) Key Identifier|(?:Authority|Subject) Key Identifier (?:marked critical|is missing)|Basic Constraints of CA cert not marked critical|CA cert does not include key usage extension|Path ?length invalid|(?:EE|CA) (?:certificate key|md|signature digest algorithm) too (?:weak|small))",
        r"\b(?:EE|CA)_(?:KEY|MD)_TOO_(?:SMALL|WEAK)\b",
    ])
    .fault(Fault::CertificateForm)
    .matches(&[
        "[ERROR] SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Missing Authority Key Identifier (_ssl.c:1028)",
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: EE certificate key too weak (_ssl.c:1076)",
    ])
    .ignores(&["[INFO] Missing Authority Key Identifier is no error here"]),
    // Before the handshake's entry, which knows only that it failed.
    depends(certificate, NamedFault, &[
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        r"self[- ]signed certificate(?: in certificate chain)?|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT",
        r"unable to (?:get|find) (?:local issuer|valid) certific",
        r"x509: certificate (?:signed by unknown authority|has expired)",
        r"PKIX path (?:building|validation) failed|SunCertPathBuilderException|Certificate(?:Expired|NotYetValid)Exception",
        r"The certificate is NOT trusted|root certificate file .{1,200} does not exist|Could not open SSL root certificate file",
        r"certificate chain was issued by an authority that is not trusted|remote certificate (?:is|was) (?:invalid|rejected)",
    ])
    .fault(Fault::CertificateUntrusted)
    .matches(&[
        "Error: self signed certificate in certificate chain",
        "javax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed",
        "(2026, 'TLS/SSL error: Certificate verification failure: The certificate is NOT trusted.')",
        "org.postgresql.util.PSQLException: Could not open SSL root certificate file /root/.postgresql/root.crt.",
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1 (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)')))",
        "psycopg2.OperationalError: SSL error: certificate verify failed",
    ])
    .ignores(&["[INFO] certificate verified"]),
    is(Cause::DbSslMismatch, NamedFault, &[
        r"SSL connection error",
        r"\bDPY-600[0-9]\b.*(?:SSL|EOF|protocol|TLS)",
        r"EOF occurred in violation of protocol|SSLParamsException|TLS connection error",
        r"\(2026, [b\x22'\\]|\bERROR 2026\b|CR_SSL_CONNECTION_ERROR|HANDSHAKE_SSL_ERROR",
        r"\b(?:TLSV1_ALERT|SSLV3_ALERT|UNKNOWN_PROTOCOL)|\btlsv1 alert\b",
        r"\bSSL Authentication Error\b",
        r"(?:SSL|TLS) handshake (?:failed|failure|error)|establish SSL/TLS handshake|SSLHandshakeException",
        r"ORA-28759|ORA-28864|ORA-29024|ORA-29019",
        r"The target principal name is incorrect|(?:during the|SSL) pre-login handshake|driver could not establish a secure connection",
        r"Adaptive Server connection failed.*SSL",
        r"sslmode value \S+ invalid|unsupported sslmode",
    ])
    .matches(&[
        "pymysql.err.OperationalError: (2026, 'SSL connection error: unknown error number')",
        "pymongo.errors.ServerSelectionTimeoutError: SSL handshake failed: db.example.internal:27017: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1129)",
        "DPY-6005: cannot connect to database (CONNECTION_ID=x). EOF occurred in violation of protocol (_ssl.c:1147)",
    ])
    .ignores(&[
        "[INFO] Successfully established SSL/TLS connection as user 'app' with host: 'db.example.internal'",
        "[INFO] SSL handshake completed",
        "Microsoft.Data.SqlClient.SqlException (0x80131904): Connection Timeout Expired.  The timeout period elapsed while attempting to consume the pre-login handshake acknowledgement.",
    ]),
];
