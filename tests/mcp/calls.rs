//! Calls into the server itself, with an investigator that does as it is told.

use async_trait::async_trait;
use rotation_diag::mcp::{AgentQuestion, AgentServer, Investigated, Investigator, ToolRefusal};
use rotation_diag::playbook::Progress;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use tokio::sync::Notify;

/// Never comes to an end; counts how many it began and how many were dropped.
#[derive(Default)]
struct Endless {
    begun: AtomicUsize,
    dropped: AtomicUsize,
    changed: Notify,
}

impl Endless {
    /// Waits until so many began and so many were dropped.
    async fn until(&self, begun: usize, dropped: usize) {
        loop {
            let changed = self.changed.notified();
            if (self.begun.load(Ordering::SeqCst), self.dropped.load(Ordering::SeqCst)) == (begun, dropped) {
                return;
            }
            changed.await;
        }
    }
}

struct Dropped<'a>(&'a Endless);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

#[async_trait]
impl Investigator for Endless {
    fn admit(&self, _: &str) -> Result<(), ToolRefusal> {
        Ok(())
    }

    async fn investigate(&self, _: &str, _: &AgentQuestion, _: &dyn Progress) -> Result<Investigated, ToolRefusal> {
        let _dropped = Dropped(self);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        std::future::pending().await
    }
}

struct Connection {
    to: WriteHalf<DuplexStream>,
    from: Lines<BufReader<ReadHalf<DuplexStream>>>,
}

impl Connection {
    async fn open(investigator: Arc<dyn Investigator>) -> Connection {
        let (own, theirs) = tokio::io::duplex(1 << 16);
        let (from, to) = tokio::io::split(theirs);
        tokio::spawn(AgentServer::new(investigator).serve_lines(from, to));
        let (from, to) = tokio::io::split(own);
        let mut connection = Connection { to, from: BufReader::new(from).lines() };
        connection
            .write(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": crate::lines::initialization()}))
            .await;
        connection.read().await;
        connection.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        connection
    }

    async fn write(&mut self, message: &Value) {
        self.to.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn read(&mut self) -> Value {
        serde_json::from_str(&self.from.next_line().await.unwrap().unwrap()).unwrap()
    }

    async fn diagnose(&mut self, id: u64) {
        let parameters = json!({"name": "diagnose_secret", "arguments": {"secret": "prod/orders-db"}});
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": parameters})).await;
    }

    async fn cancel(&mut self, id: u64) {
        let parameters = json!({"requestId": id, "reason": "no longer needed"});
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": parameters})).await;
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_its_investigation_and_no_other() {
    let endless = Arc::new(Endless::default());
    let mut connection = Connection::open(Arc::clone(&endless) as Arc<dyn Investigator>).await;
    connection.diagnose(1).await;
    connection.diagnose(2).await;
    endless.until(2, 0).await;
    connection.cancel(1).await;
    endless.until(2, 1).await;
    // Others are answered meanwhile.
    let parameters = json!({"name": "explain_cause", "arguments": {}});
    connection.write(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": parameters})).await;
    assert_eq!(connection.read().await["id"], 3);
    assert_eq!(endless.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn so_many_run_at_once_and_one_that_waits_for_its_turn_can_be_cancelled_too() {
    let endless = Arc::new(Endless::default());
    let mut connection = Connection::open(Arc::clone(&endless) as Arc<dyn Investigator>).await;
    for id in 1..=12 {
        connection.diagnose(id).await;
    }
    endless.until(8, 0).await;
    for id in 9..=11 {
        connection.cancel(id).await;
    }
    // Were one of the cancelled still waiting, it would get the turn.
    connection.cancel(1).await;
    endless.until(9, 1).await;
    connection.cancel(12).await;
    endless.until(9, 2).await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_what_it_asked_for() {
    let endless = Arc::new(Endless::default());
    let mut connection = Connection::open(Arc::clone(&endless) as Arc<dyn Investigator>).await;
    connection.diagnose(1).await;
    endless.until(1, 0).await;
    drop(connection);
    endless.until(1, 1).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_dropped_and_the_next_one_is_answered() {
    let mut connection = Connection::open(Arc::new(Endless::default())).await;
    let endless_line =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"x\":\"{}\"}}}}", "x".repeat(2 << 20));
    connection.to.write_all(format!("{endless_line}\n").as_bytes()).await.unwrap();
    connection.write(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    loop {
        let message = connection.read().await;
        if message["id"] == 2 {
            return;
        }
        assert!(message["error"].is_object(), "{message}");
    }
}
