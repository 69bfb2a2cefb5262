//! Alarms are accepted.

use crate::alarm::{AcceptedNotice, KnownCertificate, Notice, NoticeIntake, OnceAMinute, Unavailable};
use crate::clock::Stopwatch;
use crate::investigation::new_id;
use crate::metrics::{AckSource, BotMetrics};
use crate::model::{Alarm, Trigger};
use crate::redact::SafeText;
use crate::safe_format;
use crate::store::{self, Audited, KeptCertificate, NewTrigger, Store};
use async_trait::async_trait;
use std::sync::Arc;

/// Alarms wait in one lane, so that a storm of them keeps no channel waiting.
pub(in crate::bot) const LANE: &str = "alarms";

/// How the audit trail calls what comes to nothing.
pub(super) const IGNORED: &str = "ignored an SNS message";

/// Keeps alarms in the inbox.
pub struct AlarmIntake {
    store: Arc<Store>,
    /// What the store does not take, for the log.
    unkept: Arc<OnceAMinute>,
    metrics: BotMetrics,
}

#[async_trait]
impl NoticeIntake for AlarmIntake {
    async fn accept(&self, message_id: &str, notice: Notice) -> Result<AcceptedNotice, Unavailable> {
        let stopwatch = Stopwatch::start();
        let (accepted, new) = match notice {
            Notice::Alarm(alarm) => (self.accept_alarm(&format!("sns/{message_id}"), *alarm).await, "accepted"),
            Notice::Ignored { reason } => (self.note_ignored(message_id, reason).await, "ignored"),
        };
        let result = match accepted {
            Ok(AcceptedNotice::New) => new,
            Ok(AcceptedNotice::Duplicate) => "duplicate",
            Err(Unavailable) => "unavailable",
        };
        self.metrics.acknowledged(AckSource::Sns, result, stopwatch.elapsed());
        accepted
    }

    async fn known_certificates(&self) -> Result<Vec<KnownCertificate>, Unavailable> {
        let kept = self.store.certificates().await.map_err(|error| {
            tracing::warn!(%error, "stored SNS certificates could not be read");
            Unavailable
        })?;
        let known =
            |kept: KeptCertificate| KnownCertificate { address: kept.address, der: kept.der, fetched_at: kept.fetched_at };
        Ok(kept.into_iter().map(known).collect())
    }

    async fn keep_certificate(&self, known: KnownCertificate) -> Result<(), Unavailable> {
        let KnownCertificate { address, der, fetched_at } = known;
        self.store.keep_certificate(&KeptCertificate { address, der, fetched_at }).await.map_err(|error| {
            tracing::warn!(%error, "an SNS certificate could not be stored");
            Unavailable
        })
    }
}

impl AlarmIntake {
    /// Keeps alarms in `store`, and counts in `metrics` what it answers; whoever works on them judges whether the configuration covers them.
    #[must_use]
    pub fn new(store: Arc<Store>, metrics: BotMetrics) -> AlarmIntake {
        AlarmIntake { store, unkept: Arc::default(), metrics }
    }

    /// Keeps an alarm, once per `key`.
    pub(super) async fn accept_alarm(&self, key: &str, alarm: Alarm) -> Result<AcceptedNotice, Unavailable> {
        let what = safe_format!("the alarm {}", SafeText::redact(&alarm.title)).cut(200);
        let entry = NewTrigger {
            key: key.to_owned(),
            origin: key.to_owned(),
            lane: LANE.to_owned(),
            subject: new_id(),
            same: None,
            trigger: Trigger::Alarm(alarm),
            what,
        };
        match self.store.accept(&entry, None).await {
            Ok(store::Accepted::New) => Ok(AcceptedNotice::New),
            Ok(_) => Ok(AcceptedNotice::Duplicate),
            Err(error) => {
                Arc::clone(&self.unkept).tell(error.to_string(), |error, more| {
                    tracing::error!(error, more, "an alarm could not be stored; its sender is asked to send it again");
                });
                Err(Unavailable)
            }
        }
    }

    async fn note_ignored(&self, subject: &str, reason: &str) -> Result<AcceptedNotice, Unavailable> {
        let line = Audited::system(IGNORED, subject, reason);
        match self.store.audit(&line).await {
            Ok(()) => Ok(AcceptedNotice::New),
            Err(error) => {
                Arc::clone(&self.unkept).tell(error.to_string(), |error, more| {
                    tracing::error!(
                        error,
                        more,
                        "an ignored message could not be recorded; its sender is asked to send it again"
                    );
                });
                Err(Unavailable)
            }
        }
    }
}
