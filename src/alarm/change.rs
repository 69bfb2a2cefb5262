//! What every source of alarms says: that something went to a state.

use super::named::NamedSecrets;
use super::neutral::neutral;
use crate::model::{Alarm, AlarmSeries, AlarmSource, AlarmState, OkBasis};
use crate::redact::{SafeText, looks_like_a_value};
use jiff::Timestamp;
use serde_json::Value;

/// The longest id of a series, in characters; CloudWatch's have 16.
///
/// Source: CloudWatch API reference, `AlarmContributor`: `ContributorId` has at most 16 characters, and had 1 024 before.
const MAX_ID: usize = 1_024;

/// The longest name of a series that is kept, in characters.
const MAX_SERIES: usize = 255;

/// Why an alarm is of no use whose place cannot be asked.
pub(super) const ELSEWHERE: &str = "its account or region is not one of AWS";

/// A change of an alarm's state.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateChange<'a> {
    pub(super) state: AlarmState,
    pub(super) at: Timestamp,
    pub(super) reason: &'a str,
}

impl StateChange<'_> {
    /// The alarm that says so, of the account and region in `place`; whoever reads its source fills in what more there is.
    pub(super) fn by(self, source: AlarmSource, key: &str, title: &str, place: (&str, &str)) -> Result<Alarm, &'static str> {
        let (account_id, region) = place;
        Ok(Alarm {
            source,
            key: key.to_owned(),
            series: None,
            title: neutral(title, arn_in(key)),
            account_id: account_id.parse().map_err(|_| ELSEWHERE)?,
            region: region.parse().map_err(|_| ELSEWHERE)?,
            state: self.state,
            basis: OkBasis::default(),
            state_at: self.at,
            reason: self.reason.to_owned(),
            description: String::new(),
            secrets: Vec::new(),
            functions: Vec::new(),
            children: Vec::new(),
            remarks: Vec::new(),
            topic: None,
        })
    }
}

/// The series that a notification tells of, by its id and its attributes. `None` where it is about the whole alarm.
pub(super) fn series(id: Option<&str>, attributes: Option<&Value>) -> Option<AlarmSeries> {
    let attributes = attributes.and_then(Value::as_object).into_iter().flatten();
    let mut pairs: Vec<String> =
        attributes.filter_map(|(name, value)| Some(format!("{}={}", neutral(name, ""), neutral(value.as_str()?, "")))).collect();
    pairs.sort();
    let name = SafeText::redact(&pairs.join(", ")).cut(MAX_SERIES).to_string();
    let id = id.filter(|id| (1..=MAX_ID).contains(&id.chars().count()) && !looks_like_a_value(id));
    let id = id.map(grouped).or_else(|| (!pairs.is_empty()).then(|| pairs.join(", ")))?;
    Some(AlarmSeries { id, name })
}

/// The part of a key that is an ARN, which may stand behind what kind of key it is.
fn arn_in(key: &str) -> &str {
    key.find("arn:").and_then(|at| key.get(at..)).unwrap_or_default()
}

/// In groups of four: a row of sixteen digits looks like something secret, and two that were masked would be one.
fn grouped(id: &str) -> String {
    let mut parted = String::with_capacity(id.len() + id.len() / 4);
    for (at, c) in id.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            parted.push('-');
        }
        parted.push(c);
    }
    parted
}

/// What an OK rests on, by the state before it, its reason and the data behind it.
pub(super) fn basis(before: Option<&str>, reason: &str, data: Option<&str>) -> OkBasis {
    // The words of CloudWatch for an alarm's metric, and for one of several series.
    let says_none = ["no datapoints were received", "No data was returned"].iter().any(|words| reason.contains(words));
    if before == Some("INSUFFICIENT_DATA") || says_none || data.is_some_and(has_no_datapoints) {
        OkBasis::NoData
    } else {
        OkBasis::Measured
    }
}

/// True when the data behind a state lists its datapoints, and there are none. The data of several series lists none.
fn has_no_datapoints(data: &str) -> bool {
    let Ok(data) = serde_json::from_str::<Value>(data) else { return false };
    let list = |key| data.get(key).and_then(Value::as_array);
    let evaluated =
        list("evaluatedDatapoints").into_iter().flatten().any(|point| point.get("value").is_some_and(Value::is_number));
    list("recentDatapoints").is_some_and(|recent| !recent.iter().any(Value::is_number)) && !evaluated
}

/// The account and region in a CloudWatch alarm's ARN. Its name may hold spaces, which ARNs of others may not.
pub(super) fn place_in(alarm_arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = alarm_arn.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "cloudwatch", region, account_id, "alarm", name] if !name.is_empty() => Some((account_id, region)),
        _ => None,
    }
}

impl NamedSecrets {
    /// The alarm, about what is named.
    pub(super) fn of(self, alarm: Alarm) -> Alarm {
        Alarm { secrets: self.secrets, functions: self.functions, ..alarm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;
    use serde_json::json;

    /// Source of the texts: notifications in public repositories; CloudWatch User Guide, "Alarm events and EventBridge".
    #[test]
    fn an_ok_for_want_of_data_is_told_from_one_that_was_measured() {
        let empty = r#"{"version":"1.0","statistic":"Sum","period":60,"recentDatapoints":[],"threshold":0.0}"#;
        let missing =
            r#"{"version":"1.0","recentDatapoints":[],"evaluatedDatapoints":[{"timestamp":"2026-11-25T10:00:00.000+0000"}]}"#;
        let zero = r#"{"version":"1.0","recentDatapoints":[0.0],"threshold":0.0,"evaluatedDatapoints":[{"value":0.0}]}"#;
        let several = r#"{"version":"1.0","queryDate":"2026-09-23T19:54:49.528+0000"}"#;
        let below = "Threshold Crossed: 1 datapoint [0.0 (25/11/26 09:55:00)] was not greater than the threshold (0.0).";
        let part = "Threshold Crossed: 1 datapoint [0.0 (25/11/26 09:55:00)] was not greater than the threshold (0.0) and 2 missing \
                    datapoints were treated as [NonBreaching].";
        let none =
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].";
        for (before, reason, data, expected) in [
            (Some("ALARM"), none, None, OkBasis::NoData),
            (Some("ALARM"), "No data was returned for this contributor", None, OkBasis::NoData),
            (Some("ALARM"), "", Some(empty), OkBasis::NoData),
            (Some("ALARM"), "", Some(missing), OkBasis::NoData),
            (Some("INSUFFICIENT_DATA"), below, Some(zero), OkBasis::NoData),
            (Some("ALARM"), below, Some(zero), OkBasis::Measured),
            (Some("ALARM"), part, None, OkBasis::Measured),
            (Some("ALARM"), "3 time series evaluated to OK", Some(several), OkBasis::Measured),
            (None, "", Some("not JSON"), OkBasis::Measured),
            (None, "", None, OkBasis::Measured),
        ] {
            assert_eq!(basis(before, reason, data), expected, "{before:?} {reason} {data:?}");
        }
    }

    #[test]
    fn series_are_told_apart_by_their_id_and_the_store_masks_none_of_it() {
        let attributes = json!({"SecretId": "prod/orders-db", "Region": "eu-west-1"});
        let one = series(Some("a29eb44b20c4362e"), Some(&attributes)).unwrap();
        assert_eq!((one.id.as_str(), one.name.as_str()), ("a29e-b44b-20c4-362e", "Region=eu-west-1, SecretId=prod/orders-db"));
        let (kept, _) = Redactor::default().redact_strings(one.clone()).unwrap();
        assert_eq!(kept, one);
        assert_eq!(series(None, Some(&attributes)).unwrap().id, "Region=eu-west-1, SecretId=prod/orders-db");
        for (id, attributes) in [(None, None), (Some(""), Some(json!({}))), (None, Some(json!("text")))] {
            assert_eq!(series(id, attributes.as_ref()), None);
        }
    }

    #[test]
    fn a_value_among_a_seriess_attributes_or_as_its_id_is_kept_nowhere() {
        let value = "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE";
        for (id, expected) in [(None, "SecretId=a secret"), (Some(value), "SecretId=a secret"), (Some("a29e"), "a29e")] {
            let one = series(id, Some(&json!({"SecretId": value}))).unwrap();
            assert_eq!((one.id.as_str(), one.name.as_str()), (expected, "SecretId=a secret"));
        }
    }

    #[test]
    fn an_alarms_arn_may_hold_spaces_and_colons_in_its_name() {
        let place = Some(("123456789012", "eu-west-1"));
        for (arn, expected) in [
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders", place),
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders rotation: failed (prod)", place),
            ("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:", None),
            ("arn:aws:sns:eu-west-1:123456789012:alarm:orders", None),
            ("storm", None),
        ] {
            assert_eq!(place_in(arn), expected, "{arn}");
        }
    }
}
