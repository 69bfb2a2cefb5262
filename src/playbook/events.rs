//! Where CloudTrail's events are read: a trail's log group where there is one, else the event history.
//!
//! One read of the log group serves steps 6 and 9 and costs none of the two look-ups a second AWS allows.

use super::trail_event::TrailEvent;
use super::{StepContext, carried, text};
use crate::aws::{Aws, AwsCaller, TrailGroup};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{Lookback, Observation, Window};
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Pages of a trail's log group that are read; a page holds at most 10 000 events or 1 MB.
const MAX_TRAIL_PAGES: usize = 6;

/// Requests made for those pages; a filtered read of a large group brings many empty ones.
const MAX_TRAIL_REQUESTS: usize = 20;

/// Pages of event history that are read per look-up; a page holds 50 events.
const MAX_LOOKUP_PAGES: usize = 5;

/// Requests made for those pages; a page may be empty and have a successor.
const MAX_LOOKUP_REQUESTS: usize = 15;

/// How long before the last success events are looked for: its own are among them, and a failure just before it, which it
/// healed or which moved `LastRotatedDate` by hand.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// The events that rotation and its failures can be explained with; `*` stands for any text.
///
/// Prefixes keep Lambda's versioned names, and the pattern below 1 024 characters.
const NAMES: &[&str] = &[
    "Rotat*",
    "TestRotation*",
    "CancelRot*",
    "*ResourcePolicy",
    "PutSecretValue",
    "UpdateSecret*",
    "DeleteS*",
    "UpdateFunction*",
    "AddPerm*",
    "PutFunctionC*",
    "DeleteFunction*",
    "DeleteAlias*",
    "PublishLayer*",
    "PutRole*",
    "*tachRolePolicy",
    "CreatePolicyV*",
    "DeletePolicy",
    "SetDefault*",
    "UpdateAss*",
    "PutKeyPolicy",
    "Re*Grant",
    "DisableKey",
    "ScheduleK*",
    "RevokeSec*",
    "ModifySec*",
    "DeleteNat*",
    "DeleteVpcE*",
    "ModifyVpcE*",
    "*NetworkAclEntry",
    "ModifyDB*",
    "StopDB*",
    "StopRep*",
    "*tachPolicy",
    "UpdatePolicy",
    "Restore*",
    "DeleteRo*",
    "Rep*",
    "Remove*",
];

/// The filter pattern for a trail's log group.
///
/// Source: CloudWatch Logs User Guide, "Filter pattern syntax": JSON terms, at most 1 024 characters.
fn pattern() -> String {
    let terms: Vec<_> = NAMES.iter().map(|name| format!("($.eventName={name})")).collect();
    format!("{{{}}}", terms.join("||"))
}

/// Whether an event is among those the pattern asks for; some backends ignore patterns they do not know.
fn is_asked_for(name: &str) -> bool {
    NAMES.iter().any(|pattern| match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
        None => name == *pattern,
    })
}

/// What was read from a trail's log group.
#[derive(Debug, Clone)]
pub(super) struct TrailRead {
    pub(super) group: String,
    pub(super) window: Window,
    /// Oldest first.
    pub(super) events: Vec<TrailEvent>,
    pub(super) complete: bool,
    /// True when IAM's changes are among them.
    pub(super) has_global_events: bool,
}

/// The one read of a trail's log group, made by whichever step needs it first.
#[derive(Debug, Default)]
pub(super) struct SharedTrail {
    read: OnceCell<Option<Arc<TrailRead>>>,
}

impl SharedTrail {
    /// The read, or `None` where no trail's log group can be read.
    pub(super) async fn read(&self, cx: &StepContext<'_>, caller: &AwsCaller, window: Window) -> Option<Arc<TrailRead>> {
        self.read.get_or_init(|| async { read_trail(cx, caller, window).await.map(Arc::new) }).await.clone()
    }
}

/// How far back events are looked for: 30 days, or 90 where the last rotation is older, or that was asked for.
pub(super) fn span(cx: &StepContext<'_>, last_rotated_at: Option<Timestamp>) -> Window {
    let month = Lookback::Month.window(cx.now);
    if cx.request.lookback == Lookback::Quarter || last_rotated_at.is_some_and(|at| at < month.from) {
        Lookback::Quarter.window(cx.now)
    } else {
        month
    }
}

/// The part of `span` since the last success, and [`MARGIN`] before it: what came earlier explains no failure of today.
pub(super) fn since_success(span: Window, last_rotated_at: Option<Timestamp>) -> Window {
    let from = last_rotated_at.and_then(|at| at.checked_sub(MARGIN).ok()).filter(|from| *from > span.from && *from < span.to);
    Window { from: from.unwrap_or(span.from), to: span.to }
}

async fn read_trail(cx: &StepContext<'_>, caller: &AwsCaller, window: Window) -> Option<TrailRead> {
    let own_account =
        cx.board.subject.get().and_then(|subject| subject.found().map(|it| it.facts.arn.arn().account_id().to_owned()));
    let groups = cx.aws.trail_groups(caller).await;
    let is_ours = |group: &&TrailGroup| own_account.as_deref().is_none_or(|own| own == group.arn.account_id());
    let group = groups.found().and_then(|groups| groups.iter().find(is_ours))?;
    let client = cx.aws.logs_in(group.arn.region());
    let (mut events, mut token, mut complete) = (Vec::new(), None::<String>, true);
    let mut is_readable = false;
    let mut pages = 0;
    for request in 0.. {
        if pages == MAX_TRAIL_PAGES || request == MAX_TRAIL_REQUESTS {
            complete = false;
            break;
        }
        let request = client
            .filter_log_events()
            .log_group_name(&group.name)
            .filter_pattern(pattern())
            .start_time(window.from.as_millisecond())
            .end_time(window.to.as_millisecond())
            .set_next_token(token.take())
            .send();
        match caller
            .in_region(group.arn.region())
            .call("logs:FilterLogEvents", &format!("log group {}", group.name), request)
            .await
        {
            Observation::Found(output) => {
                is_readable = true;
                pages += usize::from(!output.events().is_empty());
                events.extend(
                    output
                        .events()
                        .iter()
                        .filter_map(|event| TrailEvent::parse(event.message()?))
                        .filter(|event| is_asked_for(&event.name)),
                );
                token = output.next_token;
            }
            _ if is_readable => {
                complete = false;
                break;
            }
            _ => return None,
        }
        if token.is_none() {
            break;
        }
    }
    // An empty group is more likely one that was just set up than an account where nothing ever happened.
    if events.is_empty() && complete {
        return None;
    }
    newest_last(&mut events);
    Some(TrailRead { group: group.name.clone(), window, events, complete, has_global_events: group.has_global_events })
}

/// Sorts by time and drops what was read twice.
pub(super) fn newest_last(events: &mut Vec<TrailEvent>) {
    events.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.id.cmp(&other.id)));
    events.dedup_by(|one, other| one.id.is_some() && one.id == other.id);
}

/// What one look-up in the event history asks for. The service takes a single attribute.
#[derive(Debug, Clone, Copy)]
pub(super) enum LookUp<'a> {
    /// All events of this exact name.
    Name(&'a str),
    /// All events, of any name, about the resource of this name. For a function few; for a secret or a key a flood of reads.
    Resource(&'a str),
    /// The reads of the secret of this name, or of this ARN.
    Reads(&'a str),
    /// All events that write.
    Writes,
}

impl LookUp<'_> {
    /// Whether an event is among those asked for; some backends ignore attributes they do not know.
    fn covers(&self, event: &Event) -> bool {
        match self {
            LookUp::Name(name) => event.event_name().is_none_or(|own| own == *name),
            LookUp::Reads(_) => event.event_name().is_none_or(|own| own == "GetSecretValue"),
            LookUp::Resource(_) | LookUp::Writes => event.read_only() != Some("true"),
        }
    }
}

/// What look-ups brought.
#[derive(Debug, Default)]
pub(super) struct TrailLook {
    pub(super) events: Vec<TrailEvent>,
    /// True when there were more pages than are read.
    pub(super) is_cut: bool,
    /// The first look-up that was not answered.
    pub(super) unanswered: Option<Observation<()>>,
}

impl TrailLook {
    pub(super) fn is_complete(&self) -> bool {
        !self.is_cut && self.unanswered.is_none()
    }

    pub(super) fn add(&mut self, other: TrailLook) {
        self.events.extend(other.events);
        self.is_cut |= other.is_cut;
        self.unanswered = self.unanswered.take().or(other.unanswered);
    }
}

/// Asks the event history of `region`, newest first, within the limit all investigations share.
pub(super) async fn look_up(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    region: &str,
    what: LookUp<'_>,
    window: Window,
) -> TrailLook {
    look_up_pages(cx.aws, caller, region, what, window, MAX_LOOKUP_PAGES).await
}

/// The same, over at most `max_pages` pages.
pub(super) async fn look_up_pages(
    aws: &Aws,
    caller: &AwsCaller,
    region: &str,
    what: LookUp<'_>,
    window: Window,
    max_pages: usize,
) -> TrailLook {
    let client = aws.cloudtrail_in(region);
    let shared = aws.shared_in(region);
    let (key, value) = match what {
        LookUp::Name(name) => (LookupAttributeKey::EventName, name),
        LookUp::Resource(name) | LookUp::Reads(name) => (LookupAttributeKey::ResourceName, name),
        LookUp::Writes => (LookupAttributeKey::ReadOnly, "false"),
    };
    let mut looked = TrailLook::default();
    let (mut token, mut pages) = (None::<String>, 0);
    for _ in 0..MAX_LOOKUP_REQUESTS {
        let Ok(attribute) = LookupAttribute::builder().attribute_key(key.clone()).attribute_value(value).build() else { break };
        if caller.within_deadline(shared.lookup_events.acquire()).await.is_none() {
            looked.unanswered = Some(Observation::Throttled { call: "cloudtrail:LookupEvents".to_owned() });
            return looked;
        }
        let request = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(text::date(window.from))
            .end_time(text::date(window.to))
            .max_results(50)
            .set_next_token(token.take())
            .send();
        match caller.in_region(region).call("cloudtrail:LookupEvents", "*", request).await {
            Observation::Found(output) => {
                let events = output.events();
                pages += usize::from(!events.is_empty());
                looked.events.extend(events.iter().filter(|event| what.covers(event)).filter_map(TrailEvent::of_history));
                token = output.next_token;
            }
            unanswered => {
                looked.unanswered = Some(carried(unanswered));
                return looked;
            }
        }
        if token.is_none() {
            return looked;
        }
        if pages == max_pages {
            break;
        }
    }
    looked.is_cut = true;
    looked
}

/// The span before `at` in which an attempt that ended then began, and `at` itself: where a change that explains it is looked for.
pub(super) fn before(at: Timestamp) -> Window {
    Window::around(at, ATTEMPT_SPAN, SignedDuration::from_mins(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_pattern_keeps_to_what_the_service_takes() {
        let pattern = pattern();
        assert!(pattern.len() <= 1024, "{}", pattern.len());
        assert!(pattern.starts_with("{($.eventName=Rotat*)||") && pattern.ends_with('}'));
        assert!(NAMES.iter().all(|name| name.matches('*').count() <= 1));
    }

    #[test]
    fn rotation_and_change_events_are_asked_for_and_reads_are_not() {
        for name in [
            "RotationFailed",
            "TestRotationFailed",
            "RotateSecret",
            "CancelRotateSecret",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
            "UpdateSecretVersionStage",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "RemovePermission",
            "PutFunctionConcurrency",
            "DeleteFunction",
            "DeleteFunctionConcurrency",
            "PublishLayerVersion",
            "PutRolePolicy",
            "PutRolePermissionsBoundary",
            "DeleteRole",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "CreatePolicyVersion",
            "DeletePolicy",
            "SetDefaultPolicyVersion",
            "UpdateAssumeRolePolicy",
            "PutKeyPolicy",
            "RevokeGrant",
            "RetireGrant",
            "DisableKey",
            "ScheduleKeyDeletion",
            "RevokeSecurityGroupIngress",
            "ModifySecurityGroupRules",
            "DeleteNatGateway",
            "DeleteVpcEndpoints",
            "ModifyVpcEndpoint",
            "ReplaceRoute",
            "DeleteRoute",
            "ReplaceNetworkAclEntry",
            "CreateNetworkAclEntry",
            "DeleteSecret",
            "DeleteSubnet",
            "DeleteSecurityGroup",
            "ReplicateSecretToRegions",
            "RemoveRegionsFromReplication",
            "ModifyDBInstance",
            "StopDBInstance",
            "StopDBCluster",
            "DeleteAlias20150331",
            "StopReplicationToReplica",
            "RestoreDBInstanceFromDBSnapshot",
            "AttachPolicy",
            "UpdatePolicy",
        ] {
            assert!(is_asked_for(name), "{name}");
        }
        for name in ["GetSecretValue", "DescribeSecret", "AssumeRole", "GetRolePolicy", "Decrypt"] {
            assert!(!is_asked_for(name), "{name}");
        }
    }
}
