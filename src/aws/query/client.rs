//! One client for one service: the SDK's retries, signatures, timeouts and error codes around a form and an XML text.

use super::QueryApi;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_sdk_cloudtrail::config::endpoint::{DefaultResolver, Params, ParamsBuilder, ResolveEndpoint as _};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime::client::stalled_stream_protection::StalledStreamProtectionInterceptor;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::endpoint::{EndpointFuture, EndpointResolverParams, ResolveEndpoint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::request_id::apply_request_id;
use aws_types::service_config::ServiceConfigKey;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How a request fails: as with a generated client.
pub(super) type QueryError = SdkError<ErrorMetadata, HttpResponse>;

/// A request's form, encoded.
#[derive(Debug)]
struct QueryForm(String);

/// A successful answer's XML, not yet read.
#[derive(Debug)]
struct XmlText {
    status: StatusCode,
    body: String,
}

/// A client for one service in one region. It holds connections: one is enough.
#[derive(Debug, Clone)]
pub(in crate::aws) struct QueryClient {
    api: QueryApi,
    operation: Operation<QueryForm, XmlText, ErrorMetadata>,
}

impl QueryClient {
    pub(in crate::aws) fn new(api: QueryApi, config: &SdkConfig) -> QueryClient {
        let operation = Operation::builder()
            .service_name(api.id)
            .operation_name("Query")
            .runtime_plugin(plugin(api, config))
            .with_connection_poisoning()
            .serializer(|QueryForm(form): QueryForm| {
                let mut request = HttpRequest::new(SdkBody::from(form));
                request.set_method("POST")?;
                request.set_uri("/")?;
                request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
                Ok(request)
            })
            .deserializer(read);
        let operation = match config.behavior_version() {
            Some(version) => operation.behavior_version(version),
            None => operation,
        };
        QueryClient { api, operation: operation.build() }
    }

    /// The parameter that asks for the next page of a list.
    pub(super) const fn page_parameter(&self) -> &'static str {
        self.api.page_parameter
    }

    /// Asks for `action` with `parameters`, and reads the answer. The future is boxed as the SDK's is large and deeply nested.
    pub(super) fn send<'a, T: DeserializeOwned + Send + 'a>(
        &'a self,
        action: &str,
        parameters: &[(String, String)],
    ) -> BoxFuture<'a, Result<T, QueryError>> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", self.api.version)
            .extend_pairs(parameters)
            .finish();
        Box::pin(async move {
            let XmlText { status, body } = self.operation.invoke(QueryForm(form)).await?;
            quick_xml::de::from_str(&body)
                .map_err(|error| SdkError::response_error(error, HttpResponse::new(status, SdkBody::from(body))))
        })
    }
}

fn plugin(api: QueryApi, config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("query");
    layer
        .store_put(AuthSchemeOptionResolverParams::new(()))
        .store_put(EndpointResolverParams::new(()))
        .store_put(SigV4OperationSigningConfig::default())
        .store_put(SigningName::from_static(api.name))
        .store_put(ApiMetadata::new(api.name, env!("CARGO_PKG_VERSION")))
        // Without one there are no retries at all.
        .store_put(config.retry_config().cloned().unwrap_or_else(RetryConfig::standard));
    if let Some(region) = config.region() {
        layer
            .store_put(region.clone())
            .store_put(SigningRegion::from(region.clone()))
            .store_put(RetryPartition::new(format!("{}-{region}", api.name)));
    }
    // What is stored replaces a default, so only what is set is stored.
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    if let Some(disabled) = SdkConfig::disable_clock_skew_correction(config) {
        layer.store_put(DisableClockSkewCorrection::from(disabled));
    }
    let mut components = RuntimeComponentsBuilder::new("query")
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source())
        // The provider alone caches nothing.
        .with_identity_cache(config.identity_cache())
        .with_endpoint_resolver(Some(Endpoints::new(api, config)))
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new())
        .with_interceptor(StalledStreamProtectionInterceptor::default());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Where requests go. The rules are CloudTrail's, which are those of EC2 and RDS but for the host's first label.
#[derive(Debug)]
struct Endpoints {
    host: String,
    parameters: ParamsBuilder,
    rules: DefaultResolver,
}

/// The host's first label in CloudTrail's rules.
const RULES_HOST: &str = "//cloudtrail";

impl Endpoints {
    fn new(api: QueryApi, config: &SdkConfig) -> Endpoints {
        let mut url = config.endpoint_url().map(str::to_owned);
        // The environment and the profile may name an endpoint for one service alone; what a program set goes first.
        if !config.get_origin("endpoint_url").is_client_config()
            && let Some(settings) = config.service_config()
            && let Ok(key) =
                ServiceConfigKey::builder().service_id(api.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build()
        {
            url = settings.load_config(key).or(url);
        }
        let parameters = Params::builder()
            .set_region(config.region().map(ToString::to_string))
            .set_use_fips(config.use_fips())
            .set_use_dual_stack(config.use_dual_stack())
            .set_endpoint(url);
        Endpoints { host: format!("//{}", api.name), parameters, rules: DefaultResolver::new() }
    }
}

impl ResolveEndpoint for Endpoints {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(async move {
            let parameters = self.parameters.clone().build()?;
            let endpoint = self.rules.resolve_endpoint(&parameters).await?;
            if parameters.endpoint().is_some() {
                return Ok(endpoint);
            }
            let url = endpoint.url().replacen(RULES_HOST, &self.host, 1);
            Ok(endpoint.into_builder().url(url).build())
        })
    }
}

/// EC2 writes `<Response><Errors><Error>`, RDS `<ErrorResponse><Error>`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct WireRefusal {
    errors: Option<Box<WireRefusal>>,
    error: Option<WireFault>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireFault {
    code: String,
    message: Option<String>,
}

fn read(response: &HttpResponse) -> Result<XmlText, OrchestratorError<ErrorMetadata>> {
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned();
    if response.status().is_success() {
        return Ok(XmlText { status: response.status(), body });
    }
    let mut error = apply_request_id(ErrorMetadata::builder(), response.headers());
    // A proxy's page names no code, but it has a status.
    let refusal: WireRefusal = quick_xml::de::from_str(&body).unwrap_or_default();
    if let Some(fault) = refusal.error.or_else(|| refusal.errors?.error) {
        error = error.code(fault.code).message(fault.message.unwrap_or_default());
    }
    Err(OrchestratorError::operation(error.build()))
}

#[cfg(test)]
mod tests {
    use super::super::{EC2, RDS};
    use super::*;
    use aws_config::Region;

    /// Where a request of `api` would go in `region`.
    async fn host(api: QueryApi, region: &str, use_fips: bool, use_dual_stack: bool) -> String {
        let config =
            SdkConfig::builder().region(Region::new(region.to_owned())).use_fips(use_fips).use_dual_stack(use_dual_stack).build();
        let endpoints = Endpoints::new(api, &config);
        endpoints.resolve_endpoint(&EndpointResolverParams::new(())).await.unwrap().url().to_owned()
    }

    /// CloudTrail's rules may change with an update of its crate.
    ///
    /// Source: the endpoint rules of EC2 and RDS in botocore.
    #[tokio::test]
    async fn requests_go_to_the_hosts_of_ec2_and_rds_in_every_partition() {
        for (api, region, fips, dual, expected) in [
            (EC2, "eu-west-1", false, false, "https://ec2.eu-west-1.amazonaws.com"),
            (RDS, "us-east-1", false, false, "https://rds.us-east-1.amazonaws.com"),
            (EC2, "us-east-1", true, false, "https://ec2-fips.us-east-1.amazonaws.com"),
            (RDS, "eu-central-1", false, true, "https://rds.eu-central-1.api.aws"),
            (EC2, "cn-north-1", false, false, "https://ec2.cn-north-1.amazonaws.com.cn"),
            (RDS, "us-gov-west-1", false, false, "https://rds.us-gov-west-1.amazonaws.com"),
            (EC2, "us-iso-east-1", false, false, "https://ec2.us-iso-east-1.c2s.ic.gov"),
            (RDS, "eusc-de-east-1", false, false, "https://rds.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(host(api, region, fips, dual).await, expected, "{} in {region}", api.id);
        }
    }

    fn refusal_of(body: &str) -> Option<(String, String)> {
        let response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
        let refused = read(&response).unwrap_err();
        let error = refused.as_operation_error()?;
        Some((error.code()?.to_owned(), error.message()?.to_owned()))
    }

    #[test]
    fn the_refusals_of_both_services_are_read_and_a_proxys_page_is_none() {
        let ec2 = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no &amp; no</Message></Error></Errors>\
                   <RequestID>1</RequestID></Response>";
        let rds = "<ErrorResponse><Error><Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>none</Message></Error>\
                   <RequestId>1</RequestId></ErrorResponse>";
        assert_eq!(refusal_of(ec2), Some(("UnauthorizedOperation".into(), "no & no".into())));
        assert_eq!(refusal_of(rds), Some(("DBInstanceNotFound".into(), "none".into())));
        assert_eq!(refusal_of("<html><body>Bad gateway</body></html>"), None);
        assert_eq!(refusal_of(""), None);
    }
}
