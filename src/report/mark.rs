//! How each of the nine steps is marked: what was looked at is fine, is the trouble, or could not be looked at.

use super::{Report, ReportedProof, ReportedStep};
use crate::model::{
    AttemptOutcome, Evidence, HealthEvent, Invocation, InvocationStatus, KeyFacts, Observation, Outcome, Severity,
    SimulatedDecision, Simulation, StepName,
};
use crate::redact::SafeText;
use crate::safe_format;

/// Calls whose answers a step's summary only counts, so that a proof has to say which of them is the trouble.
const COUNTED: [&str; 7] = [
    "iam:GetRole",
    "ec2:",
    "rds:",
    "lambda:GetPolicy",
    "secretsmanager:GetResourcePolicy",
    "kms:GetKeyPolicy",
    "cloudwatch:GetMetricData",
];

/// How much of such a proof stands behind the summary, in characters.
const PROOF: usize = 240;

/// The judgement of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepMark {
    /// It was looked at, and is fine.
    Fine,
    /// A finding or what will stop the next rotation rests on it, or what it saw is bad in itself.
    Trouble,
    /// There was nothing to see, which is neither good nor bad news.
    Nothing,
    /// The question makes no sense here, or nobody asked it.
    Unasked,
    /// It could not be looked at, or not everywhere.
    Unseen,
}

impl StepMark {
    /// What stands beneath a list of steps.
    pub const LEGEND: &'static str = "✓ fine · ✗ the trouble · – nothing there · ○ not asked · ⚠ could not look";

    /// One character that shows it.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            StepMark::Fine => "✓",
            StepMark::Trouble => "✗",
            StepMark::Nothing => "–",
            StepMark::Unasked => "○",
            StepMark::Unseen => "⚠",
        }
    }
}

/// Marks the steps of `report`, which is about `evidence`.
pub(super) fn steps(report: &mut Report, evidence: &Evidence) {
    let is_healthy = report.outcome == Outcome::Healthy;
    let findings = report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    // What will stop the next rotation is trouble where it stands, although rotation works until then.
    let ahead = report.forecast.blocking().filter_map(|obstacle| obstacle.proof.as_ref());
    let proofs: Vec<&ReportedProof> = findings.flat_map(|finding| &finding.evidence).chain(ahead).collect();
    let explains = report.changes.iter().any(|change| !change.explains.is_empty());
    for step in &mut report.steps {
        let number = step.number;
        let own = || proofs.iter().filter(move |proof| proof.step == number);
        let is_bad = is_bad(evidence, step.name);
        let is_trouble = own().next().is_some()
            || (step.name == StepName::ConfigChanges && explains)
            // Failures of the past, or of other secrets with the same function, are no trouble of a secret that rotates.
            || (!is_healthy && is_bad);
        let counted = own().find(|proof| COUNTED.iter().any(|call| proof.call.starts_with(call)));
        let counted = counted.filter(|_| step.status == "found" && !is_bad);
        let summary = counted.map(|proof| with_proof(&step.summary, &proof.text));
        step.mark = mark(step, is_trouble);
        let note = in_spite_of(evidence, step.name).filter(|_| is_healthy && step.mark == StepMark::Fine);
        let summary = summary.or_else(|| note.map(|note| safe_format!("{}; {}", step.summary, note)));
        if let Some(summary) = summary {
            step.summary = summary;
        }
    }
}

/// Why failures that a step counts are no trouble of a secret that rotates; `None` where it counts none, or says so itself.
fn in_spite_of(evidence: &Evidence, step: StepName) -> Option<&'static str> {
    match step {
        StepName::FunctionLogs => {
            let own = evidence.secret.found().map(|secret| secret.arn.arn().as_str());
            let failed = |one: &&Invocation| matches!(one.status, InvocationStatus::Failed | InvocationStatus::TimedOut);
            let may_be_own = evidence.logs.found()?.invocations.iter().filter(failed).any(|one| !one.names_another_than(own));
            may_be_own.then_some("the rotation of this secret succeeded all the same")
        }
        StepName::FunctionMetrics => {
            let failed = evidence.metrics.found()?.points.iter().any(|point| point.errors > 0.0);
            failed.then_some("counted for every secret of the function")
        }
        _ => None,
    }
}

/// The summary with what is wrong behind it, where it does not say so itself.
fn with_proof(summary: &SafeText, proof: &SafeText) -> SafeText {
    let proof = proof.single_line().cut(PROOF);
    let is_said = proof.split_whitespace().filter(|word| word.len() > 3).all(|word| summary.contains(word));
    if is_said { summary.clone() } else { safe_format!("{}; {}", summary, proof) }
}

fn mark(step: &ReportedStep, is_trouble: bool) -> StepMark {
    match step.status {
        "found" | "no_data" if is_trouble => StepMark::Trouble,
        "found" | "no_data" if !step.denied.is_empty() => StepMark::Unseen,
        "found" => StepMark::Fine,
        "no_data" => StepMark::Nothing,
        "not_applicable" => StepMark::Unasked,
        _ => StepMark::Unseen,
    }
}

/// What a step saw is bad, whatever was concluded from it.
fn is_bad(evidence: &Evidence, step: StepName) -> bool {
    match step {
        StepName::Secret => evidence.secret.found().is_some_and(|secret| {
            let is_open = |events: &Vec<HealthEvent>| events.iter().any(|event| event.ended_at.is_none());
            secret.deleted_at.is_some()
                || secret.pending_version().is_some()
                || secret.service_health.found().is_some_and(is_open)
        }),
        StepName::RotationConfig => evidence.rotation_config.found().is_some_and(|config| {
            let due = &config.due;
            // A replica rotates in its primary region.
            let is_off = config.enabled != Some(true) && !evidence.secret.found().is_some_and(|secret| secret.is_replica());
            is_off || due.invalid.is_some() || due.never_fires || due.overdue_since.is_some()
        }),
        StepName::RotationFunction => evidence.function.found().is_some_and(|function| {
            let failed = |state: &Option<String>| state.as_deref() == Some("Failed");
            let stopped = matches!(function.reserved_concurrency, Observation::Found(Some(0)));
            failed(&function.state) || failed(&function.last_update_status) || function.environment_error.is_some() || stopped
        }),
        StepName::FunctionLogs => evidence.logs.found().is_some_and(|logs| {
            let last = logs.invocations.iter().rfind(|invocation| invocation.status != InvocationStatus::Unknown);
            last.is_some_and(|last| last.status != InvocationStatus::Succeeded)
        }),
        StepName::ExecutionRole => evidence.role.found().is_some_and(|role| {
            let refused = |answers: &Vec<Simulation>| answers.iter().any(|answer| answer.decision != SimulatedDecision::Allowed);
            role.simulations.found().is_some_and(refused)
        }),
        StepName::RotationHistory => evidence.history.found().is_some_and(|history| {
            let ended = history.attempts.iter().rfind(|attempt| attempt.outcome != AttemptOutcome::Started);
            ended.is_some_and(|last| last.outcome != AttemptOutcome::Succeeded)
        }),
        StepName::FunctionMetrics => evidence
            .metrics
            .found()
            .is_some_and(|metrics| metrics.points.iter().any(|point| point.errors > 0.0 || point.throttles > 0.0)),
        StepName::SecretAccess => evidence.access.found().is_some_and(|access| {
            let unusable = |key: &Observation<KeyFacts>| key.found().is_some_and(|key| !key.is_usable());
            unusable(&access.secret_key) || unusable(&access.environment_key)
        }),
        StepName::ConfigChanges => false,
    }
}
