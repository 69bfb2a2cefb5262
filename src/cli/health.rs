//! `rotation-diag health`: asks a running bot how it is.

use super::failure::CommandError;
use super::{HealthArgs, interrupt, read_config};
use crate::app::health;
use crate::redact::SafeText;
use std::io::Write as _;
use std::process::ExitCode;

pub(super) fn run(options: &HealthArgs) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    interrupt::or(async {
        let said = health::ask(&config.http, options.ready).await.map_err(CommandError::cannot_run)?;
        writeln!(std::io::stdout().lock(), "{}", SafeText::redact(&said.text))?;
        Ok(if said.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}
