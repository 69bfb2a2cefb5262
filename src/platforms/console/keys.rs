//! The keys of this process: what makes a form, and what admits a session.

use super::attempts::{SignInAttempts, SignInError};
use super::session::{ACCESS, BrowserSession, cookie};
use crate::config::Token;
use aws_lc_rs::{constant_time, hmac};
use axum::http::HeaderMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

#[derive(Debug)]
pub(super) struct Keys {
    /// Makes what must not follow from a token.
    random: String,
    current: RwLock<KeySet>,
    attempts: SignInAttempts,
}

/// What is made from one token.
#[derive(Debug)]
struct KeySet {
    /// Of forms, which people see who have no token: what it makes must not tell whether a guess is right.
    forms: hmac::Key,
    key: hmac::Key,
    token: Option<hmac::Tag>,
    is_hard: bool,
}

impl KeySet {
    fn new(token: Option<&Token>, random: &str) -> KeySet {
        let secret = token.map_or(random, Token::expose);
        let key = hmac::Key::new(hmac::HMAC_SHA256, format!("rotation-diag page {secret}").as_bytes());
        let tag = token.map(|token| hmac::sign(&key, token.expose().as_bytes()));
        let hard = token.filter(|token| token.is_hard_to_guess()).map_or(random, Token::expose);
        let forms = hmac::Key::new(hmac::HMAC_SHA256, format!("rotation-diag forms {hard}").as_bytes());
        KeySet { forms, key, token: tag, is_hard: token.is_some_and(Token::is_hard_to_guess) }
    }
}

impl Keys {
    /// With a token the key of access is made from it, so that browsers stay signed in when the process starts anew; that of
    /// forms only from one that nobody can guess.
    pub(super) fn new(token: Option<&Token>, random: &str) -> Keys {
        let current = RwLock::new(KeySet::new(token, random));
        Keys { random: random.to_owned(), current, attempts: SignInAttempts::default() }
    }

    /// Takes another token in the place of the one before, which opens nothing from now on. True where it is another one.
    pub(super) fn replace(&self, token: &Token) -> bool {
        let new = KeySet::new(Some(token), &self.random);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let tag = |keys: &KeySet| keys.token.map(|tag| tag.as_ref().to_vec());
        let is_another = tag(&current) != tag(&new);
        if is_another {
            *current = new;
        }
        is_another
    }

    fn current(&self) -> RwLockReadGuard<'_, KeySet> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a form of this session has to bring back.
    pub(super) fn form(&self, session: &BrowserSession) -> String {
        derived(&self.current().forms, "form", session)
    }

    pub(super) fn is_form(&self, session: &BrowserSession, given: &str) -> bool {
        same(&self.form(session), given)
    }

    /// What the cookie of a session holds once it gave the token.
    pub(super) fn access(&self, session: &BrowserSession) -> String {
        derived(&self.current().key, "access", session)
    }

    /// True where nothing is shown before a token is given.
    pub(super) fn ask_for_a_token(&self) -> bool {
        self.current().token.is_some()
    }

    /// True when this session may see the page.
    pub(super) fn admits(&self, session: &BrowserSession, headers: &HeaderMap) -> bool {
        !self.ask_for_a_token() || cookie(headers, ACCESS).is_some_and(|given| same(&self.access(session), given))
    }

    /// Compares a token in constant time. `from` is the client's address.
    pub(super) fn sign_in(&self, session: &BrowserSession, given: &str, from: IpAddr) -> Result<(), SignInError> {
        let current = self.current();
        let given = hmac::sign(&current.key, given.trim().as_bytes());
        let is_right = current
            .token
            .as_ref()
            .is_some_and(|own| constant_time::verify_slices_are_equal(own.as_ref(), given.as_ref()).is_ok());
        self.attempts.judge(session, from, is_right, current.is_hard)
    }
}

fn derived(key: &hmac::Key, purpose: &str, session: &BrowserSession) -> String {
    let tag = hmac::sign(key, format!("{purpose} {}", session.id).as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn same(own: &str, given: &str) -> bool {
    constant_time::verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(digit: &str) -> BrowserSession {
        BrowserSession { id: digit.repeat(32) }
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

    #[test]
    fn a_form_tells_nothing_by_which_a_token_could_be_guessed_and_access_outlives_a_restart() {
        for (token, is_hard) in [("open sesame", false), ("3c6e0b8a9c15224a8228b9a98ca1531d", true)] {
            let token = Token::new(token);
            let (before, after) = (Keys::new(Some(&token), "random"), Keys::new(Some(&token), "other"));
            assert_eq!(before.access(&session("a")), after.access(&session("a")));
            assert_eq!(before.form(&session("a")) == after.form(&session("a")), is_hard);
        }
        let (one, other) = (Token::new("open sesame"), Token::new("close sesame"));
        let form = |token| Keys::new(Some(token), "random").form(&session("a"));
        assert_eq!(form(&one), form(&other), "with the same chance, a form is the same whatever a short token is");
    }

    #[test]
    fn what_admits_one_session_admits_no_other_and_without_a_token_everybody_is_admitted() {
        let token = |text| Keys::new(Some(&Token::new(text)), "random");
        let keys = token("open sesame");
        let admitted = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(axum::http::header::COOKIE, format!("{ACCESS}={given}").parse().unwrap());
            keys.admits(&session("a"), &headers)
        };
        assert!(keys.ask_for_a_token() && admitted(&keys.access(&session("a"))));
        let of_another_token = token("close sesame").access(&session("a"));
        for forged in ["", &keys.access(&session("b")), &keys.form(&session("a")), &of_another_token] {
            assert!(!admitted(forged), "{forged}");
        }
        assert!(!keys.admits(&session("a"), &HeaderMap::new()));
        let open = Keys::new(None, "random");
        assert!(!open.ask_for_a_token() && open.admits(&session("a"), &HeaderMap::new()));
    }

    #[test]
    fn a_token_that_was_replaced_opens_nothing_and_whoever_had_given_it_is_signed_out() {
        let keys = Keys::new(Some(&Token::new("open sesame")), "random");
        let from = IpAddr::from([192, 0, 2, 1]);
        let access = keys.access(&session("a"));
        assert!(!keys.replace(&Token::new("open sesame")), "it is the same");
        assert_eq!(keys.access(&session("a")), access);
        assert!(keys.replace(&Token::new("close sesame")));
        assert_ne!(keys.access(&session("a")), access);
        assert_eq!(keys.sign_in(&session("a"), "open sesame", from), Err(SignInError::Wrong));
        assert_eq!(keys.sign_in(&session("a"), "close sesame", from), Ok(()));
    }

    #[test]
    fn a_token_is_compared_as_it_was_meant() {
        let keys = Keys::new(Some(&Token::new("open sesame")), "random");
        let from = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(keys.sign_in(&session("a"), " open sesame\n", from), Ok(()));
        for wrong in ["", "open", "Open sesame", "open sesame!"] {
            assert_eq!(keys.sign_in(&session("a"), wrong, from), Err(SignInError::Wrong), "{wrong}");
        }
        assert_eq!(Keys::new(None, "random").sign_in(&session("a"), "", from), Err(SignInError::Wrong), "there is none");
    }
}
