//! One layer's statements against one request.

use super::{
    Truth,
    arn::ArnParts,
    context::Context,
    effect::Effect,
    grant::{Grant, Layer, StatementRef},
    pattern::Unresolved,
    policy::{Listed, Policy, Statement},
    principal::{Caller, PrincipalMatch},
};
use std::collections::BTreeSet;

/// Who wants to do what, on what, in which circumstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Lower case.
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) caller: Caller,
    pub(super) context: Context,
}

impl Request {
    /// A request. `action` is as in a policy (`secretsmanager:PutSecretValue`), `resource` the whole
    /// ARN, or `*` for an action that takes no resource.
    ///
    /// The keys that follow from the caller (`aws:PrincipalArn`, ...) and the resource's account are
    /// added to `context`, where it does not speak of them itself.
    #[must_use]
    pub fn new(caller: Caller, action: &str, resource: &str, context: Context) -> Request {
        let mut derived = caller.context();
        if let Some(arn) = ArnParts::parse(resource)
            && !arn.account.is_empty()
        {
            derived = derived.known("aws:ResourceAccount", arn.account);
        }
        Request { action: action.to_ascii_lowercase(), resource: resource.to_owned(), context: context.or(derived), caller }
    }
}

/// What policies say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed {
        /// The statement that allows.
        by: StatementRef,
    },
    /// A statement denies it.
    ExplicitDeny {
        /// The statement that denies.
        by: StatementRef,
    },
    /// No statement allows it.
    ImplicitDeny,
    /// It depends on what is not known.
    Unknown {
        /// The context keys it depends on, in lower case. `NotPrincipal` stands among them where AWS
        /// itself leaves open whether that element exempts the caller.
        missing_keys: BTreeSet<String>,
        /// The statement that may or may not apply.
        by: StatementRef,
    },
}

/// The decision of all layers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerDecision {
    pub decision: Decision,
    pub layer: Layer,
}

impl LayerDecision {
    /// An explicit deny anywhere wins; then what `allowed` says, as far as no possible deny opens it.
    pub(super) fn decide(surveys: &[Survey], allowed: Grant) -> LayerDecision {
        for survey in surveys {
            if let Some(by) = &survey.denied {
                return LayerDecision { decision: Decision::ExplicitDeny { by: by.clone() }, layer: survey.layer };
            }
        }
        let Grant { layer, truth, by: Some(by), mut missing } = allowed else {
            return LayerDecision { decision: Decision::ImplicitDeny, layer: allowed.layer };
        };
        let mut open = (truth == Truth::Unknown).then_some((layer, by.clone()));
        for survey in surveys {
            if let Some((by, keys)) = &survey.possibly_denied {
                open.get_or_insert_with(|| (survey.layer, by.clone()));
                missing.extend(keys.iter().cloned());
            }
        }
        match open {
            None => LayerDecision { decision: Decision::Allowed { by }, layer },
            Some((layer, by)) => LayerDecision { decision: Decision::Unknown { missing_keys: missing, by }, layer },
        }
    }
}

/// What identity policies (or a boundary) alone say. `Principal` elements do not count there.
pub fn evaluate_identity<'a>(policies: impl IntoIterator<Item = &'a Policy>, request: &Request) -> Decision {
    let survey = Survey::of(policies, request, Side::Identity, Layer::IdentityPolicy);
    let allowed = survey.allowed.clone();
    LayerDecision::decide(&[survey], allowed).decision
}

/// What a resource's policy alone says of a caller, by whatever name it reaches them. A caller with a
/// permissions boundary is evaluated by [`Policies`](super::Policies).
#[must_use]
pub fn evaluate_resource(policy: &Policy, request: &Request) -> Decision {
    evaluate_one(policy, request, Side::Resource { caller_has_boundary: false })
}

/// What a role's trust policy says of who would assume the role. Its statements name no resource.
#[must_use]
pub fn evaluate_trust(policy: &Policy, request: &Request) -> Decision {
    evaluate_one(policy, request, Side::Trust)
}

fn evaluate_one(policy: &Policy, request: &Request, side: Side) -> Decision {
    let survey = Survey::of([policy], request, side, Layer::ResourcePolicy);
    let allowed = survey.allowed_in_any_way();
    LayerDecision::decide(&[survey], allowed).decision
}

/// Which side of the request a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Identity,
    Resource { caller_has_boundary: bool },
    Trust,
}

/// All that one layer's statements say.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    pub(super) layer: Layer,
    pub(super) denied: Option<StatementRef>,
    /// The first statement that may deny, and what all those that may depend on.
    pub(super) possibly_denied: Option<(StatementRef, BTreeSet<String>)>,
    /// By the caller's identity, or to the caller directly.
    pub(super) allowed: Grant,
    pub(super) allowed_to_role: Grant,
    pub(super) allowed_to_account: Grant,
}

impl Survey {
    pub(super) fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>, request: &Request, side: Side, layer: Layer) -> Survey {
        let mut survey = Survey {
            layer,
            denied: None,
            possibly_denied: None,
            allowed: Grant::none(layer),
            allowed_to_role: Grant::none(layer),
            allowed_to_account: Grant::none(layer),
        };
        for policy in policies {
            for (index, statement) in policy.statements.iter().enumerate() {
                let mut missing = BTreeSet::new();
                let Some(reach) = statement.reach(request, side, &mut missing) else {
                    continue;
                };
                let by =
                    || StatementRef { policy: policy.name.clone(), sid: statement.sid.clone(), index, effect: statement.effect };
                match statement.effect {
                    Effect::Allow => {
                        survey.allowed.add(reach.directly, &missing, by);
                        survey.allowed_to_role.add(reach.as_role, &missing, by);
                        survey.allowed_to_account.add(reach.through_account, &missing, by);
                    }
                    Effect::Deny if reach.in_any_way() == Truth::True => {
                        survey.denied = Some(by());
                        return survey;
                    }
                    Effect::Deny => {
                        survey.possibly_denied.get_or_insert_with(|| (by(), BTreeSet::new())).1.append(&mut missing);
                    }
                }
            }
        }
        survey
    }

    pub(super) fn allowed_in_any_way(&self) -> Grant {
        self.allowed.clone().or(self.allowed_to_role.clone()).or(self.allowed_to_account.clone())
    }
}

impl Statement {
    /// How the statement applies to the request; `None` where it does not.
    fn reach(&self, request: &Request, side: Side, missing: &mut BTreeSet<String>) -> Option<PrincipalMatch> {
        let possible = |truth: Truth| (truth != Truth::False).then_some(truth);
        // Never unknown: actions hold no variables.
        possible(self.actions.contains(&request.action, request, missing))?;
        let resource = match side {
            // A trust policy names no resource: it is about its own role.
            Side::Trust if self.resources.is_none() => Truth::True,
            _ => possible(self.resources.as_ref()?.contains(&request.resource, request, missing))?,
        };
        let reach = match side {
            Side::Identity => PrincipalMatch::directly(Truth::True),
            Side::Trust => self.principal.as_ref()?.reach(&request.caller, false, self.effect, missing),
            Side::Resource { caller_has_boundary } => {
                self.principal.as_ref()?.reach(&request.caller, caller_has_boundary, self.effect, missing)
            }
        };
        possible(reach.in_any_way())?;
        let conditions =
            possible(Truth::all(self.conditions.iter().map(|condition| condition.holds(&request.context, missing))))?;
        Some(reach.and(Truth::all([resource, conditions])))
    }
}

impl Listed {
    fn contains(&self, text: &str, request: &Request, missing: &mut BTreeSet<String>) -> Truth {
        let (patterns, unresolved) = match self {
            Listed::AnyOf(patterns) => (patterns, Unresolved::NoMatch),
            Listed::NoneOf(patterns) => (patterns, Unresolved::Unknown),
        };
        let matched =
            Truth::any_of(patterns, missing, |pattern, missing| pattern.matches(text, &request.context, unresolved, missing));
        match self {
            Listed::AnyOf(_) => matched,
            Listed::NoneOf(_) => !matched,
        }
    }
}
