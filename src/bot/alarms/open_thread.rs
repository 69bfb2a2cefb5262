//! What follows a decision: secrets are looked into together, and their thread says why.

use super::context::AlarmContext;
use super::messages;
use super::threads::{AlarmThreads, LOOK_AGAIN, LOOK_FOR};
use crate::alarm::{AlarmGroup, Reason, ResolvedBy};
use crate::aws::SessionOwner;
use crate::bot::error::HandlerError;
use crate::chat::compose;
use crate::investigation::{Options, new_investigation_id};
use crate::model::{Investigation, InvestigationRequest, SecretRef};
use crate::redact::SafeText;
use crate::store::{
    Completion, DesiredMessage, InvestigationRow, InvestigationStage, NewThread, ROOT, RunResult, StoreError, StoredGroup,
};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};

/// Secrets of one alarm that are looked into; the others are named.
const MAX_SECRETS: usize = 10;

/// How many of them at once.
const AT_ONCE: usize = 4;

/// The message about the alarm itself.
pub(super) const ALARM: &str = "alarm";

impl AlarmThreads {
    /// A thread begins: its secrets are looked into and compared.
    pub(super) async fn begin_thread(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<Completion, HandlerError> {
        if case.secrets().is_empty() {
            return self.without_secrets(case, stored_group).await;
        }
        let secrets: Vec<&SecretRef> = case.secrets().values().take(MAX_SECRETS).collect();
        let single = secrets.len() == 1;
        let mut opened = Vec::new();
        for (at, secret) in secrets.iter().enumerate() {
            let message_key = if single { ROOT.to_owned() } else { format!("s{}", at + 1) };
            opened.push(self.open_for(case, stored_group, secret, &message_key).await?);
        }
        let mut completion = self.look_into(case, &opened).await?;
        if !single {
            let left: Vec<&SecretRef> = case.secrets().values().skip(MAX_SECRETS).collect();
            let overview = messages::overview(case, &records(&completion), &left);
            completion.messages.push(DesiredMessage::root(
                &stored_group.thread,
                overview,
                "what the secrets of an alarm have in common",
            ));
        }
        Ok(completion)
    }

    /// No secret was found: the thread says what was tried, and how to map the alarm. While CloudTrail may not show the
    /// failed rotation yet, it is looked at again.
    async fn without_secrets(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<Completion, HandlerError> {
        if !self.store.investigations_of(&stored_group.thread).await?.is_empty() {
            // Another alarm told meanwhile which secret it is about.
            return Ok(Completion::default());
        }
        // What CloudTrail does not show of an alarm that is old by now, it will not show later.
        let waited = self.store.now().duration_since(case.alarm.state_at.min(case.claimed.received_at));
        let may_come = case.found.by == ResolvedBy::Nothing && case.found.secrets.is_empty() && waited < LOOK_FOR;
        let messages = vec![DesiredMessage::root(
            &stored_group.thread,
            messages::unmapped(case, may_come, self.store.now()),
            "an alarm without a secret",
        )];
        if may_come {
            self.store.upsert_messages(&messages).await?;
            return Err(HandlerError::RetryAfter(LOOK_AGAIN));
        }
        Ok(Completion { messages, ..Completion::default() })
    }

    /// The thread looks again, and says why.
    pub(super) async fn tell(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        reason: &Reason,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        let mut completion = match reason {
            Reason::NewSecrets(names) => {
                let mut opened = Vec::new();
                let new = case.secrets().iter().filter(|(name, _)| names.contains(*name)).take(MAX_SECRETS);
                for (at, (_, secret)) in new.enumerate() {
                    // The first message of a thread that was about no secret becomes the first one's verdict.
                    let message_key =
                        if known.is_empty() && at == 0 { ROOT.to_owned() } else { format!("s{}", known.len() + at + 1) };
                    opened.push(self.open_for(case, stored_group, secret, &message_key).await?);
                }
                self.look_into(case, &opened).await?
            }
            Reason::StillFailing(_) | Reason::Again => self.look_into_again(case, &known).await?,
        };
        let told = messages::thread_update(case, reason, &records(&completion), &stored_group.thread);
        let name = format!("told-{}", case.claimed.lease.number());
        completion.messages.push(DesiredMessage::reply(&stored_group.thread, name, told, messages::reason(reason)));
        self.with_overview(case, stored_group, completion, false).await
    }

    /// An alarm that changed to and fro has been still, in ALARM: the thread looks again, and says so.
    pub(super) async fn settle(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<Completion, HandlerError> {
        let known = self.store.investigations_of(&stored_group.thread).await?;
        let mut completion = self.look_into_again(case, &known).await?;
        let now = self.store.now();
        self.change_group(&stored_group.thread, |group| (group.told_at, group.ended_at) = (now, None)).await?;
        let told = messages::settled(case, &records(&completion), &stored_group.thread);
        let name = format!("still-{}", case.claimed.lease.number());
        completion.messages.push(DesiredMessage::reply(&stored_group.thread, name, told, "a flapping alarm is stable"));
        self.with_overview(case, stored_group, completion, false).await
    }

    /// An investigation of `secret` in the thread; the one that is there is kept.
    async fn open_for(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
        secret: &SecretRef,
        message_key: &str,
    ) -> Result<InvestigationRow, StoreError> {
        let wanted = case.alarm.secret_key(secret);
        let known = self.store.investigations_of(&stored_group.thread).await?;
        if let Some(row) = known.into_iter().find(|one| case.alarm.secret_key(&one.question.secret) == wanted) {
            return Ok(row);
        }
        let question = InvestigationRequest {
            secret: secret.clone(),
            account: case.location.account.clone(),
            region: Some(case.location.region.clone()),
            lookback: None,
        };
        let own = stored_group.thread.investigation().filter(|_| message_key == ROOT);
        let id = own.unwrap_or_else(new_investigation_id);
        let waiting = compose::progress(&SafeText::redact(secret.as_str()), &compose::waiting());
        let waiting = DesiredMessage::reply(&stored_group.thread, message_key, waiting, "an alarm").as_progress();
        let thread = NewThread { id: stored_group.thread.clone(), place: stored_group.place.clone() };
        self.store.open_investigation(&thread, &id, message_key, &question, &[waiting]).await
    }

    async fn look_into(&self, case: &AlarmContext<'_>, opened: &[InvestigationRow]) -> Result<Completion, HandlerError> {
        self.run_together(case, opened.iter().map(|row| (row.clone(), row.revision)).collect()).await
    }

    /// All of them again; the buttons of their old verdicts expire. What somebody had looked into since the alarm came says
    /// as much as another look.
    pub(super) async fn look_into_again(
        &self,
        case: &AlarmContext<'_>,
        known: &[InvestigationRow],
    ) -> Result<Completion, HandlerError> {
        let (mut seen, mut again) = (Vec::new(), Vec::new());
        for row in known {
            let is_fresh = row.stage == InvestigationStage::Done && row.started_at >= case.claimed.received_at;
            match if is_fresh { self.store.record(&row.id).await? } else { None } {
                Some(record) => seen.push(RunResult {
                    id: row.id.clone(),
                    stage: InvestigationStage::Done,
                    record: Some(record),
                    headline: row.headline.clone(),
                    locations: Vec::new(),
                }),
                None => again.push((row.clone(), next_revision(row))),
            }
        }
        let mut completion = self.run_together(case, again).await?;
        completion.concluded.extend(seen);
        Ok(completion)
    }

    async fn run_together(
        &self,
        case: &AlarmContext<'_>,
        investigations: Vec<(InvestigationRow, u32)>,
    ) -> Result<Completion, HandlerError> {
        let location = &case.location;
        let mut runs: Vec<BoxFuture<'_, Result<Completion, HandlerError>>> = Vec::new();
        for (row, revision) in investigations {
            runs.push(Box::pin(async move {
                let options = Options::new(row.question.secret.clone());
                self.runner.run(case.claimed.lease, &row, revision, location, options, SessionOwner::alarm()).await
            }));
        }
        let mut all = Completion::default();
        for completion in stream::iter(runs).buffered(AT_ONCE).collect::<Vec<_>>().await {
            let completion = completion?;
            all.concluded.extend(completion.concluded);
            all.messages.extend(completion.messages);
        }
        Ok(all)
    }

    /// The message about the newest alarm, with one more counted that is older; `None` where none is stated.
    pub(super) async fn recounted(&self, stored_group: &StoredGroup<AlarmGroup>) -> Result<Option<DesiredMessage>, StoreError> {
        let stated = self.store.stated(&stored_group.thread, ALARM).await?;
        let message = stated.map(|message| messages::recounted(message, &stored_group.group));
        Ok(message.map(|message| DesiredMessage::reply(&stored_group.thread, ALARM, message, "what the alarm says")))
    }

    /// The message about the alarm. Where it calls somebody, it is one of its own: an edit calls nobody, and a later alarm must
    /// not take its place before it is sent.
    pub(super) async fn about_alarm(
        &self,
        case: &AlarmContext<'_>,
        stored_group: &StoredGroup<AlarmGroup>,
    ) -> Result<DesiredMessage, StoreError> {
        let number = case.claimed.lease.number();
        let mut message = messages::about(case, &stored_group.group, self.store.now());
        if !stored_group.group.calling.contains(&number) {
            let earlier = self.store.stated(&stored_group.thread, ALARM).await?;
            let message = messages::with_history(message, earlier.as_ref());
            return Ok(DesiredMessage::reply(&stored_group.thread, ALARM, message, "what the alarm says"));
        }
        message.mention = case.scope.route.mention.as_ref().map(messages::mention);
        Ok(DesiredMessage::reply(&stored_group.thread, format!("called-{number}"), message, "what a critical alarm says"))
    }
}

/// The revision of a run that begins anew: the buttons of the last one expire.
pub(super) const fn next_revision(row: &InvestigationRow) -> u32 {
    row.revision.saturating_add(1)
}

/// What the runs saw.
pub(super) fn records(completion: &Completion) -> Vec<&Investigation> {
    completion.concluded.iter().filter_map(|concluded| concluded.record.as_ref()).collect()
}
