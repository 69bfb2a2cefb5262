//! An alarm, whatever it came from.

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
    /// Trouble.
    Alarm,
    /// No trouble any more.
    Ok,
    /// It cannot be told.
    InsufficientData,
}

/// An alarm, parsed and authentic; its texts are the sender's, and not yet redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What told of trouble.
    pub source: AlarmSource,
    /// What a repeat shares with the first: the alarm's ARN, or what failed.
    pub key: String,
    /// The alarm's name, or a line that says what it is.
    pub title: String,
    /// The account it concerns.
    pub account_id: String,
    /// The region it concerns.
    pub region: String,
    /// The state it went to.
    pub state: AlarmState,
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
