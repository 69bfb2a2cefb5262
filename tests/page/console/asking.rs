//! Words and clicks reach the bot, once and from the right thread.

use super::*;

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
async fn a_whisper_to_nobody_is_no_error() {
    let site = Site::open().await;
    assert_eq!(site.console.send_ephemeral(&ReplyTo("nobody".to_owned()), &site.say("x")).await, Ok(()));
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
