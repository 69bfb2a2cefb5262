//! Values that sentences, errors and other notations tell: what stands behind a name that nothing is assigned to directly.

use std::ops::Range;

use super::marker::is_hidden_already;
use super::randomness::randomness;
use super::scan::{byte, is_blank, is_name_byte, is_quote, name_start, run_end};
use super::value::quoted;
use super::words::{is_mask, is_no_word, is_term, is_uuid, names_a_secret};

/// How far a sentence is followed, in bytes: a bound, so that time stays linear.
const MAX_BYTES: usize = 256;

/// The text up to a little behind `end`.
fn near(text: &str, end: usize) -> &str {
    text.get(..text.floor_char_boundary(end.saturating_add(2 * MAX_BYTES))).unwrap_or(text)
}

/// The text a little in front of `start`, in lower case.
fn before(text: &str, start: usize) -> String {
    const WORDS: usize = 48;
    let from = text.floor_char_boundary(start.saturating_sub(WORDS));
    text.get(from..start).unwrap_or_default().to_ascii_lowercase()
}

/// A password that is told rather than assigned: `Setting password to '…'`, `new password is …`, `Key (password)=(…)`.
pub(super) fn stated_value(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let text = near(text, word.end);
    let end = run_end(text, word.end, |byte| byte.is_ascii_digit());
    encoded(text, end)
        .or_else(|| in_parentheses(text, end))
        .or_else(|| below(text, end))
        .or_else(|| of_parameter(text, word, end))
        .or_else(|| said(text, word, end))
        .filter(|range| !is_hidden_already(text, range))
}

/// `password&quot;:&quot;…&quot;`, `password%22%3A%22…%22`.
fn encoded(text: &str, end: usize) -> Option<Range<usize>> {
    const QUOTES: [&str; 6] = ["&quot;", "%22", "&#34;", "&#39;", "&apos;", "%27"];
    let rest = text.get(end..)?;
    let quote = QUOTES.iter().find(|quote| rest.starts_with(**quote))?;
    let behind = |rest: &str| rest.trim_start_matches("%20").trim_start_matches([' ', '+']).len();
    let linked = rest.strip_prefix(*quote)?;
    let linked = linked.get(linked.len() - behind(linked)..)?;
    let value = [":", "%3A", "%3a", "=", "%3D"].iter().find_map(|link| linked.strip_prefix(*link))?;
    let value = value.get(value.len() - behind(value)..)?.strip_prefix(*quote)?;
    let start = text.len() - value.len();
    let line = value.split(char::is_whitespace).next()?;
    Some(start..start + value.find(*quote).unwrap_or(line.len()))
}

/// PostgreSQL's `Key (password)=(…) already exists`.
fn in_parentheses(text: &str, end: usize) -> Option<Range<usize>> {
    let value = text.get(end..)?.strip_prefix(")=(")?;
    let start = text.len() - value.len();
    let line = value.split('\n').next()?;
    let length = [") already", ") is ", ") conflicts"].iter().find_map(|after| line.find(after)).or_else(|| line.find(')'));
    Some(start..start + length.unwrap_or(line.len()))
}

/// A block of YAML: `password: |` with the value in the lines below, which are indented.
fn below(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = text.get(end..)?.trim_start_matches(['"', '\'']).strip_prefix(':')?.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix(['|', '>'])?.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    // The line break may be escaped.
    let escapes = rest.bytes().take_while(|byte| *byte == b'\\').count();
    if let Some(block) = rest.get(escapes..).and_then(|rest| rest.strip_prefix('n')).filter(|_| escapes > 0) {
        let start = text.len() - block.trim_start().len();
        return Some(start..run_end(text, start, |byte| byte != b'\\' && byte != b'"' && byte != b'\n'));
    }
    let block = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
    let start = text.len() - block.len();
    let first = run_end(text, start, is_blank);
    let indent = first - start;
    let mut last = first;
    for line in block.split_inclusive('\n') {
        let content = line.trim_end();
        let own = content.len() - content.trim_start().len();
        if indent == 0 || content.is_empty() || own < indent {
            break;
        }
        let line_start = last.max(start);
        let at = text.get(line_start..)?.find(content.trim_start())? + line_start;
        last = at + content.trim_start().len();
    }
    Some(first..last)
}

/// `The parameter MasterUserPassword … is not valid`.
fn of_parameter(text: &str, word: &Range<usize>, end: usize) -> Option<Range<usize>> {
    if !before(text, name_start(text, word)).ends_with("parameter ") {
        return None;
    }
    let start = run_end(text, end, is_blank);
    let line = text.get(start..)?.split('\n').next()?;
    let length = [" is not ", " is invalid", " must "].iter().find_map(|after| line.find(after))?;
    (start > end && !line.starts_with("is ")).then_some(start..start + length)
}

/// What a sentence says the password is.
fn said(text: &str, word: &Range<usize>, end: usize) -> Option<Range<usize>> {
    const LEAST_RANDOM: i32 = 8;
    /// Verbs with the value behind them.
    const SET: [&str; 5] = ["set to ", "changed to ", "changed from ", "reset to ", "updated to "];
    /// What makes of the words before a password that a value follows it at once.
    const GIVING: [&str; 12] =
        ["with", "generated", "new", "old", "previous", "current", "temporary", "initial", "default", "using", "temp", "random"];
    let line_end = run_end(text, end, |byte| byte != b'\n');
    let line = text.get(end..line_end)?;
    let spoken = line.trim_start_matches([' ', '\t']);
    if spoken.len() == line.len() {
        return None;
    }
    let at = line_end - spoken.len();
    let spoken = ["has been ", "was ", "is "]
        .iter()
        .find_map(|verb| spoken.strip_prefix(verb).filter(|rest| SET.iter().any(|set| rest.starts_with(set))))
        .unwrap_or(spoken);
    if let Some(rest) =
        spoken.strip_prefix("is").or_else(|| spoken.strip_prefix("was")).filter(|rest| !rest.starts_with(" generated"))
    {
        let rest = rest.strip_prefix([':', '=']).unwrap_or(rest);
        return rest.starts_with(is_space).then(|| spoken_value(text, line_end - rest.len())).flatten();
    }
    // `Password changed from 'old' to 'new'`: the first that is not hidden yet.
    const VERBS: [&str; 5] = ["changed ", "reset ", "updated ", "set ", "rotated "];
    let phrase = VERBS.iter().find_map(|verb| spoken.strip_prefix(verb)).unwrap_or(spoken);
    let mut place = line_end - phrase.len();
    if let Some(rest) = phrase.strip_prefix("from ") {
        let old = spoken_value(text, line_end - rest.len());
        if old.is_some() {
            return old;
        }
        place = line_end - rest.len() + rest.find(" to ")? + 1;
    }
    if let Some(rest) = text.get(place..line_end)?.strip_prefix("to ") {
        return spoken_value(text, line_end - rest.len());
    }
    // `A temporary password is generated for root@localhost: …`, `password for app: …`.
    let generated = ["is generated ", "generated "].iter().find_map(|words| spoken.strip_prefix(words)).unwrap_or(spoken);
    if let Some(rest) = generated.strip_prefix("for ") {
        const BETWEEN: [&str; 6] = [": ", " is ", " has been set to ", " was set to ", " changed to ", " to "];
        let (place, between) = BETWEEN.iter().find_map(|words| Some((rest.find(words)?, words)))?;
        let user = rest.get(..place)?;
        let is_short = user.split_whitespace().count() <= 2 && !user.contains(['(', ':', ';']);
        return is_short.then(|| spoken_value(text, line_end - rest.len() + place + between.len())).flatten();
    }
    let giving = before(text, name_start(text, word));
    let giving = giving.trim_end().rsplit(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default().to_owned();
    if GIVING.contains(&giving.as_str()) {
        return spoken_value(text, at);
    }
    // `ENV DB_PASSWORD …` of a Dockerfile.
    let is_env = before(text, name_start(text, word)).trim_end_matches([' ', '\t']).ends_with("env");
    let value_end = run_end(text, at, |byte| !byte.is_ascii_whitespace());
    if is_env && text.get(value_end..line_end)?.trim().is_empty() {
        return Some(at..value_end);
    }
    // `password … was rejected`: only what is random for sure.
    spoken_value(text, at).filter(|range| text.get(range.clone()).is_some_and(|value| randomness(value) >= LEAST_RANDOM))
}

fn is_space(char: char) -> bool {
    char == ' ' || char == '\t'
}

/// The value in a sentence: quoted and without blanks, or a word that is none.
fn spoken_value(text: &str, at: usize) -> Option<Range<usize>> {
    const LEAST: usize = 6;
    let at = run_end(text, at, is_blank);
    if byte(text, at).is_some_and(is_quote) || text.get(at..)?.starts_with("\\\"") {
        let range = quoted(text, at)?.of_secret(text)?;
        let value = text.get(range.clone())?;
        // What is told about a password may be quoted as well.
        return (!value.contains(char::is_whitespace) && !value.starts_with(['%', '{', '$'])).then_some(range);
    }
    let at = at + usize::from(byte(text, at) == Some(b'['));
    let end = run_end(text, at, |byte| !byte.is_ascii_whitespace() && !b"\"'`\\,;".contains(&byte));
    let value = text.get(at..end)?.trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '!', '?']);
    let range = at..at + value.len();
    // `AKIA****`: the program shows the beginning only.
    let is_part = value.starts_with(['(', '[', '{', '<', '$', '%', '/', '-'])
        || value.contains("://")
        || value.starts_with("arn:")
        || value.ends_with("***");
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    // The name of a thing: `prod/app-1`, `postgresql-14`, `ORA-28003`, `rotate()`.
    let is_name = value.contains("()") || is_term(value) || (value.contains(['/', '-', '_', '@']) && is_plain_name(value));
    (value.len() >= LEAST && has_letter && !is_part && !is_name && !is_mask(value) && !is_uuid(value) && is_told_value(value))
        .then_some(range)
}

/// Whether a word has digits beside letters, capitals of no type's name, or punctuation of no name.
fn is_told_value(value: &str) -> bool {
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_sign = value.bytes().any(|byte| byte.is_ascii_punctuation() && !b"-_./:()'".contains(&byte));
    is_no_word(value) && (has_digit || has_sign)
}

/// Whether all parts of a name are words or numbers.
fn is_plain_name(value: &str) -> bool {
    value.split(['/', '-', '_', '@', '.']).all(|part| {
        let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
        let one_case =
            part.bytes().skip(1).all(|byte| !byte.is_ascii_uppercase()) || part.bytes().all(|byte| !byte.is_ascii_lowercase());
        one_case && (letters == part.len() || letters == 0 && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The value in front of the name of the parameter: `Value '…' at 'masterUserPassword' failed to satisfy constraint`.
pub(super) fn at_parameter(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, found.end);
    let rest = text.get(found.end..)?;
    let (value, after) = ["' at '", "\" at \"", "\\\" at \\\""].iter().find_map(|between| rest.split_once(between))?;
    let name_end = run_end(after, 0, is_name_byte);
    let name = after.get(..name_end)?.rsplit('.').next()?;
    let range = found.end..found.end + value.len();
    (names_a_secret(name) && !value.is_empty() && !value.contains('\n') && !is_hidden_already(text, &range)).then_some(range)
}

/// The word that a database stumbled over, where the statement sets a password: `syntax error at or near "…"`.
pub(super) fn near_syntax(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    const KEYWORDS: [&str; 14] = [
        "user",
        "password",
        "with",
        "alter",
        "role",
        "identified",
        "by",
        "login",
        "set",
        "for",
        "to",
        "encrypted",
        "valid",
        "create",
    ];
    const LEAST: usize = 3;
    let around = near(text, found.end);
    let from = text.floor_char_boundary(found.start.saturating_sub(MAX_BYTES));
    let statement = around.get(from..)?.to_ascii_lowercase();
    let sets = ["alter user", "alter role", "create user", "create role", "alter login", "set password", " password "];
    let rest = around.get(found.end..)?;
    // MySQL repeats the statement from there on: one that holds a quote may be what is left of a value that had one in it.
    let repeated = rest.find("' at line ").or_else(|| rest.find("\\' at line ")).and_then(|length| rest.get(..length));
    if let Some(value) = repeated.filter(|value| value.len() >= LEAST && value.contains('\'') && !value.contains('\n')) {
        let range = found.end..found.end + value.len();
        return (!is_hidden_already(text, &range)).then_some(range);
    }
    let quote = byte(text, found.end - 1)?;
    let end = run_end(around, found.end, |byte| byte != quote && byte != b'\n');
    let value = around.get(found.end..end)?;
    let value = value.trim_end_matches('\\');
    let range = found.end..found.end + value.len();
    let is_keyword = KEYWORDS.contains(&value.to_ascii_lowercase().as_str());
    let is_secret = value.len() >= LEAST && !is_keyword && sets.iter().any(|words| statement.contains(words));
    (is_secret && !is_hidden_already(text, &range)).then_some(range)
}

/// The value that pydantic repeats below the name of its field: `password` and, in the next line, `[…, input_value='…', …]`.
pub(super) fn input_value(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let from = text.floor_char_boundary(found.start.saturating_sub(2 * MAX_BYTES));
    let above = text.get(from..found.start)?.replace("\\n", "\n");
    let field = above.lines().rev().nth(1)?.trim();
    let field = field.rsplit(['.', ' ']).next()?;
    if !names_a_secret(field) {
        return None;
    }
    if let Some(value) = quoted(text, found.end) {
        return value.of_secret(text);
    }
    let rest = near(text, found.end).get(found.end..)?;
    let length = rest.find(", input_type").or_else(|| rest.find(']')).unwrap_or(0);
    let range = found.end..found.end + length;
    let is_nothing = ["None", "{}", "''"].contains(&rest.get(..length)?) || rest.starts_with('{');
    (!is_nothing && !is_hidden_already(text, &range)).then_some(range)
}

/// A password with an `@` in it that was taken for a part of the host: `could not translate host name "…@db"`.
pub(super) fn host_name(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, found.end);
    let quote = byte(text, found.end - 1)?;
    let end = run_end(text, found.end, |byte| byte != quote && byte != b'\n');
    let length = text.get(found.end..end)?.rfind('@')?;
    let range = found.end..found.end + length;
    (!is_hidden_already(text, &range)).then_some(range)
}

/// The values that were given beside a statement with a place for them: `IDENTIFIED BY %s` and `('app', '…')`. The password is the
/// last one.
pub(super) fn bound(text: &str, at: usize) -> Option<Range<usize>> {
    const PLACES: [&str; 5] = ["%s", "%(", "?", ":", "$1"];
    const MAX_VALUES: usize = 8;
    let text = near(text, at);
    let rest = text.get(at..)?;
    if !PLACES.iter().any(|place| rest.starts_with(place)) {
        return None;
    }
    let opening = ["('", "[\"", "['", "(\"", "(\\\"", "[\\\""].iter().filter_map(|opening| rest.find(opening)).min()?;
    let mut next = at + opening + 1;
    let mut last = None;
    for _ in 0..MAX_VALUES {
        let value = quoted(text, next)?;
        let end = value.end();
        last = value.of_secret(text);
        let opens = run_end(text, end, |byte| byte == b'\\' || is_quote(byte));
        if !text.get(opens..).is_some_and(|rest| rest.starts_with(',')) {
            break;
        }
        let value_at = run_end(text, opens, |byte| byte == b',' || is_blank(byte));
        if !text.get(value_at..).is_some_and(|rest| rest.starts_with(['\'', '"', '\\'])) {
            break;
        }
        next = value_at;
    }
    last
}
