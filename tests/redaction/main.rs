//! No secret leaves, and no diagnosis is lost: what redaction must hide and what it must leave alone.

#![expect(clippy::unwrap_used, reason = "a test stops at broken test data")]

mod counted;
mod extent;
mod hidden;
mod hostile;
mod kept;
mod lines;
mod pasted;
mod properties;
mod reported;
mod structures;
mod vendors;

use rotation_diag::redact::SafeText;

fn redacted(text: &str) -> String {
    SafeText::redact(text).as_str().to_owned()
}
