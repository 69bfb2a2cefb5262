//! Who may do what: the configuration's rules, asked for every command and every click, there and then.
//!
//! Nobody may do anything that no `[[allow]]` rule covers, and a `[[deny]]` rule wins. Only ids count. Whoever is known to be
//! a guest, a bot or of another organization may do nothing, whatever a rule says: not even one that names the person.

use crate::config::{AccessRule, Config, Ids, SecretPattern};
use crate::model::{ActionKind, Actor, Place, Region, SecretRef, Standing};

/// The rules.
#[derive(Debug, Clone, Default)]
pub struct Authorizer {
    allow: Vec<AccessRule>,
    deny: Vec<AccessRule>,
    secrets: Vec<SecretPattern>,
}

/// What somebody wants to do, and with which secret.
#[derive(Debug, Clone, Copy)]
pub struct AccessRequest<'a> {
    pub action: ActionKind,
    pub secret: &'a SecretRef,
    /// The account's name in the configuration.
    pub account: Option<&'a str>,
    pub region: &'a Region,
}

/// Why it is refused. No text tells whether a secret exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.words())]
pub enum AccessRefusal {
    /// There are no rules.
    NoRules,
    /// No rule allows it, or one denies it.
    NotAllowed,
    /// It depends on groups that are unknown.
    GroupsUnknown,
    /// It depends on whether this is a full member, which is unknown.
    StandingUnknown,
}

impl AccessRefusal {
    /// As the person is told.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            AccessRefusal::NoRules => {
                "nobody is allowed to use this bot yet: the operator of rotation-diag has to add [[allow]] rules to its configuration"
            }
            AccessRefusal::NotAllowed => {
                "you are not allowed to do this here: the operator of rotation-diag can allow it in the configuration"
            }
            AccessRefusal::GroupsUnknown => {
                "your groups could not be looked up, and your rights depend on them: try again in a minute"
            }
            AccessRefusal::StandingUnknown => "whether you are a full member here could not be looked up: try again in a minute",
        }
    }

    /// True where it depends on what is not known of the person.
    #[must_use]
    pub const fn is_for_lack_of_knowledge(self) -> bool {
        matches!(self, AccessRefusal::GroupsUnknown | AccessRefusal::StandingUnknown)
    }
}

enum Match {
    Yes,
    No,
    Unknown(AccessRefusal),
}

impl Authorizer {
    /// The rules of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Authorizer {
        Authorizer { allow: config.allow.clone(), deny: config.deny.clone(), secrets: config.allowed_secrets.clone() }
    }

    /// True when there is no rule that allows anything.
    #[must_use]
    pub fn allow_nothing(&self) -> bool {
        self.allow.is_empty()
    }

    /// Whether it may be told in the channel of `place` though no person asked: no rule denies it to everyone.
    #[must_use]
    pub fn allow_unasked(&self, place: &Place, wish: &AccessRequest<'_>) -> bool {
        let for_everyone = |rule: &AccessRule| rule.users.is_none() && rule.groups.is_empty();
        (self.secrets.is_empty() || any_matches(&self.secrets, wish.secret))
            && !self.deny.iter().any(|rule| for_everyone(rule) && is_about(rule, place, wish))
    }

    /// Whether the channel of `place` may learn that there is such a secret, though nobody asked for it: somebody may ask
    /// about it there.
    #[must_use]
    pub fn allow_naming(&self, place: &Place, wish: &AccessRequest<'_>) -> bool {
        self.allow_unasked(place, wish) && self.allow.iter().any(|rule| is_about(rule, place, wish))
    }

    /// Decides for `actor` in the channel of `place`.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub fn decide(&self, actor: &Actor, place: &Place, wish: &AccessRequest<'_>) -> Result<(), AccessRefusal> {
        if self.allow.is_empty() {
            return Err(AccessRefusal::NoRules);
        }
        // A click or command reaches us with the place it came from; a person of elsewhere has no rights in it.
        if actor.standing == Standing::Outsider || actor.platform != place.platform || actor.workspace != place.workspace {
            return Err(AccessRefusal::NotAllowed);
        }
        if !self.secrets.is_empty() && !any_matches(&self.secrets, wish.secret) {
            return Err(AccessRefusal::NotAllowed);
        }
        for rule in self.deny.iter().filter(|rule| is_about(rule, place, wish)) {
            match denied_person(rule, actor) {
                Match::Yes => return Err(AccessRefusal::NotAllowed),
                Match::Unknown(refusal) => return Err(refusal),
                Match::No => {}
            }
        }
        let mut refusal = AccessRefusal::NotAllowed;
        for rule in self.allow.iter().filter(|rule| is_about(rule, place, wish)) {
            match allowed_person(rule, actor) {
                Match::Yes => return Ok(()),
                Match::Unknown(unknown) => refusal = unknown,
                Match::No => {}
            }
        }
        Err(refusal)
    }
}

fn is_about(rule: &AccessRule, place: &Place, wish: &AccessRequest<'_>) -> bool {
    rule.platform.is_none_or(|platform| platform == place.platform)
        && rule.workspace.as_ref().is_none_or(|workspace| *workspace == place.workspace)
        && rule.channels.as_ref().is_none_or(|channels| channels.hold(&place.channel))
        && (rule.actions.is_empty() || rule.actions.contains(&wish.action))
        && (rule.accounts.is_empty() || wish.account.is_some_and(|name| rule.accounts.iter().any(|account| account == name)))
        && (rule.regions.is_empty() || rule.regions.iter().any(|region| region == wish.region))
        && (rule.secrets.is_empty() || any_matches(&rule.secrets, wish.secret))
}

/// An ARN may end with the random characters or without, so both readings count.
fn any_matches(patterns: &[SecretPattern], secret: &SecretRef) -> bool {
    patterns.iter().any(|pattern| match secret {
        SecretRef::Name(name) => pattern.matches(name),
        SecretRef::Arn(arn) => pattern.matches(arn.name()) || pattern.matches(arn.resource_name()),
    })
}

fn allowed_person(rule: &AccessRule, actor: &Actor) -> Match {
    if let Some(Ids::Only(ids)) = &rule.users
        && ids.contains(&actor.user)
    {
        return Match::Yes;
    }
    let any = rule.users == Some(Ids::Any);
    let by_group = match &actor.groups {
        _ if rule.groups.is_empty() => Match::No,
        None => Match::Unknown(AccessRefusal::GroupsUnknown),
        Some(groups) if rule.groups.iter().any(|group| groups.contains(group)) => Match::Yes,
        Some(_) => Match::No,
    };
    match (any || matches!(by_group, Match::Yes), actor.standing) {
        (true, Standing::Member) => Match::Yes,
        (true, _) => Match::Unknown(AccessRefusal::StandingUnknown),
        (false, _) => by_group,
    }
}

fn denied_person(rule: &AccessRule, actor: &Actor) -> Match {
    if rule.users.is_none() && rule.groups.is_empty() || rule.users.as_ref().is_some_and(|users| users.hold(&actor.user)) {
        return Match::Yes;
    }
    match &actor.groups {
        _ if rule.groups.is_empty() => Match::No,
        None => Match::Unknown(AccessRefusal::GroupsUnknown),
        Some(groups) if rule.groups.iter().any(|group| groups.contains(group)) => Match::Yes,
        Some(_) => Match::No,
    }
}
