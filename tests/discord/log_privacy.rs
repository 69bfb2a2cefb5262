//! Logs at their most talkative hold no token, no interaction's token and nothing that people said.

use crate::bot::{Bot, line};
use crate::fake_discord::{CHANNEL, Control, Fault, Lacking, TOKEN};
use crate::log_capture::LogCapture;
use crate::samples::{everywhere, in_channel, in_thread};
use rotation_diag::chat::{Ack, ChatPlatform as _};
use rotation_diag::platforms::discord::DiscordMode;
use tracing_subscriber::fmt::format::FmtSpan;

#[tokio::test]
async fn nothing_that_must_stay_secret_is_logged_at_any_level() {
    let log = LogCapture::default();
    // Spans are written too: serenity puts whole requests into them.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (bot, _task) = Bot::connected().await;
    let mut hidden = vec![TOKEN.to_owned(), "secret-token".to_owned(), "canary-word".to_owned(), "canary-payload".to_owned()];
    for fault in [Fault::code(404, 10_062), Fault::status(500), Fault::wait("0.1", "user")] {
        // The first is refused for as long as it is tried.
        let times = if matches!(fault, Fault::Refuse { status: 404, .. }) { 20 } else { 1 };
        bot.fake.with(|world| (0..times).for_each(|_| world.fault("POST", "/callback", fault.clone())));
        let command = bot.fake.with(|world| world.command(&[("secret", "canary-word")]));
        hidden.push(command["token"].as_str().unwrap().to_owned());
        bot.tell("INTERACTION_CREATE", command);
        let inbound = bot.intake.heard().await;
        let _ = bot.discord.send_ephemeral(&inbound.reply_to.unwrap(), &line("canary-payload")).await;
        assert!(!format!("{:?}", inbound.actor).contains("secret-token"));
        if times > 1 {
            while !log.text().contains("could not be acknowledged") {
                tokio::task::yield_now().await;
            }
            bot.fake.with(|world| world.faults.clear());
        }
    }
    bot.tell("INTERACTION_CREATE", serde_json::json!({"id": "1", "type": "canary-word", "token": "secret-token"}));
    let mention = bot.fake.with(|world| world.mention(CHANNEL, "canary-word"));
    bot.intake.tell_next(Ack::Answer(Box::new(line("canary-payload"))));
    bot.tell("MESSAGE_CREATE", mention);
    bot.intake.heard().await;
    bot.fake.with(|world| {
        world.refuses_layouts = true;
        world.lack(CHANNEL, &[Lacking::Embed, Lacking::OpenThreads]);
    });
    for key in ["1", "2"] {
        bot.discord.post(&in_channel(), &everywhere("canary-payload"), key).await.unwrap();
    }
    for status in [400, 401, 403, 404, 500] {
        bot.fake.with(|world| world.fault("PATCH", "/messages", Fault::status(status)));
        let error = bot.discord.edit(&in_thread("1090000000000000000"), "1", &line("canary-payload")).await;
        assert!(!format!("{error:?}").contains("canary"));
    }
    bot.fake.with(|world| world.control(Control::Close(4_000)));
    bot.fake
        .wait_for(|world| world.events.iter().any(|e| matches!(e, crate::fake_discord::Event::Resumed { .. })).then_some(()))
        .await;
    let logged = log.text();
    assert!(logged.contains("could not be acknowledged"), "{logged}");
    assert_eq!(logged.matches("messages are shown as text").count(), 1, "told once: {logged}");
    for secret in hidden {
        assert!(!logged.contains(&secret), "{secret} is in the logs:\n{logged}");
    }
    bot.fake.with(|world| {
        world.events.clear();
        world.faults.clear();
    });
    let http = Bot::new(DiscordMode::Http).await;
    http.fake.finish();
    bot.fake.finish();
}
