//! Commands, clicks, completion and mentions over the gateway.

use crate::bot::{Bot, line};
use crate::fake_discord::{BOT, CHANNEL, Event, Fault, GUILD, USER};
use rotation_diag::chat::{Ack, ChatPlatform as _, Payload};
use rotation_diag::model::{PlatformName, Standing, ThreadRef};
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_is_taken_in_with_who_and_where_and_deferred_for_that_person_alone() {
    let (bot, _task) = Bot::connected().await;
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db"), ("window", "7d"), ("account", "prod")]));
    bot.tell("INTERACTION_CREATE", command.clone());
    assert_eq!(bot.answer().await, json!({"type": 5, "data": {"flags": 64, "attachments": []}}));
    let inbound = bot.intake.heard().await;
    assert_eq!(inbound.key, command["id"].as_str().unwrap());
    assert_eq!(inbound.said, Payload::Words("secret:prod/orders-db account:prod window:7d".to_owned()));
    assert_eq!((inbound.place.platform, inbound.place.workspace.as_str()), (PlatformName::new("discord"), &*GUILD.to_string()));
    assert_eq!((inbound.place.channel, inbound.place.thread), (CHANNEL.to_string(), None));
    assert_eq!((inbound.actor.user, inbound.actor.standing), (USER.to_string(), Standing::Member));
    assert_eq!(inbound.actor.groups, Some(vec!["1080000000000000006".to_owned()]));

    let to = inbound.reply_to.unwrap();
    let thread = ThreadRef {
        platform: PlatformName::new("discord"),
        workspace: GUILD.to_string(),
        channel: CHANNEL.to_string(),
        root: "1090000000000000000".to_owned(),
    };
    bot.discord.point_to(&to, &thread).await.unwrap();
    let link = format!("It goes on in https://discord.com/channels/{GUILD}/1090000000000000000");
    let pointed = json!({"content": link, "allowed_mentions": {"parse": [], "users": [], "roles": []}});
    assert_eq!(bot.fake.next().await, Event::AnswerEdited { body: pointed });
    bot.discord.send_ephemeral(&to, &line("which one?")).await.unwrap();
    let Event::FollowedUp { body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!((body["content"].as_str(), body["flags"].as_u64()), (Some("which one?"), Some(64)));
    bot.fake.finish();
}

#[tokio::test]
async fn the_same_interaction_twice_is_heard_once_and_answered_twice() {
    let (bot, _task) = Bot::connected().await;
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    bot.tell("INTERACTION_CREATE", command.clone());
    assert_eq!(bot.answer().await["type"], 5);
    bot.tell("INTERACTION_CREATE", command);
    bot.fake.wait_for(|world| (world.asked("POST", "/callback") == 2).then_some(())).await;
    bot.intake.heard().await;
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn what_is_not_accepted_is_answered_at_once_and_alone() {
    for receipt in [Ack::Answer(Box::new(line("not you"))), Ack::Unavailable(Box::new(line("not you")))] {
        let (bot, _task) = Bot::connected().await;
        bot.intake.tell_next(receipt);
        let command = bot.fake.with(|world| world.command_named("diag", &[("words", "resolve")]));
        bot.tell("INTERACTION_CREATE", command);
        let answer = bot.answer().await;
        assert_eq!(
            (&answer["type"], &answer["data"]["content"], &answer["data"]["flags"]),
            (&json!(4), &json!("not you"), &json!(64))
        );
        bot.fake.finish();
    }
}

#[tokio::test]
async fn a_click_brings_its_token_and_leaves_the_message_alone() {
    let (bot, _task) = Bot::connected().await;
    let click = bot.fake.with(|world| world.click("1.0123456789abcdef0123456789abcdef.3.rerun"));
    bot.tell("INTERACTION_CREATE", click);
    assert_eq!(bot.answer().await, json!({"type": 6, "data": null}));
    let inbound = bot.intake.heard().await;
    assert_eq!(inbound.said, Payload::Click("1.0123456789abcdef0123456789abcdef.3.rerun".to_owned()));
    let data = json!({"custom_id": "menu.1", "component_type": 3, "values": ["1.0123456789abcdef0123456789abcdef.3.evidence-4"]});
    let choice = bot.fake.with(|world| world.interaction(3, data, json!({"message": {"id": "1"}})));
    bot.tell("INTERACTION_CREATE", choice);
    assert_eq!(bot.answer().await["type"], 6);
    let inbound = bot.intake.heard().await;
    assert_eq!(inbound.said, Payload::Click("1.0123456789abcdef0123456789abcdef.3.evidence-4".to_owned()));
    // A click has no deferred answer that could point anywhere.
    let thread =
        ThreadRef { platform: PlatformName::new("discord"), workspace: "1".into(), channel: "2".into(), root: "3".into() };
    bot.discord.point_to(&inbound.reply_to.unwrap(), &thread).await.unwrap();
    bot.fake.finish();
}

#[tokio::test]
async fn a_slow_reception_is_not_waited_for_and_its_answer_follows() {
    let (bot, _task) = Bot::connected().await;
    bot.intake.door.forget_permits(usize::MAX);
    bot.intake.tell_next(Ack::Answer(Box::new(line("late, but here"))));
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    bot.tell("INTERACTION_CREATE", command);
    assert_eq!(bot.answer().await["type"], 5);
    bot.intake.door.add_permits(8);
    let Event::FollowedUp { body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!(body["content"], "late, but here");
    bot.fake.finish();
}

#[tokio::test]
async fn names_are_completed_while_they_are_typed() {
    let (bot, _task) = Bot::connected().await;
    *bot.intake.names.lock().unwrap() =
        vec!["prod/orders-db".to_owned(), "prod/orders-api".to_owned(), "test/x".to_owned(), format!("prod/{}", "x".repeat(120))];
    let typed = |text: &str| json!({"id": "1", "name": "rotation-diag", "type": 1, "options": [{"name": "secret", "type": 3, "value": text, "focused": true}]});
    for (text, expected) in [("orders", vec!["prod/orders-db", "prod/orders-api"]), ("prod/x", vec![]), ("nothing", vec![])] {
        let question = bot.fake.with(|world| world.interaction(4, typed(text), json!({})));
        bot.tell("INTERACTION_CREATE", question);
        let answer = bot.answer().await;
        let names: Vec<&str> =
            answer["data"]["choices"].as_array().unwrap().iter().map(|c| c["value"].as_str().unwrap()).collect();
        assert_eq!((answer["type"].as_u64(), names), (Some(8), expected));
    }
    bot.intake.door.forget_permits(usize::MAX);
    let question = bot.fake.with(|world| world.interaction(4, typed("orders"), json!({})));
    bot.tell("INTERACTION_CREATE", question);
    assert_eq!(bot.answer().await, json!({"type": 8, "data": {"choices": []}}), "within three seconds, whatever happens");
    bot.fake.finish();
}

#[tokio::test]
async fn who_cannot_be_heard_is_told_why() {
    let (bot, _task) = Bot::connected().await;
    for (kind, changed, expected) in [
        (2, json!({"guild_id": null, "member": null, "user": {"id": "5", "username": "alice"}}), "servers only"),
        (3, json!({"guild_id": null, "member": null}), "servers only"),
        (2, json!({"member": null}), "did not say who you are"),
        (2, json!({"channel": null, "channel_id": null}), "did not say who you are"),
        (2, json!({"context": 1}), "servers only"),
        (2, json!({"context": 2}), "servers only"),
        (3, json!({"guild_id": "9", "authorizing_integration_owners": {"0": "9"}}), "do not work for this server"),
        (2, json!({"authorizing_integration_owners": {"1": "5"}}), "did not install me"),
        (3, json!({"authorizing_integration_owners": {"1": "5"}}), "did not install me"),
        (2, json!({"data": {"id": "1", "name": "another", "type": 1}}), "did not say"),
        (5, json!({}), "not something I offer"),
    ] {
        let said = bot.fake.with(|world| world.interaction(kind, json!({"name": "rotation-diag"}), changed.clone()));
        bot.tell("INTERACTION_CREATE", said);
        let answer = bot.answer().await;
        let content = answer["data"]["content"].as_str().unwrap();
        assert!(content.contains(expected) && answer["data"]["flags"] == 64, "{changed}: {content}");
    }
    bot.tell("INTERACTION_CREATE", json!({"id": "not an id"}));
    bot.tell("INTERACTION_CREATE", Value::Null);
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn whoever_did_not_join_the_server_is_an_outsider_whatever_they_do() {
    let (bot, _task) = Bot::connected().await;
    *bot.intake.names.lock().unwrap() = vec!["prod/orders-db".to_owned()];
    let person = json!({"id": USER.to_string(), "username": "alice"});
    let joined = json!("2024-01-01T00:00:00Z");
    for member in [
        json!({"user": person, "roles": [], "joined_at": joined, "flags": 16}),
        json!({"user": person, "roles": [], "joined_at": joined, "flags": 0, "pending": true}),
        json!({"user": person, "roles": [], "joined_at": null, "flags": 0}),
        json!({"user": {"id": "5", "bot": true}, "roles": [], "joined_at": joined, "flags": 0}),
    ] {
        let changed = json!({"member": member});
        let data =
            json!({"id": "1", "name": "rotation-diag", "type": 1, "options": [{"name": "secret", "type": 3, "value": "x"}]});
        let click = json!({"custom_id": "menu.1", "component_type": 3, "values": ["1.0123456789abcdef0123456789abcdef.3.rerun"]});
        for (kind, data) in [(2, data), (3, click)] {
            let said = bot.fake.with(|world| world.interaction(kind, data, changed.clone()));
            bot.tell("INTERACTION_CREATE", said);
            bot.answer().await;
            assert_eq!(bot.intake.heard().await.actor.standing, Standing::Outsider, "{changed}");
        }
        let mut message = bot.fake.with(|world| world.mention(CHANNEL, "help"));
        message["author"] = changed["member"]["user"].clone();
        message["member"] = changed["member"].clone();
        message["member"].as_object_mut().unwrap().remove("user");
        if message["author"]["bot"] != true {
            bot.tell("MESSAGE_CREATE", message);
            assert_eq!(bot.intake.heard().await.actor.standing, Standing::Outsider, "{changed}");
        }
    }
    // Names are offered to nobody of another server, or where a person brought the bot along.
    let typed = json!({"id": "1", "name": "rotation-diag", "type": 1, "options": [{"name": "secret", "type": 3, "value": "o", "focused": true}]});
    for changed in [json!({"guild_id": "9"}), json!({"authorizing_integration_owners": {"1": "5"}}), json!({"context": 2})] {
        let said = bot.fake.with(|world| world.interaction(4, typed.clone(), changed));
        bot.tell("INTERACTION_CREATE", said);
        assert_eq!(bot.answer().await, json!({"type": 8, "data": {"choices": []}}));
    }
    // Webhooks, people who only look at the server, other servers, and what Discord itself writes are not heard at all.
    for change in [
        |message: &mut Value| message["webhook_id"] = json!("7"),
        |message: &mut Value| {
            message.as_object_mut().unwrap().remove("member");
        },
        |message: &mut Value| message["guild_id"] = json!("9"),
        |message: &mut Value| message["type"] = json!(7),
    ] {
        let mut message = bot.fake.with(|world| world.mention(CHANNEL, "help"));
        change(&mut message);
        bot.tell("MESSAGE_CREATE", message);
    }
    let last = bot.fake.with(|world| world.mention(CHANNEL, "prod/x"));
    bot.tell("MESSAGE_CREATE", last.clone());
    assert_eq!(bot.intake.heard().await.key, last["id"].as_str().unwrap());
    bot.fake.finish();
}

#[tokio::test]
async fn a_thread_of_any_kind_is_told_with_its_channel() {
    let (bot, _task) = Bot::connected().await;
    for (kind, parent_kind) in [(10, 5), (11, 0), (12, 0), (11, 15), (11, 16)] {
        bot.fake.with(|world| {
            world.channels.insert(70, crate::fake_discord::Channel::of_kind(parent_kind, None));
            world.channels.insert(71, crate::fake_discord::Channel::of_kind(kind, Some(70)));
        });
        let changed = json!({"channel": {"id": "71", "type": kind, "parent_id": "70"}, "channel_id": "71"});
        let data =
            json!({"id": "1", "name": "rotation-diag", "type": 1, "options": [{"name": "secret", "type": 3, "value": "x"}]});
        let said = bot.fake.with(|world| world.interaction(2, data, changed));
        bot.tell("INTERACTION_CREATE", said);
        assert_eq!(bot.answer().await["type"], 5);
        let place = bot.intake.heard().await.place;
        assert_eq!((place.channel.as_str(), place.thread.as_deref()), ("70", Some("71")), "{kind}");
    }
    bot.fake.finish();
}

#[tokio::test]
async fn a_mention_is_answered_however_often_discord_fails_and_directly_where_nothing_may_be_written() {
    let (bot, _task) = Bot::connected().await;
    bot.fake.with(|world| {
        world.channels.insert(72, crate::fake_discord::Channel::text());
        world.fault("GET", "/channels/72", Fault::status(500));
        world.fault("POST", "/channels/72/messages", Fault::status(500));
    });
    bot.intake.tell_next(Ack::Answer(Box::new(line("not you"))));
    let words = bot.fake.with(|world| world.mention(72, "help"));
    bot.tell("MESSAGE_CREATE", words);
    bot.intake.heard().await;
    let Event::Posted { channel: 72, body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!(body["content"], "not you");

    bot.fake.with(|world| world.lack(72, &[crate::fake_discord::Lacking::Send]));
    bot.intake.tell_next(Ack::Answer(Box::new(line("not you"))));
    let words = bot.fake.with(|world| world.mention(72, "help"));
    bot.tell("MESSAGE_CREATE", words);
    bot.intake.heard().await;
    let Event::Posted { channel, body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!((bot.fake.with(|world| world.direct[&USER]), body["content"].as_str()), (channel, Some("not you")));
    bot.fake.finish();
}

#[tokio::test]
async fn a_first_answer_that_is_refused_changes_nothing_for_what_was_accepted() {
    for (fault, tries) in
        [(Fault::code(404, 10_062), 2), (Fault::wait("0.2", "user"), 2), (Fault::status(500), 2), (Fault::LoseAnswer, 2)]
    {
        let (bot, _task) = Bot::connected().await;
        bot.fake.with(|world| world.fault("POST", "/callback", fault.clone()));
        let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
        bot.tell("INTERACTION_CREATE", command);
        bot.intake.heard().await;
        bot.fake.wait_for(|world| (world.asked("POST", "/callback") == tries).then_some(())).await;
        if tries == 2 {
            assert_eq!(bot.answer().await["type"], 5);
        }
        bot.fake.finish();
    }
}

#[tokio::test]
async fn words_after_a_mention_are_heard_in_channel_and_thread_and_nothing_else_is() {
    let (bot, _task) = Bot::connected().await;
    bot.fake.with(|world| {
        world.channels.insert(71, crate::fake_discord::Channel::of_kind(11, Some(CHANNEL)));
    });
    let to_nobody = bot.fake.with(|world| {
        let mut message = world.mention(CHANNEL, "help");
        message["mentions"] = json!([]);
        message
    });
    let by_a_bot = bot.fake.with(|world| {
        let mut message = world.mention(CHANNEL, "help");
        message["author"]["bot"] = json!(true);
        message
    });
    let by_itself = bot.fake.with(|world| {
        let mut message = world.mention(CHANNEL, "help");
        message["author"] = json!({"id": BOT.to_string(), "bot": true});
        message
    });
    let in_private = bot.fake.with(|world| {
        let mut message = world.mention(CHANNEL, "help");
        message.as_object_mut().unwrap().remove("guild_id");
        message
    });
    for ignored in [to_nobody, by_a_bot, by_itself, in_private] {
        bot.tell("MESSAGE_CREATE", ignored);
    }
    let in_channel = bot.fake.with(|world| world.mention(CHANNEL, "prod/orders-db  window:7d"));
    bot.tell("MESSAGE_CREATE", in_channel.clone());
    let inbound = bot.intake.heard().await;
    assert_eq!(inbound.said, Payload::Words("prod/orders-db  window:7d".to_owned()));
    assert_eq!((inbound.key.as_str(), inbound.place.thread), (in_channel["id"].as_str().unwrap(), None));

    bot.intake.tell_next(Ack::Answer(Box::new(line("not you"))));
    let in_thread = bot.fake.with(|world| world.mention(71, "rerun 4"));
    bot.tell("MESSAGE_CREATE", in_thread.clone());
    let inbound = bot.intake.heard().await;
    assert_eq!((inbound.place.channel, inbound.place.thread), (CHANNEL.to_string(), Some("71".to_owned())));
    let Event::Posted { channel, body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!((channel, body["content"].as_str()), (71, Some("not you")));
    assert_eq!(body["message_reference"]["message_id"], in_thread["id"]);
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn an_answer_for_one_person_goes_to_the_channel_when_the_interaction_is_over() {
    let (bot, _task) = Bot::connected().await;
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    bot.tell("INTERACTION_CREATE", command.clone());
    bot.answer().await;
    let to = bot.intake.heard().await.reply_to.unwrap();
    bot.fake.with(|world| world.said.values_mut().for_each(|said| said.expired = true));
    bot.discord.send_ephemeral(&to, &line("the answer")).await.unwrap();
    let Event::Posted { channel, body, .. } = bot.fake.next().await else { panic!() };
    assert_eq!((channel, body["content"].as_str()), (CHANNEL, Some("the answer")));

    // By its age alone: its token is not even tried.
    let asked = bot.fake.with(|world| world.asked("POST", "/webhooks/"));
    let old = rotation_diag::model::ReplyTo(to.0.replace(command["id"].as_str().unwrap(), "175928847299117063"));
    bot.discord.send_ephemeral(&old, &line("the answer")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Posted { channel: CHANNEL, .. }));
    assert_eq!(bot.fake.with(|world| world.asked("POST", "/webhooks/")), asked);
    let thread =
        ThreadRef { platform: PlatformName::new("discord"), workspace: "1".into(), channel: "2".into(), root: "3".into() };
    bot.discord.point_to(&old, &thread).await.unwrap();
    assert_eq!(bot.fake.with(|world| world.asked("PATCH", "/webhooks/")), 0);

    // A refusal of the interaction's token says nothing about the bot's.
    let command = bot.fake.with(|world| world.command(&[("secret", "prod/orders-db")]));
    bot.tell("INTERACTION_CREATE", command.clone());
    bot.answer().await;
    let to = bot.intake.heard().await.reply_to.unwrap();
    bot.fake.with(|world| world.fault("POST", "_secret-token", Fault::status(401)));
    bot.discord.send_ephemeral(&to, &line("the answer")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Posted { channel: CHANNEL, .. }));
    bot.fake.finish();
}
