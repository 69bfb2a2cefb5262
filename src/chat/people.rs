//! People in texts: where an id stands for a person, and where it is only a part of another name.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSpan<'t> {
    Text(&'t str),
    /// The id of a person, which stands for itself.
    Person(&'t str),
}

impl<'t> NameSpan<'t> {
    /// What stands there.
    #[must_use]
    pub const fn text(self) -> &'t str {
        match self {
            NameSpan::Text(text) | NameSpan::Person(text) => text,
        }
    }
}

/// A text in pieces, at each of the `ids` that stands for itself: not within a word, a path or mark-up.
#[must_use]
pub fn name_spans<'t>(text: &'t str, ids: &[&str]) -> Vec<NameSpan<'t>> {
    let mut spans = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some((at, id)) = next(text, from, ids) {
        let before = text.get(done..at).filter(|before| !before.is_empty());
        spans.extend(before.map(NameSpan::Text));
        spans.push(NameSpan::Person(id));
        done = at + id.len();
        from = done;
    }
    spans.extend(text.get(done..).filter(|rest| !rest.is_empty()).map(NameSpan::Text));
    spans
}

/// The first id from `from` on; where two begin at one place, the longer.
fn next<'t>(text: &'t str, from: usize, ids: &[&str]) -> Option<(usize, &'t str)> {
    let rest = text.get(from..)?;
    let found = ids.iter().filter(|id| !id.is_empty()).flat_map(|id| rest.match_indices(*id));
    let alone = found.filter(|(at, id)| {
        let before = text.get(..from + at).and_then(|before| before.chars().next_back());
        let after = rest.get(at + id.len()..).and_then(|after| after.chars().next());
        // Mark-up says first what its id is of.
        !before.is_some_and(|c| is_of_a_name(c) || matches!(c, '&' | '!' | ':')) && !after.is_some_and(is_of_a_name)
    });
    let (at, id) = alone.min_by_key(|(at, id)| (*at, std::cmp::Reverse(id.len())))?;
    Some((from + at, id))
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_person_where_it_stands_for_itself() {
        let ids = ["42", "U1", "U12", ""];
        let marked = |text: &str| -> String {
            let span = |span: NameSpan<'_>| match span {
                NameSpan::Text(text) => text.to_owned(),
                NameSpan::Person(id) => format!("[{id}]"),
            };
            name_spans(text, &ids).into_iter().map(span).collect()
        };
        for (text, expected) in [
            ("U1 resolved this, by U12 and 42.", "[U1] resolved this, by [U12] and [42]."),
            ("42", "[42]"),
            ("42 42: (U1)", "[42] [42]: ([U1])"),
            ("prod/42 of 42-db, 42/x, x_42, 420, 142, xU1 and U123", "prod/42 of 42-db, 42/x, x_42, 420, 142, xU1 and U123"),
            ("<@42> <@!42> <@&42> <t:42:R> </diag:42>", "<@42> <@!42> <@&42> <t:42:R> </diag:42>"),
            ("", ""),
        ] {
            assert_eq!(marked(text), expected);
            assert_eq!(name_spans(text, &ids).into_iter().map(NameSpan::text).collect::<String>(), text);
        }
    }
}
