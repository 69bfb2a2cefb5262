//! Alarms are accepted, and subscriptions confirmed.

use super::LANE;
use crate::alarm::{Accepted, KnownCertificate, Notice, NoticeIntake, Scope, Subscriptions, Unavailable};
use crate::bot::Bot;
use crate::config::Topic;
use crate::investigation::new_id;
use crate::model::{Alarm, Observation, SecretRef, Trigger};
use crate::redact::SafeText;
use crate::store::{self, Audited, KeptCertificate, Location, NewTrigger};
use async_trait::async_trait;
use std::sync::Arc;

/// Keeps alarms in the inbox.
pub struct AlarmIntake(pub Arc<Bot>);

/// Confirms subscriptions with the account's role.
pub struct Subscriber(pub Arc<Bot>);

#[async_trait]
impl NoticeIntake for AlarmIntake {
    async fn accept(&self, message_id: &str, notice: Notice) -> Result<Accepted, Unavailable> {
        match notice {
            Notice::Alarm(alarm) => self.0.accept_alarm(&format!("sns/{message_id}"), *alarm).await,
            Notice::Ignored { reason } => self.0.note_ignored(message_id, reason).await,
        }
    }

    async fn known_certificates(&self) -> Result<Vec<KnownCertificate>, Unavailable> {
        let kept = self.0.store.certificates().await.map_err(|error| {
            tracing::warn!(%error, "stored SNS certificates could not be read");
            Unavailable
        })?;
        let known =
            |kept: KeptCertificate| KnownCertificate { address: kept.address, der: kept.der, fetched_at: kept.fetched_at };
        Ok(kept.into_iter().map(known).collect())
    }

    async fn keep_certificate(&self, known: KnownCertificate) -> Result<(), Unavailable> {
        let KnownCertificate { address, der, fetched_at } = known;
        self.0.store.keep_certificate(&KeptCertificate { address, der, fetched_at }).await.map_err(|error| {
            tracing::warn!(%error, "an SNS certificate could not be stored");
            Unavailable
        })
    }
}

impl Bot {
    /// Keeps an alarm, once per `key`; one out of scope is recorded as ignored.
    pub(super) async fn accept_alarm(&self, key: &str, alarm: Alarm) -> Result<Accepted, Unavailable> {
        if let Err(reason) = Scope::of(&self.config, &alarm) {
            return self.note_ignored(key, &reason.to_string()).await;
        }
        let what = SafeText::redact(&format!("the alarm {}", alarm.title)).cut(200);
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
            Ok(store::Accepted::New) => Ok(Accepted::New),
            Ok(_) => Ok(Accepted::Duplicate),
            Err(error) => {
                Arc::clone(&self.unkept).tell(error.to_string(), |error, more| {
                    tracing::error!(error, more, "an alarm could not be stored; its sender is asked to send it again");
                });
                Err(Unavailable)
            }
        }
    }

    async fn note_ignored(&self, subject: &str, reason: &str) -> Result<Accepted, Unavailable> {
        let line = Audited::system("ignored an SNS message", subject, reason);
        match self.store.audit(&line).await {
            Ok(()) => Ok(Accepted::New),
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

#[async_trait]
impl Subscriptions for Subscriber {
    async fn confirm(&self, topic: &Topic, token: &str) -> Result<(), String> {
        let arn = topic.arn();
        let account = self.0.accounts.known().iter().find(|known| known.account_id.as_deref() == Some(arn.account_id()));
        let choice = Location { account: account.and_then(|known| known.name.clone()), region: arn.region().to_owned() };
        let purpose = SecretRef::Name(String::from("alarm"));
        let connected = self.0.accounts.connect(&choice, &purpose).await.map_err(|error| error.to_string())?;
        match connected.aws.confirm_subscription(arn.as_str(), token).await {
            Observation::Found(()) => Ok(()),
            Observation::Denied(denial) => Err(format!("the permission {} is missing", denial.action)),
            other => Err(format!("AWS did not confirm it ({})", other.status())),
        }
    }
}
