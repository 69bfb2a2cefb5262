//! # The function and the database disagree about TLS
//!
//! The server demands TLS and the client does not use it, or the other way round, or the handshake fails.
//!
//! **Shows as** `SSL/TLS is enforced on the host`, `no encryption`, `requires TLS connections`, DPY-6005, in setSecret
//! or testSecret.
//!
//! **Is not it** when the same invocation established a TLS connection.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::function_age;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

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

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = {
            let age = if function_age::is_older_than(context, function_age::TLS) {
                " The function was last changed before 20 December 2021, when the templates began to support TLS."
            } else {
                ""
            };
            format!(
                "The TLS settings of the function and the database do not match: the connection was refused{}.{age}",
                seen.in_step()
            )
        };
        let remediation = Remediation::new(
            "The quoted line does not say which side is at fault. Check whether the server demands TLS and whether the secret \
             asks for it (\"ssl\" in its JSON), which TLS versions both sides allow, and whether the function trusts the \
             authority that signed the server's certificate. Correct what differs, and rotate. A function made before 20 \
             December 2021 cannot do TLS.",
        )
        .run(aws_in(context, &["rds", "describe-db-instances", "--query", QUERY]))
        .needs("rds:DescribeDBInstances")
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
