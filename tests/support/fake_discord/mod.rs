//! Discord as far as the bot sees it: REST and gateway on loopback, with channels, threads, messages and interactions that
//! are remembered. It refuses what Discord refuses, checks every request, and at the end of a test nothing may be left
//! that the test did not look at.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of the fake")]

pub(crate) mod check;
mod gateway;
mod inspection;
mod multipart;
mod people;
mod reading;
mod rest;
mod world;

pub(crate) use gateway::Control;
pub(crate) use people::Signer;
pub(crate) use reading::{buttons, components, is_laid_out, text, texts};
pub(crate) use world::World;
pub(crate) use world::{APPLICATION, BOT, CHANNEL, Channel, Fault, GUILD, Lacking, OWN_ROLE, TOKEN, USER};

use rotation_diag::config::TokenSource;
use rotation_diag::platforms::discord::{DiscordConfig, DiscordMode};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How long a test waits for something that has to happen.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Something the bot did that somebody can see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// It posted a message: where, and the body.
    Posted {
        channel: u64,
        id: u64,
        body: Value,
        files: Vec<(String, Vec<u8>)>,
    },
    /// It edited a message.
    Edited {
        channel: u64,
        id: u64,
        body: Value,
        files: Vec<(String, Vec<u8>)>,
    },
    /// It opened the thread of a message.
    ThreadOpened {
        channel: u64,
        id: u64,
        name: String,
    },
    /// It began a post of a forum.
    PostOpened {
        forum: u64,
        id: u64,
        body: Value,
        files: Vec<(String, Vec<u8>)>,
    },
    /// It took a message of its own away.
    Deleted {
        channel: u64,
        id: u64,
    },
    /// It opened an archived thread again.
    Unarchived {
        thread: u64,
    },
    Renamed {
        thread: u64,
        name: String,
    },
    /// It answered an interaction for the first time.
    Answered {
        interaction: u64,
        body: Value,
    },
    /// It answered an interaction further.
    FollowedUp {
        body: Value,
        files: Vec<(String, Vec<u8>)>,
    },
    /// It edited its first answer to an interaction.
    AnswerEdited {
        body: Value,
    },
    /// It registered commands.
    Registered {
        guild: Option<u64>,
        body: Value,
    },
    /// It began a session at the gateway, or resumed one after an event.
    Identified,
    Resumed {
        seen: u64,
    },
    /// It closed the connection, with a code if it gave one.
    Left(Option<u16>),
}

/// A running fake.
pub(crate) struct FakeDiscord {
    pub(crate) world: Arc<Mutex<World>>,
    changed: Arc<Notify>,
    api: String,
    stop: tokio_util::sync::DropGuard,
}

impl FakeDiscord {
    pub(crate) async fn start() -> FakeDiscord {
        let rest = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let gateway = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let api = format!("http://{}/api/v10", rest.local_addr().unwrap());
        let changed = Arc::new(Notify::new());
        let world = Arc::new(Mutex::new(World::new(format!("ws://{}", gateway.local_addr().unwrap()), Arc::clone(&changed))));
        let stop = tokio_util::sync::CancellationToken::new();
        let stopped = stop.clone();
        let routes = rest::routes(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(rest, routes).with_graceful_shutdown(stopped.cancelled_owned()).await });
        tokio::spawn(gateway::serve(gateway, Arc::clone(&world), stop.clone()));
        FakeDiscord { world, changed, api, stop: stop.drop_guard() }
    }

    /// A configuration that leads here.
    pub(crate) fn config(&self, mode: DiscordMode) -> DiscordConfig {
        DiscordConfig {
            mode,
            bot_token: TokenSource::Env("UNUSED".to_owned()),
            application_id: APPLICATION,
            public_key: Some(Signer::new().public_key()),
            next_public_key: None,
            guilds: vec![GUILD],
            api_url: self.api.clone(),
        }
    }

    /// The base address of the REST interface.
    pub(crate) fn api(&self) -> &str {
        &self.api
    }

    /// Changes or reads the world.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock().unwrap())
    }

    /// The next thing the bot did.
    pub(crate) async fn next(&self) -> Event {
        self.wait_for(|world| world.take_event()).await
    }

    /// Waits until `look` finds something.
    pub(crate) async fn wait_for<T>(&self, mut look: impl FnMut(&mut World) -> Option<T>) -> T {
        let found = tokio::time::timeout(SOON, async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = self.with(&mut look) {
                    return found;
                }
                changed.await;
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("nothing happened; requests so far: {:#?}", self.with(|world| world.requests.clone())))
    }

    /// Ends a test: nothing is left, and nothing was invalid.
    pub(crate) fn finish(self) {
        self.with(|world| {
            assert_eq!(world.violations, Vec::<String>::new(), "requests that Discord's description does not allow");
            assert_eq!(world.events, Vec::<Event>::new(), "nobody looked at this");
            assert!(world.faults.is_empty(), "faults that never happened: {:?}", world.faults);
        });
        drop(self.stop);
    }
}
