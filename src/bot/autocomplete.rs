//! Names of secrets while a person types, from memory: an answer is due within milliseconds.

use super::access::Access;
use crate::chat::compose::NearName;
use crate::clock;
use crate::model::{ActionKind, Actor, Place, SecretRef};
use crate::playbook::find;
use crate::store::Location;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Names suggested at most. Source: Discord's API reference, "Application Command Autocomplete".
pub(super) const MAX_SUGGESTIONS: usize = 25;

/// How long a list of names is used before it is fetched anew, behind the person's back.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// How long somebody who named no secret waits for the first list of names.
const FIRST_LIST: Duration = Duration::from_secs(5);

type OfferedSecrets = Arc<Vec<(Location, SecretRef)>>;

/// The names that were fetched last.
#[derive(Debug, Default)]
struct Names {
    known: Mutex<(OfferedSecrets, Option<Instant>)>,
}

impl Names {
    /// What is known now, and whether it is time to fetch anew; only one caller is told so.
    fn peek(&self) -> (OfferedSecrets, bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::this_instant();
        let stale = known.1.is_none_or(|due| due <= now);
        if stale {
            known.1 = Some(now + FRESH);
        }
        (Arc::clone(&known.0), stale)
    }

    fn all(&self) -> OfferedSecrets {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    async fn fetch(&self, access: &Access) {
        let mut names = Vec::new();
        for account in access.known() {
            for region in &account.regions {
                let location = Location { account: account.name.clone(), region: region.clone() };
                let listed = access.names(&location).await;
                names.extend(listed.into_iter().filter_map(|name| Some((location.clone(), name.parse().ok()?))));
            }
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).0 = Arc::new(names);
    }
}

/// Suggests names of secrets to whoever may ask about them.
pub struct Autocomplete {
    access: Arc<Access>,
    names: Arc<Names>,
}

impl Autocomplete {
    /// Suggests what `access` allows; nothing is known yet.
    #[must_use]
    pub fn new(access: Arc<Access>) -> Autocomplete {
        Autocomplete { access, names: Arc::default() }
    }

    /// Fetches the names of the secrets, so that the first person who types has suggestions.
    pub async fn learn_names(&self) {
        self.names.peek();
        self.names.fetch(&self.access).await;
    }

    /// Names that begin with `typed`, then those that contain it, as far as `actor` may ask about them in `place`.
    pub(super) fn suggestions(&self, actor: &Actor, place: &Place, typed: &str) -> Vec<String> {
        let (known, stale) = self.names.peek();
        if stale {
            let (names, access) = (Arc::clone(&self.names), Arc::clone(&self.access));
            tokio::spawn(async move { names.fetch(&access).await });
        }
        let typed = typed.trim().to_ascii_lowercase();
        let mut found: BTreeSet<(bool, &str)> = BTreeSet::new();
        for (location, secret) in known.iter() {
            let name = secret.as_str();
            let lower = name.to_ascii_lowercase();
            if lower.contains(&typed) && self.access.may(actor, place, ActionKind::Investigate, secret, location).is_ok() {
                found.insert((!lower.starts_with(&typed), name));
            }
        }
        found.into_iter().map(|(_, name)| name.to_owned()).take(MAX_SUGGESTIONS).collect()
    }

    /// Where `actor` may ask about `secret` in `place`: where it is, as far as that is known, else anywhere. Where no secret is
    /// given, where any is that `actor` may ask about.
    pub(super) fn places(&self, actor: &Actor, place: &Place, secret: &str) -> Vec<Location> {
        let names = self.names.all();
        let may = |secret: &SecretRef, location: &Location| {
            self.access.may(actor, place, ActionKind::Investigate, secret, location).is_ok()
        };
        let all = self.access.known().iter().flat_map(|account| {
            account.regions.iter().map(|region| Location { account: account.name.clone(), region: region.clone() })
        });
        match secret.trim().parse::<SecretRef>() {
            Ok(secret) => {
                let has_it = |location: &Location| names.iter().any(|(at, name)| at == location && *name == secret);
                let (here, elsewhere): (Vec<Location>, Vec<Location>) =
                    all.filter(|location| may(&secret, location)).partition(has_it);
                if here.is_empty() { elsewhere } else { here }
            }
            Err(_) => {
                let shows_any = |location: &Location| names.iter().any(|(at, name)| at == location && may(name, location));
                all.filter(shows_any).collect()
            }
        }
    }

    /// Names that stand as words in `text`; where there are none, those whose last part does, as people shorten them. As far as
    /// `actor` may ask about them in `place`.
    pub(super) fn names_in(&self, actor: &Actor, place: &Place, text: &str) -> Vec<String> {
        let words: BTreeSet<&str> = words_like_names(text).collect();
        let names = self.names.all();
        let found = |fits: &dyn Fn(&str) -> bool| -> Vec<String> {
            let is_meant = |(location, secret): &&(Location, SecretRef)| {
                fits(secret.as_str()) && self.access.may(actor, place, ActionKind::Investigate, secret, location).is_ok()
            };
            let fitting: BTreeSet<&str> = names.iter().filter(is_meant).map(|(_, secret)| secret.as_str()).collect();
            fitting.into_iter().take(MAX_SUGGESTIONS).map(str::to_owned).collect()
        };
        match found(&|name| words.contains(name)) {
            none if none.is_empty() => found(&|name| name.rsplit_once('/').is_some_and(|(_, last)| words.contains(last))),
            whole => whole,
        }
    }

    /// Whether `word` is the name of a secret that `actor` may ask about in `place`, as far as names are known.
    pub(super) fn is_known_name(&self, actor: &Actor, place: &Place, word: &str) -> bool {
        let names = self.names.all();
        let mut same = names.iter().filter(|(_, secret)| secret.as_str() == word);
        same.any(|(location, secret)| self.access.may(actor, place, ActionKind::Investigate, secret, location).is_ok())
    }

    /// Names like the one asked for, which was not found in `looked_at`, as far as `actor` may ask about them in `place`.
    /// Where no names are known yet, they are fetched.
    pub(super) async fn near_names(
        &self,
        actor: &Actor,
        place: &Place,
        asked: &SecretRef,
        looked_at: &[Location],
    ) -> Vec<NearName> {
        if self.names.all().is_empty() {
            let _ = tokio::time::timeout(FIRST_LIST, self.learn_names()).await;
        }
        let names = self.names.all();
        let is_theirs = |(location, secret): &&(Location, SecretRef)| {
            let is_the_missing_one = secret == asked && looked_at.contains(location);
            !is_the_missing_one && self.access.may(actor, place, ActionKind::Investigate, secret, location).is_ok()
        };
        let theirs: Vec<&(Location, SecretRef)> = names.iter().filter(is_theirs).collect();
        let near = find::nearest(asked, theirs.iter().map(|(_, secret)| secret.to_string()));
        let with_place = |name: String| {
            let mut places = theirs.iter().filter(|(_, secret)| secret.as_str() == name).map(|(location, _)| location);
            let is_near = places.clone().any(|location| looked_at.contains(location));
            let elsewhere = places.next().filter(|_| !is_near);
            let options = elsewhere.map(|Location { account, region }| {
                let account = account.as_ref().map(|account| format!("account:{account} ")).unwrap_or_default();
                format!("{account}region:{region}")
            });
            NearName { name, options: options.unwrap_or_default() }
        };
        near.into_iter().map(with_place).collect()
    }
}

/// The words of a text that could be names of secrets: those with a sign or a digit, which words of the language have not.
fn words_like_names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`()[]{}<>|,;=*".contains(c));
    let words = words.map(|word| word.trim_matches([':', '.', '!', '?']));
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit() || "/_-.@+".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::words_like_names;

    #[test]
    fn words_of_the_language_are_no_names_of_secrets() {
        let text = "ALARM: \"orders\" of *prod/orders-db*, (staging/users_db). See <https://x.example|the runbook>: db2!";
        assert_eq!(
            words_like_names(text).collect::<Vec<_>>(),
            ["prod/orders-db", "staging/users_db", "https://x.example", "db2"]
        );
    }
}
