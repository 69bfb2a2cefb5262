//! A rotation function's package, read without running it: bytes in, [`FunctionCode`] out.
//!
//! The package may be hostile. Nothing of it is written anywhere, nothing is recursive over it, each list and each loop has a
//! bound, and what leaves is names: of files, modules, functions and environment variables, never the text of a file.

mod archive;
mod binary;
mod budget;
mod node;
mod node_module;
mod parse;
mod python;
mod python_library;
mod python_module;
mod python_search;
mod steps;
mod template;

use crate::model::{CodeSource, FunctionCode};
use archive::Archive;
use budget::ReadingBudget;

/// The largest package, with its layers, that is taken, in bytes: as it is stored.
pub const MAX_PACKED: usize = 64 << 20;

/// The largest package, with its layers, in bytes: unpacked. Lambda itself takes 250 MB.
///
/// Source: Lambda quotas, "Deployment package (.zip file archive) size".
pub const MAX_UNPACKED: u64 = 256 << 20;

/// What of the function's configuration its code has to fit.
#[derive(Debug, Clone, Copy)]
pub struct CodeTarget<'a> {
    /// Such as `python3.13`.
    pub runtime: Option<&'a str>,
    /// Such as `lambda_function.lambda_handler`.
    pub handler: Option<&'a str>,
    /// `x86_64` or `arm64`.
    pub architecture: &'a str,
}

/// A layer of the function, or why it is not there to be read.
#[derive(Debug)]
pub enum PackageLayer {
    Read(Vec<u8>),
    /// For people.
    Unread(String),
}

/// Why a package tells nothing. Nothing in here is text of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackageRefused {
    #[error("the package is no zip archive, or a broken one")]
    NotAZip,
    #[error("the package is larger than 64 MiB")]
    TooLarge,
    #[error("the package would unpack to more than 256 MiB")]
    UnpacksTooLarge,
    #[error("the package holds more than 60000 files")]
    TooManyFiles,
    #[error("files of the package overlap, as in a zip bomb")]
    Overlapping,
    #[error("the package names a path outside of itself")]
    PathOutside,
    #[error("the package holds a symbolic link")]
    SymbolicLink,
    #[error("the package is encrypted, or packed in a way Lambda does not take")]
    UnknownPacking,
    #[error("code is looked at for Python and Node.js only")]
    OtherRuntime,
    #[error("the function has no handler")]
    NoHandler,
    #[error("this machine has no thread left to read the package")]
    NoThread,
    #[error("reading the package stopped on a defect of its own")]
    Defect,
}

/// The stack that parsing gets, in bytes. The parser frees what it holds of nested code by recursion, some 130 bytes deep for
/// each level, and a file may have as many levels as bytes.
const STACK_BYTES: usize = 256 << 20;

/// What runs the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runtime {
    /// Python 3, by its minor version.
    Python(u32),
    /// Node.js, by its major version.
    Node(u32),
}

impl Runtime {
    /// From Lambda's name of it, such as `python3.13` or `nodejs22.x`.
    fn of(name: &str) -> Option<Runtime> {
        if let Some(minor) = name.strip_prefix("python3.") {
            return minor.parse().ok().map(Runtime::Python);
        }
        name.strip_prefix("nodejs")?.split('.').next()?.parse().ok().map(Runtime::Node)
    }
}

/// True where code for this runtime is looked at.
#[must_use]
pub fn is_readable(runtime: &str) -> bool {
    Runtime::of(runtime).is_some()
}

/// Reads the package of the function that `target` describes.
///
/// It takes a thread of its own for as long as it works.
///
/// # Errors
/// [`PackageRefused`], where the package is not what Lambda could run, or nothing of it can be told.
pub fn inspect(
    source: CodeSource,
    target: &CodeTarget<'_>,
    package: &[u8],
    layers: &[PackageLayer],
) -> Result<FunctionCode, PackageRefused> {
    std::thread::scope(|scope| {
        let apart = std::thread::Builder::new().name("function-code".to_owned()).stack_size(STACK_BYTES);
        let reading =
            apart.spawn_scoped(scope, || read(source, target, package, layers)).map_err(|_| PackageRefused::NoThread)?;
        reading.join().unwrap_or(Err(PackageRefused::Defect))
    })
}

fn read(
    source: CodeSource,
    target: &CodeTarget<'_>,
    package: &[u8],
    layers: &[PackageLayer],
) -> Result<FunctionCode, PackageRefused> {
    let runtime = target.runtime.and_then(Runtime::of).ok_or(PackageRefused::OtherRuntime)?;
    let handler = target.handler.filter(|handler| !handler.is_empty()).ok_or(PackageRefused::NoHandler)?;
    let mut budget = ReadingBudget::default();
    let mut unread = Vec::new();
    let mut archives = vec![Archive::open(package, &mut budget)?];
    for (nth, layer) in layers.iter().enumerate() {
        match layer {
            PackageLayer::Read(bytes) => match Archive::open(bytes, &mut budget) {
                Ok(archive) => archives.push(archive),
                Err(refused) => unread.push(format!("layer {}: {refused}", nth + 1)),
            },
            PackageLayer::Unread(why) => unread.push(format!("layer {}: {why}", nth + 1)),
        }
    }
    let mut code = match runtime {
        Runtime::Python(minor) => python::read(&archives, minor, handler, target.architecture, &mut budget),
        Runtime::Node(major) => node::read(&archives, major, handler, target.architecture, &mut budget),
    };
    code.source = source;
    unread.append(&mut code.unread);
    if archives.iter().any(Archive::has_unreadable_names) {
        unread.push("files whose names are no UTF-8".to_owned());
    }
    unread.extend(budget.exhausted().map(str::to_owned));
    if !unread.is_empty() {
        forget_absences(&mut code);
    }
    code.unread = unread;
    Ok(code)
}

/// Where not all could be read, what was not found may be in what was not.
fn forget_absences(code: &mut FunctionCode) {
    use crate::model::HandlerPart;
    code.missing_modules.retain(|module| module.because.is_some());
    for part in [&mut code.handler_file, &mut code.handler_function] {
        if part.missing().is_some() {
            *part = HandlerPart::Untold;
        }
    }
}

#[cfg(test)]
mod tests;
