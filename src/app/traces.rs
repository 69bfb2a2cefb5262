//! Traces over OTLP: spans go to a collector in batches, beside everything else. Where nobody takes them they are dropped.
//!
//! `OTEL_EXPORTER_OTLP_HEADERS` adds headers, such as a collector's token, and `OTEL_RESOURCE_ATTRIBUTES` says more of where the
//! program runs, as for every program that speaks OpenTelemetry.

use crate::alarm::OnceAMinute;
use crate::config::Traces;
use crate::http_body;
use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Registry;

/// How long the collector may take for a batch.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long the last batch may take at the end of the process.
const LAST_BATCH: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What takes the spans.
pub type TraceLayer = OpenTelemetryLayer<Registry, SdkTracer>;

/// The way to the collector.
#[derive(Debug)]
pub struct TraceExport {
    provider: SdkTracerProvider,
}

impl TraceExport {
    /// Prepares to send spans as `traces` says; nothing is sent yet. Needs the runtime that it is called in.
    ///
    /// # Errors
    /// Why no spans can be sent from this machine at all.
    pub fn prepare(traces: &Traces) -> Result<TraceExport, String> {
        crate::tls::choose();
        let client = reqwest::Client::builder()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("no connection to the collector can be prepared: {}", error.without_url()))?;
        let client = CollectorClient { client, runtime: Handle::current(), unreached: Arc::default() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", traces.endpoint.as_str().trim_end_matches('/')))
            .with_timeout(DEADLINE)
            .build()
            .map_err(|error| format!("no spans can be sent: {error}"))?;
        let program = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("rotation-diag").with_attribute(program).build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
        Ok(TraceExport { provider })
    }

    /// What takes the spans. Of each it takes what the span itself says, and nothing of where in the source it was made.
    #[must_use]
    pub fn layer(&self) -> TraceLayer {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("rotation-diag"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
    }

    /// Sends what is left, within its time.
    pub async fn finish(self) {
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_BATCH)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Our own client: the batches are made on a thread of their own, outside of the runtime that connections need.
#[derive(Debug, Clone)]
struct CollectorClient {
    client: reqwest::Client,
    runtime: Handle,
    unreached: Arc<OnceAMinute>,
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let this = self.clone();
        self.runtime.spawn(async move { this.send(request).await }).await?
    }
}

impl CollectorClient {
    async fn send(self, request: reqwest::Request) -> Result<Response<Bytes>, HttpError> {
        let tell = |why: String| {
            Arc::clone(&self.unreached)
                .tell(why, |why, more| tracing::warn!(why, more, "spans were not taken by the collector, and are dropped"));
        };
        let answer = self.client.execute(request).await.map_err(|error| {
            let error = error.without_url();
            tell(if error.is_timeout() { "no answer in time" } else { "it cannot be reached" }.to_owned());
            error
        })?;
        let status = answer.status();
        if !status.is_success() {
            tell(format!("it answered with status {}", status.as_u16()));
        }
        let body = http_body::read(answer, MAX_ANSWER_BYTES).await?;
        Ok(Response::builder().status(status.as_u16()).body(Bytes::from(body))?)
    }
}
