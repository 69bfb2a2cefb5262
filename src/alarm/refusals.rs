//! What happens again and again is logged as one line a minute for each reason, such as refused messages, whoever sends how many.

use super::refusal::MessageRefusal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often one reason is logged.
const EVERY: Duration = Duration::from_secs(60);

/// Reasons told apart at a time; they hold no text of the sender, and there are fewer.
const MAX_REASONS: usize = 64;

/// How often it happened within the last minute and was not logged, by reason.
#[derive(Debug, Default)]
pub(crate) struct OnceAMinute(Mutex<HashMap<String, u64>>);

impl OnceAMinute {
    /// Logs a refusal.
    pub(super) fn note(self: Arc<OnceAMinute>, refusal: &MessageRefusal) {
        let status = refusal.status().as_u16();
        self.tell(refusal.to_string(), move |why, more| match more {
            None => tracing::warn!(status, why, "a message for /sns was refused"),
            Some(more) => tracing::warn!(status, why, more, "messages for /sns were refused within the last minute"),
        });
    }

    /// Logs the first of what happens for a reason at once, and all that follow within a minute as one line with their number.
    pub(crate) fn tell(self: Arc<OnceAMinute>, why: String, log: impl Fn(&str, Option<u64>) + Send + 'static) {
        if self.is_first(&why) {
            log(&why, None);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(EVERY).await;
                    let Some(more) = self.after_a_minute(&why) else { return };
                    log(&why, Some(more));
                }
            });
        }
    }

    /// True for the first; the others are counted.
    fn is_first(&self, why: &str) -> bool {
        let mut silent = self.silent();
        if let Some(count) = silent.get_mut(why) {
            *count = count.saturating_add(1);
            return false;
        }
        let is_known = silent.len() < MAX_REASONS;
        if is_known {
            silent.insert(why.to_owned(), 0);
        }
        is_known
    }

    /// How many there were since the last line; `None`, and the next one is a first again, where there were none.
    fn after_a_minute(&self, why: &str) -> Option<u64> {
        let mut silent = self.silent();
        let count = silent.get_mut(why).map(std::mem::take).filter(|count| *count > 0);
        if count.is_none() {
            silent.remove(why);
        }
        count
    }

    fn silent(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_on_is_logged_at_once_and_then_only_counted() {
        let (lines, once) = (Arc::new(Mutex::new(Vec::new())), Arc::<OnceAMinute>::default());
        for _ in 0..1_000 {
            let lines = Arc::clone(&lines);
            let log = move |why: &str, more: Option<u64>| lines.lock().unwrap().push((why.to_owned(), more));
            Arc::clone(&once).tell("the disk is full".to_owned(), log);
        }
        assert_eq!(*lines.lock().unwrap(), [("the disk is full".to_owned(), None)]);
        assert_eq!(once.after_a_minute("the disk is full"), Some(999));
    }

    #[test]
    fn one_reason_is_logged_once_a_minute_with_the_number_of_all_others() {
        let refusals = OnceAMinute::default();
        assert_eq!((0..1_000).filter(|_| refusals.is_first("forged")).count(), 1);
        assert!(refusals.is_first("too old"), "each reason has a line of its own");
        assert_eq!(refusals.after_a_minute("forged"), Some(999));
        assert_eq!((0..5).filter(|_| refusals.is_first("forged")).count(), 0, "the minute's line was that with the number");
        assert_eq!(refusals.after_a_minute("forged"), Some(5));
        assert_eq!((refusals.after_a_minute("forged"), refusals.after_a_minute("too old")), (None, None));
        assert!(refusals.is_first("forged"), "after a quiet minute");
        assert_eq!((0..1_000).filter(|number| refusals.is_first(&number.to_string())).count(), MAX_REASONS - 1);
    }
}
