//! What is missing before the bot can work: the store, the platforms, each permission by name.

use crate::chat::discord::Discord;
use crate::chat::slack::{Lookups, Slack};
use crate::clock::Clock;
use crate::config::{Config, SlackMode};
use crate::investigation::{Accounts, AwsAccounts};
use crate::model::SecretRef;
use crate::playbook::preflight::{self, Permission};
use crate::redact::SafeText;
use crate::store::{Choice, OpenError, Store, network_disk};
use jiff::SignedDuration;

/// How far clocks may differ; AWS and Slack refuse at five minutes.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What.
    pub what: SafeText,
    /// How it stands.
    pub found: Found,
}

/// How something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It works.
    Fine(SafeText),
    /// It cannot be told, or is left out on purpose.
    Open(SafeText),
    /// It does not work, and what to do.
    Missing(SafeText),
}

fn checked(what: impl AsRef<str>, found: Found) -> Checked {
    Checked { what: safe(what), found }
}

fn safe(text: impl AsRef<str>) -> SafeText {
    SafeText::redact(text.as_ref())
}

fn fine(text: impl AsRef<str>) -> Found {
    Found::Fine(safe(text))
}

fn open(text: impl AsRef<str>) -> Found {
    Found::Open(safe(text))
}

fn missing(text: impl AsRef<str>) -> Found {
    Found::Missing(safe(text))
}

/// Looks at everything the configuration names.
pub async fn all(config: &Config) -> Vec<Checked> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut all = vec![rules(config), store(config).await];
    all.extend(slack(config).await);
    all.extend(discord(config).await);
    if config.slack.is_none() && config.discord.is_none() {
        all.push(checked("platforms", missing("neither [slack] nor [discord] is configured: nobody could ask anything")));
    }
    all.extend(aws(config).await);
    all
}

fn rules(config: &Config) -> Checked {
    let found = match config.allow.len() {
        0 => missing("there is no [[allow]] rule: everything anybody asks is refused"),
        allow => fine(format!("{allow} that allow, {} that deny", config.deny.len())),
    };
    checked("rules", found)
}

async fn store(config: &Config) -> Checked {
    let found = match Store::open(&config.store.path, Clock::system()).await {
        Ok(store) => {
            store.close().await;
            let path = config.store.path.display();
            match network_disk(&config.store.path) {
                Some(kind) => {
                    open(format!("{path} is on a network disk ({kind}), whose locks cannot be relied on: name a local one"))
                }
                None => fine(format!("{path} can be used")),
            }
        }
        Err(OpenError::InUse(path)) => open(format!("{} is in use, so a bot is running", path.display())),
        Err(error) => missing(error.to_string()),
    };
    checked("store", found)
}

async fn slack(config: &Config) -> Vec<Checked> {
    let Some(settings) = &config.slack else { return Vec::new() };
    let tokens = match settings.fetch_tokens() {
        Ok(tokens) => tokens,
        Err(problems) => return problems.into_iter().map(|why| checked("Slack", missing(why))).collect(),
    };
    let mut all = Vec::new();
    let sources = match &settings.mode {
        SlackMode::Socket { app_token, .. } => [&settings.bot_token, app_token],
        SlackMode::Http { signing_secret } => [&settings.bot_token, signing_secret],
    };
    for source in sources.into_iter().filter(|source| source.is_readable_by_all()) {
        all.push(checked("Slack", missing(format!("{source} can be read by everybody on this machine: chmod 600"))));
    }
    match Slack::new(settings, &tokens, Lookups::default(), Clock::system()) {
        Err(error) => all.push(checked("Slack", missing(error.to_string()))),
        Ok(slack) => match slack.introduce().await {
            Err(error) => all.push(checked("Slack", missing(error.to_string()))),
            Ok(()) => {
                all.push(checked("Slack", scopes(slack.missing_scopes().await)));
                all.extend(slack.clock_ahead_by().await.and_then(skewed));
            }
        },
    }
    all
}

fn skewed(ahead_by: SignedDuration) -> Option<Checked> {
    let seconds = ahead_by.as_secs();
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    let why = format!("this machine's clock is {} s {way} Slack's: set it, or what is signed is refused", seconds.abs());
    (ahead_by.abs() > MOST_SKEW).then(|| checked("clock", missing(why)))
}

fn scopes(lacking: Option<Vec<&'static str>>) -> Found {
    match lacking.as_deref() {
        None => open("the token works; its scopes were not told"),
        Some([]) => fine("the token works and has all scopes"),
        Some(lacking) => {
            missing(format!("the token lacks the scopes {}: add them, and install the app again", lacking.join(", ")))
        }
    }
}

async fn discord(config: &Config) -> Vec<Checked> {
    let Some(settings) = &config.discord else { return Vec::new() };
    let mut all = Vec::new();
    if settings.bot_token.is_readable_by_all() {
        let why = format!("{} can be read by everybody on this machine: chmod 600", settings.bot_token);
        all.push(checked("Discord", missing(why)));
    }
    let discord = match settings.bot_token.fetch() {
        Ok(token) => Discord::new(settings, token, Clock::system()).map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    all.push(checked(
        "Discord",
        match discord {
            Err(why) => missing(why),
            Ok(discord) => match discord.check().await {
                Ok(name) => fine(format!("the token works, the bot is {name}")),
                Err(error) => missing(error.to_string()),
            },
        },
    ));
    all
}

/// Every account in the first of its regions: permissions are the account's.
async fn aws(config: &Config) -> Vec<Checked> {
    let accounts = match AwsAccounts::of(config).await {
        Ok(accounts) => accounts,
        Err(error) => return vec![checked("AWS", missing(error.to_string()))],
    };
    let mut all = Vec::new();
    for account in accounts.known() {
        let Some(region) = account.regions.first() else { continue };
        let choice = Choice { account: account.name.clone(), region: region.clone() };
        all.extend(permissions(&accounts, &choice).await);
    }
    all
}

async fn permissions(accounts: &dyn Accounts, choice: &Choice) -> Vec<Checked> {
    let name = choice.account.as_deref().unwrap_or("this account");
    let what = format!("AWS {name} in {}", choice.region);
    let connected = match accounts.connect(choice, &SecretRef::Name("any".to_owned())).await {
        Ok(connected) => connected,
        Err(error) => return vec![checked(what, missing(error.to_string()))],
    };
    let account = match connected.aws.verify().await {
        Err(error) => return vec![checked(what, missing(error.to_string()))],
        Ok(id) if connected.aws.account_id().is_some_and(|own| own != id) => {
            return vec![checked(what, missing("the credentials are of another account"))];
        }
        Ok(id) => id,
    };
    let found = preflight::permissions(&connected.aws, &connected.clock, &account).await;
    let allowed = found.iter().filter(|(_, permission)| *permission == Permission::Allowed).count();
    let mut all =
        vec![checked(&what, fine(format!("{allowed} of {} permissions are there, as far as made-up names tell", found.len())))];
    for (action, permission) in found {
        match permission {
            Permission::Allowed => {}
            Permission::Missing => all.push(checked(&what, missing(format!("allow {action}, as deploy/iam-policy.json does")))),
            Permission::MissingForOthers => {
                let why = "was refused for a made-up name: allow it as deploy/iam-policy.json does, unless your policy names resources on purpose";
                all.push(checked(&what, open(format!("{action} {why}"))));
            }
            Permission::Unknown(why) => all.push(checked(&what, open(format!("{action} could not be checked: {why}")))),
        }
    }
    all
}
