//! Answers that need no report: help, refusals, questions back.

use super::{safe, section};
use crate::chat::command::Usage;
use crate::chat::document::{Choice, Control, Message, Part, Tone};
use crate::model::{Action, ActionToken, StepName};
use crate::redact::SafeText;
use crate::report::inert::one_line;

/// How many places are offered as buttons; more become a menu.
const MOST_BUTTONS: usize = 5;
/// How many places a menu offers: Slack takes 100 entries, Discord 25.
const MOST_CHOICES: usize = 25;

/// Asks which of several places is meant; each is an account and a region.
#[must_use]
pub fn choose(secret: &SafeText, places: &[(String, String)], id: &str, revision: u32) -> Message {
    let title = format!("{} is in {} places — which one is meant?", one_line(secret), places.len());
    let mut message = Message::line(Tone::Neutral, safe(&title));
    let choice = |(at, (account, region)): (u8, &(String, String))| Choice {
        label: safe(&format!("{account} · {region}")),
        token: ActionToken { investigation: id.to_owned(), revision, action: Action::Choose(at) },
    };
    let choices: Vec<Choice> = (0..).zip(places).take(MOST_CHOICES).map(choice).collect();
    if places.len() > MOST_CHOICES {
        let rest = "more than can be listed: name one, such as account:prod region:eu-west-1";
        message.parts.push(Part::Context(vec![safe(rest)]));
    }
    message.controls = if choices.len() <= MOST_BUTTONS {
        choices.into_iter().map(Control::Button).collect()
    } else {
        vec![Control::Select { placeholder: safe("Account and region"), choices }]
    };
    message
}

/// What can be asked.
#[must_use]
pub fn help() -> Message {
    let mut message = Message::line(Tone::Neutral, safe("Why does a secret not rotate? Name it, and I look"));
    message.parts = grammar();
    let steps: Vec<String> = StepName::ALL.iter().map(|step| format!("{} {}", step.number(), step.label())).collect();
    message.parts.push(Part::Context(steps.iter().map(|step| safe(step)).collect()));
    message
}

/// What is wrong with the words, and what can be written instead.
#[must_use]
pub fn usage(usage: &Usage) -> Message {
    let mut message = refused(usage.why().as_str());
    message.parts = vec![ways_to_ask(), Part::Context(vec![safe("/rotation-diag help shows what else can be said")])];
    message
}

fn ways_to_ask() -> Part {
    Part::Commands(vec![
        safe("/rotation-diag prod/orders-db"),
        safe("/rotation-diag prod/orders-db account:prod region:eu-west-1 window:7d"),
    ])
}

fn grammar() -> Vec<Part> {
    let thread = [
        "rerun — all nine steps again; rerun 4 — one of them",
        "widen 7d, widen 30d, widen 90d — look further back",
        "evidence 4 — what a step saw",
        "compare — how other secrets fare",
        "watch — tell how the next rotation ends",
        "export — the report as files",
        "resolve — close it",
    ];
    [Some(ways_to_ask()), section("In a thread", &thread.map(str::to_owned), 0)].into_iter().flatten().collect()
}

/// Why nothing is done, in one sentence.
#[must_use]
pub fn refused(why: &str) -> Message {
    notice(Tone::Warning, why)
}

/// A button that no longer stands for anything.
#[must_use]
pub fn expired() -> Message {
    notice(Tone::Neutral, "this button has expired: ask again with /rotation-diag")
}

/// A click on what has been done meanwhile.
#[must_use]
pub fn already() -> Message {
    notice(Tone::Neutral, "this has been done already: the thread shows how it stands now")
}

/// What was said could not be kept.
#[must_use]
pub fn unavailable() -> Message {
    notice(Tone::Warning, "this could not be stored just now, and nothing was started: please try again in a minute")
}

/// One sentence; it gets its capital letter and its full stop here.
#[must_use]
pub fn notice(tone: Tone, text: &str) -> Message {
    let text = one_line(&safe(text));
    let mut chars = text.chars();
    let sentence: String = chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    let stop = if sentence.ends_with(['.', '?', '!', '…', ':']) { "" } else { "." };
    Message::line(tone, safe(&format!("{sentence}{stop}")))
}
