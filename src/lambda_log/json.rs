//! Structured log lines: Lambda's JSON format and the common JSON loggers, turned into text.

use super::Level;
use serde_json::{Map, Value};

const LEVEL_KEYS: [&str; 6] = ["level", "log_level", "severity", "levelname", "loglevel", "lvl"];
const ID_KEYS: [&str; 5] = ["requestId", "AWSRequestId", "aws_request_id", "function_request_id", "awsRequestId"];
/// Where loggers put what they have to say, in the order to read it.
const TEXT_KEYS: [&str; 14] = [
    "message",
    "msg",
    "event",
    "errorMessage",
    "error_message",
    "error",
    "err",
    "reason",
    "cause",
    "exception",
    "stackTrace",
    "stack_trace",
    "stack",
    "trace",
];

/// A structured line: its level, its request id, and its text.
pub(super) struct Structured {
    pub(super) level: Option<Level>,
    pub(super) request_id: Option<String>,
    pub(super) text: String,
}

/// Reads an application's JSON line; `None` where no field holds text.
pub(super) fn read(object: &Map<String, Value>) -> Option<Structured> {
    let mut text = String::new();
    append_object(object, &mut text);
    if text.is_empty() {
        return None;
    }
    let failed = object.contains_key("errorType") && object.contains_key("errorMessage");
    Some(Structured {
        level: LEVEL_KEYS.iter().find_map(|key| object.get(*key)).and_then(level).or_else(|| failed.then_some(Level::Error)),
        request_id: ID_KEYS.iter().find_map(|key| object.get(*key)).and_then(Value::as_str).map(str::to_owned),
        text,
    })
}

fn level(value: &Value) -> Option<Level> {
    match value {
        Value::String(name) => Level::from_name(name),
        Value::Number(number) => number.as_u64().map(Level::from_number),
        _ => None,
    }
}

fn append_object(object: &Map<String, Value>, text: &mut String) {
    let kind =
        ["errorType", "exception_name", "name", "type", "code"].iter().find_map(|key| object.get(*key).and_then(Value::as_str));
    let says = ["errorMessage", "message"].iter().find_map(|key| object.get(*key).and_then(Value::as_str));
    if let (Some(kind), Some(says)) = (kind, says)
        && (object.contains_key("errorType") || object.contains_key("stack"))
        && !says.contains(kind)
    {
        append(&format!("{kind}: {says}"), text);
    }
    for key in TEXT_KEYS {
        if let Some(value) = object.get(key) {
            append_value(value, text);
        }
    }
}

fn append_value(value: &Value, text: &mut String) {
    match value {
        Value::String(line) => append(line, text),
        Value::Array(lines) => lines.iter().for_each(|line| append_value(line, text)),
        Value::Object(object) => {
            let before = text.len();
            append_object(object, text);
            // An event dump has none of the known keys: keep it as JSON, its `Step` is evidence.
            if text.len() == before {
                append(&value.to_string(), text);
            }
        }
        _ => {}
    }
}

fn append(line: &str, text: &mut String) {
    let line = line.trim_end();
    if line.is_empty() || text.contains(line) {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}
