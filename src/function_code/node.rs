//! A Node.js function: from its handler along what it requires.

use super::archive::Archive;
use super::binary::{Machine, machine_of};
use super::budget::ReadingBudget;
use super::node_module::{NodeModule, Require};
use super::parse::MAX_FILE_BYTES;
use super::steps;
use crate::model::{CodePlace, CodeSource, CompiledMisfit, FunctionCode, HandlerPart, MissingModule, MissingReason};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Findings of one kind that are told.
const MAX_TOLD: usize = 20;

/// Compiled files that are looked into.
const MAX_COMPILED: usize = 400;

/// Modules that Node.js has built in.
///
/// Source: `require("module").builtinModules` of Node.js 16 to 24.
const BUILT_IN: &str = "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain \
events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl sea sqlite stream \
string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib";

/// The last version whose runtime brought the second version of the SDK, `aws-sdk`; from the next on it brings the third.
///
/// Source: Lambda Developer Guide, "Runtime-included SDK versions".
const LAST_WITH_SDK_2: u32 = 16;

pub(super) fn read(
    archives: &[Archive<'_>],
    major: u32,
    handler: &str,
    architecture: &str,
    budget: &mut ReadingBudget,
) -> FunctionCode {
    // The file's name ends at the first dot behind the last folder.
    let (folder, name) = handler.rsplit_once('/').map_or(("", handler), |(folder, name)| (folder, name));
    let (file, function) = name.split_once('.').unwrap_or((name, ""));
    let base = if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
    let mut own: BTreeMap<String, NodeModule> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    let mut unread = BTreeSet::new();
    let mut waiting: VecDeque<String> = VecDeque::new();
    let package = archives.first();
    let found = package.and_then(|package| file_for(package, &base));
    let handler_file = match &found {
        Some(path) => {
            waiting.push_back(path.clone());
            HandlerPart::Found(path.clone())
        }
        None => HandlerPart::Missing(format!("{base}.js")),
    };
    let mut known: BTreeSet<String> = waiting.iter().cloned().collect();
    while let (Some(path), Some(package)) = (waiting.pop_front(), package) {
        if path.ends_with(".json") || path.ends_with(".node") {
            continue;
        }
        let source = package.read(&path, MAX_FILE_BYTES).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(source) = source else {
            unread.insert("files that are too large, or no UTF-8".to_owned());
            continue;
        };
        let Some(module) = NodeModule::read(&source, budget) else { continue };
        for require in module.requires.iter().filter(|require| require.is_certain) {
            match seek(archives, major, &path, &require.name) {
                Sought::Own(file) => {
                    if known.insert(file.clone()) {
                        waiting.push_back(file);
                    }
                }
                Sought::There => {}
                Sought::Nowhere(because) => {
                    missing.insert(missing_module(&path, require, because));
                }
            }
        }
        own.insert(path, module);
    }
    let module = found.as_ref().and_then(|path| own.get(path));
    let handler_function = match (&handler_file, module) {
        (HandlerPart::Missing(_), _) => HandlerPart::Missing(function.to_owned()),
        (_, Some(module)) if module.exports.contains(function) => HandlerPart::Found(function.to_owned()),
        (_, Some(module)) if !module.has_open_exports && module.syntax_error.is_none() => {
            HandlerPart::Missing(function.to_owned())
        }
        _ => HandlerPart::Untold,
    };
    let modules: Vec<(&str, &steps::Steps)> = own.iter().map(|(path, module)| (path.as_str(), &module.steps)).collect();
    let errors = own.iter().filter_map(|(path, module)| Some(CodePlace { file: path.clone(), line: module.syntax_error? }));
    FunctionCode {
        source: CodeSource::Deployed,
        handler_file,
        handler_function,
        syntax_errors: errors.take(MAX_TOLD).collect(),
        steps: steps::judge(&modules),
        template: None,
        missing_modules: missing.into_iter().take(MAX_TOLD).collect(),
        misfits: misfits(archives, architecture),
        // A variable that is not set is `undefined` in JavaScript, and no error.
        required_environment: Vec::new(),
        connect_timeout_ms: own.values().filter_map(|module| module.connect_timeout_ms).max(),
        unread: unread.into_iter().collect(),
    }
}

fn missing_module(path: &str, require: &Require, because: Option<MissingReason>) -> MissingModule {
    let place = CodePlace { file: path.to_owned(), line: require.line };
    MissingModule { name: require.name.clone(), place, at_load: true, because }
}

enum Sought {
    /// A file of the code's own.
    Own(String),
    There,
    Nowhere(Option<MissingReason>),
}

fn seek(archives: &[Archive<'_>], major: u32, from: &str, name: &str) -> Sought {
    let is_path = name.starts_with("./") || name.starts_with("../") || name == "." || name == "..";
    if is_path {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = join(folder, name).and_then(|base| archives.first().and_then(|package| file_for(package, &base)));
        return found.map_or(Sought::Nowhere(None), Sought::Own);
    }
    // A path of the file system, or a name the package gives itself.
    if name.starts_with('/') || name.starts_with('#') {
        return Sought::There;
    }
    let bare = name.strip_prefix("node:").unwrap_or(name);
    let first = bare.split('/').next().unwrap_or(bare);
    if name.starts_with("node:") || BUILT_IN.split(' ').any(|module| module == first) {
        return Sought::There;
    }
    let scoped = bare.starts_with('@');
    let package_name: Vec<&str> = bare.splitn(3, '/').take(if scoped { 2 } else { 1 }).collect();
    let package_name = package_name.join("/");
    let has = |archive: &Archive<'_>, root: &str| {
        let base = format!("{root}node_modules/{package_name}");
        archive.has_folder(&base) || archive.has(&format!("{base}.js"))
    };
    let mut folders = vec![String::new()];
    folders.extend(from.match_indices('/').filter_map(|(at, _)| from.get(..=at)).map(str::to_owned));
    let in_package = archives.first().is_some_and(|package| folders.iter().any(|folder| has(package, folder)));
    let versioned = format!("nodejs/node{major}/");
    let in_layer = archives.iter().skip(1).any(|layer| has(layer, "nodejs/") || has(layer, &versioned));
    if in_package || in_layer {
        return Sought::There;
    }
    let is_sdk_3 = package_name.starts_with("@aws-sdk/") || package_name.starts_with("@smithy/");
    match (package_name.as_str(), major > LAST_WITH_SDK_2) {
        ("aws-sdk", false) => Sought::There,
        ("aws-sdk", true) => Sought::Nowhere(Some(MissingReason::LeftTheRuntime)),
        (_, true) if is_sdk_3 => Sought::There,
        _ => Sought::Nowhere(None),
    }
}

/// The file that Node.js loads for a path without an ending.
fn file_for(package: &Archive<'_>, base: &str) -> Option<String> {
    let base = base.trim_end_matches('/');
    let tries = ["", ".js", ".mjs", ".cjs", ".json", ".node", "/index.js", "/index.mjs", "/index.cjs"];
    tries.iter().map(|ending| format!("{base}{ending}")).find(|path| package.has(path))
}

/// A relative path from a folder; `None` where it leaves the package.
fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Compiled modules beside which none fits. Which one is loaded is decided as the code runs.
fn misfits(archives: &[Archive<'_>], architecture: &str) -> Vec<CompiledMisfit> {
    let machine = Machine::of_architecture(architecture);
    let mut packages: BTreeMap<String, (bool, Vec<CompiledMisfit>)> = BTreeMap::new();
    for archive in archives {
        for path in archive.paths().filter(|path| path.ends_with(".node")).take(MAX_COMPILED) {
            let built = machine_of(archive, path);
            let package = path.rsplit_once("node_modules/").map_or(path, |(_, rest)| rest).split('/').take(2).collect::<Vec<_>>();
            let (has_fitting, wrong) = packages.entry(package.join("/")).or_default();
            if built.runs_on(machine) {
                *has_fitting = true;
            } else {
                wrong.push(CompiledMisfit {
                    file: path.to_owned(),
                    built_for: built.name().to_owned(),
                    runs_on: machine.name().to_owned(),
                    is_loaded: false,
                });
            }
        }
    }
    packages.into_values().filter(|(has_fitting, _)| !has_fitting).flat_map(|(_, wrong)| wrong).take(MAX_TOLD).collect()
}
