//! Everything went back to OK. Whether a rotation succeeded is another question: it is asked.

use super::performing::{next_revision, records};
use super::{Case, words};
use crate::alarm::Story;
use crate::investigation::Bot;
use crate::investigation::perform::Undone;
use crate::investigation::run::verdict;
use crate::model::{AttemptOutcome, Investigation};
use crate::store::{Ending, Filed, Outgoing, Stored, ThreadState};
use jiff::{SignedDuration, Timestamp};

/// How long before the first word of a cause the success may lie that ended it: an alarm arrives after its failure, and a
/// retry may have succeeded in between.
const BEFORE: SignedDuration = SignedDuration::from_hours(2);

impl Bot {
    /// Looks again; where rotation succeeded, the thread is marked as recovered and its investigations are closed, else it says
    /// why not.
    pub(super) async fn recover(&self, case: &Case<'_>, mut filed: Filed<Story>) -> Result<Ending, Undone> {
        let known = self.store.investigations_of(&filed.thread).await?;
        let mut ending = self.look_into_again(case, &known).await?;
        let since = filed.story.opened_at.checked_sub(BEFORE).unwrap_or(Timestamp::MIN);
        let seen = records(&ending);
        let recovered: Vec<&Investigation> = seen.iter().copied().filter(|record| has_succeeded(record, since)).collect();
        let is_over = recovered.len() == known.len();
        let message = words::recovered(case, &seen, &recovered, self.store.now());
        let closed = if is_over { self.closed_by(case, &known, &recovered) } else { Ending::default() };
        // A verdict is stated once: as closed.
        ending.messages.retain(|message| closed.messages.iter().all(|verdict| verdict.slot != message.slot));
        ending.messages.extend(closed.messages);
        (ending.resolved, ending.unwatch) = (closed.resolved, closed.unwatch);
        let name = format!("recovered-{}", case.claimed.ticket.number());
        ending.messages.push(Outgoing::reply(&filed.thread, name, message, "the alarm recovered"));
        ending.messages.push(self.about_alarm(case, &filed));
        let state = if is_over { ThreadState::Recovered } else { ThreadState::Open };
        self.store.mark_thread(&filed.thread, state, None).await?;
        if !is_over {
            // The alarm is quiet, the trouble is not over: the next word of it goes on here.
            filed.story.ended_at = None;
            self.store.file_story(&filed.thread, &[], &filed.story).await?;
        }
        Ok(ending)
    }

    /// The investigations are closed, by the alarm, and their verdicts say so.
    fn closed_by(&self, case: &Case<'_>, known: &[Stored], recovered: &[&Investigation]) -> Ending {
        let (by, now) = (words::closer(case), self.store.now());
        let mut ending = Ending::default();
        for stored in known {
            let Some(record) = recovered.iter().find(|record| record.id == stored.id) else { continue };
            let closed = Stored {
                revision: next_revision(stored),
                choice: Some(case.choice.clone()),
                resolved: Some((by.clone(), now)),
                watched_since: None,
                ..stored.clone()
            };
            ending.messages.push(verdict(&closed, record));
            ending.resolved.push((stored.id.clone(), by.clone()));
            ending.unwatch.push(stored.id.clone());
        }
        ending
    }
}

/// True when the last rotation that ended succeeded, and did so lately enough to be the end of this trouble.
fn has_succeeded(record: &Investigation, since: Timestamp) -> bool {
    let evidence = &record.evidence;
    let last = evidence.history.found().and_then(|history| {
        let ended = history.attempts.iter().filter(|attempt| !attempt.is_test && attempt.outcome != AttemptOutcome::Started);
        ended.max_by_key(|attempt| attempt.at())
    });
    let rotated_at = evidence.rotation_config.found().and_then(|config| config.last_rotated_at);
    match last {
        Some(attempt) if attempt.outcome == AttemptOutcome::Succeeded => attempt.at().is_some_and(|at| at >= since),
        Some(_) => false,
        // Event history may be out of reach; the secret itself says when it rotated.
        None => rotated_at.is_some_and(|at| at >= since),
    }
}
