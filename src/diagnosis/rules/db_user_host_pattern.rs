//! # The database knows the user for other hosts only
//!
//! MySQL and MariaDB keep an account for each pair of user and host. The function connects from an address that no account
//! of the user covers: it moved to other subnets, or the account was made for one address.
//!
//! **Shows as** 1130, `Host '…' is not allowed to connect to this MySQL server`.
//!
//! **Is not it** when the server names the user and refuses the password (1045).

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::DbUserHostPattern,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::FUNCTION_VPC, change_events::DATABASE],
    specificity: Specificity::Defect,
    hidden_by_login: true,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let host = quoted(&seen.read.event.text, "Host '").map(|host| format!(" {host}")).unwrap_or_default();
        let explanation = format!(
            "The server has no account for the address{host} from which the function connects{}: an account is valid only for \
             the hosts in its host part.",
            seen.in_step()
        );
        let remediation = Remediation::new(
            "As the database's administrator, see which host parts the user has (SELECT user, host FROM mysql.user). Rename the \
             account to one that covers the function's subnets (RENAME USER 'name'@'old' TO 'name'@'10.%'). Then rotate.",
        )
        .rotate(context)
        .link("https://dev.mysql.com/doc/refman/8.4/en/account-names.html")
        .link(TROUBLESHOOTING);
        (explanation, remediation)
    })
}

/// The text between `lead` and the next quote.
fn quoted<'t>(text: &'t str, lead: &str) -> Option<&'t str> {
    text.split_once(lead).and_then(|(_, rest)| rest.split_once('\'')).map(|(quoted, _)| quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::*;
    use crate::model::{Confidence, RotationStep};

    #[test]
    fn the_servers_refusal_of_a_host_names_the_host() {
        let mut evidence = healthy();
        let line = "pymysql.err.OperationalError: (1130, \"Host '10.0.7.9' is not allowed to connect to this MySQL server\")";
        fail(&mut evidence, RotationStep::SetSecret, &[line]);
        let diagnosis = diagnose(&evidence);
        let root = diagnosis.root_cause().unwrap();
        assert_eq!((root.cause, root.confidence), (RULE.cause, Confidence::Confirmed));
        assert!(root.explanation.contains("10.0.7.9"), "{}", root.explanation);
    }
}
