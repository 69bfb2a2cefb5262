//! `rotation-diag migrate-store`: the store, moved from its file into a database.

use super::failure::CommandError;
use super::{MigrateStore, interrupt};
use crate::clock::Clock;
use crate::config::{StoreServer, TokenSource};
use crate::redact::SafeText;
use crate::store::Store;
use std::io::Write as _;
use std::process::ExitCode;

pub(super) fn run(options: &MigrateStore) -> Result<ExitCode, CommandError> {
    let password = options.password.as_deref().map(TokenSource::parse).transpose().map_err(CommandError::Usage)?;
    let server = StoreServer::new(&options.url, password, options.ca.clone()).map_err(CommandError::Usage)?;
    crate::tls::choose();
    interrupt::or(async {
        let moved = Store::move_to_server(&options.file, &server, Clock::system()).await.map_err(CommandError::cannot_run)?;
        let mut out = std::io::stdout().lock();
        for (table, rows) in moved {
            writeln!(out, "{rows:>10}  {}", SafeText::redact(table))?;
        }
        out.flush()?;
        let line = format!(
            "{} is in {server}: set [store] url, start the bot, and keep the file until you have seen it work",
            options.file.display()
        );
        writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?;
        Ok(ExitCode::SUCCESS)
    })
}
