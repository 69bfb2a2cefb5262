//! What is asked of RDS, and its answers. Amazon DocumentDB and Neptune answer under the same names.
//!
//! Source of all names: the service model of RDS, `2014-10-31`.

use super::xml::list;
use super::{Listing, QueryAction, QueryClient};
use crate::aws::Aws;
use serde::Deserialize;

/// The database instances.
pub(in crate::aws) struct DescribeDbInstances;

impl QueryAction for DescribeDbInstances {
    const ACTION: &'static str = "DescribeDBInstances";
    const CALL: &'static str = "rds:DescribeDBInstances";
    type Answer = Instances;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.rds
    }
}

impl Listing for DescribeDbInstances {
    type Item = RdsInstance;

    fn page(answer: Instances) -> (Vec<RdsInstance>, Option<String>) {
        (answer.result.instances, answer.result.marker)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct Instances {
    #[serde(rename = "DescribeDBInstancesResult")]
    result: InstancesResult,
}

#[derive(Debug, Deserialize)]
struct InstancesResult {
    #[serde(rename = "DBInstances", deserialize_with = "list")]
    instances: Vec<RdsInstance>,
    #[serde(rename = "Marker")]
    marker: Option<String>,
}

/// A database instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RdsInstance {
    #[serde(rename = "DBInstanceIdentifier")]
    pub(crate) id: String,
    #[serde(rename = "DBInstanceArn")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "DBInstanceStatus")]
    pub(crate) status: Option<String>,
    pub(crate) engine: Option<String>,
    pub(crate) endpoint: Option<DatabaseEndpoint>,
    #[serde(rename = "DBClusterIdentifier")]
    pub(crate) cluster: Option<String>,
    #[serde(rename = "DBSubnetGroup")]
    pub(crate) subnet_group: Option<SubnetGroup>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) vpc_security_groups: Vec<Membership>,
    #[serde(rename = "AvailabilityZone")]
    pub(crate) zone: Option<String>,
    #[serde(rename = "MultiAZ", default)]
    pub(crate) is_multi_az: bool,
    #[serde(default)]
    pub(crate) publicly_accessible: bool,
    pub(crate) network_type: Option<String>,
    #[serde(rename = "AllocatedStorage")]
    pub(crate) storage_gib: Option<u32>,
    #[serde(rename = "DBParameterGroups", default, deserialize_with = "list")]
    pub(crate) parameter_groups: Vec<ParameterGroup>,
    #[serde(rename = "CACertificateIdentifier")]
    pub(crate) authority: Option<String>,
    pub(crate) master_user_secret: Option<MasterUserSecret>,
}

/// Where an instance listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabaseEndpoint {
    pub(crate) address: Option<String>,
    pub(crate) port: Option<u16>,
}

/// The subnets an instance may stand in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SubnetGroup {
    pub(crate) vpc_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) subnets: Vec<GroupedSubnet>,
}

/// One of a subnet group's subnets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupedSubnet {
    #[serde(rename = "SubnetIdentifier")]
    pub(crate) id: String,
    #[serde(rename = "SubnetAvailabilityZone")]
    pub(crate) zone: Option<Zone>,
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Zone {
    pub(crate) name: Option<String>,
}

/// A security group that a database carries.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Membership {
    #[serde(rename = "VpcSecurityGroupId")]
    pub(crate) id: String,
}

/// A parameter group that an instance uses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ParameterGroup {
    #[serde(rename = "DBParameterGroupName")]
    pub(crate) name: Option<String>,
}

/// The secret of a master user that RDS manages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MasterUserSecret {
    #[serde(rename = "SecretArn")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "SecretStatus")]
    pub(crate) status: Option<String>,
    pub(crate) kms_key_id: Option<String>,
}

/// The database clusters.
pub(in crate::aws) struct DescribeDbClusters;

impl QueryAction for DescribeDbClusters {
    const ACTION: &'static str = "DescribeDBClusters";
    const CALL: &'static str = "rds:DescribeDBClusters";
    type Answer = Clusters;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.rds
    }
}

impl Listing for DescribeDbClusters {
    type Item = Cluster;

    fn page(answer: Clusters) -> (Vec<Cluster>, Option<String>) {
        (answer.result.clusters, answer.result.marker)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct Clusters {
    #[serde(rename = "DescribeDBClustersResult")]
    result: ClustersResult,
}

#[derive(Debug, Deserialize)]
struct ClustersResult {
    #[serde(rename = "DBClusters", deserialize_with = "list")]
    clusters: Vec<Cluster>,
    #[serde(rename = "Marker")]
    marker: Option<String>,
}

/// A database cluster. It names its subnet group and no VPC; its instances tell both.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Cluster {
    #[serde(rename = "DBClusterIdentifier")]
    pub(crate) id: String,
    pub(crate) status: Option<String>,
    pub(crate) engine: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) reader_endpoint: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) custom_endpoints: Vec<String>,
    pub(crate) port: Option<u16>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) vpc_security_groups: Vec<Membership>,
    #[serde(default)]
    pub(crate) publicly_accessible: bool,
    pub(crate) network_type: Option<String>,
    #[serde(rename = "DBClusterParameterGroup")]
    pub(crate) parameter_group: Option<String>,
    pub(crate) master_user_secret: Option<MasterUserSecret>,
}

/// The proxies.
pub(in crate::aws) struct DescribeDbProxies;

impl QueryAction for DescribeDbProxies {
    const ACTION: &'static str = "DescribeDBProxies";
    const CALL: &'static str = "rds:DescribeDBProxies";
    type Answer = Proxies;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.rds
    }
}

impl Listing for DescribeDbProxies {
    type Item = Proxy;

    fn page(answer: Proxies) -> (Vec<Proxy>, Option<String>) {
        (answer.result.proxies, answer.result.marker)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct Proxies {
    #[serde(rename = "DescribeDBProxiesResult")]
    result: ProxiesResult,
}

#[derive(Debug, Deserialize)]
struct ProxiesResult {
    #[serde(rename = "DBProxies", deserialize_with = "list")]
    proxies: Vec<Proxy>,
    #[serde(rename = "Marker")]
    marker: Option<String>,
}

/// A proxy before databases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Proxy {
    #[serde(rename = "DBProxyName")]
    pub(crate) name: String,
    pub(crate) status: Option<String>,
    /// `MYSQL`, `POSTGRESQL` or `SQLSERVER`.
    pub(crate) engine_family: Option<String>,
    pub(crate) vpc_id: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) vpc_security_group_ids: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) vpc_subnet_ids: Vec<String>,
    pub(crate) endpoint: Option<String>,
    #[serde(rename = "RequireTLS", default)]
    pub(crate) requires_tls: bool,
    /// `IPV4`, `IPV6` or `DUAL`.
    pub(crate) endpoint_network_type: Option<String>,
}

/// The parameters of an instance's parameter group.
pub(in crate::aws) struct DescribeDbParameters;

impl QueryAction for DescribeDbParameters {
    const ACTION: &'static str = "DescribeDBParameters";
    const CALL: &'static str = "rds:DescribeDBParameters";
    type Answer = ParametersPage;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.rds
    }
}

impl Listing for DescribeDbParameters {
    type Item = Parameter;

    fn page(answer: ParametersPage) -> (Vec<Parameter>, Option<String>) {
        (answer.result.parameters, answer.result.marker)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct ParametersPage {
    #[serde(rename = "DescribeDBParametersResult")]
    result: ParametersResult,
}

/// The parameters of a cluster's parameter group.
pub(in crate::aws) struct DescribeDbClusterParameters;

impl QueryAction for DescribeDbClusterParameters {
    const ACTION: &'static str = "DescribeDBClusterParameters";
    const CALL: &'static str = "rds:DescribeDBClusterParameters";
    type Answer = ClusterParameters;

    fn client(aws: &Aws) -> &QueryClient {
        &aws.rds
    }
}

impl Listing for DescribeDbClusterParameters {
    type Item = Parameter;

    fn page(answer: ClusterParameters) -> (Vec<Parameter>, Option<String>) {
        (answer.result.parameters, answer.result.marker)
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::aws) struct ClusterParameters {
    #[serde(rename = "DescribeDBClusterParametersResult")]
    result: ParametersResult,
}

#[derive(Debug, Deserialize)]
struct ParametersResult {
    #[serde(rename = "Parameters", deserialize_with = "list")]
    parameters: Vec<Parameter>,
    #[serde(rename = "Marker")]
    marker: Option<String>,
}

/// One setting of a parameter group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    #[serde(rename = "ParameterName")]
    pub(crate) name: String,
    #[serde(rename = "ParameterValue")]
    pub(crate) value: Option<String>,
}
