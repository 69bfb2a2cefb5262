//! What a statement does where it applies.

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Allow,
    /// It forbids, whatever another statement permits.
    Deny,
}
