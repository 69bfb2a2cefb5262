//! For tests of printed plans: the simulated account as it would be after a command, and whether a rotation would go through.
//!
//! Nothing of it is reachable over HTTP: a request that would change something stays a violation. Both the writes and the
//! judgement are the simulator's own, so that the product is not its own judge.

use super::authorize::{CallDecision, ConditionKeys, evaluate};
use super::expand::rotation_event;
use super::ids;
use super::network;
use super::wire::Shape;
use super::world::{
    Function, LogGroup, ManagedPolicy, SimulatedAccount, SimulatedLogEvent, SimulatedRole, SimulatedSecret, SimulatedTrailEvent,
    Version,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The commands that only show something.
const READS: &[&str] = &["get-", "list-", "describe-", "lookup-", "filter-", "search-", "wait"];

/// What a rotation does with its secret, and what it does with a customer managed key.
const ON_SECRET: &[&str] = &["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"];
const ON_KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// A command as a shell would split it.
struct ParsedCommand {
    service: String,
    operation: String,
    options: BTreeMap<String, String>,
}

impl ParsedCommand {
    fn parse(text: &str) -> Result<Option<ParsedCommand>, String> {
        let words = shlex::split(text).ok_or_else(|| format!("not a shell's words: {text}"))?;
        let mut words = words.into_iter().skip_while(|word| word != "aws").skip(1);
        let (Some(service), Some(operation)) = (words.next(), words.next()) else { return Ok(None) };
        let mut options = BTreeMap::new();
        let mut last = String::new();
        for word in words {
            match word.strip_prefix("--") {
                Some(option) => {
                    last = option.to_owned();
                    options.insert(last.clone(), String::new());
                }
                // Of a list, one after another.
                None => match options.get_mut(&last) {
                    Some(value) if !value.is_empty() => *value = format!("{value} {word}"),
                    _ => {
                        options.insert(last.clone(), word);
                    }
                },
            }
        }
        Ok(Some(ParsedCommand { service, operation, options }))
    }

    fn text(&self, option: &str) -> Result<&str, String> {
        let given = self.options.get(option).map(String::as_str);
        given.ok_or_else(|| format!("{} {} needs --{option}", self.service, self.operation))
    }

    fn document(&self, option: &str) -> Result<Value, String> {
        serde_json::from_str(self.text(option)?).map_err(|error| format!("MalformedPolicyDocument: {error}"))
    }
}

/// Changes the world as the command would.
pub(super) fn carry_out(world: &mut SimulatedAccount, text: &str) -> Result<(), String> {
    let Some(command) = ParsedCommand::parse(text)? else { return Ok(()) };
    if READS.iter().any(|verb| command.operation.starts_with(verb)) {
        return Ok(());
    }
    match command.service.as_str() {
        "iam" => iam(world, &command),
        "kms" => kms(world, &command),
        "lambda" => lambda(world, &command),
        "secretsmanager" => secrets(world, &command),
        "ec2" | "rds" => network::carry_out(&mut world.network, (&command.service, &command.operation), &command.options),
        service => Err(format!("{service} {} is not simulated", command.operation)),
    }
}

fn iam(world: &mut SimulatedAccount, command: &ParsedCommand) -> Result<(), String> {
    if command.operation == "create-policy-version" {
        let document = command.document("policy-document")?;
        let arn = command.text("policy-arn")?;
        let policy: &mut ManagedPolicy = world.policies.iter_mut().find(|policy| policy.arn == arn).ok_or("NoSuchEntity")?;
        policy.document = document;
        return Ok(());
    }
    let name = command.text("role-name")?;
    let role: &mut SimulatedRole = world.roles.iter_mut().find(|role| role.name == name).ok_or("NoSuchEntity")?;
    if command.operation == "create-role" {
        role.exists = true;
        (role.inline, role.attached, role.boundary) = (BTreeMap::new(), Vec::new(), None);
        role.trust = command.document("assume-role-policy-document")?;
        return Ok(());
    }
    if !role.exists {
        return Err("NoSuchEntity".to_owned());
    }
    match command.operation.as_str() {
        "put-role-policy" => {
            role.inline.insert(command.text("policy-name")?.to_owned(), command.document("policy-document")?);
        }
        "delete-role-policy" => {
            role.inline.remove(command.text("policy-name")?).ok_or("NoSuchEntity")?;
        }
        "attach-role-policy" => {
            let arn = command.text("policy-arn")?.to_owned();
            if !world.policies.iter().any(|policy| policy.arn == arn) {
                return Err(format!("NoSuchEntity: {arn}"));
            }
            role.attached.push(arn);
        }
        "detach-role-policy" => {
            let arn = command.text("policy-arn")?;
            role.attached.retain(|attached| attached != arn);
        }
        "update-assume-role-policy" => role.trust = command.document("policy-document")?,
        operation => return Err(format!("iam {operation} is not simulated")),
    }
    Ok(())
}

fn kms(world: &mut SimulatedAccount, command: &ParsedCommand) -> Result<(), String> {
    let id = command.text("key-id")?;
    let key = world.keys.iter_mut().find(|key| key.exists && (key.arn == id || key.id == id)).ok_or("NotFoundException")?;
    match command.operation.as_str() {
        "enable-key" if !matches!(key.state.as_str(), "Disabled" | "Enabled") => {
            return Err("KMSInvalidStateException".to_owned());
        }
        "enable-key" => key.state = "Enabled".to_owned(),
        "cancel-key-deletion" => {
            key.state = "Disabled".to_owned();
            key.deletion = None;
        }
        "put-key-policy" => key.policy = command.document("policy")?,
        operation => return Err(format!("kms {operation} is not simulated")),
    }
    Ok(())
}

fn lambda(world: &mut SimulatedAccount, command: &ParsedCommand) -> Result<(), String> {
    let name = command.text("function-name")?;
    let account = world.account.clone();
    let function: &mut Function = world
        .functions
        .iter_mut()
        .find(|function| function.name == name && function.exists)
        .ok_or("ResourceNotFoundException")?;
    match command.operation.as_str() {
        "add-permission" => {
            let qualifier = command.options.get("qualifier").cloned();
            let sid = command.text("statement-id")?;
            let resource = qualifier.iter().fold(function.arn.clone(), |arn, qualifier| format!("{arn}:{qualifier}"));
            let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Principal": { "Service": command.text("principal")? },
                "Action": command.text("action")?, "Resource": resource });
            if let (Ok(own), Some(members)) = (command.text("source-account"), statement.as_object_mut()) {
                members.insert("Condition".to_owned(), json!({ "StringEquals": { "AWS:SourceAccount": own } }));
            }
            let statements = function.policy.entry(qualifier).or_default();
            if statements.iter().any(|one| one.get("Sid").and_then(Value::as_str) == Some(sid)) {
                return Err(format!("ResourceConflictException: {sid} exists"));
            }
            statements.push(statement);
        }
        "remove-permission" => {
            let sid = command.text("statement-id")?;
            let statements =
                function.policy.get_mut(&command.options.get("qualifier").cloned()).ok_or("ResourceNotFoundException")?;
            statements.retain(|one| one.get("Sid").and_then(Value::as_str) != Some(sid));
        }
        "delete-function-concurrency" => function.concurrency = None,
        "put-function-concurrency" => function.concurrency = command.text("reserved-concurrent-executions")?.parse().ok(),
        "update-function-configuration" => {
            for (option, member) in [("runtime", "Runtime"), ("handler", "Handler"), ("role", "Role")] {
                if let Some(value) = command.options.get(option) {
                    set(&mut function.configuration, member, value.as_str());
                }
            }
            for (option, member) in [("timeout", "Timeout"), ("memory-size", "MemorySize")] {
                if let Some(value) = command.options.get(option) {
                    let number: i64 = value.parse().map_err(|error| format!("{option}: {error}"))?;
                    set(&mut function.configuration, member, number);
                }
            }
            // What kept Lambda from preparing it, the command is there to mend.
            for member in ["StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"] {
                set(&mut function.configuration, member, Shape::Absent);
            }
            set(&mut function.configuration, "State", "Active");
            set(&mut function.configuration, "LastUpdateStatus", "Successful");
        }
        "update-function-code" => {}
        operation => return Err(format!("lambda {operation} is not simulated in {account}")),
    }
    Ok(())
}

fn secrets(world: &mut SimulatedAccount, command: &ParsedCommand) -> Result<(), String> {
    let id = command.text("secret-id")?.to_owned();
    let now = world.now;
    let at = world.secrets.iter().position(|secret| secret.arn == id || secret.name == id).ok_or("ResourceNotFoundException")?;
    let foreign_key = key_state(world, at).filter(|state| state != "Enabled");
    let secret: &mut SimulatedSecret = world.secrets.get_mut(at).ok_or("ResourceNotFoundException")?;
    if secret.deleted && command.operation != "restore-secret" {
        return Err("InvalidRequestException: the secret is scheduled for deletion".to_owned());
    }
    match command.operation.as_str() {
        "restore-secret" => {
            secret.deleted = false;
            set(&mut secret.entry, "DeletedDate", Shape::Absent);
        }
        "put-resource-policy" => secret.policy = Some(command.document("resource-policy")?),
        "delete-resource-policy" => secret.policy = None,
        "update-secret" => {
            let key = command.text("kms-key-id")?;
            let key = (key != "alias/aws/secretsmanager").then(|| key.to_owned());
            set(&mut secret.entry, "KmsKeyId", key.as_ref());
            secret.kms_key_id = key;
        }
        "put-secret-value" => {
            if let Some(state) = foreign_key {
                return Err(format!("EncryptionFailure: the key is {state}"));
            }
            let stored = secret.versions.len();
            store(secret, format!("stored-{stored}-{}", ids::uuid(&id)), now, &["AWSCURRENT"]);
        }
        "update-secret-version-stage" => {
            let label = command.text("version-stage")?;
            if let Some(from) = command.options.get("remove-from-version-id") {
                let version =
                    secret.versions.iter_mut().find(|version| &version.id == from).ok_or("ResourceNotFoundException")?;
                // AWSPREVIOUS need not have come to it: the version may have been the current one a moment ago.
                version.stages.retain(|stage| stage != label);
            }
            if let Some(to) = command.options.get("move-to-version-id") {
                let version = secret.versions.iter_mut().find(|version| &version.id == to).ok_or("ResourceNotFoundException")?;
                version.stages.push(label.to_owned());
            }
        }
        "rotate-secret" => return rotate_by(world, at, command),
        operation => return Err(format!("secretsmanager {operation} is not simulated")),
    }
    Ok(())
}

fn rotate_by(world: &mut SimulatedAccount, at: usize, command: &ParsedCommand) -> Result<(), String> {
    let secret = world.secrets.get_mut(at).ok_or("ResourceNotFoundException")?;
    set(&mut secret.entry, "RotationEnabled", true);
    if let Some(function) = command.options.get("rotation-lambda-arn") {
        set(&mut secret.entry, "RotationLambdaARN", function.as_str());
    }
    if let Some(rules) = command.options.get("rotation-rules") {
        let form: Value = serde_json::from_str(rules).unwrap_or(Value::Null);
        let days = rules.strip_prefix("AutomaticallyAfterDays=").and_then(|days| days.parse::<i64>().ok());
        let shape = Shape::structure()
            .with("AutomaticallyAfterDays", days)
            .with("ScheduleExpression", form.get("ScheduleExpression").and_then(Value::as_str))
            .with("Duration", form.get("Duration").and_then(Value::as_str));
        set(&mut secret.entry, "RotationRules", shape);
    }
    if command.options.contains_key("no-rotate-immediately") {
        return Ok(());
    }
    let arn = secret.arn.clone();
    rotate(world, &arn)
}

/// Rotates the secret, where nothing in the world stops it.
pub(super) fn rotate(world: &mut SimulatedAccount, arn: &str) -> Result<(), String> {
    stopped(world, arn)?;
    let (account, now) = (world.account.clone(), world.now);
    let secret = world.secrets.iter_mut().find(|secret| secret.arn == arn).ok_or("ResourceNotFoundException")?;
    let version = ids::uuid(&format!("rotated/{arn}"));
    for old in &mut secret.versions {
        old.stages.retain(|stage| stage != "AWSPENDING");
    }
    store(secret, version.clone(), now, &["AWSCURRENT", "AWSPENDING"]);
    set(&mut secret.entry, "LastRotatedDate", now);
    set(&mut secret.entry, "LastChangedDate", now);
    set(&mut secret.entry, "NextRotationDate", now.checked_add(SignedDuration::from_hours(24 * 30)).ok());
    let region = secret.region.clone();
    for name in ["RotationStarted", "RotationSucceeded"] {
        let event = rotation_event(&account, &region, now, name, (arn, &version));
        deliver(world, &event);
        world.events.insert(0, event);
    }
    Ok(())
}

/// A trail writes its events to its log group too.
fn deliver(world: &mut SimulatedAccount, event: &SimulatedTrailEvent) {
    let groups: Vec<String> = world.trails.iter().filter_map(|trail| trail.log_group_arn.clone()).collect();
    let is_trails = |group: &LogGroup| groups.iter().any(|arn| arn.contains(&format!(":log-group:{}:", group.name)));
    for group in world.log_groups.iter_mut().filter(|group| is_trails(group)) {
        let stream = group.events.last().map(|last| last.stream.clone()).unwrap_or_else(|| "cloudtrail".to_owned());
        group.events.push(SimulatedLogEvent { at: event.at, stream, message: event.record.to_string() });
    }
}

/// What stops a rotation of the secret, in the order in which it would meet it.
fn stopped(world: &SimulatedAccount, arn: &str) -> Result<(), String> {
    let secret = world.secrets.iter().find(|secret| secret.arn == arn).ok_or("the secret is gone")?;
    let bound = member(&secret.entry, "RotationLambdaARN").ok_or("no function is bound")?;
    let (function, qualifier) = world
        .functions
        .iter()
        .filter(|function| function.exists)
        .find_map(|function| {
            let rest = bound.strip_prefix(function.arn.as_str())?;
            Some((function, rest.strip_prefix(':').map(str::to_owned))).filter(|_| rest.is_empty() || rest.starts_with(':'))
        })
        .ok_or("the function is gone")?;
    invoked(world, secret, function, &qualifier)?;
    let endpoint = connected(world, secret, function)?;
    let role = member(&function.configuration, "Role").unwrap_or_default();
    let role = world.roles.iter().find(|one| one.exists && one.arn == role).ok_or("the role is gone")?;
    let as_lambda = ConditionKeys::new();
    let lambda = Principal::Service("lambda.amazonaws.com");
    if by_resource(&role.trust, lambda, "sts:AssumeRole", None, &as_lambda) != CallDecision::Allowed {
        return Err("Lambda may not assume the role".to_owned());
    }
    let caller = RotatingFunction { world, role, function, secret };
    for action in ON_SECRET {
        let action = format!("secretsmanager:{action}");
        caller.may(&action, &secret.arn, secret.policy.as_ref(), false)?;
        caller.passes(endpoint, &action, &secret.arn)?;
    }
    caller.may("secretsmanager:GetRandomPassword", "*", None, false)?;
    caller.passes(endpoint, "secretsmanager:GetRandomPassword", "*")?;
    if let Some(id) = &secret.kms_key_id {
        let key = world.keys.iter().find(|key| key.exists && (&key.arn == id || &key.id == id)).ok_or("the key is gone")?;
        if key.state != "Enabled" {
            return Err(format!("the key is {}", key.state));
        }
        for action in ON_KEY {
            caller.may(action, &key.arn, Some(&key.policy), true)?;
        }
    }
    Ok(())
}

fn invoked(
    world: &SimulatedAccount,
    secret: &SimulatedSecret,
    function: &Function,
    qualifier: &Option<String>,
) -> Result<(), String> {
    let known = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
    let keys = ConditionKeys::from([known("aws:sourceaccount", &world.account), known("aws:sourcearn", &secret.arn)]);
    let statements = function.policy.get(qualifier).cloned().unwrap_or_default();
    let policy = json!({ "Statement": statements });
    let service = Principal::Service("secretsmanager.amazonaws.com");
    if by_resource(&policy, service, "lambda:InvokeFunction", None, &keys) != CallDecision::Allowed {
        return Err("Secrets Manager may not invoke the function".to_owned());
    }
    if function.concurrency == Some(0) {
        return Err("no concurrency is left".to_owned());
    }
    match member(&function.configuration, "State").as_deref() {
        None | Some("Active" | "Inactive" | "Pending") => Ok(()),
        Some(state) => Err(format!("the function is {state}")),
    }
}

/// What a function in a declared VPC reaches; the endpoint through which it calls Secrets Manager.
fn connected<'w>(
    world: &'w SimulatedAccount,
    secret: &SimulatedSecret,
    function: &Function,
) -> Result<Option<&'w network::EndpointForm>, String> {
    let Shape::Structure(members) = &function.configuration else { return Ok(None) };
    let Some((_, vpc)) = members.iter().find(|(name, _)| name == "VpcConfig") else { return Ok(None) };
    let place = network::FunctionInVpc { subnets: texts(vpc, "SubnetIds"), groups: texts(vpc, "SecurityGroupIds") };
    if place.subnets.is_empty() || world.network.vpcs.is_empty() {
        return Ok(None);
    }
    network::to_database(&world.network, &place, &secret.name)?;
    network::to_secrets_manager(&world.network, &place)
}

fn texts(shape: &Shape, name: &str) -> Vec<String> {
    let Shape::Structure(members) = shape else { return Vec::new() };
    let list = members.iter().find(|(own, _)| own == name).map(|(_, value)| value);
    let Some(Shape::List(items)) = list else { return Vec::new() };
    items
        .iter()
        .filter_map(|item| match item {
            Shape::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Principal<'a> {
    Service(&'a str),
    Role(&'a str),
    /// The account by itself: what it is allowed, its identity policies may hand on.
    Account(&'a str),
}

/// What the statements of a resource's policy that concern the principal say.
fn by_resource(policy: &Value, who: Principal<'_>, action: &str, resource: Option<&str>, keys: &ConditionKeys) -> CallDecision {
    let all = policy.get("Statement").map(|one| one.as_array().cloned().unwrap_or_else(|| vec![one.clone()])).unwrap_or_default();
    let concerning: Vec<Value> = all
        .into_iter()
        .filter(|statement| is_named(statement, who))
        .map(|mut statement| {
            if let (None, Some(members)) = (resource, statement.as_object_mut()) {
                members.insert("Resource".to_owned(), json!("*"));
            }
            statement
        })
        .collect();
    let policy = json!({ "Statement": concerning });
    evaluate([("policy", &policy)], action, resource.unwrap_or("*"), keys).decision
}

fn is_named(statement: &Value, who: Principal<'_>) -> bool {
    let holds = |principal: &Value| {
        let names = |kind: &str| match principal.get(kind) {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        };
        let anybody = principal == "*";
        match who {
            Principal::Service(service) => anybody || names("Service").iter().any(|name| name == service),
            Principal::Role(arn) => anybody || names("AWS").iter().any(|name| name == arn || name == "*"),
            Principal::Account(root) => names("AWS").iter().any(|name| name == root || root.contains(&format!("::{name}:"))),
        }
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => holds(principal),
        (None, Some(others)) => !holds(others),
        (None, None) => true,
    }
}

/// The function at work in its role.
struct RotatingFunction<'w> {
    world: &'w SimulatedAccount,
    role: &'w SimulatedRole,
    function: &'w Function,
    secret: &'w SimulatedSecret,
}

impl RotatingFunction<'_> {
    fn keys(&self) -> ConditionKeys {
        let known = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        ConditionKeys::from([
            known("secretsmanager:secretid", &self.secret.arn),
            known("secretsmanager:resource/allowrotationlambdaarn", &self.function.arn),
            known("aws:principalarn", &self.role.arn),
            known("aws:principalaccount", &self.world.account),
            known("aws:requestedregion", &self.secret.region),
            known("aws:securetransport", "true"),
            known("kms:viaservice", &format!("secretsmanager.{}.amazonaws.com", self.secret.region)),
            known("kms:calleraccount", &self.world.account),
            known("kms:encryptioncontext:secretarn", &self.secret.arn),
        ])
    }

    /// Whether the policy of the endpoint lets the call through.
    fn passes(&self, endpoint: Option<&network::EndpointForm>, action: &str, resource: &str) -> Result<(), String> {
        let Some((endpoint, policy)) = endpoint.and_then(|endpoint| Some((endpoint, endpoint.document.as_ref()?))) else {
            return Ok(());
        };
        let mut keys = self.keys();
        keys.insert("aws:sourcevpce".to_owned(), vec![endpoint.id.clone()]);
        keys.insert("aws:sourcevpc".to_owned(), vec![endpoint.vpc.clone()]);
        match by_resource(policy, Principal::Role(&self.role.arn), action, Some(resource), &keys) {
            CallDecision::Allowed => Ok(()),
            _ => Err(format!("the policy of {} does not let {action} through", endpoint.id)),
        }
    }

    fn may(&self, action: &str, resource: &str, policy: Option<&Value>, is_key: bool) -> Result<(), String> {
        let keys = self.keys();
        let attached = self.role.attached.iter().filter_map(|arn| self.world.policy(arn));
        let identity = (self.role.inline.iter().map(|(name, policy)| (name.as_str(), policy)))
            .chain(attached.map(|policy| (policy.name.as_str(), &policy.document)));
        let own = evaluate(identity, action, resource, &keys).decision;
        let boundary = self.role.boundary.as_ref().and_then(|arn| self.world.policy(arn));
        let within = boundary.map(|policy| evaluate([("boundary", &policy.document)], action, resource, &keys).decision);
        let organization = self.world.scps.iter().map(|policy| evaluate([("scp", policy)], action, resource, &keys).decision);
        let root = format!("arn:aws:iam::{}:root", self.world.account);
        let to = |who| policy.map(|policy| by_resource(policy, who, action, Some(resource), &keys));
        let (direct, handed) = (to(Principal::Role(&self.role.arn)), to(Principal::Account(&root)));
        let denied = [Some(own), within, direct, handed]
            .into_iter()
            .flatten()
            .chain(organization)
            .any(|one| one == CallDecision::ExplicitDeny);
        let by_identity = own == CallDecision::Allowed && within.is_none_or(|one| one == CallDecision::Allowed);
        let by_account = !is_key || handed == Some(CallDecision::Allowed);
        match !denied && (direct == Some(CallDecision::Allowed) || by_identity && by_account) {
            true => Ok(()),
            false => Err(format!("the role {} may not call {action}", self.role.name)),
        }
    }
}

fn key_state(world: &SimulatedAccount, secret: usize) -> Option<String> {
    let id = world.secrets.get(secret)?.kms_key_id.as_ref()?;
    world.keys.iter().find(|key| key.exists && (&key.arn == id || &key.id == id)).map(|key| key.state.clone())
}

/// A new version; AWSCURRENT leaves the old one, which becomes the previous.
fn store(secret: &mut SimulatedSecret, id: String, created: Timestamp, stages: &[&str]) {
    for old in &mut secret.versions {
        old.stages.retain(|stage| stage != "AWSPREVIOUS");
        if old.stages.iter().any(|stage| stage == "AWSCURRENT") {
            old.stages.retain(|stage| stage != "AWSCURRENT");
            old.stages.push("AWSPREVIOUS".to_owned());
        }
    }
    secret.versions.push(Version { id, created, stages: stages.iter().map(|stage| (*stage).to_owned()).collect() });
}

fn member(shape: &Shape, name: &str) -> Option<String> {
    let Shape::Structure(members) = shape else { return None };
    members.iter().find_map(|(own, value)| match value {
        Shape::Text(text) if own == name => Some(text.clone()),
        _ => None,
    })
}

/// Replaces a member, or takes it away where the new value is absent.
fn set(shape: &mut Shape, name: &str, value: impl Into<Shape>) {
    let Shape::Structure(members) = shape else { return };
    members.retain(|(own, _)| own != name);
    *shape = std::mem::replace(shape, Shape::Absent).with(name, value);
}
