//! The channel, and beside it the thread that is open.

use super::frame::Frame;
use super::message::{self, ACT};
use super::{text, thread_path};
use crate::chat::Message;
use crate::chat::board::{BoardThread, Posted};
use crate::chat::console::Example;
use crate::chat::document::{Part, Tone};
use crate::report::time::moment;
use axum::response::Html;
use maud::{Markup, html};

/// How many examples are seen at once.
const SHOWN: usize = 6;

/// When a browser without scripts looks again for what is on its way, in seconds.
const AGAIN: &str = "2";

/// What one session sees.
pub(in super::super) struct Sheet<'a> {
    /// What forms have to bring back.
    pub(in super::super) form: String,
    /// The number of this page's forms.
    pub(in super::super) once: String,
    /// One line for the top.
    pub(in super::super) note: Option<&'a str>,
    /// True right after something was asked: the answer is on its way.
    pub(in super::super) asked: bool,
    /// What this session alone is told.
    pub(in super::super) whispers: Vec<Message>,
    /// The channel.
    pub(in super::super) channel: Channel,
    /// The thread that is open.
    pub(in super::super) open: Option<Open>,
}

pub(in super::super) struct Channel {
    /// Its threads, the newest first.
    pub(in super::super) threads: Vec<BoardThread>,
    /// What may be asked, the first ones for a start.
    pub(in super::super) examples: Vec<Example>,
}

pub(in super::super) struct Open {
    /// The message it hangs on.
    pub(in super::super) root: String,
    /// Its messages.
    pub(in super::super) messages: Vec<Posted>,
}

pub(in super::super) fn sheet(sheet: &Sheet<'_>) -> Html<String> {
    let open = sheet.open.as_ref();
    let root = open.and_then(|open| open.messages.first());
    let working = root.into_iter().chain(sheet.channel.threads.iter().map(|thread| &thread.root)).any(is_working);
    let title = root.map_or_else(|| "Channel".to_owned(), |root| text(&root.message.title));
    let frame = Frame {
        title: &title,
        note: sheet.note,
        again: match open {
            _ if working => Some(AGAIN.to_owned()),
            Some(open) if sheet.asked => Some(format!("{AGAIN};url={}", thread_path(&open.root))),
            None if sheet.asked => Some(format!("{AGAIN};url=/")),
            _ => None,
        },
        kind: match open {
            Some(_) => "sheet with-thread",
            None => "sheet",
        },
    };
    frame.around(&html! {
        (act_form(sheet))
        div class="panes" {
            (channel(sheet))
            @match open {
                Some(open) => (thread(sheet, open)),
                None => (nothing_open(sheet)),
            }
        }
        // Told to whoever listens instead of looking; one line, not every step.
        p id="status" class="unseen" role="status" { @if let Some(root) = root { (text(&root.message.title)) } }
    })
}

fn is_working(posted: &Posted) -> bool {
    posted.message.tone == Tone::Working
}

/// The form all buttons in messages belong to.
fn act_form(sheet: &Sheet<'_>) -> Markup {
    html! {
        form id=(ACT) method="post" action="/act" { (hidden(sheet)) }
    }
}

fn hidden(sheet: &Sheet<'_>) -> Markup {
    html! {
        input type="hidden" name="form" value=(sheet.form);
        input type="hidden" name="once" value=(sheet.once);
        @if let Some(open) = &sheet.open { input type="hidden" name="thread" value=(open.root); }
    }
}

fn channel(sheet: &Sheet<'_>) -> Markup {
    let Channel { threads, examples } = &sheet.channel;
    let open = sheet.open.as_ref().map(|open| open.root.as_str());
    html! {
        nav class="channel" aria-label="Channel" {
            form class="ask" method="post" action="/say" {
                input type="hidden" name="form" value=(sheet.form);
                input type="hidden" name="once" value=(sheet.once);
                label for="ask" { "Why does it not rotate?" }
                div class="line" {
                    input id="ask" name="words" type="text" list="secrets" autocomplete="off" autocapitalize="none" spellcheck="false"
                        required maxlength="1000" placeholder="/rotation-diag prod/orders-db" autofocus[open.is_none()];
                    button type="submit" class="primary" { "Ask" }
                }
                datalist id="secrets" { @for Example { words, title } in examples { option value={ "/rotation-diag " (words) } { (title) } } }
            }
            @if open.is_none() { (whispers(&sheet.whispers)) }
            @if threads.is_empty() {
                p class="empty" { "Nothing has been asked yet." }
            }
            ol id="threads" class="threads" {
                @for thread in threads { (entry(thread, open == Some(thread.root.id.as_str()))) }
            }
        }
    }
}

fn entry(thread: &BoardThread, is_open: bool) -> Markup {
    let message = &thread.root.message;
    let replies = match thread.replies {
        0 => String::new(),
        1 => "1 reply".to_owned(),
        more => format!("{more} replies"),
    };
    let steps = message.parts.iter().find_map(|part| match part {
        Part::Steps(lines) => Some(lines),
        _ => None,
    });
    html! {
        li id={ "t-" (super::plain(&thread.root.id)) } {
            a href=(thread_path(&thread.root.id)) data-tone=(message::tone(message.tone)) aria-current=[is_open.then_some("page")] {
                span class="title" { (message::mark(message.tone)) (text(&message.title)) }
                @if let Some(lines) = steps { (message::gauge(lines)) }
                span class="below" {
                    time datetime=(thread.root.at) { (moment(thread.root.at, thread.root.at)) }
                    @if !replies.is_empty() { " " span { (replies) } }
                }
            }
        }
    }
}

fn whispers(whispers: &[Message]) -> Markup {
    html! {
        div id="whispers" class="whispers" role="status" {
            @if !whispers.is_empty() { p class="alone" { "Only you see this" } }
            @for whisper in whispers { (message::whisper(whisper)) }
        }
    }
}

fn nothing_open(sheet: &Sheet<'_>) -> Markup {
    let (first, more) = sheet.channel.examples.split_at(sheet.channel.examples.len().min(SHOWN));
    html! {
        main id="main" class="thread welcome" tabindex="-1" {
            h1 { "AWS Secrets Manager stopped rotating a credential. Why?" }
            p {
                "Name a secret. Nine read-only steps look at it, its rotation function, its role and what changed; a thread shows them \
                 live, then the cause, the proof and the fix."
            }
            @if !first.is_empty() {
                form method="post" action="/say" class="examples" {
                    (hidden(sheet))
                    h2 { "Try one of these" }
                    ul { @for one in first { (example(one)) } }
                    @if !more.is_empty() {
                        details {
                            summary { (more.len()) " more" }
                            ul { @for one in more { (example(one)) } }
                        }
                    }
                }
            }
        }
    }
}

fn example(Example { words, title }: &Example) -> Markup {
    html! {
        li {
            button type="submit" name="words" value={ "/rotation-diag " (words) } {
                code { (words) }
                @if !title.is_empty() { " " span { (title) } }
            }
        }
    }
}

fn thread(sheet: &Sheet<'_>, open: &Open) -> Markup {
    html! {
        main id="main" class="thread" tabindex="-1" {
            h1 class="unseen" { "Thread" }
            p class="back" { a href="/" { "← Channel" } }
            div id="messages" class="messages" {
                @for posted in &open.messages { (message::posted(&open.root, posted)) }
            }
            div class="go-on" {
                (whispers(&sheet.whispers))
                form class="ask" method="post" action="/say" {
                    (hidden(sheet))
                    label for="say" { "Go on in this thread" }
                    div class="line" {
                        input id="say" name="words" type="text" list="follow-ups" autocomplete="off" autocapitalize="none"
                            spellcheck="false" required maxlength="1000" placeholder="rerun 4, widen 30d, help";
                        button type="submit" { "Send" }
                    }
                    datalist id="follow-ups" {
                        @for words in ["rerun", "rerun 4", "widen 7d", "widen 30d", "widen 90d", "evidence 4", "compare", "watch", "export", "resolve", "help"] {
                            option value=(words) {}
                        }
                    }
                }
            }
        }
    }
}
