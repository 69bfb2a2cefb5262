//! An alarm on a query that groups: AWS tells of each of its series by itself, with one ARN and one time.

use crate::threads::{Town, ago, alarm, text_of};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What CloudWatch publishes of one series of the alarm of `deploy/alarms.yaml`.
///
/// Source: captures of such notifications in public; CloudWatch User Guide, "Notifying users on alarm changes".
pub(crate) fn contributor(id: &str, secret: &str, state: &str, at: Timestamp, reason: &str) -> Value {
    let mut value = alarm("rotations", state, at, &[]);
    value["NewStateReason"] = json!(reason);
    value["OldStateValue"] = json!(if state == "ALARM" { "OK" } else { "ALARM" });
    value["ActionExecutedAfterMuteWindow"] = json!(false);
    value["AlarmContributorId"] = json!(id);
    value["AlarmContributorAttributes"] = json!({"SecretId": secret});
    value["Trigger"] = json!({"Period": 300, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0,
        "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": "", "Metrics": [
            {"Expression": "SELECT SUM(RotationFailed) FROM SCHEMA(RotationDiag, SecretId) GROUP BY SecretId ORDER BY SUM() DESC",
             "Id": "failed", "ReturnData": true, "Period": 300}]});
    value
}

const CROSSED: &str = "Threshold Crossed: 1 out of the last 1 datapoints was greater than the threshold (0.0).";
const BELOW: &str = "Threshold Crossed: 1 datapoint [0.0 (25/11/26 09:55:00)] was not greater than the threshold (0.0).";
const SECOND: &str = "[[secret]]\nname = \"prod/users-db\"\nfunction = \"orders-rotator\"\n";

#[tokio::test]
async fn each_series_of_an_alarm_is_told_though_all_come_at_one_time() {
    let town = Town::with("role_detached_policy", SECOND, crate::threads::ROUTE).await;
    let at = ago(5);
    let all = [("a29eb44b20c4362e", "prod/orders-db"), ("6d442278dba546f6", "prod/users-db"), ("0123456789abcdef", "prod/none")];
    for (id, secret) in all {
        town.hears(&contributor(id, secret, "ALARM", at, CROSSED)).await;
    }
    town.comes_to_rest().await;
    for (_, secret) in all {
        let told = town.reads(&format!("Alarm rotations (SecretId={secret}) went to ALARM")).await;
        let root = town.slack.roots().into_iter().find(|root| Some(&root.id) == told.root.as_ref()).unwrap();
        assert!(root.title().contains(secret), "{secret}: {}", root.title());
    }
    assert_eq!(town.threads().len(), 3, "{:?}", town.threads());

    // The same change again, as SNS may deliver it, is known.
    let before = town.slack.shown().len();
    for (id, secret) in all {
        town.hears(&contributor(id, secret, "ALARM", at, CROSSED)).await;
    }
    town.comes_to_rest().await;
    assert_eq!(town.slack.shown().len(), before);
}

#[tokio::test]
async fn a_series_that_is_over_closes_only_itself_and_the_alarm_as_a_whole_closes_all() {
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&contributor("1", "prod/weather-db", "ALARM", ago(50), CROSSED)).await;
    town.hears(&contributor("2", "prod/none", "ALARM", ago(50), CROSSED)).await;
    town.comes_to_rest().await;
    town.hears(&contributor("1", "prod/weather-db", "OK", ago(20), BELOW)).await;
    let told = town.reads("Alarm rotations (SecretId=prod/weather-db) is OK again, and rotation succeeded: resolved").await;
    town.comes_to_rest().await;
    for root in town.slack.roots() {
        let expected = if Some(&root.id) == told.root.as_ref() { "recovered" } else { "open" };
        assert_eq!(town.state_of(&root).await, expected, "{}", root.title());
    }
    let said = |words: &str| town.slack.replies().iter().filter(|shown| shown.title().contains(words)).count();
    assert_eq!(said("is OK again"), 2, "the series that is open is not OK");

    town.hears(&alarm("rotations", "OK", ago(10), &[])).await;
    town.reads("Alarm rotations is OK again, but rotation has not succeeded since").await;
    town.comes_to_rest().await;
    assert_eq!(said("Alarm rotations is OK again, but"), 1, "the thread that is closed hears no more");
}

#[tokio::test]
async fn a_series_without_attributes_is_told_without_brackets() {
    let town = Town::new("role_detached_policy").await;
    let mut value = contributor("1", "x", "ALARM", ago(5), CROSSED);
    value["AlarmContributorAttributes"] = json!({});
    value["AlarmDescription"] = json!("secret=prod/orders-db");
    town.hears(&value).await;
    town.reads("Alarm rotations went to ALARM").await;
}

#[tokio::test]
async fn a_series_that_vanishes_says_nothing_of_the_rotation() {
    let town = Town::new("role_detached_policy").await;
    town.hears(&contributor("1", "prod/orders-db", "ALARM", ago(50), CROSSED)).await;
    town.comes_to_rest().await;
    let looks = town.world.accounts.calls_of("DescribeSecret");
    town.hears(&contributor("1", "prod/orders-db", "OK", ago(40), "No data was returned for this contributor")).await;
    town.comes_to_rest().await;
    town.hears(&alarm("rotations", "OK", ago(40), &[])).await;
    town.reads("Alarm rotations is OK again").await;
    town.comes_to_rest().await;
    assert_eq!(town.world.accounts.calls_of("DescribeSecret"), looks, "nothing was looked at");
    assert!(town.slack.replies().iter().all(|shown| !shown.title().contains("rotation has not succeeded")));
    assert_eq!(town.state_of(&town.slack.roots()[0]).await, "open");
}

#[tokio::test]
async fn the_event_of_the_alarm_as_a_whole_adds_no_thread_to_those_of_its_series() {
    let town = Town::with("role_detached_policy", SECOND, crate::threads::ROUTE).await;
    // At the time of the failures that the trail shows.
    let at = ago(5 * 60);
    town.hears(&contributor("1", "prod/orders-db", "ALARM", at, CROSSED)).await;
    town.comes_to_rest().await;
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    town.hears(&json!({
        "version": "0", "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch", "account": "123456789012",
        "time": at.to_string(), "region": "eu-west-1", "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:rotations"],
        "detail": {"alarmName": "rotations", "state": {"value": "ALARM", "reason": "1 out of 1 time series evaluated to ALARM",
            "reasonData": "{\"version\":\"1.0\"}", "timestamp": seconds},
            "previousState": {"value": "OK"}, "configuration": {"metrics": []}}
    }))
    .await;
    town.comes_to_rest().await;
    assert_eq!(town.threads().len(), 1, "{:?}", town.threads());
    assert!(text_of(&town.slack.roots()[0]).contains("prod/orders-db"));
}
