//! What became of what was said: what the person alone is told about it, and the thread it leads to.
//!
//! It is kept under the session and the number of the form that was sent, which the address of the page then carries. So
//! only the window that asked is told, and only that one is led to the thread.

use super::session::BrowserSession;
use crate::chat::Message;
use crate::chat::command::holds_a_value;
use crate::chat::document::Tone;
use crate::clock;
use crate::redact::SafeText;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many submissions are remembered; the oldest is forgotten first.
const MAX_SUBMISSIONS: usize = 512;
/// How many messages one is answered with.
const MAX_NOTICES: usize = 5;
/// How long a browser without scripts looks again and again for the thread.
const PATIENCE: Duration = Duration::from_secs(120);

/// The field in which something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Field {
    #[default]
    Ask,
    /// The one of the open thread.
    Say,
}

/// What became of one submission.
#[derive(Debug, Clone, Default)]
pub(super) struct Submission {
    /// Where it was said.
    pub(super) field: Field,
    /// The words, where they started nothing: they go back into the field.
    pub(super) words: Option<String>,
    /// What the person alone is told.
    pub(super) notices: Vec<Message>,
    /// True while it is to be seen what comes of it.
    pub(super) is_awaited: bool,
}

#[derive(Debug)]
struct KnownSubmission {
    key: String,
    since: Instant,
    submission: Submission,
    /// What was said, while it may still turn out to have started nothing.
    said: Option<String>,
    /// The message the thread hangs on; taken by the window that goes there.
    thread: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Submissions(Mutex<VecDeque<KnownSubmission>>);

/// The name of a submission; what answers it carries this as its address.
pub(super) fn key(session: &BrowserSession, once: &str) -> String {
    format!("{}.{once}", session.id)
}

/// True for words that may be put back into their field. What would be hidden anywhere else, such as a value that was pasted
/// by mistake, is not.
pub(super) fn may_be_kept(words: &str) -> bool {
    !holds_a_value(words, |_| false) && SafeText::redact(words).single_line().as_str() == words
}

impl Submissions {
    /// Something was said in `field`, and is on its way. Sent again, it is the same submission.
    pub(super) fn begin(&self, key: &str, field: Field, words: Option<&str>) {
        let words = words.filter(|words| may_be_kept(words));
        self.change(key, |known| {
            known.said = words.map(str::to_owned);
            known.since = clock::this_instant();
            known.submission = Submission { field, is_awaited: true, ..Submission::default() };
        });
    }

    /// It started nothing: the words go back into the field, with why.
    pub(super) fn give_back(&self, key: &str, why: Message) {
        self.change(key, |known| {
            known.submission.words = known.said.take();
            known.submission.is_awaited = false;
            known.submission.notices = vec![why];
        });
    }

    /// The person is told something more about it. A refusal of what led to no thread gives the words back.
    pub(super) fn tell(&self, key: &str, message: Message) {
        self.change(key, |known| {
            known.submission.is_awaited = false;
            if message.tone == Tone::Warning {
                known.submission.words = known.said.take().or(known.submission.words.take());
            }
            let notices = &mut known.submission.notices;
            notices.push(message);
            if notices.len() > MAX_NOTICES {
                notices.remove(0);
            }
        });
    }

    /// Its thread is there.
    pub(super) fn lead(&self, key: &str, root: &str) {
        self.change(key, |known| {
            known.submission.is_awaited = false;
            known.said = None;
            known.thread = Some(root.to_owned());
        });
    }

    /// What became of it so far; `None` where nothing of the kind was said, or it is forgotten.
    pub(super) fn of(&self, key: &str) -> Option<Submission> {
        self.of_at(key, clock::this_instant())
    }

    fn of_at(&self, key: &str, now: Instant) -> Option<Submission> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().find(|known| known.key == key)?;
        let is_awaited = known.submission.is_awaited && now.duration_since(known.since) < PATIENCE;
        Some(Submission { is_awaited, ..known.submission.clone() })
    }

    /// The thread it led to, once: whoever comes back to the page later is not led away from it again.
    pub(super) fn take_thread(&self, key: &str) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().find(|known| known.key == key)?.thread.take()
    }

    fn change(&self, key: &str, change: impl FnOnce(&mut KnownSubmission)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|known| known.key == key);
        let mut known = at.and_then(|at| all.remove(at)).unwrap_or_else(|| KnownSubmission {
            key: key.to_owned(),
            since: clock::this_instant(),
            submission: Submission::default(),
            said: None,
            thread: None,
        });
        change(&mut known);
        all.push_back(known);
        if all.len() > MAX_SUBMISSIONS {
            all.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::compose::notice;

    fn said(text: &str) -> Message {
        notice(Tone::Neutral, SafeText::redact(text))
    }

    #[test]
    fn a_submission_is_told_its_own_newest_messages_and_the_oldest_are_forgotten() {
        let submissions = Submissions::default();
        for at in 0..=MAX_NOTICES {
            submissions.tell("one.1", said(&format!("message {at}")));
        }
        let titles: Vec<String> =
            submissions.of("one.1").unwrap().notices.iter().map(|message| message.title.to_string()).collect();
        assert_eq!(titles, ["Message 1.", "Message 2.", "Message 3.", "Message 4.", "Message 5."]);
        assert!(submissions.of("one.2").is_none(), "another form of the same session is another submission");
        (0..MAX_SUBMISSIONS).for_each(|at| submissions.tell(&at.to_string(), said("x")));
        assert!(submissions.of("one.1").is_none());
        assert!(submissions.of("0").is_some());
    }

    #[test]
    fn the_thread_is_taken_once_by_whoever_asked() {
        let submissions = Submissions::default();
        submissions.begin("one.1", Field::Ask, None);
        submissions.begin("one.2", Field::Ask, None);
        assert!(submissions.of("one.1").unwrap().is_awaited);
        submissions.lead("one.1", "root");
        assert!(!submissions.of("one.1").unwrap().is_awaited);
        assert_eq!(submissions.take_thread("one.2"), None);
        assert_eq!(submissions.take_thread("one.1").as_deref(), Some("root"));
        assert_eq!(submissions.take_thread("one.1"), None);
    }

    #[test]
    fn words_come_back_unless_a_value_was_pasted() {
        let submissions = Submissions::default();
        for (words, is_kept) in [
            ("/rotation-diag prod/ordres-db", true),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", false),
            ("q8Zr2LxV5tNw9KcB3mYh7PdF4sGj6TaE", false),
            ("prod/x Xk9#mP2$vL8q", false),
            ("a\u{202e}b", false),
        ] {
            submissions.begin("one.1", Field::Ask, Some(words));
            assert_eq!(submissions.of("one.1").unwrap().words, None);
            submissions.give_back("one.1", said("no"));
            let expected = is_kept.then(|| words.to_owned());
            assert_eq!(submissions.of("one.1").unwrap().words, expected, "{words}");
        }
    }

    #[test]
    fn words_that_turn_out_later_to_start_nothing_come_back_and_others_do_not() {
        let submissions = Submissions::default();
        submissions.begin("late", Field::Ask, Some("prod/ordres-db"));
        submissions.tell("late", notice(Tone::Warning, "there is no such secret"));
        assert_eq!(submissions.of("late").unwrap().words.as_deref(), Some("prod/ordres-db"));
        submissions.begin("led", Field::Ask, Some("prod/orders-db"));
        submissions.lead("led", "root");
        submissions.tell("led", notice(Tone::Warning, "a message could not be sent"));
        assert_eq!(submissions.of("led").unwrap().words, None);
    }

    #[test]
    fn what_never_comes_is_waited_for_two_minutes() {
        let submissions = Submissions::default();
        submissions.begin("one.1", Field::Say, None);
        assert!(submissions.of("one.1").unwrap().is_awaited);
        assert!(!submissions.of_at("one.1", clock::this_instant() + PATIENCE).unwrap().is_awaited);
    }
}
