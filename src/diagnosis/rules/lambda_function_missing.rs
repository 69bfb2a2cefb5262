//! # The rotation function does not exist
//!
//! The secret names a function, a version or an alias that was deleted.
//!
//! **Shows as** `ResourceNotFoundException` from GetFunctionConfiguration.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Confidence, Observation, Proof, Remediation, StepName};

const CAUSE: Cause = Cause::LambdaFunctionMissing;

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Start, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    if !case.rotates_by_function() {
        return Verdict::clear("no rotation function is expected here");
    }
    let Some(arn) = case.evidence.function_arn() else { return Verdict::clear("rotation names no function") };
    match &case.evidence.function.observation {
        Observation::NoData { .. } => {
            let proof = Proof {
                step: StepName::RotationFunction,
                call: "lambda:GetFunctionConfiguration".to_owned(),
                at: None,
                text: format!("ResourceNotFoundException: {arn}"),
            };
            let remediation = Remediation::new("Deploy the function again, or bind the secret to one that exists.")
                .run(aws_in(
                    case,
                    &[
                        "secretsmanager",
                        "rotate-secret",
                        "--secret-id",
                        case.secret_id(),
                        "--rotation-lambda-arn",
                        "NEW_FUNCTION_ARN",
                    ],
                ))
                .needs("secretsmanager:RotateSecret")
                .needs("lambda:InvokeFunction");
            let explanation = format!("Rotation is bound to {arn}, and there is no such function.");
            case.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation).into()
        }
        Observation::Found(_) => Verdict::clear("the function exists"),
        other => Verdict::unknown(other.missing().unwrap_or_else(|| "the function was not looked at".to_owned())),
    }
}
