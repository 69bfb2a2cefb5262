//! Why a trigger is not done.

use crate::store::StoreError;
use std::time::Duration;

/// Why a trigger is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandlerError {
    /// The store fails; later it may not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it is about is gone; nothing is left to do.
    #[error("{0}")]
    Obsolete(&'static str),
    /// It is too early; it is to be done after this wait.
    #[error("it waits for {} s", .0.as_secs())]
    RetryAfter(Duration),
}
