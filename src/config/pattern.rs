//! Which secrets may be asked about.

/// A secret's name in which `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPattern(String);

impl SecretPattern {
    /// The pattern `text`.
    #[must_use]
    pub fn new(text: String) -> SecretPattern {
        SecretPattern(text)
    }

    /// True when `name` fits the whole pattern.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::SecretPattern;

    #[test]
    fn a_star_stands_for_any_characters_and_the_rest_for_itself() {
        for (pattern, name, expected) in [
            ("prod/*", "prod/orders-db", true),
            ("prod/*", "prod/", true),
            ("prod/*", "preprod/x", false),
            ("*", "anything", true),
            ("prod/orders", "prod/orders", true),
            ("prod/orders", "prod/orders-db", false),
            ("*-db", "prod/orders-db", true),
            ("*/orders-*", "eu/prod/orders-db", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(SecretPattern::new(pattern.to_owned()).matches(name), expected, "{pattern} {name}");
        }
    }
}
