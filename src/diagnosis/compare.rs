//! Comparison with other secrets: same function, same key, and everything else, within 24 hours.

use super::context::DiagnosisContext;
use crate::model::{Attempt, AttemptOutcome, Comparison, FleetSecret, FunctionArn, Window};
use jiff::SignedDuration;
use std::collections::BTreeSet;

const SPAN: SignedDuration = SignedDuration::from_hours(24);

/// How other secrets fared around the current failures; `None` when nothing fails or nothing can be compared.
pub(super) fn compare(context: &DiagnosisContext<'_>) -> Option<Comparison> {
    let row = context.failing.as_ref()?;
    let history = context.evidence.history.found()?;
    let around = Window::around(row.last_at, SPAN, SPAN);
    let fleet = history.fleet.found().map(Vec::as_slice).unwrap_or_default();
    let own_function = context.evidence.function_arn();
    let own_key = context.secret().and_then(|secret| secret.kms_key_id.as_deref());

    let mut comparison = Comparison::default();
    for arn in history.other_attempts.iter().map(|attempt| attempt.secret_arn.as_str()).collect::<BTreeSet<_>>() {
        let attempts = || history.other_attempts.iter().filter(|attempt| attempt.secret_arn == arn && !attempt.is_test);
        // An attempt that only began does not tell how it goes.
        let ended = attempts().filter(|attempt| attempt.outcome != AttemptOutcome::Started);
        let Some(last) = ended.filter(|attempt| attempt.at().is_some_and(|at| around.contains(at))).max_by_key(|a| a.at()) else {
            continue;
        };
        let failed = last.outcome != AttemptOutcome::Succeeded;
        let known = fleet.iter().find(|secret| secret.arn == arn);
        let name = known.map_or(arn, |secret| secret.name.as_str()).to_owned();
        let shares_function =
            own_function.is_some_and(|own| function_of(attempts(), known).is_some_and(|f| f.is_same_function(own)));
        let shares_key = own_key.is_some() && known.is_some_and(|secret| secret.kms_key_id.as_deref() == own_key);
        let list = match (shares_function, failed) {
            (true, true) => &mut comparison.same_function_failing,
            (true, false) => &mut comparison.same_function_rotating,
            (false, true) => &mut comparison.others_failing,
            (false, false) => &mut comparison.others_rotating,
        };
        list.push(name.clone());
        if shares_key {
            let list = if failed { &mut comparison.same_key_failing } else { &mut comparison.same_key_rotating };
            list.push(name);
        }
    }
    comparison.conclusion = conclude(&comparison)?;
    Some(comparison)
}

fn function_of<'a>(mut attempts: impl Iterator<Item = &'a Attempt>, known: Option<&'a FleetSecret>) -> Option<&'a FunctionArn> {
    known.and_then(|secret| secret.function_arn.as_ref()).or_else(|| attempts.find_map(|attempt| attempt.function_arn.as_ref()))
}

fn conclude(comparison: &Comparison) -> Option<String> {
    let Comparison {
        same_function_failing,
        same_function_rotating,
        same_key_failing,
        others_failing,
        others_rotating,
        same_key_rotating: _,
        conclusion: _,
    } = comparison;
    Some(match (same_function_failing.as_slice(), same_function_rotating.as_slice()) {
        ([], [_, ..]) => {
            format!("{} with the same function: the fault lies with this secret.", rotate(same_function_rotating))
        }
        ([_, ..], []) => {
            let too = fail_too(same_function_failing);
            format!("{too} with the same function: the fault lies with the function, not with one secret.")
        }
        ([_, ..], [_, ..]) => format!(
            "With the same function, {} fail and {} rotate: look for what the failing ones have in common.",
            same_function_failing.len(),
            same_function_rotating.len()
        ),
        // Which function the others have says nothing once they share the key with this one.
        ([], []) if !same_key_failing.is_empty() => format!("{} with the same key.", fail_too(same_key_failing)),
        ([], []) if !others_failing.is_empty() => format!("{} with other functions within 24 h.", fail_too(others_failing)),
        ([], []) if !others_rotating.is_empty() => {
            format!("{} with other functions: the fault lies with this secret or its function.", rotate(others_rotating))
        }
        ([], []) => return None,
    })
}

fn rotate(names: &[String]) -> String {
    match names {
        [only] => format!("{only} rotates"),
        many => format!("{} other secrets rotate", many.len()),
    }
}

fn fail_too(names: &[String]) -> String {
    match names {
        [only] => format!("{only} fails too"),
        many => format!("{} other secrets fail too", many.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{FUNCTION, KEY, arn, attempt, facts, fail, healthy, hours_ago};
    use crate::model::{Evidence, Observation, RotationStep};
    use AttemptOutcome::{Failed, Started, Succeeded};

    fn failing() -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        evidence
    }

    fn arn_of(name: &str) -> String {
        format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf")
    }

    fn other(evidence: &mut Evidence, name: &str, function: &str, hours: i64, outcome: AttemptOutcome) {
        let own = Attempt { secret_arn: arn_of(name), function_arn: Some(arn(function)), ..attempt(hours_ago(hours), outcome) };
        facts(&mut evidence.history).other_attempts.push(own);
    }

    fn conclusion(evidence: &Evidence) -> Option<String> {
        compare(&DiagnosisContext::new(evidence)).map(|comparison| comparison.conclusion)
    }

    #[test]
    fn others_with_the_same_function_place_the_fault() {
        let mut evidence = failing();
        assert_eq!(conclusion(&evidence), None);
        other(&mut evidence, "a", &format!("{FUNCTION}:live"), 3, Succeeded);
        let alone = format!("{} rotates with the same function: the fault lies with this secret.", arn_of("a"));
        assert_eq!(conclusion(&evidence), Some(alone));
        other(&mut evidence, "b", FUNCTION, 3, Failed);
        assert_eq!(
            conclusion(&evidence).as_deref(),
            Some("With the same function, 1 fail and 1 rotate: look for what the failing ones have in common.")
        );
    }

    #[test]
    fn a_function_that_fails_for_all_is_at_fault() {
        let mut evidence = failing();
        for name in ["a", "b"] {
            other(&mut evidence, name, FUNCTION, 3, Failed);
        }
        assert_eq!(
            conclusion(&evidence).as_deref(),
            Some("2 other secrets fail too with the same function: the fault lies with the function, not with one secret.")
        );
    }

    #[test]
    fn others_elsewhere_count_only_within_a_day_by_their_last_attempt_that_ended() {
        let elsewhere = format!("{FUNCTION}-elsewhere");
        let mut evidence = failing();
        other(&mut evidence, "old", &elsewhere, 48, Failed);
        assert_eq!(conclusion(&evidence), None);
        other(&mut evidence, "a", &elsewhere, 4, Failed);
        other(&mut evidence, "a", &elsewhere, 3, Succeeded);
        other(&mut evidence, "a", &elsewhere, 2, Started);
        let healed = format!("{} rotates with other functions: the fault lies with this secret or its function.", arn_of("a"));
        assert_eq!(conclusion(&evidence), Some(healed));
    }

    #[test]
    fn secrets_that_share_the_key_are_told_by_their_names() {
        let mut evidence = failing();
        let elsewhere = format!("{FUNCTION}-elsewhere");
        other(&mut evidence, "a", &elsewhere, 3, Failed);
        facts(&mut evidence.history).fleet = Observation::Found(vec![FleetSecret {
            arn: arn_of("a"),
            name: "a".into(),
            rotation_enabled: true,
            function_arn: Some(arn(&elsewhere)),
            kms_key_id: Some(KEY.into()),
            last_rotated_at: None,
        }]);
        assert_eq!(conclusion(&evidence).as_deref(), Some("a fails too with the same key."));
    }

    #[test]
    fn nothing_is_compared_while_rotation_works() {
        let mut evidence = healthy();
        other(&mut evidence, "a", FUNCTION, 3, Failed);
        assert_eq!(conclusion(&evidence), None);
    }
}
