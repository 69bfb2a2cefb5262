//! The report: what leaves an investigation, in every format. Its JSON form is a public contract.
//!
//! [`wording`] says everything once, in plain and inert text; the formats only lay it out.

mod consumers;
pub mod facts;
mod json;
mod mark;
mod markdown;
pub mod outlook;
pub mod paths;
mod phrase;
mod text;
pub mod time;
mod untrusted;
pub mod wording;

pub use consumers::ReportedConsumers;
pub use facts::code_facts;
pub use json::{json, json_line};
pub use mark::StepMark;
pub use markdown::markdown;
pub use outlook::ReportedForecast;
pub use phrase::{Phrase, Span, line_in_utc};
pub use text::text;
pub use untrusted::{MARK as UNTRUSTED_MARK, Untrusted};

use crate::model::spans::CLOCK_TOLERANCE;
use crate::model::{
    AttemptOutcome, Cause, Comparison, Confidence, DiagnosisItem, Evidence, Finding, Investigation, Lookback, NetworkPath,
    Obstacle, Outcome, PathState, Plan, Proof, Remediation, Severity, StepName, StepView, Window,
};
use crate::redact::SafeText;
use jiff::Timestamp;
use serde::Serialize;

/// The version of the JSON form; it grows when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// One investigation's result, redacted and ready to be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    pub investigation_id: SafeText,
    /// The moment all ages are counted from.
    pub now: Timestamp,
    /// The secret that was asked for.
    pub secret: Subject,
    /// How far back it looked; a wider look begins from here.
    #[serde(skip)]
    pub lookback: Lookback,
    /// The smallest window that holds those of all steps.
    pub window: Window,
    pub outcome: Outcome,
    /// The verdict in one line.
    pub headline: SafeText,
    /// The current row of failures.
    pub failing: Option<Failing>,
    /// The last rotation known to have succeeded.
    pub last_success_at: Option<Timestamp>,
    /// When it is due next, by its schedule.
    pub next_due_at: Option<Timestamp>,
    /// What was found; the most likely root cause first.
    pub findings: Vec<ReportedFinding>,
    /// The next rotation, foretold.
    pub forecast: ReportedForecast,
    /// The fix, as ordered commands.
    pub plan: Vec<ReportedPlanStep>,
    /// Whether nothing known stands in the way after the plan; `None` where the evidence cannot tell, or nothing needs mending.
    pub heals: Option<bool>,
    /// What no command of the plan mends.
    #[serde(skip)]
    pub remaining: Vec<ReportedObstacle>,
    /// What only the next rotation can show.
    #[serde(skip)]
    pub doubts: Vec<SafeText>,
    /// What could be lost by commands of the plan that no finding leads with.
    #[serde(skip)]
    pub warnings: Vec<SafeText>,
    /// Configuration changes, oldest first.
    pub changes: Vec<ReportedChange>,
    /// How other secrets fared.
    pub comparison: Option<ReportedComparison>,
    /// Causes the evidence speaks against.
    pub ruled_out: Vec<RuledOutCause>,
    /// Causes that could not be decided.
    pub not_checked: Vec<UncheckedCause>,
    /// What a person can look at next where the end is inconclusive; what decides most first.
    pub next_looks: Vec<ReportedLook>,
    /// The ways from the function to what it must reach, where the network was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network_paths: Vec<ReportedPath>,
    /// The nine steps in order.
    pub steps: Vec<ReportedStep>,
    /// What the function's code shows, where it was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<ReportedFact>,
    /// Who reads the secret, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumers: Option<ReportedConsumers>,
    /// How many calls AWS was asked in all.
    pub api_calls: usize,
    /// How long the investigation took, in milliseconds.
    pub duration_ms: u64,
    /// The fields above that may quote what others wrote.
    pub untrusted: Untrusted,
}

/// Something that stands in the way of the next rotation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedObstacle {
    /// Which cause it would be.
    pub cause: Cause,
    /// `possible` where it may stop the rotation, otherwise it will.
    pub confidence: Confidence,
    /// Since when it stands there, or from when on it will.
    pub at: Option<Timestamp>,
    /// What it is, in a sentence.
    pub text: SafeText,
    /// The fact it rests on.
    pub proof: Option<ReportedProof>,
    /// Who made the change behind it.
    pub author: Option<SafeText>,
}

/// One command of the fix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedPlanStep {
    /// The command, to be pasted into a shell.
    pub command: SafeText,
    /// The cause it works against.
    pub cause: Cause,
    pub effect: SafeText,
    /// True where it changes nothing.
    #[serde(skip)]
    pub is_read_only: bool,
    /// The command that takes it back; `None` where it changes nothing or cannot be taken back.
    pub undo: Option<SafeText>,
    /// What to heed before it is taken back; `None` where that cuts nobody off.
    pub undo_caution: Option<&'static str>,
    /// The IAM actions it needs.
    pub needs: Vec<SafeText>,
}

/// The secret, as far as it is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subject {
    /// Its name, or what was asked for.
    pub name: SafeText,
    /// Its ARN, once it was found.
    pub arn: Option<SafeText>,
    /// Where it was looked for.
    pub region: SafeText,
    /// The account, once an answer named it.
    pub account_id: Option<SafeText>,
    /// What the configuration calls that account.
    pub account_name: Option<SafeText>,
    /// Names like the one that was asked for, where there is no such secret.
    pub near_names: Vec<SafeText>,
}

/// The current row of failures: since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Failing {
    /// The first failure.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    pub attempts: usize,
    /// True where the history was seen and shows none of them: they are failed invocations of the function.
    #[serde(skip)]
    pub by_invocations: bool,
}

/// A cause that the evidence supports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedFinding {
    pub cause: Cause,
    /// One line that states the defect.
    pub title: SafeText,
    pub confidence: Confidence,
    pub severity: Severity,
    /// The runbook's diagnosis item.
    pub diagnosis_item: DiagnosisItem,
    pub explanation: SafeText,
    /// What it rests on, the strongest first.
    pub evidence: Vec<ReportedProof>,
    pub remediation: ReportedRemediation,
    /// The root cause this is only a symptom of.
    pub inhibited_by: Option<Cause>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedProof {
    /// The number of the step that saw it.
    pub step: u8,
    pub step_name: StepName,
    /// The API call, as `service:Operation`.
    pub call: SafeText,
    /// When it happened in AWS.
    pub at: Option<Timestamp>,
    /// The line or the fact.
    pub text: SafeText,
}

/// What to do about a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedRemediation {
    /// One or two sentences.
    pub summary: SafeText,
    pub commands: Vec<SafeText>,
    /// What could be lost by running them.
    pub warning: Option<SafeText>,
    /// The IAM actions the person needs.
    pub needs: Vec<SafeText>,
    pub links: Vec<SafeText>,
}

/// A configuration change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedChange {
    pub at: Timestamp,
    pub actor: SafeText,
    /// What made the call, where its record tells.
    pub tool: Option<SafeText>,
    pub event: SafeText,
    pub resource: SafeText,
    /// Whole minutes to the first failure; `None` without failures or when later.
    pub minutes_before_failure: Option<i64>,
    /// The causes among the findings it can explain.
    pub explains: Vec<Cause>,
}

/// How other secrets fared within 24 hours of the newest failure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedComparison {
    /// With the same function, last attempt failed.
    pub same_function_failing: Vec<SafeText>,
    /// With the same function, last attempt succeeded.
    pub same_function_rotating: Vec<SafeText>,
    /// With the same key, last attempt failed.
    pub same_key_failing: Vec<SafeText>,
    /// With the same key, last attempt succeeded.
    pub same_key_rotating: Vec<SafeText>,
    /// With other functions, last attempt failed.
    pub others_failing: Vec<SafeText>,
    /// With other functions, last attempt succeeded.
    pub others_rotating: Vec<SafeText>,
    pub conclusion: SafeText,
}

/// A cause the evidence speaks against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuledOutCause {
    pub cause: Cause,
    /// The fact that speaks against it.
    pub because: SafeText,
}

/// A cause that could not be decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UncheckedCause {
    pub cause: Cause,
    /// The permission or the answer that was missing.
    pub missing: SafeText,
}

/// Something a person can look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedLook {
    pub what: SafeText,
    /// The causes that it would decide.
    pub decides: Vec<Cause>,
    /// A command that only reads, where one answers it.
    pub command: Option<SafeText>,
}

/// The way from the function to something it must reach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedPath {
    /// A service of AWS, or a database's identifier.
    pub target: SafeText,
    /// The function's subnet that it begins in.
    pub subnet: Option<SafeText>,
    pub state: PathState,
    /// In the order of travel.
    pub hops: Vec<ReportedHop>,
}

/// One hop of a way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedHop {
    /// What it is, such as `route`.
    pub place: SafeText,
    /// Its id in AWS; empty where it has none, or was not seen.
    pub id: SafeText,
    pub state: PathState,
    pub text: SafeText,
}

impl From<&NetworkPath> for ReportedPath {
    fn from(path: &NetworkPath) -> ReportedPath {
        let hop = |hop: &crate::model::PathHop| ReportedHop {
            place: SafeText::redact(&hop.place),
            id: SafeText::redact(&hop.id),
            state: hop.state,
            text: SafeText::redact(&hop.text),
        };
        ReportedPath {
            target: SafeText::redact(&path.target),
            subnet: path.subnet.as_deref().map(SafeText::redact),
            state: path.state,
            hops: path.hops.iter().map(hop).collect(),
        }
    }
}

/// One playbook step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedStep {
    /// 1 to 9.
    pub number: u8,
    pub name: StepName,
    /// The observation's kind, in snake case.
    pub status: &'static str,
    /// What the step saw.
    pub summary: SafeText,
    /// The window it looked at.
    pub window: Option<Window>,
    /// How many calls it made.
    pub api_calls: usize,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The IAM actions that were refused, separated by commas; `None` when it could look at everything.
    pub needs_permission: Option<SafeText>,
    /// Each refused action, and on what.
    pub denied: Vec<MissingPermission>,
    /// Its judgement.
    #[serde(skip)]
    pub mark: StepMark,
}

/// A fact: what of, and what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedFact {
    pub of: SafeText,
    pub text: SafeText,
}

/// A permission that was missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct MissingPermission {
    pub action: SafeText,
    /// The resource; `*` where the action has none.
    pub resource: SafeText,
}

impl Report {
    /// Redacts the investigation's result.
    #[must_use]
    pub fn new(investigation: &Investigation) -> Report {
        let Investigation { id, evidence, diagnosis, consumers, api_calls, duration_ms } = investigation;
        let steps = evidence.steps();
        let own = evidence.secret.found();
        let Plan { steps: commands, heals, remaining, doubts, warnings } = &diagnosis.plan;
        let look_back = evidence.lookback.window(evidence.now);
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            investigation_id: SafeText::redact(id),
            now: evidence.now,
            secret: Subject {
                name: SafeText::redact(own.map_or(evidence.asked.as_str(), |secret| secret.name.as_str())),
                arn: own.map(|secret| SafeText::redact(secret.arn.arn().as_str())),
                region: SafeText::redact(&evidence.region),
                account_id: evidence.account_id.as_deref().map(SafeText::redact),
                account_name: None,
                near_names: evidence.near_names.iter().map(|name| SafeText::redact(name)).collect(),
            },
            lookback: evidence.lookback,
            window: steps.iter().filter_map(|step| step.window).fold(look_back, |hull, window| hull.hull(&window)),
            outcome: diagnosis.outcome,
            headline: SafeText::default(),
            failing: diagnosis.failing.as_ref().map(|row| Failing {
                first_at: row.first_at,
                last_at: row.last_at,
                attempts: row.count,
                by_invocations: evidence.history.found().is_some_and(|history| {
                    let is_end = |outcome| matches!(outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned);
                    !history.attempts.iter().any(|attempt| !attempt.is_test && is_end(attempt.outcome))
                }),
            }),
            last_success_at: diagnosis.last_success_at.map(|at| as_dated(evidence, at)),
            next_due_at: (evidence.rotation_config.found())
                .filter(|config| config.enabled == Some(true))
                .and_then(|config| config.due.next.or(config.next_rotation_at))
                .filter(|next| *next > evidence.now),
            findings: diagnosis.findings.iter().map(ReportedFinding::from).collect(),
            forecast: ReportedForecast::from(&diagnosis.forecast),
            plan: commands.iter().map(ReportedPlanStep::from).collect(),
            heals: *heals,
            remaining: remaining.iter().map(ReportedObstacle::from).collect(),
            doubts: redacted(doubts),
            warnings: redacted(warnings),
            changes: (diagnosis.changes.iter())
                .map(|change| ReportedChange {
                    at: change.at,
                    actor: SafeText::redact(&change.actor),
                    tool: change.tool.as_deref().map(SafeText::redact),
                    event: SafeText::redact(&change.event),
                    resource: SafeText::redact(&change.resource),
                    minutes_before_failure: change.minutes_before_failure,
                    explains: change.explains.clone(),
                })
                .collect(),
            network_paths: diagnosis.network_paths.iter().map(ReportedPath::from).collect(),
            comparison: diagnosis.comparison.as_ref().map(ReportedComparison::from),
            // Earlier versions ruled causes out for a secret that was not there.
            ruled_out: (diagnosis.ruled_out.iter())
                .filter(|_| diagnosis.outcome != Outcome::NotFound)
                .map(|ruled_out| RuledOutCause { cause: ruled_out.cause, because: SafeText::redact(&ruled_out.because) })
                .collect(),
            not_checked: (diagnosis.not_checked.iter())
                .map(|open| UncheckedCause { cause: open.cause, missing: SafeText::redact(&open.missing) })
                .collect(),
            next_looks: (diagnosis.next_looks.iter())
                .map(|look| ReportedLook {
                    what: SafeText::redact(&look.what),
                    decides: look.decides.clone(),
                    command: look.command.as_deref().map(SafeText::redact),
                })
                .collect(),
            steps: steps.iter().map(ReportedStep::from).collect(),
            code: (facts::of_code(&evidence.function_code).iter())
                .map(|fact| ReportedFact { of: SafeText::redact(&fact.lead), text: SafeText::redact(&fact.text) })
                .collect(),
            consumers: consumers.as_ref().map(ReportedConsumers::new),
            api_calls: *api_calls,
            duration_ms: *duration_ms,
            untrusted: untrusted::REPORT,
        };
        report.headline = wording::headline(&report);
        mark::steps(&mut report, evidence);
        report
    }

    /// Names the account as the configuration does.
    #[must_use]
    pub fn in_account(mut self, name: Option<&str>) -> Report {
        self.secret.account_name = name.map(SafeText::redact);
        self
    }

    /// The finding the verdict rests on: the root cause, or the best guess of an inconclusive end.
    #[must_use]
    pub fn leading(&self) -> Option<&ReportedFinding> {
        let first = self.findings.first()?;
        (self.outcome != Outcome::Healthy && first.severity > Severity::Info).then_some(first)
    }

    /// True when no step got an answer from AWS, not even an empty one.
    #[must_use]
    pub fn saw_nothing(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step.status, "found" | "no_data"))
    }

    /// The permissions that were missing, each once, in the order of the steps.
    #[must_use]
    pub fn missing_permissions(&self) -> Vec<&MissingPermission> {
        let mut missing: Vec<&MissingPermission> = Vec::new();
        for permission in self.steps.iter().flat_map(|step| &step.denied) {
            if !missing.contains(&permission) {
                missing.push(permission);
            }
        }
        missing
    }
}

impl From<&Finding> for ReportedFinding {
    fn from(finding: &Finding) -> ReportedFinding {
        ReportedFinding {
            cause: finding.cause,
            title: SafeText::redact(&finding.title),
            confidence: finding.confidence,
            severity: finding.severity,
            diagnosis_item: finding.cause.diagnosis_item(),
            explanation: SafeText::redact(&finding.explanation),
            evidence: finding.evidence.iter().map(ReportedProof::from).collect(),
            remediation: ReportedRemediation::from(&finding.remediation),
            inhibited_by: finding.inhibited_by,
        }
    }
}

impl From<&Proof> for ReportedProof {
    fn from(proof: &Proof) -> ReportedProof {
        ReportedProof {
            step: proof.step.number(),
            step_name: proof.step,
            call: SafeText::redact(&proof.call),
            at: proof.at,
            text: SafeText::redact(&proof.text),
        }
    }
}

impl From<&Obstacle> for ReportedObstacle {
    fn from(obstacle: &Obstacle) -> ReportedObstacle {
        ReportedObstacle {
            cause: obstacle.cause,
            confidence: obstacle.confidence,
            at: obstacle.at,
            text: SafeText::redact(&obstacle.text),
            proof: obstacle.proof.as_ref().map(ReportedProof::from),
            author: obstacle.author.as_deref().map(SafeText::redact),
        }
    }
}

impl From<&Remediation> for ReportedRemediation {
    fn from(remediation: &Remediation) -> ReportedRemediation {
        ReportedRemediation {
            summary: SafeText::redact(&remediation.summary),
            commands: redacted(&remediation.commands),
            warning: remediation.warning.as_deref().map(SafeText::redact),
            needs: redacted(&remediation.needs),
            links: redacted(&remediation.links),
        }
    }
}

impl From<&Comparison> for ReportedComparison {
    fn from(comparison: &Comparison) -> ReportedComparison {
        ReportedComparison {
            same_function_failing: redacted(&comparison.same_function_failing),
            same_function_rotating: redacted(&comparison.same_function_rotating),
            same_key_failing: redacted(&comparison.same_key_failing),
            same_key_rotating: redacted(&comparison.same_key_rotating),
            others_failing: redacted(&comparison.others_failing),
            others_rotating: redacted(&comparison.others_rotating),
            conclusion: SafeText::redact(&comparison.conclusion),
        }
    }
}

impl From<&StepView<'_>> for ReportedStep {
    fn from(step: &StepView<'_>) -> ReportedStep {
        let summary = if step.summary.is_empty() { step.missing.unwrap_or_default() } else { step.summary };
        let mut actions: Vec<&str> = step.denials.iter().map(|denial| denial.action.as_str()).collect();
        actions.dedup();
        ReportedStep {
            number: step.name.number(),
            name: step.name,
            status: step.status,
            summary: SafeText::redact(summary),
            window: step.window,
            api_calls: step.calls.len(),
            duration_ms: step.duration_ms,
            needs_permission: (!actions.is_empty()).then(|| SafeText::redact(&actions.join(", "))),
            denied: (step.denials.iter())
                .map(|denial| MissingPermission {
                    action: SafeText::redact(&denial.action),
                    resource: SafeText::redact(&denial.resource),
                })
                .collect(),
            mark: StepMark::Unasked,
        }
    }
}

/// The moment of the last success as Secrets Manager dates it, where its event tells of the same rotation: otherwise one report tells
/// two ages of it.
fn as_dated(evidence: &Evidence, at: Timestamp) -> Timestamp {
    let dated = evidence.rotation_config.found().and_then(|config| config.last_rotated_at);
    dated.filter(|dated| dated.duration_since(at).abs() <= CLOCK_TOLERANCE).unwrap_or(at)
}

fn redacted(texts: &[String]) -> Vec<SafeText> {
    texts.iter().map(|text| SafeText::redact(text)).collect()
}
