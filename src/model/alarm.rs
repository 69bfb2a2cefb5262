//! An alarm, whatever it came from.

use super::region::{AccountId, Region};
use super::secret_ref::SecretRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What told of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmSource {
    /// A CloudWatch alarm's state change, by its own notification or through EventBridge.
    CloudWatch,
    /// CloudTrail's event of a rotation, through EventBridge.
    RotationEvent,
    /// An event of AWS Health, through EventBridge.
    Health,
    /// A check of AWS Config or of Security Hub, about one secret.
    Check,
    /// Text or an object of somebody's own, published to the topic.
    Text,
}

/// The state an alarm went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    Alarm,
    /// No trouble any more.
    Ok,
    /// It cannot be told.
    InsufficientData,
}

/// What an alarm that is OK rests on: how much that says about what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OkBasis {
    /// It was measured, or is all that is known.
    #[default]
    Measured,
    /// There was no data. A failure is counted when it happens; that nothing is counted afterwards says nothing.
    NoData,
    /// Secrets Manager says that a rotation succeeded.
    Rotated,
    /// The secret has a new current version: a rotation made it, or a person wrote it.
    NewVersion,
}

/// One of the series of an alarm on a query that groups; CloudWatch calls it a contributor, and tells of each by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmSeries {
    /// CloudWatch's id of it, the same whenever the alarm tells of it.
    pub id: String,
    /// Its attributes, for people, such as `SecretId=prod/orders-db`.
    pub name: String,
}

/// An alarm, parsed and authentic; its texts are the sender's, and not yet redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What told of trouble.
    pub source: AlarmSource,
    /// What a repeat shares with the first: the alarm's ARN, or what failed.
    pub key: String,
    /// The one of its series it tells of; `None` for the alarm as a whole.
    #[serde(default)]
    pub series: Option<AlarmSeries>,
    /// The alarm's name, or a line that says what it is.
    pub title: String,
    /// The account it concerns.
    pub account_id: AccountId,
    /// The region it concerns.
    pub region: Region,
    /// The state it went to.
    pub state: AlarmState,
    /// What it rests on that it is OK; of no meaning in another state.
    #[serde(default)]
    pub basis: OkBasis,
    /// When it went there, by its own time; arrival says nothing.
    pub state_at: Timestamp,
    /// Why, in the sender's words.
    pub reason: String,
    /// The sender's description of the alarm.
    pub description: String,
    /// Secrets named in its dimensions, tags, description or detail.
    pub secrets: Vec<SecretRef>,
    /// Functions named in its dimensions: names or ARNs.
    pub functions: Vec<String>,
    /// The names or ARNs of the alarms a composite one is made of, those that set it off first.
    #[serde(default)]
    pub children: Vec<String>,
    /// What is wrong with the alarm itself, such as a metric that does not exist.
    pub remarks: Vec<String>,
    /// The topic it came through; `None` where a periodic look found it.
    pub topic: Option<String>,
}

/// Between an alarm's key and its series.
///
/// Source: CloudWatch API reference, `PutMetricAlarm`: an alarm's name contains no ASCII control characters.
const SERIES: char = '\n';

impl Alarm {
    /// One name per secret of the alarm's account and region, whether it is named or given by its ARN.
    #[must_use]
    pub fn secret_key(&self, secret: &SecretRef) -> String {
        format!("secret:{}/{}/{}", self.account_id, self.region, secret.name())
    }

    /// What its state is kept by: each of its series has one of its own.
    #[must_use]
    pub fn identity(&self) -> String {
        match &self.series {
            Some(series) => format!("{}{SERIES}{}", self.key, series.id),
            None => self.key.clone(),
        }
    }

    /// True for an alarm as a whole when `identity` is that of one of its series.
    #[must_use]
    pub fn has_series(&self, identity: &str) -> bool {
        self.series.is_none() && identity.strip_prefix(self.key.as_str()).is_some_and(|rest| rest.starts_with(SERIES))
    }

    /// True when it says something about what failed: that it goes on, or was measured or reported to be over.
    #[must_use]
    pub const fn is_telling(&self) -> bool {
        match self.state {
            AlarmState::Alarm => true,
            AlarmState::Ok => matches!(self.basis, OkBasis::Measured | OkBasis::Rotated),
            AlarmState::InsufficientData => false,
        }
    }
}
