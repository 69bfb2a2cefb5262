//! A storm: sixty commands of sixty people in twelve channels at once, at 200 ms per AWS call and with the usual number of
//! investigations at once. How soon each has a first sign in its channel, where Slack takes a message a second for each and a
//! person has to be looked up first.
//!
//! `cargo bench --bench storm`; ROTATION_DIAG_BINARY names another build to measure. The fake Slack refuses what Slack does not
//! promise to take: more than two messages at once, and one a second after that. Fails where a budget is broken.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops at a mistake of its own"
)]

#[path = "support/slack_bot.rs"]
mod slack_bot;
#[path = "support/under_load.rs"]
mod under_load;

use axum::body::Bytes;
use axum::extract::{Path as RoutePath, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing::any};
use rotation_diag::clock::{Clock, Stopwatch};
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use under_load::until;

const COMMANDS: usize = 60;
const CHANNELS: usize = 12;
const LATENCY_MS: u64 = 200;

/// Of half of them.
const FIRST_SIGN: Duration = Duration::from_secs(2);
/// The last of five in a channel leaves three seconds after the first two.
const LAST_SIGN: Duration = Duration::from_secs(5);

/// Source: Slack, "Rate limits": one message a second to a channel, "short bursts of >1 allowed".
const BETWEEN_MESSAGES: Duration = Duration::from_secs(1);
const BURST: u32 = 2;
/// How much later a message may have been taken than it was sent.
const ON_ITS_WAY: Duration = Duration::from_millis(250);

/// Slack, as far as the bot notices.
struct Slack {
    since: Stopwatch,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// When each thread began, by the time since the start of Slack.
    signs: Vec<Duration>,
    verdicts: BTreeSet<String>,
    /// When the burst of a channel will be whole again.
    channels: HashMap<String, Duration>,
    refused: usize,
    messages: usize,
}

impl Told {
    /// Whether Slack takes a message to `channel`.
    fn takes(&mut self, channel: &str, now: Duration) -> bool {
        let whole_at = self.channels.entry(channel.to_owned()).or_default();
        let next = (*whole_at).max(now) + BETWEEN_MESSAGES;
        let is_taken = next <= now + BETWEEN_MESSAGES * BURST + ON_ITS_WAY;
        if is_taken {
            *whole_at = next;
        }
        self.refused += usize::from(!is_taken);
        is_taken
    }
}

async fn method(
    State((slack, origin)): State<(Arc<Slack>, String)>,
    RoutePath(method): RoutePath<String>,
    Query(parameters): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut ts = asked["ts"].as_str().unwrap_or_default().to_owned();
    {
        let (now, mut told) = (slack.since.elapsed(), slack.told.lock().unwrap());
        if method == "chat.postMessage" {
            if !told.takes(asked["channel"].as_str().unwrap(), now) {
                return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response();
            }
            told.messages += 1;
            ts = format!("1700000000.{:06}", told.messages);
            if asked["thread_ts"].is_null() {
                told.signs.push(now);
            }
        }
        if asked["text"].as_str().unwrap_or_default().contains("is not rotating") && asked["thread_ts"].is_null() {
            told.verdicts.insert(ts.clone());
        }
    }
    let mut answer = under_load::answer(&ts, &origin);
    if method == "users.info" {
        answer["user"] = json!({ "id": parameters.get("user"), "team_id": "T1", "profile": { "email": "", "team": "T1" } });
    }
    Json(answer).into_response()
}

/// Prints a figure beside its budget; true where that is kept.
fn line(what: &str, took: Duration, most: Duration) -> bool {
    let is_kept = took <= most;
    let mark = if is_kept { "ok" } else { "OVER" };
    println!("{what:<62} {:>8.2} s   budget {:>6} s   {mark}", took.as_secs_f64(), most.as_secs());
    is_kept
}

#[tokio::main]
async fn main() -> ExitCode {
    let slack = Arc::new(Slack { since: Stopwatch::start(), told: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/api/{method}", any(method))
        .route("/upload", any(|| async { "OK" }))
        .with_state((Arc::clone(&slack), origin.clone()));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let slow = format!("{text}\n[[fault]]\noperation = \"*\"\nlatency_ms = {LATENCY_MS}\n");
    let aws = Simulator::start(Scenario::parse(&slow).unwrap(), Clock::system().now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_child, address) = slack_bot::start(folder.path(), &format!("{origin}/api"), &aws.endpoint_url(), "", "\"*\"").await;
    rotation_diag::tls::choose();
    let client = reqwest::Client::new();
    under_load::ready(&client, &address).await;

    let begun = slack.since.elapsed();
    let asked =
        (0..COMMANDS).map(|number| slack_bot::ask(&client, &address, (number, number % CHANNELS, number), "prod/orders-db"));
    for answer in futures::future::join_all(asked).await {
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "after {:?}", answer.after);
    }
    until("every command has a first sign", || slack.told.lock().unwrap().signs.len() >= COMMANDS).await;
    let signs: Vec<Duration> = {
        let told = slack.told.lock().unwrap();
        told.signs.iter().map(|at| at.saturating_sub(begun)).collect()
    };
    assert_eq!(signs.len(), COMMANDS, "one thread for each command");
    let mut is_kept =
        line(&format!("{COMMANDS} commands in {CHANNELS} channels, median first sign"), signs[COMMANDS / 2], FIRST_SIGN);
    is_kept &= line(&format!("{COMMANDS} commands in {CHANNELS} channels, the last first sign"), signs[COMMANDS - 1], LAST_SIGN);
    until("every command has its verdict", || slack.told.lock().unwrap().verdicts.len() >= COMMANDS).await;
    println!("{:<62} {:>8.2} s", "all verdicts", (slack.since.elapsed() - begun).as_secs_f64());
    let refused = slack.told.lock().unwrap().refused;
    println!("{:<62} {refused:>8}     budget      0", "messages that Slack refused as too many");
    assert!(aws.violations().is_empty());
    if is_kept && refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
