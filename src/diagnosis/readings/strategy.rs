//! Whether the function alternates between two users, and in whose value something is wrong.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::context::LogMatch;
use crate::diagnosis::database::superuser_secret_word;
use crate::diagnosis::readings::login;
use crate::lambda_log::Record;
use crate::model::{Remediation, RotationStep};

/// What only a function says that alternates between two users: it reads a superuser's secret and makes a second user.
const ALTERNATES: &[&str] = &["master secret", "admin secret", "masterarn", "_clone", "master_dict", "admin_dict", "multiuser"];

/// True where the function's name or its lines show that it alternates between two users.
pub(in crate::diagnosis) fn alternates(context: &DiagnosisContext<'_>) -> bool {
    let name = context.function_name().unwrap_or_default().to_ascii_lowercase().replace(['-', '_'], "");
    let invocations = context.evidence.logs.found().map(|logs| logs.invocations.as_slice()).unwrap_or_default();
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ALTERNATES.iter().any(|word| text.contains(word))
    };
    name.contains("multiuser")
        || name.contains("alternating")
        || invocations.iter().flat_map(|run| &run.lines).any(|event| says(&event.text))
}

/// True where the function of alternating users had logged in as the user, and then met the fault as another: the superuser.
pub(in crate::diagnosis) fn is_superusers_turn(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> bool {
    alternates(context)
        && seen.failure.step == Some(RotationStep::SetSecret)
        && login::answer(seen.failure) == login::Answer::Connected
}

/// Whose value a rotation function read when it found fault with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum Whose {
    /// That of the secret under investigation.
    Rotated,
    /// That of the superuser's secret.
    Superuser,
    /// That of a pending version older than the current one.
    StalePending,
    /// In setSecret it is no longer the current value; which of the two others, nothing tells.
    NotCurrent,
}

/// Whose value the line speaks of.
///
/// The official templates check a value's keys and engine whenever they read one. createSecret reads the current value first,
/// so that what setSecret finds fault with is another one: the superuser's, or a pending one that is older than the
/// correction of the current one.
pub(in crate::diagnosis) fn whose(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> Whose {
    let text = Record::read(&seen.read.event.text).text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let step = seen.failure.step.or(seen.read.classification.step);
    if says(&["master_dict", "admin_dict", "masterarn", "master_arn", "master secret", "admin secret", "superuser"]) {
        return Whose::Superuser;
    }
    if step != Some(RotationStep::SetSecret) {
        return Whose::Rotated;
    }
    if is_pending_older(context) {
        Whose::StalePending
    } else if says(&["pending_dict", "current_dict"]) {
        Whose::Rotated
    } else if alternates(context) {
        Whose::Superuser
    } else if says(&["key is missing from secret json", "database engine must be set to"]) {
        Whose::NotCurrent
    } else {
        Whose::Rotated
    }
}

impl Whose {
    /// The title where a key is missing.
    pub(in crate::diagnosis) fn lacks_a_key(self) -> &'static str {
        match self {
            Whose::Superuser => "the superuser's secret lacks a required key",
            Whose::StalePending => "the pending version lacks a required key, which the current value has now",
            Whose::NotCurrent => "the superuser's secret, or the pending version, lacks a required key",
            Whose::Rotated => "the secret's JSON lacks a required key",
        }
    }

    /// The title where the engine is wrong.
    pub(in crate::diagnosis) fn names_another_engine(self) -> &'static str {
        match self {
            Whose::Superuser => "the superuser's secret names an engine that the function does not handle",
            Whose::StalePending => "the pending version names another engine, while the current value names the right one",
            Whose::NotCurrent => {
                "the superuser's secret, or the pending version, names an engine that the function does not \
                                  handle"
            }
            Whose::Rotated => "the secret's engine is not the one the function handles",
        }
    }

    /// Why it is not the current value that lacks `what`.
    pub(in crate::diagnosis) fn explain(self, seen: &LogMatch<'_, '_>, what: &str) -> String {
        let step = seen.in_step();
        match self {
            Whose::Superuser => format!(
                "createSecret had read this secret and found no fault: it is the superuser's secret, which \"masterarn\" names, \
                 that lacks {what}{step}."
            ),
            Whose::StalePending => format!(
                "The pending version lacks {what}{step}. It was created before the current value was stored, and every rotation \
                 takes it up again until its label is removed."
            ),
            Whose::NotCurrent | Whose::Rotated => format!(
                "createSecret had read this secret and found no fault. So another value that the function reads lacks \
                 {what}{step}: the superuser's, which \"masterarn\" names, or a pending version created before this secret was \
                 corrected."
            ),
        }
    }

    /// What to do, where `act` is what the value needs.
    pub(in crate::diagnosis) fn remedy(self, context: &DiagnosisContext<'_>, act: &str) -> Remediation {
        let superuser = |also: &str| {
            Remediation::new(format!("In the superuser's secret, which \"masterarn\" names, {act}.{also} Then rotate."))
                .put_superuser_value(context, &superuser_secret_word(context, ""))
        };
        match self {
            Whose::Superuser => superuser(""),
            Whose::NotCurrent | Whose::Rotated => {
                superuser(" In case it is the pending version, remove AWSPENDING from it.").discard_pending(context)
            }
            Whose::StalePending => Remediation::new(
                "Remove AWSPENDING from the version that was created from the faulty value, so that the next rotation creates a \
                 new one from the corrected value. Then rotate.",
            )
            .discard_pending(context),
        }
    }
}

fn is_pending_older(context: &DiagnosisContext<'_>) -> bool {
    let created = |label| context.secret()?.version_with(label)?.created_at;
    created("AWSPENDING").zip(created("AWSCURRENT")).is_some_and(|(pending, current)| pending < current)
}
