//! The thread of a message: opened once the message is there, and as soon as Discord lets it.
//!
//! A message counts as posted whatever becomes of its thread. Where that could not be opened yet, whoever writes to it or
//! changes its message tries again; where Discord will not have it, replies go to the channel.

use super::Discord;
use super::code::{self, is_about_words};
use super::layout;
use super::limits;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::chat::document::Tone;
use crate::clock::{deadline, this_instant};
use serde_json::Value;
use serenity::builder::{CreateThread, EditThread};
use serenity::model::channel::AutoArchiveDuration;
use std::time::Duration;
use tokio::time::Instant;

/// How long without a message until Discord archives a thread: as long as an incident is talked about.
pub(super) const ARCHIVED_AFTER: AutoArchiveDuration = AutoArchiveDuration::ThreeDays;
/// How often and how long opening a thread is tried at least; then the channel has to do.
const TRIES: u32 = 5;
const TRIED_FOR: Duration = Duration::from_secs(60);
/// What a thread is called whose own name is refused or unknown.
pub(super) const NAMELESS: &str = "rotation";

/// Renames of a thread, and within what time. Discord allows no more, and would make every other change of it wait, too.
///
/// Source: discord/discord-api-docs, issue 1900: two changes of a name or topic within ten minutes.
const RENAMES: usize = 2;
const RENAMED_WITHIN: Duration = Duration::from_secs(600);

/// What a thread is called as far as we named it, and when we changed that.
#[derive(Debug, Clone, Default)]
pub(super) struct ThreadName {
    name: String,
    renamed: Vec<Instant>,
}

impl ThreadName {
    fn may_change(&self, now: Instant) -> bool {
        self.renamed.iter().filter(|at| now < **at + RENAMED_WITHIN).count() < RENAMES
    }
}

/// A thread: its channel, and the message it hangs on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenedThread {
    pub(super) channel: Snowflake,
    pub(super) root: Snowflake,
}

/// A thread that is still to be opened.
#[derive(Debug, Clone)]
pub(super) struct Unopened {
    name: String,
    tries: u32,
    give_up_at: Instant,
}

/// What became of opening a thread.
#[derive(Debug)]
pub(super) enum Opening {
    Open,
    /// There will be none.
    Never,
    NotYet(RestFailure),
    /// The message it would hang on is gone.
    RootGone,
}

impl Discord {
    /// Opens the thread of a message that is there, unless that was done, or will not be. `name` is known by whoever posted
    /// the message; else the message says it.
    pub(super) async fn open_thread(&self, thread: OpenedThread, name: Option<&str>) -> Opening {
        if self.threadless.get(&thread.root).is_some() {
            return Opening::Never;
        }
        let known = self.unopened.get(&thread.root);
        let name = match (name, &known) {
            (Some(name), _) => name.to_owned(),
            (None, Some(known)) => known.name.clone(),
            (None, None) => self.name_of(thread).await,
        };
        let give_up_at = known.as_ref().map_or_else(|| deadline(TRIED_FOR), |known| known.give_up_at);
        let tries = known.map_or(0, |known| known.tries) + 1;
        for called in [name.clone(), NAMELESS.to_owned()] {
            let route = Route::MessageThreads { channel: thread.channel, message: thread.root };
            let new = CreateThread::new(&called).auto_archive_duration(ARCHIVED_AFTER);
            let Err(failure) = self.rest.send(Call::post(route, &new)).await else {
                self.unopened.take(&thread.root);
                self.named.put(thread.root, ThreadName { name: called, ..ThreadName::default() });
                return Opening::Open;
            };
            match failure.refusal() {
                Some(code::THREAD_EXISTS) => {
                    self.unopened.take(&thread.root);
                    return Opening::Open;
                }
                Some(code::UNKNOWN_MESSAGE) => {
                    self.unopened.take(&thread.root);
                    return Opening::RootGone;
                }
                Some(code) if is_about_words(code) && called != NAMELESS => {}
                Some(code) => {
                    self.without_thread(thread, code);
                    return Opening::Never;
                }
                None if tries >= TRIES && this_instant() >= give_up_at => {
                    self.without_thread(thread, 0);
                    return Opening::Never;
                }
                None => {
                    self.unopened.put(thread.root, Unopened { name, tries, give_up_at });
                    return Opening::NotYet(failure);
                }
            }
        }
        Opening::Never
    }

    /// Tries again to open the thread of a message where that did not work yet.
    pub(super) async fn open_late(&self, thread: OpenedThread) {
        if self.is_unopened(thread) {
            self.open_thread(thread, None).await;
        }
    }

    /// Calls a thread what its verdict says, unless people gave it another name, or Discord would not have it changed so often.
    /// That may fail: the message says the same.
    pub(super) async fn name_by_verdict(&self, thread: OpenedThread, name: &str) {
        let known = self.named.get(&thread.root);
        if self.threadless.get(&thread.root).is_some() || known.as_ref().is_some_and(|known| known.name == name) {
            return;
        }
        let route = Route::Channel { channel: thread.root };
        let Ok(found) = self.rest.send(Call::get(route)).await else { return };
        let current = found.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_ours = known.as_ref().is_none_or(|known| known.name == current);
        let now = this_instant();
        let mut renamed = known.unwrap_or_default();
        if !is_ours || !renamed.may_change(now) {
            return;
        }
        if current != name {
            let new = EditThread::new().name(name);
            if let Err(failure) = self.rest.send(Call::patch(route, &new)).await {
                tracing::info!("a thread keeps its name: {}", super::command::why(&failure));
                return;
            }
            renamed.renamed.retain(|at| now < *at + RENAMED_WITHIN);
            renamed.renamed.push(now);
        }
        renamed.name = name.to_owned();
        self.named.put(thread.root, renamed);
    }

    /// True where the thread is still to be opened.
    pub(super) fn is_unopened(&self, thread: OpenedThread) -> bool {
        self.unopened.get(&thread.root).is_some()
    }

    fn without_thread(&self, thread: OpenedThread, code: u64) {
        self.tell_once(thread.channel, code, "replies go to the channel instead of a thread");
        self.unopened.take(&thread.root);
        self.threadless.put(thread.root, ());
    }

    async fn name_of(&self, thread: OpenedThread) -> String {
        let route = Route::Message { channel: thread.channel, message: thread.root };
        let found = self.rest.send(Call::get(route)).await.unwrap_or_default();
        let content = found.get("content").and_then(Value::as_str).filter(|content| !content.is_empty());
        name_from(content.or_else(|| layout::texts(&found).first().copied()).unwrap_or_default())
    }
}

/// What a thread is called whose first message says `content`: its title, without its marks and whom it calls.
pub(super) fn name_from(content: &str) -> String {
    let first = content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut plain = String::with_capacity(first.len());
    let mut rest = first.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.extend(rest.next()),
            '*' => {}
            c => plain.push(c),
        }
    }
    let mut name = plain.trim();
    while let Some(said) = name.strip_prefix("<@").and_then(|called| called.split_once("> ")).map(|(_, said)| said) {
        name = said;
    }
    name = name.strip_prefix("@here ").unwrap_or(name);
    for tone in [Tone::Working, Tone::Bad, Tone::Warning, Tone::Good] {
        name = name.strip_prefix(tone.mark()).unwrap_or(name).trim_start();
    }
    match limits::cut(name, limits::THREAD_NAME) {
        name if name.is_empty() => NAMELESS.to_owned(),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_found_again_is_called_what_its_message_says() {
        for (content, name) in [
            ("🔎 Looking into prod/orders\\-db …", "Looking into prod/orders-db …"),
            ("<@&43> 🔴 **prod/x is not rotating \\*\\*why\\*\\***\n\n**Proof**", "prod/x is not rotating **why**"),
            ("<@44> <@45> **prod/x**", "prod/x"),
            ("@here **prod/x**", "prod/x"),
            ("", NAMELESS),
            ("🔎", NAMELESS),
        ] {
            assert_eq!(name_from(content), name);
        }
    }
}
