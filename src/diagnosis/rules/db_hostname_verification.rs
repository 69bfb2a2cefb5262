//! # The database's TLS certificate does not match the host in the secret
//!
//! The secret names the database by an alias (a CNAME or a Route 53 record), which the server's certificate does not
//! include.
//!
//! **Shows as** `Hostname verification failed when estlablishing SSL/TLS Handshake with host` (the templates' own
//! spelling).

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbHostnameVerification,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let noun = context.behind().noun;
        let explanation = format!(
            "The function reached the {noun}{} under a name that the {noun}'s TLS certificate does not include.",
            seen.in_step()
        );
        let remediation = Remediation::new(format!(
            "Store the endpoint that the {noun} itself reports under \"host\" in the secret, not an alias, and rotate."
        ))
        .ask_rds_for(context, "DBInstances[].Endpoint.Address")
        .put_value(context)
        .rotate(context)
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}
