//! # The function could not look up the superuser secret's database
//!
//! The superuser's secret is managed by a service and names no host, so the template asks RDS or Redshift for it, and that
//! call failed. The error within the line says why: mostly a missing permission, or an API that cannot be reached.
//!
//! **Shows as** `Encountered API error while fetching connection parameters from Describe…`.

use crate::diagnosis::readings::by_log::by_log;
use crate::diagnosis::remedy::TROUBLESHOOTING;
use crate::diagnosis::{DiagnosisContext, Rule, Specificity, Stage, Verdict, change_events, signatures};
use crate::model::{Cause, Remediation, StepName};
use serde_json::json;

pub(super) const RULE: Rule = Rule {
    cause: Cause::SuperuserMetadataApiError,
    stage: Stage::Step,
    rests_on: &[StepName::RotationConfig, StepName::FunctionLogs, StepName::RotationHistory],
    explained_by: &[
        change_events::ROLE_POLICIES,
        change_events::SECURITY_GROUPS,
        change_events::VPC_ENDPOINTS,
        change_events::NAT_GATEWAYS,
        change_events::ROUTES,
    ],
    specificity: Specificity::Defect,
    hidden_by_login: false,
    evaluate,
};

fn evaluate(context: &DiagnosisContext<'_>) -> Verdict {
    by_log(context, &RULE, |seen| {
        let nested = seen.read.event.text.split_once(" API: ").map(|(_, nested)| nested);
        let reason = nested.and_then(signatures::classify).map(|inner| inner.cause);
        let reason = reason.filter(|inner| !inner.is_line_label() && *inner != RULE.cause);
        let why = reason.map(|inner| format!(": {}", inner.title())).unwrap_or_default();
        let explanation = format!("The function could not ask AWS{} where the superuser's database is{why}.", seen.in_step());
        (explanation, remediation(context, reason))
    })
}

fn remediation(context: &DiagnosisContext<'_>, reason: Option<Cause>) -> Remediation {
    let unreachable = matches!(reason, Some(Cause::AwsEndpointUnreachable | Cause::TimeoutAmbiguous));
    if unreachable {
        let summary = "Give the function a way to the RDS API: an interface endpoint for rds in its VPC, or a route to a NAT gateway. Then \
             rotate.";
        return Remediation::new(summary).rotate(context).link(TROUBLESHOOTING);
    }
    let describe = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["rds:DescribeDBInstances", "rds:DescribeDBClusters"], "Resource": "*" }
    ] });
    let fix = Remediation::new(
        "Allow the function's role to describe the databases (rds, or redshift and redshift-serverless for Redshift), make sure \
         that this API can be reached from the function's VPC, and rotate.",
    );
    let fix = match reason {
        Some(Cause::IamIdentityPolicyMissing) => fix.give_back(context, "DescribeDatabasesOf", &describe),
        _ => fix.allow_role(context, "DescribeDatabasesOf", &describe),
    };
    fix.rotate(context).link(TROUBLESHOOTING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{assert_clear, fail, finding, healthy};
    use crate::model::RotationStep;

    const LINE: &str = "[ERROR] Exception: Encountered API error while fetching connection parameters from DescribeDBInstances RDS \
                        API: An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: \
                        arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to perform: \
                        rds:DescribeDBInstances on resource: arn:aws:rds:eu-west-1:123456789012:db:prod because no identity-based \
                        policy allows the rds:DescribeDBInstances action";

    #[test]
    fn the_nested_error_says_why() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[LINE]);
        let found = finding(RULE.cause, &evidence);
        assert!(found.explanation.contains(Cause::IamIdentityPolicyMissing.title()), "{}", found.explanation);
        assert!(found.remediation.commands.iter().any(|command| command.contains("--role-name orders-rotator-role")));
        assert_clear(RULE.cause, &healthy());
    }
}
