//! The answer to whoever calls the bot without a word: what can be done there.

use super::actions::RUNNING;
use super::{Intake, Unstored, answer, notice};
use crate::bot::threads;
use crate::bot::verdict::{controls_of_a_failure, named_places, subject, verdict};
use crate::chat::compose::{self, MenuEntry};
use crate::chat::{Ack, IncomingEvent, Manner, Message};
use crate::model::Standing;
use crate::redact::SafeText;
use crate::store::{InvestigationRow, InvestigationStage, StoreError};

impl Intake {
    /// In the thread of an investigation what can be done with it, for that person alone; elsewhere how to ask.
    pub(super) async fn menu(&self, inbound: &IncomingEvent) -> Result<Ack, Unstored> {
        let manner = self.platforms.manner(&inbound.place);
        let threads = threads::threads_meant(&self.store, &inbound.place).await?;
        if threads.is_empty() {
            return Ok(answer(compose::hint(manner)));
        }
        // What is told of the thread depends on who it is.
        if inbound.actor.standing == Standing::Pending {
            return self.judge_later(inbound).await;
        }
        let mut theirs = Vec::new();
        for thread in threads {
            let all = self.store.investigations_of(&thread.id).await?;
            theirs.extend(all.into_iter().filter(|row| self.access.may_see(&inbound.actor, row)));
        }
        match theirs.as_slice() {
            [] => Ok(answer(compose::hint(manner))),
            [one] if one.stage == InvestigationStage::Running => Ok(notice(RUNNING)),
            [one] => Ok(answer(self.menu_of(one, manner).await?)),
            several => {
                let entry = |row: &InvestigationRow| MenuEntry {
                    secret: SafeText::redact(row.question.secret.as_str()),
                    investigation: row.id.clone(),
                    revision: row.revision,
                };
                Ok(answer(compose::menu_of_several(&several.iter().map(entry).collect::<Vec<_>>(), manner)))
            }
        }
    }

    async fn menu_of(&self, row: &InvestigationRow, manner: Manner) -> Result<Message, StoreError> {
        if row.stage == InvestigationStage::Asking {
            let secret = SafeText::redact(row.question.secret.as_str());
            return Ok(compose::choose(&secret, &named_places(&row.locations), &row.id, row.revision));
        }
        let record = match row.stage {
            InvestigationStage::Done => self.store.record(&row.id).await?,
            _ => None,
        };
        let controls = record.map_or_else(
            || controls_of_a_failure(row),
            |record| verdict(row, &record, self.platforms.screen(&row.place)).message.controls,
        );
        Ok(compose::menu(&subject(row), controls, manner))
    }
}
