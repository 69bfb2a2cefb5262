//! # Infrastructure as code wrote an old value back
//!
//! Terraform, CloudFormation or another infrastructure-as-code tool keeps a value of the secret in its state or template,
//! and wrote it over the rotated one: the database has the rotated password, the secret an older one.
//!
//! **Shows as** a login that the database refuses, and PutSecretValue or UpdateSecret by such a tool after the last rotation
//! that succeeded.
//!
//! **Is not it** when nobody has written the value since, or a person did.

use crate::diagnosis::readings::by_log::not_said;
use crate::diagnosis::readings::{login, pending};
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Change, Concern, Confidence, Remediation, StepName, Tool};

const CAUSE: Cause = Cause::ValueWrittenBackByIac;

pub(super) const RULE: Rule = Rule {
    cause: CAUSE,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    if context.failures.is_empty() {
        return not_said(context, &RULE);
    }
    let Some((change, tool)) = written_back(context) else {
        return Verdict::clear("no infrastructure-as-code tool is known to have written the value since the last success");
    };
    let refused = context.seen_where(|read| is_refused_login(read.classification.cause)).filter(|seen| seen.is_latest);
    let Some(seen) =
        refused.filter(|seen| !login::is_ambiguous(seen.failure) || login::answer(seen.failure) != login::Answer::None)
    else {
        return Verdict::clear("what fails is not a login with that value");
    };
    let noun = context.behind().noun;
    let explanation = format!(
        "{} wrote a value into the secret with {tool} after its last rotation. The {noun} refused it{}, because it still has \
         the rotated password.",
        change.actor,
        seen.in_step()
    );
    let confidence = match login::is_ambiguous(seen.failure) {
        true => Confidence::Likely,
        false => Confidence::Confirmed,
    };
    let mut evidence = vec![seen.proof(), context.change_proof(change)];
    evidence.extend(context.failed_attempt_proof());
    let first = format!(
        "Take the value out of what {tool} manages (Terraform: ignore_changes on secret_string, or a write-only value; \
         CloudFormation: no SecretString beside a RotationSchedule), or it will be written back again."
    );
    let remediation = match overwritten(context) {
        Some((old, current)) => Remediation::new(format!(
            "{first} Then let the version that was overwritten, which the {noun} accepts, be AWSCURRENT again, and rotate."
        ))
        .make_current(context, old, current)
        .warn("Every application that reads the secret gets the value from before the overwriting at once."),
        None => Remediation::new(format!(
            "{first} Then store the value that the {noun} accepts (AWSPREVIOUS may hold the one that was overwritten), and rotate."
        ))
        .put_value(context),
    };
    let remediation = remediation.discard_pending(context).rotate(context).link(TROUBLESHOOTING);
    context.finding(CAUSE, confidence, explanation, evidence, remediation).into()
}

/// The version that was overwritten and the one that took its place, where the value was written just once since the last success:
/// then AWSPREVIOUS is what the rotation had left. Where setSecret went through for a pending version, the database knows only that.
fn overwritten<'a>(context: &DiagnosisContext<'a>) -> Option<(&'a str, &'a str)> {
    let suspicion = context.suspicion()?;
    let changes = &context.evidence.changes.found()?.changes;
    let is_write = |change: &&Change| change.concerns == Concern::Secret && writes_value(change) && suspicion.contains(change.at);
    let is_set = pending::left_over(context).is_some_and(|pending| pending.is_set);
    if is_set || changes.iter().filter(is_write).count() != 1 {
        return None;
    }
    let secret = context.secret()?;
    Some((secret.version_with("AWSPREVIOUS")?.id.as_str(), secret.version_with("AWSCURRENT")?.id.as_str()))
}

/// The last write of the value since the last success, where a tool that applies code made it.
pub(super) fn written_back<'c>(context: &'c DiagnosisContext<'_>) -> Option<(&'c Change, &'c Tool)> {
    let suspicion = context.suspicion().filter(|_| context.last_success_at.is_some())?;
    let changes = &context.evidence.changes.found()?.changes;
    let is_write = |change: &&Change| change.concerns == Concern::Secret && writes_value(change) && suspicion.contains(change.at);
    let last = changes.iter().rev().find(is_write)?;
    last.tool.as_ref().filter(|tool| tool.applies_code()).map(|tool| (last, tool))
}

/// UpdateSecret may change a description or a key alone.
fn writes_value(change: &Change) -> bool {
    let tells = |name: &str| change.parameters.get(name).is_some();
    match change.event.as_str() {
        "PutSecretValue" => true,
        "UpdateSecret" => tells("secretString") || tells("secretBinary") || tells("versionId"),
        _ => false,
    }
}

/// True for what fails where the value in the secret is not the one the database knows.
pub(in crate::diagnosis) fn is_refused_login(cause: Cause) -> bool {
    matches!(cause, Cause::DbAuthFailed | Cause::DbLoginAmbiguous)
}

/// True where a refused login is explained by a value that was written back.
pub(super) fn explains_login(context: &DiagnosisContext<'_>) -> bool {
    matches!(evaluate(context), Verdict::Fires(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Evidence, RotationStep};

    const REFUSED: &str = "psycopg2.OperationalError: FATAL:  password authentication failed for user \"app\"";

    fn written(tool: Option<Tool>, hours: i64) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[REFUSED]);
        facts(&mut evidence.changes).changes.push(Change { tool, ..change(hours_ago(hours), "PutSecretValue", Concern::Secret) });
        evidence
    }

    #[test]
    fn a_value_that_terraform_wrote_days_before_is_the_cause_of_the_refused_login() {
        let diagnosis = diagnose(&written(Some(Tool::Terraform), 100));
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (CAUSE, Confidence::Confirmed));
        assert!(root.explanation.contains("Terraform"), "{}", root.explanation);
        assert!(diagnosis.findings.iter().all(|finding| finding.cause != Cause::DbAuthFailed));
    }

    #[test]
    fn a_person_a_time_before_the_last_success_and_another_fault_speak_against_it() {
        for evidence in [written(Some(Tool::ManagementConsole), 100), written(None, 100), written(Some(Tool::Terraform), 300)] {
            assert_clear(CAUSE, &evidence);
            assert_eq!(diagnose(&evidence).root_cause().map(|root| root.cause), Some(Cause::DbAuthFailed));
        }
        let mut described = written(Some(Tool::Terraform), 100);
        facts(&mut described.changes).changes[0].event = "UpdateSecret".to_owned();
        assert_clear(CAUSE, &described);
        facts(&mut described.changes).changes[0].parameters = serde_json::json!({ "versionId": "v" });
        assert_eq!(finding(CAUSE, &described).confidence, Confidence::Confirmed);
        let mut other = written(Some(Tool::Terraform), 100);
        facts(&mut other.logs).invocations.last_mut().unwrap().lines[0].text =
            "OperationalError: FATAL:  database \"o\" does not exist".into();
        assert_clear(CAUSE, &other);
    }

    #[test]
    fn a_healthy_rotation_is_clear_and_an_unread_log_is_not() {
        assert_clear(CAUSE, &healthy());
        let mut evidence = written(Some(Tool::Terraform), 100);
        deny(&mut evidence, StepName::FunctionLogs);
        assert_unknown(CAUSE, &evidence, "logs:FilterLogEvents");
    }
}
