//! Who reads the secret, as a report says it. Of whoever was not seen it says that, and nothing about why.

use super::safe;
use super::sanitize::single_line;
use super::time::moment;
use crate::model::{Consumers, EventSource, Observation, SecretReader, Window};
use crate::redact::SafeText;
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
                missing: Some(safe(&missing)),
                source: None,
                seen: Vec::new(),
                rotated_at: None,
                is_whole_since: false,
                readers: Vec::new(),
                versions: Vec::new(),
            };
        };
        let reader = |reader: &SecretReader| ReportedReader {
            principal: safe(&reader.principal),
            reads_before_rotation: reader.reads_before,
            reads_since_rotation: reader.reads_since,
            has_read_since_rotation: consumers.has_read_since(reader),
            last_read_at: reader.last_read_at,
            denied: reader.denied,
            last_denied_at: reader.last_denied_at,
        };
        ReportedConsumers {
            missing: None,
            source: Some(safe(match &consumers.source {
                EventSource::TrailLogGroup(group) => group,
                EventSource::EventHistory => "event history",
            })),
            seen: consumers.seen.clone(),
            rotated_at: consumers.rotated_at,
            is_whole_since: consumers.is_whole_since,
            readers: consumers.readers.iter().map(reader).collect(),
            versions: (consumers.versions.iter())
                .map(|version| ReportedVersionAccess {
                    id: safe(&version.id),
                    labels: version.labels.iter().map(|label| safe(label)).collect(),
                    last_accessed_on: version.last_accessed_on,
                })
                .collect(),
        }
    }

    /// The readers in one sentence.
    #[must_use]
    pub fn headline(&self) -> String {
        if let Some(missing) = &self.missing {
            return format!("who reads the secret is not known: {}", single_line(missing));
        }
        let read = self.readers.iter().filter(|reader| reader.last_read_at.is_some()).count();
        let behind = self.readers.iter().filter(|reader| reader.has_read_since_rotation == Some(false)).count();
        let readers = match read {
            0 => "nobody was seen to read the secret".to_owned(),
            1 => "one principal reads the secret".to_owned(),
            count => format!("{count} principals read the secret"),
        };
        match (behind, self.rotated_at) {
            (0, _) | (_, None) => readers,
            (1, Some(_)) => format!("{readers}; one has not read it since the last rotation"),
            (count, Some(_)) => format!("{readers}; {count} have not read it since the last rotation"),
        }
    }

    /// All of it, in lines under labels.
    #[must_use]
    pub fn sections(&self, now: Timestamp) -> Vec<(&'static str, Vec<String>)> {
        if self.missing.is_some() {
            return Vec::new();
        }
        let of = |standing: Option<bool>| self.readers.iter().filter(move |reader| reader.has_read_since_rotation == standing);
        let lines = |readers: Vec<&ReportedReader>| {
            let more = readers.len().saturating_sub(NAMED);
            let mut lines: Vec<String> = readers.iter().take(NAMED).map(|reader| reads(reader, now)).collect();
            lines.extend((more > 0).then(|| format!("and {more} more")));
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
    fn span(&self, now: Timestamp) -> String {
        let source = self.source.as_ref().map(single_line).unwrap_or_default();
        let spans: Vec<String> =
            self.seen.iter().map(|span| format!("{} – {}", moment(span.from, now), moment(span.to, now))).collect();
        let spans = if spans.is_empty() { "nothing".to_owned() } else { spans.join(", ") };
        let rest = if self.is_whole_since { "" } else { "; there were more reads than are looked at" };
        format!("{spans}, in {source}{rest}; the rotation's own reads are left out")
    }
}

fn reads(reader: &ReportedReader, now: Timestamp) -> String {
    let count = if reader.reads_since_rotation > 0 { reader.reads_since_rotation } else { reader.reads_before_rotation };
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let last = reader.last_read_at.map(|at| format!(", last {}", moment(at, now))).unwrap_or_default();
    format!("{}: {times}{last}", single_line(&reader.principal))
}

fn denied(reader: &ReportedReader, now: Timestamp) -> String {
    let times = if reader.denied == 1 { "once".to_owned() } else { format!("{} times", reader.denied) };
    let last = reader.last_denied_at.map(|at| format!(", last {}", moment(at, now))).unwrap_or_default();
    format!("{}: {times}{last}", single_line(&reader.principal))
}

fn version(version: &ReportedVersionAccess) -> String {
    let labels: Vec<String> = version.labels.iter().map(single_line).collect();
    let read = match version.last_accessed_on {
        Some(at) => format!("last read {}", at.strftime("%-d %b %Y")),
        None => "never read".to_owned(),
    };
    format!("{}: {read}", labels.join(", "))
}
