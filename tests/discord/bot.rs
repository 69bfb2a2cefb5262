//! The bot's Discord side, between the fake and a reception that takes down what it hears.

use crate::fake_discord::{Event, FakeDiscord, TOKEN};
use async_trait::async_trait;
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{Ack, IncomingEvent, Intake, Message, Summary, ThreadFilter};
use rotation_diag::clock::{Clock, Pauses};
use rotation_diag::config::Token;
use rotation_diag::model::{Actor, Place, Region};
use rotation_diag::platforms::discord::DiscordMode;
use rotation_diag::platforms::discord::{Discord, GatewayError};
use rotation_diag::redact::SafeText;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for something that has to happen.
const SOON: Duration = Duration::from_secs(20);

/// A reception that takes down what it hears, and answers as it was told to.
pub(crate) struct RecordingIntake {
    heard: Mutex<Vec<IncomingEvent>>,
    known: Mutex<BTreeSet<String>>,
    /// What the next ones are told, instead of being accepted.
    pub(crate) receipts: Mutex<VecDeque<Ack>>,
    pub(crate) names: Mutex<Vec<String>>,
    /// The secrets any text is about.
    pub(crate) pointed_at: Mutex<Vec<String>>,
    /// The texts that were pointed at.
    pub(crate) texts: Mutex<Vec<String>>,
    /// The places anybody may ask about.
    pub(crate) places: Mutex<Vec<(Option<String>, Region)>>,
    /// Closed: nobody is served until it opens.
    pub(crate) door: Semaphore,
    changed: Notify,
}

impl Default for RecordingIntake {
    fn default() -> RecordingIntake {
        RecordingIntake {
            heard: Mutex::default(),
            known: Mutex::default(),
            receipts: Mutex::default(),
            names: Mutex::default(),
            pointed_at: Mutex::default(),
            texts: Mutex::default(),
            places: Mutex::default(),
            door: Semaphore::new(Semaphore::MAX_PERMITS),
            changed: Notify::new(),
        }
    }
}

impl RecordingIntake {
    /// The next one that was heard.
    pub(crate) async fn heard(&self) -> IncomingEvent {
        let heard = async {
            loop {
                let changed = self.changed.notified();
                if let Some(inbound) = self.take() {
                    return inbound;
                }
                changed.await;
            }
        };
        tokio::time::timeout(SOON, heard).await.expect("nobody was heard")
    }

    fn take(&self) -> Option<IncomingEvent> {
        let mut heard = self.heard.lock().unwrap();
        (!heard.is_empty()).then(|| heard.remove(0))
    }

    pub(crate) fn heard_so_far(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    pub(crate) fn tell_next(&self, receipt: Ack) {
        self.receipts.lock().unwrap().push_back(receipt);
    }
}

#[async_trait]
impl Intake for RecordingIntake {
    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        self.door.acquire().await.unwrap().forget();
        self.door.add_permits(1);
        let is_new = self.known.lock().unwrap().insert(inbound.key.clone());
        if is_new {
            self.heard.lock().unwrap().push(inbound);
            self.changed.notify_waiters();
        }
        let told = self.receipts.lock().unwrap().pop_front();
        told.unwrap_or(if is_new { Ack::Accepted } else { Ack::Duplicate })
    }

    async fn suggest(&self, _: &Actor, _: &Place, typed: &str) -> Vec<String> {
        self.door.acquire().await.unwrap().forget();
        self.door.add_permits(1);
        self.names.lock().unwrap().iter().filter(|name| name.contains(typed)).cloned().collect()
    }

    async fn secrets_in(&self, _: &Actor, _: &Place, text: &str) -> Vec<String> {
        self.texts.lock().unwrap().push(text.to_owned());
        self.pointed_at.lock().unwrap().clone()
    }

    async fn places(&self, _: &Actor, _: &Place, _: &str) -> Vec<(Option<String>, Region)> {
        self.places.lock().unwrap().clone()
    }

    async fn recent(&self, _: &Actor, _: ThreadFilter, _: usize) -> Vec<Summary> {
        Vec::new()
    }
}

pub(crate) struct Bot {
    pub(crate) fake: FakeDiscord,
    pub(crate) discord: Arc<Discord>,
    pub(crate) intake: Arc<RecordingIntake>,
    pub(crate) stop: CancellationToken,
}

impl Bot {
    pub(crate) async fn new(mode: DiscordMode) -> Bot {
        Bot::with(mode, Pauses::default()).await
    }

    /// Whose pauses pass as `pauses` has them.
    pub(crate) async fn with(mode: DiscordMode, pauses: Pauses) -> Bot {
        let fake = FakeDiscord::start().await;
        let (config, token) = (fake.config(mode), Token::new(TOKEN));
        let discord = Discord::with_waits(&config, token, Clock::system(), Duration::from_secs(10), pauses).unwrap();
        Bot { fake, discord, intake: Arc::default(), stop: CancellationToken::new() }
    }

    /// Starts it, and waits until it is connected and has registered its command.
    pub(crate) async fn connected() -> (Bot, JoinHandle<Result<(), GatewayError>>) {
        let bot = Bot::new(DiscordMode::Gateway).await;
        let task = bot.run();
        bot.expect_start().await;
        (bot, task)
    }

    pub(crate) fn run(&self) -> JoinHandle<Result<(), GatewayError>> {
        let intake: Arc<dyn Intake> = Arc::clone(&self.intake) as Arc<dyn Intake>;
        tokio::spawn(Arc::clone(&self.discord).run(intake, self.stop.clone()))
    }

    /// The two things that happen first, in any order.
    pub(crate) async fn expect_start(&self) {
        let first = [self.fake.next().await, self.fake.next().await];
        assert!(first.contains(&Event::Identified), "{first:?}");
        assert!(first.iter().any(|event| matches!(event, Event::Registered { .. })), "{first:?}");
    }

    pub(crate) fn tell(&self, name: &str, body: serde_json::Value) {
        self.fake.with(|world| world.dispatch(name, body));
    }

    pub(crate) async fn answer(&self) -> serde_json::Value {
        match self.fake.next().await {
            Event::Answered { body, .. } => body,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn line(text: &str) -> Message {
    Message::line(Tone::Neutral, SafeText::redact(text))
}
