//! `rotation-diag serve`: the bot.

use super::failure::Failure;
use super::{Serve, read_config};
use crate::app::App;
use crate::redact::SafeText;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long work that cannot be cancelled, such as a name look-up, may delay the end.
const PATIENCE: Duration = Duration::from_millis(200);

/// Runs until a signal. Standard error gets one line once it listens.
pub(super) fn run(options: &Serve) -> Result<ExitCode, Failure> {
    let config = read_config(&options.config)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::cannot_run)?;
    let ended = runtime.block_on(async {
        let app = App::start(&config).await.map_err(Failure::cannot_run)?;
        let scheme = if config.http.tls.is_some() { "https" } else { "http" };
        let line = format!("rotation-diag listens on {scheme}://{}", app.address());
        writeln!(std::io::stderr().lock(), "{}", SafeText::redact(&line))?;
        app.run(CancellationToken::new()).await.map_err(Failure::cannot_run)
    });
    runtime.shutdown_timeout(PATIENCE);
    ended.map(|()| ExitCode::SUCCESS)
}
