//! Watched secrets: looked at again until the next rotation succeeds or fails, across restarts.

use crate::bot::error::HandlerError;
use crate::bot::runner::Runner;
use crate::bot::verdict::{message_key, subject};
use crate::chat::Message;
use crate::chat::compose;
use crate::chat::document::{Mention, Tone};
use crate::model::{AttemptOutcome, Investigation, InvestigationId};
use crate::report::{Report, wording};
use crate::safe_format;
use crate::store::{Completion, DesiredMessage, InvestigationRow, InvestigationStage, RunResult, Store, StoreError, Watch};
use std::sync::Arc;
use std::time::Duration;

/// Looks at watched secrets.
pub struct Watches {
    store: Arc<Store>,
    runner: Arc<Runner>,
    /// How long until the next look.
    every: Duration,
}

impl Watches {
    /// Looks with `runner`, `every` so often.
    #[must_use]
    pub fn new(store: Arc<Store>, runner: Arc<Runner>, every: Duration) -> Watches {
        Watches { store, runner, every }
    }

    /// Looks again, and says so when a rotation ended since.
    pub(super) async fn handle(&self, id: &InvestigationId) -> Result<Completion, HandlerError> {
        let (Some(watch), Some(row)) = (self.store.watch(id).await?, self.store.investigation(id).await?) else {
            return Err(HandlerError::Obsolete("it is no longer watched"));
        };
        let location = row.location.as_ref().ok_or(HandlerError::Obsolete("no account and region was chosen"))?;
        let Ok(seen) = self.runner.look(location, &row.question.secret).await else { return Ok(self.later(&watch)) };
        let record = Investigation { id: row.id.clone(), ..seen };
        let ended = ended_since(&record, &watch);
        match ended {
            Some(succeeded) => Ok(self.ended(&row, &watch, record, succeeded)),
            None if self.store.now() >= watch.until => Ok(stopped(&row, &watch)),
            None => Ok(self.later(&watch)),
        }
    }

    /// It was started several times: the next look may come to its end.
    pub(super) async fn give_up(&self, id: &InvestigationId) -> Result<Completion, StoreError> {
        Ok(self.store.watch(id).await?.map(|watch| self.later(&watch)).unwrap_or_default())
    }

    /// The watched rotation came to an end.
    fn ended(&self, row: &InvestigationRow, watch: &Watch, record: Investigation, succeeded: bool) -> Completion {
        let report = Report::new(&record);
        let headline = wording::headline(&report);
        let (tone, what) = match succeeded {
            true if wording::mark(&report) == wording::Mark::Yellow => (Tone::Warning, "the watched rotation succeeded"),
            true => (Tone::Good, "the watched rotation succeeded"),
            false => (Tone::Bad, "the watched rotation failed"),
        };
        let seen = InvestigationRow { watched_since: None, ..row.clone() };
        let note = calling(watch, compose::notice(tone, safe_format!("{}: {}", what, headline)));
        let messages = vec![
            self.runner.verdict(&seen, &record),
            DesiredMessage::reply(
                &row.thread,
                message_key(row, &format!("watched-{}", record.evidence.now.as_millisecond())),
                note,
                "a watched rotation",
            ),
        ];
        let concluded = RunResult {
            id: row.id.clone(),
            stage: InvestigationStage::Done,
            record: Some(record),
            headline,
            locations: Vec::new(),
        };
        Completion { concluded: vec![concluded], unwatch: vec![row.id.clone()], messages, ..Completion::default() }
    }

    /// The watch goes on.
    fn later(&self, watch: &Watch) -> Completion {
        let now = self.store.now();
        let next_look = now.checked_add(self.every).unwrap_or(now);
        Completion { watch: Some(Watch { next_look, ..watch.clone() }), ..Completion::default() }
    }
}

/// Whether the newest rotation that ended after the watch began succeeded; `None` when none did.
fn ended_since(record: &Investigation, watch: &Watch) -> Option<bool> {
    let history = record.evidence.history.found()?;
    let ended = history.attempts.iter().filter_map(|attempt| match attempt.outcome {
        AttemptOutcome::Succeeded => Some((attempt.ended_at?, true)),
        AttemptOutcome::Failed | AttemptOutcome::Abandoned => Some((attempt.ended_at?, false)),
        AttemptOutcome::Started => None,
    });
    ended.filter(|(at, _)| *at > watch.since).max().map(|(_, succeeded)| succeeded)
}

/// Calls whoever asked for the watch.
fn calling(watch: &Watch, message: Message) -> Message {
    Message { mention: Some(Mention::User(watch.by.as_str().to_owned())), is_ending: true, ..message }
}

fn stopped(row: &InvestigationRow, watch: &Watch) -> Completion {
    let text = safe_format!("{} is no longer watched: no rotation ended within the time limit", subject(row));
    let name = message_key(row, &format!("watched-{}", watch.until.as_millisecond()));
    let note = calling(watch, compose::about(Tone::Neutral, text));
    let note = DesiredMessage::reply(&row.thread, name, note, "the end of a watch");
    Completion { unwatch: vec![row.id.clone()], messages: vec![note], ..Completion::default() }
}
