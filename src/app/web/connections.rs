//! Connections at once. When all seats are taken, whoever has kept us waiting for longest gives up theirs: a flood of
//! connections that say nothing, or little at a time, keeps nobody else out. Whoever waits for us keeps the seat.

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum_server::accept::Accept;
use futures::StreamExt as _;
use futures::stream;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Lets so many connections in.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimiter {
    most: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    /// By when they were taken.
    seats: BTreeMap<u64, Arc<ConnectionState>>,
}

/// A connection's seat.
#[derive(Debug, Default)]
pub(super) struct ConnectionState {
    /// The whole request is here, and its answer is not.
    is_answering: AtomicBool,
    gives_way: CancellationToken,
}

/// The right to a seat; it ends with the connection.
#[derive(Debug)]
struct ConnectionSlot {
    number: u64,
    seat: Arc<ConnectionState>,
    taken: Arc<Mutex<Taken>>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).seats.remove(&self.number);
    }
}

impl ConnectionLimiter {
    pub(super) fn new(most: usize) -> ConnectionLimiter {
        ConnectionLimiter { most, taken: Arc::default() }
    }

    /// A seat; `None` where all are taken by connections that wait for us.
    fn take(&self) -> Option<ConnectionSlot> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.seats.len() >= self.most {
            let waited_for = taken.seats.iter().find(|(_, seat)| !seat.is_answering.load(Ordering::Relaxed));
            let oldest = waited_for.map(|(number, _)| *number)?;
            if let Some(seat) = taken.seats.remove(&oldest) {
                seat.gives_way.cancel();
            }
        }
        let number = taken.next;
        taken.next += 1;
        let seat = Arc::<ConnectionState>::default();
        taken.seats.insert(number, Arc::clone(&seat));
        Some(ConnectionSlot { number, seat, taken: Arc::clone(&self.taken) })
    }
}

impl<I, S> Accept<I, S> for ConnectionLimiter {
    type Stream = Seated<I>;
    type Service = Served<S>;
    type Future = Ready<io::Result<(Seated<I>, Served<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match self.take() {
            Some(place) => {
                let gives_way = Box::pin(place.seat.gives_way.clone().cancelled_owned());
                Ok((Seated { stream, gives_way }, Served { service, place: Arc::new(place) }))
            }
            None => Err(io::Error::other("too many connections")),
        })
    }
}

/// A connection that breaks off when its seat is given to another.
pub(super) struct Seated<I> {
    stream: I,
    gives_way: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.gives_way.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, read)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A connection's service; its requests know their seat.
#[derive(Debug, Clone)]
pub(super) struct Served<S> {
    service: S,
    place: Arc<ConnectionSlot>,
}

impl<S: tower::Service<axum::http::Request<B>>, B> tower::Service<axum::http::Request<B>> for Served<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: axum::http::Request<B>) -> S::Future {
        request.extensions_mut().insert(Arc::clone(&self.place.seat));
        self.service.call(request)
    }
}

/// Notes, for a request's seat, from when to when it is us who are waited for.
pub(super) async fn attend(request: Request, next: Next) -> Response {
    let Some(seat) = request.extensions().get::<Arc<ConnectionState>>().cloned() else { return next.run(request).await };
    let answering = Answering(seat);
    let request = request.map(|body| answering.noting_the_end_of(body));
    next.run(request).await
}

/// An answer that is being made, until this is dropped.
struct Answering(Arc<ConnectionState>);

impl Answering {
    fn noting_the_end_of(&self, body: Body) -> Body {
        let seat = Arc::clone(&self.0);
        if body.is_end_stream() {
            seat.is_answering.store(true, Ordering::Relaxed);
            return body;
        }
        let mut chunks = body.into_data_stream();
        Body::from_stream(stream::poll_fn(move |cx| {
            let polled = chunks.poll_next_unpin(cx);
            if matches!(polled, Poll::Ready(None)) {
                seat.is_answering.store(true, Ordering::Relaxed);
            }
            polled
        }))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.is_answering.store(false, Ordering::Relaxed);
    }
}
