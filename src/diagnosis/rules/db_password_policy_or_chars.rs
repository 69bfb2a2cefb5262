//! # The database or service rejects the generated password
//!
//! The password Secrets Manager generated breaks a rule of the database, or contains characters that the database does not
//! accept.
//!
//! **Shows as** `is not a valid password. Only printable ASCII characters besides`, ORA-28003, ORA-28221, messages from a
//! password validation plugin.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TEMPLATES;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbPasswordPolicyOrChars,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_CODE, change_events::FUNCTION_CONFIGURATION, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// True where the database remembers the password: Oracle's ORA-28007, MySQL's 3638, SQL Server's history, a directory's.
fn is_reused(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["ora-28007", "cannot be reused", "password history", "(3638,", "used before", "too recently"]
        .iter()
        .any(|words| text.contains(words))
}

/// True where the password stands unescaped in a URL or a connection string, which another part is read from then.
fn is_unescaped(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "percent-encoded",
        "invalid url escape",
        "uri malformed",
        "invalid userinfo",
        "rfc 3986",
        "url encoded",
        "connection info string",
    ]
    .iter()
    .chain(&["unescaped characters", "illegal characters", "translate host name"])
    .any(|words| text.contains(words))
}

/// The database never saw the password: the function's own connection string fell apart over it.
fn unescaped(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> (String, Remediation) {
    let explanation = format!(
        "The function puts the password into a connection string{}, and the password holds a character that has a meaning there, such as \
         @, /, : or %. The {} was not asked.",
        seen.in_step(),
        context.behind().noun
    );
    let remediation = Remediation::new(
        "Let the function hand user and password to the driver apart, or percent-encode them before they go into the URL. Until then \
         exclude such characters: the official templates read EXCLUDE_CHARACTERS from the function's environment. Save the present \
         variables to environment.json, add it there, apply the file, and rotate.",
    )
    .set_environment(context)
    .discard_pending(context)
    .rotate(context)
    .link(TEMPLATES);
    (explanation, remediation)
}

/// A retry sets the same pending password once more: another one is taken.
fn used_before(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> (String, Remediation) {
    let explanation = format!(
        "The {} remembers the generated password and does not take it once more{}: an earlier try of this rotation may have set it \
         already.",
        context.behind().noun,
        seen.in_step()
    );
    let remediation = Remediation::new(
        "Try to log in with the AWSPENDING value. If that works, let the rotation go on with it: take the limit on the reuse of passwords \
         off this user for a moment. If it does not, remove AWSPENDING, so that the next rotation generates another password. Then rotate.",
    )
    .discard_pending(context)
    .rotate(context)
    .link(TEMPLATES);
    (explanation, remediation)
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        if is_reused(&seen.read.event.text) {
            return used_before(context, seen);
        }
        if is_unescaped(&seen.read.event.text) {
            return unescaped(context, seen);
        }
        let explanation =
            format!("The {} rejected the generated password{}.", context.behind().noun_or_service(), seen.in_step());
        let remediation = Remediation::new(
            "Exclude the characters that are refused, or generate a longer password: the official templates read \
             EXCLUDE_CHARACTERS, PASSWORD_LENGTH and REQUIRE_EACH_INCLUDED_TYPE from the function's environment. Save the \
             present variables to environment.json, add these there, apply the file, and rotate.",
        )
        .set_environment(context)
        .discard_pending(context)
        .rotate(context)
        .link(TEMPLATES);
        (explanation, remediation)
    })
}
