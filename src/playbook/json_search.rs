//! Texts and numbers anywhere within a JSON value.

use serde_json::Value;

/// The first number under `key` at any depth.
pub(super) fn find_number(value: &Value, key: &str) -> Option<i64> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, field)| match field.as_i64() {
            Some(number) if name.eq_ignore_ascii_case(key) => Some(number),
            _ => find_number(field, key),
        }),
        Value::Array(items) => items.iter().find_map(|item| find_number(item, key)),
        _ => None,
    }
}

/// True when any string within `value` is `text`.
pub(super) fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, text)),
        _ => false,
    }
}

/// The first string under `key` at any depth, or the `content` of an XML-like object or list there.
pub(super) fn find_string<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| if name.eq_ignore_ascii_case(key) { first_string(field) } else { find_string(field, key) }),
        Value::Array(items) => items.iter().find_map(|item| find_string(item, key)),
        _ => None,
    }
}

fn first_string(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(fields) => fields.get("content").or_else(|| fields.get("items")).and_then(first_string),
        Value::Array(items) => items.first().and_then(first_string),
        _ => None,
    }
}
