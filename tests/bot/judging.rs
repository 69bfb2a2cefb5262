//! People the platform has to be asked about: taken at once, judged before anything is told or done.

use super::flows::{token, verdict};
use super::world::{Fake, Fault, Simulated, World, actor, answer_text, place, said};
use rotation_diag::chat::{Intake as _, Payload, SendError};
use rotation_diag::model::{Action, Actor, PlatformName, Standing};

const EVERYONE: &str = "[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\nusers = [\"*\"]\n";
const REFUSED: &str = "You are not allowed to do this here: the operator of rotation-diag can allow it in the configuration.";

fn pending(user: &str) -> Actor {
    Actor { standing: Standing::Pending, groups: None, ..actor(user) }
}

async fn open() -> World {
    World::new(EVERYONE, Simulated::new(&[("prod", "role_detached_policy", "")])).await
}

async fn say(world: &World, key: &str, user: &str, words: &str) -> String {
    answer_text(&world.bot.intake.accept(said(key, &pending(user), place(None), Payload::Words(words.to_owned()))).await)
}

#[tokio::test]
async fn a_member_gets_the_verdict_and_a_stranger_a_refusal_before_aws_is_asked() {
    let mut world = open().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.people.insert("U1".to_owned(), Standing::Member));
    world.start(std::slice::from_ref(&slack));
    assert_eq!(say(&world, "k1", "U9", "prod/orders-db").await, "accepted", "nobody waits for a look-up");
    slack.until("the refusal", |state| state.ephemerals.len() == 1).await;
    assert_eq!(
        slack.with(|state| (state.ephemerals[0].0.clone(), state.ephemerals[0].1.title.as_str().to_owned())),
        ("answer-to-k1".to_owned(), REFUSED.to_owned())
    );
    assert_eq!((world.accounts.calls(), slack.shown().len()), (0, 0));

    assert_eq!(say(&world, "k2", "U1", "prod/orders-db").await, "accepted");
    assert_eq!(say(&world, "k2", "U1", "prod/orders-db").await, "duplicate");
    slack.until("the verdict", |state| state.shown.iter().any(|shown| shown.title().contains("is not rotating"))).await;
    let trail: Vec<_> = world.audit().await.into_iter().filter(|(_, did, _)| did == "investigate").collect();
    let expected = [("U9", "refused"), ("U1", "allowed")];
    let expected: Vec<_> = expected.map(|(who, how)| (who.to_owned(), "investigate".to_owned(), how.to_owned())).into();
    assert_eq!(trail, expected);
    world.end().await;
}

#[tokio::test]
async fn clicks_and_words_in_a_thread_are_judged_the_same_way() {
    let mut world = open().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let thread = slack.roots()[0].id.clone();
    let calls = world.accounts.calls();
    let rerun = token(&root, Action::RerunAll);
    for (key, what) in [("c1", Payload::Click(rerun)), ("c2", Payload::Words("export".to_owned()))] {
        let receipt = world.bot.intake.accept(said(key, &pending("U9"), place(Some(&thread)), what)).await;
        assert_eq!(answer_text(&receipt), "accepted");
    }
    slack.until("both refusals", |state| state.ephemerals.len() == 2).await;
    assert!(slack.with(|state| state.ephemerals.iter().all(|(_, message)| message.title.as_str() == REFUSED)));
    assert_eq!(world.accounts.calls(), calls);
    world.end().await;
}

#[tokio::test]
async fn what_no_rule_could_allow_is_refused_at_once() {
    let world = open().await;
    let elsewhere = rotation_diag::model::Place { channel: "C2".to_owned(), ..place(None) };
    let receipt =
        world.bot.intake.accept(said("k", &pending("U1"), elsewhere, Payload::Words("prod/orders-db".to_owned()))).await;
    assert_eq!(answer_text(&receipt), REFUSED);
    assert_eq!(world.open_triggers().await, 0);
}

#[tokio::test]
async fn a_look_up_that_fails_is_told_as_what_it_is() {
    for (error, expected) in [
        (SendError::Unauthorized { why: "users.info: token_revoked".to_owned() }, "My token is no longer accepted here"),
        (SendError::Closed { why: "users.info: missing_scope".to_owned(), tell: "I lack a permission" }, "I lack a permission."),
        (SendError::Refused { why: "users.info: is_bot".to_owned() }, "waiting will not help"),
    ] {
        let mut world = open().await;
        let slack = Fake::new(PlatformName::new("slack"));
        slack.with(|state| state.people.insert("U1".to_owned(), Standing::Member));
        slack.faults("look_up", [Fault::Refuse(error)]);
        world.start(std::slice::from_ref(&slack));
        assert_eq!(say(&world, "k", "U1", "prod/orders-db").await, "accepted");
        slack.until("the answer", |state| state.ephemerals.len() == 1).await;
        let text = slack.with(|state| state.ephemerals[0].1.title.as_str().to_owned());
        assert!(text.contains(expected) && !text.contains("try again"), "{text}");
        assert_eq!(world.accounts.calls(), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_platform_that_passes_through_trouble_is_asked_again_and_the_question_is_not_lost() {
    let mut world = open().await;
    let slack = Fake::new(PlatformName::new("slack"));
    slack.with(|state| state.people.insert("U1".to_owned(), Standing::Member));
    let soon = Some(std::time::Duration::from_millis(20));
    slack.faults("look_up", [Fault::Refuse(SendError::Later { after: soon, why: "503".to_owned() })]);
    world.start(std::slice::from_ref(&slack));
    assert_eq!(say(&world, "k", "U1", "prod/orders-db").await, "accepted");
    slack.until("the verdict", |state| state.shown.iter().any(|shown| shown.title().contains("is not rotating"))).await;
    assert!(slack.with(|state| state.ephemerals.is_empty()));
    world.end().await;
}
