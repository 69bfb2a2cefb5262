//! One WebSocket connection to the gateway.

use super::chance;
use super::ending::{End, of_close};
use crate::clock::deadline;
use crate::platforms::discord::pulse::GatewayPulse;
use futures::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serenity::constants::Opcode;
use serenity::model::gateway::GatewayIntents;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;

/// How long it may take to be connected and greeted.
const OPENING: Duration = Duration::from_secs(15);
/// How long sending may take.
const SENDING: Duration = Duration::from_secs(10);
/// The largest payload that is read, in bytes: a server with all the channels, roles and threads it may have is smaller.
const MAX_BYTES: usize = 16 << 20;
/// Bounds of the time between two heartbeats; Discord asks for about forty seconds.
const BEATS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// The code that closes a connection and keeps its session.
const KEEP_SESSION: u16 = 4_000;

/// A connection that was greeted.
pub(super) struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    interval: Duration,
    next_beat: Instant,
    is_answered: bool,
    seen: Option<u64>,
}

/// Something that happened.
pub(super) struct Dispatch {
    pub(super) name: String,
    pub(super) number: u64,
    pub(super) body: Value,
}

#[derive(Deserialize)]
struct Frame {
    op: u8,
    s: Option<u64>,
    t: Option<String>,
    #[serde(default)]
    d: Value,
}

/// What is sent. Serenity builds these only together with its own connection.
#[derive(Serialize)]
struct GatewayPayload<T> {
    op: Opcode,
    d: T,
}

/// Source: Discord developer documentation, "Identify".
#[derive(Serialize)]
struct Identify<'a> {
    token: &'a str,
    intents: GatewayIntents,
    properties: Properties,
}

/// Source: Discord developer documentation, "Identify Connection Properties".
#[derive(Serialize)]
struct Properties {
    os: &'static str,
    browser: &'static str,
    device: &'static str,
}

/// Source: Discord developer documentation, "Resume".
#[derive(Serialize)]
struct Resume<'a> {
    token: &'a str,
    session_id: &'a str,
    seq: u64,
}

impl Connection {
    /// Connects and waits for the greeting. Where Discord is asked over TLS, its gateway is too.
    ///
    /// # Errors
    /// What went wrong, for the operator.
    pub(super) async fn open(address: &str, is_encrypted: bool) -> Result<Connection, &'static str> {
        let mut url = url::Url::parse(address).map_err(|_| "its address is not valid")?;
        if url.scheme() != "wss" && (is_encrypted || url.scheme() != "ws") {
            return Err("its address is not encrypted");
        }
        url.set_query(Some("v=10&encoding=json"));
        let config = WebSocketConfig::default().max_message_size(Some(MAX_BYTES)).max_frame_size(Some(MAX_BYTES));
        let greeted = async {
            let (mut socket, _) =
                connect_async_with_config(url.as_str(), Some(config), false).await.map_err(|_| "no connection")?;
            while let Some(message) = socket.next().await {
                let message = message.map_err(|_| "the connection broke before the greeting")?;
                if let Message::Text(text) = message {
                    let frame: Frame = serde_json::from_str(text.as_str()).map_err(|_| "the greeting could not be read")?;
                    let interval = frame.d.get("heartbeat_interval").and_then(Value::as_u64);
                    let interval = interval.filter(|_| frame.op == u8::from(Opcode::Hello)).ok_or("there was no greeting")?;
                    return Ok((socket, Duration::from_millis(interval).clamp(BEATS.0, BEATS.1)));
                }
            }
            Err("the connection was closed before the greeting")
        };
        let (socket, interval) = timeout(OPENING, greeted).await.map_err(|_| "no greeting in time")??;
        // The first beat at a moment of chance, so that not all clients beat at once after an outage.
        let next_beat = deadline(interval.mul_f64(chance()));
        Ok(Connection { socket, interval, next_beat, is_answered: true, seen: None })
    }

    /// Begins a session. Interactions come without any intent, and messages that mention the bot with their content; servers
    /// and channels tell when the bot may be let in.
    pub(super) async fn identify(&mut self, token: &str) -> Result<(), End> {
        let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES;
        let properties = Properties { os: std::env::consts::OS, browser: "rotation-diag", device: "rotation-diag" };
        self.send(Opcode::Identify, Identify { token, intents, properties }).await
    }

    /// Goes on with a session after the last event that was seen.
    pub(super) async fn resume(&mut self, token: &str, session: &str, seen: u64) -> Result<(), End> {
        self.seen = Some(seen);
        self.send(Opcode::Resume, Resume { token, session_id: session, seq: seen }).await
    }

    /// Waits for the next event, and keeps the connection alive meanwhile.
    ///
    /// # Errors
    /// How the connection ended.
    pub(super) async fn next(&mut self, pulse: &GatewayPulse, stop: &CancellationToken) -> Result<Dispatch, End> {
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.close(CloseCode::Normal).await;
                    return Err(End::Stopped);
                }
                () = sleep_until(self.next_beat) => self.beat().await?,
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let frame: Frame = serde_json::from_str(text.as_str()).map_err(|_| End::Broken)?;
                        if let Some(dispatch) = self.take(frame, pulse).await? {
                            return Ok(dispatch);
                        }
                    }
                    Some(Ok(Message::Close(frame))) => return Err(of_close(frame.map(|frame| frame.code.into()))),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(End::Broken),
                },
            }
        }
    }

    /// Somebody is there.
    pub(super) fn beats(&self, pulse: &GatewayPulse) {
        pulse.felt(self.interval);
    }

    async fn take(&mut self, frame: Frame, pulse: &GatewayPulse) -> Result<Option<Dispatch>, End> {
        match Opcode::from(frame.op) {
            Opcode::Dispatch => {
                let number = frame.s.ok_or(End::Broken)?;
                self.seen = Some(number);
                return Ok(frame.t.map(|name| Dispatch { name, number, body: frame.d }));
            }
            Opcode::Heartbeat => self.send_beat().await?,
            Opcode::HeartbeatAck => {
                self.is_answered = true;
                self.beats(pulse);
            }
            Opcode::Reconnect => {
                self.close(CloseCode::from(KEEP_SESSION)).await;
                return Err(End::Broken);
            }
            Opcode::InvalidSession if frame.d == Value::Bool(true) => return Err(End::Broken),
            Opcode::InvalidSession => {
                // Source: Discord developer documentation, "Resuming": one to five seconds, by chance.
                sleep(Duration::from_secs(1) + Duration::from_secs(4).mul_f64(chance())).await;
                return Err(End::SessionOver);
            }
            _ => {}
        }
        Ok(None)
    }

    /// A heartbeat that was not answered means that nobody is there, whatever the socket says.
    async fn beat(&mut self) -> Result<(), End> {
        if !self.is_answered {
            tracing::warn!("the gateway of Discord stopped answering; connecting again");
            self.close(CloseCode::from(KEEP_SESSION)).await;
            return Err(End::Broken);
        }
        self.is_answered = false;
        self.next_beat = deadline(self.interval);
        self.send_beat().await
    }

    async fn send_beat(&mut self) -> Result<(), End> {
        self.send(Opcode::Heartbeat, self.seen).await
    }

    async fn send(&mut self, op: Opcode, body: impl Serialize) -> Result<(), End> {
        let text = serde_json::to_string(&GatewayPayload { op, d: body }).map_err(|_| End::Broken)?;
        match timeout(SENDING, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Broken),
        }
    }

    /// Ends the connection and its session.
    pub(super) async fn leave(&mut self) {
        self.close(CloseCode::Normal).await;
    }

    async fn close(&mut self, code: CloseCode) {
        let frame = CloseFrame { code, reason: "".into() };
        // Whoever does not take leave in time is left.
        let _ = timeout(Duration::from_secs(1), self.socket.close(Some(frame))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn where_rest_is_encrypted_the_gateway_is_too() {
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let host = nobody.local_addr().unwrap();
        for (scheme, is_encrypted, expected) in [
            ("ws", true, "its address is not encrypted"),
            ("http", false, "its address is not encrypted"),
            ("ws", false, "no connection"),
            ("wss", true, "no connection"),
        ] {
            let opened = Connection::open(&format!("{scheme}://{host}"), is_encrypted).await;
            assert_eq!(opened.err(), Some(expected), "{scheme} {is_encrypted}");
        }
        assert_eq!(Connection::open("nowhere", false).await.err(), Some("its address is not valid"));
    }

    #[tokio::test]
    async fn an_answered_heartbeat_is_a_sign_of_life_and_an_event_is_none() {
        let (_socket, connection) = connected(40_000).await;
        let (mut connection, pulse) = (connection.unwrap(), GatewayPulse::default());
        assert_eq!(connection.interval, Duration::from_secs(40));
        let frame = |body: Value| serde_json::from_value::<Frame>(body).unwrap();
        connection.is_answered = false;
        connection.take(frame(json!({"op": 0, "s": 7, "t": "TYPING_START", "d": {}})), &pulse).await.unwrap();
        assert!(!pulse.is_felt() && !connection.is_answered);
        connection.take(frame(json!({"op": 11})), &pulse).await.unwrap();
        assert!(pulse.is_felt() && connection.is_answered);
        assert_eq!(connection.seen, Some(7));
    }

    /// A gateway on this machine that greets with `interval`, and the connection to it.
    async fn connected(interval: u64) -> (WebSocketStream<TcpStream>, Result<Connection, &'static str>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("ws://{}", listener.local_addr().unwrap());
        let greeting = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let hello = json!({ "op": 10, "d": { "heartbeat_interval": interval } });
            socket.send(Message::text(hello.to_string())).await.unwrap();
            socket
        };
        tokio::join!(greeting, Connection::open(&address, false))
    }

    #[tokio::test]
    async fn an_interval_of_nothing_is_bounded_and_an_address_that_is_none_is_an_error() {
        let (_socket, connection) = connected(0).await;
        assert_eq!(connection.unwrap().interval, BEATS.0);
        let (_socket, connection) = connected(u64::MAX).await;
        assert_eq!(connection.unwrap().interval, BEATS.1);
        assert_eq!(Connection::open("no address", false).await.err(), Some("its address is not valid"));
    }

    #[tokio::test]
    async fn a_message_larger_than_the_bound_ends_the_connection_unread() {
        let (mut socket, connection) = connected(40_000).await;
        let mut connection = connection.unwrap();
        let event = |size: usize| json!({ "op": 0, "s": 1, "t": "X", "d": "a".repeat(size) }).to_string();
        // Nobody reads on, so the second one is never sent to its end.
        let sending = async {
            for size in [MAX_BYTES / 2, MAX_BYTES] {
                let _ = socket.send(Message::text(event(size))).await;
            }
            std::future::pending::<()>().await;
        };
        let reading = async {
            let (pulse, stop) = (GatewayPulse::default(), CancellationToken::new());
            assert_eq!(connection.next(&pulse, &stop).await.ok().map(|event| event.name), Some("X".to_owned()));
            assert_eq!(connection.next(&pulse, &stop).await.err(), Some(End::Broken));
        };
        tokio::select! {
            () = sending => {}
            () = reading => {}
        }
    }

    #[tokio::test]
    async fn a_connection_that_tells_events_and_answers_no_heartbeat_is_closed_with_its_session_kept() {
        let (mut socket, connection) = connected(40_000).await;
        let mut connection = connection.unwrap();
        (connection.interval, connection.next_beat) = (Duration::from_millis(20), deadline(Duration::ZERO));
        let talking = async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(_))) => {
                        let event = json!({ "op": 0, "s": 1, "t": "TYPING_START", "d": {} });
                        socket.send(Message::text(event.to_string())).await.unwrap();
                    }
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    _ => return None,
                }
            }
        };
        let listening = async {
            let (pulse, stop) = (GatewayPulse::default(), CancellationToken::new());
            loop {
                if let Err(end) = connection.next(&pulse, &stop).await {
                    return end;
                }
            }
        };
        assert_eq!(tokio::join!(talking, listening), (Some(KEEP_SESSION), End::Broken));
    }
}
