//! One run of an investigation, from the first step to what its thread is to show.

use super::Bot;
use super::authorizer::AccessRequest;
use super::live::Live;
use super::perform::HandlerError;
use crate::chat::Message;
use crate::chat::compose::{self, Resolved, Standing};
use crate::chat::document::{Control, MenuItem as Button, Tone};
use crate::diagnosis::diagnose;
use crate::investigation::{Options, investigate};
use crate::model::{Action, ActionKind, ActionToken, Investigation, SecretRef};
use crate::redact::SafeText;
use crate::report::{Report, wording};
use crate::store::{Completion, DesiredMessage, InvestigationRow, Lease, Location, ROOT, RunResult, Stage};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::sync::Semaphore;

/// When to try again while another trigger runs the same investigation.
const OTHERS_RUN: Duration = Duration::from_secs(1);

impl Bot {
    /// Looks into `choice` for the trigger `lease`, and says how far it is meanwhile. What it comes to is returned, not yet
    /// stored; buttons older than `revision` expire when it begins.
    ///
    /// # Errors
    /// [`HandlerError`] when it could not even begin: the store fails, or another trigger runs it at this moment.
    pub(super) fn run<'a>(
        &'a self,
        lease: Lease,
        stored: &'a InvestigationRow,
        revision: u32,
        choice: &'a Location,
        options: Options,
    ) -> BoxFuture<'a, Result<Completion, HandlerError>> {
        // Its state is large; on the heap, it does not weigh on the stacks of all who wait for it.
        Box::pin(self.looked_into(lease, stored, revision, choice, options))
    }

    async fn looked_into(
        &self,
        lease: Lease,
        stored: &InvestigationRow,
        revision: u32,
        choice: &Location,
        mut options: Options,
    ) -> Result<Completion, HandlerError> {
        if !self.store.begin_run(lease, &stored.id, revision, choice).await? {
            return Err(HandlerError::RetryAfter(OTHERS_RUN));
        }
        let stored = InvestigationRow { revision, choice: Some(choice.clone()), resolved: None, ..stored.clone() };
        let connected = match self.accounts.connect(choice, &options.asked).await {
            Ok(connected) => connected,
            Err(error) => return Ok(failed(&stored, &format!("AWS could not be queried: {error}"))),
        };
        options.step_deadline = self.step_deadline;
        options.total_deadline = self.total_deadline;
        let live = Live::new();
        let subject = subject(&stored);
        let run = Box::pin(investigate(&connected.aws, &connected.clock, &options, &live));
        let investigation = tokio::select! {
            investigation = run => investigation,
            never = live.tell(self, &stored, &subject) => match never {},
        };
        let record = Investigation { id: stored.id.clone(), ..self.without_foreign_names(&stored, choice, investigation) };
        let timeline = timeline(&stored, &record).await;
        let mut completion = concluded(&stored, record);
        completion.messages.extend(timeline);
        Ok(completion)
    }
}

impl Bot {
    /// Names like that of a missing secret are told only where somebody may ask about them.
    fn without_foreign_names(&self, stored: &InvestigationRow, choice: &Location, mut seen: Investigation) -> Investigation {
        let may_be_told = |name: &String| {
            let secret = SecretRef::Name(name.clone());
            let account = choice.account.as_deref();
            let wish = AccessRequest { action: ActionKind::Investigate, secret: &secret, account, region: &choice.region };
            self.rights.allow_naming(&stored.place, &wish)
        };
        let all = seen.evidence.near_names.len();
        seen.evidence.near_names.retain(may_be_told);
        if seen.evidence.near_names.len() < all {
            seen.diagnosis = diagnose(&seen.evidence);
        }
        seen
    }
}

/// Pictures painted at once: each takes some megabytes while it is.
static PAINTING: Semaphore = Semaphore::const_new(2);

/// The timeline as a picture; one for each width of the look, because a picture that was sent cannot be replaced. It is
/// painted where it keeps nobody waiting.
async fn timeline(stored: &InvestigationRow, record: &Investigation) -> Option<DesiredMessage> {
    let message_key = message_key(stored, &format!("timeline-{}", record.evidence.reach.hours() / 24));
    let thread = stored.thread.clone();
    let record = record.clone();
    let _turn = PAINTING.acquire().await.ok()?;
    let message = tokio::task::spawn_blocking(move || compose::chart(&record)).await.ok().flatten()?;
    Some(DesiredMessage::reply(&thread, message_key, message, "timeline"))
}

/// What is looked into, and where.
pub(super) fn subject(stored: &InvestigationRow) -> SafeText {
    let secret = &stored.question.secret;
    SafeText::redact(&match &stored.choice {
        Some(Location { account: Some(account), region }) => format!("{secret} in {account}, {region}"),
        Some(Location { account: None, region }) => format!("{secret} in {region}"),
        None => secret.to_string(),
    })
}

/// What became of an investigation, for its verdict.
pub(super) fn standing(stored: &InvestigationRow) -> Standing {
    Standing {
        resolved: stored.resolved.clone().map(|(by, at)| Resolved { by, at }),
        watched_since: stored.watched_since,
        notes: Vec::new(),
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

fn concluded(stored: &InvestigationRow, record: Investigation) -> Completion {
    let report = report(stored, &record);
    let headline = SafeText::redact(&wording::headline(&report));
    let details = DesiredMessage::reply(
        &stored.thread,
        message_key(stored, "details"),
        compose::details(&report),
        "details of the verdict",
    );
    let messages = vec![verdict(stored, &record), details];
    let concluded = RunResult { id: stored.id.clone(), stage: Stage::Done, record: Some(record), headline, choices: Vec::new() };
    Completion { concluded: vec![concluded], messages, ..Completion::default() }
}

/// It could not be looked into; the buttons let people try again.
pub(super) fn failed(stored: &InvestigationRow, why: &str) -> Completion {
    let mut message: Message = compose::about(Tone::Warning, &format!("{} could not be investigated: {why}", subject(stored)));
    message.controls = vec![Control::Button(Button {
        label: SafeText::redact("Rerun all"),
        token: ActionToken { investigation: stored.id.clone(), revision: stored.revision, action: Action::RerunAll },
    })];
    let headline = message.title.clone();
    Completion {
        concluded: vec![RunResult { id: stored.id.clone(), stage: Stage::Failed, record: None, headline, choices: Vec::new() }],
        messages: vec![DesiredMessage::reply(&stored.thread, &stored.message_key, message, "a failure")],
        ..Completion::default()
    }
}
