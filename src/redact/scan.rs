//! Reading a text by bytes: runs of a class of characters, quotes, and the names that values are assigned to.

use std::ops::Range;

pub(super) fn byte(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// Where the run of bytes that satisfy `belongs` ends. Callers pass sets of ASCII characters or of all but ASCII
/// characters, so the end is a character boundary.
pub(super) fn run_end(text: &str, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
}

/// Where the run of bytes before `until` starts.
pub(super) fn run_start(text: &str, until: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let before = text.as_bytes().get(..until).unwrap_or_default();
    before.iter().rposition(|byte| !belongs(*byte)).map_or(0, |last| last + 1)
}

/// Base64 in both alphabets, percent-encoded or not, and the punctuation of tokens.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.~%".contains(&byte)
}

/// A run of token characters this long may have been wrapped and go on in the next line.
const LEAST_WRAPPED_CHARS: usize = 40;

/// Where a token that may be wrapped ends: a long run is followed by lines of nothing but token characters.
pub(super) fn wrapped_end(text: &str, run: &Range<usize>) -> usize {
    let token = text.get(run.clone()).unwrap_or_default();
    if token.len() < LEAST_WRAPPED_CHARS || !token.bytes().all(is_token_byte) {
        return run.end;
    }
    let mut end = run.end;
    loop {
        let mut line = end;
        if byte(text, line) == Some(b'\r') {
            line += 1;
        }
        if byte(text, line) != Some(b'\n') {
            return end;
        }
        line = run_end(text, line + 1, |byte| byte == b' ' || byte == b'\t');
        let line_end = run_end(text, line, is_token_byte);
        let closes = matches!(byte(text, line_end), None | Some(b'\r' | b'\n' | b'"' | b'\'' | b'\\'));
        if line_end == line || !closes {
            return end;
        }
        end = line_end;
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Where the name that the matched word is part of starts. Looks back a bounded way, so that a text which is one
/// long name costs no more than any other.
pub(super) fn name_start(text: &str, word: &Range<usize>) -> usize {
    const MAX_BYTES: usize = 64;
    let earliest = word.start.saturating_sub(MAX_BYTES);
    let before = text.as_bytes().get(earliest..word.start).unwrap_or_default();
    before.iter().rposition(|byte| !is_name_byte(*byte)).map_or(earliest, |last| earliest + last + 1)
}

/// Whether the name of a secret may contain this character (Secrets Manager API Reference, `CreateSecret`).
pub(super) fn is_name_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte)
}
