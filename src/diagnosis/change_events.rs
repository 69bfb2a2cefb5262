//! The changes that can explain a cause, by the names CloudTrail gives their events.
//!
//! Names are those of `LookupEvents`; Lambda's carry the API version, other versions of the same name count too.
//! Source: AWS CloudTrail User Guide, and each service's API reference.

/// How long before the first failure a change must have happened to count as its likely origin, in minutes.
pub(super) const CLOSE_MINUTES: i64 = 30;

/// Events of one kind of change, the most telling first.
pub type ChangeEvents = &'static [&'static str];

/// A permission of the role went away, or was written anew.
pub(super) const ROLE_POLICIES: ChangeEvents =
    &["DetachRolePolicy", "DeleteRolePolicy", "PutRolePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeleteRole"];

/// A policy that may deny came to the role.
pub(super) const ROLE_POLICIES_ADDED: ChangeEvents =
    &["PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"];

/// The role is gone.
pub(super) const ROLE_DELETED: ChangeEvents = &["DeleteRole"];

/// Where the secret is replicated to changed.
pub(super) const REPLICATION: ChangeEvents =
    &["ReplicateSecretToRegions", "RemoveRegionsFromReplication", "StopReplicationToReplica"];

/// Who may assume the role changed.
pub(super) const ROLE_TRUST: ChangeEvents = &["UpdateAssumeRolePolicy"];

/// A permissions boundary or an organization's policy changed.
pub(super) const BOUNDARIES: ChangeEvents =
    &["PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "AttachPolicy", "UpdatePolicy"];

/// The secret's resource policy changed.
pub(super) const SECRET_POLICY: ChangeEvents = &["PutResourcePolicy", "DeleteResourcePolicy"];

/// Who may use the KMS key changed.
pub(super) const KEY_POLICY: ChangeEvents = &["PutKeyPolicy", "RevokeGrant", "RetireGrant"];

/// The KMS key was taken out of use.
pub(super) const KEY_STATE: ChangeEvents = &["DisableKey", "ScheduleKeyDeletion"];

/// The function got other code.
pub(super) const FUNCTION_CODE: ChangeEvents = &["UpdateFunctionCode20150331v2"];

/// The function got another configuration, or a layer a new version.
pub(super) const FUNCTION_CONFIGURATION: ChangeEvents = &["UpdateFunctionConfiguration20150331v2", "PublishLayerVersion20181031"];

/// Who may invoke the function changed.
pub(super) const INVOKE_PERMISSION: ChangeEvents = &["RemovePermission20150331v2", "AddPermission20150331v2"];

/// The function, or an alias of it, went away.
pub(super) const FUNCTION_DELETED: ChangeEvents = &["DeleteFunction20150331", "DeleteAlias20150331"];

/// The function's reserved concurrency changed.
pub(super) const FUNCTION_CONCURRENCY: ChangeEvents = &["PutFunctionConcurrency20171031"];

/// What a security group lets through changed.
pub(super) const SECURITY_GROUPS: ChangeEvents =
    &["RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"];

/// A VPC endpoint, or its policy, changed.
pub(super) const VPC_ENDPOINTS: ChangeEvents = &["DeleteVpcEndpoints", "ModifyVpcEndpoint"];

/// A way to the internet went away.
pub(super) const NAT_GATEWAYS: ChangeEvents = &["DeleteNatGateway"];

/// The function moved to other subnets or security groups; this too is a change of its configuration.
pub(super) const FUNCTION_VPC: ChangeEvents = &["UpdateFunctionConfiguration20150331v2"];

/// The database changed.
pub(super) const DATABASE: ChangeEvents =
    &["ModifyDBInstance", "ModifyDBCluster", "RestoreDBInstanceFromDBSnapshot", "ModifyDBParameterGroup"];

/// The database was stopped, or RDS was asked to change its state.
pub(super) const DATABASE_STATE: ChangeEvents = &["StopDBInstance", "StopDBCluster"];

/// A route or a network ACL changed.
pub(super) const ROUTES: ChangeEvents = &["ReplaceRoute", "DeleteRoute", "ReplaceNetworkAclEntry", "CreateNetworkAclEntry"];

/// What the function's network interfaces stood in went away.
pub(super) const SUBNETS_DELETED: ChangeEvents = &["DeleteSubnet", "DeleteSecurityGroup"];

/// The secret's value or its staging labels changed.
pub(super) const SECRET_VALUE: ChangeEvents = &["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"];

/// A staging label was moved.
pub(super) const LABELS: ChangeEvents = &["UpdateSecretVersionStage"];

/// Rotation was turned off.
pub(super) const ROTATION_CANCELLED: ChangeEvents = &["CancelRotateSecret"];

/// Rotation was configured, or the secret restored.
pub(super) const ROTATION_CONFIGURED: ChangeEvents = &["RotateSecret", "RestoreSecret"];

/// The secret was scheduled for deletion.
pub(super) const SECRET_DELETED: ChangeEvents = &["DeleteSecret"];
