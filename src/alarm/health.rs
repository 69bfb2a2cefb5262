//! Events of AWS Health: an incident in a service that rotation rests on.
//!
//! Source: AWS Health User Guide, "Reference: AWS Health events Amazon EventBridge schema".

use super::change::StateChange;
use super::json::{objects, text};
use super::named::NamedSecrets;
use super::neutral::neutral;
use crate::model::{Alarm, AlarmSource, AlarmState};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

/// The services whose incidents stop rotation.
const SERVICES: [&str; 8] = ["SECRETSMANAGER", "LAMBDA", "KMS", "IAM", "VPC", "RDS", "REDSHIFT", "DOCDB"];

/// Reads an event of AWS Health.
pub(super) fn read(event: &Value, detail: &Value) -> Result<Alarm, &'static str> {
    let service = text(detail, "service").ok_or("it is from AWS Health, but without the service")?;
    if !SERVICES.contains(&service) {
        return Err("it is from AWS Health, but of a service that rotation does not rest on");
    }
    if text(detail, "eventTypeCategory") != Some("issue") {
        return Err("it is from AWS Health, but no incident");
    }
    let code = text(detail, "eventTypeCode").unwrap_or(service);
    let is_closed = text(detail, "statusCode") == Some("closed") || text(detail, "endTime").is_some();
    let moment = |key| text(detail, key).and_then(moment);
    let ended_at = if is_closed { moment("endTime") } else { None };
    let state_at = ended_at
        .or_else(|| moment("lastUpdatedTime"))
        .or_else(|| moment("startTime"))
        .or_else(|| text(event, "time").and_then(|at| at.parse().ok()))
        .ok_or("it is from AWS Health, but without its time")?;
    let account = text(detail, "affectedAccount").or_else(|| text(event, "account"));
    let region = text(detail, "eventRegion").or_else(|| text(event, "region"));
    let mut named = NamedSecrets::default();
    objects(detail.get("affectedEntities"))
        .filter_map(|entity| text(entity, "entityValue"))
        .for_each(|entity| named.read_text(entity));
    let said = objects(detail.get("eventDescription")).find_map(|description| text(description, "latestDescription"));
    let account = account.ok_or("it is from AWS Health, but without the account")?;
    let region = region.ok_or("it is from AWS Health, but without the region")?;
    let key = text(detail, "eventArn")
        .filter(|arn| arn.starts_with("arn:"))
        .map_or_else(|| format!("health:{}", neutral(code, "")), str::to_owned);
    let state = if is_closed { AlarmState::Ok } else { AlarmState::Alarm };
    let change = StateChange { state, at: state_at, reason: said.unwrap_or_default() };
    Ok(named.of(change.by(AlarmSource::Health, &key, &format!("AWS Health: {code}"), (account, region))?))
}

/// AWS Health writes `Wed, 25 Nov 2026 10:00:00 GMT`.
fn moment(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|at| at.timestamp()).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(detail: &Value) -> Result<Alarm, &'static str> {
        let event =
            json!({"source": "aws.health", "account": "123456789012", "region": "eu-west-1", "time": "2026-11-25T10:10:00Z"});
        read(&event, detail)
    }

    #[test]
    fn an_incident_of_a_service_rotation_rests_on_is_an_alarm_until_it_is_closed() {
        let mut detail = json!({
            "eventArn": "arn:aws:health:eu-west-1::event/LAMBDA/AWS_LAMBDA_OPERATIONAL_ISSUE/1", "service": "LAMBDA",
            "eventTypeCode": "AWS_LAMBDA_OPERATIONAL_ISSUE", "eventTypeCategory": "issue", "statusCode": "open",
            "startTime": "Wed, 25 Nov 2026 10:00:00 GMT",
            "eventDescription": [{"language": "en_US", "latestDescription": "Errors are elevated."}]
        });
        let alarm = event(&detail).unwrap();
        assert_eq!((alarm.state, alarm.state_at), (AlarmState::Alarm, "2026-11-25T10:00:00Z".parse().unwrap()));
        assert_eq!(
            (alarm.title.as_str(), alarm.reason.as_str()),
            ("AWS Health: AWS_LAMBDA_OPERATIONAL_ISSUE", "Errors are elevated.")
        );
        detail["statusCode"] = json!("closed");
        detail["endTime"] = json!("Wed, 25 Nov 2026 11:00:00 GMT");
        let closed = event(&detail).unwrap();
        assert_eq!(
            (closed.state, closed.state_at, closed.key),
            (AlarmState::Ok, "2026-11-25T11:00:00Z".parse().unwrap(), alarm.key)
        );
    }

    #[test]
    fn other_services_and_announcements_are_ignored() {
        for (service, category, expected) in [
            ("S3", "issue", "it is from AWS Health, but of a service that rotation does not rest on"),
            ("LAMBDA", "scheduledChange", "it is from AWS Health, but no incident"),
            ("LAMBDA", "accountNotification", "it is from AWS Health, but no incident"),
        ] {
            assert_eq!(event(&json!({"service": service, "eventTypeCategory": category})), Err(expected));
        }
    }
}
