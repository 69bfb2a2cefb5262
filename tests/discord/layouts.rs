//! Messages that are laid out in components, and the steps back to embeds and text.

use crate::bot::{Bot, line};
use crate::delivery::posted;
use crate::fake_discord::{CHANNEL, Event, Lacking, components, is_laid_out, text};
use crate::samples::{everywhere, in_channel, in_thread, safe};
use rotation_diag::chat::document::{Attachment, Content, Mention, Message};
use rotation_diag::chat::{ChatPlatform as _, SendError};
use rotation_diag::platforms::discord::DiscordMode;
use serde_json::Value;

fn with_files(message: Message) -> Message {
    let file = |name: &str, content| Attachment { name: name.to_owned(), description: safe("what it shows"), content };
    let files = vec![file("chart.png", Content::Png("aGVsbG8=".to_owned())), file("a.txt", Content::Text(safe("a")))];
    Message { attachments: files, ..message }
}

fn in_a_thread() -> rotation_diag::chat::Destination {
    in_thread(&CHANNEL.to_string())
}

/// Posts to a thread whose first message is not there, so that nothing else happens.
async fn post(bot: &Bot, message: &Message, key: &str) -> (String, Value) {
    let id = bot.discord.post(&in_a_thread(), message, key).await.unwrap();
    (id, posted(bot).await.2)
}

async fn edit(bot: &Bot, id: &str, message: &Message) -> Value {
    bot.discord.edit(&in_a_thread(), id, message).await.unwrap();
    let Event::Edited { body, .. } = bot.fake.next().await else { panic!("it was not edited") };
    body
}

fn kept(bot: &Bot, id: &str) -> Value {
    bot.fake.with(|world| world.channels[&CHANNEL].messages[&id.parse().unwrap()].clone())
}

/// What the components of a message show of its files.
fn shown_files(message: &Value) -> usize {
    let all = components(message);
    all.iter().map(|one| one["items"].as_array().map_or(0, Vec::len) + usize::from(one["type"] == 13)).sum()
}

#[tokio::test]
async fn a_message_is_a_box_with_its_files_in_it_and_can_be_changed_to_anything() {
    let bot = Bot::new(DiscordMode::Http).await;
    let (id, body) = post(&bot, &with_files(everywhere("text")), "1").await;
    let kinds: Vec<u64> = components(&body).iter().filter_map(|one| one["type"].as_u64()).collect();
    assert!(is_laid_out(&body) && [10, 12, 13, 14, 17].iter().all(|kind| kinds.contains(kind)), "{body}");
    assert_eq!(shown_files(&body), 2);

    let body = edit(&bot, &id, &with_files(everywhere("other"))).await;
    assert!(text(&body).contains("other") && shown_files(&body) == 2, "{body}");
    assert_eq!(kept(&bot, &id)["attachments"].as_array().unwrap().len(), 2);
    let body = edit(&bot, &id, &line("a line")).await;
    assert!(is_laid_out(&body) && text(&body) == "a line" && components(&body).len() == 1, "{body}");
    // Later, its first files are gone: what is not there is not shown.
    bot.fake.with(|world| {
        world.channels.get_mut(&CHANNEL).unwrap().messages.get_mut(&id.parse().unwrap()).unwrap()["attachments"].take()
    });
    let body = edit(&bot, &id, &with_files(everywhere("again"))).await;
    assert!(text(&body).contains("again") && shown_files(&body) == 0, "{body}");
    // What does not fit any more is a file of its own.
    let long = Message { controls: Vec::new(), ..everywhere(&"word ".repeat(400)) };
    let body = edit(&bot, &id, &long).await;
    assert_eq!(shown_files(&body), 1, "{body}");
    bot.fake.finish();
}

#[tokio::test]
async fn where_no_files_are_taken_the_box_names_them() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.lack(CHANNEL, &[Lacking::Attach]));
    let (id, body) = post(&bot, &with_files(everywhere("text")), "1").await;
    assert!(is_laid_out(&body) && shown_files(&body) == 0, "{body}");
    assert!(text(&body).contains("chart.png, a.txt"), "{body}");
    assert!(is_laid_out(&edit(&bot, &id, &with_files(everywhere("other"))).await));
    bot.fake.finish();
}

#[tokio::test]
async fn where_no_components_are_taken_it_is_embeds_and_stays_that() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.refuses_layouts = true);
    let (id, body) = post(&bot, &with_files(everywhere("text")), "1").await;
    assert!(!is_laid_out(&body) && !body["embeds"].as_array().unwrap().is_empty(), "{body}");
    // The channel is spared a second try, and the message is changed to what it is.
    let tries = bot.fake.with(|world| world.asked("POST", "/messages"));
    let (_, body) = post(&bot, &everywhere("second"), "2").await;
    assert_eq!((is_laid_out(&body), bot.fake.with(|world| world.asked("POST", "/messages"))), (false, tries + 1));
    for what in ["other", "third"] {
        let tries = bot.fake.with(|world| world.asked("PATCH", "/messages"));
        let body = edit(&bot, &id, &with_files(everywhere(what))).await;
        assert!(!is_laid_out(&body) && text(&body).contains(what), "{body}");
        let more = if what == "other" { 2 } else { 1 };
        assert_eq!(bot.fake.with(|world| world.asked("PATCH", "/messages")), tries + more, "{what}");
    }
    assert_eq!(kept(&bot, &id)["attachments"].as_array().unwrap().len(), 2);
    bot.fake.finish();
}

#[tokio::test]
async fn a_message_of_embeds_becomes_a_box_when_it_changes() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.refuses_layouts = true);
    let (id, body) = post(&bot, &with_files(everywhere("text")), "1").await;
    assert!(!is_laid_out(&body));
    bot.fake.with(|world| world.refuses_layouts = false);
    let body = edit(&bot, &id, &with_files(everywhere("other"))).await;
    assert!(is_laid_out(&body) && body["content"].is_null() && shown_files(&body) == 2, "{body}");
    let body = edit(&bot, &id, &everywhere("third")).await;
    assert!(is_laid_out(&body) && text(&body).contains("third"), "{body}");
    // It can never go back.
    bot.fake.with(|world| world.refuses_layouts = true);
    let refused = bot.discord.edit(&in_a_thread(), &id, &everywhere("fourth")).await;
    assert!(matches!(refused, Err(SendError::Refused { .. })), "{refused:?}");
    assert!(matches!(bot.fake.next().await, Event::Deleted { .. }), "what it said is no longer true");
    bot.fake.finish();
}

/// A phone's notification shows nothing of components.
#[tokio::test]
async fn whoever_is_called_is_called_by_text_and_a_line_is_text_too() {
    let bot = Bot::new(DiscordMode::Http).await;
    bot.fake.with(|world| world.may_mention = Some(serde_json::json!({"parse": [], "users": ["1080000000000000005"]})));
    let calling = Message { mention: Some(Mention::User("1080000000000000005".to_owned())), ..everywhere("text") };
    let (id, body) = post(&bot, &calling, "1").await;
    assert_eq!(body["content"], "<@1080000000000000005> 🔴 **text**");
    assert!(is_laid_out(&edit(&bot, &id, &everywhere("text")).await));
    let (_, body) = post(&bot, &line("a line"), "2").await;
    assert_eq!((body["content"].as_str(), is_laid_out(&body)), (Some("a line"), false));
    // A line at the root becomes a verdict.
    let root = bot.discord.post(&in_channel(), &line("looking"), "root").await.unwrap();
    posted(&bot).await;
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    bot.discord.edit(&in_channel(), &root, &everywhere("verdict")).await.unwrap();
    assert!(matches!(bot.fake.next().await, Event::Edited { body, .. } if is_laid_out(&body)));
    assert!(matches!(bot.fake.next().await, Event::Renamed { .. }));
    bot.fake.finish();
}
