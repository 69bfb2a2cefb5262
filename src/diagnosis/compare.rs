//! Comparison with other secrets: same function, same key, and everything else, within 24 hours.

use super::case::Case;
use crate::model::{Attempt, AttemptOutcome, Comparison, FleetSecret, FunctionArn, Window};
use jiff::SignedDuration;
use std::collections::BTreeSet;

const SPAN: SignedDuration = SignedDuration::from_hours(24);

/// How other secrets fared around the current failures; `None` when nothing fails or nothing can be compared.
pub(super) fn compare(case: &Case<'_>) -> Option<Comparison> {
    let row = case.failing.as_ref()?;
    let history = case.evidence.history.found()?;
    let around = Window::around(row.last_at, SPAN, SPAN);
    let fleet = history.fleet.found().map(Vec::as_slice).unwrap_or_default();
    let own_function = case.evidence.function_arn();
    let own_key = case.secret().and_then(|secret| secret.kms_key_id.as_deref());

    let mut comparison = Comparison::default();
    for arn in history.other_attempts.iter().map(|attempt| attempt.secret_arn.as_str()).collect::<BTreeSet<_>>() {
        let attempts = || history.other_attempts.iter().filter(|attempt| attempt.secret_arn == arn);
        let Some(last) = attempts().rfind(|attempt| attempt.at().is_some_and(|at| around.contains(at))) else {
            continue;
        };
        let failed = matches!(last.outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned);
        if !failed && last.outcome != AttemptOutcome::Succeeded {
            continue;
        }
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
    let count = |names: &[String]| match names {
        [only] => format!("{only} "),
        many => format!("{} other secrets ", many.len()),
    };
    let verb = |names: &[String], one: &'static str, many: &'static str| if names.len() == 1 { one } else { many };
    let Comparison { same_function_failing: failing, same_function_rotating: rotating, others_failing, same_key_failing, .. } =
        comparison;
    Some(if !rotating.is_empty() && failing.is_empty() {
        format!(
            "{}with the same function {}: the fault lies with this secret.",
            count(rotating),
            verb(rotating, "rotates", "rotate")
        )
    } else if !failing.is_empty() && rotating.is_empty() {
        format!(
            "{}with the same function {} too: the fault lies with the function, not with one secret.",
            count(failing),
            verb(failing, "fails", "fail")
        )
    } else if !failing.is_empty() {
        format!("With the same function, {} fail and {} rotate.", failing.len(), rotating.len())
    } else if !same_key_failing.is_empty() {
        format!("{}with the same key {} too.", count(same_key_failing), verb(same_key_failing, "fails", "fail"))
    } else if !others_failing.is_empty() {
        format!("{}with other functions {} too within 24 h.", count(others_failing), verb(others_failing, "fails", "fail"))
    } else {
        return None;
    })
}
