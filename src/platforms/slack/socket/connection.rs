//! One socket: frames in, acknowledgements out, and a heartbeat.

use super::super::Slack;
use super::super::failure::SlackFailure;
use super::super::payload::{CommandPayload, EventPayload, Interaction};
use super::super::receiver::{Receiver, SlackAck};
use super::SocketTimeouts;
use super::health::{Counted, SocketHealth};
use crate::clock::this_instant;
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

/// The largest message that is read, in bytes. A click comes with its whole message, at most fifty blocks.
const MAX_BYTES: usize = 1 << 20;

/// How many messages of a socket are worked on at once; Slack repeats what is not acknowledged.
const MAX_AT_ONCE: usize = 64;

/// A socket that said hello.
pub(super) struct SocketConnection {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    health: Arc<SocketHealth>,
    counted: Counted,
    rhythm: SocketTimeouts,
}

/// Why there is no socket.
#[derive(Debug)]
pub(super) enum NoConnection {
    /// Slack gave no address.
    Failed(SlackFailure),
    /// The address led nowhere; what happened, without the address.
    Broken(&'static str),
    /// Socket Mode is switched off in the app's settings.
    Disabled,
}

/// How a socket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketEnd {
    /// We were told to stop.
    Stopped,
    /// Closed, broken or silent.
    Lost,
    /// Socket Mode was switched off.
    Disabled,
}

/// What a text frame holds. Source: Slack, "Using Socket Mode".
#[derive(Deserialize)]
struct SocketFrame {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    accepts_response_payload: bool,
    #[serde(default)]
    reason: String,
}

impl SocketConnection {
    /// Opens a socket and waits for its hello.
    pub(super) async fn open(slack: &Arc<Slack>) -> Result<SocketConnection, NoConnection> {
        let rhythm = slack.rhythm;
        let opening = tokio::time::timeout(rhythm.opening, async {
            let address = slack.api.open_socket().await.map_err(NoConnection::Failed)?;
            let is_safe = address.0.scheme() == "wss" || (address.0.scheme() == "ws" && slack.api.is_local());
            if !is_safe {
                return Err(NoConnection::Broken("its address is not encrypted"));
            }
            let config = WebSocketConfig::default().max_message_size(Some(MAX_BYTES)).max_frame_size(Some(MAX_BYTES));
            // An error of the web socket names the address; nothing of it is repeated.
            let (mut stream, _) = connect_async_with_config(address.0.as_str(), Some(config), true)
                .await
                .map_err(|_| NoConnection::Broken("the socket could not be opened"))?;
            hello(&mut stream).await?;
            Ok(stream)
        });
        let stream = opening.await.unwrap_or(Err(NoConnection::Broken("the socket took too long to open")))?;
        slack.sockets.hear(this_instant());
        Ok(SocketConnection { stream, counted: slack.sockets.count(), health: Arc::clone(&slack.sockets), rhythm })
    }

    /// Takes what comes until the socket ends. `notify` is told when Slack announces the end.
    pub(super) async fn talk(
        mut self,
        receiver: Arc<Receiver>,
        notify: oneshot::Sender<()>,
        stop: CancellationToken,
    ) -> SocketEnd {
        let mut notify = Some(notify);
        let (acknowledge, mut acknowledged) = mpsc::channel(MAX_AT_ONCE);
        let slots = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let mut heard = this_instant();
        let mut ticks = tokio::time::interval(self.rhythm.ping_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            let outgoing = tokio::select! {
                () = stop.cancelled() => break SocketEnd::Stopped,
                Some(ack) = acknowledged.recv() => Message::text::<String>(ack),
                _ = ticks.tick() => {
                    if is_dead(heard, this_instant(), self.rhythm) {
                        tracing::warn!("a socket to Slack went silent");
                        break SocketEnd::Lost;
                    }
                    Message::Ping(bytes::Bytes::new())
                }
                received = self.stream.next() => {
                    let Some(Ok(message)) = received else { break SocketEnd::Lost };
                    heard = this_instant();
                    self.health.hear(heard);
                    match message {
                        Message::Close(_) => break SocketEnd::Lost,
                        Message::Text(text) => match read(text.as_str()) {
                            Some(frame) if frame.kind == "disconnect" && frame.reason == "link_disabled" => break SocketEnd::Disabled,
                            Some(frame) if frame.kind == "disconnect" => {
                                tracing::debug!("Slack asks for a new socket");
                                notify.take().map(|notify| notify.send(()));
                            }
                            Some(frame) => take(frame, &receiver, &slots, &acknowledge),
                            None => tracing::warn!("Slack sent something that is no message"),
                        },
                        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                    continue;
                }
            };
            match tokio::time::timeout(self.rhythm.writing, self.stream.send(outgoing)).await {
                Ok(Ok(())) => {}
                _ => break SocketEnd::Lost,
            }
        };
        let _ = tokio::time::timeout(self.rhythm.writing, self.stream.close(None)).await;
        drop(self.counted);
        end
    }
}

/// Nothing was heard for too long, although we ask every few seconds.
fn is_dead(heard: Instant, now: Instant, rhythm: SocketTimeouts) -> bool {
    now.saturating_duration_since(heard) > rhythm.silence
}

async fn hello(stream: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<(), NoConnection> {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        match read(text.as_str()) {
            Some(frame) if frame.kind == "hello" => return Ok(()),
            Some(frame) if frame.kind == "disconnect" && frame.reason == "link_disabled" => return Err(NoConnection::Disabled),
            Some(frame) if frame.kind == "disconnect" && frame.reason == "too_many_websockets" => {
                return Err(NoConnection::Broken("the app has ten sockets already; other processes use its token"));
            }
            _ => return Err(NoConnection::Broken("Slack did not say hello")),
        }
    }
    Err(NoConnection::Broken("the socket closed before Slack said hello"))
}

fn read(text: &str) -> Option<SocketFrame> {
    serde_json::from_str(text).ok()
}

/// Works on an envelope beside the others, and acknowledges it when it is stored.
fn take(frame: SocketFrame, receiver: &Arc<Receiver>, slots: &Arc<Semaphore>, acknowledge: &mpsc::Sender<String>) {
    let Some(envelope) = frame.envelope_id else { return };
    let Ok(slot) = Arc::clone(slots).try_acquire_owned() else {
        tracing::warn!("too much at once: Slack will send a message again");
        return;
    };
    let (receiver, acknowledge) = (Arc::clone(receiver), acknowledge.clone());
    tokio::spawn(async move {
        let work = AssertUnwindSafe(work(&receiver, &frame.kind, frame.payload)).catch_unwind();
        let ack = match work.await {
            Ok(SlackAck::Empty) => Some(json!({ "envelope_id": envelope })),
            Ok(SlackAck::Body(body)) if frame.accepts_response_payload => {
                Some(json!({ "envelope_id": envelope, "payload": body }))
            }
            Ok(SlackAck::Body(_)) => {
                tracing::warn!("Slack took no answer with an acknowledgement");
                Some(json!({ "envelope_id": envelope }))
            }
            Ok(SlackAck::Again) => None,
            Err(_) => {
                tracing::error!("a message from Slack ended in a panic");
                None
            }
        };
        if let Some(ack) = ack {
            // Where the socket has ended, Slack sends the message again on another one.
            let _ = acknowledge.send(ack.to_string()).await;
        }
        drop(slot);
    });
}

async fn work(receiver: &Receiver, kind: &str, payload: Value) -> SlackAck {
    let taken = match kind {
        "slash_commands" => match serde_json::from_value::<CommandPayload>(payload) {
            Ok(command) => Some(receiver.command(command).await),
            Err(_) => None,
        },
        "events_api" => match serde_json::from_value::<EventPayload>(payload) {
            Ok(event) => Some(receiver.event(event).await),
            Err(_) => None,
        },
        "interactive" => match serde_json::from_value::<Interaction>(payload) {
            Ok(interaction) => Some(receiver.interaction(interaction).await),
            Err(_) => None,
        },
        _ => None,
    };
    taken.unwrap_or_else(|| {
        // It would not be understood a second time either.
        tracing::warn!("Slack sent a message that the bot does not know");
        SlackAck::Empty
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_quiet_workspace_stays_connected_for_a_day_and_a_silent_socket_does_not() {
        let rhythm = SocketTimeouts::default();
        let start = this_instant();
        let day = Duration::from_secs(24 * 3600);
        let mut heard = start;
        let mut now = start;
        while now < start + day {
            // Each of our pings is answered, nothing else comes.
            now += rhythm.ping_every;
            assert!(!is_dead(heard, now, rhythm));
            heard = now;
        }
        let silent_since = heard;
        let noticed = (1..).map(|ticks| now + rhythm.ping_every * ticks).find(|now| is_dead(heard, *now, rhythm)).unwrap();
        assert!(noticed - silent_since <= rhythm.silence + rhythm.ping_every);
    }
}
