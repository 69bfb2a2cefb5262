//! `rotation-diag check`: what is missing before the bot can work.

use super::failure::CommandError;
use super::{Check, interrupt, read_config};
use crate::chat::{Checked, Found};
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
                Found::Fine(how) => writeln!(out, "✓ {what}: {how}")?,
                Found::Open(why) => writeln!(out, "? {what}: {why}")?,
                Found::Missing(why) => writeln!(out, "✗ {what}: {why}")?,
            }
        }
        out.flush()?;
        let is_missing = checked.iter().any(|checked| matches!(checked.found, Found::Missing(_)));
        Ok(if is_missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}
