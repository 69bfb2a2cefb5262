//! The commands as Discord offers them, and what of the bot's texts can be clicked.

use crate::bot::{Bot, line};
use crate::delivery::posted;
use crate::fake_discord::{BOT, CHANNEL, Event, GUILD, OWN_ROLE, USER, text, texts};
use crate::samples::{everywhere, in_channel, in_thread, safe};
use rotation_diag::chat::compose;
use rotation_diag::chat::{Ack, ChatPlatform as _, Manner, Message, Payload};
use rotation_diag::clock::Clock;
use rotation_diag::config::Token;
use rotation_diag::platforms::discord::{Discord, DiscordMode};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is offered while the option `focused` of a command is typed.
async fn offered(bot: &Bot, command: &str, options: &[(&str, &str)], focused: &str) -> Vec<String> {
    let question = bot.fake.with(|world| {
        let mut question = world.command_named(command, options);
        question["type"] = json!(4);
        for option in question["data"]["options"].as_array_mut().unwrap() {
            option["focused"] = json!(option["name"] == focused);
        }
        question
    });
    bot.tell("INTERACTION_CREATE", question);
    let answer = bot.answer().await;
    assert_eq!(answer["type"], 8);
    answer["data"]["choices"].as_array().unwrap().iter().map(|choice| choice["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn accounts_regions_and_words_are_completed_too() {
    let (bot, _task) = Bot::connected().await;
    *bot.intake.places.lock().unwrap() = vec![
        (Some("prod".to_owned()), "eu-west-1".parse().unwrap()),
        (Some("prod".to_owned()), "us-east-1".parse().unwrap()),
        (Some("test".to_owned()), "eu-west-1".parse().unwrap()),
    ];
    let secret = ("secret", "prod/orders-db");
    assert_eq!(offered(&bot, "rotation-diag", &[secret, ("account", "")], "account").await, ["prod", "test"]);
    assert_eq!(offered(&bot, "rotation-diag", &[secret, ("region", "us")], "region").await, ["us-east-1"]);
    let given = [secret, ("account", "test"), ("region", "")];
    assert_eq!(offered(&bot, "rotation-diag", &given, "region").await, ["eu-west-1"]);
    assert_eq!(offered(&bot, "diag", &[("words", "widen")], "words").await, ["widen 7d", "widen 30d", "widen 90d"]);
    // Nobody of elsewhere learns the names of accounts.
    let elsewhere = bot.fake.with(|world| {
        let options = json!([{"name": "account", "type": 3, "value": "", "focused": true}]);
        world.interaction(4, json!({"id": "1", "name": "rotation-diag", "type": 1, "options": options}), json!({"guild_id": "9"}))
    });
    bot.tell("INTERACTION_CREATE", elsewhere);
    assert_eq!(bot.answer().await["data"]["choices"], json!([]));
    bot.fake.finish();
}

#[tokio::test]
async fn what_is_typed_after_either_command_is_understood() {
    let (bot, _task) = Bot::connected().await;
    for (name, option, typed, words) in [
        ("rotation-diag", "secret", "prod/orders-db", "secret:prod/orders-db"),
        ("rotation-diag", "secret", "prod/orders-db window:7d", "secret:prod/orders-db window:7d"),
        ("rotation-diag", "secret", "rerun 4", "rerun 4"),
        ("diag", "words", "rerun 4", "rerun 4"),
        ("diag", "words", "prod/orders-db", "prod/orders-db"),
        // Somebody's client still offers what was registered before.
        ("rotation-diag", "words", "rerun 4", "rerun 4"),
    ] {
        let command = bot.fake.with(|world| world.command_named(name, &[(option, typed)]));
        bot.tell("INTERACTION_CREATE", command);
        assert_eq!(bot.answer().await["type"], 5);
        assert_eq!(bot.intake.heard().await.said, Payload::Words(words.to_owned()));
    }
    bot.fake.finish();
}

#[tokio::test]
async fn any_message_can_be_pointed_at_and_is_read_with_what_is_embedded() {
    let (bot, _task) = Bot::connected().await;
    let message = json!({
        "id": "1090000000000000001", "content": "ALARM: \"rotation failed\"", "author": {"id": "9", "bot": true},
        "embeds": [{"title": "CloudWatch", "fields": [{"name": "Secret", "value": "prod/orders\\_db"}]}],
    });
    let point = async || {
        let command = bot.fake.with(|world| world.pointed_at(&message));
        bot.tell("INTERACTION_CREATE", command);
        bot.answer().await
    };
    *bot.intake.pointed_at.lock().unwrap() = vec!["prod/orders_db".to_owned()];
    assert_eq!(point().await["type"], 5);
    assert_eq!(bot.intake.heard().await.said, Payload::Words("secret:prod/orders_db".to_owned()));
    let said = "ALARM: \"rotation failed\"\nCloudWatch\nSecret: prod/orders_db";
    assert_eq!(bot.intake.texts.lock().unwrap().as_slice(), [said]);
    *bot.intake.pointed_at.lock().unwrap() = vec!["prod/orders-db".to_owned(), "prod/billing".to_owned()];
    let several = point().await;
    // Commands alone are text, which a phone copies at once.
    let offered = several["data"]["content"].as_str().unwrap();
    assert!(offered.contains("which one do you mean"), "{several}");
    assert!(offered.contains("> prod/orders\\-db\n") || offered.contains("> prod/orders-db\n"), "{offered}");
    assert!(offered.ends_with("> prod/billing") && offered.contains("\n</rotation-diag:"), "{offered}");
    bot.intake.pointed_at.lock().unwrap().clear();
    let none = point().await;
    assert!(text(&none["data"]).contains("no secret's name or ARN in that message"), "{none}");
    assert_eq!((none["data"]["flags"].as_u64(), bot.intake.heard_so_far()), (Some(64 | 1 << 15), 0));
    bot.fake.finish();
}

#[tokio::test]
async fn commands_can_be_clicked_once_discord_told_their_ids() {
    let (bot, _task) = Bot::connected().await;
    let id = |name: &str| {
        bot.fake.with(|world| {
            let all = world.commands[&Some(GUILD)].as_array().unwrap().clone();
            all.iter().find(|command| command["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
        })
    };
    let (ask, go_on) = (id("rotation-diag"), id("diag"));
    bot.intake.tell_next(Ack::Answer(Box::new(compose::help(Manner::Options))));
    let command = bot.fake.with(|world| world.command_named("diag", &[("words", "help")]));
    bot.tell("INTERACTION_CREATE", command);
    let answer = bot.answer().await;
    let text = texts(&answer["data"]).remove(1);
    assert!(text.starts_with(&format!("</rotation-diag:{ask}> prod/orders-db\n")), "{text}");
    assert!(text.contains(&format!("such as </diag:{go_on}> rerun 4")), "{text}");
    assert!(!text.contains(" /rotation-diag") && !text.contains(" /diag"), "{text}");
    // A process that does not know them yet shows them as text.
    let other = crate::delivery::another(&bot);
    other.post(&in_channel(), &line("ask again with /rotation-diag"), "1").await.unwrap();
    assert_eq!(posted(&bot).await.2["content"], "ask again with /rotation-diag");
    bot.fake.next().await;
    bot.fake.finish();
}

#[tokio::test]
async fn commands_of_an_earlier_configuration_are_not_offered_beside() {
    for everywhere in [false, true] {
        let bot = Bot::new(DiscordMode::Http).await;
        bot.fake.with(|world| {
            let old = json!([{"id": "7", "name": "rotation-diag"}]);
            world.commands.insert(if everywhere { Some(GUILD) } else { None }, old);
        });
        let mut config = bot.fake.config(DiscordMode::Http);
        if everywhere {
            config.guilds.clear();
        }
        let discord = Discord::new(&config, Token::new(crate::fake_discord::TOKEN), Clock::system()).unwrap();
        let (intake, stop) = (Arc::clone(&bot.intake), CancellationToken::new());
        tokio::spawn(discord.run(intake, stop.clone()));
        let (here, there) = if everywhere { (None, Some(GUILD)) } else { (Some(GUILD), None) };
        let Event::Registered { guild, body } = bot.fake.next().await else { panic!() };
        assert_eq!((guild, body.as_array().unwrap().len()), (here, 3));
        assert_eq!(bot.fake.next().await, Event::Registered { guild: there, body: json!([]) });
        stop.cancel();
        bot.fake.finish();
    }
}

#[tokio::test]
async fn a_person_is_read_by_name_and_called_by_nobody() {
    let bot = Bot::new(DiscordMode::Http).await;
    let note = Message { people: vec![USER.to_string()], ..line(&format!("{USER} reran step 4")) };
    bot.discord.post(&in_thread(&CHANNEL.to_string()), &note, "1").await.unwrap();
    let (_, _, body) = posted(&bot).await;
    assert_eq!(
        (body["content"].as_str(), &body["allowed_mentions"]["parse"]),
        (Some(&*format!("<@{USER}> reran step 4")), &json!([]))
    );
    // A number of somebody else is a number.
    bot.discord.post(&in_thread(&CHANNEL.to_string()), &line(&format!("{USER} ns")), "2").await.unwrap();
    assert_eq!(posted(&bot).await.2["content"], format!("{USER} ns"));
    bot.fake.finish();
}

#[tokio::test]
async fn whoever_mentions_the_role_is_told_to_mention_the_bot() {
    let (bot, _task) = Bot::connected().await;
    let mention_of = |role: u64| {
        bot.fake.with(|world| {
            let mut message: Value = world.mention(CHANNEL, "");
            message["content"] = json!("");
            message["mentions"] = json!([]);
            message["mention_roles"] = json!([role.to_string()]);
            message
        })
    };
    for _ in 0..2 {
        let ours = mention_of(OWN_ROLE);
        bot.tell("MESSAGE_CREATE", ours.clone());
        let (channel, _, body) = posted(&bot).await;
        assert_eq!((channel, &body["message_reference"]["message_id"]), (CHANNEL, &ours["id"]));
        let hint = body["content"].as_str().unwrap();
        assert!(hint.contains(&format!("mention <@{BOT}> instead")) && hint.contains("</rotation-diag:"), "{hint}");
        bot.tell("MESSAGE_CREATE", mention_of(5));
    }
    assert_eq!(bot.fake.with(|world| world.asked("GET", "/roles")), 1, "looked up once");
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

/// A root whose thread is called after it.
async fn root(bot: &Bot) -> u64 {
    let looking = Message { tone: rotation_diag::chat::document::Tone::Working, ..line("looking") };
    let id = bot.discord.post(&in_channel(), &looking, "root").await.unwrap();
    posted(bot).await;
    bot.fake.next().await;
    id.parse().unwrap()
}

fn verdict(title: &str) -> Message {
    Message { title: safe(title), ..everywhere("text") }
}

#[tokio::test]
async fn a_thread_is_called_what_its_verdict_says_but_not_too_often() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    let edit = async |title: &str| {
        bot.discord.edit(&in_channel(), &root.to_string(), &verdict(title)).await.unwrap();
        assert!(matches!(bot.fake.next().await, Event::Edited { .. }));
    };
    for title in ["prod/x is not rotating", "prod/x rotates"] {
        edit(title).await;
        assert_eq!(bot.fake.next().await, Event::Renamed { thread: root, name: title.to_owned() });
    }
    edit("prod/x rotates").await;
    edit("a third verdict within ten minutes").await;
    assert_eq!(bot.fake.with(|world| world.channels[&root].name.clone()), "prod/x rotates");
    // Progress names nothing.
    let looking = Message { tone: rotation_diag::chat::document::Tone::Working, ..everywhere("looking again") };
    bot.discord.edit(&in_channel(), &root.to_string(), &looking).await.unwrap();
    bot.fake.next().await;
    bot.fake.finish();
}

#[tokio::test]
async fn a_name_that_people_gave_a_thread_stays() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    bot.fake.with(|world| world.channels.get_mut(&root).unwrap().name = "incident 7".to_owned());
    bot.discord.edit(&in_channel(), &root.to_string(), &verdict("prod/x is not rotating")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { .. }));
    assert_eq!(bot.fake.with(|world| world.channels[&root].name.clone()), "incident 7");
    bot.fake.finish();
}
