//! All layers together: identity policies, permissions boundary, the resource's policy.
//!
//! Source: IAM User Guide, "Policy evaluation for requests within a single account", "Cross-account
//! policy evaluation logic" and "Permissions boundaries for IAM entities"; KMS Developer Guide,
//! "Default key policy".

use super::{
    arn::ArnParts,
    evaluate::{LayerDecision, Request, Side, Survey},
    grant::{Grant, Layer},
    policy::Policy,
};

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

impl Policies<'_> {
    /// Decides the request. A service calling for itself has no identity policies: there only the
    /// resource's policy counts.
    #[must_use]
    pub fn evaluate(&self, request: &Request) -> LayerDecision {
        let side = Side::Resource { caller_has_boundary: self.boundary.is_some() };
        let policy = match self.resource {
            ResourcePolicy::None => None,
            ResourcePolicy::Attached(policy) | ResourcePolicy::Key(policy) => Some(policy),
        };
        let resource = Survey::of(policy, request, side, Layer::ResourcePolicy);
        let Some(home) = request.caller.home() else {
            let allowed = resource.allowed.clone();
            return LayerDecision::decide(&[resource], allowed);
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
        LayerDecision::decide(&surveys, allowed)
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
        match ArnParts::parse(resource) {
            Some(arn) if arn.partition != partition => Distance::OtherPartition,
            Some(arn) if !arn.account.is_empty() && arn.account != account => Distance::OtherAccount,
            _ => Distance::SameAccount,
        }
    }
}

#[cfg(test)]
mod real_policies;
#[cfg(test)]
mod tests;
