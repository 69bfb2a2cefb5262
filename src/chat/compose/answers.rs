//! Answers that need no report: help, refusals, questions back.

use super::section;
use super::verdict::OFFERED_OF_SEVERAL;
use crate::chat::Manner;
use crate::chat::command::Usage;
use crate::chat::document::{Control, MenuItem, Message, Part, Tone};
use crate::model::{Action, ActionToken, ActionWord, InvestigationId, Region, SecretRef, StepName};
use crate::redact::SafeText;
use crate::safe_format;

/// How many places are offered as buttons; more become a menu.
const MAX_BUTTONS: usize = 5;
/// How many places a menu offers: Slack takes 100 entries, Discord 25.
const MAX_CHOICES: usize = 25;

/// Asks which of several places is meant; each is an account and a region.
#[must_use]
pub fn choose(secret: &SafeText, places: &[(String, Region)], id: &InvestigationId, revision: u32) -> Message {
    let title = safe_format!("{} is in {} places — which one do you mean?", secret.single_line(), places.len());
    let mut message = Message::line(Tone::Neutral, title);
    let choice = |(at, (account, region)): (u8, &(String, Region))| MenuItem {
        label: safe_format!("{} · {}", SafeText::redact(account), region),
        token: ActionToken { investigation: id.clone(), revision, action: Action::Choose(at) },
    };
    let choices: Vec<MenuItem> = (0..).zip(places).take(MAX_CHOICES).map(choice).collect();
    if places.len() > MAX_CHOICES {
        let rest = "there are more than can be listed: specify one, such as account:prod region:eu-west-1";
        message.parts.push(Part::Context(vec![rest.into()]));
    }
    message.controls = if choices.len() <= MAX_BUTTONS {
        choices.into_iter().map(Control::Button).collect()
    } else {
        vec![Control::Select { placeholder: "Account and region".into(), choices }]
    };
    message
}

/// What can be asked, in the form of a place.
#[must_use]
pub fn help(manner: Manner) -> Message {
    let mut message =
        Message::line(Tone::Neutral, "Why is a secret not rotating? Give me its name and I will investigate".into());
    message.parts = grammar(manner);
    let steps = StepName::ALL.iter().map(|step| safe_format!("{} {}", step.number(), step.label()));
    message.parts.push(Part::Context(steps.collect()));
    message
}

/// Somebody called the bot without a word where there is nothing to go on with: how to ask.
#[must_use]
pub fn hint(manner: Manner) -> Message {
    let title = "Name the secret that is not rotating, and I will investigate";
    with_ways_to_ask(Message::line(Tone::Neutral, title.into()), manner)
}

/// An investigation of a thread, for a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEntry {
    pub secret: SafeText,
    pub investigation: InvestigationId,
    /// Buttons of an older one have expired.
    pub revision: u32,
}

/// What can be done with the investigation of a thread: its controls, and how to say the same in words.
#[must_use]
pub fn menu(subject: &SafeText, controls: Vec<Control>, manner: Manner) -> Message {
    let mut message = Message::line(Tone::Neutral, safe_format!("What next for {}?", subject.single_line()));
    message.parts = vec![more_in_help(manner)];
    message.controls = controls;
    message
}

/// What can be done in a thread that holds several investigations: first what, then with which secret.
#[must_use]
pub fn menu_of_several(entries: &[MenuEntry], manner: Manner) -> Message {
    let title = safe_format!("What next? There are {} investigations in this thread", entries.len());
    let mut message = Message::line(Tone::Neutral, title);
    if entries.len() > MAX_CHOICES {
        message.parts.push(Part::Context(vec!["there are more than can be listed: use the buttons of the one you mean".into()]));
    }
    message.parts.push(more_in_help(manner));
    let menu = |(placeholder, action): (&'static str, Action)| {
        let item = |entry: &MenuEntry| MenuItem {
            label: entry.secret.single_line(),
            token: ActionToken { investigation: entry.investigation.clone(), revision: entry.revision, action },
        };
        Control::Select { placeholder: placeholder.into(), choices: entries.iter().take(MAX_CHOICES).map(item).collect() }
    };
    message.controls = OFFERED_OF_SEVERAL.into_iter().map(menu).collect();
    message
}

/// What is wrong with the words, and what can be written instead.
#[must_use]
pub fn usage(usage: &Usage, manner: Manner) -> Message {
    with_ways_to_ask(refused(usage.why()), manner)
}

/// What was said in a thread is no command, and no secret is named in it; `nearest` is what may have been meant.
#[must_use]
pub fn no_command(nearest: Option<&SafeText>, manner: Manner) -> Message {
    let mut message = match nearest {
        Some(command) => {
            let mut message = Message::line(Tone::Neutral, safe_format!("Did you mean “{}”?", command));
            message.parts = vec![Part::Commands(vec![manner.words(command)]), more_in_help(manner)];
            message
        }
        None => {
            let mut message = Message::line(Tone::Neutral, "I do not know that command; in this thread you can use these".into());
            message.parts.extend(in_thread(manner));
            message
        }
    };
    let ask = safe_format!("to investigate another secret from here: {}", manner.any_question());
    message.parts.push(Part::Context(vec![ask]));
    message
}

/// A message that was pointed at names no secret.
#[must_use]
pub fn nothing_named(manner: Manner) -> Message {
    with_ways_to_ask(Message::line(Tone::Neutral, "I found no secret's name or ARN in that message".into()), manner)
}

/// A message that was pointed at names several secrets.
#[must_use]
pub fn several_named(secrets: &[SafeText], manner: Manner) -> Message {
    let mut message = Message::line(Tone::Neutral, "That message names several secrets — which one do you mean?".into());
    message.parts = vec![Part::Commands(secrets.iter().map(|secret| manner.question(secret.single_line(), "")).collect())];
    message
}

/// What was written looks like a secret's value. Nothing of it is in this answer.
#[must_use]
pub fn pasted_value() -> Message {
    let mut message = Message::line(
        Tone::Warning,
        "This looks like a secret's value, not its name: I did not keep it and did nothing with it".into(),
    );
    let advice = [
        "It was typed into a chat, so rotate it. If it is in a message of yours, delete that message.",
        "A name looks like prod/orders-db. If a secret really has a name like this, give its ARN.",
    ];
    message.parts.extend(section("What to do", advice.map(SafeText::from).to_vec(), 0));
    message
}

/// A name like the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearName {
    pub name: String,
    /// What has to be said with it to be asked about there, such as `region:us-east-1`; may be empty.
    pub options: String,
}

/// There is no such secret in any of the places that were looked at; `near` are names like it that its asker may ask about.
#[must_use]
pub fn not_found(secret: &SecretRef, places: &[(String, Region)], near: &[NearName], manner: Manner) -> Message {
    // A bare word may be anything a person typed; an answer to a mention is seen by others.
    let what = match secret.as_str() {
        name if name.contains('/') => SafeText::redact(name).single_line(),
        _ => "of that name".into(),
    };
    let place = match places {
        [(account, region)] => safe_format!("{}, {}", SafeText::redact(account), region),
        several => safe_format!("any of the {} places you may ask about", several.len()),
    };
    let mut message = Message::line(Tone::Warning, safe_format!("There is no secret {} in {}", what, place));
    if !near.is_empty() {
        let names = near.iter().map(|near| SafeText::redact(&near.name).single_line()).collect();
        message.parts.extend(section("Did you mean", names, 0));
        let ask = |near: &NearName| manner.question(SafeText::redact(&near.name), SafeText::redact(&near.options));
        message.parts.push(Part::Commands(near.iter().map(ask).collect()));
    }
    let account = "a secret of another account or region: add account:NAME or region:REGION";
    message.parts.push(Part::Context(vec![account.into()]));
    message.parts.push(more_in_help(manner));
    message
}

fn more_in_help(manner: Manner) -> Part {
    Part::Context(vec![safe_format!("{} lists all commands", manner.words("help"))])
}

fn ways_to_ask(manner: Manner) -> Part {
    let ask = |options: &'static str| manner.question("prod/orders-db", options);
    Part::Commands(vec![ask(""), ask("account:prod region:eu-west-1 window:7d")])
}

/// A message that can be answered by a question alone.
fn with_ways_to_ask(mut message: Message, manner: Manner) -> Message {
    message.parts = vec![ways_to_ask(manner), more_in_help(manner)];
    message
}

fn grammar(manner: Manner) -> Vec<Part> {
    [Some(ways_to_ask(manner)), in_thread(manner)].into_iter().flatten().collect()
}

fn in_thread(manner: Manner) -> Option<Part> {
    let label = manner.in_thread().example("rerun 4");
    section(label, ActionWord::ALL.map(|word| word.help.into()).to_vec(), 0)
}

/// Why nothing is done, in one sentence.
#[must_use]
pub fn refused(why: impl Into<SafeText>) -> Message {
    notice(Tone::Warning, why)
}

/// A button that no longer stands for anything.
#[must_use]
pub fn expired(manner: Manner) -> Message {
    notice(Tone::Neutral, safe_format!("this button has expired: ask again with {}", manner.start()))
}

/// A click on what has been done meanwhile.
#[must_use]
pub fn already() -> Message {
    notice(Tone::Neutral, "this has already been done: the thread shows the current state")
}

/// What was said could not be kept.
#[must_use]
pub fn unavailable() -> Message {
    notice(Tone::Warning, "this could not be stored just now, and nothing was started: please try again in a minute")
}

/// One sentence of our own; it gets its capital letter and its full stop here.
#[must_use]
pub fn notice(tone: Tone, text: impl Into<SafeText>) -> Message {
    about(tone, text.into().capitalized())
}

/// One sentence that begins with a name, which stays as it is written; it gets its full stop here.
#[must_use]
pub fn about(tone: Tone, text: impl Into<SafeText>) -> Message {
    let sentence = text.into().single_line();
    let stop = if sentence.ends_with(['.', '?', '!', '…', ':']) { "" } else { "." };
    Message::line(tone, safe_format!("{}{}", sentence, stop))
}
