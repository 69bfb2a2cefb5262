//! The spans of traces: one for each investigation, and in it one for each step and each call of AWS.
//!
//! What a span may hold stands here and nowhere else: words of the program and of its catalogues, and the region. No name, no
//! text that was read, no value. Logs know nothing of spans, and traces nothing of what is logged.

use crate::model::StepName;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// By this, spans are told from what is logged.
pub const TARGET: &str = "rotation_diag::spans";

/// Observations of a call or step that are no fault of anybody.
const FINE: [&str; 3] = ["found", "no_data", "not_applicable"];

/// An investigation in this region.
#[must_use]
pub fn investigation(region: &str) -> Span {
    info_span!(target: TARGET, "investigation", cloud.region = region, outcome = Empty, cause = Empty)
}

/// How an investigation ended, as metrics say it too.
pub fn concluded(span: &Span, (outcome, cause): (&'static str, &'static str)) {
    span.record("outcome", outcome);
    span.record("cause", cause);
}

/// A step of the playbook.
#[must_use]
pub fn step(step: StepName) -> Span {
    info_span!(
        target: TARGET,
        "step",
        otel.name = step.id(),
        step.number = i64::from(step.number()),
        result = Empty,
        otel.status_code = Empty
    )
}

/// A call of AWS, `service:Operation`.
///
/// Source: OpenTelemetry, "Semantic conventions for AWS SDK client spans".
#[must_use]
pub fn aws_call(operation: &'static str, region: &str) -> Span {
    let (service, method) = operation.split_once(':').unwrap_or((operation, ""));
    info_span!(
        target: TARGET,
        "aws call",
        otel.name = operation,
        otel.kind = "client",
        rpc.system = "aws-api",
        rpc.service = service,
        rpc.method = method,
        cloud.region = region,
        result = Empty,
        otel.status_code = Empty
    )
}

/// What a step or a call came to, by the kind of the observation.
pub fn answered(span: &Span, observation: &'static str) {
    span.record("result", observation);
    if !FINE.contains(&observation) {
        span.record("otel.status_code", "ERROR");
    }
}
