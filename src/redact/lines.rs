//! Secrets that are cut over lines: the events of a log, each a text of its own.
//!
//! Programs print a private key line by line, a name in one event and its value in the next; and what is longer than an event
//! is cut wherever its end comes. So neighbours are joined first, and what is found in the joined text is hidden in each part.

use std::ops::Range;

use serde_json::Value;

use super::json::TEXT_FIELDS;
use super::marker::marker;
use super::randomness::randomness;
use super::redactor::{PRIVATE_KEY, Redactor};
use super::scan::run_end;
use super::shapes::is_base64_of_bytes;

/// How much of a line is joined with its neighbour, in bytes, unless its last word is longer.
const JOINED: usize = 256;

/// The longest last word that is joined, in bytes: longer than any session token.
const MAX_WORD: usize = 4096;

/// Characters of a full line of a private key in base64: 64 in PEM and PuTTY's format, 70 and 76 in OpenSSH's and MIME's.
const LEAST_KEY_LINE: usize = 48;

/// Lines of others that may stand between those of a key before it counts as cut off.
const MAX_BETWEEN: usize = 4;

impl Redactor {
    /// Masks the secrets that are cut over `lines`, which one program wrote one after the other, and returns how many parts of
    /// them were hidden. What stands in one line alone stays for [`Redactor::redact`].
    ///
    /// Takes time linear in the lines.
    pub fn redact_lines(&self, lines: &mut [&mut String]) -> usize {
        let payloads: Vec<LoggedPayload> = lines.iter().map(|line| LoggedPayload::of(line)).collect();
        let mut hidden: Vec<Vec<(Range<usize>, &'static str)>> = vec![Vec::new(); lines.len()];
        hide_keys(&payloads, &mut hidden);
        self.hide_joined(&payloads, &mut hidden);
        let mut count = 0;
        for ((line, payload), mut ranges) in lines.iter_mut().zip(payloads).zip(hidden) {
            if ranges.is_empty() {
                continue;
            }
            ranges.sort_by_key(|(range, _)| (range.start, range.end));
            let (masked, parts) = masked(&payload.text, &ranges);
            count += parts;
            **line = payload.with(&masked);
        }
        count
    }

    fn hide_joined(&self, payloads: &[LoggedPayload], hidden: &mut [Vec<(Range<usize>, &'static str)>]) {
        let mut tail = Tail::default();
        for (at, payload) in payloads.iter().enumerate() {
            if payload.is_platform {
                continue;
            }
            let head = payload.text.lines().next().unwrap_or_default();
            let head = head.get(..head_length(head)).unwrap_or_default();
            let is_apart = head.trim().is_empty()
                || begins_report(head)
                || opens_code(&tail.text)
                || (tail.text.trim_end().ends_with(':') && is_status(head));
            let may_join = !is_apart;
            if !tail.text.is_empty() && may_join {
                for (range, kind) in self.crossing(&tail, !payload.is_record(), head) {
                    tail.hide(&range, kind, hidden);
                    let behind = range.start.max(tail.text.len())..range.end;
                    if let Some(own) = hidden.get_mut(at).filter(|_| !behind.is_empty()) {
                        own.push((behind.start - tail.text.len()..behind.end - tail.text.len(), kind));
                    }
                }
            }
            tail.take(at, &payload.text);
        }
    }

    /// What is hidden in `tail` and `head` together and not in either alone, as ranges of the two put together.
    fn crossing(&self, tail: &Tail, may_continue: bool, head: &str) -> Vec<(Range<usize>, &'static str)> {
        let (tail, is_cut_off) = (tail.text.as_str(), tail.may_continue);
        let mut found = Vec::new();
        // Behind the sign of a block of YAML and at the end of a command's line a break belongs to the text.
        let is_block = [": |", ": >", ": |-", ": >-"].iter().any(|sign| tail.trim_end().ends_with(sign));
        let is_command = tail.trim_end().ends_with(" \\");
        let ends_open = is_block
            || is_command
            || tail.trim_end().ends_with(['=', ':', '>', ',', '"', '\''])
            || tail.trim_end().ends_with("Some(");
        let last_word = tail.split_whitespace().next_back().unwrap_or_default();
        let ends_with_name =
            last_word.starts_with('-') || ["bearer", "basic", "by"].contains(&last_word.to_ascii_lowercase().as_str());
        let alone = self.secrets(head);
        let is_known = |range: &Range<usize>| alone.iter().any(|(own, _)| own.start <= range.start && range.end <= own.end);
        let before = self.secrets(tail);
        if may_continue && !head.starts_with(char::is_whitespace) {
            let joined = format!("{tail}{head}");
            for (range, kind) in self.secrets(&joined) {
                if range.end <= tail.len() {
                    continue;
                }
                // What ends like a sentence has said what it had to say.
                let is_cut = !tail.ends_with([')', ']', '.', '!', '?', ',', ';', '*']);
                let goes_on =
                    if range.start >= tail.len() { is_cut_off } else { is_cut && is_continuation(&joined, &range, tail.len()) };
                let in_head = range.start.max(tail.len()) - tail.len()..range.end - tail.len();
                if goes_on && !is_known(&in_head) {
                    found.push((range, kind));
                }
            }
        }
        let ended = tail.trim_end();
        if (ends_open || ends_with_name) && before.iter().all(|(own, _)| own.end < ended.len()) {
            let between = if is_block {
                "\n  "
            } else if is_command {
                "\n"
            } else {
                " "
            };
            let joined = format!("{ended}{between}{head}");
            let start = ended.len() + between.len();
            for (range, kind) in self.secrets(&joined) {
                let own = range.start.max(start) - start..range.end.max(start) - start;
                // Right behind the name, its quote and blanks aside.
                let is_next = is_command || head.get(..own.start).is_some_and(is_nothing);
                if range.start >= start && is_next && !is_known(&own) {
                    found.push((own.start + tail.len()..own.end + tail.len(), kind));
                }
            }
        }
        found
    }
}

/// Whether in front of a value stand but its quote and what PHP calls its type: `string(12) "`.
fn is_nothing(before: &str) -> bool {
    let before = before.trim().trim_matches(['"', '\'', '\\']).trim_end();
    before.is_empty()
        || before
            .strip_prefix("string(")
            .is_some_and(|length| length.trim_end_matches(')').bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a value that seemed complete at the end of a line goes on in the next one: a quote that opened before the cut closes
/// behind it, or the next line begins with more of the same characters rather than with a word.
fn is_continuation(joined: &str, range: &Range<usize>, cut: usize) -> bool {
    let quote = joined.get(..range.start).and_then(|before| before.chars().next_back()).filter(|char| matches!(char, '"' | '\''));
    let closes = quote.is_some_and(|quote| joined.get(range.end..).is_some_and(|rest| rest.starts_with([quote, '\\'])));
    let rest = joined.get(cut..range.end).unwrap_or_default();
    let line_ends = joined.get(range.end..).is_some_and(|rest| rest.trim().is_empty());
    let is_word = rest.bytes().all(|byte| byte.is_ascii_alphabetic()) && randomness(rest) < 0;
    let has_both = rest.bytes().any(|byte| byte.is_ascii_digit()) && rest.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_date = rest.len() > 8 && rest.bytes().take(4).all(|byte| byte.is_ascii_digit());
    closes
        || (!rest.contains(char::is_whitespace) && ((line_ends && !is_word) || (has_both && !is_date) || randomness(rest) >= 4))
}

/// The end of what was read, with the lines it is from.
#[derive(Default)]
struct Tail {
    text: String,
    /// For each part of the text its line, where the part begins in the line, and its length.
    parts: Vec<(usize, usize, usize)>,
    /// The last line has no line break at its end, so the next one may go on with its last word.
    may_continue: bool,
}

impl Tail {
    fn take(&mut self, line: usize, text: &str) {
        let ended = text.trim_end_matches(['\n', '\r']);
        let is_whole = ended.len() < text.len();
        let start = tail_start(ended);
        let kept = ended.get(start..).unwrap_or_default();
        let goes_on = self.may_continue && start == 0 && !kept.contains(char::is_whitespace);
        if !goes_on || self.text.len() + kept.len() > MAX_WORD {
            self.text.clear();
            self.parts.clear();
        }
        self.text.push_str(kept);
        self.parts.push((line, start, kept.len()));
        self.may_continue = !is_whole;
    }

    /// Hides a range of the tail in the lines it is from.
    fn hide(&self, range: &Range<usize>, kind: &'static str, hidden: &mut [Vec<(Range<usize>, &'static str)>]) {
        let mut before = 0;
        for (line, start, length) in &self.parts {
            let (from, to) = (range.start.max(before), range.end.min(before + length));
            if from < to
                && let Some(own) = hidden.get_mut(*line)
            {
                own.push((from - before + start..to - before + start, kind));
            }
            before += length;
        }
    }
}

/// Where the part of a line starts that is joined with the next: its last line, near its end, whole words.
fn tail_start(text: &str) -> usize {
    let line = text.rfind('\n').map_or(0, |end| end + 1);
    let near = text.floor_char_boundary(text.len().saturating_sub(JOINED)).max(line);
    let far = text.floor_char_boundary(text.len().saturating_sub(MAX_WORD)).max(line);
    let word = text.get(far..near).and_then(|before| before.rfind(char::is_whitespace)).map_or(far, |blank| far + blank + 1);
    if text.is_char_boundary(word) { word } else { near }
}

/// How much of a line is joined with the one before it.
fn head_length(text: &str) -> usize {
    let near = text.floor_char_boundary(JOINED);
    let far = text.floor_char_boundary(MAX_WORD);
    text.get(near..far).and_then(|rest| rest.find(char::is_whitespace)).map_or(far, |blank| near + blank)
}

/// What a program wrote, without what its logger put around it.
struct LoggedPayload {
    text: String,
    frame: LoggerFrame,
    /// The platform wrote the line, not the program.
    is_platform: bool,
}

/// What stands around a payload.
struct LoggerFrame {
    /// What `aws logs tail` wrote in front of the event.
    listed: String,
    /// What the program's logger wrote in front of its text.
    prefix: String,
    /// The JSON document that holds the text, and the field of it.
    document: Option<(Value, &'static str)>,
}

impl LoggedPayload {
    fn of(line: &str) -> LoggedPayload {
        const PLATFORM: [&str; 7] =
            ["START RequestId", "END RequestId", "REPORT RequestId", "INIT_", "EXTENSION\t", "TELEMETRY\t", "RUNTIME_DONE"];
        let (listed, line) = line.split_at_checked(listed_length(line)).unwrap_or(("", line));
        let listed = listed.to_owned();
        let is_platform = PLATFORM.iter().any(|start| line.starts_with(start)) || line.contains("\"type\":\"platform.");
        if line.starts_with('{')
            && !is_platform
            && let Ok(document) = serde_json::from_str::<Value>(line)
            && let Some((field, text)) =
                TEXT_FIELDS.iter().find_map(|field| Some((*field, document.get(*field)?.as_str()?.to_owned())))
        {
            let frame = LoggerFrame { listed, prefix: String::new(), document: Some((document, field)) };
            return LoggedPayload { text, frame, is_platform };
        }
        let (prefix, text) = line.split_at_checked(prefix_length(line)).unwrap_or(("", line));
        let frame = LoggerFrame { listed, prefix: prefix.to_owned(), document: None };
        LoggedPayload { text: text.to_owned(), frame, is_platform }
    }

    /// Whether a logger began a record of its own, so that it goes on with none before it.
    fn is_record(&self) -> bool {
        !self.frame.prefix.is_empty()
    }

    fn with(self, text: &str) -> String {
        let LoggerFrame { listed, prefix, document } = self.frame;
        match document {
            None => listed + &prefix + text,
            Some((mut document, field)) => {
                if let Some(own) = document.get_mut(field) {
                    *own = Value::String(text.to_owned());
                }
                listed + &document.to_string()
            }
        }
    }
}

/// The length of what `aws logs tail` writes in front of an event: the time with its zone and the log stream, or in the short
/// format the time alone, with a blank behind each.
///
/// Source: AWS CLI Command Reference, `logs tail`, option `--format`.
fn listed_length(line: &str) -> usize {
    const SHORT: usize = "2024-05-01T12:00:00".len();
    const MAX_BYTES: usize = "2024-05-01T12:00:00.000000+00:00".len();
    let Some((time, rest)) = line.split_once(' ').filter(|(time, _)| (SHORT..=MAX_BYTES).contains(&time.len())) else { return 0 };
    let is_time = time.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ if at >= SHORT => byte.is_ascii_digit() || b".+-:".contains(&byte),
        _ => byte.is_ascii_digit(),
    });
    if !is_time {
        return 0;
    }
    if time.len() == SHORT {
        return SHORT + 1;
    }
    match rest.split_once(' ') {
        Some((stream, _)) if time.contains('+') && stream.contains('/') => time.len() + 1 + stream.len() + 1,
        _ if time.contains('+') => time.len() + 1,
        _ => 0,
    }
}

/// Whether a line is one word that says how something ended: `Forbidden`.
fn is_status(head: &str) -> bool {
    let word = head.trim().trim_end_matches(['.', '!']);
    let lower = word.strip_prefix(|char: char| char.is_ascii_uppercase()).unwrap_or_default();
    lower.len() >= 5 && lower.bytes().all(|byte| byte.is_ascii_lowercase()) && randomness(word) < 0
}

/// Whether a line begins a report of its own: an exception, or a record with its level. It is no value of the line before.
fn begins_report(head: &str) -> bool {
    const LEVELS: [&str; 11] =
        ["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL", "SEVERE", "CRITICAL", "PANIC"];
    const STARTS: [&str; 9] = [
        "Traceback",
        "Caused by",
        "Exception",
        "During handling",
        "START RequestId",
        "END RequestId",
        "REPORT RequestId",
        "File \"",
        "at ",
    ];
    const ENDINGS: [&str; 4] = ["Error", "Exception", "Warning", "Fault"];
    let head = head.trim_start();
    let first = head.split_whitespace().next().unwrap_or_default();
    let name = first.trim_start_matches('[').split(['(', ']', ':']).next().unwrap_or_default();
    let is_path = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte));
    // A level alone is written in capitals, which a password is not.
    LEVELS.contains(&name)
        || STARTS.iter().any(|start| head.starts_with(start))
        || (is_path && ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// Whether a line is the head of a block of a program, as a trace quotes it: its colon is followed by no value.
fn opens_code(tail: &str) -> bool {
    const WORDS: [&str; 9] = ["if ", "elif ", "while ", "for ", "with ", "def ", "except ", "assert ", "} else if "];
    let line = tail.trim();
    line.ends_with([':', '{']) && WORDS.iter().any(|word| line.starts_with(word))
}

/// The length of what Lambda's loggers write in front of a line: level, time and request id, with tabs behind them.
///
/// Source: Lambda Developer Guide, "Using the logging module" and "Using console output" of Python and Node.js.
fn prefix_length(line: &str) -> usize {
    const FIELDS: usize = 3;
    let mut length = 0;
    let mut has_time = false;
    for field in line.splitn(FIELDS + 1, '\t').take(FIELDS) {
        let is_field =
            field.len() <= 36 && !field.is_empty() && !field.contains(char::is_whitespace) && !field.contains(['=', ':'])
                || is_time(field);
        if !is_field || line.len() <= length + field.len() {
            break;
        }
        has_time |= is_time(field);
        length += field.len() + 1;
    }
    if has_time { length.min(line.len()) } else { 0 }
}

fn is_time(field: &str) -> bool {
    field.len() >= 20 && field.ends_with('Z') && field.bytes().take(4).all(|byte| byte.is_ascii_digit()) && field.contains('T')
}

/// Hides private keys that were printed line by line, with or without their first and their last line.
fn hide_keys(payloads: &[LoggedPayload], hidden: &mut [Vec<(Range<usize>, &'static str)>]) {
    let mut state = Block::Outside;
    let mut hide = |at: usize, payload: &LoggedPayload| {
        if let Some(own) = hidden.get_mut(at).filter(|_| !payload.text.trim().is_empty()) {
            own.push((0..payload.text.trim_end().len(), PRIVATE_KEY));
        }
    };
    let own: Vec<(usize, &LoggedPayload)> = payloads.iter().enumerate().filter(|(_, payload)| !payload.is_platform).collect();
    for (position, (at, payload)) in own.iter().enumerate() {
        let text = payload.text.trim();
        let neighbour =
            |step: isize| position.checked_add_signed(step).and_then(|near| own.get(near)).map(|(_, near)| near.text.trim());
        match block_of(text) {
            Some(Edge::BeginKey) => state = Block::Key(0),
            Some(Edge::BeginPublic) => state = Block::Public(0),
            Some(Edge::EndKey) => {
                if !matches!(state, Block::Key(_)) {
                    // Its first line was not seen: all lines of base64 above it.
                    for (above, line) in own.iter().take(position).rev().take_while(|(_, line)| is_base64_line(line.text.trim()))
                    {
                        hide(*above, line);
                    }
                }
                state = Block::Outside;
            }
            Some(Edge::EndPublic) => state = Block::Outside,
            None => match state {
                Block::Key(_) if is_key_line(text) || text.is_empty() => {
                    hide(*at, payload);
                    state = Block::Key(0);
                }
                Block::Key(between) if between < MAX_BETWEEN => state = Block::Key(between + 1),
                Block::Public(_) if is_base64_line(text) => state = Block::Public(0),
                Block::Public(between) if between < MAX_BETWEEN => state = Block::Public(between + 1),
                Block::Key(_) | Block::Public(_) | Block::Outside => {
                    state = Block::Outside;
                    let is_full = |line: &str| {
                        line.len() >= LEAST_KEY_LINE && is_base64_line(line) && is_base64_of_bytes(line) && randomness(line) >= 12
                    };
                    let near = |line: Option<&str>| {
                        line.is_some_and(|line| is_full(line) || matches!(block_of(line), Some(Edge::EndKey)))
                    };
                    let is_last = neighbour(-1).is_some_and(is_full)
                        && is_base64_line(text)
                        && (text.ends_with('=') || randomness(text) >= 8);
                    if (is_full(text) && (near(neighbour(-1)) || near(neighbour(1)))) || is_last {
                        hide(*at, payload);
                    }
                }
            },
        }
    }
}

/// Where the lines are: in a private key, in something public of the same form, or in neither; with the lines of others since.
enum Block {
    Outside,
    Key(usize),
    Public(usize),
}

/// A line that begins or ends such a block.
enum Edge {
    BeginKey,
    EndKey,
    BeginPublic,
    EndPublic,
}

fn block_of(text: &str) -> Option<Edge> {
    let is_private = text.contains("PRIVATE KEY") || text.contains("PRIVATE ENCRYPTED");
    let begin = text.rfind("---- BEGIN").or_else(|| text.rfind("----BEGIN"));
    let end = text.rfind("---- END").or_else(|| text.rfind("----END"));
    match (begin, end) {
        _ if text.starts_with("Private-Lines:") => Some(Edge::BeginKey),
        _ if text.starts_with("Private-MAC:") => Some(Edge::EndKey),
        _ if text.starts_with("Public-Lines:") => Some(Edge::BeginPublic),
        (Some(begin), end) if end.is_none_or(|end| end < begin) => {
            Some(if is_private { Edge::BeginKey } else { Edge::BeginPublic })
        }
        (_, Some(_)) => Some(if is_private { Edge::EndKey } else { Edge::EndPublic }),
        _ => None,
    }
}

/// Whether a line may be one of a private key's: base64, or one of the headers above it.
fn is_key_line(line: &str) -> bool {
    const HEADERS: [&str; 8] =
        ["Proc-Type:", "DEK-Info:", "Comment:", "Version:", "Hash:", "Charset:", "Key-Derivation:", "X509v3"];
    is_base64_line(line) || HEADERS.iter().any(|header| line.starts_with(header))
}

/// Whether a line is one word of base64, with the quotes and the escape that a program may print around it.
fn is_base64_line(line: &str) -> bool {
    let word = line.trim_matches(['"', '\'', ',', ' ']);
    let word = word.strip_suffix("\\n").unwrap_or(word);
    let word = word.strip_suffix("\\r").unwrap_or(word);
    let end = run_end(word, 0, |byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    let padded = run_end(word, end, |byte| byte == b'=');
    // A word of letters alone is a word.
    !word.is_empty() && padded == word.len() && padded - end <= 2 && (word.len() >= LEAST_KEY_LINE || !is_plain_word(word))
}

fn is_plain_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphabetic()) && randomness(word) < 4
}

/// A text with some of its ranges hidden, and how many.
fn masked(text: &str, ranges: &[(Range<usize>, &'static str)]) -> (String, usize) {
    let (mut out, mut copied, mut count) = (String::new(), 0, 0);
    for (range, kind) in ranges {
        let start = range.start.max(copied);
        if start >= range.end {
            continue;
        }
        out.push_str(text.get(copied..start).unwrap_or_default());
        out.push_str(&marker(kind));
        copied = range.end;
        count += 1;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    (out, count)
}
