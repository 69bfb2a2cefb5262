//! The policies that the role had when rotation last worked and does not have now: what they allow, and which of them give back
//! what is missing.

use super::aws_policies::{aws_policy, is_of_aws};
use super::change_events::ROLE_POLICIES;
use super::context::DiagnosisContext;
use super::policy_edit;
use super::refusal;
use super::signatures::{AccessDenied, RefusingLayer};
use crate::model::{Change, Concern, Evidence, Finding, Observation, PolicyChange};
use serde_json::Value;

/// How many detached policies are read; each costs two calls.
const MAX_READ: usize = 2;

/// A managed policy whose detachment is all that is known to have happened to the role's policies since the last success.
pub(super) struct OnlyLoss<'a> {
    pub(super) arn: &'a str,
    /// True where nothing but its detachment can have taken from the role what it had when rotation last worked.
    pub(super) is_sure: bool,
}

/// The changes of the role's policies since rotation worked, oldest first; `None` where the secret has another function, role or
/// key than then, or nobody knows.
fn role_changes<'a>(context: &DiagnosisContext<'a>) -> Option<Vec<&'a Change>> {
    let (found, success) = (context.evidence.changes.found()?, context.last_success_at?);
    let since = || found.changes.iter().filter(move |change| change.at > success);
    // Another role never had what this one lacks, and another key was never used with it.
    let gives = |change: &Change, parameter: &str| change.parameters.get(parameter).is_some_and(Value::is_string);
    let is_swap = |change: &Change| match change.event.as_str() {
        "UpdateFunctionConfiguration" => gives(change, "role"),
        "RotateSecret" => gives(change, "rotationLambdaARN"),
        "UpdateSecret" => gives(change, "kmsKeyId"),
        _ => false,
    };
    if since().any(is_swap) {
        return None;
    }
    let is_of_role = |change: &&Change| {
        change.concerns == Concern::Role && ROLE_POLICIES.contains(&change.event.as_str()) && !is_anothers(context, change)
    };
    Some(since().filter(is_of_role).collect())
}

/// True for a change of another role: this one's policies may be attached to others, and detached from them.
fn is_anothers(context: &DiagnosisContext<'_>, change: &Change) -> bool {
    let of = change.parameters.get("roleName").and_then(Value::as_str);
    of.is_some_and(|of| context.rotation_role().is_some_and(|role| role.name() != of))
}

/// The managed policy that a change is about.
fn named(change: &Change) -> Option<&str> {
    change.parameters.get("policyArn").and_then(Value::as_str)
}

/// The managed policies that were detached from the role since rotation worked and are not back, the newest first.
fn detached<'a>(context: &DiagnosisContext<'a>) -> Vec<&'a str> {
    let Some(changes) = role_changes(context) else { return Vec::new() };
    let all = context.evidence.changes.found().map(|found| found.changes.as_slice()).unwrap_or_default();
    let policies = context.evidence.role.found().and_then(|role| role.policies.found());
    let is_attached = |arn: &str| policies.is_some_and(|policies| policies.identity.iter().any(|policy| policy.name == arn));
    // What came back is not lost, and what was deleted cannot be attached.
    let is_over = |arn: &str, change: &Change| {
        all.iter().any(|later| {
            later.at > change.at
                && named(later) == Some(arn)
                && matches!(later.event.as_str(), "AttachRolePolicy" | "DeletePolicy")
                && !is_anothers(context, later)
        })
    };
    let mut arns: Vec<&'a str> = Vec::new();
    for change in changes.iter().copied().rev().filter(|change| change.event == "DetachRolePolicy") {
        let Some(arn) = named(change).filter(|arn| arn.starts_with("arn:")) else { continue };
        if !arns.contains(&arn) && !is_attached(arn) && !is_over(arn, change) {
            arns.push(arn);
        }
    }
    arns
}

/// The policy whose detachment is all that is known to have happened to the role's policies since rotation worked.
pub(super) fn only_loss<'a>(context: &DiagnosisContext<'a>) -> Option<OnlyLoss<'a>> {
    let changes = role_changes(context)?;
    let [change] = changes.as_slice() else { return None };
    let arn = detached(context).first().copied()?;
    let (found, success) = (context.evidence.changes.found()?, context.last_success_at?);
    let covers = context.evidence.changes.window.is_some_and(|window| window.from <= success);
    Some(OnlyLoss { arn, is_sure: context.is_close(change) || found.complete && covers })
}

/// The inline policy whose deletion, beside its own writing, is all that is known to have happened to the role's policies since
/// rotation worked: its name, and what it said, as the event tells by which it was written.
pub(super) fn deleted_inline<'a>(context: &DiagnosisContext<'a>) -> Option<(&'a str, &'a Value)> {
    let changes = role_changes(context)?;
    let (&change, earlier) = changes.split_last()?;
    let name_of = |change: &'a Change| change.parameters.get("policyName").and_then(Value::as_str);
    let name = name_of(change).filter(|_| change.event == "DeleteRolePolicy")?;
    let is_own = |&earlier: &&'a Change| earlier.event == "PutRolePolicy" && name_of(earlier) == Some(name);
    let policies = context.evidence.role.found()?.policies.found().filter(|policies| policies.complete)?;
    let is_back = policies.identity.iter().any(|policy| policy.name == name);
    let before = change.policy.as_ref()?.before.as_ref()?;
    (earlier.iter().all(is_own) && !is_back).then_some((name, before))
}

/// What was read of a policy of the account that was detached; `None` where nobody asked.
fn read<'e>(evidence: &'e Evidence, arn: &str) -> Option<&'e Observation<Value>> {
    let role = evidence.role.found()?;
    role.detached.iter().find(|policy| policy.arn == arn).map(|policy| &policy.document)
}

/// What a policy that was detached allows, where that is known.
pub(super) fn document_of(evidence: &Evidence, arn: &str) -> Option<Value> {
    aws_policy(arn).or_else(|| read(evidence, arn)?.found().cloned())
}

/// What a detachment took away, where the policy was read.
pub(super) fn taken(evidence: &Evidence, change: &Change) -> Option<PolicyChange> {
    let arn = named(change).filter(|_| change.event == "DetachRolePolicy")?;
    let before = read(evidence, arn)?.found().cloned()?;
    Some(PolicyChange { before: Some(before), after: None })
}

/// What the role's own policies do not allow: what they are known to lack, and what was refused in the way that `leading` is about.
pub(super) fn lacking(context: &DiagnosisContext<'_>, leading: Option<&Finding>) -> Vec<AccessDenied> {
    let is_lacking = |denied: &AccessDenied| {
        !denied.explicit && matches!(denied.layer, RefusingLayer::IdentityPolicy | RefusingLayer::Unknown)
    };
    let stops = context.standings().iter().filter_map(|(_, standing)| standing.stop()).map(|stop| stop.denied.clone());
    let refused = leading.map(|finding| refusal::refused(context, finding.cause)).unwrap_or_default();
    stops.chain(refused).filter(is_lacking).collect()
}

/// The policies of the account to read, the newest loss first: the role lacks something, and it lost them.
pub(super) fn to_read(context: &DiagnosisContext<'_>, leading: Option<&Finding>) -> Vec<String> {
    let Some(role) = context.evidence.role.found() else { return Vec::new() };
    let left = MAX_READ.saturating_sub(role.detached.len());
    let unread = detached(context).into_iter().filter(|arn| !is_of_aws(arn) && read(context.evidence, arn).is_none());
    let unread: Vec<String> = unread.take(left).map(str::to_owned).collect();
    if unread.is_empty() || lacking(context, leading).is_empty() { Vec::new() } else { unread }
}

/// The policies to attach again, so that the role is allowed what `document` does: as few of those it lost as suffice together. One
/// that was not read counts where its loss is all that happened. Empty where none gives back what is missing.
pub(super) fn to_attach<'a>(context: &DiagnosisContext<'a>, document: &Value) -> Vec<&'a str> {
    let mut chosen: Vec<(&'a str, Value)> =
        detached(context).into_iter().filter_map(|arn| Some((arn, document_of(context.evidence, arn)?))).collect();
    let suffices = |policies: &[(&str, Value)]| {
        let documents: Vec<&Value> = policies.iter().map(|(_, document)| document).collect();
        !documents.is_empty() && policy_edit::allow_all(context, &documents, document)
    };
    if suffices(&chosen) {
        // The oldest loss goes first: rotation may have worked without it.
        for at in (0..chosen.len()).rev() {
            let mut fewer = chosen.clone();
            fewer.remove(at);
            if suffices(&fewer) {
                chosen = fewer;
            }
        }
        return chosen.into_iter().map(|(arn, _)| arn).collect();
    }
    let is_unread = |arn: &str| !is_of_aws(arn) && read(context.evidence, arn).is_none_or(|document| !document.is_answered());
    only_loss(context).map(|loss| loss.arn).filter(|arn| is_unread(arn)).into_iter().collect()
}
