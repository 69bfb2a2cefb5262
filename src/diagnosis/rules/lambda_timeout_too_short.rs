//! # The function's timeout is shorter than its normal work
//!
//! The function was still working when Lambda stopped it. Lambda's default is 3 seconds; an official template may wait 5
//! seconds for each connection, 10 seconds for Db2, and for ElastiCache until its user is active.
//!
//! **Shows as** a timeout of 10 seconds or less after Secrets Manager answered, or successful invocations that take nearly
//! as long as the timeout allows. Where the code is looked at: it waits longer for one connection than the function may run.
//!
//! **Is not it** when the timeout is 30 seconds or more and the wait begins at the first network call.

use crate::diagnosis::readings::code;
use crate::diagnosis::readings::hang::Hang;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, longer_timeout};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::LambdaTimeoutTooShort,
    stage: Stage::Inferred,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// What a rotation function should have, in seconds: the official templates wait 5 seconds for each of several connections.
const LEAST_S: u32 = 60;

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(hang) = Hang::newest(context) else {
        return if context.failures.is_empty() {
            code::ahead(context, RULE.cause, || remediation(context)).map_or_else(|| context.not_in_logs(), Verdict::from)
        } else {
            Verdict::clear("the newest failing invocation did not run into its timeout")
        };
    };
    let Some(seconds) = hang.timeout_s() else {
        let missing = context.evidence.function.observation.missing();
        return Verdict::unknown(missing.unwrap_or_else(|| "the function's timeout".to_owned()));
    };
    let Some(confidence) = hang.lacked_time() else {
        return Verdict::clear(format!("the timeout is {seconds} s, and the function was waiting for the network"));
    };
    let why = match hang.success_came_close() {
        Some(longest) => format!("successful invocations take up to {longest:.1} s"),
        None => "one slow connection or login alone can take longer".to_owned(),
    };
    let explanation = format!("Lambda stopped the function{} after {seconds} s, its timeout; {why}.", hang.in_step());
    let mut finding = context.finding(RULE.cause, confidence, explanation, hang.proofs(), remediation(context));
    // What the code waits for at most is longer than Lambda lets it run.
    if let Some(fault) = code::of(context, RULE.cause).first() {
        finding.confidence = Confidence::Confirmed;
        finding.evidence.push(fault.proof());
    }
    finding.into()
}

fn remediation(context: &DiagnosisContext<'_>) -> Remediation {
    match longer_timeout(context, LEAST_S) {
        Some(longer) => Remediation::new(format!(
            "Raise the timeout to {longer} s and rotate. If the function then takes all of it, it waits for something that does not \
             answer."
        ))
        .configure_function(context, &["--timeout", &longer.to_string()]),
        None => Remediation::new(
            "The timeout is the longest that Lambda allows: find out from the function's log what takes so long, shorten it, and \
             rotate.",
        ),
    }
    .rotate(context)
    .link(ROTATION_FUNCTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, assert_unknown, deny, facts, finding, hang_in, healthy};
    use crate::model::{Evidence, RotationStep};

    fn hung(step: RotationStep, timeout_s: u32) -> Evidence {
        let mut evidence = healthy();
        facts(&mut evidence.function).timeout_s = Some(timeout_s);
        hang_in(&mut evidence, step, &[]);
        evidence
    }

    #[test]
    fn a_short_timeout_after_secrets_manager_answered_is_likely_too_short() {
        let found = finding(RULE.cause, &hung(RotationStep::SetSecret, 3));
        assert_eq!(found.confidence, Confidence::Likely);
        assert_eq!(
            found.remediation.commands.first().map(String::as_str),
            Some("aws lambda update-function-configuration --function-name orders-rotator --timeout 60 --region eu-west-1")
        );
    }

    #[test]
    fn in_create_secret_a_short_timeout_is_likely_too_short_where_no_vpc_is_in_between() {
        let mut evidence = hung(RotationStep::CreateSecret, 3);
        facts(&mut evidence.function).vpc = None;
        assert_eq!(finding(RULE.cause, &evidence).confidence, Confidence::Likely);
    }

    #[test]
    fn successes_close_to_the_timeout_show_that_it_is_too_short() {
        let mut evidence = hung(RotationStep::TestSecret, 30);
        facts(&mut evidence.logs).invocations.first_mut().unwrap().duration_ms = Some(28_400.0);
        let found = finding(RULE.cause, &evidence);
        assert!(found.explanation.contains("successful invocations take up to 28.4 s"), "{}", found.explanation);
        assert_eq!(found.confidence, Confidence::Likely);
    }

    #[test]
    fn the_timeout_is_never_lowered() {
        let remedy = |timeout_s: u32| {
            let mut evidence = hung(RotationStep::TestSecret, timeout_s);
            let close = f64::from(timeout_s) * 990.0;
            facts(&mut evidence.logs).invocations.first_mut().unwrap().duration_ms = Some(close);
            finding(RULE.cause, &evidence).remediation
        };
        assert!(remedy(120).commands.iter().any(|command| command.contains("--timeout 240 ")), "{:?}", remedy(120));
        assert!(remedy(600).commands.iter().any(|command| command.contains("--timeout 900 ")), "{:?}", remedy(600));
        assert!(!remedy(900).commands.iter().any(|command| command.contains("--timeout")), "{:?}", remedy(900));
    }

    #[test]
    fn a_long_timeout_and_a_healthy_rotation_are_clear() {
        assert_clear(RULE.cause, &hung(RotationStep::SetSecret, 30));
        assert_clear(RULE.cause, &healthy());
    }

    #[test]
    fn without_the_function_or_its_log_it_cannot_be_told() {
        let mut evidence = hung(RotationStep::SetSecret, 3);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(RULE.cause, &evidence, "lambda:GetFunctionConfiguration");
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(RULE.cause, &evidence, "logs:FilterLogEvents");
    }
}
