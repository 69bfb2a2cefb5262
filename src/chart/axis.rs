//! Time from left to right, in UTC.

use crate::model::Window;
use jiff::Timestamp;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks, in seconds, that people count in.
const STEPS: [i64; 13] =
    [900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY];

/// From moments to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    window: Window,
    left: f32,
    right: f32,
}

/// A mark on the axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) x: f32,
    pub(super) label: String,
}

impl Axis {
    pub(super) fn new(window: Window, left: f32, right: f32) -> Axis {
        Axis { window, left, right }
    }

    /// Where a moment is; one outside the window is at its end.
    pub(super) fn x(&self, at: Timestamp) -> f32 {
        let length = self.window.length().as_secs_f64().max(1.0);
        let share = (at.duration_since(self.window.from).as_secs_f64() / length).clamp(0.0, 1.0);
        self.left + share as f32 * (self.right - self.left)
    }

    /// How wide a span of time is.
    pub(super) fn span(&self, seconds: i64) -> f32 {
        let length = self.window.length().as_secs_f64().max(1.0);
        (seconds as f64 / length) as f32 * (self.right - self.left)
    }

    /// Ticks on round moments, at least `apart` pixels from one another.
    pub(super) fn ticks(&self, apart: f32) -> Vec<Tick> {
        let step = STEPS.into_iter().find(|step| self.span(*step) >= apart).unwrap_or(90 * DAY);
        let first = self.window.from.as_second().div_euclid(step) + 1;
        let moments = (first..).map_while(|count| Timestamp::from_second(count * step).ok());
        moments.take_while(|at| *at <= self.window.to).map(|at| Tick { x: self.x(at), label: label(at, step) }).collect()
    }
}

/// The date at midnight and between days, the time within a day.
fn label(at: Timestamp, step: i64) -> String {
    let midnight = at.as_second().rem_euclid(DAY) == 0;
    at.strftime(if midnight || step >= DAY { "%-d %b" } else { "%H:%M" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(from: &str, to: &str) -> Axis {
        Axis::new(Window { from: from.parse().unwrap(), to: to.parse().unwrap() }, 0.0, 900.0)
    }

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks(90.0).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_stand_on_round_moments() {
        let day = axis("2026-11-22T20:10:00Z", "2026-11-23T20:10:00Z");
        assert_eq!(labels(&day), ["21:00", "23 Nov", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00"]);
        let month = axis("2026-10-24T04:00:00Z", "2026-11-24T04:00:00Z");
        assert_eq!(labels(&month), ["29 Oct", "5 Nov", "12 Nov", "19 Nov"]);
    }

    #[test]
    fn a_moment_outside_is_at_the_end() {
        let day = axis("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!(day.x("2026-11-22T12:00:00Z".parse().unwrap()), 450.0);
        assert_eq!(day.x("2026-01-01T00:00:00Z".parse().unwrap()), 0.0);
        assert_eq!(day.x("2027-01-01T00:00:00Z".parse().unwrap()), 900.0);
    }
}
