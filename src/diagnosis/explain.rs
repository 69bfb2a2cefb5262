//! One log line in, what it stands for out.

use super::signatures::{classify_at, engine_of};
use crate::lambda_log::{Level, Record, rotation_step};
use crate::model::{Cause, RotationStep};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// What a log line stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The cause, or a line's label; `None` for a normal line.
    pub cause: Option<Cause>,
    /// The rotation step the line speaks of.
    pub step: Option<RotationStep>,
    /// The database or directory the line is about.
    pub engine: Option<&'static str>,
    /// The line as given; of `{"text": …}`, that text.
    pub text: String,
}

/// Explains one record of standard input: a line in Lambda's text or JSON format.
///
/// A line stands for a whole record: where a record of several lines was written as one, with `\n` in
/// place of the line breaks, it is read as it was. `{"text": "…"}` and a JSON string are unwrapped.
#[must_use]
pub fn explain(line: &str) -> Explanation {
    let line = line.trim_end_matches(['\r', '\n']);
    let text = unwrapped(line).unwrap_or(Cow::Borrowed(line));
    let whole = with_line_breaks(&text);
    let record = Record::read(&whole);
    let level = Some(record.level).filter(|level| *level != Level::Unstated);
    let found = if record.is_foreign { None } else { classify_at(&record.text, level) };
    Explanation {
        cause: found.map(|found| found.cause),
        step: found.map_or_else(|| rotation_step(&record.text), |found| found.step),
        engine: found.and_then(|found| found.engine).or_else(|| engine_of(&record.text)),
        text: text.into_owned(),
    }
}

/// The text inside `{"text": "…"}` or a JSON string. A Lambda record is left as it is.
fn unwrapped(line: &str) -> Option<Cow<'_, str>> {
    let trimmed = line.trim_start();
    if !trimmed.starts_with(['{', '"']) {
        return None;
    }
    match serde_json::from_str(trimmed).ok()? {
        Value::String(text) => Some(Cow::Owned(text)),
        Value::Object(mut object) => {
            let of_lambda = ["message", "record", "errorMessage", "requestId"].iter().any(|key| object.contains_key(*key));
            match object.remove("text") {
                Some(Value::String(text)) if !of_lambda => Some(Cow::Owned(text)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Undoes `\n` and `\t` written out, in text that has no line break of its own and is no JSON.
fn with_line_breaks(text: &str) -> Cow<'_, str> {
    let written_out = text.contains("\\n") || text.contains("\\t");
    if !written_out || text.contains('\n') || text.trim_start().starts_with('{') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\\n", "\n").replace("\\t", "\t"))
}
