//! Every kind of message about alarms is one that each platform takes: from the first word to the last.

use crate::bot_world::Shown;
use crate::endings::without_data;
use crate::fake_discord::check;
use crate::fake_slack::check_blocks;
use crate::kept_looks::keep;
use crate::series::contributor;
use crate::storms::storm;
use crate::threads::{ORDERS, ROUTE, Town, ago, alarm};
use rotation_diag::chat::Message;
use rotation_diag::platforms::slack::render::{Surface, message};
use rotation_diag::platforms::{discord, slack};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The messages by the kind of trouble they come of, in the order in which they were first told.
#[derive(Default)]
struct Album(BTreeMap<String, Message>);

impl Album {
    /// What `town` shows now; what its verdicts leave to their threads is no matter of alarms.
    fn add(&mut self, kind: &str, town: &Town) {
        let is_of_alarms = |shown: &&Shown| {
            let title = shown.title();
            shown.root.is_none()
                || ["larm", "rotation failed", "should rotate", "AWS Config", "AWS Health"]
                    .iter()
                    .any(|words| title.contains(words))
                || title.starts_with("Secrets ")
        };
        for (number, shown) in town.slack.shown().iter().filter(is_of_alarms).enumerate() {
            self.0.insert(format!("alarm-{kind}-{}", number + 1), shown.message.clone());
        }
    }
}

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-XtUIZU";

/// An incident of AWS that affects prod/orders-db.
fn incident(status: &str, minutes_ago: i64) -> Value {
    json!({
        "source": "aws.health", "detail-type": "AWS Health Event", "account": "123456789012", "region": "eu-west-1",
        "time": ago(minutes_ago).to_string(), "detail": {
            "eventArn": "arn:aws:health:eu-west-1::event/LAMBDA/AWS_LAMBDA_OPERATIONAL_ISSUE/1", "service": "LAMBDA",
            "eventTypeCode": "AWS_LAMBDA_OPERATIONAL_ISSUE", "eventTypeCategory": "issue", "eventScopeCode": "ACCOUNT_SPECIFIC",
            "statusCode": status, "affectedAccount": "123456789012", "eventRegion": "eu-west-1",
            "eventDescription": [{"language": "en_US", "latestDescription": "Invocations of functions fail more often than usual."}],
            "affectedEntities": [{"entityValue": SECRET, "status": "IMPAIRED"}]
        }
    })
}

/// What other services than CloudWatch's metrics say of prod/orders-db, each once.
fn others() -> [(&'static str, Value); 4] {
    let event = |source: &str, kind: &str, detail: Value| {
        json!({
            "source": source, "detail-type": kind, "account": "123456789012", "region": "eu-west-1", "time": ago(3).to_string(),
            "detail": detail
        })
    };
    let mut composite = alarm("all-of-orders", "ALARM", ago(5), &[]);
    composite["AlarmRule"] = json!("ALARM(\"orders-page\") OR ALARM(\"orders-rotation\")");
    composite.as_object_mut().unwrap().remove("Trigger");
    let failed = json!({
        "eventSource": "secretsmanager.amazonaws.com", "eventName": "RotationFailed", "eventTime": ago(5).to_string(),
        "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "additionalEventData": {"SecretId": SECRET}
    });
    let check = json!({
        "configRuleName": "secretsmanager-scheduled-rotation-success-check", "resourceType": "AWS::SecretsManager::Secret",
        "configRuleARN": "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-1", "resourceId": SECRET,
        "awsAccountId": "123456789012", "awsRegion": "eu-west-1", "messageType": "ComplianceChangeNotification",
        "newEvaluationResult": {
            "complianceType": "NON_COMPLIANT", "resultRecordedTime": ago(5).to_string(),
            "annotation": "The secret is not rotated successfully based on its rotation schedule."
        }
    });
    let finding = json!({
        "SchemaVersion": "2018-10-08", "Id": "arn:aws:securityhub:eu-west-1:123456789012:security-control/SecretsManager.2/finding/f8",
        "GeneratorId": "security-control/SecretsManager.2", "AwsAccountId": "123456789012", "Region": "eu-west-1",
        "UpdatedAt": ago(5).to_string(), "RecordState": "ACTIVE", "Workflow": {"Status": "NEW"},
        "Title": "Secrets Manager secrets configured with automatic rotation should rotate successfully",
        "Description": "This control checks whether a secret rotated successfully based on the rotation schedule.",
        "Compliance": {"Status": "FAILED", "SecurityControlId": "SecretsManager.2"},
        "Resources": [{"Type": "AwsSecretsManagerSecret", "Id": SECRET, "Partition": "aws", "Region": "eu-west-1"}]
    });
    [
        ("composite", composite),
        ("rotation-failed", event("aws.secretsmanager", "AWS Service Event via CloudTrail", failed)),
        ("config", event("aws.config", "Config Rules Compliance Change", check)),
        ("security-hub", event("aws.securityhub", "Security Hub Findings - Imported", json!({ "findings": [finding] }))),
    ]
}

#[tokio::test]
async fn every_kind_of_message_about_alarms_is_taken() {
    let mut album = Album::default();

    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("orders-page", "ALARM", ago(50), &[ORDERS])).await;
    town.comes_to_rest().await;
    album.add("opened", &town);
    town.hears(&alarm("second", "ALARM", ago(40), &[ORDERS])).await;
    town.comes_to_rest().await;
    town.hears(&alarm("orders-page", "OK", ago(30), &[ORDERS])).await;
    town.hears(&without_data(alarm("second", "OK", ago(29), &[ORDERS]))).await;
    town.comes_to_rest().await;
    album.add("joined", &town);
    for n in 0..7 {
        let change = if n % 2 == 0 { "ALARM" } else { "OK" };
        town.hears(&alarm("orders-page", change, ago(9 - n), &[ORDERS])).await;
        town.comes_to_rest().await;
    }
    album.add("flapping", &town);
    let town = town.later(11, "role_detached_policy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    album.add("settled", &town);

    let weather = ("SecretId", "prod/weather-db");
    let town = Town::new("healthy_by_its_own_retry").await;
    town.hears(&alarm("weather", "ALARM", ago(50), &[weather])).await;
    town.comes_to_rest().await;
    town.hears(&alarm("weather", "OK", ago(1), &[weather])).await;
    town.comes_to_rest().await;
    album.add("recovered", &town);

    let town = Town::new("healthy").await;
    storm(&town, 60, 3).await;
    album.add("storm", &town);
    let town = town.later(11, "healthy", "", ROUTE).await;
    rotation_diag::bot::begin_rechecks(&town.world.store).await.unwrap();
    town.comes_to_rest().await;
    album.add("storm-over", &town);

    let town = Town::new("healthy").await;
    town.hears(&alarm("a metric that names nobody", "ALARM", ago(5), &[("FunctionName", "nobody")])).await;
    // It is tried again for a while, so it does not come to rest.
    town.reads("Could not determine which secret").await;
    album.add("unmapped", &town);
    let town = Town::new("healthy").await;
    town.hears(&alarm("long ago", "ALARM", ago(5 * 60), &[("FunctionName", "nobody")])).await;
    town.reads("Could not determine which secret").await;
    album.add("unmapped-for-good", &town);

    let town = Town::new("role_detached_policy").await;
    town.hears(&alarm("quiet", "INSUFFICIENT_DATA", ago(5), &[ORDERS])).await;
    town.comes_to_rest().await;
    album.add("no-data", &town);

    let second = "[[secret]]\nname = \"prod/users-db\"\nfunction = \"orders-rotator\"\n";
    let town = Town::with("role_detached_policy", second, ROUTE).await;
    let crossed = "Threshold Crossed: 1 out of the last 1 datapoints was greater than the threshold (0.0).";
    for (id, secret) in [("a29eb44b20c4362e", "prod/orders-db"), ("6d442278dba546f6", "prod/users-db")] {
        town.hears(&contributor(id, secret, "ALARM", ago(5), crossed)).await;
    }
    town.comes_to_rest().await;
    album.add("series", &town);
    let mapping = format!(
        "{ROUTE}[[alarms.mapping]]\nalarm = \"fleet\"\nsecrets = [\"prod/orders-db\", \"prod/users-db\", \"prod/none\"]\n"
    );
    let town = Town::with("role_detached_policy", second, &mapping).await;
    town.hears(&alarm("fleet", "ALARM", ago(5), &[])).await;
    town.comes_to_rest().await;
    album.add("fleet", &town);

    let mapping = format!("{ROUTE}[[alarms.mapping]]\nalarm = \"all-of-orders\"\nsecrets = [\"prod/orders-db\"]\n");
    for (kind, message) in others() {
        let town = Town::with("role_detached_policy", "", &mapping).await;
        town.hears(&message).await;
        town.comes_to_rest().await;
        assert!(!town.slack.shown().is_empty(), "{kind} tells nothing");
        album.add(kind, &town);
    }
    let town = Town::new("role_detached_policy").await;
    town.hears(&incident("open", 20)).await;
    town.comes_to_rest().await;
    album.add("health", &town);
    town.hears(&incident("closed", 5)).await;
    town.comes_to_rest().await;
    album.add("health-over", &town);
    let mut town = Town::asleep_at(tempfile::tempdir().unwrap(), "role_detached_policy", "", ROUTE).await;
    town.hears(&alarm("orders-page", "ALARM", ago(50), &[ORDERS])).await;
    town.wear_out().await;
    town.wake();
    town.reads("could not be processed").await;
    album.add("given-up", &town);

    for kind in [
        "opened",
        "joined",
        "flapping",
        "settled",
        "recovered",
        "storm",
        "storm-over",
        "unmapped",
        "series",
        "fleet",
        "composite",
        "rotation-failed",
        "config",
        "security-hub",
        "health",
        "health-over",
        "given-up",
    ] {
        assert!(album.0.contains_key(&format!("alarm-{kind}-1")), "{kind}: {:?}", album.0.keys());
    }
    for (name, shown) in &album.0 {
        let rendered = message(shown, Surface::Post);
        let blocks = serde_json::to_value(&rendered.blocks).unwrap();
        check_blocks(&blocks, false).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let files: Vec<String> = shown.attachments.iter().map(|file| file.name.clone()).collect();
        keep(slack::NAME.id(), name, shown, json!({ "text": rendered.text, "blocks": blocks }), &files);
        // Whom an alarm calls has another id on each platform.
        let shown = Message { mention: None, ..shown.clone() };
        let fields = discord::fields(&shown);
        let mut wrong = check::body("POST", "/channels/{channel_id}/messages", &fields);
        wrong.extend(check::message(&fields, &json!({ "parse": [] }), false));
        assert_eq!(wrong, Vec::<String>::new(), "{name}");
        keep(discord::NAME.id(), name, &shown, fields, &files);
    }
}
