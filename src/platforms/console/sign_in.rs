//! Signing in, and going on where one wanted to go, with what one had written; and signing out.

use super::PageState;
use super::attempts::{self, SignInError};
use super::cookies::{admit, dismiss};
use super::forms::Words;
use super::session::BrowserSession;
use super::submissions::{Field, key, may_be_kept};
use super::target::{Luggage, PageTarget};
use super::view;
use crate::chat::document::Tone;
use crate::chat::{Message, compose};
use crate::safe_format;
use axum::Extension;
use axum::extract::{ConnectInfo, Form, FromRequest as _, Query, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// How long words may be that are taken along, in characters: as long as the fields take.
const MAX_WORDS: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    to: String,
}

pub(super) async fn form(
    Extension(session): Extension<BrowserSession>,
    State(page): State<PageState>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let to = PageTarget::parse(&wanted.to).unwrap_or_else(PageTarget::channel);
    let keys = &page.console.keys;
    // Signed in meanwhile, in another window.
    if keys.ask_for_a_token() && keys.admits(&session, &headers) {
        return Redirect::to(&to.path(&page.console.paths)).into_response();
    }
    page.sign_in(&session, None, &Luggage { to, words: String::new() }).into_response()
}

/// What is answered to words of somebody who is not, or no longer, signed in.
pub(super) async fn with_words(page: &PageState, session: &BrowserSession, request: Request) -> Response {
    let Ok(Form(said)) = Form::<Words>::from_request(request, &()).await else {
        return page.refused(StatusCode::UNAUTHORIZED, "Sign in first.");
    };
    let words = Some(said.words).filter(|words| may_be_kept(words)).unwrap_or_default();
    let kept = if words.is_empty() { "" } else { ", and what you wrote is kept" };
    let why = compose::notice(Tone::Warning, safe_format!("sign in first: nothing was sent{}", kept));
    let luggage = Luggage { to: said.origin.place(), words };
    (StatusCode::UNAUTHORIZED, page.sign_in(session, Some(&why), &luggage)).into_response()
}

#[derive(Deserialize)]
pub(super) struct GivenToken {
    form: String,
    token: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    words: String,
}

pub(super) async fn sign_in(
    State(page): State<PageState>,
    Extension(session): Extension<BrowserSession>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(given): Form<GivenToken>,
) -> Response {
    // Where the server does not tell addresses, all clients are one.
    let peer = client.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |Extension(ConnectInfo(address))| address.ip());
    let from = attempts::source(peer, &headers, &page.console.settings.trusted_proxies);
    let to = PageTarget::parse(&given.to).unwrap_or_else(PageTarget::channel);
    let words: String = given.words.chars().take(MAX_WORDS).collect();
    let luggage = Luggage { to, words };
    if !page.console.keys.is_form(&session, &given.form) {
        let why = compose::notice(Tone::Warning, "this page was out of date: enter the token again");
        return (StatusCode::FORBIDDEN, page.sign_in(&session, Some(&why), &luggage)).into_response();
    }
    let (status, why) = match page.console.keys.sign_in(&session, &given.token, from) {
        Ok(()) => {
            let mut response = Redirect::to(&page.unpacked(&session, luggage).path(&page.console.paths)).into_response();
            admit(response.headers_mut(), &page, &session);
            return response;
        }
        Err(SignInError::Wrong) => (StatusCode::FORBIDDEN, "this is not the right token"),
        Err(SignInError::TooMany) => (StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens: try again in a minute"),
    };
    let why = compose::notice(Tone::Warning, why);
    let mut response = (status, page.sign_in(&session, Some(&why), &luggage)).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, attempts::SPAN.as_secs().into());
    }
    response
}

#[derive(Deserialize)]
pub(super) struct GivenForm {
    form: String,
}

/// Forgets the session in its browser: the next one has another name, and the key of the old one opens nothing for it.
pub(super) async fn sign_out(
    State(page): State<PageState>,
    Extension(session): Extension<BrowserSession>,
    Form(given): Form<GivenForm>,
) -> Response {
    if !page.console.keys.is_form(&session, &given.form) {
        return page.refused(StatusCode::FORBIDDEN, "This page was out of date, and you are still signed in: sign out again.");
    }
    let mut response = Redirect::to(&PageTarget::channel().sign_in(&page.console.paths)).into_response();
    dismiss(response.headers_mut(), &page);
    response
}

impl PageState {
    fn sign_in(&self, session: &BrowserSession, why_not: Option<&Message>, luggage: &Luggage) -> Html<String> {
        view::sign_in(&self.console.paths, &self.console.keys.form(session), why_not, luggage)
    }

    /// Puts the words back into their field, and says where that is.
    fn unpacked(&self, session: &BrowserSession, Luggage { to, words }: Luggage) -> PageTarget {
        if words.is_empty() {
            return to;
        }
        let once = (self.console.settings.new_id)();
        let key = key(session, &once);
        self.console.submissions.begin(&key, if to.is_thread() { Field::Say } else { Field::Ask }, Some(&words));
        let why = compose::notice(Tone::Warning, "this was not sent yet, because you were signed out: send it now");
        self.console.submissions.give_back(&key, why);
        to.asked(&once)
    }
}
