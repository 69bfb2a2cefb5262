//! The report as one JSON object.

use super::Report;
use crate::redact::sanitize::is_unsafe_char;
use serde::Serialize;
use std::fmt::Write as _;

/// One JSON object, indented, in plain text: characters that could act on a terminal are written as escapes.
///
/// # Errors
/// None in practice: every field of a report has a JSON form.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    json_document(report)
}

/// `value` as one JSON object, indented and escaped like a report.
///
/// # Errors
/// Those of serialization.
pub fn json_document<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| escape(&text) + "\n")
}

/// `value` in one line of JSON, escaped like a report.
///
/// # Errors
/// Those of serialization.
pub fn json_line<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|text| escape(&text) + "\n")
}

/// Treacherous characters that JSON allows unescaped can occur only inside strings, where an escape means the same.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unsafe_char(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bidi_override_is_escaped_and_means_the_same() {
        for text in ["a\u{202e}b", "line\nbreak \u{9b} \u{e0041} \u{7f}", "\u{1b}[31m"] {
            let line = json_line(&text).unwrap();
            assert!(!line.trim_end().chars().any(is_unsafe_char), "{line:?}");
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
