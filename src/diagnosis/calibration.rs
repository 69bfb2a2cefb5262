//! How often a verdict is right, by how sure it says it is: over broken worlds with every subset of steps refused, and over the
//! failures that log each line of the corpora.

use super::judge;
use super::readings::by_log::is_judged_by_state;
use super::testing::{deny, fail, healthy};
use super::truth_table::{broken_worlds, subsets, without};
use crate::model::{Cause, Confidence, Evidence, RotationStep, Severity, StepName};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Lines from templates, documentation and public reports, and of drivers and runtimes.
const CORPORA: [&str; 2] =
    [include_str!("../../tests/data/log-lines.jsonl"), include_str!("../../tests/data/log-lines-more.jsonl")];

/// Of 100 verdicts so many must be right at least.
const HELD: [(Confidence, usize); 3] = [(Confidence::Confirmed, 99), (Confidence::Likely, 85), (Confidence::Possible, 50)];

#[derive(Default)]
struct Tally {
    right: usize,
    all: usize,
    wrong: BTreeMap<String, usize>,
}

#[test]
fn verdicts_are_as_often_right_as_their_confidence_promises() {
    let mut tallies: BTreeMap<Confidence, Tally> = BTreeMap::new();
    let mut count = |truth: Cause, evidence: &Evidence, world: &str| {
        let diagnosis = judge(evidence);
        let Some(first) = diagnosis.findings.first().filter(|first| first.severity > Severity::Info) else { return };
        // "Nothing explains it" is no verdict.
        if first.cause == Cause::UnknownFailure {
            return;
        }
        let tally = tallies.entry(first.confidence).or_default();
        tally.all += 1;
        match first.cause == truth {
            true => tally.right += 1,
            false => *tally.wrong.entry(format!("{} instead of {truth} ({world})", first.cause)).or_default() += 1,
        }
    };
    for (cause, evidence) in broken_worlds() {
        for refused in subsets() {
            count(cause, &without(&evidence, &refused), "a broken world");
        }
    }
    for row in CORPORA.iter().flat_map(|corpus| corpus.lines()) {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let cause = row["cause"].as_str().and_then(Cause::from_id);
        let Some(cause) = cause.filter(|cause| !cause.is_line_label() && !is_judged_by_state(*cause)) else { continue };
        // A line alone does not tell that the runtime changed under the bundle.
        let cause = if cause == Cause::CodeRuntimeUpgradedAbi { Cause::CodeImportError } else { cause };
        let step = row["step"].as_str().and_then(RotationStep::from_name).unwrap_or(RotationStep::SetSecret);
        let mut evidence = healthy();
        fail(&mut evidence, step, &[row["text"].as_str().unwrap()]);
        count(cause, &evidence, "a line");
        for refused in [StepName::RotationHistory, StepName::ExecutionRole, StepName::SecretAccess, StepName::FunctionMetrics] {
            let mut evidence = evidence.clone();
            deny(&mut evidence, refused);
            count(cause, &evidence, "a line, with a step refused");
        }
    }
    let mut faults = Vec::new();
    for (confidence, held) in HELD {
        let tally = tallies.remove(&confidence).unwrap_or_default();
        assert!(tally.all >= 20, "{confidence:?}: {} verdicts are too few to judge by", tally.all);
        let share = 100.0 * tally.right as f64 / tally.all as f64;
        writeln!(
            std::io::stdout(),
            "of {} verdicts called {confidence:?}, {} are right: {share:.1} %, held at {held} %",
            tally.all,
            tally.right
        )
        .unwrap();
        if tally.right * 100 < tally.all * held {
            let mut wrong: Vec<(usize, String)> = tally.wrong.into_iter().map(|(what, times)| (times, what)).collect();
            wrong.sort_by(|one, other| other.cmp(one));
            faults.push(format!("{confidence:?} {share:.1} %: {:#?}", wrong.iter().take(12).collect::<Vec<_>>()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
