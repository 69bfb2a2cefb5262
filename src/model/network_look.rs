//! What a look at the network is for, and what to begin with.

use super::database_ref::DatabaseHost;
use serde::{Deserialize, Serialize};

/// Which questions about the network are open, and what the evidence tells about the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkLook {
    /// Whether packets get through: groups, subnets, routes and network ACLs.
    pub paths: bool,
    /// Whether AWS's own endpoints are reached.
    pub endpoints: bool,
    /// Whether names are resolved in the VPC at all: asked where nothing shows that one was.
    pub dns_support: bool,
    /// Whether the names of AWS's endpoints lead to the VPC's own.
    pub dns_hostnames: bool,
    /// The database: whether it is reached, and how it is.
    pub database: bool,
    /// The transit gateway on the way to a database that an earlier look found, and nothing else.
    pub transit: bool,
    /// Whether the database refuses connections without TLS.
    pub tls: bool,
    /// The database's engine, as the function's lines or its name give it away.
    pub engine: Option<String>,
    /// Hosts that the function's lines name as the database's, the newest first.
    pub hosts: Vec<DatabaseHost>,
    /// The security groups whose rules were changed, the newest first.
    pub changed_groups: Vec<String>,
}
