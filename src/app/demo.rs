//! The whole bot over simulated accounts, with the page in front: nothing is configured, and nothing is left behind.

use super::platforms::cause_page;
use super::{App, AppError, PLATFORMS, Platforms};
use crate::aws::{Aws, AwsOptions, ConnectError, Registry};
use crate::bot::{AccountInfo, Accounts, Connected};
use crate::chat::{Intake, MessageHistory};
use crate::clock::Clock;
use crate::config::{Config, Http, StoreFile};
use crate::investigation::new_id;
use crate::model::{Region, SecretRef, more_like};
use crate::platforms::console::{Console, Example, Settings, built, hosts};
use crate::simulator::{Scenario, Simulator};
use crate::store::Location;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Whoever reaches the page on this machine may do everything with the simulated accounts.
const RULES: &str = "[[allow]]\nplatform = \"console\"\nworkspace = \"local\"\nchannels = [\"page\"]\nusers = [\"local\"]\n";

/// What the page says about itself.
const NOTE: &str = "A simulated AWS account: nothing here is real, and nothing leaves this machine";

/// A secret of a simulated account, and the account as it stands at one moment.
#[derive(Debug, Clone)]
pub struct World {
    /// The name of the account, for the secret of which another world comes first.
    pub name: String,
    /// The name to ask about.
    pub secret: String,
    pub scenario: Scenario,
}

/// The bot with its page, listening on loopback. Its store goes away with it.
pub struct Demo {
    app: App,
    _folder: Folder,
}

impl Demo {
    /// Listens on `port`; where that is taken or zero, on a free one.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn start(worlds: Vec<World>, port: u16) -> Result<Demo, AppError> {
        let folder = Folder::new()?;
        let settings = Settings {
            hosts: Vec::new(),
            token: None,
            secure: false,
            path: String::new(),
            trusted_proxies: Vec::new(),
            note: Some(NOTE.to_owned()),
            examples: examples(&worlds),
            cause_page,
            new_id,
        };
        let console = Console::new(settings);
        let port = if std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() { port } else { 0 };
        let config = Config {
            http: Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), tls: None },
            http_is_asked_for: true,
            store: StoreFile { path: folder.0.join("demo.db"), ..StoreFile::default() },
            ..Config::parse(RULES, PLATFORMS).map_err(|problems| AppError::Platform(format!("{problems:?}")))?
        };
        let one = Arc::clone(&console);
        let app = App::start_with(&config, accounts(worlds), move |bot, stop| {
            let mut platforms = Platforms::default();
            let history = Arc::clone(&bot.history) as Arc<dyn MessageHistory>;
            platforms.add(built(one, Arc::clone(&bot.intake) as Arc<dyn Intake>, history, stop.clone()));
            Ok(platforms)
        })
        .await?;
        console.answer_to(hosts(app.address()));
        Ok(Demo { app, _folder: folder })
    }

    /// Where the page is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// Works until a signal or `stop`.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn run(self, stop: tokio_util::sync::CancellationToken) -> Result<(), AppError> {
        self.app.run(stop).await
    }
}

/// What to ask to see each world.
fn examples(worlds: &[World]) -> Vec<Example> {
    let example = |(world, account): (&World, Option<String>)| Example {
        words: account.map_or_else(|| world.secret.clone(), |name| format!("{} account:{name}", world.secret)),
        title: world.scenario.title.clone(),
    };
    told_apart(worlds).map(example).collect()
}

/// The worlds with the account that has to be named to reach them: none for the first one of a secret.
fn told_apart(worlds: &[World]) -> impl Iterator<Item = (&World, Option<String>)> {
    let mut known = BTreeSet::new();
    worlds.iter().map(move |world| (world, (!known.insert(&world.secret)).then(|| world.name.clone())))
}

/// Simulated accounts, one per secret, each started when it is first asked about. Of two with the same secret, the second
/// one is asked about with its account's name.
#[must_use]
pub fn accounts(worlds: Vec<World>) -> Arc<dyn Accounts> {
    Arc::new(Worlds::new(worlds))
}

/// A folder of our own that goes away again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, AppError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("rotation-diag-demo-{}", new_id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Folder(path)),
            Err(error) => Err(AppError::Platform(format!(
                "the demo needs a folder for its store, and {} cannot be made: {error}; TMPDIR names another place",
                path.display()
            ))),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is the system's to tidy.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The simulated accounts that were asked about, by world and region.
type RunningWorlds = HashMap<(Key, Region), (Arc<Simulator>, Connected)>;

/// A world: the account that has to be named, and the secret.
type Key = (Option<String>, String);

/// Each account runs in its own time.
struct Worlds {
    known: Vec<AccountInfo>,
    worlds: BTreeMap<Key, Scenario>,
    running: Mutex<RunningWorlds>,
}

impl Worlds {
    fn new(worlds: Vec<World>) -> Worlds {
        let worlds: BTreeMap<Key, Scenario> =
            told_apart(&worlds).map(|(world, account)| ((account, world.secret.clone()), world.scenario.clone())).collect();
        let mut regions: BTreeMap<&Option<String>, BTreeSet<Region>> = BTreeMap::new();
        for ((account, _), scenario) in &worlds {
            regions.entry(account).or_default().extend(scenario.region().parse::<Region>());
        }
        let known = regions.into_iter().map(|(name, regions)| AccountInfo {
            name: name.clone(),
            account_id: None,
            regions: regions.into_iter().collect(),
            any_region: false,
        });
        Worlds { known: known.collect(), worlds, running: Mutex::default() }
    }

    /// The world of a secret; for a name that is nowhere, the one with the most similar name, where it is not found either.
    fn of(&self, location: &Location, secret: &SecretRef) -> Option<(&Key, &Scenario)> {
        let name = secret.name();
        let there = || self.worlds.iter().filter(|((account, _), _)| *account == location.account);
        there()
            .find(|((_, own), _)| own == name)
            .or_else(|| there().min_by(|((_, one), _), ((_, other), _)| more_like(name, one, other)))
    }
}

#[async_trait]
impl Accounts for Worlds {
    fn known(&self) -> &[AccountInfo] {
        &self.known
    }

    /// Each secret has an account of its own: one stands for them.
    async fn connect(&self, location: &Location) -> Result<Connected, ConnectError> {
        let there = self.worlds.keys().find(|(account, _)| *account == location.account);
        let secret = there.and_then(|(_, secret)| secret.parse().ok());
        let nobody = || ConnectError::Refused { reason: "there is no simulated account".to_owned() };
        self.connect_for(location, &secret.ok_or_else(nobody)?).await
    }

    async fn connect_for(&self, location: &Location, secret: &SecretRef) -> Result<Connected, ConnectError> {
        let Some((key, scenario)) = self.of(location, secret) else {
            return Err(ConnectError::Refused { reason: "there is no simulated account".to_owned() });
        };
        let key = (key.clone(), location.region.clone());
        let mut running = self.running.lock().await;
        if let Some((_, connected)) = running.get(&key) {
            return Ok(connected.clone());
        }
        let clock = scenario.now().map_or_else(Clock::system, Clock::starting_at);
        let simulator = Simulator::start(scenario.clone(), clock.now())
            .map_err(|error| ConnectError::Refused { reason: error.to_string() })?;
        let options = AwsOptions::simulated(location.region.clone(), simulator.endpoint_url());
        let connected = Connected { aws: Aws::connect(&options, &Registry::default()).await?, clock };
        running.insert(key, (Arc::new(simulator), connected.clone()));
        Ok(connected)
    }

    async fn names(&self, location: &Location) -> Vec<String> {
        let there =
            self.worlds.iter().filter(|((account, _), world)| *account == location.account && location.region == world.region());
        there.map(|((_, secret), _)| secret.clone()).collect()
    }

    /// Whoever names no account means the first world of a secret. In some worlds it is the secret that is missing.
    async fn look_for(&self, places: &[Location], secret: &SecretRef) -> Vec<Option<bool>> {
        let is_played = |location: &&Location| {
            let played = self.of(location, secret).filter(|((_, own), _)| own == secret.name());
            played.is_some_and(|(_, world)| location.region == world.region())
        };
        let first = places.iter().find(is_played);
        let is_there = match first {
            Some(first) => self.has(first, secret).await,
            None => Some(false),
        };
        places.iter().map(|location| if Some(location) == first { is_there } else { Some(false) }).collect()
    }
}
