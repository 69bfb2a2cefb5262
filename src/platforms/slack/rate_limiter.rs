//! Keeps within what Slack allows, so that it rarely has to say no.
//!
//! Slack takes about one message a second per channel, and fifty edits a minute per workspace. A 429 pauses its own
//! method alone, for everyone who calls it; one for a message pauses its channel, until another channel has one too.

use super::method::Method;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Source: Slack, "Rate limits": "1 per second" to a channel for chat.postMessage.
const BETWEEN_MESSAGES: Duration = Duration::from_secs(1);

/// How many messages may come at once to a channel that was quiet. Source: Slack, "Rate limits": "short bursts of >1 allowed".
const MESSAGE_BURST: u32 = 2;

/// Source: Slack, "Rate limits": tier 3, "50+ per minute", for chat.update.
const BETWEEN_EDITS: Duration = Duration::from_millis(1_200);

/// How many edits may come at once; Slack tolerates "occasional bursts".
const EDIT_BURST: u32 = 20;

/// Edits that only show progress leave this many of the burst to verdicts.
const KEPT_FOR_VERDICTS: u32 = 8;

/// The longest wait for a turn; who would wait longer is told to come back, and may have something newer to say by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many channels' turns are remembered; past ones are forgotten first.
const MAX_CHANNELS: usize = 1_024;

/// What is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn<'a> {
    /// A message to a channel or a thread in it.
    Message {
        channel: &'a str,
    },
    /// An edit; one that only shows progress gives way.
    Edit {
        /// Whether there will be a later one anyway.
        is_progress: bool,
    },
    Other,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<TurnsTaken>,
}

#[derive(Debug, Default)]
struct TurnsTaken {
    paused: HashMap<Method, Instant>,
    channels: HashMap<String, ChannelTurns>,
    /// When the burst of edits will be whole again.
    edits_whole_at: Option<Instant>,
}

/// The messages to one channel.
#[derive(Debug)]
struct ChannelTurns {
    /// When its burst will be whole again.
    whole_at: Instant,
    /// Until when Slack takes none there.
    paused: Instant,
}

impl Turns {
    /// Takes a turn at `now`: how long to wait for it, or how long it would be, where that is too long.
    pub(super) fn take(&self, method: Method, turn: Turn<'_>, now: Instant) -> Result<Duration, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = state.paused.get(&method).map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if paused > PATIENCE {
            return Err(paused);
        }
        match turn {
            Turn::Message { channel } => state.message(channel, now, paused),
            Turn::Edit { is_progress } => state.edit(is_progress, now, paused),
            Turn::Other => Ok(paused),
        }
    }

    /// Nobody calls `method` for a while, because it was refused in this `turn`. Slack counts messages by channel, and those of a
    /// workspace together only far above that, and does not say which it means: a second channel that is refused tells.
    pub(super) fn pause(&self, method: Method, turn: Turn<'_>, wait: Duration, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now + wait;
        if let (Method::ChatPostMessage, Turn::Message { channel }) = (method, turn)
            && !state.channels.iter().any(|(other, turns)| other != channel && turns.paused > now)
            && let Some(turns) = state.channels.get_mut(channel)
        {
            turns.paused = until.max(turns.paused);
            return;
        }
        let paused = state.paused.entry(method).or_insert(until);
        *paused = until.max(*paused);
    }
}

impl TurnsTaken {
    fn message(&mut self, channel: &str, now: Instant, paused: Duration) -> Result<Duration, Duration> {
        let known = self.channels.get(channel);
        let held = known.map_or(now, |turns| turns.paused);
        let until = held.max(now + paused);
        let whole_at = known.map_or(until, |turns| turns.whole_at.max(until)) + BETWEEN_MESSAGES;
        let wait = in_turn(whole_at, BETWEEN_MESSAGES * MESSAGE_BURST, now).max(until.saturating_duration_since(now));
        if wait > PATIENCE {
            return Err(wait);
        }
        if self.channels.len() >= MAX_CHANNELS {
            self.channels.retain(|_, turns| turns.whole_at.max(turns.paused) > now);
        }
        if self.channels.len() < MAX_CHANNELS || self.channels.contains_key(channel) {
            self.channels.insert(channel.to_owned(), ChannelTurns { whole_at, paused: held });
        }
        Ok(wait)
    }

    fn edit(&mut self, is_progress: bool, now: Instant, paused: Duration) -> Result<Duration, Duration> {
        let burst = if is_progress { EDIT_BURST - KEPT_FOR_VERDICTS } else { EDIT_BURST };
        let whole_at = self.edits_whole_at.map_or(now, |at| at.max(now)) + BETWEEN_EDITS;
        let wait = in_turn(whole_at, BETWEEN_EDITS * burst, now).max(paused);
        if wait > if is_progress { Duration::ZERO } else { PATIENCE } {
            return Err(wait);
        }
        self.edits_whole_at = Some(whole_at);
        Ok(wait)
    }
}

/// How long one waits whose burst is whole at `whole_at` after it, where a whole burst takes `burst`.
fn in_turn(whole_at: Instant, burst: Duration, now: Instant) -> Duration {
    whole_at.saturating_duration_since(now + burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::this_instant;

    const POST: Method = Method::ChatPostMessage;

    #[test]
    fn a_channel_gets_one_message_a_second_after_a_burst_and_channels_do_not_wait_for_one_another() {
        let (pacing, now) = (Turns::default(), this_instant());
        let take = |channel| pacing.take(POST, Turn::Message { channel }, now);
        assert_eq!(take("C1"), Ok(Duration::ZERO));
        assert_eq!(take("C1"), Ok(Duration::ZERO));
        assert_eq!(take("C1"), Ok(Duration::from_secs(1)));
        assert_eq!(take("C1"), Ok(Duration::from_secs(2)));
        assert_eq!(take("C2"), Ok(Duration::ZERO));
        assert_eq!(take("C1"), Ok(Duration::from_secs(3)));
        assert_eq!(take("C1"), Err(Duration::from_secs(4)), "too long a wait takes no turn");
        assert_eq!(take("C1"), Err(Duration::from_secs(4)));
        assert_eq!(pacing.take(POST, Turn::Message { channel: "C1" }, now + Duration::from_secs(60)), Ok(Duration::ZERO));
    }

    #[test]
    fn in_a_storm_of_sixty_messages_in_twelve_channels_half_leave_within_a_second() {
        let (pacing, now) = (Turns::default(), this_instant());
        let channels = || (0..12).map(|channel| format!("C{channel}"));
        let mut waits: Vec<Duration> = (0..5)
            .flat_map(|_| channels())
            .map(|channel| pacing.take(POST, Turn::Message { channel: &channel }, now).unwrap())
            .collect();
        waits.sort_unstable();
        assert_eq!((waits[30], waits[59]), (Duration::from_secs(1), Duration::from_secs(3)));
    }

    #[test]
    fn only_the_method_that_was_limited_waits() {
        let (pacing, now) = (Turns::default(), this_instant());
        let upload = |now| pacing.take(Method::FilesCompleteUpload, Turn::Message { channel: "C1" }, now);
        pacing.pause(Method::FilesCompleteUpload, Turn::Message { channel: "C1" }, Duration::from_secs(30), now);
        assert_eq!(upload(now), Err(Duration::from_secs(30)));
        assert_eq!(pacing.take(Method::ChatUpdate, Turn::Edit { is_progress: false }, now), Ok(Duration::ZERO));
        assert_eq!(pacing.take(POST, Turn::Message { channel: "C1" }, now), Ok(Duration::ZERO));
        assert_eq!(upload(now + Duration::from_secs(30)), Ok(Duration::ZERO));
    }

    #[test]
    fn a_channel_that_was_limited_waits_alone_until_a_second_one_is_limited_too() {
        let (pacing, now) = (Turns::default(), this_instant());
        let message = |channel| Turn::Message { channel };
        let take = |channel, now| pacing.take(POST, message(channel), now);
        let (pause, half) = (Duration::from_secs(30), Duration::from_secs(15));
        for channel in ["C1", "C2"] {
            assert_eq!(take(channel, now), Ok(Duration::ZERO));
        }
        pacing.pause(POST, message("C1"), pause, now);
        assert_eq!(take("C1", now), Err(pause));
        for channel in ["C2", "C3"] {
            assert_eq!(take(channel, now), Ok(Duration::ZERO), "{channel}");
        }
        pacing.pause(POST, message("C2"), pause, now + half);
        for channel in ["C1", "C2", "C3", "C4"] {
            assert_eq!(take(channel, now + half), Err(pause), "{channel}: all of them are too many for the workspace");
            assert_eq!(take(channel, now + half + pause), Ok(Duration::ZERO), "{channel}");
        }
    }

    #[test]
    fn a_shorter_pause_does_not_end_a_longer_one() {
        let (pacing, now) = (Turns::default(), this_instant());
        for (method, turn) in [(Method::ViewsOpen, Turn::Other), (POST, Turn::Message { channel: "C1" })] {
            assert_eq!(pacing.take(method, turn, now), Ok(Duration::ZERO));
            pacing.pause(method, turn, Duration::from_secs(30), now);
            pacing.pause(method, turn, Duration::from_secs(1), now);
            assert_eq!(pacing.take(method, turn, now), Err(Duration::from_secs(30)));
        }
    }

    #[test]
    fn progress_gives_way_so_that_a_verdict_always_gets_through() {
        let (pacing, now) = (Turns::default(), this_instant());
        let edit = |is_progress, now| pacing.take(Method::ChatUpdate, Turn::Edit { is_progress }, now);
        let progress = (0..100).filter(|_| edit(true, now).is_ok()).count();
        assert_eq!(progress, 12);
        for _ in 0..8 {
            assert_eq!(edit(false, now), Ok(Duration::ZERO));
        }
        assert_eq!(edit(false, now), Ok(BETWEEN_EDITS), "beyond the burst a verdict waits for its turn");
        assert!(edit(true, now).is_err());
        assert_eq!(edit(true, now + Duration::from_secs(60)), Ok(Duration::ZERO));
    }

    #[test]
    fn a_minute_holds_no_more_edits_than_slack_allows_with_its_burst() {
        let (pacing, start) = (Turns::default(), this_instant());
        let taken = (0..600)
            .filter(|tenth| {
                let now = start + Duration::from_millis(tenth * 100);
                pacing.take(Method::ChatUpdate, Turn::Edit { is_progress: true }, now).is_ok()
            })
            .count();
        assert!(taken <= 62, "{taken}");
    }

    #[test]
    fn the_memory_of_channels_is_bounded() {
        let (pacing, now) = (Turns::default(), this_instant());
        for channel in 0..5_000 {
            let channel = format!("C{channel}");
            assert_eq!(pacing.take(POST, Turn::Message { channel: &channel }, now), Ok(Duration::ZERO));
        }
        assert!(pacing.state.lock().unwrap().channels.len() <= MAX_CHANNELS);
    }
}
