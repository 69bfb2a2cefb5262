//! # The function's runtime is deprecated
//!
//! A risk, not a cause: a function on a deprecated runtime keeps running without security updates, and after a while cannot
//! be changed.
//!
//! **Shows as** a runtime whose deprecation date has passed.
//!
//! **Is the cause** only where Lambda itself refuses the runtime: the reason code InvalidRuntime.

use crate::diagnosis::readings::runtime::support::{OF_TEMPLATES, blocked_from, deprecated_on};
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Remediation, Severity, StepName};
use jiff::tz::TimeZone;

const CAUSE: Cause = Cause::DeprecatedRuntime;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig, StepName::RotationFunction],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let fine = context.function_is_fine();
    let Verdict::Clear { .. } = &fine else { return fine };
    let Some(function) = context.function() else { return fine };
    if let Some(outside) = context.without_function() {
        return outside;
    }
    let Some(runtime) = function.runtime.as_deref() else { return Verdict::clear("the function is a container image") };
    let today = TimeZone::UTC.to_datetime(context.now()).date();
    let since = deprecated_on(runtime).filter(|day| *day <= today);
    let remediation = Remediation::new(format!(
        "Build the function's package for a supported runtime, such as python3.13 or python3.14, and deploy the two together: \
         moving the runtime alone breaks bundles with compiled modules. The published templates, and CloudFormation's transform, \
         create functions on {OF_TEMPLATES}, so creating the function anew from them does not help. Managed rotation, where the \
         database supports it, needs no function."
    ))
    .run(aws_in(context, &["lambda", "get-function-configuration", "--function-name", function.arn.name()]))
    .needs("lambda:GetFunctionConfiguration")
    .link("https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html");
    if let Some(complaint) = context.complaint(CAUSE) {
        let explanation = format!("Lambda refuses the runtime {runtime} of {}.", function.arn.name());
        return complaint.finding(context, CAUSE, explanation, remediation).into();
    }
    let Some(since) = since else { return Verdict::clear(format!("the runtime {runtime} is supported")) };
    let proof = Proof::of(
        StepName::RotationFunction,
        "lambda:GetFunctionConfiguration",
        format!("Runtime {runtime}, deprecated {since}"),
    );
    let block = match blocked_from(runtime) {
        Some(day) if day <= today => format!(" Since {day} Lambda may refuse to change it."),
        Some(day) => format!(" From {day} on, Lambda may refuse to change it."),
        None => String::new(),
    };
    let explanation = format!(
        "{runtime} has been deprecated since {since}. The function keeps running, but without security \
                               updates.{block}"
    );
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, vec![proof], remediation);
    finding.severity = Severity::Info;
    finding.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::Outcome;

    #[test]
    fn a_deprecated_runtime_is_a_remark_about_a_healthy_secret() {
        let mut evidence = healthy();
        facts(&mut evidence.function).runtime = Some("python3.9".to_owned());
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.outcome, Outcome::Healthy);
        let remarks: Vec<_> = diagnosis.findings.iter().map(|finding| (finding.cause, finding.severity)).collect();
        assert_eq!(remarks, [(CAUSE, Severity::Info)]);
    }

    #[test]
    fn a_runtime_lambda_refuses_stops_rotation() {
        let mut evidence = healthy();
        let function = facts(&mut evidence.function);
        function.state = Some("Failed".to_owned());
        function.state_reason_code = Some("InvalidRuntime".to_owned());
        let finding = finding(CAUSE, &evidence);
        assert_eq!((finding.confidence, finding.severity), (Confidence::Confirmed, Severity::Critical));
    }

    #[test]
    fn a_date_that_has_not_come_is_no_risk_yet_and_an_unseen_function_may_be_one() {
        let mut evidence = healthy();
        facts(&mut evidence.function).runtime = Some("nodejs20.x".to_owned());
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(CAUSE, &evidence, "lambda:GetFunctionConfiguration");
    }
}
