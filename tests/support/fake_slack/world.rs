//! What the workspace remembers.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

/// The bot token, the app-level token and the signing secret.
pub(crate) const BOT_TOKEN: &str = "xoxb-1111-2222-canarybottoken";
pub(crate) const APP_TOKEN: &str = "xapp-1-A111-canaryapptoken";
pub(crate) const SECRET: &str = "canarysigningsecret0123456789abcd";

/// The bot's user.
pub(crate) const BOT_USER: &str = "UBOT";
pub(crate) const TEAM: &str = "T1";

/// Another organization's workspace, and somebody of it.
pub(crate) const OTHER_TEAM: &str = "T2";
pub(crate) const STRANGER: &str = "U9";

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// `ok: false` with this code.
    Code(&'static str),
    /// This HTTP status, with these headers.
    Status(u16, Vec<(&'static str, &'static str)>),
    /// 200 with this body.
    Body(&'static str, &'static str),
    /// Done, but the answer is cut off on the way.
    LostAfterwards,
    /// Neither done nor answered.
    Hang,
    /// Done, and never answered.
    HangAfterwards,
    /// Not answered, and done when the test says so: a platform in trouble carries things out late.
    Late(Arc<Notify>),
}

/// A call that came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) arguments: Value,
    pub(crate) at: Instant,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) thread: Option<String>,
    pub(crate) text: String,
    pub(crate) blocks: Value,
    pub(crate) metadata: Value,
    pub(crate) request: Value,
    pub(crate) edits: usize,
    /// The names of the files it shares.
    pub(crate) files: Vec<String>,
}

/// A channel.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(crate) bot_is_member: bool,
    pub(crate) is_archived: bool,
    /// Another organization shares it.
    pub(crate) is_shared: bool,
    pub(crate) messages: Vec<Posted>,
}

/// A file that was shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) channel: String,
    pub(crate) thread: Option<String>,
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) length: usize,
    pub(crate) content: Option<Vec<u8>>,
}

/// An envelope that was sent over a socket.
#[derive(Debug)]
pub(crate) struct SentEnvelope {
    pub(crate) kind: String,
    pub(crate) body: Value,
    pub(crate) at: Instant,
    pub(crate) acknowledged_after: Option<Duration>,
    pub(crate) answer: Option<Value>,
    pub(crate) may_stay_open: bool,
    pub(crate) acknowledgements: usize,
}

/// A socket that is open.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) id: usize,
    pub(crate) send: UnboundedSender<Message>,
    pub(crate) is_frozen: bool,
    pub(crate) pings: usize,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// The tokens that are accepted: the bot's and the app's.
    pub(crate) bot_token: String,
    pub(crate) app_token: String,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) users: HashMap<String, Value>,
    pub(crate) usergroups: Vec<Value>,
    pub(crate) scopes: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) faults: Vec<(String, Fault)>,
    /// Methods that go wrong every time.
    pub(crate) always: Vec<(String, Fault)>,
    /// The organization the workspace is of, and whether the app is installed for all of it.
    pub(crate) organization: Option<(String, bool)>,
    pub(crate) problems: Vec<String>,
    pub(crate) ephemerals: Vec<Value>,
    /// What is shown below links.
    pub(crate) unfurled: Vec<Value>,
    pub(crate) views_opened: Vec<Value>,
    pub(crate) homes: Vec<(String, Value)>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) files: Vec<Shared>,
    pub(crate) envelopes: BTreeMap<String, SentEnvelope>,
    pub(crate) sockets: Vec<Socket>,
    pub(crate) sockets_opened: usize,
    pub(crate) tickets: Vec<String>,
    pub(crate) triggers: Vec<String>,
    pub(crate) response_urls: Vec<String>,
    read_posts: usize,
    read_whispers: usize,
    read_views: usize,
    read_homes: usize,
    read_files: usize,
    posted: Vec<(String, String)>,
    counter: usize,
}

impl World {
    pub(crate) fn new() -> World {
        let mut world = World {
            scopes: scopes_of_the_manifest(),
            bot_token: BOT_TOKEN.to_owned(),
            app_token: APP_TOKEN.to_owned(),
            ..World::default()
        };
        for (id, bot_is_member) in [("C1", true), ("C2", true), ("C3", false)] {
            world.channels.insert(id.to_owned(), Channel { bot_is_member, ..Channel::default() });
        }
        for id in ["U1", "U2"] {
            world.users.insert(id.to_owned(), json!({ "id": id, "team_id": TEAM, "profile": { "email": "", "team": TEAM } }));
        }
        // Somebody of another organization who shares a channel with the app. Source: Slack, "User object": `is_stranger` is
        // false for "a different workspace, but … in a shared channel that your app has access to".
        let stranger = json!({ "id": STRANGER, "team_id": OTHER_TEAM, "is_stranger": false, "profile": { "team": OTHER_TEAM } });
        world.users.insert(STRANGER.to_owned(), stranger);
        world
    }

    pub(crate) fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    /// A timestamp as Slack makes them: the same for no two messages.
    pub(crate) fn next_ts(&mut self) -> String {
        format!("1764000000.{:06}", self.next())
    }

    pub(crate) fn add_post(&mut self, post: Posted) {
        self.posted.push((post.channel.clone(), post.ts.clone()));
        self.channels.entry(post.channel.clone()).or_default().messages.push(post);
    }

    /// A message as it is now.
    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Posted> {
        self.channels.get(channel)?.messages.iter().find(|post| post.ts == ts)
    }

    /// The next message that was not read; as it is now, edits included.
    pub(crate) fn read_post(&mut self) -> Option<Posted> {
        let (channel, ts) = self.posted.get(self.read_posts)?.clone();
        self.read_posts += 1;
        self.message(&channel, &ts).cloned()
    }

    pub(crate) fn read_whisper(&mut self) -> Option<Value> {
        let send_ephemeral = self.ephemerals.get(self.read_whispers)?.clone();
        self.read_whispers += 1;
        Some(send_ephemeral)
    }

    pub(crate) fn read_view(&mut self) -> Option<Value> {
        let view = self.views_opened.get(self.read_views)?.clone();
        self.read_views += 1;
        Some(view)
    }

    pub(crate) fn read_home(&mut self) -> Option<(String, Value)> {
        let home = self.homes.get(self.read_homes)?.clone();
        self.read_homes += 1;
        Some(home)
    }

    pub(crate) fn read_file(&mut self) -> Option<Shared> {
        let file = self.files.get(self.read_files)?.clone();
        self.read_files += 1;
        Some(file)
    }

    /// What the test has not looked at.
    pub(crate) fn unread(&self) -> Vec<String> {
        let mut unread = Vec::new();
        unread.extend(self.posted.iter().skip(self.read_posts).map(|(channel, ts)| format!("message {ts} in {channel}")));
        unread.extend(self.ephemerals.iter().skip(self.read_whispers).map(|send_ephemeral| format!("whisper {send_ephemeral}")));
        unread.extend(self.views_opened.iter().skip(self.read_views).map(|view| format!("view {view}")));
        unread.extend(self.homes.iter().skip(self.read_homes).map(|(user, _)| format!("home of {user}")));
        unread.extend(self.files.iter().skip(self.read_files).map(|file| format!("file {}", file.name)));
        unread
    }

    /// Every string that was shown to anyone, and every file.
    pub(crate) fn everything_shown(&self) -> String {
        let mut all = Vec::new();
        for channel in self.channels.values() {
            all.extend(channel.messages.iter().map(|post| post.request.to_string()));
        }
        all.extend(self.ephemerals.iter().map(Value::to_string));
        all.extend(self.homes.iter().map(|(_, view)| view.to_string()));
        all.extend(self.files.iter().map(|file| String::from_utf8_lossy(&file.content).into_owned()));
        all.join("\n")
    }
}

/// The bot scopes that `config/slack-manifest.yaml` asks for.
pub(crate) fn scopes_of_the_manifest() -> String {
    let manifest = include_str!("../../../config/slack-manifest.yaml");
    let (_, scopes) = manifest.split_once("    bot:\n").unwrap();
    let scopes = scopes.lines().map_while(|line| line.trim().strip_prefix("- "));
    scopes.map(|scope| scope.split('#').next().unwrap().trim()).collect::<Vec<_>>().join(",")
}
