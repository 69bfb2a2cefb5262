//! What a report says, in words: every format and platform says the same, and says it in inert text.

use super::phrase::Phrase;
use super::time::{age, duration, length, moment, relative};
use super::{Report, ReportedChange, ReportedFact, ReportedFinding, ReportedLook, ReportedStep, StepMark};
use crate::model::{Cause, Confidence, Outcome, Severity};
use crate::redact::SafeText;
use crate::safe_format;
use jiff::SignedDuration;

/// How long a sentence may get before it is cut.
const SENTENCE: usize = 720;
/// How long a quoted line may get before it is cut.
const QUOTE: usize = 600;
/// How many proofs, remarks, changes or reasons are listed before the rest is counted.
const LISTED: usize = 5;

/// How many of the causes that stay open for one reason are named.
const NAMED_OPEN: usize = 3;

/// The mark of a step that saw something, while nobody knows yet whether it is good.
pub const SEEN: &str = "■";

/// How many sentences there are where there is room for few.
const BRIEF: usize = 2;
/// How long they may get together: six lines of a phone.
const BRIEF_LENGTH: usize = 360;

/// The colour of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Rotation does not happen.
    Red,
    /// Rotation suffers or is about to fail, or it cannot be told.
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
        (Outcome::Healthy, _) if left_behind(report).is_some() || will_fail(report).is_some() => Mark::Yellow,
        (Outcome::Healthy, _) => Mark::Green,
        (Outcome::RootCause, Some(finding)) if finding.severity == Severity::Warning => Mark::Yellow,
        (Outcome::RootCause | Outcome::NotFound, _) => Mark::Red,
        (Outcome::Inconclusive, _) => Mark::Yellow,
    }
}

/// What is left behind by a rotation that works: applications of another region, or all of them, go on with the old value.
fn left_behind(report: &Report) -> Option<SafeText> {
    let leaves = |cause: Cause| matches!(cause, Cause::ReplicationFailed | Cause::CurrentLabelMovedBack);
    let behind = report.findings.iter().find(|finding| leaves(finding.cause));
    behind.map(|finding| finding.title.single_line())
}

/// What will stop the next rotation of a secret that has rotated so far.
fn will_fail(report: &Report) -> Option<SafeText> {
    let first = report.forecast.blocking().next().filter(|_| report.outcome == Outcome::Healthy)?;
    let finding = report.findings.iter().find(|finding| finding.cause == first.cause);
    Some(finding.map_or_else(|| first.cause.title().into(), |finding| finding.title.single_line()))
}

/// The verdict in one line, without its mark.
#[must_use]
pub fn headline(report: &Report) -> SafeText {
    let name = report.secret.name.single_line();
    let region = report.secret.region.single_line();
    if let Some(why) = will_fail(report) {
        return match report.last_success_at {
            Some(_) => safe_format!("{} rotates, but the next rotation will fail — {}", name, why),
            None => safe_format!("{} has not rotated yet, and the first rotation will fail — {}", name, why),
        };
    }
    if let Some(behind) = left_behind(report).filter(|_| report.outcome == Outcome::Healthy) {
        return safe_format!("{} rotates, but {}", name, behind);
    }
    // A label that a failure left is what is seen of it, not why it failed.
    let is_reason =
        |finding: &&ReportedFinding| report.outcome != Outcome::Inconclusive || finding.cause != Cause::StuckAwspending;
    let title = report.leading().filter(is_reason).map(|finding| finding.title.single_line());
    match (report.outcome, title) {
        (Outcome::NotFound, _) => safe_format!("{} — there is no such secret in {}", name, region),
        (Outcome::RootCause, Some(title)) if mark(report) == Mark::Red => safe_format!("{} is not rotating — {}", name, title),
        (Outcome::RootCause, title) => safe_format!("{} — {}", name, title.unwrap_or_else(|| "rotation is impaired".into())),
        (Outcome::Healthy, _) if report.last_success_at.is_some() => safe_format!("{} is healthy — its rotation works", name),
        (Outcome::Healthy, _) => safe_format!("{} is healthy — nothing stands in the way of its rotation", name),
        (Outcome::Inconclusive, Some(title)) if report.failing.is_some() => safe_format!("{} is not rotating — {}", name, title),
        (Outcome::Inconclusive, Some(title)) => safe_format!("{} — perhaps {}", name, title),
        (Outcome::Inconclusive, None) if report.failing.is_some() => {
            safe_format!("{} is not rotating — the cause could not be determined", name)
        }
        (Outcome::Inconclusive, None) => safe_format!("{} — could not determine whether it rotates", name),
    }
}

/// How sure, where, since when.
#[must_use]
pub fn context(report: &Report) -> Vec<Phrase> {
    let mut parts: Vec<Phrase> = Vec::new();
    match (report.outcome, report.leading()) {
        (Outcome::Inconclusive, _) => parts.push("Inconclusive".into()),
        (_, Some(finding)) => parts.push(SafeText::from(confidence(finding.confidence)).capitalized().into()),
        (_, None) => {}
    }
    parts.push(report.secret.region.single_line().into());
    let ending = report.secret.account_id.as_ref().map(|id| safe_format!("…{}", id.single_line().part(last_four)));
    let account = match (report.secret.account_name.as_ref().map(SafeText::single_line), ending) {
        (Some(name), Some(ending)) => Some(safe_format!("acct {} ({})", name, ending)),
        (Some(name), None) => Some(safe_format!("acct {}", name)),
        (None, Some(ending)) => Some(safe_format!("acct {}", ending)),
        (None, None) => None,
    };
    parts.extend(account.map(Phrase::from));
    if let Some(row) = &report.failing {
        let attempts = match row.by_invocations {
            true => counted(row.attempts, "failed invocation", "failed invocations"),
            false => counted(row.attempts, "attempt", "attempts"),
        };
        parts.push(Phrase::from("failing since ").at(row.first_at, report.now).and(safe_format!(" ({})", attempts)));
    }
    match report.last_success_at {
        Some(at) => parts.push(safe_format!("last success {} ago", age(at, report.now)).into()),
        None if report.failing.is_some() => parts.push("no success known".into()),
        None => {}
    }
    if report.outcome == Outcome::Healthy
        && let Some(next) = report.next_due_at
    {
        parts.push(Phrase::from("next due ").at(next, report.now).and(safe_format!(" ({})", relative(next, report.now))));
    }
    parts
}

fn last_four(id: &str) -> &str {
    id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or(id)
}

/// What happened, in a few sentences.
#[must_use]
pub fn what_happened(finding: &ReportedFinding) -> SafeText {
    finding.explanation.single_line().cut(SENTENCE)
}

/// The first two sentences of a text, for where there is room for no more.
#[must_use]
pub fn briefly(text: &SafeText) -> SafeText {
    let whole = text.single_line();
    whole.part(|text| end_of_sentence(text, BRIEF).and_then(|end| text.get(..end)).unwrap_or(text)).cut(BRIEF_LENGTH)
}

/// As many sentences of a text as fit, and the first of them in any case.
#[must_use]
pub fn beginning(text: &SafeText, fits: impl Fn(&SafeText) -> bool) -> SafeText {
    let whole = text.single_line();
    if fits(&whole) {
        return whole;
    }
    let until = |end: usize| whole.part(|text| text.get(..end).unwrap_or(text));
    let mut beginnings = (1..).map_while(|number| end_of_sentence(&whole, number)).map(until);
    let Some(mut kept) = beginnings.next() else { return whole };
    for longer in beginnings.take_while(|longer| fits(longer)) {
        kept = longer;
    }
    kept
}

/// Where the sentence with this number ends; `None` where there are no more than that.
fn end_of_sentence(text: &str, number: usize) -> Option<usize> {
    let ends = text.match_indices(". ").filter(|(at, _)| {
        let next = text.get(at + 2..).and_then(|rest| rest.split_whitespace().next());
        // An abbreviation goes on in small letters; a name such as setSecret begins a sentence.
        next.is_some_and(|word| !word.starts_with(char::is_lowercase) || word.contains(char::is_uppercase))
    });
    ends.map(|(at, _)| at + 1).nth(number.checked_sub(1)?)
}

/// The command that prints more about a finding's cause.
#[must_use]
pub fn more_about(finding: &ReportedFinding) -> SafeText {
    safe_format!("rotation-diag explain {}", finding.cause)
}

/// One proof: the step that saw it, the line or fact, and where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofLine {
    /// Such as `step 4`.
    pub step: SafeText,
    /// The line or the fact.
    pub text: SafeText,
    /// The API call, and the moment where it has one.
    pub source: SafeText,
}

/// The strongest proofs, and how many more there are.
#[must_use]
pub fn proofs(report: &Report, finding: &ReportedFinding) -> (Vec<ProofLine>, usize) {
    listed(&finding.evidence, |proof| ProofLine {
        step: safe_format!("step {}", proof.step),
        text: without_stack(&proof.text).cut(QUOTE),
        source: match proof.at {
            Some(at) => safe_format!("{}, {}", proof.call.single_line(), moment(at, report.now)),
            None => proof.call.single_line(),
        },
    })
}

/// A quoted record without the frames of a Python stack: what was said before it, and the error it ends with.
fn without_stack(text: &SafeText) -> SafeText {
    let lines = text.visible_lines();
    let Some(stack) = lines.iter().position(|line| line.trim_start().starts_with("Traceback (most recent call last)")) else {
        return text.single_line();
    };
    let before = lines.iter().take(stack);
    // Frames are indented, by Lambda with no-break spaces; Lambda prints the error before the stack, Python after it.
    let error = lines.iter().skip(stack + 1).rfind(|line| !line.is_empty() && !line.starts_with(char::is_whitespace));
    let kept = SafeText::join(before.chain(error), "\n").single_line();
    if kept.is_empty() { text.single_line() } else { kept }
}

/// The lines of a command; they are never wrapped or cut, so that they can be pasted.
#[must_use]
pub fn command_lines(command: &SafeText) -> Vec<SafeText> {
    command.visible_lines()
}

/// What else was found: symptoms, other causes, remarks; and how many more there are.
#[must_use]
pub fn also(report: &Report) -> (Vec<SafeText>, usize) {
    let leading = report.leading();
    // A symptom that says what the root cause says already tells nothing.
    let is_repeated = |finding: &ReportedFinding| {
        finding.inhibited_by.is_some() && leading.is_some_and(|first| first.explanation == finding.explanation)
    };
    let rest = report.findings.iter().skip(usize::from(leading.is_some()));
    let rest: Vec<&ReportedFinding> = rest.filter(|finding| !is_repeated(finding)).collect();
    listed(&rest, |finding| {
        let title = finding.title.single_line();
        let explanation = finding.explanation.single_line();
        let plain = explanation.part(|text| text.trim_end_matches('.'));
        let line = match finding.inhibited_by {
            Some(_) => safe_format!("{} — a symptom", plain),
            None if finding.severity == Severity::Info => safe_format!("{}: {}", title.capitalized(), plain),
            None => safe_format!(
                "{}: {}. {} {}",
                SafeText::from(confidence(finding.confidence)).capitalized(),
                title,
                explanation,
                finding.remediation.summary.single_line()
            ),
        };
        line.cut(SENTENCE)
    })
}

/// The changes that matter most, oldest first: those that explain a finding, else those before the first failure; and
/// how many more there are.
#[must_use]
pub fn changes(report: &Report) -> (Vec<SafeText>, usize) {
    let mut ranked: Vec<&ReportedChange> = report.changes.iter().collect();
    ranked.sort_by_key(|change| {
        (change.explains.is_empty(), change.minutes_before_failure.unwrap_or(i64::MAX), std::cmp::Reverse(change.at))
    });
    let more = ranked.len().saturating_sub(LISTED);
    ranked.truncate(LISTED);
    ranked.sort_by_key(|change| change.at);
    (ranked.into_iter().map(|change| change_line(report, change)).collect(), more)
}

fn change_line(report: &Report, change: &ReportedChange) -> SafeText {
    let distance = match change.minutes_before_failure {
        Some(0) => " (less than a minute before the first failure)".into(),
        Some(minutes) => safe_format!(" ({} before the first failure)", length(SignedDuration::from_mins(minutes))),
        None => SafeText::default(),
    };
    // A service that acts for itself names the tool already.
    let tool = change.tool.as_ref().filter(|_| !change.actor.single_line().ends_with(".amazonaws.com"));
    let tool = tool.map(|tool| safe_format!(" (with {})", tool.single_line())).unwrap_or_default();
    let what = change.resource.single_line().cut(QUOTE);
    let (at, who, event) = (moment(change.at, report.now), change.actor.single_line(), change.event.single_line());
    safe_format!("{}  {}{}: {} on {}{}", at, who, tool, event, what, distance)
}

/// What to look at next, what would decide most first.
#[must_use]
pub fn next_looks(report: &Report) -> Vec<SafeText> {
    let look = |look: &ReportedLook| {
        let decides = match look.decides.len() {
            0 | 1 => SafeText::default(),
            causes => safe_format!(" (this would settle {} causes)", causes),
        };
        let command = look.command.as_ref().map(|command| safe_format!(": {}", command.single_line())).unwrap_or_default();
        safe_format!("{}{}{}", look.what.single_line(), decides, command).cut(SENTENCE)
    };
    report.next_looks.iter().map(look).collect()
}

/// The same lines with their numbers, for where lists have no signs of their own.
#[must_use]
pub fn numbered(lines: &[SafeText]) -> Vec<SafeText> {
    lines.iter().enumerate().map(|(at, line)| safe_format!("{}. {}", at + 1, line)).collect()
}

/// What the function's code shows, where it was looked at.
#[must_use]
pub fn code(report: &Report) -> Vec<SafeText> {
    let line = |fact: &ReportedFact| match fact.of.as_str() {
        "" => fact.text.single_line(),
        _ => safe_format!("{}: {}", fact.of, fact.text.single_line()),
    };
    report.code.iter().map(line).collect()
}

/// Who reads the secret; nothing where nobody asked.
#[must_use]
pub fn consumers(report: &Report) -> Vec<SafeText> {
    let Some(consumers) = &report.consumers else { return Vec::new() };
    let rest = consumers
        .sections(report.now)
        .into_iter()
        .map(|(label, lines)| safe_format!("{} — {}", label, SafeText::join(lines, "; ")));
    std::iter::once(consumers.headline()).chain(rest).collect()
}

/// How other secrets fared, in one sentence.
#[must_use]
pub fn comparison(report: &Report) -> Option<SafeText> {
    report.comparison.as_ref().map(|comparison| comparison.conclusion.single_line().cut(SENTENCE))
}

/// The first of several names, and how many more there are.
#[must_use]
pub fn names(names: &[SafeText]) -> (Vec<SafeText>, usize) {
    listed(names, SafeText::single_line)
}

/// Names like the one that was asked for.
#[must_use]
pub fn near_names(report: &Report) -> Vec<SafeText> {
    report.secret.near_names.iter().take(LISTED).map(SafeText::single_line).collect()
}

/// How a step is marked that ended and has not been judged yet, by its status in snake case.
#[must_use]
pub fn ended_mark(status: &str) -> &'static str {
    match status {
        "found" => SEEN,
        "no_data" => StepMark::Nothing.sign(),
        "not_applicable" => StepMark::Unasked.sign(),
        _ => StepMark::Unseen.sign(),
    }
}

/// What a step saw, with the permission it lacks.
#[must_use]
pub fn step_summary(step: &ReportedStep) -> SafeText {
    let summary = step.summary.single_line().cut(QUOTE);
    let unnamed: Vec<SafeText> = step
        .denied
        .iter()
        .map(|denied| denied.action.single_line())
        .filter(|action| !summary.contains(action.as_str()))
        .collect();
    match (summary.is_empty(), unnamed.is_empty()) {
        (true, true) => SafeText::join(step.status.split('_'), " "),
        (true, false) => safe_format!("not permitted: {}", SafeText::join(unnamed, ", ")),
        (false, true) => summary,
        (false, false) => safe_format!("{} (not permitted: {})", summary, SafeText::join(unnamed, ", ")),
    }
}

/// Facts that speak against causes, the most particular first; and how many more causes were ruled out.
#[must_use]
pub fn ruled_out(report: &Report) -> (Vec<SafeText>, usize) {
    let mut groups: Vec<(SafeText, usize)> = Vec::new();
    for ruled_out in &report.ruled_out {
        let because = ruled_out.because.single_line();
        match groups.iter_mut().find(|(known, _)| *known == because) {
            Some((_, count)) => *count += 1,
            None => groups.push((because, 1)),
        }
    }
    // A reason that many causes share says little about each of them.
    groups.sort_by_key(|(_, count)| *count);
    groups.truncate(LISTED);
    let named: usize = groups.iter().map(|(_, count)| count).sum();
    (groups.into_iter().map(|(because, _)| because.cut(QUOTE)).collect(), report.ruled_out.len() - named)
}

/// What was missing, and the causes that stay open for it, by their titles; and how many more causes stay open.
#[must_use]
pub fn not_checked(report: &Report) -> (Vec<SafeText>, usize) {
    let mut groups = open_points(report);
    let more = groups.iter().skip(LISTED).map(|(_, causes)| causes.len()).sum();
    groups.truncate(LISTED);
    let lines =
        groups.iter().map(|(missing, causes)| safe_format!("{} — not ruled out: {}", missing.cut(QUOTE), shortened(causes)));
    (lines.collect(), more)
}

/// What was missing, each once, what leaves most open first.
#[must_use]
pub fn missing(report: &Report) -> Vec<SafeText> {
    open_points(report).into_iter().map(|(missing, _)| missing).collect()
}

fn open_points(report: &Report) -> Vec<(SafeText, Vec<&'static str>)> {
    let mut groups: Vec<(SafeText, Vec<&'static str>)> = Vec::new();
    for open in &report.not_checked {
        let missing = open.missing.single_line();
        match groups.iter_mut().find(|(known, _)| *known == missing) {
            Some((_, causes)) => causes.push(open.cause.title()),
            None => groups.push((missing, vec![open.cause.title()])),
        }
    }
    groups.sort_by_key(|(_, causes)| std::cmp::Reverse(causes.len()));
    groups
}

/// Titles have commas of their own.
fn shortened(causes: &[&'static str]) -> SafeText {
    match causes.split_at_checked(NAMED_OPEN) {
        Some((first, rest)) if !rest.is_empty() => safe_format!("{}; and {} more", SafeText::join(first, "; "), rest.len()),
        _ => SafeText::join(causes, "; "),
    }
}

/// The IAM actions to allow so that everything can be looked at.
#[must_use]
pub fn permissions_to_add(report: &Report) -> Vec<SafeText> {
    let mut actions: Vec<SafeText> =
        report.missing_permissions().into_iter().map(|permission| permission.action.single_line()).collect();
    actions.dedup();
    actions
}

/// `9 steps · 14 calls · 0.9 s`.
#[must_use]
pub fn footer(report: &Report) -> SafeText {
    let calls = counted(report.api_calls, "call", "calls");
    safe_format!("{} steps · {} · {}", report.steps.len(), calls, duration(report.duration_ms))
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

fn counted(count: usize, one: &'static str, many: &'static str) -> SafeText {
    safe_format!("{} {}", count, if count == 1 { one } else { many })
}

fn listed<T, U>(items: &[T], line: impl Fn(&T) -> U) -> (Vec<U>, usize) {
    (items.iter().take(LISTED).map(line).collect(), items.len().saturating_sub(LISTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_text_ends_with_its_second_sentence() {
        for (text, expected) in [
            ("One. Two. Three.", "One. Two."),
            ("One.", "One."),
            ("Version 3.11 is old, e.g. here. It fails. And more.", "Version 3.11 is old, e.g. here. It fails."),
            ("It fails at 05:00. AWS said no", "It fails at 05:00. AWS said no"),
            ("It waits. setSecret ran. Then it stopped.", "It waits. setSecret ran."),
        ] {
            assert_eq!(briefly(&SafeText::redact(text)).as_str(), expected);
        }
        assert_eq!(briefly(&SafeText::redact(&"word ".repeat(200))).chars().count(), BRIEF_LENGTH);
    }

    #[test]
    fn a_text_begins_with_the_sentences_that_fit_and_with_one_at_least() {
        let text = SafeText::redact("One. Two is longer. Three.");
        for (most, expected) in [
            (0, "One."),
            (4, "One."),
            (19, "One. Two is longer."),
            (25, "One. Two is longer."),
            (26, "One. Two is longer. Three."),
        ] {
            assert_eq!(beginning(&text, |text| text.chars().count() <= most).as_str(), expected);
        }
        assert_eq!(beginning(&SafeText::redact("no end"), |_| false).as_str(), "no end");
    }

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
            assert_eq!(without_stack(&SafeText::redact(record)).as_str(), expected);
        }
    }
}
