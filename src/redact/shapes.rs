//! Secrets known by their own shape: where each one starts and ends, once its telltale was found.

use std::ops::Range;

use super::keys::SECRET_KEY_CHARS;
use super::marker::MARKER_START;
use super::randomness::randomness;
use super::scan::{byte, run_end, run_start, wrapped_end};

/// Characters of an access key id behind its four letter prefix (IAM User Guide, "IAM identifiers").
const ACCESS_KEY_CHARS: usize = 16;

/// Distinct characters an access key id has at the least. Sixteen random base32 characters with fewer are rarer than
/// one in ten million; a DNA sequence has four.
const LEAST_DISTINCT_CHARS: usize = 6;

/// The matched text itself.
#[expect(clippy::unnecessary_wraps, reason = "one of the table's functions")]
pub(super) fn whole(_text: &str, found: Range<usize>) -> Option<Range<usize>> {
    Some(found)
}

/// The matched token, without the escape or the sign that was matched in front of it.
pub(super) fn vendor_token(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let token = without_escape(text, found);
    // The `key-` of a longer name, such as `prod/api-key-<an id>`.
    let is_part = text.get(token.clone())?.starts_with("key-")
        && byte(text, token.start.wrapping_sub(1)).is_some_and(|before| b"-/_.".contains(&before));
    (!is_part).then_some(token)
}

/// Without the `\\n`, `%3D` or `_` in front of a token: what stands there is no part of it.
fn without_escape(text: &str, found: Range<usize>) -> Range<usize> {
    let escape = match byte(text, found.start) {
        Some(b'\\') => 2,
        Some(b'%') => 3,
        Some(b'_') => 1,
        _ => 0,
    };
    (found.start + escape).min(found.end)..found.end
}

/// [`vendor_token`], and the lines below that it was wrapped onto.
#[expect(clippy::unnecessary_wraps, reason = "one of the table's functions")]
pub(super) fn wrapped_token(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let token = without_escape(text, found);
    let end = wrapped_end(text, &token);
    Some(token.start..end)
}

/// The matched text, and the lines below that it was wrapped onto.
#[expect(clippy::unnecessary_wraps, reason = "one of the table's functions")]
pub(super) fn wrapped(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let end = wrapped_end(text, &found);
    Some(found.start..end)
}

/// An access key id, and the secret access key right behind it.
pub(super) fn access_key(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let found = without_escape(text, found);
    let id = text.get(found.clone())?;
    let mut chars: Vec<u8> = id.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let mut random = chars.split_off(chars.len().saturating_sub(ACCESS_KEY_CHARS));
    random.sort_unstable();
    random.dedup();
    if random.len() < LEAST_DISTINCT_CHARS {
        return None;
    }
    let key = run_end(text, found.end, |byte| b" \t\r\n,:;|\"'=".contains(&byte));
    let is_key_byte = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'/' || *byte == b'+';
    let behind = text.as_bytes().get(key..).unwrap_or_default().iter();
    let key_chars = behind.take(SECRET_KEY_CHARS + 1).take_while(|byte| is_key_byte(byte)).count();
    if key > found.end && key_chars == SECRET_KEY_CHARS {
        return Some(found.start..key + key_chars);
    }
    Some(found)
}

/// A private key from its BEGIN line on, or all lines of it above an END line whose BEGIN was cut off.
pub(super) fn private_key(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    if text.get(found.clone())?.contains("BEGIN") {
        let end = private_key_end(text, found.end);
        return Some(found.start..end);
    }
    let start = run_start(text, found.start, |byte| byte.is_ascii_alphanumeric() || b"+/=\r\n\\".contains(&byte));
    Some(start..found.end)
}

/// Full lines of base64, one behind the other, that belong to no certificate and no other public block: a private key whose first
/// line was cut off.
pub(super) fn key_bodies(text: &str) -> Vec<Range<usize>> {
    const LINE: usize = 64;
    const LEAST_RANDOM: i32 = 12;
    let is_body = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let mut bodies = Vec::new();
    let (mut at, mut is_public) = (0, false);
    while at < text.len() {
        let start = at;
        let end = run_end(text, start, is_body);
        if end - start < LINE {
            // A header or a footer says what the lines between are.
            if text.get(end..).is_some_and(|rest| rest.starts_with("-----BEGIN ")) {
                let rest = text.get(end..).unwrap_or_default();
                let label = rest.get(..rest.floor_char_boundary(LINE)).unwrap_or(rest);
                is_public = !label.contains("PRIVATE KEY");
            } else if text.get(end..).is_some_and(|rest| rest.starts_with("-----END ")) {
                is_public = false;
            }
            at = text.ceil_char_boundary(end + 1);
            continue;
        }
        let body = start..wrapped_end(text, &(start..end));
        let line = text.get(start..start + LINE).unwrap_or_default();
        let is_wrapped = body.end - start > LINE + LINE / 2;
        if end - start == LINE && is_wrapped && !is_public && is_base64_of_bytes(line) && randomness(line) >= LEAST_RANDOM {
            bodies.push(body.clone());
        }
        at = body.end.max(start + 1);
    }
    bodies
}

/// A token that was found by its middle or its end: with what belongs to it on both sides.
pub(super) fn around(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    const MAX_BYTES: usize = 64;
    let earliest = found.start.saturating_sub(MAX_BYTES);
    let before = text.as_bytes().get(earliest..=found.start).unwrap_or_default();
    let matched = text.get(found.clone())?;
    let (in_front, least): (fn(u8) -> bool, usize) = match matched {
        _ if matched.contains("Q~") => (|byte| byte.is_ascii_alphanumeric() || b"_~.".contains(&byte), 4),
        _ if matched.contains("atlasv1") => (|byte| byte.is_ascii_alphanumeric(), 14),
        _ if matched.contains(":A") => (|byte| byte.is_ascii_digit(), 8),
        _ if matched.contains("_mmk") => (|byte| byte.is_ascii_alphanumeric() || byte == b'_', 36),
        _ => (|byte| byte.is_ascii_hexdigit(), 32),
    };
    let length = before.iter().rev().skip(usize::from(matched.starts_with('.'))).take_while(|byte| in_front(**byte)).count();
    let start = (found.start + 1).saturating_sub(length + usize::from(matched.starts_with('.')));
    // Twelve digits are an account, and a port is shorter than the id of a bot.
    let is_bot = !matched.contains(":A") || length <= 10;
    let end = run_end(text, found.end, |byte| byte.is_ascii_alphanumeric() || b"_-~.=".contains(&byte));
    let end = if matched.contains("-us") || matched.contains("_mmk") || matched.contains("NRAL") { found.end } else { end };
    (length >= least && is_bot).then_some(start..end)
}

/// Whether a line of base64 has letters of both cases, as bytes have in it and hexadecimal digits have not.
pub(super) fn is_base64_of_bytes(line: &str) -> bool {
    line.bytes().any(|byte| byte.is_ascii_lowercase()) && line.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// The lines that PuTTY announces as a private key, or their check sum, which tells a passphrase to whoever guesses.
pub(super) fn putty_key(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let matched = text.get(found.clone())?;
    if matched.starts_with("Private-MAC") {
        let end = run_end(text, found.end, |byte| byte.is_ascii_hexdigit());
        return (end - found.end >= 8).then_some(found.end..end);
    }
    let start = run_end(text, found.end, |byte| byte.is_ascii_whitespace() || byte == b'\\' || byte == b'r' || byte == b'n');
    let rest = text.get(start..)?;
    let end = rest.find("Private-MAC").map_or(text.len(), |end| start + end);
    (!rest.starts_with(MARKER_START)).then_some(start..end)
}

/// The range, made longer where it would cut a private key in two: half a key has lost its BEGIN line.
pub(super) fn with_whole_private_key(text: &str, range: Range<usize>) -> Range<usize> {
    let begin = text.get(range.clone()).and_then(|hidden| Some((hidden, hidden.rfind("-----BEGIN")?)));
    match begin {
        Some((hidden, begin)) if !hidden.get(begin..).unwrap_or_default().contains("-----END") => {
            let end = private_key_end(text, range.start + begin);
            range.start..end.max(range.end)
        }
        _ => range,
    }
}

/// Where the END line ends, or the end of the text: a key that was cut off is still a key.
fn private_key_end(text: &str, from: usize) -> usize {
    let body = text.get(from..).unwrap_or_default();
    body.find("-----END")
        .map(|end| from + end + "-----END".len())
        .and_then(|label| {
            let label_end = run_end(text, label, |byte| byte != b'-' && byte != b'\n');
            (byte(text, label_end) == Some(b'-')).then(|| run_end(text, label_end, |byte| byte == b'-'))
        })
        .unwrap_or(text.len())
}

/// The password in `scheme://user:password@host`, once `://` was found.
pub(super) fn url_password(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    /// How far a password with an unescaped slash is followed.
    const MAX_BYTES: usize = 64;
    let is_url = |byte: u8| !byte.is_ascii_whitespace() && !b"\"'<>\\".contains(&byte);
    let end = run_end(text, found.end, |byte| is_url(byte) && byte != b'/');
    let authority = text.get(found.end..end)?;
    let (user, rest) = authority.split_once(':')?;
    let start = end - rest.len();
    if user.contains('@') {
        return None;
    }
    let password = match rest.rsplit_once('@') {
        Some((password, _host)) => password.len(),
        // Digits are a port, and what follows is a path.
        None if rest.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        None => {
            let bytes = text.as_bytes().get(start..).unwrap_or_default();
            let near = bytes.get(..MAX_BYTES).unwrap_or(bytes);
            let url = near.iter().position(|byte| !is_url(*byte));
            let url = near.get(..url.unwrap_or(near.len())).unwrap_or_default();
            match url.iter().rposition(|byte| *byte == b'@') {
                Some(at) => at,
                // What was cut off in front of its host; behind a port that is named by more than digits stand other hosts.
                None if is_database(text, found.start) && !user.is_empty() && is_cut_password(rest) => rest.len(),
                None => return None,
            }
        }
    };
    (password > 0).then_some(start..start + password)
}

/// Whether the scheme in front of `end` is one of a database.
fn is_database(text: &str, end: usize) -> bool {
    const SCHEMES: [&str; 9] = ["mongodb", "srv", "postgres", "postgresql", "mysql", "redis", "rediss", "amqp", "mariadb"];
    const MAX_BYTES: usize = 16;
    let before = text.as_bytes().get(end.saturating_sub(MAX_BYTES)..end).unwrap_or_default();
    let length = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    text.get(end - length..end).is_some_and(|scheme| SCHEMES.contains(&scheme))
}

/// Whether what stands behind a user is no port and no place for one: it has letters, digits, and nothing that a template has.
fn is_cut_password(rest: &str) -> bool {
    const SHORTEST: usize = 6;
    !rest.starts_with(|char: char| char.is_ascii_digit())
        && rest.len() >= SHORTEST
        && !rest.starts_with(['$', '{', '%', '<', '*'])
        && (rest.bytes().any(|byte| byte.is_ascii_digit()) || rest.contains(['!', '#', '&', '^', '+']))
}

/// The token behind `Bearer` or `Basic`, unless it is a word.
pub(super) fn scheme_token(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let matched = text.get(found.clone())?;
    let start = found.end - matched.rsplit([' ', '\t']).next()?.len();
    let token = text.get(start..found.end)?;
    let letters_only = token.bytes().all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte));
    (!letters_only && !starts_like_name(token)).then_some(start..found.end)
}

fn starts_like_name(token: &str) -> bool {
    let mut bytes = token.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte))
}
