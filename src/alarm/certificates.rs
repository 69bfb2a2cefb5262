//! Certificates by their address: fetched once, kept, with bounds on everything a forger could make us do.

use super::certificate::{Certificate, Unusable};
use crate::answer::{self, Unread};
use crate::clock;
use moka::future::Cache;
use reqwest::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The largest certificate that is read, in bytes; SNS's have about 2 000.
const LARGEST: usize = 16 << 10;

/// Certificates kept. AWS has one per region, and a second while it changes them.
const MOST_KEPT: u64 = 64;

/// How long one is kept: a certificate AWS has withdrawn is not trusted for longer.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Fetches at once, after a pause: a process that just started serves topics in several regions.
const FETCH_BURST: u32 = 8;

/// Time between fetches on average; forged messages with ever new addresses cannot make us fetch more often.
const FETCH_INTERVAL: Duration = Duration::from_secs(10);

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
    #[error("what came for a certificate is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("what came for a certificate cannot be used: {0}")]
    Unusable(#[from] Unusable),
}

/// Fetches and keeps certificates.
#[derive(Debug)]
pub(super) struct Certificates {
    client: reqwest::Client,
    origin: Option<Url>,
    deadline: Duration,
    kept: Cache<String, Arc<Certificate>>,
    budget: Mutex<Budget>,
}

impl Certificates {
    /// `origin` replaces scheme, host and port of every address. `client` must not follow redirects; a fetch may
    /// take until `deadline`.
    pub(super) fn new(client: reqwest::Client, origin: Option<Url>, deadline: Duration) -> Certificates {
        let kept = Cache::builder().max_capacity(MOST_KEPT).time_to_live(KEPT_FOR).build();
        Certificates { client, origin, deadline, kept, budget: Mutex::new(Budget::full(clock::this_instant())) }
    }

    /// The certificate at `url`, an address that was judged already. Those who ask at the same time share one fetch;
    /// a failure is not kept.
    pub(super) async fn get(&self, url: &str) -> Result<Arc<Certificate>, NoCertificate> {
        let fetched = self.kept.try_get_with_by_ref(url, async { self.fetch(url).await.map(Arc::new) }).await;
        fetched.map_err(|error| NoCertificate::clone(&error))
    }

    async fn fetch(&self, url: &str) -> Result<Certificate, NoCertificate> {
        let may = self.budget.lock().unwrap_or_else(PoisonError::into_inner).take(clock::this_instant());
        if !may {
            return Err(NoCertificate::TooOften);
        }
        let url = self.address(url).ok_or(NoCertificate::Unreachable)?;
        let body = tokio::time::timeout(self.deadline, self.read(url)).await.map_err(|_| NoCertificate::TooSlow)??;
        Ok(Certificate::parse(&body)?)
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

    async fn read(&self, url: Url) -> Result<Vec<u8>, NoCertificate> {
        // The error would tell the address.
        let response = self.client.get(url).send().await.map_err(|_| NoCertificate::Unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(NoCertificate::Status(response.status().as_u16()));
        }
        answer::read(response, LARGEST).await.map_err(|unread| match unread {
            Unread::BrokeOff => NoCertificate::Unreachable,
            Unread::TooLarge => NoCertificate::TooLarge,
        })
    }
}

/// A bucket of fetches that fills evenly.
#[derive(Debug)]
struct Budget {
    left: u32,
    /// When the last one was added.
    filled: Instant,
}

impl Budget {
    fn full(now: Instant) -> Budget {
        Budget { left: FETCH_BURST, filled: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        while self.left < FETCH_BURST && now.duration_since(self.filled) >= FETCH_INTERVAL {
            self.left += 1;
            self.filled += FETCH_INTERVAL;
        }
        if self.left == FETCH_BURST {
            self.filled = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_fetches_passes_and_then_one_every_ten_seconds() {
        let start = clock::this_instant();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut budget = Budget::full(start);
        assert_eq!((0..100).filter(|_| budget.take(at(0))).count(), 8);
        assert_eq!((1..=60).filter(|second| budget.take(at(*second))).count(), 6);
        assert_eq!((0..100).filter(|_| budget.take(at(100_000))).count(), 8);
    }
}
