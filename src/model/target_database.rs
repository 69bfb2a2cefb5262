//! A database that the secret may be for, as RDS describes it.

use super::observation::Observation;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// A database that the function must reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetDatabase {
    pub kind: DatabaseKind,
    /// Its identifier, or its host name where RDS does not know it.
    pub id: String,
    /// Such as `postgres` or `aurora-mysql`.
    pub engine: Option<String>,
    /// The host name of its endpoint; `None` before it has one.
    pub host: Option<String>,
    /// Its address, where the host is one or a line of the log names it.
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    /// RDS's status, such as `available` or `stopped`; `None` where RDS does not know it.
    pub status: Option<String>,
    pub vpc_id: Option<String>,
    /// The subnets it may stand in: its subnet group's, those of its zone alone where one is known.
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    /// True where its host name leads to a public address from outside its VPC.
    pub publicly_accessible: bool,
    /// True where its host name leads to addresses of both IPv4 and IPv6.
    #[serde(default)]
    pub is_dual_stack: bool,
    /// True where its host name leads to addresses of IPv6 alone.
    #[serde(default)]
    pub is_ipv6_only: bool,
    /// How much storage it was given, in GiB; `None` where that was not told, and for storage that grows by itself.
    #[serde(default)]
    pub storage_gib: Option<u32>,
    /// Whether it refuses connections without TLS, where that was asked.
    pub tls: Observation<TlsDemand>,
    /// The certificate authority of its certificate, such as `rds-ca-rsa2048-g1`.
    pub authority: Option<String>,
    /// The secret of its master user that RDS manages.
    pub master_secret: Option<MasterSecret>,
    /// How it was found.
    pub found_by: DatabaseChoice,
}

/// What RDS calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    Instance,
    Cluster,
    Proxy,
    /// A host that RDS does not know.
    Host,
}

/// How a database was found, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseChoice {
    /// The configuration names it for this secret.
    Configured,
    /// A tag of the secret names it.
    Tagged,
    /// It owns the secret.
    Owner,
    /// A line of the function's log names its host.
    Logged,
    /// It carries the group whose rule was changed.
    ChangedGroup,
    /// It is one of the template's engine in the function's VPC: a guess.
    SameEngine,
}

/// What a server demands about TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsDemand {
    /// True where it refuses connections without TLS.
    pub is_forced: bool,
    /// The parameter that says so, such as `rds.force_ssl` or `require_secure_transport`; a proxy's is `RequireTLS`.
    pub parameter: String,
    /// The parameter group it stands in; `None` for a proxy.
    pub parameter_group: Option<String>,
}

/// The secret of a master user that RDS manages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterSecret {
    pub arn: String,
    /// `creating`, `active`, `rotating` or `impaired`.
    pub status: String,
    pub kms_key_id: Option<String>,
}
