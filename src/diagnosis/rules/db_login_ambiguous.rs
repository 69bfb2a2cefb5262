//! # The function cannot log in to the database
//!
//! The official templates drop the driver's exception, so their line does not say whether the network, the password, TLS or
//! the database's name is at fault. The duration narrows it down in one direction only: more than 5 seconds means the
//! network. What fails faster may be anything: a closed port and a name that does not resolve fail as quickly as a refused
//! password.
//!
//! **Shows as** `Unable to log into database with previous, current, or pending secret`, and no line that says more.
//!
//! **Is not it** when a more specific line stands in the same invocation, or the login took longer than 5 seconds.

use super::value_written_back_by_iac;
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::database::{self, Callers, Of};
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::login::{self, Answer};
use crate::diagnosis::readings::{function_age, pending};
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{AttemptOutcome, Cause, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbLoginAmbiguous,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::FUNCTION_VPC,
        change_events::DATABASE,
        change_events::ROUTES,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Effect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if value_written_back_by_iac::explains_login(context) {
        return Verdict::clear("an infrastructure-as-code tool wrote an older value back, which comes first");
    }
    let Some(seen) = context.seen(RULE.cause) else { return not_said(context, &RULE) };
    if let Some(narrowed) = narrowed_to_network(&seen) {
        return narrowed;
    }
    let engine = database::engine(context, &seen);
    let noun = context.behind().noun;
    let explanation = format!(
        "The function could not log in to the {noun}{}, and does not say why. {}",
        seen.in_step(),
        what_stays_open(context, &seen)
    );
    let [first, second] = match pending::left_over(context).is_some_and(|pending| pending.is_set) {
        true => ["AWSPENDING", "AWSCURRENT"],
        false => ["AWSCURRENT", "AWSPREVIOUS"],
    };
    let remediation = Remediation::new(format!(
        "From the function's network, log in by hand with host, port and user of the {first} value, then of the {second} \
         value: the answer says what is wrong, and it need not be the password. See in pg_hba.conf, or in the table of accounts, \
         who may log in from where. Correct what is wrong in value.json, set the user's password in the {noun} to the AWSCURRENT \
         value, and rotate."
    ))
    .run(aws_in(context, &["secretsmanager", "list-secret-version-ids", "--secret-id", context.secret_id()]))
    .needs("secretsmanager:ListSecretVersionIds")
    .ask_who_may_log_in(engine)
    .put_value(context)
    .database_takes(context, engine, Of::Rotated, Callers::of(context))
    .database_admits(context, engine)
    .rotate(context)
    .link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    // The line proves that a login failed, never why.
    finding.confidence = finding.confidence.min(Confidence::Likely);
    finding.into()
}

/// Clear, where the duration shows that the network is at fault.
pub(super) fn narrowed_to_network(seen: &LogMatch<'_, '_>) -> Option<Verdict> {
    let took = login::seconds(seen.failure)?;
    (login::answer(seen.failure) == Answer::None)
        .then(|| Verdict::clear(format!("the login took {took} without an answer, which points to the network")))
}

/// What the duration leaves open, and the hints there are.
pub(super) fn what_stays_open(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> String {
    let is_database = context.behind().is_database();
    let named = if is_database { ", the database's name" } else { "" };
    let admitted = if is_database { "pg_hba or the account's host part" } else { "where the account may log in from" };
    let all = format!(
        "the host name, a refused port, {admitted}, a connection limit, a locked or expired account, TLS{named}, the password"
    );
    let took = login::seconds(seen.failure);
    let mut open = match (login::answer(seen.failure), took) {
        (Answer::Connected, _) => {
            format!(
                "A connection had been established before, so the network is not at fault. Still possible: a locked or expired \
                 account, TLS{named}, the password."
            )
        }
        (Answer::Quick, Some(took)) => {
            format!("It failed after {took}, so it did not wait for an answer. Still possible: {all}.")
        }
        (_, Some(took)) => format!("It failed after {took}, which decides nothing. Still possible: the way to the host, {all}."),
        (_, None) => format!("Still possible: the way to the host, {all}."),
    };
    if function_age::is_older_than(context, function_age::TLS) {
        open.push_str(" The function was last changed before 20 December 2021 and cannot do TLS.");
    }
    if function_age::is_older_than(context, function_age::SCRAM) {
        open.push_str(" It was last changed before 30 December 2021: a PostgreSQL function of that age cannot do SCRAM.");
    }
    let others = rotating_with_the_same_function(context);
    if others > 0 {
        let others = if others == 1 { "Another secret rotates".to_owned() } else { format!("{others} other secrets rotate") };
        open.push_str(&format!(" {others} with the same function, so suspect this secret's content first."));
    }
    open
}

/// Other secrets this function rotated since the failures began.
fn rotating_with_the_same_function(context: &DiagnosisContext<'_>) -> usize {
    let (Some(row), Some(history), Some(own)) =
        (&context.failing, context.evidence.history.found(), context.evidence.function_arn())
    else {
        return 0;
    };
    let function_of = |secret: &str| {
        let fleet = history.fleet.found().map(Vec::as_slice).unwrap_or_default();
        fleet.iter().find(|other| other.arn == secret).and_then(|other| other.function_arn.as_ref())
    };
    let succeeded = history.other_attempts.iter().filter(|attempt| {
        attempt.outcome == AttemptOutcome::Succeeded
            && attempt.at().is_some_and(|at| at >= row.first_at)
            && attempt
                .function_arn
                .as_ref()
                .or_else(|| function_of(&attempt.secret_arn))
                .is_some_and(|function| function.is_same_function(own))
    });
    succeeded.map(|attempt| attempt.secret_arn.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{
        FUNCTION, arn, assert_clear, assert_unknown, attempt, deny, facts, fail, finding, healthy, now,
    };
    use crate::model::{Attempt, Evidence, RotationStep, StepName};

    fn login_failed(duration_ms: Option<f64>, lines: &[&str]) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, lines);
        facts(&mut evidence.logs).invocations.last_mut().unwrap().duration_ms = duration_ms;
        evidence
    }

    const LOGIN: &str =
        "[ERROR] ValueError: Unable to log into database with previous, current, or pending secret of secret arn x";

    #[test]
    fn a_quick_failure_leaves_everything_open_and_says_so() {
        let evidence = login_failed(Some(812.0), &[LOGIN]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        for open in ["0.8 s", "refused port", "host name", "pg_hba", "connection limit", "locked or expired", "the password"] {
            assert!(found.explanation.contains(open), "{open}: {}", found.explanation);
        }
        assert!(!found.explanation.contains("database answered"), "{}", found.explanation);
        for open in [Cause::DbAuthFailed, Cause::DbSslMismatch, Cause::DbNameMissing] {
            assert_unknown(open, &evidence, "the database's answer, which the function does not log");
        }
        assert_unknown(Cause::DbNetworkUnreachable, &evidence, "whether the database was reached");
    }

    #[test]
    fn a_login_without_an_answer_is_the_networks() {
        assert_clear(RULE.cause, &login_failed(Some(10_040.0), &[LOGIN]));
    }

    #[test]
    fn an_established_connection_outweighs_a_long_duration() {
        let connected =
            "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tSuccessfully established TCP connection as user 'app' with host: 'h'";
        let found = finding(RULE.cause, &login_failed(Some(9_000.0), &[connected, LOGIN]));
        assert!(found.explanation.contains("A connection had been established before"), "{}", found.explanation);
    }

    #[test]
    fn without_a_duration_everything_stays_open() {
        let found = finding(RULE.cause, &login_failed(None, &[LOGIN]));
        assert!(
            found.explanation.contains("Still possible: the way to the host, the host name, a refused port"),
            "{}",
            found.explanation
        );
        assert_eq!(found.confidence, Confidence::Likely);
    }

    #[test]
    fn the_age_of_the_function_and_its_other_secrets_are_hints() {
        let mut evidence = login_failed(Some(500.0), &[LOGIN]);
        facts(&mut evidence.function).last_modified_at = Some("2021-03-01T00:00:00Z".parse().unwrap());
        facts(&mut evidence.history).other_attempts.push(Attempt {
            secret_arn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf".into(),
            function_arn: Some(arn(FUNCTION)),
            ..attempt(now(), AttemptOutcome::Succeeded)
        });
        let found = finding(RULE.cause, &evidence);
        for hint in ["cannot do TLS", "cannot do SCRAM", "Another secret rotates with the same function"] {
            assert!(found.explanation.contains(hint), "{}", found.explanation);
        }
    }

    #[test]
    fn a_more_specific_line_in_the_same_invocation_decides() {
        let line = "FATAL:  password authentication failed for user \"app\"";
        let evidence = login_failed(Some(500.0), &[line, LOGIN]);
        assert_clear(RULE.cause, &evidence);
        assert_eq!(finding(Cause::DbAuthFailed, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn a_healthy_rotation_is_clear_and_a_denied_log_is_not() {
        assert_clear(RULE.cause, &healthy());
        let mut evidence = login_failed(Some(500.0), &[LOGIN]);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
