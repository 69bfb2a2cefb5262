//! The threads of alarms: what all that is done about them shares.

use super::context::AlarmContext;
use super::intake::AlarmIntake;
use crate::alarm::AlarmGroup;
use crate::bot::access::Access;
use crate::bot::error::HandlerError;
use crate::bot::runner::Runner;
use crate::config::Config;
use crate::model::{Alarm, Recheck, ThreadId};
use crate::store::{Claimed, Store, StoreError};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// How often an alarm that nothing explains is looked at again, while CloudTrail may not show the failed rotation yet.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(120);

/// For how long. CloudTrail shows most events within five minutes, and promises nothing.
pub(super) const LOOK_FOR: SignedDuration = SignedDuration::from_mins(12);

/// How soon a thread is looked at where its secret has a new version: by then Secrets Manager has ended the rotation.
pub(super) const VERSION_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The threads that alarms open, and what becomes of them.
pub struct AlarmThreads {
    pub(super) store: Arc<Store>,
    pub(super) access: Arc<Access>,
    pub(super) runner: Arc<Runner>,
    /// Takes up again what a storm left.
    pub(super) intake: Arc<AlarmIntake>,
    pub(super) config: Arc<Config>,
}

impl AlarmThreads {
    /// Threads where the routes of `config` lead.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        store: Arc<Store>,
        access: Arc<Access>,
        runner: Arc<Runner>,
        intake: Arc<AlarmIntake>,
    ) -> AlarmThreads {
        AlarmThreads { store, access, runner, intake, config }
    }

    /// The alarm, where the configuration still covers it.
    pub(super) fn context<'a>(&'a self, claimed: &'a Claimed, alarm: &'a Alarm) -> Result<AlarmContext<'a>, HandlerError> {
        AlarmContext::of(&self.config, claimed, alarm)
            .map_err(|_| HandlerError::Obsolete("the configuration no longer covers it"))
    }

    /// Says again what the alarm says, where nothing newer was heard.
    pub(super) async fn say_again(&self, case: &AlarmContext<'_>, thread: &ThreadId) -> Result<(), StoreError> {
        let _turn = self.store.deciding_turn().await?;
        match self.store.group_in::<AlarmGroup>(thread).await? {
            Some(stored_group) if stored_group.group.is_newest(case.alarm) => {
                self.store.upsert_messages(&[self.about_alarm(case, &stored_group).await?]).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn recheck_in(&self, thread: &ThreadId, why: Recheck, wait: SignedDuration) -> Result<(), StoreError> {
        let now = self.store.now();
        self.store.recheck_at(thread, why, now.checked_add(wait).unwrap_or(now)).await
    }

    /// Changes what is known of a thread, as it is now: other alarms may have told of it since it was read.
    pub(super) async fn change_group(&self, thread: &ThreadId, change: impl FnOnce(&mut AlarmGroup)) -> Result<(), StoreError> {
        let _turn = self.store.deciding_turn().await?;
        let Some(mut stored_group) = self.store.group_in::<AlarmGroup>(thread).await? else { return Ok(()) };
        change(&mut stored_group.group);
        self.store.keep_group(thread, &[], &stored_group.group).await
    }
}
