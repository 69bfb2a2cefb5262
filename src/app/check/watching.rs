//! What watches the bot: where metrics are answered, and where traces go.

use super::http::listens;
use crate::chat::setup::{CheckResult, Checked, checked, fine, open};
use crate::config::{Config, Traces};
use std::time::Duration;

/// How long the collector may take.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn check(config: &Config) -> Vec<Checked> {
    let mut all = Vec::new();
    if let Some(metrics) = config.metrics {
        all.push(checked("metrics", listens(metrics.listen, "metrics")));
    }
    if let Some(traces) = &config.traces {
        all.push(checked("traces", collected(traces).await));
    }
    all
}

/// A batch of nothing, which every collector takes.
///
/// Source: the OTLP specification, "OTLP/HTTP Request": an empty message has no bytes.
async fn collected(traces: &Traces) -> CheckResult {
    let url = format!("{}/v1/traces", traces.endpoint.as_str().trim_end_matches('/'));
    let Ok(client) = reqwest::Client::builder().timeout(DEADLINE).redirect(reqwest::redirect::Policy::none()).build() else {
        return open(format!("{url} could not be asked"));
    };
    match client.post(&url).header("content-type", "application/x-protobuf").send().await {
        Ok(answer) if answer.status().is_success() => fine(format!("{url} takes spans")),
        Ok(answer) => open(format!("{url} answers with {}, and spans are dropped", answer.status().as_u16())),
        Err(_) => open(format!("{url} cannot be reached, and spans are dropped")),
    }
}
