//! Messages that Discord took and whose answers were lost: found again, never posted twice, and with nothing in them that nobody
//! sees. The fake refuses any message with an unseen character.

use crate::bot::{Bot, line};
use crate::delivery::{another, posted};
use crate::fake_discord::{CHANNEL, Event, Fault, GUILD, Lacking, text};
use crate::samples::{choice, everywhere, in_channel, in_thread};
use jiff::{SignedDuration, Timestamp};
use rotation_diag::bot::{Delivery, DeliveryPolicy, Health};
use rotation_diag::chat::document::{Control, Tone};
use rotation_diag::chat::{ChatPlatform, Destination, LostPost, Message, SendError};
use rotation_diag::clock::Clock;
use rotation_diag::model::{Action, Place, PlatformName, ThreadId};
use rotation_diag::platforms::discord::{Discord, DiscordMode};
use rotation_diag::store::{DesiredMessage, NewThread, Store};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Loses the answer to a message.
async fn lose(bot: &Bot, to: &Destination, message: &Message, key: &str) -> (u64, u64, serde_json::Value) {
    bot.fake.with(|world| world.fault("POST", "/messages", Fault::LoseAnswer));
    let error = bot.discord.post(to, message, key).await.unwrap_err();
    assert!(matches!(error, SendError::Uncertain { .. }), "{error:?}");
    posted(bot).await
}

/// Looks for a message that was posted so many minutes ago.
async fn find(discord: &Discord, to: &Destination, message: &Message, key: &str, minutes: i64) -> Option<String> {
    let since = Timestamp::now() - SignedDuration::from_mins(minutes);
    discord.find(to, &LostPost { key, message, since, others: &[] }).await.unwrap()
}

/// With a button of its own.
fn with_button(text: &str) -> Message {
    Message { controls: vec![Control::Button(choice("Rerun", Action::RerunAll))], ..line(text) }
}

#[tokio::test]
async fn for_the_first_minutes_discord_itself_knows_the_message_again() {
    let bot = Bot::new(DiscordMode::Http).await;
    for (key, message) in [("plain", line("looking")), ("rich", everywhere("looking"))] {
        let (_, id, body) = lose(&bot, &in_channel(), &message, key).await;
        assert_eq!((body["enforce_nonce"].as_bool(), body["nonce"].as_str().map(str::len)), (Some(true), Some(25)));
        // Somebody else's investigation says the same, and is not taken for it.
        let other = another(&bot);
        assert_eq!(find(&other, &in_channel(), &message, key, 1).await, None);
        assert_eq!(other.post(&in_channel(), &message, key).await.unwrap(), id.to_string());
        assert!(matches!(bot.fake.next().await, Event::ThreadOpened { id: thread, .. } if thread == id));
    }
    assert_eq!(bot.fake.with(|world| world.channels[&CHANNEL].messages.len()), 2);
    assert_eq!(bot.fake.with(|world| world.asked("GET", "/messages")), 0, "nothing is looked for that need not be");
    bot.fake.finish();
}

#[tokio::test]
async fn minutes_later_it_is_known_by_its_controls_or_by_all_it_says() {
    for mode in [DiscordMode::Http, DiscordMode::Gateway] {
        let bot = Bot::new(mode).await;
        bot.fake.with(|world| world.forgets_nonces = true);
        for (key, message) in
            [("plain", line("**looking**")), ("rich", everywhere("**looking**")), ("button", with_button("**looking**"))]
        {
            let (_, id, _) = lose(&bot, &in_channel(), &message, key).await;
            // Meanwhile others talk, somebody copies the text, and the process starts anew.
            bot.fake.with(|world| {
                let copied = text(&world.channels[&CHANNEL].messages[&id]);
                (0..160).for_each(|_| world.say(CHANNEL, &copied));
            });
            let other = another(&bot);
            assert_eq!(find(&other, &in_channel(), &line("another"), "another", 5).await, None);
            assert_eq!(find(&other, &in_channel(), &message, key, 5).await, Some(id.to_string()));
            let Event::ThreadOpened { name, id: thread, .. } = bot.fake.next().await else { panic!() };
            assert_eq!((name.contains("**looking**"), thread), (true, id), "{name}");

            // The same for a reply.
            let (channel, reply, _) = lose(&bot, &in_thread(&id.to_string()), &message, &format!("reply to {key}")).await;
            assert_eq!(channel, id);
            let found = find(&another(&bot), &in_thread(&id.to_string()), &message, "reply", 5).await;
            assert_eq!(found, Some(reply.to_string()));
            bot.fake.with(|world| {
                world.channels.get_mut(&CHANNEL).unwrap().messages.clear();
            });
        }
        bot.fake.finish();
    }
}

#[tokio::test]
async fn what_is_known_to_be_another_or_came_before_is_not_taken_for_it() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.forgets_nonces = true);
    let message = line("looking");
    let first = bot.discord.post(&in_channel(), &message, "first").await.unwrap();
    posted(&bot).await;
    bot.fake.next().await;
    let lost = |since, others| LostPost { key: "second", message: &message, since, others };
    let long_ago = Timestamp::now() - SignedDuration::from_mins(5);
    let known = [first.clone()];
    assert_eq!(bot.discord.find(&in_channel(), &lost(long_ago, &known)).await.unwrap(), None);
    let (_, second, _) = lose(&bot, &in_channel(), &message, "second").await;
    assert_eq!(bot.discord.find(&in_channel(), &lost(long_ago, &known)).await.unwrap(), Some(second.to_string()));
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    // Minutes after the message was there.
    let config = bot.fake.config(DiscordMode::Http);
    let later = Clock::starting_at(Timestamp::now() + SignedDuration::from_mins(10));
    let discord = Discord::new(&config, rotation_diag::config::Token::new(crate::fake_discord::TOKEN), later).unwrap();
    let since = Timestamp::now() + SignedDuration::from_mins(5);
    assert_eq!(discord.find(&in_channel(), &lost(since, &[])).await.unwrap(), None);
    bot.fake.finish();
}

#[tokio::test]
async fn the_gateway_tells_of_a_message_whose_answer_was_lost() {
    let (bot, _task) = Bot::connected().await;
    let message = line("looking");
    let (_, id, body) = lose(&bot, &in_channel(), &message, "root").await;
    bot.fake.with(|world| world.lack(CHANNEL, &[Lacking::History]));
    assert_eq!(find(&another(&bot), &in_channel(), &message, "root", 5).await, None);
    let told = json!({
        "id": id.to_string(), "channel_id": CHANNEL.to_string(), "nonce": body["nonce"], "content": "looking",
        "author": {"id": crate::fake_discord::BOT.to_string(), "bot": true},
    });
    bot.tell("MESSAGE_CREATE", told);
    // An interaction after it is answered after it.
    let click = bot.fake.with(|world| world.click("x"));
    bot.tell("INTERACTION_CREATE", click);
    bot.answer().await;
    assert_eq!(find(&bot.discord, &in_channel(), &message, "root", 0).await, Some(id.to_string()));
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    bot.fake.finish();
}

/// One life of the process, by its clock: what the store states goes out until `until` is met.
async fn live(bot: &Bot, path: &Path, clock: Clock, state: &[DesiredMessage], until: impl Fn(&Event) -> bool) {
    let store = Arc::new(Store::open(path, clock).await.unwrap());
    store.upsert_messages(state).await.unwrap();
    // Long enough that nothing is tried a second time in the same life.
    let policy = DeliveryPolicy { first_wait: Duration::from_secs(600), ..DeliveryPolicy::default() };
    let stop = CancellationToken::new();
    let platforms: Vec<Arc<dyn ChatPlatform>> = vec![another(bot)];
    let delivery = tokio::spawn(Delivery::new(Arc::clone(&store), Health::default(), policy).run(platforms, stop.clone()));
    while !until(&bot.fake.next().await) {}
    stop.cancel();
    delivery.await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_restart_minutes_later_finds_what_was_posted_though_it_says_something_else_by_now() {
    for looking in [line("looking into prod/x"), everywhere("looking"), with_button("looking")] {
        let bot = Bot::new(DiscordMode::Http).await;
        bot.fake.with(|world| {
            world.forgets_nonces = true;
            world.fault("POST", "/messages", Fault::LoseAnswer);
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let id: ThreadId = "t1".parse().unwrap();
        let place = Place {
            platform: PlatformName::new("discord"),
            workspace: GUILD.to_string(),
            channel: CHANNEL.to_string(),
            thread: None,
        };
        let before = Clock::starting_at(Timestamp::now() - SignedDuration::from_mins(30));
        let looking = Message { tone: Tone::Working, ..looking };
        {
            let store = Store::open(&path, before).await.unwrap();
            let root = DesiredMessage::root(&id, looking.clone(), "a test").as_progress();
            store.open_thread(&NewThread { id: id.clone(), place }, &[root]).await.unwrap();
            store.close().await;
        }
        live(&bot, &path, before, &[], |event| matches!(event, Event::Posted { .. })).await;
        let verdict = DesiredMessage::root(&id, line("the verdict"), "a test");
        live(&bot, &path, Clock::system(), &[verdict], |event| match event {
            Event::Edited { body, .. } => text(body) == "the verdict",
            other => {
                assert!(!matches!(other, Event::Posted { .. }), "posted twice: {other:?}");
                false
            }
        })
        .await;
        assert_eq!(bot.fake.with(|world| world.channels[&CHANNEL].messages.len()), 1);
        bot.fake.finish();
    }
}
