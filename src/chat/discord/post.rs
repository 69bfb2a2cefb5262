//! Messages on their way out, and the steps back where the bot may do less than it wants.
//!
//! A thread's id is the id of the message it hangs on, so a thread that could not be opened needs no memory: whoever
//! writes to it learns that there is none, and replies to that message in the channel instead.

use super::Discord;
use super::limits;
use super::mark;
use super::refusal::{Asked, code, meaning, reason};
use super::render::{File, Rendered, WHOLE, no_mentions};
use super::rest::{Call, Failure};
use super::snowflake::Snowflake;
use crate::chat::SendError;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use serenity::http::Route;

/// Minutes without a message after which Discord archives a thread: three days, as long as an incident is talked about.
///
/// Source: Discord developer documentation, "Start Thread from Message": `auto_archive_duration`.
const ARCHIVED_AFTER: u32 = 4_320;

/// A thread: its channel, and the message it hangs on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    pub(super) channel: Snowflake,
    pub(super) root: Snowflake,
}

impl Discord {
    /// Posts to a channel or thread; where the bot lacks a permission there, without embeds and files.
    pub(super) async fn post_in(
        &self,
        channel: Snowflake,
        rendered: &Rendered,
        nonce: Option<&str>,
        reference: Option<Snowflake>,
    ) -> Result<Snowflake, Failure> {
        let completed = |mut body: Value| {
            if let Some(fields) = body.as_object_mut() {
                if let Some(nonce) = nonce {
                    fields.insert("nonce".to_owned(), nonce.into());
                    fields.insert("enforce_nonce".to_owned(), true.into());
                    if let Some(Value::String(content)) = fields.get_mut("content") {
                        content.insert_str(0, &mark::of(nonce));
                    }
                }
                if let Some(message) = reference {
                    fields.insert("message_reference".to_owned(), json!({ "message_id": message, "fail_if_not_exists": true }));
                }
            }
            body
        };
        let route = Route::ChannelMessages { channel_id: channel.of() };
        let files: Vec<File> = rendered.files.iter().chain(&rendered.whole).cloned().collect();
        let first = self.rest.send(Call::post(route, completed(rendered.fields_of_new())).files(files, Vec::new())).await;
        let answer = match first {
            Err(Failure::Refused { code: code::MISSING_PERMISSION, .. }) if rendered.is_rich() => {
                self.tell_once(channel, code::MISSING_PERMISSION, "messages are posted without embeds and files");
                self.rest.send(Call::post(route, completed(rendered.plain_new()))).await?
            }
            other => other?,
        };
        id(&answer)
    }

    /// Opens the thread of a message that was posted. Where that is not possible, the channel has to do.
    pub(super) async fn open_thread(&self, thread: Thread, name: &str) -> Result<(), SendError> {
        let route = Route::ChannelMessageThreads { channel_id: thread.channel.of(), message_id: thread.root.of() };
        let body = json!({ "name": name, "auto_archive_duration": ARCHIVED_AFTER });
        match self.rest.send(Call::post(route, body)).await {
            Ok(_) | Err(Failure::Refused { code: code::THREAD_EXISTS, .. }) => Ok(()),
            Err(Failure::Refused {
                code: code @ (code::MISSING_PERMISSION | code::MISSING_ACCESS | code::THREADS_FULL | code::WRONG_CHANNEL_KIND),
                ..
            }) => {
                self.tell_once(thread.channel, code, "replies go to the channel instead of a thread");
                self.threadless.put(thread.root, ());
                Ok(())
            }
            Err(failure) => Err(meaning(&failure, Asked::Repeatable)),
        }
    }

    /// Posts to a thread, or where that does not work, to its channel as a reply to the thread's first message. An archived
    /// thread is opened again by that.
    ///
    /// Source: Discord developer documentation, "Threads": sending a message unarchives a thread that is not locked.
    pub(super) async fn reply(&self, thread: Thread, rendered: &Rendered, nonce: &str) -> Result<Snowflake, SendError> {
        let failure = match self.post_in(thread.root, rendered, Some(nonce), None).await {
            Ok(id) => return Ok(id),
            Err(failure) => failure,
        };
        let Failure::Refused { code, .. } = failure else { return Err(meaning(&failure, Asked::Add)) };
        if !is_closed(code) {
            return Err(meaning(&failure, Asked::Add));
        }
        if code != code::UNKNOWN_CHANNEL {
            self.tell_once(thread.channel, code, "replies go to the channel instead of the thread");
        }
        self.post_in(thread.channel, rendered, Some(nonce), Some(thread.root)).await.map_err(|failure| match failure {
            // The body was valid a moment ago; only the message it refers to can be missing.
            Failure::Refused { status, code: code::INVALID_BODY } => {
                SendError::Gone { why: format!("the thread and its first message are gone (status {status})") }
            }
            other => meaning(&other, Asked::Add),
        })
    }

    /// Replaces a message; the files it has stay.
    pub(super) async fn replace(&self, channel: Snowflake, message: Snowflake, rendered: &Rendered) -> Result<(), Failure> {
        let route = Route::ChannelMessage { channel_id: channel.of(), message_id: message.of() };
        let call = match &rendered.whole {
            None => Call::patch(route, rendered.fields()),
            Some(whole) => {
                let kept = self.attachments(channel, message).await?;
                Call::patch(route, rendered.fields()).files(vec![whole.clone()], kept)
            }
        };
        match self.rest.send(call).await {
            Err(Failure::Refused { code: code::MISSING_PERMISSION, .. }) if rendered.is_rich() => {
                self.tell_once(channel, code::MISSING_PERMISSION, "messages are edited without embeds and files");
                let plain = rendered.plain(no_mentions());
                self.rest.send(Call::patch(route, plain)).await.map(|_| ())
            }
            other => other.map(|_| ()),
        }
    }

    /// The files a message has, but for one that would be written anew.
    async fn attachments(&self, channel: Snowflake, message: Snowflake) -> Result<Vec<Value>, Failure> {
        let route = Route::ChannelMessage { channel_id: channel.of(), message_id: message.of() };
        let found = self.rest.send(Call::get(route)).await?;
        let files = found.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
        let kept = files.into_iter().filter(|file| file.get("filename").and_then(Value::as_str) != Some(WHOLE));
        Ok(kept.filter_map(|file| Some(json!({ "id": file.get("id")? }))).take(limits::FILES - 1).collect())
    }

    /// True when the thread is open again.
    pub(super) async fn unarchive(&self, thread: Snowflake) -> bool {
        let route = Route::Channel { channel_id: thread.of() };
        let opened = self.rest.send(Call::patch(route, json!({ "archived": false }))).await;
        opened.is_ok()
    }

    /// Looks for a message by its mark among the last of a channel or thread, and returns it with what it says.
    pub(super) async fn look_for(&self, channel: Snowflake, nonce: &str) -> Result<Option<(Snowflake, String)>, Failure> {
        let route = Route::ChannelMessages { channel_id: channel.of() };
        match self.rest.send(Call::get(route).query("limit", "100")).await {
            Ok(found) => {
                let messages = found.as_array().map(Vec::as_slice).unwrap_or_default();
                let mark = mark::of(nonce);
                let ours = messages.iter().find(|message| mark::is_on(message, &mark));
                Ok(ours.and_then(|message| Some((id(message).ok()?, message.get("content")?.as_str()?.to_owned()))))
            }
            Err(Failure::Refused { code: code::UNKNOWN_CHANNEL | code::MISSING_ACCESS | code::MISSING_PERMISSION, .. }) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Tells the operator, once for a channel and a reason.
    fn tell_once(&self, channel: Snowflake, code: u64, consequence: &str) {
        if self.told.is_new((channel, code)) {
            tracing::warn!(%channel, code, "Discord refuses: {}; {consequence}", reason(code));
        }
    }
}

/// True where a thread takes nothing, but its channel may.
pub(super) fn is_closed(code: u64) -> bool {
    matches!(code, code::UNKNOWN_CHANNEL | code::MISSING_PERMISSION | code::MISSING_ACCESS | code::ARCHIVED | code::LOCKED)
}

/// The id of what an answer describes.
pub(super) fn id(answer: &Value) -> Result<Snowflake, Failure> {
    let id = answer.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or(Failure::Lost("the answer has no id"))
}

/// A delivery's key as Discord takes it: a repetition within some minutes returns the first message.
///
/// Source: Discord developer documentation, "Create Message": `enforce_nonce`.
pub(super) fn nonce(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref()).chars().take(limits::NONCE).collect()
}
