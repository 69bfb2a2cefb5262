//! The command that takes a command back, with what the evidence held before it.

use super::apply::is_key;
use super::command::{AwsCommand, nothing};
use super::effect::{CommandEffect, document_of, reserved};
use super::network::NetworkChange;
use crate::diagnosis::readings::runtime::support::may_be_set;
use crate::diagnosis::remedy::aws;
use crate::model::{Evidence, FunctionFacts, KeyFacts, Observation, SecretAccess, UndoDanger};
use jiff::tz::TimeZone;
use serde_json::Value;

/// How long KMS waits at least and at most before it deletes a key, in days. Source: KMS API reference, `ScheduleKeyDeletion`.
const DELETION_DAYS: (i64, i64) = (7, 30);

/// The command that takes `text` back; `before` is the evidence as it was before.
pub(super) fn undo(text: &str, effect: &CommandEffect, before: &Evidence) -> Option<String> {
    if let Some(back) = statement_back(text) {
        return Some(back);
    }
    let command = AwsCommand::parse(text)?;
    let json = |document: &Value| document.to_string();
    let here = |words: &[&str]| aws(&[words, &["--region", before.region.as_str()]].concat());
    let secret = command.option("secret-id").unwrap_or_default();
    let function = command.option("function-name").unwrap_or_default();
    Some(match effect {
        CommandEffect::Reads | CommandEffect::DatabaseTakes | CommandEffect::InDatabase(_) => return None,
        CommandEffect::Rotates { turns_on: true, .. } => here(&["secretsmanager", "cancel-rotate-secret", "--secret-id", secret]),
        CommandEffect::Rotates { function, schedule, .. } => {
            return rebind(before, secret, function.is_some(), schedule.is_some());
        }
        CommandEffect::CreatesRole { name, .. } => aws(&["iam", "delete-role", "--role-name", name]),
        CommandEffect::RolePolicy { role, name, .. } => match document_of(before, name) {
            Some(old) => {
                let old = json(old);
                aws(&["iam", "put-role-policy", "--role-name", role, "--policy-name", name, "--policy-document", &old])
            }
            None => aws(&["iam", "delete-role-policy", "--role-name", role, "--policy-name", name]),
        },
        CommandEffect::Attachment { role, arn, attaches } => {
            let verb = if *attaches { "detach-role-policy" } else { "attach-role-policy" };
            aws(&["iam", verb, "--role-name", role, "--policy-arn", arn])
        }
        CommandEffect::ManagedPolicy { arn, .. } => {
            let old = json(document_of(before, arn)?);
            aws(&["iam", "create-policy-version", "--policy-arn", arn, "--policy-document", &old, "--set-as-default"])
        }
        CommandEffect::RemovesBoundary { role } => {
            let boundary = before.role.found()?.policies.found()?.boundary.as_ref()?;
            aws(&["iam", "put-role-permissions-boundary", "--role-name", role, "--permissions-boundary", &boundary.name])
        }
        CommandEffect::Trust { role, .. } => {
            let old = json(before.role.found()?.trust.found()?);
            aws(&["iam", "update-assume-role-policy", "--role-name", role, "--policy-document", &old])
        }
        CommandEffect::SecretPolicy { .. } => match before.access.found()?.secret_policy.found() {
            Some(old) => {
                let old = json(old);
                here(&["secretsmanager", "put-resource-policy", "--secret-id", secret, "--resource-policy", &old])
            }
            None => here(&["secretsmanager", "delete-resource-policy", "--secret-id", secret]),
        },
        CommandEffect::KeyPolicy { key, .. } => {
            let old = json(key_of(before, key)?.policy.found()?);
            here(&["kms", "put-key-policy", "--key-id", key, "--policy-name", "default", "--policy", &old])
        }
        CommandEffect::EnablesKey { key } => here(&["kms", "disable-key", "--key-id", key]),
        CommandEffect::KeepsKey { key } => {
            let days =
                key_of(before, key).and_then(|facts| facts.deletion_at).map(|at| at.duration_since(before.now).as_hours() / 24);
            let days = days.unwrap_or(DELETION_DAYS.1).clamp(DELETION_DAYS.0, DELETION_DAYS.1).to_string();
            here(&["kms", "schedule-key-deletion", "--key-id", key, "--pending-window-in-days", &days])
        }
        CommandEffect::SecretKey { .. } => {
            let old = before.secret.found()?.kms_key_id.as_deref().unwrap_or("alias/aws/secretsmanager");
            if let Some(why) = unusable(&before.access.found()?.secret_key) {
                return Some(nothing(&format!("the key {old} {why}")));
            }
            here(&["secretsmanager", "update-secret", "--secret-id", secret, "--kms-key-id", old])
        }
        CommandEffect::AllowsInvoke { .. } => {
            let sid = command.option("statement-id")?;
            here(&with_qualifier(&command, &["lambda", "remove-permission", "--function-name", function, "--statement-id", sid]))
        }
        CommandEffect::RemovesInvoke { sid } => return allow_again(&command, before, function, sid),
        CommandEffect::Concurrency { .. } => match reserved(before)? {
            Some(old) => {
                let old = old.to_string();
                let words = ["--function-name", function, "--reserved-concurrent-executions", &old];
                here(&[&["lambda", "put-function-concurrency"], &words[..]].concat())
            }
            None => here(&["lambda", "delete-function-concurrency", "--function-name", function]),
        },
        CommandEffect::Function { settings } => return settings_back(before, function, settings),
        CommandEffect::Code => {
            here(&["lambda", "update-function-code", "--function-name", function, "--zip-file", "fileb://previous.zip"])
        }
        CommandEffect::Restores => {
            here(&["secretsmanager", "delete-secret", "--secret-id", secret, "--recovery-window-in-days", "30"])
        }
        CommandEffect::Value => return value_back(before, secret),
        CommandEffect::Label { label, from, to } => {
            let mut words =
                vec!["secretsmanager", "update-secret-version-stage", "--secret-id", secret, "--version-stage", label];
            words.extend(to.as_deref().into_iter().flat_map(|to| ["--remove-from-version-id", to]));
            words.extend(from.as_deref().into_iter().flat_map(|from| ["--move-to-version-id", from]));
            here(&words)
        }
        CommandEffect::Network(change) => return change.undo(text, before),
        CommandEffect::Elsewhere => return elsewhere(&command, text, before),
    })
}

/// How it can cut applications off to take such a command back; `None` where it cuts nobody off.
pub(super) const fn danger(effect: &CommandEffect) -> Option<UndoDanger> {
    Some(match effect {
        CommandEffect::Value | CommandEffect::Label { .. } => UndoDanger::OldLabels,
        CommandEffect::EnablesKey { .. } => UndoDanger::DisabledKey,
        CommandEffect::KeepsKey { .. } => UndoDanger::DeletedKey,
        CommandEffect::Restores => UndoDanger::DeletedSecret,
        CommandEffect::Network(NetworkChange::StartsDatabase { .. }) => UndoDanger::StoppedDatabase,
        CommandEffect::Network(NetworkChange::DnsAttribute { is_support: true, .. }) => UndoDanger::NoNameServer,
        CommandEffect::Network(NetworkChange::Endpoint(_)) => UndoDanger::DeletedEndpoint,
        _ => return None,
    })
}

fn key_of<'e>(evidence: &'e Evidence, key: &str) -> Option<&'e KeyFacts> {
    let SecretAccess { secret_key, environment_key, .. } = evidence.access.found()?;
    [secret_key, environment_key].into_iter().filter_map(|key| key.found()).find(|facts| is_key(facts, key))
}

fn with_qualifier<'w>(command: &'w AwsCommand, words: &[&'w str]) -> Vec<&'w str> {
    let mut words = words.to_vec();
    words.extend(command.option("qualifier").into_iter().flat_map(|qualifier| ["--qualifier", qualifier]));
    words
}

/// Why nothing can be encrypted with the key; `None` where it can, or nobody knows.
fn unusable(key: &Observation<KeyFacts>) -> Option<String> {
    match key {
        Observation::Found(key) if !key.is_usable() => Some(format!("is {}", key.state)),
        Observation::NoData { .. } => Some("does not exist".to_owned()),
        _ => None,
    }
}

/// The function and the schedule that the secret had, without rotating.
fn rebind(before: &Evidence, secret: &str, function: bool, schedule: bool) -> Option<String> {
    let config = before.rotation_config.found()?;
    let bound = config.function_arn.as_ref().map(|arn| arn.arn().as_str());
    let is_gone = matches!(before.function.observation, Observation::NoData { .. });
    let old = bound.filter(|_| function && !is_gone);
    let rules = schedule.then(|| crate::diagnosis::remedy::schedule_of(config));
    if function && old.is_none() && rules.is_none() {
        return Some(nothing(&bound.map_or_else(
            || "the secret was bound to no function".to_owned(),
            |gone| format!("the function {gone} does not exist"),
        )));
    }
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", secret, "--no-rotate-immediately"];
    words.extend(old.into_iter().flat_map(|arn| ["--rotation-lambda-arn", arn]));
    words.extend(rules.iter().flat_map(|rules| ["--rotation-rules", rules.as_str()]));
    words.extend(["--region", before.region.as_str()]);
    (old.is_some() || rules.is_some()).then(|| aws(&words))
}

fn allow_again(command: &AwsCommand, before: &Evidence, function: &str, sid: &str) -> Option<String> {
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
            "runtime" => {
                let runtime = facts.runtime.clone()?;
                if !is_accepted(&runtime, before) {
                    return Some(nothing(&format!("Lambda no longer accepts the runtime {runtime}")));
                }
                vec![runtime]
            }
            "handler" => vec![facts.handler.clone()?],
            "role" => vec![facts.role.arn().as_str().to_owned()],
            "layers" if facts.layers.is_empty() => vec!["[]".to_owned()],
            "layers" => facts.layers.clone(),
            "vpc-config" => {
                if let Some(gone) = gone_of_vpc(before, facts) {
                    return Some(nothing(&gone));
                }
                vec![vpc.clone()?]
            }
            "kms-key-arn" => {
                let key = facts.kms_key_arn.as_ref()?.to_string();
                if let Some(why) = unusable(&before.access.found()?.environment_key) {
                    return Some(nothing(&format!("the key {key} {why}")));
                }
                vec![key]
            }
            "environment" => vec!["file://environment.before.json".to_owned()],
            "description" => vec![String::new()],
            _ => return None,
        };
        words.push(format!("--{name}"));
        words.extend(old);
    }
    words.extend(["--region".to_owned(), before.region.to_string()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(aws(&words))
}

/// What of the function's VPC configuration was deleted, by what Lambda complains of and by the deletions that were seen.
fn gone_of_vpc(before: &Evidence, function: &FunctionFacts) -> Option<String> {
    const DELETIONS: [&str; 2] = ["DeleteSubnet", "DeleteSecurityGroup"];
    let vpc = function.vpc.as_ref()?;
    let complains = |code: &Option<String>| {
        code.as_deref().is_some_and(|code| code.starts_with("InvalidSubnet") || code.starts_with("InvalidSecurityGroup"))
    };
    let said = [
        function.state_reason.as_deref().filter(|_| complains(&function.state_reason_code)),
        function.last_update_reason.as_deref().filter(|_| complains(&function.last_update_reason_code)),
    ];
    let changes = before.changes.found().map(|changes| changes.changes.as_slice()).unwrap_or_default();
    let deletions = changes.iter().filter(|change| DELETIONS.contains(&change.event.as_str()));
    let deleted: Vec<String> = deletions.map(|change| format!("{} {}", change.resource, change.parameters)).collect();
    let is_gone = |id: &&String| {
        said.iter().flatten().any(|text| text.contains(id.as_str())) || deleted.iter().any(|text| text.contains(id.as_str()))
    };
    match vpc.subnet_ids.iter().chain(&vpc.security_group_ids).find(is_gone) {
        Some(id) => Some(format!("{id} does not exist")),
        None if said.iter().any(Option::is_some) => {
            Some("a subnet or security group of the old configuration does not exist".to_owned())
        }
        None => None,
    }
}

/// Makes the version current again that was so before; the new one's id is asked for at that moment.
fn value_back(before: &Evidence, secret: &str) -> Option<String> {
    let Some(current) = before.secret.found()?.version_with("AWSCURRENT") else {
        return Some(nothing("the secret had no value"));
    };
    let region = before.region.as_str();
    let query = "Versions[?contains(VersionStages, 'AWSCURRENT')].VersionId | [0]";
    let ask = ["secretsmanager", "list-secret-version-ids", "--secret-id", secret, "--query", query];
    let ask = aws(&[&ask[..], &["--output", "text", "--region", region]].concat());
    let words = ["secretsmanager", "update-secret-version-stage", "--secret-id", secret, "--version-stage", "AWSCURRENT"];
    let move_back = aws(&[&words[..], &["--move-to-version-id", &current.id]].concat());
    Some(format!("{move_back} --remove-from-version-id \"$({ask})\" --region {region}"))
}

/// Statements whose opposite needs nothing that was there before: what each says, and what its opposite says instead.
const OPPOSITES: &[(&str, &str)] = &[
    ("\" LOGIN", "\" NOLOGIN"),
    ("\" CREATEROLE", "\" NOCREATEROLE"),
    ("ACCOUNT UNLOCK", "ACCOUNT LOCK"),
    ("] ENABLE", "] DISABLE"),
    ("CHECK_EXPIRATION = OFF", "CHECK_EXPIRATION = ON"),
    ("PASSWORD EXPIRE NEVER", "PASSWORD EXPIRE DEFAULT"),
    ("allow_connections true", "allow_connections false"),
    ("REVOKE rds_iam FROM", "GRANT rds_iam TO"),
    ("GRANT rds_password TO", "REVOKE rds_password FROM"),
];

/// The opposite of a single statement for the database's administrator.
fn statement_back(text: &str) -> Option<String> {
    let is_statement = ["psql ", "mysql ", "sqlcmd "].iter().any(|client| text.starts_with(client)) && !text.contains(" | ");
    let (said, opposite) = OPPOSITES.iter().find(|(said, _)| is_statement && text.contains(said))?;
    Some(text.replacen(said, opposite, 1))
}

/// Lets AWS update the runtime again, as it did before a function was bound to one version of it.
fn updated_again(command: &AwsCommand, before: &Evidence) -> Option<String> {
    let function = command.option("function-name")?;
    if let Some(runtime) =
        before.function.found().and_then(|facts| facts.runtime.as_deref()).filter(|one| !is_accepted(one, before))
    {
        return Some(nothing(&format!("Lambda takes no change of a function with the runtime {runtime}")));
    }
    let words = ["lambda", "put-runtime-management-config", "--function-name", function, "--update-runtime-on", "Auto"];
    Some(aws(&[&words[..], &["--region", before.region.as_str()]].concat()))
}

/// True where Lambda certainly lets a function be set to `runtime` now.
fn is_accepted(runtime: &str, before: &Evidence) -> bool {
    may_be_set(runtime, TimeZone::UTC.to_datetime(before.now).date())
}

/// The boundary that the role had, or none.
fn bounded_again(command: &AwsCommand, before: &Evidence) -> Option<String> {
    let facts = before.role.found().filter(|facts| command.option("role-name") == Some(facts.role.name()))?;
    let policies = facts.policies.found()?;
    let role = facts.role.name();
    match &policies.boundary {
        Some(boundary) => {
            let arn = boundary.name.as_str();
            Some(aws(&["iam", "put-role-permissions-boundary", "--role-name", role, "--permissions-boundary", arn]))
        }
        None if policies.complete => Some(aws(&["iam", "delete-role-permissions-boundary", "--role-name", role])),
        None => None,
    }
}

/// A rule of a security group goes as it came.
fn elsewhere(command: &AwsCommand, text: &str, before: &Evidence) -> Option<String> {
    let (verb, opposite) = match command.operation.as_str() {
        "put-key-policy" if text.contains(" file://key-policy.json") => {
            return Some(text.replace("file://key-policy.json", "file://key-policy.before.json"));
        }
        "modify-vpc-endpoint" if text.contains(" file://endpoint-policy.json") => {
            return Some(text.replace("file://endpoint-policy.json", "file://endpoint-policy.before.json"));
        }
        "put-runtime-management-config" => return updated_again(command, before),
        "put-role-permissions-boundary" => return bounded_again(command, before),
        operation if operation.starts_with("authorize-security-group-") => ("authorize", "revoke"),
        operation if operation.starts_with("revoke-security-group-") => ("revoke", "authorize"),
        _ => return None,
    };
    Some(text.replacen(verb, opposite, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::plan::effect::CommandEffect;
    use crate::diagnosis::testing::*;
    use crate::model::Concern;

    #[test]
    fn a_way_back_that_can_cut_applications_off_is_known_by_what_the_command_does() {
        let evidence = healthy();
        let of = |text: &str| danger(&CommandEffect::of(text, &evidence));
        assert_eq!(of("aws kms enable-key --key-id k"), Some(UndoDanger::DisabledKey));
        assert_eq!(of("aws kms cancel-key-deletion --key-id k"), Some(UndoDanger::DeletedKey));
        assert_eq!(of("aws iam detach-role-policy --role-name r --policy-arn arn:aws:iam::123456789012:policy/p"), None);
        assert_eq!(danger(&CommandEffect::Restores), Some(UndoDanger::DeletedSecret));
        assert_eq!(danger(&CommandEffect::Value), Some(UndoDanger::OldLabels));
    }

    #[test]
    fn a_statement_with_an_opposite_is_taken_back_by_it_and_one_without_is_not() {
        let evidence = healthy();
        let back = |text: &str| undo(text, &CommandEffect::of(text, &evidence), &evidence);
        for (text, expected) in [
            ("psql --dbname 'service=admin' --command 'ALTER ROLE \"app\" LOGIN'", "ALTER ROLE \"app\" NOLOGIN"),
            ("mysql '--defaults-extra-file=admin.cnf' --execute \"ALTER USER 'app'@'%' ACCOUNT UNLOCK\"", "ACCOUNT LOCK"),
            ("psql --dbname 'service=admin' --command 'REVOKE rds_iam FROM \"app\"'", "GRANT rds_iam TO \"app\""),
        ] {
            assert!(back(text).is_some_and(|back| back.contains(expected)), "{text}");
        }
        for text in [
            "psql --dbname 'service=admin' --command 'ALTER ROLE \"app\" CONNECTION LIMIT -1'",
            "psql --dbname 'service=admin' --command 'SELECT rolname FROM pg_roles'",
        ] {
            assert_eq!(back(text), None, "{text}");
        }
    }

    fn way_back(words: &[&str], evidence: &Evidence) -> String {
        let text = aws(&[words, &["--region", "eu-west-1"]].concat());
        undo(&text, &CommandEffect::of(&text, evidence), evidence).unwrap()
    }

    #[test]
    fn a_boundary_a_file_and_a_first_value_have_a_way_back_too() {
        let mut evidence = healthy();
        let bound = "aws iam put-role-permissions-boundary --role-name orders-rotator-role --permissions-boundary BOUNDARY_ARN";
        let back = |text: &str, evidence: &Evidence| undo(text, &CommandEffect::of(text, evidence), evidence);
        let unbound = "aws iam delete-role-permissions-boundary --role-name orders-rotator-role";
        assert_eq!(back(bound, &evidence).as_deref(), Some(unbound));
        let Observation::Found(policies) = &mut facts(&mut evidence.role).policies else { panic!() };
        let old = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
        policies.boundary = Some(crate::model::PolicyDocument { name: old.clone(), document: serde_json::json!({}) });
        assert_eq!(back(bound, &evidence), Some(bound.replace("BOUNDARY_ARN", &old)));
        for (command, file) in [
            ("kms put-key-policy --key-id k --policy-name default --policy", "key-policy"),
            ("ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-0 --policy-document", "endpoint-policy"),
        ] {
            let saved = format!("aws {command} file://{file}.before.json");
            assert_eq!(back(&format!("aws {command} file://{file}.json"), &evidence), Some(saved));
        }
        let store = ["secretsmanager", "put-secret-value", "--secret-id", SECRET, "--secret-string", "file://value.json"];
        facts(&mut evidence.secret).versions.clear();
        assert_eq!(way_back(&store, &evidence), "# nothing to go back to: the secret had no value");
    }

    #[test]
    fn nothing_is_bound_again_that_does_not_exist() {
        let bind = ["secretsmanager", "rotate-secret", "--secret-id", SECRET, "--rotation-lambda-arn", "NEW_FUNCTION_ARN"];
        let mut evidence = healthy();
        assert!(way_back(&bind, &evidence).contains(&format!("--rotation-lambda-arn {FUNCTION}")));
        evidence.function = record(no_data());
        assert_eq!(way_back(&bind, &evidence), format!("# nothing to go back to: the function {FUNCTION} does not exist"));
        let with_schedule = [&bind[..], &["--rotation-rules", "AutomaticallyAfterDays=7"]].concat();
        let back = way_back(&with_schedule, &evidence);
        assert!(back.contains("--rotation-rules") && !back.contains("--rotation-lambda-arn"), "{back}");
        facts(&mut evidence.rotation_config).function_arn = None;
        assert_eq!(way_back(&bind, &evidence), "# nothing to go back to: the secret was bound to no function");
    }

    #[test]
    fn a_function_goes_back_to_no_subnet_runtime_or_key_that_is_gone() {
        let set = |option: &str, value: &str, evidence: &Evidence| {
            way_back(&["lambda", "update-function-configuration", "--function-name", "orders-rotator", option, value], evidence)
        };
        let vpc = "SubnetIds=subnet-0new,SecurityGroupIds=sg-0a1b2c3d";
        let mut evidence = healthy();
        assert!(set("--vpc-config", vpc, &evidence).contains("SubnetIds=subnet-0a1b2c3d,"));
        let mut deleted = change(hours_ago(3), "DeleteSubnet", Concern::Network);
        deleted.resource = "subnet-0a1b2c3d".to_owned();
        facts(&mut evidence.changes).changes.push(deleted);
        assert_eq!(set("--vpc-config", vpc, &evidence), "# nothing to go back to: subnet-0a1b2c3d does not exist");
        facts(&mut evidence.changes).changes.clear();
        let function = facts(&mut evidence.function);
        function.state_reason_code = Some("InvalidSubnet".to_owned());
        function.state_reason = Some("The subnet is gone.".to_owned());
        assert!(set("--vpc-config", vpc, &evidence).starts_with("# nothing to go back to: a subnet or security group"));
        assert!(set("--runtime", "python3.14", &evidence).contains("--runtime python3.13"));
        let bound =
            ["lambda", "put-runtime-management-config", "--function-name", "orders-rotator", "--update-runtime-on", "Manual"];
        assert!(way_back(&bound, &evidence).contains("--update-runtime-on Auto"));
        facts(&mut evidence.function).runtime = Some("python3.7".to_owned());
        assert_eq!(
            set("--runtime", "python3.14", &evidence),
            "# nothing to go back to: Lambda no longer accepts the runtime python3.7"
        );
        let refused = "# nothing to go back to: Lambda takes no change of a function with the runtime python3.7";
        assert_eq!(way_back(&bound, &evidence), refused);
        let own = ["secretsmanager", "update-secret", "--secret-id", SECRET, "--kms-key-id", "alias/aws/secretsmanager"];
        assert!(way_back(&own, &evidence).contains(KEY));
        facts(&mut evidence.access).secret_key = no_data();
        assert_eq!(way_back(&own, &evidence), format!("# nothing to go back to: the key {KEY} does not exist"));
    }
}
