//! Socket Mode: sockets that are kept open, each replaced before it ends.
//!
//! slack-morphism's listener closes the old socket before it opens the new one, retries a rejected token forever, connects
//! without a deadline, acknowledges one message at a time, and logs the address with its ticket. Here the new socket says
//! hello before the old one is let go, a rejected token ends the program with a reason, and every message is taken beside
//! the others.

mod connection;
mod health;

pub use health::SocketHealth;

use super::failure::FailureKind;
use super::receiver::Receiver;
use super::{Slack, SlackStop};
use crate::backoff::Backoff;
use crate::clock::Stopwatch;
use connection::{NoConnection, SocketConnection, SocketEnd};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The intervals and deadlines of sockets and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTimeouts {
    /// How long a call of the Web API may take. Slack answers most within a second; an upload is 1 MiB at most.
    pub answer: Duration,
    /// How often the bot pings. Slack pings too, about every half minute.
    pub ping_every: Duration,
    /// A socket on which nothing was heard for this long is dead, whatever TCP thinks.
    pub silence: Duration,
    /// How long opening a socket may take, from the address to Slack's hello.
    pub opening: Duration,
    /// How long one frame may take to leave.
    pub writing: Duration,
    /// How long a replaced socket is still read.
    pub draining: Duration,
    /// The first wait after a failure; it doubles from there.
    pub first_wait: Duration,
    /// The longest wait after a failure.
    pub longest_wait: Duration,
}

impl Default for SocketTimeouts {
    fn default() -> SocketTimeouts {
        SocketTimeouts {
            answer: Duration::from_secs(10),
            ping_every: Duration::from_secs(10),
            silence: Duration::from_secs(35),
            opening: Duration::from_secs(15),
            writing: Duration::from_secs(5),
            draining: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// A socket that lived this long ended for a reason of its own; the next one is opened without a wait.
const GOOD_LIFE: Duration = Duration::from_secs(20);

/// Keeps `count` sockets until `stop`.
pub(super) async fn keep_all(
    slack: &Arc<Slack>,
    receiver: &Arc<Receiver>,
    count: u8,
    stop: &CancellationToken,
) -> Result<(), SlackStop> {
    let mut lines = JoinSet::new();
    for _ in 0..count {
        let line = SocketLine { slack: Arc::clone(slack), receiver: Arc::clone(receiver), count, stop: stop.clone() };
        lines.spawn(async move { line.keep().await });
    }
    while let Some(ended) = lines.join_next().await {
        ended.map_err(|_| SlackStop::Unable("the task of a socket ended in a panic".to_owned()))??;
    }
    Ok(())
}

/// One socket and its successors.
struct SocketLine {
    slack: Arc<Slack>,
    receiver: Arc<Receiver>,
    /// How many there are.
    count: u8,
    stop: CancellationToken,
}

impl SocketLine {
    async fn keep(&self) -> Result<(), SlackStop> {
        let rhythm = self.slack.rhythm;
        let mut backoff = Backoff::new(rhythm.first_wait, rhythm.longest_wait);
        let mut renewed = self.slack.tokens.inbound.changes();
        let mut next = self.open(&mut backoff).await?;
        if self.slack.sockets.open() == usize::from(self.count) {
            self.slack.say_where();
        }
        while let Some(connection) = next {
            let life = Stopwatch::start();
            let (notify, mut notice) = oneshot::channel();
            let mut talk = tokio::spawn(connection.talk(Arc::clone(&self.receiver), notify, self.stop.clone()));
            let ended = tokio::select! {
                ended = &mut talk => Some(ended),
                // Told to go: the next socket is open before this one is let go. Where the notice is dropped, it ended.
                told = &mut notice => if told.is_ok() { None } else { Some((&mut talk).await) },
                // The same with a new token.
                Ok(()) = renewed.changed() => None,
            };
            match ended {
                None => {
                    next = self.open(&mut backoff).await?;
                    tokio::spawn(async move {
                        if tokio::time::timeout(rhythm.draining, &mut talk).await.is_err() {
                            talk.abort();
                        }
                    });
                }
                Some(Ok(SocketEnd::Stopped)) => return Ok(()),
                Some(Ok(SocketEnd::Disabled)) => return Err(disabled()),
                Some(Ok(SocketEnd::Lost)) => {
                    if life.elapsed() >= GOOD_LIFE {
                        backoff.reset();
                    } else {
                        self.wait(backoff.next_wait()).await;
                    }
                    next = self.open(&mut backoff).await?;
                }
                Some(Err(_)) => return Err(SlackStop::Unable("the task of a socket ended in a panic".to_owned())),
            }
        }
        Ok(())
    }

    /// Opens a socket, however long it takes; `None` when told to stop.
    async fn open(&self, backoff: &mut Backoff) -> Result<Option<SocketConnection>, SlackStop> {
        loop {
            let tried = self.slack.tokens.inbound.current();
            let opened = tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                opened = SocketConnection::open(&self.slack) => opened,
            };
            let wait = match opened {
                Ok(connection) => {
                    return Ok(Some(connection));
                }
                Err(NoConnection::Disabled) => return Err(disabled()),
                Err(NoConnection::Failed(failure)) if failure.is_about_the_token() => {
                    if self.slack.tokens.have_another_inbound_than(&tried) {
                        continue;
                    }
                    return Err(SlackStop::NotLetIn(failure.to_string()));
                }
                Err(NoConnection::Failed(failure)) => {
                    tracing::warn!(%failure, "no socket to Slack yet");
                    match failure.kind {
                        FailureKind::RateLimited(wait) => wait.max(backoff.next_wait()),
                        _ => backoff.next_wait(),
                    }
                }
                Err(NoConnection::Broken(why)) => {
                    tracing::warn!(why, "no socket to Slack yet");
                    backoff.next_wait()
                }
            };
            self.wait(wait).await;
        }
    }

    async fn wait(&self, wait: Duration) {
        let _ = tokio::time::timeout(wait, self.stop.cancelled()).await;
    }
}

fn disabled() -> SlackStop {
    SlackStop::NotLetIn(
        "Socket Mode is switched off in the app's settings; switch it on, or set slack.mode = \"http\"".to_owned(),
    )
}
