//! The listener: from an HTTP request to an answer, by way of faults and refusals.

use super::carry_out;
use super::expand::expand;
use super::fault::{FaultEffect, Faults};
use super::operations::{self, Sessions};
use super::scenario::{Scenario, ScenarioError};
use super::wire::{self, WireError, WireRequest};
use super::world::SimulatedAccount;
use crate::clock::Clock;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::Timestamp;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;

/// A running account. It shuts down when dropped.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    account: Arc<ServedAccount>,
    /// Its end is what tells the listener, and the requests that hang, to stop.
    _running: watch::Sender<()>,
}

/// A request the simulator received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCall {
    /// As in policies: `secretsmanager`, `cloudwatch`, …
    pub service: &'static str,
    /// The operation's name; for an unknown path of Lambda, method and path.
    pub operation: String,
    /// The region it was signed for.
    pub region: String,
    /// When it arrived, by the wall clock.
    pub at: Timestamp,
}

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The scenario makes no sense.
    #[error("the scenario cannot be played: {0}")]
    Scenario(#[from] ScenarioError),
    /// No socket on loopback.
    #[error("the simulator cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
    /// It was started outside an asynchronous runtime.
    #[error("the simulator needs a Tokio runtime")]
    NoRuntime,
}

#[derive(Debug)]
struct ServedAccount {
    world: RwLock<SimulatedAccount>,
    faults: Faults,
    sessions: Sessions,
    calls: Mutex<Vec<ReceivedCall>>,
    violations: Mutex<Vec<ReceivedCall>>,
    stopped: watch::Receiver<()>,
}

impl Simulator {
    /// Builds the account as it stands at `now`, and serves it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where the scenario makes no sense, no port can be bound, or no Tokio runtime is running.
    pub fn start(scenario: Scenario, now: Timestamp) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let world = expand(&scenario, now).map_err(ScenarioError::from)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (running, stopped) = watch::channel(());
        let account = Arc::new(ServedAccount {
            world: RwLock::new(world),
            faults: Faults::new(scenario.faults),
            sessions: Sessions::default(),
            calls: Mutex::default(),
            violations: Mutex::default(),
            stopped: stopped.clone(),
        });
        let router = Router::new().fallback(serve).with_state(account.clone());
        let listener = tokio::net::TcpListener::from_std(listener)?;
        runtime.spawn(async move {
            let stop = async move {
                let mut stopped = stopped;
                _ = stopped.changed().await;
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Simulator { address, account, _running: running })
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<ReceivedCall> {
        lock(&self.account.calls).clone()
    }

    /// Changes the account as a person would who pastes an `aws` command; one that only shows something changes nothing.
    ///
    /// # Errors
    /// What AWS would answer, or why a rotation that the command starts fails.
    pub fn carry_out(&self, command: &str) -> Result<(), String> {
        carry_out::carry_out(&mut self.account.world_mut(), command)
    }

    /// Rotates the secret, by its ARN, as its schedule would.
    ///
    /// # Errors
    /// What stops it.
    pub fn rotate(&self, secret_arn: &str) -> Result<(), String> {
        carry_out::rotate(&mut self.account.world_mut(), secret_arn)
    }

    /// The requests that nobody may send: they read a secret's value, or would change something.
    #[must_use]
    pub fn violations(&self) -> Vec<ReceivedCall> {
        lock(&self.account.violations).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(State(account): State<Arc<ServedAccount>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    // A package is had by its address alone, without a signature of the caller's.
    if uri.path().starts_with("/snapshots/") {
        let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
        return match operations::package(&account.world(), &path) {
            Some(package) => package.to_vec().into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let request = match wire::parse(&method, &uri, &headers, &body) {
        Ok(request) => request,
        Err(reason) => return (StatusCode::BAD_REQUEST, reason).into_response(),
    };
    let call = ReceivedCall {
        service: request.service.iam_prefix(),
        operation: request.operation.clone(),
        region: request.region.clone(),
        at: Clock::system().now(),
    };
    lock(&account.calls).push(call.clone());
    if operations::is_forbidden(&request) {
        lock(&account.violations).push(call);
        return wire::respond(&request, &Err(operations::denied(&account.world(), &request)));
    }
    let effect = account.faults.strike(&request);
    account.delay(&effect).await;
    if let Some(status) = effect.failing {
        let refusal = WireError::new("InternalFailure", "Simulated failure").with_status(status);
        return wire::respond(&request, &Err(refusal));
    }
    let result = account.answer(&request, &effect);
    let response = wire::respond(&request, &result);
    if effect.truncated {
        return truncate(response).await;
    }
    response
}

impl ServedAccount {
    fn answer(&self, request: &WireRequest, effect: &FaultEffect) -> Result<wire::Shape, WireError> {
        if effect.throttled {
            return Err(operations::throttled(request));
        }
        let world = self.world();
        if effect.denied || operations::caller_is_denied(&world, request) {
            return Err(operations::denied(&world, request));
        }
        operations::answer(&world, &self.sessions, request)
    }

    fn world(&self) -> RwLockReadGuard<'_, SimulatedAccount> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn world_mut(&self) -> RwLockWriteGuard<'_, SimulatedAccount> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as the faults say; a hanging request waits for the caller to give up.
    async fn delay(&self, effect: &FaultEffect) {
        let wait = async {
            if effect.hanging {
                std::future::pending::<()>().await;
            }
            if effect.latency_ms > 0 {
                tokio::time::sleep(Duration::from_millis(effect.latency_ms)).await;
            }
        };
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = wait => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Announces the whole body, sends half of it, and breaks the connection.
async fn truncate(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let half = whole.slice(..whole.len() / 2);
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let broken = std::io::Error::other("truncated");
    let body = Body::from_stream(stream::iter([Ok(half), Err(broken)]));
    Response::from_parts(parts, body)
}
