//! Alarms whose channel is a forum: each thread is a post.

use crate::bot::{Bot, line};
use crate::delivery::{another, posted};
use crate::fake_discord::{CHANNEL, Event, Fault, Lacking};
use crate::samples::{everywhere, in_channel, in_thread, safe};
use jiff::{SignedDuration, Timestamp};
use rotation_diag::chat::document::{Attachment, Content, Tone};
use rotation_diag::chat::{ChatPlatform as _, LostPost, Message};
use rotation_diag::platforms::discord::DiscordMode;

async fn forum() -> Bot {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.channels.get_mut(&CHANNEL).unwrap().kind = 15);
    bot
}

fn looking() -> Message {
    Message { tone: Tone::Working, ..line("looking") }
}

async fn opened(bot: &Bot) -> (u64, serde_json::Value, usize) {
    match bot.fake.next().await {
        Event::PostOpened { forum: CHANNEL, id, body, files } => (id, body, files.len()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_post_begins_and_lives_on_in_its_first_message_and_in_replies() {
    let bot = forum().await;
    let root = bot.discord.post(&in_channel(), &looking(), "root").await.unwrap();
    let (id, body, _) = opened(&bot).await;
    assert_eq!((root.clone(), body["name"].as_str()), (id.to_string(), Some("looking")));
    // Also by a process that does not know that it is a forum.
    for of in [std::sync::Arc::clone(&bot.discord), another(&bot)] {
        let verdict = Message { title: safe("prod/x is not rotating"), ..everywhere("text") };
        of.edit(&in_channel(), &root, &verdict).await.unwrap();
        assert!(matches!(bot.fake.next().await, Event::Edited { channel, id: edited, .. } if (channel, edited) == (id, id)));
        assert_eq!(bot.fake.with(|world| world.channels[&id].name.clone()), "prod/x is not rotating");
        bot.fake.with(|world| world.events.clear());
    }
    bot.discord.post(&in_thread(&root), &line("details"), "reply").await.unwrap();
    assert_eq!(posted(&bot).await.0, id);
    bot.fake.with(|world| world.channels.get_mut(&id).unwrap().archived = true);
    bot.discord.edit(&in_channel(), &root, &looking()).await.unwrap();
    assert_eq!(bot.fake.next().await, Event::Unarchived { thread: id });
    assert!(matches!(bot.fake.next().await, Event::Edited { channel, .. } if channel == id));
    bot.fake.finish();
}

#[tokio::test]
async fn a_forum_that_wants_a_tag_gets_the_first_that_anybody_may_give_and_files_come_along() {
    let bot = forum().await;
    bot.fake.with(|world| world.channels.get_mut(&CHANNEL).unwrap().needs_tag = true);
    let file = Attachment { name: "a.txt".into(), description: safe("a"), content: Content::Text(safe("a")) };
    bot.discord.post(&in_channel(), &Message { attachments: vec![file], ..line("alarm") }, "1").await.unwrap();
    let (_, body, files) = opened(&bot).await;
    assert_eq!((&body["applied_tags"], files), (&serde_json::json!(["32"]), 1));
    bot.fake.finish();
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_again() {
    let bot = forum().await;
    bot.fake.with(|world| world.fault("POST", "/threads", Fault::LoseAnswer));
    assert_eq!(bot.discord.post(&in_channel(), &looking(), "1").await.unwrap_err().kind(), "uncertain");
    let (id, _, _) = opened(&bot).await;
    let message = looking();
    for minutes in [0, 5] {
        let since = Timestamp::now() - SignedDuration::from_mins(minutes);
        let lost = LostPost { key: "1", message: &message, since, others: &[] };
        assert_eq!(another(&bot).find(&in_channel(), &lost).await.unwrap(), Some(id.to_string()), "there is no nonce");
        let known = [id.to_string()];
        let other = LostPost { others: &known, ..lost };
        assert_eq!(another(&bot).find(&in_channel(), &other).await.unwrap(), None);
    }
    bot.fake.finish();
}

#[tokio::test]
async fn a_forum_that_takes_no_posts_is_closed() {
    let bot = forum().await;
    bot.fake.with(|world| world.lack(CHANNEL, &[Lacking::Send]));
    assert_eq!(bot.discord.post(&in_channel(), &looking(), "1").await.unwrap_err().kind(), "closed");
    bot.fake.finish();
}
