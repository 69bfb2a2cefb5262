//! `rotation-diag mcp`: other agents, over standard input and output.

use super::demo::{DemoWorld, unknown, with_secrets};
use super::diagnose::{self, DiagnoseSetup};
use super::failure::CommandError;
use super::{Diagnose, Format, McpArgs, interrupt, read_config};
use crate::app::demo;
use crate::aws::{Aws, AwsOptions, Registry};
use crate::bot::Accounts;
use crate::clock::Clock;
use crate::config::Config;
use crate::investigation::{Options, investigate};
use crate::mcp::{AgentQuestion, AgentServer, Investigated, Investigator, ToolRefusal};
use crate::model::{InvestigationRequest, SecretRef};
use crate::playbook::Progress;
use crate::redact::SafeText;
use crate::store::Location;
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Answers until standard input ends.
pub(super) fn run(options: &McpArgs) -> Result<ExitCode, CommandError> {
    let investigator: Arc<dyn Investigator> = if options.demo {
        Arc::new(SimulatedAccounts(demo::accounts(with_secrets(DemoWorld::all()?))))
    } else {
        let config = options.config.as_deref().map(read_config).transpose()?.unwrap_or_default();
        Arc::new(OwnAccounts {
            config,
            profile: options.profile.clone(),
            registry: Registry::default(),
            connected: Mutex::default(),
        })
    };
    interrupt::or(async {
        let server = AgentServer::new(investigator);
        server.serve_lines(tokio::io::stdin(), tokio::io::stdout()).await.map_err(CommandError::cannot_run)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What whoever started the process may look into: the same as by `diagnose`.
struct OwnAccounts {
    config: Config,
    profile: Option<String>,
    registry: Registry,
    /// Clients, by what they were made of.
    connected: Mutex<HashMap<String, Aws>>,
}

impl OwnAccounts {
    async fn connect(&self, options: &AwsOptions) -> Result<Aws, CommandError> {
        let key = format!("{options:?}");
        // Many calls at once make their clients once.
        let mut connected = self.connected.lock().await;
        if let Some(aws) = connected.get(&key) {
            return Ok(aws.clone());
        }
        let aws = diagnose::connect(options, &self.registry).await?;
        connected.insert(key, aws.clone());
        Ok(aws)
    }

    async fn look(&self, question: &AgentQuestion, progress: &dyn Progress) -> Result<Investigated, CommandError> {
        let InvestigationRequest { secret, account, region, lookback } = &question.request;
        let options = Diagnose {
            secret: Some(secret.as_str().to_owned()),
            region: region.clone(),
            account: account.clone(),
            profile: self.profile.clone(),
            window: *lookback,
            steps: question.steps.iter().copied().collect(),
            ..Diagnose::default()
        };
        let DiagnoseSetup { aws, account_name, investigation } = diagnose::plan(&options, &self.config)?;
        let aws = self.connect(&aws).await?;
        let seen = Box::pin(investigate(&aws, &Clock::system(), &investigation, progress)).await;
        let (investigation, _) = diagnose::reported(&aws, seen, Format::Json).await?;
        Ok(Investigated { investigation, account_name })
    }
}

#[async_trait]
impl Investigator for OwnAccounts {
    /// Whoever started the process decides how much it does.
    fn admit(&self, _: &str) -> Result<(), ToolRefusal> {
        Ok(())
    }

    async fn investigate(&self, _: &str, question: &AgentQuestion, progress: &dyn Progress) -> Result<Investigated, ToolRefusal> {
        self.look(question, progress).await.map_err(|error| match error {
            CommandError::Usage(why) | CommandError::CannotRun(why) => SafeText::redact(&why).into(),
            CommandError::Interrupted | CommandError::NobodyReads => "the server is ending".into(),
        })
    }
}

/// The accounts of the demo.
struct SimulatedAccounts(Arc<dyn Accounts>);

impl SimulatedAccounts {
    /// The place where the secret of a question is, among those that its words fit; or in which the demo plays that it is missing.
    async fn location(&self, request: &InvestigationRequest) -> Result<Location, ToolRefusal> {
        let all = self.0.known().iter().flat_map(|account| {
            account.regions.iter().map(|region| Location { account: account.name.clone(), region: region.clone() })
        });
        let fits = |place: &Location| {
            (request.account.is_none() || place.account == request.account)
                && request.region.as_ref().is_none_or(|asked| *asked == place.region)
        };
        let (places, others): (Vec<Location>, Vec<Location>) = all.partition(fits);
        let answers = self.0.look_for(&places, &request.secret).await;
        if let Some((place, _)) = places.iter().zip(answers).find(|(_, is_there)| *is_there == Some(true)) {
            return Ok(place.clone());
        }
        let is_meant = |name: &String| matches!(&request.secret, SecretRef::Name(asked) if asked == name);
        let mut known = BTreeSet::new();
        for place in &places {
            let names = self.0.names(place).await;
            if names.iter().any(is_meant) {
                return Ok(place.clone());
            }
            known.extend(names);
        }
        for place in &others {
            known.extend(self.0.names(place).await);
        }
        if places.is_empty() || known.iter().any(is_meant) {
            return Err("there is no simulated account of this name, or it is in another region: leave both out".into());
        }
        let known = known.iter().map(String::as_str).collect();
        Err(SafeText::redact(&unknown(request.secret.as_str(), request.secret.name(), known)).into())
    }
}

#[async_trait]
impl Investigator for SimulatedAccounts {
    fn admit(&self, _: &str) -> Result<(), ToolRefusal> {
        Ok(())
    }

    async fn investigate(&self, _: &str, question: &AgentQuestion, progress: &dyn Progress) -> Result<Investigated, ToolRefusal> {
        let location = self.location(&question.request).await?;
        let connected = self.0.connect_for(&location, &question.request.secret).await;
        let connected = connected.map_err(|error| SafeText::redact(&error.to_string()))?;
        let mut options = Options::new(question.request.secret.clone());
        options.lookback = question.request.lookback;
        options.steps.clone_from(&question.steps);
        let investigation = Box::pin(investigate(&connected.aws, &connected.clock, &options, progress)).await;
        Ok(Investigated { investigation, account_name: location.account })
    }
}
