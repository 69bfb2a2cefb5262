//! What an agent asks, and who looks into it.

use crate::model::{ActionKind, Investigation, InvestigationRequest, StepName};
use crate::playbook::Progress;
use crate::redact::SafeText;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an agent asks about one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentQuestion {
    pub request: InvestigationRequest,
    /// The only steps to perform; empty means all nine.
    pub steps: BTreeSet<StepName>,
    /// What it wants to see, which rules allow or deny.
    pub action: ActionKind,
}

/// The name of the agent that sent a request.
#[derive(Debug, Clone)]
pub(super) struct AgentName(Arc<str>);

impl AgentName {
    pub(super) fn new(name: &str) -> AgentName {
        AgentName(Arc::from(name))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Investigated {
    pub investigation: Investigation,
    /// What the configuration calls the account.
    pub account_name: Option<String>,
}

/// Why there is no answer, in a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ToolRefusal(pub SafeText);

impl From<SafeText> for ToolRefusal {
    fn from(text: SafeText) -> ToolRefusal {
        ToolRefusal(text)
    }
}

impl From<&'static str> for ToolRefusal {
    fn from(text: &'static str) -> ToolRefusal {
        ToolRefusal(text.into())
    }
}

/// Looks into secrets for agents, as far as each of them may.
#[async_trait]
pub trait Investigator: Send + Sync {
    /// Whether `agent` may call another tool now, whatever it asks.
    ///
    /// # Errors
    /// [`ToolRefusal`] where it calls too fast.
    fn admit(&self, agent: &str) -> Result<(), ToolRefusal>;

    /// Investigates. Dropped before its end, it asks AWS nothing more.
    ///
    /// # Errors
    /// [`ToolRefusal`] where it may not be looked into, or could not be.
    async fn investigate(
        &self,
        agent: &str,
        question: &AgentQuestion,
        progress: &dyn Progress,
    ) -> Result<Investigated, ToolRefusal>;
}
