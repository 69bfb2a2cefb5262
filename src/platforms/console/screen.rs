//! How the page shows messages on a phone.

use crate::chat::{LineSize, Screen};

/// Source: the page's own style for narrow windows, drawn by Chromium 390 pixels wide, as `tests/looks.py` does; with the button that
/// copies a command, which its script shows.
pub(super) const SCREEN: Screen = Screen {
    around: 220,
    title: LineSize::new(21, 36),
    context: LineSize::new(20, 33),
    text: LineSize::new(21, 43),
    code: LineSize::new(18, 40),
    gap: 12,
    command_frame: 44,
    quote_frame: 17,
};
