//! Step 9: who changed the secret, its rotation, the function, the role, the key or the network, and when.

use super::change_search::{Search, Searched};
use super::events;
use super::policy_change::link_policies;
use super::relevance::Watched;
use super::rotation_history::first_failure;
use super::secret::Described;
use super::trail_event::TrailEvent;
use super::{StepContext, StepResult, carried, text};
use crate::aws::AwsCaller;
use crate::model::{
    Change, ConfigChanges, EventSource, FunctionFacts, Observation, RoleFacts, RotationHistory, SecretFacts, SecretRef, Window,
};
use std::sync::Arc;

/// Changes kept; of a longer list, the newest.
const MAX_CHANGES: usize = 200;

/// Changes that do not count, kept; of a longer list, the newest.
const MAX_SET_ASIDE: usize = 50;

/// Event names that the summary tells of those that were not searched.
const NAMED: usize = 3;

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
    function: Observation<Arc<FunctionFacts>>,
    history: Observation<Arc<RotationHistory>>,
) -> StepResult<ConfigChanges> {
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
        let lost = described.as_deref().zip(history.found());
        if lost.is_some_and(|(described, history)| lost_current(&described.facts, history)) {
            // Both at once, before others: a value that was stored since is the newer one.
            names.splice(0..0, ["UpdateSecretVersionStage", "PutSecretValue"].map(str::to_owned));
        }
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
    let suspicion = trouble.map(|to| Window { from: since.from.min(to), to });
    let mut watched = Watched { before_trouble, suspicion, ..watched(cx, described.as_deref(), &function, role) };
    watched.learn_policies(&events);
    let mut changes: Vec<Change> = events.iter().filter_map(|event| watched.change(event)).collect();
    let mut refusals: Vec<_> = events.iter().filter_map(|event| watched.refusal(event)).collect();
    let mut set_aside: Vec<_> = events.iter().filter_map(|event| watched.set_aside(event)).collect();
    let (mut names, mut unsearched) = (searched.names, searched.unsearched);
    if let Some(known) = known {
        changes.extend(known.changes.iter().filter(|change| !changes.contains(change)).cloned().collect::<Vec<_>>());
        changes.sort_by_key(|change| change.at);
        refusals.extend(known.refusals.iter().filter(|refusal| !refusals.contains(refusal)).cloned().collect::<Vec<_>>());
        refusals.sort_by_key(|refusal| refusal.at);
        set_aside.extend(known.set_aside.iter().filter(|aside| !set_aside.contains(aside)).cloned().collect::<Vec<_>>());
        set_aside.retain(|aside| !changes.iter().any(|change| change.at == aside.at && change.event == aside.event));
        set_aside.sort_by_key(|aside| aside.at);
        names.splice(0..0, known.searched.iter().cloned());
        unsearched.splice(0..0, known.unsearched.iter().cloned());
        complete &= known.complete;
    }
    complete &= changes.len() <= MAX_CHANGES;
    changes.drain(..changes.len().saturating_sub(MAX_CHANGES));
    link_policies(&mut changes);
    set_aside.drain(..set_aside.len().saturating_sub(MAX_SET_ASIDE));

    let window = if trail.is_some() { span } else { searched.window.unwrap_or(span) };
    let source = match trail {
        Some(trail) => EventSource::TrailLogGroup(trail.group.clone()),
        None => EventSource::EventHistory,
    };
    let facts = ConfigChanges { changes, refusals, set_aside, source, searched: names, unsearched, complete };
    let summary = summary(&facts, &window);
    StepResult { observation: Observation::Found(facts), window: Some(window), summary }
}

/// True where AWSCURRENT is no longer on the version that the last rotation stored: somebody moved it, or stored a value.
fn lost_current(secret: &SecretFacts, history: &RotationHistory) -> bool {
    let rotated = history.last_success().and_then(|attempt| attempt.version_id.as_deref());
    rotated.is_some_and(|rotated| secret.current_instead_of(rotated).is_some())
}

/// What this step saw of event history in the look before.
fn earlier<'a>(cx: &StepContext<'a>) -> Option<&'a ConfigChanges> {
    let (evidence, _) = cx.request.rerun.as_ref()?;
    evidence.changes.found().filter(|changes| changes.source == EventSource::EventHistory)
}

/// This region, and the one that holds IAM's changes.
fn regions<'a>(cx: &StepContext<'a>) -> Vec<&'a str> {
    let mut regions = vec![cx.aws.region(), cx.aws.global_region()];
    regions.dedup();
    regions
}

fn watched(
    cx: &StepContext<'_>,
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
        role: function
            .map(|facts| facts.role.clone())
            .or_else(|| described.and_then(|described| described.config.external_role_arn.clone())),
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
        suspicion: None,
    }
}

/// `6 event types searched, 1 change set aside: …; 10 not searched: …`; what was found comes first.
fn summary(facts: &ConfigChanges, window: &Window) -> String {
    let searched = match facts.searched.len() {
        0 => "all write events searched".to_owned(),
        kinds => format!("{} searched", text::counted(kinds, "event type")),
    };
    let mut parts = match facts.changes.last() {
        Some(last) => {
            let changes = text::counted(facts.changes.len(), "change");
            let lead = if facts.changes.len() == 1 { ":" } else { ", last" };
            let found = format!("{changes}{lead} {} by {} {}", last.event, last.actor, text::moment(last.at));
            vec![if facts.searched.is_empty() { found } else { format!("{found}; {searched}") }]
        }
        None if facts.set_aside.is_empty() => vec![searched, "no change".to_owned(), text::span(window)],
        None => vec![searched],
    };
    if let Some(last) = facts.set_aside.last() {
        let aside = text::counted(facts.set_aside.len(), "change");
        let lead = if facts.set_aside.len() == 1 { "" } else { "last " };
        let which = format!("{} on {} by {} {}", last.event, last.resource, last.actor, text::moment(last.at));
        parts.push(format!("{aside} set aside: {lead}{which} ({})", last.because));
    }
    if let Some(last) = facts.refusals.last() {
        let calls = text::counted(facts.refusals.len(), "refused call");
        let lead = if facts.refusals.len() == 1 { ":" } else { ", last" };
        parts.push(format!("{calls}{lead} {} by {} {}", last.action, last.actor, text::moment(last.at)));
    }
    let mut line = parts.join(", ");
    let unasked: Vec<&str> = facts.unsearched.iter().filter(|one| !one.is_needless).map(|one| one.event.as_str()).collect();
    if unasked.is_empty() {
        if !facts.complete {
            line.push_str("; the history is incomplete");
        }
        return line;
    }
    let named: Vec<&str> = unasked.iter().take(NAMED).copied().collect();
    let more = unasked.len() - named.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    line.push_str(&format!("; {} not searched: {}{rest}", unasked.len(), named.join(", ")));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SetAside, Unsearched};

    fn facts() -> ConfigChanges {
        ConfigChanges {
            changes: Vec::new(),
            refusals: Vec::new(),
            set_aside: Vec::new(),
            source: EventSource::EventHistory,
            searched: (1..=6).map(|nth| format!("Event{nth}")).collect(),
            unsearched: Vec::new(),
            complete: true,
        }
    }

    #[test]
    fn the_summary_says_what_was_searched_what_was_set_aside_and_what_was_not_searched() {
        let at: jiff::Timestamp = "2026-11-22T04:45:00Z".parse().unwrap();
        let window = Window { from: at - jiff::SignedDuration::from_hours(24), to: at };
        let mut facts = facts();
        assert_eq!(summary(&facts, &window), "6 event types searched, no change, Sat 21 Nov 04:45 – Sun 22 Nov 04:45 UTC");
        facts.set_aside.push(SetAside {
            at,
            actor: "carol".into(),
            event: "RevokeSecurityGroupIngress".into(),
            resource: "sg-9".into(),
            because: "it is not the function's group".into(),
        });
        facts.unsearched = (1..=10)
            .map(|nth| Unsearched { event: format!("Other{nth}"), because: "too many".into(), is_needless: false })
            .collect();
        facts.complete = false;
        assert_eq!(
            summary(&facts, &window),
            "6 event types searched, 1 change set aside: RevokeSecurityGroupIngress on sg-9 by carol Sun 22 Nov 04:45 UTC (it is not the \
             function's group); 10 not searched: Other1, Other2, Other3 and 7 more"
        );
    }
}
