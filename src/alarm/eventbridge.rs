//! Events that EventBridge forwards: CloudWatch's state changes, rotation's own events, AWS Health, checks of AWS Config and
//! Security Hub.

use super::change::{StateChange, basis, place_in, series};
use super::cloudwatch::{AlarmMetrics, add_children, moment, state};
use super::json::{objects, text};
use super::{check, health, rotation_event, security_hub};
use crate::model::{Alarm, AlarmSource};
use serde_json::Value;

/// The types of Security Hub's events that carry findings. Source: Security Hub User Guide, "EventBridge event types".
const FINDINGS: [&str; 3] = ["Security Hub Findings - Imported", "Security Hub Findings - Custom Action", "Findings Imported V2"];

/// Reads an event by its source and type.
pub(super) fn read(event: &Value) -> Result<Alarm, &'static str> {
    let detail = event.get("detail").filter(|detail| detail.is_object()).ok_or("it is from EventBridge, but without a detail")?;
    match (text(event, "source"), text(event, "detail-type")) {
        (Some("aws.cloudwatch"), Some("CloudWatch Alarm State Change" | "CloudWatch Alarm Contributor State Change")) => {
            read_state_change(event, detail)
        }
        (Some("aws.secretsmanager"), Some("AWS Service Event via CloudTrail")) => rotation_event::read(detail),
        (Some("aws.secretsmanager"), Some("Secret Label Updated")) => rotation_event::read_label(event, detail),
        (Some("aws.health"), Some("AWS Health Event")) => health::read(event, detail),
        (Some("aws.config"), Some("Config Rules Compliance Change")) => check::read(detail, Some(event)),
        (Some("aws.securityhub"), Some(kind)) if FINDINGS.contains(&kind) => security_hub::read(detail, Some(event)),
        _ => Err("it is from EventBridge, but no event that tells of alarms, rotation or health"),
    }
}

/// Source: CloudWatch User Guide, "Alarm events and EventBridge".
fn read_state_change(event: &Value, detail: &Value) -> Result<Alarm, &'static str> {
    let name = text(detail, "alarmName").ok_or("it is a state change, but without the alarm's name")?;
    let new = detail.get("state").unwrap_or(&Value::Null);
    let contributor = detail.get("alarmContributor");
    let state = text(new, "value").and_then(state).ok_or("it is a state change, but its state is unknown")?;
    let state_at = text(new, "timestamp").or_else(|| text(event, "time")).ok_or("it is a state change, but without its time")?;
    let state_at = moment(state_at).ok_or("it is a state change, but its time cannot be read")?;
    let account_id = text(event, "account").ok_or("it is from EventBridge, but without the account")?;
    let region = text(event, "region").ok_or("it is from EventBridge, but without the region")?;
    let key = event
        .get("resources")
        .and_then(Value::as_array)
        .and_then(|list| list.first())
        .and_then(Value::as_str)
        .filter(|key| place_in(key).is_some())
        .ok_or("it is a state change, but without the alarm's ARN")?;

    let mut metrics = AlarmMetrics::default();
    let configuration = detail.get("configuration").unwrap_or(&Value::Null);
    for metric in objects(configuration.get("metrics")).filter_map(|item| item.pointer("/metricStat/metric")) {
        metrics.read_metric(text(metric, "namespace"), text(metric, "name"));
        metrics.read_map(metric.get("dimensions"));
    }
    let attributes = contributor.and_then(|contributor| contributor.get("attributes"));
    metrics.read_map(attributes);
    metrics.read_map(detail.get("alarmTags"));
    let description = text(configuration, "description").unwrap_or_default();
    metrics.named.read_text(description);
    let series = series(contributor.and_then(|contributor| text(contributor, "id")), attributes);
    metrics.keep_to(series.as_ref().and(attributes));
    let mut children = Vec::new();
    add_children(&mut children, text(configuration, "alarmRule").unwrap_or_default());

    let reason = text(new, "reason").unwrap_or_default();
    let before = detail.get("previousState").and_then(|before| text(before, "value"));
    let basis = basis(before, reason, text(new, "reasonData"));
    let said = StateChange { state, at: state_at, reason }.by(AlarmSource::CloudWatch, key, name, (account_id, region))?;
    Ok(Alarm { description: description.to_owned(), children, series, basis, ..metrics.of(said) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlarmState, OkBasis};
    use serde_json::json;

    fn state_change() -> Value {
        json!({
            "version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch", "account": "123456789012", "time": "2026-11-25T10:00:01Z", "region": "eu-west-1",
            "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-rotation"],
            "detail": {
                "alarmName": "orders-rotation",
                "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-11-25T10:00:00.000+0000"},
                "previousState": {"value": "OK", "timestamp": "2026-11-24T10:00:00.000+0000"},
                "configuration": {"description": "secret=prod/orders-db", "metrics": [
                    {"id": "m1", "returnData": true, "metricStat": {"period": 60, "stat": "Sum", "metric":
                        {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "orders-rotator"}}}}
                ]}
            }
        })
    }

    #[test]
    fn a_state_change_says_the_same_as_the_alarms_own_notification() {
        let alarm = read(&state_change()).unwrap();
        assert_eq!(alarm.key, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-rotation");
        assert_eq!((alarm.state, alarm.state_at), (AlarmState::Alarm, "2026-11-25T10:00:00Z".parse().unwrap()));
        assert_eq!((alarm.secrets.len(), alarm.functions), (1, vec!["orders-rotator".to_owned()]));
    }

    #[test]
    fn one_series_of_many_and_a_composite_alarm_are_read() {
        let mut event = state_change();
        event["detail-type"] = json!("CloudWatch Alarm Contributor State Change");
        event["detail"]["alarmContributor"] = json!({"id": "0", "attributes": {"FunctionName": "users-rotator"}});
        let one = read(&event).unwrap();
        assert_eq!(one.functions, ["orders-rotator", "users-rotator"]);
        assert_eq!(one.series.as_ref().map(|series| series.name.as_str()), Some("FunctionName=users-rotator"));
        event["detail"]["alarmContributor"] = json!({"id": "1", "attributes": {"SecretId": "prod/users-db"}});
        let other = read(&event).unwrap();
        assert_eq!(other.secrets, ["prod/users-db".parse().unwrap()]);
        assert_ne!(other.identity(), one.identity());
        let mut composite = state_change();
        composite["detail"]["configuration"] = json!({"alarmRule": "ALARM(a) OR ALARM(b)"});
        assert_eq!(read(&composite).unwrap().children, ["a", "b"]);
    }

    #[test]
    fn an_ok_for_want_of_data_says_so() {
        let mut event = state_change();
        event["detail"]["previousState"]["value"] = json!("ALARM");
        event["detail"]["state"]["value"] = json!("OK");
        event["detail"]["state"]["reasonData"] = json!("{\"version\":\"1.0\",\"recentDatapoints\":[0.0]}");
        assert_eq!(read(&event).unwrap().basis, OkBasis::Measured);
        event["detail"]["state"]["reasonData"] = json!("{\"version\":\"1.0\",\"recentDatapoints\":[]}");
        assert_eq!(read(&event).unwrap().basis, OkBasis::NoData);
    }

    /// Source of the event: Secrets Manager User Guide, "Secret Label Updated event".
    #[test]
    fn a_new_current_version_may_be_the_end_of_a_trouble_and_other_labels_are_not() {
        let secret = "arn:aws:secretsmanager:us-west-2:012345678901:secret:mySecret-a1b2c3";
        let label = |label: &str, resources: Value| {
            read(&json!({
                "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Secret Label Updated",
                "source": "aws.secretsmanager", "account": "012345678901", "time": "2024-02-06T16:43:48Z", "region": "us-west-2",
                "resources": resources,
                "detail": {"name": "mySecret", "labelUpdated": label, "versionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"}
            }))
        };
        let alarm = label("AWSCURRENT", json!([secret])).unwrap();
        assert_eq!((alarm.state, alarm.basis, alarm.source), (AlarmState::Ok, OkBasis::NewVersion, AlarmSource::RotationEvent));
        assert_eq!((alarm.key, alarm.secrets[0].as_str()), (format!("rotation:{secret}"), secret));
        assert_eq!((alarm.account_id.as_str(), alarm.region.as_str()), ("012345678901", "us-west-2"));
        assert_eq!(label("blue", json!([secret])), Err("it tells that a label moved, but not one that ends a rotation"));
        assert_eq!(label("AWSCURRENT", json!(["mySecret"])), Err("it tells that a label moved, but without the secret's ARN"));
    }

    #[test]
    fn other_events_are_ignored_with_a_reason() {
        for (source, kind) in [
            ("aws.ec2", "EC2 Instance State-change Notification"),
            ("aws.secretsmanager", "AWS API Call via CloudTrail"),
            ("evil", "CloudWatch Alarm State Change"),
        ] {
            let mut event = state_change();
            event["source"] = json!(source);
            event["detail-type"] = json!(kind);
            assert_eq!(read(&event), Err("it is from EventBridge, but no event that tells of alarms, rotation or health"));
        }
        let mut event = state_change();
        event["resources"] = json!(["storm"]);
        assert_eq!(read(&event), Err("it is a state change, but without the alarm's ARN"));
        event["detail"] = json!("text");
        assert_eq!(read(&event), Err("it is from EventBridge, but without a detail"));
    }
}
