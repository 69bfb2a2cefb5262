//! Pure rules: evidence in, findings out.

pub mod iam;
pub mod signatures;
