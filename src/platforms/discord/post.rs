//! Messages on their way out, and the steps back where the bot may do less than it wants.
//!
//! A thread's id is the id of the message it hangs on, so a thread that could not be opened needs no memory: whoever
//! writes to it learns that there is none, and opens it, or replies to that message in the channel instead.

use super::Discord;
use super::body::{in_reply_to, no_mentions, with_nonce};
use super::code::{self, is_about_place, is_about_words};
use super::file::{File, WHOLE};
use super::layout;
use super::limits;
use super::lost::says_the_same;
use super::memory::Memory;
use super::refusal::{AskedFor, meaning, reason};
use super::render::{Form, Rendered};
use super::rest::{Call, RestFailure, id};
use super::route::Route;
use super::snowflake::Snowflake;
use super::text;
use super::thread::{OpenedThread, Opening};
use crate::chat::SendError;
use crate::clock::{deadline, this_instant};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use serenity::builder::{CreateMessage, EditMessage, EditThread};
use std::time::Duration;
use tokio::time::Instant;

/// How long a channel that refused a form is spared it.
const SPARED: Duration = Duration::from_secs(600);

impl Discord {
    /// Posts to a channel or thread, in the best form that is taken there; what a form says in further messages follows in
    /// the same place.
    pub(super) async fn post_in(
        &self,
        channel: Snowflake,
        rendered: &Rendered,
        nonce: Option<&str>,
        reference: Option<Snowflake>,
    ) -> Result<Snowflake, RestFailure> {
        let (id, form) = self.post_first(channel, rendered, nonce, reference).await?;
        self.post_rest(channel, id, &rendered.all_texts(form), false).await?;
        Ok(id)
    }

    /// Posts what the first message of a thread leaves to further ones: in its thread, or where that takes nothing, in its
    /// channel.
    pub(super) async fn post_rest_of_root(
        &self,
        thread: OpenedThread,
        texts: &[String],
        is_edit: bool,
    ) -> Result<(), RestFailure> {
        let is_open = self.threadless.get(&thread.root).is_none() && !self.is_unopened(thread);
        if is_open {
            match self.post_rest(thread.root, thread.root, texts, is_edit).await {
                Err(failure) if failure.refusal().is_some() => {}
                other => return other,
            }
        }
        self.post_rest(thread.channel, thread.root, texts, is_edit).await
    }

    /// Posts the first message of a form, and tells which form was taken.
    pub(super) async fn post_first(
        &self,
        channel: Snowflake,
        rendered: &Rendered,
        nonce: Option<&str>,
        reference: Option<Snowflake>,
    ) -> Result<(Snowflake, Form), RestFailure> {
        let mut refused = RefusedForms::default();
        for form in self.forms(channel, rendered.forms()) {
            if refused.rule_out(form) {
                continue;
            }
            match self.post_as(channel, rendered, form, nonce, reference).await {
                Ok(id) => {
                    self.note_form(channel, form, &refused);
                    return Ok((id, form));
                }
                Err(failure) => match failure.refusal() {
                    Some(code) if !(is_about_place(code) || reference.is_some() && code == code::NO_REPLY) => {
                        refused.note(form, failure, code);
                    }
                    _ => return Err(failure),
                },
            }
        }
        Err(refused.last())
    }

    async fn post_as(
        &self,
        channel: Snowflake,
        rendered: &Rendered,
        form: Form,
        nonce: Option<&str>,
        reference: Option<Snowflake>,
    ) -> Result<Snowflake, RestFailure> {
        let (body, files) = rendered.in_form(form);
        let mut message = body.create(rendered.mentions());
        if let Some(nonce) = nonce {
            message = with_nonce(message, nonce);
        }
        if let Some(replied_to) = reference {
            message = in_reply_to(message, channel, replied_to);
        }
        let call = Call::post(Route::Messages { channel }, &message).layout(&body.layout).files(files, &[]);
        let answer = self.rest.send(call).await?;
        let id = id(&answer)?;
        // A nonce that is known returns the message of an earlier attempt, whatever it says.
        if !says_the_same(&answer, &body.fields(rendered.mentions())) {
            self.replace(channel, id, rendered)
                .await
                .map_err(|_| RestFailure::Lost("an earlier attempt of it is there already"))?;
        }
        Ok(id)
    }

    /// The forms that are worth trying in a channel.
    fn forms(&self, channel: Snowflake, mut forms: Vec<Form>) -> Vec<Form> {
        let is_spared = |memory: &Memory<Snowflake, Instant>| memory.get(&channel).is_some_and(|until| this_instant() < until);
        if is_spared(&self.text_alone) && forms.contains(&Form::Text) {
            forms.retain(|form| form.is_text() || form.is_in_file());
        }
        if is_spared(&self.unlaid) {
            forms.retain(|form| !form.is_layout());
        }
        forms
    }

    fn note_form(&self, channel: Snowflake, form: Form, refused: &RefusedForms) {
        let Some(code) = refused.code() else { return };
        let consequence = match form {
            Form::Layout => return,
            Form::Whole => "messages are shown in embeds",
            Form::LayoutWithoutFiles | Form::WithoutFiles => "messages are shown without files",
            Form::TextWithFiles | Form::Text => "messages are shown as text",
            Form::LayoutInFile | Form::InFile => "a message is shown as a file",
        };
        self.tell_once(channel, code, consequence);
        if code == code::MISSING_PERMISSION && form.is_text() {
            self.text_alone.put(channel, deadline(SPARED));
        }
        if refused.is_layout_invalid && !form.is_layout() {
            self.unlaid.put(channel, deadline(SPARED));
        }
    }

    /// Posts to a thread, or where that takes nothing, to its channel as a reply to the thread's first message. An archived
    /// thread is opened again by that.
    ///
    /// Source: Discord developer documentation, "Threads": sending a message unarchives a thread that is not locked.
    pub(super) async fn reply(&self, thread: OpenedThread, rendered: &Rendered, nonce: &str) -> Result<Snowflake, SendError> {
        if self.threadless.get(&thread.root).is_none() {
            let mut posted = self.post_in(thread.root, rendered, Some(nonce), None).await;
            if posted.as_ref().is_err_and(|failure| failure.refusal() == Some(code::UNKNOWN_CHANNEL)) {
                match self.open_thread(thread, None).await {
                    Opening::Open => posted = self.post_in(thread.root, rendered, Some(nonce), None).await,
                    Opening::NotYet(failure) => return Err(meaning(&failure, AskedFor::Repeatable)),
                    Opening::RootGone => {
                        return Err(SendError::Gone { why: "the thread and its first message are gone".to_owned() });
                    }
                    Opening::Never => {}
                }
            }
            match posted {
                Ok(id) => return Ok(id),
                Err(failure) => match failure.refusal() {
                    None => return Err(meaning(&failure, AskedFor::Add)),
                    Some(code::UNKNOWN_CHANNEL) => {}
                    Some(code) => self.tell_once(thread.channel, code, "replies go to the channel instead of the thread"),
                },
            }
        }
        let mut posted = self.post_in(thread.channel, rendered, Some(nonce), Some(thread.root)).await;
        if posted.as_ref().is_err_and(|failure| matches!(failure.refusal(), Some(code::NO_REPLY | code::INVALID_BODY))) {
            posted = self.post_in(thread.channel, rendered, Some(nonce), None).await;
        }
        posted.map_err(|failure| meaning(&failure, AskedFor::Add))
    }

    /// Replaces a message, in the best form that is taken there; the files it has stay.
    pub(super) async fn replace(&self, channel: Snowflake, message: Snowflake, rendered: &Rendered) -> Result<Form, RestFailure> {
        let mut refused = RefusedForms::default();
        let mut forms = rendered.forms_of_an_edit();
        if self.never_laid.get(&message).is_some() {
            forms.retain(|form| !form.is_layout());
        }
        for form in forms {
            if refused.rule_out(form) {
                continue;
            }
            match self.replace_as(channel, message, rendered, form).await {
                Ok(()) => {
                    self.note_form(channel, form, &refused);
                    if refused.is_layout_invalid && !form.is_layout() {
                        self.never_laid.put(message, ());
                    }
                    return Ok(form);
                }
                Err(failure) => match failure.refusal() {
                    Some(code) if !is_about_place(code) => refused.note(form, failure, code),
                    _ => return Err(failure),
                },
            }
        }
        Err(refused.last())
    }

    async fn replace_as(
        &self,
        channel: Snowflake,
        message: Snowflake,
        rendered: &Rendered,
        form: Form,
    ) -> Result<(), RestFailure> {
        let (mut body, files) = rendered.in_form(form);
        let has_files = !files.is_empty();
        // A message has its own files already; a layout shows those that are there.
        let new: Vec<File> = files.into_iter().filter(|file| file.name == WHOLE).collect();
        let is_shown = form.is_layout() && has_files;
        let kept = if is_shown || !new.is_empty() { self.attachments(channel, message).await? } else { Vec::new() };
        if is_shown {
            let is_there = |name: &str| new.iter().any(|file| file.name == name) || kept.iter().any(|(_, known)| known == name);
            body.layout = layout::with_files_among(body.layout, &is_there);
        }
        let kept: Vec<Snowflake> = kept.into_iter().map(|(id, _)| id).collect();
        let call = Call::patch(Route::Message { channel, message }, &body.edit()).layout(&body.layout).files(new, &kept);
        self.rest.send(call).await.map(|_| ())
    }

    /// The files a message has and their names, but for one that would be written anew.
    async fn attachments(&self, channel: Snowflake, message: Snowflake) -> Result<Vec<(Snowflake, String)>, RestFailure> {
        let found = match self.rest.send(Call::get(Route::Message { channel, message })).await {
            // Whoever may not look there may change it all the same.
            Err(failure) if failure.refusal().is_some_and(|code| !is_about_place(code)) => Value::Null,
            other => other?,
        };
        let files = found.get("attachments").and_then(Value::as_array).into_iter().flatten();
        let named = files.filter_map(|file| Some((id(file).ok()?, file.get("filename")?.as_str()?.to_owned())));
        Ok(named.filter(|(_, name)| name != WHOLE).take(limits::FILES - 1).collect())
    }

    /// Takes a message away that can no longer be changed, so that it does not go on saying what is no longer true.
    pub(super) async fn take_away(&self, channel: Snowflake, message: Snowflake) {
        if let Err(failure) = self.rest.send(Call::delete(Route::Message { channel, message })).await {
            tracing::info!("a message that cannot be changed stays: {}", super::command::why(&failure));
        }
    }

    /// True when the thread is open again.
    pub(super) async fn unarchive(&self, thread: Snowflake) -> bool {
        let open = EditThread::new().archived(false);
        self.rest.send(Call::patch(Route::Channel { channel: thread }, &open)).await.is_ok()
    }

    /// Posts what a form says after its first message, or changes what is there of it. Each of these messages begins with its
    /// number and replies to the first one, where that is in the same place, so that it is known again.
    pub(super) async fn post_rest(
        &self,
        channel: Snowflake,
        first: Snowflake,
        texts: &[String],
        is_edit: bool,
    ) -> Result<(), RestFailure> {
        // The first message of a thread is not in it, and has its id.
        let replied_to = (channel != first).then_some(first);
        let is_unknown = |number: &usize| self.parts.get(&(first, *number)).is_none();
        if is_edit && (1..texts.len()).any(|number| is_unknown(&number)) {
            self.find_parts(channel, first, replied_to).await?;
        }
        let mut lost = None;
        for (number, text) in texts.iter().enumerate().skip(1) {
            let content = text::part(number, texts.len(), text);
            let sent = match self.parts.get(&(first, number)) {
                Some((place, id)) => self.change_part(place, id, &content).await.map(|()| (place, id)),
                None => self.post_part(channel, &format!("{first}.{number}"), &content, replied_to).await.map(|id| (channel, id)),
            };
            match sent {
                Ok(place) => self.parts.put((first, number), place),
                Err(failure) => lost = lost.or(Some(failure)),
            }
        }
        // What was longer before.
        let mut number = texts.len().max(1);
        while let Some((place, id)) = self.parts.take(&(first, number)) {
            self.take_away(place, id).await;
            number += 1;
        }
        lost.map_or(Ok(()), Err)
    }

    async fn post_part(
        &self,
        channel: Snowflake,
        key: &str,
        content: &str,
        replied_to: Option<Snowflake>,
    ) -> Result<Snowflake, RestFailure> {
        let new = || with_nonce(CreateMessage::new().content(content).allowed_mentions(no_mentions()), &nonce(key));
        let route = Route::Messages { channel };
        let mut posted = match replied_to {
            Some(first) => self.rest.send(Call::post(route, &in_reply_to(new(), channel, first))).await,
            None => self.rest.send(Call::post(route, &new())).await,
        };
        if replied_to.is_some() && posted.as_ref().is_err_and(|failure| failure.refusal() == Some(code::NO_REPLY)) {
            posted = self.rest.send(Call::post(route, &new())).await;
        }
        let answer = posted?;
        let id = id(&answer)?;
        if !says_the_same(&answer, &json!({ "content": content })) {
            self.change_part(channel, id, content).await?;
        }
        Ok(id)
    }

    async fn change_part(&self, channel: Snowflake, message: Snowflake, content: &str) -> Result<(), RestFailure> {
        let changed = EditMessage::new().content(content).allowed_mentions(no_mentions());
        self.rest.send(Call::patch(Route::Message { channel, message }, &changed)).await.map(|_| ())
    }

    /// Remembers the further messages of one that an earlier process posted.
    async fn find_parts(&self, channel: Snowflake, first: Snowflake, replied_to: Option<Snowflake>) -> Result<(), RestFailure> {
        let me = self.me().await?.to_string();
        let replied_to = replied_to.map(|id| id.to_string());
        for message in self.messages_since(channel, Some(first)).await? {
            let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
            let is_ours = text("/author/id") == Some(me.as_str());
            let is_of_it = text("/message_reference/message_id") == replied_to.as_deref();
            let number = text("/content").and_then(text::part_number).filter(|_| is_ours && is_of_it);
            if let (Some(number), Ok(id)) = (number, id(&message)) {
                self.parts.put((first, number), (channel, id));
            }
        }
        Ok(())
    }

    /// Tells the operator, once for a channel and a reason.
    pub(super) fn tell_once(&self, channel: Snowflake, code: u64, consequence: &str) {
        if self.told.is_new((channel, code)) {
            tracing::warn!(%channel, code, "Discord refuses: {}; {consequence}", reason(code));
        }
    }
}

/// The forms of a message that were refused.
#[derive(Default)]
struct RefusedForms {
    last: Option<(RestFailure, u64)>,
    /// True where Discord takes no components here.
    is_layout_invalid: bool,
    /// True where it is what the message says that is refused.
    needs_file: bool,
}

impl RefusedForms {
    fn note(&mut self, form: Form, failure: RestFailure, code: u64) {
        // What is not valid in components may be in embeds.
        let is_layout_invalid = form.is_layout() && code == code::INVALID_BODY;
        self.is_layout_invalid |= is_layout_invalid;
        self.needs_file |= is_about_words(code) && !is_layout_invalid;
        self.last = Some((failure, code));
    }

    /// True for a form that would be refused too.
    const fn rule_out(&self, form: Form) -> bool {
        self.needs_file && !form.is_in_file() || self.is_layout_invalid && form.is_layout()
    }

    fn code(&self) -> Option<u64> {
        self.last.as_ref().map(|(_, code)| *code)
    }

    fn last(self) -> RestFailure {
        self.last.map_or(RestFailure::Lost("it has no form"), |(failure, _)| failure)
    }
}

/// A delivery's key as Discord takes it: a repetition within some minutes returns the first message.
///
/// Source: Discord developer documentation, "Create Message": `enforce_nonce`.
pub(super) fn nonce(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref()).chars().take(limits::NONCE).collect()
}
