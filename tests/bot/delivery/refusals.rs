//! What a platform refuses, for good or until something changes.

use super::*;

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
    tokio::time::timeout(crate::world::PATIENCE, failing_parts).await.unwrap();
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
    tokio::time::timeout(crate::world::PATIENCE, given_up).await.unwrap();
    world.end().await;
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
    tokio::time::timeout(crate::world::PATIENCE, given_up).await.unwrap();
    // As when an alarm comes again and is only counted in its thread.
    world.store.upsert_messages(&[DesiredMessage::reply(&t("t1"), "alarm", line("2 times"), "a test")]).await.unwrap();
    slack.until("the thread", |state| state.shown.len() == 3).await;
    assert_eq!(titles(&slack), ["root", "reply 1", "2 times"]);
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
