//! News for the browsers that look at the page, as server-sent events.

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// How many browser windows may listen at once; others ask again from time to time.
const MOST_STREAMS: usize = 64;
/// How many news a slow browser may miss before it is told only that there are some.
const KEPT: usize = 64;
/// How often a silent stream says that it is alive; proxies cut one after a minute.
const ALIVE: Duration = Duration::from_secs(15);

/// What a browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Something is to be shown anew. Browsers pass an event on only when it has data.
    Changed,
    /// The thread that one session asked for is there.
    Opened {
        /// The session.
        session: String,
        /// The message the thread hangs on.
        root: String,
    },
    /// The page goes away.
    Closed,
}

#[derive(Debug)]
pub(super) struct Live {
    news: broadcast::Sender<News>,
    streams: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Live {
        Live { news: broadcast::Sender::new(KEPT), streams: Arc::new(Semaphore::new(MOST_STREAMS)) }
    }
}

struct Listener {
    news: broadcast::Receiver<News>,
    session: String,
    _permit: OwnedSemaphorePermit,
}

impl Live {
    /// Tells every browser that listens.
    pub(super) fn tell(&self, news: News) {
        // Where nobody listens, nobody misses it.
        let _ = self.news.send(news);
    }

    /// Ends all streams, and lets no new one begin.
    pub(super) fn close(&self) {
        self.streams.close();
        self.tell(News::Closed);
    }

    /// The news of one session; `None` when too many listen already.
    pub(super) fn listen(&self, session: &str) -> Option<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>> {
        let permit = self.streams.clone().try_acquire_owned().ok()?;
        let listener = Listener { news: self.news.subscribe(), session: session.to_owned(), _permit: permit };
        let events = stream::unfold(listener, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        });
        Some(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
    }
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            return match self.news.recv().await {
                Ok(News::Changed) | Err(RecvError::Lagged(_)) => Some(Event::default().event("changed").data("look")),
                Ok(News::Opened { session, root }) if session == self.session => {
                    Some(Event::default().event("opened").data(super::view::thread_path(&root)))
                }
                Ok(News::Opened { .. }) => continue,
                Ok(News::Closed) | Err(RecvError::Closed) => None,
            };
        }
    }
}
