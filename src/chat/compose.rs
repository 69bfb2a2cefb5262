//! From reports to messages: what people read on every platform.
//!
//! [`crate::report::wording`] has the words; this lays them out in one message per thought. The verdict stands in the
//! channel, everything else in its thread.

mod answers;
mod evidence;
mod files;
mod steps;
mod thread;
mod verdict;

pub use answers::{already, choose, expired, help, notice, refused, unavailable, usage};
pub use evidence::evidence;
pub use files::export;
pub use steps::{ended, running, waiting};
pub use thread::{comparison, details, progress};
pub use verdict::{Resolved, Standing, verdict};

use super::document::Part;
use crate::redact::SafeText;

/// The only way text enters a message.
fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

/// Paragraphs under a label, and how many more there are; nothing where there are none.
fn section(label: &str, lines: &[String], more: usize) -> Option<Part> {
    let mut lines: Vec<SafeText> = lines.iter().map(|line| safe(line)).collect();
    if lines.is_empty() {
        return None;
    }
    if more > 0 {
        lines.push(safe(&format!("and {more} more")));
    }
    Some(Part::Section { label: safe(label), lines })
}

#[cfg(test)]
mod tests;
