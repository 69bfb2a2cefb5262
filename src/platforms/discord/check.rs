//! Discord: the token, the servers, the command, and what the bot may do in the channels that the rules name.

use super::config::{DiscordConfig, DiscordMode};
use super::{Discord, NAME, needed};
use crate::chat::setup::{CheckResult, Checked, channels, checked, clock, exposed, fine, missing, open, workspaces};
use crate::clock::Clock;
use crate::config::{Callee, Config};
use std::collections::BTreeSet;

pub(super) async fn check(config: &Config) -> Vec<Checked> {
    let Some(settings) = config.platforms.of::<DiscordConfig>() else { return Vec::new() };
    let mut all: Vec<Checked> = exposed("Discord", &settings.bot_token).into_iter().collect();
    let discord = match settings.bot_token.fetch() {
        Ok(token) => Discord::new(settings, token, Clock::system()).map_err(|error| error.to_string()),
        Err(why) => Err(format!("{why}; without its token Discord is left out")),
    };
    let named = match discord {
        Ok(discord) => discord.check().await.map(|name| (name, discord)).map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    let (name, discord) = match named {
        Ok(named) => named,
        Err(why) => {
            all.push(checked("Discord", missing(why)));
            return all;
        }
    };
    all.push(checked("Discord", fine(format!("the token works, the bot is {name}"))));
    all.extend(discord.clock_ahead_by().map(|ahead_by| clock("Discord", "Discord", ahead_by)));
    if settings.mode == DiscordMode::Gateway {
        all.push(checked("Discord", gateway(&discord).await));
    }
    if let Err(error) = discord.check_interactions(settings.public_key.as_ref()).await {
        all.push(checked("Discord", missing(error.to_string())));
    }
    match discord.servers().await {
        Err(error) => all.push(checked("Discord", open(format!("its servers could not be listed: {error}")))),
        Ok(servers) => all.extend(in_servers(config, &discord, settings.application_id, &servers).await),
    }
    all
}

/// The intents that the bot asks for are none of those that Discord has to approve.
async fn gateway(discord: &Discord) -> CheckResult {
    match discord.sessions_left().await {
        Ok((0, total)) => missing(format!(
            "all {total} sessions of a day are used up: something starts again and again with this token; wait for a day, or make a new token"
        )),
        Ok((left, total)) => {
            fine(format!("its gateway takes {left} of {total} more sessions today; no privileged intent is needed"))
        }
        Err(error) => open(format!("its gateway could not be asked for: {error}")),
    }
}

async fn in_servers(config: &Config, discord: &Discord, application: u64, servers: &[String]) -> Vec<Checked> {
    let invite = format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={}",
        needed().bits()
    );
    if servers.is_empty() {
        return vec![checked("Discord", missing(format!("the bot is in no server: invite it with {invite}")))];
    }
    let listed: Vec<String> =
        config.platforms.of::<DiscordConfig>().iter().flat_map(|discord| &discord.guilds).map(ToString::to_string).collect();
    let named: BTreeSet<&str> = workspaces(config, NAME).into_iter().chain(listed.iter().map(String::as_str)).collect();
    let mut all = Vec::new();
    for guild in named {
        let what = format!("Discord server {guild}");
        if !servers.iter().any(|server| server == guild) {
            all.push(checked(what, missing(format!("the bot is not in it: invite it with {invite}, or correct the id"))));
            continue;
        }
        if !listed.is_empty() && !listed.iter().any(|one| one == guild) {
            all.push(checked(&what, missing("discord.guilds does not name it, so its people have no slash command")));
        }
        if let Err(error) = discord.check_commands(guild).await {
            all.push(checked(&what, missing(error.to_string())));
        }
        for channel in channels(config, NAME, guild) {
            let found = rights(config, discord, guild, channel).await;
            all.extend(found.into_iter().map(|found| checked(format!("Discord channel {channel}"), found)));
        }
    }
    all
}

async fn rights(config: &Config, discord: &Discord, guild: &str, channel: &str) -> Vec<CheckResult> {
    let rights = match discord.rights(guild, channel).await {
        Ok(rights) => rights,
        Err(error) => return vec![missing(format!("{error}: let the bot see it, or correct the id"))],
    };
    let lacking = rights.lacking().join(", ");
    let mut all = vec![match (rights.may_write(), lacking.is_empty()) {
        (true, true) => fine("the bot may do what it needs there"),
        (true, false) => open(format!("the bot lacks {lacking} there, and works without: its role or the channel can allow it")),
        (false, _) => {
            missing(format!("the bot may not write there, it lacks {lacking}: allow its role that in the channel's settings"))
        }
    }];
    let alarm_routes = || {
        let routes = config.alarms.routes.iter();
        routes.filter(|route| route.place.platform == NAME && route.place.channel == channel)
    };
    if rights.is_forum() && !rights.may_begin_posts() && alarm_routes().next().is_some() {
        all.push(missing(
            "it is a forum, and the bot may not begin posts there: allow its role Create Posts in the forum's settings",
        ));
    }
    let calls = alarm_routes().any(|route| matches!(route.mention, Some(Callee::Here | Callee::Group(_))));
    if calls && !rights.may_mention() {
        all.push(missing(
            "alarms.route.mention would mention nobody: allow the bot's role Mention @everyone, @here, and All Roles there",
        ));
    }
    all
}
