//! Where to look in a function's logs: the time asked for, and around what went wrong before it.

use crate::model::Window;
use jiff::{SignedDuration, Timestamp};

/// Windows read at most; a window is at least one request.
pub(super) const MAX_WINDOWS: usize = 2;

/// Looked at before an anchor: a function may run up to 15 minutes before it fails.
const BEFORE: SignedDuration = SignedDuration::from_mins(20);

/// Looked at after an anchor: retries follow within the hour.
const AFTER: SignedDuration = SignedDuration::from_mins(40);

/// The window around one attempt.
pub(super) fn around(at: Timestamp) -> Window {
    Window::around(at, BEFORE, AFTER)
}

/// Windows around `anchors` (the most telling first) that `base` does not hold already, merged, newest first.
pub(super) fn anchored(base: Window, anchors: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for anchor in anchors.into_iter().filter(|at| *at <= now && !base.contains(*at)) {
        let mut window = around(anchor);
        window.to = window.to.min(base.from);
        if let Some(overlapping) = windows.iter_mut().find(|other| other.overlaps(&window)) {
            *overlapping = overlapping.hull(&window);
        } else if windows.len() + 1 < MAX_WINDOWS {
            windows.push(window);
        }
    }
    windows.sort_by_key(|window| std::cmp::Reverse(window.to));
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_anchor_outside_the_base_gets_a_window_and_near_ones_share_it() {
        let now = at("2026-03-10T00:00:00Z");
        let base = Window::ending_at(now, SignedDuration::from_hours(24));
        let anchors = [
            "2026-03-09T12:00:00Z",
            "2026-03-01T05:00:00Z",
            "2026-03-01T05:30:00Z",
            "2026-02-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ];
        let windows = anchored(base, anchors.map(at), now);
        assert_eq!(windows, [Window { from: at("2026-03-01T04:40:00Z"), to: at("2026-03-01T06:10:00Z") },]);
    }

    #[test]
    fn a_window_next_to_the_base_does_not_reach_into_it() {
        let now = at("2026-03-10T00:00:00Z");
        let base = Window::ending_at(now, SignedDuration::from_hours(24));
        let windows = anchored(base, [at("2026-03-08T23:50:00Z")], now);
        assert_eq!(windows, [Window { from: at("2026-03-08T23:30:00Z"), to: base.from }]);
    }
}
