//! A chat platform in memory that keeps what it is sent and fails as told, and AWS accounts that are simulated.

use async_trait::async_trait;
use jiff::SignedDuration;
use rotation_diag::app::Bot;
use rotation_diag::aws::{Aws, AwsOptions, ConnectError, Registry, SessionOwner};
use rotation_diag::bot::{AccountInfo, Accounts, Connected, Delivery, DeliveryPolicy, Health, keep_schedule};
use rotation_diag::chat::{
    Ack, ChatPlatform, Destination, IncomingEvent, Intake, Limits, LookedUp, LostPost, Message, Payload, SendError,
};
use rotation_diag::clock::Clock;
use rotation_diag::config::{Config, Work};
use rotation_diag::model::{ActionToken, Actor, Place, PlatformName, Region, ReplyTo, SecretRef, Standing, ThreadRef};
use rotation_diag::simulator::{Scenario, Simulator};
use rotation_diag::store::{Location, Store};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longer than anything a test waits for takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const RULES: &str = r#"
[[allow]]
platform = "slack"
workspace = "T1"
channels = ["C1"]
users = ["U1", "U2"]

[[allow]]
platform = "discord"
workspace = "G1"
channels = ["C9"]
users = ["*"]
"#;

/// A message as the platform has it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: String,
    /// The message its thread hangs on; `None` for one of a channel.
    pub(crate) root: Option<String>,
    pub(crate) key: String,
    pub(crate) message: Message,
    pub(crate) edits: usize,
}

impl Shown {
    pub(crate) fn title(&self) -> &str {
        self.message.title.as_str()
    }
}

/// What goes wrong with the next call of a kind.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused.
    Refuse(SendError),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It never answers, and nothing is done.
    Hang,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) shown: Vec<Shown>,
    pub(crate) ephemerals: Vec<(String, Message)>,
    pub(crate) pointed: Vec<(String, String)>,
    /// Channels that take nothing until the bot is in them.
    pub(crate) closed: HashSet<String>,
    /// True where files follow their message.
    pub(crate) has_files_apart: bool,
    /// The messages whose files were handed over, and whether they were thought to be there already.
    pub(crate) attached: Vec<(String, bool)>,
    /// What looking a person up finds.
    pub(crate) people: HashMap<String, Standing>,
    pub(crate) calls: Vec<&'static str>,
    faults: HashMap<&'static str, VecDeque<Fault>>,
    pub(crate) always: Option<SendError>,
    next: u64,
}

/// A chat platform in memory.
#[derive(Debug)]
pub(crate) struct Fake {
    name: PlatformName,
    state: Mutex<State>,
    changed: Notify,
    /// Told when the bot may be let in.
    pub(crate) doors: tokio::sync::watch::Sender<()>,
}

impl Fake {
    pub(crate) fn new(name: PlatformName) -> Arc<Fake> {
        Arc::new(Fake { name, state: Mutex::default(), changed: Notify::new(), doors: tokio::sync::watch::Sender::new(()) })
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// The next calls of `kind` go wrong so.
    pub(crate) fn faults(&self, kind: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| state.faults.entry(kind).or_default().extend(faults));
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.with(|state| state.shown.clone())
    }

    pub(crate) fn roots(&self) -> Vec<Shown> {
        self.shown().into_iter().filter(|shown| shown.root.is_none()).collect()
    }

    pub(crate) fn replies(&self) -> Vec<Shown> {
        self.shown().into_iter().filter(|shown| shown.root.is_some()).collect()
    }

    /// Waits until `is_so`.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if self.with(|state| is_so(state)) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let seen: Vec<String> = self.shown().iter().map(|shown| format!("{:?} {}", shown.root, shown.title())).collect();
            panic!("never: {what}; there is\n{}", seen.join("\n"));
        }
    }

    async fn fault(&self, kind: &'static str) -> Option<Fault> {
        let fault = self.with(|state| {
            state.calls.push(kind);
            let always = state.always.clone().map(Fault::Refuse);
            state.faults.get_mut(kind).and_then(VecDeque::pop_front).or(always)
        });
        self.changed.notify_waiters();
        if matches!(fault, Some(Fault::Hang)) {
            std::future::pending::<()>().await;
        }
        fault
    }

    fn done<T>(&self, fault: Option<Fault>, done: impl FnOnce(&mut State) -> T) -> Result<T, SendError> {
        if let Some(Fault::Refuse(error)) = fault {
            return Err(error);
        }
        let value = self.with(done);
        self.changed.notify_waiters();
        match fault {
            Some(Fault::LoseAnswer) => Err(SendError::Uncertain { why: "the connection was reset".to_owned() }),
            _ => Ok(value),
        }
    }
}

#[async_trait]
impl ChatPlatform for Fake {
    fn name(&self) -> PlatformName {
        self.name
    }

    /// Those of the platform it stands for.
    fn limits(&self) -> Limits {
        rotation_diag::app::PLATFORMS.iter().find(|kind| kind.name() == self.name).unwrap().limits()
    }

    async fn post(&self, to: &Destination, message: &Message, key: &str) -> Result<String, SendError> {
        let fault = self.fault("post").await;
        let (channel, root) = match to {
            Destination::Channel(place) => (&place.channel, None),
            Destination::Thread(thread) | Destination::Held(thread) => (&thread.channel, Some(thread.root.clone())),
        };
        if self.with(|state| state.closed.contains(channel)) {
            return Err(SendError::Closed { why: "not_in_channel".to_owned(), tell: "invite me" });
        }
        self.done(fault, |state| {
            state.next += 1;
            let id = format!("m{}", state.next);
            let (message, key) = (message.clone(), key.to_owned());
            state.shown.push(Shown { id: id.clone(), root, key, message, edits: 0 });
            id
        })
    }

    async fn edit(&self, _: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let fault = self.fault("edit").await;
        if !self.with(|state| state.shown.iter().any(|shown| shown.id == id)) {
            return Err(SendError::Gone { why: "message_not_found".to_owned() });
        }
        self.done(fault, |state| {
            let shown = state.shown.iter_mut().find(|shown| shown.id == id).unwrap();
            shown.message = message.clone();
            shown.edits += 1;
        })
    }

    fn owes_files(&self, message: &Message) -> bool {
        self.with(|state| state.has_files_apart) && !message.attachments.is_empty()
    }

    async fn attach(&self, _: &Destination, id: &str, _: &Message, may_be_there: bool) -> Result<(), SendError> {
        let fault = self.fault("attach").await;
        self.done(fault, |state| state.attached.push((id.to_owned(), may_be_there)))
    }

    async fn look_up(&self, actor: &Actor) -> LookedUp {
        let fault = self.fault("look_up").await;
        let standing = self.with(|state| state.people.get(&actor.user).copied()).unwrap_or(Standing::Outsider);
        match self.done(fault, |_| ()) {
            Ok(()) => LookedUp { actor: Actor { standing, ..actor.clone() }, failed: None },
            Err(error) => LookedUp { actor: Actor { standing: Standing::Unknown, ..actor.clone() }, failed: Some(error) },
        }
    }

    async fn find(&self, _: &Destination, lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        let fault = self.fault("find").await;
        self.done(fault, |state| state.shown.iter().find(|shown| shown.key == lost.key).map(|shown| shown.id.clone()))
    }

    async fn send_ephemeral(&self, to: &ReplyTo, message: &Message) -> Result<(), SendError> {
        let fault = self.fault("whisper").await;
        self.done(fault, |state| state.ephemerals.push((to.0.clone(), message.clone())))
    }

    fn link(&self, thread: &ThreadRef) -> Option<String> {
        Some(format!("https://{}.example/{}/{}", self.name, thread.channel, thread.root))
    }

    fn let_in(&self) -> Option<tokio::sync::watch::Receiver<()>> {
        Some(self.doors.subscribe())
    }

    async fn point_to(&self, to: &ReplyTo, thread: &ThreadRef) -> Result<(), SendError> {
        let fault = self.fault("point_to").await;
        self.done(fault, |state| state.pointed.push((to.0.clone(), thread.root.clone())))
    }
}

/// Simulated accounts, each an own world.
pub(crate) struct Simulated {
    known: Vec<AccountInfo>,
    named: Mutex<Vec<String>>,
    /// On whose behalf it was looked into.
    owners: Mutex<Vec<String>>,
    /// By account and region.
    worlds: HashMap<Location, (Simulator, Clock)>,
    registry: Registry,
}

impl Simulated {
    /// Accounts by name, each a scenario that ships with the program, with what `extra` adds; one account may have several,
    /// in regions of their own.
    pub(crate) fn new(accounts: &[(&str, &str, &str)]) -> Arc<Simulated> {
        Simulated::later(SignedDuration::ZERO, accounts)
    }

    /// The same, in worlds where it is later.
    pub(crate) fn later(by: SignedDuration, accounts: &[(&str, &str, &str)]) -> Arc<Simulated> {
        let (known, worlds) = (Vec::new(), HashMap::new());
        let mut simulated =
            Simulated { known, named: Mutex::default(), owners: Mutex::default(), worlds, registry: Registry::default() };
        for (name, scenario, extra) in accounts {
            let (_, text) = Scenario::embedded().find(|(known, _)| known == scenario).unwrap();
            let scenario = Scenario::parse(&format!("{text}\n{extra}")).unwrap();
            let clock = Clock::starting_at(scenario.now().unwrap_or_else(|| Clock::system().now()) + by);
            let region: Region = scenario.region().parse().unwrap();
            let location = Location { account: Some((*name).to_owned()), region: region.clone() };
            let account_id = Some(scenario.account_id().parse().unwrap());
            match simulated.known.iter_mut().find(|known| known.name == location.account) {
                Some(known) => known.regions.push(region),
                None => simulated.known.push(AccountInfo {
                    name: location.account.clone(),
                    account_id,
                    regions: vec![region],
                    any_region: false,
                }),
            }
            simulated.worlds.insert(location, (Simulator::start(scenario, clock.now()).unwrap(), clock));
        }
        Arc::new(simulated)
    }

    /// One more secret is listed.
    pub(crate) fn also_named(&self, name: &str) {
        self.named.lock().unwrap().push(name.to_owned());
    }

    /// How often `operation` was asked for.
    pub(crate) fn calls_of(&self, operation: &str) -> usize {
        let of = |simulator: &Simulator| simulator.calls().iter().filter(|call| call.operation == operation).count();
        self.worlds.values().map(|(simulator, _)| of(simulator)).sum()
    }

    /// On whose behalf it was looked into so far.
    pub(crate) fn owners(&self) -> Vec<String> {
        self.owners.lock().unwrap().clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.worlds.values().map(|(simulator, _)| simulator.calls().len()).sum()
    }
}

#[async_trait]
impl Accounts for Simulated {
    fn known(&self) -> &[AccountInfo] {
        &self.known
    }

    async fn connect_on_behalf(
        &self,
        location: &Location,
        _: &SecretRef,
        owner: &SessionOwner,
    ) -> Result<Connected, ConnectError> {
        self.owners.lock().unwrap().push(owner.to_string());
        self.connect(location).await
    }

    async fn connect(&self, location: &Location) -> Result<Connected, ConnectError> {
        let (simulator, clock) = &self.worlds[location];
        let options = AwsOptions::simulated(location.region.clone(), simulator.endpoint_url());
        Ok(Connected { aws: Aws::connect(&options, &self.registry).await?, clock: *clock })
    }

    async fn names(&self, _: &Location) -> Vec<String> {
        let mut names = vec!["prod/orders-db".to_owned(), "prod/billing".to_owned(), "test/orders-db".to_owned()];
        names.extend(self.named.lock().unwrap().iter().cloned());
        names
    }
}

/// A tempo under which nothing takes long.
pub(crate) fn brisk() -> DeliveryPolicy {
    DeliveryPolicy {
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(40),
        between_edits: Duration::from_millis(5),
        at_once: 8,
        call: Duration::from_secs(10),
        locked_out: Duration::from_millis(50),
    }
}

/// The bot in a world of its own.
pub(crate) struct World {
    pub(crate) bot: Bot,
    work: Work,
    pub(crate) store: Arc<Store>,
    pub(crate) accounts: Arc<Simulated>,
    pub(crate) health: Health,
    folder: tempfile::TempDir,
    stop: CancellationToken,
    running: Vec<tokio::task::JoinHandle<()>>,
}

impl World {
    pub(crate) async fn new(config: &str, accounts: Arc<Simulated>) -> World {
        let folder = tempfile::tempdir().unwrap();
        World::at(folder, config, accounts).await
    }

    /// One broken secret in one account.
    pub(crate) async fn usual() -> World {
        World::new(RULES, Simulated::new(&[("prod", "role_detached_policy", "")])).await
    }

    pub(crate) async fn at(folder: tempfile::TempDir, config: &str, accounts: Arc<Simulated>) -> World {
        World::by(Clock::system(), folder, config, accounts).await
    }

    /// One whose store goes by another clock.
    pub(crate) async fn by(clock: Clock, folder: tempfile::TempDir, config: &str, accounts: Arc<Simulated>) -> World {
        let config = Config::parse(config, rotation_diag::app::PLATFORMS).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store.db"), clock).await.unwrap());
        let bot = Bot::new(&config, Arc::clone(&store), Arc::clone(&accounts) as Arc<dyn Accounts>);
        let (health, stop) = (Health::default(), CancellationToken::new());
        World { bot, work: config.work, store, accounts, health, folder, stop, running: Vec::new() }
    }

    /// Starts workers, the watch and delivery.
    pub(crate) fn start(&mut self, platforms: &[Arc<Fake>]) {
        let known: Vec<_> = platforms.iter().map(|fake| Arc::clone(fake) as Arc<dyn ChatPlatform>).collect();
        self.bot.platforms.set(&known);
        self.running.push(tokio::spawn(self.bot.workers(self.work).work(self.stop.clone())));
        let (store, every, stop) = (Arc::clone(&self.store), self.work.watch_every, self.stop.clone());
        self.running.push(tokio::spawn(async move { keep_schedule(&store, every, stop).await }));
        self.deliver(platforms);
    }

    /// Starts delivery alone.
    pub(crate) fn deliver(&mut self, platforms: &[Arc<Fake>]) {
        let platforms = platforms.iter().map(|fake| Arc::clone(fake) as Arc<dyn ChatPlatform>).collect();
        let delivery = Delivery::new(Arc::clone(&self.store), self.health.clone(), brisk());
        self.running.push(tokio::spawn(delivery.run(platforms, self.stop.clone())));
    }

    /// Ends everything and hands over the store's folder.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.stop.cancel();
        for running in self.running {
            tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
        }
        self.store.close().await;
        self.folder
    }

    /// Ends as a killed process does: nothing is waited for.
    pub(crate) async fn kill(self) -> tempfile::TempDir {
        for running in &self.running {
            running.abort();
        }
        for running in self.running {
            let _ = running.await;
        }
        self.store.close().await;
        self.folder
    }

    /// Whatever waits has failed once more, as the store has it where the process ends right after that.
    pub(crate) async fn fails_once_more(&self) {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("store.db"));
        let beside = sqlx::SqlitePool::connect_with(file).await.unwrap();
        sqlx::query("UPDATE inbox SET failures = failures + 1 WHERE state = 'waiting'").execute(&beside).await.unwrap();
        beside.close().await;
    }

    pub(crate) async fn say(&self, key: &str, user: &str, words: &str) -> Ack {
        self.bot.intake.accept(said(key, &actor(user), place(None), Payload::Words(words.to_owned()))).await
    }

    pub(crate) async fn click(&self, key: &str, user: &str, token: &str) -> Ack {
        self.bot.intake.accept(said(key, &actor(user), place(None), Payload::Click(token.to_owned()))).await
    }

    /// Everything the store has on the disk.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default()).collect()
    }

    async fn rows<T>(&self, query: &'static str) -> Vec<T>
    where
        T: Send + Unpin,
        (T,): for<'row> sqlx::FromRow<'row, sqlx::sqlite::SqliteRow>,
    {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("store.db")).read_only(true);
        let beside = sqlx::SqlitePool::connect_with(file).await.unwrap();
        let rows: Vec<(T,)> = sqlx::query_as(query).fetch_all(&beside).await.unwrap();
        beside.close().await;
        rows.into_iter().map(|(value,)| value).collect()
    }

    /// How many triggers wait or are worked on.
    pub(crate) async fn open_triggers(&self) -> i64 {
        self.rows("SELECT count(*) FROM inbox WHERE state IN ('waiting', 'running')").await.remove(0)
    }

    /// What was given up, the newest first.
    pub(crate) async fn dead_letters(&self) -> Vec<String> {
        self.rows("SELECT what FROM inbox WHERE state = 'dead' ORDER BY id DESC").await
    }

    /// Why messages were given up, the newest first.
    pub(crate) async fn undelivered(&self) -> Vec<String> {
        self.rows("SELECT why FROM messages WHERE state = 'given_up' ORDER BY id DESC").await
    }

    /// All lines of the audit trail.
    pub(crate) async fn audit_trail(&self) -> Vec<rotation_diag::store::Audited> {
        let path = self.folder.path().join("store.db");
        Store::read_audit_trail(&path, jiff::Timestamp::UNIX_EPOCH, 1_000).await.unwrap()
    }

    /// The audit trail: who, what, decision.
    pub(crate) async fn audit(&self) -> Vec<(String, String, String)> {
        let lines = self.audit_trail().await;
        let text = |text: &rotation_diag::redact::SafeText| text.as_str().to_owned();
        lines.iter().map(|line| (text(&line.person), text(&line.did), text(&line.decision))).collect()
    }
}

pub(crate) fn actor(user: &str) -> Actor {
    Actor {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        user: user.to_owned(),
        groups: Some(Vec::new()),
        standing: Standing::Member,
    }
}

pub(crate) fn place(thread: Option<&str>) -> Place {
    Place {
        platform: PlatformName::new("slack"),
        workspace: "T1".to_owned(),
        channel: "C1".to_owned(),
        thread: thread.map(str::to_owned),
    }
}

pub(crate) fn said(key: &str, actor: &Actor, place: Place, said: Payload) -> IncomingEvent {
    IncomingEvent { key: key.to_owned(), actor: actor.clone(), place, reply_to: Some(ReplyTo(format!("answer-to-{key}"))), said }
}

/// All that a message says.
pub(crate) fn whole_text(message: &Message) -> String {
    serde_json::to_string(message).unwrap()
}

/// What a receipt tells the person, or its name.
pub(crate) fn answer_text(receipt: &Ack) -> String {
    match receipt {
        Ack::Accepted => "accepted".to_owned(),
        Ack::Duplicate => "duplicate".to_owned(),
        Ack::Answer(message) => message.title.as_str().to_owned(),
        Ack::Unavailable(_) => "unavailable".to_owned(),
    }
}

/// The tokens of a message's buttons and menus.
pub(crate) fn tokens(message: &Message) -> Vec<ActionToken> {
    use rotation_diag::chat::document::Control;
    let mut tokens = Vec::new();
    for control in &message.controls {
        match control {
            Control::Button(choice) | Control::Copy(choice) => tokens.push(choice.token.clone()),
            Control::Select { choices, .. } => tokens.extend(choices.iter().map(|choice| choice.token.clone())),
        }
    }
    tokens
}
