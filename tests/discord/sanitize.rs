//! Text from AWS and people does nothing on Discord. A reader that knows Discord's Markdown looks at
//! what was sent, and may find nothing in it that we did not put there.

use crate::bot::Bot;
use crate::fake_discord::{Event, texts};
use crate::samples::{everywhere, in_channel, safe};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use regex::Regex;
use rotation_diag::chat::ChatPlatform as _;
use rotation_diag::chat::document::{Message, Part, Tone};
use rotation_diag::platforms::discord::DiscordMode;
use serde_json::Value;

/// Everything in a text that Discord would turn into something: each with its kind.
fn alive(text: &str, is_content: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut outside = String::new();
    for (at, piece) in text.split("```").enumerate() {
        if at % 2 == 0 {
            outside.push_str(piece);
        }
    }
    if text.matches("```").count() % 2 == 1 {
        found.push("an open code block".to_owned());
    }
    // Embeds call nobody; what content says is a mention in a code block too, where the request allows any.
    if is_content {
        found.extend(Regex::new(r"<@[!&]?\d+>").unwrap().find_iter(text).map(|mention| format!("mention {}", mention.as_str())));
    }
    // An escaped sign is no sign any more.
    let outside = Regex::new(r"\\[^0-9A-Za-z\s]").unwrap().replace_all(&outside, "\u{1}").into_owned();
    for mention in Regex::new(r"@everyone|@here|<@[!&]?\d+>").unwrap().find_iter(&outside) {
        found.push(format!("mention {}", mention.as_str()));
    }
    for (kind, pattern) in [
        ("link", r"https?://[^\s<]+"),
        ("other link", r"\b[a-z][a-z0-9+.-]*://\S+"),
        ("masked link", r"\[[^\]]*\]\([^)]*\)"),
        ("channel, command or guide", r"<[#/]|</|<id:"),
        ("timestamp or emoji", r"<a?t?:[^>]*>"),
        ("shortcode", r":[A-Za-z0-9_+-]+:"),
        ("code", r"`"),
        ("spoiler", r"\|\|"),
        ("strike", r"~~"),
        ("underline or italics", r"_"),
    ] {
        found.extend(Regex::new(pattern).unwrap().find_iter(&outside).map(|text| format!("{kind} {}", text.as_str())));
    }
    let format = Regex::new(r"^\s*(#{1,3} |-# |>|- |\* |\d+\. )").unwrap();
    for line in outside.lines() {
        if format.is_match(line) {
            found.push(format!("format of a line {line:?}"));
        }
    }
    for c in text.chars().filter(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{0}' | '\u{1b}' | '\r')) {
        found.push(format!("sign {:04x}", u32::from(c)));
    }
    found
}

async fn sent(bot: &Bot, message: &Message, key: &str) -> Value {
    bot.discord.post(&in_channel(), message, key).await.unwrap();
    let Event::Posted { body, .. } = bot.fake.next().await else { panic!() };
    let Event::ThreadOpened { .. } = bot.fake.next().await else { panic!() };
    body
}

#[test]
fn the_reader_finds_what_it_should() {
    for text in [
        "@everyone",
        "<@1>",
        "<@&1>",
        "https://evil.example",
        "[a](https://b)",
        "<#1>",
        "</x:1>",
        "<t:1:R>",
        "<a:x:1>",
        ":tada:",
        "`x`",
        "||x||",
        "~~x~~",
        "_x_",
        "# x",
        "> x",
        "- x",
        "1. x",
        "```x",
        "slack://x",
        "a\u{202e}b",
    ] {
        assert!(!alive(text, true).is_empty(), "{text}");
    }
    for text in ["plain text, 05:00 UTC", "\\@everyone", "https\\://evil.example", "```\n_a_ :b: #\n```", "a – b · c"] {
        assert_eq!(alive(text, true), Vec::<String>::new(), "{text}");
    }
}

#[tokio::test]
async fn hostile_text_stays_text_everywhere() {
    let bot = Bot::new(DiscordMode::Http).await;
    let backticks = "`".repeat(100);
    for (at, text) in [
        "<!channel> <!here> <!everyone> <!subteam^S1> <@U1> <#C1>",
        "@everyone @here <@1> <@!1> <@&1> <@<@&1234> <@99999999999999999999999999>",
        "<https://evil|Approve> [Approve](https://evil) https://evil.example slack://x data:text/html,x javascript://x",
        "``` ```` ~~~ `a`",
        &backticks,
        "*_~>#-| ||spoiler|| **bold** __under__",
        "# heading",
        "> quote",
        ">>> quote",
        "- item",
        "* item",
        "1. item",
        "-# small",
        "rtl \u{202e}txt.exe zero\u{200b}width \u{1b}[31mred\u{1b}[0m nul\0 cr\r end",
        "<t:1700000000:R> <a:x:1> <:x:1> :emoji: </ping:1> <id:customize>",
        "\\",
        "\\\\",
        "a\\",
        "\\*a\\*",
        "**title** \\",
        "[x",
        "](https://evil)",
        "<",
        "<@",
        "<#",
    ]
    .into_iter()
    .enumerate()
    {
        let body = sent(&bot, &everywhere(text), &at.to_string()).await;
        for (at, shown) in texts(&body).into_iter().enumerate() {
            assert_eq!(alive(&shown, at == 0), Vec::<String>::new(), "{text:?} became {shown}");
        }
    }
    bot.fake.finish();
}

#[tokio::test]
async fn only_a_plain_address_of_documentation_is_a_link() {
    let bot = Bot::new(DiscordMode::Http).await;
    for (at, (address, expected)) in [
        ("https://docs.aws.amazon.com/a/b.html#c", "<https://docs.aws.amazon.com/a/b.html#c>"),
        ("http://docs.aws.amazon.com", "http\\://docs.aws.amazon.com"),
        ("https://a> @everyone", "https\\://a\\> \\@everyone"),
        ("https://", "https\\://"),
        ("javascript:alert(1)", "javascript:alert\\(1\\)"),
    ]
    .into_iter()
    .enumerate()
    {
        let links = Part::Links(vec![safe(address)]);
        let message = Message { parts: vec![links], ..Message::line(Tone::Neutral, safe("title")) };
        assert_eq!(texts(&sent(&bot, &message, &at.to_string()).await)[1], expected);
    }
    bot.fake.finish();
}

#[test]
fn no_text_whatsoever_comes_alive() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bot = runtime.block_on(Bot::new(DiscordMode::Http));
    let pieces = prop::collection::vec(
        prop_oneof![
            Just("@everyone"),
            Just("<@1>"),
            Just("<@&"),
            Just("`"),
            Just("``"),
            Just("```"),
            Just("\\"),
            Just("["),
            Just("]("),
            Just("https://a.example"),
            Just(")"),
            Just("<t:1:R>"),
            Just(":x:"),
            Just(":"),
            Just("\n"),
            Just("# "),
            Just("- "),
            Just("1. "),
            Just("||"),
            Just("**"),
            Just("_"),
            Just("~~"),
            Just(" "),
            Just("é"),
            Just("🔴"),
            Just("\u{200d}"),
            Just("\u{202e}"),
            Just("a"),
        ],
        0..14,
    );
    let text = prop_oneof![pieces.prop_map(|pieces| pieces.concat()), any::<String>()];
    let mut key = 0;
    let cases = std::cell::RefCell::new((&bot, &mut key));
    TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() })
        .run(&text, |text| {
            let (bot, key) = &mut *cases.borrow_mut();
            **key += 1;
            let mut message = everywhere(&text);
            // An address among the links is meant to be one.
            message.parts.retain(|part| !matches!(part, Part::Links(_)));
            let body = runtime.block_on(sent(bot, &message, &key.to_string()));
            for (at, shown) in texts(&body).into_iter().enumerate() {
                prop_assert_eq!(alive(&shown, at == 0), Vec::<String>::new(), "{:?} became {}", text, shown);
            }
            Ok(())
        })
        .unwrap();
    bot.fake.finish();
}
