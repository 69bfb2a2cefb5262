//! Verdicts that rest on a line of the function's log.

use super::login::{self, Answer};
use crate::diagnosis::context::{Failure, LogMatch};
use crate::diagnosis::{DiagnosisContext, Rule, Verdict, advice};
use crate::model::{Cause, Confidence, Finding, Remediation};

/// The verdict on a cause that a log line names; `tell` gives the explanation and the remediation.
pub(in crate::diagnosis) fn by_log(
    context: &DiagnosisContext<'_>,
    rule: &Rule,
    tell: impl FnOnce(&LogMatch<'_, '_>) -> (String, Remediation),
) -> Verdict {
    let Some(seen) = context.seen(rule.cause) else { return not_said(context, rule) };
    let (explanation, remediation) = tell(&seen);
    said(context, rule.cause, &seen, explanation, remediation).into()
}

/// The finding that rests on a failing invocation's decisive line.
pub(in crate::diagnosis) fn said(
    context: &DiagnosisContext<'_>,
    cause: Cause,
    seen: &LogMatch<'_, '_>,
    explanation: String,
    remediation: Remediation,
) -> Finding {
    let own = seen.read.classification.fault.filter(|_| seen.read.classification.cause == cause);
    let (title, mut explanation, remediation) = match own.map(|fault| advice::on(fault, context, seen)) {
        Some(advice) => (advice.title, advice.explanation, advice.remediation),
        None => (context.behind().title(cause), explanation, remediation),
    };
    let mut confidence = seen.confidence(context);
    if seen.count > 1 {
        explanation.push_str(&format!(" {} failing invocations show it.", seen.count));
    }
    if !seen.is_latest {
        confidence = confidence.min(Confidence::Likely);
        explanation.push_str(" The newest failing invocation says something else.");
    }
    let mut finding = context.finding(cause, confidence, explanation, seen.proofs(context), remediation);
    finding.title = title;
    finding
}

/// The verdict on a cause that no failing invocation names: clear only when the invocations say something else.
pub(in crate::diagnosis) fn not_said(context: &DiagnosisContext<'_>, rule: &Rule) -> Verdict {
    let readable = context.rotates_by_function() && context.evidence.logs.observation.missing().is_none();
    let Some(newest) = context.failures.last().filter(|_| readable) else {
        let cut_short = readable && context.failing.is_some() && context.evidence.logs.found().is_some_and(|logs| !logs.complete);
        return if cut_short { Verdict::unknown("only part of the function's log was read") } else { context.not_in_logs() };
    };
    if rule.hidden_by_login && login_is_open(newest) {
        return Verdict::unknown("the database's answer, which the function does not log");
    }
    match newest.most_specific_line() {
        Some(read) => {
            let title = context.behind().title(read.classification.cause);
            Verdict::clear(format!("the newest failing invocation says: {title}"))
        }
        None if newest.timed_out() => Verdict::clear("the newest failing invocation ran into its timeout and logged no error"),
        None => Verdict::unknown("the newest failing invocation does not say why it failed"),
    }
}

fn login_is_open(failure: &Failure<'_>) -> bool {
    login::is_ambiguous(failure) && login::answer(failure) != Answer::None
}

/// Causes that facts of the secret, the function or the region decide; a line that names one where they do not explains nothing.
pub(in crate::diagnosis) fn is_judged_by_state(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::RotationDisabled
            | Cause::RotationNoLambdaArn
            | Cause::LambdaFunctionMissing
            | Cause::StuckAwspending
            | Cause::ScheduleWrongOrOverdue
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, facts, fail, finding, healthy};
    use crate::model::{Evidence, Outcome, RotationStep, StepName};
    use RotationStep::{CreateSecret, SetSecret, TestSecret};

    /// One line for each cause that a line alone decides.
    const LINES: &[(Cause, RotationStep, &str)] = &[
        (Cause::DbAuthFailed, SetSecret, "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\""),
        (Cause::DbSslMismatch, SetSecret, "[ERROR]\tSQL-CONNECTION-ERROR: FATAL:  This RDS Proxy requires TLS connections"),
        (
            Cause::DbHostnameVerification,
            SetSecret,
            "[ERROR]\t2026-03-10T11:00:00.000Z\tr1\tHostname verification failed when estlablishing SSL/TLS Handshake with host: db.example.internal",
        ),
        (Cause::DbScramLibpqOld, SetSecret, "[ERROR] OperationalError: SCRAM authentication requires libpq version 10 or above"),
        (
            Cause::DbNativeEncryptionUnsupported,
            SetSecret,
            "[ERROR] NotSupportedError: DPY-3001: Native Network Encryption and Data Integrity is only supported in \
             python-oracledb thick mode",
        ),
        (Cause::DbNameMissing, SetSecret, "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist"),
        (Cause::DbPermissionInsufficient, SetSecret, "[ERROR] InsufficientPrivilege: must be superuser to alter superusers"),
        (
            Cause::DbPasswordPolicyOrChars,
            SetSecret,
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' \
             may be used. (Service: AmazonRDS; Status Code: 400; Error Code: InvalidParameterValue)",
        ),
        (
            Cause::DbHostMismatchReplica,
            SetSecret,
            "[ERROR] ValueError: Attempting to modify user for host a.example.internal other than current host b.example.internal",
        ),
        (
            Cause::SecretUsernameChanged,
            SetSecret,
            "[ERROR] ValueError: Attempting to modify user app_b other than current user app_a",
        ),
        (
            Cause::UsernameTooLongForClone,
            CreateSecret,
            "[ERROR] ValueError: Unable to clone user, username length with _clone appended would exceed 16 characters",
        ),
        (
            Cause::TargetServiceLimit,
            CreateSecret,
            "botocore.errorfactory.LimitExceededException: An error occurred (LimitExceeded) when calling the CreateAccessKey \
             operation: Cannot exceed quota for AccessKeysPerUser: 2",
        ),
        (
            Cause::DirectoryKinitFailed,
            SetSecret,
            "[ERROR]\t2026-03-10T11:00:00.000Z\tr1\tFailed to create keytab with new password",
        ),
        (
            Cause::SuperuserMetadataNotFound,
            SetSecret,
            "[ERROR] ValueError: arn:aws:rds:eu-west-1:123456789012:cluster:gone is not a valid DB Cluster ARN. No Clusters found \
             when using DescribeDBClusters RDS API to get connection params.",
        ),
        (Cause::SecretJsonKeyMissing, CreateSecret, "[ERROR] KeyError: 'password key is missing from secret JSON'"),
        (
            Cause::SecretJsonEngineWrong,
            CreateSecret,
            "[ERROR] KeyError: \"Database engine must be set to 'postgres' in order to use this rotation lambda\"",
        ),
        (Cause::SecretJsonInvalid, CreateSecret, "[ERROR] ValueError: Invalid secret value json for secret x."),
        (Cause::SecretMasterarnMissing, SetSecret, "[ERROR] KeyError: 'masterarn'"),
        (
            Cause::VersionNotStagedRace,
            CreateSecret,
            "[ERROR] ValueError: Secret version b1b1b1b1-0000-4000-8000-00000000b1b1 has no stage for rotation of secret x.",
        ),
        (
            Cause::InvokedManuallyOrBadEvent,
            CreateSecret,
            "[ERROR]\t2026-03-10T11:00:00.000Z\tr1\tlambda_handler: Invalid step parameter rotate for secret x",
        ),
        (
            Cause::RotationLambdaMisbound,
            CreateSecret,
            "[ERROR] ValueError: Secret x is not allowed to use this Lambda function for rotation",
        ),
        (
            Cause::TargetServiceAsyncPropagation,
            TestSecret,
            "[ERROR] ValueError: x: user app associated with secret x did not reached the active status.",
        ),
        (
            Cause::LambdaExtensionCrash,
            CreateSecret,
            "INIT_REPORT Init Duration: 4447.52 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash",
        ),
        (
            Cause::CodeImportError,
            CreateSecret,
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named 'requests'",
        ),
        (
            Cause::CodeSyntaxOrHandlerError,
            CreateSecret,
            "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'lambda_function': invalid syntax (__init__.py, line 3)",
        ),
        (
            Cause::DependencyMissingAtRuntime,
            SetSecret,
            "[ERROR] RuntimeError: 'cryptography' package is required for sha256_password or caching_sha2_password auth methods",
        ),
        (
            Cause::DependencyApiChanged,
            CreateSecret,
            "InvalidRequestException: You must provide a ClientRequestToken value. We recommend a UUID-type value.",
        ),
        (Cause::CodeNotImplemented, SetSecret, "[ERROR] NotImplementedError\nTraceback (most recent call last):"),
        (Cause::TemplateBug, SetSecret, "[ERROR] DatabaseError: ORA-00933: SQL command not properly ended"),
    ];

    fn failing(step: RotationStep, line: &str) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, step, &[line]);
        evidence
    }

    #[test]
    fn a_line_with_the_rotation_event_is_the_confirmed_root_cause() {
        for (cause, step, line) in LINES {
            let diagnosis = diagnose(&failing(*step, line));
            assert_eq!(diagnosis.outcome, Outcome::RootCause, "{cause}");
            let root = diagnosis.root_cause().unwrap();
            assert_eq!((root.cause, root.confidence), (*cause, Confidence::Confirmed));
            assert_eq!(root.evidence.first().map(|proof| proof.text.as_str()), Some(line.trim()), "{cause}");
        }
    }

    #[test]
    fn every_remediation_can_be_pasted_and_shows_no_value() {
        for (cause, step, line) in LINES {
            let remediation = finding(*cause, &failing(*step, line)).remediation;
            assert!(!remediation.commands.is_empty() && !remediation.links.is_empty(), "{cause}");
            let rotates = |command: &String| command.contains("rotate-secret") && !command.contains("--rotation-lambda-arn");
            assert!(!remediation.commands.iter().all(rotates), "{cause}: to rotate alone mends nothing");
            for command in &remediation.commands {
                // What is fetched goes into a file that nobody else may read.
                let fetched = command.strip_prefix("(umask 077; ").map(|fetched| fetched.contains(" --region eu-west-1 > "));
                let downloaded = command.starts_with("curl -sSo previous.zip \"$(aws lambda get-function ");
                let runs =
                    command.starts_with("aws ") && (command.ends_with(" --region eu-west-1") || command.starts_with("aws iam "));
                let is_statement = ["psql ", "mysql "]
                    .iter()
                    .any(|client| command.starts_with(client) || command.contains(&format!(" | {client}")));
                assert!(fetched.unwrap_or(downloaded || runs || is_statement), "{cause}: {command}");
                let value = command.split("--secret-string ").nth(1);
                assert!(value.is_none_or(|value| value.starts_with("file://")), "{cause}: {command}");
            }
            let writes = |word: &str| remediation.commands.iter().any(|command| command.contains(word));
            if ["put-secret-value", "--environment", "update-function-code", "--layers"].into_iter().any(writes) {
                assert!(remediation.warning.is_some(), "{cause} may lose something");
            }
        }
    }

    #[test]
    fn without_the_log_nothing_is_decided_and_a_healthy_rotation_is_clear() {
        for (cause, step, line) in LINES {
            assert_clear(*cause, &healthy());
            let mut evidence = failing(*step, line);
            deny(&mut evidence, StepName::FunctionLogs);
            assert_unknown(*cause, &evidence, "logs:FilterLogEvents");
        }
    }

    #[test]
    fn what_the_log_says_rules_out_the_others_and_what_it_does_not_say_leaves_them_open() {
        let evidence = failing(SetSecret, "psycopg2.OperationalError: FATAL:  database \"orders\" does not exist");
        assert_clear(Cause::SecretJsonInvalid, &evidence);
        let evidence = failing(SetSecret, "[ERROR] Frobnication of the widget came to a bad end");
        assert_unknown(Cause::SecretJsonInvalid, &evidence, "does not say why");
    }

    #[test]
    fn a_log_that_was_read_in_part_clears_nothing() {
        let mut evidence = failing(SetSecret, "");
        let logs = facts(&mut evidence.logs);
        logs.invocations.clear();
        logs.complete = false;
        assert_unknown(Cause::DbAuthFailed, &evidence, "only part");
    }

    #[test]
    fn an_older_line_that_newer_failures_do_not_repeat_is_less_sure() {
        let mut evidence =
            failing(SetSecret, "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"");
        let newer = crate::diagnosis::testing::invocation(
            crate::diagnosis::testing::now(),
            SetSecret,
            crate::model::InvocationStatus::Failed,
            &["psycopg2.OperationalError: FATAL:  database \"orders\" does not exist"],
        );
        facts(&mut evidence.logs).invocations.push(newer);
        let found = finding(Cause::DbAuthFailed, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.ends_with("The newest failing invocation says something else."));
    }

    /// Lines from templates, documentation and public reports, and of drivers and runtimes.
    const CORPORA: [&str; 2] =
        [include_str!("../../../tests/data/log-lines.jsonl"), include_str!("../../../tests/data/log-lines-more.jsonl")];

    #[test]
    fn the_cause_a_known_line_names_leads_the_diagnosis_of_the_failure_that_logs_it() {
        let mut faults = Vec::new();
        for row in CORPORA.iter().flat_map(|corpus| corpus.lines()) {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let Some(cause) = row["cause"].as_str().and_then(Cause::from_id).filter(|cause| !cause.is_line_label()) else {
                continue;
            };
            let step = row["step"].as_str().and_then(RotationStep::from_name).unwrap_or(SetSecret);
            let line = row["text"].as_str().unwrap();
            let first = diagnose(&failing(step, line)).findings.first().map(|finding| finding.cause);
            // A denied read of another secret is the superuser's, whatever the line alone says.
            let expected = match cause {
                cause if is_judged_by_state(cause) => Cause::UnknownFailure,
                // A refused pool is the function's own where the line stands in its log.
                Cause::ConsumerStaleCredentials => Cause::DbAuthFailed,
                // Nothing shows here that the runtime changed.
                Cause::CodeRuntimeUpgradedAbi => Cause::CodeImportError,
                Cause::IamIdentityPolicyMissing if first == Some(Cause::SuperuserSecretAccessDenied) => continue,
                cause => cause,
            };
            if first != Some(expected) {
                faults.push(format!("{first:?} instead of {expected}: {line}"));
            }
        }
        assert!(faults.is_empty(), "{} lines:\n{}", faults.len(), faults.join("\n"));
    }
}
