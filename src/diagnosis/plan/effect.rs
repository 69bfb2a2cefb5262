//! What a command does to the evidence, as data. It is read from the command itself, so that what is proven is what is printed.

use super::command::AwsCommand;
use super::network::NetworkChange;
use crate::model::{Evidence, FunctionArn, Observation};
use serde_json::{Value, json};

/// What a command does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CommandEffect {
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
    /// A change in the database that is told in words; it needs the current value too.
    InDatabase(&'static str),
    /// The network, or the state of a database.
    Network(NetworkChange),
    /// It changes something the evidence does not hold.
    Elsewhere,
}

/// What a command that changes nothing in AWS is for: some leave a file behind, or wait.
fn reading(command: &str) -> &'static str {
    const OTHERS: [(&str, &str); 7] = [
        ("> key-policy.before.json", "saves the key's policy to key-policy.json: correct it there before the next step"),
        ("aws rds wait db-", "waits until the database is available"),
        ("> superuser.json", "saves the superuser's value to superuser.json: correct it there before the next step"),
        (
            "> endpoint-policy.before.json",
            "saves the endpoint's policy to endpoint-policy.json: correct it there before the next step",
        ),
        ("> value.json", "saves the value to value.json: correct it there before the next step"),
        ("environment.json", "saves the environment to environment.json: correct it there before the next step"),
        ("previous.zip", "saves the present package as previous.zip"),
    ];
    OTHERS.iter().find(|(words, _)| command.contains(words)).map_or("only shows what is there", |(_, what)| what)
}

impl CommandEffect {
    /// What the command does, as far as the evidence would show it.
    pub(super) fn of(text: &str, evidence: &Evidence) -> CommandEffect {
        if is_by_value(text) {
            return effect_described(text).map_or(CommandEffect::DatabaseTakes, CommandEffect::InDatabase);
        }
        if let Some(described) = effect_described(text) {
            return CommandEffect::InDatabase(described);
        }
        let Some(command) = AwsCommand::parse(text) else {
            return if is_look(text) { CommandEffect::Reads } else { CommandEffect::Elsewhere };
        };
        if command.is_read() {
            return CommandEffect::Reads;
        }
        CommandEffect::read(&command, evidence).unwrap_or(CommandEffect::Elsewhere)
    }

    fn read(command: &AwsCommand, evidence: &Evidence) -> Option<CommandEffect> {
        let text = |name: &str| command.option(name).map(str::to_owned);
        Some(match (command.service.as_str(), command.operation.as_str()) {
            ("iam", "create-role") => {
                CommandEffect::CreatesRole { name: text("role-name")?, trust: command.document("assume-role-policy-document") }
            }
            ("iam", "put-role-policy") => CommandEffect::RolePolicy {
                role: text("role-name")?,
                name: text("policy-name")?,
                document: Some(command.document("policy-document")?),
            },
            ("iam", "delete-role-policy") => {
                CommandEffect::RolePolicy { role: text("role-name")?, name: text("policy-name")?, document: None }
            }
            ("iam", "attach-role-policy") => {
                CommandEffect::Attachment { role: text("role-name")?, arn: text("policy-arn")?, attaches: true }
            }
            ("iam", "detach-role-policy") => {
                CommandEffect::Attachment { role: text("role-name")?, arn: text("policy-arn")?, attaches: false }
            }
            ("iam", "create-policy-version") if command.has("set-as-default") => {
                CommandEffect::ManagedPolicy { arn: text("policy-arn")?, document: command.document("policy-document")? }
            }
            ("iam", "delete-role-permissions-boundary") => CommandEffect::RemovesBoundary { role: text("role-name")? },
            ("iam", "update-assume-role-policy") => {
                CommandEffect::Trust { role: text("role-name")?, document: command.document("policy-document")? }
            }
            ("kms", "put-key-policy") => CommandEffect::KeyPolicy { key: text("key-id")?, document: command.document("policy")? },
            ("kms", "enable-key") => CommandEffect::EnablesKey { key: text("key-id")? },
            ("kms", "cancel-key-deletion") => CommandEffect::KeepsKey { key: text("key-id")? },
            ("lambda", _) => return CommandEffect::on_function(command, evidence),
            ("secretsmanager", _) => return CommandEffect::on_secret(command, evidence),
            ("ec2" | "rds", _) => CommandEffect::Network(NetworkChange::of(command, evidence)?),
            _ => return None,
        })
    }

    fn on_function(command: &AwsCommand, evidence: &Evidence) -> Option<CommandEffect> {
        let own = evidence.function_arn()?;
        if command.option("function-name").is_none_or(|name| name != own.name() && name != own.arn().as_str()) {
            return None;
        }
        Some(match command.operation.as_str() {
            "add-permission" => CommandEffect::AllowsInvoke { statement: permission(command, own)? },
            "remove-permission" => CommandEffect::RemovesInvoke { sid: command.option("statement-id")?.to_owned() },
            "put-function-concurrency" => {
                CommandEffect::Concurrency { reserved: Some(command.option("reserved-concurrent-executions")?.parse().ok()?) }
            }
            "delete-function-concurrency" => CommandEffect::Concurrency { reserved: None },
            "update-function-configuration" => CommandEffect::Function {
                settings: (command.option_names())
                    .filter(|name| *name != "function-name")
                    .map(|name| (name.to_owned(), command.option(name).unwrap_or_default().to_owned()))
                    .collect(),
            },
            "update-function-code" => CommandEffect::Code,
            _ => return None,
        })
    }

    fn on_secret(command: &AwsCommand, evidence: &Evidence) -> Option<CommandEffect> {
        let asked = command.option("secret-id")?;
        let own = evidence.secret.found();
        let is_own = own.is_none_or(|secret| secret.arn.arn().as_str() == asked || secret.name == asked);
        if !is_own {
            return None;
        }
        let text = |name: &str| command.option(name).map(str::to_owned);
        Some(match command.operation.as_str() {
            "rotate-secret" => CommandEffect::Rotates {
                turns_on: evidence.rotation_config.found().is_some_and(|config| config.enabled != Some(true)),
                function: text("rotation-lambda-arn"),
                schedule: text("rotation-rules"),
                at_once: !command.has("no-rotate-immediately"),
            },
            "put-resource-policy" => CommandEffect::SecretPolicy { document: Some(command.document("resource-policy")?) },
            "delete-resource-policy" => CommandEffect::SecretPolicy { document: None },
            "restore-secret" => CommandEffect::Restores,
            "put-secret-value" => CommandEffect::Value,
            "update-secret" if command.has("kms-key-id") => {
                CommandEffect::SecretKey { key: text("kms-key-id").filter(|key| !key.ends_with("aws/secretsmanager")) }
            }
            "update-secret-version-stage" => CommandEffect::Label {
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
            CommandEffect::Restores => 0,
            CommandEffect::KeepsKey { .. } => 1,
            CommandEffect::EnablesKey { .. } => 2,
            CommandEffect::KeyPolicy { .. } => 3,
            CommandEffect::CreatesRole { .. } => 4,
            CommandEffect::Trust { .. }
            | CommandEffect::RolePolicy { .. }
            | CommandEffect::Attachment { .. }
            | CommandEffect::ManagedPolicy { .. }
            | CommandEffect::RemovesBoundary { .. } => 5,
            CommandEffect::SecretKey { .. } | CommandEffect::SecretPolicy { .. } | CommandEffect::Network(_) => 6,
            CommandEffect::AllowsInvoke { .. }
            | CommandEffect::RemovesInvoke { .. }
            | CommandEffect::Concurrency { .. }
            | CommandEffect::Function { .. }
            | CommandEffect::Code
            | CommandEffect::Elsewhere
            | CommandEffect::Reads => 7,
            CommandEffect::Value => 8,
            CommandEffect::Label { .. } | CommandEffect::DatabaseTakes | CommandEffect::InDatabase(_) => 9,
            CommandEffect::Rotates { .. } => 10,
        }
    }

    /// What `command`, which has this effect, does, for people.
    pub(super) fn describe(&self, command: &str) -> String {
        match self {
            CommandEffect::Reads => reading(command).to_owned(),
            CommandEffect::Rotates { turns_on: true, at_once, .. } => {
                format!("turns rotation on{}", if *at_once { " and rotates at once" } else { "" })
            }
            CommandEffect::Rotates { schedule: Some(_), at_once: false, .. } => "gives rotation another schedule".to_owned(),
            CommandEffect::Rotates { schedule: Some(_), .. } => "sets the schedule and rotates at once".to_owned(),
            CommandEffect::Rotates { function: Some(_), .. } => "binds the secret to the function and rotates at once".to_owned(),
            CommandEffect::Rotates { .. } => "rotates at once".to_owned(),
            CommandEffect::CreatesRole { name, .. } => format!("creates the role {name}"),
            CommandEffect::RolePolicy { role, name, document: Some(_) } => {
                format!("sets the inline policy {name} of the role {role}")
            }
            CommandEffect::RolePolicy { role, name, document: None } => {
                format!("deletes the inline policy {name} of the role {role}")
            }
            CommandEffect::Attachment { role, arn, attaches: true } => format!("attaches {arn} to the role {role}"),
            CommandEffect::Attachment { role, arn, attaches: false } => format!("detaches {arn} from the role {role}"),
            CommandEffect::ManagedPolicy { arn, .. } => format!("gives {arn} a new default version, for everyone who has it"),
            CommandEffect::RemovesBoundary { role } => format!("removes the permissions boundary from the role {role}"),
            CommandEffect::Trust { role, .. } => format!("sets who may assume the role {role}"),
            CommandEffect::SecretPolicy { document: Some(_) } => "sets the secret's resource policy".to_owned(),
            CommandEffect::SecretPolicy { document: None } => "deletes the secret's resource policy".to_owned(),
            CommandEffect::KeyPolicy { key, .. } => format!("sets the policy of the key {key}"),
            CommandEffect::EnablesKey { key } => format!("enables the key {key}"),
            CommandEffect::KeepsKey { key } => format!("cancels the deletion of the key {key}, which stays disabled"),
            CommandEffect::SecretKey { key: Some(key) } => format!("encrypts the secret with {key}"),
            CommandEffect::SecretKey { key: None } => "encrypts the secret with the AWS managed key".to_owned(),
            CommandEffect::AllowsInvoke { .. } => "lets Secrets Manager invoke the function".to_owned(),
            CommandEffect::RemovesInvoke { sid } => format!("removes the statement {sid} from the function's resource policy"),
            CommandEffect::Concurrency { reserved: Some(reserved) } => format!("reserves {reserved} concurrent executions"),
            CommandEffect::Concurrency { reserved: None } => {
                "gives the function its share of the account's concurrency".to_owned()
            }
            CommandEffect::Function { settings } => {
                let names: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
                // Nothing but a way to have Lambda prepare the function anew.
                if names == ["description"] {
                    return "changes the function's description, so that Lambda prepares it again".to_owned();
                }
                if matches!(settings.as_slice(), [(name, value)] if name == "layers" && value == "[]") {
                    return "takes all layers off the function".to_owned();
                }
                let names: Vec<String> = names.into_iter().map(setting).collect();
                format!("sets the function's {}", names.join(", "))
            }
            CommandEffect::Code => "replaces the function's code".to_owned(),
            CommandEffect::Restores => "cancels the secret's deletion".to_owned(),
            CommandEffect::Value => "stores value.json as the current value, at once for every reader of the secret".to_owned(),
            CommandEffect::Label { label, from: Some(from), to: None } => format!("removes {label} from version {from}"),
            CommandEffect::Label { label, to, .. } => {
                format!("moves {label} to version {}", to.as_deref().unwrap_or("that it names"))
            }
            CommandEffect::DatabaseTakes => {
                let makes = [" | psql ", " | mysql ", " | sqlcmd "].iter().any(|client| command.contains(client));
                let made = if makes { "; creates the user where it is missing" } else { "" };
                format!("sets the user's password in the database to the one in the secret's current value{made}")
            }
            CommandEffect::InDatabase(described) => (*described).to_owned(),
            CommandEffect::Network(change) => change.describe(),
            CommandEffect::Elsewhere => elsewhere(command).to_owned(),
        }
    }
}

/// A setting of a function, in words.
fn setting(option: &str) -> String {
    match option {
        "vpc-config" => "VPC configuration".to_owned(),
        "logging-config" => "logging configuration".to_owned(),
        option => option.replace('-', " "),
    }
}

/// What a command does whose effect the evidence does not hold, by the words that only it has.
fn elsewhere(text: &str) -> &'static str {
    const DOES: [(&str, &str); 11] = [
        ("--rotate-master-user-password", "lets RDS rotate the secret at once"),
        ("--no-manage-master-user-password", "takes the password's management from RDS, which deletes this secret"),
        ("--manage-master-user-password", "lets RDS manage the password again, in another secret"),
        ("put-runtime-management-config", "binds the function to that version of the runtime"),
        ("create-log-group", "creates a log group"),
        ("put-key-policy", "sets the key's policy to what the file says"),
        ("modify-vpc-endpoint --vpc-endpoint-id", "sets the endpoint's policy to what the file says"),
        ("authorize-security-group-ingress", "adds this inbound rule to the security group"),
        ("authorize-security-group-egress", "adds this outbound rule to the security group"),
        ("restore-secret", "cancels that secret's deletion"),
        ("put-role-permissions-boundary", "gives the role another permissions boundary"),
    ];
    let does = DOES.iter().find(|(words, _)| text.contains(words));
    does.map_or("changes something that this investigation does not check", |(_, what)| what)
}

/// What a command does to the database, by the words that only it has.
const TOLD: &[(&[&str], &str)] = &[
    (
        &["SELECT pg_reload_conf()"],
        "lets the server read pg_hba.conf again, once it was edited; changes nothing where it was not",
    ),
    (
        &["CONNECTION LIMIT -1", "has_database_privilege"],
        "lifts a limit of connections that is used up, and lets the user into its database; changes nothing where neither is so",
    ),
    (
        &["WITH MAX_USER_CONNECTIONS 0;"],
        "lifts the user's limit of connections where it is used up; changes nothing where it is not",
    ),
    (
        &["RESET password_encryption"],
        "lets the user's passwords be stored as the server stores others; changes nothing where they are",
    ),
    (&["RESET default_transaction_read_only"], "lets transactions of the user, and in its database, write by default"),
    (&["CREATE PROFILE "], "creates a profile under which passwords do not expire; nobody has it yet"),
    (&["ALTER USER ", " PROFILE "], "gives this one user the new profile"),
    (&["DROP USER", "table_privileges"], "drops the user of the pending version where it has no right at all"),
    (&["NOSUPERUSER", "get-secret-value"], "takes the superuser's attribute off the role that the rotation changes"),
    (
        &["CONCAT(\\u0027RENAME USER ", "AWSPENDING"],
        "renames one account of the pending version's user where it has none for every host",
    ),
    (
        &["\"SELECT CONCAT(\\u0027RENAME USER ", "AWSCURRENT"],
        "renames one account of the user to the one for every host, where none covers the function",
    ),
    (&["CONCAT('RENAME USER ", "NOT EXISTS"], "renames one account of the user where none is for the host part that is called"),
    (
        &["put-secret-value", "file://superuser.json"],
        "stores superuser.json as the superuser's current value, for every reader at once",
    ),
    (&["CONCAT('GRANT ", "WITH GRANT OPTION"], "lets the user make users and pass rights on"),
];

/// What a command does to the database, where that is told in words.
fn effect_described(text: &str) -> Option<&'static str> {
    TOLD.iter().find(|(words, _)| words.iter().all(|word| text.contains(word))).map(|(_, told)| *told)
}

/// True where the value that is fetched goes into the database.
fn is_by_value(text: &str) -> bool {
    const CLIENTS: &[&str] = &[" | psql ", " | mysql ", " | sqlplus ", " | sqlcmd ", " | mongosh ", " | db2 "];
    text.contains(" get-secret-value ") && CLIENTS.iter().any(|client| text.contains(client))
}

/// True for a line without a change: it fetches something, or asks a database.
fn is_look(text: &str) -> bool {
    const WRITES: &[&str] =
        &["ALTER", "CREATE", "DROP", "GRANT", "REVOKE", "RENAME", "SET ", "INSERT", "UPDATE", "DELETE", "reload"];
    // How the client reads quotes changes nothing.
    let text = &text.replace("SET sql_mode", "");
    let asks = ["SELECT ", "SHOW ", "\\du", "\\l"].iter().any(|word| text.contains(word));
    text.starts_with("curl ") || asks && !WRITES.iter().any(|word| text.contains(word))
}

/// The statement that AddPermission writes. Source: Lambda API reference, `AddPermission`.
fn permission(command: &AwsCommand, function: &FunctionArn) -> Option<Value> {
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
