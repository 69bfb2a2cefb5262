//! # The function cannot log in to the database as the superuser
//!
//! Alternating-users rotation logs in with the superuser's secret, and the template does not say why that failed. As with
//! the user's own login, more than 5 seconds means the network.
//!
//! **Shows as** `Unable to log into database using credentials in master secret` (or `admin secret`).
//!
//! **Is not it** when a more specific line stands in the same invocation, or the login took longer than 5 seconds.

use super::db_login_ambiguous::{narrowed_to_network, what_stays_open};
use crate::diagnosis::database::{self, Callers, Of};
use crate::diagnosis::readings::by_log::{not_said, said};
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Confidence, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbSuperuserLoginAmbiguous,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECURITY_GROUPS, change_events::FUNCTION_VPC, change_events::DATABASE, change_events::ROUTES],
    specificity: Specificity::Effect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let Some(seen) = context.seen(RULE.cause) else { return not_said(context, &RULE) };
    if let Some(narrowed) = narrowed_to_network(&seen) {
        return narrowed;
    }
    let explanation = format!(
        "The function could not log in to the database as the superuser{}, and does not say why. {}",
        seen.in_step(),
        what_stays_open(context, &seen)
    );
    let remediation = Remediation::new(
        "Look at the superuser's secret, which \"masterarn\" names: does its password still match the database, and is its host \
         the same? Log in by hand with its AWSCURRENT value. Correct the value, or set the superuser's password in the database \
         to it, and rotate.",
    )
    .run(aws_in(
        context,
        &["secretsmanager", "list-secrets", "--query", "SecretList[].{name:Name,arn:ARN,changed:LastChangedDate}"],
    ))
    .needs("secretsmanager:ListSecrets")
    .put_superuser_value(context, &database::superuser_secret_word(context, &seen.read.event.text))
    .database_takes(
        context,
        database::engine(context, &seen),
        Of::Superuser(database::superuser_secret(&seen.read.event.text)),
        Callers::of(context),
    )
    .rotate(context)
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/tutorials_rotation-alternating.html")
    .link(TROUBLESHOOTING);
    let mut finding = said(context, RULE.cause, &seen, explanation, remediation);
    // The line proves that a login failed, never why.
    finding.confidence = finding.confidence.min(Confidence::Likely);
    finding.into()
}
