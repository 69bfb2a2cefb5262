//! Discord as a place to send messages to.

use super::Discord;
use super::body::{Body, no_mentions};
use super::code::{self, is_about_place};
use super::lost::{Trace, is_nonce_kept};
use super::post::nonce;
use super::refusal::{AskedFor, meaning};
use super::render::{Form, Rendered};
use super::reply::{Reply, is_open};
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use super::thread::OpenedThread;
use crate::chat::{ChatPlatform, Destination, Limits, LostPost, Message, SendError};
use crate::model::{PlatformName, ReplyTo, ThreadRef};
use async_trait::async_trait;
use serde::Serialize;
use serenity::builder::EditInteractionResponse;
use tokio::sync::watch;

/// A channel with one person alone. Serenity has no builder for it.
///
/// Source: Discord developer documentation, "Create DM".
#[derive(Serialize)]
struct NewDirectChannel {
    recipient_id: Snowflake,
}

fn parsed(id: &str) -> Result<Snowflake, SendError> {
    id.parse().map_err(|_| SendError::Gone { why: "this is no id of Discord".to_owned() })
}

/// The server of a destination.
fn guild(to: &Destination) -> Option<Snowflake> {
    let workspace = match to {
        Destination::Channel(place) => &place.workspace,
        Destination::Thread(of) | Destination::Held(of) => &of.workspace,
    };
    workspace.parse().ok()
}

fn thread(of: &ThreadRef) -> Result<OpenedThread, SendError> {
    Ok(OpenedThread { channel: parsed(&of.channel)?, root: parsed(&of.root)? })
}

#[async_trait]
impl ChatPlatform for Discord {
    fn name(&self) -> PlatformName {
        super::NAME
    }

    fn limits(&self) -> Limits {
        super::kind::LIMITS
    }

    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let rendered = self.render(message, guild(to));
        let nonce = nonce(key);
        let failed = |failure| meaning(&failure, AskedFor::Add);
        let id = match to {
            Destination::Thread(of) => self.reply(thread(of)?, &rendered, &nonce).await?,
            Destination::Held(of) => self.post_in(parsed(&of.root)?, &rendered, Some(&nonce), None).await.map_err(failed)?,
            Destination::Channel(place) => {
                let channel = parsed(&place.channel)?;
                let (root, form) = self.post_root(channel, &rendered, &nonce).await.map_err(failed)?;
                let thread = OpenedThread { channel, root };
                if self.home_of(thread) == channel {
                    // The message is there, whatever becomes of its thread.
                    let _ = self.open_thread(thread, Some(&rendered.thread_name)).await;
                }
                let rest = self.post_rest_of_root(thread, &rendered.all_texts(form), false).await;
                rest.map_err(|_| SendError::Uncertain { why: "a part of it is missing".to_owned() })?;
                root
            }
        };
        Ok(id.to_string())
    }

    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let rendered = self.render(message, guild(to));
        let id = parsed(id)?;
        match to {
            Destination::Channel(place) => {
                self.edit_root(OpenedThread { channel: parsed(&place.channel)?, root: id }, &rendered).await
            }
            Destination::Thread(of) => match thread(of)? {
                of if of.root == id => self.edit_root(of, &rendered).await,
                of => self.edit_reply(of, id, &rendered).await,
            },
            Destination::Held(of) => {
                let channel = parsed(&of.root)?;
                let edited = self.edit_in_thread(channel, id, &rendered).await;
                self.end_edit(channel, id, &rendered, edited).await
            }
        }
    }

    async fn find(&self, to: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        let rendered = self.render(lost.message, guild(to));
        let failed = |failure| meaning(&failure, AskedFor::Repeatable);
        let mut found = self.arrived.get(&nonce(lost.key));
        let forum = match to {
            Destination::Channel(place) => Some(parsed(&place.channel)?),
            Destination::Thread(_) | Destination::Held(_) => None,
        };
        let forum = match forum {
            Some(channel) => self.channel(channel).await.filter(|channel| channel.is_forum()),
            None => None,
        };
        if found.is_none()
            && let (Some(forum), Some(guild)) = (forum, guild(to))
        {
            let trace = Trace::new(self.me().await.map_err(failed)?, lost, &rendered);
            let found = self.look_for_post(guild, forum.id, &trace).await.map_err(failed)?;
            return Ok(found.map(|id| id.to_string()));
        }
        if found.is_none() && !is_nonce_kept(lost, self.clock.now()) {
            let trace = Trace::new(self.me().await.map_err(failed)?, lost, &rendered);
            let places = match to {
                Destination::Channel(place) => vec![parsed(&place.channel)?],
                Destination::Held(of) => vec![parsed(&of.root)?],
                Destination::Thread(of) => vec![parsed(&of.root)?, parsed(&of.channel)?],
            };
            for place in places {
                if found.is_none() {
                    found = self.look_for(place, &trace).await.map_err(failed)?;
                }
            }
        }
        if let (Destination::Channel(place), Some(root)) = (to, found) {
            let thread = OpenedThread { channel: parsed(&place.channel)?, root };
            let _ = self.open_thread(thread, Some(&rendered.thread_name)).await;
        }
        Ok(found.map(|id| id.to_string()))
    }

    fn let_in(&self) -> Option<watch::Receiver<()>> {
        Some(self.doors.subscribe())
    }

    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        let reply = Reply::read(to).ok_or_else(|| SendError::Gone { why: "nobody is waiting there".to_owned() })?;
        let rendered = self.render(message, reply.guild());
        let failed = |failure| meaning(&failure, AskedFor::Add);
        if let Reply::Interaction { id, token, .. } = &reply
            && is_open(*id, self.clock.now())
        {
            match self.follow_up(token, &rendered).await {
                // Where it cannot be told alone, it is told where it was asked.
                Err(failure) if failure.refusal().is_some() || is_over(&failure) => {}
                other => return other.map_err(failed),
            }
        }
        let reference = match reply {
            Reply::Message { id, .. } => Some(id),
            Reply::Interaction { .. } => None,
        };
        let mut posted = self.post_in(reply.channel(), &rendered, None, reference).await;
        if reference.is_some() && posted.as_ref().is_err_and(needs_no_reference) {
            posted = self.post_in(reply.channel(), &rendered, None, None).await;
        }
        match (posted, reply) {
            (Err(failure), Reply::Message { author: Some(person), .. }) if failure.refusal().is_some() => {
                self.tell_directly(person, &rendered).await.map_err(failed)
            }
            (posted, _) => posted.map(|_| ()).map_err(failed),
        }
    }

    async fn point_to(&self, to: &ReplyTo, thread: &ThreadRef) -> Result<(), SendError> {
        let Some(Reply::Interaction { id, token, is_command: true, .. }) = Reply::read(to) else { return Ok(()) };
        let Some(link) = self.link(thread).filter(|_| is_open(id, self.clock.now())) else { return Ok(()) };
        let lead = EditInteractionResponse::new().content(format!("It goes on in {link}")).allowed_mentions(no_mentions());
        let route = Route::OriginalResponse { application: self.application, token: &token };
        match self.rest.send(Call::patch(route, &lead)).await {
            Err(failure) if !is_over(&failure) => Err(meaning(&failure, AskedFor::Repeatable)),
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
    pub(super) async fn follow_up(&self, token: &str, rendered: &Rendered) -> Result<(), RestFailure> {
        let mut refusal = None;
        for form in rendered.forms() {
            let (first, files) = rendered.in_form(form);
            let further = rendered.all_texts(form).into_iter().skip(1).map(|content| Body { content, ..Body::default() });
            let further = further.map(|body| (body, Vec::new()));
            for (body, files) in std::iter::once((first, files)).chain(further) {
                let route = Route::FollowUps { application: self.application, token };
                let call = Call::post(route, &body.follow_up()).layout(&body.layout).files(files, &[]);
                if let Err(failure) = self.rest.send(call).await {
                    refusal = Some(failure);
                    break;
                }
                refusal = None;
            }
            match &refusal {
                None => return Ok(()),
                Some(failure) if failure.refusal().is_none() || is_over(failure) => break,
                Some(_) => {}
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// The last way to somebody who mentioned the bot where it may write nothing.
    async fn tell_directly(&self, person: Snowflake, rendered: &Rendered) -> Result<(), RestFailure> {
        let opened = self.rest.send(Call::post(Route::DirectChannels, &NewDirectChannel { recipient_id: person })).await?;
        self.post_in(super::rest::id(&opened)?, rendered, None, None).await.map(|_| ())
    }

    async fn edit_root(&self, of: OpenedThread, rendered: &Rendered) -> Result<(), SendError> {
        let edited = match self.replace_root(of, rendered).await {
            Ok(form) => self.post_rest_of_root(of, &rendered.all_texts(form), true).await,
            Err(failure) => Err(failure),
        };
        self.open_late(of).await;
        if edited.is_ok() && rendered.is_verdict() {
            self.name_by_verdict(of, &rendered.thread_name).await;
        }
        self.end_edit(self.home_of(of), of.root, rendered, edited).await
    }

    async fn replace_root(&self, of: OpenedThread, rendered: &Rendered) -> Result<Form, RestFailure> {
        let home = self.home_of(of);
        match self.replace(home, of.root, rendered).await {
            Err(failure) if home == of.root && failure.refusal() == Some(code::ARCHIVED) && self.unarchive(home).await => {
                self.replace(home, of.root, rendered).await
            }
            Err(failure) if home == of.channel && self.refuses_as_forum(home, &failure).await => {
                self.replace(of.root, of.root, rendered).await
            }
            other => other,
        }
    }

    async fn post_root(&self, channel: Snowflake, rendered: &Rendered, nonce: &str) -> Result<(Snowflake, Form), RestFailure> {
        if self.channels.get(&channel).is_some_and(|known| known.is_forum()) {
            return self.open_post(channel, rendered).await;
        }
        match self.post_first(channel, rendered, Some(nonce), None).await {
            Err(failure) if self.refuses_as_forum(channel, &failure).await => self.open_post(channel, rendered).await,
            other => other,
        }
    }

    async fn edit_reply(&self, of: OpenedThread, id: Snowflake, rendered: &Rendered) -> Result<(), SendError> {
        let edited = self.edit_in_thread(of.root, id, rendered).await;
        // It may have been posted to the channel, because the thread took nothing.
        let is_elsewhere = |failure: &RestFailure| failure.refusal().is_some_and(is_about_place);
        if edited.as_ref().is_err_and(is_elsewhere) {
            let edited = self.edit_in(of.channel, id, rendered).await;
            return self.end_edit(of.channel, id, rendered, edited).await;
        }
        self.end_edit(of.root, id, rendered, edited).await
    }

    async fn edit_in_thread(&self, thread: Snowflake, id: Snowflake, rendered: &Rendered) -> Result<(), RestFailure> {
        match self.edit_in(thread, id, rendered).await {
            Err(failure) if failure.refusal() == Some(code::ARCHIVED) && self.unarchive(thread).await => {
                self.edit_in(thread, id, rendered).await
            }
            other => other,
        }
    }

    async fn edit_in(&self, channel: Snowflake, id: Snowflake, rendered: &Rendered) -> Result<(), RestFailure> {
        let form = self.replace(channel, id, rendered).await?;
        self.post_rest(channel, id, &rendered.all_texts(form), true).await
    }

    /// A message that Discord will not have changed is posted anew by whoever delivers it; what it said is taken away first,
    /// unless it says more than that something goes on.
    async fn end_edit(
        &self,
        channel: Snowflake,
        id: Snowflake,
        rendered: &Rendered,
        edited: Result<(), RestFailure>,
    ) -> Result<(), SendError> {
        let Err(failure) = edited else { return Ok(()) };
        let error = meaning(&failure, AskedFor::Repeatable);
        let passes = matches!(failure.refusal(), Some(code::ANNOUNCEMENT_EDITS | code::OLD_EDITS));
        if matches!(error, SendError::Refused { .. }) && !rendered.is_progress && !passes {
            self.take_away(channel, id).await;
        }
        Err(error)
    }
}

/// True where only the message that is replied to stands in the way.
fn needs_no_reference(failure: &RestFailure) -> bool {
    matches!(failure.refusal(), Some(code::NO_REPLY | code::INVALID_BODY))
}

/// True where an interaction can no longer be answered, or never was known.
fn is_over(failure: &RestFailure) -> bool {
    matches!(failure, RestFailure::Refused { status: 401 | 403 | 404 | 410, .. })
        || failure.refusal() == Some(code::FOLLOW_UPS_USED_UP)
}
