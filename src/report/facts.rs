//! What each step saw, fact by fact: the evidence, in plain and inert text.

mod access;
mod code;
mod events;
mod function;
mod secret;

use super::time::{duration, moment};
use crate::model::{Denial, Evidence, Observation, StepName, StepView};
use crate::redact::SafeText;
use crate::safe_format;
pub use code::{code_facts, of_code};
use jiff::Timestamp;
use std::fmt;

/// What one step saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFacts {
    pub step: StepName,
    /// One line that says it all.
    pub summary: SafeText,
    /// Which window, which calls, how long.
    pub context: Vec<SafeText>,
    pub groups: Vec<FactGroup>,
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactGroup {
    pub label: SafeText,
    /// The most telling first.
    pub facts: Vec<Fact>,
    /// True for lines that were written by machines, such as a log's or a policy's.
    pub verbatim: bool,
}

/// A fact: a name or a moment, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What or when; may be empty.
    pub lead: SafeText,
    pub text: SafeText,
}

/// The facts of one step.
#[must_use]
pub fn of(evidence: &Evidence, step: StepName) -> StepFacts {
    let groups = match step {
        StepName::Secret => secret::secret(evidence),
        StepName::RotationConfig => secret::rotation(evidence),
        StepName::RotationFunction => function::function(evidence),
        StepName::FunctionLogs => function::logs(evidence),
        StepName::ExecutionRole => access::role(evidence),
        StepName::RotationHistory => events::history(evidence),
        StepName::FunctionMetrics => function::metrics(evidence),
        StepName::SecretAccess => access::access(evidence),
        StepName::ConfigChanges => events::changes(evidence),
    };
    let mut facts = StepFacts { step, summary: SafeText::default(), context: Vec::new(), groups };
    if let Some(view) = evidence.steps().into_iter().find(|view| view.name == step) {
        facts.summary = plain(if view.summary.is_empty() { view.missing.unwrap_or(view.status) } else { view.summary });
        facts.context = context(&view, evidence.now);
        facts.groups.extend(FactGroup::facts("Not permitted", view.denials.iter().map(denial)));
    }
    facts.groups.retain(|group| !group.facts.is_empty());
    facts
}

fn context(view: &StepView<'_>, now: Timestamp) -> Vec<SafeText> {
    let mut parts: Vec<SafeText> = Vec::new();
    parts.extend(view.window.map(|window| safe_format!("{} – {}", moment(window.from, now), moment(window.to, now))));
    let mut calls: Vec<(&str, usize)> = Vec::new();
    for call in view.calls {
        match calls.iter_mut().find(|(known, _)| *known == call.call) {
            Some((_, count)) => *count += 1,
            None => calls.push((&call.call, 1)),
        }
    }
    parts.extend(
        calls.into_iter().map(|(call, count)| if count > 1 { safe_format!("{} ×{}", plain(call), count) } else { plain(call) }),
    );
    parts.push(duration(view.duration_ms));
    parts
}

fn denial(denial: &Denial) -> Fact {
    Fact::new(&denial.action, &format!("on {}", denial.resource))
}

impl FactGroup {
    fn facts(label: &str, facts: impl IntoIterator<Item = Fact>) -> Option<FactGroup> {
        let facts: Vec<Fact> = facts.into_iter().collect();
        (!facts.is_empty()).then(|| FactGroup { label: plain(label), facts, verbatim: false })
    }

    fn verbatim(label: &str, facts: impl IntoIterator<Item = Fact>) -> Option<FactGroup> {
        FactGroup::facts(label, facts).map(|group| FactGroup { verbatim: true, ..group })
    }

    /// A document as it is written, line by line.
    fn document(label: &str, document: &serde_json::Value) -> Option<FactGroup> {
        let text = serde_json::to_string_pretty(document).unwrap_or_default();
        FactGroup::verbatim(label, text.lines().map(Fact::verbatim))
    }

    /// Why there are no facts of this kind.
    fn unanswered<T>(label: &str, observation: &Observation<T>) -> Option<FactGroup> {
        let why = match observation {
            Observation::Found(_) => return None,
            Observation::NoData { searched: why } | Observation::NotApplicable { because: why } => why.clone(),
            Observation::Failed { error } => error.clone(),
            other => format!("not known: {}", other.missing().unwrap_or_default()),
        };
        FactGroup::facts(label, [Fact::new("", &why)])
    }
}

impl Fact {
    fn new(lead: &str, text: &str) -> Fact {
        Fact { lead: plain(lead), text: plain(text) }
    }

    /// A line whose indentation says something.
    fn verbatim(text: &str) -> Fact {
        let indent = text.len() - text.trim_start_matches(' ').len();
        let spaces = SafeText::join(std::iter::repeat_n(" ", indent), "");
        Fact { lead: SafeText::default(), text: safe_format!("{}{}", spaces, plain(text)) }
    }

    /// The fact in one line.
    #[must_use]
    pub fn line(&self) -> SafeText {
        if self.lead.is_empty() { self.text.clone() } else { safe_format!("{}: {}", self.lead, self.text) }
    }

    fn known(lead: &str, text: Option<impl fmt::Display>) -> Option<Fact> {
        text.map(|text| Fact::new(lead, &text.to_string()))
    }
}

/// All of it, as a plain text.
impl fmt::Display for StepFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.step, self.summary, SafeText::join(&self.context, " · "))?;
        for group in &self.groups {
            writeln!(f, "\n{}", group.label)?;
            for fact in &group.facts {
                match group.verbatim {
                    true if fact.lead.is_empty() => writeln!(f, "  {}", fact.text)?,
                    true => writeln!(f, "  {}  {}", fact.lead, fact.text)?,
                    false => writeln!(f, "  {}", fact.line())?,
                }
            }
        }
        Ok(())
    }
}

/// Text of the evidence, redacted and on one line.
fn plain(text: &str) -> SafeText {
    SafeText::redact(text).single_line()
}

fn yes_no(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
