//! HTML. Every text goes through [`text`] or [`block`]: shown as it is, it can do nothing to the page.

mod frame;
mod investigation;
mod message;
mod sheet;

pub(super) use frame::{refused, sign_in};
pub(super) use investigation::investigation;
pub(super) use sheet::{Channel, Open, Sheet, sheet};

use crate::redact::SafeText;
use crate::report::inert::{lines, one_line};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// Where a thread is.
pub(super) fn thread_path(root: &str) -> String {
    format!("/threads/{}", plain(root))
}

/// Where an investigation is.
fn investigation_path(id: &str) -> String {
    format!("/investigations/{}", plain(id))
}

fn plain(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}

/// One line.
fn text(text: &SafeText) -> String {
    one_line(text)
}

/// Lines as they are.
fn block(text: &SafeText) -> String {
    lines(text).join("\n")
}
