//! Messages on their way out: threads, edits, files, and the steps back where something is not allowed.

use crate::bot::{Bot, line};
use crate::fake_discord::{CHANNEL, Channel, Event, Fault, Lacking, text};
use crate::samples::{everywhere, in_channel, in_thread, safe};
use rotation_diag::chat::document::{Attachment, Content, Mention, Part, Quote, Tone};
use rotation_diag::chat::{ChatPlatform as _, Destination, Message, SendError};
use rotation_diag::model::{PlatformName, ThreadRef};
use rotation_diag::platforms::discord::DiscordMode;
use serde_json::json;

pub(crate) async fn posted(bot: &Bot) -> (u64, u64, serde_json::Value) {
    match bot.fake.next().await {
        Event::Posted { channel, id, body, .. } => (channel, id, body),
        other => panic!("{other:?}"),
    }
}

/// A root message with its thread.
async fn root(bot: &Bot) -> String {
    let id = bot.discord.post(&in_channel(), &line("looking"), "root").await.unwrap();
    assert_eq!(posted(bot).await.1.to_string(), id);
    assert_eq!(bot.fake.next().await, Event::ThreadOpened { channel: CHANNEL, id: id.parse().unwrap(), name: "looking".into() });
    id
}

#[tokio::test]
async fn a_message_opens_its_thread_and_lives_on_in_edits_and_replies() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    bot.discord.edit(&in_channel(), &root, &everywhere("done")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { channel: CHANNEL, id, .. } if id.to_string() == root));
    assert!(matches!(bot.fake.next().await, Event::Renamed { name, .. } if name == "done"));
    bot.discord.edit(&in_thread(&root), &root, &line("done")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { channel: CHANNEL, .. }));
    let reply = bot.discord.post(&in_thread(&root), &line("details"), "reply").await.unwrap();
    assert_eq!(posted(&bot).await.0.to_string(), root);
    bot.discord.edit(&in_thread(&root), &reply, &line("more")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { channel, .. } if channel.to_string() == root));
    bot.fake.finish();
}

#[tokio::test]
async fn a_message_is_posted_whatever_becomes_of_its_thread_which_is_opened_later() {
    let bot = Bot::new(DiscordMode::Http).await;
    let unopened = |key: &'static str| {
        let bot = &bot;
        async move {
            bot.fake.with(|world| world.fault("POST", "/threads", Fault::status(503)));
            let root = bot.discord.post(&in_channel(), &line("looking"), key).await.unwrap();
            let (_, id, body) = posted(bot).await;
            assert_eq!((body["enforce_nonce"].as_bool(), body["nonce"].as_str().map(str::len)), (Some(true), Some(25)));
            assert_eq!(root, id.to_string());
            root
        }
    };
    let opened = |root: &str| Event::ThreadOpened { channel: CHANNEL, id: root.parse().unwrap(), name: "looking".into() };

    let root = unopened("1").await;
    bot.discord.edit(&in_channel(), &root, &line("done")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { body, .. } if text(&body) == "done"));
    assert_eq!(bot.fake.next().await, opened(&root));

    let root = unopened("2").await;
    bot.discord.post(&in_thread(&root), &line("details"), "3").await.unwrap();
    assert_eq!(bot.fake.next().await, opened(&root));
    assert_eq!(posted(&bot).await.0.to_string(), root);

    // Another process knows nothing, and the message says what its thread is called.
    let root = unopened("4").await;
    another(&bot).post(&in_thread(&root), &line("details"), "5").await.unwrap();
    assert_eq!(bot.fake.next().await, opened(&root));
    assert_eq!(posted(&bot).await.0.to_string(), root);
    bot.fake.finish();
}

#[tokio::test]
async fn a_message_that_was_posted_before_is_not_taken_for_the_one_that_is_posted_now() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    // Discord knows the key again and returns what is there.
    for (of, said) in [(&bot.discord, "the verdict"), (&another(&bot), "another verdict")] {
        assert_eq!(of.post(&in_channel(), &line(said), "root").await.unwrap(), root);
        assert!(matches!(bot.fake.next().await, Event::Edited { body, .. } if text(&body) == said));
    }
    assert_eq!(bot.fake.with(|world| world.channels[&CHANNEL].messages.len()), 1);
    bot.fake.with(|world| world.fault("PATCH", "/messages", Fault::status(500)));
    let error = bot.discord.post(&in_channel(), &line("a last verdict"), "root").await.unwrap_err();
    assert_eq!(error.kind(), "uncertain", "whoever delivers it looks for it and changes it");
    bot.fake.finish();
}

pub(crate) fn another(bot: &Bot) -> std::sync::Arc<rotation_diag::platforms::discord::Discord> {
    use rotation_diag::{clock::Clock, config::Token, platforms::discord::Discord};
    let config = bot.fake.config(DiscordMode::Http);
    Discord::new(&config, Token::new(crate::fake_discord::TOKEN), Clock::system()).unwrap()
}

#[tokio::test]
async fn without_a_permission_it_goes_one_step_back() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| {
        world.refuses_layouts = true;
        world.lack(CHANNEL, &[Lacking::Embed, Lacking::Attach]);
    });
    let file = Attachment { name: "a.txt".into(), description: safe("a"), content: Content::Text(safe("a")) };
    let message = Message { attachments: vec![file], ..everywhere("text") };
    bot.discord.post(&in_channel(), &message, "1").await.unwrap();
    let (_, id, body) = posted(&bot).await;
    assert!(body["embeds"] == json!([]) && body["content"].as_str().unwrap().contains("```sh\ntext\n```"), "{body}");
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    bot.discord.edit(&in_channel(), &id.to_string(), &everywhere("other")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { body, .. } if body["content"].as_str().unwrap().contains("other")));
    assert!(matches!(bot.fake.next().await, Event::Renamed { .. }));
    bot.fake.finish();
}

#[tokio::test]
async fn where_no_thread_can_be_opened_replies_go_to_the_channel() {
    for reason in ["permission", "cap", "kind", "participants", "unknown", "not found"] {
        let bot = Bot::new(DiscordMode::Http).await;
        bot.fake.with(|world| match reason {
            "permission" => world.lack(CHANNEL, &[Lacking::OpenThreads]),
            "cap" => world.threads_full = true,
            "participants" => world.fault("POST", "/threads", Fault::code(400, 30_033)),
            "unknown" => world.fault("POST", "/threads", Fault::code(403, 20_045)),
            "not found" => world.fault("POST", "/threads", Fault::status(404)),
            _ => world.channels.get_mut(&CHANNEL).unwrap().kind = 2,
        });
        let root = bot.discord.post(&in_channel(), &line("looking"), "root").await.unwrap();
        posted(&bot).await;
        let reply = bot.discord.post(&in_thread(&root), &line("details"), "reply").await.unwrap();
        let (channel, _, body) = posted(&bot).await;
        assert_eq!((channel, body["message_reference"]["message_id"].as_str()), (CHANNEL, Some(root.as_str())), "{reason}");
        bot.discord.edit(&in_thread(&root), &reply, &line("more")).await.unwrap();
        assert!(matches!(bot.fake.next().await, Event::Edited { channel: CHANNEL, .. }), "{reason}");
        let thread = ThreadRef {
            platform: PlatformName::new("discord"),
            workspace: "1".into(),
            channel: CHANNEL.to_string(),
            root: root.clone(),
        };
        assert_eq!(bot.discord.link(&thread), Some(format!("https://discord.com/channels/1/{CHANNEL}/{root}")));
        bot.fake.finish();
    }
}

#[tokio::test]
async fn a_thread_whose_name_is_blocked_gets_one_that_says_nothing() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.fault("POST", "/threads", Fault::code(400, 200_001)));
    bot.discord.post(&in_channel(), &line("looking"), "root").await.unwrap();
    posted(&bot).await;
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { name, .. } if name == "rotation"));
    bot.fake.finish();
}

#[tokio::test]
async fn what_automatic_moderation_blocks_is_shown_as_a_file() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.fault("POST", "/messages", Fault::code(400, 200_000)));
    let root = bot.discord.post(&in_channel(), &everywhere("blocked words"), "root").await.unwrap();
    let Event::Posted { body, files, .. } = bot.fake.next().await else { panic!() };
    assert!(!body.to_string().replace("whole-message", "").contains("blocked words\\n"), "{body}");
    assert!(body["content"].as_str().unwrap().contains("it is in the file"), "{body}");
    assert!(String::from_utf8_lossy(&files[0].1).contains("blocked words"));
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    bot.fake.with(|world| world.fault("PATCH", "/messages", Fault::code(400, 240_000)));
    bot.discord.edit(&in_channel(), &root, &everywhere("other words")).await.unwrap();
    let Event::Edited { files, .. } = bot.fake.next().await else { panic!() };
    assert!(String::from_utf8_lossy(&files[0].1).contains("other words"));
    assert!(matches!(bot.fake.next().await, Event::Renamed { .. }));
    bot.fake.finish();
}

#[tokio::test]
async fn without_embeds_all_of_it_comes_as_text_in_parts_and_later_ones_replace_them() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| {
        world.refuses_layouts = true;
        world.lack(CHANNEL, &[Lacking::Embed, Lacking::Attach]);
    });
    let root = root(&bot).await;
    let id: u64 = root.parse().unwrap();
    let long = |what: &str| {
        let log = (0..160).map(|at| format!("{what} line {at} of the log")).collect::<Vec<_>>().join("\n");
        let quote = Quote { lead: safe("step 4"), text: safe(&log), source: safe("logs") };
        let command = Part::Commands(vec![safe("aws secretsmanager rotate-secret")]);
        Message { parts: vec![Part::Quotes { label: safe("Proof"), quotes: vec![quote] }, command], ..line(what) }
    };
    // The message itself, and what follows it in its thread.
    let shown = |bot: &Bot| {
        bot.fake.with(|world| {
            let rest = world.channels[&id].messages.values();
            let all = std::iter::once(&world.channels[&CHANNEL].messages[&id]).chain(rest);
            all.map(|message| message["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
    };
    let whole = |texts: &[String], what: &str, lines: usize| {
        assert!(texts.iter().all(|text| text.encode_utf16().count() <= 2_000 && text.matches("```").count() % 2 == 0));
        let all = texts.join("\n");
        (0..lines).for_each(|at| assert!(all.contains(&format!("{what} line {at} of the log")), "{what} {at}"));
        assert!(all.contains("aws secretsmanager rotate-secret"));
    };
    bot.discord.edit(&in_channel(), &root, &long("first")).await.unwrap();
    let first = shown(&bot);
    whole(&first, "first", 160);
    assert!(first.len() > 2, "{}", first.len());
    // Another process finds the parts again by their numbers.
    another(&bot).edit(&in_channel(), &root, &long("second")).await.unwrap();
    let second = shown(&bot);
    whole(&second, "second", 160);
    assert!(!second.join("").contains("first") && second.len() == first.len());
    bot.discord.edit(&in_channel(), &root, &line("short")).await.unwrap();
    assert_eq!(shown(&bot), ["short"], "what was longer before is taken away");
    // A reply comes in parts where it is.
    bot.discord.post(&in_thread(&root), &long("reply"), "reply").await.unwrap();
    whole(&shown(&bot), "reply", 160);
    bot.fake.with(|world| world.events.clear());
    bot.fake.finish();
}

#[tokio::test]
async fn a_message_that_cannot_be_changed_is_taken_away_and_whoever_delivers_it_posts_it_anew() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    bot.fake.with(|world| world.fault_always("PATCH", "/messages", Fault::code(403, 50_005)));
    let progress = Message { tone: Tone::Working, ..line("looking") };
    assert_eq!(bot.discord.edit(&in_channel(), &root, &progress).await.unwrap_err().kind(), "refused");
    assert_eq!(bot.discord.edit(&in_channel(), &root, &everywhere("verdict")).await.unwrap_err().kind(), "refused");
    assert_eq!(bot.fake.next().await, Event::Deleted { channel: CHANNEL, id: root.parse().unwrap() });
    bot.fake.finish();
}

#[tokio::test]
async fn what_is_held_in_a_thread_of_others_never_leaves_it() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.channels.insert(71, Channel::of_kind(12, Some(CHANNEL))));
    let Destination::Thread(of) = in_thread("71") else { panic!() };
    let held = Destination::Held(of);
    let id = bot.discord.post(&held, &line("looking"), "1").await.unwrap();
    assert_eq!(posted(&bot).await.0, 71);
    bot.discord.edit(&held, &id, &everywhere("done")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { channel: 71, .. }));
    bot.fake.with(|world| world.channels.get_mut(&71).unwrap().archived = true);
    bot.discord.edit(&held, &id, &line("more")).await.unwrap();
    assert_eq!(bot.fake.next().await, Event::Unarchived { thread: 71 });
    assert!(matches!(bot.fake.next().await, Event::Edited { channel: 71, .. }));
    for change in [
        (|thread: &mut Channel| thread.locked = true) as fn(&mut Channel),
        |thread| thread.lacking.extend([Lacking::SendInThreads]),
        |thread| thread.lacking.extend([Lacking::View]),
    ] {
        bot.fake.with(|world| change(world.channels.get_mut(&71).unwrap()));
        assert_eq!(bot.discord.post(&held, &line("details"), "2").await.unwrap_err().kind(), "closed");
    }
    bot.fake.with(|world| world.channels.remove(&71));
    assert_eq!(bot.discord.post(&held, &line("details"), "3").await.unwrap_err().kind(), "closed");
    assert_eq!(bot.fake.with(|world| world.asked("POST", &format!("/channels/{CHANNEL}/"))), 0);
    bot.fake.finish();
}

#[tokio::test]
async fn a_thread_that_takes_nothing_is_opened_again_or_left_for_its_channel() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    let id: u64 = root.parse().unwrap();
    let reply = bot.discord.post(&in_thread(&root), &line("details"), "1").await.unwrap();
    posted(&bot).await;

    let thread = |change: fn(&mut Channel)| bot.fake.with(|world| change(world.channels.get_mut(&id).unwrap()));
    thread(|thread| thread.archived = true);
    bot.discord.edit(&in_thread(&root), &reply, &line("more")).await.unwrap();
    assert_eq!(bot.fake.next().await, Event::Unarchived { thread: id });
    assert!(matches!(bot.fake.next().await, Event::Edited { channel, .. } if channel == id));

    thread(|thread| thread.archived = true);
    bot.discord.post(&in_thread(&root), &line("details"), "2").await.unwrap();
    assert_eq!(posted(&bot).await.0, id);

    thread(|thread| thread.locked = true);
    bot.discord.post(&in_thread(&root), &line("details"), "3").await.unwrap();
    assert_eq!(posted(&bot).await.0, CHANNEL);

    thread(|thread| {
        thread.locked = false;
        thread.lacking.insert(Lacking::SendInThreads);
    });
    bot.discord.post(&in_thread(&root), &line("details"), "4").await.unwrap();
    assert_eq!(posted(&bot).await.0, CHANNEL);
    bot.fake.finish();
}

#[tokio::test]
async fn what_somebody_deleted_is_gone_and_nothing_is_tried_in_a_loop() {
    let bot = Bot::new(DiscordMode::Http).await;
    let root = root(&bot).await;
    let id: u64 = root.parse().unwrap();
    bot.fake.with(|world| world.channels.get_mut(&CHANNEL).unwrap().messages.remove(&id));
    let error = bot.discord.edit(&in_channel(), &root, &line("done")).await.unwrap_err();
    assert!(matches!(error, SendError::Gone { .. }), "{error:?}");
    // The thread outlives its first message.
    bot.discord.post(&in_thread(&root), &line("details"), "1").await.unwrap();
    assert_eq!(posted(&bot).await.0, id);
    bot.fake.with(|world| world.channels.remove(&id));
    let before = bot.fake.with(|world| world.requests.len());
    let error = bot.discord.post(&in_thread(&root), &line("details"), "2").await.unwrap_err();
    assert!(matches!(error, SendError::Gone { .. }), "{error:?}");
    assert_eq!(bot.fake.with(|world| world.requests.len()), before + 3);
    bot.fake.with(|world| world.lack(CHANNEL, &[Lacking::View]));
    let error = bot.discord.post(&in_channel(), &line("looking"), "3").await.unwrap_err();
    assert!(matches!(error, SendError::Closed { tell, .. } if tell.contains("add me")), "{error:?}");
    bot.fake.finish();
}

#[tokio::test]
async fn files_go_along_and_an_edit_keeps_them() {
    let bot = Bot::new(DiscordMode::Http).await;
    let file = |name: &str, content: Content| Attachment { name: name.into(), description: safe("what it shows"), content };
    let files = vec![
        file("../../orders db.json", Content::Text(safe("{\"a\":\"é\"}"))),
        file("chart.png", Content::Png("iVBORw0KGgo=".to_owned())),
        file("broken.png", Content::Png("not base64".to_owned())),
    ];
    let message = Message { attachments: files, ..line("export") };
    let root = bot.discord.post(&in_channel(), &message, "1").await.unwrap();
    let Event::Posted { files, body, .. } = bot.fake.next().await else { panic!() };
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["....ordersdb.json", "chart.png"]);
    assert_eq!((&files[0].1[..], &files[1].1[..4]), ("{\"a\":\"é\"}".as_bytes(), &b"\x89PNG"[..]));
    assert_eq!(body["attachments"][1], json!({"id": "1", "filename": "chart.png", "description": "what it shows"}));
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    bot.discord.edit(&in_channel(), &root, &line("export, closed")).await.unwrap();
    bot.fake.next().await;
    bot.discord.edit(&in_channel(), &root, &everywhere(&"long ".repeat(900))).await.unwrap();
    let Event::Edited { files, .. } = bot.fake.next().await else { panic!() };
    assert_eq!(files[0].0, "whole-message.txt");
    assert!(matches!(bot.fake.next().await, Event::Renamed { .. }));
    let kept = bot.fake.with(|world| world.channels[&CHANNEL].messages[&root.parse().unwrap()]["attachments"].clone());
    let kept: Vec<&str> = kept.as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap()).collect();
    assert_eq!(kept, ["....ordersdb.json", "chart.png", "whole-message.txt"]);
    bot.fake.finish();
}

#[tokio::test]
async fn only_a_typed_mention_calls_somebody_and_never_in_an_edit() {
    for (mention, allowed, shown, everyone) in [
        (Mention::User("42".into()), json!({"parse": [], "users": ["42"]}), "<@42> ", "\\@everyone"),
        (Mention::Group("43".into()), json!({"parse": [], "roles": ["43"]}), "<@&43> ", "\\@everyone"),
        (
            Mention::People(vec!["44".into(), "x".into(), "45".into()]),
            json!({"parse": [], "users": ["44", "45"]}),
            "<@44> <@45> ",
            "\\@everyone",
        ),
        (Mention::People(vec!["@everyone".into()]), json!({"parse": []}), "", "\\@everyone"),
        // Whoever may call those who are here may call everyone.
        (Mention::Here, json!({"parse": ["everyone"]}), "@here ", "＠everyone"),
        (Mention::User("@everyone".into()), json!({"parse": []}), "", "\\@everyone"),
        (Mention::Group("0".into()), json!({"parse": []}), "", "\\@everyone"),
    ] {
        let bot = Bot::new(DiscordMode::Http).await;
        bot.fake.with(|world| world.may_mention = Some(allowed));
        let message = Message { mention: Some(mention), ..line("@everyone look") };
        let root = bot.discord.post(&in_channel(), &message, "1").await.unwrap();
        let (_, _, body) = posted(&bot).await;
        assert_eq!(body["content"], format!("{shown}{everyone} look"));
        bot.fake.next().await;
        // The fake refuses an edit that allows any mention.
        bot.discord.edit(&in_channel(), &root, &message).await.unwrap();
        bot.fake.next().await;
        bot.fake.finish();
    }
}
