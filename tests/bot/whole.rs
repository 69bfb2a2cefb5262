//! The whole put together: what ends it, what it answers over HTTP, what `check` and `audit` tell.

use super::world::{Fake, PATIENCE, RULES, Simulated};
use axum::Router;
use axum::routing::post;
use rotation_diag::app::{App, AppError, Platforms};
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::bot::Accounts;
use rotation_diag::chat::{ChatPlatform, Intake as _, Payload};
use rotation_diag::clock::Clock;
use rotation_diag::config::{Config, Http, StoreFile};
use rotation_diag::model::PlatformName;
use rotation_diag::playbook::preflight::{self, Permission};
use rotation_diag::simulator::{Scenario, Simulator};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

fn config(folder: &tempfile::TempDir, tls: Option<(PathBuf, PathBuf)>) -> Config {
    Config {
        http: Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), tls },
        store: StoreFile { path: folder.path().join("store.db"), ..StoreFile::default() },
        ..Config::parse(RULES, rotation_diag::app::PLATFORMS).unwrap()
    }
}

async fn app(folder: &tempfile::TempDir, tls: Option<(PathBuf, PathBuf)>, add: impl FnOnce(&mut Platforms)) -> App {
    let accounts: Arc<dyn Accounts> = Simulated::new(&[("prod", "role_detached_policy", "")]);
    let slack: Arc<dyn ChatPlatform> = Fake::new(PlatformName::new("slack"));
    let echo = Router::new().route("/echo", post(|body: String| async move { body }));
    let mut platforms_built = Platforms { platforms: vec![slack], routers: vec![echo], ..Platforms::default() };
    add(&mut platforms_built);
    App::start_with(&config(folder, tls), accounts, |_, _| Ok(platforms_built)).await.unwrap()
}

fn nothing(_: &mut Platforms) {}

#[tokio::test]
async fn a_part_that_ends_by_itself_ends_everything_with_a_reason() {
    type Way = fn(&mut Platforms);
    let ways: [(&str, Way); 3] = [
        ("it returned", |platforms_built| platforms_built.background.push(("a part", Box::pin(async { Ok(()) })))),
        ("no way to go on", |platforms_built| {
            platforms_built.background.push(("a part", Box::pin(async { Err("no way to go on".to_owned()) })))
        }),
        ("it panicked", |platforms_built| platforms_built.background.push(("a part", Box::pin(async { panic!("by design") })))),
    ];
    for (why, way) in ways {
        let folder = tempfile::tempdir().unwrap();
        let app = app(&folder, None, way).await;
        let ended = tokio::time::timeout(PATIENCE, app.run(CancellationToken::new())).await.unwrap();
        assert!(matches!(&ended, Err(AppError::Ended { part: "a part", why: told }) if told == why), "{ended:?}");
    }
}

#[tokio::test]
async fn health_is_told_without_a_name_and_the_intake_closes_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder, None, nothing).await;
    let (url, health, intake) = (format!("http://{}", app.address()), app.health().clone(), Arc::clone(&app.bot().intake));
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let client = reqwest::Client::new();
    let get = async |path: &str| {
        let answer = client.get(format!("{url}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").await, (200, "ready\n".to_owned()));
    health.note("slack", Some("the token is revoked"));
    assert_eq!(get("/readyz").await, (503, "not ready: slack\n".to_owned()));
    assert_eq!(get("/healthz").await.0, 200);
    health.note("slack", None);
    assert_eq!(get("/readyz").await.0, 200);
    assert_eq!(client.post(format!("{url}/echo")).body("x").send().await.unwrap().text().await.unwrap(), "x");
    let large = client.post(format!("{url}/echo")).body("x".repeat(3 << 20)).send().await;
    assert!(large.is_err() || large.unwrap().status() == 413);
    assert_eq!(get("/nowhere").await.0, 404);
    // Accepted, but its platform never answers in this test's time: the end must not wait for it.
    let inbound = super::world::said(
        "k",
        &super::world::actor("U1"),
        super::world::place(None),
        Payload::Words("prod/orders-db".to_owned()),
    );
    intake.accept(inbound).await;
    stop.cancel();
    assert!(tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().is_ok());
}

#[tokio::test]
async fn a_client_that_dawdles_is_cut_off_and_others_are_served_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder, None, nothing).await;
    let address = app.address();
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    assert_eq!(reqwest::get(format!("http://{address}/healthz")).await.unwrap().status(), 200);
    let mut rest = Vec::new();
    let cut = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "the connection is still open");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_speaks_tls_with_its_own_certificate_and_says_what_is_wrong_with_one() {
    let folder = tempfile::tempdir().unwrap();
    rotation_diag::tls::choose();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let app = app(&folder, Some((certificate.clone(), key)), nothing).await;
    let port = app.address().port();
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().add_root_certificate(root).build().unwrap();
    assert_eq!(client.get(format!("https://localhost:{port}/healthz")).send().await.unwrap().status(), 200);
    stop.cancel();
    running.await.unwrap().unwrap();

    let accounts: Arc<dyn Accounts> = Simulated::new(&[]);
    let wrong = config(&folder, Some((certificate, folder.path().join("nowhere"))));
    let Err(error) = App::start_with(&wrong, accounts, |_, _| Ok(Platforms::default())).await else { panic!("it started") };
    assert!(error.to_string().contains("check [http] tls_certificate"), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_told_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder, None);
    config.http.listen = taken.local_addr().unwrap();
    let accounts = || -> Arc<dyn Accounts> { Simulated::new(&[]) };
    let needs_it = Platforms { routers: vec![Router::new()], ..Platforms::default() };
    let Err(error) = App::start_with(&config, accounts(), |_, _| Ok(needs_it)).await else { panic!("it started") };
    assert!(error.to_string().contains("choose another [http] listen"), "{error}");
    config.http_is_asked_for = true;
    let Err(error) = App::start_with(&config, accounts(), |_, _| Ok(Platforms::default())).await else { panic!("it started") };
    assert!(error.to_string().contains("choose another [http] listen"), "{error}");
}

#[tokio::test]
async fn where_nothing_is_answered_over_http_a_port_that_is_taken_keeps_nobody_from_starting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder, None);
    config.http.listen = taken.local_addr().unwrap();
    let app = App::start_with(&config, Simulated::new(&[]), |_, _| Ok(Platforms::default())).await.unwrap();
    assert!(!app.is_listening());
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    stop.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}

/// The actions that the deployed policy allows, but for those on topics, which `check` tries on the configured ones.
fn policy() -> Vec<String> {
    let policy: serde_json::Value = serde_json::from_str(include_str!("../../deploy/iam-policy.json")).unwrap();
    let allowed = policy["Statement"].as_array().unwrap().iter().filter(|statement| statement["Effect"] == "Allow");
    let actions = allowed.flat_map(|statement| statement["Action"].as_array().unwrap());
    let mut actions: Vec<String> = actions.map(|action| action.as_str().unwrap().to_owned()).collect();
    actions.retain(|action| !action.starts_with("sns:"));
    actions.sort();
    actions
}

#[tokio::test]
async fn the_permissions_for_the_functions_code_are_tried_for_themselves() {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "healthy").unwrap();
    for (removed, expected) in [
        ("sns:Nothing", [Permission::Allowed, Permission::Allowed]),
        ("lambda:GetFunction", [Permission::MissingForOthers, Permission::Allowed]),
        ("lambda:GetLayerVersion", [Permission::Allowed, Permission::MissingForOthers]),
    ] {
        let scenario = Scenario::parse(&format!("{text}\n[caller]\ndeny = [\"{removed}\"]\n")).unwrap();
        let simulator = Simulator::start(scenario, Clock::system().now()).unwrap();
        let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), simulator.endpoint_url());
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let found = preflight::permissions_for_code(&aws, &Clock::system(), &"123456789012".parse().unwrap()).await;
        let [function, layer] = expected;
        assert_eq!(found, [("lambda:GetFunction", function), ("lambda:GetLayerVersion", layer)], "without {removed}");
    }
}

#[tokio::test]
async fn every_permission_that_is_missing_is_named_and_no_other() {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "healthy").unwrap();
    let actions = policy();
    let none: [String; 1] = [String::new()];
    for removed in actions.iter().chain(&none) {
        let deny = if removed.is_empty() { String::new() } else { format!("[caller]\ndeny = [\"{removed}\"]\n") };
        let scenario = Scenario::parse(&format!("{text}\n{deny}[account]\nsupport_plan = true\n")).unwrap();
        let simulator = Simulator::start(scenario, Clock::system().now()).unwrap();
        let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), simulator.endpoint_url());
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        let found = preflight::permissions(&aws, &Clock::system(), &"123456789012".parse().unwrap()).await;
        let tried: Vec<&str> = found.iter().map(|(action, _)| *action).collect();
        assert_eq!(tried, actions);
        for (action, permission) in found {
            // What a policy can allow for some resources may be missing for the made-up ones alone.
            let takes_none = [
                "cloudtrail:DescribeTrails",
                "cloudtrail:LookupEvents",
                "cloudwatch:GetMetricData",
                "ec2:DescribeNatGateways",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeTransitGatewayAttachments",
                "ec2:DescribeTransitGatewayVpcAttachments",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcPeeringConnections",
                "health:DescribeEvents",
                "logs:DescribeLogGroups",
                "secretsmanager:ListSecrets",
            ];
            let refused = if takes_none.contains(&action) { Permission::Missing } else { Permission::MissingForOthers };
            let expected = if action == removed { refused } else { Permission::Allowed };
            // The simulator has no alarms: it refuses to be asked, and knows nothing more.
            let is_beyond = ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"].contains(&action);
            let is_told = permission == expected || (is_beyond && matches!(permission, Permission::Unknown(_)));
            assert!(is_told, "{action}, without {removed}: {permission:?}");
        }
        assert!(simulator.violations().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_and_audit_tell_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let world = super::world::World::at(folder, RULES, Simulated::new(&[("prod", "role_detached_policy", "")])).await;
    world.say("k1", "U1", "prod/orders-db").await;
    world.say("k2", "U9", "prod/orders-db").await;
    let folder = world.end().await;
    let path = folder.path().join("config.toml");
    let text =
        format!("default_region = \"eu-west-1\"\n[store]\npath = \"{}\"\n{RULES}", folder.path().join("store.db").display());
    std::fs::write(&path, text).unwrap();
    let (_, scenario) = Scenario::embedded().find(|(name, _)| *name == "healthy").unwrap();
    let scenario =
        Scenario::parse(&format!("{scenario}\n[caller]\ndeny = [\"kms:DescribeKey\", \"cloudtrail:LookupEvents\"]\n")).unwrap();
    let simulator = Simulator::start(scenario, Clock::system().now()).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
        command.args(arguments).arg("--config").arg(&path);
        command.env("AWS_ENDPOINT_URL", simulator.endpoint_url()).env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", "AKIDSIMULATED").env("AWS_SECRET_ACCESS_KEY", "simulated");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };

    let (status, told, _) = run(&["audit"]);
    assert_eq!(status, Some(0));
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].contains("allowed   U1 in slack/T1/C1  investigate  prod/orders-db"), "{told}");
    assert!(lines[1].contains("refused   U9 in slack/T1/C1  investigate  prod/orders-db  you are not allowed"), "{told}");
    let (_, told, _) = run(&["audit", "--format", "json", "--since", "1h"]);
    let json: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!((json["person"].as_str(), json["decision"].as_str()), (Some("U9"), Some("refused")));

    let (status, told, _) = run(&["check"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.ends_with(" missing\n"), "the last line counts: {told}");
    let told = regex::Regex::new(r"(?m)^([✓?✗])  (\S.*?)  +(\S)").unwrap().replace_all(&told, "$1 $2: $3").into_owned();
    for line in [
        "✓ rules: 2 [[allow]], 0 [[deny]]",
        "✓ store: ",
        "✗ platforms: ",
        "✗ AWS this account in eu-west-1: allow cloudtrail:LookupEvents, as deploy/iam-policy.json does",
        "AWS this account in eu-west-1: kms:DescribeKey was refused for a made-up name: allow it as",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let (status, _, why) = run(&["serve"]);
    assert_eq!(status, Some(1));
    assert!(why.contains("no platform is configured"), "{why}");
}
