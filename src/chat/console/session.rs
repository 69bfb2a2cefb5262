//! Browser sessions: a random cookie, and what is derived from it with a key only this process has.

use crate::clock::Stopwatch;
use crate::config::Token;
use aws_lc_rs::{constant_time, hmac};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The cookie with the session's id.
pub(super) const SESSION: &str = "rotation_diag_session";
/// The cookie of a session that gave the token.
pub(super) const ACCESS: &str = "rotation_diag_access";

/// How many wrong tokens of one client are looked at within [`SPAN`]; guessing gets no further, and nobody else is kept
/// waiting for it.
const MOST_FAILURES: usize = 10;
/// How long wrong tokens count.
const SPAN: Duration = Duration::from_secs(60);
/// Clients with wrong tokens that are remembered; the one that is longest ago is forgotten for another.
const MOST_CLIENTS: usize = 1_024;

/// A browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// 32 hexadecimal digits.
    pub(super) id: String,
}

#[derive(Debug)]
pub(super) struct Keys {
    key: hmac::Key,
    token: Option<hmac::Tag>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

/// The wrong tokens of one client.
#[derive(Debug)]
struct Failures {
    first: Stopwatch,
    count: usize,
}

/// A token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInError {
    /// It is another one.
    Wrong,
    /// Too many wrong ones came lately.
    TooMany,
}

impl Keys {
    /// With a token the key is made from it, so that browsers stay signed in when the process starts anew.
    pub(super) fn new(token: Option<&Token>, random: &str) -> Keys {
        let secret = token.map_or(random, Token::expose);
        let key = hmac::Key::new(hmac::HMAC_SHA256, format!("rotation-diag page {secret}").as_bytes());
        let token = token.map(|token| hmac::sign(&key, token.expose().as_bytes()));
        Keys { key, token, failures: Mutex::default() }
    }

    /// What a form of this session has to bring back.
    pub(super) fn form(&self, session: &Session) -> String {
        self.derived("form", session)
    }

    pub(super) fn is_form(&self, session: &Session, given: &str) -> bool {
        same(&self.derived("form", session), given)
    }

    /// What the cookie of a session holds once it gave the token.
    pub(super) fn access(&self, session: &Session) -> String {
        self.derived("access", session)
    }

    /// True when this session may see the page.
    pub(super) fn admits(&self, session: &Session, headers: &HeaderMap) -> bool {
        self.token.is_none() || cookie(headers, ACCESS).is_some_and(|given| same(&self.access(session), given))
    }

    /// Compares a token in constant time. `from` is the client's address.
    pub(super) fn sign_in(&self, given: &str, from: IpAddr) -> Result<(), SignInError> {
        let client = client(from);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, of| of.first.elapsed() < SPAN);
        if failures.get(&client).is_some_and(|of| of.count >= MOST_FAILURES) {
            return Err(SignInError::TooMany);
        }
        let given = hmac::sign(&self.key, given.trim().as_bytes());
        let right =
            self.token.as_ref().is_some_and(|own| constant_time::verify_slices_are_equal(own.as_ref(), given.as_ref()).is_ok());
        if right {
            return Ok(());
        }
        if failures.len() >= MOST_CLIENTS
            && !failures.contains_key(&client)
            && let Some(longest_ago) = failures.iter().max_by_key(|(_, of)| of.first.elapsed()).map(|(client, _)| *client)
        {
            failures.remove(&longest_ago);
        }
        failures.entry(client).or_insert_with(|| Failures { first: Stopwatch::start(), count: 0 }).count += 1;
        Err(SignInError::Wrong)
    }

    fn derived(&self, purpose: &str, session: &Session) -> String {
        let tag = hmac::sign(&self.key, format!("{purpose} {}", session.id).as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whom an address belongs to: an IPv6 client has 64 bits of addresses to itself.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

impl Session {
    /// The session a request belongs to.
    pub(super) fn of(headers: &HeaderMap) -> Option<Session> {
        cookie(headers, SESSION).filter(|id| is_id(id)).map(|id| Session { id: id.to_owned() })
    }
}

/// True for 32 hexadecimal digits.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut pairs = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

fn same(own: &str, given: &str) -> bool {
    constant_time::verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(digit: &str) -> Session {
        Session { id: digit.repeat(32) }
    }

    #[test]
    fn a_form_belongs_to_one_session_and_one_process() {
        let keys = Keys::new(None, "random");
        let form = keys.form(&session("a"));
        assert!(keys.is_form(&session("a"), &form));
        assert!(!keys.is_form(&session("b"), &form));
        assert!(!keys.is_form(&session("a"), ""));
        assert!(!Keys::new(None, "other").is_form(&session("a"), &form));
        assert!(!keys.is_form(&session("a"), &keys.access(&session("a"))), "what admits is no form's");
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_wrong_token_is_refused_and_guessing_soon_ends_for_the_one_who_guesses() {
        let keys = Keys::new(Some(&Token::new("open sesame")), "random");
        for (guesser, same, other) in
            [("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"), ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", "2001:db8:1:3::3")]
        {
            assert_eq!(keys.sign_in(" open sesame\n", address(guesser)), Ok(()));
            for _ in 0..MOST_FAILURES {
                assert_eq!(keys.sign_in("open", address(guesser)), Err(SignInError::Wrong));
            }
            for again in [guesser, same] {
                assert_eq!(keys.sign_in("open sesame", address(again)), Err(SignInError::TooMany), "{again}");
            }
            assert_eq!(keys.sign_in("open sesame", address(other)), Ok(()), "{other}");
        }
    }

    #[test]
    fn a_crowd_of_guessers_is_remembered_up_to_a_bound() {
        let keys = Keys::new(Some(&Token::new("open sesame")), "random");
        for number in 0..5_000_u32 {
            let from = std::net::Ipv4Addr::from_bits(number).into();
            assert_eq!(keys.sign_in("open", from), Err(SignInError::Wrong));
        }
        assert_eq!(keys.failures.lock().unwrap().len(), MOST_CLIENTS);
        assert_eq!(keys.sign_in("open sesame", address("192.0.2.1")), Ok(()));
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, format!("other=1; {SESSION}={}; x=y", "a".repeat(32)).parse().unwrap());
        assert_eq!(Session::of(&headers), Some(session("a")));
        headers.insert(COOKIE, format!("{SESSION}={}", "A".repeat(32)).parse().unwrap());
        assert_eq!(Session::of(&headers), None);
    }
}
