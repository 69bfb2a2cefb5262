//! What becomes of an alarm that arrives: a thread, a word in one, or silence.

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
