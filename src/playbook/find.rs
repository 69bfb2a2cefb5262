//! Where a secret is, and which secrets there are: the questions before an investigation.

use crate::aws::{Asker, Aws};
use crate::clock::{self, Clock};
use crate::model::{Observation, SecretRef};
use std::time::Duration;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Pages of names that are read at most; a page holds 100.
const MOST_PAGES: usize = 50;

/// True when the secret is in the account and region of `aws`; anything but `Found` says why that is unknown.
pub async fn is_here(aws: &Aws, clock: &Clock, secret: &SecretRef) -> Observation<bool> {
    let asker = Asker::new(*clock, clock::deadline(DEADLINE), false);
    let request = aws.secretsmanager.describe_secret().secret_id(secret.as_str()).send();
    match asker.ask("secretsmanager:DescribeSecret", &format!("secret {secret}"), request).await {
        Observation::NoData { .. } => Observation::Found(false),
        other => other.and_then(|_| Observation::Found(true)),
    }
}

/// The names of the secrets of that account and region, at most five thousand of them.
pub async fn names(aws: &Aws, clock: &Clock) -> Observation<Vec<String>> {
    let asker = Asker::new(*clock, clock::deadline(DEADLINE), false);
    let mut names = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let request = aws.secretsmanager.list_secrets().max_results(100).set_next_token(token).send();
        let page = match asker.ask("secretsmanager:ListSecrets", "*", request).await {
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
