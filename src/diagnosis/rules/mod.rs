//! The rules, one file per cause; each file's documentation is the user's documentation of the cause.

mod db_ssl_mismatch;
mod deprecated_runtime;
mod external_rotation_role;
mod iam_explicit_deny;
mod iam_identity_policy_missing;
mod kms_access_denied;
mod kms_key_disabled_or_pending_deletion;
mod lambda_eni_permission_missing;
mod lambda_env_kms_denied;
mod lambda_function_missing;
mod lambda_inactive_transient;
mod lambda_invoke_permission_missing;
mod lambda_state_failed;
mod lambda_throttled_concurrency;
mod lambda_vpc_capacity;
mod lambda_vpc_config_invalid;
mod managed_rotation;
mod managed_rotation_failing;
mod operator_permission_missing;
mod permissions_boundary_or_scp_deny;
mod replica_rotates_in_primary_region;
mod rotation_disabled;
mod rotation_never_enabled;
mod rotation_no_lambda_arn;
mod schedule_wrong_or_overdue;
mod secret_marked_for_deletion;
mod secret_no_current_value;
mod secret_not_found;
mod secret_resource_policy_deny;
mod secret_resource_policy_missing_allow;
mod stuck_awspending;
mod superuser_secret_access_denied;
mod unknown_failure;
mod vpc_endpoint_policy_deny;

use super::rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[Rule] = &[
    iam_identity_policy_missing::RULE,
    iam_explicit_deny::RULE,
    permissions_boundary_or_scp_deny::RULE,
    secret_resource_policy_deny::RULE,
    secret_resource_policy_missing_allow::RULE,
    superuser_secret_access_denied::RULE,
    kms_access_denied::RULE,
    kms_key_disabled_or_pending_deletion::RULE,
    lambda_env_kms_denied::RULE,
    lambda_invoke_permission_missing::RULE,
    vpc_endpoint_policy_deny::RULE,
    operator_permission_missing::RULE,
    lambda_eni_permission_missing::RULE,
    db_ssl_mismatch::RULE,
    stuck_awspending::RULE,
    secret_not_found::RULE,
    secret_marked_for_deletion::RULE,
    secret_no_current_value::RULE,
    rotation_disabled::RULE,
    rotation_never_enabled::RULE,
    rotation_no_lambda_arn::RULE,
    schedule_wrong_or_overdue::RULE,
    managed_rotation::RULE,
    managed_rotation_failing::RULE,
    external_rotation_role::RULE,
    replica_rotates_in_primary_region::RULE,
    lambda_function_missing::RULE,
    lambda_state_failed::RULE,
    lambda_inactive_transient::RULE,
    lambda_vpc_capacity::RULE,
    lambda_vpc_config_invalid::RULE,
    lambda_throttled_concurrency::RULE,
    deprecated_runtime::RULE,
    unknown_failure::RULE,
];
