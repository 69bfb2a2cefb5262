//! Where Python looks for a module: the package first, then the layers, then what the runtime brings.

use super::archive::Archive;
use super::binary::{Machine, machine_of};
use super::python_library::{Provided, provides};
use crate::model::MissingReason;

/// Compiled files of one module, for one system each.
const MAX_BUILDS: usize = 64;

/// The folders of the search path.
pub(super) struct SearchPath<'a> {
    roots: Vec<(&'a Archive<'a>, String)>,
    minor: u32,
    machine: Machine,
}

/// What a dotted name leads to.
pub(super) enum Found<'a> {
    /// A file of source.
    Source(&'a Archive<'a>, String),
    /// A compiled file that fits.
    Compiled,
    /// A compiled file that does not fit, and what it was built for.
    Misfit {
        path: String,
        built_for: String,
    },
    /// Folders without a module of their own.
    Namespace,
    /// It comes with the runtime.
    Provided,
    Nowhere(Option<MissingReason>),
}

impl<'a> SearchPath<'a> {
    /// The first of `archives` is the package, the others are layers.
    pub(super) fn new(archives: &'a [Archive<'a>], minor: u32, architecture: &str) -> SearchPath<'a> {
        let mut roots = Vec::new();
        for (nth, archive) in archives.iter().enumerate() {
            match nth {
                0 => roots.push((archive, String::new())),
                _ => {
                    roots.push((archive, format!("python/lib/python3.{minor}/site-packages/")));
                    roots.push((archive, "python/".to_owned()));
                }
            }
        }
        SearchPath { roots, minor, machine: Machine::of_architecture(architecture) }
    }

    /// Where the dotted name `module` is found.
    pub(super) fn find(&self, module: &str) -> Found<'a> {
        let path = module.replace('.', "/");
        let mut misfit = None;
        let mut has_folder = false;
        for (archive, root) in &self.roots {
            let base = format!("{root}{path}");
            for source in [format!("{base}/__init__.py"), format!("{base}.py")] {
                if archive.has(&source) {
                    return Found::Source(archive, source);
                }
            }
            match self.compiled(archive, &base) {
                Some(Ok(())) => return Found::Compiled,
                Some(Err(found)) => misfit = misfit.or(Some(found)),
                None => {}
            }
            has_folder |= archive.has_folder(&base);
        }
        if let Some((path, built_for)) = misfit {
            return Found::Misfit { path, built_for };
        }
        let (top, below) = module.split_once('.').map_or((module, ""), |(top, below)| (top, below));
        match provides(self.minor, top) {
            // botocore once brought requests along.
            Provided::Yes if top == "botocore" && below.starts_with("vendored.requests") => {
                Found::Nowhere(Some(MissingReason::LeftTheRuntime))
            }
            Provided::Yes => Found::Provided,
            _ if has_folder => Found::Namespace,
            Provided::LeftTheLibrary => Found::Nowhere(Some(MissingReason::LeftTheLibrary)),
            Provided::No => Found::Nowhere(None),
        }
    }

    /// A compiled file for `base`: one that fits, or else one that does not.
    fn compiled(&self, archive: &Archive<'_>, base: &str) -> Option<Result<(), (String, String)>> {
        let folder = format!("{base}/__init__");
        if archive.has(&format!("{base}.pyc")) || archive.has(&format!("{folder}.pyc")) {
            return Some(Ok(()));
        }
        let mut misfit = None;
        for beginning in [format!("{base}."), format!("{folder}.")] {
            for path in archive.beginning_with(&beginning).take(MAX_BUILDS) {
                let Some(tag) = path.strip_prefix(&beginning) else { continue };
                if !is_module(tag) {
                    continue;
                }
                match self.fits(archive, path, tag) {
                    Ok(()) => return Some(Ok(())),
                    Err(built_for) => misfit = Some((path.to_owned(), built_for)),
                }
            }
        }
        misfit.map(Err)
    }

    /// Whether the compiled file loads here, or what it was built for.
    pub(super) fn fits(&self, archive: &Archive<'_>, path: &str, tag: &str) -> Result<(), String> {
        let lower = tag.to_ascii_lowercase();
        if lower.ends_with("pyd") {
            return Err(Machine::Windows.name().to_owned());
        }
        if lower.contains("darwin") {
            return Err(Machine::MacOs.name().to_owned());
        }
        if let Some(minor) = interpreter(&lower).filter(|minor| *minor != self.minor) {
            return Err(format!("python3.{minor}"));
        }
        let named = if lower.contains("x86_64") {
            Machine::X86_64
        } else if lower.contains("aarch64") {
            Machine::Arm64
        } else {
            Machine::Unknown
        };
        let built = [named, machine_of(archive, path)].into_iter().find(|machine| !machine.runs_on(self.machine));
        built.map_or(Ok(()), |machine| Err(machine.name().to_owned()))
    }

    /// What a compiled module has to be built for.
    pub(super) fn runs_on(&self) -> String {
        format!("python3.{} on {}", self.minor, self.machine.name())
    }
}

/// True for what follows the module's name in the name of a compiled file.
pub(super) fn is_module(tag: &str) -> bool {
    let end = tag.rsplit('.').next().unwrap_or(tag);
    matches!(end, "so" | "pyd") && tag.split('.').count() <= 2
}

/// The minor version in `cpython-39-x86_64-linux-gnu.so` or `cp39-win_amd64.pyd`.
fn interpreter(tag: &str) -> Option<u32> {
    let version = tag.strip_prefix("cpython-3").or_else(|| tag.strip_prefix("cp3"))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
