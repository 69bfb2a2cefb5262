//! How every scenario is shown on every platform.

use super::*;

/// What the thread of an investigation hangs on, on each platform.
fn verdicts(investigation: &Investigation, after: &AfterVerdict) -> Vec<(PlatformName, Screen, Message)> {
    let id = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let report = Report::new(investigation).in_account(Some("prod"));
    let verdict = |screen| compose::verdict(&report, &id, 1, after, screen);
    let screens = PLATFORMS.iter().map(|kind| (kind.name(), kind.limits().screen));
    screens.map(|(platform, screen)| (platform, screen, verdict(screen))).collect()
}

fn messages(investigation: &Investigation) -> Vec<(String, Message)> {
    let report = Report::new(investigation);
    let verdicts = verdicts(investigation, &AfterVerdict::default()).into_iter();
    let verdicts = verdicts.map(|(platform, _, message)| (format!("verdict for {platform}"), message));
    let steps = StepName::ALL.map(|step| (step.label().to_owned(), compose::evidence(investigation, step)));
    let thoughts = compose::thoughts(&report, Screen::NARROWEST).into_iter();
    let thoughts = thoughts.filter_map(|thought| Some((thought.name.to_owned(), thought.message?)));
    let commands = compose::bare_commands(&report).map(|message| ("commands".to_owned(), message));
    verdicts.chain(thoughts).chain(commands).chain(steps).collect()
}

/// What an on-call engineer reads on a phone: no more than this in the message that stands in the channel.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_is_in_the_order_of_need_and_short_in_every_scenario() {
    let new = AfterVerdict::default();
    let shown = played()
        .await
        .iter()
        .flat_map(|played| verdicts(&played.investigation, &new).into_iter().map(move |of| (played.name, of.2)));
    for (name, message) in shown {
        let rank = |part: &Part| match part {
            Part::Facts(_) => 0,
            Part::Section { label, .. } if label.as_str() == "Did you mean" => 0,
            Part::Section { label, .. } if label.as_str() == "What happened" => 1,
            Part::Section { .. } | Part::Caution(_) | Part::Commands(_) | Part::Context(_) => 2,
            Part::Quotes { .. } => 3,
            other => panic!("{name}: {other:?} belongs into the thread"),
        };
        let ranks: Vec<u8> = message.parts.iter().map(rank).collect();
        let looks =
            message.parts.iter().filter(|part| matches!(part, Part::Section { label, .. } if label.as_str() == "Look next"));
        if looks.count() == 0 {
            assert!(ranks.is_sorted(), "{name}: {ranks:?}");
        }
        for part in &message.parts {
            match part {
                Part::Section { label, lines } if label.as_str() == "What happened" => {
                    assert!(lines.len() == 1 && lines[0].chars().count() <= 360, "{name}: {lines:?}");
                }
                Part::Quotes { quotes, .. } => assert_eq!(quotes.len(), 1, "{name}"),
                _ => {}
            }
        }
        assert!(message.controls.len() <= 7, "{name}");
    }
}

/// On a phone it is read without scrolling far, whatever became of it since, and no command is lost or torn: what it leaves out
/// stands directly beneath it.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_has_room_on_every_phone_and_the_rest_of_the_fix_stands_beneath_it() {
    let at: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
    let new = AfterVerdict::default();
    let watched = AfterVerdict { watched_since: Some(at), ..AfterVerdict::default() };
    let resolved = AfterVerdict { resolved: Some(Resolved { by: "the alarm orders-rotation".into(), at }), ..watched.clone() };
    let commands = |message: &Message| -> Vec<SafeText> {
        let commands = message.parts.iter().filter_map(|part| match part {
            Part::Commands(commands) => Some(commands.clone()),
            _ => None,
        });
        commands.flatten().collect()
    };
    let (mut tall, mut left_to_thread, mut shown_whole) = (Vec::new(), 0, 0);
    for Played { name, investigation, .. } in played().await {
        let report = Report::new(investigation).in_account(Some("prod"));
        let fix = compose::bare_commands(&report).map(|message| commands(&message)).unwrap_or_default();
        for after in [&new, &watched, &resolved] {
            for (platform, screen, message) in verdicts(investigation, after) {
                if !screen.has_room_for(&message) {
                    tall.push(format!("{name} on {platform}: {}", screen.height(&message)));
                }
                let shown = commands(&message);
                assert!(fix.starts_with(&shown), "{name} on {platform}: {shown:?}");
                if shown.len() < fix.len() {
                    left_to_thread += 1;
                    let first = compose::in_thread(&report, screen).into_iter().find_map(|thought| thought.message).unwrap();
                    assert!(first.title.starts_with("The whole fix"), "{name} on {platform}: {}", first.title);
                    assert!(commands(&first).starts_with(&fix), "{name} on {platform}: {first:?}");
                } else {
                    shown_whole += 1;
                }
            }
        }
    }
    assert!(tall.is_empty(), "{}", tall.join("\n"));
    assert!(std::env::var_os("SCENARIO").is_some() || (left_to_thread > 0 && shown_whole > 0), "{left_to_thread}, {shown_whole}");
}

/// Words that only ways back have which can cut applications off.
const CUTTING_OFF: [&str; 7] = [
    " update-secret-version-stage ",
    " kms disable-key ",
    " schedule-key-deletion ",
    " delete-secret ",
    " rds stop-db-",
    " --enable-dns-support '{\"Value\":false}'",
    " delete-vpc-endpoints ",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_can_cut_applications_off_says_so_and_no_other_does() {
    for Played { name, investigation, .. } in played().await {
        for step in Report::new(investigation).plan {
            let cuts_off = step.undo.as_ref().is_some_and(|undo| CUTTING_OFF.iter().any(|words| undo.contains(words)));
            assert_eq!(step.undo_caution.is_some(), cuts_off, "{name}: {step:?}");
        }
    }
}

/// A step is fine only where nothing rests on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_good_news_only_where_what_was_looked_at_is_fine() {
    let mut marks = BTreeSet::new();
    for Played { name, investigation, .. } in played().await {
        let report = Report::new(investigation);
        for step in &report.steps {
            let mark = step.mark.sign();
            marks.insert(mark);
            let is_proof = report.leading().is_some_and(|finding| finding.evidence.iter().any(|proof| proof.step == step.number));
            let is_info = report.leading().is_some_and(|finding| finding.severity == Severity::Info);
            match step.status {
                "found" | "no_data" if is_proof && !is_info => assert_eq!(mark, "✗", "{name}: {step:?}"),
                "found" => assert!(["✓", "✗", "⚠"].contains(&mark), "{name}: {step:?}"),
                "no_data" => assert!(["–", "✗", "⚠"].contains(&mark), "{name}: {step:?}"),
                "not_applicable" => assert_eq!(mark, "○", "{name}: {step:?}"),
                _ => assert_eq!(mark, "⚠", "{name}: {step:?}"),
            }
        }
        if *name == "healthy" {
            assert!(report.steps.iter().all(|step| !["✗", "⚠"].contains(&step.mark.sign())), "{:?}", report.steps);
        }
    }
    assert_eq!(marks.len(), 5, "{marks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_makes_messages_that_every_platform_takes() {
    let (mut refused, mut shown) = (Vec::new(), 0);
    for played in played().await {
        for (what, message) in messages(&played.investigation) {
            shown += 1;
            let mut wrong = Vec::new();
            let slack = platforms::slack::render::message(&message, platforms::slack::render::Surface::Post);
            wrong.extend(slack::check(&serde_json::to_value(&slack.blocks).unwrap(), false).err());
            let discord = platforms::discord::fields(&message);
            wrong.extend(discord::body("POST", "/channels/{channel_id}/messages", &discord));
            wrong.extend(discord::message(&discord, &json!({ "parse": [] }), false));
            refused.extend(wrong.into_iter().map(|why| format!("{}: {what}: {why}", played.name)));
        }
    }
    assert_eq!(refused, Vec::<String>::new());
    // At least the verdict and what the nine steps found, and each of them.
    assert!(shown >= played().await.len() * (2 + StepName::ALL.len()), "{shown}");
}
