//! Files follow their message.

use super::*;

fn with_file(text: &str) -> Message {
    let file = Attachment {
        name: "report.json".to_owned(),
        description: SafeText::redact("a report"),
        content: Content::Text(SafeText::redact("{}")),
    };
    Message { attachments: vec![file], ..line(text) }
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
    tokio::time::timeout(crate::world::PATIENCE, given_up).await.unwrap();
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
    let root = crate::flows::verdict(&world, &slack).await;
    rotation_diag::bot::last_messages(&world.store, crate::world::PATIENCE).await;
    let export = crate::flows::token(&root, rotation_diag::model::Action::Export);
    slack.faults("attach", [closed()]);
    let attached = slack.with(|state| state.attached.len());
    assert_eq!(crate::world::answer_text(&world.click("e1", "U1", &export).await), "accepted");
    let given_up = async {
        while world.undelivered().await.len() != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, given_up).await.unwrap();
    assert_eq!(crate::world::answer_text(&world.click("e2", "U1", &export).await), "accepted", "not: this has been done already");
    slack.until("the files", |state| state.attached.len() == attached + 1).await;
    let already = crate::world::answer_text(&world.click("e3", "U1", &export).await);
    assert!(already.starts_with("This has already been done"), "{already}");
    world.end().await;
}
