//! A role's policies, read where the simulation is not enough: part of step 5.

use super::{StepContext, carried};
use crate::aws::{Aws, AwsCaller, CacheKey};
use crate::model::{Observation, PolicyDocument, RoleArn, RolePolicies};
use futures::future::join_all;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Policies read of each kind. Source: IAM quotas: 10 attached by default, 20 at most; inline ones share 10 240 characters.
const MAX_POLICIES: usize = 20;

/// Allows writing logs and nothing else, so reading it for a role tells nothing about rotation.
///
/// Source: AWS Managed Policy Reference, "AWSLambdaBasicExecutionRole".
const LOGS_ONLY: &str = ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

/// What to read beside the identity policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PolicyScope {
    pub(super) boundary: bool,
}

pub(super) async fn read(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    role: &RoleArn,
    scope: PolicyScope,
) -> Observation<RolePolicies> {
    let ask = async {
        let boundary = async {
            if scope.boundary { boundary(cx, caller, role).await } else { Observation::NotApplicable { because: String::new() } }
        };
        let (inline, attached, boundary) = tokio::join!(inline(cx, caller, role), attached(cx, caller, role), boundary);
        let (inline, attached) = match (inline, attached) {
            (Observation::Found(inline), Observation::Found(attached)) => (inline, attached),
            (Observation::Found(inline), _) => (inline, vec![None]),
            (_, Observation::Found(attached)) => (vec![None], attached),
            // Both lists refused: nothing is known.
            (unanswered, _) => return carried(unanswered),
        };
        let mut complete = boundary.is_answered();
        let mut identity = Vec::new();
        for policy in inline.into_iter().chain(attached) {
            match policy {
                Some(policy) => identity.push(policy),
                None => complete = false,
            }
        }
        let boundary = match boundary {
            Observation::Found(policy) => policy,
            _ => None,
        };
        Observation::Found(RolePolicies { identity, boundary, complete })
    };
    let thing = CacheKey::RolePolicies(format!("{role} {}", scope.boundary));
    cx.aws.shared().answers.get(thing, caller.fresh(), ask).await
}

/// The inline policies; `None` in place of one that could not be read.
async fn inline(cx: &StepContext<'_>, caller: &AwsCaller, role: &RoleArn) -> Observation<Vec<Option<PolicyDocument>>> {
    let resource = format!("role {}", role.name());
    let request = cx.aws.iam.list_role_policies().role_name(role.name()).send();
    let names = match caller.call("iam:ListRolePolicies", &resource, request).await {
        Observation::Found(output) => output,
        unanswered => return carried(unanswered),
    };
    let documents = names.policy_names().iter().take(MAX_POLICIES).map(async |name| {
        let request = cx.aws.iam.get_role_policy().role_name(role.name()).policy_name(name).send();
        let output = caller.call("iam:GetRolePolicy", &resource, request).await;
        let document = decode(output.found()?.policy_document())?;
        Some(PolicyDocument { name: name.clone(), document })
    });
    let mut policies = join_all(documents).await;
    if names.is_truncated() || names.policy_names().len() > MAX_POLICIES {
        policies.push(None);
    }
    Observation::Found(policies)
}

/// The attached managed policies; `None` in place of one that could not be read.
async fn attached(cx: &StepContext<'_>, caller: &AwsCaller, role: &RoleArn) -> Observation<Vec<Option<PolicyDocument>>> {
    let request = cx.aws.iam.list_attached_role_policies().role_name(role.name()).send();
    let list = match caller.call("iam:ListAttachedRolePolicies", &format!("role {}", role.name()), request).await {
        Observation::Found(output) => output,
        unanswered => return carried(unanswered),
    };
    let arns = list.attached_policies().iter().filter_map(|policy| policy.policy_arn());
    let documents = arns.filter(|arn| !arn.ends_with(LOGS_ONLY)).take(MAX_POLICIES).map(|arn| managed(cx, caller, arn));
    let mut policies: Vec<_> = join_all(documents).await;
    if list.is_truncated() || list.attached_policies().len() > MAX_POLICIES {
        policies.push(None);
    }
    Observation::Found(policies)
}

/// What GetRole tells of a role.
#[derive(Debug, Clone)]
struct Role {
    trust: Option<Value>,
    boundary: Option<String>,
}

async fn role_of(cx: &StepContext<'_>, caller: &AwsCaller, role: &RoleArn) -> Observation<Role> {
    let ask = async {
        let request = cx.aws.iam.get_role().role_name(role.name()).send();
        caller.call("iam:GetRole", &format!("role {}", role.name()), request).await.map(|output| {
            let told = output.role();
            let boundary = told.and_then(|told| told.permissions_boundary()?.permissions_boundary_arn());
            Role {
                trust: told.and_then(|told| decode(told.assume_role_policy_document()?)),
                boundary: boundary.map(str::to_owned),
            }
        })
    };
    cx.aws.shared().answers.get(CacheKey::Role(role.to_string()), caller.fresh(), ask).await
}

/// Who may assume the role.
pub(super) async fn trust(cx: &StepContext<'_>, caller: &AwsCaller, role: &RoleArn) -> Observation<Value> {
    role_of(cx, caller, role).await.and_then(|role| match role.trust {
        Some(trust) => Observation::Found(trust),
        None => Observation::Failed { error: "GetRole answered without a trust policy".to_owned() },
    })
}

/// The permissions boundary; `Found(None)` where the role has none.
async fn boundary(cx: &StepContext<'_>, caller: &AwsCaller, role: &RoleArn) -> Observation<Option<PolicyDocument>> {
    let arn = match role_of(cx, caller, role).await {
        Observation::Found(role) => role.boundary,
        unanswered => return carried(unanswered),
    };
    let Some(arn) = arn else { return Observation::Found(None) };
    match managed(cx, caller, &arn).await {
        Some(policy) => Observation::Found(Some(policy)),
        None => Observation::Failed { error: format!("the permissions boundary {arn} could not be read") },
    }
}

async fn managed(cx: &StepContext<'_>, caller: &AwsCaller, arn: &str) -> Option<PolicyDocument> {
    let document = default_version(cx.aws, caller, arn).await;
    document.found().cloned().map(|document| PolicyDocument { name: arn.to_owned(), document })
}

/// The default version of a managed policy; `NoData` where there is no such policy.
pub(super) async fn default_version(aws: &Aws, caller: &AwsCaller, arn: &str) -> Observation<Value> {
    let ask = async {
        let request = aws.iam.get_policy().policy_arn(arn).send();
        let policy = match caller.call("iam:GetPolicy", &format!("policy {arn}"), request).await {
            Observation::Found(policy) => policy,
            unanswered => return carried(unanswered),
        };
        let version = policy.policy().and_then(|policy| policy.default_version_id()).unwrap_or("v1");
        let request = aws.iam.get_policy_version().policy_arn(arn).version_id(version).send();
        caller.call("iam:GetPolicyVersion", &format!("policy {arn}"), request).await.and_then(|output| {
            match output.policy_version().and_then(|version| version.document()).and_then(decode) {
                Some(document) => Observation::Found(document),
                None => Observation::Failed { error: format!("the policy {arn} is not valid JSON") },
            }
        })
    };
    aws.shared().answers.get(CacheKey::ManagedPolicy(arn.to_owned()), caller.fresh(), ask).await
}

/// IAM sends policy documents URL-encoded (RFC 3986). Source: IAM API reference, `GetRolePolicy`.
fn decode(document: &str) -> Option<Value> {
    let text = percent_decode_str(document).decode_utf8().ok()?;
    serde_json::from_str(&text).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_encoded_document_is_read_and_a_broken_one_is_not() {
        let document = decode("%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D").unwrap();
        assert_eq!(document["Version"], "2012-10-17");
        assert_eq!(decode("%7B%22Version%22"), None);
        assert_eq!(decode("%FF"), None);
    }
}
