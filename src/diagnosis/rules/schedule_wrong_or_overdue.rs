//! # The rotation is overdue, or its schedule never fires
//!
//! A rotation window closed and no attempt was made in it, or the schedule names a date that never comes. This says that
//! rotation does not start, not why: any cause that stops the start explains it.
//!
//! **Shows as** `NextRotationDate` in the past without a RotationStarted event since; a schedule that cannot be evaluated.
//!
//! **Is not it** when attempts were made: then rotation runs and fails.

use crate::diagnosis::remedy::{aws_in, schedule_of};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, RotationConfig, Severity, StepName, moment};
use jiff::SignedDuration;

const CAUSE: Cause = Cause::ScheduleWrongOrOverdue;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Start,
    rests_on: &[StepName::RotationConfig],
    explained_by: &[change_events::ROTATION_CONFIGURED],
    specificity: Specificity::Nothing,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_config() {
        return verdict;
    }
    let Some(config) = context.config() else { return Verdict::clear("there is no rotation configuration") };
    if config.enabled != Some(true) {
        return Verdict::clear("rotation is not turned on");
    }
    if context.secret().is_some_and(|secret| secret.is_replica() || secret.deleted_at.is_some()) {
        return Verdict::clear("nothing is due for a replica or a secret that is being deleted");
    }
    if config.due.never_fires {
        let explanation = format!("The schedule {} names a date that never comes.", expression(config));
        return schedule_finding(context, config, Confidence::Confirmed, explanation);
    }
    if let Some(why) = &config.due.invalid {
        let explanation = format!("The schedule {} cannot be evaluated: {why}.", expression(config));
        return schedule_finding(context, config, Confidence::Likely, explanation);
    }
    match config.due.overdue_since {
        Some(_) => overdue(context, config),
        None => Verdict::clear(match config.due.next.or(config.next_rotation_at) {
            Some(next) => format!("the next rotation is due on {}", next.strftime("%-d %b %Y")),
            None => "no rotation window has closed without a rotation".to_owned(),
        }),
    }
}

fn schedule_finding(
    context: &DiagnosisContext<'_>,
    config: &RotationConfig,
    confidence: Confidence,
    explanation: String,
) -> Verdict {
    let proof = context.config_proof(format!("RotationRules: {}", expression(config)));
    let remediation = Remediation::new("Give rotation a schedule with dates that come.")
        .run(aws_in(
            context,
            &[
                "secretsmanager",
                "rotate-secret",
                "--secret-id",
                context.secret_id(),
                "--no-rotate-immediately",
                "--rotation-rules",
                r#"{"ScheduleExpression":"rate(30 days)","Duration":"3h"}"#,
            ],
        ))
        .needs("secretsmanager:RotateSecret")
        .needs("lambda:InvokeFunction")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html");
    context.finding(CAUSE, confidence, explanation, vec![proof], remediation).into()
}

fn overdue(context: &DiagnosisContext<'_>, config: &RotationConfig) -> Verdict {
    let Some(closed) = config.due.overdue_since else { return Verdict::clear("nothing is overdue") };
    // A rotation window is at most a day long, unless it was given a length.
    let day_before = closed.checked_sub(SignedDuration::from_hours(24)).unwrap_or(closed);
    let opened = config.due.previous.filter(|previous| *previous <= closed).unwrap_or(day_before);
    let attempted = context.attempts().any(|attempt| attempt.at().is_some_and(|at| at >= opened));
    if attempted || context.failures.iter().any(|failure| failure.invocation.started_at >= opened) {
        return Verdict::clear("attempts were made in the last rotation window: rotation runs and fails");
    }
    if let Some(missing) = context.history_gap() {
        return Verdict::unknown(missing);
    }
    let evidence = vec![
        context
            .config_proof(format!(
                "the rotation window closed on {}; schedule: {}",
                moment(closed, context.now()),
                expression(config)
            ))
            .at(Some(closed)),
        Proof::of(StepName::RotationHistory, context.history_call(), "no rotation attempt since that window opened"),
    ];
    let remediation = Remediation::new(
        "Start a rotation by hand and see whether it works. The command also sets the schedule again, so that the next date is \
         computed anew.",
    )
    .run(aws_in(
        context,
        &["secretsmanager", "rotate-secret", "--secret-id", context.secret_id(), "--rotation-rules", &schedule_of(config)],
    ))
    .needs("secretsmanager:RotateSecret")
    .needs("lambda:InvokeFunction")
    .warn("The command rotates at once.")
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html");
    let explanation =
        format!("A rotation was due by {}, but no attempt was made: rotation does not start.", moment(closed, context.now()));
    // That it is overdue is certain; that the schedule itself is the reason is what remains when nothing else is found.
    let mut finding = context.finding(CAUSE, Confidence::Likely, explanation, evidence, remediation);
    finding.severity = Severity::Critical;
    finding.into()
}

fn expression(config: &RotationConfig) -> String {
    let Some(rules) = &config.rules else { return "none".to_owned() };
    match (&rules.schedule_expression, rules.automatically_after_days) {
        (Some(expression), _) => expression.clone(),
        (None, Some(days)) => format!("every {days} days"),
        (None, None) => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep};

    fn overdue() -> Evidence {
        let mut evidence = healthy();
        let due = &mut facts(&mut evidence.rotation_config).due;
        due.previous = Some(hours_ago(48));
        due.overdue_since = Some(hours_ago(24));
        evidence
    }

    #[test]
    fn a_window_that_closed_without_an_attempt_is_overdue() {
        let finding = finding(CAUSE, &overdue());
        assert_eq!((finding.confidence, finding.severity), (Confidence::Likely, Severity::Critical));
        assert!(finding.explanation.contains("Mon 9 Mar 12:00 UTC"), "{}", finding.explanation);
    }

    #[test]
    fn attempts_in_the_window_mean_that_rotation_runs_and_fails() {
        let mut evidence = overdue();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        assert_clear(CAUSE, &evidence);
    }

    #[test]
    fn a_history_that_was_not_seen_or_is_cut_short_proves_no_absence() {
        let mut evidence = overdue();
        facts(&mut evidence.history).complete = false;
        assert_unknown(CAUSE, &evidence, "cut short");
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(CAUSE, &evidence, "cloudtrail:LookupEvents");
    }

    #[test]
    fn a_schedule_that_never_fires_is_named() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).due.never_fires = true;
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
    }

    #[test]
    fn it_is_clear_only_where_the_configuration_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationConfig);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
