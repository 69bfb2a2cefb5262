//! # The function's runtime is deprecated
//!
//! A risk, not a cause: deprecated functions keep running, without security updates, and after a while cannot be changed.
//!
//! **Shows as** a runtime whose deprecation date has passed.
//!
//! **Is the cause** only where Lambda itself refuses the runtime: the reason code InvalidRuntime.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Remediation, Severity, StepName};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

const CAUSE: Cause = Cause::DeprecatedRuntime;

/// Runtimes and the day they were deprecated. Source: AWS Lambda Developer Guide, "Lambda runtimes".
pub(in crate::diagnosis) const DEPRECATED: &[(&str, Date)] = &[
    ("python3.10", date(2026, 10, 31)),
    ("nodejs20.x", date(2026, 4, 30)),
    ("ruby3.2", date(2026, 3, 31)),
    ("python3.9", date(2025, 12, 15)),
    ("nodejs18.x", date(2025, 9, 1)),
    ("dotnet6", date(2024, 12, 20)),
    ("python3.8", date(2024, 10, 14)),
    ("nodejs16.x", date(2024, 6, 12)),
    ("dotnet7", date(2024, 5, 14)),
    ("java8", date(2024, 1, 8)),
    ("go1.x", date(2024, 1, 8)),
    ("provided", date(2024, 1, 8)),
    ("ruby2.7", date(2023, 12, 7)),
    ("python3.7", date(2023, 12, 4)),
    ("nodejs14.x", date(2023, 12, 4)),
    ("dotnetcore3.1", date(2023, 4, 3)),
    ("nodejs12.x", date(2023, 3, 31)),
    ("python3.6", date(2022, 7, 18)),
    ("dotnet5.0", date(2022, 5, 10)),
    ("dotnetcore2.1", date(2022, 1, 5)),
    ("nodejs10.x", date(2021, 7, 30)),
    ("ruby2.5", date(2021, 7, 30)),
    ("python2.7", date(2021, 7, 15)),
    ("nodejs8.10", date(2020, 3, 6)),
    ("nodejs4.3", date(2020, 3, 5)),
    ("nodejs6.10", date(2019, 8, 12)),
    ("dotnetcore1.0", date(2019, 6, 27)),
    ("dotnetcore2.0", date(2019, 5, 30)),
];

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
    let since = DEPRECATED.iter().find(|(name, day)| *name == runtime && *day <= today).map(|(_, day)| *day);
    let remediation = Remediation::new(
        "Recreate the function from the current rotation template. Moving the runtime alone breaks bundles with compiled \
         modules.",
    )
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
    let explanation = format!("{runtime} is deprecated since {since}. The function goes on running, without updates.");
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
