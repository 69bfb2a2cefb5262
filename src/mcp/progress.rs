//! The steps of an investigation, told to the client while they run: one notification for each that ends.

use crate::model::StepName;
use crate::playbook::Progress;
use crate::safe_format;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How many steps there are, where none is looked at again.
const STEPS: u32 = 9;

/// How long a client may take to be told of a step.
const PATIENCE: Duration = Duration::from_secs(5);

/// A step began, or ended with this status.
type StepEvent = (StepName, Option<&'static str>);

/// Where steps are told. There are a few dozen events in an investigation, however slow the client reads.
pub(super) struct StepEvents(UnboundedSender<StepEvent>);

impl StepEvents {
    pub(super) fn new() -> (StepEvents, UnboundedReceiver<StepEvent>) {
        let (sender, receiver) = unbounded_channel();
        (StepEvents(sender), receiver)
    }

    fn tell(&self, event: StepEvent) {
        // Where nobody listens, nobody asked.
        let _ = self.0.send(event);
    }
}

impl Progress for StepEvents {
    fn started(&self, step: StepName) {
        self.tell((step, None));
    }

    /// What a step saw is not told: that is for the answer, which says what of it others wrote.
    fn finished(&self, step: StepName, status: &'static str, _: &str) {
        self.tell((step, Some(status)));
    }
}

/// Tells the client of each step that ends, until the investigation has ended.
pub(super) async fn tell(peer: &Peer<RoleServer>, token: ProgressToken, mut events: UnboundedReceiver<StepEvent>) {
    let (mut begun, mut ended) = (0_u32, 0_u32);
    while let Some((step, status)) = events.recv().await {
        let Some(status) = status else {
            begun += 1;
            continue;
        };
        ended += 1;
        let message = safe_format!("step {} · {}: {}", step.number(), step.label(), status);
        let progress = ProgressNotificationParam::new(token.clone(), f64::from(ended))
            .with_total(f64::from(begun.max(ended).max(STEPS)))
            .with_message(message.as_str());
        // Whoever went away, or takes nothing, is told no more; the answer has a way of its own.
        if !matches!(timeout(PATIENCE, peer.notify_progress(progress)).await, Ok(Ok(()))) {
            return;
        }
    }
}
