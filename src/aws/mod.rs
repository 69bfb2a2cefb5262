//! Clients for one account and region, and the one way to ask them.
//!
//! Every request goes through `AwsCaller::ask`: it has a deadline, leaves an [`ApiCall`](crate::model::ApiCall), and its
//! failure becomes an [`Observation`](crate::model::Observation). Nothing here reads a secret's value; nothing is changed but
//! that subscriptions to configured topics are confirmed.

mod alarms;
mod cache;
mod caller;
mod classify;
mod connect;
mod databases;
mod limiter;
mod network;
mod package;
pub mod permissions;
pub(crate) mod query;
mod registry;
mod session;
mod sns;
mod trails;

pub(crate) use alarms::DescribedAlarm;
pub(crate) use caller::{AwsCaller, RequestLimit};
pub use connect::{AwsOptions, ConnectError};
pub use limiter::SharedTurns;
pub(crate) use network::DnsAttribute;
pub(crate) use package::PackageHost;
pub(crate) use query::{QueryInput, rds};
pub use registry::Registry;
pub use session::{AssumeRole, SessionOwner};
pub(crate) use sns::{Subscription, TopicState};
pub(crate) use trails::TrailGroup;

pub(crate) use cache::CacheKey;

use crate::metrics::EngineMetrics;
use crate::model::{AccountId, Region};
use aws_config::SdkConfig;
use jiff::Timestamp;
use query::QueryClient;
use registry::Shared;
use std::sync::Arc;

/// Clients for one account and one region.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    region: Region,
    account_id: Option<AccountId>,
    registry: Registry,
    /// Whose limits these are: the account, or the access key where the credentials do not name their account.
    identity: String,
    endpoint: String,
    shared: Arc<Shared>,
    pub(crate) secretsmanager: aws_sdk_secretsmanager::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) cloudtrail: aws_sdk_cloudtrail::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) health: aws_sdk_health::Client,
    sts: aws_sdk_sts::Client,
    ec2: QueryClient,
    rds: QueryClient,
}

impl Aws {
    /// The region all questions but IAM's and AWS Health's are asked in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Where it is counted what is asked, and what it comes to.
    pub(crate) fn metrics(&self) -> &EngineMetrics {
        self.registry.metrics()
    }

    /// The account, where the credentials name it.
    #[must_use]
    pub fn account_id(&self) -> Option<&AccountId> {
        self.account_id.as_ref()
    }

    /// Asks STS whose credentials these are; the answer is the caller's account id.
    ///
    /// # Errors
    /// Any way in which the credentials do not work, as [`ConnectError`].
    pub async fn verify(&self) -> Result<AccountId, ConnectError> {
        connect::verify(&self.sts).await.0
    }

    /// The same, and what time it is at AWS where the answer says so, to the second.
    pub async fn verify_with_time(&self) -> (Result<AccountId, ConnectError>, Option<Timestamp>) {
        connect::verify(&self.sts).await
    }

    /// The region whose event history holds IAM's changes.
    ///
    /// Source: CloudTrail User Guide, "Global service events"; IAM's endpoints in the AWS General Reference.
    #[must_use]
    pub fn global_region(&self) -> &'static str {
        if self.region.starts_with("us-gov-") {
            "us-gov-west-1"
        } else if self.region.starts_with("cn-") {
            "cn-north-1"
        } else if self.region.starts_with("us-isob-") {
            "us-isob-east-1"
        } else if self.region.starts_with("us-iso-") {
            "us-iso-east-1"
        } else {
            "us-east-1"
        }
    }

    /// Log clients for another region, where a trail may keep its log group.
    pub(crate) fn logs_in(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        if self.region == region {
            return self.logs.clone();
        }
        aws_sdk_cloudwatchlogs::Client::new(&in_region(&self.config, region))
    }

    /// The event history of the region that holds IAM's changes, and its limiter.
    pub(crate) fn cloudtrail_in(&self, region: &str) -> aws_sdk_cloudtrail::Client {
        if self.region == region {
            return self.cloudtrail.clone();
        }
        aws_sdk_cloudtrail::Client::new(&in_region(&self.config, region))
    }

    /// What all investigations of this account share in `region`.
    pub(crate) fn shared_in(&self, region: &str) -> Arc<Shared> {
        if self.region == region {
            return Arc::clone(&self.shared);
        }
        self.registry.shared(&self.identity, region, &self.endpoint)
    }

    /// What all investigations of this account and region share.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(aws_config::Region::new(region.to_owned())).build()
}
