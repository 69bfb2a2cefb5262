//! The printed commands, carried out in the simulated account.

use super::*;

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
