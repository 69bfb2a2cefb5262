//! What stands in the thread beside the verdict.

use super::excerpt::{WHOLE_FIX, block};
use super::verdict::{LOOKS, whole_fix};
use super::{section, steps};
use crate::chat::Screen;
use crate::chat::document::{CauseReference, Message, Part, Quote, StepLine, StepState, Tone};
use crate::redact::SafeText;
use crate::report::{Phrase, Report, ReportedFinding, ReportedPlanStep, StepMark, outlook, wording};
use crate::safe_format;

/// The message that stands where the verdict will be, while the steps run. `subject` is the secret and where it is looked
/// for.
#[must_use]
pub fn progress(subject: &SafeText, steps: &[StepLine]) -> Message {
    let mut message = Message::line(Tone::Working, safe_format!("Looking into {}", subject));
    let ended = steps.iter().filter(|step| !matches!(step.state, StepState::Waiting | StepState::Running)).count();
    message.parts.push(Part::Context(vec![safe_format!("{} of {} steps done", ended, steps.len())]));
    message.parts.push(Part::Steps(steps.to_vec()));
    message
}

/// One thought about an investigation.
#[derive(Debug, Clone, PartialEq)]
pub struct Thought {
    /// Its name among the messages of an investigation.
    pub name: &'static str,
    /// `None` where there is nothing to say, or another message of the thread says it.
    pub message: Option<Message>,
    /// True where another message of the thread says it.
    pub is_told_with_another: bool,
}

impl Thought {
    /// What stands in the place of an earlier message once there is nothing to say any more.
    #[must_use]
    pub fn nothing_left(&self) -> Message {
        let title = match self.name {
            _ if self.is_told_with_another => "The last run tells this together with another message of this thread",
            "proofs" => "No cause was found in the last run",
            "also" => "Nothing else was found in the last run",
            "undo" => "The last run brought no commands",
            "forecast" => "Nothing known stands in the way of the next rotation",
            "changes" => "The last run found no change and no other secret to compare with",
            "looks" => "Nothing is left to look at",
            "ruled-out" => "The last run ruled nothing out",
            _ => "The last run checked everything",
        };
        Message::line(Tone::Neutral, title.into())
    }
}

/// The thoughts that belong together, each of them in its own order.
const TOGETHER: [&[&str]; 4] =
    [&["proofs", "changes"], &["undo"], &["details", "ruled-out", "not-checked"], &["forecast", "also", "looks"]];

/// How long a message of several thoughts may get, in characters: one that is shown whole everywhere, escapes included.
const SHORT: usize = 3_000;

/// All that the verdict leaves to the thread, in as few messages as that can be read in: short thoughts that belong together share
/// the message of the first of them. `screen` is that on which the verdict is read.
#[must_use]
pub fn in_thread(report: &Report, screen: Screen) -> Vec<Thought> {
    let mut left = thoughts(report, screen);
    let mut told: Vec<Thought> = Vec::new();
    let mut groups = TOGETHER;
    groups.sort_by_key(|group| left.iter().position(|thought| group.contains(&thought.name)));
    for group in groups {
        let mut host: Option<usize> = None;
        for name in group {
            let Some(at) = left.iter().position(|thought| thought.name == *name) else { continue };
            let mut thought = left.remove(at);
            let joined = host.and_then(|at| told.get_mut(at)?.message.as_mut());
            match (joined, thought.message.take()) {
                (Some(host), Some(message)) if length(host) + length(&message) <= SHORT => {
                    host.parts.extend(beneath(thought.name, message));
                    thought.is_told_with_another = true;
                }
                (_, Some(message)) => {
                    thought.message = Some(message);
                    host = Some(told.len());
                }
                (_, None) => {}
            }
            told.push(thought);
        }
    }
    told.extend(left);
    told
}

/// What a thought says beneath another one: a list has its title for a label.
fn beneath(name: &str, message: Message) -> Vec<Part> {
    let mut parts = message.parts;
    if let (true, Some(Part::Section { label, .. })) = (LISTS.contains(&name), parts.first_mut()) {
        *label = safe_format!("{} ({})", message.title, label.clone());
    }
    parts
}

/// The thoughts whose message is a list under its title.
const LISTS: [&str; 4] = ["also", "looks", "ruled-out", "not-checked"];

/// About how long a message reads, in characters.
fn length(message: &Message) -> usize {
    let all = |texts: &[SafeText]| texts.iter().map(|text| text.chars().count() + 3).sum::<usize>();
    let part = |part: &Part| match part {
        Part::Context(texts) | Part::Commands(texts) | Part::Links(texts) => all(texts),
        Part::Facts(phrases) => phrases.len() * 60,
        Part::Section { label, lines } => all(std::slice::from_ref(label)) + all(lines),
        Part::Quotes { quotes, .. } => {
            quotes.iter().map(|quote| all(&[quote.lead.clone(), quote.text.clone(), quote.source.clone()])).sum()
        }
        Part::Caution(text) => all(std::slice::from_ref(text)),
        Part::Steps(steps) => steps.iter().map(|step| all(&[step.name.clone(), step.summary.clone()]) + 10).sum(),
        Part::Cause(cause) => all(&[cause.line()]),
    };
    message.title.chars().count() + message.parts.iter().map(part).sum::<usize>()
}

/// All that the verdict leaves to the thread on `screen`, in the order of need, each thought by itself.
#[must_use]
pub fn thoughts(report: &Report, screen: Screen) -> Vec<Thought> {
    let thought = |name, message| Thought { name, message, is_told_with_another: false };
    let whole_fix = whole_fix(report, screen);
    let has_whole_fix = whole_fix.is_some();
    let mut thoughts = vec![
        thought("proofs", report.leading().map(|finding| proofs(report, finding))),
        thought("undo", undo(report, whole_fix)),
        thought("changes", changes(report)),
        thought("details", Some(details(report))),
        thought("forecast", forecast(report)),
        thought("also", listing("Also found", wording::also(report))),
        thought("looks", looks(report)),
        thought("ruled-out", ruled_out(report)),
        thought("not-checked", not_checked(report)),
    ];
    // A fix of which the verdict shows a part is to stand whole directly beneath it.
    thoughts.sort_by_key(|thought| !(has_whole_fix && thought.name == "undo"));
    thoughts
}

/// The nine steps, with what their marks mean.
#[must_use]
pub fn details(report: &Report) -> Message {
    let mut message = Message::line(Tone::Neutral, safe_format!("What the nine steps found about {}", report.secret.name));
    message.parts.push(Part::Steps(steps::of(report)));
    message.parts.push(Part::Context(vec![StepMark::LEGEND.into()]));
    message.parts.push(Part::Context(vec![wording::footer(report)]));
    message
}

fn proofs(report: &Report, finding: &ReportedFinding) -> Message {
    let mut message = Message::line(Tone::Neutral, safe_format!("Why: {}", finding.title.single_line()));
    message.parts.extend(section("What happened", vec![wording::what_happened(finding)], 0));
    let (proofs, more) = wording::proofs(report, finding);
    if !proofs.is_empty() {
        let quote = |proof: wording::ProofLine| Quote { lead: proof.step, text: proof.text, source: proof.source };
        message.parts.push(Part::Quotes { label: "Proof".into(), quotes: proofs.into_iter().map(quote).collect() });
    }
    if more > 0 {
        message.parts.push(Part::Context(vec![safe_format!("and {} more", more)]));
    }
    message.parts.push(Part::Cause(CauseReference { id: finding.cause.id().into(), page: None }));
    if !finding.remediation.links.is_empty() {
        message.parts.push(Part::Links(finding.remediation.links.clone()));
    }
    message
}

/// The fix where the verdict does not show the whole of it, what a person needs to run it, what each command does, and how to take it
/// back.
fn undo(report: &Report, whole_fix: Option<Vec<Part>>) -> Option<Message> {
    let undo: Vec<SafeText> = outlook::undo(report).into_iter().map(block).collect();
    let title = match (&whole_fix, undo.is_empty()) {
        (None, true) => "To run the fix".into(),
        (None, false) => "To run the fix, and to take it back".into(),
        (Some(_), true) => WHOLE_FIX.into(),
        (Some(_), false) => safe_format!("{}, and how to take it back", WHOLE_FIX),
    };
    let mut message = Message::line(Tone::Neutral, title);
    message.parts.extend(whole_fix.into_iter().flatten());
    let needs = outlook::needs(report);
    let needs = (!needs.is_empty()).then(|| SafeText::join(needs, ", "));
    message.parts.extend(section("You need", needs.into_iter().collect(), 0));
    let effect = |step: &ReportedPlanStep| step.effect.single_line().capitalized();
    message.parts.extend(section("What the commands do, in their order", report.plan.iter().map(effect).collect(), 0));
    if !undo.is_empty() {
        message.parts.push(Part::Context(vec![safe_format!("to take it back, {}", outlook::UNDO_ORDER)]));
        message.parts.extend(outlook::undo_caution(report).map(Part::Caution));
        message.parts.push(Part::Commands(undo));
    }
    (!message.parts.is_empty()).then_some(message)
}

/// What stands in the way of the next rotation; a healthy secret's verdict says so itself.
fn forecast(report: &Report) -> Option<Message> {
    let obstacles = outlook::obstacles(report);
    if obstacles.is_empty() {
        return None;
    }
    let mut message = Message::line(Tone::Neutral, "What stands in the way of the next rotation".into());
    let opens = report.forecast.next_rotation.map(|at| Phrase::from("its window opens ").at(at, report.now));
    message.parts.extend(opens.map(|opens| Part::Facts(vec![opens])));
    message.parts.extend(section("Foreseen", obstacles, 0));
    let unknown = report.forecast.unknown.iter().map(SafeText::single_line).collect();
    message.parts.extend(section("Not foretold", unknown, 0));
    Some(message)
}

fn changes(report: &Report) -> Option<Message> {
    let mut message = Message::line(Tone::Neutral, "What changed, and how other secrets fare".into());
    let (changes, more) = wording::changes(report);
    message.parts.extend(section("Changes", changes, more));
    message.parts.extend(section("Other secrets", wording::comparison(report).into_iter().collect(), 0));
    (!message.parts.is_empty()).then_some(message)
}

/// All things to look at next, where the verdict shows some alone.
fn looks(report: &Report) -> Option<Message> {
    let looks = wording::next_looks(report);
    if looks.len() > LOOKS { listing("What to look at next", (looks, 0)) } else { None }
}

fn not_checked(report: &Report) -> Option<Message> {
    let mut message = listing("Not checked", wording::not_checked(report))?;
    let permissions = wording::permissions_to_add(report);
    if !permissions.is_empty() {
        message.parts.extend(section("To see more", vec![safe_format!("allow {}", SafeText::join(permissions, ", "))], 0));
    }
    Some(message)
}

/// A message that is one list.
fn listing(title: &'static str, (lines, more): (Vec<SafeText>, usize)) -> Option<Message> {
    let count = lines.len() + more;
    let list = section(safe_format!("{} in all", count), lines, more)?;
    let mut message = Message::line(Tone::Neutral, title.into());
    message.parts.push(list);
    Some(message)
}

/// What was ruled out; `None` where nothing was.
#[must_use]
pub fn ruled_out(report: &Report) -> Option<Message> {
    listing("Ruled out", wording::ruled_out(report))
}

/// How other secrets fared.
#[must_use]
pub fn comparison(report: &Report) -> Message {
    let Some(comparison) = &report.comparison else {
        let why = "No other secret rotated near the failure, so there is nothing to compare with";
        return Message::line(Tone::Neutral, why.into());
    };
    let mut message = Message::line(Tone::Neutral, comparison.conclusion.single_line());
    for (label, names) in [
        ("Same function, failing", &comparison.same_function_failing),
        ("Same function, rotating", &comparison.same_function_rotating),
        ("Same key, failing", &comparison.same_key_failing),
        ("Same key, rotating", &comparison.same_key_rotating),
        ("Other functions, failing", &comparison.others_failing),
        ("Other functions, rotating", &comparison.others_rotating),
    ] {
        let (listed, more) = wording::names(names);
        message.parts.extend(section(label, listed, more));
    }
    message
}
