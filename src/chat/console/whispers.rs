//! What one person alone is told, until that person says something else.

use crate::chat::Message;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many sessions are remembered; the oldest is forgotten first.
const MOST_SESSIONS: usize = 256;
/// How many messages a session is shown.
const MOST_MESSAGES: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Whispers(Mutex<VecDeque<(String, VecDeque<Message>)>>);

impl Whispers {
    pub(super) fn add(&self, session: &str, message: Message) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = sessions.iter().position(|(known, _)| known == session);
        let (_, mut messages) = at.and_then(|at| sessions.remove(at)).unwrap_or_default();
        messages.push_back(message);
        if messages.len() > MOST_MESSAGES {
            messages.pop_front();
        }
        sessions.push_back((session.to_owned(), messages));
        if sessions.len() > MOST_SESSIONS {
            sessions.pop_front();
        }
    }

    pub(super) fn clear(&self, session: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| known != session);
    }

    pub(super) fn of(&self, session: &str) -> Vec<Message> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions
            .iter()
            .find(|(known, _)| known == session)
            .map(|(_, messages)| messages.iter().cloned().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::compose::notice;
    use crate::chat::document::Tone;

    #[test]
    fn a_session_hears_its_own_newest_messages_and_the_oldest_sessions_are_forgotten() {
        let whispers = Whispers::default();
        for at in 0..=MOST_MESSAGES {
            whispers.add("one", notice(Tone::Neutral, &format!("message {at}")));
        }
        let titles: Vec<String> = whispers.of("one").iter().map(|message| message.title.to_string()).collect();
        assert_eq!(titles, ["Message 1.", "Message 2.", "Message 3.", "Message 4.", "Message 5."]);
        assert!(whispers.of("two").is_empty());
        (0..MOST_SESSIONS).for_each(|at| whispers.add(&at.to_string(), notice(Tone::Neutral, "x")));
        assert!(whispers.of("one").is_empty());
        whispers.clear("7");
        assert!(whispers.of("7").is_empty() && whispers.of("8").len() == 1);
    }
}
