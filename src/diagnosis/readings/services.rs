//! The services of AWS that a rotation function calls itself, beside Secrets Manager.
//!
//! A customer managed key is none of them: Secrets Manager itself asks KMS, in the function's name, and Lambda decrypts the
//! function's environment. Source: Secrets Manager User Guide, "Secret encryption and decryption"; KMS Developer Guide, "Forward
//! access sessions".

use super::strategy::alternates;
use crate::diagnosis::DiagnosisContext;
use crate::model::RotationStep;
use serde_json::Value;

/// A service that the function calls.
pub(in crate::diagnosis) struct NeededService {
    /// As its endpoints are called, such as `sts`.
    pub(in crate::diagnosis) service: &'static str,
    /// What shows it, as a sentence without its stop.
    pub(in crate::diagnosis) because: &'static str,
    /// The rotation steps in which it does.
    pub(in crate::diagnosis) steps: &'static [RotationStep],
}

/// What the role's policies and the function's strategy show.
///
/// Source of the second: the official templates that alternate between two users ask RDS about the superuser's database in setSecret,
/// where its host is not that of the user's.
pub(in crate::diagnosis) fn needed_services(context: &DiagnosisContext<'_>) -> Vec<NeededService> {
    let mut needed = Vec::new();
    if is_granted(context, "sts:assumerole") {
        needed.push(NeededService {
            service: "sts",
            because: "Its role may assume another one, which takes STS",
            steps: &RotationStep::ALL,
        });
    }
    if alternates(context) && is_granted(context, "rds:describe") {
        needed.push(NeededService {
            service: "rds",
            because: "It alternates between two users, for which it may ask RDS about the superuser's database",
            steps: &[RotationStep::SetSecret],
        });
    }
    needed
}

/// True where a statement of the role's policies names such an action; one that allows everything names none.
pub(in crate::diagnosis) fn is_granted(context: &DiagnosisContext<'_>, beginning: &str) -> bool {
    let policies = context.evidence.role.found().and_then(|role| role.policies.found());
    let documents = policies.map(|policies| policies.identity.as_slice()).unwrap_or_default();
    documents.iter().flat_map(|document| listed(document.document.get("Statement"))).any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let is_it = |action: &Value| action.as_str().is_some_and(|action| action.to_ascii_lowercase().starts_with(beginning));
        allows && listed(statement.get("Action")).iter().any(|action| is_it(action))
    })
}

/// IAM writes one thing as itself or as a list of one.
fn listed(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}
