//! A Slack workspace on loopback: Web API, Socket Mode, files and interactions, as a world that remembers.
//!
//! It refuses what Slack refuses. Whatever violates Slack's limits, comes without its token or is acknowledged late is a
//! problem, and [`FakeSlack::finish`] fails the test for it, as it does for anything the test has not looked at.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of the fake")]

mod blocks;
mod inbound;
mod sockets;
mod web_api;
mod world;

pub(crate) use blocks::check as check_blocks;
pub(crate) use inbound::{Envelope, signature};
pub(crate) use world::{
    APP_TOKEN, BOT_TOKEN, BOT_USER, Channel, Fault, OTHER_TEAM, Posted, SECRET, STRANGER, TEAM, World, scopes_of_the_manifest,
};

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a test waits for what must happen; reached only when it does not.
const PATIENCE: Duration = Duration::from_secs(60);

/// Slack waits three seconds for an acknowledgement, and sends the message again.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(3);

/// The workspace.
#[derive(Clone)]
pub(crate) struct FakeSlack {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) web: SocketAddr,
    pub(crate) sockets: SocketAddr,
}

impl FakeSlack {
    /// A workspace with the channels `C1` and `C2`, of which the bot is a member, and `C3`, of which it is not.
    pub(crate) async fn start() -> FakeSlack {
        let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = FakeSlack {
            world: Arc::new(Mutex::new(World::new())),
            changed: Arc::new(Notify::new()),
            web: web.local_addr().unwrap(),
            sockets: sockets.local_addr().unwrap(),
        };
        web_api::serve(fake.clone(), web);
        sockets::serve(fake.clone(), sockets);
        fake
    }

    /// What `slack.api_url` has to be.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}/api", self.web)
    }

    /// The world, to look at or to change.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The next call of `method` fails like this.
    pub(crate) fn fault(&self, method: &str, fault: Fault) {
        self.world().faults.push((method.to_owned(), fault));
    }

    /// Every call of `method` fails like this from now on.
    pub(crate) fn always(&self, method: &str, fault: Fault) {
        self.world().always.push((method.to_owned(), fault));
    }

    /// Waits until `found` finds something.
    pub(crate) async fn until<T>(&self, what: &str, mut found: impl FnMut(&mut World) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if let Some(found) = found(&mut self.world()) {
                    return found;
                }
                changed.await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not happen; the world is {:#?}", self.world()),
        }
    }

    /// Waits for the next message that the test has not read yet.
    pub(crate) async fn next_post(&self) -> Posted {
        self.until("a message", World::read_post).await
    }

    /// Waits for the next answer to one person that the test has not read yet.
    pub(crate) async fn next_whisper(&self) -> serde_json::Value {
        self.until("an answer to one person", World::read_whisper).await
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, method: &str) -> usize {
        self.world().calls.iter().filter(|call| call.method == method).count()
    }

    /// Fails for problems and for what the test has not looked at.
    pub(crate) fn finish(&self) {
        let mut world = self.world();
        let late = world.envelopes.values().filter_map(|envelope| match envelope.acknowledged_after {
            Some(after) if after <= ACKNOWLEDGED_WITHIN => None,
            Some(after) => Some(format!("an acknowledgement took {after:?}")),
            None if envelope.may_stay_open => None,
            None => Some(format!("{} was never acknowledged", envelope.kind)),
        });
        let late: Vec<String> = late.collect();
        world.problems.extend(late);
        assert!(world.problems.is_empty(), "{:#?}", world.problems);
        let unread = world.unread();
        assert!(unread.is_empty(), "the test has not looked at: {unread:#?}");
        assert!(world.faults.is_empty(), "these faults never happened: {:?}", world.faults);
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.world());
        self.changed.notify_waiters();
        result
    }
}

/// By the clock of the program, which a test may hold.
pub(crate) fn now() -> Instant {
    rotation_diag::clock::this_instant()
}
