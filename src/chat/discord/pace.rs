//! How fast Discord may be asked: its limits per route and over all, and a breaker before it bans us.
//!
//! Serenity's own limiter cannot be used with another base address than Discord's, and without it the time a refusal asks
//! to wait is lost. This one holds back what would be refused, lets everything else pass, and never waits longer than its
//! caller has.

use crate::clock::this_instant;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Requests a second over all routes; Discord allows fifty, and other replicas may use the same token.
///
/// Source: Discord developer documentation, "Global Rate Limit".
const EACH_SECOND: usize = 40;
/// Refused requests within [`BAN_WINDOW`] after which nothing is sent; Discord bans an address for an hour or more at
/// ten thousand.
///
/// Source: Discord developer documentation, "Invalid Request Limit".
const REFUSALS: usize = 1_000;
/// Source: as [`REFUSALS`].
const BAN_WINDOW: Duration = Duration::from_secs(600);
/// How long nothing is sent after the token was refused, before one request tries again.
const TOKEN_PAUSE: Duration = Duration::from_secs(60);
/// How long to wait where a refusal does not say.
const UNSAID: Duration = Duration::from_secs(5);
/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How many routes are remembered.
const BUCKETS: usize = 1_024;

/// Why something may not be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It has to wait longer than the caller can.
    For(Duration),
    /// The token was refused a moment ago.
    TokenRefused,
}

/// What an answer says about limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    /// Requests left on this route.
    pub(super) remaining: Option<u32>,
    /// Seconds until there are more.
    pub(super) reset_after: Option<f64>,
    /// Seconds to wait, in a refusal.
    pub(super) retry_after: Option<f64>,
    /// The refusal is about all routes.
    pub(super) is_global: bool,
    /// The refusal is about others too, and does not count against us.
    pub(super) is_shared: bool,
}

/// The limits as far as they are known.
#[derive(Default)]
pub(super) struct Pace {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    routes: HashMap<String, Bucket>,
    paused_until: Option<Instant>,
    sent: VecDeque<Instant>,
    refused: VecDeque<Instant>,
    token_refused_until: Option<Instant>,
}

struct Bucket {
    remaining: u32,
    resets_at: Instant,
}

impl Pace {
    /// Waits until a request on `route` may be sent, at most until `deadline`.
    pub(super) async fn pass(&self, route: &str, is_by_interaction: bool, deadline: Instant) -> Result<(), Held> {
        loop {
            let Some(at) = self.with(|state| state.next(route, is_by_interaction))? else { return Ok(()) };
            if at > deadline {
                return Err(Held::For(at.saturating_duration_since(this_instant())));
            }
            sleep_until(at).await;
        }
    }

    /// Takes note of an answer; `token_counts` where the bot's token was sent with the request.
    pub(super) fn note(&self, route: &str, status: u16, limits: Limits, token_counts: bool) {
        self.with(|state| state.note(route, status, limits, token_counts));
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// When to look again; `None` when the request may be sent now, and was counted.
    fn next(&mut self, route: &str, is_by_interaction: bool) -> Result<Option<Instant>, Held> {
        let now = this_instant();
        if !is_by_interaction && let Some(until) = self.token_refused_until {
            if now < until {
                return Err(Held::TokenRefused);
            }
            // One request tries; if it is refused too, the pause begins anew.
            self.token_refused_until = Some(now + TOKEN_PAUSE);
        }
        forget(&mut self.sent, now, Duration::from_secs(1));
        forget(&mut self.refused, now, BAN_WINDOW);
        let nth_from_end = |times: &VecDeque<Instant>, most: usize, window| {
            times.len().checked_sub(most).and_then(|at| times.get(at)).map(|at| *at + window)
        };
        let breaker = nth_from_end(&self.refused, REFUSALS, BAN_WINDOW);
        let all = self.paused_until.filter(|_| !is_by_interaction);
        let second = nth_from_end(&self.sent, EACH_SECOND, Duration::from_secs(1)).filter(|_| !is_by_interaction);
        let bucket = self.routes.get_mut(route).filter(|bucket| now < bucket.resets_at);
        let own = bucket.as_ref().filter(|bucket| bucket.remaining == 0).map(|bucket| bucket.resets_at);
        if let Some(at) = [breaker, all, second, own].into_iter().flatten().filter(|at| *at > now).max() {
            return Ok(Some(at));
        }
        if let Some(bucket) = bucket {
            bucket.remaining = bucket.remaining.saturating_sub(1);
        }
        if !is_by_interaction {
            self.sent.push_back(now);
        }
        Ok(None)
    }

    fn note(&mut self, route: &str, status: u16, limits: Limits, token_counts: bool) {
        let now = this_instant();
        if matches!(status, 401 | 403 | 429) && !limits.is_shared {
            self.refused.push_back(now);
        }
        if token_counts {
            self.token_refused_until = (status == 401).then(|| now + TOKEN_PAUSE);
        }
        if status == 429 {
            let until = now + limits.retry_after.map_or(UNSAID, seconds);
            if limits.is_global {
                self.paused_until = Some(until);
            } else {
                self.remember(route, Bucket { remaining: 0, resets_at: until });
            }
        } else if let (Some(remaining), Some(reset_after)) = (limits.remaining, limits.reset_after) {
            let resets_at = now + seconds(reset_after);
            // Answers overtake one another: within one period the count only falls.
            let remaining = match self.routes.get(route) {
                Some(known) if now < known.resets_at => remaining.min(known.remaining),
                _ => remaining,
            };
            self.remember(route, Bucket { remaining, resets_at });
        }
    }

    fn remember(&mut self, route: &str, bucket: Bucket) {
        if self.routes.len() >= BUCKETS && !self.routes.contains_key(route) {
            let now = this_instant();
            self.routes.retain(|_, known| now < known.resets_at);
            let soonest = self.routes.iter().min_by_key(|(_, known)| known.resets_at).map(|(route, _)| route.clone());
            if let Some(soonest) = soonest.filter(|_| self.routes.len() >= BUCKETS) {
                self.routes.remove(&soonest);
            }
        }
        self.routes.insert(route.to_owned(), bucket);
    }
}

fn forget(times: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while times.front().is_some_and(|at| *at + window <= now) {
        times.pop_front();
    }
}

/// A number of seconds from outside; nonsense waits as if nothing was said.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(UNSAID).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/channels/1/messages";
    const B: &str = "/channels/2/messages";

    async fn pass(pace: &Pace, route: &str, patience: u64) -> Result<(), Held> {
        pace.pass(route, false, this_instant() + Duration::from_secs(patience)).await
    }

    fn refused(retry_after: Option<f64>, is_global: bool) -> Limits {
        Limits { retry_after, is_global, ..Limits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_route_that_is_full_waits() {
        let pace = Pace::default();
        pace.note(A, 200, Limits { remaining: Some(1), reset_after: Some(2.5), ..Limits::default() }, true);
        let start = this_instant();
        assert_eq!(pass(&pace, A, 9).await, Ok(()));
        assert_eq!(pass(&pace, B, 9).await, Ok(()));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(pass(&pace, A, 9).await, Ok(()));
        assert!(start.elapsed() >= Duration::from_millis(2_500) && start.elapsed() < Duration::from_millis(2_600));
    }

    #[tokio::test(start_paused = true)]
    async fn every_way_to_ask_for_a_wait_is_honoured_capped_or_defaulted() {
        for (said, waited) in [
            (Some(0.0), 0),
            (Some(1.0), 1),
            (Some(30.0), 30),
            (Some(3_600.0), 3_600),
            (Some(1e9), 3_600),
            (Some(-1.0), 5),
            (Some(f64::NAN), 5),
            (None, 5),
        ] {
            let pace = Pace::default();
            pace.note(A, 429, refused(said, false), true);
            let start = this_instant();
            assert_eq!(pass(&pace, A, 10_000).await, Ok(()), "{said:?}");
            assert_eq!(start.elapsed().as_millis() / 10, waited * 100, "{said:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_longer_than_the_caller_has_is_told_at_once() {
        let pace = Pace::default();
        pace.note(A, 429, refused(Some(30.0), false), true);
        assert_eq!(pass(&pace, A, 5).await, Err(Held::For(Duration::from_secs(30))));
        assert_eq!(pass(&pace, B, 5).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_over_all_routes_spares_the_answers_to_interactions() {
        let pace = Pace::default();
        pace.note(A, 429, refused(Some(30.0), true), true);
        assert_eq!(pass(&pace, B, 5).await, Err(Held::For(Duration::from_secs(30))));
        assert_eq!(pace.pass("/interactions/1/x/callback", true, this_instant()).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_stays_below_the_limit_over_all_routes() {
        let pace = Pace::default();
        let start = this_instant();
        for at in 0..=EACH_SECOND {
            assert_eq!(start.elapsed(), Duration::ZERO, "{at}");
            assert_eq!(pass(&pace, &format!("/{at}"), 9).await, Ok(()));
        }
        assert!(start.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_breaker_opens_well_before_a_ban_and_closes_again() {
        let pace = Pace::default();
        for _ in 0..REFUSALS {
            pace.note(A, 403, Limits::default(), true);
        }
        assert!(matches!(pass(&pace, B, 5).await, Err(Held::For(left)) if left > Duration::from_secs(590)));
        tokio::time::advance(BAN_WINDOW).await;
        assert_eq!(pass(&pace, B, 5).await, Ok(()));
        let others = Pace::default();
        for _ in 0..REFUSALS {
            others.note(A, 429, Limits { retry_after: Some(0.0), is_shared: true, ..Limits::default() }, true);
        }
        assert_eq!(pass(&others, B, 5).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_tried_once_a_minute() {
        let pace = Pace::default();
        pace.note(A, 401, Limits::default(), true);
        assert_eq!(pass(&pace, B, 500).await, Err(Held::TokenRefused));
        tokio::time::advance(TOKEN_PAUSE).await;
        assert_eq!(pass(&pace, B, 5).await, Ok(()));
        assert_eq!(pass(&pace, B, 5).await, Err(Held::TokenRefused));
        pace.note(B, 200, Limits::default(), true);
        assert_eq!(pass(&pace, B, 5).await, Ok(()));
        pace.note("/interactions/1/x/callback", 401, Limits::default(), false);
        assert_eq!(pass(&pace, B, 5).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_has_a_bound() {
        let pace = Pace::default();
        for at in 0..3 * BUCKETS {
            pace.note(&format!("/{at}"), 200, Limits { remaining: Some(0), reset_after: Some(9.0), ..Limits::default() }, true);
        }
        assert_eq!(pace.with(|state| state.routes.len()), BUCKETS);
    }
}
