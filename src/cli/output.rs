//! Where a report goes, and in which form.

use super::failure::CommandError;
use super::{Format, ReportOptions};
use crate::report::{self, Report};
use std::io::Write as _;
use std::path::Path;

/// The width where there is no terminal to ask, in columns.
const USUAL_WIDTH: usize = 100;

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: usize = 120;

/// Narrower than this, the margin would leave no room for text.
const NARROWEST: usize = 50;

/// Writes the report in the form and to the place that were asked for.
pub(super) fn write(report: &Report, options: &ReportOptions) -> Result<(), CommandError> {
    let text = match options.format {
        Format::Text => report::text(report, width()),
        Format::Markdown => report::markdown(report),
        Format::Json => report::json(report).map_err(CommandError::cannot_run)?,
    };
    put(&text, options.output.as_deref())
}

/// Writes a text to the file, or else to standard output.
pub(super) fn put(text: &str, file: Option<&Path>) -> Result<(), CommandError> {
    match file {
        Some(path) => write_file(path, text),
        None => {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    let plain = anstream::adapter::strip_str(text).to_string();
    std::fs::write(path, plain)
        .map_err(|error| CommandError::CannotRun(format!("the report cannot be written to {}: {error}", path.display())))
}

fn width() -> usize {
    let columns = terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns));
    columns.unwrap_or(USUAL_WIDTH).clamp(NARROWEST, WIDEST)
}
