//! SNS as far as a subscriber sees it: messages signed with a key of ours, and the host that serves its certificate.
//!
//! Tests use the addresses of production. Only two things are replaced: whom the HTTP client's name resolution points to,
//! and which root it trusts. So what the program judges (hosts, paths, redirects, certificates) is judged for real.

#![allow(dead_code, reason = "several test programs use parts of it")]

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, stream};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_RSA_SHA256, SigningKey as _};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

/// The topic tests believe.
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:alarms";

/// Another topic of another account, which nobody believes.
pub(crate) const STRANGER: &str = "arn:aws:sns:eu-west-1:210987654321:alarms";

/// The path under which the signer's own certificate is served.
pub(crate) const PATH: &str = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

/// The host of the topic's region.
pub(crate) const HOST: &str = "sns.eu-west-1.amazonaws.com";

/// RSA keys take a while to make; every test program makes these once.
static SIGNING_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap());

/// A certificate authority of our own.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    Authority { params, key, der }
});

fn issuer() -> Issuer<'static, &'static KeyPair> {
    Issuer::from_params(&AUTHORITY.params, &AUTHORITY.key)
}

/// A certificate for the signing key, with faults where wanted.
pub(crate) struct CertificateForm {
    pub(crate) names: Vec<&'static str>,
    pub(crate) from: (i32, u8, u8),
    pub(crate) to: (i32, u8, u8),
}

impl Default for CertificateForm {
    fn default() -> CertificateForm {
        CertificateForm { names: vec!["sns.amazonaws.com"], from: (2020, 1, 1), to: (2090, 1, 1) }
    }
}

impl CertificateForm {
    /// In PEM, for the key that signs messages.
    pub(crate) fn pem(&self) -> String {
        self.pem_for(&SIGNING_KEY)
    }

    /// In DER, for the key that signs messages.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.made_for(&SIGNING_KEY).der().to_vec()
    }

    /// In PEM, for an elliptic key.
    pub(crate) fn pem_with_elliptic_key(&self) -> String {
        self.pem_for(&KeyPair::generate().unwrap())
    }

    fn pem_for(&self, key: &KeyPair) -> String {
        self.made_for(key).pem()
    }

    fn made_for(&self, key: &KeyPair) -> rcgen::Certificate {
        let mut params = CertificateParams::new(self.names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        let date = |(year, month, day)| rcgen::date_time_ymd(year, month, day);
        (params.not_before, params.not_after) = (date(self.from), date(self.to));
        params.signed_by(key, &issuer()).unwrap()
    }
}

/// The private key in PEM, which no host should ever serve.
pub(crate) fn private_key_pem() -> String {
    KeyPair::generate().unwrap().serialize_pem()
}

/// What the certificate host does.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Answers with this body.
    Serve(Vec<u8>),
    /// Answers with this body under this path, and has nothing under any other.
    ServeOnly(&'static str, Vec<u8>),
    /// Answers with this status.
    Status(u16),
    /// Points elsewhere.
    Redirect(u16, String),
    /// Never answers.
    Hang,
    /// Begins to answer, and sends one byte a second.
    Drip,
    /// Sends without end.
    Flood,
    /// Shows a TLS certificate of nobody.
    Untrusted,
}

/// Where certificates come from, over TLS on loopback.
pub(crate) struct CertificateHost {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    behaviour: Mutex<Option<Behaviour>>,
    paths: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    names_asked: Mutex<Vec<String>>,
}

impl CertificateHost {
    /// Starts a host that serves the signer's certificate.
    pub(crate) async fn start() -> CertificateHost {
        rotation_diag::tls::choose();
        let shared = Arc::new(Shared::default());
        *shared.behaviour.lock().unwrap() = Some(Behaviour::Serve(CertificateForm::default().pem().into_bytes()));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let trusted = acceptor(&["sns.eu-west-1.amazonaws.com", "sns.us-east-2.amazonaws.com", "elsewhere.example"]);
        let untrusted = acceptor(&["nobody.example"]);
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let tls = Tls { listener, trusted, untrusted, shared: Arc::clone(&shared) };
        tokio::spawn(async move { axum::serve(tls, router).await });
        CertificateHost { address, shared }
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = Some(behaviour);
    }

    /// The paths that were fetched.
    pub(crate) fn fetched(&self) -> Vec<String> {
        self.shared.paths.lock().unwrap().clone()
    }

    /// How many connections were opened to it, and which names the client asked to be resolved.
    pub(crate) fn contacts(&self) -> (usize, Vec<String>) {
        (*self.shared.connections.lock().unwrap(), self.shared.names_asked.lock().unwrap().clone())
    }

    /// The client of production, but that every name is at this host, and that it trusts our authority.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client_builder().build().unwrap()
    }

    /// The same, not yet built.
    pub(crate) fn client_builder(&self) -> reqwest::ClientBuilder {
        self.client_resolving(Some(self.address))
    }

    /// The same, but no name can be resolved.
    pub(crate) fn client_without_names(&self) -> reqwest::Client {
        self.client_resolving(None).build().unwrap()
    }

    fn client_resolving(&self, to: Option<SocketAddr>) -> reqwest::ClientBuilder {
        let root = reqwest::Certificate::from_der(&AUTHORITY.der).unwrap();
        rotation_diag::alarm::certificate_client()
            .dns_resolver(Arc::new(Names { to, shared: Arc::clone(&self.shared) }))
            .add_root_certificate(root)
            .no_proxy()
    }
}

/// Serves the signer's certificate over plain HTTP: where `certificate_origin` points another process to.
pub(crate) async fn plain_certificate_host() -> String {
    mortal_certificate_host().await.0
}

/// The same, and what ends it.
pub(crate) async fn mortal_certificate_host() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let pem = CertificateForm::default().pem();
    let router = Router::new().route(PATH, axum::routing::get(|| async { pem }));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (origin, serving)
}

struct Names {
    to: Option<SocketAddr>,
    shared: Arc<Shared>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.shared.names_asked.lock().unwrap().push(name.as_str().to_owned());
        let to = self.to;
        Box::pin(async move {
            let address = to.ok_or("no such name")?;
            Ok(Box::new(std::iter::once(address)) as Addrs)
        })
    }
}

fn acceptor(names: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    let certificate = params.signed_by(&key, &issuer()).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    shared.paths.lock().unwrap().push(uri.path().to_owned());
    let behaviour = shared.behaviour.lock().unwrap().clone().unwrap();
    match behaviour {
        Behaviour::Serve(body) => body.into_response(),
        Behaviour::ServeOnly(path, body) if uri.path() == path => body.into_response(),
        Behaviour::ServeOnly(..) => StatusCode::NOT_FOUND.into_response(),
        Behaviour::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Behaviour::Redirect(status, to) => (StatusCode::from_u16(status).unwrap(), [(LOCATION, to)]).into_response(),
        Behaviour::Hang | Behaviour::Untrusted => std::future::pending().await,
        Behaviour::Drip => Body::from_stream(drip(b"-----BEGIN CERTIFICATE-----\n")).into_response(),
        Behaviour::Flood => Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 8192]))).into_response(),
    }
}

/// These bytes, one a second, over and over.
pub(crate) fn drip(bytes: &'static [u8]) -> impl stream::Stream<Item = Result<Vec<u8>, std::io::Error>> + Send {
    let ticks = tokio::time::interval(Duration::from_secs(1));
    stream::unfold(ticks, |mut ticks| async move {
        ticks.tick().await;
        Some(((), ticks))
    })
    .zip(stream::iter(bytes.iter().cycle()))
    .map(|((), byte)| Ok(vec![*byte]))
}

/// A notification of the believed topic, signed, sent at `at`.
pub(crate) fn notification(at: &str, message: &str) -> Value {
    signed(json!({
        "Type": "Notification",
        "MessageId": Uuid::new_v4().to_string(),
        "TopicArn": TOPIC,
        "Subject": "ALARM: \"orders\" in EU (Ireland)",
        "Message": message,
        "Timestamp": at,
        "UnsubscribeURL": "http://169.254.169.254/unsubscribe",
    }))
}

/// A request to confirm a subscription, signed; its address is one nobody must follow.
pub(crate) fn confirmation(kind: &str, at: &str) -> Value {
    signed(json!({
        "Type": kind,
        "MessageId": Uuid::new_v4().to_string(),
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "Timestamp": at,
        "Token": "2336412f37fb687f5d51e6e2425f004ac",
        "SubscribeURL": "http://169.254.169.254/latest/meta-data/",
    }))
}

/// Signs a message with version 2, and says where the certificate is.
pub(crate) fn signed(mut fields: Value) -> Value {
    fields["SignatureVersion"] = json!("2");
    fields["SigningCertURL"] = json!(format!("https://{HOST}{PATH}"));
    let signature = SIGNING_KEY.sign(signed_text(&fields).as_bytes()).unwrap();
    fields["Signature"] = json!(STANDARD.encode(signature));
    fields
}

/// What SNS signs, after its documentation: names and values by line feeds, nothing escaped.
pub(crate) fn signed_text(fields: &Value) -> String {
    let names: &[&str] = if fields["Type"].as_str().unwrap().starts_with("Notification") {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let present = names.iter().filter_map(|name| Some((name, fields.get(*name)?.as_str()?)));
    present.map(|(name, value)| format!("{name}\n{value}\n")).collect()
}

/// The same signed bytes, cut into other fields. It is proved to be the same text before it is used.
pub(crate) fn recut(signed: &Value, fields: &[(&str, &str)]) -> Value {
    let mut cut: BTreeMap<&str, Value> = fields.iter().map(|(name, value)| (*name, json!(value))).collect();
    for kept in ["SignatureVersion", "SigningCertURL", "Signature"] {
        cut.insert(kept, signed[kept].clone());
    }
    let cut = json!(cut);
    assert_eq!(signed_text(&cut), signed_text(signed), "these are other bytes than the signed ones");
    cut
}

/// Accepts TLS connections for axum.
struct Tls {
    listener: tokio::net::TcpListener,
    trusted: TlsAcceptor,
    untrusted: TlsAcceptor,
    shared: Arc<Shared>,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.listener.accept().await.unwrap();
            *self.shared.connections.lock().unwrap() += 1;
            let is_untrusted = matches!(*self.shared.behaviour.lock().unwrap(), Some(Behaviour::Untrusted));
            let acceptor = if is_untrusted { &self.untrusted } else { &self.trusted };
            if let Ok(stream) = acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
