//! A text as a reader sees it: without what is invisible, in plain letters.
//!
//! A name such as `password` is the same name with a soft hyphen in it, in full width letters, with a colour of the terminal
//! around it, or as an escape of JSON. Patterns are matched on the view; what is hidden is hidden in the text itself.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::run_end;

/// The plain form of a text, and where each byte of it is from.
pub(super) struct View<'t> {
    pub(super) plain: Cow<'t, str>,
    /// For each byte of `plain`, and for its end, the place in the text; `None` where both are the same.
    origins: Option<Vec<usize>>,
}

impl<'t> View<'t> {
    pub(super) fn of(text: &'t str) -> View<'t> {
        let is_plain = |byte: &u8| byte.is_ascii() && *byte != ESCAPE;
        if text.as_bytes().iter().all(is_plain) && !has_escapes(text) {
            return View { plain: Cow::Borrowed(text), origins: None };
        }
        let mut plain = String::with_capacity(text.len());
        let mut origins = Vec::with_capacity(text.len() + 1);
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (shown, length) = next(rest);
            if let Some(char) = shown {
                plain.push(char);
                origins.resize(plain.len(), at);
            }
            at += length.max(1);
        }
        origins.push(text.len());
        View { plain: Cow::Owned(plain), origins: Some(origins) }
    }

    /// The range of the text that a range of the view is from.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        match &self.origins {
            None => range,
            Some(origins) => {
                let of = |at: usize| origins.get(at).or(origins.last()).copied().unwrap_or(at);
                of(range.start)..of(range.end)
            }
        }
    }
}

const ESCAPE: u8 = 0x1b;

/// Whether a text holds escapes that [`next`] reads: `\u0070`, `\x1b[0m`, `\033[0m`, `\e[0m`.
fn has_escapes(text: &str) -> bool {
    text.match_indices('\\').any(|(at, _)| {
        let after = text.as_bytes().get(at + 1);
        after.is_some_and(|byte| matches!(byte, b'u' | b'x' | b'0' | b'e' | b'U'))
    })
}

/// The next character as it is seen, `None` where nothing is seen, and the bytes it takes.
fn next(rest: &str) -> (Option<char>, usize) {
    let Some(char) = rest.chars().next() else { return (None, 0) };
    let length = char.len_utf8();
    match char {
        '\u{1b}' => (None, length + control_sequence(rest, length, true)),
        '\u{9b}' => (None, length + parameters(rest, length)),
        '\\' => escaped(rest).unwrap_or((Some(char), length)),
        _ if char.is_ascii() => (Some(char), length),
        _ => (seen(char), length),
    }
}

/// The length of a control sequence of a terminal behind its escape character (ECMA-48, 5.4 and 5.6).
fn control_sequence(rest: &str, at: usize, takes_other: bool) -> usize {
    const MAX_BYTES: usize = 256;
    match rest.as_bytes().get(at) {
        Some(b'[') => 1 + parameters(rest, at + 1),
        Some(b']') => {
            let body = rest.as_bytes().get(at..).unwrap_or_default();
            let end = body.iter().take(MAX_BYTES).position(|byte| matches!(*byte, 0x07 | ESCAPE));
            end.map_or(1, |end| end + if body.get(end) == Some(&ESCAPE) { 2 } else { 1 })
        }
        Some(byte) if takes_other && byte.is_ascii_graphic() => 1,
        _ => 0,
    }
}

/// The length of the parameters and the final letter of a control sequence.
fn parameters(rest: &str, at: usize) -> usize {
    let end = run_end(rest, at, |byte| byte.is_ascii_digit() || b";:?".contains(&byte));
    let ends = rest.as_bytes().get(end).is_some_and(|byte| (0x40..=0x7e).contains(byte));
    if ends { end + 1 - at } else { 0 }
}

/// An escape as JSON, Python, a shell and JavaScript write it, where it stands for a letter, a digit or nothing that is seen. Others are left as
/// they are, because what they stand for (quotes, line breaks) belongs to the structure of the text.
fn escaped(rest: &str) -> Option<(Option<char>, usize)> {
    let code = |start: usize, digits: usize| {
        let hex = rest.get(start..start + digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        Some((u32::from_str_radix(hex, 16).ok()?, start + digits))
    };
    let (code, length) = match rest.as_bytes().get(1)? {
        b'u' if rest.as_bytes().get(2) == Some(&b'{') => {
            let end = rest.get(3..)?.find('}').filter(|digits| *digits <= 6)?;
            (u32::from_str_radix(rest.get(3..3 + end)?, 16).ok()?, 3 + end + 1)
        }
        b'u' => code(2, 4)?,
        b'U' => code(2, 8)?,
        b'x' => code(2, 2)?,
        b'0' if rest.get(2..4) == Some("33") => (0x1b, 4),
        b'e' if rest.as_bytes().get(2) == Some(&b'[') => (0x1b, 2),
        _ => return None,
    };
    // Two halves of a character outside the basic plane.
    let (code, length) = match code {
        0xd800..=0xdbff => {
            let low = rest.get(length..length + 6)?.strip_prefix("\\u")?;
            let low = u32::from_str_radix(low, 16).ok().filter(|low| (0xdc00..=0xdfff).contains(low))?;
            (0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00), length + 6)
        }
        _ => (code, length),
    };
    if code == u32::from(ESCAPE) {
        let sequence = control_sequence(rest, length, false);
        return Some((None, length + sequence));
    }
    let char = char::from_u32(code)?;
    match if char.is_ascii() { Some(char) } else { seen(char) } {
        None => Some((None, length)),
        Some(seen) if seen.is_ascii_alphanumeric() || seen == ' ' || b"_-=:.@/+".contains(&u8::try_from(seen).unwrap_or(0)) => {
            Some((Some(seen), length))
        }
        Some(_) => None,
    }
}

/// A character outside ASCII as the plain one it is read as; `None` where it is not seen at all.
///
/// Sources: Unicode Standard, Default_Ignorable_Code_Point and White_Space; the halfwidth and fullwidth forms, mathematical
/// and enclosed letters by their block; of Unicode's confusables (UTS 39), the letters of Greek and Cyrillic that look like
/// Latin ones.
fn seen(char: char) -> Option<char> {
    const SAME_LOOK: [(&str, &str); 3] = [
        ("аеорсухіѕјһԁԛԝӏѵԍԃ", "aeopcyxisjhdqwlvgd"),
        ("АВЕКМНОРСТУХІЅЈԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXISJQWABEZHIKMNOPTYX"),
        ("οανıſɑɡɩƅŀᴏᴡᴠᴢΚℓ⁄∕：﹕﹦＝ꞌ", "oavisagiblowvzKl//::==\'"),
    ];
    let code = u32::from(char);
    let letter = |offset: u32, first: u8| char::from_u32(u32::from(first) + offset);
    match code {
        // Soft hyphen, joiners, fillers, marks of direction, variation selectors, tags, combining marks.
        0xad
        | 0x34f
        | 0x61c
        | 0x115f
        | 0x1160
        | 0x17b4
        | 0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x206f
        | 0x3164
        | 0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xfff9..=0xfffb
        | 0xe0000..=0xe0fff
        | 0x300..=0x36f
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x20d0..=0x20ff
        | 0x80..=0x84
        | 0x86..=0x9f => None,
        0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000 => Some(' '),
        0xff01..=0xff5e => letter(code - 0xff01, b'!'),
        0x2010..=0x2015 | 0x2212 => Some('-'),
        0x2018 | 0x2019 | 0x201b => Some('\''),
        0x201c | 0x201d | 0x201f => Some('"'),
        // Mathematical alphabets of 52 letters each, with digits at the end.
        0x1d400..=0x1d6a3 => {
            let place = (code - 0x1d400) % 52;
            if place < 26 { letter(place, b'A') } else { letter(place - 26, b'a') }
        }
        0x1d7ce..=0x1d7ff => letter((code - 0x1d7ce) % 10, b'0'),
        0x24b6..=0x24cf => letter(code - 0x24b6, b'A'),
        0x24d0..=0x24e9 => letter(code - 0x24d0, b'a'),
        0x1f130..=0x1f149 => letter(code - 0x1f130, b'A'),
        _ => {
            let plain = SAME_LOOK.iter().find_map(|(others, plain)| {
                let place = others.chars().position(|other| other == char)?;
                plain.chars().nth(place)
            });
            Some(plain.unwrap_or(char))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_is_plain_and_known_by_its_place() {
        for (text, plain) in [
            ("pass\u{ad}word\u{a0}=\u{200b}x", "password =x"),
            ("\u{1b}[1;31mpassword\u{1b}[0m=x", "password=x"),
            ("\\u001b[31mpassword\\u001b[0m=x", "password=x"),
            ("\\x1b[31mpass\\033[0mword=x", "password=x"),
            ("\u{9b}31mpass\u{9b}0mword", "password"),
            ("ｐａｓｓｗｏｒｄ＝x", "password=x"),
            ("раsswоrd=x", "password=x"),
            ("𝐩𝗮𝓼𝔰word=x", "password=x"),
            ("p\\u0061ssword", "password"),
            ("\\ud835\\udc29assword", "password"),
            (r#"{"a":"\"\\u12\n\t"}"#, r#"{"a":"\"\\u12\n\t"}"#),
            ("größe 東京 🔑", "größe 東京 🔑"),
            ("‐–−x ‘a’ ‛ “b” ‟", "---x 'a' ' \"b\" \""),
            ("𝐀𝐙𝐚𝐳 𝚨 𝟎𝟗𝟘𝟿 ⒶⓏⓐⓩ 🄐🄩", "AZaz 𝚨 0909 AZaz 🄐🄩"),
            ("🄰🅉 аΖſ㎏", "AZ aZs㎏"),
            (r"\U00000070ass\u{77}ord", "password"),
            (r"\u{0000061}\U0000006\x6", r"\u{0000061}\U0000006\x6"),
            (r"p\u00adass\u2010\u003d\x22\u201c\u0127", r"pass-=\x22\u201c\u0127"),
            (r"a\e[31mb\033[0mc \e \044", r"abc \e \044"),
            ("\u{1b}]8;;https://example.com\u{1b}\\link\u{1b}]8;;\u{7}", "link"),
        ] {
            assert_eq!(View::of(text).plain, plain, "{text:?}");
        }
        let text = "a\u{ad}\u{a0}b";
        let view = View::of(text);
        assert_eq!(view.origin(1..3), 3..text.len());
    }
}
