//! What the fake remembers.

use super::Event;
use super::gateway::Control;
use rotation_diag::clock::{Clock, deadline};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// The bot's token.
pub(crate) const TOKEN: &str = "MTA4.fake-bot-token.must-never-be-logged";
pub(crate) const APPLICATION: u64 = 1_080_000_000_000_000_001;
pub(crate) const BOT: u64 = 1_080_000_000_000_000_002;
pub(crate) const GUILD: u64 = 1_080_000_000_000_000_003;
pub(crate) const CHANNEL: u64 = 1_080_000_000_000_000_004;
pub(crate) const USER: u64 = 1_080_000_000_000_000_005;
/// The role that Discord made for the bot.
pub(crate) const OWN_ROLE: u64 = 1_080_000_000_000_000_007;

/// Something the bot may not do in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lacking {
    View,
    Send,
    Embed,
    Attach,
    OpenThreads,
    SendInThreads,
    History,
}

/// What goes wrong with the next request of a kind.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused, and nothing happens.
    Refuse { status: u16, body: String, headers: Vec<(&'static str, String)> },
    /// It is done, and the answer breaks off.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    LoseRequest,
    /// It is done, and there is never an answer.
    Hang,
}

impl Fault {
    pub(crate) fn status(status: u16) -> Fault {
        Fault::Refuse { status, body: String::new(), headers: Vec::new() }
    }

    pub(crate) fn code(status: u16, code: u64) -> Fault {
        let body = json!({ "message": "no", "code": code }).to_string();
        Fault::Refuse { status, body, headers: Vec::new() }
    }

    pub(crate) fn wait(seconds: &str, scope: &str) -> Fault {
        let body = json!({ "message": "You are being rate limited.", "retry_after": 0.3, "global": scope == "global" });
        let headers = vec![("retry-after", seconds.to_owned()), ("x-ratelimit-scope", scope.to_owned())];
        Fault::Refuse { status: 429, body: body.to_string(), headers }
    }
}

pub(crate) struct Channel {
    pub(crate) kind: u8,
    pub(crate) name: String,
    pub(crate) parent: Option<u64>,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    /// A forum that wants each post to have a tag.
    pub(crate) needs_tag: bool,
    pub(crate) lacking: BTreeSet<Lacking>,
    pub(crate) messages: BTreeMap<u64, Value>,
}

impl Channel {
    pub(crate) fn text() -> Channel {
        Channel::of_kind(0, None)
    }

    pub(crate) fn of_kind(kind: u8, parent: Option<u64>) -> Channel {
        Channel {
            kind,
            name: String::new(),
            parent,
            archived: false,
            locked: false,
            needs_tag: false,
            lacking: BTreeSet::new(),
            messages: BTreeMap::new(),
        }
    }
}

/// An interaction that was sent to the bot.
pub(crate) struct SentInteraction {
    pub(crate) token: String,
    pub(crate) at: Instant,
    /// The type of the first answer.
    pub(crate) answered: Option<u64>,
    pub(crate) expired: bool,
}

pub(crate) struct World {
    /// The token that is accepted.
    pub(crate) token: String,
    pub(crate) gateway_url: String,
    /// What everybody may do in them, in Discord's bits.
    pub(crate) everyone: u64,
    /// What is registered, by server; `None` for all of them.
    pub(crate) commands: BTreeMap<Option<u64>, Value>,
    /// It was invited without `applications.commands`.
    pub(crate) lacks_commands: bool,
    /// Where the application wants its interactions.
    pub(crate) interactions_url: Option<String>,
    pub(crate) channels: BTreeMap<u64, Channel>,
    pub(crate) said: BTreeMap<u64, SentInteraction>,
    pub(crate) nonces: BTreeMap<String, (u64, u64)>,
    /// A nonce is forgotten at once, as it is after some minutes.
    pub(crate) forgets_nonces: bool,
    pub(crate) threads_full: bool,
    /// Messages that are laid out in components are not valid.
    pub(crate) refuses_layouts: bool,
    /// The mentions that a test expects, as `allowed_mentions` says them.
    pub(crate) may_mention: Option<Value>,
    pub(crate) events: Vec<Event>,
    /// Method and path of everything that was asked.
    pub(crate) requests: Vec<String>,
    pub(crate) violations: Vec<String>,
    pub(crate) faults: Vec<(&'static str, String, Fault)>,
    /// What goes wrong with every request of a kind.
    pub(crate) always: Vec<(&'static str, String, Fault)>,
    /// The servers the bot is in.
    pub(crate) guilds: Vec<u64>,
    /// What people were told alone, by interaction.
    pub(crate) told: BTreeMap<u64, Vec<String>>,
    /// Direct messages, by person: the channel's id.
    pub(crate) direct: BTreeMap<u64, u64>,
    pub(crate) sessions_left: u64,
    /// When there are sessions again; until then none may be begun that is not left.
    pub(crate) sessions_after: Instant,
    pub(crate) last_session: Option<Instant>,
    /// Whoever resumes a session is thrown out without a word.
    pub(crate) refuses_to_resume: bool,
    pub(crate) heartbeat: Duration,
    /// Heartbeats so far.
    pub(crate) beats: usize,
    /// Heartbeats are not answered.
    pub(crate) is_mute: bool,
    /// All events of the session, for those who resume.
    pub(crate) dispatched: Vec<Value>,
    pub(crate) connection: Option<mpsc::UnboundedSender<Control>>,
    next_id: u64,
    changed: Arc<Notify>,
}

impl World {
    pub(super) fn new(gateway_url: String, changed: Arc<Notify>) -> World {
        World {
            token: TOKEN.to_owned(),
            gateway_url,
            everyone: super::inspection::NEEDED,
            commands: BTreeMap::new(),
            lacks_commands: false,
            interactions_url: None,
            channels: BTreeMap::from([(CHANNEL, Channel::text())]),
            said: BTreeMap::new(),
            nonces: BTreeMap::new(),
            forgets_nonces: false,
            threads_full: false,
            refuses_layouts: false,
            may_mention: None,
            events: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
            always: Vec::new(),
            guilds: vec![GUILD],
            told: BTreeMap::new(),
            direct: BTreeMap::new(),
            sessions_left: 1_000,
            sessions_after: deadline(Duration::from_secs(86_400)),
            last_session: None,
            refuses_to_resume: false,
            heartbeat: Duration::from_secs(40),
            beats: 0,
            is_mute: false,
            dispatched: Vec::new(),
            connection: None,
            next_id: 0,
            changed,
        }
    }

    /// An id as Discord makes them now.
    pub(crate) fn new_id(&mut self) -> u64 {
        let now = Clock::system().now().as_millisecond();
        self.next_id += 1;
        ((u64::try_from(now).unwrap() - 1_420_070_400_000) << 22) | (self.next_id & 0x3f_ffff)
    }

    pub(crate) fn happened(&mut self, event: Event) {
        self.events.push(event);
        self.changed.notify_waiters();
    }

    pub(crate) fn noted(&mut self) {
        self.changed.notify_waiters();
    }

    pub(super) fn take_event(&mut self) -> Option<Event> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    pub(crate) fn lack(&mut self, channel: u64, lacking: &[Lacking]) {
        self.channels.get_mut(&channel).unwrap().lacking.extend(lacking);
    }

    /// The next request of this kind goes wrong; `path` is part of the path, and the end of it where something is added. What
    /// stands before a `*` is another part.
    pub(crate) fn fault(&mut self, method: &'static str, path: impl Into<String>, fault: Fault) {
        self.faults.push((method, path.into(), fault));
    }

    /// Every request of this kind goes wrong.
    pub(crate) fn fault_always(&mut self, method: &'static str, path: impl Into<String>, fault: Fault) {
        self.always.push((method, path.into(), fault));
    }

    pub(super) fn take_fault(&mut self, method: &str, path: &str) -> Option<Fault> {
        // What happens in any thread of a channel can be meant, too: `/threads-of/<channel>/…`.
        let in_thread = path.strip_prefix("/channels/").and_then(|rest| rest.split_once('/')).and_then(|(thread, rest)| {
            let parent = self.channels.get(&thread.parse().ok()?)?.parent?;
            Some(format!("/threads-of/{parent}/{rest}"))
        });
        let paths = [Some(path.to_owned()), in_thread];
        let is_meant = |(verb, part, _): &(&str, String, Fault)| {
            let (before, end) = part.rsplit_once('*').unwrap_or(("", part));
            let fits =
                |path: &String| path.contains(before) && if method == "POST" { path.ends_with(end) } else { path.contains(end) };
            *verb == method && paths.iter().flatten().any(fits)
        };
        match self.faults.iter().position(is_meant) {
            Some(at) => Some(self.faults.remove(at).2),
            None => self.always.iter().find(|fault| is_meant(fault)).map(|(_, _, fault)| fault.clone()),
        }
    }

    /// How often something was asked.
    pub(crate) fn asked(&self, method: &str, part: &str) -> usize {
        self.requests.iter().filter(|request| request.starts_with(method) && request.contains(part)).count()
    }

    pub(crate) fn control(&self, control: Control) {
        self.connection.as_ref().unwrap().send(control).unwrap();
    }

    /// Tells the bot of something, if it is connected, and those who resume later.
    pub(crate) fn dispatch(&mut self, name: &str, body: Value) {
        let frame = json!({ "op": 0, "s": self.dispatched.len() + 1, "t": name, "d": body });
        self.dispatched.push(frame.clone());
        if let Some(connection) = &self.connection {
            let _ = connection.send(Control::Send(frame));
        }
    }
}
