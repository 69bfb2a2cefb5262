//! Step 6: rotation attempts with their reasons and times, this secret's and those of others.

use super::attempts::{Attempts, attempts};
use super::events::{self, LookUp, TrailLook};
use super::secret::{Described, is_pending_apart};
use super::{StepContext, StepResult, carried, not_here, text};
use crate::aws::AwsCaller;
use crate::model::{Attempt, AttemptOutcome, EventSource, FleetSecret, Observation, RotationHistory, SecretRef, Window};
use std::sync::Arc;

/// Pages of `ListSecrets` read to compare secrets; a page holds 100.
const MAX_FLEET_PAGES: usize = 10;

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
) -> StepResult<RotationHistory> {
    let described = match &subject {
        Observation::Found(described) => Some(described.as_ref()),
        Observation::NotApplicable { .. } => return carried(subject).into(),
        // Without DescribeSecret the events can still be told apart by the name that was asked for.
        _ => None,
    };
    if let Some(because) = described.filter(|described| described.facts.is_replica()).and_then(not_here) {
        return Observation::NotApplicable { because }.into();
    }
    let named = described.map_or_else(|| cx.request.asked.clone(), |described| SecretRef::Arn(described.facts.arn.clone()));
    let window = events::span(cx, described.and_then(|described| described.config.last_rotated_at));
    let (seen, source, complete, window) = match cx.trail.read(cx, caller, window).await {
        Some(trail) if trail.complete => {
            let source = EventSource::TrailLogGroup(trail.group.clone());
            (attempts(&trail.events, &named), source, true, trail.window)
        }
        partial => {
            let (mut looked, window) = look_up(cx, caller, described, &named, window).await;
            let complete = looked.is_complete();
            if let Some(trail) = &partial {
                looked.events.extend(trail.events.iter().cloned());
            }
            events::newest_last(&mut looked.events);
            if let (true, Some(unanswered)) = (looked.events.is_empty(), looked.unanswered) {
                return carried(unanswered).into();
            }
            (attempts(&looked.events, &named), EventSource::EventHistory, complete, window)
        }
    };
    let fleet = fleet(cx, caller, &seen).await;
    let summary = summary(&seen, complete, &window);
    let history = RotationHistory { attempts: seen.own, other_attempts: seen.others, fleet, source, complete };
    StepResult { observation: Observation::Found(history), window: Some(window), summary }
}

/// The event history, by the names that tell how attempts ended; since the last success where that is known.
async fn look_up(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    described: Option<&Described>,
    named: &SecretRef,
    span: Window,
) -> (TrailLook, Window) {
    let window = events::since_success(span, described.and_then(|described| described.config.last_rotated_at));
    let region = cx.aws.region();
    let ask = |name| events::look_up(cx, caller, region, LookUp::Name(name), window);
    let (mut looked, succeeded, abandoned) =
        tokio::join!(ask("RotationFailed"), ask("RotationSucceeded"), ask("RotationAbandoned"));
    looked.add(succeeded);
    looked.add(abandoned);
    let has_failed = attempts(&looked.events, named).own.iter().any(|attempt| attempt.outcome != AttemptOutcome::Succeeded);
    let is_due = described
        .filter(|described| described.facts.deleted_at.is_none())
        .is_some_and(|described| described.config.due.overdue_since.is_some() || is_pending_apart(&described.facts));
    if is_due && !has_failed {
        // Nothing failed, yet it is due: did a rotation begin at all?
        let (started, tested) = tokio::join!(ask("RotationStarted"), ask("TestRotationFailed"));
        looked.add(started);
        looked.add(tested);
    }
    (looked, window)
}

/// The region's secrets, asked only where this one fails while events of others allow a comparison.
async fn fleet(cx: &StepContext<'_>, caller: &AwsCaller, seen: &Attempts) -> Observation<Vec<FleetSecret>> {
    let is_failing = last_ended(&seen.own).is_some_and(|attempt| attempt.outcome != AttemptOutcome::Succeeded);
    if !is_failing || seen.others.is_empty() {
        let because = if is_failing { "no other secret rotated in this window" } else { "nothing fails that could be compared" };
        return Observation::NotApplicable { because: because.to_owned() };
    }
    let mut secrets = Vec::new();
    let mut token = None::<String>;
    for _ in 0..MAX_FLEET_PAGES {
        let request = cx.aws.secretsmanager.list_secrets().max_results(100).set_next_token(token.take()).send();
        let page = match caller.call("secretsmanager:ListSecrets", "*", request).await {
            Observation::Found(page) => page,
            unanswered => return carried(unanswered),
        };
        secrets.extend(page.secret_list().iter().filter_map(|entry| {
            Some(FleetSecret {
                arn: entry.arn()?.to_owned(),
                name: entry.name()?.to_owned(),
                rotation_enabled: entry.rotation_enabled().unwrap_or_default(),
                function_arn: entry.rotation_lambda_arn().and_then(text::function_arn),
                kms_key_id: entry.kms_key_id().map(str::to_owned),
                last_rotated_at: entry.last_rotated_date().and_then(text::timestamp),
            })
        }));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    Observation::Found(secrets)
}

/// The last attempt whose end is known, tests aside.
pub(super) fn last_ended(attempts: &[Attempt]) -> Option<&Attempt> {
    attempts.iter().rfind(|attempt| attempt.outcome != AttemptOutcome::Started && !attempt.is_test)
}

/// The first failure after the last success: where the present trouble began.
pub(super) fn first_failure(attempts: &[Attempt]) -> Option<&Attempt> {
    let mut first = None;
    for attempt in attempts.iter().rev().filter(|attempt| !attempt.is_test) {
        match attempt.outcome {
            AttemptOutcome::Succeeded => break,
            AttemptOutcome::Failed | AttemptOutcome::Abandoned => first = Some(attempt),
            AttemptOutcome::Started => {}
        }
    }
    first
}

fn summary(seen: &Attempts, complete: bool, window: &Window) -> String {
    let count = |outcome| seen.own.iter().filter(|attempt| attempt.outcome == outcome && !attempt.is_test).count();
    let (failed, succeeded) = (count(AttemptOutcome::Failed), count(AttemptOutcome::Succeeded));
    let mut parts = Vec::new();
    if seen.own.is_empty() {
        parts.push(match window.length().as_hours() / 24 {
            ..=1 => "no rotation attempt in the last day".to_owned(),
            days => format!("no rotation attempt in the last {days} days"),
        });
    } else {
        parts.push(format!("{}: {failed} failed, {succeeded} succeeded", text::counted(seen.own.len(), "attempt")));
    }
    if let Some(last) = last_ended(&seen.own)
        && let (AttemptOutcome::Failed, Some(at)) = (last.outcome, last.at())
    {
        let step = last.step.map(|step| format!(" in {step}")).unwrap_or_default();
        parts.push(format!("last failed {}{step}", text::moment(at)));
    }
    if count(AttemptOutcome::Abandoned) > 0 {
        parts.push(format!("{} abandoned", count(AttemptOutcome::Abandoned)));
    }
    if !complete {
        parts.push("the history is incomplete".to_owned());
    }
    parts.join(", ")
}
