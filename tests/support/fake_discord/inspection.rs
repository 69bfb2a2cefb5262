//! What Discord tells of servers, roles and channels.

use super::people::Signer;
use super::world::{APPLICATION, BOT, Channel, GUILD, Lacking, OWN_ROLE, World};
use serde_json::{Value, json};

/// View, send, embed, attach, read history, public threads, send in threads. Source: Discord developer documentation,
/// "Permissions", "Bitwise Permission Flags".
pub(super) const NEEDED: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 35 | 1 << 38;

fn bit(lacking: Lacking) -> u64 {
    match lacking {
        Lacking::View => 1 << 10,
        Lacking::Send => 1 << 11,
        Lacking::Embed => 1 << 14,
        Lacking::Attach => 1 << 15,
        Lacking::History => 1 << 16,
        Lacking::OpenThreads => 1 << 35,
        Lacking::SendInThreads => 1 << 38,
    }
}

/// A status with Discord's code.
type Refusal = (u16, u64);

impl World {
    pub(super) fn application(&self) -> Value {
        let key: String = Signer::new().public_key().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({
            "id": APPLICATION.to_string(), "name": "rotation", "verify_key": key,
            "interactions_endpoint_url": self.interactions_url,
        })
    }

    /// A channel, with what is denied to the bot there as an overwrite in its own name.
    pub(super) fn described(&self, id: u64, channel: &Channel) -> Value {
        let denied = channel.lacking.iter().fold(0, |all, one| all | bit(*one));
        json!({
            "id": id.to_string(), "type": channel.kind, "name": channel.name, "parent_id": channel.parent.map(|id| id.to_string()),
            "available_tags": if channel.needs_tag {
                json!([{ "id": "31", "name": "staff", "moderated": true }, { "id": "32", "name": "incident", "moderated": false }])
            } else {
                json!([])
            },
            "guild_id": (channel.kind != 1).then(|| GUILD.to_string()),
            "permission_overwrites": [{ "id": BOT.to_string(), "type": 1, "allow": "0", "deny": denied.to_string() }],
        })
    }

    pub(super) fn roles(&self, guild: u64) -> Result<Value, Refusal> {
        self.joined(guild)?;
        Ok(json!([
            { "id": guild.to_string(), "name": "@everyone", "permissions": self.everyone.to_string() },
            { "id": OWN_ROLE.to_string(), "name": "rotation", "permissions": "0", "managed": true, "tags": { "bot_id": BOT.to_string() } },
        ]))
    }

    pub(super) fn member(&self, guild: u64, user: u64) -> Result<Value, Refusal> {
        self.joined(guild)?;
        // Unknown Member.
        if user == BOT { Ok(json!({ "roles": [], "user": { "id": BOT.to_string() } })) } else { Err((404, 10_007)) }
    }

    pub(super) fn commands_of(&self, guild: u64) -> Result<Value, Refusal> {
        self.joined(guild)?;
        if self.lacks_commands {
            Err((403, 50_001))
        } else {
            Ok(self.commands.get(&Some(guild)).cloned().unwrap_or_else(|| json!([])))
        }
    }

    /// Source: Discord developer documentation, "JSON Error Codes": 10004, unknown guild.
    fn joined(&self, guild: u64) -> Result<(), Refusal> {
        if self.guilds.contains(&guild) { Ok(()) } else { Err((404, 10_004)) }
    }
}
