//! # The function and the database disagree about TLS
//!
//! The server demands TLS and the client does not use it, or the other way round, or the handshake fails.
//!
//! **Shows as** `SSL/TLS is enforced on the host`, `no encryption`, `requires TLS connections`, DPY-6005, in setSecret
//! or testSecret.
//!
//! **Is not it** when the same invocation established a TLS connection.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::login::{self, Answer};
use crate::diagnosis::readings::{function_age, network};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName, TargetDatabase, TlsDemand};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbSslMismatch,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::FUNCTION_CODE,
        change_events::FUNCTION_CONFIGURATION,
        change_events::DATABASE,
        change_events::SECRET_VALUE,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

/// What of an instance decides about TLS.
const QUERY: &str = "DBInstances[].{instance:DBInstanceIdentifier,engine:EngineVersion,authority:CACertificateIdentifier,\
                     parameters:DBParameterGroups[0].DBParameterGroupName}";

/// Whether the database that the secret is for refuses connections without TLS, where RDS was asked.
fn demand<'a>(context: &DiagnosisContext<'a>) -> Option<(&'a TargetDatabase, &'a TlsDemand)> {
    let database = network::database(context)?.database;
    Some((database, database.tls.found()?))
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let verdict = by_line(context);
    let Some((database, demand)) = demand(context) else { return verdict };
    let group = demand.parameter_group.as_deref().map(|group| format!(" in {group}")).unwrap_or_default();
    let state = if demand.is_forced { "on" } else { "off" };
    let fact = network::state_proof(format!("{}{group} is {state}: {} TLS", demand.parameter, wants(database, demand)));
    match verdict {
        Verdict::Fires(mut finding) => {
            finding.evidence.insert(finding.evidence.len().min(1), fact);
            if demand.is_forced {
                finding.confidence = Confidence::Confirmed;
                let text = format!(" The database {} demands TLS: {}{group} is on.", database.id, demand.parameter);
                finding.explanation.push_str(&text);
            }
            Verdict::Fires(finding)
        }
        // The oldest templates know no TLS, and log only that the login failed.
        _ if demand.is_forced && function_age::is_older_than(context, function_age::TLS) => {
            let Some(seen) = login::newest(context).filter(|seen| login::answer(seen.failure) != Answer::None) else {
                return verdict;
            };
            let explanation = format!(
                "{} takes connections with TLS only ({}{group} is on), and the function was last changed before 20 December 2021, \
                 when the templates learned TLS.",
                database.id, demand.parameter
            );
            let mut evidence = seen.proofs(context);
            evidence.insert(evidence.len().min(1), fact);
            context.finding(RULE.cause, Confidence::Likely, explanation, evidence, remediation(context)).into()
        }
        verdict => verdict,
    }
}

fn wants(database: &TargetDatabase, demand: &TlsDemand) -> String {
    match demand.is_forced {
        true => format!("{} refuses connections without", database.id),
        false => format!("{} takes connections without", database.id),
    }
}

fn by_line(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = {
            let age = if function_age::is_older_than(context, function_age::TLS) {
                " The function was last changed before 20 December 2021, when the templates began to support TLS."
            } else {
                ""
            };
            format!(
                "The TLS settings of the function and the {} do not match: the connection was refused{}.{age}",
                context.behind().noun,
                seen.in_step()
            )
        };
        (explanation, remediation(context))
    })
}

/// Which side is at fault the line does not say.
fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    Remediation::new(
        "The quoted line does not say which side is at fault. Check whether the server demands TLS and whether the secret asks \
         for it (\"ssl\" in its JSON), which TLS versions both sides allow, and whether the function trusts the authority that \
         signed the server's certificate. Correct what differs, and rotate. A function made before 20 December 2021 cannot do \
         TLS.",
    )
    .ask_rds_for(context, QUERY)
    .put_value(context)
    .rotate(context)
    .link(TROUBLESHOOTING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::network::testing::{database, world};
    use crate::diagnosis::testing::{fail, finding, healthy};
    use crate::model::{Observation, RotationStep};

    #[test]
    fn the_parameter_that_forces_tls_is_named_beside_the_line_that_was_refused() {
        let mut evidence = healthy();
        evidence.network = world();
        let tls =
            TlsDemand { is_forced: true, parameter: "rds.force_ssl".to_owned(), parameter_group: Some("orders-15".to_owned()) };
        let forced = TargetDatabase { tls: Observation::Found(tls), ..database() };
        evidence.network.databases = Observation::Found(vec![forced]);
        let line = "psycopg2.OperationalError: FATAL:  no pg_hba.conf entry for host \"10.0.1.5\", user \"app\", database \"orders\", \
                    no encryption";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        let found = finding(RULE.cause, &evidence);
        assert_eq!(found.confidence, Confidence::Confirmed);
        assert!(
            found.explanation.ends_with("The database orders demands TLS: rds.force_ssl in orders-15 is on."),
            "{}",
            found.explanation
        );
        assert!(found.evidence[1].text.contains("rds.force_ssl in orders-15 is on"), "{:?}", found.evidence);
    }
}
