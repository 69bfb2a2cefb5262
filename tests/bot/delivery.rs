//! What the store says is to be shown, on platforms that refuse, lose answers, hang and come back.

use super::world::{Fake, Fault, Simulated, World};
use rotation_diag::chat::document::{Attachment, Content, Tone};
use rotation_diag::chat::{Intake as _, Message, SendError};
use rotation_diag::model::{Place, PlatformName, ReplyTo, ThreadId};
use rotation_diag::redact::SafeText;
use rotation_diag::store::{DesiredMessage, NewThread};
use std::collections::HashSet;
use std::time::Duration;

/// The thread of this name.
fn t(id: &str) -> ThreadId {
    id.parse().unwrap()
}

fn line(text: &str) -> Message {
    Message::line(Tone::Neutral, SafeText::redact(text))
}

fn thread(id: &str, platform: PlatformName) -> NewThread {
    let place = Place { platform, workspace: "T1".to_owned(), channel: "C1".to_owned(), thread: None };
    NewThread { id: t(id), place }
}

async fn idle() -> World {
    World::new("", Simulated::new(&[])).await
}

/// A thread with a root and `replies` replies.
async fn stated(world: &World, id: &str, platform: PlatformName, replies: usize) {
    let mut messages = vec![DesiredMessage::root(&t(id), line("root"), "a test")];
    messages.extend(
        (1..=replies)
            .map(|number| DesiredMessage::reply(&t(id), format!("r{number}"), line(&format!("reply {number}")), "a test")),
    );
    world.store.open_thread(&thread(id, platform), &messages).await.unwrap();
}

fn later(why: &str) -> Fault {
    Fault::Refuse(SendError::Later { after: None, why: why.to_owned() })
}

fn titles(fake: &Fake) -> Vec<String> {
    fake.shown().iter().map(|shown| shown.title().to_owned()).collect()
}

#[tokio::test]
async fn the_root_comes_first_and_replies_follow_in_order() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [later("503"), later("503"), later("429")]);
    stated(&world, "t1", PlatformName::new("slack"), 5).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("all", |state| state.shown.len() == 6).await;
    assert_eq!(titles(&slack), ["root", "reply 1", "reply 2", "reply 3", "reply 4", "reply 5"]);
    let root = slack.roots()[0].id.clone();
    assert!(slack.replies().iter().all(|reply| reply.root.as_ref() == Some(&root)));
    world.end().await;
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_looked_for_before_it_is_posted_again() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [Fault::LoseAnswer]);
    slack.faults("find", [later("search is down")]);
    stated(&world, "t1", PlatformName::new("slack"), 1).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("both", |state| state.shown.len() == 2).await;
    assert_eq!(titles(&slack), ["root", "reply 1"]);
    assert_eq!(slack.with(|state| state.calls.iter().filter(|call| **call == "find").count()), 2);
    world.end().await;
}

#[tokio::test]
async fn what_was_stated_while_an_answer_was_lost_is_still_shown() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [Fault::LoseAnswer]);
    // Long enough for the next statement to come in between.
    slack.faults("find", (0..5).map(|_| later("search is down")));
    world
        .store
        .open_thread(
            &thread("t1", PlatformName::new("slack")),
            &[DesiredMessage::root(&t("t1"), line("progress"), "a test").as_progress()],
        )
        .await
        .unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the search", |state| state.calls.contains(&"find")).await;
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("verdict"), "a test")]).await.unwrap();
    slack.until("the verdict", |state| state.shown.iter().any(|shown| shown.title() == "verdict")).await;
    assert_eq!(titles(&slack), ["verdict"]);
    world.end().await;
}

#[tokio::test]
async fn what_may_have_arrived_is_posted_again_as_it_was_and_changed_afterwards() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [Fault::Refuse(SendError::Uncertain { why: "cut off".to_owned() })]);
    slack.faults("find", (0..5).map(|_| later("search is down")));
    let looking = DesiredMessage::root(&t("t1"), line("looking"), "a test").as_progress();
    world.store.open_thread(&thread("t1", PlatformName::new("slack")), &[looking]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the search", |state| state.calls.contains(&"find")).await;
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("verdict"), "a test")]).await.unwrap();
    slack.until("the verdict", |state| state.shown.iter().any(|shown| shown.title() == "verdict")).await;
    let calls = slack.with(|state| state.calls.clone());
    assert_eq!(calls.iter().filter(|call| **call != "find").collect::<Vec<_>>(), [&"post", &"post", &"edit"], "{calls:?}");
    world.end().await;
}

#[tokio::test]
async fn one_that_did_not_arrive_is_posted_again() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [Fault::Refuse(SendError::Uncertain { why: "cut off".to_owned() })]);
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("it", |state| state.shown.len() == 1).await;
    assert_eq!(slack.with(|state| state.calls.clone()), ["post", "find", "post"]);
    world.end().await;
}

#[tokio::test]
async fn what_a_platform_never_takes_is_given_up_once_with_the_reason() {
    for error in [SendError::Refused { why: "msg_too_long".to_owned() }, SendError::Gone { why: "channel_not_found".to_owned() }]
    {
        let mut world = idle().await;
        let slack = Fake::new(PlatformName::new("slack"));
        slack.faults("post", [Fault::Refuse(error.clone())]);
        stated(&world, "t1", PlatformName::new("slack"), 2).await;
        world.deliver(std::slice::from_ref(&slack));
        slack.until("the attempt", |state| state.calls.len() == 1).await;
        stated(&world, "t2", PlatformName::new("slack"), 0).await;
        slack.until("the next thread", |state| state.shown.len() == 1).await;
        let given_up = world.undelivered().await;
        let why = error.to_string().split(": ").last().unwrap().to_owned();
        // The replies of a thread that never began go with it.
        assert_eq!(given_up.len(), 3, "{given_up:?}");
        assert!(given_up.iter().all(|told| *told == why), "{given_up:?}");
        assert_eq!(slack.with(|state| state.calls.len()), 2);
        assert!(world.audit().await.iter().any(|(_, did, _)| did == "gave up a message"));
        world.end().await;
    }
}

#[tokio::test]
async fn a_revoked_token_stops_the_platform_and_shows_in_its_health() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.always = Some(SendError::Unauthorized { why: "token_revoked".to_owned() }));
    for number in 0..20 {
        stated(&world, &format!("t{number}"), PlatformName::new("slack"), 0).await;
    }
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the first attempts", |state| !state.calls.is_empty()).await;
    let failing_parts = async {
        while world.health.is_good() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, failing_parts).await.unwrap();
    assert_eq!(world.health.failing_parts(), ["slack"]);
    // The token works again: everything goes out, and health is good.
    slack.with(|state| state.always = None);
    slack.until("all", |state| state.shown.len() == 20).await;
    let attempts = slack.with(|state| state.calls.len());
    assert!(attempts < 60, "a hot loop: {attempts} attempts");
    assert!(world.health.is_good());
    world.end().await;
}

#[tokio::test]
async fn one_platform_that_hangs_does_not_delay_another() {
    let mut world = idle().await;
    let (slack, discord) = (Fake::new(PlatformName::new("slack")), Fake::new(PlatformName::new("discord")));
    slack.faults("post", std::iter::repeat_n(Fault::Hang, 8));
    for number in 0..20 {
        stated(&world, &format!("s{number}"), PlatformName::new("slack"), 0).await;
        stated(&world, &format!("d{number}"), PlatformName::new("discord"), 1).await;
    }
    world.deliver(&[slack.clone(), discord.clone()]);
    discord.until("all of Discord's", |state| state.shown.len() == 40).await;
    assert!(slack.shown().is_empty());
    // Not ended: what hangs would be waited for.
}

#[tokio::test]
async fn after_an_outage_everything_is_delivered_once_and_the_oldest_first() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.always = Some(SendError::Later { after: None, why: "connection refused".to_owned() }));
    for number in 0..30 {
        stated(&world, &format!("t{number:02}"), PlatformName::new("slack"), 1).await;
    }
    world.deliver(std::slice::from_ref(&slack));
    slack.until("attempts", |state| state.calls.len() > 40).await;
    slack.with(|state| state.always = None);
    slack.until("all", |state| state.shown.len() == 60).await;
    let mut keys: Vec<String> = slack.shown().into_iter().map(|shown| shown.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 60);
    world.end().await;
}

#[tokio::test]
async fn progress_is_coalesced_and_the_last_word_is_always_sent() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    let root = |text: &str| DesiredMessage::root(&t("t1"), line(text), "a test");
    world.store.open_thread(&thread("t1", PlatformName::new("slack")), &[root("0").as_progress()]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the first", |state| state.shown.len() == 1).await;
    for number in 1..=200 {
        world.store.upsert_messages(&[root(&number.to_string()).as_progress()]).await.unwrap();
    }
    world.store.upsert_messages(&[root("the verdict")]).await.unwrap();
    slack.until("the last word", |state| state.shown[0].title() == "the verdict").await;
    let edits = slack.roots()[0].edits;
    assert!((1..60).contains(&edits), "{edits} edits");
    world.end().await;
}

#[tokio::test]
async fn a_root_that_was_deleted_is_posted_anew_once_for_the_verdict() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the root", |state| state.shown.len() == 1).await;
    slack.with(|state| state.shown.clear());
    let verdict = DesiredMessage::root(&t("t1"), line("the verdict"), "a test");
    let details = DesiredMessage::reply(&t("t1"), "details", line("details"), "a test");
    world.store.upsert_messages(&[verdict, details]).await.unwrap();
    slack.until("both", |state| state.shown.len() == 2).await;
    let (roots, replies) = (slack.roots(), slack.replies());
    assert_eq!((roots[0].title(), replies[0].root.as_deref()), ("the verdict", Some(roots[0].id.as_str())));
    // Deleted again: the person means it.
    slack.with(|state| state.shown.clear());
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("and again"), "a test")]).await.unwrap();
    stated(&world, "t2", PlatformName::new("slack"), 0).await;
    slack.until("the next thread", |state| state.shown.len() == 1).await;
    let given_up = async {
        while world.undelivered().await.len() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_up).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn stating_the_same_message_twice_sends_it_once() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    let messages = [DesiredMessage::root(&t("t1"), line("root"), "a test")];
    let new = thread("t1", PlatformName::new("slack"));
    let stated = futures::future::join_all((0..10).map(|_| world.store.open_thread(&new, &messages))).await;
    assert!(stated.iter().all(Result::is_ok));
    world.deliver(std::slice::from_ref(&slack));
    slack.until("it", |state| state.shown.len() == 1).await;
    stated_after(&world, &slack).await;
    assert_eq!(slack.with(|state| state.calls.clone()), ["post", "post"]);
    world.end().await;
}

/// Another thread, to see that nothing more of the first was on its way.
async fn stated_after(world: &World, slack: &Fake) {
    stated(world, "after", PlatformName::new("slack"), 0).await;
    slack.until("the one after", |state| state.shown.iter().any(|shown| shown.key.starts_with("after."))).await;
}

#[tokio::test]
async fn one_person_is_told_alone_and_the_address_is_forgotten() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    let to = ReplyTo("https://answers.example/secret".to_owned());
    world.store.upsert_messages(&[DesiredMessage::ephemeral(&t("t1"), "w1", to, line("only you"), "a test")]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the whisper", |state| state.ephemerals.len() == 1).await;
    stated_after(&world, &slack).await;
    let folder = world.end().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(15).any(|window| window == b"answers.example");
        assert!(!found, "the address is still in the store");
    }
}

fn closed() -> Fault {
    Fault::Refuse(SendError::Closed { why: "not_in_channel".to_owned(), tell: "invite me" })
}

fn with_file(text: &str) -> Message {
    let file = Attachment {
        name: "report.json".to_owned(),
        description: SafeText::redact("a report"),
        content: Content::Text(SafeText::redact("{}")),
    };
    Message { attachments: vec![file], ..line(text) }
}

#[tokio::test]
async fn what_a_channel_without_the_bot_refused_goes_out_with_its_newest_words_when_the_bot_joins() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.closed.insert("C1".to_owned()));
    let asked = DesiredMessage::root(&t("t1"), line("progress"), "a test").as_progress().asked_by(Some(ReplyTo("U1".to_owned())));
    world.store.open_thread(&thread("t1", PlatformName::new("slack")), &[asked]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the person to be told", |state| state.ephemerals.len() == 1).await;
    assert_eq!(slack.with(|state| state.ephemerals[0].1.title.as_str().to_owned()), "Invite me.");
    // News of the thread are not lost on the way, and nobody hammers at a closed door.
    let news = [
        DesiredMessage::root(&t("t1"), line("verdict"), "a test"),
        DesiredMessage::reply(&t("t1"), "alarm", line("alarm"), "a test"),
    ];
    world.store.upsert_messages(&news).await.unwrap();
    stated_elsewhere(&world, &slack).await;
    assert_eq!(titles(&slack), ["elsewhere"]);
    let place = thread("t1", PlatformName::new("slack")).place;
    world.bot.intake.joined(&Place { channel: "C7".to_owned(), ..place.clone() }).await;
    stated_elsewhere(&world, &slack).await;
    assert_eq!(titles(&slack), ["elsewhere", "elsewhere"], "another channel opens nothing here");
    slack.with(|state| state.closed.clear());
    world.bot.intake.joined(&place).await;
    slack.until("the thread", |state| state.shown.len() == 4).await;
    assert_eq!(titles(&slack)[2..], ["verdict", "alarm"]);
    // Whoever asked did not have to wait for that.
    let told = slack.with(|state| state.ephemerals.iter().map(|(_, one)| one.title.as_str().to_owned()).collect::<Vec<_>>());
    assert_eq!(told, ["Invite me.", "verdict"]);
    world.end().await;
}

/// A thread in another channel, to see that nothing more was on its way.
async fn stated_elsewhere(world: &World, slack: &Fake) {
    let before = slack.shown().len();
    let place = Place { channel: "C8".to_owned(), ..thread("none", PlatformName::new("slack")).place };
    let id: ThreadId = t(&format!("elsewhere-{before}"));
    let new = NewThread { id: id.clone(), place };
    world.store.open_thread(&new, &[DesiredMessage::root(&id, line("elsewhere"), "a test")]).await.unwrap();
    slack.until("the one elsewhere", move |state| state.shown.len() == before + 1).await;
}

#[tokio::test]
async fn without_a_word_of_the_bots_joining_it_is_tried_again_after_an_hour() {
    // In this tempo an hour is 2.4 s.
    assert_eq!(rotation_diag::bot::DeliveryPolicy::default().closed(), Duration::from_secs(3_600));
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [closed()]);
    stated(&world, "t1", PlatformName::new("slack"), 1).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the second try", |state| state.shown.len() == 2).await;
    assert_eq!(titles(&slack), ["root", "reply 1"]);
    assert_eq!(slack.with(|state| state.calls.clone()), ["post", "post", "post"]);
    world.end().await;
}

#[tokio::test]
async fn news_of_a_thread_that_was_given_up_before_it_began_lets_it_set_out_again() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [Fault::Refuse(SendError::Refused { why: "no".to_owned() })]);
    stated(&world, "t1", PlatformName::new("slack"), 1).await;
    world.deliver(std::slice::from_ref(&slack));
    let given_up = async {
        while world.undelivered().await.len() != 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_up).await.unwrap();
    // As when an alarm comes again and is only counted in its thread.
    world.store.upsert_messages(&[DesiredMessage::reply(&t("t1"), "alarm", line("2 times"), "a test")]).await.unwrap();
    slack.until("the thread", |state| state.shown.len() == 3).await;
    assert_eq!(titles(&slack), ["root", "reply 1", "2 times"]);
    world.end().await;
}

#[tokio::test]
async fn an_edit_whose_answer_was_lost_is_followed_by_the_verdict_again_and_again_for_a_while() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the root", |state| state.shown.len() == 1).await;
    slack.faults("edit", [Fault::Refuse(SendError::Uncertain { why: "cut off".to_owned() })]);
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("progress"), "a test").as_progress()]).await.unwrap();
    slack.until("the progress", |state| state.calls.contains(&"edit")).await;
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("verdict"), "a test")]).await.unwrap();
    for _ in 0..2 {
        slack.until("the verdict", |state| state.shown[0].title() == "verdict").await;
        // The platform carries out what it had not answered.
        slack.with(|state| state.shown[0].message = line("progress"));
    }
    slack.until("the verdict at last", |state| state.shown[0].title() == "verdict").await;
    // What a person deletes meanwhile is not posted anew for a repeat's sake.
    slack.with(|state| state.shown.clear());
    stated_after(&world, &slack).await;
    assert_eq!(titles(&slack), ["root"]);
    world.end().await;
}

#[tokio::test]
async fn an_edit_under_way_while_the_process_is_killed_does_not_keep_the_verdict_away() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the root", |state| state.shown.len() == 1).await;
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("verdict"), "a test")]).await.unwrap();
    let folder = {
        slack.until("the verdict", |state| state.shown[0].edits > 0).await;
        world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("the last word"), "a test")]).await.unwrap();
        world.end().await
    };
    let mut world = World::at(folder, "", Simulated::new(&[])).await;
    let before = slack.shown()[0].edits;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the last word", |state| state.shown[0].title() == "the last word").await;
    if slack.shown()[0].edits > before {
        slack.with(|state| state.shown[0].message = line("an old word"));
        slack.until("the last word again", |state| state.shown[0].title() == "the last word").await;
    }
    world.end().await;
}

#[tokio::test]
async fn files_follow_their_message_also_after_a_lost_answer_or_a_kill_in_between() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.has_files_apart = true);
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    slack.faults("post", [Fault::LoseAnswer, Fault::LoseAnswer]);
    slack.faults("attach", [later("503"), Fault::Hang]);
    world.store.upsert_messages(&[DesiredMessage::reply(&t("t1"), "export", with_file("export"), "a test")]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("files on their way", |state| state.calls.iter().filter(|call| **call == "attach").count() == 2).await;
    assert_eq!(titles(&slack), ["root", "export"]);
    let folder = world.kill().await;
    let mut world = World::at(folder, "", Simulated::new(&[])).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the files", |state| state.attached.len() == 1).await;
    let export = slack.replies()[0].id.clone();
    assert_eq!(slack.with(|state| state.attached.clone()), [(export, true)], "what may be there is looked for");
    assert_eq!(titles(&slack), ["root", "export"]);
    world.end().await;
}

#[tokio::test]
async fn files_that_were_refused_are_brought_when_they_are_asked_for_again() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.has_files_apart = true);
    slack.faults("attach", [closed()]);
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.store.upsert_messages(&[DesiredMessage::reply(&t("t1"), "export", with_file("export"), "a test")]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    let given_up = async {
        while world.undelivered().await.len() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_up).await.unwrap();
    assert!(world.store.revive(&t("t1"), "export", None).await.unwrap());
    slack.until("the files", |state| state.attached.len() == 1).await;
    assert!(!world.store.revive(&t("t1"), "export", None).await.unwrap(), "what is there is not brought again");
    assert_eq!(titles(&slack), ["root", "export"]);
    world.end().await;
}

#[tokio::test]
async fn export_pressed_again_brings_the_files_that_did_not_come_the_first_time() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.has_files_apart = true);
    world.start(std::slice::from_ref(&slack));
    let root = super::flows::verdict(&world, &slack).await;
    rotation_diag::bot::last_messages(&world.store, super::world::PATIENCE).await;
    let export = super::flows::token(&root, rotation_diag::model::Action::Export);
    slack.faults("attach", [closed()]);
    let attached = slack.with(|state| state.attached.len());
    assert_eq!(super::world::answer_text(&world.click("e1", "U1", &export).await), "accepted");
    let given_up = async {
        while world.undelivered().await.len() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::world::PATIENCE, given_up).await.unwrap();
    assert_eq!(super::world::answer_text(&world.click("e2", "U1", &export).await), "accepted", "not: this has been done already");
    slack.until("the files", |state| state.attached.len() == attached + 1).await;
    let already = super::world::answer_text(&world.click("e3", "U1", &export).await);
    assert!(already.starts_with("This has already been done"), "{already}");
    world.end().await;
}

#[tokio::test]
async fn a_later_asked_for_by_the_platform_is_honoured() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    let wait = Duration::from_secs(1_800);
    slack.faults("post", [Fault::Refuse(SendError::Later { after: Some(wait), why: "ratelimited".to_owned() })]);
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the refusal", |state| state.calls.contains(&"post")).await;
    let put_off = async {
        loop {
            let look = world.store.due_messages(PlatformName::new("slack"), &HashSet::new(), &HashSet::new(), 10).await.unwrap();
            match look.next {
                Some(next) if look.due.is_empty() && next > wait / 2 => return next,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let next = tokio::time::timeout(super::world::PATIENCE, put_off).await.expect("it is put off for as long as was asked");
    assert!(next <= wait, "{next:?}");
    assert_eq!(slack.with(|state| state.calls.iter().filter(|call| **call == "post").count()), 1);
    world.end().await;
}

#[tokio::test]
async fn whoever_asks_where_nothing_may_be_written_is_told_alone_and_the_thread_begins_when_that_changes() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", [closed(), closed()]);
    let to = Some(ReplyTo("alice".to_owned()));
    let root = |text: &str| DesiredMessage::root(&t("t1"), line(text), "a test");
    world
        .store
        .open_thread(&thread("t1", PlatformName::new("slack")), &[root("looking").as_progress().asked_by(to)])
        .await
        .unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the apology", |state| !state.ephemerals.is_empty()).await;
    let told = slack.with(|state| state.ephemerals[0].clone());
    assert_eq!((told.0.as_str(), told.1.title.as_str()), ("alice", "Invite me."));
    // The verdict is not kept from whoever asked, and is tried at once.
    let details = DesiredMessage::reply(&t("t1"), "details", line("details"), "a test");
    world.store.upsert_messages(&[root("the verdict"), details]).await.unwrap();
    slack.until("the verdict, alone", |state| state.ephemerals.iter().any(|(_, one)| one.title.as_str() == "the verdict")).await;
    assert!(slack.shown().is_empty());
    let attempts = slack.with(|state| state.calls.iter().filter(|call| **call == "post").count());
    assert_eq!(attempts, 2);
    slack.doors.send_replace(());
    slack.until("all of it", |state| state.shown.len() == 2).await;
    assert_eq!(titles(&slack), ["the verdict", "details"]);
    world.end().await;
}

#[tokio::test]
async fn whoever_waits_is_told_that_it_is_late_and_gets_a_verdict_that_cannot_be_shown() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.faults("post", (0..6).map(|_| later("503")));
    let to = Some(ReplyTo("alice".to_owned()));
    let root = |text: &str| DesiredMessage::root(&t("t1"), line(text), "a test");
    let looking = root("looking").as_progress().asked_by(to);
    world.store.open_thread(&thread("t1", PlatformName::new("slack")), &[looking]).await.unwrap();
    world.deliver(std::slice::from_ref(&slack));
    slack
        .until("the excuse", |state| state.ephemerals.iter().any(|(_, one)| one.title.as_str().contains("as soon as it does")))
        .await;
    slack.until("the root", |state| state.shown.len() == 1).await;
    slack.faults("edit", (0..8).map(|_| later("503")));
    world.store.upsert_messages(&[root("the verdict")]).await.unwrap();
    slack.until("the verdict, alone", |state| state.ephemerals.iter().any(|(_, one)| one.title.as_str() == "the verdict")).await;
    slack.until("the verdict", |state| state.shown[0].title() == "the verdict").await;
    world.end().await;
}

#[tokio::test]
async fn a_message_that_can_no_longer_be_changed_is_posted_anew() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    stated(&world, "t1", PlatformName::new("slack"), 0).await;
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the root", |state| state.shown.len() == 1).await;
    slack.faults("edit", [Fault::Refuse(SendError::Refused { why: "not yours".to_owned() })]);
    world.store.upsert_messages(&[DesiredMessage::root(&t("t1"), line("the verdict"), "a test")]).await.unwrap();
    slack.until("the verdict", |state| state.shown.iter().any(|shown| shown.title() == "the verdict")).await;
    world.end().await;
}

#[tokio::test]
async fn what_is_found_after_a_lost_answer_is_changed_to_what_it_says_by_now() {
    let mut world = idle().await;
    let slack = Fake::new(PlatformName::new("slack"));
    // The first attempt arrives and nobody sees it; the second is answered with what the first one left.
    slack.faults("post", [Fault::LoseAnswer, Fault::Refuse(SendError::Uncertain { why: "it is there already".to_owned() })]);
    slack.faults("find", [Fault::Refuse(SendError::Refused { why: "may not look".to_owned() })]);
    let root = |text: &str| DesiredMessage::root(&t("t1"), line(text), "a test");
    world.store.open_thread(&thread("t1", PlatformName::new("slack")), &[root("looking").as_progress()]).await.unwrap();
    world.store.upsert_messages(&[root("the verdict")]).await.unwrap();
    slack.with(|state| state.shown.clear());
    world.deliver(std::slice::from_ref(&slack));
    slack.until("the verdict", |state| state.shown.len() == 1 && state.shown[0].edits > 0).await;
    assert_eq!(titles(&slack), ["the verdict"]);
    world.end().await;
}
