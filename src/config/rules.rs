//! Who may do what: `[[allow]]` and `[[deny]]`, by ids alone.

use super::SecretPattern;
use super::platform::named;
use super::reader::{self, Section};
use crate::model::{ActionKind, PlatformName, Region};

/// A rule. What it leaves out, it does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRule {
    pub platform: Option<PlatformName>,
    /// The workspace or server, by id.
    pub workspace: Option<String>,
    /// The channels, by id.
    pub channels: Option<Ids>,
    /// The people, by id; in an allowing rule, any means every full member.
    pub users: Option<Ids>,
    /// User groups or roles, by id.
    pub groups: Vec<String>,
    /// Accounts, by their names in the configuration; empty means all.
    pub accounts: Vec<String>,
    /// Regions; empty means all.
    pub regions: Vec<Region>,
    /// Secrets, by name; empty means all.
    pub secrets: Vec<SecretPattern>,
    /// Actions; empty means all.
    pub actions: Vec<ActionKind>,
}

/// Some ids, or any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ids {
    /// `"*"`.
    Any,
    Only(Vec<String>),
}

impl Ids {
    /// True when `id` is among them.
    #[must_use]
    pub fn hold(&self, id: &str) -> bool {
        match self {
            Ids::Any => true,
            Ids::Only(ids) => ids.iter().any(|one| one == id),
        }
    }
}

/// Reads `[[allow]]` and `[[deny]]`.
pub(super) fn read(root: &Section<'_>, platforms: &[PlatformName]) -> (Vec<AccessRule>, Vec<AccessRule>) {
    let allow = root.list("allow").into_iter().map(|section| rule(section, true, platforms)).collect();
    let deny = root.list("deny").into_iter().map(|section| rule(section, false, platforms)).collect();
    (allow, deny)
}

fn rule(section: Section<'_>, allows: bool, platforms: &[PlatformName]) -> AccessRule {
    let names = |key| section.get(key, |value| reader::texts(value, id)).unwrap_or_default();
    let ids = |key| {
        let list = section.get(key, |value| reader::texts(value, id))?;
        Some(if list.iter().any(|id| id == "*") { Ids::Any } else { Ids::Only(list) })
    };
    let patterns = section.get("secrets", |value| reader::texts(value, super::secret_pattern)).unwrap_or_default();
    let actions = section.get("actions", |value| reader::texts(value, |word| action(&word).map(|_| word))).unwrap_or_default();
    let rule = AccessRule {
        platform: section.get("platform", |value| reader::text(value).and_then(|name| named(&name, platforms))),
        workspace: section.get("workspace", |value| reader::text(value).and_then(id)),
        channels: ids("channels"),
        users: ids("users"),
        groups: names("groups"),
        accounts: names("accounts"),
        regions: section.get("regions", |value| reader::texts(value, super::region)).unwrap_or_default(),
        secrets: patterns.iter().map(|pattern| SecretPattern::new(pattern)).collect(),
        actions: actions.iter().filter_map(|word| action(word).ok()).collect(),
    };
    let required =
        [("platform", rule.platform.is_none()), ("workspace", rule.workspace.is_none()), ("channels", rule.channels.is_none())];
    for (key, _) in required.into_iter().filter(|(key, missing)| allows && *missing && !section.has(key)) {
        section.problem(key, "a rule under [[allow]] has to name it");
    }
    if allows && rule.users.is_none() && rule.groups.is_empty() {
        section.problem("users", "a rule under [[allow]] has to name `users` or `groups`");
    }
    section.finish();
    rule
}

fn action(word: &str) -> Result<ActionKind, String> {
    ActionKind::ALL.into_iter().find(|kind| kind.id() == word).ok_or_else(|| {
        let known: Vec<&str> = ActionKind::ALL.into_iter().map(ActionKind::id).collect();
        format!("expected some of {}, found {word:?}", known.join(", "))
    })
}

fn id(text: String) -> Result<String, String> {
    let shaped = !text.is_empty() && text.len() <= 100 && text.chars().all(|c| c.is_ascii_graphic());
    if shaped { Ok(text) } else { Err(format!("expected an id, as the platform shows it, or \"*\", found {text:?}")) }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_rule_that_allows_names_who_and_where() {
        let problems = Config::parse("[[allow]]\nactions = [\"investigate\"]\n", crate::app::PLATFORMS).unwrap_err();
        let told: Vec<&str> = problems.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(Config::parse("[[deny]]\nsecrets = [\"prod/*\"]\n", crate::app::PLATFORMS).is_ok());
    }

    #[test]
    fn an_action_or_platform_nobody_knows_is_a_mistake() {
        let problems =
            Config::parse("[[deny]]\nplatform = \"irc\"\nactions = [\"delete\"]\n", crate::app::PLATFORMS).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
