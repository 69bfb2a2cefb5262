//! Which secrets may be asked about.

use wildmatch::WildMatchPattern;

/// A secret's name in which `*` stands for any characters; a `?` stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretPattern(WildMatchPattern<'*', '\0'>);

// It holds characters and a flag, whose equality is total.
impl Eq for SecretPattern {}

impl SecretPattern {
    /// The pattern `text`.
    #[must_use]
    pub fn new(text: &str) -> SecretPattern {
        SecretPattern(WildMatchPattern::new(text))
    }

    /// True when `name` fits the whole pattern.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
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
            ("a?c", "abc", false),
            ("a?c", "a?c", true),
        ] {
            assert_eq!(SecretPattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }
}
