//! Answers that were lost: what may have arrived is looked for before it is posted again.

use super::*;

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
