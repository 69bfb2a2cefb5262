//! What surrounds every page.

use super::{Paths, message};
use crate::chat::Message;
use crate::platforms::console::target::Luggage;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

/// What the button that ends a session has to bring back: its form.
pub(in super::super) struct SignOut(pub(in super::super) String);

/// A page.
pub(super) struct PageFrame<'a> {
    pub(super) paths: &'a Paths,
    pub(super) title: &'a str,
    pub(super) note: Option<&'a str>,
    /// Where people had to sign in.
    pub(super) sign_out: Option<&'a SignOut>,
    /// When a browser without scripts asks again, in seconds; one with them is told.
    pub(super) again: Option<&'static str>,
    /// True where news are shown as they come.
    pub(super) is_live: bool,
    /// A class of the body, by which the style knows the page.
    pub(super) kind: &'static str,
}

impl PageFrame<'_> {
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
                    link rel="icon" href=(self.paths.at("/assets/icon.svg")) type="image/svg+xml";
                    link rel="stylesheet" href=(self.paths.at("/assets/console.css"));
                    script src=(self.paths.at("/assets/console.js")) defer {}
                    @if let Some(again) = self.again {
                        noscript { meta http-equiv="refresh" content=(again); }
                    }
                }
                body class=(self.kind) {
                    a class="skip" href="#main" { "Skip to the content" }
                    header class="top" {
                        a class="brand" href=(self.paths.channel()) {
                            img src=(self.paths.at("/assets/icon.svg")) alt="" width="24" height="24";
                            span { "rotation-diag" }
                        }
                        @if let Some(note) = self.note { p class="note" { (note) } }
                        @if let Some(SignOut(form)) = self.sign_out {
                            form class="sign-out" method="post" action=(self.paths.at("/sign-out")) {
                                input type="hidden" name="form" value=(form);
                                button type="submit" { "Sign out" }
                            }
                        }
                    }
                    // What the script says about the server: that it is gone, and back.
                    @if self.is_live { p id="connection" class="connection" role="status" {} }
                    (main)
                }
            }
        };
        Html(page.into_string())
    }
}

/// A page that says why there is no other.
pub(in super::super) fn refused(paths: &Paths, status: StatusCode, why: &str) -> Response {
    let main = html! {
        main id="main" tabindex="-1" {
            h1 { (why) }
            p { a href=(paths.channel()) { "Back to the channel" } }
        }
    };
    (status, standalone_page(paths, "Not here").around(&main)).into_response()
}

/// Asks for the token; what somebody wanted, and had written, comes back with it.
pub(in super::super) fn sign_in(paths: &Paths, form: &str, why_not: Option<&Message>, luggage: &Luggage) -> Html<String> {
    standalone_page(paths, "Sign in").around(&html! {
        main id="main" tabindex="-1" {
            h1 { "Sign in" }
            @if let Some(why) = why_not { div id="why-not" { (message::notice(paths, why)) } }
            form class="sign-in" method="post" action=(paths.at("/sign-in")) {
                input type="hidden" name="form" value=(form);
                input type="hidden" name="to" value=(luggage.to.as_str());
                @if !luggage.words.is_empty() { input type="hidden" name="words" value=(luggage.words); }
                label for="token" { "The token of this web console, from the operator of rotation-diag" }
                input id="token" name="token" type="password" autocomplete="current-password" required autofocus
                    aria-describedby=[why_not.map(|_| "why-not")];
                button type="submit" class="primary" { "Sign in" }
            }
        }
    })
}

fn standalone_page<'a>(paths: &'a Paths, title: &'a str) -> PageFrame<'a> {
    PageFrame { paths, title, note: None, sign_out: None, again: None, is_live: false, kind: "alone" }
}
