//! What is missing before the bot can work: rules, the store, what comes in over HTTP, the platforms, each permission by
//! name, the way of alarms. Nothing is sent to anybody, and nothing is changed.

mod agents;
mod alarms;
mod aws;
mod http;
mod reach;
mod report;
mod rules;
mod store;
mod watching;

pub use report::{CheckLine, CheckReport, CheckSummary};

use super::PLATFORMS;
use crate::bot::AwsAccounts;
use crate::chat::setup::{checked, missing};
use crate::chat::{Checked, PlatformKind};
use crate::config::Config;

/// Looks at everything the configuration names.
pub async fn all(config: &Config) -> Vec<Checked> {
    crate::tls::choose();
    let mut all = platforms(PLATFORMS, config).await;
    match AwsAccounts::of(config).await {
        Ok(accounts) => {
            all.extend(aws::check(&accounts, config.inspect_code).await);
            all.extend(alarms::check(config, &accounts).await);
        }
        Err(error) => all.push(checked("AWS", missing(error.to_string()))),
    }
    all
}

/// Looks at all but AWS, where there are these kinds of platforms.
pub(super) async fn platforms(kinds: &[&dyn PlatformKind], config: &Config) -> Vec<Checked> {
    let mut all = rules::check(kinds, config);
    all.push(store::check(config).await);
    all.extend(http::check(kinds, config));
    all.extend(agents::check(config));
    all.extend(watching::check(config).await);
    for kind in kinds {
        all.extend(kind.check(config).await);
        let address = config.platforms.get(kind.name()).and_then(|platform| platform.people_at());
        if let Some(address) = address {
            all.push(checked(kind.limits().title, reach::console(&address).await));
        }
    }
    all
}
