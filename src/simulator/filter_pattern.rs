//! CloudWatch Logs filter patterns: terms, and comparisons of JSON properties.
//!
//! Source: CloudWatch Logs User Guide, "Filter pattern syntax". Regular expressions, arrays and the
//! space-delimited form are not played; such a pattern is refused as the service refuses a malformed one.

use super::wildcard;
use serde_json::Value;

/// A parsed pattern.
#[derive(Debug, PartialEq)]
pub(super) enum FilterPattern {
    Empty,
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    Json(FieldCondition),
}

#[derive(Debug, PartialEq)]
pub(super) enum FieldCondition {
    And(Vec<FieldCondition>),
    Or(Vec<FieldCondition>),
    Compare { path: Vec<String>, operator: &'static str, value: String },
    Is { path: Vec<String>, what: FieldPresence },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldPresence {
    True,
    False,
    Null,
    NotExists,
}

impl FilterPattern {
    /// `None` where the pattern is malformed, or beyond what is played here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(FilterPattern::Empty);
        }
        if text.starts_with('{') {
            let mut parser = Parser::new(text)?;
            parser.expect("{")?;
            let condition = parser.or()?;
            parser.expect("}")?;
            return parser.tokens.next().is_none().then_some(FilterPattern::Json(condition));
        }
        if text.starts_with(['[', '%']) {
            return None;
        }
        let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let (list, after) = match rest.chars().next()? {
                '?' => (&mut any, rest.strip_prefix('?')?),
                '-' => (&mut none, rest.strip_prefix('-')?),
                _ => (&mut all, rest),
            };
            let (term, after) = term(after)?;
            list.push(term);
            rest = after.trim_start();
        }
        // With a plain term beside them, `?` terms are ignored.
        if !all.is_empty() {
            any.clear();
        }
        Some(FilterPattern::Terms { all, any, none })
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            FilterPattern::Empty => true,
            FilterPattern::Terms { all, any, none } => {
                all.iter().all(|term| message.contains(term.as_str()))
                    && (any.is_empty() || any.iter().any(|term| message.contains(term.as_str())))
                    && !none.iter().any(|term| message.contains(term.as_str()))
            }
            FilterPattern::Json(condition) => {
                serde_json::from_str(message).is_ok_and(|message: Value| message.is_object() && condition.holds(&message))
            }
        }
    }
}

/// A quoted term, or one of letters, digits and underscores alone.
fn term(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut term = String::new();
        let mut rest = quoted.chars();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => term.push(rest.next()?),
                other => term.push(other),
            }
        }
        let after = rest.as_str();
        let ended = after.is_empty() || after.starts_with(char::is_whitespace);
        return (ended && !term.is_empty()).then_some((term, after));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, after) = text.split_at(end);
    (!term.is_empty() && term.chars().all(|c| c.is_alphanumeric() || c == '_')).then(|| (term.to_owned(), after))
}

impl FieldCondition {
    fn holds(&self, message: &Value) -> bool {
        match self {
            FieldCondition::And(parts) => parts.iter().all(|part| part.holds(message)),
            FieldCondition::Or(parts) => parts.iter().any(|part| part.holds(message)),
            FieldCondition::Is { path, what } => {
                let found = lookup(message, path);
                match what {
                    FieldPresence::True => found == Some(&Value::Bool(true)),
                    FieldPresence::False => found == Some(&Value::Bool(false)),
                    FieldPresence::Null => found == Some(&Value::Null),
                    FieldPresence::NotExists => found.is_none(),
                }
            }
            FieldCondition::Compare { path, operator, value } => {
                lookup(message, path).is_some_and(|found| compare(found, operator, value))
            }
        }
    }
}

fn lookup<'a>(message: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(message, |value, name| value.get(name))
}

fn compare(found: &Value, operator: &str, wanted: &str) -> bool {
    if let (Some(found), Ok(wanted)) = (found.as_f64(), wanted.parse::<f64>()) {
        return match operator {
            "=" => found == wanted,
            "!=" => found != wanted,
            "<" => found < wanted,
            "<=" => found <= wanted,
            ">" => found > wanted,
            _ => found >= wanted,
        };
    }
    let Some(found) = found.as_str() else {
        return false;
    };
    match operator {
        "=" => wildcard::matches(wanted, found),
        "!=" => !wildcard::matches(wanted, found),
        _ => false,
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<PatternToken>>,
}

#[derive(Debug, Clone, PartialEq)]
enum PatternToken {
    Mark(&'static str),
    Word(String),
    Quoted(String),
}

impl Parser {
    fn new(text: &str) -> Option<Self> {
        const MARKS: [&str; 12] = ["&&", "||", "!=", "<=", ">=", "{", "}", "(", ")", "=", "<", ">"];
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
                tokens.push(PatternToken::Mark(mark));
                rest = rest.strip_prefix(mark)?;
            } else if rest.starts_with('"') {
                let end = rest.char_indices().skip(1).find(|(_, c)| *c == '"').map(|(at, _)| at)?;
                tokens.push(PatternToken::Quoted(rest.get(1..end)?.to_owned()));
                rest = rest.get(end + 1..)?;
            } else {
                let end = rest.find(|c: char| c.is_whitespace() || "&|!=<>(){}\"".contains(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.is_empty() || word.contains(['%', '[']) {
                    return None;
                }
                tokens.push(PatternToken::Word(word.to_owned()));
                rest = after;
            }
            rest = rest.trim_start();
        }
        Some(Parser { tokens: tokens.into_iter().peekable() })
    }

    fn expect(&mut self, mark: &'static str) -> Option<()> {
        (self.tokens.next()? == PatternToken::Mark(mark)).then_some(())
    }

    fn or(&mut self) -> Option<FieldCondition> {
        let mut parts = vec![self.and()?];
        while self.tokens.next_if_eq(&PatternToken::Mark("||")).is_some() {
            parts.push(self.and()?);
        }
        Some(FieldCondition::Or(parts))
    }

    fn and(&mut self) -> Option<FieldCondition> {
        let mut parts = vec![self.comparison()?];
        while self.tokens.next_if_eq(&PatternToken::Mark("&&")).is_some() {
            parts.push(self.comparison()?);
        }
        Some(FieldCondition::And(parts))
    }

    fn comparison(&mut self) -> Option<FieldCondition> {
        if self.tokens.next_if_eq(&PatternToken::Mark("(")).is_some() {
            let inner = self.or()?;
            self.expect(")")?;
            return Some(inner);
        }
        let PatternToken::Word(path) = self.tokens.next()? else {
            return None;
        };
        let path: Vec<String> = path.strip_prefix("$.")?.split('.').map(str::to_owned).collect();
        match self.tokens.next()? {
            PatternToken::Mark(operator @ ("=" | "!=" | "<" | "<=" | ">" | ">=")) => {
                let value = match self.tokens.next()? {
                    PatternToken::Quoted(value) => value,
                    PatternToken::Word(value) => value,
                    PatternToken::Mark(_) => return None,
                };
                Some(FieldCondition::Compare { path, operator, value })
            }
            PatternToken::Word(word) => {
                let next = self.tokens.next()?;
                let what = match (word.as_str(), next) {
                    ("IS", PatternToken::Word(what)) => match what.as_str() {
                        "TRUE" => FieldPresence::True,
                        "FALSE" => FieldPresence::False,
                        "NULL" => FieldPresence::Null,
                        _ => return None,
                    },
                    ("NOT", PatternToken::Word(what)) if what == "EXISTS" => FieldPresence::NotExists,
                    _ => return None,
                };
                Some(FieldCondition::Is { path, what })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> Option<bool> {
        FilterPattern::parse(pattern).map(|pattern| pattern.matches(message))
    }

    #[test]
    fn terms_are_case_sensitive_and_combine() {
        let line = "[ERROR] ClientError: not authorized to perform: kms:Decrypt";
        for (pattern, expected) in [
            ("", true),
            ("ERROR", true),
            ("error", false),
            ("ERROR ClientError", true),
            ("ERROR Timeout", false),
            ("?Timeout ?\"not authorized\"", true),
            ("?Timeout ?Denied", false),
            ("ERROR -ClientError", false),
            ("\"kms:Decrypt\"", true),
        ] {
            assert_eq!(matches(pattern, line), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn json_properties_are_compared() {
        let line = r#"{"eventName":"RotationFailed","n":3,"a":{"b":"x-1"},"gone":null,"yes":true}"#;
        for (pattern, expected) in [
            (r#"{ $.eventName = "RotationFailed" }"#, true),
            (r#"{ $.eventName = "Rotation*" && $.n > 2 }"#, true),
            (r#"{ ($.eventName = "X") || ($.a.b = "x*" && $.n != 4) }"#, true),
            (r#"{ $.eventName != "Rotation*" }"#, false),
            (r#"{ $.n <= 2 }"#, false),
            (r#"{ $.missing NOT EXISTS }"#, true),
            (r#"{ $.gone IS NULL }"#, true),
            (r#"{ $.yes IS TRUE }"#, true),
            (r#"{ $.yes IS FALSE }"#, false),
            (r#"{ $.missing != "x" }"#, false),
        ] {
            assert_eq!(matches(pattern, line), Some(expected), "{pattern}");
        }
        assert_eq!(matches(r#"{ $.a = "b" }"#, "no JSON"), Some(false));
    }

    /// CloudTrail writes the secret in one place or in the other.
    #[test]
    fn the_deployed_metric_filters_count_each_failure_once_wherever_it_names_the_secret() {
        let template = include_str!("../../deploy/alarms.yaml");
        let patterns: Vec<&str> =
            template.lines().filter_map(|line| line.trim().strip_prefix("FilterPattern: '")?.strip_suffix('\'')).collect();
        assert_eq!(patterns.len(), 2);
        let event = |name: &str, more: &str| {
            format!(
                r#"{{"eventSource":"secretsmanager.amazonaws.com","eventName":"{name}","eventType":"AwsServiceEvent"{more}}}"#
            )
        };
        let additional = r#","additionalEventData":{"SecretId":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-1"}"#;
        let details = r#","serviceEventDetails":{"secretId":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-1"}"#;
        let both = format!("{additional}{details}");
        for (name, more, counted) in [
            ("RotationFailed", additional, [true, false]),
            ("RotationFailed", details, [false, true]),
            ("RotationFailed", both.as_str(), [true, false]),
            ("RotationFailed", "", [false, false]),
            ("RotationSucceeded", details, [false, false]),
        ] {
            let found: Vec<bool> = patterns.iter().map(|pattern| matches(pattern, &event(name, more)).unwrap()).collect();
            assert_eq!(found, counted, "{name} {more}");
        }
    }

    #[test]
    fn what_is_malformed_or_not_played_is_refused() {
        for pattern in [
            "kms:Decrypt",
            "\"open",
            "%regex%",
            "[ip, user]",
            "{ $.a = }",
            "{ $.a = \"b\"",
            "{ a = \"b\" }",
            "{ $.a[0] = \"b\" }",
        ] {
            assert_eq!(matches(pattern, ""), None, "{pattern}");
        }
    }
}
