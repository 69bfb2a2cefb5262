//! # The database named by the superuser secret is gone
//!
//! The template finds the superuser's database by a tag of the superuser's secret, and there is no such instance, cluster
//! or namespace.
//!
//! **Shows as** `is not a valid DB Instance ARN. No Instances found`, `Redshift can't find`.

use crate::diagnosis::context::LogMatch;
use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::readings::strategy;
use crate::diagnosis::remedy::{TROUBLESHOOTING, aws_in};
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events};
use crate::model::{Cause, Remediation, StepName};

pub(super) const RULE: Rule = Rule {
    cause: Cause::SuperuserMetadataNotFound,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[change_events::SECRET_VALUE],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

/// True where the function asked AWS itself, and nothing shows that it alternates between two users: then no superuser's secret
/// has a part in it.
fn is_own_lookup(context: &DiagnosisContext<'_>, seen: &LogMatch<'_, '_>) -> bool {
    seen.read.event.text.contains("when calling the Describe") && !strategy::alternates(context)
}

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    let is_own = context.seen(RULE.cause).is_some_and(|seen| is_own_lookup(context, &seen));
    let mut verdict = by_log(context, &RULE, |seen| {
        if is_own {
            let explanation = format!(
                "AWS answered{} that no database of this account and region has the identifier that the function asked for: it was \
                 renamed or deleted, or is elsewhere.",
                seen.in_step()
            );
            return (explanation, compare_identifiers(context, &seen.read.event.text).rotate(context).link(TROUBLESHOOTING));
        }
        let explanation = format!(
            "The function stopped{}: the superuser's secret that {} names is tagged with a database that does not exist.",
            seen.in_step(),
            context.secret_name()
        );
        let remediation = Remediation::new(
            "Change \"masterarn\" in the secret to the superuser's secret of a database that exists, and rotate.",
        )
        .put_value(context)
        .rotate(context)
        .link("https://docs.aws.amazon.com/secretsmanager/latest/userguide/tutorials_rotation-alternating.html");
        (explanation, remediation)
    });
    if let Verdict::Fires(finding) = &mut verdict
        && is_own
    {
        finding.title = "AWS knows no such database".to_owned();
    }
    verdict
}

fn compare_identifiers(context: &DiagnosisContext<'_>, line: &str) -> Remediation {
    let fix = Remediation::new(
        "Compare the identifier in the quoted line with the databases that there are, and correct it where the function takes it \
         from: the secret, its tags or the function's environment. Then rotate.",
    );
    let ask = |fix: Remediation, service: &str, operation: &str, query: &str, action: &str| {
        fix.run(aws_in(context, &[service, operation, "--query", query])).needs(action)
    };
    // Redshift's call has no "DB" in its name.
    if line.contains("DescribeClusters") {
        let query = "Clusters[].[ClusterIdentifier,ClusterStatus]";
        return ask(fix, "redshift", "describe-clusters", query, "redshift:DescribeClusters");
    }
    let instances = "DBInstances[].[DBInstanceIdentifier,DBInstanceStatus]";
    let fix = ask(fix, "rds", "describe-db-instances", instances, "rds:DescribeDBInstances");
    ask(fix, "rds", "describe-db-clusters", "DBClusters[].[DBClusterIdentifier,Status]", "rds:DescribeDBClusters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{fail, finding, healthy};
    use crate::model::RotationStep;

    #[test]
    fn a_database_that_the_function_itself_looks_up_is_no_matter_of_the_superusers_secret() {
        let line = "[ERROR] DBClusterNotFoundFault: An error occurred (DBClusterNotFoundFault) when calling the DescribeDBClusters \
                    operation: DBCluster orders not found.";
        let told = |before: &str| {
            let mut evidence = healthy();
            fail(&mut evidence, RotationStep::TestSecret, &[before, line]);
            let found = finding(RULE.cause, &evidence);
            format!("{} {} {}", found.title, found.explanation, found.remediation.summary)
        };
        let own = told("[INFO] testing");
        assert!(own.contains("AWS knows no such database") && !own.contains("masterarn"), "{own}");
        let superusers = told("[INFO] using credentials in master secret");
        assert!(superusers.contains("masterarn") && superusers.contains("superuser's secret"), "{superusers}");
    }
}
