//! # The function reaches the database through RDS Proxy
//!
//! The proxy checks logins against the secrets it was given, and learns a rotated password only when that is AWSCURRENT. A
//! rotation through the proxy cannot test the new password, and often cannot log in at all: the function has to reach the
//! database itself.
//!
//! **Shows as** a refused login at a host with `.proxy-`, or in the proxy's own words: `This RDS proxy has no credentials
//! for the role`, `The password that was provided for the role … is wrong`.
//!
//! **Is not it** when the host is the instance's or the cluster's own.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{SECRET_STRUCTURE, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbThroughProxy,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "RDS Proxy refused the login{}: it knows only the AWSCURRENT passwords of the secrets it was given, never a pending \
             one.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Set \"host\" in the secret to the endpoint of the instance or cluster behind the proxy, make sure that the function \
             can reach it, and rotate. Applications that take the host from this secret then bypass the proxy: give them the \
             proxy's endpoint in their own configuration first.",
        )
        .run(aws_in(context, &["rds", "describe-db-proxy-targets", "--db-proxy-name", &proxy_name(&seen.read.event.text)]))
        .needs("rds:DescribeDBProxyTargets")
        .put_value(context)
        .discard_pending(context)
        .rotate(context)
        .link(SECRET_STRUCTURE)
        .link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html");
        (explanation, remediation)
    })
}

/// `orders` of `orders.proxy-c1abc2def3gh.eu-west-1.rds.amazonaws.com`.
fn proxy_name(text: &str) -> String {
    let name = text.split_once(".proxy-").map(|(before, _)| {
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(0, |at| at + 1);
        before.get(start..).unwrap_or_default()
    });
    name.filter(|name| !name.is_empty()).unwrap_or("PROXY_NAME").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, RotationStep};

    #[test]
    fn a_login_refused_at_a_proxys_endpoint_names_the_proxy() {
        for (line, name) in [
            (
                "psycopg2.OperationalError: connection to server at \"orders.proxy-c1abc2def3gh.eu-west-1.rds.amazonaws.com\" \
                 (10.0.3.7), port 5432 failed: FATAL:  password authentication failed for user \"app\"",
                "orders",
            ),
            (
                "psycopg2.OperationalError: FATAL:  This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.",
                "PROXY_NAME",
            ),
        ] {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::TestSecret, &[line]);
            let diagnosis = diagnose(&evidence);
            let root = diagnosis.root_cause().unwrap();
            assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed), "{line}");
            assert!(
                root.remediation.commands[0].contains(&format!("--db-proxy-name {name} ")),
                "{:?}",
                root.remediation.commands
            );
        }
    }
}
