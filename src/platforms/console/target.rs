//! Where somebody wanted to go who has to sign in first.

use super::session::is_id;
use super::view::Paths;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest target that is kept, in bytes; the page's own paths are far shorter.
const MAX_BYTES: usize = 512;

/// A page of ours, as a path below the page's own prefix, perhaps with a query and a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageTarget(String);

impl PageTarget {
    /// The channel.
    pub(super) fn channel() -> PageTarget {
        PageTarget("/".to_owned())
    }

    /// Reads a target that came from outside. Only the channel, threads and investigations are led to, so that a link to the
    /// sign-in cannot send anybody anywhere else: no other host however it is written, and no path that turns into one.
    pub(super) fn parse(text: &str) -> Option<PageTarget> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/?=&#+".contains(c);
        if text.len() > MAX_BYTES || !text.chars().all(is_plain) {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let is_own = path == "/" || path.starts_with("/threads/") || path.starts_with("/investigations/");
        let is_straight = path.split('/').skip(1).all(|segment| !is_dots(segment)) && !path.contains("//");
        (is_own && is_straight).then(|| PageTarget(text.to_owned()))
    }

    /// The sign-in that leads there.
    pub(super) fn sign_in(&self, paths: &Paths) -> String {
        let sign_in = paths.at("/sign-in");
        match self.0.as_str() {
            "/" => sign_in,
            target => format!("{sign_in}?to={}", utf8_percent_encode(target, NON_ALPHANUMERIC)),
        }
    }

    /// As it stands in a form.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it is.
    pub(super) fn path(&self, paths: &Paths) -> String {
        paths.at(&self.0)
    }

    /// The same, with what became of the submission of this number.
    pub(super) fn asked(&self, once: &str) -> PageTarget {
        let path = self.0.split(['?', '#']).next().unwrap_or("/");
        PageTarget(if is_id(once) { format!("{path}?asked={once}") } else { path.to_owned() })
    }

    /// True for a thread.
    pub(super) fn is_thread(&self) -> bool {
        self.0.starts_with("/threads/")
    }
}

/// `.` and `..`, however they are encoded.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Where somebody goes once they are in, and what they take along.
pub(super) struct Luggage {
    pub(super) to: PageTarget,
    /// What they had written; may be empty.
    pub(super) words: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_our_own_are_led_to() {
        for own in [
            "/",
            "/?asked=0123456789abcdef0123456789abcdef",
            "/?q=orders+db&show=failing",
            "/threads/0123.root%2F0",
            "/investigations/0123456789abcdef0123456789abcdef#step-4",
            "/investigations/x/files/report.json",
        ] {
            assert_eq!(PageTarget::parse(own).map(|target| target.path(&Paths::new(""))).as_deref(), Some(own));
        }
        for foreign in [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "https:evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "evil.example",
            "/threads/..//evil.example",
            "/threads/%2e%2E//evil.example",
            "/threads/../sign-in",
            "/investigations//evil.example",
            "/%2f/evil.example",
            "/@evil.example",
            "/sign-in",
            "/assets/console.js",
            "/live",
            "/say",
            "/threads",
            "/threadsx",
            "/threads/é",
            "/threads/x\r\nset-cookie: a=b",
        ] {
            assert_eq!(PageTarget::parse(foreign), None, "{foreign:?}");
        }
        assert_eq!(PageTarget::parse(&format!("/threads/{}", "x".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn a_target_survives_its_way_through_the_sign_in() {
        let target = PageTarget::parse("/threads/a%2Fb?asked=0123456789abcdef0123456789abcdef#m-1").unwrap();
        let address = target.sign_in(&Paths::new(""));
        let (_, encoded) = address.split_once("?to=").unwrap();
        let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
        assert_eq!(PageTarget::parse(&decoded), Some(target));
        let below = Paths::new("/ops");
        assert_eq!(PageTarget::channel().sign_in(&below), "/ops/sign-in");
        assert_eq!(PageTarget::channel().path(&below), "/ops");
        assert_eq!(PageTarget::parse("/?asked=x").map(|target| target.path(&below)).as_deref(), Some("/ops?asked=x"));
        assert_eq!(PageTarget::parse("/threads/x").map(|target| target.path(&below)).as_deref(), Some("/ops/threads/x"));
    }
}
