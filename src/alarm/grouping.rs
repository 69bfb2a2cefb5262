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
mod tests;
