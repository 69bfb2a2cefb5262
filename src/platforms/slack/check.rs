//! Slack: tokens, scopes, sockets, the workspace and the channels that the rules name.

use super::config::{SlackConfig, SlackMode};
use super::{Lookups, NAME, Presence, Slack};
use crate::chat::setup::{CheckResult, Checked, channels, checked, exposed, fine, missing, open, workspaces};
use crate::clock::Clock;
use crate::config::Config;
use jiff::SignedDuration;

/// How far clocks may differ; AWS and Slack refuse at five minutes.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(1);

pub(super) async fn check(config: &Config) -> Vec<Checked> {
    let Some(settings) = config.platforms.of::<SlackConfig>() else { return Vec::new() };
    let tokens = match settings.fetch_tokens() {
        Ok(tokens) => tokens,
        Err(problems) => {
            let left_out = |why| checked("Slack", missing(format!("{why}; without its tokens Slack is left out")));
            return problems.into_iter().map(left_out).collect();
        }
    };
    let sources = match &settings.mode {
        SlackMode::Socket { app_token, .. } => [&settings.bot_token, app_token],
        SlackMode::Http { signing_secret } => [&settings.bot_token, signing_secret],
    };
    let mut all: Vec<Checked> = sources.into_iter().filter_map(|source| exposed("Slack", source)).collect();
    let slack = match Slack::new(settings, &tokens, Lookups::default(), Clock::system()) {
        Ok(slack) => slack,
        Err(error) => return vec![checked("Slack", missing(error.to_string()))],
    };
    // The bot's own token does not say anything about the other one.
    if let Err(why) = slack.check_sockets().await {
        all.push(checked("Slack", missing(why)));
    }
    if let Err(error) = slack.introduce().await {
        all.push(checked("Slack", missing(error.to_string())));
        return all;
    }
    let whereabouts = slack.whereabouts().unwrap_or_default();
    all.push(checked("Slack", scopes(&whereabouts, slack.missing_scopes().await)));
    all.extend(slack.clock_ahead_by().await.and_then(skewed));
    // An app of a whole organization is in every workspace that is named.
    let named = match slack.workspace() {
        Some(own) => {
            all.extend(elsewhere(config, own));
            vec![own]
        }
        None => workspaces(config, NAME).into_iter().collect(),
    };
    for channel in named.into_iter().flat_map(|workspace| channels(config, NAME, workspace)) {
        let what = || format!("Slack channel {channel}");
        all.push(checked(what(), presence(slack.presence(channel).await)));
        if slack.is_shared(channel).await == Some(true) {
            all.push(checked(what(), open(SHARED)));
        }
    }
    all
}

/// What is said of a channel that Slack Connect shares.
const SHARED: &str = "another organization shares it: its people read what is posted there, and can ask for nothing";

fn elsewhere(config: &Config, workspace: &str) -> impl Iterator<Item = Checked> {
    workspaces(config, NAME).into_iter().filter(move |named| *named != workspace).map(move |named| {
        let why = format!("a rule or route names the workspace {named}, and the bot token is of {workspace}: it has no effect");
        checked("Slack", missing(why))
    })
}

fn presence(presence: Presence) -> CheckResult {
    match presence {
        Presence::Member => fine("the bot is in it"),
        Presence::Stranger => missing(
            "the bot is not in it, or there is no such channel: write /invite @rotation-diag there (a private channel is seen by its members alone)",
        ),
        Presence::Unknown(why) => open(format!("whether the bot is in it could not be determined: {why}")),
    }
}

fn skewed(ahead_by: SignedDuration) -> Option<Checked> {
    let seconds = ahead_by.as_secs();
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    let why = format!("this machine's clock is {} s {way} Slack's: set it, or what is signed is refused", seconds.abs());
    (ahead_by.abs() > MAX_SKEW).then(|| checked("clock", missing(why)))
}

fn scopes(whereabouts: &str, lacking: Option<Vec<&'static str>>) -> CheckResult {
    match lacking.as_deref() {
        None => open(format!("the token works, {whereabouts}; its scopes are unknown")),
        Some([]) => fine(format!("the token works and has all scopes, {whereabouts}")),
        Some(lacking) => missing(format!(
            "the token lacks the scopes {}: add them under OAuth & Permissions, and install the app again",
            lacking.join(", ")
        )),
    }
}
