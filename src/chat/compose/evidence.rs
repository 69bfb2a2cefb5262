//! What one step saw, as a message; what is too long for one goes into a file.

use super::{files, name_of};
use crate::chat::document::{Attachment, Message, Part, Quote, Tone};
use crate::model::{Investigation, StepName};
use crate::redact::SafeText;
use crate::report::facts::{self, Fact, FactGroup, StepFacts};
use crate::safe_format;

/// How many facts of a group a message shows.
const SHOWN: usize = 12;
/// How much of a fact a message shows.
const FACT: usize = 600;
/// How many groups a message shows.
const GROUPS: usize = 6;

/// What step `step` of the investigation saw.
#[must_use]
pub fn evidence(investigation: &Investigation, step: StepName) -> Message {
    let facts = facts::of(&investigation.evidence, step);
    let title = safe_format!("Step {} · {} — {}", step.number(), step.label(), facts.summary);
    let mut message = Message::line(Tone::Neutral, title);
    message.parts.push(Part::Context(facts.context.clone()));
    message.parts.extend(facts.groups.iter().take(GROUPS).map(part));
    if is_long(&facts) {
        message.attachments.push(file(investigation, &facts));
    }
    message
}

/// All that step `step` saw, as a text file.
#[must_use]
pub fn whole_evidence(investigation: &Investigation, step: StepName) -> Attachment {
    file(investigation, &facts::of(&investigation.evidence, step))
}

fn file(investigation: &Investigation, facts: &StepFacts) -> Attachment {
    let name = format!("{}-step-{}.txt", files::stem(&name_of(investigation)), facts.step.number());
    files::text(name, safe_format!("all evidence of {}", facts.step), &facts.to_string())
}

fn is_long(facts: &StepFacts) -> bool {
    let long = |group: &FactGroup| group.facts.len() > SHOWN || group.facts.iter().any(|fact| fact.text.chars().count() > FACT);
    facts.groups.len() > GROUPS || facts.groups.iter().any(long)
}

fn part(group: &FactGroup) -> Part {
    let more = group.facts.len().saturating_sub(SHOWN);
    let label = if more > 0 {
        safe_format!("{} (the first {} of {})", group.label, SHOWN, group.facts.len())
    } else {
        group.label.clone()
    };
    let shown = group.facts.iter().take(SHOWN);
    if group.verbatim {
        let quote = |fact: &Fact| Quote { lead: fact.lead.clone(), text: fact.text.cut(FACT), source: SafeText::default() };
        Part::Quotes { label, quotes: shown.map(quote).collect() }
    } else {
        Part::Section { label, lines: shown.map(|fact| fact.line().cut(FACT)).collect() }
    }
}
