//! Whole reports as people see them, over evidence built by hand.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use jiff::Timestamp;
use rotation_diag::chat::document::{Part, Tone};
use rotation_diag::chat::{Screen, compose};
use rotation_diag::model::Investigation;
use rotation_diag::model::{
    ApiCall, Cause, Comparison, Confidence, CorrelatedChange, Denial, Diagnosis, Evidence, FailureRow, Finding, Forecast,
    Lookback, Network, NotChecked, Observation, Obstacle, Outcome, Plan, PlanStep, Proof, Remediation, RotationConfig, RuledOut,
    SecretFacts, SecretRef, SecretVersion, Severity, StepName, StepRecord, Window,
};
use rotation_diag::report::{self, Report, StepMark};

const NOW: &str = "2026-11-24T03:12:00Z";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn record<T>(observation: Observation<T>, summary: &str, calls: &[&str]) -> StepRecord<T> {
    StepRecord {
        observation,
        window: None,
        calls: calls.iter().map(|call| ApiCall { call: (*call).to_owned(), at: at(NOW), duration_ms: 80, ok: true }).collect(),
        denials: Vec::new(),
        summary: summary.to_owned(),
        started_at: at(NOW),
        duration_ms: 210,
    }
}

fn nothing<T>(searched: &str, calls: &[&str]) -> StepRecord<T> {
    record(Observation::NoData { searched: searched.to_owned() }, searched, calls)
}

fn denied<T>(action: &str, resource: &str) -> StepRecord<T> {
    let denial = Denial { action: action.to_owned(), resource: resource.to_owned() };
    let mut record = record(Observation::Denied(denial.clone()), "", &[action]);
    record.denials.push(denial);
    record
}

fn secret() -> SecretFacts {
    SecretFacts {
        name: "prod/orders-db".to_owned(),
        arn: serde_json::from_value(SECRET.into()).unwrap(),
        kms_key_id: None,
        owning_service: None,
        secret_type: None,
        primary_region: None,
        replicas: Vec::new(),
        deleted_at: None,
        created_at: Some(at("2025-01-10T09:00:00Z")),
        last_changed_at: Some(at("2026-11-22T05:00:10Z")),
        last_accessed_on: None,
        tags: Some(Vec::new()),
        named_databases: Vec::new(),
        versions: vec![SecretVersion { id: "7b2a0c0e".to_owned(), labels: vec!["AWSPENDING".to_owned()], created_at: None }],
        service_health: Observation::Failed { error: "SubscriptionRequiredException".to_owned() },
    }
}

fn evidence() -> Evidence {
    let asked: SecretRef = "prod/orders-db".parse().unwrap();
    Evidence {
        asked,
        region: "eu-west-1".parse().unwrap(),
        account_id: Some("123456789012".parse().unwrap()),
        now: at(NOW),
        lookback: Lookback::Day,
        near_names: Vec::new(),
        log_group: Observation::NotApplicable { because: "its lines were read".to_owned() },
        function_code: Observation::NotApplicable { because: "not asked for".to_owned() },
        network: Network::unasked(),
        secret: record(
            Observation::Found(secret()),
            "prod/orders-db exists; AWSPENDING is on version 7b2a0c0e without AWSCURRENT",
            &["secretsmanager:DescribeSecret", "health:DescribeEvents"],
        ),
        rotation_config: nothing("rotates every 30 d by function orders-rotator; last rotated 41 d ago", &[]),
        function: nothing(
            "orders-rotator is Active, python3.12, 30 s, 256 MB; last changed 120 d ago",
            &["lambda:GetFunctionConfiguration"],
        ),
        logs: nothing("/aws/lambda/orders-rotator: 3 of 3 invocations failed in createSecret", &["logs:FilterLogEvents"]),
        role: nothing("orders-rotator-role: 1 of 9 needed actions is not allowed", &["iam:SimulatePrincipalPolicy"]),
        history: nothing("3 attempts, 3 failed; the last one Sun 22 Nov 05:00 UTC", &["cloudtrail:LookupEvents"]),
        metrics: nothing("5 invocations, 5 errors, no throttles", &["cloudwatch:GetMetricData"]),
        access: nothing("Secrets Manager may invoke the function; no resource policy on the secret", &["lambda:GetPolicy"]),
        changes: nothing("4 changes in 30 d", &["cloudtrail:LookupEvents", "cloudtrail:LookupEvents"]),
    }
}

fn role_lacks_permission() -> Finding {
    Finding {
        cause: Cause::IamIdentityPolicyMissing,
        title: "the function's role may not write the new version".to_owned(),
        confidence: Confidence::Confirmed,
        severity: Severity::Critical,
        explanation: "carol called DetachRolePolicy on orders-rotator-role 15 minutes before the first failure. The role \
                      orders-rotator-role has no permission secretsmanager:PutSecretValue on the secret, and createSecret \
                      fails for it."
            .to_owned(),
        evidence: vec![
            Proof {
                step: StepName::FunctionLogs,
                call: "logs:FilterLogEvents".to_owned(),
                at: Some(at("2026-11-22T05:00:07Z")),
                text:
                    "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the PutSecretValue operation: \
                       User: arn:aws:sts::123456789012:assumed-role/orders-rotator-role/orders-rotator is not authorized to \
                       perform: secretsmanager:PutSecretValue on resource: prod/orders-db because no identity-based policy \
                       allows the secretsmanager:PutSecretValue action"
                        .to_owned(),
            },
            Proof {
                step: StepName::ExecutionRole,
                call: "iam:SimulatePrincipalPolicy".to_owned(),
                at: None,
                text: "implicitDeny for secretsmanager:PutSecretValue on this secret".to_owned(),
            },
        ],
        remediation: Remediation {
            summary: "Give the role the permission back, then rotate.".to_owned(),
            commands: vec![
                "aws iam put-role-policy --role-name orders-rotator-role --policy-name rotation-write --policy-document \
                 '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"secretsmanager:PutSecretValue\",\
                 \"Resource\":\"arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-db-AbCdEf\"}]}'"
                    .to_owned(),
                format!("aws secretsmanager rotate-secret --secret-id {SECRET} --region eu-west-1"),
            ],
            warning: None,
            needs: vec!["iam:PutRolePolicy".to_owned(), "secretsmanager:RotateSecret".to_owned()],
            links: vec!["https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html".to_owned()],
        },
        inhibited_by: None,
    }
}

fn stuck() -> Finding {
    Finding {
        cause: Cause::StuckAwspending,
        title: Cause::StuckAwspending.title().to_owned(),
        confidence: Confidence::Confirmed,
        severity: Severity::Warning,
        explanation: "A rotation that did not finish left AWSPENDING on version 7b2a0c0e.".to_owned(),
        evidence: Vec::new(),
        remediation: Remediation::default(),
        inhibited_by: Some(Cause::IamIdentityPolicyMissing),
    }
}

fn diagnosis(outcome: Outcome, findings: Vec<Finding>) -> Diagnosis {
    Diagnosis {
        outcome,
        findings,
        changes: Vec::new(),
        comparison: None,
        ruled_out: vec![
            RuledOut { cause: Cause::LambdaFunctionMissing, because: "the function exists".to_owned() },
            RuledOut { cause: Cause::DbSslMismatch, because: "no failing invocation says so".to_owned() },
            RuledOut { cause: Cause::DbAuthFailed, because: "no failing invocation says so".to_owned() },
        ],
        not_checked: vec![NotChecked { cause: Cause::AwsServiceIssue, missing: "AWS Health needs a support plan".to_owned() }],
        failing: None,
        last_success_at: Some(at("2026-10-14T02:00:00Z")),
        follow_up: None,
        network_paths: Vec::new(),
        next_looks: Vec::new(),
        forecast: Forecast::default(),
        plan: Plan::default(),
    }
}

fn detached_policy() -> Investigation {
    let mut diagnosis = diagnosis(Outcome::RootCause, vec![role_lacks_permission(), stuck()]);
    diagnosis.failing = Some(FailureRow {
        first_at: at("2026-11-22T05:00:10Z"),
        last_at: at("2026-11-24T02:00:10Z"),
        count: 3,
        last_success_at: diagnosis.last_success_at,
    });
    diagnosis.changes = vec![CorrelatedChange {
        at: at("2026-11-22T04:45:10Z"),
        actor: "carol".to_owned(),
        tool: None,
        event: "DetachRolePolicy".to_owned(),
        resource: "orders-rotator-role".to_owned(),
        minutes_before_failure: Some(15),
        explains: vec![Cause::IamIdentityPolicyMissing],
    }];
    diagnosis.comparison = Some(Comparison {
        same_function_rotating: vec!["prod/users-db".to_owned()],
        conclusion: "prod/users-db with the same function rotates: the fault lies with this secret.".to_owned(),
        ..Comparison::default()
    });
    investigation(evidence(), diagnosis)
}

fn investigation(evidence: Evidence, diagnosis: Diagnosis) -> Investigation {
    Investigation {
        id: "5f0c7a1e9b2d4c335f0c7a1e9b2d4c33".parse().unwrap(),
        evidence,
        diagnosis,
        consumers: None,
        api_calls: 14,
        duration_ms: 912,
    }
}

fn plain(report: &Report, width: usize) -> String {
    anstream::adapter::strip_str(&report::text(report, width)).to_string()
}

#[test]
fn a_root_cause_reads_verdict_first_in_the_terminal() {
    insta::assert_snapshot!(plain(&Report::new(&detached_policy()).in_account(Some("prod")), 110));
}

#[test]
fn a_root_cause_fits_a_narrow_terminal() {
    let text = plain(&Report::new(&detached_policy()), 72);
    for line in text.lines().filter(|line| !line.trim_start().starts_with("aws ") && !line.contains("https://")) {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 72, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_root_cause_reads_well_in_a_ticket() {
    insta::assert_snapshot!(report::markdown(&Report::new(&detached_policy()).in_account(Some("prod"))));
}

#[test]
fn a_root_cause_is_one_json_object() {
    let json = report::json(&Report::new(&detached_policy())).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_object());
    insta::assert_snapshot!(json);
}

#[test]
fn a_healthy_secret_is_called_healthy_with_its_remarks() {
    let mut remark = stuck();
    remark.cause = Cause::DeprecatedRuntime;
    remark.title = Cause::DeprecatedRuntime.title().to_owned();
    remark.severity = Severity::Info;
    remark.inhibited_by = None;
    remark.explanation = "python3.8 gets no security updates since 14 Oct 2024.".to_owned();
    let mut diagnosis = diagnosis(Outcome::Healthy, vec![remark]);
    diagnosis.last_success_at = Some(at("2026-11-20T02:00:00Z"));
    insta::assert_snapshot!(plain(&Report::new(&investigation(evidence(), diagnosis)), 110));
}

#[test]
fn a_secret_that_rotates_until_its_next_rotation_fails_is_not_called_healthy_in_any_format() {
    let mut diagnosis = diagnosis(Outcome::Healthy, Vec::new());
    let proof = Proof {
        step: StepName::SecretAccess,
        call: "secretsmanager:GetResourcePolicy".to_owned(),
        at: None,
        text: "statement Frozen denies secretsmanager:PutSecretValue".to_owned(),
    };
    diagnosis.forecast.obstacles = vec![Obstacle {
        cause: Cause::SecretResourcePolicyDeny,
        confidence: Confidence::Likely,
        at: None,
        text: "The secret's resource policy denies secretsmanager:PutSecretValue.".to_owned(),
        proof: Some(proof),
        author: None,
    }];
    let step = PlanStep {
        command: format!("aws secretsmanager delete-resource-policy --secret-id {SECRET} --region eu-west-1"),
        cause: Cause::SecretResourcePolicyDeny,
        effect: "deletes the secret's resource policy".to_owned(),
        is_read_only: false,
        undo: None,
        undo_danger: None,
        needs: vec!["secretsmanager:DeleteResourcePolicy".to_owned()],
    };
    let warning = "A Deny statement is often there on purpose.".to_owned();
    diagnosis.plan = Plan { steps: vec![step], heals: Some(true), warnings: vec![warning.clone()], ..Plan::default() };
    let mut investigation = investigation(evidence(), diagnosis);
    let report = Report::new(&investigation);
    let headline =
        format!("prod/orders-db rotates, but the next rotation will fail — {}", Cause::SecretResourcePolicyDeny.title());
    assert_eq!(report.headline.as_str(), headline);
    let access = report.steps.iter().find(|step| step.name == StepName::SecretAccess).unwrap();
    assert_eq!(access.mark, StepMark::Trouble);
    let text = plain(&report, 300);
    assert!(text.starts_with(&format!("🟡 {headline}\n")), "{text}");
    assert!(text.contains(&format!("⚠ {warning}")), "{text}");
    let markdown = report::markdown(&report);
    assert!(markdown.starts_with(&format!("## 🟡 {headline}")) && markdown.contains(&format!("> ⚠ {warning}")), "{markdown}");
    let id = "5f0c7a1e9b2d4c335f0c7a1e9b2d4c33".parse().unwrap();
    let verdict = compose::verdict(&report, &id, 1, &compose::AfterVerdict::default(), Screen::NARROWEST);
    assert_eq!((verdict.tone, verdict.title.as_str()), (Tone::Warning, headline.as_str()));
    assert!(verdict.parts.iter().any(|part| matches!(part, Part::Caution(text) if text.as_str() == warning)), "{verdict:?}");
    investigation.diagnosis.forecast.obstacles.iter_mut().for_each(|obstacle| obstacle.confidence = Confidence::Possible);
    let possible = Report::new(&investigation);
    assert_eq!(possible.headline.as_str(), "prod/orders-db is healthy — its rotation works");
}

#[test]
fn a_success_whose_event_comes_seconds_after_secrets_managers_date_has_one_age() {
    let mut evidence = evidence();
    let config: RotationConfig = serde_json::from_value(serde_json::json!({
        "enabled": true, "last_rotated_at": "2026-11-23T22:12:00Z", "external_metadata": [], "due": { "never_fires": false }
    }))
    .unwrap();
    evidence.rotation_config = record(Observation::Found(config), "last rotated 23 Nov 22:12 UTC (5 h ago)", &[]);
    let mut diagnosis = diagnosis(Outcome::Healthy, Vec::new());
    diagnosis.last_success_at = Some(at("2026-11-23T22:12:05Z"));
    let text = plain(&Report::new(&investigation(evidence, diagnosis)), 300);
    assert!(text.contains("last success 5 h ago"), "{text}");
}

#[test]
fn a_blind_investigation_names_the_permissions_to_add() {
    let mut evidence = evidence();
    evidence.logs = denied("logs:FilterLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/orders-rotator");
    evidence.role = denied("iam:SimulatePrincipalPolicy", "arn:aws:iam::123456789012:role/orders-rotator-role");
    let mut diagnosis = diagnosis(Outcome::Inconclusive, Vec::new());
    diagnosis.failing = Some(FailureRow {
        first_at: at("2026-11-22T05:00:10Z"),
        last_at: at("2026-11-22T05:00:10Z"),
        count: 1,
        last_success_at: None,
    });
    diagnosis.last_success_at = None;
    for cause in Cause::ALL.iter().copied().filter(|cause| !cause.is_line_label()).take(8) {
        diagnosis.not_checked.push(NotChecked { cause, missing: "permission iam:SimulatePrincipalPolicy".to_owned() });
    }
    let report = Report::new(&investigation(evidence, diagnosis));
    assert!(!report.saw_nothing());
    insta::assert_snapshot!(plain(&report, 110));
}

#[test]
fn a_label_that_a_failure_left_is_no_reason_in_the_headline_where_the_failure_was_not_seen() {
    let headline = |outcome| {
        let mut finding = stuck();
        (finding.inhibited_by, finding.confidence) = (None, Confidence::Possible);
        let mut diagnosis = diagnosis(outcome, vec![finding]);
        let at = at("2026-11-22T05:00:10Z");
        diagnosis.failing = Some(FailureRow { first_at: at, last_at: at, count: 1, last_success_at: None });
        report::wording::headline(&Report::new(&investigation(evidence(), diagnosis))).to_string()
    };
    assert_eq!(headline(Outcome::Inconclusive), "prod/orders-db is not rotating — the cause could not be determined");
    assert!(headline(Outcome::RootCause).contains("AWSPENDING is stuck"));
}

#[test]
fn an_unknown_name_suggests_the_ones_near_it() {
    let mut evidence = evidence();
    evidence.near_names = vec!["prod/orders-db-ro".to_owned(), "prod/order-db".to_owned()];
    evidence.secret = nothing("no secret of that name in eu-west-1", &["secretsmanager:DescribeSecret"]);
    let mut finding = role_lacks_permission();
    finding.cause = Cause::SecretNotFound;
    finding.title = Cause::SecretNotFound.title().to_owned();
    finding.explanation = "Secrets Manager knows no secret of this name in eu-west-1.".to_owned();
    finding.evidence.truncate(0);
    finding.remediation =
        Remediation { summary: "Check the name, the region and the account.".to_owned(), ..Remediation::default() };
    let mut diagnosis = diagnosis(Outcome::NotFound, vec![finding]);
    diagnosis.last_success_at = None;
    insta::assert_snapshot!(plain(&Report::new(&investigation(evidence, diagnosis)), 110));
}

/// Text that tries to act on the place it is shown in.
const HOSTILE: &str = "a\u{1b}[31m\u{1b}]0;title\u{7}b `x` ``` ````\n# head\r\n| cell | *bold* [Approve](https://evil.example) <b>@everyone</b> \
                       \u{202e}gpj.exe\u{200b}\u{0}";

fn hostile() -> Investigation {
    let mut investigation = detached_policy();
    for finding in &mut investigation.diagnosis.findings {
        finding.title = HOSTILE.to_owned();
        finding.explanation = HOSTILE.to_owned();
        finding.remediation.summary = HOSTILE.to_owned();
        finding.remediation.commands = vec![HOSTILE.to_owned()];
        finding.evidence.iter_mut().for_each(|proof| proof.text = HOSTILE.to_owned());
    }
    investigation.diagnosis.changes.iter_mut().for_each(|change| change.actor = HOSTILE.to_owned());
    let step = PlanStep {
        command: HOSTILE.to_owned(),
        cause: Cause::SecretNotFound,
        effect: HOSTILE.to_owned(),
        is_read_only: false,
        undo: Some(HOSTILE.to_owned()),
        undo_danger: None,
        needs: vec![HOSTILE.to_owned()],
    };
    investigation.diagnosis.plan = Plan { steps: vec![step], heals: None, doubts: vec![HOSTILE.to_owned()], ..Plan::default() };
    investigation.evidence.secret.summary = HOSTILE.to_owned();
    investigation
}

#[test]
fn hostile_text_stays_inert_in_the_terminal() {
    let text = plain(&Report::new(&hostile()), 110);
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{200b}'), "{text}");
    assert!(!text.contains("31m") && !text.contains("0;title"), "{text}");
}

#[test]
fn hostile_text_stays_inert_in_a_ticket() {
    insta::assert_snapshot!(report::markdown(&Report::new(&hostile())));
}

#[test]
fn hostile_text_stays_inert_in_json() {
    let json = report::json(&Report::new(&hostile())).unwrap();
    assert!(!json.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}' || c == '\u{200b}'), "{json}");
}

#[test]
fn long_lists_are_cut_with_a_count() {
    let mut investigation = detached_policy();
    let finding = investigation.diagnosis.findings.last().unwrap().clone();
    investigation.diagnosis.findings.extend(std::iter::repeat_n(finding, 60));
    let proof = investigation.diagnosis.findings[0].evidence[1].clone();
    investigation.diagnosis.findings[0].evidence.extend(std::iter::repeat_n(proof, 500));
    let report = Report::new(&investigation);
    let text = plain(&report, 110);
    assert!(text.contains("and 497 more") && text.contains("and 56 more"), "{text}");
    assert!(text.lines().count() < 70, "{text}");
    assert!(report::markdown(&report).contains("- and 497 more"));
}

#[test]
fn the_window_of_a_report_holds_those_of_its_steps() {
    let mut investigation = detached_policy();
    let early = Window { from: at("2026-10-25T03:12:00Z"), to: at("2026-11-01T00:00:00Z") };
    investigation.evidence.history.window = Some(early);
    let report = Report::new(&investigation);
    assert_eq!(report.window, Window { from: early.from, to: at(NOW) });
}

#[test]
fn credentials_that_may_see_nothing_are_recognised() {
    let mut investigation = detached_policy();
    let evidence = &mut investigation.evidence;
    evidence.secret = denied("secretsmanager:DescribeSecret", SECRET);
    evidence.rotation_config = denied("secretsmanager:DescribeSecret", SECRET);
    evidence.function = denied("lambda:GetFunctionConfiguration", "*");
    evidence.logs = denied("logs:FilterLogEvents", "*");
    evidence.role = denied("iam:SimulatePrincipalPolicy", "*");
    evidence.history = denied("cloudtrail:LookupEvents", "*");
    evidence.metrics = denied("cloudwatch:GetMetricData", "*");
    evidence.access = denied("lambda:GetPolicy", "*");
    evidence.changes = denied("cloudtrail:LookupEvents", "*");
    let report = Report::new(&investigation);
    assert!(report.saw_nothing());
    assert_eq!(report.missing_permissions().len(), 7);
}
