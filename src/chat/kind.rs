//! A kind of chat platform, as the composition root lists it: how its table is read, how it is built, what `check` finds.

use super::intake::Intake;
use super::limits::Limits;
use super::message_history::MessageHistory;
use super::platform::ChatPlatform;
use super::setup::Checked;
use crate::config::{Config, PlatformTable};
use crate::metrics::Metrics;
use crate::model::PlatformName;
use async_trait::async_trait;
use axum::Router;
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// All that the program knows of a platform before it is built.
#[async_trait]
pub trait PlatformKind: PlatformTable {
    /// What it says of itself.
    fn limits(&self) -> Limits;

    /// Builds it where the configuration has its table. One whose tokens are missing is left out, with a word to the operator.
    ///
    /// # Errors
    /// Why it cannot be used, in a sentence that says what to do.
    fn build(&self, around: &Surroundings<'_>) -> Result<Option<Built>, String>;

    /// What is missing before it can work; nothing is sent to anybody.
    async fn check(&self, config: &Config) -> Vec<Checked>;
}

/// What a platform is built between.
pub struct Surroundings<'a> {
    pub config: &'a Config,
    /// Takes what people say.
    pub intake: Arc<dyn Intake>,
    /// Shows what is to be shown.
    pub history: Arc<dyn MessageHistory>,
    /// Cancelled when nothing more is taken in.
    pub stop: CancellationToken,
    /// Changes when tokens are to be read anew; they also are from time to time, so that nobody has to say so.
    pub reload: watch::Receiver<()>,
    /// Where it is counted what it does.
    pub metrics: Metrics,
    /// Makes an id nobody can guess: 32 hexadecimal digits.
    pub new_id: fn() -> String,
    /// Whether this process does what only one of several may do on a platform: hear a gateway that tells each listener
    /// everything.
    pub leads: &'a dyn Fn(PlatformName) -> Leadership,
    /// The page of a cause by its id, in Markdown; `None` where there is no such cause.
    pub cause_page: fn(&str) -> Option<&'static str>,
}

/// Tells whether this process leads, by the term in which it does, and when that changes; `None` while another one does.
pub type Leadership = watch::Receiver<Option<i64>>;

/// Tells whether a transport is alive.
pub type Alive = Box<dyn Fn() -> bool + Send + Sync>;

/// What runs beside everything else, and the name under which its end is told.
pub type Background = (&'static str, BoxFuture<'static, Result<(), String>>);

/// A platform with what belongs to it.
pub struct Built {
    pub platform: Arc<dyn ChatPlatform>,
    /// What is answered over HTTP.
    pub router: Option<Router>,
    /// What runs until the intake closes; ending earlier ends the process.
    pub background: Background,
    /// Whether its transport is alive, by its own heartbeats; `None` where it has none.
    pub alive: Option<(&'static str, Alive)>,
    /// The address below which it shows the page of a cause, where it does.
    pub cause_pages: Option<String>,
}
