//! The nine collectors against a simulated account, over real HTTP.

#![expect(clippy::unwrap_used, reason = "what a test builds upon must be there")]

use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::clock::Clock;
use rotation_diag::model::{
    AttemptOutcome, ConfigChanges, Consumers, EventSource, Evidence, InvocationStatus, Lookback, Observation, SecretReader,
    StepName,
};
use rotation_diag::playbook::{self, CodeChoice, PlaybookRequest, Progress};
use rotation_diag::simulator::{Scenario, Simulator};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: &str = "2026-03-10T12:00:00Z";

/// What a step reported at its end.
#[derive(Default)]
struct Ends(Mutex<Vec<(StepName, &'static str, String)>>);

impl Progress for Ends {
    fn started(&self, _: StepName) {}
    fn finished(&self, step: StepName, status: &'static str, summary: &str) {
        self.0.lock().unwrap().push((step, status, summary.to_owned()));
    }
}

struct World {
    simulator: Simulator,
    aws: Aws,
    clock: Clock,
    secret: String,
}

impl World {
    async fn of(scenario: &str) -> World {
        let scenario = Scenario::parse(scenario).unwrap();
        let now = NOW.parse().unwrap();
        let (region, secret) = (scenario.region().to_owned(), scenario.secret().unwrap().to_owned());
        let simulator = Simulator::start(scenario, now).unwrap();
        let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
        let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
        World { simulator, aws, clock: Clock::starting_at(now), secret }
    }

    async fn with(fault: &str) -> World {
        World::of(&format!("{BROKEN}\n{fault}")).await
    }

    fn request(&self) -> PlaybookRequest {
        // A busy machine must not decide what is found.
        let patience = Duration::from_secs(600);
        let usual = PlaybookRequest::new(self.secret.parse().unwrap(), Lookback::Day);
        PlaybookRequest { deadline_per_step: patience, total_deadline: patience, ..usual }
    }

    async fn perform(&self, request: &PlaybookRequest) -> Evidence {
        let ends = Ends::default();
        let evidence = playbook::collect(&self.aws, &self.clock, request, &ends).await;
        for step in evidence.steps() {
            assert!(!step.summary.is_empty(), "{} says nothing", step.name);
        }
        assert!(self.simulator.violations().is_empty(), "{:?}", self.simulator.violations());
        evidence
    }

    async fn look(&self) -> Evidence {
        self.perform(&self.request()).await
    }
}

fn calls(evidence: &Evidence) -> Vec<&str> {
    evidence.steps().iter().flat_map(|step| step.calls).map(|call| call.call.as_str()).collect()
}

fn statuses(evidence: &Evidence) -> [&'static str; 9] {
    evidence.steps().map(|step| step.status)
}

const BROKEN: &str = include_str!("../config/scenarios/role_detached_policy.toml");
const HEALTHY: &str = include_str!("../config/scenarios/healthy.toml");

#[tokio::test]
async fn a_broken_rotation_is_seen_by_all_nine_steps_within_the_budget() {
    let world = World::of(BROKEN).await;
    let evidence = world.look().await;
    assert_eq!(statuses(&evidence), ["found"; 9]);
    let history = evidence.history.found().unwrap();
    assert_eq!(history.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Failed).count(), 3);
    assert_eq!(history.source, EventSource::TrailLogGroup("cloudtrail".to_owned()));
    let logs = evidence.logs.found().unwrap();
    assert!(logs.invocations.iter().any(|invocation| invocation.status == InvocationStatus::Failed));
    let changes = &evidence.changes.found().unwrap().changes;
    assert!(changes.iter().any(|change| change.event == "DetachRolePolicy" && change.actor == "carol"), "{changes:?}");
    let sent = world.simulator.calls().len();
    assert_eq!(calls(&evidence).len(), sent);
    assert!(sent <= 16, "{sent} calls: {:?}", calls(&evidence));
}

#[tokio::test]
async fn a_policy_that_was_detached_is_read_in_two_calls_and_one_that_is_gone_in_one() {
    let world = World::of(BROKEN).await;
    let evidence = world.look().await;
    let before = calls(&evidence).len();
    let changes = &evidence.changes.found().unwrap().changes;
    let detached = changes.iter().find(|change| change.event == "DetachRolePolicy").unwrap();
    let arn = detached.parameters["policyArn"].as_str().unwrap().to_owned();
    let asked = [arn.clone(), format!("{arn}-gone")];
    let request = world.request();
    let evidence = playbook::read_detached(&world.aws, &world.clock, &request, evidence, &asked, &()).await;
    let read = &evidence.role.found().unwrap().detached;
    let seen: Vec<_> = read.iter().map(|policy| (policy.arn.as_str(), policy.document.status())).collect();
    assert_eq!(seen, [(asked[0].as_str(), "found"), (asked[1].as_str(), "no_data")]);
    assert_eq!(calls(&evidence).len() - before, 3, "{:?}", calls(&evidence));
    assert!(evidence.role.summary.ends_with("; 1 detached policy read"), "{}", evidence.role.summary);
}

#[tokio::test]
async fn the_trust_of_a_role_is_read_unless_an_invocation_of_a_failed_rotation_shows_that_lambda_assumes_it() {
    let ran = World::of(BROKEN).await.look().await;
    assert_eq!(ran.role.found().unwrap().trust.status(), "not_applicable");
    let never = World::of(include_str!("../config/scenarios/trust_and_permission_both_lost.toml")).await.look().await;
    assert_eq!(never.role.found().unwrap().trust.status(), "found");
    let rotates = World::of(HEALTHY).await.look().await;
    assert_eq!(rotates.role.found().unwrap().trust.status(), "found", "it may be lost since the last rotation");
    let asked = |evidence: &Evidence| calls(evidence).iter().filter(|call| **call == "iam:GetRole").count();
    assert_eq!((asked(&ran), asked(&never), asked(&rotates)), (0, 1, 1), "one call more, where no invocation shows it");
}

#[tokio::test]
async fn a_healthy_secret_costs_few_calls_and_shows_no_failure() {
    let world = World::of(HEALTHY).await;
    let evidence = world.look().await;
    assert!(evidence.rotation_config.found().unwrap().due.overdue_since.is_none());
    assert!(evidence.history.found().unwrap().complete);
    assert!(matches!(evidence.secret.found().unwrap().service_health, Observation::NotApplicable { .. }));
    assert!(calls(&evidence).len() <= 15, "{:?}", calls(&evidence));
}

#[tokio::test]
async fn a_partner_managed_rotation_is_looked_at_where_there_is_something_to_see_within_the_budget() {
    let evidence = World::of(include_str!("../config/scenarios/partner_role_allows_another_type.toml")).await.look().await;
    let (found, none) = ("found", "not_applicable");
    assert_eq!(statuses(&evidence), [found, found, none, none, found, found, none, found, found]);
    let role = evidence.role.found().unwrap();
    assert_eq!((role.simulations.status(), role.trust.status()), ("found", "found"));
    assert!(calls(&evidence).len() <= 16, "{:?}", calls(&evidence));
}

#[tokio::test]
async fn a_log_group_is_asked_about_only_where_rotation_fails_and_no_line_was_read() {
    const ASKED: &str = "logs:DescribeLogGroups";
    let delivered = World::of(include_str!("../config/scenarios/logs_delivered_elsewhere.toml")).await.look().await;
    assert!(calls(&delivered).contains(&ASKED));
    assert_eq!(delivered.log_group.found().and_then(|group| group.class.as_deref()), Some("DELIVERY"));
    for quiet in [BROKEN, HEALTHY] {
        assert!(!calls(&World::of(quiet).await.look().await).contains(&ASKED));
    }
}

#[tokio::test]
async fn each_refused_action_is_named_and_nothing_else_is_lost() {
    for (action, step) in [
        ("lambda:GetFunctionConfiguration", StepName::RotationFunction),
        ("logs:FilterLogEvents", StepName::FunctionLogs),
        ("iam:SimulatePrincipalPolicy", StepName::ExecutionRole),
        ("cloudwatch:GetMetricData", StepName::FunctionMetrics),
        ("secretsmanager:GetResourcePolicy", StepName::SecretAccess),
        ("lambda:GetPolicy", StepName::SecretAccess),
        ("lambda:GetFunctionConcurrency", StepName::RotationFunction),
    ] {
        let world = World::with(&format!("[[fault]]\noperation = \"{action}\"\ndeny = true\n")).await;
        let evidence = world.look().await;
        let seen = evidence.steps();
        let denied = seen.iter().find(|seen| seen.name == step).unwrap();
        assert!(denied.denials.iter().any(|denial| denial.action == action), "{action}: {:?}", denied.denials);
        assert_eq!(evidence.rotation_config.observation.status(), "found", "{action}");
    }
}

/// The broken rotation without a trail, and what it shows at first.
async fn without_trail(carol: &str) -> (World, Evidence) {
    let text = BROKEN.replace("[[trail]]\nname = \"organization\"\nlog_group = \"cloudtrail\"\n", "");
    let world = World::of(&text.replace("failing_since - 15m", carol)).await;
    let first = world.look().await;
    assert_eq!(first.changes.found().unwrap().source, EventSource::EventHistory);
    (world, first)
}

/// Step 9 again, for changes of these names: what it knows then, and the look-ups it sent.
async fn search(world: &World, first: Evidence, names: &[&str], most_look_ups: usize) -> (ConfigChanges, usize) {
    let sent = world.simulator.calls().len();
    let request = PlaybookRequest {
        rerun: Some((first, BTreeSet::from([StepName::ConfigChanges]))),
        change_events: names.iter().map(|name| (*name).to_owned()).collect(),
        most_look_ups,
        ..world.request()
    };
    let again = world.perform(&request).await;
    let calls = world.simulator.calls().split_off(sent);
    (again.changes.found().unwrap().clone(), calls.iter().filter(|call| call.operation == "LookupEvents").count())
}

fn unsearched(changes: &ConfigChanges) -> Vec<(&str, bool)> {
    changes.unsearched.iter().map(|one| (one.event.as_str(), one.is_needless)).collect()
}

#[tokio::test]
async fn a_search_for_changes_asks_for_the_function_once_and_tells_what_it_left_out() {
    let (world, first) = without_trail("failing_since - 15m").await;
    let known = first.changes.found().unwrap().changes.clone();
    assert!(known.iter().any(|change| change.event == "DetachRolePolicy"), "{known:?}");
    let function = ["RemovePermission20150331v2", "PutFunctionConcurrency20171031"];
    let others = ["RevokeSecurityGroupIngress", "PutResourcePolicy", "PutKeyPolicy", "DisableKey"];
    let (changes, look_ups) =
        search(&world, first, &[function, [others[0], others[1]], [others[2], others[3]]].concat(), 2).await;
    assert_eq!(look_ups, 2);
    let searched = ["RemovePermission20150331v2", "PutFunctionConcurrency20171031", "RevokeSecurityGroupIngress"];
    assert_eq!(changes.searched, searched);
    // The others were too many to ask for, so their absence is not claimed.
    assert_eq!(unsearched(&changes), [("PutResourcePolicy", false), ("PutKeyPolicy", false), ("DisableKey", false)]);
    assert!(!changes.complete);
    assert_eq!(changes.changes, known);
}

#[tokio::test]
async fn a_search_for_changes_ends_with_the_one_that_explains_the_failure() {
    let (world, first) = without_trail("failing_since - 5d").await;
    assert_eq!(first.changes.found().unwrap().changes, []);
    let names = ["DetachRolePolicy", "DeleteRolePolicy", "PutRolePolicy", "CreatePolicyVersion"];
    let (changes, look_ups) = search(&world, first, &names, 4).await;
    assert_eq!(look_ups, 2);
    assert_eq!(changes.changes.iter().map(|change| change.event.as_str()).collect::<Vec<_>>(), ["DetachRolePolicy"]);
    assert_eq!(unsearched(&changes), [("PutRolePolicy", true), ("CreatePolicyVersion", true)]);
    assert!(changes.complete);
}

#[tokio::test]
async fn a_refused_description_is_made_up_for_by_the_list() {
    let world = World::with("[[fault]]\noperation = \"secretsmanager:DescribeSecret\"\ndeny = true\n").await;
    let evidence = world.look().await;
    assert_eq!(evidence.secret.observation.status(), "found");
    assert!(evidence.secret.denials.iter().any(|denial| denial.action == "secretsmanager:DescribeSecret"));
    assert_eq!(evidence.function.observation.status(), "found");
}

#[tokio::test]
async fn throttled_once_is_answered_and_throttled_always_is_called_throttled() {
    let once = World::with("[[fault]]\noperation = \"lambda:GetPolicy\"\nthrottle = 1\n").await.look().await;
    assert_eq!(once.access.found().unwrap().function_policy.status(), "found");
    let always = World::with("[[fault]]\noperation = \"lambda:GetPolicy\"\nthrottle = \"always\"\n").await.look().await;
    assert_eq!(always.access.found().unwrap().function_policy.status(), "throttled");
}

#[tokio::test]
async fn a_service_that_never_answers_ends_its_step_at_the_deadline_only() {
    let world = World::with("[[fault]]\noperation = \"cloudwatch:GetMetricData\"\nhang = true\n").await;
    let request = PlaybookRequest { deadline_per_step: Duration::from_secs(3), ..world.request() };
    let evidence = world.perform(&request).await;
    assert_eq!(evidence.metrics.observation.status(), "timed_out");
    assert!(evidence.metrics.duration_ms >= 3_000);
    assert_eq!(evidence.rotation_config.observation.status(), "found");
}

#[tokio::test]
async fn at_the_total_deadline_the_steps_that_wait_are_timed_out() {
    let world = World::with("[[fault]]\noperation = \"lambda:GetFunctionConfiguration\"\nhang = true\n").await;
    let request = PlaybookRequest { total_deadline: Duration::from_secs(3), ..world.request() };
    let evidence = world.perform(&request).await;
    assert_eq!(evidence.rotation_config.observation.status(), "found");
    for status in [evidence.function.observation.status(), evidence.role.observation.status()] {
        assert_eq!(status, "timed_out");
    }
}

#[tokio::test]
async fn a_cut_answer_is_a_failure_and_no_panic() {
    for operation in [
        "secretsmanager:GetResourcePolicy",
        "lambda:GetFunctionConfiguration",
        "iam:SimulatePrincipalPolicy",
        "cloudwatch:GetMetricData",
    ] {
        let world = World::with(&format!("[[fault]]\noperation = \"{operation}\"\ntruncate_body = true\n")).await;
        let evidence = world.look().await;
        let failed = [
            evidence.access.found().map(|access| access.secret_policy.status()),
            Some(evidence.function.observation.status()),
            evidence.role.found().map(|role| role.simulations.status()),
            Some(evidence.metrics.observation.status()),
        ];
        assert!(failed.contains(&Some("failed")), "{operation}: {failed:?}");
    }
}

#[tokio::test]
async fn nothing_listening_is_a_failure_of_every_asking_step() {
    let world = World::of(HEALTHY).await;
    let options = AwsOptions::simulated("eu-west-1".parse().unwrap(), "http://127.0.0.1:1");
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let evidence = playbook::collect(&aws, &world.clock, &world.request(), &Ends::default()).await;
    assert_eq!(statuses(&evidence), ["failed"; 9]);
}

#[tokio::test]
async fn without_a_trail_the_event_history_tells_the_same_within_its_limit() {
    let without_trail = BROKEN.split("[[trail]]").next().unwrap();
    let world = World::of(without_trail).await;
    let evidence = world.look().await;
    let history = evidence.history.found().unwrap();
    assert_eq!(history.source, EventSource::EventHistory);
    assert_eq!(history.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Failed).count(), 3);
    let changes = &evidence.changes.found().unwrap().changes;
    assert!(changes.iter().any(|change| change.event == "DetachRolePolicy"), "{changes:?}");
}

#[tokio::test]
async fn a_secret_that_does_not_exist_stops_the_rest_and_offers_near_names() {
    let world = World::of(HEALTHY).await;
    let request = PlaybookRequest::new("prod/order-db".parse().unwrap(), Lookback::Day);
    let evidence = world.perform(&request).await;
    assert_eq!(evidence.secret.observation.status(), "no_data");
    assert_eq!(evidence.near_names, ["prod/orders-db"]);
    assert_eq!(statuses(&evidence)[2..], ["not_applicable"; 7]);
}

#[tokio::test]
async fn a_log_group_that_does_not_exist_is_said_so() {
    let world = World::of("title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"prod/db\"\nfunction = \"rotator\"\n[[function]]\nname = \"rotator\"\nlogs_exist = false\n").await;
    let evidence = world.look().await;
    match &evidence.logs.observation {
        Observation::NoData { searched } => assert_eq!(searched, "log group /aws/lambda/rotator does not exist"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn managed_rotation_has_no_function_by_design() {
    let rds = "title = \"t\"\nstory = \"s\"\n[[secret]]\nname = \"rds!db-1\"\nfunction = \"none\"\nowning_service = \"rds\"\n";
    let world = World::of(rds).await;
    let evidence = world.look().await;
    assert_eq!(evidence.secret.observation.status(), "found");
    assert_eq!(evidence.history.observation.status(), "found");
    for step in [StepName::RotationFunction, StepName::FunctionLogs, StepName::ExecutionRole, StepName::FunctionMetrics] {
        let seen = evidence.steps().into_iter().find(|seen| seen.name == step).unwrap();
        let because = "rds rotates this secret itself; there is no function by design";
        assert_eq!((seen.status, seen.missing), ("not_applicable", Some(because)), "{step}");
    }
}

#[tokio::test]
async fn a_rerun_of_one_step_keeps_the_others_and_asks_anew() {
    let world = World::of(BROKEN).await;
    let first = world.look().await;
    let before = world.simulator.calls().len();
    let again = PlaybookRequest { rerun: Some((first.clone(), BTreeSet::from([StepName::FunctionMetrics]))), ..world.request() };
    let second = world.perform(&again).await;
    let sent: Vec<_> = world.simulator.calls().into_iter().skip(before).map(|call| call.operation).collect();
    assert_eq!(sent, ["GetMetricData"]);
    assert_eq!((&second.secret, &second.logs, &second.changes), (&first.secret, &first.logs, &first.changes));
}

#[tokio::test]
async fn five_investigations_at_once_ask_shared_questions_once() {
    let world = World::of(BROKEN).await;
    let requests: Vec<_> = (0..5).map(|_| world.request()).collect();
    let evidence = futures::future::join_all(requests.iter().map(|request| world.perform(request))).await;
    assert!(evidence.iter().all(|evidence| statuses(evidence) == ["found"; 9]));
    let count = |operation: &str| world.simulator.calls().iter().filter(|call| call.operation == operation).count();
    for operation in ["GetFunctionConfiguration", "GetPolicy20150331", "SimulatePrincipalPolicy", "DescribeTrails"] {
        assert!(count(operation) <= 1, "{operation}: {}", count(operation));
    }
    assert_eq!(count("DescribeSecret"), 5);
}

#[tokio::test]
async fn pages_are_read_to_their_end_even_where_some_are_empty() {
    let world = World::of(&format!("{BROKEN}\n[pages]\nlogs = 5\nempty_logs = 1\niam = 2\nmetrics = 3\n")).await;
    let evidence = world.look().await;
    assert_eq!(
        evidence.history.found().unwrap().attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Failed).count(),
        3
    );
    let logs = evidence.logs.found().unwrap();
    assert!(
        logs.invocations.iter().any(|invocation| invocation.status == InvocationStatus::Failed),
        "{:?}",
        evidence.logs.summary
    );
}

#[tokio::test]
async fn more_pages_than_are_read_make_the_reading_incomplete_and_the_event_history_steps_in() {
    let world = World::of(&format!("{BROKEN}\n[pages]\nlogs = 1\n")).await;
    let evidence = world.perform(&PlaybookRequest { lookback: Lookback::Week, ..world.request() }).await;
    let logs = evidence.logs.found().unwrap();
    assert!(!logs.complete);
    assert!(evidence.logs.summary.ends_with("not all lines were read"), "{}", evidence.logs.summary);
    let history = evidence.history.found().unwrap();
    assert_eq!(history.source, EventSource::EventHistory);
    assert_eq!(history.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Failed).count(), 3);
    assert!(evidence.changes.found().unwrap().changes.iter().any(|change| change.event == "DetachRolePolicy"));
}

#[tokio::test]
async fn an_event_history_that_breaks_off_is_never_called_no_change() {
    let without_trail = BROKEN.split("[[trail]]").next().unwrap();
    let fault = "[[fault]]\noperation = \"cloudtrail:LookupEvents\"\nregion = \"us-east-1\"\nfail = 500\n";
    let world = World::of(&format!("{without_trail}\n{fault}")).await;
    let evidence = world.look().await;
    match &evidence.changes.observation {
        Observation::Found(changes) => assert!(!changes.complete),
        other => assert_eq!(other.status(), "failed"),
    }
}

/// A secret that rotated two days ago, and who read it.
fn read_by(readers: &str) -> String {
    format!(
        "title = \"Readers\"\nstory = \"Applications read a secret.\"\n[[secret]]\nname = \"prod/orders-db\"\nlast_rotated = \"-2d\"\n\
         [[function]]\nname = \"orders-rotator\"\n{readers}"
    )
}

const READERS: &str = r#"
[[reads]]
count = 30
every = "1h"
until = "-1h"
by = "orders-app/task-1"

[[reads]]
count = 3
every = "24h"
until = "-3d"
by = "legacy-report/i-0a1b2c3d"
by_arn = true

[[reads]]
count = 2
every = "1h"
until = "-1h 30m"
by = "carol"
denied = true

[[reads]]
count = 4
every = "1m"
until = "-2d"
by = "orders-rotator-role/orders-rotator"
"#;

/// Whoever read it, with the reads before and since its rotation, and whether it is known to have read since.
async fn readers(world: &World) -> (Observation<Consumers>, Vec<(String, u64, u64, Option<bool>, u64)>) {
    let evidence = world.look().await;
    let before = world.simulator.calls().len();
    let look = playbook::consumers(&world.aws, &world.clock, &evidence).await;
    assert_eq!(look.api_calls, world.simulator.calls().len() - before);
    assert!(look.api_calls <= 16, "{} calls", look.api_calls);
    assert!(world.simulator.violations().is_empty());
    let told = look.consumers.found().map(|consumers| {
        let of = |reader: &SecretReader| {
            let has = consumers.has_read_since(reader);
            (reader.principal.clone(), reader.reads_before, reader.reads_since, has, reader.denied)
        };
        consumers.readers.iter().map(of).collect()
    });
    (look.consumers, told.unwrap_or_default())
}

#[tokio::test]
async fn readers_are_told_by_what_they_did_since_the_rotation_and_the_rotation_is_not_one_of_them() {
    let expected = [
        ("role orders-app".to_owned(), 0, 30, Some(true), 0),
        ("user carol".to_owned(), 0, 0, Some(false), 2),
        ("role legacy-report".to_owned(), 3, 0, Some(false), 0),
    ];
    for trail in ["", "[[trail]]\nname = \"all\"\nlog_group = \"cloudtrail\"\n"] {
        let world = World::of(&format!("{}{trail}", read_by(READERS))).await;
        let (seen, told) = readers(&world).await;
        assert_eq!(told, expected, "{trail}");
        let seen = seen.found().unwrap();
        assert!(seen.is_whole_since && seen.rotated_at.is_some());
        assert_eq!(matches!(seen.source, EventSource::TrailLogGroup(_)), !trail.is_empty());
        assert!(!seen.versions.is_empty());
    }
}

#[tokio::test]
async fn of_a_secret_that_is_read_once_a_second_only_what_was_seen_is_told() {
    let busy = "[[reads]]\ncount = 20000\nevery = \"1s\"\nuntil = \"now\"\nby = \"orders-app/task-1\"\n";
    let legacy = "[[reads]]\ncount = 2\nevery = \"1h\"\nuntil = \"-3d\"\nby = \"legacy-report/task-2\"\n";
    let world = World::of(&read_by(&format!("{busy}{legacy}"))).await;
    let (seen, told) = readers(&world).await;
    let seen = seen.found().unwrap();
    assert!(!seen.is_whole_since);
    assert!(told.iter().all(|(_, _, _, has_read, _)| *has_read != Some(false)), "{told:?}");
    assert_eq!(
        told.first().map(|(name, _, since, has_read, _)| (name.as_str(), *since, *has_read)),
        Some(("role orders-app", 150, Some(true)))
    );
    // Three pages of fifty, the newest first.
    let newest = seen.seen.last().unwrap();
    assert_eq!(newest.from.to_string(), "2026-03-10T11:57:31Z");
}

#[tokio::test]
async fn without_events_nobody_is_said_to_read_or_not() {
    let world = World::of(&format!("{}[caller]\ndeny = [\"cloudtrail:*\"]\n", read_by(READERS))).await;
    let (seen, _) = readers(&world).await;
    assert_eq!(seen.missing().as_deref(), Some("permission cloudtrail:LookupEvents"));
}

#[tokio::test]
async fn the_code_is_fetched_only_where_it_is_asked_for() {
    let world = World::of(HEALTHY).await;
    let evidence = world.look().await;
    assert_eq!(evidence.function_code.status(), "not_applicable");
    assert!(!calls(&evidence).contains(&"lambda:GetFunction"));
    let request = PlaybookRequest { code: CodeChoice { fetch: true, local: None }, ..world.request() };
    let evidence = world.perform(&request).await;
    assert_eq!(evidence.function_code.status(), "found", "{:?}", evidence.function_code);
    assert!(calls(&evidence).contains(&"lambda:GetFunction"));
    assert!(calls(&evidence).len() <= 16, "{:?}", calls(&evidence));
}

#[tokio::test]
async fn a_package_that_breaks_off_costs_only_the_facts_about_the_code() {
    let world = World::of(HEALTHY).await;
    let broken = PlaybookRequest {
        code: CodeChoice { fetch: false, local: Some(Arc::new(b"PK no archive".to_vec())) },
        ..world.request()
    };
    let evidence = world.perform(&broken).await;
    assert_eq!(evidence.function_code.missing().as_deref(), Some("the package is no zip archive, or a broken one"));
    assert_eq!((evidence.function.observation.status(), evidence.logs.observation.status()), ("found", "found"));
}
