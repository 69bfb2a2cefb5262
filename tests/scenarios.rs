//! Every scenario file, played by the simulator, read through the real SDK over HTTP, judged by its `[expect]`, and shown on
//! every platform.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

#[path = "support/fake_discord/check.rs"]
#[expect(dead_code, reason = "threads have no name here")]
mod discord;
#[path = "support/fake_discord/reading.rs"]
#[expect(dead_code, reason = "the fake reads more of messages")]
mod reading;
#[path = "support/fake_slack/blocks.rs"]
mod slack;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use rotation_diag::app::PLATFORMS;
use rotation_diag::aws::{Aws, AwsOptions, Registry};
use rotation_diag::chat::compose::{self, AfterVerdict, Resolved};
use rotation_diag::chat::document::Part;
use rotation_diag::chat::{Message, Screen};
use rotation_diag::clock::Clock;
use rotation_diag::investigation::{Options, investigate};
use rotation_diag::model::{Cause, Confidence, Investigation, Outcome, PlatformName, Severity, StepName};
use rotation_diag::platforms;
use rotation_diag::playbook::Progress;
use rotation_diag::redact::SafeText;
use rotation_diag::report::{self, Report, outlook, wording};
use rotation_diag::simulator::{Expect, Scenario, Simulator};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How many scenarios are played at the same time; some wait for the limiter of `LookupEvents`.
const AT_ONCE: usize = 16;

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// When a scenario that insists on no time is played: at an hour of its own, so that the suite covers them all and every
/// run is the same. `HOUR` plays them all at that one.
fn usual_time(name: &str) -> Timestamp {
    let hour: i64 = std::env::var("HOUR").map_or_else(|_| name.bytes().map(i64::from).sum(), |hour| hour.parse().unwrap());
    "2026-11-24T00:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour % 24)
}

/// A scenario that was played to its end.
struct Played {
    name: &'static str,
    investigation: Investigation,
    /// What was said before its end.
    early: Vec<Investigation>,
    expect: Expect,
    /// Calls that nobody may make.
    violations: Vec<String>,
}

/// Keeps what is decided before the end.
#[derive(Default)]
struct EarlyVerdicts(Mutex<Vec<Investigation>>);

impl Progress for EarlyVerdicts {
    fn started(&self, _: StepName) {}
    fn finished(&self, _: StepName, _: &'static str, _: &str) {}
    fn is_waiting(&self) -> bool {
        true
    }
    fn decided_early(&self, investigation: &Investigation) {
        self.0.lock().unwrap().push(investigation.clone());
    }
}

/// All scenarios, or those that `SCENARIO` names, played once for all tests.
async fn played() -> &'static [Played] {
    static PLAYED: OnceCell<Vec<Played>> = OnceCell::const_new();
    let play_all = || async {
        let only = std::env::var("SCENARIO").ok();
        let scenarios: Vec<_> =
            Scenario::embedded().filter(|(name, _)| only.as_deref().is_none_or(|only| name.contains(only))).collect();
        assert!(!scenarios.is_empty());
        let plays = scenarios
            .into_iter()
            .map(|(name, text)| async move { tokio::spawn(play(name, text)).await.expect("a scenario plays without a panic") });
        futures::stream::iter(plays).buffer_unordered(AT_ONCE).collect().await
    };
    PLAYED.get_or_init(play_all).await
}

async fn play(name: &'static str, text: &str) -> Played {
    let scenario = Scenario::parse(text).unwrap();
    let expect = scenario.expect.clone().expect("a scenario says what is expected of it");
    let secret = expect.secret.clone().or_else(|| scenario.secret().map(str::to_owned)).unwrap();
    let region = scenario.region().to_owned();
    let clock = Clock::starting_at(scenario.now().unwrap_or_else(|| usual_time(name)));
    let simulator = Simulator::start(scenario, clock.now()).unwrap();
    let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let mut options = Options::new(secret.parse().unwrap());
    // A busy machine must not decide an outcome; where AWS never answers, the usual deadlines are what is tested.
    if !text.contains("hang = true") {
        (options.step_deadline, options.total_deadline) = (PATIENCE, PATIENCE);
    }
    options.code.fetch = expect.inspect_code;
    let early = EarlyVerdicts::default();
    let investigation = investigate(&aws, &clock, &options, &early).await;
    let early = early.0.into_inner().unwrap();
    let violations = simulator.violations().iter().map(|call| format!("{}:{}", call.service, call.operation)).collect();
    Played { name, investigation, early, expect, violations }
}

fn id(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn complaints(Played { investigation, expect, violations, .. }: &Played) -> Vec<String> {
    let diagnosis = &investigation.diagnosis;
    let mut complaints = Vec::new();
    let outcome = id(diagnosis.outcome);
    if outcome != expect.outcome {
        complaints.push(format!("the outcome is {outcome}, not {}", expect.outcome));
    }
    let first = diagnosis.findings.first();
    if let Some(cause) = &expect.cause {
        match first {
            Some(finding) if finding.cause.id() == cause => {}
            other => complaints.push(format!("the first finding is {:?}, not {cause}", other.map(|finding| finding.cause.id()))),
        }
    }
    if let (Some(confidence), Some(finding)) = (&expect.confidence, first)
        && id(finding.confidence) != *confidence
    {
        complaints.push(format!("{} is {}, not {confidence}", finding.cause, id(finding.confidence)));
    }
    for cause in &expect.not_cause {
        if diagnosis.findings.iter().any(|finding| finding.cause.id() == cause) {
            complaints.push(format!("{cause} was found"));
        }
    }
    for cause in &expect.inhibited {
        if !diagnosis.findings.iter().any(|finding| finding.cause.id() == cause && finding.inhibited_by.is_some()) {
            complaints.push(format!("{cause} is not listed as a symptom"));
        }
    }
    for cause in &expect.not_checked {
        if !diagnosis.not_checked.iter().any(|unchecked| unchecked.cause.id() == cause) {
            complaints.push(format!("{cause} is not among what could not be checked"));
        }
    }
    for cause in &expect.obstacles {
        if !diagnosis.forecast.obstacles.iter().any(|obstacle| obstacle.cause.id() == cause) {
            complaints.push(format!("{cause} is not foretold"));
        }
    }
    let code = investigation.evidence.function_code.status();
    if expect.code.as_ref().is_some_and(|expected| expected != code) {
        complaints.push(format!("the code was {code}"));
    }
    for finding in &diagnosis.findings {
        if finding.evidence.is_empty() && finding.severity > Severity::Info {
            complaints.push(format!("{} rests on nothing", finding.cause));
        }
    }
    complaints.extend(doubled_words(investigation));
    complaints.extend(faults_of_style(investigation));
    complaints.extend(violations.iter().map(|call| format!("{call} was called")));
    complaints
}

/// Words that stand twice in what the report says in its own words.
fn doubled_words(investigation: &Investigation) -> Vec<String> {
    let report = Report::new(investigation);
    let mut texts = vec![wording::headline(&report)];
    texts.extend(wording::context(&report).iter().map(rotation_diag::report::Phrase::in_utc));
    texts.extend(wording::also(&report).0);
    texts.extend(wording::next_looks(&report));
    texts.extend(wording::changes(&report).0);
    texts.extend(wording::ruled_out(&report).0);
    texts.extend(wording::not_checked(&report).0);
    texts.extend(report.steps.iter().map(wording::step_summary));
    for finding in &report.findings {
        texts.push(wording::what_happened(finding));
        texts.push(finding.remediation.summary.clone());
        texts.extend(finding.remediation.warning.clone());
    }
    let is_doubled = |text: &SafeText| {
        let words: Vec<&str> = text.split(' ').collect();
        words.windows(2).any(|pair| {
            let bare = pair[1].trim_end_matches(['.', ',', ';', ':']);
            bare == pair[0] && bare.len() > 1 && bare.chars().all(char::is_alphabetic)
        })
    };
    texts.retain(is_doubled);
    texts.iter().map(|text| format!("a word stands twice: {text}")).collect()
}

/// The most words of a sentence, up to a stop, a colon or a semicolon.
const MAX_WORDS: usize = 40;

/// What a reader on call stumbles over, as far as a machine finds it: see "How we write" in CONTRIBUTING.md.
fn faults_of_style(investigation: &Investigation) -> Vec<String> {
    let report = Report::new(investigation);
    let mut faults = Vec::new();
    let mut texts: Vec<String> =
        report.plan.iter().map(|step| step.effect.to_string()).chain(outlook::worth(&report).map(String::from)).collect();
    for finding in &report.findings {
        let (explanation, remedy) = (finding.explanation.to_string(), &finding.remediation);
        if wording::what_happened(finding).ends_with('…') {
            faults.push(format!("what happened is cut: {explanation}"));
        }
        let advice = [Some(remedy.summary.to_string()), remedy.warning.as_ref().map(ToString::to_string)];
        for text in advice.iter().flatten() {
            let is_long = |sentence: &&str| sentence.split_whitespace().count() > MAX_WORDS;
            let plain = text.replace(": ", ". ").replace("; ", ". ");
            faults.extend(plain.split(". ").filter(is_long).map(|sentence| format!("a sentence is too long: {sentence}")));
        }
        let uses = |client: &str| remedy.commands.iter().any(|command| command.contains(client));
        let told = advice.iter().flatten().cloned().collect::<String>();
        faults.extend(
            ["psql", "mysql", "sqlplus", "sqlcmd", "mongosh"]
                .into_iter()
                .filter(|client| told.contains(&format!("{client} takes")) && !uses(client))
                .map(|client| format!("{client} is explained, and no command uses it: {told}")),
        );
        texts.extend(advice.into_iter().flatten().chain([finding.title.to_string(), explanation]));
    }
    let one_of_many =
        regex::Regex::new(r"\b1 (?:attempts|rotations|invocations|secrets|changes|versions|statements|causes)\b").unwrap();
    for text in texts {
        let what = match &text {
            text if text.contains("[hidden") => "our own words are masked",
            text if text.contains("..") || text.contains(" .") || text.contains(".).") => "a stop too many",
            text if text.contains("  ") => "a space too many",
            text if one_of_many.is_match(text) => "one is counted as many",
            _ => continue,
        };
        faults.push(format!("{what}: {text}"));
    }
    faults
}

async fn scenario(name: &str) -> Investigation {
    let (name, text) = Scenario::embedded().find(|(own, _)| *own == name).unwrap();
    let played = play(name, text).await;
    assert_eq!(complaints(&played), [""; 0]);
    played.investigation
}

#[tokio::test(flavor = "multi_thread")]
async fn the_change_behind_a_failure_is_named_with_its_maker_and_what_it_did_however_long_before() {
    let rewritten = scenario("policy_rewritten_days_before").await;
    let told = &rewritten.diagnosis.findings[0].explanation;
    assert!(
        told.starts_with(
            "ci-terraform/run-77 (with Terraform) called PutRolePolicy on routes-rotator-role 5 days before the first failure, \
             and so took away secretsmanager:PutSecretValue"
        ),
        "{told}"
    );
    let closed = scenario("database_group_closed_by_range").await;
    let told = &closed.diagnosis.findings[0].explanation;
    assert!(
        told.starts_with("carol called RevokeSecurityGroupIngress on sg-0database 6 days before the first failure"),
        "{told}"
    );
    let step_9 = &closed.evidence.changes.summary;
    assert!(step_9.contains("1 change set aside: RevokeSecurityGroupIngress on sg-0bastion by carol"), "{step_9}");
    let partner = scenario("partner_role_names_another_region").await;
    let told = &partner.diagnosis.findings[0].explanation;
    assert!(told.contains("ci-terraform/run-77 (with Terraform) called UpdateAssumeRolePolicy"), "{told}");
    assert!(told.contains("us-west-2"), "{told}");
    for name in ["partner_role_names_another_region", "partner_rotation_role"] {
        let evidence = scenario(name).await.evidence;
        let statuses = [evidence.role.observation.status(), evidence.access.observation.status()];
        assert_eq!(statuses, ["found"; 2], "{name}: steps 5 and 8");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inconclusive_end_names_what_to_look_at_next_the_most_telling_first() {
    let blind = scenario("bot_without_logs").await;
    let report = Report::new(&blind);
    let looks = wording::next_looks(&report);
    assert!(looks[0].starts_with("allow logs:FilterLogEvents, and look again (this would settle "), "{looks:?}");
    assert!(report::text(&report, 110).contains("1. allow logs:FilterLogEvents"));
    let counts: Vec<usize> = blind.diagnosis.next_looks.iter().map(|look| look.decides.len()).collect();
    assert!(counts.is_sorted_by(|one, other| one >= other), "{counts:?}");
}

/// A scenario, where the report says something, and whether it says it.
type ReportExpectation = (&'static str, fn(&Report) -> String, &'static str, bool);

fn commands(report: &Report) -> String {
    report.plan.iter().map(|step| format!("{}\n", step.command)).collect()
}

fn remedy(report: &Report) -> String {
    let remedy = report.leading().map(|finding| &finding.remediation);
    let warning = remedy.and_then(|remedy| remedy.warning.as_ref()).map(ToString::to_string).unwrap_or_default();
    format!("{} {warning}", remedy.map(|remedy| remedy.summary.to_string()).unwrap_or_default())
}

fn happened(report: &Report) -> String {
    report.leading().map(wording::what_happened).unwrap_or_default().to_string()
}

fn effects(report: &Report) -> String {
    report.plan.iter().map(|step| format!("{}\n", step.effect)).collect()
}

fn needs(report: &Report) -> String {
    outlook::needs(report).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn proven(report: &Report) -> String {
    report.leading().into_iter().flat_map(|finding| &finding.evidence).map(|proof| format!("{}\n", proof.text)).collect()
}

fn headline(report: &Report) -> String {
    wording::headline(report).to_string()
}

fn summaries(report: &Report) -> String {
    report.steps.iter().map(|step| format!("{}\n", step.summary)).collect()
}

fn ways_back(report: &Report) -> String {
    outlook::undo(report).into_iter().map(|undo| format!("{undo}\n")).collect()
}

fn worth(report: &Report) -> String {
    outlook::worth(report).map(|worth| worth.to_string()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_advice_is_for_the_fault_that_was_seen_and_does_no_harm() {
    let expected: &[ReportExpectation] = &[
        // What was detached is attached again, and not written anew.
        ("role_detached_policy", commands, "attach-role-policy --role-name orders-rotator-role", true),
        ("role_detached_policy", commands, "put-role-policy", false),
        ("role_detached_policy", ways_back, "detach-role-policy", true),
        ("role_lost_two_policies", commands, "policy/ledger-write", true),
        ("role_lost_two_policies", commands, "policy/ledger-stage", true),
        ("role_lost_two_policies", worth, "nothing known stands in the way", true),
        // What a policy did not give, its loss did not take.
        ("role_lost_another_policy", commands, "attach-role-policy", false),
        ("role_lost_another_policy", commands, "put-role-policy", true),
        ("role_lost_another_policy", happened, "DetachRolePolicy", false),
        // What the role has already is not given to it again: the rest is the owner's.
        ("kms_key_of_another_account", commands, "put-role-policy", false),
        ("kms_key_of_another_account", remedy, "Ask the account 444455556666", true),
        ("kms_key_of_another_account", worth, "Rotate after that", true),
        ("current_label_moved_back", headline, "rotates, but AWSCURRENT was moved back to an older version", true),
        // What works today and fails next time is not healthy, and what fails beside it is another's.
        ("healthy_with_a_policy_that_would_deny", headline, "rotates, but the next rotation will fail", true),
        ("healthy_beside_a_failing_secret", headline, "is healthy", true),
        ("healthy_beside_a_failing_secret", summaries, "for other secrets", true),
        ("healthy_beside_a_failing_secret", summaries, "counted for every secret of the function", true),
        // No other account can use the AWS managed key.
        ("secret_policy_lacks_cross_account_allow", commands, "--kms-key-id NEW_KEY_ID", true),
        // There is no way back to what is gone.
        ("function_deleted", ways_back, "# nothing to go back to: the function", true),
        ("subnet_deleted", ways_back, "--vpc-config", false),
        ("runtime_updated_by_aws", ways_back, "--update-runtime-on Auto", true),
        // A person put it there, and the database has no password of it.
        ("pending_label_stuck", happened, "walter called PutSecretValue", true),
        ("pending_label_stuck", remedy, "only copy", false),
        ("managed_by_rds_without_its_key", commands, "--db-instance-identifier invoices --rotate-master-user-password", true),
        // No database is behind these.
        ("third_party_refuses_the_token", remedy, "in the database", false),
        ("cache_user_stays_in_modification", happened, "so the cache may have the pending password", true),
        // RDS's secrets are rotated by RDS: RotateSecret would be refused.
        ("managed_by_rds_failing", commands, "rotate-secret", false),
        ("managed_by_rds_without_its_key", commands, "rotate-secret", false),
        // No function, no role of Lambda's.
        ("partner_role_allows_another_type", worth, "Lambda", false),
        ("partner_role_allows_another_type", commands, "rotate-secret", true),
        // The pending version may have the only copy of a password, while nobody knows why the rotation failed.
        ("bot_without_logs", commands, "--remove-from-version-id", false),
        ("bot_may_only_describe", commands, "--remove-from-version-id", false),
        // KMS says no more of a disabled key than that access is not allowed.
        ("kms_key_disabled", headline, "is not rotating", true),
        ("kms_key_disabled", happened, "The next rotation will fail", false),
        // A handler does not mend a file that cannot be read, and may be the right one.
        ("syntax_error_deployed", commands, "--handler", false),
        ("describe_throttled_once", commands, "--handler", false),
        // Lambda refuses the subnet that is gone once more.
        ("subnet_deleted", commands, "SubnetIds=subnet-0b61", false),
        ("subnet_deleted", happened, "called DeleteSubnet on subnet-0b61", true),
        ("layer_taken_away", remedy, "put back the layer", true),
        ("layer_taken_away", proven, "Cannot find module", true),
        ("import_error_json", proven, "Unable to import module", true),
        // Code for the new runtime would fail on the old one.
        ("runtime_upgraded_under_the_bundle", commands, "--runtime python3.13", true),
        ("runtime_upgraded_under_the_bundle", commands, "update-function-code", false),
        // The plan takes the label off, so that nothing may say that it stays.
        ("rotation_through_a_proxy", remedy, "stays where it is", false),
        ("third_party_refuses_the_token", happened, "answered 401", true),
        ("third_party_unavailable", happened, "answered 503", true),
        ("third_party_unavailable", commands, "put-secret-value", false),
        // Each engine's own client sets the password, which is on no command line.
        ("sqlserver_login_failed", commands, "| sqlcmd -x -b", true),
        ("sqlserver_login_failed", remedy, "No command here does that", false),
        ("mongodb_authentication_failed", commands, "| mongosh --quiet \"$ADMIN_URI\"", true),
        ("transit_gateway_blackhole", commands, "replace-transit-gateway-route", false),
        (
            "transit_gateway_blackhole",
            commands,
            "create-transit-gateway-route --transit-gateway-route-table-id tgw-rtb-0f7",
            true,
        ),
        ("transit_gateway_of_another_account", commands, "transit-gateway-route", false),
        ("no_way_back_from_the_peered_vpc", commands, "create-route --route-table-id rtb-0a5data", true),
        ("postgres_password_refused", remedy, "No command here does that", false),
        // A replica is as it should be.
        ("replica_of_another_region", headline, "is not rotating", false),
        ("replica_of_another_region", worth, "next rotation", false),
        ("no_such_secret", worth, "next rotation", false),
        ("label_taken_away_in_a_race", happened, "less than a minute before the first failure", true),
        ("function_deleted", |report| wording::changes(report).0.iter().map(ToString::to_string).collect(), "(with ", false),
        ("two_access_keys_already", commands, "list-access-keys", true),
        // Whose session was refused is who has to be allowed.
        ("secret_policy_lacks_cross_account_allow", commands, "arn:aws:iam::444455556666:role/shared-rotation", true),
        // The version that was overwritten needs nobody to read a value.
        ("value_written_back_by_terraform", commands, "--version-stage AWSCURRENT --move-to-version-id", true),
        ("value_written_back_by_terraform", commands, "put-secret-value", false),
        // A package does not bring back a layer.
        ("layer_taken_away", commands, "list-versions-by-function", true),
        ("layer_taken_away", commands, "update-function-code", false),
        ("user_made_for_another_host", commands, "RENAME USER", true),
        ("user_made_for_another_host", remedy, "every address", true),
        ("trust_never_included_lambda", headline, "may not assume the function's role", true),
        ("trust_and_permission_both_lost", commands, "update-assume-role-policy", true),
        ("trust_and_permission_both_lost", commands, "put-role-policy", true),
        // What else the command changes at the same time.
        ("managed_by_rds_failing", remedy, "wait for the maintenance window", true),
        ("database_storage_full", remedy, "never takes storage back", true),
        // Not only the log shows these, or no function has one.
        ("concurrency_of_one", worth, "log", false),
        ("partner_token_outlived_by_its_interval", worth, "log", false),
        ("out_of_memory", worth, "nothing but the function's log", true),
        ("operator_may_not_rotate", worth, "passed by itself", false),
        // A partner's system rotates without a function.
        ("partner_token_expired", needs, "lambda:InvokeFunction", false),
        ("postgres_password_refused", needs, "lambda:InvokeFunction", true),
        // A client that no command uses, and words about another engine.
        ("failed_last_sunday", commands, "FROM pg_roles", true),
        ("postgres_password_refused", remedy, "mysql", false),
        ("mysql_snapshot_restored", remedy, "psql", false),
        ("sqlserver_login_failed", remedy, "made again", false),
        ("addresses_used_up", happened, "have no free address", true),
        ("third_party_refuses_the_token", happened, "answered 401 in setSecret", true),
        ("secret_lacks_password_key", effects, "saves the superuser's value", true),
        ("runtime_updated_by_aws", effects, "does not check", false),
    ];
    let mut faults = Vec::new();
    for played in played().await {
        let report = Report::new(&played.investigation);
        for (_, place, words, is_said) in expected.iter().filter(|(name, ..)| *name == played.name) {
            let text = place(&report);
            if text.contains(words) != *is_said {
                faults.push(format!("{}: {} {words:?}: {text}", played.name, if *is_said { "lacks" } else { "says" }));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_ends_as_its_file_expects() {
    let in_detail = std::env::var_os("SCENARIO").is_some();
    let mut failed = Vec::new();
    let mut verdicts = BTreeMap::<String, (usize, usize)>::new();
    for played in played().await {
        let complaints = complaints(played);
        let leading = played.investigation.diagnosis.findings.first().filter(|first| first.severity > Severity::Info);
        if let (Some(first), Some(cause)) = (leading, &played.expect.cause) {
            let (right, all) = verdicts.entry(id(first.confidence)).or_default();
            *right += usize::from(first.cause.id() == cause);
            *all += 1;
        }
        if !complaints.is_empty() {
            let detail = in_detail.then_some(&played.investigation);
            failed.push(format!("{}: {}\n{detail:#?}", played.name, complaints.join("; ")));
        }
    }
    for (confidence, (right, all)) in &verdicts {
        println!("of {all} verdicts called {confidence}, {right} are right");
    }
    failed.sort();
    assert!(failed.is_empty(), "{} scenarios end otherwise:\n{}", failed.len(), failed.join("\n"));
}

/// What the thread of an investigation hangs on, on each platform.
fn verdicts(investigation: &Investigation, after: &AfterVerdict) -> Vec<(PlatformName, Screen, Message)> {
    let id = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let report = Report::new(investigation).in_account(Some("prod"));
    let verdict = |screen| compose::verdict(&report, &id, 1, after, screen);
    let screens = PLATFORMS.iter().map(|kind| (kind.name(), kind.limits().screen));
    screens.map(|(platform, screen)| (platform, screen, verdict(screen))).collect()
}

fn messages(investigation: &Investigation) -> Vec<(String, Message)> {
    let report = Report::new(investigation);
    let verdicts = verdicts(investigation, &AfterVerdict::default()).into_iter();
    let verdicts = verdicts.map(|(platform, _, message)| (format!("verdict for {platform}"), message));
    let steps = StepName::ALL.map(|step| (step.label().to_owned(), compose::evidence(investigation, step)));
    let thoughts = compose::thoughts(&report, Screen::NARROWEST).into_iter();
    let thoughts = thoughts.filter_map(|thought| Some((thought.name.to_owned(), thought.message?)));
    let commands = compose::bare_commands(&report).map(|message| ("commands".to_owned(), message));
    verdicts.chain(thoughts).chain(commands).chain(steps).collect()
}

/// What an on-call engineer reads on a phone: no more than this in the message that stands in the channel.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_is_in_the_order_of_need_and_short_in_every_scenario() {
    let new = AfterVerdict::default();
    let shown = played()
        .await
        .iter()
        .flat_map(|played| verdicts(&played.investigation, &new).into_iter().map(move |of| (played.name, of.2)));
    for (name, message) in shown {
        let rank = |part: &Part| match part {
            Part::Facts(_) => 0,
            Part::Section { label, .. } if label.as_str() == "Did you mean" => 0,
            Part::Section { label, .. } if label.as_str() == "What happened" => 1,
            Part::Section { .. } | Part::Caution(_) | Part::Commands(_) | Part::Context(_) => 2,
            Part::Quotes { .. } => 3,
            other => panic!("{name}: {other:?} belongs into the thread"),
        };
        let ranks: Vec<u8> = message.parts.iter().map(rank).collect();
        let looks =
            message.parts.iter().filter(|part| matches!(part, Part::Section { label, .. } if label.as_str() == "Look next"));
        if looks.count() == 0 {
            assert!(ranks.is_sorted(), "{name}: {ranks:?}");
        }
        for part in &message.parts {
            match part {
                Part::Section { label, lines } if label.as_str() == "What happened" => {
                    assert!(lines.len() == 1 && lines[0].chars().count() <= 360, "{name}: {lines:?}");
                }
                Part::Quotes { quotes, .. } => assert_eq!(quotes.len(), 1, "{name}"),
                _ => {}
            }
        }
        assert!(message.controls.len() <= 7, "{name}");
    }
}

/// On a phone it is read without scrolling far, whatever became of it since, and no command is lost or torn: what it leaves out
/// stands directly beneath it.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_has_room_on_every_phone_and_the_rest_of_the_fix_stands_beneath_it() {
    let at: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
    let new = AfterVerdict::default();
    let watched = AfterVerdict { watched_since: Some(at), ..AfterVerdict::default() };
    let resolved = AfterVerdict { resolved: Some(Resolved { by: "the alarm orders-rotation".into(), at }), ..watched.clone() };
    let commands = |message: &Message| -> Vec<SafeText> {
        let commands = message.parts.iter().filter_map(|part| match part {
            Part::Commands(commands) => Some(commands.clone()),
            _ => None,
        });
        commands.flatten().collect()
    };
    let (mut tall, mut left_to_thread, mut shown_whole) = (Vec::new(), 0, 0);
    for Played { name, investigation, .. } in played().await {
        let report = Report::new(investigation).in_account(Some("prod"));
        let fix = compose::bare_commands(&report).map(|message| commands(&message)).unwrap_or_default();
        for after in [&new, &watched, &resolved] {
            for (platform, screen, message) in verdicts(investigation, after) {
                if !screen.has_room_for(&message) {
                    tall.push(format!("{name} on {platform}: {}", screen.height(&message)));
                }
                let shown = commands(&message);
                assert!(fix.starts_with(&shown), "{name} on {platform}: {shown:?}");
                if shown.len() < fix.len() {
                    left_to_thread += 1;
                    let first = compose::in_thread(&report, screen).into_iter().find_map(|thought| thought.message).unwrap();
                    assert!(first.title.starts_with("The whole fix"), "{name} on {platform}: {}", first.title);
                    assert!(commands(&first).starts_with(&fix), "{name} on {platform}: {first:?}");
                } else {
                    shown_whole += 1;
                }
            }
        }
    }
    assert!(tall.is_empty(), "{}", tall.join("\n"));
    assert!(std::env::var_os("SCENARIO").is_some() || (left_to_thread > 0 && shown_whole > 0), "{left_to_thread}, {shown_whole}");
}

/// Words that only ways back have which can cut applications off.
const CUTTING_OFF: [&str; 7] = [
    " update-secret-version-stage ",
    " kms disable-key ",
    " schedule-key-deletion ",
    " delete-secret ",
    " rds stop-db-",
    " --enable-dns-support '{\"Value\":false}'",
    " delete-vpc-endpoints ",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_can_cut_applications_off_says_so_and_no_other_does() {
    for Played { name, investigation, .. } in played().await {
        for step in Report::new(investigation).plan {
            let cuts_off = step.undo.as_ref().is_some_and(|undo| CUTTING_OFF.iter().any(|words| undo.contains(words)));
            assert_eq!(step.undo_caution.is_some(), cuts_off, "{name}: {step:?}");
        }
    }
}

/// A step is fine only where nothing rests on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_good_news_only_where_what_was_looked_at_is_fine() {
    let mut marks = BTreeSet::new();
    for Played { name, investigation, .. } in played().await {
        let report = Report::new(investigation);
        for step in &report.steps {
            let mark = step.mark.sign();
            marks.insert(mark);
            let is_proof = report.leading().is_some_and(|finding| finding.evidence.iter().any(|proof| proof.step == step.number));
            let is_info = report.leading().is_some_and(|finding| finding.severity == Severity::Info);
            match step.status {
                "found" | "no_data" if is_proof && !is_info => assert_eq!(mark, "✗", "{name}: {step:?}"),
                "found" => assert!(["✓", "✗", "⚠"].contains(&mark), "{name}: {step:?}"),
                "no_data" => assert!(["–", "✗", "⚠"].contains(&mark), "{name}: {step:?}"),
                "not_applicable" => assert_eq!(mark, "○", "{name}: {step:?}"),
                _ => assert_eq!(mark, "⚠", "{name}: {step:?}"),
            }
        }
        if *name == "healthy" {
            assert!(report.steps.iter().all(|step| !["✗", "⚠"].contains(&step.mark.sign())), "{:?}", report.steps);
        }
    }
    assert_eq!(marks.len(), 5, "{marks:?}");
}

/// What is said before event history has answered is never taken back: the end names the same cause, or nothing that stops a
/// secret which was called healthy.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_every_scenario_agrees_with_its_early_word() {
    let ending = |investigation: &Investigation| {
        let diagnosis = &investigation.diagnosis;
        let stops = diagnosis.findings.first().filter(|finding| finding.severity == Severity::Critical);
        let is_told = matches!(diagnosis.outcome, Outcome::RootCause | Outcome::Healthy);
        (is_told, stops.map(|finding| finding.cause))
    };
    let (mut with_early_word, mut confirmed, mut taken_back) = (0, 0, Vec::new());
    for Played { name, investigation, early, .. } in played().await {
        let root = investigation.diagnosis.findings.first();
        confirmed += usize::from(root.is_some_and(|root| root.confidence == Confidence::Confirmed));
        with_early_word += usize::from(!early.is_empty());
        for early in early {
            if ending(early) != ending(investigation) {
                taken_back.push(format!("{name}: {:?}, and in the end {:?}", ending(early), ending(investigation)));
            }
        }
    }
    assert!(taken_back.is_empty(), "{}", taken_back.join("\n"));
    assert!(std::env::var_os("SCENARIO").is_some() || with_early_word * 3 >= confirmed, "{with_early_word} of {confirmed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_makes_messages_that_every_platform_takes() {
    let (mut refused, mut shown) = (Vec::new(), 0);
    for played in played().await {
        for (what, message) in messages(&played.investigation) {
            shown += 1;
            let mut wrong = Vec::new();
            let slack = platforms::slack::render::message(&message, platforms::slack::render::Surface::Post);
            wrong.extend(slack::check(&serde_json::to_value(&slack.blocks).unwrap(), false).err());
            let discord = platforms::discord::fields(&message);
            wrong.extend(discord::body("POST", "/channels/{channel_id}/messages", &discord));
            wrong.extend(discord::message(&discord, &json!({ "parse": [] }), false));
            refused.extend(wrong.into_iter().map(|why| format!("{}: {what}: {why}", played.name)));
        }
    }
    assert_eq!(refused, Vec::<String>::new());
    // At least the verdict and what the nine steps found, and each of them.
    assert!(shown >= played().await.len() * (2 + StepName::ALL.len()), "{shown}");
}

/// Causes that lie in the configuration of the account, so that commands alone can mend them.
const CONFIGURATION: &[&str] = &[
    "aws_endpoint_unreachable",
    "db_network_unreachable",
    "db_not_available",
    "vpc_endpoint_policy_deny",
    "iam_explicit_deny",
    "iam_identity_policy_missing",
    "kms_access_denied",
    "kms_key_disabled_or_pending_deletion",
    "lambda_env_kms_denied",
    "lambda_eni_permission_missing",
    "lambda_function_missing",
    "lambda_inactive_transient",
    "lambda_invoke_permission_missing",
    "lambda_oom",
    "lambda_state_failed",
    "lambda_throttled_concurrency",
    "lambda_timeout_too_short",
    "permissions_boundary_or_scp_deny",
    "rotation_disabled",
    "rotation_never_enabled",
    "rotation_no_lambda_arn",
    "schedule_wrong_or_overdue",
    "secret_marked_for_deletion",
    "secret_no_current_value",
    "secret_resource_policy_deny",
    "secret_resource_policy_missing_allow",
    "stuck_awspending",
];

/// What a person has to fill in, or write into a file, after the command before it has told them.
const FILLED_IN: &[&str] = &[
    "NEW_FUNCTION_ARN",
    "FUNCTION_ARN",
    "BOUNDARY_ARN",
    "NEW_SUBNET_ID",
    // The superuser's secret is asked of the value, which a simulated account does not hold.
    ".masterarn",
    "file://key-policy.json",
    "file://fixed-policy.json",
    "file://endpoint-policy.json",
    "DATABASE_SECURITY_GROUP",
    "DATABASE_PORT",
    "ENDPOINT_SECURITY_GROUP",
    "FUNCTION_SECURITY_GROUP",
    "NAT_GATEWAY_ADDRESS",
    "NAT_GATEWAY_ID",
    "VPCE_ID",
    "VPC_ID",
];

/// What became of a plan that was carried out.
enum Carried {
    Healed,
    /// What stayed in the way is what the report had said.
    AsForetold,
    /// Somebody has to say what cannot be known.
    NeedsAPerson,
    Failed(String),
}

async fn investigated(simulator: &Simulator, secret: &str, region: &str, at: Timestamp) -> Investigation {
    let clock = Clock::starting_at(at);
    let options = AwsOptions::simulated(region.parse().unwrap(), simulator.endpoint_url());
    let aws = Aws::connect(&options, &Registry::default()).await.unwrap();
    let mut options = Options::new(secret.parse().unwrap());
    (options.step_deadline, options.total_deadline) = (PATIENCE, PATIENCE);
    investigate(&aws, &clock, &options, &()).await
}

/// Diagnoses, carries the printed commands out, rotates, and diagnoses again.
async fn carry_out(name: &str, text: &str) -> Carried {
    let scenario = Scenario::parse(text).unwrap();
    let expect = scenario.expect.clone().unwrap();
    let secret = expect.secret.clone().or_else(|| scenario.secret().map(str::to_owned)).unwrap();
    let region = scenario.region().to_owned();
    let now = scenario.now().unwrap_or_else(|| usual_time(name));
    let simulator = Simulator::start(scenario, now).unwrap();
    let before = investigated(&simulator, &secret, &region, now).await;
    let plan = before.diagnosis.plan;
    if plan.steps.iter().any(|step| FILLED_IN.iter().any(|word| step.command.contains(word))) {
        return Carried::NeedsAPerson;
    }
    for step in &plan.steps {
        if let Err(answer) = simulator.carry_out(&step.command) {
            return Carried::Failed(format!("{answer}: {}", step.command));
        }
    }
    let arn = before.evidence.secret.found().map(|secret| secret.arn.arn().as_str().to_owned()).unwrap_or_default();
    let rotated = simulator.rotate(&arn);
    if let (Err(_), Some(false)) = (&rotated, plan.heals) {
        return if plan.remaining.is_empty() { Carried::Failed("nothing was foretold".to_owned()) } else { Carried::AsForetold };
    }
    if let Err(why) = rotated {
        return Carried::Failed(format!("{why}, after {:#?}", plan.steps));
    }
    let after = investigated(&simulator, &secret, &region, now + SignedDuration::from_mins(1)).await.diagnosis;
    match id(after.outcome).as_str() {
        "healthy" => Carried::Healed,
        outcome => Carried::Failed(format!("{outcome}, {:?}", after.findings.first().map(|finding| &finding.explanation))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_commands_mend_what_is_configured_wrongly() {
    let only = std::env::var("SCENARIO").ok();
    let of_configuration = |text: &str| {
        let cause = Scenario::parse(text).unwrap().expect.unwrap().cause;
        cause.is_some_and(|cause| CONFIGURATION.contains(&cause.as_str()))
    };
    let scenarios: Vec<_> = Scenario::embedded()
        .filter(|(name, text)| only.as_deref().is_none_or(|only| name.contains(only)) && of_configuration(text))
        .collect();
    assert!(only.is_some() || scenarios.len() >= 35, "{} scenarios", scenarios.len());
    let (mut healed, mut foretold, mut asked, mut failed) = (0, Vec::new(), Vec::new(), Vec::new());
    let mut plays = futures::stream::iter(scenarios)
        .map(|(name, text)| async move { (name, tokio::spawn(carry_out(name, text)).await.unwrap()) })
        .buffer_unordered(AT_ONCE);
    while let Some((name, carried)) = plays.next().await {
        match carried {
            Carried::Healed => healed += 1,
            Carried::AsForetold => foretold.push(name),
            Carried::NeedsAPerson => asked.push(name),
            Carried::Failed(why) => failed.push(format!("{name}: {why}")),
        }
    }
    let tried = healed + failed.len();
    let share = 100.0 * healed as f64 / tried.max(1) as f64;
    println!(
        "{healed} of {tried} plans healed ({share:.1} %); as foretold, not mended: {foretold:?}; a person has to say something: \
         {asked:?}"
    );
    assert!(share >= 98.0, "{share:.1} %:\n{}", failed.join("\n"));
}

#[test]
fn every_cause_of_the_catalogue_leads_in_a_scenario() {
    let expected: Vec<Expect> = Scenario::embedded()
        .map(|(name, text)| Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}")).expect.unwrap())
        .collect();
    assert!(expected.len() >= 45, "{} scenarios", expected.len());
    for outcome in ["root_cause", "healthy", "inconclusive", "not_found"] {
        assert!(expected.iter().any(|expect| expect.outcome == outcome), "no scenario ends {outcome}");
    }
    let led: Vec<&str> = expected.iter().filter_map(|expect| expect.cause.as_deref()).collect();
    for cause in &led {
        assert!(Cause::from_id(cause).is_some(), "{cause} is not in the catalogue");
    }
    let missing: Vec<_> = Cause::ALL.iter().filter(|cause| !cause.is_line_label() && !led.contains(&cause.id())).collect();
    assert!(missing.is_empty(), "no scenario is led by {missing:?}");
}
