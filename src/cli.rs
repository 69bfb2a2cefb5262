//! Commands and their output in the terminal: the report on standard output, everything else on standard error.

mod audit;
mod backup;
mod check;
mod completions;
mod demo;
mod diagnose;
mod evidence;
mod explain;
mod failure;
mod forecast;
mod health;
mod help;
mod iam_policy;
mod interrupt;
mod logging;
mod mcp;
mod migrate_store;
mod output;
mod package;
mod package_files;
mod pasted;
mod progress;
mod question;
mod runtime;
mod serve;
mod simulate;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use failure::CommandError;
use jiff::SignedDuration;
use logging::{LogFormat, LogLevel};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::aws::permissions::Feature;
use crate::config::Config;
use crate::function_code;
use crate::model::{DatabaseRef, Lookback, Region, StepName};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "rotation-diag", version, about = help::ABOUT, long_about = help::LONG_ABOUT, after_long_help = help::AFTER)]
#[command(propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    /// Log the calls to AWS to standard error; RUST_LOG selects more finely
    #[arg(long, short, global = true)]
    verbose: bool,
    /// The form of the log
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t, env = "ROTATION_DIAG_LOG_FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Find out why one secret is not rotating
    #[command(long_about = help::DIAGNOSE, after_long_help = help::DIAGNOSE_AFTER)]
    Diagnose(Box<Diagnose>),
    /// Foretell the next rotation of a secret: what will stop it
    #[command(long_about = help::FORECAST, after_long_help = help::FORECAST_AFTER)]
    Forecast(ForecastArgs),
    /// Show everything that one step of an investigation saw
    #[command(long_about = help::EVIDENCE, after_long_help = help::EVIDENCE_AFTER)]
    Evidence(EvidenceArgs),
    /// Say what log lines on standard input mean, one JSON object per line
    #[command(long_about = help::EXPLAIN, after_long_help = help::EXPLAIN_AFTER)]
    Explain(Explain),
    /// Diagnose a broken secret of a simulated AWS account; needs no account and no credentials
    #[command(long_about = help::DEMO, after_long_help = help::DEMO_AFTER)]
    Demo(DemoArgs),
    /// Run the bot
    #[command(long_about = help::SERVE, after_long_help = help::SERVE_AFTER)]
    Serve(Serve),
    /// Answer other agents over standard input and output, by the Model Context Protocol
    #[command(long_about = help::MCP, after_long_help = help::MCP_AFTER)]
    Mcp(McpArgs),
    /// Say what is missing before the bot can work
    #[command(long_about = help::CHECK, after_long_help = help::CHECK_AFTER)]
    Check(Check),
    /// Show who asked for what, and what was decided
    #[command(long_about = help::AUDIT, after_long_help = help::AUDIT_AFTER)]
    Audit(Audit),
    /// Print the IAM policy that the bot needs
    #[command(long_about = help::IAM_POLICY, after_long_help = help::IAM_POLICY_AFTER)]
    IamPolicy(IamPolicy),
    /// Ask a running bot whether it is alive, or ready
    #[command(long_about = help::HEALTH, after_long_help = help::HEALTH_AFTER)]
    Health(HealthArgs),
    /// Copy the store into a file, while the bot may run
    #[command(long_about = help::BACKUP, after_long_help = help::BACKUP_AFTER)]
    Backup(Backup),
    /// Move the store from its file into a PostgreSQL database, while no bot runs
    #[command(long_about = help::MIGRATE_STORE, after_long_help = help::MIGRATE_STORE_AFTER)]
    MigrateStore(MigrateStore),
    /// Print a completion script for a shell
    #[command(after_long_help = help::COMPLETIONS_AFTER)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages and completion scripts below a prefix such as /usr/local, for packages
    #[command(hide = true)]
    PackageFiles {
        /// The prefix
        #[arg(value_name = "PREFIX")]
        prefix: PathBuf,
    },
    /// Run the simulated AWS account in the foreground, for other clients
    #[command(hide = true)]
    Simulate {
        /// The name of a scenario that ships with the program, or a file
        #[arg(long, value_name = "NAME_OR_FILE")]
        scenario: String,
    },
}

#[derive(Debug, Default, Args)]
struct Diagnose {
    /// The secret's name or ARN
    // Read by `diagnose`: clap repeats what it refuses, and this may be a value.
    #[arg(value_name = "SECRET", required_unless_present = "code")]
    secret: Option<String>,
    /// The region to look in [default: the ARN's, the configuration's, AWS_REGION or the profile's]
    #[arg(long)]
    region: Option<Region>,
    /// An account of the configuration file
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// How far back to look: 24h, 7d, 30d or 90d [default: 24h, wider while nothing explains the failure]
    #[arg(long, value_name = "WINDOW")]
    window: Option<Lookback>,
    /// Perform only this playbook step, 1 to 9, and those it depends on; may be repeated
    #[arg(long = "step", value_name = "N", value_parser = step)]
    steps: Vec<StepName>,
    /// The database the secret is for: an identifier of RDS, its ARN, or a host with its port [default: the configuration's]
    #[arg(long, value_name = "DATABASE")]
    database: Option<DatabaseRef>,
    #[command(flatten)]
    report: ReportOptions,
    /// Exit with 3 if a root cause was found, and with 4 if the diagnosis is inconclusive
    #[arg(long)]
    exit_code: bool,
    /// The profile of the AWS configuration to use [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A configuration file: accounts, deadlines, allowed secrets
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: Option<PathBuf>,
    /// Fetch the rotation function's package and look at its code, without running it
    #[arg(long)]
    inspect_code: bool,
    /// Look up who reads the secret, and who has not since it rotated
    #[arg(long)]
    consumers: bool,
    /// Look at the code in this zip file, in the place of what is deployed; without SECRET, at nothing else
    #[arg(long, value_name = "FILE")]
    code: Option<PathBuf>,
    /// Without SECRET: the runtime the code is for [default: python3.13 or nodejs22.x]
    #[arg(long, value_name = "NAME", requires = "code", conflicts_with = "secret", value_parser = readable_runtime)]
    runtime: Option<String>,
    /// Without SECRET: the code's handler [default: lambda_function.lambda_handler or index.handler]
    #[arg(long, value_name = "NAME", requires = "code", conflicts_with = "secret")]
    handler: Option<String>,
    /// Without SECRET: the processor the code is for [default: x86_64]
    #[arg(long, value_name = "NAME", requires = "code", conflicts_with = "secret", value_parser = ["x86_64", "arm64"])]
    architecture: Option<String>,
}

/// A secret, and where and as whom to look for it.
#[derive(Debug, Args)]
struct SubjectOptions {
    /// The secret's name or ARN
    #[arg(value_name = "SECRET")]
    secret: String,
    /// The region to look in [default: the ARN's, the configuration's, AWS_REGION or the profile's]
    #[arg(long)]
    region: Option<Region>,
    /// An account of the configuration file
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The profile of the AWS configuration to use [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A configuration file: accounts, deadlines, allowed secrets
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Text)]
    format: AnswerFormat,
}

#[derive(Debug, Args)]
struct ForecastArgs {
    #[command(flatten)]
    subject: SubjectOptions,
}

#[derive(Debug, Args)]
struct EvidenceArgs {
    #[command(flatten)]
    subject: SubjectOptions,
    /// The playbook step, 1 to 9; those it depends on are performed too
    #[arg(long, value_name = "N", value_parser = step)]
    step: StepName,
    /// How far back to look: 24h, 7d, 30d or 90d [default: 24h]
    #[arg(long, value_name = "WINDOW")]
    window: Option<Lookback>,
}

#[derive(Debug, Args)]
struct McpArgs {
    /// Answer out of the simulated accounts of the demo; needs no account and no credentials
    #[arg(long, conflicts_with = "profile")]
    demo: bool,
    /// The profile of the AWS configuration to use [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A configuration file: accounts, deadlines, allowed secrets
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Explain {
    /// The id of a cause to be explained, instead of log lines
    #[arg(value_name = "CAUSE")]
    cause: Option<String>,
    /// List the ids of all causes
    #[arg(long, conflicts_with = "cause")]
    list: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = ExplainFormat::Lines)]
    format: ExplainFormat,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// A secret or a scenario to diagnose; `--list` shows them
    #[arg(value_name = "SECRET")]
    secret: Option<String>,
    /// List what can be tried
    #[arg(long, conflicts_with_all = ["secret", "format", "output", "page", "port"])]
    list: bool,
    /// Serve the web console even if the output is not a terminal, or the report goes to a file
    #[arg(long)]
    page: bool,
    /// Print the report and exit
    #[arg(long, conflicts_with_all = ["page", "port"])]
    no_page: bool,
    /// The port of the web console on 127.0.0.1; another free one if it is taken
    #[arg(long, value_name = "PORT", default_value_t = 7171)]
    port: u16,
    #[command(flatten)]
    report: ReportOptions,
}

#[derive(Debug, Args)]
struct Serve {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct Check {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: PathBuf,
    /// The form of what is found
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// A table, for a terminal
    Text,
    /// One JSON object, for programs
    Json,
}

#[derive(Debug, Args)]
struct IamPolicy {
    #[arg(
        long = "for",
        value_name = "FEATURES",
        value_delimiter = ',',
        value_parser = iam_policy::feature,
        help = iam_policy::help_of_features()
    )]
    features: Vec<&'static Feature>,
    /// The configuration file: what it enables, and the roles of its accounts
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: Option<PathBuf>,
    /// Print a CloudFormation template of the role that the bot assumes in another account
    #[arg(long)]
    account_role: bool,
}

#[derive(Debug, Args)]
struct HealthArgs {
    /// The configuration file, which says where the bot listens
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: PathBuf,
    /// Ask whether a command would be answered, and not only whether the process lives
    #[arg(long)]
    ready: bool,
}

#[derive(Debug, Args)]
struct Backup {
    /// The configuration file, which names the store
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: PathBuf,
    /// The file to write; it must not exist yet
    #[arg(value_name = "FILE")]
    copy: PathBuf,
}

#[derive(Debug, Args)]
struct MigrateStore {
    /// The file that holds the store
    #[arg(value_name = "SQLITE_FILE")]
    file: PathBuf,
    /// The empty database, without a password: postgres://user@host/name
    #[arg(value_name = "POSTGRES_URL")]
    url: String,
    /// Where the database's password is, as in the configuration: env:NAME or file:/path
    #[arg(long, value_name = "SOURCE")]
    password: Option<String>,
    /// A certificate authority that may vouch for the database, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Audit {
    /// The configuration file, which names the store
    #[arg(long, value_name = "FILE", env = "ROTATION_DIAG_CONFIG")]
    config: PathBuf,
    /// Only what happened within this time, such as 2h, 7d or 30m
    #[arg(long, value_name = "SPAN")]
    since: Option<SignedDuration>,
    /// The most lines to show; the newest ones where there are more
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: u32,
    /// The form of the lines
    #[arg(long, value_enum, default_value_t = AuditFormat::Text)]
    format: AuditFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnswerFormat {
    /// For a terminal
    Text,
    /// One JSON object, for programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// One JSON object per line of the log; of a cause, its page
    Lines,
    /// One JSON object in all, as agents are given it
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AuditFormat {
    /// For a terminal
    Text,
    /// One JSON object per line, for programs
    Json,
}

/// Reads the configuration; what is wrong with it is a matter of usage.
fn read_config(path: &Path) -> Result<Config, CommandError> {
    Config::read(path, crate::app::PLATFORMS).map_err(|error| CommandError::Usage(error.to_string()))
}

#[derive(Debug, Default, Args)]
struct ReportOptions {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Text,
    /// One JSON object, for programs
    Json,
    /// For a ticket
    Markdown,
}

fn step(text: &str) -> Result<StepName, String> {
    text.parse().ok().and_then(StepName::from_number).ok_or_else(|| "a playbook step is a number from 1 to 9".to_owned())
}

fn readable_runtime(text: &str) -> Result<String, String> {
    let expected = "code is looked at for Python and Node.js only: a runtime such as python3.13 or nodejs22.x is expected";
    function_code::is_readable(text).then(|| text.to_owned()).ok_or_else(|| expected.to_owned())
}

/// The definition of the command line, for help, completions and documentation.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name. The result is the exit status.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return pasted::refused(&error, std::env::args_os().skip(1)).report(),
    };
    let level = match cli.command {
        _ if cli.verbose => LogLevel::Verbose,
        CliCommand::Serve(_) => LogLevel::Operator,
        _ => LogLevel::Quiet,
    };
    logging::start(level, cli.log_format);
    let ended = match cli.command {
        CliCommand::Diagnose(options) => diagnose::run(&options),
        CliCommand::Forecast(options) => forecast::run(&options),
        CliCommand::Evidence(options) => evidence::run(&options),
        CliCommand::Explain(options) => explain::run(&options),
        CliCommand::Demo(options) => demo::run(&options),
        CliCommand::Serve(options) => serve::run(&options),
        CliCommand::Mcp(options) => mcp::run(&options),
        CliCommand::Check(options) => check::run(&options),
        CliCommand::Audit(options) => audit::run(&options),
        CliCommand::IamPolicy(options) => iam_policy::run(&options),
        CliCommand::Health(options) => health::run(&options),
        CliCommand::Backup(options) => backup::run(&options),
        CliCommand::MigrateStore(options) => migrate_store::run(&options),
        CliCommand::PackageFiles { prefix } => package_files::run(&prefix),
        CliCommand::Completions { shell } => completions::run(shell),
        CliCommand::Simulate { scenario } => simulate::run(&scenario),
    };
    logging::finish();
    ended.unwrap_or_else(CommandError::report)
}
