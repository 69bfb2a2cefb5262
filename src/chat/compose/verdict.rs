//! The verdict: what happened, the proof, the fix, and what can be done next.

use super::section;
use crate::chat::document::{CauseReference, Control, MenuItem, Message, Part, Quote, Tone};
use crate::model::{Action, ActionToken, InvestigationId, Lookback, Outcome, StepName};
use crate::redact::SafeText;
use crate::report::outlook;
use crate::report::time::moment;
use crate::report::wording::{self, Mark};
use crate::report::{Report, ReportedFinding};
use crate::safe_format;
use jiff::Timestamp;

/// How much of one thing that could not be checked the last line names.
const OPEN: usize = 80;
/// How many things that could not be checked the last line names.
const OPEN_NAMED: usize = 2;

/// What became of an investigation after its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AfterVerdict {
    /// Who closed it, and when.
    pub resolved: Option<Resolved>,
    /// Since when its next rotation is waited for.
    pub watched_since: Option<Timestamp>,
}

/// Who closed an investigation, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The person, as the thread may name them, or the alarm that recovered.
    pub by: SafeText,
    pub at: Timestamp,
}

/// The verdict of investigation `id` as of `revision`, with its buttons.
#[must_use]
pub fn verdict(report: &Report, id: &InvestigationId, revision: u32, standing: &AfterVerdict) -> Message {
    let headline = wording::headline(report);
    let (tone, title) = match standing.resolved {
        Some(_) => (Tone::Neutral, safe_format!("Resolved: {}", headline)),
        None => (tone(report), headline),
    };
    let mut message = Message::line(tone, title);
    message.parts.push(Part::Context(wording::context(report)));
    message.parts.extend(happened_since(standing, report.now));
    if let Some(finding) = report.leading() {
        message.parts.extend(finding_of(report, finding));
    }
    message.parts.extend(section("Next", outlook::ending(report), 0));
    if report.leading().is_none() {
        message.parts.extend(plan(report, &[]));
    }
    message.parts.extend(section("Did you mean", wording::near_names(report), 0));
    message.parts.extend(section("Look next", wording::next_looks(report), 0));
    let (also, more) = wording::also(report);
    message.parts.extend(section("Also", also, more));
    message.parts.push(Part::Context(footer(report)));
    message.people.extend(standing.resolved.as_ref().map(|resolved| resolved.by.to_string()));
    let button = Buttons { id, revision };
    message.controls = button.of(report, standing);
    message
}

fn tone(report: &Report) -> Tone {
    match wording::mark(report) {
        Mark::Red => Tone::Bad,
        Mark::Yellow => Tone::Warning,
        Mark::Green => Tone::Good,
    }
}

fn happened_since(standing: &AfterVerdict, now: Timestamp) -> Option<Part> {
    let resolved =
        standing.resolved.as_ref().map(|resolved| safe_format!("resolved by {}, {}", resolved.by, moment(resolved.at, now)));
    let watched = standing.watched_since.map(|since| safe_format!("watching for the next rotation since {}", moment(since, now)));
    let lines: Vec<SafeText> = resolved.into_iter().chain(watched).collect();
    (!lines.is_empty()).then_some(Part::Context(lines))
}

fn finding_of(report: &Report, finding: &ReportedFinding) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.extend(section("What happened", vec![wording::what_happened(finding)], 0));
    let remediation = &finding.remediation;
    parts.extend(section("Fix", vec![remediation.summary.single_line()], 0).filter(|_| !remediation.summary.as_str().is_empty()));
    parts.extend(remediation.warning.as_ref().map(|warning| Part::Caution(warning.single_line())));
    parts.extend(plan(report, &remediation.commands));
    if !remediation.links.is_empty() {
        parts.push(Part::Links(remediation.links.clone()));
    }
    parts.push(Part::Cause(CauseReference { id: finding.cause.id().into(), page: None }));
    let (proofs, more) = wording::proofs(report, finding);
    if !proofs.is_empty() {
        let quote = |proof: wording::ProofLine| Quote { lead: proof.step, text: proof.text, source: proof.source };
        parts.push(Part::Quotes { label: "Proof".into(), quotes: proofs.into_iter().map(quote).collect() });
    }
    if more > 0 {
        parts.push(Part::Context(vec![safe_format!("and {} more", more)]));
    }
    parts
}

/// The commands to paste, what they are worth together, and how to take them back.
fn plan(report: &Report, commands: &[SafeText]) -> Vec<Part> {
    let block = |command: &SafeText| SafeText::join(wording::command_lines(command), "\n");
    let mut parts = Vec::new();
    let steps: Vec<SafeText> = match report.plan.as_slice() {
        [] => commands.iter().map(block).collect(),
        steps => steps.iter().map(|step| block(&step.command)).collect(),
    };
    if !steps.is_empty() {
        parts.push(Part::Commands(steps));
    }
    parts.extend(outlook::worth(report).map(|worth| Part::Context(vec![worth])));
    let needs = outlook::needs(report);
    if !needs.is_empty() {
        parts.push(Part::Context(vec![safe_format!("you need {}", SafeText::join(needs, ", "))]));
    }
    let undo: Vec<SafeText> = outlook::undo(report).into_iter().map(block).collect();
    if !undo.is_empty() {
        parts.push(Part::Context(vec!["to take it back, from the last step to the first".into()]));
        parts.push(Part::Commands(undo));
    }
    parts
}

/// `9 steps · 14 calls · 0.9 s · not checked: AWS Health needs a support plan`.
fn footer(report: &Report) -> Vec<SafeText> {
    let mut parts = vec![wording::footer(report)];
    let missing = wording::missing(report);
    if !missing.is_empty() {
        let named = SafeText::join(missing.iter().take(OPEN_NAMED).map(|what| what.cut(OPEN)), ", ");
        let more = missing.len().saturating_sub(OPEN_NAMED);
        let rest = if more > 0 { safe_format!(", and {} more", more) } else { SafeText::default() };
        parts.push(safe_format!("not checked: {}{}", named, rest));
    }
    parts
}

struct Buttons<'a> {
    id: &'a InvestigationId,
    revision: u32,
}

impl Buttons<'_> {
    fn of(&self, report: &Report, standing: &AfterVerdict) -> Vec<Control> {
        let found = report.outcome != Outcome::NotFound;
        let open = standing.resolved.is_none();
        let mut controls = vec![self.button("Rerun all", Action::RerunAll)];
        if found {
            controls.push(self.steps("Rerun step", Action::RerunStep));
            let wider = Lookback::ALL.into_iter().filter(|reach| *reach > report.reach);
            controls.extend(wider.map(|reach| self.button(safe_format!("Widen to {}", reach), Action::Widen(reach))));
            controls.push(self.steps("Evidence", Action::Evidence));
            controls.push(self.button("Compare", Action::Compare));
            controls.push(self.button("Consumers", Action::Consumers));
            if open && standing.watched_since.is_none() {
                controls.push(self.button("Watch", Action::Watch));
            }
        }
        controls.push(self.button("Export", Action::Export));
        if open {
            controls.push(self.button("Resolve", Action::Resolve));
        }
        controls
    }

    fn button(&self, label: impl Into<SafeText>, action: Action) -> Control {
        Control::Button(self.choice(label, action))
    }

    fn steps(&self, placeholder: &'static str, action: impl Fn(StepName) -> Action) -> Control {
        let choices =
            StepName::ALL.into_iter().map(|step| self.choice(safe_format!("{} · {}", step.number(), step.label()), action(step)));
        Control::Select { placeholder: placeholder.into(), choices: choices.collect() }
    }

    fn choice(&self, label: impl Into<SafeText>, action: Action) -> MenuItem {
        let token = ActionToken { investigation: self.id.clone(), revision: self.revision, action };
        MenuItem { label: label.into(), token }
    }
}
