//! Roles and managed policies.

use super::aws_managed::{NETWORK, aws_managed};
use super::names::{NameTable, role_name};
use crate::simulator::declaration::RoleForm;
use crate::simulator::ids;
use crate::simulator::json::set;
use crate::simulator::policy::document;
use crate::simulator::world::{ManagedPolicy, SimulatedRole};
use jiff::SignedDuration;
use serde_json::{Value, json};

const SECRET: &[&str] = &[
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
];
const KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

pub(super) fn managed_policies(names: &NameTable<'_>) -> Result<Vec<ManagedPolicy>, String> {
    let mut policies = Vec::new();
    for name in ["AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"] {
        if let Some((path, arn, actions)) = aws_managed(name) {
            policies.push(ManagedPolicy {
                name: name.to_owned(),
                arn,
                path: path.to_owned(),
                document: document(vec![allow(&actions, json!("*"))]),
            });
        }
    }
    for form in &names.scenario.policies {
        policies.push(ManagedPolicy {
            name: form.name.clone(),
            arn: names.policy_arn(&form.name)?,
            path: "/".into(),
            document: form.document.document(&|text| names.fill(text, &[]))?,
        });
    }
    Ok(policies)
}

pub(super) fn role(names: &NameTable<'_>, form: &RoleForm) -> Result<SimulatedRole, String> {
    let fill = |text: &str| names.fill(text, &[]);
    let mut role = SimulatedRole {
        name: form.name.clone(),
        arn: names.role_arn(&form.name),
        id: ids::iam_id("AROA", &form.name),
        exists: form.exists,
        created: names
            .maybe_time(form.created.as_ref())?
            .unwrap_or(names.now.checked_sub(SignedDuration::from_hours(420 * 24)).map_err(|error| error.to_string())?),
        trust: document(vec![trust(names, form)?]),
        inline: form
            .inline
            .iter()
            .map(|(name, policy)| Ok((name.clone(), policy.document(&fill)?)))
            .collect::<Result<_, String>>()?,
        attached: form.attached.iter().map(|name| names.policy_arn(name)).collect::<Result<_, _>>()?,
        boundary: form.boundary.as_ref().map(|name| names.policy_arn(name)).transpose()?,
    };
    if form.standard {
        add_standard_policies(names, form, &mut role)?;
    }
    Ok(role)
}

fn trust(names: &NameTable<'_>, form: &RoleForm) -> Result<Value, String> {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": form.trust.as_deref().unwrap_or("lambda.amazonaws.com") },
        "Action": "sts:AssumeRole",
    });
    if let Some(condition) = &form.trust_condition {
        let filled = names.fill(&condition.to_string(), &[])?;
        let condition: Value = serde_json::from_str(&filled).map_err(|error| error.to_string())?;
        set(&mut statement, "Condition", condition);
    }
    Ok(statement)
}

/// The minimal permissions of the Secrets Manager User Guide, "Lambda rotation function execution role
/// permissions", less what the role lacks.
fn add_standard_policies(names: &NameTable<'_>, form: &RoleForm, role: &mut SimulatedRole) -> Result<(), String> {
    let (mut secrets, mut keys, mut in_vpc) = (Vec::new(), Vec::new(), false);
    for function in names.functions.iter().filter(|function| role_name(function) == form.name) {
        in_vpc |= function.vpc.is_some();
        for secret in &names.scenario.secrets {
            if names.function_of(secret)?.is_none_or(|own| own.name != function.name) {
                continue;
            }
            secrets.push(names.secret_arn(secret));
            if let Some(key) = &secret.kms_key {
                keys.push(names.key_arn(key)?);
            }
        }
    }
    let has = |action: &&&str| !form.lacks.iter().any(|lacking| lacking == **action);
    let mut statements = Vec::new();
    for (actions, resource) in [(SECRET, json!(secrets)), (&["secretsmanager:GetRandomPassword"], json!("*")), (KEY, json!(keys))]
    {
        let actions: Vec<&str> = actions.iter().filter(has).copied().collect();
        if !actions.is_empty() && resource != json!([]) {
            statements.push(allow(&actions, resource));
        }
    }
    role.inline.insert("SecretsManagerRotation".into(), document(statements));
    let lacks_network = NETWORK.iter().any(|action| !has(&action));
    let managed = if in_vpc && !lacks_network { "AWSLambdaVPCAccessExecutionRole" } else { "AWSLambdaBasicExecutionRole" };
    role.attached.push(names.policy_arn(managed)?);
    Ok(())
}

fn allow(actions: &[&str], resource: Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}
