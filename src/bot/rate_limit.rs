//! How much one person may ask: enough for an incident, not enough to keep everyone else waiting.

use crate::clock;
use crate::model::{Actor, PlatformName};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Commands and clicks one person may make at once, after a pause.
const BURST: u32 = 20;

/// How often another one is allowed after that.
const EVERY: Duration = Duration::from_secs(3);

/// People remembered at most; those who have been quiet are forgotten first.
const MAX_PEOPLE: usize = 10_000;

type Person = (PlatformName, String, String);

/// Counts what people ask.
#[derive(Debug, Default)]
pub(super) struct UserRateLimiter {
    /// When a person's next request would be due if requests came evenly.
    people: Mutex<HashMap<Person, Instant>>,
}

impl UserRateLimiter {
    /// True when `actor` may ask now.
    pub(super) fn lets_through(&self, actor: &Actor) -> bool {
        self.lets_through_at(actor, clock::this_instant())
    }

    fn lets_through_at(&self, actor: &Actor, now: Instant) -> bool {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= MAX_PEOPLE {
            people.retain(|_, due| *due > now);
        }
        let person = (actor.platform, actor.workspace.clone(), actor.user.clone());
        let due = people.get(&person).copied().unwrap_or(now).max(now);
        if due > now + EVERY * (BURST - 1) || people.len() >= MAX_PEOPLE {
            return false;
        }
        people.insert(person, due + EVERY);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Standing;

    fn person(user: &str) -> Actor {
        Actor {
            platform: PlatformName::new("slack"),
            workspace: "T1".to_owned(),
            user: user.to_owned(),
            groups: None,
            standing: Standing::Member,
        }
    }

    #[test]
    fn one_person_is_slowed_down_and_others_are_not() {
        let rate_limit = UserRateLimiter::default();
        let now = clock::this_instant();
        let through = (0..100).filter(|_| rate_limit.lets_through_at(&person("U1"), now)).count();
        assert_eq!(through, usize::try_from(BURST).unwrap());
        assert!(rate_limit.lets_through_at(&person("U2"), now));
        assert!(rate_limit.lets_through_at(&person("U1"), now + EVERY));
        assert!(!rate_limit.lets_through_at(&person("U1"), now + EVERY));
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_bound_and_the_quiet_are_forgotten() {
        let rate_limit = UserRateLimiter::default();
        let now = clock::this_instant();
        let crowd = (0..=MAX_PEOPLE).filter(|number| rate_limit.lets_through_at(&person(&format!("U{number}")), now)).count();
        assert_eq!(crowd, MAX_PEOPLE);
        assert!(rate_limit.lets_through_at(&person("late"), now + EVERY * 2));
    }
}
