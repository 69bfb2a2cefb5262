//! A rotation that Secrets Manager manages in a partner's system: its role, its metadata, and what its failure says.
//!
//! Source: Secrets Manager User Guide, "Managed external secrets": permissions, and a page for each partner.

use crate::diagnosis::iam::{Caller, Context, Decision, Policy, Request, evaluate_trust, key_names};
use crate::diagnosis::readings::trust::Trust;
use crate::diagnosis::{DiagnosisContext, Verdict};
use crate::model::{Cause, Observation, Proof, RoleArn, RotationConfig, SecretFacts};
use serde_json::Value;

/// Who assumes the role of a partner-managed rotation.
pub(in crate::diagnosis) const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";

/// Partners whose systems stand with the customer, as their secrets' types begin.
const CUSTOMER_HOSTED: [&str; 2] = ["Jenkins", "SonarQube"];

/// A secret that a partner-managed rotation is set up for.
#[derive(Clone, Copy)]
pub(in crate::diagnosis) struct Partner<'a> {
    pub(in crate::diagnosis) secret: &'a SecretFacts,
    pub(in crate::diagnosis) config: &'a RotationConfig,
}

/// The partner-managed rotation, or the verdict of a rule about one where there is none or it could not be looked at.
pub(in crate::diagnosis) fn of<'a>(context: &DiagnosisContext<'a>) -> Result<Partner<'a>, Verdict> {
    if let Some(verdict) = context.without_secret().or_else(|| context.without_config()) {
        return Err(verdict);
    }
    let (Some(secret), Some(config)) = (context.secret(), context.config()) else {
        return Err(Verdict::clear("there is no rotation configuration"));
    };
    let is_external = secret.secret_type.is_some() || config.external_role_arn.is_some();
    if !is_external || config.function_arn.is_some() || secret.owning_service.is_some() {
        return Err(Verdict::clear("no partner rotates it"));
    }
    if config.enabled != Some(true) {
        return Err(Verdict::clear("rotation is not turned on"));
    }
    Ok(Partner { secret, config })
}

impl<'a> Partner<'a> {
    /// The secret's type, which names the partner.
    pub(in crate::diagnosis) fn name(&self) -> &'a str {
        self.secret.secret_type.as_deref().unwrap_or("a partner")
    }

    pub(in crate::diagnosis) fn role(&self) -> Option<&'a RoleArn> {
        self.config.external_role_arn.as_ref()
    }

    /// A value of the rotation's metadata; partners differ in the spelling of its keys.
    pub(in crate::diagnosis) fn metadata(&self, key: &str) -> Option<&'a str> {
        let items = &self.config.external_metadata;
        items.iter().find(|item| item.key.eq_ignore_ascii_case(key)).map(|item| item.value.as_str())
    }

    /// The days between rotations, as the schedule says them.
    pub(in crate::diagnosis) fn interval_days(&self) -> Option<i64> {
        let rules = self.config.rules.as_ref()?;
        rules.automatically_after_days.or_else(|| rate_in_days(rules.schedule_expression.as_deref()?))
    }

    /// The days a token lives, where the metadata says so.
    pub(in crate::diagnosis) fn token_days(&self) -> Option<i64> {
        self.metadata("daysToExpiry")?.trim().parse().ok()
    }

    /// True where the partner's system is the customer's own, and has to let Secrets Manager in.
    pub(in crate::diagnosis) fn is_customer_hosted(&self) -> bool {
        CUSTOMER_HOSTED.iter().any(|kind| self.name().starts_with(kind))
    }

    /// What DescribeSecret says about the rotation, as proof.
    pub(in crate::diagnosis) fn proof(&self, context: &DiagnosisContext<'_>) -> Proof {
        let role = self.role().map_or("absent", |role| role.arn().as_str());
        context.secret_proof(format!("Type {}, ExternalSecretRotationRoleArn {role}", self.name()))
    }
}

/// `rate(14 days)` in days; a cron schedule has no one distance.
fn rate_in_days(expression: &str) -> Option<i64> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    unit.starts_with("day").then(|| count.trim().parse().ok()).flatten()
}

/// Words of a failure's reason, and the cause they speak of; the first that is said counts.
const WORDS: &[(Cause, &[&str])] = &[
    (Cause::ExternalRoleTrust, &["assume"]),
    (Cause::ExternalTokenExpired, &["expired", "has expired", "no longer valid", "revoked", "401"]),
    (
        Cause::ExternalRolePermission,
        &["not authorized to perform", "accessdenied", "access denied", "explicit deny", "access to kms", "kms key"],
    ),
    (Cause::ExternalMetadataInvalid, &["metadata", "invalid parameter", "validationexception", "invalid value for"]),
    (
        Cause::ExternalPartnerUnreachable,
        &[
            "timed out",
            "timeout",
            "unreachable",
            "could not connect",
            "unable to connect",
            "cannot connect",
            "can't connect",
            "connection refused",
            "connection reset",
            "certificate",
            "handshake",
            "resolve",
            "unknown host",
            "502",
            "503",
            "504",
        ],
    ),
];

/// The cause that the newest failure's own words speak of.
pub(in crate::diagnosis) fn said(context: &DiagnosisContext<'_>) -> Option<Cause> {
    let reason = context.failed_attempts().next_back()?.reason.as_deref()?.to_ascii_lowercase();
    // A session's ARN tells that the role was assumed.
    let reason = reason.replace("assumed-role", "");
    WORDS.iter().find(|(_, words)| words.iter().any(|word| reason.contains(word))).map(|(cause, _)| *cause)
}

/// Secrets Manager names the account and the secret it acts for in `aws:SourceAccount` and `aws:SourceArn`.
pub(in crate::diagnosis) fn trust(context: &DiagnosisContext<'_>, partner: &Partner<'_>) -> Trust {
    let Some(facts) = context.evidence.role.found() else {
        let missing = context.evidence.role.observation.missing();
        return Trust::Open(missing.unwrap_or_else(|| "the rotation role's trust policy".to_owned()));
    };
    let document = match &facts.trust {
        Observation::Found(document) => document,
        Observation::NoData { .. } => return Trust::Broken("the role does not exist".to_owned()),
        other => return Trust::Open(other.missing().unwrap_or_else(|| "the rotation role's trust policy".to_owned())),
    };
    let policy = match Policy::from_value("the trust policy", document) {
        Ok(policy) => policy,
        Err(error) => {
            return Trust::Open(format!("the role's trust policy in a form that can be evaluated: {}", error.reason()));
        }
    };
    let secret = partner.secret.arn.arn();
    let known = Context::new().known("aws:SourceAccount", secret.account_id()).known("aws:SourceArn", secret.as_str());
    let role = facts.role.arn().as_str();
    let asked =
        |context| evaluate_trust(&policy, &Request::new(Caller::service(SECRETS_MANAGER), "sts:AssumeRole", role, context));
    match asked(known) {
        Decision::Allowed { .. } => Trust::Kept,
        Decision::ExplicitDeny { by } => Trust::Broken(format!("{by} forbids it")),
        Decision::ImplicitDeny => Trust::Broken(match (asked(Context::new()), conditions(document)) {
            // It would be allowed if the request were another one.
            (Decision::Unknown { .. }, Some(conditions)) => {
                format!("its condition does not match this secret, {}: {conditions}", secret.as_str())
            }
            _ => format!("no statement of its trust policy lets {SECRETS_MANAGER} assume it"),
        }),
        Decision::Unknown { missing_keys, .. } => {
            Trust::Open(format!("the value of {} in Secrets Manager's request", key_names(missing_keys)))
        }
    }
}

/// The conditions of the statements that allow something, as they are written.
fn conditions(document: &Value) -> Option<String> {
    let statements = match document.get("Statement")? {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let allowing = statements.iter().filter(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Allow"));
    let written: Vec<String> = allowing.filter_map(|statement| Some(statement.get("Condition")?.to_string())).collect();
    (!written.is_empty()).then(|| written.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_in_days_is_a_distance_and_other_schedules_are_not() {
        for (expression, days) in [
            ("rate(14 days)", Some(14)),
            ("rate(1 day)", Some(1)),
            ("rate(4 hours)", None),
            ("cron(0 0 1 * ? *)", None),
            ("", None),
        ] {
            assert_eq!(rate_in_days(expression), days, "{expression}");
        }
    }
}
