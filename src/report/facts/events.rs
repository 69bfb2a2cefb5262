//! Steps 6 and 9: rotation attempts, and who changed what.

use super::{Fact, FactGroup};
use crate::model::{Attempt, AttemptOutcome, Change, EventSource, Evidence, FleetSecret, Refusal, SetAside, Unsearched};
use crate::redact::SafeText;
use crate::report::time::moment;
use jiff::Timestamp;

/// The newest first.
pub(super) fn history(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(history) = evidence.history.found() else { return Vec::new() };
    let now = evidence.now;
    let fleet = history.fleet.found().into_iter().flatten().map(|secret| fleet_secret(secret, now));
    [
        FactGroup::facts("Attempts of this secret", history.attempts.iter().rev().map(|own| attempt(own, now))),
        FactGroup::facts("Attempts of other secrets", history.other_attempts.iter().rev().map(|other| of_another(other, now))),
        FactGroup::facts("Secrets of this account and region", fleet),
        source(&history.source, history.complete, &[]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn attempt(attempt: &Attempt, now: Timestamp) -> Fact {
    let outcome = match attempt.outcome {
        AttemptOutcome::Started => "started, no end seen",
        AttemptOutcome::Succeeded => "succeeded",
        AttemptOutcome::Failed => "failed",
        AttemptOutcome::Abandoned => "abandoned",
    };
    let test = if attempt.is_test { " (a test)" } else { "" };
    let step = attempt.step.map(|step| format!(" in {}", step.name())).unwrap_or_default();
    let version = attempt.version_id.as_ref().map(|id| format!(", version {id}")).unwrap_or_default();
    let why = attempt.reason.as_ref().map(|reason| format!(" — {reason}")).unwrap_or_default();
    Fact::new(&moment_of(attempt.at(), now), &format!("{outcome}{test}{step}{version}{why}"))
}

fn of_another(other: &Attempt, now: Timestamp) -> Fact {
    let Fact { lead, text } = attempt(other, now);
    Fact::new(&lead, &format!("{} {text}", other.secret_arn))
}

fn fleet_secret(secret: &FleetSecret, now: Timestamp) -> Fact {
    let function = secret.function_arn.as_ref().map(|arn| format!(" by {}", arn.arn())).unwrap_or_default();
    let rotates = if secret.rotation_enabled { format!("rotates{function}") } else { "does not rotate".to_owned() };
    let last = secret.last_rotated_at.map(|at| format!(", last {}", moment(at, now))).unwrap_or_default();
    Fact::new(&secret.name, &format!("{rotates}{last}"))
}

/// The newest first.
pub(super) fn changes(evidence: &Evidence) -> Vec<FactGroup> {
    let Some(seen) = evidence.changes.found() else { return Vec::new() };
    let now = evidence.now;
    [
        FactGroup::facts("Changes", seen.changes.iter().rev().map(|own| change(own, now))),
        FactGroup::facts("Set aside", seen.set_aside.iter().rev().map(|aside| set_aside(aside, now))),
        FactGroup::facts("Refused rotations", seen.refusals.iter().rev().map(|refused| refusal(refused, now))),
        source(&seen.source, seen.complete, &seen.searched),
        FactGroup::facts("Not searched", unsearched(&seen.unsearched)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Why events were not searched, each reason once, with their names.
fn unsearched(events: &[Unsearched]) -> Vec<Fact> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for Unsearched { event, because, .. } in events {
        match reasons.iter_mut().find(|(reason, _)| reason == because) {
            Some((_, names)) => names.push(event),
            None => reasons.push((because, vec![event])),
        }
    }
    reasons.into_iter().map(|(because, names)| Fact::new(&names.join(", "), because)).collect()
}

fn change(change: &Change, now: Timestamp) -> Fact {
    let parameters = match &change.parameters {
        serde_json::Value::Null => String::new(),
        parameters => format!(" {parameters}"),
    };
    let tool = change.tool.as_ref().map(|tool| format!(" (with {tool})")).unwrap_or_default();
    let text = format!("{}{tool}: {} on {}{parameters}", change.actor, change.event, change.resource);
    Fact::new(&moment(change.at, now), &text)
}

fn set_aside(aside: &SetAside, now: Timestamp) -> Fact {
    let text = format!("{}: {} on {} — {}", aside.actor, aside.event, aside.resource, aside.because);
    Fact::new(&moment(aside.at, now), &text)
}

fn refusal(refusal: &Refusal, now: Timestamp) -> Fact {
    Fact::new(&moment(refusal.at, now), &format!("{} was refused {}: {}", refusal.actor, refusal.action, refusal.message))
}

fn source(source: &EventSource, complete: bool, searched: &[String]) -> Option<FactGroup> {
    let from = match source {
        EventSource::TrailLogGroup(name) => format!("the log group of a trail, {name}"),
        EventSource::EventHistory => "CloudTrail's event history".to_owned(),
    };
    let all = if searched.is_empty() { "all write events".to_owned() } else { searched.join(", ") };
    let read = if complete { "whole" } else { "cut short by a limit" };
    FactGroup::facts("Where this is from", [Fact::new("source", &from), Fact::new("searched", &all), Fact::new("read", read)])
}

fn moment_of(at: Option<Timestamp>, now: Timestamp) -> SafeText {
    at.map_or_else(|| "at an unknown time".into(), |at| moment(at, now))
}
