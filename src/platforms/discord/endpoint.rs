//! The address that Discord sends interactions to, where there is no gateway.

use super::config::INTERACTIONS_PATH;
use super::interaction::Interaction;
use super::listener::Listener;
use crate::clock::Clock;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use jiff::Timestamp;
use serenity::interactions_endpoint::Verifier;
use std::time::Duration;
use tokio::time::timeout;

/// The largest body that is read, in bytes: a click brings the whole message it is in.
const MAX_BYTES: usize = 512 << 10;
/// How long the body may take to arrive; Discord waits three seconds in all.
const ARRIVING: Duration = Duration::from_secs(3);
/// How far a request's time may be from ours, in seconds.
const FRESH: u64 = 300;

/// What requests are checked with, and where they go.
#[derive(Clone)]
struct InteractionsEndpoint {
    /// One, or two while one key takes the other's place.
    verifiers: Vec<Verifier>,
    clock: Clock,
    listener: Listener,
}

pub(super) fn routes(verifiers: Vec<Verifier>, clock: Clock, listener: Listener) -> Router {
    Router::new().route(INTERACTIONS_PATH, post(receive)).with_state(InteractionsEndpoint { verifiers, clock, listener })
}

async fn receive(State(endpoint): State<InteractionsEndpoint>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match timeout(ARRIVING, to_bytes(body, MAX_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, "its body is too large or broke off"),
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "its body did not arrive in time"),
    };
    if !is_authentic(&endpoint.verifiers, endpoint.clock.now(), &parts.headers, &body) {
        return refuse(StatusCode::UNAUTHORIZED, "it is not signed by Discord, or not fresh");
    }
    let Ok(interaction) = serde_json::from_slice::<Interaction>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "it is signed, but no interaction");
    };
    let answer = endpoint.listener.answer(interaction).await;
    // An answer holds nothing that JSON lacks.
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

fn refuse(status: StatusCode, why: &'static str) -> Response {
    tracing::info!(status = status.as_u16(), "a request for an interaction was refused: {why}");
    status.into_response()
}

/// The signature covers the time and the body; Discord's own tests send wrong ones and expect to be refused.
fn is_authentic(verifiers: &[Verifier], now: Timestamp, headers: &HeaderMap, body: &[u8]) -> bool {
    let only = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let (Some(signature), Some(timestamp)) = (only("x-signature-ed25519"), only("x-signature-timestamp")) else {
        return false;
    };
    // The verifier reads "+f" as a byte too.
    signature.bytes().all(|byte| byte.is_ascii_hexdigit())
        && is_fresh(timestamp, now)
        && verifiers.iter().any(|verifier| verifier.verify(signature, timestamp, body).is_ok())
}

fn is_fresh(timestamp: &str, now: Timestamp) -> bool {
    let seconds =
        Some(timestamp).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok());
    seconds.is_some_and(|at: i64| now.as_second().abs_diff(at) <= FRESH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_in_either_direction_are_fresh() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for (timestamp, fresh) in [
            ("1700000000", true),
            ("1699999700", true),
            ("1699999699", false),
            ("1700000300", true),
            ("1700000301", false),
            ("", false),
            ("-1700000000", false),
            ("+1700000000", false),
            ("1700000000.0", false),
            ("99999999999999999999", false),
            ("1700000000000", false),
        ] {
            assert_eq!(is_fresh(timestamp, now), fresh, "{timestamp}");
        }
    }
}
