//! Words for one person.

use super::*;

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
