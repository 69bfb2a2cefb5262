//! Browser sessions: a random cookie.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The cookie with the session's id.
pub(super) const SESSION: &str = "rotation_diag_session";
/// The cookie of a session that gave the token.
pub(super) const ACCESS: &str = "rotation_diag_access";

/// A browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BrowserSession {
    /// 32 hexadecimal digits.
    pub(super) id: String,
}

impl BrowserSession {
    /// The session a request belongs to.
    pub(super) fn of(headers: &HeaderMap) -> Option<BrowserSession> {
        cookie(headers, SESSION).filter(|id| is_id(id)).map(|id| BrowserSession { id: id.to_owned() })
    }
}

/// True for 32 hexadecimal digits.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut pairs = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(digit: &str) -> BrowserSession {
        BrowserSession { id: digit.repeat(32) }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, format!("other=1; {SESSION}={}; x=y", "a".repeat(32)).parse().unwrap());
        assert_eq!(BrowserSession::of(&headers), Some(session("a")));
        headers.insert(COOKIE, format!("{SESSION}={}", "A".repeat(32)).parse().unwrap());
        assert_eq!(BrowserSession::of(&headers), None);
    }
}
