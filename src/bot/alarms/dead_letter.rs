//! An alarm whose trigger never came to its end: its thread says so, or the channel where it has none.

use super::context::AlarmContext;
use super::messages;
use super::threads::AlarmThreads;
use crate::alarm::AlarmGroup;
use crate::bot::verdict::failed;
use crate::chat::compose;
use crate::chat::document::Tone;
use crate::model::{Alarm, AlarmState, ThreadId};
use crate::safe_format;
use crate::store::{Claimed, Completion, DesiredMessage, InvestigationStage, NewThread, ROOT, StoreError, StoredGroup};

impl AlarmThreads {
    /// What is told, and the investigations that end without a verdict.
    pub(in crate::bot) async fn give_up(
        &self,
        claimed: &Claimed,
        alarm: &Alarm,
        why: &'static str,
    ) -> Result<Completion, StoreError> {
        let Ok(case) = AlarmContext::of(&self.config, claimed, alarm) else { return Ok(Completion::default()) };
        let place = case.place();
        let secrets = alarm.secrets.iter().map(|secret| alarm.secret_key(secret));
        let keys: Vec<String> = std::iter::once(alarm.identity()).chain(secrets).collect();
        let known: Option<StoredGroup<AlarmGroup>> = self.store.group_of(place, &keys).await?;
        let thread = match known {
            Some(stored_group) => stored_group.thread,
            None => claimed.thread()?,
        };
        self.store.open_thread(&NewThread { id: thread.clone(), place: place.clone() }, &[]).await?;
        let mut completion = Completion::default();
        for row in self.store.investigations_of(&thread).await?.iter().filter(|one| one.stage == InvestigationStage::Running) {
            let one = failed(row, why);
            completion.concluded.extend(one.concluded);
            completion.messages.extend(one.messages);
        }
        let has_root = completion.messages.iter().any(|message| message.message_key == ROOT);
        let message_key = if has_root || self.store.stated(&thread, ROOT).await?.is_some() {
            format!("given-up-{}", claimed.lease.number())
        } else {
            ROOT.to_owned()
        };
        let mut message = messages::dead_letter(alarm, why);
        if alarm.state == AlarmState::Alarm && case.is_critical() {
            message.mention = case.scope.route.mention.as_ref().map(messages::mention);
        }
        completion.messages.push(DesiredMessage::reply(&thread, message_key, message, "given up"));
        Ok(completion)
    }

    /// Another look that never came to its end: its thread says so.
    pub(in crate::bot) async fn give_up_recheck(
        &self,
        claimed: &Claimed,
        thread: &ThreadId,
        why: &'static str,
    ) -> Result<Completion, StoreError> {
        let message = compose::notice(Tone::Warning, safe_format!("This could not be checked again: {}", why));
        let name = format!("given-up-{}", claimed.lease.number());
        let is_there = self.store.thread(thread).await?.is_some();
        let told = is_there.then(|| DesiredMessage::reply(thread, name, message, "given up"));
        Ok(Completion { messages: told.into_iter().collect(), ..Completion::default() })
    }
}
