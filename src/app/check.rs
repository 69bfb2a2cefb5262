//! What is missing before the bot can work: rules, the store, what comes in over HTTP, the platforms, each permission by
//! name, the way of alarms. Nothing is sent to anybody, and nothing is changed.

mod alarms;
mod aws;
mod discord;
mod http;
mod page;
mod rules;
mod slack;
mod store;

use crate::bot::AwsAccounts;
use crate::config::{Config, Ids, TokenSource};
use crate::model::PlatformName;
use crate::redact::SafeText;
use std::collections::BTreeSet;

/// Channels of one platform that are looked at, at most: each is a request or two.
const MAX_CHANNELS: usize = 50;

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
    let mut all = rules::check(config);
    all.push(store::check(config).await);
    all.extend(http::check(config));
    all.extend(page::check(config));
    all.extend(slack::check(config).await);
    all.extend(discord::check(config).await);
    match AwsAccounts::of(config).await {
        Ok(accounts) => {
            all.extend(aws::check(&accounts).await);
            all.extend(alarms::check(config, &accounts).await);
        }
        Err(error) => all.push(checked("AWS", missing(error.to_string()))),
    }
    all
}

/// True where somebody calls the bot over HTTP: Slack, Discord or SNS, or people who open the page.
fn answers_over_http(config: &Config) -> bool {
    config.console.is_some() || !http::callers(config).is_empty()
}

/// A token that everybody on this machine can read.
fn exposed(what: &str, source: &TokenSource) -> Option<Checked> {
    let why = || format!("{source} can be read by everybody on this machine: chmod 600");
    source.is_readable_by_all().then(|| checked(what, missing(why())))
}

/// The channels of a platform that rules and routes name, in the workspace or server `workspace`.
fn channels<'a>(config: &'a Config, platform: PlatformName, workspace: &str) -> Vec<&'a str> {
    let allowed = (config.allow.iter())
        .filter(|rule| rule.platform == Some(platform) && rule.workspace.as_deref() == Some(workspace))
        .filter_map(|rule| match rule.channels.as_ref()? {
            Ids::Only(ids) => Some(ids),
            Ids::Any => None,
        })
        .flatten()
        .map(String::as_str);
    let told = (config.alarms.routes.iter())
        .filter(|route| route.place.platform == platform && route.place.workspace == workspace)
        .map(|route| route.place.channel.as_str());
    allowed.chain(told).collect::<BTreeSet<&str>>().into_iter().take(MAX_CHANNELS).collect()
}

/// The workspaces or servers of a platform that rules and routes name.
fn workspaces(config: &Config, platform: PlatformName) -> BTreeSet<&str> {
    let rules = config.allow.iter().filter(|rule| rule.platform == Some(platform)).filter_map(|rule| rule.workspace.as_deref());
    let routes = config.alarms.routes.iter().filter(|route| route.place.platform == platform);
    rules.chain(routes.map(|route| route.place.workspace.as_str())).collect()
}
