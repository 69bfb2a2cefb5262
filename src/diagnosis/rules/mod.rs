//! The rules, one file per cause; each file's documentation is the user's documentation of the cause.

mod db_ssl_mismatch;
mod lambda_function_missing;
mod stuck_awspending;
mod unknown_failure;

use super::rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[Rule] = &[db_ssl_mismatch::RULE, stuck_awspending::RULE, lambda_function_missing::RULE, unknown_failure::RULE];
