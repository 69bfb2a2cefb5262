//! What SNS did not deliver: alarms that are in ALARM, and rotations that failed, as AWS tells them when asked.

use super::resolve_secrets::of_described;
use super::rotation_event::{self, FAILURES};
use crate::aws::{Aws, AwsCaller};
use crate::clock::{self, Clock};
use crate::config::Alarms;
use crate::model::{Alarm, Observation, Window};
use jiff::SignedDuration;
use std::time::Duration;

/// How long one look may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How far back failed rotations are looked for beyond the time since the last look: CloudTrail shows them late.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// What one look brought.
#[derive(Debug, Default)]
pub struct Looked {
    pub found: Vec<LostAlarm>,
    /// What could not be looked at, for the operator.
    pub unseen: Vec<String>,
}

/// An alarm that may have got lost.
#[derive(Debug)]
pub struct LostAlarm {
    pub alarm: Alarm,
    /// What it notifies; `None` for an event, which notifies nobody by itself.
    notifies: Option<Vec<String>>,
}

impl LostAlarm {
    /// True when it would have come to us: it notifies a topic we believe, is mapped to secrets, or is a rotation's event.
    /// An account has many other alarms.
    #[must_use]
    pub fn is_ours(&self, alarms: &Alarms) -> bool {
        let topics = alarms.sns.as_ref().map(|sns| sns.topics.as_slice()).unwrap_or_default();
        self.notifies.as_ref().is_none_or(|notified| {
            notified.iter().any(|arn| topics.iter().any(|topic| topic.arn().as_str() == arn))
                || !alarms.mapped(&self.alarm.title, &self.alarm.key).is_empty()
        })
    }
}

/// Asks one account and region for what is wrong there: one request for the alarms, one for each kind of event.
pub async fn look(aws: &Aws, clock: &Clock, every: Duration) -> Looked {
    let caller = AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), false);
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    match aws.alarms_in_alarm(&caller).await {
        Observation::Found(described) => found.extend(described.into_iter().filter_map(|alarm| {
            let notifies = Some(alarm.notifies.clone());
            Some(LostAlarm { alarm: of_described(alarm)?, notifies })
        })),
        other => unseen.push(format!("alarms could not be listed ({})", other.status())),
    }
    let since = SignedDuration::try_from(every).unwrap_or(LATE).saturating_add(LATE);
    let window = Window::ending_at(clock.now(), since);
    for name in FAILURES {
        match aws.trail_records(&caller, name, window).await {
            Observation::Found(records) => {
                let events = records.iter().filter_map(|record| rotation_event::read(record).ok());
                found.extend(events.map(|alarm| LostAlarm { alarm, notifies: None }));
            }
            other => unseen.push(format!("{name} events could not be read ({})", other.status())),
        }
    }
    Looked { found, unseen }
}
