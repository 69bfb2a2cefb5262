//! What alarms left for later: an alarm that flapped and is still, a new version of a secret, a storm that is over.

use super::LANE;
use crate::alarm::AlarmGroup;
use crate::bot::Bot;
use crate::bot::perform::HandlerError;
use crate::model::{AlarmState, Recheck, Trigger};
use crate::redact::SafeText;
use crate::store::{Claimed, Completion, NewTrigger, Refused, StoredGroup};

/// Rechecks begun in one go; the others follow at the next.
const AT_ONCE: u32 = 50;

impl Bot {
    /// Begins the rechecks that are due.
    ///
    /// # Errors
    /// [`Refused`]; what was not begun is due still.
    pub async fn begin_rechecks(&self) -> Result<(), Refused> {
        for due in self.store.due_rechecks(self.store.now(), AT_ONCE).await? {
            let key = format!("recheck/{}/{}/{}", due.why.id(), due.thread, due.due_at.as_millisecond());
            let entry = NewTrigger {
                origin: key.clone(),
                key,
                lane: LANE.to_owned(),
                subject: due.thread.clone(),
                same: None,
                trigger: Trigger::Recheck { thread: due.thread.clone(), why: due.why },
                what: SafeText::redact("another check after an alarm"),
            };
            self.store.accept(&entry, None).await?;
            self.store.recheck_begun(&due).await?;
        }
        Ok(())
    }

    /// Looks again at a thread of alarms.
    pub(in crate::bot) async fn recheck(
        &self,
        claimed: &Claimed,
        thread: &str,
        why: Recheck,
    ) -> Result<Completion, HandlerError> {
        let gone = HandlerError::Obsolete("its thread is gone");
        if why == Recheck::Storm {
            return self.after_storm(thread).await;
        }
        let stored_group: StoredGroup<AlarmGroup> = self.store.story_in(thread).await?.ok_or(gone)?;
        let left = match why {
            Recheck::Version => stored_group.group.new_version.clone().filter(|_| stored_group.group.ended_at.is_none()),
            _ => stored_group.group.unsettled.clone(),
        };
        let alarm = left.ok_or(HandlerError::Obsolete("it has been reported meanwhile"))?;
        let case = self.case(claimed, &alarm)?;
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
