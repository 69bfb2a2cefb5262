//! The dialog and the home.

use crate::conversation::place;
use crate::fake_slack::Fault;
use crate::recording_intake::{Bot, Next, safe};
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{Payload, Summary, ThreadFilter};
use rotation_diag::clock::Clock;
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
    let summary = |secret: &str, tone, line: &str| Summary {
        id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        secret: safe(secret),
        tone,
        line: safe(line),
        started_at: Clock::system().now() - jiff::SignedDuration::from_mins(200),
        place: place("C1", Some("1764000000.000007")),
    };
    *bot.intake.recent.lock().unwrap() = vec![
        summary("prod/orders-db", Tone::Bad, "the function's role lacks a permission <!channel>"),
        summary("prod/users-db", Tone::Working, "step 4 · function logs"),
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
    // The menu chooses what is shown, and a refresh keeps to it.
    let mut choice = bot.fake.home_click("U1", "home-filter");
    choice["actions"][0]["selected_option"] = json!({ "value": "failing" });
    let mut refresh = bot.fake.home_click("U1", "home-refresh");
    refresh["actions"][0]["value"] = json!("failing");
    bot.intake.recent.lock().unwrap().clear();
    for click in [choice, refresh] {
        let envelope = bot.fake.deliver("interactive", click);
        bot.fake.acknowledged(&envelope).await;
        let (_, view) = bot.fake.until("a home", |world| world.read_home()).await;
        let elements = view["blocks"][1]["elements"].as_array().unwrap();
        assert_eq!((&elements[1]["initial_option"]["value"], &elements[2]["value"]), (&json!("failing"), &json!("failing")));
        assert!(view.to_string().contains("No secret is known to fail"), "{view}");
    }
    assert_eq!(*bot.intake.filters.lock().unwrap(), [ThreadFilter::All, ThreadFilter::Failing, ThreadFilter::Failing]);
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

const ALARM_TS: &str = "1764000000.000042";

/// What another app posted.
fn alarm() -> serde_json::Value {
    json!({
        "type": "message", "subtype": "bot_message", "bot_id": "B2", "ts": ALARM_TS, "text": "",
        "attachments": [{ "fallback": "ALARM", "title": "orders-rotation",
                          "fields": [{ "title": "Secret Id", "value": "prod/orders-db", "short": true }] }],
    })
}

#[tokio::test]
async fn an_alarm_that_names_one_secret_is_diagnosed_below_it() {
    let bot = Bot::start().await;
    *bot.intake.named.lock().unwrap() = vec!["prod/orders-db".to_owned()];
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "diagnose_alarm", "C1", alarm()));
    assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    let heard = bot.intake.hears(1).await;
    assert_eq!(heard[0].said, Payload::Words("secret:prod/orders-db".to_owned()));
    assert_eq!(heard[0].place, place("C1", Some(ALARM_TS)), "the answer comes below the alarm");
    assert!(bot.intake.pointed_at.lock().unwrap()[0].lines().any(|line| line == "SecretId=prod/orders-db"));
    bot.fake.deliver_again(&envelope, None);
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.intake.heard().len(), 1, "the same shortcut counts once");

    // A reply is diagnosed in its thread; a refusal is for that person alone.
    *bot.intake.named.lock().unwrap() = vec!["arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf".to_owned()];
    let mut reply = alarm();
    reply["thread_ts"] = json!("1764000000.000007");
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "diagnose_alarm", "C1", reply.clone()));
    bot.fake.acknowledged(&envelope).await;
    let heard = bot.intake.hears(2).await;
    assert_eq!(heard[1].place, place("C1", Some("1764000000.000007")));
    assert!(matches!(&heard[1].said, Payload::Words(words) if words.starts_with("arn:")));
    bot.intake.next(Next::Answer("You may not ask about that here."));
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "diagnose_alarm", "C1", reply));
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.fake.next_whisper().await["text"], "You may not ask about that here.");
    assert_eq!(bot.fake.calls("views.open"), 0);
    bot.fake.world().triggers.clear();
    bot.finish().await;
}

#[tokio::test]
async fn an_alarm_that_several_names_fit_or_none_is_asked_about() {
    let bot = Bot::start().await;
    *bot.intake.named.lock().unwrap() = vec!["prod/orders-db".to_owned(), "staging/orders-db".to_owned(), "x".repeat(300)];
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "diagnose_alarm", "C1", alarm()));
    assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    let view = bot.fake.until("a dialog", |world| world.read_view()).await;
    insta::assert_json_snapshot!("dialog_of_an_alarm", view);

    let chosen = |value: &str, channel: &str| {
        let fields = [
            ("secret", json!({ "type": "static_select", "selected_option": { "value": value } })),
            ("other", json!({ "type": "plain_text_input", "value": null })),
            ("channel", json!({ "type": "conversations_select", "selected_conversation": channel })),
        ];
        let mut submission = bot.fake.submission("U1", "investigate", &fields);
        submission["view"]["private_metadata"] = view["private_metadata"].clone();
        submission
    };
    for (number, (channel, thread)) in [("C1", Some(ALARM_TS)), ("C2", None)].into_iter().enumerate() {
        let envelope = bot.fake.deliver("interactive", chosen("secret:staging/orders-db", channel));
        assert_eq!(bot.fake.acknowledged(&envelope).await, None);
        let heard = bot.intake.hears(number + 1).await.pop().unwrap();
        assert_eq!((heard.said, heard.place), (Payload::Words("secret:staging/orders-db".to_owned()), place(channel, thread)));
    }
    let mut typed = chosen("secret:prod/orders-db", "C1");
    typed["view"]["state"]["values"]["other"]["other"]["value"] = json!("prod/another");
    let envelope = bot.fake.deliver("interactive", typed);
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.intake.hears(3).await[2].said, Payload::Words("prod/another".to_owned()), "what is typed counts");

    bot.intake.named.lock().unwrap().clear();
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "diagnose_alarm", "C1", alarm()));
    bot.fake.acknowledged(&envelope).await;
    let view = bot.fake.until("a dialog", |world| world.read_view()).await;
    assert_eq!(view["blocks"][0]["elements"][0]["text"], "This message names no secret that I know. Which one is it about?");
    assert_eq!(view["blocks"][1]["element"]["type"], "plain_text_input");
    bot.fake.world().triggers.clear();
    bot.finish().await;
}

#[tokio::test]
async fn the_shortcut_serves_members_alone_and_only_that_one() {
    let bot = Bot::start().await;
    let mut stranger = bot.fake.shortcut("U9", "diagnose_alarm", "C1", alarm());
    (stranger["team"]["id"], stranger["user"]["team_id"]) = (json!("T2"), json!("T2"));
    let envelope = bot.fake.deliver("interactive", stranger);
    assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    assert!(bot.fake.next_whisper().await["text"].as_str().unwrap().contains("members of my own workspace only"));
    let envelope = bot.fake.deliver("interactive", bot.fake.shortcut("U1", "someone-elses", "C1", alarm()));
    assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    assert!(bot.intake.heard().is_empty() && bot.intake.pointed_at.lock().unwrap().is_empty());
    assert_eq!(bot.fake.calls("views.open"), 0);
    bot.fake.world().triggers.clear();
    bot.finish().await;
}
