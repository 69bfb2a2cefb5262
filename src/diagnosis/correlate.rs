//! Configuration changes, placed in time before the failures.

use super::case::Case;
use super::rule::Stage;
use crate::model::{Cause, Change, Confidence, CorrelatedChange, Finding, Proof, StepName, without_version};

/// How long before the first failure a change must have happened to count as its likely origin, in minutes.
pub(super) const CLOSE_MINUTES: i64 = 30;

/// What comes of a way through the network that is closed.
const NO_WAY: &[Cause] = &[
    Cause::AwsEndpointUnreachable,
    Cause::DbNetworkUnreachable,
    Cause::SuperuserMetadataApiError,
    Cause::DirectoryKinitFailed,
    Cause::DbLoginAmbiguous,
    Cause::DbSuperuserLoginAmbiguous,
    Cause::TargetServiceError,
];

/// Of every kind of change: CloudTrail's event names, the most telling first, and the causes it can produce.
///
/// Names are those of `LookupEvents`; Lambda's carry the API version, other versions of the same name count too.
/// Source: AWS CloudTrail User Guide, and each service's API reference.
const EXPLAINS: &[(&[&str], &[Cause])] = &[
    (
        &[
            "DetachRolePolicy",
            "DeleteRolePolicy",
            "PutRolePolicy",
            "CreatePolicyVersion",
            "SetDefaultPolicyVersion",
            "DeleteRole",
        ],
        &[
            Cause::IamIdentityPolicyMissing,
            Cause::SuperuserSecretAccessDenied,
            Cause::LambdaEniPermissionMissing,
            Cause::KmsAccessDenied,
            Cause::LambdaEnvKmsDenied,
            Cause::SuperuserMetadataApiError,
        ],
    ),
    (&["PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion"], &[Cause::IamExplicitDeny]),
    (
        &["UpdateAssumeRolePolicy"],
        &[Cause::IamIdentityPolicyMissing, Cause::LambdaEniPermissionMissing, Cause::LambdaEnvKmsDenied],
    ),
    (
        &["PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "AttachPolicy", "UpdatePolicy"],
        &[Cause::PermissionsBoundaryOrScpDeny],
    ),
    (&["PutResourcePolicy", "DeleteResourcePolicy"], &[Cause::SecretResourcePolicyDeny, Cause::SecretResourcePolicyMissingAllow]),
    (&["PutKeyPolicy", "RevokeGrant", "RetireGrant"], &[Cause::KmsAccessDenied, Cause::LambdaEnvKmsDenied]),
    (&["DisableKey", "ScheduleKeyDeletion"], &[Cause::KmsKeyDisabledOrPendingDeletion, Cause::LambdaEnvKmsDenied]),
    (
        &["UpdateFunctionCode20150331v2"],
        &[
            Cause::CodeImportError,
            Cause::CodeRuntimeUpgradedAbi,
            Cause::CodeSyntaxOrHandlerError,
            Cause::CodeMissingEnv,
            Cause::CodeNotImplemented,
            Cause::CodeUnhandledException,
            Cause::DependencyMissingAtRuntime,
            Cause::DependencyApiChanged,
            Cause::TemplateBug,
            Cause::LambdaTimeoutTooShort,
            Cause::LambdaOom,
            Cause::LambdaExtensionCrash,
            Cause::LambdaStateFailed,
            Cause::DbScramLibpqOld,
            Cause::DbSslMismatch,
            Cause::RotationLambdaMisbound,
            Cause::RotationTokenMissingCrossAccount,
            Cause::DbPasswordPolicyOrChars,
        ],
    ),
    (
        &["UpdateFunctionConfiguration20150331v2", "PublishLayerVersion20181031"],
        &[
            Cause::CodeImportError,
            Cause::CodeRuntimeUpgradedAbi,
            Cause::CodeSyntaxOrHandlerError,
            Cause::CodeMissingEnv,
            Cause::CodeUnhandledException,
            Cause::DependencyMissingAtRuntime,
            Cause::DependencyApiChanged,
            Cause::LambdaTimeoutTooShort,
            Cause::LambdaOom,
            Cause::LambdaExtensionCrash,
            Cause::LambdaStateFailed,
            Cause::LambdaVpcConfigInvalid,
            Cause::LambdaVpcCapacity,
            Cause::LambdaEnvKmsDenied,
            Cause::LambdaEniPermissionMissing,
            Cause::DbScramLibpqOld,
            Cause::DbSslMismatch,
            Cause::IamIdentityPolicyMissing,
            Cause::RotationLambdaMisbound,
            Cause::DbPasswordPolicyOrChars,
        ],
    ),
    (&["RemovePermission20150331v2", "AddPermission20150331v2"], &[Cause::LambdaInvokePermissionMissing]),
    (&["DeleteFunction20150331", "DeleteAlias20150331"], &[Cause::LambdaFunctionMissing, Cause::LambdaInvokePermissionMissing]),
    (&["PutFunctionConcurrency20171031"], &[Cause::LambdaThrottledConcurrency]),
    (&["RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress", "ModifySecurityGroupRules"], NO_WAY),
    (
        &["DeleteVpcEndpoints", "ModifyVpcEndpoint"],
        &[Cause::AwsEndpointUnreachable, Cause::VpcEndpointPolicyDeny, Cause::SuperuserMetadataApiError],
    ),
    (
        &["DeleteNatGateway"],
        &[
            Cause::AwsEndpointUnreachable,
            Cause::SuperuserMetadataApiError,
            Cause::TargetServiceError,
            Cause::DbNetworkUnreachable,
        ],
    ),
    (
        &["UpdateFunctionConfiguration20150331v2"],
        &[Cause::AwsEndpointUnreachable, Cause::DbNetworkUnreachable, Cause::DbLoginAmbiguous, Cause::DbSuperuserLoginAmbiguous],
    ),
    (
        &["ModifyDBInstance", "ModifyDBCluster", "RestoreDBInstanceFromDBSnapshot", "ModifyDBParameterGroup"],
        &[
            Cause::DbAuthFailed,
            Cause::DbSslMismatch,
            Cause::DbHostMismatchReplica,
            Cause::DbScramLibpqOld,
            Cause::DbPasswordPolicyOrChars,
            Cause::DbLoginAmbiguous,
            Cause::DbSuperuserLoginAmbiguous,
            Cause::DbNetworkUnreachable,
        ],
    ),
    (&["ReplaceRoute", "DeleteRoute", "ReplaceNetworkAclEntry", "CreateNetworkAclEntry"], NO_WAY),
    (&["DeleteSubnet", "DeleteSecurityGroup"], &[Cause::LambdaVpcConfigInvalid]),
    (
        &["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"],
        &[
            Cause::SecretJsonKeyMissing,
            Cause::SecretJsonEngineWrong,
            Cause::SecretJsonInvalid,
            Cause::SecretMasterarnMissing,
            Cause::SecretUsernameChanged,
            Cause::StuckAwspending,
            Cause::VersionNotStagedRace,
            Cause::DbAuthFailed,
            Cause::DbNameMissing,
            Cause::DbSslMismatch,
            Cause::DbHostnameVerification,
            Cause::DbNetworkUnreachable,
            Cause::UsernameTooLongForClone,
            Cause::SuperuserMetadataNotFound,
            Cause::TargetServiceError,
            Cause::DbHostMismatchReplica,
            Cause::DbLoginAmbiguous,
            Cause::RotationAbandonedManualChange,
            Cause::SecretNoCurrentValue,
        ],
    ),
    (&["CancelRotateSecret"], &[Cause::RotationDisabled, Cause::RotationNoLambdaArn]),
    (&["RotateSecret", "RestoreSecret"], &[Cause::ScheduleWrongOrOverdue, Cause::RotationNoLambdaArn]),
    (&["DeleteSecret"], &[Cause::SecretMarkedForDeletion]),
];

/// The CloudTrail event names that can explain `cause`, the most telling first; some may come twice.
pub fn events_explaining(cause: Cause) -> impl Iterator<Item = &'static str> {
    EXPLAINS.iter().filter(move |(_, causes)| causes.contains(&cause)).flat_map(|(events, _)| events.iter().copied())
}

fn can_explain(event: &str, cause: Cause) -> bool {
    events_explaining(cause).any(|name| without_version(name) == without_version(event))
}

/// Places the changes before the failures; one shortly before the first failure, of a kind that can produce a
/// finding's cause, becomes part of that finding and makes it surer.
pub(super) fn place(case: &Case<'_>, findings: &mut [(Stage, Finding)]) -> Vec<CorrelatedChange> {
    let Some(found) = case.evidence.changes.found() else { return Vec::new() };
    let call = found.source.call();
    let mut placed = Vec::with_capacity(found.changes.len());
    for change in &found.changes {
        let minutes = case.failing.as_ref().map(|row| row.first_at.duration_since(change.at).as_mins()).filter(|m| *m >= 0);
        let close = minutes.is_some_and(|minutes| minutes <= CLOSE_MINUTES);
        let mut explains = Vec::new();
        for (_, finding) in findings.iter_mut().filter(|(_, finding)| can_explain(&change.event, finding.cause)) {
            explains.push(finding.cause);
            if close {
                adopt(finding, change, minutes.unwrap_or_default(), call);
            }
        }
        placed.push(CorrelatedChange {
            at: change.at,
            actor: change.actor.clone(),
            event: change.event.clone(),
            resource: change.resource.clone(),
            minutes_before_failure: minutes,
            explains,
        });
    }
    placed
}

fn adopt(finding: &mut Finding, change: &Change, minutes: i64, call: &str) {
    finding.confidence = match finding.confidence {
        Confidence::Possible => Confidence::Likely,
        Confidence::Likely | Confidence::Confirmed => Confidence::Confirmed,
    };
    let is_told = |proof: &Proof| proof.step == StepName::ConfigChanges && proof.at == Some(change.at);
    if finding.evidence.iter().any(is_told) {
        return;
    }
    finding.explanation = format!(
        "{} called {} on {} {} before the first failure. {}",
        change.actor,
        change.event,
        change.resource,
        if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") },
        finding.explanation
    );
    finding.evidence.push(Proof {
        step: StepName::ConfigChanges,
        call: call.to_owned(),
        at: Some(change.at),
        text: format!("{} by {} on {}", change.event, change.actor, change.resource),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_event_names_count_in_every_api_version() {
        assert!(can_explain("UpdateFunctionCode", Cause::CodeImportError));
        assert!(can_explain("UpdateFunctionCode20150331v2", Cause::CodeImportError));
        assert!(can_explain("RemovePermission20150331", Cause::LambdaInvokePermissionMissing));
        assert!(!can_explain("UpdateFunctionCode", Cause::RotationDisabled));
    }

    #[test]
    fn every_cause_named_in_the_matrix_is_looked_up_by_at_least_one_event() {
        assert!(events_explaining(Cause::LambdaFunctionMissing).any(|name| name == "DeleteFunction20150331"));
        assert_eq!(events_explaining(Cause::Benign).count(), 0);
    }
}
