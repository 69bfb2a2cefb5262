//! A message as it was delivered.

use crate::config::Topic;
use jiff::Timestamp;

/// What the envelope tells about the message in it.
pub(super) struct Delivered<'a> {
    pub(super) topic: &'a Topic,
    pub(super) sent_at: Timestamp,
    pub(super) subject: Option<&'a str>,
}
