//! Who reads the secret, as a message.

use super::{name_of, section};
use crate::chat::document::{Message, Part, Tone};
use crate::model::{Consumers, Investigation, Observation};
use crate::report::ReportedConsumers;
use crate::safe_format;

/// The readers of the investigation's secret, as they were seen now.
#[must_use]
pub fn consumers(investigation: &Investigation, seen: &Observation<Consumers>) -> Message {
    let reported = ReportedConsumers::new(seen);
    let tone = if reported.missing.is_some() { Tone::Warning } else { Tone::Neutral };
    let mut message = Message::line(tone, safe_format!("{}: {}", name_of(investigation), reported.headline()));
    for (label, lines) in reported.sections(investigation.evidence.now) {
        match label {
            // What was looked at stands beneath what was seen.
            "Seen" => message.parts.push(Part::Context(lines)),
            label => message.parts.extend(section(label, lines, 0)),
        }
    }
    message
}
