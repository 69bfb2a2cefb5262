//! What is said where a secret's name belongs and is none: a value, talk in a thread, a name that does not exist.

use super::flows::verdict;
use super::log_capture::LogCapture;
use super::world::{Fake, RULES, Simulated, World, actor, answer_text, place, said, whole_text};
use rotation_diag::chat::document::Tone;
use rotation_diag::chat::{Ack, ChatPlatform, Intake as _, Payload, ThreadFilter};
use rotation_diag::model::{Place, PlatformName};
use std::sync::Arc;

const VALUE: &str = "This looks like a secret's value, not its name";

/// What people paste: the token is put together, so that no scanner takes it for a real one.
fn values() -> Vec<String> {
    vec![
        "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE".to_owned(),
        "9drTJvcXLB89EXLCiH9Zyjz+0CWIbz2Vg5oUIh3K".to_owned(),
        format!("ghp_{}", "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE1uXo"),
        "Xk9#mP2$vL8q".to_owned(),
        "postgres://app:hunter2hunter2@db.example.com/orders".to_owned(),
        "{\"username\":\"app\",\"password\":\"hunter2hunter2\"}".to_owned(),
    ]
}

/// The parts of a value that must not be found anywhere.
fn traces(value: &str) -> Vec<String> {
    vec![value.to_owned(), value.replace('"', "\\\""), value.chars().skip(2).take(12).collect()]
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_value_where_a_name_belongs_is_answered_and_nothing_of_it_is_kept_told_or_logged() {
    let log = LogCapture::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    verdict(&world, &slack).await;
    let root = slack.roots()[0].id.clone();
    slack
        .until("the timeline, which comes last", |state| state.shown.iter().any(|shown| shown.title().starts_with("Timeline")))
        .await;
    let shown = slack.shown().len();
    let mut number = 0;
    let mut answers = Vec::new();
    for value in values() {
        for words in [
            value.clone(),
            format!("`{value}`"),
            format!("prod/orders-db {value}"),
            format!("why does {value} not rotate?"),
            format!("prod/orders-db account:{value}"),
            format!("prod/orders-db region={value}"),
            format!("prod/orders-db --window {value}"),
            format!("secret:{value}"),
            format!("rerun {value}"),
        ] {
            for place in [place(None), place(Some(&root))] {
                number += 1;
                // Each by somebody else, so that nobody is too fast.
                let who = actor(&format!("V{number}"));
                let inbound = said(&format!("v{number}"), &who, place, Payload::Words(words.clone()));
                let Ack::Answer(answer) = world.bot.intake.accept(inbound).await else { panic!("{words:?} was accepted") };
                let is_json = value.starts_with('{') && !words.starts_with(['{', '`']);
                assert!(is_json || answer.title.as_str().starts_with(VALUE), "{words:?}: {}", answer.title);
                answers.push(whole_text(&answer));
            }
        }
        assert!(world.bot.intake.suggest(&actor("U1"), &place(None), &value).await.is_empty());
    }
    assert_eq!((world.open_triggers().await, slack.shown().len()), (0, shown));
    let (stored, logged) = (world.stored(), log.text());
    for trace in values().iter().flat_map(|value| traces(value)) {
        assert!(!holds(&stored, &trace), "{trace} is in the store");
        assert!(!logged.contains(&trace), "{trace} is in the log");
        assert!(!answers.iter().any(|answer| answer.contains(&trace)), "{trace} is told");
    }
    for advice in ["rotate it", "delete that message", "prod/orders-db", "ARN"] {
        assert!(answers[0].contains(advice), "{advice}: {}", answers[0]);
    }
    let trail = world.audit().await;
    assert_eq!(trail.iter().filter(|(who, did, how)| who == "V1" && did == "said" && how == "rejected").count(), 1);
    world.end().await;
}

const ODD: &str = "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE";

#[tokio::test]
async fn a_secret_whose_name_looks_like_a_value_is_asked_about_by_arn_or_once_its_name_is_known() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    let arn = format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{ODD}-AbCdEf");
    assert_eq!(answer_text(&world.say("k1", "U1", &arn).await), "accepted");
    assert!(answer_text(&world.say("k2", "U1", ODD).await).starts_with(VALUE));
    world.accounts.also_named(ODD);
    world.bot.autocomplete.learn_names().await;
    assert_eq!(answer_text(&world.say("k3", "U1", ODD).await), "accepted");
    // Whoever may not ask about it does not learn that there is one.
    assert!(answer_text(&world.say("k4", "U9", ODD).await).starts_with(VALUE));
    world.start(std::slice::from_ref(&slack));
    world.end().await;
}

#[tokio::test]
async fn talk_in_a_thread_starts_nothing_and_is_answered_with_the_nearest_command() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    verdict(&world, &slack).await;
    world.bot.autocomplete.learn_names().await;
    let root = slack.roots()[0].id.clone();
    slack
        .until("the timeline, which comes last", |state| state.shown.iter().any(|shown| shown.title().starts_with("Timeline")))
        .await;
    let shown = slack.shown().len();
    for (number, (words, expected)) in [
        ("thanks", None),
        ("ok", None),
        ("status", Some("rerun")),
        ("retry", Some("rerun")),
        ("evidence4", Some("evidence 4")),
        ("rerun4", Some("rerun 4")),
        ("yes please", None),
        ("looks good to me", None),
        ("widen to 30 days", Some("widen 30d")),
        ("evidence 12", Some("evidence 4")),
        ("👍", None),
        ("!!!", None),
        ("no-such-name", None),
    ]
    .into_iter()
    .enumerate()
    {
        let who = actor(if number % 2 == 0 { "U1" } else { "U2" });
        let inbound = said(&format!("t{number}"), &who, place(Some(&root)), Payload::Words(words.to_owned()));
        let Ack::Answer(answer) = world.bot.intake.accept(inbound).await else { panic!("{words} was accepted") };
        match expected {
            Some(command) => {
                assert_eq!(answer.title.as_str(), format!("Did you mean “{command}”?"), "{words}");
                assert!(whole_text(&answer).contains(&format!("@rotation-diag {command}")), "{words}");
            }
            None => assert!(whole_text(&answer).contains("@rotation-diag rerun 4"), "{words}: {answer:?}"),
        }
    }
    assert_eq!((world.open_triggers().await, slack.shown().len()), (0, shown));
    assert_eq!(world.bot.intake.recent(&actor("U1"), ThreadFilter::All, 10).await.len(), 1);
    // What is clearly a secret is asked about.
    for (number, words) in
        ["prod/billing", "secret:prod-billing", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:billing-AbCdEf"]
            .into_iter()
            .enumerate()
    {
        let inbound = said(&format!("q{number}"), &actor("U3"), place(Some(&root)), Payload::Words(words.to_owned()));
        let refused = answer_text(&world.bot.intake.accept(inbound).await);
        assert!(refused.starts_with("You are not allowed to do this here"), "{words}: {refused}");
    }
    world.accounts.also_named("billing");
    world.bot.autocomplete.learn_names().await;
    let known = said("known", &actor("U1"), place(Some(&root)), Payload::Words("billing".to_owned()));
    assert_eq!(answer_text(&world.bot.intake.accept(known).await), "accepted");
    world.end().await;
}

/// One rule for U1 in C1, with these lines.
fn rule(lines: &str) -> String {
    format!("[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\n{lines}\n")
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_answered_to_its_asker_alone_with_names_that_person_may_ask_about() {
    let rules = format!("{}{}", rule("users = [\"U1\"]\nsecrets = [\"prod/*\"]"), rule("users = [\"U2\"]"));
    let mut world = World::new(&rules, Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    for (key, user, near, hidden) in
        [("a", "U1", vec!["prod/orders-db"], "test/orders-db"), ("b", "U2", vec!["prod/orders-db"], "prod/billing")]
    {
        assert_eq!(answer_text(&world.say(key, user, "prod/order-db").await), "accepted");
        slack.until("the answer", |state| state.ephemerals.iter().any(|(to, _)| *to == format!("answer-to-{key}"))).await;
        let ephemerals = slack.with(|state| state.ephemerals.clone());
        let (_, answer) = ephemerals.iter().find(|(to, _)| *to == format!("answer-to-{key}")).unwrap();
        assert_eq!(answer.title.as_str(), "There is no secret prod/order-db in prod, eu-west-1");
        assert_eq!(answer.tone, Tone::Warning);
        let text = whole_text(answer);
        for name in near {
            assert!(text.contains(&format!("/rotation-diag {name}")), "{text}");
        }
        assert!(!text.contains(hidden), "{text}");
    }
    assert!(slack.shown().is_empty(), "nothing is posted: {:?}", slack.shown());
    assert!(world.bot.intake.recent(&actor("U1"), ThreadFilter::All, 10).await.is_empty());
    let trail = world.audit_trail().await;
    let last = trail.last().unwrap();
    assert_eq!((last.subject.as_str(), last.decision.as_str()), ("prod/order-db", "rejected"));
    assert_eq!(last.reason.as_str(), "there is no such secret");
    world.end().await;
}

#[tokio::test]
async fn a_bare_word_that_names_no_secret_is_not_repeated() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    for word in ["hello", "status", "tigerlily"] {
        assert_eq!(answer_text(&world.say(word, "U1", word).await), "accepted");
        slack.until("the answer", |state| state.ephemerals.iter().any(|(to, _)| *to == format!("answer-to-{word}"))).await;
    }
    let ephemerals = slack.with(|state| state.ephemerals.clone());
    for (_, answer) in &ephemerals {
        assert_eq!(answer.title.as_str(), "There is no secret of that name in prod, eu-west-1");
        let text = whole_text(answer);
        assert!(text.contains("/rotation-diag help"), "{text}");
        assert!(!["hello", "status", "tigerlily"].iter().any(|word| text.contains(word)), "{text}");
    }
    assert!(slack.shown().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_name_that_is_known_in_another_place_is_offered_with_that_place() {
    let accounts = Simulated::new(&[("prod", "role_detached_policy", ""), ("test", "healthy", "")]);
    let mut world = World::new(RULES, accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    world.say("a", "U1", "prod/billing account:test").await;
    slack.until("the answer", |state| !state.ephemerals.is_empty()).await;
    let (_, answer) = slack.with(|state| state.ephemerals[0].clone());
    assert!(whole_text(&answer).contains("/rotation-diag prod/billing account:prod region:eu-west-1"), "{answer:?}");
    world.say("b", "U1", "prod/nowhere").await;
    slack.until("the answer", |state| state.ephemerals.len() == 2).await;
    let (_, answer) = slack.with(|state| state.ephemerals[1].clone());
    assert_eq!(answer.title.as_str(), "There is no secret prod/nowhere in any of the 2 places you may ask about");
    assert!(slack.shown().is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_could_not_be_looked_for_everywhere_has_its_thread() {
    for fault in [
        "[caller]\ndeny = [\"secretsmanager:DescribeSecret\"]\n",
        "[[fault]]\noperation = \"secretsmanager:DescribeSecret\"\nhang = true\n",
    ] {
        let accounts = Simulated::new(&[("prod", "role_detached_policy", fault)]);
        let mut world = World::new(RULES, accounts).await;
        let slack = Fake::new(PlatformName::new("slack"));
        world.start(std::slice::from_ref(&slack));
        world.say("ask", "U1", "prod/no-such-name").await;
        slack.until("a thread", |state| !state.shown.is_empty()).await;
        assert!(slack.with(|state| state.ephemerals.is_empty()), "{fault}");
        world.end().await;
    }
}

#[tokio::test]
async fn an_answer_that_a_crash_kept_from_its_asker_is_given_once() {
    let mut world = World::usual().await;
    let slack = Fake::new(PlatformName::new("slack"));
    // Accepted, and killed before anybody worked on it.
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/no-such-name").await), "accepted");
    let accounts = Arc::clone(&world.accounts);
    let folder = world.end().await;
    // Worked on, and killed before it was told.
    world = World::at(folder, RULES, Arc::clone(&accounts)).await;
    world.start(&[]);
    while world.open_triggers().await > 0 {
        tokio::task::yield_now().await;
    }
    let folder = world.end().await;
    world = World::at(folder, RULES, accounts).await;
    world.start(std::slice::from_ref(&slack));
    slack.until("the answer", |state| !state.ephemerals.is_empty()).await;
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/no-such-name").await), "duplicate");
    rotation_diag::bot::last_messages(&world.store, super::world::PATIENCE).await;
    assert_eq!((slack.with(|state| state.ephemerals.len()), slack.shown().len()), (1, 0));
    world.end().await;
}

#[tokio::test]
async fn a_question_that_is_no_longer_allowed_is_refused_to_its_asker_alone() {
    let mut world = World::usual().await;
    assert_eq!(answer_text(&world.say("ask", "U1", "prod/orders-db").await), "accepted");
    let accounts = Arc::clone(&world.accounts);
    let folder = world.end().await;
    world = World::at(folder, &rule("users = [\"U7\"]"), accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    slack.until("the refusal", |state| !state.ephemerals.is_empty()).await;
    assert!(slack.with(|state| state.ephemerals[0].1.title.as_str().starts_with("You are not allowed to do this here")));
    assert!(slack.shown().is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_mistyped_account_or_region_names_those_there_are_to_people_who_may_use_them_all() {
    let accounts = || Simulated::new(&[("prod", "role_detached_policy", ""), ("test", "healthy", "")]);
    let world = World::new(RULES, accounts()).await;
    for (number, (words, expected)) in [
        ("prod/orders-db account:stgae", "No account has that name: choose one of prod, test."),
        ("prod/orders-db account:prod region:us-west-2", "Account prod has no such region: choose one of eu-west-1."),
        (
            "prod/orders-db region:us-west-2",
            "No configured account has that region: choose one of eu-west-1; the accounts are prod, test.",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(answer_text(&world.say(&format!("k{number}"), "U1", words).await), expected, "{words}");
        let stranger = answer_text(&world.say(&format!("s{number}"), "U9", words).await);
        assert!(stranger.starts_with("You are not allowed to do this here"), "{stranger}");
    }
    let some = World::new(&rule("users = [\"U1\"]\naccounts = [\"prod\"]"), accounts()).await;
    let refused = answer_text(&some.say("k", "U1", "prod/orders-db account:stgae").await);
    assert!(refused.starts_with("You are not allowed to do this here"), "{refused}");
}

#[tokio::test]
async fn a_notice_leaves_a_secrets_name_as_it_is_written() {
    // No rule covers it any more when it is looked into, and there is no address for its asker.
    let mut world = World::usual().await;
    let inbound = said("ask", &actor("U1"), place(None), Payload::Words("prod/orders-db".to_owned()));
    assert_eq!(
        answer_text(&world.bot.intake.accept(rotation_diag::chat::IncomingEvent { reply_to: None, ..inbound }).await),
        "accepted"
    );
    let accounts = Arc::clone(&world.accounts);
    let folder = world.end().await;
    world = World::at(folder, &rule("users = [\"U7\"]"), accounts).await;
    let slack = Fake::new(PlatformName::new("slack"));
    world.start(std::slice::from_ref(&slack));
    slack.until("the failure", |state| state.shown.first().is_some_and(|root| !root.message.controls.is_empty())).await;
    let title = slack.roots()[0].title().to_owned();
    assert!(title.starts_with("prod/orders-db could not be investigated: you are not allowed"), "{title}");
    world.end().await;
}

#[tokio::test]
async fn help_teaches_the_form_that_works_in_its_place() {
    let world = World::usual().await;
    let on = |name| Fake::new(PlatformName::new(name)) as Arc<dyn ChatPlatform>;
    world.bot.platforms.set(&["slack", "discord", "console"].map(on));
    let elsewhere = |platform, workspace: &str, channel: &str, thread: Option<&str>| Place {
        platform,
        workspace: workspace.to_owned(),
        channel: channel.to_owned(),
        thread: thread.map(str::to_owned),
    };
    for (number, (place, taught, not)) in [
        (place(None), ["/rotation-diag prod/orders-db\"", "@rotation-diag rerun 4"], "words:"),
        (place(Some("1.2")), ["@rotation-diag prod/orders-db\"", "@rotation-diag rerun 4"], "/rotation-diag"),
        (
            elsewhere(PlatformName::new("discord"), "G1", "C9", Some("7")),
            ["/rotation-diag prod/orders-db\"", "/diag rerun 4"],
            "@rotation-diag",
        ),
        (
            elsewhere(PlatformName::new("console"), "local", "page", Some("m")),
            ["/rotation-diag prod/orders-db\"", "rerun 4"],
            "@rotation-diag",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let inbound = said(&format!("h{number}"), &actor("U1"), place, Payload::Words("help".to_owned()));
        let Ack::Answer(help) = world.bot.intake.accept(inbound).await else { panic!("no help") };
        let text = whole_text(&help);
        for taught in taught {
            assert!(text.contains(taught), "{taught}: {text}");
        }
        assert!(!text.contains(not), "{not}: {text}");
    }
}
