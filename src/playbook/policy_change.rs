//! What changes of policies wrote, and what they replaced.

use super::json_search::find_string;
use super::trail_event::TrailEvent;
use crate::model::{Change, Concern, PolicyChange};
use serde_json::Value;

/// The longest policy document kept, in bytes. Source: KMS quotas, "Key policy document size"; others may be shorter.
const MAX_POLICY_BYTES: usize = 32_768;

/// The parameters that hold a policy document, by the services' names for it.
const POLICY_DOCUMENTS: [&str; 4] = ["policyDocument", "resourcePolicy", "policy", "PolicyDocument"];

/// The events that take a policy away and hold none.
const POLICY_REMOVALS: [&str; 2] = ["DeleteRolePolicy", "DeleteResourcePolicy"];

/// The policy document that the request wrote or took away; requests hold it as JSON in a text, IAM's percent-encoded.
pub(super) fn policy(event: &TrailEvent) -> Option<PolicyChange> {
    if POLICY_REMOVALS.contains(&event.name.as_str()) {
        return Some(PolicyChange { before: None, after: None });
    }
    let written = POLICY_DOCUMENTS.iter().find_map(|name| find_string(&event.request, name))?;
    let text = percent_encoding::percent_decode_str(written).decode_utf8().ok()?;
    let document = [written, text.as_ref()].into_iter().filter(|text| text.len() <= MAX_POLICY_BYTES);
    let document = document.filter_map(|text| serde_json::from_str::<Value>(text).ok()).find(Value::is_object)?;
    Some(PolicyChange { before: None, after: Some(document) })
}

/// Gives each change of a policy the document that the change before it left.
pub(super) fn link_policies(changes: &mut [Change]) {
    for at in (0..changes.len()).rev() {
        let (earlier, rest) = changes.split_at_mut(at);
        let Some(change) = rest.first_mut() else { continue };
        let Some(policy) = &mut change.policy else { continue };
        let same = earlier.iter().rev().find(|other| {
            other.policy.is_some()
                && policy_of(other) == {
                    let name = |key: &str| change.parameters.get(key).and_then(Value::as_str).map(str::to_owned);
                    (change.concerns, change.resource.clone(), name("policyName"), name("policyArn"))
                }
        });
        if let Some(before) = same.and_then(|other| other.policy.as_ref()?.after.clone()) {
            policy.before.get_or_insert(before);
        }
    }
}

/// Which policy a change is about.
fn policy_of(change: &Change) -> (Concern, String, Option<String>, Option<String>) {
    let name = |key: &str| change.parameters.get(key).and_then(Value::as_str).map(str::to_owned);
    (change.concerns, change.resource.clone(), name("policyName"), name("policyArn"))
}
