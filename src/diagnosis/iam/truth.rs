//! The three values of an evaluation.

use std::collections::BTreeSet;

/// Kleene's three values: `Unknown` may turn out either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Truth::True } else { Truth::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}

impl Truth {
    /// True as soon as one is true; no further one is asked then.
    pub(super) fn any(values: impl IntoIterator<Item = Truth>) -> Truth {
        let mut result = Truth::False;
        for value in values {
            match value {
                Truth::True => return Truth::True,
                Truth::Unknown => result = Truth::Unknown,
                Truth::False => {}
            }
        }
        result
    }

    /// Whether `test` holds of any of `items`. What the tests write to `missing` stays there only where
    /// it left the answer open.
    pub(super) fn any_of<T>(
        items: &[T],
        missing: &mut BTreeSet<String>,
        test: impl Fn(&T, &mut BTreeSet<String>) -> Truth,
    ) -> Truth {
        let mut open = BTreeSet::new();
        let result = Truth::any(items.iter().map(|item| test(item, &mut open)));
        if result == Truth::Unknown {
            missing.append(&mut open);
        }
        result
    }

    /// False as soon as one is false; no further one is asked then.
    pub(super) fn all(values: impl IntoIterator<Item = Truth>) -> Truth {
        !Truth::any(values.into_iter().map(|value| !value))
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, False, True, Unknown};

    #[test]
    fn a_false_one_decides_a_conjunction_and_a_true_one_a_disjunction_whatever_is_unknown() {
        assert_eq!(Truth::all([Unknown, False]), False);
        assert_eq!(Truth::all([Unknown, True]), Unknown);
        assert_eq!(Truth::all([]), True);
        assert_eq!(Truth::any([Unknown, True]), True);
        assert_eq!(Truth::any([Unknown, False]), Unknown);
        assert_eq!(Truth::any([]), False);
        assert_eq!(!Unknown, Unknown);
    }
}
