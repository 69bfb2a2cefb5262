//! Clicks, and words that go on with an investigation.

use super::{Intake, Unstored, answer, lane, notice, origin};
use crate::bot::threads;
use crate::bot::verdict::{answer_key, is_done};
use crate::chat::document::Tone;
use crate::chat::{Ack, IncomingEvent, Manner, Message, compose};
use crate::model::{Action, ActionNeeds, ActionRequest, ActionToken, InvestigationId, ReplyTo, Standing, Trigger};
use crate::redact::SafeText;
use crate::store::{Accepted, AuditDecision, Audited, InvestigationRow, InvestigationStage, Location, NewTrigger, StoreError};

const NO_THREAD: &str = "use this in the thread of an investigation, or ask about a secret first";
const SEVERAL: &str = "there are several investigations in this thread: use the buttons of the one you mean";
pub(super) const RUNNING: &str = "this investigation is still running: wait for the verdict";
const NO_VERDICT: &str = "there is no verdict yet: rerun the investigation first";

impl Intake {
    pub(super) async fn follow_up(&self, inbound: &IncomingEvent, action: Action) -> Result<Ack, Unstored> {
        if inbound.actor.standing == Standing::Pending {
            return self.judge_later(inbound).await;
        }
        let mut investigations = Vec::new();
        for thread in threads::threads_meant(&self.store, &inbound.place).await? {
            investigations.extend(self.store.investigations_of(&thread.id).await?);
        }
        match investigations.as_slice() {
            [] => Ok(notice(NO_THREAD)),
            [one] => {
                let token = ActionToken { investigation: one.id.clone(), revision: one.revision, action };
                self.act(inbound, token).await
            }
            _ => Ok(notice(SEVERAL)),
        }
    }

    pub(super) async fn act(&self, inbound: &IncomingEvent, token: ActionToken) -> Result<Ack, Unstored> {
        if inbound.actor.standing == Standing::Pending {
            return self.judge_later(inbound).await;
        }
        let did = token.action.name();
        let known = self.store.investigation(&token.investigation).await?;
        // Whoever tries the id of another channel learns as little as whoever makes one up.
        let Some(row) = known.filter(|row| threads::is_of(row, &inbound.place)) else {
            self.note(inbound, did, &token.investigation, AuditDecision::Rejected, "no such investigation in this channel")
                .await?;
            return Ok(answer(compose::expired(self.platforms.manner(&inbound.place))));
        };
        let subject = row.question.secret.to_string();
        let allowed = match chosen(&row, token.action) {
            Some(location) => {
                self.access.may(&inbound.actor, &inbound.place, token.action.kind(), &row.question.secret, &location)
            }
            None => self.access.allowed_places(&inbound.actor, &inbound.place, &row.question).map(drop),
        };
        if let Err(refusal) = allowed {
            self.note(inbound, did, &subject, AuditDecision::Refused, &refusal.to_string()).await?;
            return Ok(answer(compose::refused(refusal.words())));
        }
        if let Some(why_not) = not_now(&row, &token, self.platforms.manner(&inbound.place)) {
            self.note(inbound, did, &subject, AuditDecision::Rejected, "expired, or not yet").await?;
            return Ok(answer(why_not));
        }
        self.accept_act(inbound, token, &subject).await
    }

    async fn accept_act(&self, inbound: &IncomingEvent, token: ActionToken, subject: &str) -> Result<Ack, Unstored> {
        let key = match token.action {
            // One question, one answer, whoever gives it.
            Action::Choose(_) => format!("act/{}/{}/choose", token.investigation, token.revision),
            action if action.is_repeatable() => format!("act/{token}/{}", origin(inbound)),
            _ => format!("act/{token}"),
        };
        let (did, action, investigation) = (token.action.name(), token.action, token.investigation.clone());
        let act = ActionRequest {
            actor: inbound.actor.clone(),
            place: inbound.place.clone(),
            reply_to: inbound.reply_to.clone(),
            token: token.clone(),
        };
        let audit = Audited::person(&inbound.actor, &inbound.place, did, subject, AuditDecision::Allowed, "");
        let entry = NewTrigger {
            key,
            origin: origin(inbound),
            lane: lane(&inbound.place),
            subject: token.investigation.to_string(),
            same: None,
            trigger: Trigger::Action(act),
            what: SafeText::redact(&format!("{did} of the investigation of {subject}")),
        };
        Ok(match self.store.accept(&entry, Some(&audit)).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered => Ack::Duplicate,
            // What was done, and never came to be seen whole, is brought again.
            Accepted::AlreadyDone if self.brings_again(&investigation, &inbound.reply_to, action).await? => Ack::Accepted,
            Accepted::AlreadyDone | Accepted::Joined(_) => answer(compose::already()),
        })
    }

    /// Whether the answer to an action was given up on its way, and now sets out again.
    async fn brings_again(&self, id: &InvestigationId, to: &Option<ReplyTo>, action: Action) -> Result<bool, StoreError> {
        let Some(row) = self.store.investigation(id).await? else { return Ok(false) };
        match answer_key(&row, action) {
            Some(message_key) => self.store.revive(&row.thread, &message_key, to.as_ref()).await,
            None => Ok(false),
        }
    }
}

/// The place an action is about, where that is decided.
fn chosen(row: &InvestigationRow, action: Action) -> Option<Location> {
    match action {
        Action::Choose(at) => row.locations.get(usize::from(at)).cloned(),
        _ => row.location.clone(),
    }
}

/// Why an action has no effect at this moment.
fn not_now(row: &InvestigationRow, token: &ActionToken, manner: Manner) -> Option<Message> {
    if token.revision != row.revision {
        return Some(compose::expired(manner));
    }
    let notice = |text| Some(compose::notice(Tone::Neutral, text));
    match (row.stage, token.action.needs()) {
        (InvestigationStage::Asking, ActionNeeds::Choice) if chosen(row, token.action).is_some() => None,
        (InvestigationStage::Asking, ActionNeeds::Nothing) => None,
        (InvestigationStage::Asking, _) => notice(NO_VERDICT),
        (_, ActionNeeds::Choice) => Some(compose::already()),
        (InvestigationStage::Running, _) => notice(RUNNING),
        (InvestigationStage::Done, _) if is_done(row, token.action) => Some(compose::already()),
        (InvestigationStage::Failed, ActionNeeds::Nothing | ActionNeeds::End) | (InvestigationStage::Done, _) => None,
        (InvestigationStage::Failed, _) => notice(NO_VERDICT),
    }
}
