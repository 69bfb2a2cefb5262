//! What the bot sends: messages, edits, files, and answers for one person.

use super::api::{Done, PostedMessage};
use super::ephemeral::{ephemeral, ephemeral_content};
use super::failure::SlackFailure;
use super::method::Method;
use super::rate_limiter::Turn;
use super::render::{File, Surface, as_text, message as render, names_people};
use super::reply::SlackReply;
use super::{Slack, SlackStop};
use crate::chat::document::{Message, Tone};
use crate::chat::{ChatPlatform, Destination, Limits, LookedUp, LostPost, SendError};
use crate::model::{Actor, PlatformName, ReplyTo, Standing, ThreadRef};
use crate::redact::SafeText;
use crate::safe_format;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use slack_morphism::prelude::*;
use std::collections::HashMap;
use tokio::sync::watch;

/// What our messages are known by in their metadata.
const EVENT: &str = "rotation_diag_delivery";

/// The metadata field with the delivery's key. Slack keeps strings as they are.
const KEY: &str = "key";

/// Messages per page when looking for one. Source: Slack, "conversations.history": 999 at most, 200 recommended.
const PAGE: &str = "200";

/// Pages that are looked through. What was lost was sent minutes ago, and a busy channel has a few hundred messages since.
const MAX_PAGES: usize = 5;

#[derive(Deserialize)]
struct HistoryPage {
    messages: Vec<HistoryMessage>,
    #[serde(default)]
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Deserialize)]
struct HistoryMessage {
    ts: String,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    files: Vec<SentFile>,
}

#[derive(Deserialize)]
struct SentFile {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    title: Option<String>,
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
        super::NAME
    }

    fn limits(&self) -> Limits {
        super::kind::LIMITS
    }

    /// Its files follow by [`ChatPlatform::attach`].
    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let (channel, thread) = address(to);
        let metadata =
            SlackMessageMetadata::new(EVENT.to_owned()).with_event_payload(HashMap::from([(KEY.to_owned(), key.to_owned())]));
        let posted = match self.say(channel, thread, message, Some(&metadata)).await {
            // Where a thread takes nothing any more, its channel may.
            Err(failure) if thread.is_some() && failure.is_about_the_thread() => {
                self.say(channel, None, message, Some(&metadata)).await.map_err(|_| failure)
            }
            said => said,
        };
        let id = posted.map_err(SlackFailure::of_post)?;
        // Whoever is mentioned in a new message is called; in an edit nobody is.
        if names_people(message)
            && let Err(error) = self.edit(to, &id, message).await
        {
            tracing::info!(%error, "a message does not say whom it is about");
        }
        Ok(id)
    }

    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let (channel, _) = address(to);
        let turn = Turn::Edit { is_progress: message.tone == Tone::Working };
        let edit = async |content: SlackMessageContent, turn| {
            let request = SlackApiChatUpdateRequest::new(SlackChannelId(channel.to_owned()), content, SlackTs(id.to_owned()))
                .with_link_names(false)
                .with_parse("none".to_owned());
            self.api.post::<_, Done>(Method::ChatUpdate, turn, &request).await.map(drop)
        };
        let edited = match edit(ephemeral_content(message), turn).await {
            // Without the empty list the old blocks would stay.
            Err(failure) if failure.is_about_the_content() => edit(text_alone(message).with_blocks(Vec::new()), turn).await,
            edited => edited,
        };
        edited.map_err(SlackFailure::of_post)
    }

    fn owes_files(&self, message: &Message) -> bool {
        !render(message, Surface::Post).files.is_empty()
    }

    async fn attach(&self, to: &Destination, id: &str, message: &Message, may_be_there: bool) -> Result<(), SendError> {
        let (channel, thread) = address(to);
        let root = thread.unwrap_or(id);
        let mut files = render(message, Surface::Post).files;
        if may_be_there {
            match self.files_since(channel, root, id).await {
                Ok(there) => files.retain(|file| !there.contains(&file.name)),
                Err(later @ (SendError::Later { .. } | SendError::Unauthorized { .. })) => return Err(later),
                // It cannot be seen; a file twice is better than none.
                Err(error) => tracing::warn!(%error, "whether a file was shared is unknown"),
            }
        }
        let (uploaded, refused) = self.upload(&files).await?;
        let shared = if uploaded.is_empty() { Ok(()) } else { self.share(channel, root, uploaded).await };
        let (missing, error) = match (shared, refused) {
            (Ok(()), None) => return Ok(()),
            (Ok(()), Some((missing, error))) => (missing, error),
            (Err(error @ (SendError::Closed { .. } | SendError::Refused { .. } | SendError::Gone { .. })), _) => {
                (files.into_iter().map(|file| file.name).collect(), error)
            }
            (Err(error), _) => return Err(error),
        };
        self.tell_of_missing(channel, root, &missing, &error).await;
        Err(error)
    }

    async fn look_up(&self, actor: &Actor) -> LookedUp {
        let known = |standing, groups| Actor { standing, groups, ..actor.clone() };
        if let Err(stop) = self.introduce().await {
            let failed = match stop {
                SlackStop::NotLetIn(why) => SendError::Unauthorized { why },
                SlackStop::Unable(why) => SendError::Later { after: None, why },
            };
            return LookedUp { actor: known(Standing::Unknown, None), failed: Some(failed) };
        }
        let Some(home) = self.identity.get() else { return LookedUp { actor: known(Standing::Unknown, None), failed: None } };
        if !home.is_everywhere() && actor.workspace != home.team_id {
            return LookedUp { actor: known(Standing::Outsider, None), failed: None };
        }
        let facts = self.people.look_up(&actor.workspace, &actor.user, home).await;
        LookedUp { actor: known(facts.standing, facts.groups), failed: facts.failed.map(SlackFailure::of_repeatable) }
    }

    /// With a new token more may go out than before.
    fn let_in(&self) -> Option<watch::Receiver<()>> {
        Some(self.tokens.renewals())
    }

    async fn find(&self, to: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        let (channel, thread) = address(to);
        let method = if thread.is_some() { Method::ConversationsReplies } else { Method::ConversationsHistory };
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let mut parameters = vec![("channel", channel), ("include_all_metadata", "true"), ("limit", PAGE)];
            parameters.extend(thread.map(|root| ("ts", root)));
            parameters.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let page: HistoryPage = self.api.get(method, &parameters).await.map_err(SlackFailure::of_repeatable)?;
            if let Some(found) = page.messages.into_iter().find(|sent| sent.carries(lost.key)) {
                return Ok(Some(found.ts));
            }
            cursor = page.response_metadata.map(|next| next.next_cursor).unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        let unreadable = || SendError::Refused { why: "the address of an answer cannot be read".to_owned() };
        let reply = SlackReply::read(to).ok_or_else(unreadable)?;
        self.send_ephemeral_to(&reply, message).await
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

impl HistoryMessage {
    fn carries(&self, key: &str) -> bool {
        let metadata = self.metadata.as_ref().filter(|metadata| metadata.event_type == EVENT);
        metadata.and_then(|metadata| metadata.event_payload.get(KEY)?.as_str()) == Some(key)
    }
}

impl Slack {
    /// Answers one person alone: where the click or the command came from, else in the channel, else in the app's own
    /// messages. An answer that may have come through one way is told the next way too: nobody is left without one.
    pub(super) async fn send_ephemeral_to(&self, reply: &SlackReply, message: &Message) -> Result<(), SendError> {
        if let Some(url) = &reply.response_url {
            match self.api.respond(url, &ephemeral(message)).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(failure) => tracing::info!(%failure, "a person is answered another way"),
            }
        }
        let request = SlackApiChatPostEphemeralRequest::new(
            SlackChannelId(reply.channel.clone()),
            SlackUserId(reply.user.clone()),
            ephemeral_content(message),
        )
        .opt_thread_ts(reply.thread.clone().map(SlackTs))
        .with_link_names(false)
        .with_parse("none".to_owned());
        let told = self.api.post::<_, Done>(Method::ChatPostEphemeral, Turn::Other, &request).await;
        match told.map(drop).map_err(SlackFailure::of_repeatable) {
            Err(error @ (SendError::Closed { .. } | SendError::Refused { .. } | SendError::Gone { .. })) => {
                tracing::info!(%error, "a person is told in the app's own messages");
                self.say(&reply.user, None, message, None).await.map(drop).map_err(SlackFailure::of_repeatable)
            }
            told => told,
        }
    }

    /// Whether the bot sees a channel; nothing that was said there is asked for.
    pub(super) async fn look_into(&self, channel: &str) -> Result<(), SendError> {
        let now = format!("{}.000000", self.clock.now().as_second());
        let parameters = [("channel", channel), ("limit", "1"), ("oldest", now.as_str())];
        let seen = self.api.get::<Done>(Method::ConversationsHistory, &parameters).await;
        seen.map(drop).map_err(SlackFailure::of_repeatable)
    }

    /// Posts a message; where Slack does not take it as it is made, as plain text, and then without its metadata.
    async fn say(
        &self,
        channel: &str,
        thread: Option<&str>,
        message: &Message,
        metadata: Option<&SlackMessageMetadata>,
    ) -> Result<String, SlackFailure> {
        let whole = render(message, Surface::Post).content().opt_metadata(metadata.cloned());
        let mut refused = match self.say_as(channel, thread, whole, message.is_ending).await {
            Err(failure) if failure.is_about_the_content() => failure,
            said => return said,
        };
        for plainer in [text_alone(message).opt_metadata(metadata.cloned()), text_alone(message)] {
            tracing::warn!(%refused, "a message is sent in a plainer form");
            refused = match self.say_as(channel, thread, plainer, message.is_ending).await {
                Err(failure) if failure.is_about_the_content() => failure,
                said => return said,
            };
        }
        Err(refused)
    }

    async fn say_as(
        &self,
        channel: &str,
        thread: Option<&str>,
        content: SlackMessageContent,
        is_ending: bool,
    ) -> Result<String, SlackFailure> {
        let request = SlackApiChatPostMessageRequest::new(SlackChannelId(channel.to_owned()), content)
            .opt_thread_ts(thread.map(|root| SlackTs(root.to_owned())))
            .with_link_names(false)
            .with_parse("none".to_owned())
            .with_unfurl_links(false)
            .with_unfurl_media(false);
        let request = request.opt_reply_broadcast((self.broadcast && is_ending && thread.is_some()).then_some(true));
        let posted: PostedMessage = self.api.post(Method::ChatPostMessage, Turn::Message { channel }, &request).await?;
        Ok(posted.ts)
    }

    /// The names of the files in a thread that came after the message `since`. Messages of a thread go out in turn, so a file
    /// with such a name is this message's.
    async fn files_since(&self, channel: &str, root: &str, since: &str) -> Result<Vec<String>, SendError> {
        let mut names = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let mut parameters = vec![("channel", channel), ("ts", root), ("oldest", since), ("limit", PAGE)];
            parameters.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let page: HistoryPage =
                self.api.get(Method::ConversationsReplies, &parameters).await.map_err(SlackFailure::of_repeatable)?;
            // Slack returns the root with every page, whatever is asked for.
            let later = page.messages.into_iter().filter(|sent| sent.ts.as_str() > since);
            names.extend(later.flat_map(|sent| sent.files).flat_map(|file| [file.name, file.title]).flatten());
            cursor = page.response_metadata.map(|next| next.next_cursor).unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        Ok(names)
    }

    /// Uploads files that are shared later; and the names of those that Slack will not have, with the last reason.
    async fn upload(&self, files: &[File]) -> Result<(Vec<SlackApiFilesComplete>, Option<(Vec<String>, SendError)>), SendError> {
        let mut uploaded = Vec::with_capacity(files.len());
        let mut refused: Option<(Vec<String>, SendError)> = None;
        for file in files {
            match self.api.upload(file).await {
                Ok(id) => uploaded.push(SlackApiFilesComplete::new(id).with_title(file.name.clone())),
                Err(failure) => match failure.clone().of_repeatable() {
                    later @ (SendError::Later { .. } | SendError::Unauthorized { .. }) => return Err(later),
                    error => {
                        tracing::warn!(%failure, "a file was left out");
                        let mut missing = refused.map(|(missing, _)| missing).unwrap_or_default();
                        missing.push(file.name.clone());
                        refused = Some((missing, error));
                    }
                },
            }
        }
        Ok((uploaded, refused))
    }

    /// Shares uploaded files in a thread.
    async fn share(&self, channel: &str, root: &str, files: Vec<SlackApiFilesComplete>) -> Result<(), SendError> {
        let request = SlackApiFilesCompleteUploadExternalRequest::new(files)
            .with_channel_id(SlackChannelId(channel.to_owned()))
            .with_thread_ts(SlackTs(root.to_owned()));
        let shared = self.api.post::<_, Done>(Method::FilesCompleteUpload, Turn::Message { channel }, &request).await;
        shared.map(drop).map_err(SlackFailure::of_post)
    }

    /// Whoever reads the thread learns that there is more than it shows, and why; where that fails, the log has to do.
    async fn tell_of_missing(&self, channel: &str, root: &str, files: &[String], error: &SendError) {
        let why = match error {
            SendError::Closed { tell, .. } => (*tell).into(),
            other => safe_format!("Slack does not take it ({})", SafeText::redact(&other.to_string())),
        };
        let files = SafeText::redact(&files.join(", "));
        let title = safe_format!("A file is missing here: {}. The reason: {}. Then press Export again.", files, why);
        let message = Message::line(Tone::Warning, title);
        if let Err(failure) = self.say(channel, Some(root), &message, None).await {
            tracing::warn!(%failure, "nobody was told of a missing file");
        }
    }
}

/// The message in plain text, for where its blocks are not taken.
fn text_alone(message: &Message) -> SlackMessageContent {
    SlackMessageContent::new().with_text(as_text(message))
}

fn address(to: &Destination) -> (&str, Option<&str>) {
    match to {
        Destination::Channel(place) => (&place.channel, None),
        Destination::Thread(thread) | Destination::Held(thread) => (&thread.channel, Some(&thread.root)),
    }
}
