//! From a signed message to a thread with the root cause: the whole way, over the store, the workers and the simulator.

use crate::bot_world::{Fake, RULES, Shown, Simulated, World as BotWorld, answer_text, tokens};
use crate::sns_signer::{CertificateHost, notification};
use crate::world::post;
use axum::Router;
use axum::http::StatusCode;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use rotation_diag::app::Platforms;
use rotation_diag::chat::document::{Mention, Part, Tone};
use rotation_diag::clock::Clock;
use rotation_diag::config::Config;
use rotation_diag::model::{Action, PlatformName};
use rotation_diag::store::MAX_ATTEMPTS;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One account, everything told in one Slack channel.
const CONFIG: &str = r#"
[accounts.prod]
account_id = "123456789012"
regions = ["eu-west-1"]

[alarms.sns]
topics = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
"#;

pub(crate) const ROUTE: &str = r#"
[[alarms.route]]
platform = "slack"
workspace = "T1"
channel = "C1"
critical = ["*-page"]
mention = "group:S1"
"#;

/// The bot with its endpoint, and one fake platform of each kind.
pub(crate) struct Town {
    pub(crate) world: BotWorld,
    router: Router,
    pub(crate) slack: Arc<Fake>,
    discord: Arc<Fake>,
    _host: CertificateHost,
}

impl Town {
    pub(crate) async fn new(scenario: &str) -> Town {
        Town::with(scenario, "", ROUTE).await
    }

    /// A world, with what `extra` adds to it, and what the configuration has beside the account and the topic.
    pub(crate) async fn with(scenario: &str, extra: &str, config: &str) -> Town {
        Town::at(tempfile::tempdir().unwrap(), scenario, extra, config).await
    }

    async fn at(folder: tempfile::TempDir, scenario: &str, extra: &str, config: &str) -> Town {
        let mut town = Town::asleep_at(folder, scenario, extra, config).await;
        town.wake();
        town
    }

    /// One that takes alarms and does nothing about them yet.
    pub(crate) async fn asleep_at(folder: tempfile::TempDir, scenario: &str, extra: &str, config: &str) -> Town {
        Town::asleep_by(Clock::system(), folder, scenario, extra, config).await
    }

    /// The same town after a restart, when it is later; `config` is what the configuration has then.
    pub(crate) async fn later(self, minutes: i64, scenario: &str, extra: &str, config: &str) -> Town {
        let Town { world, router, slack, discord, .. } = self;
        drop(router);
        let clock = Clock::starting_at(now().checked_add(SignedDuration::from_mins(minutes)).unwrap());
        let town = Town::asleep_by(clock, world.end().await, scenario, extra, config).await;
        let mut town = Town { slack, discord, ..town };
        town.wake();
        town
    }

    /// The same town after the process was killed where it stood.
    pub(crate) async fn killed(self, scenario: &str, config: &str) -> Town {
        let Town { world, router, slack, discord, .. } = self;
        drop(router);
        let town = Town::asleep_by(Clock::system(), world.kill().await, scenario, "", config).await;
        let mut town = Town { slack, discord, ..town };
        town.wake();
        town
    }

    async fn asleep_by(clock: Clock, folder: tempfile::TempDir, scenario: &str, extra: &str, config: &str) -> Town {
        let host = CertificateHost::start().await;
        let text = format!("{RULES}{CONFIG}{config}");
        let accounts = Simulated::new(&[("prod", scenario, extra)]);
        let world = BotWorld::by(clock, folder, &text, accounts).await;
        let config = Config::parse(&text, rotation_diag::app::PLATFORMS).unwrap();
        let stop = CancellationToken::new();
        let platforms_built = Platforms::default().with_alarms(&config, &world.bot, &stop, host.client_builder()).unwrap();
        let router = platforms_built.routers.into_iter().fold(Router::new(), Router::merge);
        let (slack, discord) = (Fake::new(PlatformName::new("slack")), Fake::new(PlatformName::new("discord")));
        Town { world, router, slack, discord, _host: host }
    }

    pub(crate) fn wake(&mut self) {
        self.world.start(&[Arc::clone(&self.slack), Arc::clone(&self.discord)]);
    }

    /// The only alarm that waits failed too often, and was not given up before the process ended.
    pub(crate) async fn wear_out(&self) {
        for _ in 1..MAX_ATTEMPTS {
            let claimed = self.world.store.claim(std::time::Duration::ZERO).await.unwrap().unwrap();
            let why = rotation_diag::redact::SafeText::redact("no luck");
            assert!(!self.world.store.fail(claimed.lease, &why, std::time::Duration::ZERO).await.unwrap());
        }
        self.world.fails_once_more().await;
    }

    pub(crate) async fn hears(&self, alarm: &Value) {
        let body = notification(&as_sns_writes(now()), &alarm.to_string()).to_string();
        assert_eq!(post(&self.router, body, &[]).await, StatusCode::OK);
    }

    /// Waits for a message in a thread or channel of Slack whose title contains `words`.
    pub(crate) async fn reads(&self, words: &str) -> Shown {
        reads(&self.slack, words).await
    }

    pub(crate) fn threads(&self) -> Vec<String> {
        self.slack.roots().iter().map(|root| root.title().to_owned()).collect()
    }

    /// How the thread stands that hangs on this message, in one word.
    pub(crate) async fn state_of(&self, root: &Shown) -> String {
        let place = crate::bot_world::place(Some(&root.id));
        let thread = self.world.store.thread_at(&place).await.unwrap().unwrap();
        let known = self.world.store.group_in::<rotation_diag::alarm::AlarmGroup>(&thread.id).await.unwrap().unwrap();
        if known.group.ended_at.is_some() { "recovered".to_owned() } else { "open".to_owned() }
    }

    /// Waits until everything that was accepted has been done and delivered, and nothing said of an alarm contradicts its
    /// thread's first message; the verdict on one secret of several, which has buttons, may.
    pub(crate) async fn comes_to_rest(&self) {
        self.settles().await;
        rotation_diag::bot::last_messages(&self.world.store, crate::bot_world::PATIENCE).await;
        let tone = |shown: &Shown| shown.message.tone;
        for root in self.slack.roots() {
            let contradicts = match tone(&root) {
                Tone::Bad => Tone::Good,
                Tone::Good => Tone::Bad,
                _ => continue,
            };
            let replies = self.slack.replies();
            for reply in replies.iter().filter(|reply| reply.root.as_ref() == Some(&root.id) && reply.message.controls.is_empty())
            {
                assert_ne!(tone(reply), contradicts, "{} under {}", reply.title(), root.title());
            }
        }
    }

    /// Waits until everything that was accepted has been done, and says what was ignored and why.
    pub(crate) async fn settles(&self) -> Vec<String> {
        let mut changes = self.world.store.inbox_changes();
        while self.world.open_triggers().await > 0 {
            changes.changed().await.unwrap();
        }
        let lines = self.world.audit_trail().await;
        let ignored = lines.iter().filter(|line| line.did.as_str() == "ignored an SNS message");
        ignored.map(|line| line.reason.as_str().to_owned()).collect()
    }
}

async fn reads(platform: &Fake, words: &str) -> Shown {
    let holds = |shown: &Shown| shown.title().contains(words);
    platform.until(&format!("a message with {words:?}"), |state| state.shown.iter().any(holds)).await;
    platform.shown().into_iter().find(holds).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Clock::system().now()
}

pub(crate) fn ago(minutes: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_mins(minutes)).unwrap()
}

pub(crate) fn as_sns_writes(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A CloudWatch alarm that went to `state`, with these dimensions.
pub(crate) fn alarm(name: &str, state: &str, at: Timestamp, dimensions: &[(&str, &str)]) -> Value {
    let dimensions: Vec<Value> = dimensions.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "AlarmName": name, "AWSAccountId": "123456789012", "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint was greater than the threshold (0.0).",
        "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(), "Region": "EU (Ireland)",
        "AlarmArn": format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"),
        "Trigger": {"Namespace": "Rotation", "MetricName": "Failed", "Dimensions": dimensions}
    })
}

pub(crate) const ORDERS: (&str, &str) = ("SecretId", "prod/orders-db");
const CAUSE: &str = "prod/orders-db is not rotating";

pub(crate) fn text_of(shown: &Shown) -> String {
    serde_json::to_string(&shown.message).unwrap()
}

#[tokio::test]
async fn a_signed_alarm_opens_a_thread_with_the_root_cause_whatever_names_the_secret() {
    let function = ("FunctionName", "orders-rotator");
    let recent = ago(5);
    for (case, message, by) in [
        ("a dimension", alarm("a", "ALARM", recent, &[ORDERS]), "what the alarm names"),
        ("a function", alarm("a", "ALARM", recent, &[function]), "the function the alarm names"),
        ("failed rotations", alarm("a", "ALARM", ago(5 * 60), &[]), "rotations that failed about that time"),
    ] {
        let town = Town::new("role_detached_policy").await;
        town.hears(&message).await;
        let root = town.reads(CAUSE).await;
        assert!(root.root.is_none(), "{case}");
        assert!(root.title().contains("role"), "{case}: {}", root.title());
        let told = town.reads("Alarm a went to ALARM").await;
        assert_eq!(told.root, Some(root.id), "{case}");
        assert!(text_of(&told).contains(by), "{case}: {}", text_of(&told));
        assert_eq!(town.threads().len(), 1, "{case}");
    }
}

#[tokio::test]
async fn the_event_of_a_failed_rotation_opens_a_thread_on_the_platform_its_route_names() {
    let route = "[[alarms.route]]\nplatform = \"discord\"\nworkspace = \"G1\"\nchannel = \"C9\"\n";
    let town = Town::with("role_detached_policy", "", route).await;
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-XtUIZU";
    town.hears(&json!({
        "source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail", "account": "123456789012",
        "region": "eu-west-1", "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed", "eventTime": ago(5).to_string(),
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "additionalEventData": {"SecretId": secret}
        }
    }))
    .await;
    let root = reads(&town.discord, CAUSE).await;
    assert_eq!(reads(&town.discord, "prod/orders-db: rotation failed").await.root, Some(root.id));
    assert_eq!(town.threads(), Vec::<String>::new());
}

#[tokio::test]
async fn only_a_critical_alarm_calls_somebody() {
    for (name, expected) in [("orders", None), ("orders-page", Some(Mention::Group("S1".to_owned())))] {
        let town = Town::new("role_detached_policy").await;
        town.hears(&alarm(name, "ALARM", ago(5), &[ORDERS])).await;
        assert_eq!(town.reads(&format!("Alarm {name} went to ALARM")).await.message.mention, expected);
        assert!(town.slack.roots().iter().all(|root| root.message.mention.is_none()));
    }
}

#[tokio::test]
async fn alarms_about_one_secret_share_a_thread_and_copies_change_nothing() {
    let town = Town::new("role_detached_policy").await;
    let first = notification(&as_sns_writes(now()), &alarm("a", "ALARM", ago(5), &[ORDERS]).to_string()).to_string();
    let copies = (0..20).map(|_| post(&town.router, first.clone(), &[]));
    assert!(futures::future::join_all(copies).await.iter().all(|status| *status == StatusCode::OK));
    town.hears(&alarm("b", "ALARM", ago(4), &[ORDERS])).await;
    town.hears(&alarm("a", "ALARM", ago(3), &[("SecretId", "prod/orders-db")])).await;
    town.settles().await;
    town.reads(CAUSE).await;
    let told = town
        .slack
        .until("three alarms", |state| state.shown.iter().any(|shown| text_of(shown).contains("alarms about this received: 3")));
    told.await;
    assert_eq!(town.threads().len(), 1, "{:?}", town.threads());

    // After a restart on the same store, the same message is still known.
    let Town { world, router, .. } = town;
    drop(router);
    let town = Town::at(world.end().await, "role_detached_policy", "", ROUTE).await;
    assert_eq!(post(&town.router, first, &[]).await, StatusCode::OK);
    town.settles().await;
    assert_eq!(town.threads(), Vec::<String>::new(), "a second thread began");
}

#[tokio::test]
async fn an_alarm_with_an_older_time_is_counted_too_and_the_newest_state_stays() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("a", "ALARM", ago(3), &[ORDERS])).await;
    town.reads(CAUSE).await;
    town.hears(&alarm("b", "ALARM", ago(9), &[ORDERS])).await;
    town.hears(&alarm("c", "ALARM", ago(8), &[ORDERS])).await;
    town.comes_to_rest().await;
    let told = town.reads("Alarm a went to ALARM").await;
    let text = text_of(&told);
    assert!(text.contains("alarms about this received: 3") && text.contains("3 different alarms"), "{text}");
    assert_eq!(text.matches("alarms about this received").count(), 1, "{text}");
    assert!(text.contains("secrets found by what the alarm names"), "{text}");
}

#[tokio::test]
async fn more_secrets_than_are_counted_are_told_as_more() {
    let town = Town::new("role_detached_policy").await;
    let names: Vec<String> = (0..60).map(|n| format!("prod/s{n}-db")).collect();
    let dimensions: Vec<(&str, &str)> = names.iter().map(|name| ("SecretId", name.as_str())).collect();
    town.hears(&alarm("many", "ALARM", ago(3), &dimensions)).await;
    town.reads("more than 50 secrets").await;
}

#[tokio::test]
async fn the_alarms_own_time_decides_not_the_order_of_arrival() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("a", "OK", ago(1), &[ORDERS])).await;
    town.settles().await;
    town.hears(&alarm("a", "ALARM", ago(5), &[ORDERS])).await;
    town.settles().await;
    assert_eq!(town.threads(), Vec::<String>::new(), "an alarm that is over opened a thread");
}

#[tokio::test]
async fn what_the_configuration_does_not_cover_is_recorded_and_aws_is_not_asked() {
    let other_account = json!({"account": "999999999999"});
    let secret_of = |account: &str, region: &str| format!("arn:aws:secretsmanager:{region}:{account}:secret:prod/x-AbCdEf");
    let town = Town::new("role_detached_policy").await;
    let mut of_other = alarm("a", "ALARM", ago(5), &[]);
    of_other["AWSAccountId"] = other_account["account"].clone();
    let mut elsewhere = alarm("a", "ALARM", ago(5), &[]);
    elsewhere["AlarmArn"] = json!("arn:aws:cloudwatch:us-east-1:123456789012:alarm:a");
    town.hears(&of_other).await;
    town.hears(&elsewhere).await;
    town.hears(&alarm("a", "ALARM", ago(5), &[("SecretId", &secret_of("210987654321", "eu-west-1"))])).await;
    town.hears(&alarm("a", "ALARM", ago(5), &[("SecretId", &secret_of("123456789012", "us-east-1"))])).await;
    town.hears(&json!("TEST")).await;
    let mut ignored = town.settles().await;
    ignored.sort();
    assert_eq!(ignored.len(), 5, "{ignored:?}");
    for (reason, expected) in ignored.iter().zip([
        "covers none of the secrets it names",
        "covers none of the secrets it names",
        "it is text that names no secret",
        "its account is not configured",
        "its region is not among those of its account",
    ]) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert_eq!((town.world.accounts.calls(), town.threads().len()), (0, 0));
}

#[tokio::test]
async fn a_secret_nobody_may_see_is_not_told_of() {
    let deny = format!("{ROUTE}[[deny]]\nsecrets = [\"prod/orders-*\"]\n");
    let town = Town::with("role_detached_policy", "", &deny).await;
    town.hears(&alarm("a", "ALARM", ago(60), &[ORDERS])).await;
    let root = town.reads("Alarm a refers to a secret that may not be named here").await;
    assert!(!text_of(&root).contains("orders-db"), "{}", text_of(&root));
}

#[tokio::test]
async fn an_alarm_that_nothing_explains_says_what_was_tried() {
    let town = Town::new("healthy").await;
    town.hears(&alarm("a", "ALARM", ago(5), &[("FunctionName", "nobody")])).await;
    let root = town.reads("Could not determine which secret alarm a refers to").await;
    let text = text_of(&root);
    for tried in [
        "no [[alarms.mapping]] of the configuration matches it",
        "no secret rotates with nobody",
        "CloudTrail shows no failed rotation",
    ] {
        assert!(text.contains(tried), "{tried}: {text}");
    }
    assert!(text.contains("retried for a while"), "{text}");
}

#[tokio::test]
async fn an_alarm_of_hours_ago_that_nothing_explains_is_not_said_to_be_retried() {
    let town = Town::new("healthy").await;
    town.hears(&alarm("a", "ALARM", ago(300), &[("FunctionName", "nobody")])).await;
    let root = town.reads("Could not determine which secret alarm a refers to").await;
    let text = text_of(&root);
    assert!(!text.contains("retried for a while") && text.contains("To identify it next time"), "{text}");
}

#[tokio::test]
async fn several_secrets_of_one_alarm_are_looked_into_together_and_compared() {
    let mapping = format!(
        "{ROUTE}[[alarms.mapping]]\nalarm = \"fleet\"\nsecrets = [\"prod/orders-db\", \"prod/users-db\", \"prod/none\"]\n"
    );
    let second = "[[secret]]\nname = \"prod/users-db\"\nfunction = \"orders-rotator\"\n";
    let town = Town::with("role_detached_policy", second, &mapping).await;
    town.hears(&alarm("fleet", "ALARM", ago(5), &[])).await;
    let root = town.reads("of 3 secrets").await;
    assert!(root.root.is_none());
    let text = text_of(&root);
    for part in [CAUSE, "prod/users-db", "prod/none — there is no such secret", "Each secret"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let verdicts = |shown: &&Shown| shown.root.is_some() && !shown.message.controls.is_empty();
    town.slack.until("three verdicts", |state| state.shown.iter().filter(verdicts).count() == 3).await;
    assert_eq!(town.threads().len(), 1);
}

#[tokio::test]
async fn ok_marks_an_alarm_recovered_only_where_rotation_succeeded() {
    for (scenario, secret, expected, state) in [
        (
            "role_detached_policy",
            "prod/orders-db",
            "is OK again, but rotation has not succeeded since: this thread stays open",
            "open",
        ),
        ("healthy_by_its_own_retry", "prod/weather-db", "is OK again, and rotation succeeded: resolved", "recovered"),
    ] {
        let town = Town::new(scenario).await;
        town.hears(&alarm("a", "ALARM", ago(50), &[("SecretId", secret)])).await;
        town.settles().await;
        town.hears(&alarm("a", "OK", ago(1), &[("SecretId", secret)])).await;
        let told = town.reads(expected).await;
        assert!(text_of(&told).contains(secret), "{}", text_of(&told));
        town.settles().await;
        let root = town.slack.roots().remove(0);
        assert_eq!(town.state_of(&root).await, state, "{scenario}");
        let place = crate::bot_world::place(Some(&root.id));
        let thread = town.world.store.thread_at(&place).await.unwrap().unwrap();
        let closed = town.world.store.investigations_of(&thread.id).await.unwrap().remove(0).resolved;
        let by = closed.map(|(by, _)| by.as_str().to_owned());
        assert_eq!(by.as_deref(), (state == "recovered").then_some("the alarm a"), "{scenario}");
        let says = text_of(&told).contains("resolved by the alarm itself");
        assert_eq!(says, state == "recovered", "{}", text_of(&told));
    }
}

#[tokio::test]
async fn a_persons_rerun_and_an_alarms_at_once_are_one_run_and_both_are_told() {
    for alarm_first in [true, false] {
        let town = Town::new("role_detached_policy").await;
        town.hears(&alarm("a", "ALARM", ago(50), &[ORDERS])).await;
        town.reads(CAUSE).await;
        town.settles().await;
        town.slack.until("the verdict's buttons", |state| !state.shown[0].message.controls.is_empty()).await;
        let looks = || town.world.accounts.calls_of("DescribeSecret");
        let once = looks();
        let rerun = tokens(&town.slack.roots()[0].message).into_iter().find(|token| token.action == Action::RerunAll).unwrap();
        let rerun = rerun.to_string();
        let over = alarm("a", "OK", ago(1), &[ORDERS]);
        let (hears, click) = (town.hears(&over), town.world.click("c", "U1", &rerun));
        let receipt = match alarm_first {
            true => futures::join!(hears, click).1,
            false => futures::join!(click, hears).0,
        };
        town.reads("a is OK again, but rotation").await;
        town.settles().await;
        rotation_diag::bot::last_messages(&town.world.store, crate::bot_world::PATIENCE).await;
        assert_eq!(looks(), once * 2, "another run, alarm first: {alarm_first}");
        let titles: Vec<String> = town.slack.replies().iter().map(|shown| shown.title().to_owned()).collect();
        let with = |words: &str| titles.iter().filter(|title| title.contains(words)).count();
        // Whoever came too late for a run was told so at once, or in the thread.
        let persons = with("U1 reran all steps") + with("U1 asked for a rerun of all steps");
        assert_eq!(
            (with("a is OK again, but rotation"), persons),
            (1, usize::from(answer_text(&receipt) == "accepted")),
            "{receipt:?} {titles:#?}"
        );
    }
}

#[tokio::test]
async fn the_verdict_of_a_recovered_thread_says_who_closed_it_until_the_alarm_comes_back() {
    let town = Town::new("healthy_by_its_own_retry").await;
    let weather = [("SecretId", "prod/weather-db")];
    town.hears(&alarm("a", "ALARM", ago(50), &weather)).await;
    town.settles().await;
    town.hears(&alarm("a", "OK", ago(20), &weather)).await;
    let closed = |state: &crate::bot_world::State| {
        state.shown.iter().any(|shown| shown.root.is_none() && text_of(shown).contains("resolved by the alarm a"))
    };
    town.slack.until("a closed verdict", closed).await;
    town.settles().await;
    town.hears(&alarm("a", "ALARM", ago(1), &weather)).await;
    town.reads("it fired again after it had recovered").await;
    town.slack.until("an open verdict", |state| !closed(state)).await;
    assert_eq!(town.threads().len(), 1);
}

#[tokio::test]
async fn an_alarm_that_is_given_up_says_so_in_the_channel_or_in_its_thread() {
    let mut town = Town::asleep_at(tempfile::tempdir().unwrap(), "role_detached_policy", "", ROUTE).await;
    town.hears(&alarm("a", "ALARM", ago(50), &[ORDERS])).await;
    town.wear_out().await;
    town.wake();
    let told = town.reads("Alarm a could not be processed: it was started several times").await;
    assert!(told.root.is_none(), "{told:?}");

    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("a", "ALARM", ago(50), &[ORDERS])).await;
    town.settles().await;
    town.reads("Alarm a went to ALARM").await;
    let thread = town.slack.roots().remove(0).id;
    let Town { world, router, .. } = town;
    drop(router);
    let mut town = Town::asleep_at(world.end().await, "role_detached_policy", "", ROUTE).await;
    town.hears(&alarm("b", "ALARM", ago(5), &[ORDERS])).await;
    town.wear_out().await;
    town.wake();
    assert_eq!(town.reads("Alarm b could not be processed").await.root, Some(thread));
    assert_eq!(town.threads(), Vec::<String>::new(), "a second thread began");
    let letters = town.world.dead_letters().await;
    assert_eq!(letters.len(), 1);
}

#[tokio::test]
async fn five_hundred_alarms_become_few_threads_and_one_that_counts() {
    let town = Town::new("healthy").await;
    let alarms: Vec<Value> =
        (0..500).map(|n| alarm(&format!("a{n}"), "ALARM", ago(2), &[("SecretId", &format!("prod/s{n}"))])).collect();
    // More at once than the endpoint takes would be told to come again.
    futures::stream::iter(&alarms).for_each_concurrent(32, |alarm| town.hears(alarm)).await;
    town.settles().await;
    let counted = town.reads("Alarm storm: 495 more secrets in this thread").await;
    assert!(counted.root.is_none());
    assert_eq!(town.threads().len(), 6, "{:?}", town.threads());
    assert_eq!(counted.message.parts.iter().filter(|part| matches!(part, Part::Section { .. })).count(), 1);
}

#[tokio::test]
async fn in_quiet_hours_only_critical_alarms_are_told() {
    let quiet = format!("{ROUTE}quiet_hours = \"00:00-23:59\"\n");
    let quiet = if now().strftime("%H:%M").to_string() == "23:59" { quiet.replace("00:00-23:59", "23:00-22:59") } else { quiet };
    let town = Town::with("role_detached_policy", "", &quiet).await;
    town.hears(&alarm("orders", "ALARM", ago(5), &[ORDERS])).await;
    town.hears(&alarm("orders-page", "ALARM", ago(4), &[ORDERS])).await;
    town.reads(CAUSE).await;
    town.reads("Alarm orders-page went to ALARM").await;
    let mut changes = town.world.store.inbox_changes();
    while town.world.open_triggers().await > 1 {
        changes.changed().await.unwrap();
    }
    assert_eq!(town.world.open_triggers().await, 1, "the other one waits");
    assert!(town.slack.shown().iter().all(|shown| !shown.title().contains("Alarm orders went")));
}

#[tokio::test]
async fn a_store_that_fails_is_answered_with_503() {
    let town = Town::new("healthy").await;
    let body = notification(&as_sns_writes(now()), &alarm("a", "ALARM", ago(5), &[ORDERS]).to_string()).to_string();
    let router = town.router.clone();
    drop(town.world.end().await);
    assert_eq!(post(&router, body, &[]).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_periodic_look_finds_what_was_not_delivered_and_is_silent_about_what_was() {
    let town = Town::new("healthy_by_its_own_retry").await;
    let every = std::time::Duration::from_secs(3_600);
    town.world.bot.reconciler.reconcile(every).await;
    town.settles().await;
    let root = town.reads("prod/weather-db").await;
    assert!(root.root.is_none());
    town.reads("prod/weather-db: rotation failed").await;
    town.world.bot.reconciler.reconcile(every).await;
    town.settles().await;
    assert_eq!(town.threads().len(), 1);
    assert_eq!(town.slack.shown().iter().filter(|shown| text_of(shown).contains("alarms about this received")).count(), 0);
}
