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

/// What is left of the screen, in pixels; and how much more was taken than there is, of what cannot be left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    left: usize,
    over: usize,
}

impl Screen {
    /// The screen below a title.
    pub(super) fn below(title: &SafeText) -> Screen {
        let mut screen = Screen { left: HEIGHT - AROUND, over: 0 };
        screen.take(lines(title, TITLE));
        screen
    }

    pub(super) const fn has(self, pixels: usize) -> bool {
        pixels <= self.left
    }

    pub(super) const fn take(&mut self, pixels: usize) {
        self.over += pixels.saturating_sub(self.left);
        self.left = self.left.saturating_sub(pixels);
    }

    /// True where what cannot be left out is taller than the screen.
    pub(super) const fn is_over(self) -> bool {
        self.over > 0
    }

    /// The screen without what is kept for something else.
    pub(super) const fn without(self, pixels: usize) -> Screen {
        Screen { left: self.left.saturating_sub(pixels), over: self.over }
    }

    /// How many characters of a quote have room.
    pub(super) const fn quotable(self) -> usize {
        self.left.saturating_sub(FRAME) / CODE.0 * CODE.1
    }
}

/// How many characters one line of a quote has.
pub(super) const ONE_LINE: usize = CODE.1;

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
