//! What other agents ask: judged by the same rules as what people ask, written into the audit trail, and looked into while they
//! wait. No thread shows it.

use super::access::{Access, AccessRefusal, Whereabouts};
use super::rate_limit::UserRateLimiter;
use super::runner::{Runner, session_owner};
use crate::config::{AGENTS, AGENTS_CHANNEL, AGENTS_WORKSPACE};
use crate::investigation::Options;
use crate::mcp::{AgentQuestion, Investigated, Investigator, ToolRefusal};
use crate::model::{ActionKind, Actor, Place, SecretRef, Standing};
use crate::playbook::Progress;
use crate::redact::SafeText;
use crate::safe_format;
use crate::store::{AuditDecision, Audited, Location, Store};
use async_trait::async_trait;
use std::sync::Arc;

const TOO_FAST: &str = "you are calling too fast: wait a few seconds, then call again";

const UNRECORDED: &str = "the question could not be recorded, so nothing was done: try again in a minute";

/// Answers agents out of what they may look into.
pub struct AgentQuestions {
    store: Arc<Store>,
    access: Arc<Access>,
    runner: Arc<Runner>,
    rate_limit: UserRateLimiter,
    place: Place,
}

impl AgentQuestions {
    /// Looks into what `access` allows, and records in `store` who asked for what.
    #[must_use]
    pub fn new(store: Arc<Store>, access: Arc<Access>, runner: Arc<Runner>) -> AgentQuestions {
        let place =
            Place { platform: AGENTS, workspace: AGENTS_WORKSPACE.to_owned(), channel: AGENTS_CHANNEL.to_owned(), thread: None };
        AgentQuestions { store, access, runner, rate_limit: UserRateLimiter::default(), place }
    }

    /// The places where the agent may do this with the secret; or why there is none.
    fn allowed(&self, actor: &Actor, question: &AgentQuestion) -> Result<Vec<Location>, (AuditDecision, SafeText)> {
        let AgentQuestion { request, action, .. } = question;
        if let Some(why) = self.access.misplaced(actor, &self.place, request) {
            return Err((AuditDecision::Rejected, SafeText::redact(&why)));
        }
        let mut refusal = AccessRefusal::NotAllowed;
        let places = self.access.allowed_places(actor, &self.place, request);
        let mut may = |place: &Location| match self.access.may(actor, &self.place, *action, &request.secret, place) {
            Ok(()) => true,
            Err(why) => {
                refusal = why;
                false
            }
        };
        match places.map(|places| places.into_iter().filter(&mut may).collect::<Vec<_>>()) {
            Ok(places) if places.is_empty() => Err((AuditDecision::Refused, refusal.words().into())),
            Ok(places) => Ok(places),
            Err(why) => Err((AuditDecision::Refused, why.words().into())),
        }
    }

    /// The one of `places` that has the secret. Of a secret that is in none, the report on the preferred one says so.
    async fn location(&self, places: Vec<Location>, secret: &SecretRef) -> Result<Location, ToolRefusal> {
        let found = match places.as_slice() {
            [_] => places,
            _ => match self.access.locate(&places, secret).await {
                Whereabouts::In(found) => found,
                Whereabouts::Nowhere => places.into_iter().take(1).collect(),
            },
        };
        match found.as_slice() {
            [one] => Ok(one.clone()),
            several => Err(ambiguous(several).into()),
        }
    }

    /// A name can be read out of an ARN in two ways; what was found has to be allowed too.
    fn as_allowed(&self, actor: &Actor, action: ActionKind, location: &Location, found: &SecretRef) -> Result<(), ToolRefusal> {
        self.access.may(actor, &self.place, action, found, location).map_err(|why| why.words().into())
    }
}

#[async_trait]
impl Investigator for AgentQuestions {
    fn admit(&self, agent: &str) -> Result<(), ToolRefusal> {
        if self.rate_limit.lets_through(&actor(agent)) { Ok(()) } else { Err(TOO_FAST.into()) }
    }

    async fn investigate(
        &self,
        agent: &str,
        question: &AgentQuestion,
        progress: &dyn Progress,
    ) -> Result<Investigated, ToolRefusal> {
        let actor = actor(agent);
        let allowed = self.allowed(&actor, question);
        let (decision, why) = match &allowed {
            Ok(_) => (AuditDecision::Allowed, SafeText::default()),
            Err((decision, why)) => (*decision, why.clone()),
        };
        let (did, subject) = (question.action.id(), question.request.secret.as_str());
        let row = Audited::person(&actor, &self.place, did, subject, decision, &why);
        if let Err(error) = self.store.audit(&row).await {
            tracing::error!(%error, "an agent's question could not be recorded");
            return Err(UNRECORDED.into());
        }
        let location = self.location(allowed.map_err(|(_, why)| why)?, &question.request.secret).await?;
        let mut options = Options::new(question.request.secret.clone());
        options.lookback = question.request.lookback;
        options.steps.clone_from(&question.steps);
        let investigation = (self.runner.look_for(&session_owner(&actor), &self.place, &location, options, progress).await)
            .map_err(|error| safe_format!("AWS could not be queried: {}", SafeText::redact(&error.to_string())))?;
        if let Some(found) = investigation.evidence.secret.found() {
            self.as_allowed(&actor, question.action, &location, &SecretRef::Name(found.name.clone()))?;
        }
        Ok(Investigated { investigation, account_name: location.account })
    }
}

/// An agent, as the rules know it.
fn actor(agent: &str) -> Actor {
    Actor {
        platform: AGENTS,
        workspace: AGENTS_WORKSPACE.to_owned(),
        user: agent.to_owned(),
        groups: Some(Vec::new()),
        standing: Standing::Member,
    }
}

/// What to do where a secret is in several places.
fn ambiguous(several: &[Location]) -> SafeText {
    let named = |place: &Location| match &place.account {
        Some(account) => safe_format!("account {} in {}", SafeText::redact(account), place.region),
        None => safe_format!("{}", place.region),
    };
    let places = SafeText::join(several.iter().map(named), "; ");
    safe_format!("a secret of this name is in several places: say which by `account` and `region`: {}", places)
}
