//! A message whose answer was lost, and how it is known again among those that are there: nothing is written into a message
//! for that.
//!
//! Discord remembers a nonce for some minutes, and until then posting again returns what is there. Later a message is known by
//! what its buttons and menus carry, which no other message does; and one without any by its author, its time and all it says.

use super::Discord;
use super::clickable::without_ids;
use super::file::WHOLE;
use super::layout;
use super::render::Rendered;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::chat::LostPost;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;

/// How long posting again with the same nonce is relied on.
///
/// Source: Discord developer documentation, "Create Message", `enforce_nonce`: "in the past few minutes".
const NONCE_KEPT: SignedDuration = SignedDuration::from_secs(120);
/// How far Discord's clock may be behind ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(60);
/// Messages that are fetched at once. Source: Discord developer documentation, "Get Channel Messages": at most 100.
const PAGE: usize = 100;
/// Pages that are fetched: what was posted stands among the first messages since.
const MAX_PAGES: usize = 3;

/// True while posting again returns what was posted, and posts nothing.
pub(super) fn is_nonce_kept(lost: &LostPost<'_>, now: Timestamp) -> bool {
    now.duration_since(lost.since) < NONCE_KEPT
}

/// What a lost message is known by.
pub(super) struct Trace<'a> {
    author: Snowflake,
    since: Timestamp,
    /// Messages that are known to be others.
    others: &'a [String],
    /// What its buttons and menus carry.
    controls: BTreeSet<String>,
    /// All it says, in each form it may have been posted in.
    texts: BTreeSet<String>,
}

impl<'a> Trace<'a> {
    pub(super) fn new(author: Snowflake, lost: &LostPost<'a>, rendered: &Rendered) -> Trace<'a> {
        let mut controls = BTreeSet::new();
        let mut texts = BTreeSet::new();
        for form in rendered.forms() {
            let (body, files) = rendered.in_form(form);
            let whole = files.iter().find(|file| file.name == WHOLE).map(|file| file.content.len() as u64);
            let shown = body.fields(rendered.mentions());
            collect_controls(&shown, &mut controls);
            texts.insert(all_text(&shown, whole));
        }
        Trace {
            author,
            since: lost.since.saturating_sub(CLOCKS_APART).unwrap_or(lost.since),
            others: lost.others,
            controls,
            texts,
        }
    }

    /// True for what was made since.
    pub(super) fn is_since(&self, id: Snowflake) -> bool {
        id.made_at() >= self.since
    }

    /// True for the lost message as it is fetched.
    pub(super) fn leads_to(&self, message: &Value) -> bool {
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Ok(id) = text("/id").parse::<Snowflake>() else { return false };
        if text("/author/id") != self.author.to_string()
            || !self.is_since(id)
            || self.others.iter().any(|other| other == text("/id"))
        {
            return false;
        }
        let mut controls = BTreeSet::new();
        collect_controls(message, &mut controls);
        if !self.controls.is_empty() {
            return controls == self.controls;
        }
        let files = message.get("attachments").and_then(Value::as_array).into_iter().flatten();
        let whole = files.filter(|file| file.get("filename").and_then(Value::as_str) == Some(WHOLE));
        let whole = whole.filter_map(|file| file.get("size")?.as_u64()).next();
        controls.is_empty() && self.texts.contains(&all_text(message, whole))
    }
}

impl Discord {
    /// Looks for a lost message among those that were posted since to a channel or thread. Where nobody may look, there is none.
    pub(super) async fn look_for(&self, channel: Snowflake, trace: &Trace<'_>) -> Result<Option<Snowflake>, RestFailure> {
        let found = self.messages_since(channel, Snowflake::made_by(trace.since)).await?;
        Ok(found.iter().find(|message| trace.leads_to(message)).and_then(|message| super::rest::id(message).ok()))
    }

    /// The first messages of a channel or thread after the one with an id, or after its moment; none where nobody may look.
    pub(super) async fn messages_since(&self, channel: Snowflake, id: Option<Snowflake>) -> Result<Vec<Value>, RestFailure> {
        let mut all: Vec<Value> = Vec::new();
        let mut after = id;
        for _ in 0..MAX_PAGES {
            let call = Call::get(Route::Messages { channel }).query("limit", &PAGE.to_string());
            let call = call.query("after", &after.map_or_else(|| "0".to_owned(), |id| id.to_string()));
            let page = match self.rest.send(call).await {
                Ok(Value::Array(page)) => page,
                Ok(_) => break,
                Err(failure) if failure.refusal().is_some() => break,
                Err(failure) => return Err(failure),
            };
            let is_last = page.len() < PAGE;
            after = page.iter().filter_map(|message| super::rest::id(message).ok()).max().or(after);
            all.extend(page);
            if is_last {
                break;
            }
        }
        all.sort_by_key(|message| super::rest::id(message).ok());
        Ok(all)
    }
}

/// What the buttons and menus below a value carry, however deep.
fn collect_controls(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_controls(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_str()) {
                    ("custom_id" | "value", Some(carried)) => {
                        found.insert(carried.to_owned());
                    }
                    ("components" | "options" | "accessory", None) => collect_controls(value, found),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// All that a message says, and what it has in a file, which is known by its size.
fn all_text(message: &Value, whole: Option<u64>) -> String {
    texts(message).into_iter().chain(whole.map(|size| format!("+{size}"))).collect::<Vec<_>>().join("\n")
}

/// What a message says in its text, its embeds and its components; Discord trims what it is sent, so only letters count.
fn texts(message: &Value) -> Vec<String> {
    let embeds = message.get("embeds").and_then(Value::as_array).into_iter().flatten();
    // What Discord adds by itself is of other kinds.
    let own = embeds.filter(|embed| embed.get("type").is_none_or(|kind| kind == "rich"));
    let own = own.filter_map(|embed| embed.get("description")?.as_str());
    let content = message.get("content").and_then(Value::as_str);
    let all = content.into_iter().chain(own).chain(layout::texts(message));
    all.map(said).filter(|text| !text.is_empty()).collect()
}

/// True where the message that was returned says what was sent first.
pub(super) fn says_the_same(answer: &Value, sent: &Value) -> bool {
    let known = texts(answer);
    known.is_empty() || known.first() == texts(sent).first()
}

/// The ids of commands are another process's matter.
fn said(text: &str) -> String {
    letters(&without_ids(text))
}

/// The letters and digits of a text.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Message;
    use crate::chat::document::{Attachment, Content, Control, MenuItem, Part, Tone};
    use crate::model::{Action, ActionToken};
    use crate::platforms::discord::render::{Form, render};
    use crate::redact::SafeText;
    use serde_json::json;

    const ME: u64 = 77;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// A message as it is fetched.
    fn fetched(rendered: &Rendered, form: Form, second: i64) -> Value {
        let (body, files) = rendered.in_form(form);
        let mut message = body.fields(rendered.mentions());
        message["id"] = json!(Snowflake::made_by(at(second)).unwrap());
        message["author"] = json!({"id": ME.to_string(), "bot": true});
        message["attachments"] =
            files.iter().map(|file| json!({"id": "1", "filename": file.name, "size": file.content.len()})).collect();
        message
    }

    fn message(title: &str, text: &str) -> Message {
        let lines = vec![SafeText::redact(text)];
        let file = Attachment {
            name: "a.json".to_owned(),
            description: SafeText::default(),
            content: Content::Text(SafeText::redact("{}")),
        };
        Message {
            parts: vec![Part::Section { label: "What happened".into(), lines }],
            attachments: vec![file],
            ..Message::line(Tone::Bad, SafeText::redact(title))
        }
    }

    fn with_button(message: Message, action: Action) -> Message {
        let token = ActionToken { investigation: "0123456789abcdef0123456789abcdef".parse().unwrap(), revision: 1, action };
        Message { controls: vec![Control::Button(MenuItem { label: "x".into(), token })], ..message }
    }

    fn knows(lost: &Message, others: &[String], message: &Value) -> bool {
        let lost_post = LostPost { key: "k", message: lost, since: at(0), others };
        Trace::new(Snowflake::new(ME).unwrap(), &lost_post, &render(lost)).leads_to(message)
    }

    #[test]
    fn a_message_is_known_in_every_form_it_may_have_been_posted_in() {
        for lost in [message("prod/x *is* not rotating", "why"), with_button(message("a", "b"), Action::Export)] {
            let rendered = render(&lost);
            assert_eq!(rendered.forms().len(), 7);
            for form in rendered.forms() {
                let there = fetched(&rendered, form, 3);
                assert!(knows(&lost, &[], &there), "{form:?}");
                let id = there["id"].as_str().unwrap().to_owned();
                assert!(!knows(&lost, &[id], &there), "{form:?}: it is known to be another");
            }
        }
    }

    #[test]
    fn another_author_time_or_word_is_another_message() {
        let lost = message("prod/x is not rotating", "why");
        let rendered = render(&lost);
        let there = |change: fn(&mut Value)| {
            let mut there = fetched(&rendered, Form::Whole, 3);
            change(&mut there);
            there
        };
        assert!(knows(&lost, &[], &there(|_| {})));
        assert!(knows(&lost, &[], &there(|message| message["content"] = json!("🔴 **prod/x is not rotating**\n "))));
        for change in [
            (|message: &mut Value| message["author"]["id"] = json!("78")) as fn(&mut Value),
            |message| message["id"] = json!(Snowflake::made_by(at(-61))),
            |message| message["content"] = json!("🔴 **prod/y is not rotating**"),
            |message| message["embeds"][0]["description"] = json!("**What happened**\nwhy not"),
            |message| message["embeds"] = json!([]),
            |message| message["components"] = json!([{"type": 1, "components": [{"type": 2, "custom_id": "z"}]}]),
            |message| *message = json!({}),
        ] {
            assert!(!knows(&lost, &[], &there(change)), "{}", there(change));
        }
        let in_file = fetched(&rendered, Form::InFile, 3);
        assert!(!knows(&message("prod/x is not rotating", "why else"), &[], &in_file), "another file is of another size");
    }

    #[test]
    fn controls_decide_where_there_are_some_whatever_the_text_says() {
        let lost = with_button(message("looking", "one"), Action::Export);
        let there = |message: Message| fetched(&render(&message), Form::Whole, 3);
        assert!(knows(&lost, &[], &there(with_button(message("verdict", "two"), Action::Export))));
        assert!(!knows(&lost, &[], &there(with_button(message("looking", "one"), Action::Compare))));
        assert!(!knows(&lost, &[], &there(message("looking", "one"))));
    }

    #[test]
    fn a_nonce_is_relied_on_for_two_minutes() {
        let lost = Message::line(Tone::Neutral, "x".into());
        let lost = LostPost { key: "k", message: &lost, since: at(0), others: &[] };
        assert!(is_nonce_kept(&lost, at(0)) && is_nonce_kept(&lost, at(119)) && is_nonce_kept(&lost, at(-5)));
        assert!(!is_nonce_kept(&lost, at(120)) && !is_nonce_kept(&lost, at(90_000)));
    }
}
