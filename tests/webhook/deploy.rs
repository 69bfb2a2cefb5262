//! The templates in `deploy/` let nobody in but whom they name.

use std::fs;

fn template(name: &str) -> String {
    fs::read_to_string(format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The statements of the policies in a template, each from its `Sid` to the next, or to the next resource.
fn statements(template: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut depth = None;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("- Sid:") {
            found.push(String::new());
            depth = Some(indent);
        } else if depth.is_some_and(|depth| indent <= depth) && !line.trim().is_empty() {
            depth = None;
        }
        if depth.is_some() {
            let last = found.last_mut().unwrap();
            last.push_str(line);
            last.push('\n');
        }
    }
    found
}

/// Why a statement lets strangers in.
fn open_to_strangers(statement: &str) -> Option<&'static str> {
    if !statement.contains("Effect: Allow") {
        return None;
    }
    // Alone it opens nothing.
    if statement.contains("Action: sts:SetSourceIdentity\n") {
        return None;
    }
    let principal = statement.lines().find(|line| line.contains("Principal:"));
    match principal {
        Some(line) if line.contains('*') => Some("anybody"),
        Some(line) if line.contains("Service:") && !statement.contains("aws:SourceAccount: !Ref AWS::AccountId") => {
            Some("a service on behalf of another account")
        }
        Some(line) if line.contains("AWS:") && !statement.contains("sts:ExternalId: !Ref ExternalId") => {
            Some("whoever the bot is made to act for")
        }
        _ => None,
    }
}

#[test]
fn no_policy_is_open_to_strangers_and_each_guard_is_needed() {
    for name in ["alarms.yaml", "reader-role.yaml", "ecs.yaml"] {
        let text = template(name);
        assert!(statements(&text).len() >= 4, "{name}");
        for statement in statements(&text) {
            assert_eq!(open_to_strangers(&statement), None, "{name}: {statement}");
        }
    }
    let guarded = [
        ("alarms.yaml", "StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}"),
        ("reader-role.yaml", "StringEquals: {sts:ExternalId: !Ref ExternalId}"),
    ];
    for (name, guard) in guarded {
        let without = template(name).replacen(guard, "", 1);
        assert_eq!(statements(&without).iter().filter(|one| open_to_strangers(one).is_some()).count(), 1, "{name}");
    }
    let anybody = template("reader-role.yaml").replacen("{AWS: !Ref BotPrincipalArn}", "\"*\"", 1);
    assert!(statements(&anybody).iter().any(|one| open_to_strangers(one) == Some("anybody")));
}

#[test]
fn the_readers_role_has_exactly_the_policy_that_is_documented() {
    let policy: serde_json::Value = serde_json::from_str(&template("iam-policy.json")).unwrap();
    let documented: Vec<String> = (policy["Statement"].as_array().unwrap().iter())
        .map(|statement| {
            let actions = statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap());
            format!("{} {}", statement["Effect"].as_str().unwrap(), actions.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let role = template("reader-role.yaml");
    let (_, policies) = role.split_once("PolicyDocument:\n            Version").unwrap();
    let granted: Vec<String> = statements(policies)
        .iter()
        .map(|statement| {
            let effect = if statement.contains("Effect: Deny") { "Deny" } else { "Allow" };
            let actions = statement.lines().filter_map(|line| line.trim_start().strip_prefix("- "));
            let actions: Vec<&str> = actions.filter(|line| !line.starts_with("Sid:")).collect();
            format!("{effect} {}", actions.join(" "))
        })
        .collect();
    assert_eq!(granted, documented);
}

#[test]
fn the_topic_signs_with_version_two_and_what_is_not_delivered_is_kept() {
    let text = template("alarms.yaml");
    for needed in [
        "TopicName: !Ref TopicName",
        "SqsManagedSseEnabled: true",
        "SignatureVersion: \"2\"",
        "RawMessageDelivery: false",
        "RedrivePolicy: {deadLetterTargetArn: !GetAtt Undelivered.Arn}",
        "eventName: [RotationFailed, RotationAbandoned, TestRotationFailed, RotationSucceeded]",
        "detail-type: [\"Secret Label Updated\"]",
        "labelUpdated: [AWSCURRENT]",
        "GROUP BY SecretId ORDER BY SUM() DESC",
        "- Key: SecretId",
        "Value: $.additionalEventData.SecretId",
        "Value: $.serviceEventDetails.secretId",
    ] {
        assert!(text.contains(needed), "{needed}");
    }
    // Nobody can let SNS use a key that AWS manages.
    assert!(!text.contains("KmsMasterKeyId"), "SNS cannot write to the dead-letter queue");
}

/// The alarm's ARN holds its name, and a condition on it does not hold for a name outside ASCII.
#[test]
fn an_alarm_may_publish_whatever_its_name_is_written_in() {
    let alarms: Vec<String> = statements(&template("alarms.yaml"))
        .into_iter()
        .filter(|statement| statement.contains("cloudwatch.amazonaws.com"))
        .collect();
    assert_eq!(alarms.len(), 1);
    let conditions: Vec<&str> = alarms[0].lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let conditions = conditions.join("\n");
    assert!(
        !conditions.contains("aws:SourceArn") && conditions.contains("aws:SourceAccount: !Ref AWS::AccountId"),
        "{conditions}"
    );
}
