//! From requests to pages, files and news; and from forms to the [`crate::chat::Intake`].

use super::NAME;
use super::forms::{Click, FormOrigin, Words};
use super::guard::guard;
use super::list_address::{ListAddress, asked, sent_as};
use super::session::{BrowserSession, is_id};
use super::sign_in;
use super::submissions::{Submission, key, may_be_kept};
use super::view::{self, Enrichment, Open, SessionView, SignOut};
use super::{Console, Example, PageState};
use crate::chart;
use crate::chat::HistoryError;
use crate::chat::compose;
use crate::chat::document::{Attachment, Content, Tone};
use crate::chat::{Ack, IncomingEvent, Payload, Posted, ShownInvestigation};
use crate::model::{Investigation, InvestigationId, ReplyTo, StepName};
use crate::redact::SafeText;
use crate::report::Report;
use crate::safe_format;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;

/// The largest form, in bytes: words of 1,000 characters in four bytes each, percent-encoded, and the rest.
const MAX_FORM_BYTES: usize = 16 << 10;
/// How long an answer may take, until it begins.
const DEADLINE: Duration = Duration::from_secs(20);
/// How many replies of a thread are shown.
const REPLIES: usize = 200;
/// For how many investigations of a thread more is shown than their messages.
const MAX_ENRICHED: usize = 10;

const STYLE: &str = include_str!("assets/console.css");
const SCRIPT: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The page's routes, with and without the prefix it is offered under.
pub(super) fn router(page: PageState) -> Router {
    let own = own_routes(page.clone());
    let prefix = page.console.settings.path.clone();
    if prefix.is_empty() {
        return own;
    }
    let to_channel = page.console.paths.channel();
    own.clone().nest(&prefix, own).route(&format!("{prefix}/"), get(move || async move { Redirect::to(&to_channel) }))
}

fn own_routes(page: PageState) -> Router {
    Router::new()
        .route("/", get(channel))
        .route("/threads/{root}", get(thread))
        .route("/threads/{root}/files/{message}/{at}", get(attachment))
        .route("/investigations/{id}", get(investigation))
        .route("/investigations/{id}/evidence/{step}", get(evidence))
        .route("/investigations/{id}/files/{name}", get(export))
        .route("/causes/{id}", get(cause))
        .route("/say", post(say))
        .route("/act", post(act))
        .route("/live", get(live))
        .route("/suggest", get(suggest))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/assets/{name}", get(asset))
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(page.clone(), guard))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE))
        .with_state(page)
}

async fn channel(
    State(page): State<PageState>,
    Extension(session): Extension<BrowserSession>,
    RawQuery(query): RawQuery,
) -> Response {
    page.shown(&session, None, &query.unwrap_or_default()).await
}

async fn thread(
    State(page): State<PageState>,
    Extension(session): Extension<BrowserSession>,
    Path(root): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    page.shown(&session, Some(root), &query.unwrap_or_default()).await
}

async fn nothing(State(page): State<PageState>) -> Response {
    page.refused(StatusCode::NOT_FOUND, "There is no such page.")
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    typed: String,
}

/// Names of secrets while somebody types.
async fn suggest(State(page): State<PageState>, Query(Typed { typed }): Query<Typed>) -> Json<Vec<String>> {
    Json(page.names(&typed).await)
}

async fn cause(State(page): State<PageState>, Extension(session): Extension<BrowserSession>, Path(id): Path<String>) -> Response {
    let settings = &page.console.settings;
    let sign_out = page.sign_out(&session);
    match (settings.cause_page)(&id) {
        Some(text) => view::cause(&page.console.paths, &id, text, settings.note.as_deref(), sign_out.as_ref()).into_response(),
        None => page.refused(StatusCode::NOT_FOUND, "There is no such cause."),
    }
}

impl PageState {
    pub(super) fn refused(&self, status: StatusCode, why: &str) -> Response {
        view::refused(&self.console.paths, status, why)
    }

    fn unreadable(&self) -> Response {
        self.refused(StatusCode::SERVICE_UNAVAILABLE, "The messages cannot be read just now. Try again in a minute.")
    }

    async fn shown(&self, session: &BrowserSession, root: Option<String>, query: &str) -> Response {
        let asked = asked(query).map(|once| key(session, &once));
        let led_to = asked.as_deref().and_then(|key| self.console.submissions.take_thread(key));
        if let Some(thread) = led_to.filter(|thread| Some(thread) != root.as_ref()) {
            return Redirect::to(&self.console.paths.thread(&thread)).into_response();
        }
        let submission = asked.and_then(|key| self.console.submissions.of(&key)).unwrap_or_default();
        let address = ListAddress::parse(query);
        self.sheet(session, root, &address, submission).await.unwrap_or_else(|HistoryError| self.unreadable())
    }

    async fn sheet(
        &self,
        session: &BrowserSession,
        root: Option<String>,
        address: &ListAddress,
        submission: Submission,
    ) -> Result<Response, HistoryError> {
        let list = self.history.threads(&Console::actor(), &Console::place(None), &address.asks()).await?;
        let open = match root {
            Some(root) => {
                let messages = self.history.messages(NAME, &root, REPLIES).await?;
                if messages.is_empty() {
                    return Ok(self.refused(StatusCode::NOT_FOUND, "There is no such thread, or it is no longer kept."));
                }
                let more = self.more_of(&messages).await;
                Some(Open { root, messages, more })
            }
            None => None,
        };
        let mut examples = self.console.settings.examples.clone();
        if examples.is_empty() {
            examples.extend(self.names("").await.into_iter().map(|words| Example { words, title: String::new() }));
        }
        examples.retain(|Example { words, .. }| is_plain(words));
        let sheet = SessionView {
            paths: &self.console.paths,
            form: self.console.keys.form(session),
            once: (self.console.settings.new_id)(),
            note: self.console.settings.note.as_deref(),
            sign_out: self.sign_out(session),
            submission,
            address,
            list,
            examples,
            open,
        };
        Ok(view::sheet(&sheet).into_response())
    }

    /// What a page shows beyond messages: charts in its own colours and width, lists that open.
    async fn more_of(&self, messages: &[Posted]) -> Vec<Enrichment> {
        let mut investigations = Vec::new();
        for id in view::investigations_of(messages).iter().take(MAX_ENRICHED) {
            let shown = self.history.investigation(&Console::actor(), &Console::place(None), id).await;
            investigations.extend(shown.map(|shown| shown.investigation));
        }
        let draw = move || investigations.iter().map(Enrichment::of).collect();
        // Without it, the messages are shown as they are.
        tokio::task::spawn_blocking(draw).await.unwrap_or_default()
    }

    /// Names of secrets that may be asked about, and that are shown as they are: another one would be asked about as what it
    /// is not.
    async fn names(&self, typed: &str) -> Vec<String> {
        let mut names = self.intake.suggest(&Console::actor(), &Console::place(None), typed).await;
        names.retain(|name| is_plain(name));
        names
    }

    /// What ends the session, where one was begun with a token.
    fn sign_out(&self, session: &BrowserSession) -> Option<SignOut> {
        let keys = &self.console.keys;
        keys.ask_for_a_token().then(|| SignOut(keys.form(session)))
    }

    /// Hands in what was said, tells the person alone what comes back, and shows where it was said.
    async fn hand_in(&self, session: &BrowserSession, form: &FormOrigin, said: Payload) -> Response {
        let words = match &said {
            Payload::Words(words) => Some(words.clone()),
            Payload::Click(_) => None,
        };
        if !self.console.keys.is_form(session, &form.form) || !is_id(&form.once) {
            return self.outdated(session, form, words).await;
        }
        let key = key(session, &form.once);
        self.console.submissions.begin(&key, form.field(), words.as_deref());
        let inbound = IncomingEvent {
            key: sent_as(session, &form.once),
            actor: Console::actor(),
            place: Console::place(form.thread()),
            reply_to: Some(ReplyTo(key.clone())),
            said,
        };
        match self.intake.accept(inbound).await {
            Ack::Accepted | Ack::Duplicate => {}
            Ack::Answer(message) | Ack::Unavailable(message) => {
                self.console.submissions.give_back(&key, *message);
            }
        }
        Redirect::to(&form.shown(&self.console.paths, &form.once)).into_response()
    }

    /// A form of another session or process starts nothing, and what was written in it is not lost.
    async fn outdated(&self, session: &BrowserSession, form: &FormOrigin, words: Option<String>) -> Response {
        let again = if words.is_some() { "send it again" } else { "press it again" };
        let why = safe_format!("this page was out of date, and nothing was done: {}", again);
        let submission = Submission {
            field: form.field(),
            words: words.filter(|words| may_be_kept(words)),
            notices: vec![compose::notice(Tone::Warning, why)],
            is_awaited: false,
        };
        let root = form.thread().or(form.beside()).map(str::to_owned);
        match self.sheet(session, root, &form.list(), submission).await {
            Ok(page) if page.status().is_success() => (StatusCode::FORBIDDEN, page).into_response(),
            Ok(page) => page,
            Err(HistoryError) => self.unreadable(),
        }
    }
}

async fn say(State(page): State<PageState>, Extension(session): Extension<BrowserSession>, Form(form): Form<Words>) -> Response {
    page.hand_in(&session, &form.origin, Payload::Words(form.words)).await
}

async fn act(State(page): State<PageState>, Extension(session): Extension<BrowserSession>, Form(form): Form<Click>) -> Response {
    page.hand_in(&session, &form.origin, Payload::Click(form.token)).await
}

async fn live(State(page): State<PageState>) -> Response {
    match page.console.live.listen() {
        Some(news) => news.into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "Too many browsers are connected.\n").into_response(),
    }
}

async fn attachment(State(page): State<PageState>, Path((root, message, at)): Path<(String, String, usize)>) -> Response {
    let Ok(messages) = page.history.messages(NAME, &root, REPLIES).await else { return page.unreadable() };
    let found = messages.iter().find(|posted| posted.id == message).and_then(|posted| posted.message.attachments.get(at));
    found.and_then(file).unwrap_or_else(|| page.no_file())
}

fn is_plain(words: &str) -> bool {
    SafeText::redact(words).single_line().as_str() == words
}

impl PageState {
    async fn investigation(&self, id: &str) -> Option<ShownInvestigation> {
        let id: InvestigationId = id.parse().ok()?;
        self.history.investigation(&Console::actor(), &Console::place(None), &id).await
    }
}

async fn investigation(
    State(page): State<PageState>,
    Extension(session): Extension<BrowserSession>,
    Path(id): Path<String>,
) -> Response {
    let Some(shown) = page.investigation(&id).await else { return page.unknown() };
    let sign_out = page.sign_out(&session);
    let console = Arc::clone(&page.console);
    let paint = move || {
        let note = console.settings.note.as_deref();
        Some(view::investigation(&console.paths, &shown, note, sign_out.as_ref()).into_response())
    };
    page.painted(paint).await
}

async fn evidence(State(page): State<PageState>, Path((id, step)): Path<(String, u8)>) -> Response {
    let Some(shown) = page.investigation(&id).await else { return page.unknown() };
    let Some(step) = StepName::from_number(step) else { return page.no_file() };
    page.painted(move || file(&compose::whole_evidence(&shown.investigation, step))).await
}

async fn export(State(page): State<PageState>, Path((id, name)): Path<(String, String)>) -> Response {
    let Some(shown) = page.investigation(&id).await else { return page.unknown() };
    page.painted(move || exported(&shown.investigation, &name)).await
}

fn exported(investigation: &Investigation, name: &str) -> Option<Response> {
    let mut files = match name {
        "report.json" | "report.md" => compose::export(&Report::new(investigation)).attachments,
        "timeline.png" => {
            let pictures = compose::chart(investigation).map(|message| message.attachments).unwrap_or_default();
            pictures.into_iter().filter(|file| file.name.ends_with("-timeline.png")).collect()
        }
        "network.png" => compose::network_chart(investigation).into_iter().collect(),
        "network.svg" => {
            let chart = chart::network(investigation, chart::Size::Wide)?;
            return Some(served("image/svg+xml", None, chart.svg().to_owned()));
        }
        "timeline.svg" => {
            let chart = chart::draw(investigation, chart::Size::Wide)?;
            return Some(served("image/svg+xml", None, chart.svg().to_owned()));
        }
        _ => Vec::new(),
    };
    files.retain(|file| name.rsplit_once('.').is_some_and(|(_, ending)| file.name.ends_with(&format!(".{ending}"))));
    files.first().and_then(file)
}

impl PageState {
    /// Work that keeps a processor busy goes where it keeps nobody waiting. Without a result there is no such file.
    async fn painted(&self, work: impl FnOnce() -> Option<Response> + Send + 'static) -> Response {
        match tokio::task::spawn_blocking(work).await {
            Ok(painted) => painted.unwrap_or_else(|| self.no_file()),
            Err(_) => self.refused(StatusCode::INTERNAL_SERVER_ERROR, "This could not be shown. The program's log says why."),
        }
    }

    fn no_file(&self) -> Response {
        self.refused(StatusCode::NOT_FOUND, "There is no such file, or it is no longer kept.")
    }

    fn unknown(&self) -> Response {
        self.refused(StatusCode::NOT_FOUND, "There is no such investigation, or it is no longer kept.")
    }
}

fn file(file: &Attachment) -> Option<Response> {
    match &file.content {
        Content::Png(picture) => STANDARD.decode(picture).ok().map(|picture| served("image/png", None, picture)),
        Content::Text(text) => {
            let kind = if file.name.ends_with(".json") { "application/json" } else { "text/plain; charset=utf-8" };
            Some(served(kind, Some(&file.name), text.as_str().to_owned()))
        }
    }
}

fn served(kind: &'static str, download: Option<&str>, content: impl IntoResponse) -> Response {
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if let Some(name) = download.filter(plain)
        && let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
    {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

async fn asset(State(page): State<PageState>, Path(name): Path<String>) -> Response {
    let mut response = match name.as_str() {
        "console.css" => served("text/css; charset=utf-8", None, STYLE),
        "console.js" => served("text/javascript; charset=utf-8", None, SCRIPT),
        "icon.svg" => served("image/svg+xml", None, ICON),
        "Inter-Regular.otf" => served("font/otf", None, chart::REGULAR),
        "Inter-SemiBold.otf" => served("font/otf", None, chart::SEMI_BOLD),
        _ => return page.no_file(),
    };
    // A day for the font; what changes with the program is asked for with every page.
    let cached = if name.ends_with(".otf") { "private, max-age=86400" } else { "no-cache" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    response
}
