//! The list of threads: what is looked for in it, one line for each, and the way to older ones.

use super::{Paths, line, message};
use crate::chat::document::Tone;
use crate::chat::{ListedThread, ThreadFilter, ThreadList, ThreadTarget};
use crate::platforms::console::list_address::ListAddress;
use crate::report::time::{age, moment};
use jiff::Timestamp;
use maud::{Markup, html};

/// The list beside the thread that is open, where one is.
pub(super) fn list(paths: &Paths, address: &ListAddress, list: &ThreadList, open: Option<&str>) -> Markup {
    let here = open.map_or_else(|| paths.channel(), |root| paths.thread(root));
    let is_bare = list.threads.is_empty() && !address.is_filtered() && address.behind.is_none();
    html! {
        @if is_bare {
            p class="empty" { "No investigations yet." }
        } @else {
            (choices(address, list, &here))
            @if list.threads.is_empty() { p class="empty" { "Nothing here fits." @if list.older.is_none() { " " a href=(here) { "Show all" } } } }
        }
        // Loading anew by itself would take away what is being typed.
        @if open.is_none() && list.threads.iter().any(|thread| thread.tone == Tone::Working) {
            noscript { p class="empty" { a href=(address.at(&here)) { "Refresh" } " to see the progress" } }
        }
        ol id="threads" class="threads" {
            @for thread in &list.threads { (entry(paths, address, thread, list.at, open)) }
        }
        @if address.behind.is_some() || list.older.is_some() {
            p class="turn" {
                @if address.behind.is_some() { a href=(address.from(None).at(&here)) { "Newest" } }
                @if list.older.is_some() { a class="older" href=(address.from(list.older).at(&here)) { "Older" } }
            }
        }
    }
}

/// Search and filters. Each is an address, so that they work without scripts and can be shared.
fn choices(address: &ListAddress, list: &ThreadList, here: &str) -> Markup {
    let accounts = list.accounts.iter().chain(address.account.as_ref().filter(|chosen| !list.accounts.contains(*chosen)));
    let accounts: Vec<&String> = accounts.collect();
    html! {
        search class="choices" {
            form method="get" action=(here) class="search" {
                label class="unseen" for="q" { "Search investigations" }
                input id="q" type="search" name="q" value=(address.text) maxlength="200" placeholder="Search" autocomplete="off"
                    autocapitalize="none" spellcheck="false";
                @if address.filter != ThreadFilter::All { input type="hidden" name="show" value=(address.filter.word()); }
                @if !accounts.is_empty() {
                    label class="unseen" for="account" { "Account" }
                    select id="account" name="account" {
                        option value="" { "All accounts" }
                        @for account in accounts {
                            option value=(account) selected[address.account.as_ref() == Some(account)] { (account) }
                        }
                    }
                }
                button type="submit" { "Search" }
            }
            ul class="filters" aria-label="Show" {
                @for filter in ThreadFilter::ALL {
                    li { a href=(address.with_filter(filter).at(here)) aria-current=[(filter == address.filter).then_some("true")] { (filter.title()) } }
                }
            }
        }
    }
}

fn entry(paths: &Paths, address: &ListAddress, thread: &ListedThread, now: Timestamp, open: Option<&str>) -> Markup {
    let (id, path, elsewhere) = match &thread.leads_to {
        ThreadTarget::Thread(root) => (root.as_str(), address.at(&paths.thread(root)), None),
        ThreadTarget::Elsewhere { investigation, platform } => {
            (investigation.as_str(), paths.investigation(investigation), Some(*platform))
        }
    };
    let title = line(&thread.title);
    html! {
        li id={ "t-" (super::plain(id)) } {
            a href=(path) data-tone=(message::tone(thread.tone)) aria-current=[(open == Some(id)).then_some("page")] {
                span class="icon" aria-hidden="true" {}
                span class="title" title=(title) { span class="unseen" { (spoken(thread.tone)) } (title) }
                @if let Some(platform) = elsewhere { span class="badge" { (platform) } }
                (ago(thread.opened_at, now))
            }
        }
    }
}

/// What the mark of a thread says, for those who do not see it.
const fn spoken(tone: Tone) -> &'static str {
    match tone {
        Tone::Working => "Running: ",
        Tone::Bad => "Failing: ",
        Tone::Warning => "Unclear: ",
        Tone::Good => "Healthy: ",
        Tone::Neutral => "",
    }
}

/// How long ago it was, and exactly when for who points at it; the script keeps it true.
fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time class="ago" datetime=(at) title=(moment(at, now)) data-ago { (age(at, now)) } }
}
