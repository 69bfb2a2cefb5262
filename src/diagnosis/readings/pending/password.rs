//! Whether the database may hold the pending password already, while AWSCURRENT names the old one.

use crate::diagnosis::DiagnosisContext;
use crate::diagnosis::behind::Behind;
use crate::diagnosis::readings::strategy;
use crate::model::RotationStep;

/// A password that setSecret put into the database, and that is not the current value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::diagnosis) struct PendingPassword {
    /// The version whose value it is, where the secret still labels it.
    pub(in crate::diagnosis) version: Option<String>,
    /// The first step known to have failed after setSecret had succeeded, or setSecret where its own line says that it did.
    pub(in crate::diagnosis) since: RotationStep,
}

/// The pending password, where a rotation of the current row of failures went through setSecret; `None` too where the function
/// alternates between two users, whose current one setSecret leaves alone.
pub(in crate::diagnosis) fn in_database(context: &DiagnosisContext<'_>) -> Option<PendingPassword> {
    context.failing.as_ref()?;
    if strategy::alternates(context) {
        return None;
    }
    let by_event = context.failed_attempts().filter_map(|attempt| attempt.step);
    let by_log = context.failures.iter().filter_map(|failure| failure.step);
    let after = by_event.chain(by_log).filter(|step| *step > RotationStep::SetSecret).min();
    let said_so = || {
        let lines = context.failures.iter().flat_map(|failure| &failure.invocation.lines);
        lines.map(|event| event.text.as_str()).any(says_it_was_set).then_some(RotationStep::SetSecret)
    };
    let since = after.or_else(said_so)?;
    let pending = context.secret()?.pending_version();
    Some(PendingPassword { version: pending.map(|version| version.id.clone()), since })
}

fn says_it_was_set(text: &str) -> bool {
    text.contains("setSecret: Successfully set password") || text.contains("setSecret: Successfully changed password")
}

impl PendingPassword {
    /// What that means for whoever logs in, and what to do until it is mended.
    pub(in crate::diagnosis) fn warning(&self, behind: Behind) -> String {
        let Behind { noun, credential } = behind;
        let version = self.version.as_deref().map(|id| format!(" (version {id})")).unwrap_or_default();
        format!(
            "Applications may be locked out: setSecret succeeded, so the {noun} may have the pending {credential}{version} and \
             refuse AWSCURRENT. If a login with the AWSPENDING value works, let applications use it until this is fixed, and \
             keep its {credential} in any value you store."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{PENDING, facts, fail, healthy};
    use crate::model::Evidence;

    const BROKEN: &str = "[ERROR] ValueError: Unable to log into database with pending secret of secret ARN x";

    fn failed_in(step: RotationStep) -> Evidence {
        let mut evidence = healthy();
        fail(&mut evidence, step, &[BROKEN]);
        evidence
    }

    fn said(evidence: &Evidence) -> String {
        diagnose(evidence).findings.first().map(|finding| finding.explanation.clone()).unwrap_or_default()
    }

    #[test]
    fn a_failure_after_set_secret_says_first_that_the_current_password_may_be_refused() {
        for step in [RotationStep::TestSecret, RotationStep::FinishSecret] {
            let explanation = said(&failed_in(step));
            assert!(explanation.starts_with("Applications may be locked out: setSecret succeeded"), "{explanation}");
            assert!(explanation.contains(PENDING) && explanation.contains("AWSCURRENT"), "{explanation}");
        }
    }

    #[test]
    fn before_set_secret_ended_and_with_two_users_nothing_is_refused() {
        for step in [RotationStep::CreateSecret, RotationStep::SetSecret] {
            assert!(!said(&failed_in(step)).contains("locked out"), "{step}");
        }
        let mut evidence = failed_in(RotationStep::TestSecret);
        let run = facts(&mut evidence.logs).invocations.last_mut().unwrap();
        run.lines.push(crate::model::LogEvent { text: "user app_clone".to_owned(), ..run.lines[0].clone() });
        assert!(!said(&evidence).contains("locked out"));
    }

    #[test]
    fn a_step_that_died_after_it_had_set_the_password_counts() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &["[INFO] setSecret: Successfully set password for user app", BROKEN]);
        assert!(said(&evidence).starts_with("Applications may be locked out"));
    }
}
