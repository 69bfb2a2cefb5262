//! One log event, read: who wrote it, at which level, for which request, and what it says.

use super::{Level, Platform, author, json, platform};
use serde_json::Value;
use std::borrow::Cow;

/// A log event, unwrapped from its format.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// The platform's record, where the platform wrote it.
    pub platform: Option<Platform>,
    pub level: Level,
    /// The request the line belongs to, where it says so.
    pub request_id: Option<Cow<'a, str>>,
    /// True where an extension, an agent or a tracer wrote it, and not the function.
    pub is_foreign: bool,
    /// The line's text; of a JSON record, what a text record would say.
    pub text: Cow<'a, str>,
}

/// Node.js prints what it could not handle as JSON behind these words.
const NODE_ERRORS: [&str; 4] = ["Invoke Error", "Uncaught Exception", "Unhandled Promise Rejection", "Init Error"];

/// Date, time (its minutes and seconds count apart), level and `RequestId` may come before the request id.
const WORDS_BEFORE_ID: usize = 8;

impl<'a> Record<'a> {
    /// Reads one event in the text or the JSON format.
    #[must_use]
    pub fn read(text: &'a str) -> Record<'a> {
        Record::from_json(text).unwrap_or_else(|| Record::from_text(text))
    }

    fn from_json(text: &str) -> Option<Record<'a>> {
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return None;
        };
        let kind = object.get("type").and_then(Value::as_str);
        if let (Some(kind), Some(record)) = (kind, object.get("record"))
            && kind.starts_with("platform.")
        {
            let (platform, id, text) = platform::from_json(kind, record);
            return Some(Record {
                platform: Some(platform),
                level: Level::Unstated,
                request_id: id.map(Cow::Owned),
                is_foreign: false,
                text: Cow::Owned(text),
            });
        }
        let line = json::read(&object)?;
        let level = line.level.unwrap_or_else(|| Level::of_text(&line.text));
        Some(Record {
            platform: None,
            level,
            request_id: line.request_id.map(Cow::Owned),
            is_foreign: author::is_foreign_record(&line.authors, &line.text) || author::is_foreign_text(&line.text),
            text: Cow::Owned(line.text),
        })
    }

    fn from_text(text: &'a str) -> Record<'a> {
        if let Some((platform, id)) = platform::from_text(text) {
            return Record {
                platform: Some(platform),
                level: Level::Unstated,
                request_id: id.map(Cow::Borrowed),
                is_foreign: false,
                text: Cow::Borrowed(text),
            };
        }
        Record {
            platform: None,
            level: Level::of_text(text),
            request_id: request_id(text).map(Cow::Borrowed),
            is_foreign: author::is_foreign_text(text),
            text: node_error(text).map_or(Cow::Borrowed(text), Cow::Owned),
        }
    }
}

/// `<time>\t<id>\tERROR\tInvoke Error \t{json}`: the JSON's text in place of the JSON.
fn node_error(text: &str) -> Option<String> {
    if !NODE_ERRORS.iter().any(|words| text.contains(words)) {
        return None;
    }
    let (before, after) = text.split_once('{')?;
    let Ok(Value::Object(object)) = serde_json::from_str(&format!("{{{after}")) else {
        return None;
    };
    let said = json::read(&object)?.text;
    Some(format!("{before}{said}"))
}

/// The request id: a UUID with nothing but time and level before it, or behind `RequestId:`. In the midst of a sentence it
/// is a version's.
fn request_id(text: &str) -> Option<&str> {
    let first_line = text.lines().next()?;
    let is_prefix = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            || Level::from_name(word).is_some()
            || matches!(word, "RequestId" | "requestId" | "request_id" | "undefined")
    };
    let mut words = super::level::words(first_line).take(WORDS_BEFORE_ID);
    words.find(|word| is_uuid(word) || !is_prefix(word)).filter(|word| is_uuid(word))
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_report_in_json_reads_like_its_text_form() {
        let json = r#"{"time":"2025-03-01T12:00:00.000Z","type":"platform.report","record":{"requestId":"r1","metrics":{"durationMs":3000.0,"billedDurationMs":3000,"memorySizeMB":128,"maxMemoryUsedMB":64},"status":"timeout"}}"#;
        let record = Record::read(json);
        assert_eq!(
            record.text,
            "REPORT RequestId: r1\tDuration: 3000.00 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout"
        );
        assert_eq!(record.platform, Record::read(&record.text).platform);
    }

    #[test]
    fn a_json_exception_reads_as_type_message_and_stack() {
        let record = Record::read(
            r#"{"timestamp":"2025-03-01T12:00:00Z","log_level":"ERROR","errorMessage":"'host'","errorType":"KeyError","requestId":"r1","stackTrace":["  File \"/var/task/lambda_function.py\", line 9, in set_secret\n"]}"#,
        );
        assert_eq!(record.level, Level::Error);
        assert_eq!(record.request_id.as_deref(), Some("r1"));
        assert_eq!(record.text, "KeyError: 'host'\n  File \"/var/task/lambda_function.py\", line 9, in set_secret");
    }

    #[test]
    fn an_error_before_the_first_request_has_an_empty_id_which_is_none() {
        let record = Record::read(
            r#"{"timestamp":"2025-03-01T12:00:00Z","log_level":"ERROR","errorMessage":"Unable to import module 'lambda_function': No module named 'psycopg2'","errorType":"Runtime.ImportModuleError","requestId":"","stackTrace":[]}"#,
        );
        assert_eq!(record.request_id, None);
        assert!(record.text.contains("No module named 'psycopg2'"), "{}", record.text);
    }

    #[test]
    fn a_uuid_is_a_request_id_behind_time_and_level_alone() {
        const ID: &str = "3f1c2d4e-0000-4000-8000-123456789012";
        for prefix in [
            "[INFO]\t2025-03-01T12:00:00.000Z\t",
            "2025-03-01T12:00:00.000Z\t",
            "2025-03-01T12:00:30.000Z ",
            "2025-03-01 12:00:00,123 ERROR ",
            "2025-03-01T12:00:00.000Z\tundefined\tERROR\t",
            "RequestId: ",
            "[ERROR] RequestId: ",
        ] {
            let line = format!("{prefix}{ID} createSecret failed");
            assert_eq!(Record::read(&line).request_id.as_deref(), Some(ID), "{line}");
        }
        for line in [
            format!("Secret version {ID} has no stage for rotation of secret a."),
            format!("[ERROR] ValueError: Secret version {ID} not set as AWSPENDING"),
            format!("createSecret: {ID} stored"),
        ] {
            assert_eq!(Record::read(&line).request_id, None, "{line}");
        }
    }

    #[test]
    fn a_node_error_is_unwrapped_behind_its_prefix() {
        let record = Record::read(
            "2025-03-01T12:00:00.000Z\t3f1c2d4e-0000-4000-8000-123456789012\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"say \\\"no\\\"\",\"stack\":[\"Error: say \\\"no\\\"\",\"    at setSecret (/var/task/index.js:3:1)\"]}",
        );
        assert_eq!(record.level, Level::Error);
        assert_eq!(record.request_id.as_deref(), Some("3f1c2d4e-0000-4000-8000-123456789012"));
        assert!(record.text.contains("Error: say \"no\"\n    at setSecret"));
    }
}
