//! All layers together: identity policies, permissions boundary, the resource's policy.
//!
//! Source: IAM User Guide, "Policy evaluation for requests within a single account", "Cross-account
//! policy evaluation logic" and "Permissions boundaries for IAM entities"; KMS Developer Guide,
//! "Default key policy".

use super::{
    Truth,
    arn::Arn,
    evaluate::{Decision, Request, Side, StatementRef, Survey},
    policy::Policy,
};
use std::collections::BTreeSet;

/// The policies that bear on a request.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// The role's policies, attached and inline.
    pub identity: Vec<&'a Policy>,
    /// The role's permissions boundary.
    pub boundary: Option<&'a Policy>,
    /// The policy of the resource.
    pub resource: ResourcePolicy<'a>,
}

/// The policy of a resource, and what it means for its own account's principals.
#[derive(Debug, Clone, Copy, Default)]
pub enum ResourcePolicy<'a> {
    /// The resource has none.
    #[default]
    None,
    /// A secret's or a function's: in its own account it gives *more* than identity policies do.
    Attached(&'a Policy),
    /// A KMS key's: identity policies count only where it lets them, by allowing the account.
    Key(&'a Policy),
}

/// The layer that decided: the one that allows or denies, whose allow is missing, or that leaves the
/// answer open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The role's own policies.
    IdentityPolicy,
    /// The role's permissions boundary.
    PermissionsBoundary,
    /// The policy of the secret, the function or the key.
    ResourcePolicy,
}

/// The decision of all layers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub decision: Decision,
    pub layer: Layer,
}

impl Policies<'_> {
    /// Decides the request. A service calling for itself has no identity policies: there only the
    /// resource's policy counts.
    #[must_use]
    pub fn evaluate(&self, request: &Request) -> Access {
        let side = Side::Resource { caller_has_boundary: self.boundary.is_some() };
        let policy = match self.resource {
            ResourcePolicy::None => None,
            ResourcePolicy::Attached(policy) | ResourcePolicy::Key(policy) => Some(policy),
        };
        let resource = Survey::of(policy, request, side, Layer::ResourcePolicy);
        let Some(home) = request.caller.home() else {
            let allowed = resource.allowed.clone();
            return Access::decide(&[resource], allowed);
        };

        let identity = Survey::of(self.identity.iter().copied(), request, Side::Identity, Layer::IdentityPolicy);
        let boundary = self.boundary.map(|policy| Survey::of([policy], request, Side::Identity, Layer::PermissionsBoundary));
        let capped = |grant: Grant| match &boundary {
            Some(boundary) => grant.and(boundary.allowed.clone()),
            None => grant,
        };

        let by_identity = identity.allowed.clone();
        let allowed = match Distance::between(home, &request.resource) {
            // No policy gives access across partitions.
            Distance::OtherPartition => Grant::none(Layer::ResourcePolicy),
            Distance::OtherAccount => capped(by_identity).and(resource.allowed_in_any_way()),
            Distance::SameAccount => {
                let given = match self.resource {
                    ResourcePolicy::Key(_) => resource.allowed_to_account.clone().and(by_identity),
                    // Allowing its own account adds nothing: the account may allow itself already.
                    ResourcePolicy::None | ResourcePolicy::Attached(_) => by_identity,
                };
                resource.allowed.clone().or(capped(resource.allowed_to_role.clone().or(given)))
            }
        };
        let mut surveys = vec![identity];
        surveys.extend(boundary);
        surveys.push(resource);
        Access::decide(&surveys, allowed)
    }
}

/// How far the resource is from the caller.
enum Distance {
    SameAccount,
    OtherAccount,
    OtherPartition,
}

impl Distance {
    fn between((partition, account): (&str, &str), resource: &str) -> Distance {
        match Arn::parse(resource) {
            Some(arn) if arn.partition != partition => Distance::OtherPartition,
            Some(arn) if !arn.account.is_empty() && arn.account != account => Distance::OtherAccount,
            _ => Distance::SameAccount,
        }
    }
}

impl Access {
    /// An explicit deny anywhere wins; then what `allowed` says, as far as no possible deny opens it.
    pub(super) fn decide(surveys: &[Survey], allowed: Grant) -> Access {
        for survey in surveys {
            if let Some(by) = &survey.denied {
                return Access { decision: Decision::ExplicitDeny { by: by.clone() }, layer: survey.layer };
            }
        }
        let Grant { layer, truth, by: Some(by), mut missing } = allowed else {
            return Access { decision: Decision::ImplicitDeny, layer: allowed.layer };
        };
        let mut open = (truth == Truth::Unknown).then_some((layer, by.clone()));
        for survey in surveys {
            if let Some((by, keys)) = &survey.possibly_denied {
                open.get_or_insert_with(|| (survey.layer, by.clone()));
                missing.extend(keys.iter().cloned());
            }
        }
        match open {
            None => Access { decision: Decision::Allowed { by }, layer },
            Some((layer, by)) => Access { decision: Decision::Unknown { missing_keys: missing, by }, layer },
        }
    }
}

/// Whether something is allowed, by which statement, and what that depends on.
///
/// Invariant: `by` is `None` exactly where `truth` is `False`; `missing` is empty unless `truth` is
/// `Unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    layer: Layer,
    truth: Truth,
    by: Option<StatementRef>,
    missing: BTreeSet<String>,
}

impl Grant {
    /// Nothing is allowed, for want of an allow in `layer`.
    pub(super) fn none(layer: Layer) -> Grant {
        Grant { layer, truth: Truth::False, by: None, missing: BTreeSet::new() }
    }

    /// Takes in one more statement of the layer, which allows as far as `truth` says.
    pub(super) fn add(&mut self, truth: Truth, missing: &BTreeSet<String>, by: impl Fn() -> StatementRef) {
        match (self.truth, truth) {
            (Truth::True, _) | (_, Truth::False) => {}
            (_, Truth::True) => {
                self.truth = Truth::True;
                self.by = Some(by());
                self.missing.clear();
            }
            (_, Truth::Unknown) => {
                self.truth = Truth::Unknown;
                self.by.get_or_insert_with(by);
                self.missing.extend(missing.iter().cloned());
            }
        }
    }

    fn merged(mut self, other: Grant) -> Grant {
        self.missing.extend(other.missing);
        self
    }

    /// Both must allow. Names the one that does not, or may not.
    fn and(self, other: Grant) -> Grant {
        match (self.truth, other.truth) {
            (Truth::False, _) | (Truth::True, Truth::True) | (Truth::Unknown, Truth::True) => self,
            (_, Truth::False) | (Truth::True, Truth::Unknown) => other,
            (Truth::Unknown, Truth::Unknown) => self.merged(other),
        }
    }

    /// Either may allow. Where neither does, names the latter.
    pub(super) fn or(self, other: Grant) -> Grant {
        match (self.truth, other.truth) {
            (Truth::True, _) | (Truth::Unknown, Truth::False) => self,
            (_, Truth::True) | (Truth::False, _) => other,
            (Truth::Unknown, Truth::Unknown) => self.merged(other),
        }
    }
}

#[cfg(test)]
mod real_policies;
#[cfg(test)]
mod tests;
