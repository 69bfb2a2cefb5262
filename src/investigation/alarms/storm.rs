//! More alarms at once than anyone reads: one message counts those that open no thread of their own.

use super::{Case, words};
use crate::alarm::{MOST_THREADS, STORM_WITHIN, Story};
use crate::investigation::Bot;
use crate::investigation::perform::Undone;
use crate::model::AlarmState;
use crate::store::{Ending, Filed, NewThread, Outgoing, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long after its last alarm a storm is over; the next one gets a message of its own.
const OVER_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Alarms that are named; the others are counted.
const MOST_NAMED: usize = 20;

/// Triggers remembered, so that one that is begun anew is not counted again.
const MOST_COUNTED: usize = 200;

/// By what a channel's storm is found again.
const KEY: &str = "storm";

/// What is known of a storm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Storm {
    pub(super) began_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) count: u32,
    /// The first of them.
    pub(super) titles: Vec<String>,
    counted: Vec<i64>,
}

impl Bot {
    /// True when this alarm would open a thread where there are too many already.
    pub(super) async fn is_storm_for(&self, case: &Case<'_>) -> Result<bool, StoreError> {
        if case.alarm.state != AlarmState::Alarm || self.threads_of_late(case).await? < MOST_THREADS {
            return Ok(false);
        }
        let known: Option<Filed<Story>> = self.store.story_of(case.place(), std::slice::from_ref(&case.alarm.key)).await?;
        Ok(known.is_none())
    }

    /// How many threads alarms opened of late; while a storm goes on, as many as there may be.
    pub(super) async fn threads_of_late(&self, case: &Case<'_>) -> Result<usize, StoreError> {
        let since = self.store.now().checked_sub(STORM_WITHIN).unwrap_or(Timestamp::MIN);
        let storm: Option<Filed<Storm>> = self.store.story_of(case.place(), &[KEY.to_owned()]).await?;
        if storm.is_some_and(|filed| filed.story.last_at >= since) {
            return Ok(MOST_THREADS);
        }
        self.store.stories_since(case.place(), since).await
    }

    /// Counts an alarm in the storm's message.
    pub(super) async fn count_in_storm(&self, case: &Case<'_>) -> Result<Ending, Undone> {
        let _turn = self.alarm_turn.lock().await;
        let now = self.store.now();
        let keys = [KEY.to_owned()];
        let known: Option<Filed<Storm>> = self.store.story_of(case.place(), &keys).await?;
        let blows = known.filter(|filed| now.duration_since(filed.story.last_at) <= OVER_AFTER);
        let (thread, mut storm) = match blows {
            Some(filed) => (filed.thread, filed.story),
            None => {
                let id = case.claimed.subject.clone();
                self.store.open_thread(&NewThread { id: id.clone(), place: case.place().clone(), alarm: None }, &[]).await?;
                (id, Storm { began_at: now, last_at: now, count: 0, titles: Vec::new(), counted: Vec::new() })
            }
        };
        let number = case.claimed.ticket.number();
        if !storm.counted.contains(&number) {
            storm.count = storm.count.saturating_add(1);
            storm.last_at = now;
            if storm.titles.len() < MOST_NAMED && !storm.titles.contains(&case.alarm.title) {
                storm.titles.push(case.alarm.title.clone());
            }
            storm.counted.push(number);
            let excess = storm.counted.len().saturating_sub(MOST_COUNTED);
            storm.counted.drain(..excess);
        }
        self.store.file_story(&thread, &keys, &storm).await?;
        let summary = Outgoing::root(&thread, words::storm(&storm, now), "a storm of alarms");
        Ok(Ending { messages: vec![summary], ..Ending::default() })
    }
}
