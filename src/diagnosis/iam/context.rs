//! What is known of a request's context keys.

use std::collections::HashMap;

/// What is known of one context key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge<'a> {
    /// Nobody said whether the key is in the request.
    Unknown,
    /// The key is not in the request.
    Absent,
    /// The key is in the request, with these values (at least one).
    Known(&'a [String]),
}

/// The context keys of a request: those with known values, and those known to be absent.
///
/// Every other key is unknown. Keys are compared without regard to case, as IAM does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Lower-cased key to its values; no value at all means absent, which IAM does not tell apart.
    keys: HashMap<String, Vec<String>>,
    /// Lower-cased beginnings of keys of which all that are in the request are known.
    complete: Vec<String>,
}

impl Context {
    /// A context in which every key is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context, with `key` known to have `value`.
    #[must_use]
    pub fn known(self, key: &str, value: impl Into<String>) -> Self {
        self.known_values(key, [value.into()])
    }

    /// The same context, with the multivalued `key` known to have exactly `values`.
    #[must_use]
    pub fn known_values(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.keys.insert(key.to_ascii_lowercase(), values.into_iter().collect());
        self
    }

    /// The same context, with `key` known not to be in the request.
    #[must_use]
    pub fn absent(self, key: &str) -> Self {
        self.known_values(key, [])
    }

    /// The same context, with no key in the request that begins with `prefix` but those that are known.
    #[must_use]
    pub fn no_other(mut self, prefix: &str) -> Self {
        self.complete.push(prefix.to_ascii_lowercase());
        self
    }

    /// What is known of `key`, which must be lower case.
    pub(super) fn get(&self, key: &str) -> Knowledge<'_> {
        match self.keys.get(key).map(Vec::as_slice) {
            None if self.complete.iter().any(|prefix| key.starts_with(prefix)) => Knowledge::Absent,
            None => Knowledge::Unknown,
            Some([]) => Knowledge::Absent,
            Some(values) => Knowledge::Known(values),
        }
    }

    /// `self` where it knows a key, `fallback` elsewhere.
    pub(super) fn or(mut self, fallback: Context) -> Context {
        for (key, values) in fallback.keys {
            self.keys.entry(key).or_insert(values);
        }
        self.complete.extend(fallback.complete);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ignore_case_and_what_was_never_mentioned_is_unknown() {
        let context = Context::new().known("AWS:SourceAccount", "111122223333").absent("aws:username");
        assert_eq!(context.get("aws:sourceaccount"), Knowledge::Known(&["111122223333".to_owned()]));
        assert_eq!(context.get("aws:username"), Knowledge::Absent);
        assert_eq!(context.get("aws:sourcevpce"), Knowledge::Unknown);
        let tagged = Context::new().known("aws:ResourceTag/team", "shop").no_other("aws:ResourceTag/");
        assert_eq!(tagged.get("aws:resourcetag/team"), Knowledge::Known(&["shop".to_owned()]));
        assert_eq!(tagged.get("aws:resourcetag/stage"), Knowledge::Absent);
        assert_eq!(tagged.get("aws:principaltag/team"), Knowledge::Unknown);
    }
}
