//! `rotation-diag check`: what is missing before the bot can work.

use super::failure::CommandError;
use super::{Check, CheckFormat, interrupt};
use crate::app::PLATFORMS;
use crate::app::check::{self, CheckReport};
use crate::chat::{CheckResult, Checked};
use crate::config::{Config, ConfigError};
use crate::redact::SafeText;
use crate::report::json;
use std::io::Write;
use std::process::ExitCode;
use unicode_width::UnicodeWidthStr as _;

/// The status where the configuration has mistakes, as with every command.
const MISTAKEN: u8 = 2;

/// Tells what was found. The exit status is 1 when something is missing.
pub(super) fn run(options: &Check) -> Result<ExitCode, CommandError> {
    let config = match Config::read(&options.config, PLATFORMS) {
        Ok(config) => config,
        Err(ConfigError::Mistaken { path, problems }) if options.format == CheckFormat::Json => {
            let what = path.display().to_string();
            let found = |(line, text): &(usize, String)| Checked {
                what: SafeText::redact(&format!("{what} line {line}")),
                found: CheckResult::Missing(SafeText::redact(text)),
            };
            let checked: Vec<Checked> = problems.iter().map(found).collect();
            tell(&mut std::io::stdout().lock(), &checked, options.format)?;
            return Ok(ExitCode::from(MISTAKEN));
        }
        Err(error) => return Err(CommandError::Usage(error.to_string())),
    };
    interrupt::or(async {
        let checked = check::all(&config).await;
        tell(&mut std::io::stdout().lock(), &checked, options.format)?;
        let is_missing = checked.iter().any(|checked| matches!(checked.found, CheckResult::Missing(_)));
        Ok(if is_missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

fn tell(out: &mut impl Write, checked: &[Checked], format: CheckFormat) -> Result<(), CommandError> {
    let text = match format {
        CheckFormat::Text => table(checked),
        CheckFormat::Json => json(&CheckReport::of(checked)).map_err(CommandError::cannot_run)?,
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// One row for each thing that was looked at: its mark, what it is, how it stands; and at the end how many there are of each.
fn table(checked: &[Checked]) -> String {
    let width = checked.iter().map(|checked| checked.what.as_str().width()).max().unwrap_or_default();
    let mut text = String::new();
    for Checked { what, found } in checked {
        let (mark, how) = match found {
            CheckResult::Fine(how) => ('✓', how),
            CheckResult::Open(why) => ('?', why),
            CheckResult::Missing(why) => ('✗', why),
        };
        let room = " ".repeat(width.saturating_sub(what.as_str().width()));
        text.push_str(&format!("{mark}  {what}{room}  {how}\n"));
    }
    let summary = CheckReport::of(checked).summary;
    text.push_str(&format!("\n{} in order, {} cannot be told, {} missing\n", summary.fine, summary.open, summary.missing));
    text
}
