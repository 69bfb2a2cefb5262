//! From requests to pages, files and news; and from forms to the [`crate::chat::Reception`].

use super::guard::{admit, guard};
use super::session::{Session, SignInError, is_id};
use super::view::{self, Channel, Open, Sheet};
use super::{Console, Example, Page};
use crate::chart;
use crate::chat::board::BoardError;
use crate::chat::compose;
use crate::chat::document::{Attachment, Content, Tone};
use crate::chat::{Inbound, Receipt, Said};
use crate::model::{Investigation, PlatformName, ReplyTo, StepName};
use crate::redact::SafeText;
use crate::report::Report;
use crate::report::inert::one_line;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;

/// The largest form, in bytes: words of 1,000 characters in four bytes each, percent-encoded, and the rest.
const LARGEST_FORM: usize = 16 << 10;
/// How long an answer may take, until it begins.
const DEADLINE: Duration = Duration::from_secs(20);
/// How many threads the channel shows.
const THREADS: usize = 50;
/// How many replies of a thread are shown.
const REPLIES: usize = 200;
/// How many investigations are searched for the thread of one.
const RECENT: usize = 200;

/// The query of a page that is shown while what was asked is only just stored.
const ASKED: &str = "asked";

const STYLE: &str = include_str!("assets/console.css");
const SCRIPT: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/icon.svg");

pub(super) fn router(page: Page) -> Router {
    Router::new()
        .route("/", get(channel))
        .route("/threads/{root}", get(thread))
        .route("/threads/{root}/files/{message}/{at}", get(attachment))
        .route("/investigations/{id}", get(investigation))
        .route("/investigations/{id}/evidence/{step}", get(evidence))
        .route("/investigations/{id}/files/{name}", get(export))
        .route("/say", post(say))
        .route("/act", post(act))
        .route("/live", get(live))
        .route("/sign-in", get(sign_in_form).post(sign_in))
        .route("/assets/{name}", get(asset))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(middleware::from_fn_with_state(page.clone(), guard))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE))
        .with_state(page)
}

async fn channel(State(page): State<Page>, Extension(session): Extension<Session>, RawQuery(query): RawQuery) -> Response {
    page.shown(&session, None, query.as_deref() == Some(ASKED)).await
}

async fn thread(
    State(page): State<Page>,
    Extension(session): Extension<Session>,
    Path(root): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    page.shown(&session, Some(root), query.as_deref() == Some(ASKED)).await
}

impl Page {
    async fn shown(&self, session: &Session, root: Option<String>, asked: bool) -> Response {
        self.sheet(session, root, asked).await.unwrap_or_else(|BoardError| {
            view::refused(StatusCode::SERVICE_UNAVAILABLE, "The messages cannot be read just now. Try again in a minute.")
        })
    }

    async fn sheet(&self, session: &Session, root: Option<String>, asked: bool) -> Result<Response, BoardError> {
        let threads = self.board.threads(PlatformName::Console, THREADS).await?;
        let open = match root {
            Some(root) => {
                let messages = self.board.messages(PlatformName::Console, &root, REPLIES).await?;
                if messages.is_empty() {
                    return Ok(view::refused(StatusCode::NOT_FOUND, "There is no such thread, or it is no longer kept."));
                }
                Some(Open { root, messages })
            }
            None => None,
        };
        let mut examples = self.console.settings.examples.clone();
        if examples.is_empty() {
            let names = self.reception.suggest(&Console::actor(), &Console::place(None), "").await;
            examples.extend(names.into_iter().map(|words| Example { words, title: String::new() }));
        }
        // A name that is not shown as it is would be asked about as another one.
        examples.retain(|Example { words, .. }| one_line(&SafeText::redact(words)) == *words);
        let sheet = Sheet {
            form: self.console.keys.form(session),
            once: (self.console.settings.new_id)(),
            note: self.console.settings.note.as_deref(),
            asked,
            whispers: self.console.whispers.of(&session.id),
            channel: Channel { threads, examples },
            open,
        };
        Ok(view::sheet(&sheet).into_response())
    }

    /// Hands in what was said, tells the person alone what comes back, and shows where it was said.
    async fn hand_in(&self, session: &Session, form: &Origin, said: Said) -> Response {
        if !self.console.keys.is_form(session, &form.form) || !is_id(&form.once) {
            return view::refused(
                StatusCode::FORBIDDEN,
                "This page is older than the program behind it. Load it again, then repeat.",
            );
        }
        let thread = Some(form.thread.as_str()).filter(|root| !root.is_empty());
        self.console.whispers.clear(&session.id);
        let inbound = Inbound {
            key: format!("page.{}.{}", session.id, form.once),
            actor: Console::actor(),
            place: Console::place(thread),
            reply_to: Some(ReplyTo(session.id.clone())),
            said,
        };
        let path = thread.map_or_else(|| "/".to_owned(), view::thread_path);
        match self.reception.receive(inbound).await {
            Receipt::Accepted | Receipt::Duplicate => Redirect::to(&format!("{path}?{ASKED}")).into_response(),
            Receipt::Answer(message) | Receipt::Unavailable(message) => {
                self.console.whispers.add(&session.id, *message);
                Redirect::to(&path).into_response()
            }
        }
    }
}

/// What every form brings back.
#[derive(Deserialize)]
struct Origin {
    /// That it is a form of this session.
    form: String,
    /// Its number: sent twice, it counts once.
    once: String,
    /// The thread it was in; empty in the channel.
    #[serde(default)]
    thread: String,
}

#[derive(Deserialize)]
struct Words {
    words: String,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Deserialize)]
struct Click {
    token: String,
    #[serde(flatten)]
    origin: Origin,
}

async fn say(State(page): State<Page>, Extension(session): Extension<Session>, Form(form): Form<Words>) -> Response {
    page.hand_in(&session, &form.origin, Said::Words(form.words)).await
}

async fn act(State(page): State<Page>, Extension(session): Extension<Session>, Form(form): Form<Click>) -> Response {
    page.hand_in(&session, &form.origin, Said::Click(form.token)).await
}

async fn live(State(page): State<Page>, Extension(session): Extension<Session>) -> Response {
    match page.console.live.listen(&session.id) {
        Some(news) => news.into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "Too many windows listen.\n").into_response(),
    }
}

async fn attachment(State(page): State<Page>, Path((root, message, at)): Path<(String, String, usize)>) -> Response {
    let Ok(messages) = page.board.messages(PlatformName::Console, &root, REPLIES).await else {
        return view::refused(StatusCode::SERVICE_UNAVAILABLE, "The file cannot be read just now. Try again in a minute.");
    };
    let found = messages.iter().find(|posted| posted.id == message).and_then(|posted| posted.message.attachments.get(at));
    found.map_or_else(no_file, file)
}

async fn investigation(State(page): State<Page>, Path(id): Path<String>) -> Response {
    let Some((investigation, _)) = page.reception.investigation(&Console::actor(), &id).await else { return unknown() };
    let recent = page.reception.recent(&Console::actor(), RECENT).await;
    let thread = recent.into_iter().find(|summary| summary.id == id).and_then(|summary| summary.place.thread);
    let note = page.console.settings.note.clone();
    painted(move || view::investigation(&investigation, thread.as_deref(), note.as_deref()).into_response()).await
}

async fn evidence(State(page): State<Page>, Path((id, step)): Path<(String, u8)>) -> Response {
    let Some((investigation, _)) = page.reception.investigation(&Console::actor(), &id).await else { return unknown() };
    let Some(step) = StepName::from_number(step) else { return no_file() };
    painted(move || file(&compose::whole_evidence(&investigation, step))).await
}

async fn export(State(page): State<Page>, Path((id, name)): Path<(String, String)>) -> Response {
    let Some((investigation, _)) = page.reception.investigation(&Console::actor(), &id).await else { return unknown() };
    painted(move || exported(&investigation, &name)).await
}

fn exported(investigation: &Investigation, name: &str) -> Response {
    let mut files = match name {
        "report.json" | "report.md" => compose::export(&Report::new(investigation)).attachments,
        "timeline.png" => compose::chart(investigation).map(|message| message.attachments).unwrap_or_default(),
        "timeline.svg" => {
            let Some(chart) = chart::draw(investigation, chart::Size::Wide) else { return no_file() };
            return served("image/svg+xml", None, chart.svg().to_owned());
        }
        _ => Vec::new(),
    };
    files.retain(|file| name.rsplit_once('.').is_some_and(|(_, ending)| file.name.ends_with(&format!(".{ending}"))));
    files.first().map_or_else(no_file, file)
}

/// Work that keeps a processor busy goes where it keeps nobody waiting.
async fn painted(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        view::refused(StatusCode::INTERNAL_SERVER_ERROR, "This could not be shown. The program's log says why.")
    })
}

fn file(file: &Attachment) -> Response {
    match &file.content {
        Content::Png(picture) => match STANDARD.decode(picture) {
            Ok(picture) => served("image/png", None, picture),
            Err(_) => no_file(),
        },
        Content::Text(text) => {
            let kind = if file.name.ends_with(".json") { "application/json" } else { "text/plain; charset=utf-8" };
            served(kind, Some(&file.name), text.as_str().to_owned())
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

fn no_file() -> Response {
    view::refused(StatusCode::NOT_FOUND, "There is no such file, or it is no longer kept.")
}

fn unknown() -> Response {
    view::refused(StatusCode::NOT_FOUND, "There is no such investigation, or it is no longer kept.")
}

async fn sign_in_form(Extension(session): Extension<Session>, State(page): State<Page>) -> Response {
    view::sign_in(&page.console.keys.form(&session), None).into_response()
}

#[derive(Deserialize)]
struct SignIn {
    form: String,
    token: String,
}

async fn sign_in(
    State(page): State<Page>,
    Extension(session): Extension<Session>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(given): Form<SignIn>,
) -> Response {
    // Where the server does not tell addresses, all clients are one.
    let from = client.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |Extension(ConnectInfo(address))| address.ip());
    let keys = &page.console.keys;
    if !keys.is_form(&session, &given.form) {
        return view::refused(
            StatusCode::FORBIDDEN,
            "This page is older than the program behind it. Load it again, then repeat.",
        );
    }
    let (status, why) = match keys.sign_in(&given.token, from) {
        Ok(()) => {
            let mut response = Redirect::to("/").into_response();
            admit(response.headers_mut(), &page, &session);
            return response;
        }
        Err(SignInError::Wrong) => (StatusCode::FORBIDDEN, "this is not the token"),
        Err(SignInError::TooMany) => (StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens came: try again in a minute"),
    };
    (status, view::sign_in(&keys.form(&session), Some(&compose::notice(Tone::Warning, why)))).into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    let mut response = match name.as_str() {
        "console.css" => served("text/css; charset=utf-8", None, STYLE),
        "console.js" => served("text/javascript; charset=utf-8", None, SCRIPT),
        "icon.svg" => served("image/svg+xml", None, ICON),
        "Inter-Regular.otf" => served("font/otf", None, chart::REGULAR),
        "Inter-SemiBold.otf" => served("font/otf", None, chart::SEMI_BOLD),
        _ => return no_file(),
    };
    // A day for the font; what changes with the program is asked for with every page.
    let cached = if name.ends_with(".otf") { "private, max-age=86400" } else { "no-cache" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    response
}
