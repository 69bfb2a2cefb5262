//! # The function's log is not kept where it can be read
//!
//! Rotation fails, and no log that can be searched has the reason: the log group is missing, keeps its lines for too short
//! a time, or is of a class that only passes them on (DELIVERY) or cannot be filtered (INFREQUENT_ACCESS).
//!
//! **Shows as** invocations in the metrics without a line in the log, and what DescribeLogGroups says about the group.
//!
//! **Is not it** when a failing invocation was read, or the function did not run.

use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::runs::{Ran, ran};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Confidence, LogGroupFacts, Observation, Proof, Remediation, Severity, StepName};
use jiff::SignedDuration;

const CAUSE: Cause = Cause::LogsNotKept;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Aftermath,
    rests_on: &[StepName::RotationConfig],
    explained_by: &[],
    specificity: Specificity::Nothing,
    hidden_by_login: false,
    evaluate,
};

/// Where the lines went.
enum Lost {
    Delivered,
    Unfiltered,
    TooShort(u32),
    NoGroup,
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_function() {
        return verdict;
    }
    let Some(lost) = lost(context) else { return Verdict::clear("the function's log was read, or was not needed") };
    let group = context.function().map_or("the log group", |function| function.log_group.as_str());
    let (because, summary) = match &lost {
        Lost::Delivered => (
            format!("{group} is of the class DELIVERY: its lines go to S3 or Firehose and are kept for a day"),
            "Read the lines where the group delivers them, or give the function a log group of the class STANDARD. Then rotate \
             and look again.",
        ),
        Lost::Unfiltered => (
            format!("{group} is of the class INFREQUENT_ACCESS, which FilterLogEvents cannot read"),
            "Read the lines with Logs Insights, or give the function a log group of the class STANDARD. Then rotate and look \
             again.",
        ),
        Lost::TooShort(days) => (
            format!("{group} keeps its lines for {}, and the failure is older", days_of(*days)),
            "Let the group keep its lines longer, rotate, and look again.",
        ),
        Lost::NoGroup => (
            format!("{group} does not exist, although the function ran"),
            "Let the function's role write logs, rotate, and look again.",
        ),
    };
    let mut evidence = vec![Proof::of(StepName::FunctionLogs, "logs:DescribeLogGroups", because.clone())];
    evidence.extend(context.failed_attempt_proof());
    let explanation = format!("No log that can be searched says why rotation fails: {because}.");
    let mut finding = context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, fix(context, &lost, summary));
    finding.severity = Severity::Warning;
    finding.into()
}

/// Where the lines of a failure went that no read log shows.
fn lost(context: &DiagnosisContext<'_>) -> Option<Lost> {
    let row = context.failing.as_ref().filter(|_| context.failures.is_empty())?;
    let facts = match &context.evidence.log_group {
        Observation::Found(facts) => facts,
        Observation::NoData { .. } if matches!(ran(context), Ran::Yes) => return Some(Lost::NoGroup),
        _ => return None,
    };
    let LogGroupFacts { class, retention_days } = facts;
    match (class.as_deref(), retention_days) {
        (Some("DELIVERY"), _) => Some(Lost::Delivered),
        (Some("INFREQUENT_ACCESS"), _) => Some(Lost::Unfiltered),
        (_, Some(days)) if context.now().duration_since(row.last_at) > SignedDuration::from_hours(i64::from(*days) * 24) => {
            Some(Lost::TooShort(*days))
        }
        _ => None,
    }
}

/// True where the reason of the failure was written to nothing that can be searched.
pub(super) fn hides_the_reason(context: &DiagnosisContext<'_>) -> bool {
    context.without_function().is_none() && lost(context).is_some()
}

fn days_of(days: u32) -> String {
    if days == 1 { "a day".to_owned() } else { format!("{days} days") }
}

fn fix(context: &DiagnosisContext<'_>, lost: &Lost, summary: &str) -> Remediation {
    let group = context.function().map_or("LOG_GROUP", |function| function.log_group.as_str());
    let remediation = Remediation::new(summary);
    let remediation = match lost {
        Lost::TooShort(_) => remediation
            .run(aws_in(context, &["logs", "put-retention-policy", "--log-group-name", group, "--retention-in-days", "90"]))
            .needs("logs:PutRetentionPolicy"),
        Lost::NoGroup => {
            let role = context.role_name().unwrap_or("ROLE");
            let partition = context.function().map_or("aws", |function| function.role.arn().partition());
            let arn = format!("arn:{partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
            remediation
                .run(crate::diagnosis::remedy::aws(&["iam", "attach-role-policy", "--role-name", role, "--policy-arn", &arn]))
                .needs("iam:AttachRolePolicy")
        }
        Lost::Delivered | Lost::Unfiltered => {
            let own = format!("/rotation/{}", context.function_name().unwrap_or("FUNCTION_NAME"));
            let group = format!("LogGroup={own}");
            remediation
                .run(aws_in(context, &["logs", "create-log-group", "--log-group-name", &own, "--log-group-class", "STANDARD"]))
                .needs("logs:CreateLogGroup")
                .configure_function(context, &["--logging-config", &group])
        }
    };
    remediation.rotate(context).link("https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, Outcome, RotationStep};

    fn failed_without_a_line(group: Observation<LogGroupFacts>) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        evidence.logs = record(no_data());
        evidence.log_group = group;
        evidence
    }

    fn of_class(class: &str, retention_days: Option<u32>) -> Observation<LogGroupFacts> {
        Observation::Found(LogGroupFacts { class: Some(class.to_owned()), retention_days })
    }

    #[test]
    fn a_class_that_hands_lines_on_is_named_and_the_end_is_inconclusive() {
        for (class, says) in [("DELIVERY", "S3 or Firehose"), ("INFREQUENT_ACCESS", "FilterLogEvents cannot read")] {
            let diagnosis = diagnose(&failed_without_a_line(of_class(class, None)));
            assert_eq!(diagnosis.outcome, Outcome::Inconclusive);
            let first = &diagnosis.findings[0];
            assert_eq!(first.cause, CAUSE);
            assert!(first.explanation.contains(says), "{}", first.explanation);
            assert!(diagnosis.findings.iter().all(|finding| finding.cause != Cause::UnknownFailure));
        }
        let gone = finding(CAUSE, &failed_without_a_line(no_data()));
        assert!(gone.remediation.commands[0].contains("AWSLambdaBasicExecutionRole"));
    }

    #[test]
    fn a_retention_shorter_than_the_failure_is_old_loses_it_and_a_standard_group_loses_nothing() {
        assert_clear(CAUSE, &failed_without_a_line(of_class("STANDARD", Some(1))));
        assert_clear(CAUSE, &failed_without_a_line(of_class("STANDARD", None)));
        let mut old = failed_without_a_line(of_class("STANDARD", Some(1)));
        old.now += SignedDuration::from_hours(30);
        assert!(finding(CAUSE, &old).explanation.contains("keeps its lines for a day"));
        assert_clear(CAUSE, &healthy());
    }
}
