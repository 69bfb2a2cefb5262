//! Subscriptions are confirmed, with the role of the topic's account.

use crate::alarm::Subscriptions;
use crate::bot::access::Access;
use crate::config::Topic;
use crate::model::{Observation, RegionError};
use crate::store::Location;
use async_trait::async_trait;
use std::sync::Arc;

/// Confirms subscriptions with the account's role.
pub struct Subscriber {
    access: Arc<Access>,
}

impl Subscriber {
    /// Confirms in the accounts of `access`.
    #[must_use]
    pub const fn new(access: Arc<Access>) -> Subscriber {
        Subscriber { access }
    }
}

#[async_trait]
impl Subscriptions for Subscriber {
    async fn confirm(&self, topic: &Topic, token: &str) -> Result<(), String> {
        let arn = topic.arn();
        let account = self.access.known().iter().find(|known| known.account_id.as_deref() == Some(arn.account_id()));
        let region = arn.region().parse().map_err(|error: RegionError| error.to_string())?;
        let location = Location { account: account.and_then(|known| known.name.clone()), region };
        let connected = self.access.connect(&location).await.map_err(|error| error.to_string())?;
        match connected.aws.confirm_subscription(arn.as_str(), token).await {
            Observation::Found(()) => Ok(()),
            Observation::Denied(denial) => Err(format!("the permission {} is missing", denial.action)),
            other => Err(format!("AWS did not confirm it ({})", other.status())),
        }
    }
}
