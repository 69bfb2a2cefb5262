//! The web server: bounded in size, time and number.

mod certificate;
mod connections;

use super::AppError;
use super::health::{ALIVE, READY};
use super::supervisor::Supervisor;
use super::vitals::Vitals;
use crate::config::{Http, MetricsServer, beside};
use crate::metrics::{MEDIA_TYPE, Metrics};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use certificate::ServerCertificate;
use connections::ConnectionLimiter;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest body any sender needs, in bytes: SNS's, see the alarms.
const MAX_BODY_BYTES: usize = 2 << 20;

/// How long answers may take that are under way when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// What connections and requests may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerLimits {
    /// How long a request may take to arrive and be answered. Slack, Discord and SNS give up earlier.
    pub(super) answer: Duration,
    /// How long the head of a request may take, and how long a connection may be idle.
    pub(super) head: Duration,
    /// Connections at once; see [`ConnectionLimiter`].
    pub(super) connections: usize,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits { answer: Duration::from_secs(15), head: Duration::from_secs(10), connections: 512 }
    }
}

/// What is answered.
pub(super) struct Site {
    pub(super) vitals: Arc<Vitals>,
    pub(super) routers: Vec<Router>,
    /// What takes as long as it takes, within deadlines of its own.
    pub(super) slow_routers: Vec<Router>,
}

/// Stops the server.
pub(super) struct ServerStop(Handle<SocketAddr>);

impl ServerStop {
    pub(super) fn stop(&self) {
        self.0.graceful_shutdown(Some(LAST_ANSWERS));
    }
}

/// Listens, and answers as a part of `parts`.
pub(super) async fn serve(
    http: &Http,
    limits: ServerLimits,
    site: Site,
    parts: &mut Supervisor,
) -> Result<(SocketAddr, ServerStop), AppError> {
    let opened = open_server("the web server", "http", http, limits, router(site, limits), parts).await?;
    if http.tls.is_none() && !opened.0.ip().is_loopback() {
        let address = opened.0;
        tracing::warn!(%address, "plain HTTP is offered to the network: put a proxy that ends TLS in front, or set [http] tls_certificate");
    }
    Ok(opened)
}

/// Answers `GET /metrics` at an address of its own, as a part of `parts`. There is nothing secret in them, and nobody is asked
/// who they are: the address decides who can read them.
pub(super) async fn serve_metrics(
    server: MetricsServer,
    metrics: Metrics,
    parts: &mut Supervisor,
) -> Result<SocketAddr, AppError> {
    let read = move || async move { ([(CONTENT_TYPE, MEDIA_TYPE)], metrics.read()) };
    let limits = ServerLimits { connections: 32, ..ServerLimits::default() };
    let routes = bounded(prompt(Router::new().route("/metrics", get(read)), limits));
    let http = Http { listen: server.listen, tls: None };
    Ok(open_server("the metrics", "metrics", &http, limits, routes, parts).await?.0)
}

/// Listens as the table `table` says, and answers with `routes` as the part `name` of `parts`.
async fn open_server(
    name: &'static str,
    table: &'static str,
    http: &Http,
    limits: ServerLimits,
    routes: Router,
    parts: &mut Supervisor,
) -> Result<(SocketAddr, ServerStop), AppError> {
    let cannot = |error: io::Error| AppError::Listen { address: http.listen, table, why: error.to_string() };
    let listener = std::net::TcpListener::bind(http.listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let handle = Handle::new();
    let seats = ConnectionLimiter::new(limits.connections);
    // HTTP/2 would bring many requests into one seat, and keep it without a request.
    let mut server: Server<SocketAddr> =
        axum_server::from_tcp(listener).map_err(cannot)?.handle(handle.clone()).first_request_timeout(limits.head).http1_only();
    server.http_builder().http1().header_read_timeout(limits.head);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    match &http.tls {
        Some((certificate, key)) => {
            let certificate = ServerCertificate::read(certificate, key).map_err(AppError::Tls)?;
            let server = server.acceptor(RustlsAcceptor::new(certificate.shown()).acceptor(seats));
            let serving = async { server.serve(service).await.map_err(|error| error.to_string()) };
            parts.add(name, beside(serving, certificate.keep_renewed()));
        }
        None => {
            let server = server.acceptor(seats);
            parts.add(name, async { server.serve(service).await.map_err(|error| error.to_string()) });
        }
    }
    Ok((address, ServerStop(handle)))
}

fn router(site: Site, limits: ServerLimits) -> Router {
    let Site { vitals, routers, slow_routers } = site;
    let draining = vitals.draining.clone();
    let vital = Router::new().route(ALIVE, get(healthz)).route(READY, get(readyz)).with_state(vitals);
    let merged = |routers: Vec<Router>| routers.into_iter().fold(Router::new(), Router::merge);
    let opened = |router: Router| router.layer(middleware::from_fn_with_state(draining.clone(), open));
    bounded(prompt(vital.merge(opened(merged(routers))), limits).merge(opened(merged(slow_routers))))
}

/// No answer takes longer than `limits` allow.
fn prompt(routes: Router, limits: ServerLimits) -> Router {
    routes.layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.answer))
}

/// No request is larger, and a connection keeps its seat while it is answered.
fn bounded(routes: Router) -> Router {
    routes.layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES)).layer(middleware::from_fn(connections::attend))
}

/// The process answers. Nothing about it is told.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Everything works, and the intake is open; otherwise what does not. Nothing is told but the names of parts.
async fn readyz(State(vitals): State<Arc<Vitals>>) -> Response {
    let failing = vitals.failing();
    if failing.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", failing.join(", "))).into_response()
}

/// Once the intake is closed, whoever can send again later is told to.
async fn open(State(draining): State<CancellationToken>, request: Request, next: Next) -> Response {
    if draining.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests;
