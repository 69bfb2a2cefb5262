//! What the page lets in: hosts, forms, methods, tokens, and who is told what.

use super::*;

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
