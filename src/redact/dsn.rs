//! Passwords in connection strings and statements: told by what stands around them.

use std::ops::Range;

use super::pasted::is_key;
use super::shapes::{byte, run_end};
use super::value::{is_blank, is_hidden_already, is_name_byte, is_quote, quoted};

/// How far back the start of a connection string is looked for, so that time stays linear.
const LONGEST: usize = 256;

/// The run of bytes that satisfy `belongs` in front of `end`, at most [`LONGEST`] of them.
fn run_before(text: &str, end: usize, belongs: impl Fn(u8) -> bool) -> Range<usize> {
    let earliest = end.saturating_sub(LONGEST);
    let before = text.as_bytes().get(earliest..end).unwrap_or_default();
    let mut start = before.iter().rposition(|byte| !belongs(*byte)).map_or(earliest, |last| earliest + last + 1);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    start.min(end)..end
}

/// The word in front of `end`: everything behind the last blank.
fn word_before(text: &str, end: usize) -> Range<usize> {
    run_before(text, end, |byte| !byte.is_ascii_whitespace())
}

/// Of `user:password`, the password: behind the first colon that a name stands in front of.
fn after_user(text: &str, word: &Range<usize>, separator: char) -> Option<Range<usize>> {
    let content = text.get(word.clone())?;
    let at = content.match_indices(separator).map(|(at, _)| at).find(|at| {
        let before = content.as_bytes().get(at.wrapping_sub(1));
        before.is_some_and(|byte| is_name_byte(*byte) || *byte == b'%' || *byte == b']')
    })?;
    let start = word.start + at + separator.len_utf8();
    let range = start..word.end;
    (start < word.end && !is_hidden_already(text, &range)).then_some(range)
}

/// The password of `user:password@tcp(host:port)/database` (go-sql-driver/mysql, "DSN").
pub(super) fn before_protocol(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let word = word_before(text, found.start);
    let content = text.get(word.clone())?;
    // `dsn="user:…`: what stands in front of the last quote is not part of it, unless no user follows.
    let start = content.char_indices().filter(|(_, char)| matches!(char, '"' | '\'' | '`' | '=' | '(' | '{' | ','));
    let start = start.map(|(at, _)| at + 1).take_while(|at| content.get(*at..).is_some_and(|rest| is_user(rest))).last();
    after_user(text, &(word.start + start.unwrap_or(0)..word.end), ':')
}

/// Whether a text starts with the name of a user and a colon.
fn is_user(text: &str) -> bool {
    let end = text.bytes().take_while(|byte| is_name_byte(*byte)).count();
    end > 0 && text.as_bytes().get(end) == Some(&b':')
}

/// The password of `user:password@host`, unless the word is an ARN, an image, an address of mail.
pub(super) fn user_colon_password(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    const NO_USERS: [&str; 14] =
        ["mailto", "from", "to", "cc", "bcc", "npm", "image", "user", "by", "email", "principal", "owner", "actor", "http"];
    let colon = found.start + 1;
    let user_start = run_before(text, colon, |byte| is_name_byte(byte) || byte == b'%').start;
    let user = text.get(user_start..colon)?;
    let before = text.get(word_before(text, colon + 1))?;
    let at = found.end.checked_sub(2)?;
    let start = colon + 1;
    if before.contains("arn:") || before.contains('@') || user.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    // A slash before the user is the path of an image or of a file.
    let is_path = byte(text, user_start.wrapping_sub(1)) == Some(b'/');
    if NO_USERS.contains(&user.to_ascii_lowercase().as_str()) || is_path {
        return None;
    }
    // The last `@` of the word ends the password.
    let host_end = run_end(text, at + 1, |byte| is_name_byte(byte) || byte == b'[');
    let host = text.get(at + 1..host_end)?;
    let password = start..at;
    let content = text.get(password.clone())?;
    if content.is_empty() || host.starts_with("sha256") || host.starts_with("sha512") || is_hidden_already(text, &password) {
        return None;
    }
    let has_port = byte(text, host_end) == Some(b':') && byte(text, host_end + 1).is_some_and(|byte| byte.is_ascii_digit());
    let has_path = byte(text, host_end) == Some(b'/');
    (has_port || has_path || is_no_word(content)).then_some(password)
}

/// The password of `user/password@host` (Oracle Net Services, "Easy Connect Naming"), unless the word is a path, a package or an
/// address of mail.
pub(super) fn user_slash_password(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    const COMMANDS: [&str; 4] = ["connect", "conn", "userid", "target"];
    let slash = text.get(found.clone())?.find('/')? + found.start;
    let at = text.get(slash..found.end)?.rfind('@')? + slash;
    let password = slash + 1..at;
    let content = text.get(password.clone())?;
    let user_byte = |byte: u8| is_name_byte(byte) || b"$#[]".contains(&byte);
    let user_start = run_before(text, slash, user_byte).start;
    let before = byte(text, user_start.wrapping_sub(1));
    // `a/b/c@d` and `@scope/package@1` are paths.
    if matches!(before, Some(b'/' | b'@')) || content.is_empty() || is_hidden_already(text, &password) {
        return None;
    }
    let word = word_before(text, slash);
    if text.get(word)?.contains("arn:") {
        return None;
    }
    let rest = text.get(at + 1..)?;
    if rest.starts_with("//") || rest.starts_with('(') {
        return Some(password);
    }
    let host_end = run_end(text, at + 1, |byte| is_name_byte(byte) || byte == b'[');
    let host = text.get(at + 1..host_end)?;
    let is_version = host.trim_start_matches('v').starts_with(|char: char| char.is_ascii_digit()) && !host.contains('.')
        || host.starts_with("sha256");
    if is_version || host.eq_ignore_ascii_case("latest") {
        return None;
    }
    let has_port = byte(text, host_end) == Some(b':') && byte(text, host_end + 1).is_some_and(|byte| byte.is_ascii_digit());
    let line = run_before(text, user_start, |byte| byte != b'\n');
    let command = text.get(line)?.trim_end_matches([' ', '\t', '=']);
    let command = command.rsplit([' ', '\t', '\'', '"', '(']).next()?.to_ascii_lowercase();
    let is_command = COMMANDS.contains(&command.as_str());
    // `prod/alice@example.com` is the name of a secret.
    let is_mail = host.contains('.') && content.bytes().all(|byte| is_name_byte(byte)) && !is_key(content);
    ((has_port && !is_mail) || is_command || (!is_mail && is_no_word(content)) || (has_port && is_no_word(content)))
        .then_some(password)
}

/// Whether a text is neither a word nor a version: it has digits, capitals within, or punctuation.
fn is_no_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_alphabetic);
    let capitals = bytes.iter().skip(1).any(u8::is_ascii_uppercase) && bytes.iter().any(u8::is_ascii_lowercase);
    let signs = bytes.iter().any(|byte| byte.is_ascii_punctuation() && !b"-_.,:;()[]{}\"'<>\\".contains(byte));
    digits || capitals || signs
}

/// The last of the five fields of a line of `.pgpass` (PostgreSQL, "The Password File").
pub(super) fn pgpass(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let start = found.end - text.get(found.clone())?.chars().last()?.len_utf8();
    let end = run_end(text, start, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
    let range = start..end;
    let before = word_before(text, start);
    let is_arn = text.get(before)?.contains("arn:");
    (!is_arn && !is_hidden_already(text, &range)).then_some(range)
}

/// The password of a statement: the next quoted value that is none of `FROM`, `TO` or a user, or the next bare word.
pub(super) fn statement(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let matched = text.get(found.clone())?.to_ascii_lowercase();
    let mut at = found.end;
    // `sp_password 'old', 'new'`: all quoted values of the line, the first that is not hidden yet.
    let takes_list = matched.starts_with("sp_") || matched.starts_with("change");
    let skips = usize::from(matched.starts_with("change") || matched.starts_with("sp_add"));
    if takes_list || matched.ends_with("from ") || matched.ends_with("to ") {
        let from_to = !takes_list;
        for number in 0..4 {
            at = run_end(text, at, |byte| is_blank(byte) || b",(=@".contains(&byte));
            if from_to || takes_list {
                // A keyword or a parameter's name between values.
                let word_end = run_end(text, at, is_name_byte);
                if word_end > at && !byte(text, word_end).is_some_and(is_quote) {
                    at = run_end(text, word_end, |byte| is_blank(byte) || b"=,".contains(&byte));
                }
            }
            let value = quoted(text, at)?;
            let end = value.end();
            match value.of_secret(text) {
                Some(range) if number >= skips => return Some(range),
                _ => at = end + 1,
            }
        }
        return None;
    }
    at = run_end(text, at, is_blank);
    if let Some(value) = quoted(text, at) {
        return value.of_secret(text);
    }
    if let Some(range) = dollar_quoted(text, at) {
        return (!is_hidden_already(text, &range)).then_some(range);
    }
    let end = run_end(text, at, |byte| !byte.is_ascii_whitespace() && byte != b';' && byte != b')' && !is_quote(byte));
    let range = at..end;
    let word = text.get(range.clone())?;
    let before = text.get(..found.start)?;
    let near = before.get(before.floor_char_boundary(before.len().saturating_sub(LONGEST))..)?.to_ascii_lowercase();
    // `OR REPLACE` is no password; `IDENTIFIED BY new REPLACE old` is.
    if matched.trim() == "replace" && !near.contains("identified by") && !near.contains(" by ") {
        return None;
    }
    if matched.contains("password(") || word.to_ascii_lowercase().starts_with("password(") {
        return quoted(text, at + "password(".len())?.of_secret(text);
    }
    let is_keyword = word.bytes().all(|byte| byte.is_ascii_alphabetic()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_using = matched.contains("using");
    let is_word = word.bytes().all(|byte| byte.is_ascii_lowercase());
    // `USER app USING the …` is prose unless DB2's statement goes before.
    let keeps = is_keyword || (is_using && is_word && !near.contains("connect to"));
    (!word.is_empty() && !keeps && !is_hidden_already(text, &range)).then_some(range)
}

/// PostgreSQL's `$tag$value$tag$`.
fn dollar_quoted(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?.strip_prefix('$')?;
    let tag = rest.bytes().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let open = format!("${}$", rest.get(..tag)?);
    let start = at + open.len();
    if !text.get(at..)?.starts_with(&open) {
        return None;
    }
    let line = text.get(start..)?.split(['\n', '\r']).next()?;
    Some(start..start + line.find(&open).unwrap_or(line.len()))
}

/// The last word that the pattern has begun to match, to its end; of `AUTH user password`, the password.
pub(super) fn last_word(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let start = found.end - text.get(found.clone())?.chars().last()?.len_utf8();
    let is_part = |byte: u8| !byte.is_ascii_whitespace() && !is_quote(byte);
    let end = run_end(text, start, is_part);
    let mut range = start..end;
    if text.get(found)?.starts_with("AUTH") {
        let next = run_end(text, end, |byte| is_blank(byte) || is_quote(byte));
        let next_end = run_end(text, next, is_part);
        if next > end && next_end > next && text.get(next..next_end).is_some_and(is_no_word) {
            range = next..next_end;
        }
        // What Redis says about AUTH.
        if !text.get(range.clone()).is_some_and(is_no_word) {
            return None;
        }
    }
    (!is_hidden_already(text, &range)).then_some(range)
}
