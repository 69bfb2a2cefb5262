//! The gateway.

use super::Event;
use super::world::{APPLICATION, BOT, World};
use futures::{SinkExt as _, StreamExt as _};
use rotation_diag::clock::this_instant;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_util::sync::CancellationToken;

/// What happens to the open connection.
#[derive(Debug)]
pub(crate) enum Control {
    /// A frame is sent.
    Send(Value),
    /// It is closed with a code.
    Close(u16),
    /// It breaks.
    Break,
}

/// What Discord wants between two sessions, less what clocks and threads differ.
const BETWEEN_SESSIONS: Duration = Duration::from_millis(4_900);

const SESSION: &str = "session-of-the-fake";

pub(super) async fn serve(listener: TcpListener, world: Arc<Mutex<World>>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&world), stop.clone()));
            }
        }
    }
}

async fn converse(stream: TcpStream, world: Arc<Mutex<World>>, stop: CancellationToken) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (sender, mut controls) = mpsc::unbounded_channel();
    let interval = world.lock().unwrap().heartbeat.as_millis() as u64;
    let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": interval } });
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(control) = controls.recv() => match control {
                Control::Send(frame) => {
                    let _ = socket.send(Message::text(frame.to_string())).await;
                }
                Control::Close(code) => {
                    let frame = CloseFrame { code: code.into(), reason: "".into() };
                    let _ = socket.close(Some(frame)).await;
                    return;
                }
                Control::Break => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let answers = take(&serde_json::from_str(&text).unwrap(), &world, &sender);
                    for answer in answers {
                        let _ = socket.send(Message::text(answer.to_string())).await;
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map(|frame| frame.code.into());
                    world.lock().unwrap().happened(Event::Left(code));
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

fn take(frame: &Value, world: &Mutex<World>, sender: &mpsc::UnboundedSender<Control>) -> Vec<Value> {
    let mut world = world.lock().unwrap();
    let body = &frame["d"];
    match frame["op"].as_u64() {
        Some(1) => {
            world.beats += 1;
            world.noted();
            if world.is_mute { Vec::new() } else { vec![json!({ "op": 11, "s": null, "t": null, "d": null })] }
        }
        Some(2) => {
            let is_whole = body["properties"]["os"].is_string() && body["intents"].is_u64();
            if body["token"] != world.token.as_str() || !is_whole {
                world.violations.push("an invalid IDENTIFY".to_owned());
            }
            let now = this_instant();
            if world.sessions_left == 0 && now < world.sessions_after {
                world.violations.push("a session too many".to_owned());
            }
            if world.last_session.is_some_and(|last| now < last + BETWEEN_SESSIONS) {
                world.violations.push("two sessions within five seconds".to_owned());
            }
            world.last_session = Some(now);
            world.sessions_left = world.sessions_left.saturating_sub(1);
            world.connection = Some(sender.clone());
            world.dispatched.clear();
            let resume_at = world.gateway_url.clone();
            let guilds: Vec<Value> = world.guilds.iter().map(|id| json!({"id": id.to_string(), "unavailable": true})).collect();
            world.dispatch(
                "READY",
                json!({
                    "v": 10, "session_id": SESSION, "resume_gateway_url": resume_at, "guilds": guilds,
                    "user": {"id": BOT.to_string(), "username": "rotation", "bot": true},
                    "application": {"id": APPLICATION.to_string(), "flags": 0},
                }),
            );
            // Source: Discord developer documentation, "Gateway Intents": with GUILDS the servers follow.
            if body["intents"].as_u64().is_some_and(|intents| intents & 1 == 1) {
                for id in world.guilds.clone() {
                    let guild =
                        json!({"id": id.to_string(), "name": "Example", "unavailable": false, "channels": [], "threads": []});
                    world.dispatch("GUILD_CREATE", guild);
                }
            }
            world.happened(Event::Identified);
            Vec::new()
        }
        Some(6) => {
            let seen = body["seq"].as_u64().unwrap_or_default();
            if world.refuses_to_resume {
                world.happened(Event::Resumed { seen });
                let _ = sender.send(Control::Break);
                return Vec::new();
            }
            if body["token"] != world.token.as_str() || body["session_id"] != SESSION {
                world.violations.push("an invalid RESUME".to_owned());
                return vec![json!({ "op": 9, "s": null, "t": null, "d": false })];
            }
            world.connection = Some(sender.clone());
            world.happened(Event::Resumed { seen });
            let missed = world.dispatched.iter().skip(usize::try_from(seen).unwrap()).cloned();
            let last = world.dispatched.len();
            missed.chain([json!({ "op": 0, "s": last, "t": "RESUMED", "d": {} })]).collect()
        }
        op => {
            world.violations.push(format!("gateway operation {op:?}"));
            Vec::new()
        }
    }
}
