//! HTTP mode: what Slack sends to `/slack/…`, taken only if Slack signed it.

use super::payload::{CommandPayload, EventPayload, Interaction};
use super::receiver::{Receiver, SlackAck};
use super::signature::{SignatureRefused, Signatures};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The largest request that is read, in bytes. A click comes with its whole message, at most fifty blocks.
const MAX_BYTES: usize = 1 << 20;

/// How long reading a request may take; Slack sends it in one go.
const READ_DEADLINE: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct Door {
    receiver: Arc<Receiver>,
    signatures: Arc<Signatures>,
}

/// A request that was signed.
struct Signed {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The routes.
pub(super) fn router(receiver: Arc<Receiver>, signatures: Signatures) -> Router {
    Router::new()
        .route("/slack/command", post(command))
        .route("/slack/events", post(events))
        .route("/slack/interactivity", post(interactivity))
        .with_state(Door { receiver, signatures: Arc::new(signatures) })
}

impl Door {
    /// Reads a request up to the limit, and refuses one that Slack did not sign without saying why.
    async fn open(&self, request: Request) -> Result<Signed, Response> {
        let (parts, body) = request.into_parts();
        let body: Body = body;
        let read = tokio::time::timeout(READ_DEADLINE, to_bytes(body, MAX_BYTES)).await;
        let body = match read {
            Ok(Ok(body)) => body.to_vec(),
            Ok(Err(error)) => return Err(unreadable(&error).into_response()),
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT.into_response()),
        };
        match self.signatures.verify(&parts.headers, &body) {
            Ok(()) => Ok(Signed { headers: parts.headers, body }),
            Err(refusal) => {
                match refusal {
                    SignatureRefused::NotSigned => {
                        tracing::warn!("a request to /slack was refused: it is not signed with the signing secret")
                    }
                    SignatureRefused::NotFromNow(seconds) => tracing::warn!(
                        seconds,
                        "a request Slack signed was refused, because it is that old by this machine's clock: set the clock, or somebody sends an old one again"
                    ),
                }
                Err(StatusCode::UNAUTHORIZED.into_response())
            }
        }
    }
}

/// Too large, or cut off on the way.
fn unreadable(error: &axum::Error) -> StatusCode {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if inner.to_string().contains("length limit exceeded") {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        source = inner.source();
    }
    StatusCode::BAD_REQUEST
}

impl Signed {
    /// The JSON it holds.
    fn json(&self) -> Option<Value> {
        self.is("application/json").then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }

    /// The form it holds; of fields that are there twice, the first.
    fn form(&self) -> Option<HashMap<String, String>> {
        if !self.is("application/x-www-form-urlencoded") {
            return None;
        }
        let mut fields = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(&self.body) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Some(fields)
    }

    fn is(&self, kind: &str) -> bool {
        let sent = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        sent.and_then(|sent| sent.split(';').next()).is_some_and(|sent| sent.trim().eq_ignore_ascii_case(kind))
    }
}

async fn command(State(door): State<Door>, request: Request) -> Response {
    let signed = match door.open(request).await {
        Ok(signed) => signed,
        Err(refusal) => return refusal,
    };
    let Some(form) = signed.form() else { return StatusCode::BAD_REQUEST.into_response() };
    // Source: Slack, "Slash commands": Slack checks the certificate this way from time to time.
    if form.contains_key("ssl_check") {
        return StatusCode::OK.into_response();
    }
    let fields = form.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let Ok(command) = serde_json::from_value::<CommandPayload>(Value::Object(fields)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let receiver = Arc::clone(&door.receiver);
    answer(async move { receiver.command(command).await }).await
}

async fn events(State(door): State<Door>, request: Request) -> Response {
    let signed = match door.open(request).await {
        Ok(signed) => signed,
        Err(refusal) => return refusal,
    };
    let Some(event) = signed.json() else { return StatusCode::BAD_REQUEST.into_response() };
    match event.get("type").and_then(Value::as_str) {
        Some("url_verification") => match event.get("challenge").and_then(Value::as_str) {
            Some(challenge) => Json(json!({ "challenge": challenge })).into_response(),
            None => StatusCode::BAD_REQUEST.into_response(),
        },
        Some("event_callback") => match serde_json::from_value::<EventPayload>(event) {
            Ok(event) => {
                let receiver = Arc::clone(&door.receiver);
                answer(async move { receiver.event(event).await }).await
            }
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        },
        _ => StatusCode::OK.into_response(),
    }
}

async fn interactivity(State(door): State<Door>, request: Request) -> Response {
    let signed = match door.open(request).await {
        Ok(signed) => signed,
        Err(refusal) => return refusal,
    };
    let payload = signed.form().and_then(|mut form| form.remove("payload"));
    let Some(interaction) = payload.and_then(|payload| serde_json::from_str::<Interaction>(&payload).ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let receiver = Arc::clone(&door.receiver);
    answer(async move { receiver.interaction(interaction).await }).await
}

/// What Slack is told; a panic in between is ours, and Slack may send the request again.
async fn answer(work: impl Future<Output = SlackAck> + Send + 'static) -> Response {
    match tokio::spawn(work).await {
        Ok(SlackAck::Empty) => StatusCode::OK.into_response(),
        Ok(SlackAck::Body(body)) => Json(body).into_response(),
        Ok(SlackAck::Again) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(_) => {
            tracing::error!("a request from Slack ended in a panic");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
