//! Who may do what, and where it can be looked into: the rules and the accounts together.

mod accounts;
mod authorizer;

pub use accounts::{AccountInfo, Accounts, AwsAccounts, Connected};
pub use authorizer::{AccessRefusal, AccessRequest, Authorizer};

pub(super) use accounts::Whereabouts;

use crate::aws::{ConnectError, SessionOwner};
use crate::config::Config;
use crate::model::{ActionKind, Actor, InvestigationRequest, Place, Region, SecretRef};
use crate::store::{InvestigationRow, Location};
use accounts::locations;
use std::sync::Arc;

/// What people may do, and the accounts they may do it with.
pub struct Access {
    authorizer: Authorizer,
    accounts: Arc<dyn Accounts>,
}

impl Access {
    /// The rules of `config` over `accounts`.
    #[must_use]
    pub fn new(config: &Config, accounts: Arc<dyn Accounts>) -> Access {
        Access { authorizer: Authorizer::of(config), accounts }
    }

    /// The accounts that can be looked into, the default one first.
    pub(super) fn known(&self) -> &[AccountInfo] {
        self.accounts.known()
    }

    /// Clients for a place.
    pub(super) async fn connect(&self, location: &Location) -> Result<Connected, ConnectError> {
        self.accounts.connect(location).await
    }

    /// Clients for looking into `secret` of a place.
    pub(super) async fn connect_for(&self, location: &Location, secret: &SecretRef) -> Result<Connected, ConnectError> {
        self.accounts.connect_for(location, secret).await
    }

    /// The same on behalf of `owner`.
    pub(super) async fn connect_on_behalf(
        &self,
        location: &Location,
        secret: &SecretRef,
        owner: &SessionOwner,
    ) -> Result<Connected, ConnectError> {
        self.accounts.connect_on_behalf(location, secret, owner).await
    }

    /// The names of the secrets of a place.
    pub(super) async fn names(&self, location: &Location) -> Vec<String> {
        self.accounts.names(location).await
    }

    /// Looks for a secret in all `places` at once.
    pub(super) async fn locate(&self, places: &[Location], secret: &SecretRef) -> Whereabouts {
        accounts::locate(self.accounts.as_ref(), places, secret).await
    }

    /// Whether a secret may be told of in the channel of `place` though no person asked.
    pub(super) fn may_tell(&self, place: &Place, secret: &SecretRef, location: &Location) -> bool {
        self.authorizer.allow_unasked(place, &request(ActionKind::Investigate, secret, location))
    }

    /// Whether the channel of `place` may learn that there is such a secret.
    pub(super) fn may_name(&self, place: &Place, secret: &SecretRef, location: &Location) -> bool {
        self.authorizer.allow_naming(place, &request(ActionKind::Investigate, secret, location))
    }

    /// Whether `actor` may see what an investigation found.
    pub(super) fn may_see(&self, actor: &Actor, row: &InvestigationRow) -> bool {
        let secret = &row.question.secret;
        match &row.location {
            Some(location) => self.may(actor, &row.place, ActionKind::Evidence, secret, location).is_ok(),
            None => self.allowed_places(actor, &row.place, &row.question).is_ok(),
        }
    }

    /// The places a question may mean that its asker may look into, the preferred one first.
    pub(super) fn allowed_places(
        &self,
        actor: &Actor,
        place: &Place,
        question: &InvestigationRequest,
    ) -> Result<Vec<Location>, AccessRefusal> {
        let mut refusal = if self.authorizer.allow_nothing() { AccessRefusal::NoRules } else { AccessRefusal::NotAllowed };
        let mut allowed = Vec::new();
        for location in locations(self.accounts.known(), question) {
            match self.may(actor, place, ActionKind::Investigate, &question.secret, &location) {
                Ok(()) => allowed.push(location),
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
        let may = |account: &AccountInfo, region: &Region| {
            let location = Location { account: account.name.clone(), region: region.clone() };
            self.may(actor, place, ActionKind::Investigate, &secret, &location).is_ok()
        };
        let is_theirs =
            |account: &AccountInfo| !account.regions.is_empty() && account.regions.iter().all(|region| may(account, region));
        if !known.iter().all(is_theirs) {
            return None;
        }
        let names: Vec<&str> = known.iter().filter_map(|account| account.name.as_deref()).collect();
        let named = known.iter().find(|account| account.name.is_some() && account.name == question.account);
        Some(match (&question.account, named) {
            (Some(_), None) if names.is_empty() => "no account is configured by name: omit account".to_owned(),
            (Some(_), None) => format!("no account has that name: choose one of {}", names.join(", ")),
            (_, Some(account)) => {
                let regions: Vec<&str> = account.regions.iter().map(Region::as_str).collect();
                format!("account {} has no such region: choose one of {}", names_of(account), regions.join(", "))
            }
            (None, None) => {
                let mut regions: Vec<&str> =
                    known.iter().flat_map(|account| account.regions.iter().map(Region::as_str)).collect();
                regions.sort_unstable();
                regions.dedup();
                let accounts = if names.is_empty() { String::new() } else { format!("; the accounts are {}", names.join(", ")) };
                format!("no configured account has that region: choose one of {}{accounts}", regions.join(", "))
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
        location: &Location,
    ) -> Result<(), AccessRefusal> {
        self.authorizer.decide(actor, place, &request(action, secret, location))
    }
}

fn request<'a>(action: ActionKind, secret: &'a SecretRef, location: &'a Location) -> AccessRequest<'a> {
    AccessRequest { action, secret, account: location.account.as_deref(), region: &location.region }
}

fn names_of(account: &AccountInfo) -> &str {
    account.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
