//! What people do, and how Slack tells the bot.

use super::world::{BOT_USER, OTHER_TEAM, Posted, STRANGER, SentEnvelope, TEAM};
use super::{FakeSlack, now};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Something that was sent over a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope(pub String);

/// The signature of a body. Source: Slack, "Verifying requests from Slack".
pub(crate) fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    format!("v0={}", mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl FakeSlack {
    pub(crate) fn trigger(&self) -> String {
        let mut world = self.world();
        let trigger = format!("{}.canarytrigger", world.next());
        world.triggers.push(trigger.clone());
        trigger
    }

    pub(crate) fn response_url(&self) -> String {
        let mut world = self.world();
        let url = format!("http://{}/response/canaryresponse{}", self.web, world.next());
        world.response_urls.push(url.clone());
        url
    }

    /// The payload of `/rotation-diag text`.
    pub(crate) fn command_payload(&self, user: &str, channel: &str, text: &str) -> Value {
        json!({
            "token": "canaryverification", "team_id": TEAM, "team_domain": "example", "channel_id": channel, "channel_name": "ops",
            "user_id": user, "user_name": "someone", "command": "/rotation-diag", "text": text, "api_app_id": "A1",
            "is_enterprise_install": "false", "response_url": self.response_url(), "trigger_id": self.trigger(),
        })
    }

    /// The payload of a message that mentions the bot.
    pub(crate) fn mention_payload(&self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> Value {
        let (ts, event) = {
            let mut world = self.world();
            (world.next_ts(), world.next())
        };
        let mut inner = json!({
            "type": "app_mention", "user": user, "text": format!("<@{BOT_USER}> {text}"), "ts": ts, "channel": channel,
            "event_ts": ts, "team": TEAM, "client_msg_id": "7c2c0c2e", "blocks": [{ "type": "rich_text", "elements": [] }],
        });
        if let Some(thread) = thread {
            inner["thread_ts"] = json!(thread);
        }
        self.event_payload(inner, event)
    }

    /// A mention by somebody of another organization in a shared channel, as Slack tells it: the envelope says that the channel
    /// is shared and through which installation the app sees it. `names` are the fields in which the event names the sender's
    /// own workspace; messages come with all, one or none of them.
    ///
    /// Sources: Slack, "Events API", "Callback field overview"; Slack, "Understanding Slack Connect"; bolt-python's
    /// `extract_team_id`, which reads the installation instead of the envelope's workspace for such events.
    pub(crate) fn strangers_mention(&self, channel: &str, text: &str, names: &[&str]) -> Value {
        let mut payload = self.mention_payload(STRANGER, channel, text, None);
        payload["is_ext_shared_channel"] = json!(true);
        payload["context_team_id"] = json!(TEAM);
        payload["context_enterprise_id"] = Value::Null;
        payload["event"].as_object_mut().unwrap().remove("team");
        for name in names {
            if *name == "envelope" {
                payload["team_id"] = json!(OTHER_TEAM);
            } else {
                payload["event"][*name] = json!(OTHER_TEAM);
            }
        }
        payload
    }

    /// An event in its callback.
    pub(crate) fn event_payload(&self, event: Value, number: usize) -> Value {
        json!({
            "token": "canaryverification", "team_id": TEAM, "api_app_id": "A1", "event": event, "type": "event_callback",
            "event_id": format!("Ev{number}"), "event_time": 1_764_000_000,
            "authorizations": [{ "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true }],
        })
    }

    /// The payload of a click on a button of a message, or on an entry of a menu.
    pub(crate) fn click_payload(&self, user: &str, channel: &str, ts: &str, value: &str) -> Value {
        let post = self.world().message(channel, ts).expect("the message that is clicked").clone();
        self.click_payload_of(user, &post, value)
    }

    /// The same in a message as someone still has it on the screen.
    pub(crate) fn click_payload_of(&self, user: &str, post: &Posted, value: &str) -> Value {
        let elements: Vec<Value> =
            post.blocks.as_array().unwrap().iter().filter_map(|block| block["elements"].as_array().cloned()).flatten().collect();
        let action = elements
            .iter()
            .find_map(|element| {
                let option =
                    element["options"].as_array().and_then(|options| options.iter().find(|option| option["value"] == value));
                match option {
                    Some(option) => {
                        Some(json!({ "type": "static_select", "action_id": element["action_id"], "selected_option": option }))
                    }
                    None if element["value"] == value => Some(
                        json!({ "type": "button", "action_id": element["action_id"], "value": value, "text": element["text"] }),
                    ),
                    None => None,
                }
            })
            .unwrap_or_else(|| panic!("no button means {value}"));
        self.interaction(user, &post.channel, &post.ts, post.thread.as_deref(), action)
    }

    /// A click on anything, whether the message has it or not.
    pub(crate) fn interaction(&self, user: &str, channel: &str, ts: &str, thread: Option<&str>, action: Value) -> Value {
        let mut message = json!({ "type": "message", "ts": ts, "bot_id": "BBOT", "text": "…" });
        if let Some(thread) = thread {
            message["thread_ts"] = json!(thread);
        }
        json!({
            "type": "block_actions", "team": { "id": TEAM, "domain": "example" }, "api_app_id": "A1", "token": "canaryverification",
            "user": { "id": user, "username": "someone", "team_id": TEAM },
            "container": { "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false },
            "trigger_id": self.trigger(), "response_url": self.response_url(), "channel": { "id": channel, "name": "ops" },
            "message": message, "state": { "values": {} }, "actions": [action], "enterprise": null, "is_enterprise_install": false,
        })
    }

    /// A click in the bot's home.
    pub(crate) fn home_click(&self, user: &str, action_id: &str) -> Value {
        json!({
            "type": "block_actions", "team": { "id": TEAM, "domain": "example" }, "user": { "id": user, "team_id": TEAM },
            "api_app_id": "A1", "container": { "type": "view", "view_id": "VHOME" }, "trigger_id": self.trigger(),
            "view": { "id": "VHOME", "type": "home" }, "actions": [{ "type": "button", "action_id": action_id }],
        })
    }

    /// A shortcut that was used on a message.
    pub(crate) fn shortcut(&self, user: &str, callback: &str, channel: &str, message: Value) -> Value {
        json!({
            "type": "message_action", "callback_id": callback, "team": { "id": TEAM, "domain": "example" }, "api_app_id": "A1",
            "user": { "id": user, "username": "someone", "team_id": TEAM, "name": "someone" }, "token": "canaryverification",
            "channel": { "id": channel, "name": "ops" }, "message_ts": message["ts"], "message": message,
            "trigger_id": self.trigger(), "response_url": self.response_url(), "action_ts": "1764000000.000001",
            "is_enterprise_install": false, "enterprise": null,
        })
    }

    /// A dialog that was filled in and sent off: block and value, or block and channel.
    pub(crate) fn submission(&self, user: &str, callback: &str, fields: &[(&str, Value)]) -> Value {
        let number = self.world().next();
        let values: serde_json::Map<String, Value> =
            fields.iter().map(|(block, filled)| ((*block).to_owned(), json!({ *block: filled }))).collect();
        // Source: Slack, "Handling user interaction", "Modals and response URLs": for a menu with response_url_enabled.
        let channel = fields.iter().find_map(|(_, filled)| filled["selected_conversation"].as_str());
        let urls: Vec<Value> = channel
            .map(|channel| {
                json!({ "block_id": "channel", "action_id": "channel", "channel_id": channel, "response_url": self.response_url() })
            })
            .into_iter()
            .collect();
        json!({
            "type": "view_submission", "team": { "id": TEAM, "domain": "example" }, "user": { "id": user, "team_id": TEAM },
            "api_app_id": "A1", "trigger_id": self.trigger(), "response_urls": urls,
            "view": { "id": format!("V{number}"), "team_id": TEAM, "app_installed_team_id": TEAM, "type": "modal",
                      "callback_id": callback, "hash": "1.x", "state": { "values": values } },
        })
    }

    /// Sends a payload over a socket, as Slack does.
    pub(crate) fn deliver(&self, kind: &str, payload: Value) -> Envelope {
        let id = format!("envelope-{}", self.world().next());
        let body = json!({
            "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api",
        });
        let sent = SentEnvelope {
            kind: kind.to_owned(),
            body: body.clone(),
            at: now(),
            acknowledged_after: None,
            answer: None,
            may_stay_open: false,
            acknowledgements: 0,
        };
        self.world().envelopes.insert(id.clone(), sent);
        self.send_frame(None, &body);
        Envelope(id)
    }

    /// Sends an envelope again, on the socket with this id or on the newest.
    pub(crate) fn deliver_again(&self, envelope: &Envelope, socket: Option<usize>) {
        let body = {
            let mut world = self.world();
            let sent = world.envelopes.get_mut(&envelope.0).unwrap();
            sent.acknowledged_after = None;
            sent.at = now();
            sent.body.clone()
        };
        self.send_frame(socket, &body);
    }

    /// Waits for an envelope's acknowledgement; its payload, if it has one.
    pub(crate) async fn acknowledged(&self, envelope: &Envelope) -> Option<Value> {
        let id = envelope.0.clone();
        self.until("an acknowledgement", move |world| {
            let sent = world.envelopes.get(&id)?;
            sent.acknowledged_after.map(|_| sent.answer.clone())
        })
        .await
    }

    /// This envelope need not be acknowledged.
    pub(crate) fn may_stay_open(&self, envelope: &Envelope) {
        self.world().envelopes.get_mut(&envelope.0).unwrap().may_stay_open = true;
    }
}
