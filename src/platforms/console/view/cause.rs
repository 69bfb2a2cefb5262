//! The page of a cause: what it is, what it shows as, what it is not.

use super::Paths;
use super::frame::{PageFrame, SignOut};
use axum::response::Html;
use maud::{Markup, html};

/// `page` is the rule's own documentation: a heading, paragraphs, `**bold**` and code between backquotes.
pub(in super::super) fn cause(
    paths: &Paths,
    id: &str,
    page: &str,
    note: Option<&str>,
    sign_out: Option<&SignOut>,
) -> Html<String> {
    let (heading, paragraphs) = page.split_once("\n\n").unwrap_or((page, ""));
    let heading = heading.trim_start_matches('#').trim();
    let frame = PageFrame { paths, title: heading, note, sign_out, again: None, is_live: false, kind: "report" };
    frame.around(&html! {
        main id="main" tabindex="-1" {
            article class="message cause" {
                header { h1 { (heading) } }
                @for paragraph in paragraphs.split("\n\n") { p { (inline(paragraph)) } }
                p class="quiet" { "rotation-diag explain " (id) }
            }
            p class="ways" { a href=(paths.channel()) { "Back to the channel" } }
        }
    })
}

/// A paragraph with its bold words and its code; every piece is escaped.
fn inline(paragraph: &str) -> Markup {
    html! {
        @for (at, piece) in paragraph.split('`').enumerate() {
            @if at % 2 == 1 {
                code { (piece) }
            } @else {
                @for (at, piece) in piece.split("**").enumerate() {
                    @if at % 2 == 1 { strong { (piece) } } @else { (piece) }
                }
            }
        }
    }
}
