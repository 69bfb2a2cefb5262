//! What log lines stand for.

use crate::diagnosis::{Explanation, explain};
use crate::model::{Cause, RotationStep};
use crate::redact::{Redactor, SafeText};
use crate::report::{SCHEMA_VERSION, Untrusted};
use serde::Serialize;

/// Lines that one document explains at most: a failing invocation writes a few dozen.
pub const MAX_LINES: usize = 1_000;

/// The fields of [`ExplainedLines`] that quote what others wrote.
const UNTRUSTED: Untrusted = &["lines[].text"];

/// What a log line stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedLine {
    /// `None` for a normal line.
    pub cause: Option<Cause>,
    /// The rotation step the line speaks of.
    pub step: Option<RotationStep>,
    /// The database or directory the line is about.
    pub engine: Option<&'static str>,
    /// The line, redacted.
    pub text: SafeText,
}

/// Several of them, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedLines {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub lines: Vec<ExplainedLine>,
    /// The fields above that quote what others wrote.
    pub untrusted: Untrusted,
}

/// There were more lines than [`MAX_LINES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_LINES} lines: give those of one failing invocation, from START to REPORT")]
pub struct TooManyLines;

impl From<Explanation> for ExplainedLine {
    fn from(Explanation { cause, step, engine, text }: Explanation) -> ExplainedLine {
        ExplainedLine { cause, step, engine, text: SafeText::redact(&text) }
    }
}

impl ExplainedLines {
    /// Explains lines that belong together: a secret that is cut over several of them is hidden in all.
    ///
    /// # Errors
    /// [`TooManyLines`].
    pub fn of(mut lines: Vec<String>) -> Result<ExplainedLines, TooManyLines> {
        if lines.len() > MAX_LINES {
            return Err(TooManyLines);
        }
        Redactor::default().redact_lines(&mut lines.iter_mut().collect::<Vec<_>>());
        let lines = lines.iter().map(|line| explain(line).into()).collect();
        Ok(ExplainedLines { schema_version: SCHEMA_VERSION, lines, untrusted: UNTRUSTED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_belong_together_hide_what_is_cut_over_them() {
        let lines = ["password:", "xyzzy9tiger", "setSecret: Unable to log into database"].map(str::to_owned);
        let explained = ExplainedLines::of(lines.to_vec()).unwrap();
        assert_eq!(explained.lines.len(), 3);
        assert!(!serde_json::to_string(&explained).unwrap().contains("xyzzy9"));
        assert_eq!(explained.lines.last().and_then(|line| line.step).map(|step| step.name()), Some("setSecret"));
    }

    #[test]
    fn more_lines_than_an_invocation_writes_are_refused() {
        assert!(ExplainedLines::of(vec![String::new(); MAX_LINES]).is_ok());
        assert_eq!(ExplainedLines::of(vec![String::new(); MAX_LINES + 1]), Err(TooManyLines));
    }
}
