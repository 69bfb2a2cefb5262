//! What is asked of RDS about databases.

use super::query::rds;
use super::{Aws, AwsCaller, QueryInput};
use crate::model::Observation;

impl Aws {
    pub(crate) async fn database_instances(
        &self,
        caller: &AwsCaller,
        resource: &str,
        asked: QueryInput,
    ) -> Observation<Vec<rds::RdsInstance>> {
        self.list(rds::DescribeDbInstances, caller, resource, asked).await
    }

    pub(crate) async fn database_clusters(
        &self,
        caller: &AwsCaller,
        resource: &str,
        asked: QueryInput,
    ) -> Observation<Vec<rds::Cluster>> {
        self.list(rds::DescribeDbClusters, caller, resource, asked).await
    }

    pub(crate) async fn database_proxies(
        &self,
        caller: &AwsCaller,
        resource: &str,
        asked: QueryInput,
    ) -> Observation<Vec<rds::Proxy>> {
        self.list(rds::DescribeDbProxies, caller, resource, asked).await
    }

    /// A setting of an instance's parameter group.
    pub(crate) async fn instance_parameter(
        &self,
        caller: &AwsCaller,
        group: &str,
        name: &str,
    ) -> Observation<Vec<rds::Parameter>> {
        let asked = QueryInput::default().with("DBParameterGroupName", group).selected("parameter-name", &[name]);
        self.list(rds::DescribeDbParameters, caller, group, asked).await
    }

    /// A setting of a cluster's parameter group.
    pub(crate) async fn cluster_parameter(
        &self,
        caller: &AwsCaller,
        group: &str,
        name: &str,
    ) -> Observation<Vec<rds::Parameter>> {
        let asked = QueryInput::default().with("DBClusterParameterGroupName", group).selected("parameter-name", &[name]);
        self.list(rds::DescribeDbClusterParameters, caller, group, asked).await
    }
}
