//! One run of an investigation, from the first step to what its thread is to show.

use super::access::{Access, Connected};
use super::error::HandlerError;
use super::intake::lane;
use super::progress::Live;
use super::run_queue::RunQueue;
use super::verdict::{concluded, failed, message_key, subject, verdict};
use crate::aws::{ConnectError, SessionOwner};
use crate::chat::{PlatformSet, compose};
use crate::clock::Stopwatch;
use crate::config::{Config, SecretDatabases};
use crate::diagnosis::diagnose;
use crate::investigation::{self, Options, investigate};
use crate::metrics::{BotMetrics, RunningInvestigation, ending};
use crate::model::{Actor, Consumers, Investigation, Observation, Place, SecretRef};
use crate::playbook::{CodeChoice, Progress, STEP_DEADLINE, TOTAL_DEADLINE};
use crate::redact::SafeText;
use crate::safe_format;
use crate::spans;
use crate::store::{Completion, DesiredMessage, InvestigationRow, Lease, Location, Store};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::{Instrument as _, Span};

/// When to try again while another trigger runs the same investigation.
const OTHERS_RUN: Duration = Duration::from_secs(1);

/// The lane of looks that no thread shows while they run.
const LOOKS: &str = "looks";

/// Whose session a role is assumed in when a person asks.
pub(super) fn session_owner(actor: &Actor) -> SessionOwner {
    SessionOwner::person(actor.platform.id(), &actor.user)
}

/// Runs investigations, within what the configuration lets one take.
pub struct Runner {
    store: Arc<Store>,
    access: Arc<Access>,
    platforms: PlatformSet,
    queue: RunQueue,
    step_deadline: Duration,
    total_deadline: Duration,
    code: CodeChoice,
    databases: SecretDatabases,
    metrics: BotMetrics,
}

impl Runner {
    /// Runs in what `access` reaches, says in `store` how far a run is, and counts in `metrics` how it ended.
    #[must_use]
    pub fn new(config: &Config, store: Arc<Store>, access: Arc<Access>, platforms: PlatformSet, metrics: BotMetrics) -> Runner {
        let step_deadline = config.step_deadline.unwrap_or(STEP_DEADLINE);
        let total_deadline = config.total_deadline.unwrap_or(TOTAL_DEADLINE);
        let code = CodeChoice { fetch: config.inspect_code, local: None };
        let databases = config.databases.clone();
        let queue = RunQueue::new(config.work.concurrency);
        Runner { store, access, platforms, queue, step_deadline, total_deadline, code, databases, metrics }
    }

    /// The verdict message of `row` as it stands, for the screen on which people read it.
    pub(super) fn verdict(&self, row: &InvestigationRow, record: &Investigation) -> DesiredMessage {
        verdict(row, record, self.platforms.screen(&row.place))
    }

    /// How a question about any secret is asked at `place`.
    pub(super) fn question(&self, place: &Place) -> SafeText {
        self.platforms.manner(place).question("NAME", "")
    }

    /// Where runs wait for their turn.
    pub(super) fn queue(&self) -> RunQueue {
        self.queue.clone()
    }

    /// How long one run may take.
    pub(super) const fn longest(&self) -> Duration {
        self.total_deadline
    }

    /// Looks into `location` for the trigger `lease` when it is its turn, and says how far it is meanwhile. What it comes to is
    /// returned, not yet stored; buttons older than `revision` expire when it begins. AWS's own records name
    /// `owner`, where a role is assumed.
    ///
    /// # Errors
    /// [`HandlerError`] when it could not even begin: the store fails, another trigger runs it at this moment, or nothing more
    /// begins.
    pub(super) fn run<'a>(
        &'a self,
        lease: Lease,
        row: &'a InvestigationRow,
        revision: u32,
        location: &'a Location,
        options: Options,
        owner: SessionOwner,
    ) -> BoxFuture<'a, Result<Completion, HandlerError>> {
        // Its state is large; on the heap, it does not weigh on the stacks of all who wait for it.
        Box::pin(self.run_here(lease, row, revision, location, options, owner))
    }

    async fn run_here(
        &self,
        lease: Lease,
        row: &InvestigationRow,
        revision: u32,
        location: &Location,
        options: Options,
        owner: SessionOwner,
    ) -> Result<Completion, HandlerError> {
        let Some(_place) = self.queue.place(&lane(&row.place)).await else {
            return Err(HandlerError::RetryAfter(Duration::ZERO));
        };
        // While it waited another trigger may have run it, or somebody closed it: what is to be done is decided by how it stands
        // now.
        let is_as_read = |now: &InvestigationRow| (now.revision, &now.resolved) == (row.revision, &row.resolved);
        if self.store.investigation(&row.id).await?.is_some_and(|now| !is_as_read(&now)) {
            return Err(HandlerError::RetryAfter(Duration::ZERO));
        }
        if !self.store.begin_run(lease, &row.id, revision, location).await? {
            return Err(HandlerError::RetryAfter(OTHERS_RUN));
        }
        let row = InvestigationRow { revision, location: Some(location.clone()), resolved: None, ..row.clone() };
        let connecting = self.access.connect_on_behalf(location, &options.asked, &owner);
        let (watch, connected) = match self.begun(location, connecting).await {
            Ok(begun) => begun,
            Err(error) => {
                return Ok(failed(&row, safe_format!("AWS could not be queried: {}", SafeText::redact(&error.to_string()))));
            }
        };
        let options = self.configured(options);
        let live = Live::new();
        let subject = subject(&row);
        let run = Box::pin(investigate(&connected.aws, &connected.clock, &options, &live).instrument(watch.span.clone()));
        let investigation = tokio::select! {
            investigation = run => investigation,
            never = live.tell(&self.store, lease, &self.platforms, &row, &subject) => match never {},
        };
        watch.end(ending_of(&investigation));
        let record = Investigation { id: row.id.clone(), ..self.without_foreign_names(&row.place, location, investigation) };
        let timeline = timeline(&row, &record).await;
        let mut completion = concluded(&row, record, self.platforms.screen(&row.place));
        completion.messages.extend(timeline);
        Ok(completion)
    }

    /// A look at a secret that no thread shows while it runs.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(super) async fn look(&self, location: &Location, secret: &SecretRef) -> Result<Investigation, ConnectError> {
        // Where no more are given out, everything ends soon: what is under way goes on as far as it comes.
        let _place = self.queue.place(LOOKS).await;
        let options = Options::new(secret.clone());
        self.watched(location, self.access.connect_for(location, secret), options, &()).await
    }

    /// A look on behalf of somebody who waits for it: no thread shows it. Dropped before its end, it asks AWS nothing more.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(super) async fn look_for(
        &self,
        owner: &SessionOwner,
        place: &Place,
        location: &Location,
        options: Options,
        progress: &dyn Progress,
    ) -> Result<Investigation, ConnectError> {
        let asked = options.asked.clone();
        let seen = self.watched(location, self.access.connect_on_behalf(location, &asked, owner), options, progress).await?;
        Ok(self.without_foreign_names(place, location, seen))
    }

    /// One investigation, which metrics and traces see.
    async fn watched(
        &self,
        location: &Location,
        connecting: impl Future<Output = Result<Connected, ConnectError>>,
        options: Options,
        progress: &dyn Progress,
    ) -> Result<Investigation, ConnectError> {
        let (watch, connected) = self.begun(location, connecting).await?;
        let options = self.configured(options);
        let run = investigate(&connected.aws, &connected.clock, &options, progress).instrument(watch.span.clone());
        let seen = Box::pin(run).await;
        watch.end(ending_of(&seen));
        Ok(seen)
    }

    /// An investigation that metrics and traces see, with the clients it asks; without those it has ended already.
    async fn begun(
        &self,
        location: &Location,
        connecting: impl Future<Output = Result<Connected, ConnectError>>,
    ) -> Result<(InvestigationWatch<'_>, Connected), ConnectError> {
        let watch = InvestigationWatch::begin(&self.metrics, location);
        match connecting.instrument(watch.span.clone()).await {
            Ok(connected) => Ok((watch, connected)),
            Err(error) => {
                watch.end(FAILED);
                Err(error)
            }
        }
    }

    /// Who reads the secret of a run, looked up now.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(super) async fn consumers(
        &self,
        row: &InvestigationRow,
        record: &Investigation,
    ) -> Result<Observation<Consumers>, ConnectError> {
        let Some(location) = &row.location else { return Ok(Observation::Failed { error: "no account was chosen".to_owned() }) };
        let connected = self.access.connect_for(location, &record.evidence.asked).await?;
        Ok(investigation::consumers(&connected.aws, &connected.clock, &record.evidence).await.consumers)
    }

    /// With what the configuration says about any run, and about this secret's database.
    fn configured(&self, options: Options) -> Options {
        let database = self.databases.of(&options.asked).cloned();
        let (step_deadline, total_deadline) = (self.step_deadline, self.total_deadline);
        Options { step_deadline, total_deadline, code: self.code.clone(), database, ..options }
    }

    /// Names like that of a missing secret are told only where somebody may ask about them.
    fn without_foreign_names(&self, place: &Place, location: &Location, mut seen: Investigation) -> Investigation {
        let all = seen.evidence.near_names.len();
        seen.evidence.near_names.retain(|name| self.access.may_name(place, &SecretRef::Name(name.clone()), location));
        if seen.evidence.near_names.len() < all {
            seen.diagnosis = diagnose(&seen.evidence);
        }
        seen
    }
}

/// How an investigation is counted that could not even begin.
const FAILED: (&str, &str) = ("failed", "none");

/// An investigation as metrics and traces see it.
struct InvestigationWatch<'a> {
    metrics: &'a BotMetrics,
    span: Span,
    stopwatch: Stopwatch,
    _running: RunningInvestigation,
}

impl<'a> InvestigationWatch<'a> {
    fn begin(metrics: &'a BotMetrics, location: &Location) -> InvestigationWatch<'a> {
        let span = spans::investigation(&location.region);
        InvestigationWatch { metrics, span, stopwatch: Stopwatch::start(), _running: metrics.investigating() }
    }

    fn end(self, ending: (&'static str, &'static str)) {
        spans::concluded(&self.span, ending);
        self.metrics.investigated(ending, self.stopwatch.elapsed());
    }
}

fn ending_of(investigation: &Investigation) -> (&'static str, &'static str) {
    let diagnosis = &investigation.diagnosis;
    let cause = diagnosis.findings.first().filter(|_| diagnosis.outcome.has_cause());
    ending(diagnosis.outcome, cause.map(|finding| finding.cause))
}

/// Pictures painted at once: each takes some megabytes while it is.
static PAINTING: Semaphore = Semaphore::const_new(2);

/// The timeline as a picture; one for each width of the look, because a picture that was sent cannot be replaced. It is
/// painted where it keeps nobody waiting.
async fn timeline(row: &InvestigationRow, record: &Investigation) -> Option<DesiredMessage> {
    let message_key = message_key(row, &format!("timeline-{}", record.evidence.lookback.hours() / 24));
    let thread = row.thread.clone();
    let record = record.clone();
    let _turn = PAINTING.acquire().await.ok()?;
    let message = tokio::task::spawn_blocking(move || compose::chart(&record)).await.ok().flatten()?;
    Some(DesiredMessage::reply(&thread, message_key, message, "timeline"))
}
