//! A text with a few changes.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What is done to a text.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(Index, char),
    Insert(Index, &'static str),
    Remove(Index),
    /// A part is there so many times more.
    Repeat(Index, usize, usize),
    Cut(Index),
}

/// What means something to one reader or another.
const TELLING: [&str; 32] = [
    "\"",
    "\\",
    "\\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "/",
    "*",
    "?",
    "${",
    "$",
    "%",
    "<",
    ">",
    "&",
    "|",
    "\n",
    "\r\n",
    "\t",
    "\0",
    " ",
    "\u{202e}",
    "\u{200b}",
    "é",
    "𝄞",
    "null",
    "-1",
    "1e999",
    "START RequestId: ",
];

impl Mutation {
    fn apply(&self, chars: &mut Vec<char>) {
        if chars.is_empty() {
            return;
        }
        match self {
            Mutation::Replace(at, c) => *at.get_mut(chars) = *c,
            Mutation::Insert(at, text) => {
                let at = at.index(chars.len());
                chars.splice(at..at, text.chars());
            }
            Mutation::Remove(at) => drop(chars.remove(at.index(chars.len()))),
            Mutation::Repeat(at, length, times) => {
                let from = at.index(chars.len());
                let part: Vec<char> = chars[from..].iter().take(*length).copied().collect();
                chars.splice(from..from, part.repeat(*times));
            }
            Mutation::Cut(at) => chars.truncate(at.index(chars.len())),
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), any::<char>()).prop_map(|(at, c)| Mutation::Replace(at, c)),
        6 => (at(), select(TELLING.to_vec())).prop_map(|(at, text)| Mutation::Insert(at, text)),
        3 => at().prop_map(Mutation::Remove),
        2 => (at(), 1..30_usize, 1..40_usize).prop_map(|(at, length, times)| Mutation::Repeat(at, length, times)),
        1 => at().prop_map(Mutation::Cut),
    ]
}

/// One of `seeds` with up to five changes, or none.
pub(crate) fn mutated(seeds: Vec<String>) -> impl Strategy<Value = String> {
    (select(seeds), prop::collection::vec(mutation(), 0..6)).prop_map(|(seed, mutations)| {
        let mut chars: Vec<char> = seed.chars().collect();
        mutations.iter().for_each(|mutation| mutation.apply(&mut chars));
        chars.into_iter().collect()
    })
}
