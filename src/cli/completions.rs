//! `rotation-diag completions`.

use super::failure::CommandError;
use std::io::Write as _;
use std::process::ExitCode;

pub(super) fn run(shell: clap_complete::Shell) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::definition(), "rotation-diag", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
