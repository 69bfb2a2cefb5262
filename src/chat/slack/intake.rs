//! From what Slack sends to the reception, and back to the person who asked.
//!
//! Whatever takes longer than asking the reception is an errand of its own: the acknowledgement does not wait for it.

use super::Slack;
use super::dialog;
use super::home;
use super::method::Method;
use super::pacing::Turn;
use super::payload::{Clicked, CommandPayload, Event, EventPayload, HomeOpened, Interaction, Mentioned, Submitted};
use super::platform::ephemeral;
use super::render::{ACTION_ID, Surface, line, message};
use super::reply::Reply;
use super::words;
use crate::chat::document::{Message, Part, Tone};
use crate::chat::{ChatPlatform as _, Inbound, Receipt, Reception, Said};
use crate::model::{Actor, Place, PlatformName, Standing};
use crate::redact::SafeText;
use crate::report::inert;
use serde_json::{Value, json};
use slack_morphism::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// How long the reception may take. Slack waits three seconds; a look-up of groups and the way back need the rest.
const RECEPTION_DEADLINE: Duration = Duration::from_millis(1_800);

/// How many errands run at once; a person who clicks on is told nothing rather than everyone waiting.
const MOST_ERRANDS: usize = 64;

/// How long errands may go on while the program ends.
const LAST_ERRANDS: Duration = Duration::from_secs(5);

/// An error beside a dialog's field is read at a glance.
const FIELD_ERROR: usize = 300;

/// What Slack is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ack {
    /// It is taken.
    Empty,
    /// It is taken, and this is the answer.
    Body(Value),
    /// It is not taken; Slack sends it again.
    Again,
}

/// Takes what Slack sends.
pub(super) struct Intake {
    slack: Arc<Slack>,
    reception: Arc<dyn Reception>,
    errands: TaskTracker,
    slots: Arc<Semaphore>,
}

impl Intake {
    pub(super) fn new(slack: Arc<Slack>, reception: Arc<dyn Reception>) -> Intake {
        Intake { slack, reception, errands: TaskTracker::new(), slots: Arc::new(Semaphore::new(MOST_ERRANDS)) }
    }

    /// Waits for errands under way.
    pub(super) async fn finish(&self) {
        self.errands.close();
        let _ = tokio::time::timeout(LAST_ERRANDS, self.errands.wait()).await;
    }

    /// A slash command.
    pub(super) async fn command(&self, command: CommandPayload) -> Ack {
        let reply = Reply {
            channel: command.channel_id.clone(),
            user: command.user_id.clone(),
            thread: None,
            response_url: command.response_url,
        };
        let said = words::typed(&command.text);
        if said.is_empty() {
            self.open_dialog(command.trigger_id, Some(command.channel_id), reply);
            return Ack::Empty;
        }
        let place = place(&command.team_id, command.channel_id, None);
        let actor = self.actor(&command.team_id, &command.user_id, None).await;
        let key = format!("command:{}:{}", command.team_id, command.trigger_id);
        match self.receive(Inbound { key, actor, place, reply_to: reply.to_reply(), said: Said::Words(said) }).await {
            Receipt::Accepted | Receipt::Duplicate => Ack::Empty,
            Receipt::Answer(answer) | Receipt::Unavailable(answer) => Ack::Body(ephemeral(&answer)),
        }
    }

    /// An event.
    pub(super) async fn event(&self, payload: EventPayload) -> Ack {
        let bot = payload.authorizations.into_iter().find_map(|authorization| authorization.user_id);
        let bot = bot.or_else(|| self.slack.bot_user().map(str::to_owned));
        match payload.event {
            Event::AppMention(mentioned) => self.mention(&payload.team_id, bot.as_deref(), *mentioned).await,
            Event::AppHomeOpened(HomeOpened { user, tab }) if tab == "home" || tab.is_empty() => {
                self.show_home(payload.team_id, user);
                Ack::Empty
            }
            Event::AppHomeOpened(_) | Event::Other => Ack::Empty,
        }
    }

    /// A click, or a dialog that was sent off.
    pub(super) async fn interaction(&self, interaction: Interaction) -> Ack {
        match interaction {
            Interaction::BlockActions(clicked) => self.click(*clicked).await,
            Interaction::ViewSubmission(submitted) => self.submission(*submitted).await,
            Interaction::Other => Ack::Empty,
        }
    }

    async fn mention(&self, team: &str, bot: Option<&str>, said: Mentioned) -> Ack {
        let is_plain = said.subtype.as_deref().is_none_or(|subtype| matches!(subtype, "file_share" | "thread_broadcast"));
        let Some(user) = said.user.filter(|user| Some(user.as_str()) != bot) else { return Ack::Empty };
        if said.bot_id.is_some() || said.edited.is_some() || !is_plain {
            return Ack::Empty;
        }
        let thread = said.thread_ts.filter(|thread| *thread != said.ts);
        let key = format!("message:{team}:{}:{}", said.channel, said.ts);
        let reply = Reply { channel: said.channel.clone(), user: user.clone(), thread: thread.clone(), response_url: None };
        let actor = self.actor(team, &user, said.user_team.as_deref()).await;
        let words = match words::after_mention(&said.text, bot) {
            nothing if nothing.is_empty() => "help".to_owned(),
            words => words,
        };
        let place = place(team, said.channel, thread);
        match self.receive(Inbound { key, actor, place, reply_to: reply.to_reply(), said: Said::Words(words) }).await {
            Receipt::Accepted | Receipt::Duplicate => Ack::Empty,
            Receipt::Answer(answer) => {
                self.whisper(reply, *answer);
                Ack::Empty
            }
            // Slack sends an event again; only a command or a click has to be repeated by its person.
            Receipt::Unavailable(_) => Ack::Again,
        }
    }

    async fn click(&self, clicked: Clicked) -> Ack {
        let Some(team) = clicked.team.map(|team| team.id).or(clicked.user.team_id.clone()) else { return Ack::Empty };
        let channel = clicked.container.channel_id.or(clicked.channel.map(|channel| channel.id));
        let thread = clicked.container.thread_ts.or(clicked.message.and_then(|message| message.thread_ts));
        let thread = thread.or(clicked.container.message_ts);
        for (at, action) in clicked.actions.iter().enumerate() {
            let reply = |channel: String| Reply {
                channel,
                user: clicked.user.id.clone(),
                thread: thread.clone(),
                response_url: clicked.response_url.clone(),
            };
            match (action.action_id.as_str(), action.value(), &channel) {
                (home::INVESTIGATE, _, _) => {
                    self.open_dialog(clicked.trigger_id.clone(), None, reply(channel.clone().unwrap_or_default()));
                }
                (home::REFRESH, _, _) => self.show_home(team.clone(), clicked.user.id.clone()),
                (id, Some(token), Some(channel)) if id.starts_with(ACTION_ID) => {
                    let reply = reply(channel.clone());
                    let inbound = Inbound {
                        key: format!("click:{team}:{}:{at}", clicked.trigger_id),
                        actor: self.actor(&team, &clicked.user.id, clicked.user.team_id.as_deref()).await,
                        place: place(&team, channel.clone(), thread.clone()),
                        reply_to: reply.to_reply(),
                        said: Said::Click(token.to_owned()),
                    };
                    match self.receive(inbound).await {
                        Receipt::Accepted | Receipt::Duplicate => {}
                        Receipt::Answer(answer) | Receipt::Unavailable(answer) => self.whisper(reply, *answer),
                    }
                }
                _ => {}
            }
        }
        Ack::Empty
    }

    async fn submission(&self, submitted: Submitted) -> Ack {
        let team = submitted.team.map(|team| team.id).or(submitted.view.team_id).or(submitted.user.team_id.clone());
        let (Some(team), true) = (team, submitted.view.callback_id == dialog::CALLBACK) else { return Ack::Empty };
        let (channel, words) = dialog::answer(&submitted.view.state);
        let user = submitted.user.id;
        let reply = Reply { channel: channel.clone(), user: user.clone(), thread: None, response_url: None };
        let inbound = Inbound {
            key: format!("dialog:{team}:{}:{}", submitted.view.id, submitted.view.hash),
            actor: self.actor(&team, &user, submitted.user.team_id.as_deref()).await,
            place: place(&team, channel, None),
            reply_to: reply.to_reply(),
            said: Said::Words(words),
        };
        match self.receive(inbound).await {
            Receipt::Accepted | Receipt::Duplicate => Ack::Empty,
            Receipt::Answer(answer) | Receipt::Unavailable(answer) => {
                Ack::Body(json!({ "response_action": "errors", "errors": { dialog::SECRET: in_one_line(&answer) } }))
            }
        }
    }

    async fn receive(&self, inbound: Inbound) -> Receipt {
        let received = tokio::time::timeout(RECEPTION_DEADLINE, self.reception.receive(inbound)).await;
        received.unwrap_or_else(|_| {
            tracing::error!("the reception took too long");
            Receipt::Unavailable(Box::new(notice(
                "That takes too long just now. If no thread appears within a minute, please try again.",
            )))
        })
    }

    /// Who it is; `home` is the person's own workspace, where Slack says which.
    async fn actor(&self, team: &str, user: &str, home: Option<&str>) -> Actor {
        let (groups, standing) = self.slack.people.look_up(team, user).await;
        let standing = match home {
            // In a channel that two organizations share; within one organization the look-up knows better.
            Some(home) if home != team && standing == Standing::Unknown => Standing::Outsider,
            _ => standing,
        };
        Actor { platform: PlatformName::Slack, workspace: team.to_owned(), user: user.to_owned(), groups, standing }
    }

    fn open_dialog(&self, trigger: String, channel: Option<String>, reply: Reply) {
        let slack = Arc::clone(&self.slack);
        self.errand(async move {
            let request = SlackApiViewsOpenRequest::new(SlackTriggerId(trigger), dialog::view(channel.as_deref()));
            let opened = slack.api.post::<_, super::api::Done>(Method::ViewsOpen, Turn::Other, &request).await;
            if let Err(failure) = opened {
                tracing::warn!(%failure, "the dialog did not open");
                let help = notice("The dialog could not be opened. Type /rotation-diag and the name of a secret.");
                whisper(&slack, &reply, &help).await;
            }
        });
    }

    fn show_home(&self, team: String, user: String) {
        let (slack, reception) = (Arc::clone(&self.slack), Arc::clone(&self.reception));
        self.errand(async move {
            let (groups, standing) = slack.people.look_up(&team, &user).await;
            let actor = Actor { platform: PlatformName::Slack, workspace: team, user: user.clone(), groups, standing };
            let recent = reception.recent(&actor, home::SHOWN).await;
            let view = home::view(&recent, &slack.clock, |thread| slack.link(thread));
            let request = SlackApiViewsPublishRequest::new(SlackUserId(user), view);
            let shown = slack.api.post::<_, super::api::Done>(Method::ViewsPublish, Turn::Other, &request).await;
            if let Err(failure) = shown {
                tracing::warn!(%failure, "the home was not shown");
            }
        });
    }

    fn whisper(&self, reply: Reply, answer: Message) {
        let slack = Arc::clone(&self.slack);
        self.errand(async move { whisper(&slack, &reply, &answer).await });
    }

    fn errand(&self, work: impl Future<Output = ()> + Send + 'static) {
        match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => {
                self.errands.spawn(async move {
                    work.await;
                    drop(slot);
                });
            }
            Err(_) => tracing::warn!("too much at once: an answer to one person was dropped"),
        }
    }
}

async fn whisper(slack: &Slack, reply: &Reply, answer: &Message) {
    if let Err(failure) = slack.whisper_to(reply, answer).await {
        tracing::warn!(%failure, "a person was not answered");
    }
}

fn place(workspace: &str, channel: String, thread: Option<String>) -> Place {
    Place { platform: PlatformName::Slack, workspace: workspace.to_owned(), channel, thread }
}

fn notice(text: &str) -> Message {
    Message::line(Tone::Warning, SafeText::redact(text))
}

/// A message beside a field of a dialog, which shows plain text only.
fn in_one_line(answer: &Message) -> String {
    let mut lines = vec![line(&answer.title)];
    for part in &answer.parts {
        match part {
            Part::Section { lines: more, .. } => lines.extend(more.iter().map(line)),
            Part::Caution(text) => lines.push(line(text)),
            _ => {}
        }
    }
    inert::cut(lines.join(" "), FIELD_ERROR)
}

/// The same message as for everyone, without what only a thread can hold.
pub(super) fn alone(answer: &Message) -> SlackMessageContent {
    message(answer, Surface::Alone).content()
}
