//! Reading a call's parameters, whichever dialect they came in.

use super::WireError;
use jiff::Timestamp;
use serde_json::Value;

/// The members of one input structure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters<'a>(&'a Value);

impl<'a> Parameters<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Parameters(value)
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    /// A required member.
    pub(crate) fn required(self, name: &str) -> Result<&'a str, WireError> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            WireError::new(
                "ValidationException",
                format!(
                    "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// A whole number; the Query dialect writes numbers as text.
    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        }
    }

    pub(crate) fn flag(self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::String(text)) => text == "true",
            Some(value) => value.as_bool().unwrap_or(false),
            None => false,
        }
    }

    /// A point in time: seconds since the epoch, or ISO 8601 in the Query dialect.
    pub(crate) fn time(self, name: &str) -> Option<Timestamp> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            #[expect(clippy::cast_possible_truncation, reason = "a float in milliseconds of this millennium fits")]
            value => Timestamp::from_millisecond((value.as_f64()? * 1000.0).round() as i64).ok(),
        }
    }

    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        self.items(name).filter_map(Value::as_str).collect()
    }

    pub(crate) fn structures(self, name: &str) -> Vec<Parameters<'a>> {
        self.items(name).map(Parameters).collect()
    }

    /// The members of a list that the Query dialect numbers without a word between: `Filter.1.Name`.
    pub(crate) fn numbered(self, name: &str) -> Vec<Parameters<'a>> {
        self.by_number(name).into_iter().map(Parameters).collect()
    }

    /// The same, where they are texts: `Value.1`.
    pub(crate) fn numbered_texts(self, name: &str) -> Vec<&'a str> {
        self.by_number(name).into_iter().filter_map(Value::as_str).collect()
    }

    fn by_number(self, name: &str) -> Vec<&'a Value> {
        let members = self.0.get(name).and_then(Value::as_object).into_iter().flatten();
        let mut members: Vec<(usize, &Value)> =
            members.filter_map(|(index, member)| Some((index.parse().ok()?, member))).collect();
        members.sort_by_key(|(index, _)| *index);
        members.into_iter().map(|(_, member)| member).collect()
    }

    pub(crate) fn structure(self, name: &str) -> Option<Parameters<'a>> {
        self.0.get(name).map(Parameters)
    }

    /// Everything that was asked but where to go on, which is what a page token must belong to.
    pub(crate) fn without(self, names: &[&str]) -> Value {
        match self.0 {
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .filter(|(name, _)| !names.contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn items(self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten()
    }
}
