//! Where a step puts what other steps wait for.

use super::secret::Described;
use crate::model::{FunctionFacts, LogGroupFacts, Observation, RoleFacts, RotationHistory, SecretVersion};
use std::sync::Arc;
use tokio::sync::watch;

/// A place that is filled once; whoever needs its content waits for it.
#[derive(Debug)]
pub(super) struct Slot<T> {
    content: watch::Sender<Option<T>>,
}

impl<T: Clone> Slot<T> {
    fn empty() -> Slot<T> {
        Slot { content: watch::Sender::new(None) }
    }

    /// Fills the slot; a filled slot stays as it is.
    pub(super) fn fill(&self, value: T) {
        self.content.send_if_modified(|content| {
            let was_empty = content.is_none();
            if was_empty {
                *content = Some(value);
            }
            was_empty
        });
    }

    /// The content, as soon as there is one.
    pub(super) async fn get(&self) -> T {
        let mut receiver = self.content.subscribe();
        loop {
            if let Some(value) = receiver.borrow_and_update().clone() {
                return value;
            }
            if receiver.changed().await.is_err() {
                // The sender lives in `self`, so this cannot be reached; waiting leaves the end to the deadline.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The content, if there is one already.
    pub(super) fn peek(&self) -> Option<T> {
        self.content.borrow().clone()
    }
}

/// What steps wait for from one another. Every slot is filled at the latest when its step ends, however it ends.
#[derive(Debug)]
pub(super) struct StepOutputs {
    /// From step 1: what DescribeSecret answered.
    pub(super) subject: Slot<Observation<Arc<Described>>>,
    /// From step 1: the versions, with the creation date of a pending one.
    pub(super) versions: Slot<Vec<SecretVersion>>,
    /// From step 1: names like the one asked for.
    pub(super) near_names: Slot<Vec<String>>,
    /// From step 3.
    pub(super) function: Slot<Observation<Arc<FunctionFacts>>>,
    /// From step 4: what the log group is, where reading it brought nothing.
    pub(super) log_group: Slot<Observation<LogGroupFacts>>,
    /// From step 5.
    pub(super) role: Slot<Observation<Arc<RoleFacts>>>,
    /// From step 6.
    pub(super) history: Slot<Observation<Arc<RotationHistory>>>,
}

impl StepOutputs {
    pub(super) fn empty() -> StepOutputs {
        StepOutputs {
            subject: Slot::empty(),
            versions: Slot::empty(),
            near_names: Slot::empty(),
            function: Slot::empty(),
            log_group: Slot::empty(),
            role: Slot::empty(),
            history: Slot::empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_gets_the_first_content_and_later_ones_change_nothing() {
        let slot = Slot::empty();
        let (seen, ()) = tokio::join!(slot.get(), async {
            tokio::task::yield_now().await;
            slot.fill(1);
            slot.fill(2);
        });
        assert_eq!((seen, slot.peek()), (1, Some(1)));
    }
}
