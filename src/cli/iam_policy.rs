//! `rotation-diag iam-policy`: the policy that what is enabled needs.

use super::failure::CommandError;
use super::{IamPolicy, read_config};
use crate::aws::permissions::{FEATURES, Feature, PolicyStatement, document, statements};
use crate::config::Config;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// The template of the role that is assumed in other accounts; its permissions are replaced by those that are needed.
const READER_ROLE: &str = include_str!("../../deploy/reader-role.yaml");

/// What stands above the statements of its policy.
const ABOVE: &str = "      Policies:\n        - PolicyName: rotation-diag\n          PolicyDocument:\n            Version: \"2012-10-17\"\n            Statement:\n";

/// What stands below them.
const BELOW: &str = "\nOutputs:\n";

pub(super) fn run(options: &IamPolicy) -> Result<ExitCode, CommandError> {
    let config = options.config.as_deref().map(read_config).transpose()?;
    let features = features(&options.features, config.as_ref());
    let printed = if options.account_role {
        reader_role(&statements(&features, &[], false))?
    } else {
        let (roles, names_the_asker) = config.as_ref().map(roles).unwrap_or_default();
        let policy = document(&statements(&features, &roles, names_the_asker));
        format!("{}\n", serde_json::to_string_pretty(&policy).map_err(CommandError::cannot_run)?)
    };
    std::io::stdout().lock().write_all(printed.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a name that `--for` takes.
pub(super) fn feature(name: &str) -> Result<&'static Feature, String> {
    FEATURES.iter().find(|feature| feature.name == name).ok_or_else(|| format!("the features are {}", names()))
}

/// What the help says of `--for`.
pub(super) fn help_of_features() -> String {
    let names = names();
    format!(
        "Only what these features need, separated by commas: {names} [default: what the configuration enables, or all but code]"
    )
}

fn names() -> String {
    FEATURES.iter().map(|feature| feature.name).collect::<Vec<_>>().join(", ")
}

/// Those asked for; else those the configuration enables; else those that are granted by default. In the table's order.
fn features(asked: &[&'static Feature], config: Option<&Config>) -> Vec<&'static Feature> {
    let is_wanted = |feature: &Feature| match config {
        _ if !asked.is_empty() => asked.iter().any(|one| one.name == feature.name),
        Some(config) => is_enabled(feature, config),
        None => feature.by_default,
    };
    FEATURES.iter().filter(|feature| is_wanted(feature)).collect()
}

fn is_enabled(feature: &Feature, config: &Config) -> bool {
    match feature.name {
        "code" => config.inspect_code,
        "alarms" => config.alarms.sns.is_some() || config.alarms.reconcile_every.is_some(),
        _ => true,
    }
}

/// The roles of the configured accounts, and whether any of them is told who asked.
fn roles(config: &Config) -> (Vec<String>, bool) {
    let roles = config.accounts.values().filter_map(|account| Some(account.role.as_ref()?.arn().as_str().to_owned()));
    (roles.collect(), config.accounts.values().any(|account| account.source_identity))
}

/// `deploy/reader-role.yaml` with these statements.
fn reader_role(statements: &[PolicyStatement]) -> Result<String, CommandError> {
    let torn = || CommandError::cannot_run("the template of the role has lost its policy: this is a mistake of this program");
    let (head, rest) = READER_ROLE.split_once(ABOVE).ok_or_else(torn)?;
    let (_, tail) = rest.split_once(BELOW).ok_or_else(torn)?;
    Ok(format!("{head}{ABOVE}{}{BELOW}{tail}", in_yaml(statements, 14)))
}

/// The statements as a list in YAML, `indent` spaces deep.
fn in_yaml(statements: &[PolicyStatement], indent: usize) -> String {
    let mut text = String::new();
    let indent = " ".repeat(indent);
    for one in statements {
        let _ = write!(text, "{indent}- Sid: {}\n{indent}  Effect: {}\n{indent}  Action:\n", one.sid, one.effect());
        for action in &one.actions {
            let _ = writeln!(text, "{indent}    - {action}");
        }
        let _ = writeln!(text, "{indent}  Resource: \"*\"");
    }
    text
}
