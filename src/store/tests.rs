//! The store alone: what is accepted, claimed, finished and shown, and what survives.

/// The test of this name, on each engine.
macro_rules! on_each_engine {
    ($name:ident) => {
        mod $name {
            use super::Folder;

            #[tokio::test]
            async fn on_sqlite() {
                super::$name(Folder::new()).await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                if let Some(folder) = Folder::on_server() {
                    super::$name(folder).await;
                }
            }
        }
    };
}

mod claims;
mod encrypted;
mod moving;
mod opening;
mod outgoing;
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod replicas;
mod retention;
mod turns;

use super::*;
use crate::chat::Message;
use crate::chat::document::Tone;
use crate::config::{StoreFile, StoreServer};
use crate::model::{
    Action, ActionRequest, ActionToken, Actor, AlarmState, Command, InvestigationId, InvestigationRequest, Place, PlatformName,
    ReplyTo, Standing, ThreadId, Trigger,
};
use crate::redact::SafeText;
use sqlx::SqlitePool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

const LEASE: Duration = Duration::from_secs(60);

/// The thread of this name.
fn t(id: &str) -> ThreadId {
    id.parse().unwrap()
}

/// An investigation's id that is told by its name.
fn id(name: &str) -> InvestigationId {
    InvestigationId::of(name.bytes().fold(0, |id, byte| (id << 8) | u128::from(byte)))
}

fn place(channel: &str) -> Place {
    Place { platform: PlatformName::new("slack"), workspace: "T1".to_owned(), channel: channel.to_owned(), thread: None }
}

fn question() -> InvestigationRequest {
    InvestigationRequest { secret: "prod/orders-db".parse().unwrap(), account: None, region: None, lookback: None }
}

fn entry(key: &str, lane: &str, subject: &str) -> NewTrigger {
    let actor = Actor {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        user: "U1".to_owned(),
        groups: None,
        standing: Standing::Member,
    };
    let reply_to = Some(ReplyTo("https://answers.example/capability".to_owned()));
    let command = Command { actor, place: place(lane), reply_to, question: question(), in_thread: false };
    NewTrigger {
        key: key.to_owned(),
        origin: key.to_owned(),
        lane: lane.to_owned(),
        subject: subject.to_owned(),
        same: None,
        trigger: Trigger::Command(command),
        what: SafeText::redact("a question"),
    }
}

/// The triggers that wait or are worked on.
async fn open_triggers(store: &Store) -> i64 {
    let open = sqlx::query_scalar("SELECT count(*) FROM inbox WHERE state IN ('waiting', 'running')");
    open.fetch_one(&store.readers).await.unwrap()
}

/// Why triggers were given up, the newest first.
async fn given_up_triggers(store: &Store) -> Vec<String> {
    let dead = sqlx::query_scalar("SELECT why FROM inbox WHERE state = 'dead' ORDER BY id DESC");
    dead.fetch_all(&store.readers).await.unwrap()
}

/// The messages that were given up, the newest first: key, reason, why.
async fn given_up_messages(store: &Store) -> Vec<(String, String, String)> {
    let given_up = sqlx::query_as("SELECT slot, reason, why FROM messages WHERE state = 'given_up' ORDER BY id DESC");
    given_up.fetch_all(&store.readers).await.unwrap()
}

/// Where a store is kept: in a folder, or in a database on a server.
struct Folder {
    folder: tempfile::TempDir,
    server: Option<StoreServer>,
}

impl Folder {
    fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap(), server: None }
    }

    /// A new database, where there is a PostgreSQL.
    fn on_server() -> Option<Folder> {
        let server = StoreServer::new(&postgres::database()?, None, None).unwrap();
        Some(Folder { server: Some(server), ..Folder::new() })
    }

    /// Another one on the same engine.
    fn another(&self) -> Folder {
        if self.server.is_some() { Folder::on_server().unwrap() } else { Folder::new() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn configured(&self) -> StoreFile {
        StoreFile { path: self.path(), server: self.server.clone(), ..StoreFile::default() }
    }

    async fn open(&self) -> Store {
        // Another test may be starting a server: until that child has become one, it holds every lock of this process too.
        for _ in 0..10_000 {
            match Store::open_configured(&self.configured(), Clock::system()).await {
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
        panic!("the store stays in use")
    }

    async fn refused(&self) -> String {
        Store::open(&self.path(), Clock::system()).await.unwrap_err().to_string()
    }
}

fn files(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder.folder.path()).unwrap().map(Result::unwrap);
    let read =
        |entry: std::fs::DirEntry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap_or_default());
    let mut files: Vec<_> = entries.map(read).filter(|(name, _)| !name.ends_with(".lock")).collect();
    files.sort();
    files
}

fn line(text: &str) -> Message {
    Message::line(Tone::Neutral, SafeText::redact(text))
}
