use super::*;
use crate::model::{Cause, Outcome};
use std::collections::{BTreeMap, BTreeSet};

const SLACK: PlatformName = PlatformName::new("slack");

/// Metrics in which everything has happened once.
fn busy() -> Metrics {
    let metrics = Metrics::new();
    let (second, engine, bot) = (Duration::from_secs(1), &metrics.engine, &metrics.bot);
    engine.called("secretsmanager:DescribeSecret", "found", second);
    engine.step_ended(StepName::FunctionLogs, "denied", second);
    engine.waits.passed("lookup_events", second);
    drop(bot.investigating());
    bot.investigated(ending(Outcome::RootCause, Some(Cause::ALL[0])), second);
    bot.acknowledged(AckSource::Platform(SLACK), "accepted", second);
    bot.acknowledged(AckSource::Sns, "duplicate", second);
    bot.triggers_wait(3, second);
    bot.trigger_ended("completed");
    bot.messages_wait(4, second);
    bot.delivered(SLACK, "delivered");
    bot.connected(SLACK, 2);
    bot.part_works("store", true);
    bot.is_ready(true);
    metrics
}

/// The metrics of a text with the names of their labels.
fn scraped(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label);
        all.entry(name.to_owned()).or_default().extend(labels.filter(|label| *label != "le").map(str::to_owned));
    }
    all
}

#[test]
fn what_is_scraped_is_the_catalogue_and_nothing_else() {
    let expected: BTreeMap<String, BTreeSet<String>> =
        (CATALOGUE.iter()).map(|one| (one.name.to_owned(), one.labels.iter().map(ToString::to_string).collect())).collect();
    assert_eq!(expected.len(), CATALOGUE.len(), "two have one name");
    assert_eq!(scraped(&busy().read()), expected);
}

#[test]
fn each_metric_has_its_kind_its_help_and_its_value() {
    let text = busy().read();
    for one in CATALOGUE {
        let kind = format!("{:?}", one.kind).to_lowercase();
        let name = one.name.trim_end_matches("_total");
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name} {kind}: {text}");
        assert!(text.contains(&format!("# HELP {name} {}.\n", one.help)), "{name}");
        assert!(!one.help.ends_with('.') && one.name.ends_with("_total") == (one.kind == MetricKind::Counter), "{name}");
    }
    for line in [
        "rotation_diag_triggers_waiting 3",
        "rotation_diag_trigger_oldest_wait_seconds 1.0",
        "rotation_diag_investigations_running 0",
        "rotation_diag_aws_calls_total{operation=\"secretsmanager:DescribeSecret\",result=\"found\"} 1",
        "rotation_diag_aws_call_duration_seconds_count{service=\"secretsmanager\"} 1",
        "rotation_diag_acknowledgement_seconds_count{source=\"sns\",result=\"duplicate\"} 1",
        "rotation_diag_sockets_connected{platform=\"slack\"} 2",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}: {text}");
    }
}

#[test]
fn what_is_looked_at_only_when_somebody_reads_is_up_to_date() {
    let (metrics, open) = (Metrics::new(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let (bot, seen) = (metrics.bot.clone(), Arc::clone(&open));
    metrics.refresh_with(move || bot.connected(SLACK, seen.load(std::sync::atomic::Ordering::Relaxed)));
    open.store(5, std::sync::atomic::Ordering::Relaxed);
    assert!(metrics.clone().read().contains("rotation_diag_sockets_connected{platform=\"slack\"} 5\n"));
}
