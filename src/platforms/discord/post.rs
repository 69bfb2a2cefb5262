//! Messages on their way out, and the steps back where the bot may do less than it wants.
//!
//! A thread's id is the id of the message it hangs on, so a thread that could not be opened needs no memory: whoever
//! writes to it learns that there is none, and opens it, or replies to that message in the channel instead.

use super::Discord;
use super::body::{in_reply_to, no_mentions, with_nonce};
use super::code::{self, is_about_place, is_about_words};
use super::file::WHOLE;
use super::limits;
use super::lost::letters;
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
use serde_json::Value;
use serenity::builder::{CreateMessage, EditMessage, EditThread};
use std::time::Duration;

/// How long a channel that took only text is spared what else there is.
const TEXT_ALONE: Duration = Duration::from_secs(600);

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
        let mut refusal = None;
        for form in self.forms(channel, rendered) {
            if refusal.as_ref().and_then(RestFailure::refusal).is_some_and(is_about_words) && form != Form::InFile {
                continue;
            }
            match self.post_as(channel, rendered, form, nonce, reference).await {
                Ok(id) => {
                    self.note_form(channel, form, refusal.as_ref());
                    return Ok((id, form));
                }
                Err(failure) => match failure.refusal() {
                    Some(code) if !(is_about_place(code) || reference.is_some() && code == code::NO_REPLY) => {
                        refusal = Some(failure);
                    }
                    _ => return Err(failure),
                },
            }
        }
        Err(refusal.unwrap_or(RestFailure::Lost("it has no form")))
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
        let content = body.content.clone();
        let mut message = body.create(rendered.mentions());
        if let Some(nonce) = nonce {
            message = with_nonce(message, nonce);
        }
        if let Some(replied_to) = reference {
            message = in_reply_to(message, channel, replied_to);
        }
        let answer = self.rest.send(Call::post(Route::Messages { channel }, &message).files(files, &[])).await?;
        let id = id(&answer)?;
        // A nonce that is known returns the message of an earlier attempt, whatever it says.
        if !says_the_same(&answer, &content) {
            self.replace(channel, id, rendered)
                .await
                .map_err(|_| RestFailure::Lost("an earlier attempt of it is there already"))?;
        }
        Ok(id)
    }

    fn forms(&self, channel: Snowflake, rendered: &Rendered) -> Vec<Form> {
        let is_text_alone = self.text_alone.get(&channel).is_some_and(|until| this_instant() < until);
        let mut forms = rendered.forms();
        if is_text_alone && forms.contains(&Form::Text) {
            forms.retain(|form| !matches!(form, Form::Whole | Form::WithoutFiles));
        }
        forms
    }

    fn note_form(&self, channel: Snowflake, form: Form, refusal: Option<&RestFailure>) {
        let Some(code) = refusal.and_then(RestFailure::refusal) else { return };
        let consequence = match form {
            Form::Whole => return,
            Form::WithoutFiles => "messages are shown without files",
            Form::TextWithFiles | Form::Text => "messages are shown as text",
            Form::InFile => "a message is shown as a file",
        };
        self.tell_once(channel, code, consequence);
        if code == code::MISSING_PERMISSION && matches!(form, Form::TextWithFiles | Form::Text) {
            self.text_alone.put(channel, deadline(TEXT_ALONE));
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
        let mut refusal: Option<RestFailure> = None;
        for form in self.forms(channel, rendered) {
            // A message has its own files already.
            let is_second = matches!(form, Form::WithoutFiles | Form::TextWithFiles);
            let needs_file = refusal.as_ref().and_then(RestFailure::refusal).is_some_and(is_about_words) && form != Form::InFile;
            if is_second || needs_file {
                continue;
            }
            match self.replace_as(channel, message, rendered, form).await {
                Ok(()) => {
                    self.note_form(channel, form, refusal.as_ref());
                    return Ok(form);
                }
                Err(failure) => match failure.refusal() {
                    Some(code) if !is_about_place(code) => refusal = Some(failure),
                    _ => return Err(failure),
                },
            }
        }
        Err(refusal.unwrap_or(RestFailure::Lost("it has no form")))
    }

    async fn replace_as(
        &self,
        channel: Snowflake,
        message: Snowflake,
        rendered: &Rendered,
        form: Form,
    ) -> Result<(), RestFailure> {
        let (body, mut files) = rendered.in_form(form);
        files.retain(|file| file.name == WHOLE);
        let call = Call::patch(Route::Message { channel, message }, &body.edit());
        let call = if files.is_empty() { call } else { call.files(files, &self.attachments(channel, message).await?) };
        self.rest.send(call).await.map(|_| ())
    }

    /// The files a message has, but for one that would be written anew.
    async fn attachments(&self, channel: Snowflake, message: Snowflake) -> Result<Vec<Snowflake>, RestFailure> {
        let found = match self.rest.send(Call::get(Route::Message { channel, message })).await {
            // Whoever may not look there may change it all the same.
            Err(failure) if failure.refusal().is_some_and(|code| !is_about_place(code)) => Value::Null,
            other => other?,
        };
        let files = found.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
        let kept = files.into_iter().filter(|file| file.get("filename").and_then(Value::as_str) != Some(WHOLE));
        Ok(kept.filter_map(|file| id(&file).ok()).take(limits::FILES - 1).collect())
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
        if !says_the_same(&answer, content) {
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

/// True where the message that was returned says what was sent. Discord trims what it is sent, so only letters count.
fn says_the_same(answer: &Value, sent: &str) -> bool {
    answer.get("content").and_then(Value::as_str).is_none_or(|known| letters(known) == letters(sent))
}

/// A delivery's key as Discord takes it: a repetition within some minutes returns the first message.
///
/// Source: Discord developer documentation, "Create Message": `enforce_nonce`.
pub(super) fn nonce(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref()).chars().take(limits::NONCE).collect()
}
