//! What labels may hold: words of the program and of its catalogues, and the names of platforms. No text that was read can
//! become one, so their number is bounded, and nothing secret is among them.

use crate::model::{Cause, Outcome, PlatformName};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use std::fmt::{self, Write as _};

impl EncodeLabelValue for PlatformName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.id())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub(super) version: &'static str,
}

/// A part, by the name that `/readyz` gives it: of a platform, or of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PartLabels {
    pub(super) part: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PlatformLabels {
    pub(super) platform: PlatformName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InvestigationLabels {
    pub(super) outcome: &'static str,
    pub(super) cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StepLabels {
    pub(super) step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ObservationLabels {
    pub(super) step: &'static str,
    pub(super) observation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) operation: &'static str,
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ServiceLabels {
    pub(super) service: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LimiterLabels {
    pub(super) limiter: &'static str,
}

/// Who is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckSource {
    Platform(PlatformName),
    Sns,
}

impl EncodeLabelValue for AckSource {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            AckSource::Platform(platform) => platform.encode(encoder),
            AckSource::Sns => encoder.write_str("sns"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AckLabels {
    pub(super) source: AckSource,
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct DeliveryLabels {
    pub(super) platform: PlatformName,
    pub(super) result: &'static str,
}

/// How an investigation ended, as labels and spans say it: its outcome, and the cause it found.
#[must_use]
pub fn ending(outcome: Outcome, cause: Option<Cause>) -> (&'static str, &'static str) {
    let outcome = match outcome {
        Outcome::RootCause => "root_cause",
        Outcome::Healthy => "healthy",
        Outcome::Inconclusive => "inconclusive",
        Outcome::NotFound => "not_found",
    };
    (outcome, cause.map_or("none", Cause::id))
}
