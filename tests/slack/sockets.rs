//! Sockets that end, go silent, are refused, or say everything twice.

use crate::fake_slack::{FakeSlack, Fault};
use crate::recording_intake::{Bot, Next, fast};
use rotation_diag::chat::{ChatPlatform as _, Destination, Intake};
use rotation_diag::clock::Clock;
use rotation_diag::platforms::slack::{Lookups, Slack, SlackStop};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_new_socket_is_open_before_the_old_one_is_let_go_and_nothing_is_lost() {
    let bot = Bot::start().await;
    let old = bot.fake.socket_ids()[0];
    let go_on = Arc::new(Notify::new());
    bot.intake.next(Next::Wait(Arc::clone(&go_on)));
    let under_way = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "under way"));
    bot.fake.announce_end(old, "warning");
    bot.fake.sockets_open(2).await;
    bot.fake.announce_end(old, "refresh_requested");
    // The old socket is still read.
    let late = bot.fake.command_payload("U1", "C1", "late");
    let late = {
        let envelope = bot.fake.deliver("slash_commands", late);
        bot.fake.deliver_again(&envelope, Some(old));
        envelope
    };
    go_on.notify_one();
    bot.fake.acknowledged(&under_way).await;
    bot.fake.acknowledged(&late).await;
    bot.fake.close(old);
    bot.fake.sockets_open(1).await;
    assert_ne!(bot.fake.socket_ids()[0], old);
    assert_eq!(bot.intake.heard().len(), 2);
    let place = crate::conversation::place("C1", None);
    let done =
        rotation_diag::chat::Message::line(rotation_diag::chat::document::Tone::Good, crate::recording_intake::safe("done"));
    bot.slack.post(&Destination::Channel(place), &done, "k").await.unwrap();
    bot.fake.next_post().await;
    bot.finish().await;
}

#[tokio::test]
async fn a_socket_that_closes_or_breaks_is_replaced_at_once() {
    let bot = Bot::start().await;
    let old = bot.fake.socket_ids()[0];
    bot.fake.close(old);
    bot.fake.until("another socket", |world| world.sockets.iter().any(|socket| socket.id != old).then_some(())).await;
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "x"));
    bot.fake.acknowledged(&command).await;
    bot.finish().await;
}

#[tokio::test]
async fn a_half_open_socket_is_noticed_by_its_silence() {
    let bot = Bot::start().await;
    let old = bot.fake.socket_ids()[0];
    bot.fake.until("a ping", |world| (world.sockets[0].pings > 0).then_some(())).await;
    bot.fake.freeze(old);
    bot.fake.until("another socket", |world| world.sockets.iter().any(|socket| socket.id != old).then_some(())).await;
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "x"));
    bot.fake.acknowledged(&command).await;
    bot.finish().await;
}

#[tokio::test]
async fn a_quiet_workspace_is_left_in_peace() {
    let bot = Bot::start().await;
    // Far longer than the silence that counts as death: the heartbeat alone keeps the socket.
    bot.fake.until("seventy pings", |world| (world.sockets.first()?.pings >= 70).then_some(())).await;
    assert_eq!(bot.fake.world().sockets_opened, 1);
    assert!(bot.slack.sockets().is_healthy());
    assert_eq!(bot.slack.sockets().open(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn the_same_envelope_on_two_sockets_and_again_later_counts_once() {
    let fake = FakeSlack::start().await;
    let bot = Bot::start_with(fake, 2, Lookups::default(), fast()).await;
    let sockets = bot.fake.socket_ids();
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "x"));
    bot.fake.acknowledged(&command).await;
    bot.fake.deliver_again(&command, Some(sockets[0]));
    bot.fake.acknowledged(&command).await;
    let mention = bot.fake.deliver("events_api", bot.fake.mention_payload("U1", "C1", "y", None));
    bot.fake.acknowledged(&mention).await;
    for socket in &sockets {
        bot.fake.close(*socket);
    }
    bot.fake
        .until("new sockets", |world| {
            (world.sockets.len() == 2 && world.sockets.iter().all(|open| !sockets.contains(&open.id))).then_some(())
        })
        .await;
    bot.fake.deliver_again(&mention, None);
    bot.fake.acknowledged(&mention).await;
    assert_eq!(bot.intake.heard().len(), 2);
    bot.finish().await;
}

#[tokio::test]
async fn slack_in_trouble_is_asked_again_with_growing_waits() {
    let fake = FakeSlack::start().await;
    for fault in [
        Fault::Status(500, Vec::new()),
        Fault::Status(503, Vec::new()),
        Fault::Code("internal_error"),
        Fault::Code("too_many_websockets"),
        Fault::Body("text/html", "<html>maintenance</html>"),
        Fault::Hang,
        Fault::LostAfterwards,
    ] {
        fake.fault("apps.connections.open", fault);
    }
    let bot = Bot::start_with(fake, 1, Lookups::default(), fast()).await;
    assert_eq!(bot.fake.calls("apps.connections.open"), 8);
    bot.finish().await;
}

#[tokio::test]
async fn a_limit_on_opening_sockets_is_honoured() {
    let fake = FakeSlack::start().await;
    fake.fault("apps.connections.open", Fault::Status(429, vec![("retry-after", "1")]));
    let bot = Bot::start_with(fake, 1, Lookups::default(), fast()).await;
    let waited = {
        let world = bot.fake.world();
        let opened: Vec<_> = world.calls.iter().filter(|call| call.method == "apps.connections.open").collect();
        assert_eq!(opened.len(), 2);
        opened[1].at - opened[0].at
    };
    assert!(waited >= std::time::Duration::from_secs(1), "{waited:?}");
    bot.finish().await;
}

async fn refused(method: &str, code: &'static str) -> SlackStop {
    rotation_diag::tls::choose();
    let fake = FakeSlack::start().await;
    fake.fault(method, Fault::Code(code));
    let config = crate::recording_intake::config(&fake, crate::recording_intake::socket_mode(2));
    let tokens = crate::recording_intake::tokens(crate::fake_slack::APP_TOKEN);
    let slack = Slack::with_rhythm(&config, &tokens, Lookups::default(), Clock::system(), fast()).unwrap();
    let intake: Arc<dyn Intake> = Arc::new(crate::recording_intake::RecordingIntake::default());
    let ended = Arc::new(slack).listen(intake, CancellationToken::new());
    let stop = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap().unwrap_err();
    fake.finish();
    stop
}

#[tokio::test]
async fn a_rejected_token_ends_the_bot_with_a_reason_instead_of_a_loop() {
    for code in ["invalid_auth", "token_revoked", "account_inactive", "not_allowed_token_type"] {
        for method in ["auth.test", "apps.connections.open"] {
            let stop = refused(method, code).await;
            let SlackStop::NotLetIn(why) = &stop else { panic!("{stop}") };
            assert!(why.starts_with(&format!("{method}: {code}; ")), "{why}");
            assert!(!stop.to_string().contains("canary"), "{stop}");
        }
    }
}

#[tokio::test]
async fn socket_mode_switched_off_ends_the_bot_with_a_reason() {
    let bot = Bot::start().await;
    bot.fake.announce_end(bot.fake.socket_ids()[0], "link_disabled");
    let stop = bot.ends().await.unwrap_err();
    assert!(stop.to_string().contains("Socket Mode is switched off"), "{stop}");
}

#[tokio::test]
async fn a_token_revoked_in_between_ends_the_bot() {
    let bot = Bot::start().await;
    bot.fake.fault("apps.connections.open", Fault::Code("token_revoked"));
    bot.fake.close(bot.fake.socket_ids()[0]);
    assert!(matches!(bot.ends().await, Err(SlackStop::NotLetIn(_))));
}

/// A configuration whose tokens are in files, which a test may write anew.
fn with_files(fake: &FakeSlack, folder: &std::path::Path) -> rotation_diag::platforms::slack::SlackConfig {
    let file = |name: &str| rotation_diag::config::TokenSource::File(folder.join(name));
    let mode = rotation_diag::platforms::slack::SlackMode::Socket { app_token: file("app"), connections: 1 };
    let config = crate::recording_intake::config(fake, mode);
    rotation_diag::platforms::slack::SlackConfig { bot_token: file("bot"), ..config }
}

#[tokio::test]
async fn sockets_reconnect_with_a_new_token_and_the_old_one_is_let_go_after_it() {
    rotation_diag::tls::choose();
    let (fake, folder) = (FakeSlack::start().await, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("bot"), crate::fake_slack::BOT_TOKEN).unwrap();
    std::fs::write(folder.path().join("app"), crate::fake_slack::APP_TOKEN).unwrap();
    let config = with_files(&fake, folder.path());
    let tokens = config.fetch_tokens().unwrap();
    let slack = Arc::new(Slack::with_rhythm(&config, &tokens, Lookups::default(), Clock::system(), fast()).unwrap());
    let intake = Arc::new(crate::recording_intake::RecordingIntake::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&slack).listen(Arc::clone(&intake) as Arc<dyn Intake>, stop.clone()));
    fake.sockets_open(1).await;
    let old = fake.socket_ids()[0];
    // Nothing happens where they are the same.
    slack.renew_tokens();
    fake.change(|world| (world.bot_token, world.app_token) = ("xoxb-2-new".to_owned(), "xapp-2-new".to_owned()));
    std::fs::write(folder.path().join("bot"), "xoxb-2-new").unwrap();
    std::fs::write(folder.path().join("app"), "xapp-2-new").unwrap();
    slack.renew_tokens();
    fake.until("the new socket", |world| world.sockets.iter().any(|socket| socket.id != old).then_some(())).await;
    let command = fake.deliver("slash_commands", fake.command_payload("U1", "C1", "x"));
    fake.acknowledged(&command).await;
    fake.close(old);
    fake.sockets_open(1).await;
    assert_eq!(fake.world().sockets_opened, 2);
    let place = crate::conversation::place("C1", None);
    let done =
        rotation_diag::chat::Message::line(rotation_diag::chat::document::Tone::Good, crate::recording_intake::safe("done"));
    slack.post(&Destination::Channel(place), &done, "k").await.unwrap();
    fake.next_post().await;
    // Where a file cannot be read the old token stays.
    std::fs::write(folder.path().join("app"), "").unwrap();
    slack.renew_tokens();
    assert!(slack.is_token_accepted());
    stop.cancel();
    assert_eq!(running.await.unwrap(), Ok(()));
    fake.finish();
}

#[tokio::test]
async fn a_token_that_is_refused_does_not_end_a_bot_that_has_a_newer_one_and_ends_one_that_has_none() {
    rotation_diag::tls::choose();
    let (fake, folder) = (FakeSlack::start().await, tempfile::tempdir().unwrap());
    let (bot, app) = (folder.path().join("bot"), folder.path().join("app"));
    std::fs::write(&bot, "xoxb-0-old").unwrap();
    std::fs::write(&app, "xapp-0-old").unwrap();
    let config = with_files(&fake, folder.path());
    let tokens = config.fetch_tokens().unwrap();
    // They are replaced after the bot has read them, and nobody tells it.
    std::fs::write(&bot, crate::fake_slack::BOT_TOKEN).unwrap();
    std::fs::write(&app, crate::fake_slack::APP_TOKEN).unwrap();
    let slack = Arc::new(Slack::with_rhythm(&config, &tokens, Lookups::default(), Clock::system(), fast()).unwrap());
    let intake: Arc<dyn Intake> = Arc::new(crate::recording_intake::RecordingIntake::default());
    let running = tokio::spawn(Arc::clone(&slack).listen(intake, CancellationToken::new()));
    fake.sockets_open(1).await;
    assert!(slack.is_token_accepted());
    let socket = fake.socket_ids()[0];
    fake.change(|world| world.app_token = "xapp-3-unknown".to_owned());
    fake.close(socket);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), running).await.unwrap().unwrap();
    assert!(
        matches!(&ended, Err(SlackStop::NotLetIn(why)) if why.starts_with("apps.connections.open: invalid_auth; ")),
        "{ended:?}"
    );
    fake.finish();
}
