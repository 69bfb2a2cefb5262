//! Who reads a secret's value, as CloudTrail and Secrets Manager tell.

use super::evidence::EventSource;
use super::window::Window;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The readers of a secret, in the spans that were looked at. The rotation's own reads are not among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consumers {
    pub source: EventSource,
    /// The spans of which every read was seen, oldest first.
    pub seen: Vec<Window>,
    /// The last rotation that finished.
    pub rotated_at: Option<Timestamp>,
    /// True where every read since then was seen: only then does absence show anything.
    pub is_whole_since: bool,
    /// Those who read it last come first.
    pub readers: Vec<SecretReader>,
    /// When the versions were last read, to the day.
    pub versions: Vec<VersionAccess>,
}

/// One principal that read the secret, or tried to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReader {
    /// Such as `role orders-app`, of all its sessions.
    pub principal: String,
    /// Its reads before the last rotation, among those that were seen.
    pub reads_before: u64,
    /// Its reads since the last rotation; all of them where none is known.
    pub reads_since: u64,
    pub last_read_at: Option<Timestamp>,
    /// How often it was refused.
    pub denied: u64,
    pub last_denied_at: Option<Timestamp>,
}

impl Consumers {
    /// Whether `reader` has read the value since the last rotation; `None` where that was not seen.
    #[must_use]
    pub fn has_read_since(&self, reader: &SecretReader) -> Option<bool> {
        match (reader.reads_since, self.rotated_at) {
            (_, None) => None,
            (0, Some(_)) => self.is_whole_since.then_some(false),
            (_, Some(_)) => Some(true),
        }
    }
}

/// When a version was last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionAccess {
    pub id: String,
    /// Its staging labels.
    pub labels: Vec<String>,
    /// To the day; `None` where it was never read.
    pub last_accessed_on: Option<Timestamp>,
}
