//! Socket Mode.

use super::world::{Socket, World};
use super::{FakeSlack, now};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

pub(super) fn serve(fake: FakeSlack, listener: TcpListener) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(fake.clone(), stream));
        }
    });
}

#[expect(clippy::result_large_err, reason = "the shape that the web socket crate asks for")]
fn admit(fake: &FakeSlack, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let mut world = fake.world();
    let query = request.uri().query().unwrap_or_default();
    match world.tickets.iter().position(|ticket| query.contains(&format!("ticket={ticket}&"))) {
        Some(at) => {
            world.tickets.remove(at);
            Ok(response)
        }
        None => Err(ErrorResponse::new(Some("no such ticket".to_owned()))),
    }
}

#[expect(clippy::result_large_err, reason = "the handshake's own type")]
async fn talk(fake: FakeSlack, stream: TcpStream) {
    let accept = tokio_tungstenite::accept_hdr_async(stream, |request: &Request, response| admit(&fake, request, response));
    let Ok(socket) = accept.await else { return };
    let (mut write, mut read) = socket.split();
    let (send, mut outgoing) = mpsc::unbounded_channel::<Message>();
    let hello = json!({
        "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A1" },
        "debug_info": { "host": "applink-1", "approximate_connection_time": 3600 },
    });
    let id = fake.world().next();
    if write.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    fake.change(|world| {
        world.sockets_opened += 1;
        world.sockets.push(Socket { id, send, is_frozen: false, pings: 0 });
    });
    loop {
        let is_frozen = fake.world().sockets.iter().any(|socket| socket.id == id && socket.is_frozen);
        if is_frozen {
            // A router that forgot the connection: nothing arrives, nothing is refused.
            std::future::pending::<()>().await;
        }
        tokio::select! {
            Some(message) = outgoing.recv() => {
                let is_close = matches!(message, Message::Close(_));
                if write.send(message).await.is_err() || is_close {
                    break;
                }
            }
            received = read.next() => match received {
                Some(Ok(Message::Text(text))) => acknowledged(&fake, text.as_str()),
                Some(Ok(Message::Ping(_))) => fake.change(|world| {
                    if let Some(socket) = world.sockets.iter_mut().find(|socket| socket.id == id) {
                        socket.pings += 1;
                    }
                }),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    fake.change(|world| world.sockets.retain(|socket| socket.id != id));
}

fn acknowledged(fake: &FakeSlack, text: &str) {
    let ack: Value = serde_json::from_str(text).unwrap_or_default();
    fake.change(|world| {
        let id = ack["envelope_id"].as_str().unwrap_or_default().to_owned();
        match world.envelopes.get_mut(&id) {
            Some(envelope) => {
                envelope.acknowledgements += 1;
                envelope.acknowledged_after.get_or_insert_with(|| now() - envelope.at);
                envelope.answer = ack.get("payload").cloned();
            }
            None => world.problems.push(format!("an acknowledgement of nothing: {text}")),
        }
    });
}

impl FakeSlack {
    /// Waits until this many sockets are open.
    pub(crate) async fn sockets_open(&self, count: usize) {
        self.until("sockets", |world| (world.sockets.len() == count).then_some(())).await;
    }

    /// Sends a frame on the newest socket, or on the socket with this id.
    pub(crate) fn send_frame(&self, socket: Option<usize>, frame: &Value) {
        let world = self.world();
        let chosen = match socket {
            Some(id) => world.sockets.iter().find(|open| open.id == id),
            None => world.sockets.last(),
        };
        chosen.expect("no socket is open").send.send(Message::text(frame.to_string())).unwrap();
    }

    /// Ids of open sockets, oldest first.
    pub(crate) fn socket_ids(&self) -> Vec<usize> {
        self.world().sockets.iter().map(|socket| socket.id).collect()
    }

    /// Slack announces the end of a socket.
    pub(crate) fn announce_end(&self, socket: usize, reason: &str) {
        self.send_frame(Some(socket), &json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } }));
    }

    /// Slack closes a socket.
    pub(crate) fn close(&self, socket: usize) {
        let world: std::sync::MutexGuard<'_, World> = self.world();
        let open = world.sockets.iter().find(|open| open.id == socket).unwrap();
        open.send.send(Message::Close(None)).unwrap();
    }

    /// Packets of a socket vanish from now on.
    pub(crate) fn freeze(&self, socket: usize) {
        let mut world = self.world();
        let open = world.sockets.iter_mut().find(|open| open.id == socket).unwrap();
        open.is_frozen = true;
        // Wakes the task that serves it, so that it stops at once.
        let _ = open.send.send(Message::Pong(bytes::Bytes::new()));
    }
}
