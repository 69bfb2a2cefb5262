//! What a report says, in words: every format and platform says the same, and says it in inert text.

use super::sanitize::{cut, lines, single_line};
use super::time::{age, duration, moment, relative};
use super::{Report, ReportedChange, ReportedFact, ReportedFinding, ReportedLook, ReportedStep};
use crate::model::{Cause, Confidence, Outcome, Severity};
use crate::redact::SafeText;

/// How long a sentence may get before it is cut.
const SENTENCE: usize = 600;
/// How long a quoted line may get before it is cut.
const QUOTE: usize = 600;
/// How many proofs, remarks, changes or reasons are listed before the rest is counted.
const LISTED: usize = 5;

/// How many of the causes that stay open for one reason are named.
const NAMED_OPEN: usize = 3;

/// The colour of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Rotation does not happen.
    Red,
    /// Rotation suffers, or it cannot be told.
    Yellow,
    Green,
}

impl Mark {
    /// The circle that starts the verdict.
    #[must_use]
    pub const fn circle(self) -> &'static str {
        match self {
            Mark::Red => "🔴",
            Mark::Yellow => "🟡",
            Mark::Green => "🟢",
        }
    }
}

/// The colour of the report's verdict.
#[must_use]
pub fn mark(report: &Report) -> Mark {
    match (report.outcome, report.leading()) {
        (Outcome::Healthy, _) => Mark::Green,
        (Outcome::RootCause, Some(finding)) if finding.severity == Severity::Warning => Mark::Yellow,
        (Outcome::RootCause | Outcome::NotFound, _) => Mark::Red,
        (Outcome::Inconclusive, _) => Mark::Yellow,
    }
}

/// The verdict in one line, without its mark.
#[must_use]
pub fn headline(report: &Report) -> String {
    let name = single_line(&report.secret.name);
    let region = single_line(&report.secret.region);
    // A label that a failure left is what is seen of it, not why it failed.
    let is_reason =
        |finding: &&ReportedFinding| report.outcome != Outcome::Inconclusive || finding.cause != Cause::StuckAwspending;
    let title = report.leading().filter(is_reason).map(|finding| single_line(&finding.title));
    match (report.outcome, title) {
        (Outcome::NotFound, _) => format!("{name} — there is no such secret in {region}"),
        (Outcome::RootCause, Some(title)) if mark(report) == Mark::Red => format!("{name} is not rotating — {title}"),
        (Outcome::RootCause, title) => format!("{name} — {}", title.unwrap_or_else(|| "rotation suffers".to_owned())),
        (Outcome::Healthy, _) if report.last_success_at.is_some() => format!("{name} is healthy — its rotation works"),
        (Outcome::Healthy, _) => format!("{name} is healthy — nothing stands in the way of its rotation"),
        (Outcome::Inconclusive, Some(title)) if report.failing.is_some() => format!("{name} is not rotating — {title}"),
        (Outcome::Inconclusive, Some(title)) => format!("{name} — perhaps {title}"),
        (Outcome::Inconclusive, None) if report.failing.is_some() => {
            format!("{name} is not rotating — the cause could not be determined")
        }
        (Outcome::Inconclusive, None) => format!("{name} — could not determine whether it rotates"),
    }
}

/// How sure, where, since when.
#[must_use]
pub fn context(report: &Report) -> Vec<String> {
    let mut parts = Vec::new();
    match (report.outcome, report.leading()) {
        (Outcome::Inconclusive, None) => parts.push("Inconclusive".to_owned()),
        (Outcome::Inconclusive, Some(finding)) => parts.push(format!("Inconclusive, {}", confidence(finding.confidence))),
        (_, Some(finding)) => parts.push(capitalized(confidence(finding.confidence))),
        (_, None) => {}
    }
    parts.push(single_line(&report.secret.region));
    let account_id = report.secret.account_id.as_ref().map(single_line);
    let ending =
        account_id.as_deref().map(|id| format!("…{}", id.chars().skip(id.chars().count().saturating_sub(4)).collect::<String>()));
    parts.extend(match (report.secret.account_name.as_ref().map(single_line), ending) {
        (Some(name), Some(ending)) => Some(format!("acct {name} ({ending})")),
        (Some(name), None) => Some(format!("acct {name}")),
        (None, Some(ending)) => Some(format!("acct {ending}")),
        (None, None) => None,
    });
    if let Some(row) = &report.failing {
        let attempts = counted(row.attempts, "attempt", "attempts");
        parts.push(format!("failing since {} ({attempts})", moment(row.first_at, report.now)));
    }
    match report.last_success_at {
        Some(at) => parts.push(format!("last success {} ago", age(at, report.now))),
        None if report.failing.is_some() => parts.push("no success known".to_owned()),
        None => {}
    }
    if report.outcome == Outcome::Healthy
        && let Some(next) = report.next_due_at
    {
        parts.push(format!("next due {} ({})", moment(next, report.now), relative(next, report.now)));
    }
    parts
}

/// What happened, in a sentence or two.
#[must_use]
pub fn what_happened(finding: &ReportedFinding) -> String {
    cut(single_line(&finding.explanation), SENTENCE)
}

/// The command that prints more about a finding's cause.
#[must_use]
pub fn more_about(finding: &ReportedFinding) -> String {
    format!("rotation-diag explain {}", finding.cause)
}

/// One proof: the step that saw it, the line or fact, and where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofLine {
    /// Such as `step 4`.
    pub step: String,
    /// The line or the fact.
    pub text: String,
    /// The API call, and the moment where it has one.
    pub source: String,
}

/// The strongest proofs, and how many more there are.
#[must_use]
pub fn proofs(report: &Report, finding: &ReportedFinding) -> (Vec<ProofLine>, usize) {
    listed(&finding.evidence, |proof| ProofLine {
        step: format!("step {}", proof.step),
        text: cut(without_stack(&proof.text), QUOTE),
        source: match proof.at {
            Some(at) => format!("{}, {}", single_line(&proof.call), moment(at, report.now)),
            None => single_line(&proof.call),
        },
    })
}

/// A quoted record without the frames of a Python stack: what was said before it, and the error it ends with.
fn without_stack(text: &SafeText) -> String {
    let lines = lines(text);
    let Some(stack) = lines.iter().position(|line| line.trim_start().starts_with("Traceback (most recent call last)")) else {
        return single_line(text);
    };
    let before = lines.iter().take(stack).map(String::as_str);
    // Frames are indented, by Lambda with no-break spaces; Lambda prints the error before the stack, Python after it.
    let error =
        lines.iter().skip(stack + 1).rfind(|line| !line.is_empty() && !line.starts_with(char::is_whitespace)).map(String::as_str);
    let kept: Vec<&str> = before.chain(error).flat_map(str::split_whitespace).collect();
    if kept.is_empty() { single_line(text) } else { kept.join(" ") }
}

/// The lines of a command; they are never wrapped or cut, so that they can be pasted.
#[must_use]
pub fn command_lines(command: &SafeText) -> Vec<String> {
    lines(command)
}

/// What else was found: symptoms, other causes, remarks; and how many more there are.
#[must_use]
pub fn also(report: &Report) -> (Vec<String>, usize) {
    let skipped = usize::from(report.leading().is_some());
    let rest: Vec<&ReportedFinding> = report.findings.iter().skip(skipped).collect();
    listed(&rest, |finding| {
        let title = single_line(&finding.title);
        let explanation = single_line(&finding.explanation);
        let plain = explanation.trim_end_matches('.');
        cut(
            match finding.inhibited_by {
                Some(_) => format!("{plain} — a symptom"),
                None if finding.severity == Severity::Info => format!("{}: {plain}", capitalized(&title)),
                None => format!(
                    "{}: {title}. {explanation} {}",
                    capitalized(confidence(finding.confidence)),
                    single_line(&finding.remediation.summary)
                ),
            },
            SENTENCE,
        )
    })
}

/// The changes that matter most, oldest first: those that explain a finding, else those before the first failure; and
/// how many more there are.
#[must_use]
pub fn changes(report: &Report) -> (Vec<String>, usize) {
    let mut ranked: Vec<&ReportedChange> = report.changes.iter().collect();
    ranked.sort_by_key(|change| {
        (change.explains.is_empty(), change.minutes_before_failure.unwrap_or(i64::MAX), std::cmp::Reverse(change.at))
    });
    let more = ranked.len().saturating_sub(LISTED);
    ranked.truncate(LISTED);
    ranked.sort_by_key(|change| change.at);
    (ranked.into_iter().map(|change| change_line(report, change)).collect(), more)
}

fn change_line(report: &Report, change: &ReportedChange) -> String {
    let distance = match change.minutes_before_failure {
        Some(minutes @ 0..180) => format!(" ({minutes} min before the first failure)"),
        Some(minutes @ 180..2880) => format!(" ({} h before the first failure)", minutes / 60),
        Some(minutes) => format!(" ({} d before the first failure)", minutes / 1440),
        None => String::new(),
    };
    let tool = change.tool.as_ref().map(|tool| format!(" (by way of {})", single_line(tool))).unwrap_or_default();
    let who = format!("{}{tool}", single_line(&change.actor));
    let what = cut(single_line(&change.resource), QUOTE);
    format!("{}  {who}: {} on {what}{distance}", moment(change.at, report.now), single_line(&change.event))
}

/// What to look at next, what would decide most first.
#[must_use]
pub fn next_looks(report: &Report) -> Vec<String> {
    let look = |(at, look): (usize, &ReportedLook)| {
        let decides = match look.decides.len() {
            0 | 1 => String::new(),
            causes => format!(" (it decides {causes} causes)"),
        };
        let command = look.command.as_ref().map(|command| format!(": {}", single_line(command))).unwrap_or_default();
        cut(format!("{}. {}{decides}{command}", at + 1, single_line(&look.what)), SENTENCE)
    };
    report.next_looks.iter().enumerate().map(look).collect()
}

/// What the function's code shows, where it was looked at.
#[must_use]
pub fn code(report: &Report) -> Vec<String> {
    let line = |fact: &ReportedFact| match fact.of.as_str() {
        "" => single_line(&fact.text),
        of => format!("{of}: {}", single_line(&fact.text)),
    };
    report.code.iter().map(line).collect()
}

/// Who reads the secret; nothing where nobody asked.
#[must_use]
pub fn consumers(report: &Report) -> Vec<String> {
    let Some(consumers) = &report.consumers else { return Vec::new() };
    let rest = consumers.sections(report.now).into_iter().map(|(label, lines)| format!("{label} — {}", lines.join("; ")));
    std::iter::once(consumers.headline()).chain(rest).collect()
}

/// How other secrets fared, in one sentence.
#[must_use]
pub fn comparison(report: &Report) -> Option<String> {
    report.comparison.as_ref().map(|comparison| cut(single_line(&comparison.conclusion), SENTENCE))
}

/// The first of several names, and how many more there are.
#[must_use]
pub fn names(names: &[SafeText]) -> (Vec<String>, usize) {
    listed(names, single_line)
}

/// Names like the one that was asked for.
#[must_use]
pub fn near_names(report: &Report) -> Vec<String> {
    report.secret.near_names.iter().take(LISTED).map(single_line).collect()
}

/// How a step's status is marked.
#[must_use]
pub fn status_mark(status: &str) -> &'static str {
    match status {
        "found" => "✓",
        "no_data" => "○",
        "not_applicable" => "–",
        "denied" => "✗",
        _ => "!",
    }
}

/// What a step saw, with the permission it lacks.
#[must_use]
pub fn step_summary(step: &ReportedStep) -> String {
    let summary = cut(single_line(&step.summary), QUOTE);
    let unnamed: Vec<String> = step
        .denied
        .iter()
        .map(|denied| single_line(&denied.action))
        .filter(|action| !summary.contains(action.as_str()))
        .collect();
    match (summary.is_empty(), unnamed.is_empty()) {
        (true, true) => step.status.replace('_', " "),
        (true, false) => format!("not permitted: {}", unnamed.join(", ")),
        (false, true) => summary,
        (false, false) => format!("{summary} (not permitted: {})", unnamed.join(", ")),
    }
}

/// Facts that speak against causes, the most particular first; and how many more causes were ruled out.
#[must_use]
pub fn ruled_out(report: &Report) -> (Vec<String>, usize) {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for ruled_out in &report.ruled_out {
        let because = single_line(&ruled_out.because);
        match groups.iter_mut().find(|(known, _)| *known == because) {
            Some((_, count)) => *count += 1,
            None => groups.push((because, 1)),
        }
    }
    // A reason that many causes share says little about each of them.
    groups.sort_by_key(|(_, count)| *count);
    groups.truncate(LISTED);
    let named: usize = groups.iter().map(|(_, count)| count).sum();
    (groups.into_iter().map(|(because, _)| cut(because, QUOTE)).collect(), report.ruled_out.len() - named)
}

/// What was missing, and the causes that stay open for it, by their titles; and how many more causes stay open.
#[must_use]
pub fn not_checked(report: &Report) -> (Vec<String>, usize) {
    let mut groups = open_points(report);
    let more = groups.iter().skip(LISTED).map(|(_, causes)| causes.len()).sum();
    groups.truncate(LISTED);
    let lines =
        groups.into_iter().map(|(missing, causes)| format!("{} — not ruled out: {}", cut(missing, QUOTE), shortened(&causes)));
    (lines.collect(), more)
}

/// What was missing, each once, what leaves most open first.
#[must_use]
pub fn missing(report: &Report) -> Vec<String> {
    open_points(report).into_iter().map(|(missing, _)| missing).collect()
}

fn open_points(report: &Report) -> Vec<(String, Vec<&'static str>)> {
    let mut groups: Vec<(String, Vec<&'static str>)> = Vec::new();
    for open in &report.not_checked {
        let missing = single_line(&open.missing);
        match groups.iter_mut().find(|(known, _)| *known == missing) {
            Some((_, causes)) => causes.push(open.cause.title()),
            None => groups.push((missing, vec![open.cause.title()])),
        }
    }
    groups.sort_by_key(|(_, causes)| std::cmp::Reverse(causes.len()));
    groups
}

/// Titles have commas of their own.
fn shortened(causes: &[&str]) -> String {
    match causes.split_at_checked(NAMED_OPEN) {
        Some((first, rest)) if !rest.is_empty() => format!("{}; and {} more", first.join("; "), rest.len()),
        _ => causes.join("; "),
    }
}

/// The IAM actions to allow so that everything can be looked at.
#[must_use]
pub fn permissions_to_add(report: &Report) -> Vec<String> {
    let mut actions: Vec<String> =
        report.missing_permissions().into_iter().map(|permission| single_line(&permission.action)).collect();
    actions.dedup();
    actions
}

/// `9 steps · 14 calls · 0.9 s`.
#[must_use]
pub fn footer(report: &Report) -> String {
    let calls = counted(report.api_calls, "call", "calls");
    format!("{} steps · {calls} · {}", report.steps.len(), duration(report.duration_ms))
}

/// The confidence as a word.
#[must_use]
pub const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn listed<T, U>(items: &[T], line: impl Fn(&T) -> U) -> (Vec<U>, usize) {
    (items.iter().take(LISTED).map(line).collect(), items.len().saturating_sub(LISTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_stack_keeps_the_error_wherever_it_stands() {
        for (record, expected) in [
            (
                "[ERROR] ClientError: no\nTraceback (most recent call last):\n  File \"a.py\", line 1\n    raise x",
                "[ERROR] ClientError: no",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nOperationalError: refused\n",
                "OperationalError: refused",
            ),
            ("failed\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 'host'", "failed KeyError: 'host'"),
            ("Traceback (most recent call last):\n  File \"a.py\"", "Traceback (most recent call last): File \"a.py\""),
            ("E: no\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"a.py\"\n\u{a0}\u{a0}\u{a0}\u{a0}raise x", "E: no"),
            ("one\ntwo", "one two"),
        ] {
            assert_eq!(without_stack(&SafeText::redact(record)), expected);
        }
    }
}
