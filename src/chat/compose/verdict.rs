//! The verdict: what happened, the fix, one proof, and what can be done next.

use super::screen::{self, Screen};
use super::section;
use crate::chat::document::{Control, MenuItem, Message, Part, Quote, Tone};
use crate::model::{Action, ActionToken, InvestigationId, Lookback, Outcome, StepName};
use crate::redact::SafeText;
use crate::report::outlook;
use crate::report::wording::{self, Mark};
use crate::report::{Phrase, Report, ReportedFinding, line_in_utc};
use crate::safe_format;
use jiff::Timestamp;

/// How much of the one proof in the channel is shown; the whole stands in the thread.
const PROOF: usize = 280;
/// How much of it is shown where the rest leaves no room, in characters, and how much of a screen that takes with its label and its
/// source. Where the rest is taller than the screen by itself, one line is left.
const SHORT_QUOTE: usize = 93;
const SHORT_PROOF: usize = 152;
/// A line that says what is left to the thread.
const MORE: usize = 22;
/// What the screen needs beside the plan where there is no finding.
const BESIDE_PLAN: usize = 300;
/// How many things to look at next the channel shows; all of them stand in the thread.
pub(super) const LOOKS: usize = 2;

/// What can be done with one of several investigations before it is said with which.
pub(super) const OFFERED_OF_SEVERAL: [(&str, Action); 4] =
    [("Rerun", Action::RerunAll), ("Watch", Action::Watch), ("Export", Action::Export), ("Resolve", Action::Resolve)];

/// What became of an investigation after its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AfterVerdict {
    /// Who closed it, and when.
    pub resolved: Option<Resolved>,
    /// Since when its next rotation is waited for.
    pub watched_since: Option<Timestamp>,
    /// True while whoever made the change behind the cause is still searched for.
    pub searching_author: bool,
}

/// Who closed an investigation, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The person, as the thread may name them, or the alarm that recovered.
    pub by: SafeText,
    pub at: Timestamp,
}

/// The verdict of investigation `id` as of `revision`, in the order of need, with its buttons: what one acts on at night. All
/// else stands in the thread.
#[must_use]
pub fn verdict(report: &Report, id: &InvestigationId, revision: u32, standing: &AfterVerdict) -> Message {
    let headline = wording::headline(report);
    let (tone, title) = match standing.resolved {
        Some(_) => (Tone::Neutral, safe_format!("Resolved: {}", headline)),
        None => (tone(report), headline),
    };
    let mut message = Message::line(tone, title);
    message.parts.push(Part::Facts(wording::context(report)));
    message.parts.extend(happened_since(standing, report.now));
    message.parts.extend(section("Did you mean", wording::near_names(report), 0));
    match report.leading() {
        Some(_) => message.parts.extend(finding_parts(report)),
        None => message.parts.extend(without_finding(report)),
    }
    message.people.extend(standing.resolved.as_ref().map(|resolved| resolved.by.to_string()));
    let mut looks = wording::next_looks(report);
    let more = looks.len().saturating_sub(LOOKS);
    looks.truncate(LOOKS);
    message.parts.extend(section("Look next", looks, more));
    let has_commands = message.parts.iter().any(|part| matches!(part, Part::Commands(_)));
    let button = Buttons { id, revision };
    message.controls = button.of(report, standing, has_commands);
    message
}

/// How the verdict of an investigation looks that nobody has closed.
#[must_use]
pub fn tone(report: &Report) -> Tone {
    match wording::mark(report) {
        Mark::Red => Tone::Bad,
        Mark::Yellow => Tone::Warning,
        Mark::Green => Tone::Good,
    }
}

fn happened_since(standing: &AfterVerdict, now: Timestamp) -> Vec<Part> {
    let resolved = standing
        .resolved
        .as_ref()
        .map(|resolved| Phrase::from(safe_format!("resolved by {}, ", resolved.by)).at(resolved.at, now));
    let watched = standing.watched_since.map(|since| Phrase::from("watching for the next rotation since ").at(since, now));
    let facts: Vec<Phrase> = resolved.into_iter().chain(watched).collect();
    let searching = standing.searching_author.then(|| Part::Context(vec!["still searching who changed it".into()]));
    (!facts.is_empty()).then_some(Part::Facts(facts)).into_iter().chain(searching).collect()
}

/// What happened, the fix and one proof, as far as a phone shows them without scrolling far; the thread has all of each.
fn finding_of(report: &Report, finding: &ReportedFinding, mut screen: Screen) -> Vec<Part> {
    let mut parts = Vec::new();
    let remediation = &finding.remediation;
    let commands = commands_of(report, &remediation.commands);
    let proof = wording::proofs(report, finding).0.into_iter().next();
    let first = commands.first().map_or(0, screen::code);
    let kept = screen::LABEL + first + proof.as_ref().map_or(0, |_| SHORT_PROOF);
    let warning = caution(report).unwrap_or_default();
    let least = |text: &SafeText| screen::text(&wording::beginning(text, |_| false));
    let reserved = kept + outlook::worth(report).map_or(0, |worth| screen::text(&worth));
    let beside = reserved + screen::LABEL + least(&remediation.summary) + least(&warning);
    let happened = wording::briefly(&finding.explanation);
    let happened = wording::beginning(&happened, |text| screen.without(beside).has(screen::text(text)));
    screen.take(screen::LABEL + screen::text(&happened));
    parts.extend(section("What happened", vec![happened], 0));

    let least = least(&warning);
    let summary = wording::beginning(&remediation.summary, |text| screen.without(reserved + least).has(screen::text(text)));
    screen.take(screen::text(&summary));
    let shown_warning = wording::beginning(&warning, |text| screen.without(reserved).has(screen::text(text)));
    screen.take(screen::text(&shown_warning));
    let is_whole = summary == remediation.summary.single_line() && shown_warning == warning;
    parts.extend(section("Fix", vec![summary], 0).filter(|_| !remediation.summary.as_str().is_empty()));
    parts.extend((!warning.is_empty()).then_some(Part::Caution(shown_warning)));

    screen.take(kept);
    parts.extend(plan(report, commands, is_whole, &mut screen));
    if let Some(proof) = proof {
        let room = match screen.is_over() {
            true => screen::ONE_LINE,
            false => screen.quotable().saturating_add(SHORT_QUOTE).min(PROOF),
        };
        let quote = Quote { lead: proof.step, text: proof.text.cut(room), source: proof.source };
        parts.push(Part::Quotes { label: "Proof".into(), quotes: vec![quote] });
    }
    parts
}

/// What a secret that rotates can expect, or what could not be seen.
fn without_finding(report: &Report) -> Vec<Part> {
    let mut parts: Vec<Part> = section("Next", outlook::ending(report), 0).into_iter().collect();
    if let Some(command) = outlook::permission_command(report) {
        let why = "Nothing could be looked at: allow rotation-diag to read, and rerun.";
        parts.extend(section("Fix", vec![why.into()], 0));
        parts.push(Part::Commands(vec![command]));
        return parts;
    }
    let mut screen = screen_of(report, &wording::headline(report)).without(BESIDE_PLAN);
    let caution = caution(report);
    screen.take(caution.as_ref().map_or(0, screen::text));
    parts.extend(caution.map(Part::Caution));
    parts.extend(plan(report, commands_of(report, &[]), true, &mut screen));
    if report.outcome == Outcome::Inconclusive {
        let mut open = wording::missing(report);
        let more = open.len().saturating_sub(LOOKS);
        open.truncate(LOOKS);
        parts.extend(section("Not checked", open, more));
    }
    parts
}

/// The first commands to paste, what follows in the thread, and what the commands are worth together.
fn plan(report: &Report, mut commands: Vec<SafeText>, is_whole: bool, screen: &mut Screen) -> Vec<Part> {
    let mut small = Vec::new();
    let worth = outlook::worth(report).filter(|worth| screen.has(screen::text(worth)));
    screen.take(worth.as_ref().map_or(0, screen::text));
    let left = screen.without(MORE);
    let mut used = 0;
    let fitting = commands.iter().skip(1).take_while(|command| {
        used += screen::code(command);
        left.has(used)
    });
    let shown = (1 + fitting.count()).min(commands.len());
    let more = commands.split_off(shown).len();
    screen.take(commands.iter().skip(1).map(screen::code).sum());
    match more {
        0 if is_whole => {}
        0 => small.push("more about the fix in the thread".into()),
        1 => small.push("1 more command in the thread".into()),
        more => small.push(safe_format!("{} more commands in the thread", more)),
    }
    screen.take(if small.is_empty() { 0 } else { MORE });
    small.extend(worth);
    let commands = (!commands.is_empty()).then_some(Part::Commands(commands));
    commands.into_iter().chain((!small.is_empty()).then_some(Part::Context(small))).collect()
}

/// The whole fix, where the verdict may leave some of it to the thread.
pub(super) fn whole_fix(report: &Report) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut own: &[SafeText] = &[];
    if let Some(ReportedFinding { remediation, .. }) = report.leading() {
        let summary = Some(remediation.summary.single_line()).filter(|summary| !summary.is_empty());
        parts.extend(section("Fix", summary.into_iter().collect(), 0));
        own = &remediation.commands;
    }
    parts.extend(caution(report).map(Part::Caution));
    let commands = commands_of(report, own);
    parts.extend((!commands.is_empty()).then_some(Part::Commands(commands)));
    parts
}

/// What could be lost by the fix.
fn caution(report: &Report) -> Option<SafeText> {
    Some(SafeText::join(outlook::cautions(report), " ")).filter(|caution| !caution.is_empty())
}

/// True where the verdict shows all of the fix.
pub(super) fn shows_whole_fix(report: &Report) -> bool {
    let shown = if report.leading().is_some() { finding_parts(report) } else { without_finding(report) };
    whole_fix(report).iter().all(|part| shown.contains(part))
}

fn finding_parts(report: &Report) -> Vec<Part> {
    let screen = screen_of(report, &wording::headline(report));
    report.leading().map(|finding| finding_of(report, finding, screen)).unwrap_or_default()
}

/// The screen below the title and the line of context.
fn screen_of(report: &Report, title: &SafeText) -> Screen {
    let mut screen = Screen::below(title);
    screen.take(screen::text(&line_in_utc(&wording::context(report))));
    screen
}

/// The commands of the fix in their order: the plan's, or a finding's own where there is no plan.
fn commands_of(report: &Report, own: &[SafeText]) -> Vec<SafeText> {
    match report.plan.as_slice() {
        [] => own.iter().map(block).collect(),
        steps => steps.iter().map(|step| block(&step.command)).collect(),
    }
}

/// A command as it is pasted.
pub(super) fn block(command: &SafeText) -> SafeText {
    SafeText::join(wording::command_lines(command), "\n")
}

/// The commands of the fix with nothing around them, for where they are copied by hand; `None` where there are none.
#[must_use]
pub fn bare_commands(report: &Report) -> Option<Message> {
    let own = report.leading().map(|finding| finding.remediation.commands.as_slice()).unwrap_or_default();
    let mut commands = commands_of(report, own);
    if commands.is_empty() {
        commands.extend(outlook::permission_command(report));
    }
    if commands.is_empty() {
        return None;
    }
    let mut message = Message::line(Tone::Neutral, "The commands of the fix, in their order".into());
    message.parts.push(Part::Commands(commands));
    Some(message)
}

struct Buttons<'a> {
    id: &'a InvestigationId,
    revision: u32,
}

impl Buttons<'_> {
    fn of(&self, report: &Report, standing: &AfterVerdict, has_commands: bool) -> Vec<Control> {
        let is_open = standing.resolved.is_none();
        let can_look = report.outcome != Outcome::NotFound && !outlook::is_blind(report);
        let mut controls = vec![self.button("Rerun", Action::RerunAll)];
        if is_open && has_commands {
            controls.push(Control::Copy(self.choice("Copy fix", Action::CopyFix)));
        }
        if is_open && can_look {
            let step = |step: StepName| self.choice(named(step), Action::RerunStep(step));
            controls.push(Self::menu("Rerun step", StepName::ALL.map(step).to_vec()));
            let wider = Lookback::ALL.into_iter().filter(|lookback| *lookback > report.lookback);
            let wider = wider.map(|lookback| self.choice(safe_format!("to {}", lookback), Action::Widen(lookback))).collect();
            controls.push(Self::menu("Widen", wider));
            controls.push(match standing.watched_since {
                None => self.button("Watch", Action::Watch),
                Some(_) => self.button("Stop watching", Action::StopWatching),
            });
        }
        controls.push(match is_open {
            true => self.button("Resolve", Action::Resolve),
            false => self.button("Reopen", Action::Reopen),
        });
        let mut more = Vec::new();
        if can_look {
            more.extend(
                StepName::ALL.map(|step| self.choice(safe_format!("Evidence of {}", named(step)), Action::Evidence(step))),
            );
            more.push(self.choice("Compare with other secrets", Action::Compare));
            more.push(self.choice("Consumers: who reads the secret", Action::Consumers));
        }
        more.push(self.choice("Export the report as files", Action::Export));
        controls.push(Self::menu("More", more));
        controls.retain(|control| !matches!(control, Control::Select { choices, .. } if choices.is_empty()));
        controls
    }

    fn menu(placeholder: &'static str, choices: Vec<MenuItem>) -> Control {
        Control::Select { placeholder: placeholder.into(), choices }
    }

    fn button(&self, label: impl Into<SafeText>, action: Action) -> Control {
        Control::Button(self.choice(label, action))
    }

    fn choice(&self, label: impl Into<SafeText>, action: Action) -> MenuItem {
        let token = ActionToken { investigation: self.id.clone(), revision: self.revision, action };
        MenuItem { label: label.into(), token }
    }
}

/// Such as `4 · function logs`.
fn named(step: StepName) -> SafeText {
    safe_format!("{} · {}", step.number(), step.label())
}
