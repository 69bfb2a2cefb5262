//! The rules, one file per cause; each file's documentation is the user's documentation of the cause.

mod db_ssl_mismatch;
mod deprecated_runtime;
mod external_rotation_role;
mod lambda_function_missing;
mod lambda_inactive_transient;
mod lambda_state_failed;
mod lambda_throttled_concurrency;
mod lambda_vpc_capacity;
mod lambda_vpc_config_invalid;
mod managed_rotation;
mod managed_rotation_failing;
mod replica_rotates_in_primary_region;
mod rotation_disabled;
mod rotation_never_enabled;
mod rotation_no_lambda_arn;
mod schedule_wrong_or_overdue;
mod secret_marked_for_deletion;
mod secret_no_current_value;
mod secret_not_found;
mod stuck_awspending;
mod unknown_failure;

use super::rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[Rule] = &[
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
