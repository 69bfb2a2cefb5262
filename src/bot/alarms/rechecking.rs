//! What alarms left for later: an alarm that flapped and is still, a new version of a secret, a storm that is over.

use super::threads::AlarmThreads;
use crate::alarm::AlarmGroup;
use crate::bot::error::HandlerError;
use crate::model::{AlarmState, Recheck, ThreadId};
use crate::store::{Claimed, Completion, StoredGroup};

impl AlarmThreads {
    /// Looks again at a thread of alarms.
    pub(in crate::bot) async fn recheck(
        &self,
        claimed: &Claimed,
        thread: &ThreadId,
        why: Recheck,
    ) -> Result<Completion, HandlerError> {
        let gone = HandlerError::Obsolete("its thread is gone");
        if why == Recheck::Storm {
            return self.after_storm(claimed, thread).await;
        }
        let stored_group: StoredGroup<AlarmGroup> = self.store.group_in(thread).await?.ok_or(gone)?;
        let left = match why {
            Recheck::Version => stored_group.group.new_version.clone().filter(|_| stored_group.group.ended_at.is_none()),
            _ => stored_group.group.unsettled.clone(),
        };
        let alarm = left.ok_or(HandlerError::Obsolete("it has been reported meanwhile"))?;
        let case = self.context(claimed, &alarm)?;
        if why == Recheck::Version {
            return self.check_version(&case, &stored_group).await;
        }
        let completion = match alarm.state {
            AlarmState::Ok => self.recover(&case, &stored_group).await?,
            _ => self.settle(&case, &stored_group).await?,
        };
        self.say_again(&case, thread).await?;
        Ok(completion)
    }
}
