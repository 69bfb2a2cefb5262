//! From options and environment to working clients, with one clear sentence for each way this fails.

use super::query::{EC2, QueryClient, RDS};
use super::session::{AssumeRole, RoleSession};
use super::{Aws, Registry};
use crate::clock::Clock;
use crate::model::{AccountId, Region, excerpt};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::get_caller_identity::{GetCallerIdentityError, GetCallerIdentityOutput};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The longest one attempt may take: a lost packet leaves time for another attempt within a step's ten seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);

/// The longest one request may take with its attempts; a step's own deadline usually comes first.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);

/// Tries per request, the first included.
const ATTEMPTS: u32 = 3;

/// Characters kept of why AWS cannot be asked.
const MAX_REASON_CHARS: usize = 300;

/// The longest credentials may take to load; the metadata endpoint of a machine that has none answers late or never.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(15);

/// Where and as whom to ask. Everything left out comes from the standard AWS configuration.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// The region; else `AWS_REGION` or the profile's.
    pub region: Option<Region>,
    /// The profile; else `AWS_PROFILE` or `default`.
    pub profile: Option<String>,
    /// A role to assume with the credentials found.
    pub assume_role: Option<AssumeRole>,
    /// Where all requests go instead of AWS; else `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    /// True to sign with made-up credentials, which only a simulated account accepts.
    pub test_credentials: bool,
}

impl AwsOptions {
    /// A simulated account: everything goes to `endpoint_url`, signed with made-up credentials.
    #[must_use]
    pub fn simulated(region: Region, endpoint_url: impl Into<String>) -> AwsOptions {
        AwsOptions {
            region: Some(region),
            endpoint_url: Some(endpoint_url.into()),
            test_credentials: true,
            ..AwsOptions::default()
        }
    }
}

/// Why there is no connection. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No region is configured.
    #[error("no AWS region is set: set AWS_REGION, default_region in the configuration, or the profile's region")]
    NoRegion,
    /// What is configured as the region cannot be one.
    #[error("{name:?} is no AWS region: correct AWS_REGION, default_region in the configuration, or the profile's region")]
    NoSuchRegion { name: String },
    /// What is configured as the endpoint is empty.
    #[error("AWS_ENDPOINT_URL, or the profile's endpoint_url, is empty: give it an address, or remove it")]
    EmptyEndpoint,
    /// There are no credentials at all.
    #[error(
        "no AWS credentials were found: set AWS_PROFILE, run `aws sso login` or `aws configure`, or give this machine a role"
    )]
    NoCredentials,
    /// The credentials are no longer valid.
    #[error("the AWS credentials have expired: run `aws sso login`, or fetch new temporary credentials")]
    ExpiredCredentials,
    /// The profile does not exist.
    #[error("there is no AWS profile {name:?}: `aws configure list-profiles` shows those there are")]
    UnknownProfile {
        /// The profile asked for.
        name: String,
    },
    /// The role could not be assumed.
    #[error("the role {role_arn} could not be assumed ({reason}): check its trust policy and the external id")]
    RoleNotAssumed { role_arn: String, reason: String },
    /// AWS does not accept the credentials.
    #[error("AWS does not accept the credentials ({reason}): check the access key, the region and this machine's clock")]
    Refused { reason: String },
    /// The credentials could not be loaded for another reason.
    #[error("the AWS credentials could not be loaded: {reason}")]
    Credentials { reason: String },
}

impl Aws {
    /// Loads configuration and credentials, and makes the clients. Sends nothing to the services that are diagnosed.
    ///
    /// # Errors
    /// [`ConnectError`] when there is no region, the endpoint's address is empty, or there are no credentials that can be used.
    pub async fn connect(options: &AwsOptions, registry: &Registry) -> Result<Aws, ConnectError> {
        let base = load(options).await;
        let region = base.region().map(AsRef::as_ref).filter(|name: &&str| !name.is_empty()).ok_or(ConnectError::NoRegion)?;
        let region: Region = region.parse().map_err(|_| ConnectError::NoSuchRegion { name: region.to_owned() })?;
        // The SDK's clients end the process over it.
        if base.endpoint_url() == Some("") {
            return Err(ConnectError::EmptyEndpoint);
        }
        let config = match &options.assume_role {
            Some(role) => assume(&base, role),
            None => base,
        };
        let credentials = credentials(&config, options).await?;
        let account_id: Option<AccountId> = options
            .assume_role
            .as_ref()
            .and_then(|role| role.role_arn.split(':').nth(4)?.parse().ok())
            .or_else(|| credentials.account_id()?.as_str().parse().ok());
        let identity = account_id.as_ref().map_or_else(|| credentials.access_key_id().to_owned(), AccountId::to_string);
        Ok(Aws::assemble(config, region, account_id, identity, registry))
    }

    fn assemble(config: SdkConfig, region: Region, account_id: Option<AccountId>, identity: String, registry: &Registry) -> Aws {
        let endpoint = config.endpoint_url().unwrap_or_default().to_owned();
        let shared = registry.shared(&identity, &region, &endpoint);
        let health_region = if region.starts_with("cn-") {
            "cn-northwest-1"
        } else if region.starts_with("us-gov-") {
            "us-gov-west-1"
        } else {
            "us-east-1"
        };
        Aws {
            secretsmanager: aws_sdk_secretsmanager::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            health: aws_sdk_health::Client::new(&super::in_region(&config, health_region)),
            sts: aws_sdk_sts::Client::new(&config),
            ec2: QueryClient::new(EC2, &config),
            rds: QueryClient::new(RDS, &config),
            config,
            region,
            account_id,
            registry: registry.clone(),
            identity,
            endpoint,
            shared,
        }
    }
}

async fn load(options: &AwsOptions) -> SdkConfig {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(OPERATION_TIMEOUT).build();
    // Pinned, so that an update of the SDK does not change its defaults unseen.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    if let Some(region) = &options.region {
        loader = loader.region(aws_config::Region::new(region.to_string()));
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if options.test_credentials {
        loader = loader.credentials_provider(Credentials::new("AKIDSIMULATED", "simulated", None, None, "simulated"));
    }
    loader.load().await
}

fn assume(base: &SdkConfig, role: &AssumeRole) -> SdkConfig {
    let session = RoleSession::new(aws_sdk_sts::Client::new(base), role.clone());
    base.to_builder().credentials_provider(SharedCredentialsProvider::new(session)).build()
}

async fn credentials(config: &SdkConfig, options: &AwsOptions) -> Result<Credentials, ConnectError> {
    let provider = config.credentials_provider().ok_or(ConnectError::NoCredentials)?;
    let loaded = tokio::time::timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials()).await;
    let credentials = match loaded {
        Err(_) => return Err(ConnectError::Credentials { reason: "no answer in time".to_owned() }),
        Ok(Err(error)) => return Err(why_none(&chain(&error), options)),
        Ok(Ok(credentials)) => credentials,
    };
    match credentials.expiry() {
        // Expiry is a matter between this machine and AWS, so simulated time has no say in it.
        Some(expiry) if Timestamp::try_from(expiry).is_ok_and(|at| at <= Clock::system().now()) => {
            Err(ConnectError::ExpiredCredentials)
        }
        _ => Ok(credentials),
    }
}

/// An error, and what it was caused by, as sentences alone: `DisplayErrorContext` adds the values behind them.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The SDK tells these cases apart only in the texts of nested errors.
fn why_none(chain: &str, options: &AwsOptions) -> ConnectError {
    let lower = chain.to_ascii_lowercase();
    if let Some(name) = chain.split("profile `").nth(1).and_then(|rest| rest.split('`').next())
        && lower.contains("was not defined")
    {
        return ConnectError::UnknownProfile { name: name.to_owned() };
    }
    if lower.contains("expired") {
        return ConnectError::ExpiredCredentials;
    }
    if let Some(role) = &options.assume_role
        && (lower.contains("accessdenied") || lower.contains("not authorized"))
    {
        let reason =
            if lower.contains("sts:setsourceidentity") { "sts:SetSourceIdentity is not allowed" } else { "access denied" };
        return ConnectError::RoleNotAssumed { role_arn: role.role_arn.clone(), reason: reason.to_owned() };
    }
    if lower.contains("no providers in chain") || lower.contains("credentialsnotloaded") || lower.contains("was not enabled") {
        return match &options.profile {
            Some(name) if lower.contains("profile") && lower.contains("not defined") => {
                ConnectError::UnknownProfile { name: name.clone() }
            }
            _ => ConnectError::NoCredentials,
        };
    }
    ConnectError::Credentials { reason: excerpt(chain, MAX_REASON_CHARS).to_owned() }
}

/// Takes down what time it is at AWS, as the header `Date` of an answer says.
#[derive(Debug, Clone, Default)]
struct DateReader(Arc<OnceLock<Timestamp>>);

impl Intercept for DateReader {
    fn name(&self) -> &'static str {
        "DateReader"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            let _ = self.0.set(date.timestamp());
        }
        Ok(())
    }
}

/// Whose credentials these are, and what time it is at AWS where the answer says so, to the second.
pub(super) async fn verify(sts: &aws_sdk_sts::Client) -> (Result<AccountId, ConnectError>, Option<Timestamp>) {
    let date = DateReader::default();
    let answer = sts.get_caller_identity().customize().interceptor(date.clone()).send().await;
    (account_of(answer), date.0.get().copied())
}

fn account_of<R: std::fmt::Debug>(
    answer: Result<GetCallerIdentityOutput, SdkError<GetCallerIdentityError, R>>,
) -> Result<AccountId, ConnectError> {
    match answer {
        Ok(identity) => identity
            .account
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| ConnectError::Credentials { reason: "STS did not say which account they belong to".to_owned() }),
        Err(error) => match error.code() {
            Some("ExpiredToken" | "ExpiredTokenException") => Err(ConnectError::ExpiredCredentials),
            Some(code) => Err(ConnectError::Refused { reason: code.to_owned() }),
            None => Err(ConnectError::Credentials {
                reason: excerpt(&format!("STS could not be called: {}", chain(&error)), MAX_REASON_CHARS).to_owned(),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_the_sdk_become_one_sentence_each() {
        let plain = AwsOptions::default();
        let role_arn = "arn:aws:iam::123456789012:role/reader".to_owned();
        let role = AssumeRole { role_arn, external_id: None, owner: None, names_the_owner: false };
        let assuming = AwsOptions { assume_role: Some(role.clone()), ..AwsOptions::default() };
        let cases = [
            (
                "profile `prod` was not defined: could not find source profile",
                &plain,
                ConnectError::UnknownProfile { name: "prod".to_owned() },
            ),
            ("the SSO token has expired and cannot be refreshed", &plain, ConnectError::ExpiredCredentials),
            ("no providers in chain provided credentials", &plain, ConnectError::NoCredentials),
            (
                "service error: AccessDenied: not authorized to perform: sts:AssumeRole",
                &assuming,
                ConnectError::RoleNotAssumed { role_arn: role.role_arn.clone(), reason: "access denied".to_owned() },
            ),
            (
                "service error: AccessDenied: User: x is not authorized to perform: sts:SetSourceIdentity on resource: y",
                &assuming,
                ConnectError::RoleNotAssumed {
                    role_arn: role.role_arn.clone(),
                    reason: "sts:SetSourceIdentity is not allowed".to_owned(),
                },
            ),
        ];
        for (chain, options, expected) in cases {
            assert_eq!(why_none(chain, options), expected, "{chain}");
        }
    }

    #[tokio::test]
    async fn an_empty_endpoint_is_refused() {
        let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), "");
        assert_eq!(Aws::connect(&options, &Registry::default()).await.err(), Some(ConnectError::EmptyEndpoint));
    }

    #[tokio::test]
    async fn the_region_of_iam_follows_the_partition() {
        for (region, global) in [("eu-west-1", "us-east-1"), ("us-gov-east-1", "us-gov-west-1"), ("cn-northwest-1", "cn-north-1")]
        {
            let options = AwsOptions { region: Some(region.parse().unwrap()), test_credentials: true, ..AwsOptions::default() };
            let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
            assert_eq!(aws.global_region(), global);
        }
    }
}
