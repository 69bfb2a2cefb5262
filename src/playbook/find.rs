//! Where a secret is, and which secrets there are: the questions before an investigation.

use crate::aws::{Aws, AwsCaller, CacheKey};
use crate::clock::{self, Clock};
use crate::model::{ApiCall, Observation, SecretRef};
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use std::time::Duration;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Pages of names that are read at most; a page holds 100.
const MAX_PAGES: usize = 50;

/// Like names shown.
const MAX_NEAR_NAMES: usize = 5;

/// How much alike two names must be, from 0 to 1, to be worth showing.
const NEAR: f64 = 0.75;

/// A secret's description, and the calls it took.
pub(super) type Handed = (DescribeSecretOutput, Vec<ApiCall>);

/// Under what the description of a secret is handed over.
pub(super) fn description_of(secret: &SecretRef) -> CacheKey {
    CacheKey::Description(secret.as_str().to_owned())
}

/// True when the secret is in the account and region of `aws`; anything but `Found` says why that is unknown. An
/// investigation that follows at once does not ask again.
pub async fn is_here(aws: &Aws, clock: &Clock, secret: &SecretRef) -> Observation<bool> {
    let caller = AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), false);
    let request = aws.secretsmanager.describe_secret().secret_id(secret.as_str()).send();
    match caller.call("secretsmanager:DescribeSecret", &format!("secret {secret}"), request).await {
        Observation::NoData { .. } => Observation::Found(false),
        Observation::Found(description) => {
            let handed: Handed = (description, caller.trace().0);
            aws.shared().answers.hand_over(description_of(secret), handed).await;
            Observation::Found(true)
        }
        other => other.and_then(|_| Observation::Found(true)),
    }
}

/// The names of the secrets of that account and region, at most five thousand of them.
pub async fn names(aws: &Aws, clock: &Clock) -> Observation<Vec<String>> {
    let caller = AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), false);
    let mut names = Vec::new();
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let request = aws.secretsmanager.list_secrets().max_results(100).set_next_token(token).send();
        let page = match caller.call("secretsmanager:ListSecrets", "*", request).await {
            Observation::Found(page) => page,
            other => return other.and_then(|_| Observation::Found(Vec::new())),
        };
        names.extend(page.secret_list.unwrap_or_default().into_iter().filter_map(|entry| entry.name));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    Observation::Found(names)
}

/// Those of `names` that look like the one asked for, the most alike first.
#[must_use]
pub fn nearest(asked: &SecretRef, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let asked = asked.name().to_ascii_lowercase();
    let mut scored: Vec<(f64, String)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_ascii_lowercase();
            let is_part =
                lower.starts_with(&asked) || lower.ends_with(&asked) || asked.starts_with(&lower) || asked.ends_with(&lower);
            // A name that is a part of the other is the commonest slip, whatever the lengths.
            let score = if is_part { 1.0 } else { strsim::normalized_damerau_levenshtein(&asked, &lower) };
            (score >= NEAR).then_some((score, name))
        })
        .collect();
    scored.sort_by(|(one, first), (other, second)| other.total_cmp(one).then_with(|| first.cmp(second)));
    scored.dedup_by(|(_, one), (_, other)| one == other);
    scored.into_iter().take(MAX_NEAR_NAMES).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_or_end_alike_or_hold_a_slip_of_the_pen_are_near() {
        let names = ["prod/order-db", "orders-db", "staging/billing", "prod/orders-db-replica", "orders-db"];
        let near = nearest(&"prod/orders-db".parse().unwrap(), names.map(str::to_owned));
        assert_eq!(near, ["orders-db", "prod/orders-db-replica", "prod/order-db"]);
    }
}
