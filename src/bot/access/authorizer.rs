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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PlatformName;

    const CHAT: PlatformName = PlatformName::new("slack");

    fn authorizer(rules: &str) -> Authorizer {
        Authorizer::of(&Config::parse(rules, crate::app::PLATFORMS).unwrap())
    }

    /// A rule of the channel C1, with more keys.
    fn allow(more: &str) -> String {
        format!("[[allow]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannels = [\"C1\"]\n{more}\n")
    }

    fn member(user: &str) -> Actor {
        Actor {
            platform: CHAT,
            workspace: "T1".to_owned(),
            user: user.to_owned(),
            groups: Some(Vec::new()),
            standing: Standing::Member,
        }
    }

    fn place(channel: &str) -> Place {
        Place { platform: CHAT, workspace: "T1".to_owned(), channel: channel.to_owned(), thread: None }
    }

    struct Asked {
        action: ActionKind,
        secret: SecretRef,
        account: Option<&'static str>,
        region: Region,
    }

    impl Asked {
        fn about(secret: &str) -> Asked {
            let region = "eu-west-1".parse().unwrap();
            Asked { action: ActionKind::Investigate, secret: secret.parse().unwrap(), account: Some("prod"), region }
        }

        fn wish(&self) -> AccessRequest<'_> {
            AccessRequest { action: self.action, secret: &self.secret, account: self.account, region: &self.region }
        }
    }

    fn decided(rules: &str, actor: &Actor, channel: &str, asked: &Asked) -> Result<(), AccessRefusal> {
        authorizer(rules).decide(actor, &place(channel), &asked.wish())
    }

    #[test]
    fn nobody_may_do_anything_that_no_rule_covers() {
        let orders = Asked::about("prod/orders-db");
        assert_eq!(decided("", &member("U1"), "C1", &orders), Err(AccessRefusal::NoRules));
        assert!(authorizer("").allow_nothing());
        let rules = allow("users = [\"U1\"]");
        assert!(!authorizer(&rules).allow_nothing());
        assert_eq!(decided(&rules, &member("U1"), "C1", &orders), Ok(()));
        assert_eq!(decided(&rules, &member("U2"), "C1", &orders), Err(AccessRefusal::NotAllowed));
        assert_eq!(decided(&rules, &member("U1"), "C2", &orders), Err(AccessRefusal::NotAllowed));
    }

    #[test]
    fn each_key_of_a_rule_restricts_it() {
        for (more, is_allowed) in [
            ("", true),
            ("accounts = [\"prod\"]", true),
            ("accounts = [\"stage\"]", false),
            ("regions = [\"eu-west-1\"]", true),
            ("regions = [\"us-east-1\"]", false),
            ("secrets = [\"prod/*\"]", true),
            ("secrets = [\"test/*\"]", false),
            ("actions = [\"investigate\"]", true),
            ("actions = [\"rerun\", \"evidence\"]", false),
        ] {
            let rules = allow(&format!("users = [\"*\"]\n{more}"));
            let may = decided(&rules, &member("U1"), "C1", &Asked::about("prod/orders-db")).is_ok();
            assert_eq!(may, is_allowed, "{more}");
            // The same keys take away what another rule gives.
            let denied = format!("{}[[deny]]\n{more}\n", allow("users = [\"*\"]"));
            let may = decided(&denied, &member("U1"), "C1", &Asked::about("prod/orders-db")).is_ok();
            assert_eq!(may, !is_allowed, "{more}");
        }
        let nameless = Asked { account: None, ..Asked::about("prod/orders-db") };
        let rules = allow("users = [\"*\"]\naccounts = [\"prod\"]");
        assert_eq!(decided(&rules, &member("U1"), "C1", &nameless), Err(AccessRefusal::NotAllowed));
    }

    #[test]
    fn a_rule_of_another_platform_workspace_or_channel_says_nothing_and_nobody_acts_from_elsewhere() {
        let orders = Asked::about("prod/orders-db");
        for (of, with) in [("\"slack\"", "\"discord\""), ("\"T1\"", "\"T2\""), ("\"C1\"", "\"C2\"")] {
            let rules = allow("users = [\"*\"]").replace(of, with);
            assert_eq!(decided(&rules, &member("U1"), "C1", &orders), Err(AccessRefusal::NotAllowed), "{rules}");
        }
        let rules = allow("users = [\"*\"]").replace("\"C1\"", "\"*\"");
        assert_eq!(decided(&rules, &member("U1"), "C7", &orders), Ok(()));
        let of_another_workspace = Actor { workspace: "T2".to_owned(), ..member("U1") };
        let of_another_platform = Actor { platform: PlatformName::new("discord"), ..member("U1") };
        for stranger in [of_another_workspace, of_another_platform] {
            assert_eq!(decided(&rules, &stranger, "C1", &orders), Err(AccessRefusal::NotAllowed));
        }
    }

    #[test]
    fn the_allowed_secrets_bound_every_rule_and_an_arn_is_read_in_both_ways() {
        let rules = format!("allowed_secrets = [\"prod/orders-db\"]\n{}", allow("users = [\"*\"]"));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
        for (secret, expected) in [
            ("prod/orders-db", Ok(())),
            (arn, Ok(())),
            ("prod/payments-db", Err(AccessRefusal::NotAllowed)),
            (&arn.replace("orders", "payments"), Err(AccessRefusal::NotAllowed)),
        ] {
            assert_eq!(decided(&rules, &member("U1"), "C1", &Asked::about(secret)), expected, "{secret}");
        }
        let whole = allow("users = [\"*\"]\nsecrets = [\"prod/orders-db-AbCdEf\"]");
        assert_eq!(decided(&whole, &member("U1"), "C1", &Asked::about(arn)), Ok(()));
    }

    #[test]
    fn who_somebody_is_decides_and_what_is_not_known_of_them_is_told_apart() {
        let orders = Asked::about("prod/orders-db");
        let as_known = |groups: Option<&[&str]>, standing| Actor {
            groups: groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect()),
            standing,
            ..member("U1")
        };
        use AccessRefusal::{GroupsUnknown, NotAllowed, StandingUnknown};
        use Standing::{Member, Outsider, Pending, Unknown};
        for (users, groups, standing, expected) in [
            ("users = [\"U1\"]", None, Member, Ok(())),
            ("users = [\"U1\"]", None, Unknown, Ok(())),
            ("users = [\"U1\"]", None, Pending, Ok(())),
            ("users = [\"U1\"]", None, Outsider, Err(NotAllowed)),
            ("users = [\"U2\"]", None, Member, Err(NotAllowed)),
            ("users = [\"*\"]", None, Member, Ok(())),
            ("users = [\"*\"]", None, Unknown, Err(StandingUnknown)),
            ("users = [\"*\"]", None, Pending, Err(StandingUnknown)),
            ("users = [\"*\"]", None, Outsider, Err(NotAllowed)),
            ("groups = [\"S1\", \"S2\"]", Some(&["S2"][..]), Member, Ok(())),
            ("groups = [\"S1\"]", Some(&["S2"]), Member, Err(NotAllowed)),
            ("groups = [\"S1\"]", Some(&["S1"]), Unknown, Err(StandingUnknown)),
            ("groups = [\"S1\"]", Some(&["S2"]), Unknown, Err(NotAllowed)),
            ("groups = [\"S1\"]", None, Member, Err(GroupsUnknown)),
            ("groups = [\"S1\"]", None, Outsider, Err(NotAllowed)),
            ("users = [\"U2\"]\ngroups = [\"S1\"]", Some(&["S1"]), Member, Ok(())),
            ("users = [\"U2\"]\ngroups = [\"S1\"]", Some(&[]), Member, Err(NotAllowed)),
        ] {
            let decision = decided(&allow(users), &as_known(groups, standing), "C1", &orders);
            assert_eq!(decision, expected, "{users} {groups:?} {standing:?}");
            assert_eq!(
                expected.is_err_and(AccessRefusal::is_for_lack_of_knowledge),
                matches!(expected, Err(GroupsUnknown | StandingUnknown))
            );
        }
        // One rule that is open does not hide another that allows, wherever it stands.
        let (open, sure) = (allow("groups = [\"S1\"]"), allow("users = [\"U1\"]"));
        for rules in [format!("{open}{sure}"), format!("{sure}{open}")] {
            assert_eq!(decided(&rules, &as_known(None, Member), "C1", &orders), Ok(()));
        }
        let other = allow("users = [\"U9\"]");
        for rules in [format!("{open}{other}"), format!("{other}{open}")] {
            assert_eq!(decided(&rules, &as_known(None, Member), "C1", &orders), Err(GroupsUnknown));
        }
    }

    #[test]
    fn a_denial_wins_and_stops_those_whose_groups_are_not_known() {
        let orders = Asked::about("prod/orders-db");
        let with = |groups: Option<&[&str]>| Actor {
            groups: groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect()),
            ..member("U1")
        };
        for (deny, groups, expected) in [
            ("users = [\"U1\"]", None, Err(AccessRefusal::NotAllowed)),
            ("users = [\"U2\"]", None, Ok(())),
            ("users = [\"*\"]", None, Err(AccessRefusal::NotAllowed)),
            ("groups = [\"S1\"]", Some(&["S1"][..]), Err(AccessRefusal::NotAllowed)),
            ("groups = [\"S1\"]", Some(&["S2"]), Ok(())),
            ("groups = [\"S1\"]", None, Err(AccessRefusal::GroupsUnknown)),
            ("users = [\"U2\"]\ngroups = [\"S1\"]", Some(&[]), Ok(())),
            ("users = [\"U1\"]\ngroups = [\"S1\"]", Some(&[]), Err(AccessRefusal::NotAllowed)),
            ("channels = [\"C2\"]", None, Ok(())),
            ("platform = \"discord\"", None, Ok(())),
            ("workspace = \"T2\"", None, Ok(())),
        ] {
            let rules = format!("{}[[deny]]\n{deny}\n", allow("users = [\"U1\"]"));
            assert_eq!(decided(&rules, &with(groups), "C1", &orders), expected, "{deny} {groups:?}");
        }
    }

    #[test]
    fn a_channel_is_told_unasked_what_is_denied_to_nobody_there_and_learns_names_that_somebody_there_may_ask_about() {
        let orders = Asked::about("prod/orders-db");
        let told = |rules: &str, channel: &str| {
            let authorizer = authorizer(rules);
            (authorizer.allow_unasked(&place(channel), &orders.wish()), authorizer.allow_naming(&place(channel), &orders.wish()))
        };
        let rules = allow("users = [\"U1\"]");
        assert_eq!(told("", "C1"), (true, false));
        assert_eq!((told(&rules, "C1"), told(&rules, "C2")), ((true, true), (true, false)));
        assert_eq!(told(&format!("allowed_secrets = [\"test/*\"]\n{rules}"), "C1"), (false, false));
        for (deny, is_told) in [
            ("secrets = [\"prod/*\"]", false),
            ("secrets = [\"test/*\"]", true),
            ("channels = [\"C2\"]", true),
            // Denied to some, it may still be told to the others.
            ("users = [\"U1\"]", true),
            ("groups = [\"S1\"]", true),
        ] {
            let rules = format!("{rules}[[deny]]\n{deny}\n");
            assert_eq!(told(&rules, "C1"), (is_told, is_told), "{deny}");
        }
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        for (refusal, expected) in [
            (AccessRefusal::NoRules, "[[allow]] rules"),
            (AccessRefusal::NotAllowed, "can allow it in the configuration"),
            (AccessRefusal::GroupsUnknown, "try again in a minute"),
            (AccessRefusal::StandingUnknown, "try again in a minute"),
        ] {
            assert!(refusal.words().contains(expected) && refusal.to_string() == refusal.words(), "{refusal}");
        }
    }
}
