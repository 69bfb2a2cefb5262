//! People of whom the platform has to be asked first: accepted at once, judged by a worker, before anything is told or done.

use super::Bot;
use super::authorizer::Refusal;
use super::intake::{Unstored, lane, origin};
use super::perform::HandlerError;
use crate::chat::document::Tone;
use crate::chat::{Ack, LookedUp, Message, SendError, compose};
use crate::model::{IncomingEvent, Standing, Trigger};
use crate::redact::SafeText;
use crate::store::{Accepted, Claimed, Completion, DesiredMessage, NewThread, NewTrigger, StoreError};
use jiff::SignedDuration;
use std::time::Duration;

/// How long a platform in trouble is asked about a person, who waits for the answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// The wait before it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

const LOCKED_OUT: &str = "my token is no longer accepted here, so I can neither tell who you are nor post anything, and nothing was \
                          started: whoever runs rotation-diag has to give me a new one";

impl Bot {
    /// Keeps what a person said until it is known whether that person may.
    pub(super) async fn judge_later(&self, inbound: &IncomingEvent) -> Result<Ack, Unstored> {
        let origin = format!("said/{}", origin(inbound));
        let entry = NewTrigger {
            key: origin.clone(),
            origin,
            lane: lane(&inbound.place),
            subject: crate::investigation::new_id(),
            same: None,
            trigger: Trigger::Incoming(inbound.clone()),
            what: SafeText::redact("something a person said, who has to be looked up"),
        };
        Ok(match self.store.accept(&entry, None).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered | Accepted::AlreadyDone | Accepted::Joined(_) => Ack::Duplicate,
        })
    }

    /// Looks the person up, and then takes what was said as if it came now.
    pub(super) async fn judge(&self, claimed: &Claimed, inbound: &IncomingEvent) -> Result<Completion, HandlerError> {
        let LookedUp { actor, failed } = self.look_up(inbound).await;
        if let Some(SendError::Later { after, .. }) = &failed
            && self.store.now().duration_since(claimed.received_at) < PATIENCE
        {
            return Err(HandlerError::RetryAfter(after.unwrap_or(ASK_AGAIN)));
        }
        let receipt = match self.take(&IncomingEvent { actor, ..inbound.clone() }).await {
            Ok(receipt) => receipt,
            Err(Unstored::Store(error)) => return Err(HandlerError::Store(error)),
            Err(full @ Unstored::Accept(_)) => {
                tracing::error!(error = %full, "what a person said could not be stored");
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
            None => {
                LookedUp { actor: crate::model::Actor { standing: Standing::Unknown, ..inbound.actor.clone() }, failed: None }
            }
        }
    }

    /// An answer for that person alone; what it hangs on here is no thread that anybody sees.
    pub(super) async fn answer_alone(
        &self,
        claimed: &Claimed,
        inbound: &IncomingEvent,
        answer: Message,
    ) -> Result<Completion, StoreError> {
        let Some(to) = inbound.reply_to.clone() else { return Ok(Completion::default()) };
        let id = claimed.subject.clone();
        let place = crate::model::Place { thread: None, ..inbound.place.clone() };
        self.store.open_thread(&NewThread { id: id.clone(), place, alarm: None }, &[]).await?;
        let answer = DesiredMessage::ephemeral(&id, "answer", to, answer, "an answer to one person");
        Ok(Completion { messages: vec![answer], ..Completion::default() })
    }
}

/// A refusal for want of knowledge says why that is wanting, where waiting a minute does not help.
fn in_truth(answer: Message, failed: Option<SendError>) -> Message {
    let for_want_of_knowledge = [Refusal::GroupsUnknown, Refusal::StandingUnknown];
    if !for_want_of_knowledge.iter().any(|refusal| answer == compose::refused(&refusal.to_string())) {
        return answer;
    }
    let text = match failed {
        None | Some(SendError::Later { .. } | SendError::Uncertain { .. }) => return answer,
        Some(SendError::Unauthorized { .. }) => LOCKED_OUT.to_owned(),
        Some(SendError::Closed { tell, .. }) => format!("I cannot look up whether you are a full member: {tell}"),
        Some(SendError::Gone { .. } | SendError::Refused { .. }) => {
            "I cannot look up whether you are a full member, and waiting does not change that: whoever runs rotation-diag finds \
             the reason in its log"
                .to_owned()
        }
    };
    compose::notice(Tone::Warning, &text)
}
