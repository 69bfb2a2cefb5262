//! The catalogue of root causes. The ids are a public contract: they appear in JSON reports, metrics and links.

use serde::{Deserialize, Serialize};

/// The diagnosis item of the runbook that a cause belongs to (1 to 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DiagnosisItem(pub u8);

impl DiagnosisItem {
    /// What the runbook calls this item.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self.0 {
            1 => "log errors",
            2 => "role permissions",
            3 => "metrics",
            4 => "rotation configuration",
            5 => "rotation history",
            6 => "access to the secret",
            7 => "correlated changes",
            8 => "comparison with other secrets",
            _ => "database connectivity",
        }
    }
}

macro_rules! causes {
    ($( $(#[$meta:meta])* $variant:ident = $id:literal, $item:literal, $title:literal; )+) => {
        /// A root cause, or one of the two labels that only a log line carries.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Cause {
            $( $(#[$meta])* #[doc = $title] #[serde(rename = $id)] $variant, )+
        }

        impl Cause {
            /// Every cause, in the order of the catalogue.
            pub const ALL: &'static [Cause] = &[$( Cause::$variant, )+];

            /// The stable id, in snake case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $( Cause::$variant => $id, )+ }
            }

            /// One line that states the defect, without a full stop.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $( Cause::$variant => $title, )+ }
            }

            /// The runbook's diagnosis item this cause is reported under.
            #[must_use]
            pub const fn diagnosis_item(self) -> DiagnosisItem {
                DiagnosisItem(match self { $( Cause::$variant => $item, )+ })
            }
        }
    };
}

causes! {
    IamIdentityPolicyMissing = "iam_identity_policy_missing", 2, "the function's role lacks a permission that rotation needs";
    IamExplicitDeny = "iam_explicit_deny", 2, "a policy of the function's role explicitly denies rotation";
    PermissionsBoundaryOrScpDeny = "permissions_boundary_or_scp_deny", 2, "a permissions boundary or organization policy stops the function's role";
    SecretResourcePolicyDeny = "secret_resource_policy_deny", 6, "the secret's resource policy denies the function's role";
    SecretResourcePolicyMissingAllow = "secret_resource_policy_missing_allow", 6, "the secret's resource policy does not allow the caller from another account";
    SuperuserSecretAccessDenied = "superuser_secret_access_denied", 2, "the function may not read the superuser secret";
    KmsAccessDenied = "kms_access_denied", 6, "the function's role may not use the secret's KMS key";
    KmsKeyDisabledOrPendingDeletion = "kms_key_disabled_or_pending_deletion", 6, "the KMS key is disabled, pending deletion or gone";
    LambdaEnvKmsDenied = "lambda_env_kms_denied", 6, "Lambda cannot decrypt the function's environment variables";
    LambdaInvokePermissionMissing = "lambda_invoke_permission_missing", 3, "Secrets Manager may not invoke the rotation function";
    VpcEndpointPolicyDeny = "vpc_endpoint_policy_deny", 6, "a VPC endpoint policy denies the call";
    OperatorPermissionMissing = "operator_permission_missing", 2, "the person or pipeline that starts rotation lacks a permission";
    LambdaEniPermissionMissing = "lambda_eni_permission_missing", 2, "the function's role may not create network interfaces in its VPC";

    LambdaInPublicSubnet = "lambda_in_public_subnet", 9, "the function is in a public subnet, which gives it no way to the Internet";
    AwsEndpointUnreachable = "aws_endpoint_unreachable", 9, "the function cannot reach an AWS endpoint";
    DbNotAvailable = "db_not_available", 9, "the database is not available";
    DbNetworkUnreachable = "db_network_unreachable", 9, "the function cannot reach the database over the network";
    /// A line's label, resolved by the step, the last line and the duration; never a finding.
    TimeoutAmbiguous = "timeout_ambiguous", 9, "the invocation timed out";
    LambdaTimeoutTooShort = "lambda_timeout_too_short", 9, "the function's timeout is shorter than its normal work";

    DbLoginAmbiguous = "db_login_ambiguous", 9, "the function cannot log in to the database";
    DbSuperuserLoginAmbiguous = "db_superuser_login_ambiguous", 9, "the function cannot log in to the database as the superuser";
    DbAuthFailed = "db_auth_failed", 9, "the database refuses the credentials in the secret";
    ValueWrittenBackByIac = "value_written_back_by_iac", 7, "infrastructure as code wrote an old value over the rotated one";
    DbUserHostPattern = "db_user_host_pattern", 9, "the database does not know the user for the function's address";
    DbAuthPluginRemoved = "db_auth_plugin_removed", 9, "the database no longer has the user's authentication plugin";
    DbThroughProxy = "db_through_proxy", 9, "the function reaches the database through RDS Proxy, which refuses the login";
    DbSslMismatch = "db_ssl_mismatch", 9, "the function and the database disagree about TLS";
    DbHostnameVerification = "db_hostname_verification", 9, "the database's TLS certificate does not match the host in the secret";
    DbScramLibpqOld = "db_scram_libpq_old", 9, "the function's PostgreSQL library is too old for SCRAM authentication";
    DbNativeEncryptionUnsupported = "db_native_encryption_unsupported", 9, "the database requires native encryption that the \
                                                                            driver does not support";
    DbNameMissing = "db_name_missing", 9, "the database named in the secret does not exist";
    DbPermissionInsufficient = "db_permission_insufficient", 9, "the database user may not change the password";
    DbPasswordPolicyOrChars = "db_password_policy_or_chars", 9, "the database or service rejects the generated password";
    DbHostMismatchReplica = "db_host_mismatch_replica", 9, "the host differs between versions, or from the superuser's";
    SecretUsernameChanged = "secret_username_changed", 1, "the user name differs between the secret's versions";
    UsernameTooLongForClone = "username_too_long_for_clone", 1, "the user name is too long for _clone to be appended";
    TargetServiceAsyncPropagation = "target_service_async_propagation", 9, "the database or service had not applied the change \
                                                                            yet";
    TargetServiceLimit = "target_service_limit", 9, "a quota of the service behind the secret is exhausted";
    TargetServiceError = "target_service_error", 9, "the service behind the secret answered with an error";
    DirectoryKinitFailed = "directory_kinit_failed", 9, "Active Directory refused the function's credentials or keytab";
    SuperuserMetadataApiError = "superuser_metadata_api_error", 1, "the function could not look up the superuser secret's database";
    SuperuserMetadataNotFound = "superuser_metadata_not_found", 1, "the database named by the superuser secret is gone";

    SecretJsonKeyMissing = "secret_json_key_missing", 1, "the secret's JSON lacks a required key";
    SecretJsonEngineWrong = "secret_json_engine_wrong", 1, "the secret's engine is not the one the function handles";
    SecretJsonInvalid = "secret_json_invalid", 1, "the secret's value is not valid JSON";
    SecretMasterarnMissing = "secret_masterarn_missing", 1, "the secret does not name its superuser secret";
    StuckAwspending = "stuck_awspending", 5, "AWSPENDING is stuck on a version that never became current";
    VersionNotStagedRace = "version_not_staged_race", 1, "the version being rotated lost its staging label";
    RotationAbandonedManualChange = "rotation_abandoned_manual_change", 5, "the secret was changed while it was rotating";
    RotationTokenMissingCrossAccount = "rotation_token_missing_cross_account", 1, "the function stored the new version without the rotation token";
    InvokedManuallyOrBadEvent = "invoked_manually_or_bad_event", 1, "the function was invoked by something other than rotation";
    RotationLambdaMisbound = "rotation_lambda_misbound", 1, "the rotation function belongs to another secret or user";
    SecretNotFound = "secret_not_found", 4, "there is no such secret here";
    SecretMarkedForDeletion = "secret_marked_for_deletion", 4, "the secret is scheduled for deletion";
    SecretNoCurrentValue = "secret_no_current_value", 4, "the secret never got a value";

    RotationDisabled = "rotation_disabled", 4, "rotation is turned off";
    RotationNeverEnabled = "rotation_never_enabled", 4, "rotation was never turned on";
    RotationNoLambdaArn = "rotation_no_lambda_arn", 4, "rotation has no function";
    ScheduleWrongOrOverdue = "schedule_wrong_or_overdue", 4, "the rotation is overdue, or its schedule never fires";
    ManagedRotation = "managed_rotation", 4, "another AWS service rotates this secret";
    ManagedRotationFailing = "managed_rotation_failing", 5, "the rotation managed by another AWS service fails";
    ManagedSecretImpaired = "managed_secret_impaired", 6, "the service that manages the secret can no longer use it or its key";
    ExternalRotationRole = "external_rotation_role", 4, "the rotation managed for a partner fails";
    ExternalRoleTrust = "external_role_trust", 2, "Secrets Manager may not assume the partner's rotation role";
    ExternalRolePermission = "external_role_permission", 2, "the partner's rotation role lacks a permission";
    ExternalMetadataInvalid = "external_metadata_invalid", 4, "the metadata of the partner-managed rotation is wrong";
    ExternalTokenExpired = "external_token_expired", 5, "the partner's token expired and cannot renew itself";
    ExternalPartnerUnreachable = "external_partner_unreachable", 9, "Secrets Manager cannot reach the partner's system";
    ReplicaRotatesInPrimaryRegion = "replica_rotates_in_primary_region", 4, "this is a replica: it rotates in its primary region";
    ReplicationFailed = "replication_failed", 4, "a replica of the secret does not receive new values";
    CurrentLabelMovedBack = "current_label_moved_back", 7, "AWSCURRENT was moved back to an older version";

    LambdaFunctionMissing = "lambda_function_missing", 4, "the rotation function does not exist";
    LambdaStateFailed = "lambda_state_failed", 4, "the rotation function is in a failed state";
    LambdaInactiveTransient = "lambda_inactive_transient", 4, "the rotation function was inactive";
    LambdaVpcCapacity = "lambda_vpc_capacity", 9, "the function's subnets or network interfaces are exhausted";
    LambdaVpcConfigInvalid = "lambda_vpc_config_invalid", 4, "a subnet or security group of the function no longer exists";
    LambdaThrottledConcurrency = "lambda_throttled_concurrency", 3, "the function has no concurrency left to run rotation";
    LambdaOom = "lambda_oom", 1, "the function runs out of memory";
    LambdaExtensionCrash = "lambda_extension_crash", 1, "a Lambda extension or layer crashes the function";
    DeprecatedRuntime = "deprecated_runtime", 4, "the function's runtime is deprecated";
    CodeImportError = "code_import_error", 3, "a module of the function cannot be imported";
    CodeRuntimeUpgradedAbi = "code_runtime_upgraded_abi", 3, "the function's compiled modules do not fit its runtime";
    RuntimeAutoUpdated = "runtime_auto_updated", 3, "AWS updated the runtime, and the function's code fails on it";
    CodeSyntaxOrHandlerError = "code_syntax_or_handler_error", 3, "the function has a syntax error or no such handler";
    DependencyMissingAtRuntime = "dependency_missing_at_runtime", 3, "a package the driver needs is missing from the function";
    DependencyApiChanged = "dependency_api_changed", 3, "a dependency of the function changed its interface";
    CodeMissingEnv = "code_missing_env", 3, "the function lacks an environment variable";
    CodeNotImplemented = "code_not_implemented", 3, "a rotation step of the function is not implemented";
    CodeUnhandledException = "code_unhandled_exception", 3, "the function's own code raises an exception";
    TemplateBug = "template_bug", 1, "the function has a known bug of an older rotation template";

    AwsApiThrottled = "aws_api_throttled", 1, "an AWS API throttled the function";
    EventualConsistencyTransient = "eventual_consistency_transient", 5, "the failure healed by itself";
    ConsumerStaleCredentials = "consumer_stale_credentials", 1, "rotation works; an application still uses the old value";
    AwsServiceIssue = "aws_service_issue", 8, "AWS reports an incident in this region";
    LogsNotKept = "logs_not_kept", 1, "the function's log is not kept where it can be searched";
    UnknownFailure = "unknown_failure", 1, "rotation fails and nothing found here explains it";
    /// A line's label: an invocation failed, without saying why; never a finding.
    FailureMarker = "failure_marker", 1, "an invocation failed";
    /// A line's label: a normal line; never a finding.
    Benign = "benign", 1, "a normal line";
}

impl Cause {
    /// The cause with this id, if the catalogue has one.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Cause> {
        Cause::ALL.iter().copied().find(|cause| cause.id() == id)
    }

    /// Labels of log lines that no finding ever carries.
    #[must_use]
    pub const fn is_line_label(self) -> bool {
        matches!(self, Cause::TimeoutAmbiguous | Cause::FailureMarker | Cause::Benign)
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
