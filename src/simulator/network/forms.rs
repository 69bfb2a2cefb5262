//! The tables of a scenario file that declare networks and databases. `config/scenarios/README.md` describes them.

use crate::simulator::policy::PolicyForm;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// All of them. Once completed, nothing is left out.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct NetworkForms {
    pub(in crate::simulator) vpcs: Vec<VpcDeclaration>,
    pub(in crate::simulator) subnets: Vec<SubnetForm>,
    pub(in crate::simulator) route_tables: Vec<RouteTableForm>,
    pub(in crate::simulator) nat_gateways: Vec<NatForm>,
    pub(in crate::simulator) acls: Vec<AclForm>,
    pub(in crate::simulator) groups: Vec<GroupForm>,
    pub(in crate::simulator) endpoints: Vec<EndpointForm>,
    pub(in crate::simulator) peerings: Vec<PeeringForm>,
    pub(in crate::simulator) attachments: Vec<AttachmentForm>,
    pub(in crate::simulator) transit_tables: Vec<TransitTableForm>,
    pub(in crate::simulator) prefix_lists: Vec<PrefixListForm>,
    pub(in crate::simulator) databases: Vec<DatabaseForm>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct VpcDeclaration {
    pub(in crate::simulator) id: String,
    #[serde(default = "usual_range")]
    pub(in crate::simulator) cidr: String,
    #[serde(default = "yes")]
    pub(in crate::simulator) dns_support: bool,
    #[serde(default = "yes")]
    pub(in crate::simulator) dns_hostnames: bool,
    /// The account that owns it; another one's tells nothing.
    pub(in crate::simulator) account: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct SubnetForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    #[serde(default)]
    pub(in crate::simulator) cidr: String,
    /// The last letter of its availability zone.
    #[serde(default)]
    pub(in crate::simulator) zone: String,
    #[serde(default = "plenty")]
    pub(in crate::simulator) free: i64,
    /// Its range of IPv6 addresses.
    pub(in crate::simulator) cidr6: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct RouteTableForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    #[serde(default)]
    pub(in crate::simulator) main: bool,
    #[serde(default)]
    pub(in crate::simulator) subnets: Vec<String>,
    /// `0.0.0.0/0 nat-0a1b`, with `blackhole` behind it where the target is gone.
    #[serde(default)]
    pub(in crate::simulator) routes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct NatForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    #[serde(default)]
    pub(in crate::simulator) subnet: String,
    #[serde(default = "available")]
    pub(in crate::simulator) state: String,
    #[serde(default)]
    pub(in crate::simulator) private: bool,
    pub(in crate::simulator) failure: Option<String>,
    /// Its public address.
    #[serde(default = "public_address")]
    pub(in crate::simulator) address: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct AclForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    #[serde(default)]
    pub(in crate::simulator) default: bool,
    #[serde(default)]
    pub(in crate::simulator) subnets: Vec<String>,
    /// `100 in allow tcp 5432 10.0.0.0/16`; what none matches is denied.
    #[serde(default)]
    pub(in crate::simulator) entries: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct GroupForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) name: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    /// `tcp 5432 sg-0a1b`, `tcp 1024-65535 10.0.0.0/8`, `all pl-0a1b`, `tcp 5432 sg-0a1b over pcx-0a1b`.
    #[serde(default, rename = "in")]
    pub(in crate::simulator) ingress: Vec<String>,
    #[serde(default = "everywhere", rename = "out")]
    pub(in crate::simulator) egress: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct EndpointForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    /// `secretsmanager`, or the whole name.
    #[serde(default = "secrets_manager")]
    pub(in crate::simulator) service: String,
    #[serde(default)]
    pub(in crate::simulator) gateway: bool,
    #[serde(default = "available")]
    pub(in crate::simulator) state: String,
    pub(in crate::simulator) subnets: Option<Vec<String>>,
    pub(in crate::simulator) groups: Option<Vec<String>>,
    #[serde(default)]
    pub(in crate::simulator) route_tables: Vec<String>,
    #[serde(default = "yes")]
    pub(in crate::simulator) private_dns: bool,
    pub(in crate::simulator) policy: Option<PolicyForm>,
    /// The policy with its placeholders replaced.
    #[serde(skip)]
    pub(in crate::simulator) document: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct PeeringForm {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) from: String,
    pub(in crate::simulator) to: String,
    #[serde(default = "active")]
    pub(in crate::simulator) status: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct AttachmentForm {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) gateway: String,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    #[serde(default = "available")]
    pub(in crate::simulator) state: String,
    #[serde(default)]
    pub(in crate::simulator) subnets: Vec<String>,
    /// The gateway's route table that it is associated with; its default one where left out, none where empty.
    pub(in crate::simulator) table: Option<String>,
    /// The account that owns the gateway, where it is another one.
    pub(in crate::simulator) gateway_account: Option<String>,
}

/// A route table of a transit gateway. The routes of one that is not declared lead to every attached VPC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct TransitTableForm {
    pub(in crate::simulator) id: String,
    /// `10.1.0.0/16 tgw-attach-0a1b`, or `10.1.0.0/16 blackhole`.
    #[serde(default)]
    pub(in crate::simulator) routes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct PrefixListForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) ranges: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct DatabaseForm {
    pub(in crate::simulator) id: String,
    #[serde(default)]
    pub(in crate::simulator) kind: DatabaseKindForm,
    #[serde(default = "postgres")]
    pub(in crate::simulator) engine: String,
    #[serde(default = "available")]
    pub(in crate::simulator) status: String,
    pub(in crate::simulator) port: Option<i64>,
    #[serde(default)]
    pub(in crate::simulator) vpc: String,
    pub(in crate::simulator) subnets: Option<Vec<String>>,
    /// One that lets the functions in, where left out.
    pub(in crate::simulator) groups: Option<Vec<String>>,
    #[serde(default)]
    pub(in crate::simulator) multi_az: bool,
    #[serde(default)]
    pub(in crate::simulator) public: bool,
    /// In GiB.
    #[serde(default = "some_storage")]
    pub(in crate::simulator) storage: i64,
    /// Addresses of IPv6 too.
    #[serde(default)]
    pub(in crate::simulator) dual_stack: bool,
    /// The name of the `[[secret]]` whose rotation logs in to it.
    pub(in crate::simulator) secret: Option<String>,
    /// Of its parameter group.
    #[serde(default)]
    pub(in crate::simulator) parameters: BTreeMap<String, String>,
    /// Of a proxy.
    #[serde(default)]
    pub(in crate::simulator) requires_tls: bool,
    /// The name of the `[[secret]]` of its master user, which RDS manages.
    pub(in crate::simulator) owns: Option<String>,
    #[serde(default = "active")]
    pub(in crate::simulator) secret_status: String,
    /// The ARN of that secret.
    #[serde(skip)]
    pub(in crate::simulator) secret_arn: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum DatabaseKindForm {
    #[default]
    Instance,
    /// With one instance, its writer.
    Cluster,
    Proxy,
}

impl DatabaseForm {
    pub(in crate::simulator) fn port(&self) -> i64 {
        self.port.unwrap_or(match self.engine.as_str() {
            engine if engine.contains("mysql") || engine == "mariadb" => 3306,
            engine if engine.starts_with("oracle") => 1521,
            engine if engine.starts_with("sqlserver") => 1433,
            "docdb" => 27017,
            _ => 5432,
        })
    }
}

fn yes() -> bool {
    true
}

fn plenty() -> i64 {
    250
}

fn usual_range() -> String {
    "10.0.0.0/16".into()
}

fn some_storage() -> i64 {
    100
}

/// Source of the range: RFC 5737, for documents.
fn public_address() -> String {
    "203.0.113.20".into()
}

fn available() -> String {
    "available".into()
}

fn active() -> String {
    "active".into()
}

fn postgres() -> String {
    "postgres".into()
}

fn secrets_manager() -> String {
    "secretsmanager".into()
}

fn everywhere() -> Vec<String> {
    vec!["all 0.0.0.0/0".into()]
}
