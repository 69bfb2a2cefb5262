//! CloudWatch's own notification: metric alarms, metric math, several series, composite alarms.
//!
//! Source: CloudWatch User Guide, "Notifying users on alarm changes"; shapes of public notifications.

use super::change::{StateChange, basis, place_in, series};
use super::json::{objects, text};
use super::named::NamedSecrets;
use super::neutral::neutral;
use crate::config::Topic;
use crate::model::{Alarm, AlarmSource, AlarmState};
use crate::redact::looks_like_a_value;
use jiff::Timestamp;
use serde_json::Value;

/// Children read from a composite alarm at most.
///
/// Source: CloudWatch API reference, `PutCompositeAlarm`: a rule names at most 100 alarms.
const MAX_CHILDREN: usize = 100;

/// The longest name of an alarm, in characters.
///
/// Source: CloudWatch API reference, `PutMetricAlarm`, parameter `AlarmName`.
const MAX_NAME: usize = 255;

/// Remarks about one alarm's metrics at most.
const MAX_REMARKS: usize = 5;

/// Reads a notification of CloudWatch.
pub(super) fn read(value: &Value, topic: &Topic) -> Result<Alarm, &'static str> {
    let name = text(value, "AlarmName").ok_or("it is from CloudWatch, but without the alarm's name")?;
    let state = text(value, "NewStateValue").and_then(state).ok_or("it is from CloudWatch, but its state is unknown")?;
    let state_at = text(value, "StateChangeTime").ok_or("it is from CloudWatch, but without the time of the change")?;
    let state_at = moment(state_at).ok_or("it is from CloudWatch, but the time of the change cannot be read")?;
    let account_id = text(value, "AWSAccountId").ok_or("it is from CloudWatch, but without the account")?;
    // The notification has the region's name for people; the alarm's ARN has its id, and so has the topic: an alarm can
    // only notify a topic of its own region.
    let arn = text(value, "AlarmArn").and_then(|arn| Some((arn, place_in(arn)?)));
    let region = arn.map_or_else(|| topic.arn().region(), |(_, (_, region))| region);
    let partition = topic.arn().partition();
    let key = arn.map_or_else(
        || format!("arn:{partition}:cloudwatch:{region}:{account_id}:alarm:{}", neutral(name, "")),
        |(arn, _)| arn.to_owned(),
    );

    let mut metrics = AlarmMetrics::default();
    if let Some(trigger) = value.get("Trigger") {
        metrics.read_metric(text(trigger, "Namespace"), text(trigger, "MetricName"));
        metrics.read_list(trigger.get("Dimensions"));
        for metric in objects(trigger.get("Metrics")) {
            if let Some(metric) = metric.pointer("/MetricStat/Metric") {
                metrics.read_metric(text(metric, "Namespace"), text(metric, "MetricName"));
                metrics.read_list(metric.get("Dimensions"));
            }
        }
    }
    let attributes = ["AlarmContributorAttributes", "ContributorAttributes"].iter().find_map(|key| value.get(*key));
    metrics.read_map(attributes);
    metrics.read_map(value.get("AlarmTags"));
    metrics.read_list(value.get("AlarmTags"));
    let description = text(value, "AlarmDescription").unwrap_or_default();
    metrics.named.read_text(description);
    let series = series(text(value, "AlarmContributorId"), attributes);
    metrics.keep_to(series.as_ref().and(attributes));

    let triggering = objects(value.get("TriggeringChildren")).filter_map(|child| text(child, "Arn"));
    let mut children: Vec<String> = triggering.filter(|arn| is_short(arn)).take(MAX_CHILDREN).map(str::to_owned).collect();
    add_children(&mut children, text(value, "AlarmRule").unwrap_or_default());

    let reason = text(value, "NewStateReason").unwrap_or_default();
    let basis =
        basis(text(value, "OldStateValue"), reason, text(value, "NewStateReasonData").or_else(|| text(value, "StateReasonData")));
    let said = StateChange { state, at: state_at, reason }.by(AlarmSource::CloudWatch, &key, name, (account_id, region))?;
    Ok(Alarm { description: description.to_owned(), children, series, basis, ..metrics.of(said) })
}

/// The metrics an alarm rests on: what their dimensions name, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct AlarmMetrics {
    pub(super) named: NamedSecrets,
    pub(super) remarks: Vec<String>,
}

impl AlarmMetrics {
    /// Secrets Manager publishes a single metric, so an alarm on another never fires by itself.
    ///
    /// Source: Secrets Manager User Guide, "Monitor with CloudWatch": `ResourceCount` alone.
    pub(super) fn read_metric(&mut self, namespace: Option<&str>, name: Option<&str>) {
        if let (Some("AWS/SecretsManager"), Some(name)) = (namespace, name)
            && name != "ResourceCount"
        {
            let name: String = neutral(name, "").chars().take(80).collect();
            let remark = format!(
                "the alarm rests on the metric AWS/SecretsManager {name}, which AWS does not publish: it fires only where something \
                 of yours publishes it; an EventBridge rule or a metric filter on RotationFailed works"
            );
            if self.remarks.len() < MAX_REMARKS && !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }

    /// `[{"name": …, "value": …}]`, in either case.
    pub(super) fn read_list(&mut self, list: Option<&Value>) {
        for item in objects(list) {
            let field = |lower, upper| text(item, lower).or_else(|| text(item, upper));
            let name = field("name", "Name").or_else(|| field("key", "Key"));
            if let (Some(name), Some(value)) = (name, field("value", "Value")) {
                self.named.read_pair(name, value);
            }
        }
    }

    /// Where the attributes of a series name its secrets, it is about no others, whatever the alarm's description says.
    pub(super) fn keep_to(&mut self, attributes: Option<&Value>) {
        let mut own = AlarmMetrics::default();
        own.read_map(attributes);
        if !own.named.secrets.is_empty() {
            self.named.secrets = own.named.secrets;
        }
    }

    /// The alarm that rests on them.
    pub(super) fn of(self, alarm: Alarm) -> Alarm {
        Alarm { remarks: self.remarks, ..self.named.of(alarm) }
    }

    /// `{"name": "value"}`.
    pub(super) fn read_map(&mut self, map: Option<&Value>) {
        for (name, value) in map.and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = value.as_str() {
                self.named.read_pair(name, value);
            }
        }
    }
}

/// The alarms that a composite alarm's rule names: `ALARM("name")`, `OK(arn)`, …
pub(super) fn add_children(children: &mut Vec<String>, rule: &str) {
    let mut rest = rule;
    while children.len() < MAX_CHILDREN
        && let Some((function, behind)) = rest.split_once('(')
    {
        rest = behind;
        if !["ALARM", "OK", "INSUFFICIENT_DATA"].iter().any(|name| function.trim_end().ends_with(name)) {
            continue;
        }
        let quoted = behind.trim_start().strip_prefix('"').and_then(|text| text.split_once('"'));
        let Some((name, behind)) = quoted.or_else(|| behind.split_once(')')) else { break };
        rest = behind;
        let name = name.trim();
        let is_known = children.iter().any(|child| child == name || child.ends_with(&format!(":alarm:{name}")));
        let is_value = !name.starts_with("arn:") && looks_like_a_value(name);
        if !name.is_empty() && is_short(name) && !is_known && !is_value {
            children.push(name.to_owned());
        }
    }
}

/// False for what is too long to be an alarm's name or ARN; CloudWatch would refuse the names asked for beside it too.
fn is_short(alarm: &str) -> bool {
    alarm.split_once(":alarm:").map_or(alarm, |(_, name)| name).chars().count() <= MAX_NAME
}

/// A state by its name.
pub(super) fn state(name: &str) -> Option<AlarmState> {
    match name {
        "ALARM" => Some(AlarmState::Alarm),
        "OK" => Some(AlarmState::Ok),
        "INSUFFICIENT_DATA" => Some(AlarmState::InsufficientData),
        _ => None,
    }
}

/// CloudWatch writes `2026-11-25T10:00:00.000+0000`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OkBasis;
    use serde_json::json;

    fn metric() -> Value {
        json!({
            "AlarmName": "orders-rotation",
            "AlarmDescription": "rotation of the orders database",
            "AWSAccountId": "123456789012",
            "NewStateValue": "ALARM",
            "NewStateReason": "Threshold Crossed: 1 datapoint [1.0 (25/11/26 09:55:00)] was greater than the threshold (0.0).",
            "StateChangeTime": "2026-11-25T10:00:00.123+0000",
            "Region": "EU (Ireland)",
            "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-rotation",
            "OldStateValue": "OK",
            "OKActions": [],
            "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:alarms"],
            "Trigger": {
                "MetricName": "Errors", "Namespace": "AWS/Lambda", "StatisticType": "Statistic", "Statistic": "SUM",
                "Unit": null, "Dimensions": [{"value": "orders-rotator", "name": "FunctionName"}], "Period": 60,
                "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0.0
            }
        })
    }

    fn read_it(value: &Value) -> Result<Alarm, &'static str> {
        read(value, &Topic::parse("arn:aws:sns:eu-west-1:123456789012:alarms").unwrap())
    }

    #[test]
    fn a_metric_alarm_says_where_it_is_and_names_its_function() {
        let alarm = read_it(&metric()).unwrap();
        assert_eq!(alarm.key, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-rotation");
        assert_eq!((alarm.account_id.as_str(), alarm.region.as_str()), ("123456789012", "eu-west-1"));
        assert_eq!((alarm.state, alarm.state_at), (AlarmState::Alarm, "2026-11-25T10:00:00.123Z".parse().unwrap()));
        assert_eq!((alarm.functions, alarm.secrets, alarm.remarks), (vec!["orders-rotator".to_owned()], vec![], vec![]));
    }

    #[test]
    fn without_its_arn_it_is_of_the_topics_region() {
        let mut value = metric();
        value.as_object_mut().unwrap().remove("AlarmArn");
        assert_eq!(read_it(&value).unwrap().key, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-rotation");
    }

    #[test]
    fn metric_math_several_series_and_tags_are_read() {
        let mut value = metric();
        value["Trigger"] = json!({"Period": 60, "Metrics": [
            {"Expression": "m1+m2", "Id": "e1", "ReturnData": true},
            {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "Rotation", "MetricName": "Failed",
                "Dimensions": [{"name": "SecretId", "value": "prod/orders-db"}]}, "Period": 60, "Stat": "Sum"}},
            {"Id": "m2", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors",
                "Dimensions": [{"name": "FunctionName", "value": "orders-rotator"}]}, "Period": 60, "Stat": "Sum"}},
        ]});
        value["AlarmContributorAttributes"] = json!({"FunctionName": "users-rotator"});
        value["AlarmTags"] = json!([{"Key": "secret", "Value": "prod/users-db"}]);
        let alarm = read_it(&value).unwrap();
        assert_eq!(alarm.secrets, ["prod/orders-db".parse().unwrap(), "prod/users-db".parse().unwrap()]);
        assert_eq!(alarm.functions, ["orders-rotator", "users-rotator"]);
    }

    /// Source of the shape: CloudWatch User Guide, "Alarm events and EventBridge" and "Notifying users on alarm changes"; public
    /// captures of what a query with `GROUP BY` sends.
    #[test]
    fn each_series_of_a_query_is_an_alarm_of_its_own_about_its_own_secret() {
        let contributor = |id: &str, secret: &str| {
            let mut value = metric();
            value["Trigger"] = json!({"Period": 300, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 0.0, "TreatMissingData": "notBreaching", "EvaluateLowSampleCountPercentile": "", "Metrics": [
                {"Expression": "SELECT SUM(RotationFailed) FROM SCHEMA(RotationDiag, SecretId) GROUP BY SecretId ORDER BY SUM() DESC",
                 "Id": "failed", "ReturnData": true, "Period": 300}]});
            value["AlarmDescription"] = json!("see also secret=prod/other");
            value["ActionExecutedAfterMuteWindow"] = json!(false);
            value["AlarmContributorId"] = json!(id);
            value["AlarmContributorAttributes"] = json!({"SecretId": secret});
            read_it(&value).unwrap()
        };
        let (one, two) = (contributor("a29eb44b20c4362e", "prod/orders-db"), contributor("6d442278dba546f6", "prod/users-db"));
        assert_eq!((&one.key, one.state_at), (&two.key, two.state_at));
        assert_ne!(one.identity(), two.identity());
        assert_eq!(one.secrets, ["prod/orders-db".parse().unwrap()]);
        assert_eq!(two.series.as_ref().map(|series| series.name.as_str()), Some("SecretId=prod/users-db"));
        let whole = read_it(&metric()).unwrap();
        assert!(whole.has_series(&one.identity()) && !whole.has_series(&whole.identity()) && !one.has_series(&two.identity()));
    }

    #[test]
    fn an_ok_says_what_it_rests_on() {
        let mut value = metric();
        value["NewStateValue"] = json!("OK");
        value["OldStateValue"] = json!("ALARM");
        value["NewStateReason"] = json!("Threshold Crossed: 1 datapoint [0.0] was not greater than the threshold (0.0).");
        assert_eq!(read_it(&value).unwrap().basis, OkBasis::Measured);
        value["NewStateReason"] = json!(
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching]."
        );
        assert_eq!(read_it(&value).unwrap().basis, OkBasis::NoData);
    }

    #[test]
    fn a_composite_alarm_names_its_children_those_that_set_it_off_first() {
        let mut value = metric();
        value.as_object_mut().unwrap().remove("Trigger");
        value["AlarmRule"] =
            json!("(ALARM(\"a (b)\") OR ALARM(c)) AND NOT OK(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:d)");
        value["TriggeringChildren"] =
            json!([{"Arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:c", "State": {"Value": "ALARM"}}]);
        let alarm = read_it(&value).unwrap();
        let arn = |name: &str| format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}");
        assert_eq!(alarm.children, [arn("c"), "a (b)".to_owned(), arn("d")]);
    }

    #[test]
    fn a_metric_that_does_not_exist_is_remarked() {
        let mut value = metric();
        value["Trigger"] = json!({"MetricName": "RotationFailed", "Namespace": "AWS/SecretsManager", "Dimensions": []});
        let remarks = read_it(&value).unwrap().remarks;
        assert!(remarks[0].contains("AWS/SecretsManager RotationFailed, which AWS does not publish"), "{remarks:?}");
        value["Trigger"]["MetricName"] = json!("ResourceCount");
        assert!(read_it(&value).unwrap().remarks.is_empty());
    }

    #[test]
    fn what_is_missing_or_unknown_is_told() {
        for (key, replaced, expected) in [
            ("AlarmName", Value::Null, "without the alarm's name"),
            ("NewStateValue", json!("PANIC"), "its state is unknown"),
            ("NewStateValue", json!(["ALARM"]), "its state is unknown"),
            ("StateChangeTime", Value::Null, "without the time of the change"),
            ("StateChangeTime", json!("yesterday"), "the time of the change cannot be read"),
            ("StateChangeTime", json!("9999-12-31T23:59:59.000+0000"), "the time of the change cannot be read"),
            ("AWSAccountId", json!(123), "without the account"),
        ] {
            let mut value = metric();
            value[key] = replaced;
            let error = read_it(&value).unwrap_err();
            assert!(error.contains(expected), "{key}: {error}");
        }
        let mut more = metric();
        more["Unheard"] = json!({"of": [1, 2]});
        more["Trigger"]["Dimensions"] = json!("none");
        assert!(read_it(&more).is_ok());
    }

    #[test]
    fn a_value_in_a_names_place_is_kept_nowhere() {
        let secret = "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE";
        let mut value = metric();
        value.as_object_mut().unwrap().remove("AlarmArn");
        value["AlarmName"] = json!(secret);
        value["AlarmRule"] = json!(format!("ALARM({secret}) OR ALARM(b)"));
        value["Trigger"]["Namespace"] = json!("AWS/SecretsManager");
        value["Trigger"]["MetricName"] = json!(secret);
        value["Trigger"]["Dimensions"] =
            json!([{"name": "FunctionName", "value": secret}, {"name": "SecretId", "value": secret}]);
        value["AlarmContributorAttributes"] = json!({"SecretId": secret});
        let alarm = read_it(&value).unwrap();
        assert_eq!(alarm.children, ["b"]);
        assert!(!serde_json::to_string(&alarm).unwrap().contains(secret), "{alarm:?}");
    }

    #[test]
    fn an_alarms_name_may_hold_spaces() {
        let mut value = metric();
        value["AlarmArn"] = json!("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders rotation");
        let alarm = read_it(&value).unwrap();
        assert_eq!((alarm.region.as_str(), alarm.key.as_str()), ("eu-central-1", value["AlarmArn"].as_str().unwrap()));
    }

    #[test]
    fn a_composite_alarm_as_large_as_a_message_may_be_is_read_up_to_a_bound() {
        let mut value = metric();
        let names: Vec<String> = (0..12_000).map(|n| format!("ALARM(\"child-{n}\")")).collect();
        value["AlarmRule"] = json!(names.join(" OR "));
        let long = format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{}", "x".repeat(256));
        value["TriggeringChildren"] = json!([{"Arn": long}, {"Arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:child-7"}]);
        let children = read_it(&value).unwrap().children;
        assert_eq!(children.len(), MAX_CHILDREN);
        assert!(children[0].ends_with(":child-7") && children.iter().all(|child| !child.contains("xx")));

        let metrics: Vec<Value> = (0..1_000)
            .map(|n| json!({"MetricStat": {"Metric": {"Namespace": "AWS/SecretsManager", "MetricName": format!("m{n}")}}}))
            .collect();
        value["Trigger"] = json!({"Metrics": metrics});
        assert_eq!(read_it(&value).unwrap().remarks.len(), MAX_REMARKS);
    }

    #[test]
    fn a_hostile_rule_ends() {
        let mut children = Vec::new();
        add_children(&mut children, &"ALARM(".repeat(10_000));
        add_children(&mut children, &"ALARM(\"".repeat(10_000));
        let many: String = (0..500).map(|n| format!("ALARM(a{n}) OR ")).collect();
        add_children(&mut children, &many);
        assert!(children.len() <= MAX_CHILDREN, "{}", children.len());
    }
}
