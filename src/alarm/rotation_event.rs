//! CloudTrail's events of a rotation: the only ones that name the secret.
//!
//! Source: Secrets Manager User Guide, "Secrets Manager entries in CloudTrail"; both shapes of `RotationFailed` that are
//! seen in public.

use super::change::{ELSEWHERE, StateChange};
use super::json::text;
use super::named::NamedSecrets;
use crate::model::{AccountId, Alarm, AlarmSource, AlarmState, Arn, OkBasis, Region, SecretArn, SecretRef};
use crate::redact::looks_like_a_value;
use jiff::Timestamp;
use serde_json::Value;

/// The events that tell of a rotation that did not happen.
pub(crate) const FAILURES: [&str; 3] = ["RotationFailed", "RotationAbandoned", "TestRotationFailed"];

/// A rotation that ended, as one record tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RotationEvent {
    /// Such as `RotationFailed`.
    pub(crate) name: String,
    pub(crate) secret: SecretRef,
    pub(crate) at: Timestamp,
    account_id: AccountId,
    pub(crate) region: Region,
    message: String,
}

impl RotationEvent {
    /// Reads a record of CloudTrail; the reason why not is one sentence.
    pub(crate) fn parse(record: &Value) -> Result<RotationEvent, &'static str> {
        let name = text(record, "eventName").ok_or("it is from CloudTrail, but without the event's name")?;
        if text(record, "eventSource") != Some("secretsmanager.amazonaws.com") {
            return Err("it is from CloudTrail, but not of Secrets Manager");
        }
        if name != "RotationSucceeded" && !FAILURES.contains(&name) {
            return Err("it is from Secrets Manager, but does not tell that a rotation ended");
        }
        let at = text(record, "eventTime").ok_or("it tells of a rotation, but without its time")?;
        let at = at.parse().map_err(|_| "it tells of a rotation, but its time cannot be read")?;
        let secret = secret(record).ok_or("it tells of a rotation, but does not name the secret")?;
        let of_arn = |part: fn(&crate::model::Arn) -> &str| match &secret {
            SecretRef::Arn(arn) => Some(part(arn.arn()).to_owned()),
            SecretRef::Name(_) => None,
        };
        let own = |key| text(record, key).map(str::to_owned);
        let region = of_arn(crate::model::Arn::region).or_else(|| own("awsRegion"));
        let account_id = of_arn(crate::model::Arn::account_id).or_else(|| own("recipientAccountId"));
        Ok(RotationEvent {
            name: name.to_owned(),
            at,
            region: (region.ok_or("it tells of a rotation, but without the region")?).parse().map_err(|_| ELSEWHERE)?,
            account_id: (account_id.ok_or("it tells of a rotation, but without the account")?).parse().map_err(|_| ELSEWHERE)?,
            message: text(record, "errorMessage").unwrap_or_default().to_owned(),
            secret,
        })
    }
}

/// The secret by whichever field names it; `requestID` is `Rotation-<ARN>-<version id>`.
fn secret(record: &Value) -> Option<SecretRef> {
    const FIELDS: [&str; 5] = [
        "/additionalEventData/SecretId",
        "/additionalEventData/secretId",
        "/serviceEventDetails/secretId",
        "/serviceEventDetails/SecretId",
        "/requestParameters/secretId",
    ];
    let named = || FIELDS.iter().filter_map(|field| record.pointer(field)?.as_str()?.parse().ok());
    let is_name = |secret: &SecretRef| !matches!(secret, SecretRef::Name(name) if looks_like_a_value(name));
    let by_request = || {
        let joined = text(record, "requestID")?.strip_prefix("Rotation-")?;
        // A version id is a UUID: five groups.
        let (at, _) = joined.match_indices('-').rev().nth(4)?;
        joined.get(..at).filter(|arn| arn.starts_with("arn:"))?.parse().ok()
    };
    // A rotation failed, even where a value was pasted in the name's place.
    named().find(is_name).or_else(by_request).or_else(|| named().next())
}

/// Reads a record as an alarm: one per secret, whatever tells of it.
pub(super) fn read(record: &Value) -> Result<Alarm, &'static str> {
    let event = RotationEvent::parse(record)?;
    let mut named = NamedSecrets::default();
    named.add_secret(Some(event.secret.clone()));
    named.read_text(&event.message);
    let name = event.secret.name();
    let (state, what) = match event.name.as_str() {
        "RotationSucceeded" => (AlarmState::Ok, "rotated"),
        "RotationAbandoned" => (AlarmState::Alarm, "rotation abandoned"),
        "TestRotationFailed" => (AlarmState::Alarm, "test rotation failed"),
        _ => (AlarmState::Alarm, "rotation failed"),
    };
    let (key, title) = (key_of(&event.secret), format!("{name}: {what}"));
    let change = StateChange { state, at: event.at, reason: &event.message };
    let said = change.by(AlarmSource::RotationEvent, &key, &title, (&event.account_id, &event.region))?;
    Ok(Alarm { basis: OkBasis::Rotated, ..named.of(said) })
}

/// What all that tells of one secret's rotation shares.
fn key_of(secret: &SecretRef) -> String {
    format!("rotation:{}", super::check::key_of(secret))
}

/// Reads that a staging label moved to another version. It comes at once and without a trail, and also where a person wrote
/// a value.
///
/// Source: Secrets Manager User Guide, "Secret Label Updated event".
pub(super) fn read_label(event: &Value, detail: &Value) -> Result<Alarm, &'static str> {
    if text(detail, "labelUpdated") != Some("AWSCURRENT") {
        return Err("it tells that a label moved, but not one that ends a rotation");
    }
    let arns = event.get("resources").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let secret = arns.filter_map(|arn| Arn::parse(arn).ok()).find_map(|arn| SecretArn::try_from(arn).ok());
    let secret = secret.ok_or("it tells that a label moved, but without the secret's ARN")?;
    let at = text(event, "time").and_then(|at| at.parse().ok()).ok_or("it tells that a label moved, but without its time")?;
    let (account_id, region) = (secret.arn().account_id().to_owned(), secret.arn().region().to_owned());
    let title = format!("{}: a new version is current", secret.name());
    let secret = SecretRef::Arn(secret);
    let mut named = NamedSecrets::default();
    named.add_secret(Some(secret.clone()));
    let change = StateChange { state: AlarmState::Ok, at, reason: "" };
    let said = change.by(AlarmSource::RotationEvent, &key_of(&secret), &title, (&account_id, &region))?;
    Ok(Alarm { basis: OkBasis::NewVersion, ..named.of(said) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "arn:aws:secretsmanager:us-east-2:123456789012:secret:MyDatabaseSecret-a1b2c3";

    fn failed() -> Value {
        json!({
            "eventTime": "2022-09-13T02:17:48Z", "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed",
            "awsRegion": "us-east-2", "requestParameters": null, "eventType": "AwsServiceEvent",
            "errorMessage": "Error when executing lambda arn:aws:lambda:us-east-2:123456789012:function:rotator during setSecret step",
            "additionalEventData": {"SecretId": SECRET}, "recipientAccountId": "123456789012",
            "requestID": format!("Rotation-{SECRET}-eeb681b1-a07d-4aeb-9b61-1ee6590ec295")
        })
    }

    #[test]
    fn every_shape_names_the_secret() {
        let without = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            let mut record = failed();
            record.as_object_mut().unwrap().remove("additionalEventData");
            change(record.as_object_mut().unwrap());
            record
        };
        for record in [
            failed(),
            without(&|record| drop(record.insert("serviceEventDetails".to_owned(), json!({"secretId": SECRET})))),
            without(&|record| drop(record.insert("requestParameters".to_owned(), json!({"secretId": SECRET})))),
            without(&|_| ()),
        ] {
            let alarm = read(&record).unwrap();
            assert_eq!(alarm.secrets[0].as_str(), SECRET, "{record}");
            assert_eq!(alarm.key, format!("rotation:{SECRET}"));
            assert_eq!((alarm.region.as_str(), alarm.account_id.as_str()), ("us-east-2", "123456789012"));
            assert_eq!(alarm.functions, ["arn:aws:lambda:us-east-2:123456789012:function:rotator"]);
            assert_eq!(alarm.title, "MyDatabaseSecret: rotation failed");
        }
    }

    #[test]
    fn a_value_in_the_secrets_place_is_in_no_title_and_no_key() {
        let value = "q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE";
        let mut record = failed();
        record["additionalEventData"]["SecretId"] = json!(value);
        assert_eq!(read(&record).unwrap().key, format!("rotation:{SECRET}"), "the request names it");
        record.as_object_mut().unwrap().remove("requestID");
        let alarm = read(&record).unwrap();
        assert_eq!((alarm.title.as_str(), alarm.key.as_str()), ("a secret: rotation failed", "rotation:a secret"));
        assert!(!serde_json::to_string(&alarm).unwrap().contains(value));
    }

    #[test]
    fn failures_and_abandoned_rotations_are_trouble_and_a_success_is_none() {
        for (name, expected) in [
            ("RotationFailed", Ok(AlarmState::Alarm)),
            ("RotationAbandoned", Ok(AlarmState::Alarm)),
            ("TestRotationFailed", Ok(AlarmState::Alarm)),
            ("RotationSucceeded", Ok(AlarmState::Ok)),
            ("RotationStarted", Err("it is from Secrets Manager, but does not tell that a rotation ended")),
            ("GetSecretValue", Err("it is from Secrets Manager, but does not tell that a rotation ended")),
        ] {
            let mut record = failed();
            record["eventName"] = json!(name);
            assert_eq!(read(&record).map(|alarm| alarm.state), expected, "{name}");
        }
        let mut other = failed();
        other["eventSource"] = json!("iam.amazonaws.com");
        assert_eq!(read(&other).unwrap_err(), "it is from CloudTrail, but not of Secrets Manager");
    }
}
