//! `rotation-diag serve`: the bot.

use super::failure::CommandError;
use super::{Serve, read_config, runtime};
use crate::app::App;
use crate::redact::SafeText;
use std::io::Write as _;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Runs until a signal. Standard error gets one line once it listens.
pub(super) fn run(options: &Serve) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    runtime::run(async {
        let app = App::start(&config).await.map_err(CommandError::cannot_run)?;
        let scheme = if config.http.tls.is_some() { "https" } else { "http" };
        let line = if app.is_listening() {
            format!("rotation-diag listens on {scheme}://{}", app.address())
        } else {
            format!("rotation-diag runs; {} is taken, and nothing in the configuration needs it", app.address())
        };
        writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?;
        app.run(CancellationToken::new()).await.map_err(CommandError::cannot_run)
    })?;
    Ok(ExitCode::SUCCESS)
}
