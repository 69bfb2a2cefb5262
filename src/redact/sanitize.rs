//! Text from AWS, made harmless: it may be read, and it can do nothing to the place it is shown in.

use super::safe_text::SafeText;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

/// How many characters without width may follow one another, such as accents stacked on a letter.
const MARKS: usize = 4;

impl SafeText {
    /// One line of visible text: white space becomes single spaces, terminal escapes go, other invisible characters show
    /// their code point. Redacted again where that changed it, as a name and its value may now stand side by side.
    #[must_use]
    pub fn single_line(&self) -> SafeText {
        let line = visible(self.as_str()).split_whitespace().collect::<Vec<_>>().join(" ");
        if line == self.as_str() { self.clone() } else { SafeText::redact(&line) }
    }

    /// Visible text, line by line as it is.
    #[must_use]
    pub fn visible_lines(&self) -> Vec<SafeText> {
        self.as_str().lines().map(|line| SafeText::redacted(visible(line).trim_end().to_owned())).collect()
    }
}

/// True for a character that changes how its neighbours are shown, or cannot be seen.
#[must_use]
pub(crate) fn is_unsafe_char(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\t' | '\n' | '\r' => shown.push(' '),
            c if is_unsafe_char(c) => {
                let _ = write!(shown, "<U+{:04X}>", u32::from(c));
            }
            _ if marks > MARKS => {}
            c => shown.push(c),
        }
    }
    shown
}

/// Leaves out what follows an ESC: a CSI sequence up to its final byte, an OSC up to BEL or ESC \, or one character.
///
/// Source: ECMA-48, sections 5.4 and 5.6.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => {
            rest.find(|c| ('@'..='~').contains(c));
        }
        Some(']' | 'P' | '^' | '_' | 'X') => {
            let mut previous = ' ';
            rest.find(|&c| c == '\u{7}' || std::mem::replace(&mut previous, c) == '\u{1b}');
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_vanish_and_invisible_characters_show_their_code_point() {
        for (text, expected) in [
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            ("a\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{7}b", "alinkb"),
            ("bell\u{7} nul\0", "bell<U+0007> nul<U+0000>"),
            ("x\u{202e}txt.exe", "x<U+202E>txt.exe"),
            ("zero\u{200b}width", "zero<U+200B>width"),
            ("filler\u{3164} joiner\u{34f} selector\u{180b}\u{e0101}", "filler<U+3164> joiner<U+034F> selector<U+180B><U+E0101>"),
            ("one\r\ntwo\tthree", "one two three"),
            ("c1 \u{9b}31m", "c1 <U+009B>31m"),
            ("日本 ünïcödé 🔒", "日本 ünïcödé 🔒"),
            ("cut \u{1b}", "cut "),
        ] {
            assert_eq!(visible(text).replace("  ", " "), expected, "{text:?}");
        }
    }

    #[test]
    fn a_thousand_accents_on_one_letter_become_a_few() {
        let shown = visible(&format!("e{}f", "\u{301}".repeat(1000)));
        assert_eq!(shown.chars().count(), 1 + MARKS + 1);
    }

    #[test]
    fn a_cut_keeps_whole_characters_and_says_that_it_cut() {
        assert_eq!(SafeText::from("日本語").cut(3).as_str(), "日本語");
        assert_eq!(SafeText::from("日本語です").cut(3).as_str(), "日本…");
        assert_eq!(SafeText::from("one two three").cut(5).as_str(), "one…");
    }

    #[test]
    fn a_value_that_comes_to_stand_behind_its_name_is_hidden() {
        let apart = SafeText::redacted("password=\u{1b}[0m\n\ntiger-Lily9".to_owned());
        assert!(!apart.single_line().as_str().contains("tiger"), "{}", apart.single_line());
    }

    #[test]
    fn a_text_is_one_line_or_the_lines_it_has() {
        let text = SafeText::from("one \t two\u{202e} \n\n three");
        assert_eq!(text.single_line().as_str(), "one two<U+202E> three");
        let lines: Vec<String> = text.visible_lines().into_iter().map(String::from).collect();
        assert_eq!(lines, ["one   two<U+202E>", "", " three"]);
    }

    #[test]
    fn parts_are_filled_in_in_order() {
        let name = SafeText::redact("prod/orders-db");
        let text = crate::safe_format!("{}: {} of {}", name, 2_usize, "three");
        assert_eq!(text.as_str(), "prod/orders-db: 2 of three");
        assert_eq!(SafeText::join(["a", "b"], " · ").as_str(), "a · b");
        assert_eq!(name.part(|name| name.trim_start_matches("prod/")).capitalized().as_str(), "Orders-db");
    }
}
