//! RDS Proxy: what it says itself, and logins refused at its endpoints.
//!
//! Source: Amazon RDS User Guide, "Troubleshooting for RDS Proxy".

use super::signature::{LineSpecificity::*, Signature, is};
use crate::model::Cause;

pub(super) const SIGNATURES: &[Signature] = &[
    is(Cause::DbThroughProxy, NamedFault, &[
        r"This RDS Proxy has no credentials for the role",
        r"The password that was provided for the role \S+ is wrong",
        r"RDS Proxy (?:supports only|could not|couldn't|cannot|can't)\b.*(?:auth|secret|password|credential)",
        r"\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com\b[^\n]*(?:password authentication failed|authentication failed|Access denied for user)",
        r"(?:password authentication failed|Access denied for user)[^\n]*\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com",
    ])
    .matches(&[
        "psycopg2.OperationalError: FATAL:  This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.",
        "OperationalError: FATAL:  The password that was provided for the role app is wrong.",
        "psycopg2.OperationalError: connection to server at \"orders.proxy-c1abc2def3gh.eu-west-1.rds.amazonaws.com\" (10.0.3.7), port 5432 failed: FATAL:  password authentication failed for user \"app\"",
        "pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.1.2' (using password: YES)\") at orders.proxy-c1abc2def3gh.eu-west-1.rds.amazonaws.com",
    ])
    .ignores(&[
        "[ERROR]\tSQL-CONNECTION-ERROR: FATAL:  This RDS Proxy requires TLS connections",
        "psycopg2.OperationalError: connection to server at \"orders.c1abc2def3gh.eu-west-1.rds.amazonaws.com\" (10.0.3.7), port 5432 failed: FATAL:  password authentication failed for user \"app\"",
        "[INFO] connected to orders.proxy-c1abc2def3gh.eu-west-1.rds.amazonaws.com",
    ]),
    // PgBouncer logs in to the server itself, and hands on that it could not. Source: PgBouncer's objects.c and `server_login_retry`.
    is(Cause::DbLoginAmbiguous, AmbiguousLogin, &[r"server login has been failing"])
        .matches(&["[ERROR] OperationalError: ERROR:  server login has been failing, try again later (server_login_retry)"])
        .ignores(&["[INFO] server login succeeded"]),
];
