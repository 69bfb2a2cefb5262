use crate::diagnosis::diagnose;
use crate::diagnosis::signatures::{Fault, classify, faulty_samples};
use crate::diagnosis::testing::{fail, healthy};
use crate::lambda_log::rotation_step;
use crate::model::{Finding, RotationStep};
use std::collections::BTreeSet;

const STORE: &str = "put-secret-value";
const DEPLOY: &str = "update-function-code";
const LET_IN: &str = "authorize-security-group";

/// What does nothing about a fault: a word of a command or of the text that must not be there.
const USELESS: &[(Fault, &[&str])] = &[
    (Fault::TokensOnly, &[STORE, DEPLOY, LET_IN, "\"ssl\""]),
    (Fault::NotAdmitted, &[STORE, DEPLOY, LET_IN]),
    (Fault::UserGone, &[DEPLOY, LET_IN]),
    (Fault::UserMayNotLogIn, &[STORE, DEPLOY, LET_IN]),
    (Fault::AccountLocked, &[STORE, DEPLOY, LET_IN]),
    (Fault::PasswordExpired, &[DEPLOY, LET_IN]),
    (Fault::MethodUnsupported, &[STORE, LET_IN]),
    (Fault::NoPasswordSent, &[DEPLOY, LET_IN]),
    (Fault::UserOfAnotherHost, &[STORE, DEPLOY, LET_IN, "Grant the user", "CREATEROLE"]),
    (Fault::UserLeftOver, &[STORE, DEPLOY, LET_IN, "Grant the user", "WITH GRANT OPTION"]),
    (Fault::GrantRefused, &[STORE, DEPLOY, LET_IN]),
    (Fault::MayNotConnect, &[STORE, DEPLOY, LET_IN, "CREATEROLE"]),
    (Fault::StatementFailed, &[STORE, DEPLOY, LET_IN]),
    (Fault::ReadOnlyHost, &[DEPLOY, LET_IN, "compared"]),
    (Fault::AnotherInstance, &[DEPLOY, LET_IN]),
    (Fault::TlsVersions, &[STORE, LET_IN, "\"ssl\": true", "\"ssl\": false"]),
    (Fault::TlsRequired, &[DEPLOY, LET_IN, "\"ssl\": false"]),
    (Fault::TlsNotOffered, &[DEPLOY, LET_IN, "\"ssl\": true"]),
    (Fault::CertificateUntrusted, &[STORE, LET_IN, "\"ssl\": true"]),
    (Fault::ClientCertificateRequired, &[STORE, LET_IN, "\"ssl\": true"]),
    (Fault::NotAccepting, &[STORE, DEPLOY, LET_IN]),
    (Fault::ConnectionEnded, &[STORE, DEPLOY, LET_IN]),
    (Fault::ConnectionsUsedUp, &[STORE, DEPLOY, LET_IN, "list-access-keys"]),
    (Fault::Locked, &[STORE, DEPLOY, LET_IN]),
    (Fault::ApiUserGone, &[DEPLOY, LET_IN]),
    (Fault::ServerError, &[STORE, DEPLOY, LET_IN]),
    (Fault::HostNotAllowed, &[STORE, DEPLOY, LET_IN]),
    (Fault::NameNotResolved, &[DEPLOY, LET_IN]),
    (Fault::PortRefused, &[DEPLOY, LET_IN]),
    (Fault::BadPort, &[DEPLOY, LET_IN]),
    (Fault::BinaryValue, &[DEPLOY, LET_IN]),
    (Fault::BadCharacter, &[DEPLOY, LET_IN]),
    (Fault::BadField, &[DEPLOY, LET_IN]),
    (Fault::BadNumber, &[STORE, DEPLOY, LET_IN]),
    (Fault::BadEndpoint, &[STORE, DEPLOY, LET_IN]),
    (Fault::NoCurrentVersion, &[DEPLOY, LET_IN]),
    (Fault::PendingNeverStored, &[STORE, LET_IN]),
    (Fault::KindChanged, &[DEPLOY, LET_IN]),
    (Fault::TokenMakingOff, &[STORE, DEPLOY, LET_IN]),
    (Fault::KeytabPrincipals, &[DEPLOY, LET_IN]),
    (Fault::KeytabInvalid, &[DEPLOY, LET_IN]),
    (Fault::EmptyName, &[DEPLOY, LET_IN]),
    (Fault::PermissionUnknown, &[STORE, LET_IN]),
    (Fault::TagInvalid, &[DEPLOY, LET_IN]),
];

/// Lines of faults that no entry names, but the way a connection did not open.
const UNNAMED: &[(Fault, &str)] = &[
    (
        Fault::NameNotResolved,
        "psycopg2.OperationalError: could not translate host name \"db.internal\" to address: Name or service not known",
    ),
    (
        Fault::NameNotResolved,
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' ([Errno -2] Name or service not known)\")",
    ),
    (Fault::NameNotResolved, "Error: getaddrinfo ENOTFOUND db.internal"),
    (Fault::PortRefused, "Error: connect ECONNREFUSED 10.0.3.7:5432"),
    (
        Fault::PortRefused,
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")",
    ),
    (Fault::PortRefused, "ORA-12541: TNS:no listener"),
];

fn samples() -> impl Iterator<Item = (Fault, &'static str)> {
    faulty_samples().chain(UNNAMED.iter().copied())
}

/// The finding that leads where the function fails with `line`.
fn leading(line: &str) -> Finding {
    let step = rotation_step(line).unwrap_or(RotationStep::SetSecret);
    let mut evidence = healthy();
    fail(&mut evidence, step, &[line]);
    diagnose(&evidence).findings.into_iter().next().unwrap()
}

#[test]
fn every_fault_has_samples_and_a_list_of_what_does_nothing_about_it() {
    let sampled: BTreeSet<String> = samples().map(|(fault, _)| format!("{fault:?}")).collect();
    let listed: BTreeSet<String> = USELESS.iter().map(|(fault, _)| format!("{fault:?}")).collect();
    let all: BTreeSet<String> = Fault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
    assert_eq!(sampled, all);
    assert_eq!(listed, all);
}

#[test]
fn each_fix_holds_for_its_fault_and_nothing_in_it_is_useless() {
    let mut faults = Vec::new();
    for (fault, line) in samples() {
        let found = leading(line);
        let expected = classify(line).unwrap();
        let mut complain = |what: String| faults.push(format!("{fault:?}: {what}: {line}\n    {found:?}"));
        if (found.cause, expected.fault) != (expected.cause, Some(fault)) {
            complain(format!("is read as {:?}", expected.fault));
            continue;
        }
        let remedy = &found.remediation;
        if found.title == found.cause.title() {
            complain("has no title of its own".to_owned());
        }
        let is_rotation = |command: &String| command.contains("rotate-secret") && !command.contains("--rotation-lambda-arn");
        if remedy.commands.iter().all(is_rotation) {
            complain("rotating alone mends nothing".to_owned());
        }
        if remedy.commands.iter().any(|command| command.contains("--runtime")) {
            complain("a runtime mends nothing".to_owned());
        }
        let stores = remedy.commands.iter().any(|command| command.contains(STORE));
        let keeps = !remedy.commands.iter().any(|command| command.contains("--remove-from-version-id"));
        if stores && keeps && rotation_step(line).is_none() {
            complain("the pending version keeps the old value".to_owned());
        }
        let said = format!("{}\n{}\n{}\n{}", found.title, found.explanation, remedy.summary, remedy.commands.join("\n"));
        let useless = USELESS.iter().filter(|(of, _)| *of == fault).flat_map(|(_, words)| *words);
        for word in useless.chain(&["previous package", "  ", "USER_NAME", "user user"]) {
            if said.contains(word) {
                complain(format!("says {word:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_statement_names_the_account_that_the_line_names() {
    for (line, command) in [
        (
            "psycopg2.OperationalError: FATAL:  PAM authentication failed for user \"orders_app\"",
            "psql --dbname 'service=admin' --command 'REVOKE rds_iam FROM \"orders_app\"'",
        ),
        (
            "[ERROR] OperationalError: (1141, \"There is no such grant defined for user 'appuser' on host '%'\")",
            "mysql '--defaults-extra-file=admin.cnf' --execute \"SELECT user, host FROM mysql.user WHERE user = 'appuser'\"",
        ),
    ] {
        let commands = leading(line).remediation.commands;
        assert!(commands.iter().any(|found| found == command), "{commands:#?}");
    }
}
