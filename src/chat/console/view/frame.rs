//! What surrounds every page.

use super::message;
use crate::chat::Message;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

/// A page.
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    pub(super) note: Option<&'a str>,
    /// When, and where, a browser without scripts asks again; one with them is told.
    pub(super) again: Option<String>,
    /// A class of the body, by which the style knows the page.
    pub(super) kind: &'static str,
}

impl Frame<'_> {
    pub(super) fn around(&self, main: &Markup) -> Html<String> {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (self.title) " · rotation-diag" }
                    link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/assets/console.css";
                    script src="/assets/console.js" defer {}
                    @if let Some(again) = &self.again {
                        noscript { meta http-equiv="refresh" content=(again); }
                    }
                }
                body class=(self.kind) {
                    a class="skip" href="#main" { "Skip to the content" }
                    header class="top" {
                        a class="brand" href="/" {
                            img src="/assets/icon.svg" alt="" width="24" height="24";
                            span { "rotation-diag" }
                        }
                        @if let Some(note) = self.note { p class="note" { (note) } }
                    }
                    (main)
                }
            }
        };
        Html(page.into_string())
    }
}

/// A page that says why there is no other.
pub(in super::super) fn refused(status: StatusCode, why: &str) -> Response {
    let frame = Frame { title: "Not here", note: None, again: None, kind: "alone" };
    let main = html! {
        main id="main" {
            h1 { (why) }
            p { a href="/" { "To the channel" } }
        }
    };
    (status, frame.around(&main)).into_response()
}

/// Asks for the token.
pub(in super::super) fn sign_in(form: &str, why_not: Option<&Message>) -> Html<String> {
    let frame = Frame { title: "Sign in", note: None, again: None, kind: "alone" };
    frame.around(&html! {
        main id="main" {
            h1 { "Sign in" }
            @if let Some(why) = why_not { div role="alert" { (message::whisper(why)) } }
            form class="sign-in" method="post" action="/sign-in" {
                input type="hidden" name="form" value=(form);
                label for="token" { "The token of this page, from whoever runs rotation-diag" }
                input id="token" name="token" type="password" autocomplete="current-password" required autofocus;
                button type="submit" class="primary" { "Sign in" }
            }
        }
    })
}
