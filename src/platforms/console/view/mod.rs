//! HTML. Every text goes through [`text`] or [`block`]: shown as it is, it can do nothing to the page.

mod cause;
mod frame;
mod investigation;
mod message;
mod sheet;

pub(super) use cause::cause;
pub(super) use frame::{refused, sign_in};
pub(super) use investigation::investigation;
pub(super) use sheet::{Open, SessionView, ShownChannel, sheet};

use crate::redact::SafeText;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// Where the parts of the page are: below the path it is offered under.
#[derive(Debug, Clone)]
pub(super) struct Paths(String);

impl Paths {
    /// Below `prefix`, which is empty or begins with a slash and does not end with one.
    pub(super) fn new(prefix: &str) -> Paths {
        Paths(prefix.to_owned())
    }

    /// The channel.
    pub(super) fn channel(&self) -> String {
        if self.0.is_empty() { "/".to_owned() } else { self.0.clone() }
    }

    /// A thread.
    pub(super) fn thread(&self, root: &str) -> String {
        self.at(&format!("/threads/{}", plain(root)))
    }

    /// An investigation.
    fn investigation(&self, id: &str) -> String {
        self.at(&format!("/investigations/{}", plain(id)))
    }

    /// The page of a cause.
    fn cause(&self, id: &str) -> String {
        self.at(&format!("/causes/{}", plain(id)))
    }

    /// Anything else, by its path on a page that has its host to itself.
    pub(super) fn at(&self, path: &str) -> String {
        match path.strip_prefix('/') {
            Some(rest) if rest.is_empty() || rest.starts_with(['?', '#']) => format!("{}{rest}", self.channel()),
            _ => format!("{}{path}", self.0),
        }
    }
}

fn plain(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}

/// One line.
fn text(text: &SafeText) -> String {
    text.single_line().into()
}

/// Lines as they are.
fn block(text: &SafeText) -> String {
    SafeText::join(text.visible_lines(), "\n").into()
}
