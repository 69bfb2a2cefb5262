//! Forums: their channel holds no messages. A post is a thread, and its first message is in it, with the same id.

use super::Discord;
use super::code;
use super::lost::Trace;
use super::render::{Form, Rendered};
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use super::thread::{ARCHIVED_AFTER, OpenedThread};
use serde_json::Value;
use serenity::builder::CreateForumPost;
use serenity::model::id::ForumTagId;

/// Posts whose first message is looked at for one that was lost: the newest.
const MAX_POSTS: usize = 20;

impl Discord {
    /// True where a refusal may mean that the channel is a forum, and it is one.
    pub(super) async fn refuses_as_forum(&self, channel: Snowflake, failure: &RestFailure) -> bool {
        let fits = matches!(
            failure.refusal(),
            Some(code::FORUM | code::NO_TEXT_CHANNEL | code::WRONG_CHANNEL_KIND | code::UNKNOWN_MESSAGE)
        );
        fits && self.channel(channel).await.is_some_and(|channel| channel.is_forum())
    }

    /// Where the first message of a thread is, as far as it is known what its channel is.
    pub(super) fn home_of(&self, thread: OpenedThread) -> Snowflake {
        let is_forum = self.channels.get(&thread.channel).is_some_and(|channel| channel.is_forum());
        if is_forum { thread.root } else { thread.channel }
    }

    /// Begins a post, in the best form that is taken there.
    pub(super) async fn open_post(&self, forum: Snowflake, rendered: &Rendered) -> Result<(Snowflake, Form), RestFailure> {
        let mut refusal = None;
        for form in rendered.forms() {
            let mut posted = self.open_post_as(forum, rendered, form, None).await;
            if posted.as_ref().is_err_and(|failure| failure.refusal() == Some(code::NEEDS_TAG)) {
                let tag = self.first_tag(forum).await?;
                posted = self.open_post_as(forum, rendered, form, tag).await;
            }
            match posted {
                Ok(id) => return Ok((id, form)),
                Err(failure) if failure.refusal().is_some_and(|code| !code::is_about_place(code)) => refusal = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        Err(refusal.unwrap_or(RestFailure::Lost("it has no form")))
    }

    async fn open_post_as(
        &self,
        forum: Snowflake,
        rendered: &Rendered,
        form: Form,
        tag: Option<Snowflake>,
    ) -> Result<Snowflake, RestFailure> {
        let (body, files) = rendered.in_form(form);
        let post = CreateForumPost::new(&rendered.thread_name, body.create(rendered.mentions()));
        let post = post.auto_archive_duration(ARCHIVED_AFTER).set_applied_tags(tag.map(|tag| tag.of::<ForumTagId>()));
        let answer = self.rest.send(Call::post(Route::Posts { forum }, &post).layout(&body.layout).files(files, &[])).await?;
        super::rest::id(&answer)
    }

    /// A tag that anybody may give.
    async fn first_tag(&self, forum: Snowflake) -> Result<Option<Snowflake>, RestFailure> {
        let found = self.rest.send(Call::get(Route::Channel { channel: forum })).await?;
        let tags = found.get("available_tags").and_then(Value::as_array).into_iter().flatten();
        let mut free = tags.filter(|tag| tag.get("moderated") != Some(&Value::Bool(true)));
        Ok(free.find_map(|tag| super::rest::id(tag).ok()))
    }

    /// Looks for a lost post among the newest of a forum: posts have no nonce.
    pub(super) async fn look_for_post(
        &self,
        guild: Snowflake,
        forum: Snowflake,
        trace: &Trace<'_>,
    ) -> Result<Option<Snowflake>, RestFailure> {
        let found = match self.rest.send(Call::get(Route::ActiveThreads { guild })).await {
            Err(failure) if failure.refusal().is_some() => return Ok(None),
            found => found?,
        };
        let of_forum = Some(forum.to_string());
        let threads = found.get("threads").and_then(Value::as_array).into_iter().flatten();
        let posts = threads.filter(|thread| thread.get("parent_id").and_then(Value::as_str) == of_forum.as_deref());
        let mut ids: Vec<Snowflake> = posts.filter_map(|post| super::rest::id(post).ok()).collect();
        ids.sort_unstable_by(|one, other| other.cmp(one));
        for id in ids.into_iter().take(MAX_POSTS).take_while(|id| trace.is_since(*id)) {
            match self.rest.send(Call::get(Route::Message { channel: id, message: id })).await {
                Ok(message) if trace.leads_to(&message) => return Ok(Some(id)),
                Err(failure) if failure.refusal().is_none() => return Err(failure),
                _ => {}
            }
        }
        Ok(None)
    }
}
