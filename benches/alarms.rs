//! How many alarms a second are verified, persisted and acknowledged on one core, and how long one takes; beside it
//! Alertmanager, taking as many alerts in the same way on the same core, and what checking signatures alone costs.
//!
//! `cargo bench --bench alarms`; ROTATION_DIAG_BINARY names another build to measure. It runs the programs themselves as
//! children, pinned to the first core, and is itself on another. Alertmanager is Debian's `prometheus-alertmanager`; where it
//! is not installed, the rest is measured without it. Fails where a budget is broken.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark prints, and stops at a mistake of its own"
)]

#[path = "../tests/support/sns_signer.rs"]
mod sns_signer;

use async_trait::async_trait;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use futures::StreamExt as _;
use rotation_diag::alarm::{AcceptedNotice, Endpoint, EndpointLimits, Notice, NoticeIntake, Subscriptions, Unavailable};
use rotation_diag::clock::{Clock, Stopwatch};
use rotation_diag::config::{Sns, Topic};
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::{Value, json};
use sns_signer::{CertificateForm, TOPIC, notification, plain_certificate_host, signed_text};
use std::io::Write as _;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tower::ServiceExt as _;

/// Alarms and alerts, each of its own.
const ALARMS: usize = 5_000;

/// Requests under way at a time.
const AT_ONCE: usize = 32;

/// Nine in ten alarms of a storm may wait this long and longer at SNS, which gives each fifteen seconds.
const SLOWEST: Duration = Duration::from_secs(1);

/// Of the core, checking signatures may take at most this at the rate that is reached: else it is what limits it.
const MAX_CHECKING: f64 = 0.5;

const PATIENCE: Duration = Duration::from_secs(60);

/// A CloudWatch alarm about a secret, as SNS delivers it.
fn alarm(number: usize) -> Value {
    let at = Clock::system().now();
    let name = format!("rotation-{number}");
    let message = json!({
        "AlarmName": name, "AlarmDescription": "A rotation failed. See the runbook.", "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "2026-01-01T00:00:00.000+0000", "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (25/11/26 09:55:00)] was greater than or \
                           equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).",
        "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(), "Region": "EU (Ireland)",
        "AlarmArn": format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"), "OldStateValue": "OK",
        "OKActions": [TOPIC], "AlarmActions": [TOPIC], "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "RotationFailed", "Namespace": "Rotation", "StatisticType": "Statistic", "Statistic": "SUM",
            "Unit": null, "Dimensions": [{"value": format!("prod/s{number}"), "name": "SecretId"}], "Period": 300,
            "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0, "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": ""
        }
    });
    notification(&at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), &message.to_string())
}

/// The same for Alertmanager.
fn alert(number: usize) -> String {
    json!([{
        "labels": {"alertname": format!("rotation-{number}"), "secret": format!("prod/s{number}"), "account": "123456789012",
                   "region": "eu-west-1", "severity": "critical"},
        "annotations": {"summary": "A rotation failed. See the runbook.",
                        "description": "Threshold Crossed: 1 out of the last 1 datapoints was greater than the threshold"}
    }])
    .to_string()
}

/// A program pinned to the first core; it ends with this.
fn pinned(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// What taking all of them came to.
struct Taken {
    per_second: f64,
    median: Duration,
    p99: Duration,
    again: usize,
}

/// Sends every body, each until it is acknowledged.
async fn send_all(url: &str, kind: &str, bodies: Vec<String>) -> Taken {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let count = bodies.len();
    let watch = Stopwatch::start();
    let one = |body: String| {
        let request = client.post(url).header("content-type", kind);
        async move {
            let (watch, mut again) = (Stopwatch::start(), 0_usize);
            let body = bytes::Bytes::from(body);
            loop {
                let answer = request.try_clone().unwrap().body(body.clone()).send().await.unwrap();
                match answer.status().as_u16() {
                    200 => return (watch.elapsed(), again),
                    503 => again += 1,
                    other => panic!("answered with {other}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let done: Vec<(Duration, usize)> = futures::stream::iter(bodies).map(one).buffer_unordered(AT_ONCE).collect().await;
    let per_second = count_as_f64(count) / watch.elapsed().as_secs_f64();
    let mut times: Vec<Duration> = done.iter().map(|(time, _)| *time).collect();
    times.sort_unstable();
    let again = done.iter().map(|(_, again)| again).sum();
    Taken { per_second, median: times[count / 2], p99: times[(count * 99).div_ceil(100) - 1], again }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn count_as_f64(count: usize) -> f64 {
    count as f64
}

fn tell(who: &str, taken: &Taken) {
    println!(
        "{who:<62} {:>8.0} /s   median {:.1} ms, p99 {:.1} ms{}",
        taken.per_second,
        taken.median.as_secs_f64() * 1_000.0,
        taken.p99.as_secs_f64() * 1_000.0,
        if taken.again > 0 { format!(", {} told to come again", taken.again) } else { String::new() }
    );
}

/// The program, with the page as its only platform: what is measured is how alarms come in.
async fn bot(folder: &Path, aws: &Simulator, origin: &str) -> (Child, String) {
    let config = folder.join("config.toml");
    let text = format!(
        "default_region = \"eu-west-1\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}\"\n[console]\ntoken = \"env:PAGE\"\n\
         [accounts.prod]\naccount_id = \"123456789012\"\nregions = [\"eu-west-1\"]\n\
         [alarms.sns]\ntopics = [\"{TOPIC}\"]\ncertificate_origin = \"{origin}\"\n\
         [[alarms.route]]\nplatform = \"console\"\nworkspace = \"local\"\nchannel = \"page\"\n",
        folder.join("store.db").display()
    );
    std::fs::write(&config, text).unwrap();
    let binary = std::env::var_os("ROTATION_DIAG_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_rotation-diag").into());
    let mut child = pinned(&binary)
        .args(["serve", "--config"])
        .arg(&config)
        .envs([("PAGE", "a-token-of-the-benchmark-0123456789"), ("AWS_ENDPOINT_URL", aws.endpoint_url().as_str())])
        .envs([("AWS_ACCESS_KEY_ID", "AKIDSIMULATED"), ("AWS_SECRET_ACCESS_KEY", "simulated")])
        .stderr(Stdio::piped())
        .spawn()
        .expect("taskset, of Debian's util-linux");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("the program listens");
        if let Some((_, address)) = line.split_once("listens on http://") {
            break address.to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, format!("http://{address}/sns"))
}

/// Alertmanager, which notifies nobody; `None` where it is not installed.
async fn alertmanager(folder: &Path) -> Option<(Child, String)> {
    const BINARY: &str = "/usr/bin/prometheus-alertmanager";
    if !Path::new(BINARY).exists() {
        return None;
    }
    let config = folder.join("alertmanager.yml");
    std::fs::write(&config, "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = pinned(BINARY.as_ref())
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--cluster.listen-address=", "--log.level=error"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ready = async {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        while client.get(format!("http://127.0.0.1:{port}/-/ready")).send().await.is_err() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("Alertmanager is ready");
    Some((child, format!("http://127.0.0.1:{port}/api/v2/alerts")))
}

/// Takes everything, and keeps nothing.
struct Nowhere;

#[async_trait]
impl NoticeIntake for Nowhere {
    async fn accept(&self, _: &str, notice: Notice) -> Result<AcceptedNotice, Unavailable> {
        if matches!(notice, Notice::Alarm(_)) { Ok(AcceptedNotice::New) } else { Err(Unavailable) }
    }
}

#[async_trait]
impl Subscriptions for Nowhere {
    async fn confirm(&self, _: &Topic, _: &str) -> Result<(), String> {
        Err("none is expected".to_owned())
    }
}

/// Time per message, for RSA alone.
fn signature_alone(alarms: &[Value]) -> Duration {
    let pem = CertificateForm::default().pem();
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &certificate.public_key().subject_public_key.data);
    let decode = |text: &Value| base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap();
    let signed: Vec<(String, Vec<u8>)> = alarms.iter().map(|alarm| (signed_text(alarm), decode(&alarm["Signature"]))).collect();
    let watch = Stopwatch::start();
    for (text, signature) in &signed {
        key.verify(text.as_bytes(), signature).unwrap();
    }
    watch.elapsed() / u32::try_from(signed.len()).unwrap()
}

/// Time per message from bytes to what is to be kept, without a connection and without a store.
async fn without_a_store(alarms: &[Value], origin: &str) -> Duration {
    let sns = Sns {
        topics: vec![Topic::parse(TOPIC).unwrap()],
        endpoint: None,
        accepts_version_1: false,
        certificate_origin: Some(origin.parse().unwrap()),
        max_age: Duration::from_secs(3_600),
    };
    let client = rotation_diag::alarm::certificate_client().no_proxy().build().unwrap();
    let router =
        Endpoint::new(sns, Clock::system(), client, Arc::new(Nowhere), Arc::new(Nowhere), EndpointLimits::default()).router();
    let request = |alarm: &Value| Request::post("/sns").body(Body::from(alarm.to_string())).unwrap();
    // The first one fetches the certificate.
    assert_eq!(router.clone().oneshot(request(&alarms[0])).await.unwrap().status(), 200);
    let requests: Vec<Request<Body>> = alarms.iter().map(request).collect();
    let watch = Stopwatch::start();
    for request in requests {
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 200);
    }
    watch.elapsed() / u32::try_from(alarms.len()).unwrap()
}

/// How long this disk takes to keep a page of SQLite's log.
fn one_sync(folder: &Path) -> Duration {
    const TIMES: u32 = 50;
    let mut file = std::fs::File::create(folder.join("sync")).unwrap();
    let watch = Stopwatch::start();
    for _ in 0..TIMES {
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_data().unwrap();
    }
    watch.elapsed() / TIMES
}

fn per_second(time: Duration) -> f64 {
    1.0 / time.as_secs_f64()
}

async fn measure() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    rotation_diag::tls::choose();
    let origin = plain_certificate_host().await;
    let alarms: Vec<Value> = (0..ALARMS).map(alarm).collect();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{ALARMS} alarms, {AT_ONCE} at a time; one synced write of 4 KiB takes {:.0} µs here",
        micros(one_sync(folder.path()))
    );
    let signature = signature_alone(&alarms);
    println!("{:<62} {:>8.0} /s   {:.0} µs each", "checking the signature alone", per_second(signature), micros(signature));
    let verified = without_a_store(&alarms, &origin).await;
    println!(
        "{:<62} {:>8.0} /s   {:.0} µs each",
        "parsed, verified and read, without connection and store",
        per_second(verified),
        micros(verified)
    );

    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "healthy").unwrap();
    let aws = Simulator::start(Scenario::parse(text).unwrap(), Clock::system().now()).unwrap();
    let (child, url) = bot(folder.path(), &aws, &origin).await;
    let ours = send_all(&url, "text/plain; charset=UTF-8", alarms.iter().map(Value::to_string).collect()).await;
    tell("rotation-diag: verified, on the disk, acknowledged", &ours);
    drop(child);

    match alertmanager(folder.path()).await {
        Some((child, url)) => {
            let theirs = send_all(&url, "application/json", (0..ALARMS).map(alert).collect()).await;
            tell("Alertmanager: unverified, in memory, acknowledged", &theirs);
            println!("{:<62} {:>8.2}", "ratio, rotation-diag to Alertmanager", ours.per_second / theirs.per_second);
            drop(child);
        }
        None => println!("Alertmanager is not installed (Debian: prometheus-alertmanager): measured without it"),
    }

    let checking = signature.as_secs_f64() * ours.per_second;
    let (checks_little, is_quick) = (checking <= MAX_CHECKING, ours.p99 <= SLOWEST);
    let mark = |is_kept: bool| if is_kept { "ok" } else { "OVER" };
    let budget = format!("budget {:.0} %", MAX_CHECKING * 100.0);
    println!(
        "{:<62} {:>8.1} %   {budget}   {}",
        "signatures' share of the core at that rate",
        checking * 100.0,
        mark(checks_little)
    );
    let budget = format!("budget {} ms", SLOWEST.as_millis());
    println!("{:<62} {:>8.1} ms   {budget}   {}", "p99", ours.p99.as_secs_f64() * 1_000.0, mark(is_quick));
    if checks_little && is_quick { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    // Where there is another core, what measures is there. Threads inherit it, so this comes before any.
    let own = std::process::id().to_string();
    let moved =
        std::process::Command::new("taskset").args(["-p", "-c", "1", &own]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !moved.is_ok_and(|status| status.success()) {
        println!("there is only one core: what measures takes a part of it");
    }
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(measure())
}
