//! What watches the bot names what there is: metrics, their labels, and entries of the runbook.

use super::read;
use regex::Regex;
use rotation_diag::metrics::{CATALOGUE, MetricKind};
use std::collections::{BTreeMap, BTreeSet};

/// The table of the metrics, as the documentation shows it.
pub(crate) fn table() -> String {
    let mut table = "| metric | kind | labels | what it says |\n|---|---|---|---|\n".to_owned();
    for one in CATALOGUE {
        let labels: Vec<String> = one.labels.iter().map(|label| format!("`{label}`")).collect();
        let kind = format!("{:?}", one.kind).to_lowercase();
        table.push_str(&format!("| `{}` | {kind} | {} | {} |\n", one.name, labels.join(", "), one.help));
    }
    table
}

/// The names under which metrics are scraped, each with its labels.
fn series() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut all = BTreeMap::new();
    for one in CATALOGUE {
        let labels: BTreeSet<&str> = one.labels.iter().copied().collect();
        if one.kind == MetricKind::Histogram {
            for end in ["_sum", "_count"] {
                all.insert(format!("{}{end}", one.name), labels.clone());
            }
            all.insert(format!("{}_bucket", one.name), labels.iter().copied().chain(["le"]).collect());
        } else {
            all.insert(one.name.to_owned(), labels);
        }
    }
    all
}

/// What a file with expressions names that is not scraped: metrics, and labels in their braces.
fn unknown(text: &str) -> Vec<String> {
    let series = series();
    let named = Regex::new(r"\b(rotation_diag_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let label = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\\?""#).unwrap();
    // Prometheus adds where it scraped.
    let added = ["instance", "job"];
    let mut unknown = Vec::new();
    for found in named.captures_iter(text) {
        match series.get(&found[1]) {
            None => unknown.push(found[1].to_owned()),
            Some(labels) => {
                let used = found.get(2).map(|used| used.as_str()).unwrap_or_default();
                let used = label.captures_iter(used).map(|label| label[1].to_owned());
                unknown.extend(used.filter(|label| !labels.contains(label.as_str()) && !added.contains(&label.as_str())));
            }
        }
    }
    unknown
}

#[test]
fn rules_and_dashboard_name_metrics_and_labels_that_there_are() {
    for file in ["deploy/prometheus/alert-rules.yaml", "deploy/prometheus/alert-rules-test.yaml", "deploy/grafana-dashboard.json"]
    {
        assert_eq!(unknown(&read(file)), Vec::<String>::new(), "{file}");
    }
    assert_eq!(unknown("rotation_diag_redy == 0"), ["rotation_diag_redy"]);
    assert_eq!(unknown("rotation_diag_ready{part=\"x\"}"), ["part"]);
    assert_eq!(unknown(r#""expr": "rotation_diag_aws_calls_total{reslt=\"denied\"}""#), ["reslt"]);
    assert!(unknown("rotation_diag_step_duration_seconds_bucket{le=\"1.0\", instance=\"x\"}").is_empty());
}

#[test]
fn every_metric_is_on_the_dashboard() {
    let dashboard = read("deploy/grafana-dashboard.json");
    for one in CATALOGUE {
        assert!(dashboard.contains(one.name), "{}", one.name);
    }
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let ids: Vec<u64> = parsed["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "two panels have one id");
}

#[test]
fn every_alert_has_its_entry_in_the_runbook_and_every_entry_its_alert() {
    let (rules, operations) = (read("deploy/prometheus/alert-rules.yaml"), read("docs/operations.md"));
    let found = |pattern: &str, text: &str| -> BTreeSet<String> {
        Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let alerts = found(r"- alert: (\w+)", &rules);
    assert!(alerts.len() > 8, "{alerts:?}");
    assert_eq!(found(r"(?m)^### (RotationDiag\w+)$", &operations), alerts);
    let linked = found(r"runbook: docs/operations\.md#(\w+)", &rules);
    assert_eq!(linked, alerts.iter().map(|alert| alert.to_lowercase()).collect());
    let played = found(r#"alertname="(\w+)""#, &read("deploy/prometheus/alert-rules-test.yaml"));
    assert_eq!(played, alerts, "an alert that no test plays");
}
