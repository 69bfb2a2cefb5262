//! Runs asynchronous work until it ends or a person presses Ctrl-C.

use super::failure::CommandError;
use super::runtime;
use std::future::Future;
use std::process::ExitCode;

/// The result of `work`, or [`CommandError::Interrupted`]. Dropping the work undoes what it shows and serves.
pub(super) fn or(work: impl Future<Output = Result<ExitCode, CommandError>>) -> Result<ExitCode, CommandError> {
    runtime::run(async {
        tokio::select! {
            ended = work => ended,
            _ = tokio::signal::ctrl_c() => Err(CommandError::Interrupted),
        }
    })
}
