//! As whom and in which servers the bot is there, for the operator at the start.

use super::Discord;
use super::command;
use super::rest::{Call, RestFailure};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::redact::SafeText;
use crate::safe_format;
use serde::Deserialize;
use std::time::Duration;

/// The waits before Discord is asked again.
const AGAIN: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120)];
/// Servers that are named; the others are counted.
const MAX_NAMED: usize = 20;
/// Servers that Discord tells at once. Source: Discord developer documentation, "Get Current User Guilds": at most 200.
const PAGE: usize = 200;

#[derive(Deserialize)]
struct Named {
    id: Snowflake,
    #[serde(default, alias = "username")]
    name: String,
}

impl Named {
    fn shown(&self) -> SafeText {
        let name = SafeText::redact(&self.name).single_line();
        safe_format!("{} ({})", name, SafeText::redact(&self.id.to_string()))
    }
}

impl Discord {
    /// Tells the operator who and where the bot is, and in which of the configuration's servers it is not.
    pub(super) async fn introduce(&self) {
        for wait in AGAIN {
            match self.presence().await {
                Ok((me, servers)) => return self.tell_presence(&me, &servers),
                Err(failure) => tracing::info!("Discord did not say where the bot is: {}", command::why(&failure)),
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Who the bot is among the authors of messages.
    pub(super) async fn me(&self) -> Result<Snowflake, RestFailure> {
        if let Some(me) = self.me.get() {
            return Ok(*me);
        }
        let me = super::rest::id(&self.rest.send(Call::get(Route::Me)).await?)?;
        Ok(*self.me.get_or_init(|| me))
    }

    async fn presence(&self) -> Result<(Named, Vec<Named>), RestFailure> {
        let unread = |_| RestFailure::Lost("the answer could not be read");
        let me: Named = serde_json::from_value(self.rest.send(Call::get(Route::Me)).await?).map_err(unread)?;
        let _ = self.me.set(me.id);
        let servers = self.rest.send(Call::get(Route::MyGuilds)).await?;
        Ok((me, serde_json::from_value(servers).map_err(unread)?))
    }

    fn tell_presence(&self, me: &Named, servers: &[Named]) {
        let bot = me.shown();
        let named: Vec<String> = servers.iter().take(MAX_NAMED).map(|server| server.shown().to_string()).collect();
        let (named, more) = (named.join(", "), servers.len().saturating_sub(MAX_NAMED));
        match (servers.len(), more) {
            (0, _) => tracing::error!("on Discord as {bot}, but in no server: invite the bot to one"),
            (1, _) => tracing::info!("on Discord as {bot}, in one server: {named}"),
            (count, 0) => tracing::info!("on Discord as {bot}, in {count} servers: {named}"),
            (count, more) => tracing::info!("on Discord as {bot}, in {count} servers or more: {named}, and {more} others"),
        }
        let is_in = |guild: Snowflake| servers.iter().any(|server| server.id == guild);
        for guild in self.guilds.iter().filter(|guild| !is_in(**guild) && servers.len() < PAGE) {
            tracing::error!("the bot is not in the server {guild}, which discord.guilds names: invite it, or correct the id");
        }
    }
}
