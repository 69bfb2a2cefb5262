//! The ways through the network, in words: one line each, or hop by hop.

use super::{Report, ReportedHop, ReportedPath};
use crate::model::PathState;
use crate::redact::SafeText;
use crate::safe_format;

/// The mark of a hop or a way.
#[must_use]
pub const fn mark(state: PathState) -> &'static str {
    match state {
        PathState::Reachable => "✓",
        PathState::Unknown => "?",
        PathState::Blocked => "✗",
    }
}

/// The way in one line: `✗ subnet-0a → orders: blocked`.
#[must_use]
pub fn title(path: &ReportedPath) -> SafeText {
    let from = path.subnet.as_ref().map_or_else(|| "the function".into(), SafeText::single_line);
    let state = match path.state {
        PathState::Reachable => "open",
        PathState::Unknown => "cannot be told",
        PathState::Blocked => "blocked",
    };
    safe_format!("{} {} → {}: {}", mark(path.state), from, path.target.single_line(), state)
}

/// What a hop is, with its id.
#[must_use]
pub fn hop_name(hop: &ReportedHop) -> SafeText {
    match hop.id.as_str() {
        "" => hop.place.single_line(),
        _ => safe_format!("{} {}", hop.place.single_line(), hop.id.single_line()),
    }
}

/// A hop in one line.
#[must_use]
pub fn hop(hop: &ReportedHop) -> SafeText {
    let text = hop.text.single_line();
    let begins_so = text.starts_with(hop.id.as_str()) && !hop.id.as_str().is_empty();
    match begins_so {
        true => safe_format!("{} {}: {}", mark(hop.state), hop.place.single_line(), text),
        false => safe_format!("{} {}: {}", mark(hop.state), hop_name(hop), text),
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
pub fn lines(report: &Report) -> Vec<SafeText> {
    worth_showing(report)
        .iter()
        .flat_map(|path| {
            let hops = path.hops.iter().filter(|_| path.state != PathState::Reachable);
            std::iter::once(title(path)).chain(hops.map(|one| safe_format!("  {}", hop(one))))
        })
        .collect()
}
