//! The verdict: what happened, the fix, one proof, and what can be done next.

use super::excerpt::Excerpt;
use super::section;
use crate::chat::Screen;
use crate::chat::document::{Control, MenuItem, Message, Part, Tone};
use crate::model::{Action, ActionToken, InvestigationId, Lookback, Outcome, StepName};
use crate::redact::SafeText;
use crate::report::outlook;
use crate::report::wording::{self, Mark};
use crate::report::{Phrase, Report};
use crate::safe_format;
use jiff::Timestamp;

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

/// The verdict of investigation `id` as of `revision`, in the order of need, with its buttons: what one acts on at night, as far as
/// `screen` shows it without scrolling far. All else stands in the thread.
#[must_use]
pub fn verdict(report: &Report, id: &InvestigationId, revision: u32, standing: &AfterVerdict, screen: Screen) -> Message {
    let whole = Excerpt::whole(report);
    let frame = VerdictFrame::of(report, standing);
    let shown = on_screen(report, &whole, screen).with_fewer_reasons(frame.room(screen, &whole));
    let mut message = frame.around(told(&shown, &whole));
    message.people.extend(standing.resolved.as_ref().map(|resolved| resolved.by.to_string()));
    let button = Buttons { id, revision };
    message.controls = button.of(report, standing, !whole.commands.is_empty());
    message
}

/// What the verdict shows, whatever becomes of the investigation: the thread is told the rest when it is new, so the fix has to have
/// room beside all that may be added.
fn on_screen(report: &Report, whole: &Excerpt, screen: Screen) -> Excerpt {
    let (new, longest) = (VerdictFrame::of(report, &AfterVerdict::default()), VerdictFrame::of(report, &longest(report.now)));
    let (fits_new, fits_longest) = (new.room(screen, whole), longest.room(screen, whole));
    whole.fitting(|shown| fits_new(shown) && fits_longest(&shown.with_least_reasons()))
}

/// What takes the most room of all that may become of an investigation.
fn longest(now: Timestamp) -> AfterVerdict {
    let by = "somebody with a name of this length".into();
    AfterVerdict { resolved: Some(Resolved { by, at: now }), watched_since: Some(now), searching_author: true }
}

/// The verdict without its buttons, and without the fix and its reasons, of which as much is shown as has room in it.
struct VerdictFrame {
    message: Message,
    /// Before which of its parts they stand.
    at: usize,
}

impl VerdictFrame {
    fn of(report: &Report, standing: &AfterVerdict) -> VerdictFrame {
        let headline = wording::headline(report);
        let (tone, title) = match standing.resolved {
            Some(_) => (Tone::Neutral, safe_format!("Resolved: {}", headline)),
            None => (tone(report), headline),
        };
        let mut message = Message::line(tone, title);
        message.parts.push(Part::Facts(wording::context(report)));
        message.parts.extend(happened_since(standing, report.now));
        message.parts.extend(section("Did you mean", wording::near_names(report), 0));
        if report.leading().is_none() {
            message.parts.extend(section("Next", outlook::ending(report), 0));
        }
        let at = message.parts.len();
        if report.leading().is_none() && report.outcome == Outcome::Inconclusive && !outlook::is_blind(report) {
            message.parts.extend(first_of("Not checked", wording::missing(report)));
        }
        message.parts.extend(first_of("Look next", wording::next_looks(report)));
        VerdictFrame { message, at }
    }

    /// Whether an excerpt of `whole` has room in it on `screen`.
    fn room(&self, screen: Screen, whole: &Excerpt) -> impl Fn(&Excerpt) -> bool {
        let height = screen.height(&self.message);
        move |shown| screen.has_room_beside(height, &told(shown, whole))
    }

    fn around(mut self, parts: Vec<Part>) -> Message {
        self.message.parts.splice(self.at..self.at, parts);
        self.message
    }
}

/// `shown` of the `whole` fix and its reasons.
fn told(shown: &Excerpt, whole: &Excerpt) -> Vec<Part> {
    let quotes: Vec<_> = shown.proof.iter().cloned().collect();
    let proof = (!quotes.is_empty()).then(|| Part::Quotes { label: "Proof".into(), quotes });
    let happened = paragraph("What happened", &shown.happened);
    happened.into_iter().chain(fix(shown, shown.left_to_thread(whole))).chain(proof).collect()
}

/// The fix, and what is left to the thread.
fn fix(shown: &Excerpt, left: Option<SafeText>) -> Vec<Part> {
    let mut parts: Vec<Part> = paragraph("Fix", &shown.summary).into_iter().collect();
    parts.extend((!shown.warning.is_empty()).then(|| Part::Caution(shown.warning.clone())));
    parts.extend((!shown.commands.is_empty()).then(|| Part::Commands(shown.commands.clone())));
    let small: Vec<SafeText> = left.into_iter().chain(shown.worth.clone()).collect();
    parts.extend((!small.is_empty()).then_some(Part::Context(small)));
    parts
}

fn paragraph(label: &'static str, text: &SafeText) -> Option<Part> {
    section(label, Some(text.clone()).filter(|text| !text.is_empty()).into_iter().collect(), 0)
}

/// The first of several things, and how many more there are.
fn first_of(label: &'static str, mut lines: Vec<SafeText>) -> Option<Part> {
    let more = lines.len().saturating_sub(LOOKS);
    lines.truncate(LOOKS);
    section(label, lines, more)
}

/// The whole fix, where the verdict leaves some of it to the thread.
pub(super) fn whole_fix(report: &Report, screen: Screen) -> Option<Vec<Part>> {
    let whole = Excerpt::whole(report);
    let is_shown = on_screen(report, &whole, screen).has_fix_of(&whole);
    (!is_shown).then(|| fix(&whole, None))
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

/// The commands of the fix with nothing around them, for where they are copied by hand; `None` where there are none.
#[must_use]
pub fn bare_commands(report: &Report) -> Option<Message> {
    let commands = Excerpt::whole(report).commands;
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
