//! Step 3: the rotation function as Lambda knows it.

use super::{StepContext, StepResult, carried, function_code};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::{Arn, FunctionArn, FunctionFacts, LAMBDA_LOGS, Observation, RoleArn, VpcConfig, moment};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use jiff::Timestamp;
use std::sync::Arc;

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    function: Observation<FunctionArn>,
) -> StepResult<FunctionFacts> {
    let arn = match function {
        Observation::Found(arn) => arn,
        unanswered => return carried(unanswered).into(),
    };
    let concurrency = reserved_concurrency(cx, caller, &arn);
    let configuration = async {
        let facts = configuration(cx, caller, &arn).await;
        // The role is known now; step 5 need not wait for the concurrency.
        let _ = cx.board.function.set(facts.clone().map(Arc::new));
        let _ = cx.board.code.set(function_code::collect(cx, caller, &facts).await);
        facts
    };
    let (facts, reserved_concurrency) = tokio::join!(configuration, concurrency);
    let observation = facts.map(|facts| FunctionFacts { reserved_concurrency, ..facts });
    let summary = match &observation {
        Observation::Found(facts) => summary(facts, cx.now),
        Observation::NoData { .. } => format!("the function {} does not exist", arn.name()),
        _ => String::new(),
    };
    StepResult { observation, window: None, summary }
}

async fn configuration(cx: &StepContext<'_>, caller: &AwsCaller, arn: &FunctionArn) -> Observation<FunctionFacts> {
    let resource = format!("function {}", arn.name());
    let ask = async {
        let request = cx.aws.lambda.get_function_configuration().function_name(arn.arn().as_str()).send();
        caller.call("lambda:GetFunctionConfiguration", &resource, request).await.and_then(|output| from_output(arn, &output))
    };
    cx.aws.shared().answers.get(CacheKey::Function(arn.to_string()), caller.fresh(), ask).await
}

async fn reserved_concurrency(cx: &StepContext<'_>, caller: &AwsCaller, arn: &FunctionArn) -> Observation<Option<u32>> {
    let ask = async {
        // Concurrency is reserved per function; a qualifier is refused.
        let request = cx.aws.lambda.get_function_concurrency().function_name(arn.name()).send();
        caller
            .call("lambda:GetFunctionConcurrency", &format!("function {}", arn.name()), request)
            .await
            .map(|output| output.reserved_concurrent_executions().and_then(|reserved| u32::try_from(reserved).ok()))
    };
    cx.aws.shared().answers.get(CacheKey::Concurrency(arn.name().to_owned()), caller.fresh(), ask).await
}

fn from_output(arn: &FunctionArn, output: &GetFunctionConfigurationOutput) -> Observation<FunctionFacts> {
    let Some(role) = output.role().and_then(|role| Arn::parse(role).ok()).and_then(|role| RoleArn::try_from(role).ok()) else {
        return Observation::Failed { error: format!("the configuration of {} names no usable role", arn.name()) };
    };
    let logging = output.logging_config();
    let environment = output.environment();
    let mut environment_names: Vec<String> = environment
        .and_then(|environment| environment.variables())
        .map(|variables| variables.keys().cloned().collect())
        .unwrap_or_default();
    environment_names.sort();
    Observation::Found(FunctionFacts {
        arn: arn.clone(),
        state: output.state().map(|state| state.as_str().to_owned()),
        state_reason: output.state_reason().map(str::to_owned),
        state_reason_code: output.state_reason_code().map(|code| code.as_str().to_owned()),
        last_update_status: output.last_update_status().map(|status| status.as_str().to_owned()),
        last_update_reason: output.last_update_status_reason().map(str::to_owned),
        last_update_reason_code: output.last_update_status_reason_code().map(|code| code.as_str().to_owned()),
        runtime: output.runtime().map(|runtime| runtime.as_str().to_owned()),
        handler: output.handler().map(str::to_owned),
        timeout_s: output.timeout().and_then(|seconds| u32::try_from(seconds).ok()),
        memory_mb: output.memory_size().and_then(|megabytes| u32::try_from(megabytes).ok()),
        last_modified_at: output.last_modified().and_then(last_modified),
        code_sha256: output.code_sha256().map(str::to_owned),
        architectures: output.architectures().iter().map(|architecture| architecture.as_str().to_owned()).collect(),
        vpc: output.vpc_config().and_then(|vpc| {
            // Lambda answers with an empty id for a function that was taken out of its VPC.
            let vpc_id = vpc.vpc_id().filter(|id| !id.is_empty())?;
            Some(VpcConfig {
                vpc_id: vpc_id.to_owned(),
                subnet_ids: vpc.subnet_ids().to_vec(),
                security_group_ids: vpc.security_group_ids().to_vec(),
                ipv6_allowed: vpc.ipv6_allowed_for_dual_stack() == Some(true),
            })
        }),
        layers: output.layers().iter().filter_map(|layer| layer.arn().map(str::to_owned)).collect(),
        environment_names,
        environment_error: environment
            .and_then(|environment| environment.error())
            .map(|error| format!("{}: {}", error.error_code().unwrap_or("error"), error.message().unwrap_or("no reason given"))),
        kms_key_arn: output.kms_key_arn().and_then(|key| Arn::parse(key).ok()),
        role,
        log_group: logging
            .and_then(|logging| logging.log_group())
            .filter(|group| !group.is_empty())
            .map_or_else(|| default_log_group(arn), str::to_owned),
        log_format: logging.and_then(|logging| logging.log_format()).map(|format| format.as_str().to_owned()),
        application_log_level: logging.and_then(|logging| logging.application_log_level()).map(|level| level.as_str().to_owned()),
        reserved_concurrency: Observation::NotApplicable { because: "asked separately".to_owned() },
    })
}

/// Where a function writes unless its configuration says otherwise.
pub(super) fn default_log_group(arn: &FunctionArn) -> String {
    format!("{LAMBDA_LOGS}{}", arn.name())
}

/// Lambda writes `2025-03-01T12:00:00.000+0000`, whose offset lacks the colon of RFC 3339.
fn last_modified(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().or_else(|| text.parse().ok())
}

fn summary(facts: &FunctionFacts, now: Timestamp) -> String {
    let mut parts = vec![facts.arn.name().to_owned()];
    parts.push(facts.runtime.clone().unwrap_or_else(|| "container image".to_owned()));
    parts.extend(facts.state.clone());
    if let (Some(status), Some(reason)) = (&facts.last_update_status, &facts.last_update_reason_code) {
        parts.push(format!("last update {status}: {reason}"));
    }
    parts.extend(facts.timeout_s.map(|seconds| format!("timeout {seconds} s")));
    if let Some(vpc) = &facts.vpc {
        parts.push(format!("in {}", vpc.vpc_id));
    }
    if let Observation::Found(Some(reserved)) = facts.reserved_concurrency {
        parts.push(format!("reserved concurrency {reserved}"));
    }
    parts.extend(facts.last_modified_at.map(|at| format!("changed {}", moment(at, now))));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::text;
    use aws_sdk_lambda::types::{EnvironmentError, EnvironmentResponse, LoggingConfig};

    fn arn() -> FunctionArn {
        text::function_arn("arn:aws:lambda:eu-west-1:123456789012:function:rotator:live").unwrap()
    }

    #[test]
    fn the_values_of_environment_variables_are_not_kept() {
        let environment = EnvironmentResponse::builder()
            .variables("PASSWORD", "hunter2-canary")
            .error(EnvironmentError::builder().error_code("AccessDeniedException").message("no key").build())
            .build();
        let output = GetFunctionConfigurationOutput::builder()
            .role("arn:aws:iam::123456789012:role/rotator")
            .environment(environment)
            .logging_config(LoggingConfig::builder().log_group("/custom/group").build())
            .last_modified("2025-03-01T12:00:00.000+0000")
            .build();
        let Observation::Found(facts) = from_output(&arn(), &output) else { panic!("not found") };
        assert!(!format!("{facts:?}").contains("canary"));
        assert_eq!(facts.environment_names, ["PASSWORD"]);
        assert_eq!(facts.environment_error.as_deref(), Some("AccessDeniedException: no key"));
        assert_eq!(facts.log_group, "/custom/group");
        assert_eq!(facts.last_modified_at, Some("2025-03-01T12:00:00Z".parse().unwrap()));
    }

    #[test]
    fn without_a_logging_configuration_the_group_follows_the_name() {
        let output = GetFunctionConfigurationOutput::builder().role("arn:aws:iam::123456789012:role/rotator").build();
        let Observation::Found(facts) = from_output(&arn(), &output) else { panic!("not found") };
        assert_eq!(facts.log_group, "/aws/lambda/rotator");
        assert_eq!(facts.vpc, None);
    }
}
