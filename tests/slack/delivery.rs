//! Messages on their way to Slack: limits, refusals, lost answers, files.

use crate::conversation::place;
use crate::fake_slack::{BOT_TOKEN, FakeSlack, Fault};
use crate::recording_intake::{broadcaster, lost, safe, sender};
use rotation_diag::chat::document::{Attachment, Content, Message, Part, Tone};
use rotation_diag::chat::{ChatPlatform as _, Destination, SendError};
use rotation_diag::model::{PlatformName, ReplyTo, ThreadRef};
use serde_json::json;
use std::time::Duration;

fn channel(id: &str) -> Destination {
    Destination::Channel(place(id, None))
}

fn thread(channel: &str, root: &str) -> Destination {
    Destination::Thread(ThreadRef {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        channel: channel.to_owned(),
        root: root.to_owned(),
    })
}

fn line(text: &str) -> Message {
    Message::line(Tone::Bad, safe(text))
}

#[tokio::test]
async fn a_message_opens_a_thread_is_replied_to_and_edited() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let root = slack.post(&channel("C1"), &line("looking"), "key-1").await.unwrap();
    let reply = slack.post(&thread("C1", &root), &line("evidence"), "key-2").await.unwrap();
    slack.edit(&channel("C1"), &root, &line("the verdict")).await.unwrap();
    let (first, second) = (fake.next_post().await, fake.next_post().await);
    assert_eq!((first.text.as_str(), first.thread, first.edits), ("🔴 the verdict", None, 1));
    assert_eq!(first.metadata, json!({ "event_type": "rotation_diag_delivery", "event_payload": { "key": "key-1" } }));
    assert_eq!((second.ts, second.thread), (reply, Some(root)));
    fake.finish();
}

#[tokio::test]
async fn people_are_named_by_an_edit_which_calls_nobody() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let mut message = line("U1 resolved this; prod/U1 is not rotating");
    message.parts = vec![Part::Context(vec![safe("resolved by U1, prod"), safe("not by U2")])];
    message.people = vec!["U1".to_owned(), "the alarm".to_owned()];
    let root = slack.post(&channel("C1"), &message, "root").await.unwrap();
    let posted = fake.world().calls.iter().find(|call| call.method == "chat.postMessage").unwrap().arguments.to_string();
    assert!(!posted.contains("<@U1>") && !posted.contains("user_id") && !posted.contains("U1 resolved"), "{posted}");
    assert!(posted.contains("Someone resolved this; prod/U1 is not rotating"), "{posted}");
    let shown = fake.next_post().await;
    assert_eq!((shown.ts.as_str(), shown.edits), (root.as_str(), 1));
    let runs = &shown.blocks[0]["elements"][0]["elements"];
    assert_eq!(runs[1], json!({ "type": "user", "user_id": "U1", "style": { "bold": true } }), "{runs}");
    assert_eq!(shown.blocks[1]["elements"][0]["text"], "resolved by <@U1>, prod · not by U2");
    assert!(!shown.text.contains("<@"), "a notification calls nobody: {}", shown.text);

    // Where the edit fails, the message stands without a name.
    fake.fault("chat.update", Fault::Code("message_not_found"));
    slack.post(&channel("C1"), &message, "second").await.unwrap();
    assert!(fake.next_post().await.text.contains("Someone resolved this"));
    fake.finish();
}

#[tokio::test]
async fn only_an_ending_is_shown_in_the_channel_too_and_only_where_the_configuration_says_so() {
    let fake = FakeSlack::start().await;
    let ending = Message { is_ending: true, ..line("the watched rotation succeeded") };
    for (slack, expected) in [(sender(&fake), json!(null)), (broadcaster(&fake), json!(true))] {
        let root = slack.post(&channel("C1"), &ending, "root").await.unwrap();
        slack.post(&thread("C1", &root), &line("evidence"), "reply").await.unwrap();
        slack.post(&thread("C1", &root), &ending, "ending").await.unwrap();
        for expected in [json!(null), json!(null), expected] {
            assert_eq!(fake.next_post().await.request["reply_broadcast"], expected);
        }
    }
    fake.finish();
}

#[tokio::test]
async fn each_failure_of_a_post_has_its_meaning() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    for (fault, expected) in [
        (Fault::Code("channel_not_found"), "not taken there: chat.postMessage: channel_not_found; invite the bot to the channel"),
        (Fault::Code("not_in_channel"), "not taken there: chat.postMessage: not_in_channel; invite the bot to the channel"),
        (
            Fault::Code("is_archived"),
            "not taken there: chat.postMessage: is_archived; choose another channel, or have it unarchived",
        ),
        (Fault::Code("invalid_auth"), "the token is not accepted: chat.postMessage: invalid_auth; check the token"),
        (Fault::Code("cant_update_message"), "refused: chat.postMessage: cant_update_message"),
        (Fault::Code("never_seen"), "not sent yet: chat.postMessage: never_seen"),
        (Fault::Code("fatal_error"), "perhaps sent: chat.postMessage: fatal_error"),
        (Fault::Status(302, vec![("location", "http://127.0.0.1:9/")]), "not sent yet: chat.postMessage: HTTP status 302"),
        (Fault::Status(403, vec![]), "refused: chat.postMessage: HTTP status 403"),
        (Fault::Status(503, vec![]), "perhaps sent: chat.postMessage: HTTP status 503"),
        (Fault::Body("text/html", "<html>ok</html>"), "perhaps sent: chat.postMessage: Slack's answer could not be read"),
        (Fault::Body("application/json", ""), "perhaps sent: chat.postMessage: Slack's answer could not be read"),
        (Fault::Body("application/json", "{\"ok\":"), "perhaps sent: chat.postMessage: Slack's answer could not be read"),
        (Fault::Body("text/plain", "ok"), "perhaps sent: chat.postMessage: Slack's answer could not be read"),
        (Fault::Body("application/json", "{\"ok\":true}"), "perhaps sent: chat.postMessage: Slack's answer could not be read"),
        (Fault::Hang, "perhaps sent: chat.postMessage: Slack's answer was lost"),
    ] {
        fake.fault("chat.postMessage", fault.clone());
        // A channel of its own for each, so that none waits for its turn.
        let error = slack.post(&channel(&format!("C{expected:.40}")), &line("x"), "k").await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{fault:?}");
    }
    fake.finish();
}

#[tokio::test]
async fn what_never_left_is_told_from_what_may_have_arrived() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    fake.fault("chat.postMessage", Fault::LostAfterwards);
    let error = slack.post(&channel("C1"), &line("x"), "key-9").await.unwrap_err();
    assert_eq!(error, SendError::Uncertain { why: "chat.postMessage: Slack's answer was lost".to_owned() });
    assert_eq!(
        slack.find(&channel("C1"), &lost("key-9", &line("x"))).await,
        Ok(Some(fake.next_post().await.ts)),
        "it had arrived, and is found"
    );
    assert_eq!(slack.find(&channel("C1"), &lost("key-10", &line("x"))).await, Ok(None));

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = crate::recording_intake::config(&fake, crate::recording_intake::socket_mode(1));
    config.api_url = format!("http://{}/api", nobody.local_addr().unwrap()).parse().unwrap();
    drop(nobody);
    let lookups = rotation_diag::platforms::slack::Lookups::default();
    let tokens = crate::recording_intake::tokens(crate::fake_slack::APP_TOKEN);
    let unreachable =
        rotation_diag::platforms::slack::Slack::new(&config, &tokens, lookups, rotation_diag::clock::Clock::system()).unwrap();
    let error = unreachable.post(&channel("C1"), &line("x"), "k").await.unwrap_err();
    assert_eq!(error, SendError::Later { after: None, why: "chat.postMessage: Slack could not be reached".to_owned() });
    fake.finish();
}

#[tokio::test]
async fn a_message_is_found_on_a_later_page_of_its_channel_or_thread_and_only_by_its_own_key() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    fake.world().scopes.clear();
    let root = slack.post(&channel("C1"), &line("root"), "root").await.unwrap();
    let copy = fake.next_post().await;
    {
        // Forty messages of others in between, some of them with metadata of their own.
        let mut world = fake.world();
        for n in 0..40 {
            let ts = world.next_ts();
            let metadata = json!({ "event_type": "other", "event_payload": { "key": "root" } });
            let thread = (n % 2 == 0).then(|| root.clone());
            world.channels.get_mut("C1").unwrap().messages.push(crate::fake_slack::Posted {
                ts,
                thread,
                metadata,
                ..copy.clone()
            });
        }
    }
    assert_eq!(slack.find(&channel("C1"), &lost("root", &line("x"))).await, Ok(Some(root.clone())));
    let reply = slack.post(&thread("C1", &root), &line("reply"), "reply").await.unwrap();
    assert_eq!(slack.find(&thread("C1", &root), &lost("reply", &line("x"))).await, Ok(Some(reply)));
    assert_eq!(slack.find(&channel("C1"), &lost("reply", &line("x"))).await, Ok(None));
    assert!(matches!(slack.find(&thread("C1", "1.2"), &lost("reply", &line("x"))).await, Err(SendError::Gone { .. })));
    fake.next_post().await;
    fake.finish();
}

#[tokio::test]
async fn a_limit_is_honoured_for_its_own_method_alone() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let root = slack.post(&channel("C1"), &line("root"), "k").await.unwrap();
    fake.fault("chat.update", Fault::Status(429, vec![("retry-after", "30")]));
    let limited = |result: Result<(), SendError>| match result {
        Err(SendError::Later { after: Some(after), .. }) => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(limited(slack.edit(&channel("C1"), &root, &line("x")).await), Duration::from_secs(30));
    let again = limited(slack.edit(&channel("C1"), &root, &line("x")).await);
    assert!(again > Duration::from_secs(25) && again <= Duration::from_secs(30), "{again:?}");
    assert_eq!(fake.calls("chat.update"), 1, "nobody asks again before the time is over");
    slack.post(&channel("C2"), &line("other"), "k2").await.unwrap();
    fake.next_post().await;
    fake.next_post().await;
    fake.finish();
}

#[tokio::test]
async fn waits_that_are_no_number_of_seconds_have_a_default() {
    let fake = FakeSlack::start().await;
    for (told, expected) in [
        (Some("0"), 1),
        (Some("1"), 1),
        (Some("3600"), 900),
        (Some("-5"), 30),
        (Some("Wed, 21 Oct 2026 07:28:00 GMT"), 30),
        (Some("soon"), 30),
        (None, 30),
    ] {
        let slack = sender(&fake);
        fake.fault("chat.postMessage", Fault::Status(429, told.map(|told| ("retry-after", told)).into_iter().collect()));
        let Err(SendError::Later { after, .. }) = slack.post(&channel("C1"), &line("x"), "k").await else { panic!("{told:?}") };
        assert_eq!(after, Some(Duration::from_secs(expected)), "{told:?}");
    }
    fake.finish();
}

#[tokio::test]
async fn messages_to_one_channel_keep_a_second_apart_after_two_and_other_channels_do_not_wait() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let (here, other) = (channel("C1"), channel("C2"));
    let (first, second, third, elsewhere) = (line("1"), line("2"), line("3"), line("4"));
    let posted = tokio::join!(
        slack.post(&here, &first, "a"),
        slack.post(&here, &second, "b"),
        slack.post(&here, &third, "c"),
        slack.post(&other, &elsewhere, "d")
    );
    assert!(posted.0.is_ok() && posted.1.is_ok() && posted.2.is_ok() && posted.3.is_ok());
    let times: Vec<_> = {
        let world = fake.world();
        let posts = world.calls.iter().filter(|call| call.method == "chat.postMessage");
        posts.map(|call| (call.arguments["channel"].as_str().unwrap().to_owned(), call.at)).collect()
    };
    let of = |channel: &str| times.iter().filter(|(of, _)| of == channel).map(|(_, at)| *at).collect::<Vec<_>>();
    let apart = of("C1")[2] - of("C1")[1];
    // A loaded machine may see the first one late; the exact turns are pinned where they are given.
    assert!(apart >= Duration::from_millis(500), "{apart:?}");
    assert!(of("C2")[0] < of("C1")[2]);
    for _ in 0..4 {
        fake.next_post().await;
    }
    fake.finish();
}

#[tokio::test]
async fn files_follow_their_message_in_its_thread() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let png = vec![0x89, b'P', b'N', b'G'];
    let attachment = |name: &str, content| Attachment { name: name.to_owned(), description: safe("what it shows"), content };
    let message = Message {
        attachments: vec![
            attachment("orders-db.json", Content::Text(safe("{\"password\":\"canarypassword1\"}"))),
            attachment("chart.png", Content::Png("iVBORw==".to_owned())),
            attachment("../../etc/passwd", Content::Text(safe("x"))),
            attachment("broken.png", Content::Png("no base64!".to_owned())),
            attachment("", Content::Text(safe("x"))),
        ],
        ..line("evidence")
    };
    assert!(slack.owes_files(&message) && !slack.owes_files(&line("evidence")));
    let root = slack.post(&channel("C1"), &message, "k").await.unwrap();
    fake.next_post().await;
    slack.attach(&channel("C1"), &root, &message, false).await.unwrap();
    // Once more, because nobody knows whether it worked: what is there is not sent again.
    slack.attach(&channel("C1"), &root, &message, true).await.unwrap();
    let mut shared = Vec::new();
    while let Some(file) = fake.world().read_file() {
        assert_eq!((file.channel.as_str(), file.thread.as_deref()), ("C1", Some(root.as_str())));
        shared.push((file.name, file.content));
    }
    let names: Vec<&str> = shared.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["orders-db.json", "chart.png", "....etcpasswd"]);
    assert_eq!(shared[1].1, png);
    assert!(!String::from_utf8_lossy(&shared[0].1).contains("canarypassword1"));
    fake.finish();
}

#[tokio::test]
async fn files_that_are_refused_are_told_in_the_thread_with_the_reason_and_others_are_tried_again() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let attachment = Attachment { name: "a.txt".to_owned(), description: safe("a"), content: Content::Text(safe("a")) };
    let message = Message { attachments: vec![attachment], ..line("x") };
    let root = slack.post(&channel("C1"), &message, "k").await.unwrap();
    fake.next_post().await;
    for (method, fault, expected) in [
        ("files.getUploadURLExternal", Fault::Status(500, vec![]), "later"),
        ("files.completeUploadExternal", Fault::Status(429, vec![("retry-after", "1")]), "later"),
        ("files.completeUploadExternal", Fault::Code("internal_error"), "uncertain"),
        ("files.completeUploadExternal", Fault::LostAfterwards, "uncertain"),
    ] {
        fake.fault(method, fault);
        let error = slack.attach(&channel("C1"), &root, &message, false).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{method}");
    }
    slack.attach(&channel("C1"), &root, &message, true).await.unwrap();
    assert_eq!(fake.world().read_file().unwrap().name, "a.txt");
    assert!(fake.world().read_file().is_none(), "it had arrived");

    for (at, method, code, why) in [
        ("C1", "files.getUploadURLExternal", "missing_scope", "install the app again"),
        ("C2", "files.completeUploadExternal", "file_uploads_disabled", "do not let me upload files"),
    ] {
        fake.fault(method, Fault::Code(code));
        let root = slack.post(&channel(at), &message, at).await.unwrap();
        assert!(fake.next_post().await.text.ends_with(" x"));
        let error = slack.attach(&channel(at), &root, &message, false).await.unwrap_err();
        assert_eq!(error.kind(), "closed");
        let told = fake.next_post().await;
        assert_eq!((told.channel.as_str(), told.thread.as_deref()), (at, Some(root.as_str())));
        assert!(told.text.contains("A file is missing here: a.txt"), "{}", told.text);
        assert!(told.text.contains(why) && told.text.contains("press Export again"), "{}", told.text);
    }
    fake.finish();
}

#[tokio::test]
async fn a_message_whose_form_is_refused_comes_as_plain_text_and_one_the_thread_refuses_comes_beside_it() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let message = Message { parts: vec![Part::Commands(vec![safe("aws iam get-role `x` <@U2>")])], ..line("the verdict") };
    for (at, code, times) in [("C1", "invalid_blocks", 1), ("C2", "metadata_too_large", 2)] {
        for _ in 0..times {
            fake.fault("chat.postMessage", Fault::Code(code));
        }
        slack.post(&channel(at), &message, "k").await.unwrap();
        let post = fake.next_post().await;
        assert_eq!(post.text, "```🔴 the verdict\n\naws iam get-role 'x' &lt;@U2&gt;\n```".replace("\n```", "```"));
        assert_eq!((post.blocks.is_null(), post.metadata.is_null()), (true, times == 2));
        fake.fault("chat.update", Fault::Code("msg_too_long"));
        slack.edit(&channel(at), &post.ts, &message).await.unwrap();
        assert_eq!(fake.world().message(at, &post.ts).unwrap().blocks, json!([]));
    }
    fake.world().channels.insert("C4".to_owned(), crate::fake_slack::Channel { bot_is_member: true, ..Default::default() });
    let root = slack.post(&channel("C4"), &line("root"), "root").await.unwrap();
    fake.next_post().await;
    fake.fault("chat.postMessage", Fault::Code("restricted_action_non_threadable_channel"));
    slack.post(&thread("C4", &root), &line("details"), "details").await.unwrap();
    let beside = fake.next_post().await;
    assert_eq!((beside.text.as_str(), beside.thread), ("🔴 details", None));
    fake.finish();
}

#[tokio::test]
async fn what_does_not_fit_into_a_message_is_in_a_file_beside_it_and_an_edit_says_where_to_find_it() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let lines: Vec<_> = (0..500).map(|n| safe(&format!("line {n} of the evidence, which is rather long and goes on"))).collect();
    let message = Message { parts: vec![Part::Section { label: safe("Evidence"), lines }], ..line("step 4 · function logs") };
    let root = slack.post(&channel("C1"), &message, "k").await.unwrap();
    slack.attach(&channel("C1"), &root, &message, false).await.unwrap();
    let post = fake.next_post().await;
    let note = post.blocks.as_array().unwrap().last().unwrap()["elements"][0]["text"].as_str().unwrap().to_owned();
    assert!(note.ends_with("more lines: details.txt in the thread has all of it."), "{note}");
    let file = fake.world().read_file().unwrap();
    assert_eq!(file.name, "details.txt");
    let text = String::from_utf8(file.content).unwrap();
    assert!(text.starts_with("step 4 · function logs\n") && text.contains("\n  line 499 of the evidence"), "{text:.200}");
    slack.edit(&channel("C1"), &root, &message).await.unwrap();
    let edited = fake.world().message("C1", &root).unwrap().blocks.to_string();
    assert!(edited.contains("more lines do not fit; Export has all of it."));
    fake.finish();
}

#[tokio::test]
async fn an_edit_of_what_is_gone_and_an_answer_nobody_can_read_are_told_apart() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    let gone = slack.edit(&channel("C1"), "1.2", &line("x")).await.unwrap_err();
    assert_eq!(gone, SendError::Gone { why: "chat.update: message_not_found".to_owned() });
    for text in ["", "{}", "https://hooks.slack.com/x"] {
        let refused = slack.send_ephemeral(&ReplyTo(text.to_owned()), &line("x")).await.unwrap_err();
        assert_eq!(refused.to_string(), "refused: the address of an answer cannot be read");
    }
    fake.finish();
}

#[tokio::test]
async fn no_error_holds_a_token_an_address_or_a_message() {
    let fake = FakeSlack::start().await;
    let slack = sender(&fake);
    for fault in [
        Fault::Status(500, vec![]),
        Fault::Code("xoxb-1111-2222-canarybottoken"),
        Fault::Body("application/json", "{\"ok\":false,\"error\":\"see https://hooks.slack.com/canaryresponse\"}"),
        Fault::Body("text/plain", "canaryevidence"),
        Fault::Hang,
    ] {
        fake.fault("chat.postMessage", fault);
        let error = slack.post(&channel("C9"), &line("canaryevidence"), "k").await.unwrap_err();
        let told = format!("{error} {error:?}");
        for secret in [BOT_TOKEN, "canary", "http", "127.0.0.1"] {
            assert!(!told.contains(secret) || secret == "http" && told.contains("HTTP"), "{told}");
        }
    }
    fake.finish();
}
