//! The command that takes a command back, with what the evidence held before it.

use super::apply::is_key;
use super::command::Command;
use super::effect::{Effect, document_of, reserved};
use crate::diagnosis::remedy::aws;
use crate::model::{Evidence, KeyFacts, SecretAccess};
use serde_json::Value;

/// How long KMS waits at least and at most before it deletes a key, in days. Source: KMS API reference, `ScheduleKeyDeletion`.
const DELETION_DAYS: (i64, i64) = (7, 30);

/// The command that takes `text` back; `before` is the evidence as it was before.
pub(super) fn undo(text: &str, effect: &Effect, before: &Evidence) -> Option<String> {
    let command = Command::parse(text)?;
    let json = |document: &Value| document.to_string();
    let here = |words: &[&str]| aws(&[words, &["--region", before.region.as_str()]].concat());
    let secret = command.option("secret-id").unwrap_or_default();
    let function = command.option("function-name").unwrap_or_default();
    Some(match effect {
        Effect::Reads | Effect::DatabaseTakes => return None,
        Effect::Rotates { turns_on: true, .. } => here(&["secretsmanager", "cancel-rotate-secret", "--secret-id", secret]),
        Effect::Rotates { function, schedule, .. } => return rebind(before, secret, function.is_some(), schedule.is_some()),
        Effect::CreatesRole { name, .. } => aws(&["iam", "delete-role", "--role-name", name]),
        Effect::RolePolicy { role, name, .. } => match document_of(before, name) {
            Some(old) => {
                let old = json(old);
                aws(&["iam", "put-role-policy", "--role-name", role, "--policy-name", name, "--policy-document", &old])
            }
            None => aws(&["iam", "delete-role-policy", "--role-name", role, "--policy-name", name]),
        },
        Effect::Attachment { role, arn, attaches } => {
            let verb = if *attaches { "detach-role-policy" } else { "attach-role-policy" };
            aws(&["iam", verb, "--role-name", role, "--policy-arn", arn])
        }
        Effect::ManagedPolicy { arn, .. } => {
            let old = json(document_of(before, arn)?);
            aws(&["iam", "create-policy-version", "--policy-arn", arn, "--policy-document", &old, "--set-as-default"])
        }
        Effect::RemovesBoundary { role } => {
            let boundary = before.role.found()?.policies.found()?.boundary.as_ref()?;
            aws(&["iam", "put-role-permissions-boundary", "--role-name", role, "--permissions-boundary", &boundary.name])
        }
        Effect::Trust { role, .. } => {
            let old = json(before.role.found()?.trust.found()?);
            aws(&["iam", "update-assume-role-policy", "--role-name", role, "--policy-document", &old])
        }
        Effect::SecretPolicy { .. } => match before.access.found()?.secret_policy.found() {
            Some(old) => {
                let old = json(old);
                here(&["secretsmanager", "put-resource-policy", "--secret-id", secret, "--resource-policy", &old])
            }
            None => here(&["secretsmanager", "delete-resource-policy", "--secret-id", secret]),
        },
        Effect::KeyPolicy { key, .. } => {
            let old = json(key_of(before, key)?.policy.found()?);
            here(&["kms", "put-key-policy", "--key-id", key, "--policy-name", "default", "--policy", &old])
        }
        Effect::EnablesKey { key } => here(&["kms", "disable-key", "--key-id", key]),
        Effect::KeepsKey { key } => {
            let days =
                key_of(before, key).and_then(|facts| facts.deletion_at).map(|at| at.duration_since(before.now).as_hours() / 24);
            let days = days.unwrap_or(DELETION_DAYS.1).clamp(DELETION_DAYS.0, DELETION_DAYS.1).to_string();
            here(&["kms", "schedule-key-deletion", "--key-id", key, "--pending-window-in-days", &days])
        }
        Effect::SecretKey { .. } => {
            let old = before.secret.found()?.kms_key_id.as_deref().unwrap_or("alias/aws/secretsmanager");
            here(&["secretsmanager", "update-secret", "--secret-id", secret, "--kms-key-id", old])
        }
        Effect::AllowsInvoke { .. } => {
            let sid = command.option("statement-id")?;
            here(&with_qualifier(&command, &["lambda", "remove-permission", "--function-name", function, "--statement-id", sid]))
        }
        Effect::RemovesInvoke { sid } => return allow_again(&command, before, function, sid),
        Effect::Concurrency { .. } => match reserved(before)? {
            Some(old) => {
                let old = old.to_string();
                let words = ["--function-name", function, "--reserved-concurrent-executions", &old];
                here(&[&["lambda", "put-function-concurrency"], &words[..]].concat())
            }
            None => here(&["lambda", "delete-function-concurrency", "--function-name", function]),
        },
        Effect::Function { settings } => return settings_back(before, function, settings),
        Effect::Code => {
            here(&["lambda", "update-function-code", "--function-name", function, "--zip-file", "fileb://previous.zip"])
        }
        Effect::Restores => here(&["secretsmanager", "delete-secret", "--secret-id", secret, "--recovery-window-in-days", "30"]),
        Effect::Value => return value_back(before, secret),
        Effect::Label { label, from, to } => {
            let mut words =
                vec!["secretsmanager", "update-secret-version-stage", "--secret-id", secret, "--version-stage", label];
            words.extend(to.as_deref().into_iter().flat_map(|to| ["--remove-from-version-id", to]));
            words.extend(from.as_deref().into_iter().flat_map(|from| ["--move-to-version-id", from]));
            here(&words)
        }
        Effect::Network(change) => return change.undo(text, before),
        Effect::Elsewhere => return elsewhere(&command, text),
    })
}

fn key_of<'e>(evidence: &'e Evidence, key: &str) -> Option<&'e KeyFacts> {
    let SecretAccess { secret_key, environment_key, .. } = evidence.access.found()?;
    [secret_key, environment_key].into_iter().filter_map(|key| key.found()).find(|facts| is_key(facts, key))
}

fn with_qualifier<'w>(command: &'w Command, words: &[&'w str]) -> Vec<&'w str> {
    let mut words = words.to_vec();
    words.extend(command.option("qualifier").into_iter().flat_map(|qualifier| ["--qualifier", qualifier]));
    words
}

/// The function and the schedule that the secret had, without rotating.
fn rebind(before: &Evidence, secret: &str, function: bool, schedule: bool) -> Option<String> {
    let config = before.rotation_config.found()?;
    let old = config.function_arn.as_ref().map(|arn| arn.arn().as_str()).filter(|_| function);
    let rules = schedule.then(|| crate::diagnosis::remedy::schedule_of(config));
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", secret, "--no-rotate-immediately"];
    words.extend(old.into_iter().flat_map(|arn| ["--rotation-lambda-arn", arn]));
    words.extend(rules.iter().flat_map(|rules| ["--rotation-rules", rules.as_str()]));
    words.extend(["--region", before.region.as_str()]);
    (old.is_some() || rules.is_some()).then(|| aws(&words))
}

fn allow_again(command: &Command, before: &Evidence, function: &str, sid: &str) -> Option<String> {
    let policy = before.access.found()?.function_policy.found()?;
    let statements = policy.get("Statement")?.as_array()?;
    let statement = statements.iter().find(|one| one.get("Sid").and_then(Value::as_str) == Some(sid))?;
    // AddPermission writes no Deny.
    statement.get("Effect").filter(|effect| effect.as_str() == Some("Allow"))?;
    let action = statement.get("Action")?.as_str()?;
    let principal = statement.get("Principal")?;
    let principal = principal.as_str().or_else(|| principal.as_object()?.values().next()?.as_str())?;
    let mut words = vec!["lambda", "add-permission", "--function-name", function, "--statement-id", sid];
    words.extend(["--action", action, "--principal", principal]);
    let conditions: Vec<(&String, &Value)> = statement
        .get("Condition")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .flat_map(|(_, keys)| keys.as_object())
        .flatten()
        .collect();
    for (key, value) in conditions {
        let option = match key.to_ascii_lowercase().as_str() {
            "aws:sourceaccount" => "--source-account",
            "aws:sourcearn" => "--source-arn",
            _ => return None,
        };
        words.extend([option, value.as_str()?]);
    }
    let mut words = with_qualifier(command, &words);
    words.extend(["--region", before.region.as_str()]);
    Some(aws(&words))
}

fn settings_back(before: &Evidence, function: &str, settings: &[(String, String)]) -> Option<String> {
    let facts = before.function.found()?;
    let vpc = facts
        .vpc
        .as_ref()
        .map(|vpc| format!("SubnetIds={},SecurityGroupIds={}", vpc.subnet_ids.join(","), vpc.security_group_ids.join(",")));
    let mut words: Vec<String> =
        ["lambda", "update-function-configuration", "--function-name", function].map(str::to_owned).to_vec();
    for (name, _) in settings {
        let old: Vec<String> = match name.as_str() {
            "timeout" => vec![facts.timeout_s?.to_string()],
            "memory-size" => vec![facts.memory_mb?.to_string()],
            "runtime" => vec![facts.runtime.clone()?],
            "handler" => vec![facts.handler.clone()?],
            "role" => vec![facts.role.arn().as_str().to_owned()],
            "layers" => facts.layers.clone(),
            "vpc-config" => vec![vpc.clone()?],
            "kms-key-arn" => vec![facts.kms_key_arn.as_ref()?.to_string()],
            "environment" => vec!["file://environment.before.json".to_owned()],
            "description" => vec![String::new()],
            _ => return None,
        };
        words.push(format!("--{name}"));
        words.extend(old);
    }
    words.extend(["--region".to_owned(), before.region.clone()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(aws(&words))
}

/// Makes the version current again that was so before; the new one's id is asked for at that moment.
fn value_back(before: &Evidence, secret: &str) -> Option<String> {
    let current = before.secret.found()?.version_with("AWSCURRENT")?;
    let region = before.region.as_str();
    let query = "Versions[?contains(VersionStages, 'AWSCURRENT')].VersionId | [0]";
    let ask = ["secretsmanager", "list-secret-version-ids", "--secret-id", secret, "--query", query];
    let ask = aws(&[&ask[..], &["--output", "text", "--region", region]].concat());
    let words = ["secretsmanager", "update-secret-version-stage", "--secret-id", secret, "--version-stage", "AWSCURRENT"];
    let move_back = aws(&[&words[..], &["--move-to-version-id", &current.id]].concat());
    Some(format!("{move_back} --remove-from-version-id \"$({ask})\" --region {region}"))
}

/// A rule of a security group goes as it came.
fn elsewhere(command: &Command, text: &str) -> Option<String> {
    let (verb, opposite) = match command.operation.as_str() {
        operation if operation.starts_with("authorize-security-group-") => ("authorize", "revoke"),
        operation if operation.starts_with("revoke-security-group-") => ("revoke", "authorize"),
        _ => return None,
    };
    Some(text.replacen(verb, opposite, 1))
}
