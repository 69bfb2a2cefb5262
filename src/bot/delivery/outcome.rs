//! What becomes of an attempt to deliver.

use crate::chat::SendError;
use std::time::Duration;

/// What became of a message.
pub(super) enum SendOutcome {
    /// The platform has it, under this id.
    As(String),
    /// The platform has what was posted when the answer was lost, under this id.
    Found(String),
    /// Its files are there too.
    Attached,
    /// It had been posted and is lost.
    Lost(String),
    /// It is there and cannot be changed any more.
    Stuck(String),
    /// Not yet; `arrived` is `None` where that is unknown.
    Later {
        after: Option<Duration>,
        arrived: Option<bool>,
        why: String,
    },
    /// Not while its place is as it is; what the person is told.
    Closed {
        why: String,
        tell: &'static str,
    },
    Never(String),
    /// Nothing goes out at the moment.
    LockedOut(String),
}

impl SendOutcome {
    /// How metrics call it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            SendOutcome::As(_) | SendOutcome::Attached => "delivered",
            SendOutcome::Found(_) => "found",
            SendOutcome::Lost(_) => "lost",
            SendOutcome::Stuck(_) => "stuck",
            SendOutcome::Later { .. } => "later",
            SendOutcome::Closed { .. } => "closed",
            SendOutcome::Never(_) => "refused",
            SendOutcome::LockedOut(_) => "token_refused",
        }
    }
}

/// What a platform said of an attempt that failed.
pub(super) fn refused(error: SendError) -> SendOutcome {
    match error {
        SendError::Later { after, why } => SendOutcome::Later { after, arrived: Some(false), why },
        SendError::Uncertain { why } => SendOutcome::Later { after: None, arrived: None, why },
        SendError::Closed { why, tell } => SendOutcome::Closed { why, tell },
        SendError::Gone { why } | SendError::Refused { why } => SendOutcome::Never(why),
        SendError::Unauthorized { why } => SendOutcome::LockedOut(why),
    }
}
