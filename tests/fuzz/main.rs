//! Hostile input: texts that others wrote, changed in a few places at random. What reads them refuses or reads, never breaks, and keeps
//! its promises. `PROPTEST_CASES` says how many are drawn for each; what was found is kept in `tests/data/fuzz`, and tried first.
//!
//! What comes over the network in other forms is drawn beside the tests of what reads it: SNS's envelopes in `tests/webhook`, commands in
//! `chat::command`, documents on Slack and Discord in their folders, secrets in `tests/redaction`, packages in `function_code`, EC2's and
//! RDS's answers in `aws::query`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod agents;
mod arns;
mod log_lines;
mod mutation;
mod policies;

use std::fs;
use std::path::Path;

/// Inputs of a kind that once broke something, one file each.
fn found(kind: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(kind);
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    files.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
}
