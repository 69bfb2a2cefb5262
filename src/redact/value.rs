//! Secrets known by the name they are assigned to: `password=…`, `"SecretString": "…"`, `Authorization: Bearer …`.
//!
//! A pattern finds the name; here is decided whether something is assigned to it and where that ends. Log
//! lines talk about passwords all the time ("(using password: YES)"), so prose must not pass for a value.

use std::ops::Range;

use super::marker::{after_markers, is_hidden_already};
use super::scan::{byte, is_blank, is_name_byte, is_quote, name_start, run_end, run_start, wrapped_end};
use super::words::{is_mask, is_no_word, names_a_secret};

/// Words that stand where a value would, and say something about it.
const WORDS_ABOUT_A_VALUE: [&str; 33] = [
    "",
    "yes",
    "no",
    "true",
    "false",
    "none",
    "null",
    "nil",
    "undefined",
    "empty",
    "missing",
    "required",
    "invalid",
    "incorrect",
    "expired",
    "wrong",
    "unknown",
    "changed",
    "rejected",
    "denied",
    "failed",
    "error",
    "is",
    "was",
    "must",
    "cannot",
    "authentication",
    "unexpected",
    // Errors of Python's JSON decoder: "Expecting value: line 1 column 1".
    "expecting",
    "expected",
    "not",
    "extra",
    "unterminated",
];

/// Names of types that programs write behind the name of a parameter.
const TYPES: [&str; 14] = [
    "str",
    "bytes",
    "String",
    "&str",
    "string",
    "Optional[str]",
    "Option<String>",
    "SecretStr",
    "SecretString",
    "any",
    "Any",
    "int",
    "None",
    "Bytes",
];

/// An unquoted value longer than any ARN (2048 bytes) is no word about a value and no reference: it is hidden without
/// a closer look, so that no text is looked at again and again.
const MAX_REFERENCE: usize = 2048;

/// What connects a name to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// `=`, `==`, `=>`, `:=` or `%3D`.
    Equals,
    /// `:`, which prose uses too.
    Colon,
    /// A blank behind a command line option.
    Option,
    /// `<name>value</name>`.
    Tag,
    /// A blank or a parenthesis before a quote, as in SQL.
    Quote,
    /// `('name', 'value')`.
    Pair,
}

/// A name to which something is assigned.
pub(super) struct Assigned {
    pub(super) link: Link,
    /// The name was quoted, or a subscript: the value is a literal, not prose.
    pub(super) literal: bool,
    /// The name is a parameter of a URL's query.
    in_query: bool,
    /// Where the value starts.
    pub(super) at: usize,
}

/// Behind blanks and line breaks, also where they are escaped, as in a string of JSON.
fn after_space(text: &str, at: usize) -> usize {
    let mut at = at;
    loop {
        let end = run_end(text, at, |byte| byte.is_ascii_whitespace());
        let escapes = run_end(text, end, |byte| byte == b'\\');
        if escapes == end || !matches!(byte(text, escapes), Some(b'n' | b'r' | b't')) {
            return end;
        }
        at = escapes + 1;
    }
}

/// Whether the name at `name_start` is quoted, behind an opening parenthesis.
fn opens_a_pair(text: &str, name_start: usize) -> bool {
    let before = text.get(..name_start).unwrap_or_default();
    let unquoted = before.trim_end_matches(['\\', '"', '\'']);
    unquoted.len() < before.len() && unquoted.ends_with(['(', '['])
}

/// The length of the name of a value in front of a value that stands beside its name: `value=`, `, "Value": `.
fn value_beside(rest: &str) -> Option<usize> {
    const MAX_BYTES: usize = 48;
    let near = rest.get(..rest.floor_char_boundary(MAX_BYTES)).unwrap_or(rest);
    let name = near.trim_start_matches([',', ' ', '\\', '"', '\'', '\n', '\r']);
    let after = ["value", "Value", "ParameterValue", "parameterValue"].iter().find_map(|word| name.strip_prefix(word))?;
    let value = after.trim_start_matches(['\\', '"', '\'', ' ']).strip_prefix([':', '='])?;
    Some(near.len() - value.len())
}

pub(super) fn assigned(text: &str, word: &Range<usize>) -> Option<Assigned> {
    let name_end = run_end(text, word.end, |byte| byte.is_ascii_digit());
    let closed = run_end(text, name_end, |byte| is_quote(byte) || byte == b'\\');
    let closed = closed + usize::from(byte(text, closed) == Some(b']'));
    // Backticks quote a name in prose.
    let literal = closed > name_end && byte(text, name_end) != Some(b'`');
    let name_start = name_start(text, word);
    let before = byte(text, name_start.wrapping_sub(1));
    let in_query = matches!(before, Some(b'?' | b'&'));
    let is_option = byte(text, name_start) == Some(b'-');

    let blank_end = run_end(text, closed, is_blank);
    let rest = text.get(blank_end..)?;
    let links = [
        (":::=", Link::Equals),
        ("::=", Link::Equals),
        ("||=", Link::Equals),
        ("?=", Link::Equals),
        (".=", Link::Equals),
        ("==", Link::Equals),
        ("=>", Link::Equals),
        (":=", Link::Equals),
        ("=", Link::Equals),
        ("%3D", Link::Equals),
        ("%3d", Link::Equals),
        // How boto3 reports a parameter of the wrong type, value included.
        (", value:", Link::Colon),
        (":", Link::Colon),
    ];
    let linked = links.into_iter().find(|(sign, _)| rest.starts_with(sign));
    let (link, value_at) = match linked {
        Some((sign, link)) => (link, blank_end + sign.len()),
        None if rest.starts_with('>') && before == Some(b'<') && !literal => (Link::Tag, blank_end + 1),
        None if is_option && blank_end > closed => (Link::Option, blank_end),
        // A command line as a list: `['--password', 'value']`.
        None if literal && rest.starts_with(',') && is_option => (Link::Option, blank_end + 1),
        None if literal && rest.starts_with(',') && opens_a_pair(text, name_start) => (Link::Pair, blank_end + 1),
        // `<add key="password" value="…"/>`, `{"name": "password", "value": "…"}`.
        None if literal && let Some(length) = value_beside(rest) => (Link::Equals, blank_end + length),
        // The short form of the AWS CLI: `ParameterKey=password,ParameterValue=…`.
        None if rest.starts_with(',')
            && before == Some(b'=')
            && let Some(length) = value_beside(rest) =>
        {
            (Link::Equals, blank_end + length)
        }
        None if rest.starts_with(['"', '\'', '(']) && !literal => (Link::Quote, blank_end),
        None => return None,
    };
    let at = run_end(text, value_at, |byte| is_blank(byte) || (link == Link::Quote && byte == b'('));
    // Only a quoted value may stand in the next line.
    let below = after_space(text, at);
    let opening = run_end(text, below, |byte| byte == b'\\');
    let at = match byte(text, opening) {
        Some(next) if literal && is_quote(next) => below,
        Some(b's') if literal && text.get(below..).is_some_and(|rest| rest.starts_with("string(")) => below,
        _ => at,
    };
    Some(Assigned { link, literal, in_query, at })
}

pub(super) fn value(text: &str, assigned: &Assigned) -> Option<Range<usize>> {
    if assigned.link == Link::Tag {
        // The value may stand in a line of its own.
        const RAW: &str = "<![CDATA[";
        let start = run_end(text, assigned.at, |byte| byte.is_ascii_whitespace());
        if let Some(raw) = text.get(start..).and_then(|rest| rest.strip_prefix(RAW)) {
            let start = start + RAW.len();
            let line = raw.split('\n').next()?;
            let range = start..start + line.find("]]>").unwrap_or(line.len());
            return (!range.is_empty() && !is_hidden_already(text, &range)).then_some(range);
        }
        let end = run_end(text, start, |byte| byte != b'<' && byte != b'\n');
        let range = start..end;
        let end = run_end(text, end, |byte| byte.is_ascii_whitespace());
        let closed = text.get(end..)?.starts_with("</");
        return (closed && !range.is_empty() && !is_hidden_already(text, &range)).then_some(range);
    }
    match quoted(text, assigned.at) {
        // `('password', 'host', 'port')` is a list of names.
        Some(Quoted(range)) if assigned.link == Link::Pair && !closes_a_pair(text, &range) => None,
        Some(range) => range.of_secret(text),
        None if matches!(assigned.link, Link::Quote | Link::Pair) => None,
        None => bare(text, assigned),
    }
}

/// Whether a value closes the pair that its name opened. In brackets two names may stand as well: `['password', 'host']`.
fn closes_a_pair(text: &str, value: &Range<usize>) -> bool {
    let after = run_end(text, value.end, |byte| is_quote(byte) || byte == b'\\');
    match byte(text, after) {
        Some(b')') => true,
        Some(b']') => text.get(value.clone()).is_some_and(is_no_word),
        _ => false,
    }
}

/// A quoted value: the range between its quotes.
pub(super) struct Quoted(Range<usize>);

impl Quoted {
    /// Where it starts, behind its opening quote.
    pub(super) fn start(&self) -> usize {
        self.0.start
    }

    /// Where its closing quote stands.
    pub(super) fn end(&self) -> usize {
        self.0.end
    }

    /// The range, unless there is nothing to hide in it.
    pub(super) fn of_secret(self, text: &str) -> Option<Range<usize>> {
        let value = text.get(self.0.clone())?;
        let placeholder = (value.starts_with('<') && value.ends_with('>'))
            || is_mask(value)
            || matches!(value, "%s" | "{}" | "?")
            || ["none", "null"].contains(&value.to_ascii_lowercase().as_str());
        (!placeholder && !is_hidden_already(text, &self.0)).then_some(self.0)
    }
}

/// The quoted value at `at`, with an optional prefix as in Python's `b'…'` or Rust's `Some("…")`. Its quotes may be escaped, at any depth
/// of JSON in JSON; a quote escaped more deeply belongs to the value. Without an end it reaches to the end of the line.
pub(super) fn quoted(text: &str, at: usize) -> Option<Quoted> {
    quoted_until(text, at, |_, escapes, depth| {
        // Deeper by whole steps: escaped backslashes in front of the closing quote.
        escapes <= depth || (escapes - depth).is_multiple_of(2 * (depth + 1))
    })
}

/// The quoted JSON document at `at`. Where Python printed it as bytes, its quotes are escaped once more than the one that
/// opened it tells; so it only ends with a brace and a quote.
pub(super) fn quoted_object(text: &str, at: usize) -> Option<Quoted> {
    quoted_until(text, at, |content, escapes, depth| escapes == depth && content.ends_with('}'))
}

/// The quoted value that ends at the first quote for which `closes` holds, given the value up to there, the number of
/// backslashes in front of it, and in front of the opening quote.
fn quoted_until(text: &str, at: usize, closes: impl Fn(&str, usize, usize) -> bool) -> Option<Quoted> {
    let at = after_prefix(text, at);
    let opening = run_end(text, at, |byte| byte == b'\\');
    let depth = opening - at;
    let quote = byte(text, opening).filter(|byte| is_quote(*byte))?;
    let start = opening + 1;
    // A statement between quotes has its own doubled: `EXECUTE 'ALTER USER app PASSWORD ''tiger'''`.
    if depth == 0 && opens_doubled(text, start, quote) {
        let (rest, pair) = (text.as_bytes().get(start + 1..)?, [quote, quote]);
        let closed = rest.windows(2).position(|two| two == pair.as_slice() || two.starts_with(b"\n"));
        return Some(Quoted(start + 1..start + 1 + closed.unwrap_or(rest.len())));
    }
    // Three quotes enclose what one of them may stand in.
    let mark = text.get(at..start)?;
    let opened = text.get(start..).and_then(|rest| rest.strip_prefix(mark)?.strip_prefix(mark));
    if let Some(rest) = opened {
        let start = text.len() - rest.len();
        let line = rest.split('\n').next().unwrap_or_default();
        return Some(Quoted(start..start + line.find(&mark.repeat(3)).unwrap_or(line.len())));
    }

    let mut end = start;
    loop {
        let next = run_end(text, end, |byte| byte != quote && byte != b'\n' && byte != b'\r');
        if byte(text, next) != Some(quote) {
            // A long token is wrapped onto the next lines.
            return Some(Quoted(start..wrapped_end(text, &(start..next))));
        }
        let content = run_start(text, next, |byte| byte == b'\\').max(start);
        let escapes = next - content;
        if !closes(text.get(start..content)?, escapes, depth) {
            end = next + 1;
        } else if let Some(behind) = goes_on(text, next, quote).filter(|_| escapes == 0 && depth == 0) {
            end = behind;
        } else {
            return Some(Quoted(start..next - depth.min(escapes)));
        }
    }
}

/// Whether the quote in front of `start` is the first of two that open a value, and not of an empty one.
fn opens_doubled(text: &str, start: usize, quote: u8) -> bool {
    let is_value = |next: u8| next != quote && !next.is_ascii_whitespace() && !b",;:)]}.\\".contains(&next) && !is_quote(next);
    byte(text, start) == Some(quote) && byte(text, start + 1).is_some_and(is_value)
}

/// Where a value goes on behind a quote that only seems to close it: SQL doubles a quote that belongs to the value, and a shell
/// closes the value, writes the quote behind a backslash, and opens the value again.
fn goes_on(text: &str, at: usize, quote: u8) -> Option<usize> {
    const REOPENED: &str = r"'\''";
    if byte(text, at + 1) == Some(quote) {
        return Some(at + 2);
    }
    text.get(at..)?.starts_with(REOPENED).then_some(at + REOPENED.len())
}

/// Behind the letter or the call that a quote may follow.
fn after_prefix(text: &str, at: usize) -> usize {
    const MAX_BYTES: usize = 24;
    let word = text.as_bytes().get(at..).unwrap_or_default();
    let length = word.iter().take(MAX_BYTES).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let after = at + length;
    let value = match byte(text, after) {
        // PHP's `string(12) "…"`.
        Some(b'(') if text.get(at..after) == Some("string") => {
            let digits = run_end(text, after + 1, |byte| byte.is_ascii_digit());
            if byte(text, digits) == Some(b')') && digits > after + 1 { run_end(text, digits + 1, is_blank) } else { after + 1 }
        }
        // What a call of this name takes is the name of a variable.
        Some(b'(') if text.get(at..after).is_some_and(|name| name.to_ascii_lowercase().ends_with("env")) => return at,
        // Rust prints what is in a `Some` below it.
        Some(b'(') => after_space(text, after + 1),
        _ if length == 1 => after,
        _ => return at,
    };
    let quote = run_end(text, value, |byte| byte == b'\\');
    match byte(text, quote) {
        Some(quote) if is_quote(quote) => value,
        _ => at,
    }
}

/// A value without quotes.
fn bare(text: &str, assigned: &Assigned) -> Option<Range<usize>> {
    let range = assigned.at..bare_end(text, assigned);
    if range.is_empty() || is_hidden_already(text, &range) || (range.len() <= MAX_REFERENCE && !is_value(text, assigned, &range))
    {
        return None;
    }
    Some(range.start..wrapped_end(text, &range))
}

/// Whether what follows a name without quotes is a value, and not a word about it.
fn is_value(text: &str, assigned: &Assigned, range: &Range<usize>) -> bool {
    let value = text.get(range.clone()).unwrap_or_default();
    let word = value.trim_end_matches(|char: char| ",.;:)]}!?'\"".contains(char)).to_ascii_lowercase();
    let is_about = WORDS_ABOUT_A_VALUE.contains(&word.as_str());
    let is_reference = value.starts_with("arn:") || value.starts_with("//") || is_file_reference(value);
    let is_placeholder = (word.starts_with('<') && word.ends_with('>')) || is_mask(&word);
    // `Unable to change the password: (1142, "…")`.
    let is_tuple = assigned.link == Link::Colon
        && value
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(','))
            .is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
    // The type of a parameter: `def rotate(password: str, …)`.
    let is_type = assigned.link == Link::Colon && TYPES.contains(&value.trim_end_matches([',', ')', ';', '=', '?']));
    // The indicator of a block of YAML or what Rust prints around a value, which stands below.
    let is_block = assigned.link == Link::Colon
        && matches!(value.split('\\').next().unwrap_or_default(), "|" | ">" | "Some(" | "|-" | ">-" | "|+" | ">+");
    let is_structure = assigned.literal && value.starts_with(['{', '[']);
    let is_text = match assigned.link {
        Link::Colon => !assigned.literal && is_prose(text, range),
        Link::Option => value.starts_with('-') || ["and", "or"].contains(&word.as_str()),
        Link::Equals | Link::Tag | Link::Quote | Link::Pair => false,
    };
    !(is_about
        || is_reference
        || is_placeholder
        || is_structure
        || is_type
        || is_block
        || is_tuple
        || is_text
        || is_code(text, range))
}

/// Whether the value is an expression of a program, as a line of a stack trace quotes it: `token = event['Token']`.
fn is_code(text: &str, value: &Range<usize>) -> bool {
    const MAX_BYTES: usize = 128;
    let expression = text.get(value.clone()).unwrap_or_default();
    let spaced = text.get(..value.start).is_some_and(|before| before.ends_with(" = "));
    let name = run_end(expression, 0, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    let rest = expression.get(name..).unwrap_or_default();
    let calls = ["('", "(\"", "['", "[\"", "()"].iter().any(|opens| rest.starts_with(opens))
        || rest.starts_with('(') && rest.ends_with(')');
    let closes = rest.contains([')', ']']) || rest.ends_with(['(', ',']);
    let is_spaced_call = spaced && calls && closes;
    // The quotes of a subscript and of an argument end a value, so the rest is read from the text.
    let near = text.get(value.start..text.floor_char_boundary(value.start.saturating_add(MAX_BYTES))).unwrap_or_default();
    let path = near.get(..name).unwrap_or_default();
    let behind = near.get(name..).unwrap_or_default();
    let is_path =
        !path.is_empty() && path.split('.').all(|part| part.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_'));
    let is_word = path.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
    let subscript = behind.strip_prefix(['[']).and_then(|rest| rest.strip_prefix(['"', '\'']));
    let is_subscript = is_word
        && subscript.is_some_and(|key| {
            let end = key.bytes().take_while(|byte| is_name_byte(*byte)).count();
            key.get(end..).is_some_and(|rest| rest.starts_with("']") || rest.starts_with("\"]"))
        });
    let is_env = path.to_ascii_lowercase().ends_with("env") && behind.starts_with(['(', '[']);
    let is_library = path.contains('.') && path.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_.".contains(&byte));
    let is_call = is_library && ["(\"", "('", "({", "()"].iter().any(|opens| behind.starts_with(opens))
        || is_library && is_word && behind.starts_with('(');
    let last = path.rsplit('.').next().unwrap_or_default();
    let is_field = is_library && names_a_secret(last) && behind.trim_end().starts_with([';', ',', ')', '\n'])
        || is_library && names_a_secret(last) && behind.is_empty();
    // `connect(password=password, …)`: a value that is its own name is none.
    let is_itself = behind.starts_with([',', ')'])
        && text.get(..value.start).and_then(|before| before.strip_suffix('=')?.strip_suffix(path)).is_some();
    is_path && (is_itself || is_spaced_call || is_subscript || is_env || is_call || is_field)
}

/// Whether the AWS CLI reads the value from this file: what is on the command line then is only its name.
///
/// Source: AWS CLI User Guide, "Loading a parameter from a file".
fn is_file_reference(value: &str) -> bool {
    let path = value.strip_prefix("file://").or_else(|| value.strip_prefix("fileb://"));
    path.is_some_and(|path| !path.is_empty() && path.bytes().all(|byte| is_name_byte(byte) || byte == b'/'))
}

fn bare_end(text: &str, assigned: &Assigned) -> usize {
    let mut end = after_markers(text, assigned.at);
    loop {
        end = run_end(text, end, |byte| {
            !(byte.is_ascii_whitespace()
                || byte == b'"'
                || byte == b'\\'
                || (assigned.in_query && (byte == b'&' || byte == b'#'))
                || (assigned.literal && (byte == b',' || byte == b'}')))
        });
        // A quote inside a password goes on; one before punctuation or the end closes what encloses the assignment.
        let quote = run_end(text, end, |byte| byte == b'\\');
        let goes_on = match byte(text, quote) {
            Some(b'"') => byte(text, quote + 1).is_some_and(|next| !next.is_ascii_whitespace() && !b",:;)}]\\".contains(&next)),
            Some(next) => quote > end && !next.is_ascii_whitespace(),
            None => false,
        };
        if !goes_on {
            return end;
        }
        end = text.ceil_char_boundary(quote + 1);
    }
}

/// Whether the rest of the line talks about the value instead of being it: "password: must contain a digit".
fn is_prose(text: &str, value: &Range<usize>) -> bool {
    let word = text.get(value.clone()).unwrap_or_default();
    if word.ends_with(':') {
        // The name of an exception, or an error code.
        return true;
    }
    let plain = word.trim_end_matches(|char: char| ",.;)!?'\"".contains(char));
    let blank_before = byte(text, value.start.wrapping_sub(1)).is_some_and(is_blank);
    let is_word = plain.chars().all(|char| char.is_alphabetic() || char == '\'' || char == '-');
    let next = run_end(text, value.end, is_blank);
    let next = text.get(next..run_end(text, next, |byte| !byte.is_ascii_whitespace()));
    let next = next.unwrap_or_default();
    // `{user:app password:tiger}` and `password: tiger (6 letters)` are no sentences.
    let goes_on = next.starts_with(char::is_alphabetic) && !next.contains('=') && !next.ends_with(':');
    is_word && blank_before && goes_on
}
