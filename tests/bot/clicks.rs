//! Buttons: whose click counts, where, and how often.

use super::flows::{token, verdict};
use super::world::{Fake, RULES, World, actor, answer_text, place, said};
use rotation_diag::chat::{Intake as _, Payload};
use rotation_diag::model::{Action, Actor, Place, PlatformName, Standing};

const EXPIRED: &str = "This button has expired: ask again with /rotation-diag.";

#[tokio::test]
async fn fifty_clicks_of_two_people_have_one_effect() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let looks = world.accounts.calls_of("DescribeSecret");
    let rerun = token(&root, Action::RerunAll);
    let clicks = (0..50).map(|number| {
        let (world, rerun) = (&world, rerun.clone());
        async move { answer_text(&world.click(&format!("c{number}"), if number % 2 == 0 { "U1" } else { "U2" }, &rerun).await) }
    });
    let answers = futures::future::join_all(clicks).await;
    assert_eq!(answers.iter().filter(|answer| *answer == "accepted").count(), 1, "{answers:?}");
    // Twenty-five clicks are more than one person may make at once; the others were told that it is done.
    let too_fast = answers.iter().filter(|answer| answer.starts_with("You are sending commands too fast")).count();
    assert_eq!((answers.len(), too_fast), (50, 5 + 6), "{answers:?}");
    slack.until("the second run", |state| state.shown.iter().any(|shown| shown.title().contains("reran all steps"))).await;
    let notes = slack.replies().iter().filter(|shown| shown.title().contains("reran all steps")).count();
    assert_eq!((notes, world.accounts.calls_of("DescribeSecret")), (1, looks * 2));
    world.end().await;
}

#[tokio::test]
async fn an_account_is_looked_into_on_behalf_of_whoever_asked_or_clicked() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    assert_eq!(world.accounts.owners(), ["slack-U1"]);
    assert_eq!(answer_text(&world.click("again", "U2", &token(&root, Action::RerunAll)).await), "accepted");
    slack.until("the second run", |state| state.shown.iter().any(|shown| shown.title().contains("reran all steps"))).await;
    assert_eq!(world.accounts.owners(), ["slack-U1", "slack-U2"]);
    world.end().await;
}

#[tokio::test]
async fn an_id_of_another_channel_or_workspace_is_answered_like_an_unknown_one() {
    let rules = format!(
        "{RULES}[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"*\"]\nusers = [\"U1\"]\n\
         [[allow]]\nplatform = \"slack\"\nworkspace = \"T2\"\nchannels = [\"*\"]\nusers = [\"U1\"]\n"
    );
    let mut world = World::new(&rules, super::world::Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let evidence = token(&root, Action::Compare);
    let at = |platform, workspace: &str, channel: &str| {
        let place = Place { platform, workspace: workspace.to_owned(), channel: channel.to_owned(), thread: None };
        let actor = Actor { platform, workspace: workspace.to_owned(), ..actor("U1") };
        (place, actor)
    };
    let places = [
        at(PlatformName::new("slack"), "T1", "C2"),
        at(PlatformName::new("slack"), "T2", "C1"),
        at(PlatformName::new("discord"), "G1", "C9"),
    ];
    let unknown = answer_text(&world.click("unknown", "U1", &format!("1.{}.1.compare", "f".repeat(32))).await);
    assert_eq!(unknown, EXPIRED);
    for (number, (place, actor)) in places.into_iter().enumerate() {
        let inbound = said(&format!("c{number}"), &actor, place, Payload::Click(evidence.clone()));
        assert_eq!(answer_text(&world.bot.intake.accept(inbound).await), EXPIRED, "{actor:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_click_is_judged_by_the_rights_of_whoever_clicks() {
    let rules = "[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"U1\"]\n\
                 [[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"U2\"]\nactions = [\"evidence\"]\n";
    let mut world = World::new(rules, super::world::Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let refused = "You are not allowed to do this here: the operator of rotation-diag can allow it in the configuration.";
    let evidence = token(&root, Action::Evidence(rotation_diag::model::StepName::Secret));
    for (number, (user, action, expected)) in [
        ("U2", &token(&root, Action::RerunAll), refused),
        ("U2", &token(&root, Action::Export), refused),
        ("U2", &token(&root, Action::Resolve), refused),
        ("U3", &evidence, refused),
        ("U2", &evidence, "accepted"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(answer_text(&world.click(&format!("c{number}"), user, action).await), expected, "{user} {action}");
    }
    let guest = Actor { standing: Standing::Outsider, ..actor("U1") };
    let inbound = said("guest", &guest, place(None), Payload::Click(token(&root, Action::RerunAll)));
    assert_eq!(answer_text(&world.bot.intake.accept(inbound).await), refused);
    world.end().await;
}

#[tokio::test]
async fn rights_that_were_taken_away_since_the_post_no_longer_count() {
    let accounts = || super::world::Simulated::new(&[("prod", "role_detached_policy", "")]);
    let mut world = World::new(RULES, accounts()).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let folder = world.end().await;
    let fewer = RULES.replace("\"U1\", \"U2\"", "\"U2\"");
    let world = World::at(folder, &fewer, accounts()).await;
    let answer = answer_text(&world.click("c", "U1", &token(&root, Action::RerunAll)).await);
    assert!(answer.starts_with("You are not allowed to do this here"), "{answer}");
    assert_eq!(answer_text(&world.click("d", "U2", &token(&root, Action::RerunAll)).await), "accepted");
}

#[tokio::test]
async fn a_button_outlived_by_its_row_has_expired() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    rotation_diag::bot::last_messages(&world.store, super::world::PATIENCE).await;
    let folder = world.end().await;
    let world = World::at(folder, RULES, super::world::Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    let removed = world.store.remove_before(jiff::Timestamp::MAX).await.unwrap();
    assert_eq!((removed.threads, removed.triggers), (1, 1));
    assert_eq!(answer_text(&world.click("c", "U1", &token(&root, Action::RerunAll)).await), EXPIRED);
}

#[tokio::test]
async fn ids_cannot_be_guessed() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let id = super::world::tokens(&root)[0].investigation.clone();
    // 128 random bits in hexadecimal.
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    world.end().await;
}
