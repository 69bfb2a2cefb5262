//! All patterns at once: one pass finds the literals that patterns require, and only the patterns whose
//! literal occurs are tried. A normal line is therefore read once, and by no regular expression.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};
use std::sync::OnceLock;

/// A literal shorter than this would occur in every other line.
pub(super) const SHORTEST_ANCHOR: usize = 4;

/// Words of nearly every line: no anchor, where the pattern requires anything else.
const COMMON: &[&str] = &[
    "secret",
    "password",
    "connect",
    "connection",
    "database",
    "requestid:",
    "function",
    "lambda",
    "user",
    "server",
    "error",
    "exception",
    "environment variable",
    "rotation",
    "version",
    "code",
    "role",
    "account",
    "with",
    "from",
    "step",
];

/// A table from which no automaton can be built, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadTable {
    #[error("the pattern {0:?} is malformed, or requires no literal of {SHORTEST_ANCHOR} bytes")]
    Pattern(&'static str),
    #[error("the table has too many patterns or literals")]
    TooLarge,
}

pub(super) struct Automaton {
    anchors: AhoCorasick,
    /// By anchor: the patterns that require it.
    required_by: Vec<Vec<u16>>,
    patterns: Vec<Pattern>,
}

struct Pattern {
    owner: usize,
    source: &'static str,
    /// Compiled when its literal first occurs.
    compiled: OnceLock<Option<Regex>>,
}

impl Automaton {
    /// Builds the automaton over `(owner, pattern)` pairs.
    ///
    /// # Errors
    /// [`BadTable`]: one pattern that is left out would be a fault that nobody recognises.
    pub(super) fn new(sources: impl Iterator<Item = (usize, &'static str)>) -> Result<Automaton, BadTable> {
        let mut anchors: Vec<Vec<u8>> = Vec::new();
        let mut required_by: Vec<Vec<u16>> = Vec::new();
        let mut patterns = Vec::new();
        for (owner, source) in sources {
            let number = u16::try_from(patterns.len()).map_err(|_| BadTable::TooLarge)?;
            for anchor in anchors_of(source).ok_or(BadTable::Pattern(source))? {
                let anchor = anchor.to_ascii_lowercase();
                match anchors.iter().position(|known| *known == anchor).and_then(|at| required_by.get_mut(at)) {
                    Some(numbers) => numbers.push(number),
                    None => {
                        anchors.push(anchor);
                        required_by.push(vec![number]);
                    }
                }
            }
            patterns.push(Pattern { owner, source, compiled: OnceLock::new() });
        }
        let anchors = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&anchors)
            .map_err(|_| BadTable::TooLarge)?;
        Ok(Automaton { anchors, required_by, patterns })
    }

    /// The owners of the patterns that match `text`, ascending, each once.
    pub(super) fn owners(&self, text: &str) -> Vec<usize> {
        let mut candidates: Vec<u16> = Vec::new();
        for found in self.anchors.find_overlapping_iter(text) {
            if let Some(numbers) = self.required_by.get(found.pattern().as_usize()) {
                candidates.extend(numbers);
            }
        }
        if candidates.is_empty() {
            return Vec::new();
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut owners: Vec<usize> = Vec::new();
        for pattern in candidates.into_iter().filter_map(|number| self.patterns.get(usize::from(number))) {
            if owners.last() != Some(&pattern.owner) && pattern.is_match(text) {
                owners.push(pattern.owner);
            }
        }
        owners
    }
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| compile(self.source)).as_ref().is_some_and(|regex| regex.is_match(text.as_bytes()))
    }
}

/// Bytes and ASCII classes: a word boundary next to an umlaut must not cost a slower engine.
pub(super) fn compile(source: &str) -> Option<Regex> {
    RegexBuilder::new(source).case_insensitive(true).multi_line(true).unicode(false).build().ok()
}

/// The literals one of which occurs in every text that `source` matches; `None` if there are none.
pub(super) fn anchors_of(source: &str) -> Option<Vec<Vec<u8>>> {
    let tree = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(source).ok()?;
    required(&tree).filter(|anchors| shortest(anchors) >= SHORTEST_ANCHOR)
}

fn required(tree: &Hir) -> Option<Vec<Vec<u8>>> {
    match tree.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(group) => required(&group.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => required(&repeated.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|anchors| selectivity(anchors)),
        HirKind::Alternation(branches) => {
            branches.iter().map(required).collect::<Option<Vec<_>>>().map(|sets| sets.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// The longer the shortest of the literals, the rarer they are, but for the common words.
fn selectivity(anchors: &[Vec<u8>]) -> usize {
    let is_common = |anchor: &Vec<u8>| {
        let word = anchor.trim_ascii().to_ascii_lowercase();
        COMMON.iter().any(|common| common.as_bytes() == word)
    };
    match shortest(anchors) {
        length if length >= SHORTEST_ANCHOR && anchors.iter().any(is_common) => SHORTEST_ANCHOR - 1,
        length if length < SHORTEST_ANCHOR => 0,
        length => length,
    }
}

fn shortest(anchors: &[Vec<u8>]) -> usize {
    anchors.iter().map(Vec::len).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_of_a_pattern_is_the_longest_literal_it_requires() {
        for (pattern, anchors) in [
            ("ab password (?:failed|refused)", vec!["ab password "]),
            (r"\b28P01\b", vec!["28P01"]),
            ("(?:connect ETIMEDOUT|socket hang up)", vec!["connect ETIMEDOUT", "socket hang up"]),
            ("x?longer", vec!["longer"]),
        ] {
            let found = anchors_of(pattern).unwrap();
            let found: Vec<_> = found.iter().map(|a| std::str::from_utf8(a).unwrap()).collect();
            assert_eq!(found, anchors, "{pattern}");
        }
        assert_eq!(anchors_of("a?b?.*"), None);
    }

    #[test]
    fn a_pattern_that_could_never_be_found_is_refused_by_name() {
        for bad in ["connection (refused", "a?b?.*", "[z-a]longer"] {
            let table = [(0, "connection refused"), (1, bad)];
            assert_eq!(Automaton::new(table.into_iter()).err(), Some(BadTable::Pattern(bad)));
        }
        assert_eq!(Automaton::new([(7, "connection refused")].into_iter()).unwrap().owners("Connection REFUSED"), [7]);
    }
}
