//! What reception, workers and the watch share.

use super::accounts::{AccountInfo, Accounts, locations};
use super::authorizer::{AccessRequest, Authorizer, Refusal};
use super::health::Pulse;
use super::rate_limit::UserRateLimiter;
use super::suggest::Names;
use crate::alarm::OnceAMinute;
use crate::chat::{ChatPlatform, PlatformSet};
use crate::config::{Config, Work};
use crate::model::{ActionKind, Actor, InvestigationRequest, Place, SecretRef};
use crate::playbook;
use crate::store::{Location, Store};
use std::sync::Arc;
use std::time::Duration;

/// How long no trigger may be claimed beyond what the longest work takes.
const STALLED: Duration = Duration::from_secs(60);

/// The bot, whatever the platforms: what it knows, may do, and how long it takes.
pub struct Bot {
    pub(super) store: Arc<Store>,
    pub(super) accounts: Arc<dyn Accounts>,
    pub(super) rights: Authorizer,
    pub(super) work: Work,
    pub(super) step_deadline: Duration,
    pub(super) total_deadline: Duration,
    pub(super) rate_limit: UserRateLimiter,
    pub(super) names: Arc<Names>,
    pub(super) config: Config,
    /// The platforms, to ask them about people.
    pub(super) platforms: PlatformSet,
    /// Alarms are decided about one after the other.
    pub(super) alarm_turn: tokio::sync::Mutex<()>,
    /// What the store does not take, for the log.
    pub(super) unkept: Arc<OnceAMinute>,
    /// Whether triggers are claimed.
    pub(super) pulse: Pulse,
}

impl Bot {
    /// A bot that keeps what it accepts in `store` and looks into `accounts`.
    #[must_use]
    pub fn new(config: &Config, store: Arc<Store>, accounts: Arc<dyn Accounts>) -> Arc<Bot> {
        Arc::new(Bot {
            store,
            accounts,
            rights: Authorizer::of(config),
            work: config.work,
            step_deadline: config.step_deadline.unwrap_or(playbook::STEP_DEADLINE),
            total_deadline: config.total_deadline.unwrap_or(playbook::TOTAL_DEADLINE),
            rate_limit: UserRateLimiter::default(),
            names: Arc::default(),
            config: config.clone(),
            platforms: PlatformSet::default(),
            alarm_turn: tokio::sync::Mutex::default(),
            unkept: Arc::default(),
            pulse: Pulse::default(),
        })
    }

    /// Why nothing that is accepted now would be worked on; `None` while it would.
    #[must_use]
    pub fn stalled(&self) -> Option<&'static str> {
        // One trigger may be the work of several investigations, one after the other.
        self.pulse.stalled(self.total_deadline.saturating_mul(3) + STALLED)
    }

    /// Gets to know the platforms people are on; once, before anything is worked on.
    pub fn meet(&self, platforms: &[Arc<dyn ChatPlatform>]) {
        self.platforms.set(platforms);
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
                let pending = self.store.pending_messages().await.unwrap_or_default();
                if pending == 0 || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is left goes out after the next start.
        let _ = tokio::time::timeout(patience, nothing_left).await;
    }

    /// The places a question may mean that its asker may look into, the preferred one first.
    pub(super) fn allowed_places(
        &self,
        actor: &Actor,
        place: &Place,
        question: &InvestigationRequest,
    ) -> Result<Vec<Location>, Refusal> {
        let mut refusal = if self.rights.allow_nothing() { Refusal::NoRules } else { Refusal::NotAllowed };
        let mut allowed = Vec::new();
        for choice in locations(self.accounts.known(), question) {
            match self.may(actor, place, ActionKind::Investigate, &question.secret, &choice) {
                Ok(()) => allowed.push(choice),
                // What is not known of the person may allow another place.
                Err(_) if refusal.is_for_lack_of_knowledge() => {}
                Err(why) => refusal = why,
            }
        }
        if allowed.is_empty() { Err(refusal) } else { Ok(allowed) }
    }

    /// What is wrong with the account or the region a question names, for those who may ask about its secret everywhere.
    /// All others learn no names.
    pub(super) fn misplaced(&self, actor: &Actor, place: &Place, question: &InvestigationRequest) -> Option<String> {
        let known = self.accounts.known();
        if !locations(known, question).is_empty() {
            return None;
        }
        let secret = SecretRef::Name(question.secret.name().to_owned());
        let may = |account: &AccountInfo, region: &String| {
            let choice = Location { account: account.name.clone(), region: region.clone() };
            self.may(actor, place, ActionKind::Investigate, &secret, &choice).is_ok()
        };
        let is_theirs =
            |account: &AccountInfo| !account.regions.is_empty() && account.regions.iter().all(|region| may(account, region));
        if !known.iter().all(is_theirs) {
            return None;
        }
        let names: Vec<&str> = known.iter().filter_map(|account| account.name.as_deref()).collect();
        let named = known.iter().find(|account| account.name.is_some() && account.name == question.account);
        Some(match (&question.account, named) {
            (Some(_), None) if names.is_empty() => "no account is configured by name: leave account out".to_owned(),
            (Some(_), None) => format!("there is no such account in the configuration: there {}", listed(&names)),
            (_, Some(account)) => {
                let regions: Vec<&str> = account.regions.iter().map(String::as_str).collect();
                format!("that is not in the account {}, whose regions here {}", names_of(account), listed(&regions))
            }
            (None, None) => {
                let mut regions: Vec<&str> =
                    known.iter().flat_map(|account| account.regions.iter().map(String::as_str)).collect();
                regions.sort_unstable();
                regions.dedup();
                let accounts = if names.is_empty() { String::new() } else { format!("; of accounts there {}", listed(&names)) };
                format!(
                    "none of the accounts of the configuration is meant by that: of regions there {}{accounts}",
                    listed(&regions)
                )
            }
        })
    }

    /// Decides whether `actor` may do this with a secret of a place.
    pub(super) fn may(
        &self,
        actor: &Actor,
        place: &Place,
        action: ActionKind,
        secret: &SecretRef,
        choice: &Location,
    ) -> Result<(), Refusal> {
        self.rights.decide(
            actor,
            place,
            &AccessRequest { action, secret, account: choice.account.as_deref(), region: &choice.region },
        )
    }
}

fn names_of(account: &AccountInfo) -> &str {
    account.name.as_deref().unwrap_or_default()
}

/// `is one`, or `are one, two`.
fn listed(names: &[&str]) -> String {
    format!("{} {}", if names.len() == 1 { "is" } else { "are" }, names.join(", "))
}
