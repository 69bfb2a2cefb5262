//! Which of several names somebody may have meant.

use std::cmp::Ordering;

/// How like a name has to be to the one that was written, from 0 to 1, to be offered in its place.
const OFFERED: f64 = 0.8;

/// The name that was probably meant by `written`; `None` where none is like it.
#[must_use]
pub fn probably_meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.into_iter().min_by(|one, other| more_like(written, one, other))?;
    (strsim::jaro_winkler(nearest, written) > OFFERED).then_some(nearest)
}

/// Orders two names, the one that is more like `written` first.
#[must_use]
pub fn more_like(written: &str, one: &str, other: &str) -> Ordering {
    strsim::jaro_winkler(other, written).total_cmp(&strsim::jaro_winkler(one, written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_offered_and_none_that_is_another_word() {
        let known = ["default_region", "default_account", "slack"];
        assert_eq!(probably_meant("defaultregion", known), Some("default_region"));
        assert_eq!(probably_meant("slak", known), Some("slack"));
        assert_eq!(probably_meant("kubernetes", known), None);
        assert_eq!(probably_meant("slack", []), None);
        let mut names = ["prod/orders", "test/users", "prod/order-db"];
        names.sort_by(|one, other| more_like("prod/orders-db", one, other));
        assert_eq!(names.last(), Some(&"test/users"));
    }
}
