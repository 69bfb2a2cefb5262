//! Whether a public address leads to the bot: asked from this machine, by the way that strangers take.

use crate::chat::setup::{CheckResult, fine, missing, open};
use crate::http_body;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use std::error::Error;
use std::time::Duration;
use url::Url;

/// How long it may take to be answered; SNS gives up after fifteen seconds, too.
const DEADLINE: Duration = Duration::from_secs(15);

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// An answer: its status and its text.
struct Answered {
    status: u16,
    text: String,
}

/// Whether SNS's messages for `endpoint` come to the bot. It is sent one that is none, which the bot refuses as malformed, and
/// which leaves nothing behind.
pub(super) async fn sns(endpoint: &Url) -> CheckResult {
    match ask(Method::POST, endpoint).await {
        Ok(Answered { status: 400, .. }) => fine(format!("{endpoint} leads to the bot")),
        Ok(Answered { status: status @ 500.., .. }) => {
            open(format!("{endpoint} is answered with {status}: start the bot, or let the proxy there pass /sns on to it"))
        }
        Ok(Answered { status, .. }) => missing(format!(
            "{endpoint} is answered with {status} by something else than the bot: let the proxy there pass POST /sns on to it"
        )),
        Err(why) => why,
    }
}

/// Whether `address` leads to the web console.
pub(super) async fn console(address: &str) -> CheckResult {
    let Ok(url) = Url::parse(&format!("{address}/sign-in")) else { return missing(format!("{address} is no address")) };
    match ask(Method::GET, &url).await {
        Ok(Answered { status: 200, text }) if text.contains("rotation-diag") => fine(format!("{address} leads to it")),
        Ok(Answered { status: status @ 500.., .. }) => open(format!(
            "{address} is answered with {status}: start the bot, or let the proxy there pass everything below it on"
        )),
        Ok(Answered { status, .. }) => missing(format!(
            "{address} is answered with {status} by something else than the web console: let the proxy there pass everything below it on"
        )),
        Err(why) => why,
    }
}

async fn ask(method: Method, url: &Url) -> Result<Answered, CheckResult> {
    let client = Client::builder().timeout(DEADLINE).redirect(Policy::none()).build();
    let client = client.map_err(|error| open(format!("{url} could not be asked: {}", error.without_url())))?;
    let body = if method == Method::POST { "{}" } else { "" };
    let answer = client.request(method, url.clone()).body(body).send().await.map_err(|error| unreached(url, &error))?;
    let status = answer.status().as_u16();
    let text = http_body::read(answer, MAX_ANSWER_BYTES).await.unwrap_or_default();
    Ok(Answered { status, text: String::from_utf8_lossy(&text).into_owned() })
}

/// A certificate is the same for everybody; whether a way leads there is not.
fn unreached(url: &Url, error: &reqwest::Error) -> CheckResult {
    let mut source: Option<&dyn Error> = Some(error);
    while let Some(inner) = source {
        if let Some(why) = inner.to_string().strip_prefix("invalid peer certificate: ") {
            return missing(format!("{url} has a certificate that callers do not accept ({why}): use one of a public authority"));
        }
        source = inner.source();
    }
    let why = if error.is_timeout() { "no answer in time" } else { "no connection" };
    open(format!(
        "{url} could not be reached from here ({why}): who calls comes from the internet, and may reach it all the same"
    ))
}
