//! One thing `serde_json` lacks without indexing: setting a member.

use serde_json::Value;

/// Sets a member; whatever is no object stays as it is.
pub(super) fn set(object: &mut Value, member: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(member.to_owned(), value.into());
    }
}
