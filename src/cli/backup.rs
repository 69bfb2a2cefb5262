//! `rotation-diag backup`: the store, copied while the bot runs.

use super::failure::CommandError;
use super::{Backup, interrupt, read_config};
use crate::redact::SafeText;
use crate::store::Store;
use std::io::Write as _;
use std::process::ExitCode;

pub(super) fn run(options: &Backup) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    if let Some(server) = &config.store.server {
        return Err(CommandError::cannot_run(format!("the store is {server}: copy it with pg_dump, as docs/operations.md says")));
    }
    interrupt::or(async {
        let bytes = Store::copy(&config.store.path, &options.copy).await.map_err(CommandError::cannot_run)?;
        let line = format!("{} is a copy of {}, {bytes} bytes", options.copy.display(), config.store.path.display());
        writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?;
        Ok(ExitCode::SUCCESS)
    })
}
