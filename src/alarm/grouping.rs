//! One thread per cause: whether an alarm begins a thread, or what it changes in the one there is.
//!
//! Pure: from what is known and what came, at a moment, to a decision. States are compared by the alarm's own time, so
//! that notifications may come late, twice and out of order.

use crate::model::{Alarm, AlarmSource, AlarmState};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// After this long without a word, a repeat is worth one.
const STILL_FAILING: SignedDuration = SignedDuration::from_hours(1);

/// How long after its end a cause that comes back goes on in its old thread.
const AGAIN_WITHIN: SignedDuration = SignedDuration::from_hours(6);

/// An alarm that changes this often within [`FLAPPING_WITHIN`] flaps.
const FLAPPING: usize = 4;

/// See [`FLAPPING`].
const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// Threads that alarms open in one channel within [`STORM_WITHIN`]; more alarms are counted in one.
pub const MOST_THREADS: usize = 5;

/// See [`MOST_THREADS`].
pub const STORM_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// Alarms one story knows by name at most; those heard of longest ago are forgotten first.
const MOST_ALARMS: usize = 200;

/// What is known of one cause in one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The alarms that told of it, by key.
    pub alarms: BTreeMap<String, Told>,
    /// The secrets that are looked into in its thread.
    pub secrets: BTreeSet<String>,
    /// When it began.
    pub opened_at: Timestamp,
    /// When its thread last said something new.
    pub told_at: Timestamp,
    /// How often alarms came.
    pub times: u32,
    /// When alarms changed their state, the oldest first; the newest few.
    pub changes: Vec<Timestamp>,
    /// When it ended: everything recovered, or a person closed it.
    pub ended_at: Option<Timestamp>,
    /// What is being done about alarms, by their triggers' numbers: a crash must not lose it.
    pub doing: BTreeMap<i64, Decision>,
}

/// The newest that an alarm told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The alarm's name.
    pub title: String,
    /// Its state.
    pub state: AlarmState,
    /// Since when, by its own time.
    pub state_at: Timestamp,
    /// True for an alarm that will tell when it is over; an event of a rotation happens once.
    pub lasts: bool,
}

/// What an alarm means for its thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing is told.
    Nothing(Silence),
    /// A thread begins.
    Open,
    /// It is counted together with many others.
    Storm,
    /// It is counted in its thread, whose message about the alarm is edited.
    Fold(Fold),
    /// The thread looks again and says so.
    Tell(Reason),
    /// Everything went back to OK: the thread checks whether rotation succeeded.
    Recovered,
}

/// Why nothing is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// A newer state is known.
    Outdated,
    /// The same change was told already, another way.
    Known,
    /// It is well, and no thread said otherwise.
    Well,
    /// Too little data is no trouble.
    TooLittleData,
}

/// Why it is only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// The investigation runs; its verdict answers this one too.
    Joined,
    /// It came again shortly after the last word.
    Repeat,
    /// It changes to and fro.
    Flapping,
    /// It recovered, and another alarm of the thread did not.
    OthersLeft,
    /// It went to another state that is no trouble.
    Quiet,
}

/// Why a thread says something new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Secrets it was not about before.
    NewSecrets(BTreeSet<String>),
    /// It goes on, this many hours after it began.
    StillFailing(i64),
    /// It came back after it had ended.
    Again,
}

/// An alarm that came, and the secrets it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// The alarm.
    pub alarm: &'a Alarm,
    /// The secrets, under names that are the same for the same secret.
    pub secrets: &'a BTreeSet<String>,
}

/// How things stand when an alarm comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Now.
    pub now: Timestamp,
    /// True while an investigation of the story's thread runs.
    pub is_running: bool,
    /// Threads that alarms opened in the channel within [`STORM_WITHIN`].
    pub opened: usize,
}

/// Decides what an alarm means. `story` is the newest that knows this alarm or one of its secrets.
#[must_use]
pub fn decide(story: Option<&Story>, arrival: &Arrival<'_>, standing: Standing) -> Decision {
    let alarm = arrival.alarm;
    let known = story.and_then(|story| story.alarms.get(&alarm.key));
    if let Some(known) = known {
        if known.state_at > alarm.state_at {
            return Decision::Nothing(Silence::Outdated);
        }
        if known.state_at == alarm.state_at && known.state == alarm.state {
            return Decision::Nothing(Silence::Known);
        }
    }
    let open = story.filter(|story| story.ended_at.is_none());
    // A periodic look finds what is going on, whether or not SNS delivered it.
    if alarm.topic.is_none() {
        if open.is_some() && known.is_some_and(|known| known.state == alarm.state) {
            return Decision::Nothing(Silence::Known);
        }
        if story.and_then(|story| story.ended_at).is_some_and(|ended| alarm.state_at <= ended) {
            return Decision::Nothing(Silence::Outdated);
        }
    }
    match alarm.state {
        AlarmState::Ok | AlarmState::InsufficientData if open.is_none() => Decision::Nothing(match alarm.state {
            AlarmState::InsufficientData => Silence::TooLittleData,
            _ => Silence::Well,
        }),
        AlarmState::InsufficientData => Decision::Fold(Fold::Quiet),
        AlarmState::Ok => open.map_or(Decision::Nothing(Silence::Well), |story| story.after_ok(alarm, standing.now)),
        AlarmState::Alarm => match (open, story) {
            (Some(story), _) => story.after_alarm(arrival, standing),
            (None, Some(ended)) if ended.ended_recently(standing.now) && ended.knows_all(arrival.secrets) => {
                if ended.flaps_with(standing.now) { Decision::Fold(Fold::Flapping) } else { Decision::Tell(Reason::Again) }
            }
            _ if standing.opened >= MOST_THREADS => Decision::Storm,
            _ => Decision::Open,
        },
    }
}

impl Story {
    /// A story that begins with `arrival`.
    #[must_use]
    pub fn beginning_with(arrival: &Arrival<'_>, now: Timestamp) -> Story {
        let mut story = Story {
            alarms: BTreeMap::new(),
            secrets: arrival.secrets.clone(),
            opened_at: now,
            told_at: now,
            times: 0,
            changes: Vec::new(),
            ended_at: None,
            doing: BTreeMap::new(),
        };
        story.note(arrival, &Decision::Open, now);
        story
    }

    /// Notes that an alarm came, and what was decided.
    pub fn note(&mut self, arrival: &Arrival<'_>, decision: &Decision, now: Timestamp) {
        if matches!(decision, Decision::Nothing(Silence::Outdated | Silence::Known)) {
            return;
        }
        let alarm = arrival.alarm;
        self.times = self.times.saturating_add(1);
        if self.alarms.get(&alarm.key).is_none_or(|known| known.state != alarm.state) {
            self.changes.push(now);
            let excess = self.changes.len().saturating_sub(4 * FLAPPING);
            self.changes.drain(..excess);
        }
        let lasts = !matches!(alarm.source, AlarmSource::RotationEvent | AlarmSource::Text);
        let told = Told { title: alarm.title.clone(), state: alarm.state, state_at: alarm.state_at, lasts };
        self.alarms.insert(alarm.key.clone(), told);
        if self.alarms.len() > MOST_ALARMS {
            let oldest = self.alarms.iter().min_by_key(|(_, told)| told.state_at).map(|(key, _)| key.clone());
            oldest.map(|key| self.alarms.remove(&key));
        }
        match decision {
            Decision::Tell(_) | Decision::Open => {
                self.told_at = now;
                self.ended_at = None;
                self.secrets.extend(arrival.secrets.iter().cloned());
            }
            Decision::Recovered => {
                self.told_at = now;
                self.ended_at = Some(now);
            }
            // Trouble came back into a story that had ended.
            Decision::Fold(_) if alarm.state == AlarmState::Alarm => self.ended_at = None,
            _ => {}
        }
    }

    /// True when it changes to and fro, with one more change now.
    fn flaps_with(&self, now: Timestamp) -> bool {
        let recent = self.changes.iter().filter(|at| now.duration_since(**at) <= FLAPPING_WITHIN).count();
        recent + 1 >= FLAPPING
    }

    /// True when its alarms change to and fro.
    #[must_use]
    pub fn is_flapping(&self, now: Timestamp) -> bool {
        self.changes.iter().filter(|at| now.duration_since(**at) <= FLAPPING_WITHIN).count() >= FLAPPING
    }

    fn ended_recently(&self, now: Timestamp) -> bool {
        self.ended_at.is_some_and(|ended| now.duration_since(ended) <= AGAIN_WITHIN)
    }

    fn knows_all(&self, secrets: &BTreeSet<String>) -> bool {
        secrets.is_subset(&self.secrets)
    }

    fn after_ok(&self, alarm: &Alarm, now: Timestamp) -> Decision {
        let others = self.alarms.iter().filter(|(key, told)| **key != alarm.key && told.lasts);
        let others_left = others.filter(|(_, told)| told.state == AlarmState::Alarm).count();
        if self.flaps_with(now) {
            Decision::Fold(Fold::Flapping)
        } else if others_left > 0 {
            Decision::Fold(Fold::OthersLeft)
        } else {
            Decision::Recovered
        }
    }

    fn after_alarm(&self, arrival: &Arrival<'_>, standing: Standing) -> Decision {
        let new: BTreeSet<String> = arrival.secrets.difference(&self.secrets).cloned().collect();
        if !new.is_empty() {
            return Decision::Tell(Reason::NewSecrets(new));
        }
        let changed = self.alarms.get(&arrival.alarm.key).is_some_and(|known| known.state != AlarmState::Alarm);
        if changed && self.flaps_with(standing.now) {
            return Decision::Fold(Fold::Flapping);
        }
        if standing.is_running {
            return Decision::Fold(Fold::Joined);
        }
        if standing.now.duration_since(self.told_at) >= STILL_FAILING {
            return Decision::Tell(Reason::StillFailing(standing.now.duration_since(self.opened_at).as_hours()));
        }
        Decision::Fold(Fold::Repeat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::alarm;

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_mins(minute)).unwrap()
    }

    /// A channel with one story at most.
    #[derive(Default)]
    struct Channel {
        story: Option<Story>,
        opened: usize,
        is_running: bool,
    }

    impl Channel {
        /// An alarm whose state changed at minute `changed` arrives at minute `now`.
        fn hears(&mut self, name: &str, state: AlarmState, changed: i64, now: i64, secrets: &[&str]) -> Decision {
            let alarm = Alarm { state, state_at: at(changed), ..alarm(name) };
            self.takes(&alarm, now, secrets)
        }

        fn takes(&mut self, alarm: &Alarm, now: i64, secrets: &[&str]) -> Decision {
            let secrets: BTreeSet<String> = secrets.iter().map(|name| (*name).to_owned()).collect();
            let arrival = Arrival { alarm, secrets: &secrets };
            let standing = Standing { now: at(now), is_running: self.is_running, opened: self.opened };
            let decision = decide(self.story.as_ref(), &arrival, standing);
            match (&mut self.story, &decision) {
                (_, Decision::Open) => self.story = Some(Story::beginning_with(&arrival, at(now))),
                (Some(story), _) => story.note(&arrival, &decision, at(now)),
                (None, _) => {}
            }
            decision
        }
    }

    use AlarmState::{Alarm as Bad, InsufficientData, Ok as Well};

    #[test]
    fn a_first_alarm_opens_a_thread_and_good_news_without_one_is_silent() {
        let mut channel = Channel::default();
        assert_eq!(channel.hears("a", Well, 0, 0, &["s"]), Decision::Nothing(Silence::Well));
        assert_eq!(channel.hears("a", InsufficientData, 0, 0, &["s"]), Decision::Nothing(Silence::TooLittleData));
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), Decision::Open);
    }

    #[test]
    fn the_same_change_told_twice_is_known() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Bad, 0, 1, &["s"]), Decision::Nothing(Silence::Known));
    }

    #[test]
    fn a_repeat_joins_what_runs_then_is_counted_and_after_an_hour_is_told() {
        let mut channel = Channel { is_running: true, ..Channel::default() };
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), Decision::Fold(Fold::Joined));
        channel.is_running = false;
        assert_eq!(channel.hears("a", Bad, 30, 30, &["s"]), Decision::Fold(Fold::Repeat));
        assert_eq!(channel.hears("a", Bad, 61, 61, &["s"]), Decision::Tell(Reason::StillFailing(1)));
        assert_eq!(channel.hears("a", Bad, 90, 90, &["s"]), Decision::Fold(Fold::Repeat));
        assert_eq!(channel.hears("a", Bad, 180, 180, &["s"]), Decision::Tell(Reason::StillFailing(3)));
        assert_eq!(channel.story.unwrap().times, 6);
    }

    #[test]
    fn another_alarm_about_the_same_secret_joins_and_another_secret_is_told() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("b", Bad, 0, 1, &["s"]), Decision::Fold(Fold::Repeat));
        let new = Decision::Tell(Reason::NewSecrets(BTreeSet::from(["t".to_owned()])));
        assert_eq!(channel.hears("a", Bad, 2, 2, &["s", "t"]), new);
        assert_eq!(channel.hears("a", Bad, 3, 3, &["t"]), Decision::Fold(Fold::Repeat));
    }

    #[test]
    fn everything_has_to_recover() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        channel.hears("b", Bad, 1, 1, &["s"]);
        assert_eq!(channel.hears("a", Well, 20, 20, &["s"]), Decision::Fold(Fold::OthersLeft));
        assert_eq!(channel.hears("b", Well, 40, 40, &["s"]), Decision::Recovered);
        assert_eq!(channel.hears("b", Well, 41, 41, &["s"]), Decision::Nothing(Silence::Well));
    }

    #[test]
    fn events_of_a_rotation_do_not_hold_a_recovery_back() {
        let mut channel = Channel::default();
        let event = Alarm { source: AlarmSource::RotationEvent, key: "rotation:s".to_owned(), ..alarm("s: rotation failed") };
        assert_eq!(channel.takes(&event, 0, &["s"]), Decision::Open);
        channel.hears("a", Bad, 1, 1, &["s"]);
        assert_eq!(channel.hears("a", Well, 30, 30, &["s"]), Decision::Recovered);
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Well, 20, 20, &["s"]), Decision::Recovered);
        assert_eq!(channel.hears("a", Bad, 10, 21, &["s"]), Decision::Nothing(Silence::Outdated));
        let mut reversed = Channel::default();
        reversed.hears("a", Bad, 0, 0, &["s"]);
        reversed.hears("a", Bad, 30, 30, &["s"]);
        assert_eq!(reversed.hears("a", Well, 20, 31, &["s"]), Decision::Nothing(Silence::Outdated));
        assert_eq!(reversed.story.unwrap().ended_at, None);
    }

    #[test]
    fn what_comes_back_soon_goes_on_in_its_thread_and_later_begins_another() {
        for (minutes, expected) in [(60, Decision::Tell(Reason::Again)), (7 * 60, Decision::Open)] {
            let mut channel = Channel::default();
            channel.hears("a", Bad, 0, 0, &["s"]);
            channel.hears("a", Well, 20, 20, &["s"]);
            assert_eq!(channel.hears("a", Bad, 20 + minutes, 20 + minutes, &["s"]), expected);
            assert_eq!(channel.story.unwrap().ended_at, None);
        }
    }

    #[test]
    fn twenty_changes_in_ten_minutes_are_folded_into_one_thread() {
        let mut channel = Channel::default();
        let mut said = Vec::new();
        for n in 0..20 {
            let state = if n % 2 == 0 { Bad } else { Well };
            said.push(channel.hears("a", state, n / 2, n / 2, &["s"]));
        }
        // Half a minute lies between them; the arrivals of one minute differ by their state.
        let loud = said.iter().filter(|decision| !matches!(decision, Decision::Fold(_) | Decision::Nothing(_))).count();
        assert!(loud <= 3, "{said:?}");
        assert_eq!(said.iter().filter(|decision| **decision == Decision::Open).count(), 1);
        assert!(channel.story.unwrap().is_flapping(at(10)));
    }

    #[test]
    fn more_threads_than_anyone_reads_are_counted_in_one() {
        let mut channel = Channel { opened: MOST_THREADS, ..Channel::default() };
        assert_eq!(channel.hears("a", Bad, 0, 0, &["s"]), Decision::Storm);
        channel.opened = MOST_THREADS - 1;
        assert_eq!(channel.hears("a", Bad, 0, 0, &["s"]), Decision::Open);
        channel.opened = MOST_THREADS;
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), Decision::Fold(Fold::Repeat), "a thread that is there goes on");
    }

    #[test]
    fn what_a_periodic_look_finds_is_news_only_where_nothing_was_delivered() {
        let mut channel = Channel::default();
        let found = |minute| Alarm { topic: None, state_at: at(minute), ..alarm("a") };
        assert_eq!(channel.takes(&found(0), 0, &["s"]), Decision::Open);
        assert_eq!(channel.takes(&found(1), 15, &["s"]), Decision::Nothing(Silence::Known));
        channel.hears("a", Well, 20, 20, &["s"]);
        let event = Alarm { key: "rotation:s".to_owned(), source: AlarmSource::RotationEvent, ..found(10) };
        assert_eq!(channel.takes(&event, 30, &["s"]), Decision::Nothing(Silence::Outdated));
        assert_eq!(channel.takes(&Alarm { state_at: at(25), ..event }, 30, &["s"]), Decision::Tell(Reason::Again));
    }

    #[test]
    fn a_story_does_not_grow_without_bound() {
        let mut channel = Channel::default();
        for n in 0..1_000 {
            channel.hears(&format!("a{n}"), Bad, n, n, &["s"]);
        }
        let story = channel.story.unwrap();
        assert!(story.alarms.len() <= MOST_ALARMS && story.changes.len() <= 4 * FLAPPING);
    }
}
