//! # The partner's token has expired
//!
//! A managed external secret uses its token to renew that token. One that expired or was revoked while rotation was off or
//! failing can no longer renew itself: somebody has to create a new one in the partner's system.
//!
//! **Shows as** a last rotation longer ago than the life in the metadata (`daysToExpiry`), and RotationFailed events, some
//! of which say that the token expired.
//!
//! **Is not it** while the token is still valid.

use crate::diagnosis::readings::partner;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};
use jiff::{SignedDuration, Timestamp};

const CAUSE: Cause = Cause::ExternalTokenExpired;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Subject,
    rests_on: &[StepName::Secret, StepName::RotationConfig],
    explained_by: &[change_events::ROTATION_CANCELLED],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let partner = match partner::of(context) {
        Ok(partner) => partner,
        Err(verdict) => return verdict,
    };
    let says_so = partner::said(context) == Some(CAUSE);
    let expired = partner.token_days().and_then(|days| expired_at(context, days)).filter(|at| *at < context.now());
    let wanted = context.is_unwell();
    if !says_so && (expired.is_none() || !wanted) {
        return Verdict::clear("nothing says that the partner's token expired");
    }
    let mut evidence: Vec<_> = context.failed_attempt_proof().filter(|_| says_so).into_iter().collect();
    if let (Some(at), Some(days)) = (expired, partner.token_days()) {
        evidence.push(
            context.config_proof(format!("daysToExpiry {days}, last rotated before: it expired {}", at.strftime("%-d %b %Y"))),
        );
    }
    evidence.extend(context.failed_attempt_proof().filter(|_| !says_so));
    evidence.push(partner.proof(context));
    let name = partner.name();
    let explanation = match expired {
        Some(at) => format!("The token of {name} expired on {}, so it can no longer renew itself.", at.strftime("%-d %b %Y")),
        None => format!("{name} no longer accepts the token in this secret, so it cannot renew itself."),
    };
    let confidence = if says_so && expired.is_some() { Confidence::Confirmed } else { Confidence::Likely };
    let remediation = Remediation::new(
        "Create a new token in the partner's system, store it in the secret in the form that the partner asks for, and rotate: \
         from then on Secrets Manager renews it.",
    )
    .put_value(context)
    .discard_pending(context)
    .rotate(context)
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partners.html");
    context.finding(CAUSE, confidence, explanation, evidence, remediation).into()
}

/// When the token that the last rotation made expires.
fn expired_at(context: &DiagnosisContext<'_>, days: i64) -> Option<Timestamp> {
    let made = context.last_success_at.or_else(|| context.secret()?.created_at)?;
    made.checked_add(SignedDuration::from_hours(days.checked_mul(24)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, MetadataItem};

    fn with_life(days: &str) -> Evidence {
        let mut evidence = external();
        facts(&mut evidence.secret).secret_type = Some("SnowflakePat".to_owned());
        let config = facts(&mut evidence.rotation_config);
        config.external_metadata = vec![MetadataItem { key: "daysToExpiry".to_owned(), value: days.to_owned() }];
        config.rules.as_mut().unwrap().automatically_after_days = Some(4);
        fail_unseen(&mut evidence, None);
        evidence
    }

    #[test]
    fn a_life_that_is_over_makes_it_likely_and_the_events_words_confirm_it() {
        let mut evidence = with_life("5");
        let found = finding(CAUSE, &evidence);
        assert_eq!(found.confidence, Confidence::Likely);
        assert!(found.explanation.contains("expired on 5 Mar 2026"), "{}", found.explanation);
        facts(&mut evidence.history).attempts[1].reason = Some("The programmatic access token has expired.".to_owned());
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.root_cause().map(|root| (root.cause, root.confidence)), Some((CAUSE, Confidence::Confirmed)));
    }

    #[test]
    fn a_token_that_lives_is_clear() {
        assert_clear(CAUSE, &with_life("30"));
        let mut works = with_life("5");
        facts(&mut works.history).attempts.pop();
        assert_clear(CAUSE, &works);
    }
}
