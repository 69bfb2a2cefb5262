//! What whoever runs the bot sees of it: metrics, traces, a log in JSON; and tokens that are replaced while it runs.

use crate::chats::{SLACK_TOKENS, slack_config};
use crate::fake_aws::FakeAws;
use crate::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack};
use crate::launched::Program;
use crate::workplace::Workplace;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const SERVE: &str = "rotation-diag serve --config rotation-diag.toml";

/// What must be in no metric, no span and no line of a log: tokens, credentials, and what only the simulated log lines hold.
const CANARIES: [&str; 6] = [BOT_TOKEN, APP_TOKEN, "canary", "simulated-secret", "AKIDSIMULATED", "AccessDeniedException"];

/// A collector of traces, as far as a program that sends some needs one.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    async fn start(status: StatusCode) -> (Collector, String) {
        let collector = Collector::default();
        let kept = collector.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            kept.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
            status
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = axum::Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let scopes = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Everything that was sent, as a text.
    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: AnyValue| match value {
        AnyValue::StringValue(text) => text,
        other => format!("{other:?}"),
    };
    span.attributes.iter().map(|one| (one.key.clone(), text(one.value.clone().unwrap().value.unwrap()))).collect()
}

/// The bot in a fake Slack, and what belongs to it.
struct Watched {
    slack: FakeSlack,
    workplace: Workplace,
    _aws: FakeAws,
}

impl Watched {
    async fn new(more: &str) -> Watched {
        let (slack, aws) = (FakeSlack::start().await, FakeAws::start("").await);
        let mut workplace = Workplace::new(&aws);
        for (name, token) in SLACK_TOKENS {
            workplace.set(name, token);
        }
        let api = format!("api_url = \"{}\"", slack.api_url());
        workplace.write(&format!("{}\n{more}", slack_config()), &[("[slack]", api)]);
        Watched { slack, workplace, _aws: aws }
    }

    /// Asks about the secret that does not rotate, and waits for the verdict.
    async fn ask(&self) {
        let envelope = self.slack.deliver("slash_commands", self.slack.command_payload("U1", "C1", "prod/orders-db"));
        self.slack.acknowledged(&envelope).await;
        let is_told = |text: &str| text.contains("prod/orders-db is not rotating");
        let told = |world: &mut crate::fake_slack::World| {
            world.channels["C1"].messages.iter().any(|post| is_told(&post.text)).then_some(())
        };
        self.slack.until("the verdict", told).await;
    }
}

async fn get(url: &str) -> (u16, String, String) {
    rotation_diag::tls::choose();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

/// The value of a series.
fn value(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_tell_what_the_bot_did_at_an_address_of_their_own_and_nothing_secret() {
    let watched = Watched::new("[metrics]\nlisten = \"127.0.0.1:0\"\n").await;
    let program = watched.workplace.start(SERVE).await;
    let line = program.logged("metrics are at ").await;
    let url = line.split_once("metrics are at ").unwrap().1.to_owned();
    watched.slack.sockets_open(2).await;
    watched.ask().await;
    let (status, kind, metrics) = get(&url).await;
    assert_eq!((status, kind.as_str()), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for (series, expected) in [
        ("rotation_diag_investigations_total{outcome=\"root_cause\",cause=\"iam_identity_policy_missing\"}", 1.0),
        ("rotation_diag_investigation_duration_seconds_count{outcome=\"root_cause\"}", 1.0),
        ("rotation_diag_investigations_running", 0.0),
        ("rotation_diag_step_duration_seconds_count{step=\"secret\"}", 1.0),
        ("rotation_diag_step_observations_total{step=\"function_logs\",observation=\"found\"}", 1.0),
        ("rotation_diag_acknowledgement_seconds_count{source=\"slack\",result=\"accepted\"}", 1.0),
        ("rotation_diag_sockets_connected{platform=\"slack\"}", 2.0),
        ("rotation_diag_part_working{part=\"store\"}", 1.0),
        ("rotation_diag_part_working{part=\"slack connection\"}", 1.0),
        ("rotation_diag_ready", 1.0),
    ] {
        assert_eq!(value(&metrics, series), Some(expected), "{series}\n{metrics}");
    }
    for series in [
        "rotation_diag_aws_calls_total{operation=\"secretsmanager:DescribeSecret\",result=\"found\"}",
        "rotation_diag_deliveries_total{platform=\"slack\",result=\"delivered\"}",
        "rotation_diag_limiter_wait_seconds_count{limiter=\"slack\"}",
    ] {
        assert!(value(&metrics, series).is_some_and(|value| value >= 1.0), "{series}\n{metrics}");
    }
    // Neither what was asked about, nor by whom, nor a token.
    for hidden in CANARIES.into_iter().chain(["orders-db", "U1", "C1", "123456789012"]) {
        assert!(!metrics.contains(hidden), "{hidden}\n{metrics}");
    }
    assert_eq!(get(&format!("http://{}/metrics", program.address)).await.0, 404, "not where others call");
    assert_eq!(get(&url.replace("/metrics", "/healthz")).await.0, 404, "nothing else is answered there");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_investigation_is_one_trace_with_a_span_for_each_step_and_call_and_no_value_in_any() {
    let (collector, address) = Collector::start(StatusCode::OK).await;
    let watched = Watched::new(&format!("[traces]\nendpoint = \"{address}\"\n")).await;
    let program = watched.workplace.start(SERVE).await;
    watched.slack.sockets_open(2).await;
    watched.ask().await;
    // What is left is sent at the end.
    program.signal("TERM").await;
    let (status, log) = program.ended().await;
    assert_eq!(status, Some(0), "{log}");
    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let [root] = named("investigation").try_into().unwrap();
    assert!(root.parent_span_id.is_empty());
    let told = attributes(root);
    assert_eq!((told["outcome"].as_str(), told["cause"].as_str()), ("root_cause", "iam_identity_policy_missing"));
    assert_eq!(told["cloud.region"], "eu-west-1");
    let of_it: Vec<&Span> = spans.iter().filter(|span| span.trace_id == root.trace_id).collect();
    let steps: Vec<&&Span> = of_it.iter().filter(|span| attributes(span).contains_key("step.number")).collect();
    let numbers: BTreeSet<String> = steps.iter().map(|step| attributes(step)["step.number"].clone()).collect();
    assert_eq!(numbers.len(), 9, "{numbers:?}");
    assert!(steps.iter().all(|step| step.parent_span_id == root.span_id));
    let call = of_it.iter().find(|span| span.name == "lambda:GetFunctionConfiguration").unwrap();
    let expected = [
        ("cloud.region", "eu-west-1"),
        ("result", "found"),
        ("rpc.method", "GetFunctionConfiguration"),
        ("rpc.service", "lambda"),
        ("rpc.system", "aws-api"),
    ];
    assert_eq!(attributes(call), expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert!(steps.iter().any(|step| step.span_id == call.parent_span_id), "a call is part of its step");
    assert_eq!(call.kind, 3, "a client's");
    // Nothing that was logged, read or asked about is in any.
    assert!(spans.iter().all(|span| span.events.is_empty()));
    let known = [
        "busy_ns",
        "cause",
        "cloud.region",
        "idle_ns",
        "outcome",
        "result",
        "rpc.method",
        "rpc.service",
        "rpc.system",
        "step.number",
    ];
    for span in &spans {
        let attributes = attributes(span);
        assert!(attributes.keys().all(|key| known.contains(&key.as_str())), "{attributes:?}");
    }
    let all = collector.text();
    for hidden in CANARIES.into_iter().chain(["orders-db", "123456789012", "password", "src/"]) {
        assert!(!all.contains(hidden), "{hidden}\n{all}");
    }
    assert!(all.contains("rotation-diag") && all.contains(env!("CARGO_PKG_VERSION")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_costs_a_warning_and_nothing_else() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let watched = Watched::new(&format!("[traces]\nendpoint = \"http://{nobody}\"\n")).await;
    let program = watched.workplace.start(SERVE).await;
    watched.slack.sockets_open(2).await;
    watched.ask().await;
    program.signal("TERM").await;
    let (status, log) = program.ended().await;
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("spans were not taken by the collector, and are dropped"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_a_log_in_json_is_an_object_and_holds_nothing_secret() {
    let mut watched = Watched::new("[metrics]\nlisten = \"127.0.0.1:0\"\n").await;
    watched.workplace.set("ROTATION_DIAG_LOG_FORMAT", "json");
    watched.workplace.set("RUST_LOG", "debug");
    let program = watched.workplace.start(SERVE).await;
    watched.slack.sockets_open(2).await;
    watched.ask().await;
    program.signal("HUP").await;
    program.logged("SIGHUP").await;
    // The end has a reason, which is a line as well.
    watched.slack.change(|world| world.app_token = "xapp-9-other".to_owned());
    for socket in watched.slack.socket_ids() {
        watched.slack.close(socket);
    }
    let (status, log) = program.ended().await;
    assert_eq!(status, Some(1), "{log}");
    assert!(log.lines().count() > 10, "{log}");
    for line in log.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "target", "message"] {
            assert!(record[key].is_string(), "{key}: {line}");
        }
    }
    assert!(log.lines().last().unwrap().contains("Slack does not let the bot in"), "{log}");
    for hidden in CANARIES.into_iter().filter(|canary| *canary != "AccessDeniedException") {
        assert!(!log.contains(hidden), "{hidden}\n{log}");
    }
}

/// A bot whose tokens are in files.
async fn with_token_files() -> (Watched, Program) {
    let watched = Watched::new("").await;
    let folder = watched.workplace.folder.path();
    std::fs::write(folder.join("bot"), BOT_TOKEN).unwrap();
    std::fs::write(folder.join("app"), APP_TOKEN).unwrap();
    let path = folder.join("rotation-diag.toml");
    let file = |name: &str| format!("file:{}", folder.join(name).display());
    let config = std::fs::read_to_string(&path).unwrap();
    let config = config.replace("env:SLACK_BOT_TOKEN", &file("bot")).replace("env:SLACK_APP_TOKEN", &file("app"));
    std::fs::write(&path, config).unwrap();
    let program = watched.workplace.start(SERVE).await;
    watched.slack.sockets_open(2).await;
    (watched, program)
}

/// Slack has other tokens from now on, and the files hold them.
fn replace_tokens(watched: &Watched) {
    let (bot, app) = ("xoxb-7777-new-canarybottoken", "xapp-7-A111-new-canaryapptoken");
    watched.slack.change(|world| (world.bot_token, world.app_token) = (bot.to_owned(), app.to_owned()));
    let folder = watched.workplace.folder.path();
    std::fs::write(folder.join("bot"), bot).unwrap();
    std::fs::write(folder.join("app"), app).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_sighup_tokens_are_read_anew_and_the_work_goes_on_with_them() {
    let (watched, program) = with_token_files().await;
    let old = watched.slack.socket_ids();
    replace_tokens(&watched);
    program.signal("HUP").await;
    let is_new = |world: &mut crate::fake_slack::World| {
        (world.sockets.iter().filter(|socket| !old.contains(&socket.id)).count() == 2).then_some(())
    };
    watched.slack.until("sockets with the new token", is_new).await;
    watched.ask().await;
    assert!(get(&format!("http://{}/readyz", program.address)).await.2.starts_with("ready"));
    let log = program.end().await;
    assert!(log.contains("SIGHUP: tokens are read anew") && !log.contains("canary"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_file_that_changes_is_noticed_by_itself() {
    let (watched, program) = with_token_files().await;
    replace_tokens(&watched);
    program.logged("Slack has a new bot token").await;
    watched.ask().await;
    program.kill().await;
}
