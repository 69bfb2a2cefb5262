//! # Active Directory refused the function's credentials or keytab
//!
//! An Active Directory template could not log in, set the password or make a keytab.
//!
//! **Shows as** `kinit failed`, `Failed to create keytab`, `Unable to reset the user's password in Directory Services`,
//! `directory name list … does not match`.
//!
//! **Is not it** when the line is `Proceed to current secret since pending secret does not authenticate`: a normal
//! line.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{TEMPLATES, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DirectoryKinitFailed,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECURITY_GROUPS, change_events::ROUTES],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!("The directory refused the user or the keytab of {}{}.", context.secret_name(), seen.in_step());
        let remediation = Remediation::new(
            "Check in this order: the user and password in the secret, the directory's DNS name as the function's VPC resolves \
             it, port 88 from the function to the directory, and the layer that contains kinit. Then rotate.",
        )
        .run(aws_in(
            context,
            &["ds", "describe-directories", "--query", "DirectoryDescriptions[].{name:Name,stage:Stage,dns:DnsIpAddrs}"],
        ))
        .needs("ds:DescribeDirectories")
        .rotate(context)
        .link(TEMPLATES);
        (explanation, remediation)
    })
}
