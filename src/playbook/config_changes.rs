//! Step 9: who changed the secret, its rotation, the function, the role, the key or the network, and when.

use super::change_search::{Search, Searched};
use super::events;
use super::relevance::Watched;
use super::rotation_history::first_failure;
use super::secret::Described;
use super::trail_event::TrailEvent;
use super::{Context, Seen, carried, text};
use crate::aws::AwsCaller;
use crate::model::{
    Change, ConfigChanges, EventSource, FunctionFacts, Observation, RoleFacts, RotationHistory, SecretRef, Window,
};
use std::sync::Arc;

/// Changes kept; of a longer list, the newest.
const MAX_CHANGES: usize = 200;

pub(super) async fn collect(
    cx: &Context<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
    function: Observation<Arc<FunctionFacts>>,
    history: Observation<Arc<RotationHistory>>,
) -> Seen<ConfigChanges> {
    let described = match &subject {
        Observation::NotApplicable { because } => return Observation::NotApplicable { because: because.clone() }.into(),
        other => other.found().cloned(),
    };
    let config = described.as_ref().map(|described| &described.config);
    let span = events::span(cx, config.and_then(|config| config.last_rotated_at));
    // The moment that a change should explain: the first failure of the present row, or the window that was missed.
    let trouble = history
        .found()
        .and_then(|history| first_failure(&history.attempts))
        .and_then(|attempt| attempt.started_at.or(attempt.ended_at))
        .or_else(|| {
            config
                .filter(|config| config.due.overdue_since.is_some())
                .and_then(|config| config.due.previous.or(config.due.overdue_since))
        });

    let mut names = cx.request.change_events.clone();
    // A rotation that is wanted and does not come may have been refused to whoever asked for it.
    let failing = history.found().is_some_and(|history| first_failure(&history.attempts).is_some());
    let wanted = described.as_ref().is_some_and(|it| it.config.enabled == Some(true) && it.facts.deleted_at.is_none());
    if wanted && history.found().is_some() && !failing {
        names.push("RotateSecret".to_owned());
    }
    // A search by name goes on where the look before it ended.
    let known = earlier(cx).filter(|_| !cx.request.change_events.is_empty());
    let role = cx.board.role.get();
    let watched_so_far = watched(cx, described.as_deref(), &function, role);
    let all_regions = regions(cx);
    let search = |regions| Search {
        regions,
        watched: &watched_so_far,
        function: function.found().map(AsRef::as_ref),
        trouble,
        last_success: config.and_then(|config| config.last_rotated_at),
        known,
    };
    let most = cx.request.most_look_ups;
    let since = events::since_success(span, config.and_then(|config| config.last_rotated_at));
    let trail = cx.trail.read(cx, caller, span).await.filter(|trail| trail.complete);
    let searched = match &trail {
        Some(trail) if trail.has_global_events => Searched::default(),
        Some(_) => search(&[cx.aws.global_region()]).perform(cx, caller, since, &names, most).await,
        None if trouble.is_none() && names.is_empty() => {
            // Without the secret or its history it is not known that nothing failed.
            if !matches!(subject, Observation::Found(_)) {
                return carried(subject).into();
            }
            if !matches!(history, Observation::Found(_)) {
                return carried(history).into();
            }
            let because = "nothing failed or is overdue that a change would have to explain";
            return Observation::NotApplicable { because: because.to_owned() }.into();
        }
        None => search(&all_regions).perform(cx, caller, since, &names, most).await,
    };
    let mut events: Vec<TrailEvent> = trail.iter().flat_map(|trail| trail.events.iter().cloned()).collect();
    let mut complete = searched.looked.is_complete() && searched.unsearched.iter().all(|one| one.is_needless);
    events.extend(searched.looked.events);
    if let (true, None, Some(unanswered)) = (events.is_empty(), known, searched.looked.unanswered) {
        return carried(unanswered).into();
    }
    events::newest_last(&mut events);
    let role = caller.within_deadline(cx.board.role.wait()).await;
    let before_trouble = trouble.map(events::before);
    let mut watched = Watched { before_trouble, ..watched(cx, described.as_deref(), &function, role) };
    watched.learn_policies(&events);
    let mut changes: Vec<Change> = events.iter().filter_map(|event| watched.change(event)).collect();
    let mut refusals: Vec<_> = events.iter().filter_map(|event| watched.refusal(event)).collect();
    let (mut names, mut unsearched) = (searched.names, searched.unsearched);
    if let Some(known) = known {
        changes.extend(known.changes.iter().filter(|change| !changes.contains(change)).cloned().collect::<Vec<_>>());
        changes.sort_by_key(|change| change.at);
        refusals.extend(known.refusals.iter().filter(|refusal| !refusals.contains(refusal)).cloned().collect::<Vec<_>>());
        refusals.sort_by_key(|refusal| refusal.at);
        names.splice(0..0, known.searched.iter().cloned());
        unsearched.splice(0..0, known.unsearched.iter().cloned());
        complete &= known.complete;
    }
    complete &= changes.len() <= MAX_CHANGES;
    changes.drain(..changes.len().saturating_sub(MAX_CHANGES));

    let window = if trail.is_some() { span } else { searched.window.unwrap_or(span) };
    let source = match trail {
        Some(trail) => EventSource::TrailLogGroup(trail.group.clone()),
        None => EventSource::EventHistory,
    };
    let facts = ConfigChanges { changes, refusals, source, searched: names, unsearched, complete };
    let summary = summary(&facts, &window);
    Seen { observation: Observation::Found(facts), window: Some(window), summary }
}

/// What this step saw of event history in the look before.
fn earlier<'a>(cx: &Context<'a>) -> Option<&'a ConfigChanges> {
    let (evidence, _) = cx.request.rerun.as_ref()?;
    evidence.changes.found().filter(|changes| changes.source == EventSource::EventHistory)
}

/// This region, and the one that holds IAM's changes.
fn regions<'a>(cx: &Context<'a>) -> Vec<&'a str> {
    let mut regions = vec![cx.aws.region(), cx.aws.global_region()];
    regions.dedup();
    regions
}

fn watched(
    cx: &Context<'_>,
    described: Option<&Described>,
    function: &Observation<Arc<FunctionFacts>>,
    role: Option<&Observation<Arc<RoleFacts>>>,
) -> Watched {
    let function = function.found();
    let policies = role.and_then(Observation::found).and_then(|facts| facts.policies.found());
    let attached = policies.map(|policies| {
        let all = policies.identity.iter().chain(&policies.boundary);
        all.map(|policy| policy.name.clone()).filter(|name| name.starts_with("arn:")).collect()
    });
    let keys = described.and_then(|described| described.facts.kms_key_id.clone()).into_iter();
    let environment_key = function.and_then(|facts| facts.kms_key_arn.as_ref()).map(|key| key.as_str().to_owned());
    let vpc = function.and_then(|facts| facts.vpc.as_ref());
    Watched {
        secret: described.map_or_else(|| cx.request.asked.clone(), |described| SecretRef::Arn(described.facts.arn.clone())),
        function: described.and_then(|described| described.config.function_arn.clone()),
        role: function.map(|facts| facts.role.clone()),
        layers: function.map(|facts| facts.layers.clone()).unwrap_or_default(),
        policies: attached.unwrap_or_default(),
        keys: keys.chain(environment_key).collect(),
        network: vpc
            .map(|vpc| {
                let ids = vpc.security_group_ids.iter().chain(&vpc.subnet_ids).chain(std::iter::once(&vpc.vpc_id));
                ids.cloned().collect()
            })
            .unwrap_or_default(),
        before_trouble: None,
    }
}

fn summary(facts: &ConfigChanges, window: &Window) -> String {
    let (kinds, span) = (facts.searched.len(), text::span(window));
    let mut line = match facts.changes.last() {
        Some(last) => {
            let changes = text::counted(facts.changes.len(), "change");
            format!("{changes}, last {} by {} {}", last.event, last.actor, text::moment(last.at))
        }
        None if facts.searched.is_empty() => format!("no change, {span}"),
        None => format!("no change found for {} searched, {span}", text::counted(kinds, "event name")),
    };
    let unasked = facts.unsearched.iter().filter(|one| !one.is_needless).count();
    if unasked > 0 {
        line.push_str(&format!("; {} not searched for", text::counted(unasked, "event name")));
    }
    if !facts.complete {
        line.push_str("; the history is incomplete");
    }
    line
}
