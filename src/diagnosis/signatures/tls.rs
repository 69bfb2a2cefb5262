//! TLS between the function and the target.

use super::line::Line;
use super::signature::{Signature, Specificity::*, depends, is};
use crate::model::Cause;

/// A certificate that fails names the peer: a database, or an HTTP API.
fn certificate(line: &Line<'_>) -> Option<Cause> {
    let web = ["https://", "HTTPSConnection", "requests.exceptions", "urlopen", "axios", "fetch failed"]
        .iter()
        .any(|word| line.text.contains(word));
    Some(match web {
        true => super::network::unreachable_peer(line)?,
        false => Cause::DbSslMismatch,
    })
}

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbHostnameVerification, NamedFault, &[
        r"Hostname verification failed",
        r"Hostname mismatch, certificate is not valid for",
        r"hostname '[^']*' doesn't match|hostname \S+ doesn't match either of",
        r"server certificate for .{1,160} does not match host name",
        r"Hostname/IP does not match certificate's altnames|ERR_TLS_CERT_ALTNAME_INVALID",
        r"certificate is valid for .*, not ",
        r"hostname \S+ could not be verified|SSLPeerUnverifiedException",
        r"No (?:subject alternative (?:DNS )?names?|name) matching",
        r"ServerHostname.*hostnameInCertificate|RemoteCertificateNameMismatch",
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
    is(Cause::DbSslMismatch, NamedFault, &[
        r"(?:SSL|TLS) is (?:enforced|not enabled|required|mandatory) (?:on|by|for) the (?:host|server|cluster|database)",
        r"connection requires a valid client certificate|certificate authentication failed",
        r"(?:pg_hba\.conf|pg) (?:entry|rejects connection) for host.*(?:no encryption|SSL off)",
        r"pg_hba\.conf.*(?:no encryption|SSL off)",
        r"requires? (?:a )?(?:TLS|SSL|secure|encrypted) (?:connection|transport)|require_secure_transport|insecure transport are prohibited",
        r"server does not support SSL|server doesn't support SSL|does not support SSL connections",
        r"SSL connection (?:is required|error)|SSL connection has been closed unexpectedly|SSL is required|connection requires SSL|server requires encryption",
        r"\bDPY-600[0-9]\b.*(?:SSL|EOF|protocol|TLS)",
        r"EOF occurred in violation of protocol|first record does not look like a TLS handshake|SSLParamsException|TLS connection error",
        r"\(2026,|\bERROR 2026\b|CR_SSL_CONNECTION_ERROR|HANDSHAKE_SSL_ERROR|HANDSHAKE_NO_SSL_SUPPORT",
        r"\b(?:TLSV1_ALERT|SSLV3_ALERT|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|DH_KEY_TOO_SMALL|UNKNOWN_PROTOCOL|NO_PROTOCOLS_AVAILABLE)\b",
        r"\btlsv1 alert\b|wrong version number|unsupported protocol|no protocols available|alert handshake failure",
        r"(?:SSL|TLS) handshake (?:failed|failure|error)|establish SSL/TLS handshake|SSLHandshakeException|handshake_failure",
        r"No appropriate protocol \(protocol is disabled or cipher suites are inappropriate\)",
        r"3159\b.*insecure transport|ORA-28759|ORA-28860|ORA-28864|ORA-29024|ORA-29019",
        r"The target principal name is incorrect|pre-login handshake|driver could not establish a secure connection",
        r"Adaptive Server connection failed.*SSL|encryption(?: is)? (?:required|not supported)",
        r"sslmode value \S+ invalid|root certificate file .* does not exist",
    ])
    .matches(&[
        "[ERROR]\tSQL-CONNECTION-ERROR: FATAL:  This RDS Proxy requires TLS connections",
        "FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", no encryption",
        "psycopg2.OperationalError: FATAL:  no pg_hba.conf entry for host \"10.0.1.2\", user \"app\", database \"app\", SSL off",
        "pymysql.err.OperationalError: (3159, 'Connections using insecure transport are prohibited while --require_secure_transport=ON.')",
        "pymysql.err.OperationalError: (2026, 'SSL connection error: unknown error number')",
        "server does not support SSL, but SSL was required",
        "tls: first record does not look like a TLS handshake",
        "pymongo.errors.ServerSelectionTimeoutError: SSL handshake failed: db.example.internal:27017: [SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:1129)",
        "javax.net.ssl.SSLHandshakeException: No appropriate protocol (protocol is disabled or cipher suites are inappropriate)",
        "DPY-6005: cannot connect to database (CONNECTION_ID=x). EOF occurred in violation of protocol (_ssl.c:1147)",
    ])
    .ignores(&[
        "[INFO] Successfully established SSL/TLS connection as user 'app' with host: 'db.example.internal'",
        "[INFO] SSL handshake completed",
    ]),
    depends(certificate, NamedFault, &[
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        r"self[- ]signed certificate(?: in certificate chain)?|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT",
        r"unable to (?:get|find) (?:local issuer|valid) certific",
        r"x509: certificate (?:signed by unknown authority|has expired)",
        r"PKIX path building failed|SunCertPathBuilderException",
        r"certificate chain was issued by an authority that is not trusted|remote certificate (?:is|was) (?:invalid|rejected)",
    ])
    .matches(&[
        "Error: self signed certificate in certificate chain",
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.example.com', port=443): Max retries exceeded with url: /v1 (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)')))",
        "psycopg2.OperationalError: SSL error: certificate verify failed",
    ])
    .ignores(&["[INFO] certificate verified"]),
];
