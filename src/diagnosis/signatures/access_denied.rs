//! Access-denied messages, read: who, what, on which resource, and which layer refused.
//!
//! Source: IAM User Guide, "Troubleshoot access denied error messages": the layer is stated as
//! `because no <layer> allows the <action> action` or `with an explicit deny in a(n) <layer>`. Older
//! services leave the reason out, and some texts are cut.

use crate::model::{Cause, RotationStep};
use regex::Regex;
use std::sync::LazyLock;

/// The layer that refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusingLayer {
    /// A policy of the caller's user, group or role.
    IdentityPolicy,
    /// The resource's own policy.
    ResourcePolicy,
    /// The caller's permissions boundary.
    Boundary,
    /// A service control policy of the organization.
    Scp,
    /// A resource control policy of the organization.
    Rcp,
    /// The policy passed when the role was assumed.
    SessionPolicy,
    /// The policy of the VPC endpoint the call went through.
    VpcEndpoint,
    /// The message names none.
    Unknown,
}

/// An access-denied message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDenied {
    /// The caller as the message prints it, usually an ARN.
    pub principal: Option<String>,
    /// Such as `secretsmanager:GetSecretValue`.
    pub action: String,
    /// The resource as the message prints it: an ARN, a pattern or a name.
    pub resource: Option<String>,
    /// The layer that refused.
    pub layer: RefusingLayer,
    /// An explicit deny; otherwise an allow is missing.
    pub explicit: bool,
    /// The ARN of the policy that denies, where the message ends with it.
    pub policy: Option<String>,
}

static DENIED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:(?P<principal><[^>]*>|[^\s:]*:\S+|\*+|\S+)\s+)?(?:is|are) not authorized to perform:?\s*",
        r"(?P<action>[a-z0-9-]+:[a-z0-9*]+)",
        r#"(?:\s+on\s+(?:the\s+)?resource:?\s*(?P<resource><[^>]*>|"[^"]*"|[^\s"]+))?"#,
        r"(?P<rest>[^\n]*(?:\n[^\n]*)?)"
    ))
    .ok()
});

static EXPLICIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)explicit deny(?: in (?:an? |the )?(?P<layer>[a-z -]+?)(?:[.,:;(\n]|\\n| policy\b|$))?").ok()
});

static MISSING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)because no (?P<layer>[a-z -]+?)(?: polic(?:y|ies))? allows?\b").ok());

/// The policy that denies stands at the end, behind the name of its layer.
static POLICY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)explicit deny in [a-z -]+(?:policy|boundary):\s*(?P<arn>arn:aws[a-z-]*:[^\s"'\\,;)]+)"#).ok()
});

impl AccessDenied {
    /// Reads the first access-denied message in `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<AccessDenied> {
        let found = DENIED.as_ref()?.captures(text)?;
        let field = |name| found.name(name).map(|field| field.as_str());
        let rest = field("rest").unwrap_or_default();
        let explicit = EXPLICIT.as_ref().and_then(|pattern| pattern.captures(rest));
        let missing = MISSING.as_ref().and_then(|pattern| pattern.captures(rest));
        let layer = explicit
            .as_ref()
            .or(missing.as_ref())
            .and_then(|reason| reason.name("layer"))
            .map_or(RefusingLayer::Unknown, |layer| RefusingLayer::from_words(layer.as_str()));
        Some(AccessDenied {
            principal: field("principal").map(str::to_owned),
            action: field("action")?.to_owned(),
            resource: field("resource")
                .map(|resource| resource.trim_matches('"').trim_end_matches(['.', ',', ';', '\'', ')']).to_owned()),
            layer,
            explicit: explicit.is_some(),
            policy: POLICY
                .as_ref()
                .and_then(|pattern| pattern.captures(rest)?.name("arn"))
                .map(|arn| arn.as_str().trim_end_matches('.').to_owned()),
        })
    }

    /// The cause, as far as the message tells.
    ///
    /// `rotated` is the ARN of the secret being rotated, where known: a denied read of another secret
    /// in setSecret is the read of the superuser's.
    #[must_use]
    pub fn cause(&self, step: Option<RotationStep>, rotated: Option<&str>) -> Cause {
        let (service, call) = self.action.split_once(':').unwrap_or(("", &self.action));
        let service = service.to_ascii_lowercase();
        match (service.as_str(), call) {
            _ if self.layer == RefusingLayer::VpcEndpoint => Cause::VpcEndpointPolicyDeny,
            ("secretsmanager", "RotateSecret" | "CancelRotateSecret") => Cause::OperatorPermissionMissing,
            ("lambda", "InvokeFunction") => match &self.principal {
                Some(principal) if principal.contains("secretsmanager.amazonaws.com") => Cause::LambdaInvokePermissionMissing,
                _ => Cause::OperatorPermissionMissing,
            },
            _ if matches!(
                self.layer,
                RefusingLayer::Boundary | RefusingLayer::Scp | RefusingLayer::Rcp | RefusingLayer::SessionPolicy
            ) =>
            {
                Cause::PermissionsBoundaryOrScpDeny
            }
            ("kms", _) => Cause::KmsAccessDenied,
            ("ec2", call) if call.contains("NetworkInterface") || call.contains("PrivateIp") => Cause::LambdaEniPermissionMissing,
            ("secretsmanager", _) if self.layer == RefusingLayer::ResourcePolicy => match self.explicit {
                true => Cause::SecretResourcePolicyDeny,
                false => Cause::SecretResourcePolicyMissingAllow,
            },
            _ if self.explicit => Cause::IamExplicitDeny,
            ("secretsmanager", "GetSecretValue") if self.is_other_secret(step, rotated) => Cause::SuperuserSecretAccessDenied,
            _ => Cause::IamIdentityPolicyMissing,
        }
    }

    /// Another secret than the rotated one; where that is not known, what setSecret may not read, because createSecret has
    /// read the rotated secret already.
    fn is_other_secret(&self, step: Option<RotationStep>, rotated: Option<&str>) -> bool {
        match (rotated, self.resource.as_deref()) {
            (Some(rotated), Some(denied)) if denied.starts_with("arn:") => {
                step != Some(RotationStep::CreateSecret) && !rotated.starts_with(denied) && !denied.starts_with(rotated)
            }
            (Some(_), Some(_)) => false,
            _ => step == Some(RotationStep::SetSecret),
        }
    }
}

impl RefusingLayer {
    fn from_words(words: &str) -> RefusingLayer {
        let words = words.to_ascii_lowercase();
        let is = |name| words.starts_with(name);
        if is("identity") {
            RefusingLayer::IdentityPolicy
        } else if is("resource-based") || is("resource based") {
            RefusingLayer::ResourcePolicy
        } else if is("permissions boundary") || is("permission boundary") {
            RefusingLayer::Boundary
        } else if is("service control") {
            RefusingLayer::Scp
        } else if is("resource control") {
            RefusingLayer::Rcp
        } else if is("session") {
            RefusingLayer::SessionPolicy
        } else if is("vpc endpoint") {
            RefusingLayer::VpcEndpoint
        } else {
            RefusingLayer::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/rotator/fn";
    const OWN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf";
    const OTHER: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:root-AbCdEf";

    fn denied(action: &str, reason: &str) -> AccessDenied {
        let text = format!(
            "An error occurred (AccessDeniedException): User: {ROLE} is not authorized to perform: {action} on resource: {OTHER} {reason}"
        );
        AccessDenied::parse(&text).unwrap()
    }

    #[test]
    fn every_part_of_the_message_is_read() {
        assert_eq!(
            denied("secretsmanager:GetSecretValue", "with an explicit deny in a resource-based policy"),
            AccessDenied {
                principal: Some(ROLE.to_owned()),
                action: "secretsmanager:GetSecretValue".to_owned(),
                resource: Some(OTHER.to_owned()),
                layer: RefusingLayer::ResourcePolicy,
                explicit: true,
                policy: None,
            }
        );
    }

    #[test]
    fn the_policy_that_denies_is_named_by_its_arn_whatever_its_layer() {
        const OWN_POLICY: &str = "arn:aws:iam::123456789012:policy/team/NoWrites";
        const SCP: &str = "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid";
        let rcp = SCP.replace("service_control", "resource_control");
        for (reason, layer, policy) in [
            (
                format!("with an explicit deny in an identity-based policy: {OWN_POLICY}"),
                RefusingLayer::IdentityPolicy,
                Some(OWN_POLICY),
            ),
            (format!("with an explicit deny in a service control policy: {SCP}."), RefusingLayer::Scp, Some(SCP)),
            (
                format!("with an explicit deny in a permissions boundary: {OWN_POLICY}\nTraceback"),
                RefusingLayer::Boundary,
                Some(OWN_POLICY),
            ),
            (format!("with an explicit deny in a resource control policy: {rcp}\"}}"), RefusingLayer::Rcp, Some(rcp.as_str())),
            ("with an explicit deny in a session policy".to_owned(), RefusingLayer::SessionPolicy, None),
        ] {
            let denied = denied("secretsmanager:PutSecretValue", &reason);
            assert_eq!((denied.layer, denied.policy.as_deref()), (layer, policy), "{reason}");
        }
    }

    #[test]
    fn the_layer_and_the_action_give_the_cause() {
        let get = "secretsmanager:GetSecretValue";
        for (action, reason, layer, cause) in [
            (
                get,
                "because no identity-based policy allows the x action",
                RefusingLayer::IdentityPolicy,
                Cause::IamIdentityPolicyMissing,
            ),
            (
                get,
                "because no identity-based policy allows the action",
                RefusingLayer::IdentityPolicy,
                Cause::IamIdentityPolicyMissing,
            ),
            (get, "", RefusingLayer::Unknown, Cause::IamIdentityPolicyMissing),
            (get, "with an explicit deny in an identity-based policy", RefusingLayer::IdentityPolicy, Cause::IamExplicitDeny),
            (get, "with an explicit deny", RefusingLayer::Unknown, Cause::IamExplicitDeny),
            (
                get,
                "because no resource-based policy allows the x action",
                RefusingLayer::ResourcePolicy,
                Cause::SecretResourcePolicyMissingAllow,
            ),
            (
                get,
                "with an explicit deny in a resource-based policy",
                RefusingLayer::ResourcePolicy,
                Cause::SecretResourcePolicyDeny,
            ),
            (
                get,
                "because no permissions boundary allows the x action",
                RefusingLayer::Boundary,
                Cause::PermissionsBoundaryOrScpDeny,
            ),
            (
                get,
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/x",
                RefusingLayer::Scp,
                Cause::PermissionsBoundaryOrScpDeny,
            ),
            (get, "with an explicit deny in a resource control policy", RefusingLayer::Rcp, Cause::PermissionsBoundaryOrScpDeny),
            (
                get,
                "because no session policy allows the x action",
                RefusingLayer::SessionPolicy,
                Cause::PermissionsBoundaryOrScpDeny,
            ),
            (get, "because no VPC endpoint policy allows the x action", RefusingLayer::VpcEndpoint, Cause::VpcEndpointPolicyDeny),
            (
                "kms:Decrypt",
                "because no identity-based policy allows the kms:Decrypt action",
                RefusingLayer::IdentityPolicy,
                Cause::KmsAccessDenied,
            ),
            ("ec2:CreateNetworkInterface", "", RefusingLayer::Unknown, Cause::LambdaEniPermissionMissing),
            (
                "secretsmanager:RotateSecret",
                "because no identity-based policy allows it",
                RefusingLayer::IdentityPolicy,
                Cause::OperatorPermissionMissing,
            ),
        ] {
            let denied = denied(action, reason);
            assert_eq!((denied.layer, denied.cause(None, None)), (layer, cause), "{action} {reason}");
        }
    }

    #[test]
    fn only_another_secret_denied_after_create_secret_is_the_superusers() {
        let denied = denied("secretsmanager:GetSecretValue", "");
        let set = Some(RotationStep::SetSecret);
        assert_eq!(denied.cause(set, Some(OWN)), Cause::SuperuserSecretAccessDenied);
        assert_eq!(denied.cause(set, None), Cause::SuperuserSecretAccessDenied);
        assert_eq!(denied.cause(set, Some(OTHER)), Cause::IamIdentityPolicyMissing);
        assert_eq!(denied.cause(None, Some(OWN)), Cause::SuperuserSecretAccessDenied);
        assert_eq!(denied.cause(Some(RotationStep::CreateSecret), Some(OWN)), Cause::IamIdentityPolicyMissing);
        assert_eq!(denied.cause(None, None), Cause::IamIdentityPolicyMissing);
    }
}
