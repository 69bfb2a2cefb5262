//! What comes first, what is left out, and what waits.

use super::*;

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
    let next = tokio::time::timeout(crate::world::PATIENCE, put_off).await.expect("it is put off for as long as was asked");
    assert!(next <= wait, "{next:?}");
    assert_eq!(slack.with(|state| state.calls.iter().filter(|call| **call == "post").count()), 1);
    world.end().await;
}
