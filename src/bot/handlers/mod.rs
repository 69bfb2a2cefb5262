//! What each trigger comes to. Everything here may be done again from its start after a crash.

mod action;
mod investigation_request;
mod pending_event;
mod watch;

pub use action::Actions;
pub use investigation_request::InvestigationRequests;
pub use pending_event::PendingEvents;
pub use watch::Watches;

use super::alarms::AlarmThreads;
use super::error::HandlerError;
use crate::model::Trigger;
use crate::store::{Claimed, Completion, StoreError};
use std::sync::Arc;

/// One handler for each kind of trigger.
pub struct Handlers {
    /// A person asks about a secret.
    pub requests: InvestigationRequests,
    /// A person acts on an investigation.
    pub actions: Actions,
    /// A watched secret is due.
    pub watches: Watches,
    /// A person said something who has to be looked up.
    pub events: PendingEvents,
    /// An alarm came, or left something for later.
    pub alarms: Arc<AlarmThreads>,
}

impl Handlers {
    /// Does what a trigger asks for, up to the changes that end it.
    pub(super) async fn handle(&self, claimed: &Claimed) -> Result<Completion, HandlerError> {
        // Each is large and rarely the largest: on the heap, none weighs on the stack of a worker.
        match &claimed.trigger {
            Trigger::Command(command) => Box::pin(self.requests.handle(claimed, command)).await,
            Trigger::Action(act) => Box::pin(self.actions.handle(claimed, act)).await,
            Trigger::WatchDue { investigation } => Box::pin(self.watches.handle(investigation)).await,
            Trigger::Alarm(alarm) => Box::pin(self.alarms.handle(claimed, alarm)).await,
            Trigger::Recheck { thread, why } => Box::pin(self.alarms.recheck(claimed, thread, *why)).await,
            Trigger::Incoming(inbound) => Box::pin(self.events.handle(claimed, inbound)).await,
        }
    }

    /// What a trigger comes to that was begun again and again: it is said where it would have been answered.
    pub(super) async fn give_up(&self, claimed: &Claimed, why: &'static str) -> Result<Completion, StoreError> {
        match &claimed.trigger {
            Trigger::Command(command) => self.requests.give_up(claimed, command, why).await,
            Trigger::Action(act) => self.actions.give_up(claimed, act, why).await,
            Trigger::WatchDue { investigation } => self.watches.give_up(investigation).await,
            Trigger::Alarm(alarm) => self.alarms.give_up(claimed, alarm, why).await,
            Trigger::Recheck { thread, .. } => self.alarms.give_up_recheck(claimed, thread, why).await,
            Trigger::Incoming(inbound) => self.events.give_up(claimed, inbound, why).await,
        }
    }
}
