//! What a role's trust policy says of the service that is to assume it.

/// Whether a trust policy lets a service assume the role.
pub(in crate::diagnosis) enum Trust {
    Kept,
    /// Names the statement that is in the way, or missing.
    Broken(String),
    /// It was not read, or depends on what is not known of the request.
    Open(String),
}
