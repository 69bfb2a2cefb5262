//! How much of a phone's screen a message takes, so that what a thread hangs on is read without scrolling far.
//!
//! A phone is 390 pixels wide; the figures are those of the client that needs the most room for each, as `tests/looks.py` draws them.

use crate::redact::SafeText;

/// How tall the first message of a thread may be, in pixels.
const HEIGHT: usize = 1_200;
/// What stands around its texts: who says it, the frame, and its controls.
const AROUND: usize = 315;

/// A line of text, and how many characters it has.
const LINE: (usize, usize) = (22, 31);
/// A line of the title.
const TITLE: (usize, usize) = (26, 25);
/// A line of a command or a quote; around them is a frame.
const CODE: (usize, usize) = (18, 31);
const FRAME: usize = 26;
/// The gap above a label.
const GAP: usize = 6;

/// What is left of the screen, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen(usize);

impl Screen {
    /// The screen below a title.
    pub(super) fn below(title: &SafeText) -> Screen {
        Screen((HEIGHT - AROUND).saturating_sub(lines(title, TITLE)))
    }

    pub(super) const fn has(self, pixels: usize) -> bool {
        pixels <= self.0
    }

    pub(super) const fn take(&mut self, pixels: usize) {
        self.0 = self.0.saturating_sub(pixels);
    }

    /// The screen without what is kept for something else.
    pub(super) const fn without(self, pixels: usize) -> Screen {
        Screen(self.0.saturating_sub(pixels))
    }

    /// How many characters of a quote have room.
    pub(super) const fn quotable(self) -> usize {
        self.0.saturating_sub(FRAME) / CODE.0 * CODE.1
    }
}

/// A label.
pub(super) const LABEL: usize = LINE.0 + GAP;

/// How tall a paragraph is.
pub(super) fn text(text: &SafeText) -> usize {
    lines(text, LINE)
}

/// How tall a command is.
pub(super) fn code(text: &SafeText) -> usize {
    FRAME + text.as_str().lines().map(|line| line.chars().count().div_ceil(CODE.1).max(1) * CODE.0).sum::<usize>()
}

fn lines(text: &SafeText, (height, width): (usize, usize)) -> usize {
    text.chars().count().div_ceil(width) * height
}
