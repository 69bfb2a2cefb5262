//! News for the browsers that look at the page, as server-sent events. They say that there is something to look at, and
//! nothing else: what it is, each window learns by looking.

use crate::clock;
use axum::response::sse::{Event, Sse};
use futures::stream::{self, Stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// How many browsers may listen at once, each for all its windows; others ask again from time to time.
const MAX_STREAMS: usize = 64;
/// How many news a slow browser may miss before it is told only that there are some.
const KEPT: usize = 64;
/// How often a silent stream says that it is alive, so that a browser knows a dead one; proxies cut one after a minute.
const ALIVE: Duration = Duration::from_secs(10);

/// What a browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Something is to be shown anew. Browsers pass an event on only when it has data.
    Changed,
    /// The page goes away.
    Closed,
}

#[derive(Debug)]
pub(super) struct LiveViews {
    news: broadcast::Sender<News>,
    streams: Arc<Semaphore>,
    alive: Duration,
}

impl Default for LiveViews {
    fn default() -> LiveViews {
        LiveViews { news: broadcast::Sender::new(KEPT), streams: Arc::new(Semaphore::new(MAX_STREAMS)), alive: ALIVE }
    }
}

struct LiveListener {
    news: broadcast::Receiver<News>,
    alive: Duration,
    _permit: OwnedSemaphorePermit,
}

impl LiveViews {
    /// Tells every browser that listens.
    pub(super) fn tell(&self, news: News) {
        // Where nobody listens, nobody misses it.
        let _ = self.news.send(news);
    }

    /// Ends all streams; whoever still may listen begins another one.
    pub(super) fn interrupt(&self) {
        self.tell(News::Closed);
    }

    /// Ends all streams, and lets no new one begin.
    pub(super) fn close(&self) {
        self.streams.close();
        self.tell(News::Closed);
    }

    /// The news; `None` when too many listen already.
    pub(super) fn listen(&self) -> Option<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>> {
        let permit = self.streams.clone().try_acquire_owned().ok()?;
        let listener = LiveListener { news: self.news.subscribe(), alive: self.alive, _permit: permit };
        let events = stream::unfold(listener, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        });
        Some(Sse::new(events))
    }
}

impl LiveListener {
    async fn next(&mut self) -> Option<Event> {
        match tokio::time::timeout_at(clock::deadline(self.alive), self.news.recv()).await {
            // An event, and no comment: of those the page's script does not learn.
            Err(_) => Some(Event::default().event("alive").data("yes")),
            Ok(Ok(News::Changed) | Err(RecvError::Lagged(_))) => Some(Event::default().event("changed").data("look")),
            Ok(Ok(News::Closed) | Err(RecvError::Closed)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt as _;
    use std::pin::pin;

    #[tokio::test]
    async fn a_silent_stream_says_that_it_is_alive() {
        let live = LiveViews { alive: Duration::ZERO, ..LiveViews::default() };
        let response = axum::response::IntoResponse::into_response(live.listen().unwrap());
        let mut body = pin!(response.into_body().into_data_stream());
        for _ in 0..3 {
            assert_eq!(body.next().await.unwrap().unwrap(), "event: alive\ndata: yes\n\n");
        }
        live.close();
        assert!(body.next().await.is_none());
    }
}
