//! Watched secrets: looked at again until the next rotation succeeds or fails, across restarts.

use super::Bot;
use super::perform::HandlerError;
use super::run::{message_key, subject, verdict};
use crate::chat::compose;
use crate::chat::document::Tone;
use crate::investigation::{Options, investigate};
use crate::model::{AttemptOutcome, Investigation, Trigger};
use crate::redact::SafeText;
use crate::report::{Report, wording};
use crate::store::{Completion, DesiredMessage, InvestigationRow, NewTrigger, Refused, RunResult, Stage, Watch};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often due watches are looked for.
const TICK: Duration = Duration::from_secs(5);

/// Watches begun in one go; the others follow at the next.
const AT_ONCE: u32 = 50;

/// The lane of looks nobody waits for.
const LANE: &str = "watch";

impl Bot {
    /// Begins the looks that are due, those that alarms left for later among them, until `stop`.
    pub async fn keep_watch(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(TICK.min(self.work.watch_every))).await.is_some() {
            if let Err(error) = self.begin_looks().await {
                tracing::error!(%error, "watched secrets could not be checked");
            }
            if let Err(error) = self.begin_rechecks().await {
                tracing::error!(%error, "later checks of alarms could not be started");
            }
        }
    }

    async fn begin_looks(&self) -> Result<(), Refused> {
        for watch in self.store.due_watches(self.store.now(), AT_ONCE).await? {
            let key = format!("watch/{}/{}", watch.investigation, watch.next_look.as_millisecond());
            let entry = NewTrigger {
                origin: key.clone(),
                key,
                lane: LANE.to_owned(),
                subject: watch.investigation.clone(),
                same: None,
                trigger: Trigger::WatchDue { investigation: watch.investigation },
                what: SafeText::redact("another check of a watched secret"),
            };
            self.store.accept(&entry, None).await?;
        }
        Ok(())
    }

    /// Looks again, and says so when a rotation ended since.
    pub(super) async fn look_again(&self, id: &str) -> Result<Completion, HandlerError> {
        let (Some(watch), Some(stored)) = (self.store.watch(id).await?, self.store.investigation(id).await?) else {
            return Err(HandlerError::Obsolete("it is no longer watched"));
        };
        let choice = stored.choice.as_ref().ok_or(HandlerError::Obsolete("no account and region was chosen"))?;
        let Ok(connected) = self.accounts.connect(choice, &stored.question.secret).await else { return Ok(self.later(&watch)) };
        let mut options = Options::new(stored.question.secret.clone());
        options.step_deadline = self.step_deadline;
        options.total_deadline = self.total_deadline;
        let seen = Box::pin(investigate(&connected.aws, &connected.clock, &options, &())).await;
        let record = Investigation { id: stored.id.clone(), ..seen };
        let ended = ended_since(&record, &watch);
        match ended {
            Some(succeeded) => Ok(told(&stored, record, succeeded)),
            None if self.store.now() >= watch.until => Ok(stopped(&stored, &watch)),
            None => Ok(self.later(&watch)),
        }
    }

    /// The watch goes on.
    pub(super) fn later(&self, watch: &Watch) -> Completion {
        let now = self.store.now();
        let next_look = now.checked_add(self.work.watch_every).unwrap_or(now);
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

fn told(stored: &InvestigationRow, record: Investigation, succeeded: bool) -> Completion {
    let report = Report::new(&record);
    let headline = SafeText::redact(&wording::headline(&report));
    let (tone, what) = match succeeded {
        true => (Tone::Good, "the watched rotation succeeded"),
        false => (Tone::Bad, "the watched rotation failed"),
    };
    let seen = InvestigationRow { watched_since: None, ..stored.clone() };
    let note = compose::notice(tone, &format!("{what}: {headline}"));
    let messages = vec![
        verdict(&seen, &record),
        DesiredMessage::reply(
            &stored.thread,
            message_key(stored, &format!("watched-{}", record.evidence.now.as_millisecond())),
            note,
            "a watched rotation",
        ),
    ];
    let concluded = RunResult { id: stored.id.clone(), stage: Stage::Done, record: Some(record), headline, choices: Vec::new() };
    Completion { concluded: vec![concluded], unwatch: vec![stored.id.clone()], messages, ..Completion::default() }
}

fn stopped(stored: &InvestigationRow, watch: &Watch) -> Completion {
    let text = format!("{} is no longer watched: no rotation ended within the time limit", subject(stored));
    let name = message_key(stored, &format!("watched-{}", watch.until.as_millisecond()));
    let note = DesiredMessage::reply(&stored.thread, name, compose::about(Tone::Neutral, &text), "the end of a watch");
    Completion { unwatch: vec![stored.id.clone()], messages: vec![note], ..Completion::default() }
}
