//! Functions, as Lambda describes them.

use super::invocation::{memory, timeout};
use super::names::{NameTable, role_name};
use crate::simulator::declaration::{FunctionForm, InvokeForm, LogFormatForm};
use crate::simulator::ids;
use crate::simulator::json::set;
use crate::simulator::network::FUNCTION_VPC;
use crate::simulator::package;
use crate::simulator::policy::principal_element;
use crate::simulator::wire::Shape;
use crate::simulator::world::Function;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn log_group(form: &FunctionForm) -> String {
    form.log_group.clone().unwrap_or_else(|| format!("/aws/lambda/{}", form.name))
}

pub(super) fn function(names: &NameTable<'_>, form: &FunctionForm) -> Result<Function, String> {
    let arn = names.function_arn(form);
    let invoke = match &form.invoke {
        Some(invoke) => invoke.clone(),
        None => vec![InvokeForm { source_account: Some(names.account().to_owned()), ..InvokeForm::default() }],
    };
    let mut policy: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
    for (nth, statement) in invoke.iter().enumerate() {
        policy.entry(statement.qualifier.clone()).or_default().push(invoke_statement(names, &arn, nth, statement)?);
    }
    Ok(Function {
        name: form.name.clone(),
        region: names.region(form.region.as_ref()).to_owned(),
        exists: form.exists,
        configuration: configuration(names, form, &arn)?,
        concurrency: form.concurrency,
        package: package_of(form)?,
        policy,
        arn,
    })
}

fn package_of(form: &FunctionForm) -> Result<Option<Vec<u8>>, String> {
    let files = match &form.package {
        _ if form.image => return Ok(None),
        Some(files) => files.clone(),
        None => package::working(),
    };
    package::pack(&files).map(Some).map_err(|error| format!("the package of {} cannot be packed: {error}", form.name))
}

fn configuration(names: &NameTable<'_>, form: &FunctionForm, arn: &str) -> Result<Shape, String> {
    let modified: Timestamp = match &form.modified {
        Some(modified) => names.time(modified)?,
        None => names.now.checked_sub(SignedDuration::from_hours(200 * 24)).map_err(|error| error.to_string())?,
    };
    let vpc = Shape::structure()
        .with("SubnetIds", Shape::list(form.vpc.iter().flat_map(|vpc| &vpc.subnets)))
        .with("SecurityGroupIds", Shape::list(form.vpc.iter().flat_map(|vpc| &vpc.security_groups)))
        .with("Ipv6AllowedForDualStack", form.vpc.as_ref().is_some_and(|vpc| vpc.ipv6))
        .with("VpcId", if form.vpc.is_some() { FUNCTION_VPC } else { "" });
    let environment = form.env.clone().unwrap_or_else(|| vec!["SECRETS_MANAGER_ENDPOINT".into(), "EXCLUDE_CHARACTERS".into()]);
    let variables = Shape::Structure(environment.into_iter().map(|name| (name, Shape::from("not-a-real-value"))).collect());
    let logging = Shape::structure()
        .with(
            "LogFormat",
            match form.log_format {
                LogFormatForm::Text => "Text",
                LogFormatForm::Json => "JSON",
            },
        )
        .with("ApplicationLogLevel", form.log_level.as_deref().or((form.log_format == LogFormatForm::Json).then_some("INFO")))
        .with("SystemLogLevel", (form.log_format == LogFormatForm::Json).then_some("INFO"))
        .with("LogGroup", log_group(form));
    let layers = (!form.layers.is_empty())
        .then(|| Shape::list(form.layers.iter().map(|arn| Shape::structure().with("Arn", arn).with("CodeSize", 1_048_576_i64))));
    Ok(Shape::structure()
        .with("FunctionName", &form.name)
        .with("FunctionArn", arn)
        .with("Runtime", form.runtime.as_deref().or((!form.image).then_some("python3.13")))
        .with("Role", names.role_arn(&role_name(form)))
        .with("Handler", form.handler.as_deref().or((!form.image).then_some("lambda_function.lambda_handler")))
        .with("CodeSize", 3_145_728_i64)
        .with("Description", "")
        .with("Timeout", timeout(form))
        .with("MemorySize", memory(form))
        .with("LastModified", modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string())
        .with(
            "CodeSha256",
            form.code_sha.clone().unwrap_or_else(|| format!("{}=", ids::letters(arn, "abcdefABCDEF0123456789", 43))),
        )
        .with("Version", "$LATEST")
        .with("VpcConfig", vpc)
        .with("Environment", Shape::structure().with("Variables", variables))
        .with("KMSKeyArn", form.kms_key.as_ref().map(|key| names.key_arn(key)).transpose()?)
        .with("TracingConfig", Shape::structure().with("Mode", "PassThrough"))
        .with("RevisionId", ids::uuid(arn))
        .with("Layers", layers)
        .with("State", form.state.as_deref().unwrap_or("Active"))
        .with("StateReason", form.state_reason.as_ref())
        .with("StateReasonCode", form.state_reason_code.as_ref())
        .with("LastUpdateStatus", form.last_update.as_deref().unwrap_or("Successful"))
        .with("LastUpdateStatusReason", form.last_update_reason.as_ref())
        .with("LastUpdateStatusReasonCode", form.last_update_reason_code.as_ref())
        .with("PackageType", if form.image { "Image" } else { "Zip" })
        .with("Architectures", Shape::list([form.architecture.as_deref().unwrap_or("x86_64")]))
        .with("EphemeralStorage", Shape::structure().with("Size", 512_i64))
        .with("LoggingConfig", logging))
}

fn invoke_statement(names: &NameTable<'_>, arn: &str, nth: usize, form: &InvokeForm) -> Result<Value, String> {
    let resource = match &form.qualifier {
        Some(qualifier) => format!("{arn}:{qualifier}"),
        None => arn.to_owned(),
    };
    let mut statement = json!({
        "Sid": format!("SecretsManagerAccess{nth}"),
        "Effect": form.effect,
        "Principal": principal_element(&names.fill(&form.principal, &[])?),
        "Action": form.action,
        "Resource": resource,
    });
    let mut condition = json!({});
    if let Some(account) = &form.source_account {
        let account = names.fill(account, &[])?;
        set(&mut condition, "StringEquals", json!({ "AWS:SourceAccount": account }));
    }
    if let Some(source) = &form.source_arn {
        let source = names.fill(source, &[])?;
        set(&mut condition, "ArnLike", json!({ "AWS:SourceArn": source }));
    }
    if condition != json!({}) {
        set(&mut statement, "Condition", condition);
    }
    Ok(statement)
}
