//! What SNS did not deliver: alarms that are in ALARM, and rotations that failed, as AWS tells them when asked.

use super::rotation_event::{self, FAILURES};
use super::to_secrets::of_described;
use crate::aws::{Asker, Aws};
use crate::clock::{self, Clock};
use crate::model::{Alarm, Observation, Window};
use jiff::SignedDuration;
use std::time::Duration;

/// How long one look may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How far back failed rotations are looked for beyond the time since the last look: CloudTrail shows them late.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// Asks one account and region for what is wrong there: one request for the alarms, one for each kind of event.
///
/// # Errors
/// What could not be looked at, for the operator; nothing follows from it.
pub async fn look(aws: &Aws, clock: &Clock, every: Duration) -> (Vec<Alarm>, Vec<String>) {
    let asker = Asker::new(*clock, clock::deadline(DEADLINE), false);
    let (mut alarms, mut unseen) = (Vec::new(), Vec::new());
    match aws.alarms_in_alarm(&asker).await {
        Observation::Found(described) => alarms.extend(described.into_iter().filter_map(of_described)),
        other => unseen.push(format!("alarms could not be listed ({})", other.status())),
    }
    let since = SignedDuration::try_from(every).unwrap_or(LATE).saturating_add(LATE);
    let window = Window::ending_at(clock.now(), since);
    for name in FAILURES {
        match aws.trail_records(&asker, name, window).await {
            Observation::Found(records) => {
                alarms.extend(records.iter().filter_map(|record| rotation_event::read(record).ok()));
            }
            other => unseen.push(format!("{name} events could not be read ({})", other.status())),
        }
    }
    (alarms, unseen)
}
