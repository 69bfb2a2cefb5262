//! Pure rules: evidence in, findings out.

mod explain;
pub mod iam;
pub mod signatures;

pub use explain::{Explanation, explain};
