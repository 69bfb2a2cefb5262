//! What reception, workers and the watch share.

use super::accounts::{Accounts, candidates};
use super::flood::Flood;
use super::rights::{Refusal, Rights, Wish};
use super::suggest::Names;
use crate::chat::ChatPlatform;
use crate::config::{Config, Work};
use crate::model::{ActionKind, Actor, Place, PlatformName, Question, SecretRef};
use crate::playbook;
use crate::store::{Choice, Store};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The bot, whatever the platforms: what it knows, may do, and how long it takes.
pub struct Bot {
    pub(super) store: Arc<Store>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) rights: Rights,
    pub(super) work: Work,
    pub(super) step_deadline: Duration,
    pub(super) total_deadline: Duration,
    pub(super) flood: Flood,
    pub(super) names: Arc<Names>,
    pub(super) config: Config,
    /// The platforms, to ask them about people.
    pub(super) platforms: OnceLock<Vec<Arc<dyn ChatPlatform>>>,
    /// Alarms are decided about one after the other.
    pub(super) alarm_turn: tokio::sync::Mutex<()>,
}

impl Bot {
    /// A bot that keeps what it accepts in `store` and looks into `accounts`.
    #[must_use]
    pub fn new(config: &Config, store: Arc<Store>, accounts: Arc<dyn Accounts>) -> Arc<Bot> {
        Arc::new(Bot {
            store,
            accounts,
            rights: Rights::of(config),
            work: config.work,
            step_deadline: config.step_deadline.unwrap_or(playbook::STEP_DEADLINE),
            total_deadline: config.total_deadline.unwrap_or(playbook::TOTAL_DEADLINE),
            flood: Flood::default(),
            names: Arc::default(),
            config: config.clone(),
            platforms: OnceLock::new(),
            alarm_turn: tokio::sync::Mutex::default(),
        })
    }

    /// Gets to know the platforms people are on; once, before anything is worked on.
    pub fn meet(&self, platforms: &[Arc<dyn ChatPlatform>]) {
        // A second time would be another bot's.
        let _ = self.platforms.set(platforms.to_vec());
    }

    /// What it keeps.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Waits until nothing is left to deliver, but not longer than `patience`.
    pub async fn last_messages(&self, patience: Duration) {
        let nothing_left = async {
            let mut changes = self.store.message_changes();
            loop {
                changes.mark_unchanged();
                let mut pending = 0;
                for platform in PlatformName::ALL {
                    pending += self.store.pending_messages(platform).await.unwrap_or_default();
                }
                if pending == 0 || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is left goes out after the next start.
        let _ = tokio::time::timeout(patience, nothing_left).await;
    }

    /// The places a question may mean that its asker may look into, the preferred one first.
    pub(super) fn allowed_places(&self, actor: &Actor, place: &Place, question: &Question) -> Result<Vec<Choice>, Refusal> {
        let mut refusal = if self.rights.allow_nothing() { Refusal::NoRules } else { Refusal::NotAllowed };
        let mut allowed = Vec::new();
        for choice in candidates(self.accounts.known(), question) {
            match self.may(actor, place, ActionKind::Investigate, &question.secret, &choice) {
                Ok(()) => allowed.push(choice),
                // What is not known of the person may allow another place.
                Err(_) if refusal.is_for_lack_of_knowledge() => {}
                Err(why) => refusal = why,
            }
        }
        if allowed.is_empty() { Err(refusal) } else { Ok(allowed) }
    }

    /// Decides whether `actor` may do this with a secret of a place.
    pub(super) fn may(
        &self,
        actor: &Actor,
        place: &Place,
        action: ActionKind,
        secret: &SecretRef,
        choice: &Choice,
    ) -> Result<(), Refusal> {
        self.rights.decide(actor, place, &Wish { action, secret, account: choice.account.as_deref(), region: &choice.region })
    }
}
