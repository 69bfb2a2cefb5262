//! Takes what people say: reads it, decides whether they may, stores it, answers. Nothing here waits for AWS.

mod actions;
mod menu;
mod requests;

use super::access::Access;
use super::autocomplete::{Autocomplete, MAX_SUGGESTIONS};
use super::rate_limit::UserRateLimiter;
use crate::alarm;
use crate::bot::verdict;
use crate::chat::document::Tone;
use crate::chat::{self, Ack, IncomingEvent, Message, Payload, PlatformSet, Summary, ThreadFilter, compose};
use crate::clock::Stopwatch;
use crate::metrics::{AckSource, BotMetrics};
use crate::model::{ActionKind, ActionToken, Actor, InvestigationId, Place, Region, Trigger};
use crate::redact::SafeText;
use crate::store::{Accepted, AuditDecision, Audited, InvestigationStage, NewTrigger, Refused, Store, StoreError, audited};
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;

/// Investigations looked through for those a person may see.
const LOOKED_THROUGH: u32 = 200;

const TOO_FAST: &str = "you are sending commands too fast: wait a few seconds, then try again";

/// What is answered when the store fails; the reason is for the operator alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unstored {
    #[error(transparent)]
    Accept(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where what people say comes in.
pub struct Intake {
    store: Arc<Store>,
    access: Arc<Access>,
    autocomplete: Arc<Autocomplete>,
    platforms: PlatformSet,
    rate_limit: UserRateLimiter,
    metrics: BotMetrics,
}

#[async_trait]
impl chat::Intake for Intake {
    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        let stopwatch = Stopwatch::start();
        let ack = self.accept_unmeasured(&inbound).await;
        let source = AckSource::Platform(inbound.actor.platform);
        self.metrics.acknowledged(source, kind(&ack), stopwatch.elapsed());
        ack
    }

    async fn suggest(&self, actor: &Actor, place: &Place, typed: &str) -> Vec<String> {
        self.autocomplete.suggestions(actor, place, typed)
    }

    async fn places(&self, actor: &Actor, place: &Place, secret: &str) -> Vec<(Option<String>, Region)> {
        let locations = self.autocomplete.places(actor, place, secret);
        locations.into_iter().map(|location| (location.account, location.region)).collect()
    }

    async fn secrets_in(&self, actor: &Actor, place: &Place, text: &str) -> Vec<String> {
        match alarm::secrets_in(text).as_slice() {
            [] => self.autocomplete.names_in(actor, place, text),
            named => named.iter().map(ToString::to_string).take(MAX_SUGGESTIONS).collect(),
        }
    }

    async fn preview(&self, actor: &Actor, place: &Place, id: &InvestigationId) -> Option<Message> {
        let row = self.store.investigation(id).await.ok()??;
        let may = |location| self.access.may(actor, place, ActionKind::Evidence, &row.question.secret, location).is_ok();
        // What is held in a thread of others is told nowhere else.
        let is_shown = row.held_in.is_none() && row.stage == InvestigationStage::Done && row.location.as_ref().is_some_and(may);
        let record = if is_shown { self.store.record(id).await.ok()?? } else { return None };
        Some(Message { controls: Vec::new(), ..verdict::verdict(&row, &record, self.platforms.screen(&row.place)).message })
    }

    async fn joined(&self, place: &Place) {
        match self.store.send_now(place).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(platform = %place.platform, count, "the bot was added to a channel: messages that waited for it are sent")
            }
            Err(error) => tracing::error!(%error, "messages that wait for a channel could not be sent early"),
        }
    }

    async fn recent(&self, actor: &Actor, filter: ThreadFilter, limit: usize) -> Vec<Summary> {
        let of = Place { platform: actor.platform, workspace: actor.workspace.clone(), channel: String::new(), thread: None };
        let newest = self.store.recent_investigations(&of, LOOKED_THROUGH).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the recent investigations cannot be read");
            Vec::new()
        });
        let asked = match filter {
            ThreadFilter::Mine => self.store.asked_by(actor).await.unwrap_or_else(|error| {
                tracing::error!(%error, "what a person has asked about cannot be read");
                HashSet::new()
            }),
            _ => HashSet::new(),
        };
        let mut summaries = Vec::new();
        for row in newest.into_iter().filter(|row| self.access.may_see(actor, row)) {
            if summaries.len() == limit {
                break;
            }
            let is_theirs = || asked.contains(&(row.place.channel.clone(), audited(row.question.secret.as_str())));
            if filter == ThreadFilter::Mine && !is_theirs() {
                continue;
            }
            // Of no other does the tone depend on what was found.
            let record = match (row.stage, &row.resolved) {
                (InvestigationStage::Done, None) => self.store.record(&row.id).await.ok().flatten(),
                _ => None,
            };
            let tone = verdict::tone(&row, record.as_ref());
            if !filter.takes(tone) {
                continue;
            }
            summaries.push(Summary {
                id: row.id,
                secret: SafeText::redact(row.question.secret.as_str()),
                tone,
                line: row.headline,
                started_at: row.started_at,
                place: row.place,
            });
        }
        summaries
    }
}

impl Intake {
    /// Keeps in `store` what `access` allows, and counts in `metrics` what it answers.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        access: Arc<Access>,
        autocomplete: Arc<Autocomplete>,
        platforms: PlatformSet,
        metrics: BotMetrics,
    ) -> Intake {
        Intake { store, access, autocomplete, platforms, rate_limit: UserRateLimiter::default(), metrics }
    }

    async fn accept_unmeasured(&self, inbound: &IncomingEvent) -> Ack {
        if !self.rate_limit.lets_through(&inbound.actor) {
            return notice(TOO_FAST);
        }
        self.take(inbound).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a command could not be stored");
            Ack::Unavailable(Box::new(compose::unavailable()))
        })
    }

    /// Takes what a person said whose rate is not to be judged, or was.
    pub(super) async fn take(&self, inbound: &IncomingEvent) -> Result<Ack, Unstored> {
        match &inbound.said {
            Payload::Words(words) => self.read(inbound, words).await,
            Payload::Click(text) => match text.parse::<ActionToken>() {
                Ok(token) => self.act(inbound, token).await,
                Err(error) => {
                    self.note(inbound, "clicked", "", AuditDecision::Rejected, &error.to_string()).await?;
                    Ok(answer(compose::expired(self.platforms.manner(&inbound.place))))
                }
            },
        }
    }

    /// Keeps what a person said until it is known whether that person may.
    async fn judge_later(&self, inbound: &IncomingEvent) -> Result<Ack, Unstored> {
        let origin = format!("said/{}", origin(inbound));
        let entry = NewTrigger {
            key: origin.clone(),
            origin,
            lane: lane(&inbound.place),
            subject: crate::investigation::new_id(),
            same: None,
            trigger: Trigger::Incoming(inbound.clone()),
            what: "a command whose sender has to be looked up".into(),
        };
        Ok(match self.store.accept(&entry, None).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered | Accepted::AlreadyDone | Accepted::Joined(_) => Ack::Duplicate,
        })
    }

    async fn note(
        &self,
        inbound: &IncomingEvent,
        did: &str,
        subject: &str,
        decision: AuditDecision,
        why: &str,
    ) -> Result<(), StoreError> {
        self.store.audit(&Audited::person(&inbound.actor, &inbound.place, did, subject, decision, why)).await
    }
}

/// How metrics call an answer.
const fn kind(ack: &Ack) -> &'static str {
    match ack {
        Ack::Accepted => "accepted",
        Ack::Duplicate => "duplicate",
        Ack::Answer(_) => "answered",
        Ack::Unavailable(_) => "unavailable",
    }
}

fn answer(message: Message) -> Ack {
    Ack::Answer(Box::new(message))
}

fn notice(text: impl Into<SafeText>) -> Ack {
    answer(compose::notice(Tone::Neutral, text))
}

/// Channels are served in turn.
pub(super) fn lane(place: &Place) -> String {
    format!("{}/{}/{}", place.platform, place.workspace, place.channel)
}

pub(super) fn origin(inbound: &IncomingEvent) -> String {
    origin_of(&inbound.place, &inbound.key)
}

/// What the origin is, or begins with, of what has this key, or one that begins so.
pub(super) fn origin_of(place: &Place, key: &str) -> String {
    format!("{}/{}/{key}", place.platform, place.workspace)
}
