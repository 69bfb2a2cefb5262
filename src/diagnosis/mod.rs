//! Pure rules: evidence in, findings out.
//!
//! [`diagnose`] reads the evidence once into a [`Case`], asks every rule of [`rules::RULES`], places the configuration
//! changes in time, hides symptoms behind their root causes, and decides the outcome.

pub mod case;
pub mod change_events;
mod compare;
mod correlate;
mod explain;
mod follow_up;
mod function_state;
pub mod iam;
mod inhibit;
mod managed;
mod outcome;
mod permissions;
mod readings;
mod refusal;
pub mod remedy;
mod rule;
pub mod rules;
mod runs;
mod scope;
pub mod signatures;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod truth_table;

pub use case::Case;
pub use explain::{Explanation, explain};
pub use rule::{Rule, Specificity, Stage, Verdict};
pub use rules::rule_of;

use crate::model::{Diagnosis, Evidence, NotChecked, RuledOut};

/// Decides what stops rotation, from the evidence alone.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let case = Case::new(evidence);
    let mut findings = Vec::new();
    let mut ruled_out = Vec::new();
    let mut not_checked = Vec::new();
    for rule in rules::RULES {
        match (rule.evaluate)(&case) {
            Verdict::Fires(finding) => findings.push((rule.stage, *finding)),
            Verdict::Clear { because } => ruled_out.push(RuledOut { cause: rule.cause, because }),
            Verdict::Unknown { missing } => not_checked.push(NotChecked { cause: rule.cause, missing }),
        }
    }
    let changes = correlate::place(&case, &mut findings);
    let findings = inhibit::rank(&case, findings);
    let outcome = outcome::decide(&case, &findings);
    let root = findings.first().filter(|_| outcome.has_cause());
    let follow_up = follow_up::decide(&case, outcome, root, &changes);
    Diagnosis {
        outcome,
        findings,
        changes,
        comparison: compare::compare(&case),
        ruled_out,
        not_checked,
        failing: case.failing.clone(),
        last_success_at: case.last_success_at,
        follow_up,
    }
}
