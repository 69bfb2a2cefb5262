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

pub use answers::{
    NearName, about, already, choose, expired, help, no_command, not_found, notice, pasted_value, refused, unavailable, usage,
};
pub use evidence::{evidence, whole_evidence};
pub use files::{chart, export, network_chart};
pub use steps::{ended, running, waiting};
pub use thread::{comparison, details, progress};
pub use verdict::{Resolved, Standing, verdict};

use super::document::Part;
use crate::model::Investigation;
use crate::redact::SafeText;
use crate::report::sanitize::single_line;

/// The only way text enters a message.
fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

/// The secret's name, or what was asked for.
fn name_of(investigation: &Investigation) -> String {
    let evidence = &investigation.evidence;
    single_line(&safe(evidence.secret.found().map_or(evidence.asked.as_str(), |secret| secret.name.as_str())))
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
