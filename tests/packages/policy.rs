//! The policies, and the calls that are really made.

use crate::{path, program, read, rust_files, said};
use futures::StreamExt as _;
use regex::Regex;
use rotation_diag::aws::permissions::FEATURES;
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::simulator::{Scenario, Simulator};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

fn policy(arguments: &[&str]) -> Value {
    let (out, status) = said(program(&[&["iam-policy"], arguments].concat()));
    assert_eq!(status, 0, "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        several => several.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
    }
}

/// The actions of all statements with this effect.
fn actions(policy: &Value, effect: &str) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter().filter(|one| one["Effect"] == effect);
    statements.flat_map(|one| texts(&one["Action"])).collect()
}

fn needed(feature: &str) -> BTreeSet<String> {
    let feature = FEATURES.iter().find(|one| one.name == feature).unwrap();
    feature.actions.iter().map(|action| (*action).to_owned()).collect()
}

/// The first statement that the program prints, where a template holds all of them.
const FIRST: &str = "              - Sid: ReadWhatADiagnosisNeeds\n";

/// The statements of a template: those of the policy that is printed.
fn statements(template: &str) -> &str {
    let at = template.find(FIRST).unwrap();
    template[at..].split_once("\n\n").unwrap().0
}

/// `REWRITE_DOCS=1` writes them, after a change of the table.
#[test]
fn what_is_printed_by_default_is_what_deploy_holds_to_the_letter() {
    let (policy, role) = (said(program(&["iam-policy"])), said(program(&["iam-policy", "--account-role"])));
    assert_eq!((policy.1, role.1), (0, 0));
    let task = read("deploy/ecs.yaml");
    let task = task.replace(statements(&task), statements(&role.0));
    for (name, printed) in [("deploy/iam-policy.json", policy.0), ("deploy/reader-role.yaml", role.0), ("deploy/ecs.yaml", task)]
    {
        if std::env::var_os("REWRITE_DOCS").is_some() {
            fs::write(path(name), &printed).unwrap();
        }
        assert_eq!(read(name), printed, "{name}");
    }
}

#[test]
fn each_feature_is_granted_alone_and_secret_values_and_changes_are_denied_with_any() {
    for feature in FEATURES {
        let alone = policy(&["--for", feature.name]);
        assert_eq!(actions(&alone, "Allow"), needed(feature.name), "{}", feature.name);
        let denied = actions(&alone, "Deny");
        for action in
            ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "logs:Unmask", "iam:Put*", "lambda:Invoke*"]
        {
            assert!(denied.contains(action), "{}: {action}", feature.name);
        }
    }
    let names: Vec<&str> = FEATURES.iter().map(|one| one.name).collect();
    let all: BTreeSet<String> = names.iter().flat_map(|name| needed(name)).collect();
    assert_eq!(actions(&policy(&["--for", &names.join(",")]), "Allow"), all);
    let output = program(&["iam-policy", "--for", "diagnose,alarm"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&format!("the features are {}", names.join(", "))));
    let manual = read("docs/install.md");
    for name in names {
        assert!(manual.contains(&format!("\n| `{name}` | ")), "docs/install.md does not say what {name} is for");
    }
    let role = said(program(&["iam-policy", "--account-role", "--for", "diagnose"])).0;
    assert!(
        role.contains("sts:ExternalId") && role.contains("iam:GetRole") && !role.contains("sns:ConfirmSubscription"),
        "{role}"
    );
}

#[test]
fn a_configuration_is_granted_what_it_enables_and_its_roles() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let with = |config: &str| {
        fs::write(&file, config).unwrap();
        policy(&["--config", file.to_str().unwrap()])
    };
    let plain = with("default_region = \"eu-west-1\"\n");
    assert!(actions(&plain, "Allow").iter().all(|action| !action.starts_with("sns:") && !action.starts_with("sts:")), "{plain}");
    let reconciling = with("[alarms.reconcile]\nenabled = true\n");
    assert!(actions(&reconciling, "Allow").contains("cloudwatch:DescribeAlarms"));
    let account = |name: &str, id: &str, more: &str| {
        format!("[accounts.{name}]\nrole_arn = \"arn:aws:iam::{id}:role/rotation-diag-reader\"\nexternal_id = \"an-id\"\n{more}")
    };
    let route = "[[alarms.route]]\nplatform = \"slack\"\nworkspace = \"T1\"\nchannel = \"C1\"\n";
    let alarms = format!("[alarms.sns]\ntopics = [\"arn:aws:sns:eu-west-1:123456789012:rotation-diag\"]\n{route}");
    let (prod, stage) = (account("prod", "123456789012", ""), account("stage", "210987654321", ""));
    let two = with(&format!("{prod}{stage}{alarms}"));
    assert!(actions(&two, "Allow").contains("sns:ConfirmSubscription"));
    let assuming =
        two["Statement"].as_array().unwrap().iter().find(|one| one["Sid"] == "AssumeTheReadersOfOtherAccounts").unwrap();
    assert_eq!(texts(&assuming["Action"]), ["sts:AssumeRole"]);
    let roles = ["arn:aws:iam::123456789012:role/rotation-diag-reader", "arn:aws:iam::210987654321:role/rotation-diag-reader"];
    assert_eq!(texts(&assuming["Resource"]), roles);
    let telling = with(&account("prod", "123456789012", "source_identity = true\n"));
    assert!(actions(&telling, "Allow").contains("sts:SetSourceIdentity"));
}

/// The calls in the source of some files.
fn asked_in(files: &[&str]) -> BTreeSet<String> {
    let asked = Regex::new(r#"(?:\.call\(\s*|const CALL: &'static str = )"([a-z0-9]+:[A-Za-z]+)""#).unwrap();
    let mut found = BTreeSet::new();
    for file in files.iter().flat_map(|file| rust_files(&path(file))) {
        let text = fs::read_to_string(file).unwrap();
        found.extend(asked.captures_iter(&text).map(|call| call[1].to_owned()));
    }
    found
}

#[test]
fn the_features_together_need_exactly_the_calls_that_stand_in_the_source() {
    let all: BTreeSet<String> = FEATURES.iter().flat_map(|feature| needed(feature.name)).collect();
    assert_eq!(asked_in(&["src/playbook", "src/aws/alarms.rs", "src/aws/query", "src/aws/sns.rs", "src/aws/trails.rs"]), all);
    assert_eq!(asked_in(&["src/aws/alarms.rs", "src/aws/sns.rs", "src/aws/trails.rs"]), needed("alarms"));
}

/// What an investigation of a scenario's secret asks for; nothing where the scenario has none.
async fn calls_of(name: &'static str, text: &'static str) -> Vec<(&'static str, String)> {
    let scenario = Scenario::parse(text).unwrap();
    let Some(secret) = scenario.secret().map(|secret| secret.parse().unwrap()) else { return Vec::new() };
    let clock = scenario.now().map_or_else(Clock::system, Clock::starting_at);
    let region = scenario.region().parse().unwrap();
    let simulator = Simulator::start(scenario, clock.now()).unwrap();
    let aws = Aws::connect(&AwsOptions::simulated(region, simulator.endpoint_url()), &Registry::default()).await.unwrap();
    let mut options = Options::new(secret);
    (options.step_deadline, options.total_deadline) = (Duration::from_secs(600), Duration::from_secs(600));
    investigate(&aws, &clock, &options, &()).await;
    simulator.calls().iter().map(|call| (name, format!("{}:{}", call.service, call.operation))).collect()
}

/// Over all scenarios, many at once: each waits for its own limiter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn investigations_ask_for_all_that_a_diagnosis_is_granted_and_for_nothing_else() {
    let granted: BTreeSet<String> =
        FEATURES.iter().filter(|one| one.by_default && one.name != "alarms").flat_map(|one| needed(one.name)).collect();
    let mut open = granted.clone();
    let all = Scenario::embedded().map(|(name, text)| calls_of(name, text));
    let asked: Vec<Vec<(&str, String)>> = futures::stream::iter(all).buffer_unordered(40).collect().await;
    for (name, action) in asked.into_iter().flatten() {
        assert!(granted.contains(&action), "{name} asks for {action}");
        open.remove(&action);
    }
    assert_eq!(open, BTreeSet::new(), "what no scenario asks for need not be granted");
}
