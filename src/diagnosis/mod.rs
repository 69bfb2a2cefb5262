//! Pure rules: evidence in, findings out.
//!
//! [`diagnose`] reads the evidence once into a [`DiagnosisContext`], asks every rule of [`rules::RULES`], places the configuration
//! changes in time, hides symptoms behind their root causes, and decides the outcome.
//! Then it foretells the next rotation and proves the fix: the plan is applied to the evidence and the next rotation foretold
//! again.

mod advice;
mod assumed_role;
mod aws_policies;
mod behind;
#[cfg(test)]
mod calibration;
pub mod change_events;
mod compare;
pub mod context;
mod correlate;
mod database;
mod explain;
mod follow_up;
mod forecast;
mod function_state;
pub mod iam;
mod inhibit;
mod key_access;
mod lost_policies;
mod managed;
mod need;
pub mod network;
mod network_look;
mod network_remedy;
mod next_looks;
mod outcome;
mod permissions;
#[cfg(test)]
mod placeholders;
mod plan;
mod policy_edit;
mod readings;
mod refusal;
pub mod remedy;
mod rule;
pub mod rules;
mod runs;
mod scope;
pub mod signatures;
mod suspects;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod truth_table;
mod verdict;

pub use context::DiagnosisContext;
pub use explain::{Explanation, explain};
pub use readings::code::{CodeFault, faults as code_faults};
pub use rule::{Rule, Specificity, Stage};
pub use rules::{page_of, rule_of};
pub use verdict::Verdict;

use crate::model::{Cause, Diagnosis, Evidence, Finding, Forecast, NotChecked, Plan, RuledOut, Severity};

/// Says first what bites at once: that the database may refuse the current password while rotation is broken.
fn warn_of_pending_password(context: &DiagnosisContext<'_>, findings: &mut [Finding]) {
    let root = findings.first_mut().filter(|finding| finding.severity > Severity::Info);
    if let (Some(root), Some(pending)) = (root, readings::pending::password::in_database(context)) {
        root.explanation = format!("{} {}", pending.warning(context.behind()), root.explanation);
    }
}

/// Decides what stops rotation, from the evidence alone, foretells the next rotation, and proves the fix.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let context = DiagnosisContext::new(evidence);
    let diagnosis = judge_in(&context);
    foretell_in(&context, diagnosis)
}

/// Decides what stops rotation, without a forecast and a plan: enough to know where to look next.
#[must_use]
pub fn judge(evidence: &Evidence) -> Diagnosis {
    judge_in(&DiagnosisContext::new(evidence))
}

/// True where a change that only event history shows may turn out to be the defect behind this cause: who wrote the value that is
/// refused, what replaced the runtime that the code worked on.
#[must_use]
pub fn may_come_of_a_change(cause: Cause) -> bool {
    rules::is_broken_by_a_runtime(cause) || rules::is_refused_login(cause)
}

/// Adds to what [`judge`] decided on the same evidence the forecast and the plan, which cost many times as much.
#[must_use]
pub fn foretell(evidence: &Evidence, judged: Diagnosis) -> Diagnosis {
    foretell_in(&DiagnosisContext::new(evidence), judged)
}

fn foretell_in(context: &DiagnosisContext<'_>, mut diagnosis: Diagnosis) -> Diagnosis {
    diagnosis.forecast = forecast::forecast(context, &diagnosis);
    diagnosis.plan = plan::make(context, &diagnosis);
    diagnosis.network_paths = readings::network::shown(context);
    print_only_what_is_proven(&mut diagnosis);
    diagnosis
}

fn judge_in(context: &DiagnosisContext<'_>) -> Diagnosis {
    let evidence = context.evidence;
    let mut findings = Vec::new();
    let mut ruled_out = Vec::new();
    let mut not_checked = Vec::new();
    let open = evidence.with_unasked_open();
    let open = open.as_ref().map(DiagnosisContext::new);
    for rule in rules::RULES {
        let verdict = match (rule.evaluate)(context) {
            // What may stand in a step that was not asked for is not ruled out.
            Verdict::Clear { because } => open.as_ref().map_or(Verdict::Clear { because }, rule.evaluate),
            verdict => verdict,
        };
        match verdict {
            Verdict::Fires(finding) => findings.push((rule.stage, *finding)),
            Verdict::Clear { because } if context.is_elsewhere(&because) => {}
            Verdict::Clear { because } => ruled_out.push(RuledOut { cause: rule.cause, because }),
            Verdict::Unknown { missing } => not_checked.push(NotChecked { cause: rule.cause, missing }),
        }
    }
    let changes = correlate::place(context, &mut findings);
    let mut findings = inhibit::rank(context, findings);
    warn_of_pending_password(context, &mut findings);
    let outcome = outcome::decide(context, &findings);
    let root = findings.first().filter(|_| outcome.has_cause());
    let next_looks = next_looks::decide(context, outcome, &findings, &not_checked);
    let follow_up = follow_up::decide(context, outcome, &findings, root, &changes);
    Diagnosis {
        outcome,
        findings,
        changes,
        comparison: compare::compare(context),
        ruled_out,
        not_checked,
        failing: context.failing.clone(),
        last_success_at: context.last_success_at,
        follow_up,
        next_looks,
        forecast: Forecast::default(),
        plan: Plan::default(),
        network_paths: Vec::new(),
    }
}

/// The remedy of the first finding shows the commands of the plan that work against it: none, where they would not help.
fn print_only_what_is_proven(diagnosis: &mut Diagnosis) {
    let plan = &diagnosis.plan;
    let Some(first) = diagnosis.findings.first_mut() else { return };
    if plan.heals == Some(false) || !plan.steps.is_empty() {
        let own = plan.steps.iter().filter(|step| step.cause == first.cause);
        first.remediation.commands = own.map(|step| step.command.clone()).collect();
    }
}
