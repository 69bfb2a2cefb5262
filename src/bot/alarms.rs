//! What an alarm comes to: a thread that begins, or goes on, or is only counted.
//!
//! Deciding takes turns, so that two alarms about one cause find each other; the work that follows does not. A decision is
//! kept with the story before anything is done about it, so that after a crash the same is done again.

mod dead_letter;
mod intake;
mod messages;
mod open_thread;
mod rechecking;
mod reconcile;
mod recovery;
mod storm;

pub use intake::{AlarmIntake, Subscriber};

use super::perform::HandlerError;
use super::{AccessRequest, Bot};
use crate::alarm::{
    self, AlarmGroup, AlarmUpdate, Decision, Found, Ignored, ResolvedBy, STILL_AFTER, Scope, Standing, Suppressed,
};
use crate::config::AlarmRoute;
use crate::model::{ActionKind, Alarm, AlarmSource, AlarmState, Place, Recheck, SecretRef};
use crate::store::{
    Audited, Claimed, Completion, DesiredMessage, Location, NewThread, Newness, ROOT, Stage, StoreError, StoredGroup,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Alarms wait in one lane, so that a storm of them keeps no channel waiting.
const LANE: &str = "alarms";

/// How often an alarm that nothing explains is looked at again, while CloudTrail may not show the failed rotation yet.
const LOOK_AGAIN: Duration = Duration::from_secs(120);

/// For how long. CloudTrail shows most events within five minutes, and promises nothing.
const LOOK_FOR: SignedDuration = SignedDuration::from_mins(12);

/// How soon a thread is looked at where its secret has a new version: by then Secrets Manager has ended the rotation.
const VERSION_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Triggers of one story that are remembered while they are worked on.
const MAX_DOING: usize = 200;

/// An alarm that is worked on: where it is from, and where it is told.
struct AlarmContext<'a> {
    claimed: &'a Claimed,
    alarm: &'a Alarm,
    route: &'a AlarmRoute,
    choice: Location,
    found: Found,
    /// The secrets it is about, by names that are the same for the same secret.
    secrets: BTreeMap<String, SecretRef>,
}

impl AlarmContext<'_> {
    fn place(&self) -> &Place {
        &self.route.place
    }

    fn names(&self) -> BTreeSet<String> {
        self.secrets.keys().cloned().collect()
    }

    fn is_critical(&self) -> bool {
        self.route.is_critical(&self.alarm.title, &self.alarm.key)
    }
}

/// What an alarm means for one thread; the story is `None` where there is none.
type Decided = (Decision, Option<StoredGroup<AlarmGroup>>);

impl Bot {
    /// Does what an alarm asks for.
    pub(super) async fn alarm(&self, claimed: &Claimed, alarm: &Alarm) -> Result<Completion, HandlerError> {
        let mut case = self.case(claimed, alarm)?;
        // What was decided is done, whatever came since: what came has its own turn.
        let is_begun = self.is_begun(&case).await?;
        if !is_begun && self.is_outdated(alarm).await? {
            return Err(HandlerError::Obsolete(silence(Ignored::Outdated)));
        }
        if alarm.state == AlarmState::Alarm
            && !is_begun
            && !case.is_critical()
            && let Some(end) = case.route.quiet.as_ref().and_then(|quiet| quiet.end_of(self.store.now()))
        {
            return Err(HandlerError::RetryAfter(Duration::try_from(end.duration_since(self.store.now())).unwrap_or(LOOK_AGAIN)));
        }
        let mapped = self.config.alarms.mapped(&alarm.title, &alarm.key);
        case.found = match alarm::without_asking(alarm, mapped) {
            Some(found) => found,
            // What is over is over for all that knows of it; nobody is to be asked whom it is about.
            None if alarm.state != AlarmState::Alarm => Found::nothing(),
            // What will only be counted is not looked up.
            None if self.is_storm_for(&case).await? => return self.count_in_storm(&case).await,
            None => self.ask_for_secrets(&case).await,
        };
        case.secrets = self.allowed_secrets(&mut case);
        if !is_begun && self.is_incident_without_failure(&case).await? {
            let tried = case.found.tried.join("; ");
            self.store.audit(&Audited::system("ignored an incident of AWS", &alarm.title, &tried)).await?;
            return Err(HandlerError::Obsolete("it is an incident of AWS during which no rotation is seen to have failed"));
        }
        let decided = {
            let _turn = self.alarm_turn.lock().await;
            // What came while secrets were asked for may have been newer.
            if !is_begun && self.is_known_newer(alarm).await? {
                return Err(HandlerError::Obsolete(silence(Ignored::Outdated)));
            }
            self.decide_about(&case).await?
        };
        let mut all = Completion::default();
        let (mut nothing, mut is_any_done) = (None, false);
        for (decision, stored_group) in decided {
            match self.do_decided(&case, decision, stored_group).await {
                Ok(completion) => {
                    is_any_done = true;
                    add(&mut all, completion);
                }
                Err(HandlerError::Obsolete(why)) => nothing = Some(why),
                Err(other) => return Err(other),
            }
        }
        match nothing {
            Some(why) if !is_any_done => Err(HandlerError::Obsolete(why)),
            _ => Ok(all),
        }
    }

    /// The alarm, where the configuration still covers it.
    fn case<'a>(&'a self, claimed: &'a Claimed, alarm: &'a Alarm) -> Result<AlarmContext<'a>, HandlerError> {
        let scope =
            Scope::of(&self.config, alarm).map_err(|_| HandlerError::Obsolete("the configuration no longer covers it"))?;
        let choice = Location { account: Some(scope.account.to_owned()), region: alarm.region.clone() };
        Ok(AlarmContext { claimed, alarm, route: scope.route, choice, found: Found::nothing(), secrets: BTreeMap::new() })
    }

    /// True when it was decided what this alarm means, and a crash or another run came between that and its end.
    async fn is_begun(&self, case: &AlarmContext<'_>) -> Result<bool, StoreError> {
        let keys = [case.alarm.identity(), case.alarm.key.clone()];
        let known: Vec<StoredGroup<AlarmGroup>> = self.store.stories_of(case.place(), &keys).await?;
        let number = case.claimed.lease.number();
        Ok(known.iter().any(|stored_group| stored_group.group.doing.contains_key(&number)))
    }

    /// True when something newer is known of this alarm. What says nothing about what failed makes nothing outdated: an
    /// alarm that waits for the end of the quiet hours is told, though the data went missing meanwhile.
    async fn is_outdated(&self, alarm: &Alarm) -> Result<bool, StoreError> {
        let identity = alarm.identity();
        if alarm.is_telling() {
            return Ok(self.store.note_alarm(&identity, alarm.state, alarm.state_at).await? == Newness::Outdated);
        }
        self.is_known_newer(alarm).await
    }

    async fn is_known_newer(&self, alarm: &Alarm) -> Result<bool, StoreError> {
        let known = self.store.alarm_state(&alarm.identity()).await?;
        Ok(known.is_some_and(|(_, at)| at > alarm.state_at))
    }

    /// True for an incident that named no secret, and during which none failed.
    async fn is_incident_without_failure(&self, case: &AlarmContext<'_>) -> Result<bool, StoreError> {
        let is_incident = case.alarm.source == AlarmSource::Health && case.alarm.state == AlarmState::Alarm;
        if !is_incident || !case.secrets.is_empty() {
            return Ok(false);
        }
        let known: Option<StoredGroup<AlarmGroup>> = self.store.story_of(case.place(), &[case.alarm.identity()]).await?;
        Ok(known.is_none())
    }

    async fn do_decided(
        &self,
        case: &AlarmContext<'_>,
        decision: Decision,
        stored_group: Option<StoredGroup<AlarmGroup>>,
    ) -> Result<Completion, HandlerError> {
        match (decision, stored_group) {
            (Decision::Nothing(why), _) => Err(HandlerError::Obsolete(silence(why))),
            (Decision::Storm, _) => self.count_in_storm(case).await,
            (Decision::Open, Some(stored_group)) => self.begin_thread(case, &stored_group).await,
            (Decision::Suppressed(_), Some(_)) => Ok(Completion::default()),
            (Decision::Tell(reason), Some(stored_group)) => self.tell(case, &stored_group, &reason).await,
            (Decision::Recovered, Some(stored_group)) => self.recover(case, &stored_group).await,
            (Decision::Check, Some(stored_group)) => self.check_version(case, &stored_group).await,
            (_, None) => Err(HandlerError::Obsolete("its thread is gone")),
        }
    }

    async fn ask_for_secrets(&self, case: &AlarmContext<'_>) -> Found {
        let purpose = SecretRef::Name(String::from("alarm"));
        match self.accounts.connect(&case.choice, &purpose).await {
            Ok(connected) => alarm::by_asking(case.alarm, &connected.aws, &connected.clock).await,
            Err(error) => {
                let tried = vec![format!("AWS could not be queried: {error}")];
                Found { secrets: Vec::new(), by: ResolvedBy::Nothing, tried }
            }
        }
    }

    /// The secrets that may be looked into and told of there; what may not is only counted.
    fn allowed_secrets(&self, case: &mut AlarmContext<'_>) -> BTreeMap<String, SecretRef> {
        let mut allowed = BTreeMap::new();
        let mut left_out = 0;
        for secret in &case.found.secrets {
            let wish = AccessRequest {
                action: ActionKind::Investigate,
                secret,
                account: case.choice.account.as_deref(),
                region: &case.choice.region,
            };
            if alarm::may_be_asked(&self.config, case.alarm, secret) && self.rights.allow_unasked(case.place(), &wish) {
                allowed.insert(identity(case.alarm, secret), secret.clone());
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            case.found.tried.push(format!("{left_out} of the secrets it refers to may not be named here"));
        }
        allowed
    }

    /// Decides by what is known, and keeps the decisions: one for each thread that it concerns.
    async fn decide_about(&self, case: &AlarmContext<'_>) -> Result<Vec<Decided>, StoreError> {
        let number = case.claimed.lease.number();
        let known = self.stories_about(case).await?;
        let begun: Vec<Decided> = (known.iter())
            .filter_map(|stored_group| Some((stored_group.group.doing.get(&number)?.clone(), Some(stored_group.clone()))))
            .collect();
        if !begun.is_empty() {
            for (decision, stored_group) in &begun {
                if let Some(stored_group) = stored_group {
                    self.say_decided(case, stored_group, decision).await?;
                }
            }
            return Ok(begun);
        }
        let names = case.names();
        if case.alarm.state != AlarmState::Alarm {
            let mut decided = Vec::new();
            for stored_group in known {
                decided.push(self.decide_for(case, Some(stored_group), &names).await?);
            }
            return Ok(if decided.is_empty() { vec![self.decide_for(case, None, &names).await?] } else { decided });
        }
        // Secrets that have a thread of their own are told there.
        let mut open = known.iter().filter(|stored_group| stored_group.group.ended_at.is_none());
        let identity = case.alarm.identity();
        let home = known
            .iter()
            .find(|stored_group| stored_group.group.ended_at.is_none() && stored_group.group.alarms.contains_key(&identity))
            .or_else(|| open.next())
            .or(known.first())
            .cloned();
        let elsewhere: BTreeSet<&String> = (known.iter())
            .filter(|stored_group| {
                stored_group.group.ended_at.is_none() && home.as_ref().is_some_and(|home| home.thread != stored_group.thread)
            })
            .flat_map(|stored_group| &stored_group.group.secrets)
            .collect();
        let left: BTreeSet<String> = names.iter().filter(|name| !elsewhere.contains(name)).cloned().collect();
        Ok(vec![self.decide_for(case, home, &left).await?])
    }

    /// The threads that an alarm concerns, the newest first.
    async fn stories_about(&self, case: &AlarmContext<'_>) -> Result<Vec<StoredGroup<AlarmGroup>>, StoreError> {
        let alarm = case.alarm;
        let mut keys: Vec<String> = case.secrets.keys().cloned().collect();
        keys.extend([alarm.identity(), alarm.key.clone()]);
        if case.secrets.is_empty() {
            keys.extend(alarm.children.iter().map(|child| alarm_beside(&alarm.key, child)));
        }
        let stories: Vec<StoredGroup<AlarmGroup>> = self.store.stories_of(case.place(), &keys).await?;
        let (number, now) = (case.claimed.lease.number(), self.store.now());
        let concerns = |group: &AlarmGroup| match (&alarm.series, alarm.state) {
            _ if group.doing.contains_key(&number) => true,
            (_, AlarmState::Ok | AlarmState::InsufficientData) if group.is_past(now) => false,
            // Another series of the alarm is another matter, but for the thread that could not tell what the alarm is about.
            (Some(_), _) => {
                group.alarms.contains_key(&alarm.identity())
                    || group.secrets.iter().any(|secret| case.secrets.contains_key(secret))
                    || (group.secrets.is_empty() && alarm.state == AlarmState::Alarm)
            }
            (None, AlarmState::Alarm) => true,
            (None, _) => alarm.source == AlarmSource::RotationEvent || group.knows(alarm),
        };
        Ok(stories.into_iter().filter(|stored_group| concerns(&stored_group.group)).collect())
    }

    async fn decide_for(
        &self,
        case: &AlarmContext<'_>,
        mut known: Option<StoredGroup<AlarmGroup>>,
        secrets: &BTreeSet<String>,
    ) -> Result<Decided, StoreError> {
        let now = self.store.now();
        let arrival = AlarmUpdate { alarm: case.alarm, secrets, is_critical: case.is_critical() };
        let mut is_running = false;
        if let Some(stored_group) = &mut known {
            let investigations = self.store.investigations_of(&stored_group.thread).await?;
            is_running = investigations.iter().any(|one| one.stage == Stage::Running);
            let closed: Option<Vec<Timestamp>> =
                investigations.iter().map(|one| one.resolved.as_ref().map(|(_, at)| *at)).collect();
            let closed = closed.and_then(|times| times.into_iter().max());
            stored_group.group.ended_at = stored_group.group.ended_at.or(closed);
        }
        let standing = Standing { now, is_running, opened: self.threads_of_late(case.place()).await? };
        let group = known.as_ref().map(|stored_group| &stored_group.group);
        let decision = alarm::decide(group, &arrival, standing);
        let calls = AlarmGroup::calls(group, &arrival, &decision);
        let stored_group = match (&decision, known) {
            (Decision::Open, _) => {
                let thread = case.claimed.subject.clone();
                let place = Place { thread: None, ..case.place().clone() };
                let opened = NewThread { id: thread.clone(), place: place.clone(), alarm: None };
                self.store.open_thread(&opened, &[]).await?;
                Some(StoredGroup { thread, place, group: AlarmGroup::beginning_with(&arrival, now) })
            }
            (Decision::Storm, _) | (_, None) => None,
            (_, Some(mut stored_group)) => {
                stored_group.group.note(&arrival, &decision, now);
                Some(stored_group)
            }
        };
        let Some(mut stored_group) = stored_group else { return Ok((decision, None)) };
        if !matches!(decision, Decision::Nothing(_)) {
            let number = case.claimed.lease.number();
            stored_group.group.doing.insert(number, decision.clone());
            if calls {
                stored_group.group.calling.insert(number);
            }
            while stored_group.group.doing.len() > MAX_DOING {
                let Some((oldest, _)) = stored_group.group.doing.pop_first() else { break };
                stored_group.group.calling.remove(&oldest);
            }
        }
        // Before the story says so: a look that finds nothing to do does no harm.
        if decision == Decision::Suppressed(Suppressed::Flapping) {
            self.recheck_in(&stored_group.thread, Recheck::Still, STILL_AFTER).await?;
        }
        let mut keys: Vec<String> = secrets.iter().cloned().collect();
        keys.extend([case.alarm.identity(), case.alarm.key.clone()]);
        self.store.file_story(&stored_group.thread, &keys, &stored_group.group).await?;
        self.say_decided(case, &stored_group, &decision).await?;
        Ok((decision, Some(stored_group)))
    }

    /// What is said as soon as it is decided, in the order of deciding: the alarm's own words, and before them, in a thread
    /// that begins, the message it hangs on.
    async fn say_decided(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let mut messages = Vec::new();
        if *decision == Decision::Open && self.store.stated(&stored_group.thread, ROOT).await?.is_none() {
            messages.push(DesiredMessage::root(&stored_group.thread, messages::working(case), "an alarm").as_progress());
        }
        if *decision != Decision::Check && !matches!(decision, Decision::Nothing(_)) {
            if stored_group.group.is_newest(case.alarm) {
                messages.push(self.about_alarm(case, stored_group));
            } else {
                messages.extend(self.recounted(stored_group).await?);
            }
        }
        self.store.upsert_messages(&messages).await
    }

    /// Says again what the alarm says, where nothing newer was heard.
    async fn say_again(&self, case: &AlarmContext<'_>, thread: &str) -> Result<(), StoreError> {
        let _turn = self.alarm_turn.lock().await;
        match self.store.story_in::<AlarmGroup>(thread).await? {
            Some(stored_group) if stored_group.group.is_newest(case.alarm) => {
                self.store.upsert_messages(&[self.about_alarm(case, &stored_group)]).await
            }
            _ => Ok(()),
        }
    }

    async fn recheck_in(&self, thread: &str, why: Recheck, wait: SignedDuration) -> Result<(), StoreError> {
        let now = self.store.now();
        self.store.recheck_at(thread, why, now.checked_add(wait).unwrap_or(now)).await
    }

    /// Changes what is known of a thread, as it is now: other alarms may have told of it since it was read.
    async fn change_story(&self, thread: &str, change: impl FnOnce(&mut AlarmGroup)) -> Result<(), StoreError> {
        let _turn = self.alarm_turn.lock().await;
        let Some(mut stored_group) = self.store.story_in::<AlarmGroup>(thread).await? else { return Ok(()) };
        change(&mut stored_group.group);
        self.store.file_story(thread, &[], &stored_group.group).await
    }
}

/// Adds what another thread comes to.
fn add(all: &mut Completion, more: Completion) {
    all.concluded.extend(more.concluded);
    all.resolved.extend(more.resolved);
    all.unwatch.extend(more.unwatch);
    all.messages.extend(more.messages);
}

/// The ARN of an alarm that is named beside the one with the ARN `key`, such as by a composite alarm's rule.
fn alarm_beside(key: &str, name: &str) -> String {
    match key.split_once(":alarm:") {
        Some((place, _)) if !name.starts_with("arn:") => format!("{place}:alarm:{name}"),
        _ => name.to_owned(),
    }
}

/// One name per secret, whether it is named or given by its ARN.
fn identity(alarm: &Alarm, secret: &SecretRef) -> String {
    format!("secret:{}/{}/{}", alarm.account_id, alarm.region, secret.name())
}

const fn silence(why: Ignored) -> &'static str {
    match why {
        Ignored::Outdated => "a newer state of this alarm is known",
        Ignored::Known => "this change has already been reported",
        Ignored::Well => "it is OK, and no thread says otherwise",
        Ignored::TooLittleData => "insufficient data is not a failure",
    }
}
