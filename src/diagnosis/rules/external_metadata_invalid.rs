//! # The metadata of the partner-managed rotation is wrong
//!
//! Each partner asks for metadata of its own, and some put limits on the schedule: Netskope's interval has to be shorter
//! than 350 days, a Snowflake token has to live longer than the interval, addresses must not end with a slash.
//!
//! **Shows as** `ExternalSecretRotationMetadata` and `RotationRules` that break the partner's rules; RotationFailed events,
//! some of which mention the metadata.
//!
//! **Is not it** when rotation has worked with the same metadata and schedule.

use crate::diagnosis::readings::partner::{self, Partner};
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, Severity, StepName};

const CAUSE: Cause = Cause::ExternalMetadataInvalid;

/// Source: Secrets Manager User Guide, "Netskope", in days.
const NETSKOPE_INTERVAL: i64 = 350;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::ROTATION_CONFIGURED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// What breaks a partner's rule, and the schedule or the metadata that would keep it.
struct MetadataFault {
    what: String,
    mend: Mend,
}

enum Mend {
    Metadata { key: String, value: String },
    Days(i64),
    ByHand,
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    let says_so = partner::said(context) == Some(CAUSE);
    let fault = fault(&partner);
    if fault.is_none() && !says_so {
        return Verdict::clear("the metadata follows the partner's rules, as far as they are known here");
    }
    if !says_so && !context.is_unwell() && !context.never_rotated() {
        return Verdict::clear("rotation has worked with this metadata");
    }
    let mut evidence = Vec::new();
    evidence.extend(context.failed_attempt_proof().filter(|_| says_so));
    evidence.extend(fault.as_ref().map(|fault| context.config_proof(fault.what.clone())));
    evidence.extend(context.failed_attempt_proof().filter(|_| !says_so));
    evidence.push(partner.proof(context));
    let explanation = match &fault {
        Some(fault) => format!("{} cannot rotate with this metadata: {}.", partner.name(), fault.what),
        None => format!("Secrets Manager says that the metadata for {} is wrong.", partner.name()),
    };
    let confidence = match (&fault, says_so, context.failing.is_some()) {
        (Some(_), true, _) => Confidence::Confirmed,
        _ => Confidence::Likely,
    };
    let mut finding = context.finding(CAUSE, confidence, explanation, evidence, fix(context, &partner, fault.as_ref()));
    finding.severity = Severity::Critical;
    finding.into()
}

fn fault(partner: &Partner<'_>) -> Option<MetadataFault> {
    let name = partner.name();
    if name.starts_with("Netskope")
        && let Some(days) = partner.interval_days().filter(|days| *days >= NETSKOPE_INTERVAL)
    {
        let what = format!("its interval of {days} days is not under {NETSKOPE_INTERVAL} days");
        return Some(MetadataFault { what, mend: Mend::Days(NETSKOPE_INTERVAL - 50) });
    }
    if name == "SnowflakePat" {
        let Some(told) = partner.metadata("daysToExpiry") else {
            return Some(MetadataFault { what: "daysToExpiry is missing".to_owned(), mend: Mend::ByHand });
        };
        let Some(life) = partner.token_days() else {
            return Some(MetadataFault {
                what: format!("daysToExpiry is {told:?}, which is not a number of days"),
                mend: Mend::ByHand,
            });
        };
        if let Some(days) = partner.interval_days().filter(|days| *days >= life) {
            let what = format!("its interval of {days} days is not shorter than the token's life of {life} days");
            return Some(MetadataFault { what, mend: Mend::Days((life - 1).clamp(1, 30)) });
        }
    }
    partner.config.external_metadata.iter().find_map(|item| {
        let is_address = item.value.starts_with("https://") || item.value.starts_with("http://");
        let bare = item.value.trim_end_matches('/');
        if is_address && bare != item.value {
            let what = format!("{} ends with a slash: {}", item.key, item.value);
            return Some(MetadataFault { what, mend: Mend::Metadata { key: item.key.clone(), value: bare.to_owned() } });
        }
        let is_admin = item.key.eq_ignore_ascii_case("adminSecretArn");
        let is_arn = item.value.starts_with("arn:") && item.value.contains(":secretsmanager:");
        let what = format!("{} is not the ARN of a secret: {}", item.key, item.value);
        (is_admin && !is_arn).then_some(MetadataFault { what, mend: Mend::ByHand })
    })
}

fn fix(context: &DiagnosisContext<'_>, partner: &Partner<'_>, fault: Option<&MetadataFault>) -> Remediation {
    let mut words = vec!["secretsmanager", "rotate-secret", "--secret-id", context.secret_id()];
    let mend = fault.map_or(&Mend::ByHand, |fault| &fault.mend);
    let days = match mend {
        Mend::Days(days) => format!("AutomaticallyAfterDays={days}"),
        _ => String::new(),
    };
    let items: Vec<String> = (partner.config.external_metadata.iter())
        .map(|item| match mend {
            Mend::Metadata { key, value } if *key == item.key => format!("Key={key},Value={value}"),
            _ => format!("Key={},Value={}", item.key, item.value),
        })
        .collect();
    let remediation = Remediation::new("Set rotation up again with metadata and a schedule that follow the partner's rules.")
        .run(aws_in(context, &["secretsmanager", "describe-secret", "--secret-id", context.secret_id()]))
        .needs("secretsmanager:DescribeSecret");
    match mend {
        Mend::Days(_) => words.extend(["--rotation-rules", &days]),
        Mend::Metadata { .. } => {
            words.push("--external-secret-rotation-metadata");
            words.extend(items.iter().map(String::as_str));
        }
        Mend::ByHand => words.extend(["--external-secret-rotation-metadata", "file://metadata.json"]),
    }
    remediation
        .run(aws_in(context, &words))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partners.html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, MetadataItem};

    fn with(kind: &str, days: i64, metadata: &[(&str, &str)]) -> Evidence {
        let mut evidence = external();
        facts(&mut evidence.secret).secret_type = Some(kind.to_owned());
        let config = facts(&mut evidence.rotation_config);
        let rules = config.rules.as_mut().unwrap();
        (rules.automatically_after_days, rules.schedule_expression) = (Some(days), None);
        config.external_metadata =
            metadata.iter().map(|(key, value)| MetadataItem { key: (*key).to_owned(), value: (*value).to_owned() }).collect();
        fail_unseen(&mut evidence, None);
        evidence
    }

    #[test]
    fn a_broken_rule_of_a_partner_is_named_and_mended() {
        for (kind, days, metadata, says, mend) in [
            ("NetskopeApiToken", 350, [("tenantUrl", "https://a.example")], "not under 350 days", "AutomaticallyAfterDays=300"),
            ("SnowflakePat", 30, [("daysToExpiry", "30")], "not shorter than", "AutomaticallyAfterDays=29"),
            ("SnowflakePat", 30, [("daysToExpiry", "soon")], "not a number of days", "metadata.json"),
            ("SnowflakePat", 10, [("account", "a")], "daysToExpiry is missing", "metadata.json"),
            ("JenkinsApiToken", 10, [("jenkinsUrl", "https://ci.example/")], "ends with a slash", "Value=https://ci.example'"),
            ("DatadogApiKey", 10, [("adminSecretArn", "datadog-admin")], "not the ARN of a secret", "metadata.json"),
        ] {
            let mut evidence = with(kind, days, &metadata);
            let found = finding(CAUSE, &evidence);
            assert_eq!(found.confidence, Confidence::Likely);
            assert!(found.explanation.contains(says), "{}", found.explanation);
            let command = found.remediation.commands.last().unwrap();
            assert!(command.contains(mend), "{command}");
            facts(&mut evidence.history).attempts[1].reason = Some("The rotation metadata is invalid.".to_owned());
            let diagnosis = diagnose(&evidence);
            assert_eq!(diagnosis.root_cause().map(|root| (root.cause, root.confidence)), Some((CAUSE, Confidence::Confirmed)));
        }
    }

    #[test]
    fn metadata_that_fits_or_that_rotation_worked_with_is_clear() {
        assert_clear(CAUSE, &with("SnowflakePat", 14, &[("daysToExpiry", "30")]));
        assert_clear(CAUSE, &with("NetskopeApiToken", 349, &[]));
        assert_clear(CAUSE, &with("SomethingNew", 900, &[("url", "https://x.example/a")]));
        let mut worked = with("NetskopeApiToken", 360, &[]);
        facts(&mut worked.history).attempts.pop();
        assert_clear(CAUSE, &worked);
    }
}
