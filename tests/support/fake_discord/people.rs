//! People who type commands, click and write; and Discord's signature under what it sends.

use super::world::{APPLICATION, BOT, CHANNEL, GUILD, SentInteraction, USER, World};
use ed25519_dalek::{Signer as _, SigningKey};
use rotation_diag::clock::this_instant;
use serde_json::{Value, json};

/// Signs as Discord does.
pub(crate) struct Signer(SigningKey);

impl Signer {
    pub(crate) fn new() -> Signer {
        Signer(SigningKey::from_bytes(&[7; 32]))
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The signature of a request, in hexadecimal digits.
    pub(crate) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let signed = self.0.sign(&[timestamp.as_bytes(), body].concat());
        signed.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl World {
    /// An interaction of this type, as Discord sends it; `changed` replaces fields.
    pub(crate) fn interaction(&mut self, kind: u8, data: Value, changed: Value) -> Value {
        let id = self.new_id();
        let token = format!("aW50ZXJhY3Rpb246{id}_secret-token");
        self.said.insert(id, SentInteraction { token: token.clone(), at: this_instant(), answered: None, expired: false });
        let mut body = json!({
            "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind, "token": token, "version": 1,
            "guild_id": GUILD.to_string(), "channel_id": CHANNEL.to_string(),
            "channel": {"id": CHANNEL.to_string(), "type": 0, "guild_id": GUILD.to_string(), "name": "ops"},
            "member": {
                "user": {"id": USER.to_string(), "username": "alice", "discriminator": "0", "global_name": "Alice"},
                "roles": ["1080000000000000006"], "joined_at": "2024-01-01T00:00:00Z", "deaf": false, "mute": false,
                "flags": 0, "pending": false, "permissions": "2248473465835073",
            },
            "data": data, "locale": "en-GB", "guild_locale": "en-GB", "entitlements": [], "context": 0,
            "authorizing_integration_owners": {"0": GUILD.to_string()}, "app_permissions": "309237763072", "attachment_size_limit": 10_485_760,
        });
        for (name, value) in changed.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    /// `/rotation-diag` with options.
    pub(crate) fn command(&mut self, options: &[(&str, &str)]) -> Value {
        self.command_named("rotation-diag", options)
    }

    /// A command with options.
    pub(crate) fn command_named(&mut self, name: &str, options: &[(&str, &str)]) -> Value {
        let options = options.iter().map(|(name, value)| json!({"name": name, "type": 3, "value": value}));
        let data = json!({"id": "1", "name": name, "type": 1, "options": options.collect::<Vec<_>>()});
        self.interaction(2, data, json!({}))
    }

    /// A message command on a message.
    pub(crate) fn pointed_at(&mut self, message: &Value) -> Value {
        let id = message["id"].as_str().unwrap();
        let data = json!({
            "id": "1", "name": "Diagnose this alarm", "type": 3, "target_id": id, "resolved": {"messages": {id: message}},
        });
        self.interaction(2, data, json!({}))
    }

    /// A click on a button of a message in the channel.
    pub(crate) fn click(&mut self, custom_id: &str) -> Value {
        let data = json!({"custom_id": custom_id, "component_type": 2});
        self.interaction(3, data, json!({"message": {"id": "1", "channel_id": CHANNEL.to_string()}}))
    }

    /// A message of a person that the bot is not told of.
    pub(crate) fn say(&mut self, channel: u64, text: &str) {
        let id = self.new_id();
        let message = json!({"id": id.to_string(), "author": {"id": USER.to_string()}, "content": text});
        self.channels.get_mut(&channel).unwrap().messages.insert(id, message);
    }

    /// A message that mentions the bot.
    pub(crate) fn mention(&mut self, channel: u64, words: &str) -> Value {
        let id = self.new_id();
        self.channels.get_mut(&channel).unwrap().messages.insert(id, json!({"id": id.to_string()}));
        json!({
            "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": GUILD.to_string(), "type": 0,
            "author": {"id": USER.to_string(), "username": "alice"},
            "member": {
                "roles": ["1080000000000000006"], "joined_at": "2024-01-01T00:00:00Z", "deaf": false, "mute": false, "flags": 0,
            },
            "content": format!("<@{BOT}> {words}"), "mentions": [{"id": BOT.to_string(), "username": "rotation", "bot": true}],
        })
    }
}
