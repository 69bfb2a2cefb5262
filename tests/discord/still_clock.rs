//! A clock that stands still but for the pauses the bot makes, so that they are waited out in no time. Held with tokio's own means
//! alone it would run ahead of what is on its way over a socket, and deadlines would end before their answers come.

use rotation_diag::clock::{Pauses, this_instant};
use std::sync::mpsc;
use std::time::Duration;
use tokio::time::Instant;

/// While there is one, the time of a test that began paused passes in [`StillClock::pauses`] alone.
pub(crate) struct StillClock {
    started: Instant,
    /// Its end lets go of the thread that keeps the runtime from moving the clock by itself.
    _held: mpsc::Sender<()>,
}

impl StillClock {
    pub(crate) fn hold() -> StillClock {
        let (held, let_go) = mpsc::channel::<()>();
        // tokio moves a paused clock when nothing is left to do, which is never so while a blocking task runs.
        drop(tokio::task::spawn_blocking(move || let_go.recv()));
        StillClock { started: this_instant(), _held: held }
    }

    /// The pauses that move it, each by its length.
    pub(crate) fn pauses() -> Pauses {
        Pauses::with(|time| Box::pin(tokio::time::advance(time)))
    }

    /// How much the bot has paused since it is held.
    pub(crate) fn paused_for(&self) -> Duration {
        this_instant() - self.started
    }
}
