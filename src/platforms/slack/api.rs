//! Calls to Slack's Web API: each in its turn, within a deadline, with an error that says what became of it.

use super::config::{SlackConfig, SlackMode};
use super::failure::{FailureKind, SlackFailure};
use super::method::Method;
use super::rate_limiter::{Turn, Turns};
use super::render::File;
use super::transport::Transport;
use crate::clock::this_instant;
use crate::config::LiveToken;
use crate::metrics::LimiterWaits;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use slack_morphism::prelude::*;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use url::Url;

/// Slack's Web API.
#[derive(Debug)]
pub(super) struct Api {
    client: SlackClient<Transport>,
    bot: LiveToken,
    app: Option<LiveToken>,
    pacing: Turns,
    origin: url::Origin,
    deadline: Duration,
    /// Why Slack does not accept the bot token, since the last call that said so.
    refused_token: Mutex<Option<String>>,
    /// Where it is counted how long calls wait for their turn.
    waits: OnceLock<LimiterWaits>,
}

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Identity {
    /// The workspace's address, with a slash at its end.
    pub(super) url: Url,
    #[serde(default)]
    pub(super) team: Option<String>,
    pub(super) team_id: String,
    #[serde(default)]
    pub(super) user: Option<String>,
    /// The bot's user id.
    pub(super) user_id: String,
    /// The organization the workspace is of, where it is of one.
    #[serde(default)]
    pub(super) enterprise_id: Option<String>,
    /// Whether the app is installed for a whole organization instead of one workspace.
    #[serde(default)]
    pub(super) is_enterprise_install: Option<bool>,
}

impl Identity {
    /// True where the app is installed for a whole organization.
    pub(super) fn is_everywhere(&self) -> bool {
        self.is_enterprise_install.unwrap_or_default()
    }
}

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct PostedMessage {
    pub(super) ts: String,
}

fn sent(token: &LiveToken) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(token.current().expose().to_owned()))
}

/// An answer of which nothing is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

impl Api {
    /// The API at `config.api_url`, with these tokens, the second of which opens sockets; a call that brings no answer within `deadline` is given up.
    ///
    /// # Errors
    /// Why no connection can be made from this machine at all.
    pub(super) fn new(config: &SlackConfig, bot: LiveToken, inbound: &LiveToken, deadline: Duration) -> Result<Api, String> {
        let app = match config.mode {
            SlackMode::Socket { .. } => Some(inbound.clone()),
            SlackMode::Http { .. } => None,
        };
        let client = SlackClient::new(Transport::new(&config.api_url, deadline)?);
        Ok(Api {
            client,
            bot,
            app,
            pacing: Turns::default(),
            origin: config.api_url.origin(),
            deadline,
            refused_token: Mutex::default(),
            waits: OnceLock::new(),
        })
    }

    /// Counts in `waits` how long calls wait for their turn.
    pub(super) fn count_waits(&self, waits: LimiterWaits) {
        let _ = self.waits.set(waits);
    }

    /// The bot token as it is now.
    fn bot(&self) -> SlackApiToken {
        sent(&self.bot)
    }

    /// Calls a method that takes JSON.
    pub(super) async fn post<RQ, RS>(&self, method: Method, turn: Turn<'_>, request: &RQ) -> Result<RS, SlackFailure>
    where
        RQ: serde::Serialize + Send + Sync,
        RS: DeserializeOwned + Send,
    {
        self.in_turn(method, turn).await?;
        let bot = self.bot();
        let session = self.client.open_session(&bot);
        let outcome = self.outcome(method, turn, session.http_session_api.http_post(method.name(), request, None)).await;
        self.note_token(&outcome);
        outcome
    }

    /// Calls a method that takes parameters.
    pub(super) async fn get<RS: DeserializeOwned + Send>(
        &self,
        method: Method,
        parameters: &[(&str, &str)],
    ) -> Result<RS, SlackFailure> {
        self.in_turn(method, Turn::Other).await?;
        let bot = self.bot();
        let session = self.client.open_session(&bot);
        let parameters: Vec<(&str, Option<&str>)> = parameters.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let asked = session.http_session_api.http_get(method.name(), &parameters, None);
        let outcome = self.outcome(method, Turn::Other, asked).await;
        self.note_token(&outcome);
        outcome
    }

    /// Why the bot token is not accepted, as far as is known.
    pub(super) fn refused_token(&self) -> Option<String> {
        self.refused_token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every call that needs the bot token tells whether it is accepted, whatever else it was for.
    fn note_token<T>(&self, outcome: &Result<T, SlackFailure>) {
        let refused = match outcome {
            Ok(_) => None,
            Err(failure) if failure.is_about_the_token() => Some(failure.to_string()),
            Err(_) => return,
        };
        let mut known = self.refused_token.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some() != refused.is_some() {
            match &refused {
                Some(why) => tracing::error!(why, "Slack does not accept the bot token: nothing is answered there until it does"),
                None => tracing::info!("Slack accepts the bot token again"),
            }
        }
        *known = refused;
    }

    /// Who the bot is.
    pub(super) async fn identity(&self) -> Result<Identity, SlackFailure> {
        self.get(Method::AuthTest, &[]).await
    }

    /// The address of a new socket; it holds a ticket, and is never shown.
    pub(super) async fn open_socket(&self) -> Result<SlackWebSocketsUrl, SlackFailure> {
        let method = Method::AppsConnectionsOpen;
        self.in_turn(method, Turn::Other).await?;
        let Some(app) = &self.app else {
            return Err(SlackFailure { method, kind: FailureKind::Code("not_allowed_token_type".to_owned()) });
        };
        let app = sent(app);
        let session = self.client.open_session(&app);
        let request = SlackApiAppsConnectionOpenRequest::new();
        let answer = self.outcome(method, Turn::Other, session.apps_connections_open(&request)).await?;
        Ok(answer.url)
    }

    /// Uploads a file that nobody sees yet.
    ///
    /// Source: Slack, "Working with files", "Uploading files".
    pub(super) async fn upload(&self, file: &File) -> Result<SlackFileId, SlackFailure> {
        let method = Method::FilesGetUploadUrl;
        let length = file.bytes.len().to_string();
        let parameters = [("filename", file.name.as_str()), ("length", &length), ("alt_txt", &file.description)];
        let place: SlackApiFilesGetUploadUrlExternalResponse = self.get(method, &parameters).await?;
        let request = SlackApiFilesUploadViaUrlRequest::new(place.upload_url, file.bytes.clone(), file.content_type.to_owned());
        let bot = self.bot();
        let session = self.client.open_session(&bot);
        self.outcome(method, Turn::Other, session.files_upload_via_url(&request)).await?;
        Ok(place.file_id)
    }

    /// Answers an interaction at its `response_url`, which is its own authorisation; `false` where that has expired.
    pub(super) async fn respond(&self, url: &str, body: &serde_json::Value) -> Result<bool, SlackFailure> {
        let Some(url) = self.response_url(url) else { return Ok(false) };
        let method = Method::ChatPostEphemeral;
        match self.outcome(method, Turn::Other, self.client.http_api.connector.post_capability(url, body)).await {
            Ok(()) => Ok(true),
            Err(SlackFailure { kind: FailureKind::Status(404 | 410), .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Whether the Web API is on this machine, unencrypted: a test or a proxy.
    pub(super) fn is_local(&self) -> bool {
        matches!(&self.origin, url::Origin::Tuple(scheme, ..) if scheme == "http")
    }

    /// The time at Slack; `None` where it did not say.
    pub(super) async fn time(&self) -> Option<Timestamp> {
        self.client.http_api.connector.time(&self.bot()).await
    }

    /// The scopes the bot token was granted; `None` where Slack did not say.
    pub(super) async fn granted_scopes(&self) -> Option<Vec<String>> {
        self.client.http_api.connector.granted_scopes(&self.bot()).await
    }

    /// Only Slack's own addresses are written to, whatever a payload says.
    ///
    /// Source: Slack, "Handling user interaction": `https://hooks.slack.com/actions/…` and `…/commands/…`.
    fn response_url(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let is_slack = url.scheme() == "https" && matches!(url.host_str(), Some("hooks.slack.com" | "hooks.slack-gov.com"));
        (is_slack || url.origin() == self.origin).then_some(url)
    }

    async fn in_turn(&self, method: Method, turn: Turn<'_>) -> Result<(), SlackFailure> {
        match self.pacing.take(method, turn, this_instant()) {
            Ok(wait) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                self.waits.get().inspect(|waits| waits.passed("slack", wait));
                Ok(())
            }
            Err(wait) => Err(SlackFailure { method, kind: FailureKind::RateLimited(wait) }),
        }
    }

    async fn outcome<T>(
        &self,
        method: Method,
        turn: Turn<'_>,
        call: impl Future<Output = slack_morphism::ClientResult<T>>,
    ) -> Result<T, SlackFailure> {
        let failure = match tokio::time::timeout(self.deadline, call).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => SlackFailure::new(method, &error),
            Err(_) => SlackFailure { method, kind: FailureKind::Lost },
        };
        if let FailureKind::RateLimited(wait) = failure.kind {
            self.pacing.pause(method, turn, wait, this_instant());
        }
        Err(failure)
    }
}
