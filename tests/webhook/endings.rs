//! How alarms end: by a rotation that succeeded, not by data that went missing; and what is told when one flaps.

use crate::bot_world::{Shown, tokens};
use crate::threads::{ORDERS, ROUTE, Town, ago, alarm, now, text_of};
use jiff::Timestamp;
use rotation_diag::chat::document::{Mention, Tone};
use rotation_diag::model::Action;
use serde_json::{Value, json};

const WEATHER: (&str, &str) = ("SecretId", "prod/weather-db");
const NO_DATA: &str =
    "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].";

pub(crate) fn without_data(mut alarm: Value) -> Value {
    alarm["OldStateValue"] = json!("ALARM");
    alarm["NewStateReason"] = json!(NO_DATA);
    alarm
}

/// CloudTrail's event of a rotation.
fn rotation(event: &str, secret: &str, at: Timestamp) -> Value {
    let secret = format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{secret}-XtUIZU");
    json!({
        "source": "aws.secretsmanager", "detail-type": "AWS Service Event via CloudTrail", "account": "123456789012",
        "region": "eu-west-1", "detail": {
            "eventSource": "secretsmanager.amazonaws.com", "eventName": event, "eventTime": at.to_string(),
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "additionalEventData": {"SecretId": secret}
        }
    })
}

/// Secrets Manager's own event of a new current version.
fn new_version(secret: &str, at: Timestamp) -> Value {
    json!({
        "version": "0", "detail-type": "Secret Label Updated", "source": "aws.secretsmanager", "account": "123456789012",
        "time": at.to_string(), "region": "eu-west-1",
        "resources": [format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{secret}-XtUIZU")],
        "detail": {"name": secret, "labelUpdated": "AWSCURRENT", "versionId": "a1b2c3d4-5678-90ab-cdef-0123456789ab"}
    })
}

fn titles(town: &Town) -> Vec<String> {
    town.slack.replies().iter().map(|shown| shown.title().to_owned()).collect()
}

#[tokio::test]
async fn an_ok_for_want_of_data_is_not_told_as_news() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("a", "ALARM", ago(50), &[ORDERS])).await;
    town.comes_to_rest().await;
    let (looks, shown) = (town.world.accounts.calls_of("DescribeSecret"), town.slack.shown().len());
    town.hears(&without_data(alarm("a", "OK", ago(45), &[ORDERS]))).await;
    town.reads("Alarm a is OK because data is missing, which says nothing about the rotation").await;
    town.comes_to_rest().await;
    assert_eq!(town.world.accounts.calls_of("DescribeSecret"), looks, "it was looked into");
    assert_eq!(town.slack.shown().len(), shown, "{:?}", titles(&town));
    assert_eq!(town.state_of(&town.slack.roots()[0]).await, "open");
}

#[tokio::test]
async fn data_that_goes_missing_cancels_no_alarm_that_waits_for_the_end_of_the_quiet_hours() {
    let quiet = format!("{ROUTE}quiet_hours = \"00:00-23:59\"\n");
    let quiet = if now().strftime("%H:%M").to_string() == "23:59" { quiet.replace("00:00-23:59", "23:00-22:59") } else { quiet };
    let town = Town::with("role_detached_policy", "", &quiet).await;
    town.hears(&alarm("orders", "ALARM", ago(5), &[ORDERS])).await;
    town.hears(&without_data(alarm("orders", "OK", ago(2), &[ORDERS]))).await;
    let mut missing = alarm("orders", "INSUFFICIENT_DATA", ago(1), &[ORDERS]);
    missing["OldStateValue"] = json!("OK");
    town.hears(&missing).await;
    let mut changes = town.world.store.inbox_changes();
    while town.world.open_triggers().await > 1 {
        changes.changed().await.unwrap();
    }
    assert_eq!(town.slack.shown().len(), 0);
    let town = town.later(24 * 60, "role_detached_policy", "", ROUTE).await;
    town.reads("Alarm orders went to ALARM").await;
}

#[tokio::test]
async fn a_rotation_that_succeeded_closes_the_thread_of_the_one_that_failed_and_no_other() {
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&rotation("RotationFailed", "prod/weather-db", ago(50))).await;
    town.hears(&rotation("RotationFailed", "prod/none", ago(50))).await;
    town.comes_to_rest().await;
    town.hears(&rotation("RotationSucceeded", "prod/weather-db", ago(20))).await;
    let told = town.reads("prod/weather-db: rotated, and rotation succeeded: resolved").await;
    town.comes_to_rest().await;
    assert_eq!(town.threads().len(), 2);
    for root in town.slack.roots() {
        let expected = if Some(&root.id) == told.root.as_ref() { "recovered" } else { "open" };
        assert_eq!(town.state_of(&root).await, expected, "{}", root.title());
    }
}

#[tokio::test]
async fn an_alarm_that_is_over_calls_those_who_asked_about_it_and_nobody_else() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&rotation("RotationFailed", "prod/orders-db", ago(50))).await;
    town.comes_to_rest().await;
    let root = town.slack.roots().remove(0);
    for (user, action) in [("U1", Action::Compare), ("U9", Action::Compare), ("U1", Action::Export)] {
        let token = tokens(&root.message).into_iter().find(|token| token.action == action).unwrap();
        town.world.click(&format!("{user}-{action:?}"), user, &token.to_string()).await;
    }
    town.comes_to_rest().await;
    town.hears(&rotation("RotationSucceeded", "prod/orders-db", ago(1))).await;
    let told = town.reads("prod/orders-db: rotated, and rotation succeeded: resolved").await.message;
    assert_eq!((told.mention, told.is_ending), (Some(Mention::People(vec!["U1".to_owned()])), true));
}

#[tokio::test]
async fn a_success_that_event_history_does_not_show_yet_is_believed_as_it_was_told() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&rotation("RotationFailed", "prod/orders-db", ago(50))).await;
    town.comes_to_rest().await;
    town.hears(&rotation("RotationSucceeded", "prod/orders-db", ago(1))).await;
    town.reads("prod/orders-db: rotated, and rotation succeeded: resolved").await;
    town.comes_to_rest().await;
    let root = town.slack.roots().remove(0);
    assert_eq!((root.message.tone, town.state_of(&root).await.as_str()), (Tone::Neutral, "recovered"));
}

#[tokio::test]
async fn a_new_version_closes_a_thread_only_where_a_rotation_made_it() {
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&alarm("a", "ALARM", ago(50), &[WEATHER])).await;
    town.comes_to_rest().await;
    town.hears(&without_data(alarm("a", "OK", ago(40), &[WEATHER]))).await;
    town.settles().await;
    town.hears(&new_version("prod/weather-db", ago(20))).await;
    town.reads("prod/weather-db: a new version is current, and rotation succeeded: resolved").await;
    town.comes_to_rest().await;
    assert_eq!(town.state_of(&town.slack.roots()[0]).await, "recovered");

    let town = Town::new("role_detached_policy").await;
    town.hears(&new_version("prod/orders-db", ago(60))).await;
    town.hears(&rotation("RotationFailed", "prod/orders-db", ago(50))).await;
    town.comes_to_rest().await;
    assert_eq!(town.threads().len(), 1);
    let shown = town.slack.shown();
    town.hears(&new_version("prod/orders-db", ago(1))).await;
    town.comes_to_rest().await;
    assert_eq!(town.slack.shown().len(), shown.len(), "a value written by hand is told: {:?}", titles(&town));
    assert_eq!(town.state_of(&town.slack.roots()[0]).await, "open");
}

#[tokio::test]
async fn when_an_alarm_that_flapped_is_still_its_last_word_is_told() {
    for (changes, scenario, secret, expected, state) in [
        (7, "role_detached_policy", ORDERS, "was flapping, has been stable for ten minutes, and is in ALARM", "open"),
        (8, "role_detached_policy", ORDERS, "is OK again, but rotation has not succeeded since: this thread stays open", "open"),
        (8, "healthy_by_its_own_retry", WEATHER, "is OK again, and rotation succeeded: resolved", "recovered"),
    ] {
        let town = Town::new(scenario).await;
        for n in 0..changes {
            let change = if n % 2 == 0 { "ALARM" } else { "OK" };
            town.hears(&alarm("a", change, ago(9 - n), &[secret])).await;
            town.comes_to_rest().await;
        }
        town.reads(if changes % 2 == 0 { "Alarm a is OK again" } else { "Alarm a went to ALARM" }).await;
        let before = titles(&town).len();
        let town = town.later(11, scenario, "", ROUTE).await;
        rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
        town.comes_to_rest().await;
        let told = titles(&town);
        assert_eq!(told.len(), before + 1, "{told:?}");
        assert!(told.last().unwrap().contains(expected), "{told:?}");
        assert_eq!(town.threads().len(), 1);
        assert_eq!(town.state_of(&town.slack.roots()[0]).await, state);
        // It is told once.
        rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
        town.comes_to_rest().await;
        assert_eq!(titles(&town).len(), before + 1);
    }
}

#[tokio::test]
async fn changes_hours_apart_that_arrive_together_are_not_flapping() {
    let town = Town::new("role_detached_policy").await;
    for n in 0..6 {
        let change = if n % 2 == 0 { "ALARM" } else { "OK" };
        town.hears(&alarm("a", change, ago(60 * (6 - n)), &[ORDERS])).await;
        town.comes_to_rest().await;
    }
    assert!(town.slack.shown().iter().all(|shown| !text_of(shown).contains("changes to and fro")));
}

#[tokio::test]
async fn a_critical_alarm_calls_whatever_goes_on() {
    let called = |town: &Town| {
        let group = Some(Mention::Group("S1".to_owned()));
        town.slack.replies().iter().filter(|shown| shown.message.mention == group).count()
    };
    // In a thread that another alarm opened, and while it flaps.
    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("orders", "ALARM", ago(20), &[ORDERS])).await;
    town.comes_to_rest().await;
    assert_eq!(called(&town), 0);
    town.hears(&alarm("orders-page", "ALARM", ago(19), &[ORDERS])).await;
    town.comes_to_rest().await;
    assert_eq!((called(&town), town.threads().len()), (1, 1));
    town.hears(&alarm("orders-page", "ALARM", ago(18), &[ORDERS])).await;
    town.comes_to_rest().await;
    assert_eq!(called(&town), 1, "it has not changed since");
    for n in 0..6 {
        let change = if n % 2 == 0 { "OK" } else { "ALARM" };
        town.hears(&alarm("orders-page", change, ago(17 - n), &[ORDERS])).await;
        town.comes_to_rest().await;
    }
    assert_eq!(called(&town), 4);
    // What another alarm says of the thread takes the place of no call.
    let text = |shown: &Shown| text_of(shown);
    assert!(town.slack.replies().iter().filter(|shown| text(shown).contains("orders-page went to ALARM")).count() >= 4);
}

#[tokio::test]
async fn a_persons_look_at_a_thread_of_alarms_leaves_its_colours_agreeing() {
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&alarm("a", "ALARM", ago(50), &[WEATHER])).await;
    town.comes_to_rest().await;
    let root = town.slack.roots().remove(0);
    assert_eq!(root.message.tone, Tone::Good, "{}", root.title());
    assert!(!tokens(&root.message).is_empty());
    town.hears(&alarm("b", "ALARM", ago(5), &[WEATHER])).await;
    town.comes_to_rest().await;
}

#[tokio::test]
async fn several_secrets_that_are_over_are_so_in_the_first_message_too() {
    let mapping = format!("{ROUTE}[[alarms.mapping]]\nalarm = \"fleet\"\nsecrets = [\"prod/weather-db\", \"prod/users-db\"]\n");
    let second = r#"
        [[secret]]
        name = "prod/users-db"
        function = "weather-rotator"

        [[rotation]]
        secret = "prod/users-db"
        at = "-70m"
        outcome = "failed"
        step = "createSecret"

        [[rotation]]
        secret = "prod/users-db"
        at = "-54m"
        outcome = "succeeded"
    "#;
    let town = Town::with("healthy_by_its_own_retry", second, &mapping).await;
    town.hears(&alarm("fleet", "ALARM", ago(50), &[])).await;
    town.comes_to_rest().await;
    assert!(town.threads()[0].contains("both secrets rotate"), "{:?}", town.threads());
    town.hears(&alarm("fleet", "OK", ago(1), &[])).await;
    town.reads("Alarm fleet is OK again, and rotation succeeded: resolved").await;
    town.comes_to_rest().await;
    let root = town.slack.roots().remove(0);
    assert_eq!(root.message.tone, Tone::Neutral);
    assert_eq!(root.title(), "Resolved: Alarm fleet is OK again, and the rotation of both secrets succeeded");
}

/// Whatever comes first of an alarm and its end: a thread that was opened says how it ended.
#[tokio::test]
async fn an_end_that_comes_while_the_alarm_is_looked_into_is_the_last_word() {
    for _ in 0..4 {
        let town = Town::new("role_detached_policy").await;
        let (bad, good) = (alarm("a", "ALARM", ago(5), &[ORDERS]), alarm("a", "OK", ago(1), &[ORDERS]));
        futures::join!(town.hears(&bad), town.hears(&good));
        town.comes_to_rest().await;
        let is_told = titles(&town).iter().any(|title| title.contains("a is OK again, but rotation has not succeeded"));
        assert_eq!(is_told, !town.threads().is_empty(), "{:?}", titles(&town));
    }
}

/// The process ends at whatever step it has come to, again and again.
#[tokio::test]
async fn wherever_it_is_cut_short_it_comes_to_one_thread_one_call_and_its_end() {
    for steps in [1, 3, 10, 30, 60, 100, 160, 250, 400] {
        let mut town = Town::new("healthy_by_its_own_retry").await;
        let cut = async |town: Town| {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            town.killed("healthy_by_its_own_retry", ROUTE).await
        };
        town.hears(&alarm("weather-page", "ALARM", ago(50), &[WEATHER])).await;
        town = cut(town).await;
        town = cut(town).await;
        town.comes_to_rest().await;
        town.hears(&alarm("weather-page", "OK", ago(20), &[WEATHER])).await;
        town = cut(town).await;
        town = cut(town).await;
        town.reads("Alarm weather-page is OK again, and rotation succeeded: resolved").await;
        town.comes_to_rest().await;
        let called = town.slack.replies().iter().filter(|shown| shown.message.mention.is_some()).count();
        assert_eq!((town.threads().len(), called), (1, 1), "{steps}: {:?}", titles(&town));
        assert_eq!(town.state_of(&town.slack.roots()[0]).await, "recovered", "{steps}");
        let over = titles(&town).iter().filter(|title| title.contains("rotation succeeded: resolved")).count();
        assert_eq!(over, 1, "{steps}: {:?}", titles(&town));
    }
}

#[tokio::test]
async fn an_incident_of_aws_during_which_nothing_failed_opens_nothing() {
    let incident = |status: &str| {
        json!({
            "source": "aws.health", "detail-type": "AWS Health Event", "account": "123456789012", "region": "eu-west-1",
            "time": ago(3).to_string(), "detail": {
                "eventArn": "arn:aws:health:eu-west-1::event/LAMBDA/AWS_LAMBDA_OPERATIONAL_ISSUE/1", "service": "LAMBDA",
                "eventTypeCode": "AWS_LAMBDA_OPERATIONAL_ISSUE", "eventTypeCategory": "issue", "eventScopeCode": "PUBLIC",
                "statusCode": status, "affectedAccount": "123456789012", "eventRegion": "eu-west-1", "affectedEntities": []
            }
        })
    };
    let town = Town::new("healthy").await;
    town.hears(&incident("open")).await;
    town.settles().await;
    town.hears(&incident("closed")).await;
    town.comes_to_rest().await;
    assert_eq!(town.slack.shown().len(), 0);
    let audit = town.world.audit().await;
    assert!(audit.iter().any(|(_, did, _)| did == "ignored an incident of AWS"), "{audit:?}");
}
