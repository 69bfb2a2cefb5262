//! A look, now and then, for what SNS did not deliver. What it did deliver is known already, and stays silent.

use super::intake::AlarmIntake;
use crate::alarm;
use crate::bot::access::Access;
use crate::config::Alarms;
use crate::model::AlarmSource;
use crate::store::Location;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Looks for what SNS lost.
pub struct Reconciler {
    access: Arc<Access>,
    intake: Arc<AlarmIntake>,
    alarms: Alarms,
}

impl Reconciler {
    /// Looks in the accounts of `access`, and hands what is ours to `intake`.
    #[must_use]
    pub const fn new(alarms: Alarms, access: Arc<Access>, intake: Arc<AlarmIntake>) -> Reconciler {
        Reconciler { access, intake, alarms }
    }

    /// Looks every so often, until `stop`; returns at once where the configuration does not ask for it.
    pub async fn keep_reconciling(&self, stop: CancellationToken) {
        let Some(every) = self.alarms.reconcile_every else {
            stop.cancelled().await;
            return;
        };
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            self.reconcile(every).await;
        }
    }

    /// One look at every configured account and region.
    pub async fn reconcile(&self, every: Duration) {
        let places: Vec<Location> = (self.access.known().iter())
            .filter(|known| known.account_id.is_some())
            .flat_map(|known| known.regions.iter().map(|region| Location { account: known.name.clone(), region: region.clone() }))
            .collect();
        for location in places {
            let connected = match self.access.connect(&location).await {
                Ok(connected) => connected,
                Err(error) => {
                    tracing::warn!(%error, region = %location.region, "the check for lost alarms failed");
                    continue;
                }
            };
            let looked = alarm::look(&connected.aws, &connected.clock, every).await;
            looked
                .unseen
                .iter()
                .for_each(|why| tracing::warn!(why, region = %location.region, "the check for lost alarms was incomplete"));
            for found in looked.found {
                if found.is_ours(&self.alarms) {
                    let kind = if found.alarm.source == AlarmSource::RotationEvent { "event" } else { "alarm" };
                    let key = format!("look/{kind}/{}/{}", found.alarm.key, found.alarm.state_at.as_millisecond());
                    // What could not be kept is found again by the next look.
                    let _ = self.intake.accept_alarm(&key, found.alarm).await;
                }
            }
        }
    }
}
