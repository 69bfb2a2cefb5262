//! What the packages in `deploy/` and `.github/` say of the program is true, and what the program does for them works.

#![expect(clippy::unwrap_used, clippy::string_slice, clippy::panic, reason = "a test stops at what it did not expect")]

mod claims;
mod copies;
mod health;
mod manifests;
mod pages;
mod policy;
mod sessions;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path in the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A file of the repository.
fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The program, with nothing of this machine's configuration.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotation-diag"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Its standard output, and its status.
fn said(mut command: Command) -> (String, i32) {
    let Output { status, stdout, .. } = command.output().unwrap();
    (String::from_utf8(stdout).unwrap(), status.code().unwrap())
}

/// The Rust files at or below a path.
fn rust_files(path: &Path) -> Vec<PathBuf> {
    match path.is_dir() {
        true => std::fs::read_dir(path).unwrap().flat_map(|entry| rust_files(&entry.unwrap().path())).collect(),
        false => Vec::from_iter(path.extension().is_some_and(|kind| kind == "rs").then(|| path.to_owned())),
    }
}
