//! Findings of Security Hub about rotation.
//!
//! Source: Security Hub User Guide, "EventBridge event formats" (for CSPM: findings in ASFF; for Security Hub: `Findings Imported
//! V2` in OCSF), "Samples of control findings", "Security Hub controls for Secrets Manager"; OCSF schema, class 2003.

use super::change::StateChange;
use super::check::of_check;
use super::json::{objects, text};
use super::named::NamedSecrets;
use crate::model::{Alarm, AlarmState, SecretRef};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// The controls about rotation: automatic rotation is on; a rotation that was due succeeded; it was rotated within a number of
/// days. The others of Secrets Manager are about unused and untagged secrets.
const CONTROLS: [&str; 3] = ["SecretsManager.1", "SecretsManager.2", "SecretsManager.4"];

/// What every control of Secrets Manager begins with.
const SERVICE: &str = "SecretsManager.";

/// What the title of each of its alarms begins with.
const TITLE: &str = "Security Hub: ";

/// True for a finding, or a list of them, without an event around it: what an input path makes of the event.
pub(super) fn is_of_security_hub(value: &Value) -> bool {
    let is_asff = value.get("SchemaVersion").is_some() && value.get("AwsAccountId").is_some();
    let is_ocsf = value.get("class_uid").is_some() && value.get("finding_info").is_some();
    is_asff || is_ocsf || objects(value.get("findings")).any(is_of_security_hub)
}

/// Reads the findings in an event's detail, or in what an input path made of it.
pub(super) fn read(detail: &Value, event: Option<&Value>) -> Result<Alarm, &'static str> {
    let of_event = event.and_then(|event| text(event, "time")).and_then(|at| at.parse().ok());
    let findings: Vec<&Value> = match detail.get("findings") {
        None => vec![detail],
        findings => objects(findings).collect(),
    };
    let mut why_not = "it is from Security Hub, but without a finding";
    // The newest word of each; where two are of one time, the worse.
    let mut alarms: BTreeMap<String, Alarm> = BTreeMap::new();
    for finding in findings {
        let read = if finding.get("class_uid").is_some() { read_ocsf(finding, of_event) } else { read_asff(finding, of_event) };
        match read {
            Ok(alarm) => {
                let rank = |alarm: &Alarm| (alarm.state_at, alarm.state == AlarmState::Alarm);
                if alarms.get(&alarm.key).is_none_or(|known| rank(known) < rank(&alarm)) {
                    alarms.insert(alarm.key.clone(), alarm);
                }
            }
            Err(why) => why_not = why,
        }
    }
    let by_weight = [AlarmState::Alarm, AlarmState::Ok, AlarmState::InsufficientData];
    let state = by_weight.into_iter().find(|state| alarms.values().any(|alarm| alarm.state == *state)).ok_or(why_not)?;
    together(alarms.into_values().filter(|alarm| alarm.state == state).collect()).ok_or(why_not)
}

/// One alarm for all of them: a custom action sends several findings that a person chose.
fn together(alarms: Vec<Alarm>) -> Option<Alarm> {
    /// Checks that are named in a title.
    const MAX_NAMED: usize = 3;
    let state_at = alarms.iter().map(|alarm| alarm.state_at).max()?;
    let joined = |of: fn(&Alarm) -> &str, by: &str| alarms.iter().map(of).collect::<Vec<&str>>().join(by);
    let key = joined(|alarm| &alarm.key, ",");
    let names = alarms.iter().map(|alarm| alarm.title.strip_prefix(TITLE).unwrap_or(&alarm.title));
    let mut title = format!("{TITLE}{}", names.take(MAX_NAMED).collect::<Vec<&str>>().join(", "));
    match alarms.len().saturating_sub(MAX_NAMED) {
        0 => {}
        more => title.push_str(&format!(" and {more} more")),
    }
    let mut reasons: Vec<&str> = alarms.iter().map(|alarm| alarm.reason.as_str()).collect();
    reasons.dedup();
    let reason = reasons.join(" ");
    let mut named = NamedSecrets::default();
    alarms.iter().flat_map(|alarm| &alarm.secrets).for_each(|secret| named.add_secret(Some(secret.clone())));
    let first = alarms.into_iter().next()?;
    Some(named.of(Alarm { key, title, reason, state_at, ..first }))
}

/// The AWS Security Finding Format.
fn read_asff(finding: &Value, of_event: Option<Timestamp>) -> Result<Alarm, &'static str> {
    let at_path = |path: &str| finding.pointer(path).and_then(Value::as_str);
    let title = text(finding, "Title").unwrap_or_default();
    let control = [at_path("/Compliance/SecurityControlId"), at_path("/ProductFields/ControlId"), text(finding, "GeneratorId")]
        .into_iter()
        .flatten()
        .find_map(control_in)
        .or_else(|| control_in(title.split_whitespace().next()?));
    // Findings of AWS Config's own integration carry the rule's name.
    let rule = at_path("/ProductFields/aws~1config~1ConfigRuleName").unwrap_or_default();
    let secrets = objects(finding.get("Resources")).filter(|one| text(one, "Type") == Some("AwsSecretsManagerSecret"));
    let secret: Option<SecretRef> = secrets.filter_map(|one| text(one, "Id")).find_map(|id| id.parse().ok());
    let name = name_of(control.as_deref(), [title, rule], secret.is_some())?;
    let secret = secret.ok_or("it is a finding about rotation, but does not name the secret")?;

    let is_closed = text(finding, "RecordState") == Some("ARCHIVED")
        || at_path("/Workflow/Status").is_some_and(|status| ["RESOLVED", "SUPPRESSED"].contains(&status))
        || at_path("/Compliance/Status") == Some("PASSED");
    let state = match at_path("/Compliance/Status") {
        _ if is_closed => AlarmState::Ok,
        None | Some("FAILED") => AlarmState::Alarm,
        // It could not be checked.
        Some(_) => AlarmState::InsufficientData,
    };
    let of_finding = [text(finding, "UpdatedAt"), text(finding, "LastObservedAt"), text(finding, "CreatedAt")];
    let at = of_finding.into_iter().flatten().find_map(|at| at.parse().ok()).or(of_event);
    let at = at.ok_or("it is a finding about rotation, but without its time")?;
    let account = text(finding, "AwsAccountId").unwrap_or_default();
    let region = text(finding, "Region").unwrap_or_default();
    let reason = text(finding, "Description").unwrap_or(title);
    of_check(StateChange { state, at, reason }, &format!("{TITLE}{name}"), name, secret, (account, region))
}

/// The Open Cybersecurity Schema Framework.
fn read_ocsf(finding: &Value, of_event: Option<Timestamp>) -> Result<Alarm, &'static str> {
    /// `class_uid` of a compliance finding.
    const COMPLIANCE: i64 = 2_003;
    /// `status_id`: suppressed, resolved, archived, deleted.
    const CLOSED: std::ops::RangeInclusive<i64> = 3..=6;
    let at_path = |path: &str| finding.pointer(path).and_then(Value::as_str);
    let number = |path: &str| finding.pointer(path).and_then(Value::as_i64);
    if number("/class_uid") != Some(COMPLIANCE) {
        return Err("it is a finding of Security Hub, but not about rotation");
    }
    let title = at_path("/finding_info/title").unwrap_or_default();
    let control = at_path("/compliance/control").and_then(control_in);
    let rule = at_path("/finding_info/analytic/name").unwrap_or_default();
    let resource = objects(finding.get("resources")).find(|one| text(one, "type") == Some("AWS::SecretsManager::Secret"));
    let secret: Option<SecretRef> = resource
        .and_then(|one| [text(one, "uid"), text(one, "uid_alt")].into_iter().flatten().find(|id| id.starts_with("arn:")))
        .or_else(|| resource.and_then(|one| text(one, "name").or_else(|| text(one, "uid"))))
        .and_then(|id| id.parse().ok());
    let name = name_of(control.as_deref(), [title, rule], secret.is_some())?;
    let secret = secret.ok_or("it is a finding about rotation, but does not name the secret")?;

    let is_closed = number("/status_id").is_some_and(|status| CLOSED.contains(&status))
        || at_path("/status").is_some_and(|status| ["Suppressed", "Resolved", "Archived", "Deleted"].contains(&status));
    let state = match (number("/compliance/status_id"), at_path("/compliance/status")) {
        _ if is_closed => AlarmState::Ok,
        (Some(1), _) | (None, Some("Pass")) => AlarmState::Ok,
        (Some(3), _) | (None, Some("Fail")) | (None, None) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let of_finding = [at_path("/finding_info/modified_time_dt"), at_path("/time_dt"), at_path("/finding_info/created_time_dt")];
    let at = of_finding.into_iter().flatten().find_map(|at| at.parse().ok());
    let at = at.or_else(|| Timestamp::from_millisecond(number("/time")?).ok()).or(of_event);
    let at = at.ok_or("it is a finding about rotation, but without its time")?;
    let account = at_path("/cloud/account/uid").unwrap_or_default();
    let region = at_path("/cloud/region").unwrap_or_default();
    let reason = at_path("/finding_info/desc").unwrap_or(title);
    of_check(StateChange { state, at, reason }, &format!("{TITLE}{name}"), name, secret, (account, region))
}

/// What the check is called, where it is about rotation: the control, or the name that says so.
fn name_of<'a>(control: Option<&'a str>, names: [&'a str; 2], has_secret: bool) -> Result<&'a str, &'static str> {
    let says_so = |text: &&str| text.to_ascii_lowercase().contains("rotat");
    let name = match control {
        Some(control) => Some(control).filter(|control| CONTROLS.contains(control)),
        None => names.into_iter().rev().find(says_so).filter(|_| has_secret),
    };
    name.ok_or("it is a finding of Security Hub, but not about rotation")
}

/// The control of Secrets Manager in `security-control/SecretsManager.1`, `…/v/1.0.0/SecretsManager.1` or `SecretsManager.1`.
fn control_in(text: &str) -> Option<String> {
    let last = text.rsplit('/').next()?;
    let number = last.trim_matches(['[', ']', ':']).strip_prefix(SERVICE)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{SERVICE}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
    const NONE: Result<Alarm, &str> = Err("it is a finding of Security Hub, but not about rotation");

    fn asff() -> Value {
        json!({
            "SchemaVersion": "2018-10-08", "ProductName": "Security Hub", "CompanyName": "AWS", "Region": "eu-west-1",
            "Id": "arn:aws:securityhub:eu-west-1:123456789012:security-control/SecretsManager.2/finding/f8",
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
            "GeneratorId": "security-control/SecretsManager.2", "AwsAccountId": "123456789012",
            "CreatedAt": "2026-11-24T10:00:00.000Z", "UpdatedAt": "2026-11-25T10:00:00.000Z",
            "Severity": {"Label": "MEDIUM"}, "RecordState": "ACTIVE", "Workflow": {"Status": "NEW"},
            "Title": "Secrets Manager secrets configured with automatic rotation should rotate successfully",
            "Description": "This control checks whether a secret rotated successfully based on the rotation schedule.",
            "Compliance": {"Status": "FAILED", "SecurityControlId": "SecretsManager.2"},
            "Resources": [{"Type": "AwsSecretsManagerSecret", "Id": ARN, "Partition": "aws", "Region": "eu-west-1"}]
        })
    }

    fn ocsf() -> Value {
        json!({
            "activity_id": 1, "class_name": "Compliance Finding", "class_uid": 2003, "category_uid": 2, "type_uid": 200_301,
            "status": "New", "status_id": 1, "severity": "Medium", "time": 1_795_687_200_000_i64, "time_dt": "2026-11-25T10:00:00Z",
            "metadata": {"product": {"name": "Security Hub", "uid": "arn:aws:securityhub:eu-west-1::productv2/aws/securityhub"}},
            "cloud": {"account": {"uid": "123456789012"}, "provider": "AWS", "region": "eu-west-1"},
            "compliance": {"control": "SecretsManager.2", "status": "Fail", "status_id": 3},
            "finding_info": {"title": "Secrets should rotate", "desc": "It did not rotate.", "modified_time_dt": "2026-11-25T10:00:00Z",
                "uid": "arn:aws:securityhub:eu-west-1:123456789012:security-control/SecretsManager.2/finding/f8"},
            "resources": [{"type": "AWS::SecretsManager::Secret", "uid": ARN, "region": "eu-west-1", "provider": "AWS"}]
        })
    }

    fn of(finding: &Value) -> Result<Alarm, &'static str> {
        let event = json!({"time": "2026-11-25T10:00:30Z", "account": "999999999999", "region": "us-east-1"});
        read(&json!({"findings": [finding]}), Some(&event))
    }

    fn with(mut finding: Value, path: &str, value: Value) -> Value {
        *finding.pointer_mut(path).unwrap() = value;
        finding
    }

    #[test]
    fn a_failed_control_about_rotation_is_an_alarm_of_its_secret_in_either_format() {
        let (one, two) = (of(&asff()).unwrap(), of(&ocsf()).unwrap());
        for alarm in [&one, &two] {
            assert_eq!(
                (alarm.state, alarm.title.as_str()),
                (AlarmState::Alarm, "Security Hub: SecretsManager.2 of prod/orders-db")
            );
            assert_eq!(
                (alarm.account_id.as_str(), alarm.region.as_str()),
                ("123456789012", "eu-west-1"),
                "not the watching account"
            );
            assert_eq!(alarm.secrets[0].as_str(), ARN);
            assert_eq!(alarm.state_at, "2026-11-25T10:00:00Z".parse().unwrap());
        }
        assert_eq!(one.key, two.key, "one finding in both formats is one alarm");
        assert_eq!(read(&asff(), None).unwrap().key, one.key, "without an event around it");
        assert_eq!(
            read(&json!({"findings": [asff(), with(asff(), "/Resources/0/Id", json!("prod/users-db"))]}), None)
                .unwrap()
                .secrets
                .len(),
            2
        );
    }

    #[test]
    fn what_failed_wins_over_what_passed_in_one_message_whatever_the_order() {
        let finding = |control: &str, secret: &str, status: &str| {
            let finding = with(asff(), "/Compliance/SecurityControlId", json!(control));
            with(with(finding, "/Resources/0/Id", json!(secret)), "/Compliance/Status", json!(status))
        };
        let alarm_of = |findings: [&Value; 3]| read(&json!({"findings": findings}), None).unwrap();
        let passed = finding("SecretsManager.1", "prod/h1", "PASSED");
        let (h2, h3) = (finding("SecretsManager.4", "prod/h2", "FAILED"), finding("SecretsManager.1", "prod/h3", "FAILED"));
        let one = alarm_of([&passed, &h2, &h3]);
        assert_eq!((one.state, one.secrets.len()), (AlarmState::Alarm, 2));
        assert_eq!(one.title, "Security Hub: SecretsManager.1 of prod/h3, SecretsManager.4 of prod/h2");
        let other = alarm_of([&h3, &h2, &passed]);
        assert_eq!((&other.key, &other.title), (&one.key, &one.title), "neither rests on which came first");
        let alone = alarm_of([&passed, &h2, &passed]);
        assert_eq!(alone.key, of(&h2).unwrap().key, "so that its passing closes it");

        // The newer word about one check of one secret counts.
        let later = with(finding("SecretsManager.4", "prod/h2", "PASSED"), "/UpdatedAt", json!("2026-11-25T11:00:00.000Z"));
        assert_eq!(alarm_of([&h2, &later, &passed]).state, AlarmState::Ok);
        assert_eq!(alarm_of([&later, &h2, &h3]).secrets, ["prod/h3".parse().unwrap()]);
    }

    #[test]
    fn the_control_is_known_by_each_of_the_names_it_has_in_a_finding() {
        let mut bare = asff();
        bare["Compliance"].as_object_mut().unwrap().remove("SecurityControlId");
        for (generator, title, expected) in [
            ("security-control/SecretsManager.1", "x", Some("SecretsManager.1")),
            ("aws-foundational-security-best-practices/v/1.0.0/SecretsManager.4", "x", Some("SecretsManager.4")),
            ("nist-800-53/v/5.0.0/SecretsManager.3", "x", None),
            ("other", "SecretsManager.1 Secrets should have automatic rotation enabled", Some("SecretsManager.1")),
            ("other", "[SecretsManager.1] Secrets over 90 days old", Some("SecretsManager.1")),
            ("other", "SecretsManager.5 Secrets should be tagged", None),
            (
                "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-x",
                "secretsmanager-rotation-enabled-check",
                Some("secretsmanager-rotation-enabled-check"),
            ),
            ("arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-x", "secretsmanager-secret-unused", None),
        ] {
            let (mut finding, name) = (bare.clone(), expected.map(|name| format!("Security Hub: {name} of prod/orders-db")));
            (finding["GeneratorId"], finding["Title"]) = (json!(generator), json!(title));
            assert_eq!(of(&finding).map(|alarm| alarm.title).ok(), name, "{generator} {title}");
        }
        for control in ["SecretsManager.3", "SecretsManager.5"] {
            assert_eq!(of(&with(asff(), "/Compliance/SecurityControlId", json!(control))), NONE);
            assert_eq!(of(&with(ocsf(), "/compliance/control", json!(control))), NONE);
        }
        assert_eq!(of(&with(ocsf(), "/class_uid", json!(2004))), NONE);
        assert_eq!(
            of(&with(asff(), "/Resources/0/Type", json!("AwsRdsDbInstance"))).unwrap_err(),
            "it is a finding about rotation, but does not name the secret"
        );
    }

    #[test]
    fn what_passed_was_archived_resolved_or_suppressed_closes_and_what_could_not_be_checked_opens_nothing() {
        for (finding, expected) in [
            (with(asff(), "/Compliance/Status", json!("PASSED")), AlarmState::Ok),
            (with(asff(), "/RecordState", json!("ARCHIVED")), AlarmState::Ok),
            (with(asff(), "/Workflow/Status", json!("RESOLVED")), AlarmState::Ok),
            (with(asff(), "/Workflow/Status", json!("SUPPRESSED")), AlarmState::Ok),
            (with(asff(), "/Workflow/Status", json!("NOTIFIED")), AlarmState::Alarm),
            (with(asff(), "/Compliance/Status", json!("WARNING")), AlarmState::InsufficientData),
            (with(asff(), "/Compliance/Status", json!("NOT_AVAILABLE")), AlarmState::InsufficientData),
            (with(with(ocsf(), "/compliance/status", json!("Pass")), "/compliance/status_id", json!(1)), AlarmState::Ok),
            (
                with(with(ocsf(), "/compliance/status", json!("Warning")), "/compliance/status_id", json!(2)),
                AlarmState::InsufficientData,
            ),
            (with(ocsf(), "/status_id", json!(4)), AlarmState::Ok),
            (with(ocsf(), "/status", json!("Archived")), AlarmState::Ok),
            (with(ocsf(), "/status_id", json!(2)), AlarmState::Alarm),
        ] {
            let alarm = of(&finding).unwrap();
            assert_eq!(alarm.state, expected, "{finding}");
            assert_eq!(alarm.key, of(&asff()).unwrap().key);
        }
    }
}
