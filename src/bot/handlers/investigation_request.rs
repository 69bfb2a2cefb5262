//! A person asks about a secret.

use crate::bot::access::{Access, Whereabouts};
use crate::bot::autocomplete::Autocomplete;
use crate::bot::error::HandlerError;
use crate::bot::runner::{Runner, session_owner};
use crate::bot::verdict::{called, failed, named_places};
use crate::chat::{Message, PlatformSet, compose};
use crate::investigation::Options;
use crate::model::{ActionKind, Actor, Command, ReplyTo, SecretRef, ThreadId};
use crate::redact::SafeText;
use crate::store::{
    AuditDecision, Audited, Claimed, Completion, DesiredMessage, InvestigationRow, InvestigationStage, Location, NewThread, ROOT,
    RunResult, Store, StoreError,
};
use std::sync::Arc;
use std::time::Duration;

/// How long a secret is looked for before its thread is opened: whoever asked has a sign of life within two seconds, also where AWS
/// is slow.
const UNSEEN_LOOK: Duration = Duration::from_millis(1_500);

/// Answers questions about secrets.
pub struct InvestigationRequests {
    store: Arc<Store>,
    access: Arc<Access>,
    autocomplete: Arc<Autocomplete>,
    runner: Arc<Runner>,
    platforms: PlatformSet,
}

impl InvestigationRequests {
    /// Answers out of what `access` reaches; a name that is nowhere is compared with those of `autocomplete`.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        access: Arc<Access>,
        autocomplete: Arc<Autocomplete>,
        runner: Arc<Runner>,
        platforms: PlatformSet,
    ) -> InvestigationRequests {
        InvestigationRequests { store, access, autocomplete, runner, platforms }
    }

    /// A thread is opened for what can be looked into. Whoever asks in vain is told alone, as far as that is known soon.
    pub(super) async fn handle(&self, claimed: &Claimed, command: &Command) -> Result<Completion, HandlerError> {
        let Command { actor, place, reply_to, question, in_thread } = command;
        let id = claimed.investigation()?;
        let thread_id = ThreadId::from(id.clone());
        let manner = self.platforms.manner(place);
        let manner = if *in_thread { manner.in_thread() } else { manner };
        // A run that was cut short may have opened it.
        let is_open = self.store.thread(&thread_id).await?.is_some();
        // Asked again: the rules may have changed since it was accepted.
        let allowed = self.access.allowed_places(actor, place, question);
        let places = match &allowed {
            Ok(places) => places.as_slice(),
            Err(refusal) => match reply_to {
                Some(to) if !is_open => {
                    let why = refusal.words();
                    return Ok(told_alone(thread_id, command, to, compose::refused(why), AuditDecision::Refused, why));
                }
                _ => &[],
            },
        };
        let mut looking = std::pin::pin!(self.access.locate(places, &question.secret));
        let mut seen = None;
        if let Some(to) = reply_to.as_ref().filter(|_| !is_open && allowed.is_ok()) {
            seen = tokio::time::timeout(UNSEEN_LOOK, &mut looking).await.ok();
            if seen == Some(Whereabouts::Nowhere) {
                let near = self.autocomplete.near_names(actor, place, &question.secret, places).await;
                let message = compose::not_found(&question.secret, &named_places(places), &near, manner);
                return Ok(told_alone(thread_id, command, to, message, AuditDecision::Rejected, "there is no such secret"));
            }
        }
        let waiting = compose::progress(&SafeText::redact(question.secret.as_str()), &compose::waiting());
        let root = DesiredMessage::root(&thread_id, waiting, "a question").as_progress().asked_by(reply_to.clone());
        let thread = NewThread { id: thread_id, place: place.clone() };
        // A run that was cut short has said more already.
        let root = (!is_open).then_some(root);
        let row = self.store.open_investigation(&thread, &id, ROOT, question, root.as_slice()).await?;
        if let Err(refusal) = &allowed {
            return Ok(failed(&row, refusal.words()));
        }
        let seen = match seen {
            Some(seen) => seen,
            None => looking.await,
        };
        let found = match &seen {
            Whereabouts::In(found) => found.as_slice(),
            // The thread is open: it says so.
            Whereabouts::Nowhere => places.get(..1).unwrap_or_default(),
        };
        match found {
            [] => Ok(failed(&row, "there is no account or region to look in")),
            [one] => {
                let mut options = Options::new(question.secret.clone());
                options.lookback = question.lookback;
                let completion = self.runner.run(claimed.lease, &row, row.revision, one, options, session_owner(actor)).await?;
                let completion = self.as_allowed(actor, &row, one, completion);
                Ok(called(completion, claimed, actor, self.store.now()))
            }
            several => Ok(asked(&row, several)),
        }
    }

    /// It was started several times: its thread says so.
    pub(super) async fn give_up(
        &self,
        claimed: &Claimed,
        command: &Command,
        why: &'static str,
    ) -> Result<Completion, StoreError> {
        let id = claimed.investigation()?;
        let thread = NewThread { id: id.clone().into(), place: command.place.clone() };
        let row = self.store.open_investigation(&thread, &id, ROOT, &command.question, &[]).await?;
        Ok(failed(&row, why))
    }

    /// A name can be read out of an ARN in two ways; what was found has to be allowed too.
    fn as_allowed(&self, actor: &Actor, row: &InvestigationRow, location: &Location, completion: Completion) -> Completion {
        let found = completion.concluded.first().and_then(|concluded| concluded.record.as_ref()?.evidence.secret.found());
        let Some(name) = found.map(|secret| SecretRef::Name(secret.name.clone())) else { return completion };
        match self.access.may(actor, &row.place, ActionKind::Investigate, &name, location) {
            Ok(()) => completion,
            Err(refusal) => failed(&InvestigationRow { location: None, ..row.clone() }, refusal.words()),
        }
    }
}

/// Nothing is looked into: whoever asked is told so alone, and no thread shows it.
fn told_alone(
    thread: ThreadId,
    command: &Command,
    to: &ReplyTo,
    message: Message,
    decision: AuditDecision,
    why: &str,
) -> Completion {
    let Command { actor, place, question, .. } = command;
    Completion {
        messages: vec![DesiredMessage::ephemeral(&thread, "answer", to.clone(), message, "an answer")],
        opens: Some(NewThread { id: thread, place: place.clone() }),
        audit: vec![Audited::person(actor, place, "investigate", question.secret.as_str(), decision, why)],
        ..Completion::default()
    }
}

fn asked(row: &InvestigationRow, several: &[Location]) -> Completion {
    let secret = SafeText::redact(row.question.secret.as_str());
    let message = compose::choose(&secret, &named_places(several), &row.id, row.revision);
    let concluded = RunResult {
        id: row.id.clone(),
        stage: InvestigationStage::Asking,
        record: None,
        headline: message.title.clone(),
        locations: several.to_vec(),
    };
    let desired = DesiredMessage::reply(&row.thread, &row.message_key, message, "which place is meant");
    Completion { concluded: vec![concluded], messages: vec![desired], ..Completion::default() }
}
