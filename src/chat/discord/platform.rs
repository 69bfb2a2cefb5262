//! Discord as a place to send messages to.

use super::Discord;
use super::limits;
use super::mark;
use super::post::{Thread, is_closed, nonce};
use super::refusal::{Asked, code, meaning};
use super::render::{Rendered, no_mentions, render};
use super::reply::{Reply, is_open};
use super::rest::{Call, Failure};
use super::snowflake::Snowflake;
use crate::chat::{ChatPlatform, Destination, Message, SendError};
use crate::model::{PlatformName, ReplyTo, ThreadRef};
use async_trait::async_trait;
use serde_json::{Value, json};
use serenity::http::Route;

/// Source: Discord developer documentation, "Message Flags": seen by one person alone.
pub(super) const EPHEMERAL: u64 = 64;

fn parsed(id: &str) -> Result<Snowflake, SendError> {
    id.parse().map_err(|_| SendError::Gone { why: "this is no id of Discord".to_owned() })
}

fn thread(of: &ThreadRef) -> Result<Thread, SendError> {
    Ok(Thread { channel: parsed(&of.channel)?, root: parsed(&of.root)? })
}

#[async_trait]
impl ChatPlatform for Discord {
    fn name(&self) -> PlatformName {
        PlatformName::Discord
    }

    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let rendered = render(message);
        let nonce = nonce(key);
        match to {
            Destination::Thread(of) => self.reply(thread(of)?, &rendered, &nonce).await.map(|id| id.to_string()),
            Destination::Channel(place) => {
                let channel = parsed(&place.channel)?;
                let root = match self.roots.get(&nonce) {
                    Some(root) => root,
                    None => {
                        let posted = self.post_in(channel, &rendered, Some(&nonce), None).await;
                        posted.map_err(|failure| meaning(&failure, Asked::Add))?
                    }
                };
                // Until its thread is open it may have to be posted again, and must not be.
                self.roots.put(nonce, root);
                self.open_thread(Thread { channel, root }, &rendered.thread_name).await?;
                Ok(root.to_string())
            }
        }
    }

    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let rendered = render(message);
        let id = parsed(id)?;
        let failed = |failure| meaning(&failure, Asked::Repeatable);
        let of = match to {
            Destination::Channel(place) => return self.replace(parsed(&place.channel)?, id, &rendered).await.map_err(failed),
            Destination::Thread(of) => thread(of)?,
        };
        if id == of.root {
            return self.replace(of.channel, id, &rendered).await.map_err(failed);
        }
        let mut edited = self.replace(of.root, id, &rendered).await;
        if let Err(Failure::Refused { code: code::ARCHIVED, .. }) = edited
            && self.unarchive(of.root).await
        {
            edited = self.replace(of.root, id, &rendered).await;
        }
        match edited {
            // It may have been posted to the channel, because the thread took nothing.
            Err(Failure::Refused { code, .. }) if is_closed(code) || code == code::UNKNOWN_MESSAGE => {
                self.replace(of.channel, id, &rendered).await.map_err(failed)
            }
            other => other.map_err(failed),
        }
    }

    async fn find(&self, to: &Destination, key: &str) -> Result<Option<String>, SendError> {
        let nonce = nonce(key);
        let remembered = self.arrived.get(&nonce).or_else(|| self.roots.get(&nonce));
        let mut found = remembered.map(|id| (id, String::new()));
        let places = match to {
            Destination::Channel(place) => vec![parsed(&place.channel)?],
            Destination::Thread(of) => vec![parsed(&of.root)?, parsed(&of.channel)?],
        };
        for place in &places {
            if found.is_none() {
                found = self.look_for(*place, &nonce).await.map_err(|failure| meaning(&failure, Asked::Repeatable))?;
            }
        }
        if let (Destination::Channel(_), Some((root, content)), [channel]) = (to, &found, places.as_slice()) {
            self.open_thread(Thread { channel: *channel, root: *root }, &name_from(content)).await?;
        }
        Ok(found.map(|(id, _)| id.to_string()))
    }

    async fn whisper(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        let reply = Reply::read(to).ok_or_else(|| SendError::Gone { why: "nobody is waiting there".to_owned() })?;
        let rendered = render(message);
        if let Reply::Interaction { id, token, .. } = &reply
            && is_open(*id, self.clock.now())
        {
            match self.follow_up(token, &rendered).await {
                Err(failure) if is_over(&failure) => {}
                other => return other.map_err(|failure| meaning(&failure, Asked::Add)),
            }
        }
        let reference = match reply {
            Reply::Message { id, .. } => Some(id),
            Reply::Interaction { .. } => None,
        };
        let posted = self.post_in(reply.channel(), &rendered, None, reference).await;
        posted.map(|_| ()).map_err(|failure| meaning(&failure, Asked::Add))
    }

    async fn point_to(&self, to: &ReplyTo, thread: &ThreadRef) -> Result<(), SendError> {
        let Some(Reply::Interaction { id, token, is_command: true, .. }) = Reply::read(to) else { return Ok(()) };
        let Some(link) = self.link(thread).filter(|_| is_open(id, self.clock.now())) else { return Ok(()) };
        let body = json!({ "content": format!("It goes on in {link}"), "allowed_mentions": no_mentions() });
        let route = Route::WebhookOriginalInteractionResponse { application_id: self.application.of(), token: &token };
        match self.rest.send(Call::patch(route, body)).await {
            Err(failure) if !is_over(&failure) => Err(meaning(&failure, Asked::Repeatable)),
            _ => Ok(()),
        }
    }

    fn link(&self, thread: &ThreadRef) -> Option<String> {
        let parsed = |id: &str| id.parse::<Snowflake>().ok();
        let (guild, channel, root) = (parsed(&thread.workspace)?, parsed(&thread.channel)?, parsed(&thread.root)?);
        Some(match self.threadless.get(&root) {
            Some(()) => format!("https://discord.com/channels/{guild}/{channel}/{root}"),
            None => format!("https://discord.com/channels/{guild}/{root}"),
        })
    }
}

impl Discord {
    /// A further answer to an interaction, for that person alone. Where the first answer is still deferred, this one
    /// takes its place.
    pub(super) async fn follow_up(&self, token: &str, rendered: &Rendered) -> Result<(), Failure> {
        let route = Route::WebhookFollowupMessages { application_id: self.application.of(), token };
        let files = rendered.files.iter().chain(&rendered.whole).cloned().collect();
        let call = Call::post(route, private(rendered)).files(files, Vec::new());
        self.rest.send(call).await.map(|_| ())
    }
}

/// A message that one person alone sees.
pub(super) fn private(rendered: &Rendered) -> Value {
    let mut body = rendered.fields();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("flags".to_owned(), EPHEMERAL.into());
    }
    body
}

/// What a thread is called whose first message was found again: what that message says, without its marks.
fn name_from(content: &str) -> String {
    let mut plain = String::with_capacity(content.len());
    let mut rest = content.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.extend(rest.next()),
            '*' | '\u{200b}' => {}
            c if mark::is_unseen(c) => {}
            c => plain.push(c),
        }
    }
    match limits::cut(plain.trim(), limits::THREAD_NAME) {
        name if name.is_empty() => "rotation".to_owned(),
        name => name,
    }
}

/// True where an interaction can no longer be answered, or never was known.
fn is_over(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { status: 401 | 403 | 404 | 410, .. })
}
