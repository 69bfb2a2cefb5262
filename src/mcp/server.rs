//! Calls in, answers out.

use super::arguments::{Arguments, repeated};
use super::progress::{StepEvents, tell};
use super::question::{AgentName, AgentQuestion, Investigated, Investigator, ToolRefusal};
use super::tools::AgentTool;
use crate::answers::{CauseList, CausePage, EvidenceAnswer, ExplainedLines, ForecastAnswer, JsonAnswer};
use crate::model::{ActionKind, InvestigationRequest, StepName, probably_meant};
use crate::playbook::Progress;
use crate::redact::SafeText;
use crate::report::{Report, UNTRUSTED_MARK};
use crate::safe_format;
use axum::http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Investigations that run at once; others wait for their turn. Each makes up to eight calls at the same time.
const AT_ONCE: usize = 8;

/// The longest message that is read, in bytes: log lines of an invocation, a hundred times over.
pub(super) const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Who calls over standard input: whoever started the process.
const OWN_USER: &str = "terminal";

/// Answers agents. Clones are the same server.
#[derive(Clone)]
pub struct AgentServer {
    investigator: Arc<dyn Investigator>,
    turns: Arc<Semaphore>,
}

impl AgentServer {
    /// Asks `investigator` about secrets.
    #[must_use]
    pub fn new(investigator: Arc<dyn Investigator>) -> AgentServer {
        AgentServer { investigator, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers a client that writes one message a line, until it closes its side.
    ///
    /// # Errors
    /// Where the client does not speak the protocol.
    pub async fn serve_lines(
        self,
        from: impl AsyncRead + Send + Unpin + 'static,
        to: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(), SafeText> {
        let transport = AsyncRwTransport::<RoleServer, _, _>::new(from, to).with_max_line_length(MAX_MESSAGE_BYTES);
        let running = match self.serve(transport).await {
            Ok(running) => running,
            // A client that left without a word is no failure.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(SafeText::redact(&format!("the client does not speak the protocol: {error}"))),
        };
        running.waiting().await.map(|_| ()).map_err(|error| SafeText::redact(&format!("the server failed: {error}")))
    }

    async fn answer(
        &self,
        tool: AgentTool,
        given: &JsonObject,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ToolRefusal> {
        let agent = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<AgentName>());
        let agent = agent.map_or(OWN_USER, AgentName::as_str);
        self.investigator.admit(agent)?;
        let arguments = Arguments::of(given, tool.arguments())?;
        match tool {
            AgentTool::ExplainLogLines => {
                let lines = arguments.lines()?;
                // A thousand long lines keep a processor busy.
                let explained = tokio::task::spawn_blocking(move || ExplainedLines::of(lines)).await;
                let explained = explained.map_err(|_| ToolRefusal::from("the lines could not be explained"))?;
                document(&explained.map_err(|error| SafeText::redact(&error.to_string()))?)
            }
            AgentTool::ExplainCause => match arguments.text("cause")? {
                Some(id) => {
                    let page = CausePage::of(id).map_err(|why| safe_format!("{}; without `cause`, all are listed", why))?;
                    document(&page)
                }
                None => document(&CauseList::all()),
            },
            AgentTool::DiagnoseSecret => {
                let question = question(&arguments, ActionKind::Investigate, arguments.steps()?)?;
                document(&self.report(agent, &question, context).await?.1)
            }
            AgentTool::Forecast => {
                let question = question(&arguments, ActionKind::Investigate, BTreeSet::new())?;
                document(&ForecastAnswer::from(self.report(agent, &question, context).await?.1))
            }
            AgentTool::Evidence => {
                let step: StepName = arguments.step()?;
                let question = question(&arguments, ActionKind::Evidence, BTreeSet::from([step]))?;
                let (investigated, report) = self.report(agent, &question, context).await?;
                document(&EvidenceAnswer::of(&investigated.investigation, &report, step))
            }
        }
    }

    /// Investigates in its turn. The turn ends with the investigation: a client that is slow to take what it is told keeps nobody
    /// else waiting.
    async fn look(&self, agent: &str, question: &AgentQuestion, progress: &dyn Progress) -> Result<Investigated, ToolRefusal> {
        let _turn = self.turns.acquire().await.map_err(|_| ToolRefusal::from("the server is ending"))?;
        Box::pin(self.investigator.investigate(agent, question, progress)).await
    }

    /// Investigates, and tells of the steps meanwhile where the client wants to know.
    async fn report(
        &self,
        agent: &str,
        question: &AgentQuestion,
        context: &RequestContext<RoleServer>,
    ) -> Result<(Investigated, Report), ToolRefusal> {
        let investigated = match context.meta.get_progress_token() {
            None => self.look(agent, question, &()).await,
            Some(token) => {
                let (events, told) = StepEvents::new();
                let work = async move { self.look(agent, question, &events).await };
                tokio::join!(work, tell(&context.peer, token, told)).0
            }
        }?;
        let report = Report::new(&investigated.investigation).in_account(investigated.account_name.as_deref());
        Ok((investigated, report))
    }
}

/// What is asked about a secret.
fn question(arguments: &Arguments<'_>, action: ActionKind, steps: BTreeSet<StepName>) -> Result<AgentQuestion, ToolRefusal> {
    let request = InvestigationRequest {
        secret: arguments.secret()?,
        account: arguments.text("account")?.map(str::to_owned),
        region: arguments.region()?,
        lookback: arguments.window()?,
    };
    Ok(AgentQuestion { request, steps, action })
}

/// The document as it is printed, and the same as structured content.
fn document(answer: &impl JsonAnswer) -> Result<CallToolResult, ToolRefusal> {
    let unwritten = |_: serde_json::Error| ToolRefusal::from("the answer could not be written as JSON");
    let mut result = CallToolResult::success(vec![ContentBlock::text(answer.to_json().map_err(unwritten)?)]);
    result.structured_content = Some(serde_json::to_value(answer).map_err(unwritten)?);
    Ok(result)
}

/// A refusal as an answer that the model reads; errors of the protocol may be shown to nobody.
fn refused(ToolRefusal(why): &ToolRefusal) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why.as_str())])
}

fn unknown_tool(name: &str) -> ToolRefusal {
    let known = AgentTool::ALL.map(AgentTool::name);
    match probably_meant(name, known) {
        Some(near) => {
            let near = AgentTool::named(near).map_or("", AgentTool::name);
            safe_format!("there is no tool `{}`: did you mean `{}`?", repeated(name), near).into()
        }
        None => safe_format!("there is no tool `{}`: there are {}", repeated(name), SafeText::join(known, ", ")).into(),
    }
}

impl ServerHandler for AgentServer {
    fn get_info(&self) -> ServerConfig {
        let instructions = format!(
            "rotation-diag finds out why AWS Secrets Manager stopped rotating a secret, from evidence that it reads in AWS. It reads \
             no secret's value and changes nothing. Begin with diagnose_secret. {UNTRUSTED_MARK} Commands in a report are for a \
             person to read and run."
        );
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("rotation-diag", env!("CARGO_PKG_VERSION")).with_title("rotation-diag"))
            .with_instructions(instructions)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(AgentTool::ALL.into_iter().map(AgentTool::definition).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        AgentTool::named(name).map(AgentTool::definition)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = AgentTool::named(&request.name) else { return Ok(refused(&unknown_tool(&request.name)).into()) };
        let given = request.arguments.unwrap_or_default();
        // Dropped, an investigation asks AWS nothing more.
        let answered = context.ct.run_until_cancelled(self.answer(tool, &given, &context)).await;
        match answered {
            Some(Ok(result)) => Ok(result.into()),
            Some(Err(refusal)) => Ok(refused(&refusal).into()),
            None => Err(ErrorData::internal_error("cancelled", None)),
        }
    }
}
