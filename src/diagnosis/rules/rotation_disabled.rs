//! # Rotation is turned off
//!
//! The secret used to rotate, or was set up to, and rotation has been cancelled since.
//!
//! **Shows as** `RotationEnabled` false or absent while rotation rules, a function or a last rotation are still there;
//! CancelRotateSecret in CloudTrail.
//!
//! **Is not it** when rotation was never set up: see `rotation_never_enabled`.

use crate::diagnosis::remedy::{aws_in, known_function, list_functions, schedule_of};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Concern, Confidence, Remediation, RotationConfig, StepName, moment};

const CAUSE: Cause = Cause::RotationDisabled;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::RotationConfig],
    explained_by: &[change_events::ROTATION_CANCELLED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if let Some(verdict) = context.without_config() {
        return verdict;
    }
    let Some(config) = context.config() else { return Verdict::clear("there is no rotation configuration") };
    if config.enabled == Some(true) {
        return Verdict::clear("rotation is turned on");
    }
    if context.secret().is_some_and(|secret| secret.is_replica()) {
        return Verdict::clear("a replica rotates in its primary region");
    }
    let cancelled = context.last_change(Concern::Secret, &["CancelRotateSecret"]);
    if !config.was_set_up() && cancelled.is_none() && context.attempts().next().is_none() {
        return match context.history_gap() {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("rotation was never turned on"),
        };
    }
    let mut evidence = vec![context.config_proof(traces(context, config)).at(config.last_rotated_at)];
    let mut explanation = match config.last_rotated_at {
        Some(at) => format!("Rotation is turned off. The secret last rotated on {}.", at.strftime("%-d %b %Y")),
        None => "Rotation was set up once, and is turned off now.".to_owned(),
    };
    if let Some(change) = cancelled {
        explanation = format!("{} called CancelRotateSecret. {explanation}", change.actor);
        evidence.push(context.change_proof(change));
    }
    context.finding(CAUSE, Confidence::Confirmed, explanation, evidence, turn_on(context, config)).into()
}

fn traces(context: &DiagnosisContext<'_>, config: &RotationConfig) -> String {
    let state = if config.enabled.is_some() { "RotationEnabled is false" } else { "RotationEnabled is absent" };
    let mut left = Vec::new();
    left.extend(config.function_arn.as_ref().map(|arn| format!("RotationLambdaARN {arn}")));
    left.extend(config.rules.is_some().then(|| "RotationRules".to_owned()));
    left.extend(config.last_rotated_at.map(|at| format!("LastRotatedDate {}", moment(at, context.now()))));
    if left.is_empty() { state.to_owned() } else { format!("{state}, while {} remain", left.join(", ")) }
}

fn turn_on(context: &DiagnosisContext<'_>, config: &RotationConfig) -> Remediation {
    // A schedule that never fires would leave rotation as it is.
    let fires = !config.due.never_fires && config.due.invalid.is_none();
    let schedule = if fires { schedule_of(config) } else { r#"{"ScheduleExpression":"rate(30 days)"}"#.to_owned() };
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()];
    let managed = context.secret().is_some_and(|secret| secret.owning_service.is_some());
    let known = known_function(context);
    let function = known.as_deref().unwrap_or("FUNCTION_ARN");
    // What a service owns it rotates itself, and takes a schedule alone.
    // Source: AWS Secrets Manager User Guide, "Managed rotation for AWS Secrets Manager secrets".
    if !managed {
        words.extend(["--rotation-lambda-arn", function]);
    }
    words.extend(["--rotation-rules", &schedule]);
    let mut fix = Remediation::new("Turn rotation on again, which also rotates.");
    if !managed && known.is_none() {
        fix = fix.run(list_functions(context));
    }
    fix = fix.run(aws_in(context, &words)).needs("secretsmanager:RotateSecret");
    if !managed {
        fix = fix.needs("lambda:InvokeFunction");
    }
    fix.warn(
        "Ask first whether it was turned off on purpose. The command rotates at once; with --no-rotate-immediately the \
               first rotation waits for its window.",
    )
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_turn-on-cli.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Change, StepName};

    #[test]
    fn a_cancelled_rotation_names_who_cancelled_it_and_how_to_turn_it_on() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).enabled = Some(false);
        facts(&mut evidence.changes)
            .changes
            .push(Change { resource: SECRET.to_owned(), ..change(hours_ago(100), "CancelRotateSecret", Concern::Secret) });
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.explanation.starts_with("carol called CancelRotateSecret."), "{}", root.explanation);
        assert!(root.remediation.commands[0].contains(FUNCTION), "{:?}", root.remediation.commands);
        assert!(root.remediation.commands[0].contains("rate(30 days)"), "{:?}", root.remediation.commands);
    }

    #[test]
    fn what_a_service_owns_is_turned_on_again_without_a_function() {
        let mut evidence = healthy();
        facts(&mut evidence.secret).owning_service = Some("rds".to_owned());
        let config = facts(&mut evidence.rotation_config);
        (config.enabled, config.function_arn) = (Some(false), None);
        let fix = finding(CAUSE, &evidence).remediation;
        assert_eq!(fix.needs, ["secretsmanager:RotateSecret"]);
        assert!(!fix.commands[0].contains("--rotation-lambda-arn") && fix.commands[0].contains("--rotation-rules"), "{fix:?}");
    }

    #[test]
    fn rules_that_remain_while_the_flag_is_absent_are_a_cancelled_rotation_too() {
        let mut evidence = healthy();
        facts(&mut evidence.rotation_config).enabled = None;
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Confirmed);
        assert_clear(Cause::RotationNeverEnabled, &evidence);
    }

    #[test]
    fn it_is_clear_only_where_the_configuration_was_seen() {
        let mut evidence = healthy();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationConfig);
        assert_unknown(CAUSE, &evidence, "secretsmanager:DescribeSecret");
    }
}
