//! The configuration file: accounts by name, what may be asked about, how long it may take.
//!
//! `config/rotation-diag.toml` documents every key. Unknown keys are refused, and all problems are told at once.

mod agents;
mod alarms;
mod databases;
mod network;
mod pattern;
mod platform;
pub(crate) mod reader;
mod rules;
mod serve;
mod store;
mod token;

pub use agents::{AGENTS, AGENTS_CHANNEL, AGENTS_WORKSPACE, AgentAccess, Agents};
pub use alarms::{AlarmMapping, AlarmPattern, AlarmRoute, Alarms, Callee, QuietHours, Sns, Topic};
pub use databases::SecretDatabases;
pub use network::TrustedNetwork;
pub use pattern::SecretPattern;
pub use platform::{Misplaced, PlatformConfig, PlatformConfigs, PlatformTable};
pub use reader::{Reader, Section};
pub use rules::{AccessRule, Ids};
pub use serve::{Http, MetricsServer, Traces, Work};
pub use store::{StoreFile, StoreServer};
pub use token::{LiveToken, MIN_LENGTH as MIN_TOKEN_LENGTH, Token, TokenSource, UnreadTokens, beside, keep_renewed};

use crate::model::{AccountId, Arn, PlatformName, Region, RoleArn};
use reader::Problem;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeTable;

/// The largest file that is read, in bytes; one with a thousand accounts is far smaller.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration file that was read and makes sense.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The region, where nothing else names one.
    pub default_region: Option<Region>,
    /// The account, where none is asked for.
    pub default_account: Option<String>,
    /// The secrets that may be asked about; empty means all.
    pub allowed_secrets: Vec<SecretPattern>,
    /// How long one step may take.
    pub step_deadline: Option<Duration>,
    /// How long an investigation may take.
    pub total_deadline: Option<Duration>,
    /// Whether the rotation function's code is fetched and looked at.
    pub inspect_code: bool,
    /// Accounts by the name people give them.
    pub accounts: BTreeMap<String, Account>,
    /// Which databases the secrets are for.
    pub databases: SecretDatabases,
    /// Who may do what; nobody may do anything that no rule allows.
    pub allow: Vec<AccessRule>,
    /// Who may not, whatever allows it.
    pub deny: Vec<AccessRule>,
    /// Where `serve` listens.
    pub http: Http,
    /// Whether it says so itself: then `serve` has to listen there, also where nothing but its health is asked for.
    pub http_is_asked_for: bool,
    /// Where `serve` answers what it counted, if anywhere.
    pub metrics: Option<MetricsServer>,
    /// Where `serve` sends traces, if anywhere.
    pub traces: Option<Traces>,
    /// Where `serve` keeps what must survive.
    pub store: StoreFile,
    /// How much `serve` does at once.
    pub work: Work,
    pub platforms: PlatformConfigs,
    /// Other agents, where they are answered over HTTP.
    pub agents: Option<Agents>,
    /// Alarms: whom to believe, where to tell them.
    pub alarms: Alarms,
}

/// An account, and how to look into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    pub account_id: Option<AccountId>,
    /// The role to assume.
    pub role: Option<RoleArn>,
    /// What the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Whether the role is told who asked, as the session's source identity.
    pub source_identity: bool,
    /// The regions that may be looked at, the preferred one first; empty means any.
    pub regions: Vec<Region>,
}

impl Account {
    /// True when it is the account with this id.
    #[must_use]
    pub fn has_id(&self, id: &str) -> bool {
        let of_role = || self.role.as_ref().map(|role| role.arn().account_id());
        self.account_id.as_deref().or_else(of_role) == Some(id)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {why}", path.display())]
    Unreadable {
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It has mistakes; all of them, each with its line.
    #[error("{}", Mistakes(path, problems))]
    Mistaken {
        path: PathBuf,
        /// Line number and mistake.
        problems: Vec<(usize, String)>,
    },
}

struct Mistakes<'a>(&'a Path, &'a [(usize, String)]);

impl fmt::Display for Mistakes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistakes(path, problems) = self;
        let count = if problems.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", problems.len()) };
        write!(f, "the configuration file {} has {count}", path.display())?;
        problems.iter().try_for_each(|(line, text)| write!(f, "\n  line {line}: {text}"))
    }
}

impl Config {
    /// Reads the file at `path`, in which there may be the tables of these platforms. `env:NAME` instead of a path is the text
    /// in that environment variable, for platforms that hand out no files.
    ///
    /// # Errors
    /// [`ConfigError`], with all mistakes at once.
    pub fn read<T: PlatformTable + ?Sized>(path: &Path, tables: &[&T]) -> Result<Config, ConfigError> {
        let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
        if let Some(name) = path.to_str().and_then(|path| path.strip_prefix("env:")) {
            let text = std::env::var(name).map_err(|_| unreadable(format!("the environment variable {name} is not set")))?;
            return Config::parse(&text, tables).map_err(|problems| ConfigError::Mistaken { path: path.to_owned(), problems });
        }
        let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if length > MAX_BYTES {
            return Err(unreadable(format!("it has {length} bytes, and more than {MAX_BYTES} are not read")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Config::parse(&text, tables).map_err(|problems| ConfigError::Mistaken { path: path.to_owned(), problems })
    }

    /// Reads a configuration, in which there may be the tables of these platforms.
    ///
    /// # Errors
    /// Every mistake, with its line.
    pub fn parse<T: PlatformTable + ?Sized>(text: &str, tables: &[&T]) -> Result<Config, Vec<(usize, String)>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = Reader::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            reader.problem(error.span().unwrap_or_default(), error.message());
        }
        let config = if errors.is_empty() { read_root(&reader, table.get_ref(), tables) } else { Config::default() };
        let problems = reader.into_problems();
        if problems.is_empty() {
            return Ok(config);
        }
        Err(problems.into_iter().map(|Problem { line, text }| (line, text)).collect())
    }

    /// True when `name` may be asked about.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.allowed_secrets.is_empty() || self.allowed_secrets.iter().any(|pattern| pattern.matches(name))
    }
}

fn read_root<T: PlatformTable + ?Sized>(reader: &Reader<'_>, table: &DeTable<'_>, tables: &[&T]) -> Config {
    let names: Vec<PlatformName> = tables.iter().map(|table| table.name()).collect();
    let root = Section::root(reader, table);
    let mut config = Config {
        default_region: root.get("default_region", |value| reader::text(value).and_then(region)),
        default_account: root.get("default_account", reader::text),
        allowed_secrets: root
            .get("allowed_secrets", |value| reader::texts(value, secret_pattern))
            .unwrap_or_default()
            .iter()
            .map(|pattern| SecretPattern::new(pattern))
            .collect(),
        ..Config::default()
    };
    if let Some(deadlines) = root.section("deadlines") {
        let seconds = |key, most| deadlines.get(key, |value| reader::number(value, 1..=most)).map(Duration::from_secs);
        config.step_deadline = seconds("step_seconds", 300);
        config.total_deadline = seconds("total_seconds", 900);
        deadlines.finish();
    }
    if let Some(code) = root.section("function_code") {
        config.inspect_code = code.get("inspect", reader::boolean).unwrap_or(false);
        code.finish();
    }
    for (name, section) in root.sections("accounts") {
        config.accounts.insert(name, read_account(reader, section));
    }
    config.databases = databases::read(&root);
    config.platforms = PlatformConfigs::read(tables, reader, &root);
    let mut routes = Vec::new();
    if let Some(section) = root.section("alarms") {
        (config.alarms, routes) = alarms::read(section, &names);
    }
    if let Some(name) = config.default_account.as_ref().filter(|name| !config.accounts.contains_key(*name)) {
        reader.problem(root.span("default_account"), format!("`default_account`: there is no table [accounts.{name}]"));
    }
    config.agents = agents::read(&root);
    let askers: Vec<PlatformName> = names.iter().copied().chain([AGENTS]).collect();
    (config.allow, config.deny) = rules::read(&root, &askers);
    config.http = serve::http(&root, reader);
    config.http_is_asked_for = root.has("http");
    config.metrics = serve::metrics(&root);
    config.traces = serve::traces(&root);
    if config.metrics.is_some_and(|metrics| metrics.listen.port() != 0 && metrics.listen == config.http.listen) {
        root.problem("metrics", "`listen` must be another address than `http.listen`: metrics are not for whoever calls there");
    }
    config.store = store::store(&root);
    // What was taken is known as long as it is stored; after that a copy of it would count as new.
    if config.alarms.sns.as_ref().is_some_and(|sns| sns.max_age >= config.store.retention) {
        root.problem("alarms", "`sns.max_age_minutes` must be shorter than `store.retention_days`, or a copy would count as new");
    }
    config.work = serve::work(&root);
    alarms::check_routes(&config, &root, reader, &routes, &names);
    root.finish();
    config
}

fn read_account(reader: &Reader<'_>, section: Section<'_>) -> Account {
    let account = Account {
        account_id: section.get("account_id", |value| reader::text(value).and_then(account_id)),
        role: section.get("role_arn", |value| {
            let arn = Arn::parse(&reader::text(value)?).map_err(|error| error.to_string())?;
            RoleArn::try_from(arn).map_err(|error| error.to_string())
        }),
        external_id: section.get("external_id", |value| reader::text(value).and_then(external_id)),
        source_identity: section.get("source_identity", reader::boolean).unwrap_or_default(),
        regions: section.get("regions", |value| reader::texts(value, region)).unwrap_or_default(),
    };
    if let (Some(id), Some(role)) = (&account.account_id, &account.role)
        && *id != role.arn().account_id()
    {
        reader.problem(section.span("role_arn"), format!("`role_arn`: this role is in another account than {id}"));
    }
    for (key, is_set) in [("external_id", account.external_id.is_some()), ("source_identity", account.source_identity)] {
        if is_set && account.role.is_none() {
            reader.problem(section.span(key), format!("`{key}`: is only valid together with `role_arn`"));
        }
    }
    section.finish();
    account
}

fn region(text: String) -> Result<Region, String> {
    let parsed = text.parse().ok().filter(Region::is_specific);
    parsed.ok_or_else(|| format!("expected a region such as eu-west-1, found {text:?}"))
}

fn account_id(text: String) -> Result<AccountId, String> {
    text.parse().map_err(|_| "expected an account id of twelve digits, in quotes".to_owned())
}

/// Source: STS API reference, `AssumeRole`, parameter `ExternalId`.
fn external_id(text: String) -> Result<String, String> {
    let shaped = (2..=1224).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c));
    if shaped { Ok(text) } else { Err("expected 2 to 1224 letters, digits and _+=,.@:/- characters".to_owned()) }
}

fn secret_pattern(text: String) -> Result<String, String> {
    let shaped = !text.is_empty() && crate::model::is_secret_name(&text.replace('*', "x"));
    if shaped { Ok(text) } else { Err(format!("expected a secret's name in which * stands for anything, found {text:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../config/rotation-diag.toml");

    #[test]
    fn the_example_file_parses_and_says_what_it_documents() {
        let config = Config::parse(EXAMPLE, crate::app::PLATFORMS).unwrap();
        let prod = &config.accounts["prod"];
        assert_eq!(config.default_region.as_deref(), Some("eu-west-1"));
        assert_eq!(config.default_account.as_deref(), Some("prod"));
        assert_eq!(config.step_deadline, Some(Duration::from_secs(10)));
        assert_eq!(config.total_deadline, Some(Duration::from_secs(60)));
        assert!(!config.inspect_code);
        assert_eq!(prod.account_id.as_deref(), Some("123456789012"));
        assert_eq!(prod.role.as_ref().map(RoleArn::name), Some("rotation-diag-reader"));
        assert_eq!(prod.external_id.as_deref(), Some("rotation-diag-prod"));
        assert_eq!(prod.regions, ["eu-west-1", "us-east-1"]);
        assert!(config.allows("prod/orders-db") && !config.allows("test/orders-db"));
    }

    #[test]
    fn an_empty_file_means_the_standard_aws_configuration() {
        for text in ["", "\u{feff}# nothing\n"] {
            assert_eq!(format!("{:?}", Config::parse(text, crate::app::PLATFORMS).unwrap()), format!("{:?}", Config::default()));
        }
        assert!(Config::default().allows("anything"));
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_lines() {
        let text = "default_regoin = \"eu-west-1\"\n\
                    default_account = \"nowhere\"\n\
                    allowed_secrets = \"prod/*\"\n\
                    [deadlines]\n\
                    step_seconds = 0\n\
                    total_seconds = \"1m\"\n\
                    [accounts.prod]\n\
                    account_id = 123456789012\n\
                    role_arn = \"arn:aws:s3:::bucket\"\n\
                    external_id = \"x\"\n\
                    regions = [\"eu-west-1\", \"Ireland\"]\n\
                    token = \"x\"\n";
        let problems = Config::parse(text, crate::app::PLATFORMS).unwrap_err();
        let listed: Vec<String> = problems.iter().map(|(line, text)| format!("{line}: {text}")).collect();
        assert_eq!(
            listed,
            [
                "1: unknown key `default_regoin`; did you mean `default_region`?",
                "2: `default_account`: there is no table [accounts.nowhere]",
                "3: `allowed_secrets`: expected a list of texts, found a string",
                "5: `deadlines.step_seconds`: expected a whole number from 1 to 300",
                "6: `deadlines.total_seconds`: expected a whole number from 1 to 900",
                "8: `accounts.prod.account_id`: expected a text in quotes, found an integer",
                "9: `accounts.prod.role_arn`: expected an ARN of an IAM role: arn:aws:iam::account:role/name",
                "10: `accounts.prod.external_id`: expected 2 to 1224 letters, digits and _+=,.@:/- characters",
                "11: `accounts.prod.regions`: expected a region such as eu-west-1, found \"Ireland\"",
                "12: unknown key `accounts.prod.token`",
            ]
        );
    }

    #[test]
    fn a_syntax_error_and_a_duplicate_key_have_their_lines_too() {
        let problems =
            Config::parse("default_region = \"eu-west-1\"\ndefault_region = \"eu-west-2\"\n[deadlines\n", crate::app::PLATFORMS)
                .unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3], "{problems:?}");
    }

    #[test]
    fn a_role_of_another_account_is_refused() {
        let text = "[accounts.a]\naccount_id = \"123456789012\"\nrole_arn = \"arn:aws:iam::210987654321:role/r\"\n";
        assert_eq!(
            Config::parse(text, crate::app::PLATFORMS).unwrap_err(),
            [(3, "`role_arn`: this role is in another account than 123456789012".to_owned())]
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/nowhere/rotation-diag.toml"), crate::app::PLATFORMS).unwrap_err();
        assert!(error.to_string().starts_with("the configuration file /nowhere/rotation-diag.toml cannot be read: "));
    }
}
