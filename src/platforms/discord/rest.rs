//! Requests to Discord's REST interface: each within a deadline, paced, followed nowhere, and read up to a bound.

use super::code::is_passing;
use super::file::File;
use super::layout::{self, Component};
use super::rate_limiter::{HeldBack, Lane, RateLimiter, RateLimits};
use super::route::Route;
use super::snowflake::Snowflake;
use crate::clock::{Pauses, Stopwatch, deadline};
use crate::config::{LiveToken, Token};
use crate::http_body::{self, BodyError};
use crate::metrics::LimiterWaits;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method};
use serde::Serialize;
use serde_json::Value;
use serenity::constants::USER_AGENT;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long one call may take, waiting for its turn included.
pub(super) const CALL: Duration = Duration::from_secs(10);
/// How long one call with files may take.
const UPLOAD: Duration = Duration::from_secs(40);
/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes: a hundred messages with all their embeds are smaller.
const MAX_BYTES: usize = 8 << 20;
/// How often a request may be told to wait within one call.
const TURNS: usize = 4;

/// A request.
pub(super) struct Call<'a> {
    method: Method,
    route: Route<'a>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    files: Vec<File>,
    within: Option<Duration>,
}

/// Why there is no answer to use. Nothing in here holds an address, a token or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RestFailure {
    /// Not sent: it has to wait.
    Held(Duration),
    /// Not sent: nobody could be reached.
    Unreachable,
    /// Sent; what became of it is unknown.
    Lost(&'static str),
    /// Discord answered with another status than success, and perhaps its own code.
    Refused {
        status: u16,
        /// Discord's code for the reason; 0 where it gave none.
        code: u64,
    },
    /// The bot's token is not accepted.
    TokenRefused,
}

impl RestFailure {
    /// Discord's code, where it refused something for good: the same is refused again, and something else may not be.
    pub(super) fn refusal(&self) -> Option<u64> {
        match self {
            RestFailure::Refused { status, code } if !is_passing(*status, *code) => Some(*code),
            _ => None,
        }
    }
}

/// An entry in the list of a message's files.
///
/// Serenity's builders have such a list, and leave every new file the number 0: they are numbered by `take_files`, which
/// only serenity's own requests can call.
#[derive(Serialize)]
#[serde(untagged)]
enum Attached<'a> {
    Kept {
        id: Snowflake,
    },
    New {
        /// Which part of the form it is.
        id: String,
        filename: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        description: &'a str,
    },
}

impl<'a> Call<'a> {
    fn new(method: Method, route: Route<'a>, body: Option<Value>) -> Call<'a> {
        Call { method, route, query: Vec::new(), body, files: Vec::new(), within: None }
    }

    /// A call with a body, which holds nothing that JSON lacks.
    fn with_body(method: Method, route: Route<'a>, body: &impl Serialize) -> Call<'a> {
        Call::new(method, route, Some(serde_json::to_value(body).unwrap_or_default()))
    }

    pub(super) fn get(route: Route<'a>) -> Call<'a> {
        Call::new(Method::GET, route, None)
    }

    pub(super) fn post(route: Route<'a>, body: &impl Serialize) -> Call<'a> {
        Call::with_body(Method::POST, route, body)
    }

    pub(super) fn patch(route: Route<'a>, body: &impl Serialize) -> Call<'a> {
        Call::with_body(Method::PATCH, route, body)
    }

    pub(super) fn put(route: Route<'a>, body: &impl Serialize) -> Call<'a> {
        Call::with_body(Method::PUT, route, body)
    }

    pub(super) fn delete(route: Route<'a>) -> Call<'a> {
        Call::new(Method::DELETE, route, None)
    }

    /// With a parameter of the query.
    pub(super) fn query(mut self, name: &'static str, value: &str) -> Call<'a> {
        self.query.push((name, value.to_owned()));
        self
    }

    /// With files, besides the attachments `kept` from before.
    pub(super) fn files(mut self, files: Vec<File>, kept: &[Snowflake]) -> Call<'a> {
        if files.is_empty() {
            return self;
        }
        let kept = kept.iter().map(|id| Attached::Kept { id: *id });
        let new = files.iter().enumerate().map(|(at, file)| Attached::New {
            id: at.to_string(),
            filename: &file.name,
            description: &file.description,
        });
        let all: Vec<Attached<'_>> = kept.chain(new).collect();
        // A forum's post holds its message.
        let path = if self.body.as_ref().is_some_and(|body| body.get("message").is_some()) { "/message" } else { "" };
        if let Some(body) = self.body.as_mut().and_then(|body| body.pointer_mut(path)?.as_object_mut()) {
            body.insert("attachments".to_owned(), serde_json::to_value(all).unwrap_or_default());
        }
        self.within = Some(UPLOAD);
        self.files = files;
        self
    }

    /// With a layout, where the message has one.
    pub(super) fn layout(mut self, layout: &[Component]) -> Call<'a> {
        let is_edit = self.method == Method::PATCH;
        if let Some(body) = self.body.as_mut().filter(|_| !layout.is_empty()) {
            layout::put(body, layout, is_edit);
        }
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
    /// The address that paths begin after.
    base: String,
    token: LiveToken,
    pace: RateLimiter,
    /// How long one call may take that says nothing else.
    call: Duration,
    /// Where it is counted how long calls wait for their turn.
    waits: OnceLock<LimiterWaits>,
    /// The time at Discord, as its last answer told it, to the second.
    time: Mutex<Option<Timestamp>>,
}

/// True where the token can be sent at all.
pub(super) fn is_sendable(token: &Token) -> bool {
    authorization(token).is_some()
}

fn authorization(token: &Token) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bot {}", token.expose())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl Rest {
    /// Prepares to ask the interface at `base`; nothing is sent.
    ///
    /// # Errors
    /// One sentence; the token is not in it.
    pub(super) fn new(base: &str, token: LiveToken, call: Duration, pauses: Pauses) -> Result<Rest, String> {
        crate::tls::choose();
        if !is_sendable(&token.current()) {
            return Err("the bot's token holds characters that no token has".to_owned());
        }
        let builder =
            Client::builder().user_agent(USER_AGENT).redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
        let is_here = url::Url::parse(base).is_ok_and(|url| match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        });
        let builder = if is_here { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|_| "no connection to Discord can be prepared: TLS is not available".to_owned())?;
        Ok(Rest {
            client,
            base: base.to_owned(),
            token,
            pace: RateLimiter::new(pauses),
            call,
            waits: OnceLock::new(),
            time: Mutex::default(),
        })
    }

    /// Performs a call; a refusal for lack of turns is waited out within the call's time.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Value, RestFailure> {
        let until = deadline(call.within.unwrap_or(self.call));
        let lane = Lane::of(call.method.clone(), &call.route);
        let mut held = Duration::ZERO;
        for _ in 0..TURNS {
            let waiting = Stopwatch::start();
            match self.pace.pass(&lane, until).await {
                Ok(()) => drop(self.waits.get().inspect(|waits| waits.passed("discord", waiting.elapsed()))),
                Err(HeldBack::For(wait)) => return Err(RestFailure::Held(wait)),
                Err(HeldBack::TokenRefused) => return Err(RestFailure::TokenRefused),
            }
            let (status, body) = self.once(&call, &lane, until).await?;
            match status {
                200..300 if body.is_empty() => return Ok(Value::Null),
                200..300 => {
                    return serde_json::from_slice(&body).map_err(|_| RestFailure::Lost("the answer could not be read"));
                }
                401 if !lane.is_by_interaction() => return Err(RestFailure::TokenRefused),
                429 => held = retry_after(&body).map_or(held, |wait| Duration::try_from_secs_f64(wait).unwrap_or(held)),
                status => return Err(RestFailure::Refused { status, code: code(&body) }),
            }
        }
        Err(RestFailure::Held(held.max(Duration::from_secs(1))))
    }

    /// True where the last call that needed the token was refused for it.
    pub(super) fn is_token_refused(&self) -> bool {
        self.pace.is_token_refused()
    }

    /// The time at Discord when it last answered; `None` where it did not say.
    pub(super) fn time(&self) -> Option<Timestamp> {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is a new token.
    pub(super) fn forget_refusal(&self) {
        self.pace.forget_refusal();
    }

    /// Counts in `waits` how long calls wait for their turn.
    pub(super) fn count_waits(&self, waits: LimiterWaits) {
        let _ = self.waits.set(waits);
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, RestFailure> {
        let mut request = self.client.request(call.method.clone(), format!("{}{}", self.base, call.route.path()));
        request = request.query(&call.query);
        if !call.route.is_by_interaction() {
            let authorization = authorization(&self.token.current()).ok_or(RestFailure::TokenRefused)?;
            request = request.header(AUTHORIZATION, authorization);
        }
        request = match &call.body {
            None => request,
            Some(body) if call.files.is_empty() => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
            Some(body) => request.multipart(form(body, &call.files)),
        };
        request.build().map_err(|_| RestFailure::Unreachable)
    }

    async fn once(&self, call: &Call<'_>, lane: &Lane, until: Instant) -> Result<(u16, Vec<u8>), RestFailure> {
        let request = self.request(call)?;
        let response = match timeout_at(until, self.client.execute(request)).await {
            Err(_) => return Err(RestFailure::Lost("no answer in time")),
            Ok(Err(error)) if error.is_connect() || error.is_builder() => return Err(RestFailure::Unreachable),
            Ok(Err(_)) => return Err(RestFailure::Lost("the connection broke before the answer")),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        let date = response.headers().get(DATE).and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        if let Some(date) = date {
            *self.time.lock().unwrap_or_else(PoisonError::into_inner) = Some(date.timestamp());
        }
        let mut limits = limits(response.headers());
        let body = timeout_at(until, http_body::read(response, MAX_BYTES)).await;
        let body = match (status, body) {
            (_, Ok(Ok(body))) => body,
            // What a refusal says besides its status helps, but it stands without.
            (400.., _) => Vec::new(),
            (_, Ok(Err(BodyError::BrokeOff))) => return Err(RestFailure::Lost("the answer broke off")),
            (_, Ok(Err(BodyError::TooLarge))) => return Err(RestFailure::Lost("the answer was too large")),
            (_, Err(_)) => return Err(RestFailure::Lost("the answer did not end in time")),
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
fn limits(headers: &HeaderMap) -> RateLimits {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    RateLimits {
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

/// The id of what an answer describes.
pub(super) fn id(answer: &Value) -> Result<Snowflake, RestFailure> {
    let id = answer.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or(RestFailure::Lost("the answer has no id"))
}

fn code(body: &[u8]) -> u64 {
    field(body, "code").and_then(|code| code.as_u64()).unwrap_or_default()
}
