//! What stands in the thread beside the verdict.

use super::{section, steps};
use crate::chat::document::{Message, Part, StepLine, StepState, Tone};
use crate::redact::SafeText;
use crate::report::{Report, wording};
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

/// The nine steps, what changed, what was ruled out, what stays open.
#[must_use]
pub fn details(report: &Report) -> Message {
    let mut message = Message::line(Tone::Neutral, safe_format!("What the nine steps found about {}", report.secret.name));
    let parts = &mut message.parts;
    parts.push(Part::Steps(steps::of(report)));
    let (changes, more) = wording::changes(report);
    parts.extend(section("Changes", changes, more));
    parts.extend(section("Other secrets", wording::comparison(report).into_iter().collect(), 0));
    let (ruled_out, more) = wording::ruled_out(report);
    parts.extend(section("Ruled out", ruled_out, more));
    let (open, more) = wording::not_checked(report);
    parts.extend(section("Not checked", open, more));
    let permissions = wording::permissions_to_add(report);
    if !permissions.is_empty() {
        parts.extend(section("To see more", vec![safe_format!("allow {}", SafeText::join(permissions, ", "))], 0));
    }
    parts.push(Part::Context(vec![wording::footer(report)]));
    message
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
