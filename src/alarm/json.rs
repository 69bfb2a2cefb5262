//! Reading JSON whose shape somebody else decides.

use serde_json::Value;

/// The text at `key`, where it is one and not empty.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The objects of a list; none where it is no list.
pub(super) fn objects(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten().filter(|item| item.is_object())
}
