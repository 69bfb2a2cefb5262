//! # A quota of the service behind the secret is exhausted
//!
//! The service behind the secret refuses to create another key or user, or the database accepts no more connections. IAM
//! allows two access keys per user.
//!
//! **Shows as** `Cannot exceed quota for AccessKeysPerUser: 2`, `LimitExceeded` from the target's API; `too many clients`
//! (53300), MySQL's 1040, `max number of clients reached`.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::{ROTATION_FUNCTIONS, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::TargetServiceLimit,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

/// A secret keeps 100 versions at most, and drops none that is younger than a day. Source: Secrets Manager User Guide, "Quotas".
fn of_secrets_manager(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> (String, Remediation) {
    let explanation = format!(
        "Secrets Manager refused the call{}: one of its own quotas is used up, such as that of versions or of labels of one secret.",
        seen.in_step()
    );
    let remediation = Remediation::new(
        "See how many versions the secret has. Stop what writes new ones again and again; a day later Secrets Manager drops those without \
         a label. Then rotate.",
    )
    .run(aws_in(context, &["secretsmanager", "list-secret-version-ids", "--include-deprecated", "--secret-id", context.secret_id()]))
    .needs("secretsmanager:ListSecretVersionIds")
    .rotate(context)
    .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html");
    (explanation, remediation)
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let text = &seen.read.event.text;
        if ["PutSecretValue", "UpdateSecretVersionStage", "Secrets Manager quotas"].iter().any(|words| text.contains(words)) {
            return of_secrets_manager(context, seen);
        }
        let explanation = format!(
            "The service behind {} refused to create another credential{}: its quota is used up.",
            context.secret_name(),
            seen.in_step()
        );
        let is_access_key = seen.read.event.text.contains("AccessKey");
        let remediation = Remediation::new(
            "Find the credential that is no longer used, deactivate it, wait to see that nothing breaks, and delete it. Then rotate.",
        )
        .warn("A deleted key cannot be restored: check when it was last used before you delete it.");
        let remediation = match is_access_key {
            true => remediation
                .run(aws_in(context, &["iam", "list-users", "--query", "Users[].UserName"]))
                .run(aws_in(context, &["iam", "list-access-keys", "--user-name", "USER_NAME"]))
                .needs("iam:ListUsers")
                .needs("iam:ListAccessKeys")
                .link("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"),
            // Another service's keys are not listed by IAM.
            false => remediation.link(ROTATION_FUNCTIONS),
        };
        let remediation = remediation.rotate(context);
        (explanation, remediation)
    })
}
