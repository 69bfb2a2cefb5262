//! Evidence for the tests of the rules: a world where rotation works, and the means to break one thing at a time.

use super::{DiagnosisContext, Verdict, rules::RULES};
use crate::model::{
    Arn, Attempt, AttemptOutcome, Cause, Change, Concern, ConfigChanges, Denial, DueDates, EventSource, Evidence, Finding,
    FunctionFacts, FunctionLogs, FunctionMetrics, Invocation, InvocationStatus, KeyFacts, LogEvent, Lookback, MetricPoint,
    NOT_ASKED_FOR, Network, Observation, PolicyDocument, RoleFacts, RolePolicies, RotationConfig, RotationHistory, RotationRules,
    RotationStep, SecretAccess, SecretFacts, SecretVersion, SimulatedDecision, Simulation, StepName, StepRecord, VpcConfig,
    Window,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:orders-rotator";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/orders-rotator-role";
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1111aaaa-22bb-33cc-44dd-555566667777";
/// The version that is current in the healthy world.
pub(crate) const CURRENT: &str = "c0c0c0c0-0000-4000-8000-00000000c0c0";
/// The version a rotation broken by [`fail`] works on.
pub(crate) const PENDING: &str = "b1b1b1b1-0000-4000-8000-00000000b1b1";

/// The investigation's "now".
pub(crate) fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

/// So many hours before "now".
pub(crate) fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

pub(crate) fn arn<T: TryFrom<Arn, Error: std::fmt::Debug>>(text: &str) -> T {
    T::try_from(Arn::parse(text).unwrap()).unwrap()
}

pub(crate) fn record<T>(observation: Observation<T>) -> StepRecord<T> {
    StepRecord {
        observation,
        window: None,
        calls: Vec::new(),
        denials: Vec::new(),
        summary: String::new(),
        started_at: now(),
        duration_ms: 1,
    }
}

pub(crate) fn denied<T>(action: &str) -> Observation<T> {
    Observation::Denied(Denial { action: action.to_owned(), resource: "*".to_owned() })
}

pub(crate) fn no_data<T>() -> Observation<T> {
    Observation::NoData { searched: "everything".to_owned() }
}

/// The facts of a step, to change them.
pub(crate) fn facts<T>(record: &mut StepRecord<T>) -> &mut T {
    match &mut record.observation {
        Observation::Found(facts) => facts,
        _ => panic!("the step found nothing"),
    }
}

/// Makes `step` refused, as if the action it asks first were missing.
pub(crate) fn deny(evidence: &mut Evidence, step: StepName) {
    match step {
        StepName::Secret => evidence.secret = record(denied("secretsmanager:DescribeSecret")),
        StepName::RotationConfig => evidence.rotation_config = record(denied("secretsmanager:DescribeSecret")),
        StepName::RotationFunction => evidence.function = record(denied("lambda:GetFunctionConfiguration")),
        StepName::FunctionLogs => evidence.logs = record(denied("logs:FilterLogEvents")),
        StepName::ExecutionRole => evidence.role = record(denied("iam:SimulatePrincipalPolicy")),
        StepName::RotationHistory => evidence.history = record(denied("cloudtrail:LookupEvents")),
        StepName::FunctionMetrics => evidence.metrics = record(denied("cloudwatch:GetMetricData")),
        StepName::SecretAccess => evidence.access = record(denied("lambda:GetPolicy")),
        StepName::ConfigChanges => evidence.changes = record(denied("cloudtrail:LookupEvents")),
    }
}

/// One invocation of the function that performed `step` for the secret, ended as `status`, and wrote `lines`.
pub(crate) fn invocation(at: Timestamp, step: RotationStep, status: InvocationStatus, lines: &[&str]) -> Invocation {
    let stream = "2026/03/10/[$LATEST]0123456789abcdef".to_owned();
    let event = |text: &str| LogEvent { at, stream: stream.clone(), text: text.to_owned() };
    Invocation {
        request_id: Some(format!("{step}-{}", at.as_second())),
        stream: stream.clone(),
        started_at: at,
        ended_at: Some(at + SignedDuration::from_secs(1)),
        duration_ms: Some(900.0),
        memory_size_mb: Some(128),
        max_memory_used_mb: Some(70),
        status,
        error_type: None,
        step: Some(step),
        secret_arn: Some(SECRET.to_owned()),
        version: None,
        lines: lines.iter().copied().map(event).collect(),
    }
}

/// Lets the rotation that was due an hour ago fail in `step`: the invocations, CloudTrail's event, the metrics and the
/// label it leaves behind.
pub(crate) fn fail(evidence: &mut Evidence, step: RotationStep, lines: &[&str]) {
    let began = hours_ago(1);
    let mut at = began;
    for done in RotationStep::ALL.into_iter().take_while(|done| *done < step) {
        facts(&mut evidence.logs).invocations.push(invocation(at, done, InvocationStatus::Succeeded, &[]));
        at += SignedDuration::from_secs(2);
    }
    facts(&mut evidence.logs).invocations.push(invocation(at, step, InvocationStatus::Failed, lines));
    fail_unseen(evidence, Some(step));
    facts(&mut evidence.metrics).points.push(MetricPoint {
        at: began,
        invocations: f64::from(step as u8 + 1),
        errors: 1.0,
        throttles: 0.0,
        duration_max_ms: Some(900.0),
    });
    if step > RotationStep::CreateSecret {
        let pending = SecretVersion { id: PENDING.into(), labels: vec!["AWSPENDING".into()], created_at: Some(began) };
        let versions = &mut facts(&mut evidence.secret).versions;
        versions.iter_mut().for_each(|version| version.labels.retain(|label| label != "AWSPENDING"));
        versions.push(pending);
    }
}

/// Lets the rotation that was due an hour ago run into the function's timeout in `step`, after it wrote `lines`.
pub(crate) fn hang_in(evidence: &mut Evidence, step: RotationStep, lines: &[&str]) {
    fail(evidence, step, lines);
    let timeout_s = facts(&mut evidence.function).timeout_s.unwrap_or(3);
    let hung = facts(&mut evidence.logs).invocations.last_mut().unwrap();
    let at = hung.started_at + SignedDuration::from_secs(i64::from(timeout_s));
    let text = format!("2026-03-10T11:00:30.000Z r1 Task timed out after {timeout_s}.00 seconds");
    hung.lines.push(LogEvent { at, stream: hung.stream.clone(), text });
    hung.duration_ms = Some(f64::from(timeout_s) * 1000.0);
    hung.ended_at = Some(at);
    hung.status = InvocationStatus::TimedOut;
}

/// A change by `carol`.
pub(crate) fn change(at: Timestamp, event: &str, concerns: Concern) -> Change {
    Change {
        at,
        actor: "carol".to_owned(),
        event: event.to_owned(),
        resource: "the resource".to_owned(),
        concerns,
        parameters: json!({}),
        tool: None,
        policy: None,
    }
}

/// Lets the rotation that was due an hour ago fail without any invocation.
pub(crate) fn fail_unseen(evidence: &mut Evidence, step: Option<RotationStep>) {
    let ended = hours_ago(1) + SignedDuration::from_secs(30);
    let named = step.unwrap_or(RotationStep::CreateSecret);
    facts(&mut evidence.history).attempts.push(Attempt {
        version_id: Some(PENDING.to_owned()),
        started_at: Some(hours_ago(1)),
        ended_at: Some(ended),
        step,
        reason: Some(format!("Error when executing lambda {FUNCTION} during {named} step")),
        ..attempt(ended, AttemptOutcome::Failed)
    });
}

/// A rotation attempt that ended at `at`.
pub(crate) fn attempt(at: Timestamp, outcome: AttemptOutcome) -> Attempt {
    Attempt {
        secret_arn: SECRET.to_owned(),
        version_id: Some(CURRENT.to_owned()),
        started_at: None,
        ended_at: Some(at),
        outcome,
        step: None,
        function_arn: Some(arn(FUNCTION)),
        reason: None,
        is_test: false,
    }
}

/// The verdict of the rule about `cause`.
pub(crate) fn verdict(cause: Cause, evidence: &Evidence) -> Verdict {
    let rule = RULES.iter().find(|rule| rule.cause == cause).unwrap_or_else(|| panic!("no rule decides {cause}"));
    (rule.evaluate)(&DiagnosisContext::new(evidence))
}

/// The finding of the rule about `cause`, which must fire.
pub(crate) fn finding(cause: Cause, evidence: &Evidence) -> Finding {
    match verdict(cause, evidence) {
        Verdict::Fires(finding) => *finding,
        other => panic!("{cause} does not fire: {other:?}"),
    }
}

pub(crate) fn assert_clear(cause: Cause, evidence: &Evidence) {
    let verdict = verdict(cause, evidence);
    assert!(matches!(verdict, Verdict::Clear { .. }), "{cause}: {verdict:?}");
}

/// The rule about `cause` must be undecided for want of `missing`, such as a permission.
pub(crate) fn assert_unknown(cause: Cause, evidence: &Evidence, missing: &str) {
    let verdict = verdict(cause, evidence);
    assert!(matches!(&verdict, Verdict::Unknown { missing: said } if said.contains(missing)), "{cause}: {verdict:?}");
}

/// A world where rotation works and every step was allowed to look: the last rotation succeeded ten days ago, the next
/// is due in twenty; a VPC function, a customer managed key that delegates to IAM, no policy on the secret itself.
pub(crate) fn healthy() -> Evidence {
    Evidence {
        asked: "prod/orders-db".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        account_id: Some(ACCOUNT.parse().unwrap()),
        now: now(),
        lookback: Lookback::Day,
        near_names: Vec::new(),
        secret: record(Observation::Found(secret())),
        rotation_config: record(Observation::Found(config())),
        function: record(Observation::Found(function())),
        logs: record(Observation::Found(logs())),
        role: record(Observation::Found(role())),
        history: record(Observation::Found(RotationHistory {
            attempts: vec![attempt(hours_ago(240), AttemptOutcome::Succeeded)],
            other_attempts: Vec::new(),
            fleet: Observation::NotApplicable { because: "nothing to compare".to_owned() },
            source: EventSource::EventHistory,
            complete: true,
        })),
        metrics: record(Observation::Found(FunctionMetrics {
            period_s: 300,
            points: vec![MetricPoint {
                at: hours_ago(240),
                invocations: 4.0,
                errors: 0.0,
                throttles: 0.0,
                duration_max_ms: Some(900.0),
            }],
            complete: true,
        })),
        access: record(Observation::Found(access())),
        changes: record(Observation::Found(ConfigChanges {
            refusals: Vec::new(),
            set_aside: Vec::new(),
            changes: Vec::new(),
            source: EventSource::EventHistory,
            searched: Vec::new(),
            unsearched: Vec::new(),
            complete: true,
        })),
        log_group: Observation::NotApplicable { because: "its lines were read".to_owned() },
        function_code: Observation::NotApplicable { because: NOT_ASKED_FOR.to_owned() },
        network: Network::unasked(),
    }
}

/// A secret whose rotation in a partner's system works.
pub(crate) fn external() -> Evidence {
    let mut evidence = healthy();
    facts(&mut evidence.secret).secret_type = Some("SalesforceClientSecret".to_owned());
    let config = facts(&mut evidence.rotation_config);
    (config.function_arn, config.external_role_arn) = (None, Some(arn(ROLE)));
    evidence.function.observation = Observation::NotApplicable { because: "there is no function by design".to_owned() };
    evidence.logs.observation = Observation::NotApplicable { because: "there is no function by design".to_owned() };
    facts(&mut evidence.role).trust = Observation::Found(json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "secretsmanager.amazonaws.com" }, "Action": "sts:AssumeRole" }
    ] }));
    evidence
}

fn secret() -> SecretFacts {
    SecretFacts {
        name: "prod/orders-db".to_owned(),
        arn: arn(SECRET),
        kms_key_id: Some(KEY.to_owned()),
        owning_service: None,
        secret_type: None,
        primary_region: None,
        replicas: Vec::new(),
        deleted_at: None,
        created_at: Some(hours_ago(24 * 400)),
        last_changed_at: Some(hours_ago(240)),
        last_accessed_on: Some(hours_ago(12)),
        versions: vec![SecretVersion {
            id: CURRENT.to_owned(),
            labels: vec!["AWSCURRENT".to_owned(), "AWSPENDING".to_owned()],
            created_at: Some(hours_ago(240)),
        }],
        tags: Some(Vec::new()),
        named_databases: Vec::new(),
        service_health: Observation::Found(Vec::new()),
    }
}

fn config() -> RotationConfig {
    RotationConfig {
        enabled: Some(true),
        function_arn: Some(arn(FUNCTION)),
        rules: Some(RotationRules {
            automatically_after_days: Some(30),
            schedule_expression: Some("rate(30 days)".to_owned()),
            duration: None,
        }),
        last_rotated_at: Some(hours_ago(240)),
        next_rotation_at: Some(now() + SignedDuration::from_hours(480)),
        external_role_arn: None,
        external_metadata: Vec::new(),
        due: DueDates {
            previous: Some(hours_ago(240)),
            next: Some(now() + SignedDuration::from_hours(480)),
            ..DueDates::default()
        },
    }
}

fn function() -> FunctionFacts {
    FunctionFacts {
        arn: arn(FUNCTION),
        state: Some("Active".to_owned()),
        state_reason: None,
        state_reason_code: None,
        last_update_status: Some("Successful".to_owned()),
        last_update_reason: None,
        last_update_reason_code: None,
        runtime: Some("python3.13".to_owned()),
        handler: Some("lambda_function.lambda_handler".to_owned()),
        timeout_s: Some(30),
        memory_mb: Some(128),
        last_modified_at: Some(hours_ago(24 * 100)),
        code_sha256: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned()),
        architectures: vec!["x86_64".to_owned()],
        vpc: Some(VpcConfig {
            vpc_id: "vpc-0a1b2c3d".to_owned(),
            subnet_ids: vec!["subnet-0a1b2c3d".to_owned()],
            security_group_ids: vec!["sg-0a1b2c3d".to_owned()],
            ipv6_allowed: false,
        }),
        layers: Vec::new(),
        environment_names: vec!["SECRETS_MANAGER_ENDPOINT".to_owned()],
        environment_error: None,
        kms_key_arn: None,
        role: arn(ROLE),
        log_group: "/aws/lambda/orders-rotator".to_owned(),
        log_format: Some("Text".to_owned()),
        application_log_level: None,
        reserved_concurrency: Observation::Found(None),
    }
}

fn logs() -> FunctionLogs {
    let began = hours_ago(240);
    let performed = RotationStep::ALL.into_iter().enumerate().map(|(nth, step)| {
        let at = began + SignedDuration::from_secs(2 * nth as i64);
        invocation(at, step, InvocationStatus::Succeeded, &[])
    });
    FunctionLogs {
        log_group: "/aws/lambda/orders-rotator".to_owned(),
        windows: vec![
            Lookback::Day.window(now()),
            Window::around(began, SignedDuration::from_hours(1), SignedDuration::from_hours(1)),
        ],
        invocations: performed.collect(),
        complete: true,
    }
}

fn role() -> RoleFacts {
    let on_secret = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]
        .map(|name| (format!("secretsmanager:{name}"), SECRET));
    let on_key = ["Decrypt", "GenerateDataKey"].map(|name| (format!("kms:{name}"), KEY));
    let on_network = ["CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface"]
        .map(|name| (format!("ec2:{name}"), "*"));
    let random = [("secretsmanager:GetRandomPassword".to_owned(), "*")];
    let simulated = on_secret.into_iter().chain(random).chain(on_key).chain(on_network);
    RoleFacts {
        role: arn(ROLE),
        simulations: Observation::Found(
            simulated
                .map(|(action, resource)| Simulation {
                    action,
                    resource: resource.to_owned(),
                    decision: SimulatedDecision::Allowed,
                    matched_policies: vec!["rotation".to_owned()],
                    missing_context: Vec::new(),
                    boundary_allows: None,
                    organization_allows: None,
                })
                .collect(),
        ),
        policies: Observation::Found(RolePolicies {
            identity: vec![PolicyDocument {
                name: "rotation".to_owned(),
                document: json!({
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": [
                                "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
                                "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"
                            ],
                            "Resource": SECRET
                        },
                        { "Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*" },
                        { "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": KEY },
                        {
                            "Effect": "Allow",
                            "Action": [
                                "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"
                            ],
                            "Resource": "*"
                        }
                    ]
                }),
            }],
            boundary: None,
            complete: true,
        }),
        trust: Observation::Found(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole"
            }]
        })),
        detached: Vec::new(),
    }
}

fn access() -> SecretAccess {
    SecretAccess {
        function_policy: Observation::Found(json!({
            "Version": "2012-10-17",
            "Id": "default",
            "Statement": [{
                "Sid": "SecretsManagerAccess",
                "Effect": "Allow",
                "Principal": { "Service": "secretsmanager.amazonaws.com" },
                "Action": "lambda:InvokeFunction",
                "Resource": FUNCTION,
                "Condition": { "StringEquals": { "AWS:SourceAccount": ACCOUNT } }
            }]
        })),
        secret_policy: no_data(),
        secret_key: Observation::Found(key()),
        environment_key: Observation::NotApplicable { because: "the AWS managed key".to_owned() },
    }
}

/// The secret's key: enabled, and its policy delegates to the account's IAM policies.
pub(crate) fn key() -> KeyFacts {
    KeyFacts {
        arn: Arn::parse(KEY).unwrap(),
        state: "Enabled".to_owned(),
        deletion_at: None,
        customer_managed: true,
        custom_key_store: None,
        policy: Observation::Found(json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
                "Action": "kms:*",
                "Resource": "*"
            }]
        })),
    }
}

mod tests {
    use super::*;
    use crate::diagnosis::diagnose;
    use crate::model::Outcome;

    #[test]
    fn the_healthy_world_is_healthy() {
        let diagnosis = diagnose(&healthy());
        assert_eq!(diagnosis.outcome, Outcome::Healthy, "{:?}", diagnosis.findings);
        assert!(diagnosis.findings.is_empty(), "{:?}", diagnosis.findings);
        assert!(diagnosis.not_checked.is_empty(), "{:?}", diagnosis.not_checked);
    }

    #[test]
    fn a_failed_rotation_is_a_row_of_one_failure_with_its_step_and_label() {
        let mut evidence = healthy();
        fail(&mut evidence, RotationStep::SetSecret, &[]);
        let context = DiagnosisContext::new(&evidence);
        assert_eq!(context.failing.as_ref().map(|row| row.count), Some(1));
        assert_eq!(context.failing_step(), Some(RotationStep::SetSecret));
        assert_eq!(context.stuck_pending_version().map(|version| version.id.as_str()), Some(PENDING));
        assert_eq!(finding(Cause::StuckAwspending, &evidence).cause, Cause::StuckAwspending);
        assert_clear(Cause::LambdaFunctionMissing, &evidence);
        deny(&mut evidence, StepName::RotationFunction);
        assert_unknown(Cause::LambdaFunctionMissing, &evidence, "lambda:GetFunctionConfiguration");
    }
}
