//! Certificates by their address: fetched once, kept, with bounds on everything a forger could make us do.
//!
//! Whoever knows a topic's ARN can send messages that name made-up addresses of SNS's own host, as many as they like. So an
//! address whose certificate signed an authentic message is known from then on, across restarts, and never competes with those
//! that did not; and of those, one that comes again does not compete with the ever new ones.

use super::budget::{AskCounts, FetchBudget};
use super::certificate::{Certificate, Unusable, der_of};
use crate::clock::{self, Clock};
use crate::http_body::{self, BodyError};
use jiff::{SignedDuration, Timestamp};
use moka::future::Cache;
use reqwest::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The largest certificate that is read, in bytes; SNS's have about 2 000.
const MAX_BYTES: usize = 16 << 10;

/// Certificates kept. AWS has one per region, and a second while it changes them.
const MAX_KEPT: usize = 64;

/// How long one is used without looking whether it is still there.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How often that is looked for where it fails.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Doors through which addresses never seen to be good are fetched: the first is for those asked for once, the next for the
/// second and third time, and so on, doubling.
const DOORS: usize = 4;

/// Why there is no certificate. All of these are ours or the network's fault: the sender should try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCertificate {
    #[error("too many certificates were asked for")]
    TooOften,
    #[error("the certificate could not be fetched in time")]
    TooSlow,
    #[error("the certificate could not be fetched")]
    Unreachable,
    #[error("the certificate's host answered with status {0}")]
    Status(u16),
    #[error("the answer to a request for a certificate is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer to a request for a certificate cannot be used: {0}")]
    Unusable(#[from] Unusable),
}

/// A certificate that signed an authentic message, as it is kept across restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCertificate {
    /// Where it was fetched: host, scheme and port are those that were asked.
    pub address: String,
    /// The certificate, in DER.
    pub der: Vec<u8>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}

/// A certificate, and where it is from.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub(super) certificate: Certificate,
    known: KnownCertificate,
}

impl Fetched {
    /// What was fetched or kept, where it can be used.
    fn read(known: KnownCertificate) -> Result<Fetched, Unusable> {
        Ok(Fetched { certificate: Certificate::parse(&known.der)?, known })
    }

    /// True when it is to be looked for anew: its day is over.
    fn is_old(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.known.fetched_at);
        SignedDuration::try_from(KEPT_FOR).is_ok_and(|longest| age > longest)
    }

    fn host(&self) -> Option<String> {
        Url::parse(&self.known.address).ok()?.host_str().map(str::to_owned)
    }
}

/// One that signed an authentic message.
#[derive(Debug)]
struct Good {
    fetched: Arc<Fetched>,
    /// Whether it is kept across restarts.
    is_kept: bool,
    /// When it was last looked for in vain.
    missed_at: Option<Instant>,
}

/// Fetches and keeps certificates.
#[derive(Debug)]
pub(super) struct Certificates {
    client: reqwest::Client,
    origin: Option<Url>,
    deadline: Duration,
    clock: Clock,
    /// By address: those that signed an authentic message.
    good: Mutex<HashMap<String, Good>>,
    /// By address: whatever was fetched within a day. Those who ask at the same time share one fetch; a failure is not kept.
    fetched: Cache<String, Arc<Fetched>>,
    budgets: Mutex<Budgets>,
}

/// What may be fetched; forged messages cannot make us fetch more often.
#[derive(Debug)]
struct Budgets {
    good: FetchBudget,
    doors: [FetchBudget; DOORS],
    asked: AskCounts,
}

impl Certificates {
    /// `origin` replaces scheme, host and port of every address. `client` must not follow redirects; a fetch may
    /// take until `deadline`.
    pub(super) fn new(client: reqwest::Client, origin: Option<Url>, deadline: Duration, clock: Clock) -> Certificates {
        let budgets =
            Budgets { good: FetchBudget::full(), doors: [(); DOORS].map(|()| FetchBudget::full()), asked: AskCounts::default() };
        let fetched = Cache::builder().max_capacity(MAX_KEPT as u64).time_to_live(KEPT_FOR).build();
        Certificates { client, origin, deadline, clock, good: Mutex::default(), fetched, budgets: Mutex::new(budgets) }
    }

    /// Takes over what was kept before a restart; what cannot be read is fetched again.
    pub(super) fn load(&self, known: Vec<KnownCertificate>) {
        let mut good = self.good();
        for fetched in known.into_iter().filter_map(|known| Fetched::read(known).ok()) {
            let address = fetched.known.address.clone();
            good.entry(address).or_insert(Good { fetched: Arc::new(fetched), is_kept: true, missed_at: None });
        }
    }

    /// The certificate at `url`, an address that was judged already.
    pub(super) async fn get(&self, url: &str) -> Result<Arc<Fetched>, NoCertificate> {
        let url = self.address(url).ok_or(NoCertificate::Unreachable)?;
        let now = self.clock.now();
        let known = self.good().get(url.as_str()).map(|good| (Arc::clone(&good.fetched), good.missed_at));
        let Some((known, missed_at)) = known else { return self.fetch_once(&url).await };
        // One whose time is over says nothing any more; whether there is another, only its host can tell.
        if !known.certificate.is_valid_at(now) {
            return self.fetch_once(&url).await;
        }
        let may_look = missed_at.is_none_or(|at| clock::this_instant().duration_since(at) >= LOOK_AGAIN);
        if !known.is_old(now) || (!may_look && !self.is_replaced(&known)) {
            return Ok(known);
        }
        match self.fetch_once(&url).await {
            Ok(fetched) => Ok(fetched),
            // It outlives its day until there is a new one.
            Err(_) if !self.is_replaced(&known) => {
                if let Some(good) = self.good().get_mut(url.as_str()) {
                    good.missed_at = Some(clock::this_instant());
                }
                Ok(known)
            }
            Err(error) => Err(error),
        }
    }

    /// A message that `fetched` signed is authentic. What is to be kept across restarts, where it is not yet.
    pub(super) fn is_good(&self, fetched: &Arc<Fetched>) -> Option<KnownCertificate> {
        let mut all = self.good();
        let address = &fetched.known.address;
        if let Some(good) = all.get_mut(address)
            && good.fetched.known == fetched.known
        {
            let was_kept = std::mem::replace(&mut good.is_kept, true);
            return (!was_kept).then(|| fetched.known.clone());
        }
        all.insert(address.clone(), Good { fetched: Arc::clone(fetched), is_kept: true, missed_at: None });
        while all.len() > MAX_KEPT {
            let oldest = all.iter().min_by_key(|(_, good)| good.fetched.known.fetched_at).map(|(address, _)| address.clone());
            oldest.and_then(|address| all.remove(&address));
        }
        Some(fetched.known.clone())
    }

    /// It could not be stored; the next message it signs tries again.
    pub(super) fn is_not_kept(&self, address: &str) {
        if let Some(good) = self.good().get_mut(address) {
            good.is_kept = false;
        }
    }

    fn good(&self) -> MutexGuard<'_, HashMap<String, Good>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when the same host has a certificate that was fetched later and is within its day.
    fn is_replaced(&self, known: &Fetched) -> bool {
        let (now, host) = (self.clock.now(), known.host());
        let is_newer =
            |other: &Fetched| other.known.fetched_at > known.known.fetched_at && !other.is_old(now) && other.host() == host;
        self.good().values().any(|good| is_newer(&good.fetched))
    }

    async fn fetch_once(&self, url: &Url) -> Result<Arc<Fetched>, NoCertificate> {
        let fetched = self.fetched.try_get_with_by_ref(url.as_str(), async { self.fetch(url).await.map(Arc::new) }).await;
        fetched.map_err(|error| NoCertificate::clone(&error))
    }

    async fn fetch(&self, url: &Url) -> Result<Fetched, NoCertificate> {
        let is_known = self.good().contains_key(url.as_str());
        let may = self.budgets.lock().unwrap_or_else(PoisonError::into_inner).take(url.as_str(), is_known);
        if !may {
            return Err(NoCertificate::TooOften);
        }
        let body = tokio::time::timeout(self.deadline, self.read(url)).await.map_err(|_| NoCertificate::TooSlow)??;
        let known = KnownCertificate { address: url.to_string(), der: der_of(&body)?, fetched_at: self.clock.now() };
        Ok(Fetched::read(known)?)
    }

    fn address(&self, url: &str) -> Option<Url> {
        let mut url = Url::parse(url).ok()?;
        if let Some(origin) = &self.origin {
            url.set_scheme(origin.scheme()).ok()?;
            url.set_host(origin.host_str()).ok()?;
            url.set_port(origin.port()).ok()?;
        }
        Some(url)
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, NoCertificate> {
        // The error would tell the address.
        let response = self.client.get(url.clone()).send().await.map_err(|_| NoCertificate::Unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(NoCertificate::Status(response.status().as_u16()));
        }
        http_body::read(response, MAX_BYTES).await.map_err(|unread| match unread {
            BodyError::BrokeOff => NoCertificate::Unreachable,
            BodyError::TooLarge => NoCertificate::TooLarge,
        })
    }
}

impl Budgets {
    /// True when the address may be fetched now.
    fn take(&mut self, address: &str, is_known: bool) -> bool {
        if is_known {
            return self.good.take();
        }
        let door = self.asked.again(address).ilog2() as usize;
        self.doors.get(door.min(DOORS - 1)).is_some_and(FetchBudget::take)
    }
}
