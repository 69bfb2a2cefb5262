//! Cookies of a session.

use super::PageState;
use super::session::{ACCESS, BrowserSession, SESSION};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// How long a browser keeps its session, in seconds: a working week.
const SESSION_AGE: u32 = 7 * 24 * 3600;

/// Lets a session in that gave the token.
pub(super) fn admit(headers: &mut HeaderMap, page: &PageState, session: &BrowserSession) {
    set_cookie(headers, page, ACCESS, &page.console.keys.access(session));
}

/// Ends a session in its browser.
pub(super) fn dismiss(headers: &mut HeaderMap, page: &PageState) {
    for name in [ACCESS, SESSION] {
        write(headers, page, name, "", 0);
    }
}

/// `Lax`, so that a link to an investigation that was shared in a chat opens without signing in again; changes are kept
/// apart by origin and by form.
pub(super) fn set_cookie(headers: &mut HeaderMap, page: &PageState, name: &str, value: &str) {
    write(headers, page, name, value, SESSION_AGE);
}

fn write(headers: &mut HeaderMap, page: &PageState, name: &str, value: &str, age: u32) {
    let secure = if page.console.settings.secure { "; Secure" } else { "" };
    let path = page.console.paths.channel();
    let cookie = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}
