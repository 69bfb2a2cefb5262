//! The table `[mcp]`: other agents, answered by `serve` over HTTP.

use super::TokenSource;
use super::reader::{self, Section};
use crate::model::PlatformName;

/// What rules call it where agents ask.
pub const AGENTS: PlatformName = PlatformName::new("mcp");
/// The only workspace of agents.
pub const AGENTS_WORKSPACE: &str = "local";
/// The only channel of agents.
pub const AGENTS_CHANNEL: &str = "mcp";

/// Which agents there are, and how they reach the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agents {
    pub agents: Vec<AgentAccess>,
    /// The values of the `Host` header that are answered; empty means those of `http.listen`.
    pub hosts: Vec<String>,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAccess {
    /// What rules name under `users`, and the audit trail calls it.
    pub name: String,
    /// The token that it gives with each request.
    pub token: TokenSource,
}

pub(super) fn read(root: &Section<'_>) -> Option<Agents> {
    let section = root.section("mcp")?;
    let hosts = section.get("hosts", |value| reader::texts(value, host)).unwrap_or_default();
    let mut agents: Vec<AgentAccess> = Vec::new();
    for one in section.list("agent") {
        let name = one.get("name", |value| reader::text(value).and_then(name));
        let token = one.get("token", |value| TokenSource::parse(&reader::text(value)?));
        for key in ["name", "token"].into_iter().filter(|key| !one.has(key)) {
            one.problem(key, "an agent under [[mcp.agent]] has to have it");
        }
        if name.as_ref().is_some_and(|name| agents.iter().any(|other| other.name == *name)) {
            one.problem("name", "another agent has this name");
        }
        agents.extend(name.zip(token).map(|(name, token)| AgentAccess { name, token }));
        one.finish();
    }
    if !section.has("agent") {
        root.problem("mcp", "there is no [[mcp.agent]]: nobody is answered without a token");
    }
    section.finish();
    Some(Agents { agents, hosts })
}

fn name(text: String) -> Result<String, String> {
    let shaped = (1..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if shaped { Ok(text) } else { Err(format!("expected a name of letters, digits, dots and dashes, found {text:?}")) }
}

fn host(text: String) -> Result<String, String> {
    let is_host = |text: &str| url::Url::parse(&format!("http://{text}/")).is_ok_and(|url| url.path() == "/" && url.has_host());
    let shaped = !text.is_empty() && !text.contains(['/', '@', '?', '#', '*', ' ']) && is_host(&text);
    if shaped {
        Ok(text)
    } else {
        Err(format!("expected a host such as bot.example.com, with its port if it needs one, found {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::app::PLATFORMS;
    use crate::config::{Config, TokenSource};

    #[test]
    fn agents_are_named_have_tokens_of_their_own_and_are_off_where_the_table_is_left_out() {
        assert_eq!(Config::parse("", PLATFORMS).unwrap().agents, None);
        let text = "[mcp]\nhosts = [\"bot.example.com\", \"10.0.0.1:8080\"]\n[[mcp.agent]]\nname = \"holmes\"\ntoken = \"env:HOLMES\"\n\
                    [[allow]]\nplatform = \"mcp\"\nworkspace = \"local\"\nchannels = [\"mcp\"]\nusers = [\"holmes\"]\n";
        let agents = Config::parse(text, PLATFORMS).unwrap().agents.unwrap();
        assert_eq!(agents.hosts, ["bot.example.com", "10.0.0.1:8080"]);
        assert_eq!(agents.agents[0].name, "holmes");
        assert_eq!(agents.agents[0].token, TokenSource::Env("HOLMES".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let told = |text: &str| {
            let problems = Config::parse(text, PLATFORMS).unwrap_err();
            problems.into_iter().map(|(line, text)| format!("{line}: {text}")).collect::<Vec<_>>().join("\n")
        };
        assert!(told("[mcp]\n").contains("1: `mcp`: there is no [[mcp.agent]]"));
        let two = "[[mcp.agent]]\nname = \"a\"\ntoken = \"env:A\"\n[[mcp.agent]]\nname = \"a\"\ntoken = \"env:B\"\n";
        assert!(told(two).contains("5: `mcp.agent[1].name`: another agent has this name"), "{}", told(two));
        let odd = "[mcp]\nhosts = [\"https://bot.example.com/mcp\"]\n[[mcp.agent]]\nname = \"a b\"\n";
        for expected in ["expected a host such as", "expected a name of letters", "has to have it"] {
            assert!(told(odd).contains(expected), "{expected}: {}", told(odd));
        }
    }
}
