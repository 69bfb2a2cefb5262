//! The web server: bounded in size, time and number.

use super::AppError;
use super::ending::Parts;
use super::platforms::Alive;
use crate::config::Http;
use crate::investigation::Health;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest body any sender needs, in bytes: SNS's, see the alarms.
const LARGEST_BODY: usize = 2 << 20;

/// How long a request may take to arrive and be answered. Slack, Discord and SNS give up earlier.
const ANSWER: Duration = Duration::from_secs(15);

/// How long the head of a request may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);

/// Connections at once; others are closed as soon as they come.
const MOST_CONNECTIONS: usize = 512;

/// How long answers may take that are under way when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What is answered.
pub(super) struct Site {
    pub(super) health: Health,
    pub(super) alive: Vec<(&'static str, Alive)>,
    pub(super) draining: CancellationToken,
    pub(super) routers: Vec<Router>,
}

/// Stops the server.
pub(super) struct Stop(Handle<SocketAddr>);

impl Stop {
    pub(super) fn stop(&self) {
        self.0.graceful_shutdown(Some(LAST_ANSWERS));
    }
}

/// Listens, and answers as a part of `parts`.
pub(super) async fn serve(http: &Http, site: Site, parts: &mut Parts) -> Result<(SocketAddr, Stop), AppError> {
    let cannot = |error: io::Error| AppError::Listen { address: http.listen, why: error.to_string() };
    let listener = std::net::TcpListener::bind(http.listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let handle = Handle::new();
    let limit = Limited { places: Arc::new(Semaphore::new(MOST_CONNECTIONS)) };
    let mut server: Server<SocketAddr> =
        axum_server::from_tcp(listener).map_err(cannot)?.handle(handle.clone()).first_request_timeout(HEAD);
    server.http_builder().http1().header_read_timeout(HEAD);
    let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
    match &http.tls {
        Some((certificate, key)) => {
            let config = RustlsConfig::from_pem_file(certificate, key).await.map_err(|error| AppError::Tls(error.to_string()))?;
            let server = server.acceptor(RustlsAcceptor::new(config).acceptor(limit));
            parts.add("the web server", async { server.serve(service).await.map_err(|error| error.to_string()) });
        }
        None => {
            if !address.ip().is_loopback() {
                tracing::warn!(%address, "plain HTTP is offered to the network: put a proxy that ends TLS in front, or set [http] tls_certificate");
            }
            let server = server.acceptor(limit);
            parts.add("the web server", async { server.serve(service).await.map_err(|error| error.to_string()) });
        }
    }
    Ok((address, Stop(handle)))
}

fn router(site: Site) -> Router {
    let Site { health, alive, draining, routers } = site;
    let state = Arc::new(Vitals { health, alive, draining: draining.clone() });
    let vital = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(state);
    let intake = routers.into_iter().fold(Router::new(), Router::merge);
    vital
        .merge(intake.layer(middleware::from_fn_with_state(draining, open)))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER))
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
}

struct Vitals {
    health: Health,
    alive: Vec<(&'static str, Alive)>,
    draining: CancellationToken,
}

/// The process answers. Nothing about it is told.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Everything works, and the intake is open.
async fn readyz(State(vitals): State<Arc<Vitals>>) -> Response {
    let dead = vitals.alive.iter().find(|(_, alive)| !alive());
    if vitals.health.is_good() && dead.is_none() && !vitals.draining.is_cancelled() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
}

/// Once the intake is closed, whoever can send again later is told to.
async fn open(State(draining): State<CancellationToken>, request: Request, next: Next) -> Response {
    if draining.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

/// Lets so many connections in.
#[derive(Clone)]
struct Limited {
    places: Arc<Semaphore>,
}

impl<I, S> Accept<I, S> for Limited {
    type Stream = I;
    type Service = Seated<S>;
    type Future = Ready<io::Result<(I, Seated<S>)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Ok((stream, Seated { service, _place: Arc::new(place) })),
            Err(_) => Err(io::Error::other("too many connections")),
        })
    }
}

/// A connection's service; it gives its place back when the connection ends.
#[derive(Clone)]
struct Seated<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<S: tower::Service<R>, R> tower::Service<R> for Seated<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}
