//! Every kind of message that people are sent, from simulated accounts, for the eyes: `LOOKS=folder` leaves them there as a
//! platform has them, and `tests/looks.py` makes pictures of that.

use crate::worlds::{ID, investigated};
use rotation_diag::chat::compose::{self, AfterVerdict, Resolved};
use rotation_diag::chat::document::{Message, Tone};
use rotation_diag::chat::{Limits, command};
use rotation_diag::model::StepName;
use rotation_diag::redact::SafeText;
use rotation_diag::report::Report;

/// The messages by name, in the order in which somebody may come to see them; `limits` are the platform's.
pub(crate) async fn every_message(limits: Limits) -> Vec<(String, Message)> {
    let Limits { manner, screen, .. } = limits;
    let id = ID.parse().unwrap();
    let broken = investigated("role_detached_policy").await;
    let report = Report::new(&broken).in_account(Some("prod"));
    let verdict = |report: &Report, after: &AfterVerdict| compose::verdict(report, &id, 1, after, screen);
    let mut steps = compose::waiting();
    steps[0] = compose::ended(StepName::Secret, "found", "exists, encrypted with the AWS managed key");
    steps[1] = compose::running(StepName::RotationConfig);
    steps[2] = compose::ended(StepName::RotationFunction, "denied", "lambda:GetFunction is not allowed");
    let at = "2026-11-24T05:00:00Z".parse().unwrap();
    let places = [("prod".to_owned(), "eu-west-1".parse().unwrap()), ("stage".to_owned(), "us-east-1".parse().unwrap())];
    let mut messages = vec![
        ("progress".to_owned(), compose::progress(&SafeText::redact("prod/orders-db in eu-west-1"), &steps)),
        ("verdict".to_owned(), verdict(&report, &AfterVerdict::default())),
        ("comparison".to_owned(), compose::comparison(&report)),
        ("export".to_owned(), compose::export(&report)),
        ("verdict-watched".to_owned(), verdict(&report, &AfterVerdict { watched_since: Some(at), ..AfterVerdict::default() })),
        (
            "verdict-resolved".to_owned(),
            verdict(&report, &AfterVerdict { resolved: Some(Resolved { by: "carol".into(), at }), ..AfterVerdict::default() }),
        ),
        ("help".to_owned(), compose::help(manner)),
        ("help-in-a-thread".to_owned(), compose::help(manner.in_thread())),
        ("which-account".to_owned(), compose::choose(&SafeText::redact("prod/orders-db"), &places, &id, 1)),
        ("usage".to_owned(), compose::usage(&command::parse("prod/x --force").unwrap_err(), manner)),
        ("no-command".to_owned(), compose::no_command(Some(&SafeText::redact("rerun 4")), manner)),
        ("pasted-value".to_owned(), compose::pasted_value()),
        ("refused".to_owned(), compose::refused("you may not do this here")),
        ("expired".to_owned(), compose::expired(manner)),
        ("already".to_owned(), compose::already()),
        ("unavailable".to_owned(), compose::unavailable()),
        ("notice".to_owned(), compose::notice(Tone::Good, "prod/orders-db rotated at 05:00 UTC")),
    ];
    let searching = AfterVerdict { searching_author: true, ..AfterVerdict::default() };
    messages.push(("verdict-searching".to_owned(), verdict(&report, &searching)));
    messages.extend(compose::bare_commands(&report).map(|commands| ("commands".to_owned(), commands)));
    let thoughts = compose::in_thread(&report, screen).into_iter();
    messages.extend(thoughts.filter_map(|thought| Some((format!("thread-{}", thought.name), thought.message?))));
    messages.extend(compose::chart(&broken).map(|chart| ("chart".to_owned(), chart)));
    messages.extend(StepName::ALL.map(|step| (format!("evidence-{}", step.number()), compose::evidence(&broken, step))));
    for name in ["healthy", "no_such_secret", "bot_may_see_nothing", "managed_by_rds", "new_code_raises"] {
        let investigation = investigated(name).await;
        let report = Report::new(&investigation).in_account(Some("prod"));
        messages.push((format!("verdict-{}", name.replace('_', "-")), verdict(&report, &AfterVerdict::default())));
    }
    messages
}
