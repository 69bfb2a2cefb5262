//! The port that a log line names.

use std::sync::LazyLock;

static PORT: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new(r"(?i)(?:\bport[ =:]+|[0-9a-z\]]:)([0-9]{3,5})\b").ok());

/// The port a line names.
pub(in crate::diagnosis) fn port_in(text: &str) -> Option<u64> {
    PORT.as_ref()?.captures(text)?.get(1)?.as_str().parse().ok()
}
