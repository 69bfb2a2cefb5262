//! What stands in a text for a hidden value.

use std::ops::Range;

use super::scan::{byte, run_end};

/// How a marker begins. It names the kind of secret and ends with `]`.
pub(super) const MARKER_START: &str = "[hidden: ";

/// The inert text that stands for a hidden value.
pub(super) fn marker(kind: &str) -> String {
    format!("{MARKER_START}{kind}]")
}

/// Whether the range is nothing but markers of an earlier redaction.
pub(super) fn is_hidden_already(text: &str, range: &Range<usize>) -> bool {
    range.start < range.end && after_markers(text, range.start) >= range.end
}

pub(super) fn after_markers(text: &str, at: usize) -> usize {
    let mut end = at;
    while let Some(rest) = text.get(end..).filter(|rest| rest.starts_with(MARKER_START)) {
        let label = run_end(rest, MARKER_START.len(), |byte| byte.is_ascii_lowercase() || byte == b' ');
        if byte(rest, label) != Some(b']') {
            break;
        }
        end += label + 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_alone_are_hidden_already_and_nothing_is_not() {
        let text = "[hidden: password][hidden: url password] x";
        for (range, expected) in [(0..40, true), (0..18, true), (0..41, false), (0..42, false), (0..0, false), (41..42, false)] {
            assert_eq!(is_hidden_already(text, &range), expected, "{range:?}");
        }
    }
}
