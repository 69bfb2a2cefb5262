//! Which permissions there are: each read action is tried once, on something that does not exist. Where AWS says that it
//! does not exist the action is allowed for it. Where AWS refuses, an action that takes no resource is missing; of one that
//! does, only that is known: a policy may allow it for the resources it names.

use super::text;
use crate::aws::{Aws, AwsCaller, DnsAttribute, QueryInput};
use crate::clock::{self, Clock};
use crate::model::{AccountId, Observation, Window};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use std::error::Error;
use std::time::Duration;

/// How long all questions may take; event look-ups wait for their turn.
const DEADLINE: Duration = Duration::from_secs(20);

/// A name no function, role or secret has.
const NOTHING: &str = "rotation-diag-preflight";

/// Ids no VPC and no prefix list has.
const NO_VPC: &str = "vpc-00000000000000000";
const NO_PREFIX_LIST: &str = "pl-00000000000000000";
const NO_TRANSIT_TABLE: &str = "tgw-rtb-00000000000000000";

/// An id no key has.
const NO_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// How a permission stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    Allowed,
    Missing,
    /// It is missing for what the policy does not name; whether it is there for anything else cannot be told.
    MissingForOthers,
    /// It cannot be told, and why.
    Unknown(String),
}

/// Tries every read action a diagnosis uses in `account`, each named as in policies.
pub async fn permissions(aws: &Aws, clock: &Clock, account: &AccountId) -> Vec<(&'static str, Permission)> {
    let caller = &AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), true);
    let policy = &format!("arn:aws:iam::{account}:policy/{NOTHING}");
    let role = &format!("arn:aws:iam::{account}:role/{NOTHING}");
    let alarm = &format!("arn:aws:cloudwatch:{}:{account}:alarm:{NOTHING}", aws.region());
    let (secrets, lambda, iam) = (&aws.secretsmanager, &aws.lambda, &aws.iam);
    let nothing = || QueryInput::in_vpc(NO_VPC);
    let window = Window::ending_at(clock.now(), SignedDuration::from_mins(1));
    let metric = Metric::builder().namespace("AWS/Lambda").metric_name("Invocations").build();
    let metric = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    let metric = MetricDataQuery::builder().id("preflight").metric_stat(metric).build();
    let metrics = (aws.cloudwatch.get_metric_data().metric_data_queries(metric))
        .start_time(text::date(window.from))
        .end_time(text::date(window.to));
    let by_name =
        LookupAttribute::builder().attribute_key(LookupAttributeKey::EventName).attribute_value("RotationFailed").build();
    let events = aws.cloudtrail.lookup_events().set_lookup_attributes(by_name.ok().map(|one| vec![one])).max_results(1);
    let asked: Vec<BoxFuture<'_, (&'static str, Permission)>> = vec![
        tried(caller, "cloudtrail:DescribeTrails", "*", aws.cloudtrail.describe_trails().send()),
        tried(caller, "cloudtrail:LookupEvents", "*", events.send()),
        tried(
            caller,
            "cloudwatch:DescribeAlarms",
            alarm,
            aws.cloudwatch.describe_alarms().alarm_names(NOTHING).max_records(1).send(),
        ),
        tried(caller, "cloudwatch:GetMetricData", "*", metrics.send()),
        tried(
            caller,
            "cloudwatch:ListTagsForResource",
            alarm,
            aws.cloudwatch.list_tags_for_resource().resource_arn(alarm).send(),
        ),
        listed("ec2:DescribeNatGateways", aws.nat_gateways(caller, nothing())),
        listed("ec2:DescribeNetworkAcls", aws.network_acls(caller, nothing())),
        listed("ec2:DescribeRouteTables", aws.route_tables(caller, nothing())),
        listed("ec2:DescribeSecurityGroups", aws.security_groups(caller, nothing())),
        listed("ec2:DescribeSubnets", aws.subnets(caller, nothing())),
        listed(
            "ec2:DescribeTransitGatewayAttachments",
            aws.transit_associations(caller, QueryInput::default().filtered("resource-id", &[NO_VPC])),
        ),
        listed("ec2:DescribeTransitGatewayVpcAttachments", aws.transit_attachments(caller, nothing())),
        listed("ec2:DescribeVpcAttribute", aws.dns_attribute(caller, NO_VPC, DnsAttribute::Support)),
        listed("ec2:DescribeVpcEndpoints", aws.vpc_endpoints(caller, nothing())),
        listed(
            "ec2:DescribeVpcPeeringConnections",
            aws.peerings(caller, QueryInput::default().filtered("requester-vpc-info.vpc-id", &[NO_VPC])),
        ),
        listed("ec2:GetManagedPrefixListEntries", aws.prefix_list(caller, NO_PREFIX_LIST)),
        listed("ec2:SearchTransitGatewayRoutes", aws.transit_routes(caller, NO_TRANSIT_TABLE)),
        tried(caller, "health:DescribeEvents", "*", aws.health.describe_events().max_results(10).send()),
        tried(caller, "iam:GetPolicy", policy, iam.get_policy().policy_arn(policy).send()),
        tried(caller, "iam:GetPolicyVersion", policy, iam.get_policy_version().policy_arn(policy).version_id("v1").send()),
        tried(caller, "iam:GetRole", role, iam.get_role().role_name(NOTHING).send()),
        tried(caller, "iam:GetRolePolicy", role, iam.get_role_policy().role_name(NOTHING).policy_name(NOTHING).send()),
        tried(caller, "iam:ListAttachedRolePolicies", role, iam.list_attached_role_policies().role_name(NOTHING).send()),
        tried(caller, "iam:ListRolePolicies", role, iam.list_role_policies().role_name(NOTHING).send()),
        tried(
            caller,
            "iam:SimulatePrincipalPolicy",
            role,
            iam.simulate_principal_policy().policy_source_arn(role).action_names("secretsmanager:DescribeSecret").send(),
        ),
        tried(caller, "kms:DescribeKey", NO_KEY, aws.kms.describe_key().key_id(NO_KEY).send()),
        tried(caller, "kms:GetKeyPolicy", NO_KEY, aws.kms.get_key_policy().key_id(NO_KEY).send()),
        tried(caller, "lambda:GetFunctionConcurrency", NOTHING, lambda.get_function_concurrency().function_name(NOTHING).send()),
        tried(
            caller,
            "lambda:GetFunctionConfiguration",
            NOTHING,
            lambda.get_function_configuration().function_name(NOTHING).send(),
        ),
        tried(caller, "lambda:GetPolicy", NOTHING, lambda.get_policy().function_name(NOTHING).send()),
        tried(caller, "logs:DescribeLogGroups", "*", aws.logs.describe_log_groups().limit(1).send()),
        tried(caller, "logs:FilterLogEvents", NOTHING, aws.logs.filter_log_events().log_group_name(NOTHING).limit(1).send()),
        listed("rds:DescribeDBClusterParameters", aws.cluster_parameter(caller, NOTHING, "tls")),
        listed(
            "rds:DescribeDBClusters",
            aws.database_clusters(caller, "*", QueryInput::default().with("DBClusterIdentifier", NOTHING)),
        ),
        listed(
            "rds:DescribeDBInstances",
            aws.database_instances(caller, "*", QueryInput::default().with("DBInstanceIdentifier", NOTHING)),
        ),
        listed("rds:DescribeDBParameters", aws.instance_parameter(caller, NOTHING, "rds.force_ssl")),
        listed("rds:DescribeDBProxies", aws.database_proxies(caller, "*", QueryInput::default().with("DBProxyName", NOTHING))),
        tried(caller, "secretsmanager:DescribeSecret", NOTHING, secrets.describe_secret().secret_id(NOTHING).send()),
        tried(caller, "secretsmanager:GetResourcePolicy", NOTHING, secrets.get_resource_policy().secret_id(NOTHING).send()),
        tried(
            caller,
            "secretsmanager:ListSecretVersionIds",
            NOTHING,
            secrets.list_secret_version_ids().secret_id(NOTHING).send(),
        ),
        tried(caller, "secretsmanager:ListSecrets", "*", secrets.list_secrets().max_results(1).send()),
    ];
    join_all(asked).await
}

/// Tries the actions that only a look at the function's code takes.
pub async fn permissions_for_code(aws: &Aws, clock: &Clock, account: &AccountId) -> Vec<(&'static str, Permission)> {
    let caller = &AwsCaller::new(aws, *clock, clock::deadline(DEADLINE), true);
    let layer = &format!("arn:aws:lambda:{}:{account}:layer:{NOTHING}:1", aws.region());
    let asked: Vec<BoxFuture<'_, (&'static str, Permission)>> = vec![
        tried(caller, "lambda:GetFunction", NOTHING, aws.lambda.get_function().function_name(NOTHING).send()),
        tried(caller, "lambda:GetLayerVersion", layer, aws.lambda.get_layer_version_by_arn().arn(layer).send()),
    ];
    join_all(asked).await
}

fn tried<'a, T, E, R>(
    caller: &'a AwsCaller,
    action: &'static str,
    resource: &'a str,
    request: impl Future<Output = Result<T, SdkError<E, R>>> + Send + 'a,
) -> BoxFuture<'a, (&'static str, Permission)>
where
    T: Send + 'a,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + 'a,
{
    Box::pin(async move { (action, permission(&caller.call(action, resource, request).await, resource == "*")) })
}

/// The same, asked through what the steps ask through.
fn listed<'a, T: Send + Sync + 'a>(
    action: &'static str,
    ask: impl Future<Output = Observation<T>> + Send + 'a,
) -> BoxFuture<'a, (&'static str, Permission)> {
    Box::pin(async move {
        let answer = ask.await;
        let takes_none = matches!(&answer, Observation::Denied(denial) if denial.resource == "*");
        (action, permission(&answer, takes_none))
    })
}

/// `takes_none`: the action cannot be allowed for single resources.
fn permission<T>(answer: &Observation<T>, takes_none: bool) -> Permission {
    match answer {
        Observation::Found(_) | Observation::NoData { .. } => Permission::Allowed,
        Observation::Denied(_) if takes_none => Permission::Missing,
        Observation::Denied(_) => Permission::MissingForOthers,
        Observation::Throttled { .. } => Permission::Unknown("AWS throttles".to_owned()),
        Observation::TimedOut { .. } => Permission::Unknown("no answer in time".to_owned()),
        // Whoever is told what is wrong with the question was allowed to ask it.
        Observation::Failed { error } if error.contains("Validation") || error.contains("InvalidInput") => Permission::Allowed,
        Observation::Failed { error } => Permission::Unknown(error.clone()),
        Observation::NotApplicable { because } => Permission::Unknown(because.clone()),
    }
}
