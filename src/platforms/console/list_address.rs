//! What of the list of threads is shown: it stands in the address of a page, so that it can be kept and shared.

use super::session::{BrowserSession, is_id};
use crate::chat::{ThreadCursor, ThreadFilter, ThreadQuery};
use url::form_urlencoded;

/// How many threads are listed at once.
pub(super) const THREADS: usize = 50;
/// The longest text that is searched for, and the longest name of an account, in characters.
const MAX_TEXT: usize = 200;

/// The part of a page's query that tells what became of a submission; its number follows.
pub(super) const ASKED: &str = "asked";
const TEXT: &str = "q";
const FILTER: &str = "show";
const ACCOUNT: &str = "account";
const BEHIND: &str = "behind";

/// What of the list is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ListAddress {
    /// What is searched for.
    pub(super) text: String,
    pub(super) filter: ThreadFilter,
    pub(super) account: Option<String>,
    /// Where the shown part begins.
    pub(super) behind: Option<ThreadCursor>,
}

impl ListAddress {
    /// Reads the query of a page's address. What cannot be read is left out.
    pub(super) fn parse(query: &str) -> ListAddress {
        let mut address = ListAddress::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let text: String = value.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
            match name.as_ref() {
                TEXT => address.text = text,
                FILTER => address.filter = ThreadFilter::of(&text),
                ACCOUNT => address.account = Some(text).filter(|text| !text.is_empty()),
                BEHIND => address.behind = text.parse().ok(),
                _ => {}
            }
        }
        address
    }

    /// As a query, without a question mark; empty where nothing is chosen.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair(TEXT, &self.text);
        }
        if self.filter != ThreadFilter::All {
            query.append_pair(FILTER, self.filter.word());
        }
        if let Some(account) = &self.account {
            query.append_pair(ACCOUNT, account);
        }
        if let Some(behind) = &self.behind {
            query.append_pair(BEHIND, &behind.to_string());
        }
        query.finish()
    }

    /// `path` with this list beside it.
    pub(super) fn at(&self, path: &str) -> String {
        match self.query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// `path` with this list beside it, and with what became of the submission of this number.
    pub(super) fn at_asked(&self, path: &str, once: &str) -> String {
        let asked = format!("{ASKED}={once}");
        match self.query() {
            query if query.is_empty() => format!("{path}?{asked}"),
            query => format!("{path}?{query}&{asked}"),
        }
    }

    /// The same list from its start, with another filter.
    pub(super) fn with_filter(&self, filter: ThreadFilter) -> ListAddress {
        ListAddress { filter, behind: None, ..self.clone() }
    }

    /// The same list from another place on.
    pub(super) fn from(&self, behind: Option<ThreadCursor>) -> ListAddress {
        ListAddress { behind, ..self.clone() }
    }

    /// True where not every thread is shown that there is.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.filter != ThreadFilter::All || self.account.is_some()
    }

    /// What it asks for.
    pub(super) fn asks(&self) -> ThreadQuery {
        ThreadQuery {
            text: self.text.clone(),
            filter: self.filter,
            sent_as: SENT_AS.to_owned(),
            account: self.account.clone(),
            behind: self.behind,
            limit: THREADS,
        }
    }
}

/// What the keys of everything begin with that is sent from the page. It knows one person: whoever has its token, in whatever
/// browser.
const SENT_AS: &str = "page.";

/// The key of what a session sends, under a number of its own.
pub(super) fn sent_as(session: &BrowserSession, once: &str) -> String {
    format!("{SENT_AS}{}.{once}", session.id)
}

/// The number of the submission that a page's address carries.
pub(super) fn asked(query: &str) -> Option<String> {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == ASKED);
    found.map(|(_, once)| once.into_owned()).filter(|once| is_id(once))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_survives_its_way_through_an_address() {
        let once = "0123456789abcdef0123456789abcdef";
        let address = ListAddress {
            text: "prod/a&b=c ü#?".to_owned(),
            filter: ThreadFilter::Failing,
            account: Some("prod eu".to_owned()),
            behind: Some("1764500000123.42".parse().unwrap()),
        };
        let at = address.at_asked("/", once);
        let (_, query) = at.split_once('?').unwrap();
        assert_eq!((ListAddress::parse(query), asked(query).as_deref()), (address.clone(), Some(once)));
        assert_eq!(ListAddress::parse(&address.query()), address);
        assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>#".contains(&byte)), "{query}");
        assert_eq!(ListAddress::default().at("/threads/x"), "/threads/x");
        assert_eq!(ListAddress::default().at_asked("/", once), format!("/?asked={once}"));
        assert_eq!(address.with_filter(ThreadFilter::All).behind, None, "another filter begins at the start");
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for query in ["", "q=", "show=everything", "account=", "behind=yesterday", "%", "&&=", "asked=1"] {
            assert_eq!(ListAddress::parse(query), ListAddress::default(), "{query}");
            assert_eq!(asked(query), None);
        }
        assert_eq!(ListAddress::parse(&format!("q={}", "x".repeat(5_000))).text.len(), MAX_TEXT);
        assert_eq!(ListAddress::parse("q=a%00b%0d%0ac").text, "abc");
    }
}
