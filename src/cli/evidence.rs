//! `rotation-diag evidence`: what one step saw.

use super::failure::CommandError;
use super::{EvidenceArgs, question};
use crate::answers::EvidenceAnswer;
use crate::redact::SafeText;
use crate::safe_format;
use std::process::ExitCode;

pub(super) fn run(options: &EvidenceArgs) -> Result<ExitCode, CommandError> {
    let answer = |investigation, report| EvidenceAnswer::of(&investigation, &report, options.step);
    question::ask(&options.subject, vec![options.step], options.window, answer, text)
}

/// For a terminal.
fn text(answer: &EvidenceAnswer) -> String {
    let mut lines = Vec::new();
    if let Some(step) = &answer.step {
        lines.push(safe_format!("step {} · {}: {}", step.number, step.name.label(), step.summary.single_line()));
    }
    for group in &answer.groups {
        lines.push(safe_format!("\n{}", group.label));
        lines.extend(group.facts.iter().map(|fact| match (fact.of.is_empty(), group.verbatim) {
            (true, _) => safe_format!("  {}", fact.text),
            (false, true) => safe_format!("  {}  {}", fact.of, fact.text),
            (false, false) => safe_format!("  {}: {}", fact.of, fact.text),
        }));
    }
    format!("{}\n", SafeText::join(lines, "\n"))
}
