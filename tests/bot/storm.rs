//! Many commands at once: how soon each of their threads begins, and when all of it is told, where the platform counts as it does.

use crate::world::{Fake, Simulated, World, actor, answer_text, place, said};
use crate::worlds::investigated;
use async_trait::async_trait;
use rotation_diag::bot::{Delivery, DeliveryPolicy, Health};
use rotation_diag::chat::compose;
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{ChatPlatform, Destination, Intake as _, Limits, LostPost, Message, Payload, Screen, SendError};
use rotation_diag::clock::{Clock, Pauses, this_instant};
use rotation_diag::model::{Actor, Place, PlatformName, ReplyTo, Standing, ThreadId};
use rotation_diag::redact::SafeText;
use rotation_diag::report::Report;
use rotation_diag::store::{DesiredMessage, NewThread, Store};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const COMMANDS: usize = 60;
const CHANNELS: usize = 12;

/// A command: its channel, and how many messages follow its verdict.
#[derive(Clone, Copy)]
struct Asked {
    channel: usize,
    replies: usize,
}

/// What a platform takes of new messages: so many within a time, in each channel.
#[derive(Clone, Copy)]
struct Counts {
    messages: usize,
    within: Duration,
}

/// A platform that lets a message wait until its channel may have it, and notes when the first and the last word of each thread
/// was there.
struct Counting {
    name: PlatformName,
    counts: Counts,
    posts: Mutex<HashMap<String, Vec<Instant>>>,
    begun: Mutex<BTreeMap<String, Instant>>,
    ended: Mutex<BTreeMap<String, Instant>>,
    told: Mutex<Vec<Instant>>,
}

/// What a storm came to, each moment by the time after the commands, in order.
struct Told {
    /// First signs.
    begun: Vec<Duration>,
    /// Verdicts.
    ended: Vec<Duration>,
    /// When nothing was left to tell.
    last: Duration,
}

impl Counting {
    fn turn(&self, channel: &str) -> Instant {
        let mut posts = self.posts.lock().unwrap();
        let times = posts.entry(channel.to_owned()).or_default();
        let now = this_instant();
        let at = times.len().checked_sub(self.counts.messages).map_or(now, |nth| now.max(times[nth] + self.counts.within));
        times.push(at);
        at
    }

    fn note(&self, message: &Message) {
        let title = message.title.as_str();
        let (moments, name) = match title.split_once(' ') {
            Some(("looking", name)) => (&self.begun, name),
            Some(("verdict", name)) => (&self.ended, name),
            _ => return,
        };
        moments.lock().unwrap().entry(name.to_owned()).or_insert_with(this_instant);
        // A thread may begin with its verdict.
        self.begun.lock().unwrap().entry(name.to_owned()).or_insert_with(this_instant);
    }
}

#[async_trait]
impl ChatPlatform for Counting {
    fn name(&self) -> PlatformName {
        self.name
    }

    /// Those of the platform it stands for.
    fn limits(&self) -> Limits {
        rotation_diag::app::PLATFORMS.iter().find(|kind| kind.name() == self.name).unwrap().limits()
    }

    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let channel = match to {
            Destination::Channel(place) => &place.channel,
            Destination::Thread(thread) | Destination::Held(thread) => &thread.channel,
        };
        let at = self.turn(channel);
        Pauses::default().until(at).await;
        self.note(message);
        self.told.lock().unwrap().push(this_instant());
        Ok(key.to_owned())
    }

    async fn edit(&self, _: &Destination, _: &str, message: &Message) -> Result<(), SendError> {
        self.note(message);
        Ok(())
    }

    async fn find(&self, _: &Destination, _: &LostPost<'_>) -> Result<Option<String>, SendError> {
        Ok(None)
    }

    async fn send_ephemeral(&self, _: &ReplyTo, _: &Message) -> Result<(), SendError> {
        Ok(())
    }
}

fn line(tone: Tone, text: &str) -> Message {
    Message::line(tone, SafeText::redact(text))
}

async fn storm(platform: PlatformName, counts: Counts, asked: &[Asked]) -> Told {
    // tokio moves a paused clock when nothing is left to do, which is never so while a blocking task runs: here it moves by hand.
    let (held, let_go) = mpsc::channel::<()>();
    drop(tokio::task::spawn_blocking(move || let_go.recv()));
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&folder.path().join("store.db"), Clock::system()).await.unwrap());
    let (posts, begun, ended) = (Mutex::default(), Mutex::default(), Mutex::default());
    let one = Arc::new(Counting { name: platform, counts, posts, begun, ended, told: Mutex::default() });
    let stop = CancellationToken::new();
    let platforms: Vec<Arc<dyn ChatPlatform>> = vec![Arc::clone(&one) as Arc<dyn ChatPlatform>];
    let delivery = Delivery::new(Arc::clone(&store), Health::default(), DeliveryPolicy::default());
    let delivery = tokio::spawn(delivery.run(platforms, stop.clone()));
    let started = this_instant();
    let ids: Vec<ThreadId> = (0..asked.len()).map(|number| format!("t{number}").parse().unwrap()).collect();
    for (asked, id) in asked.iter().zip(&ids) {
        let channel = format!("C{}", asked.channel);
        let place = Place { platform, workspace: "T1".to_owned(), channel, thread: None };
        let looking = DesiredMessage::root(id, line(Tone::Working, &format!("looking {id}")), "a test").as_progress();
        store.open_thread(&NewThread { id: id.clone(), place }, &[looking]).await.unwrap();
    }
    // Investigations end while the storm is still told of.
    for tenth in 0..1_200 {
        let ended = ids.iter().enumerate().filter(|(number, _)| 10 + number / 4 == tenth);
        let mut news = Vec::new();
        for (number, id) in ended {
            news.push(DesiredMessage::root(id, line(Tone::Bad, &format!("verdict {id}")), "a test"));
            let reply = |at| DesiredMessage::reply(id, format!("details-{at}"), line(Tone::Neutral, "details"), "a test");
            news.extend((0..asked[number].replies).map(reply));
        }
        store.upsert_messages(&news).await.unwrap();
        // What can be done at this moment is done: each question to the store is answered after those before it.
        for _ in 0..40 {
            store.pending_messages().await.unwrap();
        }
        if tenth > asked.len() && store.pending_messages().await.unwrap() == 0 {
            break;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    stop.cancel();
    drop(held);
    delivery.await.unwrap();
    let after = |moments: &Mutex<BTreeMap<String, Instant>>| {
        let mut all: Vec<Duration> = moments.lock().unwrap().values().map(|at| *at - started).collect();
        all.sort_unstable();
        all
    };
    let last = one.told.lock().unwrap().iter().max().map_or(Duration::ZERO, |at| *at - started);
    Told { begun: after(&one.begun), ended: after(&one.ended), last }
}

/// Source: Slack, "Rate limits": one message a second to a channel.
const SLACK: Counts = Counts { messages: 1, within: Duration::from_secs(1) };

#[tokio::test(start_paused = true)]
async fn in_a_storm_half_of_the_threads_begin_within_two_seconds() {
    for (platform, counts) in [
        ("slack", SLACK),
        // Source: Discord, `X-RateLimit-Limit` of "Create Message": five within five seconds to a channel.
        ("discord", Counts { messages: 5, within: Duration::from_secs(5) }),
    ] {
        let asked: Vec<Asked> = (0..COMMANDS).map(|number| Asked { channel: number % CHANNELS, replies: 1 }).collect();
        let Told { begun, ended, .. } = storm(PlatformName::new(platform), counts, &asked).await;
        assert_eq!((begun.len(), ended.len()), (COMMANDS, COMMANDS), "{platform}");
        let (median, last) = (begun[COMMANDS / 2], begun[COMMANDS - 1]);
        assert!(median <= Duration::from_millis(2_100), "{platform}: {median:?}");
        assert!(last <= Duration::from_secs(6), "{platform}: {last:?}");
    }
}

/// How many messages follow the verdict of a scenario in its thread.
async fn replies(name: &str) -> usize {
    let investigation = investigated(name).await;
    let told = compose::in_thread(&Report::new(&investigation), Screen::NARROWEST)
        .into_iter()
        .filter_map(|thought| thought.message)
        .count();
    told + usize::from(compose::chart(&investigation).is_some())
}

#[tokio::test]
async fn a_plain_thread_has_five_messages() {
    for name in SCENARIOS {
        let replies = replies(name).await;
        assert!(replies <= 5, "{name}: {replies} beneath the verdict");
    }
}

/// Different troubles, among them those about which there is most to say.
const SCENARIOS: [&str; 8] = [
    "role_detached_policy",
    "new_code_raises",
    "managed_by_rds",
    "healthy",
    "database_group_lets_nobody_in",
    "bot_may_see_nothing",
    "healthy_by_its_own_retry",
    "no_such_secret",
];

#[tokio::test(start_paused = true)]
async fn eight_threads_in_one_channel_are_told_within_three_quarters_of_a_minute() {
    // At most what a plain thread has.
    let asked = [Asked { channel: 1, replies: 4 }; 8];
    let Told { begun, ended, last } = storm(PlatformName::new("slack"), SLACK, &asked).await;
    assert_eq!((begun.len(), ended.len()), (8, 8));
    assert!(last <= Duration::from_secs(45), "{last:?}");
}

/// One investigation runs at once, and none comes to its end.
const ONE_AT_ONCE: &str = r#"
[work]
concurrency = 1

[deadlines]
step_seconds = 300
total_seconds = 900

[[allow]]
platform = "slack"
workspace = "T1"
channels = ["*"]
users = ["*"]
"#;
const ENDLESS: &str = "[[fault]]\noperation = \"LookupEvents\"\nlatency_ms = 600000\n";

#[tokio::test]
async fn every_command_of_a_storm_has_its_first_sign_while_the_first_one_is_looked_into() {
    let mut world = World::new(ONE_AT_ONCE, Simulated::new(&[("prod", "role_detached_policy", ENDLESS)])).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    for number in 0..COMMANDS {
        let user = format!("U{number}");
        // Every other one has to be looked up first, which takes a trigger of its own.
        let standing = if number % 2 == 0 { Standing::Member } else { Standing::Pending };
        slack.with(|state| state.people.insert(user.clone(), Standing::Member));
        let (by, at) = (Actor { standing, ..actor(&user) }, Place { channel: format!("C{}", number % CHANNELS), ..place(None) });
        let said = said(&format!("k{number}"), &by, at, Payload::Words("prod/orders-db".to_owned()));
        assert_eq!(answer_text(&world.bot.intake.accept(said).await), "accepted", "{number}");
    }
    let begun = |shown: &&crate::world::Shown| shown.root.is_none() && shown.title().contains("prod/orders-db");
    slack.until("a sign of each", |state| state.shown.iter().filter(begun).count() == COMMANDS).await;
    assert!(world.accounts.calls_of("GetFunctionConcurrency") <= 1, "only one runs");
    world.kill().await;
}
