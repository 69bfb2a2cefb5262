//! Scenario files: an AWS account in a few lines of TOML. `config/scenarios/README.md` describes the format.

use super::declaration::{
    AccountForm, CallerForm, ChangeForm, CloudTrailForm, DatapointForm, FaultForm, FunctionForm, HealthEventForm, InvocationForm,
    KeyForm, LayerForm, LogForm, ManagedPolicyForm, MetricsForm, PagesForm, ReadsForm, RoleForm, RotationForm, SecretForm,
    TrailForm,
};
use super::network::{
    AclForm, AttachmentForm, DatabaseForm, EndpointForm, GroupForm, NatForm, NetworkForms, PeeringForm, PrefixListForm,
    RouteTableForm, SubnetForm, TransitTableForm, VpcDeclaration,
};
use super::policy::PolicyForm;
use super::when::When;
use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The folder of the scenario files. The build script has it read again when a file comes, goes or changes.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/scenarios");

/// An AWS account, as a scenario file declares it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub title: String,
    /// One sentence: what happened.
    pub story: String,
    /// What a diagnosis of it has to say.
    pub expect: Option<Expect>,
    #[serde(default)]
    pub(super) account: AccountForm,
    #[serde(default)]
    pub(super) times: BTreeMap<String, When>,
    #[serde(default)]
    pub(super) caller: CallerForm,
    #[serde(default)]
    pub(super) pages: PagesForm,
    #[serde(default)]
    pub(super) metrics: MetricsForm,
    #[serde(default)]
    pub(super) cloudtrail: CloudTrailForm,
    #[serde(default, rename = "secret")]
    pub(super) secrets: Vec<SecretForm>,
    #[serde(default, rename = "function")]
    pub(super) functions: Vec<FunctionForm>,
    #[serde(default, rename = "role")]
    pub(super) roles: Vec<RoleForm>,
    #[serde(default, rename = "policy")]
    pub(super) policies: Vec<ManagedPolicyForm>,
    #[serde(default)]
    pub(super) scp: BTreeMap<String, PolicyForm>,
    #[serde(default, rename = "key")]
    pub(super) keys: Vec<KeyForm>,
    #[serde(default, rename = "rotation")]
    pub(super) rotations: Vec<RotationForm>,
    #[serde(default, rename = "invocation")]
    pub(super) invocations: Vec<InvocationForm>,
    #[serde(default, rename = "log")]
    pub(super) logs: Vec<LogForm>,
    #[serde(default, rename = "change")]
    pub(super) changes: Vec<ChangeForm>,
    #[serde(default, rename = "layer")]
    pub(super) layers: Vec<LayerForm>,
    #[serde(default, rename = "reads")]
    pub(super) reads: Vec<ReadsForm>,
    #[serde(default, rename = "trail")]
    pub(super) trails: Vec<TrailForm>,
    #[serde(default, rename = "metric")]
    pub(super) datapoints: Vec<DatapointForm>,
    #[serde(default, rename = "fault")]
    pub(super) faults: Vec<FaultForm>,
    #[serde(default, rename = "health_event")]
    pub(super) health_events: Vec<HealthEventForm>,
    #[serde(default, rename = "vpc")]
    vpcs: Vec<VpcDeclaration>,
    #[serde(default, rename = "subnet")]
    subnets: Vec<SubnetForm>,
    #[serde(default, rename = "route_table")]
    route_tables: Vec<RouteTableForm>,
    #[serde(default, rename = "nat_gateway")]
    nat_gateways: Vec<NatForm>,
    #[serde(default, rename = "network_acl")]
    acls: Vec<AclForm>,
    #[serde(default, rename = "security_group")]
    groups: Vec<GroupForm>,
    #[serde(default, rename = "vpc_endpoint")]
    endpoints: Vec<EndpointForm>,
    #[serde(default, rename = "peering")]
    peerings: Vec<PeeringForm>,
    #[serde(default, rename = "transit_attachment")]
    attachments: Vec<AttachmentForm>,
    #[serde(default, rename = "transit_table")]
    transit_tables: Vec<TransitTableForm>,
    #[serde(default, rename = "prefix_list")]
    prefix_lists: Vec<PrefixListForm>,
    #[serde(default, rename = "database")]
    databases: Vec<DatabaseForm>,
}

/// What a diagnosis of the scenario has to say; parsed here, judged by the tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The secret to ask about; the first one where left out.
    pub secret: Option<String>,
    /// `root_cause`, `healthy`, `inconclusive` or `not_found`.
    pub outcome: String,
    /// The id of the first finding's cause.
    pub cause: Option<String>,
    /// `confirmed`, `likely` or `possible`.
    pub confidence: Option<String>,
    /// Causes that must not be found.
    #[serde(default)]
    pub not_cause: Vec<String>,
    /// Causes listed beneath the first one, as its symptoms.
    #[serde(default)]
    pub inhibited: Vec<String>,
    /// Causes that could not be judged.
    #[serde(default)]
    pub not_checked: Vec<String>,
    /// The function's code is looked at.
    #[serde(default)]
    pub inspect_code: bool,
    /// Causes that are foretold of the next rotation.
    #[serde(default)]
    pub obstacles: Vec<String>,
    /// What the function's code has to show is the observation of this kind, such as `denied`.
    pub code: Option<String>,
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file is not TOML, or has a key or value the format does not know.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// A name, time or policy in it makes no sense.
    #[error("{0}")]
    Meaning(String),
}

impl From<String> for ScenarioError {
    fn from(text: String) -> Self {
        ScenarioError::Meaning(text)
    }
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Where it is not TOML or has unknown keys; names and times are looked up when it is played.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// The scenarios that ship with the program: name and text, by name.
    pub fn embedded() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.files().filter_map(|file| {
            let path = file.path();
            let is_scenario = path.extension().is_some_and(|ending| ending == "toml");
            Some((path.file_stem()?.to_str()?, file.contents_utf8()?)).filter(|_| is_scenario)
        })
    }

    /// Networks and databases as they are declared.
    pub(super) fn network(&self) -> NetworkForms {
        NetworkForms {
            vpcs: self.vpcs.clone(),
            subnets: self.subnets.clone(),
            route_tables: self.route_tables.clone(),
            nat_gateways: self.nat_gateways.clone(),
            acls: self.acls.clone(),
            groups: self.groups.clone(),
            endpoints: self.endpoints.clone(),
            peerings: self.peerings.clone(),
            attachments: self.attachments.clone(),
            transit_tables: self.transit_tables.clone(),
            prefix_lists: self.prefix_lists.clone(),
            databases: self.databases.clone(),
        }
    }

    /// The time the scenario is set at, where it insists on one.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.account.now
    }

    /// The region the scenario plays in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.account.region
    }

    /// The account's id, twelve digits.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account.id
    }

    /// The secret to ask about: that of `[expect]`, else the first.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.expect
            .as_ref()
            .and_then(|expect| expect.secret.as_deref())
            .or_else(|| self.secrets.first().map(|secret| secret.name.as_str()))
    }
}
