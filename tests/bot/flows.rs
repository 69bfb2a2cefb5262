//! From a command to the end of its thread, on a platform in memory and a simulated account.

use super::world::{Fake, RULES, Simulated, World, actor, answer_text, place, said, tokens};
use rotation_diag::chat::document::{Mention, Part, Tone};
use rotation_diag::chat::{Intake as _, Message, MessageHistory as _, Payload, ThreadFilter};
use rotation_diag::model::{Action, ActionToken, Lookback, PlatformName, StepName};

/// Asks about the broken secret and waits for the verdict and its details.
pub(crate) async fn verdict(world: &World, slack: &Fake) -> Message {
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/orders-db").await), "accepted");
    slack.until("a verdict", |state| state.shown.len() >= 2 && !state.shown[0].message.controls.is_empty()).await;
    slack.roots()[0].message.clone()
}

pub(crate) fn token(message: &Message, action: Action) -> String {
    tokens(message).into_iter().find(|token| token.action == action).unwrap_or_else(|| panic!("no {action:?}")).to_string()
}

#[tokio::test]
async fn a_question_becomes_a_thread_with_progress_a_verdict_and_details() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    assert_eq!(root.tone, Tone::Bad);
    assert!(root.title.as_str().starts_with("prod/orders-db is not rotating"), "{}", root.title);
    slack.until("whoever asked is pointed to the thread", |state| !state.pointed.is_empty()).await;
    let has_steps = |shown: &super::world::Shown| {
        shown.message.parts.iter().any(|part| matches!(part, Part::Steps(steps) if steps.len() == 9))
    };
    slack
        .until("the steps in the thread", |state| state.shown.iter().any(|shown| shown.root.is_some() && has_steps(shown)))
        .await;
    let (roots, replies) = (slack.roots(), slack.replies());
    assert_eq!(roots.len(), 1);
    assert!(roots[0].edits >= 1);
    assert!(replies.iter().all(|reply| reply.root.as_deref() == Some(roots[0].id.as_str())));
    assert_eq!(slack.with(|state| state.pointed.clone()), [("answer-to-ask".to_owned(), roots[0].id.clone())]);
    let recent = world.bot.intake.recent(&actor("U1"), ThreadFilter::All, 10).await;
    assert_eq!(recent.len(), 1);
    assert_eq!(recent[0].place.thread.as_deref(), Some(roots[0].id.as_str()));
    assert_eq!(recent[0].tone, roots[0].message.tone, "lists choose by what the thread shows");
    assert!(world.bot.intake.recent(&actor("U9"), ThreadFilter::All, 10).await.is_empty());
    for (user, filter, count) in [
        ("U1", ThreadFilter::Mine, 1),
        ("U2", ThreadFilter::Mine, 0),
        ("U2", ThreadFilter::Open, 1),
        ("U2", ThreadFilter::Failing, 1),
        ("U9", ThreadFilter::Failing, 0),
    ] {
        assert_eq!(world.bot.intake.recent(&actor(user), filter, 10).await.len(), count, "{user}, {filter:?}");
    }
    world.click("close", "U2", &token(&roots[0].message, Action::Resolve)).await;
    slack.until("its end", |state| state.shown.iter().any(|shown| shown.title().contains("resolved this"))).await;
    for (user, filter, count) in [("U1", ThreadFilter::Open, 0), ("U1", ThreadFilter::Failing, 0), ("U2", ThreadFilter::Mine, 1)]
    {
        assert_eq!(world.bot.intake.recent(&actor(user), filter, 10).await.len(), count, "{user}, {filter:?}");
    }
    let shown = world.bot.history.investigation(&actor("U2"), &place(None), &recent[0].id).await.unwrap();
    assert_eq!(shown.investigation.id, recent[0].id);
    assert!(world.bot.history.investigation(&actor("U9"), &place(None), &recent[0].id).await.is_none());
    world.end().await;
}

#[tokio::test]
async fn every_button_does_its_work_in_the_thread() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let said =
        |start: &'static str| move |state: &super::world::State| state.shown.iter().any(|shown| shown.title().contains(start));

    world.click("c1", "U2", &token(&root, Action::Evidence(StepName::FunctionLogs))).await;
    slack.until("the evidence", said("Step 4 · function logs")).await;
    world.click("c2", "U2", &token(&root, Action::Compare)).await;
    slack.until("the comparison", said("othe")).await;
    world.click("c3", "U2", &token(&root, Action::Export)).await;
    slack.until("the files", said("as files")).await;
    let files = slack.replies().into_iter().find(|shown| shown.title().contains("as files")).unwrap().message.attachments;
    assert_eq!(files.len(), 2);

    assert_eq!(
        answer_text(&world.click("c4", "U2", &token(&root, Action::RerunStep(StepName::ExecutionRole))).await),
        "accepted"
    );
    slack.until("the note", said("U2 reran step 5")).await;
    let again = slack.roots()[0].message.clone();
    assert!(tokens(&again).iter().all(|token| token.revision == 2), "{:?}", tokens(&again));
    let expired = answer_text(&world.click("c5", "U2", &token(&root, Action::Compare)).await);
    assert!(expired.contains("expired"), "{expired}");

    world.click("c6", "U1", &token(&again, Action::Widen(Lookback::Week))).await;
    slack.until("the wider look", said("U1 widened the window to 7 days")).await;
    let wide = slack.roots()[0].message.clone();
    world.click("c7", "U1", &token(&wide, Action::Watch)).await;
    slack.until("the watch", said("U1 is watching for the next rotation")).await;
    world.click("c8", "U1", &token(&wide, Action::Resolve)).await;
    slack.until("the end", |state| state.shown[0].title().starts_with("Resolved: ")).await;
    slack.until("who closed it", said("U1 resolved this")).await;
    assert_eq!(slack.roots().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn what_was_done_can_be_taken_back_and_done_again() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    verdict(&world, &slack).await;
    let id = tokens(&slack.roots()[0].message)[0].investigation.clone();
    for (number, (action, note, next)) in [
        (Action::Watch, "U1 is watching for the next rotation", Action::StopWatching),
        (Action::StopWatching, "U1 stopped watching for the next rotation", Action::Watch),
        (Action::Watch, "U1 is watching for the next rotation", Action::StopWatching),
        (Action::Resolve, "U1 resolved this", Action::Reopen),
        (Action::Reopen, "U1 reopened this", Action::Resolve),
        (Action::Resolve, "U1 resolved this", Action::Reopen),
    ]
    .into_iter()
    .enumerate()
    {
        let before = slack.replies().iter().filter(|shown| shown.title().starts_with(note)).count();
        let clicked = token(&slack.roots()[0].message, action);
        assert_eq!(answer_text(&world.click(&format!("c{number}"), "U1", &clicked).await), "accepted", "{action:?}");
        slack.until(note, |state| state.shown.iter().filter(|shown| shown.title().starts_with(note)).count() > before).await;
        slack
            .until("the button that takes it back", |state| {
                let offered = tokens(&state.shown[0].message);
                offered.iter().any(|token| token.action == next) && offered.iter().all(|token| token.action != action)
            })
            .await;
        assert_eq!(slack.roots()[0].title().starts_with("Resolved: "), action == Action::Resolve);
        assert_eq!(world.store.watch(&id).await.unwrap().is_some(), action == Action::Watch);
        // Whoever clicks a moment later is told that it was done.
        let again = answer_text(&world.click(&format!("late{number}"), "U2", &clicked).await);
        assert!(again.starts_with("This has already been done"), "{action:?}: {again}");
    }
    let audited: Vec<String> = world.audit_trail().await.iter().map(|line| line.did.to_string()).collect();
    for done in ["watch", "stop watching", "resolve", "reopen"] {
        assert!(audited.iter().any(|what| what == done), "{done} is not among {audited:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn everybody_copies_the_commands_of_the_fix_alone_and_bare() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let copy = token(&root, Action::CopyFix);
    let shown = root.parts.iter().find_map(|part| match part {
        Part::Commands(commands) => Some(commands.clone()),
        _ => None,
    });
    let shown = shown.unwrap();
    for (number, user) in ["U1", "U2", "U1"].into_iter().enumerate() {
        assert_eq!(answer_text(&world.click(&format!("c{number}"), user, &copy).await), "accepted");
        slack.until("the commands", |state| state.ephemerals.len() == number + 1).await;
    }
    for (_, message) in slack.with(|state| state.ephemerals.clone()) {
        let [Part::Commands(commands)] = message.parts.as_slice() else { panic!("more than commands: {:?}", message.parts) };
        assert!(commands.len() >= 2 && commands.starts_with(&shown), "all commands, of which the verdict shows the first");
        assert!(message.controls.is_empty());
    }
    world.end().await;
}

#[tokio::test]
async fn whoever_waited_longer_than_ten_seconds_is_called_once_to_the_verdict() {
    use rotation_diag::chat::document::Mention;
    use rotation_diag::clock::Clock;
    for (waited, calls) in [(2, 0), (11, 1)] {
        let accounts = || super::world::Simulated::new(&[("prod", "role_detached_policy", "")]);
        let asked = Clock::system().now();
        let folder = tempfile::tempdir().unwrap();
        let world = World::by(Clock::starting_at(asked), folder, RULES, accounts()).await;
        assert_eq!(answer_text(&world.say("ask", "U1", "prod/orders-db").await), "accepted");
        // It is killed before it begins, and starts again so much later.
        let folder = world.kill().await;
        let later = asked + jiff::SignedDuration::from_secs(waited);
        let mut world = World::by(Clock::starting_at(later), folder, RULES, accounts()).await;
        let slack = Fake::new(PlatformName::new("slack"));
        world.start(std::slice::from_ref(&slack));
        let is_told = |state: &super::world::State| state.shown.iter().any(|shown| shown.title().starts_with("Timeline"));
        slack.until("the timeline, which comes last but for the call", is_told).await;
        let is_call = |shown: &&super::world::Shown| shown.message.mention == Some(Mention::User("U1".to_owned()));
        slack.until("the call", |state| state.shown.iter().filter(is_call).count() == calls).await;
        let folder = world.end().await;
        // A restart says nothing again.
        let mut world = World::by(Clock::starting_at(later), folder, RULES, accounts()).await;
        world.start(std::slice::from_ref(&slack));
        world.say("ask2", "U2", "prod/orders-db window:7d").await;
        slack.until("another thread", |state| state.shown.iter().filter(|shown| shown.root.is_none()).count() == 2).await;
        let called: Vec<_> = slack.shown().into_iter().filter(|shown| is_call(&shown)).collect();
        assert_eq!(called.len(), calls, "{waited} s: {called:?}");
        for call in called {
            assert!(call.root.is_some() && call.title().starts_with("prod/orders-db is not rotating"), "{call:?}");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn the_verdict_is_shown_while_whoever_made_the_change_is_searched_for() {
    let slow_trail = "[[fault]]\noperation = \"LookupEvents\"\nlatency_ms = 1500\n";
    let accounts = super::world::Simulated::new(&[("prod", "function_deleted", slow_trail)]);
    let mut world = World::new(RULES, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/lottery-db").await), "accepted");
    let is_searching = |message: &Message| {
        message.parts.iter().any(
            |part| matches!(part, Part::Context(lines) if lines.iter().any(|line| line.as_str() == "still searching who changed it")),
        )
    };
    slack.until("the early word", |state| state.shown.first().is_some_and(|root| is_searching(&root.message))).await;
    let early = slack.roots()[0].message.clone();
    assert!(early.title.as_str().starts_with("prod/lottery-db is not rotating"), "{}", early.title);
    assert!(early.parts.iter().any(|part| matches!(part, Part::Commands(_))), "the fix is there already");
    assert!(early.controls.is_empty(), "buttons come with the end");
    slack.until("the end", |state| !state.shown[0].message.controls.is_empty()).await;
    let end = slack.roots()[0].message.clone();
    assert_eq!((end.title, is_searching(&slack.roots()[0].message)), (early.title, false));
    world.end().await;
}

#[tokio::test]
async fn words_in_the_thread_do_what_buttons_do() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    verdict(&world, &slack).await;
    let root = slack.roots()[0].id.clone();
    let words = |key: &str, words: &str| said(key, &actor("U2"), place(Some(&root)), Payload::Words(words.to_owned()));
    assert_eq!(answer_text(&world.bot.intake.accept(words("w1", "evidence 5")).await), "accepted");
    slack.until("the evidence", |state| state.shown.iter().any(|shown| shown.title().starts_with("Step 5"))).await;
    assert_eq!(answer_text(&world.bot.intake.accept(words("w2", "rerun")).await), "accepted");
    slack.until("the second run", |state| state.shown.iter().any(|shown| shown.title().contains("U2 reran all steps"))).await;
    let answer = world.bot.intake.accept(words("w3", "frobnicate the thing")).await;
    assert!(answer_text(&answer).len() > 10, "{answer:?}");
    let nowhere =
        world.bot.intake.accept(said("w4", &actor("U2"), place(Some("m999")), Payload::Words("rerun".to_owned()))).await;
    assert!(answer_text(&nowhere).starts_with("Use this in the thread"), "{nowhere:?}");
    world.end().await;
}

#[tokio::test]
async fn a_name_in_two_accounts_is_asked_about_with_buttons() {
    let accounts = Simulated::new(&[("prod", "role_detached_policy", ""), ("test", "healthy", "")]);
    let mut world = World::new(RULES, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    world.say("ask", "U1", "prod/orders-db").await;
    slack.until("the question", |state| state.shown.first().is_some_and(|root| !root.message.controls.is_empty())).await;
    let question = slack.roots()[0].message.clone();
    assert!(question.title.as_str().contains("2 places"), "{}", question.title);
    let clicks = (0..10).map(|number| {
        let choice = Action::Choose(u8::try_from(number % 2).unwrap());
        let (world, token) = (&world, token(&question, choice));
        async move { answer_text(&world.click(&format!("c{number}"), if number < 5 { "U1" } else { "U2" }, &token).await) }
    });
    let answers = futures::future::join_all(clicks).await;
    assert_eq!(answers.iter().filter(|answer| *answer == "accepted").count(), 1, "{answers:?}");
    slack.until("a verdict", |state| state.shown.len() >= 2).await;
    let recent = world.bot.intake.recent(&actor("U1"), ThreadFilter::All, 10).await;
    assert_eq!(recent.len(), 1);
    assert_eq!(slack.roots().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_name_in_two_regions_of_one_account_is_asked_about_and_looked_into_where_the_person_says() {
    let elsewhere = "[account]\nregion = \"us-east-1\"\n";
    let accounts = Simulated::new(&[("prod", "role_detached_policy", ""), ("prod", "role_detached_policy", elsewhere)]);
    let mut world = World::new(RULES, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    world.say("ask", "U1", "prod/orders-db").await;
    slack.until("the question", |state| state.shown.first().is_some_and(|root| !root.message.controls.is_empty())).await;
    let question = slack.roots()[0].message.clone();
    let labels: Vec<String> = question.controls.iter().map(|control| format!("{control:?}")).collect();
    assert!(labels.iter().any(|label| label.contains("prod · us-east-1")), "{labels:?}");
    assert_eq!(tokens(&question).len(), 2);
    assert_eq!(answer_text(&world.click("c", "U2", &token(&question, Action::Choose(1))).await), "accepted");
    slack.until("a verdict", |state| state.shown.len() >= 2).await;
    let recent = world.bot.intake.recent(&actor("U1"), ThreadFilter::All, 10).await;
    let shown = world.bot.history.investigation(&actor("U1"), &place(None), &recent[0].id).await.unwrap();
    assert_eq!(shown.investigation.evidence.region, "us-east-1");
    world.end().await;
}

#[tokio::test]
async fn a_question_that_names_its_account_asks_nobody() {
    let accounts = Simulated::new(&[("prod", "role_detached_policy", ""), ("test", "healthy", "")]);
    let mut world = World::new(RULES, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    world.say("ask", "U1", "prod/orders-db account:test region:eu-west-1 window:7d").await;
    slack.until("a verdict", |state| state.shown.len() >= 2).await;
    assert_eq!(slack.roots()[0].message.tone, Tone::Good, "{}", slack.roots()[0].title());
    world.end().await;
}

#[tokio::test]
async fn a_watched_secret_is_looked_at_again_after_a_restart_and_its_end_is_told() {
    let config = format!("{RULES}[work]\nwatch_every_seconds = 1\n");
    let accounts = Simulated::new(&[("prod", "role_detached_policy", "")]);
    let mut world = World::new(&config, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    world.click("c1", "U1", &token(&root, Action::Watch)).await;
    slack.until("the watch", |state| state.shown.iter().any(|shown| shown.title().contains("is watching"))).await;
    let id = tokens(&root)[0].investigation.clone();
    let folder = world.end().await;

    // After the restart it is an hour later, and half an hour ago a rotation succeeded.
    let later = Simulated::later(jiff::SignedDuration::from_hours(1), &[("prod", "role_detached_policy", LATER)]);
    let mut world = World::at(folder, &config, later).await;
    assert!(world.store.watch(&id).await.unwrap().is_some());
    world.start(std::slice::from_ref(&slack));
    slack
        .until("the end of the watch", |state| {
            state.shown.iter().any(|shown| shown.title().starts_with("The watched rotation succeeded"))
        })
        .await;
    let told = slack.shown().into_iter().find(|shown| shown.title().starts_with("The watched rotation")).unwrap().message;
    assert_eq!((told.mention, told.is_ending), (Some(Mention::User("U1".to_owned())), true), "whoever asked for it is called");
    assert!(world.store.watch(&id).await.unwrap().is_none());
    world.end().await;
}

/// A rotation that succeeds after everything else the scenario tells.
const LATER: &str = "[[rotation]]\nat = \"-30m\"\noutcome = \"succeeded\"\n";

#[tokio::test]
async fn a_token_survives_only_as_it_was_made() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let root = verdict(&world, &slack).await;
    let good: ActionToken = tokens(&root)[0].clone();
    let next = ActionToken { revision: good.revision + 1, ..good.clone() }.to_string();
    let other = ActionToken { investigation: "0".repeat(32).parse().unwrap(), ..good.clone() }.to_string();
    for (number, text) in [next.as_str(), other.as_str(), "0.x.1.rerun", &"x".repeat(10_240), "\u{fffd}"].iter().enumerate() {
        let answer = answer_text(&world.click(&format!("t{number}"), "U1", text).await);
        assert!(answer.starts_with("This button has expired"), "{text}: {answer}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_fails_each_time_is_given_up_and_its_thread_says_so() {
    let mut world = World::usual().await;
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/orders-db").await), "accepted");
    for _ in 0..rotation_diag::store::MAX_ATTEMPTS {
        world.fails_once_more().await;
    }
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    slack.until("the end", |state| state.shown.len() == 1).await;
    let root = slack.roots()[0].message.clone();
    assert!(root.title.as_str().contains("it was started several times and never finished"), "{}", root.title);
    assert_eq!(tokens(&root)[0].action, Action::RerunAll);
    assert_eq!(world.dead_letters().await.len(), 1);
    assert!(world.audit().await.iter().any(|(_, did, decision)| did == "gave up" && decision == "system"));
    world.end().await;
}

#[tokio::test]
async fn what_ends_of_the_process_cut_short_again_and_again_is_done_all_the_same() {
    let accounts = || Simulated::new(&[("prod", "role_detached_policy", "")]);
    let mut world = World::usual().await;
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/orders-db").await), "accepted");
    for _ in 0..3 * rotation_diag::store::MAX_ATTEMPTS {
        // Begun, and the process is gone. After the first few ends it waits a moment.
        let mut look = tokio::time::interval(std::time::Duration::from_millis(10));
        while world.store.claim(super::world::PATIENCE).await.unwrap().is_none() {
            look.tick().await;
        }
        let folder = world.end().await;
        world = World::at(folder, RULES, accounts()).await;
    }
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    let is_told = |state: &super::world::State| state.shown.iter().any(|shown| shown.title().contains("is not rotating"));
    slack.until("the verdict", is_told).await;
    assert_eq!(world.dead_letters().await, Vec::<String>::new());
    world.end().await;
}
