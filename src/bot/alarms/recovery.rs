//! Everything went back to OK. Whether a rotation succeeded is another question: it is asked.

use super::context::AlarmContext;
use super::messages;
use super::open_thread::{next_revision, records};
use super::threads::{AlarmThreads, LOOK_FOR, VERSION_AFTER};
use crate::alarm::AlarmGroup;
use crate::bot::error::HandlerError;
use crate::chat::Posted;
use crate::chat::document::{Mention, Tone};
use crate::model::{AlarmState, AttemptOutcome, Investigation, OkBasis, Recheck, SecretRef};
use crate::report::{Report, wording};
use crate::store::{
    Completion, DesiredMessage, InvestigationRow, InvestigationStage, Location, RunResult, StoreError, StoredGroup,
};
use jiff::{SignedDuration, Timestamp};

/// How long before the first word of a cause the success may lie that ended it: an alarm arrives after its failure, and a
/// retry may have succeeded in between.
const BEFORE: SignedDuration = SignedDuration::from_hours(2);

/// How many of a thread's newest messages are looked through for the end of a watch.
const MAX_ENDINGS: usize = 50;

impl AlarmThreads {
    /// Looks again; where rotation succeeded, the thread is marked as recovered and its investigations are closed, else it says
    /// why not.
    pub(super) async fn recover(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        let completion = self.look_into_again(case, &known).await?;
        let recovered = rotating(case, stored_group, &completion);
        let is_over = recovered.len() == known.len();
        let mut is_troubled = false;
        let now = self.store.now();
        self.change_group(&stored_group.thread, |group| {
            is_troubled = group.is_troubled_since(case.alarm);
            // Where the alarm is quiet and the trouble is not over, the next word of it goes on here.
            group.ended_at = (is_over && !is_troubled).then_some(now);
        })
        .await?;
        if is_troubled {
            // Another alarm says that it goes on, and says so itself.
            return self.with_overview(case, stored_group, completion, false).await;
        }
        self.conclude(case, stored_group, completion, is_over).await
    }

    /// The secret has a new version. Where a rotation made it, this is over; where a person wrote it, nothing is told.
    pub(super) async fn check_version(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        let mut seen = Completion::default();
        for row in &known {
            seen.concluded.extend(self.seen_quietly(row).await);
        }
        let is_over = !known.is_empty() && rotating(case, stored_group, &seen).len() == known.len();
        let mut is_ended = false;
        let now = self.store.now();
        self.change_group(&stored_group.thread, |group| {
            is_ended = is_over && !group.is_troubled_since(case.alarm);
            if is_ended {
                group.ended_at = Some(now);
            }
        })
        .await?;
        if is_ended {
            return self.conclude(case, stored_group, seen, true).await;
        }
        if now.duration_since(case.alarm.state_at) < LOOK_FOR {
            self.recheck_in(&stored_group.thread, Recheck::Version, VERSION_AFTER).await?;
        }
        Ok(Completion::default())
    }

    /// What a look at an investigation comes to that nobody sees; `None` where it could not be looked into.
    async fn seen_quietly(&self, row: &InvestigationRow) -> Option<RunResult> {
        let record = self.runner.look(row.location.as_ref()?, &row.question.secret).await.ok()?;
        let record = Investigation { id: row.id.clone(), ..record };
        let headline = wording::headline(&Report::new(&record));
        Some(RunResult {
            id: row.id.clone(),
            stage: InvestigationStage::Done,
            record: Some(record),
            headline,
            locations: Vec::new(),
        })
    }

    /// Says what a look after the alarm came to, and closes what is over.
    async fn conclude(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        mut completion: Completion,
        is_over: bool,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        let recovered = rotating(case, stored_group, &completion);
        let mut message = messages::recovered(case, known.len(), &records(&completion), &recovered, self.store.now());
        if is_over {
            message.mention = self.who_is_to_know(&known, stored_group.group.opened_at).await?;
            message.is_ending = true;
        }
        let closed = if is_over { self.closed_by(case, &known, &recovered) } else { Completion::default() };
        // A verdict is stated once: as closed.
        completion.messages.retain(|message| closed.messages.iter().all(|verdict| verdict.message_key != message.message_key));
        completion.messages.extend(closed.messages);
        (completion.resolved, completion.unwatch) = (closed.resolved, closed.unwatch);
        let name = format!("recovered-{}", case.claimed.lease.number());
        completion.messages.push(DesiredMessage::reply(&stored_group.thread, name, message, "the alarm recovered"));
        self.with_overview(case, stored_group, completion, is_over).await
    }

    /// The people who asked about these secrets, or went on with their investigations, since the alarm came; but whom a watch has
    /// told already that a rotation succeeded is called no second time.
    async fn who_is_to_know(&self, known: &[InvestigationRow], since: Timestamp) -> Result<Option<Mention>, StoreError> {
        let Some(first) = known.first() else { return Ok(None) };
        let secrets: Vec<&SecretRef> = known.iter().map(|row| &row.question.secret).collect();
        let people = self.store.who_asked(&first.place, &secrets, since).await?;
        let told = match first.place.thread.as_deref().filter(|_| !people.is_empty()) {
            Some(root) => self.store.posted(first.place.platform, root, MAX_ENDINGS).await?,
            None => Vec::new(),
        };
        let people = untold(people, &told, since);
        Ok((!people.is_empty()).then_some(Mention::People(people)))
    }

    /// The ending, and what the first message says of several secrets after it.
    pub(super) async fn with_overview(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        mut completion: Completion,
        is_over: bool,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        if known.is_empty() || known.iter().any(|row| row.message_key == crate::store::ROOT) {
            return Ok(completion);
        }
        let mut all = Vec::new();
        for row in &known {
            let seen = completion.concluded.iter().find(|concluded| concluded.id == row.id);
            match seen.and_then(|concluded| concluded.record.clone()) {
                Some(record) => all.push(record),
                None => all.extend(self.store.record(&row.id).await?),
            }
        }
        let all: Vec<&Investigation> = all.iter().collect();
        let overview = if is_over { messages::all_over(case, &all) } else { messages::overview(case, &all, &[]) };
        completion.messages.push(DesiredMessage::root(
            &stored_group.thread,
            overview,
            "what the secrets of an alarm have in common",
        ));
        Ok(completion)
    }

    /// The investigations are closed, by the alarm, and their verdicts say so.
    fn closed_by(&self, case: &AlarmContext<'_>, known: &[InvestigationRow], recovered: &[&Investigation]) -> Completion {
        let (by, now) = (messages::closer(case), self.store.now());
        let mut completion = Completion::default();
        for row in known {
            let Some(record) = recovered.iter().find(|record| record.id == row.id) else { continue };
            let closed = InvestigationRow {
                revision: next_revision(row),
                location: Some(case.location.clone()),
                resolved: Some((by.clone(), now)),
                watched_since: None,
                ..row.clone()
            };
            completion.messages.push(self.runner.verdict(&closed, record));
            completion.resolved.push((row.id.clone(), by.clone()));
            completion.unwatch.push(row.id.clone());
        }
        completion
    }

    /// True when a secret that an alarm told of at `since` is seen to rotate, or nothing is seen to be wrong with it.
    pub(super) async fn works_since(
        &self,
        location: &Location,
        secret: &SecretRef,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let Ok(record) = self.runner.look(location, secret).await else { return Ok(false) };
        let is_healthy = record.diagnosis.outcome == crate::model::Outcome::Healthy;
        Ok(is_healthy || has_succeeded(&record, since.checked_sub(BEFORE).unwrap_or(Timestamp::MIN), None))
    }
}

/// Those of `people` whom none of the messages that a thread shows has called since to a rotation that succeeded.
fn untold(mut people: Vec<String>, shown: &[Posted], since: Timestamp) -> Vec<String> {
    let is_end = |posted: &&Posted| posted.at >= since && posted.message.is_ending && posted.message.tone == Tone::Good;
    for posted in shown.iter().filter(is_end) {
        if let Some(Mention::User(called)) = &posted.message.mention {
            people.retain(|person| person != called);
        }
    }
    people
}

/// Those of what was seen whose last rotation succeeded.
fn rotating<'a>(case: &AlarmContext<'_>, stored_group: &StoredGroup<AlarmGroup>, seen: &'a Completion) -> Vec<&'a Investigation> {
    let since = stored_group.group.opened_at.checked_sub(BEFORE).unwrap_or(Timestamp::MIN);
    let is_told = case.alarm.state == AlarmState::Ok && case.alarm.basis == OkBasis::Rotated;
    let rotated_at = |record: &Investigation| {
        let is_of_it = case
            .alarm
            .secrets
            .iter()
            .any(|secret| case.alarm.secret_key(secret) == case.alarm.secret_key(&record.evidence.asked));
        (is_told && is_of_it).then_some(case.alarm.state_at)
    };
    records(seen).into_iter().filter(|record| has_succeeded(record, since, rotated_at(record))).collect()
}

/// True when the last rotation that ended succeeded, and did so lately enough to be the end of this trouble. Event history
/// is late, and may be out of reach: what Secrets Manager itself told, and when the secret says that it rotated, count too.
fn has_succeeded(record: &Investigation, since: Timestamp, told: Option<Timestamp>) -> bool {
    let evidence = &record.evidence;
    let attempts = evidence.history.found().map(|history| history.attempts.as_slice()).unwrap_or_default();
    let newest = |is_meant: fn(AttemptOutcome) -> bool| {
        let ended = attempts.iter().filter(|attempt| !attempt.is_test && is_meant(attempt.outcome));
        ended.filter_map(|attempt| attempt.at()).max()
    };
    let failed = newest(|outcome| matches!(outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned));
    let rotated = evidence.rotation_config.found().and_then(|config| config.last_rotated_at);
    let succeeded = newest(|outcome| outcome == AttemptOutcome::Succeeded).max(rotated).max(told);
    succeeded.is_some_and(|at| at >= since && failed.is_none_or(|failed| failed < at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Message;

    #[test]
    fn whom_a_watch_has_told_of_the_success_is_called_no_second_time() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let shown = |second: i64, tone, is_ending, user: &str| Posted {
            id: "1".to_owned(),
            revision: 1,
            at: at(second),
            message: Message {
                is_ending,
                mention: Some(Mention::User(user.to_owned())),
                ..Message::line(tone, "The watched rotation".into())
            },
        };
        let people = || vec!["U1".to_owned(), "U2".to_owned()];
        assert_eq!(untold(people(), &[shown(5, Tone::Good, true, "U1")], at(0)), ["U2"]);
        for other in [
            shown(5, Tone::Bad, true, "U1"),
            shown(5, Tone::Good, false, "U1"),
            shown(-5, Tone::Good, true, "U1"),
            shown(5, Tone::Good, true, "U3"),
        ] {
            assert_eq!(untold(people(), &[other], at(0)), people());
        }
    }
}
