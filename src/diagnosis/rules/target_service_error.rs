//! # The service behind the secret answered with an error
//!
//! What lies behind the secret, an API or a database, was reached and answered that it would not: it refused the call, failed,
//! changed, or kept the statement waiting for a lock. The answer is the target's, not a fault of the function's code.
//!
//! **Shows as** HTTP 4xx or 5xx answers, or connection errors, of a host that is not AWS's; lock timeouts, cancelled
//! statements, a full disk, and other errors of a database; a timeout after a connection stood.

use crate::diagnosis::advice::LOCKED;
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, RotationStep, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::TargetServiceError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::SECURITY_GROUPS,
        change_events::NAT_GATEWAYS,
        change_events::ROUTES,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return waiting(context) };
    let explanation =
        format!("The service behind {} did not do what the function asked{}.", context.secret_name(), seen.in_step());
    let remediation = Remediation::new(
        "Call the service by hand with the AWSCURRENT credentials. 401 or 403: they no longer hold, or lack a right. \
         404 or 400: its API changed, and the function with it must. 429 or 5xx: it is busy or down; rotate later.",
    )
    .rotate(context)
    .link(ROTATION_FUNCTIONS);
    said(context, RULE.cause, &seen, explanation, remediation).into()
}

/// What becomes of a statement whose client is gone. The server notices that only once the statement has ended.
const MAY_STILL_GO_THROUGH: &str = "The statement may still go through once the lock ends: the database then takes the pending password only, and AWSCURRENT may be \
     refused until the rotation, which takes the pending version up again, has finished it.";

/// A function that was connected and then hung waits for the database's answer, as to a statement that needs a lock.
fn waiting(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(hang) = Hang::newest(context).filter(|hang| hang.database_answered()) else { return not_said(context, &RULE) };
    let confidence = if hang.lacked_time().is_some() { Confidence::Possible } else { Confidence::Likely };
    let explanation = format!(
        "A connection to the database stood, and then the function waited{} until its timeout: the network is open, and a statement \
         got no answer, as where another session holds a lock on the user.",
        hang.in_step()
    );
    let explanation = match hang.step == Some(RotationStep::SetSecret) && !strategy::alternates(context) {
        true => format!("{explanation} {MAY_STILL_GO_THROUGH}"),
        false => explanation,
    };
    let query = "DBInstances[].{instance:DBInstanceIdentifier,status:DBInstanceStatus,host:Endpoint.Address}";
    let remediation = Remediation::new(
        "Look which sessions of the database wait for a lock and which holds it (PostgreSQL: pg_stat_activity and \
         pg_blocking_pids; MySQL: performance_schema.data_lock_waits), and let it end, or end it. Then rotate.",
    )
    .run(aws_in(context, &["rds", "describe-db-instances", "--query", query]))
    .needs("rds:DescribeDBInstances")
    .rotate(context)
    .link(TROUBLESHOOTING);
    let mut finding = context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation);
    finding.title = LOCKED.to_owned();
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, facts, finding, hang_in, healthy};

    #[test]
    fn a_connection_that_stood_and_then_hung_is_a_wait_for_the_database_and_not_the_network() {
        let mut evidence = healthy();
        facts(&mut evidence.function).timeout_s = Some(30);
        let connected =
            "[INFO]\t2026-03-10T11:00:00.000Z\tr1\tSuccessfully established TCP connection as user 'app' with host: 'h'";
        hang_in(&mut evidence, RotationStep::SetSecret, &[connected]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.title.contains("waiting"), "{}", found.title);
        assert_clear(Cause::DbNetworkUnreachable, &evidence);
        facts(&mut evidence.logs).invocations.last_mut().unwrap().lines.remove(0);
        assert_clear(RULE.cause, &evidence);
    }
}
