//! How much one person may ask: enough for an incident, not enough to keep everyone else waiting.

use crate::clock::LimitClock;
use crate::model::{Actor, PlatformName};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// Commands and clicks one person may make at once, after a pause.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// How often another one is allowed after that: each three seconds.
const A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// People remembered at most; those who have been quiet are forgotten first.
const MAX_PEOPLE: usize = 10_000;

type Person = (PlatformName, String, String);

/// Counts what people ask.
#[derive(Debug)]
pub(super) struct UserRateLimiter(RateLimiter<Person, HashMapStateStore<Person>, LimitClock, NoOpMiddleware<Duration>>);

impl Default for UserRateLimiter {
    fn default() -> UserRateLimiter {
        UserRateLimiter(RateLimiter::hashmap_with_clock(Quota::per_minute(A_MINUTE).allow_burst(BURST), LimitClock::start()))
    }
}

impl UserRateLimiter {
    /// True when `actor` may ask now.
    pub(super) fn lets_through(&self, actor: &Actor) -> bool {
        if self.0.len() >= MAX_PEOPLE {
            self.0.retain_recent();
        }
        let person = (actor.platform, actor.workspace.clone(), actor.user.clone());
        self.0.len() < MAX_PEOPLE && self.0.check_key(&person).is_ok()
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

    #[tokio::test(start_paused = true)]
    async fn one_person_is_slowed_down_and_others_are_not() {
        let limiter = UserRateLimiter::default();
        let through = (0..100).filter(|_| limiter.lets_through(&person("U1"))).count();
        assert_eq!(through, 20);
        assert!(limiter.lets_through(&person("U2")));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(limiter.lets_through(&person("U1")));
        assert!(!limiter.lets_through(&person("U1")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_remembered_up_to_a_bound_and_the_quiet_are_forgotten() {
        let limiter = UserRateLimiter::default();
        let crowd = (0..=MAX_PEOPLE).filter(|number| limiter.lets_through(&person(&format!("U{number}")))).count();
        assert_eq!(crowd, MAX_PEOPLE);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(limiter.lets_through(&person("late")));
    }
}
