//! Words: what they ask for, and whether that person may.

use super::{Intake, Unstored, answer, lane, notice, origin};
use crate::bot::threads;
use crate::chat::command::{self, Asked};
use crate::chat::{Ack, IncomingEvent, compose};
use crate::model::{Command, InvestigationRequest, Standing, Trigger};
use crate::redact::SafeText;
use crate::store::{Accepted, AuditDecision, Audited, NewTrigger};

const JOINED: &str = "an investigation of this secret is already running: its thread shows the progress";

impl Intake {
    /// Reads words. Of what looks like a secret's value nothing is kept, told or logged, whatever else was said with it.
    pub(super) async fn read(&self, inbound: &IncomingEvent, words: &str) -> Result<Ack, Unstored> {
        if words.trim().is_empty() {
            return self.menu(inbound).await;
        }
        let manner = self.platforms.manner(&inbound.place);
        let is_known = |word: &str| self.autocomplete.is_known_name(&inbound.actor, &inbound.place, word);
        if command::holds_a_value(words, is_known) {
            self.note(inbound, "said", "", AuditDecision::Rejected, "it looked like a secret's value").await?;
            return Ok(answer(compose::pasted_value()));
        }
        // In a thread people talk.
        let is_talk = !threads::threads_meant(&self.store, &inbound.place).await?.is_empty() && !command::names_a_secret(words);
        match command::parse(words) {
            Ok(Asked::Help) => Ok(answer(compose::help(manner))),
            Ok(Asked::FollowUp(action)) => self.follow_up(inbound, action).await,
            // Which names are known to a person, depends on who that is.
            Ok(Asked::Word(_)) if is_talk && inbound.actor.standing == Standing::Pending => self.judge_later(inbound).await,
            Ok(Asked::Word(question)) if is_talk && !is_known(question.secret.as_str()) => {
                self.no_command(inbound, words, "neither a command nor a known secret").await
            }
            Ok(Asked::Word(question) | Asked::InvestigationRequest(question)) => self.ask(inbound, question).await,
            Err(usage) if is_talk => self.no_command(inbound, words, usage.why().as_str()).await,
            Err(usage) => {
                self.note(inbound, "said", "", AuditDecision::Rejected, usage.why().as_str()).await?;
                Ok(answer(compose::usage(&usage, manner)))
            }
        }
    }

    /// What is neither a command nor clearly a secret starts nothing.
    async fn no_command(&self, inbound: &IncomingEvent, words: &str, why: &str) -> Result<Ack, Unstored> {
        self.note(inbound, "said", "", AuditDecision::Rejected, why).await?;
        Ok(answer(compose::no_command(
            command::nearest(words).map(|command| SafeText::redact(&command)).as_ref(),
            self.platforms.manner(&inbound.place),
        )))
    }

    async fn ask(&self, inbound: &IncomingEvent, question: InvestigationRequest) -> Result<Ack, Unstored> {
        let IncomingEvent { actor, .. } = inbound;
        let subject = question.secret.to_string();
        let place = threads::answered_at(&self.store, &self.platforms, &inbound.place).await?;
        if let Some(why) = self.access.misplaced(actor, &place, &question) {
            self.note(inbound, "investigate", &subject, AuditDecision::Rejected, "no such account or region").await?;
            return Ok(answer(compose::refused(SafeText::redact(&why))));
        }
        if let Err(refusal) = self.access.allowed_places(actor, &place, &question) {
            if actor.standing == Standing::Pending && refusal.is_for_lack_of_knowledge() {
                return self.judge_later(inbound).await;
            }
            self.note(inbound, "investigate", &subject, AuditDecision::Refused, &refusal.to_string()).await?;
            return Ok(answer(compose::refused(refusal.words())));
        }
        let lane = lane(&place);
        let held_in = place.thread.as_deref().unwrap_or_default();
        let same = format!("{lane}/{held_in}/{}/{}", actor.user, serde_json::json!(question));
        let in_thread = inbound.place.thread.is_some();
        let command = Command { actor: actor.clone(), place, reply_to: inbound.reply_to.clone(), question, in_thread };
        let audit = Audited::person(actor, &inbound.place, "investigate", &subject, AuditDecision::Allowed, "");
        let origin = origin(inbound);
        let entry = NewTrigger {
            key: origin.clone(),
            origin,
            lane,
            subject: crate::investigation::new_id(),
            same: Some(same),
            trigger: Trigger::Command(command),
            what: SafeText::redact(&format!("a question about {subject}")),
        };
        Ok(match self.store.accept(&entry, Some(&audit)).await? {
            Accepted::New => Ack::Accepted,
            Accepted::Redelivered | Accepted::AlreadyDone => Ack::Duplicate,
            Accepted::Joined(_) => notice(JOINED),
        })
    }
}
