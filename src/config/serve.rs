//! What `rotation-diag serve` needs beside the platforms and the store: where it listens, how much it does at once.

use super::reader::{self, Reader, Section};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
    /// The certificate chain and the private key, both in PEM; without them it speaks plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
}

impl Default for Http {
    fn default() -> Http {
        Http { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), tls: None }
    }
}

/// `[metrics]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsServer {
    pub listen: SocketAddr,
}

/// `[traces]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Where spans are sent: the collector's base address, below which OTLP has `/v1/traces`.
    pub endpoint: Url,
}

/// `[work]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How many investigations run at once.
    pub concurrency: usize,
    /// How long running ones may go on after the signal to stop.
    pub drain: Duration,
    /// How often a watched secret is looked at.
    pub watch_every: Duration,
    /// How long a secret is watched at most.
    pub watch_for: Duration,
}

impl Default for Work {
    fn default() -> Work {
        Work { concurrency: 16, drain: Duration::from_secs(20), watch_every: Duration::from_secs(15 * 60), watch_for: days(14) }
    }
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3_600)
}

pub(super) fn http(root: &Section<'_>, reader: &Reader<'_>) -> Http {
    let Some(section) = root.section("http") else { return Http::default() };
    let listen = section.get("listen", |value| address(&reader::text(value)?));
    let file = |key| section.get(key, reader::text).map(PathBuf::from);
    let tls = match (file("tls_certificate"), file("tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => {
            reader.problem(section.span("tls_certificate"), "`http`: `tls_certificate` and `tls_key` must be set together");
            None
        }
    };
    section.finish();
    Http { listen: listen.unwrap_or(Http::default().listen), tls }
}

pub(super) fn metrics(root: &Section<'_>) -> Option<MetricsServer> {
    let section = root.section("metrics")?;
    let listen = section.get("listen", |value| address(&reader::text(value)?));
    section.finish();
    // Where it is left out, an operator looks on this machine, at the port that exporters of OpenTelemetry have.
    Some(MetricsServer { listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 9_464))) })
}

pub(super) fn traces(root: &Section<'_>) -> Option<Traces> {
    let section = root.section("traces")?;
    let endpoint = section.get("endpoint", |value| {
        let text = reader::text(value)?;
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
        let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.query().is_none();
        url.filter(is_plain).ok_or_else(|| {
            format!("expected the collector's address without credentials, such as \"http://127.0.0.1:4318\", found {text:?}")
        })
    });
    if !section.has("endpoint") {
        root.problem("traces", "`endpoint` is missing: the address of the collector");
    }
    section.finish();
    Some(Traces { endpoint: endpoint? })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address and a port such as 127.0.0.1:8080, found {text:?}"))
}

pub(super) fn work(root: &Section<'_>) -> Work {
    let default = Work::default();
    let Some(section) = root.section("work") else { return default };
    let seconds = |key, most| section.get(key, |value| reader::number(value, 1..=most)).map(Duration::from_secs);
    let work = Work {
        concurrency: section
            .get("concurrency", |value| reader::number(value, 1..=1_000))
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(default.concurrency),
        drain: seconds("drain_seconds", 600).unwrap_or(default.drain),
        watch_every: seconds("watch_every_seconds", 24 * 3_600).unwrap_or(default.watch_every),
        watch_for: section.get("watch_days", |value| reader::number(value, 1..=90)).map_or(default.watch_for, days),
    };
    section.finish();
    work
}
