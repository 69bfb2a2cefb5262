//! `rotation-diag serve`: the bot.

use super::failure::CommandError;
use super::{Serve, logging, read_config, runtime};
use crate::app::App;
use crate::app::traces::TraceExport;
use crate::redact::SafeText;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// Runs until a signal. Standard error gets one line once it listens.
pub(super) fn run(options: &Serve) -> Result<ExitCode, CommandError> {
    let config = read_config(&options.config)?;
    runtime::run(async {
        let traces = config.traces.as_ref().map(TraceExport::prepare).transpose().map_err(CommandError::cannot_run)?;
        if let Some(traces) = &traces {
            logging::trace(traces.layer());
        }
        let app = App::start(&config).await.map_err(CommandError::cannot_run)?;
        let scheme = if config.http.tls.is_some() { "https" } else { "http" };
        let line = if app.is_listening() {
            format!("rotation-diag listens on {scheme}://{}", app.address())
        } else {
            format!("rotation-diag runs; {} is taken, and nothing in the configuration needs it", app.address())
        };
        logging::say("INFO", &SafeText::redact(&line))?;
        if let Some(address) = app.metrics_address() {
            logging::say("INFO", &SafeText::redact(&format!("metrics are at http://{address}/metrics")))?;
        }
        let ended = app.run(CancellationToken::new()).await;
        if let Some(traces) = traces {
            traces.finish().await;
        }
        ended.map_err(CommandError::cannot_run)
    })?;
    Ok(ExitCode::SUCCESS)
}
