//! More alarms at once than anyone reads: one thread lists the secrets that get no thread of their own. When the storm is
//! over, what still fails gets one.

use super::context::AlarmContext;
use super::messages;
use super::threads::{AlarmThreads, LOOK_AGAIN};
use crate::alarm::{AlarmGroup, MAX_THREADS, STORM_WITHIN, Storm};
use crate::bot::error::HandlerError;
use crate::model::{AlarmSource, AlarmState, Place, Recheck, SecretRef, ThreadId};
use crate::redact::SafeText;
use crate::safe_format;
use crate::store::{Claimed, Completion, DesiredMessage, NewThread, StoreError, StoredGroup, StormSecret};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How long after its last new secret the list of a storm goes out as a file, where it is long.
const LISTED_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Secrets named in the first message.
const MAX_NAMED: u32 = 10;

/// Secrets in one message of the list.
const PAGE: u32 = 40;

/// Messages of the list; what is beyond them is in the file alone.
const MAX_PAGES: u32 = 25;

/// Secrets in the file.
const MAX_LISTED: u32 = 20_000;

/// By what a channel's storm is found again.
const KEY: &str = "storm";

impl AlarmThreads {
    /// True when this alarm would open a thread where there are too many already.
    pub(super) async fn is_storm_for(&self, case: &AlarmContext<'_>) -> Result<bool, StoreError> {
        // Whether an incident is one for us, only a look can tell.
        let may_be = case.alarm.state == AlarmState::Alarm && !case.is_critical() && case.alarm.source != AlarmSource::Health;
        if !may_be || self.threads_of_late(case.place()).await? < MAX_THREADS {
            return Ok(false);
        }
        let keys = [case.alarm.identity(), case.alarm.key.clone()];
        let known: Option<StoredGroup<AlarmGroup>> = self.store.group_of(case.place(), &keys).await?;
        Ok(known.is_none())
    }

    /// How many threads alarms opened of late; while a storm goes on, as many as there may be.
    pub(super) async fn threads_of_late(&self, place: &Place) -> Result<usize, StoreError> {
        let now = self.store.now();
        let storm: Option<StoredGroup<Storm>> = self.store.group_of(place, &[KEY.to_owned()]).await?;
        if storm.is_some_and(|stored_group| stored_group.group.is_raging(now)) {
            return Ok(MAX_THREADS);
        }
        self.store.groups_since(place, now.checked_sub(STORM_WITHIN).unwrap_or(Timestamp::MIN)).await
    }

    /// Lists the secrets of an alarm in the storm's thread; those that are listed already change nothing.
    pub(super) async fn count_in_storm(&self, case: &AlarmContext<'_>) -> Result<Completion, HandlerError> {
        let _turn = self.store.deciding_turn().await?;
        let now = self.store.now();
        let keys = [KEY.to_owned()];
        let known: Option<StoredGroup<Storm>> = self.store.group_of(case.place(), &keys).await?;
        let (thread, mut storm) = match known.filter(|stored_group| stored_group.group.goes_on(now)) {
            Some(stored_group) => (stored_group.thread, stored_group.group),
            None => {
                let id = case.claimed.thread()?;
                self.store.open_thread(&NewThread { id: id.clone(), place: case.place().clone() }, &[]).await?;
                (id, Storm::beginning_at(now))
            }
        };
        let new = self.store.list_in_storm(&thread, &listed(case)).await?;
        if !new.is_empty() {
            storm.hears_of_more(now);
            self.recheck_in(&thread, Recheck::Storm, LISTED_AFTER).await?;
        }
        self.store.keep_group(&thread, &keys, &storm).await?;
        let mut messages = vec![self.about_storm(&thread, case.place(), &storm).await?];
        let pages: BTreeSet<u32> = new.iter().map(|place| place / PAGE).filter(|page| *page < MAX_PAGES).collect();
        for page in pages {
            let first = page * PAGE;
            let names = self.store.storm_names(&thread, first, PAGE).await?;
            let message_key = format!("list-{}", page + 1);
            messages.push(DesiredMessage::reply(
                &thread,
                message_key,
                messages::storm_page(first, &names),
                "the secrets of a storm",
            ));
        }
        Ok(Completion { messages, ..Completion::default() })
    }

    async fn about_storm(&self, thread: &ThreadId, place: &Place, storm: &Storm) -> Result<DesiredMessage, StoreError> {
        let size = self.store.storm_size(thread).await?;
        let first = self.store.storm_names(thread, 0, MAX_NAMED).await?;
        let about = messages::storm(storm, size, &first, self.runner.question(place), self.store.now());
        Ok(DesiredMessage::root(thread, about, "a storm of alarms"))
    }

    /// The list as a file, where it is long; then, when the storm is over, threads for what still fails, a few a minute.
    pub(super) async fn after_storm(&self, claimed: &Claimed, thread: &ThreadId) -> Result<Completion, HandlerError> {
        let gone = HandlerError::Obsolete("its thread is gone");
        let StoredGroup { place, group: mut storm, .. } = self.store.group_in::<Storm>(thread).await?.ok_or(gone)?;
        let mut messages = Vec::new();
        let size = self.store.storm_size(thread).await?;
        if size > PAGE && storm.filed < size {
            let names = self.store.storm_names(thread, 0, MAX_LISTED).await?;
            let file = messages::storm_file(&names);
            messages.push(DesiredMessage::reply(thread, format!("file-{size}"), file, "the secrets of a storm, as a file"));
            storm.filed = size;
        }
        if let Some(wait) = storm.over_in(self.store.now()) {
            self.recheck_in(thread, Recheck::Storm, wait).await?;
        } else {
            let may_open = MAX_THREADS.saturating_sub(self.threads_of_late(&place).await?);
            let left = self.store.left_by_storm(thread, u32::try_from(may_open).unwrap_or(u32::MAX)).await?;
            for listed in &left {
                if self.still_fails(claimed, &place, listed).await? {
                    let key = format!("storm/{thread}/{}/{}", listed.alarm.identity(), listed.alarm.state_at.as_millisecond());
                    if self.intake.accept_alarm(&key, listed.alarm.clone()).await.is_err() {
                        return Err(HandlerError::RetryAfter(LOOK_AGAIN));
                    }
                    storm.still_failing = storm.still_failing.saturating_add(1);
                }
                self.store.done_with_in_storm(thread, &listed.secret).await?;
            }
            storm.is_over = self.store.left_by_storm(thread, 1).await?.is_empty();
            if !storm.is_over {
                self.recheck_in(thread, Recheck::Storm, STORM_WITHIN).await?;
            }
        }
        let _turn = self.store.deciding_turn().await?;
        if let Some(known) = self.store.group_in::<Storm>(thread).await? {
            let is_over = storm.is_over && known.group.last_at == storm.last_at;
            storm = Storm { last_at: known.group.last_at, is_over, ..storm };
        }
        self.store.keep_group(thread, &[], &storm).await?;
        messages.push(self.about_storm(thread, &place, &storm).await?);
        Ok(Completion { messages, ..Completion::default() })
    }

    /// True for a secret of a storm that has no thread, and of which nothing tells that it rotates again.
    async fn still_fails(&self, claimed: &Claimed, place: &Place, listed: &StormSecret) -> Result<bool, StoreError> {
        let alarm = &listed.alarm;
        let keys = [listed.secret.clone(), alarm.identity()];
        let known: Option<StoredGroup<AlarmGroup>> = self.store.group_of(place, &keys).await?;
        if known.is_some_and(|stored_group| stored_group.group.ended_at.is_none()) {
            return Ok(false);
        }
        let Ok(case) = AlarmContext::of(&self.config, claimed, alarm) else { return Ok(false) };
        let prefix = alarm.secret_key(&SecretRef::Name(String::new()));
        match listed.secret.strip_prefix(&prefix) {
            Some(name) => Ok(!self.works_since(&case.location, &SecretRef::Name(name.to_owned()), alarm.state_at).await?),
            None => {
                let state = self.store.alarm_state(&alarm.identity()).await?;
                Ok(state.is_none_or(|(state, _)| state == AlarmState::Alarm))
            }
        }
    }
}

/// The secrets of an alarm as a storm lists them; the alarm itself, where none is known.
fn listed(case: &AlarmContext<'_>) -> Vec<StormSecret> {
    let alarm = case.alarm;
    if case.secrets().is_empty() {
        let name = safe_format!("{}: its secret will be determined later", messages::named(alarm));
        return vec![StormSecret { secret: alarm.identity(), name, alarm: alarm.clone() }];
    }
    let named = |(key, secret): (&String, &SecretRef)| StormSecret {
        secret: key.clone(),
        name: SafeText::redact(secret.name()),
        alarm: alarm.clone(),
    };
    case.secrets().iter().map(named).collect()
}
