//! What the bot sends: messages, edits, files, and answers for one person.

use super::Slack;
use super::api::{Done, Posted};
use super::failure::{Failure, FailureKind};
use super::intake::alone;
use super::method::Method;
use super::pacing::Turn;
use super::render::{File, Surface, message as render};
use super::reply::Reply;
use crate::chat::document::{Message, Tone};
use crate::chat::{ChatPlatform, Destination, SendError};
use crate::model::{PlatformName, ReplyTo, ThreadRef};
use crate::redact::SafeText;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use slack_morphism::prelude::*;
use std::collections::HashMap;
use std::time::Duration;

/// What our messages are known by in their metadata.
const EVENT: &str = "rotation_diag_delivery";

/// The metadata field with the delivery's key. Slack keeps strings as they are.
const KEY: &str = "key";

/// Messages per page when looking for one. Source: Slack, "conversations.history": 999 at most, 200 recommended.
const PAGE: &str = "200";

/// Pages that are looked through. What was lost was sent minutes ago, and a busy channel has a few hundred messages since.
const MOST_PAGES: usize = 5;

/// How often sharing a file is tried where nothing was sent yet.
const SHARE_ATTEMPTS: usize = 3;

/// How long sharing a file waits before it is tried again; delivery gives all of a message's calls a minute.
const LONGEST_SHARE_WAIT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Page {
    messages: Vec<Sent>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct Sent {
    ts: String,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    event_payload: HashMap<String, Value>,
}

#[async_trait]
impl ChatPlatform for Slack {
    fn name(&self) -> PlatformName {
        PlatformName::Slack
    }

    /// Files are uploaded before the message and shared after it: an upload that fails leaves nothing behind, and a message
    /// is never sent twice for the sake of its file.
    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let rendered = render(message, Surface::Post);
        let (uploaded, mut missing) = self.upload(&rendered.files).await?;
        let (channel, thread) = address(to);
        let metadata =
            SlackMessageMetadata::new(EVENT.to_owned()).with_event_payload(HashMap::from([(KEY.to_owned(), key.to_owned())]));
        let request =
            SlackApiChatPostMessageRequest::new(SlackChannelId(channel.to_owned()), rendered.content().with_metadata(metadata))
                .opt_thread_ts(thread.map(|root| SlackTs(root.to_owned())))
                .with_link_names(false)
                .with_parse("none".to_owned())
                .with_unfurl_links(false)
                .with_unfurl_media(false);
        let posted: Posted =
            self.api.post(Method::ChatPostMessage, Turn::Message { channel }, &request).await.map_err(Failure::of_post)?;
        let root = thread.unwrap_or(&posted.ts);
        if !uploaded.is_empty() && !self.share(channel, root, uploaded.clone()).await {
            missing.extend(uploaded.into_iter().filter_map(|file| file.title));
        }
        if !missing.is_empty() {
            self.tell_of_missing(channel, root, &missing).await;
        }
        Ok(posted.ts)
    }

    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let (channel, _) = address(to);
        let content = alone(message);
        let request = SlackApiChatUpdateRequest::new(SlackChannelId(channel.to_owned()), content, SlackTs(id.to_owned()))
            .with_link_names(false)
            .with_parse("none".to_owned());
        let turn = Turn::Edit { is_progress: message.tone == Tone::Working };
        self.api.post::<_, Done>(Method::ChatUpdate, turn, &request).await.map(drop).map_err(Failure::of_repeatable)
    }

    async fn find(&self, to: &Destination, key: &str) -> Result<Option<String>, SendError> {
        let (channel, thread) = address(to);
        let method = if thread.is_some() { Method::ConversationsReplies } else { Method::ConversationsHistory };
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let mut parameters = vec![("channel", channel), ("include_all_metadata", "true"), ("limit", PAGE)];
            parameters.extend(thread.map(|root| ("ts", root)));
            parameters.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let page: Page = self.api.get(method, &parameters).await.map_err(Failure::of_repeatable)?;
            if let Some(found) = page.messages.into_iter().find(|sent| sent.carries(key)) {
                return Ok(Some(found.ts));
            }
            cursor = page.response_metadata.map(|next| next.next_cursor).unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    async fn whisper(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        let unreadable = || SendError::Refused { why: "the address of an answer cannot be read".to_owned() };
        let reply = Reply::read(to).ok_or_else(unreadable)?;
        self.whisper_to(&reply, message).await
    }

    fn link(&self, thread: &ThreadRef) -> Option<String> {
        let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let root = thread.root.replace('.', "");
        if !is_id(&thread.channel) || !is_id(&thread.workspace) || !is_id(&root) {
            return None;
        }
        // Source: Slack, "chat.getPermalink": the address of a message is made of the workspace, the channel and its ts.
        Some(match self.identity.get() {
            Some(identity) => identity.url.join(&format!("archives/{}/p{root}", thread.channel)).ok()?.into(),
            None => format!("https://app.slack.com/client/{}/{}", thread.workspace, thread.channel),
        })
    }
}

impl Sent {
    fn carries(&self, key: &str) -> bool {
        let metadata = self.metadata.as_ref().filter(|metadata| metadata.event_type == EVENT);
        metadata.and_then(|metadata| metadata.event_payload.get(KEY)?.as_str()) == Some(key)
    }
}

impl Slack {
    /// Answers one person alone: where the click or the command came from, or in the channel.
    pub(super) async fn whisper_to(&self, reply: &Reply, message: &Message) -> Result<(), SendError> {
        if let Some(url) = &reply.response_url
            && self.api.respond(url, &ephemeral(message)).await.map_err(Failure::of_repeatable)?
        {
            return Ok(());
        }
        let request = SlackApiChatPostEphemeralRequest::new(
            SlackChannelId(reply.channel.clone()),
            SlackUserId(reply.user.clone()),
            alone(message),
        )
        .opt_thread_ts(reply.thread.clone().map(SlackTs))
        .with_link_names(false)
        .with_parse("none".to_owned());
        self.api.post::<_, Done>(Method::ChatPostEphemeral, Turn::Other, &request).await.map(drop).map_err(Failure::of_repeatable)
    }

    /// Uploads files that are shared later; and the names of those that Slack will not have.
    async fn upload(&self, files: &[File]) -> Result<(Vec<SlackApiFilesComplete>, Vec<String>), SendError> {
        let mut uploaded = Vec::with_capacity(files.len());
        let mut missing = Vec::new();
        for file in files {
            match self.api.upload(file).await {
                Ok(id) => uploaded.push(SlackApiFilesComplete::new(id).with_title(file.name.clone())),
                Err(failure) => match failure.clone().of_repeatable() {
                    later @ SendError::Later { .. } => return Err(later),
                    // The message says what matters; it does not wait for a file that Slack will not have.
                    _ => {
                        tracing::warn!(%failure, "a file was left out");
                        missing.push(file.name.clone());
                    }
                },
            }
        }
        Ok((uploaded, missing))
    }

    /// Shares uploaded files in a thread; false where that is not known to have worked.
    async fn share(&self, channel: &str, root: &str, files: Vec<SlackApiFilesComplete>) -> bool {
        let request = SlackApiFilesCompleteUploadExternalRequest::new(files)
            .with_channel_id(SlackChannelId(channel.to_owned()))
            .with_thread_ts(SlackTs(root.to_owned()));
        for attempt in 1..=SHARE_ATTEMPTS {
            let turn = Turn::Message { channel };
            match self.api.post::<_, Done>(Method::FilesCompleteUpload, turn, &request).await {
                Ok(_) => return true,
                Err(Failure { kind: FailureKind::NotSent, .. }) if attempt < SHARE_ATTEMPTS => {}
                Err(Failure { kind: FailureKind::RateLimited(wait), .. }) if attempt < SHARE_ATTEMPTS => {
                    tokio::time::sleep(wait.min(LONGEST_SHARE_WAIT)).await;
                }
                Err(failure) => {
                    tracing::warn!(%failure, "a file was not shared");
                    return false;
                }
            }
        }
        false
    }

    /// Whoever reads the thread learns that there is more than it shows; once, and where that fails, the log has to do.
    async fn tell_of_missing(&self, channel: &str, root: &str, files: &[String]) {
        let text = format!("A file may be missing here, because Slack did not take it or did not say so: {}", files.join(", "));
        let message = Message::line(Tone::Warning, SafeText::redact(&text));
        let content = render(&message, Surface::Post).content();
        let request = SlackApiChatPostMessageRequest::new(SlackChannelId(channel.to_owned()), content)
            .with_thread_ts(SlackTs(root.to_owned()))
            .with_link_names(false)
            .with_parse("none".to_owned())
            .with_unfurl_links(false)
            .with_unfurl_media(false);
        if let Err(failure) = self.api.post::<_, Posted>(Method::ChatPostMessage, Turn::Message { channel }, &request).await {
            tracing::warn!(%failure, "nobody was told of a missing file");
        }
    }
}

/// An answer for one person, as an acknowledgement or a `response_url` takes it.
pub(super) fn ephemeral(message: &Message) -> Value {
    let content = alone(message);
    json!({
        "response_type": "ephemeral",
        "replace_original": false,
        "text": content.text,
        "blocks": content.blocks,
    })
}

fn address(to: &Destination) -> (&str, Option<&str>) {
    match to {
        Destination::Channel(place) => (&place.channel, None),
        Destination::Thread(thread) | Destination::Held(thread) => (&thread.channel, Some(&thread.root)),
    }
}
