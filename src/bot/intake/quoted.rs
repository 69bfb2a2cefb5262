//! A message that a person points at, to have the secret in it looked into.

use super::{Intake, Unstored, answer};
use crate::alarm::secrets_in;
use crate::chat::{Ack, IncomingEvent, compose};
use crate::model::{InvestigationRequest, Payload, SecretRef, Standing};
use crate::redact::SafeText;
use crate::store::AuditDecision;

/// Secrets of one message among which a person is asked to choose.
const MAX_OFFERED: usize = 10;

impl Intake {
    /// The secrets that a message names; where it names none, those that it calls by the last part of their names.
    pub(super) fn secrets_meant(&self, actor: &Actor, place: &Place, message: &str) -> Vec<SecretRef> {
        match secrets_in(message, |word| self.autocomplete.is_known_name(actor, place, word)) {
            none if none.is_empty() => self.autocomplete.shortened_names(actor, place, message),
            named => named,
        }
    }

    /// Looks into the secret that a message names; where it names several, asks which.
    pub(super) async fn read_quoted(&self, inbound: &IncomingEvent, message: &str) -> Result<Ack, Unstored> {
        let manner = self.platforms.manner(&inbound.place);
        // Which names are known to a person, depends on who that is. Of the message only what it names is kept until then.
        if inbound.actor.standing == Standing::Pending {
            let named: Vec<String> = secrets_in(message, |_| false).iter().map(|secret| format!("secret={secret}")).collect();
            let inbound = IncomingEvent { said: Payload::Quoted(named.join(" ")), ..inbound.clone() };
            return self.judge_later(&inbound).await;
        }
        let secrets = self.secrets_meant(&inbound.actor, &inbound.place, message);
        match secrets.as_slice() {
            [] => {
                self.note(inbound, "pointed at a message", "", AuditDecision::Rejected, "it names no secret").await?;
                Ok(answer(compose::nothing_named(manner)))
            }
            [secret] => self.ask(inbound, question(secret)).await,
            several => {
                let names: Vec<SafeText> = several.iter().map(|secret| SafeText::redact(secret.as_str())).collect();
                self.note(inbound, "pointed at a message", "", AuditDecision::Rejected, "it names several secrets").await?;
                Ok(answer(compose::several_named(names.get(..MAX_OFFERED).unwrap_or(&names), manner)))
            }
        }
    }
}

fn question(secret: &SecretRef) -> InvestigationRequest {
    InvestigationRequest { secret: secret.clone(), account: None, region: None, reach: None }
}
