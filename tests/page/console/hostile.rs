//! Texts that others wrote do nothing to the page.

use super::*;

/// Texts that would do something to a page, were they not inert.
const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></pre></article><button form=act name=token value=x>Approve</button>",
    "\"><a href=\"https://evil.example\">Approve</a>",
    "' onmouseover='alert(1)",
    "<!--",
    "]]><![CDATA[",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!channel> <@U1> @everyone",
    "[Approve](https://evil.example) <https://evil.example|Approve>",
    "```` ~~~ *bold* _x_ ||spoiler||",
    "javascript:alert(1) data:text/html,x",
    "\u{202e}txt.exe\u{200b}\u{2066}",
    "nul\0 escape\u{1b}[31m bell\u{7} cr\rlf",
    "<svg/onload=alert(1)><math><mtext></mtext></math>",
    "<base href=https://evil.example><meta http-equiv=refresh content=0>",
];

fn hostile_message(text: &str) -> Message {
    let text = safe(text);
    let step = compose::ended(StepName::Secret, "found", text.as_str());
    let quote = Quote { lead: text.clone(), text: text.clone(), source: text.clone() };
    let bare = Quote { source: SafeText::default(), ..quote.clone() };
    Message {
        tone: Tone::Bad,
        title: text.clone(),
        parts: vec![
            Part::Context(vec![text.clone(), text.clone()]),
            Part::Facts(vec![
                Phrase::from(text.clone()),
                Phrase::from("since ").at(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
            ]),
            Part::Section { label: text.clone(), lines: vec![text.clone()] },
            Part::Section { label: text.clone(), lines: vec![text.clone(), text.clone()] },
            Part::Quotes { label: text.clone(), quotes: vec![quote] },
            Part::Quotes { label: text.clone(), quotes: vec![bare] },
            Part::Commands(vec![text.clone()]),
            Part::Caution(text.clone()),
            Part::Links(vec![text.clone(), safe("https://docs.aws.amazon.com/x"), safe("https://evil.example/\"onclick=x")]),
            Part::Steps(vec![step]),
            Part::Cause(CauseReference { id: text.clone(), page: Some(text.clone()) }),
        ],
        controls: Vec::new(),
        attachments: vec![Attachment { name: "x.txt".to_owned(), description: text.clone(), content: Content::Text(text) }],
        mention: None,
        people: Vec::new(),
        is_ending: false,
    }
}

/// The tags of a page, in order, with their attributes' names.
fn tags(page: &str) -> Vec<String> {
    let tag = regex::Regex::new(r#"<(/?[a-zA-Z!][^\s>]*)((?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*/?>"#).unwrap();
    let attribute = regex::Regex::new(r#"([a-zA-Z:-]+)(?:="[^"]*")?"#).unwrap();
    tag.captures_iter(page)
        .map(|found| {
            let names: Vec<&str> = attribute.captures_iter(&found[2]).map(|name| name.get(1).unwrap().as_str()).collect();
            format!("{} {}", &found[1], names.join(" "))
        })
        // Where a long word may be broken depends on the word.
        .filter(|tag| tag.trim() != "wbr")
        .collect()
}

#[tokio::test]
async fn no_text_can_do_anything_to_the_page() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    site.shelf.put(&[("plain", hostile_message("plain"))]);
    let plain = tags(&site.page(&mut browser, "/threads/plain").await);
    for (at, text) in HOSTILE.into_iter().enumerate() {
        site.shelf.threads.lock().unwrap().clear();
        site.shelf.put(&[("plain", hostile_message(text))]);
        let page = site.page(&mut browser, "/threads/plain").await;
        assert_eq!(tags(&page), plain, "text {at} changes the page's elements: {text}");
        for c in page.chars().filter(|c| *c != '\n') {
            assert!(
                !c.is_control() && !matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
                "{at}: {c:?}"
            );
        }
    }
}

#[tokio::test]
async fn only_names_that_can_be_read_are_proposed() {
    let site = Site::open().await;
    *site.intake.suggestions.lock().unwrap() = ["prod/x", "prod/\u{202e}x", "a\"><script>", "a\nb"].map(str::to_owned).to_vec();
    let page = site.page(&mut Browser::default(), "/").await;
    assert_eq!(page.matches("<option value=\"/rotation-diag ").count(), 2, "{page}");
    assert!(page.contains("value=\"/rotation-diag a&quot;&gt;&lt;script&gt;\""), "{page}");
}

#[tokio::test]
async fn only_our_own_addresses_become_links() {
    let site = Site::open().await;
    site.shelf.put(&[("x", hostile_message("https://evil.example/approve"))]);
    let page = site.page(&mut Browser::default(), "/threads/x").await;
    let links: Vec<String> = regex::Regex::new(r#"<a [^>]*href="(http[^"]*)""#)
        .unwrap()
        .captures_iter(&page)
        .map(|found| found[1].to_owned())
        .collect();
    // Links are the program's own; the first stands in the place of one.
    assert_eq!(links, ["https://evil.example/approve", "https://docs.aws.amazon.com/x"]);
    assert_eq!(page.matches("rel=\"noopener noreferrer\"").count(), 2);
}
