//! Other agents: their tokens, and whether each may ask anything.

use crate::chat::setup::{Checked, checked, exposed, fine, missing};
use crate::config::{AGENTS, AGENTS_CHANNEL, AGENTS_WORKSPACE, AgentAccess, Config};

pub(super) fn check(config: &Config) -> Vec<Checked> {
    let ruled = config.allow.iter().filter(|rule| rule.platform == Some(AGENTS)).count();
    let Some(agents) = &config.agents else {
        let why = "a rule under [[allow]] has platform = \"mcp\", and there is no table [mcp]";
        return (ruled > 0).then(|| checked("rules", missing(why))).into_iter().collect();
    };
    agents.agents.iter().flat_map(|agent| of(agent, config)).collect()
}

fn of(AgentAccess { name, token }: &AgentAccess, config: &Config) -> Vec<Checked> {
    let what = format!("agent {name}");
    let mut all: Vec<Checked> = exposed(&what, token).into_iter().collect();
    match token.fetch() {
        Err(why) => all.push(checked(&what, missing(format!("{why}: without its token the agent is left out")))),
        Ok(token) if !token.is_hard_to_guess() => {
            let why = "its token can be guessed, so that the agent is left out: make one with openssl rand -hex 16";
            all.push(checked(&what, missing(why)));
        }
        Ok(_) => {}
    }
    let is_allowed = config.allow.iter().any(|rule| {
        rule.platform == Some(AGENTS)
            && rule.workspace.as_deref() == Some(AGENTS_WORKSPACE)
            && rule.channels.as_ref().is_some_and(|channels| channels.hold(AGENTS_CHANNEL))
            && rule.users.as_ref().is_some_and(|users| users.hold(name))
    });
    let advice = format!(
        "it may ask nothing: add an [[allow]] rule with platform = \"mcp\", workspace = \"local\", channels = [\"mcp\"], users = [\"{name}\"]"
    );
    all.push(checked(&what, if is_allowed { fine("has a rule that lets it ask") } else { missing(advice) }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::CheckResult;

    #[test]
    fn an_agent_needs_a_token_and_a_rule() {
        let told = |text: &str| {
            let config = Config::parse(text, crate::app::PLATFORMS).unwrap();
            let all = check(&config).into_iter().map(|Checked { what, found }| match found {
                CheckResult::Fine(text) => format!("fine {what}: {text}"),
                CheckResult::Open(text) => format!("open {what}: {text}"),
                CheckResult::Missing(text) => format!("missing {what}: {text}"),
            });
            all.collect::<Vec<_>>()
        };
        let rule = "[[allow]]\nplatform = \"mcp\"\nworkspace = \"local\"\nchannels = [\"mcp\"]\nusers = [\"holmes\"]\n";
        let agent = "[[mcp.agent]]\nname = \"holmes\"\ntoken = \"env:NO_SUCH_VARIABLE\"\n";
        assert!(told("").is_empty());
        assert_eq!(told(rule).len(), 1);
        let lines = told(agent);
        assert!(
            matches!(lines.as_slice(), [token, rule] if token.contains("NO_SUCH_VARIABLE is not set") && rule.contains("users = [\"holmes\"]")),
            "{lines:?}"
        );
        let lines = told(&format!("{agent}{rule}"));
        assert_eq!(lines.get(1).map(String::as_str), Some("fine agent holmes: has a rule that lets it ask"), "{lines:?}");
    }
}
