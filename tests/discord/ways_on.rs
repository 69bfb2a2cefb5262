//! Whatever Discord refuses, loses or delays: the verdict ends up somewhere, or whoever asked is told.

use crate::fake_discord::{CHANNEL, Channel, FakeDiscord, Fault, GUILD, TOKEN};
use async_trait::async_trait;
use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use rotation_diag::bot::{Delivery, DeliveryPolicy, Health};
use rotation_diag::chat::document::{Part, Tone};
use rotation_diag::chat::{ChatPlatform, Destination, Limits, LostPost, Manner, Message, SendError};
use rotation_diag::clock::{Clock, Pauses};
use rotation_diag::config::Token;
use rotation_diag::model::{Place, PlatformName, ReplyTo, ThreadId, ThreadRef};
use rotation_diag::platforms::discord::Discord;
use rotation_diag::platforms::discord::DiscordMode;
use rotation_diag::redact::SafeText;
use rotation_diag::store::{DesiredMessage, NewThread, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Every code that Discord documents, and some that it does not.
///
/// Source: Discord developer documentation, "JSON Error Codes", of August 2026. 40001 and 50014 come with status 401, which
/// stops everything for a minute: they have tests of their own.
const CODES: &str = "
    0 10001-10016 10020-10021 10026-10033 10036 10038 10049-10050 10057 10059-10063 10065-10071 10087 10097 10124 10129
    20001-20002 20009 20012 20015-20016 20018 20022 20024 20028-20029 20031 20035 20045 30001-30005 30007-30008 30010-30011
    30013 30015-30016 30018-30019 30030-30035 30037-30040 30042 30045-30048 30052 30056 30058 30060-30061 40002-40007 40009
    40012 40018-40019 40032-40033 40041 40043 40058 40060-40062 40066-40067 40074 40094 40333 50001-50013 50015-50017
    50019-50021 50024-50028 50033-50036 50039 50041 50045-50046 50054-50055 50057 50067-50068 50070 50073-50074 50080-50081
    50083-50086 50091 50095 50097 50101 50109-50110 50123-50124 50131-50132 50138 50144-50146 50151 50159-50163 50167 50173
    50178 50192 50278 50600 60003 80004 90001-90002 110000-110001 130000 150006 160002 160004-160007 160014 170001-170007
    180000 180002 200000-200001 220001-220004 240000 340015 350000-350001 400001 500000 520000-520004 520006 530000-530004
    530006-530007 999999";

/// Refusals that say "try again later".
const PASSING: [u64; 11] = [20_016, 20_028, 20_029, 40_004, 40_006, 40_062, 40_333, 110_000, 110_001, 130_000, 530_006];

/// Codes that mean something of their own here.
const ACTED_UPON: [u64; 24] = [
    0, 10_003, 10_004, 10_008, 10_062, 20_009, 20_016, 20_022, 20_031, 20_045, 30_033, 30_046, 40_058, 40_060, 40_094, 50_001,
    50_008, 50_013, 50_024, 50_035, 160_002, 160_005, 200_000, 200_001,
];

fn codes() -> Vec<u64> {
    let range = |word: &str| {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        first.parse::<u64>().unwrap()..=last.parse::<u64>().unwrap()
    };
    CODES.split_whitespace().flat_map(range).collect()
}

/// With the status it usually has.
fn refusal(code: u64) -> Fault {
    let status = match code {
        10_001..20_000 => 404,
        20_000..20_013 | 40_002..40_013 | 50_001 | 50_007..50_018 | 60_003 | 340_015 | 400_001 => 403,
        130_000 => 500,
        _ => 400,
    };
    Fault::code(status, code)
}

/// Requests that can go wrong, by method and path; `C` is the channel.
const REQUESTS: [(&str, &str); 8] = [
    ("POST", "/channels/C/messages"),
    ("POST", "/channels/C/*/threads"),
    ("POST", "/threads-of/C/messages"),
    ("PATCH", "/channels/C/messages/"),
    ("PATCH", "/token-C/messages/@original"),
    ("GET", "/channels/C/messages"),
    ("POST", "/token-C"),
    ("DELETE", "/channels/C/"),
];

/// Many connections to Discord, each with turns of its own: one alone would be slowed down for the sake of Discord's limits.
struct Many(BTreeMap<String, Arc<Discord>>);

impl Many {
    fn of(&self, channel: &str) -> &Arc<Discord> {
        &self.0[channel]
    }

    fn to(&self, to: &Destination) -> &Arc<Discord> {
        match to {
            Destination::Channel(place) => self.of(&place.channel),
            Destination::Thread(thread) | Destination::Held(thread) => self.of(&thread.channel),
        }
    }

    fn for_reply(&self, to: &ReplyTo) -> &Arc<Discord> {
        let reply: serde_json::Value = serde_json::from_str(&to.0).unwrap();
        self.of(reply["channel"].as_str().unwrap())
    }
}

#[async_trait]
impl ChatPlatform for Many {
    fn name(&self) -> PlatformName {
        PlatformName::new("discord")
    }

    fn limits(&self) -> Limits {
        Limits::usual("Discord", Manner::Options)
    }

    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        self.to(to).post(to, message, key).await
    }

    async fn edit(&self, to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        self.to(to).edit(to, id, message).await
    }

    async fn find(&self, to: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        self.to(to).find(to, lost).await
    }

    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        self.for_reply(to).send_ephemeral(to, message).await
    }

    async fn point_to(&self, to: &ReplyTo, thread: &ThreadRef) -> Result<(), SendError> {
        self.for_reply(to).point_to(to, thread).await
    }
}

fn policy() -> DeliveryPolicy {
    DeliveryPolicy {
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(40),
        between_edits: Duration::from_millis(1),
        at_once: 64,
        call: Duration::from_secs(30),
        locked_out: Duration::from_millis(50),
    }
}

/// Makes a fault ready in the world, for one channel.
type Prepare = Box<dyn Fn(&mut crate::fake_discord::World, &str)>;

/// What goes wrong in one conversation.
struct Trouble {
    name: String,
    /// What is said in the thread comes when Discord takes it again.
    passes: bool,
    prepare: Prepare,
}

fn trouble(name: String, prepare: impl Fn(&mut crate::fake_discord::World, &str) + 'static) -> Trouble {
    Trouble { name, passes: false, prepare: Box::new(prepare) }
}

fn at(path: &str, channel: &str) -> String {
    path.replace('C', channel)
}

fn message(tone: Tone, title: &str, text: &str) -> Message {
    let parts = vec![Part::Section { label: SafeText::redact("What happened"), lines: vec![SafeText::redact(text)] }];
    Message { parts, ..Message::line(tone, SafeText::redact(title)) }
}

/// Longer than anything takes, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(55);

/// As many as may begin at once: delivery spreads more over time.
const AT_ONCE: usize = 18;

/// Lets a conversation go through each trouble, and tells which did not end well.
async fn go_through(troubles: Vec<Trouble>) -> Vec<String> {
    let mut troubles = troubles.into_iter().peekable();
    let mut worlds = Vec::new();
    while troubles.peek().is_some() {
        worlds.push(go_through_in_one_world(troubles.by_ref().take(AT_ONCE).collect()));
    }
    stream::iter(worlds).buffer_unordered(4).collect::<Vec<_>>().await.concat()
}

async fn go_through_in_one_world(troubles: Vec<Trouble>) -> Vec<String> {
    let fake = FakeDiscord::start().await;
    let folder = tempfile::tempdir().unwrap();
    // What it posts was posted minutes ago, so that a message whose answer was lost is looked for.
    let before = Clock::starting_at(Timestamp::now() - SignedDuration::from_mins(10));
    let store = Arc::new(Store::open(&folder.path().join("store.db"), before).await.unwrap());
    let mut platforms = BTreeMap::new();
    let mut discord = None;
    let mut channels = Vec::new();
    for (number, trouble) in troubles.iter().enumerate() {
        if number % 3 == 0 {
            let config = fake.config(DiscordMode::Http);
            let call = Duration::from_millis(1_500);
            discord = Some(Discord::with_waits(&config, Token::new(TOKEN), Clock::system(), call, Pauses::default()).unwrap());
        }
        let channel = (CHANNEL + 1_000 + number as u64).to_string();
        platforms.insert(channel.clone(), Arc::clone(discord.as_ref().unwrap()));
        let interaction = fake.with(|world| {
            world.channels.insert(channel.parse().unwrap(), Channel::text());
            let id = world.command(&[])["id"].as_str().unwrap().to_owned();
            let said = world.said.get_mut(&id.parse().unwrap()).unwrap();
            said.token = format!("token-{channel}");
            said.answered = Some(5);
            (trouble.prepare)(world, &channel);
            id
        });
        channels.push((channel, interaction, trouble.passes));
    }
    let stop = CancellationToken::new();
    let platforms: Vec<Arc<dyn ChatPlatform>> = vec![Arc::new(Many(platforms))];
    let delivery = tokio::spawn(Delivery::new(Arc::clone(&store), Health::default(), policy()).run(platforms, stop.clone()));
    let ended =
        join_all(channels.iter().map(|(channel, interaction, passes)| converse(&fake, &store, channel, interaction, *passes)))
            .await;
    stop.cancel();
    delivery.await.unwrap();
    let wrong = fake.with(|world| std::mem::take(&mut world.violations));
    let silent = ended.into_iter().zip(&troubles).filter_map(|(end, trouble)| Some(format!("{}: {}", trouble.name, end.err()?)));
    silent.chain(wrong).collect()
}

/// A store on a machine that does much else may be slow.
async fn patiently<F: Future<Output = Result<(), StoreError>>>(store: impl Fn() -> F) {
    while store().await.is_err() {}
}

/// From a question to its verdict, as the bot states them.
async fn converse(fake: &FakeDiscord, store: &Store, channel: &str, interaction: &str, passes: bool) -> Result<(), String> {
    let reply_to = ReplyTo(
        serde_json::json!({
            "by": "interaction", "id": interaction, "token": format!("token-{channel}"), "is_command": true, "channel": channel,
        })
        .to_string(),
    );
    let place =
        Place { platform: PlatformName::new("discord"), workspace: GUILD.to_string(), channel: channel.to_owned(), thread: None };
    let id: ThreadId = format!("t{channel}").parse().unwrap();
    let thread = NewThread { id: id.clone(), place };
    let root = |tone, title: &str, text: &str| DesiredMessage::root(&id, message(tone, title, text), "a test");
    let looking = root(Tone::Working, "Looking into prod/x", "step 1").as_progress().asked_by(Some(reply_to));
    patiently(|| store.open_thread(&thread, std::slice::from_ref(&looking))).await;
    let number: u64 = channel.parse().unwrap();
    let asked: u64 = interaction.parse().unwrap();
    let begun = fake.wait_for(|world| {
        let is_there = !world.channels[&number].messages.is_empty();
        (is_there || world.told.contains_key(&asked)).then_some(())
    });
    tokio::time::timeout(PATIENCE, begun).await.map_err(|_| "nothing was ever said".to_owned())?;
    let progress = [root(Tone::Working, "Looking into prod/x", "step 2").as_progress()];
    patiently(|| store.upsert_messages(&progress)).await;
    tokio::task::yield_now().await;
    let verdict = root(Tone::Bad, "prod/x is not rotating", "THE-VERDICT");
    let details = DesiredMessage::reply(&id, "details", message(Tone::Neutral, "Details", "THE-DETAILS"), "a test");
    let news = [verdict, details];
    patiently(|| store.upsert_messages(&news)).await;
    let ended = fake.wait_for(|world| {
        let of_channel =
            |(id, one): (&u64, &Channel)| (*id == number || one.parent == Some(number)).then(|| one.messages.clone());
        let messages: Vec<String> =
            world.channels.iter().filter_map(of_channel).flat_map(|all| all.into_values().map(|one| one.to_string())).collect();
        let told = world.told.get(&asked).cloned().unwrap_or_default();
        let says = |all: &[String], what: &str| all.iter().any(|one| one.contains(what));
        let in_file = says(&messages, "in the file") || says(&told, "in the file");
        let is_told = says(&messages, "THE-VERDICT") || says(&told, "THE-VERDICT") || in_file;
        let is_left = says(&messages, "Looking into") && !is_told;
        let has_details = says(&messages, "THE-DETAILS") || in_file || !told.is_empty() || passes;
        ((is_told && has_details) || (!told.is_empty() && !is_left)).then_some(())
    });
    tokio::time::timeout(PATIENCE, ended).await.map_err(|_| {
        let seen =
            fake.with(|world| (format!("{:?}", world.channels[&number].messages), format!("{:?}", world.told.get(&asked))));
        format!("no verdict, and nobody was told: {} {}", seen.0, seen.1)
    })
}

#[tokio::test]
async fn every_code_at_every_request_ends_with_the_verdict_or_with_somebody_told() {
    for (method, path) in REQUESTS {
        for lasting in [false, true] {
            // Once or for ever, in turn; both, where the code is one that is acted upon.
            let is_meant = |(at, code): &(usize, u64)| ACTED_UPON.contains(code) || (at + path.len()) % 2 == usize::from(lasting);
            let all: Vec<Trouble> = (codes().into_iter().enumerate())
                .filter(is_meant)
                .map(|(_, code)| Trouble {
                    // Where the message is said to be gone for good, its replies go with it.
                    passes: lasting && (PASSING.contains(&code) || (code == 10_008 && path.ends_with("threads"))),
                    ..{
                        let name = format!("{method} {path} refused with {code}{}", if lasting { " for ever" } else { "" });
                        trouble(name, move |world, channel| {
                            let (path, fault) = (at(path, channel), refusal(code));
                            if method == "GET" {
                                world.fault("POST", at("/channels/C/messages", channel), Fault::LoseAnswer);
                            }
                            if path.starts_with("/token") && method == "POST" {
                                world.fault("POST", at("/channels/C/messages", channel), Fault::code(403, 50_001));
                            }
                            if method == "DELETE" {
                                world.fault_always("PATCH", at("/channels/C/messages/", channel), Fault::code(400, 999_998));
                            }
                            if lasting { world.fault_always(method, path, fault) } else { world.fault(method, path, fault) }
                        })
                    }
                })
                .collect();
            let silent = go_through(all).await;
            assert_eq!(silent, Vec::<String>::new(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_fault_at_every_request_ends_with_the_verdict_or_with_somebody_told() {
    let wait = |scope: &'static str| Fault::wait("0.2", scope);
    let faults = || {
        [
            ("500", Fault::status(500)),
            ("502", Fault::status(502)),
            ("503 in HTML", Fault::Refuse { status: 503, body: "<html>".into(), headers: vec![] }),
            ("success in HTML", Fault::Refuse { status: 200, body: "<html>".into(), headers: vec![] }),
            ("403 in HTML", Fault::Refuse { status: 403, body: "<html>".into(), headers: vec![] }),
            ("404", Fault::status(404)),
            ("a redirection", Fault::status(302)),
            ("429", wait("user")),
            ("429 for all", wait("global")),
            ("429 for others too", wait("shared")),
            ("a lost answer", Fault::LoseAnswer),
            ("a lost request", Fault::LoseRequest),
            ("no answer", Fault::Hang),
        ]
    };
    let mut all = Vec::new();
    for (method, path) in REQUESTS {
        for (what, fault) in faults() {
            for times in [1, 2, 3] {
                let fault = fault.clone();
                all.push(trouble(format!("{method} {path}: {what}, {times} times"), move |world, channel| {
                    if method == "GET" {
                        world.fault("POST", at("/channels/C/messages", channel), Fault::LoseAnswer);
                    }
                    for _ in 0..times {
                        world.fault(method, at(path, channel), fault.clone());
                    }
                }));
            }
        }
    }
    let silent = go_through(all).await;
    assert_eq!(silent, Vec::<String>::new());
}
