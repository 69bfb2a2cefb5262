//! What the bot counts and measures, for Prometheus. There is no global state: the composition root makes one [`Metrics`] and
//! hands its parts down. Clones are the same; one that nobody reads costs next to nothing.

mod catalogue;
mod labels;

pub use catalogue::{CATALOGUE, MetricEntry, MetricKind};
pub use labels::{AckSource, ending};

use crate::model::{PlatformName, StepName};
use catalogue::*;
use labels::{
    AckLabels, BuildLabels, CallLabels, DeliveryLabels, InvestigationLabels, LimiterLabels, ObservationLabels, OutcomeLabels,
    PartLabels, PlatformLabels, ResultLabels, ServiceLabels, StepLabels,
};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The media type of what [`Metrics::read`] says.
///
/// Source: the OpenMetrics specification, "Protocol Negotiation".
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Limits of what is fast: an acknowledgement has to be within a second, and a platform gives up after three.
const FAST: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0];

/// Limits of what takes as long as AWS does: a step has ten seconds, an investigation sixty.
const SLOW: [f64; 12] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0];

type Timings<L> = Family<L, Histogram>;
type Counters<L> = Family<L, Counter>;
type Seconds = Gauge<f64, AtomicU64>;

fn fast<L: Clone + std::hash::Hash + Eq>() -> Timings<L> {
    Family::new_with_constructor(|| Histogram::new(FAST))
}

fn slow<L: Clone + std::hash::Hash + Eq>() -> Timings<L> {
    Family::new_with_constructor(|| Histogram::new(SLOW))
}

/// What brings something up to date before it is read.
type Refresh = Box<dyn Fn() + Send + Sync>;

/// Everything that is counted and measured.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    refreshes: Arc<Mutex<Vec<Refresh>>>,
    pub engine: EngineMetrics,
    pub bot: BotMetrics,
}

/// What the engine counts: steps, calls, waits for AWS's limits.
#[derive(Debug, Clone)]
pub struct EngineMetrics {
    steps: Timings<StepLabels>,
    observations: Counters<ObservationLabels>,
    calls: Counters<CallLabels>,
    call_seconds: Timings<ServiceLabels>,
    /// Also for the limits of platforms.
    pub waits: LimiterWaits,
}

/// How long requests wait for their turn.
#[derive(Debug, Clone)]
pub struct LimiterWaits(Timings<LimiterLabels>);

/// What the bot counts around the engine.
#[derive(Debug, Clone, Default)]
pub struct BotMetrics {
    investigations: Counters<InvestigationLabels>,
    investigation_seconds: OutcomeTimings,
    running: Gauge,
    acknowledgements: AckTimings,
    triggers_waiting: Gauge,
    trigger_age: Seconds,
    triggers_ended: Counters<ResultLabels>,
    messages_waiting: Gauge,
    message_age: Seconds,
    deliveries: Counters<DeliveryLabels>,
    sockets: Family<PlatformLabels, Gauge>,
    ready: Gauge,
    parts: Family<PartLabels, Gauge>,
}

#[derive(Debug, Clone)]
struct OutcomeTimings(Timings<OutcomeLabels>);

#[derive(Debug, Clone)]
struct AckTimings(Timings<AckLabels>);

impl Default for OutcomeTimings {
    fn default() -> OutcomeTimings {
        OutcomeTimings(slow())
    }
}

impl Default for AckTimings {
    fn default() -> AckTimings {
        AckTimings(fast())
    }
}

impl Default for LimiterWaits {
    fn default() -> LimiterWaits {
        LimiterWaits(slow())
    }
}

impl Default for EngineMetrics {
    fn default() -> EngineMetrics {
        EngineMetrics {
            steps: slow(),
            observations: Family::default(),
            calls: Family::default(),
            call_seconds: slow(),
            waits: LimiterWaits::default(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Metrics of which nothing has happened yet.
    #[must_use]
    pub fn new() -> Metrics {
        let (engine, bot) = (EngineMetrics::default(), BotMetrics::default());
        let mut registry = Registry::default();
        let build = Family::<BuildLabels, Gauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION") }).set(1);
        add(&mut registry, BUILD, build);
        add(&mut registry, READY, bot.ready.clone());
        add(&mut registry, PART_WORKING, bot.parts.clone());
        add(&mut registry, SOCKETS, bot.sockets.clone());
        add(&mut registry, INVESTIGATIONS, bot.investigations.clone());
        add(&mut registry, INVESTIGATION_SECONDS, bot.investigation_seconds.0.clone());
        add(&mut registry, INVESTIGATIONS_RUNNING, bot.running.clone());
        add(&mut registry, STEP_SECONDS, engine.steps.clone());
        add(&mut registry, STEP_OBSERVATIONS, engine.observations.clone());
        add(&mut registry, AWS_CALLS, engine.calls.clone());
        add(&mut registry, AWS_CALL_SECONDS, engine.call_seconds.clone());
        add(&mut registry, LIMITER_WAITS, engine.waits.0.clone());
        add(&mut registry, ACKNOWLEDGEMENTS, bot.acknowledgements.0.clone());
        add(&mut registry, TRIGGERS_WAITING, bot.triggers_waiting.clone());
        add(&mut registry, TRIGGER_AGE, bot.trigger_age.clone());
        add(&mut registry, TRIGGERS_ENDED, bot.triggers_ended.clone());
        add(&mut registry, MESSAGES_WAITING, bot.messages_waiting.clone());
        add(&mut registry, MESSAGE_AGE, bot.message_age.clone());
        add(&mut registry, DELIVERIES, bot.deliveries.clone());
        Metrics { registry: Arc::new(registry), refreshes: Arc::default(), engine, bot }
    }

    /// Has `refresh` called before each reading, for what is cheaper to look at than to keep up to date.
    pub fn refresh_with(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refreshes.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(refresh));
    }

    /// All of it, as [`MEDIA_TYPE`] says.
    #[must_use]
    pub fn read(&self) -> String {
        self.refreshes.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|refresh| refresh());
        let mut text = String::new();
        // Writing into memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Adds a metric. Counters are scraped with the ending `_total`, which the crate adds.
fn add(registry: &mut Registry, described: MetricEntry, metric: impl Metric) {
    registry.register(described.name.trim_end_matches("_total"), described.help, metric);
}

impl EngineMetrics {
    /// A call of AWS, `service:Operation`, ended.
    pub fn called(&self, operation: &'static str, result: &'static str, took: Duration) {
        self.calls.get_or_create(&CallLabels { operation, result }).inc();
        let service = operation.split(':').next().unwrap_or_default();
        self.call_seconds.get_or_create(&ServiceLabels { service }).observe(took.as_secs_f64());
    }

    /// A step of the playbook ended.
    pub fn step_ended(&self, step: StepName, observation: &'static str, took: Duration) {
        let step = step.id();
        self.steps.get_or_create(&StepLabels { step }).observe(took.as_secs_f64());
        self.observations.get_or_create(&ObservationLabels { step, observation }).inc();
    }
}

impl LimiterWaits {
    /// A request had its turn after `waited`.
    pub fn passed(&self, limiter: &'static str, waited: Duration) {
        self.0.get_or_create(&LimiterLabels { limiter }).observe(waited.as_secs_f64());
    }
}

impl BotMetrics {
    /// An investigation begins; it counts as running until what is returned is dropped.
    #[must_use]
    pub fn investigating(&self) -> RunningInvestigation {
        self.running.inc();
        RunningInvestigation(self.running.clone())
    }

    /// An investigation ended; [`ending`] says how, and `failed` is one that could not begin.
    pub fn investigated(&self, (outcome, cause): (&'static str, &'static str), took: Duration) {
        self.investigations.get_or_create(&InvestigationLabels { outcome, cause }).inc();
        self.investigation_seconds.0.get_or_create(&OutcomeLabels { outcome }).observe(took.as_secs_f64());
    }

    /// Somebody was acknowledged.
    pub fn acknowledged(&self, source: AckSource, result: &'static str, took: Duration) {
        self.acknowledgements.0.get_or_create(&AckLabels { source, result }).observe(took.as_secs_f64());
    }

    /// So many triggers wait, the oldest for so long.
    pub fn triggers_wait(&self, count: i64, oldest: Duration) {
        self.triggers_waiting.set(count);
        self.trigger_age.set(oldest.as_secs_f64());
    }

    /// Work on a trigger ended.
    pub fn trigger_ended(&self, result: &'static str) {
        self.triggers_ended.get_or_create(&ResultLabels { result }).inc();
    }

    /// So many messages wait, the oldest for so long.
    pub fn messages_wait(&self, count: i64, oldest: Duration) {
        self.messages_waiting.set(count);
        self.message_age.set(oldest.as_secs_f64());
    }

    /// An attempt to deliver ended.
    pub fn delivered(&self, platform: PlatformName, result: &'static str) {
        self.deliveries.get_or_create(&DeliveryLabels { platform, result }).inc();
    }

    /// So many connections to a platform are open.
    pub fn connected(&self, platform: PlatformName, sockets: usize) {
        self.sockets.get_or_create(&PlatformLabels { platform }).set(i64::try_from(sockets).unwrap_or(i64::MAX));
    }

    /// Whether a part works, by the name that `/readyz` gives it.
    pub fn part_works(&self, part: &str, works: bool) {
        self.parts.get_or_create(&PartLabels { part: part.to_owned() }).set(i64::from(works));
    }

    /// Whether everything works.
    pub fn is_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }
}

/// An investigation that runs, until this is dropped.
#[derive(Debug)]
pub struct RunningInvestigation(Gauge);

impl Drop for RunningInvestigation {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests;
