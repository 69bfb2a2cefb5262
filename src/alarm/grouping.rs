//! One thread per cause: whether an alarm begins a thread, or what it changes in the one there is.
//!
//! Pure: from what is known and what came, at a moment, to a decision. States are compared by the alarm's own time, so
//! that notifications may come late, twice and out of order.

use super::storm::MAX_THREADS;
use crate::model::{Alarm, AlarmSource, AlarmState, OkBasis};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// After this long without a word, a repeat is worth one.
const STILL_FAILING: SignedDuration = SignedDuration::from_hours(1);

/// How long after its end a cause that comes back goes on in its old thread.
const AGAIN_WITHIN: SignedDuration = SignedDuration::from_hours(6);

/// An alarm that changes this often within [`FLAPPING_WITHIN`], by its own time, flaps.
const FLAPPING: usize = 4;

/// See [`FLAPPING`].
const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// How long nothing is heard of an alarm that flapped before it is looked at, and its last word is told.
pub const STILL_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Alarms one story knows by name at most; those heard of longest ago are forgotten first.
const MAX_ALARMS: usize = 200;

/// What is known of one cause in one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmGroup {
    /// The alarms that told of it, by their [identity](Alarm::identity).
    pub alarms: BTreeMap<String, AlarmRecord>,
    /// The secrets that are looked into in its thread.
    pub secrets: BTreeSet<String>,
    pub opened_at: Timestamp,
    /// When its thread last said something new.
    pub told_at: Timestamp,
    /// How often alarms came.
    pub times: u32,
    /// When it ended: everything recovered, or a person closed it.
    pub ended_at: Option<Timestamp>,
    /// What is being done about alarms, by their triggers' numbers: a crash must not lose it.
    pub doing: BTreeMap<i64, AlarmDecision>,
    /// Those of them that call somebody.
    #[serde(default)]
    pub calling: BTreeSet<i64>,
    /// The newest word of an alarm that changes to and fro: a look decides what it means, when it is still.
    #[serde(default)]
    pub unsettled: Option<Alarm>,
    /// That a secret has a new version, of which a look decides whether a rotation made it.
    #[serde(default)]
    pub new_version: Option<Alarm>,
}

/// The newest that an alarm told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    pub title: String,
    pub state: AlarmState,
    /// Since when, by its own time.
    pub state_at: Timestamp,
    /// True for an alarm that will tell when it is over; an event of a rotation happens once.
    pub lasts: bool,
    /// What it rests on that it is OK.
    #[serde(default)]
    pub basis: OkBasis,
    /// When it changed its state, by its own time, the oldest first; the newest few.
    #[serde(default)]
    pub changes: Vec<Timestamp>,
}

impl AlarmRecord {
    /// True when it changes to and fro, with one more change at `at`.
    fn flaps_with(&self, at: Timestamp) -> bool {
        self.changes_before(at) + 1 >= FLAPPING
    }

    /// How often it changed in the time before `at`.
    fn changes_before(&self, at: Timestamp) -> usize {
        self.changes.iter().filter(|change| at.duration_since(**change) <= FLAPPING_WITHIN).count()
    }

    const fn is_trouble(&self) -> bool {
        matches!(self.state, AlarmState::Alarm)
    }
}

/// What an alarm means for its thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmDecision {
    Nothing(Ignored),
    Open,
    /// It is counted together with many others.
    Storm,
    /// It is counted in its thread, whose message about the alarm is edited.
    #[serde(rename = "fold")]
    Suppressed(Suppressed),
    /// The thread looks again and says so.
    Tell(Reason),
    /// Everything went back to OK: the thread checks whether rotation succeeded.
    Recovered,
    /// The secret has a new version: whether a rotation made it is looked at, and only a rotation is told.
    Check,
}

/// Why nothing is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// A newer state is known.
    Outdated,
    /// The same change was told already, another way.
    Known,
    /// It is well, and no thread said otherwise.
    Well,
    /// Insufficient data is not a failure.
    TooLittleData,
}

/// Why it is only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    /// The investigation runs; its verdict answers this one too.
    Joined,
    /// It came again shortly after the last word.
    Repeat,
    /// It changes to and fro.
    Flapping,
    /// It recovered, and another alarm of the thread did not.
    OthersLeft,
    /// It went to another state that is no trouble, or is OK for want of data: that is no news of the rotation.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmUpdate<'a> {
    pub alarm: &'a Alarm,
    /// The secrets, under names that are the same for the same secret.
    pub secrets: &'a BTreeSet<String>,
    /// True where the configuration says so: it is never only counted together with others.
    pub is_critical: bool,
}

impl AlarmUpdate<'_> {
    /// What the alarm itself is known by.
    pub(super) fn own_keys(&self) -> [String; 2] {
        [self.alarm.identity(), self.alarm.key.clone()]
    }

    /// By what the threads are known that it may concern.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.secrets.iter().cloned().chain(self.own_keys()).collect();
        if self.secrets.is_empty() {
            keys.extend(self.alarm.children.iter().map(|child| alarm_beside(&self.alarm.key, child)));
        }
        keys
    }
}

/// The ARN of an alarm that is named beside the one with the ARN `key`, such as by a composite alarm's rule.
fn alarm_beside(key: &str, name: &str) -> String {
    match key.split_once(":alarm:") {
        Some((place, _)) if !name.starts_with("arn:") => format!("{place}:alarm:{name}"),
        _ => name.to_owned(),
    }
}

/// How things stand when an alarm comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Circumstances {
    pub(super) now: Timestamp,
    /// True while an investigation of the story's thread runs.
    pub(super) is_running: bool,
    /// Threads that alarms opened in the channel within [`STORM_WITHIN`](super::STORM_WITHIN).
    pub(super) opened: usize,
}

/// Decides what an alarm means. `group` is one that knows this alarm or one of its secrets.
pub(super) fn decide_for(group: Option<&AlarmGroup>, arrival: &AlarmUpdate<'_>, standing: Circumstances) -> AlarmDecision {
    let alarm = arrival.alarm;
    let known = group.and_then(|group| group.alarms.get(&alarm.identity()));
    if let Some(known) = known {
        if known.state_at > alarm.state_at {
            return AlarmDecision::Nothing(Ignored::Outdated);
        }
        if known.state_at == alarm.state_at && known.state == alarm.state {
            return AlarmDecision::Nothing(Ignored::Known);
        }
    }
    let open = group.filter(|group| group.ended_at.is_none());
    // A periodic look finds what is going on, whether or not SNS delivered it.
    if alarm.topic.is_none() {
        if open.is_some_and(|group| group.has_in_state(alarm)) {
            return AlarmDecision::Nothing(Ignored::Known);
        }
        if group.and_then(|group| group.ended_at).is_some_and(|ended| alarm.state_at <= ended) {
            return AlarmDecision::Nothing(Ignored::Outdated);
        }
    }
    match alarm.state {
        AlarmState::InsufficientData if open.is_none() => AlarmDecision::Nothing(Ignored::TooLittleData),
        AlarmState::InsufficientData => AlarmDecision::Suppressed(Suppressed::Quiet),
        AlarmState::Ok => open.map_or(AlarmDecision::Nothing(Ignored::Well), |group| group.after_ok(arrival)),
        AlarmState::Alarm => match (open, group) {
            (Some(group), _) => group.after_alarm(arrival, standing),
            (None, Some(ended)) if ended.ended_recently(standing.now) && ended.knows_all(arrival.secrets) => {
                if known.is_some_and(|known| known.flaps_with(alarm.state_at)) {
                    AlarmDecision::Suppressed(Suppressed::Flapping)
                } else {
                    AlarmDecision::Tell(Reason::Again)
                }
            }
            _ if standing.opened >= MAX_THREADS && !arrival.is_critical => AlarmDecision::Storm,
            _ => AlarmDecision::Open,
        },
    }
}

impl AlarmGroup {
    /// A story that begins with `arrival`.
    pub(super) fn beginning_with(arrival: &AlarmUpdate<'_>, now: Timestamp) -> AlarmGroup {
        let mut group = AlarmGroup {
            alarms: BTreeMap::new(),
            secrets: arrival.secrets.clone(),
            opened_at: now,
            told_at: now,
            times: 0,
            ended_at: None,
            doing: BTreeMap::new(),
            calling: BTreeSet::new(),
            unsettled: None,
            new_version: None,
        };
        group.note(arrival, &AlarmDecision::Open, now);
        group
    }

    /// True when `decision` about an alarm that is critical calls whom the configuration names: it went to ALARM, or is told
    /// anew. To be asked before the alarm is [noted](AlarmGroup::note).
    pub(super) fn calls(group: Option<&AlarmGroup>, arrival: &AlarmUpdate<'_>, decision: &AlarmDecision) -> bool {
        let known = group.and_then(|group| group.alarms.get(&arrival.alarm.identity()));
        let is_told = match decision {
            AlarmDecision::Open | AlarmDecision::Tell(_) => true,
            AlarmDecision::Suppressed(_) => known.is_none_or(|known| !known.is_trouble()),
            _ => false,
        };
        arrival.is_critical && arrival.alarm.state == AlarmState::Alarm && is_told
    }

    /// Notes that an alarm came, and what was decided.
    pub(super) fn note(&mut self, arrival: &AlarmUpdate<'_>, decision: &AlarmDecision, now: Timestamp) {
        if matches!(decision, AlarmDecision::Nothing(Ignored::Outdated | Ignored::Known)) {
            return;
        }
        let alarm = arrival.alarm;
        self.times = self.times.saturating_add(1);
        if !matches!(alarm.basis, OkBasis::NewVersion) {
            self.note_state(alarm);
        }
        // The alarm as a whole is over: so is each of its series, unless that went to ALARM since.
        if alarm.series.is_none() && alarm.state == AlarmState::Ok {
            let series = self
                .alarms
                .iter_mut()
                .filter(|(identity, told)| alarm.has_series(identity) && told.is_trouble() && told.state_at <= alarm.state_at);
            series.for_each(|(_, told)| (told.state, told.state_at, told.basis) = (alarm.state, alarm.state_at, alarm.basis));
        }
        if alarm.state == AlarmState::Ok && self.is_last_series(alarm) {
            let whole = self.alarms.get_mut(&alarm.key).filter(|told| told.is_trouble() && told.state_at <= alarm.state_at);
            whole
                .into_iter()
                .for_each(|told| (told.state, told.state_at, told.basis) = (alarm.state, alarm.state_at, alarm.basis));
        }
        match decision {
            AlarmDecision::Suppressed(Suppressed::Flapping) => self.unsettled = Some(alarm.clone()),
            AlarmDecision::Check => self.new_version = Some(alarm.clone()),
            AlarmDecision::Nothing(_) | AlarmDecision::Suppressed(_) => {}
            _ => self.unsettled = None,
        }
        match decision {
            AlarmDecision::Tell(_) | AlarmDecision::Open => {
                self.told_at = now;
                self.ended_at = None;
                self.secrets.extend(arrival.secrets.iter().cloned());
            }
            AlarmDecision::Recovered => {
                self.told_at = now;
                self.ended_at = Some(now);
            }
            // Trouble came back into a story that had ended.
            AlarmDecision::Suppressed(_) if alarm.state == AlarmState::Alarm => self.ended_at = None,
            _ => {}
        }
    }

    fn note_state(&mut self, alarm: &Alarm) {
        let identity = alarm.identity();
        let known = self.alarms.remove(&identity);
        let has_changed = known.as_ref().is_none_or(|known| known.state != alarm.state);
        let mut changes = known.map(|known| known.changes).unwrap_or_default();
        if has_changed {
            changes.push(alarm.state_at);
            let excess = changes.len().saturating_sub(2 * FLAPPING);
            changes.drain(..excess);
        }
        let lasts = !matches!(alarm.source, AlarmSource::RotationEvent | AlarmSource::Text);
        let (title, state, state_at, basis) = (alarm.title.clone(), alarm.state, alarm.state_at, alarm.basis);
        self.alarms.insert(identity, AlarmRecord { title, state, state_at, lasts, basis, changes });
        if self.alarms.len() > MAX_ALARMS {
            let oldest = self.alarms.iter().min_by_key(|(_, told)| (told.is_trouble(), told.state_at));
            let oldest = oldest.map(|(identity, _)| identity.clone());
            oldest.map(|identity| self.alarms.remove(&identity));
        }
    }

    /// True when one of its alarms changes to and fro.
    #[must_use]
    pub fn is_flapping(&self, now: Timestamp) -> bool {
        self.alarms.values().any(|told| told.changes_before(now) >= FLAPPING)
    }

    /// True when something newer than `alarm` says that it goes on, or an alarm is still in ALARM. What tells of the rotation
    /// itself, other than what an alarm measures, is not contradicted by an alarm that is older.
    #[must_use]
    pub fn is_troubled_since(&self, alarm: &Alarm) -> bool {
        let is_of_rotation = matches!(alarm.basis, OkBasis::Rotated | OkBasis::NewVersion);
        let goes_on = |told: &AlarmRecord| told.state_at > alarm.state_at || (told.lasts && !is_of_rotation);
        self.alarms.values().any(|told| told.is_trouble() && goes_on(told))
    }

    /// True when nothing was heard that is newer than this word of this alarm.
    #[must_use]
    pub fn is_newest(&self, alarm: &Alarm) -> bool {
        self.alarms.values().all(|told| told.state_at <= alarm.state_at)
    }

    /// True when it heard of this alarm, of one of its series, or of the alarm that it is a series of.
    #[must_use]
    pub fn knows(&self, alarm: &Alarm) -> bool {
        let is_known = self.alarms.contains_key(&alarm.identity()) || self.alarms.contains_key(&alarm.key);
        is_known || self.parts_of(alarm).next().is_some()
    }

    /// True for the last series of an alarm that is in trouble here: with it, the alarm as a whole is over here. SNS is told of
    /// the series alone.
    fn is_last_series(&self, alarm: &Alarm) -> bool {
        let whole = Alarm { series: None, ..alarm.clone() };
        let identity = alarm.identity();
        let is_left = |(other, told): (&String, &AlarmRecord)| whole.has_series(other) && *other != identity && told.is_trouble();
        alarm.series.is_some() && !self.alarms.iter().any(is_left)
    }

    /// True when the alarm, or one of its series, is known to be in the state it is in.
    fn has_in_state(&self, alarm: &Alarm) -> bool {
        let own = self.alarms.get(&alarm.identity()).into_iter();
        own.chain(self.parts_of(alarm)).any(|told| told.state == alarm.state)
    }

    /// The series of an alarm, or the alarms a composite one is made of, as far as they told of this.
    fn parts_of<'a>(&'a self, alarm: &'a Alarm) -> impl Iterator<Item = &'a AlarmRecord> + 'a {
        let is_child = |identity: &str| {
            alarm.children.iter().any(|child| identity == child || identity.ends_with(&format!(":alarm:{child}")))
        };
        let parts = self.alarms.iter().filter(move |(identity, _)| alarm.has_series(identity) || is_child(identity));
        parts.map(|(_, told)| told)
    }

    /// True when it ended so long ago that nothing goes on in its thread.
    #[must_use]
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.ended_at.is_some() && !self.ended_recently(now)
    }

    fn ended_recently(&self, now: Timestamp) -> bool {
        self.ended_at.is_some_and(|ended| now.duration_since(ended) <= AGAIN_WITHIN)
    }

    fn knows_all(&self, secrets: &BTreeSet<String>) -> bool {
        secrets.is_subset(&self.secrets)
    }

    /// What an OK leads to. It is the end only of what told of the trouble: asked in this order are whether the alarm is known
    /// here, whether it is flapping, whether others of the thread are still in trouble, and whether it is OK because something
    /// was measured. An OK for want of data ends nothing, unless rotations were seen to succeed meanwhile.
    fn after_ok(&self, arrival: &AlarmUpdate<'_>) -> AlarmDecision {
        let alarm = arrival.alarm;
        if alarm.basis == OkBasis::NewVersion {
            return AlarmDecision::Check;
        }
        // Another alarm about the secret, which never told of this trouble, cannot tell of its end.
        if alarm.source != AlarmSource::RotationEvent && !self.knows(alarm) {
            return AlarmDecision::Nothing(Ignored::Well);
        }
        let known = self.alarms.get(&alarm.identity());
        if known.is_some_and(|known| known.state != alarm.state && known.flaps_with(alarm.state_at)) {
            return AlarmDecision::Suppressed(Suppressed::Flapping);
        }
        let is_last = self.is_last_series(alarm);
        // The rotation of all that the thread is about is what its alarms are about: they need not go back first.
        let is_rotation_of_all = alarm.basis == OkBasis::Rotated && self.secrets.is_subset(arrival.secrets);
        let is_left = |(identity, told): (&String, &AlarmRecord)| {
            let is_part = alarm.has_series(identity) || (is_last && *identity == alarm.key);
            let is_closed = *identity == alarm.identity() || (is_part && told.state_at <= alarm.state_at);
            told.lasts && told.is_trouble() && !is_closed && !is_rotation_of_all
        };
        if self.alarms.iter().any(is_left) {
            return AlarmDecision::Suppressed(Suppressed::OthersLeft);
        }
        let rotated = self.alarms.values().filter(|told| !told.is_trouble() && told.basis == OkBasis::Rotated).count();
        let has_rotated = rotated > 0 && rotated >= self.secrets.len();
        let mut parts = self.parts_of(alarm).peekable();
        let says_what_they_say = parts.peek().is_some() && parts.all(|part| part.basis == OkBasis::NoData && !part.is_trouble());
        if (alarm.basis == OkBasis::NoData || says_what_they_say) && !has_rotated {
            AlarmDecision::Suppressed(Suppressed::Quiet)
        } else {
            AlarmDecision::Recovered
        }
    }

    /// What an ALARM leads to in a thread that is open. A secret that is new here is always announced, even while the alarm is
    /// flapping or an investigation runs: nothing else would tell of it.
    fn after_alarm(&self, arrival: &AlarmUpdate<'_>, standing: Circumstances) -> AlarmDecision {
        let alarm = arrival.alarm;
        let new: BTreeSet<String> = arrival.secrets.difference(&self.secrets).cloned().collect();
        if !new.is_empty() {
            return AlarmDecision::Tell(Reason::NewSecrets(new));
        }
        let known = self.alarms.get(&alarm.identity());
        if known.is_some_and(|known| !known.is_trouble() && known.flaps_with(alarm.state_at)) {
            return AlarmDecision::Suppressed(Suppressed::Flapping);
        }
        if standing.is_running {
            return AlarmDecision::Suppressed(Suppressed::Joined);
        }
        if standing.now.duration_since(self.told_at) >= STILL_FAILING {
            return AlarmDecision::Tell(Reason::StillFailing(standing.now.duration_since(self.opened_at).as_hours()));
        }
        AlarmDecision::Suppressed(Suppressed::Repeat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::alarm;
    use crate::model::AlarmSeries;

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_mins(minute)).unwrap()
    }

    /// A channel with one story at most.
    #[derive(Default)]
    struct Channel {
        group: Option<AlarmGroup>,
        opened: usize,
        is_running: bool,
        is_critical: bool,
        /// How often somebody was called.
        calls: usize,
    }

    impl Channel {
        /// An alarm whose state changed at minute `changed` arrives at minute `now`.
        fn hears(&mut self, name: &str, state: AlarmState, changed: i64, now: i64, secrets: &[&str]) -> AlarmDecision {
            let alarm = Alarm { state, state_at: at(changed), ..alarm(name) };
            self.takes(&alarm, now, secrets)
        }

        fn takes(&mut self, alarm: &Alarm, now: i64, secrets: &[&str]) -> AlarmDecision {
            let secrets: BTreeSet<String> = secrets.iter().map(|name| (*name).to_owned()).collect();
            let arrival = AlarmUpdate { alarm, secrets: &secrets, is_critical: self.is_critical };
            let standing = Circumstances { now: at(now), is_running: self.is_running, opened: self.opened };
            let decision = decide_for(self.group.as_ref(), &arrival, standing);
            self.calls += usize::from(AlarmGroup::calls(self.group.as_ref(), &arrival, &decision));
            match (&mut self.group, &decision) {
                (_, AlarmDecision::Open) => self.group = Some(AlarmGroup::beginning_with(&arrival, at(now))),
                (Some(group), _) => group.note(&arrival, &decision, at(now)),
                (None, _) => {}
            }
            decision
        }
    }

    use AlarmState::{Alarm as Bad, InsufficientData, Ok as Well};

    #[test]
    fn a_first_alarm_opens_a_thread_and_good_news_without_one_is_silent() {
        let mut channel = Channel::default();
        assert_eq!(channel.hears("a", Well, 0, 0, &["s"]), AlarmDecision::Nothing(Ignored::Well));
        assert_eq!(channel.hears("a", InsufficientData, 0, 0, &["s"]), AlarmDecision::Nothing(Ignored::TooLittleData));
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), AlarmDecision::Open);
    }

    #[test]
    fn the_same_change_told_twice_is_known() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Bad, 0, 1, &["s"]), AlarmDecision::Nothing(Ignored::Known));
    }

    #[test]
    fn a_repeat_joins_what_runs_then_is_counted_and_after_an_hour_is_told() {
        let mut channel = Channel { is_running: true, ..Channel::default() };
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), AlarmDecision::Suppressed(Suppressed::Joined));
        channel.is_running = false;
        assert_eq!(channel.hears("a", Bad, 30, 30, &["s"]), AlarmDecision::Suppressed(Suppressed::Repeat));
        assert_eq!(channel.hears("a", Bad, 61, 61, &["s"]), AlarmDecision::Tell(Reason::StillFailing(1)));
        assert_eq!(channel.hears("a", Bad, 90, 90, &["s"]), AlarmDecision::Suppressed(Suppressed::Repeat));
        assert_eq!(channel.hears("a", Bad, 180, 180, &["s"]), AlarmDecision::Tell(Reason::StillFailing(3)));
        assert_eq!(channel.group.unwrap().times, 6);
    }

    #[test]
    fn another_alarm_about_the_same_secret_joins_and_another_secret_is_told() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("b", Bad, 0, 1, &["s"]), AlarmDecision::Suppressed(Suppressed::Repeat));
        let new = AlarmDecision::Tell(Reason::NewSecrets(BTreeSet::from(["t".to_owned()])));
        assert_eq!(channel.hears("a", Bad, 2, 2, &["s", "t"]), new);
        assert_eq!(channel.hears("a", Bad, 3, 3, &["t"]), AlarmDecision::Suppressed(Suppressed::Repeat));
    }

    #[test]
    fn everything_has_to_recover() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        channel.hears("b", Bad, 1, 1, &["s"]);
        assert_eq!(channel.hears("a", Well, 20, 20, &["s"]), AlarmDecision::Suppressed(Suppressed::OthersLeft));
        assert_eq!(channel.hears("b", Well, 40, 40, &["s"]), AlarmDecision::Recovered);
        assert_eq!(channel.hears("b", Well, 41, 41, &["s"]), AlarmDecision::Nothing(Ignored::Well));
    }

    /// One of the series of the alarm `a`.
    fn series(id: &str, state: AlarmState, changed: i64) -> Alarm {
        let series = Some(AlarmSeries { id: id.to_owned(), name: format!("SecretId={id}") });
        Alarm { series, state, state_at: at(changed), ..alarm("a") }
    }

    fn without_data(alarm: Alarm) -> Alarm {
        Alarm { basis: OkBasis::NoData, ..alarm }
    }

    #[test]
    fn series_of_one_alarm_that_change_at_one_time_are_told_apart() {
        let mut channel = Channel::default();
        assert_eq!(channel.takes(&series("1", Bad, 0), 0, &["s"]), AlarmDecision::Open);
        let new = AlarmDecision::Tell(Reason::NewSecrets(BTreeSet::from(["t".to_owned()])));
        assert_eq!(channel.takes(&series("2", Bad, 0), 0, &["t"]), new);
        assert_eq!(channel.takes(&series("2", Bad, 0), 0, &["t"]), AlarmDecision::Nothing(Ignored::Known));
        // One of them is over, and the alarm is not.
        assert_eq!(channel.takes(&series("1", Well, 20), 20, &["s"]), AlarmDecision::Suppressed(Suppressed::OthersLeft));
        // The alarm is: with it, all of them.
        assert_eq!(channel.hears("a", Well, 30, 30, &[]), AlarmDecision::Recovered);
        assert!(!channel.group.as_ref().unwrap().is_troubled_since(&Alarm { state: Well, state_at: at(30), ..alarm("a") }));
        // One that went to ALARM after the alarm as a whole was OK is still there.
        channel.takes(&series("1", Bad, 50), 50, &["s"]);
        assert_eq!(channel.hears("a", Well, 40, 51, &[]), AlarmDecision::Suppressed(Suppressed::OthersLeft));
    }

    #[test]
    fn an_alarm_as_a_whole_says_no_more_than_its_series_did() {
        let mut channel = Channel::default();
        channel.takes(&series("1", Bad, 0), 0, &["s"]);
        assert_eq!(channel.takes(&without_data(series("1", Well, 20)), 20, &["s"]), AlarmDecision::Suppressed(Suppressed::Quiet));
        assert_eq!(channel.hears("a", Well, 20, 20, &[]), AlarmDecision::Suppressed(Suppressed::Quiet));
        let found = Alarm { topic: None, state: Bad, state_at: at(30), ..alarm("a") };
        channel.takes(&series("1", Bad, 29), 29, &["s"]);
        assert_eq!(channel.takes(&found, 30, &[]), AlarmDecision::Nothing(Ignored::Known), "a look found what its series told");
        let composite = |state, changed| Alarm { children: vec!["b".to_owned()], state, state_at: at(changed), ..alarm("c") };
        let mut channel = Channel::default();
        channel.takes(&composite(Bad, 0), 0, &["s"]);
        channel.hears("b", Bad, 0, 0, &["s"]);
        assert_eq!(
            channel.takes(&without_data(Alarm { state: Well, state_at: at(9), ..alarm("b") }), 9, &["s"]),
            AlarmDecision::Suppressed(Suppressed::OthersLeft)
        );
        assert_eq!(channel.takes(&composite(Well, 10), 10, &["s"]), AlarmDecision::Suppressed(Suppressed::Quiet));
    }

    #[test]
    fn an_ok_for_want_of_data_is_no_news_and_a_rotation_that_succeeded_is() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(
            channel.takes(&without_data(Alarm { state: Well, state_at: at(20), ..alarm("a") }), 20, &["s"]),
            AlarmDecision::Suppressed(Suppressed::Quiet)
        );
        assert_eq!(channel.group.as_ref().unwrap().ended_at, None);
        let rotated = |changed| Alarm {
            source: AlarmSource::RotationEvent,
            key: "rotation:s".to_owned(),
            state: Well,
            basis: OkBasis::Rotated,
            state_at: at(changed),
            ..alarm("s: rotated")
        };
        assert_eq!(channel.takes(&rotated(30), 30, &["s"]), AlarmDecision::Recovered);

        // It rotated while the alarm still was in ALARM, which goes back for want of data, or never says that it did.
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.takes(&rotated(2), 2, &["s"]), AlarmDecision::Recovered);
        assert!(!channel.group.as_ref().unwrap().is_troubled_since(&rotated(2)));

        // The alarm is of the time after it: its end counts, whatever it rests on.
        let mut channel = Channel::default();
        channel.hears("a", Bad, 5, 5, &["s"]);
        assert_eq!(channel.takes(&rotated(2), 6, &["s"]), AlarmDecision::Recovered);
        let group = channel.group.as_mut().unwrap();
        assert!(group.is_troubled_since(&rotated(2)));
        group.ended_at = None;
        let gone = without_data(Alarm { state: Well, state_at: at(20), ..alarm("a") });
        assert_eq!(channel.takes(&gone, 20, &["s"]), AlarmDecision::Recovered);

        // One secret of two rotated.
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s", "t"]);
        assert_eq!(channel.takes(&rotated(2), 2, &["s"]), AlarmDecision::Suppressed(Suppressed::OthersLeft));
        let gone = without_data(Alarm { state: Well, state_at: at(20), ..alarm("a") });
        assert_eq!(channel.takes(&gone, 20, &["s", "t"]), AlarmDecision::Suppressed(Suppressed::Quiet));
    }

    #[test]
    fn the_last_series_of_an_alarm_ends_what_a_look_found_of_the_alarm_as_a_whole() {
        let mut channel = Channel::default();
        let found = Alarm { topic: None, state: Bad, state_at: at(0), ..alarm("a") };
        assert_eq!(channel.takes(&found, 0, &["s"]), AlarmDecision::Open);
        assert_eq!(channel.takes(&series("1", Well, 20), 20, &["s"]), AlarmDecision::Recovered);
        assert!(!channel.group.as_ref().unwrap().is_troubled_since(&series("1", Well, 20)));
    }

    #[test]
    fn a_new_version_is_looked_at_and_is_no_state() {
        let mut channel = Channel::default();
        let version = Alarm {
            source: AlarmSource::RotationEvent,
            key: "rotation:s".to_owned(),
            state: Well,
            basis: OkBasis::NewVersion,
            state_at: at(5),
            ..alarm("s: a new version is current")
        };
        assert_eq!(channel.takes(&version, 5, &["s"]), AlarmDecision::Nothing(Ignored::Well));
        channel.hears("a", Bad, 6, 6, &["s"]);
        assert_eq!(channel.takes(&Alarm { state_at: at(9), ..version }, 9, &["s"]), AlarmDecision::Check);
        let group = channel.group.unwrap();
        assert!(group.new_version.is_some() && !group.alarms.contains_key("rotation:s"));
    }

    #[test]
    fn another_alarm_that_never_told_of_it_does_not_end_it() {
        let mut channel = Channel::default();
        let event = Alarm { source: AlarmSource::RotationEvent, key: "rotation:s".to_owned(), ..alarm("s: rotation failed") };
        channel.takes(&event, 0, &["s"]);
        assert_eq!(channel.hears("elsewhere", Well, 1, 1, &["s"]), AlarmDecision::Nothing(Ignored::Well));
    }

    #[test]
    fn a_critical_alarm_always_has_its_thread_and_always_calls() {
        let mut channel = Channel { opened: MAX_THREADS, is_critical: true, ..Channel::default() };
        assert_eq!(channel.hears("a", Bad, 0, 0, &["s"]), AlarmDecision::Open);
        assert_eq!(channel.calls, 1);
        assert_eq!(channel.hears("a", Bad, 1, 1, &["s"]), AlarmDecision::Suppressed(Suppressed::Repeat));
        assert_eq!(channel.calls, 1, "a repeat calls nobody again");
        channel.is_running = true;
        assert_eq!(channel.hears("b", Bad, 2, 2, &["s"]), AlarmDecision::Suppressed(Suppressed::Joined));
        assert_eq!(channel.calls, 2, "one that joins a thread that is there calls too");
        for minute in 3..8 {
            channel.hears("a", if minute % 2 == 0 { Bad } else { Well }, minute, minute, &["s"]);
        }
        assert_eq!(channel.calls, 4, "flapping keeps it from nothing");
    }

    #[test]
    fn flapping_is_judged_for_each_alarm_by_its_own_time() {
        // Hours lie between the changes; they arrive together, after an outage.
        let mut channel = Channel::default();
        for (n, state) in [Bad, Well, Bad, Well, Bad, Well].into_iter().enumerate() {
            let minute = 120 * i64::try_from(n).unwrap();
            let decision = channel.hears("a", state, minute, 600, &["s"]);
            assert!(!matches!(decision, AlarmDecision::Suppressed(Suppressed::Flapping)), "{n}: {decision:?}");
        }
        // Many alarms that change once each are many alarms.
        let mut channel = Channel::default();
        for n in 0..6 {
            assert_ne!(channel.hears(&format!("a{n}"), Bad, n, n, &["s"]), AlarmDecision::Suppressed(Suppressed::Flapping));
        }
        // One that does change to and fro is left for a look when it is still, whatever its last word is.
        let mut channel = Channel::default();
        for minute in 0..7 {
            channel.hears("a", if minute % 2 == 0 { Bad } else { Well }, minute, minute, &["s"]);
        }
        let group = channel.group.unwrap();
        assert_eq!(group.unsettled.map(|alarm| (alarm.state, alarm.state_at)), Some((Bad, at(6))));
    }

    #[test]
    fn events_of_a_rotation_do_not_hold_a_recovery_back() {
        let mut channel = Channel::default();
        let event = Alarm { source: AlarmSource::RotationEvent, key: "rotation:s".to_owned(), ..alarm("s: rotation failed") };
        assert_eq!(channel.takes(&event, 0, &["s"]), AlarmDecision::Open);
        channel.hears("a", Bad, 1, 1, &["s"]);
        assert_eq!(channel.hears("a", Well, 30, 30, &["s"]), AlarmDecision::Recovered);
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let mut channel = Channel::default();
        channel.hears("a", Bad, 0, 0, &["s"]);
        assert_eq!(channel.hears("a", Well, 20, 20, &["s"]), AlarmDecision::Recovered);
        assert_eq!(channel.hears("a", Bad, 10, 21, &["s"]), AlarmDecision::Nothing(Ignored::Outdated));
        let mut reversed = Channel::default();
        reversed.hears("a", Bad, 0, 0, &["s"]);
        reversed.hears("a", Bad, 30, 30, &["s"]);
        assert_eq!(reversed.hears("a", Well, 20, 31, &["s"]), AlarmDecision::Nothing(Ignored::Outdated));
        assert_eq!(reversed.group.unwrap().ended_at, None);
    }

    #[test]
    fn what_comes_back_soon_goes_on_in_its_thread_and_later_begins_another() {
        for (minutes, expected) in [(60, AlarmDecision::Tell(Reason::Again)), (7 * 60, AlarmDecision::Open)] {
            let mut channel = Channel::default();
            channel.hears("a", Bad, 0, 0, &["s"]);
            channel.hears("a", Well, 20, 20, &["s"]);
            assert_eq!(channel.hears("a", Bad, 20 + minutes, 20 + minutes, &["s"]), expected);
            assert_eq!(channel.group.unwrap().ended_at, None);
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
        let loud =
            said.iter().filter(|decision| !matches!(decision, AlarmDecision::Suppressed(_) | AlarmDecision::Nothing(_))).count();
        assert!(loud <= 3, "{said:?}");
        assert_eq!(said.iter().filter(|decision| **decision == AlarmDecision::Open).count(), 1);
        assert!(channel.group.unwrap().is_flapping(at(10)));
    }

    #[test]
    fn more_threads_than_anyone_reads_are_counted_in_one() {
        let mut channel = Channel { opened: MAX_THREADS, ..Channel::default() };
        assert_eq!(channel.hears("a", Bad, 0, 0, &["s"]), AlarmDecision::Storm);
        channel.opened = MAX_THREADS - 1;
        assert_eq!(channel.hears("a", Bad, 0, 0, &["s"]), AlarmDecision::Open);
        channel.opened = MAX_THREADS;
        assert_eq!(
            channel.hears("a", Bad, 1, 1, &["s"]),
            AlarmDecision::Suppressed(Suppressed::Repeat),
            "a thread that is there goes on"
        );
    }

    #[test]
    fn what_a_periodic_look_finds_is_news_only_where_nothing_was_delivered() {
        let mut channel = Channel::default();
        let found = |minute| Alarm { topic: None, state_at: at(minute), ..alarm("a") };
        assert_eq!(channel.takes(&found(0), 0, &["s"]), AlarmDecision::Open);
        assert_eq!(channel.takes(&found(1), 15, &["s"]), AlarmDecision::Nothing(Ignored::Known));
        channel.hears("a", Well, 20, 20, &["s"]);
        let event = Alarm { key: "rotation:s".to_owned(), source: AlarmSource::RotationEvent, ..found(10) };
        assert_eq!(channel.takes(&event, 30, &["s"]), AlarmDecision::Nothing(Ignored::Outdated));
        assert_eq!(channel.takes(&Alarm { state_at: at(25), ..event }, 30, &["s"]), AlarmDecision::Tell(Reason::Again));
    }

    #[test]
    fn a_story_does_not_grow_without_bound() {
        let mut channel = Channel::default();
        for n in 0..1_000 {
            channel.hears(&format!("a{n}"), Bad, n, n, &["s"]);
        }
        let group = channel.group.unwrap();
        assert!(group.alarms.len() <= MAX_ALARMS && group.alarms.values().all(|told| told.changes.len() <= 2 * FLAPPING));
    }
}
