//! The whole bot behind the page: store, workers, delivery, and a simulated account.

use crate::site::{Browser, Caller, hidden, location, new_id};
use rotation_diag::app::demo::{Demo, World};
use rotation_diag::app::{App, Platforms};
use rotation_diag::chat::{Intake, MessageHistory};
use rotation_diag::config::Config;
use rotation_diag::diagnosis::page_of;
use rotation_diag::model::Cause;
use rotation_diag::platforms::console::{Console, Settings, router};
use rotation_diag::simulator::Scenario;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const FORM: &str = "/rotation-diag prod/orders-db window:24h";

fn worlds() -> Vec<World> {
    ["role_detached_policy", "healthy"].map(world).to_vec()
}

fn world(wanted: &str) -> World {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == wanted).unwrap();
    let scenario = Scenario::parse(text).unwrap();
    World { name: wanted.to_owned(), secret: scenario.secret().unwrap().to_owned(), scenario }
}

/// A browser that listens to the page's news.
struct Watcher<'a> {
    caller: &'a Caller,
    browser: Browser,
    news: reqwest::Response,
    heard: String,
    /// Where the last button led to: there it is said what became of it.
    shown: String,
}

impl<'a> Watcher<'a> {
    async fn new(caller: &'a Caller) -> Watcher<'a> {
        let mut browser = Browser::default();
        caller.page(&mut browser, "/").await;
        let news = caller.get(&mut browser, "/live").await;
        assert_eq!(news.status(), 200);
        Watcher { caller, browser, news, heard: String::new(), shown: String::new() }
    }

    /// Waits for the next news, whatever it is.
    async fn hear(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.heard = rest;
                if !event.starts_with("event: alive") {
                    return event;
                }
                continue;
            }
            let chunk = self.news.chunk().await.unwrap().expect("the page is still there");
            self.heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Asks, and waits for the thread.
    async fn ask(&mut self, words: &str) -> String {
        let response = self.caller.submit(&mut self.browser, "/", "/say", &[("words", words)]).await;
        assert_eq!(response.status(), 303);
        let asked = location(&response);
        loop {
            let page = self.caller.get(&mut self.browser, &asked).await;
            if page.status() == 303 {
                return location(&page);
            }
            self.hear().await;
        }
    }

    /// Looks at a thread, and again after each news, until it says something.
    async fn until(&mut self, thread: &str, said: &str) -> String {
        loop {
            let page = self.caller.page(&mut self.browser, thread).await;
            if page.contains(said) {
                return page;
            }
            self.hear().await;
        }
    }

    async fn press(&mut self, thread: &str, token: &str) {
        let root = thread.strip_prefix("/threads/").unwrap().to_owned();
        let response = self.caller.submit(&mut self.browser, thread, "/act", &[("token", token), ("thread", &root)]).await;
        assert_eq!(response.status(), 303);
        let shown = location(&response);
        assert_eq!(shown.split_once("?asked=").unwrap().0, thread);
        self.shown = shown;
    }
}

/// The token of the button or menu entry with this action.
fn token(page: &str, action: &str) -> Option<String> {
    let pattern = format!(r#"value="(1\.[0-9a-f]{{32}}\.\d+\.{action})""#);
    regex::Regex::new(&pattern).unwrap().captures(page).map(|found| found[1].to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_becomes_a_thread_and_buttons_go_on_with_it() {
    let demo = Demo::start(worlds(), 0).await.unwrap();
    let caller = Caller::of(demo.address().to_string());
    let stop = CancellationToken::new();
    let running = tokio::spawn(demo.run(stop.clone()));
    let mut one = Watcher::new(&caller).await;
    let thread = one.ask(FORM).await;
    let page = one.until(&thread, "/files/").await;
    assert!(page.contains("prod/orders-db is not rotating"), "{page}");
    let steps = |state: &str| page.matches(&format!("<li data-state=\"{state}\"")).count();
    assert_eq!(steps("fine") + steps("trouble"), 9, "the thread shows the nine steps");
    assert!(steps("trouble") >= 2 && steps("fine") >= 1, "a step that a proof rests on is the trouble, the others are fine");
    assert!(
        page.contains("class=\"drawn\"") && page.contains("aria-label=\"Timeline of orders-rotator"),
        "the thread has no timeline"
    );

    let widen = token(&page, "widen-7").unwrap();
    one.press(&thread, &widen).await;
    let page = one.until(&thread, "widened the window to 7 days").await;
    assert_eq!(token(&page, "widen-7"), None, "it looks back 7 days already");
    one.press(&thread, &widen).await;
    assert!(one.caller.page(&mut one.browser, &one.shown).await.contains("This button has expired"));

    let mut two = Watcher::new(&caller).await;
    let rerun = token(&page, "rerun-4").unwrap();
    one.press(&thread, &rerun).await;
    two.press(&thread, &rerun).await;
    let page = one.until(&thread, "reran step 4").await;
    let notes = regex::Regex::new(">[^<]*reran step 4").unwrap().find_iter(&page).count();
    assert_eq!(notes, 1, "two people press, and it runs once");

    let evidence = token(&page, "evidence-4").unwrap();
    one.press(&thread, &evidence).await;
    one.until(&thread, "Step 4 · function logs").await;
    let investigation = regex::Regex::new("/investigations/[0-9a-f]{32}").unwrap().find(&page).unwrap().as_str().to_owned();
    let report = caller.page(&mut Browser::default(), &investigation).await;
    assert!(report.contains(&format!("href=\"{thread}\"")) && report.contains("<svg "), "{report}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_simulated_account_is_proposed_and_two_with_the_same_secret_are_told_apart() {
    let mut all: Vec<World> = Scenario::embedded().map(|(name, _)| world(name)).collect();
    // The first of a secret needs no account.
    all.sort_by_key(|world| world.name != "healthy");
    let (known, titles) = (all.len(), all.iter().map(|world| world.scenario.title.clone()).collect::<Vec<_>>());
    let demo = Demo::start(all, 0).await.unwrap();
    let caller = Caller::of(demo.address().to_string());
    let stop = CancellationToken::new();
    let running = tokio::spawn(demo.run(stop.clone()));
    let page = caller.page(&mut Browser::default(), "/").await;
    let proposed = regex::Regex::new(
        r#"<button type="submit" name="words" value="/rotation-diag ([^"]+)"><code[^>]*>([^<]+)</code> <span>([^<]+)<"#,
    );
    let proposed: Vec<[String; 3]> =
        proposed.unwrap().captures_iter(&page).map(|found| found.extract::<3>().1.map(str::to_owned)).collect();
    assert_eq!(proposed.len(), known);
    for ([words, shown, title], expected) in proposed.iter().zip(&titles) {
        assert_eq!((words, title.replace("&amp;", "&").as_str()), (shown, expected.as_str()));
    }
    let same: Vec<&str> =
        proposed.iter().map(|[words, ..]| words.as_str()).filter(|words| words.starts_with("prod/orders-db")).collect();
    let same = ["prod/orders-db", "prod/orders-db account:role_detached_policy"]
        .map(|words| *same.iter().find(|one| **one == words).unwrap());

    let mut one = Watcher::new(&caller).await;
    for (words, verdict) in same.iter().zip(["prod/orders-db is healthy", "prod/orders-db is not rotating"]) {
        let thread = one.ask(&format!("/rotation-diag {words}")).await;
        one.until(&thread, verdict).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_in_a_thread_do_the_same() {
    let demo = Demo::start(worlds(), 0).await.unwrap();
    let caller = Caller::of(demo.address().to_string());
    let stop = CancellationToken::new();
    let running = tokio::spawn(demo.run(stop.clone()));
    let mut one = Watcher::new(&caller).await;
    let thread = one.ask("prod/orders-db").await;
    one.until(&thread, ">Rerun<").await;
    let root = thread.strip_prefix("/threads/").unwrap().to_owned();
    for (words, said) in [
        ("compare", "nothing to compare with"),
        ("consumers", "the rotation's own reads are left out"),
        ("export", "prod-orders-db.json"),
        ("resolve", "Resolved: prod/orders-db"),
    ] {
        caller.submit(&mut one.browser, &thread, "/say", &[("words", words), ("thread", &root)]).await;
        one.until(&thread, said).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// A bot that keeps its store, with the page in front.
async fn kept(folder: &std::path::Path, host: &str) -> (App, Caller) {
    let text = format!(
        "[[allow]]\nplatform = \"console\"\nworkspace = \"local\"\nchannels = [\"page\"]\nusers = [\"local\"]\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n",
        folder.join("kept.db").display()
    );
    let config = Config::parse(&text, rotation_diag::app::PLATFORMS).unwrap();
    let settings = Settings {
        hosts: vec![host.to_owned()],
        token: None,
        secure: false,
        path: String::new(),
        trusted_proxies: Vec::new(),
        note: None,
        examples: Vec::new(),
        cause_page: |id| Cause::from_id(id).and_then(page_of),
        new_id,
    };
    let console = Console::new(settings);
    let page = Arc::clone(&console);
    let accounts = rotation_diag::app::demo::accounts(worlds());
    let app = App::start_with(&config, accounts, move |bot, _| {
        let history = Arc::clone(&bot.history) as Arc<dyn MessageHistory>;
        Ok(Platforms {
            routers: vec![router(Arc::clone(&page), Arc::clone(&bot.intake) as Arc<dyn Intake>, history)],
            platforms: vec![page],
            ..Platforms::default()
        })
    })
    .await
    .unwrap();
    console.answer_to(vec![app.address().to_string()]);
    let caller = Caller::of(app.address().to_string());
    (app, caller)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_that_the_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (app, caller) = kept(folder.path(), "first").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let (thread, before) = {
        let mut one = Watcher::new(&caller).await;
        let thread = one.ask(FORM).await;
        one.until(&thread, "/files/").await;
        (thread.clone(), one.until(&thread, ">Rerun<").await)
    };
    stop.cancel();
    running.await.unwrap().unwrap();

    let (app, caller) = kept(folder.path(), "second").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let mut one = Watcher::new(&caller).await;
    let after = one.until(&thread, ">Rerun<").await;
    let messages =
        |page: &str| page.split_once("<div id=\"messages\"").unwrap().1.split_once("class=\"go-on\"").unwrap().0.to_owned();
    assert_eq!(messages(&after), messages(&before));
    one.press(&thread, &token(&after, "widen-30").unwrap()).await;
    one.until(&thread, "widened the window to 30 days").await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_offers_the_page_behind_its_token_under_its_own_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "open sesame\n").unwrap();
    let text = format!(
        "default_region = \"eu-west-1\"\n[console]\ntoken = \"file:{}\"\nurl = \"https://page.example\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n",
        token.display(),
        folder.path().join("serve.db").display()
    );
    let app = App::start(&Config::parse(&text, rotation_diag::app::PLATFORMS).unwrap()).await.unwrap();
    let caller = Caller::of(app.address().to_string());
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let get = |path: &str, host: &str| caller.request(reqwest::Method::GET, path).header(reqwest::header::HOST, host);
    assert_eq!(get("/", &caller.host).send().await.unwrap().status(), 421, "its address is not its name");
    let channel = get("/", "page.example").send().await.unwrap();
    assert_eq!((channel.status().as_u16(), location(&channel).as_str()), (303, "/sign-in"));
    let mut browser = Browser::default();
    let page = browser.send(get("/sign-in", "page.example")).await.text().await.unwrap();
    let request = caller
        .request(reqwest::Method::POST, "/sign-in")
        .header(reqwest::header::HOST, "page.example")
        .header(reqwest::header::ORIGIN, "https://page.example")
        .form(&[("form", hidden(&page, "form").as_str()), ("token", "open sesame")]);
    let signed_in = browser.send(request).await;
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert_eq!(browser.send(get("/", "page.example")).await.status(), 200);
    stop.cancel();
    running.await.unwrap().unwrap();
}
