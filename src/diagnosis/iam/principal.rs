//! Who calls, and how a resource's policy names them.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".

use super::{Truth, arn::ArnParts, context::Context, effect::Effect};
use serde_json::Value;
use std::collections::BTreeSet;

/// What stands among the missing keys where a policy names a session of the calling role, and the
/// session's name was not given.
const SESSION_NAME: &str = "sts:rolesessionname";

/// What stands among the missing keys where AWS leaves open whether `NotPrincipal` exempts the caller.
const NOT_PRINCIPAL: &str = "NotPrincipal";

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(CallerIdentity);

#[derive(Debug, Clone, PartialEq, Eq)]
enum CallerIdentity {
    Role {
        arn: String,
        partition: String,
        account: String,
        /// The role's name, without its path.
        name: String,
        /// The assumed-role session's ARN, where the session's name is known.
        session: Option<String>,
    },
    Service(String),
}

/// The text is not the ARN of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the ARN of an IAM role")]
pub struct InvalidRoleArn(String);

impl Caller {
    /// A session of the role `arn`. Lambda names the session after the function.
    ///
    /// # Errors
    ///
    /// Where `arn` is not the ARN of a role.
    pub fn role(arn: &str, session_name: Option<&str>) -> Result<Caller, InvalidRoleArn> {
        let invalid = || InvalidRoleArn(arn.to_owned());
        let parsed =
            ArnParts::parse(arn).filter(|parsed| parsed.service == "iam" && !parsed.account.is_empty()).ok_or_else(invalid)?;
        let path = parsed.resource.strip_prefix("role/").ok_or_else(invalid)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.is_empty() {
            return Err(invalid());
        }
        let ArnParts { partition, account, .. } = parsed;
        Ok(Caller(CallerIdentity::Role {
            arn: arn.to_owned(),
            partition: partition.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
            session: session_name.map(|session| format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}")),
        }))
    }

    /// An AWS service calling for itself, such as `secretsmanager.amazonaws.com`.
    #[must_use]
    pub fn service(name: &str) -> Caller {
        Caller(CallerIdentity::Service(name.to_owned()))
    }

    /// The partition and account of a role; a service has none.
    pub(super) fn home(&self) -> Option<(&str, &str)> {
        match &self.0 {
            CallerIdentity::Role { partition, account, .. } => Some((partition, account)),
            CallerIdentity::Service(_) => None,
        }
    }

    /// The context keys that follow from who calls. `aws:PrincipalArn` is the role's ARN, never the
    /// session's. Source: IAM User Guide, "AWS global condition context keys".
    pub(super) fn context(&self) -> Context {
        match &self.0 {
            CallerIdentity::Role { arn, account, .. } => Context::new()
                .known("aws:PrincipalArn", arn)
                .known("aws:PrincipalAccount", account)
                .known("aws:PrincipalType", "AssumedRole")
                .known("aws:PrincipalIsAWSService", "false")
                .absent("aws:PrincipalServiceName")
                .absent("aws:PrincipalServiceNamesList")
                .absent("aws:username"),
            CallerIdentity::Service(name) => Context::new()
                .known("aws:PrincipalIsAWSService", "true")
                .known("aws:PrincipalServiceName", name)
                // A service is a member of no organization.
                .absent("aws:PrincipalOrgID")
                .absent("aws:PrincipalOrgPaths")
                .absent("aws:username"),
        }
    }
}

/// A `Principal` or `NotPrincipal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PrincipalElement {
    Principal(NamedCallers),
    NotPrincipal(NamedCallers),
}

/// How a statement reaches the caller; each way gives another kind of permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PrincipalMatch {
    /// Everyone, the session itself, or the service: permission that no boundary caps.
    pub(super) directly: Truth,
    /// The role: permission that an implicit deny in a permissions boundary caps.
    pub(super) as_role: Truth,
    /// The account: permission for the account to give on by its own identity policies.
    pub(super) through_account: Truth,
}

impl PrincipalMatch {
    pub(super) const NOBODY: PrincipalMatch =
        PrincipalMatch { directly: Truth::False, as_role: Truth::False, through_account: Truth::False };

    pub(super) fn directly(truth: Truth) -> PrincipalMatch {
        PrincipalMatch { directly: truth, ..PrincipalMatch::NOBODY }
    }

    pub(super) fn in_any_way(self) -> Truth {
        Truth::any([self.directly, self.as_role, self.through_account])
    }

    pub(super) fn and(self, truth: Truth) -> PrincipalMatch {
        PrincipalMatch {
            directly: Truth::all([self.directly, truth]),
            as_role: Truth::all([self.as_role, truth]),
            through_account: Truth::all([self.through_account, truth]),
        }
    }
}

impl PrincipalElement {
    pub(super) fn reach(
        &self,
        caller: &Caller,
        caller_has_boundary: bool,
        effect: Effect,
        missing: &mut BTreeSet<String>,
    ) -> PrincipalMatch {
        match self {
            PrincipalElement::Principal(named) => named.reach(caller, missing),
            PrincipalElement::NotPrincipal(named) => PrincipalMatch::directly(match effect {
                Effect::Allow => !named.reach(caller, missing).in_any_way(),
                Effect::Deny => !named.exempts(caller, caller_has_boundary, missing),
            }),
        }
    }
}

/// The principals that an element names. A wildcard stands only for everyone: AWS takes none as a
/// part of a name. Ids of deleted principals (`AROA...`), federated and canonical users are never the
/// caller here, so they are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NamedCallers {
    everyone: bool,
    every_service: bool,
    /// Account ids, with the partition where one is named.
    accounts: Vec<(Option<String>, String)>,
    arns: Vec<String>,
    services: Vec<String>,
}

impl NamedCallers {
    /// The error says what is wrong.
    pub(super) fn parse(element: &Value) -> Result<NamedCallers, String> {
        const WRONG: &str = "a principal is neither \"*\" nor an object of names";
        let mut named = NamedCallers::default();
        let by_type = match element {
            Value::String(text) if text == "*" => {
                named.everyone = true;
                return Ok(named);
            }
            Value::Object(by_type) => by_type,
            _ => return Err(WRONG.to_owned()),
        };
        for (kind, names) in by_type {
            let names = match names {
                Value::Array(names) => names.as_slice(),
                name => std::slice::from_ref(name),
            };
            for name in names {
                let name = name.as_str().ok_or(WRONG)?;
                match (kind.as_str(), name) {
                    // "Principal": "*" and {"AWS": "*"} are equivalent in a resource's policy.
                    ("AWS", "*") => named.everyone = true,
                    ("AWS", name) => named.add_aws(name),
                    ("Service", "*") => named.every_service = true,
                    ("Service", name) => named.services.push(name.to_owned()),
                    _ => {}
                }
            }
        }
        Ok(named)
    }

    fn add_aws(&mut self, name: &str) {
        match ArnParts::parse(name) {
            Some(arn) if arn.service == "iam" && arn.resource == "root" => {
                self.accounts.push((Some(arn.partition.to_owned()), arn.account.to_owned()))
            }
            Some(_) => self.arns.push(name.to_owned()),
            None => self.accounts.push((None, name.to_owned())),
        }
    }

    fn reach(&self, caller: &Caller, missing: &mut BTreeSet<String>) -> PrincipalMatch {
        match &caller.0 {
            CallerIdentity::Service(name) => {
                PrincipalMatch::directly((self.everyone || self.every_service || self.services.contains(name)).into())
            }
            CallerIdentity::Role { arn, partition, account, .. } => PrincipalMatch {
                directly: Truth::any([Truth::from(self.everyone), self.names_session(caller, missing)]),
                as_role: self.arns.contains(arn).into(),
                through_account: self
                    .accounts
                    .iter()
                    .any(|(named_partition, named)| named == account && named_partition.as_ref().is_none_or(|p| p == partition))
                    .into(),
            },
        }
    }

    fn names_session(&self, caller: &Caller, missing: &mut BTreeSet<String>) -> Truth {
        let CallerIdentity::Role { partition, account, name, session, .. } = &caller.0 else {
            return Truth::False;
        };
        if let Some(session) = session {
            return self.arns.contains(session).into();
        }
        let any_session = format!("arn:{partition}:sts::{account}:assumed-role/{name}/");
        if !self.arns.iter().any(|arn| arn.starts_with(&any_session)) {
            return Truth::False;
        }
        if !self.everyone {
            missing.insert(SESSION_NAME.to_owned());
        }
        Truth::Unknown
    }

    /// Whether these names exempt the caller from a Deny with `NotPrincipal`.
    ///
    /// AWS: such a Deny "will always deny any IAM principal that has a permissions boundary policy
    /// attached, regardless of the values"; and a role's ARN needs its account's beside it: without,
    /// the policy "might deny access to the entire account". What might be stays open here.
    fn exempts(&self, caller: &Caller, caller_has_boundary: bool, missing: &mut BTreeSet<String>) -> Truth {
        if caller.home().is_none() {
            return self.reach(caller, missing).in_any_way();
        }
        if caller_has_boundary {
            return Truth::False;
        }
        if self.everyone {
            return Truth::True;
        }
        let mut open = BTreeSet::new();
        let reach = self.reach(caller, &mut open);
        match (reach.as_role, reach.through_account, reach.directly) {
            (Truth::True, Truth::True, _) => Truth::True,
            (Truth::False, _, Truth::False) => Truth::False,
            _ => {
                missing.append(&mut open);
                missing.insert(NOT_PRINCIPAL.to_owned());
                Truth::Unknown
            }
        }
    }
}
