//! What each trigger comes to. Everything here may be done again from its start after a crash.

use super::Bot;
use super::accounts::{Whereabouts, locate};
use super::run::{failed, message_key, report, subject, verdict};
use crate::chat::document::Tone;
use crate::chat::{Message, compose};
use crate::investigation::Options;
use crate::model::{Action, ActionKind, ActionRequest, Command, Investigation, ReplyTo, Trigger};
use crate::redact::SafeText;
use crate::store::{
    Audited, Claimed, Completion, Decision, DesiredMessage, InvestigationRow, Lease, Location, NewThread, ROOT, RunResult, Stage,
    StoreError, Watch,
};
use std::time::Duration;

/// How long a secret is looked for before its thread is opened; then its asker has waited long enough for a sign of life.
const UNSEEN_LOOK: Duration = Duration::from_secs(5);

/// Why a trigger is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandlerError {
    /// The store fails; later it may not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it is about is gone; nothing is left to do.
    #[error("{0}")]
    Obsolete(&'static str),
    /// It is too early; it is to be done after this wait.
    #[error("it waits for {} s", .0.as_secs())]
    RetryAfter(std::time::Duration),
}

impl Bot {
    /// Does what a trigger asks for, up to the changes that end it.
    pub(super) async fn perform(&self, claimed: &Claimed) -> Result<Completion, HandlerError> {
        // Each is large and rarely the largest: on the heap, none weighs on the stack of a worker.
        match &claimed.trigger {
            Trigger::Command(command) => Box::pin(self.question(claimed, command)).await,
            Trigger::Action(act) => Box::pin(self.act_on(claimed, act)).await,
            Trigger::WatchDue { investigation } => Box::pin(self.look_again(investigation)).await,
            Trigger::Alarm(alarm) => Box::pin(self.alarm(claimed, alarm)).await,
            Trigger::Recheck { thread, why } => Box::pin(self.recheck(claimed, thread, *why)).await,
            Trigger::Incoming(inbound) => Box::pin(self.judge(claimed, inbound)).await,
        }
    }

    /// A thread is opened for what can be looked into. Whoever asks in vain is told alone, as far as that is known soon.
    async fn question(&self, claimed: &Claimed, command: &Command) -> Result<Completion, HandlerError> {
        let Command { actor, place, reply_to, question, in_thread } = command;
        let id = &claimed.subject;
        let manner = self.platforms.manner(place);
        let manner = if *in_thread { manner.in_thread() } else { manner };
        // A run that was cut short may have opened it.
        let is_open = self.store.thread(id).await?.is_some();
        // Asked again: the rules may have changed since it was accepted.
        let allowed = self.allowed_places(actor, place, question);
        let places = match &allowed {
            Ok(places) => places.as_slice(),
            Err(refusal) => match reply_to {
                Some(to) if !is_open => {
                    let why = refusal.to_string();
                    return Ok(told_alone(claimed, command, to, compose::refused(&why), Decision::Refused, &why));
                }
                _ => &[],
            },
        };
        let mut looking = std::pin::pin!(locate(self.accounts.as_ref(), places, &question.secret));
        let mut seen = None;
        if let Some(to) = reply_to.as_ref().filter(|_| !is_open && allowed.is_ok()) {
            seen = tokio::time::timeout(UNSEEN_LOOK, &mut looking).await.ok();
            if seen == Some(Whereabouts::Nowhere) {
                let near = self.near_names(actor, place, &question.secret, places).await;
                let message = compose::not_found(&question.secret, &named(places), &near, manner);
                return Ok(told_alone(claimed, command, to, message, Decision::Rejected, "there is no such secret"));
            }
        }
        let waiting = compose::progress(&SafeText::redact(question.secret.as_str()), &compose::waiting());
        let root = DesiredMessage::root(id, waiting, "a question").as_progress().asked_by(reply_to.clone());
        let thread = NewThread { id: id.clone(), place: place.clone(), alarm: None };
        // A run that was cut short has said more already.
        let root = (!is_open).then_some(root);
        let stored = self.store.open_investigation(&thread, id, ROOT, question, root.as_slice()).await?;
        if let Err(refusal) = &allowed {
            return Ok(failed(&stored, &refusal.to_string()));
        }
        let seen = match seen {
            Some(seen) => seen,
            None => looking.await,
        };
        let found = match &seen {
            Whereabouts::In(found) => found.as_slice(),
            // The thread is open: it says so.
            Whereabouts::Nowhere => places.get(..1).unwrap_or_default(),
        };
        match found {
            [] => Ok(failed(&stored, "there is no place to look for it")),
            [one] => {
                let mut options = Options::new(question.secret.clone());
                options.reach = question.reach;
                let completion = self.run(claimed.lease, &stored, stored.revision, one, options).await?;
                Ok(self.as_allowed(actor, &stored, one, completion))
            }
            several => Ok(asked(&stored, several)),
        }
    }

    async fn act_on(&self, claimed: &Claimed, act: &ActionRequest) -> Result<Completion, HandlerError> {
        let gone = HandlerError::Obsolete("the investigation is gone");
        let stored = self.store.investigation(&act.token.investigation).await?.ok_or(gone)?;
        let next = act.token.revision.saturating_add(1);
        let by = SafeText::redact(&act.actor.user);
        if let Action::Choose(at) = act.action() {
            return match stored.choices.get(usize::from(at)) {
                Some(choice) => {
                    let mut options = Options::new(stored.question.secret.clone());
                    options.reach = stored.question.reach;
                    self.run(claimed.lease, &stored, next, choice, options).await
                }
                // The choice was made, and a crash came between it and the end of the run.
                None => self.again(claimed.lease, &stored, next, None).await,
            };
        }
        if act.action() == Action::RerunAll {
            // An alarm had it run between the click and now; a run of ours that a crash cut short is still running.
            if stored.revision > act.token.revision && stored.stage != Stage::Running {
                return Ok(noted(
                    Completion::default(),
                    claimed,
                    &stored,
                    act,
                    "wanted all steps run again, which was done meanwhile",
                ));
            }
            return Ok(noted(
                self.again(claimed.lease, &stored, next, None).await?,
                claimed,
                &stored,
                act,
                "ran all steps again",
            ));
        }
        if act.action() == Action::Resolve && stored.stage != Stage::Done {
            return Ok(resolved(claimed, &stored, None, act, by));
        }
        let Some(record) = self.store.record(&stored.id).await? else {
            return Ok(answered(claimed, &stored, act, "there is no verdict yet to go on from"));
        };
        let reply = |message, reason| {
            let message_key = answer_key(&stored, act.action()).unwrap_or_default();
            let outgoing = DesiredMessage::reply(&stored.thread, message_key, message, reason);
            Completion { messages: vec![outgoing.asked_by(act.reply_to.clone())], ..Completion::default() }
        };
        Ok(match act.action() {
            Action::RerunStep(step) => {
                let options = Options::rerun_step(record.evidence, step);
                let completion = self.again(claimed.lease, &stored, next, Some(options)).await?;
                noted(completion, claimed, &stored, act, &format!("ran step {} again", step.number()))
            }
            Action::Widen(reach) => {
                let options = Options::widen(record.evidence, reach);
                let completion = self.again(claimed.lease, &stored, next, Some(options)).await?;
                noted(completion, claimed, &stored, act, &format!("looked back {reach}"))
            }
            Action::Evidence(step) => reply(compose::evidence(&record, step), "evidence"),
            Action::Compare => reply(compose::comparison(&report(&stored, &record)), "comparison"),
            Action::Export => reply(compose::export(&report(&stored, &record)), "export"),
            Action::Watch => self.watched(claimed, &stored, &record, act, by),
            Action::Resolve => resolved(claimed, &stored, Some(&record), act, by),
            Action::RerunAll | Action::Choose(_) => return Err(HandlerError::Obsolete("it was done")),
        })
    }

    /// Runs again in the same place, with the same options where none are given.
    async fn again(
        &self,
        lease: Lease,
        stored: &InvestigationRow,
        revision: u32,
        options: Option<Options>,
    ) -> Result<Completion, HandlerError> {
        let choice = stored.choice.as_ref().ok_or(HandlerError::Obsolete("it was never decided where to look"))?;
        let options = options.unwrap_or_else(|| {
            let mut options = Options::new(stored.question.secret.clone());
            options.reach = stored.question.reach;
            options
        });
        self.run(lease, stored, revision, choice, options).await
    }

    fn watched(
        &self,
        claimed: &Claimed,
        stored: &InvestigationRow,
        record: &Investigation,
        act: &ActionRequest,
        by: SafeText,
    ) -> Completion {
        let now = self.store.now();
        let after = |wait: std::time::Duration| now.checked_add(wait).unwrap_or(now);
        let watch = Watch {
            investigation: stored.id.clone(),
            by,
            since: stored.watched_since.unwrap_or(record.evidence.now),
            next_look: after(self.work.watch_every),
            until: after(self.work.watch_for),
        };
        let seen = InvestigationRow { watched_since: Some(watch.since), ..stored.clone() };
        let completion = Completion { watch: Some(watch), messages: vec![verdict(&seen, record)], ..Completion::default() };
        noted(completion, claimed, stored, act, "watches for the next rotation")
    }

    /// A name can be read out of an ARN in two ways; what was found has to be allowed too.
    fn as_allowed(
        &self,
        actor: &crate::model::Actor,
        stored: &InvestigationRow,
        choice: &Location,
        completion: Completion,
    ) -> Completion {
        let found = completion.concluded.first().and_then(|concluded| concluded.record.as_ref()?.evidence.secret.found());
        let Some(name) = found.map(|secret| crate::model::SecretRef::Name(secret.name.clone())) else { return completion };
        match self.may(actor, &stored.place, ActionKind::Investigate, &name, choice) {
            Ok(()) => completion,
            Err(refusal) => failed(&InvestigationRow { choice: None, ..stored.clone() }, &refusal.to_string()),
        }
    }
}

/// Places as people know them: account and region.
fn named(places: &[Location]) -> Vec<(String, String)> {
    let account = |choice: &Location| choice.account.clone().unwrap_or_else(|| "this account".to_owned());
    places.iter().map(|choice| (account(choice), choice.region.clone())).collect()
}

/// Nothing is looked into: whoever asked is told so alone, and no thread shows it.
fn told_alone(claimed: &Claimed, command: &Command, to: &ReplyTo, message: Message, decision: Decision, why: &str) -> Completion {
    let Command { actor, place, question, .. } = command;
    let id = &claimed.subject;
    Completion {
        messages: vec![DesiredMessage::ephemeral(id, "answer", to.clone(), message, "an answer")],
        opens: Some(NewThread { id: id.clone(), place: place.clone(), alarm: None }),
        audit: vec![Audited::person(actor, place, "investigate", question.secret.as_str(), decision, why)],
        ..Completion::default()
    }
}

/// The message that answers an action without changing anything; `None` for those that do more.
pub(super) fn answer_key(stored: &InvestigationRow, action: Action) -> Option<String> {
    let revision = stored.revision;
    let name = match action {
        Action::Evidence(step) => format!("evidence-{}-{revision}", step.number()),
        Action::Compare => format!("compare-{revision}"),
        Action::Export => format!("export-{revision}"),
        _ => return None,
    };
    Some(message_key(stored, &name))
}

fn asked(stored: &InvestigationRow, several: &[Location]) -> Completion {
    let secret = SafeText::redact(stored.question.secret.as_str());
    let message = compose::choose(&secret, &named(several), &stored.id, stored.revision);
    let concluded = RunResult {
        id: stored.id.clone(),
        stage: Stage::Asking,
        record: None,
        headline: message.title.clone(),
        choices: several.to_vec(),
    };
    let outgoing = DesiredMessage::reply(&stored.thread, &stored.message_key, message, "which place is meant");
    Completion { concluded: vec![concluded], messages: vec![outgoing], ..Completion::default() }
}

/// Says in the thread what a person did, and points that person to it.
fn noted(mut completion: Completion, claimed: &Claimed, stored: &InvestigationRow, act: &ActionRequest, did: &str) -> Completion {
    let headline = completion.concluded.first().map(|concluded| format!(": {}", concluded.headline)).unwrap_or_default();
    let message = compose::about(Tone::Neutral, &format!("{} {did}{headline}", act.actor.user));
    let name = format!("note-{}", claimed.lease.number());
    let note = DesiredMessage::reply(&stored.thread, message_key(stored, &name), message, "what a person did");
    completion.messages.push(note.asked_by(act.reply_to.clone()));
    completion
}

fn resolved(
    claimed: &Claimed,
    stored: &InvestigationRow,
    record: Option<&Investigation>,
    act: &ActionRequest,
    by: SafeText,
) -> Completion {
    let closed = InvestigationRow { resolved: Some((by.clone(), claimed.received_at)), watched_since: None, ..stored.clone() };
    let messages = match record {
        Some(record) => vec![verdict(&closed, record)],
        None => {
            let title = format!("{} was closed", subject(stored));
            vec![DesiredMessage::reply(&stored.thread, &stored.message_key, compose::about(Tone::Neutral, &title), "closed")]
        }
    };
    let completion = Completion {
        resolved: vec![(stored.id.clone(), by)],
        unwatch: vec![stored.id.clone()],
        messages,
        ..Completion::default()
    };
    noted(completion, claimed, stored, act, "closed this")
}

/// Tells the person alone, where the platform can; else the thread.
fn answered(claimed: &Claimed, stored: &InvestigationRow, act: &ActionRequest, text: &str) -> Completion {
    let name = message_key(stored, &format!("answer-{}", claimed.lease.number()));
    let message = compose::notice(Tone::Neutral, text);
    let outgoing = match &act.reply_to {
        Some(to) => DesiredMessage::ephemeral(&stored.thread, name, to.clone(), message, "an answer"),
        None => DesiredMessage::reply(&stored.thread, name, message, "an answer"),
    };
    Completion { messages: vec![outgoing], ..Completion::default() }
}
