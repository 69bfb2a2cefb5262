//! What the status of a database tells.

use crate::model::TargetDatabase;

/// What a status means for whoever wants to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::diagnosis) enum Availability {
    Works,
    /// It comes by itself, or goes.
    Passing,
    Down,
}

/// Source: Amazon RDS User Guide, "Viewing DB instance status"; Amazon Aurora User Guide, "Viewing DB cluster status".
pub(in crate::diagnosis) fn availability(status: &str) -> Availability {
    match status.to_ascii_lowercase().as_str() {
        "stopped"
        | "stopping"
        | "failed"
        | "storage-full"
        | "restore-error"
        | "deleting"
        | "insufficient-capacity"
        | "cloning-failed"
        | "suspended"
        | "insufficient-resource-limits" => Availability::Down,
        status if status.starts_with("incompatible-") || status.starts_with("inaccessible-") => Availability::Down,
        "starting"
        | "creating"
        | "rebooting"
        | "upgrading"
        | "resetting-master-credentials"
        | "failing-over"
        | "promoting"
        | "migrating"
        | "preparing-data-migration"
        | "reactivating" => Availability::Passing,
        _ => Availability::Works,
    }
}

/// True for a database that takes connections, as far as its status tells.
pub(in crate::diagnosis) fn is_serving(database: &TargetDatabase) -> bool {
    database.status.as_deref().is_none_or(|status| availability(status) == Availability::Works)
}
