//! What a rule decides.

use crate::model::Finding;

/// What a rule decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The evidence supports the cause.
    Fires(Box<Finding>),
    /// The evidence speaks against it.
    Clear {
        /// The fact that does.
        because: String,
    },
    /// Evidence is missing, so it cannot be told.
    Unknown {
        /// What is missing: a permission, or an answer.
        missing: String,
    },
}

impl Verdict {
    /// The evidence speaks against the cause.
    pub fn clear(because: impl Into<String>) -> Verdict {
        Verdict::Clear { because: because.into() }
    }

    /// It cannot be told without `missing`.
    pub fn unknown(missing: impl Into<String>) -> Verdict {
        Verdict::Unknown { missing: missing.into() }
    }
}

impl From<Finding> for Verdict {
    fn from(finding: Finding) -> Verdict {
        Verdict::Fires(Box::new(finding))
    }
}
