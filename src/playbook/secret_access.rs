//! Step 8: may Secrets Manager invoke the function; may the function use the secret and its key.

use super::kms_key::{self, parse_policy};
use super::secret::Described;
use super::{StepContext, StepResult, carried, function_of, not_here};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::{FunctionArn, KeyFacts, Observation, SecretAccess};
use serde_json::Value;
use std::sync::Arc;

pub(super) async fn collect(
    cx: &StepContext<'_>,
    caller: &AwsCaller,
    subject: Observation<Arc<Described>>,
) -> StepResult<SecretAccess> {
    let function = function_of(&subject);
    let described = match subject {
        Observation::Found(described) => described,
        unanswered => return carried(unanswered).into(),
    };
    if let Some(because) = not_here(&described) {
        return Observation::NotApplicable { because }.into();
    }
    let (function_policy, secret_policy, secret_key, environment_key) = tokio::join!(
        function_policy(cx, caller, function),
        secret_policy(cx, caller, &described),
        secret_key(cx, caller, &described),
        environment_key(cx, caller),
    );
    let access = SecretAccess { function_policy, secret_policy, secret_key, environment_key };
    let summary = summary(&access);
    StepResult { observation: Observation::Found(access), window: None, summary }
}

async fn function_policy(cx: &StepContext<'_>, caller: &AwsCaller, function: Observation<FunctionArn>) -> Observation<Value> {
    let arn = match function {
        Observation::Found(arn) => arn,
        unanswered => return carried(unanswered),
    };
    let ask = async {
        // A version or an alias has a policy of its own, and rotation invokes what its ARN names.
        let request =
            cx.aws.lambda.get_policy().function_name(arn.name()).set_qualifier(arn.qualifier().map(str::to_owned)).send();
        let policy = caller.call("lambda:GetPolicy", &format!("resource policy of function {}", arn.name()), request).await;
        policy.and_then(|output| parse_policy(output.policy(), "resource policy of the function"))
    };
    cx.aws.shared().answers.get(CacheKey::FunctionPolicy(arn.to_string()), caller.fresh(), ask).await
}

async fn secret_policy(cx: &StepContext<'_>, caller: &AwsCaller, described: &Described) -> Observation<Value> {
    let request = cx.aws.secretsmanager.get_resource_policy().secret_id(described.facts.arn.arn().as_str()).send();
    let policy = caller.call("secretsmanager:GetResourcePolicy", &format!("secret {}", described.facts.name), request).await;
    policy.and_then(|output| parse_policy(output.resource_policy(), "resource policy on the secret"))
}

async fn secret_key(cx: &StepContext<'_>, caller: &AwsCaller, described: &Described) -> Observation<KeyFacts> {
    match described.facts.kms_key_id.as_deref().filter(|key| !kms_key::is_default(key)) {
        Some(key) => kms_key::facts(cx, caller, key).await,
        None => Observation::NotApplicable { because: "the secret uses the AWS managed key".to_owned() },
    }
}

async fn environment_key(cx: &StepContext<'_>, caller: &AwsCaller) -> Observation<KeyFacts> {
    let function = caller.within_deadline(cx.board.function.wait()).await;
    let Some(function) = function else { return Observation::TimedOut { after_ms: caller.elapsed_ms() } };
    let facts = match function.clone() {
        Observation::Found(facts) => facts,
        Observation::NoData { .. } => return Observation::NotApplicable { because: "the function does not exist".to_owned() },
        unanswered => return carried(unanswered),
    };
    match &facts.kms_key_arn {
        Some(key) => kms_key::facts(cx, caller, key.as_str()).await,
        None => Observation::NotApplicable { because: "the environment uses the AWS managed key".to_owned() },
    }
}

fn summary(access: &SecretAccess) -> String {
    fn policy(observation: &Observation<Value>) -> String {
        match observation {
            Observation::Found(policy) => {
                let statements = policy.get("Statement").and_then(Value::as_array).map_or(1, Vec::len);
                super::text::counted(statements, "statement")
            }
            Observation::NoData { .. } => "none".to_owned(),
            Observation::NotApplicable { .. } => "not applicable".to_owned(),
            other => format!("not checked ({})", other.missing().unwrap_or_default()),
        }
    }
    fn key(observation: &Observation<KeyFacts>) -> String {
        match observation {
            Observation::Found(key) => key.state.clone(),
            Observation::NoData { .. } => "does not exist".to_owned(),
            Observation::NotApplicable { .. } => "AWS managed".to_owned(),
            other => format!("not checked ({})", other.missing().unwrap_or_default()),
        }
    }
    let environment = match &access.environment_key {
        Observation::NotApplicable { .. } => String::new(),
        other => format!("; key of the environment: {}", key(other)),
    };
    format!(
        "function policy: {}; secret policy: {}; key: {}{environment}",
        policy(&access.function_policy),
        policy(&access.secret_policy),
        key(&access.secret_key)
    )
}
