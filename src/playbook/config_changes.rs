//! Step 9: who changed the secret, its rotation, the function, the role, the key or the network, and when.

use super::events::{self, LookUp, Looked};
use super::relevance::Watched;
use super::rotation_history::first_failure;
use super::secret::Described;
use super::trail_event::TrailEvent;
use super::{Context, Seen, carried, text};
use crate::aws::Asker;
use crate::model::{Change, ConfigChanges, EventSource, FunctionFacts, Observation, RotationHistory, SecretRef, Window};
use futures::future::join_all;
use jiff::Timestamp;
use std::sync::Arc;

/// Changes kept; of a longer list, the newest.
const MAX_CHANGES: usize = 200;

/// Searched by name where all writes before a failure are too many to read.
///
/// Lambda's names carry the version of its API, and a look-up takes exact names only.
const TELLING: [&str; 10] = [
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "RemovePermission20150331v2",
    "PutFunctionConcurrency20171031",
    "PutResourcePolicy",
    "UpdateSecret",
    "PutKeyPolicy",
    "DisableKey",
    "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress",
];

/// The same, of IAM.
const TELLING_GLOBAL: [&str; 4] = ["DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "CreatePolicyVersion"];

/// Where events of these names are: IAM's and the organization's are in one region only.
///
/// Source: CloudTrail User Guide, "Global service events".
fn is_global(name: &str) -> bool {
    let of_roles = name.contains("Role") && !name.contains("Rotat");
    let of_policies = ["CreatePolicy", "SetDefaultPolicy", "AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy"];
    of_roles || of_policies.iter().any(|prefix| name.starts_with(prefix))
}

/// What event history brought, and how it was asked.
#[derive(Debug, Default)]
struct Searched {
    looked: Looked,
    names: Vec<String>,
    window: Option<Window>,
}

pub(super) async fn collect(
    cx: &Context<'_>,
    asker: &Asker,
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
    if config.is_some_and(|config| config.enabled == Some(true)) && history.found().is_some() && !failing {
        names.push("RotateSecret".to_owned());
    }
    let trail = cx.trail.read(cx, asker, span).await.filter(|trail| trail.complete);
    let searched = match &trail {
        Some(trail) if trail.has_global_events => Searched::default(),
        Some(_) => search(cx, asker, span, trouble, &names, &[cx.aws.global_region()]).await,
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
        None => search(cx, asker, span, trouble, &names, &regions(cx)).await,
    };
    let mut events: Vec<TrailEvent> = trail.iter().flat_map(|trail| trail.events.iter().cloned()).collect();
    let complete = searched.looked.is_complete();
    events.extend(searched.looked.events);
    if let (true, Some(unanswered)) = (events.is_empty(), searched.looked.unanswered) {
        return carried(unanswered).into();
    }
    events::newest_last(&mut events);
    let before_trouble = trouble.map(events::before);
    let mut watched = Watched { before_trouble, ..watched(cx, asker, described.as_deref(), &function).await };
    watched.learn_policies(&events);
    let mut changes: Vec<Change> = events.iter().filter_map(|event| watched.change(event)).collect();
    let refusals = events.iter().filter_map(|event| watched.refusal(event)).collect();
    let is_cut = changes.len() > MAX_CHANGES;
    changes.drain(..changes.len().saturating_sub(MAX_CHANGES));

    let window = if trail.is_some() { span } else { searched.window.unwrap_or(span) };
    let source = match trail {
        Some(trail) => EventSource::TrailLogGroup(trail.group.clone()),
        None => EventSource::EventHistory,
    };
    let summary = summary(&changes, complete && !is_cut, &window);
    let facts = ConfigChanges { changes, refusals, source, searched: searched.names, complete: complete && !is_cut };
    Seen { observation: Observation::Found(facts), window: Some(window), summary }
}

/// This region, and the one that holds IAM's changes.
fn regions<'a>(cx: &Context<'a>) -> Vec<&'a str> {
    let mut regions = vec![cx.aws.region(), cx.aws.global_region()];
    regions.dedup();
    regions
}

/// Event history: all writes before the trouble, in each region at once; and the named events over the whole span.
async fn search(
    cx: &Context<'_>,
    asker: &Asker,
    span: Window,
    trouble: Option<Timestamp>,
    names: &[String],
    regions: &[&str],
) -> Searched {
    let mut searched = Searched::default();
    if let Some(at) = trouble {
        let window = events::before(at);
        searched.window = Some(window);
        let writes = join_all(regions.iter().map(|region| writes_before(cx, asker, region, window))).await;
        for (looked, names) in writes {
            searched.looked.add(looked);
            searched.names.extend(names);
        }
    }
    if !names.is_empty() {
        searched.window = Some(span);
        let named = join_all(names.iter().filter_map(|name| {
            let region = if is_global(name) { cx.aws.global_region() } else { cx.aws.region() };
            regions.contains(&region).then(|| events::look_up(cx, asker, region, LookUp::Name(name), span))
        }))
        .await;
        for looked in named {
            searched.looked.add(looked);
        }
        searched.names.extend(names.iter().cloned());
    }
    searched
}

/// All writes of `window`; where they are too many, those of the telling names.
async fn writes_before(cx: &Context<'_>, asker: &Asker, region: &str, window: Window) -> (Looked, Vec<String>) {
    let mut looked = events::look_up(cx, asker, region, LookUp::Writes, window).await;
    if !looked.is_cut {
        return (looked, Vec::new());
    }
    let mut names: Vec<&str> = Vec::new();
    if region == cx.aws.region() {
        names.extend(TELLING);
    }
    if region == cx.aws.global_region() {
        names.extend(TELLING_GLOBAL);
    }
    let named = join_all(names.iter().map(|name| events::look_up(cx, asker, region, LookUp::Name(name), window))).await;
    for one in named {
        looked.add(one);
    }
    // Still incomplete: writes of other names may have been among those cut off.
    (looked, names.into_iter().map(str::to_owned).collect())
}

async fn watched(
    cx: &Context<'_>,
    asker: &Asker,
    described: Option<&Described>,
    function: &Observation<Arc<FunctionFacts>>,
) -> Watched {
    let function = function.found();
    let role_facts = asker.within_deadline(cx.board.role.get()).await;
    let policies = role_facts.as_ref().and_then(Observation::found).and_then(|facts| facts.policies.found());
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

fn summary(changes: &[Change], complete: bool, window: &Window) -> String {
    let mut line = match changes.last() {
        Some(last) => {
            format!("{}, last {} by {} {}", text::counted(changes.len(), "change"), last.event, last.actor, text::moment(last.at))
        }
        None => format!("no change, {}", text::span(window)),
    };
    if !complete {
        line.push_str("; the history is incomplete");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_iam_and_of_the_organization_are_looked_for_where_they_are() {
        for name in
            TELLING_GLOBAL.iter().chain(&["PutRolePermissionsBoundary", "DeleteRole", "UpdateAssumeRolePolicy", "UpdatePolicy"])
        {
            assert!(is_global(name), "{name}");
        }
        for name in TELLING.iter().chain(&["RotateSecret", "CancelRotateSecret", "DeleteResourcePolicy"]) {
            assert!(!is_global(name), "{name}");
        }
    }
}
