//! `rotation-diag check`: what is missing before the bot can work.

use super::failure::CommandError;
use super::{Check, interrupt, read_config};
use crate::chat::{CheckResult, Checked};
use std::io::Write as _;
use std::process::ExitCode;

/// Tells what was found, one line each. The exit status is 1 when something is missing.
pub(super) fn run(options: &Check) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    interrupt::or(async {
        let checked = crate::app::check::all(&config).await;
        let mut out = std::io::stdout().lock();
        for Checked { what, found } in &checked {
            match found {
                CheckResult::Fine(how) => writeln!(out, "✓ {what}: {how}")?,
                CheckResult::Open(why) => writeln!(out, "? {what}: {why}")?,
                CheckResult::Missing(why) => writeln!(out, "✗ {what}: {why}")?,
            }
        }
        out.flush()?;
        let is_missing = checked.iter().any(|checked| matches!(checked.found, CheckResult::Missing(_)));
        Ok(if is_missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}
