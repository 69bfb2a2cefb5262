//! The nine steps while they run, for the thread.

use super::verdict::early;
use crate::chat::document::StepLine;
use crate::chat::{PlatformSet, compose};
use crate::model::{Investigation, StepName};
use crate::playbook::Progress;
use crate::redact::SafeText;
use crate::store::{DesiredMessage, InvestigationRow, Lease, Store};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How often progress is stated at most, where its platform says nothing else: what goes on in between is told with the
/// next one.
const EVERY: Duration = Duration::from_secs(1);

/// Who watches the steps for a thread.
pub(super) struct Live {
    steps: Mutex<Vec<StepLine>>,
    changed: Notify,
    /// What the run comes to, as far as that is known.
    decided: Mutex<Option<Investigation>>,
    newly_decided: Notify,
}

impl Live {
    pub(super) fn new() -> Live {
        Live {
            steps: Mutex::new(compose::waiting()),
            changed: Notify::new(),
            decided: Mutex::new(None),
            newly_decided: Notify::new(),
        }
    }

    /// States the progress whenever it changes, and never returns.
    pub(super) async fn tell(
        &self,
        store: &Store,
        lease: Lease,
        platforms: &PlatformSet,
        row: &InvestigationRow,
        subject: &SafeText,
    ) -> Infallible {
        let limits = platforms.limits(row.place.platform);
        let every = limits.between_edits.unwrap_or(EVERY);
        loop {
            self.changed.notified().await;
            let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let verdict = decided.as_ref().and_then(|record| early(row, record, limits.screen));
            let message = verdict.unwrap_or_else(|| compose::progress(subject, &steps));
            let desired = DesiredMessage::reply(&row.thread, &row.message_key, message, "progress").as_progress();
            if let Err(error) = store.state_progress(lease, &[desired]).await {
                tracing::warn!(%error, "progress could not be stored");
            }
            // The verdict is what people wait for.
            let _ = tokio::time::timeout(every, self.newly_decided.notified()).await;
        }
    }

    fn set(&self, line: StepLine) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(step) = steps.iter_mut().find(|step| step.number == line.number) {
            *step = line;
        }
        drop(steps);
        self.changed.notify_one();
    }
}

impl Progress for Live {
    fn started(&self, step: StepName) {
        self.set(compose::running(step));
    }

    fn finished(&self, step: StepName, status: &'static str, summary: &str) {
        self.set(compose::ended(step, status, summary));
    }

    fn is_waiting(&self) -> bool {
        true
    }

    fn decided_early(&self, investigation: &Investigation) {
        *self.decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(investigation.clone());
        self.newly_decided.notify_one();
        self.changed.notify_one();
    }
}
