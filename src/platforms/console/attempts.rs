//! Wrong tokens, and whom they lock out.
//!
//! Two budgets within a minute: a browser session's, and, for those who drop their cookies, an address's. Whoever uses up
//! their session's is refused whatever they give. An address may be a proxy with a whole company behind it: once its budget
//! is used up by others, the right token still opens, provided that it cannot be guessed; one that could be is refused too.

use super::session::BrowserSession;
use crate::clock;
use crate::config::TrustedNetwork;
use axum::http::HeaderMap;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many wrong tokens of one session are looked at within [`SPAN`].
const MAX_PER_SESSION: usize = 5;
/// The same of one address, whatever its sessions: room for a few people who mistype at the same time.
const MAX_PER_ADDRESS: usize = 20;
/// How long wrong tokens count.
pub(super) const SPAN: Duration = Duration::from_secs(60);
/// Sessions, and addresses, whose wrong tokens are remembered; the one that is longest ago is forgotten for another.
const MAX_REMEMBERED: usize = 1_024;
/// The header in which proxies say for whom they ask; the nearest proxy's word stands last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInError {
    /// It is another one.
    Wrong,
    /// Too many wrong ones came lately.
    TooMany,
}

#[derive(Debug, Default)]
pub(super) struct SignInAttempts(Mutex<Wrong>);

#[derive(Debug, Default)]
struct Wrong {
    sessions: Counts<String>,
    addresses: Counts<IpAddr>,
}

impl SignInAttempts {
    /// Judges an attempt: `is_right` is whether the token is the right one, `is_hard` whether it is too hard to guess.
    pub(super) fn judge(&self, session: &BrowserSession, from: IpAddr, is_right: bool, is_hard: bool) -> Result<(), SignInError> {
        self.judge_at(session, from, is_right, is_hard, clock::this_instant())
    }

    fn judge_at(
        &self,
        session: &BrowserSession,
        from: IpAddr,
        is_right: bool,
        is_hard: bool,
        now: Instant,
    ) -> Result<(), SignInError> {
        let from = client(from);
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.sessions.of(&session.id, now) >= MAX_PER_SESSION {
            return Err(SignInError::TooMany);
        }
        let is_crowded = wrong.addresses.of(&from, now) >= MAX_PER_ADDRESS;
        if is_right && (is_hard || !is_crowded) {
            return Ok(());
        }
        if is_crowded {
            return Err(SignInError::TooMany);
        }
        wrong.sessions.add(session.id.clone(), now);
        wrong.addresses.add(from, now);
        Err(SignInError::Wrong)
    }
}

/// Wrong tokens by whom they came from.
#[derive(Debug)]
struct Counts<K>(HashMap<K, Count>);

impl<K> Default for Counts<K> {
    fn default() -> Counts<K> {
        Counts(HashMap::new())
    }
}

#[derive(Debug)]
struct Count {
    first: Instant,
    wrong: usize,
}

impl Count {
    fn counts(&self, now: Instant) -> bool {
        now.duration_since(self.first) < SPAN
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    fn of(&self, key: &K, now: Instant) -> usize {
        self.0.get(key).filter(|count| count.counts(now)).map_or(0, |count| count.wrong)
    }

    fn add(&mut self, key: K, now: Instant) {
        if !self.0.contains_key(&key) && self.0.len() >= MAX_REMEMBERED {
            self.0.retain(|_, count| count.counts(now));
            let oldest = self.0.iter().min_by_key(|(_, count)| count.first).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest.filter(|_| self.0.len() >= MAX_REMEMBERED) {
                self.0.remove(&oldest);
            }
        }
        let count = self.0.entry(key).or_insert(Count { first: now, wrong: 0 });
        if !count.counts(now) {
            *count = Count { first: now, wrong: 0 };
        }
        count.wrong += 1;
    }
}

/// Whom an address belongs to: an IPv6 client has 64 bits of addresses to itself.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// The address a request comes from: the connection's, or, where that is a trusted proxy's, the one this proxy names. What
/// stands further left in the header was said by whoever the proxy names, and counts only where that is trusted too.
pub(super) fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedNetwork]) -> IpAddr {
    let said = headers.get_all(FORWARDED_FOR).into_iter().filter_map(|line| line.to_str().ok());
    let said: Vec<&str> = said.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut address = peer;
    for named in said.into_iter().rev() {
        if !trusted.iter().any(|network| network.contains(address)) {
            break;
        }
        // Some proxies name the port as well.
        let named = named.parse::<IpAddr>().or_else(|_| named.parse::<SocketAddr>().map(|named| named.ip()));
        let Ok(named) = named else { break };
        address = named;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use SignInError::{TooMany, Wrong};

    fn session(at: usize) -> BrowserSession {
        BrowserSession { id: format!("{at:032x}") }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn whoever_gives_wrong_tokens_is_locked_for_a_minute_and_nobody_else_behind_the_proxy_is() {
        let now = clock::this_instant();
        for is_hard in [true, false] {
            let attempts = SignInAttempts::default();
            let judge = |who: usize, from, is_right, at| attempts.judge_at(&session(who), from, is_right, is_hard, at);
            let (guesser, colleague) = (1, 2);
            for _ in 0..MAX_PER_SESSION {
                assert_eq!(judge(guesser, PROXY, false, now), Err(Wrong));
            }
            assert_eq!(judge(guesser, PROXY, false, now), Err(TooMany));
            assert_eq!(judge(guesser, PROXY, true, now), Err(TooMany), "not even with the right one");
            assert_eq!(judge(guesser, address("198.51.100.7"), true, now), Err(TooMany), "nor from elsewhere");
            assert_eq!(judge(colleague, PROXY, true, now), Ok(()));
            assert_eq!(judge(guesser, PROXY, true, now + SPAN), Ok(()));
        }
    }

    #[test]
    fn a_guesser_who_drops_cookies_gets_the_addresss_budget_and_keeps_out_nobody_whose_token_is_hard_to_guess() {
        let now = clock::this_instant();
        for (one, same) in [("192.0.2.1", "::ffff:192.0.2.1"), ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4")] {
            for is_hard in [true, false] {
                let attempts = SignInAttempts::default();
                let judge =
                    |who: usize, from: &str, is_right, at| attempts.judge_at(&session(who), address(from), is_right, is_hard, at);
                let guesses = (0..1_000).map(|at| judge(at, one, false, now));
                assert_eq!(guesses.filter(|answer| *answer == Err(Wrong)).count(), MAX_PER_ADDRESS);
                assert_eq!(judge(2_000, same, false, now), Err(TooMany));
                assert_eq!(judge(3_000, same, true, now), if is_hard { Ok(()) } else { Err(TooMany) });
                assert_eq!(judge(3_000, "198.51.100.7", true, now), Ok(()));
                assert_eq!(judge(3_000, same, true, now + SPAN), Ok(()));
            }
        }
    }

    #[test]
    fn a_crowd_of_guessers_is_remembered_up_to_a_bound() {
        let attempts = SignInAttempts::default();
        for number in 0..5_000_u32 {
            let from = std::net::Ipv4Addr::from_bits(number).into();
            assert_eq!(attempts.judge(&session(number as usize), from, false, true), Err(Wrong));
        }
        let wrong = attempts.0.lock().unwrap();
        assert_eq!((wrong.sessions.0.len(), wrong.addresses.0.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
    }

    #[test]
    fn whoever_is_remembered_and_guesses_again_has_nobody_forgotten() {
        let attempts = SignInAttempts::default();
        let guess = |who: usize| {
            let from = std::net::Ipv4Addr::from_bits(u32::try_from(who).unwrap()).into();
            attempts.judge(&session(who), from, false, true)
        };
        for who in (0..MAX_REMEMBERED).chain([MAX_REMEMBERED - 1]) {
            assert_eq!(guess(who), Err(Wrong));
        }
        let wrong = attempts.0.lock().unwrap();
        assert_eq!((wrong.sessions.0.len(), wrong.addresses.0.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_about_whom_it_saw_itself() {
        let trusted: Vec<TrustedNetwork> = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap()).to_vec();
        for (peer, said, expected) in [
            ("192.0.2.9", vec!["198.51.100.7"], "192.0.2.9"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            // What the client wrote itself stands on the left.
            ("10.0.0.1", vec!["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
            // Two proxies of ours.
            ("10.0.0.1", vec!["203.0.113.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("::1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", vec!["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", vec!["unknown"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in &said {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            assert_eq!(source(address(peer), &headers, &trusted).to_canonical(), address(expected), "{peer} {said:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, "198.51.100.7".parse().unwrap());
        assert_eq!(source(address("10.0.0.1"), &headers, &[]), address("10.0.0.1"), "by default nobody is believed");
    }
}
