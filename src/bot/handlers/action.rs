//! A person acts on an investigation: one arm for each button.

use crate::bot::error::HandlerError;
use crate::bot::runner::{Runner, session_owner};
use crate::bot::verdict::{NOTE, answer_key, called, failed, is_done, message_key, report, subject};
use crate::chat::document::Tone;
use crate::chat::{Message, compose};
use crate::config::Work;
use crate::investigation::Options;
use crate::model::{Action, ActionRequest, Actor, Investigation};
use crate::redact::SafeText;
use crate::safe_format;
use crate::store::{Claimed, Completion, DesiredMessage, InvestigationRow, InvestigationStage, Lease, Store, StoreError, Watch};
use std::sync::Arc;
use std::time::Duration;

/// Does what buttons ask for.
pub struct Actions {
    store: Arc<Store>,
    runner: Arc<Runner>,
    work: Work,
}

impl Actions {
    /// Does it with `runner`, and watches as `work` says.
    #[must_use]
    pub fn new(store: Arc<Store>, runner: Arc<Runner>, work: Work) -> Actions {
        Actions { store, runner, work }
    }

    /// Does what the click asks for, and calls whoever clicked where that took long.
    pub(super) async fn handle(&self, claimed: &Claimed, act: &ActionRequest) -> Result<Completion, HandlerError> {
        let completion = self.perform(claimed, act).await?;
        Ok(called(completion, claimed, &act.actor, self.store.now()))
    }

    async fn perform(&self, claimed: &Claimed, act: &ActionRequest) -> Result<Completion, HandlerError> {
        let gone = HandlerError::Obsolete("the investigation is gone");
        let row = self.store.investigation(&act.token.investigation).await?.ok_or(gone)?;
        let next = act.token.revision.saturating_add(1);
        let by = SafeText::redact(&act.actor.user);
        if let Action::Choose(at) = act.action() {
            return match row.locations.get(usize::from(at)) {
                Some(location) => {
                    let mut options = Options::new(row.question.secret.clone());
                    options.lookback = row.question.lookback;
                    self.runner.run(claimed.lease, &row, next, location, options, session_owner(&act.actor)).await
                }
                // The choice was made, and a crash came between it and the end of the run.
                None => self.again(claimed.lease, &act.actor, &row, next, None).await,
            };
        }
        if act.action() == Action::RerunAll {
            // An alarm had it run between the click and now; a run of ours that a crash cut short is still running.
            if row.revision > act.token.revision && row.stage != InvestigationStage::Running {
                return Ok(noted(
                    Completion::default(),
                    claimed,
                    &row,
                    act,
                    "asked for a rerun of all steps, which has been done meanwhile",
                ));
            }
            return Ok(noted(
                self.again(claimed.lease, &act.actor, &row, next, None).await?,
                claimed,
                &row,
                act,
                "reran all steps",
            ));
        }
        if is_done(&row, act.action()) {
            return Ok(answered_with(claimed, &row, act, compose::already()));
        }
        if act.action() == Action::Resolve && row.stage != InvestigationStage::Done {
            return Ok(self.resolved(claimed, &row, None, act, by));
        }
        let Some(record) = self.store.record(&row.id).await? else {
            return Ok(answered(claimed, &row, act, "there is no verdict yet"));
        };
        let reply = |message, reason| {
            let message_key = answer_key(&row, act.action()).unwrap_or_default();
            let desired = DesiredMessage::reply(&row.thread, message_key, message, reason);
            Completion { messages: vec![desired.asked_by(act.reply_to.clone())], ..Completion::default() }
        };
        Ok(match act.action() {
            Action::RerunStep(step) => {
                let options = Options::rerun_step(record.evidence, step);
                let completion = self.again(claimed.lease, &act.actor, &row, next, Some(options)).await?;
                noted(completion, claimed, &row, act, safe_format!("reran step {}", step.number()))
            }
            Action::Widen(lookback) => {
                let options = Options::widen(record.evidence, lookback);
                let completion = self.again(claimed.lease, &act.actor, &row, next, Some(options)).await?;
                noted(completion, claimed, &row, act, safe_format!("widened the window to {} days", lookback.hours() / 24))
            }
            Action::Evidence(step) => reply(compose::evidence(&record, step), "evidence"),
            Action::Compare => reply(compose::comparison(&report(&row, &record)), "comparison"),
            Action::Consumers => match self.runner.consumers(&row, &record).await {
                Ok(consumers) => reply(compose::consumers(&record, &consumers), "consumers"),
                Err(error) => answered(claimed, &row, act, SafeText::redact(&format!("AWS could not be queried: {error}"))),
            },
            Action::Export => reply(compose::export(&report(&row, &record)), "export"),
            Action::CopyFix => match compose::bare_commands(&report(&row, &record)) {
                Some(commands) => answered_with(claimed, &row, act, commands),
                None => answered(claimed, &row, act, "there is no command to copy"),
            },
            Action::Watch => self.watched(claimed, &row, &record, act, by),
            Action::StopWatching => self.unwatched(claimed, &row, &record, act),
            Action::Resolve => self.resolved(claimed, &row, Some(&record), act, by),
            Action::Reopen => self.reopened(claimed, &row, &record, act),
            Action::RerunAll | Action::Choose(_) => return Err(HandlerError::Obsolete("it was done")),
        })
    }

    /// Runs again in the same place, with the same options where none are given.
    async fn again(
        &self,
        lease: Lease,
        actor: &Actor,
        row: &InvestigationRow,
        revision: u32,
        options: Option<Options>,
    ) -> Result<Completion, HandlerError> {
        let location = row.location.as_ref().ok_or(HandlerError::Obsolete("no account and region was chosen"))?;
        let options = options.unwrap_or_else(|| {
            let mut options = Options::new(row.question.secret.clone());
            options.lookback = row.question.lookback;
            options
        });
        self.runner.run(lease, row, revision, location, options, session_owner(actor)).await
    }

    /// It was started several times: whoever clicked is told.
    pub(super) async fn give_up(
        &self,
        claimed: &Claimed,
        act: &ActionRequest,
        why: &'static str,
    ) -> Result<Completion, StoreError> {
        Ok(match self.store.investigation(&act.token.investigation).await? {
            Some(row) if row.stage == InvestigationStage::Running => failed(&row, why),
            Some(row) => {
                let name = message_key(&row, &format!("answer-{}", claimed.lease.number()));
                let message = compose::notice(Tone::Warning, safe_format!("That could not be done: {}", why));
                let told = DesiredMessage::reply(&row.thread, name, message, "given up");
                Completion { messages: vec![told], ..Completion::default() }
            }
            None => Completion::default(),
        })
    }

    fn watched(
        &self,
        claimed: &Claimed,
        row: &InvestigationRow,
        record: &Investigation,
        act: &ActionRequest,
        by: SafeText,
    ) -> Completion {
        let now = self.store.now();
        let after = |wait: Duration| now.checked_add(wait).unwrap_or(now);
        let watch = Watch {
            investigation: row.id.clone(),
            by,
            since: row.watched_since.unwrap_or(record.evidence.now),
            next_look: after(self.work.watch_every),
            until: after(self.work.watch_for),
        };
        let seen = InvestigationRow { watched_since: Some(watch.since), ..row.clone() };
        let completion =
            Completion { watch: Some(watch), messages: vec![self.runner.verdict(&seen, record)], ..Completion::default() };
        noted(completion, claimed, row, act, "is watching for the next rotation")
    }

    fn resolved(
        &self,
        claimed: &Claimed,
        row: &InvestigationRow,
        record: Option<&Investigation>,
        act: &ActionRequest,
        by: SafeText,
    ) -> Completion {
        let closed = InvestigationRow { resolved: Some((by.clone(), claimed.received_at)), watched_since: None, ..row.clone() };
        let messages = match record {
            Some(record) => vec![self.runner.verdict(&closed, record)],
            None => {
                let title = safe_format!("{} is resolved", subject(row));
                vec![DesiredMessage::reply(&row.thread, &row.message_key, compose::about(Tone::Neutral, title), "closed")]
            }
        };
        let completion =
            Completion { resolved: vec![(row.id.clone(), by)], unwatch: vec![row.id.clone()], messages, ..Completion::default() };
        noted(completion, claimed, row, act, "resolved this")
    }

    /// The watch ends before a rotation did.
    fn unwatched(&self, claimed: &Claimed, row: &InvestigationRow, record: &Investigation, act: &ActionRequest) -> Completion {
        let seen = InvestigationRow { watched_since: None, ..row.clone() };
        let completion = Completion {
            unwatch: vec![row.id.clone()],
            messages: vec![self.runner.verdict(&seen, record)],
            ..Completion::default()
        };
        noted(completion, claimed, row, act, "stopped watching for the next rotation")
    }

    fn reopened(&self, claimed: &Claimed, row: &InvestigationRow, record: &Investigation, act: &ActionRequest) -> Completion {
        let open = InvestigationRow { resolved: None, ..row.clone() };
        let completion = Completion {
            reopened: vec![row.id.clone()],
            messages: vec![self.runner.verdict(&open, record)],
            ..Completion::default()
        };
        noted(completion, claimed, row, act, "reopened this")
    }
}

/// Says in the thread what a person did, and points that person to it.
fn noted(
    mut completion: Completion,
    claimed: &Claimed,
    row: &InvestigationRow,
    act: &ActionRequest,
    did: impl Into<SafeText>,
) -> Completion {
    let headline = completion.concluded.first().map(|concluded| safe_format!(": {}", concluded.headline)).unwrap_or_default();
    let mut message =
        compose::about(Tone::Neutral, safe_format!("{} {}{}", SafeText::redact(&act.actor.user), did.into(), headline));
    message.people.push(act.actor.user.clone());
    let name = format!("note-{}", claimed.lease.number());
    let note = DesiredMessage::reply(&row.thread, message_key(row, &name), message, NOTE);
    completion.messages.push(note.asked_by(act.reply_to.clone()));
    completion
}

fn answered(claimed: &Claimed, row: &InvestigationRow, act: &ActionRequest, text: impl Into<SafeText>) -> Completion {
    answered_with(claimed, row, act, compose::notice(Tone::Neutral, text))
}

/// Tells the person alone, where the platform can; else the thread.
fn answered_with(claimed: &Claimed, row: &InvestigationRow, act: &ActionRequest, message: Message) -> Completion {
    let name = message_key(row, &format!("answer-{}", claimed.lease.number()));
    let desired = match &act.reply_to {
        Some(to) => DesiredMessage::ephemeral(&row.thread, name, to.clone(), message, "an answer"),
        None => DesiredMessage::reply(&row.thread, name, message, "an answer"),
    };
    Completion { messages: vec![desired], ..Completion::default() }
}
