//! A KMS key with its state and policy: asked by steps 5 and 8, answered once.

use super::{StepContext, carried, text};
use crate::aws::{AwsCaller, CacheKey};
use crate::model::{Arn, KeyFacts, Observation};
use aws_sdk_kms::types::KeyManagerType;

/// The alias of the key Secrets Manager uses when none is chosen.
const DEFAULT_ALIAS: &str = "alias/aws/secretsmanager";

/// The only name a key's policy can have. It may be left out, but not everything that answers for KMS knows that.
///
/// Source: KMS API reference, `GetKeyPolicy`.
const POLICY: &str = "default";

/// True for the AWS managed key, whose policy always lets Secrets Manager's callers use it.
pub(super) fn is_default(key: &str) -> bool {
    key == DEFAULT_ALIAS || key.ends_with(&format!(":{DEFAULT_ALIAS}"))
}

/// The key named by id, ARN or alias.
pub(super) async fn facts(cx: &StepContext<'_>, caller: &AwsCaller, key: &str) -> Observation<KeyFacts> {
    let ask = async {
        let resource = format!("KMS key {key}");
        let request = cx.aws.kms.describe_key().key_id(key).send();
        let output = match caller.call("kms:DescribeKey", &resource, request).await {
            Observation::Found(output) => output,
            unanswered => return carried(unanswered),
        };
        let Some(metadata) = output.key_metadata() else { return unreadable() };
        let Some(arn) = metadata.arn().and_then(|arn| Arn::parse(arn).ok()) else { return unreadable() };
        let customer_managed = metadata.key_manager() != Some(&KeyManagerType::Aws);
        let policy = if customer_managed {
            // An alias is not taken here, the ARN is.
            let request = cx.aws.kms.get_key_policy().key_id(arn.as_str()).policy_name(POLICY).send();
            let policy = caller.call("kms:GetKeyPolicy", &resource, request).await;
            policy.and_then(|output| parse_policy(output.policy(), "key policy"))
        } else {
            Observation::NotApplicable { because: "AWS manages this key and its policy".to_owned() }
        };
        Observation::Found(KeyFacts {
            arn,
            state: metadata.key_state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            deletion_at: metadata.deletion_date().and_then(text::timestamp),
            customer_managed,
            custom_key_store: metadata.custom_key_store_id().map(str::to_owned),
            policy,
        })
    };
    cx.aws.shared().answers.get(CacheKey::Key(key.to_owned()), caller.fresh(), ask).await
}

fn unreadable<T>() -> Observation<T> {
    Observation::Failed { error: "the answer of kms:DescribeKey names no key".to_owned() }
}

/// A policy document as JSON.
pub(super) fn parse_policy(document: Option<&str>, what: &str) -> Observation<serde_json::Value> {
    let Some(document) = document else { return Observation::NoData { searched: format!("there is no {what}") } };
    match serde_json::from_str::<serde_json::Value>(document) {
        Ok(policy) if policy.is_object() => Observation::Found(policy),
        _ => Observation::Failed { error: format!("the {what} is not valid JSON") },
    }
}
