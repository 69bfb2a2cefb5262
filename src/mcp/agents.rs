//! Agents by their tokens, which are read anew while the bot runs.

use super::question::AgentName;
use crate::config::{AgentAccess, Token, TokenSource, UnreadTokens};
use aws_lc_rs::{constant_time, hmac};
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// Who may come in: agents with their tokens, in a form in which those are compared in constant time, whatever their length.
pub struct AgentTokens {
    key: hmac::Key,
    agents: Vec<KnownAgent>,
    unread: UnreadTokens,
}

struct KnownAgent {
    name: AgentName,
    source: TokenSource,
    /// `None` while it is left out.
    token: RwLock<Option<hmac::Tag>>,
}

impl fmt::Debug for AgentTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.agents.iter().map(|agent| agent.name.as_str())).finish()
    }
}

impl AgentTokens {
    /// Those that the configuration names. One whose token is missing, or could be guessed, is left out, with a word to the operator.
    #[must_use]
    pub fn fetch(agents: &[AgentAccess]) -> AgentTokens {
        let known = |AgentAccess { name, token }: &AgentAccess| KnownAgent {
            name: AgentName::new(name),
            source: token.clone(),
            token: RwLock::default(),
        };
        let tokens = AgentTokens {
            key: hmac::Key::new(hmac::HMAC_SHA256, b"rotation-diag agents"),
            agents: agents.iter().map(known).collect(),
            unread: UnreadTokens::default(),
        };
        tokens.renew();
        tokens
    }

    /// Reads them anew. Where a new one cannot be taken, the one before it stays.
    pub fn renew(&self) {
        let mut problems = Vec::new();
        for agent in &self.agents {
            let name = agent.name.as_str();
            match agent.source.fetch() {
                Ok(token) if token.is_hard_to_guess() => {
                    if agent.replace(self.tag(&token)) {
                        tracing::info!(agent = name, "the agent has a new token");
                    }
                }
                Ok(_) => problems.push(format!("{name}: its token could be guessed")),
                Err(why) => problems.push(format!("{name}: {why}")),
            }
        }
        let tell =
            |why: &str| tracing::error!(why, "the token of an agent is not taken: without one before it, the agent is left out");
        self.unread.note(problems, tell);
    }

    /// The agent whose token it is.
    pub(super) fn agent(&self, token: &str) -> Option<AgentName> {
        let given = hmac::sign(&self.key, token.as_bytes());
        // All are compared, whichever it is.
        self.agents.iter().fold(None, |found, agent| if agent.has(&given) { Some(agent.name.clone()) } else { found })
    }

    fn tag(&self, token: &Token) -> hmac::Tag {
        hmac::sign(&self.key, token.expose().as_bytes())
    }
}

impl KnownAgent {
    fn has(&self, given: &hmac::Tag) -> bool {
        let own = self.token.read().unwrap_or_else(PoisonError::into_inner);
        own.as_ref().is_some_and(|own| constant_time::verify_slices_are_equal(own.as_ref(), given.as_ref()).is_ok())
    }

    /// True where another one stood in its place.
    fn replace(&self, new: hmac::Tag) -> bool {
        let mut own = self.token.write().unwrap_or_else(PoisonError::into_inner);
        let is_another = own.as_ref().is_some_and(|own| own.as_ref() != new.as_ref());
        *own = Some(new);
        is_another
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const HOLMES: &str = "3c6e0b8a9c15224a8228b9a98ca1531d";
    const CURSOR: &str = "b5e4c1a09d8f7263514a3b2c1d0e9f88";

    fn in_files(folder: &Path, agents: &[(&str, &str)]) -> AgentTokens {
        let access = |(name, token): &(&str, &str)| {
            let path = folder.join(name);
            std::fs::write(&path, token).unwrap();
            AgentAccess { name: (*name).to_owned(), token: TokenSource::File(path) }
        };
        AgentTokens::fetch(&agents.iter().map(access).collect::<Vec<_>>())
    }

    #[test]
    fn each_agent_is_known_by_its_token_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let agents = [("holmes", HOLMES), ("cursor", CURSOR)];
        let tokens = in_files(folder.path(), &agents);
        for (name, token) in agents {
            assert_eq!(tokens.agent(token).unwrap().as_str(), name);
            for wrong in ["", token.get(1..).unwrap(), &token.to_uppercase(), &format!("{token}0"), &token.replace('a', "b")] {
                assert!(tokens.agent(wrong).is_none(), "{wrong}");
            }
        }
        assert!(in_files(folder.path(), &[]).agent("").is_none());
        assert!(!format!("{tokens:?}").contains(HOLMES));
    }

    #[test]
    fn a_token_that_was_replaced_is_refused_and_one_that_cannot_be_taken_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = in_files(folder.path(), &[("holmes", HOLMES), ("late", "")]);
        std::fs::write(folder.path().join("holmes"), CURSOR).unwrap();
        std::fs::write(folder.path().join("late"), HOLMES).unwrap();
        tokens.renew();
        assert_eq!(tokens.agent(CURSOR).unwrap().as_str(), "holmes");
        assert_eq!(tokens.agent(HOLMES).unwrap().as_str(), "late", "who had none at the start has one now");
        for unfit in ["", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "short"] {
            std::fs::write(folder.path().join("holmes"), unfit).unwrap();
            tokens.renew();
            assert!(tokens.agent(CURSOR).is_some() && tokens.agent(unfit).is_none(), "{unfit}");
        }
        std::fs::remove_file(folder.path().join("holmes")).unwrap();
        tokens.renew();
        assert!(tokens.agent(CURSOR).is_some());
    }
}
