//! Who reads the secret: asked for by a person, never by an investigation.
//!
//! A secret that is read once a second leaves 2.6 million events a month, so all reading is bounded, and what is told says
//! which spans were read whole.

use super::events::{self, LookUp};
use super::trail_event::TrailEvent;
use super::{carried, text};
use crate::aws::{Aws, AwsCaller, TrailGroup};
use crate::clock::{self, Clock};
use crate::model::{Arn, Consumers, EventSource, Evidence, Observation, SecretFacts, SecretReader, VersionAccess, Window};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long everything may take; look-ups wait for their turn, two a second.
const DEADLINE: Duration = Duration::from_secs(25);

/// How long before the last rotation readers are looked for: one that reads only as it starts may do so once a week.
const BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far back CloudTrail's event history goes.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The newest reads, and the last ones before a rotation, are looked at first where there are too many to look at all.
const SLICE: SignedDuration = SignedDuration::from_hours(1);

/// Pages of a log group in one span, and requests made for them; a page holds at most 10 000 events or 1 MB.
const GROUP_PAGES: (usize, usize) = (4, 8);

/// Pages of event history in one span; a page holds 50 events.
const HISTORY_PAGES: usize = 3;

/// Principals that are told; an account's roles that read one secret are far fewer.
const MAX_READERS: usize = 200;

/// Source: Secrets Manager User Guide, "CloudTrail entries": each secret of a BatchGetSecretValue has an entry of its own.
const READ: &str = "GetSecretValue";

/// What a look at the readers came to.
#[derive(Debug)]
pub struct ConsumersLook {
    pub consumers: Observation<Consumers>,
    /// How many calls AWS was asked.
    pub api_calls: usize,
}

/// Looks at who reads the secret of an investigation.
pub async fn consumers(aws: &Aws, clock: &Clock, evidence: &Evidence) -> ConsumersLook {
    let caller = AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), true);
    let consumers = match &evidence.secret.observation {
        Observation::Found(secret) => Observation::Found(ReaderSearch::new(aws, &caller, clock.now(), evidence, secret)),
        unanswered => carried(unanswered.clone()),
    };
    let consumers = match consumers {
        Observation::Found(look) => look.readers().await,
        unanswered => carried(unanswered),
    };
    ConsumersLook { consumers, api_calls: caller.trace().0.len() }
}

struct ReaderSearch<'a> {
    aws: &'a Aws,
    caller: &'a AwsCaller,
    now: Timestamp,
    evidence: &'a Evidence,
    secret: &'a SecretFacts,
    rotated_at: Option<Timestamp>,
}

/// The reads of one span.
struct SpanRead {
    events: Vec<TrailEvent>,
    /// Those parts of the span that were read whole.
    seen: Vec<Window>,
    is_whole: bool,
}

impl<'a> ReaderSearch<'a> {
    fn new(
        aws: &'a Aws,
        caller: &'a AwsCaller,
        now: Timestamp,
        evidence: &'a Evidence,
        secret: &'a SecretFacts,
    ) -> ReaderSearch<'a> {
        let rotated_at = evidence.rotation_config.found().and_then(|config| config.last_rotated_at).filter(|at| *at < now);
        ReaderSearch { aws, caller, now, evidence, secret, rotated_at }
    }

    async fn readers(&self) -> Observation<Consumers> {
        let oldest = self.now.checked_sub(HISTORY).unwrap_or(self.now);
        let (before, since) = match self.rotated_at {
            Some(at) => {
                let from = at.checked_sub(BEFORE).unwrap_or(at).max(oldest);
                ((at > oldest).then_some(Window { from, to: at }), Window { from: at.max(oldest), to: self.now })
            }
            None => (None, Window::ending_at(self.now, BEFORE)),
        };
        let group = match self.aws.trail_groups(self.caller).await {
            Observation::Found(groups) => {
                groups.into_iter().find(|group| group.arn.account_id() == self.secret.arn.arn().account_id())
            }
            _ => None,
        };
        let of_group = match &group {
            Some(group) => self.of_group(group, before, since).await,
            None => None,
        };
        let (source, before_read, since_read) = match (of_group, group) {
            (Some((before, since)), Some(group)) => (EventSource::TrailLogGroup(group.name), before, since),
            _ => match self.of_history(before, since).await {
                Observation::Found((before, since)) => (EventSource::EventHistory, before, since),
                unanswered => return carried(unanswered),
            },
        };
        let is_whole_since = since_read.is_whole && self.rotated_at.is_none_or(|at| at >= oldest);
        let mut seen: Vec<Window> = before_read.iter().flat_map(|read| read.seen.iter().copied()).collect();
        seen.extend(&since_read.seen);
        seen.sort_by_key(|window| window.from);
        let reads = before_read.into_iter().flat_map(|read| read.events).map(|event| (event, false));
        let reads = reads.chain(since_read.events.into_iter().map(|event| (event, true)));
        let readers = self.count(reads);
        let versions = self.versions().await;
        Observation::Found(Consumers { source, seen, rotated_at: self.rotated_at, is_whole_since, readers, versions })
    }

    /// One principal after the other, without the rotation's own reads.
    fn count(&self, reads: impl Iterator<Item = (TrailEvent, bool)>) -> Vec<SecretReader> {
        let mut readers: BTreeMap<String, SecretReader> = BTreeMap::new();
        for (event, is_since) in reads.filter(|(event, _)| !self.is_of_rotation(event)) {
            let principal = self.principal(&event);
            if readers.len() >= MAX_READERS && !readers.contains_key(&principal) {
                continue;
            }
            let reader = readers.entry(principal.clone()).or_insert(SecretReader {
                principal,
                reads_before: 0,
                reads_since: 0,
                last_read_at: None,
                denied: 0,
                last_denied_at: None,
            });
            match event.error_code.as_deref() {
                None => {
                    let count = if is_since { &mut reader.reads_since } else { &mut reader.reads_before };
                    *count += 1;
                    reader.last_read_at = reader.last_read_at.max(Some(event.at));
                }
                Some(code) if code.contains("AccessDenied") || code.contains("Unauthorized") => {
                    reader.denied += 1;
                    reader.last_denied_at = reader.last_denied_at.max(Some(event.at));
                }
                // It was neither given the value nor kept from it.
                Some(_) => {}
            }
        }
        let mut readers: Vec<SecretReader> =
            readers.into_values().filter(|one| one.last_read_at.is_some() || one.denied > 0).collect();
        readers.sort_by_key(|reader| std::cmp::Reverse(reader.last_read_at.max(reader.last_denied_at)));
        readers
    }

    /// True for the rotation function's session and for Secrets Manager itself. Lambda names a session after its function.
    fn is_of_rotation(&self, event: &TrailEvent) -> bool {
        if event.invoked_by.as_deref() == Some("secretsmanager.amazonaws.com") {
            return true;
        }
        let Some(function) = self.evidence.function_arn() else { return false };
        let role = self.evidence.function.found().map(|facts| facts.role.arn().as_str());
        let is_its_role = match (role, event.issuer_arn.as_deref()) {
            (Some(role), Some(issuer)) => role == issuer,
            _ => true,
        };
        is_its_role && event.session.as_deref() == Some(function.name())
    }

    /// A role without its session: an application's tasks come and go.
    fn principal(&self, event: &TrailEvent) -> String {
        let issuer = event.issuer_arn.as_deref().and_then(|arn| Arn::parse(arn).ok());
        match (issuer, &event.invoked_by) {
            (Some(role), _) => {
                let name = role.resource().rsplit('/').next().unwrap_or_default().to_owned();
                let is_foreign = role.account_id() != self.secret.arn.arn().account_id();
                let account = if is_foreign { format!(" of account {}", role.account_id()) } else { String::new() };
                format!("role {name}{account}")
            }
            (None, Some(service)) => format!("service {service}"),
            (None, None) => match event.actor.split_once('/') {
                Some((role, _)) => format!("role {role}"),
                None => format!("user {}", event.actor),
            },
        }
    }

    /// How the secret may be named in a request: by its name, or its ARN with or without the six characters at the end.
    fn is_it(&self, event: &TrailEvent) -> bool {
        let arn = self.secret.arn.arn().as_str();
        let bare = arn.rsplit_once('-').map_or(arn, |(bare, _)| bare);
        event.name == READ
            && event.parameter("secretId").is_some_and(|asked| asked == self.secret.name || asked == arn || asked == bare)
    }

    /// Both spans from a trail's log group; `None` where it cannot be read.
    async fn of_group(&self, group: &TrailGroup, before: Option<Window>, since: Window) -> Option<(Option<SpanRead>, SpanRead)> {
        let since = self.span_of_group(group, since).await?;
        let before = match before {
            Some(window) => Some(self.span_of_group(group, window).await?),
            None => None,
        };
        // An empty group is more likely one that was just set up than a secret that nobody reads.
        let is_empty = since.events.is_empty() && before.as_ref().is_none_or(|read| read.events.is_empty());
        (!is_empty).then_some((before, since))
    }

    /// A span from its beginning, and where that is too much, its end too.
    async fn span_of_group(&self, group: &TrailGroup, window: Window) -> Option<SpanRead> {
        let mut read = self.pages_of_group(group, window).await?;
        let reached = read.seen.first().map_or(window.from, |seen| seen.to);
        let slice = Window { from: window.to.checked_sub(SLICE).unwrap_or(window.from).max(reached), to: window.to };
        if !read.is_whole && slice.from < slice.to {
            let end = self.pages_of_group(group, slice).await?;
            read.events.extend(end.events);
            read.seen.extend(end.seen);
        }
        events::newest_last(&mut read.events);
        Some(read)
    }

    async fn pages_of_group(&self, group: &TrailGroup, window: Window) -> Option<SpanRead> {
        let client = self.aws.logs_in(group.arn.region());
        let (max_pages, max_requests) = GROUP_PAGES;
        let (mut events, mut token, mut pages) = (Vec::new(), None::<String>, 0);
        for _ in 0..max_requests {
            let request = client
                .filter_log_events()
                .log_group_name(&group.name)
                .filter_pattern(format!("{{($.eventName={READ})&&($.requestParameters.secretId=\"*{}*\")}}", self.secret.name))
                .start_time(window.from.as_millisecond())
                .end_time(window.to.as_millisecond())
                .set_next_token(token.take())
                .send();
            let caller = self.caller.in_region(group.arn.region());
            let output = match caller.call("logs:FilterLogEvents", &format!("log group {}", group.name), request).await {
                Observation::Found(output) => output,
                _ => return None,
            };
            pages += usize::from(!output.events().is_empty());
            let parsed = output.events().iter().filter_map(|event| TrailEvent::parse(event.message()?));
            events.extend(parsed.filter(|event| self.is_it(event)));
            token = output.next_token;
            if token.is_none() || pages == max_pages {
                break;
            }
        }
        let is_whole = token.is_none();
        // The group answers oldest first: what lies behind the last event was not read.
        let to = if is_whole { window.to } else { events.iter().map(|event: &TrailEvent| event.at).max().unwrap_or(window.from) };
        let seen = Window { from: window.from, to };
        Some(SpanRead { events, seen: Some(seen).filter(|seen| seen.from < seen.to).into_iter().collect(), is_whole })
    }

    /// Both spans from event history, the newest first.
    async fn of_history(&self, before: Option<Window>, since: Window) -> Observation<(Option<SpanRead>, SpanRead)> {
        let since = match self.span_of_history(since).await {
            Observation::Found(read) => read,
            unanswered => return carried(unanswered),
        };
        let before = match before {
            Some(window) => self.span_of_history(window).await.found().map(|read| SpanRead {
                events: read.events.clone(),
                seen: read.seen.clone(),
                is_whole: read.is_whole,
            }),
            None => None,
        };
        Observation::Found((before, since))
    }

    /// Requests name the secret by its ARN or by its name, and event history lists it as the request did.
    async fn span_of_history(&self, window: Window) -> Observation<SpanRead> {
        let mut read = SpanRead { events: Vec::new(), seen: Vec::new(), is_whole: true };
        let mut from = window.from;
        for name in [self.secret.arn.arn().as_str(), &self.secret.name] {
            let looked =
                events::look_up_pages(self.aws, self.caller, self.aws.region(), LookUp::Reads(name), window, HISTORY_PAGES).await;
            if let Some(unanswered) = looked.unanswered {
                return carried(unanswered);
            }
            if looked.is_cut {
                read.is_whole = false;
                let oldest = looked.events.iter().map(|event| event.at).min().unwrap_or(window.to);
                from = from.max(oldest);
            }
            read.events.extend(looked.events.into_iter().filter(|event| self.is_it(event)));
        }
        read.seen.extend(Some(Window { from, to: window.to }).filter(|seen| seen.from < seen.to));
        events::newest_last(&mut read.events);
        Observation::Found(read)
    }

    /// When each version was last read, where that may be asked.
    async fn versions(&self) -> Vec<VersionAccess> {
        let request = self.aws.secretsmanager.list_secret_version_ids().secret_id(self.secret.arn.arn().as_str()).send();
        let resource = format!("secret {}", self.secret.name);
        match self.caller.call("secretsmanager:ListSecretVersionIds", &resource, request).await {
            Observation::Found(output) => (output.versions().iter())
                .filter_map(|version| {
                    Some(VersionAccess {
                        id: version.version_id()?.to_owned(),
                        labels: version.version_stages().to_vec(),
                        last_accessed_on: version.last_accessed_date().and_then(text::timestamp),
                    })
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
