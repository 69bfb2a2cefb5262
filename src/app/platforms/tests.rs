//! A platform is its folder and one line: here is one that the program has never heard of.

use super::*;
use crate::app::{App, check, demo};
use crate::chat::setup::fine;
use crate::chat::{
    Ack, CheckResult, Checked, Destination, IncomingEvent, Limits as PlatformLimits, LostPost, Manner, Message, Payload,
    SendError,
};
use crate::config::reader::{Reader, Section, text};
use crate::config::{Http, Misplaced, PlatformConfig, PlatformTable, StoreFile};
use crate::model::{Actor, Place, PlatformName, ReplyTo, Standing};
use crate::simulator::Scenario;
use async_trait::async_trait;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use tokio::sync::watch;

const NAME: PlatformName = PlatformName::new("letters");

const CONFIG: &str = r#"
[letters]
stamp = "blue"
[[allow]]
platform = "letters"
workspace = "W"
channels = ["C"]
users = ["U"]
[[alarms.route]]
platform = "letters"
workspace = "W"
channel = "C"
"#;

/// What its table says.
#[derive(Debug)]
struct LettersConfig {
    stamp: String,
}

impl PlatformConfig for LettersConfig {
    fn misplaced(&self, place: &Place, _config: &Config) -> Vec<Misplaced> {
        if place.workspace == "W" { Vec::new() } else { vec![Misplaced::Workspace("it has one workspace".to_owned())] }
    }

    fn called_at(&self) -> Option<&'static str> {
        Some("/letters")
    }
}

/// The letters that were sent, the newest title of each.
struct Letters(watch::Sender<Vec<String>>);

#[async_trait]
impl ChatPlatform for Letters {
    fn name(&self) -> PlatformName {
        NAME
    }

    fn limits(&self) -> PlatformLimits {
        Kind::default().limits()
    }

    async fn post(&self, _to: &Destination, message: &Message, _key: &str) -> Result<String, SendError> {
        let mut id = 0;
        self.0.send_modify(|letters| {
            id = letters.len();
            letters.push(message.title.to_string());
        });
        Ok(id.to_string())
    }

    async fn edit(&self, _to: &Destination, id: &str, message: &Message) -> Result<(), SendError> {
        let at: usize = id.parse().unwrap();
        self.0.send_modify(|letters| letters[at] = message.title.to_string());
        Ok(())
    }

    async fn find(&self, _to: &Destination, _lost: &LostPost<'_>) -> Result<Option<String>, SendError> {
        Ok(None)
    }

    async fn send_ephemeral(&self, _to: &ReplyTo, _message: &Message) -> Result<(), SendError> {
        Ok(())
    }
}

#[derive(Default)]
struct Kind {
    built: Mutex<Option<Arc<Letters>>>,
}

impl PlatformTable for Kind {
    fn name(&self) -> PlatformName {
        NAME
    }

    fn read(&self, _reader: &Reader<'_>, root: &Section<'_>) -> Option<Arc<dyn PlatformConfig>> {
        let section = root.section("letters")?;
        let stamp = section.get("stamp", text);
        section.finish();
        Some(Arc::new(LettersConfig { stamp: stamp? }))
    }
}

#[async_trait]
impl PlatformKind for Kind {
    fn limits(&self) -> PlatformLimits {
        PlatformLimits::usual("the post", Manner::Mention)
    }

    fn build(&self, around: &Surroundings<'_>) -> Result<Option<Built>, String> {
        let Some(settings) = around.config.platforms.of::<LettersConfig>() else { return Ok(None) };
        assert_eq!(settings.stamp, "blue");
        let letters = Arc::new(Letters(watch::Sender::default()));
        *self.built.lock().unwrap() = Some(Arc::clone(&letters));
        let stop = around.stop.clone();
        let waiting = async move {
            stop.cancelled().await;
            Ok(())
        };
        Ok(Some(Built {
            platform: letters,
            router: None,
            background: ("the post", Box::pin(waiting)),
            alive: None,
            cause_pages: None,
        }))
    }

    async fn check(&self, _config: &Config) -> Vec<Checked> {
        vec![crate::chat::setup::checked("post", fine("there is a stamp"))]
    }
}

/// All platforms there are, and this one.
fn kinds(kind: &Kind) -> Vec<&dyn PlatformKind> {
    PLATFORMS.iter().copied().chain([kind as &dyn PlatformKind]).collect()
}

fn said(words: &str) -> IncomingEvent {
    IncomingEvent {
        key: words.to_owned(),
        actor: Actor {
            platform: NAME,
            workspace: "W".to_owned(),
            user: "U".to_owned(),
            groups: Some(Vec::new()),
            standing: Standing::Member,
        },
        place: Place { platform: NAME, workspace: "W".to_owned(), channel: "C".to_owned(), thread: None },
        reply_to: None,
        said: Payload::Words(words.to_owned()),
    }
}

#[tokio::test]
async fn a_platform_nobody_has_heard_of_is_started_spoken_to_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind::default();
    let kinds = kinds(&kind);
    let config = Config {
        http: Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls: None },
        store: StoreFile { path: folder.path().join("store.db"), ..StoreFile::default() },
        ..Config::parse(CONFIG, &kinds).unwrap()
    };
    let (_, scenario) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let scenario = Scenario::parse(scenario).unwrap();
    let secret = scenario.secret().unwrap().to_owned();
    let world = demo::World { name: "prod".to_owned(), secret: secret.clone(), scenario };
    let app =
        App::start_with(&config, demo::accounts(vec![world]), |bot, stop| build(&kinds, &config, bot, &Reload::never(), stop))
            .await
            .unwrap();
    let mut letters = kind.built.lock().unwrap().as_ref().unwrap().0.subscribe();
    let bot = Arc::clone(&app.bot().intake);
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));

    let Ack::Answer(help) = bot.accept(said("help")).await else { panic!("no help") };
    assert!(format!("{help:?}").contains("@rotation-diag"), "people are told how to speak to the bot there");
    assert_eq!(bot.accept(said(&secret)).await, Ack::Accepted);
    let verdict =
        letters.wait_for(|letters| letters.iter().any(|title| title.contains("is not rotating"))).await.unwrap().clone();
    assert!(verdict[0].contains(&secret), "{verdict:?}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[test]
fn a_platform_nobody_has_heard_of_is_named_where_platforms_are_named() {
    let kind = Kind::default();
    let kinds = kinds(&kind);
    let mistakes = |text: &str| Config::parse(text, &kinds).unwrap_err().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let unknown = mistakes("[[deny]]\nplatform = \"irc\"\n");
    assert_eq!(unknown, ["`deny[0].platform`: expected slack, discord, console, letters or mcp, found \"irc\""]);
    assert_eq!(mistakes(&CONFIG.replace("stamp", "stampp")).len(), 1);
    let elsewhere = mistakes(&CONFIG.replace(
        "[[alarms.route]]\nplatform = \"letters\"\nworkspace = \"W\"",
        "[[alarms.route]]\nplatform = \"letters\"\nworkspace = \"X\"",
    ));
    assert_eq!(elsewhere, ["`alarms.route[0].workspace`: it has one workspace"]);
    assert_eq!(tables(&kinds, "or"), "[slack], [discord], [console] or [letters]");
}

#[tokio::test]
async fn a_platform_nobody_has_heard_of_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind::default();
    let kinds = kinds(&kind);
    let config = Config {
        store: StoreFile { path: folder.path().join("store.db"), ..StoreFile::default() },
        http: Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls: None },
        ..Config::parse(CONFIG, &kinds).unwrap()
    };
    let checked = check::platforms(&kinds, &config).await;
    let told: Vec<String> = checked.iter().map(|checked| format!("{}: {:?}", checked.what, checked.found)).collect();
    assert!(told.iter().any(|line| line.contains("there is a stamp")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("the post can reach the bot only at a public https address")), "{told:#?}");
    assert!(!checked.iter().any(|checked| matches!(checked.found, CheckResult::Missing(_))), "{told:#?}");
}
