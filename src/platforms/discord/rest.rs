//! Requests to Discord's REST interface: each within a deadline, paced, followed nowhere, and read up to a bound.

use super::rate_limiter::{Held, Lane, Limits, RateLimiter};
use super::refusal::is_passing;
use super::render::File;
use crate::clock::deadline;
use crate::config::Token;
use crate::http_body::{self, BodyError};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Request, Route};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::dispatcher::{Dispatch, with_default};

/// How long one call may take, waiting for its turn included.
pub(super) const CALL: Duration = Duration::from_secs(10);
/// How long one call with files may take.
const UPLOAD: Duration = Duration::from_secs(40);
/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes: a hundred messages with all their embeds are smaller.
const MAX_BYTES: usize = 8 << 20;
/// What serenity's paths begin with.
const VERSION: &str = "/api/v10";
/// How often a request may be told to wait within one call.
const TURNS: usize = 4;

/// A request.
pub(super) struct Call<'a> {
    method: LightMethod,
    route: Route<'a>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    files: Vec<File>,
    within: Option<Duration>,
}

/// Why there is no answer to use. Nothing in here holds an address, a token or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not sent: it has to wait.
    Held(Duration),
    /// Not sent: nobody could be reached.
    Unreachable,
    /// Sent; what became of it is unknown.
    Lost(&'static str),
    /// Discord answered with another status than success, and perhaps its own code.
    Refused {
        /// The status.
        status: u16,
        /// Discord's code for the reason; 0 where it gave none.
        code: u64,
    },
    /// The bot's token is not accepted.
    TokenRefused,
}

impl Failure {
    /// Discord's code, where it refused something for good: the same is refused again, and something else may not be.
    pub(super) fn refusal(&self) -> Option<u64> {
        match self {
            Failure::Refused { status, code } if !is_passing(*status, *code) => Some(*code),
            _ => None,
        }
    }
}

impl<'a> Call<'a> {
    fn new(method: LightMethod, route: Route<'a>, body: Option<Value>) -> Call<'a> {
        Call { method, route, query: Vec::new(), body, files: Vec::new(), within: None }
    }

    pub(super) fn get(route: Route<'a>) -> Call<'a> {
        Call::new(LightMethod::Get, route, None)
    }

    pub(super) fn post(route: Route<'a>, body: Value) -> Call<'a> {
        Call::new(LightMethod::Post, route, Some(body))
    }

    pub(super) fn patch(route: Route<'a>, body: Value) -> Call<'a> {
        Call::new(LightMethod::Patch, route, Some(body))
    }

    pub(super) fn put(route: Route<'a>, body: Value) -> Call<'a> {
        Call::new(LightMethod::Put, route, Some(body))
    }

    pub(super) fn delete(route: Route<'a>) -> Call<'a> {
        Call::new(LightMethod::Delete, route, None)
    }

    /// With a parameter of the query.
    pub(super) fn query(mut self, name: &'static str, value: &str) -> Call<'a> {
        self.query.push((name, value.to_owned()));
        self
    }

    /// With files, besides the attachments `kept` from before.
    pub(super) fn files(mut self, files: Vec<File>, kept: Vec<Value>) -> Call<'a> {
        if files.is_empty() {
            return self;
        }
        let new = files.iter().enumerate().map(|(at, file)| match file.description.as_str() {
            "" => json!({ "id": at.to_string(), "filename": file.name }),
            text => json!({ "id": at.to_string(), "filename": file.name, "description": text }),
        });
        let all: Vec<Value> = kept.into_iter().chain(new).collect();
        if let Some(body) = self.body.as_mut().and_then(Value::as_object_mut) {
            body.insert("attachments".to_owned(), Value::Array(all));
        }
        self.within = Some(UPLOAD);
        self.files = files;
        self
    }

    /// Within another time than usual.
    pub(super) fn within(mut self, within: Duration) -> Call<'a> {
        self.within = Some(within);
        self
    }
}

/// Discord's REST interface.
pub(super) struct Rest {
    client: Client,
    /// The address of Discord, which serenity's paths begin after.
    origin: String,
    authorization: HeaderValue,
    pace: RateLimiter,
    /// How long one call may take that says nothing else.
    call: Duration,
}

impl Rest {
    /// Prepares to ask the interface at `base`; nothing is sent.
    ///
    /// # Errors
    /// One sentence; the token is not in it.
    pub(super) fn new(base: &str, token: &Token, call: Duration) -> Result<Rest, String> {
        // A second provider in the same process keeps the first one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut authorization = HeaderValue::from_str(&format!("Bot {}", token.expose()))
            .map_err(|_| "the bot's token holds characters that no token has".to_owned())?;
        authorization.set_sensitive(true);
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
        let is_here = url::Url::parse(base).is_ok_and(|url| match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        });
        let builder = if is_here { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|_| "no connection to Discord can be prepared: TLS is not available".to_owned())?;
        let origin = base.trim_end_matches(VERSION).to_owned();
        Ok(Rest { client, origin, authorization, pace: RateLimiter::default(), call })
    }

    /// Performs a call; a refusal for lack of turns is waited out within the call's time.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Value, Failure> {
        let until = deadline(call.within.unwrap_or(self.call));
        let lane = Lane::of(call.method, &call.route);
        let mut held = Duration::ZERO;
        for _ in 0..TURNS {
            match self.pace.pass(&lane, until).await {
                Ok(()) => {}
                Err(Held::For(wait)) => return Err(Failure::Held(wait)),
                Err(Held::TokenRefused) => return Err(Failure::TokenRefused),
            }
            let (status, body) = self.once(&call, &lane, until).await?;
            match status {
                200..300 if body.is_empty() => return Ok(Value::Null),
                200..300 => {
                    return serde_json::from_slice(&body).map_err(|_| Failure::Lost("the answer could not be read"));
                }
                401 if !lane.is_by_interaction() => return Err(Failure::TokenRefused),
                429 => held = retry_after(&body).map_or(held, |wait| Duration::try_from_secs_f64(wait).unwrap_or(held)),
                status => return Err(Failure::Refused { status, code: code(&body) }),
            }
        }
        Err(Failure::Held(held.max(Duration::from_secs(1))))
    }

    /// The request as serenity builds it. It always sends a token, even to an interaction's own address, so it gets none
    /// and ours is added after; it names each file of several alike, so the form is ours; and it writes the whole request,
    /// files and interaction's token and all, into a span that nobody is to see.
    fn request(&self, call: &Call<'_>, lane: &Lane) -> Result<reqwest::Request, Failure> {
        let body = call.body.as_ref().filter(|_| call.files.is_empty()).map(|body| body.to_string().into_bytes());
        let request = Request::new(call.route, call.method).params(Some(call.query.clone())).body(body);
        let built = with_default(&Dispatch::none(), || request.build(&self.client, "", Some(&self.origin)));
        let mut built = built.map_err(|_| Failure::Unreachable)?;
        if let Some(body) = call.body.as_ref().filter(|_| !call.files.is_empty()) {
            built = built.multipart(form(body, &call.files));
        }
        let mut request = built.build().map_err(|_| Failure::Unreachable)?;
        let headers = request.headers_mut();
        if lane.is_by_interaction() {
            headers.remove(AUTHORIZATION);
        } else {
            headers.insert(AUTHORIZATION, self.authorization.clone());
        }
        // Serenity counts no body, and the form counts itself after.
        if let Some(length) = headers.get_all(CONTENT_LENGTH).iter().next_back().cloned() {
            headers.insert(CONTENT_LENGTH, length);
        }
        Ok(request)
    }

    async fn once(&self, call: &Call<'_>, lane: &Lane, until: Instant) -> Result<(u16, Vec<u8>), Failure> {
        let request = self.request(call, lane)?;
        let response = match timeout_at(until, self.client.execute(request)).await {
            Err(_) => return Err(Failure::Lost("no answer in time")),
            Ok(Err(error)) if error.is_connect() || error.is_builder() => return Err(Failure::Unreachable),
            Ok(Err(_)) => return Err(Failure::Lost("the connection broke before the answer")),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        let mut limits = limits(response.headers());
        let body = timeout_at(until, http_body::read(response, MAX_BYTES)).await;
        let body = match (status, body) {
            (_, Ok(Ok(body))) => body,
            // What a refusal says besides its status helps, but it stands without.
            (400.., _) => Vec::new(),
            (_, Ok(Err(BodyError::BrokeOff))) => return Err(Failure::Lost("the answer broke off")),
            (_, Ok(Err(BodyError::TooLarge))) => return Err(Failure::Lost("the answer was too large")),
            (_, Err(_)) => return Err(Failure::Lost("the answer did not end in time")),
        };
        if status == 429 {
            limits.retry_after = limits.retry_after.or_else(|| retry_after(&body));
            limits.is_global |= field(&body, "global").and_then(|global| global.as_bool()) == Some(true);
        }
        self.pace.note(lane, status, limits);
        Ok((status, body))
    }
}

fn form(body: &Value, files: &[File]) -> Form {
    let payload = Part::text(body.to_string());
    let payload = payload.mime_str("application/json").unwrap_or_else(|_| Part::text(body.to_string()));
    files.iter().enumerate().fold(Form::new().part("payload_json", payload), |form, (at, file)| {
        let part = || Part::bytes(file.content.clone()).file_name(file.name.clone());
        form.part(format!("files[{at}]"), part().mime_str(file.mime).unwrap_or_else(|_| part()))
    })
}

/// Source: Discord developer documentation, "Rate Limits", header format.
fn limits(headers: &HeaderMap) -> Limits {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Limits {
        remaining: text("x-ratelimit-remaining").and_then(|text| text.parse().ok()),
        reset_after: text("x-ratelimit-reset-after").and_then(|text| text.parse().ok()),
        retry_after: text("retry-after").and_then(|text| text.parse().ok()),
        is_global: text("x-ratelimit-global") == Some("true") || text("x-ratelimit-scope") == Some("global"),
        is_shared: text("x-ratelimit-scope") == Some("shared"),
    }
}

fn field(body: &[u8], name: &str) -> Option<Value> {
    serde_json::from_slice::<Value>(body).ok()?.get(name).cloned()
}

fn retry_after(body: &[u8]) -> Option<f64> {
    field(body, "retry_after")?.as_f64()
}

fn code(body: &[u8]) -> u64 {
    field(body, "code").and_then(|code| code.as_u64()).unwrap_or_default()
}
