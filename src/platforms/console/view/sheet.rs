//! The channel, and beside it the thread that is open.

use super::frame::{PageFrame, SignOut};
use super::list;
use super::message::{self, ACT, Enrichment};
use super::{Paths, line};
use crate::chat::document::Tone;
use crate::chat::{Posted, ThreadList};
use crate::platforms::console::Example;
use crate::platforms::console::list_address::ListAddress;
use crate::platforms::console::submissions::{Field, Submission};
use axum::response::Html;
use maud::{Markup, html};

/// How many examples are seen at once.
const SHOWN: usize = 6;

/// When a browser without scripts looks again for what is on its way, in seconds.
const AGAIN: &str = "2";

/// What one session sees.
pub(in super::super) struct SessionView<'a> {
    /// Where everything is.
    pub(in super::super) paths: &'a Paths,
    /// What forms have to bring back.
    pub(in super::super) form: String,
    /// The number of this page's forms.
    pub(in super::super) once: String,
    /// One line for the top.
    pub(in super::super) note: Option<&'a str>,
    pub(in super::super) sign_out: Option<SignOut>,
    /// What became of what was said in this window.
    pub(in super::super) submission: Submission,
    /// What of the list is shown.
    pub(in super::super) address: &'a ListAddress,
    pub(in super::super) list: ThreadList,
    /// What may be asked, the first ones for a start.
    pub(in super::super) examples: Vec<Example>,
    /// The thread that is open.
    pub(in super::super) open: Option<Open>,
}

pub(in super::super) struct Open {
    /// The message it hangs on.
    pub(in super::super) root: String,
    /// Its messages.
    pub(in super::super) messages: Vec<Posted>,
    /// What is shown beyond them.
    pub(in super::super) more: Vec<Enrichment>,
}

pub(in super::super) fn sheet(sheet: &SessionView<'_>) -> Html<String> {
    let open = sheet.open.as_ref();
    let root = open.and_then(|open| open.messages.first());
    let working = root.is_some_and(is_working);
    let title = root.map_or_else(|| "Channel".to_owned(), |root| line(&root.message.title));
    let frame = PageFrame {
        paths: sheet.paths,
        title: &title,
        note: sheet.note,
        sign_out: sheet.sign_out.as_ref(),
        again: (working || sheet.submission.is_awaited).then_some(AGAIN),
        is_live: true,
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
        p id="status" class="unseen" role="status" { @if let Some(root) = root { (line(&root.message.title)) } }
    })
}

fn is_working(posted: &Posted) -> bool {
    posted.message.tone == Tone::Working
}

/// The form all buttons in messages belong to.
fn act_form(sheet: &SessionView<'_>) -> Markup {
    html! {
        form id=(ACT) method="post" action=(sheet.paths.at("/act")) { (hidden(sheet)) }
    }
}

fn hidden(sheet: &SessionView<'_>) -> Markup {
    html! {
        input type="hidden" name="form" value=(sheet.form);
        input type="hidden" name="once" value=(sheet.once);
        input type="hidden" name="list" value=(sheet.address.query());
        @if let Some(open) = &sheet.open { input type="hidden" name="thread" value=(open.root); }
    }
}

fn channel(sheet: &SessionView<'_>) -> Markup {
    let open = sheet.open.as_ref().map(|open| open.root.as_str());
    let here = open.map_or_else(|| sheet.paths.channel(), |root| sheet.paths.thread(root));
    let field = Prompt {
        field: Field::Ask,
        id: "ask",
        list: "secrets",
        placeholder: "/rotation-diag prod/orders-db",
        notices: if open.is_some() { "notices-ask" } else { "whispers" },
    };
    html! {
        nav class="channel" aria-label="Channel" {
            div class="prompt" {
                form class="ask" method="post" action=(sheet.paths.at("/say")) {
                    input type="hidden" name="form" value=(sheet.form);
                    input type="hidden" name="once" value=(sheet.once);
                    input type="hidden" name="list" value=(sheet.address.query());
                    @if let Some(root) = open { input type="hidden" name="beside" value=(root); }
                    label for="ask" { "Why does it not rotate?" }
                    div class="line" {
                        (field.input(&sheet.submission, open.is_none()))
                        button type="submit" class="primary" { "Ask" }
                    }
                    datalist id="secrets" {
                        @for Example { words, title } in &sheet.examples { option value={ "/rotation-diag " (words) } { (title) } }
                    }
                }
                (field.notices(sheet.paths, &sheet.submission, &sheet.address.at(&here)))
            }
            (list::list(sheet.paths, sheet.address, &sheet.list, open))
        }
    }
}

/// A field in which something is said, and beside it what that person alone is told about it.
struct Prompt {
    field: Field,
    id: &'static str,
    list: &'static str,
    placeholder: &'static str,
    /// The id of the place for notices.
    notices: &'static str,
}

impl Prompt {
    fn input(&self, submission: &Submission, is_first: bool) -> Markup {
        let is_answered = submission.field == self.field && !submission.notices.is_empty();
        let kept = submission.words.as_deref().filter(|_| submission.field == self.field);
        let is_mistaken = kept.is_some() && submission.notices.iter().any(|notice| notice.tone == Tone::Warning);
        html! {
            input id=(self.id) name="words" type="text" list=(self.list) data-suggest[self.field == Field::Ask] autocomplete="off" autocapitalize="none" spellcheck="false"
                required maxlength="1000" placeholder=(self.placeholder) value=[kept] autofocus[is_first || kept.is_some()]
                aria-invalid=[is_mistaken.then_some("true")] aria-describedby=[is_answered.then_some(self.notices)]
                data-kept[kept.is_some()];
        }
    }

    /// `here` is the page without them.
    fn notices(&self, paths: &Paths, submission: &Submission, here: &str) -> Markup {
        let notices = if submission.field == self.field { submission.notices.as_slice() } else { &[] };
        html! {
            div id=(self.notices) class="notices" role="status" {
                @if !notices.is_empty() { p class="alone" { "Only visible to you" " " a href=(here) { "Hide" } } }
                @for notice in notices { (message::notice(paths, notice)) }
            }
        }
    }
}

fn nothing_open(sheet: &SessionView<'_>) -> Markup {
    let (first, more) = sheet.examples.split_at(sheet.examples.len().min(SHOWN));
    html! {
        main id="main" class="thread welcome" tabindex="-1" {
            h1 { "AWS Secrets Manager stopped rotating a credential. Why?" }
            p {
                "Name a secret. Nine read-only steps look at it, its rotation function, its role and what changed; a thread shows them \
                 live, then the cause, the proof and the fix."
            }
            @if !first.is_empty() {
                form method="post" action=(sheet.paths.at("/say")) class="examples" {
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
                code class="clamp" title=(words) { (words) }
                @if !title.is_empty() { " " span { (title) } }
            }
        }
    }
}

fn thread(sheet: &SessionView<'_>, open: &Open) -> Markup {
    let field =
        Prompt { field: Field::Say, id: "say", list: "follow-ups", placeholder: "rerun 4, widen 30d, help", notices: "whispers" };
    html! {
        main id="main" class="thread" tabindex="-1" {
            h1 class="unseen" { "Thread" }
            p class="back" { a href=(sheet.address.at(&sheet.paths.channel())) { "← Channel" } }
            div id="messages" class="messages" {
                @for posted in &open.messages { (message::posted(sheet.paths, &open.root, posted, &open.more)) }
            }
            div class="go-on" {
                (field.notices(sheet.paths, &sheet.submission, &sheet.address.at(&sheet.paths.thread(&open.root))))
                form class="ask" method="post" action=(sheet.paths.at("/say")) {
                    (hidden(sheet))
                    label for="say" { "Reply in this thread" }
                    div class="line" {
                        (field.input(&sheet.submission, false))
                        button type="submit" { "Send" }
                    }
                    datalist id="follow-ups" {
                        @for words in ["rerun", "rerun 4", "widen 7d", "widen 30d", "widen 90d", "evidence 4", "compare", "consumers", "watch", "export", "resolve", "help"] {
                            option value=(words) {}
                        }
                    }
                }
            }
        }
    }
}
