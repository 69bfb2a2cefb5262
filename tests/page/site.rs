//! The page over real HTTP, with a scripted reception and a shelf of messages behind it.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use rotation_diag::chat::compose;
use rotation_diag::chat::{
    Ack, Elsewhere, HistoryError, IncomingEvent, Intake, ListedThread, Message, MessageHistory, Posted, ShownInvestigation,
    Summary, ThreadCursor, ThreadFilter, ThreadList, ThreadQuery, ThreadTarget,
};
use rotation_diag::config::Token;
use rotation_diag::diagnosis::page_of;
use rotation_diag::model::{Actor, Cause, Investigation, InvestigationId, Place, PlatformName};
use rotation_diag::platforms::console::{Console, Settings, router};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Ids as unguessable as a test needs them.
pub(crate) fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Takes everything down, and answers what it was told to.
#[derive(Default)]
pub(crate) struct RecordingIntake {
    pub(crate) received: Mutex<Vec<IncomingEvent>>,
    pub(crate) answers: Mutex<Vec<Ack>>,
    pub(crate) suggestions: Mutex<Vec<String>>,
}

#[async_trait]
impl Intake for RecordingIntake {
    async fn accept(&self, inbound: IncomingEvent) -> Ack {
        self.received.lock().unwrap().push(inbound);
        self.answers.lock().unwrap().pop().unwrap_or(Ack::Accepted)
    }

    async fn suggest(&self, _: &Actor, _: &Place, typed: &str) -> Vec<String> {
        self.suggestions.lock().unwrap().iter().filter(|name| name.contains(typed)).cloned().collect()
    }

    async fn recent(&self, _: &Actor, _: ThreadFilter, _: usize) -> Vec<Summary> {
        Vec::new()
    }
}

/// Threads in memory, each a list of messages, the first of which it hangs on; and an investigation.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) threads: Mutex<Vec<Vec<Posted>>>,
    pub(crate) investigation: Mutex<Option<Investigation>>,
    /// Where the investigation's thread is, if not here.
    pub(crate) elsewhere: Mutex<Option<Elsewhere>>,
    /// Threads of other platforms, which stand before the others.
    pub(crate) of_others: Mutex<Vec<ListedThread>>,
    /// What was asked for.
    pub(crate) queries: Mutex<Vec<ThreadQuery>>,
}

impl Shelf {
    pub(crate) fn put(&self, messages: &[(&str, Message)]) {
        let at: Timestamp = "2026-11-24T04:52:00Z".parse().unwrap();
        let posted = |(id, message): &(&str, Message)| Posted { id: (*id).to_owned(), revision: 1, at, message: message.clone() };
        self.threads.lock().unwrap().push(messages.iter().map(posted).collect());
    }
}

#[async_trait]
impl MessageHistory for Shelf {
    async fn threads(&self, _: &Actor, _: &Place, query: &ThreadQuery) -> Result<ThreadList, HistoryError> {
        self.queries.lock().unwrap().push(query.clone());
        let threads = self.threads.lock().unwrap();
        let number = |at: usize| ThreadCursor { opened_at: 0, number: i64::try_from(at).unwrap() };
        let listed = threads.iter().enumerate().rev().filter(|(at, _)| query.behind.is_none_or(|behind| number(*at) < behind));
        let listed: Vec<(usize, ListedThread)> = listed
            .map(|(at, messages)| {
                let root = &messages[0];
                let thread = ListedThread {
                    leads_to: ThreadTarget::Thread(root.id.clone()),
                    tone: root.message.tone,
                    title: root.message.title.clone(),
                    opened_at: root.at,
                    stated_at: root.at,
                };
                (at, thread)
            })
            .filter(|(_, thread)| query.filter.takes(thread.tone) && thread.title.as_str().contains(&query.text))
            .collect();
        let older = listed.get(query.limit).and_then(|_| listed.get(query.limit - 1)).map(|(at, _)| number(*at));
        let threads = listed.into_iter().take(query.limit).map(|(_, thread)| thread);
        let threads = self.of_others.lock().unwrap().clone().into_iter().chain(threads).collect();
        let accounts = ["prod", "stage"].map(str::to_owned).into_iter().collect();
        Ok(ThreadList { threads, older, accounts, at: NOW.parse().unwrap() })
    }

    async fn messages(&self, _: PlatformName, root: &str, _: usize) -> Result<Vec<Posted>, HistoryError> {
        let threads = self.threads.lock().unwrap();
        Ok(threads.iter().find(|messages| messages[0].id == root).cloned().unwrap_or_default())
    }

    async fn investigation(&self, _: &Actor, place: &Place, id: &InvestigationId) -> Option<ShownInvestigation> {
        let investigation = self.investigation.lock().unwrap().clone().filter(|own| own.id == *id)?;
        let elsewhere = self.elsewhere.lock().unwrap().clone();
        let root = self.threads.lock().unwrap().first().map(|messages| messages[0].id.clone());
        Some(ShownInvestigation { investigation, place: Place { thread: root, ..place.clone() }, elsewhere })
    }
}

/// When the list is looked at: three minutes after everything was said.
const NOW: &str = "2026-11-24T04:55:00Z";

/// A running page.
pub(crate) struct Site {
    pub(crate) console: Arc<Console>,
    pub(crate) intake: Arc<RecordingIntake>,
    pub(crate) shelf: Arc<Shelf>,
    caller: Caller,
}

impl std::ops::Deref for Site {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

/// Asks a page, as a browser does.
pub(crate) struct Caller {
    pub(crate) host: String,
    client: Client,
}

/// What a browser keeps between requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: Vec<(String, String)>,
}

/// Where a response leads.
pub(crate) fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

impl Site {
    pub(crate) async fn open() -> Site {
        Site::start(None).await
    }

    pub(crate) async fn start(token: Option<&str>) -> Site {
        Site::behind(token, "", &[]).await
    }

    /// Offered below a path, to clients of these proxies.
    pub(crate) async fn behind(token: Option<&str>, path: &str, proxies: &[&str]) -> Site {
        rotation_diag::tls::choose();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let settings = Settings {
            hosts: vec![host.clone(), host.replace("127.0.0.1", "localhost")],
            token: token.map(Token::new),
            secure: false,
            path: path.to_owned(),
            trusted_proxies: proxies.iter().map(|network| network.parse().unwrap()).collect(),
            note: Some("A simulated account".to_owned()),
            examples: Vec::new(),
            cause_page: |id| Cause::from_id(id).and_then(page_of),
            new_id,
        };
        let (console, intake, shelf) = (Console::new(settings), Arc::new(RecordingIntake::default()), Arc::new(Shelf::default()));
        let app = router(console.clone(), intake.clone(), shelf.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Site { console, intake, shelf, caller: Caller::of(host) }
    }

    pub(crate) fn say(&self, title: &'static str) -> Message {
        compose::notice(rotation_diag::chat::document::Tone::Neutral, title)
    }
}

impl Caller {
    pub(crate) fn of(host: String) -> Caller {
        Caller { host, client: Client::builder().redirect(Policy::none()).no_proxy().build().unwrap() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.host))
    }

    pub(crate) async fn get(&self, browser: &mut Browser, path: &str) -> Response {
        browser.send(self.request(Method::GET, path)).await
    }

    /// Gives a token at the sign-in, as a browser does, with more headers.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, token: &str, headers: &[(&str, &str)]) -> Response {
        let form = hidden(&self.page(browser, "/sign-in").await, "form");
        let mut request = self.request(Method::POST, "/sign-in").header(ORIGIN, format!("http://{}", self.host));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        browser.send(request.form(&[("form", form.as_str()), ("token", token)])).await
    }

    /// A page's HTML.
    pub(crate) async fn page(&self, browser: &mut Browser, path: &str) -> String {
        let response = self.get(browser, path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    /// Submits a form as a browser does, with what the page at `from` put into it.
    pub(crate) async fn submit(&self, browser: &mut Browser, from: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let page = self.page(browser, from).await;
        let (form, once) = (hidden(&page, "form"), hidden(&page, "once"));
        let fields = [("form", form.as_str()), ("once", once.as_str())].into_iter().chain(fields.iter().copied());
        let request = self.request(Method::POST, path).header(ORIGIN, format!("http://{}", self.host));
        browser.send(request.form(&fields.collect::<Vec<_>>())).await
    }
}

impl Browser {
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        response
    }
}

/// The value of the first hidden field with this name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let pattern = format!("name=\"{name}\" value=\"([^\"]*)\"");
    regex::Regex::new(&pattern).unwrap().captures(page).unwrap_or_else(|| panic!("no field {name}"))[1].to_owned()
}

pub(crate) const FOREIGN_HOST: (reqwest::header::HeaderName, &str) = (HOST, "rotation-diag.evil.example");
