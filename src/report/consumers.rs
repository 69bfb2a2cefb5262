//! Who reads the secret, as a report says it. Of whoever was not seen it says that, and nothing about why.

use super::time::moment;
use crate::model::{Consumers, EventSource, Observation, SecretReader, Window};
use crate::redact::SafeText;
use crate::safe_format;
use jiff::Timestamp;
use serde::Serialize;

/// How many readers of a kind the texts name; the JSON form has all.
const NAMED: usize = 12;

/// The readers of a secret, or why they are not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedConsumers {
    /// Why nothing is known; then the rest is empty.
    pub missing: Option<SafeText>,
    /// The call that reads the events.
    pub source: Option<SafeText>,
    /// The spans of which every read was seen.
    pub seen: Vec<Window>,
    /// The last rotation that finished.
    pub rotated_at: Option<Timestamp>,
    /// Whether every read since then was seen.
    pub is_whole_since: bool,
    /// Those who read it last come first.
    pub readers: Vec<ReportedReader>,
    pub versions: Vec<ReportedVersionAccess>,
}

/// One principal that read the secret, or tried to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedReader {
    pub principal: SafeText,
    /// Among the spans that were seen.
    pub reads_before_rotation: u64,
    pub reads_since_rotation: u64,
    /// `None` where it was not seen whether.
    pub has_read_since_rotation: Option<bool>,
    pub last_read_at: Option<Timestamp>,
    pub denied: u64,
    pub last_denied_at: Option<Timestamp>,
}

/// When a version was last read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedVersionAccess {
    pub id: SafeText,
    /// Its staging labels.
    pub labels: Vec<SafeText>,
    /// To the day.
    pub last_accessed_on: Option<Timestamp>,
}

impl ReportedConsumers {
    /// Redacts what was seen of the readers.
    #[must_use]
    pub fn new(seen: &Observation<Consumers>) -> ReportedConsumers {
        let Some(consumers) = seen.found() else {
            let missing = seen.missing().unwrap_or_else(|| "there is no such secret".to_owned());
            return ReportedConsumers {
                missing: Some(SafeText::redact(&missing)),
                source: None,
                seen: Vec::new(),
                rotated_at: None,
                is_whole_since: false,
                readers: Vec::new(),
                versions: Vec::new(),
            };
        };
        let reader = |reader: &SecretReader| ReportedReader {
            principal: SafeText::redact(&reader.principal),
            reads_before_rotation: reader.reads_before,
            reads_since_rotation: reader.reads_since,
            has_read_since_rotation: consumers.has_read_since(reader),
            last_read_at: reader.last_read_at,
            denied: reader.denied,
            last_denied_at: reader.last_denied_at,
        };
        ReportedConsumers {
            missing: None,
            source: Some(match &consumers.source {
                EventSource::TrailLogGroup(group) => SafeText::redact(group),
                EventSource::EventHistory => "event history".into(),
            }),
            seen: consumers.seen.clone(),
            rotated_at: consumers.rotated_at,
            is_whole_since: consumers.is_whole_since,
            readers: consumers.readers.iter().map(reader).collect(),
            versions: (consumers.versions.iter())
                .map(|version| ReportedVersionAccess {
                    id: SafeText::redact(&version.id),
                    labels: version.labels.iter().map(|label| SafeText::redact(label)).collect(),
                    last_accessed_on: version.last_accessed_on,
                })
                .collect(),
        }
    }

    /// The readers in one sentence.
    #[must_use]
    pub fn headline(&self) -> SafeText {
        if let Some(missing) = &self.missing {
            return safe_format!("who reads the secret is not known: {}", missing.single_line());
        }
        let read = self.readers.iter().filter(|reader| reader.last_read_at.is_some()).count();
        let behind = self.readers.iter().filter(|reader| reader.has_read_since_rotation == Some(false)).count();
        let readers: SafeText = match read {
            0 => "nobody was seen to read the secret".into(),
            1 => "one principal reads the secret".into(),
            count => safe_format!("{} principals read the secret", count),
        };
        match (behind, self.rotated_at) {
            (0, _) | (_, None) => readers,
            (1, Some(_)) => safe_format!("{}; one has not read it since the last rotation", readers),
            (count, Some(_)) => safe_format!("{}; {} have not read it since the last rotation", readers, count),
        }
    }

    /// All of it, in lines under labels.
    #[must_use]
    pub fn sections(&self, now: Timestamp) -> Vec<(&'static str, Vec<SafeText>)> {
        if self.missing.is_some() {
            return Vec::new();
        }
        let of = |standing: Option<bool>| self.readers.iter().filter(move |reader| reader.has_read_since_rotation == standing);
        let lines = |readers: Vec<&ReportedReader>| {
            let more = readers.len().saturating_sub(NAMED);
            let mut lines: Vec<SafeText> = readers.iter().take(NAMED).map(|reader| reads(reader, now)).collect();
            lines.extend((more > 0).then(|| safe_format!("and {} more", more)));
            lines
        };
        let read = |reader: &&ReportedReader| reader.last_read_at.is_some();
        let unsure = if self.rotated_at.is_some() { "Not seen to have read since" } else { "Readers" };
        let mut sections = vec![
            ("Have not read since the last rotation", lines(of(Some(false)).filter(read).collect())),
            (unsure, lines(of(None).filter(read).collect())),
            ("Have read since the last rotation", lines(of(Some(true)).filter(read).collect())),
            ("Denied", self.readers.iter().filter(|reader| reader.denied > 0).take(NAMED).map(|one| denied(one, now)).collect()),
            ("Versions", self.versions.iter().filter(|version| !version.labels.is_empty()).map(version).collect()),
            ("Seen", vec![self.span(now)]),
        ];
        sections.retain(|(_, lines)| !lines.is_empty());
        sections
    }

    /// Which reads were seen at all.
    fn span(&self, now: Timestamp) -> SafeText {
        let source = self.source.as_ref().map(SafeText::single_line).unwrap_or_default();
        let spans: Vec<SafeText> =
            self.seen.iter().map(|span| safe_format!("{} – {}", moment(span.from, now), moment(span.to, now))).collect();
        let spans = if spans.is_empty() { "nothing".into() } else { SafeText::join(spans, ", ") };
        let rest = if self.is_whole_since { "" } else { "; there were more reads than are looked at" };
        safe_format!("{}, in {}{}; the rotation's own reads are left out", spans, source, rest)
    }
}

fn reads(reader: &ReportedReader, now: Timestamp) -> SafeText {
    let count = if reader.reads_since_rotation > 0 { reader.reads_since_rotation } else { reader.reads_before_rotation };
    counted(reader, count, reader.last_read_at, now)
}

fn denied(reader: &ReportedReader, now: Timestamp) -> SafeText {
    counted(reader, reader.denied, reader.last_denied_at, now)
}

/// Who, how often, and when last.
fn counted(reader: &ReportedReader, count: u64, last: Option<Timestamp>, now: Timestamp) -> SafeText {
    let times: SafeText = if count == 1 { "once".into() } else { safe_format!("{} times", count) };
    let last = last.map(|at| safe_format!(", last {}", moment(at, now))).unwrap_or_default();
    safe_format!("{}: {}{}", reader.principal.single_line(), times, last)
}

fn version(version: &ReportedVersionAccess) -> SafeText {
    let labels = version.labels.iter().map(SafeText::single_line);
    let read: SafeText = match version.last_accessed_on {
        Some(at) => SafeText::redact(&format!("last read {}", at.strftime("%-d %b %Y"))),
        None => "no read recorded".into(),
    };
    safe_format!("{}: {}", SafeText::join(labels, ", "), read)
}
