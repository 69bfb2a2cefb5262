//! `[slack]`: how the bot reaches Slack, and where its tokens are.

use crate::config::reader::{self, Reader, Section};
use crate::config::{Config, Misplaced, PlatformConfig, Token, TokenSource};
use crate::model::Place;
use url::{Host, Url};

/// Source: Slack, "Web API": every method is below this address.
const API: &str = "https://slack.com/api";

/// How many sockets one process keeps; the second one takes over while the first is renewed.
const CONNECTIONS: u8 = 2;

/// Source: Slack, "Using Socket Mode": at most ten connections per app.
const MAX_CONNECTIONS: u8 = 10;

/// `[slack]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// How Slack reaches the bot.
    pub mode: SlackMode,
    /// Where the bot token (`xoxb-…`) is.
    pub bot_token: TokenSource,
    /// Where Web API methods are; elsewhere than Slack only for tests and proxies.
    pub api_url: Url,
    /// Whether the end of a watch and of an alarm is shown in the channel too, and not in the thread alone.
    pub broadcast: bool,
}

/// How Slack reaches the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackMode {
    /// The bot opens web sockets; nothing needs to be reachable from outside.
    Socket {
        /// Where the app-level token (`xapp-…`) is.
        app_token: TokenSource,
        /// How many sockets are kept open.
        connections: u8,
    },
    /// Slack sends signed requests.
    Http {
        /// Where the secret that signs them is.
        signing_secret: TokenSource,
        /// Where a second one is that is accepted as well, while one takes the other's place.
        next_signing_secret: Option<TokenSource>,
    },
}

/// The tokens that [`SlackConfig`] points at. Nothing prints them.
#[derive(Debug, Clone)]
pub struct SlackTokens {
    pub bot: Token,
    /// The app-level token in Socket Mode, the signing secret in HTTP mode.
    pub inbound: Token,
    /// The second signing secret, where there is one.
    pub next_inbound: Option<Token>,
}

impl SlackConfig {
    /// Fetches the tokens.
    ///
    /// # Errors
    /// What is missing, one sentence each; an empty signing secret is as bad as none.
    pub fn fetch_tokens(&self) -> Result<SlackTokens, Vec<String>> {
        let inbound = match &self.mode {
            SlackMode::Socket { app_token, .. } => app_token.fetch().and_then(|token| shaped(app_token, token, "xapp-")),
            SlackMode::Http { signing_secret, .. } => signing_secret.fetch(),
        };
        let next_inbound = match &self.mode {
            SlackMode::Http { next_signing_secret: Some(source), .. } => source.fetch().map(Some),
            _ => Ok(None),
        };
        let bot = self.bot_token.fetch().and_then(|token| shaped(&self.bot_token, token, "xoxb-"));
        match (bot, inbound, next_inbound) {
            (Ok(bot), Ok(inbound), Ok(next_inbound)) => Ok(SlackTokens { bot, inbound, next_inbound }),
            (bot, inbound, next) => Err([bot.err(), inbound.err(), next.err()].into_iter().flatten().collect()),
        }
    }
}

impl PlatformConfig for SlackConfig {
    /// One token is of one workspace: that of the rules.
    fn misplaced(&self, place: &Place, config: &Config) -> Vec<Misplaced> {
        let rules = config.allow.iter().filter(|rule| rule.platform.is_none_or(|platform| platform == place.platform));
        let workspaces: Vec<Option<&str>> = rules.map(|rule| rule.workspace.as_deref()).collect();
        let is_another = !workspaces.is_empty()
            && workspaces.iter().all(|workspace| workspace.is_some_and(|workspace| workspace != place.workspace));
        let why = || "every [[allow]] rule names another workspace, and a token belongs to one workspace".to_owned();
        is_another.then(|| Misplaced::Workspace(why())).into_iter().collect()
    }

    fn called_at(&self) -> Option<&'static str> {
        let is_called = matches!(self.mode, SlackMode::Http { .. });
        is_called.then_some("/slack/command, /slack/events and /slack/interactivity")
    }
}

/// Source: Slack, "Token types".
fn shaped(source: &TokenSource, token: Token, prefix: &str) -> Result<Token, String> {
    if token.expose().starts_with(prefix) {
        return Ok(token);
    }
    let kinds = [("xoxb-", "the bot token"), ("xapp-", "the app-level token"), ("xoxp-", "a person's token")];
    let found = kinds.iter().find(|(start, _)| token.expose().starts_with(start));
    Err(match found {
        Some((start, kind)) => format!("{source} holds {kind} ({start}…), and here belongs one that begins with {prefix}"),
        None => format!("{source} holds no token that begins with {prefix}"),
    })
}

/// Reads `[slack]`; `None` also where it has mistakes.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> Option<SlackConfig> {
    let section = root.section("slack")?;
    let source = |key| section.get(key, |value| reader::text(value).and_then(|text| TokenSource::parse(&text)));
    let missing = |key: &str| reader.problem(root.span("slack"), format!("`slack.{key}`: is missing"));
    let mode = section.get("mode", |value| match reader::text(value)?.as_str() {
        mode @ ("socket" | "http") => Ok(mode == "socket"),
        _ => Err("expected \"socket\" or \"http\"".to_owned()),
    });
    let bot_token = source("bot_token");
    let app_token = source("app_token");
    let (signing_secret, next_signing_secret) = (source("signing_secret"), source("next_signing_secret"));
    let connections = section
        .get("connections", |value| reader::number(value, 1..=u64::from(MAX_CONNECTIONS)))
        .and_then(|n| u8::try_from(n).ok());
    let broadcast = section.get("broadcast", reader::boolean);
    let api_url = section.get("api_url", |value| reader::text(value).and_then(|text| address(&text)));
    for (key, is_there) in [
        ("mode", section.has("mode")),
        ("bot_token", section.has("bot_token")),
        ("app_token", mode != Some(true) || section.has("app_token")),
        ("signing_secret", mode != Some(false) || section.has("signing_secret")),
    ] {
        if !is_there {
            missing(key);
        }
    }
    section.finish();
    let mode = match mode? {
        true => SlackMode::Socket { app_token: app_token?, connections: connections.unwrap_or(CONNECTIONS) },
        false => SlackMode::Http { signing_secret: signing_secret?, next_signing_secret },
    };
    let api_url = api_url.or_else(|| Url::parse(API).ok())?;
    Some(SlackConfig { mode, bot_token: bot_token?, api_url, broadcast: broadcast.unwrap_or_default() })
}

fn address(text: &str) -> Result<Url, String> {
    let expected = || "expected an https address, or an http address on this machine".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_local)) { Ok(url) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::{SlackConfig, SlackMode};
    use crate::app::PLATFORMS;
    use crate::config::{Config, TokenSource};
    use std::io::Write as _;

    fn read(text: &str) -> SlackConfig {
        Config::parse(text, PLATFORMS).unwrap().platforms.of::<SlackConfig>().unwrap().clone()
    }

    fn problems(text: &str) -> Vec<String> {
        Config::parse(text, PLATFORMS).unwrap_err().into_iter().map(|(line, text)| format!("{line}: {text}")).collect()
    }

    #[test]
    fn socket_mode_needs_an_app_token_and_http_mode_a_signing_secret() {
        let socket = "[slack]\nmode = \"socket\"\nbot_token = \"env:BOT\"\napp_token = \"env:APP\"\n";
        let slack = read(socket);
        assert_eq!(slack.api_url.as_str(), "https://slack.com/api");
        assert_eq!(slack.mode, SlackMode::Socket { app_token: TokenSource::Env("APP".to_owned()), connections: 2 });
        assert_eq!(problems("\n[slack]\nmode = \"socket\"\nbot_token = \"env:BOT\"\n"), ["2: `slack.app_token`: is missing"]);
        assert_eq!(
            problems("[slack]\nmode = \"http\"\n"),
            ["1: `slack.bot_token`: is missing", "1: `slack.signing_secret`: is missing"]
        );
    }

    #[test]
    fn a_token_in_the_file_is_refused_and_not_repeated() {
        let told = problems("[slack]\nmode = \"http\"\nbot_token = \"xoxb-1-secret\"\nsigning_secret = \"env:S\"\n");
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("3: `slack.bot_token`: say where the token is") && !told[0].contains("xoxb"), "{told:?}");
    }

    #[test]
    fn an_address_elsewhere_is_encrypted_or_on_this_machine() {
        let with = |url: &str| {
            let text = "[slack]\nmode = \"http\"\nbot_token = \"env:B\"\nsigning_secret = \"env:S\"\n";
            Config::parse(&format!("{text}api_url = \"{url}\"\n"), PLATFORMS)
        };
        for url in ["https://slack-gov.com/api", "http://127.0.0.1:4000/api", "http://[::1]:4000/api", "http://localhost/api"] {
            assert!(with(url).is_ok(), "{url}");
        }
        for url in ["http://slack.com/api", "http://127.0.0.1.evil.example/api", "https://u:p@slack.com/api", "slack.com", ""] {
            assert!(with(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_empty_signing_secret_refuses_to_start() {
        let mut bot = tempfile::NamedTempFile::new().unwrap();
        write!(bot, "xoxb-1-abc").unwrap();
        let empty = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "[slack]\nmode = \"http\"\nbot_token = \"file:{}\"\nsigning_secret = \"file:{}\"\n",
            bot.path().display(),
            empty.path().display()
        );
        let slack = read(&text);
        let missing = slack.fetch_tokens().unwrap_err();
        assert_eq!(missing, [format!("the token file {} is empty", empty.path().display())]);
    }

    #[test]
    fn tokens_of_the_wrong_kind_are_told_apart_without_being_shown() {
        let mut wrong = tempfile::NamedTempFile::new().unwrap();
        write!(wrong, "xapp-1-abc").unwrap();
        let path = wrong.path().display();
        let text = format!("[slack]\nmode = \"socket\"\nbot_token = \"file:{path}\"\napp_token = \"file:{path}\"\n");
        let told = read(&text).fetch_tokens().unwrap_err();
        assert_eq!(
            told,
            [format!("the token file {path} holds the app-level token (xapp-…), and here belongs one that begins with xoxb-")]
        );
    }
}
