//! What each telling name says about the value assigned to it: whether that is a secret, and where it ends.

use std::ops::Range;

use super::keys::{SECRET_KEY_CHARS, is_hex_key, is_key, looks_generated};
use super::marker::is_hidden_already;
use super::prose::{bound, stated_value};
use super::randomness::randomness;
use super::scan::{byte, is_blank, is_name_byte, is_quote, is_token_byte, name_start, run_end};
use super::value::{Assigned, Link, assigned, quoted, quoted_object, value};
use super::words::{MAX_SECRET_NAME, is_mask, is_no_word, is_term, is_uuid, names_a_value};

/// A password, or anything else whose name says that its value must stay hidden.
pub(super) fn strong(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    // `passwords: ['…']`: of several, only what is quoted is a value.
    if matches!(byte(text, word.end), Some(b's' | b'S')) {
        return listed(text, &(word.start..word.end + 1));
    }
    let assigned = assigned(text, &word);
    let found = assigned.as_ref().and_then(|assigned| value(text, assigned).or_else(|| enclosed(text, &word, assigned.at)));
    found.or_else(|| stated_value(text, &word))
}

/// The value in a list of its own, or in an object under a word for a value, as DynamoDB and stores of secrets write it: `["…"]`,
/// `{"S": "…"}`.
fn enclosed(text: &str, word: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let unquoted = |at: usize| run_end(text, at, |byte| byte == b'\\' || is_quote(byte));
    let blank = |at: usize| run_end(text, at, is_blank);
    let opening = blank(at);
    let inside = blank(opening + 1);
    match byte(text, opening)? {
        b'[' => listed(text, word),
        b'{' => {
            let key = quoted(text, inside)?;
            let colon = blank(unquoted(key.end()));
            let is_value = names_a_value(text.get(key.start()..key.end())?) && byte(text, colon) == Some(b':');
            quoted(text, blank(colon + 1)).filter(|_| is_value)?.of_secret(text)
        }
        _ => None,
    }
}

/// The quoted values behind a name in the plural, all of a list together.
fn listed(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    const MAX_LISTED_VALUES: usize = 64;
    let assigned = assigned(text, word).filter(|assigned| !matches!(assigned.link, Link::Quote | Link::Pair))?;
    let opening = run_end(text, assigned.at, |byte| byte == b'[' || byte == b'(' || is_blank(byte));
    let first = quoted(text, opening)?;
    let (mut end, start) = (first.end(), first.start());
    for _ in 0..MAX_LISTED_VALUES {
        let after = run_end(text, end, |byte| byte == b'\\' || is_quote(byte));
        let next = run_end(text, after, |byte| byte == b',' || is_blank(byte));
        match (byte(text, after), quoted(text, next)) {
            (Some(b','), Some(value)) if opening > assigned.at => end = value.end(),
            _ => break,
        }
    }
    let values = text.get(start..end)?;
    // A sentence, or names.
    let is_text = values.contains(". ") || values.ends_with('.') || is_mask(values);
    (!is_text && !is_hidden_already(text, &(start..end))).then_some(start..end)
}

/// `pwd`, which also is a working directory.
pub(super) fn pwd(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let range = strong(text, word)?;
    (!text.get(range.clone())?.starts_with('/')).then_some(range)
}

/// `pass`, an ordinary word unless something is plainly assigned to it.
pub(super) fn short_name(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    const SHORTEST: usize = 4;
    const LEAST_SAID: usize = 6;
    // The end of base64, with its padding.
    let is_cut = byte(text, word.start.wrapping_sub(1)).is_some_and(|before| before == b'+' || before == b'/');
    if is_cut && text.get(word.clone())?.eq_ignore_ascii_case("pw") {
        return None;
    }
    let assigned = assigned(text, &word)?;
    let range = value(text, &assigned)?;
    let shown = text.get(range.clone())?;
    // `pass=1` counts, and `pass: 3` does too.
    let is_count = shown.len() < SHORTEST && shown.bytes().all(|byte| byte.is_ascii_digit() || b",;.".contains(&byte));
    let is_said =
        shown.len() >= LEAST_SAID && is_no_word(shown) && !is_term(shown) && shown.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_given = assigned.literal || assigned.link == Link::Equals || (assigned.link == Link::Colon && is_said);
    (is_given && !is_count).then_some(range)
}

/// `token`. Tokens that name a request, a page of results or a version of a secret are no secrets.
pub(super) fn token(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let name = name_before(text, &word);
    if [
        "request",
        "next",
        "client",
        "pagination",
        "continuation",
        "forward",
        "backward",
        "page",
        "paging",
        "resumption",
        "resume",
        "marker",
        "idempotency",
    ]
    .iter()
    .any(|harmless| name.ends_with(harmless))
    {
        return None;
    }
    /// Of a token that a sentence tells.
    const LEAST_RANDOM: i32 = 4;
    let Some(assigned) = assigned(text, &word) else {
        return stated_value(text, &word)
            .filter(|range| text.get(range.clone()).is_some_and(|value| randomness(value) >= LEAST_RANDOM && !is_uuid(value)));
    };
    if assigned.link == Link::Quote {
        return None;
    }
    let range = value(text, &assigned)?;
    // "Unexpected token: expected a comma"
    let shown = text.get(range.clone())?;
    let is_ordinary = shown.bytes().all(|byte| byte.is_ascii_lowercase()) && randomness(shown) < 0;
    if assigned.link == Link::Colon && !assigned.literal && name.is_empty() && is_ordinary {
        return None;
    }
    let id = is_uuid(text.get(range.clone())?.trim_end_matches([',', ';', ')', '}', '.']));
    (!id || name.ends_with("rotation")).then_some(range)
}

/// The text up to a little behind a name. What is refused is looked at again behind it, so no value is followed for long.
fn near<'t>(text: &'t str, word: &Range<usize>) -> &'t str {
    const MAX_BYTES: usize = 512;
    text.get(..text.floor_char_boundary(word.end.saturating_add(MAX_BYTES))).unwrap_or(text)
}

/// The token of a vendor that is named in front of it: letters and digits without a word in them.
pub(super) fn vendor(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, &word);
    /// What ends the name of an id, a hash or a place rather than of a token.
    const HARMLESS: [&str; 22] = [
        "id", "ids", "sha", "sha1", "sha256", "hash", "digest", "version", "arn", "url", "uri", "host", "channel", "user",
        "username", "trace", "span", "event", "request", "region", "account", "domain",
    ];
    const MAX_BYTES: usize = 40;
    const SHORTEST: usize = 14;
    let rest = text.as_bytes().get(word.end..).unwrap_or_default();
    let name_end = word.end + rest.iter().take(MAX_BYTES).take_while(|byte| is_name_byte(**byte)).count();
    let name = text.get(word.start..name_end)?.to_ascii_lowercase();
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or_default();
    if HARMLESS.contains(&last) || name.ends_with("id") {
        return None;
    }
    let assigned = assigned(text, &(word.start..name_end)).filter(|assigned| assigned.link != Link::Quote)?;
    let range = value(text, &assigned)?;
    let value = text.get(range.clone())?.trim_end_matches([',', ';', ')', '}', ']']);
    let range = range.start..range.start + value.len();
    if is_uuid(value) {
        return ["key", "token", "secret", "api", "access"].iter().any(|word| name.contains(word)).then_some(range);
    }
    // A path or the name of a host has none of the signs that only base64 has.
    let is_base64 = value.contains(['=', '+']);
    let is_token = value.bytes().all(|byte| is_token_byte(byte) || byte == b':') && (is_base64 || !value.contains(['.', '/']));
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_random = is_base64 || randomness(value) >= 4 || value.bytes().all(|byte| byte.is_ascii_hexdigit());
    (value.len() >= SHORTEST && is_token && has_digit && is_random).then_some(range)
}

/// A key behind a name that ends with `key` or the like: only what is random, because most keys are those of tables and caches.
pub(super) fn key(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, &word);
    const SHORTEST: usize = 20;
    const HARMLESS: [&str; 16] = [
        "cache",
        "idempotency",
        "object",
        "s3",
        "partition",
        "sort",
        "primary",
        "foreign",
        "public",
        "kms",
        "dedup",
        "lookup",
        "hash",
        "range",
        "routing",
        "index",
    ];
    let name = name_before(text, &word);
    if HARMLESS.iter().any(|harmless| name.ends_with(harmless)) {
        return None;
    }
    let assigned = assigned(text, &word).filter(|assigned| assigned.literal || assigned.link == Link::Equals)?;
    let range = value(text, &assigned)?;
    let value = text.get(range.clone())?.trim_end_matches([',', ';', ')', '}', ']']);
    let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_secret = value.len() >= SHORTEST && value.bytes().all(is_token_byte) && !is_hex && is_key(value);
    is_secret.then(|| range.start..range.start + value.len())
}

/// `secret`, which mostly is followed by the name or the ARN of one.
pub(super) fn secret(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let assigned = assigned(text, &word)?;
    // `arn:aws:secretsmanager:…:secret:name`
    if word.start > 0 && byte(text, word.start - 1) == Some(b':') {
        return None;
    }
    let range = value(text, &assigned)?;
    (!is_secret_name(text.get(range.clone())?)).then_some(range)
}

/// Whether a text reads like the name of a secret rather than like its value.
pub(super) fn is_secret_name(value: &str) -> bool {
    if value.len() > MAX_SECRET_NAME {
        return false;
    }
    if value.starts_with("arn:") {
        return value.bytes().all(|byte| byte.is_ascii_graphic());
    }
    let is_access_key = value.len() == SECRET_KEY_CHARS && !value.contains(['-', '_', '.']);
    let separated = value.contains(['-', '/']) && !value.starts_with('/') && !is_access_key;
    let plain = value.bytes().all(|byte| is_name_byte(byte) || byte == b'/');
    let bare = value.trim_end_matches([',', ';', ')', '}', ']', '.']);
    (separated && plain) || is_uuid(value) || !(looks_generated(value) || is_hex_key(bare))
}

/// All of `SecretString` and `SecretBinary`, whatever its form.
pub(super) fn secret_value(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let Some(assigned) = assigned(text, &word) else { return stated_value(text, &word) };
    let rest = text.get(assigned.at..)?;
    if rest.starts_with('{') {
        let line = rest.split(['\r', '\n']).next()?;
        let end = line.rfind('}').map_or(line.len(), |brace| brace + 1);
        return Some(assigned.at..assigned.at + end);
    }
    let opening = run_end(text, assigned.at, |byte| byte == b'\\' || is_quote(byte));
    if byte(text, opening) == Some(b'{') {
        return quoted_object(text, assigned.at)?.of_secret(text);
    }
    value(text, &assigned)
}

/// The value of an `Authorization` header.
pub(super) fn authorization(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    const SCHEMES: [&str; 9] = ["bearer", "basic", "digest", "negotiate", "ntlm", "token", "apikey", "key", "aws4-hmac-sha256"];
    let assigned = assigned(text, &word)?;
    if let Some(range) = quoted(text, assigned.at) {
        return range.of_secret(text);
    }
    let first = first_word(text, assigned.at);
    let has_scheme = SCHEMES.contains(&first.to_ascii_lowercase().as_str());
    (has_scheme || looks_generated(first) || is_hex_key(first)).then(|| header_value(text, &assigned, &word)).flatten()
}

/// The value of a `Cookie` or `Set-Cookie` header.
pub(super) fn cookie(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let assigned = assigned(text, &word)?;
    if let Some(range) = quoted(text, assigned.at) {
        return range.of_secret(text);
    }
    first_word(text, assigned.at).contains('=').then(|| header_value(text, &assigned, &word)).flatten()
}

/// The signature of a presigned URL or a signed request.
pub(super) fn signature(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    const SHORTEST: usize = 16;
    let assigned = assigned(text, &word).filter(|assigned| assigned.link == Link::Equals)?;
    let end = run_end(text, assigned.at, is_token_byte);
    (end - assigned.at >= SHORTEST).then_some(assigned.at..end)
}

/// `IDENTIFIED BY`, with a quoted or a bare password.
pub(super) fn identified_by(text: &str, words: Range<usize>) -> Option<Range<usize>> {
    let at = run_end(text, words.end, is_blank);
    if let Some(range) = quoted(text, at) {
        return range.of_secret(text);
    }
    let end = run_end(text, at, |byte| !byte.is_ascii_whitespace() && byte != b';');
    let word = text.get(at..end)?.to_ascii_lowercase();
    if let Some(range) = bound(text, at) {
        return Some(range);
    }
    let is_keyword = ["%s", "?", "$1", "values", "password", "externally", "globally", "random"].contains(&word.as_str());
    (at > words.end && !is_keyword && !is_mask(&word) && !is_hidden_already(text, &(at..end))).then_some(at..end)
}

/// What stands before the matched word within the same name, in lower case and without punctuation: `clientrequest`
/// for the `Token` of `ClientRequestToken`.
fn name_before(text: &str, word: &Range<usize>) -> String {
    text.get(name_start(text, word)..word.start)
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|char| char.to_ascii_lowercase())
        .collect()
}

/// The word at `at`, or as much of it as is needed to judge it.
fn first_word(text: &str, at: usize) -> &str {
    const ENOUGH: usize = 64;
    let rest = text.get(at..).unwrap_or_default();
    let start = rest.get(..rest.floor_char_boundary(ENOUGH)).unwrap_or_default();
    start.split_ascii_whitespace().next().unwrap_or_default()
}

/// A header's value reaches to the end of the line, or to the quote that encloses the whole header.
fn header_value(text: &str, assigned: &Assigned, word: &Range<usize>) -> Option<Range<usize>> {
    let before = byte(text, name_start(text, word).wrapping_sub(1));
    let enclosing = before.filter(|byte| is_quote(*byte));
    let end = run_end(text, assigned.at, |byte| byte != b'\n' && byte != b'\r' && Some(byte) != enclosing);
    let range = assigned.at..end;
    (end > assigned.at && !is_hidden_already(text, &range)).then_some(range)
}
