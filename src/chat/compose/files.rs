//! Files that go with a message.

use super::name_of;
use crate::chart;
use crate::chat::document::{Attachment, Content, Message, Part, Tone};
use crate::model::Investigation;
use crate::redact::SafeText;
use crate::report::{self, Report};
use crate::safe_format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How long a file's name may get, without its ending.
const STEM: usize = 60;

/// The report as files: JSON for programs, Markdown for a ticket.
#[must_use]
pub fn export(report: &Report) -> Message {
    let name = report.secret.name.single_line();
    let mut message = Message::line(Tone::Neutral, safe_format!("The report on {} as files", name));
    let stem = stem(&name);
    match report::json(report) {
        Ok(json) => message.attachments.push(text(format!("{stem}.json"), "the report as one JSON object", &json)),
        Err(_) => message.parts.push(Part::Caution("The report could not be written as JSON.".into())),
    }
    message.attachments.push(text(format!("{stem}.md"), "the report in Markdown, for a ticket", &report::markdown(report)));
    message
}

/// The timeline as a picture, and the way through the network where it is broken; `None` where nothing has a time, or it could not
/// be painted.
#[must_use]
pub fn chart(investigation: &Investigation) -> Option<Message> {
    let secret = name_of(investigation);
    let timeline = chart::draw(investigation, chart::Size::Wide).and_then(|chart| picture(&secret, "timeline", &chart));
    let network = network_chart(investigation);
    let title = match (&timeline, &network) {
        (Some(_), None) => safe_format!("Timeline of {}", secret),
        (Some(_), Some(_)) => safe_format!("Timeline of {}, and its way through the network", secret),
        (None, Some(_)) => safe_format!("The way of {} through the network", secret),
        (None, None) => return None,
    };
    let mut message = Message::line(Tone::Neutral, title);
    message.attachments.extend(timeline.into_iter().chain(network));
    Some(message)
}

/// The way through the network as a picture; `None` where it is not broken, or nobody looked.
#[must_use]
pub fn network_chart(investigation: &Investigation) -> Option<Attachment> {
    picture(&name_of(investigation), "network", &chart::network(investigation, chart::Size::Wide)?)
}

fn picture(secret: &SafeText, what: &str, chart: &chart::Chart) -> Option<Attachment> {
    let picture = chart::png(chart).ok()?;
    Some(Attachment {
        name: format!("{}-{what}.png", stem(secret)),
        description: chart.description().clone(),
        content: Content::Png(STANDARD.encode(picture)),
    })
}

/// A text file. It is laid out or serialized as a whole, which no composition can say of it: it is redacted again.
pub(super) fn text(name: String, description: impl Into<SafeText>, content: &str) -> Attachment {
    Attachment { name, description: description.into(), content: Content::Text(SafeText::redact(content)) }
}

/// What a file about a secret is called: its name, with dashes for what a file's name should not hold.
pub(super) fn stem(secret: &str) -> String {
    let plain: String = secret.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let plain = plain.trim_matches(['.', '-']);
    let kept: String = plain.chars().take(STEM).collect();
    if kept.is_empty() { "secret".to_owned() } else { kept }
}
