//! One platform's courier.

use super::DeliveryPolicy;
use super::outcome::{SendOutcome, refused};
use crate::alarm::OnceAMinute;
use crate::bot::Health;
use crate::chat::document::{Part, Tone};
use crate::chat::{ChatPlatform, Destination, LostPost, Message, SendError, compose};
use crate::clock;
use crate::metrics::BotMetrics;
use crate::model::{Place, ThreadId, ThreadRef};
use crate::redact::SafeText;
use crate::safe_format;
use crate::store::{DesiredMessage, DueMessage, EditInterval, Files, Look, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long to wait before looking again when nothing is known to be due, or the store failed.
const IDLE: Duration = Duration::from_secs(30);
const STORE_WAIT: Duration = Duration::from_secs(1);

/// Messages under way to one channel at once: platforms let a channel have about one a second, and a busy one is not to
/// take everybody's places while it waits for its turns.
const PER_CHANNEL: usize = 3;

/// Edits of progress that may go out at once after a pause.
const EDITS_AT_ONCE: u32 = 5;

/// Takes messages to one platform.
pub(super) struct DeliveryWorker {
    platform: Arc<dyn ChatPlatform>,
    store: Arc<Store>,
    health: Health,
    policy: DeliveryPolicy,
    /// Where the pages of causes are.
    causes: Option<String>,
    /// The moments from which edits of progress may go out evenly again: by channel, or for all of them.
    progress: Mutex<HashMap<Option<String>, Instant>>,
    /// Until when the platform is left alone.
    locked_out: Mutex<Option<Instant>>,
    /// The messages under way to which whoever asked was led already.
    pointed: Mutex<HashSet<String>>,
    metrics: BotMetrics,
}

/// The threads a message is under way to, with their channels.
#[derive(Default)]
struct Busy(HashMap<ThreadId, String>);

impl Busy {
    fn threads(&self) -> HashSet<&str> {
        self.0.keys().map(ThreadId::as_str).collect()
    }

    fn under_way(&self, channel: &str) -> usize {
        self.0.values().filter(|other| *other == channel).count()
    }

    /// The channels that are to be left alone for now.
    fn full(&self) -> HashSet<&str> {
        self.0.values().map(String::as_str).filter(|channel| self.under_way(channel) >= PER_CHANNEL).collect()
    }
}

/// After so many failures the person who waits is told that it takes longer.
const SLOW_AFTER: u32 = 5;

/// How often whoever asked is led to a message that nothing follows.
const POINTING: u32 = 4;

impl DeliveryWorker {
    pub(super) fn new(
        platform: Arc<dyn ChatPlatform>,
        store: Arc<Store>,
        health: Health,
        policy: DeliveryPolicy,
        causes: Option<String>,
        metrics: BotMetrics,
    ) -> DeliveryWorker {
        DeliveryWorker {
            platform,
            store,
            health,
            policy,
            causes,
            progress: Mutex::default(),
            locked_out: Mutex::default(),
            pointed: Mutex::default(),
            metrics,
        }
    }

    /// Delivers until `stop`, and finishes what it began.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let this = self;
        if let Err(error) = this.store.take_up_deliveries(this.platform.name()).await {
            tracing::error!(%error, "edits that were under way before may replace newer ones");
        }
        let mut under_way: JoinSet<ThreadId> = JoinSet::new();
        let mut busy = Busy::default();
        let mut changes = this.store.message_changes();
        let mut doors = this.platform.let_in();
        let unread = Arc::<OnceAMinute>::default();
        this.knock().await;
        while !stop.is_cancelled() {
            changes.mark_unchanged();
            let wait = match this.begin(&mut busy, &mut under_way).await {
                Ok(wait) => wait,
                Err(error) => {
                    let log = |error: &str, more: Option<u64>| {
                        tracing::error!(error, more, "messages to be delivered could not be read")
                    };
                    Arc::clone(&unread).tell(error.to_string(), log);
                    STORE_WAIT
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(wait, changes.changed()) => {}
                () = opened(&mut doors) => {
                    *this.locked_out.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    this.knock().await;
                }
                Some(thread) = under_way.join_next() => {
                    let _ = thread.map(|thread| busy.0.remove(&thread));
                }
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// What waits for a place to open is tried now.
    async fn knock(&self) {
        if let Err(error) = self.store.let_in(self.platform.name()).await {
            tracing::error!(%error, "messages that wait for a channel could not be sent early");
        }
    }

    /// Sends off what is due, and tells how long there is nothing more to do.
    async fn begin(self: &Arc<Self>, busy: &mut Busy, under_way: &mut JoinSet<ThreadId>) -> Result<Duration, StoreError> {
        if let Some(wait) = self.left_alone() {
            return Ok(wait);
        }
        let free = self.policy.at_once.saturating_sub(under_way.len());
        if free == 0 {
            return Ok(IDLE);
        }
        let (threads, full) = (busy.threads(), busy.full());
        let free = u32::try_from(free).unwrap_or(u32::MAX);
        let Look { due, next } = self.store.due_messages(self.platform.name(), &threads, &full, free).await?;
        let mut wait = next.unwrap_or(IDLE);
        for mut due in due {
            due.files_stay = self.platform.limits().shows_the_store;
            if let Some(pause) = self.too_fast(&due) {
                wait = wait.min(pause);
                continue;
            }
            if busy.under_way(&due.place.channel) >= PER_CHANNEL {
                // The next look leaves this channel out.
                wait = Duration::ZERO;
                continue;
            }
            busy.0.insert(due.thread.clone(), due.place.channel.clone());
            let this = Arc::clone(self);
            under_way.spawn(async move {
                let thread = due.thread.clone();
                if let Err(error) = this.deliver(due).await {
                    tracing::error!(%error, "the result of a delivery could not be stored");
                    tokio::time::sleep(STORE_WAIT).await;
                }
                thread
            });
        }
        Ok(wait.clamp(Duration::from_millis(1), IDLE))
    }

    fn left_alone(&self) -> Option<Duration> {
        let until = *self.locked_out.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.saturating_duration_since(clock::this_instant())).filter(|wait| !wait.is_zero())
    }

    /// How long an edit that tells of progress has to wait for its turn; `None` when it may go out, which is then counted. A
    /// first sign of life is no edit: its channel limits it, as any new message.
    fn too_fast(&self, due: &DueMessage) -> Option<Duration> {
        let is_edit = due.is_progress && due.posted_id.is_some();
        let limit = self.platform.limits().progress.filter(|_| is_edit)?;
        let every = Duration::from_secs(60) / limit.per_minute;
        let ahead = every * EDITS_AT_ONCE;
        let now = clock::this_instant();
        let mut turns = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, at| *at > now);
        let next = turns.entry(limit.each_channel.then(|| due.place.channel.clone())).or_insert(now);
        if *next > now + ahead {
            return Some(*next - now - ahead);
        }
        *next += every;
        None
    }

    async fn deliver(&self, mut due: DueMessage) -> Result<(), StoreError> {
        if let Some(causes) = &self.causes {
            due.message.link_causes(causes);
            if let Some(answer) = &mut due.lost {
                answer.message.link_causes(causes);
            }
        }
        let sent = match tokio::time::timeout(self.policy.call, self.send(&due)).await {
            Ok(sent) => sent?,
            Err(_) => SendOutcome::Later { after: None, arrived: None, why: "no answer in time".to_owned() },
        };
        let (platform, title) = (self.platform.name(), self.platform.limits().title);
        self.metrics.delivered(platform, sent.kind());
        if !matches!(sent, SendOutcome::LockedOut(_) | SendOutcome::Elsewhere) && self.health.note_platform(platform, None) {
            tracing::info!(%platform, "the platform accepts messages again");
        }
        match sent {
            SendOutcome::As(id) => self.arrived(&due, &id).await,
            SendOutcome::Found(id) => {
                let mut due = due;
                // It is edited next, so it is not the last of it.
                due.is_progress = true;
                self.store.found(&due, &id, self.owes_files(&due)).await?;
                self.point(&due, &id).await;
                Ok(())
            }
            SendOutcome::Elsewhere => Ok(()),
            SendOutcome::Attached => {
                self.store.attached(&due).await?;
                self.answered(&due).await
            }
            // What is only said once more is not worth a new message, and progress is followed by something newer.
            SendOutcome::Lost(_) | SendOutcome::Stuck(_) | SendOutcome::Closed { .. } | SendOutcome::Never(_)
                if due.is_repeat() =>
            {
                self.store.leave(&due).await
            }
            SendOutcome::Stuck(_) | SendOutcome::Lost(_) if due.is_progress => self.store.leave(&due).await,
            SendOutcome::Lost(why) if !due.was_lost && !due.is_progress => {
                tracing::warn!(%platform, reason = due.reason, why, "a message is gone and is posted anew");
                self.store.post_anew(&due).await
            }
            SendOutcome::Stuck(why) => {
                tracing::warn!(%platform, reason = due.reason, why, "a message cannot be edited and is posted anew");
                self.store.post_anew(&due).await
            }
            SendOutcome::Closed { why, tell } => {
                if due.attempts == 0 {
                    tracing::error!(%platform, channel = due.place.channel, reason = due.reason, why,
                        "a channel does not accept a message: it is retried every hour, and when the bot joins the channel");
                }
                self.tell(&due, tell).await?;
                let given_up = self.store.wait_for_place(&due, self.policy.closed(), &SafeText::redact(&why)).await?;
                if given_up {
                    tracing::error!(%platform, reason = due.reason, why, "a message is abandoned: its channel stayed closed");
                }
                Ok(())
            }
            SendOutcome::Lost(why) | SendOutcome::Never(why) => {
                tracing::error!(%platform, reason = due.reason, why, "a message is given up");
                let way_on = "ask in another channel, or have the operator of rotation-diag look into it";
                self.tell(
                    &due,
                    safe_format!("{} does not accept my message here ({}): {}", title, SafeText::redact(&why), way_on),
                )
                .await?;
                self.store.give_up(&due, &SafeText::redact(&why)).await
            }
            SendOutcome::Later { after, arrived, why } => {
                let roll = crate::investigation::new_id().bytes().fold(0_u16, |sum, byte| sum.rotate_left(5) ^ u16::from(byte));
                let wait =
                    self.policy.wait(due.attempts, roll).max(after.map_or(Duration::ZERO, |after| self.policy.asked(after)));
                // Told once, and again when it is given up.
                if due.attempts == 0 {
                    tracing::warn!(%platform, reason = due.reason, why, "a message is not delivered yet");
                }
                if self.store.put_off(&due, wait, arrived, &SafeText::redact(&why)).await? {
                    tracing::error!(%platform, reason = due.reason, why, "a message is abandoned: its time is over");
                    let text = safe_format!("{} did not accept my answer for hours, and I gave up: please ask again", title);
                    self.tell(&due, text).await?;
                } else if due.attempts == SLOW_AFTER {
                    let text = safe_format!("{} is not accepting my answer right now: I will post it as soon as it does", title);
                    self.tell(&due, text).await?;
                }
                Ok(())
            }
            SendOutcome::LockedOut(why) => {
                *self.locked_out.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::deadline(self.policy.locked_out));
                if self.health.note_platform(platform, Some(&why)) {
                    tracing::error!(%platform, why, "the platform no longer accepts our token: nothing is delivered until that changes");
                }
                self.tell_at_once(&due).await?;
                // It is due as soon as the platform is not left alone any more.
                self.store.put_off(&due, Duration::ZERO, Some(false), &SafeText::redact(&why)).await.map(drop)
            }
        }
    }

    async fn send(&self, due: &DueMessage) -> Result<SendOutcome, StoreError> {
        if due.ephemeral {
            let Some(to) = &due.reply_to else { return Ok(SendOutcome::Never("nobody to tell".to_owned())) };
            if !self.store.delivers(due.place.platform) {
                return Ok(SendOutcome::Elsewhere);
            }
            let told = self.platform.send_ephemeral(to, &due.message).await;
            return Ok(match told {
                Ok(()) => SendOutcome::As(String::new()),
                Err(SendError::Closed { why, .. }) => SendOutcome::Never(why),
                Err(error) => refused(error),
            });
        }
        let to = destination(due);
        if let Some(id) = &due.posted_id {
            if due.is_for_files() {
                return self.attach(due, &to, id).await;
            }
            if !self.store.delivers(due.place.platform) {
                return Ok(SendOutcome::Elsewhere);
            }
            return Ok(match self.platform.edit(&to, id, &due.message).await {
                Ok(()) => SendOutcome::As(id.clone()),
                Err(SendError::Gone { why }) => SendOutcome::Lost(why),
                Err(SendError::Refused { why }) => SendOutcome::Stuck(why),
                Err(error) => refused(error),
            });
        }
        if let Some(answer) = &due.lost {
            let others = self.store.others_there(due).await?;
            let lost = LostPost { key: &due.key, message: &answer.message, since: answer.since, others: &others };
            match self.platform.find(&to, &lost).await {
                Ok(Some(id)) => return Ok(SendOutcome::Found(id)),
                Ok(None) => {}
                Err(SendError::Later { after, why }) => return Ok(SendOutcome::Later { after, arrived: None, why }),
                Err(SendError::Uncertain { why }) => return Ok(SendOutcome::Later { after: None, arrived: None, why }),
                Err(SendError::Unauthorized { why }) => return Ok(SendOutcome::LockedOut(why)),
                // It cannot be seen whether it arrived; twice is better than never.
                Err(error) => tracing::warn!(%error, reason = due.reason, "a message cannot be looked for, and is posted again"),
            }
        }
        if !self.store.posting(due).await? {
            return Ok(SendOutcome::Elsewhere);
        }
        let message = due.lost.as_ref().map_or(&due.message, |answer| &answer.message);
        let is_newest = *message == due.message;
        let sent_as = if is_newest { SendOutcome::As } else { SendOutcome::Found };
        Ok(self.platform.post(&to, message, &due.key).await.map_or_else(refused, sent_as))
    }

    async fn attach(&self, due: &DueMessage, to: &Destination, id: &str) -> Result<SendOutcome, StoreError> {
        if !self.store.attaching(due).await? {
            return Ok(SendOutcome::Elsewhere);
        }
        let attached = self.platform.attach(to, id, &due.message, due.files == Files::PerhapsThere).await;
        Ok(match attached {
            Ok(()) => SendOutcome::Attached,
            Err(SendError::Closed { why, .. }) => SendOutcome::Never(why),
            Err(error) => refused(error),
        })
    }

    /// The platform has a message; its files follow, and it is said again where a late edit may replace it.
    async fn arrived(&self, due: &DueMessage, id: &str) -> Result<(), StoreError> {
        let owes_files = self.owes_files(due);
        let pace = EditInterval { between_edits: self.policy.between_edits };
        self.store.sent(due, id, pace, owes_files, self.policy.again(due.repeats)).await?;
        self.point(due, id).await;
        // While something is still to come, the person may have to be told why it does not.
        let more_follows = due.is_progress || owes_files || due.files != Files::None;
        if more_follows || due.reply_to.is_none() { Ok(()) } else { self.answered(due).await }
    }

    fn owes_files(&self, due: &DueMessage) -> bool {
        due.posted_id.is_none() && !due.ephemeral && self.platform.owes_files(&due.message)
    }

    /// Whoever asked for what does not come learns why, and what to do, and what was found as far as it is known; for others the
    /// log has to do. It is a message of its own, so that it is not lost either.
    async fn tell(&self, due: &DueMessage, text: impl Into<SafeText>) -> Result<(), StoreError> {
        let Some(to) = due.reply_to.clone().filter(|_| !due.ephemeral) else { return Ok(()) };
        let mut message = compose::notice(Tone::Warning, text);
        if !due.is_progress {
            let why = Part::Caution(message.title);
            message = Message { mention: None, ..due.message.clone() };
            message.parts.insert(0, why);
        }
        let message_key = format!("why-not/{}", due.message_key);
        let told = DesiredMessage::ephemeral(&due.thread, message_key, to, message, "why something does not come");
        self.store.upsert_messages(&[told]).await
    }

    /// Nothing goes out while our token is not accepted, but perhaps an answer where the question came from, which needs none.
    async fn tell_at_once(&self, due: &DueMessage) -> Result<(), StoreError> {
        let Some(to) = due.reply_to.as_ref().filter(|_| !due.ephemeral) else { return Ok(()) };
        let text = safe_format!(
            "{} no longer accepts my token: the answer follows when the operator of rotation-diag has given me a new one",
            self.platform.limits().title
        );
        let notice = compose::notice(Tone::Warning, text);
        match tokio::time::timeout(self.policy.call, self.platform.send_ephemeral(to, &notice)).await {
            Ok(Ok(())) => self.store.answered(due).await,
            _ => Ok(()),
        }
    }

    /// Leads the person who asked to the message; where that fails, the message is there all the same, and they are led to it
    /// with the next change.
    async fn point(&self, due: &DueMessage, id: &str) {
        let Some(to) = due.reply_to.as_ref() else { return };
        let is_pointed = self.with_pointed(|pointed| pointed.contains(&due.key));
        let tries = if due.ephemeral || is_pointed { 0 } else { POINTING };
        for attempt in 0..tries {
            let thread = ThreadRef {
                root: due.held_in.clone().or(due.place.thread.clone()).unwrap_or_else(|| id.to_owned()),
                ..thread_ref(due, "")
            };
            match tokio::time::timeout(self.policy.call, self.platform.point_to(to, &thread)).await {
                Ok(Ok(())) => {
                    self.with_pointed(|pointed| pointed.insert(due.key.clone()));
                    break;
                }
                Ok(Err(error)) => {
                    tracing::info!(platform = %self.platform.name(), %error, "the person could not be pointed to the thread")
                }
                Err(_) => {}
            }
            if due.is_progress {
                break;
            }
            tokio::time::sleep(self.policy.wait(attempt, 0)).await;
        }
    }

    /// Nothing more is to come for whoever asked.
    async fn answered(&self, due: &DueMessage) -> Result<(), StoreError> {
        self.with_pointed(|pointed| pointed.remove(&due.key));
        self.store.answered(due).await
    }

    fn with_pointed<T>(&self, act: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        act(&mut self.pointed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn thread_ref(due: &DueMessage, root: &str) -> ThreadRef {
    ThreadRef {
        platform: due.place.platform,
        workspace: due.place.workspace.clone(),
        channel: due.place.channel.clone(),
        root: root.to_owned(),
    }
}

/// Where a message goes: to its thread, or to the channel as the first of one.
fn destination(due: &DueMessage) -> Destination {
    match (&due.held_in, &due.place.thread) {
        (Some(held_in), _) => Destination::Held(thread_ref(due, held_in)),
        (None, Some(root)) if !due.is_root() => Destination::Thread(thread_ref(due, root)),
        _ => Destination::Channel(Place { thread: None, ..due.place.clone() }),
    }
}

/// Waits until the platform tells that a place may have opened; for ever, where it never tells.
async fn opened(doors: &mut Option<watch::Receiver<()>>) {
    if let Some(receiver) = doors
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
