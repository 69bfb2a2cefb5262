//! How fast Discord may be asked: its limits per route and over all, and a breaker before it bans us.
//!
//! Serenity's own limiter cannot be used with another base address than Discord's, and without it the time a refusal asks
//! to wait is lost. This one holds back what would be refused, lets everything else pass, and never waits longer than its
//! caller has.

use super::route::Route;
use crate::clock::{Pauses, this_instant};
use reqwest::Method;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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
const MAX_WAIT: Duration = Duration::from_secs(3_600);
/// How many lanes are remembered.
const BUCKETS: usize = 1_024;

/// What shares a limit: see [`Route::bucket`]; each method counts for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    method: Method,
    bucket: String,
    is_by_interaction: bool,
}

impl Lane {
    pub(super) fn of(method: Method, route: &Route<'_>) -> Lane {
        Lane { method, bucket: route.bucket(), is_by_interaction: route.is_by_interaction() }
    }

    /// See [`Route::is_by_interaction`].
    pub(super) fn is_by_interaction(&self) -> bool {
        self.is_by_interaction
    }
}

/// Why something may not be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldBack {
    /// It has to wait longer than the caller can.
    For(Duration),
    /// The token was refused a moment ago.
    TokenRefused,
}

/// What an answer says about limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct RateLimits {
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
pub(super) struct RateLimiter {
    state: Mutex<State>,
    pauses: Pauses,
}

#[derive(Default)]
struct State {
    lanes: HashMap<Lane, Bucket>,
    paused_until: Option<Instant>,
    sent: VecDeque<Instant>,
    refused: VecDeque<Instant>,
    token_refused_until: Option<Instant>,
}

struct Bucket {
    remaining: u32,
    resets_at: Instant,
}

impl RateLimiter {
    /// Nothing is known of the limits yet.
    pub(super) fn new(pauses: Pauses) -> RateLimiter {
        RateLimiter { state: Mutex::default(), pauses }
    }

    /// Waits until a request on `lane` may be sent, at most until `deadline`.
    pub(super) async fn pass(&self, lane: &Lane, deadline: Instant) -> Result<(), HeldBack> {
        loop {
            let Some(at) = self.with(|state| state.next(this_instant(), lane))? else { return Ok(()) };
            if at > deadline {
                return Err(HeldBack::For(at.saturating_duration_since(this_instant())));
            }
            self.pauses.until(at).await;
        }
    }

    /// True where the last answer to a request with the token was that it is not accepted.
    pub(super) fn is_token_refused(&self) -> bool {
        self.with(|state| state.token_refused_until.is_some())
    }

    /// There is a new token, which may be tried at once.
    pub(super) fn forget_refusal(&self) {
        self.with(|state| state.token_refused_until = None);
    }

    /// Takes note of an answer.
    pub(super) fn note(&self, lane: &Lane, status: u16, limits: RateLimits) {
        self.with(|state| state.note(this_instant(), lane, status, limits));
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// When to look again; `None` when the request may be sent now, and was counted.
    fn next(&mut self, now: Instant, lane: &Lane) -> Result<Option<Instant>, HeldBack> {
        let is_by_interaction = lane.is_by_interaction();
        if !is_by_interaction && let Some(until) = self.token_refused_until {
            if now < until {
                return Err(HeldBack::TokenRefused);
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
        let bucket = self.lanes.get_mut(lane).filter(|bucket| now < bucket.resets_at);
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

    fn note(&mut self, now: Instant, lane: &Lane, status: u16, limits: RateLimits) {
        if matches!(status, 401 | 403 | 429) && !limits.is_shared {
            self.refused.push_back(now);
        }
        if !lane.is_by_interaction() {
            self.token_refused_until = (status == 401).then(|| now + TOKEN_PAUSE);
        }
        if status == 429 {
            let until = now + limits.retry_after.map_or(UNSAID, seconds);
            if limits.is_global {
                self.paused_until = Some(until);
            } else {
                self.remember(now, lane, Bucket { remaining: 0, resets_at: until });
            }
        } else if let (Some(remaining), Some(reset_after)) = (limits.remaining, limits.reset_after) {
            let resets_at = now + seconds(reset_after);
            // Answers overtake one another: within one period the count only falls.
            let remaining = match self.lanes.get(lane) {
                Some(known) if now < known.resets_at => remaining.min(known.remaining),
                _ => remaining,
            };
            self.remember(now, lane, Bucket { remaining, resets_at });
        }
    }

    fn remember(&mut self, now: Instant, lane: &Lane, bucket: Bucket) {
        if self.lanes.len() >= BUCKETS && !self.lanes.contains_key(lane) {
            self.lanes.retain(|_, known| now < known.resets_at);
            let soonest = self.lanes.iter().min_by_key(|(_, known)| known.resets_at).map(|(lane, _)| lane.clone());
            if let Some(soonest) = soonest.filter(|_| self.lanes.len() >= BUCKETS) {
                self.lanes.remove(&soonest);
            }
        }
        self.lanes.insert(lane.clone(), bucket);
    }
}

fn forget(times: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while times.front().is_some_and(|at| *at + window <= now) {
        times.pop_front();
    }
}

/// A number of seconds from outside; nonsense waits as if nothing was said.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(UNSAID).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::super::snowflake::Snowflake;
    use super::*;

    fn id(number: u64) -> Snowflake {
        Snowflake::new(number).unwrap()
    }

    fn messages(channel: u64) -> Lane {
        Lane::of(Method::POST, &Route::Messages { channel: id(channel) })
    }

    fn answer(token: &str) -> Lane {
        Lane::of(Method::POST, &Route::FollowUps { application: id(1), token })
    }

    #[test]
    fn messages_of_a_channel_share_a_limit_and_channels_and_interactions_do_not() {
        let edit =
            |channel: u64, message: u64| Lane::of(Method::PATCH, &Route::Message { channel: id(channel), message: id(message) });
        assert_eq!(edit(1, 1), edit(1, 2));
        assert_ne!(edit(1, 1), edit(2, 1));
        assert_ne!(edit(1, 1), messages(1));
        assert_eq!(answer("x"), answer("x"));
        assert_ne!(answer("x"), answer("y"));
    }

    /// Milliseconds from `now` until a request may be sent; 0 when it was counted as sent.
    fn wait(state: &mut State, now: Instant, lane: &Lane) -> Result<u128, HeldBack> {
        let at = state.next(now, lane)?;
        Ok(at.map_or(0, |at| at.saturating_duration_since(now).as_millis()))
    }

    fn refused(retry_after: Option<f64>, is_global: bool) -> RateLimits {
        RateLimits { retry_after, is_global, ..RateLimits::default() }
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn only_the_route_that_is_full_waits() {
        let (mut state, now) = (State::default(), this_instant());
        state.note(now, &messages(1), 200, RateLimits { remaining: Some(1), reset_after: Some(2.5), ..RateLimits::default() });
        assert_eq!(wait(&mut state, now, &messages(1)), Ok(0));
        assert_eq!(wait(&mut state, now, &messages(1)), Ok(2_500));
        assert_eq!(wait(&mut state, now, &messages(2)), Ok(0));
        assert_eq!(wait(&mut state, now + ms(2_500), &messages(1)), Ok(0));
    }

    #[test]
    fn an_answer_that_was_overtaken_gives_no_turns_back() {
        let (mut state, now) = (State::default(), this_instant());
        let left = |remaining| RateLimits { remaining: Some(remaining), reset_after: Some(1.0), ..RateLimits::default() };
        state.note(now, &messages(1), 200, left(0));
        state.note(now, &messages(1), 200, left(4));
        assert_eq!(wait(&mut state, now, &messages(1)), Ok(1_000));
    }

    #[test]
    fn every_way_to_ask_for_a_wait_is_honoured_capped_or_defaulted() {
        for (said, expected) in [
            (Some(0.0), 0),
            (Some(1.0), 1_000),
            (Some(30.0), 30_000),
            (Some(3_600.0), 3_600_000),
            (Some(1e9), 3_600_000),
            (Some(-1.0), 5_000),
            (Some(f64::NAN), 5_000),
            (None, 5_000),
        ] {
            let (mut state, now) = (State::default(), this_instant());
            state.note(now, &messages(1), 429, refused(said, false));
            assert_eq!(wait(&mut state, now, &messages(1)), Ok(expected), "{said:?}");
            assert_eq!(wait(&mut state, now, &messages(2)), Ok(0));
        }
    }

    #[test]
    fn a_pause_over_all_routes_spares_the_answers_to_interactions() {
        let (mut state, now) = (State::default(), this_instant());
        state.note(now, &messages(1), 429, refused(Some(30.0), true));
        assert_eq!(wait(&mut state, now, &messages(2)), Ok(30_000));
        assert_eq!(wait(&mut state, now, &answer("x")), Ok(0));
        assert_eq!(wait(&mut state, now + ms(30_000), &messages(2)), Ok(0));
    }

    #[test]
    fn a_burst_stays_below_the_limit_over_all_routes() {
        let (mut state, now) = (State::default(), this_instant());
        for at in 0..EACH_SECOND {
            assert_eq!(wait(&mut state, now, &messages(100 + at as u64)), Ok(0));
        }
        assert_eq!(wait(&mut state, now, &messages(1)), Ok(1_000));
        assert_eq!(wait(&mut state, now + ms(1_000), &messages(1)), Ok(0));
    }

    #[test]
    fn the_breaker_opens_well_before_a_ban_and_closes_again() {
        for (limits, opens) in
            [(RateLimits::default(), true), (RateLimits { is_shared: true, ..refused(Some(0.0), false) }, false)]
        {
            let (mut state, now) = (State::default(), this_instant());
            for _ in 0..REFUSALS {
                state.note(now, &messages(1), 429, limits);
            }
            assert_eq!(wait(&mut state, now, &messages(2)), Ok(if opens { 600_000 } else { 0 }));
            assert_eq!(wait(&mut state, now, &answer("x")), Ok(if opens { 600_000 } else { 0 }));
            assert_eq!(wait(&mut state, now + BAN_WINDOW, &messages(2)), Ok(0));
        }
    }

    #[test]
    fn a_refused_token_is_tried_once_a_minute() {
        let (mut state, now) = (State::default(), this_instant());
        state.note(now, &messages(1), 401, RateLimits::default());
        assert_eq!(wait(&mut state, now, &messages(2)), Err(HeldBack::TokenRefused));
        assert_eq!(wait(&mut state, now, &answer("x")), Ok(0));
        let later = now + TOKEN_PAUSE;
        assert_eq!(wait(&mut state, later, &messages(2)), Ok(0));
        assert_eq!(wait(&mut state, later, &messages(2)), Err(HeldBack::TokenRefused));
        state.note(later, &messages(2), 200, RateLimits::default());
        assert_eq!(wait(&mut state, later, &messages(2)), Ok(0));
        state.note(later, &answer("x"), 401, RateLimits::default());
        assert_eq!(wait(&mut state, later, &messages(2)), Ok(0));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut state, now) = (State::default(), this_instant());
        for at in 0..3 * BUCKETS {
            let limits = RateLimits { remaining: Some(0), reset_after: Some(9.0), ..RateLimits::default() };
            state.note(now, &messages(100 + at as u64), 200, limits);
        }
        assert_eq!(state.lanes.len(), BUCKETS);
    }

    #[tokio::test]
    async fn a_wait_longer_than_the_caller_has_is_told_at_once() {
        let pace = RateLimiter::default();
        pace.note(&messages(1), 429, refused(Some(30.0), false));
        let held = pace.pass(&messages(1), this_instant() + ms(5_000)).await;
        assert!(matches!(held, Err(HeldBack::For(wait)) if wait > ms(29_000) && wait <= ms(30_000)), "{held:?}");
        assert_eq!(pace.pass(&messages(2), this_instant()).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_fits_is_waited_out() {
        let pace = RateLimiter::default();
        pace.note(&messages(1), 429, refused(Some(4.0), false));
        let start = this_instant();
        assert_eq!(pace.pass(&messages(1), start + ms(5_000)).await, Ok(()));
        assert_eq!(start.elapsed().as_secs(), 4);
    }
}
