//! Root causes first, symptoms beneath them.

use super::context::DiagnosisContext;
use super::rule::{Specificity, Stage};
use super::rules::{REASON_UNKNOWN, is_broken_by_a_runtime, rule_of};
use crate::model::spans::ATTEMPT_SPAN;
use crate::model::{Cause, Confidence, Finding, Proof, Severity, StepName};
use jiff::Timestamp;
use std::cmp::Reverse;

/// Orders the findings, the most likely root cause first, and marks those that are only its symptoms.
pub(super) fn rank(context: &DiagnosisContext<'_>, mut findings: Vec<(Stage, Finding)>) -> Vec<Finding> {
    let explained = findings.iter().any(|(stage, finding)| explains_failures(*stage, finding));
    // "Nothing explains it" is not true beside an explanation.
    findings.retain(|(_, finding)| !explained || finding.cause != Cause::UnknownFailure);
    let newest = findings
        .iter()
        .filter(|(stage, finding)| explains_failures(*stage, finding) && specificity(finding.cause) == Specificity::Defect)
        .filter_map(|(_, finding)| last_seen(finding))
        .max();
    let unreached = newest_attempt_is_unseen(context);
    findings.sort_by_key(|(stage, finding)| {
        let subject = *stage == Stage::Subject && finding.severity > Severity::Info;
        // Each line decides only between findings that all lines above leave equal; the last one makes the order total.
        Reverse((
            // Nothing is there to rotate: whatever else is wrong does not matter yet.
            subject,
            finding.severity,
            // What happened before and in the function, before what a failure leaves behind.
            *stage < Stage::Aftermath,
            // One indirect sign yields to anything that is better founded, however specific it is.
            finding.confidence > Confidence::Possible,
            // The newest attempt never reached the function, so its older log does not say why.
            unreached && *stage == Stage::Start,
            // A defect before its effects.
            specificity(finding.cause),
            // What newer invocations no longer say may be mended by now.
            last_seen(finding).is_none_or(|at| Some(at) >= newest),
            finding.confidence,
            last_seen(finding),
            Reverse(*stage),
            Reverse(finding.cause),
        ))
    });
    let root = findings.first().filter(|(_, finding)| finding.severity > Severity::Info).map(|(stage, f)| (*stage, f.cause));
    let mut ranked: Vec<Finding> = findings
        .into_iter()
        .map(|(stage, mut finding)| {
            finding.inhibited_by = root
                .filter(|(_, cause)| finding.severity > Severity::Info && finding.cause != *cause)
                .filter(|(root_stage, cause)| is_symptom(context, (*root_stage, *cause), (stage, &finding)))
                .map(|(_, cause)| cause);
            if finding.inhibited_by.is_some() {
                finding.explanation = finding.explanation.replace(REASON_UNKNOWN, "");
            }
            finding
        })
        .collect();
    ranked.sort_by_key(|finding| (finding.severity == Severity::Info, finding.inhibited_by.is_some()));
    ranked
}

fn specificity(cause: Cause) -> Specificity {
    rule_of(cause).map_or(Specificity::Defect, |rule| rule.specificity)
}

fn explains_failures(stage: Stage, finding: &Finding) -> bool {
    stage < Stage::Aftermath
        && finding.severity > Severity::Info
        && finding.confidence > Confidence::Possible
        && specificity(finding.cause) > Specificity::Nothing
}

/// True when the newest attempt failed long after the last invocation that is seen to fail: it did not reach the function.
fn newest_attempt_is_unseen(context: &DiagnosisContext<'_>) -> bool {
    let newest_run = context.failures.last().map(|failure| failure.invocation.started_at);
    let newest_attempt = context.failing.as_ref().map(|row| row.last_at);
    newest_run.zip(newest_attempt).is_some_and(|(run, attempt)| attempt.duration_since(run) > ATTEMPT_SPAN)
}

fn is_symptom(context: &DiagnosisContext<'_>, (root_stage, root): (Stage, Cause), (stage, finding): (Stage, &Finding)) -> bool {
    let cause = finding.cause;
    match (root_stage, stage) {
        (Stage::Subject, _) | (_, Stage::Aftermath) => true,
        // Nothing inside the function can fail by itself while no invocation reaches it; what is wrong there by what the
        // account shows would stop the next one.
        (Stage::Start, Stage::Step | Stage::Inferred) if context.failures.is_empty() && !is_shown_by_state(finding) => true,
        (Stage::Start, Stage::Step) if root == Cause::RuntimeAutoUpdated && is_broken_by_a_runtime(cause) => true,
        _ if is_effect_of(root, cause) => true,
        _ => specificity(cause) < specificity(root),
    }
}

/// True where the cause only says what the root, a fact about where the function or the database stands, does.
const fn is_effect_of(root: Cause, cause: Cause) -> bool {
    matches!(
        (root, cause),
        (Cause::LambdaInPublicSubnet, Cause::AwsEndpointUnreachable) | (Cause::DbNotAvailable, Cause::DbNetworkUnreachable)
    )
}

/// True for a defect that policies or settings show, whether or not anything has met it yet.
fn is_shown_by_state(finding: &Finding) -> bool {
    let shows =
        |proof: &Proof| matches!(proof.step, StepName::RotationFunction | StepName::ExecutionRole | StepName::SecretAccess);
    finding.confidence > Confidence::Possible
        && specificity(finding.cause) == Specificity::Defect
        && finding.evidence.first().is_some_and(shows)
}

/// When the function's log last said so; `None` for what rests on facts that hold now.
fn last_seen(finding: &Finding) -> Option<Timestamp> {
    finding.evidence.iter().filter(|proof| proof.step == StepName::FunctionLogs).filter_map(|proof| proof.at).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::diagnosis::testing::{
        PENDING, attempt, change, facts, fail, fail_unseen, hang_in, healthy, hours_ago, invocation, no_data,
    };
    use crate::model::{
        Attempt, AttemptOutcome, Concern, Diagnosis, Evidence, InvocationStatus, Observation, Outcome, Remediation, RotationStep,
        SecretVersion, SimulatedDecision,
    };
    use jiff::SignedDuration;
    use proptest::prelude::*;

    const STAGES: [Stage; 6] = [Stage::Subject, Stage::Start, Stage::Step, Stage::Inferred, Stage::Aftermath, Stage::Remark];

    fn one_finding() -> impl Strategy<Value = (Stage, Finding)> {
        let confidence = prop::sample::select(vec![Confidence::Possible, Confidence::Likely, Confidence::Confirmed]);
        let severity = prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Critical]);
        let hours = prop::option::of(0_i64..48);
        (prop::sample::select(STAGES.to_vec()), prop::sample::select(Cause::ALL.to_vec()), confidence, severity, hours).prop_map(
            |(stage, cause, confidence, severity, hours)| {
                let line = |hours| Proof {
                    step: StepName::FunctionLogs,
                    call: String::new(),
                    at: Some(hours_ago(hours)),
                    text: String::new(),
                };
                let finding = Finding {
                    cause,
                    title: String::new(),
                    confidence,
                    severity,
                    explanation: String::new(),
                    evidence: hours.map(line).into_iter().collect(),
                    remediation: Remediation::default(),
                    inhibited_by: None,
                };
                (stage, finding)
            },
        )
    }

    /// At most one finding per cause, as the rules give them.
    fn findings() -> impl Strategy<Value = Vec<(Stage, Finding)>> {
        prop::collection::vec(one_finding(), 0..12).prop_map(|mut findings| {
            let mut known = std::collections::BTreeSet::new();
            findings.retain(|(_, finding)| known.insert(finding.cause));
            findings
        })
    }

    fn evidence(fails: bool) -> Evidence {
        let mut evidence = healthy();
        if fails {
            fail(&mut evidence, RotationStep::SetSecret, &[]);
        }
        evidence
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_the_order_of_the_rules(found in findings(), turn in 0_usize..12, fails: bool) {
            let evidence = evidence(fails);
            let context = DiagnosisContext::new(&evidence);
            let mut turned = found.clone();
            turned.rotate_left(turn.min(found.len()));
            prop_assert_eq!(rank(&context, found), rank(&context, turned));
        }

        #[test]
        fn a_symptom_names_the_first_finding_which_is_no_symptom_itself(found in findings(), fails: bool) {
            let evidence = evidence(fails);
            let stages: Vec<(Cause, Stage)> = found.iter().map(|(stage, finding)| (finding.cause, *stage)).collect();
            let stage_of = |cause| stages.iter().find(|(own, _)| *own == cause).map(|(_, stage)| *stage).unwrap();
            let ranked = rank(&DiagnosisContext::new(&evidence), found);
            for (place, finding) in ranked.iter().enumerate() {
                let Some(by) = finding.inhibited_by else { continue };
                prop_assert_ne!(place, 0);
                prop_assert_ne!(by, finding.cause);
                prop_assert_eq!(ranked.iter().position(|other| other.cause == by), Some(0));
                if stage_of(by) == Stage::Aftermath {
                    let cause = stage_of(finding.cause) < Stage::Aftermath;
                    prop_assert!(!cause || specificity(finding.cause) < Specificity::Defect, "what a failure leaves hides no named cause");
                }
            }
        }

        #[test]
        fn a_remark_never_stands_before_a_fault_and_only_the_unknown_is_dropped(found in findings(), fails: bool) {
            let evidence = evidence(fails);
            let mut before: Vec<Cause> = found.iter().map(|(_, finding)| finding.cause).collect();
            let ranked = rank(&DiagnosisContext::new(&evidence), found);
            prop_assert!(ranked.is_sorted_by_key(|finding| finding.severity == Severity::Info));
            let mut after: Vec<Cause> = ranked.iter().map(|finding| finding.cause).collect();
            if !after.contains(&Cause::UnknownFailure) {
                before.retain(|cause| *cause != Cause::UnknownFailure);
            }
            before.sort();
            after.sort();
            prop_assert_eq!(before, after);
        }
    }

    /// An earlier failure of the same row, with one line in its log.
    fn failed_before(evidence: &mut Evidence, hours: i64, step: RotationStep, line: &str) {
        facts(&mut evidence.logs).invocations.push(invocation(hours_ago(hours), step, InvocationStatus::Failed, &[line]));
        facts(&mut evidence.history).attempts.push(Attempt {
            version_id: Some(PENDING.into()),
            step: Some(step),
            ..attempt(hours_ago(hours), AttemptOutcome::Failed)
        });
    }

    fn leave_pending(evidence: &mut Evidence) {
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().for_each(|version| version.labels.retain(|label| label == "AWSCURRENT"));
        let labels = vec!["AWSPENDING".into()];
        versions.push(SecretVersion { id: PENDING.into(), labels, created_at: Some(hours_ago(20)) });
    }

    fn faults(diagnosis: &Diagnosis) -> Vec<(Cause, Option<Cause>)> {
        let faults = diagnosis.findings.iter().filter(|finding| finding.severity > Severity::Info);
        faults.map(|finding| (finding.cause, finding.inhibited_by)).collect()
    }

    const NO_ROUTE: &str = "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' (timed out)\")";
    const REFUSED: &str =
        "pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'10.0.0.1' (using password: YES)\")";
    const NOT_STAGED: &str = "[ERROR] ValueError: Secret version b1b1b1b1-0000-4000-8000-00000000b1b1 has no stage for rotation of \
                              secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf.";
    const DENIED: &str = "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: \
                          User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to \
                          perform: secretsmanager:PutSecretValue on resource: \
                          arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf because no identity-based \
                          policy allows the secretsmanager:PutSecretValue action";
    const TRACE: &str = "[ERROR] IndexError: list index out of range\nTraceback (most recent call last):\n  File \
                         \"/var/task/lambda_function.py\", line 9, in set_secret";

    #[test]
    fn what_the_newest_failures_say_comes_before_what_older_ones_said() {
        let mut evidence = healthy();
        failed_before(&mut evidence, 20, RotationStep::SetSecret, NO_ROUTE);
        failed_before(&mut evidence, 10, RotationStep::SetSecret, NO_ROUTE);
        fail(&mut evidence, RotationStep::SetSecret, &[REFUSED]);
        let found = diagnose(&evidence);
        assert_eq!(found.outcome, Outcome::RootCause);
        assert_eq!(
            faults(&found),
            [
                (Cause::DbAuthFailed, None),
                (Cause::DbNetworkUnreachable, None),
                (Cause::StuckAwspending, Some(Cause::DbAuthFailed)),
            ]
        );
    }

    #[test]
    fn a_lost_label_after_a_refused_login_is_its_symptom() {
        let mut evidence = healthy();
        failed_before(&mut evidence, 20, RotationStep::SetSecret, REFUSED);
        failed_before(&mut evidence, 10, RotationStep::CreateSecret, NOT_STAGED);
        fail(&mut evidence, RotationStep::CreateSecret, &[NOT_STAGED]);
        assert_eq!(
            faults(&diagnose(&evidence)),
            [(Cause::DbAuthFailed, None), (Cause::VersionNotStagedRace, Some(Cause::DbAuthFailed))]
        );
    }

    #[test]
    fn an_exception_nobody_knows_yields_to_an_older_line_that_names_a_cause() {
        let mut evidence = healthy();
        failed_before(&mut evidence, 10, RotationStep::SetSecret, NO_ROUTE);
        fail(&mut evidence, RotationStep::SetSecret, &[TRACE]);
        let found = faults(&diagnose(&evidence));
        assert_eq!(found.first(), Some(&(Cause::DbNetworkUnreachable, None)));
        assert!(found.contains(&(Cause::CodeUnhandledException, Some(Cause::DbNetworkUnreachable))), "{found:?}");
    }

    #[test]
    fn a_missing_permission_comes_before_what_later_attempts_say() {
        let mut evidence = healthy();
        failed_before(&mut evidence, 20, RotationStep::CreateSecret, DENIED);
        failed_before(&mut evidence, 10, RotationStep::CreateSecret, NOT_STAGED);
        fail(&mut evidence, RotationStep::CreateSecret, &[NOT_STAGED]);
        let Observation::Found(simulations) = &mut facts(&mut evidence.role).simulations else { panic!() };
        let denied = simulations.iter_mut().filter(|one| one.action == "secretsmanager:PutSecretValue");
        denied.for_each(|one| one.decision = SimulatedDecision::ImplicitDeny);
        let found = faults(&diagnose(&evidence));
        assert_eq!(found.first(), Some(&(Cause::IamIdentityPolicyMissing, None)));
        assert!(found.contains(&(Cause::VersionNotStagedRace, Some(Cause::IamIdentityPolicyMissing))), "{found:?}");
    }

    #[test]
    fn a_function_secrets_manager_may_not_invoke_hides_the_label_that_a_failure_left() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        leave_pending(&mut evidence);
        facts(&mut evidence.access).function_policy = no_data();
        let found = faults(&diagnose(&evidence));
        assert_eq!(
            found,
            [(Cause::LambdaInvokePermissionMissing, None), (Cause::StuckAwspending, Some(Cause::LambdaInvokePermissionMissing))]
        );
    }

    #[test]
    fn what_the_roles_policies_show_is_no_symptom_of_what_keeps_the_function_from_running() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        facts(&mut evidence.access).function_policy = no_data();
        facts(&mut evidence.role).trust = Observation::Found(serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" }
        ] }));
        assert_eq!(
            faults(&diagnose(&evidence)),
            [(Cause::LambdaInvokePermissionMissing, None), (Cause::IamIdentityPolicyMissing, None)]
        );
    }

    #[test]
    fn a_missing_function_hides_the_label_that_a_failure_left() {
        let mut evidence = healthy();
        fail_unseen(&mut evidence, None);
        leave_pending(&mut evidence);
        evidence.function.observation = no_data();
        assert_eq!(
            faults(&diagnose(&evidence)),
            [(Cause::LambdaFunctionMissing, None), (Cause::StuckAwspending, Some(Cause::LambdaFunctionMissing))]
        );
    }

    #[test]
    fn what_keeps_the_newest_attempt_from_the_function_comes_before_what_older_invocations_said() {
        let mut evidence = healthy();
        failed_before(&mut evidence, 20, RotationStep::SetSecret, REFUSED);
        fail_unseen(&mut evidence, None);
        evidence.function.observation = no_data();
        assert_eq!(faults(&diagnose(&evidence)), [(Cause::LambdaFunctionMissing, None), (Cause::DbAuthFailed, None)]);
    }

    #[test]
    fn a_change_of_the_network_decides_between_two_readings_of_a_hang() {
        let mut evidence = healthy();
        facts(&mut evidence.function).timeout_s = Some(3);
        hang_in(&mut evidence, RotationStep::SetSecret, &[]);
        assert_eq!(faults(&diagnose(&evidence)).first(), Some(&(Cause::LambdaTimeoutTooShort, None)));
        let revoked = change(hours_ago(1) - SignedDuration::from_mins(9), "RevokeSecurityGroupIngress", Concern::Network);
        facts(&mut evidence.changes).changes.push(revoked);
        let found = diagnose(&evidence);
        let root = found.root_cause().map(|root| (root.cause, root.confidence));
        assert_eq!(root, Some((Cause::DbNetworkUnreachable, Confidence::Confirmed)));
    }
}
