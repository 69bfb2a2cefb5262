//! The ways through the network, in words: one line each, or hop by hop.

use super::sanitize::single_line;
use super::{Report, ReportedHop, ReportedPath};
use crate::model::PathState;

/// The mark of a hop or a way.
#[must_use]
pub const fn mark(state: PathState) -> char {
    match state {
        PathState::Reachable => '✓',
        PathState::Unknown => '?',
        PathState::Blocked => '✗',
    }
}

/// The way in one line: `✗ subnet-0a → orders: blocked`.
#[must_use]
pub fn title(path: &ReportedPath) -> String {
    let from = path.subnet.as_ref().map_or_else(|| "the function".to_owned(), |subnet| single_line(subnet));
    let state = match path.state {
        PathState::Reachable => "reached",
        PathState::Unknown => "cannot be told",
        PathState::Blocked => "blocked",
    };
    format!("{} {from} → {}: {state}", mark(path.state), single_line(&path.target))
}

/// What a hop is, with its id.
#[must_use]
pub fn hop_name(hop: &ReportedHop) -> String {
    match hop.id.as_str() {
        "" => single_line(&hop.place),
        _ => format!("{} {}", single_line(&hop.place), single_line(&hop.id)),
    }
}

/// A hop in one line.
#[must_use]
pub fn hop(hop: &ReportedHop) -> String {
    let text = single_line(&hop.text);
    let begins_so = text.starts_with(hop.id.as_str()) && !hop.id.as_str().is_empty();
    match begins_so {
        true => format!("{} {}: {text}", mark(hop.state), single_line(&hop.place)),
        false => format!("{} {}: {text}", mark(hop.state), hop_name(hop)),
    }
}

/// The ways worth showing: all of them where one is not reached, else none.
#[must_use]
pub fn worth_showing(report: &Report) -> &[ReportedPath] {
    match report.network_paths.iter().all(|path| path.state == PathState::Reachable) {
        true => &[],
        false => &report.network_paths,
    }
}

/// The ways as lines: each with its hops where it is not reached.
#[must_use]
pub fn lines(report: &Report) -> Vec<String> {
    worth_showing(report)
        .iter()
        .flat_map(|path| {
            let hops = path.hops.iter().filter(|_| path.state != PathState::Reachable);
            std::iter::once(title(path)).chain(hops.map(|one| format!("  {}", hop(one))))
        })
        .collect()
}
