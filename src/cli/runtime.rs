//! The threads that the commands run on.

use super::failure::CommandError;
use std::time::Duration;
use tokio::runtime::Builder;

/// The stack of a thread, in bytes. The futures of an unoptimised build, the AWS SDK's among them, outgrow tokio's 2 MiB
/// where a step's call is reached through the whole of the bot. Only what is touched takes memory.
const STACK: usize = 8 << 20;

/// How long work that cannot be cancelled, such as a name look-up, may delay the end.
const PATIENCE: Duration = Duration::from_millis(200);

/// Runs `work` to its end.
///
/// # Errors
/// Those of `work`, and [`CommandError`] where the system gives no threads.
pub(super) fn run<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = Builder::new_multi_thread().thread_stack_size(STACK).enable_all().build().map_err(CommandError::cannot_run)?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(PATIENCE);
    ended
}
