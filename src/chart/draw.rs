//! The drawing: three small charts over one axis, and above them what happened when. Lines first, labels last.

use super::axis::Axis;
use super::face::{fitted, width};
use super::lanes::{LabelBox, Spot, place};
use super::svg::{Anchor, Ink, Svg, Type};
use super::timeline::{Bar, EventKind, EventMark, Timeline};
use crate::model::Investigation;
use crate::redact::SafeText;
use crate::report::time::{duration, moment};
use crate::safe_format;

/// How wide a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// For a screen or a chat message.
    Wide,
    Narrow,
}

impl Size {
    /// In pixels.
    pub(super) const fn width(self) -> f32 {
        match self {
            Size::Wide => 960.0,
            Size::Narrow => 390.0,
        }
    }
}

/// A drawn chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub(super) svg: String,
    pub(super) description: SafeText,
}

impl Chart {
    /// The drawing: one SVG element, whose text is escaped.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// What it shows, for those who do not see it.
    #[must_use]
    pub fn description(&self) -> &SafeText {
        &self.description
    }
}

pub(super) const TITLE: Type = Type { size: 15.0, bold: true, ink: Ink::Text, anchor: Anchor::Start };
pub(super) const SMALL: Type = Type { size: 12.0, bold: false, ink: Ink::Dim, anchor: Anchor::Start };
pub(super) const NAME: Type = Type { size: 12.0, bold: true, ink: Ink::Text, anchor: Anchor::Start };
const LABEL: Type = Type { size: 12.0, bold: false, ink: Ink::Text, anchor: Anchor::Start };

/// The height of a line of labels.
const LANE: f32 = 20.0;
/// The most lines of labels.
const LANES: usize = 5;
/// The height of the two rows of markers: changes, and rotation attempts below them.
const STRIP: f32 = 42.0;
/// How far the row of changes is below the labels, and that of the attempts below it.
const ROW: f32 = 18.0;
/// The height of a small chart, with its name.
const PANEL: f32 = 84.0;
/// The height of one in which nothing happened.
const EMPTY_PANEL: f32 = 30.0;
/// The height of a small chart's name.
const PANEL_NAME: f32 = 20.0;
const PANEL_GAP: f32 = 12.0;
/// The narrowest bar that can be seen.
const THINNEST: f32 = 2.5;

/// Draws the timeline of an investigation; `None` where nothing has a time.
#[must_use]
pub fn draw(investigation: &Investigation, size: Size) -> Option<Chart> {
    let timeline = Timeline::of(investigation)?;
    let sheet = Canvas::new(&timeline, size);
    let description = described(&timeline, investigation);
    Some(Chart { svg: sheet.draw(description.as_str()), description })
}

fn described(timeline: &Timeline, investigation: &Investigation) -> SafeText {
    let now = investigation.evidence.now;
    let total = |value: fn(&Bar) -> f64| timeline.total(value).round() as u64;
    safe_format!(
        "Timeline of {} from {} to {}. Invocations: {}, errors: {}, throttles: {}. Rotations failed: {}, succeeded: {}. Changes: {}.",
        timeline.function.as_ref().unwrap_or(&timeline.secret),
        moment(timeline.window.from, now),
        moment(timeline.window.to, now),
        total(|bar| bar.invocations),
        total(|bar| bar.errors),
        total(|bar| bar.throttles),
        timeline.count(EventKind::Failed),
        timeline.count(EventKind::Succeeded),
        timeline.count(EventKind::Change)
    )
}

/// One of the three small charts.
struct Panel {
    name: &'static str,
    ink: Ink,
    value: fn(&Bar) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel { name: "Invocations", ink: Ink::Invocations, value: |bar| bar.invocations },
    Panel { name: "Errors", ink: Ink::Errors, value: |bar| bar.errors },
    Panel { name: "Throttles", ink: Ink::Throttles, value: |bar| bar.throttles },
];

struct Canvas<'a> {
    timeline: &'a Timeline,
    width: f32,
    left: f32,
    right: f32,
    axis: Axis,
    spots: Vec<(&'a EventMark, Option<Spot>)>,
    lanes: usize,
}

impl<'a> Canvas<'a> {
    fn new(timeline: &'a Timeline, size: Size) -> Canvas<'a> {
        let (left, margin) = match size {
            Size::Wide => (52.0, 28.0),
            Size::Narrow => (34.0, 16.0),
        };
        let width = size.width();
        let right = width - margin;
        let axis = Axis::new(timeline.window, left, right);
        let mut labelled: Vec<&EventMark> = timeline.marks.iter().filter(|mark| mark.label.is_some()).collect();
        labelled.sort_by_key(|mark| (mark.rank, std::cmp::Reverse(mark.at)));
        let label = |mark: &&EventMark| LabelBox { x: axis.x(mark.at), width: width_of(mark) };
        let boxes: Vec<LabelBox> = labelled.iter().map(label).collect();
        let spots: Vec<(&EventMark, Option<Spot>)> =
            labelled.into_iter().zip(place(&boxes, LANES, margin, width - margin / 2.0)).collect();
        let lanes = spots.iter().filter_map(|(_, spot)| spot.map(|spot| spot.lane + 1)).max().unwrap_or_default();
        Canvas { timeline, width, left, right, axis, spots, lanes }
    }

    fn draw(&self, description: &str) -> String {
        let mut svg = Svg::default();
        let header = 84.0;
        let strip = header + self.lanes as f32 * LANE;
        let first_panel = strip + STRIP + 8.0;
        let heights: Vec<f32> = PANELS.iter().map(|panel| self.height(panel)).collect();
        let foot = first_panel + heights.iter().map(|height| height + PANEL_GAP).sum::<f32>() - PANEL_GAP;
        let height = foot + 34.0;
        svg.rect(0.0, 0.0, self.width, height, Ink::Ground);
        self.lines(&mut svg, strip, foot);
        let mut top = first_panel;
        for (panel, height) in PANELS.iter().zip(heights) {
            self.panel(&mut svg, panel, top, height);
            top += height + PANEL_GAP;
        }
        self.ticks(&mut svg, foot);
        self.markers(&mut svg, strip + ROW / 2.0 + 3.0);
        self.header(&mut svg);
        self.labels(&mut svg, strip);
        svg.finish(self.width, height, description)
    }

    fn height(&self, panel: &Panel) -> f32 {
        if self.timeline.total(panel.value) > 0.0 { PANEL } else { EMPTY_PANEL }
    }

    fn header(&self, svg: &mut Svg) {
        let margin = self.width - self.right;
        let room = self.width - 2.0 * margin;
        let title = match &self.timeline.function {
            Some(function) => format!("{} · function {function}", self.timeline.secret),
            None => self.timeline.secret.to_string(),
        };
        svg.text(margin, 30.0, &fitted(&title, room, TITLE.size, true), TITLE);
        let bar = u64::try_from(self.timeline.bar_s).unwrap_or_default();
        let span = format!(
            "{} – {} UTC, one bar is {}",
            self.timeline.window.from.strftime("%-d %b %H:%M"),
            self.timeline.window.to.strftime("%-d %b %H:%M"),
            spoken(bar)
        );
        svg.text(margin, 50.0, &fitted(&span, room, SMALL.size, false), SMALL);
        let mut x = margin;
        for (kind, name) in [
            (EventKind::Failed, "rotation failed"),
            (EventKind::Succeeded, "succeeded"),
            (EventKind::Started, "started"),
            (EventKind::Change, "change"),
        ] {
            if self.timeline.count(kind) > 0 {
                marker(svg, kind, x + 5.0, 68.0);
                svg.text(x + 15.0, 72.0, name, SMALL);
                x += 15.0 + width(name, SMALL.size, false) + 18.0;
            }
        }
    }

    /// Behind everything else: where a labelled marker meets the small charts.
    fn lines(&self, svg: &mut Svg, strip: f32, foot: f32) {
        for (mark, spot) in &self.spots {
            let from = spot.map_or(strip, |spot| strip - LANE * spot.lane as f32 - LANE / 2.0);
            let x = self.axis.x(mark.at);
            svg.line((x, from), (x, foot), ink(mark.kind), true);
        }
    }

    fn markers(&self, svg: &mut Svg, top: f32) {
        let row = |kind| if kind == EventKind::Change { top } else { top + ROW };
        svg.line((self.left, row(EventKind::Failed)), (self.right, row(EventKind::Failed)), Ink::Grid, false);
        // Failures last: where shapes overlap, they are seen.
        let (failed, others): (Vec<&EventMark>, Vec<&EventMark>) =
            self.timeline.marks.iter().partition(|mark| mark.kind == EventKind::Failed);
        for mark in others.into_iter().chain(failed) {
            marker(svg, mark.kind, self.axis.x(mark.at), row(mark.kind));
        }
    }

    fn labels(&self, svg: &mut Svg, strip: f32) {
        for (mark, spot) in &self.spots {
            let (Some(spot), Some(label)) = (spot, &mark.label) else { continue };
            let top = strip - LANE * (spot.lane + 1) as f32;
            svg.rect(spot.start - 2.0, top + 2.0, width_of(mark) + 4.0, LANE - 4.0, Ink::Ground);
            svg.text(spot.start, top + 14.5, label, LABEL);
        }
    }

    fn panel(&self, svg: &mut Svg, panel: &Panel, top: f32, height: f32) {
        let total = self.timeline.total(panel.value);
        let amount = if total > 0.0 { format!("{total:.0} in all") } else { "none".to_owned() };
        let beside = self.left + width(panel.name, NAME.size, true) + 8.0;
        svg.rect(self.left, top, beside - self.left + width(&amount, SMALL.size, false) + 3.0, PANEL_NAME - 2.0, Ink::Ground);
        svg.text(self.left, top + 13.0, panel.name, NAME);
        svg.text(beside, top + 13.0, &amount, SMALL);
        if total <= 0.0 {
            return svg.line((self.left, top + height), (self.right, top + height), Ink::Grid, false);
        }
        let (ceiling, floor) = (top + PANEL_NAME, top + height);
        let highest = self.timeline.bars.iter().map(panel.value).fold(0.0, f64::max);
        let end = Type { anchor: Anchor::End, ..SMALL };
        svg.line((self.left, ceiling), (self.right, ceiling), Ink::Grid, false);
        svg.line((self.left, floor), (self.right, floor), Ink::Grid, false);
        svg.text(self.left - 8.0, ceiling + 4.0, &format!("{highest:.0}"), end);
        svg.text(self.left - 8.0, floor + 4.0, "0", end);
        let wide = (self.axis.span(self.timeline.bar_s) - 1.0).max(THINNEST);
        for bar in &self.timeline.bars {
            let value = (panel.value)(bar);
            if value > 0.0 {
                let tall = ((value / highest) as f32 * (floor - ceiling)).max(1.0);
                let x = self.axis.x(bar.at).min(self.right - wide);
                svg.rect(x, floor - tall, wide, tall, panel.ink);
            }
        }
    }

    fn ticks(&self, svg: &mut Svg, foot: f32) {
        let middle = Type { anchor: Anchor::Middle, ..SMALL };
        let mut free = f32::MIN;
        for tick in self.axis.ticks(64.0) {
            svg.line((tick.x, foot), (tick.x, foot + 5.0), Ink::Dim, false);
            let half = width(&tick.label, SMALL.size, false) / 2.0;
            if tick.x - half > free && tick.x + half < self.width - 2.0 {
                svg.text(tick.x, foot + 20.0, &tick.label, middle);
                free = tick.x + half + 6.0;
            }
        }
    }
}

fn width_of(mark: &EventMark) -> f32 {
    mark.label.as_deref().map(|label| width(label, LABEL.size, false)).unwrap_or_default()
}

fn ink(kind: EventKind) -> Ink {
    match kind {
        EventKind::Failed => Ink::Errors,
        EventKind::Succeeded => Ink::Success,
        EventKind::Started => Ink::Dim,
        EventKind::Change => Ink::Change,
    }
}

/// A shape of its own for each kind, so that colour is not all that tells them apart.
fn marker(svg: &mut Svg, kind: EventKind, x: f32, y: f32) {
    let ink = ink(kind);
    match kind {
        EventKind::Failed => {
            // A cross of two bars.
            let (long, thin) = (5.0, 1.6);
            for turn in [1.0, -1.0] {
                let points = [
                    (x - long, y - turn * (long - thin)),
                    (x - long + thin, y - turn * long),
                    (x + long, y + turn * (long - thin)),
                    (x + long - thin, y + turn * long),
                ];
                svg.shape(&points, ink);
            }
        }
        EventKind::Succeeded => svg.circle(x, y, 4.5, ink),
        EventKind::Started => {
            svg.circle(x, y, 4.5, ink);
            svg.circle(x, y, 2.5, Ink::Ground);
        }
        EventKind::Change => svg.shape(&[(x, y - 5.5), (x + 5.5, y + 4.5), (x - 5.5, y + 4.5)], ink),
    }
}

/// `15 min`, `12 h`, `1 d`.
fn spoken(seconds: u64) -> SafeText {
    match seconds {
        0..3600 => duration(seconds * 1000),
        3600..86_400 => safe_format!("{} h", seconds / 3600),
        _ => safe_format!("{} d", seconds / 86_400),
    }
}
