//! Commands, mentions and clicks over a socket.

use crate::fake_slack::FakeSlack;
use crate::recording_intake::{Bot, Next};
use rotation_diag::chat::document::{Control, MenuItem, Message, Tone};
use rotation_diag::chat::{ChatPlatform, Destination, Payload};
use rotation_diag::model::{Action, ActionToken, Place, PlatformName, ReplyTo, Standing, StepName};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

pub(crate) fn place(channel: &str, thread: Option<&str>) -> Place {
    Place {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        channel: channel.to_owned(),
        thread: thread.map(str::to_owned),
    }
}

fn token(action: Action) -> ActionToken {
    ActionToken { investigation: "0123456789abcdef0123456789abcdef".parse().unwrap(), revision: 1, action }
}

#[tokio::test]
async fn a_command_is_heard_with_who_where_and_what() {
    let bot = Bot::start().await;
    let payload = bot.fake.command_payload("U1", "C1", "prod/orders-db account:prod &amp; more");
    let trigger = payload["trigger_id"].as_str().unwrap().to_owned();
    let envelope = bot.fake.deliver("slash_commands", payload);
    assert_eq!(bot.fake.acknowledged(&envelope).await, None, "what is accepted needs no answer");
    let heard = bot.intake.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].key, format!("command:T1:{trigger}"));
    assert_eq!(heard[0].place, place("C1", None));
    assert_eq!(heard[0].said, Payload::Words("prod/orders-db account:prod & more".to_owned()));
    assert_eq!((heard[0].actor.user.as_str(), heard[0].actor.workspace.as_str()), ("U1", "T1"));
    assert_eq!((heard[0].actor.standing, &heard[0].actor.groups), (Standing::Unknown, &None));
    bot.finish().await;
}

#[tokio::test]
async fn a_refusal_comes_back_with_the_acknowledgement_and_only_its_person_sees_it() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Answer("You may not ask about <this> here."));
    let payload = bot.fake.command_payload("U1", "C3", "prod/orders-db");
    let envelope = bot.fake.deliver("slash_commands", payload);
    let answer = bot.fake.acknowledged(&envelope).await.unwrap();
    assert_eq!(answer["response_type"], "ephemeral");
    assert_eq!(answer["text"], "You may not ask about &lt;this&gt; here.");
    assert_eq!(
        answer["blocks"][0]["text"],
        json!({ "type": "plain_text", "text": "You may not ask about <this> here.", "emoji": false })
    );
    bot.finish().await;
}

#[tokio::test]
async fn a_mention_in_a_thread_is_heard_there_and_without_the_mention() {
    let bot = Bot::start().await;
    let root = bot
        .slack
        .post(&Destination::Channel(place("C1", None)), &Message::line(Tone::Bad, crate::recording_intake::safe("broken")), "k1")
        .await;
    let root = root.unwrap();
    assert_eq!(bot.fake.next_post().await.ts, root);
    let payload = bot.fake.mention_payload("U2", "C1", "rerun 4", Some(&root));
    let envelope = bot.fake.deliver("events_api", payload);
    bot.fake.acknowledged(&envelope).await;
    let heard = bot.intake.hears(1).await;
    assert_eq!(heard[0].place, place("C1", Some(&root)));
    assert_eq!(heard[0].said, Payload::Words("rerun 4".to_owned()));
    assert!(heard[0].key.starts_with("message:T1:C1:"), "{}", heard[0].key);

    let payload = bot.fake.mention_payload("U2", "C1", "", None);
    let envelope = bot.fake.deliver("events_api", payload);
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.intake.hears(2).await[1].said, Payload::Words(String::new()), "whoever says nothing is heard too");
    bot.finish().await;
}

#[tokio::test]
async fn the_answer_to_a_mention_is_for_its_person_alone_in_the_same_thread() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Answer("Say rerun, widen or help."));
    let payload = bot.fake.mention_payload("U2", "C1", "dance", Some("1764000000.000001"));
    let envelope = bot.fake.deliver("events_api", payload);
    bot.fake.acknowledged(&envelope).await;
    let send_ephemeral = bot.fake.next_whisper().await;
    assert_eq!((&send_ephemeral["user"], &send_ephemeral["channel"]), (&json!("U2"), &json!("C1")));
    assert_eq!(send_ephemeral["thread_ts"], "1764000000.000001");
    assert_eq!(send_ephemeral["text"], "Say rerun, widen or help.");
    bot.finish().await;
}

#[tokio::test]
async fn bots_edits_and_the_bot_itself_are_not_listened_to() {
    let bot = Bot::start().await;
    let mention = |change: fn(&mut Value)| {
        let mut payload = bot.fake.mention_payload("U1", "C1", "prod/orders-db", None);
        change(&mut payload["event"]);
        payload
    };
    let envelopes = [
        mention(|event| event["bot_id"] = json!("B2")),
        mention(|event| event["user"] = json!("UBOT")),
        mention(|event| event["edited"] = json!({ "user": "U1", "ts": "1764000000.000009" })),
        mention(|event| event["subtype"] = json!("bot_message")),
        mention(|event| event["subtype"] = json!("message_changed")),
        mention(|event| event["user"] = Value::Null),
        mention(|event| *event = json!({ "type": "message", "user": "U1", "text": "hello", "ts": "1.2", "channel": "C1" })),
        mention(|event| *event = json!({ "type": "reaction_added", "user": "U1" })),
    ]
    .map(|payload| bot.fake.deliver("events_api", payload));
    for envelope in &envelopes {
        bot.fake.acknowledged(envelope).await;
    }
    assert!(bot.intake.heard().is_empty(), "{:?}", bot.intake.heard());
    bot.finish().await;
}

#[tokio::test]
async fn a_click_carries_the_button_and_the_thread_it_is_in() {
    let bot = Bot::start().await;
    let message = Message {
        controls: vec![
            Control::Button(MenuItem { label: crate::recording_intake::safe("Rerun all"), token: token(Action::RerunAll) }),
            Control::Select {
                placeholder: crate::recording_intake::safe("Rerun step…"),
                choices: StepName::ALL
                    .map(|step| MenuItem {
                        label: crate::recording_intake::safe(step.label()),
                        token: token(Action::RerunStep(step)),
                    })
                    .to_vec(),
            },
        ],
        ..Message::line(Tone::Bad, crate::recording_intake::safe("broken"))
    };
    let root = bot.slack.post(&Destination::Channel(place("C1", None)), &message, "k1").await.unwrap();
    bot.fake.next_post().await;
    for value in ["1.0123456789abcdef0123456789abcdef.1.rerun", "1.0123456789abcdef0123456789abcdef.1.rerun-4"] {
        let payload = bot.fake.click_payload("U2", "C1", &root, value);
        let envelope = bot.fake.deliver("interactive", payload);
        bot.fake.acknowledged(&envelope).await;
        let heard = bot.intake.heard().pop().unwrap();
        assert_eq!(heard.said, Payload::Click(value.to_owned()));
        assert_eq!(heard.place, place("C1", Some(&root)));
        assert_eq!(heard.actor.user, "U2");
    }
    bot.finish().await;
}

#[tokio::test]
async fn what_came_back_from_a_button_is_handed_on_as_it_is_and_never_cut() {
    let bot = Bot::start().await;
    for value in ["x".repeat(10_240), "0.y".to_owned(), "\u{0}\u{202e}".to_owned()] {
        let action = json!({ "type": "button", "action_id": "act-0", "value": value });
        let payload = bot.fake.interaction("U1", "C1", "1764000000.000001", None, action);
        let envelope = bot.fake.deliver("interactive", payload);
        bot.fake.acknowledged(&envelope).await;
        assert_eq!(bot.intake.heard().pop().unwrap().said, Payload::Click(value));
    }
    // A button that is not ours, or without a value, means nothing.
    for action in
        [json!({ "type": "button", "action_id": "other", "value": "x" }), json!({ "type": "button", "action_id": "act-0" })]
    {
        let payload = bot.fake.interaction("U1", "C1", "1764000000.000001", None, action);
        let envelope = bot.fake.deliver("interactive", payload);
        bot.fake.acknowledged(&envelope).await;
    }
    assert_eq!(bot.intake.heard().len(), 3);
    bot.finish().await;
}

#[tokio::test]
async fn an_expired_button_is_answered_to_its_person_alone_without_touching_the_message() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Answer("This button has expired, run again."));
    let action = json!({ "type": "button", "action_id": "act-0", "value": "old" });
    let payload = bot.fake.interaction("U1", "C3", "1764000000.000001", None, action);
    let envelope = bot.fake.deliver("interactive", payload);
    bot.fake.acknowledged(&envelope).await;
    let send_ephemeral = bot.fake.next_whisper().await;
    assert_eq!((&send_ephemeral["response_type"], &send_ephemeral["replace_original"]), (&json!("ephemeral"), &json!(false)));
    assert_eq!(send_ephemeral["text"], "This button has expired, run again.");
    bot.finish().await;
}

#[tokio::test]
async fn a_person_is_answered_in_the_channel_where_the_response_address_has_expired() {
    let bot = Bot::start().await;
    let reply = json!({ "channel": "C1", "user": "U1", "response_url": format!("http://{}/response/gone", bot.fake.web) });
    let message = Message::line(Tone::Neutral, crate::recording_intake::safe("late but true"));
    bot.slack.send_ephemeral(&ReplyTo(reply.to_string()), &message).await.unwrap();
    let send_ephemeral = bot.fake.next_whisper().await;
    assert_eq!((&send_ephemeral["user"], &send_ephemeral["channel"]), (&json!("U1"), &json!("C1")));

    let elsewhere = json!({ "channel": "C1", "user": "U1", "response_url": "https://evil.example/steal" });
    bot.slack.send_ephemeral(&ReplyTo(elsewhere.to_string()), &message).await.unwrap();
    assert_eq!(bot.fake.next_whisper().await["user"], json!("U1"), "an address that is not Slack's is never written to");
    bot.finish().await;
}

#[tokio::test]
async fn one_slow_message_does_not_hold_up_the_acknowledgement_of_others() {
    let bot = Bot::start().await;
    let go_on = Arc::new(Notify::new());
    bot.intake.next(Next::Wait(Arc::clone(&go_on)));
    let slow = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "slow"));
    bot.fake.may_stay_open(&slow);
    let others: Vec<_> =
        (0..20).map(|n| bot.fake.deliver("slash_commands", bot.fake.command_payload("U2", "C1", &format!("fast-{n}")))).collect();
    for envelope in &others {
        bot.fake.acknowledged(envelope).await;
    }
    assert_eq!(bot.intake.heard().len(), 20);
    go_on.notify_one();
    bot.fake.acknowledged(&slow).await;
    bot.finish().await;
}

#[tokio::test]
async fn a_panic_is_contained_and_the_message_comes_again() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Panic);
    let first = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "boom"));
    bot.fake.may_stay_open(&first);
    let second = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "fine"));
    bot.fake.acknowledged(&second).await;
    bot.fake.deliver_again(&first, None);
    bot.fake.acknowledged(&first).await;
    assert_eq!(bot.intake.heard().len(), 2);
    bot.finish().await;
}

#[tokio::test]
async fn an_event_that_could_not_be_stored_is_not_acknowledged_so_that_slack_sends_it_again() {
    let bot = Bot::start().await;
    bot.intake.next(Next::Unavailable("Please try again."));
    let payload = bot.fake.mention_payload("U1", "C1", "prod/orders-db", None);
    let event = bot.fake.deliver("events_api", payload);
    bot.fake.may_stay_open(&event);
    bot.intake.next(Next::Unavailable("Please try again."));
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "prod/orders-db"));
    let answer = bot.fake.acknowledged(&command).await.unwrap();
    assert_eq!(answer["text"], "🟡 Please try again.", "a command does not come again: its person has to know");
    assert!(bot.fake.world().envelopes[&event.0].acknowledged_after.is_none());
    bot.fake.deliver_again(&event, None);
    bot.fake.acknowledged(&event).await;
    assert_eq!(bot.intake.heard().len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn what_nobody_understands_is_acknowledged_and_forgotten() {
    let bot = Bot::start().await;
    for (kind, payload) in [
        ("slash_commands", json!({ "team_id": 1 })),
        ("events_api", json!([])),
        ("interactive", json!({ "type": "block_actions" })),
        ("interactive", json!({ "type": "shortcut", "callback_id": "x" })),
        ("something_new", json!({})),
    ] {
        let envelope = bot.fake.deliver(kind, payload);
        bot.fake.acknowledged(&envelope).await;
    }
    bot.fake.send_frame(None, &json!("no object"));
    bot.fake.send_frame(None, &json!({ "type": "slash_commands" }));
    let command = bot.fake.deliver("slash_commands", bot.fake.command_payload("U1", "C1", "still there"));
    bot.fake.acknowledged(&command).await;
    assert_eq!(bot.intake.heard().len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn an_app_of_a_whole_organization_clicks_without_a_team() {
    let bot = Bot::start().await;
    let action = json!({ "type": "button", "action_id": "act-0", "value": "x" });
    let mut payload = bot.fake.interaction("U1", "C1", "1764000000.000001", None, action);
    payload["team"] = Value::Null;
    payload["message"]["blocks"] = json!([{ "type": "from_the_future", "elements": 7 }]);
    payload["message"]["metadata"] = json!({ "event_type": "x", "event_payload": { "n": 1 } });
    let envelope = bot.fake.deliver("interactive", payload);
    bot.fake.acknowledged(&envelope).await;
    assert_eq!(bot.intake.hears(1).await[0].actor.workspace, "T1");
    bot.finish().await;
}

#[tokio::test]
async fn a_thread_has_an_address() {
    let fake = FakeSlack::start().await;
    let bot =
        Bot::start_with(fake, 1, rotation_diag::platforms::slack::Lookups::default(), crate::recording_intake::fast()).await;
    let thread = rotation_diag::model::ThreadRef {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        channel: "C1".to_owned(),
        root: "1764000000.000001".to_owned(),
    };
    assert_eq!(bot.slack.link(&thread).unwrap(), "https://example.slack.com/archives/C1/p1764000000000001");
    let strange = rotation_diag::model::ThreadRef { channel: "../x".to_owned(), ..thread };
    assert_eq!(bot.slack.link(&strange), None);
    bot.finish().await;
}

#[tokio::test]
async fn a_link_to_an_investigation_shows_its_verdict_where_its_writer_may_have_it_told() {
    let bot = Bot::start().await;
    let id = "0123456789abcdef0123456789abcdef";
    let page = format!("https://rotation-diag.example.com/console/investigations/{id}#step-4");
    let links =
        [page.as_str(), "https://rotation-diag.example.com/causes/db_auth_failed", "https://x.example/investigations/none", "?"];
    let shared = |user: &str, channel: &str| {
        let links: Vec<Value> = links.iter().map(|url| json!({ "domain": "rotation-diag.example.com", "url": url })).collect();
        let event = json!({
            "type": "link_shared", "user": user, "channel": channel, "message_ts": "1764000000.000077", "is_bot_user_member": true,
            "links": links, "unfurl_id": "C1.1764000000.000077.abc", "source": "conversations_history", "event_ts": "1.1",
        });
        bot.fake.event_payload(event, 1)
    };
    let mut old = shared("U1", "C1");
    old["event"].as_object_mut().unwrap().remove("unfurl_id");
    // In somebody's composer nobody knows yet where it will stand.
    for payload in [shared("U2", "C1"), shared("U1", "COMPOSER"), shared("U1", "C1"), old] {
        let envelope = bot.fake.deliver("events_api", payload);
        assert_eq!(bot.fake.acknowledged(&envelope).await, None);
    }
    let unfurled = bot.fake.until("two unfurls", |world| (world.unfurled.len() == 2).then(|| world.unfurled.clone())).await;
    let by_id = unfurled.iter().find(|one| one["unfurl_id"].is_string()).unwrap();
    let by_message = unfurled.iter().find(|one| one["ts"].is_string()).unwrap();
    assert_eq!((&by_id["source"], &by_message["channel"]), (&json!("conversations_history"), &json!("C1")));
    for one in [by_id, by_message] {
        let shown = one["unfurls"].as_object().unwrap();
        assert_eq!(shown.keys().collect::<Vec<_>>(), [&page], "other links are left alone");
        assert!(shown[&page]["blocks"].to_string().contains("is not rotating"));
    }
    bot.finish().await;
}
