//! Runs asynchronous work until it ends or a person presses Ctrl-C.

use super::failure::Failure;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

/// How long work that cannot be cancelled, such as a name look-up, may delay the end.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// The result of `work`, or [`Failure::Interrupted`]. Dropping the work undoes what it shows and serves.
pub(super) fn or(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::cannot_run)?;
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = work => ended,
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    });
    runtime.shutdown_timeout(PATIENCE);
    ended
}
