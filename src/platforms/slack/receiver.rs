//! From what Slack sends to the reception, and back to the person who asked.
//!
//! Whatever takes longer than asking the reception is an errand of its own: the acknowledgement does not wait for it. Nor
//! does it wait for what Slack knows of a person: whoever works on it asks.

use super::NAME;
use super::Slack;
use super::api::Done;
use super::dialog::{self, Prefill, ThreadIn};
use super::ephemeral::{ephemeral, ephemeral_content};
use super::home;
use super::message_text::all_texts;
use super::method::Method;
use super::origin::Origin;
use super::payload::{
    Clicked, CommandPayload, Event, EventPayload, HomeOpened, Interaction, Joined, Mentioned, SharedLinks, Submitted,
    UsedShortcut,
};
use super::rate_limiter::Turn;
use super::render::ACTION_ID;
use super::reply::SlackReply;
use super::words;
use crate::chat::document::{Message, Part, Tone};
use crate::chat::{Ack, ChatPlatform as _, IncomingEvent, Intake, Payload, SendError, ThreadFilter};
use crate::model::{InvestigationId, Place, Standing};
use crate::redact::SafeText;
use serde_json::{Value, json};
use slack_morphism::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;

/// How long the reception may take. Slack waits three seconds; the way back needs the rest.
const RECEPTION_DEADLINE: Duration = Duration::from_millis(1_800);

/// How many errands run at once; a person who clicks on is told nothing rather than everyone waiting.
const MAX_ERRANDS: usize = 64;

/// How long errands may go on while the program ends.
const LAST_ERRANDS: Duration = Duration::from_secs(5);

/// How many links of a message are looked at.
const MAX_LINKS: usize = 5;

/// An error beside a dialog's field is read at a glance.
const FIELD_ERROR: usize = 300;

/// How often one person's answer is tried, and the first wait between.
const ANSWER_ATTEMPTS: u32 = 4;
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// How long a dialog waits to learn whether the bot is in the channel that was chosen; without an answer it closes, and the
/// person is told later.
const MEMBERSHIP_PATIENCE: Duration = Duration::from_millis(700);

/// What somebody is told who is known to be no member.
const STRANGER: &str = "I answer members of my own workspace only: no guests, no bots, nobody of another organization.";

/// What a person is told while Slack refuses the bot's token: this is the one answer that needs none.
const LOCKED_OUT: &str = "Slack no longer accepts my token, so I can post nothing and nothing was started: the operator of rotation-diag has to give me a new one.";

/// What Slack is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SlackAck {
    Empty,
    /// It is taken, and this is the answer.
    Body(Value),
    /// It is not taken; Slack sends it again.
    Again,
}

/// Takes what Slack sends.
pub(super) struct Receiver {
    slack: Arc<Slack>,
    intake: Arc<dyn Intake>,
    errands: TaskTracker,
    slots: Arc<Semaphore>,
}

impl Receiver {
    pub(super) fn new(slack: Arc<Slack>, intake: Arc<dyn Intake>) -> Receiver {
        Receiver { slack, intake, errands: TaskTracker::new(), slots: Arc::new(Semaphore::new(MAX_ERRANDS)) }
    }

    /// Waits for errands under way.
    pub(super) async fn finish(&self) {
        self.errands.close();
        let _ = tokio::time::timeout(LAST_ERRANDS, self.errands.wait()).await;
    }

    /// A slash command.
    pub(super) async fn command(&self, command: CommandPayload) -> SlackAck {
        let reply = SlackReply {
            channel: command.channel_id.clone(),
            user: command.user_id.clone(),
            thread: None,
            response_url: command.response_url,
        };
        if self.is_locked_out() {
            return SlackAck::Body(ephemeral(&notice(LOCKED_OUT)));
        }
        let Some(origin) = self.slack.origin(None, &[Some(command.team_id)]) else { return SlackAck::Empty };
        let actor = self.slack.actor(&origin, &command.user_id).await;
        let said = words::typed(&command.text);
        if said.is_empty() {
            if actor.standing == Standing::Outsider {
                return SlackAck::Body(ephemeral(&notice(STRANGER)));
            }
            self.open_dialog(command.trigger_id, Prefill::channel(&command.channel_id), reply);
            return SlackAck::Empty;
        }
        let key = format!("command:{}:{}", origin.workspace, command.trigger_id);
        let place = place(&origin, command.channel_id, None);
        match self.accept(IncomingEvent { key, actor, place, reply_to: reply.to_reply(), said: Payload::Words(said) }).await {
            Ack::Accepted | Ack::Duplicate => SlackAck::Empty,
            Ack::Answer(answer) | Ack::Unavailable(answer) => SlackAck::Body(ephemeral(&answer)),
        }
    }

    /// An event.
    pub(super) async fn event(&self, payload: EventPayload) -> SlackAck {
        let homes = match &payload.event {
            Event::AppMention(said) => [said.user_team.clone(), said.source_team.clone(), said.team.clone()],
            _ => [const { None }; 3],
        };
        let Some(origin) = self.slack.origin_of(&payload, &homes) else {
            tracing::warn!("Slack sent an event for another installation of the app; it is left alone");
            return SlackAck::Empty;
        };
        let bot = self.slack.bot_user().map(str::to_owned);
        let bot = bot.or_else(|| payload.authorizations.into_iter().find_map(|authorization| authorization.user_id));
        match payload.event {
            Event::AppMention(mentioned) => self.mention(&origin, bot.as_deref(), *mentioned).await,
            Event::AppHomeOpened(HomeOpened { user, tab }) if tab == "home" || tab.is_empty() => {
                self.show_home(origin, user, ThreadFilter::default());
                SlackAck::Empty
            }
            Event::MemberJoinedChannel(Joined { user, channel }) if Some(user.as_str()) == bot.as_deref() => {
                self.intake.joined(&place(&origin, channel, None)).await;
                SlackAck::Empty
            }
            Event::LinkShared(shared) => {
                self.unfurl(origin, shared);
                SlackAck::Empty
            }
            Event::AppHomeOpened(_) | Event::MemberJoinedChannel(_) | Event::Other => SlackAck::Empty,
        }
    }

    /// A click, or a dialog that was sent off.
    pub(super) async fn interaction(&self, interaction: Interaction) -> SlackAck {
        match interaction {
            Interaction::BlockActions(clicked) => self.click(*clicked).await,
            Interaction::ViewSubmission(submitted) => self.submission(*submitted).await,
            Interaction::MessageAction(used) => self.shortcut(*used).await,
            Interaction::Other => SlackAck::Empty,
        }
    }

    async fn mention(&self, origin: &Origin, bot: Option<&str>, said: Mentioned) -> SlackAck {
        let is_plain = said.subtype.as_deref().is_none_or(|subtype| matches!(subtype, "file_share" | "thread_broadcast"));
        let Some(user) = said.user.filter(|user| Some(user.as_str()) != bot) else { return SlackAck::Empty };
        if said.bot_id.is_some() || said.edited.is_some() || !is_plain {
            return SlackAck::Empty;
        }
        let thread = said.thread_ts.filter(|thread| *thread != said.ts);
        let key = format!("message:{}:{}:{}", origin.workspace, said.channel, said.ts);
        let reply = SlackReply { channel: said.channel.clone(), user: user.clone(), thread: thread.clone(), response_url: None };
        let actor = self.slack.actor(origin, &user).await;
        let words = words::after_mention(&said.text, bot);
        let place = place(origin, said.channel, thread);
        match self.accept(IncomingEvent { key, actor, place, reply_to: reply.to_reply(), said: Payload::Words(words) }).await {
            Ack::Accepted | Ack::Duplicate => SlackAck::Empty,
            Ack::Answer(answer) => {
                self.send_ephemeral(reply, *answer);
                SlackAck::Empty
            }
            // Slack sends an event again; only a command or a click has to be repeated by its person.
            Ack::Unavailable(_) => SlackAck::Again,
        }
    }

    async fn click(&self, clicked: Clicked) -> SlackAck {
        let seen_from = clicked.team.map(|team| team.id);
        let homes = [clicked.user.team_id.clone(), seen_from.clone()];
        let Some(origin) = self.slack.origin(seen_from, &homes) else { return SlackAck::Empty };
        let channel = clicked.container.channel_id.or(clicked.channel.map(|channel| channel.id));
        let thread = clicked.container.thread_ts.or(clicked.message.and_then(|message| message.thread_ts));
        let thread = thread.or(clicked.container.message_ts);
        let actor = self.slack.actor(&origin, &clicked.user.id).await;
        for (at, action) in clicked.actions.iter().enumerate() {
            let reply = SlackReply {
                channel: channel.clone().unwrap_or_default(),
                user: clicked.user.id.clone(),
                thread: thread.clone(),
                response_url: clicked.response_url.clone(),
            };
            match (action.action_id.as_str(), action.value(), &channel) {
                (home::INVESTIGATE | home::REFRESH | home::FILTER, _, _) if actor.standing == Standing::Outsider => {
                    self.send_ephemeral(reply, notice(STRANGER));
                }
                (home::INVESTIGATE, _, _) => self.open_dialog(clicked.trigger_id.clone(), Prefill::default(), reply),
                (home::REFRESH | home::FILTER, word, _) => {
                    let filter = word.map(ThreadFilter::of).unwrap_or_default();
                    self.show_home(origin.clone(), clicked.user.id.clone(), filter);
                }
                (id, Some(_), Some(_)) if id.starts_with(ACTION_ID) && self.is_locked_out() => {
                    self.send_ephemeral(reply, notice(LOCKED_OUT));
                }
                (id, Some(token), Some(channel)) if id.starts_with(ACTION_ID) => {
                    let inbound = IncomingEvent {
                        key: format!("click:{}:{}:{at}", origin.workspace, clicked.trigger_id),
                        actor: actor.clone(),
                        place: place(&origin, channel.clone(), thread.clone()),
                        reply_to: reply.to_reply(),
                        said: Payload::Click(token.to_owned()),
                    };
                    match self.accept(inbound).await {
                        Ack::Accepted | Ack::Duplicate => {}
                        Ack::Answer(answer) | Ack::Unavailable(answer) => self.send_ephemeral(reply, *answer),
                    }
                }
                _ => {}
            }
        }
        SlackAck::Empty
    }

    async fn submission(&self, submitted: Submitted) -> SlackAck {
        let homes = [submitted.user.team_id.clone(), submitted.team.map(|team| team.id)];
        let seen_from = submitted.view.app_installed_team_id.clone().or(submitted.view.team_id.clone());
        let origin = self.slack.origin(seen_from, &homes);
        let (Some(origin), true) = (origin, submitted.view.callback_id == dialog::CALLBACK) else { return SlackAck::Empty };
        let (channel, words) = dialog::answer(&submitted.view.state);
        let thread = dialog::thread(&submitted.view, &channel);
        let user = submitted.user.id;
        let actor = self.slack.actor(&origin, &user).await;
        if self.is_locked_out() {
            return beside(dialog::SECRET, &notice(LOCKED_OUT));
        }
        if actor.standing != Standing::Outsider
            && !channel.is_empty()
            && let Some(why) = self.cannot_post(&channel).await
        {
            return beside(dialog::CHANNEL, &notice(why));
        }
        let urls = submitted.response_urls.into_iter().filter(|url| url.channel_id == channel);
        let response_url = urls.map(|url| url.response_url).find(|url| !url.is_empty());
        let reply = SlackReply { channel: channel.clone(), user, thread: None, response_url };
        let inbound = IncomingEvent {
            key: format!("dialog:{}:{}:{}", origin.workspace, submitted.view.id, submitted.view.hash),
            actor,
            place: place(&origin, channel, thread),
            reply_to: reply.to_reply(),
            said: Payload::Words(words),
        };
        match self.accept(inbound).await {
            Ack::Accepted | Ack::Duplicate => SlackAck::Empty,
            Ack::Answer(answer) | Ack::Unavailable(answer) => beside(dialog::SECRET, &answer),
        }
    }

    /// The shortcut on a message that somebody takes for an alarm. Where that message is about one secret for sure, it is
    /// investigated below it; else the person is asked.
    async fn shortcut(&self, used: UsedShortcut) -> SlackAck {
        let seen_from = used.team.as_ref().map(|team| team.id.clone());
        let homes = [used.user.team_id.clone(), seen_from.clone()];
        let origin = self.slack.origin(seen_from, &homes).filter(|_| used.callback_id == dialog::SHORTCUT);
        let (Some(origin), Some(channel), Some(root)) = (origin, used.channel.as_ref(), used.root()) else {
            return SlackAck::Empty;
        };
        let (channel, root) = (channel.id.clone(), root.to_owned());
        let actor = self.slack.actor(&origin, &used.user.id).await;
        let reply = SlackReply { channel: channel.clone(), user: used.user.id, thread: None, response_url: used.response_url };
        let refused = match actor.standing {
            _ if self.is_locked_out() => Some(LOCKED_OUT),
            Standing::Outsider => Some(STRANGER),
            _ => None,
        };
        if let Some(why) = refused {
            self.send_ephemeral(reply, notice(why));
            return SlackAck::Empty;
        }
        let place = place(&origin, channel.clone(), Some(root.clone()));
        let secrets = self.intake.secrets_in(&actor, &place, &all_texts(&used.message)).await;
        let [secret] = secrets.as_slice() else {
            let message = Some(ThreadIn { channel: channel.clone(), thread: root });
            self.open_dialog(used.trigger_id, Prefill { channel: Some(channel), message, secrets }, reply);
            return SlackAck::Empty;
        };
        let words = if secret.starts_with("arn:") { secret.clone() } else { format!("secret:{secret}") };
        let key = format!("shortcut:{}:{}", origin.workspace, used.trigger_id);
        match self.accept(IncomingEvent { key, actor, place, reply_to: reply.to_reply(), said: Payload::Words(words) }).await {
            Ack::Accepted | Ack::Duplicate => {}
            Ack::Answer(answer) | Ack::Unavailable(answer) => self.send_ephemeral(reply, *answer),
        }
        SlackAck::Empty
    }

    /// Why the bot cannot begin a thread in a channel, as far as Slack tells in time.
    async fn cannot_post(&self, channel: &str) -> Option<&'static str> {
        match tokio::time::timeout(MEMBERSHIP_PATIENCE, self.slack.look_into(channel)).await {
            Ok(Err(SendError::Closed { tell, .. })) => Some(tell),
            _ => None,
        }
    }

    fn is_locked_out(&self) -> bool {
        !self.slack.is_token_accepted()
    }

    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        let received = tokio::time::timeout(RECEPTION_DEADLINE, self.intake.accept(inbound)).await;
        received.unwrap_or_else(|_| {
            tracing::error!("the reception took too long");
            Ack::Unavailable(Box::new(notice("This is taking too long. If no thread appears within a minute, please try again.")))
        })
    }

    fn open_dialog(&self, trigger: String, prefill: Prefill, reply: SlackReply) {
        let slack = Arc::clone(&self.slack);
        self.errand(async move {
            let request = SlackApiViewsOpenRequest::new(SlackTriggerId(trigger), dialog::view(&prefill));
            let opened = slack.api.post::<_, Done>(Method::ViewsOpen, Turn::Other, &request).await;
            if let Err(failure) = opened {
                tracing::warn!(%failure, "the dialog did not open");
                let help = if failure.is_about_the_token() {
                    notice(LOCKED_OUT)
                } else {
                    notice("The dialog could not be opened. Type /rotation-diag and the name of a secret.")
                };
                send_ephemeral(&slack, &reply, &help).await;
            }
        });
    }

    fn show_home(&self, origin: Origin, user: String, filter: ThreadFilter) {
        let (slack, intake) = (Arc::clone(&self.slack), Arc::clone(&self.intake));
        self.errand(async move {
            let mut actor = slack.actor(&origin, &user).await;
            if actor.standing == Standing::Pending {
                actor = slack.look_up(&actor).await.actor;
            }
            let recent = intake.recent(&actor, filter, home::SHOWN).await;
            let view = home::view(&recent, filter, &slack.clock, |thread| slack.link(thread));
            let request = SlackApiViewsPublishRequest::new(SlackUserId(user), view);
            let shown = slack.api.post::<_, Done>(Method::ViewsPublish, Turn::Other, &request).await;
            if let Err(failure) = shown {
                tracing::warn!(%failure, "the home was not shown");
            }
        });
    }

    /// Shows the verdicts below links to investigations, where whoever wrote the links may have them told.
    fn unfurl(&self, origin: Origin, shared: SharedLinks) {
        let (slack, intake) = (Arc::clone(&self.slack), Arc::clone(&self.intake));
        self.errand(async move {
            let mut actor = slack.actor(&origin, &shared.user).await;
            if actor.standing == Standing::Pending {
                actor = slack.look_up(&actor).await.actor;
            }
            let place = place(&origin, shared.channel.clone(), shared.thread_ts);
            let mut unfurls = serde_json::Map::new();
            for url in shared.links.into_iter().take(MAX_LINKS).map(|link| link.url) {
                let Some(id) = investigation_in(&url) else { continue };
                if let Some(verdict) = intake.preview(&actor, &place, &id).await {
                    unfurls.insert(url, json!({ "blocks": ephemeral_content(&verdict).blocks }));
                }
            }
            if unfurls.is_empty() {
                return;
            }
            let request = match (shared.unfurl_id, shared.source) {
                (Some(id), Some(source)) => json!({ "unfurl_id": id, "source": source, "unfurls": unfurls }),
                _ => json!({ "channel": shared.channel, "ts": shared.message_ts, "unfurls": unfurls }),
            };
            if let Err(failure) = slack.api.post::<_, Done>(Method::ChatUnfurl, Turn::Other, &request).await {
                tracing::warn!(%failure, "a link does not show its verdict");
            }
        });
    }

    fn send_ephemeral(&self, reply: SlackReply, answer: Message) {
        let slack = Arc::clone(&self.slack);
        self.errand(async move { send_ephemeral(&slack, &reply, &answer).await });
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

/// Answers one person, and tries again for a while where Slack is in trouble: nobody else does.
async fn send_ephemeral(slack: &Slack, reply: &SlackReply, answer: &Message) {
    for attempt in 1..=ANSWER_ATTEMPTS {
        let (error, wait) = match slack.send_ephemeral_to(reply, answer).await {
            Ok(()) => return,
            Err(error @ SendError::Later { after, .. }) => (error, after.unwrap_or(ANSWER_WAIT * attempt * attempt)),
            Err(error) => (error, Duration::MAX),
        };
        if attempt == ANSWER_ATTEMPTS || wait > LAST_ERRANDS * 6 {
            tracing::warn!(%error, "a person was not answered");
            return;
        }
        tokio::time::sleep(wait).await;
    }
}

/// The investigation whose page, or a part of it, is at `url` in the web console.
fn investigation_in(url: &str) -> Option<InvestigationId> {
    let url = Url::parse(url).ok()?;
    let mut parts = url.path_segments()?.skip_while(|part| *part != "investigations");
    parts.nth(1)?.parse().ok()
}

fn place(origin: &Origin, channel: String, thread: Option<String>) -> Place {
    Place { platform: NAME, workspace: origin.workspace.clone(), channel, thread }
}

/// An answer beside a field of a dialog, which stays open.
fn beside(field: &str, answer: &Message) -> SlackAck {
    SlackAck::Body(json!({ "response_action": "errors", "errors": { field: in_one_line(answer) } }))
}

fn notice(text: &'static str) -> Message {
    Message::line(Tone::Warning, text.into())
}

/// A message beside a field of a dialog, which shows plain text only.
fn in_one_line(answer: &Message) -> String {
    let mut lines = vec![answer.title.single_line()];
    for part in &answer.parts {
        match part {
            Part::Section { lines: more, .. } => lines.extend(more.iter().map(SafeText::single_line)),
            Part::Caution(text) => lines.push(text.single_line()),
            _ => {}
        }
    }
    SafeText::join(lines, " ").cut(FIELD_ERROR).into()
}
