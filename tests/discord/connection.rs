//! The connection to the gateway: how it ends, and what comes after.

use crate::bot::{Bot, line};
use crate::fake_discord::{Control, Event, FakeDiscord};
use crate::still_clock::StillClock;
use rotation_diag::chat::Ack;
use rotation_diag::clock::{deadline, this_instant};
use rotation_diag::platforms::discord::DiscordMode;
use rotation_diag::platforms::discord::GatewayError;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn final_close_codes_end_it_with_a_message_and_without_another_try() {
    for (code, expected) in [
        (4_004, GatewayError::TokenRefused),
        (4_010, GatewayError::Unusable(4_010)),
        (4_012, GatewayError::Unusable(4_012)),
        (4_013, GatewayError::IntentsRefused),
        (4_014, GatewayError::IntentsRefused),
    ] {
        let (bot, task) = Bot::connected().await;
        bot.fake.with(|world| world.control(Control::Close(code)));
        assert_eq!(task.await.unwrap(), Err(expected), "{code}");
        assert_eq!(bot.fake.with(|world| world.sessions_left), 999, "{code}");
        assert!(!bot.discord.is_alive(), "{code}");
        bot.fake.finish();
    }
    assert!(GatewayError::TokenRefused.to_string().contains("developer portal"));
}

#[tokio::test]
async fn a_token_that_rest_refuses_ends_it_before_any_session() {
    let bot = Bot::new(DiscordMode::Gateway).await;
    bot.fake.with(|world| {
        world.fault("GET", "/gateway/bot", crate::fake_discord::Fault::status(401));
        world.fault("PUT", "/commands", crate::fake_discord::Fault::status(401));
    });
    assert_eq!(bot.run().await.unwrap(), Err(GatewayError::TokenRefused));
    assert_eq!(bot.fake.with(|world| world.sessions_left), 1_000);
    bot.fake.with(|world| world.faults.clear());
    bot.fake.finish();
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_and_one_whose_session_is_over_is_begun_anew() {
    for (control, resumes) in [
        (Control::Break, true),
        (Control::Close(4_000), true),
        (Control::Close(1_006), true),
        (Control::Send(json!({"op": 7, "d": null})), true),
        (Control::Send(json!({"op": 9, "d": true})), true),
        (Control::Close(1_000), true),
        (Control::Close(1_001), true),
        (Control::Close(4_009), false),
        (Control::Send(json!({"op": 9, "d": false})), false),
    ] {
        let (bot, _task) = Bot::connected().await;
        let name = format!("{control:?}");
        bot.fake.with(|world| world.control(control));
        let mut event = bot.fake.next().await;
        if let Event::Left(code) = event {
            assert_eq!(code, Some(4_000), "{name}: another code would end the session");
            event = bot.fake.next().await;
        }
        assert_eq!(event, if resumes { Event::Resumed { seen: 2 } } else { Event::Identified }, "{name}");
        bot.fake.finish();
    }
}

#[tokio::test]
async fn a_connection_that_went_dead_is_dropped_and_resumed() {
    let bot = Bot::new(DiscordMode::Gateway).await;
    bot.fake.with(|world| world.heartbeat = Duration::from_secs(1));
    let _task = bot.run();
    bot.expect_start().await;
    bot.fake.wait_for(|world| (world.beats > 0).then_some(())).await;
    bot.fake.with(|world| world.is_mute = true);
    assert_eq!(bot.fake.next().await, Event::Left(Some(4_000)));
    bot.fake.with(|world| world.is_mute = false);
    assert_eq!(bot.fake.next().await, Event::Resumed { seen: 2 });
    bot.fake.wait_for(|world| (world.beats > 3).then_some(())).await;
    assert!(bot.discord.is_alive());
    bot.fake.finish();
}

#[tokio::test]
async fn what_happens_while_the_connection_is_down_is_heard_and_a_replay_is_heard_once() {
    let (bot, _task) = Bot::connected().await;
    let first = bot.fake.with(|world| world.command(&[("secret", "prod/a")]));
    bot.tell("INTERACTION_CREATE", first.clone());
    assert_eq!(bot.answer().await["type"], 5);
    bot.intake.heard().await;
    let second = bot.fake.with(|world| {
        let second = world.command(&[("secret", "prod/b")]);
        world.control(Control::Break);
        world.connection = None;
        // The first one again, then one that is new.
        world.dispatch("INTERACTION_CREATE", first);
        world.dispatch("INTERACTION_CREATE", second.clone());
        second
    });
    assert_eq!(bot.fake.next().await, Event::Resumed { seen: 3 });
    assert_eq!(bot.answer().await["type"], 5);
    assert_eq!(bot.intake.heard().await.key, second["id"].as_str().unwrap());
    bot.fake.wait_for(|world| (world.asked("POST", "/callback") == 3).then_some(())).await;
    assert_eq!(bot.intake.heard_so_far(), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn no_session_is_begun_when_discord_allows_no_more() {
    let bot = Bot::new(DiscordMode::Gateway).await;
    // The fake takes note of a session that is begun before.
    bot.fake.with(|world| {
        world.sessions_left = 0;
        world.sessions_after = deadline(Duration::from_millis(700));
    });
    let _task = bot.run();
    bot.expect_start().await;
    assert!(bot.fake.with(|world| this_instant() >= world.sessions_after));
    bot.fake.finish();

    let bot = Bot::new(DiscordMode::Gateway).await;
    bot.fake.with(|world| world.sessions_left = 0);
    let task = bot.run();
    assert!(matches!(bot.fake.next().await, Event::Registered { .. }));
    bot.fake.wait_for(|world| (world.asked("GET", "/gateway/bot") == 1).then_some(())).await;
    bot.stop.cancel();
    assert_eq!(task.await.unwrap(), Ok(()), "whoever waits can be stopped");
    bot.fake.finish();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_resumed_is_begun_anew_after_some_tries_and_pauses() {
    let clock = StillClock::hold();
    let bot = Bot::with(DiscordMode::Gateway, StillClock::pauses()).await;
    let _task = bot.run();
    bot.expect_start().await;
    bot.fake.with(|world| {
        world.refuses_to_resume = true;
        world.control(Control::Break);
    });
    let before = clock.paused_for();
    for _ in 0..3 {
        assert_eq!(bot.fake.next().await, Event::Resumed { seen: 2 });
    }
    assert_eq!(bot.fake.next().await, Event::Identified);
    // One, two and four seconds at least, however short each connection was.
    assert!(clock.paused_for() - before >= Duration::from_secs(7), "{:?}", clock.paused_for());
    bot.fake.finish();
}

#[tokio::test]
async fn every_heartbeat_that_discord_asks_for_is_sent_at_once() {
    let (bot, _task) = Bot::connected().await;
    for _ in 0..5 {
        bot.fake.with(|world| world.control(Control::Send(json!({"op": 1, "d": null}))));
    }
    // At the usual pace they would take minutes.
    bot.fake.wait_for(|world| (world.beats >= 5).then_some(())).await;
    bot.fake.finish();
}

#[tokio::test]
async fn it_stops_when_asked_and_takes_leave() {
    let (bot, task) = Bot::connected().await;
    bot.stop.cancel();
    assert_eq!(task.await.unwrap(), Ok(()));
    assert_eq!(bot.fake.next().await, Event::Left(Some(1_000)));
    bot.fake.finish();
}

#[tokio::test]
async fn a_command_that_discord_does_not_take_is_registered_later_and_nothing_waits_for_it() {
    let bot = Bot::new(DiscordMode::Gateway).await;
    bot.fake.with(|world| world.fault("PUT", "/commands", crate::fake_discord::Fault::wait("0.2", "user")));
    let _task = bot.run();
    bot.expect_start().await;
    bot.intake.tell_next(Ack::Answer(Box::new(line("here"))));
    let command = bot.fake.with(|world| world.command(&[("secret", "x")]));
    bot.tell("INTERACTION_CREATE", command);
    assert_eq!(bot.answer().await["data"]["content"], "here");
    bot.fake.finish();
}

#[tokio::test]
async fn the_command_is_registered_where_the_configuration_says() {
    let fake = FakeDiscord::start().await;
    drop(fake);
    let (bot, _task) = {
        let bot = Bot::new(DiscordMode::Http).await;
        let task = bot.run();
        (bot, task)
    };
    let Event::Registered { guild, body } = bot.fake.next().await else { panic!() };
    assert_eq!(guild, Some(crate::fake_discord::GUILD));
    let options: Vec<&str> = body[0]["options"].as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap()).collect();
    assert_eq!((body[0]["name"].as_str(), options), (Some("rotation-diag"), vec!["secret", "account", "region", "window"]));
    assert_eq!((&body[1]["name"], &body[1]["options"][0]["name"]), (&json!("diag"), &json!("words")));
    assert_eq!((&body[2]["name"], &body[2]["type"]), (&json!("Diagnose this alarm"), &json!(3)));
    assert_eq!((&body[0]["contexts"], &body[0]["options"][0]["autocomplete"]), (&json!([0]), &json!(true)));
    assert!(bot.discord.is_alive());
    bot.fake.finish();
}

/// A bot whose token is in a file, which a test may write anew.
async fn with_a_file(token: &std::path::Path, known: &str) -> Bot {
    let bot = Bot::new(DiscordMode::Gateway).await;
    let mut config = bot.fake.config(DiscordMode::Gateway);
    config.bot_token = rotation_diag::config::TokenSource::File(token.to_owned());
    let known = rotation_diag::config::Token::new(known);
    let discord = rotation_diag::platforms::discord::Discord::new(&config, known, rotation_diag::clock::Clock::system()).unwrap();
    Bot { discord, ..bot }
}

#[tokio::test]
async fn with_a_new_token_the_gateway_is_connected_to_anew_and_rest_is_asked_with_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), crate::fake_discord::TOKEN).unwrap();
    let bot = with_a_file(file.path(), crate::fake_discord::TOKEN).await;
    let _task = bot.run();
    bot.expect_start().await;
    bot.discord.renew_token();
    bot.fake.with(|world| world.token = "another-token-of-the-bot".to_owned());
    std::fs::write(file.path(), "another-token-of-the-bot").unwrap();
    bot.discord.renew_token();
    assert_eq!(bot.fake.next().await, Event::Left(Some(1_000)), "the session is of the old token");
    assert_eq!(bot.fake.next().await, Event::Identified);
    assert!(bot.discord.check().await.is_ok());
    bot.fake.finish();
}

#[tokio::test]
async fn a_token_that_discord_refuses_does_not_end_a_bot_that_has_a_newer_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), crate::fake_discord::TOKEN).unwrap();
    let bot = with_a_file(file.path(), "the-token-before").await;
    bot.fake.with(|world| world.heartbeat = Duration::from_secs(1));
    let task = bot.run();
    bot.fake.wait_for(|world| (world.events.contains(&Event::Identified) && world.beats > 0).then_some(())).await;
    assert!(bot.discord.is_alive());
    // There is none that is newer now.
    bot.fake.with(|world| world.control(Control::Close(4_004)));
    assert_eq!(task.await.unwrap(), Err(GatewayError::TokenRefused));
    bot.fake.with(|world| world.events.clear());
    bot.fake.finish();
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_by_readiness_also_where_discord_calls_the_bot() {
    let bot = Bot::new(DiscordMode::Http).await;
    assert!(bot.discord.is_alive());
    bot.fake.with(|world| world.token = "another-token-of-the-bot".to_owned());
    assert!(bot.discord.check().await.is_err());
    assert!(!bot.discord.is_alive());
    bot.fake.finish();
}
