//! What Discord answers, and what follows.

use crate::bot::{Bot, line};
use crate::fake_discord::{CHANNEL, Event, Fault, TOKEN};
use crate::samples::in_channel;
use crate::still_clock::StillClock;
use rotation_diag::chat::{ChatPlatform as _, SendError};
use rotation_diag::clock::Clock;
use rotation_diag::config::Token;
use rotation_diag::platforms::discord::{Discord, DiscordMode};
use std::time::Duration;

#[tokio::test]
async fn every_answer_has_its_consequence_and_no_error_says_too_much() {
    for (fault, new, edited) in [
        (Fault::status(301), "closed", "refused"),
        (Fault::status(400), "closed", "refused"),
        (Fault::code(400, 50_035), "closed", "refused"),
        (Fault::status(401), "unauthorized", "unauthorized"),
        (Fault::status(403), "closed", "refused"),
        (Fault::code(403, 50_001), "closed", "closed"),
        (Fault::code(403, 50_013), "closed", "refused"),
        (Fault::status(404), "closed", "gone"),
        (Fault::code(404, 10_003), "closed", "gone"),
        (Fault::status(405), "closed", "refused"),
        (Fault::status(408), "later", "later"),
        (Fault::status(413), "closed", "refused"),
        (Fault::code(400, 20_016), "later", "later"),
        (Fault::status(500), "uncertain", "later"),
        (Fault::status(502), "uncertain", "later"),
        (Fault::status(503), "uncertain", "later"),
        (Fault::Refuse { status: 200, body: "<html>".into(), headers: vec![] }, "uncertain", "later"),
        (Fault::Refuse { status: 200, body: "ok".into(), headers: vec![] }, "uncertain", "later"),
        (Fault::Refuse { status: 200, body: "{\"id\": 7}".into(), headers: vec![] }, "uncertain", ""),
        (Fault::Refuse { status: 200, body: String::new(), headers: vec![] }, "uncertain", ""),
        (Fault::wait("30", "user"), "later", "later"),
        (Fault::wait("3600", "global"), "later", "later"),
    ] {
        for (expected, is_new) in [(new, true), (edited, false)] {
            let bot = Bot::new(DiscordMode::Http).await;
            let message = line("the payload");
            let there = bot.discord.post(&in_channel(), &message, "another key").await.unwrap();
            bot.fake.with(|world| world.fault_always(if is_new { "POST" } else { "PATCH" }, "/messages", fault.clone()));
            let result = match is_new {
                true => bot.discord.post(&in_channel(), &message, "key").await.map(|_| ()),
                false => bot.discord.edit(&in_channel(), &there, &message).await,
            };
            match result {
                Ok(()) => assert_eq!("", expected, "{fault:?}"),
                Err(error) => {
                    assert_eq!(error.kind(), expected, "{fault:?}: {error:?}");
                    let said = format!("{error} {error:?}");
                    for secret in ["http", "127.0.0.1", TOKEN, "payload", "/channels"] {
                        assert!(!said.contains(secret), "{said}");
                    }
                }
            }
            bot.fake.with(|world| world.events.clear());
            bot.fake.finish();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_is_waited_out_and_a_long_one_is_told() {
    let clock = StillClock::hold();
    let bot = Bot::with(DiscordMode::Http, StillClock::pauses()).await;
    bot.fake.with(|world| world.fault("POST", "/messages", Fault::wait("0.3", "user")));
    bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap();
    assert!((300..310).contains(&clock.paused_for().as_millis()), "{:?}", clock.paused_for());
    bot.fake.next().await;
    bot.fake.next().await;

    bot.fake.with(|world| world.fault("POST", "/messages", Fault::wait("60", "user")));
    let error = bot.discord.post(&in_channel(), &line("x"), "2").await.unwrap_err();
    assert!(matches!(error, SendError::Later { after: Some(after), .. } if after > Duration::from_secs(50)), "{error:?}");
    let asked = bot.fake.with(|world| world.asked("POST", "/messages"));
    bot.discord.post(&in_channel(), &line("x"), "3").await.unwrap_err();
    assert_eq!(bot.fake.with(|world| world.asked("POST", "/messages")), asked, "held back, not sent to be refused");
    // Only this route waits.
    let there = bot.fake.with(|world| *world.channels[&CHANNEL].messages.keys().next().unwrap());
    bot.discord.edit(&in_channel(), &there.to_string(), &line("y")).await.unwrap();
    bot.fake.next().await;
    bot.fake.finish();
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let bot = Bot::new(DiscordMode::Http).await;
    let headers = vec![("location", "/api/v10/users/@me".to_owned())];
    bot.fake.with(|world| world.fault_always("POST", "/messages", Fault::Refuse { status: 307, body: String::new(), headers }));
    let error = bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap_err();
    assert_eq!(error.kind(), "closed");
    assert_eq!(bot.fake.with(|world| (world.requests.len(), world.asked("GET", "/users"))), (2, 0), "in two forms");
    bot.fake.finish();
}

#[tokio::test]
async fn an_answer_is_read_up_to_a_bound() {
    let bot = Bot::new(DiscordMode::Http).await;
    let endless = Fault::Refuse { status: 200, body: "x".repeat((8 << 20) + 1), headers: vec![] };
    bot.fake.with(|world| world.fault("POST", "/messages", endless));
    let error = bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap_err();
    assert_eq!(error, SendError::Uncertain { why: "the answer was too large".to_owned() });
    bot.fake.finish();
}

#[tokio::test]
async fn a_token_that_was_refused_is_not_hammered() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.fault("POST", "/messages", Fault::status(401)));
    for _ in 0..20 {
        let error = bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap_err();
        assert_eq!(error.kind(), "unauthorized");
    }
    assert_eq!(bot.fake.with(|world| world.requests.len()), 1);
    bot.fake.finish();
}

#[tokio::test]
async fn nobody_there_means_that_nothing_arrived() {
    let bot = Bot::new(DiscordMode::Http).await;
    let mut config = bot.fake.config(DiscordMode::Http);
    // Bound and not listening: nobody else gets the port.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let closed = silent.local_addr().unwrap();
    config.api_url = format!("http://{closed}/api/v10");
    let discord = Discord::new(&config, Token::new(TOKEN), Clock::system()).unwrap();
    let error = discord.post(&in_channel(), &line("x"), "1").await.unwrap_err();
    assert_eq!(error.kind(), "later");
    bot.fake.finish();
}

#[tokio::test]
async fn check_says_who_the_bot_is_and_what_does_not_fit() {
    let bot = Bot::new(DiscordMode::Http).await;
    assert_eq!(bot.discord.check().await.as_deref(), Ok("rotation"));
    let mut config = bot.fake.config(DiscordMode::Http);
    config.application_id = 1;
    let discord = Discord::new(&config, Token::new(TOKEN), Clock::system()).unwrap();
    assert!(discord.check().await.unwrap_err().to_string().contains("discord.application_id is not the application"));
    let discord = Discord::new(&config, Token::new("wrong"), Clock::system()).unwrap();
    assert!(discord.check().await.unwrap_err().to_string().contains("does not accept the bot's token"));
    bot.fake.finish();
}

#[tokio::test]
async fn an_error_that_repeats_does_not_fill_what_others_wait_for() {
    let bot = Bot::new(DiscordMode::Http).await;
    for _ in 0..6 {
        bot.fake.with(|world| world.fault("POST", "/messages", Fault::wait("0", "user")));
    }
    let error = bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap_err();
    assert_eq!(error.kind(), "later");
    assert_eq!(bot.fake.with(|world| world.requests.len()), 4, "a bound on refusals within one call");
    bot.fake.with(|world| world.faults.clear());
    let _ = bot.discord.post(&in_channel(), &line("x"), "1").await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Posted { .. }));
    bot.fake.next().await;
    bot.fake.finish();
}
