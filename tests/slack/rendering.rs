//! Messages as Block Kit: whole, inert, and within Slack's limits.

use crate::fake_slack::check_blocks;
use crate::recording_intake::safe;
use proptest::prelude::*;
use rotation_diag::chat::document::{
    CauseReference, Control, Mention, MenuItem, Message, Part, Quote, StepLine, StepState, Tone,
};
use rotation_diag::model::{Action, ActionToken, Cause, StepName};
use rotation_diag::platforms::slack::render::{Rendered, Surface, limits, message};
use rotation_diag::report::Phrase;
use serde_json::{Value, json};

fn token(action: Action) -> ActionToken {
    ActionToken { investigation: "0123456789abcdef0123456789abcdef".parse().unwrap(), revision: 3, action }
}

fn button(label: &str, action: Action) -> Control {
    Control::Button(MenuItem { label: safe(label), token: token(action) })
}

fn blocks(rendered: &Rendered) -> Value {
    serde_json::to_value(&rendered.blocks).unwrap()
}

/// What Slack would not take fails here already.
fn rendered(of: &Message) -> Rendered {
    let rendered = message(of, Surface::Post);
    check_blocks(&blocks(&rendered), false).unwrap();
    assert!(!rendered.text.is_empty());
    rendered
}

fn progress() -> Message {
    let step = |number, name: &str, state, summary: &str| StepLine { number, name: safe(name), state, summary: safe(summary) };
    Message {
        parts: vec![
            Part::Context(vec![safe("eu-west-1"), safe("acct prod (…9012)"), safe("asked by a person")]),
            Part::Steps(vec![
                step(1, "secret", StepState::Done, "exists, encrypted with the AWS managed key"),
                step(2, "rotation config", StepState::Done, "rotation is on, every 30 days, overdue since 22 Nov 05:00 UTC"),
                step(3, "rotation function", StepState::Running, ""),
                step(4, "function logs", StepState::Waiting, ""),
                step(5, "execution role", StepState::Denied, "iam:SimulatePrincipalPolicy is not allowed"),
                step(6, "rotation history", StepState::Broken, "throttled"),
                step(7, "function metrics", StepState::Skipped, "a managed rotation has no function"),
            ]),
        ],
        ..Message::line(Tone::Working, safe("prod/orders-db: looking"))
    }
}

fn verdict() -> Message {
    let quote = |lead: &str, text: &str, source: &str| Quote { lead: safe(lead), text: safe(text), source: safe(source) };
    let widen = Action::Widen(rotation_diag::model::Lookback::ALL[1]);
    Message {
        parts: vec![
            Part::Context(vec![safe("Confirmed"), safe("eu-west-1"), safe("failing since Sun 22 Nov 05:00 UTC (3 attempts)")]),
            Part::Section {
                label: safe("What happened"),
                lines: vec![safe("carol called DetachRolePolicy on orders-rotator-role 15 minutes before the first failure.")],
            },
            Part::Quotes {
                label: safe("Proof"),
                quotes: vec![
                    quote(
                        "step 4",
                        "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation",
                        "logs:FilterLogEvents, Mon 23 Nov 05:00 UTC",
                    ),
                    quote("step 5", "simulation: implicitDeny for secretsmanager:PutSecretValue", "iam:SimulatePrincipalPolicy"),
                ],
            },
            Part::Section {
                label: safe("Fix"),
                lines: vec![safe(
                    "Allow the role the missing actions, with the full ARN of what \
                                                                  they act on, and rotate.",
                )],
            },
            Part::Caution(safe("If the role already has an inline policy named AllowSecretRotation, it is replaced.")),
            Part::Commands(vec![
                safe(
                    "aws iam put-role-policy --role-name orders-rotator-role --policy-name AllowSecretRotation --policy-document '{\"Version\":\"2012-10-17\"}'",
                ),
                safe("aws secretsmanager rotate-secret --secret-id prod/orders-db --region eu-west-1"),
            ]),
            Part::Links(vec![safe("https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html")]),
            Part::Section {
                label: safe("Also"),
                lines: vec![safe("AWSPENDING is stuck — a symptom"), safe("the runtime is deprecated")],
            },
            Part::Context(vec![safe("9 steps"), safe("16 calls"), safe("0.9 s")]),
        ],
        controls: vec![
            button("Rerun all", Action::RerunAll),
            Control::Select {
                placeholder: safe("Rerun step…"),
                choices: StepName::ALL
                    .map(|step| MenuItem { label: safe(step.label()), token: token(Action::RerunStep(step)) })
                    .to_vec(),
            },
            button("Widen to 7 d", widen),
            button("Compare", Action::Compare),
            button("Watch", Action::Watch),
            button("Export", Action::Export),
            button("Resolve", Action::Resolve),
        ],
        mention: Some(Mention::Group("S0SRE".to_owned())),
        ..Message::line(
            Tone::Bad,
            safe(
                "prod/orders-db is not rotating — the function's role lacks a permission that rotation \
                                         needs",
            ),
        )
    }
}

#[test]
fn the_progress_message() {
    let rendered = rendered(&progress());
    assert_eq!(rendered.text, "🔎 prod/orders-db: looking");
    insta::assert_json_snapshot!("progress", blocks(&rendered));
}

#[test]
fn the_verdict() {
    let rendered = rendered(&verdict());
    insta::assert_json_snapshot!("verdict", json!({ "text": rendered.text, "blocks": blocks(&rendered) }));
    assert!(rendered.files.is_empty());
}

/// Everything that could act: mentions, links, buttons, mark-up, emoji codes that are read.
fn acting(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| acting(item, found)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            match kind {
                "user" | "usergroup" | "broadcast" | "channel" | "emoji" | "date" | "link" | "color" => {
                    found.push(value.to_string())
                }
                "button" | "static_select" => found.push(format!("{kind} {}", fields["action_id"])),
                "mrkdwn" => found.push(format!("mark-up {}", fields["text"])),
                "plain_text" if fields.get("emoji") != Some(&Value::Bool(false)) => {
                    found.push(format!("emoji {}", fields["text"]))
                }
                _ => {}
            }
            fields.values().for_each(|field| acting(field, found));
        }
        _ => {}
    }
}

/// What a notification's text would do: Slack reads mark-up between `<` and `>`.
fn marks(text: &str) -> usize {
    text.matches(['<', '>']).count()
}

/// A message with `text` in every place that holds one.
fn everywhere(text: &str) -> Message {
    let text = safe(text);
    Message {
        parts: vec![
            Part::Context(vec![text.clone(), text.clone()]),
            Part::Section { label: text.clone(), lines: vec![text.clone()] },
            Part::Section { label: text.clone(), lines: vec![text.clone(), text.clone()] },
            Part::Quotes {
                label: text.clone(),
                quotes: vec![Quote { lead: text.clone(), text: text.clone(), source: text.clone() }],
            },
            Part::Commands(vec![text.clone()]),
            Part::Caution(text.clone()),
            Part::Steps(vec![StepLine { number: 4, name: text.clone(), state: StepState::Done, summary: text.clone() }]),
            Part::Cause(CauseReference { id: text.clone(), page: None }),
        ],
        controls: vec![
            Control::Button(MenuItem { label: text.clone(), token: token(Action::RerunAll) }),
            Control::Select {
                placeholder: text.clone(),
                choices: vec![MenuItem { label: text.clone(), token: token(Action::Watch) }],
            },
        ],
        ..Message::line(Tone::Bad, text)
    }
}

fn is_inert(text: &str) {
    let rendered = rendered(&everywhere(text));
    let mut found = Vec::new();
    acting(&blocks(&rendered), &mut found);
    assert_eq!(found, ["button \"act-0\"", "static_select \"act-1\""], "{text:?}");
    assert_eq!(marks(&rendered.text), 0, "{:?}", rendered.text);
}

#[test]
fn no_text_pings_links_formats_or_breaks_out() {
    for text in [
        "<!channel> <!here> <!everyone> <!subteam^S1|sre> <@U1> <#C1|general>",
        "@everyone @here @channel",
        "<https://evil.example|Approve> [Approve](https://evil.example) https://evil.example slack://x data:text/html,x",
        "<!date^1392734382^{date}|now>",
        "``` ```` ~~~ `x` ````````````````````````",
        "*bold* _italic_ ~strike~ > quote\n# heading\n- item | table || spoiler ||",
        ":x: :white_check_mark: :custom-emoji:",
        "\u{202e}txt.exe \u{200b} \u{1b}[31mred\u{1b}[0m \u{0} \r lone",
        "&amp; &lt;!channel&gt; &#60;",
        "",
        "   \n\t ",
    ] {
        is_inert(text);
    }
    let shown =
        blocks(&rendered(&everywhere("\u{202e}txt.exe e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}")))
            .to_string();
    assert!(shown.contains("<U+202E>txt.exe") && !shown.contains('\u{202e}'));
    let note = rendered(&everywhere("see :x: <now>")).text;
    assert_eq!(note, "🔴 see :\u{2060}x: &lt;now&gt;", "a colon before a word starts no emoji");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_text_is_it_does_nothing(text in "\\PC{0,400}|[<>@!&|`*_~:#\\[\\]()\\n a-z]{0,400}") {
        is_inert(&text);
    }
}

#[test]
fn a_moment_reads_in_its_readers_own_time_and_nothing_beside_it_is_mark_up() {
    let at: jiff::Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
    let shown = |words: &str| {
        let facts = vec![Phrase::from(safe(words)), Phrase::from("failing since ").at(at, at).and(safe(" (3 attempts)"))];
        blocks(&rendered(&Message { parts: vec![Part::Facts(facts)], ..Message::line(Tone::Bad, safe("x")) }))[1].clone()
    };
    assert_eq!(
        shown("Confirmed"),
        json!({ "type": "context", "elements": [{
            "type": "mrkdwn",
            "text": "Confirmed · failing since <!date^1795323600^{date_short_pretty} {time}|Sun 22 Nov 05:00 UTC> (3 attempts)",
            "verbatim": true,
        }]})
    );
    for hostile in ["<!here>", "*bold*", "_x_", "~x~", "`x`", "a & b", ":x:", "@here", "#general", "> quote", "<@U1>", "x|y"] {
        let plain = |text: String| json!({ "type": "plain_text", "text": text, "emoji": false });
        assert_eq!(
            shown(hostile)["elements"],
            json!([
                plain(format!("{hostile} · failing since")),
                {
                    "type": "mrkdwn",
                    "text": "<!date^1795323600^{date_short_pretty} {time}|Sun 22 Nov 05:00 UTC>",
                    "verbatim": true,
                },
                plain("(3 attempts)".to_owned()),
            ])
        );
    }
}

#[test]
fn a_line_with_more_moments_than_a_block_has_elements_is_told_in_utc() {
    let at: jiff::Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
    let line = |moments: usize| {
        let phrase = || Phrase::from(safe("since_then ")).at(at, at);
        let facts = (0..moments).map(|_| phrase()).collect();
        blocks(&rendered(&Message { parts: vec![Part::Facts(facts)], ..Message::line(Tone::Bad, safe("x")) }))[1].clone()
    };
    assert_eq!(line(4)["elements"].as_array().unwrap().len(), 8);
    assert_eq!(line(5)["elements"][0]["text"], ["since_then Sun 22 Nov 05:00 UTC"; 5].join(" · "));
}

#[test]
fn only_the_configuration_calls_anyone_and_only_by_an_id() {
    for (mention, expected) in [
        (Mention::User("U0123".to_owned()), Some("<@U0123>")),
        (Mention::Group("S0123".to_owned()), Some("<!subteam^S0123>")),
        (Mention::People(vec!["U0123".to_owned(), "U1> <!channel".to_owned(), "W4".to_owned()]), Some("<@U0123> <@W4>")),
        (Mention::People(vec!["@here".to_owned()]), None),
        (Mention::Here, Some("<!here>")),
        (Mention::User("U1> <!channel".to_owned()), None),
        (Mention::Group("channel".to_owned()), None),
        (Mention::User(String::new()), None),
    ] {
        let rendered = rendered(&Message { mention: Some(mention), ..Message::line(Tone::Bad, safe("x")) });
        let mut found = Vec::new();
        acting(&blocks(&rendered), &mut found);
        let marked = expected.map(|mention| format!("mark-up {}", json!(mention)));
        assert_eq!(found, marked.into_iter().collect::<Vec<_>>());
        assert_eq!(rendered.text, expected.map_or("🔴 x".to_owned(), |mention| format!("{mention} 🔴 x")));
    }
}

#[test]
fn lengths_at_the_limits_are_within_them() {
    for length in [74, 75, 76, 149, 150, 151, 1_199, 1_200, 1_201, 2_000, 2_999, 3_000, 3_001, 9_000, 12_000, 40_000, 100_000] {
        for text in ["x".repeat(length), "🔒".repeat(length / 2), "& ".repeat(length / 2), "e\u{301}".repeat(length / 2)] {
            let rendered = rendered(&everywhere(&text));
            assert!(rendered.text.encode_utf16().count() <= limits::NOTIFICATION);
        }
    }
}

#[test]
fn a_command_is_shown_whole_or_not_at_all() {
    let command = |length: usize| format!("aws {}", "x".repeat(length - 4));
    let shown = |length: usize| {
        let message =
            Message { parts: vec![Part::Commands(vec![safe(&command(length))])], ..Message::line(Tone::Bad, safe("x")) };
        let rendered = rendered(&message);
        (blocks(&rendered).to_string(), rendered.files)
    };
    let (whole, files) = shown(3_000);
    assert!(whole.contains(&command(3_000)) && files.is_empty());
    let (none, files) = shown(3_001);
    assert!(!none.contains("aws xxx") && none.contains("too long"));
    assert!(String::from_utf8(files[0].bytes.clone()).unwrap().contains(&command(3_001)));
}

#[test]
fn many_findings_are_cut_with_a_count_and_the_buttons_stay() {
    let quotes = (0..500)
        .map(|n| Quote { lead: safe(&format!("step {}", n % 9 + 1)), text: safe(&format!("finding {n}")), source: safe("logs") })
        .collect();
    let message =
        Message { parts: vec![Part::Quotes { label: safe("Proof"), quotes }], controls: verdict().controls, ..verdict() };
    let rendered = rendered(&message);
    let text = blocks(&rendered).to_string();
    assert!(text.contains("finding 0") && !text.contains("finding 499"));
    assert!(text.contains("more lines: details.txt in the thread has all of it."));
    assert!(text.ends_with("]}]") && text.contains("\"type\":\"actions\""));
    assert_eq!(rendered.files[0].name, "details.txt");
}

#[test]
fn a_hundred_buttons_do_not_make_an_invalid_message() {
    let controls = (0..100).map(|n| button(&format!("{n}"), Action::Choose(n))).collect();
    let rendered = rendered(&Message { controls, ..Message::line(Tone::Neutral, safe("Which one?")) });
    assert_eq!(blocks(&rendered).to_string().matches("\"type\":\"button\"").count(), 50);
    let empty = Control::Select { placeholder: safe("x"), choices: Vec::new() };
    let rendered = message(&Message { controls: vec![empty], ..Message::line(Tone::Neutral, safe("x")) }, Surface::Post);
    assert_eq!(rendered.blocks.len(), 1);
}

#[test]
fn a_cause_is_linked_to_its_page_or_names_the_command_that_explains_it() {
    let verdict = |page: Option<&str>| {
        let cause = CauseReference { id: safe("db_auth_failed"), page: page.map(safe) };
        let parts = vec![Part::Cause(cause)];
        let rendered = rendered(&Message { parts, ..Message::line(Tone::Bad, safe("x")) });
        blocks(&rendered).to_string()
    };
    let linked = verdict(Some("https://bot.example.com/causes/db_auth_failed"));
    let link = r#""type":"link","url":"https://bot.example.com/causes/db_auth_failed","text":"db_auth_failed""#;
    assert!(linked.contains(link), "{linked}");
    for page in [None, Some("javascript:alert(1)")] {
        let told = verdict(page);
        assert!(told.contains("Cause: db_auth_failed · rotation-diag explain db_auth_failed"), "{told}");
        assert!(!told.contains("\"link\""), "{told}");
    }
}

#[test]
fn no_id_of_a_cause_is_taken_for_a_secret() {
    for cause in Cause::ALL {
        let reference = CauseReference { id: safe(cause.id()), page: None };
        assert_eq!(reference.line().as_str(), format!("Cause: {cause} · rotation-diag explain {cause}"));
        let mut message = Message { parts: vec![Part::Cause(reference)], ..Message::line(Tone::Bad, safe("x")) };
        message.link_causes("https://bot.example.com/causes/");
        let [Part::Cause(linked)] = message.parts.as_slice() else { panic!("{message:?}") };
        assert_eq!(linked.page.as_ref().unwrap().as_str(), format!("https://bot.example.com/causes/{cause}"));
    }
}

#[test]
fn empty_parts_are_placeholders_or_nothing() {
    let parts = vec![
        Part::Context(Vec::new()),
        Part::Section { label: safe(""), lines: Vec::new() },
        Part::Quotes { label: safe(" "), quotes: Vec::new() },
        Part::Commands(Vec::new()),
        Part::Links(vec![safe("javascript:alert(1)"), safe("http://insecure.example"), safe("no address")]),
        Part::Steps(Vec::new()),
    ];
    let rendered = rendered(&Message { parts, ..Message::line(Tone::Neutral, safe("")) });
    assert_eq!(rendered.text, "–");
    let mut found = Vec::new();
    acting(&blocks(&rendered), &mut found);
    assert!(found.is_empty(), "{found:?}");
}
