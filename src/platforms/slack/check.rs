//! Slack: tokens, scopes, sockets, the workspace and the channels that the rules name.

use super::config::{SlackConfig, SlackMode};
use super::{Lookups, NAME, Presence, Slack};
use crate::chat::setup::{CheckResult, Checked, channels, checked, clock, exposed, fine, missing, open, workspaces};
use crate::clock::Clock;
use crate::config::Config;

pub(super) async fn check(config: &Config) -> Vec<Checked> {
    let Some(settings) = config.platforms.of::<SlackConfig>() else { return Vec::new() };
    let tokens = match settings.fetch_tokens() {
        Ok(tokens) => tokens,
        Err(problems) => {
            let left_out = |why| checked("Slack", missing(format!("{why}; without its tokens Slack is left out")));
            return problems.into_iter().map(left_out).collect();
        }
    };
    let inbound = match &settings.mode {
        SlackMode::Socket { app_token, .. } => vec![app_token],
        SlackMode::Http { signing_secret, next_signing_secret } => {
            [Some(signing_secret), next_signing_secret.as_ref()].into_iter().flatten().collect()
        }
    };
    let sources = [&settings.bot_token].into_iter().chain(inbound);
    let mut all: Vec<Checked> = sources.filter_map(|source| exposed("Slack", source)).collect();
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
    all.extend(slack.clock_ahead_by().await.map(|ahead_by| clock("Slack", "Slack", ahead_by)));
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
