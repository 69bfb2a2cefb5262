//! The dialog and the home.

use crate::conversation::place;
use crate::fake_slack::Fault;
use crate::recording_intake::{Bot, Next, safe};
use rotation_diag::chat::{Payload, Summary};
use rotation_diag::clock::Clock;
use rotation_diag::model::Outcome;
use serde_json::json;

fn filled(secret: &str) -> Vec<(&'static str, serde_json::Value)> {
    vec![
        ("secret", json!({ "type": "plain_text_input", "value": secret })),
        ("channel", json!({ "type": "conversations_select", "selected_conversation": "C2" })),
        ("account", json!({ "type": "plain_text_input", "value": "prod" })),
        ("region", json!({ "type": "plain_text_input", "value": null })),
        (
            "window",
            json!({ "type": "static_select", "selected_option": { "text": { "type": "plain_text", "text": "7 days" }, "value": "7d" } }),
        ),
    ]
}

#[tokio::test]
async fn a_command_without_words_opens_the_dialog_and_its_answer_is_a_command() {
    let bot = Bot::start().await;
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "  "));
    assert_eq!(bot.fake.acknowledged(&command).await, None);
    let view = bot.fake.until("a dialog", |world| world.read_view()).await;
    assert_eq!(view["callback_id"], "investigate");
    assert_eq!(view["blocks"][1]["element"]["initial_conversation"], "C1");
    insta::assert_json_snapshot!("dialog", view);

    let submission = bot.fake.submission("U1", "investigate", &filled("prod/orders-db"));
    let envelope = bot.fake.deliver("interactive", submission);
    assert_eq!(bot.fake.acknowledged(&envelope).await, None, "the dialog closes");
    let heard = bot.intake.hears(1).await;
    assert_eq!(heard[0].said, Payload::Words("prod/orders-db account:prod window:7d".to_owned()));
    assert_eq!(heard[0].place, place("C2", None));
    bot.fake.deliver_again(&envelope, None);
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.intake.heard().len(), 1, "the same submission counts once");
    bot.finish().await;
}

#[tokio::test]
async fn a_refused_dialog_stays_open_and_says_why_beside_the_secret() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Answer("You may not ask about that here."));
    let submission = bot.fake.submission("U1", "investigate", &filled("other/db"));
    let envelope = bot.fake.deliver("interactive", submission);
    let answer = bot.fake.acknowledged(&envelope).await.unwrap();
    assert_eq!(answer, json!({ "response_action": "errors", "errors": { "secret": "You may not ask about that here." } }));
    bot.finish().await;
}

#[tokio::test]
async fn a_dialog_that_names_a_channel_the_bot_is_not_in_says_so_beside_the_channel() {
    let bot = Bot::start().await;
    for (channel, expected) in
        [("C3", "I am not in this channel: invite me"), ("CPRIVATE", "I cannot see this channel: invite me")]
    {
        let mut fields = filled("prod/orders-db");
        fields[1].1["selected_conversation"] = json!(channel);
        let envelope = bot.fake.deliver("interactive", bot.fake.submission("U1", "investigate", &fields));
        let answer = bot.fake.acknowledged(&envelope).await.expect("the dialog stays open");
        assert_eq!(answer["response_action"], "errors");
        let told = answer["errors"]["channel"].as_str().unwrap();
        assert!(told.contains(expected) && told.contains("/invite @rotation-diag"), "{told}");
    }
    assert!(bot.intake.heard().is_empty());
    // Where Slack does not say in time, the dialog closes, and the person can still be answered in that channel.
    bot.fake.fault("conversations.history", Fault::Hang);
    let mut fields = filled("prod/orders-db");
    fields[1].1["selected_conversation"] = json!("C3");
    let envelope = bot.fake.deliver("interactive", bot.fake.submission("U1", "investigate", &fields));
    assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    let reply_to = bot.intake.hears(1).await.pop().unwrap().reply_to.unwrap();
    let message = rotation_diag::chat::Message::line(rotation_diag::chat::document::Tone::Warning, safe("invite me"));
    rotation_diag::chat::ChatPlatform::send_ephemeral(bot.slack.as_ref(), &reply_to, &message).await.unwrap();
    assert_eq!(bot.fake.next_whisper().await["text"], "🟡 invite me");
    bot.finish().await;
}

#[tokio::test]
async fn a_dialog_that_cannot_open_is_told_and_not_forgotten() {
    let bot = Bot::start().await;
    bot.fake.fault("views.open", Fault::Code("expired_trigger_id"));
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", ""));
    bot.fake.acknowledged(&command).await;
    let send_ephemeral = bot.fake.next_whisper().await;
    assert!(send_ephemeral["text"].as_str().unwrap().contains("Type /rotation-diag"), "{send_ephemeral}");
    bot.fake.world().triggers.clear();
    bot.finish().await;
}

#[tokio::test]
async fn the_home_shows_what_this_person_may_see_and_opens_the_dialog() {
    let bot = Bot::start().await;
    let summary = |secret: &str, outcome, line: &str| Summary {
        id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        secret: safe(secret),
        outcome,
        line: safe(line),
        started_at: Clock::system().now() - jiff::SignedDuration::from_mins(200),
        place: place("C1", Some("1764000000.000007")),
    };
    *bot.intake.recent.lock().unwrap() = vec![
        summary("prod/orders-db", Some(Outcome::RootCause), "the function's role lacks a permission <!channel>"),
        summary("prod/users-db", None, "step 4 · function logs"),
    ];
    let opened = bot
        .fake
        .event_payload(json!({ "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home", "event_ts": "1.1" }), 1);
    let envelope = bot.fake.deliver("events_api", opened);
    bot.fake.acknowledged(&envelope).await;
    let (user, view) = bot.fake.until("a home", |world| world.read_home()).await;
    assert_eq!(user, "U1");
    insta::assert_json_snapshot!("home", view);

    let envelope = bot.fake.deliver("interactive", bot.fake.home_click("U1", "home-investigate"));
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.fake.until("a dialog", |world| world.read_view()).await["callback_id"], "investigate");
    let envelope = bot.fake.deliver("interactive", bot.fake.home_click("U1", "home-refresh"));
    bot.fake.acknowledged(&envelope).await;
    bot.fake.until("a home", |world| world.read_home()).await;
    bot.fake.world().triggers.clear();
    bot.finish().await;
}

#[tokio::test]
async fn the_messages_tab_is_no_home() {
    let bot = Bot::start().await;
    let opened =
        bot.fake.event_payload(json!({ "type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "messages" }), 1);
    let envelope = bot.fake.deliver("events_api", opened);
    bot.fake.acknowledged(&envelope).await;
    let submission = bot.fake.submission("U1", "someone-elses", &filled("x"));
    let envelope = bot.fake.deliver("interactive", submission);
    bot.fake.acknowledged(&envelope).await;
    assert!(bot.intake.heard().is_empty());
    bot.finish().await;
}
