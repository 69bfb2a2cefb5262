//! Signing in: where it leads, and whom wrong tokens lock out.

use crate::site::{Browser, Site, hidden, location};
use reqwest::Method;
use reqwest::header::{ORIGIN, RETRY_AFTER, SET_COOKIE};
use rotation_diag::chat::Payload;

/// As `openssl rand -hex 16` makes them.
const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015";

/// One that could be guessed.
const SHORT: &str = "open sesame";

/// How many wrong tokens are looked at: of one browser, and of one address.
const OF_ONE_BROWSER: usize = 5;
const OF_ONE_ADDRESS: usize = 20;

/// A guess of somebody who keeps no cookie, and says to come from elsewhere each time.
async fn guess(site: &Site, at: usize, token: &str) -> u16 {
    let from = format!("203.0.113.{}, 198.51.100.{at}", at % 250);
    site.sign_in(&mut Browser::default(), token, &[("x-forwarded-for", &from), ("forwarded", "for=192.0.2.1")])
        .await
        .status()
        .into()
}

#[tokio::test]
async fn a_shared_link_survives_the_sign_in() {
    let site = Site::start(Some(TOKEN)).await;
    site.shelf.put(&[("0123.root/0", site.say("a thread"))]);
    let mut browser = Browser::default();
    let wanted = "/threads/0123.root%2F0";
    let sign_in = location(&site.get(&mut browser, wanted).await);
    let page = site.page(&mut browser, &sign_in).await;
    let give = |token: &'static str, page: &str, more: &str| {
        let to = format!("{}{more}", hidden(page, "to"));
        let fields = [("form", hidden(page, "form")), ("to", to), ("token", token.to_owned())];
        site.request(Method::POST, "/sign-in").header(ORIGIN, format!("http://{}", site.host)).form(&fields)
    };
    let wrong = browser.send(give("wrong", &page, "")).await;
    assert_eq!(wrong.status(), 403);
    let page = wrong.text().await.unwrap();
    assert!(page.contains("role=\"alert\"") && page.contains("This is not the right token."), "{page}");
    assert_eq!(hidden(&page, "to"), wanted, "a wrong token does not lose it either");
    let right = browser.send(give(TOKEN, &page, "#m-2")).await;
    assert_eq!((right.status().as_u16(), location(&right)), (303, format!("{wanted}#m-2")));
    assert!(site.page(&mut browser, wanted).await.contains("A thread."));
    // Another window of the same browser that still shows the sign-in goes on by being loaded again.
    assert_eq!(location(&site.get(&mut browser, &sign_in).await), wanted);
}

#[tokio::test]
async fn the_sign_in_leads_nowhere_else() {
    for to in [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "\\\\evil.example",
        "/%09/evil.example",
        "\t//evil.example",
        "javascript:alert(1)",
        "/threads/..//evil.example",
        "/sign-in",
        "/live",
        "",
    ] {
        let site = Site::start(Some(TOKEN)).await;
        let mut browser = Browser::default();
        let encoded: String = to.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let page = site.page(&mut browser, &format!("/sign-in?to={encoded}")).await;
        assert_eq!(hidden(&page, "to"), "/", "{to}");
        let fields = [("form", hidden(&page, "form")), ("to", to.to_owned()), ("token", TOKEN.to_owned())];
        let request = site.request(Method::POST, "/sign-in").header(ORIGIN, format!("http://{}", site.host));
        assert_eq!(location(&browser.send(request.form(&fields)).await), "/", "{to}");
    }
}

#[tokio::test]
async fn words_written_while_the_session_ended_are_there_after_the_sign_in() {
    let site = Site::start(Some(TOKEN)).await;
    site.shelf.put(&[("root", site.say("a thread"))]);
    let own = format!("http://{}", site.host);
    for (thread, id, shown) in [("", "ask", "/?asked="), ("root", "say", "/threads/root?asked=")] {
        // The cookies ran out, the page is still on the screen.
        let mut browser = Browser::default();
        let old = [
            ("form", "0".repeat(64)),
            ("once", "1".repeat(32)),
            ("thread", thread.to_owned()),
            ("words", "widen 30d".to_owned()),
        ];
        let refused = browser.send(site.request(Method::POST, "/say").header(ORIGIN, &own).form(&old)).await;
        assert_eq!(refused.status(), 401);
        let page = refused.text().await.unwrap();
        assert!(page.contains("what you wrote is kept"), "{page}");
        let fields = ["form", "to", "words"].map(|name| (name, hidden(&page, name)));
        let fields: Vec<(&str, String)> = fields.into_iter().chain([("token", TOKEN.to_owned())]).collect();
        let let_in = browser.send(site.request(Method::POST, "/sign-in").header(ORIGIN, &own).form(&fields)).await;
        let to = location(&let_in);
        assert!(to.starts_with(shown), "{to}");
        let page = site.page(&mut browser, &to).await;
        let field = regex::Regex::new(&format!("<input id=\"{id}\"[^>]*>")).unwrap().find(&page).unwrap().as_str().to_owned();
        assert!(field.contains("value=\"widen 30d\""), "{field}");
        assert!(page.contains("This was not sent yet"), "{page}");
    }
    assert!(site.intake.received.lock().unwrap().is_empty(), "nothing is sent without being sent");
    // A value that was pasted by mistake is not repeated.
    let value = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let pasted = site.request(Method::POST, "/say").header(ORIGIN, &own);
    let fields = [("form", "0".repeat(64)), ("once", "1".repeat(32)), ("words", value.to_owned())];
    let page = Browser::default().send(pasted.form(&fields)).await.text().await.unwrap();
    assert!(!page.contains(value) && page.contains("Sign in first: nothing was sent."), "{page}");
    // Nothing of it helps a stranger: a foreign origin is refused as ever, and a click is not kept.
    let stranger = |origin: &str, path: &str| site.request(Method::POST, path).header(ORIGIN, origin).form(&[("words", "x")]);
    assert_eq!(Browser::default().send(stranger("https://evil.example", "/say")).await.status(), 403);
    let click = [("form", "0".repeat(64)), ("once", "1".repeat(32)), ("words", "x".to_owned()), ("token", "x".to_owned())];
    let refused = Browser::default().send(site.request(Method::POST, "/act").header(ORIGIN, &own).form(&click)).await;
    assert_eq!(refused.status(), 401);
    assert!(!refused.text().await.unwrap().contains("what you wrote is kept"));
    assert_eq!(Browser::default().send(stranger(&own, "/say")).await.status(), 401);
}

#[tokio::test]
async fn wrong_tokens_lock_the_guesser_and_not_a_colleague_behind_the_same_proxy() {
    for token in [TOKEN, SHORT] {
        let site = Site::start(Some(token)).await;
        let (mut guesser, mut colleague) = (Browser::default(), Browser::default());
        for _ in 0..OF_ONE_BROWSER {
            assert_eq!(site.sign_in(&mut guesser, "wrong", &[]).await.status(), 403);
        }
        for given in ["wrong", token] {
            let locked = site.sign_in(&mut guesser, given, &[]).await;
            assert_eq!((locked.status().as_u16(), locked.headers()[RETRY_AFTER].to_str().unwrap()), (429, "60"));
            assert!(locked.text().await.unwrap().contains("Too many wrong tokens"));
        }
        assert_eq!(site.sign_in(&mut colleague, token, &[]).await.status(), 303);
        assert_eq!(site.get(&mut colleague, "/").await.status(), 200);
        assert_eq!(site.get(&mut guesser, "/").await.status(), 303, "the guesser is not in");
    }
}

#[tokio::test]
async fn dropped_cookies_and_invented_addresses_bring_no_more_guesses() {
    let site = Site::start(Some(TOKEN)).await;
    let mut looked_at = 0;
    for at in 0..OF_ONE_ADDRESS * 3 {
        match guess(&site, at, "wrong").await {
            403 => looked_at += 1,
            other => assert_eq!(other, 429),
        }
    }
    assert_eq!(looked_at, OF_ONE_ADDRESS);
    // Meanwhile a colleague behind the same proxy signs in: nobody guesses this token, so the right one is nobody's guess.
    let mut colleague = Browser::default();
    assert_eq!(site.sign_in(&mut colleague, TOKEN, &[]).await.status(), 303);
    assert_eq!(site.get(&mut colleague, "/").await.status(), 200);
    assert_eq!(guess(&site, 0, "wrong").await, 429, "the guesser gets no new budget by that");
}

#[tokio::test]
async fn a_token_that_could_be_guessed_is_guessed_no_faster_because_it_is_right() {
    let site = Site::start(Some(SHORT)).await;
    for at in 0..OF_ONE_ADDRESS {
        assert_eq!(guess(&site, at, "wrong").await, 403);
    }
    assert_eq!(guess(&site, 0, SHORT).await, 429);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_budget_of_its_own() {
    let site = Site::behind(Some(SHORT), "", &["127.0.0.0/8"]).await;
    // What the proxy appended stands last; what the guesser wrote before it counts for nothing.
    let forged = |at: usize| format!("192.0.2.{at}, 198.51.100.7");
    let mut looked_at = 0;
    for at in 0..OF_ONE_ADDRESS * 2 {
        let answer = site.sign_in(&mut Browser::default(), "wrong", &[("x-forwarded-for", &forged(at))]).await.status();
        looked_at += usize::from(answer == 403);
    }
    assert_eq!(looked_at, OF_ONE_ADDRESS);
    let colleague = site.sign_in(&mut Browser::default(), SHORT, &[("x-forwarded-for", "198.51.100.8")]).await;
    assert_eq!(colleague.status(), 303);
}

#[tokio::test]
async fn below_a_path_everything_leads_below_it_whether_the_proxy_takes_it_off_or_not() {
    let site = Site::behind(Some(TOKEN), "/ops/page", &[]).await;
    site.shelf.put(&[("root", site.say("a thread"))]);
    let elsewhere = regex::Regex::new(r#"(?:href|src|action)="(/[^"]*)""#).unwrap();
    for prefix in ["/ops/page", ""] {
        let mut browser = Browser::default();
        let wanted = site.get(&mut browser, &format!("{prefix}/threads/root")).await;
        assert_eq!(location(&wanted), "/ops/page/sign-in?to=%2Fthreads%2Froot", "{prefix}");
        let page = site.page(&mut browser, &format!("{prefix}/sign-in?to=/threads/root")).await;
        let fields = [("form", hidden(&page, "form")), ("to", hidden(&page, "to")), ("token", TOKEN.to_owned())];
        let own = format!("http://{}", site.host);
        let give = site.request(Method::POST, &format!("{prefix}/sign-in")).header(ORIGIN, &own).form(&fields);
        let let_in = browser.send(give).await;
        assert_eq!(location(&let_in), "/ops/page/threads/root");
        for cookie in let_in.headers().get_all("set-cookie") {
            assert!(cookie.to_str().unwrap().contains("; Path=/ops/page; "), "{cookie:?}");
        }
        let page = site.page(&mut browser, &format!("{prefix}/threads/root")).await;
        for found in elsewhere.captures_iter(&page) {
            assert!(found[1].starts_with("/ops/page"), "{}", &found[1]);
        }
        let fields = [("form", hidden(&page, "form")), ("once", hidden(&page, "once")), ("words", "prod/x".to_owned())];
        let said = site.request(Method::POST, &format!("{prefix}/say")).header(ORIGIN, &own).form(&fields);
        assert!(location(&browser.send(said).await).starts_with("/ops/page?asked="));
        assert_eq!(site.get(&mut browser, &format!("{prefix}/assets/console.js")).await.status(), 200);
    }
    let mut browser = Browser::default();
    assert_eq!(location(&site.get(&mut browser, "/ops/page").await), "/ops/page/sign-in");
    assert_eq!(location(&site.get(&mut browser, "/ops/page/").await), "/ops/page");
    assert!(site.intake.received.lock().unwrap().iter().all(|said| said.said == Payload::Words("prod/x".to_owned())));
}

#[tokio::test]
async fn signing_out_ends_the_session_in_its_browser_and_in_no_other() {
    let site = Site::start(Some(TOKEN)).await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    for browser in [&mut one, &mut two] {
        assert_eq!(site.sign_in(browser, TOKEN, &[]).await.status(), 303);
    }
    let before = one.cookies.clone();
    let page = site.page(&mut one, "/").await;
    assert!(page.contains("<form class=\"sign-out\" method=\"post\" action=\"/sign-out\">"), "{page}");
    let own = format!("http://{}", site.host);
    let leave = |form: String| site.request(Method::POST, "/sign-out").header(ORIGIN, own.clone()).form(&[("form", form)]);
    assert_eq!(one.send(leave("0".repeat(64))).await.status(), 403, "nobody else signs somebody out");
    assert_eq!(site.get(&mut one, "/").await.status(), 200);
    let left = one.send(leave(hidden(&page, "form"))).await;
    assert_eq!((left.status().as_u16(), location(&left).as_str()), (303, "/sign-in"));
    let cookies: Vec<&str> = left.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(cookies.len() == 2 && cookies.iter().all(|cookie| cookie.contains("Max-Age=0")), "{cookies:?}");
    assert_eq!(location(&site.get(&mut one, "/").await), "/sign-in");
    assert!(site.page(&mut one, "/sign-in").await.contains("Sign in"), "a new session begins");
    assert!(one.cookies.iter().all(|cookie| !before.contains(cookie)), "with a name of its own");
    assert_eq!(site.get(&mut two, "/").await.status(), 200);
    let open = Site::open().await;
    assert!(!open.page(&mut Browser::default(), "/").await.contains("sign-out"), "without a token nobody signs in or out");
}
