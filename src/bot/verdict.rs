//! What the thread of an investigation is to show of it.

use crate::chat::Message;
use crate::chat::compose::{self, AfterVerdict, Resolved};
use crate::chat::document::{Control, MenuItem, Tone};
use crate::model::{Action, ActionToken, Investigation};
use crate::redact::SafeText;
use crate::report::{Report, wording};
use crate::safe_format;
use crate::store::{Completion, DesiredMessage, InvestigationRow, InvestigationStage, Location, ROOT, RunResult};

/// What is looked into, and where.
pub(super) fn subject(stored: &InvestigationRow) -> SafeText {
    let secret = &stored.question.secret;
    let secret = SafeText::redact(secret.as_str());
    match &stored.choice {
        Some(Location { account: Some(account), region }) => {
            safe_format!("{} in {}, {}", secret, SafeText::redact(account), region)
        }
        Some(Location { account: None, region }) => safe_format!("{} in {}", secret, region),
        None => secret,
    }
}

/// What became of an investigation, for its verdict.
pub(super) fn standing(stored: &InvestigationRow) -> AfterVerdict {
    AfterVerdict {
        resolved: stored.resolved.clone().map(|(by, at)| Resolved { by, at }),
        watched_since: stored.watched_since,
        searching_author: false,
    }
}

/// The report of an investigation's record.
pub(super) fn report(stored: &InvestigationRow, record: &Investigation) -> Report {
    Report::new(record).in_account(stored.choice.as_ref().and_then(|choice| choice.account.as_deref()))
}

/// The name of a message of this investigation: alone in its thread, or one of several.
pub(super) fn message_key(stored: &InvestigationRow, name: &str) -> String {
    if stored.message_key == ROOT { name.to_owned() } else { format!("{}/{name}", stored.message_key) }
}

/// The verdict message as it stands.
pub(super) fn verdict(stored: &InvestigationRow, record: &Investigation) -> DesiredMessage {
    let message = compose::verdict(&report(stored, record), &stored.id, stored.revision, &standing(stored));
    DesiredMessage::reply(&stored.thread, &stored.message_key, message, "verdict")
}

pub(super) fn concluded(stored: &InvestigationRow, record: Investigation) -> Completion {
    let report = report(stored, &record);
    let headline = wording::headline(&report);
    let messages = std::iter::once(verdict(stored, &record)).chain(thoughts(stored, &report)).collect();
    let concluded =
        RunResult { id: stored.id.clone(), stage: InvestigationStage::Done, record: Some(record), headline, choices: Vec::new() };
    Completion { concluded: vec![concluded], messages, ..Completion::default() }
}

/// What the verdict leaves to its thread, one message for each thought; an earlier run's that has come to nothing is replaced.
fn thoughts(stored: &InvestigationRow, report: &Report) -> Vec<DesiredMessage> {
    let desired = |thought: compose::Thought| {
        let key = message_key(stored, thought.name);
        match thought.message {
            Some(message) => DesiredMessage::reply(&stored.thread, key, message, "details of the verdict"),
            None => DesiredMessage::reply(&stored.thread, key, thought.nothing_left(), "details of the verdict").only_replacing(),
        }
    };
    compose::thoughts(report).into_iter().map(desired).collect()
}

/// It could not be looked into; the buttons let people try again.
pub(super) fn failed(stored: &InvestigationRow, why: impl Into<SafeText>) -> Completion {
    let mut message: Message =
        compose::about(Tone::Warning, safe_format!("{} could not be investigated: {}", subject(stored), why.into()));
    message.controls = vec![Control::Button(MenuItem {
        label: "Rerun".into(),
        token: ActionToken { investigation: stored.id.clone(), revision: stored.revision, action: Action::RerunAll },
    })];
    let headline = message.title.clone();
    Completion {
        concluded: vec![RunResult {
            id: stored.id.clone(),
            stage: InvestigationStage::Failed,
            record: None,
            headline,
            choices: Vec::new(),
        }],
        messages: vec![DesiredMessage::reply(&stored.thread, &stored.message_key, message, "a failure")],
        ..Completion::default()
    }
}

/// The message that answers an action without changing anything; `None` for those that do more.
pub(super) fn answer_key(stored: &InvestigationRow, action: Action) -> Option<String> {
    Some(message_key(stored, &action.answer_name(stored.revision)?))
}

/// True where somebody did it already.
pub(super) fn is_done(stored: &InvestigationRow, action: Action) -> bool {
    match action {
        Action::Watch => stored.watched_since.is_some(),
        Action::StopWatching => stored.watched_since.is_none(),
        Action::Resolve => stored.resolved.is_some(),
        Action::Reopen => stored.resolved.is_none(),
        _ => false,
    }
}
