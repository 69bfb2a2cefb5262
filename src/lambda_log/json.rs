//! Structured log lines: Lambda's JSON format and the common JSON loggers, turned into text.
//!
//! A key is compared by its letters and digits alone, so that `log.level` (ECS), `log_level` and `logLevel` are one.
//! Sources: Elastic Common Schema, "Log fields"; OpenTelemetry, "Logs data model"; Serilog, "Compact Log Event Format";
//! pino and Bunyan, their level numbers; GELF 1.1; zap's `NewDevelopmentEncoderConfig`; Monolog's levels.

use super::Level;
use serde_json::{Map, Value};

/// Where loggers put the level, the most particular first.
const LEVEL_KEYS: [&str; 10] =
    ["loglevel", "level", "severity", "severitytext", "levelname", "lvl", "l", "severitynumber", "levelno", "priority"];
const ID_KEYS: [&str; 5] = ["requestid", "awsrequestid", "functionrequestid", "faasinvocationid", "lambdarequestid"];
/// Where loggers put the name of what wrote the line.
const AUTHOR_KEYS: [&str; 10] =
    ["logger", "loggername", "loglogger", "name", "component", "caller", "extension", "agent", "sourcecontext", "n"];
/// Where loggers put what they have to say, in the order to read it.
const TEXT_KEYS: [&str; 31] = [
    "message",
    "msg",
    "m",
    "renderedmessage",
    "mt",
    "messagetemplate",
    "shortmessage",
    "fullmessage",
    "body",
    "event",
    "errormessage",
    "error",
    "err",
    "reason",
    "cause",
    "exceptionmessage",
    "exception",
    "thrown",
    "x",
    "excinfo",
    "exctext",
    "exceptionstacktrace",
    "errorstacktrace",
    "stacktrace",
    "stack",
    "extendedstacktrace",
    "trace",
    "s",
    "text",
    "attributes",
    "record",
];

/// Where loggers put what belongs to a message. Lines of progress tell there what went before; only an error is read with it.
const DETAIL_KEYS: [&str; 12] = [
    "details",
    "detail",
    "context",
    "meta",
    "metadata",
    "fields",
    "extra",
    "data",
    "errorverbose",
    "parent",
    "original",
    "properties",
];

/// Where loggers put how long a function waits before it tries again.
const RETRY_KEYS: [&str; 6] = ["retryin", "retryinms", "retryafter", "retrydelay", "nextretryin", "backoff"];

/// A structured line: its level, its request id, its author, and its text.
pub(super) struct Structured {
    pub(super) level: Option<Level>,
    pub(super) request_id: Option<String>,
    /// The names by which the line says what wrote it.
    pub(super) authors: Vec<String>,
    pub(super) text: String,
}

/// Reads an application's JSON line; `None` where no field holds text.
pub(super) fn read(object: &Map<String, Value>) -> Option<Structured> {
    let fields = Fields::of(object);
    let mut text = String::new();
    append_object(&fields, &mut text);
    // Rust's tracing has the message itself there.
    if let Some(value) = fields.get("fields").filter(|_| text.is_empty()) {
        append_value("fields", value, &mut text);
    }
    if text.is_empty() {
        return None;
    }
    let failed = fields.get("errortype").is_some() && fields.get("errormessage").is_some();
    let level = level_of(&fields).or_else(|| failed.then_some(Level::Error));
    if level == Some(Level::Error) {
        for key in DETAIL_KEYS {
            if let Some(value) = fields.get(key) {
                append_value(key, value, &mut text);
            }
        }
    }
    // A warning that tells when the next try comes is one of several tries.
    if level == Some(Level::Warning)
        && let Some(wait) = RETRY_KEYS.iter().find_map(|key| fields.get(key)).filter(|wait| wait.is_string() || wait.is_number())
    {
        append(&format!("retry in {}", wait.to_string().trim_matches('"')), &mut text);
    }
    let named = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
    let of_log = fields.get("log").and_then(|log| log.get("logger")).and_then(Value::as_str).map(str::to_owned);
    Some(Structured {
        level,
        // Before the first request Lambda writes an empty id, which is none.
        request_id: ID_KEYS.iter().find_map(|key| named(key)).filter(|id| !id.trim().is_empty()),
        authors: AUTHOR_KEYS.iter().filter_map(|key| named(key)).chain(of_log).collect(),
        text,
    })
}

/// An object's fields by their keys' letters and digits.
struct Fields<'a> {
    fields: Vec<(String, &'a Value)>,
}

impl<'a> Fields<'a> {
    fn of(object: &'a Map<String, Value>) -> Fields<'a> {
        let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Fields { fields: object.iter().map(|(key, value)| (plain(key), value)).collect() }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }
}

fn level_of(fields: &Fields<'_>) -> Option<Level> {
    let stated = LEVEL_KEYS.iter().find_map(|key| level(key, fields.get(key)?, fields));
    let nested = || ["log", "record"].iter().find_map(|key| level("level", fields.get(key)?.get("level")?, fields));
    // Serilog leaves the level out where it is Information.
    let is_clef = fields.get("t").is_some() && (fields.get("m").is_some() || fields.get("mt").is_some());
    stated.or_else(nested).or_else(|| is_clef.then_some(Level::Info))
}

fn level(key: &str, value: &Value, fields: &Fields<'_>) -> Option<Level> {
    match value {
        // OpenTelemetry counts steps of a level (`ERROR2`), slog says how far beyond it a line is (`ERROR+2`).
        Value::String(name) => Level::from_name(name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '+' || c == '-'))
            .or_else(|| number(key, name.parse().ok()?, fields)),
        Value::Number(given) => number(key, given.as_u64()?, fields),
        Value::Object(object) => {
            let name = object.get("name").and_then(Value::as_str).and_then(Level::from_name);
            name.or_else(|| Level::from_python(object.get("no")?.as_u64()?))
        }
        _ => None,
    }
}

/// The scale of a number is its logger's.
fn number(key: &str, given: u64, fields: &Fields<'_>) -> Option<Level> {
    match key {
        "severitynumber" => Level::from_opentelemetry(given),
        "levelno" => Level::from_python(given),
        "priority" => Level::from_syslog(given),
        _ if given < 10 => fields.get("shortmessage").and_then(|_| Level::from_syslog(given)),
        _ => Some(Level::from_number(given)),
    }
}

fn append_object(fields: &Fields<'_>, text: &mut String) {
    let text_of = |keys: &[&str]| keys.iter().find_map(|key| fields.get(key).and_then(Value::as_str));
    let kind = text_of(&["errortype", "exceptiontype", "exceptionname", "name", "type", "code"]);
    let says = text_of(&["errormessage", "exceptionmessage", "message"]);
    let is_error =
        ["errortype", "exceptiontype", "stack", "stacktrace", "localizedmessage"].iter().any(|key| fields.get(key).is_some());
    if let (Some(kind), Some(says)) = (kind, says)
        && is_error
        && !says.contains(kind)
    {
        append(&format!("{kind}: {says}"), text);
    }
    for key in TEXT_KEYS {
        let is_template = matches!(key, "mt" | "messagetemplate") && !text.is_empty();
        if let Some(value) = fields.get(key).filter(|_| !is_template) {
            append_value(key, value, text);
        }
    }
    if is_error && let Some(status) = http_status(fields) {
        append(&format!("status code {status}"), text);
    }
}

/// The status of the HTTP answer that an error carries beside its words. AWS's SDKs give one to each error, which says no more
/// than the error's name.
fn http_status(fields: &Fields<'_>) -> Option<u64> {
    let is_of_aws = ["metadata", "fault", "retryable"].iter().any(|key| fields.get(key).is_some());
    let given = ["statuscode", "status", "httpstatus", "httpstatuscode"].iter().find_map(|key| fields.get(key)?.as_u64())?;
    (!is_of_aws && (400..600).contains(&given)).then_some(given)
}

fn append_value(key: &str, value: &Value, text: &mut String) {
    match value {
        Value::String(line) => append(line, text),
        Value::Array(pairs) if key == "attributes" => append_object(&Fields::of(&attributes(pairs)), text),
        Value::Array(lines) => lines.iter().for_each(|line| append_value(key, line, text)),
        Value::Object(object) => {
            let before = text.len();
            append_object(&Fields::of(object), text);
            if let Some(Value::String(body)) = object.get("stringValue") {
                append(body, text);
            }
            // An event dump has none of the known keys: keep it as JSON, its `Step` is evidence.
            if text.len() == before && !matches!(key, "attributes" | "record") {
                append(&value.to_string(), text);
            }
        }
        _ => {}
    }
}

/// OpenTelemetry's protocol writes attributes as a list of `{"key": …, "value": {"stringValue": …}}`.
fn attributes(pairs: &[Value]) -> Map<String, Value> {
    let pair = |pair: &Value| Some((pair.get("key")?.as_str()?.to_owned(), pair.get("value")?.get("stringValue")?.clone()));
    pairs.iter().filter_map(pair).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_logger_states_its_level_under_its_own_key_and_on_its_own_scale() {
        for (line, level) in [
            (json!({"@timestamp": "t", "log.level": "info", "message": "x", "ecs.version": "1.6.0"}), Level::Info),
            (json!({"@timestamp": "t", "log": {"level": "ERROR", "logger": "root"}, "message": "x"}), Level::Error),
            (json!({"severityText": "WARN", "severityNumber": 13, "body": "x"}), Level::Warning),
            (json!({"SeverityText": "ERROR2", "Body": "x"}), Level::Error),
            (json!({"severityNumber": 9, "body": {"stringValue": "x"}}), Level::Info),
            (json!({"severity_number": 17, "body": "x"}), Level::Error),
            (json!({"@t": "t", "@mt": "x {User}", "User": "app"}), Level::Info),
            (json!({"@t": "t", "@m": "x", "@l": "Error"}), Level::Error),
            (json!({"@t": "t", "@m": "x", "@l": "Verbose"}), Level::Debug),
            (json!({"Timestamp": "t", "Level": "Warning", "MessageTemplate": "x"}), Level::Warning),
            (json!({"level": 30, "time": 1, "pid": 8, "msg": "x"}), Level::Info),
            (json!({"level": 50, "name": "rotate", "hostname": "h", "msg": "x", "v": 0}), Level::Error),
            (json!({"level": "40", "msg": "x"}), Level::Warning),
            (json!({"level": "dpanic", "ts": 1.5, "msg": "x"}), Level::Error),
            (json!({"L": "INFO", "T": "t", "M": "x"}), Level::Info),
            (json!({"severity": "ERROR", "message": "x"}), Level::Error),
            (json!({"level": "ERROR+2", "msg": "x"}), Level::Error),
            (json!({"levelno": 20, "message": "x"}), Level::Info),
            (json!({"timestamp": "t", "level": "INFO", "fields": {"message": "x"}, "target": "rotate"}), Level::Info),
            (json!({"text": "x", "record": {"level": {"name": "ERROR", "no": 40}, "message": "x"}}), Level::Error),
            (json!({"version": "1.1", "short_message": "x", "level": 3}), Level::Error),
            (json!({"message": "x", "level": 400, "level_name": "ERROR"}), Level::Error),
        ] {
            assert_eq!(read(line.as_object().unwrap()).unwrap().level, Some(level), "{line}");
        }
    }

    #[test]
    fn an_error_carries_the_status_of_its_http_answer_but_for_those_of_aws() {
        let text = |line: Value| read(line.as_object().unwrap()).unwrap().text;
        let refused =
            text(json!({"errorType": "HttpError", "errorMessage": "Resource not accessible", "status": 403, "stack": []}));
        assert!(refused.ends_with("\nstatus code 403"), "{refused}");
        let told = text(
            json!({"level": 50, "err": {"message": "Request failed with status code 401", "stack": "at x", "status": 401}, "msg": "x"}),
        );
        assert_eq!(told.matches("401").count(), 1, "{told}");
        let of_aws =
            text(json!({"errorType": "ValidationException", "errorMessage": "bad", "statusCode": 400, "retryable": false}));
        assert!(!of_aws.contains("400"), "{of_aws}");
        let answered = text(json!({"level": "info", "msg": "gone already", "status": 404}));
        assert!(!answered.contains("404"), "{answered}");
    }

    #[test]
    fn a_warning_says_when_the_next_try_comes() {
        let text = |line: Value| read(line.as_object().unwrap()).unwrap().text;
        assert_eq!(
            text(json!({"level": "WARN", "msg": "attempt failed", "retry_in": "500ms"})),
            "attempt failed\nretry in 500ms"
        );
        assert_eq!(text(json!({"level": "ERROR", "msg": "attempt failed", "retry_in": 500})), "attempt failed");
    }

    #[test]
    fn an_error_in_fields_of_any_logger_reads_as_type_message_and_stack() {
        for line in [
            json!({"log.level": "error", "message": "failed", "error.type": "KeyError", "error.message": "'host'"}),
            json!({"severityText": "ERROR", "body": "failed", "attributes": {"exception.type": "KeyError", "exception.message": "'host'"}}),
            json!({"level": "error", "message": "failed", "error": {"type": "KeyError", "message": "'host'", "stack_trace": "at x"}}),
            json!({"level": "error", "message": "failed", "context": {"error": {"type": "KeyError", "message": "'host'", "stack": "at x"}}}),
            json!({"level": "error", "message": "failed", "details": "KeyError: 'host'"}),
            json!({"level": "ERROR", "message": "failed", "thrown": {"name": "KeyError", "message": "'host'", "localizedMessage": "'host'"}}),
            json!({"severityText": "ERROR", "body": "failed", "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}, {"key": "exception.message", "value": {"stringValue": "'host'"}}]}),
        ] {
            let text = read(line.as_object().unwrap()).unwrap().text;
            assert!(text.contains("failed") && text.contains("KeyError: 'host'"), "{text}");
        }
    }
}
