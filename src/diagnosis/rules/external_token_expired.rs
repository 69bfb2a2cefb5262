//! # The partner's token has expired
//!
//! A managed external secret uses its token to renew that token. One that expired or was revoked while rotation was off or
//! failing can no longer renew itself: somebody has to create a new one in the partner's system.
//!
//! **Shows as** a last rotation longer ago than the life in the metadata (`daysToExpiry`), and RotationFailed events, some
//! of which say that the token expired.
//!
//! **Is not it** while the token is still valid. One that expires before the next rotation is reported as a warning.

use crate::diagnosis::readings::partner::{self, Partner};
use crate::diagnosis::remedy::aws_in;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Proof, Remediation, StepName};
use jiff::{SignedDuration, Timestamp};

const CAUSE: Cause = Cause::ExternalTokenExpired;

/// Secrets Manager takes at most so many days between rotations. Source: API reference, `RotationRulesType`.
const MAX_INTERVAL_DAYS: i64 = 1_000;

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
    let expires = partner.token_days().and_then(|days| expired_at(context, days));
    let expired = expires.filter(|at| *at < context.now());
    if !(says_so || expired.is_some() && context.is_unwell()) {
        return match expires.zip(next_rotation(context)).filter(|(at, next)| at < next) {
            Some((at, next)) if context.failing.is_none() => comes_too_late(context, &partner, at, next),
            _ => Verdict::clear("nothing says that the partner's token expired, or will before the next rotation"),
        };
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

/// The token still lives, or nothing failed yet, and it will be dead when the schedule comes to it.
fn comes_too_late(context: &DiagnosisContext<'_>, partner: &Partner<'_>, at: Timestamp, next: Timestamp) -> Verdict {
    let name = partner.name();
    let days = partner.token_days().unwrap_or_default();
    let (expiry, next) = (at.strftime("%-d %b %Y"), next.strftime("%-d %b %Y"));
    let (verb, summary) = match at < context.now() {
        true => (
            "expired",
            "Make a new token in the partner's system, store it in the secret in the partner's own form, and let the schedule come \
             before it expires.",
        ),
        false => ("expires", "Rotate now, while the token still renews itself, and let the schedule come before it expires."),
    };
    let explanation = format!(
        "The token of {name} {verb} on {expiry}, and the next rotation is due on {next}: by then the token cannot renew itself any more."
    );
    let proof = Proof { at: Some(at), ..context.config_proof(format!("daysToExpiry {days}, next rotation {next}")) };
    let present = context.config().and_then(|config| config.rules.as_ref()?.automatically_after_days);
    let longest = (days - 1).clamp(1, MAX_INTERVAL_DAYS);
    // A shorter interval stays as it is.
    let rules = format!("AutomaticallyAfterDays={}", present.map_or(longest, |present| present.clamp(1, longest)));
    let words = ["secretsmanager", "rotate-secret", "--secret-id", context.secret_id(), "--rotation-rules", &rules];
    let fix = Remediation::new(summary);
    let fix = if at < context.now() { fix.put_value(context) } else { fix };
    let fix = fix
        .run(aws_in(context, &words))
        .needs("secretsmanager:RotateSecret")
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/mes-partners.html");
    let mut finding = context.finding(CAUSE, Confidence::Likely, explanation, vec![proof, partner.proof(context)], fix);
    if at >= context.now() {
        finding.title = "the partner's token expires before the next rotation".to_owned();
    }
    finding.into()
}

fn next_rotation(context: &DiagnosisContext<'_>) -> Option<Timestamp> {
    let config = context.config()?;
    config.due.next.or(config.next_rotation_at)
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
    fn a_token_that_dies_before_the_next_rotation_is_foretold_and_rotating_in_time_heals_it() {
        let mut works = with_life("5");
        facts(&mut works.history).attempts.pop();
        let due = now() + SignedDuration::from_hours(240);
        facts(&mut works.rotation_config).due.next = Some(due);
        let diagnosis = diagnose(&works);
        let obstacle = diagnosis.forecast.obstacles.iter().find(|one| one.cause == CAUSE).unwrap();
        assert!(obstacle.at.is_some() && obstacle.text.contains("cannot renew itself"), "{obstacle:?}");
        // Two hundred days are left: the schedule comes in time.
        let mut lives = with_life("200");
        facts(&mut lives.history).attempts.pop();
        facts(&mut lives.rotation_config).due.next = Some(due);
        assert_clear(CAUSE, &lives);
        let foretold: Vec<Cause> = diagnose(&lives).forecast.obstacles.iter().map(|one| one.cause).collect();
        assert!(!foretold.contains(&CAUSE), "{foretold:?}");
        assert!(!foretold.contains(&Cause::IamIdentityPolicyMissing), "Lambda assumes no role of a partner: {foretold:?}");
        // It lives for a while yet, and the schedule comes later: rotating now, with its own interval that is short enough, mends it.
        let mut late = with_life("30");
        facts(&mut late.history).attempts.pop();
        facts(&mut late.rotation_config).due.next = Some(now() + SignedDuration::from_hours(24 * 60));
        let diagnosis = diagnose(&late);
        assert!(diagnosis.forecast.obstacles.iter().any(|one| one.cause == CAUSE), "{diagnosis:#?}");
        assert_eq!(finding(CAUSE, &late).title, "the partner's token expires before the next rotation");
        assert!(diagnosis.plan.remaining.iter().all(|one| one.cause != CAUSE), "{:#?}", diagnosis.plan);
        assert_ne!(diagnosis.plan.heals, Some(false), "{:#?}", diagnosis.plan);
        assert!(diagnosis.plan.steps.iter().any(|step| step.command.contains("AutomaticallyAfterDays=4")));
    }

    #[test]
    fn a_token_that_lives_is_clear() {
        assert_clear(CAUSE, &with_life("30"));
        let mut works = with_life("5");
        facts(&mut works.history).attempts.pop();
        let config = facts(&mut works.rotation_config);
        (config.due.next, config.next_rotation_at) = (None, None);
        assert_clear(CAUSE, &works);
    }
}
