//! What one step saw, fact by fact.

use crate::model::{Investigation, StepName};
use crate::redact::SafeText;
use crate::report::{Report, ReportedFact, ReportedStep, SCHEMA_VERSION, Subject, Untrusted, facts};
use jiff::Timestamp;
use serde::Serialize;

/// The fields of an [`EvidenceAnswer`] that may quote what others wrote.
const UNTRUSTED: Untrusted =
    &["secret.name", "secret.arn", "secret.near_names", "step.summary", "step.denied[].resource", "groups[].facts"];

/// What one step saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub investigation_id: SafeText,
    /// The moment all ages are counted from.
    pub now: Timestamp,
    pub secret: Subject,
    /// `None` where there is no such step, which no caller can ask for.
    pub step: Option<ReportedStep>,
    pub groups: Vec<EvidenceGroup>,
    /// The fields above that may quote what others wrote.
    pub untrusted: Untrusted,
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceGroup {
    pub label: SafeText,
    /// True for lines that were written by machines, such as a log's or a policy's.
    pub verbatim: bool,
    /// The most telling first.
    pub facts: Vec<ReportedFact>,
}

impl EvidenceAnswer {
    /// What `step` of the investigation saw; `report` is the investigation's.
    #[must_use]
    pub fn of(investigation: &Investigation, report: &Report, step: StepName) -> EvidenceAnswer {
        let group = |group: facts::FactGroup| EvidenceGroup {
            label: group.label,
            verbatim: group.verbatim,
            facts: group.facts.into_iter().map(|fact| ReportedFact { of: fact.lead, text: fact.text }).collect(),
        };
        EvidenceAnswer {
            schema_version: SCHEMA_VERSION,
            investigation_id: report.investigation_id.clone(),
            now: report.now,
            secret: report.secret.clone(),
            step: report.steps.iter().find(|seen| seen.name == step).cloned(),
            groups: facts::of(&investigation.evidence, step).groups.into_iter().map(group).collect(),
            untrusted: UNTRUSTED,
        }
    }
}
