//! A Python function: from its handler along its imports.

use super::archive::Archive;
use super::budget::ReadingBudget;
use super::parse::MAX_FILE_BYTES;
use super::python_module::{Import, OWN_WAYS, PythonModule};
use super::python_search::{Found, SearchPath, is_module};
use super::steps;
use super::template;
use crate::model::{CodePlace, CodeSource, CompiledMisfit, FunctionCode, HandlerPart, MissingModule, MissingReason};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Findings of one kind that are told.
const MAX_TOLD: usize = 20;

/// Compiled files that are looked into.
const MAX_COMPILED: usize = 400;

/// Modules that are sought along all imports.
const MAX_FINDS: usize = 20_000;

/// Packages that are read for how they load their modules.
const MAX_LOOKS: usize = 50;

/// Packages of others, whose inside is not the rotation's: drivers and clients.
const OF_OTHERS: &[&str] = &[
    "pymysql",
    "MySQLdb",
    "mysql",
    "pg",
    "pgdb",
    "psycopg",
    "psycopg2",
    "asyncpg",
    "pg8000",
    "pymssql",
    "pyodbc",
    "pymongo",
    "bson",
    "gridfs",
    "oracledb",
    "cx_Oracle",
    "ibm_db",
    "ibm_db_dbi",
    "influxdb_client",
    "redis",
    "snowflake",
    "sqlalchemy",
    "requests",
    "urllib3",
    "certifi",
    "charset_normalizer",
    "idna",
    "cryptography",
    "cffi",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "datadog_lambda",
    "ddtrace",
    "sentry_sdk",
    "opentelemetry",
];

/// What was read on the way from the handler.
struct Reading<'a, 'b> {
    search: SearchPath<'a>,
    budget: &'b mut ReadingBudget,
    /// The code's own modules, by path.
    own: BTreeMap<String, PythonModule>,
    missing: BTreeSet<MissingModule>,
    misfits: BTreeSet<CompiledMisfit>,
    unread: BTreeSet<String>,
    /// Paths that were read, or are waiting to be.
    known: BTreeSet<String>,
    waiting: VecDeque<Waiting<'a>>,
    /// How many modules may still be sought.
    finds: usize,
    /// How many packages may still be searched for ways of their own to load modules.
    looks: usize,
}

struct Waiting<'a> {
    archive: &'a Archive<'a>,
    path: String,
    /// The module's dotted name.
    name: String,
}

pub(super) fn read(
    archives: &[Archive<'_>],
    minor: u32,
    handler: &str,
    architecture: &str,
    budget: &mut ReadingBudget,
) -> FunctionCode {
    let mut reading = Reading {
        search: SearchPath::new(archives, minor, architecture),
        budget,
        own: BTreeMap::new(),
        missing: BTreeSet::new(),
        misfits: BTreeSet::new(),
        unread: BTreeSet::new(),
        known: BTreeSet::new(),
        waiting: VecDeque::new(),
        finds: MAX_FINDS,
        looks: MAX_LOOKS,
    };
    let (module, function) = handler.rsplit_once('.').unwrap_or((handler, ""));
    let module = module.replace('/', ".");
    let looked_for = format!("{}.py", module.replace('.', "/"));
    let mut path = None;
    let handler_file = match reading.search.find(&module) {
        Found::Source(archive, found) => {
            path = Some(found.clone());
            reading.wait(archive, found.clone(), module);
            HandlerPart::Found(found)
        }
        Found::Nowhere(_) | Found::Namespace => HandlerPart::Missing(looked_for),
        Found::Compiled | Found::Misfit { .. } | Found::Provided => HandlerPart::Untold,
    };
    while let Some(next) = reading.waiting.pop_front() {
        reading.module(&next);
    }
    let handler_module = path.as_ref().and_then(|path| reading.own.get(path));
    let handler_function = match (&handler_file, handler_module) {
        (HandlerPart::Missing(_), _) => HandlerPart::Missing(function.to_owned()),
        (_, Some(module)) if module.defines.contains(function) => HandlerPart::Found(function.to_owned()),
        (_, Some(module)) if !module.has_open_names && module.syntax_error.is_none() => HandlerPart::Missing(function.to_owned()),
        _ => HandlerPart::Untold,
    };
    let template = handler_module.and_then(template::mark);
    reading.compiled_elsewhere(archives);
    let Reading { own, missing, misfits, mut unread, .. } = reading;
    if own.values().any(|module| module.changes_search) {
        unread.insert("where the code looks for modules: it changes that as it runs".to_owned());
    }
    let modules: Vec<(&str, &steps::Steps)> = own.iter().map(|(path, module)| (path.as_str(), &module.steps)).collect();
    let syntax_errors =
        own.iter().filter_map(|(path, module)| Some(CodePlace { file: path.clone(), line: module.syntax_error? }));
    FunctionCode {
        source: CodeSource::Deployed,
        handler_file,
        handler_function,
        syntax_errors: syntax_errors.take(MAX_TOLD).collect(),
        steps: steps::judge(&modules),
        template,
        required_environment: required(&own, function),
        connect_timeout_ms: own.values().filter_map(|module| module.connect_timeout_ms).max(),
        missing_modules: missing.into_iter().take(MAX_TOLD).collect(),
        misfits: misfits.into_iter().take(MAX_TOLD).collect(),
        unread: unread.into_iter().collect(),
    }
}

impl<'a> Reading<'a, '_> {
    fn wait(&mut self, archive: &'a Archive<'a>, path: String, name: String) {
        if self.known.insert(path.clone()) {
            self.waiting.push_back(Waiting { archive, path, name });
        }
    }

    fn module(&mut self, next: &Waiting<'a>) {
        let Some(bytes) = next.archive.read(&next.path, MAX_FILE_BYTES) else {
            self.unread.insert("files that are too large, or not what the archive says".to_owned());
            return;
        };
        let Ok(source) = String::from_utf8(bytes) else {
            self.unread.insert("files that are no UTF-8".to_owned());
            return;
        };
        let Some(module) = PythonModule::read(&source, self.budget) else { return };
        let top = next.name.split('.').next().unwrap_or_default();
        let is_own = !OF_OTHERS.contains(&top) && !is_installed(next.archive, &next.path, top);
        for import in &module.imports {
            if import.is_certain && (import.at_load || is_own) {
                self.import(next, import, &module);
            }
        }
        if is_own {
            self.own.insert(next.path.clone(), module);
        }
    }

    fn import(&mut self, from: &Waiting<'a>, import: &Import, module: &PythonModule) {
        let Some(name) = absolute(from, import) else { return };
        let mut is_reached = true;
        // Each package on the way is loaded first.
        for (at, _) in name.match_indices('.').chain([(name.len(), "")]) {
            let Some(part) = name.get(..at).filter(|part| !part.is_empty()) else { continue };
            is_reached = self.one(from, import, part, is_reached, module);
        }
        // What is taken from a module may be a module below it.
        for taken in import.taken.iter().flatten().filter(|_| is_reached && import.at_load) {
            let below = if name.is_empty() { taken.clone() } else { format!("{name}.{taken}") };
            match self.find(&below) {
                Found::Source(archive, path) => self.wait(archive, path, below),
                Found::Misfit { path, built_for } => self.misfit(path, built_for, true),
                Found::Nowhere(Some(MissingReason::LeftTheRuntime)) => {
                    self.miss(from, import, below, Some(MissingReason::LeftTheRuntime));
                }
                _ => {}
            }
        }
    }

    /// One module; false where nothing can be told of what is below it.
    fn one(&mut self, from: &Waiting<'a>, import: &Import, name: &str, is_reached: bool, module: &PythonModule) -> bool {
        if !is_reached {
            return false;
        }
        match self.find(name) {
            Found::Source(archive, path) => {
                if import.at_load {
                    self.wait(archive, path, name.to_owned());
                }
                true
            }
            Found::Misfit { path, built_for } => {
                self.misfit(path, built_for, import.at_load);
                self.miss(from, import, name.to_owned(), Some(MissingReason::BuiltForAnother));
                false
            }
            Found::Nowhere(because) => {
                // A package that loads its parts in its own way may have them under other names.
                let is_below = name.contains('.') && because.is_none();
                let may_be_there = is_below && (module.loads_itself || self.loads_itself(name));
                if !may_be_there {
                    self.miss(from, import, name.to_owned(), because);
                }
                false
            }
            Found::Compiled | Found::Provided => name.starts_with("botocore"),
            Found::Namespace => true,
        }
    }

    /// True where the package above `name` says so itself.
    fn loads_itself(&mut self, name: &str) -> bool {
        let Some((above, _)) = name.rsplit_once('.') else { return false };
        if self.looks == 0 {
            return true;
        }
        self.looks -= 1;
        match self.find(above) {
            Found::Source(archive, path) => match archive.read(&path, MAX_FILE_BYTES) {
                Some(bytes) => OWN_WAYS.iter().any(|way| String::from_utf8_lossy(&bytes).contains(way)),
                None => true,
            },
            Found::Namespace => false,
            _ => true,
        }
    }

    /// Where a module is; nothing is told once too much was sought.
    fn find(&mut self, name: &str) -> Found<'a> {
        match self.finds.checked_sub(1) {
            Some(left) => {
                self.finds = left;
                self.search.find(name)
            }
            None => {
                self.unread.insert("a part of the imports: there are more of them than are followed".to_owned());
                Found::Provided
            }
        }
    }

    fn miss(&mut self, from: &Waiting<'a>, import: &Import, name: String, because: Option<MissingReason>) {
        let place = CodePlace { file: from.path.clone(), line: import.line };
        self.missing.insert(MissingModule { name, place, at_load: import.at_load, because });
    }

    fn misfit(&mut self, file: String, built_for: String, is_loaded: bool) {
        let runs_on = self.search.runs_on();
        self.misfits.insert(CompiledMisfit { file, built_for, runs_on, is_loaded });
    }

    /// Compiled files that no certain import leads to: they are told where nothing beside them fits.
    fn compiled_elsewhere(&mut self, archives: &[Archive<'_>]) {
        let mut fitting = BTreeSet::new();
        let mut misfits = BTreeMap::new();
        for archive in archives {
            let compiled = archive.paths().filter(|path| path.ends_with(".so") || path.ends_with(".pyd"));
            for path in compiled.take(MAX_COMPILED) {
                let file = path.rsplit('/').next().unwrap_or(path);
                let Some((stem, tag)) = file.split_once('.').filter(|(_, tag)| is_module(tag)) else { continue };
                let folder = path.strip_suffix(file).unwrap_or_default();
                let module = format!("{folder}{stem}");
                match self.search.fits(archive, path, tag) {
                    Ok(()) => drop(fitting.insert(module)),
                    Err(built_for) => drop(misfits.insert(module, (path.to_owned(), built_for))),
                }
            }
        }
        for (module, (path, built_for)) in misfits {
            let is_told = self.misfits.iter().any(|misfit| misfit.file == path);
            if !fitting.contains(&module) && !is_told {
                self.misfit(path, built_for, false);
            }
        }
    }
}

/// The name a module is imported by, from wherever it is imported.
fn absolute(from: &Waiting<'_>, import: &Import) -> Option<String> {
    if import.dots == 0 {
        return Some(import.module.clone());
    }
    let is_package = from.path.ends_with("/__init__.py");
    let mut parts: Vec<&str> = from.name.split('.').collect();
    let up = if is_package { import.dots - 1 } else { import.dots };
    // Outside of any package Python refuses; whoever does so is never loaded so.
    let keep = parts.len().checked_sub(up).filter(|keep| *keep > 0)?;
    parts.truncate(keep);
    parts.extend(Some(import.module.as_str()).filter(|module| !module.is_empty()));
    Some(parts.join("."))
}

/// True where a package manager put the module there.
fn is_installed(archive: &Archive<'_>, path: &str, top: &str) -> bool {
    let root = path.find(top).and_then(|at| path.get(..at)).unwrap_or_default();
    let beginning = format!("{root}{top}-");
    archive.beginning_with(&beginning).any(|path| path.contains(".dist-info/") || path.contains(".egg-info/"))
}

/// The variables that the handler, a step, or loading cannot do without.
fn required(own: &BTreeMap<String, PythonModule>, handler: &str) -> Vec<String> {
    let is_run = |name: &str| name == handler || matches!(name, "create_secret" | "set_secret" | "test_secret" | "finish_secret");
    let reads = own.values().flat_map(|module| {
        let asked = &module.asked_environment;
        module.environment.iter().filter(move |read| !asked.contains(&read.name))
    });
    let names: BTreeSet<&str> =
        reads.filter(|read| read.function.as_deref().is_none_or(is_run)).map(|read| read.name.as_str()).collect();
    names.into_iter().filter(|name| !is_of_lambda(name)).take(MAX_TOLD).map(str::to_owned).collect()
}

/// Variables that Lambda sets itself.
///
/// Source: Lambda Developer Guide, "Defined runtime environment variables".
pub(super) fn is_of_lambda(name: &str) -> bool {
    const SET: [&str; 12] = [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "LANG",
        "PATH",
        "LD_LIBRARY_PATH",
        "NODE_PATH",
        "PYTHONPATH",
        "TZ",
        "HOME",
        "PWD",
        "SHLVL",
        "LAMBDA_TASK_ROOT",
    ];
    SET.contains(&name) || name.starts_with("AWS_") || name.starts_with("LAMBDA_RUNTIME")
}
