//! Checks of AWS Config about rotation: what a rule says about one secret.
//!
//! Source: AWS Config Developer Guide, "Example Compliance Change Notification" and "Monitoring AWS Config with EventBridge"
//! (the event's detail is the same object); the managed rules of Secrets Manager in "List of AWS Config managed rules".

use super::change::StateChange;
use super::json::text;
use super::named::NamedSecrets;
use super::neutral::neutral;
use crate::model::{Alarm, AlarmSource, AlarmState, SecretRef};
use jiff::Timestamp;
use serde_json::Value;

/// The kind of resource that is a secret.
const SECRET: &str = "AWS::SecretsManager::Secret";

/// True for what AWS Config sends of its own: results of checks, and all else it streams.
pub(super) fn is_of_config(value: &Value) -> bool {
    let is_result = value.get("configRuleName").is_some() && value.get("newEvaluationResult").is_some();
    is_result || (text(value, "messageType").is_some() && value.get("recordVersion").is_some())
}

/// Reads what AWS Config streams, or the detail of its event; the event tells the time where nothing else does.
pub(super) fn read(result: &Value, event: Option<&Value>) -> Result<Alarm, &'static str> {
    let rule = text(result, "configRuleName").filter(|_| result.get("newEvaluationResult").is_some());
    let rule = rule.ok_or("it is from AWS Config, but no result of a check")?;
    let new = result.get("newEvaluationResult").unwrap_or(&Value::Null);
    let annotation = text(new, "annotation").unwrap_or_default();
    if text(result, "resourceType") != Some(SECRET) || !is_about_rotation(rule, annotation) {
        return Err("it is from AWS Config, but no check of a secret's rotation");
    }
    let secret: Option<SecretRef> = text(result, "resourceId").and_then(|id| id.parse().ok());
    let secret = secret.ok_or("it is a check of a secret's rotation, but does not name the secret")?;
    let state = match text(new, "complianceType") {
        Some("NON_COMPLIANT") => AlarmState::Alarm,
        Some("COMPLIANT") => AlarmState::Ok,
        // The rule or the secret is gone, or the rule no longer applies: it says nothing any more.
        _ => AlarmState::InsufficientData,
    };
    let of_event = event.and_then(|event| text(event, "time"));
    let at: Option<Timestamp> = [text(new, "resultRecordedTime"), text(result, "notificationCreationTime"), of_event]
        .into_iter()
        .flatten()
        .find_map(|at| at.parse().ok());
    let at = at.ok_or("it is a check of a secret's rotation, but without its time")?;
    let own = |key, of_event| text(result, key).or_else(|| event.and_then(|event| text(event, of_event)));
    let account = own("awsAccountId", "account").ok_or("it is a check of a secret's rotation, but without the account")?;
    let region = own("awsRegion", "region").ok_or("it is a check of a secret's rotation, but without the region")?;
    let id = text(result, "configRuleARN").unwrap_or(rule);
    let reason = if annotation.is_empty() { text(new, "complianceType").unwrap_or_default() } else { annotation };
    let change = StateChange { state, at, reason };
    of_check(change, &format!("AWS Config: {rule}"), id, secret, (account, region))
}

/// The alarm of a check `name` about one secret; `id` is the check's own.
pub(super) fn of_check(
    change: StateChange<'_>,
    name: &str,
    id: &str,
    secret: SecretRef,
    place: (&str, &str),
) -> Result<Alarm, &'static str> {
    let (title, key) = (format!("{name} of {}", secret.name()), format!("check:{}:{}", neutral(id, ""), key_of(&secret)));
    // A check may come from an account that watches others.
    let arn = match &secret {
        SecretRef::Arn(arn) => Some(arn.arn().clone()),
        SecretRef::Name(_) => None,
    };
    let place = arn.as_ref().map_or(place, |arn| (arn.account_id(), arn.region()));
    let mut named = NamedSecrets::default();
    named.add_secret(Some(secret));
    Ok(named.of(change.by(AlarmSource::Check, &key, &title, place)?))
}

/// A secret by what tells it from others.
pub(super) fn key_of(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Arn(arn) => arn.to_string(),
        SecretRef::Name(name) => neutral(name, ""),
    }
}

/// A rule's name is its owner's choice, and its source is not told: the managed ones about rotation (rotation enabled, scheduled
/// rotation succeeded, rotated within a period) say so in the name that Config, Security Hub and conformance packs give them. The
/// managed rule about unused secrets does not.
fn is_about_rotation(rule: &str, annotation: &str) -> bool {
    [rule, annotation].iter().any(|text| text.to_ascii_lowercase().contains("rotat"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

    fn result(rule: &str, compliance: &str) -> Value {
        let evaluation = |compliance: &str, at: &str| {
            json!({
                "evaluationResultIdentifier": {
                    "evaluationResultQualifier": {"configRuleName": rule, "resourceType": SECRET, "resourceId": ARN},
                    "orderingTimestamp": at},
                "complianceType": compliance, "resultRecordedTime": at, "configRuleInvokedTime": at, "annotation": null,
                "resultToken": null
            })
        };
        json!({
            "awsAccountId": "123456789012", "configRuleName": rule,
            "configRuleARN": "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-abc123",
            "resourceType": SECRET, "resourceId": ARN, "awsRegion": "eu-west-1",
            "newEvaluationResult": evaluation(compliance, "2026-11-25T10:00:00.123Z"),
            "oldEvaluationResult": evaluation("COMPLIANT", "2026-11-24T10:00:00.000Z"),
            "notificationCreationTime": "2026-11-25T10:00:01.000Z", "messageType": "ComplianceChangeNotification",
            "recordVersion": "1.0"
        })
    }

    #[test]
    fn the_rotation_rules_are_alarms_of_the_secret_they_are_about_and_close_when_it_complies() {
        for rule in [
            "secretsmanager-rotation-enabled-check",
            "secretsmanager-scheduled-rotation-success-check",
            "secretsmanager-secret-periodic-rotation",
            "securityhub-secretsmanager-rotation-enabled-check-1a2b3c4d",
            "OrgConfigRule-SecretsRotated-xyz",
        ] {
            let failing = read(&result(rule, "NON_COMPLIANT"), None).unwrap();
            assert_eq!((failing.state, failing.source), (AlarmState::Alarm, AlarmSource::Check));
            assert_eq!(failing.state_at, "2026-11-25T10:00:00.123Z".parse().unwrap());
            assert_eq!(failing.title, format!("AWS Config: {rule} of prod/orders-db"));
            assert_eq!((failing.secrets[0].as_str(), failing.reason.as_str()), (ARN, "NON_COMPLIANT"));
            assert_eq!((failing.account_id.as_str(), failing.region.as_str()), ("123456789012", "eu-west-1"));
            let over = read(&result(rule, "COMPLIANT"), None).unwrap();
            assert_eq!((over.state, over.key), (AlarmState::Ok, failing.key));
        }
        for none in ["NOT_APPLICABLE", "INSUFFICIENT_DATA"] {
            assert_eq!(read(&result("rotated", none), None).unwrap().state, AlarmState::InsufficientData);
        }
        let mut gone = result("rotated", "COMPLIANT");
        gone["newEvaluationResult"] = Value::Null;
        assert_eq!(read(&gone, None).unwrap().state, AlarmState::InsufficientData);
    }

    #[test]
    fn an_annotation_that_speaks_of_rotation_tells_a_rule_of_any_name() {
        let mut custom = result("sm-1", "NON_COMPLIANT");
        assert_eq!(read(&custom, None), Err("it is from AWS Config, but no check of a secret's rotation"));
        custom["newEvaluationResult"]["annotation"] = json!("The secret was not rotated for 120 days.");
        assert_eq!(read(&custom, None).unwrap().reason, "The secret was not rotated for 120 days.");
    }

    #[test]
    fn everything_else_of_config_opens_nothing() {
        let mut of_other = result("rotation", "NON_COMPLIANT");
        of_other["resourceType"] = json!("AWS::KMS::Key");
        let item = json!({"configurationItem": {"resourceType": SECRET, "ARN": ARN, "configurationItemStatus": "OK"},
            "configurationItemDiff": null, "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
            "notificationCreationTime": "2026-11-25T10:00:01.000Z"});
        let started = json!({"awsAccountId": "123456789012", "awsRegion": "eu-west-1", "recordVersion": "1.0",
            "configRuleNames": ["secretsmanager-rotation-enabled-check"], "messageType": "ConfigRulesEvaluationStarted"});
        for (value, expected) in [
            (
                result("secretsmanager-secret-unused", "NON_COMPLIANT"),
                "it is from AWS Config, but no check of a secret's rotation",
            ),
            (result("secretsmanager-using-cmk", "NON_COMPLIANT"), "it is from AWS Config, but no check of a secret's rotation"),
            (of_other, "it is from AWS Config, but no check of a secret's rotation"),
            (item, "it is from AWS Config, but no result of a check"),
            (started, "it is from AWS Config, but no result of a check"),
        ] {
            assert!(is_of_config(&value), "{value}");
            assert_eq!(read(&value, None), Err(expected), "{value}");
        }
    }
}
