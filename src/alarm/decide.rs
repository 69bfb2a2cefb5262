//! What an alarm means for each of the threads that it concerns.

use super::grouping::{AlarmDecision, AlarmGroup, AlarmUpdate, Circumstances, decide_for};
use crate::model::{AlarmSource, AlarmState, ThreadId};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Triggers of one group that are remembered while they are worked on.
const MAX_DOING: usize = 200;

/// A thread of alarms in the channel, as it stands when an alarm comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownThread {
    pub thread: ThreadId,
    /// What is known of its cause.
    pub group: AlarmGroup,
    /// True while one of its investigations runs.
    pub is_running: bool,
    /// When the last of its investigations was closed, where all of them are.
    pub closed_at: Option<Timestamp>,
}

/// When an alarm is decided about, and for which trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmTurn {
    pub now: Timestamp,
    pub trigger: i64,
    /// Threads that alarms opened in the channel [of late](super::STORM_WITHIN).
    pub opened: usize,
}

/// What an alarm means for one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    pub decision: AlarmDecision,
    /// The thread; `None` for one that is to be opened, and where there is none.
    pub thread: Option<ThreadId>,
    /// What is known of its cause from now on; `None` where nothing is kept.
    pub group: Option<AlarmGroup>,
    /// By what that is found again.
    pub keys: Vec<String>,
    /// True where it was decided before, and a crash or another run came between that and its end.
    pub is_begun: bool,
}

/// Decides for each of the `known` threads that the alarm concerns; those are given the newest first.
#[must_use]
pub fn decide(known: Vec<KnownThread>, update: &AlarmUpdate<'_>, turn: AlarmTurn) -> Vec<Ruling> {
    let known: Vec<KnownThread> = known.into_iter().filter(|thread| concerns(&thread.group, update, turn)).collect();
    let begun: Vec<Ruling> = known.iter().filter_map(|thread| begun(thread, turn.trigger)).collect();
    if !begun.is_empty() {
        return begun;
    }
    if update.alarm.state != AlarmState::Alarm {
        let decided: Vec<Ruling> = known.into_iter().map(|thread| rule(Some(thread), update, turn)).collect();
        return if decided.is_empty() { vec![rule(None, update, turn)] } else { decided };
    }
    let is_open = |thread: &&KnownThread| thread.group.ended_at.is_none();
    let identity = update.alarm.identity();
    let home = (known.iter().find(|thread| is_open(thread) && thread.group.alarms.contains_key(&identity)))
        .or_else(|| known.iter().find(is_open))
        .or(known.first())
        .cloned();
    // Secrets that have a thread of their own are told there.
    let elsewhere: BTreeSet<&String> = (known.iter().filter(is_open))
        .filter(|thread| home.as_ref().is_some_and(|home| home.thread != thread.thread))
        .flat_map(|thread| &thread.group.secrets)
        .collect();
    let left: BTreeSet<String> = update.secrets.iter().filter(|secret| !elsewhere.contains(secret)).cloned().collect();
    vec![rule(home, &AlarmUpdate { secrets: &left, ..*update }, turn)]
}

fn begun(thread: &KnownThread, trigger: i64) -> Option<Ruling> {
    Some(Ruling {
        decision: thread.group.doing.get(&trigger)?.clone(),
        thread: Some(thread.thread.clone()),
        group: Some(thread.group.clone()),
        keys: Vec::new(),
        is_begun: true,
    })
}

/// True for a thread that the alarm may mean something for.
fn concerns(group: &AlarmGroup, update: &AlarmUpdate<'_>, turn: AlarmTurn) -> bool {
    let alarm = update.alarm;
    match (&alarm.series, alarm.state) {
        _ if group.doing.contains_key(&turn.trigger) => true,
        (_, AlarmState::Ok | AlarmState::InsufficientData) if group.is_past(turn.now) => false,
        // Another series of the alarm is another matter, but for the thread that could not tell what the alarm is about.
        (Some(_), _) => {
            group.alarms.contains_key(&alarm.identity())
                || !group.secrets.is_disjoint(update.secrets)
                || (group.secrets.is_empty() && alarm.state == AlarmState::Alarm)
        }
        (None, AlarmState::Alarm) => true,
        (None, _) => alarm.source == AlarmSource::RotationEvent || group.knows(alarm),
    }
}

fn rule(known: Option<KnownThread>, update: &AlarmUpdate<'_>, turn: AlarmTurn) -> Ruling {
    let AlarmTurn { now, trigger, opened } = turn;
    let is_running = known.as_ref().is_some_and(|thread| thread.is_running);
    let known = known.map(|KnownThread { thread, mut group, closed_at, .. }| {
        group.ended_at = group.ended_at.or(closed_at);
        (thread, group)
    });
    let group = known.as_ref().map(|(_, group)| group);
    let decision = decide_for(group, update, Circumstances { now, is_running, opened });
    let calls = AlarmGroup::calls(group, update, &decision);
    let (thread, mut group) = match (&decision, known) {
        (AlarmDecision::Open, _) => (None, AlarmGroup::beginning_with(update, now)),
        (AlarmDecision::Storm, _) | (_, None) => {
            return Ruling { decision, thread: None, group: None, keys: Vec::new(), is_begun: false };
        }
        (_, Some((thread, mut group))) => {
            group.note(update, &decision, now);
            (Some(thread), group)
        }
    };
    if !matches!(decision, AlarmDecision::Nothing(_)) {
        group.doing.insert(trigger, decision.clone());
        if calls {
            group.calling.insert(trigger);
        }
        while group.doing.len() > MAX_DOING {
            let Some((oldest, _)) = group.doing.pop_first() else { break };
            group.calling.remove(&oldest);
        }
    }
    let keys = update.secrets.iter().cloned().chain(update.own_keys()).collect();
    Ruling { decision, thread, group: Some(group), keys, is_begun: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::testing::alarm;
    use crate::model::Alarm;

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        start.checked_add(jiff::SignedDuration::from_mins(minute)).unwrap()
    }

    fn turn(trigger: i64, minute: i64) -> AlarmTurn {
        AlarmTurn { now: at(minute), trigger, opened: 0 }
    }

    fn secrets(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn decided(known: &[KnownThread], alarm: &Alarm, names: &[&str], turn: AlarmTurn) -> Vec<Ruling> {
        let secrets = secrets(names);
        decide(known.to_vec(), &AlarmUpdate { alarm, secrets: &secrets, is_critical: false }, turn)
    }

    fn opened(thread: &str, alarm: &Alarm, names: &[&str]) -> KnownThread {
        let ruling = decided(&[], alarm, names, turn(1, 0)).remove(0);
        assert_eq!((ruling.decision, ruling.thread), (AlarmDecision::Open, None));
        let mut group = ruling.group.unwrap();
        assert_eq!(group.doing.keys().copied().collect::<Vec<_>>(), [1]);
        group.doing.clear();
        KnownThread { thread: thread.parse().unwrap(), group, is_running: false, closed_at: None }
    }

    fn since(minute: i64, state: AlarmState, name: &str) -> Alarm {
        Alarm { state, state_at: at(minute), ..alarm(name) }
    }

    #[test]
    fn secrets_with_an_open_thread_of_their_own_are_told_there() {
        let (a, b) = (since(0, AlarmState::Alarm, "a"), since(0, AlarmState::Alarm, "b"));
        let known = [opened("t1", &a, &["s"]), opened("t2", &b, &["t"])];
        let rulings = decided(&known, &since(5, AlarmState::Alarm, "a"), &["s", "t", "u"], turn(2, 5));
        let [ruling] = rulings.as_slice() else { panic!("{rulings:?}") };
        assert_eq!(ruling.thread.as_deref(), Some("t1"));
        assert_eq!(ruling.decision, AlarmDecision::Tell(crate::alarm::Reason::NewSecrets(secrets(&["u"]))));
        assert!(ruling.keys.contains(&"u".to_owned()) && !ruling.keys.contains(&"t".to_owned()), "{:?}", ruling.keys);
    }

    #[test]
    fn the_end_of_an_alarm_is_decided_for_every_thread_it_concerns_and_an_unknown_one_for_none() {
        let a = since(0, AlarmState::Alarm, "a");
        let known = [opened("t1", &a, &["s"]), opened("t2", &a, &["t"])];
        let rulings = decided(&known, &since(5, AlarmState::Ok, "a"), &[], turn(2, 5));
        let told: Vec<_> = rulings.iter().map(|ruling| (ruling.thread.as_deref(), &ruling.decision)).collect();
        assert_eq!(told, [(Some("t1"), &AlarmDecision::Recovered), (Some("t2"), &AlarmDecision::Recovered)]);
        let rulings = decided(&[], &since(5, AlarmState::Ok, "a"), &[], turn(2, 5));
        assert_eq!(rulings.iter().filter(|ruling| ruling.group.is_some()).count(), 0);
    }

    #[test]
    fn what_was_begun_before_a_crash_is_decided_again_as_it_was() {
        let a = since(0, AlarmState::Alarm, "a");
        let mut thread = opened("t1", &a, &["s"]);
        thread.group.doing.insert(7, AlarmDecision::Recovered);
        let rulings = decided(&[thread.clone()], &a, &["s"], turn(7, 90));
        assert_eq!(rulings.len(), 1);
        assert_eq!((&rulings[0].decision, rulings[0].is_begun), (&AlarmDecision::Recovered, true));
        assert_eq!(rulings[0].group.as_ref(), Some(&thread.group));
    }

    #[test]
    fn investigations_that_were_all_closed_end_their_thread() {
        let a = since(0, AlarmState::Alarm, "a");
        let thread = KnownThread { closed_at: Some(at(3)), ..opened("t1", &a, &["s"]) };
        let rulings = decided(&[thread], &since(5, AlarmState::Alarm, "a"), &["s"], turn(2, 5));
        assert_eq!(rulings[0].decision, AlarmDecision::Tell(crate::alarm::Reason::Again));
    }
}
