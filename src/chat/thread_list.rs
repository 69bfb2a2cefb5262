//! The list of threads that a person chooses from, on a platform that shows one.

use super::document::Tone;
use crate::model::InvestigationId;
use crate::redact::SafeText;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Which threads are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadQuery {
    /// What the title or a secret's name contains, whatever the case; empty for all.
    pub text: String,
    pub filter: ThreadFilter,
    /// What the keys of everything begin with that whoever looks has sent, for [`ThreadFilter::Mine`].
    pub sent_as: String,
    /// The account's name in the configuration.
    pub account: Option<String>,
    /// Only threads that stand behind this place of the list.
    pub behind: Option<ThreadCursor>,
    /// How many at most.
    pub limit: usize,
}

/// A choice among threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThreadFilter {
    #[default]
    All,
    /// Something is wrong, or it is not known yet whether it is; and nobody has closed it.
    Open,
    /// Rotation does not happen.
    Failing,
    /// Whoever looks has asked, or gone on, there.
    Mine,
}

impl ThreadFilter {
    /// All of them, as they are offered.
    pub const ALL: [ThreadFilter; 4] = [ThreadFilter::All, ThreadFilter::Open, ThreadFilter::Failing, ThreadFilter::Mine];

    /// What people are shown of it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            ThreadFilter::All => "All",
            ThreadFilter::Open => "Open",
            ThreadFilter::Failing => "Failing",
            ThreadFilter::Mine => "Mine",
        }
    }

    /// The word it has in an address.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            ThreadFilter::All => "all",
            ThreadFilter::Open => "open",
            ThreadFilter::Failing => "failing",
            ThreadFilter::Mine => "mine",
        }
    }

    /// The filter with this word; all threads for any other.
    #[must_use]
    pub fn of(word: &str) -> ThreadFilter {
        ThreadFilter::ALL.into_iter().find(|filter| filter.word() == word).unwrap_or_default()
    }

    /// Whether a thread that looks like `tone` is listed.
    #[must_use]
    pub const fn takes(self, tone: Tone) -> bool {
        match self {
            ThreadFilter::All | ThreadFilter::Mine => true,
            ThreadFilter::Open => matches!(tone, Tone::Working | Tone::Bad | Tone::Warning),
            ThreadFilter::Failing => matches!(tone, Tone::Bad),
        }
    }
}

/// A place of the list, the newest threads first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThreadCursor {
    /// When the thread was opened, in milliseconds since 1970.
    pub opened_at: i64,
    /// Its number, for those of the same millisecond.
    pub number: i64,
}

impl fmt::Display for ThreadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.opened_at, self.number)
    }
}

/// The text is no place of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place of the list")]
pub struct NoCursor;

impl FromStr for ThreadCursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<ThreadCursor, NoCursor> {
        let (opened_at, number) = text.split_once('.').ok_or(NoCursor)?;
        let cursor =
            ThreadCursor { opened_at: opened_at.parse().map_err(|_| NoCursor)?, number: number.parse().map_err(|_| NoCursor)? };
        if cursor.to_string() == text { Ok(cursor) } else { Err(NoCursor) }
    }
}

/// A thread in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedThread {
    pub leads_to: ThreadTarget,
    pub tone: Tone,
    pub title: SafeText,
    pub opened_at: Timestamp,
    /// When its verdict, or whatever stands there, was last stated.
    pub stated_at: Timestamp,
}

/// Where a listed thread is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreadTarget {
    /// Here: the message it hangs on.
    Thread(String),
    /// On another platform, which sentences call by this name; its investigation is shown here.
    Elsewhere { investigation: InvestigationId, platform: &'static str },
}

/// The list, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadList {
    /// The newest first.
    pub threads: Vec<ListedThread>,
    /// From where on there may be more.
    pub older: Option<ThreadCursor>,
    /// The accounts that occur, whatever is filtered.
    pub accounts: BTreeSet<String>,
    /// The moment it was made.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_list_is_read_as_it_is_written_and_nothing_else_is() {
        let cursor = ThreadCursor { opened_at: 1_764_500_000_123, number: 42 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1", "1.", ".1", "+1.2", "01.2", "1.2.3", "1.2 ", "x.y", "99999999999999999999.1"] {
            assert_eq!(wrong.parse::<ThreadCursor>(), Err(NoCursor), "{wrong:?}");
        }
    }

    #[test]
    fn open_is_what_still_needs_somebody_and_failing_what_does_not_rotate() {
        let tones = [Tone::Working, Tone::Bad, Tone::Warning, Tone::Good, Tone::Neutral];
        let taken = |filter: ThreadFilter| tones.map(|tone| filter.takes(tone));
        assert_eq!(taken(ThreadFilter::All), [true; 5]);
        assert_eq!(taken(ThreadFilter::Mine), [true; 5]);
        assert_eq!(taken(ThreadFilter::Open), [true, true, true, false, false]);
        assert_eq!(taken(ThreadFilter::Failing), [false, true, false, false, false]);
        for filter in ThreadFilter::ALL {
            assert_eq!(ThreadFilter::of(filter.word()), filter);
        }
        assert_eq!(ThreadFilter::of("<script>"), ThreadFilter::All);
    }
}
