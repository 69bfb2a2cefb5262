//! What gets into the log during a whole session, with everything switched on.

use crate::fake_slack::Fault;
use crate::log_capture::LogCapture;
use crate::recording_intake::{Bot, Next, safe};
use rotation_diag::chat::document::{Message, Tone};
use rotation_diag::chat::{ChatPlatform as _, Destination};
use serde_json::json;
use std::sync::OnceLock;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Catches what the program's own filter lets through at its most talkative: all of its own records, and those of libraries
/// down to INFO. Nothing is redacted here: the records themselves have to be clean.
fn log() -> LogCapture {
    static TRAP: OnceLock<LogCapture> = OnceLock::new();
    let log = TRAP.get_or_init(|| {
        let log = LogCapture::default();
        let filter = filter_fn(|meta| meta.target().starts_with("rotation_diag") || *meta.level() <= LevelFilter::INFO);
        let lines = tracing_subscriber::fmt::layer().with_writer(log.clone()).with_ansi(false).with_filter(filter);
        tracing_subscriber::registry().with(lines).try_init().unwrap();
        log
    });
    log.clone()
}

#[tokio::test]
async fn neither_tickets_nor_tokens_nor_payloads_nor_evidence_are_logged() {
    let log = log();
    let bot = Bot::start().await;
    bot.intake.next(Next::Answer("canaryanswer"));
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "canaryword"));
    bot.fake.acknowledged(&command).await;
    bot.intake.next(Next::Answer("canaryanswer"));
    let action = json!({ "type": "button", "action_id": "act-0", "value": "canaryvalue" });
    let click = bot.fake.deliver("interactive", bot.fake.interaction("U1", "C1", "1764000000.000001", None, action));
    bot.fake.acknowledged(&click).await;
    bot.fake.next_whisper().await;
    let unknown = bot.fake.deliver("events_api", json!({ "canaryfield": "canaryvalue" }));
    bot.fake.acknowledged(&unknown).await;
    bot.fake.send_frame(None, &json!("canaryframe"));
    let destination = Destination::Channel(crate::conversation::place("C1", None));
    let message = Message::line(Tone::Bad, safe("canaryevidence"));
    for fault in [Fault::Status(500, vec![]), Fault::Code("invalid_blocks"), Fault::Body("text/html", "canarybody")] {
        bot.fake.fault("chat.update", fault);
        bot.slack.edit(&destination, "1.2", &message).await.unwrap_err();
    }
    bot.fake.fault("views.open", Fault::Code("internal_error"));
    let dialog = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", ""));
    bot.fake.acknowledged(&dialog).await;
    bot.fake.next_whisper().await;
    bot.fake.fault("apps.connections.open", Fault::Status(500, vec![]));
    let old = bot.fake.socket_ids()[0];
    bot.fake.announce_end(old, "warning");
    bot.fake.sockets_open(2).await;
    bot.fake.close(old);
    bot.fake.sockets_open(1).await;
    let last = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "canarylast"));
    bot.fake.acknowledged(&last).await;
    bot.finish().await;

    let log = log.text();
    assert!(log.contains("no socket to Slack yet"), "the capture of the log catches nothing: {log}");
    for secret in ["canary", "xoxb-", "xapp-", "ticket=", "/response/", "ws://", "http://"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
