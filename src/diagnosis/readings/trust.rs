//! What a role's trust policy says of the service that is to assume it.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::iam::{Caller, Context, Decision, Policy, Request, evaluate_trust, key_names};
use crate::model::Observation;

/// Who assumes the roles of functions.
pub(in crate::diagnosis) const LAMBDA: &str = "lambda.amazonaws.com";

/// Whether a trust policy lets a service assume the role.
pub(in crate::diagnosis) enum Trust {
    Kept,
    /// Names the statement that is in the way, or missing.
    Broken(String),
    /// It was not read, or depends on what is not known of the request.
    Open(String),
}

/// Whether the trust policy of the function's role lets Lambda assume it.
pub(in crate::diagnosis) fn of_lambda(context: &DiagnosisContext<'_>) -> Trust {
    let Some(role) = context.evidence.role.found() else {
        return Trust::Open(context.evidence.role.observation.missing().unwrap_or_else(|| "the role's trust policy".to_owned()));
    };
    let Observation::Found(document) = &role.trust else {
        return Trust::Open(role.trust.missing().unwrap_or_else(|| "the role's trust policy".to_owned()));
    };
    let policy = match Policy::from_value("the role's trust policy", document) {
        Ok(policy) => policy,
        Err(error) => return Trust::Open(error.missing()),
    };
    let caller = Caller::service(LAMBDA);
    let request = Request::new(caller, "sts:AssumeRole", role.role.arn().as_str(), Context::new());
    match evaluate_trust(&policy, &request) {
        Decision::Allowed { .. } => Trust::Kept,
        Decision::ExplicitDeny { by } => Trust::Broken(format!("{by} forbids {LAMBDA} to assume the role")),
        Decision::ImplicitDeny => Trust::Broken(format!("no statement of its trust policy lets {LAMBDA} assume it")),
        Decision::Unknown { missing_keys, .. } => {
            Trust::Open(format!("the value of {} in Lambda's request", key_names(missing_keys)))
        }
    }
}

/// What keeps from telling whether Lambda may assume the role, where somebody asked.
pub(in crate::diagnosis) fn gap(context: &DiagnosisContext<'_>) -> Option<String> {
    let is_asked = !matches!(context.evidence.role.found()?.trust, Observation::NotApplicable { .. });
    match of_lambda(context) {
        Trust::Open(missing) if is_asked => Some(missing),
        _ => None,
    }
}
