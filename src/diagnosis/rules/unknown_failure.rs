//! # Rotation fails and nothing found here explains it
//!
//! Attempts fail, the search went back 90 days, and no rule recognises the reason. The raw error is quoted, with where to
//! look next: the function's code, how the secret is used, its timeout, its schedule.

use crate::diagnosis::{Case, Rule, Stage, Verdict};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName};

const CAUSE: Cause = Cause::UnknownFailure;

pub(super) const RULE: Rule = Rule { cause: CAUSE, stage: Stage::Inferred, evaluate };

fn evaluate(case: &Case<'_>) -> Verdict {
    let Some(row) = &case.failing else { return Verdict::clear("rotation is not failing") };
    if case.failures.iter().any(|failure| failure.decisive().is_some()) {
        return Verdict::clear("a failing invocation says why it failed");
    }
    let raw = case.failures.iter().rev().find_map(|failure| {
        let line = failure.lines.last().map(|read| read.event).or_else(|| failure.last_own_line())?;
        Some(Proof {
            step: StepName::FunctionLogs,
            call: "logs:FilterLogEvents".to_owned(),
            at: Some(line.at),
            text: line.text.trim().to_owned(),
        })
    });
    let evidence: Vec<Proof> = raw.into_iter().chain(case.failed_attempt_proof()).collect();
    let attempts = if row.count == 1 { "One attempt".to_owned() } else { format!("{} attempts", row.count) };
    let step = case.failing_step().map(|step| format!(" in {step}")).unwrap_or_default();
    let explanation = format!("{attempts} failed{step}, and no known cause fits what was found.");
    let remediation = Remediation::new(
        "Read the function's code around the failing step, then check who else uses the secret, the function's timeout, and \
         the rotation schedule.",
    )
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html");
    case.finding(CAUSE, Confidence::Possible, explanation, evidence, remediation).into()
}
