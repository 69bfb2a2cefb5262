//! What every request passes: the right host, a session, the token where one is asked for, and the right origin to change
//! anything; and what every answer carries.

use super::Page;
use super::session::{ACCESS, SESSION, Session};
use super::view;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How long a browser keeps its session, in seconds: a working week.
const SESSION_AGE: u32 = 7 * 24 * 3600;

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) async fn guard(State(page): State<Page>, mut request: Request, next: Next) -> Response {
    let settings = &page.console.settings;
    let known = Session::of(request.headers());
    let is_new = known.is_none();
    let session = known.unwrap_or_else(|| Session { id: (settings.new_id)() });
    let mut response = match refusal(&page, &session, &request) {
        Some(refusal) => refusal,
        None => {
            request.extensions_mut().insert(session.clone());
            next.run(request).await
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_new && response.status() != StatusCode::MISDIRECTED_REQUEST {
        set_cookie(response.headers_mut(), SESSION, &session.id, settings.secure);
    }
    response
}

fn refusal(page: &Page, session: &Session, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let Some(host) = host(headers).filter(|host| page.console.is_own_host(host)) else {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This name does not lead here.\n").into_response());
    };
    if request.method() == Method::POST && !is_own_origin(headers, host) {
        return Some(view::refused(StatusCode::FORBIDDEN, "This request did not come from the page itself."));
    }
    let path = request.uri().path();
    let is_open = path == "/sign-in" || path.starts_with("/assets/");
    if is_open || page.console.keys.admits(session, headers) {
        return None;
    }
    let is_page = request.method() == Method::GET && path != "/live";
    Some(if is_page {
        Redirect::to("/sign-in").into_response()
    } else {
        view::refused(StatusCode::UNAUTHORIZED, "Sign in first.")
    })
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

/// Lets a session in that gave the token.
pub(super) fn admit(headers: &mut HeaderMap, page: &Page, session: &Session) {
    set_cookie(headers, ACCESS, &page.console.keys.access(session), page.console.settings.secure);
}

/// `Lax`, so that a link to an investigation that was shared in a chat opens without signing in again; changes are kept
/// apart by origin and by form.
fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SESSION_AGE}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}
