//! The local page: a chat platform for people without tokens, and for the demo.
//!
//! The page keeps no messages: it shows what the [`MessageHistory`] says, and learns of news by being asked to post them. What one
//! person alone is told lives in memory, by the form that was sent, as on other platforms it lives in one person's window.

mod attempts;
mod check;
mod config;
mod cookies;
mod forms;
mod guard;
mod keys;
mod kind;
mod list_address;
mod live;
mod name;
mod platform;
mod routes;
mod screen;
mod session;
mod sign_in;
mod submissions;
mod target;
mod view;

pub use config::{ConsoleConfig, ConsoleUrl};
pub use kind::Kind;
pub(crate) use kind::{built, hosts};
pub use name::NAME;

use crate::chat::Intake;
use crate::chat::MessageHistory;
use crate::config::{Token, TrustedNetwork};
use crate::model::{Actor, Place, Standing};
use axum::Router;
use keys::Keys;
use live::LiveViews;
use std::sync::{Arc, PoisonError, RwLock};
use submissions::Submissions;
use view::Paths;

/// The workspace of the page.
pub const WORKSPACE: &str = "local";
/// The only channel of the page.
pub const CHANNEL: &str = "page";
/// The only person on the page.
pub const USER: &str = "local";

/// How the page is offered.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The values of the `Host` header that are answered, such as `127.0.0.1:8080`; one without a port, on any. Any other one is
    /// refused, so that no foreign name that was made to point here reaches the page.
    pub hosts: Vec<String>,
    /// What has to be given before anything is shown; `None` lets everybody in who reaches the page.
    pub token: Option<Token>,
    /// True when browsers reach the page over TLS.
    pub secure: bool,
    /// The path below which browsers find the page, such as `/rotation-diag`; empty where it has its host to itself. Requests
    /// are answered with it and without it: some proxies take it off.
    pub path: String,
    /// The proxies whose word about a browser's address counts.
    pub trusted_proxies: Vec<TrustedNetwork>,
    /// One line for the top of the page.
    pub note: Option<String>,
    /// Questions that are proposed, the best ones first; empty proposes the secrets that may be asked about.
    pub examples: Vec<Example>,
    /// The page of a cause by its id, in Markdown; `None` where there is no such cause.
    pub cause_page: fn(&str) -> Option<&'static str>,
    /// Makes an id nobody can guess: 32 hexadecimal digits.
    pub new_id: fn() -> String,
}

/// A question that can be asked with one click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What is said after the command.
    pub words: String,
    /// What it is about; may be empty.
    pub title: String,
}

/// The page as a chat platform.
#[derive(Debug)]
pub struct Console {
    settings: Settings,
    hosts: RwLock<Vec<String>>,
    paths: Paths,
    keys: Keys,
    submissions: Submissions,
    live: LiveViews,
}

impl Console {
    /// A page that nobody looks at yet.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Console> {
        let keys = Keys::new(settings.token.as_ref(), &(settings.new_id)());
        let hosts = RwLock::new(settings.hosts.clone());
        let paths = Paths::new(&settings.path);
        Arc::new(Console { settings, hosts, paths, keys, submissions: Submissions::default(), live: LiveViews::default() })
    }

    /// Answers to these values of the `Host` header from now on, as [`Settings::hosts`]: for a port that was not known before.
    pub fn answer_to(&self, hosts: Vec<String>) {
        *self.hosts.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    fn is_own_host(&self, host: &str) -> bool {
        // One that is named without a port is the same on each: a proxy may name that of https, or the system chose it.
        let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
        let is = |own: &String| own.eq_ignore_ascii_case(host) || own.eq_ignore_ascii_case(name);
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).iter().any(is)
    }

    /// The page's scheme and host, as they are told to people.
    fn origin(&self) -> Option<String> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let scheme = if self.settings.secure { "https" } else { "http" };
        hosts.first().map(|host| format!("{scheme}://{host}"))
    }

    /// Takes the token as it is now; whoever gave the one before is signed out. True where it is another one.
    pub fn take_token(&self, token: &Token) -> bool {
        let is_another = self.keys.replace(token);
        if is_another {
            self.live.interrupt();
        }
        is_another
    }

    /// Ends the streams to browsers, which would otherwise keep a server from shutting down.
    pub fn close(&self) {
        self.live.close();
    }

    /// Where the page says what it says: its channel, or a thread in it.
    fn place(thread: Option<&str>) -> Place {
        Place { platform: NAME, workspace: WORKSPACE.to_owned(), channel: CHANNEL.to_owned(), thread: thread.map(str::to_owned) }
    }

    /// Whoever reaches the page is this person.
    fn actor() -> Actor {
        Actor {
            platform: NAME,
            workspace: WORKSPACE.to_owned(),
            user: USER.to_owned(),
            groups: Some(Vec::new()),
            standing: Standing::Member,
        }
    }
}

/// What answers a request.
#[derive(Clone)]
struct PageState {
    console: Arc<Console>,
    intake: Arc<dyn Intake>,
    history: Arc<dyn MessageHistory>,
}

/// The page's routes: `/`, `/threads`, `/investigations`, `/causes`, `/say`, `/act`, `/live`, `/suggest`, `/sign-in`, `/sign-out`
/// and `/assets`; a page that says so for everything else.
pub fn router(console: Arc<Console>, intake: Arc<dyn Intake>, history: Arc<dyn MessageHistory>) -> Router {
    routes::router(PageState { console, intake, history })
}
