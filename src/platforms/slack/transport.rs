//! How requests reach Slack: slack-morphism's client over a connection of our own.
//!
//! The crate's own connector has no deadlines, reads answers of any size, logs the addresses it asks at DEBUG, does not
//! tell a request that never left from one whose answer was lost, and sends the bot token along to upload addresses. This
//! one bounds, says which, and sends the token to Slack's Web API alone.

use crate::http_body;
use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slack_morphism::errors::{
    SlackClientApiError, SlackClientError, SlackClientHttpError, SlackClientProtocolError, SlackClientSystemError,
    SlackRateLimitError,
};
use slack_morphism::multipart_form::FileMultipartData;
use slack_morphism::{
    ClientResult, SlackApiToken, SlackClientApiCallContext, SlackClientHttpConnector, SlackClientId, SlackClientSecret,
};
use std::time::Duration;
use url::Url;

/// How long reaching Slack may take; below it nothing was sent.
const CONNECT_DEADLINE: Duration = Duration::from_secs(4);

/// The largest answer that is read, in bytes: 200 messages of a thread with all their blocks stay below it.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// A request that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("Slack could not be reached")]
    NotSent,
    /// It left, and what became of it is unknown.
    #[error("Slack's answer was lost")]
    Lost,
}

/// The connection.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: Client,
    /// Without a slash at the end.
    api_url: String,
}

impl Transport {
    /// A connection to the Web API at `api_url`; a request may take as long as `deadline`, its answer included.
    ///
    /// # Errors
    /// Why the TLS configuration of this machine cannot be used.
    pub(super) fn new(api_url: &Url, deadline: Duration) -> Result<Transport, String> {
        crate::tls::choose();
        let client = Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(deadline)
            // A redirect would carry the token elsewhere.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("rotation-diag/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no connection to Slack can be made: {}", error.without_url()))?;
        Ok(Transport { client, api_url: api_url.as_str().trim_end_matches('/').to_owned() })
    }

    /// Posts JSON to an address that is its own authorisation, such as an interaction's `response_url`; no token goes along.
    pub(super) async fn post_capability(&self, url: Url, body: &impl Serialize) -> ClientResult<()> {
        let body = serde_json::to_vec(body).map_err(garbled)?;
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        self.answer(request).await.map(drop)
    }

    /// The scopes the token was granted, as Slack lists them with every answer.
    ///
    /// Source: Slack, "Permission scopes": the header `x-oauth-scopes`.
    pub(super) async fn granted_scopes(&self, token: &SlackApiToken) -> Option<Vec<String>> {
        let answer = self.auth_test(token).await?;
        let scopes = answer.headers().get("x-oauth-scopes")?.to_str().ok()?;
        Some(scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect())
    }

    /// The time at Slack, as its answers tell it, to the second.
    pub(super) async fn time(&self, token: &SlackApiToken) -> Option<Timestamp> {
        let answer = self.auth_test(token).await?;
        let date = answer.headers().get(DATE)?.to_str().ok()?;
        Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())
    }

    async fn auth_test(&self, token: &SlackApiToken) -> Option<Response> {
        let request = self.client.post(format!("{}/auth.test", self.api_url)).bearer_auth(&token.token_value.0);
        request.send().await.ok()
    }

    fn authorised(&self, request: RequestBuilder, url: &Url, token: Option<&SlackApiToken>) -> RequestBuilder {
        match token {
            Some(token) if url.as_str().starts_with(&format!("{}/", self.api_url)) => request.bearer_auth(&token.token_value.0),
            _ => request,
        }
    }

    /// Sends, and reads the answer's body where the status says it was taken.
    async fn answer(&self, request: RequestBuilder) -> ClientResult<Vec<u8>> {
        let answer = request.send().await.map_err(|error| {
            no_answer(if error.is_connect() || error.is_builder() { NoAnswer::NotSent } else { NoAnswer::Lost })
        })?;
        let status = answer.status();
        if status.as_u16() == 429 {
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Err(SlackClientError::RateLimitError(
                SlackRateLimitError::new().opt_retry_after(after.map(Duration::from_secs)),
            ));
        }
        if !status.is_success() {
            return Err(SlackClientError::HttpError(SlackClientHttpError::new(status)));
        }
        http_body::read(answer, MAX_ANSWER_BYTES).await.map_err(|_| no_answer(NoAnswer::Lost))
    }

    /// Sends to a method of the Web API, whose answers say `ok`.
    async fn method<RS: DeserializeOwned>(&self, request: RequestBuilder) -> ClientResult<RS> {
        let body = self.answer(request).await?;
        let envelope: Envelope = serde_json::from_slice(&body).map_err(garbled)?;
        if envelope.ok {
            return serde_json::from_slice(&body).map_err(garbled);
        }
        let code = envelope.error.unwrap_or_else(|| "unknown".to_owned());
        Err(SlackClientError::ApiError(SlackClientApiError::new(code)))
    }
}

/// What every answer of a method holds.
#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    error: Option<String>,
}

fn garbled(error: serde_json::Error) -> SlackClientError {
    SlackClientError::ProtocolError(SlackClientProtocolError::new(error))
}

fn no_answer(why: NoAnswer) -> SlackClientError {
    SlackClientError::SystemError(SlackClientSystemError::new().with_cause(Box::new(why)))
}

/// Parts of slack-morphism's interface that the bot has no use for.
fn unused<'a, RS: Send + 'a>() -> BoxFuture<'a, ClientResult<RS>> {
    futures::future::ready(Err(no_answer(NoAnswer::NotSent))).boxed()
}

impl SlackClientHttpConnector for Transport {
    fn create_method_uri_path(&self, method_relative_uri: &str) -> ClientResult<Url> {
        Ok(format!("{}/{method_relative_uri}", self.api_url).parse()?)
    }

    fn http_get_uri<'a, RS>(&'a self, full_uri: Url, context: SlackClientApiCallContext<'a>) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        let request = self.authorised(self.client.get(full_uri.clone()), &full_uri, context.token);
        self.method(request).boxed()
    }

    fn http_get_with_client_secret<'a, RS>(
        &'a self,
        _full_uri: Url,
        _client_id: &'a SlackClientId,
        _client_secret: &'a SlackClientSecret,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        unused()
    }

    fn http_post_uri<'a, RQ, RS>(
        &'a self,
        full_uri: Url,
        request_body: &'a RQ,
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RQ: Serialize + Send + Sync,
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        let body = serde_json::to_vec(request_body);
        let request = self.authorised(self.client.post(full_uri.clone()), &full_uri, context.token);
        async move {
            let body = body.map_err(garbled)?;
            self.method(request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body)).await
        }
        .boxed()
    }

    fn http_post_uri_multipart_form<'a, 'p, RS, PT, TS>(
        &'a self,
        _full_uri: Url,
        _file: Option<FileMultipartData<'p>>,
        _params: &'p PT,
        _context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
        PT: IntoIterator<Item = (&'p str, Option<TS>)> + Clone,
        TS: AsRef<str> + 'p + Send,
    {
        unused()
    }

    /// For uploads: their address answers with a status and a word.
    fn http_post_uri_binary<'a, 'p, RS>(
        &'a self,
        full_uri: Url,
        content_type: String,
        data: &'a [u8],
        context: SlackClientApiCallContext<'a>,
    ) -> BoxFuture<'a, ClientResult<RS>>
    where
        RS: for<'de> Deserialize<'de> + Send + 'a,
    {
        let request = self.client.post(full_uri.clone()).header(CONTENT_TYPE, content_type).body(data.to_vec());
        let request = self.authorised(request, &full_uri, context.token);
        async move {
            self.answer(request).await?;
            serde_json::from_str("{}").map_err(garbled)
        }
        .boxed()
    }
}
