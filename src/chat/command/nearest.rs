//! The command that somebody may have meant.

use super::typed;
use crate::model::{ActionWord, Lookback, StepName};

/// What people say instead of them.
const OTHER_WORDS: [(&str, &str); 29] = [
    ("again", "rerun"),
    ("re-run", "rerun"),
    ("recheck", "rerun"),
    ("redo", "rerun"),
    ("refresh", "rerun"),
    ("repeat", "rerun"),
    ("restart", "rerun"),
    ("retry", "rerun"),
    ("run", "rerun"),
    ("status", "rerun"),
    ("extend", "widen"),
    ("wider", "widen"),
    ("log", "evidence"),
    ("logs", "evidence"),
    ("proof", "evidence"),
    ("show", "evidence"),
    ("step", "evidence"),
    ("diff", "compare"),
    ("readers", "consumers"),
    ("reads", "consumers"),
    ("usage", "consumers"),
    ("who", "consumers"),
    ("follow", "watch"),
    ("monitor", "watch"),
    ("download", "export"),
    ("report", "export"),
    ("close", "resolve"),
    ("fixed", "resolve"),
    ("solved", "resolve"),
];

/// The step that most want to see: the function's log.
const USUAL_STEP: StepName = StepName::FunctionLogs;

/// The command that `words` come closest to, as it is written; `None` where none is near.
#[must_use]
pub fn nearest(words: &str) -> Option<String> {
    let words: Vec<String> = typed::words(words).iter().map(|word| word.to_ascii_lowercase()).collect();
    let first = words.iter().find(|word| *word != "/rotation-diag")?;
    let letters = first.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let letters: String = letters.chars().take_while(|c| c.is_ascii_alphabetic() || *c == '-').collect();
    let command = command_like(letters.trim_end_matches('-'))?;
    let text = words.join(" ");
    let number = number_in(&text);
    let step = number.and_then(|number| StepName::from_number(u8::try_from(number).ok()?));
    Some(match command {
        "rerun" => step.map_or_else(|| command.to_owned(), |step| format!("{command} {}", step.number())),
        "evidence" => format!("{command} {}", step.unwrap_or(USUAL_STEP).number()),
        "widen" => format!("{command} {}d", reach_in(&text, number).hours() / 24),
        _ => command.to_owned(),
    })
}

fn command_like(word: &str) -> Option<&'static str> {
    if let Some((_, command)) = OTHER_WORDS.iter().find(|(other, _)| *other == word) {
        return Some(command);
    }
    let distance = |command: &&str| strsim::damerau_levenshtein(word, command);
    let commands = ActionWord::ALL.into_iter().map(|word| word.word()).chain(["help"]);
    let near = commands.min_by_key(distance)?;
    // One slip in a short word, two in a long one.
    let most = if near.len() <= 5 { 1 } else { 2 };
    (distance(&near) <= most).then_some(near)
}

fn number_in(text: &str) -> Option<u32> {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The smallest reach that covers what was said.
fn reach_in(text: &str, number: Option<u32>) -> Lookback {
    let unit = [("week", 7), ("month", 30), ("quarter", 90), ("year", 365)].into_iter().find(|(word, _)| text.contains(word));
    let days = number.unwrap_or(1).saturating_mul(unit.map_or(1, |(_, days)| days));
    let wide = |lookback: &Lookback| *lookback > Lookback::Day && lookback.hours() >= i64::from(days).saturating_mul(24);
    Lookback::ALL.into_iter().find(wide).unwrap_or(Lookback::Quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_a_command_is_known_for_it() {
        for (words, expected) in [
            ("rerun4", "rerun 4"),
            ("rerun-4", "rerun 4"),
            ("retry", "rerun"),
            ("retry step 5 please", "rerun 5"),
            ("rerrun 12", "rerun"),
            ("evidence4", "evidence 4"),
            ("evidnce 9", "evidence 9"),
            ("logs", "evidence 4"),
            ("widen to 30 days", "widen 30d"),
            ("widen30d", "widen 30d"),
            ("widen 2 weeks", "widen 30d"),
            ("widen", "widen 7d"),
            ("widen a year", "widen 90d"),
            ("compair", "compare"),
            ("Wach", "watch"),
            ("exprot", "export"),
            ("resolved", "resolve"),
            ("/rotation-diag resovle", "resolve"),
            ("hepl", "help"),
            ("status", "rerun"),
        ] {
            assert_eq!(nearest(words).as_deref(), Some(expected), "{words}");
        }
    }

    #[test]
    fn what_is_far_from_every_command_is_not_guessed_at() {
        for words in ["thanks", "ok", "yes please", "👍", "", "4", "hello", "orders-db", "great"] {
            assert_eq!(nearest(words), None, "{words}");
        }
    }
}
