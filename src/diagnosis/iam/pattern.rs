//! Wildcards and policy variables.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags" and "Resource".

use super::{
    Truth,
    context::{Context, Knowledge},
};
use std::{borrow::Cow, collections::BTreeSet};

/// Which characters of a pattern are special.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${...}` is a variable. Only in policies of version 2012-10-17.
    pub(super) variables: bool,
    /// Case is ignored.
    pub(super) fold_case: bool,
}

impl Syntax {
    /// Text that means only itself.
    pub(super) const LITERAL: Syntax = Syntax { wildcards: false, variables: false, fold_case: false };
}

/// What a context key without a value, used as a variable, makes of the match.
///
/// AWS: a variable that cannot be resolved "might cause the entire statement to be invalid".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// The text does not match. Right where a match is asked for: then an invalid statement and one
    /// that does not match come to the same.
    NoMatch,
    /// Cannot be told. Needed where the *absence* of a match would make the statement apply.
    Unknown,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GlobPattern {
    pieces: Vec<GlobPiece>,
    /// The matcher itself, where the pattern holds no variable.
    constant: Option<Glob>,
    fold_case: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum GlobPiece {
    Token(GlobToken),
    Variable {
        /// Lower case.
        key: String,
        default: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GlobToken {
    Char(char),
    One,
    Any,
}

/// A pattern without variables: the characters before its first wildcard, and the rest.
#[derive(Debug, Clone, PartialEq, Default)]
struct Glob {
    prefix: String,
    rest: Vec<GlobToken>,
}

/// A malformed variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MalformedVariable;

impl GlobPattern {
    /// Compiles `text`. Fails where a variable is not closed, is empty, or has a default that is not quoted.
    pub(super) fn compile(text: &str, syntax: Syntax) -> Result<GlobPattern, MalformedVariable> {
        let folded = fold(text, syntax.fold_case);
        let mut pieces = Vec::with_capacity(folded.len());
        let mut rest = folded.as_ref();
        while let Some(character) = rest.chars().next() {
            if syntax.variables
                && let Some(after) = rest.strip_prefix("${")
            {
                let (inside, tail) = after.split_once('}').ok_or(MalformedVariable)?;
                pieces.push(variable(inside)?);
                rest = tail;
                continue;
            }
            pieces.push(GlobPiece::Token(match character {
                '*' if syntax.wildcards => GlobToken::Any,
                '?' if syntax.wildcards => GlobToken::One,
                other => GlobToken::Char(other),
            }));
            rest = rest.strip_prefix(character).unwrap_or_default();
        }
        let constant = pieces
            .iter()
            .map(|piece| match piece {
                GlobPiece::Token(token) => Some(*token),
                GlobPiece::Variable { .. } => None,
            })
            .collect::<Option<Glob>>();
        Ok(GlobPattern { pieces: if constant.is_some() { Vec::new() } else { pieces }, constant, fold_case: syntax.fold_case })
    }

    /// Whether `text` matches. Adds the keys that a variable needs and nobody knows to `missing`.
    pub(super) fn matches(&self, text: &str, context: &Context, unresolved: Unresolved, missing: &mut BTreeSet<String>) -> Truth {
        let text = fold(text, self.fold_case);
        if let Some(glob) = &self.constant {
            return glob.matches(&text).into();
        }
        match self.resolve(context) {
            Ok(glob) => glob.matches(&text).into(),
            Err(Gap::Absent(_)) if unresolved == Unresolved::NoMatch => Truth::False,
            Err(Gap::Absent(key) | Gap::Unknown(key)) => {
                missing.insert(key.to_owned());
                Truth::Unknown
            }
        }
    }

    fn resolve(&self, context: &Context) -> Result<Glob, Gap<'_>> {
        let mut glob = Glob::default();
        // An absent key decides the match for good, so it is looked for behind unknown ones too.
        let mut unknown = None;
        for piece in &self.pieces {
            match piece {
                GlobPiece::Token(token) => glob.push(*token),
                GlobPiece::Variable { key, default } => {
                    let value = match (context.get(key), default) {
                        // Only single-valued keys can be used as variables.
                        (Knowledge::Known([value]), _) => value,
                        (Knowledge::Known(_), _) | (Knowledge::Absent, None) => {
                            return Err(Gap::Absent(key));
                        }
                        (Knowledge::Absent, Some(default)) => default,
                        (Knowledge::Unknown, _) => {
                            unknown.get_or_insert(key);
                            continue;
                        }
                    };
                    // A value's own `*` and `?` are plain characters.
                    fold(value, self.fold_case).chars().for_each(|character| glob.push(GlobToken::Char(character)));
                }
            }
        }
        unknown.map_or(Ok(glob), |key| Err(Gap::Unknown(key)))
    }
}

/// Why a variable has no value.
enum Gap<'a> {
    Absent(&'a str),
    Unknown(&'a str),
}

fn variable(inside: &str) -> Result<GlobPiece, MalformedVariable> {
    // `${*}`, `${?}` and `${$}` stand for the characters themselves.
    if let Some(character) = ['*', '?', '$'].into_iter().find(|character| inside.strip_prefix(*character) == Some("")) {
        return Ok(GlobPiece::Token(GlobToken::Char(character)));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let quoted = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or(MalformedVariable)?;
            (key, Some(quoted.to_owned()))
        }
    };
    let key = key.trim().to_ascii_lowercase();
    if key.is_empty() {
        return Err(MalformedVariable);
    }
    Ok(GlobPiece::Variable { key, default })
}

fn fold(text: &str, fold_case: bool) -> Cow<'_, str> {
    if fold_case { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

impl FromIterator<GlobToken> for Glob {
    fn from_iter<T: IntoIterator<Item = GlobToken>>(tokens: T) -> Self {
        let mut glob = Glob::default();
        tokens.into_iter().for_each(|token| glob.push(token));
        glob
    }
}

impl Glob {
    fn push(&mut self, token: GlobToken) {
        match token {
            GlobToken::Char(character) if self.rest.is_empty() => self.prefix.push(character),
            _ => self.rest.push(token),
        }
    }

    /// Goes back to the last `*` only, so no input makes it exponential.
    fn matches(&self, text: &str) -> bool {
        let Some(mut text) = text.strip_prefix(self.prefix.as_str()) else {
            return false;
        };
        let mut tokens = self.rest.as_slice();
        // What follows the last `*`, and the text it has not swallowed yet.
        let mut last_star: Option<(&[GlobToken], &str)> = None;
        loop {
            let mut characters = text.chars();
            match (tokens.split_first(), characters.next()) {
                (None, None) | (Some((GlobToken::Any, [])), _) => return true,
                (Some((GlobToken::Any, after)), _) => {
                    last_star = Some((after, text));
                    tokens = after;
                }
                (_, None) => return false,
                (Some((GlobToken::One, after)), Some(_)) => {
                    tokens = after;
                    text = characters.as_str();
                }
                (Some((GlobToken::Char(wanted), after)), Some(found)) if *wanted == found => {
                    tokens = after;
                    text = characters.as_str();
                }
                _ => {
                    let Some((after, unswallowed)) = last_star else {
                        return false;
                    };
                    let mut characters = unswallowed.chars();
                    characters.next();
                    text = characters.as_str();
                    tokens = after;
                    last_star = Some((after, text));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WILDCARDS: Syntax = Syntax { wildcards: true, ..Syntax::LITERAL };
    const ALL: Syntax = Syntax { wildcards: true, variables: true, fold_case: false };

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern = GlobPattern::compile(pattern, WILDCARDS).unwrap();
        let mut missing = BTreeSet::new();
        let truth = pattern.matches(text, &Context::new(), Unresolved::NoMatch, &mut missing);
        assert!(missing.is_empty());
        truth == Truth::True
    }

    #[test]
    fn wildcards_match_as_iam_does() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("?", "", false),
            ("?", "é", true),
            ("??", "é", false),
            ("a*", "a", true),
            ("a*b", "ab", true),
            ("a*b", "acb", true),
            ("a*b", "acbc", false),
            ("*ab", "aab", true),
            ("*ab*", "xxaabyy", true),
            ("a*b*c", "abbbc", true),
            ("a*b*c", "abbb", false),
            ("*?", "", false),
            ("*?", "a", true),
            ("a**b", "ab", true),
            ("prod/db-??????", "prod/db-AbCdEf", true),
            ("prod/db-??????", "prod/db-AbCdE", false),
            ("prod/db-??????", "prod/db-replica-AbCdEf", false),
            ("prod/DB", "prod/db", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        let pattern = "*a".repeat(200);
        let text = "a".repeat(199) + "b";
        assert!(!matches(&pattern, &text));
    }

    fn resolved(pattern: &str, text: &str, unresolved: Unresolved) -> (Truth, Vec<String>) {
        let context = Context::new()
            .known("aws:PrincipalTag/team", "a*b")
            .known_values("aws:TagKeys", ["one".to_owned(), "two".to_owned()])
            .absent("aws:username");
        let mut missing = BTreeSet::new();
        let truth = GlobPattern::compile(pattern, ALL).unwrap().matches(text, &context, unresolved, &mut missing);
        (truth, missing.into_iter().collect())
    }

    #[test]
    fn variables_are_replaced_and_their_values_are_plain_text() {
        let found = |pattern, text| resolved(pattern, text, Unresolved::NoMatch).0;
        assert_eq!(found("x/${aws:PrincipalTag/TEAM}/*", "x/a*b/y"), Truth::True);
        assert_eq!(found("x/${aws:PrincipalTag/team}", "x/aXXb"), Truth::False);
        assert_eq!(found("x/${aws:username, 'any one'}", "x/any one"), Truth::True);
        assert_eq!(found("x/${aws:username,'d'}?", "x/dz"), Truth::True);
        assert_eq!(found("${*}${?}${$}", "*?$"), Truth::True);
        assert_eq!(found("${*}", "star"), Truth::False);
        assert_eq!(found("$5 and {}", "$5 and {}"), Truth::True);
    }

    #[test]
    fn a_variable_without_a_value_matches_nothing_or_leaves_the_answer_open() {
        let absent = "x/${aws:username}";
        assert_eq!(resolved(absent, "x/", Unresolved::NoMatch), (Truth::False, vec![]));
        assert_eq!(resolved(absent, "x/", Unresolved::Unknown), (Truth::Unknown, vec!["aws:username".to_owned()]));
        assert_eq!(resolved("${aws:TagKeys}", "one", Unresolved::NoMatch).0, Truth::False);
        assert_eq!(
            resolved("${aws:PrincipalTag/Unit, 'd'}", "d", Unresolved::NoMatch),
            (Truth::Unknown, vec!["aws:principaltag/unit".to_owned()])
        );
        assert_eq!(resolved("${aws:userid}${aws:username}", "x", Unresolved::NoMatch), (Truth::False, vec![]));
    }

    #[test]
    fn malformed_variables_are_refused() {
        for text in ["${aws:username", "${}", "${ , 'x'}", "${a, x}", "${a, 'x}"] {
            assert_eq!(GlobPattern::compile(text, ALL), Err(MalformedVariable), "{text}");
        }
        assert!(GlobPattern::compile("${aws:username", WILDCARDS).is_ok());
    }
}
