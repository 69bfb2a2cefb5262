//! Processes that share a database tell each other when there is something to do: PostgreSQL's NOTIFY, and a look now and then
//! for what was not heard.

use super::Changed;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The name of the channel.
const CHANNEL: &str = "rotation_diag";

/// How often everybody looks, told or not. A process that is killed after a commit tells nobody of it.
const POLL: Duration = Duration::from_secs(5);

/// How long after a lost connection it is made anew.
const AGAIN: Duration = Duration::from_secs(1);

/// Those in this process who wait for a change.
#[derive(Debug, Clone)]
pub(super) struct Hearers {
    pub(super) inbox: watch::Sender<()>,
    pub(super) messages: watch::Sender<()>,
}

impl Hearers {
    pub(super) fn nobody() -> Hearers {
        Hearers { inbox: watch::Sender::new(()), messages: watch::Sender::new(()) }
    }

    pub(super) fn tell(&self, changed: Changed) {
        match changed {
            Changed::Inbox => self.inbox.send_replace(()),
            Changed::Messages => self.messages.send_replace(()),
        }
    }

    fn tell_all(&self) {
        self.tell(Changed::Inbox);
        self.tell(Changed::Messages);
    }
}

/// What others are still to be told.
#[derive(Debug, Default)]
struct Untold {
    inbox: AtomicBool,
    messages: AtomicBool,
    more: Notify,
}

/// The connection on which is told and heard; it ends with this.
#[derive(Debug)]
pub(super) struct Signals {
    untold: Arc<Untold>,
    _tasks: JoinSet<()>,
}

impl Signals {
    /// Tells `waiting` what other processes than `replica` change, and those what this one does.
    pub(super) fn start(server: PgConnectOptions, replica: &str, waiting: &Hearers) -> Signals {
        // One that hears, and one that speaks.
        let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(POLL).connect_lazy_with(server);
        let untold = Arc::new(Untold::default());
        let mut tasks = JoinSet::new();
        let (hearing, hearers, own) = (pool.clone(), waiting.clone(), replica.to_owned());
        tasks.spawn(async move {
            loop {
                if let Err(error) = hear(&hearing, &own, &hearers).await {
                    tracing::debug!(%error, "what other processes do is only looked for");
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        let pollers = waiting.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(POLL).await;
                pollers.tell_all();
            }
        });
        let (speaking, replica) = (Arc::clone(&untold), replica.to_owned());
        tasks.spawn(async move {
            loop {
                speaking.more.notified().await;
                for (flag, what) in [(&speaking.inbox, Changed::Inbox), (&speaking.messages, Changed::Messages)] {
                    if flag.swap(false, Ordering::AcqRel) {
                        let said = format!("{replica} {}", what.word());
                        // Who does not hear it, looks.
                        let _ = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(said).execute(&pool).await;
                    }
                }
            }
        });
        Signals { untold, _tasks: tasks }
    }

    /// Tells the other processes, soon; several times at once are one.
    pub(super) fn tell(&self, changed: Changed) {
        let flag = match changed {
            Changed::Inbox => &self.untold.inbox,
            Changed::Messages => &self.untold.messages,
        };
        flag.store(true, Ordering::Release);
        self.untold.more.notify_one();
    }
}

/// Listens until the connection is lost.
async fn hear(pool: &sqlx::PgPool, own: &str, waiting: &Hearers) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // What was said before is not heard.
    waiting.tell_all();
    while let Some(said) = listener.try_recv().await? {
        match said.payload().split_once(' ') {
            Some((by, _)) if by == own => {}
            Some((_, what)) => match Changed::of_word(what) {
                Some(changed) => waiting.tell(changed),
                // Another version says it.
                None => waiting.tell_all(),
            },
            None => waiting.tell_all(),
        }
    }
    Ok(())
}
