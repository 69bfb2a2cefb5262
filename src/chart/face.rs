//! The font: Inter, embedded, so that a chart looks the same everywhere; and how wide its text is.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// Inter Regular, reduced to Latin, Greek and Cyrillic; under the SIL Open Font License.
pub const REGULAR: &[u8] = include_bytes!("../../config/fonts/Inter-Regular.otf");
/// Inter SemiBold, likewise.
pub const SEMI_BOLD: &[u8] = include_bytes!("../../config/fonts/Inter-SemiBold.otf");

/// What a character the font lacks is taken to be wide, in em.
const UNKNOWN: f32 = 0.6;

/// The width of `text` at `size` pixels.
pub(super) fn width(text: &str, size: f32, bold: bool) -> f32 {
    let Ok(font) = FontRef::new(if bold { SEMI_BOLD } else { REGULAR }) else {
        return text.chars().map(|_| size * UNKNOWN).sum();
    };
    let (glyphs, metrics) = (font.charmap(), font.glyph_metrics(Size::new(size), LocationRef::default()));
    let advance = |c: char| glyphs.map(c).and_then(|glyph| metrics.advance_width(glyph)).unwrap_or(size * UNKNOWN);
    text.chars().map(advance).sum()
}

/// `text` cut so that it is at most `room` pixels wide.
pub(super) fn fitted(text: &str, room: f32, size: f32, bold: bool) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&format!("{kept}…"), size, bold) > room {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_come_from_the_font() {
        assert!(width("iiii", 12.0, false) < width("MMMM", 12.0, false) / 2.0);
        assert!(width("Errors", 12.0, true) > width("Errors", 12.0, false));
        assert!((width("Errors", 24.0, false) - 2.0 * width("Errors", 12.0, false)).abs() < 0.01);
        assert!(width("日本", 12.0, false) > 0.0);
    }

    #[test]
    fn text_that_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fitted("Errors", 100.0, 12.0, false), "Errors");
        let cut = fitted("UpdateFunctionConfiguration", 60.0, 12.0, false);
        assert!(cut.ends_with('…') && width(&cut, 12.0, false) <= 60.0, "{cut}");
    }
}
