//! Passwords in connection strings and statements: told by what stands around them.

use std::ops::Range;

use super::keys::is_key;
use super::marker::is_hidden_already;
use super::prose::bound;
use super::scan::{byte, is_blank, is_name_byte, is_name_char, is_quote, run_end};
use super::value::quoted;
use super::words::{is_mask, is_name, is_no_word};

/// How far back the start of a connection string is looked for, so that time stays linear.
const MAX_BYTES: usize = 256;

/// The run of bytes that satisfy `belongs` in front of `end`, at most [`MAX_BYTES`] of them.
fn run_before(text: &str, end: usize, belongs: impl Fn(u8) -> bool) -> Range<usize> {
    let earliest = end.saturating_sub(MAX_BYTES);
    let before = text.as_bytes().get(earliest..end).unwrap_or_default();
    let start = before.iter().rposition(|byte| !belongs(*byte)).map_or(earliest, |last| earliest + last + 1);
    text.ceil_char_boundary(start).min(end)..end
}

/// The text up to a little behind `end`. What is refused is looked at again behind it, so nothing is followed for long.
fn near(text: &str, end: usize) -> &str {
    text.get(..text.floor_char_boundary(end.saturating_add(2 * MAX_BYTES))).unwrap_or(text)
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
    (start < word.end).then_some(start..word.end)
}

/// The password in front of an `@`, in the forms of connection strings that have no scheme.
pub(super) fn before_at(text: &str, at: usize) -> Option<Range<usize>> {
    let protocol = run_end(text, at + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'+');
    if byte(text, protocol) == Some(b'(')
        && let Some(range) = before_protocol(text, at)
    {
        return Some(range);
    }
    let begins_host = byte(text, at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"[(/".contains(&byte));
    // The last sign of the word stands in front of the host.
    let word_end = run_within(text, at, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
    let is_last = text.get(at + 1..word_end).is_some_and(|rest| !rest.contains('@') || rest.starts_with(['(', '/']));
    if !begins_host || !is_last {
        return None;
    }
    user_colon_password(text, at).or_else(|| user_slash_password(text, at))
}

/// Where the run of bytes that satisfy `belongs` ends, at most [`MAX_BYTES`] of them.
fn run_within(text: &str, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let until = text.floor_char_boundary(from.saturating_add(MAX_BYTES));
    run_end(text.get(..until).unwrap_or(text), from, belongs)
}

/// The password of `user:password@tcp(host:port)/database` (go-sql-driver/mysql, "DSN").
fn before_protocol(text: &str, at: usize) -> Option<Range<usize>> {
    let word = word_before(text, at);
    let content = text.get(word.clone())?;
    // `dsn="user:…`: what stands in front of the last quote is not part of it, unless no user follows.
    let start = content.char_indices().filter(|(_, char)| matches!(char, '"' | '\'' | '`' | '=' | '(' | '{' | ','));
    let start = start.map(|(at, _)| at + 1).take_while(|at| content.get(*at..).is_some_and(is_user)).last();
    after_user(text, &(word.start + start.unwrap_or(0)..word.end), ':')
}

/// Whether a text starts with the name of a user and a colon.
fn is_user(text: &str) -> bool {
    let end = text.bytes().take_while(|byte| is_name_byte(*byte)).count();
    end > 0 && text.as_bytes().get(end) == Some(&b':')
}

/// The password of `user:password@host`, unless the word is a URL, an ARN, an image, an address of mail.
fn user_colon_password(text: &str, at: usize) -> Option<Range<usize>> {
    const NO_USERS: [&str; 14] =
        ["mailto", "from", "to", "cc", "bcc", "npm", "image", "user", "by", "email", "principal", "owner", "actor", "http"];
    let word = word_before(text, at);
    let content = text.get(word.clone())?;
    if ["arn:", "://", "jdbc:"].iter().any(|sign| content.contains(sign)) {
        return None;
    }
    let password = after_user(text, &word, ':')?;
    let colon = password.start.checked_sub(1)?;
    let user_start = run_before(text, colon, |byte| is_name_byte(byte) || byte == b'%').start;
    let user = text.get(user_start..colon)?;
    // A slash before the user is the path of an image or of a file.
    let is_path = byte(text, user_start.wrapping_sub(1)) == Some(b'/');
    let is_user = user.bytes().any(|byte| byte.is_ascii_alphabetic()) && !NO_USERS.contains(&user.to_ascii_lowercase().as_str());
    let host_end = run_within(text, at + 1, |byte| is_name_byte(byte) || byte == b'[');
    let host = text.get(at + 1..host_end)?;
    let secret = text.get(password.clone())?;
    if is_path
        || !is_user
        || secret.contains(['"', '\'', '/']) && !is_no_word(secret)
        || host.starts_with("sha256")
        || host.starts_with("sha512")
    {
        return None;
    }
    let has_port = byte(text, host_end) == Some(b':') && byte(text, host_end + 1).is_some_and(|byte| byte.is_ascii_digit());
    let has_path = byte(text, host_end) == Some(b'/');
    (has_port || has_path || is_no_word(secret)).then_some(password)
}

/// The password of `user/password@host` (Oracle Net Services, "Easy Connect Naming"), unless the word is a path, a package or an
/// address of mail.
fn user_slash_password(text: &str, at: usize) -> Option<Range<usize>> {
    const COMMANDS: [&str; 4] = ["connect", "conn", "userid", "target"];
    const ORACLE_PORTS: [&str; 4] = ["1521", "1522", "1526", "2484"];
    let word = word_before(text, at);
    let slash = word.start + text.get(word.clone())?.find('/')?;
    let password = slash + 1..at;
    let content = text.get(password.clone())?;
    let user_byte = |byte: u8| is_name_byte(byte) || b"$#[]".contains(&byte);
    let user_start = run_before(text, slash, user_byte).start;
    let before = byte(text, user_start.wrapping_sub(1));
    // `a/b/c@d` and `@scope/package@1` are paths.
    if matches!(before, Some(b'/' | b'@')) {
        return None;
    }
    let before_slash = byte(text, slash.wrapping_sub(1)).is_some_and(|byte| is_name_byte(byte) || b"$#]".contains(&byte));
    let rest = text.get(at + 1..)?;
    let is_path = content.contains('/')
        && (!is_no_word(content)
            || is_name(content)
            || (content.bytes().all(is_name_char) && !rest.starts_with("//") && !is_key(content)));
    if !before_slash || text.get(word)?.contains("arn:") || is_path {
        return None;
    }
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
    let port_end = run_within(text, host_end + 1, |byte| byte.is_ascii_digit());
    let has_port = byte(text, host_end) == Some(b':') && port_end > host_end + 1;
    // Oracle's own port, or a service behind the port; the name of a secret may go on with any other.
    let is_oracle = has_port
        && (byte(text, port_end) == Some(b'/')
            || text.get(host_end + 1..port_end).is_some_and(|port| ORACLE_PORTS.contains(&port)));
    let line = run_before(text, user_start, |byte| byte != b'\n');
    let command = text.get(line)?.trim_end_matches([' ', '\t', '=']);
    let command = command.rsplit([' ', '\t', '\'', '"', '(']).next()?.to_ascii_lowercase();
    let is_command = COMMANDS.contains(&command.as_str());
    // `prod/alice@example.com` is the name of a secret.
    let is_mail = host.contains('.') && content.bytes().all(is_name_byte) && !is_key(content);
    (is_oracle || is_command || ((has_port || !is_mail) && is_no_word(content) && !is_name(content))).then_some(password)
}

/// The last of the five fields of a line of `.pgpass` (PostgreSQL, "The Password File").
pub(super) fn pgpass(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, found.end);
    let host = word_before(text, found.start);
    let is_field = |byte: u8| is_name_byte(byte) || byte == b'*';
    if host.is_empty() || !text.get(host)?.bytes().all(|byte| is_field(byte) || is_quote(byte) || byte == b'\\') {
        return None;
    }
    let mut at = found.end - 1;
    for _ in 0..2 {
        let end = run_within(text, at, is_field);
        if end == at || byte(text, end) != Some(b':') {
            return None;
        }
        at = end + 1;
    }
    let end = run_end(text, at, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
    let range = at..end;
    (!range.is_empty() && !is_hidden_already(text, &range)).then_some(range)
}

/// The password of a statement: the next quoted value that is none of `FROM`, `TO` or a user, or the next bare word.
pub(super) fn statement(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    /// What stands for a value that is given beside the statement.
    const PLACES: [char; 3] = ['%', '?', ':'];
    let text = near(text, found.end);
    let head = text.get(found.clone())?.to_ascii_lowercase();
    let rest_end = run_within(text, found.end, |byte| byte != b'\n' && byte != b';');
    let rest = text.get(found.end..rest_end)?.to_ascii_lowercase();
    let behind = |word: &str| rest.find(word).map(|place| found.end + place + word.len());
    let (matched, mut at) = match head.trim() {
        // `SET PASSWORD FOR user = 'password'`, `SET PASSWORD FROM 'old' TO 'new'`.
        _ if head.starts_with("set") && rest.starts_with("for ") => ("set password for".to_owned(), behind("=")?),
        _ if head.starts_with("set") && rest.starts_with("from ") => ("from ".to_owned(), found.end + 5),
        _ if head.starts_with("set") && rest.starts_with("to ") => ("to ".to_owned(), found.end + 3),
        _ if head.starts_with("set") => return None,
        _ if head.starts_with(['a', 'c', 'm']) && !head.starts_with("change") => {
            const BETWEEN: [&str; 5] = ["with", "encrypted", "unencrypted", "set", "as"];
            let place = behind(" password ")?;
            let mut words = rest.get(..place - found.end)?.split_whitespace();
            // Behind the name of the user stands nothing else.
            let is_statement = words.next().is_some() && words.all(|word| word == "password" || BETWEEN.contains(&word));
            is_statement.then(|| ("password".to_owned(), place))?
        }
        _ => (head.clone(), found.end),
    };
    // `sp_password 'old', 'new'`: all quoted values of the line, the first that is not hidden yet.
    let takes_list = matched.starts_with("sp_") || matched.starts_with("change");
    let skips = usize::from(matched.starts_with("change") || matched.starts_with("sp_add"));
    if takes_list || matched.ends_with("from ") || matched.ends_with("to ") {
        for number in 0..4 {
            at = run_end(text, at, |byte| is_blank(byte) || b",(=@".contains(&byte));
            // A keyword or a parameter's name between values.
            let word_end = run_end(text, at, is_name_byte);
            if !byte(text, word_end).is_some_and(is_quote) {
                at = run_end(text, word_end, |byte| is_blank(byte) || b"=,".contains(&byte));
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
    at = run_end(text, at, |byte| is_blank(byte) || byte == b'=');
    if text.get(at..)?.starts_with(PLACES) {
        return bound(text, at);
    }
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
    let near = before.get(before.floor_char_boundary(before.len().saturating_sub(MAX_BYTES))..)?.to_ascii_lowercase();
    // `OR REPLACE` is no password; `IDENTIFIED BY new REPLACE old` is.
    if matched.trim() == "replace" && !near.contains("identified by") && !near.contains(" by ") {
        return None;
    }
    // What the function takes without quotes is the name of a variable.
    if word.to_ascii_lowercase().starts_with("password(") {
        return None;
    }
    let is_keyword = word.bytes().all(|byte| byte.is_ascii_alphabetic()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_using = matched.contains("using");
    if is_using && !near.contains(" user ") {
        return None;
    }
    let is_word = word.bytes().all(|byte| byte.is_ascii_lowercase());
    // `USER app USING the …` is prose unless DB2's statement goes before.
    let keeps = is_keyword || (is_using && is_word && !near.contains("connect to"));
    (!word.is_empty() && !keeps && !is_mask(word) && !is_hidden_already(text, &range)).then_some(range)
}

/// PostgreSQL's `$tag$value$tag$`.
fn dollar_quoted(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?.strip_prefix('$')?;
    let tag = rest.bytes().take(MAX_BYTES).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let open = format!("${}$", rest.get(..tag)?);
    let start = at + open.len();
    if !text.get(at..)?.starts_with(&open) {
        return None;
    }
    let line = text.get(start..)?.split(['\n', '\r']).next()?;
    Some(start..start + line.find(&open).unwrap_or(line.len()))
}

/// The password behind a word of Redis or of a `.netrc`: `AUTH user password`, `requirepass password`, `login user password
/// password`, `SETUSER user on >password`.
pub(super) fn behind_word(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let text = near(text, found.end);
    let is_part = |byte: u8| !byte.is_ascii_whitespace() && !is_quote(byte);
    let word_at = |at: usize| {
        let start = run_within(text, at, |byte| is_blank(byte) || is_quote(byte));
        start..run_end(text, start, is_part)
    };
    let first = word_at(found.end);
    let second = word_at(first.end);
    let range = match text.get(found.clone())?.trim() {
        "login" => (text.get(second.clone())? == "password").then(|| word_at(second.end))?,
        // SQL*Plus connects with the password behind a slash.
        "CONN" | "CONNECT" | "conn" => {
            let content = text.get(first.clone())?;
            let (user, rest) = content.split_once('/')?;
            let is_user = !user.is_empty() && user.bytes().all(|byte| is_name_byte(byte) || b"$#[]".contains(&byte));
            let length = rest.rfind('@').unwrap_or(rest.trim_end_matches(';').len());
            let start = first.end - rest.len();
            (is_user && is_no_word(rest.get(..length)?)).then_some(start..start + length)?
        }
        "SETUSER" => {
            let line = run_within(text, found.end, |byte| byte != b'\n');
            let place = text.get(found.end..line)?.find(" >")?;
            word_at(found.end + place + 2)
        }
        "AUTH" => {
            // What Redis says about AUTH is made of words.
            let range = if !second.is_empty() && text.get(second.clone()).is_some_and(is_no_word) { second } else { first };
            text.get(range.clone()).is_some_and(is_no_word).then_some(range)?
        }
        // "requirepass is not set"
        _ if ["is", "was", "not", "has", "must", "and", "or", "to"].contains(&text.get(first.clone())?) => return None,
        _ => first,
    };
    (!range.is_empty() && !is_hidden_already(text, &range)).then_some(range)
}
