//! What is sent over raw sockets to keep the server busy, or to slip a second request past it.

use super::*;
use axum::body::Bytes;
use axum::routing::post;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Short enough to be waited for.
const SOON: Duration = Duration::from_millis(150);

struct Town {
    address: SocketAddr,
    /// What `POST /sns` was sent.
    bodies: Arc<std::sync::Mutex<Vec<Bytes>>>,
    /// How often `GET /hidden` was asked.
    hidden: Arc<AtomicUsize>,
    /// `POST /slow` answers when it is told to.
    begun: Arc<AtomicUsize>,
    answer: Arc<Notify>,
    _parts: Supervisor,
}

impl Town {
    async fn new(limits: ServerLimits) -> Town {
        Town::with_tls(limits, None).await
    }

    async fn with_tls(limits: ServerLimits, tls: Option<(PathBuf, PathBuf)>) -> Town {
        let bodies = Arc::<std::sync::Mutex<Vec<Bytes>>>::default();
        let (hidden, begun) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let answer = Arc::<Notify>::default();
        let keep = Arc::clone(&bodies);
        let take = post(move |body: Bytes| async move { keep.lock().unwrap().push(body) });
        let count = Arc::clone(&hidden);
        let find = get(move || async move { count.fetch_add(1, Ordering::SeqCst).to_string() });
        let (count, told) = (Arc::clone(&begun), Arc::clone(&answer));
        let wait = post(move |_: Bytes| async move {
            let told = told.notified();
            count.fetch_add(1, Ordering::SeqCst);
            told.await;
        });
        let routers = vec![Router::new().route("/sns", take).route("/hidden", find).route("/slow", wait)];
        let (alive, draining) = (Vec::new(), CancellationToken::new());
        let vitals = Vitals { health: crate::bot::Health::default(), platforms: Vec::new(), alive, draining };
        let site = Site { vitals: Arc::new(vitals), routers, slow_routers: Vec::new() };
        let http = Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), tls };
        let mut parts = Supervisor::default();
        let (address, _) = serve(&http, limits, site, &mut parts).await.unwrap();
        Town { address, bodies, hidden, begun, answer, _parts: parts }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes on a connection of their own, and reads until the server closes it.
    async fn says(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        until_closed(&mut stream).await
    }

    /// A client as SNS is one.
    async fn is_served(&self) {
        let answer = self.says(b"POST /sns HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// What comes until the connection ends, in whichever way.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let reading = async {
        let mut chunk = [0; 4_096];
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            read.extend_from_slice(&chunk[..count]);
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "the connection stays open");
    String::from_utf8(read).unwrap()
}

/// Sends one byte after the other, slowly, until the other side has enough.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    for byte in bytes.iter().cycle() {
        pace.tick().await;
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

#[tokio::test]
async fn a_head_that_trickles_and_a_connection_that_says_nothing_are_cut() {
    let town = Town::new(ServerLimits { head: SOON, ..ServerLimits::default() }).await;
    let mut slow = town.connect().await;
    slow.write_all(b"POST /sns HTTP/1.1\r\nHost: x\r\nX-Long: ").await.unwrap();
    let (_, ()) = tokio::join!(
        async {
            assert!(tokio::time::timeout(PATIENCE, trickle(&mut slow, b"a")).await.is_ok(), "a head may take for ever");
        },
        town.is_served()
    );
    let mut silent = town.connect().await;
    assert_eq!(until_closed(&mut silent).await, "");
    // A connection that is kept for the next request, which never comes.
    let mut idle = town.connect().await;
    idle.write_all(b"POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    let answer = until_closed(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(town.bodies.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_that_trickles_is_cut() {
    let town = Town::new(ServerLimits { answer: SOON, ..ServerLimits::default() }).await;
    let mut slow = town.connect().await;
    slow.write_all(b"POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
    let (mut reading, mut writing) = slow.into_split();
    let mut answer = String::new();
    let cut = async {
        tokio::select! {
            _ = reading.read_to_string(&mut answer) => {}
            () = async { while writing.write_all(b" ").await.is_ok() { tokio::task::yield_now().await } } => {}
        }
    };
    assert!(tokio::time::timeout(PATIENCE, cut).await.is_ok(), "a body may take for ever");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(town.bodies.lock().unwrap().is_empty());
    town.is_served().await;
}

#[tokio::test]
async fn five_thousand_connections_that_say_nothing_keep_nobody_out() {
    let town = Town::new(ServerLimits { connections: 64, ..ServerLimits::default() }).await;
    let mut idle = std::collections::VecDeque::new();
    for number in 0..5_000 {
        let mut stream = town.connect().await;
        if number % 3 == 0 {
            stream.write_all(b"POST /sns HTTP/1.1\r\nHost:").await.unwrap();
        } else if number % 3 == 1 {
            stream.write_all(b"POST /sns HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{").await.unwrap();
        }
        idle.push_back(stream);
        if idle.len() > 256 {
            // Long ago it gave its seat to another.
            let mut oldest = idle.pop_front().unwrap();
            let told = until_closed(&mut oldest).await;
            assert!(told.is_empty() || told.starts_with("HTTP/1.1 400 "), "{told}");
        }
        if number % 500 == 499 {
            town.is_served().await;
        }
    }
    assert_eq!(town.bodies.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn who_waits_for_an_answer_keeps_the_seat() {
    let town = Town::new(ServerLimits { connections: 2, ..ServerLimits::default() }).await;
    let mut waiting = Vec::new();
    for number in 1..=2 {
        let mut stream = town.connect().await;
        let head = b"POST /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(head).await.unwrap();
        until("it is being answered", || town.begun.load(Ordering::SeqCst) == number).await;
        waiting.push(stream);
    }
    assert_eq!(town.says(b"").await, "", "there is no seat for a third");
    town.answer.notify_waiters();
    for mut stream in waiting {
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    town.is_served().await;
}

/// What a proxy in front may read as one request, and a server as two.
#[tokio::test]
async fn no_second_request_is_found_inside_another() {
    const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = HIDDEN.len();
    let chunks = format!("0\r\n\r\n{HIDDEN}");
    let all = chunks.len();
    // Heads, and what is behind them; then whether the server may take the first request, which ends its connection.
    let cases: Vec<(&str, String, String, &[u16])> = vec![
        ("length, then chunks", format!("Content-Length: {all}\r\nTransfer-Encoding: chunked\r\n"), chunks.clone(), &[200, 400]),
        ("chunks, then length", format!("Transfer-Encoding: chunked\r\nContent-Length: {all}\r\n"), chunks.clone(), &[200, 400]),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), HIDDEN.to_owned(), &[400]),
        ("two lengths in one", format!("Content-Length: 0, {length}\r\n"), HIDDEN.to_owned(), &[400]),
        ("a signed length", "Content-Length: +0\r\n".to_owned(), HIDDEN.to_owned(), &[400]),
        ("a negative length", "Content-Length: -1\r\n".to_owned(), HIDDEN.to_owned(), &[400]),
        ("a length in hex", "Content-Length: 0x0\r\n".to_owned(), HIDDEN.to_owned(), &[400]),
        ("an endless length", format!("Content-Length: {}\r\n", "9".repeat(40)), HIDDEN.to_owned(), &[400, 413]),
        ("an encoding that is none", "Transfer-Encoding: xchunked\r\n".to_owned(), chunks.clone(), &[400]),
        ("an encoding behind chunks", "Transfer-Encoding: chunked, identity\r\n".to_owned(), chunks.clone(), &[400]),
        ("a space before the colon", "Transfer-Encoding : chunked\r\n".to_owned(), chunks.clone(), &[400]),
        ("a folded line", format!("X: a\r\n Content-Length: {length}\r\n"), HIDDEN.to_owned(), &[400]),
        ("a folded encoding", "Transfer-Encoding:\r\n chunked\r\n".to_owned(), chunks.clone(), &[400]),
        ("a bare carriage return", "X: a\rTransfer-Encoding: chunked\r\n".to_owned(), chunks.clone(), &[400]),
        ("a NUL", "X: a\0\r\n".to_owned(), HIDDEN.to_owned(), &[400]),
        ("a chunk's size in a bare line feed", "Transfer-Encoding: chunked\r\n".to_owned(), format!("0\n\r\n{HIDDEN}"), &[400]),
        (
            "a chunk's size that overflows",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{}0\r\n", "F".repeat(17)),
            &[400],
        ),
        (
            "a line feed in a chunk's extension",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("0;a=b\nX\r\n\r\n{HIDDEN}"),
            &[400],
        ),
        // A line feed alone ends a line too, as RFC 9112 (2.2) allows: a length behind it counts, and so the rest is a body.
        (
            "a length behind a bare line feed",
            format!("X: a\nContent-Length: {length}\r\nConnection: close\r\n"),
            HIDDEN.to_owned(),
            &[200],
        ),
        (
            "a second length behind one",
            format!("Content-Length: 0\r\nX: a\nContent-Length: {length}\r\n"),
            HIDDEN.to_owned(),
            &[400],
        ),
        ("chunks behind one", format!("Content-Length: {all}\r\nX: a\nTransfer-Encoding: chunked\r\n"), chunks, &[200, 400]),
    ];
    let town = Town::new(ServerLimits { head: SOON, answer: SOON, ..ServerLimits::default() }).await;
    for (case, head, rest, expected) in cases {
        let answer = town.says(format!("POST /sns HTTP/1.1\r\nHost: x\r\n{head}\r\n{rest}").as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{case}: {answer}");
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(expected.contains(&status), "{case}: {answer}");
        assert_eq!(town.hidden.load(Ordering::SeqCst), 0, "{case}");
    }
    let old = "POST /sns HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert!(town.says(old.as_bytes()).await.contains(" 400 "));
    // Shown to be found where it is a request of its own.
    town.says(HIDDEN.as_bytes()).await;
    assert_eq!(town.hidden.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn http_2_whose_connections_say_nothing_for_ever_is_not_spoken() {
    let town = Town::new(ServerLimits { head: SOON, ..ServerLimits::default() }).await;
    let answer = town.says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
}

#[tokio::test]
async fn over_tls_a_client_that_prefers_http_2_is_answered_in_http_1() {
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
    crate::tls::choose();
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["bot.example".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let town = Town::with_tls(ServerLimits::default(), Some((certificate, key))).await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("bot.example").unwrap();
    let mut stream = connector.connect(name, town.connect().await).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: bot.example\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok\n"), "{answer}");
}
