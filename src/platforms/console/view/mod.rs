//! HTML. Every text goes through [`text`], [`line()`] or [`block`]: shown as it is, it can do nothing to the page.

mod cause;
mod frame;
mod investigation;
mod list;
mod message;
mod sheet;

pub(super) use cause::cause;
pub(super) use frame::{SignOut, refused, sign_in};
pub(super) use investigation::investigation;
pub(super) use message::{Enrichment, investigations_of};
pub(super) use sheet::{Open, SessionView, sheet};

use crate::redact::SafeText;
use maud::{Markup, html};
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

/// Words of this length, in bytes, may be broken where their parts meet.
const LONG_WORD: usize = 24;

/// One line, for an attribute.
fn line(text: &SafeText) -> String {
    text.single_line().into()
}

/// One line.
fn text(text: &SafeText) -> Markup {
    breakable(text.single_line().as_str())
}

/// Lines as they are.
fn block(text: &SafeText) -> Markup {
    breakable(SafeText::join(text.visible_lines(), "\n").as_str())
}

/// ARNs, addresses and names of secrets are broken behind `:` and `/`, before anything else in them is.
fn breakable(text: &str) -> Markup {
    html! {
        @for word in text.split_inclusive(char::is_whitespace) {
            @if word.len() < LONG_WORD {
                (word)
            } @else {
                @for (at, part) in word.split_inclusive([':', '/']).enumerate() { @if at > 0 { wbr; } (part) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_breaks_where_its_parts_meet_and_short_words_do_not() {
        let arn = SafeText::redact("role arn:aws:iam::123456789012:role/rotator <b>");
        assert_eq!(
            text(&arn).into_string(),
            "role arn:<wbr>aws:<wbr>iam:<wbr>:<wbr>123456789012:<wbr>role/<wbr>rotator &lt;b&gt;"
        );
        assert_eq!(text(&SafeText::redact("prod/orders-db: 12:30")).into_string(), "prod/orders-db: 12:30");
        assert_eq!(block(&SafeText::redact("a\nb")).into_string(), "a\nb");
    }
}
