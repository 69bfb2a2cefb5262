//! What alarms are asked of AWS: CloudWatch for the alarms themselves, CloudTrail and Secrets Manager for what they mean.

use super::{Aws, AwsCaller};
use crate::model::{AccountId, Observation, Window};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, Dimension, MetricAlarm, StateValue};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

/// Alarms one request may name.
///
/// Source: CloudWatch API reference, `DescribeAlarms`, parameter `AlarmNames`.
const MAX_NAMES: usize = 100;

/// Pages of alarms, of secrets and of events that are read at most; a page holds 100, 100 and 50.
const MAX_PAGES: usize = 20;

/// An alarm, as CloudWatch describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedAlarm {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) description: String,
    /// Of all its metrics.
    pub(crate) dimensions: Vec<(String, String)>,
    /// Namespace and name of its metrics.
    pub(crate) metrics: Vec<(String, String)>,
    /// What a composite alarm is made of.
    pub(crate) rule: String,
    pub(crate) state_at: Option<Timestamp>,
    pub(crate) reason: String,
    /// The ARNs it notifies when it goes to ALARM.
    pub(crate) notifies: Vec<String>,
}

/// A secret and the function that rotates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedSecret {
    pub(crate) arn: String,
    pub(crate) function_arn: Option<String>,
}

impl Aws {
    /// The tags of an alarm.
    pub(crate) async fn alarm_tags(&self, caller: &AwsCaller, arn: &str) -> Observation<Vec<(String, String)>> {
        let request = self.cloudwatch.list_tags_for_resource().resource_arn(arn).send();
        caller.call("cloudwatch:ListTagsForResource", arn, request).await.map(|output| {
            let tags = output.tags.unwrap_or_default().into_iter();
            tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect()
        })
    }

    /// The alarms with these names, at most a hundred of them.
    pub(crate) async fn alarms_named(&self, caller: &AwsCaller, names: &[String]) -> Observation<Vec<DescribedAlarm>> {
        let request = self
            .cloudwatch
            .describe_alarms()
            .set_alarm_names(Some(names.iter().take(MAX_NAMES).cloned().collect()))
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .send();
        caller
            .call("cloudwatch:DescribeAlarms", "*", request)
            .await
            .map(|output| described(output.metric_alarms, output.composite_alarms))
    }

    /// The alarms that are in state ALARM.
    pub(crate) async fn alarms_in_alarm(&self, caller: &AwsCaller) -> Observation<Vec<DescribedAlarm>> {
        let (mut alarms, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = self
                .cloudwatch
                .describe_alarms()
                .state_value(StateValue::Alarm)
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .max_records(100)
                .set_next_token(token)
                .send();
            let page = match caller.call("cloudwatch:DescribeAlarms", "*", request).await {
                Observation::Found(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            alarms.extend(described(page.metric_alarms, page.composite_alarms));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Observation::Found(alarms)
    }

    /// The secrets of the region, with the functions that rotate them.
    pub(crate) async fn secrets_and_functions(&self, caller: &AwsCaller) -> Observation<Vec<ListedSecret>> {
        let (mut secrets, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = self.secretsmanager.list_secrets().max_results(100).set_next_token(token).send();
            let page = match caller.call("secretsmanager:ListSecrets", "*", request).await {
                Observation::Found(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            let entries = page.secret_list.unwrap_or_default().into_iter();
            secrets.extend(
                entries.filter_map(|entry| Some(ListedSecret { arn: entry.arn?, function_arn: entry.rotation_lambda_arn })),
            );
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Observation::Found(secrets)
    }

    /// CloudTrail's records of the events with these names in the log group of a trail, the oldest first. A metric filter
    /// counts there, so what set its alarm off is there already, while event history shows it some minutes later.
    pub(crate) async fn logged_trail_records(
        &self,
        caller: &AwsCaller,
        account_id: &AccountId,
        names: &[&str],
        window: Window,
    ) -> Observation<Vec<Value>> {
        let groups = match self.trail_groups(caller).await {
            Observation::Found(groups) => groups,
            other => return other.map(|_| Vec::new()),
        };
        let Some(group) = groups.into_iter().find(|group| group.arn.account_id() == *account_id) else {
            return Observation::NotApplicable { because: "no trail writes to a log group of the account".to_owned() };
        };
        let terms: Vec<String> = names.iter().map(|name| format!("($.eventName={name})")).collect();
        let pattern = format!("{{{}}}", terms.join("||"));
        let client = self.logs_in(group.arn.region());
        let (mut records, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let request = client
                .filter_log_events()
                .log_group_name(&group.name)
                .filter_pattern(&pattern)
                .start_time(window.from.as_millisecond())
                .end_time(window.to.as_millisecond())
                .set_next_token(token)
                .send();
            let caller = caller.in_region(group.arn.region());
            let page = match caller.call("logs:FilterLogEvents", &format!("log group {}", group.name), request).await {
                Observation::Found(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            let events = page.events.unwrap_or_default().into_iter();
            records.extend(events.filter_map(|event| serde_json::from_str(event.message.as_deref()?).ok()));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Observation::Found(records)
    }

    /// CloudTrail's records of the events with this name in the event history, newest first.
    pub(crate) async fn trail_records(&self, caller: &AwsCaller, name: &str, window: Window) -> Observation<Vec<Value>> {
        let (mut records, mut token) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            if caller.within_deadline(self.shared().lookup_events.acquire()).await.is_none() {
                return Observation::Throttled { call: "cloudtrail:LookupEvents".to_owned() };
            }
            let attribute =
                LookupAttribute::builder().attribute_key(LookupAttributeKey::EventName).attribute_value(name).build().ok();
            let request = self
                .cloudtrail
                .lookup_events()
                .set_lookup_attributes(attribute.map(|attribute| vec![attribute]))
                .start_time(DateTime::from_secs(window.from.as_second()))
                .end_time(DateTime::from_secs(window.to.as_second()))
                .max_results(50)
                .set_next_token(token)
                .send();
            let page = match caller.call("cloudtrail:LookupEvents", "*", request).await {
                Observation::Found(page) => page,
                other => return other.map(|_| Vec::new()),
            };
            let events = page.events.unwrap_or_default().into_iter();
            records.extend(events.filter_map(|event| serde_json::from_str(event.cloud_trail_event.as_deref()?).ok()));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Observation::Found(records)
    }
}

fn described(metric: Option<Vec<MetricAlarm>>, composite: Option<Vec<CompositeAlarm>>) -> Vec<DescribedAlarm> {
    let metric = metric.unwrap_or_default().into_iter().filter_map(of_metric);
    let composite = composite.unwrap_or_default().into_iter().filter_map(of_composite);
    metric.chain(composite).collect()
}

fn of_metric(alarm: MetricAlarm) -> Option<DescribedAlarm> {
    let mut metrics = Vec::new();
    let mut dimensions: Vec<(String, String)> = alarm.dimensions.iter().flatten().filter_map(pair).collect();
    metrics.extend(alarm.namespace.zip(alarm.metric_name));
    for metric in alarm.metrics.into_iter().flatten().filter_map(|query| query.metric_stat?.metric) {
        dimensions.extend(metric.dimensions.iter().flatten().filter_map(pair));
        metrics.extend(metric.namespace.zip(metric.metric_name));
    }
    Some(DescribedAlarm {
        name: alarm.alarm_name?,
        arn: alarm.alarm_arn?,
        description: alarm.alarm_description.unwrap_or_default(),
        dimensions,
        metrics,
        rule: String::new(),
        state_at: alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp).as_ref().and_then(moment),
        notifies: alarm.alarm_actions.unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
    })
}

fn of_composite(alarm: CompositeAlarm) -> Option<DescribedAlarm> {
    Some(DescribedAlarm {
        name: alarm.alarm_name?,
        arn: alarm.alarm_arn?,
        description: alarm.alarm_description.unwrap_or_default(),
        dimensions: Vec::new(),
        metrics: Vec::new(),
        rule: alarm.alarm_rule.unwrap_or_default(),
        state_at: alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp).as_ref().and_then(moment),
        notifies: alarm.alarm_actions.unwrap_or_default(),
        reason: alarm.state_reason.unwrap_or_default(),
    })
}

fn pair(dimension: &Dimension) -> Option<(String, String)> {
    Some((dimension.name.clone()?, dimension.value.clone()?))
}

fn moment(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.to_millis().ok()?).ok()
}
