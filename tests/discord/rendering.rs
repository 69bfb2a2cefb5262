//! What people read on Discord, as whole messages; and the limits, which the fake enforces.

use crate::bot::{Bot, line};
use crate::fake_discord::{Event, is_laid_out, texts};
use crate::samples::{choice, everywhere, in_channel, safe};
use crate::worlds::{ID, investigated};
use rotation_diag::chat::compose::{self, AfterVerdict};
use rotation_diag::chat::document::{Control, Message, Part, Quote, Tone};
use rotation_diag::chat::{ChatPlatform as _, Manner};
use rotation_diag::model::Action;
use rotation_diag::platforms::discord::DiscordMode;
use rotation_diag::report::{Phrase, Report};
use serde_json::Value;

/// What the fake took: the body, and the files with their text.
async fn shown(bot: &Bot, message: &Message, key: &str) -> (Value, Vec<(String, String)>) {
    bot.discord.post(&in_channel(), message, key).await.unwrap();
    let Event::Posted { body, files, .. } = bot.fake.next().await else { panic!() };
    assert!(matches!(bot.fake.next().await, Event::ThreadOpened { .. }));
    (body, files.into_iter().map(|(name, content)| (name, String::from_utf8_lossy(&content).into_owned())).collect())
}

/// A payload as it can be read: text, box or embeds, rows.
fn plain(body: &Value) -> String {
    let mut text = format!("{}\n", body["content"].as_str().unwrap_or_default());
    for embed in body["embeds"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n▌ #{:06x}\n{}\n", embed["color"].as_u64().unwrap(), embed["description"].as_str().unwrap()));
    }
    for component in body["components"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n{}", component_as_text(component)));
    }
    text
}

fn component_as_text(one: &Value) -> String {
    let inside =
        |one: &Value, by: &str| one["components"].as_array().unwrap().iter().map(component_as_text).collect::<Vec<_>>().join(by);
    match one["type"].as_u64().unwrap() {
        1 => inside(one, " "),
        2 => format!("[{}]", one["label"].as_str().unwrap()),
        3 => format!("[{} ▾]", one["placeholder"].as_str().unwrap()),
        9 => format!("{}    {}", inside(one, "\n"), component_as_text(&one["accessory"])),
        10 => one["content"].as_str().unwrap().to_owned(),
        12 => "(pictures)".to_owned(),
        13 => format!("({})", one["file"]["url"].as_str().unwrap()),
        14 => "────".to_owned(),
        17 => format!("▌ #{:06x}\n{}", one["accent_color"].as_u64().unwrap(), inside(one, "\n\n")),
        kind => panic!("a component of kind {kind}"),
    }
}

#[tokio::test]
async fn a_verdict_reads_well_on_a_phone() {
    let bot = Bot::new(DiscordMode::Http).await;
    let investigation = investigated("role_detached_policy").await;
    let report = Report::new(&investigation).in_account(Some("prod"));
    let screen = bot.discord.limits().screen;
    let verdict = compose::verdict(&report, &ID.parse().unwrap(), 1, &AfterVerdict::default(), screen);
    let (body, files) = shown(&bot, &verdict, "1").await;
    assert_eq!(files, []);
    insta::assert_snapshot!("verdict", plain(&body));
    let (body, files) = shown(&bot, &compose::details(&report), "2").await;
    assert_eq!(files, []);
    insta::assert_snapshot!("details", plain(&body));
    let (body, files) = shown(&bot, &compose::bare_commands(&report).unwrap(), "4").await;
    // Text and nothing else is copied at once, on a phone too.
    let content = body["content"].as_str().unwrap();
    assert!(content.contains("```sh\naws iam attach-role-policy --role-name orders-rotator-role"), "{content}");
    assert!(!is_laid_out(&body) && body["embeds"] == serde_json::json!([]) && files.is_empty(), "{body}");
    let (body, _) = shown(&bot, &compose::help(Manner::Options), "3").await;
    insta::assert_snapshot!("help", plain(&body));
    bot.fake.finish();
}

fn with(parts: Vec<Part>) -> Message {
    Message { parts, ..Message::line(Tone::Bad, safe("title")) }
}

fn section(lines: usize, line: &str) -> Part {
    Part::Section { label: safe("label"), lines: vec![safe(line); lines] }
}

#[tokio::test]
async fn whatever_is_too_long_is_shown_in_part_and_attached_whole() {
    let quote = |text: &str| Quote { lead: safe("step 4"), text: safe(text), source: safe("logs:FilterLogEvents") };
    let quotes = |count: usize, text: &str| Part::Quotes { label: safe("Proof"), quotes: vec![quote(text); count] };
    let bot = Bot::new(DiscordMode::Http).await;
    for (name, message, attached) in [
        ("several parts", with(vec![section(1, &"x".repeat(1_200)), section(1, &"y".repeat(1_200)), section(1, "z")]), false),
        ("as much as there may be", with(vec![section(3, &"x".repeat(1_000)), section(1, &"x".repeat(800))]), false),
        ("over all texts", with(vec![section(4, &"x".repeat(1_000))]), true),
        ("60 findings", with(vec![section(60, &"a finding ".repeat(12))]), true),
        ("500 evidence lines", with(vec![quotes(500, "[ERROR] AccessDeniedException")]), true),
        ("one long line", with(vec![section(1, &"x".repeat(9_000))]), true),
        ("one long quote", with(vec![quotes(1, &"[ERROR] no ".repeat(900))]), true),
        ("nothing but escapes", with(vec![section(4, &"*_".repeat(400))]), true),
        ("emoji", with(vec![section(6, &"🔴".repeat(590))]), true),
        ("joined emoji", with(vec![section(3, &"👩\u{200d}💻".repeat(400))]), true),
        ("a long title", Message::line(Tone::Bad, safe(&"🔴 title ".repeat(500))), false),
        ("backticks at the cut", with(vec![quotes(3, &"`".repeat(5_000))]), true),
    ] {
        let (body, files) = shown(&bot, &message, name).await;
        assert_eq!(!files.is_empty(), attached, "{name}: {files:?}");
        let text = plain(&body);
        assert_eq!(text.matches("```").count() % 2, 0, "{name}: a code block stays open");
        assert_eq!(text.contains("has the rest"), attached, "{name}");
        for (file, content) in files {
            assert_eq!(file, "whole-message.txt");
            assert!(content.starts_with("title\n"), "{name}");
        }
    }
    bot.fake.finish();
}

#[tokio::test]
async fn every_line_that_was_left_out_is_in_the_file() {
    let bot = Bot::new(DiscordMode::Http).await;
    let lines = (0..500).map(|at| safe(&format!("line {at} of the stack"))).collect();
    let (_, files) = shown(&bot, &with(vec![Part::Section { label: safe("Evidence"), lines }]), "1").await;
    assert!((0..500).all(|at| files[0].1.contains(&format!("line {at} of the stack\n"))));
    bot.fake.finish();
}

#[tokio::test]
async fn a_moment_reads_in_its_readers_own_time_and_lines_without_a_source_share_a_block() {
    let bot = Bot::new(DiscordMode::Http).await;
    let at: jiff::Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
    let facts = vec![Phrase::from(safe("<t:1:R> *bold*")), Phrase::from("failing since ").at(at, at).and(safe(" (3 attempts)"))];
    let line = |lead: &str, text: &str| Quote { lead: safe(lead), text: safe(text), source: safe("") };
    let quotes = vec![
        Quote { source: safe("iam:GetRolePolicy"), ..line("step 5", "the policy") },
        line("05:00:01", "Traceback (most recent call last):"),
        line("05:00:01", "  File \"a.py\", line 1"),
    ];
    let (body, _) = shown(&bot, &with(vec![Part::Facts(facts), Part::Quotes { label: safe("Log"), quotes }]), "1").await;
    assert_eq!(
        texts(&body)[1],
        "\\<t\\:1:R\\> \\*bold\\* · failing since <t:1795323600:f> \\(3 attempts\\)\n\n\
         **Log**\nstep 5 · iam:GetRolePolicy\n```\nthe policy\n```\n\
         ```\n05:00:01  Traceback (most recent call last):\n05:00:01    File \"a.py\", line 1\n```"
    );
    bot.fake.finish();
}

#[tokio::test]
async fn a_command_is_never_cut_or_changed() {
    let bot = Bot::new(DiscordMode::Http).await;
    for (at, (command, is_file)) in [
        ("aws secretsmanager rotate-secret --secret-id 'prod/*'".to_owned(), false),
        (format!("aws iam put-role-policy --policy-document '{}'", "x".repeat(3_500)), false),
        (format!("aws iam put-role-policy --policy-document '{}'", "x".repeat(4_000)), true),
        ("echo '```' && echo \"``\"".to_owned(), true),
    ]
    .into_iter()
    .enumerate()
    {
        let (body, files) = shown(&bot, &with(vec![Part::Commands(vec![safe(&command)])]), &at.to_string()).await;
        let text = &texts(&body)[1];
        if is_file {
            assert_eq!(files, [("command-1.sh".to_owned(), format!("{command}\n"))]);
            assert!(text.contains("The command is in the file command\\-1.sh."), "{text}");
        } else {
            assert_eq!((text, files), (&format!("```sh\n{command}\n```"), vec![]));
        }
    }
    bot.fake.finish();
}

#[tokio::test]
async fn what_is_empty_has_a_placeholder_and_what_is_too_much_is_left_out() {
    let bot = Bot::new(DiscordMode::Http).await;
    let many = |count: u8| (0..count).map(|at| choice(&"label ".repeat(30), Action::Choose(at))).collect::<Vec<_>>();
    for (at, message) in [
        line(""),
        line("   "),
        everywhere(""),
        everywhere(" "),
        with(vec![Part::Context(vec![]), section(0, ""), Part::Commands(vec![]), Part::Links(vec![]), Part::Steps(vec![])]),
        with(vec![Part::Quotes { label: safe("Proof"), quotes: vec![] }]),
        Message { controls: many(40).into_iter().map(Control::Button).collect(), ..line("buttons") },
        Message {
            controls: vec![Control::Select { placeholder: safe(&"p".repeat(200)), choices: many(40) }; 7],
            ..line("menus")
        },
        Message { controls: vec![Control::Select { placeholder: safe("p"), choices: vec![] }], ..line("no menu") },
        Message { controls: vec![Control::Button(choice("twice", Action::Export)); 3], ..line("one button") },
    ]
    .iter()
    .enumerate()
    {
        shown(&bot, message, &at.to_string()).await;
    }
    bot.fake.finish();
}
