//! Secrets that another AWS service owns and rotates.

use super::case::Case;
use super::remedy::{aws_in, rotate_now};

/// The service that owns the secret and rotates it without a function, such as `rds`.
pub(super) fn owner<'a>(case: &Case<'a>) -> Option<&'a str> {
    let config = case.config()?;
    let managed = config.enabled == Some(true) && config.function_arn.is_none();
    case.secret()?.owning_service.as_deref().filter(|_| managed)
}

/// The owner's own way to start a rotation.
///
/// Source: each service's guide, "Password management with AWS Secrets Manager".
pub(super) fn command_of(case: &Case<'_>, owner: &str) -> String {
    match owner {
        "rds" => aws_in(
            case,
            &[
                "rds",
                "modify-db-instance",
                "--db-instance-identifier",
                "DB_INSTANCE",
                "--rotate-master-user-password",
                "--apply-immediately",
            ],
        ),
        _ => rotate_now(case),
    }
}
