//! What a log line means: one table of signatures, one pass over the line.
//!
//! An entry says which cause a text stands for, with samples that must and must not match. Entries are
//! ordered: of two that tell equally much, the earlier one is believed.

mod access_denied;
mod auth_plugin;
mod automaton;
mod aws_access;
mod aws_api;
mod benign;
mod db2;
mod directory;
mod document_stores;
mod drivers;
mod elasticache;
mod engine;
mod exceptions;
mod fault;
mod http;
mod influxdb;
mod line;
mod loading;
mod mysql;
mod network;
mod oracle;
mod other_stores;
mod pools;
mod postgres;
mod proxy;
mod runtime;
mod secret_content;
mod signature;
mod sqlserver;
mod state_machine;
mod templates;
mod tls;
mod tries;

pub(super) use aws_api::refused_call;

pub use access_denied::{AccessDenied, RefusingLayer};
pub use engine::engine_of;
pub use fault::Fault;
pub use signature::{LineSpecificity, Reached};

use crate::model::{Cause, RotationStep};
use automaton::Automaton;
use line::Line;
use regex::Regex;
use signature::{LineMeaning, Signature};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The tables, those that name the exact fault before those that could be read into its text.
const TABLES: &[&[Signature]] = &[
    benign::SIGNATURES,
    templates::SIGNATURES,
    influxdb::SIGNATURES,
    aws_access::SIGNATURES,
    state_machine::SIGNATURES,
    runtime::SIGNATURES,
    auth_plugin::SIGNATURES,
    loading::SIGNATURES,
    secret_content::SIGNATURES,
    pools::SIGNATURES,
    proxy::SIGNATURES,
    tls::SIGNATURES,
    directory::SIGNATURES,
    other_stores::SIGNATURES,
    db2::SIGNATURES,
    postgres::SIGNATURES,
    mysql::SIGNATURES,
    sqlserver::SIGNATURES,
    oracle::SIGNATURES,
    document_stores::SIGNATURES,
    elasticache::SIGNATURES,
    aws_api::SIGNATURES,
    network::TELEMETRY,
    http::SIGNATURES,
    network::SIGNATURES,
    drivers::SIGNATURES,
    exceptions::SIGNATURES,
];

static TABLE: LazyLock<Vec<&'static Signature>> = LazyLock::new(|| TABLES.iter().flat_map(|table| table.iter()).collect());

#[expect(clippy::expect_used, reason = "without its table every log would read as one that says nothing")]
static AUTOMATON: LazyLock<Automaton> = LazyLock::new(|| {
    let patterns = |(owner, signature): (usize, &&'static Signature)| signature.patterns.iter().map(move |one| (owner, *one));
    Automaton::new(TABLE.iter().enumerate().flat_map(patterns)).expect("every signature's patterns can be searched for")
});

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classification {
    /// The cause, or a line's label that no finding carries.
    pub cause: Cause,
    /// The rotation step that the line names, or that alone prints it.
    pub step: Option<RotationStep>,
    /// The database or directory the line is about.
    pub engine: Option<&'static str>,
    /// How much the line tells.
    pub specificity: LineSpecificity,
    /// How far the try came that failed.
    pub reached: Reached,
    /// What it is within its cause, where it wants advice of its own.
    pub fault: Option<Fault>,
}

impl Classification {
    /// How much the line says about why an invocation failed; of equals the first is believed.
    #[must_use]
    pub fn weight(&self) -> (LineSpecificity, Reached) {
        (self.specificity, self.reached)
    }
}

/// Every pattern of the table, for measuring what compiling them together saves.
pub fn patterns() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|signature| signature.patterns.iter().copied())
}

/// What `text` (one log record, possibly of several lines) stands for; `None` for a normal line.
///
/// A record in Lambda's JSON format must be unwrapped first; see [`crate::lambda_log::Record`].
#[must_use]
pub fn classify(text: &str) -> Option<Classification> {
    classify_at(text, None)
}

/// Like [`classify`], for a log event as it was written, in either of Lambda's formats; what the function did not write
/// stands for nothing.
#[must_use]
pub fn classify_event(text: &str) -> Option<Classification> {
    let record = crate::lambda_log::Record::read(text);
    if record.is_foreign {
        return None;
    }
    let level = Some(record.level).filter(|level| *level != crate::lambda_log::Level::Unstated);
    classify_at(&record.text, level)
}

/// Like [`classify`], for a record whose format states its level apart from the text.
pub(crate) fn classify_at(text: &str, level: Option<crate::lambda_log::Level>) -> Option<Classification> {
    let automaton = &*AUTOMATON;
    let mut owners = automaton.owners(text);
    let text = match owners.is_empty() {
        true => Cow::Borrowed(text),
        false => without_ids(text),
    };
    if let Cow::Owned(text) = &text {
        owners = automaton.owners(text);
    }
    let line = Line::new(&text, level);
    if owners.is_empty() {
        return unexplained(&line);
    }
    let tries = tries::of(&text);
    let told = match tries.as_slice() {
        [] | [_] => None,
        many => {
            most_specific(many.iter().filter_map(|one| classify_line(&Line::of_try(one, &line), &automaton.owners(one.text))))
        }
    };
    // A text that means something only as a whole is read as one.
    told.filter(|told| told.specificity > LineSpecificity::Marker).or_else(|| classify_line(&line, &owners))
}

/// Ids of requests and versions. Between their hyphens stand four digits now and then, which are no number of an error.
static IDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b").ok());

/// The text with ids that have no digits.
fn without_ids(text: &str) -> Cow<'_, str> {
    IDS.as_ref().map_or(Cow::Borrowed(text), |ids| ids.replace_all(text, "ffffffff-ffff-ffff-ffff-ffffffffffff"))
}

/// What a line, or one try of an event, stands for by the entries that match it.
fn classify_line(line: &Line<'_>, owners: &[usize]) -> Option<Classification> {
    let mut best: Option<Classification> = None;
    for signature in owners.iter().filter_map(|owner| TABLE.get(*owner)) {
        if best.is_some_and(|known| known.specificity > signature.specificity) {
            continue;
        }
        let cause = match signature.verdict {
            LineMeaning::Is(cause) => Some(cause),
            LineMeaning::Depends(decide) => decide(line),
        };
        let Some(cause) = cause else { continue };
        let found = Classification {
            cause,
            step: signature.step,
            engine: signature.engine,
            specificity: signature.specificity,
            reached: signature.reached(cause),
            fault: signature.fault.filter(|fault| fault.is_of(cause)).or_else(|| network::fault_of(cause, line.text)),
        };
        match best {
            Some(known) if known.weight() >= found.weight() => {}
            // What is normal needs no cause, unless something that tells as much speaks of one.
            Some(known) if cause == Cause::Benign && known.specificity == found.specificity => {}
            _ if cause == Cause::Benign => return None,
            _ => best = Some(found),
        }
    }
    let Some(best) = best else { return unexplained(line) };
    let engine = engine_of(line.text).or(best.engine).or_else(|| engine_of(line.event));
    line.states_an_error().then_some(Classification { step: line.step().or(best.step), engine, ..best })
}

/// An error that no signature knows.
fn unexplained(line: &Line<'_>) -> Option<Classification> {
    line.is_unexplained_error().then(|| Classification {
        cause: Cause::FailureMarker,
        step: line.step(),
        engine: engine_of(line.text),
        specificity: LineSpecificity::Marker,
        reached: Reached::Answer,
        fault: None,
    })
}

/// The classification that decides about an invocation: the one that tells most, the earliest of equals.
///
/// A marker that only says that something failed never wins over a line that says what.
pub fn most_specific(classifications: impl IntoIterator<Item = Classification>) -> Option<Classification> {
    classifications.into_iter().reduce(|best, next| if next.weight() > best.weight() { next } else { best })
}

/// The samples of every entry with a fault of its own.
#[cfg(test)]
pub(super) fn faulty_samples() -> impl Iterator<Item = (Fault, &'static str)> {
    let faulty = TABLE.iter().filter_map(|signature| Some((signature.fault?, signature.matches)));
    let samples = faulty.flat_map(|(fault, samples)| samples.iter().map(move |sample| (fault, *sample)));
    samples.filter(|(fault, sample)| classify(sample).is_some_and(|found| fault.is_of(found.cause)))
}

/// What every entry is to be recognised by.
#[cfg(test)]
pub(super) fn samples() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|signature| signature.matches.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_requires_a_literal() {
        for signature in TABLE.iter() {
            for pattern in signature.patterns {
                assert!(automaton::compile(pattern).is_some(), "{pattern}");
                assert!(automaton::anchors_of(pattern).is_some(), "{pattern}");
            }
        }
        LazyLock::force(&AUTOMATON);
    }

    #[test]
    fn every_signature_is_chosen_for_its_samples_and_for_no_look_alike() {
        let mut faults = Vec::new();
        for signature in TABLE.iter() {
            let expected = |text| match signature.verdict {
                LineMeaning::Is(Cause::Benign) => None,
                LineMeaning::Is(cause) => Some(cause),
                LineMeaning::Depends(decide) => decide(&Line::new(text, None)).filter(|cause| *cause != Cause::Benign),
            };
            if signature.matches.is_empty() {
                faults.push(format!("no sample: {:?}", signature.patterns));
            }
            for text in signature.matches {
                let found = classify(text).map(|found| found.cause);
                let patterns = signature.patterns.iter();
                let matched =
                    patterns.filter_map(|pattern| automaton::compile(pattern)).any(|pattern| pattern.is_match(text.as_bytes()));
                if found != expected(text) || !matched {
                    faults.push(format!("{found:?} instead of {:?} (matched: {matched}): {text}", expected(text)));
                }
            }
            for text in signature.ignores {
                let found = classify(text).map(|found| found.cause);
                if found.is_some() && found == expected(text) {
                    faults.push(format!("{found:?} for the look-alike: {text}"));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn the_line_that_tells_most_decides_and_a_marker_never_does() {
        let lines = [
            "Traceback (most recent call last):",
            "Task timed out after 30.00 seconds",
            "setSecret: Unable to log into database",
            "FATAL: password authentication failed for user \"app\"",
        ];
        let decided = most_specific(lines.into_iter().filter_map(classify)).unwrap();
        assert_eq!(decided.cause, Cause::DbAuthFailed);
        let decided = most_specific(lines.into_iter().take(2).filter_map(classify)).unwrap();
        assert_eq!(decided.cause, Cause::TimeoutAmbiguous);
    }

    #[test]
    fn four_digits_of_an_id_are_no_number_of_an_error() {
        for id in [
            "c8295430-7c9d-4060-bb57-c8b6babffabc",
            "c8295430-1045-4c9d-bb57-c8b6babffabc",
            "C8295430-7c9d-4c1f-8a06-012345678901",
        ] {
            let line = format!(
                "[ERROR]\t2026-12-01T12:50:29.593Z\t{id}\tsetSecret: Unable to log into database with previous, current, or pending \
                 secret of secret arn a"
            );
            assert_eq!(classify(&line).map(|found| found.cause), Some(Cause::DbLoginAmbiguous), "{line}");
        }
        let said = "[ERROR] c8295430-7c9d-4060-bb57-c8b6babffabc error 4060: the login cannot open the database";
        assert_eq!(classify(said).map(|found| found.cause), Some(Cause::DbNameMissing));
    }
}
