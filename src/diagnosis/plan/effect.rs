//! What a command does to the evidence, as data. It is read from the command itself, so that what is proven is what is printed.

use super::command::Command;
use super::network::NetworkChange;
use crate::model::{Evidence, FunctionArn, Observation};
use serde_json::{Value, json};

/// What a command does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// It shows something, or works on the person's own machine.
    Reads,
    /// It starts a rotation, and may bind the secret to a function or give it a schedule before.
    Rotates {
        turns_on: bool,
        function: Option<String>,
        schedule: Option<String>,
        at_once: bool,
    },
    /// A new role with this trust policy.
    CreatesRole {
        name: String,
        trust: Option<Value>,
    },
    /// An inline policy of a role; `None` where it is deleted.
    RolePolicy {
        role: String,
        name: String,
        document: Option<Value>,
    },
    /// A managed policy comes to a role, or leaves it.
    Attachment {
        role: String,
        arn: String,
        attaches: bool,
    },
    /// A managed policy gets another document.
    ManagedPolicy {
        arn: String,
        document: Value,
    },
    /// A role loses its permissions boundary.
    RemovesBoundary {
        role: String,
    },
    /// Who may assume a role.
    Trust {
        role: String,
        document: Value,
    },
    /// The secret's resource policy; `None` where it is deleted.
    SecretPolicy {
        document: Option<Value>,
    },
    KeyPolicy {
        key: String,
        document: Value,
    },
    /// A key is enabled.
    EnablesKey {
        key: String,
    },
    /// A key's deletion is called off; it stays disabled.
    KeepsKey {
        key: String,
    },
    /// The secret is encrypted with another key; `None` is the AWS managed one.
    SecretKey {
        key: Option<String>,
    },
    /// A statement comes to the function's resource policy.
    AllowsInvoke {
        statement: Value,
    },
    /// A statement leaves the function's resource policy.
    RemovesInvoke {
        sid: String,
    },
    /// Reserved concurrency; `None` where none is reserved any more.
    Concurrency {
        reserved: Option<u32>,
    },
    /// Settings of the function, by the names of their options.
    Function {
        settings: Vec<(String, String)>,
    },
    /// The function gets other code.
    Code,
    /// The secret is kept after all.
    Restores,
    /// A new current value.
    Value,
    /// A staging label leaves a version, or moves to one.
    Label {
        label: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// The database takes the password of the current value, which therefore has to be stored before.
    DatabaseTakes,
    /// The network, or the state of a database.
    Network(NetworkChange),
    /// It changes something the evidence does not hold.
    Elsewhere,
}

impl Effect {
    /// What the command does, as far as the evidence would show it.
    pub(super) fn of(text: &str, evidence: &Evidence) -> Effect {
        if is_taken(text) {
            return Effect::DatabaseTakes;
        }
        let Some(command) = Command::parse(text) else {
            return if is_look(text) { Effect::Reads } else { Effect::Elsewhere };
        };
        if command.is_read() {
            return Effect::Reads;
        }
        Effect::read(&command, evidence).unwrap_or(Effect::Elsewhere)
    }

    fn read(command: &Command, evidence: &Evidence) -> Option<Effect> {
        let text = |name: &str| command.option(name).map(str::to_owned);
        Some(match (command.service.as_str(), command.operation.as_str()) {
            ("iam", "create-role") => {
                Effect::CreatesRole { name: text("role-name")?, trust: command.document("assume-role-policy-document") }
            }
            ("iam", "put-role-policy") => Effect::RolePolicy {
                role: text("role-name")?,
                name: text("policy-name")?,
                document: Some(command.document("policy-document")?),
            },
            ("iam", "delete-role-policy") => {
                Effect::RolePolicy { role: text("role-name")?, name: text("policy-name")?, document: None }
            }
            ("iam", "attach-role-policy") => {
                Effect::Attachment { role: text("role-name")?, arn: text("policy-arn")?, attaches: true }
            }
            ("iam", "detach-role-policy") => {
                Effect::Attachment { role: text("role-name")?, arn: text("policy-arn")?, attaches: false }
            }
            ("iam", "create-policy-version") if command.has("set-as-default") => {
                Effect::ManagedPolicy { arn: text("policy-arn")?, document: command.document("policy-document")? }
            }
            ("iam", "delete-role-permissions-boundary") => Effect::RemovesBoundary { role: text("role-name")? },
            ("iam", "update-assume-role-policy") => {
                Effect::Trust { role: text("role-name")?, document: command.document("policy-document")? }
            }
            ("kms", "put-key-policy") => Effect::KeyPolicy { key: text("key-id")?, document: command.document("policy")? },
            ("kms", "enable-key") => Effect::EnablesKey { key: text("key-id")? },
            ("kms", "cancel-key-deletion") => Effect::KeepsKey { key: text("key-id")? },
            ("lambda", _) => return Effect::on_function(command, evidence),
            ("secretsmanager", _) => return Effect::on_secret(command, evidence),
            ("ec2" | "rds", _) => Effect::Network(NetworkChange::of(command, evidence)?),
            _ => return None,
        })
    }

    fn on_function(command: &Command, evidence: &Evidence) -> Option<Effect> {
        let own = evidence.function_arn()?;
        if command.option("function-name").is_none_or(|name| name != own.name() && name != own.arn().as_str()) {
            return None;
        }
        Some(match command.operation.as_str() {
            "add-permission" => Effect::AllowsInvoke { statement: permission(command, own)? },
            "remove-permission" => Effect::RemovesInvoke { sid: command.option("statement-id")?.to_owned() },
            "put-function-concurrency" => {
                Effect::Concurrency { reserved: Some(command.option("reserved-concurrent-executions")?.parse().ok()?) }
            }
            "delete-function-concurrency" => Effect::Concurrency { reserved: None },
            "update-function-configuration" => Effect::Function {
                settings: (command.option_names())
                    .filter(|name| *name != "function-name")
                    .map(|name| (name.to_owned(), command.option(name).unwrap_or_default().to_owned()))
                    .collect(),
            },
            "update-function-code" => Effect::Code,
            _ => return None,
        })
    }

    fn on_secret(command: &Command, evidence: &Evidence) -> Option<Effect> {
        let asked = command.option("secret-id")?;
        let own = evidence.secret.found();
        let is_own = own.is_none_or(|secret| secret.arn.arn().as_str() == asked || secret.name == asked);
        if !is_own {
            return None;
        }
        let text = |name: &str| command.option(name).map(str::to_owned);
        Some(match command.operation.as_str() {
            "rotate-secret" => Effect::Rotates {
                turns_on: evidence.rotation_config.found().is_some_and(|config| config.enabled != Some(true)),
                function: text("rotation-lambda-arn"),
                schedule: text("rotation-rules"),
                at_once: !command.has("no-rotate-immediately"),
            },
            "put-resource-policy" => Effect::SecretPolicy { document: Some(command.document("resource-policy")?) },
            "delete-resource-policy" => Effect::SecretPolicy { document: None },
            "restore-secret" => Effect::Restores,
            "put-secret-value" => Effect::Value,
            "update-secret" if command.has("kms-key-id") => {
                Effect::SecretKey { key: text("kms-key-id").filter(|key| !key.ends_with("aws/secretsmanager")) }
            }
            "update-secret-version-stage" => Effect::Label {
                label: text("version-stage")?,
                from: text("remove-from-version-id"),
                to: text("move-to-version-id"),
            },
            _ => return None,
        })
    }

    /// When in a plan it is due: what opens the way for others comes first, the rotation last.
    pub(super) const fn phase(&self) -> u8 {
        match self {
            Effect::Restores => 0,
            Effect::KeepsKey { .. } => 1,
            Effect::EnablesKey { .. } => 2,
            Effect::KeyPolicy { .. } => 3,
            Effect::CreatesRole { .. } => 4,
            Effect::Trust { .. }
            | Effect::RolePolicy { .. }
            | Effect::Attachment { .. }
            | Effect::ManagedPolicy { .. }
            | Effect::RemovesBoundary { .. } => 5,
            Effect::SecretKey { .. } | Effect::SecretPolicy { .. } | Effect::Network(_) => 6,
            Effect::AllowsInvoke { .. }
            | Effect::RemovesInvoke { .. }
            | Effect::Concurrency { .. }
            | Effect::Function { .. }
            | Effect::Code
            | Effect::Elsewhere
            | Effect::Reads => 7,
            Effect::Value => 8,
            Effect::Label { .. } | Effect::DatabaseTakes => 9,
            Effect::Rotates { .. } => 10,
        }
    }

    /// What it does, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Effect::Reads => "shows what is there; changes nothing".to_owned(),
            Effect::Rotates { turns_on: true, at_once, .. } => {
                format!("turns rotation on{}", if *at_once { " and rotates at once" } else { "" })
            }
            Effect::Rotates { schedule: Some(_), at_once: false, .. } => "gives rotation another schedule".to_owned(),
            Effect::Rotates { schedule: Some(_), .. } => "sets the schedule and rotates at once".to_owned(),
            Effect::Rotates { function: Some(_), .. } => "binds the secret to the function and rotates at once".to_owned(),
            Effect::Rotates { .. } => "rotates at once".to_owned(),
            Effect::CreatesRole { name, .. } => format!("creates the role {name}"),
            Effect::RolePolicy { role, name, document: Some(_) } => format!("sets the inline policy {name} of the role {role}"),
            Effect::RolePolicy { role, name, document: None } => format!("deletes the inline policy {name} of the role {role}"),
            Effect::Attachment { role, arn, attaches: true } => format!("attaches {arn} to the role {role}"),
            Effect::Attachment { role, arn, attaches: false } => format!("detaches {arn} from the role {role}"),
            Effect::ManagedPolicy { arn, .. } => format!("gives {arn} a new default version, for everybody who has it"),
            Effect::RemovesBoundary { role } => format!("takes the permissions boundary off the role {role}"),
            Effect::Trust { role, .. } => format!("sets who may assume the role {role}"),
            Effect::SecretPolicy { document: Some(_) } => "sets the secret's resource policy".to_owned(),
            Effect::SecretPolicy { document: None } => "deletes the secret's resource policy".to_owned(),
            Effect::KeyPolicy { key, .. } => format!("sets the policy of the key {key}"),
            Effect::EnablesKey { key } => format!("enables the key {key}"),
            Effect::KeepsKey { key } => format!("calls off the deletion of the key {key}, which stays disabled"),
            Effect::SecretKey { key: Some(key) } => format!("encrypts the secret with {key}"),
            Effect::SecretKey { key: None } => "encrypts the secret with the AWS managed key".to_owned(),
            Effect::AllowsInvoke { .. } => "lets Secrets Manager invoke the function".to_owned(),
            Effect::RemovesInvoke { sid } => format!("takes the statement {sid} out of the function's resource policy"),
            Effect::Concurrency { reserved: Some(reserved) } => format!("reserves {reserved} concurrent executions"),
            Effect::Concurrency { reserved: None } => "gives the function its share of the account's concurrency".to_owned(),
            Effect::Function { settings } => {
                let names: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
                format!("sets the function's {}", names.join(", ").replace('-', " "))
            }
            Effect::Code => "replaces the function's code".to_owned(),
            Effect::Restores => "calls off the secret's deletion".to_owned(),
            Effect::Value => "stores value.json as the current value, for every reader of the secret at once".to_owned(),
            Effect::Label { label, from: Some(from), to: None } => format!("takes {label} off version {from}"),
            Effect::Label { label, to, .. } => {
                format!("moves {label} to version {}", to.as_deref().unwrap_or("that it names"))
            }
            Effect::DatabaseTakes => "sets the user's password in the database to that of the secret's current value".to_owned(),
            Effect::Network(change) => change.describe(),
            Effect::Elsewhere => "changes what this investigation does not look at".to_owned(),
        }
    }
}

/// True where the value that is fetched goes into the database.
fn is_taken(text: &str) -> bool {
    text.contains(" get-secret-value ") && [" | psql ", " | mysql "].iter().any(|client| text.contains(client))
}

/// True for a line without a change: it fetches something, or asks a database.
fn is_look(text: &str) -> bool {
    const WRITES: &[&str] =
        &["ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "RENAME", "SET ", "INSERT", "UPDATE", "DELETE", "reload"];
    let asks = ["SELECT ", "SHOW ", "\\du", "\\l"].iter().any(|word| text.contains(word));
    text.starts_with("curl ") || asks && !WRITES.iter().any(|word| text.contains(word))
}

/// The statement that AddPermission writes. Source: Lambda API reference, `AddPermission`.
fn permission(command: &Command, function: &FunctionArn) -> Option<Value> {
    let principal = command.option("principal")?;
    let mut statement = json!({
        "Sid": command.option("statement-id")?,
        "Effect": "Allow",
        "Principal": if principal.ends_with(".amazonaws.com") { json!({ "Service": principal }) } else { json!({ "AWS": principal }) },
        "Action": command.option("action")?,
        "Resource": function.arn().as_str(),
    });
    let mut condition = serde_json::Map::new();
    if let Some(account) = command.option("source-account") {
        condition.insert("StringEquals".to_owned(), json!({ "AWS:SourceAccount": account }));
    }
    if let Some(arn) = command.option("source-arn") {
        condition.insert("ArnLike".to_owned(), json!({ "AWS:SourceArn": arn }));
    }
    if let (false, Some(object)) = (condition.is_empty(), statement.as_object_mut()) {
        object.insert("Condition".to_owned(), Value::Object(condition));
    }
    Some(statement)
}

/// The document of a policy that the evidence holds, by name or ARN.
pub(super) fn document_of<'e>(evidence: &'e Evidence, name: &str) -> Option<&'e Value> {
    let policies = evidence.role.found()?.policies.found()?;
    policies.identity.iter().chain(&policies.boundary).find(|policy| policy.name == name).map(|policy| &policy.document)
}

/// The reserved concurrency, where it was seen.
pub(super) fn reserved(evidence: &Evidence) -> Option<Option<u32>> {
    match &evidence.function.found()?.reserved_concurrency {
        Observation::Found(reserved) => Some(*reserved),
        _ => None,
    }
}
