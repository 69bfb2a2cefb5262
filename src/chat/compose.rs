//! From reports to messages: what people read on every platform.
//!
//! [`crate::report::wording`] has the words; this lays them out in one message per thought. The verdict stands in the
//! channel, everything else in its thread.

mod answers;
mod consumers;
mod evidence;
mod excerpt;
mod files;
mod steps;
mod thread;
mod verdict;

pub use answers::{
    MenuEntry, NearName, about, already, choose, expired, help, hint, menu, menu_of_several, no_command, not_found,
    nothing_named, notice, pasted_value, refused, several_named, unavailable, usage,
};
pub use consumers::consumers;
pub use evidence::{evidence, whole_evidence};
pub use files::{chart, export, network_chart};
pub use steps::{ended, judged, running, waiting};
pub use thread::{Thought, comparison, details, in_thread, progress, ruled_out, thoughts};
pub use verdict::{AfterVerdict, Resolved, bare_commands, tone, verdict};

use super::document::Part;
use crate::model::Investigation;
use crate::redact::SafeText;
use crate::safe_format;

/// The secret's name, or what was asked for.
fn name_of(investigation: &Investigation) -> SafeText {
    let evidence = &investigation.evidence;
    SafeText::redact(evidence.secret.found().map_or(evidence.asked.as_str(), |secret| secret.name.as_str())).single_line()
}

/// Paragraphs under a label, and how many more there are; nothing where there are none.
fn section(label: impl Into<SafeText>, mut lines: Vec<SafeText>, more: usize) -> Option<Part> {
    if lines.is_empty() {
        return None;
    }
    if more > 0 {
        lines.push(safe_format!("and {} more", more));
    }
    Some(Part::Section { label: label.into(), lines })
}
