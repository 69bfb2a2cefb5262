//! Agents over HTTP: each gives its own token with every request. Hosts and origins that are not ours are refused, so that no page
//! in a browser reaches it, under whatever name.

use super::agents::AgentTokens;
use super::question::Investigator;
use super::server::{AgentServer, MAX_MESSAGE_BYTES};
use super::sessions::BoundedSessions;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where agents are answered.
pub const PATH: &str = "/mcp";

/// The header by which a client names its session.
const SESSION: &str = "mcp-session-id";

/// The header by which a client names the revision of the protocol that it speaks, and the first one without sessions, whose
/// clients name it with every request (Model Context Protocol, "Streamable HTTP").
const REVISION: &str = "mcp-protocol-version";
const WITHOUT_SESSIONS: &str = "2026-07-28";

/// When a client may try again that found no session free, in seconds: until silent ones are ended.
const TRY_AGAIN: &str = "60";

/// Who may come in.
#[derive(Debug)]
pub struct AgentDoor {
    pub agents: Arc<AgentTokens>,
    /// The values of the `Host` header that are answered, such as `127.0.0.1:8080`.
    pub hosts: Vec<String>,
}

#[derive(Clone)]
struct Guard {
    agents: Arc<AgentTokens>,
    sessions: Arc<BoundedSessions>,
}

/// Answers agents at [`PATH`] until `stop`.
pub fn router(door: AgentDoor, investigator: Arc<dyn Investigator>, stop: CancellationToken) -> Router {
    let server = AgentServer::new(investigator);
    let sessions = Arc::<BoundedSessions>::default();
    // A browser names the origin of what a page sends. No page is meant to send anything here, so that each is refused.
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(door.hosts)
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_MESSAGE_BYTES)
        .with_cancellation_token(stop);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
    let guard = Guard { agents: door.agents, sessions };
    Router::new().route_service(PATH, service).layer(middleware::from_fn_with_state(guard, admitted))
}

async fn admitted(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Some(agent) = bearer(request.headers()).and_then(|token| guard.agents.agent(token)) else {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "Give this agent's token.\n").into_response();
    };
    if may_open_session(&request) && guard.sessions.are_full().await {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, TRY_AGAIN)], "Too many sessions.\n").into_response();
    }
    request.extensions_mut().insert(agent);
    next.run(request).await
}

/// True where the request may ask for a session: it names none, and speaks a revision that has them.
fn may_open_session(request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    // Revisions are dates.
    let has_sessions = header(REVISION).is_none_or(|revision| revision < WITHOUT_SESSIONS);
    request.method() == Method::POST && header(SESSION).is_none() && has_sessions
}

/// The token of `Authorization: Bearer …`, whose scheme is written in whatever case (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_as_a_bearers() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc", Some("abc")),
            ("Basic abc", None),
            ("abc", None),
            ("Bearerabc", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(bearer(&headers), expected, "{value}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
