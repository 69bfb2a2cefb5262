//! The endpoint, and everything around it that a case has to look at afterwards.

use crate::sns_signer::{CertificateHost, TOPIC};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use rotation_diag::alarm::{
    AcceptedNotice, Endpoint, EndpointLimits, KnownCertificate, Notice, NoticeIntake, Subscriptions, Unavailable,
};
use rotation_diag::clock::Clock;
use rotation_diag::config::{Sns, Topic};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

/// When the tests' endpoint believes to be.
pub(crate) const NOW: &str = "2026-11-25T10:00:00Z";

/// The same, as SNS writes it.
pub(crate) const SENT: &str = "2026-11-25T10:00:00.000Z";

/// A word that stands in every part of a hostile message and nowhere else.
pub(crate) const CANARY: &str = "xyzzy-canary";

/// What was kept, by message id.
#[derive(Default)]
pub(crate) struct Kept {
    rows: Mutex<BTreeMap<String, Notice>>,
    pub(crate) certificates: Mutex<BTreeMap<String, KnownCertificate>>,
    pub(crate) is_down: Mutex<bool>,
    pub(crate) hangs: Mutex<bool>,
}

#[async_trait]
impl NoticeIntake for Kept {
    async fn accept(&self, message_id: &str, notice: Notice) -> Result<AcceptedNotice, Unavailable> {
        if *self.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        if *self.is_down.lock().unwrap() {
            return Err(Unavailable);
        }
        let before = self.rows.lock().unwrap().insert(message_id.to_owned(), notice);
        Ok(if before.is_some() { AcceptedNotice::Duplicate } else { AcceptedNotice::New })
    }

    async fn known_certificates(&self) -> Result<Vec<KnownCertificate>, Unavailable> {
        if *self.is_down.lock().unwrap() {
            return Err(Unavailable);
        }
        Ok(self.certificates.lock().unwrap().values().cloned().collect())
    }

    async fn keep_certificate(&self, known: KnownCertificate) -> Result<(), Unavailable> {
        if *self.is_down.lock().unwrap() {
            return Err(Unavailable);
        }
        self.certificates.lock().unwrap().insert(known.address.clone(), known);
        Ok(())
    }
}

impl Kept {
    /// What was kept since the last time.
    pub(crate) fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.rows.lock().unwrap()).into_values().collect()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.rows.lock().unwrap().values().cloned().collect()
    }
}

/// What was confirmed.
#[derive(Default)]
pub(crate) struct Confirmed {
    pub(crate) calls: Mutex<Vec<(String, String)>>,
    pub(crate) fails: Mutex<bool>,
}

#[async_trait]
impl Subscriptions for Confirmed {
    async fn confirm(&self, topic: &Topic, token: &str) -> Result<(), String> {
        self.calls.lock().unwrap().push((topic.arn().as_str().to_owned(), token.to_owned()));
        if *self.fails.lock().unwrap() { Err("not now".to_owned()) } else { Ok(()) }
    }
}

/// An endpoint with its surroundings.
pub(crate) struct World {
    pub(crate) host: CertificateHost,
    pub(crate) kept: Arc<Kept>,
    pub(crate) confirmed: Arc<Confirmed>,
    pub(crate) router: Router,
    pub(crate) log: Log,
    _logging: tracing::subscriber::DefaultGuard,
}

pub(crate) fn sns() -> Sns {
    Sns {
        topics: vec![Topic::parse(TOPIC).unwrap(), Topic::parse("arn:aws:sns:eu-west-1:123456789012:other").unwrap()],
        endpoint: None,
        accepts_version_1: false,
        certificate_origin: None,
        max_age: Duration::from_secs(3_600),
    }
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(sns(), NOW).await
    }

    pub(crate) async fn with(sns: Sns, now: &str) -> World {
        World::with_limits(sns, now, EndpointLimits::default()).await
    }

    /// One that does not wait long for anything, for those who keep it waiting.
    pub(crate) async fn impatient() -> World {
        let short = Duration::from_millis(200);
        let room = Duration::from_millis(20);
        let limits = EndpointLimits { held: 64 << 10, room, body: short, certificate: short, intake: short };
        World::with_limits(sns(), NOW, limits).await
    }

    async fn with_limits(sns: Sns, now: &str, limits: EndpointLimits) -> World {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).with_ansi(false).finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let host = CertificateHost::start().await;
        let (kept, confirmed) = (Arc::<Kept>::default(), Arc::<Confirmed>::default());
        let client = host.client();
        let router = endpoint(sns, now, client, &kept, &confirmed, limits);
        World { host, kept, confirmed, router, log, _logging: logging }
    }

    /// The same surroundings, but an endpoint that was started anew at `now`, with another client.
    pub(crate) fn restarted(&self, sns: Sns, now: &str, client: reqwest::Client) -> Router {
        endpoint(sns, now, client, &self.kept, &self.confirmed, EndpointLimits::default())
    }

    /// Sends a message as SNS does.
    pub(crate) async fn send(&self, fields: &Value) -> StatusCode {
        self.send_bytes(fields.to_string()).await
    }

    pub(crate) async fn send_bytes(&self, body: impl Into<Body>) -> StatusCode {
        post(&self.router, body, &[]).await
    }

    /// Asserts that a refused message left no trace: nothing fetched, kept, confirmed, and nothing of it in the log.
    pub(crate) fn assert_untouched(&self, case: &str) {
        assert_eq!(self.host.contacts(), (0, vec![]), "{case}: somebody was contacted");
        self.assert_nothing_came_of_it(case);
    }

    /// The same, but that a certificate may have been fetched.
    pub(crate) fn assert_nothing_came_of_it(&self, case: &str) {
        assert_eq!(self.kept.notices(), [], "{case}: something was kept");
        assert_eq!(*self.confirmed.calls.lock().unwrap(), [], "{case}: something was confirmed");
        assert!(!self.log.text().contains(CANARY), "{case}: the log repeats the message");
    }
}

fn endpoint(
    sns: Sns,
    now: &str,
    client: reqwest::Client,
    kept: &Arc<Kept>,
    confirmed: &Arc<Confirmed>,
    limits: EndpointLimits,
) -> Router {
    let clock = Clock::starting_at(now.parse().unwrap());
    let intake: Arc<dyn NoticeIntake> = Arc::clone(kept) as Arc<dyn NoticeIntake>;
    let subscriptions: Arc<dyn Subscriptions> = Arc::clone(confirmed) as Arc<dyn Subscriptions>;
    Endpoint::new(sns, clock, client, intake, subscriptions, limits).router()
}

/// Posts to `/sns` with SNS's own headers and these; the answer never has a body.
pub(crate) async fn post(router: &Router, body: impl Into<Body>, headers: &[(&str, &str)]) -> StatusCode {
    let (status, _) = request(router, Method::POST, "/sns", body, headers).await;
    status
}

pub(crate) async fn request(
    router: &Router,
    method: Method,
    path: &str,
    body: impl Into<Body>,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "text/plain; charset=UTF-8");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1024).await.unwrap();
    assert!(body.is_empty(), "an answer has the body {body:?}");
    (parts.status, parts.headers)
}

/// What was logged, at every level.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}
