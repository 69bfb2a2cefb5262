//! What an alarm comes to: a thread that begins, or goes on, or is only counted.
//!
//! Deciding takes turns, so that two alarms about one cause find each other; the work that follows does not. A decision is
//! kept with the group before anything is done about it, so that after a crash the same is done again.

use super::context::AlarmContext;
use super::intake::IGNORED;
use super::messages;
use super::threads::{AlarmThreads, LOOK_AGAIN};
use crate::alarm::{
    self, AlarmDecision, AlarmGroup, AlarmTurn, AlarmUpdate, Asking, Ignored, KnownThread, OutOfScope, Ruling, STILL_AFTER,
    Suppressed,
};
use crate::bot::error::HandlerError;
use crate::model::{Alarm, AlarmSource, AlarmState, Place, Recheck, SecretRef, ThreadId};
use crate::store::{
    Audited, Claimed, Completion, DesiredMessage, InvestigationStage, NewThread, Newness, ROOT, StoreError, StoredGroup,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// An alarm that the configuration does not cover: it is recorded, and AWS is asked nothing.
fn ignored(alarm: &Alarm, reason: OutOfScope) -> Completion {
    Completion { audit: vec![Audited::system(IGNORED, &alarm.title, &reason.to_string())], ..Completion::default() }
}

/// What an alarm means for one thread; the group is `None` where there is none.
type Decided = (AlarmDecision, Option<StoredGroup<AlarmGroup>>);

impl AlarmThreads {
    /// Does what an alarm asks for.
    pub(in crate::bot) async fn handle(&self, claimed: &Claimed, alarm: &Alarm) -> Result<Completion, HandlerError> {
        let mut case = match AlarmContext::of(&self.config, claimed, alarm) {
            Ok(case) => case,
            Err(reason) => return Ok(ignored(alarm, reason)),
        };
        // What was decided is done, whatever came since: what came has its own turn.
        let is_begun = self.is_begun(&case).await?;
        if !is_begun && self.is_outdated(alarm).await? {
            return Err(HandlerError::Obsolete(silence(Ignored::Outdated)));
        }
        if alarm.state == AlarmState::Alarm
            && !is_begun
            && !case.is_critical()
            && let Some(end) = case.scope.route.quiet.as_ref().and_then(|quiet| quiet.end_of(self.store.now()))
        {
            return Err(HandlerError::RetryAfter(Duration::try_from(end.duration_since(self.store.now())).unwrap_or(LOOK_AGAIN)));
        }
        let may_tell = |secret: &SecretRef| self.access.may_tell(case.place(), secret, &case.location);
        let found = alarm::resolve_secrets(alarm, &case.scope, may_tell, self.how_to_ask(&case)).await?;
        let Some(found) = found else { return self.count_in_storm(&case).await };
        case.found = found;
        if !is_begun && self.is_incident_without_failure(&case).await? {
            let tried = case.found.tried.join("; ");
            self.store.audit(&Audited::system("ignored an incident of AWS", &alarm.title, &tried)).await?;
            return Err(HandlerError::Obsolete("it is an incident of AWS during which no rotation is seen to have failed"));
        }
        let decided = {
            let _turn = self.store.deciding_turn().await?;
            // What came while secrets were asked for may have been newer.
            if !is_begun && self.is_known_newer(alarm).await? {
                return Err(HandlerError::Obsolete(silence(Ignored::Outdated)));
            }
            self.decide(&case).await?
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

    /// True when it was decided what this alarm means, and a crash or another run came between that and its end.
    async fn is_begun(&self, case: &AlarmContext<'_>) -> Result<bool, StoreError> {
        let keys = [case.alarm.identity(), case.alarm.key.clone()];
        let known: Vec<StoredGroup<AlarmGroup>> = self.store.groups_of(case.place(), &keys).await?;
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
        if !is_incident || !case.secrets().is_empty() {
            return Ok(false);
        }
        let known: Option<StoredGroup<AlarmGroup>> = self.store.group_of(case.place(), &[case.alarm.identity()]).await?;
        Ok(known.is_none())
    }

    async fn do_decided(
        &self,
        case: &AlarmContext<'_>,
        decision: AlarmDecision,
        stored_group: Option<StoredGroup<AlarmGroup>>,
    ) -> Result<Completion, HandlerError> {
        match (decision, stored_group) {
            (AlarmDecision::Nothing(why), _) => Err(HandlerError::Obsolete(silence(why))),
            (AlarmDecision::Storm, _) => self.count_in_storm(case).await,
            (AlarmDecision::Open, Some(stored_group)) => self.begin_thread(case, &stored_group).await,
            (AlarmDecision::Suppressed(_), Some(_)) => Ok(Completion::default()),
            (AlarmDecision::Tell(reason), Some(stored_group)) => self.tell(case, &stored_group, &reason).await,
            (AlarmDecision::Recovered, Some(stored_group)) => self.recover(case, &stored_group).await,
            (AlarmDecision::Check, Some(stored_group)) => self.check_version(case, &stored_group).await,
            (_, None) => Err(HandlerError::Obsolete("its thread is gone")),
        }
    }

    /// With what AWS is asked which secrets an alarm is about; what will only be counted is not looked up.
    async fn how_to_ask(&self, case: &AlarmContext<'_>) -> Result<Asking, StoreError> {
        if self.is_storm_for(case).await? {
            return Ok(Asking::Spared);
        }
        Ok(match self.access.connect(&case.location).await {
            Ok(connected) => Asking::With(Box::new(connected.aws), connected.clock),
            Err(error) => Asking::Impossible(error.to_string()),
        })
    }

    /// Decides by what is known, and keeps the decisions: one for each thread that it concerns.
    async fn decide(&self, case: &AlarmContext<'_>) -> Result<Vec<Decided>, StoreError> {
        let secrets = case.names();
        let update = AlarmUpdate { alarm: case.alarm, secrets: &secrets, is_critical: case.is_critical() };
        let groups: Vec<StoredGroup<AlarmGroup>> = self.store.groups_of(case.place(), &update.keys()).await?;
        let mut places: BTreeMap<ThreadId, Place> = BTreeMap::new();
        let mut known = Vec::new();
        for StoredGroup { thread, place, group } in groups {
            known.push(self.as_it_stands(&thread, group).await?);
            places.insert(thread, place);
        }
        let opened = self.threads_of_late(case.place()).await?;
        let turn = AlarmTurn { now: self.store.now(), trigger: case.claimed.lease.number(), opened };
        let mut decided = Vec::new();
        for ruling in alarm::decide(known, &update, turn) {
            let place = ruling.thread.as_ref().and_then(|thread| places.get(thread));
            decided.push(self.keep(case, &ruling, place).await?);
        }
        Ok(decided)
    }

    async fn as_it_stands(&self, thread: &ThreadId, group: AlarmGroup) -> Result<KnownThread, StoreError> {
        let investigations = self.store.investigations_of(thread).await?;
        let is_running = investigations.iter().any(|one| one.stage == InvestigationStage::Running);
        let closed: Option<Vec<Timestamp>> = investigations.iter().map(|one| one.resolved.as_ref().map(|(_, at)| *at)).collect();
        let closed_at = closed.and_then(|times| times.into_iter().max());
        Ok(KnownThread { thread: thread.clone(), group, is_running, closed_at })
    }

    /// Keeps what was decided for one thread, before anything is done about it; `place` is where the thread is.
    async fn keep(&self, case: &AlarmContext<'_>, ruling: &Ruling, place: Option<&Place>) -> Result<Decided, StoreError> {
        let decision = ruling.decision.clone();
        let Some(group) = ruling.group.clone() else { return Ok((decision, None)) };
        let stored_group = match (&ruling.thread, place) {
            (Some(thread), Some(place)) => StoredGroup { thread: thread.clone(), place: place.clone(), group },
            _ => {
                let thread = case.claimed.thread()?;
                let place = Place { thread: None, ..case.place().clone() };
                let opened = NewThread { id: thread.clone(), place: place.clone() };
                self.store.open_thread(&opened, &[]).await?;
                StoredGroup { thread, place, group }
            }
        };
        if !ruling.is_begun {
            // Before the group says so: a look that finds nothing to do does no harm.
            if decision == AlarmDecision::Suppressed(Suppressed::Flapping) {
                self.recheck_in(&stored_group.thread, Recheck::Still, STILL_AFTER).await?;
            }
            self.store.keep_group(&stored_group.thread, &ruling.keys, &stored_group.group).await?;
        }
        self.say_decided(case, &stored_group, &decision).await?;
        Ok((decision, Some(stored_group)))
    }

    /// What is said as soon as it is decided, in the order of deciding: the alarm's own words, and before them, in a thread
    /// that begins, the message it hangs on.
    async fn say_decided(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        decision: &AlarmDecision,
    ) -> Result<(), StoreError> {
        let mut messages = Vec::new();
        if *decision == AlarmDecision::Open && self.store.stated(&stored_group.thread, ROOT).await?.is_none() {
            messages.push(DesiredMessage::root(&stored_group.thread, messages::working(case), "an alarm").as_progress());
        }
        if *decision != AlarmDecision::Check && !matches!(decision, AlarmDecision::Nothing(_)) {
            if stored_group.group.is_newest(case.alarm) {
                messages.push(self.about_alarm(case, stored_group).await?);
            } else {
                messages.extend(self.recounted(stored_group).await?);
            }
        }
        self.store.upsert_messages(&messages).await
    }
}

/// Adds what another thread comes to.
fn add(all: &mut Completion, more: Completion) {
    all.concluded.extend(more.concluded);
    all.resolved.extend(more.resolved);
    all.unwatch.extend(more.unwatch);
    all.messages.extend(more.messages);
}

const fn silence(why: Ignored) -> &'static str {
    match why {
        Ignored::Outdated => "a newer state of this alarm is known",
        Ignored::Known => "this change has already been reported",
        Ignored::Well => "it is OK, and no thread says otherwise",
        Ignored::TooLittleData => "insufficient data is not a failure",
    }
}
