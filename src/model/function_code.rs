//! What a rotation function's code shows without being run: names and kinds alone, never its text.

use super::rotation_step::RotationStep;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was read from a function's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCode {
    pub source: CodeSource,
    /// The file of the handler, by its path in the package.
    pub handler_file: HandlerPart,
    /// The function of the handler in that file.
    pub handler_function: HandlerPart,
    /// What does not parse, among the files that load with the handler.
    pub syntax_errors: Vec<CodePlace>,
    /// The four rotation steps, in order.
    pub steps: Vec<StepCode>,
    /// The official template it was made from, where it was made from one.
    pub template: Option<TemplateMark>,
    /// Modules that load with the handler, or inside it, and are nowhere.
    pub missing_modules: Vec<MissingModule>,
    /// Compiled modules that the function cannot load.
    pub misfits: Vec<CompiledMisfit>,
    /// Environment variables it cannot do without, by name.
    pub required_environment: Vec<String>,
    /// The longest time it waits for one connection, in milliseconds.
    pub connect_timeout_ms: Option<u64>,
    /// What of it could not be looked at, for people; with any, absence proves nothing.
    pub unread: Vec<String>,
}

/// Where the package came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeSource {
    /// Lambda's copy of what is deployed.
    Deployed,
    /// A file of whoever asks.
    LocalFile,
}

impl CodeSource {
    /// What was asked or read, as `service:Operation` where it was asked.
    #[must_use]
    pub const fn call(self) -> &'static str {
        match self {
            CodeSource::Deployed => "lambda:GetFunction",
            CodeSource::LocalFile => "the package given with --code",
        }
    }
}

/// A part of the entry point that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlerPart {
    /// It is there: by its path or name.
    Found(String),
    /// It is not there: the path or name that was looked for.
    Missing(String),
    /// It cannot be told, such as where a module defines its names as it runs.
    Untold,
}

impl HandlerPart {
    /// The path or name that is not there.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match self {
            HandlerPart::Missing(name) => Some(name),
            HandlerPart::Found(_) | HandlerPart::Untold => None,
        }
    }
}

/// A place in the package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodePlace {
    /// The path in the package.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

impl fmt::Display for CodePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)
    }
}

/// What the code does when Secrets Manager asks for one rotation step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCode {
    pub step: RotationStep,
    pub does: StepBody,
    /// Where that stands.
    pub place: Option<CodePlace>,
}

/// What a rotation step's code comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepBody {
    /// More than raising or passing.
    Works,
    OnlyRaises,
    /// Nothing at all.
    OnlyPasses,
    /// The code tells the other steps apart and has none for this one.
    Absent,
    /// It cannot be told.
    Untold,
}

/// A module that the code imports and that is neither in the package, nor in a layer, nor part of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingModule {
    /// As the code names it.
    pub name: String,
    /// Where it is imported.
    pub place: CodePlace,
    /// True where that line runs as the handler loads; otherwise it runs inside a rotation.
    pub at_load: bool,
    /// Why it is missing, where more is known than that it is not there.
    pub because: Option<MissingReason>,
}

/// Why a module is missing that once was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// Python removed it from its standard library.
    LeftTheLibrary,
    /// Lambda's runtime does not bring it any more.
    LeftTheRuntime,
    /// Its compiled file is for another interpreter.
    BuiltForAnother,
}

/// A compiled module that does not fit the function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompiledMisfit {
    /// The path in the package.
    pub file: String,
    /// What it was built for, such as `python3.9`, `arm64` or `macOS`.
    pub built_for: String,
    /// What the function is.
    pub runs_on: String,
    /// True where the handler cannot load without it.
    pub is_loaded: bool,
}

/// The official rotation template a function was made from.
///
/// Source: github.com/aws-samples/aws-secrets-manager-rotation-lambdas and its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateMark {
    /// Such as `PostgreSQL`; `generic` for the one that has to be filled in.
    pub engine: String,
    /// True where it alternates between two users.
    pub is_multi_user: bool,
    /// It has what was published then, as `2021-12`.
    pub not_before: Option<String>,
    /// It lacks what was published then.
    pub before: Option<String>,
    pub defects: Vec<TemplateDefect>,
}

/// A known fault of a template, mended in a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateDefect {
    /// Several statements of a user's grants are sent to Oracle as one.
    OracleGrantsInOne,
    /// Grants on databases from datashares are joined with others.
    RedshiftGrantsInOne,
    /// Grants are sought on tables of Redshift's own materialized views.
    RedshiftAutomatedViews,
    /// A percent sign in a grant is read as a placeholder.
    MysqlPercentInGrant,
    /// A user name with capital letters is not quoted.
    PostgresUnquotedName,
    /// The new password is tried before Db2 knows it.
    Db2TestsTooEarly,
    /// A name that only Python 2 has.
    Python2Name,
}

impl TemplateDefect {
    /// When the mended template was published, as `2023-09`.
    #[must_use]
    pub const fn mended(self) -> &'static str {
        match self {
            TemplateDefect::OracleGrantsInOne => "2023-09",
            TemplateDefect::RedshiftGrantsInOne => "2024-06",
            TemplateDefect::RedshiftAutomatedViews => "2022-11",
            TemplateDefect::MysqlPercentInGrant => "2018-10",
            TemplateDefect::PostgresUnquotedName => "2019-01",
            TemplateDefect::Db2TestsTooEarly => "2024-07",
            TemplateDefect::Python2Name => "2020-02",
        }
    }

    /// When it bites, and as what.
    #[must_use]
    pub const fn tells(self) -> &'static str {
        match self {
            TemplateDefect::OracleGrantsInOne => {
                "it sends all grants of a user to Oracle as one statement, which Oracle refuses with ORA-00933 where there are several"
            }
            TemplateDefect::RedshiftGrantsInOne => {
                "it grants on all databases in one statement, which Redshift refuses where one of them comes from a datashare"
            }
            TemplateDefect::RedshiftAutomatedViews => {
                "it copies grants on the tables of Redshift's automated materialized views, which nobody may grant"
            }
            TemplateDefect::MysqlPercentInGrant => {
                "it takes a percent sign in a grant for a placeholder, and fails where a user's host or database holds one"
            }
            TemplateDefect::PostgresUnquotedName => {
                "it does not quote the user's name, so a name with capital letters is not found"
            }
            TemplateDefect::Db2TestsTooEarly => "it tries the new password at once, before Db2 on RDS has taken it over",
            TemplateDefect::Python2Name => "it uses a name that only Python 2 has, and fails where the secret sets `ssl`",
        }
    }
}
