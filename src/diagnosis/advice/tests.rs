use crate::diagnosis::diagnose;
use crate::diagnosis::signatures::{self, Fault, classify, faulty_samples};
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
    (Fault::CertificateForm, &[STORE, LET_IN, "\"ssl\": true", "global-bundle"]),
    (Fault::ClientCertificateRequired, &[STORE, LET_IN, "\"ssl\": true"]),
    (Fault::NotAccepting, &[STORE, DEPLOY, LET_IN]),
    (Fault::ConnectionEnded, &[STORE, DEPLOY, LET_IN]),
    (Fault::ConnectionsUsedUp, &[STORE, DEPLOY, LET_IN, "list-access-keys"]),
    (Fault::Locked, &[STORE, DEPLOY, LET_IN]),
    (Fault::ApiUserGone, &[DEPLOY, LET_IN]),
    (Fault::ApiRefused, &[STORE, DEPLOY, LET_IN, "may not perform"]),
    (Fault::ApiDatabaseGone, &[DEPLOY, LET_IN, "superuser"]),
    (Fault::ApiDatabaseDown, &[STORE, DEPLOY, LET_IN, "--timeout"]),
    (Fault::DatabaseResuming, &[STORE, DEPLOY, LET_IN]),
    (Fault::MailLogin, &[STORE, LET_IN]),
    (Fault::ServerError, &[STORE, DEPLOY, LET_IN]),
    (Fault::HostNotAllowed, &[STORE, DEPLOY, LET_IN]),
    (Fault::AddressNotAllowed, &[STORE, DEPLOY, LET_IN]),
    (Fault::NameNotResolved, &[DEPLOY, LET_IN]),
    (Fault::PortRefused, &[DEPLOY, LET_IN]),
    (Fault::BadPort, &[DEPLOY, LET_IN]),
    (Fault::BinaryValue, &[DEPLOY, LET_IN]),
    (Fault::BadCharacter, &[DEPLOY, LET_IN]),
    (Fault::BadField, &[DEPLOY, LET_IN]),
    (Fault::BadNumber, &[STORE, DEPLOY, LET_IN]),
    (Fault::BadEndpoint, &[STORE, DEPLOY, LET_IN]),
    (Fault::ModuleRemoved, &[STORE, LET_IN, "all its dependencies"]),
    (Fault::DriverApart, &[STORE, LET_IN]),
    (Fault::TmpFull, &[STORE, LET_IN, "the database itself"]),
    (Fault::DirectoryPassword, &[STORE, LET_IN, "kinit", "port 88"]),
    (Fault::DirectoryNeedsTls, &[STORE, LET_IN, "kinit", "port 88"]),
    (Fault::DirectoryAccount, &[DEPLOY, LET_IN, "kinit", "port 88"]),
    (Fault::DirectoryUserGone, &[DEPLOY, LET_IN, "kinit", "port 88"]),
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
fn every_fix_with_an_administrators_command_says_once_where_its_client_takes_the_administrator_from() {
    let clients = [
        ("service=admin", "the service \"admin\""),
        ("admin.cnf", "admin.cnf"),
        ("/@admin", "wallet"),
        ("$ADMIN_URI", "ADMIN_URI"),
    ];
    let mut faults = Vec::new();
    for (fault, line) in samples() {
        let remedy = leading(line).remediation;
        let told = format!("{} {}", remedy.summary, remedy.warning.clone().unwrap_or_default());
        for (mark, words) in clients {
            let takes = told.matches("takes the administrator").count();
            if remedy.commands.iter().any(|command| command.contains(mark)) && (!told.contains(words) || takes > 1) {
                faults.push(format!("{fault:?}: {words} {takes}: {told}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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
        if !remedy.commands.is_empty() && remedy.commands.iter().all(is_rotation) {
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

/// What would change something for others than the user or the function that the fault is about.
const NEVER: &[&str] = &[
    "PROFILE DEFAULT",
    "SET GLOBAL",
    "SET PERSIST",
    "ALTER SYSTEM",
    "modify-db-parameter-group",
    "modify-db-cluster-parameter-group",
    "reboot-db",
    "pg_terminate_backend",
];

/// What reaches further than one user, and what has to be said with it.
const WITH_A_CAUTION: &[(&str, &str)] = &[
    (" ON *.*", "ALL PRIVILEGES"),
    ("CONNECTION LIMIT -1", "set one again"),
    ("MAX_USER_CONNECTIONS 0", "set one again"),
    ("allow_connections true", "on purpose"),
    ("RESET default_transaction_read_only", "on purpose"),
    ("\" CREATEROLE", "change other roles"),
    ("--apply-immediately", "maintenance window"),
    ("DROP ", "ropped"),
    (" PROFILE rotated_by_secrets_manager", "other limits"),
    ("REVOKE rds_iam", "IAM tokens"),
];

#[test]
fn no_advice_changes_more_than_the_fault_without_a_word_about_it() {
    let mut faults = Vec::new();
    let (mut seen, mut cautioned) = (0, BTreeSet::new());
    let log = |step, text: &str| {
        let mut evidence = healthy();
        fail(&mut evidence, step, &["[INFO] connected as user rotator, using credentials in master secret", text]);
        evidence
    };
    for sample in signatures::samples() {
        let step = rotation_step(sample).unwrap_or(RotationStep::SetSecret);
        let mut single = healthy();
        fail(&mut single, step, &[sample]);
        for evidence in [single, log(step, sample)] {
            let Some(found) = diagnose(&evidence).findings.into_iter().next() else { continue };
            let warning = found.remediation.warning.unwrap_or_default();
            for command in &found.remediation.commands {
                seen += 1;
                faults.extend(NEVER.iter().filter(|word| command.contains(**word)).map(|word| format!("{word}: {sample}")));
                for (word, caution) in WITH_A_CAUTION.iter().filter(|(word, _)| command.contains(word)) {
                    cautioned.insert(*word);
                    if !warning.contains(caution) {
                        faults.push(format!("{word} without {caution:?}: {sample}\n    {command}\n    {warning}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 500 && cautioned.len() >= 6, "{seen} commands, {cautioned:?}");
}

#[test]
fn a_password_that_expired_in_oracle_is_no_reason_to_change_what_other_users_have() {
    let found = leading("[ERROR] DatabaseError: ORA-28001: the password of account \"APP\" has expired");
    let commands = found.remediation.commands.join("\n");
    assert!(commands.contains("CREATE PROFILE rotated_by_secrets_manager"), "{commands}");
    assert!(commands.contains("ALTER USER APP PROFILE rotated_by_secrets_manager"), "{commands}");
    assert!(commands.contains("dba_profiles"), "{commands}");
    assert!(found.remediation.warning.is_some_and(|warning| warning.contains("other limits")));
}

#[test]
fn a_user_that_changes_its_own_password_is_given_no_right_over_others() {
    let line = "[ERROR] OperationalError: (1045, \"Access denied for user 'app'@'%' (using password: YES)\")\nTraceback (most recent call \
                last):\n  File \"/var/task/lambda_function.py\", line 90, in set_secret\n    cur.execute(\"ALTER USER %s@'%%' IDENTIFIED BY \
                %s\", args)";
    let single = leading(line);
    assert!(!single.remediation.commands.iter().any(|command| command.contains("ON *.*")), "{single:#?}");
    let mut evidence = healthy();
    fail(&mut evidence, RotationStep::SetSecret, &["[INFO] using credentials in master secret a", line]);
    let superuser = diagnose(&evidence).findings.into_iter().next().unwrap();
    assert!(superuser.remediation.commands.iter().any(|command| command.contains("ON *.*")), "{superuser:#?}");
    assert!(superuser.remediation.warning.is_some_and(|warning| warning.contains("ALL PRIVILEGES")));
}
