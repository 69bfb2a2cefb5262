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
mod http;
mod influxdb;
mod line;
mod loading;
mod mysql;
mod network;
mod oracle;
mod other_stores;
mod postgres;
mod proxy;
mod runtime;
mod secret_content;
mod signature;
mod sqlserver;
mod state_machine;
mod templates;
mod tls;

pub use access_denied::{AccessDenied, Layer};
pub use engine::engine_of;
pub use signature::Specificity;

use crate::model::{Cause, RotationStep};
use automaton::Automaton;
use line::Line;
use signature::{Signature, Verdict};
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
    http::SIGNATURES,
    network::SIGNATURES,
    drivers::SIGNATURES,
    exceptions::SIGNATURES,
];

static TABLE: LazyLock<Vec<&'static Signature>> = LazyLock::new(|| TABLES.iter().flat_map(|table| table.iter()).collect());

static AUTOMATON: LazyLock<Option<Automaton>> = LazyLock::new(|| {
    Automaton::new(
        TABLE.iter().enumerate().flat_map(|(owner, signature)| signature.patterns.iter().map(move |pattern| (owner, *pattern))),
    )
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
    pub specificity: Specificity,
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

/// Like [`classify`], for a log event as it was written, in either of Lambda's formats.
#[must_use]
pub fn classify_event(text: &str) -> Option<Classification> {
    let record = crate::lambda_log::Record::read(text);
    let level = Some(record.level).filter(|level| *level != crate::lambda_log::Level::Unstated);
    classify_at(&record.text, level)
}

/// Like [`classify`], for a record whose format states its level apart from the text.
pub(crate) fn classify_at(text: &str, level: Option<crate::lambda_log::Level>) -> Option<Classification> {
    let line = Line::new(text, level);
    let owners = AUTOMATON.as_ref()?.owners(text);
    let mut best: Option<(Cause, &Signature)> = None;
    for signature in owners.iter().filter_map(|owner| TABLE.get(*owner)) {
        if best.is_some_and(|(_, known)| known.specificity >= signature.specificity) {
            continue;
        }
        let cause = match signature.verdict {
            Verdict::Is(cause) => Some(cause),
            Verdict::Depends(decide) => decide(&line),
        };
        match cause {
            Some(Cause::Benign) => return None,
            Some(cause) => best = Some((cause, signature)),
            None => {}
        }
    }
    let found = match best {
        Some(_) if !line.states_an_error() => None,
        Some((cause, signature)) => Some(Classification {
            cause,
            step: line.step().or(signature.step),
            engine: engine_of(text).or(signature.engine),
            specificity: signature.specificity,
        }),
        None if line.is_unexplained_error() => Some(Classification {
            cause: Cause::FailureMarker,
            step: line.step(),
            engine: engine_of(text),
            specificity: Specificity::Marker,
        }),
        None => None,
    };
    found.filter(|found| found.cause != Cause::Benign)
}

/// The classification that decides about an invocation: the one that tells most, the earliest of equals.
///
/// A marker that only says that something failed never wins over a line that says what.
pub fn most_specific(classifications: impl IntoIterator<Item = Classification>) -> Option<Classification> {
    classifications.into_iter().reduce(|best, next| match next.specificity > best.specificity {
        true => next,
        false => best,
    })
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
        assert!(AUTOMATON.is_some());
    }

    #[test]
    fn every_signature_is_chosen_for_its_samples_and_for_no_look_alike() {
        let mut faults = Vec::new();
        for signature in TABLE.iter() {
            let expected = |text| match signature.verdict {
                Verdict::Is(Cause::Benign) => None,
                Verdict::Is(cause) => Some(cause),
                Verdict::Depends(decide) => decide(&Line::new(text, None)).filter(|cause| *cause != Cause::Benign),
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
}
