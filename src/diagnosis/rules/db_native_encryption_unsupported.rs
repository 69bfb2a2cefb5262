//! # The database requires native encryption that the driver does not support
//!
//! The Oracle server requires Oracle's native network encryption or checksums. The driver's thin mode, which rotation
//! functions use, supports neither.
//!
//! **Shows as** DPY-3001, or DPY-4011 where the server requires encryption.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbNativeEncryptionUnsupported,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let explanation = format!(
            "The function could not connect{}: the Oracle server requires native network encryption, which the function's driver \
             cannot do.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "Rotate with your own function that uses the driver's thick mode; or set SQLNET.ENCRYPTION_SERVER and \
             SQLNET.CRYPTO_CHECKSUM_SERVER in the database's option group to REQUESTED, and connect with TLS instead.",
        )
        .run(aws_in(context, &["rds", "describe-option-groups", "--engine-name", "oracle-ee"]))
        .needs("rds:DescribeOptionGroups")
        .rotate(context)
        .link("https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.Oracle.Options.NetworkEncryption.html");
        (explanation, remediation)
    })
}
