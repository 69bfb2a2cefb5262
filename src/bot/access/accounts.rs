//! The accounts and regions that can be looked into, and the clients for them.

use crate::aws::{AssumeRole, Aws, AwsOptions, ConnectError, Registry, SessionOwner, SharedTurns};
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::EngineMetrics;
use crate::model::{AccountId, InvestigationRequest, Observation, Region, SecretRef};
use crate::playbook::find;
use crate::store::Location;
use async_trait::async_trait;
use futures::stream::{self, StreamExt as _};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Clients that are kept at most; each is a place people may ask about.
const MAX_CONNECTIONS: usize = 512;

/// Places that are asked at once whether they have a secret.
const AT_ONCE: usize = 16;

/// An account people may name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountInfo {
    /// Its name in the configuration; `None` for the account of the credentials where none is configured.
    pub name: Option<String>,
    /// Its id, where that is known.
    pub account_id: Option<AccountId>,
    /// The regions that are looked at, the preferred one first.
    pub regions: Vec<Region>,
    /// True when a question may name another region.
    pub any_region: bool,
}

/// Clients for one place, and the clock there: simulated accounts live in their own time.
#[derive(Debug, Clone)]
pub struct Connected {
    pub aws: Aws,
    pub clock: Clock,
}

/// The accounts that can be looked into.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// All of them, the default one first.
    fn known(&self) -> &[AccountInfo];

    /// Clients for a place.
    async fn connect(&self, location: &Location) -> Result<Connected, ConnectError>;

    /// Clients for looking into a secret of a place: simulated places hold an account for each secret.
    async fn connect_for(&self, location: &Location, _: &SecretRef) -> Result<Connected, ConnectError> {
        self.connect(location).await
    }

    /// The same on behalf of somebody, whom the account's own records name then. Only an assumed role can say it.
    async fn connect_on_behalf(
        &self,
        location: &Location,
        secret: &SecretRef,
        _: &SessionOwner,
    ) -> Result<Connected, ConnectError> {
        self.connect_for(location, secret).await
    }

    /// What AWS allows only so often is shared with other processes from now on.
    fn share_limits(&self, _: Arc<dyn SharedTurns>) {}

    /// The names of the secrets of a place.
    async fn names(&self, location: &Location) -> Vec<String>;

    /// Whether the secret is in a place; `None` where that cannot be told.
    async fn has(&self, location: &Location, secret: &SecretRef) -> Option<bool> {
        let connected = self.connect_for(location, secret).await.ok()?;
        match find::is_here(&connected.aws, &connected.clock, secret).await {
            Observation::Found(here) => Some(here),
            _ => None,
        }
    }

    /// Whether the secret is in each of the `places`; `None` where that cannot be told.
    async fn look_for(&self, places: &[Location], secret: &SecretRef) -> Vec<Option<bool>> {
        let asked: Vec<_> = places.iter().map(|location| self.has(location, secret)).collect();
        stream::iter(asked).buffered(AT_ONCE).collect().await
    }
}

/// The places a question may mean, by its own words and what is configured; the preferred one first.
pub(super) fn locations(known: &[AccountInfo], question: &InvestigationRequest) -> Vec<Location> {
    let (arn_account, arn_region) = (question.secret.account_id(), question.secret.region());
    let region = question.region.as_ref();
    if region.zip(arn_region.as_ref()).is_some_and(|(asked, of_arn)| asked != of_arn) {
        return Vec::new();
    }
    let mut locations = Vec::new();
    for account in known {
        let named = question.account.is_none() || question.account == account.name;
        let fits = arn_account.as_ref().is_none_or(|id| account.account_id.as_ref().is_none_or(|own| own == id));
        if !named || !fits {
            continue;
        }
        let regions: Vec<Region> = match region.or(arn_region.as_ref()) {
            Some(region) if account.any_region || account.regions.contains(region) => vec![region.clone()],
            Some(_) => Vec::new(),
            None => account.regions.clone(),
        };
        locations.extend(regions.into_iter().map(|region| Location { account: account.name.clone(), region }));
    }
    locations
}

/// The accounts of the configuration, in AWS.
#[derive(Debug)]
pub struct AwsAccounts {
    config: Config,
    known: Vec<AccountInfo>,
    registry: Registry,
    /// By place and, where a role is assumed, by its owner.
    connected: Mutex<HashMap<(Location, Option<SessionOwner>), Connected>>,
}

impl AwsAccounts {
    /// The accounts of `config`. Where it names no region, the standard AWS configuration is asked for one.
    ///
    /// # Errors
    /// [`ConnectError`] when there is no region at all.
    pub async fn of(config: &Config) -> Result<AwsAccounts, ConnectError> {
        AwsAccounts::counting(config, EngineMetrics::default()).await
    }

    /// The same, whose calls, steps and waits are counted in `metrics`.
    ///
    /// # Errors
    /// As [`AwsAccounts::of`].
    pub async fn counting(config: &Config, metrics: EngineMetrics) -> Result<AwsAccounts, ConnectError> {
        let registry = Registry::counting(metrics);
        let without = config.accounts.values().any(|account| account.regions.is_empty()) || config.accounts.is_empty();
        let usual = match &config.default_region {
            Some(region) => Some(region.clone()),
            None if without => Some(Aws::connect(&AwsOptions::default(), &registry).await?.region().clone()),
            None => None,
        };
        Ok(AwsAccounts { known: known(config, usual.as_ref()), config: config.clone(), registry, connected: Mutex::default() })
    }

    async fn clients(&self, location: &Location, owner: Option<&SessionOwner>) -> Result<Connected, ConnectError> {
        let options = self.options(location, owner);
        let owner = options.assume_role.as_ref().and_then(|role| role.owner.clone());
        let key = (location.clone(), owner);
        let kept = self.connected.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(connected) = kept {
            return Ok(connected);
        }
        let aws = Aws::connect(&options, &self.registry).await?;
        let connected = Connected { aws, clock: Clock::system() };
        keep(&mut self.connected.lock().unwrap_or_else(PoisonError::into_inner), key, connected.clone());
        Ok(connected)
    }

    fn options(&self, location: &Location, owner: Option<&SessionOwner>) -> AwsOptions {
        let account = location.account.as_ref().and_then(|name| self.config.accounts.get(name));
        let assume_role = account.and_then(|account| {
            Some(AssumeRole {
                role_arn: account.role.as_ref()?.arn().as_str().to_owned(),
                external_id: account.external_id.clone(),
                owner: owner.cloned(),
                names_the_owner: account.source_identity,
            })
        });
        AwsOptions { region: Some(location.region.clone()), assume_role, ..AwsOptions::default() }
    }
}

/// Keeps what was opened, up to the bound.
fn keep<T>(kept: &mut HashMap<(Location, Option<SessionOwner>), T>, key: (Location, Option<SessionOwner>), opened: T) {
    if kept.len() >= MAX_CONNECTIONS {
        // A person's session is opened anew when needed; there may be more people than places.
        kept.retain(|(_, owner), _| owner.is_none());
    }
    if kept.len() < MAX_CONNECTIONS {
        kept.insert(key, opened);
    }
}

fn known(config: &Config, usual: Option<&Region>) -> Vec<AccountInfo> {
    let usual: Vec<Region> = usual.cloned().into_iter().collect();
    if config.accounts.is_empty() {
        return vec![AccountInfo { name: None, account_id: None, regions: usual, any_region: true }];
    }
    let mut known: Vec<AccountInfo> = (config.accounts.iter())
        .map(|(name, account)| AccountInfo {
            name: Some(name.clone()),
            account_id: account.account_id.clone().or_else(|| account.role.as_ref()?.arn().account_id().parse().ok()),
            regions: if account.regions.is_empty() { usual.clone() } else { account.regions.clone() },
            any_region: account.regions.is_empty(),
        })
        .collect();
    known.sort_by_key(|account| account.name != config.default_account);
    known
}

#[async_trait]
impl Accounts for AwsAccounts {
    fn share_limits(&self, turns: Arc<dyn SharedTurns>) {
        self.registry.share_limits(turns);
    }

    fn known(&self) -> &[AccountInfo] {
        &self.known
    }

    async fn connect(&self, location: &Location) -> Result<Connected, ConnectError> {
        self.clients(location, None).await
    }

    async fn connect_on_behalf(
        &self,
        location: &Location,
        _: &SecretRef,
        owner: &SessionOwner,
    ) -> Result<Connected, ConnectError> {
        self.clients(location, Some(owner)).await
    }

    async fn names(&self, location: &Location) -> Vec<String> {
        let Ok(Connected { aws, clock }) = self.clients(location, None).await else { return Vec::new() };
        find::names(&aws, &clock).await.found().cloned().unwrap_or_default()
    }
}

/// Where a secret is, as far as that could be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bot) enum Whereabouts {
    /// It was looked for everywhere, and is in none of the places.
    Nowhere,
    /// Where to look into it: the places it is in, or else the first of which that is unknown.
    In(Vec<Location>),
}

/// Looks for a secret in all places at once.
pub(super) async fn locate(accounts: &dyn Accounts, places: &[Location], secret: &SecretRef) -> Whereabouts {
    let answers = accounts.look_for(places, secret).await;
    let with = |wanted: Option<bool>| {
        places.iter().zip(&answers).filter(move |(_, answer)| **answer == wanted).map(|(location, _)| location)
    };
    let found: Vec<Location> = with(Some(true)).cloned().collect();
    if !found.is_empty() {
        return Whereabouts::In(found);
    }
    match with(None).next() {
        Some(unknown) => Whereabouts::In(vec![unknown.clone()]),
        None => Whereabouts::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_role_is_assumed_for_whoever_asks_and_told_so_where_that_is_configured() {
        let account = |more: &str| {
            format!(
                "role_arn = \"arn:aws:iam::123456789012:role/reader\"\nregions = [\"eu-west-1\"]\nexternal_id = \"an-id\"\n{more}"
            )
        };
        let text = format!(
            "[accounts.told]\n{}[accounts.untold]\n{}[accounts.own]\nregions = [\"eu-west-1\"]\n",
            account("source_identity = true\n"),
            account("")
        );
        let accounts = AwsAccounts::of(&Config::parse(&text, crate::app::PLATFORMS).unwrap()).await.unwrap();
        let somebody = SessionOwner::person("slack", "U1");
        let role = |name: &str, owner: Option<&SessionOwner>| {
            let location = Location { account: Some(name.to_owned()), region: "eu-west-1".parse().unwrap() };
            accounts.options(&location, owner).assume_role.map(|role| (role.owner, role.names_the_owner, role.external_id))
        };
        let id = || Some("an-id".to_owned());
        assert_eq!(role("told", Some(&somebody)), Some((Some(somebody.clone()), true, id())));
        assert_eq!(role("untold", Some(&somebody)), Some((Some(somebody.clone()), false, id())));
        assert_eq!(role("told", None), Some((None, true, id())));
        assert_eq!(role("own", Some(&somebody)), None);
        let there = Location { account: Some("own".to_owned()), region: "eu-west-1".parse().unwrap() };
        assert_eq!(accounts.options(&there, None).region, Some(there.region));
    }

    #[test]
    fn so_many_connections_are_kept_and_those_of_people_make_room() {
        let key = |region: usize, owner: Option<usize>| {
            let region = format!("eu-west-{region}").parse().unwrap();
            (Location { account: None, region }, owner.map(|number| SessionOwner::person("slack", &number.to_string())))
        };
        let mut kept = HashMap::new();
        keep(&mut kept, key(1, None), ());
        for number in 1..MAX_CONNECTIONS {
            keep(&mut kept, key(1, Some(number)), ());
        }
        assert_eq!(kept.len(), MAX_CONNECTIONS);
        keep(&mut kept, key(1, Some(0)), ());
        assert!(kept.len() == 2 && kept.contains_key(&key(1, None)) && kept.contains_key(&key(1, Some(0))));
        for region in 2..=MAX_CONNECTIONS + 1 {
            keep(&mut kept, key(region, None), ());
        }
        assert!(kept.len() == MAX_CONNECTIONS && !kept.contains_key(&key(MAX_CONNECTIONS + 1, None)));
    }

    #[tokio::test]
    async fn people_may_name_the_accounts_of_the_configuration_the_default_one_first() {
        let known = async |more: &str| {
            let text = format!("default_region = \"eu-west-1\"\n{more}");
            let config = Config::parse(&text, crate::app::PLATFORMS).unwrap();
            AwsAccounts::of(&config).await.unwrap().known().to_vec()
        };
        let own = AccountInfo { regions: vec!["eu-west-1".parse().unwrap()], any_region: true, ..AccountInfo::default() };
        assert_eq!(known("").await, std::slice::from_ref(&own));
        let two = "default_account = \"test\"\n[accounts.prod]\naccount_id = \"123456789012\"\nregions = [\"us-east-1\"]\n\
            [accounts.test]\nrole_arn = \"arn:aws:iam::111122223333:role/reader\"\n";
        let test = AccountInfo { name: Some("test".to_owned()), account_id: Some("111122223333".parse().unwrap()), ..own };
        let prod = AccountInfo {
            name: Some("prod".to_owned()),
            account_id: Some("123456789012".parse().unwrap()),
            regions: vec!["us-east-1".parse().unwrap()],
            any_region: false,
        };
        assert_eq!(known(two).await, [test, prod]);
    }
}
