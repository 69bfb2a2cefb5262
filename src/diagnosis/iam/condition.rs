//! Conditions: one operator, one context key, the policy's values.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for
//! multivalued context keys" and "Evaluation logic for multiple context keys or values".

use super::{
    Truth,
    arn::ArnPattern,
    context::{Context, Knowledge},
    operator::{Operator, OperatorKind, Quantifier, Relation},
    pattern::{GlobPattern, Syntax, Unresolved},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use std::{collections::BTreeSet, net::IpAddr};

/// One key under one operator of a `Condition` element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    /// Lower case.
    key: String,
    operator: Operator,
    test: Test,
}

/// The policy's values, ready to be compared. Any of them may match.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text(Vec<GlobPattern>),
    Arn(Vec<ArnPattern>),
    Number(Relation, Vec<f64>),
    Date(Relation, Vec<Timestamp>),
    /// Base64, without its padding.
    Binary(Vec<String>),
    Ip(Vec<AddressRange>),
    /// Whether the key must be absent.
    Null(Vec<bool>),
}

impl Condition {
    /// Compiles one key's values under an operator; `variables` says whether the policy's version
    /// knows variables. The error says what is wrong.
    pub(super) fn compile(operator: &str, key: &str, values: &Value, variables: bool) -> Result<Condition, String> {
        let parsed = Operator::parse(operator).ok_or_else(|| format!("unknown condition operator {operator}"))?;
        let values = texts(values).ok_or_else(|| format!("{operator} {key}: neither a value nor a list of values"))?;
        let test = Test::compile(parsed.kind, &values, variables)
            .ok_or_else(|| format!("{operator} {key}: a value the operator cannot compare"))?;
        Ok(Condition { key: key.to_ascii_lowercase(), operator: parsed, test })
    }

    /// Whether the condition holds. Adds what is unknown, and would have been needed, to `missing`.
    pub(super) fn holds(&self, context: &Context, missing: &mut BTreeSet<String>) -> Truth {
        let values = match context.get(&self.key) {
            Knowledge::Unknown => {
                missing.insert(self.key.clone());
                return Truth::Unknown;
            }
            Knowledge::Absent => return self.holds_without_key(),
            Knowledge::Known(values) => values,
        };
        let Operator { quantifier, negated, .. } = self.operator;
        let mut compare = |value: &String| {
            let matched = self.test.matches(value, negated, context, missing);
            if negated { !matched } else { matched }
        };
        match quantifier {
            // "ForAllValues also returns true if the key values resolve to an empty data set, such
            // as an empty string."
            Quantifier::ForAllValues if values.iter().all(String::is_empty) => Truth::True,
            Quantifier::ForAllValues => Truth::all(values.iter().map(compare)),
            Quantifier::ForAnyValue => Truth::any(values.iter().map(compare)),
            // Written for single-valued keys. Of several values one match decides, either way.
            Quantifier::Single if negated => Truth::all(values.iter().map(compare)),
            Quantifier::Single => Truth::any(values.iter().map(&mut compare)),
        }
    }

    fn holds_without_key(&self) -> Truth {
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&true).into();
        }
        let holds = self.operator.if_exists
            || match self.operator.quantifier {
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => false,
                Quantifier::Single => self.operator.negated,
            };
        holds.into()
    }
}

impl Test {
    fn compile(kind: OperatorKind, values: &[String], variables: bool) -> Option<Test> {
        let values = values.iter().map(String::as_str);
        let syntax = Syntax { variables, ..Syntax::LITERAL };
        Some(match kind {
            OperatorKind::Text { wildcards, fold_case } => {
                let syntax = Syntax { wildcards, fold_case, ..syntax };
                Test::Text(collect(values, |text| GlobPattern::compile(text, syntax).ok())?)
            }
            OperatorKind::Bool => {
                let syntax = Syntax { fold_case: true, ..syntax };
                Test::Text(collect(values, |text| GlobPattern::compile(text, syntax).ok())?)
            }
            OperatorKind::Arn => {
                let syntax = Syntax { wildcards: true, ..syntax };
                Test::Arn(collect(values, |text| ArnPattern::compile(text, syntax).ok())?)
            }
            OperatorKind::Number(relation) => Test::Number(relation, collect(values, number)?),
            OperatorKind::Date(relation) => Test::Date(relation, collect(values, date)?),
            OperatorKind::Binary => Test::Binary(collect(values, |text| Some(binary(text).to_owned()))?),
            OperatorKind::Ip => Test::Ip(collect(values, AddressRange::parse)?),
            OperatorKind::Null => Test::Null(collect(values, boolean)?),
        })
    }

    /// Whether the request's value matches any of the policy's. A value of another type matches none.
    fn matches(&self, value: &str, negated: bool, context: &Context, missing: &mut BTreeSet<String>) -> Truth {
        let unresolved = if negated { Unresolved::Unknown } else { Unresolved::NoMatch };
        match self {
            Test::Text(patterns) => {
                Truth::any_of(patterns, missing, |pattern, missing| pattern.matches(value, context, unresolved, missing))
            }
            Test::Arn(patterns) => {
                Truth::any_of(patterns, missing, |pattern, missing| pattern.matches(value, context, unresolved, missing))
            }
            Test::Number(relation, numbers) => compare(*relation, number(value), numbers).into(),
            Test::Date(relation, dates) => compare(*relation, date(value), dates).into(),
            Test::Binary(blobs) => blobs.iter().any(|blob| blob == binary(value)).into(),
            Test::Ip(networks) => {
                value.parse().is_ok_and(|address| networks.iter().any(|network| network.contains(address))).into()
            }
            // The key exists.
            Test::Null(wanted) => wanted.contains(&false).into(),
        }
    }
}

/// The values of a condition. JSON's booleans and numbers count as their text.
fn texts(values: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match values {
        Value::Array(values) => values.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn collect<'a, T>(values: impl Iterator<Item = &'a str>, parse: impl Fn(&'a str) -> Option<T>) -> Option<Vec<T>> {
    values.map(parse).collect()
}

fn compare<T: PartialOrd>(relation: Relation, request: Option<T>, policy: &[T]) -> bool {
    request.is_some_and(|request| policy.iter().any(|policy| relation.holds(&request, policy)))
}

fn boolean(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// A W3C form of ISO 8601 (UTC where it names no offset), or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

fn binary(base64: &str) -> &str {
    base64.trim_end_matches('=')
}

/// An address range in CIDR notation. An address without a prefix length is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AddressRange {
    address: IpAddr,
    prefix: u32,
}

impl AddressRange {
    fn parse(text: &str) -> Option<AddressRange> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(AddressRange { address, prefix })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = u32::from(own) ^ u32::from(other);
                differing.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = u128::from(own) ^ u128::from(other);
                differing.leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
