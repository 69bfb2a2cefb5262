//! Commands and rights, through the intake: what is said, and what comes of it before anything is asked of AWS.

use super::world::{RULES, Simulated, World, actor, answer_text, place, said};
use rotation_diag::chat::{Ack, Intake as _, Payload};
use rotation_diag::model::{Actor, Place, PlatformName, Standing};

const REFUSED: &str = "You are not allowed to do this here: the operator of rotation-diag can allow it in the configuration.";

async fn limited(rules: &str) -> World {
    World::new(rules, Simulated::new(&[("prod", "role_detached_policy", ""), ("test", "healthy", "")])).await
}

/// One rule for U1 in C1, with these lines.
fn rule(lines: &str) -> String {
    format!("[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\n{lines}\n")
}

#[tokio::test]
async fn what_makes_no_sense_gets_one_clear_answer_and_starts_nothing() {
    let world = World::usual().await;
    let long = "x".repeat(4_000);
    for (number, words) in [
        "!!!",
        long.as_str(),
        "a b",
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager:eu-west-1:123456789012",
        "arn:aws:secretsmanager::123456789012:secret:x-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x:y:z-AbCdEf",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x\" || \"",
        "x${y}",
        "x*",
        "%0a",
        "prod/orders-db window:0",
        "prod/orders-db window:-1",
        "prod/orders-db window:99999999d",
        "prod/orders-db --role arn:aws:iam::123456789012:role/x",
        "prod/orders-db external_id:x",
        "prod/orders-db window:7d window:30d",
    ]
    .into_iter()
    .enumerate()
    {
        // Each by somebody else, so that nobody is too fast.
        let inbound = said(&format!("k{number}"), &actor(&format!("U{number}")), place(None), Payload::Words(words.to_owned()));
        let receipt = world.bot.intake.accept(inbound).await;
        assert!(matches!(receipt, Ack::Answer(_)), "{words:?}: {receipt:?}");
    }
    for (words, expected) in [("", "Name the secret"), ("   ", "Name the secret"), ("help", "Why is a secret not rotating?")] {
        let receipt = world.say("help", "U1", words).await;
        assert!(answer_text(&receipt).starts_with(expected), "{words:?}: {receipt:?}");
    }
    assert_eq!((world.open_triggers().await, world.accounts.calls()), (0, 0));
}

#[tokio::test]
async fn a_name_with_every_allowed_sign_is_accepted() {
    let world = World::usual().await;
    let longest = "x".repeat(512);
    for (number, name) in ["/_+=.@-", "x", longest.as_str(), "../../etc/passwd", "/a//b"].into_iter().enumerate() {
        assert_eq!(answer_text(&world.say(&format!("k{number}"), "U1", name).await), "accepted", "{name}");
    }
}

#[tokio::test]
async fn what_no_rule_allows_is_refused_before_aws_is_asked() {
    let world =
        limited(&rule("users = [\"U1\"]\naccounts = [\"prod\"]\nregions = [\"eu-west-1\"]\nsecrets = [\"prod/*\"]")).await;
    let cases = [
        ("prod/orders-db", "accepted"),
        ("prod/nowhere", "accepted"),
        ("test/orders-db", REFUSED),
        ("prod/orders-db account:test", REFUSED),
        ("prod/orders-db account:nobody", REFUSED),
        ("prod/orders-db region:us-east-1", REFUSED),
        ("arn:aws:secretsmanager:eu-west-1:999999999999:secret:prod/orders-db-AbCdEf", REFUSED),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/orders-db-AbCdEf", REFUSED),
        ("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:prod/orders-db-AbCdEf", REFUSED),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:test/x-AbCdEf", REFUSED),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf", "accepted"),
        (
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf region:us-east-1",
            "The ARN is in region eu-west-1, but region says us-east-1.",
        ),
    ];
    for (number, (words, expected)) in cases.into_iter().enumerate() {
        assert_eq!(answer_text(&world.say(&format!("k{number}"), "U1", words).await), expected, "{words}");
    }
    assert_eq!(world.accounts.calls(), 0);
    let refused = world.audit().await.into_iter().filter(|(_, _, decision)| decision == "refused").count();
    assert_eq!(refused, 8);
}

#[tokio::test]
async fn without_a_rule_everybody_is_refused_and_told_who_can_change_it() {
    let world = limited("").await;
    let receipt = world.say("k", "U1", "prod/orders-db").await;
    assert!(answer_text(&receipt).starts_with("Nobody is allowed to use this bot yet"), "{receipt:?}");
    assert_eq!(world.open_triggers().await, 0);
}

#[tokio::test]
async fn rights_depend_on_ids_in_their_own_place_alone() {
    let elsewhere = |platform, workspace: &str, channel: &str| Place {
        platform,
        workspace: workspace.to_owned(),
        channel: channel.to_owned(),
        thread: None,
    };
    let of = |place: &Place, user: &str, standing, groups: Option<&[&str]>| Actor {
        platform: place.platform,
        workspace: place.workspace.clone(),
        user: user.to_owned(),
        groups: groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect()),
        standing,
    };
    let slack = elsewhere(PlatformName::new("slack"), "T1", "C1");
    let member = Standing::Member;
    let by_id = rule("users = [\"U1\"]");
    let by_group = rule("groups = [\"S1\"]");
    let everyone = rule("users = [\"*\"]");
    let but = |deny: &str| format!("{everyone}[[deny]]\n{deny}\n");
    let none: Option<&[&str]> = Some(&[]);
    let unknown_groups = "Your groups could not be looked up, and your rights depend on them: try again in a minute.";
    let unknown_standing = "Whether you are a full member here could not be looked up: try again in a minute.";
    let other = |place: Place| (place.clone(), of(&place, "U1", member, none));
    let cases = [
        ("the named person", &by_id, (slack.clone(), of(&slack, "U1", member, none)), "accepted"),
        ("the named person, standing unknown", &by_id, (slack.clone(), of(&slack, "U1", Standing::Unknown, none)), "accepted"),
        ("another person", &by_id, (slack.clone(), of(&slack, "U2", member, none)), REFUSED),
        ("a person called like the id", &by_id, (slack.clone(), of(&slack, "u1", member, none)), REFUSED),
        ("another channel", &by_id, other(elsewhere(PlatformName::new("slack"), "T1", "C2")), REFUSED),
        ("another workspace", &by_id, other(elsewhere(PlatformName::new("slack"), "T2", "C1")), REFUSED),
        ("another platform", &by_id, other(elsewhere(PlatformName::new("discord"), "T1", "C1")), REFUSED),
        ("someone of elsewhere", &by_id, (slack.clone(), Actor { workspace: "T2".to_owned(), ..actor("U1") }), REFUSED),
        ("a guest by id", &by_id, (slack.clone(), of(&slack, "U1", Standing::Outsider, none)), REFUSED),
        ("a member", &everyone, (slack.clone(), of(&slack, "U7", member, none)), "accepted"),
        ("a guest", &everyone, (slack.clone(), of(&slack, "U7", Standing::Outsider, none)), REFUSED),
        ("who knows", &everyone, (slack.clone(), of(&slack, "U7", Standing::Unknown, none)), unknown_standing),
        ("in the group", &by_group, (slack.clone(), of(&slack, "U7", member, Some(&["S1"]))), "accepted"),
        ("in another group", &by_group, (slack.clone(), of(&slack, "U7", member, Some(&["S2"]))), REFUSED),
        ("groups unknown", &by_group, (slack.clone(), of(&slack, "U7", member, None)), unknown_groups),
        ("a guest in the group", &by_group, (slack.clone(), of(&slack, "U7", Standing::Outsider, Some(&["S1"]))), REFUSED),
        ("denied by id", &but("users = [\"U7\"]"), (slack.clone(), of(&slack, "U7", member, none)), REFUSED),
        ("another denied", &but("users = [\"U8\"]"), (slack.clone(), of(&slack, "U7", member, none)), "accepted"),
        ("denied by secret", &but("secrets = [\"prod/orders-*\"]"), (slack.clone(), of(&slack, "U7", member, none)), REFUSED),
        ("denied by group", &but("groups = [\"S1\"]"), (slack.clone(), of(&slack, "U7", member, Some(&["S1"]))), REFUSED),
        ("perhaps denied", &but("groups = [\"S1\"]"), (slack.clone(), of(&slack, "U7", member, None)), unknown_groups),
        ("denied elsewhere", &but("channels = [\"C2\"]"), (slack.clone(), of(&slack, "U7", member, none)), "accepted"),
        ("denied another action", &but("actions = [\"export\"]"), (slack.clone(), of(&slack, "U7", member, none)), "accepted"),
    ];
    for (what, rules, (place, actor), expected) in cases {
        let world = World::new(rules, Simulated::new(&[("prod", "role_detached_policy", "")])).await;
        let receipt = world.bot.intake.accept(said("k", &actor, place, Payload::Words("prod/orders-db".to_owned()))).await;
        assert_eq!(answer_text(&receipt), expected, "{what}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_same_whether_the_secret_exists_or_not() {
    let world = limited(&rule("users = [\"U1\"]\nsecrets = [\"prod/*\"]")).await;
    let there = world.say("k1", "U9", "prod/orders-db").await;
    let nowhere = world.say("k2", "U8", "prod/nothing-like-it").await;
    assert_eq!(there, nowhere);
    assert_eq!(world.accounts.calls(), 0);
}

#[tokio::test]
async fn a_redelivery_is_acknowledged_and_starts_nothing_more() {
    let world = World::usual().await;
    assert_eq!(answer_text(&world.say("same", "U1", "prod/orders-db").await), "accepted");
    for _ in 0..3 {
        assert_eq!(answer_text(&world.say("same", "U1", "prod/orders-db").await), "duplicate");
    }
    assert_eq!(world.open_triggers().await, 1);
}

#[tokio::test]
async fn the_same_question_joins_the_open_one_and_a_flood_is_slowed_down() {
    let world = World::usual().await;
    let mut answers = Vec::new();
    for number in 0..25 {
        answers.push(answer_text(&world.say(&format!("k{number}"), "U1", "prod/orders-db").await));
    }
    assert_eq!(answers[0], "accepted");
    assert!(
        answers[1..20].iter().all(|answer| answer.starts_with("An investigation of this secret is already running")),
        "{answers:?}"
    );
    assert!(answers[20..].iter().all(|answer| answer.starts_with("You are sending commands too fast")), "{answers:?}");
    assert_eq!(answer_text(&world.say("other", "U2", "prod/orders-db").await), "accepted");
    assert_eq!(world.open_triggers().await, 2);
}

#[tokio::test]
async fn a_hundred_deliveries_at_once_of_one_message_are_one_trigger() {
    let world = World::usual().await;
    let inbound = |_| said("one", &actor("U1"), place(None), Payload::Words("prod/orders-db".to_owned()));
    let receipts = futures::future::join_all((0..15).map(|number| world.bot.intake.accept(inbound(number)))).await;
    let accepted = receipts.iter().filter(|receipt| **receipt == Ack::Accepted).count();
    assert_eq!((accepted, world.open_triggers().await), (1, 1));
}

#[tokio::test]
async fn names_are_suggested_from_memory_and_only_those_the_person_may_ask_about() {
    let world = limited(&rule("users = [\"U1\"]\nsecrets = [\"prod/*\"]")).await;
    world.bot.autocomplete.learn_names().await;
    assert_eq!(world.bot.intake.suggest(&actor("U1"), &place(None), "ord").await, ["prod/orders-db"]);
    assert_eq!(world.bot.intake.suggest(&actor("U1"), &place(None), "").await, ["prod/billing", "prod/orders-db"]);
    assert!(world.bot.intake.suggest(&actor("U9"), &place(None), "").await.is_empty());
    assert!(world.bot.intake.suggest(&actor("U1"), &Place { channel: "C2".to_owned(), ..place(None) }, "").await.is_empty());
}

#[tokio::test]
async fn who_asked_what_and_what_was_decided_is_kept() {
    let world = World::new(RULES, Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    world.say("k1", "U1", "prod/orders-db").await;
    world.say("k2", "U9", "prod/orders-db").await;
    world.say("k3", "U1", "a b c").await;
    world.click("k4", "U1", "not a token").await;
    let trail = world.audit().await;
    let expected = [
        ("U1", "investigate", "allowed"),
        ("U9", "investigate", "refused"),
        ("U1", "said", "rejected"),
        ("U1", "clicked", "rejected"),
    ];
    let expected: Vec<_> = expected.map(|(who, what, how)| (who.to_owned(), what.to_owned(), how.to_owned())).into();
    assert_eq!(trail, expected);
}

#[tokio::test]
async fn places_are_completed_where_the_secret_is_and_only_for_those_who_may_ask_there() {
    let world = limited(&rule("users = [\"U1\"]\naccounts = [\"prod\"]")).await;
    let places = |user: &str, secret: &'static str| {
        let (who, intake) = (actor(user), &world.bot.intake);
        async move {
            intake.places(&who, &place(None), secret).await.into_iter().map(|(account, _)| account.unwrap()).collect::<Vec<_>>()
        }
    };
    assert_eq!(places("U1", "prod/unknown").await, ["prod"], "what may be asked about");
    assert!(places("U1", "").await.is_empty(), "no name is known yet");
    world.bot.autocomplete.learn_names().await;
    assert_eq!(places("U1", "").await, ["prod"]);
    assert_eq!(places("U1", "prod/orders-db").await, ["prod"]);
    assert!(places("U9", "").await.is_empty() && places("U9", "prod/orders-db").await.is_empty());
}

#[tokio::test]
async fn a_text_somebody_points_at_is_about_what_it_names_or_about_known_names_that_occur_in_it() {
    let world = limited(&rule("users = [\"U1\"]\nsecrets = [\"prod/*\"]")).await;
    world.bot.autocomplete.learn_names().await;
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/payments-AbCdEf";
    for (text, expected) in [
        (format!("ALARM: prod/billing, see {arn}"), vec![arn]),
        ("Secret: prod/payments".to_owned(), vec!["prod/payments"]),
        ("*prod/orders-db* and prod/billing are late, test/orders-db is not".to_owned(), vec!["prod/billing", "prod/orders-db"]),
        ("ALARM \"orders-db\" in eu-west-1".to_owned(), vec!["prod/orders-db"]),
        ("the billing of orders".to_owned(), vec![]),
    ] {
        assert_eq!(world.bot.intake.secrets_in(&actor("U1"), &place(None), &text).await, expected, "{text}");
    }
    let nobody = world.bot.intake.secrets_in(&actor("U9"), &place(None), "prod/billing is late").await;
    assert!(nobody.is_empty(), "names are known to those alone who may ask about them: {nobody:?}");
}
