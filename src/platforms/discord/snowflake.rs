//! Discord's ids.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// An id. It holds the moment it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Snowflake(NonZeroU64);

/// Source: Discord developer documentation, "Snowflakes": milliseconds since the first second of 2015.
const EPOCH_MS: i64 = 1_420_070_400_000;

impl Snowflake {
    pub(super) fn new(id: u64) -> Option<Snowflake> {
        NonZeroU64::new(id).map(Snowflake)
    }

    /// As serenity's id of a channel, a message or whatever it is.
    pub(super) fn of<T: From<NonZeroU64>>(self) -> T {
        self.0.into()
    }

    /// The first id that Discord makes at a moment; nothing for one before there was Discord.
    pub(super) fn made_by(at: Timestamp) -> Option<Snowflake> {
        let milliseconds = u64::try_from(at.as_millisecond().checked_sub(EPOCH_MS)?).ok()?;
        Snowflake::new(milliseconds.checked_mul(1 << 22)?)
    }

    /// When Discord made it.
    pub(super) fn made_at(self) -> Timestamp {
        let milliseconds = i64::try_from(self.0.get() >> 22).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(milliseconds.saturating_add(EPOCH_MS)).unwrap_or(Timestamp::MAX)
    }
}

/// A text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of Discord")]
pub(super) struct NotAnId;

impl FromStr for Snowflake {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Snowflake, NotAnId> {
        let shaped = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| shaped).map(Snowflake).ok_or(NotAnId)
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Snowflake, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        // Source: the example of Discord's documentation.
        let id: Snowflake = "175928847299117063".parse().unwrap();
        assert_eq!(id.made_at().to_string(), "2016-04-30T11:18:25.796Z");
        let first = Snowflake::made_by(id.made_at()).unwrap();
        assert!(first <= id && first.made_at() == id.made_at());
        assert_eq!(Snowflake::made_by("2014-12-31T00:00:00Z".parse().unwrap()), None);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"175928847299117063\"");
    }

    #[test]
    fn only_decimal_numbers_are_ids() {
        for text in ["", "0", "-1", "+1", " 1", "1e3", "0x1", "99999999999999999999", "1/2", "@me", "%2e"] {
            assert_eq!(text.parse::<Snowflake>(), Err(NotAnId), "{text}");
        }
    }
}
