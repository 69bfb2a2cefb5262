//! Whether looking again can tell more: further back, or for the change behind a cause.

use super::Options;
use crate::diagnosis::{Case, events_explaining};
use crate::model::{Diagnosis, EventSource, Evidence, Observation, Outcome, Reach, StepName};
use std::collections::BTreeSet;

/// What to look at again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct NextLook {
    /// Look this far back.
    pub(super) reach: Option<Reach>,
    /// Look for these changes by name.
    pub(super) change_events: Vec<String>,
}

impl NextLook {
    /// The next look, if another can tell more.
    pub(super) fn after(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
        widen(evidence, diagnosis, options).or_else(|| search_change(evidence, diagnosis, options))
    }

    /// The steps that look again; the others keep what they saw.
    pub(super) fn steps(&self) -> BTreeSet<StepName> {
        let mut steps = BTreeSet::new();
        if self.reach.is_some() {
            steps.extend([StepName::FunctionLogs, StepName::FunctionMetrics]);
        }
        // Event history answers for 30 days at once; only the last widening goes beyond them.
        if self.reach == Some(Reach::Quarter) {
            steps.extend([StepName::RotationHistory, StepName::ConfigChanges]);
        }
        if !self.change_events.is_empty() {
            steps.insert(StepName::ConfigChanges);
        }
        steps
    }
}

/// Looks further back when rotation is unwell, nothing explains it, and the logs can be read at all.
fn widen(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
    let unexplained = diagnosis.outcome == Outcome::Inconclusive && Case::new(evidence).is_unwell();
    let readable = matches!(evidence.logs.observation, Observation::Found(_) | Observation::NoData { .. })
        && evidence.function.found().is_some();
    if options.reach.is_some() || !options.steps.is_empty() || !unexplained || !readable {
        return None;
    }
    Some(NextLook { reach: Some(evidence.reach.wider()?), change_events: Vec::new() })
}

/// Looks for the change behind the root cause by event name, where the window before the failures did not show one.
///
/// A trail's log group is read with all names at once, so this concerns `LookupEvents` alone.
fn search_change(evidence: &Evidence, diagnosis: &Diagnosis, options: &Options) -> Option<NextLook> {
    let cause = diagnosis.root_cause()?.cause;
    let changes = evidence.changes.found()?;
    let explained = diagnosis.changes.iter().any(|change| change.explains.contains(&cause));
    if explained || changes.source != EventSource::EventHistory || !options.steps.is_empty() {
        return None;
    }
    let names: Vec<String> =
        events_explaining(cause).filter(|name| !changes.searched.iter().any(|done| done == name)).map(str::to_owned).collect();
    (!names.is_empty()).then_some(NextLook { reach: None, change_events: names })
}
