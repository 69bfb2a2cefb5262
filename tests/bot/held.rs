//! What is asked in a thread of others stays in it.

use super::world::{Fake, State, World, actor, answer_text, place, said, tokens};
use rotation_diag::chat::{Intake as _, Payload};
use rotation_diag::model::{Action, PlatformName};

async fn say(world: &World, key: &str, thread: Option<&str>, words: &str) -> String {
    let said = said(key, &actor("U1"), place(thread), Payload::Words(words.to_owned()));
    answer_text(&world.bot.intake.accept(said).await)
}

#[tokio::test]
async fn a_question_in_a_thread_of_others_is_answered_there_and_nowhere_else() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    assert_eq!(say(&world, "k1", Some("theirs"), "prod/orders-db").await, "accepted");
    slack
        .until("the details", |state| state.shown.iter().any(|shown| shown.title().starts_with("What the nine steps found")))
        .await;
    let verdict = slack.shown().into_iter().find(|shown| shown.title().contains("is not rotating")).unwrap();
    assert_eq!(slack.with(|state| state.pointed.clone()), [("answer-to-k1".to_owned(), "theirs".to_owned())]);

    // It goes on by words in that thread, and by buttons there alone.
    assert_eq!(say(&world, "k2", Some("theirs"), "evidence 4").await, "accepted");
    slack.until("the evidence", |state| state.shown.iter().any(|shown| shown.title().contains("Step 4"))).await;
    let compare = tokens(&verdict.message).into_iter().find(|token| token.action == Action::Compare).unwrap().to_string();
    for (key, thread, expected) in
        [("k3", None, "expired"), ("k4", Some("another"), "expired"), ("k5", Some("theirs"), "accepted")]
    {
        let click = said(key, &actor("U1"), place(thread), Payload::Click(compare.clone()));
        let answer = answer_text(&world.bot.intake.accept(click).await);
        assert!(answer.contains(expected), "{key}: {answer}");
    }
    assert!(say(&world, "k6", Some("another"), "evidence 4").await.contains("in the thread of an investigation"));
    assert_eq!(say(&world, "k7", None, "prod/orders-db").await, "accepted", "the same question elsewhere is another one");
    slack.until("a thread of its own", |state| state.shown.iter().any(|shown| shown.root.is_none())).await;
    let own = slack.roots()[0].id.clone();
    slack.until("its details", |state| state.shown.iter().filter(|shown| shown.root.as_ref() == Some(&own)).count() > 0).await;
    assert!(slack.replies().iter().all(|reply| ["theirs", own.as_str()].contains(&reply.root.as_deref().unwrap())));

    // A second one there: which is meant has to be said with a button. In a thread of ours a question opens another.
    let verdicts = |state: &State, root: Option<&str>| {
        let there = state.shown.iter().filter(|shown| shown.root.as_deref() == root);
        there.filter(|shown| shown.title().contains("is not rotating")).count()
    };
    assert_eq!(say(&world, "k8", Some("theirs"), "prod/orders-db window:7d").await, "accepted");
    slack.until("the second", |state| verdicts(state, Some("theirs")) == 2).await;
    assert!(say(&world, "k9", Some("theirs"), "evidence 4").await.contains("several investigations"));
    assert_eq!(say(&world, "k10", Some(&own), "prod/orders-db window:30d").await, "accepted");
    slack.until("the third", |state| verdicts(state, None) == 2).await;
    world.end().await;
}
