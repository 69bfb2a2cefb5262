//! A few words with moments in them, kept as moments for as long as somebody may show them in a reader's own time.

use super::time::moment;
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    Text(SafeText),
    /// A moment, and how it reads in UTC for those who know no reader's time.
    Moment {
        at: Timestamp,
        utc: SafeText,
    },
}

/// A few words that stand in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phrase(Vec<Span>);

impl Phrase {
    /// The phrase with `words` behind it.
    #[must_use]
    pub fn and(mut self, words: impl Into<SafeText>) -> Phrase {
        self.0.push(Span::Text(words.into()));
        self
    }

    /// The phrase with a moment behind it; its year is named where it is not that of `now`.
    #[must_use]
    pub fn at(mut self, at: Timestamp, now: Timestamp) -> Phrase {
        self.0.push(Span::Moment { at, utc: moment(at, now) });
        self
    }

    /// Its parts, in order.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// The phrase as text, its moments in UTC.
    #[must_use]
    pub fn in_utc(&self) -> SafeText {
        let texts = self.0.iter().map(|span| match span {
            Span::Text(text) | Span::Moment { utc: text, .. } => text,
        });
        SafeText::join(texts, "")
    }
}

impl From<SafeText> for Phrase {
    fn from(words: SafeText) -> Phrase {
        Phrase::default().and(words)
    }
}

impl From<&'static str> for Phrase {
    fn from(words: &'static str) -> Phrase {
        Phrase::default().and(words)
    }
}

/// Phrases as one line, with dots between.
#[must_use]
pub fn line_in_utc(phrases: &[Phrase]) -> SafeText {
    let shown: Vec<SafeText> = phrases.iter().map(Phrase::in_utc).filter(|text| !text.trim().is_empty()).collect();
    SafeText::join(shown, " · ").single_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_reads_in_utc_and_keeps_its_moments() {
        let at: Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
        let phrase = Phrase::from("failing since ").at(at, at).and(" (3 attempts)");
        assert_eq!(phrase.in_utc().as_str(), "failing since Sun 22 Nov 05:00 UTC (3 attempts)");
        assert_eq!(
            line_in_utc(&[Phrase::from("Confirmed"), Phrase::from(" "), phrase.clone()]).as_str(),
            "Confirmed · failing since Sun 22 Nov 05:00 UTC (3 attempts)"
        );
        let read: Phrase = serde_json::from_str(&serde_json::to_string(&phrase).unwrap()).unwrap();
        assert_eq!(read, phrase);
        assert!(matches!(read.spans(), [Span::Text(_), Span::Moment { at: read, .. }, Span::Text(_)] if *read == at));
    }
}
