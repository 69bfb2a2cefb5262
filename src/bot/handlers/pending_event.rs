//! People of whom the platform has to be asked first: accepted at once, judged by a worker, before anything is told or done.

use crate::bot::access::AccessRefusal;
use crate::bot::error::HandlerError;
use crate::bot::intake::{Intake, Unstored};
use crate::chat::document::Tone;
use crate::chat::{Ack, LookedUp, Message, PlatformSet, SendError, compose};
use crate::model::{Actor, IncomingEvent, Place, Standing};
use crate::safe_format;
use crate::store::{Claimed, Completion, DesiredMessage, NewThread, Store, StoreError};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// How long a platform in trouble is asked about a person, who waits for the answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// The wait before it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

const LOCKED_OUT: &str = "my token is no longer accepted here, so I can neither tell who you are nor post anything, and nothing was \
                          started: the operator of rotation-diag has to give me a new one";

/// Judges what was accepted from people who have to be looked up.
pub struct PendingEvents {
    store: Arc<Store>,
    intake: Arc<Intake>,
    platforms: PlatformSet,
}

impl PendingEvents {
    /// Asks `platforms` about people, and hands what they said to `intake`.
    #[must_use]
    pub fn new(store: Arc<Store>, intake: Arc<Intake>, platforms: PlatformSet) -> PendingEvents {
        PendingEvents { store, intake, platforms }
    }

    /// Looks the person up, and then takes what was said as if it came now.
    pub(super) async fn handle(&self, claimed: &Claimed, inbound: &IncomingEvent) -> Result<Completion, HandlerError> {
        let LookedUp { actor, failed } = self.look_up(inbound).await;
        if let Some(SendError::Later { after, .. }) = &failed
            && self.store.now().duration_since(claimed.received_at) < PATIENCE
        {
            return Err(HandlerError::RetryAfter(after.unwrap_or(ASK_AGAIN)));
        }
        let receipt = match self.intake.take(&IncomingEvent { actor, ..inbound.clone() }).await {
            Ok(receipt) => receipt,
            Err(Unstored::Store(error)) => return Err(HandlerError::Store(error)),
            Err(full @ Unstored::Accept(_)) => {
                tracing::error!(error = %full, "a command could not be stored");
                Ack::Unavailable(Box::new(compose::unavailable()))
            }
        };
        match receipt {
            Ack::Accepted | Ack::Duplicate => Ok(Completion::default()),
            Ack::Answer(answer) | Ack::Unavailable(answer) => {
                Ok(self.answer_alone(claimed, inbound, in_truth(*answer, failed)).await?)
            }
        }
    }

    async fn look_up(&self, inbound: &IncomingEvent) -> LookedUp {
        match self.platforms.find(inbound.actor.platform) {
            Some(platform) => platform.look_up(&inbound.actor).await,
            None => LookedUp { actor: Actor { standing: Standing::Unknown, ..inbound.actor.clone() }, failed: None },
        }
    }

    /// It was started several times: that person is told.
    pub(super) async fn give_up(
        &self,
        claimed: &Claimed,
        inbound: &IncomingEvent,
        why: &'static str,
    ) -> Result<Completion, StoreError> {
        let message = compose::notice(Tone::Warning, safe_format!("that could not be done: {}", why));
        self.answer_alone(claimed, inbound, message).await
    }

    /// An answer for that person alone; what it hangs on here is no thread that anybody sees.
    async fn answer_alone(&self, claimed: &Claimed, inbound: &IncomingEvent, answer: Message) -> Result<Completion, StoreError> {
        let Some(to) = inbound.reply_to.clone() else { return Ok(Completion::default()) };
        let id = claimed.thread()?;
        let place = Place { thread: None, ..inbound.place.clone() };
        self.store.open_thread(&NewThread { id: id.clone(), place }, &[]).await?;
        let answer = DesiredMessage::ephemeral(&id, "answer", to, answer, "an answer to one person");
        Ok(Completion { messages: vec![answer], ..Completion::default() })
    }
}

/// A refusal for want of knowledge says why that is wanting, where waiting a minute does not help.
fn in_truth(answer: Message, failed: Option<SendError>) -> Message {
    let for_want_of_knowledge = [AccessRefusal::GroupsUnknown, AccessRefusal::StandingUnknown];
    if !for_want_of_knowledge.iter().any(|refusal| answer == compose::refused(refusal.words())) {
        return answer;
    }
    let text = match failed {
        None | Some(SendError::Later { .. } | SendError::Uncertain { .. }) => return answer,
        Some(SendError::Unauthorized { .. }) => LOCKED_OUT.into(),
        Some(SendError::Closed { tell, .. }) => safe_format!("I cannot look up whether you are a full member: {}", tell),
        Some(SendError::Gone { .. } | SendError::Refused { .. }) => {
            "I cannot look up whether you are a full member, and waiting will not help: the operator of rotation-diag can find \
             the reason in its log"
                .into()
        }
    };
    compose::notice(Tone::Warning, text)
}
