//! How fast a slash command is acknowledged, beside a bot on Slack's own framework that does nothing but acknowledge: both over
//! HTTP, on one fake Slack in which looking a person up takes a tenth of a second, each command another person's, in turn.
//!
//! `mkdir -p target/slack_bolt && cp benches/slack_bolt/package.json target/slack_bolt`,
//! `npm install --no-package-lock --prefix target/slack_bolt`, and `cargo bench --bench slack_bolt`. Without node or the package
//! the reference is left out. What counts is the ratio; nothing is budgeted here.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark prints, and stops at a mistake of its own"
)]

#[path = "../support/slack_bot.rs"]
mod slack_bot;

use axum::extract::Path as RoutePath;
use axum::{Json, Router, routing::any};
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Commands to each.
const PROBES: usize = 300;

/// The first ones, with which both become warm.
const WARM_UP: usize = 20;

/// How long Slack takes to tell who a person is.
const LOOK_UP: Duration = Duration::from_millis(100);

async fn method(RoutePath(method): RoutePath<String>) -> Json<Value> {
    if method == "users.info" {
        tokio::time::sleep(LOOK_UP).await;
    }
    Json(json!({
        "ok": true, "ts": "1700000000.000001", "channel": "C1", "message": { "ts": "1700000000.000001", "text": "" },
        "messages": [], "url": "https://x.slack.com/", "team": "x", "team_id": "T1", "user": { "id": "U1", "team_id": "T1" },
        "user_id": "UBOT", "bot_id": "BBOT", "upload_url": "http://127.0.0.1:9/upload", "file_id": "F1", "files": [],
    }))
}

/// `auth.test` names the user where `users.info` describes one.
async fn auth_test() -> Json<Value> {
    let identity = json!({
        "ok": true, "url": "https://x.slack.com/", "team": "x", "team_id": "T1", "user": "bot", "user_id": "UBOT", "bot_id": "BBOT",
    });
    Json(identity)
}

/// The reference, where it is installed.
async fn bolt(api: &str) -> Option<(Child, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/slack_bolt");
    if !folder.join("node_modules/@slack/bolt").exists() {
        return None;
    }
    // Node looks for packages beside the script.
    let script = folder.join("app.mjs");
    std::fs::copy(root.join("benches/slack_bolt/app.mjs"), &script).ok()?;
    let mut child = Command::new("node")
        .arg(&script)
        .envs([("BOT", slack_bot::BOT_TOKEN), ("SECRET", slack_bot::SECRET)])
        .env("SLACK_API_URL", format!("{api}/"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let address = slack_bot::address(child.stdout.take()?).await?;
    Some((child, address))
}

/// Sends a slash command of a person of its own; how long the acknowledgement took.
async fn ask(client: &reqwest::Client, address: &str, number: usize) -> Duration {
    let answer = slack_bot::ask(client, address, (number, number % 100, number), "prod/orders-db").await;
    // On a disk that others keep busy a person may be told to try again; that counts as slow as it was.
    let is_told = answer.text.is_empty() || answer.text.contains("takes too long");
    assert!(answer.status == 200 && is_told, "{number}: {} {}", answer.status, answer.text);
    answer.after
}

fn percentiles(mut took: Vec<Duration>) -> [f64; 2] {
    took.sort_unstable();
    let at = |share: usize| took.get((took.len() * share / 100).min(took.len() - 1)).unwrap().as_secs_f64() * 1_000.0;
    [at(50), at(99)]
}

fn say(who: &str, [median, p99]: [f64; 2]) {
    println!("acknowledgement, {who:<28} median {median:>8.2} ms   p99 {p99:>8.2} ms");
}

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}/api", listener.local_addr().unwrap());
    let routes = Router::new().route("/api/auth.test", any(auth_test)).route("/api/{method}", any(method));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let aws = Simulator::start(Scenario::parse(text).unwrap(), Clock::system().now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_ours, our_address) = slack_bot::start(folder.path(), &api, &aws.endpoint_url(), "", "\"*\"").await;
    let reference = bolt(&api).await;
    let client = reqwest::Client::new();
    let (mut of_ours, mut of_bolt) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + PROBES {
        let took = ask(&client, &our_address, number).await;
        of_ours.push(took);
        if let Some((_, address)) = &reference {
            of_bolt.push(ask(&client, address, number).await);
        }
        // People do not type in step with one another; the work behind an answer goes on meanwhile.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ours @ [our_median, our_p99] = percentiles(of_ours.split_off(WARM_UP));
    say("rotation-diag, on the disk", ours);
    match of_bolt.is_empty() {
        true => println!("@slack/bolt is not in target/slack_bolt, so there is nothing beside it"),
        false => {
            let bolt @ [median, p99] = percentiles(of_bolt.split_off(WARM_UP));
            say("@slack/bolt, acknowledging only", bolt);
            println!("ratio{:<33} median {:>8.2}      p99 {:>8.2}", "", our_median / median, our_p99 / p99);
        }
    }
}
