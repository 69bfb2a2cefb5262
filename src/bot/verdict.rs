//! What the thread of an investigation is to show of it.

use crate::chat::compose::{self, AfterVerdict, Resolved};
use crate::chat::document::{Control, Mention, MenuItem, Tone};
use crate::chat::{Message, Screen};
use crate::model::{Action, ActionToken, Actor, Investigation, Region};
use crate::redact::SafeText;
use crate::report::{Report, wording};
use crate::safe_format;
use crate::store::{Claimed, Completion, DesiredMessage, InvestigationRow, InvestigationStage, Location, ROOT, RunResult};
use jiff::{SignedDuration, Timestamp};

/// What is looked into, and where.
pub(super) fn subject(row: &InvestigationRow) -> SafeText {
    let secret = &row.question.secret;
    let secret = SafeText::redact(secret.as_str());
    match &row.location {
        Some(Location { account: Some(account), region }) => {
            safe_format!("{} in {}, {}", secret, SafeText::redact(account), region)
        }
        Some(Location { account: None, region }) => safe_format!("{} in {}", secret, region),
        None => secret,
    }
}

/// Places as people know them: account and region.
pub(super) fn named_places(places: &[Location]) -> Vec<(String, Region)> {
    let account = |location: &Location| location.account.clone().unwrap_or_else(|| "this account".to_owned());
    places.iter().map(|location| (account(location), location.region.clone())).collect()
}

/// What became of an investigation, for its verdict.
pub(super) fn standing(row: &InvestigationRow) -> AfterVerdict {
    AfterVerdict {
        resolved: row.resolved.clone().map(|(by, at)| Resolved { by, at }),
        watched_since: row.watched_since,
        searching_author: false,
    }
}

/// How the message looks that shows an investigation, by which lists choose.
pub(super) fn tone(row: &InvestigationRow, record: Option<&Investigation>) -> Tone {
    match (row.stage, record) {
        (_, _) if row.resolved.is_some() => Tone::Neutral,
        (InvestigationStage::Running, _) => Tone::Working,
        (InvestigationStage::Asking, _) => Tone::Neutral,
        (InvestigationStage::Done, Some(record)) => compose::tone(&report(row, record)),
        (InvestigationStage::Done | InvestigationStage::Failed, _) => Tone::Warning,
    }
}

/// The report of an investigation's record.
pub(super) fn report(row: &InvestigationRow, record: &Investigation) -> Report {
    Report::new(record).in_account(row.location.as_ref().and_then(|location| location.account.as_deref()))
}

/// The name of a message of this investigation: alone in its thread, or one of several.
pub(super) fn message_key(row: &InvestigationRow, name: &str) -> String {
    if row.message_key == ROOT { name.to_owned() } else { format!("{}/{name}", row.message_key) }
}

/// The verdict message as it stands, for the screen of its platform.
pub(super) fn verdict(row: &InvestigationRow, record: &Investigation, screen: Screen) -> DesiredMessage {
    verdict_of(row, &report(row, record), screen)
}

fn verdict_of(row: &InvestigationRow, report: &Report, screen: Screen) -> DesiredMessage {
    let message = compose::verdict(report, &row.id, row.revision, &standing(row), screen);
    DesiredMessage::reply(&row.thread, &row.message_key, message, "verdict")
}

/// An investigation that came to its end, and what its thread shows of it.
pub(super) fn concluded(row: &InvestigationRow, record: Investigation, screen: Screen) -> Completion {
    let report = report(row, &record);
    let headline = wording::headline(&report);
    let messages = std::iter::once(verdict_of(row, &report, screen)).chain(thoughts(row, &report, screen)).collect();
    let concluded =
        RunResult { id: row.id.clone(), stage: InvestigationStage::Done, record: Some(record), headline, locations: Vec::new() };
    Completion { concluded: vec![concluded], messages, ..Completion::default() }
}

/// How long a verdict may take before whoever asked has put the phone away.
const UNATTENDED: SignedDuration = SignedDuration::from_secs(10);

/// Why the note is sent that tells what a person did.
pub(super) const NOTE: &str = "what a person did";

/// Calls whoever asked to a verdict that was long in coming: an edit makes no phone ring. A note about what they did names them
/// already; else the call is a message of its own, named by the trigger, so that it is said once whatever happens in between.
pub(super) fn called(mut completion: Completion, claimed: &Claimed, by: &Actor, now: Timestamp) -> Completion {
    let Some(concluded) = completion.concluded.first() else { return completion };
    if now.duration_since(claimed.received_at) <= UNATTENDED || concluded.stage == InvestigationStage::Asking {
        return completion;
    }
    let asker = Some(Mention::User(by.user.clone()));
    if let Some(note) = completion.messages.iter_mut().find(|desired| desired.reason == NOTE) {
        note.message.mention = asker;
        return completion;
    }
    let mut message = compose::about(Tone::Neutral, concluded.headline.clone());
    message.mention = asker;
    let thread = completion.messages.first().map(|desired| desired.thread.clone());
    let name = format!("called-{}", claimed.lease.number());
    completion.messages.extend(thread.map(|thread| DesiredMessage::reply(&thread, name, message, "a verdict that took long")));
    completion
}

/// The verdict as far as it is known, while whoever made the change is searched for. Buttons come with the end.
///
/// `None` where the secret is another than the name that was asked for: whether that one may be asked about is judged at the end.
pub(super) fn early(row: &InvestigationRow, record: &Investigation, screen: Screen) -> Option<Message> {
    record.evidence.secret.found().filter(|found| found.name == row.question.secret.name())?;
    let standing = AfterVerdict { searching_author: true, ..standing(row) };
    let verdict = compose::verdict(&report(row, record), &row.id, row.revision, &standing, screen);
    Some(Message { controls: Vec::new(), ..verdict })
}

/// What the verdict leaves to its thread; an earlier run's message that has come to nothing is replaced.
fn thoughts(row: &InvestigationRow, report: &Report, screen: Screen) -> Vec<DesiredMessage> {
    let desired = |thought: compose::Thought| {
        let key = message_key(row, thought.name);
        match thought.message {
            Some(message) => DesiredMessage::reply(&row.thread, key, message, "details of the verdict"),
            None => DesiredMessage::reply(&row.thread, key, thought.nothing_left(), "details of the verdict").only_replacing(),
        }
    };
    compose::in_thread(report, screen).into_iter().map(desired).collect()
}

/// It could not be looked into; the buttons let people try again.
pub(super) fn failed(row: &InvestigationRow, why: impl Into<SafeText>) -> Completion {
    let mut message: Message =
        compose::about(Tone::Warning, safe_format!("{} could not be investigated: {}", subject(row), why.into()));
    message.controls = controls_of_a_failure(row);
    let headline = message.title.clone();
    Completion {
        concluded: vec![RunResult {
            id: row.id.clone(),
            stage: InvestigationStage::Failed,
            record: None,
            headline,
            locations: Vec::new(),
        }],
        messages: vec![DesiredMessage::reply(&row.thread, &row.message_key, message, "a failure")],
        ..Completion::default()
    }
}

/// What can be done where a run came to nothing.
pub(super) fn controls_of_a_failure(row: &InvestigationRow) -> Vec<Control> {
    let token = ActionToken { investigation: row.id.clone(), revision: row.revision, action: Action::RerunAll };
    vec![Control::Button(MenuItem { label: "Rerun".into(), token })]
}

/// The message that answers an action without changing anything; `None` for those that do more.
pub(super) fn answer_key(row: &InvestigationRow, action: Action) -> Option<String> {
    Some(message_key(row, &action.answer_name(row.revision)?))
}

/// True where somebody did it already.
pub(super) fn is_done(row: &InvestigationRow, action: Action) -> bool {
    action.is_done(row.watched_since.is_some(), row.resolved.is_some())
}
