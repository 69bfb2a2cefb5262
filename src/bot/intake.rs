//! Takes what people say: reads it, decides whether they may, stores it, answers. Nothing here waits for AWS.

use super::perform::answer_key;
use super::{Bot, held};
use crate::chat::command::{self, Asked};
use crate::chat::document::Tone;
use crate::chat::{Ack, IncomingEvent, Intake, Manner, Message, Payload, Summary, compose};
use crate::model::{
    Action, ActionKind, ActionRequest, ActionToken, Actor, Command, Investigation, InvestigationRequest, Outcome, Place, ReplyTo,
    Standing, Trigger,
};
use crate::redact::SafeText;
use crate::store::{Accepted, Audited, Decision, InvestigationRow, Location, NewTrigger, Refused, Stage, StoreError};
use async_trait::async_trait;

/// Investigations looked through for those a person may see.
const LOOKED_THROUGH: u32 = 200;

const TOO_FAST: &str = "that is more than one person may ask at once: wait a few seconds, then try again";
const JOINED: &str = "this is being looked into already: its thread shows how far it is";
const NO_THREAD: &str = "say that in the thread of an investigation, or ask about a secret first";
const SEVERAL: &str = "there are several investigations in this thread: use the buttons of the one you mean";
const RUNNING: &str = "this is still being looked into: wait for the verdict";
const NO_VERDICT: &str = "there is no verdict to go on from: rerun it first";

/// What is answered when the store fails; the reason is for the operator alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unstored {
    #[error(transparent)]
    Accept(#[from] Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
impl Intake for Bot {
    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        if !self.rate_limit.lets_through(&inbound.actor) {
            return told(TOO_FAST);
        }
        self.take(&inbound).await.unwrap_or_else(|error| {
            tracing::error!(%error, "what a person said could not be stored");
            Ack::Unavailable(Box::new(compose::unavailable()))
        })
    }

    async fn suggest(&self, actor: &Actor, place: &Place, typed: &str) -> Vec<String> {
        self.suggestions(actor, place, typed)
    }

    async fn joined(&self, place: &Place) {
        match self.store.send_now(place).await {
            Ok(0) => {}
            Ok(count) => {
                tracing::info!(platform = %place.platform, count, "the bot is in a channel now: what waited for that goes out")
            }
            Err(error) => tracing::error!(%error, "what waits for a channel cannot be hurried"),
        }
    }

    async fn recent(&self, actor: &Actor, limit: usize) -> Vec<Summary> {
        let of = Place { platform: actor.platform, workspace: actor.workspace.clone(), channel: String::new(), thread: None };
        let newest = self.store.recent_investigations(&of, LOOKED_THROUGH).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the recent investigations cannot be read");
            Vec::new()
        });
        let mine = newest.into_iter().filter(|stored| self.may_see(actor, stored));
        let mut summaries = Vec::new();
        for stored in mine.take(limit) {
            let outcome = self.outcome(&stored).await;
            summaries.push(Summary {
                id: stored.id,
                secret: SafeText::redact(stored.question.secret.as_str()),
                outcome,
                line: stored.headline,
                started_at: stored.started_at,
                place: stored.place,
            });
        }
        summaries
    }

    async fn investigation(&self, actor: &Actor, id: &str) -> Option<(Investigation, u32)> {
        let stored = self.store.investigation(id).await.ok()??;
        if stored.place.workspace != actor.workspace || stored.place.platform != actor.platform || !self.may_see(actor, &stored) {
            return None;
        }
        Some((self.store.record(id).await.ok()??, stored.revision))
    }
}

impl Bot {
    pub(super) async fn take(&self, inbound: &IncomingEvent) -> Result<Ack, Unstored> {
        match &inbound.said {
            Payload::Words(words) => self.read(inbound, words).await,
            Payload::Click(text) => match text.parse::<ActionToken>() {
                Ok(token) => self.act(inbound, token).await,
                Err(error) => {
                    self.note(inbound, "clicked", "", Decision::Rejected, &error.to_string()).await?;
                    Ok(answer(compose::expired(self.platforms.manner(&inbound.place))))
                }
            },
        }
    }

    /// Reads words. Of what looks like a secret's value nothing is kept, told or logged, whatever else was said with it.
    async fn read(&self, inbound: &IncomingEvent, words: &str) -> Result<Ack, Unstored> {
        let manner = self.platforms.manner(&inbound.place);
        let is_known = |word: &str| self.is_known_name(&inbound.actor, &inbound.place, word);
        if command::holds_a_value(words, is_known) {
            self.note(inbound, "said", "", Decision::Rejected, "it looked like a secret's value").await?;
            return Ok(answer(compose::pasted_value()));
        }
        // In a thread people talk.
        let is_talk = !self.threads_meant(&inbound.place).await?.is_empty() && !command::names_a_secret(words);
        match command::parse(words) {
            Ok(Asked::Help) => Ok(answer(compose::help(manner))),
            Ok(Asked::FollowUp(action)) => self.follow_up(inbound, action).await,
            // Which names are known to a person, depends on who that is.
            Ok(Asked::Word(_)) if is_talk && inbound.actor.standing == Standing::Pending => self.judge_later(inbound).await,
            Ok(Asked::Word(question)) if is_talk && !is_known(question.secret.as_str()) => {
                self.no_command(inbound, words, "no command, and no secret that is known").await
            }
            Ok(Asked::Word(question) | Asked::InvestigationRequest(question)) => self.ask(inbound, question).await,
            Err(usage) if is_talk => self.no_command(inbound, words, usage.why().as_str()).await,
            Err(usage) => {
                self.note(inbound, "said", "", Decision::Rejected, usage.why().as_str()).await?;
                Ok(answer(compose::usage(&usage, manner)))
            }
        }
    }

    /// What is neither a command nor clearly a secret starts nothing.
    async fn no_command(&self, inbound: &IncomingEvent, words: &str, why: &str) -> Result<Ack, Unstored> {
        self.note(inbound, "said", "", Decision::Rejected, why).await?;
        Ok(answer(compose::no_command(command::nearest(words).as_deref(), self.platforms.manner(&inbound.place))))
    }

    async fn ask(&self, inbound: &IncomingEvent, question: InvestigationRequest) -> Result<Ack, Unstored> {
        let IncomingEvent { actor, .. } = inbound;
        let subject = question.secret.to_string();
        let place = self.answered_at(&inbound.place).await?;
        if let Some(why) = self.misplaced(actor, &place, &question) {
            self.note(inbound, "investigate", &subject, Decision::Rejected, "no such account or region").await?;
            return Ok(answer(compose::refused(&why)));
        }
        if let Err(refusal) = self.allowed_places(actor, &place, &question) {
            if actor.standing == Standing::Pending && refusal.is_for_lack_of_knowledge() {
                return self.judge_later(inbound).await;
            }
            self.note(inbound, "investigate", &subject, Decision::Refused, &refusal.to_string()).await?;
            return Ok(answer(compose::refused(&refusal.to_string())));
        }
        let lane = lane(&place);
        let held_in = place.thread.as_deref().unwrap_or_default();
        let same = format!("{lane}/{held_in}/{}/{}", actor.user, serde_json::json!(question));
        let in_thread = inbound.place.thread.is_some();
        let command = Command { actor: actor.clone(), place, reply_to: inbound.reply_to.clone(), question, in_thread };
        let audit = Audited::person(actor, &inbound.place, "investigate", &subject, Decision::Allowed, "");
        let origin = origin(inbound);
        let entry = NewTrigger {
            key: origin.clone(),
            origin,
            lane,
            subject: crate::investigation::new_id(),
            same: Some(same),
            trigger: Trigger::Command(command),
            what: SafeText::redact(&format!("a question about {subject}")),
        };
        Ok(match self.store.accept(&entry, Some(&audit)).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered | Accepted::AlreadyDone => Ack::Duplicate,
            Accepted::Joined(_) => told(JOINED),
        })
    }

    async fn follow_up(&self, inbound: &IncomingEvent, action: Action) -> Result<Ack, Unstored> {
        if inbound.actor.standing == Standing::Pending {
            return self.judge_later(inbound).await;
        }
        let mut investigations = Vec::new();
        for thread in self.threads_meant(&inbound.place).await? {
            investigations.extend(self.store.investigations_of(&thread.id).await?);
        }
        match investigations.as_slice() {
            [] => Ok(told(NO_THREAD)),
            [one] => {
                let token = ActionToken { investigation: one.id.clone(), revision: one.revision, action };
                self.act(inbound, token).await
            }
            _ => Ok(told(SEVERAL)),
        }
    }

    async fn act(&self, inbound: &IncomingEvent, token: ActionToken) -> Result<Ack, Unstored> {
        if inbound.actor.standing == Standing::Pending {
            return self.judge_later(inbound).await;
        }
        let did = token.action.kind().id();
        let known = self.store.investigation(&token.investigation).await?;
        // Whoever tries the id of another channel learns as little as whoever makes one up.
        let Some(stored) = known.filter(|stored| held::is_of(stored, &inbound.place)) else {
            self.note(inbound, did, &token.investigation, Decision::Rejected, "no such investigation in this channel").await?;
            return Ok(answer(compose::expired(self.platforms.manner(&inbound.place))));
        };
        let subject = stored.question.secret.to_string();
        let allowed = match chosen(&stored, token.action) {
            Some(choice) => self.may(&inbound.actor, &inbound.place, token.action.kind(), &stored.question.secret, &choice),
            None => self.allowed_places(&inbound.actor, &inbound.place, &stored.question).map(drop),
        };
        if let Err(refusal) = allowed {
            self.note(inbound, did, &subject, Decision::Refused, &refusal.to_string()).await?;
            return Ok(answer(compose::refused(&refusal.to_string())));
        }
        if let Some(why_not) = not_now(&stored, &token, self.platforms.manner(&inbound.place)) {
            self.note(inbound, did, &subject, Decision::Rejected, "expired, or not yet").await?;
            return Ok(answer(why_not));
        }
        self.accept_act(inbound, token, &subject).await
    }

    async fn accept_act(&self, inbound: &IncomingEvent, token: ActionToken, subject: &str) -> Result<Ack, Unstored> {
        let key = match token.action {
            // One question, one answer, whoever gives it.
            Action::Choose(_) => format!("act/{}/{}/choose", token.investigation, token.revision),
            _ => format!("act/{token}"),
        };
        let (did, action) = (token.action.kind().id(), token.action);
        let act = ActionRequest {
            actor: inbound.actor.clone(),
            place: inbound.place.clone(),
            reply_to: inbound.reply_to.clone(),
            token: token.clone(),
        };
        let audit = Audited::person(&inbound.actor, &inbound.place, did, subject, Decision::Allowed, "");
        let entry = NewTrigger {
            key,
            origin: origin(inbound),
            lane: lane(&inbound.place),
            subject: token.investigation,
            same: None,
            trigger: Trigger::Action(act),
            what: SafeText::redact(&format!("{did} of the investigation of {subject}")),
        };
        Ok(match self.store.accept(&entry, Some(&audit)).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered => Ack::Duplicate,
            // What was done, and never came to be seen whole, is brought again.
            Accepted::AlreadyDone if self.brings_again(&entry.subject, &inbound.reply_to, action).await? => Ack::Accepted,
            Accepted::AlreadyDone | Accepted::Joined(_) => answer(compose::already()),
        })
    }

    /// Whether the answer to an action was given up on its way, and now sets out again.
    async fn brings_again(&self, id: &str, to: &Option<ReplyTo>, action: Action) -> Result<bool, StoreError> {
        let Some(stored) = self.store.investigation(id).await? else { return Ok(false) };
        match answer_key(&stored, action) {
            Some(message_key) => self.store.revive(&stored.thread, &message_key, to.as_ref()).await,
            None => Ok(false),
        }
    }

    async fn note(
        &self,
        inbound: &IncomingEvent,
        did: &str,
        subject: &str,
        decision: Decision,
        why: &str,
    ) -> Result<(), StoreError> {
        self.store.audit(&Audited::person(&inbound.actor, &inbound.place, did, subject, decision, why)).await
    }

    fn may_see(&self, actor: &Actor, stored: &InvestigationRow) -> bool {
        let secret = &stored.question.secret;
        match &stored.choice {
            Some(choice) => self.may(actor, &stored.place, ActionKind::Evidence, secret, choice).is_ok(),
            None => self.allowed_places(actor, &stored.place, &stored.question).is_ok(),
        }
    }

    async fn outcome(&self, stored: &InvestigationRow) -> Option<Outcome> {
        if stored.stage != Stage::Done {
            return None;
        }
        let record = self.store.record(&stored.id).await.ok().flatten()?;
        Some(record.diagnosis.outcome)
    }
}

/// The place an action is about, where that is decided.
fn chosen(stored: &InvestigationRow, action: Action) -> Option<Location> {
    match action {
        Action::Choose(at) => stored.choices.get(usize::from(at)).cloned(),
        _ => stored.choice.clone(),
    }
}

/// Why an action has no effect at this moment.
fn not_now(stored: &InvestigationRow, token: &ActionToken, manner: Manner) -> Option<Message> {
    if token.revision != stored.revision {
        return Some(compose::expired(manner));
    }
    let notice = |text| Some(compose::notice(Tone::Neutral, text));
    match (stored.stage, token.action) {
        (Stage::Asking, Action::Choose(at)) if usize::from(at) < stored.choices.len() => None,
        (Stage::Asking, Action::Resolve) => None,
        (Stage::Asking, _) => notice(NO_VERDICT),
        (_, Action::Choose(_)) => Some(compose::already()),
        (Stage::Running, _) => notice(RUNNING),
        (Stage::Failed, Action::RerunAll | Action::Resolve) | (Stage::Done, _) => None,
        (Stage::Failed, _) => notice(NO_VERDICT),
    }
}

fn answer(message: Message) -> Ack {
    Ack::Answer(Box::new(message))
}

fn told(text: &str) -> Ack {
    answer(compose::notice(Tone::Neutral, text))
}

/// Channels are served in turn.
pub(super) fn lane(place: &Place) -> String {
    format!("{}/{}/{}", place.platform, place.workspace, place.channel)
}

pub(super) fn origin(inbound: &IncomingEvent) -> String {
    format!("{}/{}/{}", inbound.place.platform, inbound.place.workspace, inbound.key)
}
