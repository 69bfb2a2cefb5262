//! CloudTrail records, in the shapes AWS writes them.

use super::names::NameTable;
use crate::simulator::declaration::{ChangeForm, EventShape, ReadsForm};
use crate::simulator::ids;
use crate::simulator::json::set;
use crate::simulator::when::Length;
use crate::simulator::world::SimulatedTrailEvent;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Who made a call.
pub(super) enum TrailActor {
    User(String),
    Session { role: String, session: String },
    Aws(String),
}

/// An API call to record.
pub(super) struct TrailCall<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    pub(super) at: Timestamp,
    pub(super) region: &'a str,
    pub(super) actor: TrailActor,
    /// What the caller calls itself; its address where left out.
    pub(super) agent: Option<&'a str>,
    /// The service on whose behalf it was made.
    pub(super) via: Option<&'a str>,
    pub(super) parameters: Value,
    pub(super) response: Value,
    pub(super) error: Option<(&'a str, String)>,
}

impl TrailActor {
    /// `carol`, `Role/session`, or `service:rds.amazonaws.com`.
    pub(super) fn parse(text: &str) -> Self {
        if let Some(host) = text.strip_prefix("service:") {
            TrailActor::Aws(host.into())
        } else if let Some((role, session)) = text.split_once('/') {
            TrailActor::Session { role: role.into(), session: session.into() }
        } else {
            TrailActor::User(text.into())
        }
    }

    fn username(&self) -> Option<String> {
        match self {
            TrailActor::User(name) | TrailActor::Session { session: name, .. } => Some(name.clone()),
            TrailActor::Aws(_) => None,
        }
    }

    fn access_key(&self) -> Option<String> {
        match self {
            TrailActor::User(name) => Some(ids::iam_id("AKIA", name)),
            TrailActor::Session { role, .. } => Some(ids::iam_id("ASIA", role)),
            TrailActor::Aws(_) => None,
        }
    }

    fn identity(&self, account: &str) -> Value {
        match self {
            TrailActor::User(name) => json!({
                "type": "IAMUser",
                "principalId": ids::iam_id("AIDA", name),
                "arn": format!("arn:aws:iam::{account}:user/{name}"),
                "accountId": account,
                "accessKeyId": self.access_key(),
                "userName": name,
            }),
            TrailActor::Session { role, session } => json!({
                "type": "AssumedRole",
                "principalId": format!("{}:{session}", ids::iam_id("AROA", role)),
                "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
                "accountId": account,
                "accessKeyId": self.access_key(),
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": ids::iam_id("AROA", role),
                        "arn": format!("arn:aws:iam::{account}:role/{role}"),
                        "accountId": account,
                        "userName": role,
                    },
                    "attributes": { "mfaAuthenticated": "false" },
                },
            }),
            TrailActor::Aws(host) => json!({ "type": "AWSService", "invokedBy": host }),
        }
    }
}

/// The record of an API call.
pub(super) fn api_event(account: &str, call: TrailCall<'_>) -> SimulatedTrailEvent {
    let read_only = ["Get", "List", "Describe", "Lookup", "Search", "BatchGet"].iter().any(|verb| call.name.starts_with(verb));
    let id = ids::uuid(&format!("{}/{}/{}", call.name, call.at, call.parameters));
    let address = match (&call.actor, call.via) {
        (TrailActor::Aws(host), _) => host.clone(),
        (_, Some(service)) => service.to_owned(),
        _ => "198.51.100.7".into(),
    };
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": call.actor.identity(account),
        "eventTime": seconds(call.at),
        "eventSource": call.source,
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": address,
        "userAgent": call.agent.unwrap_or(&address),
        "requestParameters": call.parameters,
        "responseElements": call.response,
        "requestID": ids::uuid(&format!("request/{id}")),
        "eventID": id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let Some(service) = call.via
        && let Some(identity) = record.get_mut("userIdentity")
    {
        set(identity, "invokedBy", json!(service));
    }
    if let Some((code, message)) = &call.error {
        set(&mut record, "errorCode", json!(code));
        set(&mut record, "errorMessage", json!(message));
    }
    SimulatedTrailEvent {
        id,
        at: call.at,
        region: call.region.to_owned(),
        name: call.name.to_owned(),
        source: call.source.to_owned(),
        username: call.actor.username(),
        access_key: call.actor.access_key(),
        read_only,
        resources: resources(&call.parameters),
        record,
    }
}

/// The record of a rotation event, which Secrets Manager writes itself: no error code, no resources.
pub(super) fn rotation_event(
    account: &str,
    region: &str,
    at: Timestamp,
    name: &str,
    (secret_arn, version): (&str, &str),
    error: Option<&str>,
    shape: EventShape,
) -> SimulatedTrailEvent {
    const SOURCE: &str = "secretsmanager.amazonaws.com";
    let id = ids::uuid(&format!("{name}/{at}/{secret_arn}"));
    let mut record = json!({
        "eventVersion": "1.08",
        "userIdentity": { "accountId": account, "invokedBy": SOURCE },
        "eventTime": seconds(at),
        "eventSource": SOURCE,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": SOURCE,
        "userAgent": SOURCE,
        "requestParameters": null,
        "responseElements": null,
        "requestID": format!("Rotation-{secret_arn}-{version}"),
        "eventID": id,
        "readOnly": false,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    match shape {
        EventShape::AdditionalEventData => {
            set(&mut record, "additionalEventData", json!({ "SecretId": secret_arn }));
        }
        EventShape::ServiceEventDetails => {
            set(&mut record, "serviceEventDetails", json!({ "secretId": secret_arn }));
        }
    }
    if let Some(error) = error {
        set(&mut record, "errorMessage", json!(error));
    }
    SimulatedTrailEvent {
        id,
        at,
        region: region.to_owned(),
        name: name.to_owned(),
        source: SOURCE.to_owned(),
        username: None,
        access_key: None,
        read_only: false,
        resources: Vec::new(),
        record,
    }
}

/// The record of a `[[change]]`.
pub(super) fn change(names: &NameTable<'_>, form: &ChangeForm) -> Result<SimulatedTrailEvent, String> {
    let source = match &form.source {
        Some(source) => source.as_str(),
        None => source_of(&form.event).ok_or_else(|| format!("[[change]] {}: name its `source`", form.event))?,
    };
    let region = match &form.region {
        Some(region) => region.as_str(),
        None if source == "iam.amazonaws.com" || source == "organizations.amazonaws.com" => "us-east-1",
        None => names.region(None),
    };
    let filled = |table: &Option<toml::Table>| -> Result<Value, String> {
        let Some(table) = table else {
            return Ok(Value::Null);
        };
        let text = serde_json::to_string(table).map_err(|error| error.to_string())?;
        serde_json::from_str(&names.fill(&text, &[])?).map_err(|error| error.to_string())
    };
    Ok(api_event(
        names.account(),
        TrailCall {
            name: &form.event,
            source,
            at: names.time(&form.at)?,
            region,
            actor: TrailActor::parse(&form.by),
            agent: form.agent.as_deref(),
            via: form.via.as_deref(),
            parameters: filled(&form.parameters)?,
            response: filled(&form.response)?,
            error: form.error.as_deref().map(|code| (code, form.error_message.clone().unwrap_or_default())),
        },
    ))
}

/// The records of `[[reads]]`.
pub(super) fn reads(names: &NameTable<'_>, form: &ReadsForm) -> Result<Vec<SimulatedTrailEvent>, String> {
    let secret = names.secret(form.secret.as_ref())?;
    let Length(every) = form.every;
    let until = names.time(&form.until)?;
    (0..form.count)
        .map(|nth| {
            let nth = i32::try_from(nth).map_err(|error| error.to_string())?;
            Ok(api_event(
                names.account(),
                TrailCall {
                    name: "GetSecretValue",
                    source: "secretsmanager.amazonaws.com",
                    at: until.checked_sub(every * nth).map_err(|error| error.to_string())?,
                    region: names.region(secret.region.as_ref()),
                    actor: TrailActor::parse(&form.by),
                    agent: None,
                    via: None,
                    parameters: json!({ "secretId": if form.by_arn { names.secret_arn(secret) } else { secret.name.clone() } }),
                    response: Value::Null,
                    error: form
                        .denied
                        .then(|| ("AccessDenied", "not authorized to perform: secretsmanager:GetSecretValue".to_owned())),
                },
            ))
        })
        .collect()
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What event history lists a call under.
fn resources(parameters: &Value) -> Vec<(String, String)> {
    [
        ("roleName", "AWS::IAM::Role"),
        ("policyArn", "AWS::IAM::Policy"),
        ("policyName", "AWS::IAM::Policy"),
        ("functionName", "AWS::Lambda::Function"),
        ("secretId", "AWS::SecretsManager::Secret"),
        ("keyId", "AWS::KMS::Key"),
        ("groupId", "AWS::EC2::SecurityGroup"),
        ("dBInstanceIdentifier", "AWS::RDS::DBInstance"),
    ]
    .into_iter()
    .filter_map(|(member, kind)| Some((kind, parameters.get(member)?.as_str()?)))
    .flat_map(|(kind, name)| {
        // Of a function named by its ARN, the name is listed too.
        let short = name.split_once(":function:").map(|(_, rest)| rest.split(':').next().unwrap_or(rest));
        std::iter::once(name).chain(short).map(|name| (kind.to_owned(), name.to_owned())).collect::<Vec<_>>()
    })
    .collect()
}

/// The service that owns an event name, where the name alone tells.
fn source_of(event: &str) -> Option<&'static str> {
    const SOURCES: [(&str, &[&str]); 6] = [
        (
            "secretsmanager.amazonaws.com",
            &[
                "RotateSecret",
                "CancelRotateSecret",
                "PutResourcePolicy",
                "DeleteResourcePolicy",
                "PutSecretValue",
                "UpdateSecret",
                "UpdateSecretVersionStage",
                "DeleteSecret",
                "RestoreSecret",
                "CreateSecret",
                "GetSecretValue",
                "ReplicateSecretToRegions",
                "RemoveRegionsFromReplication",
                "StopReplicationToReplica",
            ],
        ),
        (
            "kms.amazonaws.com",
            &[
                "DisableKey",
                "EnableKey",
                "ScheduleKeyDeletion",
                "CancelKeyDeletion",
                "PutKeyPolicy",
                "CreateGrant",
                "RevokeGrant",
                "RetireGrant",
            ],
        ),
        (
            "lambda.amazonaws.com",
            &[
                "UpdateFunction",
                "AddPermission",
                "RemovePermission",
                "PutFunctionConcurrency",
                "DeleteFunction",
                "CreateFunction",
                "PublishLayerVersion",
                "PublishVersion",
                "UpdateAlias",
            ],
        ),
        (
            "ec2.amazonaws.com",
            &[
                "RevokeSecurityGroup",
                "AuthorizeSecurityGroup",
                "ModifySecurityGroupRules",
                "DeleteNatGateway",
                "DeleteVpcEndpoints",
                "ModifyVpcEndpoint",
                "CreateVpcEndpoint",
                "ReplaceRoute",
                "DeleteRoute",
                "ReplaceNetworkAcl",
                "CreateNetworkAclEntry",
                "DeleteSubnet",
                "DeleteSecurityGroup",
            ],
        ),
        ("rds.amazonaws.com", &["ModifyDB", "RestoreDB", "RebootDB", "CreateDB", "DeleteDB"]),
        (
            "iam.amazonaws.com",
            &[
                "PutRole",
                "DeleteRole",
                "AttachRole",
                "DetachRole",
                "CreatePolicy",
                "DeletePolicy",
                "SetDefaultPolicyVersion",
                "UpdateAssumeRolePolicy",
                "CreateRole",
                "UpdateRole",
            ],
        ),
    ];
    // The longest prefix wins: `DeleteRolePolicy` is IAM's, `DeleteRoute` is EC2's.
    SOURCES
        .iter()
        .flat_map(|(source, prefixes)| prefixes.iter().map(move |prefix| (*source, *prefix)))
        .filter(|(_, prefix)| event.starts_with(prefix))
        .max_by_key(|(_, prefix)| prefix.len())
        .map(|(source, _)| source)
}
