//! A reception that notes what it hears, and the bot in front of it.

use crate::fake_slack::FakeSlack;
use async_trait::async_trait;
use rotation_diag::chat::document::{Message, Tone};
use rotation_diag::chat::{Ack, IncomingEvent, Intake, LostPost, Summary, ThreadFilter};
use rotation_diag::clock::Clock;
use rotation_diag::config::{Token, TokenSource};
use rotation_diag::model::{Actor, InvestigationId, Place};
use rotation_diag::platforms::slack::{Lookups, Slack, SlackStop, SocketTimeouts};
use rotation_diag::platforms::slack::{SlackConfig, SlackMode, SlackTokens};
use rotation_diag::redact::SafeText;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What the reception does next; without one it accepts.
pub(crate) enum Next {
    Answer(&'static str),
    Unavailable(&'static str),
    Panic,
    /// It takes until it is told to go on.
    Wait(Arc<Notify>),
}

/// The reception.
#[derive(Default)]
pub(crate) struct RecordingIntake {
    heard: Mutex<Vec<IncomingEvent>>,
    seen: Mutex<HashSet<String>>,
    next: Mutex<VecDeque<Next>>,
    pub(crate) recent: Mutex<Vec<Summary>>,
    pub(crate) joined: Mutex<Vec<Place>>,
    /// What was asked to be shown in the home.
    pub(crate) filters: Mutex<Vec<ThreadFilter>>,
    /// What a text is about that somebody points at.
    pub(crate) named: Mutex<Vec<String>>,
    /// The texts that somebody pointed at.
    pub(crate) pointed_at: Mutex<Vec<String>>,
    changed: Notify,
}

pub(crate) fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

impl RecordingIntake {
    pub(crate) fn next(&self, next: Next) {
        self.next.lock().unwrap().push_back(next);
    }

    pub(crate) fn heard(&self) -> Vec<IncomingEvent> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until `count` were accepted.
    pub(crate) async fn hears(&self, count: usize) -> Vec<IncomingEvent> {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if self.heard().len() >= count {
                    return self.heard();
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the reception did not hear enough")
    }
}

#[async_trait]
impl Intake for RecordingIntake {
    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        let next = self.next.lock().unwrap().pop_front();
        match next {
            Some(Next::Answer(text)) => return Ack::Answer(Box::new(Message::line(Tone::Neutral, safe(text)))),
            Some(Next::Unavailable(text)) => return Ack::Unavailable(Box::new(Message::line(Tone::Warning, safe(text)))),
            // Without the panic hook, whose printing would hold up everything else.
            Some(Next::Panic) => std::panic::resume_unwind(Box::new("canarypanic")),
            Some(Next::Wait(go_on)) => go_on.notified().await,
            None => {}
        }
        if !self.seen.lock().unwrap().insert(inbound.key.clone()) {
            return Ack::Duplicate;
        }
        self.heard.lock().unwrap().push(inbound);
        self.changed.notify_waiters();
        Ack::Accepted
    }

    async fn suggest(&self, _actor: &Actor, _place: &Place, _typed: &str) -> Vec<String> {
        Vec::new()
    }

    async fn secrets_in(&self, _actor: &Actor, _place: &Place, text: &str) -> Vec<String> {
        self.pointed_at.lock().unwrap().push(text.to_owned());
        self.named.lock().unwrap().clone()
    }

    async fn preview(&self, actor: &Actor, place: &Place, id: &InvestigationId) -> Option<Message> {
        let mut message = Message::line(Tone::Bad, safe(&format!("{id} is not rotating")));
        message.people = vec![actor.user.clone()];
        (actor.user == "U1" && place.channel == "C1").then_some(message)
    }

    async fn joined(&self, place: &Place) {
        self.joined.lock().unwrap().push(place.clone());
    }

    async fn recent(&self, _actor: &Actor, filter: ThreadFilter, limit: usize) -> Vec<Summary> {
        self.filters.lock().unwrap().push(filter);
        self.recent.lock().unwrap().iter().take(limit).cloned().collect()
    }
}

/// Intervals that a test can wait for.
pub(crate) fn fast() -> SocketTimeouts {
    SocketTimeouts {
        answer: Duration::from_millis(500),
        ping_every: Duration::from_millis(50),
        silence: Duration::from_secs(2),
        opening: Duration::from_secs(5),
        writing: Duration::from_secs(1),
        draining: Duration::from_millis(500),
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(50),
    }
}

pub(crate) fn config(fake: &FakeSlack, mode: SlackMode) -> SlackConfig {
    SlackConfig {
        mode,
        bot_token: TokenSource::Env("UNUSED".to_owned()),
        api_url: fake.api_url().parse().unwrap(),
        broadcast: false,
    }
}

pub(crate) fn socket_mode(connections: u8) -> SlackMode {
    SlackMode::Socket { app_token: TokenSource::Env("UNUSED".to_owned()), connections }
}

pub(crate) fn http_mode() -> SlackMode {
    SlackMode::Http { signing_secret: TokenSource::Env("UNUSED".to_owned()), next_signing_secret: None }
}

pub(crate) fn tokens(inbound: &str) -> SlackTokens {
    SlackTokens { bot: Token::new(crate::fake_slack::BOT_TOKEN), inbound: Token::new(inbound), next_inbound: None }
}

/// The bot without anyone listening, to send with.
pub(crate) fn sender(fake: &FakeSlack) -> Slack {
    sender_at(fake, Clock::system())
}

/// The same, where endings are shown in the channel too.
pub(crate) fn broadcaster(fake: &FakeSlack) -> Slack {
    rotation_diag::tls::choose();
    let config = SlackConfig { broadcast: true, ..config(fake, socket_mode(1)) };
    let tokens = tokens(crate::fake_slack::APP_TOKEN);
    Slack::with_rhythm(&config, &tokens, Lookups::default(), Clock::system(), fast()).unwrap()
}

/// The same on a machine with this clock.
pub(crate) fn sender_at(fake: &FakeSlack, clock: Clock) -> Slack {
    rotation_diag::tls::choose();
    let config = config(fake, socket_mode(1));
    Slack::with_rhythm(&config, &tokens(crate::fake_slack::APP_TOKEN), Lookups::default(), clock, fast()).unwrap()
}

/// A message whose answer was lost, as delivery asks for it.
pub(crate) fn lost<'a>(key: &'a str, message: &'a Message) -> LostPost<'a> {
    LostPost { key, message, since: jiff::Timestamp::UNIX_EPOCH, others: &[] }
}

/// The bot with its sockets.
pub(crate) struct Bot {
    pub(crate) fake: FakeSlack,
    pub(crate) intake: Arc<RecordingIntake>,
    pub(crate) slack: Arc<Slack>,
    pub(crate) stop: CancellationToken,
    running: JoinHandle<Result<(), SlackStop>>,
}

impl Bot {
    pub(crate) async fn start() -> Bot {
        Bot::start_with(FakeSlack::start().await, 1, Lookups::default(), fast()).await
    }

    /// Starts the bot, and waits until its sockets are open.
    pub(crate) async fn start_with(fake: FakeSlack, connections: u8, lookups: Lookups, rhythm: SocketTimeouts) -> Bot {
        rotation_diag::tls::choose();
        let config = config(&fake, socket_mode(connections));
        let tokens = tokens(crate::fake_slack::APP_TOKEN);
        let slack = Arc::new(Slack::with_rhythm(&config, &tokens, lookups, Clock::system(), rhythm).unwrap());
        let (intake, stop) = (Arc::new(RecordingIntake::default()), CancellationToken::new());
        let running = tokio::spawn(Arc::clone(&slack).listen(Arc::clone(&intake) as Arc<dyn Intake>, stop.clone()));
        let bot = Bot { fake, intake, slack, stop, running };
        bot.fake.sockets_open(usize::from(connections)).await;
        bot
    }

    /// Ends the bot, and fails for what was left over.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(20), self.running).await.expect("the bot does not stop").unwrap();
        assert_eq!(ended, Ok(()));
        self.fake.finish();
    }

    /// Waits for the bot to give up.
    pub(crate) async fn ends(self) -> Result<(), SlackStop> {
        tokio::time::timeout(Duration::from_secs(20), self.running).await.expect("the bot does not stop").unwrap()
    }
}
