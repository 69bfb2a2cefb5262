//! `rotation-diag diagnose`: one secret, against AWS.

use super::failure::CommandError;
use super::progress::StepLines;
use super::{Diagnose, Format, ReportOptions, interrupt, output, package, pasted};
use crate::aws::{AssumeRole, Aws, AwsOptions, ConnectError, Registry, SessionOwner};
use crate::clock::Clock;
use crate::config::{Account, Config};
use crate::investigation::{Options, investigate};
use crate::model::{Investigation, Outcome, Region, SecretRef};
use crate::playbook::CodeChoice;
use crate::report::Report;
use std::process::ExitCode;

/// What the options and the configuration come to.
#[derive(Debug)]
pub(super) struct DiagnoseSetup {
    pub(super) aws: AwsOptions,
    pub(super) account_name: Option<String>,
    pub(super) investigation: Options,
}

pub(super) fn run(options: &Diagnose) -> Result<ExitCode, CommandError> {
    let words = options.account.as_deref().into_iter().chain(options.region.as_deref()).chain(options.secret.as_deref());
    pasted::refuse(words)?;
    if let (None, Some(path)) = (&options.secret, &options.code) {
        return package::run(options, path);
    }
    let config = match &options.config {
        Some(path) => Config::read(path, crate::app::PLATFORMS).map_err(|error| CommandError::Usage(error.to_string()))?,
        None => Config::default(),
    };
    let plan = plan(options, &config)?;
    interrupt::or(async {
        let aws = connect(&plan.aws, &Registry::default()).await?;
        let (_, report) = look(&aws, &Clock::system(), &plan.investigation, options.report.format).await?;
        let report = report.in_account(plan.account_name.as_deref());
        show(&report, &options.report)?;
        Ok(if options.exit_code { status(report.outcome) } else { ExitCode::SUCCESS })
    })
}

/// Clients for the place that was asked for.
pub(super) async fn connect(options: &AwsOptions, registry: &Registry) -> Result<Aws, CommandError> {
    Aws::connect(options, registry).await.map_err(|error| unconnected(error, options))
}

/// Where there are no credentials, the profile that was asked for is the first suspect.
fn unconnected(error: ConnectError, options: &AwsOptions) -> CommandError {
    let profile = options.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok()).filter(|name| !name.is_empty());
    match (error, profile) {
        (ConnectError::NoCredentials, Some(name)) => CommandError::CannotRun(format!(
            "the AWS profile {name:?} gives no credentials: `aws configure list-profiles` shows the profiles there are, \
             `aws sso login --profile {name}` signs in"
        )),
        (ConnectError::NoRegion, _) => CommandError::CannotRun(
            "no AWS region is set: pass --region, or set AWS_REGION, default_region in the configuration, or the profile's region"
                .to_owned(),
        ),
        (error, _) => CommandError::cannot_run(error),
    }
}

/// Investigates with the steps shown live.
///
/// # Errors
/// As [`reported`].
pub(super) async fn look(
    aws: &Aws,
    clock: &Clock,
    options: &Options,
    format: Format,
) -> Result<(Investigation, Report), CommandError> {
    let lines = StepLines::new();
    let investigation = investigate(aws, clock, options, &lines).await;
    drop(lines);
    reported(aws, investigation, format).await
}

/// An investigation and its report.
///
/// # Errors
/// [`CommandError::CannotRun`] when AWS did not answer, or the credentials do not work or may see nothing at all. A program
/// that asked for JSON gets the report on what may not be seen.
pub(super) async fn reported(
    aws: &Aws,
    investigation: Investigation,
    format: Format,
) -> Result<(Investigation, Report), CommandError> {
    let report = Report::new(&investigation);
    let report = if report.saw_nothing() { why_nothing(aws, report, format).await? } else { report };
    Ok((investigation, report))
}

/// Where nothing was answered: bad credentials, no way to AWS, no permission at all, or a report that has to say more.
async fn why_nothing(aws: &Aws, report: Report, format: Format) -> Result<Report, CommandError> {
    match aws.verify().await {
        Ok(_) => {}
        // Whoever is refused by name is known.
        Err(ConnectError::Refused { reason }) if reason.starts_with("AccessDenied") => {}
        Err(ConnectError::Credentials { .. }) => {
            let first = report.steps.first().map(|step| step.summary.as_str()).unwrap_or_default();
            let (first, region) = (first.trim_start_matches("not checked: "), report.secret.region.as_str());
            // A service that refused the credentials did answer.
            return Err(CommandError::CannotRun(match first.contains("our own") {
                true => first.to_owned(),
                false => {
                    format!("AWS does not answer in {region} ({first}): check the network, the region and AWS_ENDPOINT_URL")
                }
            }));
        }
        Err(error) => return Err(CommandError::cannot_run(error)),
    }
    let actions: Vec<&str> = report.missing_permissions().iter().map(|missing| missing.action.as_str()).collect();
    if actions.is_empty() || format == Format::Json {
        return Ok(report);
    }
    Err(CommandError::CannotRun(format!(
        "these AWS credentials may not look at anything here: allow {}; deploy/iam-policy.json lists all that is needed",
        actions.join(", ")
    )))
}

/// Writes the report to where it was asked for.
pub(super) fn show(report: &Report, options: &ReportOptions) -> Result<(), CommandError> {
    output::write(report, options)
}

fn status(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::RootCause | Outcome::NotFound => ExitCode::from(3),
        Outcome::Inconclusive => ExitCode::from(4),
        Outcome::Healthy => ExitCode::SUCCESS,
    }
}

/// Decides where and as whom to look, and refuses what the configuration does not allow, before anything is asked.
pub(super) fn plan(options: &Diagnose, config: &Config) -> Result<DiagnoseSetup, CommandError> {
    let name = options.account.clone().or_else(|| config.default_account.clone());
    let account = match &name {
        Some(name) => Some(config.accounts.get(name).ok_or_else(|| unknown_account(name, config))?),
        None => None,
    };
    let unrestricted = Account::default();
    let account = account.unwrap_or(&unrestricted);
    let asked = options.secret.as_deref().unwrap_or_default();
    let secret = asked.parse::<SecretRef>().map_err(|error| CommandError::Usage(format!("SECRET: {error}")))?;
    check_secret(&secret, config, account)?;
    let region = region(options, &secret, config, account)?;
    let mut investigation = Options::new(secret);
    investigation.database = options.database.clone().or_else(|| config.databases.of(&investigation.asked).cloned());
    investigation.lookback = options.window;
    investigation.steps = options.steps.iter().copied().collect();
    investigation.step_deadline = config.step_deadline.unwrap_or(investigation.step_deadline);
    investigation.total_deadline = config.total_deadline.unwrap_or(investigation.total_deadline);
    investigation.consumers = options.consumers;
    let local = options.code.as_deref().map(package::read).transpose()?;
    investigation.code = CodeChoice { fetch: options.inspect_code || config.inspect_code, local };
    let assume_role = account.role.as_ref().map(|role| AssumeRole {
        role_arn: role.arn().as_str().to_owned(),
        external_id: account.external_id.clone(),
        // Whoever set this variable is named beside them, by the credentials the role is assumed with.
        owner: std::env::var("USER").ok().filter(|name| !name.is_empty()).map(|name| SessionOwner::person("terminal", &name)),
        names_the_owner: account.source_identity,
    });
    let aws = AwsOptions { region, profile: options.profile.clone(), assume_role, ..AwsOptions::default() };
    Ok(DiagnoseSetup { aws, account_name: name, investigation })
}

fn unknown_account(name: &str, config: &Config) -> CommandError {
    let known: Vec<&str> = config.accounts.keys().map(String::as_str).collect();
    CommandError::Usage(match known.as_slice() {
        [] => format!("the account {name:?} is not configured: pass --config FILE with a table [accounts.{name}]"),
        known => format!("the account {name:?} is not configured: there are {}", known.join(", ")),
    })
}

fn check_secret(secret: &SecretRef, config: &Config, account: &Account) -> Result<(), CommandError> {
    let allowed = match secret {
        SecretRef::Name(name) => config.allows(name),
        SecretRef::Arn(arn) => config.allows(arn.name()) || config.allows(arn.resource_name()),
    };
    if !allowed {
        return Err(CommandError::Usage(format!("`allowed_secrets` of the configuration does not cover {secret}")));
    }
    match (secret, &account.account_id) {
        (SecretRef::Arn(arn), Some(id)) if arn.arn().account_id() != *id => Err(CommandError::Usage(format!(
            "the secret's ARN belongs to account {}, but the chosen account is {id}",
            arn.arn().account_id()
        ))),
        _ => Ok(()),
    }
}

/// The region by the closest word: the option, the secret's ARN, the account, the configuration; else AWS's own ways.
fn region(options: &Diagnose, secret: &SecretRef, config: &Config, account: &Account) -> Result<Option<Region>, CommandError> {
    let of_arn = secret.region();
    if let (Some(asked), Some(of_arn)) = (&options.region, &of_arn)
        && asked != of_arn
    {
        return Err(CommandError::Usage(format!("the secret's ARN is in region {of_arn}, but --region says {asked}")));
    }
    let region = options.region.as_ref().or(of_arn.as_ref()).or(account.regions.first()).or(config.default_region.as_ref());
    match region {
        Some(region) if !account.regions.is_empty() && !account.regions.contains(region) => Err(CommandError::Usage(format!(
            "the configuration allows this account only in {}, not in {region}",
            account.regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ")
        ))),
        region => Ok(region.cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, CliCommand};
    use clap::Parser as _;

    const CONFIG: &str = include_str!("../../config/rotation-diag.toml");
    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/orders-db-AbCdEf";

    fn planned(arguments: &str, config: &str) -> Result<DiagnoseSetup, CommandError> {
        let words = ["rotation-diag", "diagnose"].into_iter().chain(arguments.split(' '));
        let CliCommand::Diagnose(options) = Cli::parse_from(words).command else { panic!("not diagnose") };
        plan(&options, &Config::parse(config, crate::app::PLATFORMS).unwrap())
    }

    #[test]
    fn without_a_configuration_aws_decides() {
        let plan = planned("prod/orders-db", "").unwrap();
        assert_eq!((plan.aws.region, plan.aws.profile, plan.aws.assume_role, plan.account_name), (None, None, None, None));
        assert_eq!(plan.investigation.lookback, None);
    }

    #[test]
    fn an_account_brings_its_role_its_external_id_and_its_first_region() {
        let plan = planned("prod/orders-db --window 7d --step 4 --step 6", CONFIG).unwrap();
        assert_eq!(plan.aws.region.as_deref(), Some("eu-west-1"));
        let role = plan.aws.assume_role.unwrap();
        assert_eq!(role.role_arn, "arn:aws:iam::123456789012:role/rotation-diag-reader");
        assert_eq!(role.external_id.as_deref(), Some("rotation-diag-prod"));
        assert_eq!(plan.account_name.as_deref(), Some("prod"));
        assert_eq!(plan.investigation.steps.len(), 2);
        assert_eq!(plan.investigation.lookback, Some(crate::model::Lookback::Week));
    }

    #[test]
    fn the_database_is_the_options_or_else_the_configurations() {
        let named = |arguments| planned(arguments, CONFIG).unwrap().investigation.database.map(|database| database.to_string());
        assert_eq!(named("prod/orders-db").as_deref(), Some("orders"));
        assert_eq!(named("prod/orders-db --database archive").as_deref(), Some("archive"));
        assert_eq!(named(ARN).as_deref(), Some("orders"));
    }

    #[test]
    fn an_arn_decides_the_region() {
        assert_eq!(planned(ARN, CONFIG).unwrap().aws.region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn what_the_configuration_does_not_allow_is_refused_before_anything_is_asked() {
        let other_account = ARN.replace("123456789012", "210987654321");
        for (arguments, expected) in [
            ("test/orders-db".to_owned(), "`allowed_secrets` of the configuration does not cover test/orders-db"),
            ("prod/orders-db --region ap-south-1".to_owned(), "only in eu-west-1, us-east-1, not in ap-south-1"),
            ("prod/orders-db --account stage".to_owned(), "the account \"stage\" is not configured: there are prod"),
            (other_account, "the secret's ARN belongs to account 210987654321"),
            (format!("{ARN} --region eu-west-1"), "the secret's ARN is in region us-east-1, but --region says eu-west-1"),
        ] {
            let Err(CommandError::Usage(why)) = planned(&arguments, CONFIG) else { panic!("{arguments} was not refused") };
            assert!(why.contains(expected), "{arguments}: {why}");
        }
    }

    #[test]
    fn an_account_without_a_configuration_says_where_it_belongs() {
        let Err(CommandError::Usage(why)) = planned("x --account prod", "") else { panic!("not refused") };
        assert_eq!(why, "the account \"prod\" is not configured: pass --config FILE with a table [accounts.prod]");
    }
}
