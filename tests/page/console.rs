//! What the page lets in, and what it shows.

use crate::site::{Browser, FOREIGN_HOST, Site, hidden, location};
use crate::worlds::{ID, investigated};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ORIGIN};
use rotation_diag::chat::compose::{self, AfterVerdict};
use rotation_diag::chat::document::{Attachment, CauseReference, Content, Message, Part, Quote, Tone};
use rotation_diag::chat::{
    Ack, ChatPlatform as _, Destination, Elsewhere, ListedThread, Manner, Payload, PlatformKind as _, ThreadFilter, ThreadTarget,
};
use rotation_diag::model::{Cause, Investigation, Place, PlatformName, ReplyTo, StepName, ThreadRef};
use rotation_diag::platforms::console::Kind;
use rotation_diag::redact::SafeText;
use rotation_diag::report::{Phrase, Report};

const ROOT: &str = "0123.root.0";

fn safe(text: &str) -> SafeText {
    SafeText::redact(text)
}

fn verdict(investigation: &Investigation) -> Message {
    let (report, id) = (Report::new(investigation), ID.parse().unwrap());
    compose::verdict(&report, &id, 1, &AfterVerdict::default(), Kind.limits().screen)
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_page_safe() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    for path in [
        "/",
        "/threads/none",
        "/sign-in",
        "/assets/console.js",
        "/assets/nothing",
        "/investigations/none",
        "/causes/db_auth_failed",
        "/live",
        "/suggest?typed=x",
        "/nope",
    ] {
        let response = site.get(&mut browser, path).await;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        let expected = if path == "/assets/console.js" || path == "/live" { "no-cache" } else { "no-store" };
        assert_eq!(header("cache-control"), expected, "{path}");
    }
}

#[tokio::test]
async fn a_page_has_nothing_inline_and_nothing_from_elsewhere() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let verdict = verdict(&investigation);
    site.shelf.put(&[(ROOT, verdict), ("0123.details.0", compose::details(&Report::new(&investigation)))]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let mut browser = Browser::default();
    let inline = regex::Regex::new(r#"(?i)<style|<script[^>]*>[^<]|\son[a-z]+\s*=\s*["']|\sstyle\s*=|javascript:"#).unwrap();
    let loads = regex::Regex::new(r#"<(?:script|img|link|iframe|source)[^>]*(?:src|href)="([^"]*)""#).unwrap();
    for path in ["/".to_owned(), format!("/threads/{ROOT}"), format!("/investigations/{ID}"), "/sign-in".to_owned()] {
        let page = site.page(&mut browser, &path).await;
        assert!(!inline.is_match(&page), "{path}: {:?}", inline.find(&page));
        assert!(loads.captures_iter(&page).all(|found| found[1].starts_with('/') && !found[1].starts_with("//")), "{path}");
        for landmark in ["<html lang=\"en\">", "<main id=\"main\"", "<title>", "name=\"viewport\""] {
            assert!(page.contains(landmark), "{path} lacks {landmark}");
        }
    }
}

#[tokio::test]
async fn every_cause_has_a_page_and_a_verdict_leads_to_it() {
    let site = Site::behind(None, "/rotation-diag", &[]).await;
    let mut browser = Browser::default();
    let investigation = investigated("role_detached_policy").await;
    let verdict = verdict(&investigation);
    let proofs = compose::thoughts(&Report::new(&investigation), Kind.limits().screen)
        .into_iter()
        .find_map(|thought| thought.message)
        .unwrap();
    site.shelf.put(&[(ROOT, verdict), ("0123.proofs.0", proofs)]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let link = "href=\"/rotation-diag/causes/iam_identity_policy_missing\"";
    for path in [format!("/threads/{ROOT}"), format!("/investigations/{ID}")] {
        assert!(site.page(&mut browser, &path).await.contains(link), "{path}");
    }
    let path = "/causes/db_auth_failed";
    let page = site.page(&mut browser, path).await;
    assert!(page.contains("<h1>The database refuses the credentials in the secret</h1>"), "{page}");
    assert!(page.contains("<strong>Shows as</strong> <code>password authentication failed for user</code>"), "{page}");
    for cause in Cause::ALL.iter().filter(|cause| !cause.is_line_label()) {
        let page = site.page(&mut browser, &format!("/causes/{cause}")).await;
        assert!(page.contains("<h1>") && !page.contains("**") && !page.contains('`'), "{cause}: {page}");
    }
    let none = site.get(&mut browser, "/causes/nothing").await;
    assert_eq!(none.status(), 404);
    assert!(none.text().await.unwrap().contains("There is no such cause."));
}

#[tokio::test]
async fn another_name_that_leads_here_is_refused() {
    let site = Site::open().await;
    let (name, value) = FOREIGN_HOST;
    for path in ["/", "/live", "/assets/console.js"] {
        let response = site.request(Method::GET, path).header(name.clone(), value).send().await.unwrap();
        assert_eq!(response.status(), 421, "{path}");
        assert!(response.headers().get("set-cookie").is_none(), "{path}");
    }
    let port = site.host.split(':').next_back().unwrap();
    for (host, status) in
        [("localhost", 421), (site.host.as_str(), 200), (&format!("localhost:{port}"), 200), (&format!("LOCALHOST:{port}"), 200)]
    {
        let response = site.request(Method::GET, "/").header(FOREIGN_HOST.0, host).send().await.unwrap();
        assert_eq!(response.status(), status, "{host}");
    }
    // One that is named without a port is answered on each.
    site.console.answer_to(vec!["page.example".to_owned()]);
    for (host, status) in [("page.example", 200), ("page.example:443", 200), ("page.example:x", 421), ("other.example:443", 421)]
    {
        let response = site.request(Method::GET, "/").header(FOREIGN_HOST.0, host).send().await.unwrap();
        assert_eq!(response.status(), status, "{host}");
    }
}

#[tokio::test]
async fn words_reach_the_reception_once_with_who_where_and_what() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    let response = site.submit(&mut browser, "/", "/say", &[("words", "/rotation-diag prod/orders-db window:7d")]).await;
    assert_eq!(response.status(), 303);
    let received = site.intake.received.lock().unwrap().clone();
    let [inbound] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(inbound.said, Payload::Words("/rotation-diag prod/orders-db window:7d".to_owned()));
    assert_eq!((inbound.actor.platform, inbound.actor.user.as_str()), (PlatformName::new("console"), "local"));
    assert_eq!((inbound.place.channel.as_str(), inbound.place.thread.as_deref()), ("page", None));
    let (_, once) = inbound.key.strip_prefix("page.").unwrap().split_once('.').unwrap();
    assert_eq!(location(&response), format!("/?asked={once}"));
    assert!(inbound.reply_to.is_some());
}

#[tokio::test]
async fn a_click_in_a_thread_goes_back_to_it_and_the_same_form_has_the_same_key() {
    let site = Site::open().await;
    site.shelf.put(&[(ROOT, site.say("a thread"))]);
    let mut browser = Browser::default();
    let thread = format!("/threads/{ROOT}");
    let page = site.page(&mut browser, &thread).await;
    let token = format!("1.{ID}.1.rerun");
    let (form, once, root) = (hidden(&page, "form"), hidden(&page, "once"), hidden(&page, "thread"));
    let fields = [("form", form.as_str()), ("once", once.as_str()), ("thread", root.as_str()), ("token", token.as_str())];
    for _ in 0..2 {
        let request = site.request(Method::POST, "/act").header(ORIGIN, format!("http://{}", site.host)).form(&fields);
        let response = browser.send(request).await;
        assert_eq!(location(&response), format!("{thread}?asked={once}"));
    }
    let received = site.intake.received.lock().unwrap().clone();
    assert_eq!(received[0].said, Payload::Click(token));
    assert_eq!(received[0].place.thread.as_deref(), Some(ROOT));
    assert_eq!(received[0].key, received[1].key, "pressed twice, it is the same click");
    let again = hidden(&site.page(&mut browser, &thread).await, "once");
    assert_ne!(again, once, "a page that is loaded anew has new forms");
}

#[tokio::test]
async fn what_did_not_come_from_the_page_itself_changes_nothing() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    let page = site.page(&mut browser, "/").await;
    let (form, once) = (hidden(&page, "form"), hidden(&page, "once"));
    let own = format!("http://{}", site.host);
    let mut stranger = Browser::default();
    site.page(&mut stranger, "/").await;
    for (why, origin, form, once, is_stranger) in [
        ("no origin", None, form.as_str(), once.as_str(), false),
        ("an opaque origin", Some("null"), &form, &once, false),
        ("another origin", Some("http://evil.example"), &form, &once, false),
        ("another port", Some("http://127.0.0.1:1"), &form, &once, false),
        ("no form", Some(own.as_str()), "", &once, false),
        ("another form", Some(&own), "0123456789abcdef", &once, false),
        ("no number", Some(&own), &form, "", false),
        ("a number of one's own", Some(&own), &form, "../../x", false),
        ("another session's form", Some(&own), &form, &once, true),
    ] {
        let mut request = site.request(Method::POST, "/say").form(&[("words", "x"), ("form", form), ("once", once)]);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let browser = if is_stranger { &mut stranger } else { &mut browser };
        assert_eq!(browser.send(request).await.status(), 403, "{why}");
    }
    assert!(site.intake.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_form_proves_where_it_comes_from_and_every_change_asks_for_it() {
    let site = Site::start(Some("9f86d081884c7d659a2feaa0c55ad015")).await;
    let investigation = investigated("role_detached_policy").await;
    site.shelf.put(&[(ROOT, verdict(&investigation))]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    *site.intake.suggestions.lock().unwrap() = vec!["prod/orders-db".to_owned()];
    let mut browser = Browser::default();
    let form = regex::Regex::new(r#"(?s)<form ([^>]*)>(.*?)</form>"#).unwrap();
    let action = regex::Regex::new("action=\"([^\"]*)\"").unwrap();
    let mut seen = Vec::new();
    let mut look = |page: &str| {
        for found in form.captures_iter(page) {
            // What changes nothing may come from anywhere, and brings no proof into addresses.
            if found[1].contains("method=\"get\"") {
                assert!(!found[2].contains("name=\"form\""), "{}", &found[2]);
                continue;
            }
            assert!(found[1].contains("method=\"post\""), "{}", &found[1]);
            let action = action.captures(&found[1]).unwrap()[1].to_owned();
            assert_eq!(hidden(&found[2], "form").len(), 64, "{}", &found[1]);
            seen.push(action);
        }
    };
    look(&site.page(&mut browser, "/sign-in").await);
    assert_eq!(site.sign_in(&mut browser, "9f86d081884c7d659a2feaa0c55ad015", &[]).await.status(), 303);
    for path in ["/".to_owned(), format!("/threads/{ROOT}"), format!("/investigations/{ID}")] {
        look(&site.page(&mut browser, &path).await);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["/act", "/say", "/sign-in", "/sign-out"]);
    let own = format!("http://{}", site.host);
    for action in seen {
        for (origin, status) in [(Some(own.as_str()), 403), (Some("https://evil.example"), 403), (Some("null"), 403), (None, 403)]
        {
            let fields =
                [("form", "0".repeat(64)), ("once", "1".repeat(32)), ("words", "x".to_owned()), ("token", "x".to_owned())];
            let mut request = site.request(Method::POST, &action).form(&fields);
            if let Some(origin) = origin {
                request = request.header(ORIGIN, origin);
            }
            assert_eq!(browser.send(request).await.status(), status, "{action} from {origin:?}");
        }
    }
    assert!(site.intake.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn forms_and_methods_have_their_limits() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    let long = "x".repeat(20_000);
    assert_eq!(site.submit(&mut browser, "/", "/say", &[("words", &long)]).await.status(), 413);
    let longest = "ü".repeat(1_000);
    assert_eq!(site.submit(&mut browser, "/", "/say", &[("words", &longest)]).await.status(), 303);
    assert_eq!(site.get(&mut browser, "/say").await.status(), 405);
    assert_eq!(site.get(&mut browser, "/threads/%2e%2e%2f%2e%2e").await.status(), 404);
    assert_eq!(site.get(&mut browser, "/assets/..%2f..%2fCargo.toml").await.status(), 404);
}

#[tokio::test]
async fn with_a_token_nothing_is_shown_before_it_is_given() {
    let site = Site::start(Some("open sesame")).await;
    let mut browser = Browser::default();
    for (path, to) in [
        ("/", ""),
        ("/threads/x", "?to=%2Fthreads%2Fx"),
        ("/investigations/x", "?to=%2Finvestigations%2Fx"),
        ("/investigations/x/files/report.json", "?to=%2Finvestigations%2Fx%2Ffiles%2Freport%2Ejson"),
        ("/nowhere", ""),
    ] {
        let response = site.get(&mut browser, path).await;
        assert_eq!((response.status().as_u16(), location(&response)), (303, format!("/sign-in{to}")), "{path}");
    }
    assert_eq!(site.get(&mut browser, "/live").await.status(), 401);
    let sign_in = site.page(&mut browser, "/sign-in").await;
    let form = hidden(&sign_in, "form");
    let own = format!("http://{}", site.host);
    let give = |token: &'static str, form: String| {
        site.request(Method::POST, "/sign-in").header(ORIGIN, &own).form(&[("form", form), ("token", token.to_owned())])
    };
    let wrong = browser.send(give("open", form.clone())).await;
    assert_eq!(wrong.status(), 403);
    assert!(wrong.text().await.unwrap().contains("This is not the right token."));
    let right = browser.send(give("open sesame", form.clone())).await;
    assert_eq!(right.status(), 303);
    let cookies: Vec<String> =
        right.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().all(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax")), "{cookies:?}");
    assert!(site.page(&mut browser, "/").await.contains("No investigations yet."));
    let mut other = Browser::default();
    assert_eq!(site.get(&mut other, "/").await.status(), 303, "another browser is not signed in");
}

#[tokio::test]
async fn what_one_person_is_told_is_shown_to_no_other_and_ends_with_the_next_word() {
    let site = Site::open().await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    site.intake.answers.lock().unwrap().push(Ack::Answer(Box::new(compose::help(Manner::Prompt))));
    let window = location(&site.submit(&mut one, "/", "/say", &[("words", "help")]).await);
    let help = "Why is a secret not rotating? Give me its name and I will investigate";
    assert!(site.page(&mut one, &window).await.contains(help));
    assert!(!site.page(&mut two, &window).await.contains(help), "the address alone tells nobody anything");
    assert!(!site.page(&mut one, "/").await.contains(help), "another window of the same person is not disturbed");
    let session = site.intake.received.lock().unwrap()[0].reply_to.clone().unwrap();
    site.console.send_ephemeral(&session, &compose::already()).await.unwrap();
    assert!(site.page(&mut one, &window).await.contains("This has already been done"));
    let next = location(&site.submit(&mut one, &window, "/say", &[("words", "prod/x")]).await);
    let page = site.page(&mut one, &next).await;
    assert!(!page.contains(help) && !page.contains("This has already been done"));
}

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

#[tokio::test]
async fn files_are_handed_over_as_files() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let mut message = compose::chart(&investigation).unwrap();
    message.attachments.extend(compose::export(&Report::new(&investigation)).attachments);
    site.shelf.put(&[(ROOT, message)]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let mut browser = Browser::default();
    let thread = format!("/threads/{ROOT}/files/{ROOT}");
    let page = format!("/investigations/{ID}");
    for (path, kind, name) in [
        (format!("{thread}/0"), "image/png", None),
        (format!("{thread}/1"), "application/json", Some("prod-orders-db.json")),
        (format!("{thread}/2"), "text/plain; charset=utf-8", Some("prod-orders-db.md")),
        (format!("{page}/files/report.json"), "application/json", Some("prod-orders-db.json")),
        (format!("{page}/files/report.md"), "text/plain; charset=utf-8", Some("prod-orders-db.md")),
        (format!("{page}/files/timeline.png"), "image/png", None),
        (format!("{page}/files/timeline.svg"), "image/svg+xml", None),
        (format!("{page}/evidence/4"), "text/plain; charset=utf-8", Some("prod-orders-db-step-4.txt")),
    ] {
        let response = site.get(&mut browser, &path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
        let disposition = response.headers().get(CONTENT_DISPOSITION).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(disposition, name.map(|name| format!("attachment; filename=\"{name}\"")), "{path}");
        assert!(response.bytes().await.unwrap().len() > 500, "{path}");
    }
    for path in ["/3", "/x", "/-1"] {
        assert!(site.get(&mut browser, &format!("{thread}{path}")).await.status().is_client_error(), "{path}");
    }
    for path in ["/files/other", "/files/report.exe", "/evidence/0", "/evidence/10"] {
        assert_eq!(site.get(&mut browser, &format!("{page}{path}")).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn an_investigation_has_a_page_with_everything() {
    let site = Site::open().await;
    *site.shelf.investigation.lock().unwrap() = Some(investigated("role_detached_policy").await);
    let page = site.page(&mut Browser::default(), &format!("/investigations/{ID}")).await;
    for expected in [
        "is not rotating — the function&#39;s role lacks a permission that rotation needs",
        "aws iam attach-role-policy",
        "<svg xmlns",
        "DetachRolePolicy by carol",
        "Nine steps and their evidence",
        "is not authorized to perform",
        "Changes",
        "Ruled out",
        "report.json",
    ] {
        assert!(page.contains(expected) || page.contains(&expected.replace("&#39;", "'")), "the page lacks {expected}");
    }
    assert_eq!(page.matches("<details class=\"step\"").count(), 9);
    assert_eq!(site.get(&mut Browser::default(), &format!("/investigations/{}", "f".repeat(32))).await.status(), 404);
}

#[tokio::test]
async fn browsers_are_told_when_to_look_again() {
    let site = Site::open().await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    site.submit(&mut one, "/", "/say", &[("words", "prod/x")]).await;
    site.page(&mut two, "/").await;
    let session = site.intake.received.lock().unwrap()[0].reply_to.clone().unwrap();
    let mut first = site.get(&mut one, "/live").await;
    let mut second = site.get(&mut two, "/live").await;
    assert_eq!(first.headers()[CONTENT_TYPE], "text/event-stream");
    let place =
        Place { platform: PlatformName::new("console"), workspace: "local".to_owned(), channel: "page".to_owned(), thread: None };
    let id = site.console.post(&Destination::Channel(place), &site.say("x"), ROOT).await.unwrap();
    assert_eq!(id, ROOT);
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    let thread = ThreadRef {
        platform: PlatformName::new("console"),
        workspace: "local".to_owned(),
        channel: "page".to_owned(),
        root: "0123.root/0 x".to_owned(),
    };
    site.console.edit(&Destination::Thread(thread.clone()), ROOT, &site.say("y")).await.unwrap();
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    site.console.point_to(&session, &thread).await.unwrap();
    assert_eq!(next(&mut first).await, "event: changed\ndata: look\n\n");
    assert_eq!(next(&mut second).await, "event: changed\ndata: look\n\n");
    site.console.close();
    assert_eq!(next(&mut second).await, "", "the stream ends when the page goes away");
    assert_eq!(site.get(&mut two, "/live").await.status(), 503);
}

/// The next event; nothing at the stream's end.
async fn next(stream: &mut reqwest::Response) -> String {
    let chunk = stream.chunk().await.unwrap();
    chunk.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn only_so_many_windows_may_listen() {
    let site = Site::open().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        let stream = site.get(&mut Browser::default(), "/live").await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(site.get(&mut Browser::default(), "/live").await.status(), 503);
}

#[tokio::test]
async fn a_whisper_to_nobody_is_no_error() {
    let site = Site::open().await;
    assert_eq!(site.console.send_ephemeral(&ReplyTo("nobody".to_owned()), &site.say("x")).await, Ok(()));
}

#[tokio::test]
async fn without_scripts_a_page_looks_again_while_steps_run() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    site.shelf.put(&[(ROOT, compose::progress(&safe("prod/x"), &compose::waiting()))]);
    let again = "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>";
    assert!(site.page(&mut browser, &format!("/threads/{ROOT}")).await.contains(again));
    let channel = site.page(&mut browser, "/").await;
    assert!(!channel.contains("http-equiv") && channel.contains(">Refresh</a>"), "what is typed there is not taken away");
    site.shelf.threads.lock().unwrap().clear();
    site.shelf.put(&[(ROOT, site.say("done"))]);
    assert!(!site.page(&mut browser, "/").await.contains("http-equiv"));
    // Right after asking, what was asked is only just stored: it looks until the thread is there, and then goes to it, once.
    let asked = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/x")]).await);
    assert!(site.page(&mut browser, &asked).await.contains(again));
    let session = site.intake.received.lock().unwrap()[0].reply_to.clone().unwrap();
    site.console.point_to(&session, &thread(ROOT)).await.unwrap();
    let led = site.get(&mut browser, &asked).await;
    assert_eq!((led.status().as_u16(), location(&led)), (303, format!("/threads/{ROOT}")));
    assert!(!site.page(&mut browser, &asked).await.contains("http-equiv"), "whoever comes back is not led away again");
}

fn thread(root: &str) -> ThreadRef {
    ThreadRef {
        platform: PlatformName::new("console"),
        workspace: "local".to_owned(),
        channel: "page".to_owned(),
        root: root.to_owned(),
    }
}

#[tokio::test]
async fn asking_in_one_window_moves_no_other() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    site.shelf.put(&[(ROOT, site.say("a thread")), ("other", site.say("x"))]);
    let first = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/x")]).await);
    let second = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/y")]).await);
    let beside = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/z"), ("beside", ROOT)]).await);
    assert!(beside.starts_with(&format!("/threads/{ROOT}?asked=")), "what was open stays open: {beside}");
    let asked: Vec<ReplyTo> = site.intake.received.lock().unwrap().iter().filter_map(|said| said.reply_to.clone()).collect();
    site.console.point_to(&asked[1], &thread(ROOT)).await.unwrap();
    for still in ["/", &first, &beside, &format!("/threads/{ROOT}")] {
        assert_eq!(site.get(&mut browser, still).await.status(), 200, "{still}");
    }
    assert_eq!(site.get(&mut Browser::default(), &second).await.status(), 200, "nor is another browser led there");
    assert_eq!(location(&site.get(&mut browser, &second).await), format!("/threads/{ROOT}"));
}

#[tokio::test]
async fn words_that_start_nothing_stay_in_their_field_with_why() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    site.shelf.put(&[(ROOT, site.say("a thread"))]);
    let field = |page: &str, id: &str| {
        regex::Regex::new(&format!("<input id=\"{id}\"[^>]*>")).unwrap().find(page).unwrap().as_str().to_owned()
    };
    let why = "the window has to be written like this";
    let answer = || Ack::Answer(Box::new(compose::notice(Tone::Warning, why)));
    for (from, more, id, other) in
        [("/".to_owned(), None, "ask", None), (format!("/threads/{ROOT}"), Some(("thread", ROOT)), "say", Some("ask"))]
    {
        site.intake.answers.lock().unwrap().push(answer());
        let fields: Vec<(&str, &str)> = [("words", "prod/x windw:\"7d")].into_iter().chain(more).collect();
        let shown = location(&site.submit(&mut browser, &from, "/say", &fields).await);
        let page = site.page(&mut browser, &shown).await;
        let input = field(&page, id);
        for expected in
            ["value=\"prod/x windw:&quot;7d\"", "aria-invalid=\"true\"", "aria-describedby=\"whispers\"", " autofocus"]
        {
            assert!(input.contains(expected), "{expected}: {input}");
        }
        let (_, notices) = page.split_once("id=\"whispers\"").unwrap();
        let (notices, _) = notices.split_once("</article>").unwrap();
        assert!(notices.contains("role=\"alert\"") && notices.contains("The window has to be written like this."), "{notices}");
        if let Some(other) = other {
            assert!(!field(&page, other).contains("value="), "the other field is left alone");
        }
        assert!(!site.page(&mut browser, &from).await.contains("aria-invalid"), "another window is not disturbed");
    }
    // Unstored, they stay as well; a value that was pasted does not.
    site.intake.answers.lock().unwrap().push(Ack::Unavailable(Box::new(compose::unavailable())));
    let shown = location(&site.submit(&mut browser, "/", "/say", &[("words", "prod/x")]).await);
    assert!(field(&site.page(&mut browser, &shown).await, "ask").contains("value=\"prod/x\""));
    site.intake.answers.lock().unwrap().push(answer());
    let value = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let shown = location(&site.submit(&mut browser, "/", "/say", &[("words", value)]).await);
    assert!(!site.page(&mut browser, &shown).await.contains(value));
}

#[tokio::test]
async fn a_form_of_before_a_restart_starts_nothing_and_loses_no_words() {
    let site = Site::open().await;
    let mut browser = Browser::default();
    let once = hidden(&site.page(&mut browser, "/").await, "once");
    let own = format!("http://{}", site.host);
    let send = |form: String| {
        let fields = [("form", form), ("once", once.clone()), ("words", "prod/orders-db".to_owned())];
        site.request(Method::POST, "/say").header(ORIGIN, &own).form(&fields)
    };
    let response = browser.send(send("0".repeat(64))).await;
    assert_eq!(response.status(), 403);
    let page = response.text().await.unwrap();
    assert!(page.contains("value=\"prod/orders-db\"") && page.contains("page was out of date"), "{page}");
    assert!(site.intake.received.lock().unwrap().is_empty());
    assert_eq!(browser.send(send(hidden(&page, "form"))).await.status(), 303, "sent again, it is taken");
    assert_eq!(site.intake.received.lock().unwrap().len(), 1);
}

/// Where the link of this class, or with these words, leads.
fn link(page: &str, pattern: &str) -> Option<String> {
    let link = regex::Regex::new(&format!("<a [^>]*href=\"([^\"]*)\"[^>]*>{pattern}</a>")).unwrap();
    link.captures(page).map(|found| found[1].replace("&amp;", "&"))
}

#[tokio::test]
async fn a_list_that_is_cut_leads_to_what_is_older_and_back() {
    let site = Site::open().await;
    for at in 0..50 {
        site.shelf.put(&[(&format!("root{at}"), site.say("x"))]);
    }
    let mut browser = Browser::default();
    let entries = |page: &str| page.matches("<li id=\"t-").count();
    let whole = site.page(&mut browser, "/").await;
    assert_eq!((entries(&whole), link(&whole, "Older")), (50, None));
    site.shelf.put(&[("root50", site.say("x"))]);
    let newest = site.page(&mut browser, "/").await;
    let older = link(&newest, "Older").unwrap();
    assert_eq!((entries(&newest), older.as_str()), (50, "/?behind=0.1"));
    let oldest = site.page(&mut browser, &older).await;
    assert_eq!((entries(&oldest), link(&oldest, "Older"), link(&oldest, "Newest").as_deref()), (1, None, Some("/")));
    assert!(oldest.contains("id=\"t-root0\""), "{oldest}");
}

#[tokio::test]
async fn what_is_looked_for_stands_in_the_address_and_stays_there() {
    let site = Site::open().await;
    site.shelf.put(&[(ROOT, site.say("prod/orders-db is not rotating"))]);
    let mut browser = Browser::default();
    let chosen = "/?q=orders+db&show=failing&account=prod";
    let page = site.page(&mut browser, chosen).await;
    let query = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!((query.text.as_str(), query.filter, query.account.as_deref()), ("orders db", ThreadFilter::Failing, Some("prod")));
    for expected in [
        "name=\"q\" value=\"orders db\"",
        "<option value=\"prod\" selected>prod</option>",
        "href=\"/?q=orders+db&amp;show=failing&amp;account=prod\" aria-current=\"true\">Failing</a>",
        "Nothing here fits. <a href=\"/\">Show all</a>",
    ] {
        assert!(page.contains(expected), "the page lacks {expected}: {page}");
    }
    assert_eq!(link(&page, "Mine").as_deref(), Some("/?q=orders+db&show=mine&account=prod"));
    // What is said keeps it, and so does the thread that is opened from it.
    let shown =
        location(&site.submit(&mut browser, chosen, "/say", &[("words", "x"), ("list", "q=orders+db&show=failing")]).await);
    assert!(shown.starts_with("/?q=orders+db&show=failing&asked="), "{shown}");
    let mine = site.page(&mut browser, "/?q=orders&show=mine").await;
    let key = site.intake.received.lock().unwrap()[0].key.clone();
    let query = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!(query.filter, ThreadFilter::Mine);
    assert!(key.starts_with(&query.sent_as), "mine is what was sent from here: {key}");
    let mut other = Browser::default();
    site.page(&mut other, "/?show=mine").await;
    let others = site.shelf.queries.lock().unwrap().pop().unwrap();
    assert_eq!(others.sent_as, query.sent_as, "in another browser it is the same person");
    assert!(mine.contains(&format!("href=\"/threads/{ROOT}?q=orders&amp;show=mine\"")), "{mine}");
    let thread = site.page(&mut browser, &format!("/threads/{ROOT}?q=orders&show=mine")).await;
    assert_eq!(link(&thread, "← Channel").as_deref(), Some("/?q=orders&show=mine"));
    assert_eq!(link(&thread, "All"), Some(format!("/threads/{ROOT}?q=orders")));
}

#[tokio::test]
async fn a_thread_is_one_line_with_its_state_its_age_and_its_moment() {
    let site = Site::open().await;
    let name = format!("prod/{}", "x".repeat(500));
    site.shelf.put(&[(ROOT, Message { tone: Tone::Bad, ..Message::line(Tone::Bad, safe(&name)) })]);
    let page = site.page(&mut Browser::default(), "/").await;
    let entry = regex::Regex::new("(?s)<li id=\"t-.*?</li>").unwrap().find(&page).unwrap().as_str();
    for expected in [
        "data-tone=\"bad\"",
        "<span class=\"icon\" aria-hidden=\"true\"></span>",
        "<span class=\"unseen\">Failing: </span>",
        &format!("<span class=\"title\" title=\"{name}\">"),
        "<time class=\"ago\" datetime=\"2026-11-24T04:52:00Z\" title=\"Tue 24 Nov 04:52 UTC\" data-ago>3 min</time>",
    ] {
        assert!(entry.contains(expected), "{expected}: {entry}");
    }
}

#[tokio::test]
async fn what_was_found_elsewhere_is_shown_here_with_the_way_to_its_thread() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let thread = ListedThread {
        leads_to: ThreadTarget::Elsewhere { investigation: investigation.id.clone(), platform: "Slack" },
        tone: Tone::Bad,
        title: safe("prod/orders-db is not rotating"),
        opened_at: "2026-11-24T04:00:00Z".parse().unwrap(),
        stated_at: "2026-11-24T04:00:00Z".parse().unwrap(),
    };
    site.shelf.of_others.lock().unwrap().push(thread);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let mut browser = Browser::default();
    let list = site.page(&mut browser, "/").await;
    assert!(
        list.contains(&format!("href=\"/investigations/{ID}\"")) && list.contains("<span class=\"badge\">Slack</span>"),
        "{list}"
    );
    let path = format!("/investigations/{ID}");
    let elsewhere = |address: Option<&str>| Some(Elsewhere { platform: "Slack", address: address.map(str::to_owned) });
    *site.shelf.elsewhere.lock().unwrap() = elsewhere(Some("https://acme.slack.com/archives/C1/p1"));
    let page = site.page(&mut browser, &path).await;
    assert_eq!(link(&page, "Open in Slack").as_deref(), Some("https://acme.slack.com/archives/C1/p1"));
    *site.shelf.elsewhere.lock().unwrap() = elsewhere(None);
    let page = site.page(&mut browser, &path).await;
    assert!(page.contains("Its thread is in Slack.") && link(&page, "Open in Slack").is_none(), "{page}");
}

#[tokio::test]
async fn names_are_proposed_while_somebody_types() {
    let site = Site::open().await;
    *site.intake.suggestions.lock().unwrap() = (0..10_000).map(|at| format!("prod/service-{at}")).collect();
    site.intake.suggestions.lock().unwrap().push("prod/service-\u{202e}9999".to_owned());
    let response = site.get(&mut Browser::default(), "/suggest?typed=service-9999").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(
        serde_json::from_str::<Vec<String>>(&response.text().await.unwrap()).unwrap(),
        ["prod/service-9999"],
        "a name that cannot be read is not proposed"
    );
    let behind = Site::start(Some("9f86d081884c7d659a2feaa0c55ad015")).await;
    assert_eq!(behind.get(&mut Browser::default(), "/suggest?typed=p").await.status(), 303, "nor anything to strangers");
}

#[tokio::test]
async fn where_nothing_is_a_page_of_ours_says_so() {
    let site = Site::behind(None, "/ops", &[]).await;
    for path in ["/nope", "/ops/nope", "/ops/threads/x/y/z"] {
        let response = site.get(&mut Browser::default(), path).await;
        assert_eq!(response.status(), 404, "{path}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("There is no such page.") && link(&page, "Back to the channel").as_deref() == Some("/ops"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_thread_draws_its_charts_in_the_colours_of_the_page() {
    let site = Site::open().await;
    let investigation = investigated("role_detached_policy").await;
    let verdict = verdict(&investigation);
    site.shelf.put(&[(ROOT, verdict), ("chart", compose::chart(&investigation).unwrap())]);
    *site.shelf.investigation.lock().unwrap() = Some(investigation);
    let path = format!("/threads/{ROOT}");
    let mut browser = Browser::default();
    let page = site.page(&mut browser, &path).await;
    assert!(page.contains("class=\"timeline wide\"") && page.contains("class=\"timeline narrow\""), "{page}");
    assert!(
        page.contains("<svg xmlns") && page.contains("class=\"ink-errors\"") && !page.contains("<img src=\"/threads"),
        "{page}"
    );
    assert_eq!(link(&page, "As a picture"), Some(format!("{path}/files/chart/0")));
    // A run that ended since has another chart: the message shows its own.
    *site.shelf.investigation.lock().unwrap() =
        Some(Investigation { id: ID.parse().unwrap(), ..investigated("new_code_raises").await });
    let page = site.page(&mut browser, &path).await;
    assert!(!page.contains("<svg xmlns") && page.contains(&format!("<img src=\"{path}/files/chart/0\"")), "{page}");
}
