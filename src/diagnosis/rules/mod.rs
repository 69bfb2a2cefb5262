//! The rules, one file per cause; each file's documentation is the user's documentation of the cause.

mod aws_api_throttled;
mod aws_endpoint_unreachable;
mod aws_service_issue;
mod code_import_error;
mod code_missing_env;
mod code_not_implemented;
mod code_runtime_upgraded_abi;
mod code_syntax_or_handler_error;
mod code_unhandled_exception;
mod consumer_stale_credentials;
mod current_label_moved_back;
mod db_auth_failed;
mod db_auth_plugin_removed;
mod db_host_mismatch_replica;
mod db_hostname_verification;
mod db_login_ambiguous;
mod db_name_missing;
mod db_native_encryption_unsupported;
mod db_network_unreachable;
mod db_not_available;
mod db_password_policy_or_chars;
mod db_permission_insufficient;
mod db_scram_libpq_old;
mod db_ssl_mismatch;
mod db_superuser_login_ambiguous;
mod db_through_proxy;
mod db_user_host_pattern;
mod dependency_api_changed;
mod dependency_missing_at_runtime;
pub(super) mod deprecated_runtime;
mod directory_kinit_failed;
mod eventual_consistency_transient;
mod external_metadata_invalid;
mod external_partner_unreachable;
mod external_role_permission;
mod external_role_trust;
mod external_rotation_role;
mod external_token_expired;
mod iam_explicit_deny;
mod iam_identity_policy_missing;
mod invoked_manually_or_bad_event;
mod kms_access_denied;
mod kms_key_disabled_or_pending_deletion;
mod lambda_eni_permission_missing;
mod lambda_env_kms_denied;
mod lambda_extension_crash;
mod lambda_function_missing;
mod lambda_in_public_subnet;
mod lambda_inactive_transient;
mod lambda_invoke_permission_missing;
mod lambda_oom;
mod lambda_state_failed;
mod lambda_throttled_concurrency;
mod lambda_timeout_too_short;
mod lambda_vpc_capacity;
mod lambda_vpc_config_invalid;
mod logs_not_kept;
mod managed_rotation;
mod managed_rotation_failing;
mod managed_secret_impaired;
mod operator_permission_missing;
mod permissions_boundary_or_scp_deny;
mod replica_rotates_in_primary_region;
mod replication_failed;
mod rotation_abandoned_manual_change;
mod rotation_disabled;
mod rotation_lambda_misbound;
mod rotation_never_enabled;
mod rotation_no_lambda_arn;
mod rotation_token_missing_cross_account;
mod runtime_auto_updated;
mod schedule_wrong_or_overdue;
mod secret_json_engine_wrong;
mod secret_json_invalid;
mod secret_json_key_missing;
mod secret_marked_for_deletion;
mod secret_masterarn_missing;
mod secret_no_current_value;
mod secret_not_found;
mod secret_resource_policy_deny;
mod secret_resource_policy_missing_allow;
mod secret_username_changed;
mod stuck_awspending;
mod superuser_metadata_api_error;
mod superuser_metadata_not_found;
mod superuser_secret_access_denied;
mod target_service_async_propagation;
mod target_service_error;
mod target_service_limit;
mod template_bug;
mod unknown_failure;
mod username_too_long_for_clone;
mod value_written_back_by_iac;
mod version_not_staged_race;
mod vpc_endpoint_policy_deny;

use super::rule::Rule;
use crate::model::Cause;
pub(super) use runtime_auto_updated::is_broken_by_a_runtime;
pub(super) use stuck_awspending::REASON_UNKNOWN;
pub(super) use value_written_back_by_iac::is_refused_login;

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
    lambda_in_public_subnet::RULE,
    aws_endpoint_unreachable::RULE,
    db_not_available::RULE,
    db_network_unreachable::RULE,
    lambda_timeout_too_short::RULE,
    db_login_ambiguous::RULE,
    db_superuser_login_ambiguous::RULE,
    db_auth_failed::RULE,
    value_written_back_by_iac::RULE,
    db_user_host_pattern::RULE,
    db_auth_plugin_removed::RULE,
    db_through_proxy::RULE,
    db_ssl_mismatch::RULE,
    db_hostname_verification::RULE,
    db_scram_libpq_old::RULE,
    db_native_encryption_unsupported::RULE,
    db_name_missing::RULE,
    db_permission_insufficient::RULE,
    db_password_policy_or_chars::RULE,
    db_host_mismatch_replica::RULE,
    secret_username_changed::RULE,
    username_too_long_for_clone::RULE,
    target_service_async_propagation::RULE,
    target_service_limit::RULE,
    target_service_error::RULE,
    directory_kinit_failed::RULE,
    superuser_metadata_api_error::RULE,
    superuser_metadata_not_found::RULE,
    secret_json_key_missing::RULE,
    secret_json_engine_wrong::RULE,
    secret_json_invalid::RULE,
    secret_masterarn_missing::RULE,
    stuck_awspending::RULE,
    version_not_staged_race::RULE,
    rotation_abandoned_manual_change::RULE,
    rotation_token_missing_cross_account::RULE,
    invoked_manually_or_bad_event::RULE,
    rotation_lambda_misbound::RULE,
    secret_not_found::RULE,
    secret_marked_for_deletion::RULE,
    secret_no_current_value::RULE,
    rotation_disabled::RULE,
    rotation_never_enabled::RULE,
    rotation_no_lambda_arn::RULE,
    schedule_wrong_or_overdue::RULE,
    managed_rotation::RULE,
    managed_rotation_failing::RULE,
    managed_secret_impaired::RULE,
    external_rotation_role::RULE,
    external_role_trust::RULE,
    external_role_permission::RULE,
    external_metadata_invalid::RULE,
    external_token_expired::RULE,
    external_partner_unreachable::RULE,
    replica_rotates_in_primary_region::RULE,
    replication_failed::RULE,
    current_label_moved_back::RULE,
    lambda_function_missing::RULE,
    lambda_state_failed::RULE,
    lambda_inactive_transient::RULE,
    lambda_vpc_capacity::RULE,
    lambda_vpc_config_invalid::RULE,
    lambda_throttled_concurrency::RULE,
    lambda_oom::RULE,
    lambda_extension_crash::RULE,
    deprecated_runtime::RULE,
    code_import_error::RULE,
    code_runtime_upgraded_abi::RULE,
    runtime_auto_updated::RULE,
    code_syntax_or_handler_error::RULE,
    dependency_missing_at_runtime::RULE,
    dependency_api_changed::RULE,
    code_missing_env::RULE,
    code_not_implemented::RULE,
    code_unhandled_exception::RULE,
    template_bug::RULE,
    aws_api_throttled::RULE,
    eventual_consistency_transient::RULE,
    consumer_stale_credentials::RULE,
    aws_service_issue::RULE,
    logs_not_kept::RULE,
    unknown_failure::RULE,
];

include!(concat!(env!("OUT_DIR"), "/rule_pages.rs"));

/// The user's page on `cause`, in Markdown: what it is, what it shows as, what it is not. Its source is the documentation of
/// the rule's file.
#[must_use]
pub fn page_of(cause: Cause) -> Option<&'static str> {
    PAGES.iter().find(|(id, _)| *id == cause.id()).map(|(_, page)| *page)
}

/// The rule that decides `cause`; none decides what only a log line carries.
#[must_use]
pub fn rule_of(cause: Cause) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.cause == cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{deny, healthy};
    use crate::diagnosis::{DiagnosisContext, Verdict};
    use crate::model::StepName;

    fn is_clear(rule: &Rule, without: Option<StepName>) -> bool {
        let mut evidence = healthy();
        if let Some(step) = without {
            deny(&mut evidence, step);
        }
        matches!((rule.evaluate)(&DiagnosisContext::new(&evidence)), Verdict::Clear { .. })
    }

    #[test]
    fn a_cause_is_ruled_out_only_where_the_steps_it_rests_on_were_seen() {
        let mut faults = Vec::new();
        for rule in RULES {
            let needed: Vec<StepName> = StepName::ALL.into_iter().filter(|step| !is_clear(rule, Some(*step))).collect();
            if needed != rule.rests_on {
                faults.push(format!("{}: {needed:?}", rule.cause));
            }
        }
        assert!(faults.is_empty(), "what the rules rest on:\n{}", faults.join("\n"));
    }

    #[test]
    fn every_rule_has_a_page_that_says_what_it_is_and_what_it_shows_as() {
        for rule in RULES {
            let page = page_of(rule.cause).unwrap_or_else(|| panic!("{} has no page", rule.cause));
            assert!(page.starts_with("# ") && page.contains("\n\n"), "{}: {page}", rule.cause);
            assert!(page.contains("**Shows as**") || page.contains("**Is not it**"), "{}: {page}", rule.cause);
        }
        assert_eq!(PAGES.len(), RULES.len(), "a page without a rule");
    }

    #[test]
    fn in_a_healthy_world_every_cause_is_ruled_out() {
        let open: Vec<&str> = RULES.iter().filter(|rule| !is_clear(rule, None)).map(|rule| rule.cause.id()).collect();
        assert_eq!(open, [""; 0]);
    }
}
