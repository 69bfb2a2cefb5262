//! What every request passes: the right host, a session, the token where one is asked for, and the right origin to change
//! anything; and what every answer carries.

use super::PageState;
use super::cookies::set_cookie;
use super::session::{BrowserSession, SESSION};
use super::sign_in;
use super::target::PageTarget;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) async fn guard(State(page): State<PageState>, mut request: Request, next: Next) -> Response {
    let settings = &page.console.settings;
    let known = BrowserSession::of(request.headers());
    let is_new = known.is_none();
    let session = known.unwrap_or_else(|| BrowserSession { id: (settings.new_id)() });
    let mut response = match refusal(&page, &request) {
        Some(refusal) => refusal,
        None if is_open(&request) || page.console.keys.admits(&session, request.headers()) => {
            request.extensions_mut().insert(session.clone());
            next.run(request).await
        }
        None => stranger(&page, &session, request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_new && response.status() != StatusCode::MISDIRECTED_REQUEST {
        set_cookie(response.headers_mut(), &page, SESSION, &session.id);
    }
    response
}

fn refusal(page: &PageState, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let Some(host) = host(headers).filter(|host| page.console.is_own_host(host)) else {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This host name is not served here.\n").into_response());
    };
    let is_foreign = request.method() == Method::POST && !is_own_origin(headers, host);
    is_foreign.then(|| page.refused(StatusCode::FORBIDDEN, "This request did not come from the page itself."))
}

/// What everybody may see.
fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    path == "/sign-in" || path.starts_with("/assets/")
}

/// Sends whoever has not signed in to do so, and from there to where they wanted to go. Words are taken along: a session
/// may end while somebody writes.
async fn stranger(page: &PageState, session: &BrowserSession, request: Request) -> Response {
    let path = request.uri().path();
    match *request.method() {
        Method::GET if path != "/live" => {
            let wanted = request.uri().path_and_query().and_then(|wanted| PageTarget::parse(wanted.as_str()));
            Redirect::to(&wanted.unwrap_or_else(PageTarget::channel).sign_in(&page.console.paths)).into_response()
        }
        Method::POST if path == "/say" => sign_in::with_words(page, session, request).await,
        _ => page.refused(StatusCode::UNAUTHORIZED, "Sign in first."),
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(HOST).and_then(|host| host.to_str().ok())
}

/// Browsers name the origin of every request that changes something. One that names none came from no browser.
fn is_own_origin(headers: &HeaderMap, host: &str) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let own = origin.and_then(|origin| origin.split_once("://")).filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    own.is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
}
