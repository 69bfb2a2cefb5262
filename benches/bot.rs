//! The bot under load, in figures: with a hundred investigations running at 100 ms per AWS call, how fast a new command is
//! acknowledged; five hundred commands at once; memory, idle and busy; the time from start to ready.
//!
//! `cargo bench --bench bot`; ROTATION_DIAG_BINARY names another build to measure. It runs the program itself as a child,
//! over a fake Slack and a simulated account on loopback, both in this process; memory is the child's. A command counts as
//! answered when it was acknowledged and its thread is open, or when its person was told to try again: of verdicts Slack takes
//! no more than fifty a minute. Fails where a budget is broken.

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
use axum::extract::{Path as RoutePath, State};
use axum::{Json, Router, routing::any};
use rotation_diag::clock::{Clock, Stopwatch};
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::Value;
use slack_bot::Acknowledged;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Child;
use under_load::until;

const LATENCY_MS: u64 = 100;
const RUNNING: usize = 100;
const BURST: usize = 500;
const PROBES: usize = 300;
/// A workspace talks in many places; Slack takes a message a second for each.
const CHANNELS: usize = 100;
/// Each command is another person's.
const PEOPLE: usize = 1_400;

const ACKNOWLEDGED: Duration = Duration::from_millis(100);
/// What Slack waits for an answer.
const SLACK_WAITS: Duration = Duration::from_secs(3);
const READY: Duration = Duration::from_secs(1);
const BUSY_MIB: f64 = 200.0;
const IDLE_MIB: f64 = 40.0;

/// What was done before, and is kept for 90 days.
const OLD: usize = 1_000_000;

/// A container with this much has to do for the usual number of investigations at once.
const SMALL_MIB: f64 = 128.0;
const FEW: usize = 50;

/// Slack, as far as the bot notices.
#[derive(Debug, Default)]
struct Slack {
    roots: AtomicUsize,
    verdicts: Mutex<BTreeSet<String>>,
    edits: AtomicUsize,
    next: AtomicUsize,
}

async fn method(
    State((slack, origin)): State<(Arc<Slack>, String)>,
    RoutePath(method): RoutePath<String>,
    body: Bytes,
) -> Json<Value> {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = asked["text"].as_str().unwrap_or_default();
    let mut ts = asked["ts"].as_str().unwrap_or_default().to_owned();
    if method == "chat.postMessage" {
        ts = format!("1700000000.{:06}", slack.next.fetch_add(1, Ordering::Relaxed));
        if asked["thread_ts"].is_null() {
            slack.roots.fetch_add(1, Ordering::Relaxed);
        }
    }
    if method == "chat.update" {
        slack.edits.fetch_add(1, Ordering::Relaxed);
    }
    if text.contains("is not rotating") && asked["thread_ts"].is_null() {
        slack.verdicts.lock().unwrap().insert(ts.clone());
    }
    Json(under_load::answer(&ts, &origin))
}

/// What the person who typed a command was told.
enum Told {
    /// Nothing yet: the thread tells the rest.
    Taken,
    /// To try again later.
    Busy,
}

struct Bot {
    child: Child,
    address: String,
    client: reqwest::Client,
    ready_after: Duration,
    store: sqlx::SqlitePool,
}

impl Bot {
    async fn start(folder: &Path, slack: &str, aws: &str, work: &str) -> Bot {
        let users = (0..PEOPLE).map(|number| format!("\"U{number}\"")).collect::<Vec<_>>().join(", ");
        let watch = Stopwatch::start();
        let (child, address) = slack_bot::start(folder, slack, aws, work, &users).await;
        rotation_diag::tls::choose();
        let client = reqwest::Client::new();
        under_load::ready(&client, &address).await;
        let ready_after = watch.elapsed();
        let store = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("store.db")).read_only(true);
        let store = sqlx::SqlitePool::connect_lazy_with(store);
        Bot { child, address, client, ready_after, store }
    }

    /// Sends a slash command; what was answered, and after how long.
    async fn ask(&self, number: usize, secret: &str) -> (Told, Duration) {
        let from = (number, number % CHANNELS, number % PEOPLE);
        let Acknowledged { status, text, after } = slack_bot::ask(&self.client, &self.address, from, secret).await;
        assert_eq!(status, 200, "{number}");
        if text.is_empty() {
            return (Told::Taken, after);
        }
        assert!(text.contains("nothing was started") || text.contains("please try again"), "{number}: {text}");
        (Told::Busy, after)
    }

    /// How many commands are being looked into, and how many wait for that.
    async fn work(&self) -> (usize, usize) {
        let query =
            "SELECT (SELECT count(*) FROM inbox WHERE state = 'running'), (SELECT count(*) FROM inbox WHERE state = 'waiting')";
        let (running, waiting): (i64, i64) = sqlx::query_as(query).fetch_one(&self.store).await.unwrap();
        (usize::try_from(running).unwrap(), usize::try_from(waiting).unwrap())
    }

    /// SIGKILL.
    async fn kill(mut self) {
        self.store.close().await;
        self.child.kill().await.unwrap();
    }

    /// Resident memory, now and at most, in MiB.
    fn memory(&self) -> (f64, f64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

fn percentile(sorted: &[Duration], of: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
    let at = ((sorted.len() as f64 * of).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted.get(at).copied().unwrap()
}

struct Budget {
    broken: bool,
}

impl Budget {
    fn line(&mut self, what: &str, figure: String, budget: String, is_kept: bool) {
        let mark = if is_kept { "ok" } else { "OVER" };
        self.broken |= !is_kept;
        println!("{what:<62} {figure:>10}   budget {budget:>8}   {mark}");
    }

    fn time(&mut self, what: &str, took: Duration, most: Duration) {
        self.line(what, milliseconds(took), format!("{} ms", most.as_millis()), took <= most);
    }

    fn memory(&mut self, what: &str, mib: f64, most: f64) {
        self.line(what, format!("{mib:.1} MiB"), format!("{most} MiB"), mib <= most);
    }
}

/// Fills the inbox with what was done.
async fn grow_old(folder: &Path) {
    let store = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("store.db"));
    let store = sqlx::SqlitePool::connect_with(store).await.unwrap();
    let now = Clock::system().now().as_millisecond();
    sqlx::query(
        "INSERT INTO inbox (key, origin, lane, subject, job, what, state, attempts, not_before, received_at, ended_at)
         WITH RECURSIVE old (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM old WHERE n < ?1)
         SELECT 'old' || n, 'old' || n, 'slack/T1/C' || (n % ?2), 'old' || n, '', 'a question', 'done', 1, 0, ?3, ?3 FROM old",
    )
    .bind(i64::try_from(OLD).unwrap())
    .bind(i64::try_from(CHANNELS).unwrap())
    .bind(now)
    .execute(&store)
    .await
    .unwrap();
    store.close().await;
}

/// The memory of a bot as it comes, with the largest account there is: a process that lives in a small container.
async fn small(budget: &mut Budget, slack: &Slack, api: &str) {
    let (_, text) =
        Scenario::embedded().filter(|(_, text)| text.contains("[[secret]]")).max_by_key(|(_, text)| text.len()).unwrap();
    let scenario = Scenario::parse(text).unwrap();
    let secret = scenario.secret().unwrap().to_owned();
    let aws = Simulator::start(scenario, Clock::system().now()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bot = Bot::start(folder.path(), api, &aws.endpoint_url(), "").await;
    budget.time("start to ready", bot.ready_after, READY);
    budget.memory("memory, idle", bot.memory().0, IDLE_MIB);
    futures::future::join_all((0..FEW).map(|number| bot.ask(number, &secret))).await;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while bot.work().await != (0, 0) {
        look.tick().await;
    }
    until("every thread is open", || slack.roots.load(Ordering::Relaxed) >= FEW).await;
    budget.memory(&format!("memory after {FEW} of the largest investigations, at most"), bot.memory().1, SMALL_MIB);
    bot.kill().await;
}

fn say(what: &str, figure: &str) {
    println!("{what:<62} {figure:>10}");
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut budget = Budget { broken: false };
    let slack = Arc::new(Slack::default());
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

    let api = format!("{origin}/api");
    small(&mut budget, &slack, &api).await;
    slack.verdicts.lock().unwrap().clear();
    slack.roots.store(0, Ordering::Relaxed);

    let folder = tempfile::tempdir().unwrap();
    let work = format!("[work]\nconcurrency = {RUNNING}\n");
    Bot::start(folder.path(), &api, &aws.endpoint_url(), &work).await.kill().await;
    grow_old(folder.path()).await;
    let bot = Bot::start(folder.path(), &api, &aws.endpoint_url(), &work).await;
    budget.time(&format!("start to ready, with {OLD} old commands in the store"), bot.ready_after, READY);

    // A hundred run, and as many more wait as keep it a hundred.
    let mut number = 0;
    let mut taken = 0;
    let mut took = Vec::new();
    let mut look = tokio::time::interval(Duration::from_millis(20));
    while took.len() < PROBES {
        let (running, waiting) = bot.work().await;
        if running + waiting >= RUNNING * 3 / 2 {
            look.tick().await;
            continue;
        }
        let (told, elapsed) = bot.ask(number, "prod/orders-db").await;
        assert!(matches!(told, Told::Taken), "{number} was turned away");
        number += 1;
        taken += 1;
        if running >= RUNNING {
            took.push(elapsed);
        }
    }
    took.sort_unstable();
    say(&format!("acknowledgement with {RUNNING} running, median of {PROBES}"), &milliseconds(percentile(&took, 0.5)));
    budget.time(&format!("acknowledgement with {RUNNING} running, p99"), percentile(&took, 0.99), ACKNOWLEDGED);
    budget.memory(&format!("memory with {RUNNING} running, at most"), bot.memory().1, BUSY_MIB);

    let watch = Stopwatch::start();
    let burst = futures::future::join_all((number..number + BURST).map(|number| bot.ask(number, "prod/orders-db"))).await;
    say(&format!("{BURST} commands at once, all answered after"), &milliseconds(watch.elapsed()));
    let busy = burst.iter().filter(|(told, _)| matches!(told, Told::Busy)).count();
    say(&format!("{BURST} commands at once, told to try again"), &busy.to_string());
    taken += BURST - busy;
    let mut took: Vec<Duration> = burst.into_iter().map(|(_, elapsed)| elapsed).collect();
    took.sort_unstable();
    budget.time(&format!("{BURST} commands at once, the slowest answer"), percentile(&took, 1.0), SLACK_WAITS);
    until("every command has its thread", || slack.roots.load(Ordering::Relaxed) >= taken).await;
    say(&format!("all {taken} threads open after"), &format!("{:.1} s", watch.elapsed().as_secs_f64()));
    say("verdicts by then", &slack.verdicts.lock().unwrap().len().to_string());
    say("edits", &slack.edits.load(Ordering::Relaxed).to_string());
    // A command whose answer came too late may have been taken all the same.
    let roots = slack.roots.load(Ordering::Relaxed);
    assert!((taken..=taken + busy).contains(&roots), "one thread per command: {roots} of {taken}");
    budget.memory("memory, at most", bot.memory().1, BUSY_MIB);
    say("memory, afterwards", &format!("{:.1} MiB", bot.memory().0));
    assert!(aws.violations().is_empty());
    if budget.broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}
