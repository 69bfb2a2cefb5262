//! # Secrets Manager cannot reach the partner's system
//!
//! The rotation managed for a partner calls the partner's API. One that the customer hosts, such as Jenkins or SonarQube,
//! has to be reachable from the Internet with a publicly trusted certificate, or has to let in the prefix list of managed
//! external secrets.
//!
//! **Shows as** RotationFailed events that mention a timeout, a refused connection, a name or a certificate.
//!
//! **Is not it** when the partner answered and refused.

use crate::diagnosis::readings::partner;
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

const CAUSE: Cause = Cause::ExternalPartnerUnreachable;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::SECURITY_GROUPS, change_events::ROUTES, change_events::NAT_GATEWAYS],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    let Some(failed) = context.failed_attempt_proof().filter(|_| partner::said(context) == Some(CAUSE)) else {
        return match context.history_gap().filter(|_| context.failing.is_none()) {
            Some(missing) => Verdict::unknown(missing),
            None => Verdict::clear("no failed rotation says that the partner could not be reached"),
        };
    };
    let hosted = partner.is_customer_hosted();
    let name = partner.name();
    let address = partner.config.external_metadata.iter().find(|item| item.value.starts_with("http"));
    let of_address = address.map(|item| format!(" at {}", item.value)).unwrap_or_default();
    let explanation = format!("Secrets Manager could not reach the system of {name}{of_address} to rotate this secret.");
    let list = format!("com.amazonaws.{}.secretsmanager-managed-external-secrets", context.evidence.region);
    let summary = match hosted {
        true => format!(
            "Let Secrets Manager reach the system: it needs a publicly trusted certificate, and a way in from the Internet or \
             from the prefix list {list}. Then rotate."
        ),
        false => format!("Check whether {name} has an incident, and whether the address in the metadata is right. Then rotate."),
    };
    let mut remediation = Remediation::new(summary);
    if hosted {
        let filter = format!("Name=prefix-list-name,Values={list}");
        remediation = remediation
            .run(aws_in(context, &["ec2", "describe-managed-prefix-lists", "--filters", &filter]))
            .needs("ec2:DescribeManagedPrefixLists");
    }
    let remediation =
        remediation.rotate(context).link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partners.html");
    let confidence = if hosted { Confidence::Confirmed } else { Confidence::Likely };
    context.finding(CAUSE, confidence, explanation, vec![failed, partner.proof(context)], remediation).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;

    #[test]
    fn the_events_words_decide_and_a_system_of_ones_own_needs_the_prefix_list() {
        let mut evidence = external();
        fail_unseen(&mut evidence, None);
        assert_clear(CAUSE, &evidence);
        facts(&mut evidence.history).attempts[1].reason = Some("The connection to the partner timed out.".to_owned());
        assert_eq!(finding(CAUSE, &evidence).confidence, Confidence::Likely);
        facts(&mut evidence.secret).secret_type = Some("JenkinsApiToken".to_owned());
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.remediation.commands[0].contains("com.amazonaws.eu-west-1.secretsmanager-managed-external-secrets"));
    }

    #[test]
    fn without_a_history_it_cannot_be_told() {
        let mut evidence = external();
        assert_clear(CAUSE, &evidence);
        deny(&mut evidence, StepName::RotationHistory);
        assert_unknown(CAUSE, &evidence, "cloudtrail:LookupEvents");
    }
}
